/* From a plan to the part of the picture that it reads.
 *
 * Everything that follows is computed relative to the rectangle that is needed, which depends on the
 * plan and on the picture's size alone: a sample has the same bytes whether the whole picture was
 * decoded or just that rectangle. */
#include "geometry.h"

#include "base/text.h"
#include "curve.h"

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
        int across = g->transposes ? g->inner_height : g->inner_width;
        int down = g->transposes ? g->inner_width : g->inner_height;
        double taps = g->filter == VG_FILTER_BICUBIC ? 2 : 1;
        margin[0] = taps * fmax(1, frame->width / across) + 1;
        margin[1] = taps * fmax(1, frame->height / down) + 1;
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

/* What is between low and high, and all of the axis where a fill mode reaches around its edge. */
static void cover_filled(double low, double high, vg_fill fill, int n, int *first, int *count)
{
    bool around = fill == VG_FILL_REFLECT || fill == VG_FILL_WRAP;
    if (around && (low < 0 || high > n)) {
        low = 0;
        high = n;
    }
    cover(low, high, n, first, count);
}

/* One axis of a warp, m of its row: the output's corners and the filter around them. */
static void need_axis(const vg_warp *warp, const double *m, double inset, int n, int *first,
                      int *count)
{
    double p = m[0] * (warp->width - 1), q = m[1] * (warp->height - 1);
    double low = m[2] + fmin(p, 0) + fmin(q, 0), high = m[2] + fmax(p, 0) + fmax(q, 0);
    /* Half a tent, the cells it may be averaged over before, and pixels are wider than points. */
    double margin = 2 * fmax(1, fabs(m[0]) + fabs(m[1])) + inset + 2;
    cover_filled(low - margin, high + margin, warp->fill, n, first, count);
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

/* The corners of the output, as far as the field may move them, lie in the picture where its other
 * points do, or around them: unless one of them lies behind the horizon. */
static void need_remap(vg_geometry *g, const vg_region *whole)
{
    vg_remap *r = &g->remap;
    double reach[2], scale[2], low[2] = {INFINITY, INFINITY}, high[2] = {-INFINITY, -INFINITY};
    vg_field_reach(&r->field, reach);
    vg_remap_scale(r, whole->width, whole->height, scale);
    for (int corner = 0; corner < 4; corner++) {
        double x = r->from[1] + (corner & 1 ? r->from[0] * (r->width - 1) : 0);
        double y = r->from[3] + (corner & 2 ? r->from[2] * (r->height - 1) : 0);
        x += ((corner & 1) != 0) == (r->from[0] > 0) ? reach[0] : -reach[0];
        y += ((corner & 2) != 0) == (r->from[2] > 0) ? reach[1] : -reach[1];
        double d = r->p[6] * x + r->p[7] * y + r->p[8];
        for (int k = 0; k < 2; k++) {
            const double *row = r->p + (size_t)3 * (size_t)k;
            double at = (row[0] * x + row[1] * y + row[2]) / d;
            low[k] = d > 1e-3 ? fmin(low[k], at) : -INFINITY;
            high[k] = d > 1e-3 ? fmax(high[k], at) : INFINITY;
        }
    }
    double taps = r->interpolation == VG_INTERPOLATION_BICUBIC ? 4 : 2;
    vg_region *need = &g->need;
    for (int k = 0; k < 2; k++) {
        double margin = taps * fmax(1, scale[k]) + r->inset[k] + 2;
        cover_filled(low[k] - margin, high[k] + margin, r->fill, k ? whole->height : whole->width,
                     k ? &need->y : &need->x, k ? &need->height : &need->width);
    }
    for (int i = 0; i < 3; i++) {
        r->p[i] -= need->x * r->p[6 + i];
        r->p[3 + i] -= need->y * r->p[6 + i];
    }
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

static vg_status make_remap(const vg_plan *plan, const vg_geometry *g, const vg_frame *frame,
                            const int size[2], vg_remap *map, vg_error *err)
{
    vg_plan_remap(plan, frame, size[0], size[1], map);
    map->fill = g->fill;
    map->fill_value = g->fill_value;
    if (plan->interpolation != VG_INTERPOLATION_NEAREST) { /* which ends where the picture does */
        map->inset[0] = 0.5 * frame->width / size[0];
        map->inset[1] = 0.5 * frame->height / size[1];
    }
    for (int i = 0; i < 9; i++)
        if (!isfinite(map->p[i]) || !isfinite(map->from[i % 4]))
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

vg_status vg_geometry_remap(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                            const int size[2], vg_remap *map, vg_error *err)
{
    vg_geometry g;
    vg_frame frame;
    vg_status status = locate(framing, plan, whole, size, &g, &frame, err);
    return status == VG_OK ? make_remap(plan, &g, &frame, size, map, err) : status;
}

/* Quarter turns and flips: which of the picture's axes the output shows, and from which end. */
static void orient(const vg_plan *plan, vg_geometry *g)
{
    int turns = vg_plan_turns(plan);
    g->transposes = turns & 1;
    g->mirror_x = plan->flip_horizontal != (turns >= 2);
    g->mirror_y = plan->flip_vertical != (turns == 1 || turns == 2);
}

vg_status vg_geometry_make(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                           const int size[2], vg_geometry *g, vg_error *err)
{
    vg_frame frame;
    vg_status status = locate(framing, plan, whole, size, g, &frame, err);
    if (status != VG_OK)
        return status;
    bool crops = plan->crop.width > 0;
    /* Bars and a moved picture turn with the frame, which stretches them. */
    bool tilts = vg_plan_turns(plan) &&
                 (plan->pad_x || plan->pad_y || (framing->kind == VG_FRAMING_PAD && !crops));
    bool nearest = plan->interpolation == VG_INTERPOLATION_NEAREST;
    bool bicubic = plan->interpolation == VG_INTERPOLATION_BICUBIC;
    g->need = *whole;
    g->filter = bicubic ? VG_FILTER_BICUBIC : VG_FILTER_BILINEAR;
    g->warps = vg_plan_warps(plan) || tilts || nearest;
    g->remaps = g->warps && (nearest || bicubic || vg_plan_curves(plan));
    g->transposes = g->mirror_x = g->mirror_y = false;
    if (g->remaps) {
        status = make_remap(plan, g, &frame, size, &g->remap, err);
        if (status == VG_OK)
            need_remap(g, whole);
    } else if (g->warps) {
        status = make_map(plan, g, &frame, size, &g->warp, err);
        if (status == VG_OK)
            need_warp(g, whole);
    } else {
        orient(plan, g);
        need_resize(g, framing, crops, &frame, whole);
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
            least *= vg_curve_least(choice->operation, choice->high);
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
