/* Functions in plain double arithmetic, whose last bit is the same on every machine, which the C
 * library's do not promise: a bit could turn a rounding, and with it a crop or a pixel. */
#ifndef VG_AUGMENT_ARITHMETIC_H
#define VG_AUGMENT_ARITHMETIC_H

/* Of an angle in degrees; exact at quarter turns. */
void vg_sine_cosine(double degrees, double *sine, double *cosine);
/* Relative error below 1e-15. */
double vg_exponential(double x);
/* x > 0. */
double vg_logarithm(double x);

/* a = a * b, for affine maps (m0 m1 m2; m3 m4 m5; 0 0 1). */
void vg_matrix_multiply(double a[6], const double b[6]);

#endif
