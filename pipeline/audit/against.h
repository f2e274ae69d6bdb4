/* Two datasets held against each other: last month's and today's, what a network was trained on and what it meets. */
#ifndef VG_AUDIT_AGAINST_H
#define VG_AUDIT_AGAINST_H

#include "audit/audit.h"

/* One number per picture. */
typedef struct vg_against_property {
    const char *name;       /* "brightness", "red", "width", ... static */
    double mean[2], std[2]; /* of the pictures here, there; sizes as they are */
    double difference, low,
        high; /* (there - here) in pooled standard deviations, 95 % interval, cut at +-99; of
                                          sizes: logarithms */
    double distance,
        p; /* Kolmogorov-Smirnov: largest distance of the distributions, 0..1; that chance
                                          reaches it */
    double
        accuracy; /* of moved ones: cross-validated, of telling the datasets apart by it alone (chance 0.5); 0: not
                        above chance, or not moved */
    bool
        moved; /* a distance of 0.1 that chance does not explain (p <= 0.001 over all properties together) */
} vg_against_property;
enum { VG_AGAINST_PROPERTIES = 11 };

typedef struct vg_against_class {
    const char *name; /* borrowed from its dataset */
    size_t count[2];  /* of all splits */
    bool there[2];    /* whether a dataset has the class */
} vg_against_class;

typedef struct vg_across {
    size_t here, there; /* indices */
    bool exact; /* the same size and pixels; else confirmed on the pixels as same_picture.h does */
    bool labels_differ; /* by name */
} vg_across;

/* Zero-initialized is empty. The datasets must outlive it. */
typedef struct vg_against {
    bool labels_only;
    size_t images[2], decoded[2];
    vg_against_class *classes;   /* [class_count] of both, in the order of the names */
    size_t class_count, only[2]; /* classes that only one of them has */
    vg_drift shares;             /* of the classes */
    vg_against_property properties[VG_AGAINST_PROPERTIES]; /* the most distant first */
    int property_count;                                    /* 0 with labels_only */
    vg_across *across; /* [across_count] pictures there that are also here, by `there`; each once */
    size_t across_count, exact_across, conflicts_across,
        looked; /* looked: pairs compared on their pixels */
    int moved; /* properties that moved, and one for class shares with a verdict of some or grave */
} vg_against;

/* `here` and `there` with their audits; with prints kept (vg_audit_options.keep_prints) copies are searched, too. VG_E_NOMEM.
 * Memory of that: 2 KiB a picture of both. The result does not depend on the number of threads. */
vg_status vg_against_make(const vg_dataset *here, const vg_audit *of_here, const vg_dataset *there,
                          const vg_audit *of_there, int threads, vg_against *against,
                          vg_error *err);
void vg_against_reset(vg_against *against);

#endif
