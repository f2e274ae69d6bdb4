/* Measures by name. */
#include "watch.h"

#include "run.h"

#include <math.h>

static const char *const names[] = {
    "loss", "accuracy", "balanced_accuracy", "input_information", "train_loss", "none"};
_Static_assert(sizeof names / sizeof *names == VG_WATCHES + 1, "a measure without a name");

const char *vg_watch_name(vg_watch watch)
{
    return names[watch];
}

bool vg_watch_higher(vg_watch watch)
{
    return watch != VG_WATCH_LOSS && watch != VG_WATCH_TRAIN_LOSS;
}

double vg_watch_value(vg_watch watch, const vg_epoch_record *e)
{
    switch (watch) {
    case VG_WATCH_LOSS:
        return e->diversity.loss;
    case VG_WATCH_ACCURACY:
        return e->diversity.accuracy;
    case VG_WATCH_BALANCED_ACCURACY:
        return e->diversity.balanced_accuracy;
    case VG_WATCH_INPUT_INFORMATION:
        return e->diversity.input_information;
    case VG_WATCH_TRAIN_LOSS:
        return e->train_loss;
    default:
        return NAN;
    }
}
