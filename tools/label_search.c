/* The search with its progress, its marks, and its place among the findings. A label that networks doubt is a picture to look
 * at; what is marked is what a person should see, never what a program may delete. */
#include "label_search.h"

#include "base/clock.h"
#include "progress.h"

void vg_label_search_reset(vg_label_search *search)
{
    vg_label_errors_reset(&search->found);
    *search = (vg_label_search){0};
}

typedef struct teller {
    vg_progress progress;
    double begun;
} teller;

static bool tell(void *context, const char *part, double share)
{
    teller *t = context;
    char left[24];
    if (!vg_progress_due(&t->progress))
        return false;
    double passed = vg_clock() - t->begun;
    double eta = share > 0 ? passed * (1 - share) / share : 0;
    if (t->progress.json)
        vg_progress_show(
            &t->progress,
            "{\"event\":\"progress\",\"part\":\"labels-%s\",\"share\":%.3f,\"eta\":%.0f}", part,
            share, eta);
    else if (share >= 0.01)
        vg_progress_show(&t->progress, "judging the labels: %s, %.0f %%, eta %s", part, 100 * share,
                         vg_progress_time(left, eta));
    else
        vg_progress_show(&t->progress, "judging the labels: %s", part);
    return false;
}

vg_status vg_label_search_run(const vg_cli *cli, const vg_dataset *dataset, vg_audit *audit,
                              vg_label_search *search, vg_error *err)
{
    teller t = {.progress = vg_progress_start(cli->quiet, cli->json), .begun = vg_clock()};
    vg_label_error_options options = vg_label_error_options_default();
    vg_error own = {0};
    options.seed = cli->seed_given ? cli->seed : options.seed;
    options.threads = cli->threads;
    options.progress = tell;
    options.context = &t;
    *search = (vg_label_search){0};
    vg_status status = vg_label_errors_find(dataset, &options, &search->found, &own);
    vg_progress_clear(&t.progress);
    if (status == VG_E_FORMAT) {
        snprintf(search->refusal, sizeof search->refusal, "%s", own.message);
        return VG_OK;
    }
    if (status)
        return vg_fail(err, status, "%s", own.message);
    for (size_t i = 0; i < search->found.suspicious && audit->marks.of; i++) {
        if (search->found.noise.kind != VG_NOISE_NONE)
            vg_marks_set(&audit->marks, search->found.labels[i].index, VG_MARK_LABEL_ERROR);
    }
    return VG_OK;
}

static void put_safe(FILE *out, const char *text, char end)
{
    vg_cli_pad(out, text, vg_cli_columns(text));
    fputc(end, out);
}

void vg_label_search_list(FILE *out, const vg_cli *cli, const vg_dataset *dataset,
                          const vg_label_search *search)
{
    const vg_label_errors *e = &search->found;
    if (search->refusal[0])
        vg_cli_note(cli, "labels were not judged: %s", search->refusal);
    else if (e->suspicious == 0)
        vg_cli_note(cli, "no label is suspicious");
    else if (e->noise.kind == VG_NOISE_NONE)
        vg_cli_note(cli, "no label is proven wrong; these look odd");
    for (size_t i = 0; i < e->suspicious; i++) {
        char name[4096];
        const vg_judged_label *l = &e->labels[i];
        vg_dataset_name(dataset, l->index, name, sizeof name);
        fprintf(out, "%s\t", vg_mark_name(VG_MARK_LABEL_ERROR));
        put_safe(out, name, '\t');
        fputs("looks like ", out);
        put_safe(out, vg_dataset_class_name(dataset, l->suggested), ',');
        fprintf(out, " %.0f %%\t", 100 * (double)l->doubt);
        put_safe(out, vg_dataset_class_name(dataset, l->given), '\t');
        fprintf(out, "%s\n", vg_split_name(vg_dataset_split(dataset, l->index)));
    }
}

/* One label in a hundred, at the least, comes before what is said of light and size. */
void vg_findings_take_labels(vg_findings *findings, const vg_dataset *dataset,
                             const vg_label_search *search)
{
    const vg_label_errors *e = &search->found;
    findings->labels = search;
    if (e->judged == 0 || e->noise.low <= 0)
        return;
    bool many = e->noise.low >= 0.01 * (double)e->judged;
    double weight = many ? VG_WEIGHT_SHORTCUT + 5 : VG_WEIGHT_FEW_BROKEN + 2;
    if (findings->first.weight >= weight)
        return;
    const vg_judged_label *top = &e->labels[0];
    findings->first = (vg_advice){.weight = weight,
                                  .before = "balance-report ",
                                  .after = " --label-errors --html labels.html"};
    snprintf(findings->first.text, sizeof findings->first.text,
             "About %.0f labels are wrong (%.0f to %.0f of %zu), it seems. Look at those that "
             "stand out most: the first is called \"%.60s\" and looks like \"%.60s\".",
             e->noise.wrong, e->noise.low, e->noise.high, e->judged,
             vg_dataset_class_name(dataset, top->given),
             vg_dataset_class_name(dataset, top->suggested));
    findings->clean = false;
}
