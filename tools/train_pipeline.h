/* train-pipeline in parts: what the files behind its main share. */
#ifndef VG_TOOLS_TRAIN_PIPELINE_H
#define VG_TOOLS_TRAIN_PIPELINE_H

#include "check.h"
#include "cli.h"
#include "job.h"
#include "run_progress.h"

#include <jansson.h>

enum { VG_TRAIN_SETS = 256 };

/* What the command line said; strings point into argv. */
typedef struct vg_train_request {
    const char *job, *evaluate, *split, *save_stats, *resume, *sweep, *lr_range;
    char *sets[VG_TRAIN_SETS];          /* key=value, owned; in the order given */
    const char *options[VG_TRAIN_SETS]; /* by which option each was given */
    int set_count;
    bool fail_on_collapse, compare_given, seeds_given, cache_given, keys, explain_speed;
} vg_train_request;

/* Everything that a call of the program holds. */
typedef struct vg_train_session {
    vg_cli cli;
    vg_train_request request;
    vg_job job;
    vg_dataset *dataset;
    char *folder, *checkpoint, *best, *state, *keep; /* all but the first lie in the folder */
    int hold;                                        /* of the folder; -1: none */
    char *identity;                                  /* of the job, for its state */
    vg_run_progress progress;
    vg_cache *cache;
    vg_run_result result;
    vg_comparison comparison;
    bool compared;
    size_t *counts; /* [VG_SPLIT_COUNT][classes] */
    const char **classes;
    char **bad_names;
    vg_check check; /* of the policy */
    bool checked;
} vg_train_session;

void vg_train_session_reset(vg_train_session *s);
/* The folder of the run, made where it is missing, and held: two programs that write the same run would spoil both. */
vg_status vg_train_take_folder(vg_train_session *s, vg_error *err);

/* train_job.c: the options of the command line, and the job and dataset that they ask for. */
extern const vg_cli_spec vg_train_spec;
vg_status vg_train_read_job(vg_train_session *s, vg_error *err);
vg_status vg_train_open_dataset(vg_train_session *s, vg_error *err);

/* train_run.c: trains what the job says, with report; train_evaluate.c: measures a checkpoint. Both
 * give the exit status. */
int vg_train_run(vg_train_session *s);
int vg_train_evaluate(vg_train_session *s);
/* train_sweep.c: searches the settings that the job names. */
int vg_train_sweep(vg_train_session *s);
/* train_lr_range.c: raises the learning rate from step to step. */
int vg_train_lr_range(vg_train_session *s);
/* train_speed.c: times the first steps and tells where the time goes. */
int vg_train_explain_speed(vg_train_session *s);

/* The cache of the job into the session and the options of the run; --evaluate, which looks at every
 * image once, needs none. */
vg_status vg_train_open_cache(vg_train_session *s, vg_error *err);

/* Writes what is new in it and tells what did not work. */
void vg_train_settle_cache(vg_train_session *s);
/* SIGINT and SIGTERM ask to stop; a second one ends the program at once. */
void vg_train_catch_signals(void);
bool vg_train_stop_asked(void);

/* Shared by both: a verdict that --fail-on collapse is about; JSON to stdout. */
bool vg_train_is_collapsed(vg_verdict verdict);
vg_status vg_train_print_json(json_t *json, vg_error *err);

#endif
