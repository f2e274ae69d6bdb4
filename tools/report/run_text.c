/* The report on a terminal: verdict first, then the table, then what it cost and where to go on.
 * Colours mark what the words say already. */
#include "report/run.h"

#include "check_report.h"
#include "cli.h"
#include "progress.h"
#include "report/effects.h"
#include "report/escape.h"

#include <inttypes.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INDENT = 10 };

typedef struct paint {
    const char *bold, *good, *bad, *dim, *off;
} paint;

static paint paint_of(bool colour)
{
    if (colour)
        return (paint){"\033[1m", "\033[1;32m", "\033[1;31m", "\033[2m", "\033[0m"};
    return (paint){"", "", "", "", ""};
}

static const char *tone(const paint *c, vg_verdict verdict)
{
    return verdict == VG_VERDICT_HEALTHY     ? c->good
           : verdict == VG_VERDICT_UNDECIDED ? c->bold
                                             : c->bad;
}

/* `verdict` is that of most trainings, as `trainings` says; the sentence is about `result`. */
static void verdict_line(const vg_run_report *report, const vg_run_result *result,
                         vg_verdict verdict, const char *trainings, const char *before, FILE *out,
                         int width, const paint *c)
{
    char reason[600], detail[600], all[1800];
    const char *word = vg_run_verdict_word(verdict);
    vg_run_verdict_reason(report, result, reason, sizeof reason);
    vg_run_verdict_detail(result, detail, sizeof detail);
    const char *warning = report->job ? vg_run_warning(&report->job->run) : NULL;
    snprintf(all, sizeof all, "%s%s%s%s%s%s%s", trainings, trainings[0] ? ": " : "", reason,
             detail[0] ? "; " : "", detail, warning ? "; note: " : "", warning ? warning : "");
    fprintf(out, "%s%s%s%s  ", before, tone(c, verdict), word, c->off);
    int at = vg_cli_columns(before) + vg_cli_columns(word) + 2;
    vg_cli_wrap(out, all, at, at < width - 40 ? at : INDENT, width);
}

/* ---- the table of changes */

static void changes_table(const vg_run_report *report, FILE *out, const paint *c)
{
    const vg_comparison *comparison = report->comparison;
    double labels = vg_run_effective_labels(&report->result->final);
    vg_effect_head(out, "change", 12, c->dim, c->off);
    for (int i = 0; i < comparison->change_count; i++)
        vg_effect_row(out, &comparison->effects[i], labels, 12, c->good, c->bad, c->off);
    if (comparison->change_count == 0)
        fputs("the job contains none of the changes that were asked for: nothing to compare\n",
              out);
    fprintf(out, "%s%*s%d paired seed%s, 95 %%, p Holm-corrected: * 0.05  ** 0.01  *** 0.001%s\n",
            c->dim, INDENT + 2, "", comparison->seeds, comparison->seeds == 1 ? "" : "s", c->off);
    int pairs = comparison->seeds < 60 ? comparison->seeds : 60;
    double least = ldexp(1, 1 - pairs) * comparison->change_count;
    if (comparison->change_count && comparison->seeds > 1 && least >= 0.05)
        fprintf(out, "%s%*s%d seeds cannot give a star (smallest p, corrected: %.2g)%s\n", c->dim,
                INDENT + 2, "", comparison->seeds, least < 1 ? least : 1, c->off);
}

/* ---- measures */

static void row(FILE *out, const char *name, const char *value, const char *meaning)
{
    fputs("  ", out);
    vg_cli_pad(out, name, 20);
    vg_cli_pad(out, value, 28);
    vg_cli_pad(out, meaning, vg_cli_columns(meaning));
    fputc('\n', out);
}

void vg_run_diversity_text(const vg_diversity *d, const vg_run_report *report, FILE *out)
{
    char text[256], low_text[160];
    if (isfinite(d->input_information)) /* not with a single class */
        snprintf(text, sizeof text, "%.3f [%.3f, %.3f]", d->input_information,
                 d->input_information_low, d->input_information_high);
    else
        snprintf(text, sizeof text, "not measurable");
    row(out, "input information", text, "do outputs depend on the input (0: not at all)");
    snprintf(text, sizeof text, "%.1f of %.1f", vg_run_effective_predicted(d),
             vg_run_effective_labels(d));
    row(out, "effective classes", text, "how many classes are really named");
    vg_run_class_list(report, d->missing, 3, low_text, sizeof low_text);
    snprintf(text, sizeof text, "%d", d->missing_count);
    row(out, "missing classes", text,
        d->missing_count ? low_text : "never named though they occur");
    if (isfinite(d->label_information))
        snprintf(text, sizeof text, "%.3f (p %.3f)", d->label_information, d->label_information_p);
    else
        snprintf(text, sizeof text, "not measurable");
    row(out, "label information", text, "is the diversity worth anything");
    if (isfinite(d->effective_rank)) {
        snprintf(text, sizeof text, "%.2f", d->effective_rank);
        row(out, "effective rank", text, "directions the features use, 1: as many as are needed");
    }
    snprintf(text, sizeof text, "%.1f %%", 100 * d->accuracy);
    row(out, "accuracy", text, "");
    snprintf(text, sizeof text, "%.1f %% [%.1f, %.1f]", 100 * d->balanced_accuracy,
             100 * d->balanced_low, 100 * d->balanced_high);
    row(out, "balanced accuracy", text, "mean over classes of the share recognized");
}

static void layers_line(const vg_diversity *d, FILE *out, int width)
{
    char text[4096] = "";
    for (int i = 0; i < d->layer_count; i++) {
        size_t used = strlen(text);
        snprintf(text + used, sizeof text - used, "%s%s\u00A0%.2g", i ? " " : "", d->layers[i].name,
                 d->layers[i].spread);
    }
    fputs("  layer spread        ", out);
    vg_cli_wrap(out, text, 22, 22, width);
}

static void measures(const vg_run_report *report, FILE *out, int width, const paint *c)
{
    const vg_run_result *r = report->result;
    char count[32];
    fprintf(out, "%smeasured on %s held-out images (%s)%s\n", c->dim,
            vg_cli_count(count, r->final.samples), vg_split_name(r->held_out), c->off);
    vg_run_diversity_text(&r->final, report, out);
    layers_line(&r->final, out, width);
    int worst = -1;
    for (int k = 0; k < r->final.classes; k++)
        if (isfinite(r->final.recall[k]) &&
            (worst < 0 || r->final.recall[k] < r->final.recall[worst]))
            worst = k;
    if (worst >= 0) {
        fputs("  hardest class       \"", out);
        vg_cli_pad(out, report->classes[worst], vg_cli_columns(report->classes[worst]));
        fprintf(out, "\": %.0f %% recognized\n", 100 * r->final.recall[worst]);
    }
}

/* ---- cost and files */

static void cost(const vg_run_report *report, FILE *out, int width)
{
    const vg_run_result *r = report->result;
    char time[24], count[32];
    double rate = 0, load = 0;
    int trained = 0;
    for (int i = 0; i < r->epoch_count; i++)
        if (r->epochs[i].epoch > 0) {
            rate += r->epochs[i].images_per_s;
            load += r->epochs[i].load_share;
            trained++;
        }
    if (report->comparison) {
        fprintf(out, "cost      %d trainings in %s",
                report->comparison->arm_count * report->comparison->seeds,
                vg_progress_time(time, report->comparison->seconds));
        for (int i = 0; i < report->comparison->change_count; i++)
            fprintf(out, "; %s %+.1f s", report->comparison->effects[i].name,
                    report->comparison->effects[i].seconds);
        fputs(" a training\n", out);
    } else {
        fprintf(out, "cost      %d epoch%s in %s", trained, trained == 1 ? "" : "s",
                vg_progress_time(time, r->seconds));
        if (trained)
            fprintf(out, ", %s images/s, limited by: %s (%.0f %% of the time waiting for data)",
                    vg_cli_count(count, (uint64_t)(rate / trained)), vg_run_stage_word(r->limit),
                    100 * load / trained);
        fputc('\n', out);
        char hint[160];
        vg_run_limit_hint(report, hint, sizeof hint);
        if (hint[0])
            fprintf(out, "%*sfaster: %s\n", INDENT, "", hint);
    }
    vg_run_files_text(report, out);
    char words[300];
    vg_run_best_words(report, words, sizeof words);
    if (words[0])
        fprintf(out, "best      %s\n", words);
    if (report->check && report->check->warning_count)
        vg_check_print(report->check, out, width);
}

void vg_run_report_text(const vg_run_report *report, FILE *out, int width, bool colour)
{
    paint c = paint_of(colour);
    const vg_comparison *comparison = report->comparison;
    if (width < 60)
        width = 60;
    if (comparison && comparison->arm_count > 1) {
        const vg_arm *without = comparison->arms, *with = without + comparison->arm_count - 1;
        char trainings[120];
        vg_run_arm_words(comparison, without, trainings, sizeof trainings);
        verdict_line(report, &without->example, without->verdict, trainings,
                     "VERDICT   without changes: ", out, width, &c);
        vg_run_arm_words(comparison, with, trainings, sizeof trainings);
        verdict_line(report, report->result, with->verdict, trainings,
                     "          with all changes: ", out, width, &c);
        fputc('\n', out);
        changes_table(report, out, &c);
    } else {
        verdict_line(report, report->result, report->result->monitor.settled, "", "VERDICT   ", out,
                     width, &c);
        if (comparison)
            changes_table(report, out, &c);
    }
    fputc('\n', out);
    measures(report, out, width, &c);
    fputc('\n', out);
    cost(report, out, width);
    if (report->folder) {
        char *word = vg_shell_word(report->folder);
        fprintf(out, "report    %s/report.html\nagain     train-pipeline --job %s/job.yaml\n",
                report->folder, word ? word : report->folder);
        free(word);
    }
}
