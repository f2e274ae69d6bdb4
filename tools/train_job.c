/* What the command line of train-pipeline says, and the job and the dataset that follow from it. */
#include "train_pipeline.h"

#include "base/alloc.h"
#include "base/file.h"

#include <stdlib.h>
#include <string.h>

enum { JOB, EPOCHS, NET, SET, COMPARE, SEEDS, FAIL_ON, EVALUATE, SPLIT, KEYS };
enum {
    CACHE = KEYS + 1,
    ON_ERROR,
    MAX_BAD,
    BACKGROUND,
    EXPLAIN_SPEED,
    EXACT,
    SAVE_STATS,
    RESUME,
    LR_RANGE,
    SWEEP
};

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
    {"background", "COLOUR", "behind transparent pixels: black, grey, white, #rrggbb (black)",
     BACKGROUND},
    {"exact", NULL, "fit the normalization on all training images, not on 20,000", EXACT},
    {"save-stats", "FILE", "write what was fitted to a file that normalize_from takes", SAVE_STATS},
    {"sweep", "WHAT",
     "search settings: a job file with sweep keys, or 'learning_rate=1e-4 .. 0.1 log; batch=32 | "
     "64'",
     SWEEP},
    {"lr-range", "[LOW:HIGH]",
     "raise the learning rate from step to step and suggest one (1e-6:10)", LR_RANGE},
    {"resume", "RUN", "go on with a run that was cut off; it ends in the same bits", RESUME},
    {"evaluate", "FILE", "measure a checkpoint on DATASET instead of training", EVALUATE},
    {"split", "NAME", "with --evaluate: train, val or test (val if there is one, else test)",
     SPLIT},
    {"explain-speed", NULL, "time a few steps and tell where the time goes; trains nothing",
     EXPLAIN_SPEED},
    {"keys", NULL, "list the keys of a job file", KEYS},
};

static bool is_job_file(const char *path)
{
    const char *dot = strrchr(path, '.');
    return dot && (strcmp(dot, ".yaml") == 0 || strcmp(dot, ".yml") == 0);
}

static vg_status add_set(vg_train_request *r, const char *option, const char *key,
                         const char *value, vg_error *err)
{
    if (r->set_count == VG_TRAIN_SETS)
        return vg_fail(err, VG_E_ARG, "more than %d settings: use a job file", VG_TRAIN_SETS);
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
    vg_train_request *r = context;
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
    case BACKGROUND:
        return add_set(r, "--background", "input.background", value, err);
    case EXACT:
        return add_set(r, "--exact", "normalize_images", "0", err);
    case SAVE_STATS:
        r->save_stats = value;
        return VG_OK;
    case LR_RANGE:
        r->lr_range = value ? value : "";
        return VG_OK;
    case SWEEP:
        r->sweep = value;
        return is_job_file(value) ? VG_OK : add_set(r, "--sweep", "sweep.keys", value, err);
    case RESUME:
        r->resume = value;
        return VG_OK;
    case EVALUATE:
        r->evaluate = value;
        return VG_OK;
    case SPLIT:
        r->split = value;
        return VG_OK;
    case EXPLAIN_SPEED:
        r->explain_speed = true;
        return VG_OK;
    default:
        r->keys = true;
        return VG_OK;
    }
}

const vg_cli_spec vg_train_spec = {
    .tool = "train-pipeline",
    .what = "Trains a network on an image dataset and tells whether its answers depend on its "
            "input,\nwhy not, and what augmentation, normalization and rebalancing do to them.",
    .usage = "DATASET|JOB.yaml [options]",
    .out_help = "folder of the run (a new one: runs/YYYY-MM-DD-N)",
    .options = options,
    .option_count = sizeof options / sizeof *options,
    .max_operands = 1,
    .take = take,
    .footer = "  train-pipeline pets/                  train and report\n"
              "  train-pipeline pets/ --compare        what does each data change do?\n"
              "  train-pipeline pets/ --set augment='rotate=15 flip=h' --set learning_rate=0.01\n"
              "  train-pipeline --job runs/2026-11-21-1/job.yaml        the same run again\n"
              "  train-pipeline --resume runs/2026-11-21-1             go on where it was cut off\n"
              "  train-pipeline pets/ --evaluate runs/2026-11-21-1/weights.safetensors\n"
              "  train-pipeline pets/ --explain-speed  what takes the time of a step?\n"};

/* An option that would have no effect is a mistake of the one who gave it. */
static vg_status refuse_beside_resume(const vg_train_session *s, vg_error *err)
{
    const vg_train_request *r = &s->request;
    const char *too_much = r->evaluate            ? "--evaluate"
                           : r->explain_speed     ? "--explain-speed"
                           : r->sweep             ? "--sweep"
                           : r->lr_range          ? "--lr-range"
                           : r->job               ? "--job"
                           : r->compare_given     ? "--compare"
                           : s->cli.out           ? "--out"
                           : s->cli.seed_given    ? "--seed"
                           : s->cli.operand_count ? s->cli.operands[0]
                                                  : NULL;
    for (int i = 0; i < r->set_count && !too_much; i++)
        if (strncmp(r->sets[i], "cache=", 6) != 0)
            too_much = r->options[i];
    if (!*r->resume)
        return vg_fail(err, VG_E_ARG, "--resume: found \"\", expected the folder of a run");
    if (too_much)
        return vg_fail(err, VG_E_ARG, "--resume goes on with the job of %s: leave %s out",
                       r->resume, too_much);
    return VG_OK;
}

static vg_status refuse_without_meaning(const vg_train_session *s, vg_error *err)
{
    const vg_train_request *r = &s->request;
    if (r->resume)
        return refuse_beside_resume(s, err);
    if (r->split && !r->evaluate)
        return vg_fail(err, VG_E_ARG, "--split has a meaning only with --evaluate");
    if (r->evaluate && !*r->evaluate)
        return vg_fail(err, VG_E_ARG, "--evaluate: found \"\", expected a file of weights");
    if (r->job && !*r->job)
        return vg_fail(err, VG_E_ARG, "--job: found \"\", expected a job file");
    if (r->save_stats && !*r->save_stats)
        return vg_fail(err, VG_E_ARG, "--save-stats: found \"\", expected a file to write");
    if (r->evaluate &&
        (r->compare_given || r->seeds_given || r->cache_given || r->save_stats || s->cli.out))
        return vg_fail(err, VG_E_ARG,
                       "--evaluate trains nothing and writes nothing: leave --%s out",
                       r->compare_given ? "compare"
                       : r->cache_given ? "cache"
                       : r->seeds_given ? "seeds"
                       : r->save_stats  ? "save-stats"
                                        : "out");
    if (r->lr_range && (r->evaluate || r->explain_speed || r->sweep || r->compare_given))
        return vg_fail(err, VG_E_ARG, "--lr-range trains nothing to its end: leave --%s out",
                       r->evaluate        ? "evaluate"
                       : r->explain_speed ? "explain-speed"
                       : r->sweep         ? "sweep"
                                          : "compare");
    if (r->sweep && (r->evaluate || r->explain_speed))
        return vg_fail(err, VG_E_ARG, "--sweep trains: leave --%s out",
                       r->evaluate ? "evaluate" : "explain-speed");
    if (r->explain_speed && (r->evaluate || r->compare_given || r->seeds_given ||
                             r->fail_on_collapse || r->save_stats || s->cli.out))
        return vg_fail(err, VG_E_ARG,
                       "--explain-speed trains nothing and writes nothing: leave --%s out",
                       r->evaluate           ? "evaluate"
                       : r->compare_given    ? "compare"
                       : r->seeds_given      ? "seeds"
                       : r->fail_on_collapse ? "fail-on"
                       : r->save_stats       ? "save-stats"
                                             : "out");
    return VG_OK;
}

/* With --explain-speed a run's folder stands for the job in it. */
static vg_status job_of_folder(vg_train_session *s, const char *folder, bool *is_run, vg_error *err)
{
    char *path = vg_path_join(folder, "job.yaml");
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory");
    *is_run = vg_path_exists(path);
    vg_status status = *is_run ? vg_job_load(&s->job, path, err) : VG_OK;
    free(path);
    return status;
}

/* The job of the run that is gone on with. */
static vg_status read_stored_job(vg_train_session *s, vg_error *err)
{
    char *path = vg_path_join(s->request.resume, "job.yaml");
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory");
    vg_status status = VG_OK;
    if (vg_path_is_folder(s->request.resume) && !vg_path_exists(path))
        status = vg_fail(err, VG_E_IO, "%s: not the folder of a run: it holds no job.yaml",
                         s->request.resume);
    if (!status)
        status = vg_job_load(&s->job, path, err);
    free(path);
    s->cli.out = s->request.resume;
    return status;
}

vg_status vg_train_read_job(vg_train_session *s, vg_error *err)
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
    if (!status && s->request.resume)
        status = read_stored_job(s, err);
    if (!status && file)
        status = vg_job_load(&s->job, file, err);
    bool is_run = false;
    if (!status && operand && s->request.explain_speed && !file)
        status = job_of_folder(s, operand, &is_run, err);
    if (!status && s->request.sweep && is_job_file(s->request.sweep))
        status = vg_job_load(&s->job, s->request.sweep, err);
    if (!status && operand && !is_run) {
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
    if (s->request.sweep && s->job.sweep.space.count == 0)
        return vg_fail(err, VG_E_ARG, "--sweep %s: names no sweep.keys", s->request.sweep);
    if (s->job.sweep.space.count > 0 && s->job.compare.change_count > 0)
        return vg_fail(err, VG_E_ARG,
                       "a comparison and a search at once: leave --compare or --sweep out");
    return vg_job_finish(&s->job, err);
}

vg_status vg_train_open_dataset(vg_train_session *s, vg_error *err)
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
