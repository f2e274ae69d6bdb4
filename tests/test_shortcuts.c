/* Tests of audit/shortcuts.c on numbers whose answer is known. */
#include "test.h"

#include "audit/shortcuts.h"
#include "base/rng.h"

#include <math.h>

enum { MOST = 60000 };
static double values[MOST];
static int labels[MOST];

static size_t fill(int classes, const size_t *sizes, const double *mean, double std, uint64_t seed)
{
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    size_t n = 0;
    for (int k = 0; k < classes; k++)
        for (size_t i = 0; i < sizes[k]; i++, n++) {
            labels[n] = k;
            values[n] = mean[k] + std * vg_rng_normal(&rng);
        }
    return n;
}

static int find(size_t n, int classes, vg_shortcut *found)
{
    vg_error err = {0};
    vg_property property = {"number", values};
    int count;
    assert_ok(vg_shortcuts_find(&property, 1, labels, n, classes, 2, found, &count, NULL, &err));
    return count;
}

/* Noise is never accused: balanced or not, few pictures or many. */
static void test_noise_is_not_accused(void **state)
{
    (void)state;
    const size_t even[] = {50, 50, 50, 50, 50}, skewed[] = {800, 31, 40, 100, 60};
    const size_t tiny[] = {6, 7, 5, 9, 8}, many[] = {9000, 9000, 9000, 9000, 9000};
    const size_t *sizes[] = {even, skewed, tiny, many};
    const double mean[5] = {0};
    vg_shortcut found[VG_SHORTCUTS];
    for (int kind = 0; kind < 4; kind++)
        for (uint64_t seed = 0; seed < (kind == 3 ? 2 : 12); seed++)
            assert_int_equal(find(fill(5, sizes[kind], mean, 1, seed), 5, found), 0);
}

static void test_a_planted_class_is_found(void **state)
{
    (void)state;
    const size_t even[] = {80, 80, 80, 80, 80, 80}, rare[] = {400, 400, 40, 200, 100, 60};
    double mean[6] = {0};
    mean[2] = -3;
    vg_shortcut found[VG_SHORTCUTS];
    for (uint64_t seed = 0; seed < 5; seed++) {
        assert_int_equal(find(fill(6, even, mean, 1, seed), 6, found), 1);
        assert_string_equal(found[0].property, "number");
        assert_int_equal(found[0].class_index, 2);
        assert_near(found[0].z, -3, 0.4);
        assert_near(found[0].chance, 1.0 / 6, 1e-12);
        /* the planted class almost always, the others by chance among five */
        assert_in_range((int)(100 * found[0].accuracy), 25, 36);
        assert_int_equal(find(fill(6, rare, mean, 1, seed), 6, found), 1);
        assert_int_equal(found[0].class_index, 2);
    }
}

static void test_two_values_name_two_classes(void **state)
{
    (void)state;
    const size_t sizes[] = {30, 70};
    const double mean[] = {1, 2};
    vg_shortcut found[VG_SHORTCUTS];
    assert_int_equal(find(fill(2, sizes, mean, 0, 0), 2, found), 1); /* no spread at all */
    assert_near(found[0].accuracy, 1, 1e-12);
    assert_near(fabs(found[0].z), 99, 0);
}

/* Significant, but not worth a line: a shift of a fifth of a deviation over 18,000 pictures. */
static void test_small_differences_are_let_be(void **state)
{
    (void)state;
    const size_t sizes[] = {9000, 9000};
    const double mean[] = {0, 0.2};
    vg_shortcut found[VG_SHORTCUTS];
    assert_int_equal(find(fill(2, sizes, mean, 1, 3), 2, found), 0);
}

static void test_nothing_to_tell(void **state)
{
    (void)state;
    const size_t sizes[] = {30, 30}, small[] = {30, 4};
    const double mean[] = {5, 5}, apart[] = {0, 9};
    vg_shortcut found[VG_SHORTCUTS];
    assert_int_equal(find(fill(2, sizes, mean, 0, 0), 2, found), 0);  /* all equal */
    assert_int_equal(find(fill(2, small, apart, 1, 0), 2, found), 0); /* one class is left */
    assert_int_equal(find(0, 2, found), 0);
    assert_int_equal(find(fill(1, sizes, mean, 1, 0), 1, found), 0);
}

/* A class without pictures enough to test keeps its number. */
static void test_labels_survive_small_classes(void **state)
{
    (void)state;
    const size_t sizes[] = {2, 60, 0, 60, 60};
    const double mean[] = {50, 0, 0, 0, 4};
    vg_shortcut found[VG_SHORTCUTS];
    assert_int_equal(find(fill(5, sizes, mean, 1, 0), 5, found), 1);
    assert_int_equal(found[0].class_index, 4);
    assert_near(found[0].chance, 1.0 / 3, 1e-12);
}

static void test_best_first_and_threads(void **state)
{
    (void)state;
    vg_error err = {0};
    const size_t sizes[] = {60, 60, 60};
    const double weak[] = {0, 0, 2}, strong[] = {0, 5, 10}, none[] = {0, 0, 0};
    static double copies[3][200];
    const double *means[] = {weak, none, strong};
    size_t n = 0;
    vg_property properties[3];
    const char *names[] = {"weak", "none", "strong"};
    for (int p = 0; p < 3; p++) {
        n = fill(3, sizes, means[p], 1, (uint64_t)p);
        memcpy(copies[p], values, n * sizeof values[0]);
        properties[p] = (vg_property){names[p], copies[p]};
    }
    vg_shortcut first[VG_SHORTCUTS], other[VG_SHORTCUTS];
    for (int threads = 1; threads <= 3; threads++) {
        int count;
        memset(other, 0, sizeof other);
        assert_ok(
            vg_shortcuts_find(properties, 3, labels, n, 3, threads, other, &count, NULL, &err));
        assert_int_equal(count, 2);
        if (threads == 1)
            memcpy(first, other, sizeof first);
        for (int i = 0; i < count; i++) {
            assert_string_equal(other[i].property, i ? "weak" : "strong");
            assert_near(other[i].accuracy, first[i].accuracy, 0);
            assert_near(other[i].z, first[i].z, 0);
        }
    }
}

/* Two weak numbers that know different classes know more together, and noise gains nothing. */
static void test_several_together(void **state)
{
    (void)state;
    vg_error err = {0};
    const size_t sizes[] = {80, 80, 80, 80};
    const double left[] = {0, 0, 4, 4}, right[] = {0, 4, 0, 4}, none[] = {0, 0, 0, 0};
    static double copies[2][320];
    const double *means[2][2] = {{left, right}, {left, none}};
    for (int which = 0; which < 2; which++) {
        vg_property properties[2];
        size_t n = 0;
        for (int p = 0; p < 2; p++) {
            n = fill(4, sizes, means[which][p], 1, (uint64_t)p);
            memcpy(copies[p], values, n * sizeof values[0]);
            properties[p] = (vg_property){p ? "second" : "first", copies[p]};
        }
        vg_shortcut found[VG_SHORTCUTS], together[3];
        for (int threads = 1; threads <= 3; threads++) {
            int count;
            assert_ok(vg_shortcuts_find(properties, 2, labels, n, 4, threads, found, &count,
                                        &together[threads - 1], &err));
            assert_string_equal(together[threads - 1].property, "all together");
            assert_near(together[threads - 1].accuracy, together[0].accuracy, 0);
        }
        if (which == 0) {
            assert_true(found[0].accuracy < 0.6);
            assert_true(together[0].accuracy > 0.85);
            assert_near(together[0].null_mean, 0.25, 0.06);
            assert_true(together[0].null_high < 0.4);
        } else {
            assert_near(together[0].accuracy, 0, 0);
        }
        assert_near(found[0].null_mean, 0.25, 0.03);
        assert_true(found[0].null_high >= found[0].null_mean && found[0].null_high < 0.35);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_noise_is_not_accused),
        cmocka_unit_test(test_a_planted_class_is_found),
        cmocka_unit_test(test_two_values_name_two_classes),
        cmocka_unit_test(test_small_differences_are_let_be),
        cmocka_unit_test(test_nothing_to_tell),
        cmocka_unit_test(test_labels_survive_small_classes),
        cmocka_unit_test(test_best_first_and_threads),
        cmocka_unit_test(test_several_together),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
