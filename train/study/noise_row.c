/* Expectation maximization for one row of a transition matrix. Pictures are put into bins of equal counts by their margin, so
 * that a round costs as much as there are different (bin, label) cells, not pictures.
 *
 * A label that is not the network's is either wrong (a lapse: chance T[i], whatever the margin) or the network erred
 * (chance e(margin) c[i]). The E step shares each cell out to both, the M step counts lapses and fits e by two Newton
 * steps of a logistic regression with a pull towards the fit over all classes. */
#include "study/noise_row.h"

#include "base/alloc.h"

#include <math.h>
#include <stdbool.h>
#include <stdlib.h>

enum { MOST_BINS = 256, CLASS_BINS = 64, PER_BIN = 10, ROUNDS = 200 };
enum { SCORING = 60, GRID = 24, HALVINGS = 24 };
static const double LEANS = 10; /* pictures that the prior is worth */
static const double BEGINS =
    0.002;                    /* wrong labels, more than the prior says: none would stay none */
static const double PULL = 4; /* information about slope and offset that it is worth */
/* Of the offset. Where the margin is 0 two classes are equally likely and half of the labels are not the network's, a few
 * less where wrong labels hit its errors: without that bound a flat curve could pass for wrong labels, and wrong
 * labels for a flat curve. */
static const double LOWEST = -3, HIGHEST = 0.5;
static const double STEEPEST = 50, FLATTEST = 0.05, SETTLED = 1e-7, TINY = 1e-12;

typedef struct cell {
    int bin, label;
    double count;
} cell;

typedef struct table {
    int bins, labels;
    double x[MOST_BINS];     /* mean margin, scaled */
    double agree[MOST_BINS]; /* pictures labelled as they are taken for */
    double error[MOST_BINS]; /* e */
    double erred[MOST_BINS]; /* pictures on which the network erred, expected */
    double all;
    cell *cells; /* of labels that disagree */
    size_t cell_count;
    double *lapse, *confused; /* [labels] T and c ... */
    double *lapses, *errors;  /* ... and the counts of a round */
    double slope, offset;
} table;

static void table_reset(table *t)
{
    free(t->cells);
    free(t->lapse);
}

static int by_label(const void *a, const void *b)
{
    const int32_t *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

/* Cells of the pictures first..last of one bin. `own` < 0: only whether labels agree counts. */
static void add_bin(table *t, const vg_seen *seen, size_t count, int own, double scale,
                    int32_t *labels)
{
    int bin = t->bins++;
    size_t off = 0;
    double sum = 0;
    for (size_t n = 0; n < count; n++) {
        sum += seen[n].margin;
        if (seen[n].label == seen[n].taken_for)
            t->agree[bin]++;
        else
            labels[off++] = own < 0 ? 0 : seen[n].label;
    }
    t->x[bin] = sum / (double)count / scale;
    qsort(labels, off, sizeof *labels, by_label);
    for (size_t n = 0; n < off; n++) {
        if (n == 0 || labels[n] != labels[n - 1])
            t->cells[t->cell_count++] = (cell){bin, labels[n], 0};
        t->cells[t->cell_count - 1].count++;
    }
}

/* seen: the surest first. */
static vg_status table_init(table *t, const vg_seen *seen, size_t count, int own, int classes,
                            int most_bins, double scale, vg_error *err)
{
    *t = (table){.labels = own < 0 ? 1 : classes, .all = (double)count};
    size_t bins = count / PER_BIN < 1 ? 1 : count / PER_BIN, off = 0, labels = (size_t)t->labels;
    bins = bins > (size_t)most_bins ? (size_t)most_bins : bins;
    for (size_t n = 0; n < count; n++)
        off += seen[n].label != seen[n].taken_for;
    t->cells = vg_alloc(off + 1, sizeof *t->cells);
    t->lapse = vg_calloc(labels, 4 * sizeof *t->lapse);
    int32_t *room = vg_alloc(count / bins + 2, sizeof *room);
    if (!t->cells || !t->lapse || !room) {
        free(room);
        table_reset(t);
        return vg_fail(err, VG_E_NOMEM, "label noise: out of memory for %zu pictures", count);
    }
    t->confused = t->lapse + labels;
    t->lapses = t->confused + labels;
    t->errors = t->lapses + labels;
    for (size_t b = 0; b < bins && count > 0; b++) {
        size_t from = count * b / bins, to = count * (b + 1) / bins;
        add_bin(t, seen + from, to - from, own, scale, room);
    }
    free(room);
    return VG_OK;
}

static double chance_of_error(double slope, double offset, double x)
{
    return 1 / (1 + exp(fmin(fmax(slope * x + offset, -STEEPEST), STEEPEST)));
}

/* One Newton step for slope and offset. */
static void refit_errors(table *t, const vg_noise_prior *prior)
{
    double g0 = PULL * (t->slope - prior->slope), g1 = PULL * (t->offset - prior->offset);
    double h00 = PULL, h01 = 0, h11 = PULL;
    for (int b = 0; b < t->bins; b++) {
        double n = t->erred[b] + t->agree[b], x = t->x[b];
        double e = chance_of_error(t->slope, t->offset, x), g = t->erred[b] - n * e;
        double weight = n * e * (1 - e);
        g0 += g * x;
        g1 += g;
        h00 += weight * x * x;
        h01 += weight * x;
        h11 += weight;
    }
    double determinant = h00 * h11 - h01 * h01;
    if (!(determinant > 0))
        return;
    double d0 = (h11 * g0 - h01 * g1) / determinant, d1 = (h00 * g1 - h01 * g0) / determinant;
    t->slope = fmax(t->slope - fmin(fmax(d0, -1), 1), FLATTEST);
    t->offset = fmin(fmax(t->offset - fmin(fmax(d1, -1), 1), LOWEST), HIGHEST);
}

/* Shares the cells out; returns the share of lapses among all. */
static double share_out(table *t, double wrong)
{
    double right = 1, erred = 0, sum = 0;
    size_t labels = (size_t)t->labels;
    for (size_t i = 0; i < labels; i++) {
        right -= t->lapse[i];
        t->lapses[i] = t->errors[i] = 0;
    }
    for (int b = 0; b < t->bins; b++) {
        t->error[b] = chance_of_error(t->slope, t->offset, t->x[b]);
        t->erred[b] = 0;
    }
    for (size_t n = 0; n < t->cell_count; n++) {
        const cell *c = &t->cells[n];
        double lapse = t->lapse[c->label];
        double error = fmax(right, 0) * t->error[c->bin] * t->confused[c->label];
        double part = lapse > 0 ? lapse / (lapse + error) : 0;
        t->lapses[c->label] += c->count * part;
        t->errors[c->label] += c->count * (1 - part);
        t->erred[c->bin] += c->count * (1 - part);
        erred += c->count * (1 - part);
    }
    double each = LEANS * wrong / (double)(labels - 1);
    for (size_t i = 0; i < labels; i++) {
        t->lapse[i] = (t->lapses[i] + each) / (t->all + LEANS);
        t->confused[i] = erred > 0 ? t->errors[i] / erred : 0;
        sum += t->lapse[i];
    }
    return sum;
}

static void fit(table *t, const vg_noise_prior *prior, int own)
{
    double before = -1, sum = 0;
    for (size_t n = 0; n < t->cell_count; n++)
        sum += t->cells[n].count;
    for (size_t n = 0; n < t->cell_count; n++) {
        const cell *c = &t->cells[n];
        t->confused[c->label] += c->count / sum;
        t->lapse[c->label] += (prior->wrong + BEGINS) * c->count / sum;
    }
    t->slope = prior->slope;
    t->offset = prior->offset;
    for (int round = 0; round < ROUNDS; round++) {
        double now = share_out(t, prior->wrong);
        now -= t->lapse[own];
        t->lapse[own] = 0;
        refit_errors(t, prior);
        refit_errors(t, prior);
        if (fabs(now - before) < SETTLED)
            break;
        before = now;
    }
}

/* ---- all classes together: two parts that only the margin tells apart */

/* Log likelihood of the table when a share `wrong` of the labels is, at the best slope and offset for that (which t keeps), by
 * Fisher scoring. */
static double likelihood(table *t, double wrong)
{
    double value = 0, damping = 1e-3, d0 = 0, d1 = 0, best = -INFINITY;
    for (int step = 0; step < SCORING; step++) {
        double g0 = 0, g1 = 0, h00 = 0, h01 = 0, h11 = 0;
        value = 0;
        for (int b = 0; b < t->bins; b++) {
            double x = t->x[b], e = chance_of_error(t->slope, t->offset, x);
            double q = fmin(fmax(wrong + (1 - wrong) * e, TINY), 1 - TINY);
            double off = t->erred[b], n = off + t->agree[b], dq = -(1 - wrong) * e * (1 - e);
            double weight = n * dq * dq / (q * (1 - q));
            double g = (off - n * q) / (q * (1 - q)) * dq;
            value += off * log(q) + (n - off) * log(1 - q);
            g0 += g * x;
            g1 += g;
            h00 += weight * x * x;
            h01 += weight * x;
            h11 += weight;
        }
        if (value < best) { /* too far: back, and shorter */
            t->slope -= d0;
            t->offset -= d1;
            damping *= 10;
        } else {
            if (value - best < SETTLED)
                break;
            best = value;
        }
        double m00 = h00 * (1 + damping) + TINY, m11 = h11 * (1 + damping) + TINY;
        double determinant = m00 * m11 - h01 * h01;
        if (!(determinant > 0))
            break;
        d0 = fmax(t->slope + (m11 * g0 - h01 * g1) / determinant, FLATTEST) - t->slope;
        d1 = fmin(fmax(t->offset + (m00 * g1 - h01 * g0) / determinant, LOWEST), HIGHEST) -
             t->offset;
        t->slope += d0;
        t->offset += d1;
    }
    return fmax(value, best);
}

/* Where the likelihood has fallen by `fall` between the best share and `end`. */
static double edge(const table *fitted, double best, double end, double level)
{
    table t = *fitted;
    if (likelihood(&t, end) >= level)
        return end;
    for (int i = 0; i < HALVINGS; i++) {
        double middle = 0.5 * (best + end);
        t = *fitted;
        if (likelihood(&t, middle) >= level)
            best = middle;
        else
            end = middle;
    }
    return 0.5 * (best + end);
}

/* How much more the bins differ from the curve than chance would have them: 1 or more. */
static double misfit(const table *t, double wrong)
{
    double sum = 0;
    for (int b = 0; b < t->bins; b++) {
        double n = t->erred[b] + t->agree[b];
        double q = wrong + (1 - wrong) * chance_of_error(t->slope, t->offset, t->x[b]);
        q = fmin(fmax(q, 1 / (n + 1)), 1 - 1 / (n + 1));
        sum += (t->erred[b] - n * q) * (t->erred[b] - n * q) / (n * q * (1 - q));
    }
    return t->bins > 3 ? fmax(sum / (t->bins - 3), 1) : 1;
}

static void pool(table *t, vg_noise_prior *prior)
{
    double disagree = 0, low = 0, high, best = -INFINITY;
    table at = *t, fitted = *t;
    for (int b = 0; b < t->bins; b++)
        disagree += t->erred[b];
    high = disagree / t->all;
    for (int i = 0; i <= GRID; i++) { /* each begins where the one before ended */
        double wrong = high * i / GRID, value = likelihood(&at, wrong);
        if (value > best) {
            best = value;
            prior->wrong = wrong;
            fitted = at;
        }
    }
    low = fmax(prior->wrong - high / GRID, 0);
    high = fmin(prior->wrong + high / GRID, high);
    for (int i = 0; i < HALVINGS; i++) { /* thirds, in fact */
        double left = low + (high - low) / 3, right = high - (high - low) / 3;
        table a = fitted, b = fitted;
        if (likelihood(&a, left) > likelihood(&b, right))
            high = right;
        else
            low = left;
    }
    prior->wrong = low <= 0 ? 0 : 0.5 * (low + high);
    best = fmax(best, likelihood(&fitted, prior->wrong));
    prior->slope = fitted.slope;
    prior->offset = fitted.offset;
    double fall = 0.5 * 3.84 * misfit(&fitted, prior->wrong); /* 95 % of chi-square */
    prior->low = edge(&fitted, prior->wrong, 0, best - fall);
    prior->high = edge(&fitted, prior->wrong, disagree / t->all, best - fall);
}

static int surest_first(const void *a, const void *b)
{
    const vg_seen *x = a, *y = b;
    if (x->margin > y->margin || x->margin < y->margin)
        return x->margin > y->margin ? -1 : 1;
    return 0;
}

vg_status vg_noise_row_pool(const vg_seen *seen, size_t count, vg_noise_prior *prior, vg_error *err)
{
    double sum = 0;
    for (size_t n = 0; n < count; n++)
        sum += seen[n].margin;
    *prior = (vg_noise_prior){.scale = sum > 0 ? sum / (double)count : 1, .slope = 2};
    vg_seen *sorted = vg_alloc(count, sizeof *sorted);
    if (!sorted)
        return vg_fail(err, VG_E_NOMEM, "label noise: out of memory for %zu pictures", count);
    for (size_t n = 0; n < count; n++)
        sorted[n] = seen[n];
    qsort(sorted, count, sizeof *sorted, surest_first);
    table t;
    vg_status status = table_init(&t, sorted, count, -1, 1, MOST_BINS, prior->scale, err);
    free(sorted);
    if (status)
        return status;
    t.slope = prior->slope;
    for (size_t n = 0; n < t.cell_count; n++)
        t.erred[t.cells[n].bin] += t.cells[n].count;
    pool(&t, prior);
    table_reset(&t);
    return VG_OK;
}

vg_status vg_noise_row_fit(const vg_seen *seen, size_t count, int own, int classes,
                           const vg_noise_prior *prior, vg_noise_row *row, vg_error *err)
{
    table t;
    vg_status status = table_init(&t, seen, count, own, classes, CLASS_BINS, prior->scale, err);
    if (status)
        return status;
    fit(&t, prior, own);
    double errors = 0, wrong = 0;
    for (int i = 0; i < classes; i++) {
        row->transition[i] = t.lapse[i];
        wrong += t.lapse[i];
        errors += t.errors[i];
    }
    wrong = fmax(wrong, 1 / (t.all + 1));
    row->worth = 0;
    for (int b = 0; b < t.bins; b++) {
        double e = chance_of_error(t.slope, t.offset, t.x[b]);
        row->worth += t.all / t.bins * wrong / (wrong + e);
    }
    row->slope = t.slope;
    row->offset = t.offset;
    row->natural = count > 0 ? errors / (double)count : 0;
    table_reset(&t);
    return VG_OK;
}
