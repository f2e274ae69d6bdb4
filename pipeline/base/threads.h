/* How many threads there are to give away, and one helper to run a loop on them.
 * Loader workers live in load/ and the OpenMP team in train/; both get their share from here. */
#ifndef VG_BASE_THREADS_H
#define VG_BASE_THREADS_H

#include "base/status.h"

#include <stddef.h>

/* CPUs this process may run on (affinity mask, cgroup quota not counted), at least 1. */
int vg_threads_available(void);

/* Calls work(context, thread, item) once for every item in [0, items), handed out in order to
 * `threads` POSIX threads (the caller's included); returns when all are done. `thread` is in [0,
 * threads). The result must not depend on which thread does which item. Falls back to fewer threads
 * if the system gives no more. */
void vg_parallel_for(int threads, size_t items,
                     void (*work)(void *context, int thread, size_t item), void *context);

#endif
