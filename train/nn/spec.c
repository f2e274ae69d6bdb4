/* Networks in words: parsing and printing of layers. One line, one layer; a word that means nothing
 * is an error that says what may stand there. */
#include "nn/spec.h"

#include "base/alloc.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 8, WORD = 32, MOST_OUTPUTS = 65536, MOST_WINDOW = 255 };

static const char *const kind_names[VG_LAYER_KINDS] = {
    "conv", "bn", "relu", "maxpool", "avgpool", "globalpool", "dropout", "dense", "flatten"};

const char *vg_layer_kind_name(vg_layer_kind kind)
{
    return (unsigned)kind < VG_LAYER_KINDS ? kind_names[kind] : "unknown";
}

typedef struct words {
    char text[WORDS][WORD];
    int count;
} words;

static vg_status split(const char *line, words *out, vg_error *err)
{
    out->count = 0;
    for (const char *p = line; *p;) {
        p += strspn(p, " \t");
        size_t n = strcspn(p, " \t");
        if (n == 0)
            break;
        if (out->count == WORDS || n >= WORD)
            return vg_fail(err, VG_E_ARG, "layer \"%.80s\": too many or too long words", line);
        memcpy(out->text[out->count], p, n);
        out->text[out->count++][n] = '\0';
        p += n;
    }
    if (out->count == 0)
        return vg_fail(err, VG_E_ARG, "an empty line where a layer should stand");
    return VG_OK;
}

/* A whole number in [low, high], nothing behind it. */
static bool number(const char *text, int low, int high, int *value)
{
    if (*text < '0' || *text > '9')
        return false;
    char *end;
    errno = 0;
    long v = strtol(text, &end, 10);
    if (errno || *end || v < low || v > high)
        return false;
    *value = (int)v;
    return true;
}

static vg_status refuse(const char *line, const char *word, const char *allowed, vg_error *err)
{
    return vg_fail(err, VG_E_ARG, "layer \"%.80s\": \"%s\" does not fit; expected %s", line, word,
                   allowed);
}

static vg_status parse_conv(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form = "conv OUTPUTS kN [sN] [pN] [nobias], e.g. \"conv 32 k3 s1 p1\"";
    bool padded = false;
    l->stride = 1;
    l->bias = true;
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its outputs; expected %s", line, form);
    if (!number(w->text[1], 1, MOST_OUTPUTS, &l->outputs))
        return refuse(line, w->text[1], form, err);
    for (int i = 2; i < w->count; i++) {
        const char *t = w->text[i];
        bool ok = strcmp(t, "nobias") == 0;
        if (ok)
            l->bias = false;
        else if (*t == 'k')
            ok = number(t + 1, 1, MOST_WINDOW, &l->kernel);
        else if (*t == 's')
            ok = number(t + 1, 1, MOST_WINDOW, &l->stride);
        else if (*t == 'p')
            ok = padded = number(t + 1, 0, MOST_WINDOW, &l->padding);
        if (!ok)
            return refuse(line, t, form, err);
    }
    if (l->kernel == 0)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its kernel size; expected %s", line,
                       form);
    if (!padded && l->kernel % 2 == 0)
        return vg_fail(err, VG_E_ARG,
                       "layer \"%.80s\": an even kernel cannot keep the size by itself; say its "
                       "padding, e.g. p%d",
                       line, l->kernel / 2);
    if (!padded)
        l->padding = (l->kernel - 1) / 2;
    if (l->padding >= l->kernel)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\": padding %d must be less than the kernel %d",
                       line, l->padding, l->kernel);
    return VG_OK;
}

static vg_status parse_pool(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form =
        "a window and perhaps a stride, e.g. \"maxpool 2\", \"maxpool 3 s2\"";
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its window; expected %s", line, form);
    if (!number(w->text[1], 1, MOST_WINDOW, &l->kernel))
        return refuse(line, w->text[1], form, err);
    l->stride = l->kernel;
    for (int i = 2; i < w->count; i++)
        if (w->text[i][0] != 's' || !number(w->text[i] + 1, 1, MOST_WINDOW, &l->stride))
            return refuse(line, w->text[i], form, err);
    return VG_OK;
}

static vg_status parse_dropout(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form = "a rate from 0 to below 1, e.g. \"dropout 0.25\"";
    if (w->count != 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\": expected %s", line, form);
    char *end;
    l->rate = strtod(w->text[1], &end);
    if (end == w->text[1] || *end || !(l->rate >= 0 && l->rate <= 0.9999))
        return refuse(line, w->text[1], form, err);
    return VG_OK;
}

static vg_status parse_dense(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form = "dense OUTPUTS [nobias], e.g. \"dense 128\"";
    l->bias = true;
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its outputs; expected %s", line, form);
    if (!number(w->text[1], 1, MOST_OUTPUTS, &l->outputs))
        return refuse(line, w->text[1], form, err);
    for (int i = 2; i < w->count; i++) {
        if (strcmp(w->text[i], "nobias") != 0)
            return refuse(line, w->text[i], form, err);
        l->bias = false;
    }
    return VG_OK;
}

static vg_status parse_layer(const char *line, vg_layer_spec *l, vg_error *err)
{
    words w;
    vg_status status = split(line, &w, err);
    if (status)
        return status;
    int kind = 0;
    while (kind < VG_LAYER_KINDS && strcmp(w.text[0], kind_names[kind]) != 0)
        kind++;
    if (kind == VG_LAYER_KINDS)
        return vg_fail(err, VG_E_ARG,
                       "layer \"%.80s\": there is no \"%s\"; there are: conv, bn, relu, maxpool, "
                       "avgpool, globalpool, dropout, dense, flatten",
                       line, w.text[0]);
    *l = (vg_layer_spec){.kind = (vg_layer_kind)kind};
    switch (l->kind) {
    case VG_LAYER_CONV:
        return parse_conv(line, &w, l, err);
    case VG_LAYER_MAXPOOL:
    case VG_LAYER_AVGPOOL:
        return parse_pool(line, &w, l, err);
    case VG_LAYER_DROPOUT:
        return parse_dropout(line, &w, l, err);
    case VG_LAYER_DENSE:
        return parse_dense(line, &w, l, err);
    default:
        return w.count > 1 ? refuse(line, w.text[1], "nothing more", err) : VG_OK;
    }
}

vg_status vg_net_spec_add(vg_net_spec *spec, const char *words_, vg_error *err)
{
    vg_layer_spec layer;
    vg_status status = parse_layer(words_, &layer, err);
    if (status)
        return status;
    vg_layer_spec *layers = vg_realloc(spec->layers, (size_t)spec->count + 1, sizeof *layers);
    if (!layers)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d layers", spec->count + 1);
    spec->layers = layers;
    spec->layers[spec->count++] = layer;
    if (!spec->name[0])
        snprintf(spec->name, sizeof spec->name, "custom");
    return VG_OK;
}

void vg_net_spec_reset(vg_net_spec *spec)
{
    free(spec->layers);
    *spec = (vg_net_spec){0};
}

vg_status vg_net_spec_copy(const vg_net_spec *from, vg_net_spec *to, vg_error *err)
{
    size_t count = (size_t)from->count;
    vg_layer_spec *layers = vg_alloc(count, sizeof *layers);
    if (!layers)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu layers", count);
    if (count)
        memcpy(layers, from->layers, count * sizeof *layers);
    *to = *from;
    to->layers = layers;
    return VG_OK;
}

/* Short where that reads back as the same number: a stored job must give the same training again. */
static void print_rate(double rate, char *text, size_t capacity)
{
    snprintf(text, capacity, "%.6g", rate);
    if (strtod(text, NULL) != rate)
        snprintf(text, capacity, "%.17g", rate);
}

void vg_layer_print(const vg_layer_spec *l, char *text, size_t capacity)
{
    char rate[32];
    const char *name = vg_layer_kind_name(l->kind), *bias = l->bias ? "" : " nobias";
    switch (l->kind) {
    case VG_LAYER_CONV:
        snprintf(text, capacity, "%s %d k%d s%d p%d%s", name, l->outputs, l->kernel, l->stride,
                 l->padding, bias);
        break;
    case VG_LAYER_MAXPOOL:
    case VG_LAYER_AVGPOOL:
        if (l->stride == l->kernel)
            snprintf(text, capacity, "%s %d", name, l->kernel);
        else
            snprintf(text, capacity, "%s %d s%d", name, l->kernel, l->stride);
        break;
    case VG_LAYER_DROPOUT:
        print_rate(l->rate, rate, sizeof rate);
        snprintf(text, capacity, "%s %s", name, rate);
        break;
    case VG_LAYER_DENSE:
        snprintf(text, capacity, "%s %d%s", name, l->outputs, bias);
        break;
    default:
        snprintf(text, capacity, "%s", name);
        break;
    }
}
