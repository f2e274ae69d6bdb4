/* The window's place and size are known to a few hundredths; four steps of Gauss-Newton fit them together
 * with gain and offset (Lucas and Kanade 1981, with the linear change of brightness that Baker and Matthews
 * 2004 describe). Then blocks are judged one by one: a caption spoils a few of them and leaves the others
 * equal, while two different aeroplanes on the same sky agree everywhere but where there is something
 * to see. Hence both conditions: most of the area, and most of the structure. */
#include "audit/same_picture.h"

#include "base/simd.h"

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
static VG_INLINE void place(double from, double to, int side, int size, int *at, float *share)
{
    float start = (float)from * (float)size - 0.5F;
    float apart = (float)((to - from) / side) * (float)size, last = (float)(size - 1);
    for (int i = 0; i < side; i++) {
        float u = start + apart * ((float)i + 0.5F);
        u = u < 0 ? 0 : u > last ? last : u;
        at[i] = (int)u < size - 1 ? (int)u : size - 2;
        share[i] = u - (float)at[i];
    }
}

/* side x side samples of a window, bilinear between the centres of the pixels: rows first, which are neighbours in
 * memory. */
static VG_INLINE void sample(grey g, vg_window_part w, int side, float *out)
{
    int columns[SIDE], rows[SIDE];
    float across[SIDE], down[SIDE], row[VG_MIDDLE];
    place(w.x0, w.x1, side, g.size, columns, across);
    place(w.y0, w.y1, side, g.size, rows, down);
    for (int y = 0; y < side; y++) {
        const uint8_t *p = g.data + (size_t)rows[y] * (size_t)g.size, *q = p + g.size;
        for (int x = 0; x < g.size; x++)
            row[x] = (float)p[x] + down[y] * (float)(q[x] - p[x]);
        for (int x = 0; x < side; x++) {
            const float *at = row + columns[x];
            out[y * side + x] = at[0] + across[x] * (at[1] - at[0]);
        }
    }
}

static VG_INLINE void turn_samples(const float *in, int turn, int side, float *out)
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

/* Eight numbers at a time, the same sums in the same order on every machine. */
enum { LANES = 8 };
typedef float lanes __attribute__((vector_size(LANES * 4)));
typedef int32_t masks __attribute__((vector_size(LANES * 4)));

static VG_INLINE lanes load(const float *p)
{
    lanes v;
    memcpy(&v, p, sizeof v);
    return v;
}

static VG_INLINE lanes all(float value)
{
    return (lanes){value, value, value, value, value, value, value, value};
}

static VG_INLINE lanes choose(masks where, lanes yes, lanes no)
{
    return (lanes)((where & (masks)yes) | (~where & (masks)no));
}

static VG_INLINE lanes magnitude(lanes v)
{
    return (lanes)((masks)v & INT32_MAX);
}

static VG_INLINE float total(lanes v)
{
    return ((v[0] + v[4]) + (v[2] + v[6])) + ((v[1] + v[5]) + (v[3] + v[7]));
}

/* What `second` should be where `first` is `a`, and how far off it is. Where one of them was cut off at
 * white or black (a brightened copy), the other may be anything beyond. */
static VG_INLINE lanes residual_of(lanes gain, lanes offset, lanes a, lanes b)
{
    lanes guess = gain * a + offset;
    guess = choose(guess < 0, all(0), choose(guess > 255, all(255), guess));
    lanes off = b - guess;
    masks beyond = ((a >= WHITE) & (off > 0)) | ((a <= BLACK) & (off < 0));
    return choose(beyond, all(0), off);
}

static VG_INLINE float typical(const float *a, const float *b, int side, const vg_same *s)
{
    lanes gain = all((float)s->gain), offset = all((float)s->offset), sum = all(0);
    for (int i = 0; i < side * side; i += LANES)
        sum += magnitude(residual_of(gain, offset, load(a + i), load(b + i)));
    return total(sum) / (float)(side * side);
}

/* How much eight pixels at x of a row count: no edges of the picture, nothing that may be cut off, and a limit to
 * what one of them may pull, for a caption must not move the window. */
static VG_INLINE lanes weights_of(lanes a, lanes b, lanes residual, lanes x, int side, float scale)
{
    lanes r = residual / all(3 * scale + 2);
    masks whole = (a < WHITE) & (a > BLACK) & (b < WHITE) & (b > BLACK);
    masks inside = (x > 0) & (x < (float)(side - 1));
    return choose(whole & inside, 1 / (1 + r * r), all(0));
}

/* The normal equations of one step: b ~ gain * a(window) + offset, and of the window's edges if it moves. */
static VG_INLINE void gather(const float *a, const float *b, int side, bool move, const vg_same *s,
                             double m[UNKNOWNS][UNKNOWNS + 1])
{
    float scale = typical(a, b, side, s);
    lanes gain = all((float)s->gain), offset = all((float)s->offset);
    lanes sums[UNKNOWNS][UNKNOWNS + 1] = {{{0}}};
    static const lanes steps = {0, 1, 2, 3, 4, 5, 6, 7};
    lanes along = gain / 2 * (float)(side / (s->window.x1 - s->window.x0));
    lanes down = gain / 2 * (float)(side / (s->window.y1 - s->window.y0));
    for (int y = 1; y < side - 1; y++)
        for (int x = 0; x < side; x += LANES) {
            size_t i = (size_t)y * (size_t)side + (size_t)x;
            const float *p = a + i;
            lanes v = load(p), w = load(b + i), at = steps + (float)x;
            lanes residual = residual_of(gain, offset, v, w);
            lanes f = weights_of(v, w, residual, at, side, scale);
            lanes sx = along * (load(p + 1) - load(p - 1));
            lanes sy = down * (load(p + side) - load(p - side));
            lanes tx = (at + 0.5F) / (float)side;
            float ty = ((float)y + 0.5F) / (float)side;
            const lanes d[UNKNOWNS + 1] = {v,       all(1),  sx * (1 - tx), sx * tx, sy * (1 - ty),
                                           sy * ty, residual};
            for (int r = 0; r < (move ? UNKNOWNS : 2); r++) {
                lanes weighted = f * d[r];
                for (int c = r; c <= UNKNOWNS; c++)
                    if (move || c < 2 || c == UNKNOWNS)
                        sums[r][c] += weighted * d[c];
            }
        }
    for (int r = 0; r < UNKNOWNS; r++)
        for (int c = 0; c <= UNKNOWNS; c++)
            m[r][c] = (double)total(c < r ? sums[c][r] : sums[r][c]);
}

/* false when there is nothing to hold on to. */
static VG_INLINE bool step(const float *a, const float *b, int side, bool move, vg_same *s)
{
    double m[UNKNOWNS][UNKNOWNS + 1];
    vg_window_part *w = &s->window;
    gather(a, b, side, move, s, m);
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

/* Deviation of all samples, in levels. */
static VG_INLINE float deviation(const float *b, int side)
{
    lanes sum = all(0), squares = all(0);
    for (int i = 0; i < side * side; i += LANES) {
        sum += load(b + i);
        squares += load(b + i) * load(b + i);
    }
    float n = (float)(side * side), mean = total(sum) / n;
    float variance = total(squares) / n - mean * mean;
    return variance > 0 ? sqrtf(variance) : 0;
}

static const float plain_block = 4; /* variance: all of it is one ground */

/* A block is 6 x 6, in lanes of 8 of which two do not count. */
static VG_INLINE void count_blocks(const float *a, const float *b, int side, float tolerance,
                                   vg_same *s)
{
    static const masks counts = {-1, -1, -1, -1, -1, -1, 0, 0};
    lanes gain = all((float)s->gain), offset = all((float)s->offset);
    float structure = 0, kept = 0, n = BLOCK * BLOCK;
    int agree = 0, plain = 0, blocks = side / BLOCK * (side / BLOCK);
    for (int block = 0; block < blocks; block++) {
        int x0 = block % (side / BLOCK) * BLOCK, y0 = block / (side / BLOCK) * BLOCK;
        lanes error = all(0), sa = all(0), saa = all(0), sb = all(0), sbb = all(0);
        for (int y = y0; y < y0 + BLOCK; y++) {
            size_t i = (size_t)y * (size_t)side + (size_t)x0;
            lanes q = load(b + i), off = residual_of(gain, offset, load(a + i), q);
            q = choose(counts, q, all(0));
            off = choose(counts, off, all(0));
            lanes p = q - off;
            error += off * off;
            sa += p;
            saa += p * p;
            sb += q;
            sbb += q * q;
        }
        float ma = total(sa) / n, mb = total(sb) / n;
        float of_a = total(saa) / n - ma * ma, of_b = total(sbb) / n - mb * mb;
        float own = of_a < of_b ? of_a : of_b;
        own = own < 0 ? 0 : own;
        structure += own;
        if (total(error) / n <= tolerance * tolerance + own / 16) {
            agree++;
            kept += own;
            plain += of_a < plain_block && of_b < plain_block;
        }
    }
    s->agreeing = (double)agree / blocks;
    s->telling = agree > plain ? (double)(agree - plain) / (blocks - plain) : 0;
    /* nothing to see in either: no picture to be equal */
    s->structure = structure > (float)blocks ? (double)(kept / structure) : 0;
}

/* What is asked of a pair, and how: 48 x 48 samples and four steps, or at a glance 24 x 24 and three. */
typedef struct question {
    const uint8_t *a, *b;
    vg_window_part window;
    int turn;
} question;

/* So few blocks agree after one step when nothing is the same; further steps make it at most three times as many. */
static const double hopeless = 0.2;

static const float of_deviation = 1.0F / 8; /* what may differ at most, beside the fixed bound */

static VG_INLINE vg_same fit(question q, int size, int side, int steps, float tolerance)
{
    float rows[3][SIDE * SIDE + 2 * LANES],
        *first = rows[0] + LANES; /* room to look beyond the ends */
    float *second = rows[1] + LANES, *upright = rows[2];
    grey a = {q.a, size}, b = {q.b, size};
    size_t samples = (size_t)side * (size_t)side;
    vg_window_part w = q.window;
    vg_same s = {.window = w, .gain = 1};
    bool move = w.x0 > 0 || w.x1 < 1 || w.y0 > 0 || w.y1 < 1;
    memset(rows[0], 0, LANES * sizeof(float));
    memset(first + samples, 0, LANES * sizeof(float));
    memset(second + samples, 0, LANES * sizeof(float));
    sample(b, (vg_window_part){0, 1, 0, 1}, side, upright);
    turn_samples(upright, q.turn, side, second);
    sample(a, s.window, side, first);
    /* in a picture of little contrast little is already much */
    float own = deviation(second, side) * of_deviation;
    tolerance = own < tolerance ? own : tolerance;
    for (int i = 0; i < steps; i++) {
        if (move ? !step(first, second, side, true, &s) : !step(first, second, side, false, &s))
            return s;
        if (move)
            sample(a, s.window, side, first);
        count_blocks(first, second, side, tolerance, &s);
        if (!move && s.agreeing < hopeless)
            return s;
    }
    s.same = s.gain > 0.4 && s.gain < 2.5;
    return s;
}

static VG_INLINE vg_same look(question q)
{
    return fit(q, VG_MIDDLE, SIDE, STEPS, 4);
}

static VG_INLINE vg_same glance(question q)
{
    return fit(q, VG_THUMB, GLANCE, 3, 6);
}

static vg_same look_plain(question q)
{
    return look(q);
}

static vg_same glance_plain(question q)
{
    return glance(q);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static vg_same look_avx2(question q)
{
    return look(q);
}

VG_FOR_AVX2 static vg_same glance_avx2(question q)
{
    return glance(q);
}

VG_FOR_AVX512 static vg_same look_avx512(question q)
{
    return look(q);
}

VG_FOR_AVX512 static vg_same glance_avx512(question q)
{
    return glance(q);
}
#endif

static vg_same (*const versions[VG_SIMD_COUNT][2])(question q) = {
    {look_plain, glance_plain},
#if VG_SIMD_X86
    {look_avx2, glance_avx2},
    {look_avx512, glance_avx512},
#endif
};

/* Trousers on black agree in three quarters of the area, whatever trousers. */
static const double least_telling = 0.67;

vg_same vg_same_picture(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn)
{
    vg_same s = versions[vg_simd_best()][0]((question){a, b, window, turn});
    s.same = s.same && s.agreeing >= 0.75 && s.structure >= 0.5 && s.telling >= least_telling;
    return s;
}

bool vg_maybe_same(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn)
{
    vg_same s = versions[vg_simd_best()][1]((question){a, b, window, turn});
    return s.same && s.agreeing >= 0.6 && s.structure >= 0.35;
}
