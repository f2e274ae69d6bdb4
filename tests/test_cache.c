/* Tests of load/cache.c, and of pictures in memory. */
#include "test.h"

#include "cache_fixture.h"

#include "base/threads.h"

static vg_cache *open_ram(cache_fixture *f, uint64_t max_bytes)
{
    f->options = (vg_cache_options){.kind = VG_CACHE_RAM, .max_bytes = max_bytes};
    return cache_open(f, "");
}

static void test_second_epoch(void **state)
{
    cache_fixture *f = *state;
    vg_cache *cache = open_ram(f, 0);
    assert_int_equal(cache_epoch(f, cache), 0);
    assert_int_equal(cache_epoch(f, cache), CACHE_SAMPLES);
    vg_cache_stats stats = vg_cache_stats_of(cache);
    assert_int_equal(stats.hits, CACHE_SAMPLES);
    assert_int_equal(stats.misses, CACHE_SAMPLES);
    assert_int_equal(stats.pictures, CACHE_SAMPLES);
    assert_int_equal(stats.refused_full, 0);
    assert_true(vg_cache_takes(cache));
    assert_true(stats.bytes > 0 && stats.bytes < stats.max_bytes);
    vg_error err = {0};
    assert_ok(vg_cache_commit(cache, true, &err));
    vg_cache_close(cache);
}

static void test_full(void **state)
{
    cache_fixture *f = *state;
    vg_cache *cache = open_ram(f, 20000);
    assert_int_equal(cache_epoch(f, cache), 0);
    vg_cache_stats stats = vg_cache_stats_of(cache);
    assert_int_equal(stats.max_bytes, 20000);
    assert_false(vg_cache_takes(cache));
    assert_true(stats.pictures > 0 && stats.refused_full > 0);
    assert_int_equal(stats.pictures + stats.refused_full, CACHE_SAMPLES);
    assert_true(stats.bytes <= 20000);
    assert_int_equal(cache_epoch(f, cache), stats.pictures);
    assert_int_equal(cache_epoch(f, cache), stats.pictures);
    vg_cache_close(cache);
}

static void test_first_picture_stays(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cache *cache = open_ram(f, 0);
    cache_put_index(f, cache, 3);
    vg_image other = {0};
    assert_ok(vg_image_shape(&other, 2, 2, 3, &err));
    memset(other.data, 0, 12);
    vg_decode_info info = {.region = vg_region_whole(2, 2, 1)};
    assert_ok(vg_cache_put(cache, 3, (vg_span){0}, &other, &info, &err));
    assert_true(cache_find_index(f, cache, 3));
    vg_image_reset(&other);
    vg_cache_close(cache);
}

static void test_wrong_arguments(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cache *cache = open_ram(f, 0);
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, 8, 8, 3, &err));
    memset(image.data, 1, vg_image_bytes(&image));
    vg_decode_info part = {.region = vg_region_whole(16, 8, 1)};
    part.region.x = 8;
    part.region.width = 8;
    assert_int_equal(vg_cache_put(cache, 0, (vg_span){0}, &image, &part, &err), VG_E_ARG);
    assert_contains(err.message, "a whole picture of 16x8");
    part.region = vg_region_whole(9, 9, 1);
    assert_int_equal(vg_cache_put(cache, 0, (vg_span){0}, &image, &part, &err), VG_E_ARG);
    part.region = vg_region_whole(8, 8, 1);
    assert_int_equal(vg_cache_put(cache, CACHE_SAMPLES, (vg_span){0}, &image, &part, &err),
                     VG_E_ARG);
    vg_cached found;
    assert_false(vg_cache_find(cache, CACHE_SAMPLES, &f->reader, &found));
    assert_false(vg_cache_find(cache, 0, &f->reader, &found));
    vg_image_reset(&image);
    vg_cache_close(cache);
    vg_cache_close(NULL);
    f->options.kind = VG_CACHE_NONE;
    assert_int_equal(vg_cache_open(&f->options, f->dataset, "", &cache, &err), VG_E_ARG);
    assert_null(cache);
}

enum { THREADS = 8, ROUNDS = 200 };

static void test_many_threads(void **state)
{
    cache_fixture *f = *state;
    cache_crowd c = {.f = f, .cache = open_ram(f, 0)};
    vg_parallel_for(THREADS, (size_t)CACHE_SAMPLES * ROUNDS, cache_crowd_work, &c);
    assert_int_equal(c.wrong, 0);
    vg_cache_stats stats = vg_cache_stats_of(c.cache);
    assert_int_equal(stats.pictures, CACHE_SAMPLES);
    assert_int_equal(stats.hits + stats.misses, CACHE_SAMPLES * ROUNDS);
    vg_cache_close(c.cache);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_second_epoch, cache_fixture_setup,
                                        cache_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_full, cache_fixture_setup, cache_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_first_picture_stays, cache_fixture_setup,
                                        cache_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_wrong_arguments, cache_fixture_setup,
                                        cache_fixture_teardown),
        cmocka_unit_test_setup_teardown(test_many_threads, cache_fixture_setup,
                                        cache_fixture_teardown)};
    return cmocka_run_group_tests_name("cache", tests, NULL, NULL);
}
