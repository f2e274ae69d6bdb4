/* Makes the sample dataset: coloured shapes on textured ground in class folders, as JPEG and PNG.
 *
 * It is drawn, not collected, so that the walk through the commands needs no download, and it is
 * skewed on purpose so that every part of the reports has something to say:
 *   - ten times as many circles as hearts;
 *   - crescents were "photographed at night": brightness alone tells them from the rest;
 *   - some rings are grey, some circles lie on their side and say so in EXIF;
 *   - two JPEGs are cut off, one file is empty, one PNG is really a GIF, one .jpg is really a PNG;
 *   - a note and a hidden file lie between the pictures.
 *
 * Every picture has a random stream of its own, named by (seed, class, number): the same seed gives
 * the same pictures, and a larger --scale adds pictures without changing one. The bytes of the
 * files depend on the versions of libjpeg, libpng and zlib besides.
 *
 * It writes into an empty or new folder only, so that nobody's pictures are mixed with these. */
#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "cli.h"
#include "image/encode.h"

#include <dirent.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#define PI 3.14159265358979323846

typedef enum form { CIRCLE, SQUARE, TRIANGLE, STAR, RING, CROSS, CRESCENT, HEART, SHAPES } form;

/* Ten to one from the first to the last. */
static const struct {
    const char *name;
    int count;
} shapes[SHAPES] = {
    [CIRCLE] = {"circle", 400},    [SQUARE] = {"square", 270}, [TRIANGLE] = {"triangle", 190},
    [STAR] = {"star", 140},        [RING] = {"ring", 100},     [CROSS] = {"cross", 75},
    [CRESCENT] = {"crescent", 55}, [HEART] = {"heart", 40},
};

typedef enum pattern { STRIPES, CHECKS, CLOUDS, SLOPE, GROUNDS } pattern;

/* Everything that was drawn by lot for one picture. */
typedef struct picture {
    form shape;
    int size;            /* pixels, square */
    double x, y, radius; /* of the shape, pixels */
    double cosine, sine; /* of its rotation */
    double colour[3];    /* of the shape, 0..1 */
    double first[3];     /* of the ground: two shades */
    double second[3];
    pattern ground;
    double across, along; /* direction of the ground's pattern, periods per pixel */
    double phase;
    uint64_t clouds; /* names the lattice of CLOUDS */
    double light;    /* brightness of the whole picture */
    bool grey;
} picture;

typedef struct choices {
    const char *folder;
    uint64_t seed;
    int64_t scale;
} choices;

/* ---- what a shape is: points in its own coordinates, about within the unit circle, y downwards */

static bool in_star(double x, double y)
{
    double angle = atan2(x, -y); /* 0 at the upper tip */
    double sector = 2 * PI / 5;
    double a = fabs(angle - sector * round(angle / sector)); /* 0 at a tip, sector / 2 between */
    /* The edge is the line from the tip (1, 0) to the inner corner (r, sector / 2). */
    const double inner = 0.42;
    double cx = inner * cos(sector / 2), cy = inner * sin(sector / 2);
    double r = hypot(x, y), px = r * cos(a), py = r * sin(a);
    return (cx - 1) * py - cy * (px - 1) >= 0;
}

static bool in_heart(double x, double y)
{
    double u = x * 1.25, v = -y * 1.25 + 0.15;
    double s = u * u + v * v - 1;
    return s * s * s - u * u * v * v * v <= 0;
}

static bool in_shape(form which, double x, double y)
{
    double r = hypot(x, y);
    switch (which) {
    case CIRCLE:
        return r <= 0.85;
    case SQUARE:
        return fabs(x) <= 0.74 && fabs(y) <= 0.74;
    case TRIANGLE: /* equilateral, tip upwards */
        return y <= 0.5 && y >= sqrt(3.0) * fabs(x) - 1;
    case STAR:
        return in_star(x, y);
    case RING:
        return r <= 0.92 && r >= 0.5;
    case CROSS:
        return (fabs(x) <= 0.27 && fabs(y) <= 0.95) || (fabs(y) <= 0.27 && fabs(x) <= 0.95);
    case CRESCENT:
        return r <= 0.92 && hypot(x - 0.42, y) > 0.7;
    case HEART:
        return in_heart(x, y);
    case SHAPES:
        break;
    }
    return false;
}

/* ---- grounds: 0..1 between the two shades */

static double lattice(uint64_t name, int x, int y)
{
    return (double)(vg_mix(name, (uint64_t)(uint32_t)x << 32 | (uint32_t)y) >> 40) / 16777216.0;
}

/* Value noise: random heights on a lattice with smooth slopes between them. */
static double clouds(uint64_t name, double x, double y)
{
    double fx = floor(x), fy = floor(y);
    int ix = (int)fx, iy = (int)fy;
    double u = x - fx, v = y - fy;
    u = u * u * (3 - 2 * u);
    v = v * v * (3 - 2 * v);
    double top = lattice(name, ix, iy) * (1 - u) + lattice(name, ix + 1, iy) * u;
    double bottom = lattice(name, ix, iy + 1) * (1 - u) + lattice(name, ix + 1, iy + 1) * u;
    return top * (1 - v) + bottom * v;
}

static double ground_at(const picture *p, double x, double y)
{
    double u = p->across * x + p->along * y + p->phase;
    double v = p->across * y - p->along * x;
    switch (p->ground) {
    case STRIPES:
        return 0.5 + 0.5 * sin(2 * PI * u);
    case CHECKS:
        return (u - floor(u) < 0.5) == (v - floor(v) < 0.5) ? 1 : 0;
    case CLOUDS:
        return 0.65 * clouds(p->clouds, x / 11, y / 11) +
               0.35 * clouds(vg_mix(p->clouds, 1), x / 4, y / 4);
    case SLOPE:
        return 0.5 + 0.5 * sin(PI * (u - floor(u)) - PI / 2);
    case GROUNDS:
        break;
    }
    return 0;
}

/* ---- drawing */

static void draw_colour(vg_rng *rng, double low, double high, double colour[3])
{
    for (int c = 0; c < 3; c++)
        colour[c] = vg_rng_uniform(rng, low, high);
}

static double distance(const double a[3], const double b[3])
{
    return sqrt((a[0] - b[0]) * (a[0] - b[0]) + (a[1] - b[1]) * (a[1] - b[1]) +
                (a[2] - b[2]) * (a[2] - b[2]));
}

/* Draws the lots of picture `number` of a class, always in this order. */
static picture draw_lots(uint64_t seed, form which, int64_t number, vg_rng *rng)
{
    *rng = vg_rng_make(seed, (uint32_t)which, (uint64_t)number, VG_RNG_SAMPLE_DATA);
    picture p = {.shape = which};
    p.size = 64 + (int)vg_rng_below(rng, 33);
    p.radius = p.size * vg_rng_uniform(rng, 0.28, 0.42);
    double room = 0.5 * p.size - p.radius;
    p.x = 0.5 * p.size + room * vg_rng_uniform(rng, -1, 1);
    p.y = 0.5 * p.size + room * vg_rng_uniform(rng, -1, 1);
    /* Not all the way round: that would take many more pictures to learn. */
    double angle = vg_rng_uniform(rng, -40, 40) * PI / 180;
    p.cosine = cos(angle);
    p.sine = sin(angle);
    draw_colour(rng, 0.05, 0.5, p.first);
    for (int c = 0; c < 3; c++)
        p.second[c] = p.first[c] + vg_rng_uniform(rng, -0.15, 0.15);
    do /* shapes are lighter than their ground, so that few pictures are enough to learn them */
        draw_colour(rng, 0.45, 1, p.colour);
    while (distance(p.colour, p.first) < 0.45);
    p.ground = (pattern)vg_rng_below(rng, GROUNDS);
    double direction = vg_rng_uniform(rng, 0, 2 * PI);
    double period = p.ground == SLOPE ? 2.0 * p.size : vg_rng_uniform(rng, 7, 18);
    p.across = cos(direction) / period;
    p.along = sin(direction) / period;
    p.phase = vg_rng_double(rng);
    p.clouds = (uint64_t)vg_rng_u32(rng) << 32 | vg_rng_u32(rng);
    p.light = vg_rng_uniform(rng, 0.8, 1.15) * (which == CRESCENT ? 0.38 : 1);
    p.grey = which == RING && vg_rng_below(rng, 4) == 0;
    return p;
}

/* The share of pixel (x, y) that the shape covers, from 4 x 4 points. */
static double coverage(const picture *p, int x, int y)
{
    int inside = 0;
    for (int i = 0; i < 16; i++) {
        int column = i % 4, row = i / 4;
        double dx = (x + (column + 0.5) / 4 - p->x) / p->radius;
        double dy = (y + (row + 0.5) / 4 - p->y) / p->radius;
        inside += in_shape(p->shape, p->cosine * dx + p->sine * dy, p->cosine * dy - p->sine * dx);
    }
    return inside / 16.0;
}

static vg_status paint(const picture *p, vg_rng *rng, vg_image *image, vg_error *err)
{
    vg_status status = vg_image_shape(image, p->size, p->size, 3, err);
    if (status)
        return status;
    uint8_t *out = image->data;
    for (int y = 0; y < p->size; y++) {
        for (int x = 0; x < p->size; x++) {
            double shade = ground_at(p, x, y), covered = coverage(p, x, y);
            for (int c = 0; c < 3; c++) {
                double v = p->first[c] * (1 - shade) + p->second[c] * shade;
                v = (v * (1 - covered) + p->colour[c] * covered) * p->light;
                v = 255 * v + 6 * vg_rng_normal(rng);
                *out++ = (uint8_t)(v < 0 ? 0 : v > 255 ? 255 : v + 0.5);
            }
        }
    }
    return VG_OK;
}

/* ---- files */

/* Turns the stored picture a quarter counter-clockwise; EXIF orientation 6 turns it back. */
static vg_status lay_on_side(vg_image *image, vg_image *other, vg_error *err)
{
    vg_status status = vg_image_shape(other, image->height, image->width, image->channels, err);
    if (status)
        return status;
    size_t pixel = (size_t)image->channels;
    for (int y = 0; y < other->height; y++) {
        for (int x = 0; x < other->width; x++) {
            size_t to = (size_t)y * (size_t)other->width + (size_t)x;
            size_t from = (size_t)x * (size_t)image->width + (size_t)(image->width - 1 - y);
            memcpy(other->data + pixel * to, image->data + pixel * from, pixel);
        }
    }
    return vg_image_copy(other, image, err);
}

/* Puts an EXIF segment that says "orientation 6" behind the start marker of a JPEG. */
static vg_status add_exif(vg_bytes *jpeg, vg_error *err)
{
    static const uint8_t exif[] = {
        0xff, 0xe1, 0, 34,   'E', 'x', 'i', 'f', 0, 0, /* APP1 and its length */
        'M',  'M',  0, 42,   0,   0,   0,   8,         /* TIFF, big-endian, first IFD at 8 */
        0,    1,    1, 0x12, 0,   3,   0,   0,   0, 1, /* one entry: 0x0112, SHORT, 1 value */
        0,    6,    0, 0,    0,   0,   0,   0,         /* 6, no further IFD */
    };
    vg_status status = vg_bytes_reserve(jpeg, jpeg->size + sizeof exif, err);
    if (status)
        return status;
    memmove(jpeg->data + 2 + sizeof exif, jpeg->data + 2, jpeg->size - 2);
    memcpy(jpeg->data + 2, exif, sizeof exif);
    jpeg->size += sizeof exif;
    return VG_OK;
}

typedef struct workshop {
    const choices *options;
    vg_image image, other;
    vg_bytes bytes;
} workshop;

/* What is wrong with picture `number` (from 0) on purpose. */
typedef enum flaw { SOUND, CUT_OFF, EMPTY, GIF_AS_PNG, PNG_AS_JPG, ON_SIDE } flaw;

static flaw planted(form which, int64_t number)
{
    if ((which == SQUARE && number == 7) || (which == STAR && number == 11))
        return CUT_OFF;
    if (which == TRIANGLE && number == 3)
        return EMPTY;
    if (which == CIRCLE && number == 5)
        return GIF_AS_PNG;
    if (which == CROSS && number == 2)
        return PNG_AS_JPG;
    return which == CIRCLE && number % 40 == 20 ? ON_SIDE : SOUND;
}

static vg_status encode(workshop *w, flaw plant, bool png, int quality, vg_error *err)
{
    static const uint8_t gif[] =
        "GIF89a\1\0\1\0\200\0\0\0\0\0\377\377\377,\0\0\0\0\1\0\1\0\0\2\2D\1\0;";
    if (plant == EMPTY) {
        w->bytes.size = 0;
        return vg_bytes_reserve(&w->bytes, 1, err);
    }
    if (plant == GIF_AS_PNG) {
        vg_status status = vg_bytes_reserve(&w->bytes, sizeof gif - 1, err);
        if (status)
            return status;
        memcpy(w->bytes.data, gif, sizeof gif - 1);
        w->bytes.size = sizeof gif - 1;
        return VG_OK;
    }
    if (png)
        return vg_png_encode(&w->image, 6, &w->bytes, err);
    vg_status status = VG_OK;
    if (plant == ON_SIDE)
        status = lay_on_side(&w->image, &w->other, err);
    if (!status)
        status = vg_jpeg_encode(&w->image, quality, &w->bytes, err);
    if (!status && plant == ON_SIDE)
        status = add_exif(&w->bytes, err);
    if (!status && plant == CUT_OFF)
        w->bytes.size /= 2;
    return status;
}

static vg_status write_in(const char *folder, const char *name, const void *data, size_t size,
                          vg_error *err)
{
    char *path = vg_path_join(folder, name);
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the path of %s", name);
    vg_status status = vg_file_write(path, data, size, err);
    free(path);
    return status;
}

static vg_status make_picture(workshop *w, const char *folder, form which, int64_t number,
                              vg_error *err)
{
    vg_rng rng;
    picture p = draw_lots(w->options->seed, which, number, &rng);
    flaw plant = planted(which, number);
    bool png = vg_rng_below(&rng, 10) < 3;
    int quality = 80 + (int)vg_rng_below(&rng, 16);
    bool named_png = png;
    if (plant == CUT_OFF || plant == ON_SIDE)
        png = named_png = false;
    if (plant == PNG_AS_JPG)
        png = true;
    if (plant == PNG_AS_JPG || plant == EMPTY)
        named_png = false;
    if (plant == GIF_AS_PNG)
        named_png = true;

    vg_status status = paint(&p, &rng, &w->image, err);
    if (!status && p.grey)
        status = vg_image_convert(&w->image, 1, &w->other, err);
    if (!status && p.grey)
        status = vg_image_copy(&w->other, &w->image, err);
    if (!status)
        status = encode(w, plant, png, quality, err);
    char name[64];
    snprintf(name, sizeof name, "%s-%04lld.%s", shapes[which].name, (long long)number + 1,
             named_png ? "png" : "jpg");
    return status ? status : write_in(folder, name, w->bytes.data, w->bytes.size, err);
}

static vg_status make_class(workshop *w, form which, vg_error *err)
{
    char *folder = vg_path_join(w->options->folder, shapes[which].name);
    if (!folder)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the path of %s", shapes[which].name);
    vg_status status = vg_make_folders(folder, err);
    int64_t count = shapes[which].count * w->options->scale;
    for (int64_t i = 0; !status && i < count; i++)
        status = make_picture(w, folder, which, i, err);
    free(folder);
    return status;
}

static vg_status refuse_full_folder(const char *path, vg_error *err)
{
    DIR *folder = opendir(path);
    if (!folder)
        return VG_OK; /* not there yet, or vg_make_folders will say what it is */
    int entries = 0;
    while (readdir(folder))
        entries++;
    closedir(folder);
    if (entries > 2) /* . and .. */
        return vg_fail(err, VG_E_IO, "%s: not empty; name a new folder with --out", path);
    return VG_OK;
}

static vg_status make_dataset(const choices *options, vg_error *err)
{
    static const char note[] =
        "Coloured shapes, drawn by make-sample-dataset, skewed on purpose.\n";
    workshop w = {.options = options};
    vg_status status = refuse_full_folder(options->folder, err);
    if (!status)
        status = vg_make_folders(options->folder, err);
    for (int k = 0; !status && k < SHAPES; k++)
        status = make_class(&w, (form)k, err);
    if (!status)
        status = write_in(options->folder, "NOTE.txt", note, sizeof note - 1, err);
    if (!status)
        status = write_in(options->folder, ".hidden", "", 0, err);
    vg_bytes_reset(&w.bytes);
    vg_image_reset(&w.image);
    vg_image_reset(&w.other);
    return status;
}

enum { OPTION_SCALE };

static vg_status take(void *context, int id, const char *value, vg_error *err)
{
    choices *o = context;
    (void)id;
    return vg_cli_integer("--scale", value, 1, 1000, &o->scale, err);
}

int main(int argc, char **argv)
{
    static const vg_cli_option extra[] = {
        {"scale", "N", "N times as many pictures; 1 gives 1,270 (1)", OPTION_SCALE},
    };
    static const vg_cli_spec spec = {
        .tool = "make-sample-dataset",
        .what = "draws a small skewed dataset of coloured shapes to try the commands on",
        .usage = "--out FOLDER [--seed N] [--scale N]",
        .out_help = "the folder to make",
        .options = extra,
        .option_count = 1,
        .take = take,
    };
    choices options = {.scale = 1};
    vg_cli cli;
    int end = vg_cli_parse(&spec, argc, argv, &options, &cli);
    if (end >= 0)
        return end;
    if (!cli.out)
        return vg_cli_usage(&cli, "--out FOLDER is missing");
    options.folder = cli.out;
    options.seed = cli.seed_given ? cli.seed : 1;
    vg_error err;
    vg_status status = make_dataset(&options, &err);
    if (status)
        return vg_cli_fail(&cli, &err, status);
    long long total = 0;
    for (int k = 0; k < SHAPES; k++)
        total += shapes[k].count * options.scale;
    if (cli.json)
        printf("{\"classes\": %d, \"images\": %lld, \"seed\": %llu}\n", SHAPES, total,
               (unsigned long long)options.seed);
    else
        printf("%s: %lld pictures in %d classes, seed %llu\n", cli.out, total, SHAPES,
               (unsigned long long)options.seed);
    status = vg_cli_finish(stdout, &err);
    return status ? vg_cli_fail(&cli, &err, status) : VG_EXIT_DONE;
}
