/* Tests of dataset/manifest_table.c: separators and headers (test_manifest.c has the rest). */
#include "test.h"

#include "manifest_fixture.h"

static void assert_opens(const char *name, const char *text, const char *sample, const char *class)
{
    vg_dataset *dataset = open_manifest(name, text);
    assert_string_equal(class_of(dataset, sample), class);
    vg_dataset_close(dataset);
}

static void test_separators(void **state)
{
    (void)state;
    assert_opens("l.tsv", "a, b.jpg\tbig cat\nc.jpg\tdog\n", "a, b.jpg", "big cat");
    assert_opens("l.tsv", "path\tlabel\tsplit\na.jpg\tcat\ttrain\nb.jpg\tcat\ttest\n", "a.jpg",
                 "cat");
    assert_opens("l.csv", "path;label\na.jpg;cat, wild\n", "a.jpg", "cat, wild");
    assert_opens("l.csv", "a.jpg;cat\nb.jpg;dog\n", "b.jpg", "dog");
    assert_opens("l.txt", "a.jpg\tcat,wild\n", "a.jpg", "cat,wild"); /* TAB before comma */
    assert_opens("l.csv", "a.jpg\tx,cat\n", "a.jpg\tx", "cat");      /* comma before TAB */
    assert_opens("l.csv", "n;path;label;x,y\n1;a.jpg;cat;2\n", "a.jpg", "cat"); /* a header wins */
    assert_opens("l.tsv", "\"a\"\"\t.jpg\"\t\"c\nat\"\r\n", "a\"\t.jpg", "c\nat");
    assert_opens("l.tsv", "x\tpath\tlabel\n\ta.jpg\tcat\n", "a.jpg", "cat"); /* an empty field */
}

static void test_what_fits_no_separator(void **state)
{
    (void)state;
    refuse_manifest("l.csv", "a.jpg|cat\n", "l.csv:1: 1 column and no header");
    refuse_manifest("l.csv", "a,b,c,d\n",
                    "l.csv:1: 4 columns (by comma 4, by TAB 1, by semicolon 1)");
}

static void test_rest(void **state)
{
    (void)state;
    refuse_manifest("l.tsv", "a.jpg\tcat\n\nb.jpg\n", "l.tsv:3: 1 column, expected 2");
    refuse_manifest("l.tsv", "\"a\"x\tcat\n",
                    "l.tsv:1: a quoted field is followed by \"x\", expected a TAB");
}

/* A slip in a header must not make it a row. */
static void test_headers_with_a_slip(void **state)
{
    (void)state;
    refuse_manifest("l.csv", "paht,label\na.jpg,cat\n",
                    "l.csv:1: the header names \"label\", but no column for the path; did you mean "
                    "\"path\" instead of \"paht\"?");
    refuse_manifest("l.csv", "file_name,lable,split\na.jpg,cat,train\n",
                    "l.csv:1: the header names \"file_name\", but no column for the label; did you "
                    "mean \"label\" instead of \"lable\"?");
    refuse_manifest(
        "l.csv", "file_name,text\na.jpg,a cat\n",
        "l.csv:1: the header names \"file_name\", but no column for the label; expected");
    refuse_manifest("l.csv", "id,width,file_name,text\n1,2,a.jpg,a cat\n",
                    "names \"file_name\", but no column for the label");
    assert_opens("l.csv", "a.jpg,class\nb.jpg,dog\n", "a.jpg", "class"); /* a picture by name */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_separators, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_fits_no_separator, setup, teardown),
        cmocka_unit_test_setup_teardown(test_rest, setup, teardown),
        cmocka_unit_test_setup_teardown(test_headers_with_a_slip, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
