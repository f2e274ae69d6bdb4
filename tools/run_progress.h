/* The progress of a training or a comparison: what stands on the line while it goes. */
#ifndef VG_TOOLS_RUN_PROGRESS_H
#define VG_TOOLS_RUN_PROGRESS_H

#include "progress.h"
#include "run.h"

typedef struct vg_run_progress {
    vg_progress line;
    int epochs, classes;
    double started;                /* of everything */
    double information, effective; /* of the last look; NaN: none yet */
    int done, total;               /* trainings of a comparison; 0: a single training */
    char arm[64];                  /* which of them is under way */
} vg_run_progress;

/* `json`: as objects, one a line, instead of words. */
vg_run_progress vg_run_progress_start(bool quiet, bool json);
/* After a batch: shows a line when it is time for one. */
void vg_run_progress_batch(vg_run_progress *progress, const vg_run_moment *moment);
/* After an epoch; in JSON every one is told. */
void vg_run_progress_epoch(vg_run_progress *progress, const vg_epoch_record *record);
/* Before training `done` of `total`. */
void vg_run_progress_training(vg_run_progress *progress, int done, int total, const char *arm,
                              int seed);

#endif
