/* Tests of load/cache_options.c. */
#include "test.h"

#include "load/cache_internal.h"

static vg_cache_options good(const char *word)
{
    vg_error err = {0};
    vg_cache_options options;
    assert_ok(vg_cache_parse(word, &options, &err));
    return options;
}

static void bad(const char *word, const char *reason)
{
    vg_error err = {0};
    vg_cache_options options;
    assert_int_equal(vg_cache_parse(word, &options, &err), VG_E_ARG);
    assert_contains(err.message, reason);
}

static void test_words(void **state)
{
    (void)state;
    assert_int_equal(good("none").kind, VG_CACHE_NONE);
    assert_int_equal(good("ram").kind, VG_CACHE_RAM);
    assert_int_equal(good("ram").max_bytes, 0);
    assert_int_equal(good("ram:4G").kind, VG_CACHE_RAM);
    assert_int_equal(good("ram:4G").max_bytes, 4ull << 30);
    assert_int_equal(good("ram:1.5k").max_bytes, 1536);
    assert_int_equal(good("ram:300MiB").max_bytes, 300ull << 20);
    assert_int_equal(good("ram:2TB").max_bytes, 2ull << 40);
    assert_int_equal(good("ram:12345").max_bytes, 12345);
}

static void test_files(void **state)
{
    (void)state;
    vg_cache_options options = good("pets.cache:20G");
    assert_int_equal(options.kind, VG_CACHE_FILE);
    assert_string_equal(options.path, "pets.cache");
    assert_int_equal(options.max_bytes, 20ull << 30);
    options = good("/tmp/a:b/pets");
    assert_string_equal(options.path, "/tmp/a:b/pets");
    assert_int_equal(options.max_bytes, 0);
    assert_string_equal(good("pets:5x").path, "pets:5x");
    assert_string_equal(good("pets:1e3").path, "pets:1e3");
    assert_string_equal(good("pets:0x10").path, "pets:0x10");
    assert_string_equal(good("pets:").path, "pets:");
    assert_int_equal(good("./ram").kind, VG_CACHE_FILE);
    assert_int_equal(good("./none").kind, VG_CACHE_FILE);
    assert_string_equal(good("ramses").path, "ramses");
}

static void test_wrong_words(void **state)
{
    (void)state;
    bad("", "FILE:SIZE wanted");
    bad(":4G", "FILE:SIZE wanted");
    bad("ram:", "not a size");
    bad("ram:many", "\"many\" is not a size");
    bad("ram:4G!", "\"4G!\" is not a size");
    bad("ram:1..2G", "not a size");
    bad("ram:99999999999T", "not a size");
    bad("ram:0", "holds nothing");
    bad("pets:0.1", "holds nothing");
    bad("RAM", "did you mean \"ram\"");
    bad("None", "did you mean \"none\"");
    char *word = malloc(6000);
    memset(word, 'a', 5999);
    word[5999] = '\0';
    bad(word, "path of 5999 bytes");
    free(word);
}

static void test_memory(void **state)
{
    (void)state;
    uint64_t bytes = vg_cache_memory_available();
    assert_true(bytes > 1 << 20); /* this test runs in some */
    assert_true(bytes < 1ull << 60);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_words), cmocka_unit_test(test_files),
                                       cmocka_unit_test(test_wrong_words),
                                       cmocka_unit_test(test_memory)};
    return cmocka_run_group_tests_name("cache_options", tests, NULL, NULL);
}
