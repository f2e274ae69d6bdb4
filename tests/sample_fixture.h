/* What the tests of the samplers share: where a fill mode reads, and pictures of exactly their size. */
#ifndef VG_TESTS_SAMPLE_FIXTURE_H
#define VG_TESTS_SAMPLE_FIXTURE_H

#include "base/rng.h"
#include "image/image.h"
#include "policy.h"

#include <stdlib.h>

static inline int place_ref(long i, int n, vg_fill fill)
{
    while (i < 0 || i >= n) {
        if (fill == VG_FILL_WRAP)
            i += i < 0 ? n : -n;
        else if (fill == VG_FILL_REFLECT)
            i = i < 0 ? -1 - i : 2L * n - 1 - i;
        else
            i = i < 0 ? 0 : n - 1;
    }
    return (int)i;
}

/* A picture of random bytes that lies at the end of its memory, so that a sanitizer sees what is read behind
 * it, its rows `spare` bytes apart. free() its data. */
static inline vg_view picture_of(int width, int height, int channels, int spare, vg_rng *rng)
{
    size_t row = (size_t)width * (size_t)channels, stride = row + (size_t)spare;
    size_t bytes = stride * (size_t)(height - 1) + row;
    uint8_t *data = malloc(bytes);
    assert_non_null(data);
    for (size_t i = 0; i < bytes; i++)
        data[i] = (uint8_t)vg_rng_u32(rng);
    return (vg_view){data, width, height, channels, stride};
}

#endif
