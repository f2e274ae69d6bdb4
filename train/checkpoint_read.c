/* The reading half of checkpoints: nothing is believed. Lengths, offsets, shapes and the checksum
 * are compared before a single weight is taken. */
#include "checkpoint_internal.h"

#include "base/alloc.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

/* The text of a metadata entry, NULL if it is not there. */
static const char *entry(const vg_safetensors *c, const char *key)
{
    return vg_safetensors_note(c, key);
}

static vg_status damaged(const vg_safetensors *c, const char *what, vg_error *err)
{
    return vg_fail(err, VG_E_FORMAT, "%s: metadata entry \"%s\" is missing or damaged", c->path,
                   what);
}

static vg_status read_number(const vg_safetensors *c, const char *key, uint64_t most,
                             uint64_t *value, vg_error *err)
{
    const char *text = entry(c, key);
    char *end;
    errno = 0;
    if (!text || *text < '0' || *text > '9')
        return damaged(c, key, err);
    unsigned long long v = strtoull(text, &end, 10);
    if (errno || *end || v > most)
        return damaged(c, key, err);
    *value = v;
    return VG_OK;
}

/* `statistics`: a file of statistics alone will do as well. */
vg_status vg_checkpoint_open(const char *path, bool statistics, vg_safetensors *c, vg_error *err)
{
    vg_status status = vg_safetensors_open(path, c, err);
    if (status)
        return status;
    const char *format = entry(c, "format");
    bool alone = format && strcmp(format, VG_STATISTICS_FORMAT) == 0;
    if (alone && !statistics)
        status = vg_fail(err, VG_E_FORMAT,
                         "%s: holds statistics of a normalization, but no network", path);
    else if (!alone && (!format || strcmp(format, VG_CHECKPOINT_FORMAT) != 0))
        status = vg_fail(err, VG_E_FORMAT,
                         "%s: safetensors, but not a checkpoint of this program (format \"%.40s\", "
                         "expected \"%s\")",
                         path, format ? format : "none", VG_CHECKPOINT_FORMAT);
    else
        status = vg_safetensors_check(c, err);
    if (status)
        vg_safetensors_close(c);
    return status;
}

static vg_status read_net(const vg_safetensors *c, vg_net_spec *net, vg_error *err)
{
    const char *text = entry(c, "layers"), *name = entry(c, "net");
    json_t *layers = text ? json_loads(text, 0, NULL) : NULL;
    vg_status status = json_is_array(layers) && name ? VG_OK : damaged(c, "layers", err);
    for (size_t i = 0; !status && i < json_array_size(layers); i++) {
        const char *words = json_string_value(json_array_get(layers, i));
        status = vg_net_spec_add(net, words ? words : "", err);
        if (status)
            vg_fail_in(err, c->path, status);
    }
    if (!status)
        snprintf(net->name, sizeof net->name, "%s", name);
    json_decref(layers);
    return status;
}

static int hex_digit(char c)
{
    return c >= '0' && c <= '9' ? c - '0' : c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/* Undoes %XX. */
static char *decode_name(const char *text)
{
    char *name = vg_strdup(text), *out = name;
    for (const char *p = text; name && *p; p++) {
        int high = *p == '%' ? hex_digit(p[1]) : -1, low = high >= 0 ? hex_digit(p[2]) : -1;
        if (low >= 0) {
            *out++ = (char)(high * 16 + low);
            p += 2;
        } else {
            *out++ = *p;
        }
    }
    if (name)
        *out = '\0';
    return name;
}

static vg_status read_classes(const vg_safetensors *c, vg_checkpoint *about, vg_error *err)
{
    const char *text = entry(c, "classes");
    json_t *names = text ? json_loads(text, 0, NULL) : NULL;
    size_t count = json_array_size(names);
    vg_status status = count >= 2 && count <= 1u << 20 ? VG_OK : damaged(c, "classes", err);
    if (!status) {
        about->class_names = vg_calloc(count, sizeof *about->class_names);
        if (!about->class_names)
            status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for class names", c->path);
    }
    if (!status)
        about->classes = (int)count;
    for (size_t k = 0; !status && k < count; k++) {
        const char *name = json_string_value(json_array_get(names, k));
        if (!name)
            status = damaged(c, "classes", err);
        else if (!(about->class_names[k] = decode_name(name)))
            status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for class names", c->path);
    }
    json_decref(names);
    return status;
}

/* Three numbers in [low, high]: what lies outside of a type must not be converted to it. */
static bool three(json_t *object, const char *key, double low, double high, double *values)
{
    json_t *list = json_object_get(object, key);
    for (size_t i = 0; i < 3; i++) {
        json_t *v = json_array_get(list, i);
        values[i] = json_number_value(v);
        if (!json_is_number(v) || !(values[i] >= low && values[i] <= high))
            return false;
    }
    return true;
}

/* The normalizer walks over as many planes of a picture as it has channels: they must be those of
 * the network's input. */
static vg_status read_normalizer(const vg_safetensors *c, int channels, vg_normalizer *n,
                                 vg_error *err)
{
    const double most = (double)FLT_MAX;
    const char *text = entry(c, "normalizer");
    json_t *object = text ? json_loads(text, 0, NULL) : NULL;
    const char *kind = json_string_value(json_object_get(object, "kind"));
    json_int_t images = json_integer_value(json_object_get(object, "images"));
    double scale[3], offset[3], low[3], high[3];
    bool ok = kind && images >= 0 && channels <= 3 &&
              json_integer_value(json_object_get(object, "channels")) == channels &&
              three(object, "scale", -most, most, scale) &&
              three(object, "offset", -most, most, offset) &&
              three(object, "mean", -most, most, n->mean) &&
              three(object, "std", -most, most, n->std) && three(object, "min", 0, 255, low) &&
              three(object, "max", 0, 255, high);
    vg_status status = ok ? VG_OK : damaged(c, "normalizer", err);
    if (!status) {
        status = vg_normalization_parse(kind, &n->kind, err);
        if (status)
            vg_fail_in(err, c->path, status);
    }
    if (!status) {
        n->channels = channels;
        n->images = (uint64_t)images;
        for (int i = 0; i < 3; i++) {
            n->scale[i] = (float)scale[i];
            n->offset[i] = (float)offset[i];
            n->min[i] = (int)low[i];
            n->max[i] = (int)high[i];
        }
    }
    json_decref(object);
    return status;
}

/* "C H W"; their sense is checked when the model is made. */
static bool read_input(const char *text, vg_checkpoint *about)
{
    int *const sides[3] = {&about->channels, &about->height, &about->width};
    char *end = NULL;
    for (int i = 0; i < 3; i++, text = end) {
        errno = 0;
        long v = strtol(text, &end, 10);
        if (errno || end == text || v < 1 || v > INT32_MAX)
            return false;
        *sides[i] = (int)v;
    }
    return *end == '\0';
}

/* How pictures come to the input's size. */
static vg_status read_resize(const vg_safetensors *c, vg_checkpoint *about, vg_error *err)
{
    const char *resize = entry(c, "resize"), *filter = entry(c, "filter");
    const char *background = entry(c, "background");
    uint64_t shrink = 1;
    about->framing = (vg_framing){0};
    about->background = VG_BACKGROUND_BLACK; /* of files from before there was a choice */
    if (filter && strcmp(filter, VG_CHECKPOINT_FILTER) != 0)
        return vg_fail(
            err, VG_E_FORMAT,
            "%s: was trained on pictures resized by the filter \"%.40s\"; expected \"%s\"", c->path,
            filter, VG_CHECKPOINT_FILTER);
    if (resize && vg_framing_parse(resize, &about->framing, err) != VG_OK)
        return vg_fail_in(err, c->path, VG_E_FORMAT);
    if (background && vg_background_parse(background, &about->background, err) != VG_OK)
        return vg_fail_in(err, c->path, VG_E_FORMAT);
    vg_status status = VG_OK;
    if (entry(c, "max_shrink"))
        status = read_number(c, "max_shrink", 8, &shrink, err);
    about->max_shrink = (int)shrink;
    return status;
}

/* One tensor of the wanted shape. */
static vg_status read_tensor(const vg_safetensors *c, const vg_param *p, bool of_optimizer,
                             vg_error *err)
{
    char name[VG_CHECKPOINT_NAME];
    vg_tensor t;
    vg_checkpoint_tensor_name(name, p->name, of_optimizer);
    vg_status status = vg_safetensors_tensor(c, name, &t, err);
    if (status)
        return status;
    if (t.dtype != VG_DTYPE_F32)
        return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" is %s, expected F32", c->path, name,
                       vg_dtype_name(t.dtype));
    bool same = t.dims == p->dims;
    for (int d = 0; same && d < p->dims; d++)
        same = t.shape[d] == p->shape[d];
    if (!same) {
        char shape[100];
        vg_tensor_print_shape(&t, shape, sizeof shape);
        return vg_fail(err, VG_E_SHAPE,
                       "%s: tensor \"%s\" has shape %s, which does not fit the "
                       "network (%zu values wanted)",
                       c->path, name, shape, p->count);
    }
    return vg_tensor_floats(&t, p->value, err);
}

/* The tensors of the normalizations of pixels. */
static vg_status read_pixels(const vg_safetensors *c, vg_checkpoint *about, vg_error *err)
{
    vg_normalizer *n = &about->normalizer;
    if (!vg_normalization_is_of_pixels(n->kind))
        return VG_OK;
    /* before room is made for a matrix: it must be in the file */
    size_t plane, size, square = 0;
    bool whitens = n->kind == VG_NORMALIZE_ZCA;
    if (!vg_mul_size((size_t)about->height, (size_t)about->width, &plane) ||
        !vg_mul_size(plane, (size_t)about->channels, &size) || size > c->size ||
        (whitens && (!vg_mul_size(size, size, &square) || square > c->size)))
        return vg_fail(err, VG_E_SHAPE, "%s: too short for the statistics of %d x %d x %d pixels",
                       c->path, about->height, about->width, about->channels);
    vg_status status = vg_pixel_stats_new(about->channels, about->height, about->width, whitens,
                                          &about->pixels, err);
    vg_param tensors[VG_PIXEL_TENSORS];
    int count = status ? 0 : vg_checkpoint_pixel_tensors(about->pixels, tensors);
    for (int i = 0; !status && i < count; i++) {
        status = read_tensor(c, &tensors[i], false, err);
        for (size_t k = 0; !status && k < tensors[i].count; k++)
            if (!isfinite(tensors[i].value[k]))
                status = vg_fail(err, VG_E_FORMAT,
                                 "%s: tensor \"%s\" holds a value that is not a "
                                 "finite number",
                                 c->path, tensors[i].name);
    }
    if (status)
        return status;
    json_t *object = json_loads(entry(c, "normalizer"), 0, NULL);
    about->pixels->images = n->images;
    memcpy(about->pixels->std, n->std, sizeof n->std);
    about->pixels->epsilon = json_number_value(json_object_get(object, "epsilon"));
    about->pixels->rank = (size_t)json_integer_value(json_object_get(object, "rank"));
    json_decref(object);
    n->pixels = about->pixels;
    return VG_OK;
}

/* What samples go through before the network. */
static vg_status read_way(const vg_safetensors *c, vg_checkpoint *about, vg_error *err)
{
    const char *input = entry(c, "input");
    vg_status status = input && read_input(input, about) ? VG_OK : damaged(c, "input", err);
    if (!status)
        status = read_resize(c, about, err);
    if (!status)
        status = read_normalizer(c, about->channels, &about->normalizer, err);
    if (!status)
        status = read_pixels(c, about, err);
    return status;
}

static vg_status read_description(const vg_safetensors *c, vg_checkpoint *about, vg_error *err)
{
    uint64_t epoch = 0;
    vg_status status = read_net(c, &about->net, err);
    if (!status)
        status = read_classes(c, about, err);
    if (!status)
        status = read_way(c, about, err);
    if (!status)
        status = read_number(c, "seed", UINT64_MAX, &about->seed, err);
    if (!status)
        status = read_number(c, "step", UINT64_MAX, &about->step, err);
    if (!status)
        status = read_number(c, "epoch", INT32_MAX, &epoch, err);
    about->epoch = (int)epoch;
    return status;
}

/* Tensors of the file that belong to the network (or to the optimizer), not to the normalization. */
static int count_tensors(const vg_safetensors *c, bool of_optimizer)
{
    int count = 0;
    const char *name;
    for (void *at = NULL; (name = vg_safetensors_next(c, &at));) {
        bool other = strncmp(name, "optimizer.", 10) == 0;
        bool pixels = strncmp(name, VG_PIXEL_TENSOR_PREFIX, strlen(VG_PIXEL_TENSOR_PREFIX)) == 0;
        bool of_run = strncmp(name, VG_RUN_TENSOR_PREFIX, strlen(VG_RUN_TENSOR_PREFIX)) == 0;
        count += !pixels && !of_run && other == of_optimizer;
    }
    return count;
}

static vg_status read_tensors(const vg_safetensors *c, const vg_param *params, int count,
                              bool of_optimizer, vg_error *err)
{
    int found = count_tensors(c, of_optimizer);
    for (int i = 0; i < count; i++) {
        vg_status status = read_tensor(c, &params[i], of_optimizer, err);
        if (status)
            return status;
    }
    if (found != count)
        return vg_fail(err, VG_E_SHAPE, "%s: holds %d tensors of the %s, expected %d", c->path,
                       found, of_optimizer ? "optimizer" : "network", count);
    return VG_OK;
}

vg_status vg_checkpoint_read_model(const vg_safetensors *file, vg_model *model, vg_error *err)
{
    int count;
    const vg_param *params = vg_model_params(model, &count);
    return read_tensors(file, params, count, false, err);
}

vg_status vg_checkpoint_load(const char *path, int max_batch, vg_checkpoint *about,
                             vg_model **model, vg_error *err)
{
    vg_safetensors c = {0};
    *model = NULL;
    *about = (vg_checkpoint){0};
    vg_status status = vg_checkpoint_open(path, false, &c, err);
    if (!status)
        status = read_description(&c, about, err);
    if (!status) {
        vg_model_options options = {.channels = about->channels,
                                    .height = about->height,
                                    .width = about->width,
                                    .classes = about->classes,
                                    .max_batch = max_batch,
                                    .init = VG_INIT_ZERO,
                                    .seed = about->seed};
        status = vg_model_new(&about->net, &options, model, err);
        if (status)
            vg_fail_in(err, path, status);
    }
    if (!status) {
        status = vg_checkpoint_read_model(&c, *model, err);
    }
    if (status) {
        vg_model_free(*model);
        *model = NULL;
        vg_checkpoint_reset(about);
    }
    vg_safetensors_close(&c);
    return status;
}

vg_status vg_statistics_load(const char *path, vg_checkpoint *about, vg_error *err)
{
    vg_safetensors c = {0};
    *about = (vg_checkpoint){0};
    vg_status status = vg_checkpoint_open(path, true, &c, err);
    if (!status)
        status = read_way(&c, about, err);
    if (status)
        vg_checkpoint_reset(about);
    vg_safetensors_close(&c);
    return status;
}

vg_status vg_checkpoint_read_optimizer(const vg_safetensors *file, vg_optimizer *optimizer,
                                       vg_error *err)
{
    uint64_t steps = 0;
    if (!entry(file, "optimizer_steps"))
        return vg_fail(err, VG_E_STATE, "%s: was written without the optimizer's state",
                       file->path);
    vg_status status = read_number(file, "optimizer_steps", UINT64_MAX, &steps, err);
    int count;
    const vg_param *state = vg_optimizer_state(optimizer, &count);
    if (!status)
        status = read_tensors(file, state, count, true, err);
    if (!status)
        vg_optimizer_set_steps(optimizer, steps);
    return status;
}

vg_status vg_checkpoint_load_optimizer(const char *path, vg_optimizer *optimizer, vg_error *err)
{
    vg_safetensors c = {0};
    vg_status status = vg_checkpoint_open(path, false, &c, err);
    if (!status)
        status = vg_checkpoint_read_optimizer(&c, optimizer, err);
    vg_safetensors_close(&c);
    return status;
}
