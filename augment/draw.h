/* Drawing on RGB pictures: rectangles, text, pictures, histograms. Everything is clipped at the
 * picture's edge. Colours are 0xRRGGBB. */
#ifndef VG_AUGMENT_DRAW_H
#define VG_AUGMENT_DRAW_H

#include "font.h"
#include "image/image.h"

typedef struct vg_box {
    int x, y, width, height;
} vg_box;

void vg_paint_fill(vg_image *on, vg_box box, uint32_t colour);
/* An edge of `thickness` pixels just inside of `box`. */
void vg_paint_frame(vg_image *on, vg_box box, int thickness, uint32_t colour);
/* `picture` (grey or RGB), each of its pixels a square of `zoom` pixels. */
void vg_paint_picture(vg_image *on, int x, int y, const vg_image *picture, int zoom);

/* Width of one line of UTF-8 text. */
int vg_paint_text_width(const vg_font *font, const char *text);
/* One line with its top left corner at (x, y); returns the x after it. */
int vg_paint_text(vg_image *on, int x, int y, const vg_font *font, uint32_t colour,
                  const char *text);
/* Text broken at blanks (a word that is too long anywhere) into lines of at most `width`; returns
 * their number. `on` NULL: only counts. */
int vg_paint_wrapped(vg_image *on, int x, int y, int width, const vg_font *font, uint32_t colour,
                     const char *text);

/* `bins` shares as touching bars that stand on the lower edge of `box`; `most` is the full height. */
void vg_paint_bars(vg_image *on, vg_box box, const double *shares, int bins, double most,
                   uint32_t colour);
/* The same as a stepped line of `thickness` pixels. */
void vg_paint_steps(vg_image *on, vg_box box, const double *shares, int bins, double most,
                    uint32_t colour);

#endif
