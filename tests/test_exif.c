/* Tests of image/exif.h. Orientation pictures: Pillow's exif_transpose
 * (tests/golden/image_decode.py). */
#include "image_files.h"

#include "image/exif.h"

/* A TIFF directory of one entry after an unrelated one. */
static size_t make_exif(uint8_t *out, bool big, unsigned type, unsigned value)
{
    const uint8_t little_form[] = {'I',
                                   'I',
                                   '*',
                                   0,
                                   8,
                                   0,
                                   0,
                                   0,
                                   2,
                                   0,
                                   0x0f,
                                   1,
                                   2,
                                   0,
                                   1,
                                   0,
                                   0,
                                   0,
                                   'x',
                                   0,
                                   0,
                                   0,
                                   0x12,
                                   1,
                                   (uint8_t)type,
                                   0,
                                   1,
                                   0,
                                   0,
                                   0,
                                   (uint8_t)value,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0,
                                   0};
    const uint8_t big_form[] = {'M', 'M',
                                0,   '*',
                                0,   0,
                                0,   8,
                                0,   2,
                                1,   0x0f,
                                0,   2,
                                0,   0,
                                0,   1,
                                'x', 0,
                                0,   0,
                                1,   0x12,
                                0,   (uint8_t)type,
                                0,   0,
                                0,   1,
                                0,   (uint8_t)value,
                                0,   0,
                                0,   0,
                                0,   0};
    memcpy(out, big ? big_form : little_form, sizeof little_form);
    return sizeof little_form;
}

static void test_both_byte_orders(void **state)
{
    (void)state;
    uint8_t exif[64];
    for (int big = 0; big < 2; big++)
        for (unsigned value = 0; value < 12; value++) {
            size_t size = make_exif(exif, big, 3, value);
            int expected = value >= 1 && value <= 8 ? (int)value : 0;
            assert_int_equal(vg_exif_orientation(exif, size), expected);
        }
    size_t size = make_exif(exif, false, 7, 6); /* a type that cannot hold it */
    assert_int_equal(vg_exif_orientation(exif, size), 0);
}

static void test_cut_anywhere(void **state)
{
    (void)state;
    uint8_t exif[64];
    size_t size = make_exif(exif, true, 3, 6);
    for (size_t n = 0; n < size; n++) {
        uint8_t *exact = malloc(n ? n : 1); /* a sanitizer sees reads behind the end */
        assert_non_null(exact);
        memcpy(exact, exif, n);
        assert_int_equal(vg_exif_orientation(exact, n), n >= 34 ? 6 : 0);
        free(exact);
    }
    exif[4] = 0xff; /* the directory is said to be far away */
    assert_int_equal(vg_exif_orientation(exif, size), 0);
}

static size_t make_jpeg(uint8_t *out, const char *between, size_t between_size, unsigned value)
{
    uint8_t *p = out;
    memcpy(p, "\xff\xd8", 2);
    p += 2;
    memcpy(p, between, between_size);
    p += between_size;
    uint8_t exif[64];
    size_t size = make_exif(exif, true, 3, value);
    size_t length = size + 8;
    const uint8_t head[] = {0xff, 0xe1, (uint8_t)(length >> 8), (uint8_t)length, 'E', 'x', 'i', 'f',
                            0,    0};
    memcpy(p, head, sizeof head);
    memcpy(p + sizeof head, exif, size);
    p += sizeof head + size;
    memcpy(p, "\xff\xda\0\2", 4);
    return (size_t)(p + 4 - out);
}

static void test_found_in_jpeg(void **state)
{
    (void)state;
    uint8_t jpeg[200];
    assert_int_equal(vg_exif_orientation_of_jpeg(jpeg, make_jpeg(jpeg, "", 0, 5)), 5);
    static const struct {
        const char *bytes;
        size_t size;
        int expected;
    } before[] = {
        {"\xff\xe0\0\4ab", 6, 5},              /* another segment */
        {"\xff\xe1\0\x0bhttp://x\xff", 13, 5}, /* XMP stands in APP1, too */
        {"\xff\xff\xff", 3, 5},                /* padding */
        {"ab\0", 3, 5},                        /* garbage */
        {"\xff\x01\xff\xd0", 4, 5},            /* markers without a length */
        {"\xff\xe0\0\1", 4, 0},                /* a length that cannot be */
        {"\xff\xe0\xff\xff", 4, 0},            /* a length behind the end */
        {"\xff\xda\0\2", 4, 0},                /* too late: picture data began */
    };
    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        size_t size = make_jpeg(jpeg, before[i].bytes, before[i].size, 5);
        assert_int_equal(vg_exif_orientation_of_jpeg(jpeg, size), before[i].expected);
        size_t length;
        const uint8_t *exif = vg_exif_in_jpeg(jpeg, size, &length);
        assert_true((exif != NULL) == (length > 0));
        assert_true(exif ? memcmp(exif, "Exif", 5) == 0 : before[i].expected == 0);
    }
    size_t size = make_jpeg(jpeg, "", 0, 5);
    for (size_t n = 0; n < size; n++) {
        uint8_t *exact = malloc(n ? n : 1);
        assert_non_null(exact);
        memcpy(exact, jpeg, n);
        assert_true(vg_exif_orientation_of_jpeg(exact, n) == (n >= size - 4 ? 5 : 0));
        free(exact);
    }
}

static void test_orientations_as_pillow(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_decoder *decoder;
    assert_ok(vg_decoder_new(&decoder, &err));
    for (int k = 1; k <= 8; k++) {
        char name[40];
        snprintf(name, sizeof name, "orientation%d", k);
        vg_decode_info info;
        assert_int_equal(golden_distance(decoder, name, ".png", &info), 0);
        assert_int_equal(info.orientation, k);
        assert_int_equal(info.width, 5);
        assert_int_equal(info.height, 3);
    }
    vg_decoder_free(decoder);
}

static void test_grey_and_larger_than_a_tile(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0}, spare = {0};
    picture_make(&image, 70, 45, 1);
    uint8_t corner = image.data[0], first = image.data[69];
    assert_ok(vg_exif_apply(&image, 6, &spare, &err)); /* clockwise: left top goes right top */
    assert_int_equal(image.width, 45);
    assert_int_equal(image.height, 70);
    assert_int_equal(image.data[44], corner);
    assert_int_equal(image.data[(size_t)45 * 69 + 44], first);
    assert_ok(vg_exif_apply(&image, 8, &spare, &err)); /* and back */
    vg_image same = {0};
    picture_make(&same, 70, 45, 1);
    assert_int_equal(picture_distance(&image, &same), 0);
    for (int k = 0; k < 8; k++) { /* each of the others is its own inverse */
        if (k == 6)
            continue;
        assert_ok(vg_exif_apply(&image, k, &spare, &err));
        assert_ok(vg_exif_apply(&image, k, &spare, &err));
        assert_int_equal(picture_distance(&image, &same), 0);
    }
    vg_image_reset(&image);
    vg_image_reset(&spare);
    vg_image_reset(&same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_both_byte_orders),
        cmocka_unit_test(test_cut_anywhere),
        cmocka_unit_test(test_found_in_jpeg),
        cmocka_unit_test(test_orientations_as_pillow),
        cmocka_unit_test(test_grey_and_larger_than_a_tile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
