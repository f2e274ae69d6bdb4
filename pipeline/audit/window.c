/* A part is cut out and transformed in one step: its cosine coefficients are linear in the pixels, so
 * that resampling to 16 cells and the transform are one matrix for each side (DCT-II, Ahmed, Natarajan
 * and Rao 1974). Mirroring a picture changes the sign of its odd coefficients, turning it swaps them:
 * sums and differences of magnitudes in which neither shows make the vector. Coefficients with both
 * numbers even keep their sign under any mirroring, and so do they here. */
#include "audit/window.h"

#include "base/simd.h"

#include <limits.h>
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <string.h>

enum { CELLS = 16, SIDES = 9 };

/* The stretches of a side that parts are made of: all, first and second half, three of 9/10, three of
 * 8/10. [stretch][wave][pixel] */
static float matrices[SIDES][VG_WAVES][VG_THUMB];
static pthread_once_t once = PTHREAD_ONCE_INIT;

static void stretch_at(int stretch, double *from, double *to)
{
    double side = stretch < 3 ? 0.5 : stretch < 6 ? 0.9 : 0.8;
    *from = stretch == 0 ? 0 : stretch < 3 ? 0.5 * (stretch - 1) : (1 - side) / 2 * (stretch % 3);
    *to = stretch == 0 ? 1 : *from + side;
}

/* Which stretches of x and y make a part. */
static void stretches_of(int part, int *x, int *y)
{
    int crop = part - VG_WINDOW_CROP;
    if (crop >= 0) {
        *x = 3 + crop / 9 * 3 + crop % 3;
        *y = 3 + crop / 9 * 3 + crop / 3 % 3;
        return;
    }
    *x = part == VG_WINDOW_HALF + 2 ? 1 : part == VG_WINDOW_HALF + 3 ? 2 : 0;
    *y = part == VG_WINDOW_HALF ? 1 : part == VG_WINDOW_HALF + 1 ? 2 : 0;
}

vg_window_part vg_window_of(int part)
{
    int x, y;
    vg_window_part w;
    stretches_of(part, &x, &y);
    stretch_at(x, &w.x0, &w.x1);
    stretch_at(y, &w.y0, &w.y1);
    return w;
}

const char *vg_turn_name(int turn)
{
    static const char *const names[VG_TURNS] = {
        [0] = "upright",
        [VG_TURN_SWAP] = "transposed",
        [VG_TURN_X] = "mirrored",
        [VG_TURN_SWAP | VG_TURN_X] = "quarter turn right",
        [VG_TURN_Y] = "upside down mirrored",
        [VG_TURN_SWAP | VG_TURN_Y] = "quarter turn left",
        [VG_TURN_X | VG_TURN_Y] = "half turn",
        [VG_TURN_SWAP | VG_TURN_X | VG_TURN_Y] = "transposed and turned",
    };
    return names[turn];
}

static void make_matrices(void)
{
    for (int s = 0; s < SIDES; s++) {
        double from, to;
        stretch_at(s, &from, &to);
        double start = from * VG_THUMB, cell = (to - from) * VG_THUMB / CELLS;
        for (int u = 0; u < VG_WAVES; u++)
            for (int x = 0; x < VG_THUMB; x++) {
                double sum = 0;
                for (int i = 0; i < CELLS; i++) {
                    double a = fmax(start + i * cell, x), b = fmin(start + (i + 1) * cell, x + 1);
                    if (b > a)
                        sum += (b - a) / cell * cos(acos(-1.0) * (i + 0.5) * u / CELLS);
                }
                matrices[s][u][x] = (float)(sum * (u ? sqrt(2.0 / CELLS) : sqrt(1.0 / CELLS)));
            }
    }
}

/* down[v][x]: the columns of a stretch of rows transformed. Four waves at a time stay in registers. */
static VG_INLINE void transform_down(const float (*picture)[VG_THUMB], int stretch,
                                     float (*down)[VG_THUMB])
{
    for (int v = 0; v < VG_WAVES; v += 2) {
        const float *m0 = matrices[stretch][v], *m1 = matrices[stretch][v + 1];
        float a[VG_THUMB] = {0}, b[VG_THUMB] = {0};
        for (int y = 0; y < VG_THUMB; y++)
            for (int x = 0; x < VG_THUMB; x++) {
                a[x] += m0[y] * picture[y][x];
                b[x] += m1[y] * picture[y][x];
            }
        memcpy(down[v], a, sizeof a);
        memcpy(down[v + 1], b, sizeof b);
    }
}

static VG_INLINE void transform_across(const float (*down)[VG_THUMB], int stretch, float *waves)
{
    for (int v = 0; v < VG_WAVES; v++)
        for (int u = 0; u < VG_WAVES; u++) {
            float lanes[16];
            for (int x = 0; x < 16; x++)
                lanes[x] = down[v][x] * matrices[stretch][u][x] +
                           down[v][x + 16] * matrices[stretch][u][x + 16];
            for (int n = 8; n; n /= 2)
                for (int x = 0; x < n; x++)
                    lanes[x] += lanes[x + n];
            waves[v * VG_WAVES + u] = lanes[0];
        }
}

static VG_INLINE void transform(const uint8_t *thumb, int parts,
                                float (*waves)[VG_WAVES * VG_WAVES])
{
    float picture[VG_THUMB][VG_THUMB], down[SIDES][VG_WAVES][VG_THUMB];
    for (int i = 0; i < VG_THUMB * VG_THUMB; i++)
        picture[i / VG_THUMB][i % VG_THUMB] = (float)thumb[i];
    int stretches = parts > VG_WINDOW_CROP ? SIDES : 3;
    for (int s = 0; s < stretches; s++)
        transform_down((const float(*)[VG_THUMB])picture, s, down[s]);
    for (int p = 0; p < parts; p++) {
        int x, y;
        stretches_of(p, &x, &y);
        transform_across((const float(*)[VG_THUMB])down[y], x, waves[p]);
    }
}

typedef void transformer(const uint8_t *thumb, int parts, float (*waves)[VG_WAVES * VG_WAVES]);

static void transform_plain(const uint8_t *thumb, int parts, float (*waves)[VG_WAVES * VG_WAVES])
{
    transform(thumb, parts, waves);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void transform_avx2(const uint8_t *thumb, int parts,
                                       float (*waves)[VG_WAVES * VG_WAVES])
{
    transform(thumb, parts, waves);
}

VG_FOR_AVX512 static void transform_avx512(const uint8_t *thumb, int parts,
                                           float (*waves)[VG_WAVES * VG_WAVES])
{
    transform(thumb, parts, waves);
}
#endif

static void make_vector(const float *waves, int8_t vector[VG_VECTOR])
{
    static const float half = 0.70710678F;
    int n = 0;
    for (int u = 0; u < VG_WAVES; u++)
        for (int v = u; v < VG_WAVES; v++) {
            float a = waves[v * VG_WAVES + u], b = waves[u * VG_WAVES + v];
            bool even = u % 2 == 0 && v % 2 == 0;
            if (u + v == 0)
                continue;
            if (u == v) {
                vector[n++] = (int8_t)lrintf(127 * (even ? a : fabsf(a)));
                continue;
            }
            if ((u + v) % 2) { /* signs are lost each for itself */
                a = fabsf(a);
                b = fabsf(b);
            }
            float sum = even ? a + b : fabsf(a + b);
            vector[n++] = (int8_t)lrintf(127 * half * sum);
            vector[n++] = (int8_t)lrintf(127 * half * fabsf(a - b));
        }
    while (n < VG_VECTOR)
        vector[n++] = 0;
}

void vg_waves_make(const uint8_t *thumb, int parts_wanted, vg_waves *parts)
{
    static transformer *const versions[] = {
        transform_plain,
#if VG_SIMD_X86
        transform_avx2,
        transform_avx512
#endif
    };
    float all[VG_WINDOWS][VG_WAVES * VG_WAVES];
    pthread_once(&once, make_matrices);
    versions[vg_simd_best()](thumb, parts_wanted, all);
    for (int p = 0; p < parts_wanted; p++) {
        float *waves = all[p];
        double sum = 0;
        waves[0] = 0;
        for (int i = 0; i < VG_WAVES * VG_WAVES; i++)
            sum += (double)waves[i] * (double)waves[i];
        float length = (float)sqrt(sum);
        for (int i = 0; i < VG_WAVES * VG_WAVES; i++) {
            waves[i] = length > 0 ? waves[i] / length : 0;
            parts[p].signed_waves[i] = (int8_t)lrintf(127 * waves[i]);
        }
        parts[p].length = length;
        make_vector(waves, parts[p].vector);
    }
}

float vg_waves_compare(const int8_t *a, const int8_t *b, int *turn)
{
    /* sums by parity of (v, u): the mirrors only change their signs */
    int sums[2][2][2] = {{{0}}}, best = INT_MIN;
    for (int v = 0; v < VG_WAVES; v++)
        for (int u = 0; u < VG_WAVES; u++) {
            sums[0][v % 2][u % 2] += a[v * VG_WAVES + u] * b[v * VG_WAVES + u];
            sums[1][v % 2][u % 2] += a[v * VG_WAVES + u] * b[u * VG_WAVES + v];
        }
    for (int t = 0; t < VG_TURNS; t++) {
        int(*s)[2] = sums[t & VG_TURN_SWAP], x = t & VG_TURN_X ? -1 : 1, y = t & VG_TURN_Y ? -1 : 1;
        int sum = s[0][0] + x * s[0][1] + y * s[1][0] + x * y * s[1][1];
        if (sum > best) {
            best = sum;
            *turn = t;
        }
    }
    return (float)best / (127.0F * 127.0F);
}
