/* Tests of load/cache_file.c: what is found in a packed file by later runs, for other datasets, and by many
 * threads. Other processes and what can go wrong: test_cache_trouble.c. */
#include "test.h"

#include "cache_file_fixture.h"

#include "base/threads.h"

#include <sys/stat.h>
#include <unistd.h>

static ino_t inode_of(const char *path)
{
    struct stat st;
    return stat(path, &st) == 0 ? st.st_ino : 0;
}

static void test_later_runs(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    assert_int_equal(run(f, &stats), 0);
    assert_int_equal(stats.pictures, CACHE_SAMPLES);
    assert_int_equal(stats.file_pictures, CACHE_SAMPLES);
    assert_string_equal(stats.replaced, "");
    assert_false(building(f));
    ino_t inode = inode_of(f->file);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(run(f, &stats), CACHE_SAMPLES);
        assert_int_equal(stats.pictures, 0);
        assert_int_equal(stats.hashed, 0);
        assert_int_equal(stats.stale, 0);
        assert_int_equal(stats.file_pictures, CACHE_SAMPLES);
    }
    assert_int_equal(inode_of(f->file), inode); /* nothing new: not written again */
}

static void test_epochs_of_one_run(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cached early;
    vg_span stored;
    vg_cache *cache = cache_open(f, KEY);
    assert_int_equal(cache_epoch(f, cache), 0);
    assert_int_equal(cache_epoch(f, cache), CACHE_SAMPLES); /* while it is being built */
    assert_true(vg_cache_find(cache, 4, &f->reader, &early));
    assert_ok(vg_cache_commit(cache, false, &err));
    assert_true(vg_path_exists(f->file));
    assert_int_equal(cache_epoch(f, cache), CACHE_SAMPLES);
    assert_ok(vg_cache_commit(cache, false, &err));
    assert_ok(vg_dataset_bytes(f->dataset, 4, &f->reader, &stored, &err));
    assert_true(cache_same(&early, stored)); /* what was lent stays */
    vg_cache_close(cache);
}

static void test_grows(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cache *cache = cache_open(f, KEY);
    for (size_t i = 6; i < CACHE_SAMPLES; i++)
        cache_put_index(f, cache, i);
    vg_cache_close(cache); /* a run that was stopped keeps what it has */
    cache = cache_open(f, KEY);
    assert_true(cache_find_index(f, cache, 6));
    assert_false(cache_find_index(f, cache, 1));
    cache_put_index(f, cache, 1);
    ino_t inode = inode_of(f->file);
    assert_ok(vg_cache_commit(cache, false, &err));
    assert_int_equal(inode_of(f->file), inode); /* so little more is not worth it yet */
    for (size_t i = 2; i < 6; i++)
        cache_put_index(f, cache, i);
    assert_ok(vg_cache_commit(cache, false, &err));
    assert_int_not_equal(inode_of(f->file), inode);
    assert_int_equal(vg_cache_stats_of(cache).file_pictures, CACHE_SAMPLES - 1);
    assert_int_equal(cache_epoch(f, cache), CACHE_SAMPLES - 1);
    vg_cache_close(cache);
    vg_cache_stats stats;
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.damaged + stats.stale, 0);
    assert_int_equal(stats.hashed,
                     4); /* those that nobody had looked for: their stamp is not known */
}

/* Another picture of the same bytes: decoded at another shrink. */
static void put_other(cache_fixture *f, vg_cache *cache, size_t index, int size)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_decode_info info = {.region = vg_region_whole(size, size, 1)};
    vg_span stored;
    assert_ok(vg_dataset_bytes(f->dataset, index, &f->reader, &stored, &err));
    assert_ok(vg_image_shape(&image, size, size, 1, &err));
    memset(image.data, 77, vg_image_bytes(&image));
    assert_ok(vg_cache_put(cache, index, stored, &image, &info, &err));
    vg_image_reset(&image);
}

static void test_replaced_by_another_shrink(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cached found;
    run(f, NULL);
    vg_cache *cache = cache_open(f, KEY);
    assert_true(vg_cache_find(cache, 3, &f->reader, &found));
    assert_true(found.replaceable);
    put_other(f, cache, 3, 21);
    vg_span stored;
    assert_ok(vg_dataset_bytes(f->dataset, 3, &f->reader, &stored, &err));
    assert_true(cache_same(&found, stored)); /* what was lent stays */
    assert_true(vg_cache_find(cache, 3, &f->reader, &found));
    assert_int_equal(found.view.width, 21);
    assert_false(found.replaceable);
    put_other(f, cache, 3, 22); /* this run has made its choice */
    assert_true(vg_cache_find(cache, 3, &f->reader, &found));
    assert_int_equal(found.view.width, 21);
    vg_cache_close(cache);
    cache = cache_open(f, KEY);
    assert_true(vg_cache_find(cache, 3, &f->reader, &found));
    assert_int_equal(found.view.width, 21);
    assert_int_equal(vg_cache_stats_of(cache).file_pictures, CACHE_SAMPLES);
    assert_int_equal(vg_cache_stats_of(cache).hashed, 0);
    vg_cache_close(cache);
}

static void test_changed_content(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    run(f, NULL);
    cache_put_sample(f->data, 5, 2); /* as long as before */
    cache_put_sample(f->data, 6, 333);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES - 2);
    assert_int_equal(stats.stale, 2);
    assert_int_equal(stats.file_pictures, CACHE_SAMPLES); /* in place of the old ones */
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.stale, 0);
}

static void test_changed_time_only(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    run(f, NULL);
    cache_touch(f->data, 7, 1100000000);
    for (int i = 0; i < 2; i++) { /* too few to write the file for them */
        assert_int_equal(run(f, &stats), CACHE_SAMPLES);
        assert_int_equal(stats.hashed, 1);
        assert_int_equal(stats.stale, 0);
    }
    for (int i = 0; i < CACHE_SAMPLES; i++)
        cache_touch(f->data, i, 1200000000);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.hashed, CACHE_SAMPLES);
    assert_int_equal(stats.file_pictures, CACHE_SAMPLES);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.hashed, 0); /* it was remembered */
}

static void test_time_too_young(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    cache_touch(f->data, 7, time(NULL));
    cache_touch(f->data, 8, time(NULL) + 1000000);
    run(f, NULL);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.hashed, 2);
}

static void test_copied_dataset(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    run(f, NULL);
    char *copy = vg_path_join(f->folder, "copy");
    for (int i = 0; i < CACHE_SAMPLES; i++)
        cache_put_sample(copy, i, 1);
    cache_put_sample(copy, 9, 2); /* the same name, another picture */
    cache_fixture_reopen(f, copy);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES - 1);
    assert_int_equal(stats.hashed, CACHE_SAMPLES);
    assert_int_equal(stats.stale, 0); /* the other dataset's is not ours to replace */
    assert_int_equal(stats.file_pictures, 2 * CACHE_SAMPLES);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.hashed, 0);
    cache_fixture_reopen(f, f->data);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
    assert_int_equal(stats.hashed, 0);
    free(copy);
}

static void test_files_come_and_go(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    run(f, NULL);
    char *gone = vg_path_join(f->data, "class0/00.png");
    assert_int_equal(unlink(gone), 0);
    cache_put_sample(f->data, CACHE_SAMPLES, 1);
    cache_put_sample(f->data, CACHE_SAMPLES + 1, 1);
    cache_fixture_reopen(f, f->data); /* every index has moved */
    assert_int_equal(run(f, &stats), CACHE_SAMPLES - 1);
    assert_int_equal(stats.pictures, 2);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES + 1);
    free(gone);
}

static void test_sample_vanishes(void **state)
{
    cache_fixture *f = *state;
    run(f, NULL);
    char *gone = vg_path_join(f->data, "class0/00.png");
    vg_cache *cache = cache_open(f, KEY);
    assert_int_equal(unlink(gone), 0);
    vg_cached found;
    assert_false(
        vg_cache_find(cache, find_sample(f->dataset, "class0/00.png"), &f->reader, &found));
    vg_cache_close(cache);
    free(gone);
}

static void test_other_options(void **state)
{
    cache_fixture *f = *state;
    run(f, NULL);
    vg_cache *cache = cache_open(f, "channels=1");
    assert_contains(vg_cache_stats_of(cache).replaced, "decoded with other options");
    assert_int_equal(cache_epoch(f, cache), 0);
    vg_cache_close(cache);
    vg_cache_stats stats;
    assert_int_equal(run(f, &stats), 0);
    assert_contains(stats.replaced, "decoded with other options");
    vg_error err = {0};
    char *key = calloc(1, 70001);
    memset(key, 'k', 70000);
    assert_int_equal(vg_cache_open(&f->options, f->dataset, key, &cache, &err), VG_E_ARG);
    assert_contains(err.message, "70000");
    free(key);
}

static void test_two_handles(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_cache *first = cache_open(f, KEY), *second = cache_open(f, KEY);
    assert_false(vg_cache_stats_of(first).other_writer);
    assert_true(vg_cache_stats_of(second).other_writer);
    assert_true(vg_cache_takes(first));
    assert_false(vg_cache_takes(second));
    assert_int_equal(cache_epoch(f, first), 0);
    assert_int_equal(cache_epoch(f, second), 0);
    assert_int_equal(cache_epoch(f, second), 0);
    assert_ok(vg_cache_commit(second, false, &err));
    assert_false(vg_path_exists(f->file));
    assert_ok(vg_cache_commit(first, false, &err));
    assert_ok(vg_cache_commit(second, false, &err));
    assert_int_equal(cache_epoch(f, second), CACHE_SAMPLES); /* taken up */
    assert_int_equal(vg_cache_stats_of(second).pictures, 0);
    vg_cache_close(first);
    assert_int_equal(cache_epoch(f, second), CACHE_SAMPLES);
    vg_cache_close(second);
}

static void test_budget(void **state)
{
    cache_fixture *f = *state;
    vg_cache_stats stats;
    f->options.max_bytes = 20000;
    assert_int_equal(run(f, &stats), 0);
    uint64_t first = stats.pictures;
    assert_true(first > 0 && first < CACHE_SAMPLES);
    assert_int_equal(stats.refused_full, CACHE_SAMPLES - first);
    assert_true(stats.bytes <= 20000 && stats.max_bytes == 20000);
    assert_int_equal(stats.trouble.code, VG_OK);
    assert_int_equal(run(f, &stats), first);
    assert_true(stats.pictures <= 3); /* small ones that fit in the rest */
    first += stats.pictures;
    f->options.max_bytes = 0;
    assert_int_equal(run(f, &stats), first);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES);
}

enum { THREADS = 8, ROUNDS = 200 };

static void test_many_threads(void **state)
{
    cache_fixture *f = *state;
    for (int i = 0; i < 2; i++) {
        cache_crowd c = {.f = f, .cache = cache_open(f, KEY)};
        vg_parallel_for(THREADS, (size_t)CACHE_SAMPLES * ROUNDS, cache_crowd_work, &c);
        assert_int_equal(c.wrong, 0);
        assert_int_equal(vg_cache_stats_of(c.cache).pictures, i ? 0 : CACHE_SAMPLES);
        vg_cache_close(c.cache);
    }
}

/* Commits again and again while others find and put. */
static void commit_or_work(void *context, int thread, size_t item)
{
    cache_crowd *c = context;
    if (item % 50 == 49)
        c->wrong += vg_cache_commit(c->cache, item % 100 == 99, NULL) != VG_OK;
    else if (item % 50 == 48)
        c->wrong += vg_cache_stats_of(c->cache).trouble.code != VG_OK;
    else
        cache_crowd_work(context, thread, item);
}

static void test_commit_beside_workers(void **state)
{
    cache_fixture *f = *state;
    cache_crowd c = {.f = f, .cache = cache_open(f, KEY)};
    vg_parallel_for(THREADS, (size_t)CACHE_SAMPLES * ROUNDS, commit_or_work, &c);
    assert_int_equal(c.wrong, 0);
    vg_cache_close(c.cache);
    assert_int_equal(run(f, NULL), CACHE_SAMPLES);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_later_runs),
        WITH(test_epochs_of_one_run),
        WITH(test_grows),
        WITH(test_replaced_by_another_shrink),
        WITH(test_changed_content),
        WITH(test_changed_time_only),
        WITH(test_time_too_young),
        WITH(test_copied_dataset),
        WITH(test_files_come_and_go),
        WITH(test_sample_vanishes),
        WITH(test_other_options),
        WITH(test_two_handles),
        WITH(test_budget),
        WITH(test_many_threads),
        WITH(test_commit_beside_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
