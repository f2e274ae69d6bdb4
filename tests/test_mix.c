/* Tests of mix.h. */
#include "test.h"

#include "mix.h"

#include <math.h>

enum { DRAWS = 40000 };

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

/* Distribution functions of Beta(alpha, alpha) that have a closed form. */
static double arcsine(double x)
{
    return 2 / 3.14159265358979323846 * asin(sqrt(x));
}

static double uniform(double x)
{
    return x;
}

static double two(double x)
{
    return x * x * (3 - 2 * x);
}

static double four(double x)
{
    return pow(x, 4) * (35 + x * (-84 + x * (70 - 20 * x)));
}

static double moments_only(double x)
{
    (void)x;
    return NAN;
}

static void test_beta(void **state)
{
    (void)state;
    static const struct {
        double alpha;
        double (*distribution)(double);
    } cases[] = {{0.001, moments_only},
                 {0.2, moments_only},
                 {0.5, arcsine},
                 {1, uniform},
                 {2, two},
                 {4, four},
                 {1.01, moments_only},
                 {32, moments_only},
                 {100, moments_only}};
    static double x[DRAWS];
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        double alpha = cases[i].alpha, sum = 0, squares = 0, worst = 0;
        vg_rng rng = vg_rng_make(3, 0, i, VG_RNG_SAMPLE_DATA);
        for (int n = 0; n < DRAWS; n++) {
            x[n] = vg_mix_beta(&rng, alpha);
            assert_true(x[n] >= 0 && x[n] <= 1);
            sum += x[n];
            squares += (x[n] - 0.5) * (x[n] - 0.5);
        }
        double variance = 1 / (4 * (2 * alpha + 1)), deviation = sqrt(variance / DRAWS);
        assert_near(sum / DRAWS, 0.5, 4.5 * deviation);
        assert_near(squares / DRAWS / variance, 1, 4.5 * sqrt(2.0 / DRAWS));
        qsort(x, DRAWS, sizeof *x, ascending);
        for (int n = 0; n < DRAWS; n++) {
            double d = fabs(cases[i].distribution(x[n]) - (n + 0.5) / DRAWS);
            worst = d > worst ? d : worst;
        }
        assert_true(worst < 1.95 / sqrt(DRAWS)); /* Kolmogorov-Smirnov, p = 0.001 */
    }
}

/* torchvision's rectangles and shares. */
static void test_cut_is_torchvisions(void **state)
{
    (void)state;
    static const struct {
        double lambda;
        int x, y, height, width, box[4];
        double share;
    } golden[] = {
#include "data/mix.inc"
    };
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        vg_mixture mix = vg_mix_cut(golden[i].lambda, golden[i].x, golden[i].y, golden[i].height,
                                    golden[i].width);
        assert_int_equal(mix.kind, VG_MIX_CUT);
        assert_int_equal(mix.x, golden[i].box[0]);
        assert_int_equal(mix.y, golden[i].box[1]);
        assert_int_equal(mix.x + mix.width, golden[i].box[2]);
        assert_int_equal(mix.y + mix.height, golden[i].box[3]);
        assert_near(mix.share, golden[i].share, 1e-15);
    }
}

static void test_samples(void **state)
{
    (void)state;
    enum { C = 2, H = 5, W = 7, N = C * H * W };
    float own[N], partner[N], out[N];
    for (int i = 0; i < N; i++) {
        own[i] = (float)i;
        partner[i] = (float)(-1000 - 3 * i);
    }
    const int shape[3] = {C, H, W};
    vg_mixture up = {.kind = VG_MIX_UP, .share = 0.25};
    vg_mix_sample(&up, own, partner, shape, out);
    for (int i = 0; i < N; i++)
        assert_true(out[i] == 0.75f * partner[i] + 0.25f * own[i]);
    up.share = 1;
    vg_mix_sample(&up, own, partner, shape, out);
    assert_memory_equal(out, own, sizeof out);
    vg_mixture none = {.kind = VG_MIX_NONE, .share = 1};
    vg_mix_sample(&none, own, partner, shape, out);
    assert_memory_equal(out, own, sizeof out);
    vg_mixture cut = vg_mix_cut(0.5, 6, 1, H, W);
    vg_mix_sample(&cut, own, partner, shape, out);
    int theirs = 0;
    for (int c = 0; c < C; c++)
        for (int y = 0; y < H; y++)
            for (int x = 0; x < W; x++) {
                int i = (c * H + y) * W + x;
                bool inside =
                    x >= cut.x && x < cut.x + cut.width && y >= cut.y && y < cut.y + cut.height;
                assert_true(out[i] == (inside ? partner[i] : own[i]));
                theirs += inside;
            }
    assert_int_equal(theirs, C * cut.width * cut.height);
    assert_true(theirs > 0);
    assert_near(cut.share, 1 - (double)theirs / N, 1e-15);
    assert_int_equal(vg_mix_partner(0, 8), 7);
    assert_int_equal(vg_mix_partner(5, 8), 4);
    assert_int_equal(vg_mix_partner(0, 1), 0);
}

static void test_draws(void **state)
{
    (void)state;
    static const vg_mixing settings[] = {{0.2, 0, 1},   {0, 1, 1}, {0.2, 1, 1},
                                         {0.2, 1, 0.5}, {0, 0, 1}, {1, 1, 0}};
    static const int expected[][3] = {{0, 2000, 0},     {0, 0, 2000}, {0, 1000, 1000},
                                      {1000, 500, 500}, {2000, 0, 0}, {2000, 0, 0}};
    for (size_t s = 0; s < sizeof settings / sizeof *settings; s++) {
        int kinds[3] = {0};
        for (uint32_t epoch = 0; epoch < 10; epoch++)
            for (uint64_t batch = 0; batch < 200; batch++) {
                vg_mixture mix = vg_mix_draw(&settings[s], 5, epoch, batch, 20, 30);
                vg_mixture same = vg_mix_draw(&settings[s], 5, epoch, batch, 20, 30);
                kinds[mix.kind]++;
                assert_true(mix.share == same.share && mix.x == same.x && mix.kind == same.kind);
                assert_true(mix.share >= 0 && mix.share <= 1);
                assert_true(mix.x >= 0 && mix.y >= 0 && mix.x + mix.width <= 30 &&
                            mix.y + mix.height <= 20);
                assert_true(mix.kind != VG_MIX_NONE || mix.share == 1);
            }
        for (int k = 0; k < 3; k++)
            assert_near(kinds[k], expected[s][k], expected[s][k] % 2000 ? 100 : 0);
        assert_int_equal(vg_mixing_is_on(&settings[s]), expected[s][0] < 2000);
    }
    vg_mixture a = vg_mix_draw(&settings[0], 5, 0, 0, 20, 30);
    assert_true(a.share != vg_mix_draw(&settings[0], 6, 0, 0, 20, 30).share);
    assert_true(a.share != vg_mix_draw(&settings[0], 5, 1, 0, 20, 30).share);
    assert_true(a.share != vg_mix_draw(&settings[0], 5, 0, 1, 20, 30).share);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_beta),
        cmocka_unit_test(test_cut_is_torchvisions),
        cmocka_unit_test(test_samples),
        cmocka_unit_test(test_draws),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
