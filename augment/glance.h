/* A picture at a glance: luma on a grid of at most 32 x 32 cells, and its gradients. What measures of
 * a view look at, so that they cost the same for every size and do not mistake grain for content. */
#ifndef VG_AUGMENT_GLANCE_H
#define VG_AUGMENT_GLANCE_H

enum { VG_GLANCE = 32 };

typedef struct vg_glance {
    int width, height;                 /* of the grid: the picture's, at most VG_GLANCE */
    float luma[VG_GLANCE * VG_GLANCE]; /* cell means */
    float across[VG_GLANCE * VG_GLANCE], down[VG_GLANCE * VG_GLANCE]; /* central differences */
} vg_glance;

/* `x` is planar (C H W, C 1 or 3) of 0..255, as vg_augment_view gives it. Pure. */
void vg_glance_make(const float *x, int channels, int width, int height, vg_glance *glance);
/* Length of the gradient of a cell. */
double vg_glance_edge(const vg_glance *glance, int i);

#endif
