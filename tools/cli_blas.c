/* Restarts a tool with a faster OpenBLAS kernel when the library picked a slow one.
 *
 * OpenBLAS chooses its kernels while it is being loaded, from a list of processors that ends with
 * those known at its release: on newer ones it falls back to older kernels and runs at half speed.
 * The choice can be named in the environment, but only before loading; so the program starts itself
 * once more. A user's own OPENBLAS_CORETYPE is respected, and a second restart is impossible. */
#include "cli.h"

#include "nn/kernels/blas.h"

#include <stdlib.h>
#include <unistd.h>

void vg_cli_fast_blas(char **argv)
{
    static const char guard[] = "VG_BLAS_RESTARTED";
    const char *core = vg_blas_better_core();
    if (!core || getenv("OPENBLAS_CORETYPE") || getenv(guard))
        return;
    if (setenv("OPENBLAS_CORETYPE", core, 1) != 0 || setenv(guard, "1", 1) != 0)
        return;
    execv("/proc/self/exe", argv); /* returns only when it failed: then it goes on as it is */
    unsetenv("OPENBLAS_CORETYPE");
}
