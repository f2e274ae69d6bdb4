/* The colour behind transparent pixels, as 0xRRGGBB. */
#ifndef VG_IMAGE_BACKGROUND_H
#define VG_IMAGE_BACKGROUND_H

#include "base/status.h"

#include <stdbool.h>
#include <stddef.h>

enum {
    VG_BACKGROUND_UNSET = -1, /* the dataset's; black where there is none */
    VG_BACKGROUND_BLACK = 0,
    VG_BACKGROUND_GREY = 0x808080,
    VG_BACKGROUND_WHITE = 0xFFFFFF
};

/* "black", "grey", "white" or "#rrggbb". VG_E_ARG says what was found and what is allowed. */
vg_status vg_background_parse(const char *word, int *background, vg_error *err);
/* As it is read: a name, or #rrggbb. */
enum { VG_BACKGROUND_TEXT = 8 };
const char *vg_background_print(int background, char text[VG_BACKGROUND_TEXT]);
/* Whether it has a hue, so that grey pictures over it are no longer grey. */
bool vg_background_is_coloured(int background);

#endif
