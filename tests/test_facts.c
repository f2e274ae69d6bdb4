/* What the pixels of a picture tell: values worked out by hand, every odd shape, every machine the same. */
#include "test.h"

#include "audit/facts.h"
#include "base/rng.h"
#include "base/simd.h"

#include <math.h>

static vg_image image;

static void shape(int width, int height, int channels)
{
    vg_error err;
    assert_ok(vg_image_shape(&image, width, height, channels, &err));
}

static uint8_t *at(int x, int y)
{
    return image.data + ((size_t)y * (size_t)image.width + (size_t)x) * (size_t)image.channels;
}

static void put(int x, int y, int r, int g, int b)
{
    at(x, y)[0] = (uint8_t)r;
    if (image.channels == 3) {
        at(x, y)[1] = (uint8_t)g;
        at(x, y)[2] = (uint8_t)b;
    }
}

static vg_facts measure(void)
{
    vg_facts facts = {0};
    vg_facts_measure(&image, &facts);
    assert_int_equal(facts.width, image.width);
    assert_int_equal(facts.height, image.height);
    assert_in_range(facts.brightness * 255, 0, 255);
    assert_in_range(facts.contrast * 255, 0, 128);
    assert_in_range(facts.entropy, 0, 8 * VG_ENTROPY_STEPS);
    assert_true(facts.p1 <= facts.p5 && facts.p5 <= facts.p95 && facts.p95 <= facts.p99);
    return facts;
}

static double edge(void)
{
    return (double)measure().edge / VG_EDGE_STEPS;
}

/* A picture of soft vertical edges: the integral of a bell of this deviation, every 40 columns up or down. */
static void put_edges(double deviation, double height)
{
    shape(160, 40, 3);
    for (int x = 0; x < image.width; x++) {
        double v = 0;
        for (int k = 0; k < 4; k++)
            v += (k % 2 ? -1 : 1) * 0.5 * (1 + erf((x - 20 - 40 * k) / (deviation * sqrt(2))));
        int level = (int)lround(100 + height * v);
        for (int y = 0; y < image.height; y++)
            put(x, y, level, level, level);
    }
}

static void an_edge_is_as_wide_as_it_was_blurred(void **state)
{
    (void)state;
    shape(40, 40, 1);
    for (int y = 0; y < 40; y++)
        for (int x = 0; x < 40; x++)
            put(x, y, x < 20 ? 50 : 200, 0, 0);
    assert_near(edge(), 1, 0.01);
    put_edges(1, 120);
    assert_near(edge(), 2, 0.25);
    put_edges(2, 120);
    assert_near(edge(), 4, 0.25);
    double strong = edge();
    put_edges(2, 60); /* contrast is no sharpness */
    assert_near(edge(), strong, 0.6);
}

/* Blurred along one direction alone counts as blurred. */
static void the_wider_direction_counts(void **state)
{
    (void)state;
    put_edges(2, 120);
    for (int y = 0; y < image.height; y += 2)
        for (int x = 0; x < image.width; x++)
            put(x, y, at(x, y)[0] - 40, at(x, y)[0] - 40, at(x, y)[0] - 40);
    assert_true(edge() > 3.5);
}

static void without_edges_there_is_no_width(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1}, {1, 9}, {9, 1}, {2, 2}, {1, 700}, {700, 1}, {3, 3}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            shape(sizes[i][0], sizes[i][1], channels);
            memset(image.data, 77, vg_image_bytes(&image));
            vg_facts facts = measure();
            assert_int_equal(facts.edge, 0);
            assert_int_equal(facts.entropy, 0);
            assert_int_equal(facts.coloured, 0);
            assert_true(facts.flags & VG_FACT_FLAT);
            assert_true(facts.flags & VG_FACT_GREY);
            assert_int_equal(facts.p1, 77);
            assert_int_equal(facts.p99, 77);
            assert_near(facts.brightness, 77 / 255.0, 1e-6);
            for (int side = 0; side < VG_SIDES; side++)
                assert_int_equal(facts.border[side], 0);
        }
}

static void entropy_and_shares_are_those_of_the_values(void **state)
{
    (void)state;
    shape(64, 64, 1);
    for (int i = 0; i < 64 * 64; i++)
        image.data[i] = (uint8_t)i; /* each of 256 values as often */
    vg_facts facts = measure();
    assert_int_equal(facts.entropy, 8 * VG_ENTROPY_STEPS);
    assert_int_equal(facts.p1, 2);
    assert_int_equal(facts.p5, 12);
    assert_int_equal(facts.p95, 243);
    assert_int_equal(facts.p99, 253);
    for (int i = 0; i < 64 * 64; i++)
        image.data[i] = i % 4 ? 10 : 250; /* 3/4 and 1/4 */
    facts = measure();
    assert_near((double)facts.entropy / VG_ENTROPY_STEPS, 0.811278, 0.001);
    assert_int_equal(facts.p1, 10);
    assert_int_equal(facts.p95, 250);
}

static void pixels_with_colour_are_counted(void **state)
{
    (void)state;
    shape(20, 20, 3);
    for (int i = 0; i < 400; i++)
        put(i % 20, i / 20, 100, i < 100 ? 113 : 112, 104);
    vg_facts facts = measure();
    assert_near((double)facts.coloured / VG_WHOLE, 0.25, 1e-4);
    assert_false(facts.flags & VG_FACT_GREY);
    shape(20, 20, 3);
    memset(image.data, 9, vg_image_bytes(&image));
    at(19, 19)[2] = 10; /* the last pixel alone */
    facts = measure();
    assert_int_equal(facts.coloured, 0);
    assert_false(facts.flags & VG_FACT_GREY);
}

/* Of a large picture a part is measured, and that is spread over all of it. */
static void a_part_stands_for_a_large_picture(void **state)
{
    (void)state;
    shape(900, 700, 3);
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int y = 0; y < 700; y++)
        for (int x = 0; x < 900; x++) {
            int v = y * 200 / 700 + (int)vg_rng_below(&rng, 50);
            put(x, y, v, v, v + (x < 450) * 20);
        }
    vg_facts facts = measure();
    assert_near(facts.brightness * 255, 99.8 + 24.5 + 10 * 0.114, 1.5);
    assert_near((double)facts.coloured / VG_WHOLE, 0.5, 0.02);
    assert_near(facts.p1, 14, 4);
    assert_near(facts.p99, 237, 5);
    assert_in_range(facts.edge, VG_EDGE_STEPS / 2, VG_EDGE_STEPS); /* noise: sharper than an edge */
}

static void every_machine_measures_the_same(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},  {2, 3},   {15, 17},   {31, 9},   {33, 65},
                                   {64, 8}, {511, 7}, {513, 100}, {1025, 9}, {700, 300}};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            shape(sizes[i][0], sizes[i][1], channels);
            vg_rng rng = vg_rng_make(i, 0, 0, VG_RNG_SAMPLE_DATA);
            for (size_t k = 0; k < vg_image_bytes(&image); k++)
                image.data[k] = (uint8_t)vg_rng_u32(&rng);
            vg_facts plain = {0}, fast = {0};
            vg_simd_limit(VG_SIMD_PLAIN);
            vg_facts_measure(&image, &plain);
            for (int simd = VG_SIMD_AVX2; simd < VG_SIMD_COUNT; simd++) {
                vg_simd_limit((vg_simd)simd);
                vg_facts_measure(&image, &fast);
                assert_memory_equal(&plain, &fast, sizeof plain);
            }
            vg_simd_limit(VG_SIMD_AVX512);
        }
}

/* The largest sums that a tile can have stay within their bits. */
static void black_and_white_do_not_overflow(void **state)
{
    (void)state;
    shape(512, 8, 3);
    for (int y = 0; y < 8; y++)
        for (int x = 0; x < 512; x++) {
            int v = (x + y) % 2 ? 255 : 0;
            put(x, y, v, v, v);
        }
    vg_facts facts = measure();
    assert_near(facts.brightness, 0.5, 1e-6);
    assert_near(facts.contrast, 0.5, 1e-6);
    /* first differences 255, second 510: sqrt(2 / 4) */
    assert_near((double)facts.edge / VG_EDGE_STEPS, sqrt(0.5), 0.01);
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
        cmocka_unit_test(an_edge_is_as_wide_as_it_was_blurred),
        cmocka_unit_test(the_wider_direction_counts),
        cmocka_unit_test(without_edges_there_is_no_width),
        cmocka_unit_test(entropy_and_shares_are_those_of_the_values),
        cmocka_unit_test(pixels_with_colour_are_counted),
        cmocka_unit_test(a_part_stands_for_a_large_picture),
        cmocka_unit_test(every_machine_measures_the_same),
        cmocka_unit_test(black_and_white_do_not_overflow),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
