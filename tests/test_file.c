/* Tests of base/file.h. */
#include "test.h"

#include "base/file.h"

#include <sys/stat.h>
#include <zlib.h>

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

static void test_write_then_read(void **state)
{
    (void)state;
    vg_error err = {0};
    char *path = vg_path_join(folder, "a.bin");
    vg_bytes bytes = {0};
    assert_ok(vg_file_write(path, "hello", 5, &err));
    assert_ok(vg_file_write(path, "hi", 2, &err));
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    assert_int_equal(bytes.size, 2);
    assert_memory_equal(bytes.data, "hi", 2);
    assert_int_equal(vg_file_read(path, 1, &bytes, &err), VG_E_LIMIT);
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_abort_leaves_the_old_file(void **state)
{
    (void)state;
    vg_error err = {0};
    char *path = vg_path_join(folder, "b.txt");
    assert_ok(vg_file_write(path, "old", 3, &err));
    vg_atomic_file file;
    assert_ok(vg_atomic_open(path, &file, &err));
    fputs("half of the new", file.stream);
    vg_atomic_abort(&file);
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    assert_int_equal(bytes.size, 3);
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_full_disk_is_told_and_keeps_the_old_file(void **state)
{
    (void)state;
    vg_error err = {0};
    FILE *full = fopen("/dev/full", "wb");
    if (!full)
        skip();
    char *path = vg_path_join(folder, "c.txt");
    assert_ok(vg_file_write(path, "old", 3, &err));
    vg_atomic_file file;
    assert_ok(vg_atomic_open(path, &file, &err));
    fclose(file.stream);
    file.stream = full;
    fputs("new", file.stream);
    assert_int_equal(vg_atomic_commit(&file, &err), VG_E_IO);
    assert_contains(err.message, "c.txt");
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    assert_memory_equal(bytes.data, "old", 3);
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_missing_and_folder_are_named(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_int_equal(vg_file_read("/nonexistent/x", 0, &bytes, &err), VG_E_IO);
    assert_contains(err.message, "/nonexistent/x");
    assert_int_equal(vg_file_read(folder, 0, &bytes, &err), VG_E_IO);
    assert_int_equal(vg_file_read_gz(folder, 0, &bytes, &err), VG_E_IO);
    assert_int_equal(vg_file_write("/nonexistent/y", "", 0, &err), VG_E_IO);
    assert_contains(err.message, "/nonexistent/y");
    vg_bytes_reset(&bytes);
}

static void test_a_pipe_is_refused_not_waited_for(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    char *path = vg_path_join(folder, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(vg_file_read(path, 0, &bytes, &err), VG_E_IO);
    assert_contains(err.message, "not a regular file");
    assert_int_equal(vg_file_read_gz(path, 0, &bytes, &err), VG_E_IO);
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_gzip(void **state)
{
    (void)state;
    vg_error err = {0};
    char *path = vg_path_join(folder, "d.gz");
    gzFile gz = gzopen(path, "wb");
    for (int i = 0; i < 30000; i++)
        gzwrite(gz, "0123456789", 10);
    gzclose(gz);
    vg_bytes bytes = {0};
    assert_ok(vg_file_read_gz(path, 0, &bytes, &err));
    assert_int_equal(bytes.size, 300000);
    assert_int_equal(vg_file_read_gz(path, 1000, &bytes, &err), VG_E_LIMIT);
    vg_bytes packed = {0};
    assert_ok(vg_file_read(path, 0, &packed, &err));
    assert_ok(vg_file_write(path, packed.data, packed.size / 2, &err));
    assert_int_equal(vg_file_read_gz(path, 0, &bytes, &err), VG_E_FORMAT);
    assert_contains(err.message, "d.gz");
    vg_bytes_reset(&packed);
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_paths(void **state)
{
    (void)state;
    vg_error err = {0};
    char *a = vg_path_join("x/", "y"), *b = vg_path_join("/", "y"), *c = vg_path_join("", "y");
    assert_string_equal(a, "x/y");
    assert_string_equal(b, "/y");
    assert_string_equal(c, "y");
    assert_string_equal(vg_path_base("p/q.png"), "q.png");
    assert_string_equal(vg_path_base("q.png"), "q.png");
    char *deep = vg_path_join(folder, "1/2/3");
    assert_ok(vg_make_folders(deep, &err));
    assert_ok(vg_make_folders(deep, &err));
    assert_true(vg_path_is_folder(deep));
    char *file = vg_path_join(folder, "plain");
    assert_ok(vg_file_write(file, "", 0, &err));
    char *below = vg_path_join(file, "z");
    assert_int_equal(vg_make_folders(below, &err), VG_E_IO);
    free(a);
    free(b);
    free(c);
    free(deep);
    free(file);
    free(below);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_write_then_read),
        cmocka_unit_test(test_abort_leaves_the_old_file),
        cmocka_unit_test(test_full_disk_is_told_and_keeps_the_old_file),
        cmocka_unit_test(test_missing_and_folder_are_named),
        cmocka_unit_test(test_a_pipe_is_refused_not_waited_for),
        cmocka_unit_test(test_gzip),
        cmocka_unit_test(test_paths),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
