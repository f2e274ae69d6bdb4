/* Tests of audit/same_colour.c, and that every version of the fit gives the same numbers. */
#include "copies_fixture.h"

#include "audit/same_colour.h"
#include "audit/same_picture.h"
#include "base/simd.h"

static const vg_window_part whole = {0, 1, 0, 1};

static vg_colours colours_of(const vg_image *image)
{
    vg_colours colours;
    vg_colours_make(image, &colours);
    return colours;
}

/* Red and blue change places: luma hardly changes where both are alike, colour does. */
static void swap_red_and_blue(vg_image *image)
{
    for (size_t i = 0; i < vg_image_bytes(image); i += 3) {
        uint8_t red = image->data[i];
        image->data[i] = image->data[i + 2];
        image->data[i + 2] = red;
    }
}

static void test_colours_are_averages(void **state)
{
    (void)state;
    vg_image image = {0};
    vg_error err = {0};
    assert_ok(vg_image_shape(&image, 37, 5, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i += 3) {
        image.data[i] = 200;
        image.data[i + 1] = 100;
        image.data[i + 2] = 50;
    }
    vg_colours c = colours_of(&image); /* luma 124 */
    assert_false(c.grey);
    for (int y = 0; y < 5; y++)
        for (int x = 0; x < VG_COLOUR_SIDE; x++) {
            int cell = y * VG_COLOUR_SIDE / 5 * VG_COLOUR_SIDE + x;
            assert_int_equal(c.red[cell], 200 - 124);
            assert_int_equal(c.blue[cell], 50 - 124);
        }
    assert_ok(vg_image_shape(&image, 4, 4, 1, &err));
    assert_true(colours_of(&image).grey);
    vg_image_reset(&image);
}

static void test_colours_tell_recoloured_scenes(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    for (unsigned i = 0; i < 8; i++) {
        scene_make(&a, 150, 110, 3, i);
        vg_colours first = colours_of(&a);
        for (int turn = 0; turn < VG_TURNS; turn++) {
            scene_turn(&a, turn, &b);
            int undo = turn & VG_TURN_SWAP ? (turn & VG_TURN_SWAP) | (turn & VG_TURN_X) << 1 |
                                                 (turn & VG_TURN_Y) >> 1
                                           : turn;
            vg_colours second = colours_of(&b);
            assert_true(vg_same_colour(&first, whole, &second, undo, 1));
        }
        scene_crop(&a, 8, 6, 135, 99, &b);
        vg_colours second = colours_of(&b);
        const vg_window_part window = {8.0 / 150, 143.0 / 150, 6.0 / 110, 105.0 / 110};
        assert_true(vg_same_colour(&first, window, &second, 0, 1));
        scene_make(&b, 150, 110, 3, i);
        scene_brighten(&b, 1.25, 0);
        second = colours_of(&b);
        assert_true(vg_same_colour(&first, whole, &second, 0, 1.25));
        scene_make(&b, 150, 110, 3, i);
        swap_red_and_blue(&b);
        second = colours_of(&b);
        assert_false(vg_same_colour(&first, whole, &second, 0, 1));
        scene_make(&b, 150, 110, 1, i); /* grey: may have been made of it */
        second = colours_of(&b);
        assert_true(vg_same_colour(&first, whole, &second, 0, 1));
    }
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_every_version_fits_alike(void **state)
{
    (void)state;
    static uint8_t first[VG_MIDDLE * VG_MIDDLE], second[VG_MIDDLE * VG_MIDDLE];
    vg_image a = {0}, b = {0};
    vg_fingerprint_room room = {0};
    vg_error err = {0};
    for (unsigned i = 0; i < 6; i++) {
        scene_make(&a, 150, 110, 3, i);
        scene_crop(&a, 6, 5, 138, 100, &b);
        assert_ok(vg_grey_square(&a, VG_MIDDLE, &room, first, &err));
        assert_ok(vg_grey_square(&b, VG_MIDDLE, &room, second, &err));
        const vg_window_part windows[] = {whole, {0.05, 0.95, 0.05, 0.95}};
        for (int w = 0; w < 2; w++) {
            vg_same got[VG_SIMD_COUNT];
            for (int version = 0; version < VG_SIMD_COUNT; version++) {
                vg_simd_limit((vg_simd)version);
                got[version] = vg_same_picture(first, windows[w], second, 0);
            }
            vg_simd_limit(VG_SIMD_AVX512);
            assert_int_equal(got[0].same, w == 1);
            for (int version = 1; version < VG_SIMD_COUNT; version++) {
                assert_int_equal(got[0].same, got[version].same);
                assert_true(got[0].agreeing >= got[version].agreeing &&
                            got[0].agreeing <= got[version].agreeing);
                assert_true(got[0].window.x0 >= got[version].window.x0 &&
                            got[0].window.x0 <= got[version].window.x0);
                assert_true(got[0].gain >= got[version].gain && got[0].gain <= got[version].gain);
            }
        }
    }
    vg_fingerprint_room_reset(&room);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_colours_are_averages),
        cmocka_unit_test(test_colours_tell_recoloured_scenes),
        cmocka_unit_test(test_every_version_fits_alike),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
