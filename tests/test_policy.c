/* Tests of policy.h. */
#include "test.h"

#include "policy.h"

static vg_policy parse(const char *text)
{
    vg_error err = {0};
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static void test_every_key(void **state)
{
    (void)state;
    vg_policy p = parse("rotate=20, shift_x=0.1 shift_y=3\tshear=15 zoom=0.8:1.5 flip=hv "
                        "brightness=0.2 contrast=0.3 saturation=0.4 hue=0.05 noise=5 "
                        "fill=constant fill_value=128");
    assert_near(p.rotate_deg, 20, 0);
    assert_near(p.shift_x, 0.1, 0);
    assert_near(p.shift_y, 3, 0);
    assert_near(p.shear_deg, 15, 0);
    assert_near(p.zoom_low, 0.8, 0);
    assert_near(p.zoom_high, 1.5, 0);
    assert_true(p.flip_horizontal && p.flip_vertical);
    assert_near(p.brightness, 0.2, 0);
    assert_near(p.contrast, 0.3, 0);
    assert_near(p.saturation, 0.4, 0);
    assert_near(p.hue, 0.05, 0);
    assert_near(p.noise, 5, 0);
    assert_int_equal(p.fill, VG_FILL_CONSTANT);
    assert_near(p.fill_value, 128, 0);
    p = parse("interpolation=bicubic");
    assert_int_equal(p.interpolation, VG_INTERPOLATION_BICUBIC);
    assert_false(vg_policy_is_none(&p));
    char text[VG_POLICY_TEXT];
    vg_policy_print(&p, text, sizeof text);
    assert_string_equal(text, "interpolation=bicubic");
    vg_error err = {0};
    assert_int_equal(vg_policy_parse("interpolation=linear", &p, &err), VG_E_ARG);
    assert_contains(err.message, "expected nearest, bilinear or bicubic");
    p = parse("crop=0.08 flip=alternating pad_crop=4");
    assert_near(p.crop_low, 0.08, 0);
    assert_near(p.crop_high, 1, 0);
    assert_near(p.crop_ratio_low, 0.75, 0);
    assert_near(p.crop_ratio_high, 4.0 / 3, 0);
    assert_near(p.pad_crop, 4, 0);
    assert_true(p.flip_horizontal && p.flip_alternating && !p.flip_vertical);
    p = parse("crop=0.25:0.5 crop_ratio=0.5:2");
    assert_near(p.crop_low, 0.25, 0);
    assert_near(p.crop_high, 0.5, 0);
    assert_near(p.crop_ratio_low, 0.5, 0);
    assert_near(p.crop_ratio_high, 2, 0);
    p = parse("crop=none crop_ratio=1:1");
    assert_true(vg_policy_is_none(&p));
    p = parse("pad_crop=1");
    assert_false(vg_policy_is_none(&p));
    p = parse("shift=0.2 zoom=0.2 flip=v");
    assert_near(p.shift_x, 0.2, 0);
    assert_near(p.shift_y, 0.2, 0);
    assert_near(p.zoom_low, 0.8, 0);
    assert_near(p.zoom_high, 1.2, 0);
    assert_true(!p.flip_horizontal && p.flip_vertical);
}

static void test_presets(void **state)
{
    (void)state;
    vg_policy p = parse("keras-default");
    assert_near(p.rotate_deg, 40, 0);
    assert_near(p.shear_deg, 0.2, 0);
    assert_near(p.zoom_low, 0.8, 0);
    assert_true(p.flip_horizontal);
    assert_int_equal(p.fill, VG_FILL_NEAREST);
    p = parse("heavy rotate=3 flip=none");
    assert_near(p.rotate_deg, 3, 0);
    assert_false(p.flip_horizontal);
    assert_near(p.noise, 8, 0);
    p = parse("none");
    assert_true(vg_policy_is_none(&p));
    p = parse("");
    assert_true(vg_policy_is_none(&p));
    p = parse("fill=wrap");
    assert_true(vg_policy_is_none(&p));
    p = parse("light");
    assert_false(vg_policy_is_none(&p));
    assert_false(p.flip_horizontal); /* safe for digits */
}

static void test_print_parses_back(void **state)
{
    (void)state;
    static const char *const lines[] = {
        "none",
        "keras-default",
        "light",
        "standard",
        "heavy",
        "rotate=12.345678901234567",
        "zoom=0.3333333333333333",
        "zoom=0.5:0.75",
        "zoom=1:1.1",
        "shift=0.1 shift_y=7",
        "shift_y=0.3",
        "fill=wrap fill_value=3.25",
        "flip=hv noise=0.1 hue=0.5",
        "crop=0.08:1 flip=alternating",
        "crop=0.1:0.3333333333333333 crop_ratio=0.5:2 rotate=3",
        "crop_ratio=1:1",
        "pad_crop=4 flip=h fill=reflect",
        "rotate=10 ramp=5 randaugment=2:9",
        "flip=h blur=0.5:1.5@0.3 one_of(grey|equalize|posterize=3:6)@0.5 rotate=20@0.5",
        "trivialaugment erase=0.2@0.25",
        "augmix=3:3",
        "autoaugment=cifar10 some_of(2:iso=10|motion=7|jpeg=30:80)",
    };
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        vg_policy a = parse(lines[i]);
        char text[400], again[400];
        vg_policy_print(&a, text, sizeof text);
        vg_policy b = parse(text);
        assert_memory_equal(&a, &b, offsetof(vg_policy, pad_crop) + sizeof a.pad_crop);
        assert_true(a.flip_alternating == b.flip_alternating);
        assert_memory_equal(&a.zoom_low, &b.zoom_low, 2 * sizeof(double));
        assert_memory_equal(&a.shift_x, &b.shift_x, 2 * sizeof(double));
        vg_policy_print(&b, again, sizeof again);
        assert_string_equal(text, again);
    }
    char text[400];
    vg_policy p = parse("keras-default");
    vg_policy_print(&p, text, sizeof text);
    assert_string_equal(text, "rotate=40 shift=0.2 shear=0.2 zoom=0.2 flip=h");
    p = parse("crop=0.08 crop_ratio=0.75:1.3333333333333333 pad_crop=4 flip=alternating");
    vg_policy_print(&p, text, sizeof text);
    assert_string_equal(text, "crop=0.08:1 pad_crop=4 flip=alternating");
    p = parse("none");
    vg_policy_print(&p, text, sizeof text);
    assert_string_equal(text, "none");
    p = parse("heavy");
    vg_policy_print(&p, text, 10); /* cut, but terminated */
    assert_int_equal(strlen(text), 9);
}

static void test_errors_say_what_is_wrong(void **state)
{
    (void)state;
    static const struct {
        const char *text, *part, *part2;
    } cases[] = {
        {"rotat=20", "\"rotat\"", "did you mean \"rotate\""},
        {"standart", "\"standart\"", "did you mean \"standard\""},
        {"rotate=5 light", "\"light\"", "first word only"},
        {"rotate", "needs a value", "rotate=..."},
        {"rotate=", "rotate=", "degrees"},
        {"rotate=abc", "rotate=abc", "0 to 180"},
        {"rotate=-5", "rotate=-5", "0 to 180"},
        {"rotate=181", "rotate=181", "0 to 180"},
        {"rotate=nan", "rotate=nan", "0 to 180"},
        {"rotate=5x", "rotate=5x", "0 to 180"},
        {"rotate=5 rotate=6", "\"rotate\"", "twice"},
        {"zoom=1.5", "zoom=1.5", "lo:hi"},
        {"zoom=1.5:0.5", "zoom=1.5:0.5", "lo:hi"},
        {"zoom=0:1", "zoom=0:1", "0.05 to 20"},
        {"zoom=a:b", "zoom=a:b", "lo:hi"},
        {"flip=x", "flip=x", "none, h, v, hv or alternating"},
        {"crop", "needs a value", "crop=..."},
        {"blurr=2", "\"blurr\"", "did you mean \"blur\""},
        {"randaugmet", "\"randaugmet\"", "did you mean \"randaugment\""},
        {"randaugment=2", "randaugment=2", "OPERATIONS:MAGNITUDE"},
        {"augmix randaugment", "\"randaugment\"", "another automatic policy"},
        {"augmix blur=1@0.5", "augmix", "no operations with a chance"},
        {"rotate=20@2", "rotate=20@2", "chance from 0 to 1"},
        {"one_of(grey | equalize", "grey|equalize", "no \")\""},
        {"crop=0", "crop=0", "share of the picture's area"},
        {"crop=0.5:1.5", "crop=0.5:1.5", "0.001 to 1"},
        {"crop=0.5:0.2", "crop=0.5:0.2", "lo:hi"},
        {"crop_ratio=1.3", "crop_ratio=1.3", "0.75:1.333"},
        {"crop_ratio=0:1", "crop_ratio=0:1", "0.05 to 20"},
        {"crop_ratios=1:2", "\"crop_ratios\"", "did you mean \"crop_ratio\""},
        {"padcrop=4", "\"padcrop\"", "did you mean \"pad_crop\""},
        {"pad_crop=2.5", "pad_crop=2.5", "whole pixels"},
        {"pad_crop=-1", "pad_crop=-1", "0 to 1024"},
        {"fill=reflct", "fill=reflct", "did you mean \"reflect\""},
        {"hue=0.6", "hue=0.6", "0 to 0.5"},
        {"noise=256", "noise=256", "0 to 255"},
        {"fill_value=300", "fill_value=300", "0 to 255"},
        {"brightness=1e400", "brightness=1e400", "0 to 10"},
        {"=5", "unknown key", "keys:"},
        {"rotateeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeeee=1(2",
         "too long for a word", "rotateee"},
        {"rotate=1111111111111111111111111111111111111111111111111111111111111111111", "too long",
         "rotate=1"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_policy policy = vg_policy_none(), before = policy;
        vg_error err = {0};
        assert_int_equal(vg_policy_parse(cases[i].text, &policy, &err), VG_E_ARG);
        assert_contains(err.message, cases[i].part);
        assert_contains(err.message, cases[i].part2);
        assert_memory_equal(&policy, &before, sizeof policy);
    }
}

static void test_warnings(void **state)
{
    (void)state;
    char text[600];
    vg_policy p = parse("keras-default");
    assert_int_equal(vg_policy_warnings(&p, text, sizeof text), 1);
    assert_contains(text, "shear=0.2 is in degrees");
    assert_contains(text, "shear=11");
    p = parse("standard");
    assert_int_equal(vg_policy_warnings(&p, text, sizeof text), 0);
    assert_string_equal(text, "");
    p = parse("heavy");
    assert_int_equal(vg_policy_warnings(&p, text, sizeof text), 0);
    p = parse("crop=0.08");
    assert_int_equal(vg_policy_warnings(&p, text, sizeof text), 0);
    p = parse("crop=0.02 rotate=0.5 brightness=1 contrast=2 shift=0.6 zoom=0.3:1");
    assert_int_equal(vg_policy_warnings(&p, text, sizeof text), 6);
    assert_contains(text, "crop down to 0.02");
    assert_contains(text, " | ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_every_key),         cmocka_unit_test(test_presets),
        cmocka_unit_test(test_print_parses_back), cmocka_unit_test(test_errors_say_what_is_wrong),
        cmocka_unit_test(test_warnings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
