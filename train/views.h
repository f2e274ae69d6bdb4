/* Test-time augmentation: a network is asked about several views of each picture, and its answers are
 * averaged. Simonyan, Zisserman, arXiv:1409.1556, section 3.2 (mirrored); Jordan, arXiv:2404.00498, section
 * 3.5 (mirrored, and shifted by one pixel). */
#ifndef VG_TRAIN_VIEWS_H
#define VG_TRAIN_VIEWS_H

#include "nn/model.h"
#include "normalize.h"

typedef enum vg_test_views {
    VG_TEST_VIEWS_ONE,    /* the picture as it is */
    VG_TEST_VIEWS_MIRROR, /* and mirrored: 2 views */
    VG_TEST_VIEWS_SHIFTED, /* both also shifted by (1, 1) and (-1, -1) pixels, reflected at the edges:
                              6 views; the two in the middle count for twice as much */
    VG_TEST_VIEWS_COUNT
} vg_test_views;
const char *vg_test_views_name(vg_test_views views); /* "one", "mirror", "shifted" */

typedef struct vg_views_room vg_views_room;
/* Room for batches of `batch` pictures and what is averaged of them; NULL in *room for
 * VG_TEST_VIEWS_ONE. */
vg_status vg_views_room_new(vg_test_views views, const vg_model *model, int batch,
                            vg_views_room **room, vg_error *err);
void vg_views_room_free(vg_views_room *room);

/* Outputs [n][classes] (logits, unless a layer stands behind the head) of x (n C H W, as vg_augment_transform leaves them) in evaluation mode, averaged over
 * the views; valid until the next call. The picture as it is goes last, so that afterwards the model
 * holds its activations; the other views by vg_model_infer, so the model is prepared for that. `room` NULL: nothing but that. `whitened`: as for vg_whiten_batch. */
const float *vg_views_forward(vg_views_room *room, vg_model *model, const vg_normalizer *normalizer,
                              const float *x, int n, float *whitened);

#endif
