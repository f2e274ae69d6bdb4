/* Tests of preview.h beyond the sheet's: rows by operation, and who destroyed a picture. */
#include "test.h"

#include "dataset_fixture.h"
#include "preview.h"

static vg_error err;

/* Two classes of three pictures: a bright disc off the middle of a dark ramp. */
static vg_dataset *open_discs(char **folder)
{
    *folder = test_folder_make();
    vg_image image = {0};
    vg_bytes bytes = {0};
    for (int i = 0; i < 6; i++) {
        assert_ok(vg_image_shape(&image, 40, 30, 3, &err));
        for (int y = 0; y < 30; y++)
            for (int x = 0; x < 40; x++) {
                uint8_t *p = image.data + ((size_t)y * 40 + (size_t)x) * 3;
                bool in = (x - 15 - i) * (x - 15 - i) + (y - 15) * (y - 15) < 70;
                p[0] = (uint8_t)(in ? 210 : 40 + x);
                p[1] = (uint8_t)(in ? 90 : 60 + y);
                p[2] = (uint8_t)(in ? 60 : 90);
            }
        assert_ok(vg_png_encode(&image, 1, &bytes, &err));
        char name[60];
        snprintf(name, sizeof name, "train/%s/%d.png", i % 2 ? "odd" : "even", i);
        put_bytes(*folder, name, bytes.data, bytes.size);
        snprintf(name, sizeof name, "test/%s/%d.png", i % 2 ? "odd" : "even", i);
        put_bytes(*folder, name, bytes.data, bytes.size);
    }
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
    vg_dataset_options options = vg_dataset_options_default();
    vg_dataset *dataset = NULL;
    assert_ok(vg_dataset_open(*folder, &options, &dataset, &err));
    return dataset;
}

static vg_augment make(const char *policy)
{
    vg_augment augment = {.channels = 3, .width = 32, .height = 24};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    augment.normalizer = vg_normalizer_make(VG_NORMALIZE_UNIT, 3, NULL);
    return augment;
}

static void test_by_operation(void **state)
{
    (void)state;
    char *folder;
    vg_dataset *dataset = open_discs(&folder);
    vg_augment augment = make("rotate=20 flip=h one_of(invert|blur=1:2)@0.5");
    vg_preview_options options = vg_preview_options_default();
    options.by = VG_PREVIEW_OPERATIONS;
    options.variants = 4;
    vg_preview preview;
    assert_ok(vg_preview_gather(dataset, &augment, &options, &preview, &err));
    static const char *const names[] = {"rotate", "flip", "invert", "blur", "all together"};
    assert_int_equal(preview.summary.rows, 5);
    assert_int_equal(preview.summary.draws, 500);
    for (int r = 0; r < 5; r++)
        assert_string_equal(preview.rows[r].name, names[r]);
    assert_string_equal(preview.rows[3].note, "1 to 2 (sigma in pixels), 25 % of the samples");
    /* from the weakest to the strongest, no break inside of a value */
    assert_string_equal(preview.rows[0].tiles[0].caption, "rot\u00a0+5°");
    assert_string_equal(preview.rows[0].tiles[3].caption, "rot\u00a0−20°");
    /* what invert alone makes of the picture: nothing else in it */
    const vg_image *plain = &preview.rows[0].tiles[0].picture,
                   *inverted = &preview.rows[2].tiles[0].picture;
    assert_int_equal(plain->width, 32);
    vg_augment none = make("none");
    vg_preview untouched;
    assert_ok(vg_preview_gather(dataset, &none, &options, &untouched, &err));
    assert_int_equal(untouched.summary.rows, 1);
    assert_string_equal(untouched.rows[0].name, "no operation");
    const vg_image *before = &untouched.rows[0].tiles[0].picture;
    for (size_t i = 0; i < 32 * 24 * 3; i++)
        assert_in_range(inverted->data[i] + before->data[i], 254, 256);
    vg_preview_reset(&untouched);
    /* the last row is what the policy draws, as the rows of classes show it */
    options.by = VG_PREVIEW_CLASSES;
    vg_preview classes;
    assert_ok(vg_preview_gather(dataset, &augment, &options, &classes, &err));
    for (int i = 0; i < 4; i++) {
        assert_string_equal(classes.rows[0].tiles[i].caption, preview.rows[4].tiles[i].caption);
        assert_memory_equal(classes.rows[0].tiles[i].picture.data,
                            preview.rows[4].tiles[i].picture.data, 32 * 24 * 3);
    }
    assert_memory_equal(&classes.summary.findings, &preview.summary.findings,
                        sizeof preview.summary.findings);
    vg_preview_reset(&classes);
    vg_preview_reset(&preview);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_names_the_culprit(void **state)
{
    (void)state;
    char *folder;
    vg_dataset *dataset = open_discs(&folder);
    /* the shift alone pushes most of the picture out; the rest is harmless */
    vg_augment augment = make("rotate=5 brightness=0.05 shift=0.9 fill=constant");
    vg_preview_options options = vg_preview_options_default();
    vg_preview preview;
    assert_ok(vg_preview_gather(dataset, &augment, &options, &preview, &err));
    const vg_preview_summary *s = &preview.summary;
    size_t destroyed = vg_preview_destroyed(s);
    assert_true(destroyed > 100);
    assert_int_equal(s->destroyed_by[VG_PART_SHIFT], destroyed);
    assert_int_equal(s->destroyed_by[VG_PART_ROTATE], 0);
    assert_int_equal(s->destroyed_together, 0);
    char text[200], expected[60];
    vg_preview_blame(s, 3, text, sizeof text);
    snprintf(expected, sizeof expected, "%zu by shift", destroyed);
    assert_string_equal(text, expected);
    vg_preview_kinds(s, text, sizeof text);
    assert_non_null(strstr(text, "mostly fill"));
    bool named = false;
    for (int i = 0; i < options.variants; i++)
        named = named || strstr(preview.rows[0].tiles[i].reason, "(shift)");
    assert_true(named);
    vg_preview_reset(&preview);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void test_blame_in_words(void **state)
{
    (void)state;
    vg_preview_summary s = {.destroyed_together = 2};
    char text[200];
    vg_preview_blame(&s, 5, text, sizeof text);
    assert_string_equal(text, "2 by several together");
    s.destroyed_by[VG_PART_ZOOM] = 7;
    s.destroyed_by[VG_PART_STEP + VG_OP_BLUR] = 9;
    s.destroyed_by[VG_PART_HUE] = 1;
    vg_preview_blame(&s, 5, text, sizeof text);
    assert_string_equal(text, "9 by blur, 7 by zoom, 1 by hue, 2 by several together");
    vg_preview_blame(&s, 1, text, sizeof text);
    assert_string_equal(text, "9 by blur, 10 by others or several together");
    vg_preview_blame(&s, 5, text, 10); /* cut, not overrun */
    assert_int_equal(strlen(text), 9);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_by_operation),
        cmocka_unit_test(test_names_the_culprit),
        cmocka_unit_test(test_blame_in_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
