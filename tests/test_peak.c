#include "test.h"

#include "nn/kernels/peak.h"

#include <math.h>

/* Every instruction set that the machine has gives a figure, and what it has not falls back to the
 * best. How large the figures are is not a test's business, but none of these computers is slower than 10 MFLOP/s. */
static void test_each_instruction_set(void **state)
{
    (void)state;
    vg_simd best = vg_simd_best();
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
        for (int threads = 1; threads <= 2; threads++) {
            vg_peak peak = vg_peak_measure((vg_simd)simd, threads, 0.002);
            assert_int_equal(peak.simd, (vg_simd)simd < best ? (vg_simd)simd : best);
            assert_int_equal(peak.threads, threads);
            assert_true(isfinite(peak.flop_per_s));
            assert_true(peak.flop_per_s > 1e7);
            assert_true(peak.simd != VG_SIMD_AVX512 || peak.fused);
            assert_true(peak.simd != VG_SIMD_PLAIN || !peak.fused);
        }
    }
}

static void test_names(void **state)
{
    (void)state;
    vg_peak peak = {.simd = VG_SIMD_AVX512, .fused = true};
    assert_string_equal(vg_peak_name(&peak), "AVX-512 FMA");
    peak.simd = VG_SIMD_AVX2;
    assert_string_equal(vg_peak_name(&peak), "AVX2 FMA");
    peak.fused = false;
    assert_string_equal(vg_peak_name(&peak), "AVX2");
    peak.simd = VG_SIMD_PLAIN;
    assert_string_equal(vg_peak_name(&peak), "plain C");
}

/* No team given: the one that OpenMP would take. */
static void test_default_team(void **state)
{
    (void)state;
    assert_true(vg_peak_measure(VG_SIMD_PLAIN, 0, 0.001).threads >= 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_each_instruction_set),
        cmocka_unit_test(test_names),
        cmocka_unit_test(test_default_team),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
