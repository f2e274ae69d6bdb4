/* The labels as a section of balance-report: classes that a split lacks, splits that differ beyond chance, data
 * stored class by class, and what the held-out images can prove. On a terminal a line stands only for
 * what somebody should know before training; JSON and the page have all numbers. A split that we drew
 * by hash is not blamed for what chance did. */
#include "report/audit_page.h"
#include "report/escape.h"
#include "report/html.h"

#include "base/text.h"
#include "cli.h"

#include <string.h>

enum { TEXT_BYTES = 700, MOST_NAMES = 3 };

/* Accuracies that two trainings may have, and from which difference on it is worth a line. */
static const double near_accuracies[] = {0.5, 0.7, 0.9, 0.95, 0.99};
enum { NEAR = sizeof near_accuracies / sizeof *near_accuracies };
static const double usual_accuracy = 0.9, coarse_difference = 0.05, hopeless_difference = 0.2;

/* Between those of VG_WEIGHT_*: what a held-out split lacks or twists makes its accuracy a wrong number, which
 * goes before rebalancing; the order of the rows harms only who reads them in that order. */
static const double weight_absent = 46, weight_drift = 45, weight_sorted = 25;

/* The split that a training looks at. */
static vg_split watched(const vg_labels *labels)
{
    return labels->split[VG_SPLIT_VAL].total ? VG_SPLIT_VAL : VG_SPLIT_TEST;
}

/* ---- the findings in words, for all forms */

static void absent_words(const vg_dataset *dataset, const vg_labels *labels, vg_split split,
                         char text[TEXT_BYTES])
{
    int named = 0, absent = labels->absent[split];
    snprintf(text, TEXT_BYTES, "%d of %d classes ha%s no image in %s", absent, labels->classes,
             absent == 1 ? "s" : "ve", vg_split_name(split));
    for (int k = 0; k < labels->classes && named < MOST_NAMES; k++)
        if (labels->per_class[k].absent & 1u << split)
            vg_text_append(text, TEXT_BYTES, "%s\"%.60s\"", named++ ? ", " : " (",
                           vg_dataset_class_name(dataset, k));
    if (absent > named)
        vg_text_append(text, TEXT_BYTES, " and %d more", absent - named);
    vg_text_append(text, TEXT_BYTES, ")");
}

static void p_words(double p, char *text, size_t capacity)
{
    if (p < 0.001)
        snprintf(text, capacity, "p < 0.001");
    else
        snprintf(text, capacity, "p %.3f", p);
}

static void drift_words(const vg_dataset *dataset, const vg_drift *drift, char text[TEXT_BYTES])
{
    const char *first = vg_split_name(drift->split[0]), *second = vg_split_name(drift->split[1]);
    char p[32];
    if (drift->word == VG_DRIFT_EVEN) {
        snprintf(text, TEXT_BYTES,
                 "%s has its classes equal and %s has not: of the accuracies there read the "
                 "balanced one",
                 second, first);
        return;
    }
    p_words(drift->p, p, sizeof p);
    snprintf(text, TEXT_BYTES,
             "%s has other shares of classes than %s (distance %.2f, chance alone %.2f, %s)",
             second, first, drift->distance, drift->by_chance, p);
    for (int i = 0; i < drift->worst_count && i < MOST_NAMES; i++) {
        const vg_drift_class *c = &drift->worst[i];
        vg_text_append(text, TEXT_BYTES, "%s \"%.60s\" %.1f %% in %s, %.1f %% in %s", i ? "," : ":",
                       vg_dataset_class_name(dataset, c->label), 100 * c->share[0], first,
                       100 * c->share[1], second);
    }
}

static const char *stored_as(const vg_dataset *dataset)
{
    switch (vg_dataset_kind_of(dataset)) {
    case VG_DATASET_MANIFEST:
        return "rows of the manifest";
    case VG_DATASET_WEBDATASET:
        return "samples of the shards";
    default:
        return "images of the files";
    }
}

static void order_words(const vg_dataset *dataset, const vg_label_order *order,
                        char text[TEXT_BYTES])
{
    char run[32];
    vg_cli_count(run, order->longest_run);
    if (order->sorted)
        snprintf(text, TEXT_BYTES, "the %s stand class by class", stored_as(dataset));
    else
        snprintf(text, TEXT_BYTES, "the %s come in runs of one class (%s of \"%.60s\")",
                 stored_as(dataset), run, vg_dataset_class_name(dataset, order->longest_label));
    vg_text_append(
        text, TEXT_BYTES,
        ": %zu in a row show %.1f class%s, %.1f when shuffled; who reads them as they are "
        "trains on one class at a time, and a shuffle buffer must hold far more than %s",
        order->batch, order->batch_classes, order->batch_classes < 1.05 ? "" : "es",
        order->shuffled_classes, run);
    if (order->tail_lacks || order->head_lacks)
        vg_text_append(text, TEXT_BYTES,
                       "; a split by position (the last fifth) lacks %d of %d classes and takes %d "
                       "of them from training",
                       order->tail_lacks, order->present, order->head_lacks);
}

/* What the watched split cannot show; "" when it shows all that it should. */
static void power_words(const vg_labels *labels, char text[TEXT_BYTES])
{
    vg_split split = watched(labels);
    const vg_label_power *power = &labels->power[split];
    char count[32], probe[32], none[40] = "";
    int hidden = labels->by_data ? 0 : labels->absent[split]; /* else a line of its own says it */
    int few = power->blind + hidden;
    double points = vg_label_power_difference((double)power->count, usual_accuracy, 0);
    text[0] = '\0';
    if (!power->count || labels->classes < 2)
        return;
    vg_cli_count(count, power->count);
    if (hidden)
        snprintf(none, sizeof none, " (%d of them none)", hidden);
    if (!power->needed)
        vg_text_append(text, TEXT_BYTES,
                       "%s has %s images: too few to tell from chance that a class is never named",
                       vg_split_name(split), count);
    else if (few)
        vg_text_append(text, TEXT_BYTES,
                       "%d of %d classes ha%s fewer than %zu images in %s%s: that a network never "
                       "names %s cannot be told from chance",
                       few, power->present + hidden, few == 1 ? "s" : "ve", power->needed,
                       vg_split_name(split), none, few == 1 ? "it" : "them");
    if (power->probe_wanted)
        vg_text_append(
            text, TEXT_BYTES,
            "%sof the %s images in %s a training looks at %s after each epoch, too few to "
            "see %d missing class%s",
            text[0] ? "; " : "", count, vg_split_name(split), vg_cli_count(probe, power->probe),
            power->probe_blind, power->probe_blind == 1 ? "" : "es");
    const char *joint = text[0] ? "; " : "";
    if (points > hopeless_difference)
        vg_text_append(text, TEXT_BYTES, "%stwo networks cannot be compared by %s images", joint,
                       count);
    else if (points > coarse_difference)
        vg_text_append(
            text, TEXT_BYTES,
            "%stwo networks near %.0f %% must lie %.0f points apart for its %s images to "
            "show it",
            joint, 100 * usual_accuracy, 100 * points, count);
}

/* ---- text */

static void put_text(const vg_audit_page *page)
{
    const vg_labels *labels = &page->audit->labels;
    char text[TEXT_BYTES];
    const char *label = "splits";
    for (int s = VG_SPLIT_VAL; labels->by_data && s < VG_SPLIT_COUNT; s++)
        if (labels->absent[s]) {
            absent_words(page->dataset, labels, (vg_split)s, text);
            vg_page_row(page, label, text);
            label = "";
        }
    for (int i = 0; labels->by_data && i < labels->drift_count; i++)
        if (labels->drift[i].word != VG_DRIFT_NONE) {
            drift_words(page->dataset, &labels->drift[i], text);
            vg_page_row(page, label, text);
            label = "";
        }
    if (labels->order.clustered || labels->order.sorted) {
        order_words(page->dataset, &labels->order, text);
        vg_page_row(page, "order", text);
    }
    power_words(labels, text);
    if (text[0])
        vg_page_row(page, "power", text);
    if (labels->power[watched(labels)].probe_wanted) {
        char after[80];
        snprintf(after, sizeof after, " --set probe=%zu",
                 labels->power[watched(labels)].probe_wanted);
        const vg_advice larger = {.before = "train-pipeline ", .after = after};
        vg_page_command(page, vg_advice_command(&larger, vg_dataset_path(page->dataset),
                                                vg_dataset_background(page->dataset)));
    }
}

/* ---- JSON */

static json_t *whole_number(size_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *class_name(const vg_dataset *dataset, int label)
{
    return vg_json_text(vg_dataset_class_name(dataset, label));
}

static json_t *two_numbers(double a, double b, bool *ok)
{
    json_t *pair = json_array();
    vg_json_append(pair, vg_json_number(a), ok);
    vg_json_append(pair, vg_json_number(b), ok);
    return pair;
}

static json_t *one_drift(const vg_dataset *dataset, const vg_drift *drift, bool *ok)
{
    static const char *const words[] = {"none", "even", "some", "grave"};
    json_t *object = json_object(), *splits = json_array(), *images = json_array();
    json_t *classes = json_array();
    for (int i = 0; i < 2; i++) {
        vg_json_append(splits, json_string(vg_split_name(drift->split[i])), ok);
        vg_json_append(images, whole_number(drift->n[i]), ok);
    }
    for (int i = 0; i < drift->worst_count; i++) {
        const vg_drift_class *c = &drift->worst[i];
        json_t *class = json_object();
        vg_json_set(class, "class", class_name(dataset, c->label), ok);
        vg_json_set(class, "shares", two_numbers(c->share[0], c->share[1], ok), ok);
        vg_json_set(class, "z", vg_json_number(c->z), ok);
        vg_json_append(classes, class, ok);
    }
    vg_json_set(object, "splits", splits, ok);
    vg_json_set(object, "images", images, ok);
    vg_json_set(object, "verdict", json_string(words[drift->word]), ok);
    vg_json_set(object, "distance", vg_json_number(drift->distance), ok);
    vg_json_set(object, "distance_by_chance", vg_json_number(drift->by_chance), ok);
    vg_json_set(object, "chi_square", vg_json_number(drift->chi_square), ok);
    vg_json_set(object, "degrees_of_freedom", json_integer(drift->freedom), ok);
    vg_json_set(object, "p", vg_json_number(drift->p), ok);
    vg_json_set(object, "permutations", whole_number(drift->permutations), ok);
    vg_json_set(object, "classes", classes, ok);
    return object;
}

static json_t *order_facts(const vg_dataset *dataset, const vg_label_order *order, bool *ok)
{
    if (!order->count)
        return json_null();
    json_t *object = json_object();
    vg_json_set(object, "images", whole_number(order->count), ok);
    vg_json_set(object, "sorted", json_boolean(order->sorted), ok);
    vg_json_set(object, "clustered", json_boolean(order->clustered), ok);
    vg_json_set(object, "runs", whole_number(order->runs), ok);
    vg_json_set(object, "expected_runs", vg_json_number(order->expected_runs), ok);
    vg_json_set(object, "z", vg_json_number(order->z), ok);
    vg_json_set(object, "longest_run", whole_number(order->longest_run), ok);
    vg_json_set(object, "longest_class", class_name(dataset, order->longest_label), ok);
    vg_json_set(object, "batch", whole_number(order->batch), ok);
    vg_json_set(object, "classes_in_batch", vg_json_number(order->batch_classes), ok);
    vg_json_set(object, "classes_when_shuffled", vg_json_number(order->shuffled_classes), ok);
    vg_json_set(object, "last_fifth_lacks", json_integer(order->tail_lacks), ok);
    vg_json_set(object, "only_in_last_fifth", json_integer(order->head_lacks), ok);
    return object;
}

static json_t *split_facts(const vg_dataset *dataset, const vg_labels *labels, vg_split split,
                           bool *ok)
{
    const vg_balance *b = &labels->split[split];
    const vg_label_power *power = &labels->power[split];
    json_t *object = json_object(), *absent = json_array(), *differences = json_array();
    vg_json_set(object, "images", whole_number(b->total), ok);
    vg_json_set(object, "classes", json_integer(b->present), ok);
    for (int k = 0; k < labels->classes; k++)
        if (labels->per_class[k].absent & 1u << split)
            vg_json_append(absent, class_name(dataset, k), ok);
    vg_json_set(object, "absent", absent, ok);
    if (split == VG_SPLIT_TRAIN) {
        json_decref(differences);
        return object;
    }
    vg_json_set(object, "needed", power->needed ? whole_number(power->needed) : json_null(), ok);
    vg_json_set(object, "too_few", json_integer(power->blind), ok);
    vg_json_set(object, "smallest", whole_number(power->smallest), ok);
    vg_json_set(object, "probe", whole_number(power->probe), ok);
    vg_json_set(object, "too_few_in_probe", json_integer(power->probe_blind), ok);
    vg_json_set(object, "probe_wanted",
                power->probe_wanted ? whole_number(power->probe_wanted) : json_null(), ok);
    vg_json_set(object, "balanced_images", vg_json_number(power->balanced_count), ok);
    for (size_t i = 0; i < NEAR && power->count; i++) {
        json_t *one = json_object();
        double a = near_accuracies[i], n = (double)power->count;
        vg_json_set(one, "accuracy", vg_json_number(a), ok);
        vg_json_set(one, "difference", vg_json_number(vg_label_power_difference(n, a, 0)), ok);
        vg_json_set(one, "half_alike", vg_json_number(vg_label_power_difference(n, a, 0.5)), ok);
        vg_json_set(one, "balanced",
                    vg_json_number(vg_label_power_difference(power->balanced_count, a, 0)), ok);
        vg_json_append(differences, one, ok);
    }
    vg_json_set(object, "differences", differences, ok);
    return object;
}

static json_t *split_list(unsigned bits, bool *ok)
{
    json_t *array = json_array();
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        if (bits & 1u << s)
            vg_json_append(array, json_string(vg_split_name((vg_split)s)), ok);
    return array;
}

static void put_json(const vg_audit_page *page, json_t *root, bool *ok)
{
    const vg_labels *labels = &page->audit->labels;
    json_t *object = json_object(), *splits = json_object(), *drift = json_array();
    json_t *classes = json_object_get(root, "classes"); /* by label */
    for (int k = 0; k < labels->classes; k++) {
        const vg_label_class *c = &labels->per_class[k];
        json_t *class = json_array_get(classes, (size_t)k);
        vg_json_set(class, "share_low", vg_json_number(c->share_low), ok);
        vg_json_set(class, "share_high", vg_json_number(c->share_high), ok);
        vg_json_set(class, "effective_number", vg_json_number(c->effective), ok);
        vg_json_set(class, "perfect_low", vg_json_number(c->perfect_low), ok);
        vg_json_set(class, "absent_in", split_list(c->absent, ok), ok);
        vg_json_set(class, "too_few_in", split_list(c->blind, ok), ok);
    }
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        vg_json_set(splits, vg_split_name((vg_split)s),
                    split_facts(page->dataset, labels, (vg_split)s, ok), ok);
    for (int i = 0; i < labels->drift_count; i++)
        vg_json_append(drift, one_drift(page->dataset, &labels->drift[i], ok), ok);
    vg_json_set(object, "splits", splits, ok);
    vg_json_set(object, "drift", drift, ok);
    vg_json_set(object, "order", order_facts(page->dataset, &labels->order, ok), ok);
    vg_json_set(root, "labels", object, ok);
}

/* ---- page */

static void put_split_table(const vg_audit_page *page)
{
    static const char *const heads[] = {
        "split",      ">images",  ">classes",         ">without an image", ">imbalance",
        ">effective", ">too few", ">balanced images", ">difference seen",  NULL};
    const vg_labels *labels = &page->audit->labels;
    vg_html_figure_begin(page->out, "Splits");
    vg_html_table_begin(page->out, heads);
    for (int s = 0; s < VG_SPLIT_COUNT; s++) {
        const vg_balance *b = &labels->split[s];
        const vg_label_power *power = &labels->power[s];
        if (!b->total)
            continue;
        vg_html_table_row(page->out);
        vg_html_cell(page->out, "%s", vg_split_name((vg_split)s));
        vg_html_number(page->out, "%zu", b->total);
        vg_html_number(page->out, "%d", b->present);
        vg_html_number(page->out, "%d", labels->absent[s]);
        vg_html_number(page->out, "%.1f : 1", b->imbalance_ratio);
        vg_html_number(page->out, "%.1f", b->effective_classes);
        if (s == VG_SPLIT_TRAIN) {
            for (int i = 0; i < 3; i++)
                vg_html_number(page->out, " ");
            continue;
        }
        if (power->needed)
            vg_html_number(page->out, "%d (below %zu)", power->blind, power->needed);
        else
            vg_html_number(page->out, "all");
        vg_html_number(page->out, "%.0f", power->balanced_count);
        vg_html_number(page->out, "%.1f points",
                       100 * vg_label_power_difference((double)power->count, usual_accuracy, 0));
    }
    vg_html_table_end(page->out);
    vg_html_figure_end(page->out, "a class with too few held-out images can be missing from all "
                                  "answers of a network and nobody "
                                  "can tell it from chance; balanced images are those of an even "
                                  "split that would measure the "
                                  "mean recall as well; the difference is what two networks near "
                                  "90 % must lie apart to be seen "
                                  "in 80 % of cases.");
}

static void put_drift_table(const vg_audit_page *page)
{
    static const char *const heads[] = {"splits", ">distance", ">by chance", ">p", "classes", NULL};
    const vg_labels *labels = &page->audit->labels;
    char text[TEXT_BYTES];
    vg_html_figure_begin(page->out, "Shares of classes between splits");
    vg_html_table_begin(page->out, heads);
    for (int i = 0; i < labels->drift_count; i++) {
        const vg_drift *d = &labels->drift[i];
        vg_html_table_row(page->out);
        vg_html_cell(page->out, "%s, %s", vg_split_name(d->split[0]), vg_split_name(d->split[1]));
        vg_html_number(page->out, "%.3f", d->distance);
        vg_html_number(page->out, "%.3f", d->by_chance);
        vg_html_number(page->out, "%.2g", d->p);
        drift_words(page->dataset, d, text);
        vg_html_cell(page->out, "%s",
                     d->word != VG_DRIFT_NONE ? text
                     : d->p > 0.001           ? "no more than chance"
                                              : "too little to matter");
    }
    vg_html_table_end(page->out);
    vg_html_figure_end(
        page->out, "Jensen-Shannon distance: 0 the same shares, 1 no class in common. Where a "
                   "held-out split has other shares than training, its accuracy speaks of other "
                   "data than what was trained for.");
}

static vg_status put_html(const vg_audit_page *page, vg_error *err)
{
    (void)err;
    const vg_labels *labels = &page->audit->labels;
    char text[TEXT_BYTES];
    vg_html_section(page->out, "Labels and splits");
    vg_html_paragraph(
        page->out,
        "Imbalance factor %.3f (0: equal classes, 1: one class); likelihood-ratio imbalance degree "
        "%.1f; %.1f : 1 is left of the imbalance when the n-th picture of a class shows less new "
        "than the first (effective numbers, beta %g). %s",
        labels->all.imbalance_factor, labels->all.lrid, labels->all.effective_ratio,
        VG_EFFECTIVE_BETA,
        labels->by_data
            ? "Splits came with the data."
            : "Splits are drawn by a hash of each name: what they differ by is chance.");
    for (int s = VG_SPLIT_VAL; s < VG_SPLIT_COUNT; s++)
        if (labels->absent[s]) {
            absent_words(page->dataset, labels, (vg_split)s, text);
            vg_html_paragraph(page->out, "%s.", text);
        }
    if (labels->order.sorted || labels->order.clustered) {
        order_words(page->dataset, &labels->order, text);
        vg_html_paragraph(page->out, "Order: %s.", text);
    }
    power_words(labels, text);
    if (text[0])
        vg_html_paragraph(page->out, "Power: %s.", text);
    put_split_table(page);
    if (labels->drift_count)
        put_drift_table(page);
    return VG_OK;
}

/* ---- what to do first */

static const vg_drift *gravest(const vg_labels *labels)
{
    const vg_drift *found = NULL;
    for (int i = 0; i < labels->drift_count; i++) {
        const vg_drift *d = &labels->drift[i];
        bool trained = d->split[0] == VG_SPLIT_TRAIN;
        if (trained && d->word == VG_DRIFT_GRAVE && (!found || d->distance > found->distance))
            found = d;
    }
    return found;
}

static void advise(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                   vg_advice *advice)
{
    (void)findings;
    const vg_labels *labels = &audit->labels;
    const vg_drift *drift = gravest(labels);
    int lacking = -1;
    char text[TEXT_BYTES];
    for (int s = VG_SPLIT_VAL; s < VG_SPLIT_COUNT; s++)
        if (labels->absent[s] && (lacking < 0 || labels->absent[s] > labels->absent[lacking]))
            lacking = s;
    if (labels->classes < 2)
        return;
    if (labels->by_data && lacking > 0) {
        absent_words(dataset, labels, (vg_split)lacking, text);
        advice->weight = weight_absent;
        snprintf(
            advice->text, sizeof advice->text,
            "%.330s: no accuracy there speaks of them, and a network that never names them looks "
            "none the worse. Move images of them there.",
            text);
    } else if (labels->by_data && drift) {
        drift_words(dataset, drift, text);
        advice->weight = weight_drift;
        snprintf(advice->text, sizeof advice->text,
                 "%.330s. Its accuracy is not that of the data trained for: draw the splits anew, "
                 "class by class.",
                 text);
    } else if (labels->order.sorted) {
        char row[32];
        advice->weight = weight_sorted;
        snprintf(
            advice->text, sizeof advice->text,
            "The %s stand class by class (up to %s in a row): train-pipeline shuffles them, other "
            "readers may train on one class at a time, and a split by position lacks %d of %d "
            "classes. Shuffle them once.",
            stored_as(dataset), vg_cli_count(row, labels->order.longest_run),
            labels->order.tail_lacks, labels->order.present);
    }
    if (advice->text[0] >= 'a' && advice->text[0] <= 'z') /* a name of a split */
        advice->text[0] = (char)(advice->text[0] - 'a' + 'A');
}

const vg_audit_section vg_section_labels = {
    .name = "labels", .text = put_text, .json = put_json, .html = put_html, .advise = advise};
