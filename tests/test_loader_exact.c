/* The loader's promise: the bytes of a batch, and what the ledger says, depend neither on threads, cache, resuming, nor
 * on how batches are shared among ranks. The pictures are JPEG and PNG, some broken, some odd; the transform crops at
 * random and lets JPEG be shrunk, so that decoders are asked for parts. */
#include "test.h"

#include "base/rng.h"
#include "dataset_fixture.h"
#include "load/loader.h"

enum { SIDE = 8, CHANNELS = 3, FLOATS = SIDE * SIDE * CHANNELS, BATCH = 7, EPOCHS = 2, MOST = 64 };

static char *folder;
static vg_dataset *dataset;

/* ---- files */

static void put_noise(const char *name, int width, int height, int channels, double share)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_image_shape(&image, width, height, channels, &err));
    vg_rng rng = vg_rng_make((uint64_t)width, (uint32_t)height, strlen(name), 1);
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(255 * vg_rng_float(&rng));
    if (strstr(name, ".png") || strstr(name, "odd")) /* under a name that lies */
        assert_ok(vg_png_encode(&image, 1, &bytes, &err));
    else
        assert_ok(vg_jpeg_encode(&image, 90, &bytes, &err));
    put_bytes(folder, name, bytes.data, (size_t)(share * (double)bytes.size));
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
}

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    char name[64];
    for (int i = 0; i < 40; i++) {
        snprintf(name, sizeof name, "%c/%02d.%s", "abc"[i % 3], i, i % 4 ? "jpg" : "png");
        put_noise(name, 20 + 5 * i, 70 - i, i % 5 ? 3 : 1, 1);
    }
    put_noise("a/mostly.jpg", 90, 80, 3, 0.9);
    put_noise("b/barely.jpg", 90, 80, 3, 0.2);
    put_noise("b/half.png", 60, 60, 3, 0.6);
    put_noise("c/odd.jpg", 40, 40, 1, 1);
    put_text(folder, "c/page.jpg", "<!doctype html><p>not found");
    put_text(folder, "c/empty.png", "");
    vg_error err = {0};
    vg_dataset_options options = {.train_share = 1.0, .val_share = 0.0};
    assert_ok(vg_dataset_open(folder, &options, &dataset, &err));
    assert_int_equal(vg_dataset_count(dataset), 46);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

/* ---- a transform that asks for parts */

static int shrink(const void *context, int width, int height)
{
    (void)context;
    return width >= 64 && height >= 40 ? 2 : 1;
}

/* Where the crop lies follows from the key and the size alone. */
static void crop(const void *context, const vg_sample_key *key, vg_region *region)
{
    (void)context;
    vg_region whole = vg_region_whole(region->full_width, region->full_height, region->shrink);
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_PLAN);
    *region = whole;
    region->x = (int)((float)(whole.width - SIDE) * vg_rng_float(&rng));
    region->y = (int)((float)(whole.height - SIDE) * vg_rng_float(&rng));
    region->width = region->height = SIDE;
}

static vg_status run(const void *context, void *scratch, const vg_view *in, const vg_region *given,
                     const vg_sample_key *key, float *out, vg_error *err)
{
    (void)scratch;
    int full_width = given->full_width, full_height = given->full_height;
    vg_region wanted =
        vg_region_whole(full_width, full_height, shrink(context, full_width, full_height));
    crop(context, key, &wanted);
    wanted.x *= wanted.shrink / given->shrink; /* a decoder that cannot shrink gave the same part */
    wanted.y *= wanted.shrink / given->shrink;
    if (wanted.x < given->x || wanted.y < given->y || wanted.x + SIDE > given->x + given->width ||
        wanted.y + SIDE > given->y + given->height)
        return vg_fail(err, VG_E_STATE, "given less than was asked for");
    vg_view part = vg_view_part(in, wanted.x - given->x, wanted.y - given->y, SIDE, SIDE);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++)
            for (int c = 0; c < CHANNELS; c++)
                *out++ = part.data[(size_t)y * part.stride + (size_t)(x * part.channels) +
                                   (size_t)(c % part.channels)];
    return VG_OK;
}

static const vg_transform transform = {.channels = CHANNELS,
                                       .height = SIDE,
                                       .width = SIDE,
                                       .shrink = shrink,
                                       .region = crop,
                                       .run = run};

/* ---- what was delivered */

/* Hash of every sample in its order, and where batches begin. */
typedef struct record {
    uint64_t samples[EPOCHS][MOST];
    int count[EPOCHS], starts[EPOCHS][MOST], batch_count[EPOCHS];
    size_t bad;
    vg_bad_sample ledger[MOST];
} record;

typedef struct variant {
    vg_on_error on_error;
    int threads, rank, ranks;
    uint64_t first;
    vg_cache *cache;
    bool drop_last;
} variant;

static void deliver(const vg_sampler *sampler, const variant *v, record *r, vg_loader_times *times)
{
    vg_error err = {0};
    vg_loader *loader = NULL;
    vg_loader_options options = vg_loader_options_default();
    options.batch = BATCH;
    options.threads = v->threads;
    options.seed = 77;
    options.on_error = v->on_error;
    options.max_bad_share = 0.5;
    options.cache = v->cache;
    options.rank = v->rank;
    options.ranks = v->ranks ? v->ranks : 1;
    options.drop_last = v->drop_last;
    memset(r, 0, sizeof *r);
    assert_ok(vg_loader_open(dataset, sampler, &transform, &options, &loader, &err));
    for (uint32_t epoch = 0; epoch < EPOCHS; epoch++) {
        assert_ok(vg_loader_begin(loader, epoch, v->first, &err));
        vg_batch batch;
        vg_status status;
        int n = 0, b = 0;
        while ((status = vg_loader_next(loader, &batch, &err)) == VG_OK) {
            r->starts[epoch][b++] = n;
            for (int i = 0; i < batch.count; i++) {
                uint64_t hash = vg_hash(batch.x + i * FLOATS, FLOATS * sizeof *batch.x, epoch);
                hash = vg_hash(&batch.y[i], sizeof *batch.y, hash);
                r->samples[epoch][n++] = vg_hash(&batch.index[i], sizeof *batch.index, hash);
            }
            vg_batch_release(loader, &batch);
        }
        if (status != VG_END)
            print_error("%s\n", err.message);
        assert_int_equal(status, VG_END);
        r->count[epoch] = n;
        r->starts[epoch][b] = n;
        r->batch_count[epoch] = b;
    }
    const vg_bad_sample *bad = vg_loader_bad(loader, &r->bad);
    assert_true(r->bad <= MOST);
    memcpy(r->ledger, bad, r->bad * sizeof *bad);
    if (times)
        *times = vg_loader_times_of(loader);
    vg_loader_close(loader);
}

static void assert_same(const record *a, const record *b)
{
    for (int e = 0; e < EPOCHS; e++) {
        assert_int_equal(a->count[e], b->count[e]);
        assert_memory_equal(a->samples[e], b->samples[e], sizeof a->samples[e]);
        assert_memory_equal(a->starts[e], b->starts[e], sizeof a->starts[e]);
    }
    assert_int_equal(a->bad, b->bad);
    for (size_t i = 0; i < a->bad; i++) {
        const vg_bad_sample *x = &a->ledger[i], *y = &b->ledger[i];
        assert_int_equal(x->index, y->index);
        assert_int_equal(x->kind, y->kind);
        assert_int_equal(x->cause, y->cause);
        assert_int_equal(x->offset, y->offset);
        assert_true(x->intact == y->intact);
        assert_string_equal(x->reason, y->reason);
    }
}

static vg_sampler *sampler_of(vg_sampling mode)
{
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, mode, 5, &sampler, &err));
    return sampler;
}

/* "FILE" is a file of this test. */
static vg_cache *open_cache(const char *word)
{
    vg_error err = {0};
    vg_cache_options options;
    vg_cache *cache = NULL;
    char key[512];
    vg_decode_options decode = vg_decode_options_default();
    vg_loader_cache_key(dataset, &decode, key, sizeof key);
    char *path = vg_path_join(folder, ".pictures.cache"); /* hidden: not part of the dataset */
    assert_ok(vg_cache_parse(strcmp(word, "FILE") ? word : path, &options, &err));
    free(path);
    assert_ok(vg_cache_open(&options, dataset, key, &cache, &err));
    return cache;
}

static const vg_sampling modes[] = {VG_SAMPLING_SHUFFLE, VG_SAMPLING_SEQUENTIAL};
static const vg_on_error policies[] = {VG_ON_ERROR_SKIP, VG_ON_ERROR_REPAIR};

static void for_all(void (*check)(const vg_sampler *sampler, vg_on_error policy,
                                  const record *plain))
{
    for (int m = 0; m < 2; m++) {
        vg_sampler *sampler = sampler_of(modes[m]);
        for (int p = 0; p < 2; p++) {
            record plain;
            variant v = {.on_error = policies[p], .threads = 1};
            deliver(sampler, &v, &plain, NULL);
            check(sampler, policies[p], &plain);
        }
        vg_sampler_free(sampler);
    }
}

static void check_threads(const vg_sampler *sampler, vg_on_error policy, const record *plain)
{
    for (int threads = 2; threads <= 8; threads++) {
        record r;
        variant v = {.on_error = policy, .threads = threads};
        deliver(sampler, &v, &r, NULL);
        assert_same(&r, plain);
    }
}

static void test_threads(void **state)
{
    (void)state;
    for_all(check_threads);
}

/* Of every kind, in the first run and, for files, in one that finds them. */
static void check_caches(const vg_sampler *sampler, vg_on_error policy, const record *plain)
{
    static const char *const words[] = {"ram", "ram:100K", "FILE"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        for (int threads = 1; threads <= 4; threads += 3) {
            vg_cache *cache = open_cache(words[i]);
            record r;
            vg_loader_times times, again;
            variant v = {.on_error = policy, .threads = threads, .cache = cache};
            deliver(sampler, &v, &r, &times);
            assert_same(&r, plain);
            assert_true(times.cached > 0 && times.decoded > 0);
            deliver(sampler, &v, &r, &again); /* a loader that finds what another one left */
            assert_same(&r, plain);
            if (i != 1)
                assert_int_equal(again.decoded, 0);
            vg_cache_close(cache);
            if (i != 2)
                continue;
            cache = open_cache(words[i]); /* what an earlier run left in the file */
            v.cache = cache;
            deliver(sampler, &v, &r, &again);
            assert_same(&r, plain);
            assert_int_equal(again.decoded, 0);
            vg_cache_close(cache);
            char *path = vg_path_join(folder, ".pictures.cache");
            assert_int_equal(unlink(path), 0);
            free(path);
        }
}

static void test_caches(void **state)
{
    (void)state;
    for_all(check_caches);
}

static void check_resuming(const vg_sampler *sampler, vg_on_error policy, const record *plain)
{
    for (int first = 0; first <= plain->batch_count[0]; first++) {
        record r;
        variant v = {.on_error = policy, .threads = 3, .first = (uint64_t)first};
        deliver(sampler, &v, &r, NULL);
        for (int e = 0; e < EPOCHS; e++) {
            int skipped = plain->starts[e][first];
            assert_int_equal(r.count[e], plain->count[e] - skipped);
            assert_memory_equal(r.samples[e], plain->samples[e] + skipped,
                                (size_t)r.count[e] * sizeof r.samples[e][0]);
        }
    }
}

static void test_resuming(void **state)
{
    (void)state;
    for_all(check_resuming);
}

static void check_ranks(const vg_sampler *sampler, vg_on_error policy, const record *plain)
{
    static record shares[9];
    for (int ranks = 2; ranks <= 9; ranks += ranks < 3 ? 1 : 6) {
        for (int rank = 0; rank < ranks; rank++) {
            variant v = {.on_error = policy, .threads = 2, .rank = rank, .ranks = ranks};
            deliver(sampler, &v, &shares[rank], NULL);
        }
        for (int e = 0; e < EPOCHS; e++) {
            int at = 0;
            for (int b = 0; b < plain->batch_count[e]; b++) {
                assert_int_equal(at, plain->starts[e][b]);
                for (int rank = 0; rank < ranks; rank++) {
                    const record *s = &shares[rank];
                    assert_int_equal(s->batch_count[e], plain->batch_count[e]);
                    for (int i = s->starts[e][b]; i < s->starts[e][b + 1]; i++)
                        assert_true(s->samples[e][i] == plain->samples[e][at++]);
                }
            }
            assert_int_equal(at, plain->count[e]);
        }
    }
}

static void test_ranks(void **state)
{
    (void)state;
    for_all(check_ranks);
}

static void test_ranks_drop_the_last_batch_alike(void **state)
{
    (void)state;
    vg_sampler *sampler = sampler_of(VG_SAMPLING_SHUFFLE);
    record whole, share;
    variant v = {.threads = 1, .drop_last = true};
    deliver(sampler, &v, &whole, NULL);
    assert_int_equal(whole.count[0], 46 / BATCH * BATCH);
    int samples = 0;
    v.ranks = 3;
    for (v.rank = 0; v.rank < 3; v.rank++) {
        deliver(sampler, &v, &share, NULL);
        assert_int_equal(share.batch_count[0], 46 / BATCH);
        samples += share.count[0];
    }
    assert_int_equal(samples, whole.count[0]);
    vg_sampler_free(sampler);
}

/* ---- what the ledger says */

static const vg_bad_sample *entry(const record *r, const char *name)
{
    size_t index = find_sample(dataset, name);
    for (size_t i = 0; i < r->bad; i++)
        if (r->ledger[i].index == index)
            return &r->ledger[i];
    fail_msg("%s is not in the ledger", name);
    return NULL;
}

static void test_ledger(void **state)
{
    (void)state;
    vg_sampler *sampler = sampler_of(VG_SAMPLING_SEQUENTIAL);
    record r;
    variant v = {.on_error = VG_ON_ERROR_REPAIR, .threads = 2};
    deliver(sampler, &v, &r, NULL);
    assert_int_equal(r.bad, 6);
    const vg_bad_sample *mostly = entry(&r, "a/mostly.jpg"), *barely = entry(&r, "b/barely.jpg");
    assert_int_equal(mostly->kind, VG_BAD_REPAIRED);
    assert_int_equal(mostly->cause, VG_CAUSE_DAMAGED);
    assert_true(mostly->intact >= 0.5 && mostly->intact < 1);
    assert_true(mostly->offset > 1000);
    assert_int_equal(barely->kind, VG_BAD_SKIPPED);
    assert_int_equal(barely->cause, VG_CAUSE_DAMAGED);
    assert_true(barely->intact < 0.5);
    assert_int_equal(entry(&r, "c/page.jpg")->cause, VG_CAUSE_FOREIGN);
    assert_int_equal(entry(&r, "c/empty.png")->cause, VG_CAUSE_FOREIGN);
    assert_int_equal(entry(&r, "c/empty.png")->kind, VG_BAD_SKIPPED);
    assert_int_equal(entry(&r, "b/half.png")->cause, VG_CAUSE_DAMAGED);
    const vg_bad_sample *odd = entry(&r, "c/odd.jpg");
    assert_int_equal(odd->kind, VG_BAD_SUSPICIOUS);
    assert_int_equal(odd->cause, VG_CAUSE_EXTENSION);
    assert_contains(odd->reason, "c/odd.jpg: content is PNG, not JPEG");
    v.on_error = VG_ON_ERROR_SKIP;
    deliver(sampler, &v, &r, NULL);
    assert_int_equal(entry(&r, "a/mostly.jpg")->kind, VG_BAD_SKIPPED);
    assert_int_equal(r.count[0], 41);
    vg_sampler_free(sampler);
}

static void test_impossible_options(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_loader *loader = NULL;
    vg_sampler *sampler = sampler_of(VG_SAMPLING_SHUFFLE);
    vg_loader_options options = vg_loader_options_default();
    options.rank = 2;
    options.ranks = 2;
    assert_int_equal(vg_loader_open(dataset, sampler, &transform, &options, &loader, &err),
                     VG_E_ARG);
    assert_contains(err.message, "rank 2 of 2");
    options = vg_loader_options_default();
    options.max_bad_share = 1.5;
    assert_int_equal(vg_loader_open(dataset, sampler, &transform, &options, &loader, &err),
                     VG_E_ARG);
    assert_contains(err.message, "1.5");
    assert_null(loader);
    vg_sampler_free(sampler);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_threads),
        cmocka_unit_test(test_caches),
        cmocka_unit_test(test_resuming),
        cmocka_unit_test(test_ranks),
        cmocka_unit_test(test_ranks_drop_the_last_batch_alike),
        cmocka_unit_test(test_ledger),
        cmocka_unit_test(test_impossible_options),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
