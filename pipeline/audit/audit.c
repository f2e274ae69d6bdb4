/* The rooms of the audit in their order: the pass over the files, then what each of its judges makes of the facts.
 * Everything is added up in index order, so that the number of threads changes nothing. */
#include "audit/audit.h"

#include "audit/copies.h"
#include "audit/pass.h"
#include "audit/shortcuts.h"
#include "base/alloc.h"
#include "base/clock.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>

static void add_up_picture(vg_audit *audit, const vg_facts *facts, vg_audit_class *class)
{
    if (!audit->decoded || facts->width < audit->min_width)
        audit->min_width = facts->width;
    if (!audit->decoded || facts->height < audit->min_height)
        audit->min_height = facts->height;
    if (facts->width > audit->max_width)
        audit->max_width = facts->width;
    if (facts->height > audit->max_height)
        audit->max_height = facts->height;
    audit->decoded++;
    audit->warned += (facts->flags & VG_FACT_WARNED) != 0;
    audit->turned_by_exif += (facts->flags & VG_FACT_TURNED) != 0;
    class->decoded++;
    class->brightness += (double)facts->brightness;
    class->contrast += (double)facts->contrast;
    class->width += facts->width;
    class->height += facts->height;
    class->file_bytes += (double)facts->file_bytes;
    class->grey += (facts->flags & VG_FACT_GREY) != 0;
    class->bordered += vg_quality_value(facts, VG_MARK_BORDER) > 0;
    if (facts->edge) {
        class->edge += log((double)facts->edge / VG_EDGE_STEPS);
        class->edged++;
    }
    if (facts->quality) {
        class->quality += facts->quality;
        class->jpegs++;
    }
}

/* Means to standard deviations, now that the means are there. */
static void add_up_spread(const vg_facts *facts, vg_audit_class *class)
{
    double d = (double)facts->brightness - class->brightness;
    class->brightness_std += d * d;
    if (facts->edge) {
        double e = log((double)facts->edge / VG_EDGE_STEPS) - class->edge;
        class->edge_std += e * e;
    }
}

static vg_status add_up(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    audit->classes = vg_dataset_classes(dataset);
    audit->per_class = vg_calloc((size_t)audit->classes, sizeof *audit->per_class);
    if (!audit->per_class)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", audit->classes);
    for (size_t i = 0; i < audit->found; i++) {
        const vg_facts *facts = &audit->facts[i];
        vg_audit_class *class = &audit->per_class[vg_dataset_label(dataset, i)];
        class->count[vg_dataset_split(dataset, i)]++;
        audit->wrong_extension += (facts->flags & VG_FACT_MISNAMED) != 0;
        if (facts->flags & VG_FACT_DECODED)
            add_up_picture(audit, facts, class);
    }
    for (int k = 0; k < audit->classes; k++) {
        vg_audit_class *class = &audit->per_class[k];
        double n = class->decoded ? (double)class->decoded : 1;
        class->brightness /= n;
        class->contrast /= n;
        class->width /= n;
        class->height /= n;
        class->file_bytes /= n;
        class->edge /= class->edged ? (double)class->edged : 1;
        class->quality /= class->jpegs ? (double)class->jpegs : 1;
    }
    for (size_t i = 0; i < audit->found; i++) {
        const vg_facts *facts = &audit->facts[i];
        if (facts->flags & VG_FACT_DECODED)
            add_up_spread(facts, &audit->per_class[vg_dataset_label(dataset, i)]);
    }
    for (int k = 0; k < audit->classes; k++) {
        vg_audit_class *class = &audit->per_class[k];
        if (class->decoded)
            class->brightness_std = sqrt(class->brightness_std / (double)class->decoded);
        if (class->edged)
            class->edge_std = sqrt(class->edge_std / (double)class->edged);
    }
    return VG_OK;
}

static vg_status count_flat(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    vg_flat *flat = &audit->flat;
    size_t clear = 0;
    *flat = (vg_flat){.pictures = audit->decoded, .better = VG_BACKGROUND_UNSET};
    for (size_t i = 0; i < audit->found; i++) {
        uint16_t flags = audit->facts[i].flags;
        clear += (flags & VG_FACT_CLEAR) != 0;
        if (!(flags & VG_FACT_FLAT))
            continue;
        if (!flat->flat++)
            flat->example = i;
        flat->hidden += (flags & VG_FACT_CLEAR) != 0;
    }
    if (!flat->hidden)
        return VG_OK;
    size_t *indices = vg_alloc(clear, sizeof *indices), n = 0;
    if (!indices)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", clear);
    for (size_t i = 0; i < audit->found; i++)
        if (audit->facts[i].flags & VG_FACT_CLEAR)
            indices[n++] = i;
    vg_flat_trial trial;
    vg_status status = vg_flat_try(dataset, indices, n, &trial, err);
    flat->better = trial.best;
    free(indices);
    return status;
}

/* What is looked at, in the order of names[]. Sizes are compared by their logarithms: twice as large is as far as half
 * as large. A cast is a channel against the picture's brightness, so that a dark class is not also less red. */
static const char *const property_names[] = {
    "brightness", "contrast",    "sharpness", "entropy",     "border", "colour",
    "red cast",   "green cast",  "blue cast", "width",       "height", "aspect",
    "file size",  "compression", "format",    "colour type", "EXIF"};
enum { PROPERTIES = sizeof property_names / sizeof property_names[0] };
_Static_assert((int)PROPERTIES <= (int)VG_SHORTCUTS, "room for every property");

static void properties_of(const vg_facts *f, double values[PROPERTIES])
{
    double light = 255 * (double)f->brightness;
    const double all[] = {
        (double)f->brightness,
        (double)f->contrast,
        -log(f->edge ? f->edge : UINT16_MAX),
        f->entropy,
        vg_quality_value(f, VG_MARK_BORDER),
        f->coloured,
        (double)f->mean[0] - light,
        (double)f->mean[1] - light,
        (double)f->mean[2] - light,
        log(f->width),
        log(f->height),
        log((double)f->width / f->height),
        log1p((double)f->file_bytes),
        f->quality,
        f->format,
        f->colour,
        (f->flags & VG_FACT_EXIF) != 0,
    };
    for (int p = 0; p < PROPERTIES; p++)
        values[p] = all[p];
}

static vg_status find_shortcuts(const vg_dataset *dataset, int threads, vg_audit *audit,
                                vg_error *err)
{
    double *values = vg_alloc(audit->decoded, PROPERTIES * sizeof *values);
    int *labels = vg_alloc(audit->decoded, sizeof *labels);
    vg_status status = VG_OK;
    if (!values || !labels) {
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the search for shortcuts");
    } else {
        vg_property properties[PROPERTIES];
        size_t n = 0;
        for (int p = 0; p < PROPERTIES; p++)
            properties[p] = (vg_property){property_names[p], values + (size_t)p * audit->decoded};
        for (size_t i = 0; i < audit->found; i++) {
            if (!(audit->facts[i].flags & VG_FACT_DECODED))
                continue;
            double own[PROPERTIES];
            properties_of(&audit->facts[i], own);
            for (int p = 0; p < PROPERTIES; p++)
                values[(size_t)p * audit->decoded + n] = own[p];
            labels[n++] = vg_dataset_label(dataset, i);
        }
        status = vg_shortcuts_find(properties, PROPERTIES, labels, n, audit->classes, threads,
                                   audit->shortcuts, &audit->shortcut_count, &audit->together, err);
    }
    free(values);
    free(labels);
    return status;
}

/* What the pass alone can say: files by their decoder, pictures by the rest of the dataset. */
static vg_status mark_pictures(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    vg_status status = vg_marks_init(&audit->marks, audit->found, err);
    if (status)
        return status;
    for (size_t i = 0; i < audit->broken_count; i++)
        vg_marks_set(&audit->marks, audit->broken[i].index, VG_MARK_BROKEN);
    for (size_t i = 0; i < audit->found; i++) {
        uint16_t flags = audit->facts[i].flags;
        if (flags & VG_FACT_WARNED)
            vg_marks_set(&audit->marks, i, VG_MARK_WARNING);
        if (flags & VG_FACT_MISNAMED)
            vg_marks_set(&audit->marks, i, VG_MARK_WRONG_EXTENSION);
        if (flags & VG_FACT_TURNED && flags & VG_FACT_DECODED)
            vg_marks_set(&audit->marks, i, VG_MARK_TURNED);
        if (flags & VG_FACT_FLAT)
            vg_marks_set(&audit->marks, i, VG_MARK_FLAT);
    }
    status = vg_quality_judge(audit->facts, audit->found, &audit->marks, &audit->quality, err);
    for (size_t i = 0; !status && i < audit->found; i++) {
        vg_audit_class *class = &audit->per_class[vg_dataset_label(dataset, i)];
        for (int m = 0; audit->marks.of[i] && m < VG_MARKS; m++)
            class->marked[m] += vg_marks_has(&audit->marks, i, (vg_mark)m);
    }
    return status;
}

static vg_status run(const vg_dataset *dataset, const vg_audit_options *options, int threads,
                     vg_audit *audit, vg_error *err)
{
    vg_fingerprint *prints = vg_calloc(audit->found, sizeof *prints);
    if (!prints)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the copies of %zu pictures",
                       audit->found);
    vg_status status = vg_audit_pass(dataset, options, threads, audit, prints, err);
    if (!status)
        status = add_up(dataset, audit, err);
    if (!status)
        status = mark_pictures(dataset, audit, err);
    if (!status)
        status = vg_copies_find(dataset, prints, threads, audit, err);
    if (!status)
        status = vg_origins_find(dataset, prints, &audit->origins, err);
    if (!status)
        vg_origins_mark(dataset, &audit->origins, &audit->marks);
    if (options->keep_prints)
        audit->prints = prints;
    else
        free(prints);
    if (!status)
        status = count_flat(dataset, audit, err);
    if (!status)
        status = vg_scale_judge(dataset, audit->facts, &audit->stats, &audit->scale, err);
    return status ? status : find_shortcuts(dataset, threads, audit, err);
}

vg_status vg_audit_run(const vg_dataset *dataset, const vg_audit_options *options, vg_audit *audit,
                       vg_error *err)
{
    static const vg_audit_options plain = {0};
    double start = vg_clock();
    *audit = (vg_audit){.found = vg_dataset_count(dataset)};
    options = options ? options : &plain;
    int threads = options->threads < 1 ? vg_threads_available() : options->threads;
    vg_status status;
    if (vg_dataset_is_counted(dataset)) {
        *audit = (vg_audit){0};
        return vg_fail(err, VG_E_STATE, "%s: opened for its counts alone, no picture is known",
                       vg_dataset_path(dataset));
    }
    audit->facts = vg_calloc(vg_dataset_count(dataset), sizeof *audit->facts);
    if (!audit->facts)
        status = vg_fail(err, VG_E_NOMEM, "%s: out of memory for the audit of %zu samples",
                         vg_dataset_path(dataset), vg_dataset_count(dataset));
    else
        status = vg_labels_of(dataset, NULL, &audit->labels, err);
    if (!status)
        status = run(dataset, options, threads, audit, err);
    if (status)
        vg_audit_reset(audit);
    audit->seconds = vg_clock() - start;
    return status;
}

vg_status vg_audit_labels(const vg_dataset *dataset, vg_audit *audit, vg_error *err)
{
    double start = vg_clock();
    *audit = (vg_audit){.labels_only = true,
                        .classes = vg_dataset_classes(dataset),
                        .found = vg_dataset_count(dataset)};
    audit->per_class = vg_calloc((size_t)audit->classes, sizeof *audit->per_class);
    vg_status status;
    if (!audit->per_class)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %d classes", audit->classes);
    else
        status = vg_labels_of(dataset, NULL, &audit->labels, err);
    if (status) {
        vg_audit_reset(audit);
        return status;
    }
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        for (int k = 0; k < audit->classes; k++)
            audit->per_class[k].count[s] = vg_labels_counts(&audit->labels, (vg_split)s)[k];
    audit->seconds = vg_clock() - start;
    return VG_OK;
}

void vg_audit_reset(vg_audit *audit)
{
    free(audit->per_class);
    free(audit->broken);
    free(audit->noted);
    free(audit->facts);
    vg_labels_reset(&audit->labels);
    vg_marks_reset(&audit->marks);
    free(audit->prints);
    vg_scale_reset(&audit->scale);
    vg_duplicates_reset(&audit->copies);
    vg_origins_reset(&audit->origins);
    *audit = (vg_audit){0};
}
