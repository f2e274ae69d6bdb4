/* The matrix product, and what there is to know about the library that does it. */
#ifndef VG_NN_KERNELS_BLAS_H
#define VG_NN_KERNELS_BLAS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

/* Row-major C [m][n] = alpha A B + beta C with A [m][k] (or its transpose [k][m]) and B [k][n] (or
 * [n][k]); ld* are the distances of rows. Runs on the calling thread after vg_blas_single. */
void vg_gemm(bool transpose_a, bool transpose_b, int m, int n, int k, const float *a, size_t lda,
             const float *b, size_t ldb, float beta, float *c, size_t ldc);

/* The same in double precision. */
void vg_gemm_double(bool transpose_a, bool transpose_b, int m, int n, int k, const double *a,
                    size_t lda, const double *b, size_t ldb, double beta, double *c, size_t ldc);

/* Eigenvalues of the symmetric a [n][n], of which only what is on and below the diagonal is read, in
 * ascending order into values [n]; the eigenvector of values[k] becomes row k of `a`. LAPACK's
 * dsyevd on the calling thread (after vg_blas_single); takes 2 n n doubles more while it works.
 * VG_E_NOMEM, VG_E_LIMIT, VG_E_NUMERIC when it does not converge (a value that is not finite). */
vg_status vg_symmetric_eigen(int n, double *a, double *values, vg_error *err);

/* Turns off the library's own threads: products run inside our team. Called by vg_model_new. */
void vg_blas_single(void);

/* Which kernels the library chose for this CPU, e.g. "SkylakeX". Static storage. */
const char *vg_blas_core(void);
/* The core type to force, through the environment variable OPENBLAS_CORETYPE before the program
 * starts, when the library chose a slower one than this CPU can run; NULL when all is well.
 * OpenBLAS up to 0.3.21 knows no AMD family above 25 and takes AVX2 kernels where AVX-512 ones run
 * twice as fast. */
const char *vg_blas_better_core(void);

#endif
