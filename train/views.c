/* Views are made of the normalized pictures: mirroring and shifting commute with everything that is done to each
 * value alike, and where values are normalized by their place (pixel-zscore) the place a pixel is moved to is the one that
 * the network expects it at. */
#include "views.h"

#include "base/alloc.h"
#include "whiten.h"

#include <stdlib.h>
#include <string.h>

struct vg_views_room {
    vg_test_views views;
    int channels, height, width, classes;
    float *pictures; /* [batch] of one view */
    float *outputs;  /* [batch][classes], summed up */
};

typedef struct view {
    int shift; /* of both axes */
    bool mirrored;
    float weight; /* among six; among two each has a half */
} view;

/* The last one is the picture itself. */
static const view all[] = {{-1, false, 0.125F}, {-1, true, 0.125F}, {1, false, 0.125F},
                           {1, true, 0.125F},   {0, true, 0.25F},   {0, false, 0.25F}};
enum { VIEWS = sizeof all / sizeof *all };

const char *vg_test_views_name(vg_test_views views)
{
    static const char *const names[VG_TEST_VIEWS_COUNT] = {"one", "mirror", "shifted"};
    return (unsigned)views < VG_TEST_VIEWS_COUNT ? names[views] : "unknown";
}

vg_status vg_views_room_new(vg_test_views views, const vg_model *model, int batch,
                            vg_views_room **room, vg_error *err)
{
    *room = NULL;
    if (views == VG_TEST_VIEWS_ONE)
        return VG_OK;
    const vg_layer_info *input = vg_model_layer(model, -1);
    vg_views_room *r = vg_calloc(1, sizeof *r);
    size_t pictures = (size_t)batch * (size_t)input->channels;
    if (r) {
        *r = (vg_views_room){.views = views,
                             .channels = input->channels,
                             .height = input->height,
                             .width = input->width,
                             .classes = vg_model_classes(model)};
        r->pictures = vg_alloc_aligned(pictures * (size_t)input->height * (size_t)input->width,
                                       sizeof *r->pictures);
        r->outputs = vg_alloc_aligned((size_t)batch * (size_t)r->classes, sizeof *r->outputs);
    }
    if (!r || !r->pictures || !r->outputs) {
        vg_views_room_free(r);
        return vg_fail(err, VG_E_NOMEM, "out of memory for views of %d pictures", batch);
    }
    *room = r;
    return VG_OK;
}

void vg_views_room_free(vg_views_room *room)
{
    if (!room)
        return;
    free(room->pictures);
    free(room->outputs);
    free(room);
}

/* Reflected without repeating the edge. */
static int reflect(int at, int size)
{
    if (size == 1)
        return 0;
    return at < 0 ? -at : at >= size ? 2 * (size - 1) - at : at;
}

static void make_view(const vg_views_room *r, view v, const float *x, int n)
{
    const int planes = n * r->channels, h = r->height, w = r->width;
    const size_t map = (size_t)h * (size_t)w;
#pragma omp parallel for schedule(static)
    for (int p = 0; p < planes; p++) {
        const float *from = x + (size_t)p * map;
        float *to = r->pictures + (size_t)p * map;
        for (int i = 0; i < h; i++) {
            const float *row = from + (size_t)reflect(i + v.shift, h) * (size_t)w;
            for (int j = 0; j < w; j++) {
                int at = reflect((v.mirrored ? w - 1 - j : j) + v.shift, w);
                *to++ = row[at];
            }
        }
    }
}

const float *vg_views_forward(vg_views_room *room, vg_model *model, const vg_normalizer *normalizer,
                              const float *x, int n, float *whitened)
{
    const bool two = room && room->views == VG_TEST_VIEWS_MIRROR;
    const size_t count = room ? (size_t)n * (size_t)room->classes : 0;
    if (room)
        memset(room->outputs, 0, count * sizeof *room->outputs);
    for (int i = two ? VIEWS - 2 : 0; room && i < VIEWS - 1; i++) {
        make_view(room, all[i], x, n);
        const float *z =
            vg_model_infer(model, vg_whiten_batch(normalizer, room->pictures, n, whitened), n);
        for (size_t k = 0; k < count; k++)
            room->outputs[k] += (two ? 0.5F : all[i].weight) * z[k];
    }
    const float *z =
        vg_model_forward(model, vg_whiten_batch(normalizer, x, n, whitened), n, false, 0);
    for (size_t k = 0; k < count; k++)
        room->outputs[k] += (two ? 0.5F : all[VIEWS - 1].weight) * z[k];
    return room ? room->outputs : z;
}
