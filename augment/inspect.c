/* Judges one plan on one picture by four numbers with fixed bounds. The bounds are meant to accuse
 * only what everybody would call useless or destroyed; that a picture now looks like another class
 * is not judged here. */
#include "inspect.h"

#include <math.h>
#include <stdio.h>

typedef struct summary {
    double clipped, deviation;
} summary;

static summary summarize(const float *x, size_t n)
{
    double sum = 0, squares = 0;
    size_t clipped = 0;
    for (size_t i = 0; i < n; i++) {
        double v = (double)x[i];
        sum += v;
        squares += v * v;
        clipped += v <= 0 || v >= 255;
    }
    double count = (double)n, mean = sum / count;
    return (summary){(double)clipped / count, sqrt(fmax(0, squares / count - mean * mean))};
}

vg_inspection vg_inspect(const vg_augment *augment, const vg_plan *plan, int in_width,
                         int in_height, const float *before, const float *after)
{
    size_t n = (size_t)augment->width * (size_t)augment->height * (size_t)augment->channels;
    vg_inspection result = {.contrast = 1};
    for (size_t i = 0; i < n; i++)
        result.change += fabs((double)(after[i] - before[i])) / (double)n;
    summary first = summarize(before, n), second = summarize(after, n);
    result.clipped = second.clipped - first.clipped;
    if (first.deviation >= 1)
        result.contrast = second.deviation / first.deviation;
    vg_warp warp;
    if (vg_augment_warp(augment, plan, in_width, in_height, &warp, NULL) == VG_OK)
        result.outside = vg_warp_outside(&warp, in_width, in_height);
    /* The bars of a padded picture are there without a plan too. */
    const vg_plan none = vg_plan_none();
    if (augment->framing.kind == VG_FRAMING_PAD &&
        vg_augment_warp(augment, &none, in_width, in_height, &warp, NULL) == VG_OK)
        result.outside = fmax(0, result.outside - vg_warp_outside(&warp, in_width, in_height));
    result.finding = result.outside > 0.5    ? VG_FINDING_FILL
                     : result.clipped > 0.6  ? VG_FINDING_CLIPPED
                     : result.contrast < 0.1 ? VG_FINDING_FLAT
                     : result.change < 1     ? VG_FINDING_UNCHANGED
                                             : VG_FINDING_NONE;
    return result;
}

void vg_inspection_print(const vg_inspection *inspection, char *text, size_t capacity)
{
    switch (inspection->finding) {
    case VG_FINDING_UNCHANGED:
        snprintf(text, capacity, "no visible change");
        break;
    case VG_FINDING_FILL:
        snprintf(text, capacity, "%.0f %% is fill", 100 * inspection->outside);
        break;
    case VG_FINDING_CLIPPED:
        snprintf(text, capacity, "%.0f %% clipped", 100 * inspection->clipped);
        break;
    case VG_FINDING_FLAT:
        snprintf(text, capacity, "%.0f %% of the contrast left", 100 * inspection->contrast);
        break;
    default:
        if (capacity)
            text[0] = '\0';
    }
}

bool vg_finding_destroys(vg_finding finding)
{
    return finding == VG_FINDING_FILL || finding == VG_FINDING_CLIPPED ||
           finding == VG_FINDING_FLAT;
}
