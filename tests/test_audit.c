/* Tests of audit/audit.c on pictures made here, and on the real sets. */
#include "test.h"

#include "audit/audit.h"
#include "base/rng.h"
#include "dataset_fixture.h"

#include <math.h>

static char *folder;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* Noise around `level` in every channel (within 40 of it). */
static void put_noise(const char *name, int width, int height, int level, uint64_t seed)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    int own = level - 20 + (int)vg_rng_below(&rng, 41);
    assert_ok(vg_image_shape(&image, width, height, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(own - 20 + (int)vg_rng_below(&rng, 41));
    put_image(folder, name, &image);
    vg_image_reset(&image);
}

static vg_dataset *open_ok(void)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    return dataset;
}

static void put_planted(int dark_class)
{
    char name[64];
    for (int k = 0; k < 4; k++)
        for (int i = 0; i < 30; i++) {
            snprintf(name, sizeof name, "class%d/%02d.%s", k, i, i % 2 ? "png" : "jpg");
            put_noise(name, 12, 10, k == dark_class ? 60 : 150, 100 * (uint64_t)k + (uint64_t)i);
        }
}

static void test_planted_darkness_is_found(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit audit;
    put_planted(2);
    vg_dataset *dataset = open_ok();
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &audit, &err));
    assert_int_equal(audit.found, 120);
    assert_int_equal(audit.decoded, 120);
    /* JPEG files of dark noise are as long as those of bright noise: brightness alone */
    assert_true(audit.shortcut_count >= 1);
    assert_string_equal(audit.shortcuts[0].property, "brightness");
    assert_int_equal(audit.shortcuts[0].class_index, 2);
    assert_true(audit.shortcuts[0].z < -3);
    for (int i = 1; i < audit.shortcut_count; i++)
        assert_string_not_equal(audit.shortcuts[i].property, "width");
    assert_near(audit.per_class[2].brightness, 60 / 255.0, 0.03);
    assert_near(audit.per_class[0].brightness, 150 / 255.0, 0.03);
    assert_near(audit.per_class[0].width, 12, 0);
    assert_near(audit.per_class[0].height, 10, 0);
    assert_true(audit.per_class[0].file_bytes > 100);
    assert_int_equal(audit.per_class[0].grey, 0);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_without_it_nobody_is_accused(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit audit;
    put_planted(-1);
    vg_dataset *dataset = open_ok();
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &audit, &err));
    assert_int_equal(audit.shortcut_count, 0);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_format_and_size_give_classes_away(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit audit;
    char name[64];
    for (int i = 0; i < 20; i++) {
        snprintf(name, sizeof name, "a/%02d.png", i);
        put_noise(name, 12 + i % 3, 10, 128, (uint64_t)i);
        snprintf(name, sizeof name, "b/%02d.jpg", i);
        put_noise(name, 12 + i % 3, 30, 128, 100 + (uint64_t)i);
    }
    vg_dataset *dataset = open_ok();
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &audit, &err));
    bool format = false, height = false, brightness = false;
    for (int i = 0; i < audit.shortcut_count; i++) {
        const vg_shortcut *s = &audit.shortcuts[i];
        format |= strcmp(s->property, "format") == 0 && s->accuracy == 1;
        height |= strcmp(s->property, "height") == 0 && s->accuracy == 1;
        brightness |= strcmp(s->property, "brightness") == 0;
    }
    assert_true(format);
    assert_true(height);
    assert_false(brightness);
    assert_int_equal(audit.min_width, 12);
    assert_int_equal(audit.max_width, 14);
    assert_int_equal(audit.min_height, 10);
    assert_int_equal(audit.max_height, 30);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

/* A few files of every kind of trouble. */
static void put_trouble(void)
{
    vg_error err = {0};
    const uint8_t red[] = {255, 0, 0}, equal[] = {9, 9, 9}, grey[] = {100};
    put_flat(folder, "train/a/red.png", 3, red);
    put_flat(folder, "train/a/equal.png", 3, equal);
    put_flat(folder, "train/b/grey.png", 1, grey);
    put_text(folder, "train/b/text.png", "no picture");
    put_text(folder, "train/b/gif.jpg", "GIF89a........");
    put_text(folder, "train/a/empty.jpg", "");
    put_flat(folder, "test/a/png-inside.png", 3, red);
    char *from = vg_path_join(folder, "test/a/png-inside.png");
    char *to = vg_path_join(folder, "test/a/called.jpg");
    assert_int_equal(rename(from, to), 0);
    free(from);
    free(to);
    put_flat(folder, "test/b/cut.png", 3, red);
    vg_bytes bytes = {0};
    char *path = vg_path_join(folder, "test/b/cut.png");
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    assert_ok(vg_file_write(path, bytes.data, bytes.size / 2, &err));
    vg_bytes_reset(&bytes);
    free(path);
}

static void test_every_file_gets_a_verdict(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit audit;
    put_trouble();
    vg_dataset *dataset = open_ok();
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &audit, &err));
    assert_int_equal(audit.found, 8);
    assert_int_equal(audit.decoded, 4);
    assert_int_equal(audit.broken_count, 4);
    const char *broken[] = {"train/a/empty.jpg", "train/b/gif.jpg", "train/b/text.png",
                            "test/b/cut.png"};
    for (size_t i = 0; i < 4; i++) {
        char name[64];
        vg_dataset_name(dataset, audit.broken[i].index, name, sizeof name);
        assert_string_equal(name, broken[i]);
        assert_int_not_equal(audit.broken[i].status, VG_OK);
        assert_true(strlen(audit.broken[i].reason) > 5);
        assert_null(strstr(audit.broken[i].reason, name)); /* the reason alone */
    }
    assert_contains(audit.broken[1].reason, "GIF");
    assert_int_equal(audit.wrong_extension, 2);
    assert_int_equal(audit.noted_count, 1);
    assert_int_equal(audit.noted[0].status, VG_OK);
    assert_string_equal(audit.noted[0].reason, "is a PNG file, its name says JPEG");
    assert_int_equal(audit.classes, 2);
    assert_int_equal(audit.per_class[0].count[VG_SPLIT_TRAIN], 3);
    assert_int_equal(audit.per_class[0].decoded, 3);
    assert_int_equal(audit.per_class[0].grey, 1);
    assert_int_equal(audit.per_class[1].grey, 1);
    assert_near(audit.per_class[1].brightness, 100 / 255.0, 1e-6);
    assert_near(audit.per_class[1].brightness_std, 0, 1e-7);
    assert_near(audit.per_class[0].contrast, 0, 1e-7);
    /* luma of red is 76; two red pictures and one of 9 */
    assert_near(audit.per_class[0].brightness, (76 + 76 + 9) / 3.0 / 255, 1e-6);
    /* the training split alone: red, equal, and grey as three channels */
    assert_int_equal(audit.stats.images, 3);
    assert_int_equal(audit.stats.channels, 3);
    assert_int_equal(audit.stats.sum[0], 48 * (255 + 9 + 100));
    assert_int_equal(audit.stats.sum[1], 48 * (0 + 9 + 100));
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_fail_names_the_first_file(void **state)
{
    (void)state;
    vg_audit audit;
    put_trouble();
    vg_dataset *dataset = open_ok();
    for (int threads = 1; threads <= 4; threads++) {
        vg_error err = {0};
        assert_int_not_equal(vg_audit_run(dataset,
                                          &(vg_audit_options){.threads = threads, .fail = true},
                                          &audit, &err),
                             VG_OK);
        assert_contains(err.message, "train/a/empty.jpg");
        assert_null(audit.broken);
        vg_audit_reset(&audit);
    }
    vg_dataset_close(dataset);
}

static void assert_same(const vg_audit *a, const vg_audit *b)
{
    assert_int_equal(a->classes, b->classes);
    assert_memory_equal(a->per_class, b->per_class, (size_t)a->classes * sizeof *a->per_class);
    assert_int_equal(a->decoded, b->decoded);
    assert_int_equal(a->warned, b->warned);
    assert_int_equal(a->broken_count, b->broken_count);
    assert_memory_equal(a->broken, b->broken, a->broken_count * sizeof *a->broken);
    assert_int_equal(a->noted_count, b->noted_count);
    assert_memory_equal(a->noted, b->noted, a->noted_count * sizeof *a->noted);
    assert_int_equal(a->shortcut_count, b->shortcut_count);
    for (int i = 0; i < a->shortcut_count; i++) {
        assert_string_equal(a->shortcuts[i].property, b->shortcuts[i].property);
        assert_near(a->shortcuts[i].accuracy, b->shortcuts[i].accuracy, 0);
        assert_near(a->shortcuts[i].z, b->shortcuts[i].z, 0);
    }
    assert_memory_equal(&a->stats, &b->stats, sizeof a->stats);
}

static void test_threads_change_nothing(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit one, other;
    put_planted(1);
    put_text(folder, "class0/broken1.png", "a");
    put_text(folder, "class3/broken2.png", "b");
    vg_dataset *dataset = open_ok();
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 1}, &one, &err));
    assert_int_equal(one.broken_count, 2);
    for (int threads = 2; threads <= 5; threads++) {
        assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = threads}, &other, &err));
        assert_same(&one, &other);
        vg_audit_reset(&other);
    }
    vg_audit_reset(&one);
    vg_dataset_close(dataset);
}

static void remember(void *context, size_t done, size_t total)
{
    size_t *seen = context;
    assert_true(done >= seen[0] || done == total);
    seen[0] = done;
    seen[1] = total;
}

/* IDX files have neither sizes nor formats; brightness still tells. */
static void test_idx(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_audit audit;
    static uint8_t pixels[300 * 16], labels[300];
    vg_rng rng = vg_rng_make(1, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < 300; i++) {
        labels[i] = (uint8_t)(i % 3);
        size_t base = labels[i] == 1 ? 200 : 60;
        for (size_t j = 0; j < 16; j++)
            pixels[i * 16 + j] = (uint8_t)(base + vg_rng_below(&rng, 50));
    }
    put_idx(folder, "train", 300, 4, 4, pixels, labels);
    vg_dataset *dataset = open_ok();
    size_t seen[2] = {0};
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.progress = remember, .context = seen},
                           &audit, &err));
    assert_int_equal(seen[0], 300);
    assert_int_equal(seen[1], 300);
    assert_int_equal(audit.decoded, 300);
    assert_int_equal(audit.shortcut_count, 1);
    assert_string_equal(audit.shortcuts[0].property, "brightness");
    assert_int_equal(audit.shortcuts[0].class_index, 1);
    assert_int_equal(audit.stats.channels, 1);
    assert_near(audit.per_class[0].file_bytes, 0, 0);
    assert_int_equal(audit.per_class[0].grey, 100);
    assert_true(audit.seconds > 0);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void audit_real(const char *name, vg_dataset **dataset, vg_audit *audit)
{
    vg_error err = {0};
    char *path = real_data(name);
    assert_ok(vg_dataset_open(path, NULL, dataset, &err));
    assert_ok(vg_audit_run(*dataset, NULL, audit, &err));
    free(path);
    print_message("%s: %zu of %zu decoded, %zu noted, %zu turned, %.2f s\n", name, audit->decoded,
                  audit->found, audit->noted_count, audit->turned_by_exif, audit->seconds);
    for (int i = 0; i < audit->shortcut_count; i++) {
        const vg_shortcut *s = &audit->shortcuts[i];
        print_message("  %s names the class in %.1f %% (chance %.1f %%), most %s z %.1f\n",
                      s->property, 100 * s->accuracy, 100 * s->chance,
                      s->class_index < 0 ? "-" : vg_dataset_class_name(*dataset, s->class_index),
                      s->z);
    }
}

static void test_real_caltech(void **state)
{
    (void)state;
    vg_dataset *dataset;
    vg_audit audit;
    audit_real("caltech-photos", &dataset, &audit);
    assert_int_equal(audit.decoded, 3033);
    assert_int_equal(audit.broken_count, 0);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_real_gtsrb(void **state)
{
    (void)state;
    vg_dataset *dataset;
    vg_audit audit;
    audit_real("gtsrb-signs", &dataset, &audit);
    assert_int_equal(audit.decoded, 3921);
    assert_int_equal(audit.max_width, 32);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_real_odd(void **state)
{
    (void)state;
    vg_dataset *dataset;
    vg_audit audit;
    audit_real("odd-images", &dataset, &audit);
    assert_int_equal(audit.decoded + audit.broken_count, 1300);
    assert_int_equal(audit.turned_by_exif > 0, 1);
    for (size_t i = 0; i < audit.broken_count; i++)
        assert_true(audit.broken[i].reason[0] != '\0');
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(test_planted_darkness_is_found),
        FRESH(test_without_it_nobody_is_accused),
        FRESH(test_format_and_size_give_classes_away),
        FRESH(test_every_file_gets_a_verdict),
        FRESH(test_fail_names_the_first_file),
        FRESH(test_threads_change_nothing),
        FRESH(test_idx),
        cmocka_unit_test(test_real_caltech),
        cmocka_unit_test(test_real_gtsrb),
        cmocka_unit_test(test_real_odd),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
