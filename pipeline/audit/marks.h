/* Everything that can be wrong with one sample, as a bit each. The words are those of --list, --fail-on, JSON and
 * CSV: they are a stable interface. */
#ifndef VG_AUDIT_MARKS_H
#define VG_AUDIT_MARKS_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef enum vg_mark {
    /* files */
    VG_MARK_BROKEN,          /* cannot be decoded */
    VG_MARK_WARNING,         /* readable, with a warning */
    VG_MARK_WRONG_EXTENSION, /* another format than the name says */
    VG_MARK_TURNED,          /* upright only for who reads EXIF */
    VG_MARK_HUGE,            /* needs far more pixels than it is worth */
    VG_MARK_ODD_COLOUR, /* CMYK, 16 bits, palette with transparency and the like: readers differ */
    /* pictures, against the rest of the dataset */
    VG_MARK_FLAT, /* one colour */
    VG_MARK_DARK,
    VG_MARK_LIGHT,
    VG_MARK_BLURRED,
    VG_MARK_LOW_INFORMATION,
    VG_MARK_ODD_SIZE,
    VG_MARK_ODD_ASPECT,
    VG_MARK_GREY, /* among coloured ones */
    VG_MARK_BORDER,
    /* samples, against each other */
    VG_MARK_EXACT_COPY,     /* of one that stays */
    VG_MARK_NEAR_COPY,      /* of one that stays */
    VG_MARK_LABEL_CONFLICT, /* a copy of it has another label */
    VG_MARK_LEAK,           /* held out, and a copy of it is in train */
    VG_MARK_ORIGIN_LEAK,    /* held out, and others of its series are in train */
    VG_MARK_LABEL_ERROR,    /* out-of-fold predictions speak against its label */
    VG_MARKS
} vg_mark;

/* Marks of all samples of a dataset. Zero-initialized is empty. */
typedef struct vg_marks {
    uint32_t *of; /* [count], bit 1 << mark */
    size_t count;
    size_t total[VG_MARKS];
} vg_marks;

vg_status vg_marks_init(vg_marks *marks, size_t count, vg_error *err); /* VG_E_NOMEM */
void vg_marks_reset(vg_marks *marks);
/* Sets one; setting it twice counts once. */
void vg_marks_set(vg_marks *marks, size_t index, vg_mark mark);
bool vg_marks_has(const vg_marks *marks, size_t index, vg_mark mark);

const char *vg_mark_name(vg_mark mark);  /* "broken", "label-conflict" */
const char *vg_mark_words(vg_mark mark); /* what it means, in a few words: "cannot be decoded" */
/* VG_E_ARG names all words when it is none, and the nearest. */
vg_status vg_mark_parse(const char *word, vg_mark *mark, vg_error *err);

#endif
