/* The picture of all operations: docs/operations.png is what this build makes of tests/data/scene.png.
 *
 * Somebody looked at that picture. When an operation is meant to look different now, or there is a new
 * one, this test leaves the new picture as operations.png in its working directory (build/): look at it,
 * and copy it to docs/operations.png. */
#include "test.h"

#include "base/file.h"
#include "gallery.h"
#include "image/decode.h"
#include "image/encode.h"

static vg_error err;

static void read_picture(const char *path, vg_image *image)
{
    vg_bytes file = {0};
    vg_decode_options options = vg_decode_options_default();
    vg_decoder *decoder = NULL;
    assert_ok(vg_decoder_new(&decoder, &err));
    assert_ok(vg_file_read(path, 0, &file, &err));
    assert_ok(vg_decode(decoder, file.data, file.size, &options, image, NULL, &err));
    vg_decoder_free(decoder);
    vg_bytes_reset(&file);
}

static void test_looks_as_it_did(void **state)
{
    (void)state;
    vg_image scene = {0}, sheet = {0}, golden = {0};
    read_picture(VG_TEST_FILES "/scene.png", &scene);
    assert_ok(vg_gallery_draw(&scene, 1, &sheet, &err));
    bool there = vg_path_exists(VG_TEST_FILES "/../../docs/operations.png");
    if (there)
        read_picture(VG_TEST_FILES "/../../docs/operations.png", &golden);
    size_t size = vg_image_bytes(&sheet), different = 0;
    bool same_shape = golden.data && golden.width == sheet.width && golden.height == sheet.height;
    for (size_t i = 0; same_shape && i < size; i++)
        different += golden.data[i] != sheet.data[i];
    if (!same_shape || different) {
        vg_bytes png = {0};
        assert_ok(vg_png_encode(&sheet, 9, &png, &err));
        assert_ok(vg_file_write("operations.png", png.data, png.size, &err));
        fail_msg(
            "%zu values differ from docs/operations.png%s; the new picture is operations.png in "
            "the working directory: look at it, and copy it there if it is meant",
            different, same_shape ? "" : " (and it has another size)");
    }
    vg_image_reset(&scene);
    vg_image_reset(&sheet);
    vg_image_reset(&golden);
}

/* Every operation is given a strength at which it does something. */
static void test_strengths(void **state)
{
    (void)state;
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        double v = vg_gallery_strength((vg_operation)i);
        if (info->form == VG_FORM_NONE)
            continue;
        if (v < info->low || v > info->high || v == info->neutral)
            fail_msg("%s has no strength in gallery.c (%g)", info->name, v);
    }
}

static void test_refuses(void **state)
{
    (void)state;
    vg_image picture = {0}, sheet = {0};
    assert_ok(vg_image_shape(&picture, 20, 20, 1, &err));
    assert_int_equal(vg_gallery_draw(&picture, 1, &sheet, &err), VG_E_ARG);
    assert_ok(vg_image_shape(&picture, 600, 20, 3, &err));
    assert_int_equal(vg_gallery_draw(&picture, 1, &sheet, &err), VG_E_ARG);
    vg_image_reset(&picture);
    vg_image_reset(&sheet);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_looks_as_it_did),
        cmocka_unit_test(test_strengths),
        cmocka_unit_test(test_refuses),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
