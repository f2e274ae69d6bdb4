/* Drawing from the fixed sets. Every draw takes the same number of random numbers whatever came
 * before, so that a sample's operations depend on its key alone. */
#include "automatic.h"

#include "arithmetic.h"
#include "automatic_tables.h"
#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* An operation of a set and its strongest magnitude; signed ones are drawn to either side. */
typedef struct entry {
    vg_operation operation;
    bool is_signed;
    double most;
} entry;

/* The order is torchvision's. Shears are slopes, shifts fractions, colour operations change their
 * factor of 1 by the magnitude; posterize loses `most` bits; solarize and those without a number
 * have their own rules. */
static const entry rand_set[] = {
    {VG_OP_IDENTITY, false, 0},         {VG_OP_SHEAR_X, true, 0.3},
    {VG_OP_SHEAR_Y, true, 0.3},         {VG_OP_SHIFT_X, true, 150.0 / 331},
    {VG_OP_SHIFT_Y, true, 150.0 / 331}, {VG_OP_ROTATE, true, 30},
    {VG_OP_BRIGHTNESS, true, 0.9},      {VG_OP_SATURATION, true, 0.9},
    {VG_OP_CONTRAST, true, 0.9},        {VG_OP_SHARPNESS, true, 0.9},
    {VG_OP_POSTERIZE, false, 4},        {VG_OP_SOLARIZE, false, 0},
    {VG_OP_AUTOCONTRAST, false, 0},     {VG_OP_EQUALIZE, false, 0},
};
static const entry trivial_set[] = {
    {VG_OP_IDENTITY, false, 0},     {VG_OP_SHEAR_X, true, 0.99},  {VG_OP_SHEAR_Y, true, 0.99},
    {VG_OP_SHIFT_X, true, 32}, /* pixels */
    {VG_OP_SHIFT_Y, true, 32},      {VG_OP_ROTATE, true, 135},    {VG_OP_BRIGHTNESS, true, 0.99},
    {VG_OP_SATURATION, true, 0.99}, {VG_OP_CONTRAST, true, 0.99}, {VG_OP_SHARPNESS, true, 0.99},
    {VG_OP_POSTERIZE, false, 6},    {VG_OP_SOLARIZE, false, 0},   {VG_OP_AUTOCONTRAST, false, 0},
    {VG_OP_EQUALIZE, false, 0},
};
static const entry augmix_set[] = {
    {VG_OP_SHEAR_X, true, 0.3},     {VG_OP_SHEAR_Y, true, 0.3},     {VG_OP_SHIFT_X, true, 1.0 / 3},
    {VG_OP_SHIFT_Y, true, 1.0 / 3}, {VG_OP_ROTATE, true, 30},       {VG_OP_POSTERIZE, false, 4},
    {VG_OP_SOLARIZE, false, 0},     {VG_OP_AUTOCONTRAST, false, 0}, {VG_OP_EQUALIZE, false, 0},
    {VG_OP_BRIGHTNESS, true, 0.9},  {VG_OP_SATURATION, true, 0.9},  {VG_OP_CONTRAST, true, 0.9},
    {VG_OP_SHARPNESS, true, 0.9},
};
enum {
    RAND_SET = sizeof rand_set / sizeof *rand_set,
    TRIVIAL_SET = sizeof trivial_set / sizeof *trivial_set,
    AUGMIX_SET = sizeof augmix_set / sizeof *augmix_set
};

/* atan of a slope up to 1 in degrees, by its series after one halving of the angle. */
static double slope_degrees(double slope)
{
    double x = slope / (1 + sqrt(1 + slope * slope)), square = x * x, term = x, sum = 0;
    for (int k = 1; k < 60; k += 2) {
        sum += term / k;
        term *= -square;
    }
    return 2 * sum * (180 / 3.14159265358979323846);
}

/* The operation at magnitude bin / (bins - 1) of its range; posterize begins at `most_bits`. */
static vg_step at_magnitude(const entry *e, int bin, int bins, int most_bits, bool negative,
                            vg_rng *rng)
{
    double m = e->most * bin / (bins - 1), side = e->is_signed && negative ? -m : m;
    switch (e->operation) {
    case VG_OP_SHEAR_X:
    case VG_OP_SHEAR_Y:
        side = slope_degrees(m) * (negative ? -1 : 1);
        break;
    case VG_OP_BRIGHTNESS:
    case VG_OP_SATURATION:
    case VG_OP_CONTRAST:
    case VG_OP_SHARPNESS:
        side = 1 + side;
        break;
    case VG_OP_POSTERIZE:
        side = nearbyint(most_bits - m);
        break;
    case VG_OP_SOLARIZE:
        side = 255.0 * (bins - 1 - bin) / (bins - 1);
        break;
    default:
        break;
    }
    return vg_step_with(e->operation, side, rng);
}

static void append(vg_steps *steps, vg_step step)
{
    if (steps->count < VG_STEPS)
        steps->step[steps->count++] = step;
}

/* Exponentially distributed. */
static double exponential(vg_rng *rng)
{
    return -vg_logarithm(1 - vg_rng_double(rng));
}

static entry scaled(entry e, int width, int height)
{
    if (e.operation == VG_OP_SHIFT_X)
        e.most = fmin(1, e.most / width);
    if (e.operation == VG_OP_SHIFT_Y)
        e.most = fmin(1, e.most / height);
    return e;
}

static void draw_augmix(const vg_auto *automatic, vg_rng *rng, vg_steps *steps)
{
    double original = exponential(rng), augmented = exponential(rng), weight[VG_CHAINS], sum = 0;
    for (int k = 0; k < VG_CHAINS; k++) {
        weight[k] = exponential(rng);
        sum += k < automatic->operations ? weight[k] : 0;
    }
    double share = augmented / (original + augmented);
    steps->original = (float)(1 - share);
    steps->chains = automatic->operations;
    for (int k = 0; k < VG_CHAINS && k < automatic->operations; k++) {
        steps->weight[k] = (float)(share * weight[k] / sum);
        int depth = 1 + (int)vg_rng_below(rng, 3);
        for (int i = 0; i < depth; i++) {
            const entry *e = &augmix_set[vg_rng_below(rng, AUGMIX_SET)];
            int bin = (int)vg_rng_below(rng, (uint64_t)automatic->magnitude);
            bool negative = vg_rng_u32(rng) >> 31;
            append(steps, at_magnitude(e, bin, 10, 4, negative, rng));
        }
        steps->end[k] = steps->count;
    }
}

static const entry *entry_of(vg_operation operation)
{
    static const entry invert = {VG_OP_INVERT, false, 0};
    for (int i = 0; i < RAND_SET; i++)
        if (rand_set[i].operation == operation)
            return &rand_set[i];
    return &invert;
}

static void draw_pair(const vg_auto_pair *pair, vg_rng *rng, vg_steps *steps)
{
    for (int i = 0; i < 2; i++) {
        bool applied = vg_rng_double(rng) < (double)pair->step[i].chance;
        bool negative = vg_rng_u32(rng) >> 31;
        vg_step step = at_magnitude(entry_of(pair->step[i].operation), pair->step[i].magnitude, 10,
                                    8, negative, rng);
        if (applied)
            append(steps, step);
    }
}

void vg_auto_draw(const vg_auto *automatic, const vg_sample_key *key, uint32_t use, int width,
                  int height, vg_steps *steps)
{
    vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position, use);
    switch (automatic->kind) {
    case VG_AUTO_NONE:
        break;
    case VG_AUTO_RAND:
        for (int i = 0; i < automatic->operations; i++) {
            const entry *e = &rand_set[vg_rng_below(&rng, RAND_SET)];
            bool negative = vg_rng_u32(&rng) >> 31;
            append(steps, at_magnitude(e, automatic->magnitude, 31, 8, negative, &rng));
        }
        break;
    case VG_AUTO_TRIVIAL: {
        entry e = scaled(trivial_set[vg_rng_below(&rng, TRIVIAL_SET)], width, height);
        int bin = (int)vg_rng_below(&rng, 31);
        bool negative = vg_rng_u32(&rng) >> 31;
        append(steps, at_magnitude(&e, bin, 31, 8, negative, &rng));
        break;
    }
    case VG_AUTO_AUGMIX:
        draw_augmix(automatic, &rng, steps);
        break;
    case VG_AUTO_IMAGENET:
    case VG_AUTO_CIFAR10:
    case VG_AUTO_SVHN: {
        const vg_auto_pair *table = vg_auto_tables[automatic->kind - VG_AUTO_IMAGENET];
        draw_pair(&table[vg_rng_below(&rng, VG_AUTO_PAIRS)], &rng, steps);
    }
    }
}

/* ---- one by one */

/* Operation i of a table of AutoAugment in the order of the set, with the magnitudes that stand there. */
static const entry *table_entry(const vg_auto_pair *table, int i, int *low, int *high)
{
    for (int e = 0; e <= RAND_SET; e++) {
        const entry *found = e < RAND_SET ? &rand_set[e] : entry_of(VG_OP_INVERT);
        bool present = false;
        for (int k = 0; k < 2 * VG_AUTO_PAIRS; k++) {
            int magnitude = table[k / 2].step[k % 2].magnitude;
            if (table[k / 2].step[k % 2].operation != found->operation)
                continue;
            *low = present && *low < magnitude ? *low : magnitude;
            *high = present && *high > magnitude ? *high : magnitude;
            present = true;
        }
        if (present && i-- == 0)
            return found;
    }
    return NULL;
}

/* Entry i, the bins that it is drawn from, and of how many; NULL behind the last. */
static const entry *nth(const vg_auto *automatic, int i, int *low, int *high, int *bins)
{
    *bins = 31;
    *low = 0;
    switch (automatic->kind) {
    case VG_AUTO_NONE:
        return NULL;
    case VG_AUTO_RAND:
        *low = *high = automatic->magnitude;
        return i < RAND_SET ? &rand_set[i] : NULL;
    case VG_AUTO_TRIVIAL:
        *high = 30;
        return i < TRIVIAL_SET ? &trivial_set[i] : NULL;
    case VG_AUTO_AUGMIX:
        *bins = 10;
        *high = automatic->magnitude - 1;
        return i < AUGMIX_SET ? &augmix_set[i] : NULL;
    default:
        *bins = 10;
        return table_entry(vg_auto_tables[automatic->kind - VG_AUTO_IMAGENET], i, low, high);
    }
}

vg_operation vg_auto_operation(const vg_auto *automatic, int i)
{
    int low, high, bins;
    const entry *e = nth(automatic, i, &low, &high, &bins);
    return e ? e->operation : VG_OPERATIONS;
}

vg_step vg_auto_step(const vg_auto *automatic, int i, double strength, bool negative,
                     const int size[2], vg_rng *rng)
{
    int low, high, bins;
    const entry *found = nth(automatic, i, &low, &high, &bins);
    if (!found)
        return (vg_step){.operation = VG_OP_IDENTITY};
    entry e = automatic->kind == VG_AUTO_TRIVIAL ? scaled(*found, size[0], size[1]) : *found;
    int bin = (int)nearbyint(low + strength * (high - low));
    int most_bits = automatic->kind == VG_AUTO_AUGMIX ? 4 : 8;
    return at_magnitude(&e, bin, bins, most_bits, negative, rng);
}

/* ---- words */

static const char *const names[] = {"randaugment", "trivialaugment", "augmix", "autoaugment"};
static const char *const tables[] = {"imagenet", "cifar10", "svhn"};

static int named(const char *name)
{
    int i = 0;
    while (i < 4 && strcmp(name, names[i]) != 0)
        i++;
    return i;
}

bool vg_auto_named(const char *name)
{
    return named(name) < 4;
}

const char *vg_auto_name(int i)
{
    return i >= 0 && i < 4 ? names[i] : NULL;
}

/* "a:b" as two whole numbers within bounds. */
static bool read_pair(const char *value, const int low[2], const int high[2], int *a, int *b)
{
    char *end;
    long first = strtol(value, &end, 10);
    if (end == value || *end != ':')
        return false;
    const char *rest = end + 1;
    long second = strtol(rest, &end, 10);
    if (end == rest || *end != '\0' || first < low[0] || first > high[0] || second < low[1] ||
        second > high[1])
        return false;
    *a = (int)first;
    *b = (int)second;
    return true;
}

vg_status vg_auto_parse(const char *name, const char *value, vg_auto *automatic, vg_error *err)
{
    vg_auto a = {0};
    switch (named(name)) {
    case 0:
        a = (vg_auto){VG_AUTO_RAND, 2, 9};
        if (value && !read_pair(value, (int[]){1, 0}, (int[]){8, 30}, &a.operations, &a.magnitude))
            return vg_fail(err, VG_E_ARG,
                           "policy: randaugment=%s: expected OPERATIONS:MAGNITUDE, 1 to 8 and 0 to "
                           "30, as in randaugment=2:9",
                           value);
        break;
    case 1:
        a = (vg_auto){VG_AUTO_TRIVIAL, 0, 0};
        if (value)
            return vg_fail(err, VG_E_ARG,
                           "policy: trivialaugment takes no value, but \"%s\" is given", value);
        break;
    case 2:
        a = (vg_auto){VG_AUTO_AUGMIX, 3, 3};
        if (value &&
            !read_pair(value, (int[]){1, 1}, (int[]){VG_CHAINS, 10}, &a.operations, &a.magnitude))
            return vg_fail(
                err, VG_E_ARG,
                "policy: augmix=%s: expected CHAINS:SEVERITY, 1 to %d and 1 to 10, as in "
                "augmix=3:3",
                value, VG_CHAINS);
        break;
    case 3:
        for (int i = 0; value && i < 3; i++)
            if (strcmp(value, tables[i]) == 0)
                a.kind = (vg_auto_kind)(VG_AUTO_IMAGENET + i);
        if (a.kind == VG_AUTO_NONE) {
            const char *near = value ? vg_nearest(value, tables, 3) : NULL;
            return vg_fail(err, VG_E_ARG,
                           "policy: autoaugment=%s: expected imagenet, cifar10 or svhn%s%s%s",
                           value ? value : "", near ? "; did you mean \"" : "", near ? near : "",
                           near ? "\"?" : "");
        }
        break;
    default:
        return vg_fail(err, VG_E_ARG, "policy: unknown set \"%s\"", name);
    }
    *automatic = a;
    return VG_OK;
}

void vg_auto_print(const vg_auto *automatic, char *text, size_t capacity)
{
    switch (automatic->kind) {
    case VG_AUTO_NONE:
        snprintf(text, capacity, "%s", "");
        break;
    case VG_AUTO_RAND:
    case VG_AUTO_AUGMIX:
        snprintf(text, capacity, "%s=%d:%d", names[automatic->kind == VG_AUTO_RAND ? 0 : 2],
                 automatic->operations, automatic->magnitude);
        break;
    case VG_AUTO_TRIVIAL:
        snprintf(text, capacity, "%s", names[1]);
        break;
    default:
        snprintf(text, capacity, "%s=%s", names[3], tables[automatic->kind - VG_AUTO_IMAGENET]);
    }
}
