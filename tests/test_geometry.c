/* Tests of geometry.h. */
#include "test.h"

#include "base/rng.h"
#include "geometry.h"

#include <math.h>

static vg_policy parse(const char *text)
{
    vg_error err = {0};
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static vg_framing framing_of(const char *word)
{
    vg_error err = {0};
    vg_framing framing;
    assert_ok(vg_framing_parse(word, &framing, &err));
    return framing;
}

static vg_geometry make(const char *framing, const vg_plan *plan, int width, int height, int shrink,
                        int out_width, int out_height)
{
    vg_error err = {0};
    vg_geometry g;
    vg_framing f = framing_of(framing);
    vg_region whole = vg_region_whole(width, height, shrink);
    assert_ok(vg_geometry_make(&f, plan, &whole, (const int[2]){out_width, out_height}, &g, &err));
    assert_true(g.need.x >= 0 && g.need.y >= 0 && g.need.width > 0 && g.need.height > 0);
    assert_true(g.need.x + g.need.width <= whole.width && g.need.y + g.need.height <= whole.height);
    assert_int_equal(g.need.shrink, shrink);
    assert_int_equal(g.need.full_width, width);
    return g;
}

static void need(const vg_geometry *g, int x, int y, int width, int height)
{
    assert_int_equal(g->need.x, x);
    assert_int_equal(g->need.y, y);
    assert_int_equal(g->need.width, width);
    assert_int_equal(g->need.height, height);
}

static void rectangle(const vg_geometry *g, double x, double y, double width, double height)
{
    assert_near(g->rectangle[0], x, 1e-9);
    assert_near(g->rectangle[1], y, 1e-9);
    assert_near(g->rectangle[2], width, 1e-9);
    assert_near(g->rectangle[3], height, 1e-9);
}

static void inner(const vg_geometry *g, int x, int y, int width, int height)
{
    assert_int_equal(g->inner_x, x);
    assert_int_equal(g->inner_y, y);
    assert_int_equal(g->inner_width, width);
    assert_int_equal(g->inner_height, height);
}

static void test_framing_words(void **state)
{
    (void)state;
    static const char *const words[] = {"stretch", "crop", "crop:0.875", "pad", "crop:0.1"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        char text[40];
        vg_framing f = framing_of(words[i]);
        vg_framing_print(&f, text, sizeof text);
        assert_string_equal(text, words[i]);
        for (size_t k = 0; k < sizeof words / sizeof *words; k++) {
            vg_framing other = framing_of(words[k]);
            assert_true(vg_framing_equal(&f, &other) == (i == k));
        }
    }
    vg_framing zero = {0}, stretch = framing_of("stretch"), one = framing_of("crop:1");
    vg_framing crop = framing_of("crop");
    assert_true(vg_framing_equal(&zero, &stretch));
    assert_true(vg_framing_equal(&one, &crop));
    static const struct {
        const char *word, *part;
    } wrong[] = {{"strech", "did you mean \"stretch\""}, {"", "known are stretch"},
                 {"crop:", "share from 0.1 to 1"},       {"crop:0", "share from 0.1 to 1"},
                 {"crop:1.1", "share from 0.1 to 1"},    {"crop:x", "share from 0.1 to 1"},
                 {"crop:0.5x", "share from 0.1 to 1"},   {"crop:nan", "share from 0.1 to 1"},
                 {"pad:2", "unknown resize \"pad:2\""}};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_error err = {0};
        vg_framing f = crop;
        assert_int_equal(vg_framing_parse(wrong[i].word, &f, &err), VG_E_ARG);
        assert_contains(err.message, wrong[i].part);
        assert_true(vg_framing_equal(&f, &crop));
    }
}

static void test_framings(void **state)
{
    (void)state;
    vg_plan none = vg_plan_none();
    vg_geometry g = make("stretch", &none, 300, 200, 1, 96, 96);
    assert_false(g.warps);
    need(&g, 0, 0, 300, 200);
    rectangle(&g, 0, 0, 300, 200);
    inner(&g, 0, 0, 96, 96);
    g = make("crop", &none, 300, 200, 1, 100, 100); /* the middle 200 x 200, and the filter */
    rectangle(&g, 50 - g.need.x, 0, 200, 200);
    assert_in_range(g.need.x, 46, 48);
    assert_in_range(g.need.width, 204, 208);
    assert_int_equal(g.need.height, 200);
    inner(&g, 0, 0, 100, 100);
    g = make("crop:0.875", &none, 256, 512, 1, 224, 224); /* exactly the pixels of the middle */
    rectangle(&g, 16 - g.need.x, 144 - g.need.y, 224, 224);
    g = make("pad", &none, 300, 200, 1, 90, 90);
    need(&g, 0, 0, 300, 200);
    rectangle(&g, 0, 0, 300, 200);
    inner(&g, 0, 15, 90, 60);
    assert_int_equal(g.fill, VG_FILL_CONSTANT);
    g = make("pad", &none, 10, 1000, 1, 32, 32);
    inner(&g, 15, 0, 1, 32);
    g = make("pad", &none, 64, 48, 1, 32, 24); /* the same aspect: nothing to pad */
    inner(&g, 0, 0, 32, 24);
    /* shrunken: a pixel of it is four of the picture */
    g = make("stretch", &none, 301, 200, 4, 32, 32);
    need(&g, 0, 0, 76, 50);
    rectangle(&g, 0, 0, 75.25, 50);
}

static void test_crops(void **state)
{
    (void)state;
    vg_plan plan = vg_plan_none();
    plan.crop = (vg_crop){33, 21, 100, 80};
    plan.flip_horizontal = true;
    vg_geometry g = make("pad", &plan, 300, 200, 1, 32, 32); /* a crop is stretched */
    assert_false(g.warps);
    need(&g, 33, 21, 100, 80);
    rectangle(&g, 0, 0, 100, 80);
    inner(&g, 0, 0, 32, 32);
    assert_int_equal(g.fill, VG_FILL_NEAREST);
    g = make("stretch", &plan, 300, 200, 2, 32, 32);
    need(&g, 16, 10, 51, 41);
    rectangle(&g, 0.5, 0.5, 50, 40);
    vg_region whole = vg_region_whole(300, 200, 1);
    vg_framing f = {0};
    static const vg_crop outside[] = {
        {-1, 0, 9, 9}, {0, -1, 9, 9}, {292, 0, 9, 9}, {0, 192, 9, 9}, {0, 0, 9, 0}};
    for (size_t i = 0; i < sizeof outside / sizeof *outside; i++) {
        vg_error err = {0};
        plan.crop = outside[i];
        assert_int_equal(vg_geometry_make(&f, &plan, &whole, (const int[2]){8, 8}, &g, &err),
                         VG_E_ARG);
        assert_contains(err.message, "not inside a picture of 300 x 200");
    }
    vg_error err = {0};
    plan = vg_plan_none();
    plan.rotate_deg = NAN;
    assert_int_equal(vg_geometry_make(&f, &plan, &whole, (const int[2]){8, 8}, &g, &err), VG_E_ARG);
    assert_contains(err.message, "not finite");
    assert_int_equal(vg_geometry_make(&f, &plan, &whole, (const int[2]){8, 0}, &g, &err), VG_E_ARG);
    assert_contains(err.message, "8 x 0");
}

/* Everything that the map reaches lies in what is needed, or the picture ends there. */
static void test_need_covers_the_map(void **state)
{
    (void)state;
    vg_policy policies[] = {parse("heavy fill=nearest"), parse("heavy fill=constant crop=0.08"),
                            parse("zoom=0.1:0.3 rotate=90 shear=30 crop=0.2 fill=reflect"),
                            parse("shift=0.9 pad_crop=7 fill=wrap crop=0.1:0.2"),
                            parse("zoom=1:8 rotate=180 pad_crop=3")};
    static const char *const framings[] = {"stretch", "crop:0.7", "pad"};
    int smaller = 0;
    for (int n = 0; n < 3000; n++) {
        vg_rng rng = vg_rng_make(8, 0, (uint64_t)n, VG_RNG_SAMPLE_DATA);
        int width = 1 + (int)vg_rng_below(&rng, 400), height = 1 + (int)vg_rng_below(&rng, 400);
        int shrink = 1 << vg_rng_below(&rng, 4), size[2] = {24, 40};
        vg_sample_key key = {.seed = 2, .position = (uint64_t)n};
        vg_plan plan = vg_plan_draw(&policies[n % 5], &key, size[0], size[1], width, height);
        const char *framing = framings[vg_rng_below(&rng, 3)];
        vg_geometry g = make(framing, &plan, width, height, shrink, size[0], size[1]);
        vg_region whole = vg_region_whole(width, height, shrink);
        smaller += g.need.width < whole.width || g.need.height < whole.height;
        vg_warp map;
        vg_framing f = framing_of(framing);
        vg_error err = {0};
        assert_ok(vg_geometry_map(&f, &plan, &whole, size, &map, &err));
        if (!g.warps)
            continue;
        for (int i = 0; i < 6; i++)
            assert_near(map.m[i], g.warp.m[i] + (i == 2 ? g.need.x : i == 5 ? g.need.y : 0), 1e-9);
        bool around = map.fill == VG_FILL_REFLECT || map.fill == VG_FILL_WRAP;
        double reach_x = fabs(map.m[0]) + fabs(map.m[1]), reach_y = fabs(map.m[3]) + fabs(map.m[4]);
        for (int corner = 0; corner < 4; corner++) {
            int u = corner & 1 ? size[0] - 1 : 0, v = corner & 2 ? size[1] - 1 : 0;
            double x = map.m[0] * u + map.m[1] * v + map.m[2];
            double y = map.m[3] * u + map.m[4] * v + map.m[5];
            double x0 = g.need.x, x1 = g.need.x + g.need.width;
            double y0 = g.need.y, y1 = g.need.y + g.need.height;
            assert_true(x - reach_x >= x0 || g.need.x == 0);
            assert_true(x + reach_x < x1 || g.need.x + g.need.width == whole.width);
            assert_true(y - reach_y >= y0 || g.need.y == 0);
            assert_true(y + reach_y < y1 || g.need.y + g.need.height == whole.height);
            if (around && (x < 0 || x > whole.width))
                assert_int_equal(g.need.width, whole.width);
            if (around && (y < 0 || y > whole.height))
                assert_int_equal(g.need.height, whole.height);
        }
    }
    assert_in_range(smaller, 500, 2900);
}

/* No draw of a policy magnifies more than the shrink allows. */
static void test_shrink_is_a_bound(void **state)
{
    (void)state;
    static const char *const lines[] = {"none",
                                        "standard",
                                        "crop=0.3:1 zoom=0.8:1.1",
                                        "crop=0.08",
                                        "keras-default shear=20",
                                        "crop=0.9:1 crop_ratio=0.2:5",
                                        "randaugment=8:30",
                                        "trivialaugment",
                                        "augmix=3:10",
                                        "autoaugment=svhn",
                                        "scale=0.5:1@0.9 shear_x=30 turn@0.8",
                                        "one_of(turn|shear_y=40) crop=0.5:1"};
    int shrunken = 0;
    for (int n = 0; n < 3000; n++) {
        vg_rng rng = vg_rng_make(9, 0, (uint64_t)n, VG_RNG_SAMPLE_DATA);
        int width = 1 + (int)vg_rng_below(&rng, 3000), height = 1 + (int)vg_rng_below(&rng, 3000);
        int size[2] = {8 + (int)vg_rng_below(&rng, 200), 8 + (int)vg_rng_below(&rng, 200)};
        vg_policy policy = parse(lines[n % 12]);
        static const char *const framings[] = {"stretch", "crop:0.5", "pad"};
        vg_framing f = framing_of(framings[vg_rng_below(&rng, 3)]);
        int shrink = vg_geometry_shrink(&f, &policy, width, height, size, 8);
        assert_true(shrink == 1 || shrink == 2 || shrink == 4 || shrink == 8);
        assert_int_equal(vg_geometry_shrink(&f, &policy, width, height, size, 1), 1);
        int less = vg_geometry_shrink(&f, &policy, width, height, size, 3);
        assert_int_equal(less, shrink < 2 ? shrink : 2);
        if (shrink == 1)
            continue;
        shrunken++;
        for (uint64_t k = 0; k < 20; k++) {
            vg_sample_key key = {.seed = 2, .position = k};
            vg_plan plan = vg_plan_draw(&policy, &key, size[0], size[1], width, height);
            vg_region whole = vg_region_whole(width, height, shrink);
            vg_warp map;
            vg_error err = {0};
            if (plan.steps.chains)
                plan = vg_plan_chain(&plan, (int)k % plan.steps.chains);
            assert_ok(vg_geometry_map(&f, &plan, &whole, size, &map, &err));
            double a = map.m[0], b = map.m[1], c = map.m[3], d = map.m[4];
            double sum = a * a + b * b + c * c + d * d, det = fabs(a * d - b * c);
            double least = sqrt(fmax(0, sum / 2 - sqrt(fmax(0, sum * sum / 4 - det * det))));
            assert_true(least > VG_SHRINK_DEMAND * (1 - 1e-6));
        }
    }
    assert_in_range(shrunken, 300, 2900);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_framing_words),
        cmocka_unit_test(test_framings),
        cmocka_unit_test(test_crops),
        cmocka_unit_test(test_need_covers_the_map),
        cmocka_unit_test(test_shrink_is_a_bound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
