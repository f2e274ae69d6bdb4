/* Tests of ops/noise.h. */
#include "test.h"

#include "base/rng.h"
#include "ops/noise.h"

#include <math.h>

enum { N = 300000 };
static float a[N], b[N];

static const vg_sample_key key = {.seed = 11, .epoch = 3, .position = 17};

/* xoshiro128++ as its authors give it. */
static uint32_t next_ref(uint32_t s[4])
{
    uint32_t sum = s[0] + s[3], result = (sum << 7 | sum >> 25) + s[0], t = s[1] << 9;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s[3] << 11 | s[3] >> 21;
    return result;
}

/* Each normal is where the tail of the distribution has the probability that its word names. */
static void test_equals_the_naive_twin(void **state)
{
    (void)state;
    /* the known answer of Rust's rand_xoshiro */
    uint32_t known[4] = {1, 2, 3, 4};
    static const uint32_t want[4] = {641, 1573767, 3222811527u, 3517856514u};
    for (int i = 0; i < 4; i++)
        assert_true(next_ref(known) == want[i]);
    vg_noise_normals(a, N, &key);
    vg_rng rng = vg_rng_make(key.seed, key.epoch, key.position, VG_RNG_NOISE);
    double worst = 0;
    for (uint32_t lane = 0; lane < 64; lane++) {
        uint32_t counter[4] = {lane, 0, rng.counter[2], rng.counter[3]}, s[4];
        vg_philox(counter, rng.key, s);
        for (size_t i = lane; i < N; i += 64) {
            uint32_t w = next_ref(s);
            double p = ((w & 0x7fffffff) | 1) / 4294967296.0;
            double z = w >> 31 ? -(double)a[i] : (double)a[i];
            double density = exp(-z * z / 2) / sqrt(2 * 3.141592653589793);
            worst = fmax(worst, fabs(erfc(z / sqrt(2)) / 2 - p) / density); /* Newton's step */
        }
    }
    assert_near(worst, 0, 2.5e-4);
}

static void test_versions_give_the_same_bytes(void **state)
{
    (void)state;
    for (size_t n = 0; n < 300; n++) {
        float plain[300], fast[300];
        for (size_t i = 0; i < 300; i++)
            plain[i] = (float)(i % 256);
        memcpy(fast, plain, sizeof fast);
        vg_noise_run(VG_SIMD_PLAIN, plain, n, 9, &key);
        for (int simd = VG_SIMD_PLAIN + 1; simd <= (int)vg_simd_best(); simd++) {
            for (size_t i = 0; i < 300; i++)
                fast[i] = (float)(i % 256);
            vg_noise_run((vg_simd)simd, fast, n, 9, &key);
            assert_memory_equal(fast, plain, sizeof fast);
        }
    }
    vg_noise_run(VG_SIMD_PLAIN, a, N, 0, &key); /* enough to meet the far tail */
    for (int simd = VG_SIMD_PLAIN + 1; simd <= (int)vg_simd_best(); simd++) {
        vg_noise_run((vg_simd)simd, b, N, 0, &key);
        assert_memory_equal(a, b, sizeof a);
    }
}

static int ascending(const void *x, const void *y)
{
    float p = *(const float *)x, q = *(const float *)y;
    return (p > q) - (p < q);
}

/* Kolmogorov and Smirnov's distance to the normal distribution: 1.95 is passed once in a thousand. */
static void test_distribution(void **state)
{
    (void)state;
    vg_noise_normals(a, N, &key);
    qsort(a, N, sizeof *a, ascending);
    double most = 0;
    for (int i = 0; i < N; i++) {
        double f = erfc(-(double)a[i] / sqrt(2)) / 2;
        most = fmax(most, fmax(f - (double)i / N, (double)(i + 1) / N - f));
    }
    assert_near(most * sqrt(N), 0, 1.95);
}

/* Thirty million normals: as many beyond 4 and 5 sigma as there should be, on both sides. */
static void test_far_tails(void **state)
{
    (void)state;
    int beyond[2][2] = {{0}};
    for (uint64_t position = 0; position < 100; position++) {
        vg_sample_key own = {.seed = 5, .position = position};
        vg_noise_normals(a, N, &own);
        for (int i = 0; i < N; i++)
            for (int k = 0; k < 2; k++)
                beyond[k][a[i] < 0] += a[i] > 4 + (float)k || a[i] < -4 - (float)k;
    }
    for (int side = 0; side < 2; side++) {
        assert_near(beyond[0][side], 950, 4 * sqrt(950));
        assert_near(beyond[1][side], 8.6, 4 * sqrt(8.6));
    }
}

static void test_moments_and_tails(void **state)
{
    (void)state;
    enum { LAGS = 10 };
    static const int lags[LAGS] = {1, 2, 8, 16, 32, 64, 128, 256, 65536, 131072};
    vg_noise_normals(a, N, &key);
    double sum[5] = {0}, beyond[4] = {0}, lag[LAGS] = {0}, square[LAGS] = {0};
    for (int i = 0; i < N; i++) {
        double x = (double)a[i];
        for (int k = 1; k <= 4; k++) {
            sum[k] += pow(x, k) / N;
            beyond[k - 1] += fabs(x) > k ? 1.0 / N : 0;
        }
        /* neighbours, lanes, words of a lane, rows and channels of a picture of 256 x 256 */
        for (int k = 0; k < LAGS; k++) {
            double y = i >= lags[k] ? (double)a[i - lags[k]] : 0;
            lag[k] += x * y / N;
            square[k] += i >= lags[k] ? (x * x - 1) * (y * y - 1) / 2 / N : 0;
        }
    }
    assert_near(sum[1], 0, 0.008); /* four standard errors */
    assert_near(sum[2], 1, 0.011);
    assert_near(sum[3], 0, 0.03);
    assert_near(sum[4], 3, 0.08);
    assert_near(beyond[0], 0.3173, 0.004);
    assert_near(beyond[1], 0.0455, 0.0016);
    assert_near(beyond[2], 0.0027, 0.0004);
    assert_near(beyond[3], 0.0000633, 0.00006);
    for (int k = 0; k < LAGS; k++) {
        assert_near(lag[k], 0, 0.008);
        assert_near(square[k], 0, 0.008);
    }
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
    if (hash != UINT64_C(0x1dbf1b4f387ea7c3))
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
        cmocka_unit_test(test_versions_give_the_same_bytes),
        cmocka_unit_test(test_distribution),
        cmocka_unit_test(test_far_tails),
        cmocka_unit_test(test_moments_and_tails),
        cmocka_unit_test(test_streams),
        cmocka_unit_test(test_the_same_bytes_everywhere),
        cmocka_unit_test(test_add_clamps),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
