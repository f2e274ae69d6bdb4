/* The general resampler: where each output pixel falls is computed a strip of columns at a time, and
 * handed to one of the three samplers.
 *
 * The field of displacements is a tensor product, and the output's axes are the field's: across, it is
 * evaluated once for each column and row of the grid, so that a pixel costs four multiplications for
 * each direction. Antialiasing is by the mean scale, because a filter whose shape changes from pixel
 * to pixel costs more than the rest of the work together; ops/warp.c is exact where the map is affine.
 * The naive twin lives in tests/test_remap.c. */
#include "ops/remap.h"

#include "ops/sample.h"

#include <math.h>
#include <string.h>

enum { SPAN = VG_SAMPLE_SPAN, PROBES = 8 };
static const double BILINEAR_LIMIT = 1.25; /* as ops/warp.c */
static const double EDGE = 1e-6;
static const double REACH = 1 << 22;
static const double HORIZON = 1e-4; /* nearer to it everything is beyond REACH */

/* ---- the field */

/* The place on an axis of `cells`: the first of four coefficients, and their weights. */
static int spline(double at, double cell, int cells, float weight[4])
{
    double t = at / cell + 0.5 * cells;
    t = t > 0 ? t : 0;
    t = t < cells ? t : cells;
    int first = (int)t < cells ? (int)t : cells - 1;
    double f = t - first, g = 1 - f;
    weight[0] = (float)(g * g * g / 6);
    weight[1] = (float)((4 + f * f * (3 * f - 6)) / 6);
    weight[2] = (float)((4 + g * g * (3 * g - 6)) / 6);
    weight[3] = (float)(f * f * f / 6);
    return first;
}

static VG_INLINE float four(const float *weight, float a, float b, float c, float d)
{
    return (weight[0] * a + weight[1] * b) + (weight[2] * c + weight[3] * d);
}

void vg_field_at(const vg_field *field, double x, double y, double displacement[2])
{
    displacement[0] = displacement[1] = 0;
    if (field->columns < 1 || field->rows < 1)
        return;
    float across[4], down[4], rx[4], ry[4];
    int i = spline(x, field->cell, field->columns, across);
    int j = spline(y, field->cell, field->rows, down);
    for (int k = 0; k < 4; k++) {
        const float *a = field->x[j + k] + i, *b = field->y[j + k] + i;
        rx[k] = four(across, a[0], a[1], a[2], a[3]);
        ry[k] = four(across, b[0], b[1], b[2], b[3]);
    }
    displacement[0] = (double)four(down, rx[0], rx[1], rx[2], rx[3]);
    displacement[1] = (double)four(down, ry[0], ry[1], ry[2], ry[3]);
}

/* ---- where pixels fall */

vg_remap vg_remap_of_warp(const vg_warp *warp, vg_interpolation interpolation)
{
    vg_remap r = {.from = {1, 0, 1, 0},
                  .width = warp->width,
                  .height = warp->height,
                  .fill = warp->fill,
                  .fill_value = warp->fill_value,
                  .inset = {warp->inset[0], warp->inset[1]},
                  .interpolation = interpolation};
    memcpy(r.p, warp->m, sizeof warp->m);
    r.p[8] = 1;
    return r;
}

static VG_INLINE double within_reach(double v)
{
    v = v < REACH ? v : REACH;
    return v > -REACH ? v : -REACH;
}

/* q, displaced, through the homography. */
static VG_INLINE void project(const double p[9], double qx, double qy, double *x, double *y)
{
    double d = p[6] * qx + p[7] * qy + p[8];
    d = d > HORIZON ? d : HORIZON;
    *x = within_reach((p[0] * qx + p[1] * qy + p[2]) / d);
    *y = within_reach((p[3] * qx + p[4] * qy + p[5]) / d);
}

void vg_remap_at(const vg_remap *r, double u, double v, double place[2])
{
    double x = r->from[0] * u + r->from[1], y = r->from[2] * v + r->from[3], moved[2];
    vg_field_at(&r->field, x, y, moved);
    project(r->p, x + moved[0], y + moved[1], &place[0], &place[1]);
}

/* What a strip of columns has in common. */
typedef struct strip {
    double q[SPAN];
    float x[VG_FIELD_SIDE][SPAN], y[VG_FIELD_SIDE][SPAN]; /* the field across, for each row of it */
} strip;

static void strip_make(const vg_remap *r, int u, strip *s)
{
    const vg_field *field = &r->field;
    for (int i = 0; i < SPAN; i++)
        s->q[i] = r->from[0] * (double)(u + i) + r->from[1];
    for (int i = 0; field->columns && i < SPAN; i++) {
        float w[4];
        int first = spline(s->q[i], field->cell, field->columns, w);
        for (int j = 0; j < field->rows + 3; j++) {
            const float *a = field->x[j] + first, *b = field->y[j] + first;
            s->x[j][i] = four(w, a[0], a[1], a[2], a[3]);
            s->y[j][i] = four(w, b[0], b[1], b[2], b[3]);
        }
    }
}

static VG_INLINE void places(const vg_remap *r, const strip *s, int v, double *restrict x,
                             double *restrict y)
{
    const double q = r->from[2] * v + r->from[3];
    if (r->field.columns) {
        float w[4];
        int j = spline(q, r->field.cell, r->field.rows, w);
        for (int i = 0; i < SPAN; i++) {
            x[i] = s->q[i] +
                   (double)four(w, s->x[j][i], s->x[j + 1][i], s->x[j + 2][i], s->x[j + 3][i]);
            y[i] = q + (double)four(w, s->y[j][i], s->y[j + 1][i], s->y[j + 2][i], s->y[j + 3][i]);
        }
    } else {
        for (int i = 0; i < SPAN; i++) {
            x[i] = s->q[i];
            y[i] = q;
        }
    }
    for (int i = 0; i < SPAN; i++) {
        double a, b;
        project(r->p, x[i], y[i], &a, &b);
        x[i] = a;
        y[i] = b;
    }
}

static void places_plain(const vg_remap *r, const strip *s, int v, double *x, double *y)
{
    places(r, s, v, x, y);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void places_avx2(const vg_remap *r, const strip *s, int v, double *x, double *y)
{
    places(r, s, v, x, y);
}

VG_FOR_AVX512 static void places_avx512(const vg_remap *r, const strip *s, int v, double *x,
                                        double *y)
{
    places(r, s, v, x, y);
}
#endif

/* ---- scale */

void vg_remap_scale(const vg_remap *r, int in_width, int in_height, double scale[2])
{
    double sum[2] = {0, 0};
    int shown = 0;
    for (int b = 0; b < PROBES; b++)
        for (int a = 0; a < PROBES; a++) {
            double u = (a + 0.5) * r->width / PROBES - 0.5, left[2], right[2];
            double v = (b + 0.5) * r->height / PROBES - 0.5, up[2], down[2];
            vg_remap_at(r, u - 0.5, v, left);
            vg_remap_at(r, u + 0.5, v, right);
            double x = (left[0] + right[0]) / 2, y = (left[1] + right[1]) / 2;
            if (x < -0.5 || y < -0.5 || x > in_width - 0.5 || y > in_height - 0.5)
                continue;
            vg_remap_at(r, u, v - 0.5, up);
            vg_remap_at(r, u, v + 0.5, down);
            shown++;
            for (int k = 0; k < 2; k++) {
                double across = right[k] - left[k], along = down[k] - up[k];
                sum[k] += sqrt(across * across + along * along);
            }
        }
    scale[0] = shown ? sum[0] / shown : 1;
    scale[1] = shown ? sum[1] / shown : 1;
}

/* Brings the picture to the map's mean scale where that reduces it, and adapts the map. */
static vg_status reduce(vg_remap *r, vg_sample_job *j, vg_warp_scratch *scratch, vg_error *err)
{
    double scale[2];
    vg_remap_scale(r, j->in.width, j->in.height, scale);
    const double fine[2] = {j->in.width / scale[0], j->in.height / scale[1]};
    int width = scale[0] > BILINEAR_LIMIT ? (int)(fine[0] + 0.5) : j->in.width;
    int height = scale[1] > BILINEAR_LIMIT ? (int)(fine[1] + 0.5) : j->in.height;
    width = width < 1 ? 1 : width;
    height = height < 1 ? 1 : height;
    if (width == j->in.width && height == j->in.height)
        return VG_OK;
    vg_filter filter =
        r->interpolation == VG_INTERPOLATION_BICUBIC ? VG_FILTER_BICUBIC : VG_FILTER_BILINEAR;
    vg_status status = vg_view_resize(&j->in, NULL, width, height, filter, &scratch->resize,
                                      &scratch->reduced, err);
    if (status != VG_OK)
        return status;
    double fx = (double)width / j->in.width, fy = (double)height / j->in.height;
    for (int i = 0; i < 3; i++) { /* x' + 1/2 = (x + 1/2) fx */
        r->p[i] = fx * r->p[i] + (fx - 1) / 2 * r->p[6 + i];
        r->p[3 + i] = fy * r->p[3 + i] + (fy - 1) / 2 * r->p[6 + i];
    }
    j->x0 = (j->x0 + 0.5) * fx - 0.5;
    j->x1 = (j->x1 + 0.5) * fx - 0.5;
    j->y0 = (j->y0 + 0.5) * fy - 0.5;
    j->y1 = (j->y1 + 0.5) * fy - 0.5;
    j->in = vg_image_view(&scratch->reduced);
    return VG_OK;
}

/* ---- all of it */

static vg_status check(const vg_remap *r, vg_error *err)
{
    double sum = 0;
    for (int i = 0; i < 9; i++)
        sum += fabs(r->p[i]);
    for (int i = 0; i < 4; i++)
        sum += fabs(r->from[i]);
    const vg_field *f = &r->field;
    if (f->columns < 0 || f->columns > VG_FIELD_CELLS || f->rows < 0 || f->rows > VG_FIELD_CELLS ||
        (f->columns > 0) != (f->rows > 0) || (f->columns > 0 && !(f->cell > 0)))
        return vg_fail(err, VG_E_ARG, "a field of displacements of %d x %d cells of %g", f->columns,
                       f->rows, f->cell);
    for (int j = 0; f->columns && j < f->rows + 3; j++)
        for (int i = 0; i < f->columns + 3; i++)
            sum += fabs((double)f->x[j][i]) + fabs((double)f->y[j][i]);
    if (!isfinite(sum))
        return vg_fail(err, VG_E_ARG, "the geometry is not finite");
    return VG_OK;
}

/* Whether the map is affine and reaches no further than it may; then `m` is it. */
static bool is_affine(const vg_remap *r, double m[6])
{
    if (r->field.columns || r->p[6] != 0 || r->p[7] != 0 || !(r->p[8] > HORIZON))
        return false;
    for (int k = 0; k < 6; k += 3) {
        const double a = r->p[k] / r->p[8], b = r->p[k + 1] / r->p[8];
        m[k] = a * r->from[0];
        m[k + 1] = b * r->from[2];
        m[k + 2] = a * r->from[1] + b * r->from[3] + r->p[k + 2] / r->p[8];
        double far = fabs(m[k]) * (r->width - 1) + fabs(m[k + 1]) * (r->height - 1);
        if (!(far + fabs(m[k + 2]) < REACH))
            return false;
    }
    return true;
}

static void sample_strips(const vg_remap *r, const vg_sample_job *j, vg_simd simd, float *out)
{
    void (*locate)(const vg_remap *, const strip *, int, double *, double *) = places_plain;
#if VG_SIMD_X86
    locate = simd == VG_SIMD_AVX512 ? places_avx512
             : simd == VG_SIMD_AVX2 ? places_avx2
                                    : places_plain;
#endif
    const size_t plane = (size_t)r->width * (size_t)r->height;
    for (int u = 0; u < r->width; u += SPAN) {
        strip s;
        double x[SPAN], y[SPAN];
        int count = r->width - u < SPAN ? r->width - u : SPAN;
        strip_make(r, u, &s);
        for (int v = 0; v < r->height; v++) {
            locate(r, &s, v, x, y);
            vg_sample_points(j, simd, x, y, count, plane,
                             out + (size_t)v * (size_t)r->width + (size_t)u);
        }
    }
}

vg_status vg_remap_run_with(const vg_remap *remap, const vg_view *in, vg_simd simd,
                            vg_warp_scratch *scratch, float *out, vg_error *err)
{
    vg_remap r = *remap;
    vg_sample_job j = {.in = *in,
                       .width = r.width,
                       .height = r.height,
                       .fill = r.fill,
                       .interpolation = r.interpolation,
                       .x0 = r.inset[0] - 0.5 - EDGE,
                       .y0 = r.inset[1] - 0.5 - EDGE,
                       .value = (float)r.fill_value};
    j.x1 = in->width - 1 - j.x0;
    j.y1 = in->height - 1 - j.y0;
    vg_status status = check(&r, err);
    if (status == VG_OK && r.interpolation != VG_INTERPOLATION_NEAREST)
        status = reduce(&r, &j, scratch, err);
    if (status != VG_OK)
        return status;
    if (is_affine(&r, j.m))
        vg_sample_run(&j, simd, out);
    else
        sample_strips(&r, &j, simd, out);
    return VG_OK;
}

vg_status vg_remap_run(const vg_remap *remap, const vg_view *in, vg_warp_scratch *scratch,
                       float *out, vg_error *err)
{
    return vg_remap_run_with(remap, in, vg_simd_best(), scratch, out, err);
}

double vg_remap_outside(const vg_remap *r, int in_width, int in_height)
{
    size_t count = 0;
    for (int v = 0; v < r->height; v++)
        for (int u = 0; u < r->width; u++) {
            double at[2];
            vg_remap_at(r, u, v, at);
            count +=
                at[0] < -0.5 || at[1] < -0.5 || at[0] > in_width - 0.5 || at[1] > in_height - 0.5;
        }
    return (double)count / ((double)r->width * r->height);
}
