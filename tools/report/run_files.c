/* What the loader's ledger says about files, in the words of the report and as a table for other programs. */
#include "report/run.h"

#include "cli.h"

#include <inttypes.h>
#include <string.h>

enum { SHOWN = 5 };

static const char *const stage_words[] = {"read", "decode", "augment", "train"};
static const char *const cause_words[VG_CAUSE_COUNT] = {
    "unreadable", "not a picture", "damaged", "over a limit", "wrong extension", "warned of"};
static const char *const heads[] = {"skipped   ", "repaired  ", "odd       "};

const char *vg_run_stage_word(vg_stage stage)
{
    return stage_words[stage];
}

void vg_run_limit_hint(const vg_run_report *report, char *text, size_t capacity)
{
    const vg_run_result *r = report->result;
    const vg_loader_times *t = &r->loading;
    bool cached = report->job->cache.kind != VG_CACHE_NONE;
    text[0] = '\0';
    if (r->limit == VG_STAGE_CALLER || t->samples == 0)
        return;
    if (r->limit == VG_STAGE_TRANSFORM)
        snprintf(text, capacity, "fewer operations in augment, or a smaller input.size");
    else if (!cached && t->decoded)
        snprintf(text, capacity, "--cache ram or --cache FILE decodes every image once");
    else if (cached && t->decoded > t->cached)
        snprintf(text, capacity, "the cache is too small or was filled in this run");
}

/* "2 damaged, 1 not a picture" of one kind. */
static void count_words(const vg_run_result *r, vg_bad_kind kind, char *text, size_t capacity)
{
    size_t causes[VG_CAUSE_COUNT] = {0};
    text[0] = '\0';
    for (size_t i = 0; i < r->bad_samples; i++)
        if (r->bad[i].kind == kind)
            causes[r->bad[i].cause]++;
    for (int k = 0; k < VG_CAUSE_COUNT; k++) {
        size_t used = strlen(text);
        if (causes[k])
            snprintf(text + used, capacity - used, "%s%zu %s", used ? ", " : "", causes[k],
                     cause_words[k]);
    }
}

void vg_run_files_words(const vg_run_report *report, char *text, size_t capacity)
{
    const vg_run_result *r = report->result;
    text[0] = '\0';
    for (int kind = 0; kind <= VG_BAD_SUSPICIOUS; kind++) {
        char causes[200];
        size_t used = strlen(text);
        if (!r->bad_counts[kind])
            continue;
        count_words(r, (vg_bad_kind)kind, causes, sizeof causes);
        snprintf(text + used, capacity - used, "%s%" PRIu64 " %s%s%s%s", used ? ", " : "",
                 r->bad_counts[kind], vg_bad_kind_name((vg_bad_kind)kind),
                 kind == VG_BAD_REPAIRED ? "" : " (", kind == VG_BAD_REPAIRED ? "" : causes,
                 kind == VG_BAD_REPAIRED ? "" : ")");
    }
}

void vg_run_files_text(const vg_run_report *report, FILE *out)
{
    const vg_run_result *r = report->result;
    char words[700];
    vg_run_files_words(report, words, sizeof words);
    if (words[0])
        fprintf(out, "files     %s\n", words);
    size_t shown = 0, all = 0;
    for (int kind = 0; kind <= VG_BAD_SUSPICIOUS; kind++) {
        bool first = true;
        all += (size_t)r->bad_counts[kind];
        for (size_t i = 0; i < r->bad_samples && shown < SHOWN; i++) {
            if (r->bad[i].kind != (vg_bad_kind)kind)
                continue;
            fputs(first ? heads[kind] : "          ", out);
            vg_cli_pad(out, report->bad_names[i], vg_cli_columns(report->bad_names[i]));
            const char *reason = vg_run_bad_reason(report, i);
            fputs(": ", out);
            vg_cli_pad(out, reason, vg_cli_columns(reason)); /* may quote the file's bytes */
            if (kind == VG_BAD_REPAIRED)
                fprintf(out, " (%.0f %% of it is used)", 100 * r->bad[i].intact);
            fputc('\n', out);
            first = false;
            shown++;
        }
    }
    if (all > shown && report->folder)
        fprintf(out, "          and %zu more, listed in %s/bad-files.tsv\n", all - shown,
                report->folder);
}

/* Names may hold anything but '/' and NUL; a tab or line end must not break the table. */
static void field(const char *text, FILE *out)
{
    for (; *text; text++) {
        const char *at = strchr("\t\n\r\\", *text);
        if (at)
            fprintf(out, "\\%c", "tnr\\"[at - "\t\n\r\\"]);
        else
            fputc(*text, out);
    }
}

void vg_run_files_tsv(const vg_run_report *report, FILE *out)
{
    const vg_run_result *r = report->result;
    fputs("path\tkind\tcause\toffset\tintact\treason\n", out);
    for (size_t i = 0; i < r->bad_samples; i++) {
        const vg_bad_sample *bad = &r->bad[i];
        field(report->bad_names[i], out);
        fprintf(out, "\t%s\t%s\t", vg_bad_kind_name(bad->kind), vg_bad_cause_name(bad->cause));
        if (bad->offset != UINT64_MAX)
            fprintf(out, "%" PRIu64, bad->offset);
        fprintf(out, "\t%.4f\t", bad->intact);
        field(vg_run_bad_reason(report, i), out);
        fputc('\n', out);
    }
}
