/* Networks in words: parsing and printing of layers. One line, one layer; a word that means nothing
 * is an error that says what may stand there. */
#include "nn/spec.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORDS = 16, WORD = 32, MOST_OUTPUTS = 65536, MOST_WINDOW = 255, MOST_PADDING = 65535 };

static const char *const kind_names[VG_LAYER_KINDS] = {
    "conv",      "bn",     "relu",    "maxpool",   "avgpool",        "globalpool",
    "dropout",   "dense",  "flatten", "globalmax", "spatialdropout", "groupnorm",
    "layernorm", "add",    "concat",  "leaky",     "prelu",          "elu",
    "selu",      "gelu",   "silu",    "sigmoid",   "tanh",           "exp",
    "softmax",   "linear", "cosine"};

bool vg_layer_is_head(const vg_layer_spec *layer)
{
    return (layer->kind == VG_LAYER_DENSE || layer->kind == VG_LAYER_COSINE) && layer->outputs == 0;
}

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

/* A number in [low, high], nothing behind it. */
static bool real(const char *text, double low, double high, double *value)
{
    char *end;
    double v = strtod(text, &end);
    if (end == text || *end || !(v >= low && v <= high))
        return false;
    *value = v;
    return true;
}

static vg_status refuse(const char *line, const char *word, const char *allowed, vg_error *err)
{
    return vg_fail(err, VG_E_ARG, "layer \"%.80s\": \"%s\" does not fit; expected %s", line, word,
                   allowed);
}

static vg_status parse_conv(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form =
        "conv OUTPUTS kN [sN] [pN] [dN] [gN] [nobias] [whiten [eX]], e.g. \"conv 32 k3 s1 p1\"";
    bool padded = false;
    l->stride = l->dilation = l->groups = 1;
    l->bias = true;
    l->epsilon = 5e-4;
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its outputs; expected %s", line, form);
    if (!number(w->text[1], 0, MOST_OUTPUTS, &l->outputs))
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
            ok = padded = number(t + 1, 0, MOST_PADDING, &l->padding);
        else if (*t == 'd')
            ok = number(t + 1, 1, MOST_WINDOW, &l->dilation);
        else if (*t == 'g')
            ok = number(t + 1, 1, MOST_OUTPUTS, &l->groups);
        else if (strcmp(t, "whiten") == 0)
            ok = l->option = true;
        else if (*t == 'e' && l->option)
            ok = real(t + 1, 0, 1e6, &l->epsilon);
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
    int span = l->dilation * (l->kernel - 1);
    if (!padded)
        l->padding = span / 2;
    if (l->padding > span)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\": padding %d must be less than the kernel %d",
                       line, l->padding, span + 1);
    if (l->outputs == 0 && !l->option)
        return refuse(line, w->text[1], form, err);
    if (l->option && (l->groups > 1 || l->dilation > 1))
        return vg_fail(err, VG_E_ARG,
                       "layer \"%.80s\": a whitening layer takes patches as they are, without "
                       "groups and dilation",
                       line);
    if (l->outputs % l->groups)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\": %d outputs are no multiple of %d groups",
                       line, l->outputs, l->groups);
    return VG_OK;
}

static vg_status parse_pool(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form =
        "a window and perhaps stride and padding, e.g. \"maxpool 2\", \"maxpool 3 s2 p1\"";
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its window; expected %s", line, form);
    if (!number(w->text[1], 1, MOST_WINDOW, &l->kernel))
        return refuse(line, w->text[1], form, err);
    l->stride = l->kernel;
    for (int i = 2; i < w->count; i++) {
        const char *t = w->text[i];
        bool ok = *t == 's' ? number(t + 1, 1, MOST_WINDOW, &l->stride)
                            : *t == 'p' && number(t + 1, 0, l->kernel / 2, &l->padding);
        if (!ok)
            return refuse(line, t, form, err);
    }
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
    static const char *const form = "OUTPUTS [nobias], e.g. \"dense 128\", \"dense classes\" or "
                                    "\"cosine classes\" (never a bias)";
    bool dense = l->kind == VG_LAYER_DENSE;
    l->bias = dense;
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its outputs; expected %s", line, form);
    bool head = strcmp(w->text[1], "classes") == 0;
    if (!head && !number(w->text[1], 1, MOST_OUTPUTS, &l->outputs))
        return refuse(line, w->text[1], form, err);
    for (int i = 2; i < w->count; i++) {
        if (!dense || strcmp(w->text[i], "nobias") != 0)
            return refuse(line, w->text[i], form, err);
        l->bias = false;
    }
    return VG_OK;
}

/* bn [mX] [eX] [noscale], groupnorm GROUPS [eX], layernorm [eX]. */
static vg_status parse_norm(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form[] = {
        "nothing more than a momentum, an epsilon and noscale, e.g. \"bn m0.1 e1e-5 noscale\"",
        "groups of channels and perhaps an epsilon, e.g. \"groupnorm 8 e1e-5\"",
        "nothing more than an epsilon, e.g. \"layernorm e1e-5\""};
    bool batch = l->kind == VG_LAYER_BATCHNORM, group = l->kind == VG_LAYER_GROUPNORM;
    const char *expected = form[batch ? 0 : group ? 1 : 2];
    l->epsilon = 1e-5;
    l->rate = batch ? 0.1 : 0;
    if (group && w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\" lacks its groups; expected %s", line,
                       expected);
    if (group && !number(w->text[1], 1, MOST_OUTPUTS, &l->groups))
        return refuse(line, w->text[1], expected, err);
    for (int i = group ? 2 : 1; i < w->count; i++) {
        const char *t = w->text[i];
        bool ok = *t == 'e' && real(t + 1, 1e-30, 1, &l->epsilon);
        if (batch && *t == 'm')
            ok = real(t + 1, 0, 1, &l->rate);
        if (batch && strcmp(t, "noscale") == 0)
            ok = l->option = true;
        if (!ok)
            return refuse(line, t, expected, err);
    }
    return VG_OK;
}

/* leaky [SLOPE], elu [SLOPE], linear [FACTOR], gelu [tanh], prelu [channels]. */
static vg_status parse_activation(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    bool sloped = l->kind == VG_LAYER_LEAKY || l->kind == VG_LAYER_ELU;
    const char *option = l->kind == VG_LAYER_GELU    ? "tanh"
                         : l->kind == VG_LAYER_PRELU ? "channels"
                                                     : NULL;
    l->rate = l->kind == VG_LAYER_LEAKY ? 0.01 : option ? 0 : 1;
    if (w->count < 2)
        return VG_OK;
    if (w->count > 2)
        return refuse(line, w->text[2], "nothing more", err);
    if (option) {
        l->option = strcmp(w->text[1], option) == 0;
        return l->option ? VG_OK : refuse(line, w->text[1], option, err);
    }
    if (!real(w->text[1], sloped ? 0 : -1e6, 1e6, &l->rate))
        return refuse(line, w->text[1], sloped ? "a slope from 0" : "a factor", err);
    return VG_OK;
}

static bool is_label(const char *text)
{
    size_t n = strlen(text);
    return n > 0 && n < VG_LAYER_LABEL &&
           n == strspn(text, "abcdefghijklmnopqrstuvwxyz"
                             "ABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
}

/* Takes "as NAME" and "from NAME" off the end. */
static vg_status parse_labels(const char *line, words *w, vg_layer_spec *l, vg_error *err)
{
    for (;;) {
        const char *word = w->count > 2 ? w->text[w->count - 2] : "";
        char *into = strcmp(word, "as") == 0 ? l->as : strcmp(word, "from") == 0 ? l->from : NULL;
        if (!into)
            return VG_OK;
        const char *name = w->text[w->count - 1];
        if (!is_label(name) || (into == l->as && strcmp(name, "input") == 0))
            return refuse(line, name, "a name of up to 15 letters, digits and _ (not \"input\")",
                          err);
        snprintf(into, VG_LAYER_LABEL, "%s", name);
        w->count -= 2;
    }
}

static vg_status parse_join(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    static const char *const form = "the name of an output, e.g. \"add x\"";
    if (w->count < 2)
        return vg_fail(err, VG_E_ARG, "layer \"%.80s\": expected %s", line, form);
    if (w->count > 2 || !is_label(w->text[1]))
        return refuse(line, w->text[w->count > 2 ? 2 : 1], form, err);
    snprintf(l->with, sizeof l->with, "%s", w->text[1]);
    return VG_OK;
}

static vg_status unknown_kind(const char *line, const char *word, vg_error *err)
{
    char all[320] = "";
    for (int i = 0; i < VG_LAYER_KINDS; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", kind_names[i]);
    }
    return vg_fail(err, VG_E_ARG, "layer \"%.80s\": there is no \"%s\"; there are: %s", line, word,
                   all);
}

static vg_status parse_kind(const char *line, const words *w, vg_layer_spec *l, vg_error *err)
{
    switch (l->kind) {
    case VG_LAYER_CONV:
        return parse_conv(line, w, l, err);
    case VG_LAYER_MAXPOOL:
    case VG_LAYER_AVGPOOL:
        return parse_pool(line, w, l, err);
    case VG_LAYER_DROPOUT:
    case VG_LAYER_SPATIALDROPOUT:
        return parse_dropout(line, w, l, err);
    case VG_LAYER_DENSE:
    case VG_LAYER_COSINE:
        return parse_dense(line, w, l, err);
    case VG_LAYER_BATCHNORM:
    case VG_LAYER_GROUPNORM:
    case VG_LAYER_LAYERNORM:
        return parse_norm(line, w, l, err);
    case VG_LAYER_ADD:
    case VG_LAYER_CONCAT:
        return parse_join(line, w, l, err);
    case VG_LAYER_LEAKY:
    case VG_LAYER_PRELU:
    case VG_LAYER_ELU:
    case VG_LAYER_GELU:
    case VG_LAYER_LINEAR:
        return parse_activation(line, w, l, err);
    default:
        return w->count > 1 ? refuse(line, w->text[1], "nothing more", err) : VG_OK;
    }
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
        return unknown_kind(line, w.text[0], err);
    *l = (vg_layer_spec){.kind = (vg_layer_kind)kind};
    status = parse_labels(line, &w, l, err);
    return status ? status : parse_kind(line, &w, l, err);
}

int vg_net_spec_find(const vg_net_spec *spec, int count, const char *name)
{
    for (int i = count - 1; i >= 0; i--)
        if (strcmp(spec->layers[i].as, name) == 0)
            return i;
    return strcmp(name, "input") == 0 ? -1 : -2;
}

vg_status vg_net_spec_add(vg_net_spec *spec, const char *words_, vg_error *err)
{
    vg_layer_spec layer;
    vg_status status = parse_layer(words_, &layer, err);
    if (status)
        return status;
    const char *const names[] = {layer.from, layer.with};
    for (int i = 0; i < 2; i++)
        if (names[i][0] && vg_net_spec_find(spec, spec->count, names[i]) < -1)
            return vg_fail(err, VG_E_ARG,
                           "layer \"%.80s\": no layer before it is named \"%s\"; name one with "
                           "\"as %s\" behind its words",
                           words_, names[i], names[i]);
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
static void put_real(vg_line *out, const char *before, double value)
{
    char text[32];
    snprintf(text, sizeof text, "%.6g", value);
    if (strtod(text, NULL) != value)
        snprintf(text, sizeof text, "%.17g", value);
    vg_line_put(out, "%s%s", before, text);
}

/* What stands between the kind and the names. */
static void put_options(vg_line *out, const vg_layer_spec *l)
{
    switch (l->kind) {
    case VG_LAYER_CONV:
        vg_line_put(out, " %d k%d s%d p%d", l->outputs, l->kernel, l->stride, l->padding);
        if (l->dilation > 1)
            vg_line_put(out, " d%d", l->dilation);
        if (l->groups > 1)
            vg_line_put(out, " g%d", l->groups);
        break;
    case VG_LAYER_MAXPOOL:
    case VG_LAYER_AVGPOOL:
        vg_line_put(out, " %d", l->kernel);
        if (l->stride != l->kernel)
            vg_line_put(out, " s%d", l->stride);
        if (l->padding)
            vg_line_put(out, " p%d", l->padding);
        break;
    case VG_LAYER_DENSE:
    case VG_LAYER_COSINE:
        if (l->outputs)
            vg_line_put(out, " %d", l->outputs);
        else
            vg_line_put(out, " classes");
        break;
    case VG_LAYER_DROPOUT:
    case VG_LAYER_SPATIALDROPOUT:
        put_real(out, " ", l->rate);
        break;
    case VG_LAYER_GROUPNORM:
        vg_line_put(out, " %d", l->groups);
        break;
    case VG_LAYER_LEAKY:
        if (l->rate != 0.01)
            put_real(out, " ", l->rate);
        break;
    case VG_LAYER_ELU:
    case VG_LAYER_LINEAR:
        if (l->rate != 1)
            put_real(out, " ", l->rate);
        break;
    case VG_LAYER_BATCHNORM:
        if (l->rate != 0.1)
            put_real(out, " m", l->rate);
        break;
    default:
        break;
    }
}

/* NOLINTNEXTLINE(readability-non-const-parameter): written through out */
void vg_layer_print(const vg_layer_spec *l, char *text, size_t capacity)
{
    vg_line out = vg_line_begin(text, capacity);
    bool norm = l->kind == VG_LAYER_BATCHNORM || l->kind == VG_LAYER_GROUPNORM ||
                l->kind == VG_LAYER_LAYERNORM;
    vg_line_put(&out, "%s", vg_layer_kind_name(l->kind));
    put_options(&out, l);
    if (norm && l->epsilon != 1e-5)
        put_real(&out, " e", l->epsilon);
    if ((l->kind == VG_LAYER_CONV || l->kind == VG_LAYER_DENSE) && !l->bias)
        vg_line_put(&out, " nobias");
    if (l->option)
        vg_line_put(&out, "%s",
                    l->kind == VG_LAYER_BATCHNORM ? " noscale"
                    : l->kind == VG_LAYER_CONV    ? " whiten"
                    : l->kind == VG_LAYER_PRELU   ? " channels"
                                                  : " tanh");
    if (l->kind == VG_LAYER_CONV && l->option && l->epsilon != 5e-4)
        put_real(&out, " e", l->epsilon);
    if (l->with[0])
        vg_line_put(&out, " %s", l->with);
    if (l->from[0])
        vg_line_put(&out, " from %s", l->from);
    if (l->as[0])
        vg_line_put(&out, " as %s", l->as);
}
