/* What the files of the cache share. */
#ifndef VG_LOAD_CACHE_INTERNAL_H
#define VG_LOAD_CACHE_INTERNAL_H

#include "load/cache.h"

/* Bytes that this process could still take: MemAvailable of Linux, at most what its control group
 * leaves; 0 if nobody knows. */
uint64_t vg_cache_memory_available(void);

#endif
