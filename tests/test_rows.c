/* Rows times a packed matrix, against sums in double, for every instruction set; cut in whatever way the
 * bits are the same. */
#include "test.h"

#include "nn_util.h"

#include "nn/kernels/rows.h"

enum { GUARD = 8 };

/* rows, inputs, outputs, pixels of the map that the inputs are */
static const int SHAPES[][4] = {{1, 1, 1, 1},     {8, 400, 120, 25}, {7, 33, 16, 3},
                                {29, 120, 84, 1}, {3, 5, 200, 5},    {13, 512, 10, 1},
                                {64, 48, 65, 4},  {2, 1300, 129, 1}, {5, 17, 64, 1}};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES };

static float *guarded(size_t n)
{
    float *p = malloc((n + GUARD) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + GUARD; i++)
        p[i] = -77;
    return p;
}

static void assert_guard(const float *p, size_t n)
{
    for (size_t i = n; i < n + GUARD; i++)
        assert_true(p[i] == -77);
}

static const vg_tile_set *set_at(int simd)
{
    const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
    return simd > 0 && set == vg_tile_set_for((vg_simd)(simd - 1)) ? NULL : set;
}

/* All groups, the rows in two parts. */
static void multiply(const vg_tile_set *set, const int *s, const float *x, const float *packed,
                     bool relu, float *y)
{
    int rows = s[0], half = (rows + 1) / 2;
    float *blocked = guarded(vg_rows_blocked(s[1], (size_t)rows));
    vg_rows_spread(set, x, s[1], rows, 0, half, blocked);
    vg_rows_spread(set, x + (size_t)half * (size_t)s[1], s[1], rows, half, rows - half, blocked);
    for (int group = 0; group < vg_rows_groups(s[2]); group++)
        vg_rows_multiply(set, blocked, rows, s[1], s[2], group, packed, relu, y);
    assert_guard(blocked, vg_rows_blocked(s[1], (size_t)rows));
    free(blocked);
}

static void check(const vg_tile_set *set, const int *s, bool relu)
{
    int rows = s[0], inputs = s[1], outputs = s[2], pixels = s[3], channels = inputs / pixels;
    float *x = random_floats((size_t)rows * (size_t)inputs, 1);
    float *w = random_floats((size_t)outputs * (size_t)inputs, 2),
          *bias = random_floats((size_t)outputs, 3);
    size_t need = vg_rows_packed(inputs, outputs), count = (size_t)rows * (size_t)outputs;
    float *packed = guarded(need), *y = guarded(count);
    vg_rows_pack(inputs, outputs, pixels, w, relu ? bias : NULL, packed);
    assert_guard(packed, need);
    multiply(set, s, x, packed, relu, y);
    assert_guard(y, count);
    for (int r = 0; r < rows; r++)
        for (int k = 0; k < outputs; k++) {
            double sum = relu ? (double)bias[k] : 0;
            for (int i = 0; i < inputs; i++) /* C H W in w, H W C in x */
                sum += (double)x[r * inputs + i] *
                       (double)w[k * inputs + i % channels * pixels + i / channels];
            sum = relu && sum < 0 ? 0 : sum;
            assert_near((double)y[r * outputs + k], sum, 1e-5 + 5e-7 * inputs);
        }
    float *one = guarded((size_t)outputs);
    const int single[4] = {1, inputs, outputs, pixels};
    for (int r = 0; r < rows; r++) { /* row by row */
        multiply(set, single, x + (size_t)(r * inputs), packed, relu, one);
        assert_memory_equal(one, y + (size_t)(r * outputs), (size_t)outputs * sizeof *one);
    }
    free(x), free(w), free(bias), free(packed), free(y), free(one);
}

static void test_products(void **state)
{
    (void)state;
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++)
        for (int i = 0; set_at(simd) && i < SHAPE_COUNT; i++) {
            check(set_at(simd), SHAPES[i], false);
            check(set_at(simd), SHAPES[i], true);
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_products)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
