/* The roof of this machine: how many floating-point operations a second its cores can do at best, so
 * that the speed of a layer can be told as a share of it. */
#ifndef VG_NN_KERNELS_PEAK_H
#define VG_NN_KERNELS_PEAK_H

#include "base/simd.h"

#include <stdbool.h>

typedef struct vg_peak {
    vg_simd simd;      /* measured with these instructions */
    bool fused;        /* multiply and add are one instruction */
    int threads;       /* all at once */
    double flop_per_s; /* single precision, a multiply-add counts as two; of all threads together */
} vg_peak;

/* Multiplies and adds in registers for about `seconds` (0.1 is enough on a quiet machine) on a team
 * of `threads` (0: as many as OpenMP gives) and tells the best of several tries. `simd` beyond what the machine has
 * counts as the best that it has. Not while anything else is to be timed. */
vg_peak vg_peak_measure(vg_simd simd, int threads, double seconds);

/* "AVX-512 FMA", "AVX2 FMA", "AVX2", "plain C". Static. */
const char *vg_peak_name(const vg_peak *peak);

#endif
