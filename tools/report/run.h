/* The report of a training or a comparison: as text, JSON and HTML, out of the same facts.
 *
 * docs/reports.md documents every key of the JSON. All names (of classes, files, folders) are
 * escaped where it matters. */
#ifndef VG_REPORT_RUN_H
#define VG_REPORT_RUN_H

#include "check.h"
#include "job.h"
#include "run.h"
#include "study/compare.h"

#include <jansson.h>
#include <stdio.h>

/* The facts. Everything is borrowed. */
typedef struct vg_run_report {
    const char *dataset;        /* as the user named it */
    const char *const *classes; /* [class_count] names */
    int class_count;
    const size_t *counts[VG_SPLIT_COUNT]; /* [class_count] each */
    bool brings_splits;
    vg_dataset_ignored ignored;
    const char *const *bad_names;    /* [result->bad_samples] */
    const vg_job *job;               /* effective */
    const vg_run_result *result;     /* the training with everything in */
    const vg_comparison *comparison; /* NULL: none was made */
    const vg_check *check;           /* of the policy, before training; NULL: none was made */
    const char *folder;              /* of the run */
    const char *date;                /* "2026-11-21 03:04 UTC" */
} vg_run_report;

/* ---- words, shared by text and page */

/* "HEALTHY", "ONE-CLASS", ... */
const char *vg_run_verdict_word(vg_verdict verdict);
/* What a verdict rests on, with the names of classes: `says "cat" to 98 % of inputs`. */
void vg_run_verdict_reason(const vg_run_report *report, const vg_run_result *result, char *text,
                           size_t capacity);
/* In how many trainings of the arm its verdict was seen, and what the first one (the example that the sentence is
 * about) was called if that differs: "in 4 of 7 trainings; the first: UNDECIDED". Empty if all agree. */
void vg_run_arm_words(const vg_comparison *comparison, const vg_arm *arm, char *text,
                      size_t capacity);
/* Since when, until when, which layer, what was not finite; empty if there is nothing to add. */
void vg_run_verdict_detail(const vg_run_result *result, char *text, size_t capacity);
/* Effective number of classes among the predictions, 1..K, and among the labels. */
double vg_run_effective_predicted(const vg_diversity *diversity);
double vg_run_effective_labels(const vg_diversity *diversity);
/* Why the i-th bad file was skipped, without its name in front. */
const char *vg_run_bad_reason(const vg_run_report *report, size_t i);
/* "read", "decode", "augment", "train". */
const char *vg_run_stage_word(vg_stage stage);
/* What to do about the stage that limited; empty when there is nothing to advise. */
void vg_run_limit_hint(const vg_run_report *report, char *text, size_t capacity);
/* "3 skipped (2 damaged, 1 not a picture), 1 repaired"; empty if there is nothing to tell. */
void vg_run_files_words(const vg_run_report *report, char *text, size_t capacity);
/* Which epoch was the best by what, its value beside the last one's, and what ended the training early; empty if nothing
 * is to tell. */
void vg_run_best_words(const vg_run_report *report, char *text, size_t capacity);
/* "***", "**", "*" for a corrected p below 0.001, 0.01, 0.05, else "". */
const char *vg_run_stars(double p);
/* "28x28x1, zscore, split 70/15/15 by name": how pixels reach the network. */
void vg_run_input_words(const vg_run_report *report, char *text, size_t capacity);
/* Names joined as `"a", "b" and 3 more`, at most `most` of them, of the classes marked. */
void vg_run_class_list(const vg_run_report *report, const bool *marked, int most, char *text,
                       size_t capacity);

/* ---- the three forms */

/* For people, on a terminal of `width` columns; colours when `colour`. */
void vg_run_report_text(const vg_run_report *report, FILE *out, int width, bool colour);
/* The part of the text about files: counts, and the first names of each kind. */
void vg_run_files_text(const vg_run_report *report, FILE *out);
/* All of them as a table with tabs: path, kind, cause, offset, intact, reason. Needs result->bad and bad_names
 * only. */
void vg_run_files_tsv(const vg_run_report *report, FILE *out);
/* A new object; NULL when memory ran out. */
json_t *vg_run_report_json(const vg_run_report *report);
/* A whole page. */
void vg_run_report_html(const vg_run_report *report, FILE *out);

/* The object of one measurement (diversity, accuracy, confusion), as report.json holds it; also
 * what --evaluate prints. */
json_t *vg_run_diversity_json(const vg_diversity *diversity, const char *const *classes);
void vg_run_diversity_text(const vg_diversity *diversity, const vg_run_report *report, FILE *out);

#endif
