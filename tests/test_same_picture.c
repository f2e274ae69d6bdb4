/* Tests of audit/same_picture.c. */
#include "copies_fixture.h"

#include "audit/same_picture.h"

static const vg_window_part whole = {0, 1, 0, 1};
enum { SCENES = 12, W = 150, H = 110 };

static void squares_of(const vg_image *image, uint8_t *middle, uint8_t *thumb)
{
    vg_fingerprint_room room = {0};
    vg_error err = {0};
    assert_ok(vg_grey_square(image, VG_MIDDLE, &room, middle, &err));
    assert_ok(vg_grey_square(image, VG_THUMB, &room, thumb, &err));
    vg_fingerprint_room_reset(&room);
}

/* The verdict on both sizes; they must not contradict each other where it is yes. */
static vg_same judge(const vg_image *a, vg_window_part window, const vg_image *b, int turn)
{
    static uint8_t first[VG_MIDDLE * VG_MIDDLE], second[VG_MIDDLE * VG_MIDDLE];
    static uint8_t small[VG_THUMB * VG_THUMB], other[VG_THUMB * VG_THUMB];
    squares_of(a, first, small);
    squares_of(b, second, other);
    vg_same s = vg_same_picture(first, window, second, turn);
    assert_true(!s.same || vg_maybe_same(small, window, other, turn));
    return s;
}

static void test_copies_are_the_same(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    for (unsigned i = 0; i < SCENES; i++) {
        scene_make(&a, W, H, 3, i);
        vg_same s = judge(&a, whole, &a, 0);
        assert_true(s.same && s.agreeing >= 1 && fabs(s.gain - 1) < 0.01);
        for (int turn = 0; turn < VG_TURNS; turn++) {
            scene_turn(&a, turn, &b);
            /* what undoes it: mirrors change places when sides were swapped */
            int undo = turn & VG_TURN_SWAP ? (turn & VG_TURN_SWAP) | (turn & VG_TURN_X) << 1 |
                                                 (turn & VG_TURN_Y) >> 1
                                           : turn;
            assert_true(judge(&a, whole, &b, undo).same);
            if (undo != (turn ^ VG_TURN_X))
                assert_false(judge(&a, whole, &b, undo ^ VG_TURN_X).same);
        }
        scene_make(&b, W, H, 3, i);
        scene_brighten(&b, 1.3, 10); /* cut off at white */
        s = judge(&a, whole, &b, 0);
        assert_true(s.same && fabs(s.gain - 1.3) < 0.1);
        assert_true(judge(&b, whole, &a, 0).same);
    }
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_a_caption_spoils_only_its_place(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    for (unsigned i = 0; i < SCENES; i++) {
        scene_make(&a, W, H, 3, i);
        scene_make(&b, W, H, 3, i);
        scene_caption(&b);
        vg_same s = judge(&a, whole, &b, 0);
        assert_true(s.same);
        assert_true(s.agreeing < 0.97 && s.agreeing > 0.8);
    }
    vg_image_reset(&a);
    vg_image_reset(&b);
}

/* The window is known only roughly; it is found to a hundredth. */
static void test_crops_are_fitted(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    int right = 0;
    for (unsigned i = 0; i < SCENES; i++) {
        scene_make(&a, 300, 200, 3, i);
        scene_crop(&a, 21, 16, 255, 170, &b); /* 0.07..0.92, 0.08..0.93 */
        vg_same s = judge(&a, (vg_window_part){0.05, 0.95, 0.05, 0.95}, &b, 0);
        right += s.same && fabs(s.window.x0 - 0.07) < 0.01 && fabs(s.window.x1 - 0.92) < 0.01 &&
                 fabs(s.window.y0 - 0.08) < 0.01 && fabs(s.window.y1 - 0.93) < 0.01;
    }
    assert_true(right >= SCENES - 1);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_other_pictures_are_not(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    for (unsigned i = 0; i < SCENES; i++) {
        scene_make(&a, W, H, 3, i);
        scene_make(&b, W, H, 3, i + 1);
        for (int turn = 0; turn < VG_TURNS; turn++)
            assert_false(judge(&a, whole, &b, turn).same);
        scene_brighten(&b, -1, 255); /* a negative is another picture */
        scene_make(&a, W, H, 3, i + 1);
        assert_false(judge(&a, whole, &b, 0).same);
    }
    vg_image_reset(&a);
    vg_image_reset(&b);
}

/* One sky, two things in it: nearly all of the area agrees, and nothing that is worth seeing. */
static void test_two_things_on_one_ground_are_not(void **state)
{
    (void)state;
    vg_image a = {0}, b = {0};
    vg_error err = {0};
    assert_ok(vg_image_shape(&a, W, H, 1, &err));
    assert_ok(vg_image_shape(&b, W, H, 1, &err));
    for (int y = 0; y < H; y++)
        for (int x = 0; x < W; x++) {
            uint8_t sky = (uint8_t)(150 + y / 2);
            bool inside = x > 55 && x < 95 && y > 45 && y < 65;
            a.data[y * W + x] = (uint8_t)(inside ? x % 9 * 20 : sky);
            b.data[y * W + x] = (uint8_t)(inside ? (x + 2 * y) % 13 * 15 : sky);
        }
    vg_same s = judge(&a, whole, &b, 0);
    assert_true(s.agreeing > 0.75); /* the area alone would say yes */
    assert_false(s.same);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_flat_pictures_are_not(void **state)
{
    (void)state;
    uint8_t a[VG_MIDDLE * VG_MIDDLE], b[VG_MIDDLE * VG_MIDDLE];
    memset(a, 0, sizeof a);
    memset(b, 0, sizeof b);
    assert_false(vg_same_picture(a, whole, b, 0).same);
    memset(b, 255, sizeof b);
    assert_false(vg_same_picture(a, whole, b, 0).same);
    memset(a, 128, sizeof a);
    assert_false(vg_same_picture(a, whole, b, 0).same);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_copies_are_the_same),
        cmocka_unit_test(test_a_caption_spoils_only_its_place),
        cmocka_unit_test(test_crops_are_fitted),
        cmocka_unit_test(test_other_pictures_are_not),
        cmocka_unit_test(test_two_things_on_one_ground_are_not),
        cmocka_unit_test(test_flat_pictures_are_not),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
