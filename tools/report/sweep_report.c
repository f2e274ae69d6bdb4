/* The report of a search: the winner and how sure that is, then one table of all trials. */
#include "report/sweep_report.h"

#include "cli.h"
#include "progress.h"
#include "report/escape.h"
#include "report/html.h"
#include "report/svg.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const char *objective_of(const vg_sweep *s)
{
    return vg_watch_name(s->job->sweep.objective);
}

static double mean_of(const vg_trial *t)
{
    double sum = 0;
    for (int i = 0; i < t->fresh_count; i++)
        sum += t->fresh[i];
    return t->fresh_count ? sum / t->fresh_count : NAN;
}

/* "learning_rate=0.01  optimizer=adam" */
static void settings(const vg_sweep *s, const vg_trial *t, char *text, size_t capacity)
{
    const vg_search_space *space = &s->job->sweep.space;
    size_t used = 0;
    text[0] = '\0';
    for (int i = 0; i < space->count && used < capacity; i++) {
        char value[VG_SEARCH_TEXT];
        vg_search_print(&space->keys[i], t->point.at[i], value, sizeof value);
        int length = snprintf(text + used, capacity - used, "%s%s=%s", i ? "  " : "",
                              space->keys[i].name, value);
        used += length > 0 ? (size_t)length : 0;
    }
}

void vg_sweep_words(const vg_sweep *s, char *text, size_t capacity)
{
    const vg_search_judgement *j = &s->judgement;
    if (!s->any) {
        snprintf(text, capacity, "no trial came to its end: there is no winner");
        return;
    }
    int used =
        snprintf(text, capacity, "trial %zu: %s %.4f", s->winner + 1, objective_of(s), j->mean);
    if (used < 0 || (size_t)used >= capacity)
        return;
    text += used;
    capacity -= (size_t)used;
    if (s->confirmed == 0)
        snprintf(text, capacity,
                 " with one seed, chosen as the best of %zu: too good, and nobody can tell its "
                 "lead from chance",
                 s->count);
    else if (j->second < 0)
        snprintf(text, capacity, " (mean of %d other seeds); no other was confirmed",
                 s->job->sweep.seeds);
    else if (isnan(j->margin))
        snprintf(text, capacity,
                 " with one other seed, %.4f ahead of trial %zu: that is no basis to tell it from "
                 "chance",
                 j->lead, s->order[j->second] + 1);
    else
        snprintf(text, capacity, " (mean of %d other seeds), %.4f ahead of trial %zu: %s (± %.4f)",
                 s->job->sweep.seeds, j->lead, s->order[j->second] + 1,
                 j->within_noise ? "within the noise of seeds" : "more than the noise of seeds",
                 j->margin);
}

void vg_sweep_text(const vg_sweep *s, const char *folder, FILE *out)
{
    char text[1200], time[24];
    vg_sweep_words(s, text, sizeof text);
    fprintf(out, "WINNER    %s\n\n%5s  %-7s  %-17s  %-12s  %-6s  %s\n", text, "trial", "end",
            objective_of(s), "other seeds", "time", "settings");
    for (size_t i = 0; i < s->count; i++) {
        const vg_trial *t = &s->trials[s->order[i]];
        char fresh[40] = "", value[40] = "";
        if (t->fresh_count)
            snprintf(fresh, sizeof fresh, "%.4f", mean_of(t));
        if (!isnan(t->value))
            snprintf(value, sizeof value, "%.4f", t->value);
        settings(s, t, text, sizeof text);
        fprintf(out, "%5zu  %-7s  %-17s  %-12s  %-6s  ", s->order[i] + 1, vg_trial_end_name(t->end),
                value, fresh, vg_progress_time(time, t->seconds));
        vg_cli_pad(out, text, vg_cli_columns(text));
        if (t->reason[0]) {
            fputs("  ", out);
            vg_cli_pad(out, t->reason, vg_cli_columns(t->reason));
        }
        fputc('\n', out);
    }
    char *word = vg_shell_word(folder);
    fprintf(out, "\nreport    %s/sweep.html\n", folder);
    if (s->any)
        fprintf(out, "again     train-pipeline --job %s/winner.yaml\n", word ? word : folder);
    free(word);
}

static bool put(json_t *o, const char *key, json_t *value)
{
    return value && json_object_set_new(o, key, value) == 0;
}

static json_t *trial_json(const vg_sweep *s, size_t number)
{
    const vg_trial *t = &s->trials[number];
    json_t *o = json_object(), *keys = json_object(), *fresh = json_array(), *curve = json_array();
    bool ok = put(o, "trial", json_integer((json_int_t)number + 1)) &&
              put(o, "end", json_string(vg_trial_end_name(t->end))) &&
              put(o, "value", vg_json_number(t->value)) &&
              put(o, "verdict", json_string(vg_verdict_name(t->verdict))) &&
              put(o, "seconds", vg_json_number(t->seconds)) &&
              put(o, "reason", t->reason[0] ? vg_json_text(t->reason) : json_null());
    for (int i = 0; i < s->job->sweep.space.count && ok; i++) {
        const vg_search_key *key = &s->job->sweep.space.keys[i];
        char value[VG_SEARCH_TEXT];
        vg_search_print(key, t->point.at[i], value, sizeof value);
        ok =
            put(keys, key->name,
                key->kind == VG_SEARCH_WORD ? vg_json_text(value) : vg_json_number(t->point.at[i]));
    }
    for (int i = 0; i < t->fresh_count && ok; i++)
        ok = json_array_append_new(fresh, vg_json_number(t->fresh[i])) == 0;
    for (int i = 0; i < t->epochs && ok; i++)
        ok = json_array_append_new(curve, vg_json_number(t->curve[i])) == 0;
    ok = put(o, "settings", keys) && put(o, "other_seeds", fresh) && put(o, "epochs", curve) && ok;
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

json_t *vg_sweep_json(const vg_sweep *s, const char *folder)
{
    char words[600];
    const vg_search_judgement *j = &s->judgement;
    json_t *o = json_object(), *trials = json_array();
    vg_sweep_words(s, words, sizeof words);
    bool ok = o && trials;
    for (size_t i = 0; i < s->count && ok; i++)
        ok = json_array_append_new(trials, trial_json(s, s->order[i])) == 0;
    ok = put(o, "trials", trials) && ok && put(o, "tool", json_string("train-pipeline")) &&
         put(o, "version", json_string(VG_VERSION)) && put(o, "folder", vg_json_text(folder)) &&
         put(o, "objective", json_string(objective_of(s))) &&
         put(o, "method", json_string(vg_search_method_name(s->job->sweep.method))) &&
         put(o, "give_up", json_string(vg_giving_up_name(s->job->sweep.give_up))) &&
         put(o, "winner", s->any ? json_integer((json_int_t)s->winner + 1) : json_null()) &&
         put(o, "winner_value", vg_json_number(j->mean)) &&
         put(o, "lead", vg_json_number(j->lead)) && put(o, "margin", vg_json_number(j->margin)) &&
         put(o, "within_noise", json_boolean(j->within_noise || s->confirmed == 0)) &&
         put(o, "words", vg_json_text(words)) && put(o, "seconds", vg_json_number(s->seconds));
    if (!ok) {
        json_decref(o);
        return NULL;
    }
    return o;
}

/* Trials in the order in which they were run, and the best of those that came to their end so far. */
static void chart(const vg_sweep *s, FILE *out)
{
    double *values = calloc(3 * (s->count + 1), sizeof *values);
    if (!values || s->count < 2) {
        free(values);
        return;
    }
    bool higher = vg_watch_higher(s->job->sweep.objective);
    double *best = values + s->count, *x = best + s->count, top = NAN;
    for (size_t i = 0; i < s->count; i++) {
        const vg_trial *t = &s->trials[i];
        values[i] = t->value;
        if (t->end == VG_TRIAL_DONE && !isnan(t->value) &&
            (isnan(top) || (higher ? t->value > top : t->value < top)))
            top = t->value;
        best[i] = top;
        x[i] = (double)i + 1;
    }
    const vg_svg_line lines[] = {{.name = "trial", .y = values},
                                 {.name = "best so far", .y = best}};
    const vg_svg_lines drawing = {.name = "objective by trial",
                                  .x_title = "trial",
                                  .y_title = objective_of(s),
                                  .x = x,
                                  .count = (int)s->count,
                                  .lines = lines,
                                  .line_count = 2,
                                  .width = 760};
    vg_html_figure_begin(out, "What each trial reached");
    vg_svg_lines_draw(out, &drawing);
    vg_html_figure_end(
        out, "Once the best so far rises no more, more trials of the same kind are worth little.");
    free(values);
}

static void table(const vg_sweep *s, FILE *out)
{
    const vg_search_space *space = &s->job->sweep.space;
    const char *heads[VG_SEARCH_KEYS + 6] = {">trial", "end", ">value", ">other seeds", ">time"};
    char time[24];
    for (int i = 0; i < space->count; i++)
        heads[5 + i] = space->keys[i].name;
    vg_html_table_begin(out, heads);
    for (size_t i = 0; i < s->count; i++) {
        const vg_trial *t = &s->trials[s->order[i]];
        vg_html_table_row(out);
        vg_html_number(out, "%zu", s->order[i] + 1);
        vg_html_cell(out, "%s%s%s", vg_trial_end_name(t->end), t->reason[0] ? ": " : "", t->reason);
        if (isnan(t->value))
            vg_html_number(out, "–");
        else
            vg_html_number(out, "%.4f", t->value);
        if (t->fresh_count)
            vg_html_number(out, "%.4f", mean_of(t));
        else
            vg_html_number(out, "–");
        vg_html_number(out, "%s", vg_progress_time(time, t->seconds));
        for (int k = 0; k < space->count; k++) {
            char value[VG_SEARCH_TEXT];
            vg_search_print(&space->keys[k], t->point.at[k], value, sizeof value);
            vg_html_cell(out, "%s", value);
        }
    }
    vg_html_table_end(out);
}

void vg_sweep_html(const vg_sweep *s, const char *folder, FILE *out)
{
    char line[400], words[600], time[24];
    snprintf(line, sizeof line, "%zu trials by %s, objective %s on held-out images; %s", s->count,
             vg_search_method_name(s->job->sweep.method), objective_of(s),
             vg_progress_time(time, s->seconds));
    vg_sweep_words(s, words, sizeof words);
    vg_html_begin(out, "Which settings are the best?", line);
    vg_html_verdict_begin(out,
                          !s->any                                      ? VG_TONE_BAD
                          : s->judgement.within_noise || !s->confirmed ? VG_TONE_UNSURE
                                                                       : VG_TONE_GOOD,
                          s->any ? "WINNER" : "NO WINNER");
    vg_html_verdict_line(out, "%s.", words);
    vg_html_verdict_end(out);
    chart(s, out);
    vg_html_section(out, "All trials");
    vg_html_paragraph(
        out,
        "The best first; those that were given up early were measured on the probe only. \"Other "
        "seeds\" is the mean over %d seeds that were not used to choose: the honest figure.",
        s->job->sweep.seeds);
    table(s, out);
    if (s->any) {
        char *word = vg_shell_word(folder);
        snprintf(line, sizeof line, "train-pipeline --job %.300s/winner.yaml",
                 word ? word : folder);
        free(word);
        vg_html_section(out, "How to train the winner");
        vg_html_code(out, line);
    }
    vg_html_end(out, "Variegate " VG_VERSION ".");
}
