/* The kernels of activations against the C library in double precision: values, slopes, where they end, NaN, and the
 * same bits wherever in an array a value stands. */
#include "test.h"

#include "nn/kernels/activate.h"

#include <math.h>
#include <stdlib.h>

enum { COUNT = 400001 };
static const double ROOT_2_PI = 0.79788456080286535588, CUBE = 0.044715;
static const double ALPHA = 0.3, SELU_SCALE = 1.0507009873554804934193349852946,
                    SELU_ALPHA = 1.6732632423543772848170429916717;

static double phi(double x)
{
    return 0.5 * erfc(-x * sqrt(0.5));
}

static double sigmoid(double x)
{
    return 1 / (1 + exp(-x));
}

static double gelu(double x, double *slope)
{
    *slope = phi(x) + x * exp(-0.5 * x * x) / sqrt(2 * 3.14159265358979323846);
    return x * phi(x);
}

static double gelu_tanh(double x, double *slope)
{
    double s = sigmoid(2 * ROOT_2_PI * (x + CUBE * x * x * x));
    *slope = s + x * s * (1 - s) * 2 * ROOT_2_PI * (1 + 3 * CUBE * x * x);
    return x * s;
}

static double silu(double x, double *slope)
{
    *slope = sigmoid(x) * (1 + x * (1 - sigmoid(x)));
    return x * sigmoid(x);
}

static double sigmoid_and_slope(double x, double *slope)
{
    *slope = sigmoid(x) * sigmoid(-x);
    return sigmoid(x);
}

static double tanh_and_slope(double x, double *slope)
{
    *slope = 1 / (cosh(x) * cosh(x));
    return tanh(x);
}

static double elu(double x, double *slope)
{
    *slope = x > 0 ? 1 : ALPHA * exp(x);
    return x > 0 ? x : ALPHA * expm1(x);
}

static double selu(double x, double *slope)
{
    *slope = SELU_SCALE * (x > 0 ? 1 : SELU_ALPHA * exp(x));
    return SELU_SCALE * (x > 0 ? x : SELU_ALPHA * expm1(x));
}

static double leaky(double x, double *slope)
{
    *slope = x > 0 ? 1 : ALPHA;
    return x * *slope;
}

static double whole_exp(double x, double *slope)
{
    *slope = exp(x);
    return *slope;
}

static double scaled(double x, double *slope)
{
    *slope = ALPHA;
    return ALPHA * x;
}

static const struct {
    const char *name;
    const vg_activation *kernels;
    double (*exact)(double x, double *slope);
    double error;     /* relative */
    double low, high; /* beyond, the value is 0 or infinite for floats */
} cases[] = {{"gelu", &vg_gelu, gelu, 6e-6, -13, 40},
             {"gelu_tanh", &vg_gelu_tanh, gelu_tanh, 6e-6, -7, 40},
             {"silu", &vg_silu, silu, 6e-7, -86, 100},
             {"sigmoid", &vg_sigmoid, sigmoid_and_slope, 6e-7, -87, 100},
             {"tanh", &vg_tanh, tanh_and_slope, 6e-7, -40, 40},
             {"elu", &vg_elu, elu, 6e-7, -100, 100},
             {"selu", &vg_selu, selu, 6e-7, -100, 100},
             {"leaky", &vg_leaky, leaky, 6e-7, -100, 100},
             {"exp", &vg_exp, whole_exp, 6e-7, -87, 88},
             {"scaled", &vg_scaled, scaled, 6e-7, -100, 100}};
enum { CASES = sizeof cases / sizeof *cases };

static void test_values_and_slopes(void **state)
{
    (void)state;
    float *x = malloc(COUNT * sizeof *x), *y = malloc(COUNT * sizeof *y);
    float *dy = malloc(COUNT * sizeof *dy), *dx = malloc(COUNT * sizeof *dx);
    for (int k = 0; k < CASES; k++) {
        double worst = 0, worst_slope = 0, low = cases[k].low, high = cases[k].high;
        for (size_t i = 0; i < COUNT; i++) { /* half of them near 0 */
            double part = (double)(i - i % 2) / COUNT;
            x[i] = (float)(i % 2 ? -1.5 + 3 * part : low + (high - low) * part);
            dy[i] = i % 3 ? 1 : -2;
        }
        cases[k].kernels->forward(x, y, COUNT, (float)ALPHA);
        cases[k].kernels->backward(x, dy, dx, COUNT, (float)ALPHA);
        for (size_t i = 0; i < COUNT; i++) {
            double slope, exact = cases[k].exact((double)x[i], &slope);
            double own = fabs((double)y[i] - exact) / fmax(fabs(exact), 1e-30);
            double of_slope = fabs((double)(dx[i] / dy[i]) - slope) / fmax(fabs(slope), 1);
            worst = fmax(worst, own);
            worst_slope = fmax(worst_slope, of_slope);
        }
        if (worst > cases[k].error || worst_slope > 5e-7)
            fail_msg("%s: values differ by %g, slopes by %g", cases[k].name, worst, worst_slope);
    }
    free(x);
    free(y);
    free(dy);
    free(dx);
}

static float at(const vg_activation *a, float x)
{
    float y;
    a->forward(&x, &y, 1, (float)ALPHA);
    return y;
}

static void test_ends(void **state)
{
    (void)state;
    for (int k = 0; k < CASES; k++) {
        float not_a_number = NAN, one = 1, dx;
        assert_true(isnan((double)at(cases[k].kernels, NAN)));
        cases[k].kernels->backward(&not_a_number, &one, &dx, 1, (float)ALPHA);
        assert_true(isnan((double)dx) || cases[k].kernels == &vg_leaky ||
                    cases[k].kernels == &vg_scaled || cases[k].kernels == &vg_elu ||
                    cases[k].kernels == &vg_selu);
    }
    assert_true(isinf((double)at(&vg_exp, 89)) && isinf((double)at(&vg_exp, INFINITY)));
    assert_true(isfinite((double)at(&vg_exp, 88.72F)));
    assert_true(at(&vg_exp, -200) == 0 && at(&vg_exp, -INFINITY) == 0 && at(&vg_exp, 0) == 1);
    assert_true(at(&vg_sigmoid, INFINITY) == 1 && at(&vg_sigmoid, -INFINITY) < 1e-37F);
    assert_true(at(&vg_sigmoid, 0) == 0.5F);
    assert_true(at(&vg_tanh, INFINITY) == 1 && at(&vg_tanh, -INFINITY) == -1);
    assert_true(at(&vg_gelu, 1e20F) == 1e20F && at(&vg_gelu, 0) == 0);
    assert_true(fabsf(at(&vg_gelu, -30)) < 1e-36F);
    assert_true(at(&vg_elu, -INFINITY) == -(float)ALPHA && at(&vg_elu, 0) == 0);
    assert_true(at(&vg_tanh, 1e-30F) == 1e-30F && at(&vg_elu, -1e-30F) == -(float)ALPHA * 1e-30F);
}

/* What stands in the vectors' middle and in the rest at the end comes to the same. */
static void test_same_bits_everywhere(void **state)
{
    (void)state;
    enum { N = 67 };
    float x[N], y[N], part[N], dy[N], dx[N], dx_part[N];
    for (int i = 0; i < N; i++) {
        x[i] = (float)(i - 33) * 0.37F;
        dy[i] = (float)(i % 7) - 2.5F;
    }
    for (int k = 0; k < CASES; k++) {
        cases[k].kernels->forward(x, y, N, (float)ALPHA);
        cases[k].kernels->backward(x, dy, dx, N, (float)ALPHA);
        for (size_t from = 0; from < N; from += 5)
            for (size_t n = 1; from + n <= N; n += 9) {
                cases[k].kernels->forward(x + from, part, n, (float)ALPHA);
                cases[k].kernels->backward(x + from, dy + from, dx_part, n, (float)ALPHA);
                assert_memory_equal(part, y + from, n * sizeof *y);
                assert_memory_equal(dx_part, dx + from, n * sizeof *dx);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_values_and_slopes),
        cmocka_unit_test(test_ends),
        cmocka_unit_test(test_same_bits_everywhere),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
