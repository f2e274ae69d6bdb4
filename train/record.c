/* Fields to bytes and back. Structs go field by field: their padding is nobody's business. Counts that are read are
 * compared with what is left of the bytes before memory is taken for them. */
#include "record.h"

#include "base/alloc.h"
#include "export/safetensors.h"

#include <stdlib.h>
#include <string.h>

#define VG_RECORD_FORMAT "variegate record 1"

void vg_record_raw(vg_record *r, void *field, size_t size)
{
    if (r->failed)
        return;
    if (r->writing) {
        size_t need = r->bytes.size + size;
        if (need > r->bytes.capacity &&
            vg_bytes_reserve(&r->bytes, need + need / 2 + 4096, NULL) != VG_OK) {
            r->failed = true;
            return;
        }
        if (size)
            memcpy(r->bytes.data + r->bytes.size, field, size);
        r->bytes.size += size;
    } else if (size > r->bytes.size - r->at) {
        r->failed = true;
    } else {
        if (size)
            memcpy(field, r->bytes.data + r->at, size);
        r->at += size;
    }
}

void vg_record_array(vg_record *r, void *array, size_t *count, size_t size)
{
    void *data = NULL;
    size_t bytes = 0;
    uint64_t n = *count;
    memcpy(&data, array, sizeof data);
    vg_record_field(r, n);
    if (!r->failed &&
        (!vg_mul_size((size_t)n, size, &bytes) || (!r->writing && bytes > r->bytes.size - r->at)))
        r->failed = true;
    if (r->failed)
        return;
    if (!r->writing && n) {
        data = vg_alloc((size_t)n, size);
        if (!data) {
            r->failed = true;
            return;
        }
        memcpy(array, &data, sizeof data);
    }
    *count = (size_t)n;
    vg_record_raw(r, data, bytes);
}

/* An array whose length follows from another field. */
static void fixed(vg_record *r, void *array, size_t count, size_t size)
{
    size_t n = count;
    vg_record_array(r, array, &n, size);
    if (n != count)
        r->failed = true;
}

static void layers(vg_record *r, vg_diversity *d)
{
    uint64_t count = (uint64_t)d->layer_count;
    vg_record_field(r, count);
    if (r->failed || (!r->writing && count > r->bytes.size)) {
        r->failed = true;
        return;
    }
    if (!r->writing) {
        d->layers = vg_calloc((size_t)count, sizeof *d->layers);
        if (!d->layers) {
            r->failed = true;
            return;
        }
        d->layer_count = (int)count;
    }
    for (int i = 0; i < d->layer_count; i++) {
        vg_record_field(r, d->layers[i].name);
        d->layers[i].name[sizeof d->layers[i].name - 1] = '\0';
        vg_record_field(r, d->layers[i].spread);
        vg_record_field(r, d->layers[i].level);
    }
}

static void figures(vg_record *r, vg_diversity *d)
{
    double *const all[] = {&d->input_information,
                           &d->input_information_low,
                           &d->input_information_high,
                           &d->effective_classes,
                           &d->top_share,
                           &d->top_label_share,
                           &d->label_information,
                           &d->label_information_p,
                           &d->effective_rank,
                           &d->accuracy,
                           &d->balanced_accuracy,
                           &d->balanced_low,
                           &d->balanced_high,
                           &d->loss,
                           &d->nonfinite_share,
                           &d->output_change};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        vg_record_field(r, *all[i]);
    vg_record_field(r, d->top_class);
    vg_record_field(r, d->missing_count);
    vg_record_field(r, d->missing_plain);
    vg_record_field(r, d->first_look);
    vg_record_field(r, d->collapsed_layer);
}

void vg_record_diversity(vg_record *r, vg_diversity *d)
{
    vg_record_field(r, d->classes);
    vg_record_field(r, d->samples);
    if (r->failed || d->classes < 0 || (!r->writing && (size_t)d->classes > r->bytes.size)) {
        r->failed = true;
        return;
    }
    size_t classes = (size_t)d->classes;
    figures(r, d);
    fixed(r, &d->predicted_share, classes, sizeof *d->predicted_share);
    fixed(r, &d->label_share, classes, sizeof *d->label_share);
    fixed(r, &d->recall, classes, sizeof *d->recall);
    fixed(r, &d->confusion, classes * classes, sizeof *d->confusion);
    fixed(r, &d->missing, classes, sizeof *d->missing);
    layers(r, d);
    if (classes && !r->failed &&
        (d->top_class < 0 || d->top_class >= d->classes || d->collapsed_layer >= d->layer_count))
        r->failed = true;
}

void vg_record_monitor(vg_record *r, vg_monitor *m)
{
    vg_record_field(r, m->planned_steps);
    vg_record_field(r, m->last);
    vg_record_field(r, m->settled);
    vg_record_field(r, m->onset_step);
    vg_record_field(r, m->recovery_step);
    vg_record_field(r, m->measurements);
    vg_record_field(r, m->never_moved);
    vg_record_field(r, m->not_finite);
    vg_record_field(r, m->late_starter);
    vg_record_field(r, m->reason);
    m->reason[sizeof m->reason - 1] = '\0';
    vg_record_field(r, m->bad_since);
    vg_record_field(r, m->information);
    vg_record_field(r, m->spread);
    vg_record_field(r, m->missing);
}

void vg_record_epoch(vg_record *r, vg_epoch_record *e)
{
    vg_record_field(r, e->epoch);
    vg_record_field(r, e->step);
    vg_record_field(r, e->train_loss);
    vg_record_field(r, e->train_accuracy);
    vg_record_field(r, e->learning_rate);
    vg_record_field(r, e->gradient_norm);
    vg_record_field(r, e->seconds);
    vg_record_field(r, e->images_per_s);
    vg_record_field(r, e->load_share);
    vg_record_field(r, e->limit);
    vg_record_field(r, e->verdict);
    vg_record_diversity(r, &e->diversity);
}

static void bad_samples(vg_record *r, vg_run_result *o)
{
    uint64_t count = o->bad_samples;
    vg_record_field(r, count);
    vg_record_field(r, o->bad_counts);
    if (r->failed || (!r->writing && count > r->bytes.size)) {
        r->failed = true;
        return;
    }
    if (!r->writing) {
        o->bad = vg_calloc((size_t)count, sizeof *o->bad);
        if (!o->bad) {
            r->failed = true;
            return;
        }
        o->bad_samples = (size_t)count;
    }
    for (size_t i = 0; i < o->bad_samples; i++) {
        vg_bad_sample *b = &o->bad[i];
        vg_record_field(r, b->index);
        vg_record_field(r, b->kind);
        vg_record_field(r, b->cause);
        vg_record_field(r, b->status);
        vg_record_field(r, b->offset);
        vg_record_field(r, b->intact);
        vg_record_field(r, b->reason);
        b->reason[sizeof b->reason - 1] = '\0';
    }
}

static void facts(vg_record *r, vg_run_result *o)
{
    vg_record_field(r, o->held_out);
    vg_record_field(r, o->train_samples);
    vg_record_field(r, o->held_out_samples);
    vg_record_field(r, o->probe_samples);
    vg_record_field(r, o->parameters);
    vg_record_field(r, o->macs);
    vg_record_field(r, o->channels);
    vg_record_field(r, o->height);
    vg_record_field(r, o->width);
    vg_record_field(r, o->seconds);
    vg_record_field(r, o->best);
    vg_record_field(r, o->ended);
    vg_loader_times *t = &o->loading;
    vg_record_field(r, t->read);
    vg_record_field(r, t->decode);
    vg_record_field(r, t->transform);
    vg_record_field(r, t->waited_by_caller);
    vg_record_field(r, t->samples);
    vg_record_field(r, t->decoded);
    vg_record_field(r, t->cached);
    vg_record_field(r, o->limit);
}

static void normalizer(vg_record *r, vg_normalizer *n)
{
    vg_record_field(r, n->kind);
    vg_record_field(r, n->channels);
    vg_record_field(r, n->scale);
    vg_record_field(r, n->offset);
    vg_record_field(r, n->images);
    vg_record_field(r, n->mean);
    vg_record_field(r, n->std);
    vg_record_field(r, n->min);
    vg_record_field(r, n->max);
    if (!r->writing)
        n->pixels = NULL;
}

void vg_record_result(vg_record *r, vg_run_result *result)
{
    uint64_t epochs = (uint64_t)result->epoch_count;
    vg_record_field(r, epochs);
    if (r->failed || (!r->writing && epochs > r->bytes.size)) {
        r->failed = true;
        return;
    }
    if (!r->writing) {
        result->epochs = vg_calloc((size_t)epochs, sizeof *result->epochs);
        if (!result->epochs) {
            r->failed = true;
            return;
        }
        result->epoch_count = (int)epochs;
    }
    for (int i = 0; i < result->epoch_count; i++)
        vg_record_epoch(r, &result->epochs[i]);
    vg_record_monitor(r, &result->monitor);
    vg_record_diversity(r, &result->final);
    normalizer(r, &result->normalizer);
    facts(r, result);
    bad_samples(r, result);
}

vg_status vg_record_compare(const char *path, const char *then, const char *now, vg_error *err)
{
    while (*then && *now) {
        size_t a = strcspn(then, "\n"), b = strcspn(now, "\n");
        if (a != b || memcmp(then, now, a) != 0)
            break;
        then += a + (then[a] != '\0');
        now += b + (now[b] != '\0');
    }
    if (!*then && !*now)
        return VG_OK;
    int a = (int)strcspn(then, "\n"), b = (int)strcspn(now, "\n");
    return vg_fail(err, VG_E_STATE, "%s: is of another run: there \"%.*s\", here \"%.*s\"", path,
                   a < 150 ? a : 150, then, b < 150 ? b : 150, now);
}

#define IDENTITY "identity"
#define RESULT "result"

vg_status vg_record_save(const char *path, const char *identity, vg_run_result *result,
                         vg_error *err)
{
    vg_record record = {.writing = true};
    vg_record_result(&record, result);
    json_t *metadata =
        json_pack("{s:s, s:s}", "format", VG_RECORD_FORMAT, IDENTITY, identity ? identity : "");
    const vg_tensor tensor = {.name = RESULT,
                              .dtype = VG_DTYPE_U8,
                              .shape = {(int64_t)record.bytes.size},
                              .dims = 1,
                              .count = record.bytes.size,
                              .data = record.bytes.data};
    vg_status status = VG_OK;
    if (record.failed) {
        json_decref(metadata);
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    } else {
        status = vg_safetensors_write(path, metadata, &tensor, 1, err);
    }
    vg_bytes_reset(&record.bytes);
    return status;
}

static vg_status read_record(const vg_safetensors *file, const char *identity,
                             vg_run_result *result, vg_error *err)
{
    const char *format = vg_safetensors_note(file, "format");
    const char *then = vg_safetensors_note(file, IDENTITY);
    if (!then || !format || strcmp(format, VG_RECORD_FORMAT) != 0)
        return vg_fail(err, VG_E_FORMAT, "%s: not the record of a training (expected \"%s\")",
                       file->path, VG_RECORD_FORMAT);
    vg_status status = vg_safetensors_check(file, err);
    vg_tensor t;
    if (!status)
        status = vg_record_compare(file->path, then, identity ? identity : "", err);
    if (!status)
        status = vg_safetensors_tensor(file, RESULT, &t, err);
    vg_record record = {0};
    if (!status)
        status = vg_bytes_reserve(&record.bytes, t.count + 1, err);
    if (status)
        return status;
    memcpy(record.bytes.data, t.data, t.count);
    record.bytes.size = t.dtype == VG_DTYPE_U8 ? t.count : 0;
    vg_record_result(&record, result);
    if (record.failed || record.at != record.bytes.size) {
        vg_run_result_reset(result);
        status = vg_fail(err, VG_E_FORMAT, "%s: does not hold what it should", file->path);
    }
    vg_bytes_reset(&record.bytes);
    return status;
}

vg_status vg_record_load(const char *path, const char *identity, vg_run_result *result,
                         vg_error *err)
{
    vg_safetensors file;
    vg_status status = vg_safetensors_open(path, &file, err);
    if (status)
        return status;
    status = read_record(&file, identity, result, err);
    vg_safetensors_close(&file);
    return status;
}
