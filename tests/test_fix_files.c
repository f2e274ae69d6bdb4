/* Tests of tools/fix_files.c: any name survives, paths lead back, nothing foreign is written over. */
#include "test.h"

#include "archive_fixture.h"
#include "fix_files.h"

#include <jansson.h>
#include <limits.h>

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

static char *at(const char *name)
{
    char *path = vg_path_join(folder, name);
    assert_non_null(path);
    return path;
}

/* Everything is kept but the first sample, which is broken; the last one goes to test. */
static void make_fix(const vg_dataset *dataset, vg_fix *fix)
{
    size_t n = vg_dataset_count(dataset);
    *fix = (vg_fix){.count = n, .kept = n - 1, .moved = 1};
    fix->samples = vg_calloc(n, sizeof *fix->samples);
    fix->of = vg_alloc(n, sizeof *fix->of);
    assert_true(fix->samples && fix->of);
    for (size_t i = 0; i < n; i++) {
        fix->samples[i] = (vg_fix_sample){.kept = i > 0, .why = VG_MARK_BROKEN};
        fix->of[i] = SIZE_MAX;
    }
    fix->left_out[VG_MARK_BROKEN] = 1;
    fix->samples[n - 1].split = VG_SPLIT_TEST;
    fix->samples[n - 1].move = VG_FIX_WITH_GROUP;
}

/* Writes DIR, opens its manifest, and compares bytes, labels and splits of all that was kept. */
static vg_dataset *write_and_open(const vg_dataset *dataset, const char *to)
{
    vg_error err = {0};
    vg_fix fix;
    vg_dataset *cleaned;
    vg_fix_choice choice = vg_fix_choice_default();
    make_fix(dataset, &fix);
    assert_ok(vg_fix_check_folder(to, vg_dataset_path(dataset), &err));
    assert_ok(vg_fix_write(to, dataset, &choice, &fix, &err));
    char *manifest = vg_path_join(to, "manifest.csv");
    assert_ok(vg_dataset_open(manifest, NULL, &cleaned, &err));
    free(manifest);
    assert_int_equal(vg_dataset_count(cleaned), fix.kept);
    vg_reader a, b;
    assert_ok(vg_reader_init(&a, &err));
    assert_ok(vg_reader_init(&b, &err));
    for (size_t i = 0; i < fix.kept; i++) {
        vg_span p, q;
        assert_ok(vg_dataset_bytes(dataset, i + 1, &a, &p, &err));
        assert_ok(vg_dataset_bytes(cleaned, i, &b, &q, &err));
        assert_int_equal(p.size, q.size);
        assert_memory_equal(p.data, q.data, p.size);
        assert_string_equal(vg_dataset_class_name(dataset, vg_dataset_label(dataset, i + 1)),
                            vg_dataset_class_name(cleaned, vg_dataset_label(cleaned, i)));
        assert_int_equal(vg_dataset_split(cleaned, i), fix.samples[i + 1].split);
    }
    vg_reader_reset(&a);
    vg_reader_reset(&b);
    vg_fix_reset(&fix);
    return cleaned;
}

static vg_dataset *open_at(const char *path)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    return dataset;
}

static void test_hostile_names_survive(void **state)
{
    (void)state;
    static const char *const names[] = {"pets/cat/0.jpg",         "pets/cat/a, \"b\"\n;c\t.jpg",
                                        "pets/ \xe9 dog /x.jpg ", "pets/ \xe9 dog / y.jpg",
                                        "pets/,\"\"/\r\n.jpg",    "pets/-n/\xff\xfe.jpg"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        put_bytes(folder, names[i], names[i], strlen(names[i]));
    char *pets = at("pets"), *to = at("deep/er/fixed");
    vg_dataset *dataset = open_at(pets);
    assert_int_equal(vg_dataset_count(dataset), 5); /* one does not end in .jpg */
    vg_dataset *cleaned = write_and_open(dataset, to);
    vg_dataset_close(cleaned);
    cleaned = write_and_open(dataset, to); /* over what it wrote */
    vg_dataset_close(cleaned);
    vg_dataset_close(dataset);
    free(pets);
    free(to);
}

/* Relative paths are counted from where the folders really are. */
static void test_relative_places(void **state)
{
    (void)state;
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    put_text(".", "data/pets/a/1.jpg", "one");
    put_text(".", "data/pets/b/2.jpg", "two");
    put_text(".", "far/away/x", "");
    assert_int_equal(symlink("far/away", "link"), 0);
    assert_int_equal(symlink("data/pets", "pets"), 0);
    vg_dataset *dataset = open_at("pets/");
    static const char *const places[] = {"fixed", "link/fixed", "data/pets/fixed", "./data/../f"};
    for (int i = 0; i < 4; i++) {
        vg_dataset *cleaned = write_and_open(dataset, places[i]);
        char name[256];
        vg_dataset_name(cleaned, 0, name, sizeof name);
        static const char *const expected[] = {"../data/pets/b/2.jpg", "../../../data/pets/b/2.jpg",
                                               "../b/2.jpg", "../data/pets/b/2.jpg"};
        assert_string_equal(name, expected[i]);
        vg_dataset_close(cleaned);
    }
    vg_dataset_close(dataset);
    /* a manifest's own paths, from another folder */
    put_text(".", "list.csv", "data/pets/a/1.jpg,x\ndata/pets/b/2.jpg,y\n");
    dataset = open_at("list.csv");
    vg_dataset *cleaned = write_and_open(dataset, "far/fixed");
    vg_dataset_close(cleaned);
    vg_dataset_close(dataset);
    assert_int_equal(chdir(here), 0);
}

static void test_archives_and_shards(void **state)
{
    (void)state;
    static const packed_file pets[] = {{"cat/1.png", "one", 3, NULL},
                                       {"dog/2.png", "two2", 4, NULL},
                                       {"dog/3.png", "three", 5, NULL}};
    static const packed_file shard[] = {{"a.jpg", "A", 1, NULL},
                                        {"a.cls", "0", 1, NULL},
                                        {"b.jpg", "BB", 2, NULL},
                                        {"b.cls", "1", 1, NULL}};
    char here[PATH_MAX];
    assert_non_null(getcwd(here, sizeof here));
    assert_int_equal(chdir(folder), 0);
    pack_files("pets.zip", "zip", pets, 3);
    pack_files("x-000.tar", "ustar", shard, 4);
    pack_files("x-001.tar", "ustar", shard, 4);
    static const char *const paths[] = {"pets.zip", "x-{000..001}.tar", "x-000.tar::x-001.tar"};
    for (int i = 0; i < 3; i++) {
        vg_dataset *dataset = open_at(paths[i]);
        vg_dataset *cleaned = write_and_open(dataset, "fixed");
        assert_int_equal(vg_dataset_kind_of(cleaned), vg_dataset_kind_of(dataset));
        vg_dataset *again = write_and_open(cleaned, "again"); /* of a manifest about an archive */
        vg_dataset_close(again);
        vg_dataset_close(cleaned);
        vg_dataset_close(dataset);
    }
    assert_int_equal(chdir(here), 0);
}

static void test_foreign_folders_are_left_alone(void **state)
{
    (void)state;
    vg_error err = {0};
    char *mine = at("mine"), *file = at("mine/notes"), *fresh = at("fresh");
    put_text(folder, "mine/notes", "x");
    assert_int_equal(vg_fix_check_folder(mine, "d", &err), VG_E_ARG);
    assert_contains(err.message, "holds \"notes\", which was not written by --fix");
    assert_int_equal(vg_fix_check_folder(file, "d", &err), VG_E_ARG);
    assert_contains(err.message, "is a file");
    assert_ok(vg_fix_check_folder(fresh, "d", &err));
    put_text(folder, "fresh/fixed.json", "{}");
    assert_int_equal(vg_fix_check_folder(fresh, "d", &err), VG_E_ARG);
    put_text(folder, "fresh/fixed.json", "{\"tool\": \"balance-report --fix\",");
    put_text(folder, "fresh/manifest.csv", "");
    assert_ok(vg_fix_check_folder(fresh, "d", &err));
    char *manifest = at("fresh/manifest.csv");
    assert_int_equal(vg_fix_check_folder(fresh, manifest, &err), VG_E_ARG);
    assert_contains(err.message, "holds the dataset itself");
    free(mine);
    free(file);
    free(fresh);
    free(manifest);
}

static void test_reasons_and_words(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_fix fix;
    vg_bytes text = {0};
    vg_fix_choice choice = vg_fix_choice_default();
    char words[300];
    put_text(folder, "pets/a/\xe9.jpg", "1");
    put_text(folder, "pets/b/2.jpg", "2");
    char *pets = at("pets"), *to = at("fixed"), *reasons = at("fixed/fixed.json");
    vg_dataset *dataset = open_at(pets);
    make_fix(dataset, &fix);
    fix.samples[0].why = VG_MARK_EXACT_COPY;
    fix.of[0] = 1;
    assert_ok(vg_fix_write(to, dataset, &choice, &fix, &err));
    assert_ok(vg_file_read(reasons, 0, &text, &err));
    json_error_t why;
    json_t *root = json_loadb((const char *)text.data, text.size, 0, &why), *samples;
    assert_non_null(root);
    assert_int_equal(json_integer_value(json_object_get(root, "kept")), 1);
    samples = json_object_get(root, "samples");
    assert_int_equal(json_array_size(samples), 2);
    json_t *first = json_array_get(samples, 0), *second = json_array_get(samples, 1);
    assert_string_equal(json_string_value(json_object_get(first, "path")), "a/\\xE9.jpg");
    assert_string_equal(json_string_value(json_object_get(first, "why")), "exact-copy");
    assert_string_equal(json_string_value(json_object_get(first, "copy_of")), "b/2.jpg");
    assert_string_equal(json_string_value(json_object_get(second, "action")), "moved");
    assert_string_equal(json_string_value(json_object_get(second, "to")), "test");
    fix.left_out[VG_MARK_NEAR_COPY] = 2000;
    vg_fix_words(&fix, words, sizeof words);
    assert_contains(words, "1 of 2 images kept; left out: 1 broken, 2,000 near-copy; moved");
    json_decref(root);
    vg_bytes_reset(&text);
    vg_fix_reset(&fix);
    vg_dataset_close(dataset);
    free(pets);
    free(to);
    free(reasons);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_hostile_names_survive, setup, teardown),
        cmocka_unit_test_setup_teardown(test_relative_places, setup, teardown),
        cmocka_unit_test_setup_teardown(test_archives_and_shards, setup, teardown),
        cmocka_unit_test_setup_teardown(test_foreign_folders_are_left_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(test_reasons_and_words, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
