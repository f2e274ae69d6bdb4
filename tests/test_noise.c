/* Tests of ops/noise.h. */
#include "test.h"

#include "base/rng.h"
#include "ops/noise.h"

#include <math.h>

enum { N = 300000 };
static float a[N], b[N];

static const vg_sample_key key = {.seed = 11, .epoch = 3, .position = 17};

/* Word by word with the C library's functions. */
static double normal_ref(size_t i)
{
    vg_rng rng = vg_rng_make(key.seed, key.epoch, key.position, VG_RNG_NOISE);
    size_t lane = i % 128 % 32, word = i % 128 / 32;
    uint32_t block[4],
        counter[4] = {(uint32_t)(i / 128 * 32 + lane), 0, rng.counter[2], rng.counter[3]};
    vg_philox(counter, rng.key, block);
    double u = ((block[word & 2] >> 8) + 1) / 16777216.0;
    double angle = 6.283185307179586 * (block[(word & 2) + 1] >> 8) / 16777216.0;
    return sqrt(-2 * log(u)) * (word & 1 ? sin(angle) : cos(angle));
}

static void test_equals_the_naive_twin(void **state)
{
    (void)state;
    vg_noise_normals(a, N, &key);
    for (size_t i = 0; i < N; i++)
        assert_near((double)a[i], normal_ref(i), 4e-6);
}

static void test_moments_and_tails(void **state)
{
    (void)state;
    vg_noise_normals(a, N, &key);
    double sum[5] = {0}, beyond[4] = {0}, lag[3] = {0};
    for (int i = 0; i < N; i++) {
        double x = (double)a[i];
        for (int k = 1; k <= 4; k++) {
            sum[k] += pow(x, k) / N;
            beyond[k - 1] += fabs(x) > k ? 1.0 / N : 0;
        }
        static const int lags[3] = {1, 32, 1000};
        for (int k = 0; k < 3; k++)
            lag[k] += i >= lags[k] ? x * (double)a[i - lags[k]] / N : 0;
    }
    assert_near(sum[1], 0, 0.008); /* four standard errors */
    assert_near(sum[2], 1, 0.011);
    assert_near(sum[3], 0, 0.03);
    assert_near(sum[4], 3, 0.08);
    assert_near(beyond[0], 0.3173, 0.004);
    assert_near(beyond[1], 0.0455, 0.0016);
    assert_near(beyond[2], 0.0027, 0.0004);
    assert_near(beyond[3], 0.0000633, 0.00006);
    for (int k = 0; k < 3; k++)
        assert_near(lag[k], 0, 0.008);
}

static void test_streams(void **state)
{
    (void)state;
    vg_noise_normals(a, N, &key);
    vg_noise_normals(b, 1000, &key); /* a prefix is a prefix */
    assert_memory_equal(a, b, 1000 * sizeof *a);
    static const size_t lengths[] = {1, 3, 127, 128, 129, 200};
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        memset(b, 0, 300 * sizeof *b);
        vg_noise_normals(b, lengths[i], &key);
        assert_memory_equal(a, b, lengths[i] * sizeof *a);
        assert_true(b[lengths[i]] == 0);
    }
    vg_sample_key others[3] = {key, key, key};
    others[0].seed++;
    others[1].epoch++;
    others[2].position++;
    for (int k = 0; k < 3; k++) {
        vg_noise_normals(b, N, &others[k]);
        double product = 0;
        for (int i = 0; i < N; i++)
            product += (double)a[i] * (double)b[i] / N;
        assert_near(product, 0, 0.008);
        assert_true(a[0] != b[0]);
    }
}

/* Recorded once: the same bytes on every machine and compiler. */
static void test_the_same_bytes_everywhere(void **state)
{
    (void)state;
    vg_noise_normals(a, N, &key);
    uint64_t hash = vg_hash(a, N * sizeof *a, 0);
    if (hash != UINT64_C(0x7b32c934f9ec799b))
        fail_msg("the noise has the hash %016llx", (unsigned long long)hash);
}

static void test_add_clamps(void **state)
{
    (void)state;
    vg_noise_normals(b, N, &key);
    for (int i = 0; i < N; i++)
        a[i] = i % 3 == 0 ? 0 : i % 3 == 1 ? 128 : 255;
    vg_noise_add(a, N, 20, &key);
    for (int i = 0; i < N; i++) {
        double want = (i % 3 == 0 ? 0 : i % 3 == 1 ? 128 : 255) + 20 * (double)b[i];
        assert_near((double)a[i], fmin(255, fmax(0, want)), 1e-4);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_naive_twin),
        cmocka_unit_test(test_moments_and_tails),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_the_same_bytes_everywhere),
        cmocka_unit_test(test_add_clamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
