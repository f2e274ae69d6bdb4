/* --explain-speed: the first steps of a training, timed and told. Nothing is written. */
#include "train_pipeline.h"

#include "report/escape.h"
#include "report/speed_report.h"

int vg_train_explain_speed(vg_train_session *s)
{
    vg_error err = {0};
    vg_speed speed = {0};
    vg_speed_options how = vg_speed_options_default();
    vg_status status = vg_run_prepare(s->dataset, &s->job.run, &err);
    if (!status)
        status = vg_train_open_cache(s, &err);
    if (!status) {
        vg_progress line = vg_progress_start(s->cli.quiet || s->cli.json, false);
        if (line.terminal)
            vg_progress_show(&line, "measuring for about %.0f s", how.seconds);
        status = vg_speed_measure(s->dataset, &s->job.run, &how, NULL, &speed, &err);
        vg_progress_clear(&line);
    }
    if (!status && s->cli.json) {
        json_t *json = vg_speed_json(&speed, &s->job);
        if (json) {
            json_object_set_new(json, "tool", json_string("train-pipeline"));
            json_object_set_new(json, "version", json_string(VG_VERSION));
            json_object_set_new(json, "dataset", vg_json_text(s->job.dataset));
        }
        status = vg_train_print_json(json, &err);
        json_decref(json);
    } else if (!status) {
        vg_cli_pad(stdout, s->job.dataset, vg_cli_columns(s->job.dataset));
        fputs(":\n", stdout);
        vg_speed_text(&speed, &s->job, stdout, vg_cli_width(stdout, 80), vg_cli_colour(stdout));
    }
    if (!status)
        status = vg_cli_finish(stdout, &err);
    vg_speed_reset(&speed);
    return status ? vg_cli_fail(&s->cli, &err, status) : VG_EXIT_DONE;
}
