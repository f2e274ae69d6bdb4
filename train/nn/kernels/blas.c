/* Wraps OpenBLAS. A thin file on purpose: the only one that includes its header. */
#include "nn/kernels/blas.h"

#include <cblas.h>
#include <strings.h>

void vg_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, size_t lda,
             const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
}

void vg_blas_single(void)
{
    if (openblas_get_num_threads() != 1)
        openblas_set_num_threads(1);
}

const char *vg_blas_core(void)
{
    return openblas_get_corename();
}

const char *vg_blas_better_core(void)
{
#if defined(__x86_64__) && defined(__GNUC__)
    static const char *const narrow[] = {"Prescott",    "Core2",     "Penryn",
                                         "Dunnington",  "Nehalem",   "Barcelona",
                                         "Sandybridge", "Bulldozer", "Piledriver"};
    static const char *const middle[] = {"Haswell", "Zen", "Excavator", "Steamroller"};
    const char *core = vg_blas_core();
    bool is_narrow = false, is_middle = false;
    for (size_t i = 0; i < sizeof narrow / sizeof *narrow; i++)
        is_narrow |= strcasecmp(core, narrow[i]) == 0;
    for (size_t i = 0; i < sizeof middle / sizeof *middle; i++)
        is_middle |= strcasecmp(core, middle[i]) == 0;
    __builtin_cpu_init();
    bool wide = __builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
                __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl") &&
                __builtin_cpu_supports("avx512cd");
    if (wide && (is_narrow || is_middle))
        return "SkylakeX";
    if (is_narrow && __builtin_cpu_supports("avx2") && __builtin_cpu_supports("fma"))
        return "Haswell";
#endif
    return NULL;
}
