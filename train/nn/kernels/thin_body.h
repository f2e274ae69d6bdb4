/* The innermost loops of conv_thin.c, written once for vectors of WIDTH floats and compiled for each
 * instruction set (define TARGET, WIDTH, THIN_BLOCKS, THIN_TAPS, THIN_GROUP, VECTOR, VECTOR_LOAD, VECTOR_STORE, VECTOR_SET, VECTOR_MADD
 * and VECTOR_RELU, and thin_store and thin_store_largest with THIN_STORES, or they go through memory; then include). 16 columns are 16 / WIDTH vectors; each lane is a chain of its own, so that every set
 * with fused multiply-adds gives the same bits. No include guard: included once a file. */

enum { THIN_PARTS = VG_LANES / WIDTH };
#define THIN_UNROLL _Pragma("GCC unroll 16")

#ifndef THIN_STORES
static VG_INLINE TARGET void thin_spill(const int K, VECTOR (*acc)[THIN_BLOCKS * THIN_PARTS],
                                        const int first, float (*rows)[VG_LANES])
{
    for (int k = 0; k < K; k++)
        for (int p = 0; p < THIN_PARTS; p++)
            VECTOR_STORE(rows[k] + (size_t)p * WIDTH, acc[k][first + p]);
}

/* Up to `left` of 16 pixels. */
static VG_INLINE TARGET void thin_store(const vg_thin_row *r, const int K,
                                        VECTOR (*acc)[THIN_BLOCKS * THIN_PARTS], const int first,
                                        int left, float *y)
{
    float rows[VG_THIN_OUTPUTS][VG_LANES];
    thin_spill(K, acc, first, rows);
    for (int j = 0; j < left && j < VG_LANES; j++, y += r->y_pixel)
        for (int k = 0; k < K; k++)
            y[k] = rows[k][j];
}

static inline float thin_larger(float a, float b)
{
    return a > b || a != a ? a : b;
}

/* The largest of each 2 x 2 pixels of the rows a and b: up to `left` of 8. */
static VG_INLINE TARGET void thin_store_largest(const vg_thin_row *r, const int K,
                                                VECTOR (*a)[THIN_BLOCKS * THIN_PARTS],
                                                VECTOR (*b)[THIN_BLOCKS * THIN_PARTS],
                                                const int blocks, int left, float *y)
{
    float above[VG_THIN_OUTPUTS][VG_LANES], below[VG_THIN_OUTPUTS][VG_LANES];
    (void)blocks;
    thin_spill(K, a, 0, above);
    thin_spill(K, b, 0, below);
    for (int j = 0; j < left && j < VG_LANES / 2; j++, y += r->y_pixel)
        for (int k = 0; k < K; k++) {
            const float *a2 = above[k] + (size_t)j * 2, *b2 = below[k] + (size_t)j * 2;
            y[k] = thin_larger(thin_larger(a2[0], a2[1]), thin_larger(b2[0], b2[1]));
        }
}
#endif

/* acc[output][vector] of `parts` vectors of columns. */
static VG_INLINE TARGET void thin_columns(const vg_thin_row *r, const float *x, const int K,
                                          const int parts, VECTOR (*acc)[THIN_BLOCKS * THIN_PARTS])
{
    THIN_UNROLL for (int k = 0; k < K; k++)
    {
        THIN_UNROLL for (int p = 0; p < parts; p++) acc[k][p] = VECTOR_SET(r->bias[k]);
    }
    const float *w = r->w;
    for (int i = 0; i < r->kernel; i++, x += r->x_row)
        for (int j = 0; j < r->kernel; j++) {
            const float *at = x + j;
            for (int c = 0; c < r->channels; c++, at += r->x_channel, w += VG_LANES) {
                VECTOR v[THIN_BLOCKS * THIN_PARTS];
                THIN_UNROLL for (int p = 0; p < parts; p++) v[p] =
                    VECTOR_LOAD(at + (size_t)p * WIDTH);
                THIN_UNROLL for (int k = 0; k < K; k++)
                {
                    VECTOR each = VECTOR_SET(w[k]);
                    THIN_UNROLL for (int p = 0; p < parts; p++) acc[k][p] =
                        VECTOR_MADD(each, v[p], acc[k][p]);
                }
            }
        }
    if (r->relu) {
        THIN_UNROLL for (int k = 0; k < K; k++)
        {
            THIN_UNROLL for (int p = 0; p < parts; p++) acc[k][p] = VECTOR_RELU(acc[k][p]);
        }
    }
}

static VG_INLINE TARGET void thin_blocks(const vg_thin_row *r, const int K, const int blocks, int q)
{
    VECTOR acc[VG_THIN_OUTPUTS][THIN_BLOCKS * THIN_PARTS];
    thin_columns(r, r->x + q, K, blocks * THIN_PARTS, acc);
    if (r->largest) {
        VECTOR below[VG_THIN_OUTPUTS][THIN_BLOCKS * THIN_PARTS];
        thin_columns(r, r->x + r->x_row + q, K, blocks * THIN_PARTS, below);
        thin_store_largest(r, K, acc, below, blocks, (r->columns - q) / 2,
                           r->y + (size_t)(q / 2) * r->y_pixel);
        return;
    }
    THIN_UNROLL for (int b = 0; b < blocks; b++, q += VG_LANES)
        thin_store(r, K, acc, b * THIN_PARTS, r->columns - q, r->y + (size_t)q * r->y_pixel);
}

static VG_INLINE TARGET void thin_row_body(const vg_thin_row *r, const int K)
{
    for (int q = 0; q < r->columns; q += THIN_BLOCKS * VG_LANES) {
        if (THIN_BLOCKS > 1 && r->columns - q > VG_LANES)
            thin_blocks(r, K, THIN_BLOCKS, q);
        else
            thin_blocks(r, K, 1, q);
    }
}

static TARGET void thin_row(const vg_thin_row *r)
{
    switch (r->outputs) {
    case 1:
        thin_row_body(r, 1);
        break;
    case 2:
        thin_row_body(r, 2);
        break;
    case 3:
        thin_row_body(r, 3);
        break;
    case 4:
        thin_row_body(r, 4);
        break;
    case 5:
        thin_row_body(r, 5);
        break;
    case 6:
        thin_row_body(r, 6);
        break;
    case 7:
        thin_row_body(r, 7);
        break;
    default:
        thin_row_body(r, 8);
    }
}

/* S taps from x on, K outputs from dy on. */
static VG_INLINE TARGET void thin_sums_body(const vg_thin_sums *t, const float *x, const float *dy,
                                            const int S, const int K, float *sums)
{
    VECTOR acc[THIN_TAPS][THIN_GROUP][THIN_PARTS];
    THIN_UNROLL for (int s = 0; s < S; s++)
    {
        THIN_UNROLL for (int k = 0; k < K; k++)
        {
            THIN_UNROLL for (int p = 0; p < THIN_PARTS; p++) acc[s][k][p] = VECTOR_SET(0);
        }
    }
    for (int r = 0; r < t->rows; r++, x += t->x_row, dy += t->dy_output * (size_t)t->outputs)
        for (int q = 0; q < t->columns; q += VG_LANES) {
            VECTOR d[THIN_GROUP][THIN_PARTS];
            THIN_UNROLL for (int k = 0; k < K; k++)
            {
                THIN_UNROLL for (int p = 0; p < THIN_PARTS; p++) d[k][p] =
                    VECTOR_LOAD(dy + (size_t)k * t->dy_output + q + (size_t)p * WIDTH);
            }
            THIN_UNROLL for (int s = 0; s < S; s++)
            {
                THIN_UNROLL for (int p = 0; p < THIN_PARTS; p++)
                {
                    VECTOR v = VECTOR_LOAD(x + q + s + (size_t)p * WIDTH);
                    THIN_UNROLL for (int k = 0; k < K; k++) acc[s][k][p] =
                        VECTOR_MADD(v, d[k][p], acc[s][k][p]);
                }
            }
        }
    THIN_UNROLL for (int s = 0; s < S; s++)
    {
        THIN_UNROLL for (int k = 0; k < K; k++)
        {
            THIN_UNROLL for (int p = 0; p < THIN_PARTS; p++) VECTOR_STORE(
                sums + (size_t)(s * t->outputs + k) * VG_LANES + (size_t)p * WIDTH, acc[s][k][p]);
        }
    }
}

static VG_INLINE TARGET void thin_taps(const vg_thin_sums *t, const float *x, const float *dy,
                                       int taps, const int K, float *sums)
{
    switch (taps) {
    case 1:
        thin_sums_body(t, x, dy, 1, K, sums);
        break;
    case 2:
        thin_sums_body(t, x, dy, 2, K, sums);
        break;
    case 3:
        thin_sums_body(t, x, dy, 3, K, sums);
        break;
    case 4:
        thin_sums_body(t, x, dy, 4, K, sums);
        break;
    default:
        thin_sums_body(t, x, dy, 5, K, sums);
    }
}

static TARGET void thin_sums(const vg_thin_sums *t)
{
    for (int s = 0, taps; s < t->kernel; s += taps) {
        taps = t->kernel - s < THIN_TAPS ? t->kernel - s : THIN_TAPS;
        int k = 0;
        for (; k + THIN_GROUP <= t->outputs; k += THIN_GROUP)
            thin_taps(t, t->x + s, t->dy + (size_t)k * t->dy_output, taps, THIN_GROUP,
                      t->sums + (size_t)(s * t->outputs + k) * VG_LANES);
        for (; k < t->outputs; k++)
            thin_taps(t, t->x + s, t->dy + (size_t)k * t->dy_output, taps, 1,
                      t->sums + (size_t)(s * t->outputs + k) * VG_LANES);
    }
}
