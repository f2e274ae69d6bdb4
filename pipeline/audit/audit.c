/* One pass over every file: decode, measure, forget. What a picture tells is kept in 32 bytes per
 * sample at its own place, and everything is added up afterwards in index order, so that the number
 * of threads changes nothing. Channel statistics are integers and may be added in any order. */
#include "audit/audit.h"

#include "audit/shortcuts.h"
#include "base/alloc.h"
#include "base/threads.h"

#include <math.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum flags { DECODED = 1, WARNED = 2, TURNED = 4, MISNAMED = 8, GREY = 16, FLAT = 32, CLEAR = 64 };

/* What is kept of a picture. */
struct look {
    float brightness, contrast; /* 0..1 */
    int32_t width, height;      /* upright */
    uint64_t file_bytes;
    uint8_t format, flags;
};

struct seat {
    vg_reader reader;
    vg_image image;
    vg_channel_stats stats;
    vg_audit_file *notes; /* broken and noted files, in the order this thread met them */
    size_t count, capacity;
    vg_status status; /* of this thread's own needs */
    bool ready;
};

struct pass {
    const vg_dataset *dataset;
    struct look *looks;
    struct seat *seats;
    bool fail;
    atomic_size_t first_bad; /* smallest index that could not be read */
    atomic_size_t done;
    void (*progress)(void *context, size_t done, size_t total);
    void *context;
    double last_progress;
};

static double now(void)
{
    struct timespec t;
    clock_gettime(CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* Brightness, contrast and whether there is colour: integer sums of BT.601 luma (libjpeg's weights
 * in 16 bits), so that the result is the same everywhere. */
static void measure(const vg_image *image, struct look *look)
{
    size_t pixels = (size_t)image->width * (size_t)image->height;
    uint64_t sum = 0, squares = 0;
    uint32_t colour = 0;
    const uint8_t *p = image->data;
    for (size_t i = 0; i < pixels; i++, p += image->channels) {
        uint32_t y = p[0];
        if (image->channels == 3) {
            y = (19595U * p[0] + 38470U * p[1] + 7471U * p[2] + 32768U) >> 16;
            colour |= (uint32_t)(p[0] ^ p[1]) | (uint32_t)(p[1] ^ p[2]);
        }
        sum += y;
        squares += (uint64_t)y * y;
    }
    double mean = (double)sum / (double)pixels;
    double variance = (double)squares / (double)pixels - mean * mean;
    look->brightness = (float)(mean / 255);
    look->contrast = (float)(sqrt(fmax(variance, 0)) / 255);
    look->width = image->width;
    look->height = image->height;
    if (!colour)
        look->flags |= GREY;
}

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
static void note_oddities(struct seat *seat, size_t index, const char *name, struct look *look,
                          const vg_decode_info *info)
{
    char reason[200] = "";
    size_t used = 0;
    if (look->flags & MISNAMED)
        used =
            (size_t)snprintf(reason, sizeof reason, "is a %s file, its name says %s",
                             vg_format_name(info->format), vg_format_name(vg_format_of_name(name)));
    if (info->warnings > 0 || info->damaged) {
        look->flags |= WARNED;
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
    struct look *look = &pass->looks[index];
    vg_decode_options options = vg_decode_options_default();
    vg_span bytes = {0};
    vg_status status = vg_dataset_bytes(pass->dataset, index, &seat->reader, &bytes, &err);
    if (!status)
        status = vg_dataset_decode(pass->dataset, index, bytes, &options, &seat->reader,
                                   &seat->image, &info, &err);
    vg_dataset_name(pass->dataset, index, name, sizeof name);
    look->file_bytes = vg_dataset_is_decoded(pass->dataset) ? 0 : bytes.size;
    look->format = (uint8_t)info.format;
    vg_image_format promised = vg_format_of_name(name);
    if (info.format != VG_FORMAT_UNKNOWN && promised != VG_FORMAT_UNKNOWN &&
        promised != info.format)
        look->flags |= MISNAMED;
    if (info.orientation > 1)
        look->flags |= TURNED;
    if (status) {
        add_note(seat, index, status, without_name(err.message, name));
        keep_smallest(&pass->first_bad, index);
        return;
    }
    look->flags |= DECODED;
    measure(&seat->image, look);
    if (look->contrast < 2.0F / 255 && vg_image_is_flat(&seat->image))
        look->flags |= FLAT; /* where luma is flat, colours may not be */
    if (info.has_alpha)
        look->flags |= CLEAR;
    if (vg_dataset_split(pass->dataset, index) == VG_SPLIT_TRAIN)
        vg_channel_stats_add(&seat->stats, &seat->image);
    note_oddities(seat, index, name, look, &info);
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
    if (thread == 0 && pass->progress && now() - pass->last_progress > 0.1) {
        pass->last_progress = now();
        pass->progress(pass->context, done, vg_dataset_count(pass->dataset));
    }
}

/* ---- after the pass */

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

static void add_up_picture(vg_audit *audit, const struct look *look, vg_audit_class *class)
{
    if (!audit->decoded || look->width < audit->min_width)
        audit->min_width = look->width;
    if (!audit->decoded || look->height < audit->min_height)
        audit->min_height = look->height;
    if (look->width > audit->max_width)
        audit->max_width = look->width;
    if (look->height > audit->max_height)
        audit->max_height = look->height;
    audit->decoded++;
    audit->warned += (look->flags & WARNED) != 0;
    audit->turned_by_exif += (look->flags & TURNED) != 0;
    class->decoded++;
    class->brightness += (double)look->brightness;
    class->contrast += (double)look->contrast;
    class->width += look->width;
    class->height += look->height;
    class->file_bytes += (double)look->file_bytes;
    class->grey += (look->flags & GREY) != 0;
}

static vg_status add_up(const struct pass *pass, vg_audit *audit, vg_error *err)
{
    const vg_dataset *dataset = pass->dataset;
    audit->found = vg_dataset_count(dataset);
    audit->classes = vg_dataset_classes(dataset);
    audit->per_class = vg_calloc((size_t)audit->classes, sizeof *audit->per_class);
    if (!audit->per_class)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", audit->classes);
    for (size_t i = 0; i < audit->found; i++) {
        const struct look *look = &pass->looks[i];
        vg_audit_class *class = &audit->per_class[vg_dataset_label(dataset, i)];
        class->count[vg_dataset_split(dataset, i)]++;
        audit->wrong_extension += (look->flags & MISNAMED) != 0;
        if (look->flags & DECODED)
            add_up_picture(audit, look, class);
    }
    for (int k = 0; k < audit->classes; k++) {
        vg_audit_class *class = &audit->per_class[k];
        double n = class->decoded ? (double)class->decoded : 1;
        class->brightness /= n;
        class->contrast /= n;
        class->width /= n;
        class->height /= n;
        class->file_bytes /= n;
    }
    for (size_t i = 0; i < audit->found; i++) {
        const struct look *look = &pass->looks[i];
        vg_audit_class *class = &audit->per_class[vg_dataset_label(dataset, i)];
        double d = (double)look->brightness - class->brightness;
        if (look->flags & DECODED)
            class->brightness_std += d * d;
    }
    for (int k = 0; k < audit->classes; k++) {
        vg_audit_class *class = &audit->per_class[k];
        if (class->decoded)
            class->brightness_std = sqrt(class->brightness_std / (double)class->decoded);
    }
    return VG_OK;
}

static vg_status count_flat(const struct pass *pass, vg_audit *audit, vg_error *err)
{
    vg_flat *flat = &audit->flat;
    size_t clear = 0;
    *flat = (vg_flat){.pictures = audit->decoded, .better = VG_BACKGROUND_UNSET};
    for (size_t i = 0; i < audit->found; i++) {
        uint8_t flags = pass->looks[i].flags;
        clear += (flags & CLEAR) != 0;
        if (!(flags & FLAT))
            continue;
        if (!flat->flat++)
            flat->example = i;
        flat->hidden += (flags & CLEAR) != 0;
    }
    if (!flat->hidden)
        return VG_OK;
    size_t *indices = vg_alloc(clear, sizeof *indices), n = 0;
    if (!indices)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", clear);
    for (size_t i = 0; i < audit->found; i++)
        if (pass->looks[i].flags & CLEAR)
            indices[n++] = i;
    vg_flat_trial trial;
    vg_status status = vg_flat_try(pass->dataset, indices, n, &trial, err);
    flat->better = trial.best;
    free(indices);
    return status;
}

/* Sizes are compared by their logarithms: twice as large is as far as half as large. */
static double property_of(const struct look *look, int which)
{
    switch (which) {
    case 0:
        return (double)look->brightness;
    case 1:
        return (double)look->contrast;
    case 2:
        return log(look->width);
    case 3:
        return log(look->height);
    case 4:
        return log((double)look->width / look->height);
    case 5:
        return log1p((double)look->file_bytes);
    default:
        return look->format;
    }
}

static vg_status find_shortcuts(const struct pass *pass, int threads, vg_audit *audit,
                                vg_error *err)
{
    static const char *const names[] = {"brightness", "contrast",  "width", "height",
                                        "aspect",     "file size", "format"};
    enum { PROPERTIES = sizeof names / sizeof names[0] };
    double *values = vg_alloc(audit->decoded, PROPERTIES * sizeof *values);
    int *labels = vg_alloc(audit->decoded, sizeof *labels);
    vg_status status = VG_OK;
    if (!values || !labels) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
    } else {
        vg_property properties[PROPERTIES];
        size_t n = 0;
        for (int p = 0; p < PROPERTIES; p++)
            properties[p] = (vg_property){names[p], values + (size_t)p * audit->decoded};
        for (size_t i = 0; i < audit->found; i++) {
            if (!(pass->looks[i].flags & DECODED))
                continue;
            for (int p = 0; p < PROPERTIES; p++)
                values[(size_t)p * audit->decoded + n] = property_of(&pass->looks[i], p);
            labels[n++] = vg_dataset_label(pass->dataset, i);
        }
        status = vg_shortcuts_find(properties, PROPERTIES, labels, n, audit->classes, threads,
                                   audit->shortcuts, &audit->shortcut_count, err);
    }
    free(values);
    free(labels);
    return status;
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

static vg_status run_pass(struct pass *pass, int threads, vg_audit *audit, vg_error *err)
{
    size_t total = vg_dataset_count(pass->dataset);
    pass->last_progress = now();
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
    if (!status)
        status = gather_notes(pass, threads, audit, err);
    if (!status)
        status = add_up(pass, audit, err);
    if (!status)
        status = count_flat(pass, audit, err);
    return status ? status : find_shortcuts(pass, threads, audit, err);
}

vg_status vg_audit_run(const vg_dataset *dataset, int threads, bool fail,
                       void (*progress)(void *context, size_t done, size_t total), void *context,
                       vg_audit *audit, vg_error *err)
{
    double start = now();
    *audit = (vg_audit){0};
    if (threads < 1)
        threads = vg_threads_available();
    struct pass pass = {.dataset = dataset, .fail = fail, .progress = progress, .context = context};
    atomic_init(&pass.first_bad, SIZE_MAX);
    atomic_init(&pass.done, 0);
    pass.looks = vg_calloc(vg_dataset_count(dataset), sizeof *pass.looks);
    pass.seats = vg_calloc((size_t)threads, sizeof *pass.seats);
    vg_status status;
    if (!pass.looks || !pass.seats)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for the audit of %zu samples",
                         vg_dataset_path(dataset), vg_dataset_count(dataset));
    else
        status = run_pass(&pass, threads, audit, err);
    for (int t = 0; pass.seats && t < threads; t++) {
        struct seat *seat = &pass.seats[t];
        vg_image_reset(&seat->image);
        if (seat->ready)
            vg_reader_reset(&seat->reader);
        free(seat->notes);
    }
    free(pass.looks);
    free(pass.seats);
    if (status)
        vg_audit_reset(audit);
    audit->seconds = now() - start;
    return status;
}

vg_status vg_audit_labels(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    double start = now();
    *audit = (vg_audit){.labels_only = true,
                        .classes = vg_dataset_classes(dataset),
                        .found = vg_dataset_count(dataset)};
    audit->per_class = vg_calloc((size_t)audit->classes, sizeof *audit->per_class);
    if (!audit->per_class)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", audit->classes);
    for (size_t i = 0; i < audit->found; i++)
        audit->per_class[vg_dataset_label(dataset, i)].count[vg_dataset_split(dataset, i)]++;
    audit->seconds = now() - start;
    return VG_OK;
}

void vg_audit_reset(vg_audit *audit)
{
    free(audit->per_class);
    free(audit->broken);
    free(audit->noted);
    *audit = (vg_audit){0};
}
