/* How different the inputs look inside a layer: its spread tr Cov(h) / mean |h|^2 and its level.
 *
 * Streamed, because a layer over the whole probe does not fit anywhere. The sums are shifted by the
 * first sample: tr Cov then comes out as exactly 0 for a layer that is the same for all inputs, and
 * nothing cancels in one that is nearly so. Features are cut into blocks of fixed size that walk
 * through the samples in order: the bits depend neither on the number of threads nor on the batch. */
#include "observe/measure.h"

#include "base/alloc.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 1024, LANES = 8, PARTIALS = 2 * LANES };

vg_status vg_layer_sums_init(vg_layer_sums *sums, size_t features, vg_error *err)
{
    size_t blocks = features / BLOCK + (features % BLOCK > 0);
    *sums = (vg_layer_sums){.features = features, .blocks = blocks};
    sums->origin = vg_alloc(features, sizeof *sums->origin);
    sums->shifted = vg_alloc(features, sizeof *sums->shifted);
    sums->partials = vg_alloc(blocks, PARTIALS * sizeof *sums->partials);
    if (!sums->origin || !sums->shifted || !sums->partials) {
        vg_layer_sums_reset(sums);
        return vg_fail(err, VG_E_NOMEM, "no memory for the sums of a layer of %zu values",
                       features);
    }
    vg_layer_sums_begin(sums);
    return VG_OK;
}

void vg_layer_sums_reset(vg_layer_sums *sums)
{
    free(sums->origin);
    free(sums->shifted);
    free(sums->partials);
    *sums = (vg_layer_sums){0};
}

void vg_layer_sums_begin(vg_layer_sums *sums)
{
    sums->samples = 0;
    memset(sums->shifted, 0, sums->features * sizeof *sums->shifted);
    memset(sums->partials, 0, sums->blocks * PARTIALS * sizeof *sums->partials);
}

static float finite_or_zero(float value)
{
    return fabsf(value) <= FLT_MAX ? value : 0;
}

/* `count` features of one sample. Sums run in LANES lanes: a fixed order that vectorizes. */
static void add_row(const float *h, const float *origin, double *shifted, double *partials,
                    size_t count)
{
    size_t whole = count - count % LANES;
    for (size_t f = 0; f < whole; f += LANES)
        for (size_t lane = 0; lane < LANES; lane++) {
            double value = (double)finite_or_zero(h[f + lane]);
            double d = value - (double)origin[f + lane];
            shifted[f + lane] += d;
            partials[lane] += d * d;
            partials[LANES + lane] += fabs(value);
        }
    for (size_t f = whole; f < count; f++) {
        double value = (double)finite_or_zero(h[f]), d = value - (double)origin[f];
        shifted[f] += d;
        partials[f - whole] += d * d;
        partials[LANES + f - whole] += fabs(value);
    }
}

/* A row that counts as 0 everywhere. */
static void add_zeros(const float *origin, double *shifted, double *partials, size_t count)
{
    for (size_t f = 0; f < count; f++) {
        double d = -(double)origin[f];
        shifted[f] += d;
        partials[f % LANES] += d * d;
    }
}

void vg_layer_sums_add(vg_layer_sums *sums, const float *h, const bool *usable, int n)
{
    if (n <= 0)
        return;
    if (sums->samples == 0)
        for (size_t f = 0; f < sums->features; f++)
            sums->origin[f] = !usable || usable[0] ? finite_or_zero(h[f]) : 0;
#pragma omp parallel for schedule(static)
    for (size_t block = 0; block < sums->blocks; block++) {
        size_t start = block * BLOCK, count = sums->features - start;
        if (count > BLOCK)
            count = BLOCK;
        const float *origin = sums->origin + start;
        double *shifted = sums->shifted + start, *partials = sums->partials + block * PARTIALS;
        for (int i = 0; i < n; i++) {
            if (!usable || usable[i])
                add_row(h + (size_t)i * sums->features + start, origin, shifted, partials, count);
            else
                add_zeros(origin, shifted, partials, count);
        }
    }
    sums->samples += (size_t)n;
}

void vg_layer_sums_finish(const vg_layer_sums *sums, double *spread, double *level)
{
    double squares = 0, magnitudes = 0, centre = 0, shift = 0, n = (double)sums->samples;
    *spread = *level = 0;
    if (sums->samples == 0 || sums->features == 0)
        return;
    for (size_t block = 0; block < sums->blocks; block++)
        for (size_t lane = 0; lane < LANES; lane++) {
            squares += sums->partials[block * PARTIALS + lane];
            magnitudes += sums->partials[block * PARTIALS + LANES + lane];
        }
    for (size_t f = 0; f < sums->features; f++) {
        double moved = sums->shifted[f] / n, mean = (double)sums->origin[f] + moved;
        shift += moved * moved;
        centre += mean * mean;
    }
    double variance = fmax(0, squares / n - shift);
    *spread = variance > 0 ? variance / (variance + centre) : 0;
    *level = magnitudes / n / (double)sums->features;
}
