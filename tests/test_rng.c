/* Tests of base/rng.h. */
#include "test.h"

#include "base/rng.h"

#include <math.h>

/* Known answers of philox4x32-10 from the authors' Random123 distribution (kat_vectors). */
static void test_philox_known_answers(void **state)
{
    (void)state;
    uint32_t out[4];
    const uint32_t zero[4] = {0}, zero_key[2] = {0};
    vg_philox(zero, zero_key, out);
    const uint32_t want_zero[4] = {0x6627e8d5, 0xe169c58d, 0xbc57ac4c, 0x9b00dbd8};
    assert_memory_equal(out, want_zero, sizeof out);
    const uint32_t ones[4] = {~0u, ~0u, ~0u, ~0u}, ones_key[2] = {~0u, ~0u};
    vg_philox(ones, ones_key, out);
    const uint32_t want_ones[4] = {0x408f276d, 0x41c83b0e, 0xa20bc7c6, 0x6d5451fd};
    assert_memory_equal(out, want_ones, sizeof out);
    const uint32_t pi[4] = {0x243f6a88, 0x85a308d3, 0x13198a2e, 0x03707344};
    const uint32_t pi_key[2] = {0xa4093822, 0x299f31d0};
    vg_philox(pi, pi_key, out);
    const uint32_t want_pi[4] = {0xd16cfe09, 0x94fdcceb, 0x5001e420, 0x24126ea1};
    assert_memory_equal(out, want_pi, sizeof out);
}

static void test_streams_are_independent_of_order(void **state)
{
    (void)state;
    vg_rng a = vg_rng_make(1, 2, 3, VG_RNG_PLAN), b = vg_rng_make(1, 2, 4, VG_RNG_PLAN);
    uint32_t first = vg_rng_u32(&a);
    vg_rng_u32(&b);
    vg_rng again = vg_rng_make(1, 2, 3, VG_RNG_PLAN);
    assert_int_equal(vg_rng_u32(&again), first);
    vg_rng other[4] = {vg_rng_make(2, 2, 3, VG_RNG_PLAN), vg_rng_make(1, 3, 3, VG_RNG_PLAN),
                       vg_rng_make(1, 2, 3, VG_RNG_NOISE), vg_rng_make(1, 2, 3, VG_RNG_INIT)};
    for (int i = 0; i < 4; i++)
        assert_int_not_equal(vg_rng_u32(&other[i]), first);
}

static void test_moments(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_NOISE);
    double sum = 0, squares = 0, uniform = 0;
    enum { N = 200000 };
    for (int i = 0; i < N; i++) {
        double x = vg_rng_normal(&rng);
        sum += x;
        squares += x * x;
        double u = vg_rng_uniform(&rng, -2, 6);
        assert_true(u >= -2 && u < 6);
        uniform += u;
    }
    assert_near(sum / N, 0, 0.01);
    assert_near(squares / N, 1, 0.02);
    assert_near(uniform / N, 2, 0.03);
}

static void test_below_is_in_range_and_even(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(9, 0, 0, VG_RNG_SAMPLER);
    int seen[7] = {0};
    for (int i = 0; i < 70000; i++) {
        uint64_t r = vg_rng_below(&rng, 7);
        assert_true(r < 7);
        seen[r]++;
    }
    for (int i = 0; i < 7; i++)
        assert_in_range(seen[i], 9600, 10400);
}

static void test_permutation_is_one(void **state)
{
    (void)state;
    const uint64_t sizes[] = {1, 2, 3, 5, 16, 17, 1000, 4097};
    for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++) {
        uint64_t n = sizes[s];
        unsigned char *seen = calloc(n, 1);
        assert_non_null(seen);
        size_t fixed = 0;
        for (uint64_t i = 0; i < n; i++) {
            uint64_t p = vg_permute(42, n, i);
            assert_true(p < n);
            assert_int_equal(seen[p]++, 0);
            fixed += p == i;
        }
        if (n >= 1000)
            assert_true(fixed < 20);
        free(seen);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_philox_known_answers),
        cmocka_unit_test(test_streams_are_independent_of_order),
        cmocka_unit_test(test_moments),
        cmocka_unit_test(test_below_is_in_range_and_even),
        cmocka_unit_test(test_permutation_is_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
