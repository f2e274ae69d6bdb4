/* Tests of dataset/series.c: what names say. */
#include "test.h"

#include "dataset/series.h"

static uint64_t group_of(const char *name)
{
    vg_series series;
    vg_series_read(name, &series);
    return vg_series_group(&series);
}

static void test_names_of_one_group(void **state)
{
    (void)state;
    static const char *const same[][2] = {
        {"sign/00001_00012_00029.png", "sign/00001_00012_00003.png"},
        {"sign/00001_00005.png", "sign/00001_00015.jpg"},
        {"train/sign/00001_00005.png", "sign/00001_00015.png"},
        {"shard-000001.tar/scene7_001.jpg", "shard-000002.tar/scene7_940.jpg"},
        {"cat/cat12_a.jpg", "cat/cat12_b.jpg"},
        {"cat/cat12_crop.jpg", "cat/cat12.jpg"},
        {"cat/x_aug3.jpg", "cat/x.png"},
        {"cat/x(1).jpg", "cat/x (22).jpg"},
        {"cat/x-copy.jpg", "cat/x - Copy (2).jpg"},
        {"cat/vid3_12_aug1.jpg", "cat/vid3_14.jpg"},
        {"cat/scene12_frame3_left.jpg", "cat/scene12_frame4_right.jpg"},
        {"cat/IMG 0007 flipped rot90.jpg", "cat/IMG 0007.jpg"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++)
        if (group_of(same[i][0]) != group_of(same[i][1]))
            fail_msg("%s and %s are of one group", same[i][0], same[i][1]);
}

static void test_names_of_different_groups(void **state)
{
    (void)state;
    static const char *const other[][2] = {
        {"sign/00001_00012_00029.png", "sign/00001_00013_00029.png"},
        {"sign/00001_00005.png", "line/00001_00005.png"}, /* tracks are numbered for each class */
        {"cat/image_0001.jpg", "cat/image_0002.jpg"},     /* a number alone is no series */
        {"cat/0001.jpg", "cat/0002.jpg"},
        {"cat/0001_0002.jpg", "cat/0003_0002.jpg"},
        {"cat/cat_crop1.jpg", "cat/cat_crop2.jpg"}, /* a class that was cropped throughout */
        {"cat/a.jpg", "cat/b.jpg"},
        {"cat/crop.jpg", "cat/flip.jpg"}, /* nothing would be left */
        {"cat/(1).jpg", "cat/(2).jpg"},
        {"cat/.jpg", "cat/x.jpg"},
    };
    for (size_t i = 0; i < sizeof other / sizeof *other; i++)
        if (group_of(other[i][0]) == group_of(other[i][1]))
            fail_msg("%s and %s are of different groups", other[i][0], other[i][1]);
}

static void test_parts(void **state)
{
    (void)state;
    vg_series a, b;
    vg_series_read("train/sign/00001_00012_00029.png", &a);
    vg_series_read("val/sign/00001_00012_00030.png", &b);
    assert_int_equal(a.numbers, 3);
    assert_int_equal(a.number, 29);
    assert_false(a.variant);
    assert_true(a.folder != b.folder);
    assert_true(a.place == b.place);
    assert_true(a.last == b.last);
    assert_true(a.stem != b.stem);
    assert_true(a.key[0] == b.key[0]);
    assert_true(a.key[1] != 0 && a.key[2] == 0); /* stars alone are no key */
    assert_true(a.skeleton == b.skeleton);
    vg_series_read("cat/image_0800.jpg", &a);
    assert_true(a.key[0] != 0 && a.key[1] == 0);
    vg_series_read("cat/0800.jpg", &a);
    assert_int_equal(a.numbers, 1);
    assert_true(a.key[0] == 0);
    vg_series_read("", &a);
    assert_int_equal(a.numbers, 0);
}

static void test_names_longer_than_any_path(void **state)
{
    (void)state;
    static char name[20001];
    memset(name, '7', sizeof name - 1);
    memcpy(name + 9000, "_", 1);
    vg_series series;
    vg_series_read(name, &series);
    assert_int_equal(series.numbers, 1); /* cut at its bound */
    memset(name, '(', sizeof name - 1);
    vg_series_read(name, &series);
    assert_false(series.variant);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_names_of_one_group),
        cmocka_unit_test(test_names_of_different_groups),
        cmocka_unit_test(test_parts),
        cmocka_unit_test(test_names_longer_than_any_path),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
