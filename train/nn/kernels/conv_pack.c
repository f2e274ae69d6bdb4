/* Weights of a convolution from and to K C R S. Packed: [group of vectors][channel block][tap][channel]
 * [outputs of the group], in the order in which the kernels read, one pass from front to back. Lanes
 * beyond the last output are zero. */
#include "nn/kernels/conv_geometry.h"

#include <string.h>

static size_t taps_of(const vg_conv *c)
{
    return (size_t)c->kernel * (size_t)c->kernel;
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
    if (vg_conv_is_narrow(c))
        return (size_t)vg_vectors(c->c * c->kernel) * VG_LANES *
               ((size_t)c->k * (size_t)c->kernel + 1);
    /* chains start at zeros, which stand where a bias would */
    return (size_t)vg_vectors(c->c) * VG_LANES * ((size_t)c->k * taps_of(c) + 1);
}

/* Packs `outputs` x `inputs` x the given taps; a place of weight is out * out_step + in * in_step + tap.
 * Of the groups of outputs only those of the part. */
typedef struct packing {
    const float *weight;
    int outputs, inputs;
    size_t out_step, in_step;
    int part, parts;
} packing;

static void pack_group(const packing *p, const int32_t *rs, int taps, int from, int lanes,
                       float *to)
{
    int real = p->outputs - from < lanes ? p->outputs - from : lanes;
    for (int block = 0; block < p->inputs; block += VG_LANES) {
        int end = block + VG_LANES < p->inputs ? block + VG_LANES : p->inputs;
        for (int t = 0; t < taps; t++)
            for (int i = block; i < end; i++, to += lanes) {
                const float *w =
                    p->weight + (size_t)from * p->out_step + (size_t)i * p->in_step + rs[t];
                for (int l = 0; l < real; l++)
                    to[l] = w[(size_t)l * p->out_step];
                for (int l = real; l < lanes; l++)
                    to[l] = 0;
            }
    }
}

static float *pack(const packing *p, const int32_t *rs, int taps, float *to)
{
    int vectors = vg_vectors(p->outputs), groups = vg_ceil(vectors, VG_TILE_VECTORS);
    for (int group = 0, first = 0, width; group < groups; group++, first += width) {
        width = vg_group_width(vectors, first);
        if (group >= groups * p->part / p->parts && group < groups * (p->part + 1) / p->parts)
            pack_group(p, rs, taps, first * VG_LANES, width * VG_LANES, to);
        to += (size_t)p->inputs * (size_t)taps * (size_t)width * VG_LANES;
    }
    return to;
}

void vg_conv_pack_forward(const vg_conv *c, const float *weight, const float *bias, int part,
                          int parts, float *packed)
{
    int32_t rs[VG_CONV_TAPS];
    vg_tap_order(c, rs);
    packing p = {weight, c->k, c->c, (size_t)c->c * taps_of(c), taps_of(c), part, parts};
    float *end = pack(&p, rs, (int)taps_of(c), packed);
    if (part > 0)
        return;
    memset(end, 0, (size_t)vg_vectors(c->k) * VG_LANES * sizeof *end);
    if (bias)
        memcpy(end, bias, (size_t)c->k * sizeof *end);
}

void vg_conv_scale_packed(const vg_conv *c, int values, const float *scale, const float *shift,
                          float *packed)
{
    int vectors = vg_vectors(c->k);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        int from = first * VG_LANES, lanes = width * VG_LANES;
        int real = c->k - from < lanes ? c->k - from : lanes;
        for (size_t i = 0; i < (size_t)values * (size_t)c->c; i++, packed += lanes)
            for (int l = 0; l < real; l++)
                packed[l] *= scale[from + l];
    }
    for (int k = 0; k < c->k; k++)
        packed[k] = packed[k] * scale[k] + shift[k];
}

/* Outputs are (column tap, channel), taps are the kernel's rows. */
static void pack_narrow(const vg_conv *c, const float *weight, float *to)
{
    int outputs = c->c * c->kernel, vectors = vg_vectors(outputs);
    for (int first = 0, width; first < vectors; first += width) {
        width = vg_group_width(vectors, first);
        for (int block = 0; block < c->k; block += VG_LANES) {
            int end = block + VG_LANES < c->k ? block + VG_LANES : c->k;
            for (int r = 0; r < c->kernel; r++)
                for (int k = block; k < end; k++)
                    for (int l = 0; l < width * VG_LANES; l++) {
                        int o = first * VG_LANES + l, s = o / c->c, i = o % c->c;
                        const float *w = weight +
                                         ((size_t)k * (size_t)c->c + (size_t)i) * taps_of(c) +
                                         (size_t)r * (size_t)c->kernel;
                        *to++ = o < outputs ? w[s] : 0;
                    }
        }
    }
    memset(to, 0, (size_t)vectors * VG_LANES * sizeof *to);
}

void vg_conv_pack_backward(const vg_conv *c, const float *weight, int part, int parts,
                           float *packed)
{
    if (vg_conv_is_narrow(c)) {
        if (part == 0)
            pack_narrow(c, weight, packed);
        return;
    }
    int32_t rs[VG_CONV_TAPS];
    packing p = {weight, c->c, c->k, taps_of(c), (size_t)c->c * taps_of(c), part, parts};
    for (int a = 0; a < c->stride; a++)
        for (int b = 0; b < c->stride; b++) {
            int taps = vg_class_taps(c, a, b, rs);
            packed = pack(&p, rs, taps, packed);
        }
    if (part == 0)
        memset(packed, 0, (size_t)vg_vectors(c->c) * VG_LANES * sizeof *packed);
}

/* Adds n floats of the shards in a tree, into the first. */
static void add_shards(float *sum, int shards, size_t stride, size_t n)
{
    for (int step = 1; step < shards; step *= 2)
        for (int s = 0; s + step < shards; s += 2 * step) {
            float *to = sum + (size_t)s * stride;
            const float *from = to + (size_t)step * stride;
            for (size_t i = 0; i < n; i++)
                to[i] += from[i];
        }
}

/* One unit, [tap][channel][lane], to K C R S. */
static void unpack_unit(const vg_conv *c, const vg_unit *u, const int32_t *rs, const float *in,
                        float *dw)
{
    int lanes = u->width * VG_LANES, from = u->first * VG_LANES, taps = (int)taps_of(c);
    int real = c->k - from < lanes ? c->k - from : lanes;
    size_t out_step = (size_t)c->c * taps_of(c);
    float *out = dw + (size_t)from * out_step + (size_t)u->block * VG_LANES * taps_of(c);
    for (int l = 0; l < real; l++, out += out_step)
        for (int t = 0; t < taps; t++)
            for (int i = 0; i < u->channels; i++)
                out[(size_t)i * taps_of(c) + (size_t)rs[t]] =
                    in[((size_t)t * (size_t)u->channels + (size_t)i) * (size_t)lanes + (size_t)l];
}

void vg_conv_unpack_gradient(const vg_conv *c, float *packed, int shards, size_t stride, int part,
                             int parts, float *dw)
{
    int32_t rs[VG_CONV_TAPS];
    vg_tap_order(c, rs);
    int units = vg_conv_gradient_parts(c);
    for (int u = units * part / parts; u < units * (part + 1) / parts; u++) {
        vg_unit unit = vg_unit_at(c, u);
        add_shards(packed + unit.at, shards, stride, unit.floats);
        unpack_unit(c, &unit, rs, packed + unit.at, dw);
    }
}
