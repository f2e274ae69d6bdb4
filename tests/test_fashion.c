/* The default network on all of Fashion-MNIST: at least 91 % of the test images within 5 epochs.
 * Needs VG_DATA. No loader and no augmentation: what is tested is the network and its training. */
#include "test.h"

#include "base/rng.h"
#include "dataset/dataset.h"
#include "nn/loss.h"
#include "nn/model.h"
#include "optim/optimizer.h"
#include "optim/schedule.h"

enum { BATCH = 64, EPOCHS = 5, CLASSES = 10, PIXELS = 28 * 28 };

typedef struct split {
    float *x;
    int32_t *labels;
    size_t count;
} split;

static split read_split(const vg_dataset *dataset, vg_split which)
{
    vg_error err = {0};
    size_t all = vg_dataset_count(dataset);
    split s = {malloc(all * PIXELS * sizeof *s.x), malloc(all * sizeof *s.labels), 0};
    assert_non_null(s.x);
    assert_non_null(s.labels);
    vg_reader reader;
    vg_image image = {0};
    vg_decode_options options = vg_decode_options_default();
    options.channels = 1;
    assert_ok(vg_reader_init(&reader, &err));
    for (size_t i = 0; i < all; i++) {
        if (vg_dataset_split(dataset, i) != which)
            continue;
        assert_ok(vg_dataset_read(dataset, i, &options, &reader, &image, NULL, &err));
        assert_true(image.width == 28 && image.height == 28);
        float *x = s.x + s.count * PIXELS;
        for (int k = 0; k < PIXELS; k++) /* mean and deviation of the training images */
            x[k] = ((float)image.data[k] - 72.94f) / 90.02f;
        s.labels[s.count++] = vg_dataset_label(dataset, i);
    }
    vg_image_reset(&image);
    vg_reader_reset(&reader);
    return s;
}

static double accuracy(vg_model *m, const split *s)
{
    int correct = 0;
    for (size_t at = 0; at < s->count; at += BATCH) {
        int n = s->count - at < BATCH ? (int)(s->count - at) : BATCH;
        const float *z = vg_model_forward(m, s->x + at * PIXELS, n, false, 0);
        correct += vg_softmax_cross_entropy(z, s->labels + at, n, CLASSES, NULL, NULL).correct;
    }
    return correct / (double)s->count;
}

static void train(vg_model *m, const split *s, uint64_t seed)
{
    vg_error err = {0};
    vg_optimizer_options options = vg_optimizer_options_default();
    vg_schedule schedule = {.kind = VG_SCHEDULE_COSINE, .base = 0.1, .warmup_share = 0.1};
    vg_optimizer *optimizer;
    assert_ok(vg_optimizer_new(m, &options, &optimizer, &err));
    float *x = malloc(BATCH * PIXELS * sizeof *x), d[BATCH * CLASSES];
    uint64_t step = 0, per_epoch = s->count / BATCH;
    for (uint64_t epoch = 0; epoch < EPOCHS; epoch++)
        for (uint64_t b = 0; b < per_epoch; b++, step++) {
            int32_t labels[BATCH];
            for (uint64_t i = 0; i < BATCH; i++) {
                size_t from = vg_permute(vg_mix(seed, epoch), s->count, b * BATCH + i);
                memcpy(x + i * PIXELS, s->x + from * PIXELS, PIXELS * sizeof *x);
                labels[i] = s->labels[from];
            }
            const float *z = vg_model_forward(m, x, BATCH, true, step);
            vg_softmax_cross_entropy(z, labels, BATCH, CLASSES, NULL, d);
            vg_model_backward(m, d, NULL);
            vg_optimizer_step(optimizer, vg_schedule_at(&schedule, step, per_epoch * EPOCHS));
        }
    free(x);
    vg_optimizer_free(optimizer);
}

static void test_reaches_91_percent(void **state)
{
    (void)state;
    const char *data = getenv("VG_DATA");
    if (!data) {
        print_message("VG_DATA is not set: nothing to train on\n");
        skip();
    }
    vg_error err = {0};
    char path[4096];
    snprintf(path, sizeof path, "%s/fashion-mnist", data);
    vg_dataset_options how = vg_dataset_options_default();
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(path, &how, &dataset, &err));
    split training = read_split(dataset, VG_SPLIT_TRAIN), test = read_split(dataset, VG_SPLIT_TEST);
    assert_int_equal(training.count, 60000);
    assert_int_equal(test.count, 10000);
    vg_net_spec spec;
    assert_ok(vg_net_spec_preset("small-cnn", &spec, &err));
    vg_model_options options = {.channels = 1,
                                .height = 28,
                                .width = 28,
                                .classes = CLASSES,
                                .max_batch = BATCH,
                                .init = VG_INIT_HE_NORMAL,
                                .seed = 1};
    vg_model *m;
    assert_ok(vg_model_new(&spec, &options, &m, &err));
    train(m, &training, 1);
    double reached = accuracy(m, &test);
    print_message("test accuracy %.4f\n", reached);
    assert_true(reached >= 0.91);
    vg_model_free(m);
    vg_net_spec_reset(&spec);
    free(training.x), free(training.labels), free(test.x), free(test.labels);
    vg_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_reaches_91_percent)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
