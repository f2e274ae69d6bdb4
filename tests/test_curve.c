/* Tests of curve.h, and of what plans do with it. */
#include "test.h"

#include "curve.h"
#include "transform.h"

#include <math.h>

static vg_plan plan_of(const char *policy, uint64_t position)
{
    vg_error err = {0};
    vg_policy p;
    assert_ok(vg_policy_parse(policy, &p, &err));
    vg_sample_key key = {.seed = 2, .position = position};
    return vg_plan_draw(&p, &key, 64, 48, 64, 48);
}

static void test_corners_move_inwards(void **state)
{
    (void)state;
    const vg_frame frame = {0, 0, 64, 48};
    double most = 0, sum = 0;
    for (uint64_t n = 0; n < 200; n++) {
        vg_plan plan = plan_of("perspective=0.4", n);
        assert_true(vg_plan_curves(&plan) && vg_plan_warps(&plan));
        vg_remap r;
        vg_plan_remap(&plan, &frame, 64, 48, &r);
        assert_near(r.p[8], 1, 1e-12);
        /* the picture's corners are shown at most a fifth of the sides inside the output's: seen from
         * the output, what lies there at a fifth is in the picture and its corner is outside */
        for (int corner = 0; corner < 4; corner++) {
            double far_x = corner & 1 ? 63.5 : -0.5, far_y = corner & 2 ? 47.5 : -0.5;
            double inner_x = corner & 1 ? 63.5 - 12.8 : 12.3, at[2];
            double inner_y = corner & 2 ? 47.5 - 9.6 : 9.1;
            vg_remap_at(&r, inner_x, inner_y, at);
            assert_true(at[0] > -0.51 && at[0] < 63.51 && at[1] > -0.51 && at[1] < 47.51);
            vg_remap_at(&r, far_x, far_y, at);
            double out = fmax(fmax(-0.5 - at[0], at[0] - 63.5), fmax(-0.5 - at[1], at[1] - 47.5));
            assert_true(out > -1e-9);
            most = fmax(most, out);
            sum += out;
        }
    }
    assert_true(most > 10 && sum / 800 > 3);
}

static void test_displacements_are_as_large_as_said(void **state)
{
    (void)state;
    const vg_frame frame = {0, 0, 64, 48};
    double squares = 0, most = 0;
    int count = 0;
    for (uint64_t n = 0; n < 300; n++) {
        vg_plan plan = plan_of("elastic=0.05:0.05", n);
        vg_remap r;
        double reach[2];
        vg_plan_remap(&plan, &frame, 64, 48, &r);
        vg_field_reach(&r.field, reach);
        for (int v = 0; v < 48; v += 5)
            for (int u = 0; u < 64; u += 5, count++) {
                double at[2];
                vg_remap_at(&r, u, v, at);
                double dx = at[0] - u, dy = at[1] - v;
                assert_true(fabs(dx) <= reach[0] + 1e-4 && fabs(dy) <= reach[1] + 1e-4);
                squares += dx * dx + dy * dy;
                most = fmax(most, fabs(dx));
            }
    }
    assert_near(sqrt(squares / (2 * count)), 0.05 * 48, 0.06);
    assert_true(most > 2 * 0.05 * 48);
}

static void test_nothing_at_zero_strength(void **state)
{
    (void)state;
    for (uint64_t n = 0; n < 20; n++) {
        vg_plan plan = plan_of("perspective=0 elastic=0", n);
        assert_false(vg_plan_curves(&plan));
        assert_false(vg_plan_warps(&plan));
    }
}

/* Whatever the frame's shape, the grid fits. */
static void test_frames_of_any_shape(void **state)
{
    (void)state;
    static const double shapes[][2] = {{1, 1}, {1, 1000}, {5000, 3}, {1e6, 1e6}, {0.5, 0.25}};
    vg_plan plan = plan_of("perspective=0.3 elastic=0.1 rotate=20", 3);
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        vg_frame frame = {3, 4, shapes[s][0], shapes[s][1]};
        vg_remap r;
        vg_plan_remap(&plan, &frame, 20, 10, &r);
        assert_in_range(r.field.columns, 1, VG_FIELD_CELLS);
        assert_in_range(r.field.rows, 1, VG_FIELD_CELLS);
        assert_true(r.field.columns * r.field.cell >= shapes[s][0] * 0.999);
        assert_true(r.field.rows * r.field.cell >= shapes[s][1] * 0.999);
    }
}

static void turned_pixels(int turns, bool flip_h, bool flip_v)
{
    enum { W = 7, H = 5 };
    vg_error err = {0};
    vg_image in = {0}, out = {0};
    assert_ok(vg_image_shape(&in, turns & 1 ? H : W, turns & 1 ? W : H, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&in); i++)
        in.data[i] = (uint8_t)(i * 37 + 5);
    vg_augment augment = {.channels = 3, .width = W, .height = H, .policy = vg_policy_none()};
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = NULL;
    assert_ok(transform.scratch_new(&augment, &scratch, &err));
    vg_plan plan = vg_plan_none();
    plan.steps.count = 1;
    plan.steps.step[0] = (vg_step){.operation = VG_OP_TURN, .v = {(float)turns}};
    plan.flip_horizontal = flip_h;
    plan.flip_vertical = flip_v;
    assert_false(vg_plan_warps(&plan));
    assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &out, &err));
    vg_remap map; /* says where each pixel comes from, as a warp would */
    assert_ok(vg_augment_remap(&augment, &plan, in.width, in.height, &map, &err));
    for (int v = 0; v < H; v++)
        for (int u = 0; u < W; u++) {
            double at[2];
            vg_remap_at(&map, u, v, at);
            size_t x = (size_t)floor(at[0] + 0.5), y = (size_t)floor(at[1] + 0.5);
            assert_near(at[0], (double)x, 1e-9);
            assert_near(at[1], (double)y, 1e-9);
            assert_memory_equal(out.data + 3 * (v * W + u),
                                in.data + 3 * (y * (size_t)in.width + x), 3);
        }
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_image_reset(&out);
}

static void test_turns_move_whole_pixels(void **state)
{
    (void)state;
    for (int n = 0; n < 12; n++)
        turned_pixels(1 + n / 4, n & 1, n & 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_corners_move_inwards),
        cmocka_unit_test(test_displacements_are_as_large_as_said),
        cmocka_unit_test(test_nothing_at_zero_strength),
        cmocka_unit_test(test_frames_of_any_shape),
        cmocka_unit_test(test_turns_move_whole_pixels),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
