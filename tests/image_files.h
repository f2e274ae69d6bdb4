/* Shared by the tests of pipeline/image: the golden files, and pictures made up on the spot. */
#ifndef VG_TEST_IMAGE_FILES_H
#define VG_TEST_IMAGE_FILES_H

#include "test.h"

#include "base/file.h"
#include "image/decode.h"
#include "image/encode.h"

/* Makes a picture of smooth colours that compress well, every pixel different from its neighbours.
 */
static inline void picture_make(vg_image *image, int width, int height, int channels)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image
                    ->data[((size_t)y * (size_t)width + (size_t)x) * (size_t)channels + (size_t)c] =
                    (uint8_t)(40 + (x * (3 + c) + y * (5 - c)) % 180);
}

/* The largest difference of two pictures of one shape. */
static inline int picture_distance(const vg_image *a, const vg_image *b)
{
    assert_int_equal(a->width, b->width);
    assert_int_equal(a->height, b->height);
    assert_int_equal(a->channels, b->channels);
    int most = 0;
    for (size_t i = 0; i < vg_image_bytes(a); i++) {
        int d = abs(a->data[i] - b->data[i]);
        most = d > most ? d : most;
    }
    return most;
}

/* Reads tests/data/image/<name> whole. */
static inline void golden_read(const char *name, vg_bytes *bytes)
{
    vg_error err = {0};
    char path[512];
    snprintf(path, sizeof path, "%s/image/%s", VG_TEST_FILES, name);
    assert_ok(vg_file_read(path, 0, bytes, &err));
}

/* Reads tests/data/image/<name>.ppm (binary PGM or PPM as the golden script writes it). */
static inline void golden_expected(const char *name, vg_image *image)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    char file[100];
    snprintf(file, sizeof file, "%s.ppm", name);
    golden_read(file, &bytes);
    char kind;
    int width, height, start = 0;
    assert_int_equal(
        sscanf((const char *)bytes.data, "P%c %d %d 255%n", &kind, &width, &height, &start), 3);
    assert_ok(vg_image_shape(image, width, height, kind == '6' ? 3 : 1, &err));
    assert_int_equal(bytes.size, (size_t)start + 1 + vg_image_bytes(image));
    memcpy(image->data, bytes.data + start + 1, vg_image_bytes(image));
    vg_bytes_reset(&bytes);
}

/* Decodes <name><extension> and returns the largest difference from <name>.ppm. */
static inline int golden_distance(vg_decoder *decoder, const char *name, const char *extension,
                                  vg_decode_info *info)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    vg_image image = {0}, expected = {0};
    vg_decode_options options = vg_decode_options_default();
    char file[100];
    snprintf(file, sizeof file, "%s%s", name, extension);
    golden_read(file, &bytes);
    golden_expected(name, &expected);
    assert_ok(vg_decode(decoder, bytes.data, bytes.size, &options, &image, info, &err));
    int distance = picture_distance(&image, &expected);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&expected);
    return distance;
}

/* Decodes and throws the picture away; the status and message are what matters. */
static inline vg_status decode_bytes(const vg_bytes *bytes, const vg_decode_options *options,
                                     vg_decode_info *info, vg_error *err)
{
    vg_decoder *decoder;
    vg_image image = {0};
    *err = (vg_error){0};
    assert_int_equal(vg_decoder_new(&decoder, err), VG_OK);
    /* A copy of exactly this size, so that a sanitizer sees every read behind the end. */
    uint8_t *exact = malloc(bytes->size ? bytes->size : 1);
    assert_non_null(exact);
    if (bytes->size)
        memcpy(exact, bytes->data, bytes->size);
    vg_status status = vg_decode(decoder, exact, bytes->size, options, &image, info, err);
    if (status != VG_OK) {
        assert_int_equal(err->code, status);
        assert_true(err->message[0] != '\0');
    }
    free(exact);
    vg_image_reset(&image);
    vg_decoder_free(decoder);
    return status;
}

/* The file is refused with this status and a message that holds `part`. */
static inline void expect_decode(const vg_bytes *bytes, vg_status status, const char *part)
{
    vg_error err;
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    assert_int_equal(decode_bytes(bytes, &options, &info, &err), status);
    assert_contains(err.message, part);
}

/* A golden file cut off at each of its bytes but the last `end` is an error that says where, from
 * `magic` bytes on, by which the kind of the file is known; and damaged where that is allowed. */
static inline void cut_anywhere(const char *name, size_t magic, size_t end, const char *word)
{
    vg_bytes bytes = {0};
    golden_read(name, &bytes);
    size_t whole = bytes.size;
    for (size_t n = 0; n + end < whole; n++) {
        vg_error err;
        vg_decode_info info;
        vg_decode_options options = vg_decode_options_default();
        char expected[60];
        bytes.size = n;
        assert_int_equal(decode_bytes(&bytes, &options, &info, &err), VG_E_FORMAT);
        snprintf(expected, sizeof expected, "truncated after %zu %s", n, word);
        if (n >= magic)
            assert_contains(err.message, expected);
        options.allow_damaged = true;
        if (decode_bytes(&bytes, &options, &info, &err) == VG_OK) {
            assert_true(info.damaged);
            assert_contains(info.warning, "truncated");
        }
    }
    vg_bytes_reset(&bytes);
}

#endif
