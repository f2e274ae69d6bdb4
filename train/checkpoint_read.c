/* The reading half of checkpoints: nothing is believed. Lengths, offsets, shapes and the checksum
 * are compared before a single weight is taken. */
#include "checkpoint_internal.h"

#include "base/alloc.h"
#include "base/file.h"

#include <errno.h>
#include <float.h>
#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

/* A file in memory, its header parsed. */
typedef struct content {
    const char *path;
    vg_bytes bytes;
    json_t *header, *metadata; /* metadata is borrowed from header */
    const uint8_t *data;
    size_t size;
} content;

static void content_reset(content *c)
{
    json_decref(c->header);
    vg_bytes_reset(&c->bytes);
}

/* The text of a metadata entry, NULL if it is not there. */
static const char *entry(const content *c, const char *key)
{
    return json_string_value(json_object_get(c->metadata, key));
}

static vg_status damaged(const content *c, const char *what, vg_error *err)
{
    return vg_fail(err, VG_E_FORMAT, "%s: metadata entry \"%s\" is missing or damaged", c->path,
                   what);
}

static vg_status read_number(const content *c, const char *key, uint64_t most, uint64_t *value,
                             vg_error *err)
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

static vg_status check_sum(content *c, vg_error *err)
{
    const char *text = entry(c, "xxh64");
    if (!text)
        return damaged(c, "xxh64", err);
    char *end;
    errno = 0;
    uint64_t wanted = strtoull(text, &end, 16);
    if (errno || *end || end == text)
        return damaged(c, "xxh64", err);
    uint64_t found = (uint64_t)XXH64(c->data, c->size, 0) ^ vg_checkpoint_header_hash(c->header);
    if (found != wanted)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: the checksum does not fit (%016" PRIx64 ", expected %016" PRIx64
                       "): the file is damaged",
                       c->path, found, wanted);
    return VG_OK;
}

/* The data must be as long as the header says, so that a cut file is named as such. */
static vg_status check_length(const content *c, vg_error *err)
{
    uint64_t needed = 0;
    const char *name;
    json_t *value;
    json_object_foreach(c->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        json_t *offsets = json_object_get(value, "data_offsets");
        json_int_t end = json_integer_value(json_array_get(offsets, 1));
        if (end < 0)
            return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" has a negative offset", c->path,
                           name);
        needed = (uint64_t)end > needed ? (uint64_t)end : needed;
    }
    if (needed != c->size)
        return vg_fail(
            err, VG_E_FORMAT, "%s: holds %zu bytes of data where %" PRIu64 " are announced: %s",
            c->path, c->size, needed, c->size < needed ? "it was cut off" : "something was added");
    return VG_OK;
}

/* `statistics`: a file of statistics alone will do as well. */
static vg_status content_open(const char *path, bool statistics, content *c, vg_error *err)
{
    *c = (content){.path = path};
    vg_status status = vg_file_read(path, 0, &c->bytes, err);
    if (status)
        return status;
    uint64_t length;
    if (c->bytes.size < sizeof length)
        return vg_fail(err, VG_E_FORMAT, "%s: %zu bytes are too few for a checkpoint", path,
                       c->bytes.size);
    memcpy(&length, c->bytes.data, sizeof length);
    if (length > 100u << 20) /* the format's own limit */
        return vg_fail(err, VG_E_FORMAT,
                       "%s: not a safetensors file (its header would have %" PRIu64 " bytes)", path,
                       length);
    if (length > c->bytes.size - sizeof length)
        return vg_fail(err, VG_E_FORMAT, "%s: cut off within the header (%zu of %" PRIu64 " bytes)",
                       path, c->bytes.size - sizeof length, length);
    json_error_t reason;
    const char *text = (const char *)c->bytes.data + sizeof length;
    c->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &reason);
    if (!json_is_object(c->header))
        return vg_fail(err, VG_E_FORMAT, "%s: not a safetensors file: %s", path,
                       c->header ? "the header is no object" : reason.text);
    c->data = c->bytes.data + sizeof length + length;
    c->size = c->bytes.size - sizeof length - (size_t)length;
    c->metadata = json_object_get(c->header, "__metadata__");
    const char *format = entry(c, "format");
    bool alone = format && strcmp(format, VG_STATISTICS_FORMAT) == 0;
    if (alone && !statistics)
        return vg_fail(err, VG_E_FORMAT, "%s: holds statistics of a normalization, but no network",
                       path);
    if (!alone && (!format || strcmp(format, VG_CHECKPOINT_FORMAT) != 0))
        return vg_fail(err, VG_E_FORMAT,
                       "%s: safetensors, but not a checkpoint of this program (format \"%.40s\", "
                       "expected \"%s\")",
                       path, format ? format : "none", VG_CHECKPOINT_FORMAT);
    status = check_length(c, err);
    return status ? status : check_sum(c, err);
}

static vg_status read_net(const content *c, vg_net_spec *net, vg_error *err)
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

static vg_status read_classes(const content *c, vg_checkpoint *about, vg_error *err)
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
static vg_status read_normalizer(const content *c, int channels, vg_normalizer *n, vg_error *err)
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
static vg_status read_resize(const content *c, vg_checkpoint *about, vg_error *err)
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
static vg_status read_tensor(const content *c, const vg_param *p, bool of_optimizer, vg_error *err)
{
    char name[VG_CHECKPOINT_NAME];
    vg_checkpoint_tensor_name(name, p->name, of_optimizer);
    json_t *tensor = json_object_get(c->header, name);
    if (!tensor)
        return vg_fail(err, VG_E_SHAPE, "%s: lacks the tensor \"%s\"", c->path, name);
    const char *type = json_string_value(json_object_get(tensor, "dtype"));
    if (!type || strcmp(type, "F32") != 0)
        return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" is %.20s, expected F32", c->path, name,
                       type ? type : "of no type");
    json_t *shape = json_object_get(tensor, "shape");
    bool same = json_array_size(shape) == (size_t)p->dims;
    for (int d = 0; same && d < p->dims; d++)
        same = json_integer_value(json_array_get(shape, (size_t)d)) == (json_int_t)p->shape[d];
    if (!same) {
        char *text = json_dumps(shape, JSON_ENCODE_ANY | JSON_COMPACT);
        vg_status status = vg_fail(err, VG_E_SHAPE,
                                   "%s: tensor \"%s\" has shape %.60s, which does not fit the "
                                   "network (%zu values wanted)",
                                   c->path, name, text ? text : "?", p->count);
        free(text);
        return status;
    }
    json_t *offsets = json_object_get(tensor, "data_offsets");
    json_int_t from = json_integer_value(json_array_get(offsets, 0));
    json_int_t to = json_integer_value(json_array_get(offsets, 1));
    size_t size = p->count * sizeof(float);
    if (from < 0 || to < from || (uint64_t)to > c->size || (size_t)(to - from) != size)
        return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" lies outside of its data", c->path,
                       name);
    memcpy(p->value, c->data + from, size);
    return VG_OK;
}

/* The tensors of the normalizations of pixels. */
static vg_status read_pixels(const content *c, vg_checkpoint *about, vg_error *err)
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
static vg_status read_way(const content *c, vg_checkpoint *about, vg_error *err)
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

static vg_status read_description(const content *c, vg_checkpoint *about, vg_error *err)
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
static int count_tensors(const content *c, bool of_optimizer)
{
    int count = 0;
    const char *name;
    json_t *value;
    json_object_foreach(c->header, name, value)
    {
        bool other = strncmp(name, "optimizer.", 10) == 0;
        bool pixels = strncmp(name, VG_PIXEL_TENSOR_PREFIX, strlen(VG_PIXEL_TENSOR_PREFIX)) == 0;
        count += strcmp(name, "__metadata__") != 0 && !pixels && other == of_optimizer;
    }
    return count;
}

static vg_status read_tensors(const content *c, const vg_param *params, int count,
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

vg_status vg_checkpoint_load(const char *path, int max_batch, vg_checkpoint *about,
                             vg_model **model, vg_error *err)
{
    content c;
    *model = NULL;
    *about = (vg_checkpoint){0};
    vg_status status = content_open(path, false, &c, err);
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
        int count;
        const vg_param *params = vg_model_params(*model, &count);
        status = read_tensors(&c, params, count, false, err);
    }
    if (status) {
        vg_model_free(*model);
        *model = NULL;
        vg_checkpoint_reset(about);
    }
    content_reset(&c);
    return status;
}

vg_status vg_statistics_load(const char *path, vg_checkpoint *about, vg_error *err)
{
    content c;
    *about = (vg_checkpoint){0};
    vg_status status = content_open(path, true, &c, err);
    if (!status)
        status = read_way(&c, about, err);
    if (status)
        vg_checkpoint_reset(about);
    content_reset(&c);
    return status;
}

vg_status vg_checkpoint_load_optimizer(const char *path, vg_optimizer *optimizer, vg_error *err)
{
    content c;
    uint64_t steps = 0;
    vg_status status = content_open(path, false, &c, err);
    if (!status && !entry(&c, "optimizer_steps"))
        status = vg_fail(err, VG_E_STATE, "%s: was written without the optimizer's state", path);
    if (!status)
        status = read_number(&c, "optimizer_steps", UINT64_MAX, &steps, err);
    if (!status) {
        int count;
        const vg_param *state = vg_optimizer_state(optimizer, &count);
        status = read_tensors(&c, state, count, true, err);
    }
    if (!status)
        vg_optimizer_set_steps(optimizer, steps);
    content_reset(&c);
    return status;
}
