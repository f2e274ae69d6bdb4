/* Intervals that reports on every floor need. Pure functions. */
#ifndef VG_BASE_STATISTICS_H
#define VG_BASE_STATISTICS_H

/* 95 % Wilson score interval for `k` of `n` (k need not be whole). n = 0: 0..1. */
void vg_wilson(double k, double n, double *low, double *high);
/* 95 % Clopper-Pearson interval for `k` of `n`, 0 <= k <= n: never covers less than it says, also for
 * n of a few, where Wilson's may. n = 0: 0..1. */
void vg_exact_interval(double k, double n, double *low, double *high);
/* P(X >= x) of the chi-square distribution with `df` > 0 degrees of freedom. x <= 0: 1. */
double vg_chi_square_upper(double x, double df);
/* 97.5 % quantile of Student's t with `df` >= 1 degrees of freedom. */
double vg_student_t975(int df);

#endif
