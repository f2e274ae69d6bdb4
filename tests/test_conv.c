/* The convolution of the model against its plain twin, over odd shapes; pooling and blas besides. */
#include "test.h"

#include "nn_util.h"

#include "nn/kernels/blas.h"
#include "nn/kernels/conv.h"
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
    vg_conv g = {.c = s.c,
                 .h = s.h,
                 .w = s.w,
                 .k = s.outputs,
                 .p = info->height,
                 .q = info->width,
                 .kernel = s.kernel,
                 .stride = s.stride,
                 .padding = s.padding,
                 .dilation = 1,
                 .x_pixel = (size_t)s.c,
                 .y_pixel = (size_t)s.outputs};
    size_t in = (size_t)s.c * (size_t)s.h * (size_t)s.w;
    size_t out = (size_t)s.outputs * (size_t)g.p * (size_t)g.q;
    size_t n = (size_t)s.n;
    float *x = random_floats(n * in, 1), *dz = random_floats(n * 2, 2), *dx = malloc(n * in * 4);
    float *y = malloc(n * out * 4), *dy = random_floats(n * out, 3), *rx = malloc(n * in * 4);
    float *rw = random_floats(p[0].count, 4), *rb = random_floats(p[1].count, 5);
    memset(rw, 0, p[0].count * sizeof *rw);
    memset(rb, 0, p[1].count * sizeof *rb);
    size_t map = (size_t)g.h * (size_t)g.w, c = (size_t)s.c;
    float *hwc = turned(x, n, c, map);
    vg_model_forward(m, x, s.n, false, 0);
    vg_conv_forward_plain(&g, hwc, s.n, p[0].value, p[1].value, false, y);
    compare("y", vg_model_activation(m, 0), y, n * out);
    vg_model_forward(m, x, s.n, true, 0);
    assert_true(s.outputs == 1 || g.p * g.q == 1 || !vg_model_activation(m, 0));
    vg_model_backward(m, dz, dx);
    size_t pixels = (size_t)g.p * (size_t)g.q;
    for (size_t i = 0; i < n; i++) /* the head's input gradient, plainly; its weights are C H W */
        for (size_t k = 0; k < out; k++) {
            float d = dz[2 * i] * p[2].value[k] + dz[2 * i + 1] * p[2].value[out + k];
            dy[i * out + k % pixels * (out / pixels) + k / pixels] = d;
            rb[k / pixels] += d;
        }
    vg_conv_backward_plain(&g, hwc, dy, s.n, p[0].value, rx, rw);
    float *chw = turned(rx, n, map, c);
    compare("dx", dx, chw, n * in);
    compare("dw", p[0].grad, rw, p[0].count);
    compare("db", p[1].grad, rb, p[1].count);
    free(x), free(hwc), free(chw), free(dz), free(dx), free(y), free(dy), free(rx), free(rw),
        free(rb);
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

/* By its definition, with a place for each output. */
static void maxpool_ref(const vg_window *g, const float *x, float *y, int *place)
{
    for (int p = 0; p < g->p; p++)
        for (int q = 0; q < g->q; q++)
            for (int c = 0; c < g->c; c++, y++, place++) {
                *place = -1;
                for (int r = 0; r < g->kernel; r++)
                    for (int s = 0; s < g->kernel; s++) {
                        int iy = p * g->stride - g->padding + r;
                        int ix = q * g->stride - g->padding + s;
                        if (iy < 0 || ix < 0 || iy >= g->h || ix >= g->w)
                            continue;
                        float v = x[(iy * g->w + ix) * g->c + c];
                        if (*place < 0 || v > *y || isnan(v)) {
                            *y = v;
                            *place = r * g->kernel + s;
                        }
                    }
            }
}

static void check_maxpool(vg_window g)
{
    g.p = (g.h + 2 * g.padding - g.kernel) / g.stride + 1;
    g.q = (g.w + 2 * g.padding - g.kernel) / g.stride + 1;
    size_t c = (size_t)g.c, in = c * (size_t)g.h * (size_t)g.w;
    size_t out = c * (size_t)g.p * (size_t)g.q;
    float *x = random_floats(in, 1), *dy = random_floats(out, 2), *want = malloc(out * 4);
    float *y = malloc(out * 4), *dx = random_floats(in, 3), *rx = calloc(in, 4);
    int *place = malloc(out * sizeof *place);
    uint8_t *chosen = malloc(2 * out);
    for (size_t i = 0; i < in; i++) /* ties, and here and there what is not a number */
        x[i] = i % 97 == 5 ? NAN : roundf(2 * x[i]);
    maxpool_ref(&g, x, want, place);
    bool relu = g.kernel <= VG_POOL_NARROW && g.c % 2 == 0;
    for (size_t i = 0; i < out && relu; i++) /* every other one behind a ReLU */
        if (want[i] <= 0) {
            want[i] = 0;
            place[i] = -1;
        }
    vg_maxpool(&g, x, y, chosen, relu);
    assert_memory_equal(y, want, out * sizeof *y);
    vg_maxpool_backward(&g, chosen, dy, dx);
    float *y2 = random_floats(out, 4), *dx2 = random_floats(in, 5);
    uint8_t *chosen2 = malloc(2 * out);
    vg_maxpool_plain(&g, x, y2, chosen2, relu);
    assert_memory_equal(y, y2, out * sizeof *y);
    assert_memory_equal(chosen, chosen2, out * (g.kernel > VG_POOL_NARROW ? 2 : 1));
    vg_maxpool_backward_plain(&g, chosen2, dy, dx2);
    for (size_t i = 0; i < in; i++)
        assert_true(dx[i] == dx2[i]);
    memset(y2, 1, out * sizeof *y2); /* values alone */
    vg_maxpool(&g, x, y2, NULL, relu);
    assert_memory_equal(y, y2, out * sizeof *y);
    memset(y2, 1, out * sizeof *y2);
    vg_maxpool_plain(&g, x, y2, NULL, relu);
    assert_memory_equal(y, y2, out * sizeof *y);
    bool apart = g.stride == g.kernel && g.padding == 0;
    size_t row = (size_t)g.w * (size_t)g.c;
    for (int r = 0; apart && r < g.h; r++) {
        vg_maxpool_backward_row(&g, chosen, dy, r, dx2);
        for (size_t i = 0; i < row; i++)
            assert_true(dx2[i] == dx[(size_t)r * row + i]);
    }
    if (g.kernel <= VG_POOL_NARROW) {
        double *sum = calloc((size_t)g.c, sizeof *sum);
        vg_maxpool_sums(chosen, dy, out / (size_t)g.c, (size_t)g.c, sum);
        for (size_t i = 0; i < out; i++)
            sum[i % (size_t)g.c] -= place[i] < 0 ? 0 : (double)dy[i];
        for (int k = 0; k < g.c; k++)
            assert_near(sum[k], 0, 1e-5);
        free(sum);
    }
    free(y2), free(dx2), free(chosen2);
    for (size_t i = 0; i < out; i++) {
        if (place[i] < 0)
            continue;
        int pixel = (int)i / g.c, r = place[i] / g.kernel, s = place[i] % g.kernel;
        int iy = pixel / g.q * g.stride - g.padding + r,
            ix = pixel % g.q * g.stride - g.padding + s;
        rx[(iy * g.w + ix) * g.c + (int)i % g.c] += dy[i];
    }
    compare("dx of a maximum", dx, rx, in);
    free(x), free(dy), free(want), free(y), free(dx), free(rx), free(place), free(chosen);
}

/* Windows, strides, remainders and numbers of channels; ties go to the first place, NaN wins. */
static void test_maxpool(void **state)
{
    (void)state;
    const int channels[] = {1, 3, 6, 16, 20, 33, 64, 130};
    const vg_window windows[] = {{.h = 5, .w = 5, .kernel = 2, .stride = 2},
                                 {.h = 6, .w = 8, .kernel = 2, .stride = 2},
                                 {.h = 7, .w = 6, .kernel = 2, .stride = 1, .padding = 1},
                                 {.h = 9, .w = 8, .kernel = 3, .stride = 2, .padding = 1},
                                 {.h = 5, .w = 5, .kernel = 3, .stride = 1},
                                 {.h = 9, .w = 7, .kernel = 3, .stride = 3},
                                 {.h = 20, .w = 19, .kernel = 18, .stride = 1, .padding = 4}};
    for (size_t i = 0; i < sizeof windows / sizeof *windows; i++)
        for (size_t k = 0; k < sizeof channels / sizeof *channels; k++) {
            vg_window g = windows[i];
            g.c = channels[k];
            check_maxpool(g);
        }
}

/* The loops that lay several pixels side by side, against plain ones. */
static void test_channels(void **state)
{
    (void)state;
    const size_t channels[] = {1, 3, 6, 16, 17, 48, 63, 64, 100, 130},
                 pixels[] = {0, 1, 5, 64, 333};
    for (size_t i = 0; i < sizeof channels / sizeof *channels; i++)
        for (size_t k = 0; k < sizeof pixels / sizeof *pixels; k++) {
            size_t c = channels[i], n = c * pixels[k];
            float *x = random_floats(n, 1), *d = random_floats(n, 2), *y = random_floats(n, 3);
            float *a = random_floats(c, 4), *b = random_floats(c, 5), *e = random_floats(c, 6);
            double *sum = calloc(2 * c, sizeof *sum), *plain = calloc(2 * c, sizeof *plain);
            float *mean = random_floats(c, 7);
            for (int relu = 0; relu < 2; relu++) {
                vg_channel_affine(x, y, pixels[k], c, a, b, relu);
                for (size_t j = 0; j < n; j++) {
                    float v = a[j % c] * x[j] + b[j % c];
                    assert_true(y[j] == (relu && v < 0 ? 0 : v));
                }
                vg_channel_bias(x, y, pixels[k], c, b, relu);
                for (size_t j = 0; j < n; j++) {
                    float v = x[j] + b[j % c];
                    assert_true(y[j] == (relu && v < 0 ? 0 : v));
                }
            }
            vg_channel_affine2(d, x, y, pixels[k], c, a, b, e);
            for (size_t j = 0; j < n; j++)
                assert_true(y[j] == a[j % c] * d[j] + b[j % c] * x[j] + e[j % c]);
            vg_channel_affine2_behind(d, x, y, pixels[k], c, b, e, a, b, e);
            for (size_t j = 0; j < n; j++) {
                float v = b[j % c] * x[j] + e[j % c] <= 0 ? 0 : d[j];
                assert_true(y[j] == a[j % c] * v + b[j % c] * x[j] + e[j % c]);
            }
            vg_channel_sums_behind(d, x, pixels[k], c, b, e, sum, sum + c);
            for (size_t j = 0; j < n; j++) {
                bool through = b[j % c] * x[j] + e[j % c] > 0;
                sum[j % c] -= through ? (double)d[j] : 0;
                sum[c + j % c] -= through ? (double)d[j] * (double)x[j] : 0;
            }
            for (size_t j = 0; j < 2 * c; j++) {
                assert_near(sum[j], 0, 1e-6 * (double)(1 + pixels[k]));
                sum[j] = 0;
            }
            vg_channel_sums(d, x, pixels[k], c, sum, sum + c);
            vg_channel_average(x, pixels[k], c, mean);
            for (size_t j = 0; j < n; j++) {
                plain[j % c] += (double)d[j];
                plain[c + j % c] += (double)d[j] * (double)x[j];
                mean[j % c] -= x[j] / (float)pixels[k];
            }
            for (size_t j = 0; j < 2 * c; j++)
                assert_near(sum[j], plain[j], 1e-6 * (double)(1 + pixels[k]));
            for (size_t j = 0; j < c && pixels[k]; j++)
                assert_near((double)mean[j], 0, 1e-5);
            free(x), free(d), free(y), free(a), free(b), free(e), free(sum), free(plain);
            free(mean);
        }
}

/* A part of the row of bits is that part of the whole, and the bits are those of Philox. */
static void test_kept(void **state)
{
    (void)state;
    enum { N = 3000 };
    const uint32_t key[2] = {123, 456}, threshold = 20000;
    uint8_t whole[N], part[N];
    float x[N], y[N];
    vg_draw_kept(key, threshold, 0, N, whole);
    for (uint32_t i = 0; i < N; i++) {
        const uint32_t counter[4] = {i / 128 * 16 + i % 16, 0, 0, 0};
        uint32_t word[4];
        vg_philox(counter, key, word);
        uint32_t bits = (word[i % 128 / 32] >> (i % 32 / 16 * 16)) & 0xFFFF;
        assert_int_equal(whole[i], bits >= threshold);
        x[i] = (float)i + 1;
    }
    for (size_t first = 0; first < 300; first += 37)
        for (size_t n = 0; n < 400; n += 57) {
            vg_draw_kept(key, threshold, first, n, part);
            assert_memory_equal(part, whole + first, n);
        }
    vg_keep(x, y, N, whole, 2);
    for (int i = 0; i < N; i++)
        assert_true(y[i] == (whole[i] ? 2 * x[i] : 0));
}

/* Gradient of a sum, in place or not, behind a ReLU or not. */
static void test_sum_backward(void **state)
{
    (void)state;
    enum { N = 2100 };
    for (int mode = 0; mode < 16; mode++) {
        bool add = mode & 1, relu = mode & 2, in_place = mode & 4, unwanted = mode & 8;
        float *y = random_floats(N, 1), *dy = random_floats(N, 2), *dx = random_floats(N, 3);
        float *other = random_floats(N, 4), *want = random_floats(N, 4), *d = random_floats(N, 2);
        for (int i = 0; i < N; i++) {
            d[i] = relu && y[i] <= 0 ? 0 : d[i];
            want[i] = add ? want[i] + d[i] : d[i];
        }
        float *to = unwanted ? NULL : in_place ? dy : dx;
        vg_sum_backward(relu ? y : NULL, dy, to, other, add, N);
        assert_memory_equal(other, want, N * sizeof *want);
        if (to)
            assert_memory_equal(to, d, N * sizeof *d);
        free(y), free(dy), free(dx), free(other), free(want), free(d);
    }
}

/* Logits and gradients of a small net, after one pass. */
static void pass_with(vg_winograd_use use, const float *x, const float *dz, float *logits,
                      float *dw, size_t weights, float *dx)
{
    vg_error err = {0};
    vg_net_spec spec = SPEC("conv 32 k3", "relu", "conv 48 k3", "relu", "globalpool");
    vg_model_options o = {.channels = 32, .height = 12, .width = 12, .classes = 2, .max_batch = 9};
    o.winograd = use;
    vg_model *m;
    assert_ok(vg_model_new(&spec, &o, &m, &err));
    vg_net_spec_reset(&spec);
    int count;
    memcpy(logits, vg_model_forward(m, x, 9, true, 0), 18 * sizeof *logits);
    vg_model_backward(m, dz, dx);
    const vg_param *p = vg_model_params(m, &count);
    assert_true(p[2].count == weights);
    memcpy(dw, p[2].grad, weights * sizeof *dw);
    vg_model_free(m);
}

/* Winograd's convolution is used where it is wanted, and gives the same but for rounding. */
static void test_winograd_use(void **state)
{
    (void)state;
    enum { INPUTS = 9 * 32 * 144, WEIGHTS = 48 * 32 * 9 };
    float *x = random_floats(INPUTS, 1), *dz = random_floats(18, 2), z[3][18];
    float *dw[3], *dx[3];
    for (int i = 0; i < 3; i++) {
        dw[i] = malloc(WEIGHTS * sizeof(float));
        dx[i] = malloc(INPUTS * sizeof(float));
        pass_with((vg_winograd_use)i, x, dz, z[i], dw[i], WEIGHTS, dx[i]);
    }
    for (int i = 0; i < 2; i++) {
        compare("logits", z[i], z[VG_WINOGRAD_OFF], 18);
        compare("dw", dw[i], dw[VG_WINOGRAD_OFF], WEIGHTS);
        compare("dx", dx[i], dx[VG_WINOGRAD_OFF], INPUTS);
        assert_memory_not_equal(dw[i], dw[i + 1], WEIGHTS * sizeof(float));
        assert_memory_not_equal(dx[i], dx[i + 1], INPUTS * sizeof(float));
    }
    for (int i = 0; i < 3; i++)
        free(dw[i]), free(dx[i]);
    free(x), free(dz);
    vg_error err = {0};
    vg_net_spec spec = SPEC("relu");
    vg_model_options o = {.channels = 1, .height = 1, .width = 1, .classes = 2, .max_batch = 1};
    o.winograd = VG_WINOGRADS;
    vg_model *m;
    assert_int_equal(vg_model_new(&spec, &o, &m, &err), VG_E_ARG);
    assert_contains(err.message, "Winograd");
    vg_net_spec_reset(&spec);
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
        cmocka_unit_test(test_convolutions), cmocka_unit_test(test_maxpool),
        cmocka_unit_test(test_channels),     cmocka_unit_test(test_kept),
        cmocka_unit_test(test_sum_backward), cmocka_unit_test(test_blas_names),
        cmocka_unit_test(test_winograd_use),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
