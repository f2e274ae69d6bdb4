/* Tests of load/loader.h: the promise that bytes do not depend on threads, the ring, and bad files. */
#include "make_idx.h"

#include "base/rng.h"
#include "image/encode.h"
#include "load/loader.h"

enum { SIZE = 8, FLOATS = SIZE * SIZE };

static const size_t train_counts[3] = {100, 40, 7}, test_counts[3] = {5, 5, 5};
static vg_dataset *dataset;
static char *folder;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, 3, SIZE);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

/* Pixels plus a random number of the sample's own stream. */
static vg_status transform_run(const void *context, void *scratch, const vg_view *in,
                               const vg_region *region, const vg_sample_key *key, float *out,
                               vg_error *err)
{
    (void)context;
    (void)region;
    (void)scratch;
    (void)err;
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, VG_RNG_PLAN);
    for (int i = 0; i < FLOATS; i++)
        out[i] = (float)in->data[(size_t)i * (size_t)in->channels] + vg_rng_float(&rng);
    return VG_OK;
}

static const vg_transform transform = {
    .channels = 1, .height = SIZE, .width = SIZE, .run = transform_run};

static vg_loader *open_loader(const vg_sampler *sampler, int threads, bool lockstep)
{
    vg_error err = {0};
    vg_loader *loader = NULL;
    vg_loader_options options = vg_loader_options_default();
    options.batch = 10;
    options.threads = threads;
    options.lockstep = lockstep;
    options.seed = 77;
    assert_ok(vg_loader_open(dataset, sampler, &transform, &options, &loader, &err));
    return loader;
}

/* Hash of everything that epochs 1 and 2 deliver, from batch `first` on. */
static uint64_t digest(vg_loader *loader, uint64_t first, int *samples)
{
    vg_error err = {0};
    uint64_t hash = 0;
    *samples = 0;
    for (uint32_t epoch = 1; epoch <= 2; epoch++) {
        assert_ok(vg_loader_begin(loader, epoch, first, &err));
        vg_batch batch;
        vg_status status;
        uint64_t expected = first * 10;
        while ((status = vg_loader_next(loader, &batch, &err)) == VG_OK) {
            assert_true(batch.first >= expected); /* more when bad samples were left out */
            assert_int_equal(batch.epoch, epoch);
            size_t n = (size_t)batch.count;
            hash = vg_hash(batch.x, n * FLOATS * sizeof *batch.x, hash);
            hash = vg_hash(batch.y, n * sizeof *batch.y, hash);
            hash = vg_hash(batch.index, n * sizeof *batch.index, hash);
            expected += n;
            *samples += batch.count;
            vg_batch_release(loader, &batch);
        }
        assert_int_equal(status, VG_END);
    }
    return hash;
}

static void test_bytes_do_not_depend_on_threads(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_OVER, 5, &sampler, &err));
    uint64_t whole = 0, part = 0;
    for (int threads = 1; threads <= 8; threads *= 2) {
        for (int lockstep = 0; lockstep < 2; lockstep++) {
            vg_loader *loader = open_loader(sampler, threads, lockstep);
            int samples;
            uint64_t all = digest(loader, 0, &samples);
            assert_int_equal(samples, 600);
            uint64_t rest = digest(loader, 13, &samples);
            assert_int_equal(samples, 2 * 170);
            if (threads == 1 && !lockstep) {
                whole = all;
                part = rest;
            }
            assert_true(all == whole && rest == part);
            vg_loader_times times = vg_loader_times_of(loader);
            assert_true(times.samples >= 940);
            vg_loader_close(loader);
        }
    }
    vg_sampler_free(sampler);
}

static void test_last_batch_and_drop_last(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 5, &sampler, &err));
    vg_loader_options options = vg_loader_options_default();
    options.batch = 10;
    for (int drop = 0; drop < 2; drop++) {
        vg_loader *loader = NULL;
        options.drop_last = drop;
        assert_ok(vg_loader_open(dataset, sampler, &transform, &options, &loader, &err));
        assert_int_equal(vg_loader_batches(loader), drop ? 14 : 15);
        assert_ok(vg_loader_begin(loader, 0, 0, &err));
        vg_batch batch;
        int samples = 0;
        while (vg_loader_next(loader, &batch, &err) == VG_OK) {
            samples += batch.count;
            vg_batch_release(loader, &batch);
        }
        assert_int_equal(samples, drop ? 140 : 147);
        vg_loader_close(loader);
    }
    vg_sampler_free(sampler);
}

static void test_lending_rules(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 5, &sampler, &err));
    vg_loader *loader = open_loader(sampler, 2, false);
    vg_batch lent[5];
    assert_int_equal(vg_loader_next(loader, &lent[0], &err), VG_E_STATE);
    assert_ok(vg_loader_begin(loader, 0, 0, &err));
    for (int i = 0; i < 4; i++)
        assert_ok(vg_loader_next(loader, &lent[i], &err));
    assert_int_equal(vg_loader_next(loader, &lent[4], &err), VG_E_STATE);
    assert_contains(err.message, "release");
    assert_int_equal(vg_loader_begin(loader, 1, 0, &err), VG_E_STATE);
    float kept = lent[3].x[0];
    vg_batch_release(loader, &lent[0]);
    assert_ok(vg_loader_next(loader, &lent[4], &err));
    assert_true(lent[3].x[0] == kept); /* a lent batch is not written to */
    for (int i = 1; i < 5; i++)
        vg_batch_release(loader, &lent[i]);
    assert_ok(vg_loader_begin(loader, 1, 0, &err)); /* in the middle of an epoch */
    assert_int_equal(vg_loader_begin(loader, 1, 999, &err), VG_E_ARG);
    vg_loader_close(loader);
    vg_sampler_free(sampler);
}

/* ---- bad files: three class folders of PNG files, some of them broken */

static void write_picture(const char *root, const char *class_name, int i, bool broken)
{
    vg_error err = {0};
    char name[64];
    char *class_folder = vg_path_join(root, class_name);
    assert_ok(vg_make_folders(class_folder, &err));
    snprintf(name, sizeof name, "%03d.png", i);
    char *path = vg_path_join(class_folder, name);
    vg_image image = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_image_shape(&image, SIZE, SIZE, 1, &err));
    memset(image.data, i, vg_image_bytes(&image));
    assert_ok(vg_png_encode(&image, 6, &bytes, &err));
    assert_ok(vg_file_write(path, bytes.data, broken ? bytes.size / 2 : bytes.size, &err));
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
    free(class_folder);
    free(path);
}

static vg_dataset *open_folder(const char *root)
{
    vg_error err = {0};
    vg_dataset_options options = {.train_share = 1.0, .val_share = 0.0};
    vg_dataset *opened = NULL;
    assert_ok(vg_dataset_open(root, &options, &opened, &err));
    return opened;
}

static void check_skipping(const vg_dataset *files, vg_sampling mode, int expected)
{
    vg_error err = {0};
    vg_sampler *sampler = NULL;
    assert_ok(vg_sampler_new(files, VG_SPLIT_TRAIN, mode, 5, &sampler, &err));
    uint64_t first_hash = 0;
    for (int threads = 1; threads <= 4; threads *= 2) {
        vg_loader *loader = NULL;
        vg_loader_options options = vg_loader_options_default();
        options.batch = 7;
        options.threads = threads;
        assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
        int samples;
        uint64_t hash = digest(loader, 0, &samples);
        assert_int_equal(samples, 2 * expected);
        if (threads == 1)
            first_hash = hash;
        assert_true(hash == first_hash);
        size_t bad;
        const vg_bad_sample *list = vg_loader_bad(loader, &bad);
        assert_int_equal(bad, 3);
        for (size_t i = 0; i < bad; i++) {
            assert_int_equal(list[i].status, VG_E_FORMAT);
            assert_contains(list[i].reason, ".png");
            assert_true(i == 0 || list[i].index > list[i - 1].index);
        }
        vg_loader_close(loader);
    }
    vg_sampler_free(sampler);
}

static void test_bad_files(void **state)
{
    (void)state;
    vg_error err = {0};
    char *root = test_folder_make();
    for (int i = 0; i < 20; i++) {
        write_picture(root, "a", i, i == 3 || i == 4);
        write_picture(root, "b", i, i == 19);
    }
    vg_dataset *files = open_folder(root);
    assert_int_equal(vg_dataset_count(files), 40);
    /* shuffled: substitutes keep the epoch's length (batches of 7: digest counts what is delivered) */
    vg_sampler *sampler = NULL;
    vg_loader *loader = NULL;
    vg_loader_options options = vg_loader_options_default();
    options.batch = 40;
    assert_ok(vg_sampler_new(files, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 5, &sampler, &err));
    assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
    assert_ok(vg_loader_begin(loader, 0, 0, &err));
    vg_batch batch;
    assert_ok(vg_loader_next(loader, &batch, &err));
    assert_int_equal(batch.count, 40);
    int per_class[2] = {0};
    for (int i = 0; i < batch.count; i++) {
        per_class[batch.y[i]]++;
        assert_int_equal(vg_dataset_label(files, batch.index[i]), batch.y[i]);
    }
    assert_int_equal(per_class[0], 20);
    vg_batch_release(loader, &batch);
    vg_loader_close(loader);
    /* fail: the first bad file in the order of the epoch, whatever the threads */
    char message[sizeof err.message] = "";
    for (int threads = 1; threads <= 4; threads++) {
        options.on_error = VG_ON_ERROR_FAIL;
        options.threads = threads;
        assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
        assert_ok(vg_loader_begin(loader, 0, 0, &err));
        assert_int_equal(vg_loader_next(loader, &batch, &err), VG_E_FORMAT);
        if (threads == 1)
            memcpy(message, err.message, sizeof message);
        assert_string_equal(err.message, message);
        vg_loader_close(loader);
    }
    /* too many: the run stops and says so */
    options.on_error = VG_ON_ERROR_SKIP;
    options.max_bad_share = 0.05;
    assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
    assert_ok(vg_loader_begin(loader, 0, 0, &err));
    assert_int_equal(vg_loader_next(loader, &batch, &err), VG_E_LIMIT);
    assert_contains(err.message, "5 %");
    vg_loader_close(loader);
    vg_sampler_free(sampler);
    vg_dataset_close(files);
    test_folder_remove(root);
}

static void test_skipping_is_the_same_for_any_thread_count(void **state)
{
    (void)state;
    char *root = test_folder_make();
    for (int i = 0; i < 20; i++) {
        write_picture(root, "a", i, i == 3 || i == 4);
        write_picture(root, "b", i, i == 19);
    }
    vg_dataset *files = open_folder(root);
    check_skipping(files, VG_SAMPLING_SEQUENTIAL, 37);
    vg_dataset_close(files);
    test_folder_remove(root);
}

static void test_class_without_a_readable_sample(void **state)
{
    (void)state;
    vg_error err = {0};
    char *root = test_folder_make();
    for (int i = 0; i < 9; i++)
        write_picture(root, "good", i, false);
    write_picture(root, "lost", 0, true);
    vg_dataset *files = open_folder(root);
    vg_sampler *sampler = NULL;
    vg_loader *loader = NULL;
    vg_loader_options options = vg_loader_options_default();
    assert_ok(vg_sampler_new(files, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 5, &sampler, &err));
    assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
    assert_ok(vg_loader_begin(loader, 0, 0, &err));
    vg_batch batch;
    assert_int_equal(vg_loader_next(loader, &batch, &err), VG_E_FORMAT);
    assert_contains(err.message, "\"lost\"");
    vg_loader_close(loader);
    vg_sampler_free(sampler);
    vg_dataset_close(files);
    test_folder_remove(root);
}

/* Pictures that are decoded one at a time: good, damaged and skipped ones give the place free again. */
static void test_giants(void **state)
{
    (void)state;
    vg_error err = {0};
    char *root = test_folder_make();
    vg_image image = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_image_shape(&image, 5000, 3300, 1, &err));
    memset(image.data, 9, vg_image_bytes(&image));
    assert_ok(vg_png_encode(&image, 1, &bytes, &err));
    vg_image_reset(&image);
    for (int i = 0; i < 6; i++) {
        char name[32];
        snprintf(name, sizeof name, "%d.png", i);
        char *path = vg_path_join(root, name);
        assert_ok(vg_file_write(path, bytes.data, bytes.size / (i % 3 ? 1 : 2), &err));
        free(path);
    }
    vg_bytes_reset(&bytes);
    vg_dataset *files = open_folder(root);
    vg_sampler *sampler = NULL;
    vg_loader *loader = NULL;
    vg_loader_options options = vg_loader_options_default();
    options.batch = 2;
    options.threads = 3;
    options.max_bad_share = 0.5;
    assert_ok(vg_sampler_new(files, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 5, &sampler, &err));
    assert_ok(vg_loader_open(files, sampler, &transform, &options, &loader, &err));
    int samples;
    vg_batch batch;
    vg_status status;
    for (uint32_t epoch = 0; epoch < 2; epoch++) {
        assert_ok(vg_loader_begin(loader, epoch, 0, &err));
        for (samples = 0; (status = vg_loader_next(loader, &batch, &err)) == VG_OK;) {
            for (int i = 0; i < batch.count; i++)
                assert_true(batch.x[i * FLOATS] >= 9 && batch.x[i * FLOATS] <= 10);
            samples += batch.count;
            vg_batch_release(loader, &batch);
        }
        assert_int_equal(status, VG_END);
        assert_int_equal(samples, 6);
    }
    size_t bad;
    vg_loader_bad(loader, &bad);
    assert_int_equal(bad, 2);
    vg_loader_close(loader);
    vg_sampler_free(sampler);
    vg_dataset_close(files);
    test_folder_remove(root);
}

/* Who waits for data waits for a stage; who does not limits itself. */
static void test_limit_of_a_run(void **state)
{
    (void)state;
    const vg_loader_times before = {.read = 5, .decode = 5, .transform = 5, .waited_by_caller = 1};
    vg_loader_times after = before;
    after.decode += 3;
    after.transform += 1;
    assert_int_equal(vg_loader_limit(&before, &after, 10), VG_STAGE_CALLER);
    after.waited_by_caller += 6;
    assert_int_equal(vg_loader_limit(&before, &after, 10), VG_STAGE_DECODE);
    after.read += 4;
    assert_int_equal(vg_loader_limit(&before, &after, 10), VG_STAGE_READ);
    after.transform += 9;
    assert_int_equal(vg_loader_limit(&before, &after, 10), VG_STAGE_TRANSFORM);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_do_not_depend_on_threads),
        cmocka_unit_test(test_last_batch_and_drop_last),
        cmocka_unit_test(test_lending_rules),
        cmocka_unit_test(test_bad_files),
        cmocka_unit_test(test_skipping_is_the_same_for_any_thread_count),
        cmocka_unit_test(test_class_without_a_readable_sample),
        cmocka_unit_test(test_giants),
        cmocka_unit_test(test_limit_of_a_run),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
