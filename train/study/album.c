/* Loading goes block by block, so that progress can be told and a stop takes effect soon. Each picture has its place before
 * it is read: no order of threads shows. Large JPEGs are shrunk while they are decoded. */
#include "study/album.h"

#include "base/alloc.h"
#include "base/threads.h"
#include "geometry.h"
#include "transform.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { BLOCK = 512, MOST_SHRINK = 8 };

void vg_album_reset(vg_album *album)
{
    free(album->pixels);
    free(album->index);
    *album = (vg_album){0};
}

typedef struct hand {
    vg_reader reader;
    vg_image image;
    void *scratch;
    float *view;
    vg_status status; /* a failure that is not the picture's */
    vg_error error;
} hand;

typedef struct loading {
    const vg_dataset *dataset;
    const size_t *indices;
    vg_album *album;
    vg_augment augment;
    vg_transform transform;
    bool *read; /* [count] */
    hand *hands;
    int threads;
    size_t block;
} loading;

static size_t values(const vg_album *album)
{
    return (size_t)album->channels * (size_t)album->height * (size_t)album->width;
}

/* The decoder's vg_decode_choose: the whole picture, as small as the album's size allows. */
static void choose(void *context, vg_region *region)
{
    const loading *l = context;
    int shrink = l->transform.shrink(&l->augment, region->full_width, region->full_height);
    *region = vg_region_whole(region->full_width, region->full_height, shrink);
}

static void read_one(void *context, int thread, size_t item)
{
    loading *l = context;
    hand *h = &l->hands[thread];
    size_t n = values(l->album), at = l->block + item;
    vg_decode_options decode = vg_decode_options_default();
    decode.channels = l->album->channels;
    decode.choose = choose;
    decode.choose_context = l;
    if (h->status)
        return;
    vg_status status = vg_dataset_read(l->dataset, l->indices[at], &decode, &h->reader, &h->image,
                                       NULL, &h->error);
    if (!status)
        status = vg_augment_view(&l->augment, NULL, h->scratch, &h->image, h->view, &h->error);
    if (status == VG_E_NOMEM)
        h->status = status;
    l->read[at] = status == VG_OK;
    if (status)
        return;
    uint8_t *out = l->album->pixels + at * n;
    for (size_t i = 0; i < n; i++)
        out[i] = (uint8_t)lrintf(fminf(fmaxf(h->view[i], 0), 255));
}

static void loading_reset(loading *l)
{
    for (int t = 0; l->hands && t < l->threads; t++) {
        vg_reader_reset(&l->hands[t].reader);
        vg_image_reset(&l->hands[t].image);
        if (l->hands[t].scratch)
            l->transform.scratch_free(l->hands[t].scratch);
        free(l->hands[t].view);
    }
    free(l->hands);
    free(l->read);
}

static vg_status loading_init(loading *l, size_t count, vg_error *err)
{
    vg_album *a = l->album;
    size_t bytes, n = values(a);
    l->augment =
        (vg_augment){.policy = vg_policy_none(),
                     .normalizer = vg_normalizer_make(VG_NORMALIZE_NONE, a->channels, NULL),
                     .channels = a->channels,
                     .height = a->height,
                     .width = a->width,
                     .max_shrink = MOST_SHRINK};
    l->transform = vg_augment_transform(&l->augment);
    l->read = vg_calloc(count, sizeof *l->read);
    l->hands = vg_calloc((size_t)l->threads, sizeof *l->hands);
    a->index = vg_alloc(count, sizeof *a->index);
    a->pixels = vg_mul_size(count, n, &bytes) ? vg_alloc_lines(bytes, 1) : NULL;
    if (!l->read || !l->hands || !a->index || !a->pixels)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures of %d x %d", count,
                       a->width, a->height);
    vg_status status = VG_OK;
    for (int t = 0; t < l->threads && !status; t++) {
        hand *h = &l->hands[t];
        status = vg_reader_init(&h->reader, err);
        if (!status && l->transform.scratch_new)
            status = l->transform.scratch_new(&l->augment, &h->scratch, err);
        if (!status && !(h->view = vg_alloc(n, sizeof *h->view)))
            status = vg_fail(err, VG_E_NOMEM, "out of memory for a picture");
    }
    return status;
}

/* Closes the gaps that unreadable pictures left. */
static void close_up(loading *l, size_t count)
{
    vg_album *a = l->album;
    size_t n = values(a);
    for (size_t i = 0; i < count; i++) {
        if (!l->read[i])
            continue;
        if (a->count != i)
            memcpy(a->pixels + a->count * n, a->pixels + i * n, n);
        a->index[a->count++] = l->indices[i];
    }
    a->unreadable = count - a->count;
}

static void measure(vg_album *a)
{
    size_t plane = (size_t)a->height * (size_t)a->width;
    for (int c = 0; c < a->channels; c++) {
        uint64_t sum = 0, squares = 0;
        for (size_t i = 0; i < a->count; i++) {
            const uint8_t *p = a->pixels + i * values(a) + (size_t)c * plane;
            uint32_t s = 0;
            for (size_t k = 0; k < plane; k++) {
                s += p[k];
                squares += (uint64_t)p[k] * p[k];
            }
            sum += s;
        }
        double all = (double)a->count * (double)plane, mean = (double)sum / all;
        double variance = (double)squares / all - mean * mean;
        double deviation = variance > 1 ? sqrt(variance) : 255; /* without contrast: as it is */
        a->scale[c] = (float)(1 / deviation);
        a->offset[c] = (float)(-mean / deviation);
    }
}

vg_status vg_album_load(const vg_dataset *dataset, const size_t *indices, size_t count, int threads,
                        vg_album_progress progress, void *context, vg_album *album, vg_error *err)
{
    loading l = {.dataset = dataset,
                 .indices = indices,
                 .album = album,
                 .threads = threads > 0 ? threads : vg_threads_available()};
    vg_status status = loading_init(&l, count, err);
    for (; l.block < count && !status; l.block += BLOCK) {
        if (progress && progress(context, l.block, count))
            status = vg_fail(err, VG_E_STOPPED, "stopped after reading %zu of %zu pictures",
                             l.block, count);
        if (!status)
            vg_parallel_for(l.threads, count - l.block < BLOCK ? count - l.block : BLOCK, read_one,
                            &l);
        for (int t = 0; t < l.threads && !status; t++) {
            if (l.hands[t].status)
                status = vg_fail(err, l.hands[t].status, "%s", l.hands[t].error.message);
        }
    }
    if (!status) {
        close_up(&l, count);
        if (album->count > 0)
            measure(album);
    }
    loading_reset(&l);
    if (status)
        vg_album_reset(album);
    return status;
}

void vg_album_take(const vg_album *album, size_t picture, const vg_album_view *view, float *out)
{
    size_t w = (size_t)album->width, plane = (size_t)album->height * w;
    const uint8_t *from = album->pixels + picture * values(album);
    for (int c = 0; c < album->channels; c++, from += plane, out += plane) {
        const float scale = album->scale[c], offset = album->offset[c];
        if (!view || (!view->mirror && view->dx == 0 && view->dy == 0)) {
            for (size_t i = 0; i < plane; i++)
                out[i] = (float)from[i] * scale + offset;
            continue;
        }
        for (int y = 0; y < album->height; y++) {
            int row = y + view->dy;
            row = row < 0 ? 0 : row >= album->height ? album->height - 1 : row;
            for (int x = 0; x < album->width; x++) {
                int column = (view->mirror ? album->width - 1 - x : x) + view->dx;
                column = column < 0 ? 0 : column >= album->width ? album->width - 1 : column;
                out[(size_t)y * w + (size_t)x] =
                    (float)from[(size_t)row * w + (size_t)column] * scale + offset;
            }
        }
    }
}
