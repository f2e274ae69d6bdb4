/* Limits drawn from made-up datasets: what is odd is found, what is usual in a dataset is not odd there. */
#include "test.h"

#include "audit/quality.h"
#include "base/rng.h"

#include <math.h>

enum { MOST = 1000 };
static vg_facts facts[MOST];
static vg_marks marks;
static vg_quality quality;
static vg_rng rng;

/* A usual picture of 200 x 150. */
static vg_facts usual(void)
{
    vg_facts f = {.width = 190 + (int)vg_rng_below(&rng, 20),
                  .height = 140 + (int)vg_rng_below(&rng, 20),
                  .flags = VG_FACT_DECODED,
                  .format = VG_FORMAT_JPEG,
                  .colour = VG_COLOUR_YCC,
                  .bits = 8,
                  .p1 = (uint8_t)vg_rng_below(&rng, 30),
                  .p99 = (uint8_t)(210 + vg_rng_below(&rng, 46)),
                  .coloured = VG_WHOLE / 2};
    f.entropy = (uint16_t)((6.5 + vg_rng_double(&rng)) * VG_ENTROPY_STEPS);
    f.edge = (uint16_t)((1 + 0.3 * vg_rng_double(&rng)) * VG_EDGE_STEPS);
    return f;
}

static void fill(size_t count)
{
    rng = vg_rng_make(4, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < count; i++)
        facts[i] = usual();
}

static void judge(size_t count)
{
    vg_error err;
    vg_marks_reset(&marks);
    assert_ok(vg_marks_init(&marks, count, &err));
    assert_ok(vg_quality_judge(facts, count, &marks, &quality, &err));
}

/* Only picture `index` has a mark, and only this one. */
static void expect_alone(size_t index, vg_mark mark)
{
    for (int m = 0; m < VG_MARKS; m++)
        if (marks.total[m] != (m == (int)mark))
            fail_msg("%s: %zu marked", vg_mark_name((vg_mark)m), marks.total[m]);
    assert_true(vg_marks_has(&marks, index, mark));
}

static void expect_none(void)
{
    for (int m = 0; m < VG_MARKS; m++)
        assert_int_equal(marks.total[m], 0);
}

static void usual_pictures_have_no_mark(void **state)
{
    (void)state;
    fill(300);
    judge(300);
    expect_none();
    assert_int_equal(quality.measured, 300);
    const vg_limit *blurred = &quality.limits[VG_MARK_BLURRED];
    assert_true(blurred->drawn);
    assert_near(blurred->median, 1.15, 0.05);
    assert_true(blurred->high >= 1.6 && blurred->high < 2.5);
}

static void each_defect_is_found_alone(void **state)
{
    (void)state;
    fill(300);
    facts[7].p99 = 40;
    judge(300);
    expect_alone(7, VG_MARK_DARK);
    fill(300);
    facts[8].p1 = 200;
    judge(300);
    expect_alone(8, VG_MARK_LIGHT);
    fill(300);
    facts[9].edge = 4 * VG_EDGE_STEPS;
    judge(300);
    expect_alone(9, VG_MARK_BLURRED);
    fill(300);
    facts[10].entropy = VG_ENTROPY_STEPS;
    judge(300);
    expect_alone(10, VG_MARK_LOW_INFORMATION);
    fill(300);
    facts[11].coloured = 0;
    judge(300);
    expect_alone(11, VG_MARK_GREY);
    fill(300);
    facts[12].border[VG_SIDE_TOP] = facts[12].border[VG_SIDE_BOTTOM] = 8;
    judge(300);
    expect_alone(12, VG_MARK_BORDER);
    fill(300);
    facts[13].colour = VG_COLOUR_CMYK;
    judge(300);
    expect_alone(13, VG_MARK_ODD_COLOUR);
}

static void odd_sizes_and_shapes_are_found(void **state)
{
    (void)state;
    fill(300);
    facts[0].width /= 5;
    facts[0].height /= 5;
    judge(300);
    expect_alone(0, VG_MARK_ODD_SIZE);
    fill(300);
    facts[1].width *= 2;
    facts[1].height /= 2;
    judge(300);
    expect_alone(1, VG_MARK_ODD_ASPECT);
    fill(300);
    facts[2].width = 4000;
    facts[2].height = 3000;
    judge(300);
    assert_int_equal(marks.total[VG_MARK_HUGE], 1);
    assert_int_equal(marks.total[VG_MARK_ODD_SIZE], 1); /* that as well */
    assert_true(vg_marks_has(&marks, 2, VG_MARK_HUGE));
}

/* Night shots are dark, small signs soft, MNIST black: nothing is odd about what all are. */
static void what_all_are_is_not_odd(void **state)
{
    (void)state;
    fill(400);
    for (int i = 0; i < 400; i++) {
        facts[i].p99 = (uint8_t)(30 + i % 20);
        facts[i].edge = (uint16_t)((3 + 0.004 * i) * VG_EDGE_STEPS);
        facts[i].coloured = 0;
        facts[i].flags |= VG_FACT_GREY;
        facts[i].entropy = (uint16_t)(VG_ENTROPY_STEPS + i);
        facts[i].border[VG_SIDE_LEFT] = facts[i].border[VG_SIDE_RIGHT] = 9;
        facts[i].bits = 16;
    }
    judge(400);
    expect_none();
    assert_int_equal(quality.limits[VG_MARK_GREY].common, 400);
    assert_int_equal(quality.limits[VG_MARK_BORDER].common, 400);
}

/* Of equal pictures the least difference would be infinitely many spreads. */
static void equal_pictures_are_not_odd(void **state)
{
    (void)state;
    fill(1);
    for (int i = 1; i < 300; i++)
        facts[i] = facts[0];
    facts[5].edge += 30;
    facts[6].entropy -= 300;
    facts[7].width += 9;
    facts[8].p99 -= 40;
    judge(300);
    expect_none();
}

static void what_has_no_value_is_not_judged(void **state)
{
    (void)state;
    fill(300);
    for (int i = 0; i < 300; i += 3)
        facts[i] = (vg_facts){
            .flags = i % 2 ? 0 : VG_FACT_DECODED | VG_FACT_FLAT, .width = 1, .height = 1};
    judge(300);
    expect_none();
    assert_int_equal(quality.measured, 200);
    assert_true(isnan(vg_quality_value(&facts[3], VG_MARK_DARK)));
    assert_true(isnan(vg_quality_value(&facts[0], VG_MARK_BLURRED)));
    assert_true(isnan(vg_quality_value(&facts[1], VG_MARK_LEAK)));
    for (int m = 0; m < VG_MARKS; m++)
        assert_true(isnan(quality.limits[m].median) == 0);
}

static void few_pictures_have_no_usual(void **state)
{
    (void)state;
    fill(19);
    facts[3].p99 = 3;
    judge(19);
    expect_none();
    assert_false(quality.limits[VG_MARK_DARK].drawn);
    judge(0);
    expect_none();
}

/* Transparency is odd among opaque pictures, not where half of them have it. */
static void transparency_is_odd_among_few(void **state)
{
    (void)state;
    fill(100);
    for (int i = 0; i < 20; i++)
        facts[i].flags |= VG_FACT_CLEAR;
    judge(100);
    assert_int_equal(marks.total[VG_MARK_ODD_COLOUR], 20);
    for (int i = 20; i < 50; i++)
        facts[i].flags |= VG_FACT_CLEAR;
    judge(100);
    assert_int_equal(marks.total[VG_MARK_ODD_COLOUR], 0);
}

static int clean_up(void **state)
{
    (void)state;
    vg_marks_reset(&marks);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(usual_pictures_have_no_mark),
        cmocka_unit_test(each_defect_is_found_alone),
        cmocka_unit_test(odd_sizes_and_shapes_are_found),
        cmocka_unit_test(what_all_are_is_not_odd),
        cmocka_unit_test(equal_pictures_are_not_odd),
        cmocka_unit_test(what_has_no_value_is_not_judged),
        cmocka_unit_test(few_pictures_have_no_usual),
        cmocka_unit_test(transparency_is_odd_among_few),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
