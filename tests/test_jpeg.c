/* Tests of the JPEG reader and writer. Golden files: Pillow's (tests/golden/image_decode.py). Kinds
 * of JPEG that Pillow does not write are written here with libjpeg-turbo. */
#include "image_files.h"
#include "jpeg_recipe.h"

static void test_as_pillow(void **state)
{
    (void)state;
    static const char *const names[] = {"grey", "rgb",         "444",  "422",
                                        "420",  "progressive", "cmyk", "restarts"};
    vg_error err = {0};
    vg_decoder *decoder;
    assert_ok(vg_decoder_new(&decoder, &err));
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        vg_decode_info info;
        int distance = golden_distance(decoder, names[i], ".jpg", &info);
        if (distance > 2) /* another version of the library may round differently */
            fail_msg("%s: %d levels from Pillow's picture", names[i], distance);
        assert_int_equal(info.format, VG_FORMAT_JPEG);
        assert_int_equal(info.width, 37);
        assert_int_equal(info.height, 29);
        assert_int_equal(info.bit_depth, 8);
        assert_int_equal(info.source_channels, i == 0 ? 1 : i == 6 ? 4 : 3);
        assert_int_equal(info.progressive, i == 5);
        assert_int_equal(info.colour, i == 0   ? VG_COLOUR_GREY
                                      : i == 1 ? VG_COLOUR_RGB
                                      : i == 6 ? VG_COLOUR_CMYK
                                               : VG_COLOUR_YCC);
        assert_int_equal(info.warnings, 0);
    }
    vg_decoder_free(decoder);
}

/* What the library was asked for is read back from its tables. */
static void test_quality_is_told(void **state)
{
    (void)state;
    static const int asked[] = {25, 50, 75, 90, 95, 99, 100};
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image image = {0}, back = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    for (int channels = 1; channels <= 3; channels += 2) {
        assert_ok(vg_image_shape(&image, 24, 24, channels, &err));
        memset(image.data, 90, vg_image_bytes(&image));
        for (size_t i = 0; i < sizeof asked / sizeof *asked; i++) {
            assert_ok(vg_jpeg_encode(&image, asked[i], &bytes, &err));
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &back, &info, &err));
            assert_int_equal(info.quality, asked[i]);
            assert_false(info.has_exif);
        }
    }
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&back);
}

/* Smooth RGB through sampling factors, codings and colour spaces that are rare but legal. */
static void test_rare_kinds(void **state)
{
    (void)state;
    static const recipe recipes[] = {
        {JCS_RGB, JCS_YCbCr, 3, {{1, 1}, {1, 1}, {1, 1}}, 0, 0, true, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {1, 1}, {1, 1}}, 0, 0, true, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 1}, {1, 1}, {1, 1}}, 0, 0, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{1, 4}, {1, 1}, {1, 1}}, 0, 0, false, true, false},
        {JCS_RGB, JCS_YCbCr, 3, {{4, 1}, {1, 1}, {2, 1}}, 0, 0, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{2, 2}, {2, 1}, {1, 2}}, 0, 0, false, false, false},
        {JCS_RGB, JCS_YCbCr, 3, {{3, 1}, {1, 1}, {1, 1}}, 2, 0, false, false, false},
        {JCS_RGB, JCS_RGB, 3, {{1, 1}, {1, 1}, {1, 1}}, 1, 0, false, true, false},
        {JCS_GRAYSCALE, JCS_GRAYSCALE, 1, {{2, 2}}, 0, 0, true, true, false},
    };
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image image = {0}, back = {0};
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    for (size_t i = 0; i < sizeof recipes / sizeof *recipes; i++) {
        vg_decode_info info;
        assert_ok(vg_image_shape(&image, 53, 41, recipes[i].components, &err));
        for (int p = 0; p < 53 * 41 * image.channels; p++) /* a slope, the same in all channels */
            image.data[p] = (uint8_t)(20 + p / image.channels % 53 + 2 * (p / image.channels / 53));
        jpeg_make(&recipes[i], image.data, 53, 41, &bytes);
        assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &back, &info, &err));
        assert_in_range(picture_distance(&image, &back), 0, 4);
        assert_int_equal(info.progressive, recipes[i].progressive);
        assert_int_equal(info.warnings, 0);
    }
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&back);
}

/* Values as Adobe stores them: inverted, 255 is no ink. */
static void test_cmyk_and_ycck(void **state)
{
    (void)state;
    enum { N = 32 };
    uint8_t ink[N * N * 4];
    for (int i = 0; i < N * N; i++) {
        ink[i * 4] = (uint8_t)(i % N * 8);
        ink[i * 4 + 1] = (uint8_t)(i / N * 8);
        ink[i * 4 + 2] = 200;
        ink[i * 4 + 3] = (uint8_t)(255 - i / N * 4);
    }
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes bytes = {0};
    vg_image image = {0};
    assert_ok(vg_decoder_new(&decoder, &err));
    for (int ycck = 0; ycck < 2; ycck++) {
        recipe how = {JCS_CMYK, ycck ? JCS_YCCK : JCS_CMYK, 4, {{1, 1}}, 0, 0, false, false, false};
        jpeg_make(&how, ink, N, N, &bytes);
        for (int channels = 0; channels <= 3; channels++) {
            vg_decode_info info;
            vg_decode_options options = vg_decode_options_default();
            options.channels = channels;
            if (channels == 2)
                continue;
            assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &image, &info, &err));
            assert_int_equal(info.source_channels, 4);
            assert_int_equal(info.colour, ycck ? VG_COLOUR_YCCK : VG_COLOUR_CMYK);
            assert_int_equal(image.channels, channels ? channels : 3);
            for (int i = 0; i < N * N; i++) {
                double rgb[3];
                for (int c = 0; c < 3; c++)
                    rgb[c] = ink[i * 4 + c] * ink[i * 4 + 3] / 255.0;
                if (image.channels == 1)
                    assert_near(image.data[i], 0.299 * rgb[0] + 0.587 * rgb[1] + 0.114 * rgb[2], 4);
                else
                    for (int c = 0; c < 3; c++)
                        assert_near(image.data[i * 3 + c], rgb[c], 6);
            }
        }
    }
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
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
    size_t sizes[2] = {0};
    for (int channels = 1; channels <= 3; channels += 2) {
        /* large enough that the output buffer grows several times */
        assert_ok(vg_image_shape(&image, 301, 222, channels, &err));
        for (size_t i = 0; i < vg_image_bytes(&image); i++)
            image.data[i] = (uint8_t)(i * 2654435761u >> 24);
        assert_ok(vg_jpeg_encode(&image, 100, &bytes, &err));
        assert_true(bytes.size > 60000);
        assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &back, NULL, &err));
        assert_in_range(picture_distance(&image, &back), 0, 6);
    }
    picture_make(&image, 64, 64, 3);
    for (int i = 0; i < 2; i++) { /* chroma is halved below 90 */
        assert_ok(vg_jpeg_encode(&image, i ? 90 : 89, &bytes, &err));
        sizes[i] = bytes.size;
        assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &back, NULL, &err));
    }
    assert_true(sizes[1] > sizes[0] * 5 / 4);
    assert_int_equal(vg_jpeg_encode(&image, 0, &bytes, &err), VG_E_ARG);
    assert_int_equal(vg_jpeg_encode(&image, 101, &bytes, &err), VG_E_ARG);
    vg_image empty = {0};
    assert_int_equal(vg_jpeg_encode(&empty, 90, &bytes, &err), VG_E_ARG);
    assert_ok(vg_image_shape(&image, 65501, 1, 1, &err)); /* beyond what JPEG can say */
    memset(image.data, 0, vg_image_bytes(&image));
    assert_int_equal(vg_jpeg_encode(&image, 90, &bytes, &err), VG_E_ARG);
    assert_contains(err.message, "65500");
    assert_int_equal(bytes.size, 0);
    vg_decoder_free(decoder);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&back);
}

/* Every cut but that of the end marker alone loses something, and is told with its place. */
static void test_truncated_anywhere(void **state)
{
    (void)state;
    static const char *const files[] = {"grey.jpg", "420.jpg", "progressive.jpg", "cmyk.jpg",
                                        "restarts.jpg"};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++)
        cut_anywhere(files[i], 2, 4, "bytes");
}

/* A second header in the middle of the picture, whole or cut off. The library takes its numbers before
 * it refuses it; ours must not follow. */
static void test_second_header(void **state)
{
    (void)state;
    static const uint8_t header[] = {0xff, 0xc0, 0, 11, 8, 0, 0, 0, 0, 255, 1, 0x11, 0};
    vg_bytes b = {0};
    golden_read("grey.jpg", &b);
    size_t at = b.size - 60;
    for (size_t n = 2; n <= sizeof header; n++) {
        vg_error err;
        vg_decode_info info;
        vg_decode_options options = vg_decode_options_default();
        memcpy(b.data + at, header, n);
        b.size = at + n;
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
        options.allow_damaged = true;
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
        assert_true(info.damaged && info.intact >= 0 && info.intact < 1);
    }
    vg_bytes_reset(&b);
}

static size_t find_marker(const vg_bytes *b, unsigned marker, int which)
{
    for (size_t i = 0; i + 1 < b->size; i++)
        if (b->data[i] == 0xff && b->data[i + 1] == marker && which-- == 0)
            return i;
    fail_msg("no marker %x", marker);
    return 0;
}

/* How much of a cut file is there, and where it ended; more bytes never give less. */
static void test_how_much_is_intact(void **state)
{
    (void)state;
    static const char *const files[] = {"420.jpg", "cmyk.jpg", "restarts.jpg", "progressive.jpg"};
    vg_error err;
    vg_decode_info info;
    vg_bytes b = {0};
    for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
        golden_read(files[i], &b);
        size_t whole = b.size;
        double most = 0;
        for (size_t n = whole / 4; n + 4 < whole; n += 7) {
            vg_decode_options options = vg_decode_options_default();
            options.allow_damaged = true;
            b.size = n;
            if (decode_bytes(&b, &options, &info, &err) != VG_OK)
                continue;
            assert_true(info.damaged && info.intact >= most);
            assert_int_equal(info.damage_offset, n);
            most = info.intact;
            options.min_intact = info.intact;
            assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
            options.min_intact = info.intact + 0.001;
            assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
            assert_contains(err.message, "of the picture is intact");
            assert_contains(err.message, "truncated after");
        }
        /* 29 rows: the last row of blocks, of 8 or 16, is cut; the coarse scan is not */
        assert_near(most, i == 3 ? 1 : i == 1 ? 24 / 29. : 16 / 29., 1e-9);
        golden_read(files[i], &b);
        vg_decode_options options = vg_decode_options_default();
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
        assert_true(info.intact == 1 && !info.damaged);
    }
    golden_read("restarts.jpg", &b);
    size_t restart = find_marker(&b, 0xd0, 0);
    b.data[restart + 1] = 0xd3;
    vg_decode_options options = vg_decode_options_default();
    options.allow_damaged = true;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    assert_true(info.intact > 0 && info.intact < 1);
    assert_in_range(info.damage_offset, restart, restart + 2);
    vg_bytes_reset(&b);
}

static void test_only_the_end_marker_is_missing(void **state)
{
    (void)state;
    vg_error err;
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    vg_bytes b = {0};
    golden_read("420.jpg", &b);
    b.size -= 2;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    assert_false(info.damaged);
    assert_int_equal(info.warnings, 1);
    assert_string_equal(info.warning, "no end marker");
    golden_read("progressive.jpg", &b); /* here a scan may be missing: nobody can know */
    b.size -= 2;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
    vg_bytes_reset(&b);
}

static void test_each_malformation_has_its_error(void **state)
{
    (void)state;
    vg_bytes b = {0};
    golden_read("420.jpg", &b);
    size_t frame = find_marker(&b, 0xc0, 0);
    b.data[frame + 4] = 12;
    expect_decode(&b, VG_E_FORMAT, "12 bits a sample");
    golden_read("420.jpg", &b);
    b.data[frame + 1] = 0xc3;
    expect_decode(&b, VG_E_FORMAT, "SOF type 0xc3");
    golden_read("420.jpg", &b);
    b.data[frame + 5] = b.data[frame + 6] = 0;
    expect_decode(&b, VG_E_FORMAT, "Empty JPEG image");
    golden_read("420.jpg", &b);
    b.data[frame + 9] = 2; /* components */
    expect_decode(&b, VG_E_FORMAT, "Bogus marker length");
    golden_read("420.jpg", &b);
    memcpy(b.data + find_marker(&b, 0xdb, 0), "\xff\xee", 2); /* no quantization table */
    expect_decode(&b, VG_E_FORMAT, "Quantization table");
    golden_read("420.jpg", &b);
    size_t scan = find_marker(&b, 0xda, 0);
    memset(b.data + scan + 30, 0xff, 40); /* padding, then whatever marker follows */
    expect_decode(&b, VG_E_FORMAT, "damaged JPEG");
    golden_read("restarts.jpg", &b);
    size_t restart = find_marker(&b, 0xd0, 0);
    b.data[restart + 1] = 0xd3;
    expect_decode(&b, VG_E_FORMAT, "instead of RST0");
    vg_bytes_reset(&b);
}

/* Tables of one file must not help the next: results would depend on the order of files. */
static void test_nothing_is_inherited(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_bytes b = {0};
    vg_image image = {0};
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    golden_read("420.jpg", &b);
    assert_ok(vg_decode(decoder, b.data, b.size, &options, &image, NULL, &err));
    size_t table = find_marker(&b, 0xdb, 0);
    memcpy(b.data + table, "\xff\xee", 2);
    assert_int_equal(vg_decode(decoder, b.data, b.size, &options, &image, NULL, &err), VG_E_FORMAT);
    vg_decoder_free(decoder);
    vg_image_reset(&image);
    vg_bytes_reset(&b);
}

static void test_harmless_oddities(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    vg_bytes b = {0}, odd = {0};
    golden_read("420.jpg", &b);
    assert_ok(vg_bytes_reserve(&odd, b.size + 40, &err));
    memcpy(odd.data, b.data, 2);
    memset(odd.data + 2, 'x', 20); /* bytes between segments */
    memcpy(odd.data + 22, b.data + 2, b.size - 2);
    memset(odd.data + 20 + b.size, 'y', 20); /* and behind the end */
    odd.size = b.size + 40;
    assert_int_equal(decode_bytes(&odd, &options, &info, &err), VG_OK);
    assert_false(info.damaged);
    assert_int_equal(info.warnings, 1);
    assert_contains(info.warning, "extraneous");
    vg_bytes_reset(&b);
    vg_bytes_reset(&odd);
}

static void test_limits(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    vg_bytes b = {0};
    golden_read("420.jpg", &b);
    size_t frame = find_marker(&b, 0xc0, 0);
    memset(b.data + frame + 5, 0xf0, 4); /* 61680 x 61680 */
    expect_decode(&b, VG_E_LIMIT, "61680 x 61680 pixels are more than the limit of 100000000");
    memset(b.data + frame + 5, 0xff, 4);
    expect_decode(&b, VG_E_LIMIT, "65500");
    golden_read("420.jpg", &b);
    options.max_pixels = 37 * 29 - 1;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_LIMIT);
    assert_int_equal(info.width, 37);
    options.max_pixels++;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    golden_read("progressive.jpg", &b);
    options = vg_decode_options_default();
    options.max_scans = 10; /* what the usual progression has */
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_OK);
    options.max_scans = 9;
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_LIMIT);
    assert_contains(err.message, "more than 9 scans");
    vg_bytes_reset(&b);
}

/* The last scan a thousand times over: a few kilobytes that would keep a decoder busy. */
static void test_scan_bomb(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    vg_bytes b = {0}, bomb = {0};
    golden_read("progressive.jpg", &b);
    size_t scan = find_marker(&b, 0xda, 9), length = b.size - 2 - scan;
    assert_ok(vg_bytes_reserve(&bomb, b.size + 1000 * length, &err));
    memcpy(bomb.data, b.data, b.size - 2);
    bomb.size = b.size - 2;
    for (int i = 0; i < 1000; i++, bomb.size += length)
        memcpy(bomb.data + bomb.size, b.data + scan, length);
    memcpy(bomb.data + bomb.size, "\xff\xd9", 2);
    bomb.size += 2;
    options.allow_damaged = true; /* else the repetition itself is damage */
    assert_int_equal(decode_bytes(&bomb, &options, &info, &err), VG_E_LIMIT);
    assert_contains(err.message, "more than 500 scans");
    options.allow_damaged = false;
    assert_int_equal(decode_bytes(&bomb, &options, &info, &err), VG_E_FORMAT);
    vg_bytes_reset(&b);
    vg_bytes_reset(&bomb);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_as_pillow),
        cmocka_unit_test(test_quality_is_told),
        cmocka_unit_test(test_rare_kinds),
        cmocka_unit_test(test_cmyk_and_ycck),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_truncated_anywhere),
        cmocka_unit_test(test_second_header),
        cmocka_unit_test(test_how_much_is_intact),
        cmocka_unit_test(test_only_the_end_marker_is_missing),
        cmocka_unit_test(test_each_malformation_has_its_error),
        cmocka_unit_test(test_nothing_is_inherited),
        cmocka_unit_test(test_harmless_oddities),
        cmocka_unit_test(test_limits),
        cmocka_unit_test(test_scan_bomb),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
