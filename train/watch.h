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
    VG_WATCH_EFFECTIVE_CLASSES,
    VG_WATCH_LABEL_INFORMATION,
    VG_WATCH_TRAIN_LOSS,
    VG_WATCHES,
    VG_WATCH_NONE = VG_WATCHES
} vg_watch;

struct vg_epoch_record;
struct vg_diversity;
/* "loss", "accuracy", "balanced_accuracy", "input_information", "effective_classes", "label_information", "train_loss"; "none". */
const char *vg_watch_name(vg_watch watch);
/* Whether larger values are better. */
bool vg_watch_higher(vg_watch watch);
/* Of one measurement; NaN for the loss of the training. */
double vg_watch_of(vg_watch watch, const struct vg_diversity *diversity);
double vg_watch_value(vg_watch watch, const struct vg_epoch_record *record);

#endif
