/* Random bits for dropout: Philox4x32-10 (Salmon et al., SC 2011; the scalar twin is in base/rng.c) over
 * 16 counters at once, in plain loops that the vectorizer takes. A place's bits depend on the key and
 * the place alone, not on how the places are cut into calls. */
#include "nn/kernels/kernels.h"

#include <string.h>

enum { LANES = 16, GROUP = 8 * LANES, ROUNDS = 10 };

/* One round is twice two products of 32 bits. */
VG_KERNEL static void draw_group(const uint32_t key[2], uint64_t group, uint32_t threshold,
                                 uint8_t *restrict kept)
{
    uint32_t c[4][LANES], k0 = key[0], k1 = key[1];
    for (uint32_t i = 0; i < LANES; i++) {
        c[0][i] = (uint32_t)(group * LANES) + i; /* a multiple of 16: no carry */
        c[1][i] = (uint32_t)(group * LANES >> 32);
        c[2][i] = c[3][i] = 0;
    }
    for (int round = 0; round < ROUNDS; round++) {
        for (int i = 0; i < LANES; i++) {
            uint64_t p0 = (uint64_t)0xD2511F53u * c[0][i], p1 = (uint64_t)0xCD9E8D57u * c[2][i];
            c[0][i] = (uint32_t)(p1 >> 32) ^ c[1][i] ^ k0;
            c[2][i] = (uint32_t)(p0 >> 32) ^ c[3][i] ^ k1;
            c[1][i] = (uint32_t)p1;
            c[3][i] = (uint32_t)p0;
        }
        k0 += 0x9E3779B9u;
        k1 += 0xBB67AE85u;
    }
    for (int w = 0; w < 4; w++)
        for (int i = 0; i < LANES; i++) {
            kept[2 * w * LANES + i] = (c[w][i] & 0xFFFF) >= threshold;
            kept[(2 * w + 1) * LANES + i] = (c[w][i] >> 16) >= threshold;
        }
}

void vg_draw_kept(const uint32_t key[2], uint32_t threshold, size_t first, size_t n, uint8_t *kept)
{
    uint8_t group[GROUP] = {0};
    for (size_t end = first + n; first < end;) {
        size_t skip = first % GROUP, take = GROUP - skip < end - first ? GROUP - skip : end - first;
        bool whole = take == GROUP;
        draw_group(key, first / GROUP, threshold, whole ? kept : group);
        if (!whole)
            memcpy(kept, group + skip, take);
        kept += take;
        first += take;
    }
}

VG_KERNEL void vg_keep(const float *x, float *y, size_t n, const uint8_t *restrict kept,
                       float scale)
{
    for (size_t i = 0; i < n; i++)
        y[i] = kept[i] ? x[i] * scale : 0;
}
