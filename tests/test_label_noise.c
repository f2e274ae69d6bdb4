/* The estimate of label noise against worlds that are known: networks with a given skill, labels wrong by a given
 * matrix. */
#include "test.h"

#include "base/rng.h"
#include "study/label_noise.h"

#include <math.h>
#include <stdbool.h>

typedef struct world {
    int classes;
    size_t count;
    int32_t *truth, *given;
    float *logits;
    size_t wrong;
    double chance[10][10]; /* of being labelled i when j is true */
} world;

static void world_free(world *w)
{
    free(w->truth);
    free(w->given);
    free(w->logits);
}

/* A picture of class j looks most like j and next like a neighbour, or the other way round with the chance
 * 1 / (1 + exp(m)), as softmax says of the margin m. Margins are normal with deviation `skill`. */
static world make(int classes, size_t count, double skill, double (*chance)(int j, int i, int k))
{
    world w = {.classes = classes, .count = count};
    w.truth = calloc(count, sizeof *w.truth);
    w.given = calloc(count, sizeof *w.given);
    w.logits = calloc(count * (size_t)classes, sizeof *w.logits);
    assert_true(w.truth && w.given && w.logits);
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int j = 0; j < classes; j++) {
        double sum = 0;
        for (int i = 0; i < classes; i++)
            sum += i != j ? w.chance[j][i] = chance(j, i, classes) : 0;
        w.chance[j][j] = 1 - sum;
    }
    for (size_t n = 0; n < count; n++) {
        int truth = (int)(n % (size_t)classes), side = vg_rng_below(&rng, 2) ? 1 : classes - 1;
        int other = (truth + side) % classes;
        double margin = fabs(skill * vg_rng_normal(&rng)), u = vg_rng_double(&rng);
        bool errs = vg_rng_double(&rng) < 1 / (1 + exp(margin));
        float *z = w.logits + n * (size_t)classes;
        for (int j = 0; j < classes; j++)
            z[j] = -12;
        z[errs ? other : truth] = (float)margin;
        z[errs ? truth : other] = 0;
        int given = 0;
        while (given < classes - 1 && u >= w.chance[truth][given])
            u -= w.chance[truth][given++];
        w.truth[n] = truth;
        w.given[n] = given;
        w.wrong += given != truth;
    }
    return w;
}

static vg_opinions opinions_of(const world *w)
{
    return (vg_opinions){w->logits, w->given, w->count, w->classes};
}

static double clean(int j, int i, int k)
{
    (void)j, (void)i, (void)k;
    return 0;
}
static double scattered(int j, int i, int k)
{
    (void)j, (void)i;
    return 0.1 / (k - 1);
}
static double next_but_one(int j, int i, int k)
{
    return i == (j + 2) % k ? 0.1 : 0;
}
static double look_alike(int j, int i, int k)
{
    return i == (j + 1) % k ? 0.2 : 0;
}
static double one_pair(int j, int i, int k)
{
    (void)k;
    return j == 3 && i == 1 ? 0.25 : 0.002;
}
static double flipped(int j, int i, int k)
{
    (void)i, (void)k;
    return j == 0 ? 0.15 : 0.05;
}

static void assert_close(double found, double expected, double share)
{
    if (!(fabs(found - expected) <= share * expected))
        fail_msg("found %g, expected %g +- %g %%", found, expected, 100 * share);
}

static void assert_covers(const vg_label_noise *noise, const world *w)
{
    if (!(noise->low <= (double)w->wrong && (double)w->wrong <= noise->high))
        fail_msg("%zu wrong labels are not within %g..%g", w->wrong, noise->low, noise->high);
    assert_true(noise->low <= noise->wrong && noise->wrong <= noise->high);
}

/* Mean over the doubts, and the share of wrong labels among as many as there are wrong ones. */
static double precision(const world *w, const vg_label_noise *noise, double *sum,
                        size_t *suggestions)
{
    vg_error err = {0};
    vg_opinions o = opinions_of(w);
    float *doubt = malloc(w->count * sizeof *doubt);
    int32_t *suggested = malloc(w->count * sizeof *suggested);
    assert_true(doubt && suggested);
    assert_ok(vg_label_noise_doubts(noise, &o, doubt, suggested, &err));
    *sum = 0;
    *suggestions = 0;
    double hits = 0;
    for (size_t n = 0; n < w->count; n++) {
        size_t before = 0;
        *sum += doubt[n];
        assert_true(doubt[n] >= 0 && doubt[n] <= 1);
        assert_int_not_equal(suggested[n], w->given[n]);
        if (w->given[n] == w->truth[n])
            continue;
        for (size_t m = 0; m < w->count; m++)
            before += doubt[m] > doubt[n];
        hits += before < w->wrong;
        *suggestions += suggested[n] == w->truth[n];
    }
    free(doubt);
    free(suggested);
    return hits / (double)w->wrong;
}

static void test_scattered(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 6000, 4, scattered);
    vg_opinions o = opinions_of(&w);
    vg_label_noise noise;
    double sum;
    size_t suggestions;
    assert_ok(vg_label_noise_estimate(&o, &noise, &err));
    assert_close(noise.wrong, (double)w.wrong, 0.15);
    assert_covers(&noise, &w);
    assert_int_equal(noise.kind, VG_NOISE_SCATTERED);
    assert_int_equal(noise.pair_count, 0);
    for (int j = 0; j < 6; j++) {
        double row = 0;
        for (int i = 0; i < 6; i++)
            row += noise.transition[j * 6 + i];
        assert_near(row, 1, 1e-9);
        assert_true(noise.transition[j * 6 + j] > 0.86 && noise.transition[j * 6 + j] < 0.94);
    }
    assert_true(precision(&w, &noise, &sum, &suggestions) > 0.75);
    assert_close(sum, (double)w.wrong, 0.15);
    assert_true(suggestions > w.wrong * 8 / 10);
    vg_label_noise_reset(&noise);
    world_free(&w);
}

/* The network confuses each class with the next, the labels with the one after that: nothing of the first may be taken for
 * the second. */
static void test_pairs(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 6000, 4, next_but_one);
    vg_opinions o = opinions_of(&w);
    vg_label_noise noise;
    double sum;
    size_t suggestions;
    assert_ok(vg_label_noise_estimate(&o, &noise, &err));
    assert_close(noise.wrong, (double)w.wrong, 0.15);
    assert_covers(&noise, &w);
    assert_int_equal(noise.kind, VG_NOISE_PAIRS);
    assert_int_equal(noise.pair_count, 6);
    for (size_t p = 0; p < 6; p++) {
        const vg_noise_pair *pair = &noise.pairs[p];
        assert_int_equal(pair->given, (pair->truth + 2) % 6);
        assert_true(pair->low > 0 && pair->low < 0.1 && pair->share > 0.07 && pair->share < 0.13);
        assert_true(p == 0 || pair->images <= noise.pairs[p - 1].images);
    }
    assert_true(precision(&w, &noise, &sum, &suggestions) > 0.9);
    vg_label_noise_reset(&noise);
    world_free(&w);
}

/* Wrong labels where the network errs too. */
static void test_look_alike(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 6000, 4, look_alike);
    vg_opinions o = opinions_of(&w);
    vg_label_noise noise;
    assert_ok(vg_label_noise_estimate(&o, &noise, &err));
    assert_close(noise.wrong, (double)w.wrong, 0.15);
    assert_covers(&noise, &w);
    assert_int_equal(noise.kind, VG_NOISE_PAIRS);
    assert_int_equal(noise.pair_count, 6);
    vg_label_noise_reset(&noise);
    world_free(&w);
}

static void test_one_pair_among_little_noise(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 6000, 4, one_pair);
    vg_opinions o = opinions_of(&w);
    vg_label_noise noise;
    assert_ok(vg_label_noise_estimate(&o, &noise, &err));
    assert_int_equal(noise.pair_count, 1);
    assert_int_equal(noise.pairs[0].truth, 3);
    assert_int_equal(noise.pairs[0].given, 1);
    assert_close(noise.pairs[0].images, 250, 0.2);
    assert_covers(&noise, &w);
    vg_label_noise_reset(&noise);
    world_free(&w);
}

static void test_clean_is_not_accused(void **state)
{
    (void)state;
    vg_error err = {0};
    world good = make(6, 6000, 4, clean), poor = make(6, 6000, 1, clean);
    const world *both[] = {&good, &poor};
    for (int i = 0; i < 2; i++) {
        vg_opinions o = opinions_of(both[i]);
        vg_label_noise noise;
        assert_ok(vg_label_noise_estimate(&o, &noise, &err));
        assert_true(noise.low <= 0);
        assert_int_equal(noise.kind, VG_NOISE_NONE);
        assert_int_equal(noise.pair_count, 0);
        assert_true(i == 1 || noise.wrong < 60);
        vg_label_noise_reset(&noise);
    }
    world_free(&good);
    world_free(&poor);
}

static void test_two_classes(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(2, 4000, 4, flipped);
    vg_opinions o = opinions_of(&w);
    vg_label_noise noise;
    assert_ok(vg_label_noise_estimate(&o, &noise, &err));
    assert_close(noise.wrong, (double)w.wrong, 0.15);
    assert_covers(&noise, &w);
    assert_int_equal(noise.pair_count, 0);
    assert_true(noise.transition[1] > 1.5 * noise.transition[2]);
    vg_label_noise_reset(&noise);
    world_free(&w);
}

static void test_few_pictures_give_a_wide_interval(void **state)
{
    (void)state;
    vg_error err = {0};
    world many = make(6, 6000, 4, scattered), few = make(6, 120, 4, scattered);
    vg_opinions o = opinions_of(&many), p = opinions_of(&few);
    vg_label_noise a, b;
    assert_ok(vg_label_noise_estimate(&o, &a, &err));
    assert_ok(vg_label_noise_estimate(&p, &b, &err));
    assert_covers(&b, &few);
    assert_true((b.high - b.low) / 120 > 3 * (a.high - a.low) / 6000);
    vg_label_noise_reset(&a);
    vg_label_noise_reset(&b);
    world_free(&many);
    world_free(&few);
}

static void test_order_does_not_matter(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 1200, 4, scattered), back = make(6, 1200, 4, scattered);
    for (size_t n = 0; n < w.count; n++) {
        back.given[n] = w.given[w.count - 1 - n];
        memcpy(back.logits + n * 6, w.logits + (w.count - 1 - n) * 6, 6 * sizeof *w.logits);
    }
    vg_opinions o = opinions_of(&w), p = opinions_of(&back);
    vg_label_noise a, b;
    assert_ok(vg_label_noise_estimate(&o, &a, &err));
    assert_ok(vg_label_noise_estimate(&p, &b, &err));
    assert_near(a.wrong, b.wrong, 1e-6);
    assert_near(a.low, b.low, 1e-6);
    for (int i = 0; i < 36; i++)
        assert_near(a.transition[i], b.transition[i], 1e-9);
    vg_label_noise_reset(&a);
    vg_label_noise_reset(&b);
    world_free(&w);
    world_free(&back);
}

static void test_first_guess(void **state)
{
    (void)state;
    vg_error err = {0};
    world w = make(6, 6000, 4, next_but_one), few = make(6, 12, 4, clean);
    vg_opinions o = opinions_of(&w), p = opinions_of(&few);
    double t[36];
    assert_ok(vg_label_noise_count(&o, t, &err));
    for (int j = 0; j < 6; j++) {
        double sum = 0;
        for (int i = 0; i < 6; i++)
            sum += t[j * 6 + i];
        assert_near(sum, 1, 1e-9);
        assert_near(t[j * 6 + (j + 2) % 6], 0.1, 0.06);
        assert_near(t[j * 6 + (j + 1) % 6], 0, 0.02);
    }
    assert_ok(vg_label_noise_count(&p, t, &err));
    p.classes = 1;
    assert_int_equal(vg_label_noise_count(&p, t, &err), VG_E_ARG);
    world_free(&w);
    world_free(&few);
}

/* A class that no picture is taken for, equal outputs, one picture. */
static void test_degenerate(void **state)
{
    (void)state;
    vg_error err = {0};
    const float logits[4 * 3] = {0};
    const int32_t labels[4] = {0, 1, 2, 2};
    float doubt[4];
    for (size_t count = 1; count <= 4; count++) {
        vg_opinions o = {logits, labels, count, 3};
        vg_label_noise noise;
        assert_ok(vg_label_noise_estimate(&o, &noise, &err));
        assert_true(isfinite(noise.wrong) && isfinite(noise.high) && noise.high <= (double)count);
        assert_true(noise.low <= 0);
        for (int i = 0; i < 9; i++)
            assert_true(noise.transition[i] >= 0 && noise.transition[i] <= 1);
        assert_ok(vg_label_noise_doubts(&noise, &o, doubt, NULL, &err));
        vg_label_noise_reset(&noise);
    }
}

static vg_status estimate_two(int classes, size_t count, int second, float last, vg_error *err)
{
    const float logits[4] = {0, 0, 0, last};
    const int32_t labels[2] = {0, second};
    const vg_opinions o = {logits, labels, count, classes};
    vg_label_noise noise;
    vg_status status = vg_label_noise_estimate(&o, &noise, err);
    assert_true((noise.transition == NULL) == (status != VG_OK));
    vg_label_noise_reset(&noise);
    return status;
}

static void test_errors(void **state)
{
    (void)state;
    vg_error err = {0};
    assert_int_equal(estimate_two(1, 2, 0, 0, &err), VG_E_ARG);
    assert_contains(err.message, "1 classes");
    assert_int_equal(estimate_two(2, 0, 1, 0, &err), VG_E_ARG);
    assert_int_equal(estimate_two(2, 2, 2, 0, &err), VG_E_ARG);
    assert_contains(err.message, "picture 1 has label 2");
    assert_int_equal(estimate_two(2, 2, -1, 0, &err), VG_E_ARG);
    assert_int_equal(estimate_two(2, 2, 1, NAN, &err), VG_E_NUMERIC);
    assert_contains(err.message, "picture 1");
    assert_ok(estimate_two(2, 2, 1, 0, &err));
    const float logits[2] = {0};
    const int32_t label = 0;
    const vg_opinions o = {logits, &label, 1, 1};
    const vg_label_noise other = {.classes = 2};
    float doubt;
    assert_int_equal(vg_label_noise_doubts(&other, &o, &doubt, NULL, &err), VG_E_ARG);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_scattered),
        cmocka_unit_test(test_pairs),
        cmocka_unit_test(test_look_alike),
        cmocka_unit_test(test_one_pair_among_little_noise),
        cmocka_unit_test(test_clean_is_not_accused),
        cmocka_unit_test(test_two_classes),
        cmocka_unit_test(test_few_pictures_give_a_wide_interval),
        cmocka_unit_test(test_order_does_not_matter),
        cmocka_unit_test(test_first_guess),
        cmocka_unit_test(test_degenerate),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
