/* The convolution of the model against its plain twin, over odd shapes; pooling and blas besides. */
#include "test.h"

#include "nn_util.h"

#include "nn/kernels/blas.h"
#include "nn/kernels/kernels.h"

#include <math.h>

static void compare(const char *what, const float *a, const float *b, size_t n)
{
    double largest = 1e-6, worst = 0;
    for (size_t i = 0; i < n; i++) {
        largest = fmax(largest, fabs((double)b[i]));
        worst = fmax(worst, fabs((double)a[i] - (double)b[i]));
    }
    if (!(worst <= 3e-5 * largest))
        fail_msg("%s differs by %g of %g", what, worst, largest);
}

typedef struct shape {
    int n, c, h, w, outputs, kernel, stride, padding;
} shape;

static void check(shape s)
{
    char words[64];
    snprintf(words, sizeof words, "conv %d k%d s%d p%d", s.outputs, s.kernel, s.stride, s.padding);
    vg_model *m = model_of(SPEC(words), s.c, s.h, s.w, 2, s.n);
    int count;
    vg_param *p = vg_model_params(m, &count);
    for (size_t i = 0; i < p[1].count; i++)
        p[1].value[i] = 0.1f * (float)i;
    const vg_layer_info *info = vg_model_layer(m, 0);
    vg_window g = {s.c, s.h, s.w, s.kernel, s.stride, s.padding, info->height, info->width, 1};
    size_t in = (size_t)s.c * (size_t)s.h * (size_t)s.w;
    size_t out = (size_t)s.outputs * (size_t)g.p * (size_t)g.q;
    size_t n = (size_t)s.n;
    float *x = random_floats(n * in, 1), *dz = random_floats(n * 2, 2), *dx = malloc(n * in * 4);
    float *y = malloc(n * out * 4), *dy = random_floats(n * out, 3), *rx = malloc(n * in * 4);
    float *rw = random_floats(p[0].count, 4), *rb = random_floats(p[1].count, 5);
    memset(rw, 0, p[0].count * sizeof *rw);
    memset(rb, 0, p[1].count * sizeof *rb);
    vg_model_forward(m, x, s.n, true, 0);
    for (size_t i = 0; i < n; i++)
        vg_conv_forward_ref(&g, s.outputs, x + i * in, p[0].value, p[1].value, y + i * out);
    compare("y", vg_model_activation(m, 0), y, n * out);
    vg_model_backward(m, dz, dx);
    for (size_t i = 0; i < n; i++) { /* the head's input gradient, plainly */
        for (size_t k = 0; k < out; k++)
            dy[i * out + k] = dz[2 * i] * p[2].value[k] + dz[2 * i + 1] * p[2].value[out + k];
        vg_conv_backward_ref(&g, s.outputs, x + i * in, p[0].value, dy + i * out, rx + i * in, rw,
                             rb);
    }
    compare("dx", dx, rx, n * in);
    compare("dw", p[0].grad, rw, p[0].count);
    compare("db", p[1].grad, rb, p[1].count);
    free(x), free(dz), free(dx), free(y), free(dy), free(rx), free(rw), free(rb);
    vg_model_free(m);
}

static void test_convolutions(void **state)
{
    (void)state;
    const shape shapes[] = {
        {1, 1, 1, 1, 1, 1, 1, 0},   {3, 1, 5, 5, 2, 5, 1, 0},     {9, 3, 8, 8, 5, 3, 1, 1},
        {8, 2, 7, 5, 3, 3, 2, 1},   {17, 4, 6, 9, 7, 3, 1, 2},    {64, 3, 4, 4, 6, 3, 1, 1},
        {5, 2, 11, 3, 4, 3, 3, 0},  {2, 3, 40, 37, 4, 5, 2, 2},   {4, 3, 64, 61, 2, 3, 1, 0},
        {2, 1, 70, 70, 3, 7, 1, 3}, {3, 40, 30, 31, 9, 5, 1, 2},  {10, 6, 3, 3, 5, 3, 1, 2},
        {2, 2, 9, 9, 2, 2, 2, 0},   {2, 2, 9, 9, 2, 4, 3, 3},     {1, 2, 100, 5, 2, 1, 4, 0},
        {40, 5, 2, 2, 12, 2, 1, 1}, {3, 130, 20, 20, 3, 5, 1, 2}, {2, 1, 90, 90, 1, 3, 1, 1}};
    for (size_t i = 0; i < sizeof shapes / sizeof *shapes; i++)
        check(shapes[i]);
}

/* Windows, strides and remainders; ties go to the first place, NaN wins. */
static void test_maxpool(void **state)
{
    (void)state;
    const float x[] = {1, 1, 5,  2,  9, 0, 1, 5, 2, 9, -1, -2, NAN,
                       3, 9, -3, -4, 4, 8, 9, 7, 7, 7, 7,  7};
    float y[4], dx[25];
    uint16_t chosen[4];
    vg_window g = {1, 5, 5, 2, 2, 0, 2, 2, 1};
    vg_maxpool_plane(&g, x, y, chosen);
    assert_true(y[0] == 1 && y[1] == 5 && y[2] == -1 && isnan(y[3]));
    assert_true(chosen[0] == 0 && chosen[1] == 0 && chosen[2] == 0 && chosen[3] == 0);
    const float dy[] = {1, 2, 3, 4};
    memset(dx, 0xff, sizeof dx);
    vg_maxpool_plane_backward(&g, chosen, dy, dx);
    const float want[25] = {[0] = 1, [2] = 2, [10] = 3, [12] = 4};
    assert_memory_equal(dx, want, sizeof want);
    float big[9];
    uint16_t places[9];
    g = (vg_window){1, 5, 5, 3, 1, 0, 3, 3, 1};
    vg_maxpool_plane(&g, x, big, places);
    assert_true(isnan(big[0]) && big[2] != big[2] && places[0] == 8 && places[2] == 6);
}

static void test_blas_names(void **state)
{
    (void)state;
    assert_true(vg_blas_core()[0]);
    const char *better = vg_blas_better_core();
    if (better)
        assert_string_not_equal(better, vg_blas_core());
    const float a[6] = {1, 2, 3, 4, 5, 6}, b[6] = {1, 0, 2, 1, 0, 3};
    float c[4] = {1, 1, 1, 1};
    vg_gemm(false, false, 2, 2, 3, a, 3, b, 2, 1, c, 2); /* by hand */
    const float want[4] = {6, 12, 15, 24};
    assert_memory_equal(c, want, sizeof want);
    vg_gemm(false, true, 2, 2, 3, a, 3, b, 3, 0, c, 2);
    const float transposed[4] = {7, 10, 16, 22};
    assert_memory_equal(c, transposed, sizeof transposed);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_convolutions),
        cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_blas_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
