/* Tests of image/resize_row.h: the fast versions against the plain ones, byte for byte. */
#include "test.h"

#include "base/rng.h"
#include "image/resize_row.h"

enum { MOST_WIDTH = 60, MOST_OUTPUTS = 40, MOST_TAPS = 17 };

static void test_fast_rows_equal_plain_rows(void **state)
{
    (void)state;
    if (!vg_resize_row_is_fast())
        skip();
    static int32_t first[MOST_OUTPUTS], count[MOST_OUTPUTS], value[MOST_OUTPUTS * MOST_TAPS];
    static int16_t blocks[MOST_OUTPUTS * (MOST_TAPS + 3) / 4 * VG_ROW_BLOCK * 2];
    vg_rng rng = vg_rng_make(4, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int round = 0; round < 3000; round++) {
        int width = 1 + (int)vg_rng_below(&rng, MOST_WIDTH), taps = 1;
        vg_weights w = {.outputs = 1 + (int)vg_rng_below(&rng, MOST_OUTPUTS),
                        .most = 1 + (int)vg_rng_below(&rng, MOST_TAPS),
                        .first = first,
                        .count = count,
                        .value = value};
        taps = w.most < width ? w.most : width;
        for (int i = 0; i < w.outputs; i++) {
            count[i] = 1 + (int32_t)vg_rng_below(&rng, (uint64_t)taps);
            first[i] = (int32_t)vg_rng_below(&rng, (uint64_t)width + 1 - (uint64_t)count[i]);
            for (int k = 0; k < count[i]; k++) /* also below zero, as the cubic filter's are */
                value[i * w.most + k] =
                    (int32_t)(vg_rng_uniform(&rng, -0.2, 1.2) * (1 << VG_FRACTION_BITS) / count[i]);
        }
        size_t bytes = 3 * (size_t)w.outputs, row = 3 * (size_t)width;
        /* exactly as long as the row, so that a sanitizer sees reads behind it */
        uint8_t *in = malloc(3 * (size_t)width), *fast = malloc(bytes), *plain = malloc(bytes);
        assert_true(in && fast && plain);
        for (int i = 0; i < 3 * width; i++)
            in[i] = (uint8_t)vg_rng_u32(&rng);
        vg_row_blocks_fill(&w, blocks);
        vg_resize_row_rgb_fast(in, width, &w, blocks, fast);
        vg_resize_row_rgb(in, &w, plain);
        assert_memory_equal(fast, plain, bytes);
        if (vg_resize_rows4_is_fast()) {
            uint8_t *rows = malloc(4 * row), *four = malloc(4 * bytes);
            assert_true(rows && four);
            for (size_t i = 0; i < 4 * row; i++)
                rows[i] = (uint8_t)vg_rng_u32(&rng);
            vg_resize_rows4_rgb(rows, row, width, &w, blocks, four, bytes);
            for (size_t r = 0; r < 4; r++) {
                vg_resize_row_rgb(rows + r * row, &w, plain);
                assert_memory_equal(four + r * bytes, plain, bytes);
            }
            free(rows);
            free(four);
        }
        free(in);
        free(fast);
        free(plain);
    }
}

static void test_fast_grey_rows_equal_plain_rows(void **state)
{
    (void)state;
    if (!vg_resize_row_is_fast())
        skip();
    vg_rng rng = vg_rng_make(4, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int round = 0; round < 300; round++) {
        enum { MOST = 31, OUTPUTS = 41 };
        int width = 1 + (int)vg_rng_below(&rng, 70);
        int32_t first[OUTPUTS], count[OUTPUTS], value[OUTPUTS * MOST];
        vg_weights w = {.outputs = 1 + (int)vg_rng_below(&rng, OUTPUTS),
                        .most = 1 + (int)vg_rng_below(&rng, MOST),
                        .first = first,
                        .count = count,
                        .value = value};
        for (int i = 0; i < w.outputs; i++) {
            int most = w.most < width ? w.most : width;
            w.count[i] = 1 + (int)vg_rng_below(&rng, (uint64_t)most);
            w.first[i] = (int)vg_rng_below(&rng, (uint64_t)width - (uint64_t)w.count[i] + 1);
            for (int k = 0; k < w.most; k++) /* behind the last one lies what was there before */
                w.value[i * w.most + k] = (int32_t)vg_rng_below(&rng, 1 << 18) - (1 << 15);
        }
        int16_t *blocks =
            malloc(sizeof *blocks * VG_GREY_BLOCK * (size_t)vg_grey_blocks(&w) * (size_t)w.outputs);
        uint8_t *in = malloc((size_t)width), plain[OUTPUTS], *fast = malloc((size_t)w.outputs);
        assert_true(blocks && in && fast);
        for (int i = 0; i < width; i++)
            in[i] = (uint8_t)vg_rng_u32(&rng);
        vg_grey_blocks_fill(&w, blocks);
        vg_resize_row_grey(in, &w, plain);
        vg_resize_row_grey_fast(in, width, &w, blocks, fast);
        assert_memory_equal(fast, plain, (size_t)w.outputs);
        free(blocks);
        free(in);
        free(fast);
    }
}

static void test_fast_columns_equal_plain_columns(void **state)
{
    (void)state;
    if (!vg_resize_row_is_fast())
        skip();
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int round = 0; round < 500; round++) {
        size_t stride = 1 + vg_rng_below(&rng, 300);
        int count = 1 + (int)vg_rng_below(&rng, MOST_TAPS);
        int32_t value[MOST_TAPS], sum[300];
        for (int k = 0; k < count; k++)
            value[k] = (int32_t)(vg_rng_uniform(&rng, -0.2, 1.2) * (1 << VG_FRACTION_BITS) / count);
        uint8_t *in = malloc(stride * (size_t)count), fast[300], plain[300];
        assert_non_null(in);
        for (size_t i = 0; i < stride * (size_t)count; i++)
            in[i] = (uint8_t)vg_rng_u32(&rng);
        vg_resize_down(in, stride, stride, value, count, sum, plain);
        for (int simd = VG_SIMD_AVX2; simd <= (int)vg_simd_best(); simd++) {
            memset(fast, 0, stride);
            vg_resize_down_fast((vg_simd)simd, in, stride, stride, value, count, sum, fast);
            assert_memory_equal(fast, plain, stride);
        }
        free(in);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_fast_rows_equal_plain_rows),
        cmocka_unit_test(test_fast_grey_rows_equal_plain_rows),
        cmocka_unit_test(test_fast_columns_equal_plain_columns),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
