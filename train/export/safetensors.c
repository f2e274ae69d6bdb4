/* Safetensors, read and written. The whole file is held in memory: networks that are trained on a CPU are small, and a
 * checksum wants every byte anyway.
 *
 * The checksum covers the data and the header without the checksum itself, so that neither a wrong weight nor a
 * wrong mean can go unnoticed. Types that nothing here can use (bool, 8-bit floats) are refused by name. */
#include "export/safetensors.h"

#include "base/alloc.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>
#include <xxhash.h>

#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ != __ORDER_LITTLE_ENDIAN__
#error "safetensors data are little-endian; this machine is not"
#endif

static const struct {
    const char *name;
    size_t size;
} types[] = {{"F32", 4}, {"F64", 8}, {"F16", 2}, {"BF16", 2}, {"I64", 8}, {"U8", 1}};
_Static_assert(sizeof types / sizeof *types == VG_DTYPES, "a type without a name");

const char *vg_dtype_name(vg_dtype dtype)
{
    return types[dtype].name;
}

size_t vg_dtype_size(vg_dtype dtype)
{
    return types[dtype].size;
}

/* ---- reading */

/* The data must be as long as the header says, so that a cut file is named as such. */
static vg_status check_length(const vg_safetensors *f, vg_error *err)
{
    uint64_t needed = 0;
    const char *name;
    json_t *value;
    json_object_foreach(f->header, name, value)
    {
        if (strcmp(name, "__metadata__") == 0)
            continue;
        json_t *offsets = json_object_get(value, "data_offsets");
        json_int_t end = json_integer_value(json_array_get(offsets, 1));
        if (end < 0)
            return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" has a negative offset", f->path,
                           name);
        needed = (uint64_t)end > needed ? (uint64_t)end : needed;
    }
    if (needed != f->size)
        return vg_fail(
            err, VG_E_FORMAT, "%s: holds %zu bytes of data where %" PRIu64 " are announced: %s",
            f->path, f->size, needed, f->size < needed ? "it was cut off" : "something was added");
    return VG_OK;
}

static vg_status parse(vg_safetensors *f, vg_error *err)
{
    uint64_t length;
    if (f->bytes.size < sizeof length)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: not a safetensors file: %zu bytes are too few for a checkpoint",
                       f->path, f->bytes.size);
    memcpy(&length, f->bytes.data, sizeof length);
    if (length > 100u << 20) /* the format's own limit */
        return vg_fail(err, VG_E_FORMAT,
                       "%s: not a safetensors file (its header would have %" PRIu64 " bytes)",
                       f->path, length);
    if (length > f->bytes.size - sizeof length)
        return vg_fail(err, VG_E_FORMAT, "%s: cut off within the header (%zu of %" PRIu64 " bytes)",
                       f->path, f->bytes.size - sizeof length, length);
    json_error_t reason;
    const char *text = (const char *)f->bytes.data + sizeof length;
    f->header = json_loadb(text, (size_t)length, JSON_REJECT_DUPLICATES, &reason);
    if (!json_is_object(f->header))
        return vg_fail(err, VG_E_FORMAT, "%s: not a safetensors file: %s", f->path,
                       f->header ? "the header is no object" : reason.text);
    f->data = f->bytes.data + sizeof length + length;
    f->size = f->bytes.size - sizeof length - (size_t)length;
    f->metadata = json_object_get(f->header, "__metadata__");
    return check_length(f, err);
}

vg_status vg_safetensors_open(const char *path, vg_safetensors *file, vg_error *err)
{
    *file = (vg_safetensors){.path = path};
    vg_status status = vg_file_read(path, 0, &file->bytes, err);
    if (!status)
        status = parse(file, err);
    if (status)
        vg_safetensors_close(file);
    return status;
}

void vg_safetensors_close(vg_safetensors *file)
{
    json_decref(file->header);
    vg_bytes_reset(&file->bytes);
    *file = (vg_safetensors){0};
}

uint64_t vg_safetensors_header_hash(json_t *header)
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

vg_status vg_safetensors_check(const vg_safetensors *f, vg_error *err)
{
    const char *text = vg_safetensors_note(f, "xxh64");
    char *end = NULL;
    errno = 0;
    uint64_t wanted = text ? strtoull(text, &end, 16) : 0;
    if (!text || errno || *end || end == text)
        return vg_fail(err, VG_E_FORMAT, "%s: metadata entry \"xxh64\" is missing or damaged",
                       f->path);
    uint64_t found = (uint64_t)XXH64(f->data, f->size, 0) ^ vg_safetensors_header_hash(f->header);
    if (found != wanted)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: the checksum does not fit (%016" PRIx64 ", expected %016" PRIx64
                       "): the file is damaged",
                       f->path, found, wanted);
    return VG_OK;
}

const char *vg_safetensors_note(const vg_safetensors *f, const char *key)
{
    return json_string_value(json_object_get(f->metadata, key));
}

const char *vg_safetensors_next(const vg_safetensors *f, void **at)
{
    for (;;) {
        *at = *at ? json_object_iter_next(f->header, *at) : json_object_iter(f->header);
        if (!*at)
            return NULL;
        const char *name = json_object_iter_key(*at);
        if (strcmp(name, "__metadata__") != 0)
            return name;
    }
}

bool vg_safetensors_has(const vg_safetensors *f, const char *name)
{
    return strcmp(name, "__metadata__") != 0 && json_object_get(f->header, name) != NULL;
}

static bool read_shape(json_t *shape, vg_tensor *t)
{
    if (!json_is_array(shape) || json_array_size(shape) > VG_TENSOR_DIMS)
        return false;
    t->dims = (int)json_array_size(shape);
    t->count = 1;
    for (int d = 0; d < t->dims; d++) {
        json_t *side = json_array_get(shape, (size_t)d);
        t->shape[d] = (int64_t)json_integer_value(side);
        if (!json_is_integer(side) || t->shape[d] < 0 ||
            !vg_mul_size(t->count, (size_t)t->shape[d], &t->count))
            return false;
    }
    return true;
}

vg_status vg_safetensors_tensor(const vg_safetensors *f, const char *name, vg_tensor *tensor,
                                vg_error *err)
{
    json_t *entry = vg_safetensors_has(f, name) ? json_object_get(f->header, name) : NULL;
    *tensor = (vg_tensor){.name = name, .dtype = VG_DTYPES};
    if (!entry)
        return vg_fail(err, VG_E_SHAPE, "%s: lacks the tensor \"%s\"", f->path, name);
    const char *type = json_string_value(json_object_get(entry, "dtype"));
    for (int i = 0; type && i < VG_DTYPES; i++)
        if (strcmp(type, types[i].name) == 0)
            tensor->dtype = (vg_dtype)i;
    if (tensor->dtype == VG_DTYPES)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: tensor \"%s\" is %.20s, expected F32 (or F64, F16, BF16, I64, U8)",
                       f->path, name, type ? type : "of no type");
    if (!read_shape(json_object_get(entry, "shape"), tensor))
        return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" has no shape that makes sense", f->path,
                       name);
    json_t *offsets = json_object_get(entry, "data_offsets");
    json_int_t from = json_integer_value(json_array_get(offsets, 0));
    json_int_t to = json_integer_value(json_array_get(offsets, 1));
    size_t size;
    if (from < 0 || to < from || (uint64_t)to > f->size ||
        !vg_mul_size(tensor->count, types[tensor->dtype].size, &size) ||
        (uint64_t)(to - from) != size)
        return vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" lies outside of its data", f->path,
                       name);
    tensor->data = f->data + from;
    return VG_OK;
}

void vg_tensor_print_shape(const vg_tensor *tensor, char *text, size_t capacity)
{
    size_t used = (size_t)snprintf(text, capacity, "[");
    for (int d = 0; d < tensor->dims && used < capacity; d++)
        used += (size_t)snprintf(text + used, capacity - used, "%s%lld", d ? ", " : "",
                                 (long long)tensor->shape[d]);
    if (used < capacity)
        snprintf(text + used, capacity - used, "]");
}

/* IEEE 754 half precision. */
static float from_half(uint16_t h)
{
    uint32_t sign = (uint32_t)(h & 0x8000u) << 16, exponent = h >> 10 & 31u, low = h & 0x3FFu;
    uint32_t bits;
    if (exponent == 31) {
        bits = sign | 0x7F800000u | low << 13;
    } else if (exponent) {
        bits = sign | (exponent + 112) << 23 | low << 13;
    } else { /* subnormal: low * 2^-24, exact in a float */
        float value = (float)low * 0x1p-24f;
        return sign ? -value : value;
    }
    float value;
    memcpy(&value, &bits, sizeof value);
    return value;
}

vg_status vg_tensor_floats(const vg_tensor *t, float *out, vg_error *err)
{
    const uint8_t *data = t->data;
    switch (t->dtype) {
    case VG_DTYPE_F32:
        memcpy(out, data, t->count * sizeof *out);
        return VG_OK;
    case VG_DTYPE_F64:
        for (size_t i = 0; i < t->count; i++) {
            double value;
            memcpy(&value, data + i * sizeof value, sizeof value);
            out[i] = (float)value;
        }
        return VG_OK;
    case VG_DTYPE_F16:
    case VG_DTYPE_BF16:
        for (size_t i = 0; i < t->count; i++) {
            uint16_t half;
            memcpy(&half, data + i * sizeof half, sizeof half);
            uint32_t bits = (uint32_t)half << 16;
            if (t->dtype == VG_DTYPE_F16)
                out[i] = from_half(half);
            else
                memcpy(&out[i], &bits, sizeof bits);
        }
        return VG_OK;
    default:
        return vg_fail(err, VG_E_FORMAT, "tensor \"%s\" is %s, expected F32", t->name,
                       types[t->dtype].name);
    }
}

/* ---- writing */

static bool add_tensors(json_t *header, const vg_tensor *tensors, size_t count, XXH64_state_t *hash)
{
    uint64_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const vg_tensor *t = &tensors[i];
        json_t *shape = json_array();
        for (int d = 0; d < t->dims; d++)
            json_array_append_new(shape, json_integer((json_int_t)t->shape[d]));
        uint64_t size = t->count * types[t->dtype].size, end = at + size;
        json_t *entry = json_pack("{s:s, s:o, s:[I, I]}", "dtype", types[t->dtype].name, "shape",
                                  shape, "data_offsets", (json_int_t)at, (json_int_t)end);
        if (!entry || json_object_set_new(header, t->name, entry) != 0)
            return false;
        if (size)
            XXH64_update(hash, t->data, size);
        at = end;
    }
    return true;
}

/* The header's text, padded so that the data are aligned; NULL if memory ran out. */
static char *make_header(json_t *metadata, const vg_tensor *tensors, size_t count)
{
    json_t *header = json_object();
    XXH64_state_t *hash = XXH64_createState();
    char *text = NULL, *padded = NULL;
    bool ok = header && hash && metadata && json_object_set(header, "__metadata__", metadata) == 0;
    if (ok) {
        XXH64_reset(hash, 0);
        ok = add_tensors(header, tensors, count, hash);
    }
    if (ok) {
        char sum[40];
        snprintf(sum, sizeof sum, "%016" PRIx64,
                 (uint64_t)XXH64_digest(hash) ^ vg_safetensors_header_hash(header));
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

vg_status vg_safetensors_write(const char *path, json_t *metadata, const vg_tensor *tensors,
                               size_t count, vg_error *err)
{
    char *header = make_header(metadata, tensors, count);
    json_decref(metadata);
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
    for (size_t i = 0; i < count; i++)
        if (tensors[i].count)
            fwrite(tensors[i].data, types[tensors[i].dtype].size, tensors[i].count, file.stream);
    free(header);
    return vg_atomic_commit(&file, err); /* a short write is found there */
}
