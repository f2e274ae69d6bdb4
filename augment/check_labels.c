/* Classes by their nearest neighbours, and pairs of classes that augmentation exchanges.
 *
 * Anything that makes pictures unlike all others makes their neighbours arbitrary, so that a rise of
 * crossings alone accuses every strong augmentation. Two things tell a true one apart. The sample is not just
 * nearer to the other class: it is as near as the pictures of that class are to each other (a conformal
 * test: Vovk, Gammerman, Shafer, "Algorithmic Learning in a Random World", 2005, at 95 %). And the same
 * happens the other way round, since what is drawn is as likely as its inverse: what turns 6 into 9 turns
 * 9 into 6. Both are calibrated by the un-augmented pictures, each without itself. */
#include "check_labels.h"

#include "base/alloc.h"
#include "glance.h"

#include <float.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* ---- features */

typedef struct middle {
    double x, y; /* in cells of the glance */
} middle;

/* Of the edges; of the picture where there are none. */
static middle middle_of(const vg_glance *g)
{
    double sum = 0, x = 0, y = 0;
    for (int row = 0; row < g->height; row++)
        for (int column = 0; column < g->width; column++) {
            double edge = vg_glance_edge(g, row * g->width + column);
            sum += edge;
            x += edge * (column + 0.5);
            y += edge * (row + 0.5);
        }
    if (sum <= 0)
        return (middle){g->width / 2.0, g->height / 2.0};
    return (middle){x / sum, y / sum};
}

/* Which of `cells` around the middle; what lies beyond counts to the outermost. */
static int cell_of(int at, double centre, int size, int cells)
{
    int cell = (int)floor((at + 0.5 - centre) * cells / size + cells / 2.0);
    return cell < 0 ? 0 : cell < cells ? cell : cells - 1;
}

static void grey_features(const vg_glance *g, middle m, float *out)
{
    double sum = 0, squares = 0;
    int counts[LABEL_GREYS] = {0};
    memset(out, 0, LABEL_GREYS * sizeof *out);
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            int cell = cell_of(y, m.y, g->height, LABEL_GREY) * LABEL_GREY +
                       cell_of(x, m.x, g->width, LABEL_GREY);
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

static void edge_features(const vg_glance *g, middle m, float *out)
{
    double total = 0;
    memset(out, 0, LABEL_EDGES * sizeof *out);
    for (int y = 0; y < g->height; y++)
        for (int x = 0; x < g->width; x++) {
            int i = y * g->width + x;
            double length = vg_glance_edge(g, i);
            int cell = cell_of(y, m.y, g->height, LABEL_CELLS) * LABEL_CELLS +
                       cell_of(x, m.x, g->width, LABEL_CELLS);
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
    middle m = middle_of(&glance);
    grey_features(&glance, m, features);
    edge_features(&glance, m, features + LABEL_GREYS);
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

/* The level of the conformal test. */
static const double TYPICAL = 0.95;

void label_space_typical(label_space *space, float *own)
{
    for (size_t i = 0; i < space->count;) {
        size_t first = i;
        int label = space->label[i];
        while (i < space->count && space->label[i] == label)
            i++;
        size_t n = i - first;
        qsort(own + first, n, sizeof *own, by_size);
        size_t place = (size_t)ceil(TYPICAL * (double)(n + 1));
        place = place < 1 ? 0 : place > n ? n - 1 : place - 1;
        space->typical[label] = n < 3 ? 0 : own[first + place];
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
    double share,
        before; /* sums over pictures: of the share of draws that went there, and of whether
                             the picture itself is named so */
    double rise, squares; /* of the difference of both */
} flow;

/* 1 where the un-augmented picture is already named `b`. */
static double named_before(const label_evidence *e, size_t reference, size_t b)
{
    int name = e->before[reference];
    return name >= 0 && (name & LABEL_TYPICAL) && (size_t)(name & ~LABEL_TYPICAL) == b;
}

/* Draws of picture i that were named typical of each class, counted in share[] (zero at first); returns how
 * many draws there were, in *away those nearer to another class than its own. */
static int count_picture(const label_space *space, const label_evidence *e, size_t i, double *share,
                         int *away)
{
    int own = space->label[e->picture[i]], drawn = 0;
    const int *named = e->named + i * (size_t)e->draws;
    *away = 0;
    for (int d = 0; d < e->draws; d++) {
        if (named[d] == LABEL_NO_DRAW)
            continue;
        int b = named[d] & ~LABEL_TYPICAL;
        drawn++;
        *away += b != own;
        if (named[d] & LABEL_TYPICAL)
            share[b]++;
    }
    return drawn;
}

static void add_to_flow(flow *f, double share, double before)
{
    f->share += share;
    f->before += before;
    f->rise += share - before;
    f->squares += (share - before) * (share - before);
}

/* One direction of an exchange out of the flow of n pictures. */
static void put_direction(label_exchange *x, int i, const flow *f, size_t pictures)
{
    double n = (double)pictures;
    x->share[i] = f->share / n;
    x->before[i] = f->before / n;
    x->rise[i] = f->rise / n;
    /* As if one picture more had not moved: that few have all done the same makes nothing certain. */
    double more = n + 1, variance = f->squares / n - f->rise * f->rise / (more * n);
    x->error[i] = sqrt(fmax(0, variance) / more);
}

static double clearness(const label_exchange *x)
{
    return fmin(x->rise[0], x->rise[1]);
}

static void keep_candidate(label_exchange list[LABEL_CANDIDATES], int *count,
                           const label_exchange *x)
{
    label_exchange next = *x;
    for (int i = 0; i < *count; i++)
        if (clearness(&next) > clearness(&list[i])) {
            label_exchange swap = list[i];
            list[i] = next;
            next = swap;
        }
    if (*count < LABEL_CANDIDATES)
        list[(*count)++] = next;
}

/* Where more of a class's own pictures than this are named as another one, both are not told apart. */
static const double MIXED_BEFORE = 0.25;

static void find_candidates(const label_space *space, const label_evidence *e, const flow *flows,
                            const size_t *pictures, label_exchange list[LABEL_CANDIDATES],
                            int *count)
{
    size_t classes = (size_t)space->classes;
    for (size_t a = 0; a < classes; a++)
        for (size_t b = a + 1; b < classes; b++) {
            label_exchange x = {.classes = {(int)a, (int)b}};
            if (pictures[a] < 3 || pictures[b] < 3 ||
                (e->applies && !e->applies[a] && !e->applies[b]))
                continue;
            put_direction(&x, 0, &flows[a * classes + b], pictures[a]);
            put_direction(&x, 1, &flows[b * classes + a], pictures[b]);
            bool clear = true;
            for (int i = 0; i < 2; i++)
                clear = clear && x.rise[i] >= fmax(LABEL_LEAST, x.error[i]) &&
                        x.before[i] <= MIXED_BEFORE;
            if (clear)
                keep_candidate(list, count, &x);
        }
}

typedef struct totals {
    double crossed, rise, squares, pictures;
} totals;

static void put_totals(const totals *t, vg_check_part *part)
{
    if (t->pictures < 2)
        return;
    double n = t->pictures;
    part->crossed = t->crossed / n;
    part->rise = t->rise / n;
    double error = sqrt(fmax(0, t->squares / n - part->rise * part->rise) / (n - 1));
    part->rise_low = part->rise - 1.96 * error;
    part->rise_high = part->rise + 1.96 * error;
}

vg_status label_judge(const label_space *space, const label_evidence *e, vg_check_part *part,
                      label_exchange candidates[LABEL_CANDIDATES], int *count, vg_error *err)
{
    size_t classes = (size_t)space->classes;
    flow *flows = vg_calloc(classes * classes, sizeof *flows);
    size_t *pictures = vg_calloc(classes, sizeof *pictures);
    double *share = vg_calloc(classes, sizeof *share);
    vg_status status = VG_OK;
    totals t = {0};
    *count = 0;
    if (!flows || !pictures || !share)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t i = 0; i < e->pictures && !status; i++) {
        size_t at = e->picture[i], own = (size_t)space->label[at];
        int away, drawn = count_picture(space, e, i, share, &away);
        if (!drawn)
            continue;
        bool before = e->before[at] >= 0 && (e->before[at] & ~LABEL_TYPICAL) != space->label[at];
        double crossed = (double)away / drawn, more = crossed - before;
        if (!e->applies || e->applies[own]) {
            t.crossed += crossed;
            t.rise += more;
            t.squares += more * more;
            t.pictures++;
        }
        pictures[own]++;
        for (size_t b = 0; b < classes; b++) {
            if (b != own)
                add_to_flow(&flows[own * classes + b], share[b] / drawn, named_before(e, at, b));
            share[b] = 0;
        }
    }
    if (!status) {
        put_totals(&t, part);
        find_candidates(space, e, flows, pictures, candidates, count);
    }
    free(flows);
    free(pictures);
    free(share);
    return status;
}

void label_measure(const label_space *space, const label_evidence *e, label_exchange *x)
{
    flow flows[2] = {{0}};
    size_t pictures[2] = {0};
    for (size_t i = 0; i < e->pictures; i++) {
        size_t at = e->picture[i];
        int side = space->label[at] != x->classes[0], other = x->classes[1 - side], drawn = 0;
        double there = 0;
        const int *named = e->named + i * (size_t)e->draws;
        for (int d = 0; d < e->draws; d++) {
            drawn += named[d] != LABEL_NO_DRAW;
            there += named[d] == (other | LABEL_TYPICAL);
        }
        if (!drawn)
            continue;
        pictures[side]++;
        add_to_flow(&flows[side], there / drawn, named_before(e, at, (size_t)other));
    }
    for (int i = 0; i < 2; i++) {
        x->rise[i] = x->share[i] = x->before[i] = x->error[i] = 0;
        if (pictures[i] >= 3)
            put_direction(x, i, &flows[i], pictures[i]);
    }
}

bool label_is_exchange(const label_exchange *x, int tests, vg_check_pair pairs[2])
{
    /* Both must hold, so that no level is spent on there being two. */
    double z = tail(2 * 0.05 / (tests > 1 ? tests : 1));
    bool both = true;
    for (int i = 0; i < 2; i++) {
        double half = z * x->error[i];
        both = both && x->rise[i] - half > LABEL_LEAST && x->before[i] <= MIXED_BEFORE;
        pairs[i] = (vg_check_pair){.from = x->classes[i],
                                   .to = x->classes[1 - i],
                                   .share = x->share[i],
                                   .before = x->before[i],
                                   .low = fmax(0, x->share[i] - half),
                                   .high = fmin(1, x->share[i] + half)};
    }
    return both;
}

void label_keep(vg_check_part *part, const vg_check_pair *pair)
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
