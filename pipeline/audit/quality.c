/* One table of rules. Each takes a number of the pictures, looks how it spreads over the dataset (median and quartiles:
 * what is wrong with a few pictures does not move them) and draws a limit so many of these spreads off the median, on a
 * scale on which the spread means the same everywhere. Bounds that hold for any dataset keep it from being drawn too
 * near or too far.
 *
 * The figures were chosen by looking at what they mark in photos of objects, traffic signs, Fashion-MNIST, CIFAR-10 and a
 * sample of ImageNet, and by planting defects there (docs/audit.md). */
#include "audit/quality.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

enum {
    LEAST_PICTURES = 20,   /* fewer have no usual */
    MOST_SORTED = 1 << 16, /* every n-th of more is enough for quartiles */
    FRAMED_SMALL = 2       /* pixels: a thinner frame may be chance */
};

static const double COMMON = 0.25; /* share from which on nothing is odd about it */
static const double OF_QUARTILE =
    1 / 0.6745;                        /* a normal distribution's standard deviation in quartiles */
static const double NO_COLOUR = 0.005; /* share of coloured pixels */
static const double TOO_DARK_FOR_COLOUR = 80; /* p99: colours this dark are near grey anyway */
static const double LEAST_BORDER = 0.01;      /* of the area */
static const double HUGE_PIXELS = 4e6, HUGE_TIMES = 10; /* the median */

typedef enum scale { SCALE_PLAIN, SCALE_LOG, SCALE_LOG_LIGHT, SCALE_LOG_DARK } scale;

struct rule {
    vg_mark mark;
    scale scale;
    int sides; /* -1 below, 1 above, 0 both */
    bool both; /* the spread is that of both sides, else of the limit's side alone */
    double spreads;
    double least_spread;      /* on the scale: a dataset of equal pictures */
    double nearest, farthest; /* the limit's bounds in units; of two sides factors of the median */
};

static const struct rule rules[] = {
    /* Bright parts are dark. 90 of 255 is a photo at a fourteenth of the light (sRGB). */
    {VG_MARK_DARK, SCALE_LOG_DARK, -1, true, 2.5, 0.25, 90, 0},
    {VG_MARK_LIGHT, SCALE_LOG_LIGHT, 1, true, 2.5, 0.25, 165, 255},
    /* Edges of 1.6 pixels still look sharp; from 8 on everybody sees it. */
    {VG_MARK_BLURRED, SCALE_LOG, 1, false, 4, 0.11, 1.6, 8},
    /* A black drawing on white has more than a bit. */
    {VG_MARK_LOW_INFORMATION, SCALE_PLAIN, -1, false, 4, 0.35, 3.5, 0.5},
    {VG_MARK_ODD_SIZE, SCALE_LOG, 0, false, 4, 0.1, 2.5, 16},
    {VG_MARK_ODD_ASPECT, SCALE_LOG, 1, false, 4, 0.15, 3, 4.5},
};

double vg_quality_value(const vg_facts *f, vg_mark mark)
{
    double w = f->width, h = f->height;
    if (!(f->flags & VG_FACT_DECODED))
        return NAN;
    switch (mark) {
    case VG_MARK_DARK:
        return f->p99;
    case VG_MARK_LIGHT:
        return f->p1;
    case VG_MARK_BLURRED:
        return f->edge ? (double)f->edge / VG_EDGE_STEPS : NAN;
    case VG_MARK_LOW_INFORMATION:
        return (double)f->entropy / VG_ENTROPY_STEPS;
    case VG_MARK_ODD_SIZE:
        return sqrt(w * h);
    case VG_MARK_ODD_ASPECT:
        return w > h ? w / h : h / w;
    case VG_MARK_GREY:
        return (double)f->coloured / VG_WHOLE;
    case VG_MARK_BORDER:
        return 1 - (w - f->border[VG_SIDE_LEFT] - f->border[VG_SIDE_RIGHT]) *
                       (h - f->border[VG_SIDE_TOP] - f->border[VG_SIDE_BOTTOM]) / (w * h);
    case VG_MARK_HUGE:
        return w * h;
    default:
        return NAN;
    }
}

static double to_scale(scale s, double v)
{
    switch (s) {
    case SCALE_LOG:
        return log(v);
    case SCALE_LOG_DARK: /* the eye's way, with an end: 8 levels are noise */
        return log(v + 8);
    case SCALE_LOG_LIGHT:
        return -log(263 - v);
    default:
        return v;
    }
}

static double from_scale(scale s, double t)
{
    switch (s) {
    case SCALE_LOG:
        return exp(t);
    case SCALE_LOG_DARK:
        return exp(t) - 8;
    case SCALE_LOG_LIGHT:
        return 263 - exp(-t);
    default:
        return t;
    }
}

static bool is_measured(const vg_facts *f)
{
    return (f->flags & (VG_FACT_DECODED | VG_FACT_FLAT)) == VG_FACT_DECODED;
}

static int by_value(const void *a, const void *b)
{
    double p = *(const double *)a, q = *(const double *)b;
    return p < q ? -1 : p > q;
}

/* Sorted values of at most MOST_SORTED pictures; returns how many. */
static size_t gather(const vg_facts *facts, size_t count, vg_mark mark, double *values)
{
    size_t n = 0, step = (count + MOST_SORTED - 1) / MOST_SORTED;
    for (size_t i = 0; i < count; i += step) {
        double v = is_measured(&facts[i]) ? vg_quality_value(&facts[i], mark) : NAN;
        if (isfinite(v))
            values[n++] = v;
    }
    qsort(values, n, sizeof *values, by_value);
    return n;
}

static double between(double v, double a, double b)
{
    return fmax(fmin(a, b), fmin(v, fmax(a, b)));
}

static void draw(const struct rule *r, const double *values, size_t n, vg_limit *limit)
{
    double median = values[n / 2], t = to_scale(r->scale, median);
    double below = t - to_scale(r->scale, values[n / 4]),
           above = to_scale(r->scale, values[n - 1 - n / 4]) - t;
    if (r->both)
        below = above = (below + above) / 2;
    below = fmax(below * OF_QUARTILE, r->least_spread) * r->spreads;
    above = fmax(above * OF_QUARTILE, r->least_spread) * r->spreads;
    *limit = (vg_limit){.drawn = true, .low = -INFINITY, .high = INFINITY, .median = median};
    double low = from_scale(r->scale, t - below), high = from_scale(r->scale, t + above);
    if (r->sides == 0) {
        limit->low = between(low, median / r->nearest, median / r->farthest);
        limit->high = between(high, median * r->nearest, median * r->farthest);
    } else if (r->sides < 0) {
        limit->low = between(low, r->nearest, r->farthest);
    } else {
        limit->high = between(high, r->nearest, r->farthest);
    }
}

static bool is_beyond(const vg_limit *limit, double value)
{
    return isfinite(value) && (value < limit->low || value > limit->high);
}

/* Whether the picture is beyond the limit, and what the limit does not say. */
static bool is_odd(const vg_facts *f, vg_mark mark, const vg_limit *limit)
{
    if (!limit->drawn || !is_measured(f) || !is_beyond(limit, vg_quality_value(f, mark)))
        return false;
    if (mark == VG_MARK_GREY)
        return (f->flags & VG_FACT_GREY) || f->p99 >= TOO_DARK_FOR_COLOUR;
    if (mark == VG_MARK_BORDER) {
        const uint16_t *b = f->border;
        return b[VG_SIDE_TOP] + b[VG_SIDE_BOTTOM] >= FRAMED_SMALL ||
               b[VG_SIDE_LEFT] + b[VG_SIDE_RIGHT] >= FRAMED_SMALL;
    }
    return true;
}

static void mark_beyond(const vg_facts *facts, size_t count, vg_mark mark, vg_marks *marks,
                        vg_quality *quality)
{
    vg_limit *limit = &quality->limits[mark];
    size_t n = 0;
    for (size_t i = 0; i < count; i++)
        n += is_odd(&facts[i], mark, limit);
    if ((double)n > COMMON * (double)quality->measured)
        limit->common = n;
    for (size_t i = 0; i < count && n && !limit->common; i++)
        if (is_odd(&facts[i], mark, limit))
            vg_marks_set(marks, i, mark);
}

/* 0 usual everywhere, 1 read in two ways, 2 shown in two ways, 3 cut to fewer levels. */
static int colour_trouble(const vg_facts *f)
{
    if (!(f->flags & VG_FACT_DECODED))
        return 0;
    if (f->colour == VG_COLOUR_CMYK || f->colour == VG_COLOUR_YCCK)
        return 1;
    return f->flags & VG_FACT_CLEAR ? 2 : f->bits > 8 ? 3 : 0;
}

static void mark_colours(const vg_facts *facts, size_t count, vg_marks *marks)
{
    size_t n[4] = {0}, decoded = 0;
    for (size_t i = 0; i < count; i++) {
        n[colour_trouble(&facts[i])]++;
        decoded += (facts[i].flags & VG_FACT_DECODED) != 0;
    }
    for (size_t i = 0; i < count; i++) {
        int kind = colour_trouble(&facts[i]);
        if (kind == 1 || (kind && (double)n[kind] <= COMMON * (double)decoded))
            vg_marks_set(marks, i, VG_MARK_ODD_COLOUR);
    }
}

vg_status vg_quality_judge(const vg_facts *facts, size_t count, vg_marks *marks,
                           vg_quality *quality, vg_error *err)
{
    *quality = (vg_quality){0};
    double *values = vg_alloc(count < MOST_SORTED ? count : MOST_SORTED, sizeof *values);
    if (!values)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the limits of %zu pictures", count);
    for (size_t i = 0; i < count; i++)
        quality->measured += is_measured(&facts[i]);
    for (size_t k = 0; k < sizeof rules / sizeof *rules; k++) {
        size_t n = gather(facts, count, rules[k].mark, values);
        if (n >= LEAST_PICTURES)
            draw(&rules[k], values, n, &quality->limits[rules[k].mark]);
        mark_beyond(facts, count, rules[k].mark, marks, quality);
    }
    const struct {
        vg_mark mark;
        double low, high;
    } fixed[] = {{VG_MARK_GREY, NO_COLOUR, INFINITY},
                 {VG_MARK_BORDER, -INFINITY, LEAST_BORDER},
                 {VG_MARK_HUGE, -INFINITY, HUGE_PIXELS}};
    for (size_t k = 0; k < sizeof fixed / sizeof *fixed; k++) {
        vg_mark mark = fixed[k].mark;
        size_t n = gather(facts, count, mark, values);
        if (n < LEAST_PICTURES)
            continue;
        double median = values[n / 2];
        double high =
            mark == VG_MARK_HUGE ? fmax(fixed[k].high, HUGE_TIMES * median) : fixed[k].high;
        quality->limits[mark] =
            (vg_limit){.drawn = true, .low = fixed[k].low, .high = high, .median = median};
        mark_beyond(facts, count, mark, marks, quality);
    }
    mark_colours(facts, count, marks);
    free(values);
    return VG_OK;
}
