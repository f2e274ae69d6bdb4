/* The page's part about data changes: what each did, how sure that is, and every single training
 * behind it. */
#include "report/run_html.h"

#include "base/alloc.h"
#include "report/html.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { INFORMATION, EFFECTIVE, MISSING, LABEL, RANK, ACCURACY };

/* A measure for people: its name, and the factor that brings it to the unit shown. */
static const struct {
    const char *name;
    double factor;
} shown[VG_MEASURES] = {
    {"input information", 100}, {"effective classes", 100}, {"missing classes", 1},
    {"label information", 100}, {"effective rank", 1},      {"balanced accuracy", 100},
};

static void interval(char *text, size_t capacity, const vg_paired *p, double factor)
{
    if (isfinite(p->low) && isfinite(p->high))
        snprintf(text, capacity, "%+.1f [%.1f, %.1f]", factor * p->difference, factor * p->low,
                 factor * p->high);
    else
        snprintf(text, capacity, "%+.1f (one pair)", factor * p->difference);
}

static void summary(const vg_run_report *report, FILE *out)
{
    const vg_comparison *c = report->comparison;
    double labels = vg_run_effective_labels(&report->result->final);
    static const char *const heads[] = {"change",
                                        "verdict on it",
                                        ">input information",
                                        ">effective classes",
                                        ">balanced accuracy, points",
                                        ">p, corrected",
                                        ">seconds a training",
                                        NULL};
    vg_html_table_begin(out, heads);
    for (int i = 0; i < c->change_count; i++) {
        const vg_change_effect *e = &c->effects[i];
        const vg_paired *accuracy = &e->measures[ACCURACY];
        char text[80];
        interval(text, sizeof text, accuracy, 100);
        vg_html_table_row(out);
        vg_html_cell(out, "%s", e->name);
        vg_html_cell(out, "%s", e->word);
        vg_html_number(out, "%.2f → %.2f %s", e->before[INFORMATION], e->after[INFORMATION],
                       vg_run_stars(e->measures[INFORMATION].p_corrected));
        vg_html_number(out, "%.1f → %.1f %s", labels * e->before[EFFECTIVE],
                       labels * e->after[EFFECTIVE],
                       vg_run_stars(e->measures[EFFECTIVE].p_corrected));
        vg_html_number(out, "%s", text);
        vg_html_number(out, "%.3f %s", accuracy->p_corrected, vg_run_stars(accuracy->p_corrected));
        vg_html_number(out, "%+.1f", e->seconds);
    }
    vg_html_table_end(out);
    vg_html_paragraph(
        out,
        "Each change is judged by %d pair%s of trainings that differ in this change "
        "only: the same initial weights, the same order of images, the same held-out "
        "probe. Brackets are 95 %% intervals; p is exact and corrected for the number "
        "of changes (Holm); * below 0.05, ** below 0.01, *** below 0.001.",
        c->seeds, c->seeds == 1 ? "" : "s");
}

static void forest(const vg_run_report *report, FILE *out)
{
    static const int measures[] = {INFORMATION, EFFECTIVE, LABEL, ACCURACY};
    enum { PER_CHANGE = 5 };
    const vg_comparison *c = report->comparison;
    size_t rows = (size_t)c->change_count * PER_CHANGE;
    vg_svg_estimate *estimates = vg_calloc(rows, sizeof *estimates);
    char(*notes)[80] = vg_calloc(rows, sizeof *notes);
    if (estimates && notes) {
        for (size_t i = 0; i < rows; i++) {
            const vg_change_effect *e = &c->effects[i / PER_CHANGE];
            if (i % PER_CHANGE == 0) {
                estimates[i] = (vg_svg_estimate){.label = e->name, .heading = true};
                continue;
            }
            int m = measures[i % PER_CHANGE - 1];
            const vg_paired *p = &e->measures[m];
            interval(notes[i], sizeof notes[i], p, 100);
            estimates[i] = (vg_svg_estimate){.label = shown[m].name,
                                             .note = notes[i],
                                             .value = 100 * p->difference,
                                             .low = 100 * p->low,
                                             .high = 100 * p->high};
        }
        vg_html_figure_begin(out, "What each change did, with its uncertainty");
        vg_svg_forest_draw(out, &(vg_svg_forest){.name = "Differences with 95 % intervals",
                                                 .x_title = "difference in points of 100",
                                                 .rows = estimates,
                                                 .count = (int)rows,
                                                 .left = "less with the change",
                                                 .right = "more with the change",
                                                 .width = 900});
        vg_html_figure_end(out, "an interval that touches the line at zero means that these "
                                "trainings cannot tell whether the change did anything; a filled, "
                                "thick one stays clear of it.");
    }
    free(estimates);
    free(notes);
}

/* One line per training: the ladder of arms from left to right. */
static void ladder(const vg_run_report *report, int measure, const char *title, const char *why,
                   FILE *out)
{
    const vg_comparison *c = report->comparison;
    int lines_shown = c->seeds < VG_SVG_SERIES ? c->seeds : VG_SVG_SERIES;
    size_t arms = (size_t)c->arm_count;
    const char **words = vg_calloc(arms, sizeof *words);
    double *values = vg_calloc(arms * (size_t)lines_shown, sizeof *values);
    vg_svg_line lines[VG_SVG_SERIES] = {{0}};
    char names[VG_SVG_SERIES][24];
    if (words && values) {
        for (size_t a = 0; a < arms; a++) {
            words[a] = c->arms[a].name;
            for (int s = 0; s < lines_shown; s++)
                values[(size_t)s * arms + a] = c->arms[a].values[s * VG_MEASURES + measure];
        }
        for (int s = 0; s < lines_shown; s++) {
            snprintf(names[s], sizeof names[s], "seed %d", s + 1);
            lines[s] = (vg_svg_line){.name = names[s], .y = values + (size_t)s * arms};
        }
        char heading[120];
        snprintf(heading, sizeof heading, lines_shown < c->seeds ? "%s (the first %d seeds)" : "%s",
                 title, lines_shown);
        vg_html_figure_begin(out, heading);
        vg_svg_lines_draw(out, &(vg_svg_lines){.name = title,
                                               .words = words,
                                               .count = (int)arms,
                                               .lines = lines,
                                               .line_count = lines_shown,
                                               .low = 0,
                                               .high = 1,
                                               .percent = true,
                                               .height = 320});
        vg_html_figure_end(out, why);
    }
    free(words);
    free(values);
}

static void all_measures(const vg_run_report *report, FILE *out)
{
    static const char *const heads[] = {"change",      "measure",        ">before",       ">after",
                                        ">difference", ">95 % interval", ">p, corrected", NULL};
    const vg_comparison *c = report->comparison;
    vg_html_table_begin(out, heads);
    for (int i = 0; i < c->change_count; i++)
        for (int m = 0; m < VG_MEASURES; m++) {
            const vg_change_effect *e = &c->effects[i];
            const vg_paired *p = &e->measures[m];
            double f = shown[m].factor;
            char low[32] = "–", high[32] = "–";
            if (isfinite(p->low))
                snprintf(low, sizeof low, "%.2f", f * p->low);
            if (isfinite(p->high))
                snprintf(high, sizeof high, "%.2f", f * p->high);
            vg_html_table_row(out);
            vg_html_cell(out, "%s", m ? "" : e->name);
            vg_html_cell(out, "%s%s", shown[m].name, f == 100 ? ", points" : "");
            if (!isfinite(p->difference)) { /* the effective rank of two classes */
                vg_html_cell(out, "does not exist here");
                continue;
            }
            vg_html_number(out, "%.2f", f * e->before[m]);
            vg_html_number(out, "%.2f", f * e->after[m]);
            vg_html_number(out, "%+.2f", f * p->difference);
            vg_html_number(out, "%s … %s", low, high);
            vg_html_number(out, "%.3f", p->p_corrected);
        }
    vg_html_table_end(out);
}

void vg_run_html_comparison(const vg_run_report *report, FILE *out)
{
    vg_html_section(out, "What each data change did");
    if (report->comparison->change_count == 0) {
        vg_html_paragraph(out, "The job contains none of the changes that were asked for.");
        return;
    }
    summary(report, out);
    forest(report, out);
    vg_html_row_begin(out);
    ladder(report, INFORMATION, "Input information of every training",
           "lines that rise together mean that the effect does not hang on luck with one seed.",
           out);
    ladder(report, ACCURACY, "Balanced accuracy of every training",
           "diversity alone is not worth anything: it has to be right as well.", out);
    vg_html_row_end(out);
    vg_html_section(out, "All measures of all changes");
    all_measures(report, out);
}
