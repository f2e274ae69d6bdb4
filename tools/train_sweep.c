/* --sweep: trains one trial after the other as the search says, gives bad ones up, trains the best again with other seeds and
 * names a winner.
 *
 * Each trial has a folder of its own with its job, weights and a record of what came out; a search that was cut off goes on
 * with what lies there, trial by trial and within the one that was under way. What the next trial is follows from
 * the results alone, so that it ends as if it had not been cut off. */
#include "train_pipeline.h"

#include "base/alloc.h"
#include "base/file.h"
#include "record.h"
#include "report/escape.h"
#include "report/sweep_report.h"
#include "run_folder.h"
#include "sweep.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct searching {
    vg_train_session *session;
    vg_sweep sweep;
    /* of the trial under way */
    vg_search_curve *others; /* [other_count] */
    size_t other_count;
    double *curve; /* [epochs] */
    int reached;   /* epochs that are in it */
    bool may_give_up, gives_up;
} searching;

/* ---- while a trial runs */

static void on_epoch(void *context, const vg_epoch_record *record)
{
    searching *g = context;
    const vg_job *job = &g->session->job;
    vg_run_progress_epoch(&g->session->progress, record);
    if (record->epoch < 1 || record->epoch > job->run.epochs)
        return;
    g->curve[record->epoch - 1] = vg_watch_value(job->sweep.objective, record);
    g->reached = record->epoch;
    const vg_search_curve own = {g->curve, g->reached};
    if (g->may_give_up)
        g->gives_up |= vg_search_gives_up(job->sweep.give_up, vg_watch_higher(job->sweep.objective),
                                          job->run.epochs, &own, g->others, g->other_count, 3);
}

static bool on_batch(void *context, const vg_run_moment *moment)
{
    searching *g = context;
    if (vg_train_stop_asked())
        return true;
    vg_run_progress_batch(&g->session->progress, moment);
    return g->gives_up;
}

/* ---- one trial */

/* The files of a trial. */
typedef struct trial_files {
    char *folder, *job, *weights, *best, *state, *record, *failure;
} trial_files;

static void files_reset(trial_files *f)
{
    free(f->folder);
    free(f->job);
    free(f->weights);
    free(f->best);
    free(f->state);
    free(f->record);
    free(f->failure);
}

static vg_status files_of(const searching *g, size_t number, int seed, trial_files *f,
                          vg_error *err)
{
    char name[64];
    snprintf(name, sizeof name, seed ? "trials/%04zu-seed-%d" : "trials/%04zu", number + 1, seed);
    *f = (trial_files){.folder = vg_path_join(g->session->folder, name)};
    if (f->folder) {
        f->job = vg_path_join(f->folder, "job.yaml");
        f->weights = vg_path_join(f->folder, "weights.safetensors");
        f->best = vg_path_join(f->folder, "best.safetensors");
        f->state = vg_path_join(f->folder, "resume.safetensors");
        f->record = vg_path_join(f->folder, "result.safetensors");
        f->failure = vg_path_join(f->folder, "failed.txt");
    }
    if (!f->failure || !f->record || !f->state || !f->best || !f->weights || !f->job)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the files of a trial");
    return vg_make_folders(f->folder, err);
}

/* Where no setting that is searched has to do with the input, what was fitted once serves all. */
static void share_preparation(const vg_job *base, vg_job *job)
{
    for (int i = 0; i < base->sweep.space.count; i++)
        if (strncmp(base->sweep.space.keys[i].name, "input.", 6) == 0 ||
            strncmp(base->sweep.space.keys[i].name, "normalize", 9) == 0 ||
            strncmp(base->sweep.space.keys[i].name, "zca", 3) == 0)
            return;
    job->run.channels = base->run.channels;
    job->run.height = base->run.height;
    job->run.width = base->run.width;
    job->run.normalization = base->run.normalization;
    job->run.stats = base->run.stats;
    job->run.normalizer = base->run.normalizer;
    job->run.pixels = vg_pixel_stats_hold(base->run.pixels);
    job->run.fit_on_some = base->run.fit_on_some;
    job->run.prepared = base->run.prepared;
}

/* What is about the trial and not about the program or the machine. */
static bool is_of_settings(vg_status status)
{
    return status == VG_E_ARG || status == VG_E_SHAPE || status == VG_E_NUMERIC;
}

static vg_status train_trial(searching *g, const vg_job *job, const trial_files *f,
                             const char *identity, vg_run_result *result, vg_error *err)
{
    vg_run_options run = job->run;
    vg_run_events events = {.context = g, .batch = on_batch, .epoch = on_epoch};
    run.checkpoint = f->weights;
    run.best = run.best_by == VG_WATCH_NONE ? NULL : f->best;
    run.state = f->state;
    run.resume = true;
    run.identity = identity;
    run.cache = g->session->cache;
    vg_status status = VG_OK;
    if (!vg_path_exists(f->job))
        status = vg_run_folder_write_job(f->folder, job, err);
    if (!status)
        status = vg_run(g->session->dataset, &run, &events, result, err);
    if (status == VG_E_STOPPED && g->gives_up && !vg_train_stop_asked())
        status = VG_OK; /* what is missing of the result tells that it was given up */
    if (!status)
        status = vg_record_save(f->record, identity, result, err);
    if (!status)
        (void)remove(f->state);
    return status;
}

/* Into the trial, what its record says. */
static vg_status take_result(const searching *g, const vg_run_result *r, vg_trial *trial,
                             vg_error *err)
{
    const vg_job *job = &g->session->job;
    vg_watch objective = job->sweep.objective;
    trial->seconds += r->seconds;
    trial->verdict = r->monitor.settled;
    trial->epochs = r->epoch_count - 1;
    free(trial->curve);
    trial->curve = vg_calloc((size_t)r->epoch_count, sizeof *trial->curve);
    if (!trial->curve)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a trial");
    for (int i = 1; i < r->epoch_count; i++)
        trial->curve[i - 1] = vg_watch_value(objective, &r->epochs[i]);
    bool done = r->final.classes > 0;
    trial->end = done ? VG_TRIAL_DONE : VG_TRIAL_GAVE_UP;
    trial->value = done                ? vg_watch_of(objective, &r->final)
                   : trial->epochs > 0 ? trial->curve[trial->epochs - 1]
                                       : NAN;
    return VG_OK;
}

static vg_status note_failure(const trial_files *f, const char *reason, vg_trial *trial,
                              vg_error *err)
{
    trial->end = VG_TRIAL_FAILED;
    trial->value = NAN;
    snprintf(trial->reason, sizeof trial->reason, "%s", reason);
    return vg_file_write(f->failure, trial->reason, strlen(trial->reason), err);
}

/* Trains the point with seed + `more`, or takes what an earlier call has left. */
static vg_status run_trial(searching *g, size_t number, int more, vg_trial *trial, vg_error *err)
{
    const vg_job *base = &g->session->job;
    trial_files f;
    vg_job job;
    vg_error why = {0};
    vg_bytes text = {0};
    vg_run_result result = {0};
    g->reached = 0;
    g->gives_up = false;
    g->may_give_up = more == 0;
    for (int i = 0; i < base->run.epochs; i++)
        g->curve[i] = NAN;
    vg_status status = files_of(g, number, more, &f, err);
    vg_status made = vg_sweep_job(base, &trial->point, base->run.seed + (uint64_t)more, &job, &why);
    char *identity = status || made ? NULL : vg_job_identity(&job, VG_VERSION);
    if (!status && vg_path_exists(f.failure)) {
        status = vg_file_read(f.failure, 4096, &text, err);
        trial->end = VG_TRIAL_FAILED;
        snprintf(trial->reason, sizeof trial->reason, "%.*s", (int)text.size,
                 text.data ? (const char *)text.data : "");
    } else if (!status && made) {
        status = is_of_settings(made) ? note_failure(&f, why.message, trial, err)
                                      : vg_fail(err, made, "%s", why.message);
    } else if (!status && !identity) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for a trial");
    } else if (!status) {
        share_preparation(base, &job);
        vg_status trained = vg_path_exists(f.record)
                                ? vg_record_load(f.record, identity, &result, &why)
                                : train_trial(g, &job, &f, identity, &result, &why);
        if (!trained)
            status = take_result(g, &result, trial, err);
        else if (is_of_settings(trained))
            status = note_failure(&f, why.message, trial, err);
        else
            status = vg_fail(err, trained, "trial %zu: %s", number + 1, why.message);
    }
    g->sweep.seconds += result.seconds;
    vg_run_result_reset(&result);
    vg_bytes_reset(&text);
    free(identity);
    vg_job_reset(&job);
    files_reset(&f);
    return status;
}

/* ---- the search */

static void tell_trial(const searching *g, size_t number, int more, int total)
{
    char name[64];
    snprintf(name, sizeof name, more ? "trial %zu again" : "trial %zu", number + 1);
    vg_run_progress_training(&g->session->progress, (int)number, total, name, more);
}

static vg_status all_trials(searching *g, vg_error *err)
{
    const vg_job *job = &g->session->job;
    const vg_sweep_options *o = &job->sweep;
    vg_search_options how = vg_search_options_default();
    how.method = o->method;
    how.seed = job->run.seed;
    how.higher = vg_watch_higher(o->objective);
    if (how.beginning > o->trials / 3)
        how.beginning = o->trials / 3 > 3 ? o->trials / 3 : 3;
    size_t most = (size_t)o->trials;
    vg_search_result *results = vg_calloc(most, sizeof *results);
    g->others = vg_calloc(most, sizeof *g->others);
    vg_status status = results && g->others
                           ? VG_OK
                           : vg_fail(err, VG_E_NOMEM, "out of memory for %zu trials", most);
    while (!status && g->sweep.count < most &&
           (o->minutes <= 0 || g->sweep.seconds < 60 * o->minutes)) {
        size_t number = g->sweep.count;
        vg_search_point point;
        status = vg_search_next(&o->space, &how, number, results, number, &point, err);
        if (status)
            break;
        vg_trial *trial = vg_sweep_add(&g->sweep);
        if (!trial) {
            status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu trials", most);
            break;
        }
        trial->point = point;
        g->other_count = number;
        tell_trial(g, number, 0, o->trials + o->confirm * o->seeds);
        status = run_trial(g, number, 0, trial, err);
        results[number] = (vg_search_result){point, trial->value};
        g->others[number] = (vg_search_curve){trial->curve, trial->curve ? trial->epochs : 0};
    }
    free(results);
    return status == VG_END ? VG_OK : status;
}

/* The best again with seeds that took no part in the choice. */
static vg_status confirm(searching *g, vg_error *err)
{
    const vg_sweep_options *o = &g->session->job.sweep;
    vg_status status = vg_sweep_rank(&g->sweep, err);
    int last = o->seeds > 0 ? o->confirm : 0;
    for (int i = 0; i < last && (size_t)i < g->sweep.count && !status; i++) {
        size_t number = g->sweep.order[i];
        vg_trial *trial = &g->sweep.trials[number];
        if (trial->end != VG_TRIAL_DONE)
            break;
        for (int k = 0; k < o->seeds && !status; k++) {
            vg_trial again = {.point = trial->point, .value = NAN};
            tell_trial(g, number, k + 1, o->trials + o->confirm * o->seeds);
            status = run_trial(g, number, k + 1, &again, err);
            trial->fresh[trial->fresh_count++] = again.value;
            free(again.curve);
        }
        g->sweep.confirmed = i + 1;
    }
    if (!status)
        vg_sweep_judge(&g->sweep);
    return status;
}

/* ---- the folder */

static vg_status open_in(const char *folder, const char *name, vg_atomic_file *file, vg_error *err)
{
    char *path = vg_path_join(folder, name);
    vg_status status =
        path ? vg_atomic_open(path, file, err) : vg_fail(err, VG_E_NOMEM, "out of memory");
    free(path);
    return status;
}

static vg_status prepare_folder(vg_train_session *s, vg_error *err)
{
    vg_status status = vg_train_take_folder(s, err);
    char *report = status ? NULL : vg_path_join(s->folder, "sweep.json");
    char *trials = status ? NULL : vg_path_join(s->folder, "trials");
    char *plain = status ? NULL : vg_path_join(s->folder, "report.json");
    if (!status && (!report || !trials || !plain))
        status = vg_fail(err, VG_E_NOMEM, "out of memory");
    if (!status && (vg_path_exists(report) || vg_path_exists(plain)) && !s->request.resume)
        status = vg_fail(err, VG_E_STATE,
                         "%s holds what a finished run has found: --out another folder", s->folder);
    bool goes_on = !status && vg_path_exists(trials);
    if (goes_on)
        vg_cli_note(&s->cli, "goes on with the search in %s", s->folder);
    if (!status && !goes_on)
        status = vg_run_folder_write_job(s->folder, &s->job, err);
    free(report);
    free(trials);
    free(plain);
    return status;
}

/* winner.yaml, sweep.html and, last because it says that the search is finished, sweep.json. */
static vg_status write_all(const searching *g, json_t *json, vg_error *err)
{
    const char *folder = g->session->folder;
    vg_atomic_file file = {0};
    vg_status status = VG_OK;
    if (g->sweep.any) {
        vg_job winner;
        const vg_trial *trial = &g->sweep.trials[g->sweep.winner];
        status =
            vg_sweep_job(&g->session->job, &trial->point, g->session->job.run.seed, &winner, err);
        if (!status)
            status = open_in(folder, "winner.yaml", &file, err);
        if (!status) {
            fputs("# The winner of a search; `train-pipeline --job` with this file trains it.\n",
                  file.stream);
            vg_job_print(&winner, file.stream);
            status = vg_atomic_commit(&file, err);
        }
        vg_job_reset(&winner);
    }
    if (!status)
        status = open_in(folder, "sweep.html", &file, err);
    if (status)
        return status;
    vg_sweep_html(&g->sweep, folder, file.stream);
    status = vg_atomic_commit(&file, err);
    if (!status)
        status = open_in(folder, "sweep.json", &file, err);
    if (status)
        return status;
    json_dumpf(json, file.stream, JSON_INDENT(2));
    fputc('\n', file.stream);
    return vg_atomic_commit(&file, err);
}

static vg_status tell(const searching *g, vg_error *err)
{
    vg_train_session *s = g->session;
    json_t *json = vg_sweep_json(&g->sweep, s->folder);
    vg_status status =
        json ? write_all(g, json, err) : vg_fail(err, VG_E_NOMEM, "out of memory for the report");
    if (!status && s->cli.json)
        status = vg_train_print_json(json, err);
    else if (!status)
        vg_sweep_text(&g->sweep, s->folder, stdout);
    json_decref(json);
    return status ? status : vg_cli_finish(stdout, err);
}

int vg_train_sweep(vg_train_session *s)
{
    vg_error err = {0};
    searching g = {.session = s, .sweep = {.job = &s->job}};
    g.curve = vg_calloc((size_t)s->job.run.epochs, sizeof *g.curve);
    vg_status status = g.curve ? VG_OK : vg_fail(&err, VG_E_NOMEM, "out of memory");
    if (!status)
        status = vg_run_prepare(s->dataset, &s->job.run, &err);
    if (!status)
        status = prepare_folder(s, &err);
    if (!status)
        status = vg_train_open_cache(s, &err);
    s->progress = vg_run_progress_start(s->cli.quiet, s->cli.json);
    s->progress.epochs = s->job.run.epochs;
    s->progress.classes = vg_dataset_classes(s->dataset);
    vg_train_catch_signals();
    if (!status)
        status = all_trials(&g, &err);
    if (!status)
        status = confirm(&g, &err);
    vg_progress_clear(&s->progress.line);
    vg_train_settle_cache(s);
    if (status == VG_E_STOPPED) {
        char *word = vg_shell_word(s->folder);
        vg_cli_error(&s->cli, "%s; everything is kept", err.message);
        vg_cli_error(&s->cli, "go on: train-pipeline --resume %s", word ? word : s->folder);
        free(word);
    } else if (!status) {
        status = tell(&g, &err);
    }
    int end = !status                  ? VG_EXIT_DONE
              : status == VG_E_STOPPED ? VG_EXIT_FAILED
                                       : vg_cli_fail(&s->cli, &err, status);
    free(g.curve);
    free(g.others);
    vg_sweep_reset(&g.sweep);
    return end;
}
