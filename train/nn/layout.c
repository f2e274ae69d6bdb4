/* Lives of buffers, and places for them in one arena: those whose lives do not overlap may share one.
 * The largest choose first, each takes the lowest place that nobody else has at the same time. */
#include "nn/model_internal.h"

#include "base/alloc.h"

#include <stdlib.h>

void vg_life_use(vg_life *a, int segment, int time)
{
    if (time < 0)
        return;
    a->birth = !a->used || time < a->birth ? time : a->birth;
    a->death = !a->used || time > a->death ? time : a->death;
    a->scattered |= segment < 0 || (a->used && segment != a->segment);
    a->segment = segment;
    a->used = true;
}

void vg_life_use_turn(vg_life *a, const vg_program *p, int layer, int offset)
{
    const vg_turn *t = &p->turns[layer];
    if (t->time >= 0)
        vg_life_use(a, t->segment, t->time + offset);
    if (t->extra_time >= 0)
        vg_life_use(a, t->extra_segment, t->extra_time + offset);
}

bool vg_layout_want(vg_layout *a, float **where, size_t count, vg_life when)
{
    size_t bytes;
    if (!vg_mul_size(count, sizeof(float), &bytes) || bytes > SIZE_MAX / 4 ||
        !vg_grow(&a->wants, &a->capacity, a->count + 1, sizeof *a->wants))
        return false;
    bytes = (bytes + VG_ALIGNMENT - 1) / VG_ALIGNMENT * VG_ALIGNMENT;
    a->wants[a->count++] =
        (vg_want){.where = where, .bytes = bytes, .birth = when.birth, .death = when.death};
    return true;
}

static int larger_first(const void *a, const void *b)
{
    const vg_want *x = a, *y = b;
    if (x->bytes != y->bytes)
        return x->bytes < y->bytes ? 1 : -1;
    return x->order < y->order ? -1 : 1;
}

/* The lowest place that nobody else has at the same time. `placed` are sorted by their place. */
static size_t lowest_place(const vg_want *placed, size_t count, const vg_want *w)
{
    size_t at = 0;
    for (size_t i = 0; i < count; i++) {
        const vg_want *other = &placed[i];
        if (other->death < w->birth || w->death < other->birth)
            continue;
        if (other->at >= at + w->bytes)
            break;
        if (other->at + other->bytes > at)
            at = other->at + other->bytes;
    }
    return at;
}

bool vg_layout_place(vg_layout *a)
{
    vg_want *placed = vg_calloc(a->count, sizeof *placed);
    if (!placed)
        return false;
    for (size_t i = 0; i < a->count; i++)
        a->wants[i].order = i;
    qsort(a->wants, a->count, sizeof *a->wants, larger_first);
    for (size_t i = 0; i < a->count; i++) {
        vg_want *w = &a->wants[i];
        w->at = lowest_place(placed, i, w);
        size_t k = i;
        for (; k > 0 && placed[k - 1].at > w->at; k--)
            placed[k] = placed[k - 1];
        placed[k] = *w;
        a->bytes = w->at + w->bytes > a->bytes ? w->at + w->bytes : a->bytes;
    }
    free(placed);
    return true;
}

void vg_layout_grant(const vg_layout *a, char *arena)
{
    for (size_t i = 0; i < a->count; i++)
        *a->wants[i].where = (float *)(void *)(arena + a->wants[i].at);
}
