/* The folder of a run: what it is called and what is written into it (docs/jobs.md lists the
 * files). */
#ifndef VG_TOOLS_RUN_FOLDER_H
#define VG_TOOLS_RUN_FOLDER_H

#include "job.h"
#include "report/run.h"

/* Makes `wanted` with its parents (an existing folder is used), or with NULL a new
 * below/YYYY-MM-DD-N that nobody else has: two runs started at once get two folders. *path is the
 * caller's to free. */
vg_status vg_run_folder_make(const char *wanted, const char *below, char **path, vg_error *err);
/* The folder belongs to this process until *hold is closed, or it ends in any way: VG_E_STATE if another one has
 * it. No file is left for it. Where the file system knows no locks nothing is held, *hold is -1. */
vg_status vg_run_folder_hold(const char *folder, int *hold, vg_error *err);
/* Writes job.yaml, the effective job: `train-pipeline --job FOLDER/job.yaml` runs it again.
 * Results of an earlier run in the folder are removed first: they would pass for those of this job. */
vg_status vg_run_folder_write_job(const char *folder, const vg_job *job, vg_error *err);
/* Writes bad-files.tsv when the report has any. */
vg_status vg_run_folder_write_files(const char *folder, const vg_run_report *report, vg_error *err);
/* Writes report.json and report.html, and bad-files.tsv. */
vg_status vg_run_folder_write_report(const char *folder, const vg_run_report *report,
                                     const json_t *json, vg_error *err);
/* The run is at its end: removes what --resume would need, and what a program that was killed left half-written. */
vg_status vg_run_folder_finish(const char *folder, vg_error *err);

#endif
