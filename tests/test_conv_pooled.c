/* The largest of 2 x 2 pixels straight from the convolution's registers: the same bits as a pool makes of its rows, for
 * every instruction set, with even and odd sides and with NaN. */
#include "test.h"

#include "nn_util.h"

#include "nn/kernels/conv_geometry.h"
#include "nn/kernels/conv_thin.h"
#include "nn/kernels/kernels.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { IMAGES = 3 };

/* Rows of outputs, or of what is largest among 2 x 2 of them. */
typedef struct pooled {
    const vg_conv *conv;
    float *rows, *largest;
    int times; /* that a row of the largest was asked for */
} pooled;

static void take(void *context, int image, int row, int rows, const float *y)
{
    const pooled *to = context;
    size_t line = (size_t)to->conv->q * (size_t)to->conv->k;
    memcpy(to->rows + ((size_t)image * (size_t)to->conv->p + (size_t)row) * line, y,
           (size_t)rows * line * sizeof *y);
}

static float *largest(void *context, int image, int row)
{
    pooled *to = context;
    size_t line = (size_t)(to->conv->q / 2) * (size_t)to->conv->k;
    to->times++;
    return to->largest + ((size_t)image * (size_t)(to->conv->p / 2) + (size_t)(row / 2)) * line;
}

/* Whether it went this way at all. */
static bool check(const vg_tile_set *set, int c, int h, int w, int k, int kernel, int padding,
                  bool relu)
{
    vg_conv conv = {.c = c,
                    .h = h,
                    .w = w,
                    .k = k,
                    .p = h + 2 * padding - kernel + 1,
                    .q = w + 2 * padding - kernel + 1,
                    .kernel = kernel,
                    .stride = 1,
                    .padding = padding,
                    .dilation = 1,
                    .x_pixel = (size_t)c,
                    .y_pixel = (size_t)k};
    vg_window window = {.c = k,
                        .h = conv.p,
                        .w = conv.q,
                        .kernel = 2,
                        .stride = 2,
                        .p = conv.p / 2,
                        .q = conv.q / 2};
    size_t in = (size_t)IMAGES * (size_t)h * (size_t)w * (size_t)c;
    size_t out = (size_t)conv.p * (size_t)conv.q * (size_t)k;
    size_t small = (size_t)window.p * (size_t)window.q * (size_t)k;
    float *x = random_floats(in, 1), *bias = random_floats((size_t)k, 3);
    float *weight = random_floats((size_t)k * (size_t)c * (size_t)(kernel * kernel), 2);
    float *rows = malloc(IMAGES * out * sizeof *rows);
    float *want = malloc(IMAGES * small * sizeof *want);
    float *found = random_floats(IMAGES * small, 4);
    float *packed = malloc(vg_conv_packed_forward(&conv) * sizeof *packed);
    float *scratch = malloc(vg_conv_scratch_sink(&conv, 2) * sizeof *scratch);
    x[in / 3] = x[in / 2 + 5] = NAN;
    vg_conv_pack_forward(&conv, weight, bias, 0, 1, packed);
    vg_rows source = {.base = x, .pixel = conv.x_pixel};
    pooled to = {&conv, rows, found, 0};
    vg_sink sink = {.take = take, .context = &to, .multiple = 2};
    vg_conv_forward(set, &conv, &source, IMAGES, packed, &sink, scratch);
    for (size_t n = 0; n < IMAGES; n++)
        vg_maxpool(&window, rows + n * out, want + n * small, NULL, relu);
    sink.largest = largest;
    sink.rectified = relu;
    vg_conv_forward(set, &conv, &source, IMAGES, packed, &sink, scratch);
    if (to.times) {
        assert_int_equal(to.times, IMAGES * window.p);
        assert_memory_equal(found, want, IMAGES * small * sizeof *want);
    }
    free(x), free(weight), free(bias), free(rows), free(want), free(found), free(packed),
        free(scratch);
    return to.times > 0;
}

static void test_few_outputs(void **state)
{
    (void)state;
    static const int sides[] = {29, 30, 32, 47, 64};
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++)
        for (int k = 1; k <= VG_THIN_OUTPUTS; k++)
            for (size_t i = 0; i < sizeof sides / sizeof *sides; i++)
                assert_true(check(vg_tile_set_for((vg_simd)simd), 1 + k % 4, sides[i], sides[i], k,
                                  3 + k % 2 * 2, 1 + k % 2, sides[i] % 2));
}

/* One vector of outputs in pairs of rows; more go by rows, as ever. */
static void test_pairs_of_rows(void **state)
{
    (void)state;
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
        const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
        bool pairs = set->pair[0];
        assert_true(check(set, 6, 14, 14, 16, 5, 0, true) == pairs);
        for (int w = 2; w <= 33; w++)
            assert_true(check(set, 5 + w, 9 + w % 4, w, 9 + w % 8, 3, 1, w % 2) == pairs);
        assert_false(check(set, 6, 14, 14, 17, 5, 0, true));
        assert_false(check(set, 100, 14, 14, 16, 5, 0, true));
    }
}

/* As many images and rows as several bands hold. */
static void test_bands(void **state)
{
    (void)state;
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
        const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
        (void)check(set, 16, 151, 90, 16, 3, 1, true);
        (void)check(set, 3, 201, 160, 8, 3, 1, false);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_few_outputs),
                                       cmocka_unit_test(test_pairs_of_rows),
                                       cmocka_unit_test(test_bands)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
