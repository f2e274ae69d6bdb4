/* report.html of a training: the verdict in words, one picture that proves it, then what the
 * network saw and how it went. Every figure says in one sentence why it matters. */
#include "report/html.h"

#include "base/alloc.h"
#include "cli.h"
#include "progress.h"
#include "report/escape.h"
#include "report/run_html.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BARS_MOST = 30, BAD_FILES_MOST = 200, CONFUSION_NUMBERS = 20 };

/* ---- verdict */

static vg_tone tone_of(vg_verdict verdict)
{
    return verdict == VG_VERDICT_HEALTHY     ? VG_TONE_GOOD
           : verdict == VG_VERDICT_UNDECIDED ? VG_TONE_UNSURE
                                             : VG_TONE_BAD;
}

/* `verdict` is that of most trainings, as `trainings` says; the sentence is about `result`. */
static void verdict_box(const vg_run_report *report, const vg_run_result *result,
                        vg_verdict verdict, const char *trainings, const char *before, FILE *out)
{
    char reason[600], detail[600], word[160];
    vg_run_verdict_reason(report, result, reason, sizeof reason);
    vg_run_verdict_detail(result, detail, sizeof detail);
    snprintf(word, sizeof word, "%s%s%s%s", before, vg_run_verdict_word(verdict),
             trainings[0] ? " " : "", trainings);
    vg_html_verdict_begin(out, tone_of(verdict), word);
    vg_html_verdict_line(out, "%s%s.",
                         result->monitor.settled == VG_VERDICT_UNDECIDED ? "" : "The network ",
                         reason);
    if (detail[0])
        vg_html_verdict_line(out, "Also: %s.", detail);
    const char *warning = report->job ? vg_run_warning(&report->job->run) : NULL;
    if (warning)
        vg_html_verdict_line(out, "Note: %s.", warning);
    vg_html_verdict_end(out);
}

/* ---- predicted against true shares */

typedef struct ranked {
    int class_index;
    double weight;
} ranked;

static int by_weight(const void *a, const void *b)
{
    const ranked *x = a, *y = b;
    return (y->weight > x->weight) - (y->weight < x->weight);
}

static int by_class(const void *a, const void *b)
{
    return ((const ranked *)a)->class_index - ((const ranked *)b)->class_index;
}

void vg_run_html_shares(const vg_run_report *report, const vg_diversity *d, FILE *out)
{
    static const char *const series[] = {"predicted", "true"};
    size_t classes = (size_t)d->classes, rows = classes < BARS_MOST ? classes : BARS_MOST;
    ranked *order = vg_calloc(classes, sizeof *order);
    const char **labels = vg_calloc(rows, sizeof *labels);
    double *values = vg_calloc(rows, 2 * sizeof *values);
    bool *accused = vg_calloc(rows, sizeof *accused);
    if (order && labels && values && accused && d->predicted_share) {
        for (int k = 0; k < d->classes; k++)
            order[k] = (ranked){k, fabs(d->predicted_share[k] - d->label_share[k]) +
                                       1e-3 * d->label_share[k]};
        qsort(order, classes, sizeof *order, by_weight);
        qsort(order, rows, sizeof *order, by_class);
        for (size_t i = 0; i < rows; i++) {
            int k = order[i].class_index;
            labels[i] = report->classes[k];
            values[2 * i] = d->predicted_share[k];
            values[2 * i + 1] = d->label_share[k];
            accused[i] = d->missing[k] ||
                         (k == d->top_class && d->top_share >= 0.9 && d->top_label_share < 0.9);
        }
        vg_svg_bars_draw(out, &(vg_svg_bars){.name = "Predicted and true share of every class",
                                             .labels = labels,
                                             .series = series,
                                             .values = values,
                                             .accused = accused,
                                             .rows = (int)rows,
                                             .series_count = 2,
                                             .percent = true,
                                             .width = 500});
        if (rows < classes)
            vg_html_paragraph(out, "The %zu classes with the largest differences, of %zu.", rows,
                              classes);
    }
    free(order);
    free(labels);
    free(values);
    free(accused);
}

static void proof(const vg_run_report *report, FILE *out)
{
    static const char why[] =
        "a network that answers everything alike puts all of its answers into one bar; a network "
        "that looks at its input follows the true shares. A marked class is never named, or "
        "swallows "
        "the others.";
    const vg_comparison *c = report->comparison;
    char count[32], title[160];
    vg_cli_count(count, report->result->final.samples);
    if (c && c->arm_count > 1) {
        vg_html_row_begin(out);
        vg_html_figure_begin(out, "Before: what it answered without the changes");
        vg_run_html_shares(report, &c->arms[0].example.final, out);
        vg_html_figure_end(out, why);
        vg_html_figure_begin(out, "After: what it answers with all changes");
        vg_run_html_shares(report, &report->result->final, out);
        snprintf(title, sizeof title,
                 "both networks were asked about the same %s held-out images (%s); only the "
                 "treatment of the training data differs.",
                 count, vg_split_name(report->result->held_out));
        vg_html_figure_end(out, title);
        vg_html_row_end(out);
        return;
    }
    snprintf(title, sizeof title, "What it answered for %s held-out images (%s)", count,
             vg_split_name(report->result->held_out));
    vg_html_figure_begin(out, title);
    vg_run_html_shares(report, &report->result->final, out);
    vg_html_figure_end(out, why);
}

/* ---- measures */

static void measure_row(FILE *out, const char *name, const char *value, const char *says)
{
    vg_html_table_row(out);
    vg_html_cell(out, "%s", name);
    vg_html_number(out, "%s", value);
    vg_html_cell(out, "%s", says);
}

static void measures(const vg_run_report *report, FILE *out)
{
    static const char *const heads[] = {"measure", ">value", "what it says", NULL};
    const vg_diversity *d = &report->result->final;
    char text[400], names[300];
    vg_html_section(out, "Diversity in numbers");
    vg_html_table_begin(out, heads);
    if (isfinite(d->input_information)) /* not with a single class */
        snprintf(text, sizeof text, "%.3f [%.3f, %.3f]", d->input_information,
                 d->input_information_low, d->input_information_high);
    else
        snprintf(text, sizeof text, "not measurable");
    measure_row(out, "input information", text,
                "do the outputs depend on the input at all? 0: not; an untrained network has "
                "about 0.02");
    snprintf(text, sizeof text, "%.1f of %.1f", vg_run_effective_predicted(d),
             vg_run_effective_labels(d));
    measure_row(out, "effective classes", text, "how many classes are really named");
    snprintf(text, sizeof text, "%d", d->missing_count);
    vg_run_class_list(report, d->missing, 8, names, sizeof names);
    measure_row(out, "missing classes", text,
                d->missing_count ? names : "every class that occurs is named");
    if (isfinite(d->label_information))
        snprintf(text, sizeof text, "%.3f (p %.3f)", d->label_information, d->label_information_p);
    else
        snprintf(text, sizeof text, "not measurable");
    measure_row(out, "label information", text,
                "is the diversity worth anything? p: how often shuffled labels do as well");
    snprintf(text, sizeof text, isfinite(d->effective_rank) ? "%.2f" : "–", d->effective_rank);
    measure_row(out, "effective rank", text,
                d->classes > 2 ? "directions that the last features use, over classes − 1"
                               : "means nothing with two classes");
    snprintf(text, sizeof text, "%.1f %% [%.1f, %.1f]", 100 * d->balanced_accuracy,
             100 * d->balanced_low, 100 * d->balanced_high);
    measure_row(out, "balanced accuracy", text, "mean over the classes of the share recognized");
    snprintf(text, sizeof text, "%.1f %%", 100 * d->accuracy);
    measure_row(out, "accuracy", text, "share of images recognized");
    vg_html_table_end(out);
}

/* ---- over the epochs */

/* The series that the curves are drawn from, [SERIES][epochs]. */
enum {
    INFORMATION,
    INFORMATION_LOW,
    INFORMATION_HIGH,
    EFFECTIVE,
    LABEL,
    BALANCED,
    TRAIN_LOSS,
    LOSS,
    TRAIN_ACCURACY,
    ACCURACY,
    SERIES
};

static double *series_of(const vg_run_result *r)
{
    size_t n = (size_t)r->epoch_count;
    double *values = vg_calloc(n, SERIES * sizeof *values);
    for (size_t i = 0; i < n && values; i++) {
        const vg_epoch_record *e = &r->epochs[i];
        const vg_diversity *d = &e->diversity;
        const double row[SERIES] = {
            [INFORMATION] = d->input_information,
            [INFORMATION_LOW] = d->input_information_low,
            [INFORMATION_HIGH] = d->input_information_high,
            [EFFECTIVE] = d->effective_classes,
            [LABEL] = d->label_information,
            [BALANCED] = d->balanced_accuracy,
            [TRAIN_LOSS] = e->train_loss,
            [LOSS] = d->loss,
            [TRAIN_ACCURACY] = e->train_accuracy,
            [ACCURACY] = d->accuracy,
        };
        for (size_t s = 0; s < SERIES; s++)
            values[s * n + i] = row[s];
    }
    return values;
}

static void curves(const vg_run_report *report, FILE *out)
{
    const vg_run_result *r = report->result;
    size_t n = (size_t)r->epoch_count;
    double *v = series_of(r);
    if (!v)
        return;
    const vg_svg_line diversity[] = {
        {"input information", v + INFORMATION * n, v + INFORMATION_LOW * n,
         v + INFORMATION_HIGH * n},
        {"effective classes", v + EFFECTIVE * n, NULL, NULL},
        {"label information", v + LABEL * n, NULL, NULL},
        {"balanced accuracy", v + BALANCED * n, NULL, NULL},
    };
    const vg_svg_line loss[] = {{"training, as trained", v + TRAIN_LOSS * n, NULL, NULL},
                                {"held-out probe", v + LOSS * n, NULL, NULL}};
    const vg_svg_line accuracy[] = {{"training, as trained", v + TRAIN_ACCURACY * n, NULL, NULL},
                                    {"held-out probe", v + ACCURACY * n, NULL, NULL}};
    vg_svg_lines chart = {.x_title = "epoch (0: before the first step)", .count = (int)n};
    vg_html_section(out, "How it went");
    vg_html_figure_begin(out, "Diversity over the epochs");
    chart.name = "Diversity over the epochs";
    chart.lines = diversity;
    chart.line_count = 4;
    chart.low = 0;
    chart.high = 1;
    chart.width = 900;
    chart.height = 320;
    vg_svg_lines_draw(out, &chart);
    vg_html_figure_end(out, "a collapse shows here before the loss tells anything: input "
                            "information falls to 0 while the loss merely stands still.");
    chart.width = 0;
    chart.height = 0;
    vg_html_row_begin(out);
    vg_html_figure_begin(out, "Loss");
    chart.name = "Loss over the epochs";
    chart.lines = loss;
    chart.line_count = 2;
    chart.high = 0;
    vg_svg_lines_draw(out, &chart);
    vg_html_figure_end(out, "a held-out loss that rises while the training loss falls means "
                            "learning by heart.");
    vg_html_figure_begin(out, "Accuracy");
    chart.name = "Accuracy over the epochs";
    chart.lines = accuracy;
    chart.high = 1;
    chart.percent = true;
    vg_svg_lines_draw(out, &chart);
    vg_html_figure_end(out, "training accuracy counts augmented, rebalanced images, so that it may "
                            "stand below the held-out one.");
    vg_html_row_end(out);
    free(v);
}

/* ---- layers */

static bool same_layers(const vg_diversity *a, const vg_diversity *b)
{
    if (a->layer_count != b->layer_count)
        return false;
    for (int i = 0; i < a->layer_count; i++)
        if (strcmp(a->layers[i].name, b->layers[i].name) != 0)
            return false;
    return true;
}

static void layers(const vg_run_report *report, FILE *out)
{
    const vg_diversity *last = &report->result->final;
    const vg_diversity *first =
        report->result->epoch_count ? &report->result->epochs[0].diversity : NULL;
    const vg_comparison *c = report->comparison;
    const vg_diversity *without = c && c->arm_count > 1 ? &c->arms[0].example.final : NULL;
    const vg_diversity *sources[3] = {last, first, without};
    const char *const names[3] = {"after training", "before training",
                                  "after training without the changes"};
    size_t n = (size_t)last->layer_count;
    const char **words = vg_calloc(n, sizeof *words);
    double *values = vg_calloc(n, 3 * sizeof *values);
    vg_svg_line lines[3];
    int count = 0;
    if (n && words && values) {
        for (size_t i = 0; i < n; i++)
            words[i] = last->layers[i].name;
        for (int s = 0; s < 3; s++) {
            if (!sources[s] || !same_layers(last, sources[s]))
                continue;
            for (size_t i = 0; i < n; i++)
                values[(size_t)count * n + i] = sources[s]->layers[i].spread;
            lines[count] = (vg_svg_line){.name = names[s], .y = values + (size_t)count * n};
            count++;
        }
        vg_html_section(out, "Where inputs become equal");
        vg_html_figure_begin(out, "Spread of every layer's output over the images");
        vg_svg_lines_draw(out, &(vg_svg_lines){.name = "Layer spread",
                                               .words = words,
                                               .count = (int)n,
                                               .lines = lines,
                                               .line_count = count,
                                               .logarithmic = true,
                                               .width = 900,
                                               .height = 340});
        vg_html_figure_end(out,
                           "1 means that a layer answers every image differently, below 0.0001 all "
                           "images look the same to it: the first such layer is where a collapse "
                           "sits.");
    }
    free(words);
    free(values);
}

/* ---- confusion */

static void confusion(const vg_run_report *report, FILE *out)
{
    const vg_diversity *d = &report->result->final;
    size_t classes = (size_t)d->classes;
    double *values = vg_calloc(classes * classes, sizeof *values);
    char(*texts)[8] = vg_calloc(classes * classes, sizeof *texts);
    const char **cells = vg_calloc(classes * classes, sizeof *cells);
    if (classes && d->confusion && values && texts && cells) {
        for (size_t r = 0; r < classes; r++) {
            size_t total = 0;
            for (size_t c = 0; c < classes; c++)
                total += d->confusion[r * classes + c];
            for (size_t c = 0; c < classes; c++) {
                size_t at = r * classes + c;
                values[at] = total ? (double)d->confusion[at] / (double)total : 0;
                snprintf(texts[at], sizeof texts[at], "%.0f", 100 * values[at]);
                cells[at] = d->confusion[at] && classes <= CONFUSION_NUMBERS ? texts[at] : NULL;
            }
        }
        vg_html_section(out, "What is taken for what");
        vg_html_figure_begin(out,
                             "Confusion: of every true class, how many percent are called what");
        vg_svg_heat_draw(out, &(vg_svg_heat){.name = "Confusion matrix",
                                             .row_title = "true",
                                             .column_title = "called",
                                             .row_labels = report->classes,
                                             .column_labels = report->classes,
                                             .values = values,
                                             .cells = cells,
                                             .rows = d->classes,
                                             .columns = d->classes,
                                             .diagonal = true,
                                             .width = classes > 20 ? 900 : 640});
        vg_html_figure_end(out,
                           "a dark column is a class that swallows others; a dark field off the "
                           "diagonal is a pair to look at, in the pictures and in the labels.");
    }
    free(values);
    free(texts);
    free(cells);
}

/* ---- data, cost, configuration */

static void class_table(const vg_run_report *report, FILE *out)
{
    static const char *const heads[] = {"class", ">train", ">val", ">test", ">recognized", NULL};
    const vg_diversity *d = &report->result->final;
    vg_html_table_begin(out, heads);
    for (int k = 0; k < report->class_count; k++) {
        vg_html_table_row(out);
        vg_html_cell(out, "%s", report->classes[k]);
        for (int s = 0; s < VG_SPLIT_COUNT; s++)
            vg_html_number(out, "%zu", report->counts[s][k]);
        if (d->recall && isfinite(d->recall[k]))
            vg_html_number(out, "%.0f %%", 100 * d->recall[k]);
        else
            vg_html_number(out, "–");
    }
    vg_html_table_end(out);
}

static void data(const vg_run_report *report, FILE *out)
{
    const vg_run_result *r = report->result;
    char train[32], held_out[32], probe[32];
    vg_html_section(out, "Data");
    vg_html_paragraph(
        out,
        "%s: %s training images, %s held-out ones (%s), %s of them measured after every epoch. %s",
        report->dataset, vg_cli_count(train, r->train_samples),
        vg_cli_count(held_out, r->held_out_samples), vg_split_name(r->held_out),
        vg_cli_count(probe, r->probe_samples),
        report->brings_splits
            ? "The splits came with the data."
            : "The dataset brings no split: it was made from the images' names, so "
              "that adding images moves no other.");
    class_table(report, out);
    if (r->bad_samples == 0) {
        vg_html_paragraph(out, "Every image that was needed could be decoded.");
        return;
    }
    static const char *const heads[] = {"file", "what was done", "why", "at byte", "whole", NULL};
    char words[700];
    vg_run_files_words(report, words, sizeof words);
    vg_html_paragraph(out, "Files that could not be read as they should be: %s.", words);
    vg_html_table_begin(out, heads);
    for (size_t i = 0; i < r->bad_samples && i < BAD_FILES_MOST; i++) {
        vg_html_table_row(out);
        vg_html_cell(out, "%s", report->bad_names[i]);
        vg_html_cell(out, "%s", vg_bad_kind_name(r->bad[i].kind));
        vg_html_cell(out, "%s", vg_run_bad_reason(report, i));
        if (r->bad[i].offset == UINT64_MAX)
            vg_html_cell(out, "–");
        else
            vg_html_cell(out, "%llu", (unsigned long long)r->bad[i].offset);
        vg_html_cell(out, "%.0f %%", 100 * r->bad[i].intact);
    }
    vg_html_table_end(out);
    if (r->bad_samples > BAD_FILES_MOST)
        vg_html_paragraph(out, "and %zu more, listed in bad-files.tsv.",
                          r->bad_samples - BAD_FILES_MOST);
}

static void configuration(const vg_run_report *report, FILE *out)
{
    const vg_run_result *r = report->result;
    char time[24], input[200], again[700], parameters[32];
    vg_run_input_words(report, input, sizeof input);
    vg_html_section(out, "How to get this again");
    char *folder = vg_shell_word(report->folder ? report->folder : ".");
    snprintf(again, sizeof again, "train-pipeline --job %s/job.yaml", folder ? folder : ".");
    free(folder);
    vg_html_code(out, again);
    vg_html_paragraph(
        out,
        "Input %s; network %s with %s parameters, %.3g million multiply-adds an image; "
        "%s for this training. The whole effective job:",
        input, report->job->run.net.name, vg_cli_count(parameters, r->parameters),
        (double)r->macs / 1e6, vg_progress_time(time, r->seconds));
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return;
    vg_job_print(report->job, stream);
    if (fclose(stream) == 0)
        vg_html_code(out, text);
    free(text);
}

/* What was found before training. */
static void policy_check(const vg_run_report *report, FILE *out)
{
    const vg_check *c = report->check;
    if (!c)
        return;
    vg_html_section(out, "Augmentation, checked before training");
    if (!c->warning_count)
        vg_html_paragraph(out,
                          "Nothing was found in a quick check on %zu training images; augment "
                          "--check looks at more of them.",
                          c->pictures);
    for (int i = 0; i < c->finding_count; i++) {
        const vg_check_finding *f = &c->findings[i];
        vg_html_paragraph(out, "%s: %s.%s%s", f->kind == VG_CHECK_NOTE ? "Note" : "Warning",
                          f->text, f->remedy[0] ? " Instead: " : "", f->remedy);
    }
}

void vg_run_report_html(const vg_run_report *report, FILE *out)
{
    const vg_comparison *c = report->comparison;
    char title[300], line[400], count[32];
    size_t length = strlen(report->dataset);
    while (length > 1 && report->dataset[length - 1] == '/')
        length--;
    const char *base = report->dataset + length;
    while (base > report->dataset && base[-1] != '/')
        base--;
    snprintf(title, sizeof title, "%.*s: does the network look at its input?",
             (int)(report->dataset + length - base), base);
    snprintf(line, sizeof line,
             "%s training images, %d classes, network %s, %d epochs, seed %llu. %s",
             vg_cli_count(count, report->result->train_samples), report->class_count,
             report->job->run.net.name, report->job->run.epochs,
             (unsigned long long)report->job->run.seed, report->date ? report->date : "");
    vg_html_begin(out, title, line);
    if (c && c->arm_count > 1) {
        const vg_arm *without = c->arms, *with = without + c->arm_count - 1;
        char trainings[120];
        vg_run_arm_words(c, without, trainings, sizeof trainings);
        verdict_box(report, &without->example, without->verdict, trainings,
                    "Without changes: ", out);
        vg_run_arm_words(c, with, trainings, sizeof trainings);
        verdict_box(report, report->result, with->verdict, trainings, "With all changes: ", out);
    } else {
        verdict_box(report, report->result, report->result->monitor.settled, "", "", out);
    }
    proof(report, out);
    if (c)
        vg_run_html_comparison(report, out);
    measures(report, out);
    curves(report, out);
    layers(report, out);
    confusion(report, out);
    data(report, out);
    policy_check(report, out);
    configuration(report, out);
    vg_html_end(out, "Variegate " VG_VERSION
                     ". Measured on held-out images; brackets are 95 % intervals.");
}
