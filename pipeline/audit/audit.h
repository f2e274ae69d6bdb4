/* One pass over every file of a dataset: what decodes, what does not and why, and per class what
 * the pictures are like. The findings are data; tools/report words them. */
#ifndef VG_AUDIT_AUDIT_H
#define VG_AUDIT_AUDIT_H

#include "audit/duplicates.h"
#include "audit/facts.h"
#include "audit/flat.h"
#include "audit/labels.h"
#include "audit/marks.h"
#include "audit/origins.h"
#include "audit/quality.h"
#include "audit/scale.h"
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
    double edge,
        edge_std; /* logarithm of the edges' width, mean and standard deviation over the images that have edges */
    size_t edged;   /* images that have edges */
    double quality; /* mean of the JPEG quality of those that have one */
    size_t jpegs;
    size_t bordered; /* images with a frame */
    size_t marked
        [VG_MARKS]; /* images with each mark of marks.h that the pass itself sets: files and pictures */
} vg_audit_class;

typedef struct vg_audit_file {
    size_t index;
    vg_status status; /* VG_OK: readable, but worth a line (a warning, a wrong extension) */
    char reason[200]; /* without the file's name; cut at its bound */
} vg_audit_file;

/* A property that gives the label away: naive Bayes with equal priors over bins of this one number,
 * 5-fold cross-validated (folds are contiguous runs of each class, so that a series of shots cannot
 * betray itself). Listed only when the accuracy beats all of 99 shuffles of the numbers and their
 * mean by 4 standard deviations, and is worth at least 0.3 of a class more than chance. Classes of
 * fewer than 5 decoded pictures are left out; above 20,000 pictures a fixed part is looked at. Real
 * classes do differ in what they look like: a line here is a fact to look at, not yet a fault. */
enum { VG_SHORTCUTS = 20 }; /* properties at most */
typedef struct vg_shortcut {
    const char *
        property; /* "brightness", "contrast", "sharpness", "entropy", "border", "colour", "red cast", "green
                     cast", "blue cast", "width", "height", "aspect", "file size", "compression", "format",
                     "colour type", "EXIF"; of vg_audit.together "all together" */
    double accuracy; /* balanced accuracy, cross-validated, of naming the class from it alone */
    double chance;   /* 1 / classes that were tested */
    double null_mean,
        null_high;   /* the same over shuffles of the numbers: their mean, and what 95 % of them
                                    do not pass */
    int class_index; /* the class that stands out most, -1: none by as much as |z| = 1 */
    double z;        /* its mean against the pictures of the other classes (each class with the same
                        weight), in their standard deviations, cut at +-99; of sizes: logarithms */
} vg_shortcut;

typedef struct vg_audit {
    bool
        labels_only; /* no picture was opened: only classes, found, labels and the counts mean anything */
    int classes;
    vg_labels labels;          /* of all images that were found, broken ones included */
    vg_audit_class *per_class; /* [classes] */
    vg_facts *facts;           /* [found]; NULL with labels_only */
    vg_marks marks;            /* of all samples; empty with labels_only */
    vg_quality quality;        /* the limits of the marks of pictures */
    size_t found, decoded;
    size_t warned;          /* decoded, and the decoder warned */
    size_t turned_by_exif;  /* decoded, with an EXIF orientation other than upright */
    size_t wrong_extension; /* content is another known format than the name says, broken or not */
    vg_audit_file *broken;  /* by index */
    size_t broken_count;
    vg_audit_file *noted; /* readable with a warning */
    size_t noted_count;
    vg_shortcut shortcuts[VG_SHORTCUTS];
    int shortcut_count; /* those whose accuracy is clearly above chance, best first */
    /* Naive Bayes over all properties at once, on at most 4,000 pictures, against 19 shuffles; accuracy 0 where it does
     * not clearly gain on the best property alone. No class stands out of it. */
    vg_shortcut together;
    vg_channel_stats stats; /* training split, RGB (grey if every image is grey) */
    vg_scale scale;         /* of the training split */
    int min_width, max_width, min_height, max_height;
    vg_flat flat; /* of all splits */
    vg_duplicates copies;
    vg_origins origins;
    vg_fingerprint *prints; /* [found] if they were to be kept, else NULL */
    double seconds;
} vg_audit;

typedef struct vg_audit_options {
    int threads;      /* < 1: all CPUs */
    bool fail;        /* end with the first unreadable file (by index), named in the error */
    bool keep_prints; /* for the search for copies in another dataset: 1 KiB a sample */
    /* May be NULL; called now and then from the caller's thread with the number done, and once at the end. */
    void (*progress)(void *context, size_t done, size_t total);
    void *context;
} vg_audit_options;

/* Reads everything. Damaged pictures (data errors) count as broken, as they do for the loader. options may be
 * NULL. Memory: 0.1 KiB a sample, 1.8 KiB while copies are searched. The result does not depend on the number of threads. On an error *audit is empty. VG_E_STATE: the dataset keeps counts alone. */
vg_status vg_audit_run(const vg_dataset *dataset, const vg_audit_options *options, vg_audit *audit,
                       vg_error *err);
/* The same report without opening a picture: labels and counts alone, for which a dataset of counts is enough.
 * VG_E_NOMEM. */
vg_status vg_audit_labels(const vg_dataset *dataset, vg_audit *audit, vg_error *err);
void vg_audit_reset(vg_audit *audit);

#endif
