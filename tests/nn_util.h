/* What the tests of networks share. */
#ifndef VG_TESTS_NN_UTIL_H
#define VG_TESTS_NN_UTIL_H

#include "base/rng.h"
#include "nn/model.h"

/* A spec from words, "" at the end of the list. */
static inline vg_net_spec spec_of(const char *const *words)
{
    vg_error err = {0};
    vg_net_spec spec = {0};
    for (; **words; words++)
        assert_ok(vg_net_spec_add(&spec, *words, &err));
    return spec;
}
#define SPEC(...) spec_of((const char *const[]){__VA_ARGS__, ""})

static inline vg_model *model_of(vg_net_spec spec, int c, int h, int w, int classes, int batch)
{
    vg_error err = {0};
    vg_model_options options = {.channels = c,
                                .height = h,
                                .width = w,
                                .classes = classes,
                                .max_batch = batch,
                                .init = VG_INIT_HE_NORMAL,
                                .seed = 7};
    vg_model *model = NULL;
    assert_ok(vg_model_new(&spec, &options, &model, &err));
    vg_net_spec_reset(&spec);
    return model;
}

static inline float *random_floats(size_t n, uint64_t seed)
{
    float *x = malloc((n ? n : 1) * sizeof *x);
    assert_non_null(x);
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < n; i++)
        x[i] = (float)vg_rng_normal(&rng);
    return x;
}

/* n samples [rows][columns] as [columns][rows]: C H W as H W C or back. The caller frees. */
static inline float *turned(const float *x, size_t n, size_t rows, size_t columns)
{
    size_t size = n * rows * columns;
    float *y = malloc((size > 0 ? size : 1) * sizeof *y);
    assert_non_null(y);
    for (size_t i = 0; i < n; i++, x += rows * columns)
        for (size_t r = 0; r < rows; r++)
            for (size_t c = 0; c < columns; c++)
                y[(i * columns + c) * rows + r] = x[r * columns + c];
    return y;
}

#endif
