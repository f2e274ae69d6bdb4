/* How many directions the features of a network use: exp(entropy of the singular values).
 *
 * Roy and Vetterli, "The effective rank" (EUSIPCO 2007). The singular values are the roots of the
 * eigenvalues of the smaller Gram matrix of the centred rows, in double. Values below 1e-7 of the
 * largest are what rounding leaves of nothing and are passed over. */
#include "observe/diversity.h"

#include "base/alloc.h"

#include <cblas.h>
#include <math.h>
#include <stdlib.h>

#define NOTHING 1e-7

/* LAPACK's eigenvalues of a symmetric matrix; OpenBLAS brings it but installs no header for it. */
void dsyev_(const char *jobz, const char *uplo, const int *n, double *a, const int *lda, double *w,
            double *work, const int *lwork, int *info, size_t jobz_length, size_t uplo_length);

/* Centred copy of h as double; values that are not finite count as 0. */
static void centre(const float *h, size_t n, size_t d, double *x)
{
    for (size_t j = 0; j < d; j++) {
        double mean = 0;
        for (size_t i = 0; i < n; i++) {
            double value = (double)h[i * d + j];
            x[i * d + j] = isfinite(value) ? value : 0;
            mean += x[i * d + j];
        }
        mean /= (double)n;
        for (size_t i = 0; i < n; i++)
            x[i * d + j] -= mean;
    }
}

static double rank_of(const double *eigenvalues, size_t m)
{
    double most = 0, sum = 0, rank = 0;
    for (size_t i = 0; i < m; i++)
        most = fmax(most, eigenvalues[i]);
    if (!(most > 0))
        return 0;
    double least = NOTHING * sqrt(most);
    for (size_t i = 0; i < m; i++) {
        double s = sqrt(fmax(0, eigenvalues[i]));
        if (s > least)
            sum += s;
    }
    for (size_t i = 0; i < m; i++) {
        double s = sqrt(fmax(0, eigenvalues[i]));
        if (s > least)
            rank -= s / sum * log(s / sum);
    }
    return exp(rank);
}

vg_status vg_effective_rank(const float *h, size_t n, size_t d, double *rank, vg_error *err)
{
    size_t m = n < d ? n : d, cells, work_size, gram_size;
    *rank = 0;
    if (n == 0 || d == 0)
        return vg_fail(err, VG_E_ARG, "%zu rows of %zu features have no rank", n, d);
    if (n > INT32_MAX || d > INT32_MAX || !vg_mul_size(n, d, &cells) ||
        !vg_mul_size(m, m, &gram_size) || !vg_mul_size(m, 34, &work_size) || work_size > INT32_MAX)
        return vg_fail(err, VG_E_LIMIT, "%zu rows of %zu features are too many for a rank", n, d);
    double *x = vg_alloc(cells, sizeof *x), *gram = vg_calloc(gram_size, sizeof *gram);
    double *eigenvalues = vg_calloc(m, sizeof *eigenvalues);
    double *work = vg_alloc(work_size, sizeof *work);
    vg_status status = VG_OK;
    if (!x || !gram || !eigenvalues || !work) {
        status = vg_fail(err, VG_E_NOMEM, "no memory for the rank of %zu x %zu features", n, d);
    } else {
        int order = (int)m, lwork = (int)work_size, info = 0;
        centre(h, n, d, x);
        /* One BLAS thread: the bits must not depend on how many there are. */
        int threads = openblas_get_num_threads();
        openblas_set_num_threads(1);
        cblas_dsyrk(CblasRowMajor, CblasUpper, d <= n ? CblasTrans : CblasNoTrans, order,
                    (int)(d <= n ? n : d), 1.0, x, (int)d, 0.0, gram, order);
        /* Upper in rows is lower in LAPACK's columns. */
        dsyev_("N", "L", &order, gram, &order, eigenvalues, work, &lwork, &info, 1, 1);
        openblas_set_num_threads(threads);
        if (info)
            status =
                vg_fail(err, VG_E_NUMERIC,
                        "the eigenvalues of %zu x %zu features did not converge (%d)", n, d, info);
        else
            *rank = rank_of(eigenvalues, m);
    }
    free(x);
    free(gram);
    free(eigenvalues);
    free(work);
    return status;
}
