/* Tests of audit/fix.c: what is left out, and which split the rest goes to. */
#include "test.h"

#include "audit/fix.h"
#include "prints_fixture.h"

#include <stdio.h>

static char *folder;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* `tracks` tracks of 4 frames in each of 2 classes; `split` in a column if the data bring them. */
static vg_dataset *open_tracks(int first, int tracks, bool splits)
{
    listing list = list_begin(folder);
    for (int k = 0; k < 2; k++)
        for (int i = 0; i < 4 * tracks; i++)
            fprintf(list.file, "%d/%04d_%d.png,%d%s\n", k, first + i / 4, i % 4, k,
                    !splits      ? ""
                    : i % 4 == 3 ? ",test"
                                 : ",train");
    return list_open(&list, NULL);
}

/* An audit that found nothing but the tracks. */
static void audit_tracks(const vg_dataset *dataset, vg_audit *audit)
{
    vg_error err = {0};
    size_t n = vg_dataset_count(dataset);
    *audit = (vg_audit){.found = n};
    assert_ok(vg_marks_init(&audit->marks, n, &err));
    vg_origins *o = &audit->origins;
    o->members = vg_alloc(n, sizeof *o->members);
    o->groups = vg_calloc(n / 4, sizeof *o->groups);
    assert_true(o->members && o->groups);
    for (size_t i = 0; i < n; i++) {
        o->members[i] = i;
        if (i % 4 == 0)
            o->groups[o->group_count++] = (vg_origin_group){.begin = i, .count = 4};
    }
}

static void test_words(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice;
    char text[200];
    assert_ok(vg_fix_choice_parse("broken,copies,conflicts,leaks", &choice, &err));
    vg_fix_choice all = vg_fix_choice_default();
    assert_int_equal(choice.leave_out, all.leave_out);
    assert_int_equal(choice.together, all.together);
    vg_fix_choice_print(&choice, text, sizeof text);
    assert_string_equal(text, "broken,exact-copy,near-copy,conflicts,leaks");
    assert_ok(vg_fix_choice_parse("blurred", &choice, &err));
    assert_int_equal(choice.leave_out, 1 << VG_MARK_BLURRED);
    assert_false(choice.together);
    assert_ok(vg_fix_choice_parse("origin-leak", &choice, &err));
    assert_int_equal(choice.leave_out, 0);
    assert_true(choice.together);
    assert_int_equal(vg_fix_choice_parse("broken,copys", &choice, &err), VG_E_ARG);
    assert_contains(err.message, "found \"copys\" (did you mean \"copies\"?)");
    assert_int_equal(vg_fix_choice_parse("", &choice, &err), VG_E_ARG);
    assert_int_equal(vg_fix_choice_parse("leaks,", &choice, &err), VG_E_ARG);
}

static void test_tracks_go_by_their_names(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    vg_dataset_options options = vg_dataset_options_default();
    options.split_by = VG_SPLIT_BY_GROUP;
    vg_dataset *dataset = open_tracks(0, 100, false), *grouped;
    assert_ok(vg_dataset_open(vg_dataset_path(dataset), &options, &grouped, &err));
    vg_audit audit;
    vg_fix fix;
    audit_tracks(dataset, &audit);
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.kept, 800);
    assert_true(fix.moved > 200);
    assert_int_equal(fix.after[0] + fix.after[1] + fix.after[2], 800);
    for (size_t i = 0; i < 800; i++) {
        assert_int_equal(fix.samples[i].split, vg_dataset_split(grouped, i));
        assert_int_equal(fix.samples[i].move, fix.samples[i].split == vg_dataset_split(dataset, i)
                                                  ? VG_FIX_STAYS
                                                  : VG_FIX_WITH_GROUP);
    }
    vg_fix_reset(&fix);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
    vg_dataset_close(grouped);
    /* more tracks move none of these */
    vg_dataset *some = open_tracks(50, 40, false);
    audit_tracks(some, &audit);
    assert_ok(vg_fix_plan(some, &audit, &choice, &fix, &err));
    dataset = open_tracks(0, 100, false);
    vg_audit whole;
    vg_fix larger;
    audit_tracks(dataset, &whole);
    assert_ok(vg_fix_plan(dataset, &whole, &choice, &larger, &err));
    for (size_t i = 0; i < 320; i++)
        assert_int_equal(fix.samples[i].split,
                         larger.samples[i < 160 ? i + 200 : i - 160 + 600].split);
    vg_fix_reset(&fix);
    vg_fix_reset(&larger);
    vg_audit_reset(&audit);
    vg_audit_reset(&whole);
    vg_dataset_close(some);
    vg_dataset_close(dataset);
}

static void test_own_splits_keep_what_most_have(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    vg_dataset *dataset = open_tracks(0, 10, true);
    vg_audit audit;
    vg_fix fix;
    audit_tracks(dataset, &audit);
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.moved, 20); /* the one frame of each that was in test */
    assert_int_equal(fix.after[VG_SPLIT_TRAIN], 80);
    assert_int_equal(fix.samples[3].move, VG_FIX_WITH_GROUP);
    vg_fix_reset(&fix);
    assert_ok(vg_fix_choice_parse("broken", &choice, &err));
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.moved, 0);
    assert_int_equal(fix.after[VG_SPLIT_TEST], 20);
    vg_fix_reset(&fix);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

/* Three tracks are enough that each split gets one; two are not. */
static void test_no_split_of_a_class_is_empty(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    for (int first = 0; first < 12; first++) {
        vg_dataset *dataset = open_tracks(first, 3, false);
        vg_audit audit;
        vg_fix fix;
        audit_tracks(dataset, &audit);
        assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
        for (int s = 0; s < VG_SPLIT_COUNT; s++)
            assert_int_equal(fix.after[s], 8);
        for (size_t i = 0; i < 24; i++)
            assert_int_equal(fix.samples[i].split, fix.samples[i - i % 4].split);
        vg_fix_reset(&fix);
        vg_audit_reset(&audit);
        vg_dataset_close(dataset);
    }
}

static void test_copies_and_conflicts(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    vg_dataset *dataset = open_tracks(0, 10, true);
    vg_audit audit;
    vg_fix fix;
    audit_tracks(dataset, &audit);
    audit.origins.group_count = 0;
    /* 0 = 3 = 4, 3 stays; 8 = 48 of another class; 12 is broken, and flat */
    size_t members[] = {0, 3, 4, 8, 48};
    vg_copy_group groups[] = {{.begin = 0, .count = 3, .stays = 3},
                              {.begin = 3, .count = 2, .labels_differ = true, .stays = 8}};
    vg_copy links[] = {
        {.first = 0, .second = 3}, {.first = 3, .second = 4}, {.first = 8, .second = 48}};
    audit.copies = (vg_duplicates){
        .links = links, .link_count = 3, .members = members, .groups = groups, .group_count = 2};
    vg_marks_set(&audit.marks, 0, VG_MARK_EXACT_COPY);
    vg_marks_set(&audit.marks, 4, VG_MARK_NEAR_COPY);
    vg_marks_set(&audit.marks, 8, VG_MARK_LABEL_CONFLICT);
    vg_marks_set(&audit.marks, 48, VG_MARK_LABEL_CONFLICT);
    vg_marks_set(&audit.marks, 48, VG_MARK_EXACT_COPY);
    vg_marks_set(&audit.marks, 12, VG_MARK_FLAT);
    vg_marks_set(&audit.marks, 12, VG_MARK_BROKEN);
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.kept, 75);
    assert_int_equal(fix.left_out[VG_MARK_EXACT_COPY], 1);
    assert_int_equal(fix.left_out[VG_MARK_NEAR_COPY], 1);
    assert_int_equal(fix.left_out[VG_MARK_LABEL_CONFLICT], 2);
    assert_int_equal(fix.left_out[VG_MARK_BROKEN], 1);
    assert_int_equal(fix.of[0], 3);
    assert_int_equal(fix.of[4], 3);
    assert_true(fix.of[3] == SIZE_MAX && fix.of[48] == SIZE_MAX && fix.samples[3].kept);
    assert_int_equal(fix.moved, 0); /* 3 stays in test: its copies are gone */
    vg_fix_reset(&fix);
    audit.copies.links[2].kind = VG_COPY_CROPPED; /* may be two things that look alike */
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.kept, 77);
    assert_int_equal(fix.left_out[VG_MARK_LABEL_CONFLICT], 0);
    vg_fix_reset(&fix);
    assert_ok(vg_fix_choice_parse("label-conflict", &choice, &err)); /* the mark itself */
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.left_out[VG_MARK_LABEL_CONFLICT], 2);
    vg_fix_reset(&fix);
    assert_ok(vg_fix_choice_parse("leaks", &choice, &err));
    assert_ok(vg_fix_plan(dataset, &audit, &choice, &fix, &err));
    assert_int_equal(fix.kept, 80);
    assert_int_equal(fix.moved, 1); /* 3 goes to train, where 0 and 4 are */
    assert_int_equal(fix.samples[3].split, VG_SPLIT_TRAIN);
    vg_fix_reset(&fix);
    audit.copies = (vg_duplicates){0};
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void test_errors(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    vg_dataset *dataset = open_tracks(0, 1, false);
    vg_audit audit;
    vg_fix fix;
    audit_tracks(dataset, &audit);
    audit.labels_only = true;
    assert_int_equal(vg_fix_plan(dataset, &audit, &choice, &fix, &err), VG_E_ARG);
    assert_contains(err.message, "no picture was opened");
    audit.labels_only = false;
    for (size_t i = 0; i < 8; i++)
        vg_marks_set(&audit.marks, i, VG_MARK_BROKEN);
    assert_int_equal(vg_fix_plan(dataset, &audit, &choice, &fix, &err), VG_E_STATE);
    assert_contains(err.message, "nothing would be left of 8 samples");
    assert_null(fix.samples);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words, setup, teardown),
        cmocka_unit_test_setup_teardown(test_tracks_go_by_their_names, setup, teardown),
        cmocka_unit_test_setup_teardown(test_own_splits_keep_what_most_have, setup, teardown),
        cmocka_unit_test_setup_teardown(test_no_split_of_a_class_is_empty, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copies_and_conflicts, setup, teardown),
        cmocka_unit_test_setup_teardown(test_errors, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
