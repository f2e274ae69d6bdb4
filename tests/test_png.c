/* Tests of the PNG reader and writer. Golden files: tests/golden/image_decode.py. */
#include "image_files.h"

#include <png.h>
#include <zlib.h>

static const char *const names[] = {
    "grey1",
    "grey2",
    "grey4",
    "grey8",
    "grey16",
    "palette1",
    "palette2",
    "palette4",
    "palette8",
    "rgb8",
    "rgb16",
    "rgba8",
    "rgba16",
    "grey-alpha8",
    "grey-alpha16",
    "grey1-adam7",
    "grey2-adam7",
    "grey4-adam7",
    "grey8-adam7",
    "grey16-adam7",
    "palette1-adam7",
    "palette2-adam7",
    "palette4-adam7",
    "palette8-adam7",
    "rgb8-adam7",
    "rgb16-adam7",
    "rgba8-adam7",
    "rgba16-adam7",
    "grey-alpha8-adam7",
    "grey-alpha16-adam7",
    "palette4-trns",
    "grey2-trns",
    "rgb16-trns",
    "animated-gamma-bomb",
};

static vg_colour_type colour_by_name(const char *name)
{
    bool alpha = strstr(name, "trns") || strstr(name, "alpha");
    if (strncmp(name, "palette", 7) == 0)
        return alpha ? VG_COLOUR_PALETTE_ALPHA : VG_COLOUR_PALETTE;
    if (strncmp(name, "grey", 4) == 0)
        return alpha ? VG_COLOUR_GREY_ALPHA : VG_COLOUR_GREY;
    return alpha || strncmp(name, "rgba", 4) == 0 ? VG_COLOUR_RGB_ALPHA : VG_COLOUR_RGB;
}

static void test_all_kinds(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    assert_ok(vg_decoder_new(&decoder, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vg_decode_info info;
        int distance = golden_distance(decoder, names[i], ".png", &info);
        /* 16 bits with alpha are rounded twice */
        int allowed = strstr(names[i], "16") && info.has_alpha ? 1 : 0;
        if (distance > allowed)
            fail_msg("%s: %d levels from the golden picture", names[i], distance);
        assert_int_equal(info.format, VG_FORMAT_PNG);
        assert_int_equal(info.width, 13);
        assert_int_equal(info.height, 11);
        assert_int_equal(info.progressive, strstr(names[i], "adam7") != NULL);
        assert_int_equal(info.colour, colour_by_name(names[i]));
        assert_int_equal(info.quality, 0);
        assert_int_equal(info.has_alpha, strstr(names[i], "trns") || strstr(names[i], "alpha") ||
                                             strstr(names[i], "rgba"));
        int channels = strncmp(names[i], "grey-alpha", 10) == 0                 ? 2
                       : strncmp(names[i], "rgba", 4) == 0                      ? 4
                       : strncmp(names[i], "rgb", 3) == 0 || names[i][0] == 'a' ? 3
                                                                                : 1;
        assert_int_equal(info.source_channels, channels);
        assert_int_equal(info.warnings, 0);
        assert_false(info.damaged);
    }
    vg_decoder_free(decoder);
}

/* Whatever is in the file, both channel counts can be had, and they are what converting gives. */
static void test_channels_asked_for(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image plain = {0}, converted = {0}, asked = {0};
    assert_ok(vg_decoder_new(&decoder, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[60];
        snprintf(file, sizeof file, "%s.png", names[i]);
        golden_read(file, &bytes);
        vg_decode_options options = vg_decode_options_default();
        assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &plain, NULL, &err));
        for (int channels = 1; channels <= 3; channels += 2) {
            options.channels = channels;
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &asked, NULL, &err));
            assert_ok(vg_image_convert(&plain, channels, &converted, &err));
            assert_int_equal(picture_distance(&asked, &converted), 0);
        }
    }
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&plain);
    vg_image_reset(&converted);
    vg_image_reset(&asked);
}

static void choose_fixed(void *context, vg_region *region)
{
    *region = *(const vg_region *)context;
}

/* Every rectangle of some, with and without looking at the rest, is what the whole picture has. */
static void test_parts(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image whole = {0}, part = {0};
    assert_ok(vg_decoder_new(&decoder, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char file[60];
        snprintf(file, sizeof file, "%s.png", names[i]);
        golden_read(file, &bytes);
        for (int turn = 0; turn < 40; turn++) {
            vg_decode_options options = vg_decode_options_default();
            options.channels = turn % 3 == 0 ? 0 : turn % 3 == 1 ? 1 : 3;
            options.verify = turn & 1;
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &whole, NULL, &err));
            vg_region wanted = {13,
                                11,
                                1,
                                turn % 13,
                                turn % 11,
                                1 + turn * 7 % (13 - turn % 13),
                                1 + turn * 5 % (11 - turn % 11)};
            vg_decode_info info;
            options.choose = choose_fixed;
            options.choose_context = &wanted;
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &part, &info, &err));
            assert_memory_equal(&info.region, &wanted, sizeof wanted);
            assert_int_equal(part.width, wanted.width);
            assert_int_equal(part.height, wanted.height);
            size_t n = (size_t)part.width * (size_t)part.channels;
            for (int y = 0; y < part.height; y++)
                assert_memory_equal(part.data + (size_t)y * n,
                                    whole.data + ((size_t)(wanted.y + y) * 13 + (size_t)wanted.x) *
                                                     (size_t)part.channels,
                                    n);
        }
        vg_decode_options options = vg_decode_options_default();
        vg_decode_info info;
        vg_region shrunk = {13, 11, 4, 1, 0, 3, 2}; /* comes at its full size */
        options.choose = choose_fixed;
        options.choose_context = &shrunk;
        assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &part, &info, &err));
        assert_memory_equal(&info.region, &((vg_region){13, 11, 1, 4, 0, 9, 8}), sizeof shrunk);
        shrunk.x = 2; /* 5 columns at a quarter, 4 of them asked for at most */
        shrunk.width = 3;
        assert_int_equal(vg_decode(decoder, bytes.data, bytes.size, &options, &part, &info, &err),
                         VG_E_ARG);
        assert_contains(err.message, "does not lie in a picture of 13 x 11");
    }
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&whole);
    vg_image_reset(&part);
}

static void interlaced_make(const vg_image *image, vg_bytes *out)
{
    vg_error err = {0};
    char *data = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&data, &size);
    png_structp png = png_create_write_struct(PNG_LIBPNG_VER_STRING, NULL, NULL, NULL);
    png_infop info = png_create_info_struct(png);
    assert_non_null(stream);
    png_init_io(png, stream);
    png_set_IHDR(png, info, (png_uint_32)image->width, (png_uint_32)image->height, 8,
                 PNG_COLOR_TYPE_RGB, PNG_INTERLACE_ADAM7, PNG_COMPRESSION_TYPE_DEFAULT,
                 PNG_FILTER_TYPE_DEFAULT);
    png_set_compression_level(png, 0);
    png_write_info(png, info);
    int passes = png_set_interlace_handling(png);
    for (int pass = 0; pass < passes; pass++)
        for (int y = 0; y < image->height; y++)
            png_write_row(png, image->data + (size_t)y * (size_t)image->width * 3);
    png_write_end(png, NULL);
    png_destroy_write_struct(&png, &info);
    fclose(stream);
    assert_ok(vg_bytes_reserve(out, size, &err));
    memcpy(out->data, data, size);
    out->size = size;
    free(data);
}

/* Stored uncompressed, so that bytes and rows correspond. */
static void test_how_much_is_intact(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_image image = {0};
    vg_bytes b = {0};
    picture_make(&image, 100, 200, 3);
    assert_ok(vg_png_encode(&image, 0, &b, &err));
    size_t whole = b.size;
    for (int tenth = 1; tenth < 10; tenth++) {
        vg_decode_options options = vg_decode_options_default();
        options.allow_damaged = true;
        b.size = whole * (size_t)tenth / 10;
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
        assert_near(info.intact, tenth / 10., 0.03);
        assert_int_equal(info.damage_offset, b.size);
        options.min_intact = info.intact + 0.01;
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
        assert_contains(err.message, "of the picture is intact");
    }
    b.size = whole;
    b.data[whole / 2] ^= 1; /* noticed at the end of the chunk, counted from its beginning */
    vg_decode_options options = vg_decode_options_default();
    expect_decode(&b, VG_E_FORMAT, "at byte");
    options.allow_damaged = true;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    assert_true(info.damaged && info.intact >= 0 && info.intact <= 0.5);
    assert_in_range(info.damage_offset, whole / 2, whole);
    vg_decoder *decoder;
    vg_image cut = {0};
    assert_ok(vg_decoder_new(&decoder, &err));
    interlaced_make(&image, &b);
    b.size /= 2; /* in the last pass or that before: coarse, but all there */
    assert_ok(vg_decode(decoder, b.data, b.size, &options, &cut, &info, &err));
    assert_true(info.damaged && info.intact == 1);
    for (size_t i = 0; i < vg_image_bytes(&cut); i++)
        assert_true(cut.data[i] >= 40); /* no pixel of the smooth picture is left black */
    vg_decoder_free(decoder);
    vg_image_reset(&cut);
    vg_bytes_reset(&b);
    vg_image_reset(&image);
}

static void test_round_trip(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image image = {0}, back = {0};
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    for (int channels = 1; channels <= 3; channels += 2)
        for (int level = 0; level <= 9; level += 3) {
            picture_make(&image, 61, 47, channels);
            assert_ok(vg_png_encode(&image, level, &bytes, &err));
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &back, NULL, &err));
            assert_int_equal(picture_distance(&image, &back), 0);
        }
    assert_int_equal(vg_png_encode(&image, 10, &bytes, &err), VG_E_ARG);
    assert_int_equal(vg_png_encode(&image, -1, &bytes, &err), VG_E_ARG);
    vg_image empty = {0};
    assert_int_equal(vg_png_encode(&empty, 6, &bytes, &err), VG_E_ARG);
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&back);
}

static void test_truncated_anywhere(void **state)
{
    (void)state;
    static const char *const files[] = {"rgba8.png", "palette4-adam7.png", "grey16.png"};
    vg_bytes bytes = {0};
    for (size_t i = 0; i < 3; i++) {
        cut_anywhere(files[i], 8, 0, "of at least");
        golden_read(files[i], &bytes);
        size_t whole = bytes.size;
        vg_error err;
        vg_decode_info info;
        vg_decode_options options = vg_decode_options_default();
        bytes.size = whole - 8; /* all pixels are there, the end chunk is cut */
        decode_bytes(&bytes, &options, &info, &err);
        char expected[60];
        snprintf(expected, sizeof expected, "truncated after %zu of at least %zu bytes", whole - 8,
                 whole);
        assert_string_equal(err.message, expected);
        options.allow_damaged = true;
        assert_int_equal(decode_bytes(&bytes, &options, &info, &err), VG_OK);
        assert_true(info.damaged);
        assert_contains(info.warning, "truncated");
    }
    vg_bytes_reset(&bytes);
}

/* Recomputes a chunk's checksum after its data was changed. */
static void seal(uint8_t *chunk)
{
    uint32_t length =
        (uint32_t)chunk[0] << 24 | (uint32_t)chunk[1] << 16 | (uint32_t)chunk[2] << 8 | chunk[3];
    uLong crc = crc32(0, chunk + 4, length + 4);
    for (int i = 0; i < 4; i++)
        chunk[8 + length + (uint32_t)i] = (uint8_t)(crc >> (24 - 8 * i));
}

static void put32(uint8_t *p, uint32_t v)
{
    for (int i = 0; i < 4; i++)
        p[i] = (uint8_t)(v >> (24 - 8 * i));
}

static void test_each_malformation_has_its_error(void **state)
{
    (void)state;
    vg_bytes b = {0};
    golden_read("rgb8.png", &b);
    b.data[8 + 8 + 13]++; /* IHDR's checksum */
    expect_decode(&b, VG_E_FORMAT, "IHDR: CRC error");
    golden_read("rgb8.png", &b);
    b.data[60] ^= 1; /* in the picture data */
    expect_decode(&b, VG_E_FORMAT, "damaged PNG");
    golden_read("rgb8.png", &b);
    b.data[4] = '\n'; /* the signature after a transfer as text */
    expect_decode(&b, VG_E_FORMAT, "ASCII conversion");
    golden_read("rgb8.png", &b);
    put32(b.data + 16, 0);
    seal(b.data + 8);
    expect_decode(&b, VG_E_FORMAT, "width is zero");
    golden_read("rgb8.png", &b);
    b.data[24] = 3; /* bit depth */
    seal(b.data + 8);
    expect_decode(&b, VG_E_FORMAT, "Invalid IHDR data");
    golden_read("rgb8.png", &b);
    b.data[25] = 7; /* colour type */
    seal(b.data + 8);
    expect_decode(&b, VG_E_FORMAT, "color type");
    golden_read("rgb8.png", &b);
    put32(b.data + 20, 40); /* more rows than there is data for */
    seal(b.data + 8);
    expect_decode(&b, VG_E_FORMAT, "Not enough image data");
    golden_read("palette4.png", &b);
    memcpy(b.data + 37, "xLTE", 4); /* no palette any more */
    seal(b.data + 33);
    expect_decode(&b, VG_E_FORMAT, "PLTE");
    vg_bytes_reset(&b);
}

/* A chunk that claims a gigabyte: in a small file it is cut off, and its memory is never asked for;
 * one that really is larger than any EXIF data is passed over. */
static void test_huge_exif(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    vg_bytes b = {0}, big = {0};
    golden_read("orientation6.png", &b);
    assert_memory_equal(b.data + 37, "eXIf", 4);
    put32(b.data + 33, 0x3fffffff);
    expect_decode(&b, VG_E_FORMAT, "of at least 1073741868 bytes");
    golden_read("orientation6.png", &b);
    uint32_t old = b.data[36], length = 40u << 20;
    assert_ok(vg_bytes_reserve(&big, b.size + length, &err));
    memcpy(big.data, b.data, 41 + old); /* up to the end of its data */
    memset(big.data + 41 + old, 0, length - old);
    put32(big.data + 33, length);
    seal(big.data + 33);
    memcpy(big.data + 45 + length, b.data + 45 + old, b.size - 45 - old);
    big.size = b.size + length - old;
    assert_int_equal(decode_bytes(&big, &options, &info, &err), VG_OK);
    assert_int_equal(info.orientation, 0);
    assert_true(info.warnings > 0 && !info.damaged);
    vg_bytes_reset(&b);
    vg_bytes_reset(&big);
}

static void test_limits(void **state)
{
    (void)state;
    vg_bytes b = {0};
    golden_read("rgb8.png", &b);
    put32(b.data + 16, 20000); /* a bomb: 400 megapixels in 500 bytes */
    put32(b.data + 20, 20000);
    seal(b.data + 8);
    expect_decode(&b, VG_E_LIMIT, "20000 x 20000 pixels are more than the limit of 100000000");
    put32(b.data + 16, 0x7fffffff);
    put32(b.data + 20, 0x7fffffff);
    seal(b.data + 8);
    expect_decode(&b, VG_E_LIMIT, "longer than 1000000");
    golden_read("rgb8.png", &b);
    vg_error err;
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    options.max_pixels = 13 * 11;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    options.max_pixels--;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_LIMIT);
    assert_int_equal(info.width, 13); /* known, though refused */
    assert_int_equal(info.bit_depth, 8);
    vg_bytes_reset(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_all_kinds),
        cmocka_unit_test(test_channels_asked_for),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_how_much_is_intact),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_truncated_anywhere),
        cmocka_unit_test(test_each_malformation_has_its_error),
        cmocka_unit_test(test_huge_exif),
        cmocka_unit_test(test_limits),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
