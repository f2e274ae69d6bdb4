/* From a plan to the part of the picture that it reads.
 *
 * Everything that follows is computed relative to the rectangle that is needed, which depends on the
 * plan and on the picture's size alone: a sample has the same bytes whether the whole picture was
 * decoded or just that rectangle. */
#include "geometry.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const double EDGE = 1e-6; /* rounding of rectangles, in pixels */

/* ---- framing */

vg_status vg_framing_parse(const char *word, vg_framing *framing, vg_error *err)
{
    static const char *const names[] = {"stretch", "crop", "pad"};
    for (int i = 0; i < 3; i++)
        if (strcmp(word, names[i]) == 0) {
            *framing = (vg_framing){.kind = (vg_framing_kind)i, .share = i == 1 ? 1 : 0};
            return VG_OK;
        }
    if (strncmp(word, "crop:", 5) == 0) {
        char *end;
        double share = strtod(word + 5, &end);
        if (end != word + 5 && !*end && share >= 0.1 && share <= 1) {
            *framing = (vg_framing){.kind = VG_FRAMING_CROP, .share = share};
            return VG_OK;
        }
        return vg_fail(err, VG_E_ARG,
                       "resize \"%s\": expected a share from 0.1 to 1 after crop:", word);
    }
    const char *near = vg_nearest(word, names, 3);
    return vg_fail(err, VG_E_ARG,
                   "unknown resize \"%s\"%s%s%s; known are stretch, crop, crop:SHARE (as in "
                   "crop:0.875) and pad",
                   word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

static double share_of(const vg_framing *framing)
{
    return framing->share > 0 ? framing->share : 1;
}

void vg_framing_print(const vg_framing *framing, char *text, size_t capacity)
{
    if (framing->kind != VG_FRAMING_CROP) {
        snprintf(text, capacity, framing->kind == VG_FRAMING_PAD ? "pad" : "stretch");
        return;
    }
    double share = share_of(framing);
    snprintf(text, capacity, "crop");
    for (int digits = 1; share != 1 && digits <= 17; digits++) {
        snprintf(text, capacity, "crop:%.*g", digits, share);
        if (strtod(text + 5, NULL) == share)
            return;
    }
}

bool vg_framing_equal(const vg_framing *a, const vg_framing *b)
{
    return a->kind == b->kind && (a->kind != VG_FRAMING_CROP || share_of(a) == share_of(b));
}

/* What the output shows of a full_width x full_height picture, and which part of the output that
 * covers. */
static vg_frame frame_of(const vg_framing *framing, double full_width, double full_height,
                         const int size[2], vg_geometry *g)
{
    int width = size[0], height = size[1];
    vg_frame frame = {0, 0, full_width, full_height};
    bool wide = full_width * height > full_height * width; /* wider than the output */
    g->inner_x = g->inner_y = 0;
    g->inner_width = width;
    g->inner_height = height;
    if (framing->kind == VG_FRAMING_CROP) {
        if (wide)
            frame.width = full_height * width / height;
        else
            frame.height = full_width * height / width;
        frame.width *= share_of(framing);
        frame.height *= share_of(framing);
        frame.x = (full_width - frame.width) / 2;
        frame.y = (full_height - frame.height) / 2;
    } else if (framing->kind == VG_FRAMING_PAD && wide) {
        int inner = (int)floor(full_height * width / full_width + 0.5);
        g->inner_height = inner < 1 ? 1 : inner;
        g->inner_y = (height - g->inner_height) / 2;
        frame.height = full_height * height / g->inner_height;
        frame.y = -full_height * g->inner_y / g->inner_height;
    } else if (framing->kind == VG_FRAMING_PAD) {
        int inner = (int)floor(full_width * height / full_height + 0.5);
        g->inner_width = inner < 1 ? 1 : inner;
        g->inner_x = (width - g->inner_width) / 2;
        frame.width = full_width * width / g->inner_width;
        frame.x = -full_width * g->inner_x / g->inner_width;
    }
    return frame;
}

/* ---- what is read */

/* Pixels [*first, *first + *count) of an axis of n that cover [low, high] as far as they can; at least
 * one, the nearest. */
static void cover(double low, double high, int n, int *first, int *count)
{
    double a = fmin(fmax(floor(low), 0), n - 1), b = fmax(fmin(ceil(high), n), a + 1);
    *first = (int)a;
    *count = (int)(b - a);
}

static void need_resize(vg_geometry *g, const vg_framing *framing, bool crop, const vg_frame *frame,
                        const vg_region *whole)
{
    double from[2] = {frame->x, frame->y}, size[2] = {frame->width, frame->height};
    double margin[2] = {-EDGE, -EDGE};
    if (!crop && framing->kind == VG_FRAMING_CROP) {
        /* A part of the resized picture: what lies under the filter beyond the edge counts. */
        margin[0] = fmax(1, frame->width / g->inner_width) + 1;
        margin[1] = fmax(1, frame->height / g->inner_height) + 1;
    } else if (!crop) { /* all of it; pad's bars are not read */
        double full[2] = {(double)whole->full_width / whole->shrink,
                          (double)whole->full_height / whole->shrink};
        memset(from, 0, sizeof from);
        memcpy(size, full, sizeof size);
    }
    vg_region *need = &g->need;
    cover(from[0] - margin[0], from[0] + size[0] + margin[0], whole->width, &need->x, &need->width);
    cover(from[1] - margin[1], from[1] + size[1] + margin[1], whole->height, &need->y,
          &need->height);
    const int at[2] = {need->x, need->y}, count[2] = {need->width, need->height};
    for (int i = 0; i < 2; i++) {
        double low = fmax(from[i] - at[i], 0), high = fmin(from[i] + size[i] - at[i], count[i]);
        g->rectangle[i] = low;
        g->rectangle[2 + i] = high - low;
    }
}

/* One axis of a warp, m of its row: the output's corners, the filter around them, and all of the
 * picture where a fill mode reaches around its edge. */
static void need_axis(const vg_warp *warp, const double *m, double inset, int n, int *first,
                      int *count)
{
    double p = m[0] * (warp->width - 1), q = m[1] * (warp->height - 1);
    double low = m[2] + fmin(p, 0) + fmin(q, 0), high = m[2] + fmax(p, 0) + fmax(q, 0);
    /* Half a tent, the cells it may be averaged over before, and pixels are wider than points. */
    double margin = 2 * fmax(1, fabs(m[0]) + fabs(m[1])) + inset + 2;
    low -= margin;
    high += margin;
    bool around = warp->fill == VG_FILL_REFLECT || warp->fill == VG_FILL_WRAP;
    if (around && (low < 0 || high > n)) {
        low = 0;
        high = n;
    }
    cover(low, high, n, first, count);
}

static void need_warp(vg_geometry *g, const vg_region *whole)
{
    vg_warp *warp = &g->warp;
    vg_region *need = &g->need;
    need_axis(warp, warp->m, warp->inset[0], whole->width, &need->x, &need->width);
    need_axis(warp, warp->m + 3, warp->inset[1], whole->height, &need->y, &need->height);
    warp->m[2] -= need->x;
    warp->m[5] -= need->y;
}

/* The frame in pixels of the picture as it was decoded, and how the rest is filled. */
static vg_status locate(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                        const int size[2], vg_geometry *g, vg_frame *frame, vg_error *err)
{
    int width = whole->full_width, height = whole->full_height, shrink = whole->shrink;
    if (width < 1 || height < 1 || size[0] < 1 || size[1] < 1 || shrink < 1)
        return vg_fail(err, VG_E_ARG, "cannot transform a picture of %d x %d to %d x %d", width,
                       height, size[0], size[1]);
    const vg_crop *crop = &plan->crop;
    bool crops = crop->width > 0;
    if (crops && (crop->height < 1 || crop->x < 0 || crop->y < 0 || crop->width > width - crop->x ||
                  crop->height > height - crop->y))
        return vg_fail(err, VG_E_ARG,
                       "a crop of %d x %d at (%d, %d) is not inside a picture of %d x %d",
                       crop->width, crop->height, crop->x, crop->y, width, height);
    const vg_framing stretch = {0};
    *frame = frame_of(crops ? &stretch : framing, width, height, size, g);
    if (crops)
        *frame = (vg_frame){crop->x, crop->y, crop->width, crop->height};
    frame->x /= shrink;
    frame->y /= shrink;
    frame->width /= shrink;
    frame->height /= shrink;
    bool black = framing->kind == VG_FRAMING_PAD && !crops;
    g->fill = black ? VG_FILL_CONSTANT : plan->fill;
    g->fill_value = black ? 0 : plan->fill_value;
    return VG_OK;
}

static vg_status make_map(const vg_plan *plan, const vg_geometry *g, const vg_frame *frame,
                          const int size[2], vg_warp *map, vg_error *err)
{
    *map = (vg_warp){.width = size[0],
                     .height = size[1],
                     .fill = g->fill,
                     .fill_value = g->fill_value,
                     .inset = {0.5 * frame->width / size[0], 0.5 * frame->height / size[1]}};
    vg_plan_matrix_of(plan, frame, size[0], size[1], map->m);
    for (int i = 0; i < 6; i++)
        if (!isfinite(map->m[i]))
            return vg_fail(err, VG_E_ARG, "the geometry of a plan is not finite");
    return VG_OK;
}

vg_status vg_geometry_map(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                          const int size[2], vg_warp *map, vg_error *err)
{
    vg_geometry g;
    vg_frame frame;
    vg_status status = locate(framing, plan, whole, size, &g, &frame, err);
    return status == VG_OK ? make_map(plan, &g, &frame, size, map, err) : status;
}

vg_status vg_geometry_make(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                           const int size[2], vg_geometry *g, vg_error *err)
{
    vg_frame frame;
    vg_status status = locate(framing, plan, whole, size, g, &frame, err);
    if (status != VG_OK)
        return status;
    g->need = *whole;
    g->warps = vg_plan_warps(plan);
    if (g->warps) {
        status = make_map(plan, g, &frame, size, &g->warp, err);
        if (status == VG_OK)
            need_warp(g, whole);
    } else {
        need_resize(g, framing, plan->crop.width > 0, &frame, whole);
    }
    return status;
}

/* The least length that a unit of the output has in the frame after the steps that the policy may
 * draw, all of them at their strongest. */
static double least_of_steps(const vg_policy *policy, double aspect)
{
    /* A shear of RandAugment's slope of at most 0.3 leaves 0.86, as do AutoAugment's two and AugMix's
     * three each; TrivialAugment's one of 0.99 leaves 0.62. */
    static const int shears[] = {
        [VG_AUTO_AUGMIX] = 3, [VG_AUTO_IMAGENET] = 2, [VG_AUTO_CIFAR10] = 2, [VG_AUTO_SVHN] = 2};
    double least = policy->automatic.kind == VG_AUTO_TRIVIAL ? 0.62 : 1;
    int count = policy->automatic.kind == VG_AUTO_RAND ? policy->automatic.operations
                                                       : shears[policy->automatic.kind];
    for (int i = 0; i < count; i++)
        least *= 0.86;
    for (int i = 0; i < policy->choices.choice_count; i++) {
        const vg_choice *choice = &policy->choices.choice[i];
        double slope = tan(fmax(-choice->low, choice->high) * 3.14159265358979323846 / 180);
        switch (choice->operation) {
        case VG_OP_SCALE:
            least *= fmin(1, choice->low);
            break;
        case VG_OP_SHEAR_X:
        case VG_OP_SHEAR_Y:
            least *= (sqrt(slope * slope + 4) - slope) / 2;
            break;
        case VG_OP_TURN:
            least *= fmin(aspect, 1 / aspect);
            break;
        default:
            break;
        }
    }
    return least;
}

int vg_geometry_shrink(const vg_framing *framing, const vg_policy *policy, int full_width,
                       int full_height, const int size[2], int most)
{
    vg_geometry g;
    vg_frame frame = frame_of(framing, full_width, full_height, size, &g);
    if (policy->crop_high > 0) {
        int least_width, least_height;
        vg_crop_least(policy, full_width, full_height, &least_width, &least_height);
        frame.width = least_width;
        frame.height = least_height;
    }
    /* Turns change no length; a shear of angle a shrinks none by more than its least singular value,
     * sqrt(1 - sin a). */
    double shear = sqrt(fmax(0, 1 - sin(policy->shear_deg * 3.14159265358979323846 / 180)));
    double aspect = policy->crop_high > 0
                        ? fmax(policy->crop_ratio_high, 1 / policy->crop_ratio_low)
                        : frame.width / frame.height;
    double scale = fmin(frame.width / size[0], frame.height / size[1]) * policy->zoom_low * shear *
                   least_of_steps(policy, aspect);
    int shrink = 1;
    while (shrink < 8 && 2 * shrink <= most && scale >= VG_SHRINK_DEMAND * 2 * shrink)
        shrink *= 2;
    return shrink;
}
