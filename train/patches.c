/* Second moments are summed up in double precision, picture by picture into a fixed number of sums that
 * are added in order: which thread takes which sum changes nothing. They are taken about zero and not
 * about the mean, as the recipe does: a bias follows, and the mean is a direction like others. */
#include "patches.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "nn/kernels/blas.h"

#include <math.h>
#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { SUMS = 8 };

typedef struct moments {
    int channels, height, width, kernel;
    int size;                        /* values in a patch */
    size_t positions;                /* patches in a picture */
    double *sums;                    /* [SUMS][size][size] */
    double *patches;                 /* [SUMS][size][positions] */
    float *pictures;                 /* [SUMS] normalized ones */
    const vg_normalizer *normalizer; /* NULL: they are normalized already */
    size_t count;
    int threads;
} moments;

static void moments_reset(moments *m)
{
    free(m->sums);
    free(m->patches);
    free(m->pictures);
}

static vg_status moments_init(moments *m, vg_error *err)
{
    size_t size, place, picture = (size_t)m->channels * (size_t)m->height * (size_t)m->width;
    m->size = m->channels * m->kernel * m->kernel;
    m->positions = (size_t)(m->height - m->kernel + 1) * (size_t)(m->width - m->kernel + 1);
    size = (size_t)m->size * (size_t)m->size;
    if (vg_mul_size((size_t)m->size, m->positions, &place) && place < SIZE_MAX / SUMS / 16) {
        m->sums = vg_alloc_aligned(SUMS * size, sizeof *m->sums);
        m->patches = vg_alloc_aligned(SUMS * place, sizeof *m->patches);
        m->pictures = vg_alloc_aligned(SUMS * picture, sizeof *m->pictures);
    }
    return m->sums && m->patches && m->pictures
               ? VG_OK
               : vg_fail(err, VG_E_NOMEM, "whitening layer: out of memory for patches of %d values",
                         m->size);
}

/* Row (c, r, s) holds that value of all patches. */
static void unfold(const moments *m, const float *picture, double *patches)
{
    size_t w = (size_t)m->width, map = (size_t)m->height * w, k = (size_t)m->kernel;
    size_t down = (size_t)m->height - k + 1, across = w - k + 1;
    for (size_t c = 0; c < (size_t)m->channels; c++)
        for (size_t r = 0; r < k; r++)
            for (size_t s = 0; s < k; s++)
                for (size_t p = 0; p < down; p++) {
                    const float *from = picture + c * map + (p + r) * w + s;
                    for (size_t q = 0; q < across; q++)
                        *patches++ = (double)from[q];
                }
}

/* vg_views_take: picture i goes to sum i modulo SUMS, counted from the first picture of all. */
static void add_pictures(void *context, const float *inputs, size_t count)
{
    moments *m = context;
    size_t size = (size_t)m->size, map = (size_t)m->height * (size_t)m->width;
    size_t picture = (size_t)m->channels * map;
#pragma omp parallel for schedule(static) num_threads(m->threads)
    for (size_t sum = 0; sum < SUMS; sum++) {
        double *patches = m->patches + sum * size * m->positions;
        float *own = m->pictures + sum * picture;
        for (size_t i = (sum + SUMS - m->count % SUMS) % SUMS; i < count; i += SUMS) {
            const float *x = inputs + i * picture;
            if (m->normalizer) {
                memcpy(own, x, picture * sizeof *own);
                vg_normalizer_apply(m->normalizer, own, map);
                x = own;
            }
            unfold(m, x, patches);
            vg_gemm_double(false, true, (int)size, (int)size, (int)m->positions, patches,
                           m->positions, patches, m->positions, 1, m->sums + sum * size * size,
                           size);
        }
    }
    m->count += count;
}

/* One direction and its opposite. */
static void put_direction(const double *vector, size_t size, double gain, float *row,
                          float *opposite)
{
    size_t largest = 0;
    for (size_t i = 1; i < size; i++)
        largest = fabs(vector[i]) > fabs(vector[largest]) ? i : largest;
    gain = vector[largest] < 0 ? -gain : gain;
    for (size_t i = 0; i < size; i++) {
        row[i] = (float)(gain * vector[i]);
        opposite[i] = -row[i];
    }
}

static vg_status take_apart(moments *m, double epsilon, float *weight, vg_error *err)
{
    size_t size = (size_t)m->size, all = size * size;
    double patches = (double)m->count * (double)m->positions;
    double *values = vg_alloc(size, sizeof *values);
    if (!values)
        return vg_fail(err, VG_E_NOMEM, "whitening layer: out of memory");
    for (size_t i = 0; i < all; i++) {
        double total = 0;
        for (size_t sum = 0; sum < SUMS; sum++)
            total += m->sums[sum * all + i];
        m->sums[i] = total / patches;
    }
    vg_status status = vg_symmetric_eigen(m->size, m->sums, values, err);
    for (size_t k = 0; !status && k < size; k++) {
        size_t at = size - 1 - k; /* they ascend */
        double gain = 1 / sqrt(fmax(values[at], 0) + epsilon);
        put_direction(m->sums + at * size, size, gain, weight + k * size,
                      weight + (size + k) * size);
    }
    free(values);
    return status;
}

vg_status vg_patches_whiten(const float *pictures, size_t count, int channels, int height,
                            int width, int kernel, double epsilon, float *weight, vg_error *err)
{
    moments m = {.channels = channels,
                 .height = height,
                 .width = width,
                 .kernel = kernel,
                 .threads = omp_get_max_threads()};
    vg_blas_single();
    vg_status status = moments_init(&m, err);
    if (!status) {
        add_pictures(&m, pictures, count);
        status = take_apart(&m, epsilon, weight, err);
    }
    moments_reset(&m);
    return status;
}

/* A parameter of layer i: its name begins with the layer's. */
static vg_param *param_of(vg_model *model, int i, const char *what)
{
    const char *name = vg_model_layer(model, i)->name;
    size_t length = strlen(name);
    int count;
    vg_param *params = vg_model_params(model, &count);
    for (int k = 0; k < count; k++)
        if (strncmp(params[k].name, name, length) == 0 &&
            strcmp(params[k].name + length, what) == 0)
            return &params[k];
    return NULL;
}

static bool whitens(const vg_layer_spec *layer)
{
    return layer->kind == VG_LAYER_CONV && layer->option;
}

vg_status vg_patches_fit(vg_model *model, const vg_net_spec *net, const vg_dataset *dataset,
                         const vg_augment *augment, int threads, vg_error *err)
{
    vg_status status = VG_OK;
    for (int i = 0; i < net->count && !status; i++) {
        const vg_layer_spec *layer = &net->layers[i];
        if (!whitens(layer))
            continue;
        moments m = {.channels = augment->channels,
                     .height = augment->height,
                     .width = augment->width,
                     .kernel = layer->kernel,
                     .normalizer = &augment->normalizer,
                     .threads = threads > 0 ? threads : vg_threads_available()};
        const vg_views_options views = {.most = VG_PATCHES_PICTURES, .threads = m.threads};
        status = moments_init(&m, err);
        if (!status)
            status = vg_views_each(dataset, augment, &views, add_pictures, &m, err);
        if (!status)
            status = take_apart(&m, layer->epsilon, param_of(model, i, ".weight")->value, err);
        moments_reset(&m);
    }
    return status;
}

void vg_patches_rest(vg_model *model, const vg_net_spec *net, const vg_param_rules *rates,
                     bool bias)
{
    for (int i = 0; i < net->count; i++) {
        if (!whitens(&net->layers[i]))
            continue;
        vg_param *weight = param_of(model, i, ".weight"), *shift = param_of(model, i, ".bias");
        weight->rate = vg_param_rules_factor(rates, weight->name, 0);
        if (shift && bias)
            shift->rate = 0;
    }
}
