/* Paired differences of a handful of trainings: exact where it can be, honest where it cannot.
 *
 * The test flips signs: under "no effect" each difference could as well have had the other sign.
 * It assumes nothing about the distribution, and with few pairs it cannot give a small p (2 / 2^n
 * at best), which is the truth about few pairs. The interval is Student's. */
#include "study/statistics.h"

#include "base/rng.h"
#include "base/statistics.h"

#include <math.h>

enum {
    EXACT_MOST = 20, /* pairs up to which all 2^n sign patterns are counted */
    HALF = 10,       /* patterns are sums of two tables of at most 2^HALF */
    DRAWN = 100000,  /* random patterns above that */
    SEEDS_LEAST = 6, /* the fewest pairs with which the sign-flip p can be below 0.05 */
    SEEDS_MOST = 1000000
};

/* All signed sums of d[n] into table[2^n], n <= HALF. */
static void signed_sums(const double *d, int n, double *table)
{
    table[0] = 0;
    for (int i = 0; i < n; i++)
        for (int j = (1 << i) - 1; j >= 0; j--) {
            double sum = table[j];
            double *pair = table + j + j;
            pair[0] = sum + d[i];
            pair[1] = sum - d[i];
        }
}

static double exact_p(const double *d, int n, double least)
{
    double low[1 << HALF], high[1 << HALF];
    int lows = n < HALF ? n : HALF, highs = n - lows;
    long hits = 0;
    signed_sums(d, lows, low);
    signed_sums(d + lows, highs, high);
    for (int i = 0; i < 1 << lows; i++)
        for (int j = 0; j < 1 << highs; j++)
            hits += fabs(low[i] + high[j]) >= least;
    return (double)hits / ldexp(1, n);
}

static double drawn_p(const double *d, int n, double least)
{
    vg_rng rng = vg_rng_make(0, 0, 0, VG_RNG_PERMUTE);
    int hits = 0;
    for (int draw = 0; draw < DRAWN; draw++) {
        double sum = 0;
        uint32_t bits = 0;
        for (int i = 0; i < n; i++) {
            if (i % 32 == 0)
                bits = vg_rng_u32(&rng);
            sum += bits >> (i % 32) & 1 ? d[i] : -d[i];
        }
        hits += fabs(sum) >= least;
    }
    return (1.0 + hits) / (1.0 + DRAWN);
}

/* Guenther's normal approximation for the t test (The American Statistician 35, 1981, 243). */
static int seeds_needed(double difference, double deviation)
{
    const double z_test = 1.959963984540054, z_power = 0.8416212335729143;
    if (difference == 0)
        return 0;
    double ratio = (z_test + z_power) * deviation / difference;
    double pairs = ceil(ratio * ratio + z_test * z_test / 2);
    return (int)fmin(SEEDS_MOST, fmax(SEEDS_LEAST, pairs));
}

vg_paired vg_paired_test(const double *d, int n)
{
    vg_paired result = {
        .n = n, .difference = NAN, .low = NAN, .high = NAN, .p = NAN, .p_corrected = NAN};
    double sum = 0, magnitude = 0, squares = 0;
    for (int i = 0; i < n; i++) {
        sum += d[i];
        magnitude += fabs(d[i]);
    }
    if (n < 1 || !isfinite(sum))
        return result;
    result.difference = sum / n;
    for (int i = 0; i < n; i++)
        squares += (d[i] - result.difference) * (d[i] - result.difference);
    /* Equal values that are not whole leave a trace of rounding in the deviation. */
    double deviation = n > 1 ? sqrt(squares / (n - 1)) : 0;
    if (deviation <= 1e-15 * magnitude)
        deviation = 0;
    double least = fabs(sum) - 1e-12 * magnitude;
    result.p = n <= EXACT_MOST ? exact_p(d, n, least) : drawn_p(d, n, least);
    result.p_corrected = result.p;
    if (n == 1) {
        result.low = -INFINITY;
        result.high = INFINITY;
        return result;
    }
    double half = vg_student_t975(n - 1) * deviation / sqrt(n);
    result.low = result.difference - half;
    result.high = result.difference + half;
    result.seeds_needed = seeds_needed(result.difference, deviation);
    return result;
}

/* Without scratch: a value that is done is stored as -1 - itself until all are. */
void vg_holm(double *p, int count)
{
    int tests = 0;
    double running = 0;
    for (int i = 0; i < count; i++)
        tests += p[i] >= 0; /* NaN is not a test */
    for (int left = tests; left > 0; left--) {
        int next = -1;
        for (int i = 0; i < count; i++)
            if (p[i] >= 0 && (next < 0 || p[i] < p[next]))
                next = i;
        running = fmin(1, fmax(running, left * p[next]));
        p[next] = -1 - running;
    }
    for (int i = 0; i < count; i++)
        if (p[i] < 0)
            p[i] = -1 - p[i];
}
