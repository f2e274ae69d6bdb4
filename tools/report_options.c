/* Everything that can be refused is refused here, before a file of the dataset is opened. */
#include "report_options.h"

#include "base/text.h"

#include <string.h>

enum {
    OPTION_HTML,
    OPTION_CSV,
    OPTION_AGAINST,
    OPTION_PLAN,
    OPTION_LIST,
    OPTION_FAIL_ON,
    OPTION_ON_ERROR,
    OPTION_BACKGROUND,
    OPTION_QUICK,
    OPTION_MEASURE,
    OPTION_SPLIT_BY,
    OPTION_FIX,
    OPTION_FIX_ONLY,
    OPTION_LABEL_ERRORS
};

static vg_status take_list(vg_report_options *o, const char *value, vg_error *err)
{
    vg_error inner = {0};
    o->list_files = strcmp(value, "files") == 0;
    o->list_mark = false;
    if (o->list_files)
        return VG_OK;
    vg_status status = vg_mark_parse(value, &o->mark, &inner);
    if (status)
        return vg_fail(err, status, "--list: %s, or files", inner.message);
    o->list_mark = true;
    o->label_errors |= o->mark == VG_MARK_LABEL_ERROR;
    return VG_OK;
}

static vg_status take_conditions(vg_report_options *o, const char *value, vg_error *err)
{
    vg_error inner = {0};
    vg_status status = vg_conditions_add(&o->conditions, value, &inner);
    return status ? vg_fail(err, status, "--fail-on: %s", inner.message) : VG_OK;
}

static vg_status take_split_by(vg_report_options *o, const char *value, vg_error *err)
{
    for (int i = VG_SPLIT_BY_NAME; i <= VG_SPLIT_BY_GROUP; i++)
        if (strcmp(value, vg_split_by_name((vg_split_by)i)) == 0) {
            o->split_by = (vg_split_by)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG, "--split-by: found \"%s\", expected name or group", value);
}

static vg_status take_fix_choice(vg_report_options *o, const char *value, vg_error *err)
{
    vg_error inner = {0};
    o->fix_some = true;
    vg_status status = vg_fix_choice_parse(value, &o->fix_choice, &inner);
    return status ? vg_fail(err, status, "--fix-only: %s", inner.message) : VG_OK;
}

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    vg_report_options *o = context;
    switch (id) {
    case OPTION_HTML:
        o->html = value;
        break;
    case OPTION_CSV:
        o->csv = value;
        break;
    case OPTION_AGAINST:
        o->against = value;
        break;
    case OPTION_PLAN:
        o->plan = value;
        break;
    case OPTION_LIST:
        return take_list(o, value, err);
    case OPTION_FAIL_ON:
        return take_conditions(o, value, err);
    case OPTION_ON_ERROR:
        if (strcmp(value, "fail") != 0 && strcmp(value, "skip") != 0)
            return vg_fail(err, VG_E_ARG, "--on-error: found \"%s\", expected skip or fail", value);
        o->fail_on_error = strcmp(value, "fail") == 0;
        break;
    case OPTION_BACKGROUND:
        return vg_cli_background(value, &o->background, err);
    case OPTION_FIX:
        o->fix = value;
        break;
    case OPTION_FIX_ONLY:
        return take_fix_choice(o, value, err);
    case OPTION_SPLIT_BY:
        return take_split_by(o, value, err);
    case OPTION_QUICK:
        o->quick = true;
        break;
    case OPTION_LABEL_ERRORS:
        o->label_errors = true;
        break;
    case OPTION_MEASURE:
        o->measure = 5;
        if (value && !(vg_text_number(value, &o->measure) && o->measure > 0 && o->measure <= 1e5))
            return vg_fail(err, VG_E_ARG, "--measure: found \"%s\", expected minutes above 0",
                           value);
        break;
    default:
        break;
    }
    return VG_OK;
}

const vg_cli_spec *vg_report_spec(void)
{
    static const vg_cli_option options[] = {
        {"html", "FILE", "also write the report as a page in one file", OPTION_HTML},
        {"csv", "FILE", "also write a table: a row a sample, with all that is known of it",
         OPTION_CSV},
        {"plan", "FILE", "also write the plan as a job that train-pipeline takes: --job FILE",
         OPTION_PLAN},
        {"against", "OTHER",
         "also compare with another dataset: classes, light, sizes, and pictures in both",
         OPTION_AGAINST},
        {"list", "KIND",
         "instead of the report: files (broken or odd, with the reason), or the samples with a "
         "mark: dark, blurred, exact-copy, leak ...",
         OPTION_LIST},
        {"fail-on", "CONDITIONS",
         "exit with 3 when one of them holds: 'imbalance>10, leaks>0, broken>1%'", OPTION_FAIL_ON},
        {"on-error", "WHAT",
         "skip: count files that cannot be decoded; fail: end with the first (skip)",
         OPTION_ON_ERROR},
        {"background", "COLOUR", "behind transparent pixels: black, grey, white, #rrggbb (black)",
         OPTION_BACKGROUND},
        {"label-errors", NULL,
         "also find labels that are probably wrong: small networks are trained, a minute or so",
         OPTION_LABEL_ERRORS},
        {"measure", "[MINUTES]",
         "also train with and without each finding: what it costs, in about so many minutes (5)",
         OPTION_MEASURE},
        {"fix", "DIR",
         "also write DIR/manifest.csv, a dataset of what is sound, and DIR/fixed.json, the "
         "reasons; "
         "no image is touched",
         OPTION_FIX},
        {"fix-only", "LIST",
         "what --fix does (broken,copies,conflicts,leaks); or marks of what is to be left out",
         OPTION_FIX_ONLY},
        {"split-by", "WHAT",
         "where the dataset brings no split: name, or group: series by their names stay together "
         "(name)",
         OPTION_SPLIT_BY},
        {"quick", NULL, "labels and counts alone: no picture is opened", OPTION_QUICK},
    };
    static const vg_cli_spec spec = {
        .tool = "balance-report",
        .what =
            "tells what is skewed, broken or giving itself away in a dataset, and what to do first",
        .usage = "DATASET [--json] [--html FILE] [--list KIND] [--fail-on CONDITIONS] [options]",
        .footer =
            "DATASET is a folder of class folders (with or without train/val/test above them),\n"
            "the same in a .tar or .zip, a manifest (CSV, TSV, JSON lines), WebDataset shards\n"
            "('train-{000..099}.tar'), or a folder of IDX or CIFAR files: docs/datasets.md.\n\n"
            "  balance-report pets/\n"
            "  balance-report pets/ --html pets.html\n"
            "  balance-report pets/ --json | jq .imbalance_ratio\n"
            "  balance-report pets/ --plan balance.yaml; train-pipeline pets/ --job balance.yaml\n"
            "  balance-report pets/ --fix clean && train-pipeline clean/manifest.csv\n"
            "  balance-report pets/ --against new-pets/ --fail-on 'moved>0, copies-across>0'\n"
            "  balance-report pets/ --list dark | cut -f 2\n"
            "  balance-report pets/ --quiet --fail-on 'imbalance>10, leaks>0, broken>1%'\n",
        .options = options,
        .option_count = sizeof options / sizeof *options,
        .max_operands = 1,
        .take = take,
    };
    return &spec;
}

int vg_report_options_check(const vg_report_options *o, const vg_cli *cli)
{
    vg_error err = {0};
    bool listing = o->list_files || o->list_mark;
    if (cli->operand_count < 1)
        return vg_cli_usage(cli, "which DATASET?");
    if (cli->json && listing)
        return vg_cli_usage(cli, "--list and --json exclude each other; JSON lists the files, "
                                 "--csv FILE has every mark of every sample");
    if (o->quick &&
        (o->html || o->csv || listing || o->fail_on_error || o->measure > 0 || o->label_errors))
        return vg_cli_usage(cli, "--quick opens no picture: it excludes --html, --csv, --list, "
                                 "--label-errors, --measure and --on-error fail");
    if (o->quick && o->fix)
        return vg_cli_usage(cli, "--quick opens no picture: it excludes --fix");
    if (o->fix_some && !o->fix)
        return vg_cli_usage(cli, "--fix-only says what --fix DIR does: DIR is missing");
    int given = (o->quick ? VG_NEEDS_NOTHING : VG_NEEDS_PICTURES) |
                (o->against ? VG_NEEDS_OTHER : VG_NEEDS_NOTHING);
    given |= o->label_errors ? VG_NEEDS_PREDICTIONS : 0;
    vg_status status = vg_conditions_check(&o->conditions, given, &err);
    return status ? vg_cli_usage(cli, "--fail-on: %s", err.message) : -1;
}

void vg_report_options_reset(vg_report_options *options)
{
    vg_conditions_reset(&options->conditions);
}
