/* Tests of image/decode.h: which format, which options, what is refused whatever the format. */
#include "image_files.h"

static void set(vg_bytes *b, const void *bytes, size_t size)
{
    vg_error err = {0};
    assert_ok(vg_bytes_reserve(b, size + 1, &err));
    memcpy(b->data, bytes, size);
    b->size = size;
}

/* What the build reads, in words. */
static void test_list_of_formats(void **state)
{
    (void)state;
    char text[VG_FORMAT_LIST];
    bool webp = vg_format_readable(VG_FORMAT_WEBP);
    assert_string_equal(vg_format_list("and", text), webp ? "JPEG, PNG and WebP" : "JPEG and PNG");
    assert_string_equal(vg_format_list("or", text), webp ? "JPEG, PNG or WebP" : "JPEG or PNG");
}

static void test_foreign_content_is_named(void **state)
{
    (void)state;
    static const struct {
        const char *bytes;
        size_t size;
        vg_image_format format;
        const char *part;
    } cases[] = {
        {"", 0, VG_FORMAT_UNKNOWN, "empty"},
        {"G", 1, VG_FORMAT_UNKNOWN, "content is not JPEG"},
        {"hello, this is a text file", 26, VG_FORMAT_UNKNOWN, "content is not JPEG"},
        {"\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0\0", 16, VG_FORMAT_UNKNOWN, "content is not JPEG"},
        {"GIF89a.....", 11, VG_FORMAT_GIF, "content is GIF, not JPEG"},
        {"BM........................", 26, VG_FORMAT_BMP, "content is BMP"},
        {"II*\0....", 8, VG_FORMAT_TIFF, "content is TIFF"},
        {"MM\0*....", 8, VG_FORMAT_TIFF, "content is TIFF"},
        {"RIFF....WEBPVP8 ", 16, VG_FORMAT_WEBP, ""},
        {"RIFF....WAVEfmt ", 16, VG_FORMAT_UNKNOWN, "content is not JPEG"},
        {"\0\0\0\x18"
         "ftypheic....",
         16, VG_FORMAT_HEIF, "content is HEIF"},
        {"\0\0\0\x18"
         "ftypavif....",
         16, VG_FORMAT_HEIF, "content is HEIF"},
        {"\0\0\0\x18"
         "ftypmp42....",
         16, VG_FORMAT_UNKNOWN, "content is not JPEG"},
        {" \r\n<!DOCTYPE html><p>", 21, VG_FORMAT_HTML, "content is HTML"},
        {"\xef\xbb\xbf<HTML>", 9, VG_FORMAT_HTML, "content is HTML"},
    };
    vg_bytes b = {0};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err;
        vg_decode_info info;
        vg_decode_options options = vg_decode_options_default();
        set(&b, cases[i].bytes, cases[i].size);
        assert_int_equal(vg_format_sniff(b.data, b.size), cases[i].format);
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
        assert_contains(err.message, cases[i].part);
        assert_int_equal(info.format, cases[i].format);
    }
    vg_bytes_reset(&b);
}

static void test_format_of_name(void **state)
{
    (void)state;
    assert_int_equal(vg_format_of_name("a/b.c/x.JPG"), VG_FORMAT_JPEG);
    assert_int_equal(vg_format_of_name("x.jpeg"), VG_FORMAT_JPEG);
    assert_int_equal(vg_format_of_name("x.jfif"), VG_FORMAT_JPEG);
    assert_int_equal(vg_format_of_name("x.y.Png"), VG_FORMAT_PNG);
    assert_int_equal(vg_format_of_name("x.tiff"), VG_FORMAT_TIFF);
    assert_int_equal(vg_format_of_name("x.HEIC"), VG_FORMAT_HEIF);
    assert_int_equal(vg_format_of_name("x.txt"), VG_FORMAT_UNKNOWN);
    assert_int_equal(vg_format_of_name("png"), VG_FORMAT_UNKNOWN);
    assert_int_equal(vg_format_of_name("folder.png/x"), VG_FORMAT_UNKNOWN);
    assert_int_equal(vg_format_of_name("folder/.png"), VG_FORMAT_UNKNOWN);
    assert_int_equal(vg_format_of_name(""), VG_FORMAT_UNKNOWN);
    for (int f = VG_FORMAT_UNKNOWN; f <= VG_FORMAT_HTML; f++)
        assert_true(vg_format_name((vg_image_format)f)[0] != '\0');
    assert_true(vg_format_readable(VG_FORMAT_JPEG) && vg_format_readable(VG_FORMAT_PNG));
    assert_false(vg_format_readable(VG_FORMAT_UNKNOWN) || vg_format_readable(VG_FORMAT_GIF));
}

/* Random bytes behind both signatures, and bits flipped in good files: never a crash, always a
 * message or a picture. */
static void test_garbage(void **state)
{
    (void)state;
    static const char *const files[] = {"420.jpg",   "progressive.jpg",    "cmyk.jpg",
                                        "rgba8.png", "palette4-adam7.png", "orientation6.png"};
    vg_error err = {0};
    vg_decode_options options = vg_decode_options_default();
    vg_decode_info info;
    vg_bytes b = {0}, good = {0};
    uint32_t random = 12345;
    for (int i = 0; i < 3000; i++) {
        if (i % 10 == 0) {
            uint8_t noise[300];
            size_t start = i % 20 ? 3 : 8;
            if (i % 20)
                memcpy(noise, "\xff\xd8\xff", 3);
            else
                memcpy(noise, "\x89PNG\r\n\x1a\n", 8);
            for (size_t k = start; k < sizeof noise; k++)
                noise[k] = (uint8_t)((random = random * 1664525u + 1013904223u) >> 24);
            set(&b, noise, sizeof noise);
        } else {
            golden_read(files[i % 6], &good);
            set(&b, good.data, good.size);
            for (int k = 0; k < 1 + i % 3; k++) {
                random = random * 1664525u + 1013904223u;
                b.data[(random >> 8) % b.size] ^= (uint8_t)(1u << (random & 7));
            }
        }
        options.allow_damaged = i & 1;
        options.max_pixels = 1000000;
        vg_status status = decode_bytes(&b, &options, &info, &err);
        assert_true(status == VG_OK || status == VG_E_FORMAT || status == VG_E_LIMIT);
        if (status == VG_OK && info.damaged)
            assert_true(options.allow_damaged);
    }
    vg_bytes_reset(&b);
    vg_bytes_reset(&good);
}

static void test_options(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes b = {0};
    vg_image image = {0};
    assert_ok(vg_decoder_new(&decoder, &err));
    vg_decode_options options = vg_decode_options_default();
    golden_read("orientation6.png", &b);
    assert_ok(vg_decode(decoder, b.data, b.size, &options, &image, NULL, &err));
    assert_int_equal(image.width, 3);
    assert_int_equal(image.height, 5);
    options.apply_exif = false;
    assert_ok(vg_decode(decoder, b.data, b.size, &options, &image, NULL, &err));
    assert_int_equal(image.width, 5);
    options.channels = 2;
    assert_int_equal(vg_decode(decoder, b.data, b.size, &options, &image, NULL, &err), VG_E_ARG);
    vg_decoder_free(decoder);
    vg_decoder_free(NULL);
    vg_image_reset(&image);
    vg_bytes_reset(&b);
}

/* Good, bad and good again through one decoder, without an error struct. */
static void test_decoder_survives_errors(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes b = {0};
    vg_image first = {0}, again = {0};
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    static const char *const files[] = {"cmyk.jpg", "progressive.jpg", "rgba16-adam7.png"};
    for (int i = 0; i < 3; i++) {
        golden_read(files[i], &b);
        assert_ok(vg_decode(decoder, b.data, b.size, &options, &first, NULL, &err));
        for (size_t cut = 1; cut + 8 < b.size; cut += b.size / 9)
            assert_int_equal(vg_decode(decoder, b.data, cut, &options, &again, NULL, NULL),
                             VG_E_FORMAT);
        assert_ok(vg_decode(decoder, b.data, b.size, &options, &again, NULL, &err));
        assert_int_equal(picture_distance(&first, &again), 0);
    }
    vg_decoder_free(decoder);
    vg_image_reset(&first);
    vg_image_reset(&again);
    vg_bytes_reset(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_list_of_formats), cmocka_unit_test(test_foreign_content_is_named),
        cmocka_unit_test(test_format_of_name),  cmocka_unit_test(test_garbage),
        cmocka_unit_test(test_options),         cmocka_unit_test(test_decoder_survives_errors),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
