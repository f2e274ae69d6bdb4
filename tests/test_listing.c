/* Tests of dataset/listing.c: what entries are, and the order of their names against strcmp. */
#include "test.h"

#include "dataset_fixture.h"

#include "base/rng.h"
#include "dataset/listing.h"

#include <errno.h>
#include <fcntl.h>

static uint64_t draw(uint64_t *state)
{
    return *state = vg_mix(*state, 12345);
}

/* Fills names[n], each `step` bytes: a shared beginning, then few or many different bytes. */
static void make_names(char *names, size_t n, size_t step, size_t shared, unsigned kinds)
{
    uint64_t state = n + 1000 * shared + kinds;
    for (size_t i = 0; i < n; i++) {
        char *name = names + i * step;
        size_t length = shared + 1 + (size_t)(draw(&state) % (step - shared - 1));
        memset(name, 's', shared);
        for (size_t k = shared; k < length; k++)
            name[k] = (char)(255 - draw(&state) % kinds); /* 255 is the largest byte, not -1 */
        name[length] = '\0';
    }
}

static int by_strcmp(const void *a, const void *b)
{
    const char *const *p = a, *const *q = b;
    return strcmp(*p, *q);
}

static void assert_sorts(size_t n, size_t step, size_t shared, unsigned kinds)
{
    char *names = malloc(n * (step + 1) + 1);
    const char **expected = malloc(n * sizeof *expected);
    vg_entry *entries = malloc(n * sizeof *entries), *spare = malloc(n * sizeof *spare);
    assert_true(names && expected && entries && spare);
    make_names(names, n, step, shared, kinds);
    for (size_t i = 0; i < n; i++) {
        expected[i] = names + i * step;
        entries[i].at = i * step | (i % 3 ? 0 : VG_ENTRY_IS_FOLDER);
    }
    qsort(expected, n, sizeof *expected, by_strcmp);
    vg_entries_sort(entries, spare, n, names, names, shared);
    for (size_t i = 0; i < n; i++) {
        const char *name = vg_entry_name(&entries[i], names, names);
        if (strcmp(name, expected[i]) != 0)
            fail_msg("%zu names of %zu: \"%s\" at place %zu, expected \"%s\"", n, step, name, i,
                     expected[i]);
    }
    free(names);
    free(expected);
    free(entries);
    free(spare);
}

static void test_order_is_that_of_strcmp(void **state)
{
    (void)state;
    const size_t counts[] = {1, 2, 3, 23, 24, 25, 26, 200, 3000};
    for (int i = 0; i < 9; i++) {
        assert_sorts(counts[i], 12, 0, 255);
        assert_sorts(counts[i], 30, 5, 3);
        assert_sorts(counts[i], 40, 0, 2);   /* long runs of equal keys */
        assert_sorts(counts[i], 256, 17, 1); /* names that begin each other, and twins */
        assert_sorts(counts[i], 20, 18, 200);
    }
}

static void test_sorted_names_stay(void **state)
{
    (void)state;
    char names[100 * 8];
    vg_entry entries[100], spare[100];
    for (size_t i = 0; i < 100; i++) {
        snprintf(names + 8 * i, 8, "%05zu", i);
        entries[i].at = 8 * i;
    }
    vg_entries_sort(entries, spare, 100, names, NULL, 0);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(entries[i].at, 8 * i);
}

/* "name kind" of every entry, sorted. */
static void test_kinds_and_names(void **state)
{
    (void)state;
    char *folder = test_folder_make(), path[4200], *buffer = malloc(VG_LISTING_BUFFER);
    put_text(folder, "file.jpg", "");
    put_text(folder, "inner/below.jpg", "");
    put_text(folder, ".hidden", "");
    put_text(folder, "...", "");
    static const char *const links[][2] = {
        {"inner", "to-folder"}, {"file.jpg", "to-file"}, {"nowhere", "dangling"}, {".", "circle"}};
    for (int i = 0; i < 4; i++) {
        snprintf(path, sizeof path, "%s/%s", folder, links[i][1]);
        assert_int_equal(symlink(links[i][0], path), 0);
    }
    snprintf(path, sizeof path, "%s/pipe", folder);
    assert_int_equal(mkfifo(path, 0600), 0);
    static const struct {
        const char *name;
        vg_entry_kind kind;
    } expected[] = {
        {"...", VG_ENTRY_FILE},      {".hidden", VG_ENTRY_FILE},  {"circle", VG_ENTRY_FOLDER},
        {"dangling", VG_ENTRY_FILE}, {"file.jpg", VG_ENTRY_FILE}, {"inner", VG_ENTRY_FOLDER},
        {"pipe", VG_ENTRY_NEITHER},  {"to-file", VG_ENTRY_FILE},  {"to-folder", VG_ENTRY_FOLDER},
    };
    bool seen[9] = {false};
    vg_listing list;
    assert_true(vg_listing_open(&list, AT_FDCWD, folder, buffer));
    const char *name;
    size_t length, count = 0;
    vg_entry_kind kind;
    while (vg_listing_next(&list, &name, &length, &kind)) {
        count++;
        assert_int_equal(length, strlen(name));
        for (int i = 0; i < 9; i++)
            if (strcmp(name, expected[i].name) == 0) {
                assert_int_equal(kind, expected[i].kind);
                assert_false(seen[i]);
                seen[i] = true;
            }
    }
    assert_int_equal(count, 9);
    for (int i = 0; i < 9; i++)
        assert_true(seen[i]);
    assert_int_equal(list.error, 0);
    vg_listing_close(&list);
    free(buffer);
    test_folder_remove(folder);
}

/* More entries than one call of the system gives. */
static void test_more_than_a_buffer(void **state)
{
    (void)state;
    enum { FILES = 1500 };
    char *folder = test_folder_make(), *buffer = malloc(VG_LISTING_BUFFER), file[260];
    static bool seen[FILES];
    for (int i = 0; i < FILES; i++) {
        snprintf(file, sizeof file, "%0250d", i);
        put_empty(folder, file);
    }
    vg_listing list;
    assert_true(vg_listing_open(&list, AT_FDCWD, folder, buffer));
    const char *name;
    size_t length, count = 0;
    vg_entry_kind kind;
    for (; vg_listing_next(&list, &name, &length, &kind); count++) {
        assert_int_equal(length, 250);
        long number = strtol(name, NULL, 10);
        assert_in_range(number, 0, FILES - 1);
        assert_false(seen[number]);
        seen[number] = true;
    }
    assert_int_equal(count, FILES);
    vg_listing_close(&list);
    free(buffer);
    test_folder_remove(folder);
}

static void test_what_is_no_folder(void **state)
{
    (void)state;
    vg_listing list;
    char *buffer = malloc(VG_LISTING_BUFFER);
    assert_false(vg_listing_open(&list, AT_FDCWD, "/nonexistent/folder", buffer));
    assert_int_equal(errno, ENOENT);
    assert_false(vg_listing_open(&list, AT_FDCWD, "/dev/null", buffer));
    assert_int_equal(errno, ENOTDIR);
    free(buffer);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_order_is_that_of_strcmp), cmocka_unit_test(test_sorted_names_stay),
        cmocka_unit_test(test_kinds_and_names),         cmocka_unit_test(test_more_than_a_buffer),
        cmocka_unit_test(test_what_is_no_folder),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
