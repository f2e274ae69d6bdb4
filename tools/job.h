/* A job: everything that decides a training or a comparison, from a YAML file and from key=value.
 *
 * One table of keys (job_keys.c) serves the file, --set, the stored effective job and the
 * documentation. docs/jobs.md describes the keys for users. Not thread-safe per job; different jobs
 * may be used by different threads. */
#ifndef VG_TOOLS_JOB_H
#define VG_TOOLS_JOB_H

#include "dataset/dataset.h"
#include "run.h"
#include "study/compare.h"
#include "study/search.h"

#include <stdio.h>

/* How settings are searched (docs/training.md). */
typedef struct vg_sweep_options {
    vg_search_space space; /* count 0: no search */
    vg_search_method method;
    vg_giving_up give_up;
    vg_watch objective;
    int trials;     /* at most */
    double minutes; /* after which no further trial begins, 0: none */
    int confirm;    /* the best so many are trained again ... */
    int seeds;      /* ... with so many other seeds */
} vg_sweep_options;

typedef struct vg_job {
    char *dataset;  /* path; NULL: none given */
    char **classes; /* [class_count] keep only these; none: all */
    size_t class_count;
    char **limit_classes; /* [limit_count] training images of a class, at most limits[i] */
    size_t *limits;
    size_t limit_count;
    size_t train_total, held_out_total; /* 0: all */
    vg_dataset_options split;
    vg_run_options run;
    vg_compare_options compare; /* change_count 0: no comparison */
    vg_sweep_options sweep;
    bool first_seed_given;    /* else compare.first_seed follows run.seed: vg_job_finish */
    bool learning_rate_given; /* else it follows the optimizer: vg_job_finish */
    bool clip_norm_given, momentum_given, nesterov_given; /* else they do too */
    vg_cache_options cache; /* run.cache is opened from it by whoever runs the job */
    char *init_from;        /* run.init_from is it after vg_job_finish; NULL: none */
    char *statistics;       /* run.statistics is it after vg_job_finish; NULL: fitted anew */
    char *out;              /* run folder; NULL: a new one below runs/ */
} vg_job;

/* Everything at its default: z-score, light augmentation, balanced sampling, the first preset net.
 */
vg_status vg_job_init(vg_job *job, vg_error *err);
void vg_job_reset(vg_job *job);

/* Changes `job` by what the file says. Errors: VG_E_IO, VG_E_FORMAT (not YAML), VG_E_ARG (unknown
 * key, wrong type, out of range, given twice): "file:line:column: what was found, what is allowed".
 * Paths in a file are relative to its folder. */
vg_status vg_job_load(vg_job *job, const char *path, vg_error *err);
/* The same for YAML text in memory; `name` stands in messages, `folder` (may be NULL) before
 * relative paths. */
vg_status vg_job_read(vg_job *job, const char *text, size_t size, const char *name,
                      const char *folder, vg_error *err);
/* One "key=value". Lists as a,b or [a, b]; maps as a:1,b:2 or {a: 1}. `name` stands in messages. */
vg_status vg_job_set(vg_job *job, const char *assignment, const char *name, vg_error *err);
/* Checks what single keys cannot (shares of the split) and derives what follows from others. */
vg_status vg_job_finish(vg_job *job, vg_error *err);

/* The whole effective job as YAML that gives this job again (all keys but `out`), each line with
 * its meaning as a comment. The dataset's path is printed absolute when it exists. */
void vg_job_print(const vg_job *job, FILE *out);
/* The same as key=value words, wrapped at `width` columns, each line begun with `indent`. */
void vg_job_print_words(const vg_job *job, FILE *out, int width, const char *indent);
/* All keys that decide the result of a training, a line each, and the version: what vg_run_options.identity wants.
 * free() it; NULL when memory ran out. */
char *vg_job_identity(const vg_job *job, const char *version);
/* The table of all keys in Markdown, as docs/jobs.md holds it. */
void vg_job_print_keys(FILE *out);

/* The selection that the job asks for; points into the job. */
vg_selection vg_job_selection(const vg_job *job);

#endif
