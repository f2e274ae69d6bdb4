/* --evaluate: a checkpoint read back and measured on a dataset. */
#include "train_pipeline.h"

#include "report/escape.h"
#include "report/run.h"

#include <string.h>

static vg_status choose_split(const vg_train_session *s, vg_split *split, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(s->dataset), in_val = 0;
    for (size_t k = 0; k < classes; k++)
        in_val += s->counts[VG_SPLIT_VAL * classes + k];
    *split = in_val ? VG_SPLIT_VAL : VG_SPLIT_TEST;
    if (!s->request.split)
        return VG_OK;
    for (int i = 0; i < VG_SPLIT_COUNT; i++)
        if (strcmp(s->request.split, vg_split_name((vg_split)i)) == 0) {
            *split = (vg_split)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG, "--split: found \"%s\", allowed: train, val, test",
                   s->request.split);
}

int vg_train_evaluate(vg_train_session *s)
{
    vg_loader_options load = vg_run_loading(&s->job.run);
    vg_error err = {0};
    vg_diversity diversity = {0};
    vg_split split;
    int over = VG_BACKGROUND_UNSET;
    char background[VG_BACKGROUND_TEXT], asked[VG_BACKGROUND_TEXT];
    vg_status status = choose_split(s, &split, &err);
    if (!status)
        status = vg_evaluate(
            s->dataset, s->request.evaluate,
            &(vg_evaluate_options){
                .split = split, .load = &load, .views = s->job.run.test_views, .background = &over},
            &diversity, &err);
    vg_background_print(over, background);
    if (!status && over != vg_dataset_background(s->dataset))
        vg_cli_note(&s->cli, "transparent pixels are over %s, as %s was trained, not over %s",
                    background, s->request.evaluate,
                    vg_background_print(vg_dataset_background(s->dataset), asked));
    char reason[200] = "";
    vg_verdict verdict =
        status ? VG_VERDICT_UNDECIDED : vg_verdict_of(&diversity, reason, sizeof reason);
    if (!status && s->cli.json) {
        json_t *json = vg_run_diversity_json(&diversity, s->classes);
        if (json) {
            json_object_set_new(json, "tool", json_string("train-pipeline"));
            json_object_set_new(json, "version", json_string(VG_VERSION));
            json_object_set_new(json, "checkpoint", vg_json_text(s->request.evaluate));
            json_object_set_new(json, "dataset", vg_json_text(s->job.dataset));
            json_object_set_new(json, "split", json_string(vg_split_name(split)));
            json_object_set_new(json, "background", json_string(background));
            json_object_set_new(json, "verdict", json_string(vg_verdict_name(verdict)));
            json_object_set_new(json, "verdict_reason", vg_json_text(reason));
        }
        status = vg_train_print_json(json, &err);
        json_decref(json);
    } else if (!status) {
        vg_run_report facts = {.classes = s->classes, .class_count = diversity.classes};
        char count[32];
        vg_cli_pad(stdout, s->request.evaluate, vg_cli_columns(s->request.evaluate));
        fputs(" on ", stdout);
        vg_cli_pad(stdout, s->job.dataset, vg_cli_columns(s->job.dataset));
        printf(", %s images of split %s\nVERDICT   %s  ", vg_cli_count(count, diversity.samples),
               vg_split_name(split), vg_run_verdict_word(verdict));
        vg_cli_pad(stdout, reason, vg_cli_columns(reason));
        fputs("\n\n", stdout);
        vg_run_diversity_text(&diversity, &facts, stdout);
    }
    vg_diversity_reset(&diversity);
    if (!status)
        status = vg_cli_finish(stdout, &err);
    if (status)
        return vg_cli_fail(&s->cli, &err, status);
    return s->request.fail_on_collapse && vg_train_is_collapsed(verdict) ? VG_EXIT_FOUND
                                                                         : VG_EXIT_DONE;
}
