#include "test.h"

#include "dataset_fixture.h"
#include "planted_fixture.h"
#include "study/album.h"

#include <math.h>

/* A picture whose columns are told by their value. */
static void put_ramp(const char *folder, const char *name, int width, int height, int channels)
{
    vg_error err = {0};
    vg_image image = {0};
    assert_ok(vg_image_shape(&image, width, height, channels, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image.data[(y * width + x) * channels + c] =
                    (uint8_t)(x * 200 / (width - 1) + 20 * c);
    put_image(folder, name, &image);
    vg_image_reset(&image);
}

static void test_pixels_are_those_of_the_dataset(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder;
    int truth[PLANTED_CLASSES * PLANTED_EACH];
    vg_dataset *dataset = planted_dataset(&folder, 0, false, truth);
    const size_t indices[] = {0, 7, 399};
    vg_album album = {.channels = 1, .height = PLANTED_SIZE, .width = PLANTED_SIZE};
    assert_ok(vg_album_load(dataset, indices, 3, 2, NULL, NULL, &album, &err));
    assert_int_equal(album.count, 3);
    double sum = 0, squares = 0;
    float x[PLANTED_SIZE * PLANTED_SIZE];
    for (size_t p = 0; p < 3; p++) {
        assert_int_equal(album.index[p], indices[p]);
        vg_album_take(&album, p, NULL, x);
        for (int i = 0; i < PLANTED_SIZE * PLANTED_SIZE; i++) {
            int value = make_idx_pixel(truth[indices[p]], indices[p] % PLANTED_EACH,
                                       i % PLANTED_SIZE, i / PLANTED_SIZE, PLANTED_SIZE);
            assert_int_equal(album.pixels[p * sizeof x / sizeof *x + (size_t)i], value);
            assert_near((double)x[i], (double)((float)value * album.scale[0] + album.offset[0]),
                        1e-6);
            sum += (double)x[i];
            squares += (double)x[i] * (double)x[i];
        }
    }
    double n = 3 * PLANTED_SIZE * PLANTED_SIZE;
    assert_near(sum / n, 0, 1e-4);
    assert_near(squares / n, 1, 1e-4);
    vg_album_reset(&album);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_views(void **state)
{
    (void)state;
    uint8_t pixels[] = {0, 1, 2, 10, 11, 12};
    vg_album album = {
        .channels = 1, .height = 2, .width = 3, .count = 1, .pixels = pixels, .scale = {1}};
    const struct {
        vg_album_view view;
        float expected[6];
    } cases[] = {{{0, 0, false}, {0, 1, 2, 10, 11, 12}},  {{1, 0, false}, {1, 2, 2, 11, 12, 12}},
                 {{-2, 0, false}, {0, 0, 0, 10, 10, 10}}, {{0, 1, false}, {10, 11, 12, 10, 11, 12}},
                 {{0, -1, false}, {0, 1, 2, 0, 1, 2}},    {{0, 0, true}, {2, 1, 0, 12, 11, 10}},
                 {{1, 0, true}, {2, 2, 1, 12, 12, 11}}};
    for (size_t c = 0; c < sizeof cases / sizeof *cases; c++) {
        float x[6];
        vg_album_take(&album, 0, &cases[c].view, x);
        for (int i = 0; i < 6; i++)
            assert_near((double)x[i], (double)cases[c].expected[i], 0);
    }
}

/* Sizes, colours and a file that is none; more pictures than a block. */
static void test_all_come_to_one_size(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder = test_folder_make(), name[32];
    vg_dataset *dataset = NULL;
    put_ramp(folder, "a/0.png", 40, 30, 3);
    put_ramp(folder, "a/1.png", 10, 8, 1);
    put_text(folder, "a/2.png", "no picture");
    for (int i = 3; i < 600; i++) {
        snprintf(name, sizeof name, "b/%03d.png", i);
        put_ramp(folder, name, 16, 9, 3);
    }
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    size_t count = vg_dataset_count(dataset), *indices = malloc(count * sizeof *indices);
    assert_non_null(indices);
    for (size_t i = 0; i < count; i++)
        indices[i] = i;
    vg_album one = {.channels = 3, .height = 8, .width = 10};
    vg_album three = {.channels = 3, .height = 8, .width = 10};
    assert_ok(vg_album_load(dataset, indices, count, 1, NULL, NULL, &one, &err));
    assert_ok(vg_album_load(dataset, indices, count, 3, NULL, NULL, &three, &err));
    assert_int_equal(one.count, count - 1);
    assert_int_equal(one.unreadable, 1);
    assert_int_equal(one.index[2], 3);
    assert_memory_equal(one.pixels, three.pixels, one.count * 8 * 10 * 3);
    assert_memory_equal(one.scale, three.scale, sizeof one.scale);
    assert_int_equal(one.pixels[240 + 9], 200); /* grey in all channels */
    assert_int_equal(one.pixels[240 + 80 + 9], 200);
    assert_true(one.pixels[9] > 180 && one.pixels[9] <= 200);
    assert_true(one.pixels[80] >= 20 && one.pixels[80] < 45);
    vg_album_reset(&one);
    vg_album_reset(&three);
    free(indices);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static bool stop(void *context, size_t done, size_t count)
{
    (void)context, (void)done, (void)count;
    return true;
}

static void test_stop_and_nothing_readable(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder = test_folder_make();
    vg_dataset *dataset = NULL;
    put_text(folder, "a/0.png", "no picture");
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    const size_t index = 0;
    vg_album album = {.channels = 1, .height = 8, .width = 8};
    assert_int_equal(vg_album_load(dataset, &index, 1, 1, stop, NULL, &album, &err), VG_E_STOPPED);
    assert_null(album.pixels);
    album = (vg_album){.channels = 1, .height = 8, .width = 8};
    assert_ok(vg_album_load(dataset, &index, 1, 1, NULL, NULL, &album, &err));
    assert_int_equal(album.count, 0);
    assert_int_equal(album.unreadable, 1);
    vg_album_reset(&album);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_pixels_are_those_of_the_dataset),
        cmocka_unit_test(test_views),
        cmocka_unit_test(test_all_come_to_one_size),
        cmocka_unit_test(test_stop_and_nothing_readable),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
