/* What follows from the copies: which picture of a group stays, and what is marked. Private to audit/. */
#ifndef VG_AUDIT_COPIES_H
#define VG_AUDIT_COPIES_H

#include "audit/audit.h"

/* Searches (vg_duplicates_find) and judges. prints[vg_dataset_count]; audit->facts and audit->marks are there; fills
 * audit->copies. VG_E_NOMEM. */
vg_status vg_copies_find(const vg_dataset *dataset, const vg_fingerprint *prints, int threads,
                         vg_audit *audit, vg_error *err);

/* The second half of it, on what audit->copies holds: names of each group the one that stays, marks the others as exact
 * or near copies, all members of a group of several labels as label conflicts, and held-out members of a group with
 * a member in train as leaks; counts leaks.
 *
 * One stays: of a group of several labels one of the label that most of them have; of these one of test, or else
 * of val, or else of train, because a measurement must stay the one that it was, and train has more to lose; of
 * these the one with the most pixels, then with the most bytes, then the first. VG_E_NOMEM. */
vg_status vg_copies_judge(const vg_dataset *dataset, vg_audit *audit, vg_error *err);

#endif
