/* Sums over the facts in the order of the samples. Every judgement needs a
 * difference that is large in the unit of the pictures' own spread, and one
 * that chance does not explain; thresholds stand at the top. */
#include "audit/scale.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

/* A class mean so many standard deviations of single images off the others, and
 * so many standard errors ... */
static const double far_off = 1, certain = 4;
/* ... and off so large a part of the other classes by half of that, so that one
 * dark class makes not all others bright. */
static const double most_agree = 0.75;
/* Values that spread less than this share of what others do, or more than its
 * inverse. */
static const double flatter = 0.6;
/* Fewer images of a class, or of all others, say nothing. */
static const size_t few = 5, few_others = 10;
/* Above this, light that differs from image to image is most of what a network
 * sees. */
static const double mostly_light = 0.5;
/* Less of 256 levels is a narrow range; extremes twice as far apart as that are
 * tails. */
static const int narrow_range = 64;

static bool counts(const vg_dataset *dataset, const vg_facts *facts, size_t i)
{
    return (facts[i].flags & VG_FACT_DECODED) && vg_dataset_split(dataset, i) == VG_SPLIT_TRAIN;
}

static double spread_of(const vg_facts *f)
{
    double sum = 0;
    for (int c = 0; c < 3; c++)
        sum += (double)f->std[c] * (double)f->std[c];
    return sqrt(sum / 3);
}

/* First sums: `std` of squares, `mean` of values, by pixels (`pixels` of each
 * class); the others by images. */
static void add(vg_scale_class *class, double *pixels, const vg_facts *f)
{
    double n = (double)f->width * (double)f->height;
    class->images++;
    *pixels += n;
    for (int c = 0; c < 3; c++) {
        double mean = (double)f->mean[c], std = (double)f->std[c];
        class->mean[c] += n * mean;
        class->std[c] += n * (std * std + mean * mean);
        class->level[c] += mean;
        class->level_std[c] += mean * mean;
    }
    class->spread += spread_of(f);
    class->spread_std += spread_of(f) * spread_of(f);
}

static double deviation(double squares, double n, double mean)
{
    return sqrt(fmax(squares / n - mean * mean, 0));
}

static void finish(vg_scale_class *class, double pixels)
{
    double n = (double)class->images;
    if (class->images == 0)
        return;
    for (int c = 0; c < 3; c++) {
        class->mean[c] /= pixels;
        class->std[c] = deviation(class->std[c], pixels, class->mean[c]);
        class->level[c] /= n;
        class->level_std[c] = deviation(class->level_std[c], n, class->level[c]);
    }
    class->spread /= n;
    class->spread_std = deviation(class->spread_std, n, class->spread);
}

/* Mean and standard deviation within classes of what `member` says, over the
 * images of all classes but `label`. */
typedef struct rest {
    double mean, std, images;
} rest;

typedef double value_of(const vg_scale_class *class, int channel, double *std);

static double level_of(const vg_scale_class *class, int channel, double *std)
{
    *std = class->level_std[channel];
    return class->level[channel];
}

static double spread_of_class(const vg_scale_class *class, int channel, double *std)
{
    (void)channel;
    *std = class->spread_std;
    return class->spread;
}

static rest rest_of(const vg_scale *s, int label, int channel, value_of *value)
{
    rest r = {0};
    for (int k = 0; k < s->classes; k++) {
        double std, n = (double)s->per_class[k].images;
        if (k == label || s->per_class[k].images == 0)
            continue;
        r.mean += n * value(&s->per_class[k], channel, &std);
        r.std += n * std * std;
        r.images += n;
    }
    if (r.images > 0) {
        r.mean /= r.images;
        r.std = sqrt(r.std / r.images);
    }
    return r;
}

/* The pooled standard deviation of single images, at least one grey level. */
static double unit_of(const vg_scale_class *class, int channel, value_of *value, const rest *r)
{
    double std;
    value(class, channel, &std);
    return fmax(sqrt((std * std + r->std * r->std) / 2), 1);
}

static double agreeing(const vg_scale *s, int label, int channel, double z, double unit)
{
    int others = 0, agree = 0;
    double std, own = level_of(&s->per_class[label], channel, &std);
    for (int k = 0; k < s->classes; k++) {
        if (k == label || s->per_class[k].images == 0)
            continue;
        double d = own - level_of(&s->per_class[k], channel, &std);
        others++;
        agree += z < 0 ? d < -unit / 2 : d > unit / 2;
    }
    return others ? (double)agree / others : 0;
}

/* The strongest way in which a class is on another scale; false if there is
 * none. */
static bool judge_class(const vg_scale *s, int label, vg_scale_off *off)
{
    const vg_scale_class *class = &s->per_class[label];
    double root = sqrt((double)class->images), std;
    bool found = false;
    if (class->images < few || (double)(s->all.images - class->images) < (double)few_others)
        return false;
    for (int c = 0; c < s->channels; c++) {
        rest r = rest_of(s, label, c, level_of);
        double unit = unit_of(class, c, level_of, &r), z = (class->level[c] - r.mean) / unit;
        if (fabs(z) < far_off || fabs(z) * root < certain ||
            agreeing(s, label, c, z, unit) < most_agree || (found && fabs(z) <= fabs(off->z)))
            continue;
        *off = (vg_scale_off){label, c, class->level[c], r.mean, z};
        found = true;
    }
    if (found)
        return true;
    rest r = rest_of(s, label, 0, spread_of_class);
    double value = spread_of_class(class, 0, &std), unit = unit_of(class, 0, spread_of_class, &r);
    *off = (vg_scale_off){label, -1, value, r.mean, (value - r.mean) / unit};
    return fabs(off->z) * root >= certain && (value < flatter * r.mean || value > r.mean / flatter);
}

static vg_status find_off(vg_scale *s, vg_error *err)
{
    s->off = vg_alloc((size_t)s->classes, sizeof *s->off);
    if (!s->off)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", s->classes);
    for (int k = 0; k < s->classes; k++)
        s->off_count += judge_class(s, k, &s->off[s->off_count]);
    return VG_OK;
}

/* Shares of variance: of pixels between images, of images' levels between
 * classes (omega squared, which chance alone leaves at 0). Each image counts
 * alike, channels are added up. */
static void split_variance(vg_scale *s)
{
    double within = 0, levels = 0, inside = 0, n = (double)s->all.images;
    int present = 0;
    for (int k = 0; k < s->classes; k++) {
        const vg_scale_class *class = &s->per_class[k];
        present += class->images > 0;
        for (int c = 0; c < 3; c++)
            inside += (double)class->images * class->level_std[c] * class->level_std[c];
    }
    within = 3 * n * (s->all.spread * s->all.spread + s->all.spread_std * s->all.spread_std);
    for (int c = 0; c < 3; c++)
        levels += n * s->all.level_std[c] * s->all.level_std[c];
    s->between = within + levels > 0 ? levels / (within + levels) : 0;
    if (levels > 0 && n > present && present > 1) {
        double error = inside / (n - present);
        s->by_class = fmax((levels - inside - (present - 1) * error) / (levels + error), 0);
    }
}

static void find_range(vg_scale *s, const vg_channel_stats *stats)
{
    s->narrow = true;
    for (int c = 0; c < s->channels; c++) {
        s->low[c] = vg_channel_percentile(stats, c, 0.01);
        s->high[c] = vg_channel_percentile(stats, c, 0.99);
        int used = s->high[c] - s->low[c];
        s->narrow &= used < narrow_range;
        s->tails |= stats->max[c] - stats->min[c] > 2 * (used > 1 ? used : 1) &&
                    stats->max[c] - stats->min[c] > narrow_range / 4;
    }
    s->tails &= s->narrow;
}

static void recommend(vg_scale *s, const vg_channel_stats *stats)
{
    s->kind = VG_NORMALIZE_ZSCORE;
    if (s->off_count || s->between > mostly_light)
        s->kind = VG_NORMALIZE_IMAGE_ZSCORE;
    else if (s->tails)
        s->kind = VG_NORMALIZE_ROBUST;
    vg_scale_words(s, stats, s->kind, s->why, sizeof s->why);
}

vg_status vg_scale_judge(const vg_dataset *dataset, const vg_facts *facts,
                         const vg_channel_stats *stats, vg_scale *scale, vg_error *err)
{
    int classes = vg_dataset_classes(dataset);
    double whole = 0;
    *scale = (vg_scale){.classes = classes, .kind = VG_NORMALIZE_ZSCORE};
    scale->per_class = vg_calloc((size_t)classes, sizeof *scale->per_class);
    double *pixels = vg_calloc((size_t)classes, sizeof *pixels);
    if (!scale->per_class || !pixels) {
        free(pixels);
        vg_scale_reset(scale);
        return vg_fail(err, VG_E_NOMEM, "out of memory for the scale of %d classes", classes);
    }
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        if (!counts(dataset, facts, i))
            continue;
        int k = vg_dataset_label(dataset, i);
        add(&scale->per_class[k], &pixels[k], &facts[i]);
        add(&scale->all, &whole, &facts[i]);
        scale->deep += facts[i].bits > 8;
    }
    for (int k = 0; k < classes; k++)
        finish(&scale->per_class[k], pixels[k]);
    finish(&scale->all, whole);
    free(pixels);
    if (scale->all.images == 0 || stats->count == 0)
        return VG_OK;
    scale->channels = stats->channels;
    split_variance(scale);
    find_range(scale, stats);
    vg_status status = find_off(scale, err);
    if (status)
        vg_scale_reset(scale);
    else
        recommend(scale, stats);
    return status;
}

void vg_scale_reset(vg_scale *scale)
{
    free(scale->per_class);
    free(scale->off);
    *scale = (vg_scale){0};
}

const char *vg_scale_channel(const vg_scale *scale, int channel)
{
    static const char *const rgb[] = {"red", "green", "blue"};
    return channel < 0 ? "spread" : scale->channels == 1 ? "grey" : rgb[channel];
}

/* ---- in words */

/* The widest span of the percentiles, and of the extremes. */
static void widest(const vg_scale *s, const vg_channel_stats *stats, int used[2], int ends[2])
{
    used[0] = ends[0] = 255;
    used[1] = ends[1] = 0;
    for (int c = 0; c < s->channels; c++) {
        used[0] = s->low[c] < used[0] ? s->low[c] : used[0];
        used[1] = s->high[c] > used[1] ? s->high[c] : used[1];
        ends[0] = stats->min[c] < ends[0] ? stats->min[c] : ends[0];
        ends[1] = stats->max[c] > ends[1] ? stats->max[c] : ends[1];
    }
}

static void words_of_image(const vg_scale *s, char *text, size_t capacity)
{
    double between = 100 * s->between;
    if (s->off_count)
        snprintf(text, capacity,
                 "each picture by itself: %zu of %d classes %s on another scale, which a network "
                 "learns before shapes; this takes it away. Where the level is what the class is, "
                 "as night and day, keep zscore",
                 s->off_count, s->classes, s->off_count == 1 ? "lies" : "lie");
    else if (s->between > mostly_light)
        snprintf(text, capacity,
                 "each picture by itself: %.0f %% of the variance lies between the pictures, in "
                 "their levels, which is light and exposure rather than content",
                 between);
    else
        snprintf(text, capacity,
                 "would take the level of each picture away, which is %.0f %% of the variance and "
                 "differs between classes by chance or little (they explain %.0f %% of it)",
                 between, 100 * s->by_class);
}

void vg_scale_words(const vg_scale *s, const vg_channel_stats *stats, vg_normalization kind,
                    char *text, size_t capacity)
{
    int used[2], ends[2];
    widest(s, stats, used, ends);
    switch (kind) {
    case VG_NORMALIZE_IMAGE_ZSCORE:
        words_of_image(s, text, capacity);
        break;
    case VG_NORMALIZE_MINMAX:
        if (ends[0] == 0 && ends[1] == 255)
            snprintf(text, capacity,
                     "0 and 255 both occur, so that it is v / 255 and nothing more: values keep "
                     "their mean, and half of the range may be empty");
        else
            snprintf(text, capacity,
                     "set by the extremes alone, %d and %d, which a single picture can move",
                     ends[0], ends[1]);
        break;
    case VG_NORMALIZE_ROBUST:
        snprintf(text, capacity,
                 "by percentiles: 98 %% of the values lie between %d and %d, the extremes are %d "
                 "and %d%s",
                 used[0], used[1], ends[0], ends[1],
                 s->tails ? ", so that neither min-max nor the deviation shows what lies between"
                          : "; nothing is gained where no extremes lie far off");
        break;
    default:
        if (s->off_count || s->between > mostly_light)
            snprintf(text, capacity,
                     "one mean and deviation a channel for all pictures, which leaves the levels "
                     "of single pictures (%.0f %% of the variance) as they are",
                     100 * s->between);
        else
            snprintf(text, capacity,
                     "one mean and deviation a channel for all pictures: no class lies on a scale "
                     "of its own, and %.0f %% of the variance lies within the pictures",
                     100 * (1 - s->between));
        break;
    }
}
