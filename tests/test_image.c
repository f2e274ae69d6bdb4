/* Tests of image/image.h. */
#include "test.h"

#include "image/image.h"

#include <limits.h>

static void test_shape_reuses_storage(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, 10, 20, 3, &err));
    assert_int_equal(vg_image_bytes(&image), 600);
    uint8_t *data = image.data;
    assert_ok(vg_image_shape(&image, 20, 30, 1, &err));
    assert_ptr_equal(image.data, data);
    assert_int_equal(image.capacity, 600);
    assert_int_equal(vg_image_bytes(&image), 600);
    vg_image_reset(&image);
    assert_null(image.data);
    assert_int_equal(vg_image_bytes(&image), 0);
}

static void test_shape_refuses(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, 2, 2, 1, &err));
    image.data[3] = 7;
    assert_int_equal(vg_image_shape(&image, 0, 2, 1, &err), VG_E_ARG);
    assert_int_equal(vg_image_shape(&image, 2, -1, 1, &err), VG_E_ARG);
    assert_int_equal(vg_image_shape(&image, 2, 2, 2, &err), VG_E_ARG);
    assert_contains(err.message, "2 channels");
    assert_int_equal(vg_image_shape(&image, INT_MAX, INT_MAX, 3, &err), VG_E_NOMEM);
    assert_int_equal(image.width, 2); /* untouched */
    assert_int_equal(image.data[3], 7);
    vg_image_reset(&image);
}

static void test_copy(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image a = {0}, b = {0};
    assert_ok(vg_image_shape(&a, 2, 1, 3, &err));
    memcpy(a.data, "abcdef", 6);
    assert_ok(vg_image_copy(&a, &b, &err));
    assert_int_equal(b.channels, 3);
    assert_memory_equal(b.data, "abcdef", 6);
    assert_int_equal(vg_image_copy(&a, &a, &err), VG_E_ARG);
    vg_image empty = {0};
    assert_int_equal(vg_image_copy(&empty, &b, &err), VG_E_ARG);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_convert(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image colour = {0}, grey = {0};
    assert_ok(vg_image_shape(&colour, 2, 2, 3, &err));
    const uint8_t rgb[12] = {255, 0, 0, 0, 255, 0, 0, 0, 255, 255, 255, 255};
    memcpy(colour.data, rgb, sizeof rgb);
    assert_ok(vg_image_convert(&colour, 1, &grey, &err));
    const uint8_t luma[4] = {76, 150, 29, 255}; /* 0.299, 0.587, 0.114 of 255 */
    assert_memory_equal(grey.data, luma, 4);
    assert_ok(vg_image_convert(&grey, 3, &colour, &err));
    for (int i = 0; i < 12; i++)
        assert_int_equal(colour.data[i], luma[i / 3]);
    assert_int_equal(vg_image_convert(&colour, 4, &grey, &err), VG_E_ARG);
    vg_image_reset(&colour);
    vg_image_reset(&grey);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shape_reuses_storage),
        cmocka_unit_test(test_shape_refuses),
        cmocka_unit_test(test_copy),
        cmocka_unit_test(test_convert),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
