/* Scales of classes and the normalization that follows, on facts set by hand. */
#include "test.h"

#include "audit/scale.h"
#include "base/rng.h"

#include <math.h>

enum { CLASSES = 4, IMAGES = 40, ALL = CLASSES * IMAGES };

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_facts facts[ALL];
    vg_channel_stats stats;
} fixture;

/* Every image is for training; a fifth of a level's deviation lies between images. */
static void begin(fixture *f)
{
    char path[4200];
    f->folder = test_folder_make();
    snprintf(path, sizeof path, "%s/list.csv", f->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("path,label,split\n", file);
    for (int i = 0; i < ALL; i++)
        fprintf(file, "%03d.png,class%d,train\n", i, i / IMAGES);
    fputs("v.png,class0,val\n", file);
    assert_int_equal(fclose(file), 0);
    vg_error err;
    if (vg_dataset_open(path, NULL, &f->dataset, &err) != VG_OK)
        fail_msg("%s", err.message);
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int i = 0; i < ALL; i++) {
        vg_facts *facts = &f->facts[i];
        *facts = (vg_facts){.width = 10, .height = 10, .bits = 8, .flags = VG_FACT_DECODED};
        for (int c = 0; c < 3; c++) {
            facts->mean[c] = (float)(110 + 20 * vg_rng_uniform(&rng, 0, 1));
            facts->std[c] = 50;
        }
    }
    f->stats = (vg_channel_stats){.channels = 3, .count = 256, .images = ALL};
    for (int c = 0; c < 3; c++) {
        f->stats.max[c] = 255;
        for (int v = 0; v < 256; v++)
            f->stats.histogram[c][v] = 1;
    }
}

static void end(fixture *f)
{
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
}

/* The validation image has no facts of its own in the fixture: a copy with one more place. */
static vg_scale judge(const fixture *f)
{
    static vg_facts facts[ALL + 1];
    vg_scale scale;
    vg_error err;
    memcpy(facts, f->facts, sizeof f->facts);
    facts[ALL] = (vg_facts){.mean = {255, 255, 255},
                            .width = 9000,
                            .height = 9000,
                            .flags = VG_FACT_DECODED}; /* would move every mean */
    if (vg_scale_judge(f->dataset, facts, &f->stats, &scale, &err) != VG_OK)
        fail_msg("%s", err.message);
    return scale;
}

static void even_classes_get_one_scale(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    vg_scale s = judge(&f);
    assert_int_equal(s.all.images, ALL);
    assert_int_equal(s.off_count, 0);
    assert_int_equal(s.kind, VG_NORMALIZE_ZSCORE);
    assert_non_null(strstr(s.why, "no class lies on a scale of its own"));
    assert_false(s.narrow);
    assert_true(s.between < 0.05);
    assert_true(s.by_class < 0.05);
    assert_near(s.all.mean[0], 120, 2);
    /* the law of total variance */
    assert_near(s.all.std[0], sqrt(50 * 50 + s.all.level_std[0] * s.all.level_std[0]), 1e-3);
    vg_scale_reset(&s);
    end(&f);
}

static void pixels_count_not_images(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    for (int i = 0; i < IMAGES; i++) { /* class0: half of the images are small and dark */
        f.facts[i].width = i % 2 ? 30 : 10;
        for (int c = 0; c < 3; c++)
            f.facts[i].mean[c] = i % 2 ? 200 : 100;
    }
    vg_scale s = judge(&f);
    assert_near(s.per_class[0].mean[1], (3 * 200 + 100) / 4.0, 1e-6);
    assert_near(s.per_class[0].level[1], 150, 1e-6);
    assert_near(s.per_class[0].level_std[1], 50, 1e-6);
    vg_scale_reset(&s);
    end(&f);
}

static void a_class_off_in_one_channel_is_named(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    for (int i = 2 * IMAGES; i < 3 * IMAGES; i++)
        f.facts[i].mean[2] -= 60;
    vg_scale s = judge(&f);
    assert_int_equal(s.off_count, 1);
    assert_int_equal(s.off[0].label, 2);
    assert_int_equal(s.off[0].channel, 2);
    assert_string_equal(vg_scale_channel(&s, 2), "blue");
    assert_near(s.off[0].value, 60, 3);
    assert_near(s.off[0].rest, 120, 3);
    assert_true(s.off[0].z < -5);
    assert_int_equal(s.kind, VG_NORMALIZE_IMAGE_ZSCORE);
    assert_non_null(strstr(s.why, "1 of 4 classes lies on another scale"));
    assert_true(s.by_class > 0.5);
    vg_scale_reset(&s);
    for (int i = 2 * IMAGES; i < 3 * IMAGES; i++)
        f.facts[i].mean[2] += 57; /* half a deviation: nothing to accuse */
    s = judge(&f);
    assert_int_equal(s.off_count, 0);
    vg_scale_reset(&s);
    end(&f);
}

static void a_flat_class_is_named_by_its_spread(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    for (int i = 0; i < IMAGES; i++)
        for (int c = 0; c < 3; c++)
            f.facts[i].std[c] = 20;
    vg_scale s = judge(&f);
    assert_int_equal(s.off_count, 1);
    assert_int_equal(s.off[0].label, 0);
    assert_int_equal(s.off[0].channel, -1);
    assert_near(s.off[0].value, 20, 1e-4);
    assert_near(s.off[0].rest, 50, 1e-4);
    vg_scale_reset(&s);
    end(&f);
}

static void light_between_pictures_asks_for_each_by_itself(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    for (int i = 0; i < ALL; i++)
        for (int c = 0; c < 3; c++) {
            f.facts[i].mean[c] = i % 2 ? 40 : 200;
            f.facts[i].std[c] = 20;
        }
    vg_scale s = judge(&f);
    assert_int_equal(s.off_count, 0);
    assert_near(s.between, 80.0 * 80 / (80 * 80 + 20 * 20), 1e-3);
    assert_near(s.by_class, 0, 0.01);
    assert_int_equal(s.kind, VG_NORMALIZE_IMAGE_ZSCORE);
    assert_non_null(strstr(s.why, "94 % of the variance lies between the pictures"));
    vg_scale_reset(&s);
    end(&f);
}

static void narrow_values_are_seen_and_extremes_far_off(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    memset(f.stats.histogram, 0, sizeof f.stats.histogram);
    for (int c = 0; c < 3; c++) {
        for (int v = 0; v < 16; v++) /* 12 bits in a file of 16 */
            f.stats.histogram[c][v] = 1000;
        f.stats.max[c] = 15;
    }
    f.stats.count = 16000;
    f.facts[0].bits = f.facts[1].bits = 16;
    vg_scale s = judge(&f);
    assert_true(s.narrow);
    assert_false(s.tails);
    assert_int_equal(s.deep, 2);
    assert_int_equal(s.high[0], 15);
    assert_int_equal(s.kind, VG_NORMALIZE_ZSCORE);
    vg_scale_reset(&s);
    for (int c = 0; c < 3; c++) {
        f.stats.histogram[c][255] = 10; /* a few dead pixels */
        f.stats.max[c] = 255;
    }
    f.stats.count += 10;
    s = judge(&f);
    assert_true(s.narrow && s.tails);
    assert_int_equal(s.kind, VG_NORMALIZE_ROBUST);
    assert_non_null(strstr(s.why, "between 0 and 15, the extremes are 0 and 255"));
    vg_scale_reset(&s);
    end(&f);
}

static void nothing_decoded_is_nothing_to_judge(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    memset(f.facts, 0, sizeof f.facts);
    f.stats = (vg_channel_stats){0};
    vg_scale s = judge(&f);
    assert_int_equal(s.channels, 0);
    assert_int_equal(s.off_count, 0);
    vg_scale_reset(&s);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(even_classes_get_one_scale),
        cmocka_unit_test(pixels_count_not_images),
        cmocka_unit_test(a_class_off_in_one_channel_is_named),
        cmocka_unit_test(a_flat_class_is_named_by_its_spread),
        cmocka_unit_test(light_between_pictures_asks_for_each_by_itself),
        cmocka_unit_test(narrow_values_are_seen_and_extremes_far_off),
        cmocka_unit_test(nothing_decoded_is_nothing_to_judge),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
