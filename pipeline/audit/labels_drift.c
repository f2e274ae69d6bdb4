/* Do two splits have the same shares of classes? Pearson's test says whether chance explains what they
 * differ by, the Jensen-Shannon distance whether it matters: with a million images every difference
 * is "significant", with twenty every distance is large. A word of blame needs both. Small expected
 * counts make the chi-square distribution wrong, so there the same images are divided anew at random. */
#include "audit/labels.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/statistics.h"

#include <math.h>
#include <stdlib.h>

enum { LEAST_PERMUTATIONS = 999, MOST_PERMUTATIONS = 4999, MOST_DRAWS = 20000000 };

/* From here on a distance is spoken of, and from here on it comes first. */
static const double some_distance = 0.1, grave_distance = 0.2;
/* There are three pairs of splits in a report, and thousands of reports. */
static const double significant = 0.001;

/* Pearson's statistic of the table of two rows, from one of them: b[k] of all[k] for each class. */
static double chi_square(const size_t *b, const size_t *all, int classes, double nb, double n)
{
    double sum = 0;
    for (int k = 0; k < classes; k++)
        if (all[k]) {
            double off = (double)b[k] - nb * (double)all[k] / n;
            sum += off * off / (double)all[k];
        }
    return sum * n * n / (nb * (n - nb));
}

/* Cochran's rule, for both rows. */
static bool is_sparse(const size_t *all, int classes, double nb, double n)
{
    size_t cells = 0, below5 = 0;
    double least = fmin(nb, n - nb) / n;
    for (int k = 0; k < classes; k++) {
        double count = (double)all[k];
        if (!all[k])
            continue;
        if (count * least < 1)
            return true;
        cells += 2;
        below5 += (size_t)(count * nb / n < 5) + (size_t)(count * (n - nb) / n < 5);
    }
    return below5 * 5 > cells;
}

/* p of the statistic `seen` among random draws of m of the n images, without replacement. */
static vg_status permute(const size_t *all, int classes, size_t m, size_t n, double seen,
                         vg_drift *drift, vg_error *err)
{
    int32_t *urn = vg_alloc(n, sizeof *urn);
    size_t *drawn = vg_alloc((size_t)classes, sizeof *drawn), at = 0, hits = 0;
    size_t rounds = MOST_DRAWS / (m + 1);
    if (!urn || !drawn) {
        free(urn);
        free(drawn);
        return vg_fail(err, VG_E_NOMEM, "drift: out of memory for %zu labels", n);
    }
    rounds = rounds < LEAST_PERMUTATIONS  ? LEAST_PERMUTATIONS
             : rounds > MOST_PERMUTATIONS ? MOST_PERMUTATIONS
                                          : rounds;
    for (int k = 0; k < classes; k++)
        for (size_t i = 0; i < all[k]; i++)
            urn[at++] = k;
    for (size_t round = 0; round < rounds; round++) {
        vg_rng rng = vg_rng_make(0, 0, round, VG_RNG_PERMUTE);
        for (int k = 0; k < classes; k++)
            drawn[k] = 0;
        for (size_t i = 0; i < m; i++) {
            size_t other = i + (size_t)vg_rng_below(&rng, n - i);
            int32_t label = urn[other];
            urn[other] = urn[i];
            urn[i] = label;
            drawn[label]++;
        }
        /* what is equal but for rounding counts as equal */
        hits += chi_square(drawn, all, classes, (double)m, (double)n) >= seen * (1 - 1e-9);
    }
    drift->p = (double)(1 + hits) / (double)(1 + rounds);
    drift->permutations = rounds;
    free(urn);
    free(drawn);
    return VG_OK;
}

static double jensen_shannon(const size_t *a, const size_t *b, int classes, double na, double nb)
{
    double sum = 0;
    for (int k = 0; k < classes; k++) {
        double p = (double)a[k] / na, q = (double)b[k] / nb, middle = (p + q) / 2;
        sum += (p > 0 ? p * log2(p / middle) : 0) + (q > 0 ? q * log2(q / middle) : 0);
    }
    return sqrt(fmin(1, fmax(0, sum / 2)));
}

/* Keeps the classes that stand out, largest |z| first. */
static void find_worst(const size_t *b, const size_t *all, int classes, vg_drift *drift)
{
    double na = (double)drift->n[0], nb = (double)drift->n[1], n = na + nb;
    for (int k = 0; k < classes; k++) {
        double share = (double)all[k] / n, expected = nb * share;
        if (!all[k] || share >= 1)
            continue;
        double z = ((double)b[k] - expected) / sqrt(expected * (na / n) * (1 - share));
        if (erfc(fabs(z) / sqrt(2)) * classes > 0.01)
            continue;
        int at = drift->worst_count < VG_DRIFT_CLASSES ? drift->worst_count++ : VG_DRIFT_CLASSES;
        for (; at > 0 && fabs(drift->worst[at - 1].z) < fabs(z) * (1 - 1e-9); at--)
            if (at < VG_DRIFT_CLASSES)
                drift->worst[at] = drift->worst[at - 1];
        if (at < VG_DRIFT_CLASSES)
            drift->worst[at] =
                (vg_drift_class){k, {(double)(all[k] - b[k]) / na, (double)b[k] / nb}, z};
    }
}

static vg_drift_word judge(const vg_drift *drift, const size_t *b, int classes)
{
    double square = drift->distance * drift->distance - drift->by_chance * drift->by_chance;
    double beyond = sqrt(fmax(0, square));
    if (drift->p > significant || beyond < some_distance)
        return VG_DRIFT_NONE;
    vg_balance second = vg_balance_measure(b, classes);
    if (second.present == drift->freedom + 1 && second.imbalance_ratio <= 1.2)
        return VG_DRIFT_EVEN;
    return beyond >= grave_distance ? VG_DRIFT_GRAVE : VG_DRIFT_SOME;
}

vg_status vg_drift_measure(const size_t *a, const size_t *b, int classes, vg_drift *drift,
                           vg_error *err)
{
    size_t na = 0, nb = 0;
    int present = 0;
    vg_status status = VG_OK;
    *drift = (vg_drift){.p = 1, .split = {drift->split[0], drift->split[1]}};
    size_t *all = vg_alloc((size_t)classes, sizeof *all);
    if (!all)
        return vg_fail(err, VG_E_NOMEM, "drift: out of memory for %d classes", classes);
    for (int k = 0; k < classes; k++) {
        all[k] = a[k] + b[k];
        present += all[k] > 0;
        na += a[k];
        nb += b[k];
    }
    drift->n[0] = na;
    drift->n[1] = nb;
    drift->freedom = present > 0 ? present - 1 : 0;
    if (na && nb && present > 1) {
        double n = (double)na + (double)nb;
        drift->chi_square = chi_square(b, all, classes, (double)nb, n);
        drift->p = vg_chi_square_upper(drift->chi_square, drift->freedom);
        drift->distance = jensen_shannon(a, b, classes, (double)na, (double)nb);
        /* the divergence is about 1 / (8 ln 2) of a sum of squares whose mean is known */
        drift->by_chance =
            sqrt(fmin(1, drift->freedom / (8 * log(2)) * (1 / (double)na + 1 / (double)nb)));
        if (is_sparse(all, classes, (double)nb, n))
            status =
                permute(all, classes, na < nb ? na : nb, na + nb, drift->chi_square, drift, err);
        find_worst(b, all, classes, drift);
        drift->word = judge(drift, b, classes);
    }
    free(all);
    return status;
}
