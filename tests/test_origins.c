/* Tests of audit/origins.c: series are found by names and pictures together, and by names alone nothing. */
#include "test.h"

#include "audit/audit.h"
#include "audit/origins.h"
#include "prints_fixture.h"

#include <stdio.h>

enum { MOST = 2000 };

static char *folder;
static listing names;
static vg_fingerprint *prints;
static size_t count;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    names = list_begin(folder);
    prints = vg_calloc(MOST, sizeof *prints);
    count = 0;
    return prints ? 0 : -1;
}

static int teardown(void **state)
{
    (void)state;
    free(prints);
    test_folder_remove(folder);
    return 0;
}

/* A sample that shows `scene`, in the split that a name of 'train', 'val' may say. */
static void add(uint64_t scene, const char *split, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static void add(uint64_t scene, const char *split, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vfprintf(names.file, format, args);
    va_end(args);
    fprintf(names.file, split ? ",%s\n" : "\n", split);
    assert_true(count < MOST);
    put_print(&prints[count], scene, 25, count);
    count++;
}

static vg_dataset *find(vg_origins *found)
{
    vg_error err = {0};
    vg_dataset *dataset = list_open(&names, NULL);
    assert_int_equal(vg_dataset_count(dataset), count);
    assert_ok(vg_origins_find(dataset, prints, found, &err));
    return dataset;
}

static void test_tracks_are_found_exactly(void **state)
{
    (void)state;
    vg_origins found;
    for (int k = 0; k < 3; k++)
        for (int track = 0; track < 20; track++)
            for (int frame = 0; frame < 5; frame++)
                add(1000 * (uint64_t)k + (uint64_t)track, NULL, "%d/%05d_%05d.png,class%d", k,
                    track, frame, k);
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 60);
    assert_int_equal(found.of_kind[VG_ORIGIN_FRAMES], 60);
    assert_int_equal(found.member_count, 300);
    assert_true(found.by_names);
    assert_true(found.likeness > 0 && found.likeness < 0.5);
    assert_true(found.torn > 20 && found.torn <= 60);
    assert_true(found.leaking <= found.torn);
    for (size_t g = 0; g < 60; g++) {
        assert_int_equal(found.groups[g].count, 5);
        for (size_t i = 0; i < 5; i++)
            assert_int_equal(found.members[found.groups[g].begin + i], 5 * g + i);
    }
    size_t leaked = 0;
    vg_error err = {0};
    vg_marks marks;
    assert_ok(vg_marks_init(&marks, count, &err));
    vg_origins_mark(dataset, &found, &marks);
    for (size_t i = 0; i < count; i++) {
        bool held = vg_dataset_split(dataset, i) != VG_SPLIT_TRAIN, sibling = false;
        for (size_t j = i - i % 5; j < i - i % 5 + 5; j++)
            sibling |= vg_dataset_split(dataset, j) == VG_SPLIT_TRAIN;
        assert_int_equal(vg_marks_has(&marks, i, VG_MARK_ORIGIN_LEAK), held && sibling);
        leaked += held && sibling;
    }
    assert_int_equal(found.leaked[VG_SPLIT_VAL] + found.leaked[VG_SPLIT_TEST], leaked);
    assert_int_equal(found.leaked[VG_SPLIT_TRAIN], 0);
    vg_marks_reset(&marks);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* The same names over pictures that have nothing to do with each other. */
static void test_names_alone_are_no_tracks(void **state)
{
    (void)state;
    vg_origins found;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 100; i++)
            add(1000 * (uint64_t)k + (uint64_t)i, NULL, "%d/%05d_%05d.png,class%d", k, i / 5, i % 5,
                k);
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 0);
    assert_false(found.by_names);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

static void test_plain_numbers_are_no_series(void **state)
{
    (void)state;
    vg_origins found;
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 400; i++)
            add(1000 * (uint64_t)k + (uint64_t)i, NULL, "%c/%s%04d.jpg,%c", 'a' + k,
                k == 1 ? "" : "n01440764_", i, 'a' + k);
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 0);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* Among unrelated numbered photos, shots 100..109 and 200..203 of one scene. */
static void test_bursts_among_plain_numbers(void **state)
{
    (void)state;
    vg_origins found;
    for (int i = 0; i < 400; i++) {
        uint64_t scene = i >= 100 && i < 110 ? 5000 : i >= 200 && i < 204 ? 6000 : (uint64_t)i;
        add(scene, NULL, "a/IMG_%04d.jpg,a", i);
    }
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 2);
    assert_int_equal(found.of_kind[VG_ORIGIN_BURST], 2);
    assert_int_equal(found.groups[0].count, 10);
    assert_int_equal(found.members[0], 100);
    assert_int_equal(found.groups[1].count, 4);
    assert_int_equal(found.members[found.groups[1].begin], 200);
    assert_false(found.by_names);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

static void test_variants_need_no_test_where_they_are_few(void **state)
{
    (void)state;
    vg_origins found;
    for (int i = 0; i < 40; i++)
        add((uint64_t)i, NULL, "a/cat%02d.jpg,a", i);
    add(3, NULL, "a/cat03_crop.jpg,a");
    add(3, NULL, "a/cat03_aug2.jpg,a");
    add(9, NULL, "a/cat09 (1).jpg,a");
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 2);
    assert_int_equal(found.of_kind[VG_ORIGIN_VARIANTS], 2);
    assert_int_equal(found.groups[0].count, 3);
    assert_int_equal(found.members[0], 3);
    assert_int_equal(found.members[1], 40);
    assert_true(found.by_names);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* train/ and val/ are numbered anew: equal names say nothing. */
static void test_numbers_that_start_anew_in_each_split(void **state)
{
    (void)state;
    vg_origins found;
    for (int s = 0; s < 2; s++)
        for (int i = 0; i < 200; i++)
            add(1000 * (uint64_t)s + (uint64_t)i / 4, s ? "val" : "train", "%s/a/%03d_%03d.jpg,a",
                s ? "val" : "train", i / 4, i % 4);
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 100);
    assert_int_equal(found.torn, 0);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* The same folders after a random split of a set of tracks. */
static void test_series_that_a_split_into_folders_tore(void **state)
{
    (void)state;
    vg_origins found;
    for (int i = 0; i < 400; i++) {
        const char *split = i % 4 == 1 ? "val" : "train";
        add((uint64_t)i / 4, split, "%s/a/%03d_%03d.jpg,a", split, i / 4, i % 4);
    }
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 100);
    assert_int_equal(found.torn, 100);
    assert_int_equal(found.leaked[VG_SPLIT_VAL], 100);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* A patient's images are in both classes. */
static void test_series_across_classes(void **state)
{
    (void)state;
    vg_origins found;
    for (int i = 0; i < 400; i++)
        add((uint64_t)i / 8, NULL, "%s/p%02d_%d.jpg,%s", i % 2 ? "ill" : "well", i / 8, i % 8,
            i % 2 ? "ill" : "well");
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 50);
    for (size_t g = 0; g < 50; g++) {
        assert_int_equal(found.groups[g].count, 8);
        assert_true(found.groups[g].labels_differ);
    }
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

static void test_folders_within_classes(void **state)
{
    (void)state;
    vg_origins found;
    for (int i = 0; i < 400; i++)
        add((uint64_t)i / 10, NULL, "%s/walk%c%c/%c.jpg,%s", i % 400 < 200 ? "a" : "b",
            'a' + i / 10 / 8, 'a' + i / 10 % 8, 'a' + i % 10, i % 400 < 200 ? "a" : "b");
    vg_dataset *dataset = find(&found);
    assert_int_equal(found.group_count, 40);
    assert_int_equal(found.of_kind[VG_ORIGIN_FOLDER], 40);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

static void test_without_pictures(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_origins found;
    for (int i = 0; i < 100; i++)
        add((uint64_t)i / 5, NULL, "a/%03d_%d.jpg,a", i / 5, i % 5);
    add(0, NULL, "a/000_1-copy.jpg,a");
    vg_dataset *dataset = list_open(&names, NULL);
    assert_ok(vg_origins_find(dataset, NULL, &found, &err));
    assert_int_equal(found.group_count, 1); /* the copy; tracks are for pictures to tell */
    assert_int_equal(found.compared, 0);
    vg_origins_reset(&found);
    vg_dataset_close(dataset);
}

/* ---- the real sets */

static void audit_real(const char *name, vg_dataset **dataset, vg_audit *audit)
{
    vg_error err = {0};
    fclose(names.file);
    free(names.path);
    char *path = real_data(name);
    assert_ok(vg_dataset_open(path, NULL, dataset, &err));
    assert_ok(vg_audit_run(*dataset, &(vg_audit_options){.threads = 2}, audit, &err));
    free(path);
}

static void test_the_tracks_of_traffic_signs(void **state)
{
    (void)state;
    vg_dataset *dataset;
    vg_audit audit;
    audit_real("gtsrb-signs", &dataset, &audit);
    const vg_origins *found = &audit.origins;
    assert_int_equal(found->group_count, 1307); /* as its README says */
    assert_int_equal(found->member_count, 3921);
    assert_true(found->by_names);
    for (size_t g = 0; g < found->group_count; g++) {
        char first[256], name[256];
        assert_int_equal(found->groups[g].count, 3);
        for (size_t i = 0; i < 3; i++) {
            size_t index = found->members[found->groups[g].begin + i];
            vg_dataset_name(dataset, index, i ? name : first, sizeof name);
            *strrchr(i ? name : first, '_') = '\0';
            if (i)
                assert_string_equal(first, name);
        }
    }
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_photographs_are_no_series(void **state)
{
    (void)state;
    vg_dataset *dataset;
    vg_audit audit;
    audit_real("caltech-photos", &dataset, &audit);
    assert_int_equal(audit.origins.group_count, 0);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_tracks_are_found_exactly, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_alone_are_no_tracks, setup, teardown),
        cmocka_unit_test_setup_teardown(test_plain_numbers_are_no_series, setup, teardown),
        cmocka_unit_test_setup_teardown(test_bursts_among_plain_numbers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_variants_need_no_test_where_they_are_few, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_numbers_that_start_anew_in_each_split, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_series_that_a_split_into_folders_tore, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_series_across_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_folders_within_classes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_without_pictures, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_tracks_of_traffic_signs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_photographs_are_no_series, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
