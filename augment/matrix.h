/* Plane geometry in plain double arithmetic, so that the last bit is the same on every machine,
 * which the C library's sine and cosine do not promise. */
#ifndef VG_AUGMENT_MATRIX_H
#define VG_AUGMENT_MATRIX_H

/* Of an angle in degrees, by Taylor series around the nearest quarter turn: exact at these. */
void vg_sine_cosine(double degrees, double *sine, double *cosine);

/* a = a * b, for affine maps (m0 m1 m2; m3 m4 m5; 0 0 1). */
void vg_matrix_multiply(double a[6], const double b[6]);

#endif
