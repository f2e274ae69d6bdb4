/* Tests of dataset/manifest_json.c. */
#include "test.h"

#include "manifest_fixture.h"

static void test_plain(void **state)
{
    (void)state;
    vg_dataset *dataset = open_manifest(
        "l.jsonl",
        "{\"path\": \"a.jpg\", \"label\": \"dog\", \"split\": \"train\"}\r\n\n"
        "{\"Label\": \"caf\\u00e9\", \"box\": [1, {\"path\": 2}], \"file_name\": \"sub/b.jpg\", "
        "\"split\": \"validation\"}");
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_string_equal(class_of(dataset, "a.jpg"), "dog");
    assert_string_equal(class_of(dataset, "sub/b.jpg"), "caf\xC3\xA9");
    assert_int_equal(vg_dataset_split(dataset, 1), VG_SPLIT_VAL);
    vg_dataset_close(dataset);
}

/* Told by its first byte, whatever the file is called; integers are ordered by their values. */
static void test_first_byte_and_integers(void **state)
{
    (void)state;
    vg_dataset *dataset = open_manifest("list", "\xEF\xBB\xBF{\"image\":\"a\",\"class\":10}\n"
                                                "{\"image\":\"b\",\"class\":9,\"split\":null}\n"
                                                "{\"image\":\"./a\",\"class\":10}\n");
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_string_equal(vg_dataset_class_name(dataset, 0), "9");
    assert_string_equal(class_of(dataset, "a"), "10");
    assert_false(vg_dataset_brings_splits(dataset));
    assert_int_equal(vg_dataset_ignored_of(dataset).duplicates, 1);
    vg_dataset_close(dataset);
}

static void test_errors_name_line_and_column(void **state)
{
    (void)state;
    const char *good = "{\"path\":\"a\",\"label\":\"x\"}\n";
    const struct {
        const char *line, *part;
    } cases[] = {
        {"{\"path\":\"b\" \"label\":1}",
         "l.jsonl:2:19: '}' expected near '\"label\"'; expected one JSON"},
        {"{\"path\":\"b\"", "l.jsonl:2:11: '}' expected near end of file"},
        {"{", "l.jsonl:2:1: string or '}' expected"},
        {"[1]", "l.jsonl:2: an array; expected one JSON object in a line"},
        {"{\"path\":\"b\",\"path\":\"c\",\"label\":1}", "duplicate object key"},
        {"{\"path\":\"b\",\"label\":1} x", "end of file expected near 'x'"},
        {"{\"path\":\"b\xff\",\"label\":1}", "unable to decode byte 0xff"},
        {"{\"label\":\"x\",\"pth\":\"b\"}",
         "l.jsonl:2: no key \"path\" (or file, filename, file_name, "
         "image ...); did you mean \"path\" by \"pth\"?"},
        {"{\"path\":\"b\",\"box\":[],\"n\":1}",
         "l.jsonl:2: no key \"label\" (or class, category, target "
         "...); found path, box, n"},
        {"{}", "l.jsonl:2: no key \"path\" (or file, filename, file_name, image ...); found an "
               "empty object"},
        {"{\"path\":7,\"label\":1}", "l.jsonl:2: \"path\" is a whole number, expected a string"},
        {"{\"path\":\"b\",\"label\":1.5}",
         "l.jsonl:2: \"label\" is a number with a fraction, expected"},
        {"{\"path\":\"b\",\"label\":null}",
         "l.jsonl:2: \"label\" is null, expected a string or a whole"},
        {"{\"path\":\"b\",\"label\":true}", "l.jsonl:2: \"label\" is true or false, expected"},
        {"{\"path\":\"b\",\"label\":[1]}", "l.jsonl:2: \"label\" is an array, expected"},
        {"{\"path\":\"b\",\"label\":\"\"}", "l.jsonl:2: \"b\" has no label"},
        {"{\"path\":\"b\",\"label\":1,\"split\":1}",
         "l.jsonl:2: \"split\" is a whole number, expected \"train\""},
        {"{\"path\":\"b\",\"label\":1,\"split\":\"tst\"}", "l.jsonl:2: unknown split \"tst\""},
        {"{\"path\":\"b\",\"label\":1,\"split\":\"val\"}",
         "l.jsonl:1: no split given, but line 2 gives one"},
        {"{\"path\":\"a\",\"label\":\"y\"}", "l.jsonl:2: \"a\" is \"y\" here and \"x\" in line 1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[300];
        snprintf(text, sizeof text, "%s%s\n", good, cases[i].line);
        refuse_manifest("l.jsonl", text, cases[i].part);
    }
    refuse_manifest("l.jsonl", " \n\n", "the manifest is empty");
    refuse_manifest("l.json", "[\n{}]", "l.json:1:1: "); /* an array is no JSON lines */
}

/* Every beginning is accepted or refused, but never read past its end. */
static void test_cut_anywhere(void **state)
{
    (void)state;
    const char *text = "{\"path\":\"a\\u00e9\",\"label\":\"x\"}\n{\"path\":\"b\",\"label\":-7}\n";
    char *path = vg_path_join(folder, "l.jsonl");
    size_t opened = 0;
    for (size_t n = 0; n <= strlen(text); n++) {
        vg_error err = {0};
        vg_dataset *dataset;
        put_bytes(folder, "l.jsonl", text, n);
        vg_status status = vg_dataset_open(path, NULL, &dataset, &err);
        assert_true(status == VG_OK || status == VG_E_FORMAT);
        opened += status == VG_OK;
        vg_dataset_close(dataset);
    }
    assert_int_equal(opened, 4); /* each object whole, with and without its line end */
    free(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_plain, setup, teardown),
        cmocka_unit_test_setup_teardown(test_first_byte_and_integers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors_name_line_and_column, setup, teardown),
        cmocka_unit_test_setup_teardown(test_cut_anywhere, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
