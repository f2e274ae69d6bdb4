/* Nearest sampling of a span: the pixels are copied next to each other, four bytes at a time, and taken
 * apart in loops that compilers vectorize, compiled once for each machine. */
#include "ops/span.h"

#include <string.h>

enum { SPAN = VG_SAMPLE_SPAN, STEP = VG_STEP };

static VG_INLINE void bring_in(int32_t *restrict at, const int32_t *restrict part, int n,
                               vg_fill fill)
{
    for (int i = 0; i < STEP; i++)
        at[i] += part[i] >> (VG_PLACE_BITS - 1);
    int32_t outside = 0;
    for (int i = 0; i < STEP; i++)
        outside |= (uint32_t)at[i] >= (uint32_t)n;
    if (!outside)
        return;
    if (fill == VG_FILL_WRAP)
        for (int i = 0; i < STEP; i++)
            at[i] = vg_fold(at[i], n, VG_FILL_WRAP);
    else if (fill == VG_FILL_REFLECT)
        for (int i = 0; i < STEP; i++)
            at[i] = vg_fold(at[i], n, VG_FILL_REFLECT);
    else
        for (int i = 0; i < STEP; i++)
            at[i] = vg_fold(at[i], n, VG_FILL_NEAREST);
}

/* The pixels of a step, R in the lowest byte: four bytes at a time, of which compilers make one load where
 * they can, but one by one where that would reach beyond the picture. */
static VG_INLINE void fetch(const vg_view *in, const int32_t *restrict x, const int32_t *restrict y,
                            bool countable, uint32_t *restrict pixel)
{
    const size_t channels = (size_t)in->channels, stride = in->stride;
    const int32_t most = in->width - 2, low = in->height - 1;
    int32_t at[STEP], last = 0;
    for (int i = 0; i < STEP; i++) {
        at[i] = (int32_t)((uint32_t)y[i] * (uint32_t)stride + (uint32_t)(x[i] * in->channels));
        last |= (x[i] > most) & (y[i] >= low);
    }
    if (channels == 3 && !last && countable) {
        for (int i = 0; i < STEP; i++) {
            const uint8_t *p = in->data + at[i];
            pixel[i] =
                (uint32_t)p[0] | (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16 | (uint32_t)p[3] << 24;
        }
        return;
    }
    for (int i = 0; i < STEP; i++) {
        const uint8_t *p = in->data + (size_t)y[i] * stride + channels * (size_t)x[i];
        pixel[i] = p[0];
        if (channels == 3)
            pixel[i] |= (uint32_t)p[1] << 8 | (uint32_t)p[2] << 16;
    }
}

static VG_INLINE void sample(const vg_sample_job *j, vg_places *p, int count, size_t plane,
                             float *restrict out)
{
    const bool countable = vg_counts_in_32_bits(&j->in);
    uint32_t pixel[SPAN];
    float value[SPAN];
    for (int k = 0; k < count; k += STEP) {
        bring_in(p->x + k, p->fx + k, j->in.width, j->fill);
        bring_in(p->y + k, p->fy + k, j->in.height, j->fill);
        fetch(&j->in, p->x + k, p->y + k, countable, pixel + k);
    }
    for (int c = 0; c < j->in.channels; c++) {
        for (int k = 0; k < count; k += STEP)
            for (int i = k; i < k + STEP; i++)
                value[i] = (float)(int32_t)(pixel[i] >> 8 * c & 255);
        memcpy(out + (size_t)c * plane, value, (size_t)count * sizeof *out);
    }
}

static void sample_plain(const vg_sample_job *j, vg_places *p, int count, size_t plane, float *out)
{
    sample(j, p, count, plane, out);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void sample_avx2(const vg_sample_job *j, vg_places *p, int count, size_t plane,
                                    float *out)
{
    sample(j, p, count, plane, out);
}

VG_FOR_AVX512 static void sample_avx512(const vg_sample_job *j, vg_places *p, int count,
                                        size_t plane, float *out)
{
    sample(j, p, count, plane, out);
}
#endif

vg_sample_span *vg_nearest_version(vg_simd simd)
{
#if VG_SIMD_X86
    if (simd == VG_SIMD_AVX512)
        return sample_avx512;
    if (simd == VG_SIMD_AVX2)
        return sample_avx2;
#endif
    (void)simd;
    return sample_plain;
}
