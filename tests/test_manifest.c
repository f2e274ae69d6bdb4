/* Tests of dataset/manifest.c. */
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

static vg_dataset *open_text(const char *text)
{
    vg_error err = {0};
    vg_dataset *dataset;
    put_text(folder, "list.csv", text);
    char *path = vg_path_join(folder, "list.csv");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_kind_of(dataset), VG_DATASET_MANIFEST);
    free(path);
    return dataset;
}

/* The text is refused, with "list.csv" and `part` in the message. */
static void refuse_bytes(const char *text, size_t size, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    put_bytes(folder, "list.csv", text, size);
    char *path = vg_path_join(folder, "list.csv");
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), VG_E_FORMAT);
    assert_null(dataset);
    assert_contains(err.message, "list.csv");
    assert_contains(err.message, part);
    free(path);
}

static void refuse(const char *text, const char *part)
{
    refuse_bytes(text, strlen(text), part);
}

static const char *class_of(const vg_dataset *dataset, const char *name)
{
    return vg_dataset_class_name(dataset, vg_dataset_label(dataset, find_sample(dataset, name)));
}

static void test_plain(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text("b.jpg,dog\na.jpg,cat\nsub/c.jpg,cat\n");
    assert_int_equal(vg_dataset_count(dataset), 3);
    assert_int_equal(vg_dataset_classes(dataset), 2);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "cat");
    assert_string_equal(class_of(dataset, "b.jpg"), "dog");
    assert_int_equal(find_sample(dataset, "b.jpg"), 0); /* in the order of the file */
    assert_false(vg_dataset_brings_splits(dataset));
    vg_dataset_close(dataset);
}

static void test_quotes_blanks_bom_crlf(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text("\xEF\xBB\xBFpath,label,split\r\n"
                                    "\"a, \"\"b\"\".jpg\" , \" dog \" , TRAIN\r\n"
                                    "\r\n"
                                    " c.jpg\t, cat ,valid\r\n"
                                    "\"two\r\nlines.jpg\",cat,test");
    assert_int_equal(vg_dataset_count(dataset), 3);
    assert_string_equal(class_of(dataset, "a, \"b\".jpg"), " dog "); /* quoted blanks stay */
    assert_string_equal(class_of(dataset, "c.jpg"), "cat");
    assert_string_equal(class_of(dataset, "two\r\nlines.jpg"), "cat");
    assert_int_equal(vg_dataset_split(dataset, 0), VG_SPLIT_TRAIN);
    assert_int_equal(vg_dataset_split(dataset, 1), VG_SPLIT_VAL);
    assert_int_equal(vg_dataset_split(dataset, 2), VG_SPLIT_TEST);
    assert_true(vg_dataset_brings_splits(dataset));
    vg_dataset_close(dataset);
}

static void test_header_names_columns_in_any_order(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text(",Class,width,FileName\n0,dog,32,a.jpg\n1,cat,32,b.jpg\n");
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_string_equal(class_of(dataset, "a.jpg"), "dog");
    vg_dataset_close(dataset);
}

/* A first row that names an existing file is data, even if it looks like a header. */
static void test_a_file_called_path(void **state)
{
    (void)state;
    put_text(folder, "image", "");
    vg_dataset *dataset = open_text("image,class\nb.jpg,dog\n");
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_string_equal(class_of(dataset, "image"), "class");
    vg_dataset_close(dataset);
}

static void test_numeric_labels_by_value(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text("a,10\nb,9\nc,-1\nd,100\n");
    const char *order[] = {"-1", "9", "10", "100"};
    for (int k = 0; k < 4; k++)
        assert_string_equal(vg_dataset_class_name(dataset, k), order[k]);
    vg_dataset_close(dataset);
    dataset = open_text("a,10\nb,9\nc,x\n"); /* one is no number: bytes */
    const char *bytes[] = {"10", "9", "x"};
    for (int k = 0; k < 3; k++)
        assert_string_equal(vg_dataset_class_name(dataset, k), bytes[k]);
    vg_dataset_close(dataset);
}

static void test_reads_relative_and_absolute_paths(void **state)
{
    (void)state;
    const uint8_t red[] = {200, 0, 0};
    put_flat(folder, "sub/a.png", 3, red);
    char text[4400];
    snprintf(text, sizeof text, "path,label\nsub/a.png,x\n%s/./sub/a.png,y\ngone.png,y\n", folder);
    vg_dataset *dataset = open_text(text);
    vg_error err = {0};
    vg_reader reader;
    vg_image image = {0};
    assert_ok(vg_reader_init(&reader, &err));
    for (size_t i = 0; i < 2; i++) {
        assert_ok(vg_dataset_read(dataset, i, NULL, &reader, &image, NULL, &err));
        assert_int_equal(image.data[0], 200);
        assert_true(vg_dataset_file_bytes(dataset, i) > 0);
    }
    assert_int_equal(vg_dataset_read(dataset, 2, NULL, &reader, &image, NULL, &err), VG_E_IO);
    assert_contains(err.message, "gone.png");
    assert_int_equal(vg_dataset_file_bytes(dataset, 2), 0);
    vg_image_reset(&image);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

static void test_errors_name_the_line(void **state)
{
    (void)state;
    refuse("", "empty");
    refuse("\n\r\n", "empty");
    refuse("path,label\n", "no rows");
    refuse("a.jpg\n", "list.csv:1: 1 column and no header");
    refuse("a,b,c,d\n", "list.csv:1: 4 columns");
    refuse("a.jpg,cat\n\nb.jpg\n", "list.csv:3: 1 column, expected 2");
    refuse("a.jpg,cat\nb.jpg,dog,train\n", "list.csv:2: 3 columns, expected 2");
    refuse("a.jpg,cat,train\nb.jpg,dog,tset\n", "list.csv:2: unknown split \"tset\"");
    refuse("a.jpg,cat,train\nb.jpg,dog,\n", "list.csv:2: no split given, but line 1 gives one");
    refuse("a.jpg,cat,\nb.jpg,dog,val\n", "list.csv:1: no split given, but line 2 gives one");
    refuse("a.jpg,cat\n,dog\n", "list.csv:2: the path is empty");
    refuse("a.jpg,cat\nb.jpg, \n", "list.csv:2: \"b.jpg\" has no label");
    refuse("a.jpg,cat\n\"b.jpg,dog\nc.jpg,dog\n", "list.csv:2: a quoted field begins here");
    refuse("\"x\ny\",cat\n\"b\"c,dog\n", "list.csv:3: a quoted field is followed by \"c\"");
    refuse("a.jpg,cat\nb.jpg,dog\n./a.jpg,dog\n",
           "list.csv:3: \"a.jpg\" is \"dog\" here and \"cat\" in line 1; expected one label");
    refuse("a,x,train\nb,y,val\nb,x,val\na,x,test\na,y,train\n",
           "list.csv:3: \"b\" is \"x\" here and \"y\" in line 2 (and 2 more such rows)");
    refuse("a,x,train\nb,y,val\na,x,test\n",
           "list.csv:3: \"a\" is in test here and in train in line 1; expected one split");
    refuse("./,cat\n", "list.csv:1: the path is empty");
    char many[140];
    memset(many, 'x', sizeof many);
    for (size_t i = 1; i < sizeof many; i += 2)
        many[i] = ',';
    refuse_bytes(many, sizeof many, "list.csv:1: more than 64 columns");
}

/* The same row again changes nothing, and is counted. */
static void test_repeated_rows_count_once(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text("a,x\nb,y\n./a,x\nc,y\nb,y\n.//a,x\n");
    size_t kept, count;
    assert_int_equal(vg_dataset_count(dataset), 3);
    assert_int_equal(vg_dataset_ignored_of(dataset).duplicates, 3);
    assert_int_equal(find_sample(dataset, "c"), 2);
    assert_string_equal(class_of(dataset, "c"), "y");
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    assert_int_equal(kept, 1);
    assert_contains(notes[0], "list.csv:3: \"a\" is listed a second time, first in line 1");
    vg_dataset_close(dataset);
}

/* Pipes under the name of a manifest and of a picture are refused, not waited for. */
static void test_pipes_do_not_hang(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_reader reader;
    vg_dataset *dataset;
    char *path = vg_path_join(folder, "pipe.jpg");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), VG_E_IO);
    dataset = open_text("pipe.jpg,cat\nnowhere,cat\nfile/x.jpg,cat\nfile,dog\n");
    put_text(folder, "file", "x");
    assert_ok(vg_reader_init(&reader, &err));
    const char *const reasons[] = {"not a regular file", "No such file", "Not a directory"};
    for (size_t i = 0; i < 3; i++) {
        assert_int_equal(vg_dataset_read(dataset, i, NULL, &reader, &image, NULL, &err), VG_E_IO);
        assert_contains(err.message, reasons[i]);
    }
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    vg_dataset_close(dataset);
    free(path);
}

static void test_all_empty_splits_are_none(void **state)
{
    (void)state;
    vg_dataset *dataset = open_text("path,label,split\na,x,\nb,y,\n");
    assert_false(vg_dataset_brings_splits(dataset));
    vg_dataset_close(dataset);
}

static void test_not_a_text(void **state)
{
    (void)state;
    refuse_bytes("P\0K\3", 4, "zero bytes");
    const uint8_t red[] = {200, 0, 0};
    put_flat(folder, "one.png", 3, red);
    char *path = vg_path_join(folder, "one.png");
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(vg_dataset_open(path, NULL, &dataset, &err), VG_E_FORMAT);
    assert_contains(err.message, "is one PNG picture");
    free(path);
}

/* Every beginning of a manifest is accepted or refused, but never read past its end. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    const char *text =
        "path,label,split\r\n\"a \"\"b\"\".jpg\",\"do,g\",train\r\nc.jpg,cat,test\r\n";
    char *path = vg_path_join(folder, "list.csv");
    size_t opened = 0;
    for (size_t n = 0; n <= strlen(text); n++) {
        vg_error err = {0};
        vg_dataset *dataset;
        put_bytes(folder, "list.csv", text, n);
        vg_status status = vg_dataset_open(path, NULL, &dataset, &err);
        assert_true(status == VG_OK || status == VG_E_FORMAT);
        opened += status == VG_OK;
        vg_dataset_close(dataset);
    }
    assert_true(opened > 3);
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_plain),
        cmocka_unit_test(test_quotes_blanks_bom_crlf),
        cmocka_unit_test(test_header_names_columns_in_any_order),
        cmocka_unit_test(test_numeric_labels_by_value),
        cmocka_unit_test(test_reads_relative_and_absolute_paths),
        cmocka_unit_test(test_errors_name_the_line),
        cmocka_unit_test(test_all_empty_splits_are_none),
        cmocka_unit_test(test_repeated_rows_count_once),
        cmocka_unit_test(test_pipes_do_not_hang),
        cmocka_unit_test(test_not_a_text),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_a_file_called_path),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
