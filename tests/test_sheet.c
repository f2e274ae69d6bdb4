/* Tests of sheet.h on a small folder of pictures made here. */
#include "test.h"

#include "base/file.h"
#include "image/encode.h"
#include "sheet.h"
#include "transform_fixture.h"

static void write_file(const char *folder, const char *name, const vg_bytes *bytes)
{
    vg_error err = {0};
    char path[4300];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    char *slash = strrchr(path, '/');
    *slash = '\0';
    assert_ok(vg_make_folders(path, &err));
    *slash = '/';
    assert_ok(vg_file_write(path, bytes->data, bytes->size, &err));
}

/* train/ with `classes` classes of `each` pictures: a disc on a ramp. */
static char *make_dataset(int classes, int each)
{
    char *folder = test_folder_make();
    vg_error err = {0};
    vg_image image = {0};
    vg_bytes bytes = {0};
    for (int k = 0; k < classes; k++)
        for (int i = 0; i < each; i++) {
            assert_ok(vg_image_shape(&image, 40 + 3 * i, 30, 3, &err));
            for (int y = 0; y < image.height; y++)
                for (int x = 0; x < image.width; x++) {
                    uint8_t *p = image.data + ((size_t)y * image.width + x) * 3;
                    bool in = (x - 20) * (x - 20) + (y - 15) * (y - 15) < 80;
                    p[0] = (uint8_t)(in ? 220 : 60 + x);
                    p[1] = (uint8_t)(in ? 40 + 20 * k : 80 + 2 * y);
                    p[2] = (uint8_t)(40 + 10 * i);
                }
            assert_ok(vg_png_encode(&image, 1, &bytes, &err));
            char name[100];
            snprintf(name, sizeof name, "train/kind-%02d/%d.png", k, i);
            write_file(folder, name, &bytes);
            if (i == 0) { /* a test split of its own: all of train/ is for training */
                snprintf(name, sizeof name, "test/kind-%02d/t.png", k);
                write_file(folder, name, &bytes);
            }
        }
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
    return folder;
}

static vg_dataset *open_dataset(const char *folder)
{
    vg_error err = {0};
    vg_dataset_options options = vg_dataset_options_default();
    vg_dataset *dataset = NULL;
    assert_ok(vg_dataset_open(folder, &options, &dataset, &err));
    return dataset;
}

static uint32_t at(const vg_image *image, int x, int y)
{
    const uint8_t *p = image->data + ((size_t)y * image->width + x) * 3;
    return (uint32_t)p[0] << 16 | (uint32_t)p[1] << 8 | p[2];
}

static int count(const vg_image *image, uint32_t colour, int y0, int y1)
{
    int found = 0;
    for (int y = y0; y < y1; y++)
        for (int x = 0; x < image->width; x++)
            found += at(image, x, y) == colour;
    return found;
}

enum { RED = 0xD1242F, GREY = 0x9AA3AD, INK = 0x1F2328, AMBER = 0x8A5A00 };

static void test_draws_a_row_for_each_class(void **state)
{
    (void)state;
    char *folder = make_dataset(3, 3);
    vg_dataset *dataset = open_dataset(folder);
    vg_augment augment = make("standard", 3, 32, 24, VG_NORMALIZE_ZSCORE);
    vg_sheet_options options = vg_sheet_options_default();
    vg_preview_summary summary = {0};
    options.summary = &summary;
    options.title = "discs";
    vg_image sheet = {0}, again = {0}, fewer = {0};
    vg_error err = {0};
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
    assert_int_equal(sheet.width, 1600);
    assert_int_equal(sheet.channels, 3);
    assert_in_range(sheet.height, 400, 1000);
    assert_int_equal(summary.rows, 3);
    assert_int_equal(summary.classes, 3);
    assert_int_equal(summary.draws, 500);
    assert_int_equal(summary.pictures, 9);
    size_t all = 0;
    for (int f = 0; f < VG_FINDING_COUNT; f++)
        all += summary.findings[f];
    assert_int_equal(all, 500);
    assert_true(count(&sheet, INK, 0, 60) > 200); /* the title */
    assert_int_equal(count(&sheet, AMBER, 0, sheet.height), 0);
    /* margins stay empty */
    for (int y = 0; y < sheet.height; y++)
        for (int x = 0; x < 24; x++) {
            assert_int_equal(at(&sheet, x, y), 0xFFFFFF);
            assert_int_equal(at(&sheet, 1599 - x, y), 0xFFFFFF);
        }
    /* the same again, and another for another seed */
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &again, &err));
    assert_int_equal(again.height, sheet.height);
    assert_memory_equal(again.data, sheet.data, vg_image_bytes(&sheet));
    options.preview.seed = 2;
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &again, &err));
    assert_true(again.height != sheet.height ||
                memcmp(again.data, sheet.data, vg_image_bytes(&sheet)) != 0);
    options.preview.max_rows = 2;
    options.preview.draws = 0;
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &fewer, &err));
    assert_true(fewer.height < sheet.height - 80);
    assert_int_equal(summary.rows, 2);
    assert_int_equal(summary.classes, 3);
    assert_int_equal(summary.draws, 0);
    vg_image_reset(&sheet);
    vg_image_reset(&again);
    vg_image_reset(&fewer);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

/* Variants are the loader's pixels: found on the sheet, enlarged by whole pixels. */
static void test_variants_are_what_the_network_gets(void **state)
{
    (void)state;
    char *folder = make_dataset(1, 1);
    vg_dataset *dataset = open_dataset(folder);
    vg_sheet_options options = vg_sheet_options_default();
    options.preview.variants = 3;
    options.preview.draws = 0;
    options.preview.seed = 9;
    vg_reader reader = {0};
    vg_image in = {0}, want = {0}, sheet = {0};
    vg_error err = {0};
    assert_ok(vg_reader_init(&reader, &err));
    vg_decode_options decode = vg_decode_options_default();
    assert_ok(vg_dataset_read(dataset, 0, &decode, &reader, &in, NULL, &err));
    static const vg_normalization kinds[] = {VG_NORMALIZE_NONE, VG_NORMALIZE_UNIT,
                                             VG_NORMALIZE_MINMAX, VG_NORMALIZE_ZSCORE};
    for (int k = 0; k < 4; k++) {
        vg_augment augment = make("heavy", 3, 32, 24, kinds[k]);
        vg_transform transform = vg_augment_transform(&augment);
        void *scratch = NULL;
        assert_ok(transform.scratch_new(&augment, &scratch, &err));
        vg_sample_key key = {.seed = 9, .epoch = 1};
        vg_plan plan = vg_plan_draw(&augment.policy, &key, 32, 24, in.width, in.height);
        assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &want, &err));
        transform.scratch_free(scratch);
        assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
        enum { ZOOM = 10 }; /* (1600 - 64 - 190 - 12) / 4 - 12 = 321 pixels for 32 */
        bool found = false;
        for (int y = 0; y < sheet.height - 24 * ZOOM && !found; y++)
            for (int x = 0; x < sheet.width - 32 * ZOOM && !found; x++) {
                found = true;
                for (int i = 0; i < 32 * 24 && found; i++)
                    for (int c = 0; c < 3 && found; c++) {
                        int u = x + i % 32 * ZOOM + ZOOM - 1, v = y + i / 32 * ZOOM;
                        int shown = sheet.data[((size_t)v * sheet.width + u) * 3 + c];
                        found = abs(shown - want.data[i * 3 + c]) <= 1;
                    }
            }
        assert_true(found);
    }
    vg_image_reset(&in);
    vg_image_reset(&want);
    vg_image_reset(&sheet);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_findings_are_marked(void **state)
{
    (void)state;
    char *folder = make_dataset(2, 2);
    vg_dataset *dataset = open_dataset(folder);
    vg_sheet_options options = vg_sheet_options_default();
    vg_preview_summary summary = {0};
    options.summary = &summary;
    vg_image sheet = {0};
    vg_error err = {0};
    vg_augment augment = make("shear=0.1", 1, 28, 28, VG_NORMALIZE_UNIT);
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
    assert_int_equal(summary.variants_unchanged, 14);
    assert_int_equal(summary.findings[VG_FINDING_UNCHANGED], 500);
    assert_true(count(&sheet, GREY, 100, sheet.height - 100) > 14 * 4 * 3 * 100);
    assert_true(count(&sheet, AMBER, 0, 160) > 100); /* the warning */
    augment = make("brightness=10", 3, 28, 28, VG_NORMALIZE_UNIT);
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
    assert_true(summary.variants_destroyed > 5);
    assert_true(summary.findings[VG_FINDING_CLIPPED] > 150);
    assert_true(count(&sheet, RED, 100, sheet.height - 100) > 5 * 4 * 3 * 100);
    augment = make("none", 3, 400, 300, VG_NORMALIZE_IMAGE_ZSCORE); /* larger than a column */
    options.preview.draws = 20;
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
    assert_int_equal(summary.variants_unchanged, 14);
    vg_image_reset(&sheet);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_broken_pictures(void **state)
{
    (void)state;
    char *folder = make_dataset(2, 2);
    uint8_t junk[] = "\x89PNG\r\n\x1a\nnot a picture";
    vg_bytes bytes = {.data = junk, .size = sizeof junk};
    write_file(folder, "train/kind-01/0.png", &bytes);
    write_file(folder, "train/kind-01/1.png", &bytes);
    vg_dataset *dataset = open_dataset(folder);
    vg_augment augment = make("light", 3, 32, 32, VG_NORMALIZE_UNIT);
    vg_sheet_options options = vg_sheet_options_default();
    vg_preview_summary summary = {0};
    options.summary = &summary;
    vg_image sheet = {0};
    vg_error err = {0};
    assert_ok(vg_sheet_draw(dataset, &augment, &options, &sheet, &err));
    assert_int_equal(summary.rows, 2);
    assert_int_equal(summary.pictures, 2);
    assert_true(count(&sheet, RED, 100, sheet.height - 100) > 20); /* says which and why */
    vg_dataset_close(dataset);
    write_file(folder, "train/kind-00/0.png", &bytes);
    write_file(folder, "train/kind-00/1.png", &bytes);
    dataset = open_dataset(folder);
    assert_int_equal(vg_sheet_draw(dataset, &augment, &options, &sheet, &err), VG_E_FORMAT);
    assert_contains(err.message, "kind-00/");
    vg_image_reset(&sheet);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_refuses_impossible_options(void **state)
{
    (void)state;
    char *folder = make_dataset(1, 1);
    vg_dataset *dataset = open_dataset(folder);
    vg_augment augment = make("light", 3, 32, 32, VG_NORMALIZE_UNIT);
    vg_image sheet = {0};
    for (int i = 0; i < 7; i++) {
        vg_sheet_options options = vg_sheet_options_default();
        vg_augment a = augment;
        static const char *const parts[] = {"variants", "variants", "classes",          "draws",
                                            "wide",     "wide",     "2 cannot be shown"};
        if (i == 0)
            options.preview.variants = 0;
        else if (i == 1)
            options.preview.variants = 33;
        else if (i == 2)
            options.preview.max_rows = 0;
        else if (i == 3)
            options.preview.draws = -1;
        else if (i == 4)
            options.width = 600;
        else if (i == 5)
            options.width = 30000;
        else
            a.channels = 2;
        vg_error err = {0};
        assert_int_equal(vg_sheet_draw(dataset, &a, &options, &sheet, &err), VG_E_ARG);
        assert_contains(err.message, parts[i]);
    }
    vg_image_reset(&sheet);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_a_row_for_each_class),
        cmocka_unit_test(test_variants_are_what_the_network_gets),
        cmocka_unit_test(test_findings_are_marked),
        cmocka_unit_test(test_broken_pictures),
        cmocka_unit_test(test_refuses_impossible_options),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
