/* Wraps OpenBLAS. A thin file on purpose: the only one that includes its header. */
#include "nn/kernels/blas.h"

#include "base/alloc.h"

#include <cblas.h>
#include <stdlib.h>
#include <strings.h>

/* Part of OpenBLAS, whose Debian package brings no header for it. The lengths of the two words are
 * what Fortran compilers pass behind the arguments. */
void dsyevd_(const char *jobz, const char *uplo, const blasint *n, double *a, const blasint *lda,
             double *w, double *work, const blasint *lwork, blasint *iwork, const blasint *liwork,
             blasint *info, size_t jobz_length, size_t uplo_length);

void vg_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, size_t lda,
             const float *b, size_t ldb, float beta, float *c, size_t ldc)
{
    cblas_sgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, 1.0f, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
}

void vg_gemm_double(bool transpose_a, bool transpose_b, int m, int n, int k, const double *a,
                    size_t lda, const double *b, size_t ldb, double beta, double *c, size_t ldc)
{
    cblas_dgemm(CblasRowMajor, transpose_a ? CblasTrans : CblasNoTrans,
                transpose_b ? CblasTrans : CblasNoTrans, m, n, k, 1.0, a, (blasint)lda, b,
                (blasint)ldb, beta, c, (blasint)ldc);
}

vg_status vg_symmetric_eigen(int n, double *a, double *values, vg_error *err)
{
    enum { MOST = 32000 }; /* beyond it the size of the work space does not fit in an int */
    if (n < 1 || n > MOST)
        return vg_fail(err, VG_E_LIMIT, "eigenvectors of %d x %d values; at most %d", n, n, MOST);
    blasint order = n, work_size = 1 + 6 * n + 2 * n * n, whole_size = 3 + 5 * n, info = 0;
    double *work = vg_alloc((size_t)work_size, sizeof *work);
    blasint *whole = vg_alloc((size_t)whole_size, sizeof *whole);
    if (!work || !whole) {
        free(work);
        free(whole);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the eigenvectors of %d x %d values", n,
                       n);
    }
    /* column by column, as Fortran has it, our lower half is its upper one */
    dsyevd_("V", "U", &order, a, &order, values, work, &work_size, whole, &whole_size, &info, 1, 1);
    free(work);
    free(whole);
    return info == 0 ? VG_OK
                     : vg_fail(err, VG_E_NUMERIC,
                               "the eigenvectors of %d x %d values were not found (dsyevd: %d)", n,
                               n, (int)info);
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
