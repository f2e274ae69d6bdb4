/* A small dataset and made-up pictures for the tests of the cache. The picture of a sample follows
 * from its stored bytes alone, so that a test sees which bytes a cached picture was made from.
 * Header only; include after test.h. */
#ifndef VG_CACHE_FIXTURE_H
#define VG_CACHE_FIXTURE_H

#include "dataset_fixture.h"

#include "load/cache.h"

#include <fcntl.h>
#include <time.h>
#include <xxhash.h>

enum { CACHE_SAMPLES = 24 };

typedef struct cache_fixture {
    char *folder; /* data/ below it is the dataset */
    char *data, *file;
    vg_dataset *dataset;
    vg_reader reader;
    vg_cache_options options;
} cache_fixture;

/* Sets when a sample was changed; what was changed just now is not trusted by its time. */
static inline void cache_touch(const char *data, int i, time_t when)
{
    char name[64];
    snprintf(name, sizeof name, "class%d/%02d.png", i % 3, i);
    char *path = vg_path_join(data, name);
    struct timespec times[2] = {{.tv_sec = when}, {.tv_sec = when, .tv_nsec = i}};
    assert_int_equal(utimensat(AT_FDCWD, path, times, 0), 0);
    free(path);
}

/* Not pictures: a cache never looks at stored bytes but to hash them. */
static inline void cache_put_sample(const char *data, int i, int version)
{
    char name[64], text[128];
    snprintf(name, sizeof name, "class%d/%02d.png", i % 3, i);
    snprintf(text, sizeof text, "stored bytes of sample %d, version %d", i, version);
    put_text(data, name, text);
    cache_touch(data, i, 1000000000 + version);
}

static inline void cache_fixture_reopen(cache_fixture *f, const char *data)
{
    vg_error err = {0};
    vg_dataset_close(f->dataset);
    assert_ok(vg_dataset_open(data, NULL, &f->dataset, &err));
}

static inline int cache_fixture_setup(void **state)
{
    vg_error err = {0};
    cache_fixture *f = calloc(1, sizeof *f);
    f->folder = test_folder_make();
    f->data = vg_path_join(f->folder, "data");
    f->file = vg_path_join(f->folder, "pictures.cache");
    for (int i = 0; i < CACHE_SAMPLES; i++)
        cache_put_sample(f->data, i, 1);
    cache_fixture_reopen(f, f->data);
    assert_int_equal(vg_dataset_count(f->dataset), CACHE_SAMPLES);
    assert_ok(vg_reader_init(&f->reader, &err));
    f->options = (vg_cache_options){.kind = VG_CACHE_FILE};
    snprintf(f->options.path, sizeof f->options.path, "%s", f->file);
    *state = f;
    return 0;
}

static inline int cache_fixture_teardown(void **state)
{
    cache_fixture *f = *state;
    vg_reader_reset(&f->reader);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
    free(f->data);
    free(f->file);
    free(f);
    return 0;
}

/* What decoding these bytes "gives": shape, damage and pixels by their hash. */
static inline void cache_decode(vg_span stored, vg_image *image, vg_decode_info *info)
{
    vg_error err;
    uint64_t hash = XXH3_64bits(stored.data, stored.size);
    int width = 5 + (int)(hash % 60), height = 3 + (int)(hash / 60 % 40);
    int shrink = 1 << (hash >> 20) % 4;
    if (vg_image_shape(image, width, height, (hash >> 30) % 2 ? 1 : 3, &err))
        abort(); /* not an assert: called in threads, too */
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)(hash >> i % 8 * 8 ^ i);
    *info = (vg_decode_info){.format = (hash >> 35) % 2 ? VG_FORMAT_PNG : VG_FORMAT_JPEG,
                             .damaged = (hash >> 40) % 3 == 0};
    info->region = vg_region_whole(width * shrink, height * shrink - shrink / 2, shrink);
    if (!info->damaged && (hash >> 43) % 2)
        snprintf(info->warning, sizeof info->warning, "odd, but whole");
    if (info->damaged) {
        info->intact = (double)(hash >> 50) / 16384;
        info->damage_offset = hash >> 44;
        snprintf(info->warning, sizeof info->warning, "%.*s",
                 (int)((hash >> 42) % 2 ? 159 : stored.size),
                 "damaged for this test: the data of "
                 "the picture ends in the middle of a row, and what comes then could not be made "
                 "sense of by the decoder that was asked for it, again and again");
    }
}

static inline void cache_put_index(cache_fixture *f, vg_cache *cache, size_t index)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_decode_info info;
    vg_span stored;
    assert_ok(vg_dataset_bytes(f->dataset, index, &f->reader, &stored, &err));
    cache_decode(stored, &image, &info);
    assert_ok(vg_cache_put(cache, index, stored, &image, &info, &err));
    vg_image_reset(&image);
}

/* Whether the cached picture is what the bytes as they are now would give. */
static inline bool cache_same(const vg_cached *found, vg_span stored)
{
    vg_image image = {0};
    vg_decode_info info;
    cache_decode(stored, &image, &info);
    bool same = found->view.width == image.width && found->view.height == image.height &&
                found->view.channels == image.channels &&
                found->view.stride == (size_t)image.width * (size_t)image.channels &&
                (uintptr_t)found->view.data % 64 == 0 &&
                memcmp(found->view.data, image.data, vg_image_bytes(&image)) == 0 &&
                memcmp(&found->region, &info.region, sizeof info.region) == 0 &&
                found->damaged == info.damaged && found->format == info.format &&
                (!info.damaged ||
                 (found->intact == info.intact && found->damage_offset == info.damage_offset)) &&
                strcmp(found->warning, info.warning) == 0;
    vg_image_reset(&image);
    return same;
}

/* Finds a sample, and if it is there compares it with what decoding would give. */
static inline bool cache_find_index(cache_fixture *f, vg_cache *cache, size_t index)
{
    vg_error err = {0};
    vg_cached found;
    vg_span stored;
    if (!vg_cache_find(cache, index, &f->reader, &found))
        return false;
    assert_ok(vg_dataset_bytes(f->dataset, index, &f->reader, &stored, &err));
    assert_true(cache_same(&found, stored));
    return true;
}

/* An epoch: what is not found is put. Returns how many were found. */
static inline size_t cache_epoch(cache_fixture *f, vg_cache *cache)
{
    size_t found = 0;
    for (size_t i = 0; i < vg_dataset_count(f->dataset); i++) {
        if (cache_find_index(f, cache, i))
            found++;
        else
            cache_put_index(f, cache, i);
    }
    return found;
}

static inline vg_cache *cache_open(cache_fixture *f, const char *key)
{
    vg_error err = {0};
    vg_cache *cache = NULL;
    assert_ok(vg_cache_open(&f->options, f->dataset, key, &cache, &err));
    return cache;
}

typedef struct cache_crowd {
    cache_fixture *f;
    vg_cache *cache;
    _Atomic int wrong;
} cache_crowd;

/* An item of vg_parallel_for. cmocka may not be asked in threads: what is wrong is counted. */
static inline void cache_crowd_work(void *context, int thread, size_t item)
{
    cache_crowd *c = context;
    (void)thread;
    size_t index = item * 7 % CACHE_SAMPLES;
    vg_error err = {0};
    vg_reader reader;
    vg_image image = {0};
    vg_decode_info info;
    vg_span stored;
    vg_cached found;
    if (vg_reader_init(&reader, &err)) {
        c->wrong++;
        return;
    }
    bool there = vg_cache_find(c->cache, index, &reader, &found);
    if (vg_dataset_bytes(c->f->dataset, index, &reader, &stored, &err)) {
        c->wrong++;
    } else if (there) {
        c->wrong += !cache_same(&found, stored);
    } else {
        cache_decode(stored, &image, &info);
        c->wrong += vg_cache_put(c->cache, index, stored, &image, &info, &err) != VG_OK;
    }
    vg_image_reset(&image);
    vg_reader_reset(&reader);
}

#endif
