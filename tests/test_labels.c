/* Tests of audit/labels.c: what held-out images can prove, held against the monitor's own rule, and
 * the measures of whole datasets. */
#include "test.h"

#include "archive_fixture.h"
#include "manifest_fixture.h"

#include "audit/labels.h"
#include "base/statistics.h"

#include <math.h>

static void test_needed_is_the_rule_of_the_monitor(void **state)
{
    (void)state;
    for (size_t n = 0; n <= 3000; n += n < 100 ? 1 : 97) {
        size_t needed = vg_label_power_needed(n), found = 0;
        double low, high;
        for (size_t m = 1; m <= n && !found; m++) {
            vg_wilson(0, (double)n, &low, &high);
            if (high < VG_MISSING_SHARE * (double)m / (double)n)
                found = m;
        }
        assert_int_equal(needed, found);
    }
    assert_int_equal(vg_label_power_needed(20), 0);
    assert_int_equal(vg_label_power_needed(1000000), 39);
}

static void test_difference(void **state)
{
    (void)state;
    /* (1.959964 + 0.841621) sqrt(2 0.9 0.1 / 1000) */
    assert_near(vg_label_power_difference(1000, 0.9, 0), 0.0375870, 1e-6);
    assert_near(vg_label_power_difference(1000, 0.9, 0.75), 0.0375870 / 2, 1e-6);
    assert_near(vg_label_power_difference(1000, 1, 0), 0, 0);
    assert_near(vg_label_power_difference(2, 0.5, 0), 1, 0);
    assert_near(vg_label_power_difference(0, 0.5, 0), 1, 0);
}

static void test_power(void **state)
{
    (void)state;
    const size_t counts[] = {500, 200, 38, 0, 12}, none[] = {0, 0};
    vg_label_power p = vg_label_power_measure(counts, 5, 0);
    assert_int_equal(p.count, 750);
    assert_int_equal(p.present, 4);
    assert_int_equal(p.needed, 39);
    assert_int_equal(p.blind, 2);
    assert_int_equal(p.smallest, 12);
    assert_int_equal(p.probe, 750);
    assert_int_equal(p.probe_blind, 2);
    assert_int_equal(p.probe_wanted, 0);
    assert_near(p.balanced_count, 16 / (1 / 500.0 + 1 / 200.0 + 1 / 38.0 + 1 / 12.0), 1e-9);
    p = vg_label_power_measure(counts, 5, 100); /* 20 of a class */
    assert_int_equal(p.probe, 20 + 20 + 20 + 12);
    assert_int_equal(p.probe_blind, 4);
    assert_int_equal(p.probe_wanted, 39 * 5);
    p = vg_label_power_measure(counts, 5, 195); /* 38 are enough among fewer */
    assert_int_equal(p.probe, 39 + 39 + 38 + 12);
    assert_int_equal(p.probe_blind, 1);
    assert_int_equal(p.probe_wanted, 0);
    p = vg_label_power_measure(none, 2, 10);
    assert_int_equal(p.count, 0);
    assert_int_equal(p.blind, 0);
}

/* 1000 classes of 150: each can be seen in the split, none in a probe of 2,000. */
static void test_power_of_many_classes(void **state)
{
    (void)state;
    size_t counts[1000];
    for (int k = 0; k < 1000; k++)
        counts[k] = 150;
    vg_label_power p = vg_label_power_measure(counts, 1000, 2000);
    assert_int_equal(p.blind, 0);
    assert_int_equal(p.probe, 2000);
    assert_int_equal(p.probe_blind, 1000);
    assert_int_equal(p.probe_wanted, 39000);
    p = vg_label_power_measure(counts, 1000, 39000);
    assert_int_equal(p.probe_blind, 0);
    p = vg_label_power_measure(counts, 1000, 5); /* not even one of each */
    assert_int_equal(p.probe, 5);
    assert_int_equal(p.probe_blind, 1000);
}

static vg_labels labels_of(const vg_dataset *dataset)
{
    vg_error err = {0};
    vg_labels labels;
    assert_ok(vg_labels_of(dataset, NULL, &labels, &err));
    return labels;
}

static void test_manifest_that_is_sorted(void **state)
{
    (void)state;
    char text[8192] = "path,label,split\n";
    for (int i = 0; i < 90; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%d.png,%s,%s\n", i,
                 i < 40   ? "ant"
                 : i < 70 ? "bee"
                          : "cow",
                 i % 10 == 9             ? "test"
                 : i % 10 == 8 && i < 70 ? "val"
                                         : "train");
    }
    vg_dataset *dataset = open_manifest("sorted.csv", text);
    vg_labels l = labels_of(dataset);
    assert_int_equal(l.classes, 3);
    assert_true(l.by_data);
    assert_int_equal(l.all.total, 90);
    assert_int_equal(l.split[VG_SPLIT_TRAIN].total, 74);
    assert_int_equal(l.split[VG_SPLIT_VAL].total, 7);
    assert_int_equal(l.split[VG_SPLIT_TEST].total, 9);
    assert_int_equal(vg_labels_counts(&l, VG_SPLIT_VAL)[0], 4);
    assert_int_equal(vg_labels_counts(&l, VG_SPLIT_TEST)[2], 2);
    assert_int_equal(l.absent[VG_SPLIT_TRAIN], 0);
    assert_int_equal(l.absent[VG_SPLIT_VAL], 1);
    assert_int_equal(l.absent[VG_SPLIT_TEST], 0);
    assert_int_equal(l.per_class[2].absent, 1u << VG_SPLIT_VAL);
    assert_int_equal(l.per_class[0].absent, 0);
    assert_int_equal(l.per_class[0].blind, 1u << VG_SPLIT_VAL | 1u << VG_SPLIT_TEST);
    assert_int_equal(l.per_class[2].blind, 1u << VG_SPLIT_TEST); /* not in val at all */
    assert_int_equal(l.power[VG_SPLIT_VAL].blind, 2);
    assert_int_equal(l.power[VG_SPLIT_TRAIN].count, 0);
    assert_int_equal(l.drift_count, 3);
    assert_int_equal(l.drift[1].split[0], VG_SPLIT_TRAIN);
    assert_int_equal(l.drift[1].split[1], VG_SPLIT_TEST);
    assert_int_equal(l.drift[1].word, VG_DRIFT_NONE);
    assert_near(l.per_class[1].share, 30 / 90.0, 1e-12);
    assert_true(l.per_class[1].share_low < 30 / 90.0 && l.per_class[1].share_high > 30 / 90.0);
    assert_near(l.per_class[1].effective, vg_effective_number(30, 0.999), 0);
    assert_int_equal(l.per_class[2].tested, 2);
    assert_near(l.per_class[2].perfect_low, 0.158113883, 1e-8); /* sqrt(0.025) */
    assert_int_equal(l.order.count, 74);                        /* what is trained on */
    assert_true(l.order.sorted);
    vg_labels_reset(&l);
    assert_null(l.counts);
    vg_dataset_close(dataset);
}

static void test_manifest_in_any_order(void **state)
{
    (void)state;
    char text[8192] = "";
    for (int i = 0; i < 200; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%d.png,%s\n", i,
                 i * 37 % 101 % 2 ? "ant" : "bee");
    }
    vg_dataset *dataset = open_manifest("mixed.csv", text);
    vg_labels l = labels_of(dataset);
    assert_false(l.by_data);
    assert_int_equal(l.order.count, 200); /* a split by hash is ours: its reader meets all */
    assert_false(l.order.sorted);
    assert_false(l.order.clustered);
    vg_labels_reset(&l);
    vg_dataset_close(dataset);
}

static void test_folders_have_no_order(void **state)
{
    (void)state;
    for (int i = 0; i < 40; i++) {
        char name[64];
        snprintf(name, sizeof name, "pets/%s/%d.png", i < 20 ? "cat" : "dog", i);
        put_empty(folder, name);
    }
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = vg_path_join(folder, "pets");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    vg_labels l = labels_of(dataset);
    assert_int_equal(l.order.count, 0);
    assert_false(l.by_data);
    assert_int_equal(l.all.total, 40);
    for (size_t i = 0; i < 40; i++)
        assert_int_equal(vg_dataset_position(dataset, i), i);
    vg_labels_reset(&l);
    vg_dataset_close(dataset);
    free(path);
}

/* Names that sort by class in a shard that does not: what counts is how the shard lies on disk. */
static void test_shards_are_judged_by_offset(void **state)
{
    (void)state;
    enum { N = 60 };
    static char names[2 * N][32];
    packed_file files[2 * N];
    for (int mixed = 0; mixed < 2; mixed++) {
        for (int i = 0; i < N; i++) {
            int at = mixed ? i * 7 % N : i, class = at >= N / 2;
            snprintf(names[2 * i], sizeof names[0], "%s%03d.png", class ? "dog" : "cat", at);
            snprintf(names[2 * i + 1], sizeof names[0], "%s%03d.cls", class ? "dog" : "cat", at);
            files[2 * i] = (packed_file){names[2 * i], "x", 1, NULL};
            files[2 * i + 1] = (packed_file){names[2 * i + 1], class ? "1" : "0", 1, NULL};
        }
        vg_error err = {0};
        vg_dataset *dataset;
        char *path = vg_path_join(folder, mixed ? "mixed.tar" : "sorted.tar");
        pack_files(path, "pax", files, 2 * N);
        assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
        assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_WEBDATASET);
        vg_labels l = labels_of(dataset);
        assert_int_equal(l.order.count, N);
        assert_int_equal(l.order.sorted, !mixed);
        assert_int_equal(l.order.clustered, !mixed);
        vg_labels_reset(&l);
        vg_dataset_close(dataset);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_needed_is_the_rule_of_the_monitor),
        cmocka_unit_test(test_difference),
        cmocka_unit_test(test_power),
        cmocka_unit_test(test_power_of_many_classes),
        cmocka_unit_test(test_manifest_that_is_sorted),
        cmocka_unit_test(test_manifest_in_any_order),
        cmocka_unit_test(test_folders_have_no_order),
        cmocka_unit_test(test_shards_are_judged_by_offset),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
