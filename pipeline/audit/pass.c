/* Each thread decodes a file, measures it, writes what it tells at the sample's own place and forgets it. Channel
 * statistics are integers and may be added in any order; notes are sorted afterwards: so the number of threads
 * changes nothing. */
#include "audit/pass.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/threads.h"

#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>

struct seat {
    vg_reader reader;
    vg_image image;
    vg_fingerprint_room room;
    vg_channel_stats stats;
    vg_audit_file *notes; /* broken and noted files, in the order this thread met them */
    size_t count, capacity;
    vg_status status; /* of this thread's own needs */
    bool ready;
};

struct pass {
    const vg_dataset *dataset;
    vg_facts *facts;
    vg_fingerprint *prints;
    struct seat *seats;
    bool fail;
    atomic_size_t first_bad; /* smallest index that could not be read */
    atomic_size_t done;
    void (*progress)(void *context, size_t done, size_t total);
    void *context;
    double last_progress;
};

static void add_note(struct seat *seat, size_t index, vg_status status, const char *reason)
{
    if (!vg_grow(&seat->notes, &seat->capacity, seat->count + 1, sizeof *seat->notes)) {
        seat->status = VG_E_NOMEM;
        return;
    }
    vg_audit_file *note = &seat->notes[seat->count++];
    *note = (vg_audit_file){.index = index, .status = status};
    snprintf(note->reason, sizeof note->reason, "%s", reason);
}

/* The reason without the name of the file, which the report prints anyway. */
static const char *without_name(const char *message, const char *name)
{
    const char *at = strstr(message, name);
    if (!at || strncmp(at + strlen(name), ": ", 2) != 0)
        return message;
    return at + strlen(name) + 2;
}

/* A file that decoded: worth a line? */
static void note_oddities(struct seat *seat, size_t index, const char *name, vg_facts *facts,
                          const vg_decode_info *info)
{
    char reason[200] = "";
    size_t used = 0;
    if (facts->flags & VG_FACT_MISNAMED)
        used =
            (size_t)snprintf(reason, sizeof reason, "is a %s file, its name says %s",
                             vg_format_name(info->format), vg_format_name(vg_format_of_name(name)));
    if (info->warnings > 0 || info->damaged) {
        facts->flags |= VG_FACT_WARNED;
        const char *text = info->warning[0] ? info->warning : "the decoder warned";
        snprintf(reason + used, sizeof reason - used, "%s%s", used ? "; " : "", text);
    }
    if (reason[0])
        add_note(seat, index, VG_OK, reason);
}

static void keep_smallest(atomic_size_t *least, size_t index)
{
    size_t seen = atomic_load(least);
    while (index < seen && !atomic_compare_exchange_weak(least, &seen, index))
        ;
}

static void look_at(struct pass *pass, struct seat *seat, size_t index)
{
    char name[4096];
    vg_error err = {0};
    vg_decode_info info = {0};
    vg_facts *facts = &pass->facts[index];
    vg_decode_options options = vg_decode_options_default();
    vg_span bytes = {0};
    vg_status status = vg_dataset_bytes(pass->dataset, index, &seat->reader, &bytes, &err);
    if (!status)
        status = vg_dataset_decode(pass->dataset, index, bytes, &options, &seat->reader,
                                   &seat->image, &info, &err);
    vg_dataset_name(pass->dataset, index, name, sizeof name);
    facts->file_bytes = vg_dataset_is_decoded(pass->dataset) ? 0 : bytes.size;
    facts->format = (uint8_t)info.format;
    vg_image_format promised = vg_format_of_name(name);
    if (info.format != VG_FORMAT_UNKNOWN && promised != VG_FORMAT_UNKNOWN &&
        promised != info.format)
        facts->flags |= VG_FACT_MISNAMED;
    facts->colour = (uint8_t)info.colour;
    facts->bits = (uint8_t)info.bit_depth;
    facts->quality = (uint8_t)info.quality;
    if (info.has_exif)
        facts->flags |= VG_FACT_EXIF;
    if (info.orientation > 1)
        facts->flags |= VG_FACT_TURNED;
    if (status) {
        add_note(seat, index, status, without_name(err.message, name));
        keep_smallest(&pass->first_bad, index);
        return;
    }
    facts->flags |= VG_FACT_DECODED;
    vg_facts_measure(&seat->image, facts);
    if (vg_fingerprint_make(&seat->image, &seat->room, &pass->prints[index], NULL))
        seat->status = VG_E_NOMEM;
    if (info.has_alpha)
        facts->flags |= VG_FACT_CLEAR;
    if (vg_dataset_split(pass->dataset, index) == VG_SPLIT_TRAIN)
        vg_channel_stats_add(&seat->stats, &seat->image);
    note_oddities(seat, index, name, facts, &info);
}

static void visit(void *context, int thread, size_t index)
{
    struct pass *pass = context;
    struct seat *seat = &pass->seats[thread];
    if (seat->status || (pass->fail && index > atomic_load(&pass->first_bad)))
        return;
    if (!seat->ready) {
        seat->status = vg_reader_init(&seat->reader, NULL);
        if (seat->status)
            return;
        seat->ready = true;
    }
    look_at(pass, seat, index);
    size_t done = atomic_fetch_add(&pass->done, 1) + 1;
    if (thread == 0 && pass->progress && vg_clock() - pass->last_progress > 0.1) {
        pass->last_progress = vg_clock();
        pass->progress(pass->context, done, vg_dataset_count(pass->dataset));
    }
}

static int by_index(const void *a, const void *b)
{
    const vg_audit_file *p = a, *q = b;
    return p->index < q->index ? -1 : p->index > q->index;
}

/* The notes of all threads, broken and readable apart, by index. */
static vg_status gather_notes(const struct pass *pass, int threads, vg_audit *audit, vg_error *err)
{
    size_t broken = 0, noted = 0;
    for (int t = 0; t < threads; t++)
        for (size_t i = 0; i < pass->seats[t].count; i++)
            pass->seats[t].notes[i].status ? broken++ : noted++;
    audit->broken = vg_alloc(broken, sizeof *audit->broken);
    audit->noted = vg_alloc(noted, sizeof *audit->noted);
    if (!audit->broken || !audit->noted)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the list of findings");
    for (int t = 0; t < threads; t++)
        for (size_t i = 0; i < pass->seats[t].count; i++) {
            const vg_audit_file *note = &pass->seats[t].notes[i];
            if (note->status)
                audit->broken[audit->broken_count++] = *note;
            else
                audit->noted[audit->noted_count++] = *note;
        }
    qsort(audit->broken, broken, sizeof *audit->broken, by_index);
    qsort(audit->noted, noted, sizeof *audit->noted, by_index);
    return VG_OK;
}

/* Once more, for the whole message. */
static vg_status read_again(const struct pass *pass, size_t index, vg_error *err)
{
    vg_reader reader;
    vg_image image = {0};
    vg_status status = vg_reader_init(&reader, err);
    if (status)
        return status;
    status = vg_dataset_read(pass->dataset, index, NULL, &reader, &image, NULL, err);
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    if (status)
        return status;
    return vg_fail(err, VG_E_IO, "a file could not be read a moment ago, and can be read now");
}

static vg_status run(struct pass *pass, int threads, vg_audit *audit, vg_error *err)
{
    size_t total = vg_dataset_count(pass->dataset);
    pass->last_progress = vg_clock();
    vg_parallel_for(threads, total, visit, pass);
    vg_status status = VG_OK;
    for (int t = 0; t < threads; t++) {
        vg_channel_stats_merge(&audit->stats, &pass->seats[t].stats);
        if (pass->seats[t].status)
            status = vg_fail(err, pass->seats[t].status, "%s: audit: %s",
                             vg_dataset_path(pass->dataset), vg_status_text(pass->seats[t].status));
    }
    size_t bad = atomic_load(&pass->first_bad);
    if (!status && pass->fail && bad < total)
        status = read_again(pass, bad, err);
    if (!status && pass->progress)
        pass->progress(pass->context, total, total);
    return status ? status : gather_notes(pass, threads, audit, err);
}

vg_status vg_audit_pass(const vg_dataset *dataset, const vg_audit_options *options, int threads,
                        vg_audit *audit, vg_fingerprint *prints, vg_error *err)
{
    struct pass pass = {.dataset = dataset,
                        .facts = audit->facts,
                        .prints = prints,
                        .fail = options->fail,
                        .progress = options->progress,
                        .context = options->context};
    atomic_init(&pass.first_bad, SIZE_MAX);
    atomic_init(&pass.done, 0);
    pass.seats = vg_calloc((size_t)threads, sizeof *pass.seats);
    if (!pass.seats)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d threads", threads);
    vg_status status = run(&pass, threads, audit, err);
    for (int t = 0; t < threads; t++) {
        struct seat *seat = &pass.seats[t];
        vg_image_reset(&seat->image);
        vg_fingerprint_room_reset(&seat->room);
        if (seat->ready)
            vg_reader_reset(&seat->reader);
        free(seat->notes);
    }
    free(pass.seats);
    return status;
}
