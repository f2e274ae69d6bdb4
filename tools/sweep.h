/* A search over the settings of a job: its trials, and what is kept of them in its folder. train_sweep.c runs it,
 * report/sweep.c tells it. */
#ifndef VG_TOOLS_SWEEP_H
#define VG_TOOLS_SWEEP_H

#include "job.h"

enum { VG_SWEEP_SEEDS = 20 };

typedef enum vg_trial_end {
    VG_TRIAL_DONE,
    VG_TRIAL_GAVE_UP, /* before its last epoch */
    VG_TRIAL_FAILED   /* the settings make no training */
} vg_trial_end;
const char *vg_trial_end_name(vg_trial_end end); /* "done", "gave up", "failed" */

typedef struct vg_trial {
    vg_search_point point;
    vg_trial_end end;
    double
        value; /* of the objective: on all held-out images, or the last one of the probe; NaN: failed */
    double *curve; /* [epochs] of the probe */
    int epochs;
    double seconds;
    vg_verdict verdict;
    double fresh[VG_SWEEP_SEEDS]; /* [fresh_count] with other seeds */
    int fresh_count;
    char reason[200]; /* of a failure */
} vg_trial;

typedef struct vg_sweep {
    const vg_job *job; /* that it searches; borrowed */
    vg_trial *trials;  /* [count] */
    size_t count, capacity;
    size_t *order; /* [count] the best first, then those that were given up, then failures */
    int confirmed; /* the first so many of them were trained with other seeds */
    vg_search_judgement judgement; /* of the confirmed ones: places in `order` */
    size_t winner;                 /* trial */
    bool any;                      /* there is a winner */
    double seconds;                /* of all trainings */
} vg_sweep;
void vg_sweep_reset(vg_sweep *sweep);
/* Room for one more, zeroed and counted; NULL: no memory. */
vg_trial *vg_sweep_add(vg_sweep *sweep);
/* Sets order from the trials. VG_E_NOMEM. */
vg_status vg_sweep_rank(vg_sweep *sweep, vg_error *err);
/* Sets judgement and winner: by the fresh seeds if there are any, else by the first one. */
void vg_sweep_judge(vg_sweep *sweep);

/* The job of a trial: that of the search with the point's settings, another seed, and nothing to search. *job is made
 * (vg_job_reset). A rate that nobody gave follows the optimizer of the point. VG_E_ARG: the settings contradict each other. */
vg_status vg_sweep_job(const vg_job *base, const vg_search_point *point, uint64_t seed, vg_job *job,
                       vg_error *err);

#endif
