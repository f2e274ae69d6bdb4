/* Pictures and transforms for the tests of transform.h. Header only; include after test.h. */
#ifndef VG_TRANSFORM_FIXTURE_H
#define VG_TRANSFORM_FIXTURE_H

#include "base/rng.h"
#include "transform.h"

#include <math.h>
#include <stdlib.h>

static inline void noise_image(vg_image *image, int width, int height, int channels, uint64_t seed)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)(40 + vg_rng_u32(&rng) % 160);
}

static inline vg_augment make(const char *policy, int channels, int width, int height,
                              vg_normalization kind)
{
    vg_error err = {0};
    vg_augment augment = {.channels = channels, .width = width, .height = height};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    vg_channel_stats stats = {.count = 4,
                              .sum = {400, 440, 480},
                              .sum_squares = {50000, 60000, 70000},
                              .min = {10, 20, 30},
                              .max = {200, 210, 220},
                              .images = 1,
                              .channels = channels};
    augment.normalizer = vg_normalizer_make(kind, channels, &stats);
    return augment;
}

static inline void *scratch_of(const vg_transform *transform)
{
    vg_error err = {0};
    void *scratch = NULL;
    assert_ok(transform->scratch_new(transform->context, &scratch, &err));
    assert_non_null(scratch);
    return scratch;
}

#endif
