/* Overflow-checked memory. All functions return NULL when memory runs out or when count * size does
 * not fit in size_t; a request for 0 bytes gives a valid pointer. Release with free(). Thread-safe.
 */
#ifndef VG_BASE_ALLOC_H
#define VG_BASE_ALLOC_H

#include <stdbool.h>
#include <stddef.h>

#define VG_ALIGNMENT 64 /* of tensors: one cache line, one AVX-512 register */

/* Uninitialized memory for `count` elements of `size` bytes. */
void *vg_alloc(size_t count, size_t size);
/* The same, zeroed. */
void *vg_calloc(size_t count, size_t size);
/* The same, VG_ALIGNMENT-aligned and zeroed. */
void *vg_alloc_aligned(size_t count, size_t size);
/* Aligned likewise and not touched: for large blocks that are written before they are read. */
void *vg_alloc_lines(size_t count, size_t size);
/* Like realloc(old, count * size); on failure `old` stays valid. */
void *vg_realloc(void *old, size_t count, size_t size);
/* A copy of a string on the heap. */
char *vg_strdup(const char *text);

/* a * b in *product; false on overflow. */
bool vg_mul_size(size_t a, size_t b, size_t *product);

/* Makes room for at least `need` elements of `size` bytes in the growing array *array, whose
 * capacity in elements is *capacity (doubling). Returns false, array untouched, if it cannot. */
bool vg_grow(void *array, size_t *capacity, size_t need, size_t size);

#endif
