/* report.json: the stable form. NaN and infinities are null: JSON has no other word for them. */
#include "report/run.h"

#include "check_report.h"
#include "cli.h"
#include "report/effects.h"
#include "report/escape.h"

#include <math.h>
#include <string.h>

/* json_object_set_new and friends fail when memory ran out or `value` is NULL; `ok` collects that
 * so that the caller checks once. */
static void put(json_t *object, const char *key, json_t *value, bool *ok)
{
    if (!value || json_object_set_new(object, key, value) != 0)
        *ok = false;
}

static void add(json_t *array, json_t *value, bool *ok)
{
    if (!value || json_array_append_new(array, value) != 0)
        *ok = false;
}

static void put_number(json_t *object, const char *key, double value, bool *ok)
{
    put(object, key, vg_json_number(value), ok);
}

static void put_count(json_t *object, const char *key, uint64_t value, bool *ok)
{
    put(object, key, json_integer((json_int_t)value), ok);
}

static void put_text(json_t *object, const char *key, const char *text, bool *ok)
{
    put(object, key, text ? vg_json_text(text) : json_null(), ok);
}

/* A step that may not exist (UINT64_MAX). */
static void put_step(json_t *object, const char *key, uint64_t step, bool *ok)
{
    put(object, key, step == UINT64_MAX ? json_null() : json_integer((json_int_t)step), ok);
}

static json_t *finished(json_t *value, bool ok)
{
    if (ok)
        return value;
    json_decref(value);
    return NULL;
}

static json_t *layers_json(const vg_diversity *d)
{
    bool ok = true;
    json_t *layers = json_array();
    for (int i = 0; i < d->layer_count; i++) {
        json_t *layer = json_object();
        put_text(layer, "name", d->layers[i].name, &ok);
        put_number(layer, "spread", d->layers[i].spread, &ok);
        put_number(layer, "level", d->layers[i].level, &ok);
        add(layers, layer, &ok);
    }
    return finished(layers, ok && layers);
}

/* The six measures, as `diversity` of a report and of every epoch holds them. */
static json_t *measures_json(const vg_diversity *d, const char *const *classes)
{
    bool ok = true;
    json_t *o = json_object(), *missing = json_array();
    put_number(o, "input_information", d->input_information, &ok);
    put_number(o, "input_information_low", d->input_information_low, &ok);
    put_number(o, "input_information_high", d->input_information_high, &ok);
    put_number(o, "effective_classes", d->effective_classes, &ok);
    put_number(o, "effective_classes_count", vg_run_effective_predicted(d), &ok);
    for (int k = 0; k < d->classes && d->missing; k++)
        if (d->missing[k])
            add(missing, vg_json_text(classes[k]), &ok);
    put(o, "missing_classes", missing, &ok);
    put_number(o, "label_information", d->label_information, &ok);
    put_number(o, "label_information_p", d->label_information_p, &ok);
    put_number(o, "effective_rank", d->effective_rank, &ok);
    put_number(o, "top_share", d->top_share, &ok);
    put_text(o, "top_class", d->classes ? classes[d->top_class] : NULL, &ok);
    put_number(o, "nonfinite_share", d->nonfinite_share, &ok);
    put_number(o, "output_change", d->output_change, &ok);
    put_text(o, "collapsed_layer",
             d->collapsed_layer >= 0 && d->collapsed_layer < d->layer_count
                 ? d->layers[d->collapsed_layer].name
                 : NULL,
             &ok);
    put(o, "layers", layers_json(d), &ok);
    return finished(o, ok && o);
}

static json_t *per_class_json(const vg_diversity *d, const char *const *classes)
{
    bool ok = true;
    json_t *list = json_array();
    for (int k = 0; k < d->classes; k++) {
        json_t *o = json_object();
        put_text(o, "name", classes[k], &ok);
        put_number(o, "label_share", d->label_share[k], &ok);
        put_number(o, "predicted_share", d->predicted_share[k], &ok);
        put_number(o, "recall", d->recall[k], &ok);
        add(list, o, &ok);
    }
    return finished(list, ok && list);
}

static json_t *confusion_json(const vg_diversity *d)
{
    bool ok = true;
    json_t *rows = json_array();
    size_t classes = (size_t)d->classes;
    for (size_t r = 0; r < classes && d->confusion; r++) {
        json_t *row = json_array();
        for (size_t c = 0; c < classes; c++)
            add(row, json_integer((json_int_t)d->confusion[r * classes + c]), &ok);
        add(rows, row, &ok);
    }
    return finished(rows, ok && rows);
}

json_t *vg_run_diversity_json(const vg_diversity *d, const char *const *classes)
{
    bool ok = true;
    json_t *o = json_object();
    put_count(o, "samples", d->samples, &ok);
    put_number(o, "accuracy", d->accuracy, &ok);
    put_number(o, "balanced_accuracy", d->balanced_accuracy, &ok);
    put_number(o, "balanced_accuracy_low", d->balanced_low, &ok);
    put_number(o, "balanced_accuracy_high", d->balanced_high, &ok);
    put_number(o, "loss", d->loss, &ok);
    put(o, "diversity", measures_json(d, classes), &ok);
    put(o, "classes", per_class_json(d, classes), &ok);
    put(o, "confusion", confusion_json(d), &ok);
    return finished(o, ok && o);
}

static json_t *epochs_json(const vg_run_result *result, const char *const *classes)
{
    bool ok = true;
    json_t *list = json_array();
    for (int i = 0; i < result->epoch_count; i++) {
        const vg_epoch_record *e = &result->epochs[i];
        json_t *o = json_object();
        put_count(o, "epoch", (uint64_t)e->epoch, &ok);
        put_count(o, "step", e->step, &ok);
        put_number(o, "train_loss", e->train_loss, &ok);
        put_number(o, "train_accuracy", e->train_accuracy, &ok);
        put_number(o, "loss", e->diversity.loss, &ok);
        put_number(o, "accuracy", e->diversity.accuracy, &ok);
        put_number(o, "balanced_accuracy", e->diversity.balanced_accuracy, &ok);
        put_number(o, "learning_rate", e->learning_rate, &ok);
        put_number(o, "gradient_norm", e->gradient_norm, &ok);
        put_number(o, "seconds", e->seconds, &ok);
        put_number(o, "images_per_s", e->images_per_s, &ok);
        put_number(o, "load_share", e->load_share, &ok);
        put_text(o, "limited_by", vg_run_stage_word(e->limit), &ok);
        put_text(o, "verdict", vg_verdict_name(e->verdict), &ok);
        put(o, "diversity", measures_json(&e->diversity, classes), &ok);
        add(list, o, &ok);
    }
    return finished(list, ok && list);
}

static json_t *arm_json(const vg_comparison *comparison, int index)
{
    const vg_arm *arm = &comparison->arms[index];
    bool ok = true;
    json_t *o = json_object(), *trainings = json_array();
    put_text(o, "name", arm->name, &ok);
    put_text(o, "verdict", vg_verdict_name(arm->verdict), &ok);
    put_number(o, "seconds", arm->seconds, &ok);
    for (int s = 0; s < comparison->seeds; s++) {
        json_t *t = json_object();
        put_text(t, "verdict", vg_verdict_name(arm->verdicts[s]), &ok);
        for (int i = 0; i < VG_MEASURES; i++)
            put_number(t, vg_measure_name(i), arm->values[s * VG_MEASURES + i], &ok);
        add(trainings, t, &ok);
    }
    put(o, "trainings", trainings, &ok);
    return finished(o, ok && o);
}

static void put_comparison(json_t *root, const vg_comparison *comparison, bool *ok)
{
    json_t *changes = json_array(), *arms = json_array();
    for (int i = 0; i < comparison->change_count; i++)
        add(changes, vg_effect_json(&comparison->effects[i], comparison->seeds), ok);
    for (int i = 0; i < comparison->arm_count; i++)
        add(arms, arm_json(comparison, i), ok);
    put(root, "changes", changes, ok);
    put(root, "arms", arms, ok);
    put_number(root, "comparison_seconds", comparison->seconds, ok);
}

static json_t *bad_json(const vg_run_report *report, size_t i)
{
    const vg_bad_sample *bad = &report->result->bad[i];
    bool ok = true;
    json_t *b = json_object();
    put_text(b, "path", report->bad_names[i], &ok);
    put_text(b, "kind", vg_bad_kind_name(bad->kind), &ok);
    put_text(b, "cause", vg_bad_cause_name(bad->cause), &ok);
    if (bad->offset == UINT64_MAX)
        put(b, "offset", json_null(), &ok);
    else
        put_count(b, "offset", (size_t)bad->offset, &ok);
    put_number(b, "intact", bad->intact, &ok);
    put_text(b, "reason", vg_run_bad_reason(report, i), &ok);
    return finished(b, ok && b);
}

static json_t *files_json(const vg_run_report *report)
{
    const vg_run_result *r = report->result;
    bool ok = true;
    json_t *o = json_object(), *list = json_array();
    for (int kind = 0; kind <= VG_BAD_SUSPICIOUS; kind++)
        put_count(o, vg_bad_kind_name((vg_bad_kind)kind), (size_t)r->bad_counts[kind], &ok);
    for (size_t i = 0; i < r->bad_samples; i++)
        add(list, bad_json(report, i), &ok);
    put(o, "listed", list, &ok);
    return finished(o, ok && o);
}

/* Where the time of loading went; seconds of all workers together. */
static json_t *loading_json(const vg_run_report *report)
{
    const vg_loader_times *t = &report->result->loading;
    char hint[160];
    bool ok = true;
    json_t *o = json_object();
    vg_run_limit_hint(report, hint, sizeof hint);
    put_text(o, "limited_by", vg_run_stage_word(report->result->limit), &ok);
    put_text(o, "hint", hint, &ok);
    put_number(o, "read_s", t->read, &ok);
    put_number(o, "decode_s", t->decode, &ok);
    put_number(o, "augment_s", t->transform, &ok);
    put_number(o, "waited_s", t->waited_by_caller, &ok);
    put_count(o, "samples", (size_t)t->samples, &ok);
    put_count(o, "decoded", (size_t)t->decoded, &ok);
    put_count(o, "from_cache", (size_t)t->cached, &ok);
    return finished(o, ok && o);
}

static json_t *data_json(const vg_run_report *report)
{
    const vg_run_result *r = report->result;
    bool ok = true;
    json_t *o = json_object(), *classes = json_array(), *bad = json_array();
    put_text(o, "dataset", report->dataset, &ok);
    put(o, "brings_splits", json_boolean(report->brings_splits), &ok);
    for (int k = 0; k < report->class_count; k++) {
        json_t *c = json_object(), *splits = json_object();
        size_t total = 0;
        for (int s = 0; s < VG_SPLIT_COUNT; s++) {
            put_count(splits, vg_split_name((vg_split)s), report->counts[s][k], &ok);
            total += report->counts[s][k];
        }
        put_text(c, "name", report->classes[k], &ok);
        put_count(c, "count", total, &ok);
        put(c, "splits", splits, &ok);
        add(classes, c, &ok);
    }
    put(o, "classes", classes, &ok);
    put_text(o, "held_out", vg_split_name(r->held_out), &ok);
    put_count(o, "train_samples", r->train_samples, &ok);
    put_count(o, "held_out_samples", r->held_out_samples, &ok);
    put_count(o, "probe_samples", r->probe_samples, &ok);
    for (size_t i = 0; i < r->bad_samples; i++)
        if (r->bad[i].kind == VG_BAD_SKIPPED)
            add(bad, bad_json(report, i), &ok);
    put(o, "broken", bad, &ok);
    put(o, "files", files_json(report), &ok);
    return finished(o, ok && o);
}

static json_t *model_json(const vg_run_report *report)
{
    const vg_run_result *r = report->result;
    const vg_net_spec *net = &report->job->run.net;
    bool ok = true;
    json_t *o = json_object(), *layers = json_array();
    put_text(o, "net", net->name, &ok);
    for (int i = 0; i < net->count; i++) {
        char words[96];
        vg_layer_print(&net->layers[i], words, sizeof words);
        add(layers, vg_json_text(words), &ok);
    }
    put(o, "layers", layers, &ok);
    put_count(o, "parameters", r->parameters, &ok);
    put_count(o, "macs", r->macs, &ok);
    put(o, "input",
        json_pack("{s:i,s:i,s:i}", "channels", r->channels, "height", r->height, "width", r->width),
        &ok);
    return finished(o, ok && o);
}

/* The effective job, key by key, as the words that the job file holds. */
static json_t *job_json(const vg_job *job)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    vg_job_print(job, stream);
    json_t *value = fclose(stream) == 0 ? vg_json_text(text) : NULL;
    free(text);
    return value;
}

/* The epoch whose weights are best.safetensors. */
static json_t *best_json(const vg_run_report *report)
{
    const vg_run_result *r = report->result;
    vg_watch by = report->job->run.best_by;
    if (by == VG_WATCH_NONE || r->best < 1 || r->best >= r->epoch_count)
        return json_null();
    bool ok = true;
    json_t *o = json_object();
    put_count(o, "epoch", (uint64_t)r->epochs[r->best].epoch, &ok);
    put_text(o, "measure", vg_watch_name(by), &ok);
    put_number(o, "value", vg_watch_value(by, &r->epochs[r->best]), &ok);
    put_number(o, "last", vg_watch_value(by, &r->epochs[r->epoch_count - 1]), &ok);
    return finished(o, ok && o);
}

static void put_verdict(json_t *root, const vg_run_report *report, bool *ok)
{
    char reason[600], detail[600];
    const vg_monitor *m = &report->result->monitor;
    vg_run_verdict_reason(report, report->result, reason, sizeof reason);
    vg_run_verdict_detail(report->result, detail, sizeof detail);
    put_text(root, "verdict", vg_verdict_name(m->settled), ok);
    put_text(root, "verdict_reason", reason, ok);
    put_text(root, "verdict_detail", detail, ok);
    put_text(root, "warning", report->job ? vg_run_warning(&report->job->run) : NULL, ok);
    put_step(root, "onset_step", m->onset_step, ok);
    put_step(root, "recovery_step", m->recovery_step, ok);
    put(root, "never_moved", json_boolean(m->never_moved), ok);
    put(root, "not_finite", json_boolean(m->not_finite), ok);
}

static json_t *check_json(const vg_check *c)
{
    if (!c)
        return json_null();
    return json_pack("{s:i, s:I, s:I, s:b, s:f, s:o}", "warnings", c->warning_count, "images",
                     (json_int_t)c->pictures, "references", (json_int_t)c->references,
                     "labels_judged", c->labels_judged, "seconds", c->seconds, "findings",
                     vg_check_findings_json(c));
}

json_t *vg_run_report_json(const vg_run_report *report)
{
    const vg_run_result *r = report->result;
    json_t *root = vg_run_diversity_json(&r->final, report->classes);
    bool ok = root != NULL;
    if (!ok)
        return NULL;
    put_text(root, "tool", "train-pipeline", &ok);
    put_text(root, "version", VG_VERSION, &ok);
    put_text(root, "date", report->date, &ok);
    put_verdict(root, report, &ok);
    put(root, "data", data_json(report), &ok);
    put(root, "loading", loading_json(report), &ok);
    put(root, "policy_check", check_json(report->check), &ok);
    put(root, "model", model_json(report), &ok);
    put(root, "epochs", epochs_json(r, report->classes), &ok);
    put(root, "best", best_json(report), &ok);
    put(root, "stopped_early", json_boolean(r->ended), &ok);
    put_step(root, "resumed_step", r->resumed_step, &ok);
    put(root, "resumed_on_other_machine", json_boolean(r->other_machine), &ok);
    put_number(root, "seconds", r->seconds, &ok);
    if (report->comparison)
        put_comparison(root, report->comparison, &ok);
    put_text(root, "folder", report->folder, &ok);
    put(root, "job", job_json(report->job), &ok);
    return finished(root, ok);
}
