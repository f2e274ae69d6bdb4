/* Tests of audit/siblings.c: likeness of pairs against chance. */
#include "test.h"

#include "audit/siblings.h"
#include "prints_fixture.h"

enum { N = 200 };

static char *folder;
static vg_dataset *set;
static vg_fingerprint *prints;
static vg_sketches sketches;
static vg_sibling_pair pairs[N];
static uint64_t groups[N];

/* Two classes of N / 2 samples; pairs are (0, 1), (2, 3) and so on. */
static int setup(void **state)
{
    (void)state;
    vg_error err = {0};
    folder = test_folder_make();
    listing list = list_begin(folder);
    for (int i = 0; i < N; i++)
        fprintf(list.file, "%03d.jpg,%s\n", i, i < N / 2 ? "a" : "b");
    set = list_open(&list, NULL);
    prints = vg_calloc(N, sizeof *prints);
    assert_non_null(prints);
    for (size_t i = 0; i < N; i++) {
        put_print(&prints[i], i / 2, 10, i);
        groups[i] = i / 2 + 1;
        pairs[i / 2] = (vg_sibling_pair){i - i % 2, i - i % 2 + 1, groups[i]};
    }
    assert_ok(vg_sketches_make(set, prints, &sketches, &err));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_sketches_reset(&sketches);
    free(prints);
    vg_dataset_close(set);
    test_folder_remove(folder);
    return 0;
}

static void test_sketches_are_averages(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sketches some;
    for (int i = 0; i < 16; i++)
        prints[3].thumb[(i / 4) * VG_THUMB + i % 4] = (uint8_t)(16 * i);
    prints[5].ready = 0;
    assert_ok(vg_sketches_make(set, prints, &some, &err));
    assert_int_equal(some.pixels[3 * VG_SKETCH], 120);
    assert_false(vg_sketch_ready(&some, 5));
    assert_true(vg_sketch_ready(&some, 6));
    assert_int_equal(some.begin[0], 0);
    assert_int_equal(some.begin[1], N / 2 - 1);
    assert_int_equal(some.begin[2], N - 1);
    assert_int_equal(some.of[5], 6);
    assert_int_equal(vg_sketch_differ(&some, 6, 6), 0);
    vg_sketches_reset(&some);
    prints[5].ready = 1;
    assert_ok(vg_sketches_make(set, NULL, &some, &err));
    assert_false(vg_sketch_ready(&some, 0));
    vg_sketches_reset(&some);
}

static void test_siblings_are_alike(void **state)
{
    (void)state;
    vg_siblings found;
    vg_siblings_test(&sketches, set, pairs, N / 2, groups, &found);
    assert_int_equal(found.compared, N / 2);
    assert_true(found.alike);
    assert_true(found.ratio < 0.3);
}

static void test_strangers_are_not(void **state)
{
    (void)state;
    vg_sibling_pair strangers[N / 2 - 1];
    uint64_t own[N];
    vg_siblings found;
    for (size_t i = 0; i < N; i++)
        own[i] = (i + 1) / 2;
    for (size_t i = 0; i < N / 2 - 1; i++)
        strangers[i] = (vg_sibling_pair){2 * i + 1, 2 * i + 2, i + 1};
    vg_siblings_test(&sketches, set, strangers, N / 2 - 1, own, &found);
    assert_false(found.alike);
    assert_true(found.ratio > 0.9);
}

static void test_chosen_are_the_planted_ones(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_sibling_pair line[N - 1];
    bool chosen[N - 1];
    size_t some;
    for (size_t i = 0; i + 1 < N; i++)
        line[i] = (vg_sibling_pair){i, i + 1, 1};
    assert_ok(vg_siblings_choose(&sketches, set, line, N - 1, chosen, &some, &err));
    assert_int_equal(some, N / 2);
    for (size_t i = 0; i + 1 < N; i++)
        assert_int_equal(chosen[i], i % 2 == 0);
    assert_ok(vg_siblings_choose(&sketches, set, line, 0, chosen, &some, &err));
    assert_int_equal(some, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_sketches_are_averages, setup, teardown),
        cmocka_unit_test_setup_teardown(test_siblings_are_alike, setup, teardown),
        cmocka_unit_test_setup_teardown(test_strangers_are_not, setup, teardown),
        cmocka_unit_test_setup_teardown(test_chosen_are_the_planted_ones, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
