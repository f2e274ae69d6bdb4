/* Tests of operation.h: the table, drawing, printing, the matrices and the switch. */
#include "test.h"

#include "arithmetic.h"
#include "operation.h"
#include "pixels_fixture.h"

#include <math.h>

static const vg_sample_key key = {.seed = 1, .epoch = 2, .position = 3};

static void test_the_table_is_complete(void **state)
{
    (void)state;
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        assert_non_null(info->name);
        assert_int_equal(vg_operation_named(info->name, strlen(info->name)), i);
        assert_true(info->low <= info->high);
        assert_true(info->form == VG_FORM_NONE || info->low < info->high);
        if (!isnan(info->neutral) && info->form != VG_FORM_NONE)
            assert_true(info->neutral >= info->low && info->neutral <= info->high);
    }
    assert_int_equal(vg_operation_named("blu", 3), VG_OPERATIONS);
    assert_int_equal(vg_operation_named("blurred", 4), VG_OP_BLUR);
}

static void test_neutral_values_change_nothing(void **state)
{
    (void)state;
    vg_recompress_scratch scratch = {0};
    vg_error err = {0};
    vg_rng rng = vg_rng_make(1, 1, 1, VG_RNG_PLAN);
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        if (isnan(info->neutral) || info->kind == VG_KIND_GEOMETRY)
            continue;
        for (int k = 0; k < TEST_SHAPES; k++) {
            test_pixels t =
                test_pixels_make(test_shapes[k][0], test_shapes[k][1], test_shapes[k][2], NULL);
            vg_step step = vg_step_with((vg_operation)i, info->neutral, &rng);
            assert_true(vg_step_is_neutral(&step));
            assert_ok(vg_step_apply(&step, &t.p, &key, 0, &scratch, &err));
            test_pixels_unchanged(&t);
            test_pixels_free(&t);
        }
    }
    vg_recompress_reset(&scratch);
}

static void test_every_operation_on_every_shape(void **state)
{
    (void)state;
    vg_recompress_scratch scratch = {0};
    vg_error err = {0};
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        for (int k = 0; k < TEST_SHAPES; k++)
            for (int draw = 0; draw < 6; draw++) {
                vg_rng rng = vg_rng_make(1, (uint32_t)draw, (uint64_t)k, VG_RNG_PLAN);
                test_pixels t =
                    test_pixels_make(test_shapes[k][0], test_shapes[k][1], test_shapes[k][2], NULL);
                test_pixels u =
                    test_pixels_make(test_shapes[k][0], test_shapes[k][1], test_shapes[k][2], NULL);
                vg_step step = vg_step_draw((vg_operation)i, info->low, info->high, &rng);
                assert_ok(vg_step_apply(&step, &t.p, &key, draw, &scratch, &err));
                assert_ok(vg_step_apply(&step, &u.p, &key, draw, &scratch, &err));
                test_pixels_in_range(&t);
                assert_memory_equal(t.p.x, u.p.x, vg_pixels_count(&t.p) * sizeof(float));
                char text[64];
                int length = vg_step_print(&step, text, sizeof text);
                assert_true(length > 0 && (size_t)length < sizeof text);
                test_pixels_free(&t);
                test_pixels_free(&u);
            }
    }
    vg_recompress_reset(&scratch);
}

static void test_draws_stay_in_their_range(void **state)
{
    (void)state;
    vg_rng rng = vg_rng_make(5, 0, 0, VG_RNG_PLAN);
    double sum = 0;
    int bits[9] = {0};
    enum { DRAWS = 4000 };
    for (int i = 0; i < DRAWS; i++) {
        vg_step blur = vg_step_draw(VG_OP_BLUR, 0.5, 1.5, &rng);
        assert_true(blur.v[0] >= 0.5f && blur.v[0] <= 1.5f);
        sum += (double)blur.v[0] / DRAWS;
        vg_step posterize = vg_step_draw(VG_OP_POSTERIZE, 3, 6, &rng);
        assert_true(posterize.v[0] >= 3 && posterize.v[0] <= 6);
        bits[(int)posterize.v[0]]++;
        vg_step shuffle = vg_step_draw(VG_OP_SHUFFLE, 0, 0, &rng);
        assert_true(shuffle.v[0] >= 1 && shuffle.v[0] <= 5);
    }
    assert_near(sum, 1, 5 * 0.289 / sqrt(DRAWS));
    for (int b = 3; b <= 6; b++)
        assert_near((double)bits[b] / DRAWS, 0.25, 5 * sqrt(0.25 * 0.75 / DRAWS));
}

/* Where the output's point (x, y) is read in a picture of 40 x 20. */
static void expect_map(vg_operation operation, double value, double x, double y, double in_x,
                       double in_y)
{
    vg_step step = {.operation = operation, .v = {(float)value}};
    double m[6] = {1, 0, 0, 0, 1, 0};
    vg_step_matrix(&step, 40, 20, m);
    assert_near(m[0] * x + m[1] * y + m[2], in_x, 1e-6);
    assert_near(m[3] * x + m[4] * y + m[5], in_y, 1e-6);
}

static void test_geometry_goes_where_it_says(void **state)
{
    (void)state;
    expect_map(VG_OP_SHIFT_X, 0.25, 10, 0, 0, 0); /* the centre moves right by 10 of 40 */
    expect_map(VG_OP_SHIFT_Y, -0.5, 0, -10, 0, 0);
    expect_map(VG_OP_ROTATE, 90, 0, -5, 5, 0); /* the right side is on top afterwards */
    expect_map(VG_OP_TURN, 1, 0, -10, 20, 0);  /* and fills the frame */
    expect_map(VG_OP_TURN, 2, 20, 10, -20, -10);
    expect_map(VG_OP_SCALE, 0.5, 8, 4, 4, 2); /* magnified */
    expect_map(VG_OP_FLIP_H, 0, 7, 3, -7, 3);
    expect_map(VG_OP_FLIP_V, 0, 7, 3, 7, -3);
    expect_map(VG_OP_SHEAR_X, 45, 0, -5, -5, -5); /* rows above the centre move right */
    expect_map(VG_OP_SHEAR_Y, 45, 5, 0, 5, 5);
    expect_map(VG_OP_BLUR, 3, 5, 1, 5, 1);
}

static void test_steps_compose_from_the_right(void **state)
{
    (void)state;
    vg_step turn = {.operation = VG_OP_ROTATE, .v = {90}};
    vg_step shift = {.operation = VG_OP_SHIFT_X, .v = {0.25f}};
    double m[6] = {1, 0, 0, 0, 1, 0};
    vg_step_matrix(&turn, 40, 40, m);
    vg_step_matrix(&shift, 40, 40, m); /* first turned, then moved to the right */
    assert_near(m[0] * 10 + m[1] * -5 + m[2], 5, 1e-6);
    assert_near(m[3] * 10 + m[4] * -5 + m[5], 0, 1e-6);
}

static void test_the_same_operation_twice_draws_twice(void **state)
{
    (void)state;
    vg_recompress_scratch scratch = {0};
    vg_error err = {0};
    vg_step step = {.operation = VG_OP_NOISE, .v = {20}};
    test_pixels a = test_pixels_make(3, 9, 9, NULL), b = test_pixels_make(3, 9, 9, NULL);
    assert_ok(vg_step_apply(&step, &a.p, &key, 0, &scratch, &err));
    assert_ok(vg_step_apply(&step, &b.p, &key, 1, &scratch, &err));
    assert_memory_not_equal(a.p.x, b.p.x, vg_pixels_count(&a.p) * sizeof(float));
    test_pixels_free(&a);
    test_pixels_free(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_the_table_is_complete),
        cmocka_unit_test(test_neutral_values_change_nothing),
        cmocka_unit_test(test_every_operation_on_every_shape),
        cmocka_unit_test(test_draws_stay_in_their_range),
        cmocka_unit_test(test_geometry_goes_where_it_says),
        cmocka_unit_test(test_steps_compose_from_the_right),
        cmocka_unit_test(test_the_same_operation_twice_draws_twice),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
