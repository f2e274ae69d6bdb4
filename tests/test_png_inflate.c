/* Tests of inflating PNG at once: whatever the file, everything that comes out is what libpng's own
 * stream gives. The odd-images set and the photographs need VG_DATA. */
#include "image_files.h"

#include "image/codec.h"
#include "image/png_inflate.h"

#include <dirent.h>
#include <png.h>
#include <zlib.h>

typedef struct pair {
    vg_decoder *stream, *at_once;
    vg_image a, b;
    vg_bytes bytes;
} pair;

static void pair_open(pair *p)
{
    vg_error err = {0};
    *p = (pair){0};
    assert_ok(vg_decoder_new(&p->stream, &err));
    assert_ok(vg_decoder_new(&p->at_once, &err));
    vg_decoder_inflater(p->stream)->off = true;
}

static void pair_close(pair *p)
{
    assert_int_equal(vg_decoder_inflater(p->stream)->pictures, 0);
    vg_decoder_free(p->stream);
    vg_decoder_free(p->at_once);
    vg_image_reset(&p->a);
    vg_image_reset(&p->b);
    vg_bytes_reset(&p->bytes);
}

static uint64_t at_once(const pair *p)
{
    return vg_decoder_inflater(p->at_once)->pictures;
}

static int chosen;

/* A part that depends on nothing but the size; counts how often it was asked. */
static void choose(void *context, vg_region *region)
{
    double share = *(double *)context;
    chosen++;
    region->x = region->full_width / 3;
    region->width = (region->full_width - region->x + 1) / 2;
    region->y = (int)((region->full_height - 1) * share / 2);
    region->height = (int)((region->full_height - region->y - 1) * share) + 1;
}

static void assert_same_info(const vg_decode_info *a, const vg_decode_info *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->source_channels, b->source_channels);
    assert_int_equal(a->bit_depth, b->bit_depth);
    assert_int_equal(a->orientation, b->orientation);
    assert_int_equal(a->has_alpha, b->has_alpha);
    assert_int_equal(a->progressive, b->progressive);
    assert_int_equal(a->damaged, b->damaged);
    assert_true(a->intact == b->intact);
    if (a->damaged)
        assert_int_equal(a->damage_offset, b->damage_offset);
    assert_memory_equal(&a->region, &b->region, sizeof a->region);
    assert_int_equal(a->warnings, b->warnings);
    assert_string_equal(a->warning, b->warning);
}

/* One file in both ways with one set of options. Returns the status. */
static vg_status same(pair *p, const vg_decode_options *options)
{
    vg_error err_a = {0}, err_b = {0};
    vg_decode_info a, b;
    const vg_bytes *f = &p->bytes;
    chosen = 0;
    vg_status status = vg_decode(p->stream, f->data, f->size, options, &p->a, &a, &err_a);
    int asked = chosen;
    chosen = 0;
    assert_int_equal(vg_decode(p->at_once, f->data, f->size, options, &p->b, &b, &err_b), status);
    assert_int_equal(chosen, asked);
    assert_string_equal(err_a.message, err_b.message);
    assert_same_info(&a, &b);
    if (status == VG_OK)
        assert_int_equal(picture_distance(&p->a, &p->b), 0);
    return status;
}

/* Strict and lenient, whole and in parts, with and without looking at the rest. */
static void same_in_all_ways(pair *p)
{
    for (int way = 0; way < 16; way++) {
        double share = (way >> 2) / 3.;
        vg_decode_options options = vg_decode_options_default();
        options.allow_damaged = way & 1;
        options.verify = !(way & 2);
        options.choose = way >> 2 ? choose : NULL;
        options.choose_context = &share;
        same(p, &options);
    }
}

static void test_golden_files(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    char path[400];
    snprintf(path, sizeof path, "%s/image", VG_TEST_FILES);
    DIR *folder = opendir(path);
    assert_non_null(folder);
    int files = 0;
    for (struct dirent *e; (e = readdir(folder));) {
        if (!strstr(e->d_name, ".png"))
            continue;
        golden_read(e->d_name, &p.bytes);
        uint64_t before = at_once(&p);
        same_in_all_ways(&p);
        if (at_once(&p) == before)
            fail_msg("%s was never inflated at once", e->d_name);
        files++;
    }
    closedir(folder);
    assert_in_range(files, 35, 100);
    pair_close(&p);
}

/* Every byte of some files wrong in turn, and every length that a cut file may have. */
static void test_damage_anywhere(void **state)
{
    (void)state;
    static const char *const files[] = {"rgba8.png", "palette4-adam7.png", "grey16.png",
                                        "animated-gamma-bomb.png"};
    pair p;
    pair_open(&p);
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        golden_read(files[i], &p.bytes);
        size_t whole = p.bytes.size < 1500 ? p.bytes.size : 1500;
        for (size_t n = 0; n < whole; n++) {
            vg_decode_options options = vg_decode_options_default();
            p.bytes.data[n] ^= (uint8_t)(1 + n % 255);
            same(&p, &options);
            options.allow_damaged = true;
            same(&p, &options);
            p.bytes.data[n] ^= (uint8_t)(1 + n % 255);
        }
        size_t size = p.bytes.size;
        for (p.bytes.size = 0; p.bytes.size < size; p.bytes.size++) {
            vg_decode_options options = vg_decode_options_default();
            options.allow_damaged = true;
            same(&p, &options);
        }
    }
    pair_close(&p);
}

static void put32(uint8_t *p, size_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void append(vg_bytes *b, const char *name, const uint8_t *data, size_t size)
{
    vg_error err = {0};
    assert_ok(vg_bytes_reserve(b, b->size + size + 12, &err));
    uint8_t *to = b->data + b->size;
    put32(to, size);
    memcpy(to + 4, name, 4);
    if (size)
        memcpy(to + 8, data, size);
    put32(to + 8 + size, crc32(0, to + 4, (uInt)(size + 4)));
    b->size += size + 12;
}

enum { WIDTH = 40, HEIGHT = 30, ROW = 3 * WIDTH + 1 };

/* What a file is made of, and what it lacks. */
typedef struct recipe {
    const char *name;
    bool at_once;
    vg_status status;
    int rows;                    /* of data, if not HEIGHT */
    int filter;                  /* of each row */
    size_t split;                /* bytes of each chunk of data; 0: one chunk */
    const char *middle, *behind; /* chunks between and behind the data */
    int window_bits;
    int level;
    bool wrong_adler, trailing, no_end, empty_chunks;
} recipe;

static void make(const recipe *r, vg_bytes *b)
{
    vg_error err = {0};
    uint8_t raw[(HEIGHT + 10) * ROW], packed[sizeof raw + 1000];
    int rows = r->rows ? r->rows : HEIGHT;
    for (int i = 0; i < rows * ROW; i++)
        raw[i] = (uint8_t)(i % ROW == 0 ? r->filter : i % ROW < 60 ? i * 7 % 31 : 9);
    z_stream z = {.next_in = raw,
                  .avail_in = (uInt)(rows * ROW),
                  .next_out = packed,
                  .avail_out = sizeof packed};
    int bits = r->window_bits ? r->window_bits : 15;
    assert_int_equal(deflateInit2(&z, r->level, Z_DEFLATED, bits, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    size_t size = z.total_out;
    deflateEnd(&z);
    packed[size - 1] ^= r->wrong_adler;
    if (r->trailing)
        packed[size++] = 7;
    uint8_t header[13] = {0, 0, 0, WIDTH, 0, 0, 0, HEIGHT, 8, 2, 0, 0, 0};
    assert_ok(vg_bytes_reserve(b, 8, &err));
    memcpy(b->data, "\x89PNG\r\n\x1a\n", 8);
    b->size = 8;
    append(b, "IHDR", header, 13);
    size_t step = r->split ? r->split : size;
    for (size_t at = 0; at < size; at += step) {
        if (r->empty_chunks)
            append(b, "IDAT", NULL, 0);
        append(b, "IDAT", packed + at, size - at < step ? size - at : step);
        if (r->middle && at == 0)
            append(b, r->middle, header, 4);
    }
    if (r->behind)
        append(b, r->behind, header, 4);
    if (!r->no_end)
        append(b, "IEND", NULL, 0);
}

static void test_what_is_beyond_doubt(void **state)
{
    (void)state;
    static const recipe recipes[] = {
        {"one chunk", true, VG_OK, .level = 6},
        {"stored", true, VG_OK, .level = 0},
        {"chunks of 7 bytes", true, VG_OK, .split = 7, .level = 6},
        {"chunks of 1 byte and of none", true, VG_OK, .split = 1, .empty_chunks = true, .level = 6},
        {"a comment behind", true, VG_OK, .behind = "tEXt", .level = 6},
        {"frames behind", true, VG_OK, .behind = "fdAT", .level = 6},
        {"a comment in the middle", false, VG_E_FORMAT, .split = 60, .middle = "tEXt", .level = 6},
        {"an unknown critical chunk behind", true, VG_E_FORMAT, .behind = "ABCD", .level = 6},
        {"picture data behind others", false, VG_OK, .behind = "IDAT", .level = 6},
        {"no end", false, VG_E_FORMAT, .no_end = true, .level = 6},
        {"too few rows", false, VG_E_FORMAT, .rows = HEIGHT - 1, .level = 6},
        {"too many rows", false, VG_OK, .rows = HEIGHT + 1, .level = 6},
        {"an impossible filter", true, VG_E_FORMAT, .filter = 9, .level = 6},
        {"wrong checksum of the data", false, VG_E_FORMAT, .wrong_adler = true, .level = 6},
        {"a byte behind the data", false, VG_OK, .trailing = true, .level = 6},
        {"a window smaller than the data", false, VG_OK, .window_bits = 9, .level = 6},
        {"a window as large as the data", true, VG_OK, .window_bits = 12, .level = 6},
    };
    pair p;
    pair_open(&p);
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        vg_decode_options options = vg_decode_options_default();
        uint64_t before = at_once(&p);
        make(&recipes[i], &p.bytes);
        vg_status status = same(&p, &options);
        if (status != recipes[i].status || (at_once(&p) > before) != recipes[i].at_once)
            fail_msg("%s: status %d, %d at once", recipes[i].name, status,
                     (int)(at_once(&p) - before));
        same_in_all_ways(&p);
    }
    pair_close(&p);
}

/* Files say how large they are, and memory is asked for only if their data can be as long. */
static void test_no_memory_for_promises(void **state)
{
    (void)state;
    pair p;
    pair_open(&p);
    vg_decode_options options = vg_decode_options_default();
    make(&(recipe){.level = 6}, &p.bytes);
    uint8_t *ihdr = p.bytes.data + 8;
    put32(ihdr + 8, 4000);
    put32(ihdr + 12, 4000);
    put32(ihdr + 21, crc32(0, ihdr + 4, 17));
    assert_int_equal(same(&p, &options), VG_E_FORMAT);
    assert_int_equal(at_once(&p), 0);
    assert_int_equal(vg_decoder_inflater(p.at_once)->inflated.capacity, 0);
    pair_close(&p);
}

/* More than a block that deflate stores, in one chunk and in many. */
static void test_large(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    pair p;
    pair_open(&p);
    static const int sides[] = {147, 148, 209,
                                500}; /* 147 x 148 x 3 + 148 is a little more than a block */
    for (int i = 0; i < 4; i++)
        for (int level = 0; level <= 9; level += 9) {
            picture_make(&image, sides[i], 148, 3);
            assert_ok(vg_png_encode(&image, level, &p.bytes, &err));
            same_in_all_ways(&p);
        }
    assert_true(at_once(&p) >= 64);
    vg_image_reset(&image);
    pair_close(&p);
}

static void walk(pair *p, const char *path, int *files)
{
    vg_error err = {0};
    DIR *folder = opendir(path);
    if (!folder) {
        if (vg_file_read(path, 0, &p->bytes, &err) == VG_OK &&
            vg_format_sniff(p->bytes.data, p->bytes.size) == VG_FORMAT_PNG) {
            same_in_all_ways(p);
            ++*files;
        }
        return;
    }
    for (struct dirent *e; (e = readdir(folder));) {
        char *inner = e->d_name[0] == '.' ? NULL : vg_path_join(path, e->d_name);
        if (inner)
            walk(p, inner, files);
        free(inner);
    }
    closedir(folder);
}

static void test_odd_images(void **state)
{
    (void)state;
    const char *data = getenv("VG_DATA");
    if (!data)
        skip();
    char *folder = vg_path_join(data, "odd-images");
    pair p;
    int files = 0;
    pair_open(&p);
    walk(&p, folder, &files);
    print_message("%d files, inflated at once %llu times\n", files,
                  (unsigned long long)at_once(&p));
    assert_true(files > 300);
    pair_close(&p);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden_files),
        cmocka_unit_test(test_damage_anywhere),
        cmocka_unit_test(test_what_is_beyond_doubt),
        cmocka_unit_test(test_no_memory_for_promises),
        cmocka_unit_test(test_large),
        cmocka_unit_test(test_odd_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
