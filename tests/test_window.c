/* Tests of audit/window.c. */
#include "copies_fixture.h"

#include "audit/window.h"

static void thumb_of(const vg_image *image, uint8_t *thumb)
{
    vg_fingerprint_room room = {0};
    vg_error err = {0};
    assert_ok(vg_grey_square(image, VG_THUMB, &room, thumb, &err));
    vg_fingerprint_room_reset(&room);
}

static double distance(const int8_t *a, const int8_t *b)
{
    double sum = 0;
    for (int i = 0; i < VG_VECTOR; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sqrt(sum) / 127;
}

/* The cosine transform of 16 x 16 area averages, by its definition. */
static void test_waves_are_a_cosine_transform(void **state)
{
    (void)state;
    vg_image image = {0};
    vg_waves got[VG_WINDOWS];
    uint8_t thumb[VG_THUMB * VG_THUMB];
    scene_make(&image, VG_THUMB, VG_THUMB, 1, 3);
    memcpy(thumb, image.data, sizeof thumb);
    vg_waves_make(thumb, VG_WINDOWS, got);
    double expected[8][8], sum = 0;
    for (int v = 0; v < 8; v++)
        for (int u = 0; u < 8; u++) {
            double s = 0;
            for (int y = 0; y < 16; y++)
                for (int x = 0; x < 16; x++) {
                    double cell =
                        (thumb[2 * y * 32 + 2 * x] + thumb[2 * y * 32 + 2 * x + 1] +
                         thumb[(2 * y + 1) * 32 + 2 * x] + thumb[(2 * y + 1) * 32 + 2 * x + 1]) /
                        4.0;
                    s += cell * cos(M_PI * (x + 0.5) * u / 16) * cos(M_PI * (y + 0.5) * v / 16);
                }
            expected[v][u] = s / 8 * (u ? 1 : sqrt(0.5)) * (v ? 1 : sqrt(0.5));
            sum += u || v ? expected[v][u] * expected[v][u] : 0;
        }
    assert_true(fabs((double)got[0].length - sqrt(sum)) < 1e-3 * sqrt(sum));
    for (int i = 1; i < 64; i++)
        assert_true(fabs(got[0].signed_waves[i] - 127 * expected[i / 8][i % 8] / sqrt(sum)) < 0.51);
    assert_int_equal(got[0].signed_waves[0], 0);
    vg_image_reset(&image);
}

static void test_turning_leaves_the_vector_alone(void **state)
{
    (void)state;
    vg_image image = {0}, turned = {0};
    vg_waves a[VG_WINDOWS], b[VG_WINDOWS];
    uint8_t thumb[VG_THUMB * VG_THUMB];
    for (unsigned number = 0; number < 5; number++) {
        scene_make(&image, 128, 64, 3, number);
        thumb_of(&image, thumb);
        vg_waves_make(thumb, VG_WINDOWS, a);
        for (int turn = 0; turn < VG_TURNS; turn++) {
            int found = -1;
            scene_turn(&image, turn, &turned);
            thumb_of(&turned, thumb);
            vg_waves_make(thumb, VG_WINDOW_CROP, b);
            assert_true(distance(a[0].vector, b[0].vector) < 0.05);
            /* what has to be done to `image` to get `turned` */
            assert_true(vg_waves_compare(b[0].signed_waves, a[0].signed_waves, &found) > 0.99F);
            assert_int_equal(found, turn);
        }
    }
    vg_image_reset(&image);
    vg_image_reset(&turned);
}

static void test_brightness_and_contrast_leave_it_alone(void **state)
{
    (void)state;
    vg_image image = {0};
    vg_waves a[VG_WINDOWS], b[VG_WINDOWS];
    uint8_t thumb[VG_THUMB * VG_THUMB];
    scene_make(&image, 90, 70, 3, 8);
    thumb_of(&image, thumb);
    vg_waves_make(thumb, 1, a);
    scene_brighten(&image, 0.8, 15);
    thumb_of(&image, thumb);
    vg_waves_make(thumb, 1, b);
    assert_true(distance(a[0].vector, b[0].vector) < 0.03);
    assert_true(fabsf(b[0].length / a[0].length - 0.8F) < 0.02F);
    vg_image_reset(&image);
}

/* Each part is what the same rectangle gives as a picture of its own. */
static void test_parts_are_crops(void **state)
{
    (void)state;
    vg_image image = {0}, cut = {0};
    vg_waves all[VG_WINDOWS], own[VG_WINDOWS], other[VG_WINDOWS];
    uint8_t thumb[VG_THUMB * VG_THUMB];
    scene_make(&image, 640, 640, 1, 21);
    thumb_of(&image, thumb);
    vg_waves_make(thumb, VG_WINDOWS, all);
    for (int part = 0; part < VG_WINDOWS; part++) {
        vg_window_part w = vg_window_of(part);
        assert_true(w.x0 >= 0 && w.x1 <= 1 + 1e-9 && w.x0 < w.x1 && w.y0 >= 0 && w.y1 <= 1 + 1e-9);
        int x = (int)lround(w.x0 * 640), y = (int)lround(w.y0 * 640);
        scene_crop(&image, x, y, (int)lround(w.x1 * 640) - x, (int)lround(w.y1 * 640) - y, &cut);
        thumb_of(&cut, thumb);
        vg_waves_make(thumb, 1, own);
        double d = distance(all[part].vector, own[0].vector);
        if (d > 0.12)
            fail_msg("part %d is %.3f away from its crop", part, d);
    }
    scene_make(&cut, 300, 300, 1, 22);
    thumb_of(&cut, thumb);
    vg_waves_make(thumb, 1, other);
    assert_true(distance(all[0].vector, other[0].vector) > 0.4);
    vg_image_reset(&image);
    vg_image_reset(&cut);
}

static void test_a_flat_picture_has_length_0(void **state)
{
    (void)state;
    uint8_t thumb[VG_THUMB * VG_THUMB];
    vg_waves parts[VG_WINDOWS];
    memset(thumb, 200, sizeof thumb);
    vg_waves_make(thumb, VG_WINDOWS, parts);
    for (int p = 0; p < VG_WINDOWS; p++)
        assert_true(parts[p].length < 0.1F);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_waves_are_a_cosine_transform),
        cmocka_unit_test(test_turning_leaves_the_vector_alone),
        cmocka_unit_test(test_brightness_and_contrast_leave_it_alone),
        cmocka_unit_test(test_parts_are_crops),
        cmocka_unit_test(test_a_flat_picture_has_length_0),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
