/* balance-report's answer: the audit's numbers weighed and put into words, and written as text,
 * JSON or a page. Nothing here reads files but the page, which shows a few pictures of each class.
 */
#ifndef VG_REPORT_AUDIT_H
#define VG_REPORT_AUDIT_H

#include "audit/alike.h"
#include "audit/audit.h"
#include "load/sampler.h"

#include <stdbool.h>
#include <stdio.h>

/* How much a finding wants to be the first thing that is done. Sections place theirs between these. */
enum {
    VG_WEIGHT_NOTHING = 1,
    VG_WEIGHT_FEW = 10, /* too few images to measure anything */
    VG_WEIGHT_LABELS_ONLY = 15,
    VG_WEIGHT_FEW_BROKEN = 20, /* a file or two */
    VG_WEIGHT_SHORTCUT = 30,
    VG_WEIGHT_IMBALANCE = 40,
    VG_WEIGHT_NAMES = 50,
    VG_WEIGHT_UNTRAINED = 60, /* a class without a training image */
    VG_WEIGHT_TORN = 65,      /* series that lie in several splits */
    VG_WEIGHT_FLAT = 70,      /* before whatever compares pictures: flat ones are all alike */
    VG_WEIGHT_BROKEN = 80,    /* many files */
    VG_WEIGHT_ONE_CLASS = 90,
    VG_WEIGHT_UNREADABLE = 100
};

/* A sentence and the command that acts on it: `before`, the dataset's path, `after`. */
typedef struct vg_advice {
    double weight; /* VG_WEIGHT_*, or between them; 0: no advice */
    char text[480];
    const char *before, *after; /* static; before NULL: no command */
} vg_advice;

/* What is to be said about a class. */
typedef struct vg_class_finding {
    int label;
    size_t total;   /* images in all splits, broken ones included */
    size_t shown;   /* what the table counts: training images, or all (vg_findings.by_train) */
    size_t tested;  /* images that its accuracy would be measured on */
    size_t broken;  /* files that cannot be decoded */
    double margin;  /* 95 % half-width of an accuracy measured on `tested` images, 0..0.5 */
    bool accused;   /* the note is more than a remark */
    char note[320]; /* what stands out, "" if nothing does */
} vg_class_finding;

typedef struct vg_findings {
    bool by_train;    /* the dataset brings its splits: the table and `shown` speak of train */
    vg_balance all;   /* over all images */
    vg_balance train; /* over the training split */
    vg_balance shown; /* the one of the two that the table shows */
    size_t split[VG_SPLIT_COUNT];
    vg_class_finding *classes; /* [count], largest first, ties by name order */
    int count;
    vg_advice first; /* what to do first */
    bool clean;      /* `first` has nothing to repair */
    vg_alike *alike; /* [alike_count] classes with names that are nearly the same */
    size_t alike_count;
    int misordered; /* classes are all numbers but not in the order of their values: the first label
                       whose name is larger than the next one's; -1: not so */
    /* Rebalancing: how often the rarest class is seen in an epoch. sampling is VG_SAMPLING_SHUFFLE
     * when nothing needs to change. */
    vg_sampling sampling;
    int rare; /* label; -1: there is no training image */
    uint64_t rare_images, rare_seen;
    const struct vg_measured
        *measured; /* what findings cost (measure.h), borrowed; NULL: not asked for */
    struct vg_balance_plan *plan; /* balance_plan.h */
    const char *plan_file;        /* where it was written, borrowed; NULL: nowhere */
    const struct vg_against
        *against;            /* audit/against.h, borrowed; NULL: nothing to compare with ... */
    const vg_dataset *other; /* ... and that dataset */
    const struct vg_label_search
        *labels; /* which are wrong (label_search.h), borrowed; NULL: not asked for */
    const struct vg_conditions *conditions; /* judged; borrowed, NULL: none */
} vg_findings;

/* Errors: VG_E_NOMEM. The result is the caller's, vg_findings_reset frees it. */
vg_status vg_findings_make(const vg_dataset *dataset, const vg_audit *audit, vg_findings *findings,
                           vg_error *err);
void vg_findings_reset(vg_findings *findings);
/* Two classes with nearly the same name in one sentence, with their counts. */
void vg_alike_words(const vg_dataset *dataset, const vg_findings *findings, size_t i, char *text,
                    size_t capacity);
/* What was left out, as a list in words: "3 hidden, 1 class folder without a picture", or "". */
void vg_ignored_words(const vg_dataset *dataset, char *text, size_t capacity);
/* A shortcut in one sentence. */
void vg_shortcut_words(const vg_dataset *dataset, const vg_shortcut *shortcut, char *text,
                       size_t capacity);
/* What all properties together tell, in one sentence; audit->together.accuracy is above 0. */
void vg_together_words(const vg_audit *audit, char *text, size_t capacity);
/* The whole command of an advice on the heap, the path quoted for a shell where it must be, and the
 * background that the dataset was opened with; NULL when memory ran out or there is no command. */
char *vg_advice_command(const vg_advice *advice, const char *dataset, int background);
/* "train-pipeline DATASET ..." that uses the plan; the same rules. */
char *vg_plan_command(const vg_findings *findings, const char *dataset, int background);

/* For a terminal or a log: `width` columns, colours if `colour`. */
void vg_audit_text(FILE *out, const vg_dataset *dataset, const vg_audit *audit,
                   const vg_findings *findings, int width, bool colour);
/* One line per file: "broken|warning <tab> path <tab> reason". */
void vg_audit_text_files(FILE *out, const vg_dataset *dataset, const vg_audit *audit);
/* One JSON object (docs/reports.md). Errors: VG_E_NOMEM; those of the stream are the caller's. */
vg_status vg_audit_json(FILE *out, const vg_dataset *dataset, const vg_audit *audit,
                        const vg_findings *findings, bool fail_on_error, vg_error *err);
/* A page in one file, written to `path`. */
vg_status vg_audit_html(const char *path, const vg_dataset *dataset, const vg_audit *audit,
                        const vg_findings *findings, vg_error *err);

#endif
