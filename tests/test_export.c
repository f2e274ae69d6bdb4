/* Tests of export.h: what is written, how often, that nothing is lost or overwritten, and that it can
 * be read back as a dataset. */
#include "test.h"

#include "dataset_fixture.h"
#include "export.h"

#include <sys/stat.h>

static char *folder;
static vg_dataset *dataset;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    char name[64];
    for (int i = 0; i < 12; i++) {
        vg_error err = {0};
        vg_image image = {0};
        assert_ok(vg_image_shape(&image, 20 + i, 16, 3, &err));
        for (size_t k = 0; k < vg_image_bytes(&image); k++)
            image.data[k] = (uint8_t)(k * 7 + (size_t)i * 31);
        snprintf(name, sizeof name, "in/train/%s/pic, %02d.png", i < 9 ? "many" : "few", i);
        put_image(folder, name, &image);
        snprintf(name, sizeof name, "in/val/%s/v%02d.png", i % 2 ? "many" : "few", i);
        put_image(folder, name, &image);
        vg_image_reset(&image);
    }
    vg_error err = {0};
    char *path = vg_path_join(folder, "in");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    free(path);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

static vg_augment make(const char *policy)
{
    vg_error err = {0};
    vg_augment augment = {.channels = 3, .height = 10, .width = 12};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    augment.normalizer = vg_normalizer_make(VG_NORMALIZE_UNIT, 3, NULL);
    return augment;
}

static char *out(const char *name)
{
    return vg_path_join(folder, name);
}

static vg_status export_to(const char *name, const char *policy, vg_export_options options,
                           vg_export_summary *summary, vg_error *err)
{
    vg_augment augment = make(policy);
    char *path = out(name);
    options.folder = path;
    vg_status status = vg_export(dataset, &augment, &options, summary, err);
    free(path);
    return status;
}

static void read_back(const char *name, size_t train[2], size_t val[2])
{
    vg_error err = {0};
    vg_dataset *back = NULL;
    char *path = out(name);
    assert_ok(vg_dataset_open(path, NULL, &back, &err));
    assert_true(vg_dataset_brings_splits(back));
    assert_int_equal(vg_dataset_classes(back), 2);
    assert_string_equal(vg_dataset_class_name(back, 0), "few");
    vg_dataset_counts(back, VG_SPLIT_TRAIN, train);
    vg_dataset_counts(back, VG_SPLIT_VAL, val);
    vg_dataset_close(back);
    free(path);
}

/* All files of two exports are the same bytes. */
static void same_files(const char *a, const char *b)
{
    char command[600];
    snprintf(command, sizeof command, "diff -r -x export.txt '%s/%s' '%s/%s' >/dev/null", folder, a,
             folder, b);
    assert_int_equal(system(command), 0);
}

static void test_writes_copies_and_originals(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_export_summary summary;
    vg_error err = {0};
    size_t train[2], val[2];
    options.copies = 3;
    assert_ok(export_to("a", "heavy blur=1@0.5", options, &summary, &err));
    assert_int_equal(summary.written, 12 * 4 + 12);
    assert_int_equal(summary.unreadable, 0);
    read_back("a", train, val);
    assert_int_equal(train[0], 3 * 4);
    assert_int_equal(train[1], 9 * 4);
    assert_int_equal(val[0] + val[1], 12);
    options.originals = false;
    options.format = VG_FORMAT_PNG;
    assert_ok(export_to("b", "light", options, &summary, &err));
    read_back("b", train, val);
    assert_int_equal(train[1], 9 * 3);
}

static void test_balances_by_more_variants(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_export_summary summary;
    vg_error err = {0};
    size_t train[2], val[2];
    options.balance = true;
    assert_int_equal(vg_export_count(dataset, &options, 0), 18);
    assert_int_equal(vg_export_count(dataset, &options, 1), 18);
    assert_ok(export_to("a", "standard", options, &summary, &err));
    read_back("a", train, val);
    assert_int_equal(train[0], 18);
    assert_int_equal(train[1], 18);
    assert_int_equal(val[0], 6);
}

static void test_the_same_files_for_any_threads(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_error err = {0};
    options.copies = 2;
    options.balance = true;
    options.threads = 1;
    assert_ok(export_to("a", "heavy", options, NULL, &err));
    options.threads = 7;
    assert_ok(export_to("b", "heavy", options, NULL, &err));
    same_files("a", "b");
    char *path = out("a/manifest.csv");
    vg_bytes text = {0};
    assert_ok(vg_file_read(path, 0, &text, &err));
    assert_ok(vg_bytes_reserve(&text, text.size + 1, &err));
    text.data[text.size] = '\0';
    assert_contains((const char *)text.data, "path,label,split,source,plan\n");
    assert_contains((const char *)text.data, ",\"train/many/pic, 00.png\",");
    assert_contains((const char *)text.data, "original\n");
    vg_bytes_reset(&text);
    free(path);
}

static void test_continues_where_it_was_cut_off(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_export_summary summary;
    vg_error err = {0};
    options.copies = 2;
    assert_ok(export_to("whole", "heavy", options, NULL, &err));
    assert_ok(export_to("cut", "heavy", options, NULL, &err));

    /* As if it had been killed: half of the manifest in the journal, its last line torn, a file gone. */
    char command[900];
    snprintf(command, sizeof command,
             "cd '%s/cut' && tail -n +2 manifest.csv | head -c 1500 > manifest.part && "
             "rm manifest.csv && sed -i s/complete/unfinished/ export.txt && "
             "rm \"$(ls -d train/many/* | tail -n 1)\"",
             folder);
    assert_int_equal(system(command), 0);
    assert_ok(export_to("cut", "heavy", options, &summary, &err));
    assert_true(summary.found > 5 && summary.written > 5);
    assert_int_equal(summary.found + summary.written, 12 * 3 + 12);
    same_files("whole", "cut");
}

/* Half of an export over black and half over white would be neither. */
static void test_does_not_continue_over_another_background(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_export_summary summary;
    vg_error err = {0};
    char *in = out("in"), command[600];
    vg_dataset_options open = vg_dataset_options_default();
    open.background = VG_BACKGROUND_WHITE;
    for (int white = 0; white < 2; white++) {
        const char *name = white ? "white" : "black";
        if (white) {
            vg_dataset_close(dataset);
            assert_ok(vg_dataset_open(in, &open, &dataset, &err));
        }
        assert_ok(export_to(name, "light", options, NULL, &err));
        snprintf(command, sizeof command,
                 "cd '%s/%s' && tail -n +2 manifest.csv | head -n 9 > manifest.part && "
                 "rm manifest.csv && sed -i s/complete/unfinished/ export.txt",
                 folder, name);
        assert_int_equal(system(command), 0);
    }
    assert_int_equal(export_to("black", "light", options, NULL, &err), VG_E_STATE);
    assert_contains(err.message, "other data or settings");
    assert_ok(export_to("white", "light", options, &summary, &err));
    assert_true(summary.found > 0 && summary.written > 0);
    free(in);
}

static void test_never_overwrites(void **state)
{
    (void)state;
    vg_export_options options = vg_export_options_default();
    vg_error err = {0};
    assert_ok(export_to("a", "light", options, NULL, &err));
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_STATE);
    assert_contains(err.message, "complete");
    options.copies = 2;
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_STATE);
    assert_contains(err.message, "other data or settings");
    put_text(folder, "mine/notes.txt", "mine");
    assert_int_equal(export_to("mine", "light", options, NULL, &err), VG_E_STATE);
    assert_contains(err.message, "holds files already");
    assert_int_equal(export_to("mine/notes.txt", "light", options, NULL, &err), VG_E_STATE);
    assert_contains(err.message, "not a folder");
}

static void test_unreadable_pictures_are_told(void **state)
{
    (void)state;
    char *path = vg_path_join(folder, "in/train/many/pic, 03.png");
    vg_error err = {0};
    assert_ok(vg_file_write(path, "no picture", 10, &err));
    free(path);
    vg_export_options options = vg_export_options_default();
    vg_export_summary summary;
    assert_ok(export_to("a", "light", options, &summary, &err));
    assert_int_equal(summary.unreadable, 1);
    assert_contains(summary.first_problem, "pic, 03.png");
    assert_int_equal(summary.written, 11 * 2 + 12);
}

static void test_refuses_what_makes_no_sense(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_export_options options = vg_export_options_default();
    options.copies = 0;
    options.originals = false;
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_ARG);
    options.originals = true;
    options.balance = true;
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_ARG);
    options = vg_export_options_default();
    options.format = VG_FORMAT_GIF;
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_ARG);
    assert_contains(err.message, "GIF");
    options = vg_export_options_default();
    options.quality = 101;
    assert_int_equal(export_to("a", "light", options, NULL, &err), VG_E_ARG);
    char *path = out("a");
    assert_false(vg_path_exists(path)); /* nothing was begun */
    free(path);
}

static void test_classes_must_not_share_a_folder(void **state)
{
    (void)state;
    vg_error err = {0};
    put_text(folder, "n.csv",
             "\"in/train/few/pic, 09.png\",a/b,train\n\"in/train/few/pic, 10.png\",..,train\n");
    put_text(folder, "m.csv",
             "\"in/train/few/pic, 09.png\",a/b,train\n\"in/train/few/pic, 10.png\",a_b,train\n");
    vg_augment augment = make("light");
    vg_export_options options = vg_export_options_default();
    for (int i = 0; i < 2; i++) {
        vg_dataset *other = NULL;
        char *path = out(i ? "n.csv" : "m.csv"), *to = out(i ? "to-n" : "to-m");
        assert_ok(vg_dataset_open(path, NULL, &other, &err));
        options.folder = to;
        assert_int_equal(vg_export(other, &augment, &options, NULL, &err), i ? VG_OK : VG_E_ARG);
        if (!i)
            assert_contains(err.message, "would share the folder \"a_b\"");
        vg_dataset_close(other);
        free(path);
        free(to);
    }
    int found = 0; /* in whichever split its name's hash put it: ".." leads nowhere */
    for (int split = 0; split < VG_SPLIT_COUNT; split++) {
        char name[64];
        snprintf(name, sizeof name, "to-n/%s/_.", vg_split_name((vg_split)split));
        char *inside = out(name);
        found += vg_path_is_folder(inside);
        free(inside);
    }
    assert_int_equal(found, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_writes_copies_and_originals, setup, teardown),
        cmocka_unit_test_setup_teardown(test_balances_by_more_variants, setup, teardown),
        cmocka_unit_test_setup_teardown(test_the_same_files_for_any_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_continues_where_it_was_cut_off, setup, teardown),
        cmocka_unit_test_setup_teardown(test_does_not_continue_over_another_background, setup,
                                        teardown),
        cmocka_unit_test_setup_teardown(test_never_overwrites, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unreadable_pictures_are_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_refuses_what_makes_no_sense, setup, teardown),
        cmocka_unit_test_setup_teardown(test_classes_must_not_share_a_folder, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
