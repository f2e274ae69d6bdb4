/* The loader's list of samples that could not be read. Thread-safe: workers add, everybody asks. */
#ifndef VG_LOAD_LEDGER_H
#define VG_LOAD_LEDGER_H

#include "load/loader.h"

typedef struct vg_ledger vg_ledger;

/* For a dataset of `samples`; `in_epoch` is the length of an epoch, `max_share` the share of bad samples from which
 * on the ledger is full. */
vg_status vg_ledger_new(size_t samples, uint64_t in_epoch, double max_share, vg_ledger **ledger,
                        vg_error *err);
void vg_ledger_free(vg_ledger *ledger);
bool vg_ledger_has(vg_ledger *ledger, size_t index);
/* Notes `why` for the sample, once. VG_E_NOMEM. */
vg_status vg_ledger_add(vg_ledger *ledger, size_t index, const vg_error *why, vg_error *err);
/* More bad samples than the limit allows. */
bool vg_ledger_full(vg_ledger *ledger);
/* The message for that case: how many, the limit, the first of them. */
void vg_ledger_explain(vg_ledger *ledger, const vg_dataset *dataset, vg_error *err);
/* All of them by index; valid until the next call. */
const vg_bad_sample *vg_ledger_sorted(vg_ledger *ledger, size_t *count);

#endif
