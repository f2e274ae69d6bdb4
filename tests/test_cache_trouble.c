/* Tests of load/cache_file.c: other processes, killed ones, damaged and shortened files, disks that fill,
 * places that cannot be. */
#include "test.h"

#include "cache_file_fixture.h"

#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

/* Runs `work` in a process of its own and gives its exit status. */
static int in_child(cache_fixture *f, int (*work)(cache_fixture *f))
{
    int status;
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0)
        _exit(work(f));
    assert_int_equal(waitpid(child, &status, 0), child);
    return status;
}

/* In a child nothing may be asserted: 0 is good. */
static int child_epoch(cache_fixture *f, vg_cache *cache, size_t *found)
{
    vg_error err = {0};
    *found = 0;
    for (size_t i = 0; i < vg_dataset_count(f->dataset); i++) {
        vg_cached picture;
        vg_image image = {0};
        vg_decode_info info;
        vg_span stored;
        bool there = vg_cache_find(cache, i, &f->reader, &picture);
        if (vg_dataset_bytes(f->dataset, i, &f->reader, &stored, &err))
            return 1;
        if (there && !cache_same(&picture, stored))
            return 2;
        *found += there;
        if (there)
            continue;
        cache_decode(stored, &image, &info);
        if (vg_cache_put(cache, i, stored, &image, &info, &err))
            return 3;
        vg_image_reset(&image);
    }
    return 0;
}

static int child_builds(cache_fixture *f)
{
    vg_cache *cache;
    vg_error err;
    size_t found;
    if (vg_cache_open(&f->options, f->dataset, KEY, &cache, &err))
        return 10;
    int wrong = child_epoch(f, cache, &found);
    vg_cache_close(cache);
    return wrong ? wrong : found ? 11 : 0;
}

static int child_reads(cache_fixture *f)
{
    vg_cache *cache;
    vg_error err;
    size_t found;
    for (int i = 0; i < 20; i++) {
        if (vg_cache_open(&f->options, f->dataset, KEY, &cache, &err))
            return 10;
        int wrong = child_epoch(f, cache, &found);
        vg_cache_close(cache);
        if (wrong || found != CACHE_SAMPLES)
            return wrong ? wrong : 12;
    }
    return 0;
}

static void test_processes(void **state)
{
    cache_fixture *f = *state;
    assert_int_equal(in_child(f, child_builds), 0);
    assert_int_equal(run(f, NULL), CACHE_SAMPLES);
    pid_t readers[3];
    for (int i = 0; i < 3; i++) {
        readers[i] = fork();
        assert_true(readers[i] >= 0);
        if (readers[i] == 0)
            _exit(child_reads(f));
    }
    for (int i = 0; i < 8; i++) { /* while the file is replaced under them */
        cache_put_sample(f->data, CACHE_SAMPLES + i, 1);
        vg_dataset *small = f->dataset;
        f->dataset = NULL;
        cache_fixture_reopen(f, f->data);
        assert_true(run(f, NULL) >= CACHE_SAMPLES);
        vg_dataset_close(f->dataset);
        f->dataset = small;
    }
    for (int i = 0; i < 3; i++) {
        int status;
        assert_int_equal(waitpid(readers[i], &status, 0), readers[i]);
        assert_int_equal(status, 0);
    }
}

static int child_dies(cache_fixture *f)
{
    vg_cache *cache;
    vg_error err;
    size_t found;
    if (vg_cache_open(&f->options, f->dataset, KEY, &cache, &err))
        return 10;
    child_epoch(f, cache, &found);
    raise(SIGKILL);
    return 13;
}

static void test_killed(void **state)
{
    cache_fixture *f = *state;
    int status = in_child(f, child_dies);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    assert_true(building(f));
    assert_false(vg_path_exists(f->file));
    vg_cache_stats stats;
    assert_int_equal(run(f, &stats), 0);
    assert_false(stats.other_writer);
    assert_false(building(f));
    assert_int_equal(run(f, NULL), CACHE_SAMPLES);
    /* and with a file there that needs nothing: what is left over goes all the same */
    cache_put_sample(f->data, 3, 2);
    status = in_child(f, child_dies);
    assert_true(WIFSIGNALED(status));
    assert_true(building(f));
    cache_put_sample(f->data, 3, 1);
    assert_int_equal(run(f, NULL), CACHE_SAMPLES);
    assert_false(building(f));
}

/* Copies `bytes` of `from` to f->file, the byte at `flip` changed. */
static void plant(const cache_fixture *f, const vg_bytes *from, size_t bytes, size_t flip)
{
    FILE *file = fopen(f->file, "wb");
    assert_non_null(file);
    if (flip < bytes)
        from->data[flip] ^= 0x10;
    assert_int_equal(fwrite(from->data, 1, bytes, file), bytes);
    if (flip < bytes)
        from->data[flip] ^= 0x10;
    assert_int_equal(fclose(file), 0);
}

static size_t found_by(cache_fixture *f, vg_cache_stats *stats)
{
    size_t found = 0;
    vg_cache *cache = cache_open(f, KEY);
    for (size_t i = 0; i < CACHE_SAMPLES; i++)
        found += cache_find_index(f, cache, i);
    *stats = vg_cache_stats_of(cache);
    vg_cache_close(cache);
    return found;
}

static void test_truncated(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_bytes whole = {0};
    vg_cache_stats stats;
    run(f, NULL);
    assert_ok(vg_file_read(f->file, 0, &whole, &err));
    for (size_t bytes = 0; bytes < whole.size;) {
        plant(f, &whole, bytes, SIZE_MAX);
        assert_int_equal(found_by(f, &stats), 0);
        assert_true(stats.replaced[0]);
        bytes += bytes < 64 || whole.size - bytes < 400 ? 1 : 311;
    }
    plant(f, &whole, whole.size - 1, SIZE_MAX);
    assert_int_equal(run(f, &stats), 0);
    assert_contains(stats.replaced, "cut off");
    assert_int_equal(run(f, &stats), CACHE_SAMPLES); /* by a fresh one */
    vg_bytes_reset(&whole);
}

static void test_flipped_bits(void **state)
{
    cache_fixture *f = *state;
    vg_error err = {0};
    vg_bytes whole = {0};
    vg_cache_stats stats;
    run(f, NULL);
    assert_ok(vg_file_read(f->file, 0, &whole, &err));
    uint64_t index;
    memcpy(&index, whole.data + whole.size - 56, sizeof index);
    assert_true(index > 4096 && index < whole.size);
    size_t damaged = 0;
    for (size_t at = 0; at < whole.size; at += at < 4096 ? 37 : at < index ? 61 : 13) {
        plant(f, &whole, whole.size, at);
        size_t found = found_by(f, &stats);
        if (at < 4096 || at >= index) {
            assert_int_equal(found, 0);
            assert_true(stats.replaced[0]);
        } else { /* one picture, or the padding after one */
            assert_int_equal(found, CACHE_SAMPLES - stats.damaged);
            assert_true(stats.damaged <= 1);
            damaged += stats.damaged;
        }
    }
    assert_true(damaged > 100);
    plant(f, &whole, whole.size, 4096 + 70);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES - 1);
    assert_int_equal(stats.damaged, 1);
    assert_int_equal(run(f, &stats), CACHE_SAMPLES); /* put right */
    assert_int_equal(stats.damaged, 0);
    assert_int_equal(stats.file_pictures, CACHE_SAMPLES);
    vg_bytes_reset(&whole);
}

static void test_shortened_while_open(void **state)
{
    cache_fixture *f = *state;
    run(f, NULL);
    vg_cache *cache = cache_open(f, KEY);
    assert_true(cache_find_index(f, cache, 0));
    assert_int_equal(truncate(f->file, 5000), 0);
    assert_false(cache_find_index(f, cache, 20)); /* not touched before: no SIGBUS */
    vg_cache_close(cache);
}

/* What a child reports to its parent of a run with a limit on the length of files. */
static int child_limited(cache_fixture *f, rlim_t before, rlim_t after)
{
    vg_cache *cache;
    vg_error err = {0};
    size_t found;
    struct rlimit limit = {.rlim_cur = before, .rlim_max = RLIM_INFINITY};
    signal(SIGXFSZ, SIG_IGN);
    if (setrlimit(RLIMIT_FSIZE, &limit) ||
        vg_cache_open(&f->options, f->dataset, KEY, &cache, &err))
        return 10;
    limit.rlim_cur = after;
    if (setrlimit(RLIMIT_FSIZE, &limit) || child_epoch(f, cache, &found))
        return 14;
    vg_cache_stats stats = vg_cache_stats_of(cache);
    size_t kept = stats.pictures;
    if (vg_cache_takes(cache))
        return 21;
    if (found || kept == 0 || stats.refused_full != CACHE_SAMPLES - kept)
        return 15;
    if (before != after &&
        (stats.trouble.code != VG_E_IO || !strstr(stats.trouble.message, f->file)))
        return 16;
    if (child_epoch(f, cache, &found) || found != kept) /* what was kept is still there */
        return 17;
    vg_status status = vg_cache_commit(cache, true, &err);
    if (vg_path_exists(f->file) != (status == VG_OK) || building(f))
        return 18;
    if (child_epoch(f, cache, &found) || found != kept)
        return 19;
    vg_cache_close(cache);
    return building(f) ? 20 : 0;
}

static int child_small_limit(cache_fixture *f)
{
    return child_limited(f, 30000, 30000);
}

static int child_disk_fills(cache_fixture *f)
{
    return child_limited(f, RLIM_INFINITY, 30000);
}

static void test_disk_full(void **state)
{
    cache_fixture *f = *state;
    assert_int_equal(in_child(f, child_small_limit), 0);
    unlink(f->file);
    assert_int_equal(in_child(f, child_disk_fills), 0);
    unlink(f->file);
    run(f, NULL);
    assert_int_equal(run(f, NULL), CACHE_SAMPLES);
}

static vg_status open_fails(cache_fixture *f, const char *path, const char *reason)
{
    vg_error err = {0};
    vg_cache *cache;
    snprintf(f->options.path, sizeof f->options.path, "%s", path);
    vg_status status = vg_cache_open(&f->options, f->dataset, KEY, &cache, &err);
    assert_null(cache);
    assert_contains(err.message, path);
    assert_contains(err.message, reason);
    return status;
}

static void test_places_that_cannot_be(void **state)
{
    cache_fixture *f = *state;
    char *path = vg_path_join(f->folder, "no/such.cache");
    assert_int_equal(open_fails(f, path, "No such file"), VG_E_IO);
    free(path);
    assert_int_equal(open_fails(f, f->data, "regular file"), VG_E_IO);
    path = vg_path_join(f->folder, "pipe");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_int_equal(open_fails(f, path, "regular file"), VG_E_IO);
    free(path);
    put_text(f->folder, "thesis.tex", "\\documentclass{book}");
    path = vg_path_join(f->folder, "thesis.tex");
    assert_int_equal(open_fails(f, path, "will not be overwritten"), VG_E_IO);
    assert_true(vg_path_exists(path));
    free(path);
}

/* In a folder that holds a cache of ten pictures and cannot be written. */
static int child_reads_locked(cache_fixture *f)
{
    vg_cache *cache;
    vg_error err = {0};
    size_t found;
    if (geteuid() == 0 && seteuid(65534) != 0) /* root may write everywhere */
        return 10;
    if (vg_cache_open(&f->options, f->dataset, KEY, &cache, &err))
        return 11;
    /* reading is enough as long as nothing is new */
    if (vg_cache_stats_of(cache).trouble.code || child_epoch(f, cache, &found) || found != 10)
        return 12;
    vg_cache_stats stats = vg_cache_stats_of(cache);
    if (stats.trouble.code != VG_E_IO || !strstr(stats.trouble.message, f->options.path) ||
        stats.refused_full != CACHE_SAMPLES - 10)
        return 13;
    vg_cache_close(cache);
    memcpy(strrchr(f->options.path, '/'), "/new", sizeof "/new");
    if (vg_cache_open(&f->options, f->dataset, KEY, &cache, &err) != VG_E_IO)
        return 14;
    return strstr(err.message, "cannot be written") ? 0 : 15;
}

static void test_folder_that_cannot_be_written(void **state)
{
    cache_fixture *f = *state;
    char *folder = vg_path_join(f->folder, "locked");
    assert_int_equal(mkdir(folder, 0700), 0);
    snprintf(f->options.path, sizeof f->options.path, "%s/pictures.cache", folder);
    vg_cache *cache = cache_open(f, KEY);
    for (size_t i = 0; i < 10; i++)
        cache_put_index(f, cache, i);
    vg_cache_close(cache);
    assert_int_equal(chmod(f->folder, 0755), 0);
    assert_int_equal(chmod(folder, 0555), 0);
    assert_int_equal(in_child(f, child_reads_locked), 0);
    assert_int_equal(chmod(folder, 0700), 0);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        WITH(test_processes),
        WITH(test_killed),
        WITH(test_truncated),
        WITH(test_flipped_bits),
        WITH(test_shortened_while_open),
        WITH(test_disk_full),
        WITH(test_places_that_cannot_be),
        WITH(test_folder_that_cannot_be_written),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
