/* The affine resampler: bilinear (ops/sample.c) where the picture is not reduced, a mapped tent
 * (ops/tent.c) where it is, and cells averaged first where it is reduced strongly.
 *
 * It refuses maps that reach further than MAX_REACH pixels, because tables over their coordinates
 * would grow without bounds. The naive twins live in tests/test_warp.c. */
#include "ops/warp.h"

#include "ops/sample.h"

#include <math.h>
#include <string.h>

enum { MAX_REACH = 1 << 22 };
static const double BILINEAR_LIMIT = 1.25; /* reductions up to here alias too little to see */
static const double EDGE = 1e-6;           /* rounding of the matrix, in pixels */

void vg_warp_scratch_reset(vg_warp_scratch *scratch)
{
    vg_image_reset(&scratch->reduced);
    vg_resize_scratch_reset(&scratch->resize);
    vg_tent_scratch_reset(&scratch->tent);
}

/* The singular values of the linear part, larger first. */
static void singular_values(const double m[6], double *large, double *small)
{
    double a = m[0], b = m[1], c = m[3], d = m[4];
    double sum = a * a + b * b + c * c + d * d, det = fabs(a * d - b * c);
    double root = sqrt(fmax(0, sum * sum / 4 - det * det));
    *large = sqrt(sum / 2 + root);
    *small = *large > 0 ? det / *large : 0;
}

/* The tent of the map, no direction of it narrower than one input pixel: A = U S V' with S raised
 * to at least 1. */
static vg_tent make_tent(const double m[6])
{
    double a = m[0], b = m[1], c = m[3], d = m[4], large, small;
    singular_values(m, &large, &small);
    if (small < 1) {
        /* Left singular vectors: the axes of A A'. */
        double p = a * a + b * b, q = a * c + b * d, r = c * c + d * d;
        double half = (p - r) / 2, length = sqrt(half * half + q * q);
        double turn = length > 0 ? half / length : 1; /* cosine of twice the axis' angle */
        double ux = sqrt((1 + turn) / 2), uy = copysign(sqrt(fmax(0, 1 - turn) / 2), q);
        double first = fmax(large, 1) / large, second = small > 0 ? 1 / small : 0;
        /* A' = U diag(first, second) U' A */
        double k00 = first * ux * ux + second * uy * uy, k01 = (first - second) * ux * uy;
        double k11 = first * uy * uy + second * ux * ux;
        double a2 = k00 * a + k01 * c, b2 = k00 * b + k01 * d;
        c = k01 * m[0] + k11 * m[3];
        d = k01 * m[1] + k11 * m[4];
        a = a2;
        b = b2;
    }
    double det = a * d - b * c;
    vg_tent t = {.ax = d / det, .ay = -b / det, .bx = -c / det, .by = a / det};
    t.half_width = fabs(a) + fabs(b);
    t.half_height = fabs(c) + fabs(d);
    return t;
}

/* Averages cells of whole pixels where the tent is at least 8 pixels wide, and adapts the job. */
static vg_status reduce(vg_tent_job *j, const vg_tent *t, vg_warp_scratch *scratch, vg_error *err)
{
    /* Half the width of the tent along the input's axes, through its centre. */
    double wide = 1 / fmax(fabs(t->ax), fabs(t->bx)), high = 1 / fmax(fabs(t->ay), fabs(t->by));
    /* Even cells, because they cancel the finest stripes and checks altogether. */
    int kx = (int)(wide / 4) * 2, ky = (int)(high / 4) * 2;
    kx = kx < 2 ? 1 : kx > j->in.width ? j->in.width : kx;
    ky = ky < 2 ? 1 : ky > j->in.height ? j->in.height : ky;
    if (kx == 1 && ky == 1)
        return VG_OK;
    int width = (j->in.width + kx - 1) / kx, height = (j->in.height + ky - 1) / ky;
    vg_status status = vg_view_resize(&j->in, NULL, width, height, VG_FILTER_BOX, &scratch->resize,
                                      &scratch->reduced, err);
    if (status != VG_OK)
        return status;
    double fx = (double)width / j->in.width, fy = (double)height / j->in.height;
    for (int i = 0; i < 3; i++) {
        j->m[i] *= fx;
        j->m[3 + i] *= fy;
    }
    j->m[2] += (fx - 1) / 2; /* x' + 1/2 = (x + 1/2) fx */
    j->m[5] += (fy - 1) / 2;
    j->x0 = (j->x0 + 0.5) * fx - 0.5;
    j->x1 = (j->x1 + 0.5) * fx - 0.5;
    j->y0 = (j->y0 + 0.5) * fy - 0.5;
    j->y1 = (j->y1 + 0.5) * fy - 0.5;
    j->in = vg_image_view(&scratch->reduced);
    return VG_OK;
}

/* Whether no coordinate at which an output pixel falls is further than MAX_REACH. */
static bool within_reach(const double m[6], int width, int height)
{
    for (int k = 0; k < 6; k += 3) {
        double p = m[k] * (width - 1), q = m[k + 1] * (height - 1);
        double low = m[k + 2] + fmin(p, 0) + fmin(q, 0), high = m[k + 2] + fmax(p, 0) + fmax(q, 0);
        if (!(fabs(low) < MAX_REACH && fabs(high) < MAX_REACH))
            return false;
    }
    return true;
}

static vg_tent_job make_job(const vg_warp *warp, const vg_view *in)
{
    vg_tent_job j = {.in = *in,
                     .width = warp->width,
                     .height = warp->height,
                     .fill = warp->fill,
                     .x0 = warp->inset[0] - 0.5 - EDGE,
                     .y0 = warp->inset[1] - 0.5 - EDGE,
                     .value = (float)warp->fill_value};
    j.x1 = in->width - 1 - j.x0;
    j.y1 = in->height - 1 - j.y0;
    memcpy(j.m, warp->m, sizeof j.m);
    return j;
}

static void bilinear(const vg_tent_job *j, float *out)
{
    vg_sample_job b = {.in = j->in,
                       .width = j->width,
                       .height = j->height,
                       .fill = j->fill,
                       .interpolation = VG_INTERPOLATION_BILINEAR,
                       .x0 = j->x0,
                       .x1 = j->x1,
                       .y0 = j->y0,
                       .y1 = j->y1,
                       .value = j->value};
    memcpy(b.m, j->m, sizeof b.m);
    vg_sample_run(&b, vg_simd_best(), out);
}

vg_status vg_warp_run(const vg_warp *warp, const vg_view *in, vg_warp_scratch *scratch, float *out,
                      vg_error *err)
{
    vg_tent_job j = make_job(warp, in);
    double large, small;
    singular_values(j.m, &large, &small);
    if (!(small > 1e-9 && large < MAX_REACH))
        return vg_fail(err, VG_E_ARG, "the geometry flattens the picture (scales %g and %g)", large,
                       small);
    if (!within_reach(j.m, j.width, j.height))
        return vg_fail(err, VG_E_ARG,
                       "the geometry reaches further than %d pixels from the picture", MAX_REACH);
    if (large <= BILINEAR_LIMIT) {
        bilinear(&j, out);
        return VG_OK;
    }
    j.tent = make_tent(j.m);
    vg_status status = reduce(&j, &j.tent, scratch, err);
    if (status != VG_OK)
        return status;
    j.tent = make_tent(j.m);
    return vg_tent_run(&j, vg_simd_best(), &scratch->tent, out, err);
}

double vg_warp_outside(const vg_warp *warp, int in_width, int in_height)
{
    size_t count = 0;
    for (int v = 0; v < warp->height; v++)
        for (int u = 0; u < warp->width; u++) {
            double x = warp->m[0] * u + warp->m[1] * v + warp->m[2];
            double y = warp->m[3] * u + warp->m[4] * v + warp->m[5];
            count += x < -0.5 || y < -0.5 || x > in_width - 0.5 || y > in_height - 0.5;
        }
    return (double)count / ((double)warp->width * warp->height);
}
