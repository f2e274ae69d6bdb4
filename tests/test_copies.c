/* Tests of audit/copies.c: what a whole audit makes of copies. */
#include "copies_fixture.h"

#include "audit/audit.h"
#include "dataset_fixture.h"

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){.folder = test_folder_make()};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vg_audit_reset(&f->audit);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
    return 0;
}

static void put_scene(const fixture *f, const char *name, unsigned scene, int width, int quality)
{
    vg_image image = {0};
    vg_bytes bytes = {0};
    vg_error err = {0};
    scene_make(&image, width, width * 3 / 4, 3, scene);
    assert_ok(vg_jpeg_encode(&image, quality, &bytes, &err));
    put_bytes(f->folder, name, bytes.data, bytes.size);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
}

static void audit_all(fixture *f)
{
    vg_error err = {0};
    assert_ok(vg_dataset_open(f->folder, NULL, &f->dataset, &err));
    assert_ok(vg_audit_run(f->dataset, &(vg_audit_options){.threads = 2}, &f->audit, &err));
}

static size_t index_of(const fixture *f, const char *name)
{
    char at[256];
    for (size_t i = 0; i < vg_dataset_count(f->dataset); i++) {
        vg_dataset_name(f->dataset, i, at, sizeof at);
        if (strcmp(at, name) == 0)
            return i;
    }
    fail_msg("no sample %s", name);
    return 0;
}

/* The marks of a sample about copies, as their first letters: e xact, n ear, c onflict, l eak. */
static void assert_marks(const fixture *f, const char *name, const char *expected)
{
    static const vg_mark marks[] = {VG_MARK_EXACT_COPY, VG_MARK_NEAR_COPY, VG_MARK_LABEL_CONFLICT,
                                    VG_MARK_LEAK};
    char found[5] = "";
    size_t index = index_of(f, name), n = 0;
    for (int m = 0; m < 4; m++)
        if (vg_marks_has(&f->audit.marks, index, marks[m]))
            found[n++] = "encl"[m];
    if (strcmp(found, expected) != 0)
        fail_msg("%s: found marks \"%s\", expected \"%s\"", name, found, expected);
}

static void assert_stays(const fixture *f, const char *name)
{
    size_t index = index_of(f, name);
    for (size_t g = 0; g < f->audit.copies.group_count; g++)
        if (f->audit.copies.groups[g].stays == index)
            return;
    fail_msg("%s does not stay", name);
}

static void test_a_leak_costs_the_copy_in_train(void **state)
{
    fixture *f = *state;
    put_scene(f, "train/a/1.jpg", 1, 200, 95); /* larger, and yet it goes */
    put_scene(f, "test/a/1.jpg", 1, 160, 80);
    put_scene(f, "train/a/2.jpg", 2, 200, 90);
    put_scene(f, "train/a/3.jpg", 3, 200, 90);
    put_scene(f, "test/b/3.jpg", 3, 200, 40); /* leaks, and buys nothing */
    put_scene(f, "val/b/4.jpg", 4, 200, 90);
    put_scene(f, "test/b/4.jpg", 4, 200, 90);
    put_scene(f, "val/a/5.jpg", 5, 200, 90);
    audit_all(f);
    const vg_duplicates *copies = &f->audit.copies;
    assert_int_equal(copies->group_count, 3);
    assert_int_equal(copies->leaks, 2);
    assert_int_equal(copies->leaked[VG_SPLIT_TEST], 2);
    assert_int_equal(copies->bought[VG_SPLIT_TEST], 1);
    assert_int_equal(copies->leaked[VG_SPLIT_VAL], 0);
    assert_int_equal(copies->leaked[VG_SPLIT_TRAIN], 0);
    assert_int_equal(copies->conflicts, 1);
    assert_marks(f, "train/a/1.jpg", "n");
    assert_marks(f, "test/a/1.jpg", "l");
    assert_marks(f, "train/a/2.jpg", "");
    assert_marks(f, "train/a/3.jpg", "nc");
    assert_marks(f, "test/b/3.jpg", "cl");
    assert_marks(f, "val/b/4.jpg", "e"); /* both held out: no leak into train */
    assert_marks(f, "test/b/4.jpg", "");
    assert_stays(f, "test/a/1.jpg");
    assert_stays(f, "test/b/3.jpg");
    assert_stays(f, "test/b/4.jpg");
    assert_int_equal(f->audit.marks.total[VG_MARK_LEAK], 2);
    assert_int_equal(f->audit.marks.total[VG_MARK_NEAR_COPY], 2);
}

static void test_the_best_one_stays(void **state)
{
    fixture *f = *state;
    put_scene(f, "train/a/1-small.jpg", 1, 160, 95);
    put_scene(f, "train/a/2-large.jpg", 1, 320, 60);
    put_scene(f, "train/a/3-larger-file.jpg", 1, 320, 95);
    put_scene(f, "train/a/4-twin.jpg", 1, 320, 95);
    put_scene(f, "train/b/odd-one.jpg", 2, 320, 95); /* the majority has another label */
    put_scene(f, "train/c/x.jpg", 2, 200, 90);
    put_scene(f, "test/c/y.jpg", 3, 200, 90);
    put_scene(f, "train/c/z.jpg", 2, 200, 90);
    audit_all(f);
    assert_int_equal(f->audit.copies.group_count, 2);
    assert_int_equal(f->audit.copies.extra, 5);
    assert_stays(f, "train/a/3-larger-file.jpg");
    assert_marks(f, "train/a/1-small.jpg", "n");
    assert_marks(f, "train/a/2-large.jpg", "n");
    assert_marks(f, "train/a/4-twin.jpg", "e");
    assert_stays(f, "train/c/x.jpg");
    assert_marks(f, "train/b/odd-one.jpg", "nc");
    assert_marks(f, "train/c/x.jpg", "c");
    assert_marks(f, "train/c/z.jpg", "ec");
}

/* A split that is made of names leaks where it tears copies apart. */
static void test_a_split_by_name_leaks_too(void **state)
{
    fixture *f = *state;
    char name[64];
    for (unsigned i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%c/%02u.jpg", 'a' + i % 2, i);
        put_scene(f, name, i / 2 * 2 + i % 2, 120, 90);
        snprintf(name, sizeof name, "%c/%02u-copy.jpg", 'a' + i % 2, i);
        put_scene(f, name, i / 2 * 2 + i % 2, 120, 70);
    }
    audit_all(f);
    const vg_duplicates *copies = &f->audit.copies;
    size_t torn = 0, held_out = 0;
    for (size_t i = 0; i < vg_dataset_count(f->dataset); i += 2) {
        /* "00-copy.jpg" comes before "00.jpg" */
        bool first = vg_dataset_split(f->dataset, i) == VG_SPLIT_TRAIN;
        bool second = vg_dataset_split(f->dataset, i + 1) == VG_SPLIT_TRAIN;
        torn += first != second;
        held_out += vg_marks_has(&f->audit.marks, i, VG_MARK_LEAK) +
                    vg_marks_has(&f->audit.marks, i + 1, VG_MARK_LEAK);
    }
    assert_int_equal(copies->group_count, 40);
    assert_true(torn > 5);
    assert_int_equal(copies->leaks, torn);
    assert_int_equal(held_out, torn);
    assert_int_equal(copies->leaked[VG_SPLIT_VAL] + copies->leaked[VG_SPLIT_TEST], torn);
    assert_int_equal(copies->bought[VG_SPLIT_VAL] + copies->bought[VG_SPLIT_TEST], torn);
}

/* Equal drawings by the thousand are judged in one go, and are exact copies of one. */
static void test_a_crowd_of_placeholders(void **state)
{
    fixture *f = *state;
    enum { CROWD = 300 };
    char name[64];
    for (int i = 0; i < CROWD; i++) {
        snprintf(name, sizeof name, "train/%c/%03d.jpg", 'a' + i % 3, i);
        put_scene(f, name, 9, 64, 90);
    }
    put_scene(f, "test/a/other.jpg", 10, 64, 90);
    audit_all(f);
    assert_int_equal(f->audit.copies.group_count, 1);
    assert_int_equal(f->audit.copies.exact_extra, CROWD - 1);
    assert_int_equal(f->audit.marks.total[VG_MARK_EXACT_COPY], CROWD - 1);
    assert_int_equal(f->audit.marks.total[VG_MARK_LABEL_CONFLICT], CROWD);
    assert_int_equal(f->audit.marks.total[VG_MARK_LEAK], 0);
    assert_stays(f, "train/a/000.jpg");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_a_leak_costs_the_copy_in_train, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_best_one_stays, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_split_by_name_leaks_too, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_crowd_of_placeholders, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
