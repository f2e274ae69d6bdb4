/* Frames that are found to the pixel, and what only looks like one. */
#include "test.h"

#include "audit/border.h"
#include "base/rng.h"

static vg_image image;
static uint16_t border[VG_SIDES];

static void fill(int left, int top, int right, int bottom, int level)
{
    for (int y = top; y < bottom; y++)
        for (int x = left; x < right; x++)
            for (int c = 0; c < image.channels; c++)
                image.data[(y * image.width + x) * image.channels + c] = (uint8_t)level;
}

/* Noise everywhere. */
static void put_noise(int width, int height, int channels)
{
    vg_error err;
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_SAMPLE_DATA);
    assert_ok(vg_image_shape(&image, width, height, channels, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(80 + vg_rng_below(&rng, 100));
}

static void expect(int top, int right, int bottom, int left)
{
    vg_border_find(&image, border);
    assert_int_equal(border[VG_SIDE_TOP], top);
    assert_int_equal(border[VG_SIDE_RIGHT], right);
    assert_int_equal(border[VG_SIDE_BOTTOM], bottom);
    assert_int_equal(border[VG_SIDE_LEFT], left);
}

/* `level` around the noise, with so many pixels a side. */
static void put_frame(int top, int right, int bottom, int left, int level)
{
    fill(0, 0, image.width, top, level);
    fill(0, image.height - bottom, image.width, image.height, level);
    fill(0, 0, left, image.height, level);
    fill(image.width - right, 0, image.width, image.height, level);
}

static void frames_are_measured_to_the_pixel(void **state)
{
    (void)state;
    static const int frames[][4] = {{5, 5, 5, 5}, {1, 1, 1, 1}, {8, 0, 9, 0},
                                    {0, 3, 0, 7}, {2, 9, 1, 4}, {0, 0, 0, 0}};
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++)
        for (int channels = 1; channels <= 3; channels += 2)
            for (int level = 0; level <= 255; level += 255) {
                const int *f = frames[i];
                put_noise(60, 40, channels);
                put_frame(f[0], f[1], f[2], f[3], level);
                expect(f[0], f[1], f[2], f[3]);
            }
}

/* The ringing of JPEG is let be, a gradient is not. */
static void a_border_is_of_one_colour_within_limits(void **state)
{
    (void)state;
    put_noise(60, 40, 3);
    put_frame(6, 0, 6, 0, 0);
    for (int x = 0; x < 60; x++) {
        fill(x, 0, x + 1, 6, x % 3 * 4);
        fill(x, 34, x + 1, 40, x % 2 * 9);
    }
    expect(6, 0, 6, 0);
    for (int x = 0; x < 60; x++)
        fill(x, 0, x + 1, 6, x);
    expect(0, 0, 0, 0);
}

static void an_object_on_a_ground_has_no_border(void **state)
{
    (void)state;
    put_noise(60, 60, 3);
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 60; x++)
            if ((x - 30) * (x - 30) + (y - 30) * (y - 30) > 24 * 24)
                fill(x, y, x + 1, y + 1, 255);
    expect(0, 0, 0, 0);
}

static void one_side_alone_is_no_frame(void **state)
{
    (void)state;
    put_noise(60, 40, 3);
    put_frame(9, 0, 0, 0, 255);
    expect(0, 0, 0, 0);
    put_frame(9, 0, 9, 0, 255);
    fill(0, 31, 60, 40, 0); /* two sides of two colours */
    expect(0, 0, 0, 0);
}

static void odd_shapes_have_none(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {2, 2}, {1, 50}, {50, 1}, {3, 3}, {2, 90}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        put_noise(sizes[i][0], sizes[i][1], 3);
        fill(0, 0, image.width, image.height, 20); /* one colour: where would it end */
        expect(0, 0, 0, 0);
    }
    put_noise(3, 3, 1);
    fill(0, 0, 3, 3, 0);
    fill(1, 1, 2, 2, 255);
    expect(1, 1, 1, 1);
}

static int clean_up(void **state)
{
    (void)state;
    vg_image_reset(&image);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(frames_are_measured_to_the_pixel),
        cmocka_unit_test(a_border_is_of_one_colour_within_limits),
        cmocka_unit_test(an_object_on_a_ground_has_no_border),
        cmocka_unit_test(one_side_alone_is_no_frame),
        cmocka_unit_test(odd_shapes_have_none),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
