/* Tests of choice.h: words there and back, errors, chances and groups. */
#include "test.h"

#include "choice.h"

#include <math.h>
#include <string.h>

static vg_choices parse(const char *const *words, int count)
{
    vg_choices choices = {0};
    vg_error err = {0};
    for (int i = 0; i < count; i++)
        assert_ok(vg_choices_add(&choices, words[i], &err));
    return choices;
}

static void test_words_read_back(void **state)
{
    (void)state;
    static const char *const words[] = {"blur=0.5:1.5@0.3",
                                        "equalize@0.1",
                                        "grey",
                                        "rotate=20@0.5",
                                        "one_of(blur=1|sharpness=0.8|identity)",
                                        "some_of(2:rotate=30|hue=0.1|jpeg=30:90)@0.25"};
    vg_choices choices = parse(words, 6);
    char text[400], all[400] = "";
    for (size_t i = 0, used = 0; i < 6; i++)
        used += (size_t)snprintf(all + used, sizeof all - used, "%s%s", i ? " " : "", words[i]);
    vg_choices_print(&choices, text, sizeof text);
    assert_string_equal(text, all);
    vg_choices_print(&choices, text, 10);
    assert_int_equal(strlen(text), 9);
    for (int i = 0; i < 6; i++)
        assert_true(vg_choices_wants(words[i]));
    assert_false(vg_choices_wants("fill=reflect"));
}

static void test_errors_say_what_is_wrong(void **state)
{
    (void)state;
    static const char *const bad[][2] = {
        {"blurr=1", "\"blur\""},
        {"blur", "needs a value"},
        {"blur=x", "v for 0 to v or lo:hi"},
        {"blur=2:1", "lo:hi"},
        {"blur=1:21", "from 0 to 20"},
        {"blur=-1", "blur=-1"},
        {"rotate=200@0.5", "-180 to 180"},
        {"grey=1", "takes no value"},
        {"grey@1.5", "from 0 to 1"},
        {"grey@", "from 0 to 1"},
        {"one_of(blur=1|grey", "no \")\""},
        {"one_of(blur=1|grey@0.5)", "behind the bracket"},
        {"one_of()", "unknown operation \"\""},
        {"some_of(blur=1|grey)", "some_of(2:a|b|c)"},
        {"some_of(3:blur=1|grey)", "3 of 2"},
        {"any_of(blur=1)", "one_of(...)"},
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        vg_choices choices = {0}, before = {0};
        vg_error err = {0};
        assert_int_equal(vg_choices_add(&choices, bad[i][0], &err), VG_E_ARG);
        assert_contains(err.message, bad[i][1]);
        assert_memory_equal(&choices, &before, sizeof before);
    }
    vg_choices full = {0};
    vg_error err = {0};
    for (int i = 0; i < VG_GROUPS; i++)
        assert_ok(vg_choices_add(&full, "grey@0.5", &err));
    assert_int_equal(vg_choices_add(&full, "grey@0.5", &err), VG_E_LIMIT);
}

enum { DRAWS = 6000 };

static vg_steps draw(const vg_choices *choices, uint64_t position, double strength)
{
    vg_sample_key key = {.seed = 9, .position = position};
    vg_steps steps = {0};
    vg_choices_draw(choices, &key, strength, &steps);
    return steps;
}

static void test_chances_are_kept(void **state)
{
    (void)state;
    vg_choices choices = parse((const char *const[]){"grey@0.3", "blur=1:2", "invert@0"}, 3);
    int grey = 0, blur = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        vg_steps steps = draw(&choices, i, 1);
        for (int k = 0; k < steps.count; k++) {
            grey += steps.step[k].operation == VG_OP_GREY;
            blur += steps.step[k].operation == VG_OP_BLUR;
            assert_true(steps.step[k].operation != VG_OP_INVERT);
        }
    }
    assert_int_equal(blur, DRAWS);
    assert_near((double)grey / DRAWS, 0.3, 5 * sqrt(0.21 / DRAWS));
}

static void test_groups_take_their_number(void **state)
{
    (void)state;
    vg_choices choices =
        parse((const char *const[]){"some_of(2:grey|invert|equalize|autocontrast)@0.5"}, 1);
    int times[VG_OPERATIONS] = {0}, drawn = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        vg_steps steps = draw(&choices, i, 1);
        assert_true(steps.count == 0 || steps.count == 2);
        drawn += steps.count == 2;
        for (int k = 0; k < steps.count; k++)
            times[steps.step[k].operation]++;
        if (steps.count)
            assert_int_not_equal(steps.step[0].operation, steps.step[1].operation);
    }
    assert_near((double)drawn / DRAWS, 0.5, 5 * sqrt(0.25 / DRAWS));
    static const vg_operation members[] = {VG_OP_GREY, VG_OP_INVERT, VG_OP_EQUALIZE,
                                           VG_OP_AUTOCONTRAST};
    for (int i = 0; i < 4; i++)
        assert_near((double)times[members[i]] / drawn, 0.5, 5 * sqrt(0.25 / drawn));
}

static void test_later_words_leave_earlier_draws(void **state)
{
    (void)state;
    vg_choices one = parse((const char *const[]){"blur=2@0.5"}, 1);
    vg_choices two = parse((const char *const[]){"blur=2@0.5", "hue=0.2@0.5"}, 2);
    for (uint64_t i = 0; i < 100; i++) {
        vg_steps a = draw(&one, i, 1), b = draw(&two, i, 1);
        assert_true(b.count >= a.count);
        if (a.count)
            assert_memory_equal(&a.step[0], &b.step[0], sizeof a.step[0]);
    }
}

static void test_strength_pulls_towards_no_change(void **state)
{
    (void)state;
    vg_choices choices = parse((const char *const[]){"contrast=0.5@1", "grey@0.8"}, 2);
    int grey = 0;
    for (uint64_t i = 0; i < DRAWS; i++) {
        vg_steps full = draw(&choices, i, 1), half = draw(&choices, i, 0.5);
        assert_near((double)half.step[0].v[0] - 1, ((double)full.step[0].v[0] - 1) / 2, 1e-6);
        grey += half.count == 2;
        vg_steps none = draw(&choices, i, 0);
        assert_int_equal(none.count, 1);
        assert_true(vg_step_is_neutral(&none.step[0]));
    }
    assert_near((double)grey / DRAWS, 0.4, 5 * sqrt(0.24 / DRAWS));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_read_back),
        cmocka_unit_test(test_errors_say_what_is_wrong),
        cmocka_unit_test(test_chances_are_kept),
        cmocka_unit_test(test_groups_take_their_number),
        cmocka_unit_test(test_later_words_leave_earlier_draws),
        cmocka_unit_test(test_strength_pulls_towards_no_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
