/* Conditions that end balance-report with a status of its own: "imbalance>10, leaks>0, broken>1%".
 *
 * A condition compares a named number of the report with a bound. Every mark (audit/marks.h) is such a name, in
 * the singular or the plural, and counts its samples. */
#ifndef VG_REPORT_CONDITIONS_H
#define VG_REPORT_CONDITIONS_H

#include "report/audit.h"

typedef enum vg_comparing {
    VG_COMPARING_ABOVE,    /* > */
    VG_COMPARING_AT_LEAST, /* >= */
    VG_COMPARING_BELOW,    /* < */
    VG_COMPARING_AT_MOST,  /* <= */
    VG_COMPARING_EQUAL     /* == */
} vg_comparing;

/* What a number needs, as bits. */
enum {
    VG_NEEDS_NOTHING = 0,
    VG_NEEDS_PICTURES = 1,    /* not with --quick */
    VG_NEEDS_OTHER = 2,       /* a dataset to compare with: --against */
    VG_NEEDS_PREDICTIONS = 4, /* --label-errors */
};

typedef struct vg_condition {
    char text[80];    /* as it was written, without blanks around */
    const char *name; /* of the number, static */
    const char *meaning;
    int number; /* its place in the table */
    vg_comparing comparing;
    double bound; /* of a share: 0..1 */
    bool share;   /* of a count: the bound is a share of all images */
    double found; /* in the same unit as the bound; after vg_conditions_judge */
    double count; /* of a count: itself */
    bool holds;
} vg_condition;

/* Zero-initialized: none. */
typedef struct vg_conditions {
    vg_condition *list; /* [count] */
    size_t count;
} vg_conditions;

/* Adds the conditions of a line, with commas between. A bound with % is a share; so is a bound between 0 and 1 of a
 * count, because there is no half image. VG_E_ARG: an unknown name (with the nearest), no operator, no number. */
vg_status vg_conditions_add(vg_conditions *conditions, const char *line, vg_error *err);
void vg_conditions_reset(vg_conditions *conditions);
/* VG_E_ARG names the first condition on a number that will not be there, and why. `given` are bits of VG_NEEDS. */
vg_status vg_conditions_check(const vg_conditions *conditions, int given, vg_error *err);
/* Looks the numbers up. Returns how many conditions hold. What is NaN holds no condition. */
size_t vg_conditions_judge(vg_conditions *conditions, const vg_audit *audit,
                           const vg_findings *findings);
/* "imbalance>10: found 24.3", "broken>1%: found 1.7 % (12 images)". */
void vg_condition_words(const vg_condition *condition, char *text, size_t capacity);

#endif
