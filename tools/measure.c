/* Chooses the findings that a training can feel, makes the repaired dataset or job of each, and has them trained.
 *
 * Samples are only ever left out of training: what is held out stays the same in all arms, or the pairs would not be
 * pairs. The trainings are those of a small net on small pictures, as long as the budget allows: they rank findings,
 * they do not foretell the accuracy of a large net. */
#include "measure.h"

#include "base/alloc.h"
#include "base/text.h"
#include "job.h"
#include "run_progress.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Share of the training images below which leaving them out is lost in the noise of any number of seeds. */
static const double too_few = 0.005;
/* Part of the way from chance to certainty from which on the light of a picture is worth an arm. */
static const double felt_shortcut = 0.1;
/* Held-out images from which on a difference of accuracies says anything. */
enum { HELD_OUT_LEAST = 30 };
/* The longer side of the pictures that are trained on, and images that a training shows if the budget allows. */
enum { SIDE = 48, IMAGES_SHOWN = 40000, EPOCHS_LEAST = 3, EPOCHS_MOST = 30 };

typedef struct study {
    const vg_dataset *dataset;
    const vg_audit *audit;
    const vg_findings *findings;
    const vg_measure_options *options;
    vg_measured *measured;
    size_t train;                     /* images */
    vg_job job;                       /* the data as they are */
    vg_run_options jobs[VG_REMEDIES]; /* the same but for ... */
    vg_sampling samplings[VG_REMEDIES];
    vg_normalization normalizations[VG_REMEDIES];
    vg_dataset *data[VG_REMEDIES]; /* NULL: not another one */
    vg_cache *caches[VG_REMEDIES + 1];
    vg_remedy remedies[VG_REMEDIES];
    int count;
    bool *gone; /* [count of the dataset] scratch */
    vg_run_progress progress;
} study;

static void study_reset(study *s)
{
    for (int i = 0; i <= VG_REMEDIES; i++)
        if (s->caches[i])
            vg_cache_close(s->caches[i]);
    for (int i = 0; i < VG_REMEDIES; i++)
        vg_dataset_close(s->data[i]);
    free(s->gone);
    vg_job_reset(&s->job);
}

void vg_measured_reset(vg_measured *measured)
{
    vg_comparison_reset(&measured->comparison);
    *measured = (vg_measured){0};
}

/* ---- which samples a finding is about */

static void clear(study *s)
{
    memset(s->gone, 0, vg_dataset_count(s->dataset) * sizeof *s->gone);
}

/* Of the training images those with any of the marks. */
static void choose_marked(study *s, uint32_t marks)
{
    clear(s);
    for (size_t i = 0; i < s->audit->marks.count; i++)
        s->gone[i] = (s->audit->marks.of[i] & marks) != 0 &&
                     vg_dataset_split(s->dataset, i) == VG_SPLIT_TRAIN;
}

/* The training images that have a copy among the held-out ones. */
static void choose_leaking(study *s)
{
    const vg_duplicates *copies = &s->audit->copies;
    clear(s);
    for (size_t g = 0; g < copies->group_count; g++)
        for (size_t m = 0; copies->groups[g].leaks && m < copies->groups[g].count; m++) {
            size_t i = copies->members[copies->groups[g].begin + m];
            s->gone[i] = vg_dataset_split(s->dataset, i) == VG_SPLIT_TRAIN;
        }
}

/* ---- repairs */

static vg_measured_finding *add_remedy(study *s, const char *name)
{
    int i = s->count++;
    snprintf(s->remedies[i].name, sizeof s->remedies[i].name, "%s", name);
    s->samplings[i] = s->job.run.sampling;
    s->normalizations[i] = s->job.run.normalization;
    return &s->measured->findings[i];
}

/* A dataset without the chosen training images, if they are enough to be felt. */
static vg_status leave_out(study *s, const char *name, const char *what, bool flatters,
                           vg_error *err)
{
    size_t n = 0, count = vg_dataset_count(s->dataset);
    for (size_t i = 0; i < count; i++)
        n += s->gone[i];
    if (n == 0 || s->count == VG_REMEDIES)
        return VG_OK;
    if ((double)n < too_few * (double)s->train || n * 2 > s->train) {
        vg_text_append(s->measured->skipped, sizeof s->measured->skipped,
                       "%s%s: %zu of %zu training images, too %s",
                       s->measured->skipped[0] ? "; " : "", name, n, s->train,
                       n * 2 > s->train ? "many to do without" : "few to be felt");
        return VG_OK;
    }
    vg_dataset **other = &s->data[s->count];
    vg_status status = vg_dataset_open(vg_dataset_path(s->dataset), s->options->open, other, err);
    if (status)
        return status;
    if (vg_dataset_count(*other) != count)
        return vg_fail(err, VG_E_STATE, "%s: %zu images a moment ago, %zu now: it is being changed",
                       vg_dataset_path(s->dataset), count, vg_dataset_count(*other));
    vg_dataset_leave_out(*other, s->gone);
    s->remedies[s->count].dataset = *other;
    vg_measured_finding *finding = add_remedy(s, name);
    snprintf(finding->finding, sizeof finding->finding, "%zu training image%s %s", n,
             n == 1 ? "" : "s", what);
    snprintf(finding->repair, sizeof finding->repair, "left out");
    finding->flatters = flatters;
    return VG_OK;
}

static void rebalance(study *s)
{
    const vg_findings *f = s->findings;
    if (f->sampling == VG_SAMPLING_SHUFFLE || s->count == VG_REMEDIES)
        return;
    vg_measured_finding *finding = add_remedy(s, "imbalance");
    s->samplings[s->count - 1] = f->sampling;
    snprintf(finding->finding, sizeof finding->finding, "classes of %.3g : 1 training images",
             f->train.imbalance_ratio);
    snprintf(finding->repair, sizeof finding->repair, "balance.sampling=%s",
             vg_sampling_name(f->sampling));
}

static void even_light(study *s)
{
    const vg_shortcut *light = NULL;
    for (int i = 0; i < s->audit->shortcut_count && !light; i++)
        if (strcmp(s->audit->shortcuts[i].property, "brightness") == 0 ||
            strcmp(s->audit->shortcuts[i].property, "contrast") == 0)
            light = &s->audit->shortcuts[i];
    if (!light || light->accuracy - light->chance < felt_shortcut * (1 - light->chance) ||
        s->count == VG_REMEDIES)
        return;
    vg_measured_finding *finding = add_remedy(s, "light");
    s->normalizations[s->count - 1] = VG_NORMALIZE_IMAGE_ZSCORE;
    snprintf(finding->finding, sizeof finding->finding,
             "%s alone names the class in %.0f %% of cases", light->property,
             100 * light->accuracy);
    snprintf(finding->repair, sizeof finding->repair, "normalize=image-zscore");
}

static vg_status choose_remedies(study *s, vg_error *err)
{
    static const struct {
        const char *name, *what;
        uint32_t marks;
    } marked[] = {
        {"copies", "are copies of others", 1U << VG_MARK_EXACT_COPY | 1U << VG_MARK_NEAR_COPY},
        {"label-conflict", "have a copy with another label", 1U << VG_MARK_LABEL_CONFLICT},
        {"label-error", "have a label that is probably wrong", 1U << VG_MARK_LABEL_ERROR},
        {"odd pictures", "are dark, light, blurred, flat or nearly empty",
         1U << VG_MARK_FLAT | 1U << VG_MARK_DARK | 1U << VG_MARK_LIGHT | 1U << VG_MARK_BLURRED |
             1U << VG_MARK_LOW_INFORMATION},
    };
    choose_leaking(s);
    vg_status status = leave_out(s, "leak", "have a copy among the held-out ones", true, err);
    for (size_t k = 0; !status && k < sizeof marked / sizeof *marked; k++) {
        choose_marked(s, marked[k].marks);
        status = leave_out(s, marked[k].name, marked[k].what, false, err);
    }
    if (!status) {
        rebalance(s);
        even_light(s);
    }
    return status;
}

/* ---- the trainings */

static int compare_sides(const void *a, const void *b)
{
    int x = *(const int *)a, y = *(const int *)b;
    return x < y ? -1 : x > y;
}

/* The median width and height, made so small that the longer is SIDE; multiples of 8 from there on. */
static vg_status choose_size(study *s, vg_error *err)
{
    size_t n = 0;
    int *sides = vg_alloc(2 * s->audit->decoded, sizeof *sides);
    if (!sides)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu sizes", s->audit->decoded);
    int *heights = sides + s->audit->decoded;
    for (size_t i = 0; i < s->audit->found && n < s->audit->decoded; i++)
        if (s->audit->facts[i].flags & VG_FACT_DECODED) {
            sides[n] = s->audit->facts[i].width;
            heights[n++] = s->audit->facts[i].height;
        }
    qsort(sides, n, sizeof *sides, compare_sides);
    qsort(heights, n, sizeof *heights, compare_sides);
    size_t middle = n / 2;
    double width = sides[middle], height = heights[middle], longer = fmax(width, height);
    free(sides);
    s->job.run.width = (int)width;
    s->job.run.height = (int)height;
    if (longer > SIDE) {
        s->job.run.width = (int)fmax(8, 8 * round(width * SIDE / longer / 8));
        s->job.run.height = (int)fmax(8, 8 * round(height * SIDE / longer / 8));
    }
    return VG_OK;
}

static vg_status open_caches(study *s, vg_error *err)
{
    vg_cache_options ram = {.kind = VG_CACHE_RAM};
    char key[512];
    vg_loader_options load = vg_run_loading(&s->job.run);
    for (int i = 0; i <= s->count; i++) {
        const vg_dataset *data = i ? s->remedies[i - 1].dataset : s->dataset;
        if (!data)
            continue;
        vg_loader_cache_key(data, &load.decode, key, sizeof key);
        vg_status status = vg_cache_open(&ram, data, key, &s->caches[i], err);
        if (status)
            return status;
    }
    s->job.run.cache = s->caches[0];
    for (int i = 0; i < s->count; i++) {
        s->jobs[i] = s->job.run; /* what it owns stays the plain job's */
        s->jobs[i].cache = s->caches[s->remedies[i].dataset ? i + 1 : 0];
        s->jobs[i].sampling = s->samplings[i];
        s->jobs[i].normalization = s->normalizations[i];
        s->remedies[i].job = &s->jobs[i];
    }
    return VG_OK;
}

/* One epoch tells how many the budget allows. */
static vg_status choose_epochs(study *s, int trainings, vg_error *err)
{
    vg_run_result result = {0};
    vg_run_options once = s->job.run;
    once.epochs = 1;
    vg_status status = vg_run(s->dataset, &once, NULL, &result, err);
    if (status)
        return status;
    double epoch = fmax(result.seconds, 1e-3);
    double wanted = ceil((double)IMAGES_SHOWN / (double)s->train);
    double possible = floor(60 * s->options->minutes / (trainings * epoch));
    double epochs = fmin(fmin(wanted, possible), EPOCHS_MOST);
    s->job.run.epochs = (int)fmax(epochs, EPOCHS_LEAST);
    s->measured->height = result.height;
    s->measured->width = result.width;
    s->measured->train_samples = result.train_samples;
    s->measured->held_out_samples = result.held_out_samples;
    vg_run_result_reset(&result);
    for (int i = 0; i < s->count; i++)
        s->jobs[i].epochs = s->job.run.epochs;
    return VG_OK;
}

static bool on_batch(void *context, const vg_run_moment *moment)
{
    vg_run_progress_batch(&((study *)context)->progress, moment);
    return false;
}

static bool on_training(void *context, int done, int total, const char *arm, int seed)
{
    vg_run_progress_training(&((study *)context)->progress, done, total, arm, seed);
    return false;
}

/* A lower figure without the leak is no harm: it is what the leak had added. */
static void word_flattery(vg_measured *measured)
{
    for (int i = 0; i < measured->comparison.change_count; i++) {
        vg_change_effect *e = &measured->comparison.effects[i];
        if (measured->findings[i].flatters && strcmp(e->word, "harms") == 0)
            snprintf(e->word, sizeof e->word, "flatters: %.1f points are memory",
                     -100 * e->measures[5].difference);
    }
}

static vg_status train_all(study *s, vg_error *err)
{
    const vg_measure_options *o = s->options;
    vg_compare_options how = {.seeds = vg_consequence_seeds(s->count), .first_seed = o->seed};
    vg_status status = open_caches(s, err);
    if (!status)
        status = choose_epochs(s, how.seeds * (s->count + 1), err);
    if (status)
        return status;
    s->progress = vg_run_progress_start(o->quiet, o->json);
    s->progress.epochs = s->job.run.epochs;
    s->progress.classes = vg_dataset_classes(s->dataset);
    vg_compare_events events = {
        .context = s, .training = on_training, .run = {.context = s, .batch = on_batch}};
    status = vg_consequence(s->dataset, &s->job.run, s->remedies, s->count, &how, &events,
                            &s->measured->comparison, err);
    vg_progress_clear(&s->progress.line);
    s->measured->epochs = s->job.run.epochs;
    word_flattery(s->measured);
    return status;
}

/* The data as they are and the plainest job. */
static vg_status begin(study *s, vg_error *err)
{
    s->train = s->findings->split[VG_SPLIT_TRAIN];
    s->gone = vg_calloc(vg_dataset_count(s->dataset), sizeof *s->gone);
    if (!s->gone)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples",
                       vg_dataset_count(s->dataset));
    vg_status status = vg_job_init(&s->job, err);
    if (status)
        return status;
    vg_run_options *run = &s->job.run;
    run->policy = vg_policy_none();
    run->sampling = VG_SAMPLING_SHUFFLE;
    run->threads = s->options->threads;
    run->max_shrink = 8;
    run->max_bad_share = 1; /* the report has named them */
    snprintf(s->measured->net, sizeof s->measured->net, "%s", run->net.name);
    return VG_OK;
}

static vg_status prepare(study *s, vg_error *err)
{
    size_t held_out = s->findings->split[VG_SPLIT_VAL];
    held_out = held_out ? held_out : s->findings->split[VG_SPLIT_TEST];
    if (held_out < HELD_OUT_LEAST || s->findings->train.present < 2)
        return vg_fail(err, VG_E_STATE,
                       "%s: nothing can be measured with %zu held-out images and %d classes to "
                       "train; at least %d and 2 are needed",
                       vg_dataset_path(s->dataset), held_out, s->findings->train.present,
                       HELD_OUT_LEAST);
    vg_status status = choose_size(s, err);
    if (!status)
        status = vg_job_finish(&s->job, err);
    return status ? status : vg_run_prepare(s->dataset, &s->job.run, err); /* once, for all arms */
}

vg_status vg_measure(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                     const vg_measure_options *options, vg_measured *measured, vg_error *err)
{
    study s = {.dataset = dataset,
               .audit = audit,
               .findings = findings,
               .options = options,
               .measured = measured};
    *measured = (vg_measured){0};
    vg_status status = begin(&s, err);
    if (!status)
        status = choose_remedies(&s, err);
    if (!status && s.count) {
        status = prepare(&s, err);
        if (!status)
            status = train_all(&s, err);
    }
    study_reset(&s);
    if (status)
        vg_measured_reset(measured);
    return status;
}
