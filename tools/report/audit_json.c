/* balance-report as one JSON object; docs/reports.md explains every key.
 *
 * Built with jansson. A NULL from any constructor makes the object it goes into fail as well, so
 * that one look at the end finds memory that ran out. */
#include "cli.h"
#include "report/audit.h"
#include "report/escape.h"

#include "base/alloc.h"

#include <stdlib.h>

/* Sets key, remembering failure. */
static void set(json_t *object, const char *key, json_t *value, bool *ok)
{
    if (json_object_set_new(object, key, value) != 0)
        *ok = false;
}

static void append(json_t *array, json_t *value, bool *ok)
{
    if (json_array_append_new(array, value) != 0)
        *ok = false;
}

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
    set(to, "imbalance_ratio", vg_json_number(b->imbalance_ratio), ok);
    set(to, "entropy", vg_json_number(b->entropy), ok);
    set(to, "effective_classes", vg_json_number(b->effective_classes), ok);
    json_t *most = json_object();
    set(most, "class", class_name(dataset, some ? b->majority : -1), ok);
    set(most, "share", vg_json_number(b->majority_share), ok);
    set(to, "majority", most, ok);
    set(to, "minority", class_name(dataset, some ? b->minority : -1), ok);
}

static json_t *one_class(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *f,
                         const vg_class_finding *found, bool *ok)
{
    const vg_audit_class *a = &audit->per_class[found->label];
    json_t *class = json_object(), *splits = json_object();
    double total = (double)f->all.total;
    set(class, "name", class_name(dataset, found->label), ok);
    set(class, "count", count(found->total), ok);
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        set(splits, vg_split_name((vg_split)s), count(a->count[s]), ok);
    set(class, "splits", splits, ok);
    set(class, "share", vg_json_number(total > 0 ? (double)found->total / total : 0), ok);
    set(class, "decoded", audit->labels_only ? json_null() : count(a->decoded), ok);
    set(class, "broken", audit->labels_only ? json_null() : count(found->broken), ok);
    set(class, "tested", count(found->tested), ok);
    set(class, "accuracy_margin", vg_json_number(found->margin), ok);
    set(class, "brightness", a->decoded ? vg_json_number(a->brightness) : json_null(), ok);
    set(class, "brightness_std", a->decoded ? vg_json_number(a->brightness_std) : json_null(), ok);
    set(class, "contrast", a->decoded ? vg_json_number(a->contrast) : json_null(), ok);
    set(class, "width", a->decoded ? vg_json_number(a->width) : json_null(), ok);
    set(class, "height", a->decoded ? vg_json_number(a->height) : json_null(), ok);
    set(class, "file_bytes", a->decoded ? vg_json_number(a->file_bytes) : json_null(), ok);
    set(class, "grey", audit->labels_only ? json_null() : count(a->grey), ok);
    set(class, "stands_out", vg_json_text(found->note), ok);
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
        append(array, one_class(dataset, audit, f, &f->classes[place[label]], ok), ok);
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
        set(file, "path", vg_json_text(name), ok);
        set(file, "reason", vg_json_text(files[i].reason), ok);
        append(array, file, ok);
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
    set(object, "images", count(flat->flat), ok);
    set(object, "with_transparency", count(flat->hidden), ok);
    set(object, "text", flat->flat ? vg_json_text(text) : json_null(), ok);
    set(object, "background",
        flat->flat && flat->better >= 0 ? json_string(vg_background_print(flat->better, colour))
                                        : json_null(),
        ok);
    return object;
}

static json_t *file_facts(const vg_dataset *dataset, const vg_audit *audit, bool *ok)
{
    vg_dataset_ignored i = vg_dataset_ignored_of(dataset);
    json_t *files = json_object(), *ignored = json_object();
    set(files, "found", count(audit->found), ok);
    set(files, "decoded", audit->labels_only ? json_null() : count(audit->decoded), ok);
    set(files, "broken", file_list(dataset, audit->broken, audit->broken_count, ok), ok);
    set(files, "noted", file_list(dataset, audit->noted, audit->noted_count, ok), ok);
    set(files, "warned", count(audit->warned), ok);
    set(files, "wrong_extension", count(audit->wrong_extension), ok);
    set(files, "turned_by_exif", count(audit->turned_by_exif), ok);
    set(files, "flat", flat_facts(dataset, audit, ok), ok);
    set(ignored, "hidden", count(i.hidden), ok);
    set(ignored, "not_images", count(i.not_images), ok);
    set(ignored, "other_formats", count(i.other_formats), ok);
    set(ignored, "empty_classes", count(i.empty_classes), ok);
    set(ignored, "unreadable", count(i.unreadable), ok);
    set(ignored, "loose", count(i.loose), ok);
    set(ignored, "other_folders", count(i.other_folders), ok);
    set(ignored, "duplicates", count(i.duplicates), ok);
    set(ignored, "unusable", count(i.unusable), ok);
    set(ignored, "unlabelled", count(i.unlabelled), ok);
    set(files, "ignored", ignored, ok);
    size_t kept, noticed;
    const char *const *lines = vg_dataset_notes(dataset, &kept, &noticed);
    json_t *notes = json_array();
    for (size_t k = 0; k < kept; k++)
        append(notes, vg_json_text(lines[k]), ok);
    set(files, "noticed_count", count(noticed), ok);
    set(files, "noticed", notes, ok);
    return files;
}

static json_t *alike(const vg_dataset *dataset, const vg_findings *f, bool *ok)
{
    json_t *array = json_array();
    for (size_t i = 0; i < f->alike_count; i++) {
        json_t *pair = json_object(), *names = json_array();
        append(names, class_name(dataset, f->alike[i].first), ok);
        append(names, class_name(dataset, f->alike[i].second), ok);
        set(pair, "classes", names, ok);
        set(pair, "differ_in", json_string(vg_alike_name(f->alike[i].by)), ok);
        append(array, pair, ok);
    }
    return array;
}

static json_t *shortcuts(const vg_dataset *dataset, const vg_audit *audit, bool *ok)
{
    json_t *array = json_array();
    for (int i = 0; i < audit->shortcut_count; i++) {
        const vg_shortcut *s = &audit->shortcuts[i];
        json_t *one = json_object();
        set(one, "property", json_string(s->property), ok);
        set(one, "accuracy", vg_json_number(s->accuracy), ok);
        set(one, "chance", vg_json_number(s->chance), ok);
        set(one, "class", class_name(dataset, s->class_index), ok);
        set(one, "z", s->class_index < 0 ? json_null() : vg_json_number(s->z), ok);
        append(array, one, ok);
    }
    return array;
}

static json_t *range(int low, int high, bool *ok)
{
    json_t *pair = json_array();
    append(pair, json_integer(low), ok);
    append(pair, json_integer(high), ok);
    return pair;
}

static json_t *pixels(const vg_audit *audit, bool *ok)
{
    const vg_channel_stats *stats = &audit->stats;
    json_t *object = json_object(), *mean = json_array(), *std = json_array();
    for (int c = 0; stats->count && c < stats->channels; c++) {
        append(mean, vg_json_number(vg_channel_mean(stats, c)), ok);
        append(std, vg_json_number(vg_channel_std(stats, c)), ok);
    }
    set(object, "images", json_integer((json_int_t)stats->images), ok);
    set(object, "channels", json_integer(stats->channels), ok);
    set(object, "mean", mean, ok);
    set(object, "std", std, ok);
    set(object, "width", range(audit->min_width, audit->max_width, ok), ok);
    set(object, "height", range(audit->min_height, audit->max_height, ok), ok);
    return object;
}

static void set_command(json_t *object, char *command, bool *ok)
{
    set(object, "command", command ? vg_json_text(command) : json_null(), ok);
    free(command);
}

static json_t *plan(const vg_dataset *dataset, const vg_findings *f, bool *ok)
{
    json_t *object = json_object();
    bool none = f->sampling == VG_SAMPLING_SHUFFLE;
    set(object, "sampling", json_string(none ? "none" : vg_sampling_name(f->sampling)), ok);
    set(object, "class", class_name(dataset, f->rare), ok);
    set(object, "images", json_integer((json_int_t)f->rare_images), ok);
    set(object, "seen", json_integer((json_int_t)f->rare_seen), ok);
    set_command(object,
                none ? NULL
                     : vg_plan_command(f, vg_dataset_path(dataset), vg_dataset_background(dataset)),
                ok);
    return object;
}

static json_t *whole(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *f,
                     bool fail_on_error, bool *ok)
{
    json_t *root = json_object(), *train = json_object(), *first = json_object();
    set(root, "tool", json_string("balance-report"), ok);
    set(root, "version", json_string(VG_VERSION), ok);
    set(root, "dataset", vg_json_text(vg_dataset_path(dataset)), ok);
    set(root, "kind", json_string(vg_dataset_kind_name(vg_dataset_kind_of(dataset))), ok);
    set(root, "brings_splits", json_boolean(vg_dataset_brings_splits(dataset)), ok);
    set(root, "on_error", json_string(fail_on_error ? "fail" : "skip"), ok);
    set(root, "quick", json_boolean(audit->labels_only), ok);
    set(root, "seconds", vg_json_number(audit->seconds), ok);
    set(root, "classes", classes(dataset, audit, f, ok), ok);
    set_balance(root, dataset, &f->all, ok);
    set_balance(train, dataset, &f->train, ok);
    set(root, "train", train, ok);
    set(root, "files", file_facts(dataset, audit, ok), ok);
    set(root, "names_alike", alike(dataset, f, ok), ok);
    set(root, "numbers_out_of_order", json_boolean(f->misordered >= 0), ok);
    set(root, "shortcuts", shortcuts(dataset, audit, ok), ok);
    set(root, "pixels", pixels(audit, ok), ok);
    set(root, "plan", plan(dataset, f, ok), ok);
    set(first, "finding", vg_json_text(f->first.text), ok);
    set_command(
        first,
        vg_advice_command(&f->first, vg_dataset_path(dataset), vg_dataset_background(dataset)), ok);
    set(root, "do_first", first, ok);
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
