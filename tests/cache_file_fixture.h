/* Runs with a packed cache file, for the tests of load/cache_file.c. Header only; include after test.h. */
#ifndef VG_CACHE_FILE_FIXTURE_H
#define VG_CACHE_FILE_FIXTURE_H

#include "cache_fixture.h"

static const char KEY[] = "channels=3 exif shrink=1";

/* A run of one epoch. Returns how many samples it found. */
static inline size_t run(cache_fixture *f, vg_cache_stats *stats)
{
    vg_cache *cache = cache_open(f, KEY);
    size_t found = cache_epoch(f, cache);
    vg_error err = {0};
    assert_ok(vg_cache_commit(cache, true, &err));
    if (stats)
        *stats = vg_cache_stats_of(cache);
    vg_cache_close(cache);
    return found;
}

static inline bool building(const cache_fixture *f)
{
    char name[4200];
    snprintf(name, sizeof name, "%s.building", f->file);
    return vg_path_exists(name);
}

#define WITH(test)                                                                                 \
    cmocka_unit_test_setup_teardown(test, cache_fixture_setup, cache_fixture_teardown)

#endif
