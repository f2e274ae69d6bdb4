/* Tests of dataset/folder.c: which files become samples, of which class and split. Most files here
 * are empty: a scan opens none. */
#include "test.h"

#include "dataset_fixture.h"

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

static vg_dataset *open_ok(void)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_FOLDER);
    return dataset;
}

static void assert_classes(const vg_dataset *dataset, int n, const char *const *names)
{
    assert_int_equal(vg_dataset_classes(dataset), n);
    for (int k = 0; k < n; k++)
        assert_string_equal(vg_dataset_class_name(dataset, k), names[k]);
}

static void test_classes_in_byte_order_and_nested_files(void **state)
{
    (void)state;
    put_text(folder, "zebra/1.jpg", "");
    put_text(folder, "Ant/deep/er/2.PNG", "");
    put_text(folder, "Ant/1.jpeg", "");
    put_text(folder, "ant/1.jfif", "");
    put_text(folder, "ant/1.JPE", "");
    vg_dataset *dataset = open_ok();
    const char *names[] = {"Ant", "ant", "zebra"};
    assert_classes(dataset, 3, names);
    assert_int_equal(vg_dataset_count(dataset), 5);
    size_t deep = find_sample(dataset, "Ant/deep/er/2.PNG");
    assert_int_equal(vg_dataset_label(dataset, deep), 0);
    assert_int_equal(vg_dataset_label(dataset, find_sample(dataset, "zebra/1.jpg")), 2);
    assert_false(vg_dataset_brings_splits(dataset));
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    assert_int_equal(count, 1);
    assert_string_equal(notes[0], "classes \"Ant\" and \"ant\" differ in nothing but capitals");
    for (size_t i = 1; i < 5; i++) { /* byte order of paths */
        char a[100], b[100];
        vg_dataset_name(dataset, i - 1, a, sizeof a);
        vg_dataset_name(dataset, i, b, sizeof b);
        assert_true(strcmp(a, b) < 0);
    }
    vg_dataset_close(dataset);
}

static void test_what_is_left_out_is_counted(void **state)
{
    (void)state;
    put_text(folder, "cat/1.jpg", "");
    put_text(folder, "cat/.hidden.jpg", "");
    put_text(folder, "cat/.ipynb_checkpoints/1.jpg", "");
    put_text(folder, "cat/notes.txt", "");
    put_text(folder, "cat/noextension", "");
    put_text(folder, "cat/a.bmp", "");
    put_text(folder, "cat/b.TIFF", "");
    put_text(folder, "cat/c.gif", "");
    put_text(folder, "dog/1.png", "");
    put_text(folder, "__MACOSX/cat/1.jpg", "");
    put_text(folder, "empty/readme.md", "");
    put_text(folder, "loose.jpg", "");
    put_text(folder, "LICENSE", "");
    vg_dataset *dataset = open_ok();
    const char *names[] = {"cat", "dog"};
    assert_classes(dataset, 2, names);
    assert_int_equal(vg_dataset_count(dataset), 2);
    vg_dataset_ignored ignored = vg_dataset_ignored_of(dataset);
    assert_int_equal(ignored.hidden, 3);
    assert_int_equal(ignored.not_images, 4);
    assert_int_equal(ignored.other_formats, 3);
    assert_int_equal(ignored.empty_classes, 1);
    assert_int_equal(ignored.loose, 1);
    assert_int_equal(ignored.unreadable, 0);
    vg_dataset_close(dataset);
}

static void test_split_folders_merge_classes_by_name(void **state)
{
    (void)state;
    put_text(folder, "TRAIN/cat/1.jpg", "");
    put_text(folder, "TRAIN/dog/1.jpg", "");
    put_text(folder, "TRAIN/eel/1.jpg", "");
    put_text(folder, "validation/dog/2.jpg", "");
    put_text(folder, "Test/ant/3.jpg", "");
    put_text(folder, "Test/eel/3.jpg", "");
    put_text(folder, "Test/loose.png", "");
    put_text(folder, "docs/pictures/1.png", "");
    vg_dataset *dataset = open_ok();
    const char *names[] = {"ant", "cat", "dog", "eel"};
    assert_classes(dataset, 4, names);
    assert_true(vg_dataset_brings_splits(dataset));
    size_t counts[4];
    const size_t expected[3][4] = {{0, 1, 1, 1}, {0, 0, 1, 0}, {1, 0, 0, 1}};
    for (int split = 0; split < VG_SPLIT_COUNT; split++) {
        vg_dataset_counts(dataset, (vg_split)split, counts);
        assert_memory_equal(counts, expected[split], sizeof counts);
    }
    assert_int_equal(vg_dataset_split(dataset, find_sample(dataset, "Test/ant/3.jpg")),
                     VG_SPLIT_TEST);
    vg_dataset_ignored ignored = vg_dataset_ignored_of(dataset);
    assert_int_equal(ignored.other_folders, 1);
    assert_int_equal(ignored.loose, 1);
    vg_dataset_close(dataset);
}

static void test_train_and_test_without_val_stay(void **state)
{
    (void)state;
    for (int i = 0; i < 20; i++) {
        char name[40];
        snprintf(name, sizeof name, "train/a/%d.jpg", i);
        put_text(folder, name, "");
    }
    put_text(folder, "test/a/1.jpg", "");
    vg_dataset *dataset = open_ok();
    size_t count;
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, &count);
    assert_int_equal(count, 20);
    vg_dataset_counts(dataset, VG_SPLIT_VAL, &count);
    assert_int_equal(count, 0);
    vg_dataset_close(dataset);
}

/* train/ alone brings no split: the same files move to the same splits as without train/. */
static void test_train_alone_is_split_by_hash(void **state)
{
    (void)state;
    char name[64];
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "train/%c/%d.jpg", 'a' + i % 2, i);
        put_text(folder, name, "");
    }
    vg_dataset *with = open_ok();
    assert_false(vg_dataset_brings_splits(with));
    char *inner = vg_path_join(folder, "train");
    vg_dataset *without;
    vg_error err = {0};
    assert_ok(vg_dataset_open(inner, NULL, &without, &err));
    size_t held_out = 0;
    for (int i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "train/%c/%d.jpg", 'a' + i % 2, i);
        vg_split split = vg_dataset_split(with, find_sample(with, name));
        assert_int_equal(split, vg_dataset_split(without, find_sample(without, name + 6)));
        held_out += split != VG_SPLIT_TRAIN;
    }
    assert_true(held_out > 5 && held_out < 35);
    free(inner);
    vg_dataset_close(with);
    vg_dataset_close(without);
}

/* A class of trains is not a training split. */
static void test_a_class_called_train(void **state)
{
    (void)state;
    put_text(folder, "bus/1.jpg", "");
    put_text(folder, "train/1.jpg", "");
    vg_dataset *dataset = open_ok();
    const char *names[] = {"bus", "train"};
    assert_classes(dataset, 2, names);
    vg_dataset_close(dataset);
}

static void test_flat_folder_is_one_class(void **state)
{
    (void)state;
    put_text(folder, "pets/1.jpg", "");
    put_text(folder, "pets/2.png", "");
    put_text(folder, "pets/3.gif", "");
    put_text(folder, "pets/sub/readme.txt", "");
    char *inner = vg_path_join(folder, "pets/");
    vg_dataset *dataset;
    vg_error err = {0};
    assert_ok(vg_dataset_open(inner, NULL, &dataset, &err));
    const char *names[] = {"pets"};
    assert_classes(dataset, 1, names);
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_int_equal(vg_dataset_ignored_of(dataset).loose, 0);
    assert_int_equal(vg_dataset_ignored_of(dataset).other_formats, 1);
    find_sample(dataset, "1.jpg");
    vg_dataset_close(dataset);
    free(inner);
}

static void link_to(const char *target, const char *name)
{
    char *path = vg_path_join(folder, name);
    assert_int_equal(symlink(target, path), 0);
    free(path);
}

static void test_links_are_followed_and_circles_refused(void **state)
{
    (void)state;
    put_text(folder, "store/x/1.jpg", "");
    put_text(folder, "store/x/2.jpg", "");
    put_text(folder, "data/cat/0.jpg", "");
    link_to("../store/x", "data/dog"); /* a class that is a link */
    link_to("../../store/x/1.jpg", "data/cat/linked.jpg");
    link_to("..", "data/cat/circle");            /* data itself, which holds cat */
    link_to("nowhere", "data/cat/dangling.jpg"); /* reading it will say so */
    char *inner = vg_path_join(folder, "data");
    vg_dataset *dataset;
    vg_error err = {0};
    assert_ok(vg_dataset_open(inner, NULL, &dataset, &err));
    const char *names[] = {"cat", "dog"};
    assert_classes(dataset, 2, names);
    find_sample(dataset, "cat/linked.jpg");
    find_sample(dataset, "cat/dangling.jpg");
    find_sample(dataset, "dog/2.jpg");
    /* the circle leads to data/, whose dog/ is new to this class and whose cat/ is not */
    assert_int_equal(vg_dataset_ignored_of(dataset).unreadable, 1);
    assert_int_equal(vg_dataset_count(dataset), 7);
    vg_dataset_close(dataset);
    free(inner);
}

static void test_fifo_is_no_picture(void **state)
{
    (void)state;
    put_text(folder, "cat/1.jpg", "");
    char *path = vg_path_join(folder, "cat/pipe.jpg");
    assert_int_equal(mkfifo(path, 0600), 0);
    free(path);
    vg_dataset *dataset = open_ok();
    assert_int_equal(vg_dataset_count(dataset), 1);
    assert_int_equal(vg_dataset_ignored_of(dataset).not_images, 1);
    vg_dataset_close(dataset);
}

static void assert_refused(vg_status expected, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open(folder, NULL, &dataset, &err), expected);
    assert_null(dataset);
    assert_contains(err.message, folder);
    assert_contains(err.message, part);
}

static void test_nothing_found_says_what_was_there(void **state)
{
    (void)state;
    char list[VG_FORMAT_LIST], expected[100];
    snprintf(expected, sizeof expected, "no images found (looked for %s in 1 folder,",
             vg_format_list("and", list));
    assert_refused(VG_E_FORMAT, expected);
    put_text(folder, "cat/readme.txt", "");
    assert_refused(VG_E_FORMAT, "in 2 folders, passed over 1 other files");
    put_text(folder, "cat/1.jxl", "");
    put_text(folder, "cat/2.JXL", "");
    put_text(folder, "dog/3.gif", "");
    assert_refused(VG_E_FORMAT, "in 3 folders; found 1 .gif, 2 .jxl");
}

static void test_split_folders_without_classes(void **state)
{
    (void)state;
    put_text(folder, "train/cat/readme.txt", "");
    put_text(folder, "train/1.jpg", "");
    assert_refused(VG_E_FORMAT, "1 beside them");
}

static void test_missing_path(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open("/nonexistent/pets", NULL, &dataset, &err), VG_E_IO);
    assert_contains(err.message, "/nonexistent/pets");
    assert_int_equal(vg_dataset_open("/dev/null", NULL, &dataset, &err), VG_E_IO);
    assert_contains(err.message, "neither a folder nor a file");
}

static void test_folder_that_cannot_be_listed(void **state)
{
    (void)state;
    put_text(folder, "cat/1.jpg", "");
    put_text(folder, "dog/1.jpg", "");
    char *path = vg_path_join(folder, "dog");
    assert_int_equal(chmod(path, 0), 0);
    bool root = become_nobody(folder);
    vg_dataset *dataset = open_ok();
    assert_int_equal(vg_dataset_ignored_of(dataset).unreadable, 1);
    assert_int_equal(vg_dataset_ignored_of(dataset).empty_classes, 0); /* counted once */
    assert_int_equal(vg_dataset_classes(dataset), 1);
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    assert_int_equal(count, 1);
    assert_string_equal(notes[0], "dog/: Permission denied");
    vg_dataset_close(dataset);
    become_root(root);
    chmod(path, 0700);
    free(path);
}

static vg_dataset *open_real(const char *name)
{
    vg_error err = {0};
    vg_dataset *dataset;
    char *path = real_data(name);
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    free(path);
    return dataset;
}

static void test_real_caltech(void **state)
{
    (void)state;
    vg_dataset *dataset = open_real("caltech-photos");
    assert_int_equal(vg_dataset_count(dataset), 3033);
    assert_int_equal(vg_dataset_classes(dataset), 28);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "Leopards");
    assert_string_equal(vg_dataset_class_name(dataset, 27), "yin_yang");
    assert_false(vg_dataset_brings_splits(dataset));
    vg_dataset_close(dataset);
}

static void test_real_cifar(void **state)
{
    (void)state;
    vg_dataset *dataset = open_real("cifar10-jpg");
    assert_int_equal(vg_dataset_count(dataset), 60000);
    assert_int_equal(vg_dataset_classes(dataset), 10);
    assert_true(vg_dataset_brings_splits(dataset));
    size_t counts[10];
    vg_dataset_counts(dataset, VG_SPLIT_TEST, counts);
    assert_int_equal(counts[9], 1000);
    vg_dataset_close(dataset);
}

static void test_real_gtsrb(void **state)
{
    (void)state;
    vg_dataset *dataset = open_real("gtsrb-signs");
    assert_int_equal(vg_dataset_count(dataset), 3921);
    assert_int_equal(vg_dataset_classes(dataset), 43);
    assert_false(vg_dataset_brings_splits(dataset)); /* brings train/ alone */
    vg_dataset_close(dataset);
}

static void test_real_odd(void **state)
{
    (void)state;
    vg_dataset *dataset = open_real("odd-images");
    assert_int_equal(vg_dataset_count(dataset), 555 + 14 + 731);
    assert_int_equal(vg_dataset_ignored_of(dataset).other_formats, 19);
    assert_int_equal(vg_dataset_ignored_of(dataset).not_images, 1);
    vg_dataset_close(dataset);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(test_classes_in_byte_order_and_nested_files),
        FRESH(test_what_is_left_out_is_counted),
        FRESH(test_split_folders_merge_classes_by_name),
        FRESH(test_train_and_test_without_val_stay),
        FRESH(test_train_alone_is_split_by_hash),
        FRESH(test_a_class_called_train),
        FRESH(test_flat_folder_is_one_class),
        FRESH(test_links_are_followed_and_circles_refused),
        FRESH(test_fifo_is_no_picture),
        FRESH(test_nothing_found_says_what_was_there),
        FRESH(test_split_folders_without_classes),
        cmocka_unit_test(test_missing_path),
        FRESH(test_folder_that_cannot_be_listed),
        cmocka_unit_test(test_real_caltech),
        cmocka_unit_test(test_real_cifar),
        cmocka_unit_test(test_real_gtsrb),
        cmocka_unit_test(test_real_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
