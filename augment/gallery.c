/* The sheet of all operations. It goes through plans and vg_augment_apply, as training does, so that it
 * shows what training gets. */
#include "gallery.h"

#include "draw.h"
#include "transform.h"

#include <stdio.h>

enum {
    COLUMNS = 8,
    MARGIN = 20,
    GAP = 14,
    CAPTION = 22,
    PAPER = 0xFFFFFF,
    INK = 0x1F2328,
    LINE = 0xDDE1E6
};

double vg_gallery_strength(vg_operation operation)
{
    static const double strength[VG_OPERATIONS] = {
        [VG_OP_ROTATE] = 20,       [VG_OP_SHEAR_X] = 15,       [VG_OP_SHEAR_Y] = 15,
        [VG_OP_SHIFT_X] = 0.2,     [VG_OP_SHIFT_Y] = 0.2,      [VG_OP_SCALE] = 0.7,
        [VG_OP_BRIGHTNESS] = 1.4,  [VG_OP_CONTRAST] = 1.6,     [VG_OP_SATURATION] = 1.8,
        [VG_OP_HUE] = 0.1,         [VG_OP_GAMMA] = 1.8,        [VG_OP_CHANNEL_SHIFT] = 40,
        [VG_OP_RGB_SHIFT] = 60,    [VG_OP_POSTERIZE] = 3,      [VG_OP_SOLARIZE] = 128,
        [VG_OP_CLAHE] = 3,         [VG_OP_NOISE] = 20,         [VG_OP_SPECKLE] = 0.2,
        [VG_OP_POISSON] = 40,      [VG_OP_SALT_PEPPER] = 0.05, [VG_OP_ISO] = 40,
        [VG_OP_BLUR] = 1.5,        [VG_OP_MOTION] = 9,         [VG_OP_MEDIAN] = 2,
        [VG_OP_SHARPNESS] = 4,     [VG_OP_JPEG] = 8,           [VG_OP_DOWNSCALE] = 0.3,
        [VG_OP_ERASE] = 0.15,      [VG_OP_CUTOUT] = 0.4,       [VG_OP_GRID] = 0.5,
        [VG_OP_PERSPECTIVE] = 0.4, [VG_OP_ELASTIC] = 0.04,
    };
    return strength[operation];
}

typedef struct gallery {
    const vg_augment *augment;
    void *scratch;
    const vg_image *picture;
    uint64_t seed;
    vg_image made, *sheet;
} gallery;

/* `operation` VG_OP_IDENTITY: the picture itself. */
static vg_status draw_cell(gallery *g, int place, vg_operation operation, vg_error *err)
{
    const vg_image *picture = g->picture;
    int x = MARGIN + place % COLUMNS * (picture->width + GAP);
    int y = MARGIN + place / COLUMNS * (picture->height + CAPTION + GAP / 2);
    char text[64] = "the picture";
    vg_plan plan = vg_plan_none();
    plan.fill = VG_FILL_CONSTANT; /* grey: what is outside is seen to be outside */
    plan.fill_value = 128;
    if (operation != VG_OP_IDENTITY) { /* a stream by number: new operations change no old cell */
        plan.key = (vg_sample_key){.seed = g->seed, .position = (uint64_t)operation};
        vg_rng rng = vg_rng_make(g->seed, 0, (uint64_t)operation, VG_RNG_PLAN);
        plan.steps.step[0] = vg_step_with(operation, vg_gallery_strength(operation), &rng);
        plan.steps.count = 1;
        vg_step_print(&plan.steps.step[0], text, sizeof text);
    }
    vg_status status = vg_augment_apply(g->augment, &plan, g->scratch, picture, &g->made, err);
    if (status != VG_OK)
        return status;
    vg_paint_picture(g->sheet, x, y, &g->made, 1);
    vg_paint_frame(g->sheet, (vg_box){x - 1, y - 1, picture->width + 2, picture->height + 2}, 1,
                   LINE);
    vg_paint_text(g->sheet, x, y + picture->height + 4, &vg_font_small, INK, text);
    return VG_OK;
}

static vg_status draw_cells(gallery *g, vg_error *err)
{
    vg_status status = draw_cell(g, 0, VG_OP_IDENTITY, err);
    for (int i = 0, place = 1; i < VG_OPERATIONS && status == VG_OK; i++)
        if (i != VG_OP_IDENTITY)
            status = draw_cell(g, place++, (vg_operation)i, err);
    return status;
}

vg_status vg_gallery_draw(const vg_image *picture, uint64_t seed, vg_image *sheet, vg_error *err)
{
    if (picture->channels != 3 || picture->width < 16 || picture->width > 512 ||
        picture->height < 16 || picture->height > 512)
        return vg_fail(err, VG_E_ARG,
                       "a gallery of a picture of %d x %d x %d: expected RGB, 16 to 512 a side",
                       picture->width, picture->height, picture->channels);
    int rows = (VG_OPERATIONS + COLUMNS - 1) / COLUMNS; /* the picture itself for identity */
    vg_augment augment = {.policy = vg_policy_none(),
                          .normalizer = vg_normalizer_make(VG_NORMALIZE_NONE, 3, NULL),
                          .channels = 3,
                          .height = picture->height,
                          .width = picture->width};
    vg_transform transform = vg_augment_transform(&augment);
    gallery g = {.augment = &augment, .picture = picture, .seed = seed, .sheet = sheet};
    vg_status status =
        vg_image_shape(sheet, 2 * MARGIN + COLUMNS * (picture->width + GAP) - GAP,
                       2 * MARGIN + rows * (picture->height + CAPTION + GAP / 2) - GAP / 2, 3, err);
    if (status == VG_OK)
        status = transform.scratch_new(&augment, &g.scratch, err);
    if (status == VG_OK) {
        vg_paint_fill(sheet, (vg_box){0, 0, sheet->width, sheet->height}, PAPER);
        status = draw_cells(&g, err);
        transform.scratch_free(g.scratch);
    }
    vg_image_reset(&g.made);
    return status;
}
