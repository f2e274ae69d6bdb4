/* Different views of a picture: policies whose number is known, and a class counted draw by draw. */
#include "test.h"

#include "distinct.h"

static const int input[2] = {32, 32}, picture[2] = {40, 30};

static vg_view_kinds kinds_of(const char *words)
{
    vg_policy policy;
    vg_view_kinds kinds = {0};
    vg_error err;
    if (vg_policy_parse(words, &policy, &err) != VG_OK ||
        vg_view_kinds_find(&policy, input, picture, &kinds, &err) != VG_OK)
        fail_msg("%s: %s", words, err.message);
    return kinds;
}

static void policies_of_whole_steps_are_counted(void **state)
{
    (void)state;
    static const struct {
        const char *words;
        size_t views;
    } cases[] = {
        {"none", 1},
        {"flip=h", 2},
        {"flip=hv", 4},
        {"flip=alternating", 1}, /* within an epoch a picture is mirrored or is not */
        {"pad_crop=2", 25},
        {"pad_crop=2 flip=h", 50},
        {"invert@0.5", 2},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_view_kinds kinds = kinds_of(cases[i].words);
        if (kinds.count != cases[i].views || kinds.endless)
            fail_msg("%s: %zu views", cases[i].words, kinds.count);
        assert_near(vg_view_kinds_among(&kinds, 1), 1, 1e-12);
        assert_near(vg_view_kinds_among(&kinds, 1000000), (double)cases[i].views, 1e-6);
        vg_view_kinds_reset(&kinds);
    }
}

static void policies_without_steps_never_repeat(void **state)
{
    (void)state;
    static const char *const words[] = {"light", "standard", "noise=5", "brightness=0.1",
                                        "speckle=4"};
    for (size_t i = 0; i < sizeof words / sizeof *words; i++) {
        vg_view_kinds kinds = kinds_of(words[i]);
        if (!kinds.endless)
            fail_msg("%s: %zu views", words[i], kinds.count);
        assert_near(vg_view_kinds_among(&kinds, 700), 700, 0);
        vg_view_kinds_reset(&kinds);
    }
}

static void coupons_come_again(void **state)
{
    (void)state;
    vg_view_kinds kinds = kinds_of("flip=h");
    /* two equal views: 2 (1 - 1/2^n), up to the share that was drawn */
    assert_near(vg_view_kinds_among(&kinds, 2), 1.5, 0.01);
    assert_near(vg_view_kinds_among(&kinds, 3), 1.75, 0.01);
    assert_near(vg_view_kinds_among(&kinds, 0), 0, 0);
    /* 10 images seen 25 times: 5 of them twice, 5 three times */
    assert_near(vg_view_kinds_of_class(&kinds, 10, 25), 5 * 1.5 + 5 * 1.75, 0.1);
    assert_near(vg_view_kinds_of_class(&kinds, 10, 7), 7, 1e-9);
    assert_near(vg_view_kinds_of_class(&kinds, 0, 7), 0, 0);
    vg_view_kinds_reset(&kinds);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(policies_of_whole_steps_are_counted),
        cmocka_unit_test(policies_without_steps_never_repeat),
        cmocka_unit_test(coupons_come_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
