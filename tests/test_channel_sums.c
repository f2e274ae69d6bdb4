/* The sums of channels against a plain loop, at sizes around the block's. */
#include "test.h"

#include "audit/channel_sums.h"
#include "audit/facts.h"
#include "base/rng.h"
#include "normalize.h"

static void fill(vg_image *image, int width, int height, int channels, int value)
{
    vg_error err;
    vg_rng rng = vg_rng_make(7, (uint32_t)height, (uint64_t)width, VG_RNG_SAMPLE_DATA);
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = value < 0 ? (uint8_t)vg_rng_u32(&rng) : (uint8_t)value;
}

static void check(const vg_image *image)
{
    vg_channel_sums sums = vg_channel_sums_of(image);
    vg_channel_stats stats = {0};
    vg_channel_stats_add(&stats, image);
    for (int c = 0; c < 3; c++) {
        int from = image->channels == 1 ? 0 : c;
        assert_int_equal(sums.sum[c], stats.sum[from]);
        assert_int_equal(sums.squares[c], stats.sum_squares[from]);
    }
}

static void sums_are_exact_at_every_size(void **state)
{
    (void)state;
    static const int sizes[][2] = {{1, 1},   {1, 16},  {3, 5},    {16, 3},    {17, 1},
                                   {47, 49}, {64, 64}, {256, 48}, {257, 193}, {701, 333}};
    vg_image image = {0};
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++)
        for (int channels = 1; channels <= 3; channels += 2) {
            fill(&image, sizes[i][0], sizes[i][1], channels, -1);
            check(&image);
            fill(&image, sizes[i][0], sizes[i][1], channels, 255); /* the largest sums */
            check(&image);
        }
    vg_image_reset(&image);
}

static void facts_have_mean_and_deviation_of_each_channel(void **state)
{
    (void)state;
    vg_error err;
    vg_image image = {0};
    vg_facts facts = {0};
    assert_ok(vg_image_shape(&image, 20, 10, 3, &err));
    for (size_t i = 0; i < 200; i++) {
        image.data[3 * i] = i % 2 ? 110 : 90;
        image.data[3 * i + 1] = 7;
        image.data[3 * i + 2] = i < 50 ? 200 : 0;
    }
    vg_facts_measure(&image, &facts);
    assert_near(facts.mean[0], 100, 1e-5);
    assert_near(facts.std[0], 10, 1e-5);
    assert_near(facts.mean[1], 7, 1e-5);
    assert_near(facts.std[1], 0, 1e-5);
    assert_near(facts.mean[2], 50, 1e-5);
    assert_near(facts.std[2], 86.6025, 1e-3);
    vg_image_reset(&image);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sums_are_exact_at_every_size),
        cmocka_unit_test(facts_have_mean_and_deviation_of_each_channel),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
