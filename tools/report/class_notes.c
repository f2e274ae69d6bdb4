/* A class as a whole against all others: what a network could name it by without a look at what is in the pictures.
 *
 * A remark needs a difference that is large (in the unit of the pictures' own spread, or as a share) and one that chance
 * does not explain; of light and sharpness also that most of the other classes, each by itself, lie on the other side: one
 * dark class must not make all others "brighter". */
#include "report/class_notes.h"

#include "base/statistics.h"

#include <math.h>
#include <stdarg.h>
#include <string.h>

enum { LEAST = 5, LEAST_OTHERS = 10 }; /* pictures */
/* A class mean that lies one standard deviation of single pictures off the others. */
static const double far_off = 1;
static const double sigmas = 4; /* of the mean */
/* ... and off most of the other classes, each by itself. */
static const double most_agree = 0.75;
/* Edges that are a quarter wider or narrower: less does not show. */
static const double other_edges = 1.25;
/* A share above that of the others by more than this, its interval's lower end that is. */
static const double more_often = 0.05;
/* Of JPEG's 100: the tables differ by about a fifth. */
static const double other_quality = 8;

void vg_class_note(vg_class_finding *class, bool accuse, const char *format, ...)
{
    size_t used = strlen(class->note);
    if (used && used + 2 < sizeof class->note) {
        memcpy(class->note + used, "; ", 3);
        used += 2;
    }
    va_list args;
    va_start(args, format);
    vsnprintf(class->note + used, sizeof class->note - used, format, args);
    va_end(args);
    class->accused |= accuse;
}

/* Means over the pictures of all classes but one. */
typedef struct others {
    double brightness, contrast, width, height, grey, bordered; /* the last two: shares */
    double spread;                                              /* of brightness within classes */
    double pictures;
    double edge, edge_spread, edged;
    double quality, jpegs;
    double marked[VG_MARKS]; /* counts */
} others;

static void add_class(const vg_audit_class *c, others *o)
{
    double n = (double)c->decoded, e = (double)c->edged;
    o->pictures += n;
    o->brightness += n * c->brightness;
    o->contrast += n * c->contrast;
    o->width += n * c->width;
    o->height += n * c->height;
    o->grey += (double)c->grey;
    o->bordered += (double)c->bordered;
    o->spread += n * c->brightness_std * c->brightness_std;
    o->edged += e;
    o->edge += e * c->edge;
    o->edge_spread += e * c->edge_std * c->edge_std;
    o->jpegs += (double)c->jpegs;
    o->quality += (double)c->jpegs * c->quality;
    for (int m = 0; m < VG_MARKS; m++)
        o->marked[m] += (double)c->marked[m];
}

static others others_of(const vg_audit *audit, int label)
{
    others o = {0};
    for (int k = 0; k < audit->classes; k++)
        if (k != label && audit->per_class[k].decoded)
            add_class(&audit->per_class[k], &o);
    double n = fmax(o.pictures, 1), e = fmax(o.edged, 1);
    o.brightness /= n;
    o.contrast /= n;
    o.width /= n;
    o.height /= n;
    o.grey /= n;
    o.bordered /= n;
    o.spread = sqrt(o.spread / n);
    o.edge /= e;
    o.edge_spread = sqrt(o.edge_spread / e);
    o.quality /= fmax(o.jpegs, 1);
    return o;
}

static double brightness_of(const vg_audit_class *c)
{
    return c->decoded ? c->brightness : NAN;
}

static double edge_of(const vg_audit_class *c)
{
    return c->edged ? c->edge : NAN;
}

/* Share of the other classes from which this one lies off in direction `off` by more than half a spread. */
static double agreeing(const vg_audit *audit, int label, double (*of)(const vg_audit_class *c),
                       double off, double spread)
{
    int rest = 0, agree = 0;
    for (int k = 0; k < audit->classes; k++) {
        double d = of(&audit->per_class[label]) - of(&audit->per_class[k]);
        if (k == label || isnan(d))
            continue;
        rest++;
        agree += off < 0 ? d < -spread / 2 : d > spread / 2;
    }
    return rest ? (double)agree / rest : 0;
}

static double both_spreads(double a, double b, double least)
{
    return fmax(sqrt((a * a + b * b) / 2), least);
}

static void note_light(const vg_audit *audit, const others *o, vg_class_finding *class)
{
    const vg_audit_class *c = &audit->per_class[class->label];
    double spread = both_spreads(o->spread, c->brightness_std, 1.0 / 255);
    double off = (c->brightness - o->brightness) / spread;
    if (fabs(off) >= far_off && fabs(off) * sqrt((double)c->decoded) > sigmas &&
        agreeing(audit, class->label, brightness_of, off, spread) >= most_agree)
        vg_class_note(class, true, "%s than the others: %.2f ± %.2f against %.2f ± %.2f",
                      off < 0 ? "darker" : "brighter", c->brightness, c->brightness_std,
                      o->brightness, o->spread);
    if (c->contrast < 0.6 * o->contrast)
        vg_class_note(class, false, "flat: contrast %.2f against %.2f", c->contrast, o->contrast);
}

static void note_sharpness(const vg_audit *audit, const others *o, vg_class_finding *class)
{
    const vg_audit_class *c = &audit->per_class[class->label];
    if (c->edged < LEAST || o->edged < LEAST_OTHERS)
        return;
    double spread = both_spreads(o->edge_spread, c->edge_std, 0.01);
    double off = (c->edge - o->edge) / spread;
    if (fabs(off) >= far_off && fabs(off) * sqrt((double)c->edged) > sigmas &&
        fabs(c->edge - o->edge) > log(other_edges) &&
        agreeing(audit, class->label, edge_of, off, spread) >= most_agree)
        vg_class_note(class, true, "%s: edges of %.1f pixels against %.1f",
                      off > 0 ? "blurred" : "sharper", exp(c->edge), exp(o->edge));
}

/* A share that is more than the others'. */
static void note_share(vg_class_finding *class, size_t k, size_t n, double others_share,
                       const char *words)
{
    double low, high;
    vg_wilson((double)k, (double)n, &low, &high);
    if (low > others_share + more_often && low > 2 * others_share)
        vg_class_note(class, (double)k > 0.5 * (double)n && others_share < 0.1,
                      "%.0f %% %s (others %.0f %%)", 100 * (double)k / (double)n, words,
                      100 * others_share);
}

/* Marks that are told one by one above, or belong to another room. */
static const struct {
    vg_mark mark;
    const char *words;
} gathered[] = {
    {VG_MARK_WARNING, "with a decoder's warning"},
    {VG_MARK_WRONG_EXTENSION, "with the wrong extension"},
    {VG_MARK_TURNED, "turned by EXIF"},
    {VG_MARK_HUGE, "huge"},
    {VG_MARK_ODD_COLOUR, "of an odd colour type"},
    {VG_MARK_FLAT, "of one colour"},
    {VG_MARK_DARK, "dark"},
    {VG_MARK_LIGHT, "light"},
    {VG_MARK_BLURRED, "blurred"},
    {VG_MARK_LOW_INFORMATION, "nearly empty"},
    {VG_MARK_ODD_SIZE, "of an odd size"},
    {VG_MARK_ODD_ASPECT, "of an odd shape"},
};

void vg_class_note_looks(const vg_audit *audit, vg_class_finding *class)
{
    const vg_audit_class *c = &audit->per_class[class->label];
    if (c->decoded < LEAST)
        return;
    others o = others_of(audit, class->label);
    if (o.pictures < LEAST_OTHERS)
        return;
    note_light(audit, &o, class);
    note_sharpness(audit, &o, class);
    double size = sqrt(c->width * c->height), other_size = sqrt(o.width * o.height);
    if (size < other_size / 1.5 || size > other_size * 1.5)
        vg_class_note(class, false, "%s: about %.0fx%.0f pixels against %.0fx%.0f",
                      size < other_size ? "smaller" : "larger", c->width, c->height, o.width,
                      o.height);
    note_share(class, c->grey, c->decoded, o.grey, "without colour");
    note_share(class, c->bordered, c->decoded, o.bordered, "framed by one colour");
    if (c->jpegs >= LEAST && o.jpegs >= LEAST_OTHERS &&
        fabs(c->quality - o.quality) >= other_quality)
        vg_class_note(class, false, "compressed %s: JPEG quality about %.0f against %.0f",
                      c->quality < o.quality ? "harder" : "less", c->quality, o.quality);
    for (size_t m = 0; m < sizeof gathered / sizeof *gathered; m++)
        note_share(class, c->marked[gathered[m].mark], c->decoded,
                   o.marked[gathered[m].mark] / o.pictures, gathered[m].words);
}

int vg_class_gathers(const vg_audit *audit, vg_mark mark)
{
    size_t all = 0;
    int most = 0;
    for (int k = 0; k < audit->classes; k++) {
        all += audit->per_class[k].decoded;
        if (audit->per_class[k].marked[mark] > audit->per_class[most].marked[mark])
            most = k;
    }
    double marked = (double)audit->marks.total[mark],
           own = (double)audit->per_class[most].marked[mark];
    double share = all ? (double)audit->per_class[most].decoded / (double)all : 1;
    return own >= LEAST && own >= 0.5 * marked && own >= 2 * share * marked ? most : -1;
}
