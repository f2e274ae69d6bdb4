/* Writing an augmented dataset.
 *
 * One item of work is one sample: it is decoded once and all of its variants are written. A journal
 * (manifest.part) gets the finished sample's lines in one write; whoever continues a cut off export
 * reads it and skips those samples. At the end its lines are sorted, which makes the manifest the
 * same for any order of work. */
#include "export.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/threads.h"
#include "export_folder.h"
#include "image/encode.h"

#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

typedef struct seat {
    vg_reader reader;
    void *scratch;
    vg_image decoded, view;
    vg_bytes file, lines;
    bool ready;
} seat;

typedef struct job {
    const vg_dataset *dataset;
    const vg_augment *augment;
    const vg_export_options *options;
    vg_export_summary *summary;
    vg_transform transform;
    char **folders;    /* [classes] what a class is called on disk */
    uint64_t *totals;  /* [classes] training pictures to write */
    uint64_t *samples; /* [classes] training samples */
    uint64_t *rank;    /* [count] place of a training sample within its class */
    bool *done;        /* [count] finished by an earlier call */
    seat *seats;
    int threads;
    pthread_mutex_t lock; /* of what follows */
    FILE *journal;
    uint64_t finished;
    size_t first_problem;
    vg_status status; /* of the first failure that ends the export */
    vg_error error;
} job;

vg_export_options vg_export_options_default(void)
{
    return (vg_export_options){
        .copies = 1, .originals = true, .format = VG_FORMAT_JPEG, .quality = 95, .seed = 1};
}

/* ---- how many */

static uint64_t each(const vg_export_options *o)
{
    return (uint64_t)o->copies + o->originals;
}

uint64_t vg_export_count(const vg_dataset *dataset, const vg_export_options *options, int label)
{
    int classes = vg_dataset_classes(dataset);
    size_t *counts = vg_alloc((size_t)classes, sizeof *counts), most = 0, own = 0;
    if (!counts)
        return 0;
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    for (int k = 0; k < classes; k++)
        most = counts[k] > most ? counts[k] : most;
    own = counts[label];
    free(counts);
    return own == 0 ? 0 : (options->balance ? most : own) * each(options);
}

/* Pictures to write of a training sample: its share of its class, the rest to some of them. */
static uint64_t variants_of(const job *j, size_t index)
{
    if (vg_dataset_split(j->dataset, index) != VG_SPLIT_TRAIN)
        return 1;
    int label = vg_dataset_label(j->dataset, index);
    uint64_t n = j->samples[label], total = j->totals[label];
    uint64_t place = vg_permute(vg_mix(j->options->seed, (uint64_t)label), n, j->rank[index]);
    return total / n + (place < total % n);
}

static vg_status count_all(job *j, vg_error *err)
{
    size_t count = vg_dataset_count(j->dataset), classes = (size_t)vg_dataset_classes(j->dataset);
    j->totals = vg_calloc(classes, sizeof *j->totals);
    j->samples = vg_calloc(classes, sizeof *j->samples);
    j->rank = vg_calloc(count, sizeof *j->rank);
    j->done = vg_calloc(count, sizeof *j->done);
    if (!j->totals || !j->samples || !j->rank || !j->done)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        if (vg_dataset_split(j->dataset, i) == VG_SPLIT_TRAIN)
            j->rank[i] = j->samples[vg_dataset_label(j->dataset, i)]++;
    for (size_t k = 0; k < classes; k++)
        j->totals[k] = vg_export_count(j->dataset, j->options, (int)k);
    return VG_OK;
}

static vg_status append_line(const job *j, size_t index, const char *path, const char *plan,
                             vg_bytes *lines, vg_error *err)
{
    char source[VG_EXPORT_PATH];
    vg_dataset_name(j->dataset, index, source, sizeof source);
    int label = vg_dataset_label(j->dataset, index);
    vg_status status = vg_export_field(lines, path, ',', err);
    if (!status)
        status = vg_export_field(lines, vg_dataset_class_name(j->dataset, label), ',', err);
    if (!status)
        status =
            vg_export_field(lines, vg_split_name(vg_dataset_split(j->dataset, index)), ',', err);
    if (!status)
        status = vg_export_field(lines, source, ',', err);
    return status ? status : vg_export_field(lines, plan, '\n', err);
}

/* ---- one sample */

static void stop(job *j, vg_status status, const vg_error *why)
{
    pthread_mutex_lock(&j->lock);
    if (!j->status) {
        j->status = status;
        j->error = *why;
    }
    pthread_mutex_unlock(&j->lock);
}

static void note_unreadable(job *j, size_t index, const vg_error *why)
{
    pthread_mutex_lock(&j->lock);
    j->summary->unreadable++;
    if (index < j->first_problem) {
        j->first_problem = index;
        snprintf(j->summary->first_problem, sizeof j->summary->first_problem, "%s", why->message);
    }
    pthread_mutex_unlock(&j->lock);
}

static vg_status write_picture(const job *j, seat *s, const char *path, vg_error *err)
{
    const vg_export_options *o = j->options;
    vg_status status = o->format == VG_FORMAT_PNG
                           ? vg_png_encode(&s->view, 6, &s->file, err)
                           : vg_jpeg_encode(&s->view, o->quality, &s->file, err);
    char *full = status ? NULL : vg_path_join(o->folder, path);
    if (!status && !full)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    if (!status)
        status = vg_file_write(full, s->file.data, s->file.size, err);
    free(full);
    return status;
}

static vg_status write_variant(const job *j, seat *s, size_t index, uint64_t variant, vg_error *err)
{
    const vg_augment *a = j->augment;
    char path[VG_EXPORT_PATH], text[VG_PLAN_TEXT] = "original";
    vg_sample_key key = {j->options->seed, (uint32_t)variant, index, index,
                         vg_dataset_label(j->dataset, index)};
    vg_plan plan = vg_plan_none();
    if (variant > 0) {
        plan = vg_plan_draw(vg_augment_policy(a, key.label), &key, a->width, a->height,
                            s->decoded.width, s->decoded.height);
        vg_plan_print(&plan, text, sizeof text);
    }
    vg_export_path(j->dataset, j->options, j->folders, index, variant, path);
    vg_status status =
        vg_augment_apply(a, variant ? &plan : NULL, s->scratch, &s->decoded, &s->view, err);
    if (!status)
        status = write_picture(j, s, path, err);
    return status ? status : append_line(j, index, path, text, &s->lines, err);
}

static vg_status make_ready(const job *j, seat *s, vg_error *err)
{
    if (s->ready)
        return VG_OK;
    vg_status status = vg_reader_init(&s->reader, err);
    if (!status)
        status = j->transform.scratch_new(j->transform.context, &s->scratch, err);
    s->ready = !status;
    return status;
}

static vg_status write_sample(job *j, seat *s, size_t index, vg_error *err)
{
    uint64_t first = 0, count = variants_of(j, index);
    if (vg_dataset_split(j->dataset, index) == VG_SPLIT_TRAIN && !j->options->originals)
        first = 1;
    vg_decode_options decode = vg_decode_options_default();
    vg_status status =
        vg_dataset_read(j->dataset, index, &decode, &s->reader, &s->decoded, NULL, err);
    if (status == VG_E_FORMAT || status == VG_E_LIMIT || status == VG_E_IO) {
        note_unreadable(j, index, err);
        return VG_OK;
    }
    s->lines.size = 0;
    for (uint64_t v = first; v < first + count && !status; v++)
        status = write_variant(j, s, index, v, err);
    if (status)
        return status;
    pthread_mutex_lock(&j->lock);
    if (fwrite(s->lines.data, 1, s->lines.size, j->journal) != s->lines.size ||
        fflush(j->journal) != 0)
        status = vg_fail(err, VG_E_IO, "%s/manifest.part: %s", j->options->folder, strerror(errno));
    else
        j->summary->written += count;
    pthread_mutex_unlock(&j->lock);
    return status;
}

static void work(void *context, int thread, size_t index)
{
    job *j = context;
    seat *s = &j->seats[thread];
    vg_error err = {0};
    pthread_mutex_lock(&j->lock);
    bool stopped = j->status != VG_OK;
    uint64_t finished = ++j->finished;
    pthread_mutex_unlock(&j->lock);
    if (stopped)
        return;
    if (!j->done[index]) {
        vg_status status = make_ready(j, s, &err);
        if (!status)
            status = write_sample(j, s, index, &err);
        if (status)
            stop(j, status, &err);
    }
    if (j->options->progress)
        j->options->progress(j->options->context, finished, vg_dataset_count(j->dataset));
}

/* ---- what an earlier call has done */

/* Marks the samples whose lines stand in the journal; a last line without an end was cut off. */
static vg_status read_journal(job *j, const char *path, vg_error *err)
{
    vg_bytes old = {0};
    if (!vg_path_exists(path))
        return VG_OK;
    vg_status status = vg_file_read(path, 0, &old, err);
    size_t kept = 0, count = vg_dataset_count(j->dataset);
    uint64_t *lines = vg_calloc(count, sizeof *lines);
    if (!status && !lines)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples", count);
    for (size_t at = 0; !status && at < old.size;) {
        const uint8_t *end = memchr(old.data + at, '\n', old.size - at);
        if (!end)
            break;
        const char *line = (const char *)old.data + at, *slash = line;
        /* split/CLASS/0000123_...: the number behind the second slash */
        for (int k = 0; k < 2 && slash; k++) {
            slash = memchr(slash, '/', (size_t)((const char *)end - slash));
            slash = slash ? slash + 1 : NULL;
        }
        size_t index = slash ? strtoul(slash, NULL, 10) : count;
        if (index < count)
            lines[index]++;
        at = (size_t)(end - old.data) + 1;
        kept = at;
    }
    for (size_t i = 0; !status && i < count; i++)
        if (lines[i] && lines[i] == variants_of(j, i)) {
            j->done[i] = true;
            j->summary->found += lines[i];
        }
    if (!status && kept < old.size && truncate(path, (off_t)kept) != 0)
        status = vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    free(lines);
    vg_bytes_reset(&old);
    return status;
}

/* ---- all of it */

/* What decides the files: two exports with the same text are the same. */
static void describe(const job *j, char *text, size_t capacity)
{
    char policy[VG_POLICY_TEXT], framing[40], own[80] = "", over[40] = "";
    int background = vg_dataset_background(j->dataset);
    const vg_export_options *o = j->options;
    const vg_augment *a = j->augment;
    vg_policy_print(&a->policy, policy, sizeof policy);
    vg_framing_print(&a->framing, framing, sizeof framing);
    if (a->class_policies && a->class_policies->count)
        snprintf(own, sizeof own, "\nclass policies: %d %016llx", a->class_policies->count,
                 (unsigned long long)vg_class_policies_hash(a->class_policies));
    if (background > VG_BACKGROUND_BLACK) { /* black before there was a choice */
        char colour[VG_BACKGROUND_TEXT];
        snprintf(over, sizeof over, "background: %s\n", vg_background_print(background, colour));
    }
    uint64_t names = 0;
    for (size_t i = 0; i < vg_dataset_count(j->dataset); i++) {
        char name[VG_EXPORT_PATH];
        size_t length = vg_dataset_name(j->dataset, i, name, sizeof name);
        length = length < sizeof name ? length : sizeof name - 1;
        names = vg_hash(name, length, names ^ (uint64_t)vg_dataset_label(j->dataset, i));
    }
    snprintf(text, capacity,
             "dataset: %s\nsamples: %zu %016llx\npolicy: %s%s\ninput: %d x %d x %d, %s\n%s"
             "copies: %d\noriginals: %s\nbalance: %s\nformat: %s %d\nseed: %llu\n",
             vg_dataset_path(j->dataset), vg_dataset_count(j->dataset), (unsigned long long)names,
             policy, own, a->height, a->width, a->channels, framing, over, o->copies,
             o->originals ? "yes" : "no", o->balance ? "yes" : "no",
             o->format == VG_FORMAT_PNG ? "png" : "jpg",
             o->format == VG_FORMAT_PNG ? 0 : o->quality, (unsigned long long)o->seed);
}

static vg_status run(job *j, vg_error *err)
{
    bool resume;
    char text[VG_EXPORT_TEXT];
    describe(j, text, sizeof text);
    char *part = vg_path_join(j->options->folder, "manifest.part");
    vg_status status = part ? vg_export_claim(j->options->folder, text, &resume, err)
                            : vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    if (!status)
        status = vg_export_make_folders(j->dataset, j->options->folder, j->folders, resume, err);
    if (!status)
        status = vg_export_state(j->options->folder, text, false, err);
    if (!status && resume)
        status = read_journal(j, part, err);
    if (!status && !(j->journal = fopen(part, "a")))
        status = vg_fail(err, VG_E_IO, "%s: %s", part, strerror(errno));
    if (!status) {
        vg_parallel_for(j->threads, vg_dataset_count(j->dataset), work, j);
        status = j->status;
        if (status && err)
            *err = j->error;
    }
    if (j->journal && fclose(j->journal) != 0 && !status)
        status = vg_fail(err, VG_E_IO, "%s: %s", part, strerror(errno));
    if (!status)
        status = vg_export_manifest(j->options->folder, part, err);
    if (!status)
        status = vg_export_state(j->options->folder, text, true, err);
    if (!status)
        unlink(part);
    free(part);
    return status;
}

static vg_status check(const vg_dataset *dataset, const vg_augment *augment,
                       const vg_export_options *o, vg_error *err)
{
    if (o->copies < 0 || o->copies > VG_EXPORT_COPIES || each(o) == 0)
        return vg_fail(err, VG_E_ARG, "an export of %d copies %s originals: 0 to %d, and something",
                       o->copies, o->originals ? "with" : "without", VG_EXPORT_COPIES);
    if (o->format != VG_FORMAT_JPEG && o->format != VG_FORMAT_PNG)
        return vg_fail(err, VG_E_ARG, "an export is written as JPEG or PNG, not %s",
                       vg_format_name(o->format));
    if (o->quality < 1 || o->quality > 100)
        return vg_fail(err, VG_E_ARG, "JPEG quality %d: expected 1 to 100", o->quality);
    if (o->copies == 0 && o->balance)
        return vg_fail(err, VG_E_ARG, "balancing makes copies: at least one is needed");
    if (augment->width < 1 || augment->height < 1 || vg_dataset_count(dataset) == 0)
        return vg_fail(err, VG_E_ARG, "%s: nothing to export", vg_dataset_path(dataset));
    return VG_OK;
}

vg_status vg_export(const vg_dataset *dataset, const vg_augment *augment,
                    const vg_export_options *options, vg_export_summary *summary, vg_error *err)
{
    vg_export_summary own = {0};
    summary = summary ? summary : &own;
    *summary = own;
    vg_status status = check(dataset, augment, options, err);
    if (status)
        return status;
    job j = {.dataset = dataset,
             .augment = augment,
             .options = options,
             .summary = summary,
             .transform = vg_augment_transform(augment),
             .threads = options->threads > 0 ? options->threads : vg_threads_available(),
             .first_problem = SIZE_MAX};
    pthread_mutex_init(&j.lock, NULL);
    j.seats = vg_calloc((size_t)j.threads, sizeof *j.seats);
    status = j.seats ? count_all(&j, err) : vg_fail(err, VG_E_NOMEM, "out of memory for threads");
    if (!status)
        status = vg_export_name_classes(dataset, &j.folders, err);
    if (!status)
        status = run(&j, err);
    for (int t = 0; j.seats && t < j.threads; t++) {
        seat *s = &j.seats[t];
        vg_reader_reset(&s->reader);
        if (s->scratch)
            j.transform.scratch_free(s->scratch);
        vg_image_reset(&s->decoded);
        vg_image_reset(&s->view);
        vg_bytes_reset(&s->file);
        vg_bytes_reset(&s->lines);
    }
    for (int k = 0; j.folders && k < vg_dataset_classes(dataset); k++)
        free(j.folders[k]);
    free(j.folders);
    free(j.totals);
    free(j.samples);
    free(j.rank);
    free(j.done);
    free(j.seats);
    pthread_mutex_destroy(&j.lock);
    return status;
}
