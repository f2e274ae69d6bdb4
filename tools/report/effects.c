/* Rows of the table that says what changes did, and the same as JSON. */
#include "report/effects.h"

#include "cli.h"
#include "report/escape.h"
#include "report/run.h"

#include <math.h>

void vg_effect_head(FILE *out, const char *name, int columns, const char *dim, const char *off)
{
    fputs(dim, out);
    vg_cli_pad(out, name, columns);
    vg_cli_pad(out, "output diversity", 22);
    vg_cli_pad(out, "effective classes", 22);
    vg_cli_pad(out, "balanced accuracy", 27);
    fprintf(out, "verdict%s\n", off);
}

static void before_after(char *text, size_t capacity, const vg_change_effect *e, int measure,
                         double factor, const char *format)
{
    char a[24], b[24];
    snprintf(a, sizeof a, format, factor * e->before[measure]);
    snprintf(b, sizeof b, format, factor * e->after[measure]);
    snprintf(text, capacity, "%s -> %s %s", a, b, vg_run_stars(e->measures[measure].p_corrected));
}

void vg_effect_row(FILE *out, const vg_change_effect *e, double labels, int columns,
                   const char *good, const char *bad, const char *off)
{
    enum { INFORMATION, EFFECTIVE, ACCURACY = 5 };
    const vg_paired *accuracy = &e->measures[ACCURACY];
    char information[64], effective[64], points[80];
    before_after(information, sizeof information, e, INFORMATION, 1, "%.2f");
    before_after(effective, sizeof effective, e, EFFECTIVE, labels, "%.1f");
    if (isfinite(accuracy->low) && isfinite(accuracy->high))
        snprintf(points, sizeof points, "%+5.1f [%.1f, %.1f] %s", 100 * accuracy->difference,
                 100 * accuracy->low, 100 * accuracy->high, vg_run_stars(accuracy->p_corrected));
    else
        snprintf(points, sizeof points, "%+5.1f (one pair)", 100 * accuracy->difference);
    vg_cli_pad(out, e->name, columns);
    vg_cli_pad(out, information, 22);
    vg_cli_pad(out, effective, 22);
    vg_cli_pad(out, points, 27);
    const char *colour = accuracy->low > 0 ? good : accuracy->high < 0 ? bad : "";
    fprintf(out, "%s%s%s\n", colour, e->word, *colour ? off : "");
}

json_t *vg_effect_json(const vg_change_effect *effect, int seeds)
{
    bool ok = true;
    json_t *o = json_object(), *measures = json_object();
    vg_json_set(o, "name", vg_json_text(effect->name), &ok);
    for (int i = 0; i < VG_MEASURES; i++) {
        const vg_paired *p = &effect->measures[i];
        json_t *m = json_object();
        vg_json_set(m, "difference", vg_json_number(p->difference), &ok);
        vg_json_set(m, "low", vg_json_number(p->low), &ok);
        vg_json_set(m, "high", vg_json_number(p->high), &ok);
        vg_json_set(m, "p", vg_json_number(p->p_corrected), &ok);
        vg_json_set(m, "p_uncorrected", vg_json_number(p->p), &ok);
        vg_json_set(m, "before", vg_json_number(effect->before[i]), &ok);
        vg_json_set(m, "after", vg_json_number(effect->after[i]), &ok);
        vg_json_set(m, "n", json_integer(p->n), &ok);
        vg_json_set(m, "seeds_needed",
                    p->seeds_needed > 0 ? json_integer(p->seeds_needed) : json_null(), &ok);
        vg_json_set(measures, vg_measure_name(i), m, &ok);
    }
    vg_json_set(o, "measures", measures, &ok);
    vg_json_set(o, "seeds", json_integer(seeds), &ok);
    vg_json_set(o, "seconds", vg_json_number(effect->seconds), &ok);
    vg_json_set(o, "word", vg_json_text(effect->word), &ok);
    if (ok)
        return o;
    json_decref(o);
    return NULL;
}
