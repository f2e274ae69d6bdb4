/* Tests of inspect.h. */
#include "test.h"

#include "base/rng.h"
#include "inspect.h"

enum { W = 24, H = 20, N = 3 * W * H };

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
        in.data[i] = (uint8_t)(i / 3 % 40 * 4 + 40 + vg_rng_u32(&rng) % 20);
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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_findings),
        cmocka_unit_test(test_bars_are_no_fill),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
