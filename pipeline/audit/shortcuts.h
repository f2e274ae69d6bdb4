/* Whether one number per picture gives its label away. Private to audit/. */
#ifndef VG_AUDIT_SHORTCUTS_H
#define VG_AUDIT_SHORTCUTS_H

#include "audit/audit.h"

/* One property of the decoded pictures. */
typedef struct vg_property {
    const char *name;
    const double *values; /* [count], finite */
} vg_property;

/* Tests each of `property_count` (at most VG_SHORTCUTS) properties of `count` pictures with these labels.
 * What is clearly above chance goes to found[VG_SHORTCUTS], best first; *together (may be NULL) is as in vg_audit. Classes of fewer than 5 pictures are
 * left out; above 20,000 pictures a fixed part of them is looked at. The result is a pure function
 * of the arguments but for `threads`, which changes nothing. VG_E_NOMEM. */
vg_status vg_shortcuts_find(const vg_property *properties, int property_count, const int *labels,
                            size_t count, int classes, int threads, vg_shortcut *found,
                            int *found_count, vg_shortcut *together, vg_error *err);

#endif
