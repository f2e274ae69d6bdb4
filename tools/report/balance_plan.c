/* The sampler says how often a class is seen, the policy how many of the views differ, the loss what they weigh:
 * this file asks them and words the answers. The fragment holds only what departs from the defaults of a job, and
 * what a reader must know to change it. */
#include "report/balance_plan.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "job.h"
#include "job_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Pictures shown so often an epoch get the words of a tier. */
static const double tier_from[VG_PLAN_TIERS] = {0, 2, 5};
static const char *const tier_words[VG_PLAN_TIERS] = {
    "", "rotate=10 shift=0.1 zoom=0.1 brightness=0.2 contrast=0.2",
    "rotate=15 shift=0.1 shear=5 zoom=0.15 brightness=0.3 contrast=0.3 saturation=0.2"};
/* libyaml takes keys of up to 1,024 bytes. */
enum { KEY_BYTES = 700 };

const char *vg_balance_plan_words(int tier)
{
    return tier_words[tier];
}

/* Of a typical picture and a typical input; no default policy depends on them. */
static vg_status find_kinds(vg_balance_plan *plan, vg_error *err)
{
    static const int input[2] = {64, 64}, picture[2] = {256, 192};
    vg_status status = VG_OK;
    for (int t = 0; !status && t < VG_PLAN_TIERS; t++) {
        vg_policy policy = plan->policy;
        if (t)
            status = vg_policy_change(&policy, tier_words[t], err);
        if (!status)
            status = vg_view_kinds_find(&policy, input, picture, &plan->kinds[t], err);
    }
    return status;
}

static vg_status take_defaults(vg_balance_plan *plan, double *beta, vg_error *err)
{
    vg_job job;
    vg_status status = vg_job_init(&job, err);
    if (status)
        return status;
    plan->policy = job.run.policy;
    plan->normalization = job.run.normalization;
    *beta = job.run.weights_beta;
    vg_job_reset(&job);
    return VG_OK;
}

static void set_tiers(vg_balance_plan *plan)
{
    const vg_way *way = &plan->ways.list[plan->ways.chosen];
    plan->rare = plan->common = -1;
    for (int k = 0; k < plan->classes; k++) {
        if (plan->counts[k] == 0)
            continue;
        double times = (double)way->per_class[k].seen / (double)plan->counts[k];
        for (int t = 1; t < VG_PLAN_TIERS; t++)
            if (times >= tier_from[t])
                plan->tier[k] = t;
        plan->tiered += plan->tier[k] > 0;
        if (plan->rare < 0 || plan->counts[k] < plan->counts[plan->rare])
            plan->rare = k;
        if (plan->common < 0 || plan->counts[k] > plan->counts[plan->common])
            plan->common = k;
    }
}

vg_status vg_balance_plan_make(const vg_dataset *dataset, const vg_audit *audit,
                               vg_balance_plan *plan, vg_error *err)
{
    int classes = vg_dataset_classes(dataset);
    double beta = 0;
    *plan = (vg_balance_plan){.classes = classes};
    vg_status status = take_defaults(plan, &beta, err);
    plan->counts = vg_calloc((size_t)classes, sizeof *plan->counts);
    plan->tier = vg_calloc((size_t)classes, sizeof *plan->tier);
    if (!status && (!plan->counts || !plan->tier))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the plan of %d classes", classes);
    if (!status) {
        for (int k = 0; k < classes; k++)
            plan->counts[k] = audit->per_class[k].count[VG_SPLIT_TRAIN];
        status = vg_ways_make(plan->counts, classes, beta, &plan->ways, err);
    }
    if (!status)
        status = find_kinds(plan, err);
    if (status) {
        vg_balance_plan_reset(plan);
        return status;
    }
    if (audit->scale.channels > 0) {
        plan->normalization = audit->scale.kind;
        plan->why_normalization = audit->scale.why;
    }
    set_tiers(plan);
    return VG_OK;
}

void vg_balance_plan_reset(vg_balance_plan *plan)
{
    vg_ways_reset(&plan->ways);
    for (int t = 0; t < VG_PLAN_TIERS; t++)
        vg_view_kinds_reset(&plan->kinds[t]);
    free(plan->counts);
    free(plan->tier);
    *plan = (vg_balance_plan){0};
}

double vg_balance_plan_views(const vg_balance_plan *plan, int way, int label, int tier)
{
    return vg_view_kinds_of_class(&plan->kinds[tier], plan->counts[label],
                                  plan->ways.list[way].per_class[label].seen);
}

void vg_way_name(const vg_way *way, char *text, size_t capacity)
{
    if (way->weighting != VG_WEIGHTING_NONE)
        snprintf(text, capacity, "weights=%s", vg_weighting_name(way->weighting));
    else if (way->sampling == VG_SAMPLING_SHUFFLE)
        snprintf(text, capacity, "as it is");
    else
        snprintf(text, capacity, "sampling=%s", vg_sampling_name(way->sampling));
}

static void words_of_chosen(const vg_balance_plan *plan, const char *rare, char *text,
                            size_t capacity)
{
    const vg_way *way = &plan->ways.list[plan->ways.chosen];
    double each = (double)way->per_class[plan->rare].seen / (double)plan->counts[plan->rare];
    double equal = (double)way->length / plan->classes / (double)plan->counts[plan->rare];
    if (way->sampling == VG_SAMPLING_SHUFFLE)
        snprintf(text, capacity, "the classes are even enough: nothing would be gained");
    else if (way->sampling == VG_SAMPLING_SQRT)
        snprintf(text, capacity,
                 "rare classes are in more batches, in an epoch as long as before; equal classes "
                 "would show each picture of \"%.60s\" %.0f times an epoch, this %.1f times",
                 rare, equal, each);
    else
        snprintf(text, capacity,
                 "an epoch stays as long as it was, and each picture of "
                 "\"%.60s\" is shown %.1f times in other views, which weights cannot do",
                 rare, each);
}

void vg_way_words(const vg_balance_plan *plan, int way, const vg_dataset *dataset, char *text,
                  size_t capacity)
{
    const vg_way *r = &plan->ways.list[way], *chosen = &plan->ways.list[0];
    text[0] = '\0';
    if (plan->rare < 0)
        return;
    const char *rare = vg_dataset_class_name(dataset, plan->rare);
    const vg_way_class *of_rare = &r->per_class[plan->rare];
    if (way == plan->ways.chosen)
        words_of_chosen(plan, rare, text, capacity);
    else if (r->weighting != VG_WEIGHTING_NONE)
        snprintf(text, capacity,
                 "no picture more: each of \"%.60s\" counts %.1f times in the steps that it is in",
                 rare, of_rare->weight);
    else if (r->sampling == VG_SAMPLING_SHUFFLE)
        snprintf(text, capacity, "\"%.60s\" is %.1f %% of what the loss is made of", rare,
                 100 * of_rare->share);
    else if (r->sampling == VG_SAMPLING_OVER)
        snprintf(text, capacity, "an epoch takes %.1f times as long",
                 (double)r->length / fmax((double)chosen->length, 1));
    else if (r->sampling == VG_SAMPLING_UNDER)
        snprintf(text, capacity, "%.0f %% of the pictures are not in an epoch (others in each)",
                 100 * (1 - (double)r->length / fmax((double)chosen->length, 1)));
    else
        snprintf(text, capacity, "each picture of \"%.60s\" is shown %.1f times an epoch", rare,
                 (double)of_rare->seen / (double)plan->counts[plan->rare]);
}

/* ---- the fragment */

/* Whether a name may stand in a list with commas between. */
static bool is_simple(const char *name)
{
    size_t n = strlen(name);
    return n && n < KEY_BYTES / 2 && !strchr(name, ',') && name[0] != ' ' && name[n - 1] != ' ' &&
           strcmp(name, "rare") != 0;
}

static void put_rule(const char *classes, int tier, FILE *out)
{
    fputs("  ", out);
    vg_key_print_scalar(classes, out);
    fprintf(out, ": %s\n", tier_words[tier]);
}

/* Rules for the classes of a tier: simple names together, others by themselves. Returns how many could not be named. */
static size_t put_tier(const vg_balance_plan *plan, const vg_dataset *dataset, int tier, FILE *out)
{
    char list[KEY_BYTES + 8] = "";
    size_t left_out = 0, used = 0;
    for (int k = 0; k < plan->classes; k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        if (plan->tier[k] != tier)
            continue;
        if (!vg_text_is_plain(name) || strlen(name) > KEY_BYTES) {
            left_out++;
            continue;
        }
        if (!is_simple(name)) {
            put_rule(name, tier, out);
            continue;
        }
        if (used + 1 + strlen(name) > KEY_BYTES) {
            put_rule(list, tier, out);
            used = 0;
        }
        used += (size_t)snprintf(list + used, sizeof list - used, "%s%s", used ? "," : "", name);
    }
    if (used)
        put_rule(list, tier, out);
    return left_out;
}

static bool any_plain(const vg_balance_plan *plan, const vg_dataset *dataset)
{
    for (int k = 0; k < plan->classes; k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        if (plan->tier[k] && vg_text_is_plain(name) && strlen(name) <= KEY_BYTES)
            return true;
    }
    return false;
}

static void put_augmentation(const vg_balance_plan *plan, const vg_dataset *dataset, FILE *out)
{
    size_t left_out = 0;
    if (!plan->tiered)
        return;
    fputs("# Pictures that come again and again in an epoch get stronger augmentation on top of\n"
          "# the job's policy. No mirror images: digits and letters must stay what they are.\n",
          out);
    if (any_plain(plan, dataset)) {
        fputs("augment_classes:\n", out);
        for (int t = 1; t < VG_PLAN_TIERS; t++)
            left_out += put_tier(plan, dataset, t, out);
    } else {
        left_out = (size_t)plan->tiered;
    }
    if (left_out)
        fprintf(out, "# %zu class%s left out: YAML cannot hold %s\n", left_out,
                left_out == 1 ? " is" : "es are", left_out == 1 ? "its name" : "their names");
}

static void put_comment(FILE *out, const char *text)
{
    fputs("# ", out);
    for (const char *at = text; *at;) {
        char shown[VG_TEXT_SHOWN];
        at += vg_text_show(at, shown);
        fputs(shown, out);
    }
    fputc('\n', out);
}

void vg_balance_plan_print(const vg_balance_plan *plan, const vg_dataset *dataset, FILE *out)
{
    const vg_way *way = &plan->ways.list[plan->ways.chosen];
    char text[500], line[4400];
    bool none = way->sampling == VG_SAMPLING_SHUFFLE;
    snprintf(line, sizeof line,
             "What balance-report recommends for %s: train-pipeline DATASET "
             "--job THIS-FILE",
             vg_dataset_path(dataset));
    put_comment(out, line);
    vg_way_words(plan, plan->ways.chosen, dataset, text, sizeof text);
    if (text[0])
        put_comment(out, text);
    fprintf(out, "balance:\n  sampling: %s\n  weights: %s\n",
            none ? "none" : vg_sampling_name(way->sampling), vg_weighting_name(way->weighting));
    put_augmentation(plan, dataset, out);
    if (plan->why_normalization) {
        put_comment(out, plan->why_normalization);
        fprintf(out, "normalize: %s\n", vg_normalization_name(plan->normalization));
    }
}

vg_status vg_balance_plan_write(const char *path, const vg_balance_plan *plan,
                                const vg_dataset *dataset, vg_error *err)
{
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status)
        return status;
    vg_balance_plan_print(plan, dataset, file.stream);
    return vg_atomic_commit(&file, err);
}
