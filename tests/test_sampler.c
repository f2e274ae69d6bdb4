/* Tests of load/sampler.h. */
#include "make_idx.h"

#include "load/sampler.h"

static const size_t train_counts[3] = {100, 40, 7}, test_counts[3] = {5, 5, 5};
static vg_dataset *dataset;
static char *folder;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, 3, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

static vg_sampler *make(vg_sampling mode, uint64_t seed)
{
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, mode, seed, &sampler, &err));
    return sampler;
}

/* How often each sample stands in an epoch. */
static void count_epoch(const vg_sampler *sampler, uint32_t epoch, int *times, size_t *per_class)
{
    memset(times, 0, vg_dataset_count(dataset) * sizeof *times);
    memset(per_class, 0, 3 * sizeof *per_class);
    for (uint64_t p = 0; p < vg_sampler_length(sampler); p++) {
        size_t i = vg_sampler_at(sampler, epoch, p);
        assert_true(i < vg_dataset_count(dataset));
        assert_int_equal(vg_dataset_split(dataset, i), VG_SPLIT_TRAIN);
        times[i]++;
        per_class[vg_dataset_label(dataset, i)]++;
    }
}

static void test_shuffle_sees_everything_once(void **state)
{
    (void)state;
    vg_sampler *sampler = make(VG_SAMPLING_SHUFFLE, 1);
    assert_int_equal(vg_sampler_length(sampler), 147);
    int times[200];
    size_t per_class[3];
    for (uint32_t epoch = 0; epoch < 3; epoch++) {
        count_epoch(sampler, epoch, times, per_class);
        for (size_t i = 0; i < vg_dataset_count(dataset); i++)
            assert_int_equal(times[i], vg_dataset_split(dataset, i) == VG_SPLIT_TRAIN);
    }
    vg_sampler_free(sampler);
}

static void test_order_depends_on_seed_and_epoch_alone(void **state)
{
    (void)state;
    vg_sampler *a = make(VG_SAMPLING_SHUFFLE, 1), *b = make(VG_SAMPLING_SHUFFLE, 1),
               *c = make(VG_SAMPLING_SHUFFLE, 2);
    int same_seed = 0, same_epoch = 0, other_seed = 0, ascending = 0;
    for (uint64_t p = 0; p < 147; p++) {
        same_seed += vg_sampler_at(a, 4, p) == vg_sampler_at(b, 4, p);
        same_epoch += vg_sampler_at(a, 4, p) == vg_sampler_at(a, 5, p);
        other_seed += vg_sampler_at(a, 4, p) == vg_sampler_at(c, 4, p);
        ascending += p > 0 && vg_sampler_at(a, 4, p) > vg_sampler_at(a, 4, p - 1);
    }
    assert_int_equal(same_seed, 147);
    assert_true(same_epoch < 15 && other_seed < 15);
    assert_in_range(ascending, 50, 96); /* 73 expected */
    vg_sampler_free(a);
    vg_sampler_free(b);
    vg_sampler_free(c);
}

static void check_counts(vg_sampling mode, size_t k0, size_t k1, size_t k2)
{
    vg_sampler *sampler = make(mode, 3);
    const size_t want[3] = {k0, k1, k2};
    int times[200];
    size_t per_class[3];
    count_epoch(sampler, 2, times, per_class);
    for (int k = 0; k < 3; k++) {
        assert_int_equal(per_class[k], want[k]);
        assert_int_equal(vg_sampler_quota(sampler, k), want[k]);
        size_t least = want[k] / train_counts[k];
        for (size_t i = 0; i < vg_dataset_count(dataset); i++) { /* whole rounds */
            if (vg_dataset_split(dataset, i) == VG_SPLIT_TRAIN && vg_dataset_label(dataset, i) == k)
                assert_in_range(times[i], least, least + (want[k] % train_counts[k] != 0));
        }
    }
    vg_sampler_free(sampler);
}

static void test_quotas_of_every_mode(void **state)
{
    (void)state;
    check_counts(VG_SAMPLING_SHUFFLE, 100, 40, 7);
    check_counts(VG_SAMPLING_OVER, 100, 100, 100);
    check_counts(VG_SAMPLING_UNDER, 7, 7, 7);
    check_counts(VG_SAMPLING_BALANCED, 49, 49, 49);
    /* 147 * sqrt(n) / (10 + 6.3246 + 2.6458) = 77.49, 49.01, 20.50: the remainders give 77, 49, 21 */
    check_counts(VG_SAMPLING_SQRT, 77, 49, 21);
}

static void test_quotas_of_counts(void **state)
{
    (void)state;
    vg_error err = {0};
    const size_t counts[] = {100, 0, 25, 4}, none[] = {0, 0};
    uint64_t quota[4];
    assert_ok(vg_sampling_quotas(counts, 4, VG_SAMPLING_SHUFFLE, quota, &err));
    assert_int_equal(quota[0], 100);
    assert_int_equal(quota[1], 0);
    assert_ok(vg_sampling_quotas(counts, 4, VG_SAMPLING_BALANCED, quota, &err));
    assert_int_equal(quota[0] + quota[2] + quota[3], 129);
    assert_int_equal(quota[1], 0);
    assert_int_equal(quota[3], 43);
    assert_ok(vg_sampling_quotas(counts, 4, VG_SAMPLING_SQRT, quota, &err)); /* 10 : 5 : 2 */
    assert_int_equal(quota[0], 76);
    assert_int_equal(quota[2], 38);
    assert_int_equal(quota[3], 15);
    assert_ok(vg_sampling_quotas(counts, 4, VG_SAMPLING_OVER, quota, &err));
    assert_int_equal(quota[1], 0);
    assert_int_equal(quota[3], 100);
    assert_ok(vg_sampling_quotas(counts, 4, VG_SAMPLING_UNDER, quota, &err));
    assert_int_equal(quota[0], 4);
    assert_ok(vg_sampling_quotas(none, 2, VG_SAMPLING_BALANCED, quota, &err));
    assert_int_equal(quota[0] + quota[1], 0);
}

static void test_under_takes_others_in_other_epochs(void **state)
{
    (void)state;
    vg_sampler *sampler = make(VG_SAMPLING_UNDER, 3);
    int first[200], second[200], differ = 0;
    size_t per_class[3];
    count_epoch(sampler, 0, first, per_class);
    count_epoch(sampler, 1, second, per_class);
    for (size_t i = 0; i < vg_dataset_count(dataset); i++)
        differ += first[i] != second[i];
    assert_true(differ > 4);
    vg_sampler_free(sampler);
}

static void test_sequential_and_list(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sampler *sampler = make(VG_SAMPLING_SEQUENTIAL, 0);
    for (uint64_t p = 1; p < vg_sampler_length(sampler); p++)
        assert_true(vg_sampler_at(sampler, 7, p) > vg_sampler_at(sampler, 7, p - 1));
    assert_true(vg_sampler_substitute(sampler, vg_sampler_at(sampler, 0, 0), 1) == SIZE_MAX);
    vg_sampler_free(sampler);
    const size_t list[4] = {9, 2, 150, 2}, beyond = 1000000;
    assert_ok(vg_sampler_list(dataset, list, 4, &sampler, &err));
    for (uint64_t p = 0; p < 4; p++)
        assert_int_equal(vg_sampler_at(sampler, 0, p), list[p]);
    vg_sampler_free(sampler);
    assert_int_equal(vg_sampler_list(dataset, list, 0, &sampler, &err), VG_E_ARG);
    assert_int_equal(vg_sampler_list(dataset, &beyond, 1, &sampler, &err), VG_E_ARG);
    assert_int_equal(vg_sampler_new(dataset, VG_SPLIT_VAL, VG_SAMPLING_SHUFFLE, 1, &sampler, &err),
                     VG_E_FORMAT);
    assert_contains(err.message, "val");
}

static void test_substitutes_stay_in_class_and_split(void **state)
{
    (void)state;
    vg_sampler *sampler = make(VG_SAMPLING_SHUFFLE, 1);
    size_t index = vg_sampler_at(sampler, 0, 11);
    int label = vg_dataset_label(dataset, index);
    unsigned char seen[200] = {0};
    seen[index] = 1;
    for (size_t attempt = 1; attempt < train_counts[label]; attempt++) {
        size_t other = vg_sampler_substitute(sampler, index, attempt);
        assert_true(other < vg_dataset_count(dataset));
        assert_int_equal(seen[other]++, 0);
        assert_int_equal(vg_dataset_label(dataset, other), label);
        assert_int_equal(vg_dataset_split(dataset, other), VG_SPLIT_TRAIN);
    }
    assert_true(vg_sampler_substitute(sampler, index, train_counts[label]) == SIZE_MAX);
    vg_sampler_free(sampler);
}

static void test_words(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sampling mode;
    for (int i = VG_SAMPLING_SEQUENTIAL; i <= VG_SAMPLING_SQRT; i++) {
        assert_ok(vg_sampling_parse(vg_sampling_name((vg_sampling)i), &mode, &err));
        assert_int_equal(mode, i);
    }
    assert_int_equal(vg_sampling_parse("ballanced", &mode, &err), VG_E_ARG);
    assert_contains(err.message, "ballanced");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shuffle_sees_everything_once),
        cmocka_unit_test(test_order_depends_on_seed_and_epoch_alone),
        cmocka_unit_test(test_quotas_of_every_mode),
        cmocka_unit_test(test_quotas_of_counts),
        cmocka_unit_test(test_under_takes_others_in_other_epochs),
        cmocka_unit_test(test_sequential_and_list),
        cmocka_unit_test(test_substitutes_stay_in_class_and_split),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
