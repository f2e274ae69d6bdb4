/* Which vector instructions this machine has, asked once at run time. Every function that comes in
 * several versions gives the same bytes in each of them; versions exist to be fast.
 *
 * VG_FOR_AVX2 and VG_FOR_AVX512 stand before a function that is compiled for that machine, whatever
 * the rest is compiled for. Neither may fuse a multiplication and an addition: the tree is built with
 * -ffp-contract=off. */
#ifndef VG_BASE_SIMD_H
#define VG_BASE_SIMD_H

typedef enum vg_simd { VG_SIMD_PLAIN, VG_SIMD_AVX2, VG_SIMD_AVX512 } vg_simd;
enum { VG_SIMD_COUNT = VG_SIMD_AVX512 + 1 };

/* The best that this machine (and, for AVX-512, the F, BW, DQ and VL subsets) can run. Any thread. */
vg_simd vg_simd_best(void);
/* For tests and measurements: from now on vg_simd_best() gives nothing better than `most`, in all
 * threads. VG_SIMD_AVX512 lifts it. */
void vg_simd_limit(vg_simd most);

#if defined __x86_64__ && defined __GNUC__
#define VG_SIMD_X86 1
#define VG_FOR_AVX2 __attribute__((target("avx2")))
#ifdef __clang__
#define VG_FOR_AVX512 __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl")))
#else
#define VG_FOR_AVX512                                                                              \
    __attribute__((target("avx512f,avx512bw,avx512dq,avx512vl,prefer-vector-width=512")))
#endif
#define VG_INLINE inline __attribute__((always_inline))
#else
#define VG_SIMD_X86 0
#define VG_INLINE inline
#endif

#endif
