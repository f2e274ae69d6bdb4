/* Classes by their nearest neighbours, and pairs of classes that augmentation mixes up.
 *
 * Anything that makes pictures unlike all others makes their neighbours arbitrary, so a rise of
 * crossings alone accuses every strong augmentation. What accuses a policy is a flow: samples of one
 * class that land in ONE other class, come nearer to it than their original was, and (for plans as
 * likely as their inverse, which all drawn ones but a few are) the same the other way round. */
#include "check_labels.h"

#include "base/alloc.h"
#include "base/statistics.h"
#include "glance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- features */

static void grey_features(const vg_glance *g, float *out)
{
    double sum = 0, squares = 0;
    int counts[LABEL_GREYS] = {0};
    memset(out, 0, LABEL_GREYS * sizeof *out);
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            int cell = y * LABEL_GREY / g->height * LABEL_GREY + x * LABEL_GREY / g->width;
            out[cell] += g->luma[y * g->width + x];
            counts[cell]++;
        }
    int filled = 0;
    for (int i = 0; i < LABEL_GREYS; i++) {
        out[i] = counts[i] ? out[i] / (float)counts[i] : 0;
        filled += counts[i] > 0;
        sum += (double)out[i];
        squares += (double)out[i] * (double)out[i];
    }
    double mean = sum / filled, deviation = sqrt(fmax(0, squares / filled - mean * mean));
    for (int i = 0; i < LABEL_GREYS; i++)
        out[i] = counts[i] ? (float)(((double)out[i] - mean) / (deviation + 4)) : 0;
}

/* The bin of an unsigned direction by comparing with the tangents of the bins' bounds: no atan2, whose
 * last bit may differ between machines. */
static int direction(double x, double y)
{
    static const double bound[] = {0.41421356237309503, 1, 2.414213562373095};
    if (y < 0 || (y == 0 && x < 0)) {
        x = -x;
        y = -y;
    }
    double a = fabs(x);
    int bin = 0;
    while (bin < 3 && y > bound[bin] * a)
        bin++;
    return x >= 0 ? bin : LABEL_ANGLES - 1 - bin;
}

static void edge_features(const vg_glance *g, float *out)
{
    double total = 0;
    memset(out, 0, LABEL_EDGES * sizeof *out);
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            int i = y * g->width + x;
            double length = vg_glance_edge(g, i);
            int cell = y * LABEL_CELLS / g->height * LABEL_CELLS + x * LABEL_CELLS / g->width;
            int bin = direction((double)g->across[i], (double)g->down[i]);
            out[cell * LABEL_ANGLES + bin] += (float)length;
            total += length;
        }
    for (int i = 0; i < LABEL_EDGES; i++)
        out[i] = total > 0 ? (float)sqrt((double)out[i] / total) : 0;
}

/* Adds to the four bins around a place. */
static void spread(float bins[LABEL_COLOURS], double u, double v)
{
    double x = fmin(fmax(u, 0), 1) * (LABEL_TINTS - 1), y = fmin(fmax(v, 0), 1) * (LABEL_TINTS - 1);
    int i = x < LABEL_TINTS - 1 ? (int)x : LABEL_TINTS - 2;
    int j = y < LABEL_TINTS - 1 ? (int)y : LABEL_TINTS - 2;
    double a = x - i, b = y - j;
    float *at = bins + (size_t)j * LABEL_TINTS + (size_t)i;
    at[0] += (float)((1 - a) * (1 - b));
    at[1] += (float)(a * (1 - b));
    at[LABEL_TINTS] += (float)((1 - a) * b);
    at[LABEL_TINTS + 1] += (float)(a * b);
}

static void colour_features(const float *x, int channels, int width, int height, float *out)
{
    memset(out, 0, LABEL_COLOURS * sizeof *out);
    if (channels != 3)
        return;
    size_t plane = (size_t)width * (size_t)height, step = plane / 1024 + 1;
    float count = 0;
    for (size_t i = 0; i < plane; i += step) {
        double r = (double)x[i], g = (double)x[plane + i], b = (double)x[2 * plane + i];
        /* Most chroma is weak: twice the scale in the middle. */
        spread(out, 0.5 + (r - g) / 255, 0.5 + ((r + g) / 2 - b) / 255);
        count++;
    }
    for (int i = 0; i < LABEL_COLOURS; i++)
        out[i] = (float)sqrt((double)(out[i] / count));
}

void label_features(const float *view, int channels, int width, int height,
                    float features[LABEL_SIZE])
{
    vg_glance glance;
    vg_glance_make(view, channels, width, height, &glance);
    memset(features, 0, LABEL_SIZE * sizeof *features);
    grey_features(&glance, features);
    edge_features(&glance, features + LABEL_GREYS);
    colour_features(view, channels, width, height, features + LABEL_GREYS + LABEL_EDGES);
}

/* ---- the space */

static const int kinds[4] = {0, LABEL_GREYS, LABEL_GREYS + LABEL_EDGES,
                             LABEL_GREYS + LABEL_EDGES + LABEL_COLOURS};

/* Eight sums side by side: fast without leave to reorder, and the same on every machine. */
static float distance(const float *a, const float *b, int first, int end)
{
    float sum[8] = {0};
    int i = first;
    for (; i + 8 <= end; i += 8)
        for (int k = 0; k < 8; k++) {
            float d = a[i + k] - b[i + k];
            sum[k] += d * d;
        }
    for (; i < end; i++)
        sum[0] += (a[i] - b[i]) * (a[i] - b[i]);
    return ((sum[0] + sum[4]) + (sum[1] + sum[5])) + ((sum[2] + sum[6]) + (sum[3] + sum[7]));
}

void label_space_scale(const label_space *space, float features[LABEL_SIZE])
{
    for (int k = 0; k < 3; k++)
        for (int i = kinds[k]; i < kinds[k + 1]; i++)
            features[i] *= space->weight[k];
}

/* A kind weighs as 1 over its mean distance, times the square of how much farther apart pictures of
 * different classes are than those of one. */
void label_space_fit(label_space *space)
{
    size_t n = space->count, stride = n / 300 + 1;
    for (int k = 0; k < 3; k++) {
        double within = 0, between = 0;
        size_t pairs[2] = {0, 0};
        for (size_t i = 0; i < n; i += stride)
            for (size_t j = i + 1; j < n; j++) {
                if (space->label[i] < 0 || space->label[j] < 0)
                    continue;
                double d =
                    (double)distance(space->reference + i * LABEL_SIZE,
                                     space->reference + j * LABEL_SIZE, kinds[k], kinds[k + 1]);
                bool same = space->label[i] == space->label[j];
                *(same ? &within : &between) += d;
                pairs[same]++;
            }
        within = pairs[1] ? within / (double)pairs[1] : 0;
        between = pairs[0] ? between / (double)pairs[0] : 0;
        double ratio = within > 0 ? fmin(between / within, 10) : 1;
        space->weight[k] = between > 1e-9 ? (float)(ratio / sqrt(between)) : 0;
    }
    for (size_t i = 0; i < n; i++)
        label_space_scale(space, space->reference + i * LABEL_SIZE);
}

enum { NEAR = 3 };

int label_nearest(const label_space *space, const float features[LABEL_SIZE], size_t own,
                  float *distances)
{
    int best = -1;
    for (int k = 0; k < space->classes; k++)
        distances[k] = FLT_MAX;
    /* References come sorted by class. */
    for (size_t i = 0; i < space->count;) {
        int label = space->label[i], found = 0;
        float near[NEAR] = {FLT_MAX, FLT_MAX, FLT_MAX};
        for (; i < space->count && space->label[i] == label; i++) {
            if (label < 0 || i == own)
                continue;
            float d = distance(features, space->reference + i * LABEL_SIZE, 0, LABEL_SIZE);
            found += found < NEAR;
            for (int k = 0; k < NEAR; k++)
                if (d < near[k]) {
                    float swap = near[k];
                    near[k] = d;
                    d = swap;
                }
        }
        if (label < 0 || found == 0)
            continue;
        float sum = 0;
        for (int k = 0; k < found; k++)
            sum += near[k];
        distances[label] = sum / (float)found;
        if (best < 0 || distances[label] < distances[best])
            best = label;
    }
    return best;
}

static int by_size(const void *a, const void *b)
{
    float x = *(const float *)a, y = *(const float *)b;
    return x < y ? -1 : x > y;
}

/* The share of a class that counts as typical. */
static const double TYPICAL = 0.75;

void label_space_typical(label_space *space, float *own)
{
    for (size_t i = 0; i < space->count;) {
        size_t first = i;
        int label = space->label[i];
        while (i < space->count && space->label[i] == label)
            i++;
        size_t n = i - first;
        qsort(own + first, n, sizeof *own, by_size);
        space->typical[label] = n < 3 ? 0 : own[first + (size_t)(TYPICAL * (double)(n - 1))];
    }
}

/* ---- pairs of classes */

/* z of a two-sided normal tail. */
static double tail(double alpha)
{
    double low = 0, high = 10;
    for (int i = 0; i < 60; i++) {
        double z = (low + high) / 2;
        *(erfc(z / 1.4142135623730951) > alpha ? &low : &high) = z;
    }
    return low;
}

/* What is known of one ordered pair. */
typedef struct flow {
    double sum, squares; /* over pictures of the share of draws that went there, and came nearer */
    double before;       /* share of un-augmented references */
} flow;

typedef struct from {
    size_t pictures, references;
    double draws;
} from;

/* The Wilson interval of a share p whose draws come in pictures, n draws in m of them, with the number
 * of draws divided by the design effect that the spread over pictures shows (Kish, "Survey
 * Sampling", 1965). */
static void interval(const flow *f, const from *a, double z, vg_check_pair *pair)
{
    double m = (double)a->pictures, p = f->sum / m, each = a->draws / m;
    double variance = m > 1 ? fmax(0, (f->squares - m * p * p) / (m - 1)) : 0;
    double effect = p > 0 && p < 1 ? variance * each / (p * (1 - p)) : each;
    effect = fmin(fmax(effect, 1), each);
    double n = a->draws / effect, square = z * z;
    double centre = (p + square / (2 * n)) / (1 + square / n);
    double half = z / (1 + square / n) * sqrt(p * (1 - p) / n + square / (4 * n * n));
    *pair = (vg_check_pair){.share = p,
                            .before = f->before,
                            .low = fmax(0, centre - half),
                            .high = fmin(1, centre + half)};
}

static void count_before(const label_space *space, const label_evidence *e, flow *flows,
                         from *froms)
{
    size_t classes = (size_t)space->classes;
    for (size_t i = 0; i < space->count; i++)
        froms[space->label[i]].references++;
    for (size_t i = 0; i < space->count; i++) {
        size_t a = (size_t)space->label[i];
        if (e->before[i] >= 0)
            flows[a * classes + (size_t)e->before[i]].before += 1 / (double)froms[a].references;
    }
}

/* Adds the draws of one picture; returns how many there were. `share` is zero, and again at the end. */
static int count_picture(const label_space *space, const label_evidence *e, size_t i, flow *flows,
                         from *froms, double *share, double *crossed)
{
    size_t classes = (size_t)space->classes, a = (size_t)space->label[e->picture[i]];
    const int *named = e->named + i * (size_t)e->draws;
    int drawn = 0, away = 0;
    for (int d = 0; d < e->draws; d++) {
        if (named[d] == LABEL_NO_DRAW)
            continue;
        int b = named[d] & ~LABEL_NEARER;
        drawn++;
        away += (size_t)b != a;
        if (named[d] & LABEL_NEARER)
            share[b]++;
    }
    *crossed = drawn ? (double)away / drawn : 0;
    if (!drawn)
        return 0;
    for (size_t b = 0; b < classes; b++) {
        double s = share[b] / drawn;
        flows[a * classes + b].sum += s;
        flows[a * classes + b].squares += s * s;
        share[b] = 0;
    }
    froms[a].pictures++;
    froms[a].draws += drawn;
    return drawn;
}

static void keep(vg_check_part *part, const vg_check_pair *pair)
{
    vg_check_pair next = *pair;
    part->pair_count++;
    int listed = part->pair_count < VG_CHECK_PAIRS ? part->pair_count : VG_CHECK_PAIRS;
    for (int i = 0; i < listed; i++)
        if (i == part->pair_count - 1 || next.share > part->pairs[i].share) {
            vg_check_pair swap = part->pairs[i];
            part->pairs[i] = next;
            next = swap;
        }
}

/* Bounds of a flow that is named: what the classes' own pictures may be mixed up before, how far above
 * that the interval must lie, and how much of the rise must be seen in the other direction. */
static const double MIXED_BEFORE = 0.25, LEAST_RISE = 0.03, LEAST_RETURN = 0.5, NEARLY_ALL = 0.5;

static double rise_of(const flow *f, const from *a)
{
    return a->pictures ? f->sum / (double)a->pictures - f->before : 0;
}

/* What of class b goes to the classes that go to b: all warning signs turned over are signs to give
 * way, and a sign to give way turned over is one of the warning signs. */
static double returned_from(size_t b, size_t classes, const flow *flows, const from *froms)
{
    double sum = 0;
    for (size_t x = 0; x < classes; x++)
        if (x != b && rise_of(&flows[x * classes + b], &froms[x]) > LEAST_RISE)
            sum += fmax(0, rise_of(&flows[b * classes + x], &froms[b]));
    return sum;
}

static void find_pairs(const label_space *space, const flow *flows, const from *froms,
                       vg_check_part *part)
{
    size_t classes = (size_t)space->classes;
    double z = tail(0.05 / fmax(1, (double)classes * (double)(classes - 1)));
    for (size_t b = 0; b < classes; b++) {
        double returned = -1;
        for (size_t a = 0; a < classes; a++) {
            const flow *there = &flows[a * classes + b], *back = &flows[b * classes + a];
            if (a == b || there->sum <= 0 || froms[a].pictures < 3 || froms[b].pictures < 3 ||
                there->before > MIXED_BEFORE || back->before > MIXED_BEFORE)
                continue;
            vg_check_pair pair;
            interval(there, &froms[a], z, &pair);
            pair.from = (int)a;
            pair.to = (int)b;
            if (pair.low <= pair.before + LEAST_RISE)
                continue;
            if (returned < 0)
                returned = returned_from(b, classes, flows, froms);
            double rise = pair.share - pair.before;
            if (rise_of(back, &froms[b]) >= LEAST_RETURN * rise ||
                (pair.low >= NEARLY_ALL && returned >= LEAST_RETURN * rise))
                keep(part, &pair);
        }
    }
}

vg_status label_judge(const label_space *space, const label_evidence *e, vg_check_part *part,
                      vg_error *err)
{
    size_t classes = (size_t)space->classes;
    flow *flows = vg_calloc(classes * classes, sizeof *flows);
    from *froms = vg_calloc(classes, sizeof *froms);
    double *share = vg_calloc(classes, sizeof *share);
    vg_status status = VG_OK;
    if (!flows || !froms || !share) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    } else {
        double sum = 0, rise = 0, squares = 0, n = 0;
        count_before(space, e, flows, froms);
        for (size_t i = 0; i < e->pictures; i++) {
            double crossed;
            if (!count_picture(space, e, i, flows, froms, share, &crossed))
                continue;
            size_t at = e->picture[i];
            double more = crossed - (e->before[at] >= 0 && e->before[at] != space->label[at]);
            sum += crossed;
            rise += more;
            squares += more * more;
            n++;
        }
        if (n > 1) {
            part->crossed = sum / n;
            part->rise = rise / n;
            double error = sqrt(fmax(0, squares / n - part->rise * part->rise) / (n - 1));
            part->rise_low = part->rise - 1.96 * error;
            part->rise_high = part->rise + 1.96 * error;
        }
        find_pairs(space, flows, froms, part);
    }
    free(flows);
    free(froms);
    free(share);
    return status;
}
