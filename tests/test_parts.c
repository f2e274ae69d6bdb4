/* Tests of parts.h: a policy taken apart holds what the policy draws, no more and no less. */
#include "test.h"

#include "parts.h"

#include <math.h>

static vg_error err;

static vg_policy parse(const char *text)
{
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static const vg_sample_key key = {.seed = 3, .position = 5, .index = 5};
static const int size[2] = {32, 24}, in_size[2] = {200, 100};

static void test_lists_every_operation_in_order(void **state)
{
    (void)state;
    vg_policy policy = parse("crop=0.3:1 pad_crop=4 rotate=20 shift_y=0.2 shear=5 zoom=0.2 flip=h "
                             "brightness=0.2 contrast=0.2 saturation=0.1 hue=0.1 noise=5 "
                             "one_of(blur=2|equalize)@0.5 jpeg=30:90@0.1");
    static const char *const names[] = {"crop", "pad_crop", "rotate",     "shift",    "shear",
                                        "zoom", "flip",     "brightness", "contrast", "saturation",
                                        "hue",  "blur",     "equalize",   "jpeg",     "noise"};
    vg_part parts[VG_PARTS];
    assert_int_equal(vg_policy_parts(&policy, parts, VG_PARTS), 15);
    for (int i = 0; i < 15; i++)
        assert_string_equal(vg_part_name(parts[i].code), names[i]);
    assert_int_equal(vg_policy_parts(&policy, parts, 3), 15); /* no more written than asked for */
    policy = parse("none");
    assert_int_equal(vg_policy_parts(&policy, parts, VG_PARTS), 0);
}

static void test_says_what_is_drawn(void **state)
{
    (void)state;
    static const struct {
        const char *policy, *text;
    } cases[] = {
        {"rotate=20", "\u221220 to 20 degrees, every sample"},
        {"shift=0.1", "x \u221210 to 10 %, y \u221210 to 10 %, every sample"},
        {"shift_x=3 shift_y=0.1", "x \u22123 to 3 pixels, y \u221210 to 10 %, every sample"},
        {"zoom=0.2", "0.8 to 1.2 for each side, below 1 magnifies, every sample"},
        {"flip=hv", "left to right, top to bottom, half of the samples"},
        {"flip=alternating", "left to right, every other epoch"},
        {"contrast=2", "0 to 3 times, every sample"},
        {"noise=5", "5 8-bit steps (sigma), every sample"},
        {"crop=0.25", "25 to 100 % of the area, every sample"},
        {"blur=0.5:1.5@0.3", "0.5 to 1.5 (sigma in pixels), 30 % of the samples"},
        {"invert@0.5", "50 % of the samples"},
        {"one_of(invert|grey)@0.5", "25 % of the samples"},
        {"randaugment=2:9", "of randaugment=2:9"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_policy policy = parse(cases[i].policy);
        vg_part parts[VG_PARTS];
        char text[200];
        assert_true(vg_policy_parts(&policy, parts, VG_PARTS) >= 1);
        vg_part_print(&policy, &parts[0], text, sizeof text);
        assert_string_equal(text, cases[i].text);
    }
}

/* Each part's plan has that part and nothing else, and grows to the end of the policy's range. */
static void test_plans_of_parts(void **state)
{
    (void)state;
    static const char many[] =
        "crop=0.3:0.8 pad_crop=4 rotate=20 shift=0.2 shear=5 zoom=0.2 flip=hv brightness=0.2 "
        "contrast=0.2 saturation=0.1 hue=0.1 noise=5 blur=2@0.5 jpeg=30:90@0.1 posterize=2:6@0.1";
    static const char *const policies[] = {many,     "randaugment",          "trivialaugment",
                                           "augmix", "autoaugment=imagenet", "autoaugment=svhn"};
    for (size_t p = 0; p < sizeof policies / sizeof *policies; p++) {
        vg_policy policy = parse(policies[p]);
        vg_part parts[VG_PARTS];
        int count = vg_policy_parts(&policy, parts, VG_PARTS);
        assert_in_range(count, 10, 20);
        for (int i = 0; i < count; i++) {
            bool has[VG_PART_CODES];
            vg_plan last = vg_part_plan(&policy, &parts[i], 6, 7, &key, size, in_size);
            assert_int_equal(vg_plan_parts(&last, has), 1);
            assert_true(has[parts[i].code]);
            vg_plan without = vg_plan_without(&last, parts[i].code);
            assert_int_equal(vg_plan_parts(&without, has), 0);
            /* the same again */
            vg_plan again = vg_part_plan(&policy, &parts[i], 6, 7, &key, size, in_size);
            char a[VG_PLAN_TEXT], b[VG_PLAN_TEXT];
            vg_plan_print(&last, a, sizeof a);
            vg_plan_print(&again, b, sizeof b);
            assert_string_equal(a, b);
        }
    }
}

static double value(const char *text, int variant)
{
    vg_policy policy = parse(text);
    vg_part part;
    assert_int_equal(vg_policy_parts(&policy, &part, 1), 1);
    vg_plan plan = vg_part_plan(&policy, &part, variant, 2, &key, size, in_size);
    if (part.code == VG_PART_ROTATE)
        return plan.rotate_deg;
    if (part.code == VG_PART_BRIGHTNESS)
        return plan.brightness;
    if (part.code == VG_PART_CROP)
        return (double)plan.crop.width * plan.crop.height / (200 * 100);
    return (double)plan.steps.step[0].v[0];
}

static void test_strengths(void **state)
{
    (void)state;
    assert_float_equal(value("rotate=20", 0), 10, 1e-12);
    assert_float_equal(value("rotate=20", 1), -20, 1e-12);
    assert_float_equal(value("brightness=0.4", 0), 1.2, 1e-12);
    assert_float_equal(value("brightness=0.4", 1), 0.6, 1e-12);
    assert_float_equal(value("blur=2@0.5", 0), 1, 1e-6);
    assert_float_equal(value("blur=1:3@0.5", 0), 2, 1e-6);
    assert_float_equal(value("blur=1:3@0.5", 1), 3, 1e-6);
    assert_float_equal(value("jpeg=20:80@0.5", 1), 20, 1e-6);      /* the worse the stronger */
    assert_float_equal(value("solarize=100:200@1", 1), 100, 1e-6); /* neutral is above the range */
    assert_float_equal(value("clahe=1:4@1", 1), 4, 1e-6);
    assert_float_equal(value("rotate=-30:0@1", 0), -15, 1e-5); /* one-sided */
    assert_float_equal(value("rotate=-30:0@1", 1), -30, 1e-5);
    assert_float_equal(value("crop=0.25:0.5", 1), 0.25, 0.02);
}

static void test_leaves_one_out(void **state)
{
    (void)state;
    vg_policy policy = parse("heavy crop=0.3:0.9 pad_crop=3 flip=hv blur=2:3 jpeg=30:40 blur=1:2");
    vg_plan plan = vg_plan_draw(&policy, &key, 32, 24, 200, 100);
    plan.flip_horizontal = true;
    plan.pad_x = 2;
    bool has[VG_PART_CODES], rest[VG_PART_CODES];
    int count = vg_plan_parts(&plan, has);
    assert_in_range(count, 13, 14);
    for (int c = 0; c < VG_PART_CODES; c++) {
        vg_plan without = vg_plan_without(&plan, c);
        assert_int_equal(vg_plan_parts(&without, rest), count - has[c]);
        assert_false(rest[c]);
        for (int other = 0; other < VG_PART_CODES; other++)
            assert_true(rest[other] == (has[other] && other != c));
    }
    /* chains keep their ends */
    plan = vg_plan_none();
    plan.steps.chains = 2;
    plan.steps.count = 3;
    plan.steps.step[0].operation = VG_OP_INVERT;
    plan.steps.step[1].operation = VG_OP_GREY;
    plan.steps.step[2].operation = VG_OP_INVERT;
    plan.steps.end[0] = 2;
    plan.steps.end[1] = 3;
    vg_plan without = vg_plan_without(&plan, VG_PART_STEP + VG_OP_INVERT);
    assert_int_equal(without.steps.count, 1);
    assert_int_equal(without.steps.end[0], 1);
    assert_int_equal(without.steps.end[1], 1);
    assert_int_equal(without.steps.step[0].operation, VG_OP_GREY);
    without = vg_plan_without(&plan, VG_PART_STEP + VG_OP_GREY);
    assert_int_equal(without.steps.end[0], 1);
    assert_int_equal(without.steps.end[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_lists_every_operation_in_order),
        cmocka_unit_test(test_says_what_is_drawn),
        cmocka_unit_test(test_plans_of_parts),
        cmocka_unit_test(test_strengths),
        cmocka_unit_test(test_leaves_one_out),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
