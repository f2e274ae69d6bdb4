/* Tests of audit/flat.h on drawings with transparent ground, written here: a square of one colour in the
 * middle, and nothing around it. */
#include "test.h"

#include "audit/audit.h"
#include "dataset_fixture.h"

#include <png.h>

enum { SIDE = 12 };

/* `ink` 0..255; alpha 0 outside of the square. Opaque: without alpha, all of it ink but for one corner. */
static void put_icon(const char *folder, const char *name, int ink, bool opaque)
{
    uint8_t rgba[SIDE * SIDE * 4];
    for (int i = 0; i < SIDE * SIDE; i++) {
        bool inside = i % SIDE >= 4 && i % SIDE < 8 && i / SIDE >= 4 && i / SIDE < 8;
        for (int c = 0; c < 3; c++)
            rgba[4 * i + c] = (uint8_t)ink;
        rgba[4 * i + 3] = opaque || inside ? 255 : 0;
    }
    png_image image = {
        .version = PNG_IMAGE_VERSION, .width = SIDE, .height = SIDE, .format = PNG_FORMAT_RGBA};
    uint8_t bytes[4096];
    png_alloc_size_t size = sizeof bytes;
    assert_int_not_equal(png_image_write_to_memory(&image, bytes, &size, 0, rgba, 0, NULL), 0);
    put_bytes(folder, name, bytes, size);
}

static vg_dataset *open_over(const char *folder, int background)
{
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_dataset_options options = vg_dataset_options_default();
    options.background = background;
    assert_ok(vg_dataset_open(folder, &options, &dataset, &err));
    return dataset;
}

static vg_audit audit(const vg_dataset *dataset)
{
    vg_error err = {0};
    vg_audit result;
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &result, &err));
    return result;
}

static void test_flatness(void **state)
{
    (void)state;
    uint8_t same[12] = {7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 8, 9};
    uint8_t rounded[12] = {7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 9, 9}; /* as JPEG does */
    uint8_t one[12] = {7, 8, 9, 7, 8, 9, 7, 8, 9, 7, 20, 9};    /* one channel is enough */
    vg_image image = {.data = same, .width = 2, .height = 2, .channels = 3};
    assert_true(vg_image_is_flat(&image));
    image.data = rounded;
    assert_true(vg_image_is_flat(&image));
    image.data = one;
    assert_false(vg_image_is_flat(&image));
}

/* Black on nothing: flat over black, and white shows it. */
static void test_hidden(void **state)
{
    (void)state;
    char *folder = test_folder_make(), name[32], text[400];
    for (int i = 0; i < 8; i++) {
        snprintf(name, sizeof name, "%s/%d.png", i % 2 ? "b" : "a", i);
        put_icon(folder, name, i == 7 ? 255 : 0, false);
    }
    vg_dataset *dataset = open_over(folder, VG_BACKGROUND_BLACK);
    vg_audit found = audit(dataset);
    assert_int_equal(found.flat.pictures, 8);
    assert_int_equal(found.flat.flat, 7);
    assert_int_equal(found.flat.hidden, 7);
    assert_int_equal(found.flat.better, VG_BACKGROUND_GREY); /* white would hide the white one */
    assert_true(vg_flat_is_bad(&found.flat));
    vg_flat_words(&found.flat, dataset, text, sizeof text);
    assert_string_equal(text, "88 % of the images are one flat colour as they are (7 of 8; "
                              "\"a/0.png\"): their transparent pixels are shown over black, which "
                              "hides what is drawn in that colour");
    vg_audit_reset(&found);
    vg_dataset_close(dataset);
    dataset = open_over(folder, VG_BACKGROUND_GREY);
    found = audit(dataset);
    assert_int_equal(found.flat.flat, 0);
    assert_false(vg_flat_is_bad(&found.flat));
    vg_flat_words(&found.flat, dataset, text, sizeof text);
    assert_string_equal(text, "");
    vg_audit_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* Nothing is behind opaque pixels: no background helps, and none is recommended. */
static void test_truly_flat(void **state)
{
    (void)state;
    char *folder = test_folder_make(), name[32], text[400];
    for (int i = 0; i < 6; i++) {
        snprintf(name, sizeof name, "%s/%d.png", i % 2 ? "b" : "a", i);
        put_icon(folder, name, 40 * i, true);
    }
    vg_dataset *dataset = open_over(folder, VG_BACKGROUND_WHITE);
    vg_audit found = audit(dataset);
    assert_int_equal(found.flat.flat, 6);
    assert_int_equal(found.flat.better, VG_BACKGROUND_UNSET);
    vg_flat_words(&found.flat, dataset, text, sizeof text);
    assert_contains(text, "100 % of the images");
    assert_contains(text, "), also over black, grey or white");
    vg_audit_reset(&found);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_flatness),
        cmocka_unit_test(test_hidden),
        cmocka_unit_test(test_truly_flat),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
