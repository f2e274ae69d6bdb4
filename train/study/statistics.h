/* Small-sample statistics of paired differences. Pure functions. */
#ifndef VG_STUDY_STATISTICS_H
#define VG_STUDY_STATISTICS_H

typedef struct vg_paired {
    int n;
    double difference;  /* mean of b - a */
    double low, high;   /* 95 % confidence interval (Student's t) */
    double p;           /* exact two-sided sign-flip test */
    double p_corrected; /* Holm; equals p until vg_holm is called */
    int seeds_needed;   /* pairs at which a difference of this size would be significant (t, 5 %,
                           power 0.8; normal approximation of Guenther 1981), at least the 6 that
                           the sign-flip test needs, at most 1000000; 0: n/a */
} vg_paired;

/* Differences d[n], n >= 1 (n = 1: infinite interval, p = 1). All zero: p = 1, interval 0..0; all
 * equal: an interval of no width, p = 2 / 2^n. Up to 20 pairs p counts all sign patterns, above it
 * 100000 drawn from a fixed stream. A value that is not finite makes every figure NaN: there was
 * nothing to test. */
vg_paired vg_paired_test(const double *d, int n);
/* Holm's step-down correction (Scandinavian Journal of Statistics 6, 1979, 65) of `count` p-values,
 * in place, each capped at 1. NaN stays and does not count as a test. */
void vg_holm(double *p, int count);

#endif
