/* Tests of audit/fingerprint.c. */
#include "copies_fixture.h"

#include "audit/fingerprint.h"
#include "base/simd.h"

/* The mean of the pixels under each cell, with their parts, in double. */
static void averages(const vg_image *image, int size, double *out)
{
    for (int i = 0; i < size * size; i++) {
        int row = i / size;
        double y0 = (double)image->height * row / size, h = (double)image->height / size;
        double x0 = (double)image->width * (i % size) / size, w = (double)image->width / size;
        double sum = 0;
        for (int y = (int)y0; y < image->height && y < y0 + h; y++)
            for (int x = (int)x0; x < image->width && x < x0 + w; x++) {
                double part =
                    (fmin(y + 1, y0 + h) - fmax(y, y0)) * (fmin(x + 1, x0 + w) - fmax(x, x0));
                const uint8_t *p =
                    image->data + (size_t)(y * image->width + x) * (size_t)image->channels;
                double luma =
                    image->channels == 1 ? p[0] : 0.299 * p[0] + 0.587 * p[1] + 0.114 * p[2];
                sum += part * luma;
            }
        out[i] = sum / (w * h);
    }
}

static void test_small_picture_is_the_area_average(void **state)
{
    (void)state;
    static const int shapes[][3] = {{1, 1, 1},   {1, 1, 3},     {7, 3, 3},     {32, 32, 1},
                                    {33, 31, 3}, {64, 96, 3},   {301, 200, 3}, {1, 500, 1},
                                    {500, 1, 3}, {640, 480, 1}, {20, 1000, 3}};
    vg_fingerprint_room room = {0};
    vg_image image = {0};
    vg_error err = {0};
    double expected[VG_THUMB * VG_THUMB];
    uint8_t got[VG_THUMB * VG_THUMB];
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        scene_make(&image, shapes[i][0], shapes[i][1], shapes[i][2], (unsigned)i);
        averages(&image, VG_THUMB, expected);
        assert_ok(vg_grey_square(&image, VG_THUMB, &room, got, &err));
        for (int k = 0; k < VG_THUMB * VG_THUMB; k++)
            if (fabs(got[k] - expected[k]) > 1.5) /* rounding of luma, of the ends, of the mean */
                fail_msg("%dx%dx%d: cell %d is %d, expected %.2f", shapes[i][0], shapes[i][1],
                         shapes[i][2], k, got[k], expected[k]);
    }
    vg_image_reset(&image);
    vg_fingerprint_room_reset(&room);
}

static void test_every_version_gives_the_same_bytes(void **state)
{
    (void)state;
    static const int shapes[][3] = {{1, 1, 3}, {33, 31, 3}, {97, 64, 1}, {301, 200, 3}};
    vg_fingerprint_room room = {0};
    vg_image image = {0};
    vg_error err = {0};
    uint8_t first[VG_MIDDLE * VG_MIDDLE], other[VG_MIDDLE * VG_MIDDLE];
    for (size_t i = 0; i < sizeof shapes / sizeof shapes[0]; i++) {
        scene_make(&image, shapes[i][0], shapes[i][1], shapes[i][2], (unsigned)i);
        vg_simd_limit(VG_SIMD_PLAIN);
        assert_ok(vg_grey_square(&image, VG_MIDDLE, &room, first, &err));
        for (int version = VG_SIMD_AVX2; version < VG_SIMD_COUNT; version++) {
            vg_simd_limit((vg_simd)version);
            assert_ok(vg_grey_square(&image, VG_MIDDLE, &room, other, &err));
            assert_memory_equal(first, other, sizeof first);
        }
        vg_simd_limit(VG_SIMD_AVX512);
    }
    vg_image_reset(&image);
    vg_fingerprint_room_reset(&room);
}

static void test_hash_is_of_pixels_and_shape(void **state)
{
    (void)state;
    vg_fingerprint_room room = {0};
    vg_image image = {0};
    vg_error err = {0};
    vg_fingerprint a = {0}, b = {0};
    scene_make(&image, 40, 20, 1, 1);
    assert_ok(vg_fingerprint_make(&image, &room, &a, &err));
    assert_ok(vg_fingerprint_make(&image, &room, &b, &err));
    assert_int_equal(a.ready, 1);
    assert_memory_equal(a.pixels, b.pixels, sizeof a.pixels);
    image.width = 20; /* the same bytes in another shape */
    image.height = 40;
    assert_ok(vg_fingerprint_make(&image, &room, &b, &err));
    assert_memory_not_equal(a.pixels, b.pixels, sizeof a.pixels);
    image.width = 40;
    image.height = 20;
    image.data[799] ^= 1; /* the last pixel by the least bit */
    assert_ok(vg_fingerprint_make(&image, &room, &b, &err));
    assert_memory_not_equal(a.pixels, b.pixels, sizeof a.pixels);
    vg_image_reset(&image);
    vg_fingerprint_room_reset(&room);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_small_picture_is_the_area_average),
        cmocka_unit_test(test_every_version_gives_the_same_bytes),
        cmocka_unit_test(test_hash_is_of_pixels_and_shape),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
