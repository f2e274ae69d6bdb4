/* Tests of image/resize.h. tests/data/resize.bin: Pillow's results (tests/golden/resize.py). */
#include "test.h"

#include "base/file.h"
#include "image/resize.h"

#include <math.h>

static const void *take(const vg_bytes *bytes, size_t *at, size_t size)
{
    assert_true(size <= bytes->size - *at);
    const void *p = bytes->data + *at;
    *at += size;
    return p;
}

static void test_same_as_pillow(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_bytes golden = {0};
    vg_resize_scratch scratch = {0};
    vg_image in = {0}, out = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/resize.bin", 0, &golden, &err));
    int cases = 0;
    for (size_t at = 0; at < golden.size; cases++) {
        int32_t head[6];
        double box[4];
        memcpy(head, take(&golden, &at, sizeof head), sizeof head);
        memcpy(box, take(&golden, &at, sizeof box), sizeof box);
        assert_ok(vg_image_shape(&in, head[1], head[2], head[0], &err));
        memcpy(in.data, take(&golden, &at, vg_image_bytes(&in)), vg_image_bytes(&in));
        assert_ok(
            vg_image_resize(&in, box, head[4], head[5], (vg_filter)head[3], &scratch, &out, &err));
        assert_int_equal(out.width, head[4]);
        assert_int_equal(out.height, head[5]);
        assert_memory_equal(out.data, take(&golden, &at, vg_image_bytes(&out)),
                            vg_image_bytes(&out));
    }
    assert_int_equal(cases, 78);
    vg_bytes_reset(&golden);
    vg_image_reset(&in);
    vg_image_reset(&out);
    vg_resize_scratch_reset(&scratch);
}

static void test_constant_stays_constant(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_resize_scratch scratch = {0};
    vg_image in = {0}, out = {0};
    assert_ok(vg_image_shape(&in, 1000, 3, 3, &err));
    memset(in.data, 255, vg_image_bytes(&in));
    for (int filter = VG_FILTER_BOX; filter <= VG_FILTER_BICUBIC; filter++) {
        assert_ok(vg_image_resize(&in, NULL, 7, 100, (vg_filter)filter, &scratch, &out, &err));
        for (size_t i = 0; i < vg_image_bytes(&out); i++)
            assert_int_equal(out.data[i], 255);
    }
    vg_image_reset(&in);
    vg_image_reset(&out);
    vg_resize_scratch_reset(&scratch);
}

static void test_rectangle_is_the_same_as_cutting_first(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_resize_scratch scratch = {0};
    vg_image in = {0}, cut = {0}, a = {0}, b = {0};
    assert_ok(vg_image_shape(&in, 40, 30, 1, &err));
    for (size_t i = 0; i < vg_image_bytes(&in); i++)
        in.data[i] = (uint8_t)(i * 2654435761u >> 24);
    assert_ok(vg_image_shape(&cut, 20, 16, 1, &err));
    for (int y = 0; y < 16; y++)
        memcpy(cut.data + y * 20, in.data + (y + 5) * 40 + 10, 20);
    /* a box filter sees nothing outside of whole-pixel rectangles */
    const double rectangle[4] = {10, 5, 20, 16};
    assert_ok(vg_image_resize(&in, rectangle, 5, 4, VG_FILTER_BOX, &scratch, &a, &err));
    assert_ok(vg_image_resize(&cut, NULL, 5, 4, VG_FILTER_BOX, &scratch, &b, &err));
    assert_memory_equal(a.data, b.data, 20);
    vg_image_reset(&in);
    vg_image_reset(&cut);
    vg_image_reset(&a);
    vg_image_reset(&b);
    vg_resize_scratch_reset(&scratch);
}

/* A part of a picture is resized as if it were one of its own, in every combination of passes. */
static void test_part_equals_its_copy(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_resize_scratch scratch = {0};
    vg_image in = {0}, cut = {0}, a = {0}, b = {0};
    static const int sizes[][2] = {{20, 16}, {9, 16}, {20, 7}, {31, 40}, {1, 1}};
    for (int channels = 1; channels <= 3; channels += 2) {
        assert_ok(vg_image_shape(&in, 40, 30, channels, &err));
        for (size_t i = 0; i < vg_image_bytes(&in); i++)
            in.data[i] = (uint8_t)(i * 2654435761u >> 24);
        vg_view all = vg_image_view(&in), part = vg_view_part(&all, 10, 5, 20, 16);
        assert_ok(vg_image_shape(&cut, 20, 16, channels, &err));
        size_t row = 20 * (size_t)channels;
        for (size_t y = 0; y < 16; y++)
            memcpy(cut.data + y * row, part.data + y * part.stride, row);
        for (size_t s = 0; s < sizeof sizes / sizeof *sizes; s++)
            for (int filter = VG_FILTER_BOX; filter <= VG_FILTER_BICUBIC; filter++) {
                assert_ok(vg_view_resize(&part, NULL, sizes[s][0], sizes[s][1], (vg_filter)filter,
                                         &scratch, &a, &err));
                assert_ok(vg_image_resize(&cut, NULL, sizes[s][0], sizes[s][1], (vg_filter)filter,
                                          &scratch, &b, &err));
                assert_memory_equal(a.data, b.data, vg_image_bytes(&b));
            }
    }
    vg_image_reset(&in);
    vg_image_reset(&cut);
    vg_image_reset(&a);
    vg_image_reset(&b);
    vg_resize_scratch_reset(&scratch);
}

static void test_refuses(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_resize_scratch scratch = {0};
    vg_image in = {0}, out = {0}, empty = {0};
    assert_ok(vg_image_shape(&in, 10, 10, 1, &err));
    memset(in.data, 0, 100);
    const double bad[][4] = {{-1, 0, 5, 5}, {0, 0, 11, 5},  {6, 6, 5, 5},        {0, 0, 0, 5},
                             {0, 0, 5, -5}, {NAN, 0, 5, 5}, {0, 0, INFINITY, 5}, {0, 0, 5, NAN}};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(
            vg_image_resize(&in, bad[i], 4, 4, VG_FILTER_BILINEAR, &scratch, &out, &err), VG_E_ARG);
        assert_contains(err.message, "10 x 10");
    }
    assert_int_equal(vg_image_resize(&in, NULL, 0, 4, VG_FILTER_BOX, &scratch, &out, &err),
                     VG_E_ARG);
    assert_int_equal(vg_image_resize(&in, NULL, 4, -4, VG_FILTER_BOX, &scratch, &out, &err),
                     VG_E_ARG);
    assert_int_equal(vg_image_resize(&in, NULL, 4, 4, VG_FILTER_BOX, &scratch, &in, &err),
                     VG_E_ARG);
    assert_int_equal(vg_image_resize(&empty, NULL, 4, 4, VG_FILTER_BOX, &scratch, &out, &err),
                     VG_E_ARG);
    /* the thinnest possible rectangles, at each corner */
    const double thin[][4] = {{0, 0, 1e-9, 1e-9}, {10 - 1e-12, 10 - 1e-12, 1e-12, 1e-12}};
    for (size_t i = 0; i < 2; i++)
        assert_ok(vg_image_resize(&in, thin[i], 4, 4, VG_FILTER_BICUBIC, &scratch, &out, &err));
    vg_image_reset(&in);
    vg_image_reset(&out);
    vg_resize_scratch_reset(&scratch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_same_as_pillow),
        cmocka_unit_test(test_constant_stays_constant),
        cmocka_unit_test(test_rectangle_is_the_same_as_cutting_first),
        cmocka_unit_test(test_part_equals_its_copy),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
