/* The machine's vector instructions. The compiler's run-time library reads them once and also asks
 * whether the operating system saves the registers. */
#include "base/simd.h"

#include <stdatomic.h>

static atomic_int limit = VG_SIMD_AVX512;

void vg_simd_limit(vg_simd most)
{
    atomic_store(&limit, (int)most);
}

static vg_simd machine(void)
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

vg_simd vg_simd_best(void)
{
    int most = atomic_load_explicit(&limit, memory_order_relaxed);
    return (int)machine() < most ? machine() : (vg_simd)most;
}
