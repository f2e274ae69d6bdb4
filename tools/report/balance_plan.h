/* What to do about uneven classes: every way with what it does, the recommended one, stronger augmentation for what
 * is repeated, and the fragment of a job that does it. */
#ifndef VG_REPORT_BALANCE_PLAN_H
#define VG_REPORT_BALANCE_PLAN_H

#include "audit/audit.h"
#include "audit/ways.h"
#include "distinct.h"

enum { VG_PLAN_TIERS = 3 };

typedef struct vg_balance_plan {
    vg_ways ways;
    int classes;
    size_t *counts;                     /* [classes] training images */
    int *tier;                          /* [classes] 0: the general policy */
    int tiered;                         /* classes with a tier above 0 */
    vg_view_kinds kinds[VG_PLAN_TIERS]; /* of the policy of each tier */
    vg_policy policy;                   /* the general one: that of train-pipeline */
    vg_normalization normalization;
    const char *why_normalization; /* borrowed from the audit; NULL: no picture was opened */
    int rare, common; /* smallest and largest class with a training image; -1: there is none */
} vg_balance_plan;

/* Classes whose pictures the recommended way shows twice an epoch and more get the words of tier 1 on top of the
 * general policy, those of five times and more tier 2. VG_E_NOMEM. */
vg_status vg_balance_plan_make(const vg_dataset *dataset, const vg_audit *audit,
                               vg_balance_plan *plan, vg_error *err);
void vg_balance_plan_reset(vg_balance_plan *plan);

/* What is changed for classes of a tier; "" for 0. Without mirror images: digits and letters must stay what they are. */
const char *vg_balance_plan_words(int tier);
/* Expected different views of a class in an epoch, under a way and a tier's policy. */
double vg_balance_plan_views(const vg_balance_plan *plan, int way, int label, int tier);
/* "sampling=sqrt", "weights=inverse", "as it is". */
void vg_way_name(const vg_way *way, char *text, size_t capacity);
/* What speaks for the recommended way, in a sentence; of others what speaks against, or "". */
void vg_way_words(const vg_balance_plan *plan, int way, const vg_dataset *dataset, char *text,
                  size_t capacity);

/* The job fragment. Classes whose names YAML cannot hold are left out of it with a comment. */
void vg_balance_plan_print(const vg_balance_plan *plan, const vg_dataset *dataset, FILE *out);
vg_status vg_balance_plan_write(const char *path, const vg_balance_plan *plan,
                                const vg_dataset *dataset, vg_error *err);

#endif
