/* Tests of dataset/webdataset.c and shards.c: which shards a pattern names, how their members become
 * samples, and what is said about those that do not. */
#include "test.h"

#include "archive_fixture.h"

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

static packed_file text_file(const char *name, const char *text)
{
    return (packed_file){name, text, strlen(text), NULL};
}

/* Packs name, text, name, text, ..., NULL as folder/archive. */
static void put_shard(const char *archive, ...)
{
    packed_file files[32];
    size_t count = 0;
    va_list args;
    va_start(args, archive);
    for (const char *name; (name = va_arg(args, const char *));) {
        assert_true(count < 32);
        files[count++] = text_file(name, va_arg(args, const char *));
    }
    va_end(args);
    vg_error err = {0};
    char *path = vg_path_join(folder, archive), *slash = strrchr(path, '/');
    *slash = '\0';
    assert_ok(vg_make_folders(path, &err));
    *slash = '/';
    pack_files(path, strstr(archive, ".zip") ? "zip" : "pax", files, count);
    free(path);
}

static vg_status open_pattern(const char *pattern, vg_dataset **dataset, vg_error *err)
{
    char text[4000];
    snprintf(text, sizeof text, "%s%s%s", folder, *pattern ? "/" : "", pattern);
    return vg_dataset_open(text, NULL, dataset, err);
}

static vg_dataset *open_ok(const char *pattern)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(open_pattern(pattern, &dataset, &err));
    return dataset;
}

static void assert_refused(const char *pattern, vg_status expected, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(open_pattern(pattern, &dataset, &err), expected);
    assert_null(dataset);
    assert_contains(err.message, part);
}

static void assert_sample(const vg_dataset *dataset, const char *name, const char *class_name,
                          const char *content)
{
    vg_error err = {0};
    vg_span bytes;
    vg_reader reader;
    size_t index = find_sample(dataset, name);
    assert_string_equal(vg_dataset_class_name(dataset, vg_dataset_label(dataset, index)),
                        class_name);
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_bytes(dataset, index, &reader, &bytes, &err));
    assert_int_equal(bytes.size, strlen(content));
    assert_memory_equal(bytes.data, content, bytes.size);
    vg_reader_reset(&reader);
}

static void assert_note(const vg_dataset *dataset, const char *shard, const char *part)
{
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    for (size_t i = 0; i < kept; i++)
        if (strstr(notes[i], shard) && strstr(notes[i], part))
            return;
    fail_msg("no note about %s with \"%s\"", shard, part);
}

static void test_groups_and_labels(void **state)
{
    (void)state;
    put_shard("s.tar", "a/0001.jpg", "one", "a/0001.cls", "10\n", "a/0001.txt", "a caption",
              "a/0001.seg.png", "mask", "a.b/0002.PNG", "two", "a.b/0002.CLS", " 2 ", "x.jpeg",
              "three", "x.json", "{\"label\": 9, \"other\": [1]}", "x-y.jpg", "four", "x-y.cls",
              "+2", "__meta__", "{}", "plain", "", "alone.json", "{}", "y.jpg", "five", "y.json",
              "{\"class_name\": \"owl\"}", NULL);
    vg_dataset *dataset = open_ok("s.tar");
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_WEBDATASET);
    assert_int_equal(vg_dataset_count(dataset), 5);
    assert_sample(dataset, "a/0001.jpg", "10", "one");
    assert_sample(dataset, "a.b/0002.PNG", "2", "two");
    assert_sample(dataset, "x.jpeg", "9", "three");
    assert_sample(dataset, "x-y.jpg", "2", "four");
    assert_sample(dataset, "y.jpg", "owl", "five");
    vg_dataset_ignored ignored = vg_dataset_ignored_of(dataset);
    assert_int_equal(ignored.unlabelled, 0);
    assert_int_equal(ignored.hidden, 1);
    assert_int_equal(ignored.not_images, 2);
    vg_dataset_close(dataset);
}

static void test_numbers_are_in_order(void **state)
{
    (void)state;
    put_shard("s.tar", "0.jpg", "", "0.cls", "10", "1.jpg", "", "1.cls", "9", "2.jpg", "", "2.cls",
              "007", NULL);
    vg_dataset *dataset = open_ok("s.tar");
    const char *names[] = {"7", "9", "10"};
    assert_int_equal(vg_dataset_classes(dataset), 3);
    for (int k = 0; k < 3; k++)
        assert_string_equal(vg_dataset_class_name(dataset, k), names[k]);
    vg_dataset_close(dataset);
}

static void test_what_has_no_label_is_told(void **state)
{
    (void)state;
    put_shard("s-0.tar", "ok.jpg", "1", "ok.cls", "1", "none.jpg", "2", "two.jpg", "3", "two.png",
              "4", "two.cls", "1", "word.jpg", "5", "word.cls", "cat", "empty.jpg", "6",
              "empty.cls", "", "minus.jpg", "7", "minus.cls", "-1", NULL);
    put_shard("s-1.tar", "broken.jpg", "1", "broken.json", "{\"label\": ", "list.jpg", "2",
              "list.json", "[1]", "nokey.jpg", "3", "nokey.json", "{\"name\": \"cat\"}", "real.jpg",
              "4", "real.json", "{\"label\": 1.5}", "text.jpg", "5", "text.txt", "a cat",
              "long.jpg", "6", "long.cls",
              "0000000000000000000000000000000000000000000000000000000000000000001", NULL);
    vg_dataset *dataset = open_ok("s-{0..1}.tar");
    assert_int_equal(vg_dataset_count(dataset), 1);
    assert_int_equal(vg_dataset_ignored_of(dataset).unlabelled, 11);
    assert_note(dataset, "s-0.tar: none.jpg", "no .cls and no .json");
    assert_note(dataset, "s-0.tar: two.png", "several pictures");
    assert_note(dataset, "s-0.tar: word.cls", "no integer");
    assert_note(dataset, "s-0.tar: empty.cls", "empty");
    assert_note(dataset, "s-0.tar: minus.cls", "negative");
    assert_note(dataset, "s-1.tar: broken.json", "no JSON");
    assert_note(dataset, "s-1.tar: list.json", "no JSON object");
    assert_note(dataset, "s-1.tar: nokey.json", "it has no \"label\"");
    assert_note(dataset, "s-1.tar: real.json", "neither an integer nor a string");
    assert_note(dataset, "s-1.tar: text.jpg", "no .cls");
    assert_note(dataset, "s-1.tar: long.cls", "no integer");
    vg_dataset_close(dataset);
    put_shard("bad.tar", "a.jpg", "1", "a.cls", "x", "b.jpg", "2", "b.cls", "y", NULL);
    assert_refused("bad.tar", VG_E_FORMAT, "none of 2 samples has one picture and one label");
    assert_refused("bad.tar", VG_E_FORMAT, "a.cls: it is no integer");
}

static void test_class_names(void **state)
{
    (void)state;
    put_shard("train/s.tar", "a.jpg", "1", "a.cls", "2", "b.jpg", "2", "b.cls", "0", "c.jpg", "3",
              "c.cls", "3", "d.jpg", "4", "d.json", "{\"label\": \"cat\"}", "e.jpg", "5", "e.json",
              "{\"label\": \"cow\"}", NULL);
    put_text(folder, "classes.txt", "zebra\r\nunused\ncat\n\n");
    vg_dataset *dataset = open_ok("");
    assert_int_equal(vg_dataset_classes(dataset), 2);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "zebra");
    assert_sample(dataset, "s.tar/a.jpg", "cat", "1");
    assert_sample(dataset, "s.tar/d.jpg", "cat", "4");
    assert_int_equal(vg_dataset_ignored_of(dataset).unlabelled, 2);
    assert_note(dataset, "c.cls", "not in classes.txt");
    assert_note(dataset, "e.json", "not in classes.txt");
    vg_dataset_close(dataset);
    put_text(folder, "classes.txt", "a\nb\na\n");
    assert_refused("", VG_E_FORMAT, "classes.txt:3: also the name of label 0");
    put_text(folder, "classes.txt", "a\n\nb\n");
    assert_refused("", VG_E_FORMAT, "classes.txt:2: expected the name of label 1");
}

static void put_one(const char *archive, const char *label)
{
    put_shard(archive, "k.jpg", archive, "k.cls", label, NULL);
}

/* Names of the shards that a pattern gives, in order, with blanks between. */
static void assert_shards(const char *pattern, const char *expected)
{
    char found[2000] = "";
    vg_dataset *dataset = open_ok(pattern);
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        char name[200];
        size_t length = vg_dataset_name(dataset, i, name, sizeof name);
        assert_string_equal(name + length - 6, "/k.jpg");
        name[length - 6] = '\0';
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", used ? " " : "", name);
    }
    assert_string_equal(found, expected);
    vg_dataset_close(dataset);
}

static void test_braces(void **state)
{
    (void)state;
    static const char *const names[] = {"t-08.tar", "t-09.tar", "t-10.tar", "t-11.tar", "a1.tar",
                                        "a2.tar",   "b1.tar",   "b2.tar",   "{x}1.tar", "{x}2.tar"};
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        put_one(names[i], "1");
    assert_shards("t-{08..11}.tar", "t-08.tar t-09.tar t-10.tar t-11.tar");
    assert_shards("t-{11..08..2}.tar", "t-11.tar t-09.tar");
    assert_shards("{a,b}{1,2}.tar", "a1.tar a2.tar b1.tar b2.tar");
    assert_shards("{b..a}{2..1}.tar", "b2.tar b1.tar a2.tar a1.tar");
    assert_shards("{t-{10,08},b1}.tar", "t-10.tar t-08.tar b1.tar");
    assert_shards("{x}{1,2}.tar", "{x}1.tar {x}2.tar");
    assert_shards("t-*.tar", "t-08.tar t-09.tar t-10.tar t-11.tar");
    assert_shards("{b,a}[12].tar", "b1.tar b2.tar a1.tar a2.tar");
    assert_refused("t-{08..12}.tar", VG_E_IO, "t-12.tar: No such file");
    assert_refused("q-*.tar", VG_E_IO, "no file is called like that");
    assert_refused("{a1,a1}.tar", VG_E_FORMAT, "listed twice");
    assert_refused("a{1..99999999}.tar", VG_E_LIMIT, "more than 65536 archives");
    assert_refused("a1.tar::", VG_E_ARG, "nothing between");
}

static void test_several_patterns(void **state)
{
    (void)state;
    char pattern[3000];
    put_one("x/train-0.tar", "1");
    put_one("x/train-1.tar", "2");
    put_one("y/0.zip", "3");
    snprintf(pattern, sizeof pattern, "x/train-{0,1}.tar::%s/y/0.zip", folder);
    assert_shards(pattern, "x/train-0.tar x/train-1.tar y/0.zip");
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open("https://host/a.tar", NULL, &dataset, &err), VG_E_ARG);
    assert_contains(err.message, "only files on this machine");
    assert_int_equal(vg_dataset_open("pipe:curl x::{1,2}.tar", NULL, &dataset, &err), VG_E_ARG);
}

static void assert_splits(const vg_dataset *dataset, size_t train, size_t val, size_t test)
{
    const size_t expected[] = {train, val, test};
    size_t found[VG_SPLIT_COUNT] = {0};
    for (size_t i = 0; i < vg_dataset_count(dataset); i++)
        found[vg_dataset_split(dataset, i)]++;
    assert_memory_equal(found, expected, sizeof expected);
    assert_true(vg_dataset_brings_splits(dataset));
}

static void test_splits_by_name(void **state)
{
    (void)state;
    put_one("data-train-0.tar", "1");
    put_one("data-train-1.tar", "1");
    put_one("data-val-0.tar", "1");
    put_one("Test_0.tar", "1");
    put_one("trainer.tar", "1"); /* another word */
    vg_dataset *dataset = open_ok("");
    assert_splits(dataset, 3, 1, 1);
    vg_dataset_close(dataset);
}

static void test_splits_by_folder(void **state)
{
    (void)state;
    put_one("train/0.tar", "1");
    put_one("validation/0.tar", "1");
    put_one("validation/1.tar", "1");
    put_text(folder, "README.md", "about");
    vg_dataset *dataset = open_ok("");
    assert_splits(dataset, 1, 2, 0);
    find_sample(dataset, "validation/1.tar/k.jpg");
    vg_dataset_close(dataset);
    put_text(folder, "train/cat/1.jpg", ""); /* now it is a folder of class folders */
    dataset = open_ok("");
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_FOLDER);
    vg_dataset_close(dataset);
}

static void test_archive_beside_class_folders(void **state)
{
    (void)state;
    put_one("backup.tar", "1");
    put_text(folder, "cat/1.jpg", "");
    vg_dataset *dataset = open_ok("");
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_FOLDER);
    assert_int_equal(vg_dataset_count(dataset), 1);
    vg_dataset_close(dataset);
}

/* One archive for each class, as ImageNet is given out; class folders over several archives. */
static void test_archives_of_class_folders(void **state)
{
    (void)state;
    put_shard("n01.tar", "n01_1.jpg", "1", "n01_2.jpg", "2", NULL);
    put_shard("n02.tar", "n02_1.jpg", "3", NULL);
    vg_dataset *dataset = open_ok("");
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_ARCHIVE);
    assert_sample(dataset, "n01.tar/n01_2.jpg", "n01", "2");
    assert_sample(dataset, "n02.tar/n02_1.jpg", "n02", "3");
    vg_dataset_close(dataset);
    put_shard("c/train.zip", "data/cat/1.jpg", "1", "data/dog/1.jpg", "2", NULL);
    put_shard("c/test.tar", "cat/1.jpg", "3", NULL);
    dataset = open_ok("c");
    assert_sample(dataset, "train.zip/cat/1.jpg", "cat", "1");
    assert_sample(dataset, "test.tar/cat/1.jpg", "cat", "3");
    assert_splits(dataset, 2, 0, 1);
    vg_dataset_close(dataset);
}

/* More archives than are kept open: they are opened for each read, and a change is noticed. */
static void test_many_shards(void **state)
{
    (void)state;
    vg_error err = {0};
    for (int i = 0; i < 205; i++) {
        char name[32], label[8];
        snprintf(name, sizeof name, "s-%03d.tar", i);
        snprintf(label, sizeof label, "%d", i % 7);
        put_one(name, label);
    }
    vg_dataset *dataset = open_ok("s-{000..204}.tar");
    assert_int_equal(vg_dataset_count(dataset), 205);
    assert_sample(dataset, "s-204.tar/k.jpg", "1", "s-204.tar");
    put_shard("s-017.tar", "other.jpg", "x", "other.cls", "1", "more.jpg", "y", NULL);
    vg_reader reader;
    vg_span bytes;
    assert_ok(vg_reader_init(&reader, &err));
    assert_int_equal(vg_dataset_bytes(dataset, 17, &reader, &bytes, &err), VG_E_IO);
    assert_contains(err.message, "changed while it is in use");
    assert_ok(vg_dataset_bytes(dataset, 18, &reader, &bytes, &err));
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_groups_and_labels, setup, teardown),
        cmocka_unit_test_setup_teardown(test_numbers_are_in_order, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_has_no_label_is_told, setup, teardown),
        cmocka_unit_test_setup_teardown(test_class_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_braces, setup, teardown),
        cmocka_unit_test_setup_teardown(test_several_patterns, setup, teardown),
        cmocka_unit_test_setup_teardown(test_splits_by_name, setup, teardown),
        cmocka_unit_test_setup_teardown(test_splits_by_folder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_archive_beside_class_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_archives_of_class_folders, setup, teardown),
        cmocka_unit_test_setup_teardown(test_many_shards, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
