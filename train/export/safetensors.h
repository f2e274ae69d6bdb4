/* Files in the safetensors format (github.com/huggingface/safetensors): 8 bytes of header length, a JSON header that names
 * every tensor with its type, shape and place, and the little-endian data.
 *
 * Reading believes nothing: lengths, shapes and places are compared before a tensor is handed out. What this
 * program writes carries an XXH64 of data and header in the metadata entry "xxh64"; files of others have
 * none. Not thread-safe per file. */
#ifndef VG_EXPORT_SAFETENSORS_H
#define VG_EXPORT_SAFETENSORS_H

#include "base/file.h"
#include "base/status.h"

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

typedef enum vg_dtype {
    VG_DTYPE_F32,
    VG_DTYPE_F64,
    VG_DTYPE_F16,
    VG_DTYPE_BF16,
    VG_DTYPE_I64,
    VG_DTYPE_U8,
    VG_DTYPES
} vg_dtype;
const char *vg_dtype_name(vg_dtype dtype); /* "F32", ... */
size_t vg_dtype_size(vg_dtype dtype);

enum { VG_TENSOR_DIMS = 8, VG_TENSOR_NAME = 256 };

typedef struct vg_tensor {
    const char *name;
    int64_t shape[VG_TENSOR_DIMS];
    size_t count;     /* of values */
    const void *data; /* perhaps not aligned in a file that was read */
    int dims;
    vg_dtype dtype;
} vg_tensor;

/* A file in memory. */
typedef struct vg_safetensors {
    const char *path;
    vg_bytes bytes;
    json_t *header, *metadata; /* the latter borrowed from the header; NULL: none */
    const uint8_t *data;
    size_t size; /* of the data */
} vg_safetensors;

/* Reads the file; `path` must outlive it. Errors: VG_E_IO, VG_E_FORMAT (not such a file, cut off, longer than
 * it says), VG_E_NOMEM. After an error there is nothing to close. */
vg_status vg_safetensors_open(const char *path, vg_safetensors *file, vg_error *err);
void vg_safetensors_close(vg_safetensors *file);
/* Compares the checksum; VG_E_FORMAT also when there is none. */
vg_status vg_safetensors_check(const vg_safetensors *file, vg_error *err);
/* The text of a metadata entry, NULL if it is not there. */
const char *vg_safetensors_note(const vg_safetensors *file, const char *key);
/* Walks over the names of all tensors in the order of the header: *at is NULL before the first and is
 * moved on; NULL at the end. */
const char *vg_safetensors_next(const vg_safetensors *file, void **at);
bool vg_safetensors_has(const vg_safetensors *file, const char *name);
/* The tensor of that name. VG_E_SHAPE: there is none; VG_E_FORMAT: an unknown type, or one that lies outside
 * of the data or has another length than its shape. */
vg_status vg_safetensors_tensor(const vg_safetensors *file, const char *name, vg_tensor *tensor,
                                vg_error *err);
/* Its values as floats: F32, F16 and BF16 exactly, F64 rounded. VG_E_FORMAT for integers. */
vg_status vg_tensor_floats(const vg_tensor *tensor, float *out, vg_error *err);

/* "[64, 3, 7, 7]". */
void vg_tensor_print_shape(const vg_tensor *tensor, char *text, size_t capacity);

/* The hash of the header without its checksum, keys sorted. */
uint64_t vg_safetensors_header_hash(json_t *header);
/* Writes tensors and metadata (an object of strings, consumed; NULL: memory ran out already) atomically, with
 * the checksum. */
vg_status vg_safetensors_write(const char *path, json_t *metadata, const vg_tensor *tensors,
                               size_t count, vg_error *err);

#endif
