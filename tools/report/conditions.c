/* One table of numbers. A name is refused when it is mistyped or when its number would not be there, before the
 * dataset is read: a condition that can never hold is the alarm that nobody hears. */
#include "report/conditions.h"

#include "audit/against.h"
#include "base/alloc.h"
#include "base/text.h"

#include <ctype.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

typedef struct source {
    const vg_audit *audit;
    const vg_findings *findings;
} source;

typedef enum unit { COUNT_OF_IMAGES, SHARE, PLAIN } unit;

static double of_imbalance(const source *s)
{
    return s->findings->all.imbalance_ratio;
}

static double of_train_imbalance(const source *s)
{
    return s->findings->train.imbalance_ratio;
}

static double of_entropy(const source *s)
{
    return s->findings->all.entropy;
}

static double of_effective(const source *s)
{
    return s->findings->all.effective_classes;
}

static double of_majority(const source *s)
{
    return s->findings->all.majority_share;
}

static double of_classes(const source *s)
{
    return s->findings->count;
}

static double of_images(const source *s)
{
    return (double)s->findings->all.total;
}

static double of_smallest(const source *s)
{
    double least = INFINITY;
    for (int i = 0; i < s->findings->count; i++)
        least = fmin(least, (double)s->findings->classes[i].total);
    return isfinite(least) ? least : 0;
}

static double of_least_tested(const source *s)
{
    double least = INFINITY;
    for (int i = 0; i < s->findings->count; i++)
        least = fmin(least, (double)s->findings->classes[i].tested);
    return isfinite(least) ? least : 0;
}

static double of_untrained(const source *s)
{
    return s->findings->count - s->findings->train.present;
}

/* Val or test lacks them; a split that was drawn by hash is judged as well: it is what is measured on. */
static double of_absent(const source *s)
{
    const vg_labels *labels = &s->audit->labels;
    return fmax(labels->absent[VG_SPLIT_VAL], labels->absent[VG_SPLIT_TEST]);
}

static double of_drift(const source *s)
{
    double most = 0;
    for (int i = 0; i < s->audit->labels.drift_count; i++) {
        const vg_drift *drift = &s->audit->labels.drift[i];
        if (drift->word == VG_DRIFT_SOME || drift->word == VG_DRIFT_GRAVE)
            most = fmax(most, drift->distance);
    }
    return most;
}

static double of_blind(const source *s)
{
    const vg_labels *labels = &s->audit->labels;
    vg_split split = labels->split[VG_SPLIT_VAL].total ? VG_SPLIT_VAL : VG_SPLIT_TEST;
    return labels->power[split].blind + labels->absent[split];
}

static double of_sorted(const source *s)
{
    return s->audit->labels.order.sorted;
}

static double of_alike(const source *s)
{
    return (double)s->findings->alike_count;
}

static double of_shortcut(const source *s)
{
    return s->audit->shortcut_count ? s->audit->shortcuts[0].accuracy : 0;
}

static double of_copies(const source *s)
{
    double n = 0;
    for (size_t i = 0; i < s->audit->marks.count; i++)
        n += vg_marks_has(&s->audit->marks, i, VG_MARK_EXACT_COPY) ||
             vg_marks_has(&s->audit->marks, i, VG_MARK_NEAR_COPY);
    return n;
}

static double of_moved(const source *s)
{
    return s->findings->against->moved;
}

static double of_class_distance(const source *s)
{
    return s->findings->against->shares.distance;
}

static double of_picture_distance(const source *s)
{
    const vg_against *a = s->findings->against;
    return a->property_count ? a->properties[0].distance : 0;
}

static double of_new_classes(const source *s)
{
    return (double)s->findings->against->only[1];
}

static double of_missing_classes(const source *s)
{
    return (double)s->findings->against->only[0];
}

static double of_copies_across(const source *s)
{
    return (double)s->findings->against->across_count;
}

/* The numbers beside the marks, which come after them. */
static const struct number {
    const char *name, *plural; /* plural NULL: there is none */
    unit unit;
    int needs;
    double (*value)(const source *s);
    const char *words;
} numbers[] = {
    {"imbalance", NULL, PLAIN, 0, of_imbalance,
     "images of the largest class / of the smallest that has any"},
    {"train-imbalance", NULL, PLAIN, 0, of_train_imbalance, "the same of the training images"},
    {"entropy", NULL, PLAIN, 0, of_entropy, "of the class shares, in nats"},
    {"effective-classes", NULL, PLAIN, 0, of_effective, "exp(entropy)"},
    {"majority", NULL, SHARE, 0, of_majority, "share of the largest class"},
    {"classes", "class", PLAIN, 0, of_classes, "how many there are"},
    {"images", "image", PLAIN, 0, of_images, "how many there are"},
    {"smallest-class", NULL, PLAIN, 0, of_smallest, "images of the smallest class"},
    {"least-tested", NULL, PLAIN, 0, of_least_tested,
     "fewest images that the accuracy of a class is measured on"},
    {"untrained-class", "untrained-classes", PLAIN, 0, of_untrained,
     "classes without a training image"},
    {"absent-class", "absent-classes", PLAIN, 0, of_absent,
     "classes without an image in val, or without one in test"},
    {"blind-class", "blind-classes", PLAIN, 0, of_blind,
     "classes with too few held-out images to see that a network never names them"},
    {"drift", NULL, PLAIN, 0, of_drift,
     "largest distance between splits' shares of classes, 0 where it is chance or on purpose"},
    {"sorted", NULL, PLAIN, 0, of_sorted, "1 if the stored data is sorted by class"},
    {"alike-name", "alike-names", PLAIN, 0, of_alike, "pairs of classes with nearly one name"},
    {"shortcut", "shortcuts", SHARE, VG_NEEDS_PICTURES, of_shortcut,
     "accuracy that one property alone gives, 0 if none is above chance"},
    {"copy", "copies", COUNT_OF_IMAGES, VG_NEEDS_PICTURES, of_copies,
     "exact or near copies of another image"},
    {"moved", NULL, PLAIN, VG_NEEDS_OTHER, of_moved,
     "class shares and properties of the pictures that moved"},
    {"class-distance", NULL, SHARE, VG_NEEDS_OTHER, of_class_distance,
     "Jensen-Shannon distance of the class shares"},
    {"picture-distance", NULL, SHARE, VG_NEEDS_OTHER | VG_NEEDS_PICTURES, of_picture_distance,
     "distance of the property that is farthest apart"},
    {"new-class", "new-classes", PLAIN, VG_NEEDS_OTHER, of_new_classes,
     "classes that only the other dataset has"},
    {"missing-class", "missing-classes", PLAIN, VG_NEEDS_OTHER, of_missing_classes,
     "classes that the other dataset lacks"},
    {"copy-across", "copies-across", PLAIN, VG_NEEDS_OTHER | VG_NEEDS_PICTURES, of_copies_across,
     "pictures of the other dataset that are also here"},
};
enum { NUMBERS = sizeof numbers / sizeof *numbers };

static unit unit_of(int number)
{
    return number < NUMBERS ? numbers[number].unit : COUNT_OF_IMAGES;
}

static const char *name_of(int number)
{
    return number < NUMBERS ? numbers[number].name : vg_mark_name((vg_mark)(number - NUMBERS));
}

static const char *meaning_of(int number)
{
    return number < NUMBERS ? numbers[number].words : vg_mark_words((vg_mark)(number - NUMBERS));
}

static int needs_of(int number)
{
    if (number < NUMBERS)
        return numbers[number].needs;
    return number - NUMBERS == VG_MARK_LABEL_ERROR ? VG_NEEDS_PICTURES | VG_NEEDS_PREDICTIONS
                                                   : VG_NEEDS_PICTURES;
}

/* ---- parsing */

/* "leaks" is "leak", "exact-copies" is "exact-copy". */
static bool is_plural_of(const char *word, const char *name)
{
    size_t n = strlen(name), w = strlen(word);
    if (n && name[n - 1] == 'y')
        return w == n + 2 && strncmp(word, name, n - 1) == 0 && strcmp(word + n - 1, "ies") == 0;
    return w == n + 1 && strncmp(word, name, n) == 0 && word[n] == 's';
}

static int find(const char *word)
{
    for (int i = 0; i < NUMBERS + VG_MARKS; i++) {
        const char *name = name_of(i), *plural = i < NUMBERS ? numbers[i].plural : NULL;
        if (strcmp(word, name) == 0 || (plural && strcmp(word, plural) == 0) ||
            (i >= NUMBERS && is_plural_of(word, name)))
            return i;
    }
    return -1;
}

static vg_status unknown(const char *text, char *word, vg_error *err)
{
    const char *names[NUMBERS + VG_MARKS];
    char list[700] = "";
    for (int i = 0; i < NUMBERS + VG_MARKS; i++) {
        names[i] = name_of(i);
        vg_text_append(list, sizeof list, "%s%s", i ? ", " : "", names[i]);
    }
    const char *near = vg_nearest(word, names, NUMBERS + VG_MARKS);
    size_t length = strlen(word);
    if (!near && length && word[length - 1] == 's') { /* a mistyped plural */
        word[length - 1] = '\0';
        near = vg_nearest(word, names, NUMBERS + VG_MARKS);
        word[length - 1] = 's';
    }
    if (near)
        return vg_fail(err, VG_E_ARG, "\"%.60s\": there is no \"%.40s\"; did you mean \"%s\"?",
                       text, word, near);
    return vg_fail(err, VG_E_ARG, "\"%.60s\": there is no \"%.40s\", but %s", text, word, list);
}

static bool take_operator(const char **at, vg_comparing *comparing)
{
    static const char *const words[] = {">=", ">", "<=", "<", "=="};
    static const vg_comparing meant[] = {VG_COMPARING_AT_LEAST, VG_COMPARING_ABOVE,
                                         VG_COMPARING_AT_MOST, VG_COMPARING_BELOW,
                                         VG_COMPARING_EQUAL};
    for (int i = 0; i < 5; i++)
        if (strncmp(*at, words[i], strlen(words[i])) == 0) {
            *at += strlen(words[i]);
            *comparing = meant[i];
            return true;
        }
    return false;
}

/* The number behind the operator, with or without %. */
static vg_status take_bound(const char *at, vg_condition *c, vg_error *err)
{
    char number[40];
    unit of = unit_of(c->number);
    at += strspn(at, " \t");
    size_t length = strlen(at);
    bool percent = length && at[length - 1] == '%';
    length -= percent;
    while (length && isspace((unsigned char)at[length - 1]))
        length--;
    snprintf(number, sizeof number, "%.*s", length < sizeof number ? (int)length : 0, at);
    if (!vg_text_number(number, &c->bound) || c->bound < 0)
        return vg_fail(err, VG_E_ARG, "\"%s\": expected a number from 0 on after the operator",
                       c->text);
    if (percent && of == PLAIN)
        return vg_fail(err, VG_E_ARG, "\"%s\": %s is no share, expected a number without %%",
                       c->text, c->name);
    c->share =
        of == SHARE || (of == COUNT_OF_IMAGES && (percent || (c->bound > 0 && c->bound < 1)));
    if (percent)
        c->bound /= 100;
    if (c->share && c->bound > 1)
        return vg_fail(err, VG_E_ARG, "\"%s\": a share is at most 1, or 100 %%", c->text);
    return VG_OK;
}

static vg_status parse(const char *text, size_t length, vg_condition *c, vg_error *err)
{
    char word[80];
    if (length >= sizeof c->text)
        return vg_fail(err, VG_E_ARG, "\"%.60s...\": a condition has less than %zu letters", text,
                       sizeof c->text);
    snprintf(c->text, sizeof c->text, "%.*s", (int)length, text);
    size_t end = strcspn(c->text, "<>=");
    const char *at = c->text + end;
    if (!take_operator(&at, &c->comparing))
        return vg_fail(err, VG_E_ARG,
                       "\"%s\": expected NAME OPERATOR NUMBER with one of > >= < <= ==, as in "
                       "leaks>0",
                       c->text);
    while (end && isspace((unsigned char)c->text[end - 1]))
        end--;
    for (size_t i = 0; i < end; i++)
        word[i] = c->text[i] == '_' || c->text[i] == ' ' ? '-' : c->text[i];
    word[end] = '\0';
    c->number = find(word);
    if (c->number < 0)
        return unknown(c->text, word, err);
    c->name = name_of(c->number);
    c->meaning = meaning_of(c->number);
    return take_bound(at, c, err);
}

vg_status vg_conditions_add(vg_conditions *conditions, const char *line, vg_error *err)
{
    bool any = false;
    while (*line) {
        const char *from = line + strspn(line, " \t"), *end = line + strcspn(line, ",");
        line = end + (*end == ',');
        while (end > from && isspace((unsigned char)end[-1]))
            end--;
        if (end <= from)
            continue;
        vg_condition c = {0};
        vg_status status = parse(from, (size_t)(end - from), &c, err);
        if (status)
            return status;
        vg_condition *more = vg_realloc(conditions->list, conditions->count + 1, sizeof *more);
        if (!more)
            return vg_fail(err, VG_E_NOMEM, "out of memory for conditions");
        conditions->list = more;
        more[conditions->count++] = c;
        any = true;
    }
    return any ? VG_OK
               : vg_fail(err, VG_E_ARG, "found no condition, expected some as in \"leaks>0\"");
}

void vg_conditions_reset(vg_conditions *conditions)
{
    free(conditions->list);
    *conditions = (vg_conditions){0};
}

vg_status vg_conditions_check(const vg_conditions *conditions, int given, vg_error *err)
{
    for (size_t i = 0; i < conditions->count; i++) {
        const vg_condition *c = &conditions->list[i];
        int missing = needs_of(c->number) & ~given;
        if (missing & VG_NEEDS_PICTURES)
            return vg_fail(err, VG_E_ARG, "\"%s\" needs the pictures, which --quick does not open",
                           c->text);
        if (missing & VG_NEEDS_OTHER)
            return vg_fail(err, VG_E_ARG, "\"%s\" needs another dataset: --against OTHER", c->text);
        if (missing & VG_NEEDS_PREDICTIONS)
            return vg_fail(err, VG_E_ARG, "\"%s\" needs the predictions of --label-errors",
                           c->text);
    }
    return VG_OK;
}

/* ---- judging */

static bool compare(double found, vg_comparing comparing, double bound)
{
    switch (comparing) {
    case VG_COMPARING_ABOVE:
        return found > bound;
    case VG_COMPARING_AT_LEAST:
        return found >= bound;
    case VG_COMPARING_BELOW:
        return found < bound;
    case VG_COMPARING_AT_MOST:
        return found <= bound;
    default:
        return found == bound;
    }
}

size_t vg_conditions_judge(vg_conditions *conditions, const vg_audit *audit,
                           const vg_findings *findings)
{
    const source s = {audit, findings};
    size_t held = 0;
    for (size_t i = 0; i < conditions->count; i++) {
        vg_condition *c = &conditions->list[i];
        c->count = c->number < NUMBERS ? numbers[c->number].value(&s)
                                       : (double)audit->marks.total[c->number - NUMBERS];
        c->found = c->count;
        if (c->share && unit_of(c->number) == COUNT_OF_IMAGES)
            c->found = audit->found ? c->count / (double)audit->found : 0;
        c->holds = compare(c->found, c->comparing, c->bound);
        held += c->holds;
    }
    return held;
}

void vg_condition_words(const vg_condition *c, char *text, size_t capacity)
{
    if (c->share && unit_of(c->number) == COUNT_OF_IMAGES)
        snprintf(text, capacity, "%s: found %.3g %% (%.0f image%s)", c->text, 100 * c->found,
                 c->count, c->count == 1 ? "" : "s");
    else if (c->share)
        snprintf(text, capacity, "%s: found %.3g %%", c->text, 100 * c->found);
    else if (c->found == floor(c->found) && c->found < 1e15)
        snprintf(text, capacity, "%s: found %.0f", c->text, c->found);
    else
        snprintf(text, capacity, "%s: found %.4g", c->text, c->found);
}
