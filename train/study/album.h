/* Pictures of a dataset in memory, all at one small size, 8 bits a value: for studies that show the same pictures to
 * several networks many times. Private to study/. */
#ifndef VG_STUDY_ALBUM_H
#define VG_STUDY_ALBUM_H

#include "dataset/dataset.h"

#include <stdbool.h>

typedef struct vg_album {
    int channels, height, width;
    size_t count;
    uint8_t *pixels; /* [count][C H W] */
    size_t *index;   /* [count] in the dataset, ascending */
    float scale[3],
        offset[3];     /* of each channel: value * scale + offset has mean 0 and deviation 1 */
    size_t unreadable; /* pictures that were asked for and are not here */
} vg_album;
void vg_album_reset(vg_album *album);

/* Told now and then from the caller's thread; true stops. */
typedef bool (*vg_album_progress)(void *context, size_t done, size_t count);

/* Reads the pictures at indices [count] (ascending, borrowed), stretched to the size that *album says (channels, height,
 * width; the rest of it is empty). Pictures that cannot be read are left out and counted. The same for any number
 * of threads. VG_E_NOMEM, VG_E_STOPPED. */
vg_status vg_album_load(const vg_dataset *dataset, const size_t *indices, size_t count, int threads,
                        vg_album_progress progress, void *context, vg_album *album, vg_error *err);

/* What is done to a picture on its way into a network: shifted (its edge repeated), then mirrored. */
typedef struct vg_album_view {
    int dx, dy;
    bool mirror;
} vg_album_view;
/* The normalized floats of one picture, [C H W]. view NULL: as it is. */
void vg_album_take(const vg_album *album, size_t picture, const vg_album_view *view, float *out);

#endif
