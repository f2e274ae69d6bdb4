/* --lr-range: the learning rate raised from step to step, and the rate that this suggests. */
#include "train_pipeline.h"

#include "base/alloc.h"
#include "base/file.h"
#include "report/escape.h"
#include "report/html.h"
#include "report/svg.h"
#include "study/lr_range.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static bool on_batch(void *context, const vg_run_moment *moment)
{
    vg_train_session *s = context;
    vg_run_progress_batch(&s->progress, moment);
    return vg_train_stop_asked();
}

/* "LOW:HIGH"; NULL keeps the default. */
static vg_status read_range(const char *text, vg_lr_range_options *how, vg_error *err)
{
    char *end, *last;
    if (!*text)
        return VG_OK;
    how->low = strtod(text, &end);
    how->high = *end == ':' ? strtod(end + 1, &last) : NAN;
    if (*end != ':' || *last || !(how->low > 0 && how->low < how->high && isfinite(how->high)))
        return vg_fail(err, VG_E_ARG, "--lr-range: found \"%s\", allowed: LOW:HIGH, as 1e-6:10",
                       text);
    return VG_OK;
}

static json_t *to_json(const vg_train_session *s, const vg_lr_range *r)
{
    json_t *points = json_array();
    for (int i = 0; i < r->count && points; i++)
        json_array_append_new(points, json_pack("[o, o, o]", vg_json_number(r->points[i].rate),
                                                vg_json_number(r->points[i].loss),
                                                vg_json_number(r->points[i].smooth)));
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:b, s:o}", "tool", "train-pipeline",
                     "version", VG_VERSION, "dataset", vg_json_text(s->job.dataset), "suggested",
                     vg_json_number(r->suggested), "lowest", vg_json_number(r->lowest), "steepest",
                     vg_json_number(r->steepest), "ran_away", r->ran_away, "points", points);
}

static void words(const vg_lr_range *r, char *text, size_t capacity)
{
    if (isnan(r->suggested))
        snprintf(text, capacity,
                 "no rate suggested: the loss did not fall by 2 %% anywhere between %.2g and %.2g",
                 r->points[0].rate, r->points[r->count - 1].rate);
    else
        snprintf(text, capacity,
                 "learning_rate=%.2g: a tenth of %.2g, where the smoothed loss is lowest (it falls "
                 "fastest at %.2g%s)",
                 r->suggested, r->lowest, r->steepest, r->ran_away ? ", and runs away later" : "");
}

static void page(const vg_lr_range *r, const char *sentence, FILE *out)
{
    size_t n = (size_t)r->count;
    double *values = vg_calloc(n, 3 * sizeof *values);
    vg_html_begin(
        out, "Which learning rate?",
        "The first steps of the training, with a rate that grows by the same factor each step.");
    vg_html_verdict_begin(out, isnan(r->suggested) ? VG_TONE_UNSURE : VG_TONE_GOOD, "SUGGESTED");
    vg_html_verdict_line(out, "%s.", sentence);
    vg_html_verdict_end(out);
    for (size_t i = 0; values && i < n; i++) {
        values[i] = log10(r->points[i].rate);
        values[n + i] = r->points[i].smooth;
        values[2 * n + i] = r->points[i].loss;
    }
    if (values) {
        const vg_svg_line lines[] = {{.name = "smoothed", .y = values + n},
                                     {.name = "batch", .y = values + 2 * n}};
        const vg_svg_lines chart = {.name = "loss by learning rate",
                                    .x_title = "learning rate, power of ten",
                                    .y_title = "training loss",
                                    .x = values,
                                    .count = r->count,
                                    .lines = lines,
                                    .line_count = 2,
                                    .width = 760};
        vg_html_figure_begin(out, "Loss while the rate grows");
        vg_svg_lines_draw(out, &chart);
        vg_html_figure_end(
            out,
            "Left of the fall nothing is learned, right of the lowest point steps are too long.");
    }
    free(values);
    vg_html_end(out, "Variegate " VG_VERSION ". Smith, WACV 2017.");
}

static vg_status tell(vg_train_session *s, const vg_lr_range *r, vg_error *err)
{
    char sentence[300];
    vg_atomic_file file = {0};
    words(r, sentence, sizeof sentence);
    vg_status status = vg_train_take_folder(s, err);
    char *path = status ? NULL : vg_path_join(s->folder, "lr-range.html");
    if (!status)
        status =
            path ? vg_atomic_open(path, &file, err) : vg_fail(err, VG_E_NOMEM, "out of memory");
    if (!status) {
        page(r, sentence, file.stream);
        status = vg_atomic_commit(&file, err);
    }
    if (!status && s->cli.json) {
        json_t *json = to_json(s, r);
        status = vg_train_print_json(json, err);
        json_decref(json);
    } else if (!status) {
        printf("SUGGESTED %s\n\n%12s  %10s  %10s\n", sentence, "rate", "loss", "smoothed");
        for (int i = 0; i < r->count; i += r->count / 20 + 1)
            printf("%12.3g  %10.4f  %10.4f\n", r->points[i].rate, r->points[i].loss,
                   r->points[i].smooth);
        printf("\nreport    %s\n", path);
    }
    free(path);
    return status ? status : vg_cli_finish(stdout, err);
}

int vg_train_lr_range(vg_train_session *s)
{
    vg_error err = {0};
    vg_lr_range range = {0};
    vg_lr_range_options how = vg_lr_range_options_default();
    vg_run_events events = {.context = s, .batch = on_batch};
    vg_status status = read_range(s->request.lr_range, &how, &err);
    if (status)
        return vg_cli_usage(&s->cli, "%s", err.message);
    status = vg_train_open_cache(s, &err);
    s->progress = vg_run_progress_start(s->cli.quiet, s->cli.json);
    s->progress.epochs = s->job.run.epochs;
    s->progress.classes = vg_dataset_classes(s->dataset);
    vg_train_catch_signals();
    if (!status)
        status = vg_lr_range_measure(s->dataset, &s->job.run, &how, &events, &range, &err);
    vg_progress_clear(&s->progress.line);
    vg_train_settle_cache(s);
    if (!status)
        status = tell(s, &range, &err);
    vg_lr_range_reset(&range);
    return status ? vg_cli_fail(&s->cli, &err, status) : VG_EXIT_DONE;
}
