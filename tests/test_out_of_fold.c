/* Pictures without anything in them but their label: what a network says of them tells whether it has seen them. */
#include "test.h"

#include "base/rng.h"
#include "study/out_of_fold.h"

#include <math.h>

enum { SIDE = 12, COUNT = 240, BYTES = SIDE * SIDE };

typedef struct noise {
    vg_album album;
    uint8_t pixels[COUNT * BYTES];
    size_t index[COUNT];
    int32_t labels[COUNT];
    float logits[COUNT * 4];
    vg_net_spec net;
    vg_out_of_fold_options options;
} noise;

/* Noise with random labels of two classes. */
static noise *make(void)
{
    vg_error err = {0};
    noise *n = calloc(1, sizeof *n);
    assert_non_null(n);
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < sizeof n->pixels; i++)
        n->pixels[i] = (uint8_t)vg_rng_below(&rng, 256);
    for (size_t i = 0; i < COUNT; i++)
        n->labels[i] = (int32_t)vg_rng_below(&rng, 2);
    n->album = (vg_album){.channels = 1,
                          .height = SIDE,
                          .width = SIDE,
                          .count = COUNT,
                          .pixels = n->pixels,
                          .index = n->index,
                          .scale = {1 / 74.0F},
                          .offset = {-1.72F}};
    assert_ok(vg_net_spec_preset("lenet", &n->net, &err));
    n->options = (vg_out_of_fold_options){.seed = 1,
                                          .net = &n->net,
                                          .folds = 3,
                                          .epochs = 15,
                                          .batch = 16,
                                          .rate = 0.05,
                                          .threads = 1};
    return n;
}

static void noise_free(noise *n)
{
    vg_net_spec_reset(&n->net);
    free(n);
}

static double agreement(const noise *n)
{
    size_t agree = 0;
    for (size_t i = 0; i < COUNT; i++)
        agree += (n->logits[2 * i + 1] > n->logits[2 * i]) == (n->labels[i] == 1);
    return (double)agree / COUNT;
}

/* Nobody can guess: 0.5 +- 4 standard errors. Copies of one picture under one label would be guessed, were they not kept
 * in one fold. */
static void test_nobody_has_seen_its_own(void **state)
{
    (void)state;
    vg_error err = {0};
    noise *n = make();
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    assert_near(agreement(n), 0.5, 4 * 0.5 / sqrt(COUNT));
    for (size_t i = COUNT / 2; i < COUNT; i++) {
        memcpy(n->pixels + i * BYTES, n->pixels + (i - COUNT / 2) * BYTES, BYTES);
        n->labels[i] = n->labels[i - COUNT / 2];
    }
    n->options.uncorrected = true;
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    assert_near(agreement(n), 0.5, 4 * 0.5 / sqrt(0.5 * COUNT));
    noise_free(n);
}

/* All pictures of a class are the same: dealt by their bytes, one network would never see it. */
static void test_equal_pictures_are_dealt_out(void **state)
{
    (void)state;
    vg_error err = {0};
    noise *n = make();
    for (size_t i = 0; i < COUNT; i++) {
        n->labels[i] = i % 2;
        memset(n->pixels + i * BYTES, n->labels[i] ? 200 : 30, BYTES);
    }
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    assert_near(agreement(n), 1, 0);
    noise_free(n);
}

/* A class pair: a quarter of class 0 is labelled 1. With the corrected loss the outputs for class 0 are of class 0 and nothing
 * else, with the plain one they keep the quarter. */
static void test_correction_unlearns_the_noise(void **state)
{
    (void)state;
    vg_error err = {0};
    noise *n = make();
    double chance[2];
    for (size_t i = 0; i < COUNT; i++) {
        int truth = i % 3 == 0 ? 1 : 0;
        for (size_t k = 0; k < BYTES; k++)
            n->pixels[i * BYTES + k] = (uint8_t)(n->pixels[i * BYTES + k] / 16 + 100 * truth);
        n->labels[i] = truth || i % 4 == 1;
    }
    n->options.epochs = 24;
    for (int plain = 0; plain < 2; plain++) {
        n->options.uncorrected = plain;
        assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
        chance[plain] = 0;
        for (size_t i = 0; i < COUNT; i++)
            chance[plain] +=
                i % 3 == 0 ? 0 : 1 / (1 + exp((double)(n->logits[2 * i] - n->logits[2 * i + 1])));
        chance[plain] /= 2.0 / 3 * COUNT;
    }
    assert_near(chance[1], 0.25, 0.08);
    assert_true(chance[0] < 0.1);
    noise_free(n);
}

static void test_threads_and_seeds(void **state)
{
    (void)state;
    vg_error err = {0};
    noise *n = make();
    float first[COUNT * 2];
    n->options.epochs = 3;
    n->options.shift = 2;
    n->options.mirror = true;
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    memcpy(first, n->logits, sizeof first);
    n->options.threads = 3;
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    assert_memory_equal(first, n->logits, sizeof first);
    n->options.seed = 2;
    assert_ok(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err));
    assert_memory_not_equal(first, n->logits, sizeof first);
    noise_free(n);
}

static bool stop_at_half(void *context, double share)
{
    *(double *)context = share;
    return share >= 0.5;
}

static void test_errors(void **state)
{
    (void)state;
    vg_error err = {0};
    noise *n = make();
    const vg_out_of_fold_options good = n->options;
    double share = 0;
    n->options.folds = 1;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_ARG);
    assert_contains(err.message, "1 folds");
    n->options = good;
    n->options.rate = 0;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_ARG);
    n->options = good;
    n->album.count = 2;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_ARG);
    n->album.count = COUNT;
    n->labels[5] = 2;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_ARG);
    assert_contains(err.message, "picture 5 has label 2");
    n->labels[5] = 0;
    n->options.rate = 1e30;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_NUMERIC);
    assert_contains(err.message, "diverged");
    n->options = good;
    n->options.progress = stop_at_half;
    n->options.context = &share;
    assert_int_equal(vg_out_of_fold(&n->album, n->labels, 2, &n->options, n->logits, &err),
                     VG_E_STOPPED);
    assert_near(share, 0.5, 0.01);
    noise_free(n);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_nobody_has_seen_its_own),
        cmocka_unit_test(test_equal_pictures_are_dealt_out),
        cmocka_unit_test(test_correction_unlearns_the_noise),
        cmocka_unit_test(test_threads_and_seeds),
        cmocka_unit_test(test_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
