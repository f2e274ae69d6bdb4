/* augment --check: what the check of a policy found, as text or JSON. */
#ifndef VG_TOOLS_AUGMENT_CHECK_H
#define VG_TOOLS_AUGMENT_CHECK_H

#include "augment.h"

/* Checks and prints the result on stdout. *warnings: how many there were. */
vg_status vg_augment_check(const vg_augment_choices *choices, const vg_cli *cli,
                           const vg_dataset *dataset, const vg_augment *augment, size_t *warnings,
                           vg_error *err);

#endif
