/* Tests of the WebP reader, on files that libwebp writes here. Without it in the build: that the
 * error says so. */
#include "image_files.h"

#ifdef VG_HAVE_WEBP

#include <webp/encode.h>

static void encode(const vg_image *image, bool lossless, int alpha, vg_bytes *out)
{
    vg_error err = {0};
    uint8_t *data = NULL;
    size_t size, pixels = (size_t)image->width * (size_t)image->height;
    if (alpha) {
        uint8_t *rgba = malloc(4 * pixels);
        assert_non_null(rgba);
        for (size_t i = 0; i < pixels; i++) {
            memcpy(rgba + 4 * i, image->data + 3 * i, 3);
            rgba[4 * i + 3] = (uint8_t)(i * 7);
        }
        size = WebPEncodeLosslessRGBA(rgba, image->width, image->height, 4 * image->width, &data);
        free(rgba);
    } else if (lossless) {
        size = WebPEncodeLosslessRGB(image->data, image->width, image->height, 3 * image->width,
                                     &data);
    } else {
        size = WebPEncodeRGB(image->data, image->width, image->height, 3 * image->width, 95, &data);
    }
    assert_true(size > 0);
    assert_ok(vg_bytes_reserve(out, size, &err));
    memcpy(out->data, data, size);
    out->size = size;
    WebPFree(data);
}

static void choose_fixed(void *context, vg_region *region)
{
    *region = *(const vg_region *)context;
}

static void test_kinds(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    vg_image image = {0}, back = {0}, grey = {0}, expected = {0};
    vg_bytes b = {0};
    vg_decode_info info;
    assert_ok(vg_decoder_new(&decoder, &err));
    picture_make(&image, 61, 47, 3);
    for (int kind = 0; kind < 3; kind++) {
        vg_decode_options options = vg_decode_options_default();
        encode(&image, kind > 0, kind == 2, &b);
        assert_ok(vg_decode(decoder, b.data, b.size, &options, &back, &info, &err));
        assert_int_equal(info.format, VG_FORMAT_WEBP);
        assert_int_equal(info.has_alpha, kind == 2);
        assert_true(info.width == 61 && info.height == 47 && info.intact == 1 && !info.damaged);
        if (kind == 1)
            assert_int_equal(picture_distance(&image, &back), 0);
        for (size_t i = 0; kind == 2 && i < vg_image_bytes(&image); i++) {
            unsigned alpha = (i / 3 * 7) & 255; /* where it is 0 the colour is not stored */
            assert_near(back.data[i], image.data[i] * alpha / 255., 0.51);
        }
        options.channels = 1;
        assert_ok(vg_decode(decoder, b.data, b.size, &options, &grey, &info, &err));
        assert_ok(vg_image_convert(&back, 1, &expected, &err));
        assert_in_range(picture_distance(&grey, &expected), 0, 1);
        options.channels = 3;
        vg_region wanted = {61, 47, 1, 5, 11, 30, 17};
        options.choose = choose_fixed;
        options.choose_context = &wanted;
        assert_ok(vg_decode(decoder, b.data, b.size, &options, &grey, &info, &err));
        assert_memory_equal(&info.region, &wanted, sizeof wanted);
        for (size_t y = 0; y < 17; y++)
            assert_memory_equal(grey.data + y * 90, back.data + ((y + 11) * 61 + 5) * 3, 90);
    }
    vg_decoder_free(decoder);
    vg_image_reset(&image);
    vg_image_reset(&back);
    vg_image_reset(&grey);
    vg_image_reset(&expected);
    vg_bytes_reset(&b);
}

static void test_damage_and_limits(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_bytes b = {0};
    vg_decode_info info;
    assert_ok(vg_image_shape(&image, 200, 300, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(i * 2654435761u >> 24);
    for (int lossless = 0; lossless < 2; lossless++) {
        encode(&image, lossless, 0, &b);
        size_t whole = b.size;
        double most = 0;
        for (size_t n = 12; n + 1 < whole; n += whole / 30) {
            vg_decode_options options = vg_decode_options_default();
            char expected[60];
            b.size = n;
            assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
            snprintf(expected, sizeof expected, "truncated after %zu of at least %zu bytes", n,
                     whole);
            assert_string_equal(err.message, expected);
            options.allow_damaged = true;
            if (decode_bytes(&b, &options, &info, &err) != VG_OK)
                continue;
            assert_true(info.damaged && info.intact >= most && info.intact < 1);
            assert_int_equal(info.damage_offset, n);
            most = info.intact;
        }
        assert_true(most > 0.5);
        b.size = whole;
        vg_decode_options options = vg_decode_options_default();
        options.max_pixels = 200 * 300 - 1;
        assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_LIMIT);
        assert_int_equal(info.width, 200);
    }
    /* the extended header of an animation, and nothing behind it */
    static const uint8_t animation[] = {'R', 'I', 'F', 'F', 22,  0,   0,  0, 'W', 'E',
                                        'B', 'P', 'V', 'P', '8', 'X', 10, 0, 0,   0,
                                        2,   0,   0,   0,   9,   0,   0,  9, 0,   0};
    memcpy(b.data, animation, sizeof animation);
    b.size = sizeof animation;
    vg_decode_options options = vg_decode_options_default();
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
    assert_contains(err.message, "an animated WebP");
    vg_image_reset(&image);
    vg_bytes_reset(&b);
}

static void test_garbage(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    vg_bytes b = {0};
    vg_decode_info info;
    uint32_t random = 99;
    picture_make(&image, 33, 21, 3);
    for (int i = 0; i < 600; i++) {
        vg_decode_options options = vg_decode_options_default();
        options.allow_damaged = i & 1;
        options.max_pixels = 1000000;
        encode(&image, i % 3 > 0, i % 3 == 2, &b);
        for (int k = 0; k < 3; k++) {
            random = random * 1664525u + 1013904223u;
            b.data[(random >> 8) % b.size] ^= (uint8_t)(1u << (random & 7));
        }
        vg_status status = decode_bytes(&b, &options, &info, &err);
        assert_true(status == VG_OK || status == VG_E_FORMAT || status == VG_E_LIMIT);
    }
    vg_image_reset(&image);
    vg_bytes_reset(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_kinds),
        cmocka_unit_test(test_damage_and_limits),
        cmocka_unit_test(test_garbage),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#else

static void test_the_error_names_the_option(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    uint8_t bytes[] = "RIFF....WEBPVP8 ....";
    vg_bytes b = {bytes, sizeof bytes, 0};
    assert_false(vg_format_readable(VG_FORMAT_WEBP));
    assert_int_equal(decode_bytes(&b, &options, &info, &err), VG_E_FORMAT);
    assert_contains(err.message, "rebuild with -DVG_WEBP=ON");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_the_error_names_the_option)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}

#endif
