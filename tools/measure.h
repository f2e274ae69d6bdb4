/* --measure: what each finding of an audit costs, by short paired trainings with and without it. */
#ifndef VG_TOOLS_MEASURE_H
#define VG_TOOLS_MEASURE_H

#include "report/audit.h"
#include "study/consequence.h"

typedef struct vg_measure_options {
    double minutes; /* that the trainings may take about (5) */
    uint64_t seed;  /* of the first training (1) */
    int threads;
    const vg_dataset_options
        *open;        /* how the dataset was opened: it is opened again for each repair */
    bool quiet, json; /* of the progress on stderr */
} vg_measure_options;

/* A finding and its repair in words. */
typedef struct vg_measured_finding {
    char finding[160]; /* "41 training images are copies of others" */
    char repair[120];  /* "left out" */
    bool flatters;     /* the repair makes the measurement honest, and its figure lower */
} vg_measured_finding;

/* What was measured; zero-initialized is empty. */
typedef struct vg_measured {
    vg_measured_finding findings[VG_REMEDIES];
    vg_comparison comparison; /* arms[0]: the data as they are; effects[i]: findings[i] */
    char skipped[600];        /* findings that were not measured, and why; "" */
    char net[64];
    int height, width, epochs;
    size_t train_samples, held_out_samples;
} vg_measured;

/* Reads nothing but the dataset, writes nothing. Without a finding that can be repaired by the data or the job the
 * comparison is empty (arm_count 0) and `skipped` says why. Errors: those of vg_dataset_open and vg_consequence;
 * VG_E_STATE when there are too few held-out images to measure anything. */
vg_status vg_measure(const vg_dataset *dataset, const vg_audit *audit, const vg_findings *findings,
                     const vg_measure_options *options, vg_measured *measured, vg_error *err);
void vg_measured_reset(vg_measured *measured);

#endif
