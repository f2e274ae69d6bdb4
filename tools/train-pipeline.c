/* train-pipeline: scan, augment, normalize, rebalance, train, and report what the network answers
 * and what each data change did to it. Reads the command line and puts the floors below together;
 * what is worth a test lives in job, run_folder and report/. */
#include "base/alloc.h"
#include "base/file.h"
#include "class_lines.h"
#include "cli.h"
#include "job.h"
#include "nn/model.h"
#include "report/escape.h"
#include "report/run.h"
#include "run_folder.h"
#include "run_progress.h"

#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { JOB, EPOCHS, NET, SET, COMPARE, SEEDS, FAIL_ON, EVALUATE, SPLIT, KEYS };
enum { CACHE = KEYS + 1, ON_ERROR, MAX_BAD };
enum { SETS_MOST = 256 };

static const vg_cli_option options[] = {
    {"job", "FILE", "read a job file; DATASET then replaces its dataset", JOB},
    {"epochs", "N", "passes over the training images (8)", EPOCHS},
    {"net", "PRESET", "the network (small-cnn)", NET},
    {"set", "KEY=VALUE", "any key of a job file; may be given often", SET},
    {"compare", "[LIST]", "train with and without each data change and tell the difference",
     COMPARE},
    {"seeds", "N", "pairs of trainings for each change (7)", SEEDS},
    {"fail-on", "collapse", "exit with 3 when the verdict is a collapse", FAIL_ON},
    {"cache", "WHERE", "ram, ram:SIZE or FILE: decode every image once (none)", CACHE},
    {"on-error", "WORD", "skip, fail or repair: what to do about damaged files (skip)", ON_ERROR},
    {"max-bad", "SHARE", "share of images that may be skipped before the run ends (0.1)", MAX_BAD},
    {"evaluate", "FILE", "measure a checkpoint on DATASET instead of training", EVALUATE},
    {"split", "NAME", "with --evaluate: train, val or test (val if there is one, else test)",
     SPLIT},
    {"keys", NULL, "list the keys of a job file", KEYS},
};

/* What the command line said; strings point into argv. */
typedef struct request {
    const char *job, *evaluate, *split;
    char *sets[SETS_MOST];          /* key=value, owned; in the order given */
    const char *options[SETS_MOST]; /* by which option each was given */
    int set_count;
    bool fail_on_collapse, compare_given, seeds_given, cache_given, keys;
} request;

static vg_status add_set(request *r, const char *option, const char *key, const char *value,
                         vg_error *err)
{
    if (r->set_count == SETS_MOST)
        return vg_fail(err, VG_E_ARG, "more than %d settings: use a job file", SETS_MOST);
    size_t size = strlen(key) + strlen(value) + 2;
    char *text = vg_alloc(size, 1);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory");
    snprintf(text, size, "%s%s%s", key, *key ? "=" : "", value);
    r->options[r->set_count] = option;
    r->sets[r->set_count++] = text;
    return VG_OK;
}

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    request *r = context;
    switch (id) {
    case JOB:
        r->job = value;
        return VG_OK;
    case EPOCHS:
        return add_set(r, "--epochs", "epochs", value, err);
    case NET:
        return add_set(r, "--net", "net", value, err);
    case SET:
        return add_set(r, "--set", "", value, err);
    case COMPARE:
        if (value && !*value)
            return vg_fail(err, VG_E_ARG,
                           "--compare: found \"\", allowed: a list of normalize, rebalance, "
                           "augment, nothing; or no list for all");
        r->compare_given = true;
        return add_set(r, "--compare", "compare.changes", value ? value : "all", err);
    case SEEDS:
        r->seeds_given = true;
        return add_set(r, "--seeds", "compare.seeds", value, err);
    case FAIL_ON:
        if (strcmp(value, "collapse") != 0)
            return vg_fail(err, VG_E_ARG, "--fail-on: found \"%s\", allowed: collapse", value);
        r->fail_on_collapse = true;
        return VG_OK;
    case ON_ERROR:
        return add_set(r, "--on-error", "on_error", value, err);
    case CACHE:
        r->cache_given = true;
        return add_set(r, "--cache", "cache", value, err);
    case MAX_BAD:
        return add_set(r, "--max-bad", "max_bad", value, err);
    case EVALUATE:
        r->evaluate = value;
        return VG_OK;
    case SPLIT:
        r->split = value;
        return VG_OK;
    default:
        r->keys = true;
        return VG_OK;
    }
}

static const vg_cli_spec spec = {
    .tool = "train-pipeline",
    .what = "Trains a network on an image dataset and tells whether its answers depend on its "
            "input,\nwhy not, and what augmentation, normalization and rebalancing do to them.",
    .usage = "DATASET|JOB.yaml [options]",
    .out_help = "folder of the run (a new one: runs/YYYY-MM-DD-N)",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .take = take,
    .footer = "Exit status 3: collapsed, only with --fail-on collapse.\n\n"
              "  train-pipeline pets/                  train and report\n"
              "  train-pipeline pets/ --compare        what does each data change do?\n"
              "  train-pipeline pets/ --set augment='rotate=15 flip=h' --set learning_rate=0.01\n"
              "  train-pipeline --job runs/2026-11-21-1/job.yaml        the same run again\n"
              "  train-pipeline pets/ --evaluate runs/2026-11-21-1/weights.safetensors\n"};

/* ---- stopping */

static volatile sig_atomic_t stop_asked;

static void ask_to_stop(int signal_number)
{
    (void)signal_number;
    stop_asked = 1;
}

/* The first signal asks, a second one ends the program at once. */
static void catch_signals(void)
{
    struct sigaction action = {.sa_handler = ask_to_stop, .sa_flags = (int)SA_RESETHAND};
    sigemptyset(&action.sa_mask);
    sigaction(SIGINT, &action, NULL);
    sigaction(SIGTERM, &action, NULL);
}

/* ---- everything that a run holds */

typedef struct session {
    vg_cli cli;
    request request;
    vg_job job;
    vg_dataset *dataset;
    char *folder, *checkpoint;
    vg_run_progress progress;
    vg_cache *cache;
    vg_run_result result;
    vg_comparison comparison;
    bool compared;
    size_t *counts; /* [VG_SPLIT_COUNT][classes] */
    const char **classes;
    char **bad_names;
} session;

static void session_reset(session *s)
{
    for (int i = 0; i < s->request.set_count; i++)
        free(s->request.sets[i]);
    for (size_t i = 0; s->bad_names && i < s->result.bad_samples; i++)
        free(s->bad_names[i]);
    free(s->bad_names);
    if (s->compared) {
        vg_comparison_reset(&s->comparison); /* holds s->result */
    } else {
        vg_run_result_reset(&s->result);
    }
    free(s->counts);
    free(s->classes);
    free(s->folder);
    free(s->checkpoint);
    vg_cache_close(s->cache);
    vg_dataset_close(s->dataset);
    vg_job_reset(&s->job);
}

/* ---- from the command line to a job */

static bool is_job_file(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

/* An option that would have no effect is a mistake of the one who gave it. */
static vg_status refuse_without_meaning(const session *s, vg_error *err)
{
    const request *r = &s->request;
    if (r->split && !r->evaluate)
        return vg_fail(err, VG_E_ARG, "--split has a meaning only with --evaluate");
    if (r->evaluate && !*r->evaluate)
        return vg_fail(err, VG_E_ARG, "--evaluate: found \"\", expected a file of weights");
    if (r->job && !*r->job)
        return vg_fail(err, VG_E_ARG, "--job: found \"\", expected a job file");
    if (r->evaluate && (r->compare_given || r->seeds_given || r->cache_given || s->cli.out))
        return vg_fail(err, VG_E_ARG,
                       "--evaluate trains nothing and writes nothing: leave --%s out",
                       r->compare_given ? "compare"
                       : r->cache_given ? "cache"
                       : r->seeds_given ? "seeds"
                                        : "out");
    return VG_OK;
}

static vg_status read_job(session *s, vg_error *err)
{
    vg_status status = vg_job_init(&s->job, err);
    if (!status)
        status = refuse_without_meaning(s, err);
    const char *operand = s->cli.operand_count ? s->cli.operands[0] : NULL;
    const char *file = s->request.job;
    if (!status && operand && is_job_file(operand)) {
        if (file)
            return vg_fail(err, VG_E_ARG, "\"%s\" and --job %s: only one job file is read", operand,
                           file);
        file = operand;
        operand = NULL;
    }
    if (!status && file)
        status = vg_job_load(&s->job, file, err);
    if (!status && operand) {
        free(s->job.dataset);
        s->job.dataset = vg_strdup(operand);
        if (!s->job.dataset)
            return vg_fail(err, VG_E_NOMEM, "out of memory");
    }
    for (int i = 0; i < s->request.set_count && !status; i++) {
        status = vg_job_set(&s->job, s->request.sets[i], s->request.options[i], err);
        if (status == VG_E_FORMAT)
            status = VG_E_ARG; /* no YAML on the command line is wrong usage */
    }
    if (status)
        return status;
    if (s->cli.seed_given)
        s->job.run.seed = s->cli.seed;
    if (s->cli.threads)
        s->job.run.threads = s->cli.threads;
    if (!s->job.dataset)
        return vg_fail(err, VG_E_ARG, "no dataset given");
    if (s->request.seeds_given && s->job.compare.change_count == 0)
        return vg_fail(err, VG_E_ARG, "--seeds has a meaning only with --compare");
    return vg_job_finish(&s->job, err);
}

static vg_status open_dataset(session *s, vg_error *err)
{
    s->job.split.threads = s->job.run.threads;
    vg_status status = vg_dataset_open(s->job.dataset, &s->job.split, &s->dataset, err);
    vg_selection selection = vg_job_selection(&s->job);
    if (!status)
        status = vg_dataset_select(s->dataset, &selection, err);
    if (status)
        return status;
    size_t classes = (size_t)vg_dataset_classes(s->dataset);
    if (classes == 1) /* before a network is planned for it */
        return vg_fail(err, VG_E_FORMAT,
                       "%s: one class, \"%s\": a network has nothing to tell apart; expected a "
                       "folder for each of two classes or more",
                       s->job.dataset, vg_dataset_class_name(s->dataset, 0));
    s->classes = vg_calloc(classes, sizeof *s->classes);
    s->counts = vg_calloc(classes, VG_SPLIT_COUNT * sizeof *s->counts);
    if (!s->classes || !s->counts)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++)
        s->classes[k] = vg_dataset_class_name(s->dataset, (int)k);
    for (size_t split = 0; split < VG_SPLIT_COUNT; split++)
        vg_dataset_counts(s->dataset, (vg_split)split, s->counts + split * classes);
    return VG_OK;
}

/* ---- while it runs */

static bool on_batch(void *context, const vg_run_moment *moment)
{
    session *s = context;
    if (!stop_asked)
        vg_run_progress_batch(&s->progress, moment);
    return stop_asked != 0;
}

static void on_epoch(void *context, const vg_epoch_record *record)
{
    session *s = context;
    vg_run_progress_epoch(&s->progress, record);
}

static bool on_training(void *context, int done, int total, const char *arm, int seed)
{
    session *s = context;
    vg_run_progress_training(&s->progress, done, total, arm, seed);
    return stop_asked != 0;
}

static vg_status work(session *s, vg_error *err)
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
    return status;
}

/* ---- before and after */

/* Who has a policy of its own; a class that is not there is found before anything is trained. */
static vg_status announce_classes(const session *s, vg_error *err)
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

/* The first lines: what goes in and what it meets. Building the network once for its size also
 * finds an impossible one before anything is trained. */
static vg_status announce(session *s, vg_error *err)
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
                             .seed = run->seed};
    vg_status status = vg_model_new(&run->net, &size, &model, err);
    if (status)
        return status;
    double parameters = (double)vg_model_parameter_count(model);
    vg_model_free(model);
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
    if (s->job.compare.change_count > 0)
        fprintf(out, "plan  %d change%s x %d seeds, paired = at most %d trainings of %d epochs\n",
                s->job.compare.change_count, s->job.compare.change_count == 1 ? "" : "s",
                s->job.compare.seeds, (s->job.compare.change_count + 1) * s->job.compare.seeds,
                run->epochs);
    return VG_OK;
}

/* The cache of the job; --evaluate looks at every image once and needs none. */
static vg_status open_cache(session *s, vg_error *err)
{
    if (s->job.cache.kind == VG_CACHE_NONE)
        return VG_OK;
    char key[512];
    vg_loader_options load = vg_run_loading(&s->job.run);
    vg_loader_cache_key(&load.decode, key, sizeof key);
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
static void settle_cache(session *s)
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

static vg_status name_bad_samples(session *s, vg_error *err)
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
static void list_bad_files(session *s)
{
    vg_error ignored;
    vg_run_report facts = {.result = &s->result, .folder = s->folder};
    if (s->result.bad_samples == 0 || name_bad_samples(s, &ignored) != VG_OK)
        return;
    facts.bad_names = (const char *const *)s->bad_names;
    if (vg_run_folder_write_files(s->folder, &facts, &ignored) == VG_OK)
        vg_cli_error(&s->cli, "the bad files are listed in %s/bad-files.tsv", s->folder);
}

static vg_status print_json(json_t *json, vg_error *err)
{
    if (!json)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the report");
    json_dumpf(json, stdout, JSON_INDENT(2));
    putchar('\n');
    return VG_OK;
}

static vg_status report(session *s, vg_error *err)
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
                           .folder = s->folder,
                           .date = date};
    json_t *json = vg_run_report_json(&facts);
    status = json ? vg_run_folder_write_report(s->folder, &facts, json, err)
                  : vg_fail(err, VG_E_NOMEM, "out of memory for the report");
    if (!status && s->cli.json)
        status = print_json(json, err);
    else if (!status)
        vg_run_report_text(&facts, stdout, vg_cli_width(stdout, 110), vg_cli_colour(stdout));
    json_decref(json);
    return status ? status : vg_cli_finish(stdout, err);
}

static bool is_collapsed(vg_verdict verdict)
{
    return verdict != VG_VERDICT_HEALTHY && verdict != VG_VERDICT_UNDECIDED;
}

static int train(session *s)
{
    vg_error err = {0};
    vg_status status = vg_run_prepare(s->dataset, &s->job.run, &err);
    if (!status)
        status = announce(s, &err);
    if (!status)
        status = vg_run_folder_make(s->cli.out ? s->cli.out : s->job.out, "runs", &s->folder, &err);
    if (!status)
        status = vg_run_folder_write_job(s->folder, &s->job, &err);
    if (!status && !(s->checkpoint = vg_path_join(s->folder, "weights.safetensors")))
        status = vg_fail(&err, VG_E_NOMEM, "out of memory");
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    s->job.run.checkpoint = s->checkpoint;
    status = open_cache(s, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    catch_signals();
    status = work(s, &err);
    settle_cache(s);
    if (status == VG_E_LIMIT)
        list_bad_files(s);
    if (status == VG_E_STOPPED) {
        bool kept = vg_path_exists(s->checkpoint); /* an earlier run's were removed */
        vg_cli_error(&s->cli, "%s; %s%s", err.message,
                     kept ? "the weights of the last whole epoch are in "
                          : "nothing was kept but the job",
                     kept ? s->checkpoint : "");
        char *word = vg_shell_word(s->folder);
        vg_cli_error(&s->cli, "once more from the start: train-pipeline --job %s/job.yaml",
                     word ? word : s->folder);
        free(word);
        return VG_EXIT_FAILED;
    }
    if (!status)
        status = report(s, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    bool collapsed = s->request.fail_on_collapse && is_collapsed(s->result.monitor.settled);
    return collapsed ? VG_EXIT_COLLAPSED : VG_EXIT_DONE;
}

/* ---- --evaluate */

static vg_status choose_split(const session *s, vg_split *split, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(s->dataset), in_val = 0;
    for (size_t k = 0; k < classes; k++)
        in_val += s->counts[VG_SPLIT_VAL * classes + k];
    *split = in_val ? VG_SPLIT_VAL : VG_SPLIT_TEST;
    if (!s->request.split)
        return VG_OK;
    for (int i = 0; i < VG_SPLIT_COUNT; i++)
        if (strcmp(s->request.split, vg_split_name((vg_split)i)) == 0) {
            *split = (vg_split)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG, "--split: found \"%s\", allowed: train, val, test",
                   s->request.split);
}

static int evaluate(session *s)
{
    vg_loader_options load = vg_run_loading(&s->job.run);
    vg_error err = {0};
    vg_diversity diversity = {0};
    vg_split split;
    vg_status status = choose_split(s, &split, &err);
    if (!status)
        status = vg_evaluate(s->dataset, s->request.evaluate, split, &load, &diversity, &err);
    char reason[200] = "";
    vg_verdict verdict =
        status ? VG_VERDICT_UNDECIDED : vg_verdict_of(&diversity, reason, sizeof reason);
    if (!status && s->cli.json) {
        json_t *json = vg_run_diversity_json(&diversity, s->classes);
        if (json) {
            json_object_set_new(json, "tool", json_string("train-pipeline"));
            json_object_set_new(json, "version", json_string(VG_VERSION));
            json_object_set_new(json, "checkpoint", vg_json_text(s->request.evaluate));
            json_object_set_new(json, "dataset", vg_json_text(s->job.dataset));
            json_object_set_new(json, "split", json_string(vg_split_name(split)));
            json_object_set_new(json, "verdict", json_string(vg_verdict_name(verdict)));
            json_object_set_new(json, "verdict_reason", vg_json_text(reason));
        }
        status = print_json(json, &err);
        json_decref(json);
    } else if (!status) {
        vg_run_report facts = {.classes = s->classes, .class_count = diversity.classes};
        char count[32];
        vg_cli_pad(stdout, s->request.evaluate, vg_cli_columns(s->request.evaluate));
        fputs(" on ", stdout);
        vg_cli_pad(stdout, s->job.dataset, vg_cli_columns(s->job.dataset));
        printf(", %s images of split %s\nVERDICT   %s  ", vg_cli_count(count, diversity.samples),
               vg_split_name(split), vg_run_verdict_word(verdict));
        vg_cli_pad(stdout, reason, vg_cli_columns(reason));
        fputs("\n\n", stdout);
        vg_run_diversity_text(&diversity, &facts, stdout);
    }
    vg_diversity_reset(&diversity);
    if (!status)
        status = vg_cli_finish(stdout, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    return s->request.fail_on_collapse && is_collapsed(verdict) ? VG_EXIT_COLLAPSED : VG_EXIT_DONE;
}

int main(int argc, char **argv)
{
    vg_cli_fast_blas(argv);
    session s = {0};
    vg_error err = {0};
    int end = vg_cli_parse(&spec, argc, argv, &s.request, &s.cli);
    if (end < 0 && s.request.keys) {
        vg_job_print_keys(stdout);
        vg_status status = vg_cli_finish(stdout, &err);
        end = status ? vg_cli_fail(&s.cli, &err, status) : VG_EXIT_DONE;
    }
    if (end < 0) {
        vg_status status = read_job(&s, &err);
        if (status == VG_E_ARG) {
            end = vg_cli_usage(&s.cli, "%s", err.message);
        } else {
            if (!status)
                status = open_dataset(&s, &err);
            end = status               ? vg_cli_fail(&s.cli, &err, status)
                  : s.request.evaluate ? evaluate(&s)
                                       : train(&s);
        }
    }
    session_reset(&s);
    return end;
}
