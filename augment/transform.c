/* One sample from decoded picture to network input.
 *
 * Where geometry.c asks for no warp, the part of the picture that is wanted is resized (or taken as it
 * is when it has the input's size) and one pass moves it, mirrors it, makes it planar and normalizes
 * it. "No augmentation" and "evaluation" go this way and are the same bytes. Everything else is one
 * warp straight from the decoded pixels. Colour and noise work on floats at the input's size; nothing
 * is rounded to 8 bits between them.
 *
 * Scratch memory grows to the largest picture seen and is then reused. */
#include "transform.h"

#include "base/alloc.h"
#include "image/codec.h"
#include "ops/colour.h"
#include "ops/finish.h"
#include "ops/noise.h"

#include <stdlib.h>
#include <string.h>

typedef struct work {
    vg_image converted, resized, turned;
    vg_resize_scratch resize;
    vg_warp_scratch warp;
    float *planes; /* for vg_augment_apply */
    size_t capacity;
    float *spare; /* for steps: two pictures */
    size_t spare_capacity;
    vg_recompress_scratch recompress;
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
    vg_image_reset(&w->turned);
    vg_resize_scratch_reset(&w->resize);
    vg_warp_scratch_reset(&w->warp);
    free(w->planes);
    free(w->spare);
    vg_recompress_reset(&w->recompress);
    free(w);
}

vg_status vg_augment_warp(const vg_augment *augment, const vg_plan *plan, int in_width,
                          int in_height, vg_warp *warp, vg_error *err)
{
    vg_region whole = vg_region_whole(in_width, in_height, 1);
    return vg_geometry_map(&augment->framing, plan, &whole,
                           (const int[2]){augment->width, augment->height}, warp, err);
}

vg_status vg_augment_remap(const vg_augment *augment, const vg_plan *plan, int in_width,
                           int in_height, vg_remap *remap, vg_error *err)
{
    vg_region whole = vg_region_whole(in_width, in_height, 1);
    return vg_geometry_remap(&augment->framing, plan, &whole,
                             (const int[2]){augment->width, augment->height}, remap, err);
}

static void colour(const vg_plan *plan, int channels, size_t n, float *x)
{
    vg_jitter jitter = {plan->brightness, plan->contrast, plan->saturation, plan->hue, {0}};
    memcpy(jitter.order, plan->colour_order, sizeof jitter.order);
    vg_colour_jitter(x, channels, n, &jitter);
}

/* The rectangle `need` of what lies in memory, or VG_E_ARG if it is not all there. */
static vg_status cut(const vg_view *in, const vg_region *region, const vg_region *need,
                     vg_view *part, vg_error *err)
{
    int x = need->x - region->x, y = need->y - region->y;
    if (region->shrink != need->shrink || x < 0 || y < 0 || need->width > in->width - x ||
        need->height > in->height - y)
        return vg_fail(err, VG_E_ARG,
                       "a transform needs %d x %d pixels at (%d, %d) and was given %d x %d at "
                       "(%d, %d)",
                       need->width, need->height, need->x, need->y, in->width, in->height,
                       region->x, region->y);
    *part = vg_view_part(in, x, y, need->width, need->height);
    return VG_OK;
}

static vg_status to_grey(vg_view *view, vg_image *grey, vg_error *err)
{
    vg_status status = vg_image_shape(grey, view->width, view->height, 1, err);
    if (status != VG_OK)
        return status;
    size_t width = (size_t)view->width;
    for (size_t y = 0; y < (size_t)view->height; y++)
        vg_codec_row(view->data + y * view->stride, 3, grey->data + y * width, 1, view->width,
                     VG_BACKGROUND_BLACK);
    *view = vg_image_view(grey);
    return VG_OK;
}

/* Across becomes down, a square of pixels at a time: the rows written to stay in the cache. */
static vg_status transpose(vg_view *view, vg_image *turned, vg_error *err)
{
    enum { TILE = 16 };
    vg_status status = vg_image_shape(turned, view->height, view->width, view->channels, err);
    if (status != VG_OK)
        return status;
    const size_t channels = (size_t)view->channels, width = (size_t)view->width;
    const size_t height = (size_t)view->height;
    for (size_t top = 0; top < height; top += TILE)
        for (size_t left = 0; left < width; left += TILE)
            for (size_t x = left; x < width && x < left + TILE; x++)
                for (size_t y = top; y < height && y < top + TILE; y++)
                    for (size_t c = 0; c < channels; c++)
                        turned->data[(x * height + y) * channels + c] =
                            view->data[y * view->stride + x * channels + c];
    *view = vg_image_view(turned);
    return VG_OK;
}

/* Geometry, into `channels` planes of out: all there is to do when nothing follows, with scale and
 * offset for each; `scale` NULL: 1 and 0. */
static vg_status develop(const vg_geometry *g, const vg_augment *augment, const vg_plan *plan,
                         work *w, vg_view part, const vg_normalizer *fold, int channels, float *out,
                         vg_error *err)
{
    vg_status status = VG_OK;
    bool luma = part.channels == 3 && channels == 1;
    int across = g->transposes ? g->inner_height : g->inner_width;
    int down = g->transposes ? g->inner_width : g->inner_height;
    bool as_is = !g->warps && g->rectangle[0] == 0 && g->rectangle[1] == 0 &&
                 g->rectangle[2] == across && g->rectangle[3] == down && part.width == across &&
                 part.height == down;
    if (luma && !as_is)
        status = to_grey(&part, &w->converted, err);
    if (status != VG_OK)
        return status;
    if (g->remaps)
        return vg_remap_run(&g->remap, &part, &w->warp, out, err);
    if (g->warps)
        return vg_warp_run(&g->warp, &part, &w->warp, out, err);
    if (!as_is) {
        status = vg_view_resize(&part, g->rectangle, across, down, g->filter, &w->resize,
                                &w->resized, err);
        if (status != VG_OK)
            return status;
        part = vg_image_view(&w->resized);
    }
    if (g->transposes)
        status = transpose(&part, &w->turned, err);
    if (status != VG_OK)
        return status;
    vg_finish finish = {.width = augment->width,
                        .height = augment->height,
                        .channels = channels,
                        .x = g->inner_x + plan->pad_x,
                        .y = g->inner_y + plan->pad_y,
                        .mirror_x = g->mirror_x,
                        .mirror_y = g->mirror_y,
                        .fill = g->fill,
                        .fill_value = g->fill_value,
                        .scale = {1, 1, 1}};
    if (fold) {
        memcpy(finish.scale, fold->scale, sizeof finish.scale);
        memcpy(finish.offset, fold->offset, sizeof finish.offset);
    }
    vg_finish_run(&finish, &part, out);
    return VG_OK;
}

static bool has_colour(const vg_plan *plan)
{
    return plan->brightness != 1 || plan->contrast != 1 || plan->saturation != 1 || plan->hue != 0;
}

/* The steps that are not geometric. */
static vg_status apply_steps(const vg_augment *augment, const vg_plan *plan, int channels, work *w,
                             float *out, vg_error *err)
{
    vg_pixels pixels = {NULL, channels, augment->height, augment->width, w->spare};
    pixels.x = out;
    vg_status status = VG_OK;
    for (int i = 0; i < plan->steps.count && !status; i++)
        status = vg_step_apply(&plan->steps.step[i], &pixels, &plan->key, i, &w->recompress, err);
    return status;
}

static bool has_pixel_steps(const vg_plan *plan)
{
    for (int i = 0; i < plan->steps.count; i++)
        if (vg_operation_of(plan->steps.step[i].operation)->kind != VG_KIND_GEOMETRY)
            return true;
    return false;
}

/* Geometry, colour and steps of a plan without chains. *fold, unless NULL, is normalized by in the
 * last pass if nothing follows that one, and becomes NULL if that was not so. */
static vg_status view_of(const vg_augment *augment, const vg_plan *plan, work *w, const vg_view *in,
                         const vg_region *region, const vg_normalizer **fold, float *out,
                         vg_error *err)
{
    vg_region whole = vg_region_whole(region->full_width, region->full_height, region->shrink);
    vg_geometry g;
    vg_view part;
    vg_status status = vg_geometry_make(&augment->framing, plan, &whole,
                                        (const int[2]){augment->width, augment->height}, &g, err);
    if (status == VG_OK)
        status = cut(in, region, &g.need, &part, err);
    if (status != VG_OK)
        return status;
    bool colours = has_colour(plan), steps = has_pixel_steps(plan);
    /* A grey picture has no hue, also when three channels are wanted. */
    bool early = g.warps || colours || steps;
    int channels = early && in->channels < augment->channels ? in->channels : augment->channels;
    if (fold && early)
        *fold = NULL;
    status = develop(&g, augment, plan, w, part, fold ? *fold : NULL, channels, out, err);
    if (status != VG_OK)
        return status;
    size_t n = (size_t)augment->width * (size_t)augment->height;
    if (colours)
        colour(plan, channels, n, out);
    if (steps)
        status = apply_steps(augment, plan, channels, w, out, err);
    for (int c = channels; c < augment->channels; c++)
        memcpy(out + (size_t)c * n, out, n * sizeof *out);
    return status;
}

/* AugMix: the weighted mean of the picture and its chains. */
static vg_status mix_chains(const vg_augment *augment, const vg_plan *plan, work *w,
                            const vg_view *in, const vg_region *region, float *out, vg_error *err)
{
    size_t count = (size_t)augment->channels * (size_t)augment->width * (size_t)augment->height;
    float *one = w->spare + count;
    vg_plan base = vg_plan_chain(plan, -1);
    vg_status status = view_of(augment, &base, w, in, region, NULL, out, err);
    for (size_t i = 0; i < count && !status; i++)
        out[i] *= plan->steps.original;
    for (int k = 0; k < plan->steps.chains && !status; k++) {
        vg_plan chain = vg_plan_chain(plan, k);
        status = view_of(augment, &chain, w, in, region, NULL, one, err);
        for (size_t i = 0; i < count && !status; i++)
            out[i] += plan->steps.weight[k] * one[i];
    }
    for (size_t i = 0; i < count; i++)
        out[i] = vg_pixels_clamp(out[i]);
    return status;
}

static vg_status make_spare(const vg_augment *augment, const vg_plan *plan, work *w, vg_error *err)
{
    size_t count = (size_t)augment->channels * (size_t)augment->width * (size_t)augment->height;
    if (plan->steps.count == 0 ||
        vg_grow(&w->spare, &w->spare_capacity, 2 * count, sizeof *w->spare))
        return VG_OK;
    return vg_fail(err, VG_E_NOMEM, "out of memory for a picture of %d x %d", augment->width,
                   augment->height);
}

/* All of it; `normalizer` NULL: up to, not including, normalization. */
static vg_status transform(const vg_augment *augment, const vg_plan *plan, work *w,
                           const vg_view *in, const vg_region *region,
                           const vg_normalizer *normalizer, float *out, vg_error *err)
{
    if (augment->channels != 1 && augment->channels != 3)
        return vg_fail(err, VG_E_ARG, "a network input of %d channels: expected 1 or 3",
                       augment->channels);
    vg_status status = make_spare(augment, plan, w, err);
    if (status == VG_OK && normalizer)
        status = vg_normalizer_check(normalizer, augment->channels, augment->height, augment->width,
                                     err);
    if (status != VG_OK)
        return status;
    bool noisy = plan->noise > 0;
    const vg_normalizer *folded =
        normalizer && vg_normalization_is_affine(normalizer->kind) && !noisy && !plan->steps.chains
            ? normalizer
            : NULL;
    if (plan->steps.chains)
        status = mix_chains(augment, plan, w, in, region, out, err);
    else
        status = view_of(augment, plan, w, in, region, &folded, out, err);
    if (status != VG_OK)
        return status;
    size_t n = (size_t)augment->width * (size_t)augment->height;
    if (noisy)
        vg_noise_add(out, n * (size_t)augment->channels, plan->noise, &plan->key);
    if (normalizer && !folded)
        vg_normalizer_apply(normalizer, out, n);
    return VG_OK;
}

vg_status vg_augment_view(const vg_augment *augment, const vg_plan *plan, void *scratch,
                          const vg_image *in, float *out, vg_error *err)
{
    const vg_plan none = vg_plan_none();
    vg_view view = vg_image_view(in);
    vg_region region = vg_region_whole(in->width, in->height, 1);
    return transform(augment, plan ? plan : &none, scratch, &view, &region, NULL, out, err);
}

const vg_policy *vg_augment_policy(const vg_augment *augment, int label)
{
    return vg_class_policy_of(augment->class_policies, &augment->policy, label);
}

static vg_plan draw(const vg_augment *augment, const vg_sample_key *key, const vg_region *region)
{
    return vg_plan_draw(vg_augment_policy(augment, key->label), key, augment->width,
                        augment->height, region->full_width, region->full_height);
}

static vg_status run(const void *context, void *scratch, const vg_view *in, const vg_region *region,
                     const vg_sample_key *key, float *out, vg_error *err)
{
    const vg_augment *augment = context;
    vg_plan plan = draw(augment, key, region);
    return transform(augment, &plan, scratch, in, region, &augment->normalizer, out, err);
}

/* The smallest rectangle that holds both. */
static vg_region both(const vg_region *a, const vg_region *b)
{
    vg_region r = *a;
    int right = a->x + a->width > b->x + b->width ? a->x + a->width : b->x + b->width;
    int bottom = a->y + a->height > b->y + b->height ? a->y + a->height : b->y + b->height;
    r.x = a->x < b->x ? a->x : b->x;
    r.y = a->y < b->y ? a->y : b->y;
    r.width = right - r.x;
    r.height = bottom - r.y;
    return r;
}

static void narrow(const void *context, const vg_sample_key *key, vg_region *region)
{
    const vg_augment *augment = context;
    vg_plan plan = draw(augment, key, region);
    vg_region whole = vg_region_whole(region->full_width, region->full_height, region->shrink);
    vg_region need = {0};
    /* What cannot be transformed is left as it is: `run` says why. */
    for (int k = -1; k < plan.steps.chains; k++) {
        vg_plan one = plan.steps.chains ? vg_plan_chain(&plan, k) : plan;
        vg_geometry g;
        if (vg_geometry_make(&augment->framing, &one, &whole,
                             (const int[2]){augment->width, augment->height}, &g, NULL) != VG_OK)
            return;
        need = k < 0 ? g.need : both(&need, &g.need);
    }
    *region = need;
}

static int shrink(const void *context, int full_width, int full_height)
{
    const vg_augment *augment = context;
    if (augment->max_shrink <= 1 || full_width < 1 || full_height < 1 || augment->width < 1 ||
        augment->height < 1)
        return 1;
    /* One answer for all samples of the picture's size: the strongest policy decides. */
    const vg_class_policies *table = augment->class_policies;
    const int size[2] = {augment->width, augment->height};
    int least = vg_geometry_shrink(&augment->framing, &augment->policy, full_width, full_height,
                                   size, augment->max_shrink);
    for (int i = 0; table && i < table->count && least > 1; i++)
        least = vg_geometry_shrink(&augment->framing, &table->policies[i], full_width, full_height,
                                   size, least);
    return least;
}

vg_transform vg_augment_transform(const vg_augment *augment)
{
    return (vg_transform){.channels = augment->channels,
                          .height = augment->height,
                          .width = augment->width,
                          .context = augment,
                          .shrink = shrink,
                          .region = narrow,
                          .scratch_new = work_new,
                          .scratch_free = work_free,
                          .run = run};
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
