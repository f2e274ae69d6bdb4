/* CLOCK_MONOTONIC: a clock that is set meanwhile changes no measured time. */
#include "base/clock.h"

#include <time.h>

double vg_clock(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}
