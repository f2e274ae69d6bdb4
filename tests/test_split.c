/* Tests of dataset/split.c: the hash split and the words for splits. */
#include "test.h"

#include "base/text.h"
#include "dataset_fixture.h"

#include <math.h>

static char *folder;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* A manifest of the samples [first, last) of a sequence whose names and labels are fixed. */
static vg_dataset *open_range(int first, int last, const vg_dataset_options *options)
{
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = vg_path_join(folder, "list.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int i = first; i < last; i++)
        fprintf(file, "img_%05d.jpg,%s\n", i, i % 10 == 0 ? "rare" : "often");
    fclose(file);
    assert_ok(vg_dataset_open(path, options, &dataset, &err));
    free(path);
    return dataset;
}

static void test_shares_hold_in_each_class(void **state)
{
    (void)state;
    vg_dataset *dataset = open_range(0, 20000, NULL);
    const double share[] = {0.70, 0.15, 0.15};
    size_t total[2] = {18000, 2000}, counts[2];
    for (int split = 0; split < VG_SPLIT_COUNT; split++) {
        vg_dataset_counts(dataset, (vg_split)split, counts);
        for (int k = 0; k < 2; k++) { /* five standard deviations */
            double n = (double)total[k], p = share[split];
            assert_near((double)counts[k] / n, p, 5 * sqrt(p * (1 - p) / n));
        }
    }
    vg_dataset_close(dataset);
}

static void test_more_files_move_none(void **state)
{
    (void)state;
    vg_dataset *small = open_range(500, 1000, NULL), *large = open_range(0, 3000, NULL);
    for (size_t i = 0; i < 500; i++)
        assert_int_equal(vg_dataset_split(small, i), vg_dataset_split(large, i + 500));
    vg_dataset_close(small);
    vg_dataset_close(large);
}

/* The split is part of what makes results repeatable: these must never change. */
static void test_known_splits(void **state)
{
    (void)state;
    vg_dataset *dataset = open_range(0, 24, NULL);
    char text[25] = "";
    for (size_t i = 0; i < 24; i++)
        text[i] = *vg_split_name(vg_dataset_split(dataset, i)) == 'v' ? 'v'
                  : vg_dataset_split(dataset, i) == VG_SPLIT_TEST     ? 'T'
                                                                      : '.';
    assert_string_equal(text, "...Tvv...v.T.........T..");
    vg_dataset_close(dataset);
}

static void test_other_shares(void **state)
{
    (void)state;
    size_t counts[2];
    vg_dataset_options all = {.train_share = 1}, half = {.train_share = 0.5, .val_share = 0.5};
    vg_dataset *dataset = open_range(0, 1000, &all);
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    assert_int_equal(counts[0] + counts[1], 1000);
    vg_dataset_close(dataset);
    dataset = open_range(0, 1000, &half);
    vg_dataset_counts(dataset, VG_SPLIT_TEST, counts);
    assert_int_equal(counts[0] + counts[1], 0);
    vg_dataset_counts(dataset, VG_SPLIT_VAL, counts);
    assert_in_range(counts[0] + counts[1], 400, 600);
    vg_dataset_close(dataset);
}

static void test_shares_that_make_no_sense(void **state)
{
    (void)state;
    const vg_dataset_options bad[] = {{.train_share = -0.1, .val_share = 0.2},
                                      {.train_share = 0.7, .val_share = -0.1},
                                      {.train_share = 0.8, .val_share = 0.3},
                                      {.train_share = NAN, .val_share = 0.1},
                                      {.train_share = 0.1, .val_share = NAN}};
    put_text(folder, "list.csv", "a.jpg,x\n");
    char *path = vg_path_join(folder, "list.csv");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        vg_error err = {0};
        vg_dataset *dataset;
        assert_int_equal(vg_dataset_open(path, &bad[i], &dataset, &err), VG_E_ARG);
        assert_contains(err.message, "shares of train");
    }
    free(path);
}

/* A manifest of `tracks` tracks of 5 frames each in each of 3 classes, from track `first` on. */
static vg_status open_tracks(int first, int tracks, vg_split_by by, vg_dataset **dataset,
                             vg_error *err)
{
    vg_dataset_options options = vg_dataset_options_default();
    options.split_by = by;
    char *path = vg_path_join(folder, "tracks.csv");
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 5 * tracks; i++)
            fprintf(file, "%d/%05d_%02d.jpg,%d\n", k, first + i / 5, i % 5, k);
    fclose(file);
    vg_status status = vg_dataset_open(path, &options, dataset, err);
    free(path);
    return status;
}

static void test_groups_stay_together(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *some, *more;
    size_t counts[3], train = 0;
    assert_ok(open_tracks(100, 400, VG_SPLIT_BY_GROUP, &some, &err));
    assert_ok(open_tracks(0, 900, VG_SPLIT_BY_GROUP, &more, &err));
    assert_int_equal(vg_dataset_options_of(some).split_by, VG_SPLIT_BY_GROUP);
    for (size_t i = 0; i < vg_dataset_count(some); i++) {
        assert_int_equal(vg_dataset_split(some, i), vg_dataset_split(some, i - i % 5));
        char name[64];
        vg_dataset_name(some, i, name, sizeof name);
        if (i % 331 == 0) /* more tracks move none */
            assert_int_equal(vg_dataset_split(some, i),
                             vg_dataset_split(more, find_sample(more, name)));
    }
    for (int s = 0; s < VG_SPLIT_COUNT; s++) {
        vg_dataset_counts(some, (vg_split)s, counts);
        for (int k = 0; k < 3; k++) { /* five standard deviations of 400 tracks */
            double p = s == VG_SPLIT_TRAIN ? 0.7 : 0.15;
            assert_near((double)counts[k] / 2000, p, 5 * sqrt(p * (1 - p) / 400));
            train += s == VG_SPLIT_TRAIN ? counts[k] : 0;
        }
    }
    assert_true(train % 5 == 0);
    vg_dataset_close(some);
    vg_dataset_close(more);
    /* by name they are torn apart */
    assert_ok(open_tracks(100, 400, VG_SPLIT_BY_NAME, &some, &err));
    size_t torn = 0;
    for (size_t i = 0; i < vg_dataset_count(some); i++)
        torn += vg_dataset_split(some, i) != vg_dataset_split(some, i - i % 5);
    assert_true(torn > 1000);
    vg_dataset_close(some);
    assert_string_equal(vg_split_by_name(VG_SPLIT_BY_GROUP), "group");
    assert_string_equal(vg_split_by_name(VG_SPLIT_BY_NAME), "name");
}

static void test_counters_are_no_groups(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options options = vg_dataset_options_default();
    options.split_by = VG_SPLIT_BY_GROUP;
    char text[4000] = "";
    for (int i = 0; i < 100; i++)
        vg_text_append(text, sizeof text, "n01440764_%d.jpg,tench\n", i);
    put_text(folder, "list.csv", text);
    char *path = vg_path_join(folder, "list.csv");
    assert_int_equal(vg_dataset_open(path, &options, &dataset, &err), VG_E_ARG);
    assert_contains(err.message, "100 of the 100 samples of \"tench\" would be one group");
    free(path);
    const uint8_t pixels[8] = {0}, labels[2] = {0, 1};
    char *idx = vg_path_join(folder, "idx");
    put_idx(folder, "idx/train", 2, 2, 2, pixels, labels);
    assert_int_equal(vg_dataset_open(idx, &options, &dataset, &err), VG_E_ARG);
    assert_contains(err.message, "its samples have no names");
    free(idx);
}

static void test_words(void **state)
{
    (void)state;
    const struct {
        const char *word;
        vg_split split;
    } known[] = {{"train", VG_SPLIT_TRAIN}, {"Training", VG_SPLIT_TRAIN}, {"VAL", VG_SPLIT_VAL},
                 {"valid", VG_SPLIT_VAL},   {"validation", VG_SPLIT_VAL}, {"test", VG_SPLIT_TEST}};
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++) {
        char text[100];
        snprintf(text, sizeof text, "a,x,train\nb,x,test\nc,x,%s\n", known[i].word);
        put_text(folder, "list.csv", text);
        char *path = vg_path_join(folder, "list.csv");
        vg_error err = {0};
        vg_dataset *dataset;
        assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
        assert_int_equal(vg_dataset_split(dataset, 2), known[i].split);
        vg_dataset_close(dataset);
        free(path);
    }
    assert_string_equal(vg_split_name(VG_SPLIT_TRAIN), "train");
    assert_string_equal(vg_split_name(VG_SPLIT_VAL), "val");
    assert_string_equal(vg_split_name(VG_SPLIT_TEST), "test");
    assert_string_equal(vg_split_name(VG_SPLIT_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shares_hold_in_each_class),
        cmocka_unit_test(test_more_files_move_none),
        cmocka_unit_test(test_known_splits),
        cmocka_unit_test(test_other_shares),
        cmocka_unit_test(test_shares_that_make_no_sense),
        cmocka_unit_test(test_groups_stay_together),
        cmocka_unit_test(test_counters_are_no_groups),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
