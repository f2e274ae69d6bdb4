/* Intervals that reports on every floor need. Pure functions. */
#ifndef VG_BASE_STATISTICS_H
#define VG_BASE_STATISTICS_H

/* 95 % Wilson score interval for `k` of `n` (k need not be whole). n = 0: 0..1. */
void vg_wilson(double k, double n, double *low, double *high);
/* 97.5 % quantile of Student's t with `df` >= 1 degrees of freedom. */
double vg_student_t975(int df);

#endif
