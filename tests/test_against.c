/* Two datasets held against each other: the statistics on facts set by hand (golden values: golden/against.py, scipy),
 * and copies across on pictures. */
#include "test.h"

#include "audit/against.h"
#include "base/rng.h"
#include "dataset_fixture.h"

#include <math.h>

enum { HERE = 60, THERE = 40 };

typedef struct side {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
    vg_audit_class per_class[4];
    vg_facts facts[HERE];
} side;

/* counts[k] pictures of the class names[k]. */
static void begin(side *s, const char *const *names, const int *counts, int classes)
{
    char path[4200];
    vg_error err;
    s->folder = test_folder_make();
    snprintf(path, sizeof path, "%s/list.csv", s->folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("path,label,split\n", file);
    for (int k = 0; k < classes; k++)
        for (int i = 0; i < counts[k]; i++)
            fprintf(file, "%s-%d.png,%s,%s\n", names[k], i, names[k], i ? "train" : "test");
    assert_int_equal(fclose(file), 0);
    if (vg_dataset_open(path, NULL, &s->dataset, &err) != VG_OK)
        fail_msg("%s", err.message);
    size_t n = vg_dataset_count(s->dataset);
    s->audit = (vg_audit){
        .classes = classes, .per_class = s->per_class, .facts = s->facts, .found = n, .decoded = n};
    for (size_t i = 0; i < n; i++) {
        s->per_class[vg_dataset_label(s->dataset, i)].count[vg_dataset_split(s->dataset, i)]++;
        s->facts[i] = (vg_facts){.brightness = (float)(0.3 + 0.005 * (double)((37 * i) % 64)),
                                 .contrast = 0.2F,
                                 .width = 100,
                                 .height = 80,
                                 .file_bytes = 5000,
                                 .flags = VG_FACT_DECODED};
    }
}

static void end(side *s)
{
    vg_dataset_close(s->dataset);
    test_folder_remove(s->folder);
}

static const vg_against_property *property(const vg_against *a, const char *name)
{
    for (int i = 0; i < a->property_count; i++)
        if (strcmp(a->properties[i].name, name) == 0)
            return &a->properties[i];
    fail_msg("no property %s", name);
    return NULL;
}

static vg_against compare(const side *here, const side *there)
{
    vg_against a;
    vg_error err;
    if (vg_against_make(here->dataset, &here->audit, there->dataset, &there->audit, 2, &a, &err) !=
        VG_OK)
        fail_msg("%s", err.message);
    return a;
}

static void the_same_has_not_moved(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog"};
    static side here, there;
    begin(&here, names, (int[2]){30, 30}, 2);
    begin(&there, names, (int[2]){30, 30}, 2);
    vg_against a = compare(&here, &there);
    assert_int_equal(a.moved, 0);
    assert_int_equal(a.only[0] + a.only[1], 0);
    assert_int_equal(a.class_count, 2);
    assert_near(a.shares.distance, 0, 1e-9);
    for (int i = 0; i < a.property_count; i++) {
        assert_near(a.properties[i].distance, 0, 1e-12);
        assert_near(a.properties[i].difference, 0, 1e-12);
        assert_near(a.properties[i].p, 1, 1e-12);
    }
    assert_int_equal(a.across_count, 0);
    vg_against_reset(&a);
    end(&here);
    end(&there);
}

static void classes_are_matched_by_name(void **state)
{
    (void)state;
    static side here, there;
    begin(&here, (const char *const[]){"bee", "cat", "dog"}, (int[3]){20, 20, 20}, 3);
    begin(&there, (const char *const[]){"ant", "cat", "dog", "eel"}, (int[4]){5, 5, 5, 25}, 4);
    vg_against a = compare(&here, &there);
    assert_int_equal(a.class_count, 5);
    assert_int_equal(a.only[0], 1);
    assert_int_equal(a.only[1], 2);
    assert_string_equal(a.classes[0].name, "ant");
    assert_true(!a.classes[0].there[0] && a.classes[0].there[1]);
    assert_int_equal(a.classes[0].count[1], 5);
    assert_string_equal(a.classes[2].name, "cat");
    assert_int_equal(a.classes[2].count[0], 20);
    assert_int_equal(a.classes[2].count[1], 5);
    assert_int_equal(a.images[0], 60);
    assert_int_equal(a.images[1], 40);
    assert_int_equal(a.shares.word, VG_DRIFT_GRAVE);
    assert_true(a.moved >= 1);
    vg_against_reset(&a);
    end(&here);
    end(&there);
}

static void light_that_moved_is_found(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog"};
    static side here, there;
    begin(&here, names, (int[2]){30, 30}, 2);
    begin(&there, names, (int[2]){20, 20}, 2);
    for (size_t i = 0; i < THERE; i++)
        there.facts[i].brightness += 0.15F;
    vg_against a = compare(&here, &there);
    const vg_against_property *light = property(&a, "brightness");
    assert_true(light->moved);
    assert_string_equal(a.properties[0].name, "brightness"); /* the farthest comes first */
    /* golden/against.py */
    assert_near(light->distance, 0.49166666666666664, 1e-6);
    assert_near(light->difference, 1.642802169079063, 1e-4);
    assert_near(light->p, 9.213819472044645e-06, 1e-7);
    assert_true(light->low < light->difference && light->difference < light->high);
    assert_false(property(&a, "contrast")->moved);
    assert_int_equal(a.moved, 1);
    vg_against_reset(&a);
    for (size_t i = 0; i < THERE; i++)
        there.facts[i].brightness += 0.15F;
    a = compare(&here, &there);
    assert_true(property(&a, "brightness")->accuracy > 0.8);
    assert_true(property(&a, "contrast")->accuracy == 0); /* has not moved: not asked */
    vg_against_reset(&a);
    end(&here);
    end(&there);
}

static void sizes_are_compared_by_their_logarithms(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog"};
    static side here, there;
    begin(&here, names, (int[2]){30, 30}, 2);
    begin(&there, names, (int[2]){20, 20}, 2);
    for (size_t i = 0; i < THERE; i++)
        there.facts[i].width = 200;
    vg_against a = compare(&here, &there);
    const vg_against_property *width = property(&a, "width");
    assert_true(width->moved);
    assert_near(width->mean[0], 100, 1e-9);
    assert_near(width->mean[1], 200, 1e-9);
    assert_near(width->difference, 99, 1e-9); /* no spread at all: cut */
    assert_near(width->distance, 1, 1e-12);
    assert_true(property(&a, "aspect")->moved);
    assert_false(property(&a, "height")->moved);
    vg_against_reset(&a);
    end(&here);
    end(&there);
}

static void nothing_decoded_is_nothing_to_compare(void **state)
{
    (void)state;
    static const char *const names[] = {"cat", "dog"};
    static side here, there;
    begin(&here, names, (int[2]){30, 30}, 2);
    begin(&there, names, (int[2]){20, 20}, 2);
    for (size_t i = 0; i < THERE; i++)
        there.facts[i].flags = 0;
    there.audit.decoded = 0;
    vg_against a = compare(&here, &there);
    assert_int_equal(a.property_count, 0);
    vg_against_reset(&a);
    end(&here);
    end(&there);
}

/* Smooth pictures that no two seeds share. */
static void put_scene(const char *folder, const char *name, uint64_t seed, int width, bool mirrored)
{
    vg_error err;
    vg_image image = {0};
    double f[12];
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int i = 0; i < 12; i++)
        f[i] = vg_rng_uniform(&rng, -9, 9);
    assert_ok(vg_image_shape(&image, width, width, 3, &err));
    for (int y = 0; y < width; y++)
        for (int x = 0; x < width; x++) {
            double u = (double)(mirrored ? width - 1 - x : x) / width, v = (double)y / width;
            double value = sin(f[0] * u + f[1] * v + f[2]) + sin(f[3] * u + f[4] * v + f[5]) +
                           sin(f[6] * u * v + f[7]) + ((u - 0.5) * f[8] > v - 0.5 ? 0.7 : -0.7) +
                           (fabs(u - 0.4) + fabs(v - 0.6) < 0.2 ? f[9] / 6 : 0);
            for (int c = 0; c < 3; c++)
                image.data[(y * width + x) * 3 + c] = (uint8_t)fmin(fmax(128 + 35 * value, 0), 255);
        }
    put_image(folder, name, &image);
    vg_image_reset(&image);
}

static vg_dataset *audit_of(const char *folder, int threads, vg_audit *audit)
{
    vg_error err;
    vg_dataset *dataset;
    const vg_audit_options options = {.threads = threads, .keep_prints = true};
    if (vg_dataset_open(folder, NULL, &dataset, &err) != VG_OK ||
        vg_audit_run(dataset, &options, audit, &err) != VG_OK)
        fail_msg("%s", err.message);
    return dataset;
}

static void pictures_of_both_are_found(void **state)
{
    (void)state;
    char *folders[2] = {test_folder_make(), test_folder_make()}, name[40];
    for (uint64_t i = 0; i < 12; i++) {
        snprintf(name, sizeof name, "%s/%02d.png", i % 2 ? "odd" : "even", (int)i);
        put_scene(folders[0], name, i, 64, false);
        put_scene(folders[1], name, 100 + i, 64, false);
    }
    put_scene(folders[1], "even/same.png", 4, 64, false);
    put_scene(folders[1], "even/smaller.jpg", 5, 48, false); /* of class odd here */
    put_scene(folders[1], "odd/mirrored.png", 7, 64, true);
    for (int threads = 1; threads <= 3; threads += 2) {
        vg_audit audits[2];
        vg_against a;
        vg_error err;
        vg_dataset *here = audit_of(folders[0], threads, &audits[0]);
        vg_dataset *there = audit_of(folders[1], threads, &audits[1]);
        assert_ok(vg_against_make(here, &audits[0], there, &audits[1], threads, &a, &err));
        assert_int_equal(a.across_count, 3);
        assert_int_equal(a.exact_across, 1);
        assert_int_equal(a.conflicts_across, 1);
        static const char *const pairs[3][2] = {{"even/04.png", "even/same.png"},
                                                {"odd/05.png", "even/smaller.jpg"},
                                                {"odd/07.png", "odd/mirrored.png"}};
        for (size_t i = 0; i < 3; i++) {
            vg_dataset_name(here, a.across[i].here, name, sizeof name);
            assert_string_equal(name, pairs[i][0]);
            vg_dataset_name(there, a.across[i].there, name, sizeof name);
            assert_string_equal(name, pairs[i][1]);
        }
        vg_against_reset(&a);
        vg_audit_reset(&audits[0]);
        vg_audit_reset(&audits[1]);
        vg_dataset_close(here);
        vg_dataset_close(there);
    }
    test_folder_remove(folders[0]);
    test_folder_remove(folders[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_has_not_moved),
        cmocka_unit_test(classes_are_matched_by_name),
        cmocka_unit_test(light_that_moved_is_found),
        cmocka_unit_test(sizes_are_compared_by_their_logarithms),
        cmocka_unit_test(nothing_decoded_is_nothing_to_compare),
        cmocka_unit_test(pictures_of_both_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
