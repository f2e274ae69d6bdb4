/* Searching the settings of a training: which trial to run next, and which to give up. Pure functions over a record
 * of trials; running them is the caller's.
 *
 * A space is a list of keys with what each may be: numbers between two bounds (evenly or by their logarithm), whole
 * numbers, or words. A trial is a point in it, as the texts that a job takes. The next trial is a function of
 * (seed, number of the trial, results so far): a search that was cut off goes on as it would have.
 *
 * grid    every combination; numbers in `points` steps
 * random  Bergstra, Bengio: "Random search for hyper-parameter optimization", JMLR 2012
 * tpe     Bergstra, Bardenet, Bengio, Kegl: "Algorithms for hyper-parameter optimization", NIPS 2011, with
 *         the joint densities of Falkner, Klein, Hutter: "BOHB", ICML 2018: after a random beginning a density is
 *         fitted to the best 15 % of the trials and one to the rest, and of 8 draws from the first
 *         the one with the largest quotient is tried */
#ifndef VG_STUDY_SEARCH_H
#define VG_STUDY_SEARCH_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { VG_SEARCH_KEYS = 16, VG_SEARCH_WORDS = 32, VG_SEARCH_TEXT = 160 };

typedef enum vg_search_kind { VG_SEARCH_NUMBER, VG_SEARCH_WORD } vg_search_kind;

typedef struct vg_search_key {
    char name[64];
    vg_search_kind kind;
    double low, high; /* numbers */
    bool logarithmic, whole;
    char (*words)[VG_SEARCH_TEXT]; /* [word_count], owned by the space */
    int word_count;
} vg_search_key;

typedef struct vg_search_space {
    vg_search_key keys[VG_SEARCH_KEYS];
    int count;
} vg_search_space;
void vg_search_space_reset(vg_search_space *space);
/* Adds a key from words: "0.001 .. 0.1", "0.001 .. 0.1 log", "16 .. 128 whole", "8 .. 512 whole log", or a list "sgd | adam" (words may hold
 * blanks). VG_E_ARG says what is wrong; VG_E_LIMIT: too many keys or words. */
vg_status vg_search_space_add(vg_search_space *space, const char *name, const char *words,
                              vg_error *err);

typedef enum vg_search_method {
    VG_SEARCH_TPE,
    VG_SEARCH_RANDOM,
    VG_SEARCH_GRID,
    VG_SEARCH_METHODS
} vg_search_method;
const char *vg_search_method_name(vg_search_method method); /* "tpe", "random", "grid" */

/* A point: of a number its value, of words the place in the list. */
typedef struct vg_search_point {
    double at[VG_SEARCH_KEYS];
} vg_search_point;

typedef struct vg_search_result {
    vg_search_point point;
    double value; /* NaN: the trial failed; counts as the worst */
} vg_search_result;

typedef struct vg_search_options {
    vg_search_method method;
    uint64_t seed;
    bool higher;   /* larger values are better */
    int beginning; /* tpe: random trials before the model is asked (10) */
    int points;    /* grid: steps of a number (5) */
} vg_search_options;
vg_search_options vg_search_options_default(void); /* tpe, higher is better */

/* Trials that a grid has, UINT64_MAX when they cannot be counted; 0 for the other methods: no end. */
uint64_t vg_search_size(const vg_search_space *space, const vg_search_options *options);
/* The point of trial `number` (from 0), given the results of trials that have ended, in the order of their numbers. VG_END: a grid is at its
 * end. */
vg_status vg_search_next(const vg_search_space *space, const vg_search_options *options,
                         uint64_t number, const vg_search_result *results, size_t count,
                         vg_search_point *point, vg_error *err);
/* The value of one key as a job takes it. */
void vg_search_print(const vg_search_key *key, double at, char *text, size_t capacity);

/* ---- giving up early */

typedef enum vg_giving_up {
    VG_GIVING_UP_NONE,
    VG_GIVING_UP_MEDIAN, /* a trial whose best value so far is below the median of what others had reached at the same epoch (their best up to it;
                            Golovin et al., "Google Vizier", KDD 2017) */
    VG_GIVING_UP_HALVING, /* at 1/9, 1/3 of the epochs only the best third of those that came there goes on (asynchronous
                             successive halving, Li et al., MLSys 2020) */
    VG_GIVING_UPS
} vg_giving_up;
const char *vg_giving_up_name(vg_giving_up rule); /* "none", "median", "halving" */

/* values[epoch - 1], NaN where a trial has none. */
typedef struct vg_search_curve {
    const double *values; /* [count] */
    int count;
} vg_search_curve;
/* Whether the trial with `own` epochs so far should end; others: all other trials, also those that were given up. `least` others must
 * have come as far (3). */
bool vg_search_gives_up(vg_giving_up rule, bool higher, int epochs, const vg_search_curve *own,
                        const vg_search_curve *others, size_t count, int least);

/* ---- who has won */

/* The best few trials again with other seeds: values[count][seeds]. */
typedef struct vg_search_judgement {
    int winner, second; /* by the means; -1: there is none */
    double mean, lead;  /* of the winner; over the second */
    double
        margin; /* half of the 95 % interval of such a difference, from the spread over seeds of all of
                           them (Student's t); NaN with fewer than two seeds */
    bool within_noise; /* the lead is not above the margin, or nobody can tell */
} vg_search_judgement;
vg_search_judgement vg_search_judge(const double *values, int count, int seeds, bool higher);

#endif
