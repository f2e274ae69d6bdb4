/* Weights of a convolution from and to K C R S. Packed: [group of vectors][channel block][tap][channel]
 * [outputs of the group], in the order in which the kernels read, one pass from front to back. Lanes
 * beyond the last output are zero. */
#include "nn/kernels/conv_geometry.h"

#include <string.h>

static size_t taps_of(const vg_conv *c)
{
    return (size_t)c->kernel * (size_t)c->kernel;
}

int vg_conv_vectors(const vg_conv *c)
{
    return vg_vectors(c->k);
}

size_t vg_conv_packed_gradient(const vg_conv *c)
{
    return (size_t)vg_vectors(c->k) * VG_LANES * (size_t)c->c * taps_of(c);
}

size_t vg_conv_packed_forward(const vg_conv *c)
{
    return vg_conv_packed_gradient(c) + (size_t)vg_vectors(c->k) * VG_LANES;
}

size_t vg_conv_packed_backward(const vg_conv *c)
{
    /* chains start at zeros, which stand where a bias would */
    return (size_t)vg_vectors(c->c) * VG_LANES * ((size_t)c->k * taps_of(c) + 1);
}

/* Packs `outputs` x `inputs` x the given taps; a place of weight is out * out_step + in * in_step + tap. */
static float *pack(const float *weight, int outputs, int inputs, size_t out_step, size_t in_step,
                   const int32_t *rs, int taps, float *to)
{
    int vectors = vg_vectors(outputs);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        int lanes = width * VG_LANES, from = first * VG_LANES;
        int real = outputs - from < lanes ? outputs - from : lanes;
        for (int block = 0; block < inputs; block += VG_LANES) {
            int end = block + VG_LANES < inputs ? block + VG_LANES : inputs;
            for (int t = 0; t < taps; t++)
                for (int i = block; i < end; i++, to += lanes) {
                    const float *w = weight + (size_t)from * out_step + (size_t)i * in_step + rs[t];
                    for (int l = 0; l < real; l++)
                        to[l] = w[(size_t)l * out_step];
                    for (int l = real; l < lanes; l++)
                        to[l] = 0;
                }
        }
    }
    return to;
}

void vg_conv_pack_forward(const vg_conv *c, const float *weight, const float *bias, float *packed)
{
    int32_t rs[VG_CONV_TAPS];
    vg_tap_order(c, rs);
    int taps = (int)taps_of(c);
    float *end = pack(weight, c->k, c->c, (size_t)c->c * taps_of(c), taps_of(c), rs, taps, packed);
    memset(end, 0, (size_t)vg_vectors(c->k) * VG_LANES * sizeof *end);
    if (bias)
        memcpy(end, bias, (size_t)c->k * sizeof *end);
}

void vg_conv_pack_backward(const vg_conv *c, const float *weight, float *packed)
{
    int32_t rs[VG_CONV_TAPS];
    for (int a = 0; a < c->stride; a++)
        for (int b = 0; b < c->stride; b++) {
            int taps = vg_class_taps(c, a, b, rs);
            packed =
                pack(weight, c->c, c->k, taps_of(c), (size_t)c->c * taps_of(c), rs, taps, packed);
        }
    memset(packed, 0, (size_t)vg_vectors(c->c) * VG_LANES * sizeof *packed);
}

void vg_conv_unpack_gradient(const vg_conv *c, const float *packed, int from, int to, float *dw)
{
    int32_t rs[VG_CONV_TAPS];
    vg_tap_order(c, rs);
    int taps = (int)taps_of(c), vectors = vg_vectors(c->k);
    size_t out_step = (size_t)c->c * taps_of(c);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        int lanes = width * VG_LANES, low = first > from ? first : from,
            high = first + width < to ? first + width : to;
        const float *group = packed + (size_t)first * VG_LANES * out_step;
        for (int v = low; v < high; v++)
            for (int block = 0; block < c->c; block += VG_LANES) {
                int end = block + VG_LANES < c->c ? block + VG_LANES : c->c;
                const float *part = group + (size_t)block * taps_of(c) * (size_t)lanes;
                for (int l = 0; l < VG_LANES && v * VG_LANES + l < c->k; l++) {
                    float *out = dw + (size_t)(v * VG_LANES + l) * out_step;
                    const float *in = part + (size_t)((v - first) * VG_LANES + l);
                    for (int t = 0; t < taps; t++)
                        for (int i = block; i < end; i++, in += lanes)
                            out[(size_t)i * taps_of(c) + (size_t)rs[t]] = *in;
                }
            }
    }
}
