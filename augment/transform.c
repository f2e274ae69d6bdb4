/* One sample from decoded picture to network input.
 *
 * Evaluation stretches the picture to the input's size with the antialiased bilinear resize, as
 * Keras' flow_from_directory does (but Keras takes the nearest pixel). A plan without geometry goes
 * the same way, so that "no augmentation" and "evaluation" are the same bytes; flips alone turn the
 * resized rows. Everything else is one warp straight from the decoded pixels. Colour and noise work
 * on floats at the input's size; nothing is rounded to 8 bits between them.
 *
 * Scratch memory grows to the largest picture seen and is then reused. */
#include "transform.h"

#include "base/alloc.h"
#include "ops/colour.h"
#include "ops/noise.h"
#include "ops/warp.h"

#include <stdlib.h>
#include <string.h>

typedef struct work {
    vg_image converted, resized;
    vg_resize_scratch resize;
    vg_warp_scratch warp;
    float *planes; /* for vg_augment_apply */
    size_t capacity;
} work;

static vg_status work_new(const void *context, void **scratch, vg_error *err)
{
    (void)context;
    *scratch = vg_calloc(1, sizeof(work));
    return *scratch ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for a transform's scratch");
}

static void work_free(void *scratch)
{
    work *w = scratch;
    if (!w)
        return;
    vg_image_reset(&w->converted);
    vg_image_reset(&w->resized);
    vg_resize_scratch_reset(&w->resize);
    vg_warp_scratch_reset(&w->warp);
    free(w->planes);
    free(w);
}

/* Interleaved bytes -> planar floats, mirrored as asked. */
static void spread(const vg_image *from, bool mirror_x, bool mirror_y, float *out)
{
    size_t width = (size_t)from->width, height = (size_t)from->height;
    size_t channels = (size_t)from->channels;
    for (size_t c = 0; c < channels; c++)
        for (size_t y = 0; y < height; y++) {
            const uint8_t *row = from->data + (mirror_y ? height - 1 - y : y) * width * channels;
            float *to = out + (c * height + y) * width;
            if (mirror_x)
                for (size_t x = 0; x < width; x++)
                    to[x] = row[(width - 1 - x) * channels + c];
            else
                for (size_t x = 0; x < width; x++)
                    to[x] = row[x * channels + c];
        }
}

vg_status vg_augment_warp(const vg_augment *augment, const vg_plan *plan, int in_width,
                          int in_height, vg_warp *warp, vg_error *err)
{
    if (in_width < 1 || in_height < 1 || augment->width < 1 || augment->height < 1)
        return vg_fail(err, VG_E_ARG, "cannot transform a picture of %d x %d to %d x %d", in_width,
                       in_height, augment->width, augment->height);
    warp->width = augment->width;
    warp->height = augment->height;
    warp->fill = plan->fill;
    warp->fill_value = plan->fill_value;
    warp->inset[0] = 0.5 * in_width / augment->width;
    warp->inset[1] = 0.5 * in_height / augment->height;
    vg_plan_matrix(plan, in_width, in_height, augment->width, augment->height, warp->m);
    return VG_OK;
}

static vg_status geometry(const vg_augment *augment, const vg_plan *plan, work *w,
                          const vg_image *in, float *out, vg_error *err)
{
    if (vg_plan_warps(plan)) {
        vg_warp warp;
        vg_status status = vg_augment_warp(augment, plan, in->width, in->height, &warp, err);
        vg_view view = vg_image_view(in);
        return status == VG_OK ? vg_warp_run(&warp, &view, &w->warp, out, err) : status;
    }
    vg_status status =
        vg_image_resize(in, (const double[4]){0, 0, 0, 0}, augment->width, augment->height,
                        VG_FILTER_BILINEAR, &w->resize, &w->resized, err);
    if (status == VG_OK)
        spread(&w->resized, plan->flip_horizontal, plan->flip_vertical, out);
    return status;
}

static void colour(const vg_plan *plan, int channels, size_t n, float *x)
{
    for (int i = 0; i < 4; i++)
        switch (plan->colour_order[i]) {
        case 0:
            if (plan->brightness != 1)
                vg_colour_brightness(x, channels, n, plan->brightness);
            break;
        case 1:
            if (plan->contrast != 1)
                vg_colour_contrast(x, channels, n, plan->contrast);
            break;
        case 2:
            if (plan->saturation != 1)
                vg_colour_saturation(x, channels, n, plan->saturation);
            break;
        default:
            if (plan->hue != 0)
                vg_colour_hue(x, channels, n, plan->hue);
        }
}

vg_status vg_augment_view(const vg_augment *augment, const vg_plan *plan, void *scratch,
                          const vg_image *in, float *out, vg_error *err)
{
    work *w = scratch;
    vg_plan none = vg_plan_none();
    if (!plan)
        plan = &none;
    if (augment->channels != 1 && augment->channels != 3)
        return vg_fail(err, VG_E_ARG, "a network input of %d channels: expected 1 or 3",
                       augment->channels);
    if (in->channels == 3 && augment->channels == 1) {
        vg_status status = vg_image_convert(in, 1, &w->converted, err);
        if (status != VG_OK)
            return status;
        in = &w->converted;
    }
    vg_status status = geometry(augment, plan, w, in, out, err);
    if (status != VG_OK)
        return status;
    size_t n = (size_t)augment->width * (size_t)augment->height;
    colour(plan, in->channels, n, out); /* a grey picture has no hue, also when three are wanted */
    for (int c = in->channels; c < augment->channels; c++)
        memcpy(out + (size_t)c * n, out, n * sizeof *out);
    if (plan->noise > 0)
        vg_noise_add(out, n * (size_t)augment->channels, plan->noise, &plan->key);
    return VG_OK;
}

static vg_status run(const void *context, void *scratch, const vg_view *view,
                     const vg_region *region, const vg_sample_key *key, float *out, vg_error *err)
{
    const vg_augment *augment = context;
    /* Regions and shrinking are never asked for, so the view is always a whole picture. */
    (void)region;
    const vg_image whole = {.data = (uint8_t *)(uintptr_t)view->data,
                            .width = view->width,
                            .height = view->height,
                            .channels = view->channels};
    const vg_image *in = &whole;
    vg_plan plan = vg_plan_draw(&augment->policy, key, augment->width, augment->height);
    vg_status status = vg_augment_view(augment, &plan, scratch, in, out, err);
    if (status == VG_OK)
        vg_normalizer_apply(&augment->normalizer, out,
                            (size_t)augment->width * (size_t)augment->height);
    return status;
}

vg_transform vg_augment_transform(const vg_augment *augment)
{
    vg_transform transform = {.channels = augment->channels,
                              .height = augment->height,
                              .width = augment->width,
                              .context = augment,
                              .scratch_new = work_new,
                              .scratch_free = work_free,
                              .run = run};
    return transform;
}

vg_status vg_augment_apply(const vg_augment *augment, const vg_plan *plan, void *scratch,
                           const vg_image *in, vg_image *out, vg_error *err)
{
    work *w = scratch;
    size_t n = (size_t)augment->width * (size_t)augment->height;
    size_t channels = (size_t)augment->channels;
    vg_status status = vg_image_shape(out, augment->width, augment->height, augment->channels, err);
    if (status != VG_OK)
        return status;
    if (!vg_grow(&w->planes, &w->capacity, n * channels, sizeof *w->planes))
        return vg_fail(err, VG_E_NOMEM, "out of memory for a picture of %d x %d", augment->width,
                       augment->height);
    status = vg_augment_view(augment, plan, scratch, in, w->planes, err);
    if (status != VG_OK)
        return status;
    for (size_t c = 0; c < channels; c++)
        for (size_t i = 0; i < n; i++)
            out->data[i * channels + c] = (uint8_t)(w->planes[c * n + i] + 0.5f);
    return VG_OK;
}
