/* Run folders. mkdir itself decides who owns a number: asking first whether a name is free would
 * let two runs of the same second share one folder. */
#include "run_folder.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { RUNS_A_DAY = 100000 };

static vg_status no_memory(vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "out of memory for the run folder");
}

vg_status vg_run_folder_make(const char *wanted, const char *below, char **path, vg_error *err)
{
    vg_status status = vg_make_folders(wanted ? wanted : below, err);
    if (status)
        return status;
    if (wanted) {
        *path = vg_strdup(wanted);
        return *path ? VG_OK : no_memory(err);
    }
    time_t now = time(NULL);
    struct tm day = {0};
    localtime_r(&now, &day);
    for (int i = 1; i < RUNS_A_DAY; i++) {
        char name[48];
        snprintf(name, sizeof name, "%04d-%02d-%02d-%d", day.tm_year + 1900, day.tm_mon + 1,
                 day.tm_mday, i);
        char *candidate = vg_path_join(below, name);
        if (!candidate)
            return no_memory(err);
        if (mkdir(candidate, 0777) == 0) {
            *path = candidate;
            return VG_OK;
        }
        int reason = errno;
        if (reason != EEXIST)
            vg_fail(err, VG_E_IO, "%s: cannot be made: %s", candidate, strerror(reason));
        free(candidate);
        if (reason != EEXIST)
            return VG_E_IO;
    }
    return vg_fail(err, VG_E_LIMIT, "%s: all %d run folders of today are taken", below,
                   RUNS_A_DAY - 1);
}

static vg_status open_in(const char *folder, const char *name, vg_atomic_file *file, vg_error *err)
{
    char *path = vg_path_join(folder, name);
    if (!path)
        return no_memory(err);
    vg_status status = vg_atomic_open(path, file, err);
    free(path);
    return status;
}

static vg_status remove_file(const char *folder, const char *name, vg_error *err)
{
    char *path = vg_path_join(folder, name);
    if (!path)
        return no_memory(err);
    bool failed = unlink(path) != 0 && errno != ENOENT;
    if (failed)
        vg_fail(err, VG_E_IO, "%s: cannot be replaced: %s", path, strerror(errno));
    free(path);
    return failed ? VG_E_IO : VG_OK;
}

/* Results of an earlier run in the same folder would pass for those of this job. */
static vg_status remove_results(const char *folder, vg_error *err)
{
    static const char *const names[] = {"report.json",      "report.html",
                                        "bad-files.tsv",    "weights.safetensors",
                                        "best.safetensors", "resume.safetensors"};
    vg_status status = VG_OK;
    for (size_t i = 0; i < sizeof names / sizeof *names && !status; i++)
        status = remove_file(folder, names[i], err);
    return status;
}

/* The trainings of a comparison. */
static vg_status remove_trainings(const char *folder, vg_error *err)
{
    char *below = vg_path_join(folder, "trainings");
    DIR *list = below ? opendir(below) : NULL;
    vg_status status = below ? VG_OK : no_memory(err);
    struct dirent *entry;
    while (list && !status && (entry = readdir(list)))
        if (strncmp(entry->d_name, "training-", 9) == 0 ||
            strcmp(entry->d_name, "resume.safetensors") == 0)
            status = remove_file(below, entry->d_name, err);
    if (list)
        closedir(list);
    if (list && !status)
        (void)rmdir(below); /* what others have put there stays */
    free(below);
    return status;
}

vg_status vg_run_folder_finish(const char *folder, vg_error *err)
{
    vg_status status = remove_file(folder, "resume.safetensors", err);
    return status ? status : remove_trainings(folder, err);
}

vg_status vg_run_folder_write_job(const char *folder, const vg_job *job, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = remove_results(folder, err);
    if (!status)
        status = open_in(folder, "job.yaml", &file, err);
    if (status)
        return status;
    fputs("# The effective job of this run; `train-pipeline --job` with this file runs it again.\n",
          file.stream);
    vg_job_print(job, file.stream);
    return vg_atomic_commit(&file, err);
}

vg_status vg_run_folder_write_files(const char *folder, const vg_run_report *report, vg_error *err)
{
    vg_atomic_file file;
    if (report->result->bad_samples == 0)
        return VG_OK;
    vg_status status = open_in(folder, "bad-files.tsv", &file, err);
    if (status)
        return status;
    vg_run_files_tsv(report, file.stream);
    return vg_atomic_commit(&file, err);
}

vg_status vg_run_folder_write_report(const char *folder, const vg_run_report *report,
                                     const json_t *json, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = open_in(folder, "report.json", &file, err);
    if (status)
        return status;
    if (json_dumpf(json, file.stream, JSON_INDENT(2)) != 0) {
        vg_atomic_abort(&file);
        return vg_fail(err, VG_E_IO, "%s/report.json: cannot be written", folder);
    }
    fputc('\n', file.stream);
    status = vg_atomic_commit(&file, err);
    if (!status)
        status = vg_run_folder_write_files(folder, report, err);
    if (!status)
        status = open_in(folder, "report.html", &file, err);
    if (status)
        return status;
    vg_run_report_html(report, file.stream);
    return vg_atomic_commit(&file, err);
}
