/* Which measure of an epoch a decision looks at: the rate on a plateau, the end of the training, the best weights. All are taken
 * on the probe of held-out samples, except the loss of the training itself. */
#ifndef VG_TRAIN_WATCH_H
#define VG_TRAIN_WATCH_H

#include "base/status.h"

#include <stdbool.h>

typedef enum vg_watch {
    VG_WATCH_LOSS,
    VG_WATCH_ACCURACY,
    VG_WATCH_BALANCED_ACCURACY,
    VG_WATCH_INPUT_INFORMATION,
    VG_WATCH_TRAIN_LOSS,
    VG_WATCHES,
    VG_WATCH_NONE = VG_WATCHES
} vg_watch;

struct vg_epoch_record;
/* "loss", "accuracy", "balanced_accuracy", "input_information", "train_loss"; "none". */
const char *vg_watch_name(vg_watch watch);
/* Whether larger values are better. */
bool vg_watch_higher(vg_watch watch);
double vg_watch_value(vg_watch watch, const struct vg_epoch_record *record);

#endif
