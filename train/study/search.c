/* Search spaces, and the three ways through them. */
#include "study/search.h"

#include "base/alloc.h"
#include "base/rng.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Few draws: many would always end at the best point that is known. */
enum { CANDIDATES = 8, REDRAWS = 16, GOOD_MOST = 25 };

static const char *const method_names[] = {"tpe", "random", "grid"};

const char *vg_search_method_name(vg_search_method method)
{
    return (unsigned)method < VG_SEARCH_METHODS ? method_names[method] : "unknown";
}

vg_search_options vg_search_options_default(void)
{
    return (vg_search_options){.seed = 1, .higher = true, .beginning = 10, .points = 5};
}

/* ---- the space */

void vg_search_space_reset(vg_search_space *space)
{
    for (int i = 0; i < space->count; i++)
        free(space->keys[i].words);
    *space = (vg_search_space){0};
}

static vg_status wrong(const char *name, const char *words, vg_error *err)
{
    return vg_fail(
        err, VG_E_ARG,
        "%s: found \"%.60s\", allowed: LOW .. HIGH, with \"log\" or \"whole\" behind it, "
        "or words with | between them",
        name, words);
}

/* "LOW .. HIGH [log] [whole]"; *is_range false when there is no "..". */
static vg_status parse_range(vg_search_key *key, const char *words, bool *is_range, vg_error *err)
{
    char *end, *more;
    const char *dots = strstr(words, "..");
    *is_range = dots != NULL && strchr(words, '|') == NULL;
    if (!*is_range)
        return VG_OK;
    key->low = strtod(words, &end);
    key->high = strtod(dots + 2, &more);
    if (end == words || end + strspn(end, " .") < dots || more == dots + 2)
        return wrong(key->name, words, err);
    while (*(more += strspn(more, " "))) {
        size_t length = strcspn(more, " ");
        if (length == 3 && strncmp(more, "log", 3) == 0)
            key->logarithmic = true;
        else if (length == 5 && strncmp(more, "whole", 5) == 0)
            key->whole = true;
        else
            return wrong(key->name, words, err);
        more += length;
    }
    if (!isfinite(key->low) || !isfinite(key->high) || !(key->low < key->high))
        return vg_fail(err, VG_E_ARG, "%s: \"%.60s\": the first bound must be below the second",
                       key->name, words);
    if (key->logarithmic && !(key->low > 0))
        return vg_fail(err, VG_E_ARG, "%s: \"%.60s\": with log both bounds must be above 0",
                       key->name, words);
    if (key->whole && (floor(key->low) != key->low || floor(key->high) != key->high ||
                       fabs(key->low) > 1e15 || fabs(key->high) > 1e15))
        return vg_fail(err, VG_E_ARG, "%s: \"%.60s\": with whole both bounds must be whole numbers",
                       key->name, words);
    return VG_OK;
}

static vg_status parse_words(vg_search_key *key, const char *words, vg_error *err)
{
    key->kind = VG_SEARCH_WORD;
    key->words = vg_calloc(VG_SEARCH_WORDS, sizeof *key->words);
    if (!key->words)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a search");
    for (const char *at = words; at;) {
        const char *bar = strchr(at, '|');
        at += strspn(at, " ");
        size_t length = bar ? (size_t)(bar - at) : strlen(at);
        while (length && at[length - 1] == ' ')
            length--;
        if (length == 0)
            return wrong(key->name, words, err);
        if (length >= VG_SEARCH_TEXT || key->word_count == VG_SEARCH_WORDS)
            return vg_fail(err, VG_E_LIMIT,
                           "%s: more than %d words, or one of more than %d letters", key->name,
                           VG_SEARCH_WORDS, VG_SEARCH_TEXT - 1);
        snprintf(key->words[key->word_count], VG_SEARCH_TEXT, "%.*s", (int)length, at);
        for (int i = 0; i < key->word_count; i++)
            if (strcmp(key->words[i], key->words[key->word_count]) == 0)
                return vg_fail(err, VG_E_ARG, "%s: \"%s\" stands there twice", key->name,
                               key->words[i]);
        key->word_count++;
        at = bar ? bar + 1 : NULL;
    }
    if (key->word_count < 2)
        return vg_fail(err, VG_E_ARG, "%s: only \"%.60s\": nothing to choose from", key->name,
                       words);
    return VG_OK;
}

vg_status vg_search_space_add(vg_search_space *space, const char *name, const char *words,
                              vg_error *err)
{
    vg_search_key key = {0};
    if (space->count == VG_SEARCH_KEYS)
        return vg_fail(err, VG_E_LIMIT, "more than %d keys to search", VG_SEARCH_KEYS);
    if (!*name || strlen(name) >= sizeof key.name)
        return vg_fail(err, VG_E_ARG, "\"%.60s\" is no name of a key", name);
    for (int i = 0; i < space->count; i++)
        if (strcmp(space->keys[i].name, name) == 0)
            return vg_fail(err, VG_E_ARG, "\"%s\" stands there twice", name);
    snprintf(key.name, sizeof key.name, "%s", name);
    bool is_range;
    vg_status status = parse_range(&key, words, &is_range, err);
    if (!status && !is_range)
        status = parse_words(&key, words, err);
    if (status) {
        free(key.words);
        return status;
    }
    space->keys[space->count++] = key;
    return VG_OK;
}

void vg_search_print(const vg_search_key *key, double at, char *text, size_t capacity)
{
    if (key->kind == VG_SEARCH_WORD) {
        int i = at > 0 ? (int)at : 0;
        snprintf(text, capacity, "%s", key->words[i < key->word_count ? i : key->word_count - 1]);
    } else if (key->whole) {
        snprintf(text, capacity, "%.0f", at);
    } else {
        snprintf(text, capacity, "%.4g", at);
    }
}

/* ---- numbers as places in 0..1 */

static double to_unit(const vg_search_key *key, double value)
{
    if (key->logarithmic)
        return log(value / key->low) / log(key->high / key->low);
    return (value - key->low) / (key->high - key->low);
}

/* With four digits, so that a job file that holds them is the trial itself. */
static double from_unit(const vg_search_key *key, double u)
{
    double value = key->logarithmic ? key->low * pow(key->high / key->low, u)
                                    : key->low + u * (key->high - key->low);
    if (key->whole) {
        value = floor(value + 0.5);
    } else {
        char text[40];
        snprintf(text, sizeof text, "%.4g", value);
        value = strtod(text, NULL);
    }
    return fmin(fmax(value, key->low), key->high);
}

static double random_at(const vg_search_key *key, vg_rng *rng)
{
    if (key->kind == VG_SEARCH_WORD)
        return (double)vg_rng_below(rng, (uint64_t)key->word_count);
    return from_unit(key, vg_rng_double(rng));
}

/* ---- the grid */

static uint64_t steps_of(const vg_search_key *key, int points)
{
    if (key->kind == VG_SEARCH_WORD)
        return (uint64_t)key->word_count;
    double whole = key->high - key->low + 1;
    return key->whole && whole < points ? (uint64_t)whole : (uint64_t)(points < 2 ? 2 : points);
}

uint64_t vg_search_size(const vg_search_space *space, const vg_search_options *options)
{
    uint64_t size = 1;
    if (options->method != VG_SEARCH_GRID)
        return 0;
    for (int i = 0; i < space->count; i++) {
        uint64_t steps = steps_of(&space->keys[i], options->points);
        size = size > UINT64_MAX / steps ? UINT64_MAX : size * steps;
    }
    return size;
}

/* The last key changes fastest. */
static void grid_point(const vg_search_space *space, const vg_search_options *options,
                       uint64_t number, vg_search_point *point)
{
    for (int i = space->count - 1; i >= 0; i--) {
        const vg_search_key *key = &space->keys[i];
        uint64_t steps = steps_of(key, options->points), at = number % steps;
        number /= steps;
        point->at[i] = key->kind == VG_SEARCH_WORD
                           ? (double)at
                           : from_unit(key, (double)at / (double)(steps - 1));
    }
}

/* ---- Parzen estimators of whole points */

/* A kernel about each of some results, and a flat share as one more of them. All keys are moved together, so that what belongs
 * together (a rate and its optimizer) stays together. */
typedef struct density {
    const vg_search_result *results;
    const size_t *order; /* [count] which of them */
    size_t count;
    double width; /* of the normals of numbers, as a share of the key's range */
    double other; /* share of another word than the kernel's own */
} density;

/* Scott's exponent for as many dimensions as keys. */
static density density_of(const vg_search_space *space, const vg_search_result *results,
                          const size_t *order, size_t count)
{
    double narrow = pow((double)(count ? count : 1), -1.0 / (space->count + 4));
    return (density){.results = results,
                     .order = order,
                     .count = count,
                     .width = fmax(0.15 * narrow, 0.02),
                     .other = fmax(0.5 * narrow, 0.1)};
}

/* How likely the kernel about `centre` gives `at`; against 1 for a flat one. */
static double kernel(const vg_search_key *key, const density *d, double centre, double at)
{
    if (key->kind == VG_SEARCH_WORD)
        return (centre == at ? 1 - d->other : d->other / (key->word_count - 1)) * key->word_count;
    double m = to_unit(key, centre), z = (to_unit(key, at) - m) / d->width, w = d->width * sqrt(2);
    double inside = (erf((1 - m) / w) - erf((0 - m) / w)) / 2; /* what is not cut off */
    return exp(-0.5 * z * z) / (d->width * sqrt(2 * 3.14159265358979323846)) / inside;
}

static double density_at(const vg_search_space *space, const density *d, const vg_search_point *at)
{
    double sum = 1; /* the flat one */
    for (size_t i = 0; i < d->count; i++) {
        double product = 1;
        for (int k = 0; k < space->count; k++)
            product *= kernel(&space->keys[k], d, d->results[d->order[i]].point.at[k], at->at[k]);
        sum += product;
    }
    return sum / (1 + (double)d->count);
}

static double draw_near(const vg_search_key *key, const density *d, double centre, vg_rng *rng)
{
    if (key->kind == VG_SEARCH_WORD) {
        if (vg_rng_double(rng) >= d->other)
            return centre;
        double other = (double)vg_rng_below(rng, (uint64_t)key->word_count - 1);
        return other < centre ? other : other + 1;
    }
    for (int tries = 0; tries < 100; tries++) {
        double u = to_unit(key, centre) + d->width * vg_rng_normal(rng);
        if (u >= 0 && u <= 1)
            return from_unit(key, u);
    }
    return centre;
}

static void draw(const vg_search_space *space, const density *d, vg_rng *rng, vg_search_point *at)
{
    size_t i = (size_t)vg_rng_below(rng, (uint64_t)d->count + 1);
    for (int k = 0; k < space->count; k++) {
        const vg_search_key *key = &space->keys[k];
        at->at[k] = i == d->count ? random_at(key, rng)
                                  : draw_near(key, d, d->results[d->order[i]].point.at[k], rng);
    }
}

static bool is_better(const vg_search_result *a, const vg_search_result *b, bool higher)
{
    if (isnan(a->value) || isnan(b->value))
        return !isnan(a->value);
    return higher ? a->value > b->value : a->value < b->value;
}

/* Places of the results, the best first; equal ones in their order. */
static void rank(const vg_search_result *results, size_t count, bool higher, size_t *order)
{
    for (size_t i = 0; i < count; i++) {
        size_t at = i;
        for (; at > 0 && is_better(&results[i], &results[order[at - 1]], higher); at--)
            order[at] = order[at - 1];
        order[at] = i;
    }
}

static void tpe_point(const vg_search_space *space, const vg_search_result *results,
                      const size_t *order, size_t count, vg_rng *rng, vg_search_point *point)
{
    size_t better = (3 * count + 19) / 20;
    better = better > GOOD_MOST ? GOOD_MOST : better;
    density good = density_of(space, results, order, better);
    density rest = density_of(space, results, order + better, count - better);
    double most = -1;
    for (int i = 0; i < CANDIDATES; i++) {
        vg_search_point at = {0};
        draw(space, &good, rng, &at);
        double gain = density_at(space, &good, &at) / density_at(space, &rest, &at);
        if (gain > most) {
            most = gain;
            *point = at;
        }
    }
}

static bool was_tried(const vg_search_space *space, const vg_search_result *results, size_t count,
                      const vg_search_point *point)
{
    for (size_t i = 0; i < count; i++) {
        int same = 0;
        for (int k = 0; k < space->count; k++)
            same += results[i].point.at[k] == point->at[k];
        if (same == space->count)
            return true;
    }
    return false;
}

static vg_status model_point(const vg_search_space *space, const vg_search_options *options,
                             const vg_search_result *results, size_t count, vg_rng *rng,
                             vg_search_point *point, vg_error *err)
{
    size_t *order = vg_alloc(count, sizeof *order);
    if (!order)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a search");
    rank(results, count, options->higher, order);
    tpe_point(space, results, order, count, rng, point);
    free(order);
    return VG_OK;
}

vg_status vg_search_next(const vg_search_space *space, const vg_search_options *options,
                         uint64_t number, const vg_search_result *results, size_t count,
                         vg_search_point *point, vg_error *err)
{
    *point = (vg_search_point){0};
    if (options->method == VG_SEARCH_GRID) {
        if (number >= vg_search_size(space, options))
            return VG_END;
        grid_point(space, options, number, point);
        return VG_OK;
    }
    vg_rng rng = vg_rng_make(options->seed, 0, number, VG_RNG_SEARCH);
    bool model = options->method == VG_SEARCH_TPE && count >= 2 &&
                 count >= (size_t)(options->beginning > 0 ? options->beginning : 0);
    for (int tries = 0; tries < REDRAWS; tries++) { /* a point that was tried tells nothing new */
        vg_status status = VG_OK;
        if (model && tries < REDRAWS / 2)
            status = model_point(space, options, results, count, &rng, point, err);
        else
            for (int k = 0; k < space->count; k++)
                point->at[k] = random_at(&space->keys[k], &rng);
        if (status || !was_tried(space, results, count, point))
            return status;
    }
    return VG_OK;
}
