/* The list of the report's sections, in the order in which they stand. */
#include "report/audit_page.h"

#include <stddef.h>

const vg_audit_section *const vg_audit_sections[] = {
    &vg_section_copies,
    &vg_section_files,
    &vg_section_pictures,
    &vg_section_labels,
    &vg_section_origins,
    &vg_section_normalization,
    &vg_section_label_errors,
    &vg_section_against,
    &vg_section_measure,
    &vg_section_plan,
    &vg_section_marks,
    &vg_section_conditions,
    NULL,
};
