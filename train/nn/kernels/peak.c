/* The roof, measured: chains of multiply-adds that never leave the registers. Twelve of them at once hide the latency of two units of five cycles
 * and leave room for the two factors in sixteen registers.
 *
 * Nothing is folded away: the factors are read from volatile memory, the sums end there, and the
 * compiler may not reorder floating-point arithmetic. Measured on the team that trains and not read
 * off a table of processors, because clocks, virtual machines and the width of the units differ
 * within one model. A try that was disturbed is slower, never faster: the best one counts. */
#include "nn/kernels/peak.h"

#include "base/clock.h"

#include <omp.h>

#if VG_SIMD_X86
#include <immintrin.h>
#endif

enum { CHAINS = 12, STEPS = 200000 /* of a call: less than a millisecond */, TRIES = 6 };

static volatile float factor = 0.5f;
/* what a thread found goes here, so that it had to be computed */
static volatile float sink;

/* Each chain begins at a number of its own: equal ones would be computed once. */
#define CHAIN_LOOP(type, start, step)                                                              \
    type v0 = (start), v1 = (start), v2 = (start), v3 = (start), v4 = (start), v5 = (start),       \
         v6 = (start), v7 = (start), v8 = (start), v9 = (start), v10 = (start), v11 = (start);     \
    for (int i = 0; i < STEPS; i++) {                                                              \
        v0 = step(v0), v1 = step(v1), v2 = step(v2), v3 = step(v3), v4 = step(v4), v5 = step(v5);  \
        v6 = step(v6), v7 = step(v7), v8 = step(v8), v9 = step(v9), v10 = step(v10),               \
        v11 = step(v11);                                                                           \
    }
#define ALL_CHAINS(add)                                                                            \
    add(add(add(add(v0, v1), add(v2, v3)), add(add(v4, v5), add(v6, v7))),                         \
        add(add(v8, v9), add(v10, v11)))

#if defined __GNUC__
typedef float lanes __attribute__((vector_size(16))); /* what every target has, or is given */
enum { PLAIN_LANES = 4 };
#else
typedef float lanes;
enum { PLAIN_LANES = 1 };
#endif

static inline lanes lanes_of(float f)
{
#if defined __GNUC__
    return (lanes){f, f, f, f};
#else
    return f;
#endif
}

static void run_plain(void)
{
    lanes a = lanes_of(factor), b = lanes_of(factor);
#define STEP(v) (a * (v) + b)
#define ADD(x, y) ((x) + (y))
    CHAIN_LOOP(lanes, lanes_of(factor), STEP)
    lanes sum = ALL_CHAINS(ADD);
#undef STEP
#undef ADD
#if defined __GNUC__
    sink = sum[0];
#else
    sink = sum;
#endif
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void run_avx2(void)
{
    __m256 a = _mm256_set1_ps(factor), b = a;
#define STEP(v) _mm256_add_ps(_mm256_mul_ps(a, v), b)
    CHAIN_LOOP(__m256, _mm256_set1_ps(factor), STEP)
    sink = _mm256_cvtss_f32(ALL_CHAINS(_mm256_add_ps));
#undef STEP
}

__attribute__((target("avx2,fma"))) static void run_fma(void)
{
    __m256 a = _mm256_set1_ps(factor), b = a;
#define STEP(v) _mm256_fmadd_ps(a, v, b)
    CHAIN_LOOP(__m256, _mm256_set1_ps(factor), STEP)
    sink = _mm256_cvtss_f32(ALL_CHAINS(_mm256_add_ps));
#undef STEP
}

VG_FOR_AVX512 static void run_avx512(void)
{
    __m512 a = _mm512_set1_ps(factor), b = a;
#define STEP(v) _mm512_fmadd_ps(a, v, b)
    CHAIN_LOOP(__m512, _mm512_set1_ps(factor), STEP)
    sink = _mm512_cvtss_f32(ALL_CHAINS(_mm512_add_ps));
#undef STEP
}
#endif

/* Seconds that the team needs for `calls` each. */
static double timed(void (*run)(void), int threads, int calls)
{
    double start = 0, end = 0;
#pragma omp parallel num_threads(threads)
    {
        run(); /* every thread is awake, its units are powered */
#pragma omp barrier
#pragma omp master
        start = vg_clock();
#pragma omp barrier
        for (int i = 0; i < calls; i++)
            run();
#pragma omp barrier
#pragma omp master
        end = vg_clock();
    }
    return end - start;
}

vg_peak vg_peak_measure(vg_simd simd, int threads, double seconds)
{
    vg_simd best = vg_simd_best();
    vg_peak peak = {.simd = simd < best ? simd : best,
                    .threads = threads > 0 ? threads : omp_get_max_threads()};
    void (*run)(void) = run_plain;
    double lanes_wide = PLAIN_LANES;
#if VG_SIMD_X86
    if (peak.simd == VG_SIMD_AVX512) {
        run = run_avx512;
        peak.fused = true;
        lanes_wide = 16;
    } else if (peak.simd == VG_SIMD_AVX2) {
        peak.fused = __builtin_cpu_supports("fma");
        run = peak.fused ? run_fma : run_avx2;
        lanes_wide = 8;
    }
#endif
    double once = timed(run, peak.threads, 1), fastest = 0;
    int calls = once > 0 ? (int)(seconds / TRIES / once) : 1;
    calls = calls < 1 ? 1 : calls > 100000 ? 100000 : calls;
    for (int i = 0; i < TRIES; i++) {
        double took = timed(run, peak.threads, calls);
        if (took > 0 && (fastest <= 0 || took < fastest))
            fastest = took;
    }
    if (fastest > 0)
        peak.flop_per_s = 2.0 * CHAINS * lanes_wide * STEPS * calls * peak.threads / fastest;
    return peak;
}

const char *vg_peak_name(const vg_peak *peak)
{
    if (peak->simd == VG_SIMD_AVX512)
        return "AVX-512 FMA";
    if (peak->simd == VG_SIMD_AVX2)
        return peak->fused ? "AVX2 FMA" : "AVX2";
    return "plain C";
}
