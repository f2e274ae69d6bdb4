/* How fast pictures in memory become pixels, on one thread, as JSON lines: vg_decode, and beside it the
 * same work through libjpeg-turbo or libpng alone, which is the limit. Both go over the same files,
 * in turns, and report the median of the rounds.
 *
 * Parts are those of a random resized crop (a share of 0.08 to 1 of the area, sides 3:4 to 4:3), the
 * same for both. The bare library stops after a part's last row and notices no damage; what it
 * gives is not exact at the edges. */
#include "base/file.h"
#include "base/rng.h"
#include "dataset/dataset.h"
#include "image/decode.h"

#include <math.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <jpeglib.h>
#include <png.h>

enum { MOST_ROUNDS = 99, MOST_FILES = 4000 };

typedef struct operation {
    const char *name;
    bool part, verify;
    int shrink;
} operation;

static const operation operations[] = {
    {"whole", false, true, 1},         {"part", true, false, 1},
    {"part, verified", true, true, 1}, {"whole at 1/2", false, true, 2},
    {"whole at 1/4", false, true, 4},  {"whole at 1/8", false, true, 8},
    {"part at 1/2", true, false, 2},   {"part at 1/2, verified", true, true, 2},
};
enum { OPERATIONS = sizeof operations / sizeof *operations };

typedef struct fixture {
    vg_bytes files[MOST_FILES];
    int count;
    vg_decoder *decoder;
    vg_image image;
    struct jpeg_decompress_struct jpeg;
    struct jpeg_error_mgr errors;
    vg_bytes row;
} fixture;

typedef struct turn {
    const operation *operation;
    uint32_t file;
} turn;

static void choose(void *context, vg_region *region)
{
    const turn *t = context;
    int shrink = t->operation->shrink;
    vg_region all = vg_region_whole(region->full_width, region->full_height, shrink);
    *region = all;
    if (!t->operation->part)
        return;
    vg_rng rng = vg_rng_make(5, 0, t->file, VG_RNG_SAMPLE_DATA);
    for (int k = 0; k < 10; k++) {
        double area = vg_rng_uniform(&rng, 0.08, 1) * all.width * all.height;
        double ratio = exp(vg_rng_uniform(&rng, log(3. / 4), log(4. / 3)));
        int width = (int)(sqrt(area * ratio) + .5), height = (int)(sqrt(area / ratio) + .5);
        if (width < 1 || height < 1 || width > all.width || height > all.height)
            continue;
        region->width = width;
        region->height = height;
        region->x = (int)vg_rng_below(&rng, (uint32_t)(all.width - width + 1));
        region->y = (int)vg_rng_below(&rng, (uint32_t)(all.height - height + 1));
        return;
    }
}

static void fail(const char *what)
{
    fprintf(stderr, "decode_bench: %s\n", what);
    exit(1);
}

static void run_own(fixture *f, const turn *t)
{
    vg_error err = {0};
    vg_decode_options options = vg_decode_options_default();
    options.channels = 3;
    options.verify = t->operation->verify;
    options.apply_exif = false;
    if (t->operation->part || t->operation->shrink > 1) {
        options.choose = choose;
        options.choose_context = (void *)t;
    }
    const vg_bytes *b = &f->files[t->file];
    if (vg_decode(f->decoder, b->data, b->size, &options, &f->image, NULL, &err) != VG_OK)
        fail(err.message);
}

static uint8_t *row_of(fixture *f, size_t size)
{
    vg_error err = {0};
    if (vg_bytes_reserve(&f->row, size, &err) != VG_OK)
        fail(err.message);
    return f->row.data;
}

static void run_libjpeg(fixture *f, const turn *t)
{
    struct jpeg_decompress_struct *d = &f->jpeg;
    const vg_bytes *b = &f->files[t->file];
    jpeg_mem_src(d, b->data, b->size);
    jpeg_read_header(d, TRUE);
    d->out_color_space = JCS_RGB;
    d->scale_num = 1;
    d->scale_denom = (unsigned)t->operation->shrink;
    vg_region part = vg_region_whole((int)d->image_width, (int)d->image_height, 1);
    choose((void *)t, &part);
    jpeg_start_decompress(d);
    JDIMENSION x = (JDIMENSION)part.x, width = (JDIMENSION)part.width;
    if (t->operation->part)
        jpeg_crop_scanline(d, &x, &width);
    JSAMPROW row = row_of(f, 3 * (size_t)d->output_width);
    if (part.y)
        jpeg_skip_scanlines(d, (JDIMENSION)part.y);
    for (int y = 0; y < part.height; y++)
        jpeg_read_scanlines(d, &row, 1);
    if (t->operation->part)
        jpeg_abort_decompress(d);
    else
        jpeg_finish_decompress(d);
}

typedef struct cursor {
    const vg_bytes *bytes;
    size_t at;
} cursor;

static void read_png(png_structp png, png_bytep to, size_t count)
{
    cursor *c = png_get_io_ptr(png);
    if (count > c->bytes->size - c->at)
        fail("a PNG ends early");
    memcpy(to, c->bytes->data + c->at, count);
    c->at += count;
}

static void run_libpng(fixture *f, const turn *t)
{
    cursor c = {&f->files[t->file], 0};
    png_structp png = png_create_read_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png ? png_create_info_struct(png) : NULL;
    if (!info || setjmp(png_jmpbuf(png)))
        fail("libpng cannot read a file");
    png_set_read_fn(png, &c, read_png);
    png_read_info(png, info);
    png_set_expand(png);
    png_set_scale_16(png);
    png_set_strip_alpha(png);
    png_set_gray_to_rgb(png);
    int passes = png_set_interlace_handling(png);
    png_read_update_info(png, info);
    size_t size = png_get_rowbytes(png, info);
    unsigned height = png_get_image_height(png, info);
    uint8_t *row = row_of(f, size * (passes > 1 ? height : 1));
    vg_region part = vg_region_whole((int)png_get_image_width(png, info), (int)height, 1);
    choose((void *)t, &part);
    unsigned last = passes > 1 ? height : (unsigned)(part.y + part.height);
    for (int pass = 0; pass < passes; pass++)
        for (unsigned y = 0; y < last; y++)
            png_read_row(png, row + (passes > 1 ? y * size : 0), NULL);
    if (last == height)
        png_read_end(png, NULL);
    png_destroy_read_struct(&png, &info, NULL);
}

/* Seconds for a picture. */
static double measure(fixture *f, const operation *o, void (*run)(fixture *f, const turn *t))
{
    struct timespec from, to;
    clock_gettime(CLOCK_MONOTONIC, &from);
    for (int i = 0; i < f->count; i++) {
        turn t = {o, (uint32_t)i};
        run(f, &t);
    }
    clock_gettime(CLOCK_MONOTONIC, &to);
    return ((double)(to.tv_sec - from.tv_sec) + 1e-9 * (double)(to.tv_nsec - from.tv_nsec)) /
           f->count;
}

static int ascending(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static double median(double *values, int count)
{
    qsort(values, (size_t)count, sizeof *values, ascending);
    return values[count / 2];
}

/* Files of one format that decode, and that the bare library gives as RGB. */
static bool load(fixture *f, const char *folder, vg_image_format format)
{
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_reader reader = {0};
    vg_dataset_options standard = vg_dataset_options_default();
    vg_decode_options options = vg_decode_options_default();
    if (vg_dataset_open(folder, &standard, &dataset, &err) != VG_OK ||
        vg_reader_init(&reader, &err) != VG_OK)
        fail(err.message);
    size_t all = vg_dataset_count(dataset), step = all / MOST_FILES + 1;
    for (size_t i = 0; i < all && f->count < MOST_FILES; i += step) {
        vg_decode_info info;
        vg_span bytes;
        if (vg_dataset_read(dataset, i, &options, &reader, &f->image, &info, &err) != VG_OK ||
            info.format != format || info.source_channels == 4)
            continue;
        vg_bytes *b = &f->files[f->count];
        if (vg_dataset_bytes(dataset, i, &reader, &bytes, &err) != VG_OK ||
            vg_bytes_reserve(b, bytes.size, &err) != VG_OK)
            fail(err.message);
        memcpy(b->data, bytes.data, bytes.size);
        b->size = bytes.size;
        f->count++;
    }
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
    return f->count > 0;
}

static void bench(fixture *f, vg_image_format format, int rounds, const char *only)
{
    static double own[OPERATIONS][MOST_ROUNDS], bare[OPERATIONS][MOST_ROUNDS];
    bool jpeg = format == VG_FORMAT_JPEG;
    for (int round = -1; round < rounds; round++) /* the first fills caches and is not counted */
        for (int i = 0; i < OPERATIONS; i++) {
            const operation *o = &operations[i];
            if (!strstr(o->name, only) || (!jpeg && o->shrink > 1))
                continue;
            double a = measure(f, o, run_own);
            double b = measure(f, o, jpeg ? run_libjpeg : run_libpng);
            if (round >= 0) {
                own[i][round] = a;
                bare[i][round] = b;
            }
        }
    for (int i = 0; i < OPERATIONS; i++) {
        const operation *o = &operations[i];
        if (!strstr(o->name, only) || (!jpeg && o->shrink > 1))
            continue;
        double a = median(own[i], rounds), b = median(bare[i], rounds);
        printf("{\"operation\": \"%s %s\", \"images_per_s\": %.0f, \"us_per_image\": %.2f, "
               "\"%s_alone_images_per_s\": %.0f, \"share_of_limit\": %.3f, \"files\": %d, "
               "\"repeats\": %d}\n",
               vg_format_name(format), o->name, 1 / a, 1e6 * a, jpeg ? "libjpeg" : "libpng", 1 / b,
               b / a, f->count, rounds);
        fflush(stdout);
    }
}

int main(int argc, char **argv)
{
    static fixture f;
    int rounds = 5, option;
    const char *only = "";
    while ((option = getopt(argc, argv, "r:o:")) != -1)
        if (option == 'r')
            rounds = (int)strtol(optarg, NULL, 10);
        else if (option == 'o')
            only = optarg;
        else
            rounds = 0;
    if (rounds < 1 || rounds > MOST_ROUNDS || argc - optind != 1) {
        fprintf(stderr, "usage: decode_bench [-r REPEATS, 1 to %d] [-o PART OF A NAME] FOLDER\n",
                MOST_ROUNDS);
        return 2;
    }
    vg_error err = {0};
    if (vg_decoder_new(&f.decoder, &err) != VG_OK)
        fail(err.message);
    f.jpeg.err = jpeg_std_error(&f.errors);
    jpeg_create_decompress(&f.jpeg);
    static const vg_image_format formats[] = {VG_FORMAT_JPEG, VG_FORMAT_PNG};
    for (int k = 0; k < 2; k++) {
        f.count = 0;
        if (load(&f, argv[optind], formats[k]))
            bench(&f, formats[k], rounds, only);
    }
    for (int i = 0; i < MOST_FILES; i++)
        vg_bytes_reset(&f.files[i]);
    jpeg_destroy_decompress(&f.jpeg);
    vg_decoder_free(f.decoder);
    vg_image_reset(&f.image);
    vg_bytes_reset(&f.row);
    return 0;
}
