/* Pictures unlike the rest of their dataset, with the limit that each passed and the class where they gather. The page
 * shows them, the farthest out first: whether a limit suits can only be seen. */
#include "base/alloc.h"
#include "base/text.h"
#include "cli.h"
#include "report/audit_page.h"
#include "report/class_notes.h"
#include "report/escape.h"
#include "report/html.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { TEXT_BYTES = 400, MOST_SHOWN = 14 };

/* Between those of VG_WEIGHT_*: worse than a file or two, less than what gives classes away. */
static const double weight_bad = 25;
/* Share of pictures that show little: from here on it is worth a look before training. */
static const double many_bad = 0.02;

static const struct kind {
    vg_mark mark;
    int digits;                    /* of numbers in the unit of vg_quality_value */
    const char *one;               /* "12 ..." */
    const char *all;               /* "all are ..." */
    const char *low, *high, *unit; /* before and behind the limits; NULL: they need no telling */
} kinds[] = {
    {VG_MARK_DARK, 0, "dark", "dark", "99 % of the pixels below ", NULL, " of 255"},
    {VG_MARK_LIGHT, 0, "light", "light", NULL, "99 % of the pixels above ", " of 255"},
    {VG_MARK_BLURRED, 1, "blurred", "blurred", NULL, "edges wider than ", " pixels"},
    {VG_MARK_LOW_INFORMATION, 1, "nearly empty", "nearly empty", "less than ", NULL,
     " bits a pixel"},
    {VG_MARK_ODD_SIZE, 0, "of an odd size", "of an odd size", "sides below ", "above ", " pixels"},
    {VG_MARK_ODD_ASPECT, 1, "of an odd shape", "oblong", NULL, "sides beyond ", " : 1"},
    {VG_MARK_HUGE, 0, "huge", "huge", NULL, "more than ", " pixels"},
    {VG_MARK_GREY, 0, "without colour among coloured ones", "without colour", NULL, NULL, NULL},
    {VG_MARK_BORDER, 0, "framed by one colour", "framed by one colour", NULL, NULL, NULL},
    {VG_MARK_ODD_COLOUR, 0, "of a colour type that readers take differently", "", NULL, NULL, NULL},
};
enum { KINDS = sizeof kinds / sizeof kinds[0] };

static void number_words(double v, int digits, char text[32])
{
    if (v >= 10000)
        vg_cli_count(text, (uint64_t)(v + 0.5));
    else
        snprintf(text, 32, "%.*f", digits, v);
}

/* "edges wider than 1.7 pixels, usual 1.1"; "" where it needs no telling. */
static void limit_words(const struct kind *kind, const vg_limit *limit, char text[TEXT_BYTES])
{
    char number[32];
    text[0] = '\0';
    if (!limit->drawn || !kind->unit)
        return;
    if (kind->low && isfinite(limit->low)) {
        number_words(limit->low, kind->digits, number);
        vg_text_append(text, TEXT_BYTES, "%s%s", kind->low, number);
    }
    if (kind->high && isfinite(limit->high)) {
        number_words(limit->high, kind->digits, number);
        vg_text_append(text, TEXT_BYTES, "%s%s%s", text[0] ? " or " : "", kind->high, number);
    }
    number_words(limit->median, kind->digits, number);
    vg_text_append(text, TEXT_BYTES, "%s, usual %s", kind->unit, number);
}

/* "8 blurred (edges wider than 1.7 pixels, usual 1.1), 6 of them "dalmatian"" */
static void kind_words(const vg_audit_page *p, const struct kind *kind, char text[TEXT_BYTES])
{
    const vg_audit *a = p->audit;
    const vg_limit *limit = &a->quality.limits[kind->mark];
    char count[32], words[TEXT_BYTES];
    limit_words(kind, limit, words);
    text[0] = '\0';
    if (limit->common) {
        vg_text_append(text, TEXT_BYTES,
                       "%s are %s: that is what this dataset is like, none is marked",
                       vg_cli_count(count, limit->common), kind->all);
        return;
    }
    vg_text_append(text, TEXT_BYTES, "%s %s", vg_cli_count(count, a->marks.total[kind->mark]),
                   kind->one);
    if (words[0])
        vg_text_append(text, TEXT_BYTES, " (%s)", words);
    int label = vg_class_gathers(a, kind->mark);
    if (label >= 0)
        vg_text_append(text, TEXT_BYTES, ", %s of them \"%.60s\"",
                       vg_cli_count(count, a->per_class[label].marked[kind->mark]),
                       vg_dataset_class_name(p->dataset, label));
}

static bool is_worth_a_line(const vg_audit *audit, const struct kind *kind)
{
    const vg_limit *limit = &audit->quality.limits[kind->mark];
    /* where nearly all are alike it is no mixture, and needs no line */
    bool mixed = limit->common && (double)limit->common < 0.95 * (double)audit->quality.measured;
    return mixed || audit->marks.total[kind->mark];
}

static void put_text(const vg_audit_page *p)
{
    bool any = false;
    if (p->audit->labels_only)
        return;
    const struct kind *most = NULL;
    for (size_t k = 0; k < KINDS; k++) {
        char text[TEXT_BYTES];
        size_t marked = p->audit->marks.total[kinds[k].mark];
        if (!is_worth_a_line(p->audit, &kinds[k]))
            continue;
        kind_words(p, &kinds[k], text);
        vg_page_row(p, any ? "" : "pictures", text);
        any = true;
        if (marked && (!most || marked > p->audit->marks.total[most->mark]))
            most = &kinds[k];
    }
    if (most)
        vg_page_command(p, vg_page_list_command(p, vg_mark_name(most->mark)));
    if (!any)
        vg_page_row(p, "pictures", "none is unlike the rest in light, sharpness, size or colour");
}

/* ---- JSON */

static json_t *number_or_null(double v)
{
    return isfinite(v) ? vg_json_number(v) : json_null();
}

static json_t *classes_of(const vg_audit_page *p, vg_mark mark, bool *ok)
{
    json_t *object = json_object();
    for (int k = 0; k < p->audit->classes; k++)
        if (p->audit->per_class[k].marked[mark]) {
            json_t *name = vg_json_text(vg_dataset_class_name(p->dataset, k));
            if (name)
                vg_json_set(object, json_string_value(name),
                            json_integer((json_int_t)p->audit->per_class[k].marked[mark]), ok);
            *ok &= name != NULL;
            json_decref(name);
        }
    return object;
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    json_t *all = json_object();
    for (size_t k = 0; k < KINDS && !p->audit->labels_only; k++) {
        const vg_limit *limit = &p->audit->quality.limits[kinds[k].mark];
        json_t *one = json_object();
        vg_json_set(one, "count", json_integer((json_int_t)p->audit->marks.total[kinds[k].mark]),
                    ok);
        vg_json_set(one, "low", limit->drawn ? number_or_null(limit->low) : json_null(), ok);
        vg_json_set(one, "high", limit->drawn ? number_or_null(limit->high) : json_null(), ok);
        vg_json_set(one, "median", limit->drawn ? number_or_null(limit->median) : json_null(), ok);
        vg_json_set(one, "common", json_integer((json_int_t)limit->common), ok);
        vg_json_set(one, "classes", classes_of(p, kinds[k].mark, ok), ok);
        vg_json_set(all, vg_mark_name(kinds[k].mark), one, ok);
    }
    vg_json_set(root, "pictures", p->audit->labels_only ? json_null() : json_incref(all), ok);
    json_decref(all);
}

/* ---- page */

struct far {
    double distance;
    size_t index;
};

/* The marked ones that are farthest from the usual; without a number those at equal distances. Returns how many. */
static size_t choose(const vg_audit *audit, vg_mark mark, struct far shown[MOST_SHOWN])
{
    const vg_limit *limit = &audit->quality.limits[mark];
    size_t n = 0, seen = 0, total = audit->marks.total[mark];
    for (size_t i = 0; i < audit->found; i++) {
        if (!vg_marks_has(&audit->marks, i, mark))
            continue;
        double value = vg_quality_value(&audit->facts[i], mark);
        bool ranked = isfinite(value) && mark != VG_MARK_GREY && mark != VG_MARK_BORDER;
        /* sizes and shapes by their ratio */
        double d = !ranked                          ? -(double)((seen * MOST_SHOWN) % total)
                   : value > 0 && limit->median > 0 ? fabs(log(value / limit->median))
                                                    : fabs(value - limit->median);
        seen++;
        size_t at = n < MOST_SHOWN ? n++ : MOST_SHOWN;
        for (; at > 0 && shown[at - 1].distance < d; at--)
            if (at < MOST_SHOWN)
                shown[at] = shown[at - 1];
        if (at < MOST_SHOWN)
            shown[at] = (struct far){d, i};
    }
    return n;
}

static vg_status put_thumbs(const vg_audit_page *p, const struct kind *kind, vg_error *err)
{
    struct far shown[MOST_SHOWN];
    size_t n = choose(p->audit, kind->mark, shown);
    vg_status status = VG_OK;
    fputs("<div class=\"scroll\" style=\"white-space:nowrap\">", p->out);
    for (size_t i = 0; !status && i < n; i++) {
        double value = vg_quality_value(&p->audit->facts[shown[i].index], kind->mark);
        char number[32] = "";
        if (isfinite(value) && kind->unit)
            number_words(value, kind->digits, number);
        fputs("<span style=\"display:inline-block;vertical-align:top;font-size:12px\">", p->out);
        status = vg_thumb_put(p->out, p->thumbs, p->dataset, shown[i].index, err);
        fprintf(p->out, "<br>%s</span>", number);
    }
    fputs("</div>\n", p->out);
    return status;
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    vg_status status = VG_OK;
    bool any = false;
    vg_html_section(p->out, "Pictures unlike the rest");
    for (size_t k = 0; !status && k < KINDS; k++) {
        char text[TEXT_BYTES];
        if (!is_worth_a_line(p->audit, &kinds[k]))
            continue;
        any = true;
        kind_words(p, &kinds[k], text);
        vg_html_paragraph(p->out, "%s.", text);
        if (p->audit->marks.total[kinds[k].mark])
            status = put_thumbs(p, &kinds[k], err);
    }
    if (!any)
        vg_html_paragraph(p->out,
                          "None: in light, sharpness, size and colour all are like the others.");
    return status;
}

/* ---- what to do first */

static void advise(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                   vg_advice *advice)
{
    static const struct {
        vg_mark mark;
        const char *after;
    } bad[] = {{VG_MARK_DARK, " --list dark"},
               {VG_MARK_LIGHT, " --list light"},
               {VG_MARK_BLURRED, " --list blurred"},
               {VG_MARK_LOW_INFORMATION, " --list low-information"}};
    (void)dataset;
    (void)findings;
    size_t most = 0;
    for (size_t k = 1; k < sizeof bad / sizeof *bad; k++)
        if (audit->marks.total[bad[k].mark] > audit->marks.total[bad[most].mark])
            most = k;
    size_t n = audit->marks.total[bad[most].mark];
    if (audit->labels_only || (double)n < many_bad * (double)audit->decoded || n == 0)
        return;
    advice->weight = weight_bad;
    advice->before = "balance-report ";
    advice->after = bad[most].after;
    snprintf(advice->text, sizeof advice->text,
             "%zu of %zu pictures are %s. Look whether what their label says can still be seen: a "
             "network is taught to guess where it cannot.",
             n, audit->decoded, vg_mark_words(bad[most].mark));
}

const vg_audit_section vg_section_pictures = {
    .name = "pictures", .text = put_text, .json = put_json, .html = put_html, .advise = advise};
