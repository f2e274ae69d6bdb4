/* Convolutions of few outputs: when they go by vectors of pixels, and that forward this changes no bit. (Errors
 * against the naive twin, and equal bits of the instruction sets: test_conv_direct.c.) */
#include "test.h"

#include "nn_util.h"

#include "nn/kernels/conv_geometry.h"
#include "nn/kernels/conv_thin.h"

static vg_conv conv(int c, int side, int k, int kernel)
{
    return (vg_conv){.c = c,
                     .h = side,
                     .w = side,
                     .k = k,
                     .p = side,
                     .q = side,
                     .kernel = kernel,
                     .stride = 1,
                     .padding = kernel / 2,
                     .dilation = 1,
                     .x_pixel = (size_t)c,
                     .y_pixel = (size_t)k};
}

static void test_choice(void **state)
{
    (void)state;
    vg_conv c = conv(1, 28, 6, 5);
    assert_true(vg_conv_is_thin(&c));
    c = conv(3, 32, 8, 3);
    assert_true(vg_conv_is_thin(&c));
    c = conv(3, 32, 16, 3); /* full vectors of outputs */
    assert_false(vg_conv_is_thin(&c));
    c = conv(8, 32, 8, 3); /* many channels to turn over */
    assert_false(vg_conv_is_thin(&c));
    c = conv(1, 8, 6, 5); /* half a vector of pixels */
    assert_false(vg_conv_is_thin(&c));
    c = conv(1, 28, 6, 5), c.stride = 2;
    assert_false(vg_conv_is_thin(&c));
    c = conv(1, 28, 6, 5), c.y_pixel = 12; /* others write between its pixels */
    assert_false(vg_conv_is_thin(&c));
}

/* Added to zeros a convolution goes by the other kernels. */
static void test_same_bits(void **state)
{
    (void)state;
    enum { IMAGES = 3 };
    for (int k = 1; k <= VG_THIN_OUTPUTS; k++)
        for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
            const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
            vg_conv c = conv(1 + k % 4, 30 + k, k, 2 + k % 5);
            c.p = c.h + 2 * c.padding - c.kernel + 1;
            c.q = c.w + 2 * c.padding - c.kernel + 1;
            assert_true(vg_conv_is_thin(&c));
            size_t in = (size_t)IMAGES * (size_t)c.h * (size_t)c.w * (size_t)c.c;
            size_t out = (size_t)IMAGES * (size_t)c.p * (size_t)c.q * (size_t)k;
            float *x = random_floats(in, 1), *bias = random_floats((size_t)k, 3);
            float *w =
                random_floats((size_t)k * (size_t)c.c * (size_t)c.kernel * (size_t)c.kernel, 2);
            float *thin = malloc(out * sizeof *thin), *other = calloc(out, sizeof *other);
            float *packed = malloc(vg_conv_packed_forward(&c) * sizeof *packed);
            float *scratch = malloc(vg_conv_scratch(&c) * sizeof *scratch);
            vg_conv_pack_forward(&c, w, bias, 0, 1, packed);
            vg_rows rows = {.base = x, .pixel = c.x_pixel};
            vg_sink sink = {.base = thin, .relu = true};
            vg_conv_forward(set, &c, &rows, IMAGES, packed, &sink, scratch);
            sink = (vg_sink){.base = other, .add = true, .relu = true};
            vg_conv_forward(set, &c, &rows, IMAGES, packed, &sink, scratch);
            assert_memory_equal(thin, other, out * sizeof *thin);
            free(x), free(w), free(bias), free(thin), free(other), free(packed), free(scratch);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_choice),
                                       cmocka_unit_test(test_same_bits)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
