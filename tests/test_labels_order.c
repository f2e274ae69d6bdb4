/* Tests of audit/labels_order.c: sorted, clustered and shuffled sequences; expectations of a random order
 * from tests/golden/labels.py. */
#include "test.h"

#include "audit/labels.h"
#include "base/rng.h"

static vg_label_order measure(const int32_t *labels, size_t n, int classes, size_t batch)
{
    vg_error err = {0};
    vg_label_order order;
    assert_ok(vg_label_order_measure(labels, n, classes, batch, &order, &err));
    return order;
}

/* 12, 7 and 3 images. */
static void fill(int32_t labels[22])
{
    for (int i = 0; i < 22; i++)
        labels[i] = i < 12 ? 0 : i < 19 ? 1 : 2;
}

static void test_sorted(void **state)
{
    (void)state;
    int32_t labels[22];
    fill(labels);
    vg_label_order o = measure(labels, 22, 4, 8);
    assert_int_equal(o.count, 22);
    assert_int_equal(o.present, 3);
    assert_int_equal(o.runs, 3);
    assert_near(o.expected_runs, 13.818181818, 1e-8);
    assert_near(o.z, (3 - 13.818181818) / 1.985187176, 1e-6);
    assert_int_equal(o.longest_run, 12);
    assert_int_equal(o.longest_label, 0);
    assert_int_equal(o.batch, 8);
    assert_near(o.batch_classes, (1 + 2) / 2.0, 1e-12); /* 0 x 8; 0 x 4, 1 x 4 */
    assert_near(o.shuffled_classes, 2.743371798, 1e-8);
    assert_int_equal(o.tail, 5);
    assert_int_equal(o.head_lacks, 1); /* class 2 begins at 19, the tail at 17 */
    assert_int_equal(o.tail_lacks, 1);
    assert_true(o.sorted);
    assert_true(o.clustered);
}

static void test_shuffled(void **state)
{
    (void)state;
    enum { N = 1000 };
    int32_t labels[N];
    for (size_t i = 0; i < N; i++)
        labels[i] = (int32_t)(vg_permute(3, N, i) % 10);
    vg_label_order o = measure(labels, N, 10, 32);
    assert_false(o.sorted);
    assert_false(o.clustered);
    assert_in_range(o.runs, 860, 940);
    assert_near(o.z, 0, 3.5);
    assert_near(o.batch_classes, o.shuffled_classes, 0.4);
    assert_int_equal(o.head_lacks, 0);
    assert_int_equal(o.tail_lacks, 0);
}

static void test_clustered_in_shards(void **state)
{
    (void)state;
    /* runs of 10, classes turn by turn: not sorted, and yet no batch sees more than a few classes */
    enum { N = 1000 };
    int32_t labels[N];
    for (int i = 0; i < N; i++)
        labels[i] = i / 10 % 10;
    vg_label_order o = measure(labels, N, 10, 20);
    assert_int_equal(o.runs, 100);
    assert_false(o.sorted);
    assert_true(o.clustered);
    assert_near(o.batch_classes, 2, 1e-12);
}

static void test_edges(void **state)
{
    (void)state;
    const int32_t one[] = {1, 1, 1}, few[] = {0, 1, 2}, alternating[] = {0, 1, 0, 1, 0, 1};
    vg_label_order o = measure(NULL, 0, 3, 32);
    assert_int_equal(o.count, 0);
    assert_false(o.sorted);
    o = measure(one, 3, 2, 32); /* one class is in no wrong order */
    assert_false(o.sorted);
    assert_false(o.clustered);
    assert_int_equal(o.batch, 3); /* there are no more */
    assert_near(o.batch_classes, 1, 0);
    assert_near(o.z, 0, 0);
    o = measure(few, 3, 3, 0); /* one image a class is in every order sorted */
    assert_false(o.sorted);
    assert_int_equal(o.batch, 1);
    o = measure(alternating, 6, 2, 2);
    assert_int_equal(o.runs, 6);
    assert_true(o.z > 0);
    assert_false(o.clustered);
    assert_int_equal(o.tail, 2);
}

/* The fast sums keep their digits where terms of n^4 would not. */
static void test_large(void **state)
{
    (void)state;
    enum { N = 1000000, K = 1000 };
    int32_t *labels = malloc(N * sizeof *labels);
    assert_non_null(labels);
    for (size_t i = 0; i < N; i++)
        labels[i] = (int32_t)(vg_permute(5, N, i) % K);
    vg_label_order o = measure(labels, N, K, 32);
    assert_near(o.z, 0, 4);
    assert_near(o.batch_classes, o.shuffled_classes, 0.05);
    free(labels);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sorted),
        cmocka_unit_test(test_shuffled),
        cmocka_unit_test(test_clustered_in_shards),
        cmocka_unit_test(test_edges),
        cmocka_unit_test(test_large),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
