/* Tests of image/background.h and of what decoding does with it. Pictures are written here, so that every
 * value is known: 0.5 alpha is 128 of 255. */
#include "test.h"

#include "dataset_fixture.h"
#include "image/background.h"
#include "image/decode.h"
#include "load/loader.h"

#include <png.h>

static vg_error err;

static void test_words(void **state)
{
    (void)state;
    static const struct {
        const char *word;
        int colour;
    } good[] = {{"black", 0}, {"grey", 0x808080}, {"white", 0xffffff}, {"#12aBef", 0x12abef}};
    char text[VG_BACKGROUND_TEXT];
    int found = 7;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        assert_ok(vg_background_parse(good[i].word, &found, &err));
        assert_int_equal(found, good[i].colour);
        int again = -1;
        assert_ok(vg_background_parse(vg_background_print(found, text), &again, &err));
        assert_int_equal(again, found);
    }
    static const char *const bad[] = {"", "#fff", "#12345g", "#1234567", "0xffffff", "White"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(vg_background_parse(bad[i], &found, &err), VG_E_ARG);
        assert_contains(err.message, "black, grey, white or #rrggbb");
    }
    assert_int_equal(vg_background_parse("whit", &found, &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"white\"");
    assert_string_equal(vg_background_print(VG_BACKGROUND_UNSET, text), "black");
    assert_true(vg_background_is_coloured(0x808081));
    assert_false(vg_background_is_coloured(VG_BACKGROUND_GREY));
}

/* Three pixels in a row: opaque, half, gone. */
static void write_png(const char *path, bool grey)
{
    static const uint8_t rgba[] = {200, 100, 50, 255, 200, 100, 50, 128, 200, 100, 50, 0};
    static const uint8_t ga[] = {200, 255, 200, 128, 200, 0};
    png_image image = {.version = PNG_IMAGE_VERSION,
                       .width = 3,
                       .height = 1,
                       .format = grey ? PNG_FORMAT_GA : PNG_FORMAT_RGBA};
    assert_int_not_equal(png_image_write_to_file(&image, path, 0, grey ? ga : rgba, 0, NULL), 0);
}

/* Of the picture at `path`. */
static void decode(const char *path, int background, int channels, vg_image *image)
{
    vg_bytes bytes = {0};
    vg_decoder *decoder = NULL;
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    options.background = background;
    options.channels = channels;
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    assert_ok(vg_decoder_new(&decoder, &err));
    assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, image, &info, &err));
    assert_true(info.has_alpha);
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
}

static void test_decode(void **state)
{
    (void)state;
    char *folder = test_folder_make(), *colour = vg_path_join(folder, "colour.png"),
         *grey = vg_path_join(folder, "grey.png");
    vg_image image = {0};
    write_png(colour, false);
    write_png(grey, true);
    /* round(v a / 255 + b (255 - a) / 255) */
    static const struct {
        int background, channels;
        uint8_t expected[9];
    } cases[] = {
        {VG_BACKGROUND_UNSET, 0, {200, 100, 50, 100, 50, 25, 0, 0, 0}},
        {VG_BACKGROUND_BLACK, 3, {200, 100, 50, 100, 50, 25, 0, 0, 0}},
        {VG_BACKGROUND_WHITE, 3, {200, 100, 50, 227, 177, 152, 255, 255, 255}},
        {0x0a141e, 0, {200, 100, 50, 105, 60, 40, 10, 20, 30}},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        decode(colour, cases[i].background, cases[i].channels, &image);
        assert_int_equal(image.channels, 3);
        assert_memory_equal(image.data, cases[i].expected, 9);
    }
    decode(colour, VG_BACKGROUND_WHITE, 1, &image);
    assert_int_equal(image.data[2], 255);
    decode(grey, VG_BACKGROUND_WHITE, 0, &image);
    assert_int_equal(image.channels, 1); /* stays grey over a grey ground */
    assert_memory_equal(image.data, ((uint8_t[]){200, 227, 255}), 3);
    decode(grey, 0x0a141e, 0, &image);
    assert_int_equal(image.channels, 3);
    assert_memory_equal(image.data, ((uint8_t[]){200, 200, 200, 105, 110, 115, 10, 20, 30}), 9);
    decode(grey, 0x0000ff, 1, &image);
    assert_int_equal(image.data[2], 29); /* the luma of blue */
    vg_image_reset(&image);
    free(colour);
    free(grey);
    test_folder_remove(folder);
}

/* What the dataset was opened with stands behind its pictures, unless a reader wants another. */
static void test_dataset(void **state)
{
    (void)state;
    char *folder = test_folder_make();
    for (int k = 0; k < 2; k++) {
        char *class = vg_path_join(folder, k ? "a" : "b"), *file = vg_path_join(class, "x.png");
        assert_int_equal(mkdir(class, 0777), 0);
        write_png(file, false);
        free(file);
        free(class);
    }
    vg_dataset_options open = vg_dataset_options_default();
    open.background = VG_BACKGROUND_WHITE;
    vg_dataset *dataset = NULL;
    vg_reader reader;
    vg_image image = {0};
    assert_ok(vg_dataset_open(folder, &open, &dataset, &err));
    assert_int_equal(vg_dataset_background(dataset), VG_BACKGROUND_WHITE);
    assert_ok(vg_reader_init(&reader, &err));
    assert_ok(vg_dataset_read(dataset, 0, NULL, &reader, &image, NULL, &err));
    assert_int_equal(image.data[8], 255);
    vg_decode_options other = vg_decode_options_default();
    assert_ok(vg_dataset_read(dataset, 0, &other, &reader, &image, NULL, &err));
    assert_int_equal(image.data[8], 255);
    other.background = VG_BACKGROUND_BLACK;
    assert_ok(vg_dataset_read(dataset, 0, &other, &reader, &image, NULL, &err));
    assert_int_equal(image.data[8], 0);
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    /* A cache must not give what was decoded over another one. */
    char white[400], black[400], again[400];
    vg_loader_cache_key(dataset, &other, black, sizeof black);
    other.background = VG_BACKGROUND_UNSET;
    vg_loader_cache_key(dataset, &other, white, sizeof white);
    other.background = VG_BACKGROUND_WHITE;
    vg_loader_cache_key(dataset, &other, again, sizeof again);
    assert_string_not_equal(black, white);
    assert_string_equal(white, again);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words),
        cmocka_unit_test(test_decode),
        cmocka_unit_test(test_dataset),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
