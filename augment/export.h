/* An augmented dataset on disk, for people who train elsewhere: class folders of pictures at the
 * network's input size, and a manifest that says what was done to each.
 *
 *   FOLDER/train/CLASS/0000123_02_name.jpg   sample 123, variant 2 (00 is the picture as evaluation
 *   FOLDER/val/CLASS/...                     sees it); val and test are never augmented
 *   FOLDER/manifest.csv                      path,label,split,source,plan
 *   FOLDER/export.txt                        what it was made from, and whether it is complete
 *
 * Nothing that exists is ever overwritten: the folder must be new or empty, or hold an export of the
 * same dataset with the same settings that was cut off, which is then completed. Every file is
 * written under a temporary name first. The same settings give the same files, for any number of
 * threads and whether it was cut off or not. */
#ifndef VG_AUGMENT_EXPORT_H
#define VG_AUGMENT_EXPORT_H

#include "dataset/dataset.h"
#include "transform.h"

typedef struct vg_export_options {
    const char *folder;
    int copies;     /* augmented variants of each training picture, 0 to VG_EXPORT_COPIES */
    bool originals; /* the picture without augmentation as well */
    bool balance; /* as many training pictures of every class as the largest class has; the smaller
                       ones get more variants, of all their pictures as evenly as it goes */
    vg_image_format format; /* JPEG or PNG */
    int quality;            /* of JPEG, 1 to 100 */
    uint64_t seed;
    int threads; /* < 1: all CPUs */
    void (*progress)(void *context, uint64_t samples,
                     uint64_t of); /* from any thread; may be NULL */
    void *context;
} vg_export_options;
#define VG_EXPORT_COPIES 1000
/* One copy beside the original, not balanced, JPEG of quality 95, seed 1. */
vg_export_options vg_export_options_default(void);

typedef struct vg_export_summary {
    uint64_t written;        /* files, by this call */
    uint64_t found;          /* that an earlier, cut off call had written */
    uint64_t unreadable;     /* samples of which nothing could be written */
    char first_problem[300]; /* why the first of these (by index) was not */
} vg_export_summary;

/* The normalizer of `augment` is not applied. Errors: VG_E_STATE (the folder holds something else, or
 * a complete export), VG_E_ARG (class names that would share a folder, options out of range), VG_E_IO
 * (what cannot be written; what was finished stays), VG_E_LIMIT, VG_E_NOMEM. */
vg_status vg_export(const vg_dataset *dataset, const vg_augment *augment,
                    const vg_export_options *options, vg_export_summary *summary, vg_error *err);

/* Training pictures of class `label` that an export with these options will hold. */
uint64_t vg_export_count(const vg_dataset *dataset, const vg_export_options *options, int label);

#endif
