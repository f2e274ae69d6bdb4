/* Checkpoints in safetensors format: 8 bytes of header length, a JSON header, little-endian floats.
 * Any reader of the format can take the weights; what only this program needs is in the metadata,
 * as strings, because the format allows nothing else there.
 *
 * The checksum covers the data and the header without the checksum itself, so that neither a wrong
 * weight nor a wrong mean can go unnoticed. Nothing is taken from a file that does not fit
 * completely. The description of the network is written here, read in checkpoint_read.c. */
#include "checkpoint_internal.h"

#include "base/alloc.h"
#include "base/file.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data are little-endian; this machine is not"
#endif

void vg_checkpoint_reset(vg_checkpoint *checkpoint)
{
    for (int k = 0; checkpoint->class_names && k < checkpoint->classes; k++)
        free(checkpoint->class_names[k]);
    free(checkpoint->class_names);
    vg_net_spec_reset(&checkpoint->net);
    vg_pixel_stats_release(checkpoint->pixels);
    *checkpoint = (vg_checkpoint){0};
}

uint64_t vg_checkpoint_header_hash(json_t *header)
{
    json_t *metadata = json_object_get(header, "__metadata__");
    json_t *sum = json_incref(json_object_get(metadata, "xxh64"));
    json_object_del(metadata, "xxh64");
    char *text = json_dumps(header, JSON_COMPACT | JSON_SORT_KEYS);
    uint64_t hash = text ? XXH64(text, strlen(text), 0) : 0;
    free(text);
    if (sum)
        json_object_set_new(metadata, "xxh64", sum);
    return hash;
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

/* What is written, one after the other. */
enum { OF_MODEL, OF_OPTIMIZER, OF_PIXELS, SETS };
typedef struct content {
    const vg_param *params[SETS];
    int counts[SETS];
    vg_param pixels[VG_PIXEL_TENSORS];
} content;

static bool add_tensors(json_t *header, const content *all, XXH64_state_t *hash)
{
    uint64_t at = 0;
    for (int set = 0; set < SETS; set++)
        for (int i = 0; i < all->counts[set]; i++) {
            const vg_param *p = &all->params[set][i];
            char name[VG_CHECKPOINT_NAME];
            vg_checkpoint_tensor_name(name, p->name, set == OF_OPTIMIZER);
            json_t *shape = json_array();
            for (int d = 0; d < p->dims; d++)
                json_array_append_new(shape, json_integer((json_int_t)p->shape[d]));
            uint64_t size = p->count * sizeof(float), end = at + size;
            json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", "F32", "shape", shape,
                                      "data_offsets", (json_int_t)at, (json_int_t)end);
            if (!entry || json_object_set_new(header, name, entry) != 0)
                return false;
            XXH64_update(hash, p->value, size);
            at = end;
        }
    return true;
}

void vg_checkpoint_tensor_name(char *name, const char *param, bool of_optimizer)
{
    snprintf(name, VG_CHECKPOINT_NAME, "%s%s", of_optimizer ? "optimizer." : "", param);
}

/* The header's text, padded so that the data are aligned; NULL if memory ran out. */
static char *make_header(const vg_checkpoint *about, const content *all, vg_optimizer *optimizer,
                         const char *dataset)
{
    json_t *header = json_object(), *metadata = json_object();
    XXH64_state_t *hash = XXH64_createState();
    char *text = NULL, *padded = NULL;
    bool ok = header && metadata && hash;
    if (!ok)
        json_decref(metadata); /* the next line takes it, also when it fails */
    if (!ok || json_object_set_new(header, "__metadata__", metadata) != 0) {
        json_decref(header);
        XXH64_freeState(hash);
        return NULL;
    }
    XXH64_reset(hash, 0);
    ok = describe(metadata, about, optimizer, dataset) && add_tensors(header, all, hash);
    if (ok) {
        char sum[40];
        snprintf(sum, sizeof sum, "%016" PRIx64,
                 (uint64_t)XXH64_digest(hash) ^ vg_checkpoint_header_hash(header));
        ok = json_object_set_new(metadata, "xxh64", json_string(sum)) == 0;
    }
    if (ok)
        text = json_dumps(header, JSON_COMPACT);
    if (text) {
        size_t n = strlen(text), whole = (n + 7) / 8 * 8;
        padded = vg_alloc(whole + 1, 1);
        if (padded) {
            memcpy(padded, text, n);
            memset(padded + n, ' ', whole - n);
            padded[whole] = '\0';
        }
    }
    free(text);
    XXH64_freeState(hash);
    json_decref(header);
    return padded;
}

static vg_status write_file(const char *path, const vg_checkpoint *about, content *all,
                            vg_optimizer *optimizer, const char *dataset, vg_error *err)
{
    all->counts[OF_PIXELS] = vg_checkpoint_pixel_tensors(about->normalizer.pixels, all->pixels);
    all->params[OF_PIXELS] = all->pixels;
    char *header = make_header(about, all, optimizer, dataset);
    if (!header)
        return vg_fail(err, VG_E_NOMEM, "%s: the header could not be made", path);
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status) {
        free(header);
        return status;
    }
    uint64_t length = strlen(header);
    fwrite(&length, sizeof length, 1, file.stream);
    fwrite(header, 1, (size_t)length, file.stream);
    for (int set = 0; set < SETS; set++)
        for (int i = 0; i < all->counts[set]; i++)
            fwrite(all->params[set][i].value, sizeof(float), all->params[set][i].count,
                   file.stream);
    free(header);
    return vg_atomic_commit(&file, err); /* a short write is found there */
}

vg_status vg_checkpoint_save(const char *path, const vg_checkpoint *about, vg_model *model,
                             vg_optimizer *optimizer, vg_error *err)
{
    content all = {0};
    all.params[OF_MODEL] = vg_model_params(model, &all.counts[OF_MODEL]);
    if (optimizer)
        all.params[OF_OPTIMIZER] = vg_optimizer_state(optimizer, &all.counts[OF_OPTIMIZER]);
    return write_file(path, about, &all, optimizer, NULL, err);
}

vg_status vg_statistics_save(const char *path, const vg_checkpoint *about, const char *dataset,
                             vg_error *err)
{
    content all = {0};
    return write_file(path, about, &all, NULL, dataset, err);
}
