/* balance-report: what is skewed, broken or giving itself away in a dataset, and what to do first.
 *
 * Reads every file once (with --quick none), changes none. The text goes to stdout; progress and messages to stderr. */
#include "audit/against.h"
#include "audit/audit.h"
#include "base/clock.h"
#include "base/file.h"
#include "base/threads.h"
#include "cli.h"
#include "fix_files.h"
#include "label_search.h"
#include "measure.h"
#include "progress.h"
#include "report/audit.h"
#include "report/balance_plan.h"
#include "report/escape.h"
#include "report/sample_table.h"
#include "report_options.h"

#include <stdlib.h>

/* A dataset that was looked at. */
typedef struct subject {
    vg_dataset *dataset;
    vg_audit audit;
} subject;

/* Everything that is reported on. */
typedef struct subjects {
    vg_dataset_options open;
    subject here, other; /* other: of --against */
    vg_against against;
    vg_label_search labels; /* of --label-errors */
} subjects;

/* The audit calls this now and then from the thread that started it. */
static void show_progress(void *context, size_t done, size_t total)
{
    vg_progress *progress = context;
    char now[32], all[32];
    if (done < total && progress->json && vg_progress_due(progress))
        vg_progress_show(progress, "{\"event\":\"progress\",\"images\":%zu,\"of\":%zu}", done,
                         total);
    else if (done < total && vg_progress_due(progress))
        vg_progress_show(progress, "%s of %s images", vg_cli_count(now, done),
                         vg_cli_count(all, total));
    if (done >= total)
        vg_progress_clear(progress);
}

static vg_status put_list(const vg_cli *cli, const vg_report_options *o, const vg_dataset *dataset,
                          const vg_audit *audit, const vg_label_search *labels, vg_error *err)
{
    size_t listed = 0;
    vg_status status = VG_OK;
    if (o->list_mark && o->mark == VG_MARK_LABEL_ERROR) {
        vg_label_search_list(stdout, cli, dataset, labels);
        return VG_OK;
    }
    if (o->list_files) {
        vg_audit_text_files(stdout, dataset, audit);
        if (audit->broken_count + audit->noted_count == 0)
            vg_cli_note(cli, "every file is readable, there is nothing to list");
        return VG_OK;
    }
    status = vg_audit_list(stdout, dataset, audit, o->mark, &listed, err);
    if (!status && listed == 0)
        vg_cli_note(cli, "no sample is marked as %s (%s)", vg_mark_name(o->mark),
                    vg_mark_words(o->mark));
    return status;
}

static vg_status put_forms(const vg_cli *cli, const vg_report_options *o, const vg_dataset *dataset,
                           const vg_audit *audit, const vg_findings *findings, vg_error *err)
{
    bool report = !cli->json && !o->list_files && !o->list_mark;
    vg_status status = VG_OK;
    if (o->plan)
        status = vg_balance_plan_write(o->plan, findings->plan, dataset, err);
    if (!status && o->html)
        status = vg_audit_html(o->html, dataset, audit, findings, err);
    if (!status && o->csv)
        status = vg_audit_csv_file(o->csv, dataset, audit, err);
    if (status)
        return status;
    if (cli->json)
        status = vg_audit_json(stdout, dataset, audit, findings, o->fail_on_error, err);
    else if (!report)
        status = put_list(cli, o, dataset, audit, findings->labels, err);
    else
        vg_audit_text(stdout, dataset, audit, findings, vg_cli_width(stdout, 100),
                      vg_cli_colour(stdout));
    if (report && o->html)
        printf("report     %s\n", o->html);
    if (report && o->csv)
        printf("table      %s\n", o->csv);
    return status;
}

/* The conditions that hold, on stderr also where stdout has another form of the report. */
static void tell_conditions(const vg_cli *cli, const vg_conditions *conditions)
{
    for (size_t i = 0; i < conditions->count; i++) {
        char words[200];
        vg_condition_words(&conditions->list[i], words, sizeof words);
        if (conditions->list[i].holds)
            vg_cli_error(cli, "--fail-on %s", words);
    }
}

static vg_status measure(const vg_cli *cli, const vg_report_options *o,
                         const vg_dataset_options *open, const vg_dataset *dataset,
                         const vg_audit *audit, const vg_findings *findings, vg_measured *measured,
                         vg_error *err)
{
    vg_measure_options how = {.minutes = o->measure,
                              .seed = cli->seed_given ? cli->seed : 1,
                              .threads = cli->threads,
                              .open = open,
                              .quiet = cli->quiet,
                              .json = cli->json};
    return vg_measure(dataset, audit, findings, &how, measured, err);
}

static vg_status put_results(const vg_cli *cli, vg_report_options *o, const subjects *s,
                             vg_error *err)
{
    const vg_dataset *dataset = s->here.dataset;
    const vg_audit *audit = &s->here.audit;
    vg_findings findings;
    vg_measured measured = {0};
    vg_status status = vg_findings_make(dataset, audit, &findings, err);
    if (status)
        return status;
    if (o->against) {
        findings.against = &s->against;
        findings.other = s->other.dataset;
    }
    if (o->label_errors)
        vg_findings_take_labels(&findings, dataset, &s->labels);
    if (o->measure > 0)
        status = measure(cli, o, &s->open, dataset, audit, &findings, &measured, err);
    if (!status) {
        if (o->measure > 0)
            findings.measured = &measured;
        vg_conditions_judge(&o->conditions, audit, &findings);
        findings.conditions = &o->conditions;
        findings.plan_file = o->plan;
        status = put_forms(cli, o, dataset, audit, &findings, err);
    }
    vg_findings_reset(&findings);
    vg_measured_reset(&measured);
    if (!status)
        status = vg_cli_finish(stdout, err);
    if (!status)
        tell_conditions(cli, &o->conditions);
    return status;
}

/* After the report: the cleaned list. */
static vg_status put_fix(const vg_cli *cli, const vg_report_options *o, const vg_dataset *dataset,
                         const vg_audit *audit, vg_error *err)
{
    vg_fix_choice choice = o->fix_some ? o->fix_choice : vg_fix_choice_default();
    vg_fix fix;
    char words[600];
    vg_status status = vg_fix_plan(dataset, audit, &choice, &fix, err);
    if (status)
        return status;
    status = vg_fix_write(o->fix, dataset, &choice, &fix, err);
    vg_fix_words(&fix, words, sizeof words);
    vg_fix_reset(&fix);
    if (status)
        return status;
    char *manifest = vg_path_join(o->fix, "manifest.csv");
    char *shown = manifest ? vg_shell_word(manifest) : NULL;
    free(manifest);
    if (!shown)
        return vg_fail(err, VG_E_NOMEM, "out of memory");
    if (cli->json || o->list_files || o->list_mark) {
        vg_cli_note(cli, "%s: %s", shown, words);
    } else {
        printf("fixed      ");
        vg_cli_wrap(stdout, words, 11, 11, vg_cli_width(stdout, 100));
        printf("           train-pipeline %s\n", shown);
    }
    free(shown);
    return vg_cli_finish(stdout, err);
}

static vg_status look(const vg_cli *cli, const vg_report_options *o, const vg_dataset_options *open,
                      const char *path, subject *s, vg_error *err)
{
    double start = vg_clock();
    vg_status status = vg_dataset_open(path, open, &s->dataset, err);
    if (status)
        return status;
    vg_progress progress = vg_progress_start(cli->quiet, cli->json);
    if (o->quick) {
        status = vg_audit_labels(s->dataset, &s->audit, err);
        s->audit.seconds = vg_clock() - start; /* listing the files is the work here */
        return status;
    }
    vg_audit_options how = {.threads = cli->threads > 0 ? cli->threads : vg_threads_available(),
                            .fail = o->fail_on_error,
                            .keep_prints = o->against != NULL,
                            .progress = show_progress,
                            .context = &progress};
    return vg_audit_run(s->dataset, &how, &s->audit, err);
}

static int run(const vg_cli *cli, vg_report_options *o)
{
    vg_error err = {0};
    subjects s = {.open = vg_dataset_options_default()};
    s.open.threads = cli->threads;
    s.open.background = o->background;
    s.open.counts_only = o->quick;
    s.open.split_by = o->split_by;
    vg_status status = o->fix ? vg_fix_check_folder(o->fix, cli->operands[0], &err) : VG_OK;
    if (!status)
        status = look(cli, o, &s.open, cli->operands[0], &s.here, &err);
    if (!status && o->against)
        status = look(cli, o, &s.open, o->against, &s.other, &err);
    if (!status && o->against)
        status = vg_against_make(s.here.dataset, &s.here.audit, s.other.dataset, &s.other.audit,
                                 cli->threads, &s.against, &err);
    if (!status && o->label_errors)
        status = vg_label_search_run(cli, s.here.dataset, &s.here.audit, &s.labels, &err);
    if (!status)
        status = put_results(cli, o, &s, &err);
    if (!status && o->fix)
        status = put_fix(cli, o, s.here.dataset, &s.here.audit, &err);
    if (status)
        vg_cli_fail(cli, &err, status);
    vg_label_search_reset(&s.labels);
    vg_against_reset(&s.against);
    vg_audit_reset(&s.here.audit);
    vg_audit_reset(&s.other.audit);
    vg_dataset_close(s.here.dataset);
    vg_dataset_close(s.other.dataset);
    if (status)
        return VG_EXIT_FAILED;
    for (size_t i = 0; i < o->conditions.count; i++)
        if (o->conditions.list[i].holds)
            return VG_EXIT_FOUND;
    return VG_EXIT_DONE;
}

int main(int argc, char **argv)
{
    vg_report_options options = {0};
    vg_cli cli;
    int end = vg_cli_parse(vg_report_spec(), argc, argv, &options, &cli);
    if (end < 0)
        end = vg_report_options_check(&options, &cli);
    if (end < 0 && (options.measure > 0 || options.label_errors)) /* nothing else trains */
        vg_cli_fast_blas(argv);
    if (end < 0)
        end = run(&cli, &options);
    vg_report_options_reset(&options);
    return end;
}
