/* One pass over every file of a dataset: what decodes, what does not and why, and per class what
 * the pictures are like. The findings are data; tools/report words them. */
#ifndef VG_AUDIT_AUDIT_H
#define VG_AUDIT_AUDIT_H

#include "balance.h"
#include "base/status.h"
#include "dataset/dataset.h"
#include "normalize.h"

typedef struct vg_audit_class {
    size_t count[VG_SPLIT_COUNT];
    size_t decoded;
    double brightness;     /* mean over images of the mean luma, 0..1 */
    double brightness_std; /* over images */
    double contrast;       /* mean over images of the luma's standard deviation, 0..1 */
    double width, height;  /* means, pixels, upright */
    double file_bytes;     /* mean */
    size_t grey;           /* images without colour */
} vg_audit_class;

typedef struct vg_audit_file {
    size_t index;
    vg_status status; /* VG_OK: readable, but worth a line (a warning, a wrong extension) */
    char reason[200];
} vg_audit_file;

/* A property that gives the label away. */
typedef struct vg_shortcut {
    const char *
        property; /* "brightness", "contrast", "width", "height", "aspect", "file size", "format" */
    double accuracy; /* balanced accuracy, cross-validated, of naming the class from it alone */
    double chance;   /* 1 / classes */
    int class_index; /* the class that stands out most, -1: none by itself */
    double z;        /* how many standard deviations its mean is off those of the other classes */
} vg_shortcut;

typedef struct vg_audit {
    int classes;
    vg_audit_class *per_class; /* [classes] */
    size_t found, decoded, warned, turned_by_exif, wrong_extension;
    vg_audit_file *broken; /* by index */
    size_t broken_count;
    vg_audit_file *noted; /* readable with a warning */
    size_t noted_count;
    vg_shortcut shortcuts[8];
    int shortcut_count;     /* those whose accuracy is clearly above chance, best first */
    vg_channel_stats stats; /* training split, RGB (grey if every image is grey) */
    int min_width, max_width, min_height, max_height;
    double seconds;
} vg_audit;

/* Reads everything on `threads` threads; `progress` (may be NULL) is called now and then from one
 * of them with the number done. The result does not depend on the number of threads. With `fail`
 * the first unreadable file (by index) is returned as an error, naming it. */
vg_status vg_audit_run(const vg_dataset *dataset, int threads, bool fail,
                       void (*progress)(void *context, size_t done, size_t total), void *context,
                       vg_audit *audit, vg_error *err);
void vg_audit_reset(vg_audit *audit);

#endif
