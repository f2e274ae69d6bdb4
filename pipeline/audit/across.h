/* Pictures of one dataset that are copies of ones in another. Private to audit/. */
#ifndef VG_AUDIT_ACROSS_H
#define VG_AUDIT_ACROSS_H

#include "audit/against.h"

/* Fills across, across_count and looked; errors as vg_against_make. `prints` [count of each dataset]. */
vg_status vg_across_find(const vg_dataset *const datasets[2], const vg_fingerprint *const prints[2],
                         int threads, vg_against *against, vg_error *err);

#endif
