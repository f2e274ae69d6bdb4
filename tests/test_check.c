/* Tests of check.h: faults that were planted must be found and named, harmless policies stay silent. */
#include "test.h"

#include "base/rng.h"
#include "check.h"
#include "dataset_fixture.h"
#include "image/encode.h"

enum { SIDE = 28, EACH = 50, PIXELS = SIDE * SIDE };

typedef void painter(int label, vg_rng *rng, uint8_t *pixels);

/* An arrow head to the left or to the right, somewhere, on a ground of grain. */
static void paint_arrow(int label, vg_rng *rng, uint8_t *pixels)
{
    int dx = (int)vg_rng_below(rng, 5) - 2, dy = (int)vg_rng_below(rng, 5) - 2;
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int u = (label ? SIDE - 1 - x : x) - 6 + dx, v = y - 14 + dy;
            bool inside = u >= 0 && u < 16 && 2 * abs(v) <= u;
            pixels[y * SIDE + x] = (uint8_t)((inside ? 180 : 30) + (int)vg_rng_below(rng, 40));
        }
}

/* A six, or half a turn of it. */
static void paint_digit(int label, vg_rng *rng, uint8_t *pixels)
{
    int dx = (int)vg_rng_below(rng, 3) - 1, dy = (int)vg_rng_below(rng, 3) - 1;
    double slant = vg_rng_uniform(rng, -0.4, 0.4); /* as hands differ */
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            int u = (label ? SIDE - 1 - x : x) + dx, v = (label ? SIDE - 1 - y : y) + dy;
            int from_middle = u - 14;
            u += (int)(slant * (v - 14));
            v -= (int)(slant * from_middle);
            int square = (u - 14) * (u - 14) + (v - 18) * (v - 18);
            bool ring = square >= 16 && square <= 49;
            bool stem = v >= 4 && v < 18 && abs(u - (8 + (18 - v) / 3)) <= 1;
            pixels[y * SIDE + x] =
                (uint8_t)((ring || stem ? 200 : 10) + (int)vg_rng_below(rng, 30));
        }
}

/* Stripes of any direction and phase; those of one class are twice as wide. */
static void paint_texture(int label, vg_rng *rng, uint8_t *pixels)
{
    double a = vg_rng_uniform(rng, -1, 1), b = vg_rng_uniform(rng, 0.3, 1);
    double period = (label ? 10 : 5) * vg_rng_uniform(rng, 0.8, 1.2),
           at = vg_rng_uniform(rng, 0, 9);
    for (int y = 0; y < SIDE; y++)
        for (int x = 0; x < SIDE; x++) {
            double t = (a * x + b * y + at * 3 + 100) / period;
            pixels[y * SIDE + x] = (uint8_t)(60 + 120 * ((int)t & 1) + (int)vg_rng_below(rng, 30));
        }
}

static char *make_set(painter *paint)
{
    char *folder = test_folder_make();
    uint8_t *pixels = malloc((size_t)2 * EACH * PIXELS), labels[2 * EACH];
    assert_non_null(pixels);
    for (int i = 0; i < 2 * EACH; i++) {
        vg_rng rng = vg_rng_make(5, 0, (uint64_t)i, VG_RNG_SAMPLE_DATA);
        labels[i] = (uint8_t)(i % 2);
        paint(i % 2, &rng, pixels + (size_t)i * PIXELS);
    }
    put_idx(folder, "train", 2 * EACH, SIDE, SIDE, pixels, labels);
    put_idx(folder, "t10k", 2, SIDE, SIDE, pixels, labels);
    free(pixels);
    return folder;
}

static vg_status try_check(const char *folder, const char *policy, const vg_check_options *options,
                           vg_check *check, vg_error *why)
{
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_augment augment = {.channels = 1, .width = SIDE, .height = SIDE};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    vg_status status = vg_check_run(dataset, &augment, options, check, why);
    vg_dataset_close(dataset);
    return status;
}

static vg_check run(const char *folder, const char *policy)
{
    vg_error err = {0};
    vg_check check;
    vg_check_options options = vg_check_options_default();
    assert_ok(try_check(folder, policy, &options, &check, &err));
    return check;
}

/* The text of the only warning, which must be of that kind. */
static void expect_only(const char *folder, const char *policy, vg_check_kind kind,
                        const char *part, const char *remedy)
{
    vg_check check = run(folder, policy);
    for (int i = 0; i < check.finding_count; i++)
        if (check.warning_count != 1 || check.findings[0].kind != kind)
            print_error("%s: %s\n", policy, check.findings[i].text);
    if (check.warning_count == 0)
        print_error("%s: silent; %.2f crossed, %.2f before\n", policy, check.parts[0].crossed,
                    check.crossed_before);
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.findings[0].kind, kind);
    assert_contains(check.findings[0].text, part);
    assert_contains(check.findings[0].remedy, remedy);
    vg_check_reset(&check);
}

static void expect_silence(const char *folder, const char *policy)
{
    vg_check check = run(folder, policy);
    for (int i = 0; i < check.warning_count; i++)
        print_error("%s: %s\n", policy, check.findings[i].text);
    assert_int_equal(check.warning_count, 0);
    vg_check_reset(&check);
}

static void test_labels(void **state)
{
    (void)state;
    char *arrows = make_set(paint_arrow), *digits = make_set(paint_digit),
         *textures = make_set(paint_texture);
    expect_only(arrows, "flip=h", VG_CHECK_LABELS, "flip=h turns \"", "flip=none");
    expect_only(arrows, "light flip=h", VG_CHECK_LABELS, "flip=h turns \"", "flip=none");
    expect_only(digits, "rotate=160:180@1", VG_CHECK_LABELS, "rotate=160:180 turns \"", "weaken");
    expect_only(digits, "rotate=120:180@1", VG_CHECK_LABELS, "rotate=120:180 turns \"", "weaken");
    expect_only(digits, "turn@0.5", VG_CHECK_LABELS, "turn turns \"", "leave it out");
    const char *const harmless[] = {"none", "light", "rotate=10", "noise=10", "flip=v"};
    for (size_t i = 0; i < sizeof harmless / sizeof *harmless; i++)
        expect_silence(arrows, harmless[i]);
    expect_silence(digits, "light");
    expect_silence(digits, "rotate=20 shift=0.15"); /* that it only moved changes nothing */
    expect_silence(textures, "flip=h");
    expect_silence(textures, "standard saturation=0");
    expect_silence(textures, "rotate=180");
    test_folder_remove(arrows);
    test_folder_remove(digits);
    test_folder_remove(textures);
}

static void test_the_other_faults(void **state)
{
    (void)state;
    char *arrows = make_set(paint_arrow), *textures = make_set(paint_texture);
    expect_only(arrows, "shear=0.2", VG_CHECK_NO_EFFECT, "shear=0.2 changes nothing", "shear=11");
    expect_only(textures, "shift=0.9", VG_CHECK_DESTROYS, "leaves mostly fill", "shift=0.");
    expect_only(arrows, "crop=0.05:1", VG_CHECK_DESTROYS, "loses the object", "crop=0.");
    expect_only(arrows, "brightness=0:0.1@0.5", VG_CHECK_DESTROYS, "brightness=0:0.1",
                "brightness=0.");
    expect_only(textures, "blur=20", VG_CHECK_DESTROYS, "blur=20", "blur=");
    expect_only(textures, "noise=250", VG_CHECK_DESTROYS, "noise=250", "noise=");
    expect_only(textures, "contrast=0.5:0.5@1", VG_CHECK_SAME, "nothing is drawn", "ranges");
    /* Something that means nothing here is no fault. */
    vg_check check = run(textures, "hue=0.2 rotate=10");
    assert_int_equal(check.warning_count, 0);
    assert_int_equal(check.finding_count, 1);
    assert_contains(check.findings[0].text, "hue=0.2 does nothing to grey pictures");
    vg_check_reset(&check);
    test_folder_remove(arrows);
    test_folder_remove(textures);
}

static void test_repeats(void **state)
{
    (void)state;
    vg_error err = {0};
    char *textures = make_set(paint_texture);
    vg_check_options options = vg_check_options_default();
    vg_check check;
    options.shows = 100;
    assert_ok(try_check(textures, "flip=h", &options, &check, &err));
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.findings[0].kind, VG_CHECK_REPEATS);
    assert_contains(check.findings[0].text, "100 times, in 2 different views");
    vg_check_reset(&check);
    options.shows = 8; /* too few to call it a fault */
    assert_ok(try_check(textures, "flip=h", &options, &check, &err));
    assert_int_equal(check.warning_count, 0);
    assert_contains(check.findings[0].text, "8 times, in 2 different views");
    options.shows = 100;
    vg_check_reset(&check);
    assert_ok(try_check(textures, "flip=h rotate=10", &options, &check, &err));
    assert_int_equal(check.warning_count, 0);
    vg_check_reset(&check);
    options.draws = 0;
    assert_int_equal(try_check(textures, "light", &options, &check, &err), VG_E_ARG);
    assert_contains(err.message, "expected 1 to");
    assert_null(check.parts);
    test_folder_remove(textures);
}

/* Policies of classes: what is said of an operation is said of the classes that have it. */
static void test_class_policies(void **state)
{
    (void)state;
    vg_error err = {0};
    char *digits = make_set(paint_digit);
    vg_dataset *dataset = NULL;
    vg_class_rules rules = {0};
    vg_class_policies table;
    vg_check check;
    vg_augment augment = {.channels = 1, .width = SIDE, .height = SIDE, .class_policies = &table};
    vg_check_options options = vg_check_options_default();
    assert_ok(vg_policy_parse("brightness=0.2 rotate=150:180@1", &augment.policy, &err));
    assert_ok(vg_dataset_open(digits, NULL, &dataset, &err));
    const char *first = vg_dataset_class_name(dataset, 0);
    assert_ok(vg_class_rules_add(&rules, first, "rotate=10@1", &err));
    assert_ok(vg_class_policies_make(&rules, &augment.policy, dataset, &table, &err));
    assert_ok(vg_check_run(dataset, &augment, &options, &check, &err));
    /* brightness (of both), rotate, the policy; and for the first class rotate and the policy. */
    assert_int_equal(check.part_count, 5);
    assert_string_equal(check.parts[0].words, "brightness=0.2");
    assert_string_equal(check.parts[1].words, "rotate=150:180");
    char words[40];
    snprintf(words, sizeof words, "rotate=10 for %s", first);
    assert_string_equal(check.parts[3].words, words);
    snprintf(words, sizeof words, "policy for %s", first);
    assert_string_equal(check.parts[4].words, words);
    assert_true(check.parts[4].whole);
    assert_int_equal(check.parts[0].draws, check.parts[1].draws + check.parts[3].draws);
    /* The second class is still turned into the first; not the other way round. */
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.findings[0].kind, VG_CHECK_LABELS);
    assert_int_equal(check.parts[1].pair_count, 1);
    assert_int_equal(check.parts[1].pairs[0].from, 1);
    assert_int_equal(check.parts[3].pair_count, 0);
    vg_check_reset(&check);
    vg_class_policies_reset(&table);
    vg_class_rules_reset(&rules);
    vg_dataset_close(dataset);
    test_folder_remove(digits);
}

/* Of a small bright square on black: CutMix often takes it away and leaves its label. */
static void paint_spot(int label, vg_rng *rng, uint8_t *pixels)
{
    int x0 = 2 + (int)vg_rng_below(rng, 20), y0 = 2 + (int)vg_rng_below(rng, 20);
    memset(pixels, 0, PIXELS);
    for (int y = 0; y < 4; y++)
        for (int x = 0; x < 4; x++)
            pixels[(y0 + y) * SIDE + x0 + x] = label ? 255 : 120;
}

static void test_mixing(void **state)
{
    (void)state;
    vg_error err = {0};
    char *spots = make_set(paint_spot), *textures = make_set(paint_texture);
    vg_check_options options = vg_check_options_default();
    vg_check check;
    options.mixing = (vg_mixing){.cutmix = 1, .chance = 1};
    assert_ok(try_check(spots, "none", &options, &check, &err));
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.findings[0].kind, VG_CHECK_MIXING);
    assert_int_equal(check.findings[0].part, -1);
    assert_contains(check.findings[0].text, "cutmix=1: in ");
    assert_true(check.mix.wrong * 20 > check.mix.draws);
    vg_check_reset(&check);
    assert_ok(try_check(textures, "none", &options, &check, &err)); /* everywhere the same */
    assert_int_equal(check.warning_count, 0);
    assert_true(check.mix.draws > 100);
    vg_check_reset(&check);
    options.mixing = (vg_mixing){.mixup = 1e-4, .chance = 1};
    assert_ok(try_check(textures, "none", &options, &check, &err));
    assert_int_equal(check.warning_count, 1);
    assert_contains(check.findings[0].text, "leaves one picture alone");
    assert_string_equal(check.findings[0].remedy, "mixup=0.2");
    vg_check_reset(&check);
    options.mixing = (vg_mixing){.mixup = 0.2, .chance = 0.5};
    assert_ok(try_check(textures, "none", &options, &check, &err));
    assert_int_equal(check.warning_count, 0);
    vg_check_reset(&check);
    test_folder_remove(spots);
    test_folder_remove(textures);
}

/* Nothing at all on three of four pictures: that is said, and nothing else is blamed for it. */
static void paint_nothing(int label, vg_rng *rng, uint8_t *pixels)
{
    memset(pixels, 0, PIXELS);
    if (vg_rng_below(rng, 4) == 0)
        paint_arrow(label, rng, pixels);
}

static void paint_black(int label, vg_rng *rng, uint8_t *pixels)
{
    (void)rng;
    memset(pixels, label, PIXELS);
}

static void test_flat(void **state)
{
    (void)state;
    char *folder = make_set(paint_nothing);
    vg_check check = run(folder, "brightness=0.3 contrast=0.3");
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.findings[0].kind, VG_CHECK_FLAT);
    assert_contains(check.findings[0].text, " % of the images are one flat colour as they are");
    assert_contains(check.findings[0].text, "train/");
    assert_string_equal(check.findings[0].remedy, "");
    assert_int_equal(check.pictures + check.flat.flat, check.references);
    vg_check_reset(&check);
    test_folder_remove(folder);
    folder = make_set(paint_black);
    check = run(folder, "standard");
    assert_int_equal(check.warning_count, 1);
    assert_int_equal(check.pictures, 0);
    assert_near(check.findings[0].share, 1, 0);
    vg_check_reset(&check);
    test_folder_remove(folder);
}

/* The same for any number of threads, field by field. */
static void test_threads(void **state)
{
    (void)state;
    vg_error err = {0};
    char *arrows = make_set(paint_arrow);
    vg_check checks[2];
    for (int i = 0; i < 2; i++) {
        vg_check_options options = vg_check_options_default();
        options.threads = i ? 5 : 1;
        assert_ok(try_check(arrows, "standard zoom=0.3:1 blur=2@0.3 randaugment", &options,
                            &checks[i], &err));
    }
    const vg_check *a = &checks[0], *b = &checks[1];
    assert_int_equal(a->part_count, b->part_count);
    assert_true(a->part_count > 20);
    for (int i = 0; i < a->part_count; i++) {
        const vg_check_part *x = &a->parts[i], *y = &b->parts[i];
        assert_string_equal(x->words, y->words);
        assert_memory_equal(x->findings, y->findings, sizeof x->findings);
        assert_true(x->change == y->change && x->crossed == y->crossed && x->rise == y->rise &&
                    x->rise_low == y->rise_low && x->pair_count == y->pair_count);
    }
    assert_int_equal(a->finding_count, b->finding_count);
    for (int i = 0; i < a->finding_count; i++)
        assert_string_equal(a->findings[i].text, b->findings[i].text);
    vg_check_reset(&checks[0]);
    vg_check_reset(&checks[1]);
    test_folder_remove(arrows);
}

/* Pictures of `side` pixels, JPEG: two halves, of which classes differ in the brighter one. */
static char *make_photos(int classes, int each, int side)
{
    char *folder = test_folder_make(), name[40];
    vg_image image = {0};
    vg_error err = {0};
    vg_bytes file = {0};
    vg_rng rng = vg_rng_make(5, 0, 0, 0);
    assert_ok(vg_image_shape(&image, side, side, 1, &err));
    for (int i = 0; i < classes * each; i++) {
        int edge = side / 4 + (int)vg_rng_below(&rng, (uint32_t)side / 2);
        for (int k = 0; k < side * side; k++)
            image.data[k] = (uint8_t)(((k % side < edge) == (i % 2) ? 190 : 60) + k / side % 32);
        assert_ok(vg_jpeg_encode(&image, 90, &file, &err));
        snprintf(name, sizeof name, "train/c%02d/%03d.jpg", i % classes, i);
        put_bytes(folder, name, file.data, file.size);
    }
    put_bytes(folder, "val/c00/a.jpg", file.data, file.size); /* all the others are for training */
    vg_bytes_reset(&file);
    vg_image_reset(&image);
    return folder;
}

/* The work of the quick check is bounded by pixels: large pictures or views are fewer, never too few, and what
 * is wrong with them is found all the same. */
static void test_bounded_work(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_check check;
    char *photos = make_photos(2, 60, 256), *many = make_photos(40, 3, 32);
    vg_check_options options = vg_check_options_quick(0);
    assert_ok(try_check(photos, "light shift=0.9", &options, &check, &err));
    assert_int_equal(check.references, 120); /* small enough for all */
    assert_int_equal(check.pictures, 32);
    vg_check_reset(&check);
    options.pixels = 50 * 256 * 256;
    assert_ok(try_check(photos, "light shift=0.9", &options, &check, &err));
    assert_int_equal(check.references, 50);
    assert_int_equal(check.pictures, 32);
    assert_true(check.warning_count >= 1);
    assert_int_equal(check.findings[0].kind, VG_CHECK_DESTROYS);
    vg_check_reset(&check);
    options.pixels = 1;
    assert_ok(try_check(photos, "light", &options, &check, &err));
    assert_int_equal(check.references, 32);
    assert_int_equal(check.pictures, 16);
    vg_check_reset(&check);
    options.decodes = 4000; /* of a long training a fiftieth is little */
    assert_ok(try_check(photos, "light", &options, &check, &err));
    assert_int_equal(check.references, 80);
    vg_check_reset(&check);
    /* More classes than pictures: as many of them, each of another one. */
    options.decodes = 0;
    assert_ok(try_check(many, "light", &options, &check, &err));
    assert_int_equal(check.references, 32);
    assert_int_equal(check.pictures, 16);
    vg_check_reset(&check);
    options.max_shrink = 16;
    assert_int_equal(try_check(many, "light", &options, &check, &err), VG_E_ARG);
    test_folder_remove(photos);
    test_folder_remove(many);
}

/* Real pictures: what everybody uses is silent, a mirrored road sign is another sign. */
static void test_real_pictures(void **state)
{
    (void)state;
    static const struct {
        const char *set, *policy;
        bool flagged;
    } cases[] = {{"fashion-mnist", "flip=h", false},
                 {"fashion-mnist", "standard", false},
                 {"gtsrb-signs", "flip=h", true},
                 {"gtsrb-signs", "light", false}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        char *path = real_data(cases[i].set);
        vg_dataset *dataset = NULL;
        bool grey = i < 2;
        vg_augment augment = {.channels = grey ? 1 : 3, .width = 32, .height = 32};
        vg_check_options options = vg_check_options_default();
        vg_check check;
        assert_ok(vg_policy_parse(cases[i].policy, &augment.policy, &err));
        assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
        assert_ok(vg_check_run(dataset, &augment, &options, &check, &err));
        assert_int_equal(check.warning_count, cases[i].flagged);
        if (cases[i].flagged)
            assert_int_equal(check.findings[0].kind, VG_CHECK_LABELS);
        vg_check_reset(&check);
        vg_dataset_close(dataset);
        free(path);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_labels),        cmocka_unit_test(test_the_other_faults),
        cmocka_unit_test(test_repeats),       cmocka_unit_test(test_class_policies),
        cmocka_unit_test(test_mixing),        cmocka_unit_test(test_flat),
        cmocka_unit_test(test_threads),       cmocka_unit_test(test_bounded_work),
        cmocka_unit_test(test_real_pictures),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
