/* Where in a picture a plan looks: which part is read, and how it comes to the network's size.
 *
 * All of a plan's geometry is one map from the output to the picture: flips, the move of pad_crop, the
 * affine part about the centre of the frame (and around it what is not affine, curve.h), the frame (a crop, or what the framing says), the
 * picture. Without an affine part the frame is resized as a picture of its own, or copied when it has
 * the output's size already; with one, a single warp reads the picture, what surrounds a crop
 * included. */
#ifndef VG_AUGMENT_GEOMETRY_H
#define VG_AUGMENT_GEOMETRY_H

#include "ops/remap.h"
#include "plan.h"

/* How a picture whose aspect is not the input's comes to the input's size. Part of what a network was
 * trained with, like its normalization. */
typedef enum vg_framing_kind {
    VG_FRAMING_STRETCH, /* all of it, stretched (Keras' flow_from_directory) */
    VG_FRAMING_CROP,    /* the largest rectangle of the input's aspect in its middle, of which a
                           share of each side is shown: torchvision's Resize(size / share) and
                           CenterCrop(size) in one resize */
    VG_FRAMING_PAD /* all of it, as large as it fits, bars of 0 (black) at two sides; outside is 0
                           after warps too, whatever the fill mode */
} vg_framing_kind;

/* Zero-initialized: stretch. */
typedef struct vg_framing {
    vg_framing_kind kind;
    double share; /* crop: of each side, in (0, 1]; 0 counts as 1. 0.875 is the usual 256 -> 224 */
} vg_framing;
/* "stretch", "crop", "crop:0.875" (a share from 0.1 to 1), "pad". VG_E_ARG says what is known. */
vg_status vg_framing_parse(const char *word, vg_framing *framing, vg_error *err);
/* Parses back to the same. 40 bytes are enough. */
void vg_framing_print(const vg_framing *framing, char *text, size_t capacity);
bool vg_framing_equal(const vg_framing *a, const vg_framing *b);

typedef struct vg_geometry {
    vg_region need; /* all that is read, the smallest such rectangle */
    bool warps;
    vg_warp warp; /* of the picture that `need` cuts out, when it warps */
    bool remaps;  /* then `remap` says the same for what vg_warp does not know */
    vg_remap remap;
    /* Otherwise: this rectangle of `need`, in its pixels, is resized to inner_width x inner_height
     * (across and down are exchanged first if it transposes, so that these are sizes of the output)
     * and put at (inner_x, inner_y) of the output, before it is mirrored. */
    double rectangle[4];
    bool transposes, mirror_x, mirror_y;
    int inner_x, inner_y, inner_width, inner_height;
    vg_filter filter;
    vg_fill fill; /* of the rest */
    double fill_value;
} vg_geometry;

/* For a picture decoded at whole->shrink (vg_region_whole) and an output of size[0] x size[1]. A plan's
 * crop must lie in the picture. VG_E_ARG for sizes below 1, a crop outside, or a map that is not
 * finite. Pure. */
vg_status vg_geometry_make(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                           const int size[2], vg_geometry *geometry, vg_error *err);
/* The map of all affine geometry by itself, whether it needs a warp or not: of the whole picture.
 * Errors as above. */
vg_status vg_geometry_map(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                          const int size[2], vg_warp *map, vg_error *err);
/* The same of all geometry. */
vg_status vg_geometry_remap(const vg_framing *framing, const vg_plan *plan, const vg_region *whole,
                            const int size[2], vg_remap *map, vg_error *err);

/* The largest of 1, 2, 4, 8 up to `most` by which a full_width x full_height picture may be shrunk so
 * that the strongest draw of the policy still finds VG_SHRINK_DEMAND pixels of it for each pixel of the
 * output, in every direction. */
#define VG_SHRINK_DEMAND 2.0
int vg_geometry_shrink(const vg_framing *framing, const vg_policy *policy, int full_width,
                       int full_height, const int size[2], int most);

#endif
