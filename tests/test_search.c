/* Tests of study/search.h: spaces in words, grids, and that a model of the results is worth having. */
#include "test.h"

#include "study/search.h"

#include <math.h>

static vg_error err;

static void add(vg_search_space *space, const char *name, const char *words)
{
    assert_ok(vg_search_space_add(space, name, words, &err));
}

static void test_spaces_in_words(void **state)
{
    (void)state;
    vg_search_space s = {0};
    add(&s, "learning_rate", "1e-4 .. 0.1 log");
    add(&s, "batch", "16..128 whole log");
    add(&s, "dropout", "-0.5 .. 0.5");
    add(&s, "augment", "none | light flip=h|heavy");
    assert_true(s.keys[0].logarithmic && !s.keys[0].whole && s.keys[0].low == 1e-4);
    assert_true(s.keys[1].logarithmic && s.keys[1].whole && s.keys[1].high == 128);
    assert_true(s.keys[2].low == -0.5 && s.keys[2].kind == VG_SEARCH_NUMBER);
    assert_int_equal(s.keys[3].word_count, 3);
    assert_string_equal(s.keys[3].words[1], "light flip=h");
    static const struct {
        const char *words, *message;
    } wrong[] = {
        {"0.1 .. 0.01", "the first bound must be below the second"},
        {"0 .. 1 log", "with log both bounds must be above 0"},
        {"0.5 .. 8 whole", "must be whole numbers"},
        {"1 .. 8 round", "allowed: LOW .. HIGH"},
        {"1 .. many", "allowed: LOW .. HIGH"},
        {"sgd", "nothing to choose from"},
        {"sgd | sgd", "\"sgd\" stands there twice"},
        {"sgd | ", "allowed: LOW .. HIGH"},
        {"nan .. 3", "the first bound must be below"},
    };
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        assert_int_not_equal(vg_search_space_add(&s, "key", wrong[i].words, &err), VG_OK);
        assert_contains(err.message, wrong[i].message);
        assert_contains(err.message, "key");
    }
    assert_int_equal(vg_search_space_add(&s, "batch", "1 .. 2", &err), VG_E_ARG);
    for (int i = s.count; i < VG_SEARCH_KEYS; i++) {
        char name[20];
        snprintf(name, sizeof name, "key%d", i);
        add(&s, name, "1 .. 2");
    }
    assert_int_equal(vg_search_space_add(&s, "one more", "1 .. 2", &err), VG_E_LIMIT);
    vg_search_space_reset(&s);
}

static void test_grid(void **state)
{
    (void)state;
    vg_search_space s = {0};
    add(&s, "optimizer", "sgd | adam");
    add(&s, "learning_rate", "0.001 .. 0.1 log");
    add(&s, "epochs", "2 .. 3 whole");
    vg_search_options o = vg_search_options_default();
    o.method = VG_SEARCH_GRID;
    o.points = 3;
    assert_int_equal(vg_search_size(&s, &o), 12);
    char texts[12][3][40];
    vg_search_point p = {0};
    for (int i = 0; i < 12; i++) {
        assert_ok(vg_search_next(&s, &o, (uint64_t)i, NULL, 0, &p, &err));
        for (int k = 0; k < 3; k++)
            vg_search_print(&s.keys[k], p.at[k], texts[i][k], 40);
        for (int j = 0; j < i; j++)
            assert_false(strcmp(texts[i][0], texts[j][0]) == 0 &&
                         strcmp(texts[i][1], texts[j][1]) == 0 &&
                         strcmp(texts[i][2], texts[j][2]) == 0);
    }
    assert_string_equal(texts[0][0], "sgd");
    assert_string_equal(texts[2][1], "0.01");
    assert_string_equal(texts[11][1], "0.1");
    assert_string_equal(texts[11][2], "3");
    assert_int_equal(vg_search_next(&s, &o, 12, NULL, 0, &p, &err), VG_END);
    vg_search_space_reset(&s);
}

/* A training as a formula: the rate has one good place on a logarithmic scale, which the optimizer moves; one word is better
 * than the others, one number hardly matters. */
static double pretended(const vg_search_point *p)
{
    double rate = log10(p->at[0]), best = p->at[1] == 1 ? -3 : -1.3;
    double word = p->at[2] == 2 ? 0 : p->at[2] == 0 ? 0.1 : 0.25;
    return 0.9 - 0.12 * (rate - best) * (rate - best) - word - 0.02 * fabs(p->at[3] - 64) / 64 -
           (p->at[1] == 0 ? 0.05 : 0);
}

static vg_search_space space_of_training(void)
{
    vg_search_space s = {0};
    add(&s, "learning_rate", "1e-5 .. 1 log");
    add(&s, "optimizer", "sgd | adam");
    add(&s, "augment", "none | light | standard | heavy | keras-default");
    add(&s, "batch", "16 .. 256 whole log");
    return s;
}

enum { TRIALS = 40, SEEDS = 150 };

static double best_of(vg_search_method method, uint64_t seed, vg_search_point *points)
{
    vg_search_space s = space_of_training();
    vg_search_options o = vg_search_options_default();
    vg_search_result results[TRIALS] = {0};
    double best = -INFINITY;
    o.method = method;
    o.seed = seed;
    for (uint64_t i = 0; i < TRIALS; i++) {
        assert_ok(vg_search_next(&s, &o, i, results, (size_t)i, &results[i].point, &err));
        results[i].value = i % 9 == 8 ? NAN : pretended(&results[i].point); /* some fail */
        best = fmax(best, isnan(results[i].value) ? best : results[i].value);
        points[i] = results[i].point;
    }
    vg_search_space_reset(&s);
    return best;
}

static void test_the_model_beats_chance(void **state)
{
    (void)state;
    static vg_search_point a[TRIALS], b[TRIALS];
    double sum = 0, squares = 0;
    int wins = 0;
    for (uint64_t seed = 1; seed <= SEEDS; seed++) {
        double tpe = best_of(VG_SEARCH_TPE, seed, a), chance = best_of(VG_SEARCH_RANDOM, seed, b);
        assert_memory_equal(a, b, 10 * sizeof *a); /* the same beginning */
        wins += tpe > chance;
        sum += tpe - chance;
        squares += (tpe - chance) * (tpe - chance);
    }
    double mean = sum / SEEDS,
           deviation = sqrt((squares / SEEDS - mean * mean) * SEEDS / (SEEDS - 1));
    double t = mean / (deviation / sqrt(SEEDS));
    print_message("tpe %+.4f over random, t %.1f, better in %d of %d\n", mean, t, wins, SEEDS);
    assert_true(t > 3.5); /* p < 0.001, two-sided */
    assert_true(wins > SEEDS * 3 / 5);
}

static void test_points_stay_inside_and_repeat(void **state)
{
    (void)state;
    static vg_search_point a[TRIALS], b[TRIALS];
    vg_search_space s = space_of_training();
    best_of(VG_SEARCH_TPE, 5, a);
    best_of(VG_SEARCH_TPE, 5, b);
    assert_memory_equal(a, b, sizeof a);
    best_of(VG_SEARCH_TPE, 6, b);
    assert_memory_not_equal(a, b, sizeof a);
    for (int i = 0; i < TRIALS; i++)
        for (int k = 0; k < s.count; k++) {
            const vg_search_key *key = &s.keys[k];
            double at = a[i].at[k];
            if (key->kind == VG_SEARCH_WORD)
                assert_true(at >= 0 && at < key->word_count && floor(at) == at);
            else
                assert_true(at >= key->low && at <= key->high && (!key->whole || floor(at) == at));
            char text[40];
            vg_search_print(key, at, text, sizeof text);
            if (key->kind == VG_SEARCH_NUMBER) /* a job that holds the text is the trial itself */
                assert_true(strtod(text, NULL) == at);
        }
    vg_search_space_reset(&s);
}

/* What was tried is not tried again as long as there is anything else. */
static void test_small_spaces_are_walked_through(void **state)
{
    (void)state;
    vg_search_space s = {0};
    add(&s, "a", "x | y | z");
    add(&s, "b", "1 .. 4 whole");
    for (int method = VG_SEARCH_TPE; method <= VG_SEARCH_RANDOM; method++) {
        vg_search_options o = vg_search_options_default();
        vg_search_result r[12] = {0};
        int different = 0;
        o.method = (vg_search_method)method;
        o.beginning = 4;
        for (uint64_t i = 0; i < 12; i++) {
            assert_ok(vg_search_next(&s, &o, i, r, (size_t)i, &r[i].point, &err));
            r[i].value = r[i].point.at[0] + r[i].point.at[1];
            bool again = false;
            for (uint64_t j = 0; j < i; j++)
                again |=
                    r[j].point.at[0] == r[i].point.at[0] && r[j].point.at[1] == r[i].point.at[1];
            different += !again;
        }
        assert_true(different >= 9);
    }
    vg_search_space_reset(&s);
}

static void test_giving_up(void **state)
{
    (void)state;
    static const double good[] = {0.5, 0.6, 0.7, 0.8, 0.8, 0.8, 0.8, 0.8, 0.8},
                        middle[] = {0.4, 0.5, 0.5, 0.55, 0.6, 0.6, 0.6, 0.6, 0.6},
                        bad[] = {0.1, 0.1, NAN, 0.1, 0.1, 0.1, 0.1, 0.1, 0.1};
    const vg_search_curve others[] = {{good, 9}, {middle, 9}, {good, 9}, {bad, 2}};
    const vg_search_curve own_bad = {bad, 3}, own_middle = {middle, 3}, own_good = {good, 3},
                          early = {bad, 1}, at_end = {bad, 9};
    assert_false(vg_search_gives_up(VG_GIVING_UP_NONE, true, 9, &own_bad, others, 4, 3));
    assert_true(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &own_bad, others, 4, 3));
    assert_false(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &own_good, others, 4, 3));
    /* three came to epoch 3, two of them are better than 0.5 */
    assert_true(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &own_middle, others, 4, 3));
    assert_false(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &own_middle, others, 4, 4));
    assert_false(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &at_end, others, 4, 3));
    /* of losses the small ones are good */
    assert_false(vg_search_gives_up(VG_GIVING_UP_MEDIAN, false, 9, &own_bad, others, 4, 3));
    assert_true(vg_search_gives_up(VG_GIVING_UP_HALVING, true, 9, &own_bad, others, 4, 3));
    assert_true(vg_search_gives_up(VG_GIVING_UP_HALVING, true, 9, &early, others, 4, 3));
    const vg_search_curve between = {bad, 2};
    assert_false(vg_search_gives_up(VG_GIVING_UP_HALVING, true, 9, &between, others, 4, 3));
    const double nothing[] = {NAN, NAN, NAN};
    const vg_search_curve lost = {nothing, 3};
    assert_true(vg_search_gives_up(VG_GIVING_UP_MEDIAN, true, 9, &lost, others, 4, 3));
}

static void test_who_has_won(void **state)
{
    (void)state;
    const double clear[] = {0.8, 0.81, 0.9, 0.91, 0.5, 0.51}, close[] = {0.8, 0.7, 0.78, 0.76};
    vg_search_judgement j = vg_search_judge(clear, 3, 2, true);
    assert_int_equal(j.winner, 1);
    assert_int_equal(j.second, 0);
    assert_near(j.mean, 0.905, 1e-12);
    assert_near(j.lead, 0.1, 1e-12);
    /* deviation 0.01 / sqrt 2 in three groups: t(3) = 3.182 */
    assert_near(j.margin, 3.182 * 0.01 / sqrt(2), 1e-4);
    assert_false(j.within_noise);
    j = vg_search_judge(clear, 3, 2, false);
    assert_int_equal(j.winner, 2);
    j = vg_search_judge(close, 2, 2, true);
    assert_int_equal(j.winner, 1);
    assert_true(j.within_noise && j.lead < j.margin);
    j = vg_search_judge(clear, 6, 1, true); /* one seed each */
    assert_int_equal(j.winner, 3);
    assert_true(isnan(j.margin) && j.within_noise);
    const double failed[] = {NAN, 0.9, 0.3, 0.4};
    j = vg_search_judge(failed, 2, 2, true);
    assert_int_equal(j.winner, 1);
    assert_int_equal(j.second, -1);
    assert_int_equal(vg_search_judge(failed, 1, 2, true).winner, -1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_spaces_in_words),
        cmocka_unit_test(test_grid),
        cmocka_unit_test(test_the_model_beats_chance),
        cmocka_unit_test(test_points_stay_inside_and_repeat),
        cmocka_unit_test(test_small_spaces_are_walked_through),
        cmocka_unit_test(test_giving_up),
        cmocka_unit_test(test_who_has_won),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
