/* Weighs what the audit counted: what stands out about each class, and what to do first.
 *
 * Every threshold stands at the top with its reason. A remark needs two things: a difference that
 * is large (in the unit of the pictures' own spread) and one that chance does not explain. Only
 * commands and options that exist are recommended. */
#include "report/audit_page.h"
#include "report/balance_plan.h"
#include "report/class_notes.h"
#include "report/escape.h"

#include "base/alloc.h"
#include "base/statistics.h"
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

/* Below this an accuracy has a 95 % interval of more than +-17 points. */
static const size_t few_tested = 30;
/* Below this the interval is wider than +-28 points: hardly a measurement. */
static const size_t hardly_tested = 10;
/* Largest to smallest class: from here on rare classes suffer visibly in plain training. */
static const double skewed = 3;
/* Part of the way from chance to certainty that a trivial property goes. */
static const double strong_shortcut = 0.25;
/* Share of broken files that is a fault of the collection and no accident. */
static const double many_broken = 0.02;

static void note_class(const vg_audit *audit, vg_class_finding *class, bool tests_on_val)
{
    const vg_audit_class *c = &audit->per_class[class->label];
    const char *split = tests_on_val ? "validation" : "test";
    if (c->count[VG_SPLIT_TRAIN] == 0)
        vg_class_note(class, true, "no training images");
    vg_class_note_looks(audit, class);
    if (class->tested == 0)
        vg_class_note(class, true, "accuracy cannot be measured (none in the %s split)", split);
    else if (class->tested < few_tested)
        vg_class_note(class, class->tested < hardly_tested, "accuracy ±%.0f points (%zu to %s)",
                      100 * class->margin, class->tested, tests_on_val ? "validate" : "test");
    if (class->broken)
        vg_class_note(class, class->broken * 10 > class->total, "%zu broken", class->broken);
}

static int larger_first(const void *left, const void *right)
{
    const vg_class_finding *a = left, *b = right;
    if (a->shown != b->shown)
        return a->shown < b->shown ? 1 : -1;
    return a->label - b->label;
}

static void measure(const vg_dataset *dataset, const vg_labels *labels, vg_findings *f)
{
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        f->split[s] = labels->split[s].total;
    f->train = labels->split[VG_SPLIT_TRAIN];
    f->all = labels->all;
    f->by_train = vg_dataset_brings_splits(dataset) && f->train.total > 0;
    f->shown = f->by_train ? f->train : f->all;
}

static void find_classes(const vg_dataset *dataset, const vg_audit *audit, vg_findings *f)
{
    bool tests_on_val = f->split[VG_SPLIT_TEST] == 0 && f->split[VG_SPLIT_VAL] > 0;
    for (int k = 0; k < f->count; k++) {
        vg_class_finding *class = &f->classes[k];
        const size_t *count = audit->per_class[k].count;
        class->label = k;
        class->total = count[VG_SPLIT_TRAIN] + count[VG_SPLIT_VAL] + count[VG_SPLIT_TEST];
        class->shown = f->by_train ? count[VG_SPLIT_TRAIN] : class->total;
        class->tested = count[tests_on_val ? VG_SPLIT_VAL : VG_SPLIT_TEST];
        double n = (double)class->tested, low, high;
        vg_wilson(n / 2, n, &low, &high);
        class->margin = (high - low) / 2;
    }
    for (size_t i = 0; i < audit->broken_count; i++)
        f->classes[vg_dataset_label(dataset, audit->broken[i].index)].broken++;
    for (int k = 0; k < f->count; k++)
        note_class(audit, &f->classes[k], tests_on_val);
    qsort(f->classes, (size_t)f->count, sizeof *f->classes, larger_first);
}

/* Asks the sampler itself how often the rarest class would be seen. */
static vg_status make_plan(const vg_dataset *dataset, const vg_audit *audit, vg_findings *f,
                           vg_error *err)
{
    f->rare = -1;
    f->sampling = VG_SAMPLING_SHUFFLE;
    f->plan = vg_alloc(1, sizeof *f->plan);
    if (!f->plan)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the plan");
    vg_status status = vg_balance_plan_make(dataset, audit, f->plan, err);
    if (status || f->plan->rare < 0)
        return status;
    const vg_way *chosen = &f->plan->ways.list[f->plan->ways.chosen];
    f->rare = f->plan->rare;
    f->sampling = chosen->sampling;
    f->rare_images = f->plan->counts[f->rare];
    f->rare_seen = chosen->per_class[f->rare].seen;
    return VG_OK;
}

static bool is_strong(const vg_shortcut *s)
{
    return s->chance < 1 && (s->accuracy - s->chance) / (1 - s->chance) >= strong_shortcut;
}

static bool about_light(const vg_shortcut *s)
{
    return strcmp(s->property, "brightness") == 0 || strcmp(s->property, "contrast") == 0;
}

/* The light shortcut, or failing that any, that is worth acting on; NULL if none is. */
static const vg_shortcut *worst_shortcut(const vg_audit *audit)
{
    const vg_shortcut *found = NULL;
    for (int i = 0; i < audit->shortcut_count; i++) {
        const vg_shortcut *s = &audit->shortcuts[i];
        bool acts = is_strong(s) || (s->class_index >= 0 && fabs(s->z) >= 1.5 && about_light(s));
        if (acts && (!found || (about_light(s) && !about_light(found))))
            found = s;
    }
    return found;
}

static void advise(vg_advice *advice, double weight, const char *before, const char *after,
                   const char *format, ...) __attribute__((format(printf, 5, 6)));

static void advise(vg_advice *advice, double weight, const char *before, const char *after,
                   const char *format, ...)
{
    advice->weight = weight;
    va_list args;
    va_start(args, format);
    vsnprintf(advice->text, sizeof advice->text, format, args);
    va_end(args);
    advice->before = before;
    advice->after = after;
}

static void advise_shortcut(const vg_dataset *dataset, const vg_shortcut *s, vg_advice *advice)
{
    char words[300];
    vg_shortcut_words(dataset, s, words, sizeof words);
    if (about_light(s))
        advise(advice, VG_WEIGHT_SHORTCUT, "train-pipeline ",
               " --compare --set normalize=image-zscore",
               "%s. A network learns that before it learns shapes; normalizing each image by "
               "itself takes it away.",
               words);
    else
        advise(advice, VG_WEIGHT_SHORTCUT, "balance-report ", " --html report.html",
               "%s. A network learns that before it learns what is in the pictures; see which "
               "classes differ.",
               words);
}

static void advise_flat(const vg_dataset *dataset, const vg_audit *audit, vg_advice *advice)
{
    static const char *const after[] = {" --background black", " --background grey",
                                        " --background white"};
    char words[360];
    int better = audit->flat.better;
    vg_flat_words(&audit->flat, dataset, words, sizeof words);
    if (better < 0)
        advise(advice, VG_WEIGHT_FLAT, NULL, NULL, "%s. There is nothing to learn from them.",
               words);
    else
        advise(advice, VG_WEIGHT_FLAT, "train-pipeline ",
               after[better == VG_BACKGROUND_BLACK  ? 0
                     : better == VG_BACKGROUND_GREY ? 1
                                                    : 2],
               "%s. Another background shows them.", words);
}

/* The class, by its place, whose accuracy is measured on the fewest images. */
static int least_tested(const vg_findings *f)
{
    int least = 0;
    for (int i = 1; i < f->count; i++)
        if (f->classes[i].tested < f->classes[least].tested)
            least = i;
    return least;
}

/* Whether a class is hardly tested at all, or no class well. */
static bool too_small(const vg_findings *f)
{
    bool any_well = false;
    for (int i = 0; i < f->count; i++)
        any_well |= f->classes[i].tested >= few_tested;
    return !any_well || f->classes[least_tested(f)].tested < hardly_tested;
}

/* The first rule that holds, from "there is nothing to train on" to "nothing is wrong". */
static void decide_first(const vg_dataset *dataset, const vg_audit *audit, vg_findings *f)
{
    vg_advice *a = &f->first;
    const vg_shortcut *shortcut = worst_shortcut(audit);
    const char *majority = vg_dataset_class_name(dataset, f->shown.majority);
    const char *minority = vg_dataset_class_name(dataset, f->shown.minority);
    const vg_class_finding *last = &f->classes[f->count - 1];
    if (audit->decoded == 0 && !audit->labels_only)
        advise(a, VG_WEIGHT_UNREADABLE, "balance-report ", " --list files",
               "None of the %zu images can be read.", audit->found);
    else if (f->count < 2)
        advise(a, VG_WEIGHT_ONE_CLASS, NULL, NULL,
               "There is one class, \"%s\": a network has nothing to tell apart. Put each kind of "
               "image into a folder of its own.",
               majority);
    else if ((double)audit->broken_count > many_broken * (double)audit->found)
        advise(a, VG_WEIGHT_BROKEN, "balance-report ", " --list files",
               "%zu of %zu images cannot be decoded (%.1f %%); training would pass over them. "
               "Fetch them again or delete them.",
               audit->broken_count, audit->found,
               100 * (double)audit->broken_count / (double)audit->found);
    else if (vg_flat_is_bad(&audit->flat))
        advise_flat(dataset, audit, a);
    else if (f->train.present < f->count)
        advise(a, VG_WEIGHT_UNTRAINED, NULL, NULL,
               "%d of %d classes have no training image; a network can never learn to name "
               "them (\"%s\"). Add images, or leave the class out.",
               f->count - f->train.present, f->count, vg_dataset_class_name(dataset, last->label));
    else if (f->alike_count) {
        char words[300];
        vg_alike_words(dataset, f, 0, words, sizeof words);
        advise(a, VG_WEIGHT_NAMES, NULL, NULL,
               "%s%s. If one class is meant, a network is taught to tell apart what is the same: "
               "put them into one folder, or give them one label.",
               words, f->alike_count > 1 ? ", and more such names below" : "");
    } else if (f->shown.imbalance_ratio >= skewed)
        advise(a, VG_WEIGHT_IMBALANCE, "train-pipeline ", " --compare",
               "\"%s\" has %.*f times as many images as \"%s\": trained on them as they are, a "
               "network learns to neglect the rare classes. This measures what rebalancing "
               "changes.",
               majority, f->shown.imbalance_ratio < 10 ? 1 : 0, f->shown.imbalance_ratio, minority);
    else if (shortcut)
        advise_shortcut(dataset, shortcut, a);
    else if (audit->broken_count)
        advise(a, VG_WEIGHT_FEW_BROKEN, "balance-report ", " --list files",
               "%zu of %zu images cannot be decoded; training passes over them.",
               audit->broken_count, audit->found);
    else if (audit->labels_only)
        advise(
            a, VG_WEIGHT_LABELS_ONLY, "balance-report ", "",
            "The labels need no repair. No picture was opened: whether all can be read, and what "
            "gives classes away, takes the whole report.");
    else if (too_small(f))
        advise(a, VG_WEIGHT_FEW, NULL, NULL,
               "Too few images to tell: %zu of \"%s\" are left to test on, so that an accuracy on "
               "them is only known to ±%.0f points, and what gives a class away may be chance. Add "
               "images, or give the split in a manifest.",
               f->classes[least_tested(f)].tested,
               vg_dataset_class_name(dataset, f->classes[least_tested(f)].label),
               100 * f->classes[least_tested(f)].margin);
    else {
        advise(a, VG_WEIGHT_NOTHING, "train-pipeline ", " --compare",
               "Nothing here needs repair. Train, and see what augmentation and normalization "
               "change.");
    }
}

/* Folders are ordered by their bytes, so "10" comes before "9": whoever takes labels for the numbers
 * in the names must be told. */
static int find_misordered(const vg_dataset *dataset, int classes)
{
    int found = -1;
    long long before = 0;
    for (int k = 0; k < classes; k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        size_t digits = strspn(name, "0123456789");
        if (digits == 0 || digits > 18 || name[digits])
            return -1;
        long long value = strtoll(name, NULL, 10);
        if (k && value < before && found < 0)
            found = k - 1;
        before = value;
    }
    return found;
}

vg_status vg_findings_make(const vg_dataset *dataset, const vg_audit *audit, vg_findings *findings,
                           vg_error *err)
{
    *findings = (vg_findings){.count = vg_dataset_classes(dataset)};
    findings->classes = vg_calloc((size_t)findings->count, sizeof *findings->classes);
    if (!findings->classes)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", findings->count);
    measure(dataset, &audit->labels, findings);
    vg_status status = make_plan(dataset, audit, findings, err);
    if (!status)
        status = vg_alike_find(dataset, &findings->alike, &findings->alike_count, err);
    if (status) {
        vg_findings_reset(findings);
        return status;
    }
    findings->misordered = find_misordered(dataset, findings->count);
    find_classes(dataset, audit, findings);
    decide_first(dataset, audit, findings);
    for (int i = 0; vg_audit_sections[i]; i++) {
        vg_advice advice = {0};
        if (vg_audit_sections[i]->advise)
            vg_audit_sections[i]->advise(dataset, audit, findings, &advice);
        if (advice.weight > findings->first.weight)
            findings->first = advice;
    }
    findings->clean = findings->first.weight <= VG_WEIGHT_NOTHING;
    return VG_OK;
}

void vg_findings_reset(vg_findings *findings)
{
    free(findings->classes);
    free(findings->alike);
    if (findings->plan)
        vg_balance_plan_reset(findings->plan);
    free(findings->plan);
    *findings = (vg_findings){0};
}

static size_t images_of(const vg_findings *findings, int label)
{
    for (int i = 0; i < findings->count; i++)
        if (findings->classes[i].label == label)
            return findings->classes[i].total;
    return 0;
}

void vg_alike_words(const vg_dataset *dataset, const vg_findings *findings, size_t i, char *text,
                    size_t capacity)
{
    static const char *const by[] = {
        [VG_ALIKE_CASE] = "upper and lower case",
        [VG_ALIKE_BLANKS] = "blanks",
        [VG_ALIKE_SIGNS] = "blanks, - and _ (and perhaps case)",
    };
    const vg_alike *a = &findings->alike[i];
    size_t first = images_of(findings, a->first), second = images_of(findings, a->second);
    snprintf(
        text, capacity,
        "\"%.60s\" (%zu image%s) and \"%.60s\" (%zu image%s) are two classes whose names differ "
        "only in %s",
        vg_dataset_class_name(dataset, a->first), first, first == 1 ? "" : "s",
        vg_dataset_class_name(dataset, a->second), second, second == 1 ? "" : "s", by[a->by]);
}

void vg_ignored_words(const vg_dataset *dataset, char *text, size_t capacity)
{
    vg_dataset_ignored i = vg_dataset_ignored_of(dataset);
    const struct {
        size_t n;
        const char *one, *many;
    } parts[] = {
        {i.not_images, "no picture by name", "no pictures by name"},
        {i.other_formats, "in a format that is not read", "in a format that is not read"},
        {i.hidden, "hidden", "hidden"},
        {i.loose, "picture beside the class folders", "pictures beside the class folders"},
        {i.other_folders, "folder beside train/, val/, test/",
         "folders beside train/, val/, test/"},
        {i.empty_classes, "class folder without a picture", "class folders without a picture"},
        {i.unreadable, "folder that cannot be listed or leads in a circle",
         "folders that cannot be listed or lead in a circle"},
        {i.duplicates, "repetition of a row or a member", "repetitions of rows or members"},
        {i.unusable, "unusable member of an archive", "unusable members of archives"},
        {i.unlabelled, "group without one picture and one label",
         "groups without one picture and one label"},
    };
    size_t used = 0;
    text[0] = '\0';
    for (size_t k = 0; k < sizeof parts / sizeof *parts && used < capacity; k++)
        if (parts[k].n)
            used += (size_t)snprintf(text + used, capacity - used, "%s%zu %s", used ? ", " : "",
                                     parts[k].n, parts[k].n == 1 ? parts[k].one : parts[k].many);
}

void vg_shortcut_words(const vg_dataset *dataset, const vg_shortcut *s, char *text, size_t capacity)
{
    static const struct {
        const char *property, *less, *more;
    } words[] = {
        {"brightness", "darker", "brighter"},
        {"contrast", "flatter", "richer in contrast"},
        {"width", "narrower", "wider"},
        {"height", "lower", "taller"},
        {"aspect", "more upright", "more oblong"},
        {"file size", "smaller as a file", "larger as a file"},
        {"sharpness", "less sharp", "sharper"},
        {"entropy", "emptier", "fuller"},
        {"border", "less framed", "more framed"},
        {"colour", "less coloured", "more coloured"},
        {"red cast", "less red", "redder"},
        {"green cast", "less green", "greener"},
        {"blue cast", "less blue", "bluer"},
        {"compression", "more compressed", "less compressed"},
        {"EXIF", "more often without EXIF data", "more often with EXIF data"},
    };
    char who[160] = "";
    for (size_t i = 0; s->class_index >= 0 && i < sizeof words / sizeof *words; i++)
        if (strcmp(words[i].property, s->property) == 0)
            snprintf(who, sizeof who, "\"%s\" is %s than the others (z %+.1f): ",
                     vg_dataset_class_name(dataset, s->class_index),
                     s->z < 0 ? words[i].less : words[i].more, s->z);
    snprintf(text, capacity, "%s%s alone names the class with %.1f %% accuracy (chance %.1f %%",
             who, s->property, 100 * s->accuracy, 100 * s->chance);
    if (s->null_high > 0)
        vg_text_append(text, capacity, "; shuffled %.1f %%, 95 of 100 at most %.1f %%",
                       100 * s->null_mean, 100 * s->null_high);
    vg_text_append(text, capacity, ")");
}

void vg_together_words(const vg_audit *audit, char *text, size_t capacity)
{
    const vg_shortcut *s = &audit->together;
    snprintf(text, capacity,
             "all of them together name the class with %.1f %% accuracy (chance %.1f %%; shuffled "
             "%.1f %%, at most %.1f %%): so far one gets without a look at what is in a picture",
             100 * s->accuracy, 100 * s->chance, 100 * s->null_mean, 100 * s->null_high);
}

static char *command(const char *before, const char *dataset, const char *after)
{
    char *quoted = vg_shell_word(dataset);
    if (!quoted)
        return NULL;
    size_t size = strlen(before) + strlen(quoted) + strlen(after) + 1;
    char *whole = vg_alloc(size, 1);
    if (whole)
        snprintf(whole, size, "%s%s%s", before, quoted, after);
    free(quoted);
    return whole;
}

char *vg_advice_command(const vg_advice *advice, const char *dataset, int background)
{
    char after[4400], colour[VG_BACKGROUND_TEXT];
    if (!advice->before)
        return NULL;
    snprintf(after, sizeof after, "%s", advice->after);
    if (background > VG_BACKGROUND_BLACK && !strstr(after, "--background"))
        vg_text_append(after, sizeof after, " --background '%s'",
                       vg_background_print(background, colour));
    return command(advice->before, dataset, after);
}

char *vg_plan_command(const vg_findings *findings, const char *dataset, int background)
{
    char after[80];
    snprintf(after, sizeof after, " --set balance.sampling=%s",
             vg_sampling_name(findings->sampling));
    const vg_advice plan = {.before = "train-pipeline ", .after = after};
    return vg_advice_command(&plan, dataset, background);
}
