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
                           power 0.8); 0: n/a */
} vg_paired;

/* Differences d[n], n >= 1 (n = 1: infinite interval, p = 1). All zero: p = 1, interval 0..0. */
vg_paired vg_paired_test(const double *d, int n);
/* Holm's step-down correction of `count` p-values, in place, each capped at 1. */
void vg_holm(double *p, int count);

#endif
