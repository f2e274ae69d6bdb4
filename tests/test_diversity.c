/* Output measures, layer spread and rank against recorded values (tests/golden/diversity.py). */
#include "test.h"

#include "observe/measure.h"
#include "observe/verdict.h"

#include <math.h>
#include <omp.h>

enum { CLASSES_MOST = 64 };

/* One recorded block of outputs and what the other implementation says about it. */
typedef struct recorded {
    char name[80];
    int n, classes;
    float *logits;
    int32_t *labels;
    double accuracy, balanced, loss, top, label_top, d1, d1_upper, d2, d4, p, nonfinite;
    int d3;
    char missing[CLASSES_MOST + 1], verdict[32];
} recorded;

static FILE *open_recorded(void)
{
    FILE *file = fopen(VG_TEST_FILES "/diversity.txt", "r");
    assert_non_null(file);
    return file;
}

/* "outputs one class 300 10" -> name and the two numbers at the end. */
static bool next_block(FILE *file, const char *kind, char *name, int *rows, int *columns)
{
    static char line[1 << 16];
    size_t length = strlen(kind);
    while (fgets(line, sizeof line, file)) {
        if (strncmp(line, kind, length) != 0 || line[length] != ' ')
            continue;
        char *second = strrchr(line, ' ');
        *columns = (int)strtol(second, NULL, 10);
        *second = 0;
        char *first = strrchr(line, ' ');
        *rows = (int)strtol(first, NULL, 10);
        *first = 0;
        snprintf(name, 80, "%s", line + length + 1);
        return true;
    }
    return false;
}

static double field(FILE *file, const char *key)
{
    char word[32], value[32];
    assert_int_equal(fscanf(file, "%31s %31s", word, value), 2);
    assert_string_equal(word, key);
    return strtod(value, NULL);
}

static float *read_values(FILE *file, const char *key, size_t count)
{
    char word[32];
    assert_int_equal(fscanf(file, "%31s", word), 1);
    assert_string_equal(word, key);
    float *values = malloc(count * sizeof *values);
    assert_non_null(values);
    for (size_t i = 0; i < count; i++) {
        assert_int_equal(fscanf(file, "%31s", word), 1);
        values[i] = strtof(word, NULL) / 1024;
    }
    return values;
}

static bool next_outputs(FILE *file, recorded *r)
{
    if (!next_block(file, "outputs", r->name, &r->n, &r->classes))
        return false;
    assert_in_range(r->classes, 2, CLASSES_MOST);
    r->accuracy = field(file, "accuracy");
    r->balanced = field(file, "balanced");
    r->loss = field(file, "loss");
    r->top = field(file, "top");
    r->label_top = field(file, "label_top");
    r->d1 = field(file, "d1");
    r->d1_upper = field(file, "d1_upper");
    r->d2 = field(file, "d2");
    r->d3 = (int)field(file, "d3");
    assert_int_equal(fscanf(file, " missing %64s", r->missing), 1);
    r->d4 = field(file, "d4");
    r->p = field(file, "p");
    r->nonfinite = field(file, "nonfinite");
    assert_int_equal(fscanf(file, " verdict %31s", r->verdict), 1);
    char word[16];
    assert_int_equal(fscanf(file, "%15s", word), 1);
    assert_string_equal(word, "labels");
    r->labels = malloc((size_t)r->n * sizeof *r->labels);
    assert_non_null(r->labels);
    for (int i = 0; i < r->n; i++)
        assert_int_equal(fscanf(file, "%d", &r->labels[i]), 1);
    r->logits = read_values(file, "logits", (size_t)r->n * (size_t)r->classes);
    return true;
}

static void release(recorded *r)
{
    free(r->logits);
    free(r->labels);
}

static void measure(const recorded *r, vg_diversity *d)
{
    vg_error err;
    assert_ok(vg_diversity_of_outputs(r->logits, r->labels, (size_t)r->n, r->classes, d, &err));
}

/* What does not depend on random draws must agree to rounding. */
static void outputs_agree_with_the_independent_program(void **state)
{
    (void)state;
    FILE *file = open_recorded();
    recorded r;
    vg_diversity d = {0};
    int cases = 0;
    for (; next_outputs(file, &r); cases++) {
        print_message("%s\n", r.name);
        measure(&r, &d);
        assert_int_equal(d.samples, r.n);
        assert_near(d.accuracy, r.accuracy, 1e-11);
        assert_near(d.balanced_accuracy, r.balanced, 1e-11);
        assert_near(d.top_share, r.top, 1e-11);
        assert_near(d.top_label_share, r.label_top, 1e-11);
        assert_near(d.input_information, r.d1, 1e-9);
        assert_near(d.effective_classes, r.d2, 1e-9);
        assert_int_equal(d.missing_plain, r.d3);
        assert_near(d.label_information, r.d4, 1e-9);
        assert_near(d.nonfinite_share, r.nonfinite, 1e-6);
        if (r.nonfinite == 0)
            assert_near(d.loss, r.loss, 1e-9);
        int missing = 0;
        for (int c = 0; c < r.classes; c++) {
            assert_int_equal(d.missing[c], r.missing[c] == '1');
            missing += d.missing[c];
        }
        assert_int_equal(d.missing_count, missing);
        release(&r);
    }
    assert_true(cases >= 18);
    vg_diversity_reset(&d);
    fclose(file);
}

/* Two bootstraps of 1000 differ by their own error: the end of a 95 % interval has a standard error
 * of about a twentieth of its distance from the middle. */
static void chance_agrees_within_its_own_error(void **state)
{
    (void)state;
    FILE *file = open_recorded();
    recorded r;
    vg_diversity d = {0};
    while (next_outputs(file, &r)) {
        measure(&r, &d);
        double middle = (d.input_information_low + d.input_information_high) / 2;
        double half = d.input_information_high - middle;
        assert_true(half >= 0);
        assert_near(d.input_information_high, r.d1_upper, 0.3 * half + 1e-6);
        assert_near(d.label_information_p, r.p, r.p > 0.01 && r.p < 0.99 ? 0.1 : 0.004);
        assert_true(d.label_information_p >= 1.0 / 500 && d.label_information_p <= 1);
        release(&r);
    }
    vg_diversity_reset(&d);
    fclose(file);
}

/* Where the rules are the same so are the verdicts; where they differ it is known why. */
static void verdicts_agree_where_the_rules_do(void **state)
{
    static const struct {
        const char *name;
        vg_verdict verdict;
    } different[] = {
        /* skill is needed for "healthy" */
        {"renamed classes", VG_VERDICT_DIVERSE_BUT_WRONG},
        /* a share of bad rows is a finding of its own */
        {"some not finite", VG_VERDICT_UNDECIDED},
    };
    (void)state;
    FILE *file = open_recorded();
    recorded r;
    vg_diversity d = {0};
    size_t expected = 0;
    while (next_outputs(file, &r)) {
        char reason[200];
        measure(&r, &d);
        const char *wanted = r.verdict;
        for (size_t i = 0; i < sizeof different / sizeof *different; i++)
            if (!strcmp(different[i].name, r.name)) {
                wanted = vg_verdict_name(different[i].verdict);
                expected++;
            }
        print_message("%s: ", r.name);
        const char *verdict = vg_verdict_name(vg_verdict_of(&d, reason, sizeof reason));
        print_message("%s: %s\n", verdict, reason);
        assert_string_equal(verdict, wanted);
        assert_true(strlen(reason) > 20);
        release(&r);
    }
    assert_int_equal(expected, sizeof different / sizeof *different);
    vg_diversity_reset(&d);
    fclose(file);
}

static bool same_bits(const vg_diversity *a, const vg_diversity *b)
{
    return a->input_information == b->input_information &&
           a->input_information_low == b->input_information_low &&
           a->input_information_high == b->input_information_high &&
           a->label_information == b->label_information &&
           a->label_information_p == b->label_information_p && a->loss == b->loss &&
           a->balanced_low == b->balanced_low && a->balanced_high == b->balanced_high;
}

static void bits_do_not_depend_on_threads(void **state)
{
    (void)state;
    FILE *file = open_recorded();
    recorded r;
    vg_diversity one = {0}, many = {0};
    int threads = omp_get_max_threads();
    assert_true(next_outputs(file, &r));
    omp_set_num_threads(1);
    measure(&r, &one);
    for (int t = 2; t <= 5; t++) {
        omp_set_num_threads(t);
        measure(&r, &many);
        assert_true(same_bits(&one, &many));
    }
    omp_set_num_threads(threads);
    release(&r);
    vg_diversity_reset(&one);
    vg_diversity_reset(&many);
    fclose(file);
}

/* The interval of balanced accuracy covers what it should: recalls are drawn from known ones. */
static void balanced_interval_covers(void **state)
{
    (void)state;
    enum { CLASSES = 4, EACH = 20, N = CLASSES * EACH, TRIALS = 400 };
    static const double recall[CLASSES] = {1, 0.9, 0.6, 0};
    float logits[N * CLASSES];
    int32_t labels[N];
    vg_diversity d = {0};
    vg_error err;
    uint32_t random = 1;
    int covered = 0;
    for (int trial = 0; trial < TRIALS; trial++) {
        for (int i = 0; i < N; i++) {
            labels[i] = i % CLASSES;
            random = random * 1664525u + 1013904223u;
            bool right = (random >> 8) * 0x1p-24 < recall[labels[i]];
            for (int k = 0; k < CLASSES; k++)
                logits[i * CLASSES + k] = k == (labels[i] + !right) % CLASSES;
        }
        assert_ok(vg_diversity_of_outputs(logits, labels, N, CLASSES, &d, &err));
        assert_true(d.balanced_low < d.balanced_accuracy && d.balanced_accuracy < d.balanced_high);
        covered += d.balanced_low <= 0.625 && 0.625 <= d.balanced_high;
    }
    print_message("covered %d of %d\n", covered, TRIALS);
    assert_true(covered >= TRIALS * 92 / 100);
    vg_diversity_reset(&d);
}

static void unusable_outputs_are_refused(void **state)
{
    (void)state;
    float logits[6] = {0};
    int32_t labels[3] = {0, 1, 2};
    vg_diversity d = {0};
    vg_error err;
    assert_int_equal(vg_diversity_of_outputs(logits, labels, 0, 2, &d, &err), VG_E_ARG);
    assert_contains(err.message, "0 samples");
    assert_int_equal(vg_diversity_of_outputs(logits, labels, 3, 1, &d, &err), VG_E_ARG);
    assert_contains(err.message, "2 are needed");
    assert_int_equal(vg_diversity_of_outputs(logits, labels, 3, 2, &d, &err), VG_E_ARG);
    assert_contains(err.message, "sample 2 has label 2");
    labels[2] = -1;
    assert_int_equal(vg_diversity_of_outputs(logits, labels, 3, 2, &d, &err), VG_E_ARG);
    assert_null(d.recall);
}

static void a_probe_of_one_class_tells_nothing(void **state)
{
    (void)state;
    float logits[] = {1, 0, 0, 1, 0, 0};
    int32_t labels[] = {0, 0};
    vg_diversity d = {0};
    vg_error err;
    char reason[200];
    assert_ok(vg_diversity_of_outputs(logits, labels, 2, 3, &d, &err));
    assert_true(isnan(d.input_information) && isnan(d.label_information_p));
    assert_true(isnan(d.recall[1]) && isnan(d.recall[2]));
    assert_near(d.balanced_accuracy, 1, 0);
    assert_int_equal(vg_verdict_of(&d, reason, sizeof reason), VG_VERDICT_UNDECIDED);
    assert_contains(reason, "single class");
    vg_diversity_reset(&d);
}

/* Labels 9 : 1, outputs 1 : 1 and sure: ln 2 over H(0.1), which an interval has to be allowed to hold. Equal outputs have
 * no information, and rounding does not make it negative. */
static void information_is_above_one_where_labels_are_uneven(void **state)
{
    (void)state;
    enum { ROWS = 200, CLASSES_OF_EQUAL = 7 };
    float logits[ROWS * CLASSES_OF_EQUAL];
    int32_t labels[ROWS];
    vg_diversity d = {0};
    vg_error err;
    for (int i = 0; i < ROWS; i++) {
        labels[i] = i % 10 == 0;
        logits[2 * i] = i % 2 ? 100 : 0;
        logits[2 * i + 1] = i % 2 ? 0 : 100;
    }
    assert_ok(vg_diversity_of_outputs(logits, labels, ROWS, 2, &d, &err));
    double h = -0.1 * log(0.1) - 0.9 * log(0.9);
    assert_near(d.input_information, log(2) / h, 1e-9);
    assert_true(d.input_information_low > 1 && d.input_information_high > 1);
    assert_true(d.input_information_high <= log(2) / h + 1e-9);
    for (int round = 0; round < 20; round++) {
        for (int i = 0; i < ROWS * CLASSES_OF_EQUAL; i++)
            logits[i] = 0.1f * (float)((i % CLASSES_OF_EQUAL) * (round + 1));
        assert_ok(vg_diversity_of_outputs(logits, labels, ROWS, CLASSES_OF_EQUAL, &d, &err));
        assert_true(d.input_information >= 0 && d.input_information < 1e-12);
        assert_true(d.input_information_low >= 0);
    }
    vg_diversity_reset(&d);
}

/* Spread, level and rank of recorded features, fed in uneven batches and whole. */
static void features_agree_with_the_independent_program(void **state)
{
    (void)state;
    FILE *file = open_recorded();
    char name[80];
    int rows, columns, cases = 0;
    vg_error err;
    for (; next_block(file, "features", name, &rows, &columns); cases++) {
        print_message("%s\n", name);
        double spread = field(file, "spread"), level = field(file, "level");
        double rank = field(file, "rank"), found, found_level, again, again_level;
        float *h = read_values(file, "values", (size_t)rows * (size_t)columns);
        vg_layer_sums sums;
        assert_ok(vg_layer_sums_init(&sums, (size_t)columns, &err));
        vg_layer_sums_add(&sums, h, NULL, rows);
        vg_layer_sums_finish(&sums, &found, &found_level);
        assert_near(found, spread, 1e-12);
        assert_near(found_level, level, 1e-9);
        vg_layer_sums_begin(&sums);
        for (int at = 0, n = 1; at < rows; at += n, n = n % 7 + 1)
            vg_layer_sums_add(&sums, h + at * columns, NULL, n < rows - at ? n : rows - at);
        vg_layer_sums_finish(&sums, &again, &again_level);
        assert_true(found == again && found_level == again_level);
        vg_layer_sums_reset(&sums);
        assert_ok(vg_effective_rank(h, (size_t)rows, (size_t)columns, &found, &err));
        assert_near(found, rank, 1e-6 * (1 + rank));
        free(h);
    }
    assert_int_equal(cases, 6);
    fclose(file);
}

/* More features than a block, an odd rest, a row that counts as zero, values that are not finite.
 */
static void large_layers_and_bad_values(void **state)
{
    (void)state;
    enum { N = 5, F = 2 * 1024 + 13 };
    float *h = malloc(N * F * sizeof *h);
    bool usable[N] = {true, true, false, true, true};
    assert_non_null(h);
    for (int i = 0; i < N * F; i++)
        h[i] = (float)((i * 7919) % 101) / 16 - 2;
    for (int f = 0; f < F; f++)
        h[2 * F + f] = NAN;
    h[F + 3] = INFINITY;
    h[3 * F + 2050] = -NAN;
    double total = 0, power = 0, magnitude = 0, spread, level, other, other_level;
    for (int f = 0; f < F; f++) {
        double sum = 0, squares = 0;
        for (int i = 0; i < N; i++) {
            double value = isfinite(h[i * F + f]) ? (double)h[i * F + f] : 0;
            sum += value;
            squares += value * value;
            magnitude += fabs(value);
        }
        power += squares / N;
        total += squares / N - sum / N * sum / N;
    }
    vg_error err;
    vg_layer_sums sums;
    assert_ok(vg_layer_sums_init(&sums, F, &err));
    vg_layer_sums_add(&sums, h, usable, N);
    vg_layer_sums_finish(&sums, &spread, &level);
    assert_near(spread, total / power, 1e-10);
    assert_near(level, magnitude / N / F, 1e-10);
    int threads = omp_get_max_threads();
    omp_set_num_threads(3);
    vg_layer_sums_begin(&sums);
    vg_layer_sums_add(&sums, h, usable, N);
    vg_layer_sums_finish(&sums, &other, &other_level);
    omp_set_num_threads(threads);
    assert_true(other == spread && other_level == level);
    vg_layer_sums_reset(&sums);
    free(h);
}

static void rank_of_nothing_is_refused(void **state)
{
    (void)state;
    float h = 1;
    double rank;
    vg_error err;
    assert_int_equal(vg_effective_rank(&h, 0, 1, &rank, &err), VG_E_ARG);
    assert_int_equal(vg_effective_rank(&h, 1, 0, &rank, &err), VG_E_ARG);
    assert_contains(err.message, "no rank");
    assert_ok(vg_effective_rank(&h, 1, 1, &rank, &err));
    assert_near(rank, 0, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(outputs_agree_with_the_independent_program),
        cmocka_unit_test(chance_agrees_within_its_own_error),
        cmocka_unit_test(verdicts_agree_where_the_rules_do),
        cmocka_unit_test(bits_do_not_depend_on_threads),
        cmocka_unit_test(balanced_interval_covers),
        cmocka_unit_test(unusable_outputs_are_refused),
        cmocka_unit_test(a_probe_of_one_class_tells_nothing),
        cmocka_unit_test(information_is_above_one_where_labels_are_uneven),
        cmocka_unit_test(features_agree_with_the_independent_program),
        cmocka_unit_test(large_layers_and_bad_values),
        cmocka_unit_test(rank_of_nothing_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
