/* Foreign names to our places. The names of a residual net follow from the order of its layers (a convolution that begins
 * elsewhere than at the layer before is a projection, an add ends a block, a projection begins a stage), so that the
 * table serves any width and depth, and custom nets of that kind as well.
 *
 * Nothing is taken before everything was compared: a model is filled as a whole or not at all. */
#include "import.h"

#include "base/alloc.h"
#include "export/safetensors.h"
#include "nn/model_internal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { OURS, RESNET, VGG, SEQUENTIAL, KINDS };
enum { LAYER_NAME = 64 };

static const char *const kind_names[KINDS] = {"variegate", "torchvision ResNet", "torchvision VGG",
                                              "nn.Sequential"};
static const char *const prefixes[] = {"",          "module.", "model.",
                                       "backbone.", "net.",    "module.model."};
enum { PREFIXES = sizeof prefixes / sizeof *prefixes };

/* ---- the names of torchvision's ResNets */

/* Whether the layer is a convolution that does not go on from the layer before it. */
static bool is_projection(const vg_model *m, int i)
{
    return m->layers[i].spec.kind == VG_LAYER_CONV && i > 0 && m->layers[i].source != i - 1;
}

/* The block that a layer is in, from 0; -1 before the first, which begins with the second convolution. */
static int block_of(const vg_model *m, int index)
{
    int convs = 0, block = -1;
    for (int i = 0; i <= index; i++) {
        vg_layer_kind kind = m->layers[i].spec.kind;
        if (kind == VG_LAYER_CONV && ++convs == 2)
            block = 0;
        else if (kind == VG_LAYER_ADD && i < index)
            block++;
    }
    return block;
}

static bool block_projects(const vg_model *m, int block)
{
    for (int i = 0; i < m->count; i++)
        if (is_projection(m, i) && block_of(m, i) == block)
            return true;
    return false;
}

/* The convolution that layer i belongs to: itself, or the one before a batch norm. -1: none. */
static int conv_before(const vg_model *m, int i)
{
    while (i >= 0 && m->layers[i].spec.kind != VG_LAYER_CONV)
        i--;
    return i;
}

static bool is_residual(const vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].spec.kind == VG_LAYER_ADD)
            return true;
    return false;
}

static void resnet_name(const vg_model *m, int index, char *name, size_t capacity)
{
    vg_layer_kind kind = m->layers[index].spec.kind;
    int conv = conv_before(m, index), block = block_of(m, index), stage = 1, place = 0, number = 0;
    const char *what = kind == VG_LAYER_CONV ? "conv" : kind == VG_LAYER_BATCHNORM ? "bn" : NULL;
    if (!is_residual(m) || (index < m->count - 1 && (!what || conv < 0)))
        return;
    if (index == m->count - 1) {
        snprintf(name, capacity, "fc");
        return;
    }
    if (block < 0) {
        snprintf(name, capacity, "%s1", what);
        return;
    }
    for (int b = 1; b <= block; b++) {
        bool begins = block_projects(m, b);
        stage += begins;
        place = begins ? 0 : place + 1;
    }
    for (int i = 0; i <= conv; i++)
        number += m->layers[i].spec.kind == VG_LAYER_CONV && block_of(m, i) == block &&
                  !is_projection(m, i);
    if (is_projection(m, conv))
        snprintf(name, capacity, "layer%d.%d.downsample.%d", stage, place, kind != VG_LAYER_CONV);
    else
        snprintf(name, capacity, "layer%d.%d.%s%d", stage, place, what, number);
}

/* ---- names by place */

static int first_dense(const vg_model *m)
{
    for (int i = 0; i < m->count; i++)
        if (m->layers[i].spec.kind == VG_LAYER_DENSE)
            return i;
    return m->count - 1;
}

/* What stands between maps and dense layers is a module of its own in PyTorch. */
static int place_in_sequence(const vg_model *m, int index)
{
    int dense = first_dense(m);
    for (int i = 0; i < dense; i++)
        if (m->layers[i].spec.kind == VG_LAYER_FLATTEN)
            return index;
    return index < dense ? index : index + 1;
}

void vg_import_layer_name(const vg_model *m, int kind, int layer, char *name, size_t capacity)
{
    int dense = first_dense(m);
    name[0] = '\0';
    if (kind == OURS)
        snprintf(name, capacity, "%s", m->layers[layer].info.name);
    else if (kind == RESNET)
        resnet_name(m, layer, name, capacity);
    else if (kind == VGG)
        snprintf(name, capacity, layer < dense ? "features.%d" : "classifier.%d",
                 layer < dense ? layer : layer - dense);
    else
        snprintf(name, capacity, "%d", place_in_sequence(m, layer));
}

/* ---- comparing */

/* One tensor that the model wants. */
typedef struct wish {
    vg_param *param;
    bool of_head;
    char name[VG_TENSOR_NAME]; /* in the file; empty: such a file has none */
    vg_tensor tensor;
    enum { FOUND, MISSING, UNFIT, FOREIGN_TYPE } state;
} wish;

typedef struct matching {
    const vg_safetensors *file;
    wish *wishes; /* [count] */
    int count, found;
    int kind;
    const char *prefix;
} matching;

/* What another program calls the last layer of a residual net. */
static const char *head_in_file(const vg_safetensors *file, const char *prefix, const char *usual)
{
    static const char *const others[] = {"linear", "classifier", "head"};
    char name[VG_TENSOR_NAME];
    snprintf(name, sizeof name, "%s%s.weight", prefix, usual);
    for (size_t i = 0; !vg_safetensors_has(file, name) && i < sizeof others / sizeof *others; i++) {
        snprintf(name, sizeof name, "%s%s.weight", prefix, others[i]);
        if (vg_safetensors_has(file, name))
            return others[i];
    }
    return usual;
}

/* Names all wishes in one way and counts how many of them the file has. */
static int name_wishes(matching *at, const vg_model *m, int kind, const char *prefix)
{
    int found = 0, next = 0;
    for (int i = 0; i < m->count; i++) {
        char layer[LAYER_NAME];
        const char *shown = layer;
        vg_import_layer_name(m, kind, i, layer, sizeof layer);
        if (kind == RESNET && i == m->count - 1 && layer[0])
            shown = head_in_file(at->file, prefix, layer);
        for (int k = 0; k < m->layers[i].param_count; k++, next++) {
            wish *w = &at->wishes[next];
            const char *dot = strrchr(m->params[next].name, '.');
            w->param = &m->params[next];
            w->of_head = i == m->count - 1;
            w->name[0] = '\0';
            if (*shown && dot)
                snprintf(w->name, sizeof w->name, "%s%s%s", prefix, shown, dot);
            found += w->name[0] && vg_safetensors_has(at->file, w->name);
        }
    }
    return found;
}

static void choose_names(matching *at, const vg_model *m)
{
    for (int kind = 0; kind < KINDS; kind++)
        for (int p = 0; p < PREFIXES; p++) {
            int found = name_wishes(at, m, kind, prefixes[p]);
            if (found > at->found) {
                at->found = found;
                at->kind = kind;
                at->prefix = prefixes[p];
            }
        }
    if (at->found)
        name_wishes(at, m, at->kind, at->prefix);
}

static vg_status look_up(matching *at, vg_error *err)
{
    for (int i = 0; i < at->count; i++) {
        wish *w = &at->wishes[i];
        if (!w->name[0] || !vg_safetensors_has(at->file, w->name)) {
            w->state = MISSING;
            continue;
        }
        vg_status status = vg_safetensors_tensor(at->file, w->name, &w->tensor, err);
        if (status)
            return status;
        bool same = w->tensor.dims == w->param->dims;
        for (int d = 0; same && d < w->param->dims; d++)
            same = w->tensor.shape[d] == w->param->shape[d];
        w->state = !same ? UNFIT : w->tensor.dtype <= VG_DTYPE_BF16 ? FOUND : FOREIGN_TYPE;
    }
    return VG_OK;
}

/* A batch norm without a weight of its own takes none; a convolution's bias may be left out of a file. */
static bool may_miss(const wish *w)
{
    return !w->param->trainable && strstr(w->param->name, ".weight") != NULL;
}

/* ---- telling */

static void list(char *text, size_t capacity, int *count, const char *format, const char *name,
                 const char *found, const char *wanted)
{
    size_t used = strlen(text);
    if (++*count <= VG_IMPORT_LISTED && used < capacity) {
        snprintf(text + used, capacity - used, "%s", used ? ", " : "");
        used = strlen(text);
        snprintf(text + used, capacity - used, format, name, found, wanted);
    } else if (*count == VG_IMPORT_LISTED + 1 && used < capacity) {
        snprintf(text + used, capacity - used, " ...");
    }
}

static void print_param_shape(const vg_param *p, char *text, size_t capacity)
{
    vg_tensor t = {.dims = p->dims};
    for (int d = 0; d < p->dims; d++)
        t.shape[d] = p->shape[d];
    vg_tensor_print_shape(&t, text, capacity);
}

static bool ends_with(const char *name, const char *end)
{
    size_t n = strlen(name), m = strlen(end);
    return n >= m && strcmp(name + n - m, end) == 0;
}

static bool is_wished(const matching *at, const char *name)
{
    for (int i = 0; i < at->count; i++)
        if (strcmp(at->wishes[i].name, name) == 0)
            return true;
    return false;
}

static void tell_unexpected(const matching *at, vg_import_report *report)
{
    static const char *const known[] = {"optimizer.", "normalizer.", "run."};
    const char *name;
    for (void *step = NULL; (name = vg_safetensors_next(at->file, &step));) {
        bool passed = ends_with(name, "num_batches_tracked") || is_wished(at, name);
        for (size_t i = 0; i < sizeof known / sizeof *known; i++)
            passed |= strncmp(name, known[i], strlen(known[i])) == 0;
        if (!passed)
            list(report->unexpected, sizeof report->unexpected, &report->unexpected_count, "%.60s",
                 name, "", "");
    }
}

static void tell(const matching *at, bool drop_head, vg_import_report *report)
{
    char found[100], wanted[100];
    *report = (vg_import_report){.names = kind_names[at->kind], .wanted = at->count};
    for (int i = 0; i < at->count; i++) {
        const wish *w = &at->wishes[i];
        const char *shown = w->name[0] ? w->name : w->param->name;
        report->taken += w->state == FOUND && !(drop_head && w->of_head);
        if (w->state == MISSING && !may_miss(w) && !(drop_head && w->of_head)) {
            list(report->missing, sizeof report->missing, &report->missing_count, "%.60s", shown,
                 "", "");
        } else if (w->state == UNFIT || w->state == FOREIGN_TYPE) {
            vg_tensor_print_shape(&w->tensor, found, sizeof found);
            print_param_shape(w->param, wanted, sizeof wanted);
            if (drop_head && w->of_head) {
                if (!report->head[0])
                    snprintf(report->head, sizeof report->head,
                             "%s is %s there and %s here: the head keeps its initial weights",
                             shown, found, wanted);
            } else {
                list(report->unfit, sizeof report->unfit, &report->unfit_count,
                     "%.60s is %.40s there, %.40s here", shown,
                     w->state == UNFIT ? found : vg_dtype_name(w->tensor.dtype),
                     w->state == UNFIT ? wanted : "F32");
            }
        }
    }
    tell_unexpected(at, report);
}

/* ---- the whole */

static vg_status judge(const matching *at, bool partial, const vg_import_report *r, vg_error *err)
{
    const char *path = at->file->path;
    if (at->found == 0 || r->taken == 0)
        return vg_fail(err, VG_E_SHAPE,
                       "%s: no tensor of it fits this network; it holds %s; names may be those of "
                       "this program, of "
                       "torchvision's ResNets and VGGs, or of an nn.Sequential",
                       path, r->unexpected[0] ? r->unexpected : r->unfit);
    if (partial || (r->missing_count == 0 && r->unfit_count == 0))
        return VG_OK;
    return vg_fail(err, VG_E_SHAPE,
                   "%s (names as %s): %d of %d tensors fit; not in it: %s; of another shape: %s "
                   "(init_partial: true takes what fits)",
                   path, r->names, r->taken, r->wanted, r->missing[0] ? r->missing : "none",
                   r->unfit[0] ? r->unfit : "none");
}

static vg_status take_all(const matching *at, bool drop_head, vg_error *err)
{
    vg_status status = VG_OK;
    for (int i = 0; i < at->count && !status; i++) {
        const wish *w = &at->wishes[i];
        if (w->state == FOUND && !(drop_head && w->of_head))
            status = vg_tensor_floats(&w->tensor, w->param->value, err);
    }
    return status;
}

vg_status vg_import(const char *path, vg_model *model, bool partial, vg_import_report *report,
                    vg_error *err)
{
    vg_safetensors file;
    vg_import_report own = {0};
    vg_status status = vg_safetensors_open(path, &file, err);
    if (status)
        return status;
    matching at = {.file = &file, .prefix = ""};
    vg_model_params(model, &at.count);
    at.wishes = vg_calloc((size_t)at.count + 1, sizeof *at.wishes);
    if (!at.wishes)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for its names", path);
    if (!status && vg_safetensors_note(&file, "xxh64")) /* written by this program */
        status = vg_safetensors_check(&file, err);
    if (!status) {
        choose_names(&at, model);
        status = look_up(&at, err);
    }
    if (!status) {
        bool drop_head = false;
        for (int i = 0; i < at.count; i++)
            drop_head |= at.wishes[i].of_head && at.wishes[i].state == UNFIT;
        report = report ? report : &own;
        tell(&at, drop_head, report);
        status = judge(&at, partial, report, err);
        if (!status)
            status = take_all(&at, drop_head, err);
    }
    free(at.wishes);
    vg_safetensors_close(&file);
    return status;
}
