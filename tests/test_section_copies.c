/* Tests of tools/report/section_copies.c on a small dataset with copies of every kind. */
#include "copies_fixture.h"

#include "dataset_fixture.h"
#include "report/audit.h"

#include <jansson.h>
#include <stdlib.h>

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
    vg_findings findings;
} fixture;

static int setup(void **state)
{
    static fixture f;
    f = (fixture){.folder = test_folder_make()};
    *state = &f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    vg_findings_reset(&f->findings);
    vg_audit_reset(&f->audit);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
    return 0;
}

static void put_scene(const fixture *f, const char *name, unsigned scene, int turn, int quality)
{
    vg_image image = {0}, turned = {0};
    vg_bytes bytes = {0};
    vg_error err = {0};
    scene_make(&image, 160, 120, 3, scene);
    scene_turn(&image, turn, &turned);
    assert_ok(vg_jpeg_encode(&turned, quality, &bytes, &err));
    put_bytes(f->folder, name, bytes.data, bytes.size);
    vg_bytes_reset(&bytes);
    vg_image_reset(&image);
    vg_image_reset(&turned);
}

static void put_others(const fixture *f, const char *prefix, unsigned from, unsigned count)
{
    char name[64];
    for (unsigned i = 0; i < count; i++) {
        snprintf(name, sizeof name, "%s%c/%02u.jpg", prefix, 'a' + i % 2, from + i);
        put_scene(f, name, from + i, 0, 90);
    }
}

static void audit_all(fixture *f)
{
    vg_error err = {0};
    assert_ok(vg_dataset_open(f->folder, NULL, &f->dataset, &err));
    assert_ok(vg_audit_run(f->dataset, NULL, &f->audit, &err));
    assert_ok(vg_findings_make(f->dataset, &f->audit, &f->findings, &err));
}

/* The report in one of its forms, on the heap. */
static char *text_of(const fixture *f)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    vg_audit_text(out, f->dataset, &f->audit, &f->findings, 160, false);
    assert_int_equal(fclose(out), 0);
    for (char *at = text; (at = strstr(at, "\n           ")) != NULL;) /* rows unfolded */
        memmove(at + 1, at + 12, strlen(at + 12) + 1), *at = ' ';
    return text;
}

static json_t *json_of(const fixture *f)
{
    char *text = NULL;
    size_t size = 0;
    vg_error err = {0};
    FILE *out = open_memstream(&text, &size);
    assert_ok(vg_audit_json(out, f->dataset, &f->audit, &f->findings, false, &err));
    assert_int_equal(fclose(out), 0);
    json_t *root = json_loads(text, 0, NULL);
    assert_non_null(root);
    free(text);
    return root;
}

static void put_all_kinds(const fixture *f)
{
    put_others(f, "train/", 0, 20);
    put_others(f, "test/", 20, 20);
    put_scene(f, "test/a/leak.jpg", 2, 0, 60);
    put_scene(f, "test/b/mirrored.jpg", 5, VG_TURN_X, 90);
    put_scene(f, "train/b/<i>.jpg", 4, 0, 50); /* 04.jpg is "a" */
    put_scene(f, "train/a/twin.jpg", 6, 0, 90);
}

static void test_words_name_what_is_wrong(void **state)
{
    fixture *f = *state;
    put_all_kinds(f);
    audit_all(f);
    char *text = text_of(f);
    assert_contains(text, "conflicts  1 group of copies has several labels: train/a/04.jpg is "
                          "\"a\", train/b/<i>.jpg \"b\"");
    assert_contains(text, "leaks      2 of 22 test images have a copy in train: a network that "
                          "knows them by heart gains up to 9.1 points of test accuracy");
    assert_contains(text, "copies     4 of 44 images are there already, in 4 groups of copies: 1 "
                          "with the same pixels, 2 resaved, 1 turned");
    assert_contains(f->findings.first.text, "2 of 22 test images have a copy in train");
    assert_string_equal(f->findings.first.after, " --fix cleaned");
    assert_false(f->findings.clean);
    free(text);
}

static void test_json_has_every_link(void **state)
{
    fixture *f = *state;
    put_all_kinds(f);
    audit_all(f);
    json_t *root = json_of(f), *copies = json_object_get(root, "copies");
    json_t *groups = json_object_get(copies, "groups");
    assert_int_equal(json_array_size(groups), 4);
    assert_int_equal(json_integer_value(json_object_get(copies, "extra")), 4);
    assert_int_equal(json_integer_value(json_object_get(copies, "exact")), 1);
    assert_int_equal(json_integer_value(json_object_get(copies, "leaks")), 2);
    assert_int_equal(json_integer_value(json_object_get(copies, "conflicts")), 1);
    json_t *leaked = json_object_get(copies, "leaked_same_label");
    assert_int_equal(json_integer_value(json_object_get(leaked, "test")), 2);
    assert_int_equal(json_integer_value(json_object_get(leaked, "val")), 0);
    int found = 0;
    for (size_t g = 0; g < 4; g++) {
        json_t *group = json_array_get(groups, g);
        json_t *link = json_array_get(json_object_get(group, "links"), 0);
        assert_int_equal(json_array_size(json_object_get(group, "members")), 2);
        assert_int_equal(json_array_size(json_object_get(group, "links")), 1);
        assert_int_equal(json_array_size(json_object_get(link, "window")), 4);
        if (strcmp(json_string_value(json_object_get(group, "kind")), "turned") != 0)
            continue;
        found++;
        assert_true(json_is_true(json_object_get(group, "leak")));
        assert_false(json_is_true(json_object_get(group, "label_conflict")));
        assert_string_equal(json_string_value(json_object_get(group, "stays")),
                            "test/b/mirrored.jpg");
        assert_string_equal(json_string_value(json_object_get(link, "turn")), "mirrored");
    }
    assert_int_equal(found, 1);
    json_decref(root);
}

static void test_page_shows_groups(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_bytes page = {0};
    put_all_kinds(f);
    audit_all(f);
    char *path = vg_path_join(f->folder, "page.html");
    assert_ok(vg_audit_html(path, f->dataset, &f->audit, &f->findings, &err));
    assert_ok(vg_file_read(path, 0, &page, &err));
    char *text = calloc(page.size + 1, 1);
    assert_non_null(text);
    memcpy(text, page.data, page.size);
    const char *copies = strstr(text, "Copies</h2>");
    assert_non_null(copies);
    const char *conflict = strstr(copies, "labels differ"), *leak = strstr(copies, "<td>leak");
    const char *plain = strstr(copies, "<td>copies");
    assert_true(conflict && leak && plain && conflict < leak && leak < plain);
    assert_contains(copies, "train/b/&lt;i&gt;.jpg");
    assert_null(strstr(text, "<i>.jpg"));
    assert_contains(copies, "data:image/jpeg;base64,");
    assert_contains(copies, "turned, mirrored");
    free(text);
    vg_bytes_reset(&page);
    free(path);
}

static void test_a_split_by_name_is_told_so(void **state)
{
    fixture *f = *state;
    char name[64];
    put_others(f, "", 0, 60);
    for (unsigned i = 0; i < 60; i++) {
        snprintf(name, sizeof name, "%c/again-%02u.jpg", 'a' + i % 2, i);
        put_scene(f, name, i, 0, 70);
    }
    audit_all(f);
    char *text = text_of(f);
    assert_contains(text, "would have a copy in train after the split by name");
    assert_contains(text, "60 of 120 images are there already, in 60 groups of copies: 60 resaved");
    assert_null(strstr(text, "conflicts"));
    free(text);
}

static void test_nothing_is_said_so(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    put_others(f, "", 0, 30);
    audit_all(f);
    char *text = text_of(f);
    assert_contains(text, "copies     none: no image is another one saved again");
    assert_null(strstr(text, "leaks"));
    free(text);
    vg_findings_reset(&f->findings);
    vg_audit_reset(&f->audit);
    assert_ok(vg_audit_labels(f->dataset, &f->audit, &err));
    assert_ok(vg_findings_make(f->dataset, &f->audit, &f->findings, &err));
    text = text_of(f);
    assert_null(strstr(text, "copies"));
    free(text);
    json_t *root = json_of(f);
    assert_true(json_is_null(json_object_get(root, "copies")));
    json_decref(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_words_name_what_is_wrong, setup, teardown),
        cmocka_unit_test_setup_teardown(test_json_has_every_link, setup, teardown),
        cmocka_unit_test_setup_teardown(test_page_shows_groups, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_split_by_name_is_told_so, setup, teardown),
        cmocka_unit_test_setup_teardown(test_nothing_is_said_so, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
