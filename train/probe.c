/* The probe is loaded anew at every look: decoded pictures of a large probe would take more memory than the training
 * itself, and a look comes once an epoch. */
#include "probe.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "views.h"
#include "whiten.h"

#include <stdlib.h>

struct vg_probe {
    vg_augment augment;
    vg_sampler *sampler;
    vg_loader *loader;
    vg_observer *observer;
    float *whitened; /* a batch; NULL: the normalization needs none */
    vg_views_room *room;
};

struct ranked {
    uint64_t rank;
    size_t index;
};

static int by_rank(const void *a, const void *b)
{
    const struct ranked *x = a, *y = b;
    return x->rank != y->rank ? (x->rank > y->rank) - (x->rank < y->rank)
                              : (x->index > y->index) - (x->index < y->index);
}

static int by_index(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

vg_status vg_probe_pick(const vg_dataset *dataset, vg_split split, size_t most, uint64_t seed,
                        size_t **indices, size_t *count, vg_error *err)
{
    size_t total = vg_dataset_count(dataset), classes = (size_t)vg_dataset_classes(dataset);
    size_t candidates = 0;
    *indices = NULL;
    *count = 0;
    for (size_t i = 0; i < total; i++)
        candidates += vg_dataset_split(dataset, i) == split;
    if (candidates == 0)
        return vg_fail(err, VG_E_FORMAT, "%s: no samples in the %s split to measure on",
                       vg_dataset_path(dataset), vg_split_name(split));
    struct ranked *all = vg_alloc(candidates, sizeof *all);
    size_t *taken = vg_calloc(classes, sizeof *taken), *list = vg_alloc(candidates, sizeof *list);
    if (!all || !taken || !list) {
        free(all);
        free(taken);
        free(list);
        return vg_fail(err, VG_E_NOMEM, "probe: out of memory for %zu samples", candidates);
    }
    size_t n = 0, per_class = most ? (most + classes - 1) / classes : candidates;
    for (size_t i = 0; i < total; i++) {
        if (vg_dataset_split(dataset, i) != split)
            continue;
        char name[512];
        size_t length = vg_dataset_name(dataset, i, name, sizeof name);
        length = length < sizeof name ? length : sizeof name - 1;
        all[n++] = (struct ranked){vg_hash(name, length, vg_mix(seed, VG_RNG_PROBE)), i};
    }
    qsort(all, n, sizeof *all, by_rank);
    for (size_t i = 0; i < n && (most == 0 || *count < most); i++) {
        size_t *of_class = &taken[vg_dataset_label(dataset, all[i].index)];
        if (*of_class < per_class) {
            ++*of_class;
            list[(*count)++] = all[i].index;
        }
    }
    qsort(list, *count, sizeof *list, by_index);
    free(all);
    free(taken);
    *indices = list;
    return VG_OK;
}

vg_status vg_probe_new(const vg_dataset *dataset, const size_t *indices, size_t count,
                       const vg_model *model, const vg_probe_options *options, vg_probe **probe,
                       vg_error *err)
{
    *probe = NULL;
    vg_probe *p = vg_calloc(1, sizeof *p);
    if (!p)
        return vg_fail(err, VG_E_NOMEM, "probe: out of memory");
    p->augment = (vg_augment){.policy = vg_policy_none(),
                              .normalizer = options->normalizer,
                              .channels = options->channels,
                              .height = options->height,
                              .width = options->width,
                              .framing = options->framing,
                              .max_shrink = options->max_shrink};
    vg_transform transform = vg_augment_transform(&p->augment);
    vg_loader_options load = options->load ? *options->load : vg_loader_options_default();
    load.batch = options->batch;
    load.lockstep = true;
    vg_status status = vg_sampler_list(dataset, indices, count, &p->sampler, err);
    if (!status)
        status = vg_loader_open(dataset, p->sampler, &transform, &load, &p->loader, err);
    if (!status)
        status = vg_whiten_room(&options->normalizer, options->batch, &p->whitened, err);
    if (!status)
        status = vg_views_room_new(options->views, model, options->batch, &p->room, err);
    if (!status)
        status = vg_observer_new(model, count, &p->observer, err);
    if (status) {
        vg_probe_free(p);
        return status;
    }
    *probe = p;
    return VG_OK;
}

void vg_probe_free(vg_probe *probe)
{
    if (!probe)
        return;
    vg_loader_close(probe->loader);
    vg_sampler_free(probe->sampler);
    vg_observer_free(probe->observer);
    free(probe->whitened);
    vg_views_room_free(probe->room);
    free(probe);
}

vg_status vg_probe_look(vg_probe *probe, vg_model *model, vg_diversity *out, vg_error *err)
{
    vg_status status = vg_loader_begin(probe->loader, 0, 0, err);
    vg_observer_begin(probe->observer);
    if (probe->room)
        vg_model_prepare(model); /* its weights may have been exchanged, say for an average */
    while (!status) {
        vg_batch batch;
        status = vg_loader_next(probe->loader, &batch, err);
        if (status)
            break;
        const float *outputs = vg_views_forward(probe->room, model, &probe->augment.normalizer,
                                                batch.x, batch.count, probe->whitened);
        vg_observer_add_outputs(probe->observer, model, outputs, batch.y, batch.count);
        vg_batch_release(probe->loader, &batch);
    }
    return status == VG_END ? vg_observer_measure(probe->observer, out, err) : status;
}

vg_loader *vg_probe_loader(vg_probe *probe)
{
    return probe->loader;
}

vg_observer *vg_probe_observer(vg_probe *probe)
{
    return probe->observer;
}
