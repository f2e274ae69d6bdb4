/* Tests of audit/alike.c. */
#include "test.h"

#include "audit/alike.h"
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

/* The pairs among these classes, as "a~b case, ...". */
static void check(const char *const *names, size_t n, const char *expected)
{
    vg_error err = {0};
    vg_dataset *dataset;
    char text[1000] = "";
    vg_alike *list;
    size_t count;
    for (size_t i = 0; i < n; i++) {
        char line[100];
        snprintf(line, sizeof line, "%zu.jpg,\"%s\"\n", i, names[i]);
        strncat(text, line, sizeof text - strlen(text) - 1);
    }
    put_text(folder, "l.csv", text);
    char *path = vg_path_join(folder, "l.csv");
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_int_equal(vg_dataset_classes(dataset), n); /* none is merged */
    assert_ok(vg_alike_find(dataset, &list, &count, &err));
    text[0] = '\0';
    for (size_t i = 0; i < count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s~%s %s", i ? ", " : "",
                 vg_dataset_class_name(dataset, list[i].first),
                 vg_dataset_class_name(dataset, list[i].second), vg_alike_name(list[i].by));
    }
    assert_string_equal(text, expected);
    free(list);
    free(path);
    vg_dataset_close(dataset);
}

static void test_what_is_alike(void **state)
{
    (void)state;
    const char *const cases[] = {"cat", "Cat", "dog", "CAT"};
    check(cases, 4, "CAT~Cat case, CAT~cat case");
    const char *const blanks[] = {"cat", "cat ", "big  cat", "big cat", " dog"};
    check(blanks, 5, "big  cat~big cat blanks, cat~cat  blanks");
    const char *const signs[] = {"big cat", "Big-Cat", "small_cat", "smallcat", "bigcats"};
    check(signs, 5, "Big-Cat~big cat signs, small_cat~smallcat signs");
}

static void test_what_is_not(void **state)
{
    (void)state;
    const char *const names[] = {"1", "10", "-", "_", "cat", "cats", "k\xE4se", "k\xC4se"};
    check(names, 8, "");
    const char *const one[] = {"cat"};
    check(one, 1, "");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_what_is_alike),
                                       cmocka_unit_test(test_what_is_not)};
    return cmocka_run_group_tests(tests, setup, teardown);
}
