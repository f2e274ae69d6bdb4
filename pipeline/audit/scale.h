/* On which scale the values of the pictures lie, per channel and per class, and
 * which normalization follows from it. Of the training images: only they may be
 * looked at to fit anything. */
#ifndef VG_AUDIT_SCALE_H
#define VG_AUDIT_SCALE_H

#include "audit/facts.h"
#include "dataset/dataset.h"
#include "normalize.h"

typedef struct vg_scale_class {
    size_t images;          /* decoded training images */
    double mean[3], std[3]; /* of all their pixels, 0..255 */
    double level[3];        /* mean over the images of their means ... */
    double level_std[3];    /* ... and its standard deviation over them */
    double spread;          /* mean over the images of their standard deviation, channels
                    together */
    double spread_std;      /* over the images */
} vg_scale_class;

/* A class on another scale than the others. */
typedef struct vg_scale_off {
    int label;
    int channel;  /* -1: not the level of a channel but the spread of values */
    double value; /* of this class, 0..255: level, or spread */
    double rest;  /* mean of the other classes' images */
    double z;     /* in standard deviations of single images */
} vg_scale_off;

typedef struct vg_scale {
    int classes, channels;     /* channels: 1 if no training image has colour; 0:
                                there is nothing to judge */
    vg_scale_class *per_class; /* [classes] */
    vg_scale_class all;
    vg_scale_off *off; /* [off_count] at most one a class, by label */
    size_t off_count;
    double between;        /* share of the variance of pixels that lies between images:
                      their levels; 0..1 */
    double by_class;       /* share of the variance of these levels that classes
                      explain, beyond chance; 0..1 */
    int low[3], high[3];   /* 1st and 99th percentile of each channel */
    bool narrow;           /* they lie less than a quarter of the range apart, in every
                  channel */
    bool tails;            /* narrow, and the extremes lie far outside of them */
    size_t deep;           /* images with more than 8 bits a channel in the file */
    vg_normalization kind; /* what is recommended ... */
    char why[400];         /* ... and why, one or two sentences */
} vg_scale;

/* `facts` [vg_dataset_count] as the audit measured them, `stats` of the
 * training images. VG_E_NOMEM. Pure function of the arguments.
 *
 * A class is on another scale when the mean of a channel lies one standard
 * deviation of single images off that of the other classes' images (and four
 * standard errors), and off three quarters of these classes one by one; or when
 * its values spread less than 0.6 or more than 1/0.6 times as much, by as many
 * errors.
 *
 * Recommended is: image-zscore when a class is on another scale, or when more
 * than half of the variance lies between images; else robust when the values
 * are narrow and their extremes far off; else zscore. */
vg_status vg_scale_judge(const vg_dataset *dataset, const vg_facts *facts,
                         const vg_channel_stats *stats, vg_scale *scale, vg_error *err);
void vg_scale_reset(vg_scale *scale);

/* Why one of the kinds that people ask for fits or does not: one sentence with
 * the numbers that decide. `kind` is VG_NORMALIZE_ZSCORE,
 * VG_NORMALIZE_IMAGE_ZSCORE, VG_NORMALIZE_MINMAX or VG_NORMALIZE_ROBUST. */
void vg_scale_words(const vg_scale *scale, const vg_channel_stats *stats, vg_normalization kind,
                    char *text, size_t capacity);
/* "red", "green", "blue"; of one channel "grey"; channel -1: "spread". */
const char *vg_scale_channel(const vg_scale *scale, int channel);

#endif
