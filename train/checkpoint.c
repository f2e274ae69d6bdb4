/* Checkpoints in safetensors format. Any reader of the format can take the weights; what only this
 * program needs is in the metadata, as strings, because the format allows nothing else there.
 *
 * Nothing is taken from a file that does not fit completely. The description of the network is written
 * here, read in checkpoint_read.c. */
#include "checkpoint_internal.h"

#include "base/alloc.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

void vg_checkpoint_reset(vg_checkpoint *checkpoint)
{
    for (int k = 0; checkpoint->class_names && k < checkpoint->classes; k++)
        free(checkpoint->class_names[k]);
    free(checkpoint->class_names);
    vg_net_spec_reset(&checkpoint->net);
    vg_pixel_stats_release(checkpoint->pixels);
    *checkpoint = (vg_checkpoint){0};
}

/* Class names are file names, which may hold any bytes: what is not plain ASCII text is written as
 * %XX unless the whole name is valid UTF-8, and % always. */
static json_t *encode_name(const char *name)
{
    json_t *probe = json_string(name); /* NULL if this is no UTF-8 */
    bool utf8 = probe != NULL;
    json_decref(probe);
    char *text = vg_alloc(strlen(name) * 3 + 1, 1), *out = text;
    if (!text)
        return NULL;
    for (const unsigned char *p = (const unsigned char *)name; *p; p++) {
        if (*p == '%' || (!utf8 && *p >= 0x80)) {
            static const char digits[] = "0123456789ABCDEF";
            *out++ = '%';
            *out++ = digits[*p >> 4];
            *out++ = digits[*p & 15];
        } else {
            *out++ = (char)*p;
        }
    }
    *out = '\0';
    json_t *encoded = json_string(text);
    free(text);
    return encoded;
}

/* Sets a metadata entry to the text of a JSON value, which is consumed. */
static bool set_json(json_t *metadata, const char *key, json_t *value)
{
    char *text = value ? json_dumps(value, JSON_COMPACT | JSON_SORT_KEYS | JSON_ENCODE_ANY) : NULL;
    json_decref(value);
    bool ok = text && json_object_set_new(metadata, key, json_string(text)) == 0;
    free(text);
    return ok;
}

static bool set_number(json_t *metadata, const char *key, uint64_t value)
{
    char text[32];
    snprintf(text, sizeof text, "%" PRIu64, value);
    return json_object_set_new(metadata, key, json_string(text)) == 0;
}

static bool set_net(json_t *metadata, const vg_net_spec *net)
{
    json_t *layers = json_array();
    bool ok = layers != NULL;
    for (int i = 0; ok && i < net->count; i++) {
        char words[128];
        vg_layer_print(&net->layers[i], words, sizeof words);
        ok = json_array_append_new(layers, json_string(words)) == 0;
    }
    if (!ok) {
        json_decref(layers);
        return false;
    }
    return set_json(metadata, "layers", layers) &&
           json_object_set_new(metadata, "net", json_string(net->name)) == 0;
}

static bool set_classes(json_t *metadata, const vg_checkpoint *about)
{
    json_t *names = json_array();
    bool ok = names != NULL;
    for (int k = 0; ok && k < about->classes; k++)
        ok = json_array_append_new(names, encode_name(about->class_names[k])) == 0;
    if (!ok) {
        json_decref(names);
        return false;
    }
    return set_json(metadata, "classes", names);
}

static json_t *reals(const double *values, int count)
{
    json_t *list = json_array();
    for (int i = 0; list && i < count; i++)
        if (json_array_append_new(list, json_real(values[i])) != 0) { /* NaN is no JSON */
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *normalizer_json(const vg_normalizer *n)
{
    double scale[3], offset[3], low[3], high[3];
    for (int c = 0; c < 3; c++) {
        scale[c] = (double)n->scale[c];
        offset[c] = (double)n->offset[c];
        low[c] = n->min[c];
        high[c] = n->max[c];
    }
    json_t *object = json_pack("{s:s, s:i, s:o, s:o, s:I, s:o, s:o, s:o, s:o}", "kind",
                               vg_normalization_name(n->kind), "channels", n->channels, "scale",
                               reals(scale, 3), "offset", reals(offset, 3), "images",
                               (json_int_t)n->images, "mean", reals(n->mean, 3), "std",
                               reals(n->std, 3), "min", reals(low, 3), "max", reals(high, 3));
    const vg_pixel_stats *p = n->pixels;
    if (object && p && p->matrix &&
        (json_object_set_new(object, "epsilon", json_real(p->epsilon)) != 0 ||
         json_object_set_new(object, "rank", json_integer((json_int_t)p->rank)) != 0)) {
        json_decref(object);
        return NULL;
    }
    return object;
}

int vg_checkpoint_pixel_tensors(const vg_pixel_stats *pixels, vg_param tensors[VG_PIXEL_TENSORS])
{
    if (!pixels)
        return 0;
    const vg_param plane = {.name = VG_PIXEL_TENSOR_PREFIX "mean",
                            .value = pixels->mean,
                            .shape = {pixels->channels, pixels->height, pixels->width},
                            .dims = 3,
                            .count = pixels->size};
    int64_t size = (int64_t)pixels->size;
    tensors[0] = tensors[1] = plane;
    tensors[1].name = VG_PIXEL_TENSOR_PREFIX "scale";
    tensors[1].value = pixels->scale;
    tensors[2] = (vg_param){.name = VG_PIXEL_TENSOR_PREFIX "matrix",
                            .value = pixels->matrix,
                            .shape = {size, size},
                            .dims = 2,
                            .count = pixels->size * pixels->size};
    return pixels->matrix ? 3 : 2;
}

/* What samples go through before the network. */
static bool describe_input(json_t *metadata, const vg_checkpoint *about)
{
    char input[96], resize[40], background[VG_BACKGROUND_TEXT];
    vg_framing_print(&about->framing, resize, sizeof resize);
    snprintf(input, sizeof input, "%d %d %d", about->channels, about->height, about->width);
    return set_json(metadata, "normalizer", normalizer_json(&about->normalizer)) &&
           json_object_set_new(metadata, "input", json_string(input)) == 0 &&
           json_object_set_new(metadata, "resize", json_string(resize)) == 0 &&
           json_object_set_new(metadata, "background",
                               json_string(vg_background_print(about->background, background))) ==
               0 &&
           set_number(metadata, "max_shrink",
                      about->max_shrink > 1 ? (uint64_t)about->max_shrink : 1) &&
           json_object_set_new(metadata, "filter", json_string(VG_CHECKPOINT_FILTER)) == 0 &&
           json_object_set_new(metadata, "channel_order",
                               json_string(about->channels == 3   ? "RGB"
                                           : about->channels == 1 ? "grey"
                                                                  : "planes")) == 0;
}

static bool describe_net(json_t *metadata, const vg_checkpoint *about, vg_optimizer *optimizer)
{
    return json_object_set_new(metadata, "format", json_string(VG_CHECKPOINT_FORMAT)) == 0 &&
           set_net(metadata, &about->net) && set_classes(metadata, about) &&
           set_number(metadata, "seed", about->seed) && set_number(metadata, "step", about->step) &&
           set_number(metadata, "epoch", (uint64_t)about->epoch) &&
           (!optimizer || set_number(metadata, "optimizer_steps", vg_optimizer_steps(optimizer)));
}

/* `dataset` NULL: a checkpoint, else statistics alone. */
static bool describe(json_t *metadata, const vg_checkpoint *about, vg_optimizer *optimizer,
                     const char *dataset)
{
    if (!describe_input(metadata, about))
        return false;
    if (!dataset)
        return describe_net(metadata, about, optimizer);
    return json_object_set_new(metadata, "format", json_string(VG_STATISTICS_FORMAT)) == 0 &&
           json_object_set_new(metadata, "dataset", encode_name(dataset)) == 0;
}

void vg_checkpoint_tensor_name(char *name, const char *param, bool of_optimizer)
{
    snprintf(name, VG_CHECKPOINT_NAME, "%s%s", of_optimizer ? "optimizer." : "", param);
}

/* What is written, one after the other. */
typedef struct content {
    vg_tensor *tensors;
    char (*names)[VG_CHECKPOINT_NAME];
    size_t count;
} content;

static void add_params(content *all, const vg_param *params, int count, bool of_optimizer)
{
    for (int i = 0; i < count; i++) {
        const vg_param *p = &params[i];
        vg_tensor *t = &all->tensors[all->count];
        vg_checkpoint_tensor_name(all->names[all->count], p->name, of_optimizer);
        *t = (vg_tensor){.name = all->names[all->count++],
                         .dtype = VG_DTYPE_F32,
                         .dims = p->dims,
                         .count = p->count,
                         .data = p->value};
        for (int d = 0; d < p->dims; d++)
            t->shape[d] = p->shape[d];
    }
}

/* model, optimizer and extra may be NULL; dataset: of statistics alone. */
static vg_status write_file(const char *path, const vg_checkpoint *about, vg_model *model,
                            vg_optimizer *optimizer, const vg_checkpoint_extra *extra,
                            const char *dataset, vg_error *err)
{
    int params = 0, states = 0;
    vg_param pixels[VG_PIXEL_TENSORS];
    const vg_param *param = model ? vg_model_params(model, &params) : NULL;
    const vg_param *state = optimizer ? vg_optimizer_state(optimizer, &states) : NULL;
    int planes = vg_checkpoint_pixel_tensors(about->normalizer.pixels, pixels);
    size_t more = extra ? extra->count : 0, most = (size_t)(params + states + planes) + more;
    content all = {.tensors = vg_calloc(most, sizeof *all.tensors),
                   .names = vg_calloc(most, sizeof *all.names)};
    json_t *metadata = json_object();
    bool ok = all.tensors && all.names && metadata && describe(metadata, about, optimizer, dataset);
    for (size_t i = 0; ok && extra && i < extra->note_count; i++)
        ok = json_object_set_new(metadata, extra->keys[i], json_string(extra->notes[i])) == 0;
    vg_status status = VG_OK;
    if (ok) {
        add_params(&all, param, params, false);
        add_params(&all, state, states, true);
        add_params(&all, pixels, planes, false);
        if (more)
            memcpy(all.tensors + all.count, extra->tensors, more * sizeof *all.tensors);
        status = vg_safetensors_write(path, metadata, all.tensors, all.count + more, err);
    } else {
        json_decref(metadata);
        status = vg_fail(err, VG_E_NOMEM, "%s: the header could not be made", path);
    }
    free(all.tensors);
    free(all.names);
    return status;
}

vg_status vg_checkpoint_save(const char *path, const vg_checkpoint *about, vg_model *model,
                             vg_optimizer *optimizer, vg_error *err)
{
    return write_file(path, about, model, optimizer, NULL, NULL, err);
}

vg_status vg_checkpoint_save_with(const char *path, const vg_checkpoint *about, vg_model *model,
                                  vg_optimizer *optimizer, const vg_checkpoint_extra *extra,
                                  vg_error *err)
{
    return write_file(path, about, model, optimizer, extra, NULL, err);
}

vg_status vg_statistics_save(const char *path, const vg_checkpoint *about, const char *dataset,
                             vg_error *err)
{
    return write_file(path, about, NULL, NULL, NULL, dataset, err);
}
