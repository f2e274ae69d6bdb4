/* The window's place and size are known to a few hundredths; four steps of Gauss-Newton fit them together
 * with gain and offset (Lucas and Kanade 1981, with the linear change of brightness that Baker and Matthews
 * 2004 describe). Then blocks are judged one by one: a caption spoils a few of them and leaves the others
 * equal, while two different aeroplanes on the same sky agree everywhere but where there is something
 * to see. Hence both conditions: most of the area, and most of the structure. */
#include "audit/same_picture.h"

#include <math.h>
#include <string.h>

enum { SIDE = 48, GLANCE = 24, BLOCK = 6, STEPS = 4, UNKNOWNS = 6 };
enum { WHITE = 246, BLACK = 9 };

/* Grey pixels, size x size. */
typedef struct grey {
    const uint8_t *data;
    int size;
} grey;

/* Where samples fall on a side: the pixel before and the share of the next one. */
static void place(double from, double to, int side, int size, int *at, float *share)
{
    for (int i = 0; i < side; i++) {
        double u = (from + (to - from) * (i + 0.5) / side) * size - 0.5;
        u = fmin(fmax(u, 0), size - 1);
        at[i] = (int)u < size - 1 ? (int)u : size - 2;
        share[i] = (float)(u - at[i]);
    }
}

/* side x side samples of a window, bilinear between the centres of the pixels. */
static void sample(grey g, vg_window_part w, int side, float *out)
{
    int columns[SIDE], rows[SIDE];
    float across[SIDE], down[SIDE];
    place(w.x0, w.x1, side, g.size, columns, across);
    place(w.y0, w.y1, side, g.size, rows, down);
    for (int y = 0; y < side; y++) {
        const uint8_t *p = g.data + (size_t)rows[y] * (size_t)g.size, *q = p + g.size;
        for (int x = 0; x < side; x++) {
            int at = columns[x];
            float top = (float)p[at] + across[x] * (float)(p[at + 1] - p[at]);
            float bottom = (float)q[at] + across[x] * (float)(q[at + 1] - q[at]);
            out[y * side + x] = top + down[y] * (bottom - top);
        }
    }
}

static void turn_samples(const float *in, int turn, int side, float *out)
{
    for (int y = 0; y < side; y++)
        for (int x = 0; x < side; x++) {
            int u = turn & VG_TURN_X ? side - 1 - x : x, v = turn & VG_TURN_Y ? side - 1 - y : y;
            out[y * side + x] = turn & VG_TURN_SWAP ? in[u * side + v] : in[v * side + u];
        }
}

/* Solves the symmetric system in place; false if it is singular. */
static bool solve(double m[UNKNOWNS][UNKNOWNS + 1])
{
    for (int i = 0; i < UNKNOWNS; i++) {
        int best = i;
        for (int r = i + 1; r < UNKNOWNS; r++)
            if (fabs(m[r][i]) > fabs(m[best][i]))
                best = r;
        if (fabs(m[best][i]) < 1e-9)
            return false;
        for (int c = 0; c <= UNKNOWNS; c++) {
            double t = m[i][c];
            m[i][c] = m[best][c];
            m[best][c] = t;
        }
        for (int r = 0; r < UNKNOWNS; r++) {
            double f = r == i ? 0 : m[r][i] / m[i][i];
            for (int c = i; c <= UNKNOWNS && f != 0; c++)
                m[r][c] -= f * m[i][c];
        }
    }
    for (int i = 0; i < UNKNOWNS; i++)
        m[i][UNKNOWNS] /= m[i][i];
    return true;
}

/* Limit of what one pixel may pull: a caption must not move the window. */
static float weight_of(float residual, float scale)
{
    float r = residual / (3 * scale + 2);
    return 1 / (1 + r * r);
}

/* What `second` should be where `first` is `a`, and how far off it is. Where one of them was cut off at
 * white or black (a brightened copy), the other may be anything beyond. */
static inline float residual_of(float gain, float offset, float a, float b)
{
    float guess = gain * a + offset;
    guess = guess < 0 ? 0 : guess > 255 ? 255 : guess;
    float off = b - guess;
    bool beyond = (a >= WHITE && off > 0) || (a <= BLACK && off < 0);
    return beyond ? 0 : off;
}

static float typical(const float *a, const float *b, int side, const vg_same *s)
{
    float gain = (float)s->gain, offset = (float)s->offset, sum = 0;
    for (int i = 0; i < side * side; i++)
        sum += fabsf(residual_of(gain, offset, a[i], b[i]));
    return sum / (float)(side * side);
}

/* The normal equations of one step: b ~ gain * a(window) + offset. */
static void gather(const float *a, const float *b, int side, const vg_same *s,
                   double m[UNKNOWNS][UNKNOWNS + 1])
{
    float scale = typical(a, b, side, s), gain = (float)s->gain, offset = (float)s->offset;
    float sums[UNKNOWNS][UNKNOWNS + 1] = {{0}};
    float along = gain / 2 * (float)(side / (s->window.x1 - s->window.x0));
    float down = gain / 2 * (float)(side / (s->window.y1 - s->window.y0));
    for (int y = 1; y < side - 1; y++)
        for (int x = 1; x < side - 1; x++) {
            int i = y * side + x;
            if (a[i] >= WHITE || a[i] <= BLACK || b[i] >= WHITE || b[i] <= BLACK)
                continue; /* may be cut off */
            float residual = residual_of(gain, offset, a[i], b[i]), f = weight_of(residual, scale);
            float sx = along * (a[i + 1] - a[i - 1]), sy = down * (a[i + side] - a[i - side]);
            float tx = ((float)x + 0.5F) / (float)side, ty = ((float)y + 0.5F) / (float)side;
            const float d[UNKNOWNS + 1] = {a[i],          1,       sx * (1 - tx), sx * tx,
                                           sy * (1 - ty), sy * ty, residual};
            for (int r = 0; r < UNKNOWNS; r++)
                for (int c = r; c <= UNKNOWNS; c++)
                    sums[r][c] += f * d[r] * d[c];
        }
    for (int r = 0; r < UNKNOWNS; r++)
        for (int c = 0; c <= UNKNOWNS; c++)
            m[r][c] = (double)(c < r ? sums[c][r] : sums[r][c]);
}

/* false when there is nothing to hold on to. */
static bool step(const float *a, const float *b, int side, bool move, vg_same *s)
{
    double m[UNKNOWNS][UNKNOWNS + 1];
    vg_window_part *w = &s->window;
    gather(a, b, side, s, m);
    /* a little resistance, so that a picture of stripes does not slide along them */
    static const double hold[UNKNOWNS] = {1e2, 1e-1, 1e6, 1e6, 1e6, 1e6};
    for (int i = 0; i < UNKNOWNS; i++)
        m[i][i] += move || i < 2 ? hold[i] : 1e18;
    if (!solve(m))
        return false;
    s->gain += m[0][UNKNOWNS];
    s->offset += m[1][UNKNOWNS];
    double *edges[] = {&w->x0, &w->x1, &w->y0, &w->y1};
    for (int i = 0; i < 4 && move; i++) {
        double by = fmin(fmax(m[2 + i][UNKNOWNS], -0.03), 0.03);
        *edges[i] = fmin(fmax(*edges[i] + by, 0), 1);
    }
    return w->x1 - w->x0 > 0.5 && w->y1 - w->y0 > 0.5;
}

static void count_blocks(const float *a, const float *b, int side, float tolerance, vg_same *s)
{
    float gain = (float)s->gain, offset = (float)s->offset, structure = 0, kept = 0;
    int agree = 0, blocks = side / BLOCK * (side / BLOCK);
    for (int block = 0; block < blocks; block++) {
        int x0 = block % (side / BLOCK) * BLOCK, y0 = block / (side / BLOCK) * BLOCK;
        float error = 0, sa = 0, saa = 0, sb = 0, sbb = 0, n = BLOCK * BLOCK;
        for (int y = y0; y < y0 + BLOCK; y++)
            for (int x = x0; x < x0 + BLOCK; x++) {
                float q = b[y * side + x];
                float off = residual_of(gain, offset, a[y * side + x], q), p = q - off;
                error += off * off;
                sa += p;
                saa += p * p;
                sb += q;
                sbb += q * q;
            }
        float own = fminf(saa / n - sa / n * sa / n, sbb / n - sb / n * sb / n);
        own = fmaxf(own, 0);
        structure += own;
        if (error / n <= tolerance * tolerance + own / 16) {
            agree++;
            kept += own;
        }
    }
    s->agreeing = (double)agree / blocks;
    /* nothing to see in either: no picture to be equal */
    s->structure = structure > (float)blocks ? (double)(kept / structure) : 0;
}

static vg_same fit(grey a, vg_window_part window, grey b, int turn, int side, int steps,
                   float tolerance)
{
    float first[SIDE * SIDE], second[SIDE * SIDE], upright[SIDE * SIDE];
    vg_same s = {.window = window, .gain = 1};
    bool whole = window.x0 <= 0 && window.x1 >= 1 && window.y0 <= 0 && window.y1 >= 1;
    sample(b, (vg_window_part){0, 1, 0, 1}, side, upright);
    turn_samples(upright, turn, side, second);
    for (int i = 0; i < steps; i++) {
        sample(a, s.window, side, first);
        if (!step(first, second, side, !whole, &s))
            return s;
    }
    sample(a, s.window, side, first);
    count_blocks(first, second, side, tolerance, &s);
    s.same = s.gain > 0.4 && s.gain < 2.5;
    return s;
}

vg_same vg_same_picture(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn)
{
    vg_same s = fit((grey){a, VG_MIDDLE}, window, (grey){b, VG_MIDDLE}, turn, SIDE, STEPS, 4);
    s.same = s.same && s.agreeing >= 0.75 && s.structure >= 0.5;
    return s;
}

bool vg_maybe_same(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn)
{
    vg_same s = fit((grey){a, VG_THUMB}, window, (grey){b, VG_THUMB}, turn, GLANCE, 3, 6);
    return s.same && s.agreeing >= 0.6 && s.structure >= 0.35;
}
