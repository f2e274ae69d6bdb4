/* One pass over every file: decode, measure, forget. Private to audit/. */
#ifndef VG_AUDIT_PASS_H
#define VG_AUDIT_PASS_H

#include "audit/audit.h"

/* Fills audit->facts[vg_dataset_count] and prints[vg_dataset_count], which are there and zeroed, and broken, noted and
 * stats. Errors as those of vg_audit_run; what was filled stays the caller's to free. */
vg_status vg_audit_pass(const vg_dataset *dataset, const vg_audit_options *options, int threads,
                        vg_audit *audit, vg_fingerprint *prints, vg_error *err);

#endif
