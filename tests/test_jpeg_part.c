/* Tests of decoding a part of a JPEG: whatever rectangle is asked for, at whatever shrink, the pixels
 * are bit for bit those of the whole picture. Files of all samplings are made here; with VG_DATA
 * also photos and the odd images, damaged ones among them. */
#include "image_files.h"
#include "jpeg_recipe.h"

#include <dirent.h>

static uint32_t state_of_random = 1;

static int below(int n)
{
    state_of_random = state_of_random * 1664525u + 1013904223u;
    return (int)((uint64_t)(state_of_random >> 4) * (uint64_t)n >> 28);
}

static void choose_fixed(void *context, vg_region *region)
{
    vg_region *wanted = context;
    wanted->full_width = region->full_width;
    wanted->full_height = region->full_height;
    *region = *wanted;
}

/* A random rectangle: of any size, thin ones and those at the edges among them. */
static void draw_side(int full, int *at, int *length)
{
    int kind = below(6);
    *length = kind == 0   ? 1
              : kind == 1 ? full
              : kind == 2 ? 1 + below(full < 5 ? full : 5)
                          : 1 + below(full);
    int room = full - *length;
    kind = below(5);
    *at = kind == 0 ? 0 : kind == 1 ? room : below(room + 1);
}

typedef struct harness {
    vg_decoder *decoder;
    vg_image whole, part;
} harness;

static void harness_open(harness *h)
{
    vg_error err = {0};
    *h = (harness){0};
    assert_ok(vg_decoder_new(&h->decoder, &err));
}

static void harness_close(harness *h)
{
    vg_decoder_free(h->decoder);
    vg_image_reset(&h->whole);
    vg_image_reset(&h->part);
}

/* `windows` random parts at this shrink against the whole. Returns whether the file can be read. */
static bool compare(harness *h, const vg_bytes *b, vg_decode_options options, int shrink,
                    int windows, const char *name)
{
    vg_error err = {0}, part_err = {0};
    vg_decode_info info, part_info;
    vg_region wanted;
    options.choose = NULL;
    vg_status status = vg_decode(h->decoder, b->data, b->size, &options, &h->whole, &info, &err);
    if (status == VG_OK && shrink > 1) {
        wanted = vg_region_whole(info.region.full_width, info.region.full_height, shrink);
        options.choose = choose_fixed;
        options.choose_context = &wanted;
        assert_ok(vg_decode(h->decoder, b->data, b->size, &options, &h->whole, &info, &err));
        if (info.format != VG_FORMAT_JPEG)
            return true; /* does not shrink */
        assert_int_equal(h->whole.width, (info.region.full_width - 1) / shrink + 1);
    }
    int width = h->whole.width, height = h->whole.height;
    if (status != VG_OK && info.width && info.height) {
        wanted = vg_region_whole(info.width, info.height, shrink);
        width = wanted.width < 8 ? 1 : wanted.width / 2;
        height = wanted.height < 8 ? 1 : wanted.height / 2;
        options.apply_exif = false;
    }
    options.choose = choose_fixed;
    options.choose_context = &wanted;
    for (int i = 0; i < windows; i++) {
        wanted.shrink = shrink;
        draw_side(width, &wanted.x, &wanted.width);
        draw_side(height, &wanted.y, &wanted.height);
        vg_status again =
            vg_decode(h->decoder, b->data, b->size, &options, &h->part, &part_info, &part_err);
        if (options.verify && again != status)
            fail_msg("%s: whole %d (%s), part %d (%s)", name, status, err.message, again,
                     part_err.message);
        if (options.verify && status != VG_OK && strcmp(err.message, part_err.message) != 0)
            fail_msg("%s: whole \"%s\", part \"%s\"", name, err.message, part_err.message);
        if (status != VG_OK || again != VG_OK)
            continue;
        assert_int_equal(h->part.width, wanted.width);
        assert_int_equal(h->part.height, wanted.height);
        assert_int_equal(h->part.channels, h->whole.channels);
        assert_memory_equal(&part_info.region, &wanted, sizeof wanted);
        if (options.verify) {
            assert_int_equal(part_info.damaged, info.damaged);
            assert_true(part_info.intact == info.intact);
            assert_int_equal(part_info.damage_offset, info.damage_offset);
            assert_string_equal(part_info.warning, info.warning);
        }
        size_t n = (size_t)wanted.width * (size_t)h->part.channels;
        size_t stride = (size_t)width * (size_t)h->part.channels;
        for (int y = 0; y < wanted.height; y++) {
            const uint8_t *there = h->whole.data + (size_t)(wanted.y + y) * stride +
                                   (size_t)wanted.x * (size_t)h->part.channels;
            if (memcmp(h->part.data + (size_t)y * n, there, n) != 0)
                fail_msg("%s (%d x %d): part %d x %d at %d, %d of 1/%d differs in row %d", name,
                         width, height, wanted.width, wanted.height, wanted.x, wanted.y, shrink, y);
        }
    }
    return status == VG_OK;
}

static void compare_ways(harness *h, const vg_bytes *b, int windows, const char *name)
{
    for (int shrink = 1; shrink <= 8; shrink *= 2)
        for (int way = 0; way < 4; way++) {
            vg_decode_options options = vg_decode_options_default();
            options.verify = way != 1;
            options.channels = way == 2 ? 3 : way == 3 ? 1 : 0;
            options.allow_damaged = way == 0;
            compare(h, b, options, shrink, windows, name);
        }
}

static void test_every_sampling(void **state)
{
    (void)state;
    static const recipe recipes[] = {
        {JCS_RGB, JCS_YCbCr, 3, {{1, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 2}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 4}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 2}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 4}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 1}, {1, 1}, {2, 1}}, 0, 90, false, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{3, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 1}, {2, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {2, 1}, {1, 2}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 2}, {1, 2}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 1}, {2, 2}, {2, 2}}, 0, 90, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 1}, {1, 1}}, 1, 50, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 1}, {1, 1}, {1, 1}}, 2, 50, true, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 1}, {1, 1}}, 0, 50, false, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 1}, {1, 1}, {1, 1}}, 1, 90, false, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 2}, {1, 1}, {1, 1}}, 0, 90, true, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 1}, {1, 1}}, 0, 90, false, false, true},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, true},
        {JCS_RGB, JCS_RGB, 3, {{1, 1}, {1, 1}, {1, 1}}, 0, 90, false, false, false},
        {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, {{1, 1}}, 0, 90, false, false, false},
        {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, {{2, 2}}, 1, 90, false, false, false},
        {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, {{1, 1}}, 0, 90, false, true, false},
        {JCS_CMYK, JCS_CMYK, 4, {{1, 1}}, 0, 90, false, false, false},
        {JCS_CMYK, JCS_YCCK, 4, {{2, 2}, {1, 1}, {1, 1}, {2, 2}}, 0, 90, false, false, false},
    };
    static const int sizes[][2] = {{1, 1},   {2, 3},   {7, 9},   {16, 16}, {17, 33},   {31, 15},
                                   {40, 70}, {131, 5}, {3, 131}, {99, 65}, {200, 150}, {257, 130}};
    harness h;
    vg_bytes bytes = {0};
    uint8_t *pixels = malloc(257 * 150 * 4);
    assert_non_null(pixels);
    harness_open(&h);
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++)
        for (size_t k = 0; k < sizeof sizes / sizeof *sizes; k++) {
            char name[80];
            int width = sizes[k][0], height = sizes[k][1], n = recipes[i].components;
            for (int p = 0; p < width * height * n; p++) /* coarse grain, so that edges matter */
                pixels[p] = (uint8_t)(p / n % width / 3 * 37 + p / n / width / 3 * 91 + p % n * 70 +
                                      below(60));
            jpeg_make(&recipes[i], pixels, width, height, &bytes);
            snprintf(name, sizeof name, "recipe %zu", i);
            compare_ways(&h, &bytes, 5, name);
        }
    harness_close(&h);
    vg_bytes_reset(&bytes);
    free(pixels);
}

/* Calls `each` with every file below a folder; every `step`th of them. */
static int walk(const char *folder, int step, int *count, harness *h,
                void (*each)(harness *h, const vg_bytes *b, const char *path))
{
    vg_error err = {0};
    int done = 0;
    DIR *dir = opendir(folder);
    assert_non_null(dir);
    for (struct dirent *entry; (entry = readdir(dir));) {
        if (entry->d_name[0] == '.')
            continue;
        char *path = vg_path_join(folder, entry->d_name);
        assert_non_null(path);
        if (vg_path_is_folder(path)) {
            done += walk(path, step, count, h, each);
        } else if ((*count)++ % step == 0) {
            vg_bytes bytes = {0};
            assert_ok(vg_file_read(path, 0, &bytes, &err));
            if (bytes.size) {
                each(h, &bytes, path);
                done++;
            }
            vg_bytes_reset(&bytes);
        }
        free(path);
    }
    closedir(dir);
    return done;
}

static int walk_data(const char *name, int step,
                     void (*each)(harness *h, const vg_bytes *b, const char *path))
{
    const char *data = getenv("VG_DATA");
    if (!data)
        skip();
    harness h;
    int count = 0;
    char *folder = vg_path_join(data, name);
    assert_non_null(folder);
    harness_open(&h);
    int done = walk(folder, step, &count, &h, each);
    harness_close(&h);
    free(folder);
    return done;
}

static void each_photo(harness *h, const vg_bytes *b, const char *path)
{
    vg_decode_options options = vg_decode_options_default();
    for (int shrink = 1; shrink <= 8; shrink *= 2) {
        options.verify = below(2) == 0;
        compare(h, b, options, shrink, 3, path);
    }
}

static void each_odd(harness *h, const vg_bytes *b, const char *path)
{
    for (int shrink = 1; shrink <= 4; shrink *= 4)
        for (int way = 0; way < 3; way++) {
            vg_decode_options options = vg_decode_options_default();
            options.max_pixels = 4000000;
            options.allow_damaged = way != 1;
            options.verify = way != 2;
            compare(h, b, options, shrink, 2, path);
        }
}

static void test_photos(void **state)
{
    (void)state;
    assert_true(walk_data("caltech-photos", 20, each_photo) > 100);
}

static void test_large_photos(void **state)
{
    (void)state;
    assert_true(walk_data("imagenet-sample", 10, each_photo) >= 100);
}

static void test_odd_images(void **state)
{
    (void)state;
    assert_true(walk_data("odd-images", 1, each_odd) > 1300);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_sampling),
        cmocka_unit_test(test_photos),
        cmocka_unit_test(test_large_photos),
        cmocka_unit_test(test_odd_images),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
