/* Tests of plan.h. */
#include "test.h"

#include "plan.h"

#include <math.h>

static vg_policy parse(const char *text)
{
    vg_error err = {0};
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static vg_sample_key key_at(uint64_t position)
{
    return (vg_sample_key){.seed = 7, .epoch = 2, .position = position};
}

static void test_draws_stay_in_range_and_fill_it(void **state)
{
    (void)state;
    vg_policy p = parse("rotate=30 shift=0.2 shear=10 zoom=0.5:1.5 flip=hv brightness=1.5 "
                        "contrast=0.2 saturation=0.3 hue=0.1 noise=4 fill=wrap fill_value=9");
    double low[9], high[9], flips[2] = {0};
    for (int i = 0; i < 9; i++) {
        low[i] = 1e9;
        high[i] = -1e9;
    }
    enum { N = 4000 };
    int orders[256] = {0};
    for (uint64_t n = 0; n < N; n++) {
        vg_sample_key key = key_at(n);
        vg_plan d = vg_plan_draw(&p, &key, 32, 32, 50, 40);
        double v[9] = {d.rotate_deg, d.shift_x,  d.shift_y,    d.shear_deg, d.zoom_x,
                       d.zoom_y,     d.contrast, d.saturation, d.hue};
        for (int i = 0; i < 9; i++) {
            low[i] = fmin(low[i], v[i]);
            high[i] = fmax(high[i], v[i]);
        }
        assert_true(d.brightness >= 0 && d.brightness <= 2.5);
        flips[0] += d.flip_horizontal;
        flips[1] += d.flip_vertical;
        orders[d.colour_order[0] * 64 + d.colour_order[1] * 16 + d.colour_order[2] * 4 +
               d.colour_order[3]]++;
        assert_int_equal(d.fill, VG_FILL_WRAP);
        assert_near(d.fill_value, 9, 0);
        assert_near(d.noise, 4, 0);
        assert_int_equal(d.key.position, n);
    }
    const double from[9] = {-30, -0.2, -0.2, -10, 0.5, 0.5, 0.8, 0.7, -0.1};
    const double to[9] = {30, 0.2, 0.2, 10, 1.5, 1.5, 1.2, 1.3, 0.1};
    for (int i = 0; i < 9; i++) {
        double slack = (to[i] - from[i]) * 0.01;
        assert_true(low[i] >= from[i] && low[i] < from[i] + slack);
        assert_true(high[i] <= to[i] && high[i] > to[i] - slack);
    }
    assert_near(flips[0] / N, 0.5, 0.05);
    assert_near(flips[1] / N, 0.5, 0.05);
    int seen = 0;
    for (int i = 0; i < 256; i++)
        if (orders[i]) {
            seen++;
            assert_in_range(orders[i], 100, 240); /* 167 expected */
        }
    assert_int_equal(seen, 24);
}

static void test_operations_do_not_disturb_each_other(void **state)
{
    (void)state;
    vg_policy all = parse("heavy shift=0.1 shear=5"), one = parse("rotate=30");
    for (uint64_t n = 0; n < 50; n++) {
        vg_sample_key key = key_at(n);
        vg_plan a = vg_plan_draw(&all, &key, 32, 32, 50, 40),
                b = vg_plan_draw(&one, &key, 32, 32, 50, 40);
        assert_near(a.rotate_deg, b.rotate_deg, 0);
        assert_false(b.flip_horizontal);
        assert_near(b.zoom_x, 1, 0);
        assert_near(b.brightness, 1, 0);
    }
    vg_sample_key first = key_at(1), second = key_at(2);
    assert_true(vg_plan_draw(&one, &first, 9, 9, 50, 40).rotate_deg !=
                vg_plan_draw(&one, &second, 9, 9, 50, 40).rotate_deg);
}

static void test_pixel_shifts(void **state)
{
    (void)state;
    vg_policy pixels = parse("shift_x=8 shift_y=4"), shares = parse("shift=0.5");
    vg_sample_key key = key_at(3);
    vg_plan a = vg_plan_draw(&pixels, &key, 32, 16, 50, 40),
            b = vg_plan_draw(&shares, &key, 32, 16, 50, 40);
    assert_near(a.shift_x, b.shift_x / 2, 1e-15);
    assert_near(a.shift_y, b.shift_y / 2, 1e-15);
}

static void test_none_draws_nothing(void **state)
{
    (void)state;
    vg_policy none = vg_policy_none();
    vg_sample_key key = key_at(3);
    vg_plan plan = vg_plan_draw(&none, &key, 8, 8, 50, 40);
    assert_false(vg_plan_warps(&plan));
    char text[200];
    vg_plan_print(&plan, text, sizeof text);
    assert_string_equal(text, "unchanged");
}

static void test_print(void **state)
{
    (void)state;
    vg_plan plan = vg_plan_none();
    plan.rotate_deg = -12.3;
    plan.shift_x = 0.08;
    plan.shift_y = -0.031;
    plan.zoom_x = 1.1;
    plan.zoom_y = 0.95;
    plan.flip_horizontal = true;
    plan.noise = 5;
    char text[200];
    vg_plan_print(&plan, text, sizeof text);
    assert_string_equal(text, "rot \u221212° shift +8% \u22123% zoom 1.10 0.95 flip-h noise 5");
    plan = vg_plan_none();
    plan.shear_deg = 0.126;
    plan.brightness = 0.5;
    plan.contrast = 1.25;
    plan.saturation = 2;
    plan.hue = -0.05;
    plan.flip_vertical = true;
    vg_plan_print(&plan, text, sizeof text);
    assert_string_equal(text,
                        "shear +0.13° flip-v bright 0.50 contrast 1.25 satur 2.00 hue \u22120.050");
    plan = vg_plan_none();
    plan.crop = (vg_crop){33, 0, 210, 180};
    plan.pad_x = -3;
    plan.rotate_deg = 7;
    vg_plan_print(&plan, text, sizeof text);
    assert_string_equal(text, "crop 210×180+33+0 pad-crop −3 0 rot +7°");
    for (size_t capacity = 1; capacity < 30; capacity++) {
        memset(text, 'x', sizeof text);
        vg_plan_print(&plan, text, capacity);
        assert_true(strlen(text) < capacity);
        assert_int_equal(text[capacity], 'x');
    }
}

static void at(const double m[6], double x, double y, double want_x, double want_y)
{
    assert_near(m[0] * x + m[1] * y + m[2], want_x, 1e-12);
    assert_near(m[3] * x + m[4] * y + m[5], want_y, 1e-12);
}

static void test_steps_join_the_plan(void **state)
{
    (void)state;
    vg_policy policy = parse("rotate=10 flip_h some_of(2: blur=1 | rotate=90 | scale=0.5)@1");
    vg_policy plain = parse("rotate=10");
    int warps = 0;
    for (uint64_t n = 0; n < 60; n++) {
        vg_sample_key key = key_at(n);
        vg_plan a = vg_plan_draw(&policy, &key, 32, 32, 50, 40);
        vg_plan b = vg_plan_draw(&plain, &key, 32, 32, 50, 40);
        assert_near(a.rotate_deg, b.rotate_deg, 0);
        assert_true(a.flip_horizontal); /* a step of its own, but no warp */
        assert_int_equal(a.steps.count, 2);
        a.rotate_deg = 0;
        warps += vg_plan_warps(&a);
        char text[VG_PLAN_TEXT];
        vg_plan_print(&a, text, sizeof text);
        assert_contains(text, "flip-h");
        assert_true(strstr(text, "blur") || (strstr(text, "rot ") && strstr(text, "scale")));
    }
    assert_int_equal(warps, 60);

    /* What the matrix does is what its steps do, after the plan's own geometry. */
    vg_plan plan = vg_plan_none();
    plan.zoom_x = plan.zoom_y = 0.5;
    plan.steps.step[0] = (vg_step){.operation = VG_OP_SHIFT_X, .v = {0.25f}};
    plan.steps.count = 1;
    double m[6];
    vg_plan_matrix(&plan, 40, 40, 40, 40, m);
    at(m, 29.5, 19.5, 19.5, 19.5);
    at(m, 31.5, 19.5, 20.5, 19.5);
}

static void test_chains_are_plans(void **state)
{
    (void)state;
    vg_policy policy = parse("flip=h augmix=3:5");
    vg_sample_key key = key_at(4);
    vg_plan plan = vg_plan_draw(&policy, &key, 32, 32, 50, 40);
    int count = 0;
    for (int k = 0; k < 3; k++) {
        vg_plan one = vg_plan_chain(&plan, k);
        assert_int_equal(one.steps.chains, 0);
        assert_memory_equal(one.steps.step, plan.steps.step + count,
                            (size_t)one.steps.count * sizeof *one.steps.step);
        count += one.steps.count;
        assert_int_equal(one.flip_horizontal, plan.flip_horizontal);
    }
    assert_int_equal(count, plan.steps.count);
    assert_int_equal(vg_plan_chain(&plan, -1).steps.count, 0);
}

static void test_strength_grows_with_the_epochs(void **state)
{
    (void)state;
    vg_policy ramped = parse("rotate=40 zoom=0.4 contrast=0.5 hue=0.2@1 ramp=4");
    vg_policy full = parse("rotate=40 zoom=0.4 contrast=0.5 hue=0.2@1");
    for (uint32_t epoch = 0; epoch < 6; epoch++) {
        vg_sample_key key = key_at(7);
        key.epoch = epoch;
        double share = epoch == 0 ? 0.25 : epoch < 4 ? epoch / 4.0 : 1;
        vg_plan a = vg_plan_draw(&ramped, &key, 32, 32, 50, 40);
        vg_plan b = vg_plan_draw(&full, &key, 32, 32, 50, 40);
        assert_near(a.rotate_deg, share * b.rotate_deg, 1e-12);
        assert_near(a.zoom_x - 1, share * (b.zoom_x - 1), 1e-12);
        assert_near(a.contrast - 1, share * (b.contrast - 1), 1e-12);
        assert_near((double)a.steps.step[0].v[0], share * (double)b.steps.step[0].v[0], 1e-6);
    }
}

static void test_crops_do_not_disturb_the_others(void **state)
{
    (void)state;
    vg_policy with = parse("heavy crop=0.08 pad_crop=4"), without = parse("heavy");
    int pads = 0;
    for (uint64_t n = 0; n < 50; n++) {
        vg_sample_key key = key_at(n);
        vg_plan a = vg_plan_draw(&with, &key, 32, 32, 50, 40);
        vg_plan b = vg_plan_draw(&without, &key, 32, 32, 50, 40);
        vg_crop crop = vg_crop_draw(&with, &key, 50, 40);
        assert_memory_equal(&a.crop, &crop, sizeof crop);
        assert_int_equal(b.crop.width, 0);
        assert_int_equal(b.pad_x, 0);
        pads += a.pad_x != 0;
        a.crop = b.crop;
        a.pad_x = a.pad_y = 0;
        char first[300], second[300];
        vg_plan_print(&a, first, sizeof first);
        vg_plan_print(&b, second, sizeof second);
        assert_string_equal(first, second);
    }
    assert_in_range(pads, 30, 50);
}

static void test_matrix(void **state)
{
    (void)state;
    double m[6];
    vg_plan plan = vg_plan_none();
    vg_plan_matrix(&plan, 200, 100, 200, 100, m);
    at(m, 0, 0, 0, 0);
    at(m, 199, 99, 199, 99);
    vg_plan_matrix(&plan, 200, 100, 50, 50, m); /* pixel 0 of the output covers 0..3 x 0..1 */
    at(m, 0, 0, 1.5, 0.5);
    plan.rotate_deg = 37;
    vg_plan_matrix(&plan, 200, 100, 200, 100, m); /* the centre stays where it is */
    at(m, 99.5, 49.5, 99.5, 49.5);
    plan.rotate_deg = 90; /* counter-clockwise: what was below is now at the right */
    vg_plan_matrix(&plan, 101, 101, 101, 101, m);
    at(m, 60, 50, 50, 60);
    plan.rotate_deg = -450; /* whole turns are exact */
    vg_plan_matrix(&plan, 101, 101, 101, 101, m);
    at(m, 60, 50, 50, 40);
    plan = vg_plan_none();
    plan.shift_x = 0.1; /* to the right: output 30 shows what was at 20 */
    plan.shift_y = -0.2;
    vg_plan_matrix(&plan, 100, 50, 100, 50, m);
    at(m, 30, 10, 20, 20);
    plan = vg_plan_none();
    plan.flip_horizontal = true;
    vg_plan_matrix(&plan, 100, 50, 100, 50, m);
    at(m, 0, 7, 99, 7);
    plan.flip_vertical = true;
    vg_plan_matrix(&plan, 100, 50, 100, 50, m);
    at(m, 0, 7, 99, 42);
    plan = vg_plan_none();
    plan.zoom_x = 0.5; /* magnifies */
    vg_plan_matrix(&plan, 101, 101, 101, 101, m);
    at(m, 60, 60, 55, 60);
    plan = vg_plan_none();
    plan.crop = (vg_crop){40, 20, 50, 25};
    vg_plan_matrix(&plan, 200, 100, 50, 25, m);
    at(m, 0, 0, 40, 20);
    plan.flip_horizontal = true;
    plan.pad_x = 2; /* moved to the right, then mirrored */
    vg_plan_matrix(&plan, 200, 100, 50, 25, m);
    at(m, 49, 0, 38, 20);
    plan.rotate_deg = 90; /* about the middle of the crop */
    plan.pad_x = 0;
    vg_plan_matrix(&plan, 200, 100, 50, 25, m);
    at(m, 24.5, 12, 64.5, 32);
    plan = vg_plan_none();
    plan.shear_deg = 30;
    vg_plan_matrix(&plan, 101, 101, 101, 101, m);
    at(m, 50, 60, 50 - 5, 50 + 10 * sqrt(3) / 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_draws_stay_in_range_and_fill_it),
        cmocka_unit_test(test_operations_do_not_disturb_each_other),
        cmocka_unit_test(test_pixel_shifts),
        cmocka_unit_test(test_steps_join_the_plan),
        cmocka_unit_test(test_chains_are_plans),
        cmocka_unit_test(test_strength_grows_with_the_epochs),
        cmocka_unit_test(test_crops_do_not_disturb_the_others),
        cmocka_unit_test(test_none_draws_nothing),
        cmocka_unit_test(test_print),
        cmocka_unit_test(test_matrix),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
