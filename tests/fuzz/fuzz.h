/* What the fuzz targets share. */
#ifndef VG_FUZZ_H
#define VG_FUZZ_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Says what is not as it should be and ends, so that libFuzzer keeps the input. */
static inline void fuzz_check(bool good, const char *what)
{
    if (good)
        return;
    fprintf(stderr, "fuzz: %s\n", what);
    abort();
}

/* An error has its code and a text; success has none. */
static inline void fuzz_status(vg_status status, const vg_error *err)
{
    if (status != VG_OK)
        fuzz_check(err->code == status && err->message[0], "an error without a message");
}

/* A number that depends on the input and `k` alone (FNV-1a): options are drawn by it, so that plain
 * files serve as seeds. */
static inline uint32_t fuzz_number(const uint8_t *data, size_t size, uint32_t k)
{
    uint32_t hash = 2166136261u ^ k * 2654435761u;
    for (size_t i = 0; i < size; i++)
        hash = (hash ^ data[i]) * 16777619u;
    return hash >> 8;
}

/* A folder of this process in memory, gone after it. */
static inline const char *fuzz_folder(void)
{
    static char folder[60];
    if (!folder[0]) {
        const char *root = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
        snprintf(folder, sizeof folder, "%s/vg-fuzz-XXXXXX", root);
        fuzz_check(mkdtemp(folder) != NULL, "no folder to work in");
    }
    return folder;
}

/* Writes <folder>/<name>; the path is in `path`. */
static inline void fuzz_write(const char *name, const uint8_t *data, size_t size, char path[200])
{
    snprintf(path, 200, "%s/%s", fuzz_folder(), name);
    FILE *file = fopen(path, "wb");
    fuzz_check(file && fwrite(data, 1, size, file) == size, "cannot write a file");
    fclose(file);
}

#endif
