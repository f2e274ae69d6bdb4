/* balance-report as one JSON object; docs/reports.md explains every key.
 *
 * Built with jansson. A NULL from any constructor makes the object it goes into fail as well, so
 * that one look at the end finds memory that ran out. */
#include "cli.h"
#include "report/audit_page.h"
#include "report/escape.h"

#include "base/alloc.h"

#include <stdlib.h>

static json_t *count(size_t n)
{
    return json_integer((json_int_t)n);
}

static json_t *class_name(const vg_dataset *dataset, int label)
{
    return label < 0 ? json_null() : vg_json_text(vg_dataset_class_name(dataset, label));
}

static void set_balance(json_t *to, const vg_dataset *dataset, const vg_balance *b, bool *ok)
{
    bool some = b->total > 0;
    vg_json_set(to, "imbalance_ratio", vg_json_number(b->imbalance_ratio), ok);
    vg_json_set(to, "entropy", vg_json_number(b->entropy), ok);
    vg_json_set(to, "effective_classes", vg_json_number(b->effective_classes), ok);
    vg_json_set(to, "imbalance_factor", vg_json_number(b->imbalance_factor), ok);
    vg_json_set(to, "lrid", vg_json_number(b->lrid), ok);
    vg_json_set(to, "effective_ratio", vg_json_number(b->effective_ratio), ok);
    json_t *most = json_object();
    vg_json_set(most, "class", class_name(dataset, some ? b->majority : -1), ok);
    vg_json_set(most, "share", vg_json_number(b->majority_share), ok);
    vg_json_set(to, "majority", most, ok);
    vg_json_set(to, "minority", class_name(dataset, some ? b->minority : -1), ok);
}

static json_t *one_class(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *f,
                         const vg_class_finding *found, bool *ok)
{
    const vg_audit_class *a = &audit->per_class[found->label];
    json_t *class = json_object(), *splits = json_object();
    double total = (double)f->all.total;
    vg_json_set(class, "name", class_name(dataset, found->label), ok);
    vg_json_set(class, "count", count(found->total), ok);
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        vg_json_set(splits, vg_split_name((vg_split)s), count(a->count[s]), ok);
    vg_json_set(class, "splits", splits, ok);
    vg_json_set(class, "share", vg_json_number(total > 0 ? (double)found->total / total : 0), ok);
    vg_json_set(class, "decoded", audit->labels_only ? json_null() : count(a->decoded), ok);
    vg_json_set(class, "broken", audit->labels_only ? json_null() : count(found->broken), ok);
    vg_json_set(class, "tested", count(found->tested), ok);
    vg_json_set(class, "accuracy_margin", vg_json_number(found->margin), ok);
    vg_json_set(class, "brightness", a->decoded ? vg_json_number(a->brightness) : json_null(), ok);
    vg_json_set(class, "brightness_std",
                a->decoded ? vg_json_number(a->brightness_std) : json_null(), ok);
    vg_json_set(class, "contrast", a->decoded ? vg_json_number(a->contrast) : json_null(), ok);
    vg_json_set(class, "width", a->decoded ? vg_json_number(a->width) : json_null(), ok);
    vg_json_set(class, "height", a->decoded ? vg_json_number(a->height) : json_null(), ok);
    vg_json_set(class, "file_bytes", a->decoded ? vg_json_number(a->file_bytes) : json_null(), ok);
    vg_json_set(class, "grey", audit->labels_only ? json_null() : count(a->grey), ok);
    vg_json_set(class, "stands_out", vg_json_text(found->note), ok);
    return class;
}

static json_t *classes(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *f,
                       bool *ok)
{
    json_t *array = json_array();
    int *place = vg_alloc((size_t)f->count, sizeof *place);
    for (int i = 0; place && i < f->count; i++)
        place[f->classes[i].label] = i;
    for (int label = 0; place && label < f->count; label++) /* not by size as in the table */
        vg_json_append(array, one_class(dataset, audit, f, &f->classes[place[label]], ok), ok);
    *ok &= place != NULL;
    free(place);
    return array;
}

static json_t *file_list(const vg_dataset *dataset, const vg_audit_file *files, size_t n, bool *ok)
{
    json_t *array = json_array();
    for (size_t i = 0; i < n; i++) {
        char name[4096];
        vg_dataset_name(dataset, files[i].index, name, sizeof name);
        json_t *file = json_object();
        vg_json_set(file, "path", vg_json_text(name), ok);
        vg_json_set(file, "reason", vg_json_text(files[i].reason), ok);
        vg_json_append(array, file, ok);
    }
    return array;
}

static json_t *flat_facts(const vg_dataset *dataset, const vg_audit *audit, bool *ok)
{
    char text[400], colour[VG_BACKGROUND_TEXT];
    const vg_flat *flat = &audit->flat;
    if (audit->labels_only)
        return json_null();
    json_t *object = json_object();
    vg_flat_words(flat, dataset, text, sizeof text);
    vg_json_set(object, "images", count(flat->flat), ok);
    vg_json_set(object, "with_transparency", count(flat->hidden), ok);
    vg_json_set(object, "text", flat->flat ? vg_json_text(text) : json_null(), ok);
    vg_json_set(object, "background",
                flat->flat && flat->better >= 0
                    ? json_string(vg_background_print(flat->better, colour))
                    : json_null(),
                ok);
    return object;
}

static json_t *file_facts(const vg_dataset *dataset, const vg_audit *audit, bool *ok)
{
    vg_dataset_ignored i = vg_dataset_ignored_of(dataset);
    json_t *files = json_object(), *ignored = json_object();
    vg_json_set(files, "found", count(audit->found), ok);
    vg_json_set(files, "decoded", audit->labels_only ? json_null() : count(audit->decoded), ok);
    vg_json_set(files, "broken", file_list(dataset, audit->broken, audit->broken_count, ok), ok);
    vg_json_set(files, "noted", file_list(dataset, audit->noted, audit->noted_count, ok), ok);
    vg_json_set(files, "warned", count(audit->warned), ok);
    vg_json_set(files, "wrong_extension", count(audit->wrong_extension), ok);
    vg_json_set(files, "turned_by_exif", count(audit->turned_by_exif), ok);
    vg_json_set(files, "flat", flat_facts(dataset, audit, ok), ok);
    vg_json_set(ignored, "hidden", count(i.hidden), ok);
    vg_json_set(ignored, "not_images", count(i.not_images), ok);
    vg_json_set(ignored, "other_formats", count(i.other_formats), ok);
    vg_json_set(ignored, "empty_classes", count(i.empty_classes), ok);
    vg_json_set(ignored, "unreadable", count(i.unreadable), ok);
    vg_json_set(ignored, "loose", count(i.loose), ok);
    vg_json_set(ignored, "other_folders", count(i.other_folders), ok);
    vg_json_set(ignored, "duplicates", count(i.duplicates), ok);
    vg_json_set(ignored, "unusable", count(i.unusable), ok);
    vg_json_set(ignored, "unlabelled", count(i.unlabelled), ok);
    vg_json_set(files, "ignored", ignored, ok);
    size_t kept, noticed;
    const char *const *lines = vg_dataset_notes(dataset, &kept, &noticed);
    json_t *notes = json_array();
    for (size_t k = 0; k < kept; k++)
        vg_json_append(notes, vg_json_text(lines[k]), ok);
    vg_json_set(files, "noticed_count", count(noticed), ok);
    vg_json_set(files, "noticed", notes, ok);
    return files;
}

static json_t *alike(const vg_dataset *dataset, const vg_findings *f, bool *ok)
{
    json_t *array = json_array();
    for (size_t i = 0; i < f->alike_count; i++) {
        json_t *pair = json_object(), *names = json_array();
        vg_json_append(names, class_name(dataset, f->alike[i].first), ok);
        vg_json_append(names, class_name(dataset, f->alike[i].second), ok);
        vg_json_set(pair, "classes", names, ok);
        vg_json_set(pair, "differ_in", json_string(vg_alike_name(f->alike[i].by)), ok);
        vg_json_append(array, pair, ok);
    }
    return array;
}

/* What the shuffles reached. */
static void set_null(json_t *to, const vg_shortcut *s, bool *ok)
{
    vg_json_set(to, "null_mean", vg_json_number(s->null_mean), ok);
    vg_json_set(to, "null_high", vg_json_number(s->null_high), ok);
}

/* All properties at once; null where that adds nothing. */
static json_t *together(const vg_shortcut *s, bool *ok)
{
    if (!(s->accuracy > 0))
        return json_null();
    json_t *one = json_object();
    vg_json_set(one, "accuracy", vg_json_number(s->accuracy), ok);
    vg_json_set(one, "chance", vg_json_number(s->chance), ok);
    set_null(one, s, ok);
    return one;
}

static json_t *shortcuts(const vg_dataset *dataset, const vg_audit *audit, bool *ok)
{
    json_t *array = json_array();
    for (int i = 0; i < audit->shortcut_count; i++) {
        const vg_shortcut *s = &audit->shortcuts[i];
        json_t *one = json_object();
        vg_json_set(one, "property", json_string(s->property), ok);
        vg_json_set(one, "accuracy", vg_json_number(s->accuracy), ok);
        vg_json_set(one, "chance", vg_json_number(s->chance), ok);
        set_null(one, s, ok);
        vg_json_set(one, "class", class_name(dataset, s->class_index), ok);
        vg_json_set(one, "z", s->class_index < 0 ? json_null() : vg_json_number(s->z), ok);
        vg_json_append(array, one, ok);
    }
    return array;
}

static json_t *range(int low, int high, bool *ok)
{
    json_t *pair = json_array();
    vg_json_append(pair, json_integer(low), ok);
    vg_json_append(pair, json_integer(high), ok);
    return pair;
}

static json_t *pixels(const vg_audit *audit, bool *ok)
{
    const vg_channel_stats *stats = &audit->stats;
    json_t *object = json_object(), *mean = json_array(), *std = json_array();
    for (int c = 0; stats->count && c < stats->channels; c++) {
        vg_json_append(mean, vg_json_number(vg_channel_mean(stats, c)), ok);
        vg_json_append(std, vg_json_number(vg_channel_std(stats, c)), ok);
    }
    vg_json_set(object, "images", json_integer((json_int_t)stats->images), ok);
    vg_json_set(object, "channels", json_integer(stats->channels), ok);
    vg_json_set(object, "mean", mean, ok);
    vg_json_set(object, "std", std, ok);
    vg_json_set(object, "width", range(audit->min_width, audit->max_width, ok), ok);
    vg_json_set(object, "height", range(audit->min_height, audit->max_height, ok), ok);
    return object;
}

static void set_command(json_t *object, char *command, bool *ok)
{
    vg_json_set(object, "command", command ? vg_json_text(command) : json_null(), ok);
    free(command);
}

static json_t *whole(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *f,
                     bool fail_on_error, bool *ok)
{
    json_t *root = json_object(), *train = json_object(), *first = json_object();
    vg_json_set(root, "tool", json_string("balance-report"), ok);
    vg_json_set(root, "version", json_string(VG_VERSION), ok);
    vg_json_set(root, "dataset", vg_json_text(vg_dataset_path(dataset)), ok);
    vg_json_set(root, "kind", json_string(vg_dataset_kind_name(vg_dataset_kind_of(dataset))), ok);
    vg_json_set(root, "brings_splits", json_boolean(vg_dataset_brings_splits(dataset)), ok);
    vg_json_set(root, "on_error", json_string(fail_on_error ? "fail" : "skip"), ok);
    vg_json_set(root, "quick", json_boolean(audit->labels_only), ok);
    vg_json_set(root, "seconds", vg_json_number(audit->seconds), ok);
    vg_json_set(root, "classes", classes(dataset, audit, f, ok), ok);
    set_balance(root, dataset, &f->all, ok);
    set_balance(train, dataset, &f->train, ok);
    vg_json_set(root, "train", train, ok);
    vg_json_set(root, "files", file_facts(dataset, audit, ok), ok);
    vg_json_set(root, "names_alike", alike(dataset, f, ok), ok);
    vg_json_set(root, "numbers_out_of_order", json_boolean(f->misordered >= 0), ok);
    vg_json_set(root, "shortcuts", shortcuts(dataset, audit, ok), ok);
    vg_json_set(root, "shortcuts_together", together(&audit->together, ok), ok);
    const vg_audit_page page = {.dataset = dataset, .audit = audit, .findings = f};
    for (int i = 0; vg_audit_sections[i]; i++)
        if (vg_audit_sections[i]->json)
            vg_audit_sections[i]->json(&page, root, ok);
    vg_json_set(root, "pixels", pixels(audit, ok), ok);
    vg_json_set(first, "finding", vg_json_text(f->first.text), ok);
    set_command(
        first,
        vg_advice_command(&f->first, vg_dataset_path(dataset), vg_dataset_background(dataset)), ok);
    vg_json_set(root, "do_first", first, ok);
    return root;
}

vg_status vg_audit_json(FILE *out, const vg_dataset *dataset, const vg_audit *audit,
                        const vg_findings *findings, bool fail_on_error, vg_error *err)
{
    bool ok = true;
    json_t *root = whole(dataset, audit, findings, fail_on_error, &ok);
    char *text = root && ok ? json_dumps(root, JSON_INDENT(2) | JSON_REAL_PRECISION(12)) : NULL;
    json_decref(root);
    if (!text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the JSON report");
    fprintf(out, "%s\n", text);
    free(text);
    return VG_OK;
}
