/* A training or a comparison from its first line on the screen to the report: announced, run, stopped by a signal when
 * asked to, and written down. */
#include "train_pipeline.h"

#include "base/alloc.h"
#include "base/file.h"
#include "class_lines.h"
#include "import.h"
#include "nn/model.h"
#include "report/escape.h"
#include "report/run.h"
#include "run_folder.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* ---- stopping */

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* The first signal asks, a second one ends the program at once. */
void vg_train_catch_signals(void)
{
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

bool vg_train_stop_asked(void)
{
    return stop_asked != 0;
}

/* ---- while it runs */

static bool on_batch(void *context, const vg_run_moment *moment)
{
    vg_train_session *s = context;
    if (!stop_asked)
        vg_run_progress_batch(&s->progress, moment);
    return stop_asked != 0;
}

static void on_epoch(void *context, const vg_epoch_record *record)
{
    vg_train_session *s = context;
    vg_run_progress_epoch(&s->progress, record);
}

static bool on_training(void *context, int done, int total, const char *arm, int seed)
{
    vg_train_session *s = context;
    vg_run_progress_training(&s->progress, done, total, arm, seed);
    return stop_asked != 0;
}

static vg_status work(vg_train_session *s, vg_error *err)
{
    vg_run_events events = {.context = s, .batch = on_batch, .epoch = on_epoch};
    s->progress = vg_run_progress_start(s->cli.quiet, s->cli.json);
    s->progress.epochs = s->job.run.epochs;
    s->progress.classes = vg_dataset_classes(s->dataset);
    vg_status status;
    if (s->job.compare.change_count > 0) {
        vg_compare_events all = {.context = s, .training = on_training, .run = events};
        status = vg_compare(s->dataset, &s->job.run, &s->job.compare, &all, &s->comparison, err);
        s->compared = status == VG_OK;
        if (s->compared) /* the first training of the complete job is the run itself */
            s->result = s->comparison.arms[s->comparison.arm_count - 1].example;
    } else {
        status = vg_run(s->dataset, &s->job.run, &events, &s->result, err);
    }
    vg_progress_clear(&s->progress.line);
    if (s->result.other_machine)
        vg_cli_note(&s->cli, "this run began on a machine with other vector instructions: its last "
                             "bits are not those of a run on one kind of machine");
    return status;
}

/* ---- before and after */

/* Who has a policy of its own; a class that is not there is found before anything is trained. */
static vg_status announce_classes(const vg_train_session *s, vg_error *err)
{
    const vg_run_options *run = &s->job.run;
    char *lines = vg_class_lines(&run->class_rules, &run->policy, s->dataset, "class ", err);
    if (!lines)
        return err->code;
    if (!s->cli.quiet)
        fputs(lines, stderr);
    free(lines);
    vg_class_notes(&s->cli, &run->class_rules, &run->policy);
    return VG_OK;
}

/* What of the file of initial weights is used, and what such weights expect of the input. */
static void announce_import(const vg_train_session *s, const vg_import_report *r, FILE *out)
{
    const vg_run_options *run = &s->job.run;
    if (!run->init_from || !r->names)
        return;
    fprintf(out, "init  %d of %d tensors from %s (names as %s)\n", r->taken, r->wanted,
            run->init_from, r->names);
    if (r->head[0])
        fprintf(out, "init  %s\n", r->head);
    if (r->missing[0])
        fprintf(out, "init  not in it: %s\n", r->missing);
    if (r->unfit[0])
        fprintf(out, "init  of another shape: %s\n", r->unfit);
    if (r->unexpected[0])
        fprintf(out, "init  not used of it: %s\n", r->unexpected);
    bool foreign = strncmp(r->names, "torchvision", 11) == 0,
         own = strcmp(r->names, "variegate") == 0;
    if (foreign && run->normalization != VG_NORMALIZE_IMAGENET)
        vg_cli_note(&s->cli, "weights with torchvision's names usually expect normalize=imagenet");
    if (own && !run->statistics)
        vg_cli_note(&s->cli,
                    "these weights were trained with the normalization in their file: "
                    "normalize_from=%s takes it",
                    run->init_from);
}

/* A quick look at what the policy does, before anything is trained. What it cannot look at, it says, and
 * training decides: it never ends a run. */
static void check_policy(vg_train_session *s)
{
    const vg_run_options *run = &s->job.run;
    vg_error err = {0};
    vg_class_policies table;
    size_t training = 0, trainings = 1;
    for (int k = 0; k < vg_dataset_classes(s->dataset); k++)
        training += s->counts[k];
    if (s->job.compare.change_count > 0)
        trainings = (size_t)(s->job.compare.change_count + 1) * (size_t)s->job.compare.seeds;
    vg_check_options options = vg_check_options_quick(trainings * training * (size_t)run->epochs);
    options.seed = run->seed;
    options.threads = run->threads;
    options.mixing = run->mixing;
    vg_status status =
        vg_class_policies_make(&run->class_rules, &run->policy, s->dataset, &table, &err);
    if (!status)
        status = vg_run_shows(s->dataset, run, &options.shows, &err);
    const vg_augment augment = {.policy = run->policy,
                                .class_policies = &table,
                                .channels = run->channels,
                                .height = run->height,
                                .width = run->width,
                                .framing = run->framing};
    if (!status)
        status = vg_check_run(s->dataset, &augment, &options, &s->check, &err);
    vg_class_policies_reset(&table);
    s->checked = status == VG_OK;
    if (status)
        vg_cli_note(&s->cli, "the policy was not checked: %s", err.message);
    for (int i = 0; i < s->check.finding_count; i++) {
        const vg_check_finding *f = &s->check.findings[i];
        if (f->kind != VG_CHECK_NOTE)
            vg_cli_note(&s->cli, "%s%s%s", f->text, f->remedy[0] ? "; instead: " : "", f->remedy);
    }
}

/* The first lines: what goes in and what it meets. Building the network once for its size also
 * finds an impossible one before anything is trained. */
static vg_status announce(vg_train_session *s, vg_error *err)
{
    const vg_run_options *run = &s->job.run;
    vg_model *model = NULL;
    vg_model_options size = {.channels = run->channels,
                             .height = run->height,
                             .width = run->width,
                             .classes = vg_dataset_classes(s->dataset),
                             .max_batch = 1,
                             .init = run->init,
                             .init_scale = run->init_scale,
                             .winograd = run->winograd,
                             .seed = run->seed};
    vg_status status = vg_model_new(&run->net, &size, &model, err);
    if (status)
        return status;
    double parameters = (double)vg_model_parameter_count(model);
    vg_import_report imported = {0};
    if (run->init_from)
        status = vg_import(run->init_from, model, run->init_partial, &imported, err);
    vg_model_free(model);
    if (status)
        return status;
    const char *warning = vg_run_warning(run);
    if (warning)
        vg_cli_note(&s->cli, "%s", warning);
    if (s->cli.quiet)
        return announce_classes(s, err);
    FILE *out = stderr;
    char count[32], input[200];
    vg_run_result shape = {.width = run->width, .height = run->height, .channels = run->channels};
    vg_run_report about = {
        .job = &s->job, .result = &shape, .brings_splits = vg_dataset_brings_splits(s->dataset)};
    vg_run_input_words(&about, input, sizeof input);
    vg_cli_pad(out, s->job.dataset, vg_cli_columns(s->job.dataset));
    fprintf(out, "  %s images, %d classes -> %s   net %s, %.3g %s parameters   seed %llu\n",
            vg_cli_count(count, vg_dataset_count(s->dataset)), vg_dataset_classes(s->dataset),
            input, run->net.name, parameters / (parameters < 1e6 ? 1e3 : 1e6),
            parameters < 1e6 ? "thousand" : "million", (unsigned long long)run->seed);
    vg_job_print_words(&s->job, out, vg_cli_width(out, 100), "job   ");
    status = announce_classes(s, err);
    if (status)
        return status;
    announce_import(s, &imported, out);
    if (s->job.compare.change_count > 0)
        fprintf(out, "plan  %d change%s x %d seeds, paired = at most %d trainings of %d epochs\n",
                s->job.compare.change_count, s->job.compare.change_count == 1 ? "" : "s",
                s->job.compare.seeds, (s->job.compare.change_count + 1) * s->job.compare.seeds,
                run->epochs);
    return VG_OK;
}

vg_status vg_train_open_cache(vg_train_session *s, vg_error *err)
{
    if (s->job.cache.kind == VG_CACHE_NONE)
        return VG_OK;
    char key[512];
    vg_loader_options load = vg_run_loading(&s->job.run);
    vg_loader_cache_key(s->dataset, &load.decode, key, sizeof key);
    vg_status status = vg_cache_open(&s->job.cache, s->dataset, key, &s->cache, err);
    if (status)
        return status;
    vg_cache_stats stats = vg_cache_stats_of(s->cache);
    if (stats.replaced[0])
        vg_cli_note(&s->cli, "%s", stats.replaced);
    s->job.run.cache = s->cache;
    return VG_OK;
}

/* Writes what is new, and tells what did not work: the run is as good without. */
void vg_train_settle_cache(vg_train_session *s)
{
    vg_error err = {0};
    if (!s->cache)
        return;
    bool failed = vg_cache_commit(s->cache, true, &err) != VG_OK;
    vg_cache_stats stats = vg_cache_stats_of(s->cache);
    if (failed || stats.trouble.message[0])
        vg_cli_note(&s->cli, "%s", failed ? err.message : stats.trouble.message);
    if (stats.refused_full)
        vg_cli_note(&s->cli, "the cache was full at %.0f MB: %llu images did not fit",
                    (double)stats.bytes / 1e6, (unsigned long long)stats.refused_full);
}

static vg_status name_bad_samples(vg_train_session *s, vg_error *err)
{
    s->bad_names = vg_calloc(s->result.bad_samples, sizeof *s->bad_names);
    if (!s->bad_names)
        return vg_fail(err, VG_E_NOMEM, "out of memory for names");
    for (size_t i = 0; i < s->result.bad_samples; i++) {
        size_t index = s->result.bad[i].index;
        size_t length = vg_dataset_name(s->dataset, index, NULL, 0);
        s->bad_names[i] = vg_alloc(length + 1, 1);
        if (!s->bad_names[i])
            return vg_fail(err, VG_E_NOMEM, "out of memory for names");
        vg_dataset_name(s->dataset, index, s->bad_names[i], length + 1);
    }
    return VG_OK;
}

/* A run that ended because of them leaves at least their list. */
static void list_bad_files(vg_train_session *s)
{
    vg_error ignored;
    vg_run_report facts = {.result = &s->result, .folder = s->folder};
    if (s->result.bad_samples == 0 || name_bad_samples(s, &ignored) != VG_OK)
        return;
    facts.bad_names = (const char *const *)s->bad_names;
    if (vg_run_folder_write_files(s->folder, &facts, &ignored) == VG_OK)
        vg_cli_error(&s->cli, "the bad files are listed in %s/bad-files.tsv", s->folder);
}

vg_status vg_train_print_json(json_t *json, vg_error *err)
{
    if (!json)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the report");
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    return VG_OK;
}

static vg_status report(vg_train_session *s, vg_error *err)
{
    vg_status status = name_bad_samples(s, err);
    if (status)
        return status;
    char date[40] = "";
    time_t now = time(NULL);
    struct tm utc = {0};
    gmtime_r(&now, &utc);
    strftime(date, sizeof date, "%Y-%m-%d %H:%M UTC", &utc);
    size_t classes = (size_t)vg_dataset_classes(s->dataset);
    vg_run_report facts = {.dataset = s->job.dataset,
                           .classes = s->classes,
                           .class_count = (int)classes,
                           .counts = {s->counts, s->counts + classes, s->counts + 2 * classes},
                           .brings_splits = vg_dataset_brings_splits(s->dataset),
                           .ignored = vg_dataset_ignored_of(s->dataset),
                           .bad_names = (const char *const *)s->bad_names,
                           .job = &s->job,
                           .result = &s->result,
                           .comparison = s->compared ? &s->comparison : NULL,
                           .check = s->checked ? &s->check : NULL,
                           .folder = s->folder,
                           .date = date};
    json_t *json = vg_run_report_json(&facts);
    status = json ? vg_run_folder_write_report(s->folder, &facts, json, err)
                  : vg_fail(err, VG_E_NOMEM, "out of memory for the report");
    if (!status && s->cli.json)
        status = vg_train_print_json(json, err);
    else if (!status)
        vg_run_report_text(&facts, stdout, vg_cli_width(stdout, 110), vg_cli_colour(stdout));
    json_decref(json);
    return status ? status : vg_cli_finish(stdout, err);
}

bool vg_train_is_collapsed(vg_verdict verdict)
{
    return verdict != VG_VERDICT_HEALTHY && verdict != VG_VERDICT_UNDECIDED;
}

/* ---- the folder */

/* What is already in the folder that was asked for: a run that was cut off is gone on with if it is the same one; a
 * finished one is replaced, and that is said. */
static vg_status look_into_folder(vg_train_session *s, vg_error *err)
{
    vg_run_options *run = &s->job.run;
    bool compares = s->job.compare.change_count > 0, compared = vg_path_exists(s->keep);
    if (compared && !compares)
        return vg_fail(err, VG_E_STATE,
                       "%s holds a comparison that was cut off (go on with it: train-pipeline "
                       "--resume %s; or remove its trainings/)",
                       s->folder, s->folder);
    if (compared) { /* whose trainings they are is looked at one by one */
        run->resume = true;
        vg_cli_note(&s->cli, "goes on with the comparison in %s", s->folder);
        return VG_OK;
    }
    if (!vg_path_exists(s->state)) {
        char *finished = vg_path_join(s->folder, "report.json");
        if (finished && vg_path_exists(finished))
            vg_cli_note(&s->cli, "the run that is in %s is replaced", s->folder);
        free(finished);
        return VG_OK;
    }
    vg_status status = vg_run_state_fits(s->state, s->identity, err);
    if (status) {
        char *word = vg_shell_word(s->folder), where[300];
        snprintf(where, sizeof where,
                 "%s holds a run that was cut off (go on with it: "
                 "train-pipeline --resume %s; or remove its resume.safetensors)",
                 s->folder, word ? word : s->folder);
        free(word);
        return s->request.resume ? status : vg_fail_in(err, where, status);
    }
    run->resume = true;
    vg_cli_note(&s->cli, "goes on with the run in %s", s->folder);
    return VG_OK;
}

vg_status vg_train_take_folder(vg_train_session *s, vg_error *err)
{
    vg_status status =
        vg_run_folder_make(s->cli.out ? s->cli.out : s->job.out, "runs", &s->folder, err);
    return status ? status : vg_run_folder_hold(s->folder, &s->hold, err);
}

/* Makes the folder and names the files in it. */
static vg_status prepare_folder(vg_train_session *s, vg_error *err)
{
    vg_status status = vg_train_take_folder(s, err);
    if (status)
        return status;
    s->checkpoint = vg_path_join(s->folder, "weights.safetensors");
    s->best = vg_path_join(s->folder, "best.safetensors");
    s->state = vg_path_join(s->folder, "resume.safetensors");
    s->keep = vg_path_join(s->folder, "trainings");
    s->identity = vg_job_identity(&s->job, VG_VERSION);
    if (!s->checkpoint || !s->best || !s->state || !s->keep || !s->identity)
        return vg_fail(err, VG_E_NOMEM, "out of memory");
    status = look_into_folder(s, err);
    if (!status && !s->job.run.resume)
        status = vg_run_folder_write_job(s->folder, &s->job, err);
    vg_run_options *run = &s->job.run;
    run->checkpoint = s->checkpoint;
    run->best = run->best_by == VG_WATCH_NONE ? NULL : s->best;
    run->identity = s->identity;
    if (s->job.compare.change_count == 0)
        run->state = s->state;
    else if (!status)
        status = vg_make_folders(s->keep, err);
    s->job.compare.keep = s->keep;
    return status;
}

/* --resume of a run that has its report and nothing left to do; *verdict: what it says there. */
static bool is_finished(vg_train_session *s, json_t **report)
{
    char *path = vg_path_join(s->request.resume, "report.json");
    char *state = vg_path_join(s->request.resume, "resume.safetensors");
    *report = path && state && !vg_path_exists(state) ? json_load_file(path, 0, NULL) : NULL;
    if (!*report) {
        free(path);
        path = vg_path_join(s->request.resume, "sweep.json");
        *report = path ? json_load_file(path, 0, NULL) : NULL;
    }
    free(path);
    free(state);
    return *report != NULL;
}

static int tell_finished(vg_train_session *s, json_t *report)
{
    vg_error err = {0};
    vg_status status = VG_OK;
    const char *verdict = json_string_value(json_object_get(report, "verdict"));
    bool collapsed =
        verdict && strcmp(verdict, "healthy") != 0 && strcmp(verdict, "undecided") != 0;
    vg_cli_note(&s->cli, "%s is finished, there is nothing to go on with", s->request.resume);
    if (s->cli.json)
        status = vg_train_print_json(report, &err);
    else
        printf("report    %s/%s.html\n", s->request.resume,
               json_object_get(report, "trials") ? "sweep" : "report");
    json_decref(report);
    if (!status)
        status = vg_cli_finish(stdout, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    return s->request.fail_on_collapse && collapsed ? VG_EXIT_FOUND : VG_EXIT_DONE;
}

/* After VG_E_STOPPED: what is kept, and how to go on. */
static int tell_stopped(vg_train_session *s, const vg_error *err)
{
    bool kept = vg_path_exists(s->state) || vg_path_exists(s->keep);
    char *word = vg_shell_word(s->folder);
    vg_cli_error(&s->cli, "%s; %s", err->message,
                 kept ? "everything is kept" : "nothing was kept but the job");
    vg_cli_error(&s->cli, "%s: train-pipeline --%s %s%s",
                 kept ? "go on" : "once more from the start", kept ? "resume" : "job",
                 word ? word : s->folder, kept ? "" : "/job.yaml");
    free(word);
    return VG_EXIT_FAILED;
}

int vg_train_run(vg_train_session *s)
{
    vg_error err = {0};
    json_t *finished;
    if (s->request.resume && is_finished(s, &finished))
        return tell_finished(s, finished);
    if (s->job.sweep.space.count > 0)
        return vg_train_sweep(s);
    vg_status status = vg_run_prepare(s->dataset, &s->job.run, &err);
    if (!status && s->request.save_stats)
        status = vg_run_statistics_save(&s->job.run, s->dataset, s->request.save_stats, &err);
    if (!status)
        status = announce(s, &err);
    if (!status)
        status = prepare_folder(s, &err);
    if (!status)
        status = vg_train_open_cache(s, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    vg_train_catch_signals();
    check_policy(s);
    status = work(s, &err);
    vg_train_settle_cache(s);
    if (status == VG_E_LIMIT)
        list_bad_files(s);
    if (status == VG_E_STOPPED)
        return tell_stopped(s, &err);
    if (!status)
        status = report(s, &err);
    if (!status)
        status = vg_run_folder_finish(s->folder, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    bool collapsed =
        s->request.fail_on_collapse && vg_train_is_collapsed(s->result.monitor.settled);
    return collapsed ? VG_EXIT_FOUND : VG_EXIT_DONE;
}
