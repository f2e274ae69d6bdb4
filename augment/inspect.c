/* Judges one plan on one picture by six numbers with fixed bounds. The bounds are meant to accuse
 * only what everybody would call useless or destroyed; that a picture now looks like another class
 * is not judged here. */
#include "inspect.h"

#include "curve.h"
#include "glance.h"

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

/* Edges of less than this many steps on average: nothing to lose. */
static const double LEAST_EDGE = 1;

static double mean_edge(const vg_glance *g)
{
    double sum = 0;
    for (int i = 0; i < g->width * g->height; i++)
        sum += vg_glance_edge(g, i);
    return sum / (g->width * g->height);
}

/* Where (x, y) of one affine map's input lies in its output; false for a singular map. */
static bool find(const double m[6], double x, double y, double *u, double *v)
{
    double determinant = m[0] * m[4] - m[1] * m[3];
    if (fabs(determinant) < 1e-12)
        return false;
    double dx = x - m[2], dy = y - m[5];
    *u = (m[4] * dx - m[1] * dy) / determinant;
    *v = (m[0] * dy - m[3] * dx) / determinant;
    return true;
}

static double visible_share(const vg_glance *before, const vg_warp *from, const vg_warp *to)
{
    double all = 0, seen = 0;
    for (int row = 0; row < before->height; row++)
        for (int column = 0; column < before->width; column++) {
            double weight = vg_glance_edge(before, row * before->width + column);
            double x = (column + 0.5) * from->width / before->width - 0.5;
            double y = (row + 0.5) * from->height / before->height - 0.5, u, v;
            const double *m = from->m;
            all += weight;
            if (find(to->m, m[0] * x + m[1] * y + m[2], m[3] * x + m[4] * y + m[5], &u, &v) &&
                u >= -0.5 && v >= -0.5 && u <= to->width - 0.5 && v <= to->height - 0.5)
                seen += weight;
        }
    return all > 0 ? seen / all : 1;
}

static double detail_share(const vg_glance *a, const vg_glance *b)
{
    double aa = 0, bb = 0, ab = 0;
    for (int i = 0; i < a->width * a->height; i++) {
        double ax = (double)a->across[i], ay = (double)a->down[i];
        double bx = (double)b->across[i], by = (double)b->down[i];
        aa += ax * ax + ay * ay;
        bb += bx * bx + by * by;
        ab += ax * bx + ay * by;
    }
    return aa > 0 && bb > 0 ? ab * ab / (aa * bb) : 0;
}

static void inspect_content(const vg_augment *augment, const vg_warp *from, const vg_warp *to,
                            const float *before, const float *after, vg_inspection *result)
{
    vg_glance first, second;
    vg_glance_make(before, augment->channels, augment->width, augment->height, &first);
    if (mean_edge(&first) < LEAST_EDGE)
        return;
    double moved = 0;
    for (int i = 0; i < 6; i++)
        moved = fmax(moved, fabs(from->m[i] - to->m[i]));
    if (moved > 1e-9) {
        result->visible = visible_share(&first, from, to);
    } else {
        vg_glance_make(after, augment->channels, augment->width, augment->height, &second);
        result->detail = detail_share(&first, &second);
    }
}

vg_inspection vg_inspect(const vg_augment *augment, const vg_plan *plan, int in_width,
                         int in_height, const float *before, const float *after)
{
    size_t n = (size_t)augment->width * (size_t)augment->height * (size_t)augment->channels;
    vg_inspection result = {.contrast = 1, .visible = 1, .detail = 1};
    for (size_t i = 0; i < n; i++)
        result.change += fabs((double)(after[i] - before[i])) / (double)n;
    summary first = summarize(before, n), second = summarize(after, n);
    result.clipped = second.clipped - first.clipped;
    if (first.deviation >= 1)
        result.contrast = second.deviation / first.deviation;
    const vg_plan none = vg_plan_none();
    vg_warp from, to;
    if (vg_augment_warp(augment, plan, in_width, in_height, &to, NULL) == VG_OK &&
        vg_augment_warp(augment, &none, in_width, in_height, &from, NULL) == VG_OK) {
        vg_remap all;
        if (vg_augment_remap(augment, plan, in_width, in_height, &all, NULL) == VG_OK)
            result.outside = vg_remap_outside(&all, in_width, in_height);
        /* The bars of a padded picture are there without a plan too. */
        if (augment->framing.kind == VG_FRAMING_PAD)
            result.outside = fmax(0, result.outside - vg_warp_outside(&from, in_width, in_height));
        /* What is not affine has no inverse at hand. */
        if (plan->steps.chains == 0 && !vg_plan_curves(plan))
            inspect_content(augment, &from, &to, before, after, &result);
    }
    result.finding = result.outside > 0.5    ? VG_FINDING_FILL
                     : result.visible < 0.25 ? VG_FINDING_CUT
                     : result.clipped > 0.6  ? VG_FINDING_CLIPPED
                     : result.contrast < 0.1 ? VG_FINDING_FLAT
                     : result.detail < 0.1   ? VG_FINDING_DETAIL
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
    case VG_FINDING_CUT:
        snprintf(text, capacity, "%.0f %% of the content in view", 100 * inspection->visible);
        break;
    case VG_FINDING_DETAIL:
        snprintf(text, capacity, "%.0f %% of the detail left", 100 * inspection->detail);
        break;
    default:
        if (capacity)
            text[0] = '\0';
    }
}

bool vg_finding_destroys(vg_finding finding)
{
    return finding != VG_FINDING_NONE && finding != VG_FINDING_UNCHANGED;
}
