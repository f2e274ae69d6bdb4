/* Measures by name. */
#include "watch.h"

#include "run.h"

#include <math.h>

static const char *const names[] = {"loss",
                                    "accuracy",
                                    "balanced_accuracy",
                                    "input_information",
                                    "effective_classes",
                                    "label_information",
                                    "train_loss",
                                    "none"};
_Static_assert(sizeof names / sizeof *names == VG_WATCHES + 1, "a measure without a name");

const char *vg_watch_name(vg_watch watch)
{
    return names[watch];
}

bool vg_watch_higher(vg_watch watch)
{
    return watch != VG_WATCH_LOSS && watch != VG_WATCH_TRAIN_LOSS;
}

double vg_watch_of(vg_watch watch, const vg_diversity *d)
{
    switch (watch) {
    case VG_WATCH_LOSS:
        return d->loss;
    case VG_WATCH_ACCURACY:
        return d->accuracy;
    case VG_WATCH_BALANCED_ACCURACY:
        return d->balanced_accuracy;
    case VG_WATCH_INPUT_INFORMATION:
        return d->input_information;
    case VG_WATCH_EFFECTIVE_CLASSES:
        return d->effective_classes;
    case VG_WATCH_LABEL_INFORMATION:
        return d->label_information;
    default:
        return NAN;
    }
}

double vg_watch_value(vg_watch watch, const vg_epoch_record *record)
{
    return watch == VG_WATCH_TRAIN_LOSS ? record->train_loss
                                        : vg_watch_of(watch, &record->diversity);
}
