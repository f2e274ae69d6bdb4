/* Naive Bayes with equal priors over all properties: the logarithms of each bin's share of a class are added up. Properties
 * hang together (width and file size), and naive Bayes then is too sure of itself, but its order of classes suffers little
 * (Domingos and Pazzani 1997), and only the order is used. The same folds and the same balanced accuracy as for single
 * properties; labels are shuffled for what chance reaches. */
#include "audit/shortcuts_join.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { SHUFFLES = 19, MOST_ROWS = 4000 };
static const double LEAST_GAIN = 0.02;
static const double PRIOR = 0.5; /* pictures in every bin before any was seen */

/* Part of the rows, and the answers of the right labels and of the shuffled ones. */
struct part {
    const vg_join *join;
    size_t count;
    size_t *rows; /* [count] */
    double accuracies[1 + SHUFFLES];
    bool failed[1 + SHUFFLES];
};

/* What one shuffle needs. */
struct room {
    int *labels;     /* [count] of part->rows */
    float *logs;     /* [properties][bins][classes] */
    uint32_t *sizes; /* [classes] */
    uint32_t *right; /* [classes] */
    float *scores;   /* [classes] */
};

static void room_reset(struct room *room)
{
    free(room->labels);
    free(room->logs);
    free(room->sizes);
    free(room->right);
    free(room->scores);
}

static bool room_make(const struct part *part, struct room *room)
{
    size_t classes = (size_t)part->join->classes;
    size_t cells = classes * (size_t)part->join->bins * (size_t)part->join->properties;
    room->labels = vg_alloc(part->count, sizeof *room->labels);
    room->logs = vg_alloc(cells, sizeof *room->logs);
    room->sizes = vg_alloc(classes, sizeof *room->sizes);
    room->right = vg_calloc(classes, sizeof *room->right);
    room->scores = vg_alloc(classes, sizeof *room->scores);
    return room->labels && room->logs && room->sizes && room->right && room->scores;
}

/* Logarithms of shares from the pictures of all folds but one. */
static void learn(const struct part *part, int fold, struct room *room)
{
    const vg_join *j = part->join;
    size_t classes = (size_t)j->classes, cells = classes * (size_t)j->bins;
    size_t all = cells * (size_t)j->properties;
    for (size_t c = 0; c < all; c++)
        room->logs[c] = (float)PRIOR;
    memset(room->sizes, 0, classes * sizeof *room->sizes);
    for (size_t i = 0; i < part->count; i++) {
        size_t row = part->rows[i], k = (size_t)room->labels[i];
        if (j->folds[row] == fold)
            continue;
        room->sizes[k]++;
        for (int p = 0; p < j->properties; p++)
            if (j->values[p])
                room->logs[(size_t)p * cells + j->values[p][row] * classes + k] += 1;
    }
    for (size_t c = 0; c < all; c++)
        room->logs[c] =
            logf(room->logs[c] / ((float)room->sizes[c % classes] + (float)PRIOR * (float)j->bins));
}

static void name_rows(const struct part *part, int fold, struct room *room)
{
    const vg_join *j = part->join;
    size_t classes = (size_t)j->classes, cells = classes * (size_t)j->bins;
    for (size_t i = 0; i < part->count; i++) {
        size_t row = part->rows[i], best = 0;
        if (j->folds[row] != fold)
            continue;
        memset(room->scores, 0, classes * sizeof *room->scores);
        for (int p = 0; p < j->properties; p++) {
            if (!j->values[p])
                continue;
            const float *logs = room->logs + (size_t)p * cells + j->values[p][row] * classes;
            for (size_t k = 0; k < classes; k++)
                room->scores[k] += logs[k];
        }
        for (size_t k = 1; k < classes; k++)
            if (room->scores[k] > room->scores[best])
                best = k;
        room->right[best] += (int)best == room->labels[i];
    }
}

/* Balanced over the classes that have a picture. */
static double accuracy(const struct part *part, struct room *room)
{
    size_t classes = (size_t)part->join->classes, present = 0;
    double sum = 0;
    for (int fold = 0; fold < part->join->fold_count; fold++) {
        learn(part, fold, room);
        name_rows(part, fold, room);
    }
    memset(room->sizes, 0, classes * sizeof *room->sizes);
    for (size_t i = 0; i < part->count; i++)
        room->sizes[room->labels[i]]++;
    for (size_t k = 0; k < classes; k++)
        if (room->sizes[k]) {
            sum += (double)room->right[k] / (double)room->sizes[k];
            present++;
        }
    return present ? sum / (double)present : 0;
}

/* Item 0: the labels as they are. */
static void try_labels(void *context, int thread, size_t item)
{
    struct part *part = context;
    struct room room = {0};
    (void)thread;
    if (!room_make(part, &room)) {
        part->failed[item] = true;
    } else {
        vg_rng rng = vg_rng_make(1, 0, item, VG_RNG_PERMUTE);
        for (size_t i = 0; i < part->count; i++)
            room.labels[i] = part->join->labels[part->rows[i]];
        for (size_t i = part->count - 1; item && i > 0; i--) {
            size_t k = (size_t)vg_rng_below(&rng, i + 1);
            int other = room.labels[i];
            room.labels[i] = room.labels[k];
            room.labels[k] = other;
        }
        part->accuracies[item] = accuracy(part, &room);
    }
    room_reset(&room);
}

vg_status vg_shortcuts_join(const vg_join *join, int threads, double best, vg_shortcut *result,
                            vg_error *err)
{
    struct part part = {.join = join};
    size_t step = (join->rows + MOST_ROWS - 1) / MOST_ROWS;
    int used = 0;
    for (int p = 0; p < join->properties; p++)
        used += join->values[p] != NULL;
    if (used < 2)
        return VG_OK;
    part.rows = vg_alloc(join->rows / step + 1, sizeof *part.rows);
    if (!part.rows)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
    for (size_t i = 0; i < join->rows; i += step)
        part.rows[part.count++] = i;
    vg_parallel_for(threads, 1 + SHUFFLES, try_labels, &part);
    double sum = 0, high = 0;
    bool failed = part.failed[0];
    for (int s = 1; s <= SHUFFLES; s++) {
        failed |= part.failed[s];
        sum += part.accuracies[s];
        high = fmax(high, part.accuracies[s]);
    }
    free(part.rows);
    if (failed)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
    result->chance = 1.0 / join->classes;
    result->null_mean = sum / SHUFFLES;
    result->null_high = high; /* of 19 the largest */
    double gain = fmax(LEAST_GAIN, 0.05 * (1 - best));
    if (part.accuracies[0] > high && part.accuracies[0] >= best + gain)
        result->accuracy = part.accuracies[0];
    return VG_OK;
}
