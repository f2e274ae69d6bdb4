/* balance-report on a terminal or in a log.
 *
 * Lines are filled to the width that was given and never wrap by themselves; bars take what is left
 * beside the names, the counts and the notes. Where there are too many classes for a screen, the
 * largest, the smallest and those with something grave to tell are shown; JSON and the page have
 * all of them. Control characters in names never reach the terminal. */
#include "base/text.h"
#include "cli.h"
#include "report/audit_page.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

static const int most_rows = 30; /* more classes than this: the middle is left out */
static const int ends_shown = 10;
static const int most_shortcuts = 3;
static const size_t most_lines = 5;  /* of a list that may be long */
static const int label_columns = 11; /* of "shortcuts" and the like, with the gap */

typedef vg_audit_page page;

/* Prints the words of `text` from column `at` on, further lines begun at column `indent`. */
static void fill(const page *p, const char *text, int at, int indent)
{
    bool first = true;
    while (*text) {
        size_t length = strcspn(text, " ");
        char word[256];
        if (length >= sizeof word)
            length = sizeof word - 1;
        memcpy(word, text, length);
        word[length] = '\0';
        int columns = vg_cli_columns(word);
        if (!first && at + 1 + columns > p->width) {
            fprintf(p->out, "\n%*s", indent, "");
            at = indent;
        } else if (!first) {
            fputc(' ', p->out);
            at++;
        }
        vg_cli_pad(p->out, word, columns);
        at += columns;
        first = false;
        text += length;
        text += strspn(text, " ");
    }
}

void vg_page_row(const page *p, const char *label, const char *text)
{
    fprintf(p->out, "%s%-*s%s", p->bold, label_columns, label, p->plain);
    fill(p, text, label_columns, label_columns);
    fputc('\n', p->out);
}

void vg_page_command(const page *p, char *command) /* quoted: nothing in it steers a terminal */
{
    if (command)
        fprintf(p->out, "%*s%s%s%s\n", label_columns, "", p->pale, command, p->plain);
    free(command);
}

char *vg_page_list_command(const page *p, const char *word)
{
    char after[80];
    snprintf(after, sizeof after, " --list %s", word);
    const vg_advice list = {.before = "balance-report ", .after = after};
    return vg_advice_command(&list, vg_dataset_path(p->dataset), vg_dataset_background(p->dataset));
}

static void put_head(const page *p)
{
    const vg_findings *f = p->findings;
    char total[32], rate[32], what[200], scanned[120], split[80] = "with its own split";
    const char *path = vg_dataset_path(p->dataset);
    if (!vg_dataset_brings_splits(p->dataset)) {
        vg_dataset_options o = vg_dataset_options_of(p->dataset);
        snprintf(split, sizeof split, "no split (%.0f/%.0f/%.0f by %s)", 100 * o.train_share,
                 100 * o.val_share, 100 * (1 - o.train_share - o.val_share),
                 vg_split_by_name(o.split_by));
    }
    double seconds = p->audit->seconds;
    snprintf(what, sizeof what, "%s images, %d class%s, %s", vg_cli_count(total, f->all.total),
             f->count, f->count == 1 ? "" : "es", split);
    snprintf(
        scanned, sizeof scanned, "scanned in %.1f s (%s images/s)", seconds,
        vg_cli_count(rate, seconds > 0 ? (uint64_t)((double)p->audit->found / seconds + 0.5) : 0));
    int columns = vg_cli_columns(path), end = columns + 2 + vg_cli_columns(what);
    fputs(p->bold, p->out);
    vg_cli_pad(p->out, path, columns);
    bool fits = end + 5 + vg_cli_columns(scanned) <= p->width;
    fprintf(p->out, "%s  %s%s%s%s%s\n\n", p->plain, what, p->pale, fits ? "     " : "\n", scanned,
            p->plain);
}

static void put_first(const page *p)
{
    fprintf(p->out, "%s%-*s%s", p->warn, label_columns, "DO FIRST", p->plain);
    fill(p, p->findings->first.text, label_columns, label_columns);
    fputc('\n', p->out);
    vg_page_command(p, vg_advice_command(&p->findings->first, vg_dataset_path(p->dataset),
                                         vg_dataset_background(p->dataset)));
    fputc('\n', p->out);
}

typedef struct columns {
    int name, count, bar, note; /* note: the column where notes begin */
} columns;

static columns plan_columns(const page *p)
{
    const vg_findings *f = p->findings;
    columns c = {.name = 5, .count = 9, .bar = 32};
    for (int i = 0; i < f->count; i++) {
        int n = vg_cli_columns(vg_dataset_class_name(p->dataset, i));
        c.name = n > c.name ? n : c.name;
    }
    if (c.name > 24)
        c.name = 24;
    int counts = c.count * (f->by_train ? VG_SPLIT_COUNT : 1);
    int rest = p->width - c.name - counts - 2 - 9; /* bar and note */
    c.bar = rest * 2 / 5;
    c.bar = c.bar < 4 ? 4 : c.bar > 32 ? 32 : c.bar;
    c.note = c.name + counts + 2 + c.bar + 9;
    return c;
}

static void put_class(const page *p, const columns *c, const vg_class_finding *class)
{
    const vg_findings *f = p->findings;
    const vg_audit_class *a = &p->audit->per_class[class->label];
    char text[32];
    vg_cli_pad(p->out, vg_dataset_class_name(p->dataset, class->label), c->name);
    fprintf(p->out, "%*s", c->count, vg_cli_count(text, class->shown));
    for (int s = VG_SPLIT_VAL; f->by_train && s < VG_SPLIT_COUNT; s++)
        fprintf(p->out, "%s%*s%s", p->pale, c->count, vg_cli_count(text, a->count[s]), p->plain);
    fputs("  ", p->out);
    double total = (double)f->shown.total;
    vg_cli_bar(p->out, (double)class->shown, (double)f->classes[0].shown, c->bar);
    fprintf(p->out, " %5.1f %%", total > 0 ? 100 * (double)class->shown / total : 0);
    if (class->note[0]) {
        fprintf(p->out, "%s  ", class->accused ? p->warn : "");
        fill(p, class->note, c->note + 1, c->note + 1);
        fputs(class->accused ? p->plain : "", p->out);
    }
    fputc('\n', p->out);
}

static void put_gap(const page *p, int from, int to)
{
    char low[32], high[32], text[160];
    snprintf(text, sizeof text, "... %d more, %s to %s images each (all of them: --json, --html)",
             to - from, vg_cli_count(low, p->findings->classes[to - 1].shown),
             vg_cli_count(high, p->findings->classes[from].shown));
    fprintf(p->out, "%s%s%s\n", p->pale, text, p->plain);
}

static void put_table(const page *p)
{
    const vg_findings *f = p->findings;
    columns c = plan_columns(p);
    fputs(p->pale, p->out);
    vg_cli_pad(p->out, "class", c.name);
    if (f->by_train)
        fprintf(p->out, "%*s%*s%*s", c.count, "train", c.count, "val", c.count, "test");
    else
        fprintf(p->out, "%*s", c.count, "images");
    fprintf(p->out, "  %-*s  what stands out%s\n", c.bar + 8, "share", p->plain);
    bool all = f->count <= most_rows;
    int gap = 0;
    for (int i = 0; i < f->count; i++) {
        bool shown = all || i < ends_shown || i >= f->count - ends_shown;
        if (!shown) {
            gap++;
            continue;
        }
        if (gap)
            put_gap(p, i - gap, i);
        gap = 0;
        put_class(p, &c, &f->classes[i]);
    }
    fputc('\n', p->out);
}

static void put_balance(const page *p)
{
    const vg_findings *f = p->findings;
    const vg_balance *b = &f->shown;
    if (b->total == 0)
        return;
    char text[500];
    snprintf(text, sizeof text,
             "%.*f : 1%s;   effective classes %.1f of %d (entropy %.2f of %.2f nats);   a network "
             "that always says \"%s\" is right in %.1f %% of cases",
             b->imbalance_ratio < 10 ? 1 : 0, b->imbalance_ratio, f->by_train ? " in train" : "",
             b->effective_classes, b->classes, b->entropy, log((double)b->classes),
             vg_dataset_class_name(p->dataset, b->majority), 100 * b->majority_share);
    vg_page_row(p, "imbalance", text);
}

static void put_shortcuts(const page *p)
{
    int count = p->audit->shortcut_count;
    if (p->audit->labels_only)
        return;
    for (int i = 0; i < count && i < most_shortcuts; i++) {
        char text[400];
        vg_shortcut_words(p->dataset, &p->audit->shortcuts[i], text, sizeof text);
        size_t used = strlen(text);
        if (i == most_shortcuts - 1 && count > most_shortcuts)
            snprintf(text + used, sizeof text - used, "; %d weaker ones: --json, --html",
                     count - most_shortcuts);
        vg_page_row(p, i ? "" : "shortcuts", text);
    }
    if (count == 0)
        vg_page_row(p, "shortcuts",
                    "none: neither light nor size nor format tells the classes apart");
    if (p->audit->together.accuracy > 0) {
        char text[400];
        vg_together_words(p->audit, text, sizeof text);
        vg_page_row(p, "", text);
    }
}

static void put_flat(const page *p)
{
    char text[400], colour[VG_BACKGROUND_TEXT];
    const vg_flat *flat = &p->audit->flat;
    if (!flat->flat)
        return;
    vg_flat_words(flat, p->dataset, text, sizeof text);
    if (flat->better >= 0)
        vg_text_append(text, sizeof text, "; instead: --background %s",
                       vg_background_print(flat->better, colour));
    vg_page_row(p, "flat", text);
}

/* Names that are nearly the same, and what the scan found worth a line. */
static void put_oddities(const page *p)
{
    char text[700];
    size_t alike = p->findings->alike_count, kept, count;
    for (size_t i = 0; i < alike && i < most_lines; i++) {
        vg_alike_words(p->dataset, p->findings, i, text, sizeof text);
        vg_page_row(p, i ? "" : "names", text);
    }
    if (alike > most_lines) {
        snprintf(text, sizeof text, "... %zu more such names: --json, --html", alike - most_lines);
        vg_page_row(p, "", text);
    }
    int k = p->findings->misordered;
    if (k >= 0) {
        snprintf(
            text, sizeof text,
            "the classes are numbers, in the order of their letters: label %d is \"%s\", label "
            "%d is \"%s\"",
            k, vg_dataset_class_name(p->dataset, k), k + 1,
            vg_dataset_class_name(p->dataset, k + 1));
        vg_page_row(p, alike ? "" : "names", text);
    }
    const char *const *notes = vg_dataset_notes(p->dataset, &kept, &count);
    for (size_t i = 0; i < kept && i < most_lines; i++)
        vg_page_row(p, i ? "" : "noticed", notes[i]);
    if (count > most_lines) {
        snprintf(text, sizeof text, "... %zu more: --json, --html", count - most_lines);
        vg_page_row(p, "", text);
    }
}

static void put_pixels(const page *p)
{
    const vg_audit *a = p->audit;
    if (a->stats.count == 0)
        return;
    char text[400], mean[80] = "", std[80] = "";
    for (int c = 0; c < a->stats.channels; c++) {
        size_t m = strlen(mean), s = strlen(std);
        snprintf(mean + m, sizeof mean - m, "%s%.1f", c ? ", " : "", vg_channel_mean(&a->stats, c));
        snprintf(std + s, sizeof std - s, "%s%.1f", c ? ", " : "", vg_channel_std(&a->stats, c));
    }
    char size[80];
    if (a->min_width == a->max_width && a->min_height == a->max_height)
        snprintf(size, sizeof size, "all %dx%d", a->min_width, a->min_height);
    else
        snprintf(size, sizeof size, "%dx%d to %dx%d", a->min_width, a->min_height, a->max_width,
                 a->max_height);
    snprintf(text, sizeof text,
             "%s pixels, %s; training images: mean %s, standard deviation %s of 255", size,
             a->stats.channels == 1 ? "grey" : "RGB", mean, std);
    vg_page_row(p, "pixels", text);
}

void vg_audit_text(FILE *out, const vg_dataset *dataset, const vg_audit *audit,
                   const vg_findings *findings, int width, bool colour)
{
    page p = {.out = out,
              .dataset = dataset,
              .audit = audit,
              .findings = findings,
              .width = width < 60    ? 60
                       : width > 160 ? 160
                                     : width,
              .bold = colour ? "\033[1m" : "",
              .warn = colour ? "\033[1;33m" : "",
              .pale = colour ? "\033[2m" : "",
              .plain = colour ? "\033[0m" : ""};
    put_head(&p);
    put_first(&p);
    put_table(&p);
    put_balance(&p);
    put_flat(&p);
    put_shortcuts(&p);
    put_oddities(&p);
    put_pixels(&p);
    for (int i = 0; vg_audit_sections[i]; i++)
        if (vg_audit_sections[i]->text)
            vg_audit_sections[i]->text(&p);
}

static void put_list(FILE *out, const vg_dataset *dataset, const vg_audit_file *files, size_t count,
                     const char *kind)
{
    for (size_t i = 0; i < count; i++) {
        char name[4096];
        vg_dataset_name(dataset, files[i].index, name, sizeof name);
        fprintf(out, "%s\t", kind);
        vg_cli_pad(out, name, vg_cli_columns(name));
        fputc('\t', out);
        vg_cli_pad(out, files[i].reason, vg_cli_columns(files[i].reason));
        fputc('\n', out);
    }
}

void vg_audit_text_files(FILE *out, const vg_dataset *dataset, const vg_audit *audit)
{
    put_list(out, dataset, audit->broken, audit->broken_count, "broken");
    put_list(out, dataset, audit->noted, audit->noted_count, "warning");
}
