/* Tests of inspect.h. */
#include "test.h"

#include "base/rng.h"
#include "inspect.h"

enum { W = 24, H = 20, N = 3 * W * H };

static int squares; /* of the scene: their side, 0: none, but a slope from left to right */

static vg_inspection inspect_framed(vg_framing_kind framing, const vg_plan *plan, char text[64])
{
    vg_error err = {0};
    vg_augment augment = {.policy = vg_policy_none(),
                          .channels = 3,
                          .width = W,
                          .height = H,
                          .framing = {.kind = framing}};
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = NULL;
    assert_ok(transform.scratch_new(&augment, &scratch, &err));
    vg_image in = {0};
    assert_ok(vg_image_shape(&in, 40, 30, 3, &err));
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < vg_image_bytes(&in); i++) /* a scene with some grain */
        in.data[i] =
            (uint8_t)((squares
                           ? (i / 3 % 40 / (size_t)squares + i / 120 / (size_t)squares) % 2 * 130
                           : i / 3 % 40 * 4) +
                      40 + vg_rng_u32(&rng) % 20);
    float before[N], after[N];
    assert_ok(vg_augment_view(&augment, NULL, scratch, &in, before, &err));
    assert_ok(vg_augment_view(&augment, plan, scratch, &in, after, &err));
    vg_inspection result = vg_inspect(&augment, plan, 40, 30, before, after);
    vg_inspection_print(&result, text, 64);
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    return result;
}

static vg_inspection inspect(const vg_plan *plan, char text[64])
{
    return inspect_framed(VG_FRAMING_STRETCH, plan, text);
}

/* What evaluation leaves black too is no fill of a plan. */
static void test_bars_are_no_fill(void **state)
{
    (void)state;
    char text[64];
    vg_plan plan = vg_plan_none();
    plan.rotate_deg = 20;
    vg_inspection stretched = inspect(&plan, text);
    vg_inspection padded = inspect_framed(VG_FRAMING_PAD, &plan, text);
    assert_int_equal(padded.finding, VG_FINDING_NONE);
    assert_true(padded.outside >= 0 && padded.outside < stretched.outside);
    plan = vg_plan_none();
    plan.crop = (vg_crop){5, 5, 20, 20};
    assert_near(inspect_framed(VG_FRAMING_PAD, &plan, text).outside, 0, 0);
}

static void test_findings(void **state)
{
    (void)state;
    char text[64];
    vg_plan plan = vg_plan_none();
    vg_inspection r = inspect(&plan, text);
    assert_int_equal(r.finding, VG_FINDING_UNCHANGED);
    assert_near(r.change, 0, 0);
    assert_near(r.contrast, 1, 1e-9);
    assert_string_equal(text, "no visible change");
    assert_false(vg_finding_destroys(r.finding));

    plan.noise = 0.5; /* mean |change| 0.4 */
    assert_int_equal(inspect(&plan, text).finding, VG_FINDING_UNCHANGED);

    plan = vg_plan_none();
    plan.rotate_deg = 20;
    r = inspect(&plan, text);
    assert_int_equal(r.finding, VG_FINDING_NONE);
    assert_true(r.change > 3 && r.outside > 0.02 && r.outside < 0.3);
    assert_string_equal(text, "");

    plan = vg_plan_none();
    plan.shift_x = 0.6;
    r = inspect(&plan, text);
    assert_int_equal(r.finding, VG_FINDING_FILL);
    assert_near(r.outside, 0.6, 0.03);
    assert_contains(text, "% is fill");
    assert_true(vg_finding_destroys(r.finding));

    plan = vg_plan_none();
    plan.brightness = 4;
    r = inspect(&plan, text);
    assert_int_equal(r.finding, VG_FINDING_CLIPPED);
    assert_true(r.clipped > 0.6);
    assert_contains(text, "% clipped");
    assert_true(vg_finding_destroys(r.finding));
    plan.brightness = 0; /* black is clipped as well */
    assert_int_equal(inspect(&plan, text).finding, VG_FINDING_CLIPPED);

    plan = vg_plan_none();
    plan.contrast = 0.05;
    r = inspect(&plan, text);
    assert_int_equal(r.finding, VG_FINDING_FLAT);
    assert_near(r.contrast, 0.05, 0.002);
    assert_contains(text, "of the contrast left");
    assert_true(vg_finding_destroys(r.finding));
}

/* The object fills a corner; a crop of the rest shows none of it, one of the corner all of it. */
static void test_the_object_is_cut_off(void **state)
{
    (void)state;
    vg_error err = {0};
    char text[64];
    vg_augment augment = {.policy = vg_policy_none(), .channels = 1, .width = 64, .height = 48};
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = NULL;
    assert_ok(transform.scratch_new(&augment, &scratch, &err));
    vg_image in = {0};
    assert_ok(vg_image_shape(&in, 80, 60, 1, &err));
    for (int y = 0; y < 60; y++)
        for (int x = 0; x < 80; x++)
            in.data[y * 80 + x] = x >= 50 && y >= 35 && (x / 5 + y / 5) % 2 ? 220 : 90;
    float before[64 * 48], after[64 * 48];
    assert_ok(vg_augment_view(&augment, NULL, scratch, &in, before, &err));
    static const struct {
        vg_crop crop;
        double visible;
        vg_finding finding;
    } cases[] = {{{0, 0, 40, 60}, 0, VG_FINDING_CUT},
                 {{40, 25, 40, 35}, 1, VG_FINDING_NONE},
                 {{0, 0, 80, 47}, 0.5, VG_FINDING_NONE}};
    for (int i = 0; i < 3; i++) {
        vg_plan plan = vg_plan_none();
        plan.crop = cases[i].crop;
        assert_ok(vg_augment_view(&augment, &plan, scratch, &in, after, &err));
        vg_inspection r = vg_inspect(&augment, &plan, 80, 60, before, after);
        assert_near(r.visible, cases[i].visible, 0.1);
        assert_int_equal(r.finding, cases[i].finding);
        vg_inspection_print(&r, text, sizeof text);
        assert_true((r.finding == VG_FINDING_CUT) == (strstr(text, "in view") != NULL));
    }
    transform.scratch_free(scratch);
    vg_image_reset(&in);
}

static void test_the_detail_is_gone(void **state)
{
    (void)state;
    static const struct {
        vg_operation operation;
        float value;
        vg_finding finding;
    } cases[] = {{VG_OP_BLUR, 1, VG_FINDING_NONE},         {VG_OP_BLUR, 15, VG_FINDING_DETAIL},
                 {VG_OP_NOISE, 10, VG_FINDING_NONE},       {VG_OP_NOISE, 250, VG_FINDING_DETAIL},
                 {VG_OP_JPEG, 60, VG_FINDING_NONE},        {VG_OP_CUTOUT, 0.3f, VG_FINDING_NONE},
                 {VG_OP_BRIGHTNESS, 0.5f, VG_FINDING_NONE}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[64];
        vg_rng rng = vg_rng_make(1, 0, 0, VG_RNG_PLAN);
        vg_plan plan = vg_plan_none();
        plan.steps.step[plan.steps.count++] =
            vg_step_with(cases[i].operation, (double)cases[i].value, &rng);
        squares = 8;
        vg_inspection r = inspect(&plan, text);
        squares = 0;
        /* Whatever else it is called: a wide blur leaves no contrast either. */
        assert_true(cases[i].finding == VG_FINDING_DETAIL ? r.detail < 0.1 : r.detail > 0.3);
        assert_true(vg_finding_destroys(r.finding) == (cases[i].finding == VG_FINDING_DETAIL));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_the_object_is_cut_off),
        cmocka_unit_test(test_the_detail_is_gone),
        cmocka_unit_test(test_bars_are_no_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
