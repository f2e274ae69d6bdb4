/* Tests of automatic.h: what may be drawn, how often, at which magnitude, and the words. */
#include "test.h"

#include "automatic.h"

#include <math.h>
#include <string.h>

static vg_steps draw(const char *name, const char *value, uint64_t position)
{
    vg_auto automatic;
    vg_error err = {0};
    assert_ok(vg_auto_parse(name, value, &automatic, &err));
    vg_sample_key key = {.seed = 11, .position = position};
    vg_steps steps = {0};
    vg_auto_draw(&automatic, &key, VG_RNG_PLAN | 0x8000u << 16, 64, 48, &steps);
    return steps;
}

static void test_randaugment_draws_its_number_at_its_magnitude(void **state)
{
    (void)state;
    enum { DRAWS = 7000 };
    int seen[VG_OPERATIONS] = {0}, negative = 0, turns = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        vg_steps steps = draw("randaugment", NULL, i);
        assert_int_equal(steps.count, 2);
        assert_int_equal(steps.chains, 0);
        for (int k = 0; k < 2; k++) {
            const vg_step *s = &steps.step[k];
            double v = (double)s->v[0];
            seen[s->operation]++;
            if (s->operation == VG_OP_ROTATE) { /* 30 * 9 / 30 */
                assert_near(fabs(v), 9, 1e-5);
                negative += v < 0;
                turns++;
            }
            if (s->operation == VG_OP_SHEAR_X) /* slope 0.09 */
                assert_near(fabs(v), 5.1428, 1e-3);
            if (s->operation == VG_OP_SHIFT_Y)
                assert_near(fabs(v), 0.3 * 150 / 331, 1e-6);
            if (s->operation == VG_OP_CONTRAST)
                assert_near(fabs(v - 1), 0.27, 1e-6);
            if (s->operation == VG_OP_POSTERIZE) /* 8 - 1.2 */
                assert_near(v, 7, 0);
            if (s->operation == VG_OP_SOLARIZE)
                assert_near(v, 255 * 0.7, 1e-4);
        }
    }
    int kinds = 0;
    for (int o = 0; o < VG_OPERATIONS; o++) {
        kinds += seen[o] > 0;
        if (seen[o])
            assert_near((double)seen[o] / (2 * DRAWS), 1.0 / 14, 0.011);
    }
    assert_int_equal(kinds, 14);
    assert_near((double)negative / turns, 0.5, 0.08);
}

static void test_strongest_magnitudes_are_torchvisions(void **state)
{
    (void)state;
    for (uint64_t i = 0; i < 300; i++) {
        vg_steps steps = draw("randaugment", "1:30", i);
        double v = (double)steps.step[0].v[0];
        switch (steps.step[0].operation) {
        case VG_OP_POSTERIZE:
            assert_near(v, 4, 0);
            break;
        case VG_OP_SOLARIZE:
            assert_near(v, 0, 0);
            break;
        case VG_OP_BRIGHTNESS:
            assert_near(fabs(v - 1), 0.9, 1e-6);
            break;
        case VG_OP_SHEAR_Y: /* atan 0.3 */
            assert_near(fabs(v), 16.69924, 1e-4);
            break;
        default:
            break;
        }
    }
}

static void test_trivialaugment_draws_one(void **state)
{
    (void)state;
    double widest = 0, shift = 0;
    for (uint64_t i = 0; i < 3000; i++) {
        vg_steps steps = draw("trivialaugment", NULL, i);
        assert_int_equal(steps.count, 1);
        if (steps.step[0].operation == VG_OP_ROTATE)
            widest = fmax(widest, fabs((double)steps.step[0].v[0]));
        if (steps.step[0].operation == VG_OP_SHIFT_X)
            shift = fmax(shift, fabs((double)steps.step[0].v[0]));
    }
    assert_near(widest, 135, 1e-4);
    assert_near(shift, 0.5, 1e-6); /* 32 of 64 pixels */
}

static void test_augmix_weights_are_a_mixture(void **state)
{
    (void)state;
    double original = 0, first = 0;
    enum { DRAWS = 4000 };
    for (uint64_t i = 0; i < DRAWS; i++) {
        vg_steps steps = draw("augmix", NULL, i);
        assert_int_equal(steps.chains, 3);
        double sum = (double)steps.original;
        int begin = 0;
        for (int k = 0; k < 3; k++) {
            int depth = steps.end[k] - begin;
            assert_true(depth >= 1 && depth <= 3);
            begin = steps.end[k];
            sum += (double)steps.weight[k];
        }
        assert_int_equal(begin, steps.count);
        assert_near(sum, 1, 1e-6);
        original += (double)steps.original / DRAWS; /* Beta(1, 1) */
        first += (double)steps.weight[0] / DRAWS;
    }
    assert_near(original, 0.5, 5 * 0.2887 / sqrt(DRAWS));
    assert_near(first, 1 / 6.0, 0.012);
    assert_int_equal(draw("augmix", "1:1", 3).chains, 1);
}

static void test_autoaugment_keeps_to_its_table(void **state)
{
    (void)state;
    static const char *const tables[] = {"imagenet", "cifar10", "svhn"};
    for (int t = 0; t < 3; t++) {
        int seen[VG_OPERATIONS] = {0}, steps_drawn = 0;
        enum { DRAWS = 3000 };
        for (uint64_t i = 0; i < DRAWS; i++) {
            vg_steps steps = draw("autoaugment", tables[t], i);
            assert_true(steps.count <= 2);
            steps_drawn += steps.count;
            for (int k = 0; k < steps.count; k++)
                seen[steps.step[k].operation]++;
        }
        /* SVHN's has the colour operations of neither of the others. */
        assert_int_equal(seen[VG_OP_SATURATION] > 0, t != 2);
        assert_true(seen[VG_OP_EQUALIZE] > 0);
        assert_true(steps_drawn > DRAWS && steps_drawn < 2 * DRAWS);
    }
    /* ImageNet: Posterize 0.4, 8 and Rotate 0.6, 9 come together; 30 degrees is its strongest. */
    for (uint64_t i = 0; i < 500; i++) {
        vg_steps steps = draw("autoaugment", "imagenet", i);
        for (int k = 0; k < steps.count; k++)
            if (steps.step[k].operation == VG_OP_ROTATE)
                assert_true(fabs((double)steps.step[k].v[0]) <= 30);
    }
}

static void test_draws_depend_on_the_key_alone(void **state)
{
    (void)state;
    vg_steps a = draw("augmix", NULL, 5), b = draw("augmix", NULL, 5), c = draw("augmix", NULL, 6);
    assert_memory_equal(&a, &b, sizeof a);
    assert_memory_not_equal(&a, &c, sizeof a);
}

static void test_words(void **state)
{
    (void)state;
    static const char *const good[][3] = {{"randaugment", NULL, "randaugment=2:9"},
                                          {"randaugment", "3:15", "randaugment=3:15"},
                                          {"trivialaugment", NULL, "trivialaugment"},
                                          {"augmix", "2:4", "augmix=2:4"},
                                          {"autoaugment", "svhn", "autoaugment=svhn"}};
    char text[64];
    vg_auto automatic;
    vg_error err = {0};
    for (int i = 0; i < 5; i++) {
        assert_ok(vg_auto_parse(good[i][0], good[i][1], &automatic, &err));
        vg_auto_print(&automatic, text, sizeof text);
        assert_string_equal(text, good[i][2]);
    }
    static const char *const bad[][3] = {{"randaugment", "9:9", "1 to 8"},
                                         {"randaugment", "2", "OPERATIONS:MAGNITUDE"},
                                         {"randaugment", "2:31", "0 to 30"},
                                         {"augmix", "4:3", "1 to 3"},
                                         {"augmix", "3:0", "1 to 10"},
                                         {"trivialaugment", "3", "takes no value"},
                                         {"autoaugment", "imagnet", "\"imagenet\""},
                                         {"autoaugment", NULL, "svhn"},
                                         {"autoargument", NULL, "unknown"}};
    for (int i = 0; i < 9; i++) {
        assert_int_equal(vg_auto_parse(bad[i][0], bad[i][1], &automatic, &err), VG_E_ARG);
        assert_contains(err.message, bad[i][2]);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_randaugment_draws_its_number_at_its_magnitude),
        cmocka_unit_test(test_strongest_magnitudes_are_torchvisions),
        cmocka_unit_test(test_trivialaugment_draws_one),
        cmocka_unit_test(test_augmix_weights_are_a_mixture),
        cmocka_unit_test(test_autoaugment_keeps_to_its_table),
        cmocka_unit_test(test_draws_depend_on_the_key_alone),
        cmocka_unit_test(test_words),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
