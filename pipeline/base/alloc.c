/* The one place that multiplies sizes. */
#include "base/alloc.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

bool vg_mul_size(size_t a, size_t b, size_t *product)
{
    return !__builtin_mul_overflow(a, b, product);
}

void *vg_alloc(size_t count, size_t size)
{
    size_t bytes;
    return vg_mul_size(count, size, &bytes) ? malloc(bytes ? bytes : 1) : NULL;
}

void *vg_calloc(size_t count, size_t size)
{
    size_t bytes;
    return vg_mul_size(count, size, &bytes) ? calloc(bytes ? bytes : 1, 1) : NULL;
}

static bool round_up(size_t count, size_t size, size_t *bytes)
{
    if (!vg_mul_size(count, size, bytes) || *bytes > SIZE_MAX - VG_ALIGNMENT)
        return false;
    *bytes = (*bytes + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT;
    if (*bytes == 0)
        *bytes = VG_ALIGNMENT;
    return true;
}

void *vg_alloc_lines(size_t count, size_t size)
{
    size_t bytes;
    return round_up(count, size, &bytes) ? aligned_alloc(VG_ALIGNMENT, bytes) : NULL;
}

void *vg_alloc_aligned(size_t count, size_t size)
{
    size_t bytes;
    void *p = round_up(count, size, &bytes) ? aligned_alloc(VG_ALIGNMENT, bytes) : NULL;
    if (p)
        memset(p, 0, bytes);
    return p;
}

void *vg_realloc(void *old, size_t count, size_t size)
{
    size_t bytes;
    return vg_mul_size(count, size, &bytes) ? realloc(old, bytes ? bytes : 1) : NULL;
}

char *vg_strdup(const char *text)
{
    size_t n = strlen(text) + 1;
    char *copy = vg_alloc(n, 1);
    if (copy)
        memcpy(copy, text, n);
    return copy;
}

bool vg_grow(void *array, size_t *capacity, size_t need, size_t size)
{
    if (need <= *capacity)
        return true;
    size_t wanted = *capacity ? *capacity : 16;
    while (wanted < need) {
        if (wanted > SIZE_MAX / 2)
            return false;
        wanted *= 2;
    }
    void *old;
    memcpy(&old, array, sizeof old); /* `array` is a T**; copy to stay within the aliasing rules */
    void *grown = vg_realloc(old, wanted, size);
    if (!grown)
        return false;
    memcpy(array, &grown, sizeof grown);
    *capacity = wanted;
    return true;
}
