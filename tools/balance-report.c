/* balance-report: what is skewed, broken or giving itself away in a dataset, and what to do first.
 *
 * Reads every file once (with --quick none), changes none. The text goes to stdout; progress and messages to stderr. */
#include "audit/audit.h"
#include "base/text.h"
#include "base/threads.h"
#include "cli.h"
#include "measure.h"
#include "progress.h"
#include "report/audit.h"

#include <string.h>

typedef struct choices {
    const char *html;
    bool fail_on_error;
    bool list_files;
    bool quick;
    int background;
    double measure; /* minutes; 0: not */
} choices;

enum { OPTION_HTML, OPTION_ON_ERROR, OPTION_LIST, OPTION_QUICK, OPTION_BACKGROUND, OPTION_MEASURE };

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    choices *c = context;
    switch (id) {
    case OPTION_HTML:
        c->html = value;
        break;
    case OPTION_ON_ERROR:
        if (strcmp(value, "fail") != 0 && strcmp(value, "skip") != 0)
            return vg_fail(err, VG_E_ARG, "--on-error: found \"%s\", expected skip or fail", value);
        c->fail_on_error = strcmp(value, "fail") == 0;
        break;
    case OPTION_LIST:
        if (strcmp(value, "files") != 0)
            return vg_fail(err, VG_E_ARG, "--list: found \"%s\", expected files", value);
        c->list_files = true;
        break;
    case OPTION_QUICK:
        c->quick = true;
        break;
    case OPTION_BACKGROUND:
        return vg_cli_background(value, &c->background, err);
    case OPTION_MEASURE:
        c->measure = 5;
        if (value && !(vg_text_number(value, &c->measure) && c->measure > 0 && c->measure <= 1e5))
            return vg_fail(err, VG_E_ARG, "--measure: found \"%s\", expected minutes above 0",
                           value);
        break;
    default:
        break;
    }
    return VG_OK;
}

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

static vg_status put_results(const vg_cli *cli, const choices *c, const vg_dataset_options *open,
                             const vg_dataset *dataset, const vg_audit *audit, vg_error *err)
{
    vg_findings findings;
    vg_measured measured = {0};
    vg_status status = vg_findings_make(dataset, audit, &findings, err);
    if (status)
        return status;
    if (c->measure > 0) {
        vg_measure_options how = {.minutes = c->measure,
                                  .seed = cli->seed_given ? cli->seed : 1,
                                  .threads = cli->threads,
                                  .open = open,
                                  .quiet = cli->quiet,
                                  .json = cli->json};
        status = vg_measure(dataset, audit, &findings, &how, &measured, err);
        if (status) {
            vg_findings_reset(&findings);
            return status;
        }
        findings.measured = &measured;
    }
    if (c->html)
        status = vg_audit_html(c->html, dataset, audit, &findings, err);
    if (!status && cli->json)
        status = vg_audit_json(stdout, dataset, audit, &findings, c->fail_on_error, err);
    else if (!status && c->list_files) {
        vg_audit_text_files(stdout, dataset, audit);
        if (audit->broken_count + audit->noted_count == 0)
            vg_cli_note(cli, "every file is readable, there is nothing to list");
    } else if (!status)
        vg_audit_text(stdout, dataset, audit, &findings, vg_cli_width(stdout, 100),
                      vg_cli_colour(stdout));
    if (!status && c->html && !cli->json && !c->list_files)
        printf("report     %s\n", c->html);
    vg_findings_reset(&findings);
    vg_measured_reset(&measured);
    return status ? status : vg_cli_finish(stdout, err);
}

int main(int argc, char **argv)
{
    vg_cli_fast_blas(argv);
    static const vg_cli_option options[] = {
        {"html", "FILE", "also write the report as a page in one file", OPTION_HTML},
        {"list", "files", "instead of the report: every broken or odd file with its reason",
         OPTION_LIST},
        {"on-error", "WHAT",
         "skip: count files that cannot be decoded; fail: end with the first (skip)",
         OPTION_ON_ERROR},
        {"background", "COLOUR", "behind transparent pixels: black, grey, white, #rrggbb (black)",
         OPTION_BACKGROUND},
        {"measure", "[MINUTES]",
         "also train with and without each finding: what it costs, in about so many minutes (5)",
         OPTION_MEASURE},
        {"quick", NULL, "labels and counts alone: no picture is opened", OPTION_QUICK},
    };
    static const vg_cli_spec spec = {
        .tool = "balance-report",
        .what =
            "tells what is skewed, broken or giving itself away in a dataset, and what to do first",
        .usage = "DATASET [--json] [--html FILE] [--list files] [--quick] [options]",
        .footer =
            "DATASET is a folder of class folders (with or without train/val/test above them),\n"
            "the same in a .tar or .zip, a manifest (CSV, TSV, JSON lines), WebDataset shards\n"
            "('train-{000..099}.tar'), or a folder of IDX or CIFAR files: docs/datasets.md.\n\n"
            "  balance-report pets/\n"
            "  balance-report pets/ --html pets.html\n"
            "  balance-report pets/ --json | jq .imbalance_ratio\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .max_operands = 1,
        .take = take,
    };
    choices c = {0};
    vg_cli cli;
    int end = vg_cli_parse(&spec, argc, argv, &c, &cli);
    if (end >= 0)
        return end;
    if (cli.operand_count < 1)
        return vg_cli_usage(&cli, "which DATASET?");
    if (cli.json && c.list_files)
        return vg_cli_usage(&cli, "--list files and --json exclude each other; JSON has the list");

    if (c.quick && (c.html || c.list_files || c.fail_on_error || c.measure > 0))
        return vg_cli_usage(&cli, "--quick opens no picture: it excludes --html, --list files, "
                                  "--measure and --on-error fail");

    vg_error err = {0};
    vg_dataset *dataset = NULL;
    double start = vg_progress_clock();
    vg_dataset_options defaults = vg_dataset_options_default();
    defaults.threads = cli.threads;
    defaults.background = c.background;
    defaults.counts_only = c.quick;
    vg_status status = vg_dataset_open(cli.operands[0], &defaults, &dataset, &err);
    if (status)
        return vg_cli_fail(&cli, &err, status) == VG_EXIT_DONE ? VG_EXIT_DONE : VG_EXIT_FAILED;
    vg_audit audit = {0};
    int threads = cli.threads > 0 ? cli.threads : vg_threads_available();
    vg_progress progress = vg_progress_start(cli.quiet, cli.json);
    if (c.quick) {
        status = vg_audit_labels(dataset, &audit, &err);
        audit.seconds = vg_progress_clock() - start; /* listing the files is the work here */
    } else {
        vg_audit_options how = {.threads = threads,
                                .fail = c.fail_on_error,
                                .progress = show_progress,
                                .context = &progress};
        status = vg_audit_run(dataset, &how, &audit, &err);
    }
    if (!status)
        status = put_results(&cli, &c, &defaults, dataset, &audit, &err);
    if (status)
        vg_cli_fail(&cli, &err, status);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
    return status ? VG_EXIT_FAILED : VG_EXIT_DONE;
}
