/* A checkpoint read back and measured. What was fitted with the weights (normalization, shape, classes) comes from the
 * file; a dataset with other classes is refused instead of being measured wrongly. */
#include "run.h"

#include "base/threads.h"
#include "checkpoint.h"
#include "probe.h"

#include <omp.h>
#include <stdlib.h>
#include <string.h>

enum { BATCH = 64 };

static vg_status check_classes(const vg_dataset *dataset, const char *path,
                               const vg_checkpoint *about, vg_error *err)
{
    if (vg_dataset_classes(dataset) != about->classes)
        return vg_fail(err, VG_E_STATE, "%s was trained on %d classes, %s has %d", path,
                       about->classes, vg_dataset_path(dataset), vg_dataset_classes(dataset));
    for (int k = 0; k < about->classes; k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        if (strcmp(name, about->class_names[k]) != 0)
            return vg_fail(err, VG_E_STATE,
                           "%s was trained with \"%s\" as class %d, in %s that is \"%s\"", path,
                           about->class_names[k], k, vg_dataset_path(dataset), name);
    }
    return VG_OK;
}

vg_status vg_evaluate(const vg_dataset *dataset, const char *checkpoint,
                      const vg_evaluate_options *how, vg_diversity *result, vg_error *err)
{
    const vg_loader_options *load = how->load;
    int threads = load ? load->threads : 0;
    vg_loader_options own = load ? *load : vg_loader_options_default();
    vg_checkpoint about = {0};
    vg_model *model = NULL;
    vg_probe *probe = NULL;
    size_t *indices = NULL, count = 0;
    omp_set_num_threads(threads > 0 ? threads : vg_threads_available());
    vg_status status = vg_checkpoint_load(checkpoint, BATCH, &about, &model, err);
    if (!status)
        status = check_classes(dataset, checkpoint, &about, err);
    if (!status)
        status = vg_probe_pick(dataset, how->split, 0, 0, &indices, &count, err);
    if (!status) {
        own.decode.background = about.background;
        if (how->background)
            *how->background = about.background;
        vg_probe_options options = {.normalizer = about.normalizer,
                                    .channels = about.channels,
                                    .height = about.height,
                                    .width = about.width,
                                    .framing = about.framing,
                                    .max_shrink = about.max_shrink,
                                    .batch = BATCH,
                                    .views = how->views,
                                    .load = &own};
        status = vg_probe_new(dataset, indices, count, model, &options, &probe, err);
    }
    if (!status)
        status = vg_probe_look(probe, model, result, err);
    vg_probe_free(probe);
    free(indices);
    vg_model_free(model);
    vg_checkpoint_reset(&about);
    return status;
}
