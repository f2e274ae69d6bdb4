/* The result of a check: warnings first, each with what to write instead, then the figures of every
 * operation. Lines fit 80 columns but for words of a policy that are longer. */
#include "augment_check.h"

#include "check_report.h"
#include "report/escape.h"
#include "run.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { WIDTH = 80 };

static double percent(size_t n, size_t of)
{
    return of ? 100 * (double)n / (double)of : 0;
}

static size_t destroyed(const vg_check_part *part)
{
    size_t sum = 0;
    for (int i = 0; i < VG_FINDING_COUNT; i++)
        sum += vg_finding_destroys((vg_finding)i) ? part->findings[i] : 0;
    return sum;
}

static void print_text(const vg_check *check)
{
    vg_check_print(check, stdout, WIDTH);
    if (check->part_count)
        printf("\n%-40s %9s %9s %9s %9s\n", "of its draws, percent", "no change", "destroyed",
               "crossed", "rise");
    for (int i = 0; i < check->part_count; i++) {
        const vg_check_part *p = &check->parts[i];
        vg_cli_pad(stdout, p->words, 40);
        printf(" %9.1f %9.1f", percent(p->findings[VG_FINDING_UNCHANGED], p->draws),
               percent(destroyed(p), p->draws));
        if (check->labels_judged)
            printf(" %9.1f %+9.1f", 100 * p->crossed, 100 * p->rise);
        putchar('\n');
    }
    printf("%s%d warning%s; %zu training pictures against %zu, %.1f s\n",
           check->part_count ? "\n" : "", check->warning_count,
           check->warning_count == 1 ? "" : "s", check->pictures, check->references,
           check->seconds);
}

static json_t *part_json(const vg_check_part *p)
{
    return json_pack("{s:s, s:b, s:I, s:f, s:f, s:f, s:f, s:f, s:[f, f]}", "words", p->words,
                     "whole", p->whole, "draws", (json_int_t)p->draws, "unchanged",
                     percent(p->findings[VG_FINDING_UNCHANGED], p->draws) / 100, "destroyed",
                     percent(destroyed(p), p->draws) / 100, "change", p->change, "crossed",
                     p->crossed, "rise", p->rise, "rise_95", p->rise_low, p->rise_high);
}

static vg_status print_json(const vg_check *check, const vg_dataset *dataset,
                            const vg_augment *augment, vg_error *err)
{
    char policy[VG_POLICY_TEXT];
    vg_policy_print(&augment->policy, policy, sizeof policy);
    json_t *parts = json_array(), *findings = vg_check_findings_json(check);
    bool ok = parts && findings;
    for (int i = 0; i < check->part_count && ok; i++)
        ok = json_array_append_new(parts, part_json(&check->parts[i])) == 0;
    json_t *root = json_pack(
        "{s:s, s:s, s:o, s:s, s:i, s:I, s:I, s:b, s:f, s:I, s:I, s:I, s:f, s:o, s:o}", "tool",
        "augment", "version", VG_VERSION, "dataset", vg_json_text(vg_dataset_path(dataset)),
        "policy", policy, "warnings", check->warning_count, "images", (json_int_t)check->pictures,
        "references", (json_int_t)check->references, "labels_judged", check->labels_judged,
        "crossed_before", check->crossed_before, "mixed", (json_int_t)check->mix.draws,
        "mixed_pure", (json_int_t)check->mix.pure, "mixed_wrong", (json_int_t)check->mix.wrong,
        "seconds", check->seconds, "findings", findings, "operations", parts);
    char *text = ok && root ? json_dumps(root, JSON_INDENT(2)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON result");
    printf("%s\n", text);
    free(text);
    return VG_OK;
}

vg_status vg_augment_check(const vg_augment_choices *choices, const vg_cli *cli,
                           const vg_dataset *dataset, const vg_augment *augment, size_t *warnings,
                           vg_error *err)
{
    vg_check check;
    vg_check_options options = vg_check_options_default();
    vg_run_options run = vg_run_options_default();
    options.threads = cli->threads;
    if (cli->seed_given)
        options.seed = cli->seed;
    if (choices->epochs)
        run.epochs = (int)choices->epochs;
    run.sampling = VG_SAMPLING_BALANCED; /* as train-pipeline does unless told otherwise */
    options.mixing = choices->mixing;
    vg_status status = vg_run_shows(dataset, &run, &options.shows, err);
    if (!status)
        status = vg_check_run(dataset, augment, &options, &check, err);
    if (status)
        return status;
    *warnings = (size_t)check.warning_count;
    if (cli->json)
        status = print_json(&check, dataset, augment, err);
    else
        print_text(&check);
    vg_check_reset(&check);
    return status;
}
