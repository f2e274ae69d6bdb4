/* train-pipeline: scan, augment, normalize, rebalance, train, and report what the network answers
 * and what each data change did to it. The parts stand in train_*.c; what is worth a test lives in
 * job, run_folder and report/. */
#include "train_pipeline.h"

#include <stdlib.h>
#include <unistd.h>

void vg_train_session_reset(vg_train_session *s)
{
    for (int i = 0; i < s->request.set_count; i++)
        free(s->request.sets[i]);
    for (size_t i = 0; s->bad_names && i < s->result.bad_samples; i++)
        free(s->bad_names[i]);
    free(s->bad_names);
    if (s->compared) {
        vg_comparison_reset(&s->comparison); /* holds s->result */
    } else {
        vg_run_result_reset(&s->result);
    }
    free(s->counts);
    free(s->classes);
    free(s->folder);
    free(s->checkpoint);
    free(s->best);
    free(s->state);
    free(s->keep);
    free(s->identity);
    vg_check_reset(&s->check);
    vg_cache_close(s->cache);
    vg_dataset_close(s->dataset);
    vg_job_reset(&s->job);
    if (s->hold >= 0)
        close(s->hold);
}

int main(int argc, char **argv)
{
    vg_cli_fast_blas(argv);
    vg_train_session s = {.hold = -1};
    vg_error err = {0};
    int end = vg_cli_parse(&vg_train_spec, argc, argv, &s.request, &s.cli);
    if (end < 0 && s.request.keys) {
        vg_job_print_keys(stdout);
        vg_status status = vg_cli_finish(stdout, &err);
        end = status ? vg_cli_fail(&s.cli, &err, status) : VG_EXIT_DONE;
    }
    if (end < 0) {
        vg_status status = vg_train_read_job(&s, &err);
        if (status == VG_E_ARG) {
            end = vg_cli_usage(&s.cli, "%s", err.message);
        } else {
            if (!status)
                status = vg_train_open_dataset(&s, &err);
            end = status                    ? vg_cli_fail(&s.cli, &err, status)
                  : s.request.evaluate      ? vg_train_evaluate(&s)
                  : s.request.explain_speed ? vg_train_explain_speed(&s)
                  : s.request.lr_range      ? vg_train_lr_range(&s)
                                            : vg_train_run(&s);
        }
    }
    vg_train_session_reset(&s);
    return end;
}
