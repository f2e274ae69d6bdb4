/* What the loader knows of each sample: a byte a sample that is asked for every one of them, and a list of those
 * that could not be read as they should be. Thread-safe: workers note, everybody asks. */
#ifndef VG_LOAD_LEDGER_H
#define VG_LOAD_LEDGER_H

#include "load/loader.h"

#include <stdatomic.h>

typedef struct vg_ledger vg_ledger;

/* Bits of the byte. None of the first three: never touched. */
enum {
    VG_SAMPLE_GOOD = 1,     /* read to its end once, without damage */
    VG_SAMPLE_REPAIRED = 2, /* damaged, and used */
    VG_SAMPLE_BAD = 4,
    VG_SAMPLE_COUNTED = 8 /* against the limit */
};

/* For a dataset of `samples`, of which `of` are asked for; `max_share` of these, rounded up, may be bad. */
vg_status vg_ledger_new(size_t samples, size_t of, double max_share, vg_ledger **ledger,
                        vg_error *err);
void vg_ledger_free(vg_ledger *ledger);
int vg_ledger_state(const vg_ledger *ledger, size_t index);
void vg_ledger_set_good(vg_ledger *ledger, size_t index);
/* Notes a skipped, repaired or suspicious sample, once of each kind, and its state. VG_E_NOMEM. */
vg_status vg_ledger_note(vg_ledger *ledger, const vg_bad_sample *bad, vg_error *err);
/* So many bad samples are allowed. */
size_t vg_ledger_allowed(const vg_ledger *ledger);
/* A bad sample was met in a batch that is about to be lent. True once more than are allowed were. */
bool vg_ledger_count(vg_ledger *ledger, size_t index);
/* The message for that case: how many by cause, the limit, the first of them. */
void vg_ledger_explain(vg_ledger *ledger, const vg_dataset *dataset, vg_error *err);
/* All of them by index; valid until the next call. */
const vg_bad_sample *vg_ledger_sorted(vg_ledger *ledger, size_t *count);
void vg_ledger_counts(vg_ledger *ledger, uint64_t counts[3]);

#endif
