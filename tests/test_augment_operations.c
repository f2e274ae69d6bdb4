/* The table of operations: in the documentation, and as JSON. */
#include "test.h"

#include "augment.h"
#include "base/file.h"

#include <jansson.h>

static vg_error err;

/* docs/augmentation.md holds the table that the program prints. */
static void test_documented(void **state)
{
    (void)state;
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    vg_augment_operations(out);
    fclose(out);
    vg_bytes text = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/../../docs/augmentation.md", 0, &text, &err));
    assert_ok(vg_bytes_reserve(&text, text.size + 1, &err));
    text.data[text.size] = '\0';
    if (!strstr((const char *)text.data, table))
        fail_msg("docs/augmentation.md does not hold the table of `augment --operations`");
    free(table);
    vg_bytes_reset(&text);
}

static void test_json(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_ok(vg_augment_operations_json(out, &err));
    fclose(out);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    json_t *list = json_object_get(root, "operations");
    assert_int_equal(json_array_size(list), VG_OPERATIONS);
    json_t *rotate = json_array_get(list, VG_OP_ROTATE), *jpeg = json_array_get(list, VG_OP_JPEG),
           *grey = json_array_get(list, VG_OP_GREY);
    assert_string_equal(json_string_value(json_object_get(rotate, "name")), "rotate");
    assert_string_equal(json_string_value(json_object_get(rotate, "form")), "symmetric");
    assert_float_equal(json_number_value(json_array_get(json_object_get(rotate, "range"), 0)), -180,
                       0);
    assert_float_equal(json_number_value(json_object_get(rotate, "neutral")), 0, 0);
    assert_true(json_is_true(json_object_get(jpeg, "whole")));
    assert_true(json_is_null(json_object_get(jpeg, "neutral"))); /* no quality changes nothing */
    assert_true(json_is_null(json_object_get(grey, "range")));
    json_decref(root);
    free(text);
}

static void test_files(void **state)
{
    (void)state;
    assert_int_equal(vg_augment_file_of("a/b.png"), VG_FILE_PNG);
    assert_int_equal(vg_augment_file_of("b.JPG"), VG_FILE_JPEG);
    assert_int_equal(vg_augment_file_of("b.jpeg"), VG_FILE_JPEG);
    assert_int_equal(vg_augment_file_of("b.html"), VG_FILE_HTML);
    assert_int_equal(vg_augment_file_of("png"), VG_FILE_OTHER);
    assert_int_equal(vg_augment_file_of("folder.png/x"), VG_FILE_OTHER);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_json),
        cmocka_unit_test(test_files),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
