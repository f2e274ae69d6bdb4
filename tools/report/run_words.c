/* The sentences that the text and the page share: a verdict says what it rests on, in numbers and
 * with the names that the user gave to the classes. */
#include "report/run.h"

#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <inttypes.h>
#include <math.h>
#include <string.h>

const char *vg_run_verdict_word(vg_verdict verdict)
{
    static const char *const words[] = {"UNDECIDED", "CONSTANT",          "ONE-CLASS",
                                        "PARTIAL",   "DIVERSE BUT WRONG", "HEALTHY"};
    return (unsigned)verdict < sizeof words / sizeof *words ? words[verdict] : "UNDECIDED";
}

static double entropy_of(const double *shares, int count)
{
    double entropy = 0;
    for (int k = 0; k < count; k++)
        if (shares[k] > 0)
            entropy -= shares[k] * log(shares[k]);
    return entropy;
}

double vg_run_effective_predicted(const vg_diversity *d)
{
    return d->effective_classes * vg_run_effective_labels(d);
}

double vg_run_effective_labels(const vg_diversity *d)
{
    return d->label_share ? exp(entropy_of(d->label_share, d->classes)) : NAN;
}

const char *vg_run_bad_reason(const vg_run_report *report, size_t i)
{
    const char *reason = report->result->bad[i].reason, *name = report->bad_names[i];
    const char *at = strstr(reason, name); /* behind the dataset's folder, or at the beginning */
    size_t n = strlen(name);
    if (!at || (at > reason && at[-1] != '/') || strncmp(at + n, ": ", 2) != 0)
        return reason;
    return at + n + 2;
}

const char *vg_run_stars(double p)
{
    return p < 0.001 ? "***" : p < 0.01 ? "**" : p < 0.05 ? "*" : "";
}

void vg_run_class_list(const vg_run_report *report, const bool *marked, int most, char *text,
                       size_t capacity)
{
    int total = 0, listed = 0;
    for (int k = 0; k < report->class_count; k++)
        total += marked[k];
    text[0] = '\0';
    for (int k = 0; k < report->class_count && listed < most; k++)
        if (marked[k]) {
            bool last = listed + 1 == total;
            vg_text_append(text, capacity, "%s\"%s\"",
                           listed == 0 ? ""
                           : last      ? " and "
                                       : ", ",
                           report->classes[k]);
            listed++;
        }
    if (listed < total)
        vg_text_append(text, capacity, " and %d more", total - listed);
}

static const char *class_name(const vg_run_report *report, int k)
{
    return k >= 0 && k < report->class_count ? report->classes[k] : "?";
}

/* Which verdict the sentence is about: the settled one; an undecided one explains itself. */
static void undecided(const vg_run_report *report, const vg_run_result *result, char *text,
                      size_t capacity)
{
    const vg_monitor *m = &result->monitor;
    (void)report;
    if (m->last != VG_VERDICT_UNDECIDED)
        snprintf(text, capacity,
                 "the last measurement says \"%s\", but two equal ones in a row are needed: train "
                 "for more epochs",
                 vg_verdict_name(m->last));
    else
        snprintf(text, capacity, "%s", m->reason[0] ? m->reason : "too little was measured");
}

/* The classes that occur and were not named once. */
static void never_named(const vg_run_report *report, const vg_diversity *d, char *text,
                        size_t capacity)
{
    bool *never = vg_calloc((size_t)d->classes, sizeof *never);
    text[0] = '\0';
    for (int k = 0; never && k < d->classes; k++)
        never[k] = d->label_share[k] > 0 && !(d->predicted_share[k] > 0);
    if (never)
        vg_run_class_list(report, never, 5, text, capacity);
    free(never);
}

void vg_run_verdict_reason(const vg_run_report *report, const vg_run_result *result, char *text,
                           size_t capacity)
{
    const vg_diversity *d = &result->final;
    char names[256];
    int present = 0, named = 0;
    for (int k = 0; k < d->classes; k++)
        present += d->label_share[k] > 0;
    double chance = present ? 1.0 / present : NAN;
    text[0] = '\0';
    switch (result->monitor.settled) {
    case VG_VERDICT_CONSTANT:
        snprintf(text, capacity,
                 "gives (almost) the same outputs for every input: they carry %.1f %% of the "
                 "information that the labels hold; \"%s\" is said to %.0f %% of inputs",
                 100 * fmax(d->input_information, 0), class_name(report, d->top_class),
                 100 * d->top_share);
        break;
    case VG_VERDICT_ONE_CLASS:
        snprintf(text, capacity, "says \"%s\" to %.0f %% of inputs; %.0f %% of them are \"%s\"",
                 class_name(report, d->top_class), 100 * d->top_share,
                 100 * d->label_share[d->top_class], class_name(report, d->top_class));
        break;
    case VG_VERDICT_PARTIAL:
        vg_run_class_list(report, d->missing, 5, names, sizeof names);
        if (d->missing_count > 0)
            snprintf(text, capacity, "(almost) never names %d of %d classes: %s", d->missing_count,
                     d->classes, names);
        else
            snprintf(text, capacity, "left classes out on the probe: %s", result->monitor.reason);
        break;
    case VG_VERDICT_DIVERSE_BUT_WRONG:
        snprintf(text, capacity,
                 "gives answers that differ from input to input, but are no better than guessing: "
                 "balanced "
                 "accuracy %.1f %% [%.1f, %.1f], chance %.1f %%",
                 100 * d->balanced_accuracy, 100 * d->balanced_low, 100 * d->balanced_high,
                 100 * chance);
        break;
    case VG_VERDICT_HEALTHY:
        for (int k = 0; k < d->classes; k++)
            named += d->label_share[k] > 0 && d->predicted_share[k] > 0;
        if (named == present) {
            snprintf(text, capacity, present == 2 ? "names both classes" : "names all %d classes",
                     present);
        } else {
            never_named(report, d, names, sizeof names);
            snprintf(text, capacity,
                     "names %d of %d classes; never %s, which %s too rare here to be sure", named,
                     present, names, present - named == 1 ? "is" : "are");
        }
        vg_text_append(text, capacity, "; balanced accuracy %.1f %% [%.1f, %.1f], chance %.1f %%",
                       100 * d->balanced_accuracy, 100 * d->balanced_low, 100 * d->balanced_high,
                       100 * chance);
        break;
    case VG_VERDICT_UNDECIDED:
        undecided(report, result, text, capacity);
        break;
    }
}

void vg_run_arm_words(const vg_comparison *comparison, const vg_arm *arm, char *text,
                      size_t capacity)
{
    int same = 0, seeds = comparison->seeds;
    for (int s = 0; s < seeds; s++)
        same += arm->verdicts[s] == arm->verdict;
    text[0] = '\0';
    if (same == seeds)
        return;
    snprintf(text, capacity, "in %d of %d trainings", same, seeds);
    if (arm->verdicts[0] != arm->verdict)
        vg_text_append(text, capacity, "; the first: %s", vg_run_verdict_word(arm->verdicts[0]));
}

void vg_run_verdict_detail(const vg_run_result *result, char *text, size_t capacity)
{
    const vg_monitor *m = &result->monitor;
    const vg_diversity *d = &result->final;
    bool bad = m->settled != VG_VERDICT_HEALTHY && m->settled != VG_VERDICT_UNDECIDED;
    text[0] = '\0';
    /* Before training every network is bad: one that recovered from that alone has no history. */
    bool tell = m->onset_step != UINT64_MAX && (bad || m->onset_step > 0);
    if (tell && m->onset_step > 0)
        vg_text_append(text, capacity, "; since step %" PRIu64, m->onset_step);
    else if (tell)
        vg_text_append(text, capacity, "; from the first step on");
    if (tell && m->recovery_step != UINT64_MAX)
        vg_text_append(text, capacity, ", recovered at step %" PRIu64, m->recovery_step);
    if (bad && d->collapsed_layer > 0 && d->collapsed_layer < d->layer_count)
        vg_text_append(text, capacity, "; inputs become equal in layer %s",
                       d->layers[d->collapsed_layer].name);
    else if (m->settled == VG_VERDICT_CONSTANT && d->layer_count)
        vg_text_append(
            text, capacity,
            "; yet no layer makes inputs equal: look at labels, loss and data before the layers");
    if (m->never_moved)
        vg_text_append(text, capacity,
                       "; the outputs never moved from where they stood before training");
    if (d->nonfinite_share > 0)
        vg_text_append(text, capacity, "; %.1f %% of the outputs are not finite numbers",
                       100 * d->nonfinite_share);
    if (text[0] == ';')
        memmove(text, text + 2, strlen(text + 2) + 1);
}

void vg_run_input_words(const vg_run_report *report, char *text, size_t capacity)
{
    const vg_run_result *r = report->result;
    const vg_job *job = report->job;
    snprintf(text, capacity, "%dx%dx%d", r->width, r->height, r->channels);
    if (job->run.framing.kind != VG_FRAMING_STRETCH) {
        char resize[40];
        vg_framing_print(&job->run.framing, resize, sizeof resize);
        vg_text_append(text, capacity, ", resize %s", resize);
    }
    if (job->split.background > VG_BACKGROUND_BLACK) {
        char background[VG_BACKGROUND_TEXT];
        vg_text_append(text, capacity, ", over %s",
                       vg_background_print(job->split.background, background));
    }
    vg_text_append(text, capacity, ", %s", vg_normalization_name(job->run.normalization));
    if (job->run.fit_on_some)
        vg_text_append(text, capacity, " of %llu training images",
                       (unsigned long long)job->run.normalizer.images);
    if (report->brings_splits)
        vg_text_append(text, capacity, ", split as the dataset brings it");
    else
        vg_text_append(text, capacity, ", split %.0f/%.0f/%.0f by %s",
                       100 * job->split.train_share, 100 * job->split.val_share,
                       100 * fmax(0, 1 - job->split.train_share - job->split.val_share),
                       vg_split_by_name(job->split.split_by));
}

void vg_run_best_words(const vg_run_report *report, char *text, size_t capacity)
{
    const vg_run_result *r = report->result;
    const vg_run_options *run = &report->job->run;
    vg_watch by = run->best_by;
    char measure[40];
    size_t used = 0;
    text[0] = '\0';
    if (by != VG_WATCH_NONE && r->best >= 1 && r->best < r->epoch_count) {
        bool share = by != VG_WATCH_LOSS && by != VG_WATCH_TRAIN_LOSS;
        const vg_epoch_record *best = &r->epochs[r->best], *last = &r->epochs[r->epoch_count - 1];
        snprintf(measure, sizeof measure, "%s", vg_watch_name(by));
        for (char *c = measure; *c; c++)
            *c = *c == '_' ? ' ' : *c;
        double factor = share ? 100 : 1;
        int length = snprintf(text, capacity, "epoch %d by %s: %.4g%s", best->epoch, measure,
                              factor * vg_watch_value(by, best), share ? " %" : "");
        used = length < 0 ? 0 : (size_t)length;
        if (best != last && used < capacity) {
            length = snprintf(text + used, capacity - used, " (the last, %d: %.4g%s)", last->epoch,
                              factor * vg_watch_value(by, last), share ? " %" : "");
            used += length < 0 ? 0 : (size_t)length;
        }
        if (report->folder && used < capacity) {
            length =
                snprintf(text + used, capacity - used, "   %s/best.safetensors", report->folder);
            used += length < 0 ? 0 : (size_t)length;
        }
    }
    if (r->ended && used < capacity)
        snprintf(text + used, capacity - used, "%sstopped early: no better %s for %d epochs",
                 used ? "; " : "", vg_watch_name(run->stop_by), run->stop_patience);
}
