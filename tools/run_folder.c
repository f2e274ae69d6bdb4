/* Run folders. mkdir itself decides who owns a number: asking first whether a name is free would
 * let two runs of the same second share one folder. */
#include "run_folder.h"

#include "base/alloc.h"
#include "base/file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
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

vg_status vg_run_folder_hold(const char *folder, int *hold, vg_error *err)
{
    *hold = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (*hold < 0 || flock(*hold, LOCK_EX | LOCK_NB) == 0)
        return VG_OK; /* what cannot be opened is told by the first file that is written */
    bool taken = errno == EWOULDBLOCK;
    close(*hold);
    *hold = -1;
    return taken ? vg_fail(err, VG_E_STATE,
                           "%s: another train-pipeline is writing this run: wait for it, or choose "
                           "another folder with --out",
                           folder)
                 : VG_OK;
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

static const char *const results[] = {"report.json",      "report.html",
                                      "bad-files.tsv",    "weights.safetensors",
                                      "best.safetensors", "resume.safetensors"};

/* Results of an earlier run in the same folder would pass for those of this job. */
static vg_status remove_results(const char *folder, vg_error *err)
{
    vg_status status = VG_OK;
    for (size_t i = 0; i < sizeof results / sizeof *results && !status; i++)
        status = remove_file(folder, results[i], err);
    return status;
}

/* A result under the name that it has until it is whole: left by a program that was killed meanwhile. */
static bool is_half_written(const char *name)
{
    for (size_t i = 0; i < sizeof results / sizeof *results; i++) {
        size_t n = strlen(results[i]);
        if (strncmp(name, results[i], n) == 0 && strncmp(name + n, ".tmp-", 5) == 0)
            return true;
    }
    return false;
}

static bool is_training(const char *name)
{
    return strncmp(name, "training-", 9) == 0 || strcmp(name, "resume.safetensors") == 0 ||
           is_half_written(name);
}

static vg_status remove_those(const char *folder, bool (*are)(const char *name), vg_error *err)
{
    DIR *list = opendir(folder);
    vg_status status = VG_OK;
    struct dirent *entry;
    while (list && !status && (entry = readdir(list)))
        if (are(entry->d_name))
            status = remove_file(folder, entry->d_name, err);
    if (list)
        closedir(list);
    return status;
}

vg_status vg_run_folder_finish(const char *folder, vg_error *err)
{
    char *trainings = vg_path_join(folder, "trainings"); /* of a comparison */
    vg_status status = trainings ? VG_OK : no_memory(err);
    if (!status)
        status = remove_file(folder, "resume.safetensors", err);
    if (!status)
        status = remove_those(folder, is_half_written, err);
    if (!status)
        status = remove_those(trainings, is_training, err);
    if (!status)
        (void)rmdir(trainings); /* what others have put there stays */
    free(trainings);
    return status;
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
