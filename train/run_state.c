/* Going on with a run: everything that the rest of it follows from, in one file that is written atomically. It is a checkpoint (so
 * weights, optimizer, network and normalization need no second format) with three more tensors: "run.record", what was
 * recorded so far; "run.counters", where the run stands; "run.first", the outputs that later ones are compared
 * with. Order of samples, augmentation, mixing and dropout are functions of seed and place, so that counters are
 * all it takes.
 *
 * The file also says whose state it is: dataset, settings, version. Another run is refused with the line that
 * differs, rather than continued into something that nobody asked for. */
#include "run_internal.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/simd.h"
#include "checkpoint_internal.h"
#include "nn/kernels/blas.h"
#include "record.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#define IDENTITY "run.identity"
#define DATA "run.data"
#define MACHINES "run.machines"
#define RECORD "run.record"
#define COUNTERS "run.counters"
#define FIRST "run.first"

/* ---- whose state it is */

/* Names, labels, splits and sizes of all samples, as one number. */
static uint64_t hash_of(const vg_dataset *dataset)
{
    size_t count = vg_dataset_count(dataset);
    uint64_t hash = count;
    for (int k = 0; k < vg_dataset_classes(dataset); k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        hash = vg_hash(name, strlen(name), hash);
    }
    for (size_t i = 0; i < count; i++) {
        char name[1024];
        size_t length = vg_dataset_name(dataset, i, name, sizeof name);
        hash = vg_hash(name, length < sizeof name ? length : sizeof name - 1, hash);
        const uint64_t rest[] = {(uint64_t)vg_dataset_label(dataset, i),
                                 (uint64_t)vg_dataset_split(dataset, i),
                                 vg_dataset_file_bytes(dataset, i)};
        hash = vg_hash(rest, sizeof rest, hash);
    }
    return hash;
}

/* What this room knows without being told, as lines "name: value". */
static char *data_of(const vg_training *r)
{
    const vg_run_options *o = r->options;
    const vg_normalizer *n = &r->augment.normalizer;
    uint64_t fitted = vg_hash(n->scale, sizeof n->scale, (uint64_t)n->kind);
    fitted = vg_hash(n->offset, sizeof n->offset, fitted);
    if (n->pixels)
        fitted = vg_hash(n->pixels->mean, n->pixels->size * sizeof(float), fitted);
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    fprintf(
        stream,
        "format of the state: %d\nimages: %zu\nimages (names, labels, splits, sizes): %016" PRIx64
        "\nnormalization as fitted: %016" PRIx64 "\nepochs: %d\nbatch: %d\naccumulate: %d\n"
        "steps: %" PRIu64 "\nseed: %" PRIu64 "\norder_seed: %" PRIu64 "\n",
        (int)VG_RECORD_VERSION, vg_dataset_count(r->dataset), hash_of(r->dataset), fitted,
        o->epochs, r->batch, o->accumulate, r->steps, o->seed, o->order_seed);
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static vg_status compare_note(const vg_safetensors *file, const char *key, const char *now,
                              vg_error *err)
{
    const char *then = vg_safetensors_note(file, key);
    if (!then)
        return vg_fail(err, VG_E_FORMAT, "%s: holds weights, but no state of a run", file->path);
    return now ? vg_record_compare(file->path, then, now, err) : VG_OK;
}

vg_status vg_run_state_fits(const char *path, const char *identity, vg_error *err)
{
    vg_safetensors file;
    vg_status status = vg_checkpoint_open(path, false, &file, err);
    if (status)
        return status;
    status = compare_note(&file, IDENTITY, identity, err);
    vg_safetensors_close(&file);
    return status;
}

/* What makes the last bits of sums: our kernels and those of the BLAS. */
static void describe_machine(char *text, size_t size)
{
    static const char *const names[] = {"plain", "avx2", "avx512"};
    snprintf(text, size, "%s %s", names[vg_simd_best()], vg_blas_core());
}

/* Adds this machine to those that the state names. */
static void join_machine(vg_training *r, const char *earlier)
{
    char here[64];
    describe_machine(here, sizeof here);
    const char *then = earlier ? earlier : "", *comma = strrchr(then, ',');
    r->result->other_machine = *then && strcmp(then, here) != 0;
    bool named = strcmp(comma ? comma + 2 : then, here) == 0;
    if (named || strlen(then) + strlen(here) + 3 > sizeof r->machines)
        snprintf(r->machines, sizeof r->machines, "%s", then);
    else
        snprintf(r->machines, sizeof r->machines, "%s%s%s", then, *then ? ", " : "", here);
}

/* ---- the counters */

static vg_loader_times since(vg_loader_times now, vg_loader_times then)
{
    return (vg_loader_times){.read = now.read - then.read,
                             .decode = now.decode - then.decode,
                             .transform = now.transform - then.transform,
                             .waited_by_caller = now.waited_by_caller - then.waited_by_caller,
                             .samples = now.samples - then.samples,
                             .decoded = now.decoded - then.decoded,
                             .cached = now.cached - then.cached};
}

static void record_times(vg_record *record, vg_loader_times *t)
{
    vg_record_field(record, t->read);
    vg_record_field(record, t->decode);
    vg_record_field(record, t->transform);
    vg_record_field(record, t->waited_by_caller);
    vg_record_field(record, t->samples);
    vg_record_field(record, t->decoded);
    vg_record_field(record, t->cached);
}

/* `epoch_times`: what the loader did in the epoch under way. */
static void record_counters(vg_record *record, vg_training *r, vg_loader_times *epoch_times)
{
    vg_record_field(record, r->step);
    vg_record_field(record, r->update);
    vg_record_field(record, r->epoch);
    vg_record_field(record, r->next);
    vg_record_field(record, r->done);
    vg_record_field(record, r->loss_sum);
    vg_record_field(record, r->seconds);
    vg_record_field(record, r->correct);
    vg_record_field(record, r->seen);
    vg_record_field(record, r->gradient_norm);
    vg_record_field(record, r->rate);
    vg_record_field(record, r->not_finite);
    vg_record_field(record, r->plateau.rate);
    vg_record_field(record, r->plateau.best);
    vg_record_field(record, r->plateau.bad);
    vg_record_field(record, r->plateau.cooling);
    vg_record_field(record, r->plateau.any);
    vg_record_field(record, r->patience.best);
    vg_record_field(record, r->patience.since);
    vg_record_field(record, r->patience.any);
    record_times(record, epoch_times);
}

/* ---- writing */

static vg_tensor bytes_tensor(const char *name, const vg_record *record)
{
    return (vg_tensor){.name = name,
                       .dtype = VG_DTYPE_U8,
                       .shape = {(int64_t)record->bytes.size},
                       .dims = 1,
                       .count = record->bytes.size,
                       .data = record->bytes.data};
}

static vg_status write_state(vg_training *r, const vg_record *record, const vg_record *counters,
                             const char *data, vg_error *err)
{
    const vg_observer *observer = vg_probe_observer(r->probe);
    size_t rows;
    const float *first = vg_observer_first(observer, &rows);
    const vg_tensor tensors[] = {bytes_tensor(RECORD, record),
                                 bytes_tensor(COUNTERS, counters),
                                 {.name = FIRST,
                                  .dtype = VG_DTYPE_F32,
                                  .shape = {(int64_t)rows, r->classes},
                                  .dims = 2,
                                  .count = rows * (size_t)r->classes,
                                  .data = first}};
    const char *identity = r->options->identity ? r->options->identity : "";
    const vg_checkpoint_extra extra = {.tensors = tensors,
                                       .count = sizeof tensors / sizeof *tensors,
                                       .keys = (const char *const[]){IDENTITY, DATA, MACHINES},
                                       .notes = (const char *const[]){identity, data, r->machines},
                                       .note_count = 3};
    return vg_training_save_weights(r, r->options->state, &extra, err);
}

vg_status vg_training_save_state(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    r->saved = vg_clock();
    r->saved_step = r->step;
    if (!o->state)
        return VG_OK;
    if (!*r->machines)
        join_machine(r, NULL);
    vg_status status = vg_training_collect_bad(r, err);
    if (status)
        return status;
    vg_record record = {.writing = true}, counters = {.writing = true};
    r->result->loading = vg_training_times(r);
    r->result->seconds = r->earlier_seconds + vg_clock() - r->opened;
    vg_record_result(&record, r->result);
    vg_loader_times epoch_times = since(vg_loader_times_of(r->loader), r->before);
    record_counters(&counters, r, &epoch_times);
    char *data = data_of(r);
    if (record.failed || counters.failed || !data)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for the state of the run", o->state);
    else
        status = write_state(r, &record, &counters, data, err);
    free(data);
    vg_bytes_reset(&record.bytes);
    vg_bytes_reset(&counters.bytes);
    return status;
}

/* ---- reading */

static vg_status open_record(const vg_safetensors *file, const char *name, vg_record *record,
                             vg_error *err)
{
    vg_tensor t;
    *record = (vg_record){0};
    vg_status status = vg_safetensors_tensor(file, name, &t, err);
    if (!status && t.dtype != VG_DTYPE_U8)
        status = vg_fail(err, VG_E_FORMAT, "%s: tensor \"%s\" is %s, expected U8", file->path, name,
                         vg_dtype_name(t.dtype));
    if (!status)
        status = vg_bytes_reserve(&record->bytes, t.count + 1, err);
    if (status)
        return status;
    memcpy(record->bytes.data, t.data, t.count);
    record->bytes.size = t.count;
    return VG_OK;
}

static vg_status damaged(const vg_safetensors *file, const char *name, vg_error *err)
{
    return vg_fail(err, VG_E_FORMAT, "%s: \"%s\" does not hold what it should", file->path, name);
}

/* The result so far, with room for the epochs that follow. */
static vg_status read_result(vg_training *r, const vg_safetensors *file, vg_error *err)
{
    vg_record record;
    vg_run_result found = {0};
    size_t room = (size_t)r->options->epochs + 1;
    vg_status status = open_record(file, RECORD, &record, err);
    if (status)
        return status;
    vg_record_result(&record, &found);
    bool ok = !record.failed && record.at == record.bytes.size && found.epoch_count >= 1 &&
              (size_t)found.epoch_count <= room && found.best >= 0 &&
              found.best < found.epoch_count;
    vg_bytes_reset(&record.bytes);
    vg_epoch_record *all = ok ? vg_calloc(room, sizeof *all) : NULL;
    if (!all) {
        vg_run_result_reset(&found);
        return ok ? vg_fail(err, VG_E_NOMEM, "%s: out of memory", file->path)
                  : damaged(file, RECORD, err);
    }
    memcpy(all, found.epochs, (size_t)found.epoch_count * sizeof *all);
    free(found.epochs);
    found.epochs = all;
    r->earlier_bad = found.bad;
    r->earlier_bad_count = found.bad_samples;
    memcpy(r->earlier_counts, found.bad_counts, sizeof r->earlier_counts);
    found.bad = NULL;
    found.bad_samples = 0;
    r->earlier_seconds = found.seconds;
    r->earlier_times = found.loading;
    found.normalizer = r->result->normalizer;
    vg_run_result_reset(r->result);
    *r->result = found;
    return VG_OK;
}

static vg_status read_counters(vg_training *r, const vg_safetensors *file, vg_error *err)
{
    vg_record record;
    vg_loader_times epoch_times = {0};
    vg_status status = open_record(file, COUNTERS, &record, err);
    if (status)
        return status;
    record_counters(&record, r, &epoch_times);
    bool ok = !record.failed && record.at == record.bytes.size && r->epoch >= 1 &&
              r->epoch <= r->options->epochs + 1 && r->next <= r->batches && r->step <= r->steps;
    vg_bytes_reset(&record.bytes);
    r->before = since((vg_loader_times){0}, epoch_times); /* the new loader begins at nothing */
    return ok ? VG_OK : damaged(file, COUNTERS, err);
}

static vg_status read_first(vg_training *r, const vg_safetensors *file, vg_error *err)
{
    vg_tensor t;
    vg_status status = vg_safetensors_tensor(file, FIRST, &t, err);
    if (status)
        return status;
    if (t.dims != 2 || t.shape[1] != r->classes)
        return damaged(file, FIRST, err);
    float *first = vg_alloc(t.count, sizeof *first);
    if (!first)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", file->path);
    status = vg_tensor_floats(&t, first, err);
    if (!status)
        status = vg_observer_set_first(vg_probe_observer(r->probe), first, (size_t)t.shape[0], err);
    free(first);
    return status;
}

vg_status vg_training_restore(vg_training *r, vg_error *err)
{
    const vg_run_options *o = r->options;
    vg_safetensors file;
    char *data = data_of(r);
    vg_status status = vg_checkpoint_open(o->state, false, &file, err);
    if (status) {
        free(data);
        return status;
    }
    if (!data)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory", o->state);
    if (!status)
        status = compare_note(&file, IDENTITY, o->identity, err);
    if (!status)
        status = compare_note(&file, DATA, data, err);
    if (!status)
        status = vg_checkpoint_read_model(&file, r->model, err);
    if (!status)
        status = vg_checkpoint_read_optimizer(&file, r->optimizer, err);
    if (!status)
        status = read_counters(r, &file, err);
    if (!status)
        status = read_result(r, &file, err);
    if (!status)
        status = read_first(r, &file, err);
    if (!status) {
        join_machine(r, vg_safetensors_note(&file, MACHINES));
        r->result->resumed_step = r->step;
        r->saved = vg_clock();
        r->saved_step = r->step;
    }
    for (int i = 0; !status && r->events && r->events->epoch && i < r->result->epoch_count; i++)
        r->events->epoch(r->events->context, &r->result->epochs[i]);
    vg_safetensors_close(&file);
    free(data);
    return status;
}
