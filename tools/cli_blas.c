/* Restarts a tool once with a better environment for the numeric libraries, which read theirs only
 * while they are being loaded.
 *
 * OpenBLAS chooses its kernels from a list of processors that ends with those known at its release: on
 * newer ones it falls back to older kernels and runs at half speed. GNU OpenMP lets its threads spin for
 * long at every barrier: on a machine that does anything else at the time, a loader or another training,
 * that costs far more than it saves. Not to spin at all costs a small network a fifth of its speed, as a
 * thread that sleeps is late at the next barrier. So they spin for some 50 microseconds. A user's own settings are respected, and a second restart is impossible. */
#include "cli.h"

#include "nn/kernels/blas.h"

#include <stdlib.h>
#include <unistd.h>

/* Sets what the user has not set; true if anything changed. */
static bool set_if_unset(const char *name, const char *value)
{
    return value && !getenv(name) && setenv(name, value, 1) == 0;
}

void vg_cli_fast_blas(char **argv)
{
    static const char guard[] = "VG_RESTARTED";
    if (getenv(guard) || setenv(guard, "1", 1) != 0)
        return;
    bool blas = set_if_unset("OPENBLAS_CORETYPE", vg_blas_better_core());
    bool waiting = !getenv("OMP_WAIT_POLICY") && set_if_unset("GOMP_SPINCOUNT", "3000");
    if (blas || waiting)
        execv("/proc/self/exe", argv); /* returns only when it failed: then it goes on as it is */
}
