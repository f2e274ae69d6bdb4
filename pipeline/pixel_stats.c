/* Sums are integers while they stream and become floating point once, at the end. What is refused:
 * to divide by what did not vary. */
#include "pixel_stats.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

__extension__ typedef unsigned __int128 wide;

enum { STEPS = 256 /* of a grey level */ };
static const double LEAST_SHARE = 0.1; /* of the pixels' usual deviation */

vg_status vg_pixel_stats_new(int channels, int height, int width, bool with_matrix,
                             vg_pixel_stats **stats, vg_error *err)
{
    size_t plane, size, square = 0;
    *stats = NULL;
    if (channels < 1 || channels > 3 || height < 1 || width < 1 ||
        !vg_mul_size((size_t)height, (size_t)width, &plane) ||
        !vg_mul_size(plane, (size_t)channels, &size) ||
        (with_matrix && !vg_mul_size(size, size, &square)))
        return vg_fail(err, VG_E_LIMIT, "statistics of inputs of %d x %d x %d are not possible",
                       height, width, channels);
    vg_pixel_stats *s = vg_calloc(1, sizeof *s);
    if (s) {
        s->channels = channels;
        s->height = height;
        s->width = width;
        s->size = size;
        atomic_init(&s->holders, 1);
        s->mean = vg_alloc_aligned(size, sizeof *s->mean);
        s->scale = vg_alloc_aligned(size, sizeof *s->scale);
        if (with_matrix)
            s->matrix = vg_alloc_aligned(square, sizeof *s->matrix);
    }
    if (!s || !s->mean || !s->scale || (with_matrix && !s->matrix)) {
        vg_pixel_stats_release(s);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the statistics of %zu pixels%s", size,
                       with_matrix ? " and their matrix" : "");
    }
    *stats = s;
    return VG_OK;
}

vg_pixel_stats *vg_pixel_stats_hold(vg_pixel_stats *stats)
{
    if (stats)
        atomic_fetch_add(&stats->holders, 1);
    return stats;
}

void vg_pixel_stats_release(vg_pixel_stats *stats)
{
    if (!stats || atomic_fetch_sub(&stats->holders, 1) > 1)
        return;
    free(stats->mean);
    free(stats->scale);
    free(stats->matrix);
    free(stats);
}

void vg_pixel_stats_whiten(const vg_pixel_stats *stats, const float *x, float *out)
{
    for (size_t i = 0; i < stats->size; i++)
        out[i] = 0;
    for (size_t k = 0; k < stats->size; k++) { /* by rows, which are the columns too */
        const float *row = stats->matrix + k * stats->size;
        float v = x[k];
        for (size_t i = 0; i < stats->size; i++)
            out[i] += v * row[i];
    }
}

vg_status vg_pixel_sums_init(vg_pixel_sums *sums, size_t size, vg_error *err)
{
    *sums = (vg_pixel_sums){.size = size};
    sums->sum = vg_calloc(size, sizeof *sums->sum);
    sums->squares = vg_calloc(size, sizeof *sums->squares);
    if (sums->sum && sums->squares)
        return VG_OK;
    vg_pixel_sums_reset(sums);
    return vg_fail(err, VG_E_NOMEM, "out of memory for the sums of %zu pixels", size);
}

void vg_pixel_sums_reset(vg_pixel_sums *sums)
{
    free(sums->sum);
    free(sums->squares);
    *sums = (vg_pixel_sums){0};
}

void vg_pixel_sums_add(vg_pixel_sums *sums, const float *inputs, size_t count, size_t from,
                       size_t to)
{
    uint64_t *sum = sums->sum, *squares = sums->squares;
    for (size_t k = 0; k < count; k++) {
        const float *x = inputs + k * sums->size;
        for (size_t i = from; i < to; i++) {
            uint32_t q = (uint32_t)(int32_t)(x[i] * STEPS + 0.5F); /* at most 65280 */
            sum[i] += q;
            squares[i] += (uint64_t)q * q;
        }
    }
}

void vg_pixel_stats_fill(vg_pixel_stats *stats, const vg_pixel_sums *sums, bool centre_only)
{
    size_t plane = stats->size / (size_t)stats->channels;
    double n = (double)sums->images, all = 0;
    stats->images = sums->images;
    for (int c = 0; c < stats->channels; c++) {
        double of_channel = 0;
        for (size_t i = (size_t)c * plane; i < ((size_t)c + 1) * plane; i++) {
            /* n * sum of squares - sum^2 in integers: nothing cancels */
            wide sum = sums->sum[i];
            wide scaled = (wide)sums->images * sums->squares[i] - sum * sum;
            double std = sqrt((double)scaled) / n / STEPS;
            stats->mean[i] = (float)((double)sums->sum[i] / n / STEPS);
            stats->scale[i] = (float)std;
            of_channel += std * std;
        }
        stats->std[c] = sqrt(of_channel / (double)plane);
        all += of_channel;
    }
    double least = LEAST_SHARE * sqrt(all / (double)stats->size);
    for (size_t i = 0; i < stats->size; i++) {
        double std = fmax((double)stats->scale[i], least);
        stats->scale[i] = (float)(1 / (centre_only || !(std > 0) ? 255 : std));
    }
}
