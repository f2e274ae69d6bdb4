/* The statistics behind series: differences of 8 x 8 grey averages of two pictures, held against those of
 * pairs drawn at random within the class, because classes differ in how alike their pictures are. All
 * draws are named by what they are for, so that the answer is the same on every machine. */
#include "audit/siblings.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    DRAWS = 99,
    MOST_TESTED = 4000,       /* pairs of a test */
    LEVELS = VG_SKETCH * 255, /* the largest difference */
    NULL_PAIRS = 2000000,     /* of all classes together */
    FEWEST_OF_CLASS = 12,
    APART = 10 /* pairs of the null lie further apart in the order than this */
};
static const uint64_t seed = 20;

vg_status vg_sketches_make(const vg_dataset *dataset, const vg_fingerprint *prints,
                           vg_sketches *sketches, vg_error *err)
{
    size_t count = vg_dataset_count(dataset);
    size_t classes = (size_t)vg_dataset_classes(dataset);
    *sketches = (vg_sketches){.prints = prints, .classes = (int)classes};
    if (!prints)
        return VG_OK;
    sketches->pixels = vg_alloc(count, VG_SKETCH);
    sketches->of = vg_alloc(count, sizeof *sketches->of);
    sketches->begin = vg_calloc(classes + 2, sizeof *sketches->begin);
    if (!sketches->pixels || !sketches->of || !sketches->begin) {
        vg_sketches_reset(sketches);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the series of %zu samples", count);
    }
    for (size_t i = 0; i < count; i++) {
        if (!prints[i].ready)
            continue;
        uint8_t *out = sketches->pixels + i * VG_SKETCH;
        for (int y = 0; y < 8; y++)
            for (int x = 0; x < 8; x++) {
                unsigned sum = 8;
                for (int j = 0; j < 16; j++)
                    sum += prints[i].thumb[(4 * y + j / 4) * VG_THUMB + 4 * x + j % 4];
                out[8 * y + x] = (uint8_t)(sum / 16);
            }
        sketches->begin[vg_dataset_label(dataset, i) + 2]++;
    }
    for (size_t k = 0; k < classes; k++)
        sketches->begin[k + 2] += sketches->begin[k + 1];
    for (size_t i = 0; i < count; i++)
        if (prints[i].ready)
            sketches->of[sketches->begin[vg_dataset_label(dataset, i) + 1]++] = i;
    return VG_OK;
}

void vg_sketches_reset(vg_sketches *sketches)
{
    free(sketches->pixels);
    free(sketches->of);
    free(sketches->begin);
    *sketches = (vg_sketches){0};
}

bool vg_sketch_ready(const vg_sketches *sketches, size_t index)
{
    return sketches->pixels && sketches->prints[index].ready;
}

int vg_sketch_differ(const vg_sketches *sketches, size_t a, size_t b)
{
    const uint8_t *p = sketches->pixels + a * VG_SKETCH, *q = sketches->pixels + b * VG_SKETCH;
    int sum = 0;
    for (int i = 0; i < VG_SKETCH; i++)
        sum += abs(p[i] - q[i]);
    return sum;
}

/* A random sample of the class of `b` that is of another group; b itself when there seems to be none. */
static size_t draw(const vg_sketches *s, const vg_dataset *dataset, size_t b, uint64_t group,
                   const uint64_t *groups, vg_rng *rng)
{
    int label = vg_dataset_label(dataset, b);
    size_t first = s->begin[label], n = s->begin[label + 1] - first;
    for (int attempt = 0; attempt < 8; attempt++) {
        size_t other = s->of[first + vg_rng_below(rng, n)];
        if (groups[other] != group)
            return other;
    }
    return b;
}

void vg_siblings_test(const vg_sketches *sketches, const vg_dataset *dataset,
                      const vg_sibling_pair *pairs, size_t count, const uint64_t *groups,
                      vg_siblings *result)
{
    double sums[DRAWS + 1] = {0}, mean = 0, spread = 0;
    size_t step = count > MOST_TESTED ? (count + MOST_TESTED - 1) / MOST_TESTED : 1;
    *result = (vg_siblings){0};
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_PERMUTE);
    for (size_t i = 0; i < count; i += step) {
        const vg_sibling_pair *p = &pairs[i];
        if (!vg_sketch_ready(sketches, p->a) || !vg_sketch_ready(sketches, p->b))
            continue;
        result->compared++;
        sums[DRAWS] += vg_sketch_differ(sketches, p->a, p->b);
        for (int d = 0; d < DRAWS; d++)
            sums[d] += vg_sketch_differ(sketches, p->a,
                                        draw(sketches, dataset, p->b, p->group, groups, &rng));
    }
    bool below = true;
    for (int d = 0; d < DRAWS; d++) {
        mean += sums[d] / DRAWS;
        below &= sums[DRAWS] < sums[d];
    }
    for (int d = 0; d < DRAWS; d++)
        spread += (sums[d] - mean) * (sums[d] - mean) / (DRAWS - 1);
    result->ratio = mean > 0 ? sums[DRAWS] / mean : 1;
    result->alike = below && sums[DRAWS] < mean - 4 * sqrt(spread);
}

/* ---- neighbours in numbered sequences */

/* How many of the pairs of a class differ by at most so much. */
struct null {
    uint32_t *at_most; /* [LEVELS + 1] */
    size_t pairs;
    int median;
};

static void measure_null(const vg_sketches *s, int label, size_t most, struct null *null)
{
    size_t first = s->begin[label], n = s->begin[label + 1] - first;
    memset(null->at_most, 0, (LEVELS + 1) * sizeof *null->at_most);
    null->pairs = 0;
    vg_rng rng = vg_rng_make(seed, 1, (uint64_t)label, VG_RNG_PERMUTE);
    size_t apart = n / 4 > APART ? APART : n / 4;
    if (n * (n - 1) / 2 <= most) {
        for (size_t i = 0; i < n; i++)
            for (size_t j = i + apart + 1; j < n; j++, null->pairs++)
                null->at_most[vg_sketch_differ(s, s->of[first + i], s->of[first + j])]++;
    } else {
        while (null->pairs < most) {
            size_t i = vg_rng_below(&rng, n), j = vg_rng_below(&rng, n);
            if ((i > j ? i - j : j - i) <= apart)
                continue;
            null->at_most[vg_sketch_differ(s, s->of[first + i], s->of[first + j])]++;
            null->pairs++;
        }
    }
    null->median = LEVELS;
    uint32_t sum = 0;
    for (int d = 0; d <= LEVELS; d++) {
        sum += null->at_most[d];
        null->at_most[d] = sum;
        if (2 * (size_t)sum >= null->pairs && null->median == LEVELS)
            null->median = d;
    }
}

struct judged {
    double p;
    size_t pair;
    int label;
};

static int by_label(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    if (x->label != y->label)
        return x->label < y->label ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

static int by_p(const void *a, const void *b)
{
    const struct judged *x = a, *y = b;
    if (x->p != y->p)
        return x->p < y->p ? -1 : 1;
    return x->pair < y->pair ? -1 : x->pair > y->pair;
}

/* The share of the class's pairs that are as alike; 1 for pairs that are not alike at all. */
static void judge(const vg_sketches *s, const vg_sibling_pair *pairs, struct judged *judged,
                  size_t n, struct null *null)
{
    static const double alike = 0.4; /* of the median difference */
    size_t per_class = NULL_PAIRS / (size_t)s->classes;
    per_class = per_class < 20000 ? 20000 : per_class > 400000 ? 400000 : per_class;
    for (size_t i = 0; i < n; i++) {
        struct judged *j = &judged[i];
        j->p = 1;
        if (s->begin[j->label + 1] - s->begin[j->label] < FEWEST_OF_CLASS)
            continue;
        if (i == 0 || judged[i - 1].label != j->label)
            measure_null(s, j->label, per_class, null);
        int differ = vg_sketch_differ(s, pairs[j->pair].a, pairs[j->pair].b);
        if (differ <= alike * null->median)
            j->p = (1.0 + null->at_most[differ]) / (1.0 + (double)null->pairs);
    }
}

vg_status vg_siblings_choose(const vg_sketches *sketches, const vg_dataset *dataset,
                             const vg_sibling_pair *pairs, size_t count, bool *chosen, size_t *some,
                             vg_error *err)
{
    static const double false_share = 0.01;
    struct null null = {.at_most = vg_alloc(LEVELS + 1, sizeof *null.at_most)};
    struct judged *judged = vg_alloc(count, sizeof *judged);
    *some = 0;
    if (!null.at_most || !judged) {
        free(null.at_most);
        free(judged);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the series of %zu pairs", count);
    }
    size_t n = 0, reached = 0;
    for (size_t i = 0; i < count; i++) {
        chosen[i] = false;
        if (vg_sketch_ready(sketches, pairs[i].a) && vg_sketch_ready(sketches, pairs[i].b))
            judged[n++] = (struct judged){1, i, vg_dataset_label(dataset, pairs[i].a)};
    }
    if (n > 1)
        qsort(judged, n, sizeof *judged, by_label);
    judge(sketches, pairs, judged, n, &null);
    if (n > 1)
        qsort(judged, n, sizeof *judged, by_p);
    for (size_t i = 0; i < n; i++)
        if (judged[i].p <= false_share * (double)(i + 1) / (double)n)
            reached = i + 1;
    for (size_t i = 0; i < reached; i++)
        chosen[judged[i].pair] = true;
    *some = reached;
    free(null.at_most);
    free(judged);
    return VG_OK;
}
