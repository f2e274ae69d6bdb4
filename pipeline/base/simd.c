/* The machine's vector instructions. The compiler's run-time library reads them once and also asks
 * whether the operating system saves the registers. */
#include "base/simd.h"

vg_simd vg_simd_best(void)
{
#if VG_SIMD_X86
    if (__builtin_cpu_supports("avx512f") && __builtin_cpu_supports("avx512bw") &&
        __builtin_cpu_supports("avx512dq") && __builtin_cpu_supports("avx512vl"))
        return VG_SIMD_AVX512;
    if (__builtin_cpu_supports("avx2"))
        return VG_SIMD_AVX2;
#endif
    return VG_SIMD_PLAIN;
}
