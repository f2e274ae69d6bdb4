/* Tests of dataset/class_scan.c: a tree of everything that is odd, read by 1 to 8 threads, against a
 * plain walk with readdir and stat. */
#include "test.h"

#include "dataset_fixture.h"

#include "audit/audit.h"
#include "load/sampler.h"

#include <dirent.h>
#include <sys/stat.h>

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

static void link_to(const char *target, const char *name)
{
    char path[4200];
    snprintf(path, sizeof path, "%s/%s", folder, name);
    assert_int_equal(symlink(target, path), 0);
}

/* The names that a plain walk finds, in order. */
struct walk {
    char **names;
    size_t count, capacity;
    dev_t devices[1000];
    ino_t inodes[1000];
    int seen;
};

static void walk_into(struct walk *w, const char *root, const char *below, int depth)
{
    char path[8300];
    struct stat st;
    struct dirent **found;
    snprintf(path, sizeof path, "%s/%s", root, below);
    if (depth > 200 || stat(path, &st) != 0)
        return;
    for (int i = 0; i < w->seen; i++)
        if (w->devices[i] == st.st_dev && w->inodes[i] == st.st_ino)
            return;
    assert_true(w->seen < 1000);
    w->devices[w->seen] = st.st_dev;
    w->inodes[w->seen++] = st.st_ino;
    int n = scandir(path, &found, NULL, NULL);
    for (int i = 1; i < n; i++) /* by strcmp: alphasort would ask the locale */
        for (int k = i; k && strcmp(found[k - 1]->d_name, found[k]->d_name) > 0; k--) {
            struct dirent *other = found[k];
            found[k] = found[k - 1];
            found[k - 1] = other;
        }
    for (int i = 0; i < n; i++) {
        char *name = vg_path_join(below, found[i]->d_name);
        snprintf(path, sizeof path, "%s/%s", root, name);
        bool there = stat(path, &st) == 0, hidden = found[i]->d_name[0] == '.';
        free(found[i]);
        if (!hidden && there && S_ISDIR(st.st_mode)) {
            walk_into(w, root, name, depth + 1);
        } else if (!hidden && (!there || S_ISREG(st.st_mode)) &&
                   vg_format_readable(vg_format_of_name(name))) {
            assert_true(vg_grow(&w->names, &w->capacity, w->count + 1, sizeof *w->names));
            w->names[w->count++] = name;
            continue;
        }
        free(name);
    }
    if (n >= 0)
        free(found);
}

/* Folders nested `levels` deep with a file on every tenth level. */
static void put_deep(const char *class, int levels)
{
    char name[1200];
    size_t length = (size_t)snprintf(name, sizeof name, "data/%s", class);
    for (int i = 0; i < levels; i++) {
        length += (size_t)snprintf(name + length, sizeof name - length, "/d");
        if (i % 10 == 9 || i == levels - 1) {
            snprintf(name + length, sizeof name - length, "/%d.jpg", i);
            put_empty(folder, name);
            name[length] = '\0';
        }
    }
}

static void put_odd_tree(void)
{
    char name[600], longest[256];
    put_empty(folder, "data/Ant/1.jpg");
    put_empty(folder, "data/ant/1.JPG");
    put_empty(folder, "data/ant/2.jpeg");
    put_empty(folder, "data/ant/.git/3.jpg");
    put_empty(folder, "data/ant/notes.txt");
    put_empty(folder, "data/ant/tiff.tiff");
    put_empty(folder, "data/empty/readme");
    put_empty(folder, "data/order/a.jpg"); /* before, between and after folders */
    put_empty(folder, "data/order/a/1.jpg");
    put_empty(folder, "data/order/a-b/1.jpg");
    put_empty(folder, "data/order/b/c/1.jpg");
    put_empty(folder, "data/order/b.jpg");
    put_empty(folder, "data/order/b/d.jpg");
    put_empty(folder, "data/order/only/folders/1.png");
    put_empty(folder, "data/odd\nname \xff/\xfe\x01.jpg");
    memset(longest, 'n', 255);
    longest[255] = '\0';
    snprintf(name, sizeof name, "data/%s/%.251s.jpg", longest, longest);
    put_empty(folder, name);
    memcpy(longest + 200, "m", 1);
    snprintf(name, sizeof name, "data/%.200s/%.251s.jpg", longest, longest);
    put_empty(folder, name);
    put_deep("nested", 100);
    put_deep("too deep", 230); /* 201 to 230: three tens of files are not reached */
    for (int k = 0; k < 20; k++)
        for (int i = 0; i < 10 * k; i++) {
            snprintf(name, sizeof name, "data/many%02d/%d_%d.png", k, k, i * 7919 % 10007);
            put_empty(folder, name);
        }
    link_to("../many05", "data/ant/linked"); /* a folder of another class */
    link_to("../ant", "data/ant/self");      /* itself: a circle */
    link_to("..", "data/nested/up");         /* all of data, this class refused in it */
    link_to("many03", "data/twin");          /* a class twice */
    link_to("gone.jpg", "data/ant/dangling.jpg");
    link_to("../Ant/1.jpg", "data/ant/zlink.jpg");
    snprintf(name, sizeof name, "%s/data/ant/pipe.jpg", folder);
    assert_int_equal(mkfifo(name, 0600), 0);
}

static vg_dataset *open_with(const char *name, int threads)
{
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options options = vg_dataset_options_default();
    options.threads = threads;
    char *path = vg_path_join(folder, name);
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    free(path);
    return dataset;
}

static void assert_same(const vg_dataset *a, const vg_dataset *b)
{
    assert_int_equal(vg_dataset_count(a), vg_dataset_count(b));
    assert_int_equal(vg_dataset_classes(a), vg_dataset_classes(b));
    vg_dataset_ignored x = vg_dataset_ignored_of(a), y = vg_dataset_ignored_of(b);
    assert_memory_equal(&x, &y, sizeof x);
    for (int k = 0; k < vg_dataset_classes(a); k++)
        assert_string_equal(vg_dataset_class_name(a, k), vg_dataset_class_name(b, k));
    for (size_t i = 0; i < vg_dataset_count(a); i++) {
        char left[4096], right[4096];
        vg_dataset_name(a, i, left, sizeof left);
        vg_dataset_name(b, i, right, sizeof right);
        assert_string_equal(left, right);
        assert_int_equal(vg_dataset_label(a, i), vg_dataset_label(b, i));
        assert_int_equal(vg_dataset_split(a, i), vg_dataset_split(b, i));
    }
    size_t kept[2], count[2];
    const char *const *notes = vg_dataset_notes(a, &kept[0], &count[0]);
    const char *const *others = vg_dataset_notes(b, &kept[1], &count[1]);
    assert_int_equal(kept[0], kept[1]);
    assert_int_equal(count[0], count[1]);
    for (size_t i = 0; i < kept[0]; i++)
        assert_string_equal(notes[i], others[i]);
}

/* The same folder opened for its counts alone, by 1 to 8 threads: the numbers of the whole index. */
static void assert_counted(const vg_dataset *whole, const char *name)
{
    size_t classes = (size_t)vg_dataset_classes(whole), size = VG_SPLIT_COUNT * classes;
    size_t *seen = calloc(size, sizeof *seen), *found = calloc(size, sizeof *found);
    char *path = vg_path_join(folder, name);
    assert_non_null(seen);
    assert_non_null(found);
    for (size_t i = 0; i < vg_dataset_count(whole); i++)
        seen[(size_t)vg_dataset_split(whole, i) * classes + (size_t)vg_dataset_label(whole, i)]++;
    for (int threads = 1; threads <= 8; threads++) {
        vg_error err = {0};
        vg_dataset *dataset;
        vg_dataset_options options = vg_dataset_options_default();
        options.threads = threads;
        options.counts_only = true;
        assert_ok(vg_dataset_open(path, &options, &dataset, &err));
        assert_true(vg_dataset_is_counted(dataset));
        assert_int_equal(vg_dataset_count(dataset), vg_dataset_count(whole));
        assert_int_equal(vg_dataset_classes(dataset), classes);
        for (int k = 0; k < (int)classes; k++)
            assert_string_equal(vg_dataset_class_name(dataset, k), vg_dataset_class_name(whole, k));
        vg_dataset_tally(dataset, found);
        assert_memory_equal(found, seen, size * sizeof *seen);
        for (int s = 0; s < VG_SPLIT_COUNT; s++) {
            vg_dataset_counts(dataset, (vg_split)s, found);
            assert_memory_equal(found, seen + (size_t)s * classes, classes * sizeof *seen);
        }
        assert_int_equal(vg_dataset_brings_splits(dataset), vg_dataset_brings_splits(whole));
        vg_dataset_ignored x = vg_dataset_ignored_of(dataset), y = vg_dataset_ignored_of(whole);
        assert_memory_equal(&x, &y, sizeof x);
        size_t kept[2], count[2];
        const char *const *notes = vg_dataset_notes(dataset, &kept[0], &count[0]);
        const char *const *others = vg_dataset_notes(whole, &kept[1], &count[1]);
        assert_int_equal(kept[0], kept[1]);
        assert_int_equal(count[0], count[1]);
        for (size_t i = 0; i < kept[0]; i++)
            assert_string_equal(notes[i], others[i]);
        vg_dataset_close(dataset);
    }
    free(path);
    free(seen);
    free(found);
}

/* Names, labels and order against the walk, class by class. */
static void assert_walked(const vg_dataset *dataset)
{
    size_t at = 0;
    for (int k = 0; k < vg_dataset_classes(dataset); k++) {
        struct walk w = {0};
        char *root = vg_path_join(folder, "data");
        walk_into(&w, root, vg_dataset_class_name(dataset, k), 0);
        free(root);
        assert_true(w.count > 0);
        for (size_t i = 0; i < w.count; i++, at++) {
            char name[4096];
            assert_true(at < vg_dataset_count(dataset));
            assert_int_equal(vg_dataset_name(dataset, at, name, sizeof name), strlen(w.names[i]));
            assert_string_equal(name, w.names[i]);
            assert_int_equal(vg_dataset_label(dataset, at), k);
            free(w.names[i]);
        }
        free(w.names);
    }
    assert_int_equal(at, vg_dataset_count(dataset));
}

static void test_odd_tree(void **state)
{
    (void)state;
    put_odd_tree();
    vg_dataset *first = open_with("data", 1);
    assert_walked(first);
    vg_dataset_ignored ignored = vg_dataset_ignored_of(first);
    assert_int_equal(ignored.empty_classes, 1);
    assert_int_equal(ignored.loose, 0);
    assert_int_equal(ignored.hidden, 2); /* ant/.git, once more by way of nested/up */
    for (int threads = 2; threads <= 8; threads++) {
        vg_dataset *other = open_with("data", threads);
        assert_same(first, other);
        vg_dataset_close(other);
    }
    assert_counted(first, "data");
    vg_dataset_close(first);
}

/* What cannot be listed is counted once, named, and does not make its class an empty one. */
static void test_unreadable_folders(void **state)
{
    (void)state;
    put_empty(folder, "data/a/1.jpg");
    put_empty(folder, "data/a/closed/2.jpg");
    put_empty(folder, "data/b/1.jpg");
    put_empty(folder, "data/c/1.jpg");
    put_empty(folder, "data/d/readme");
    char *closed = vg_path_join(folder, "data/a/closed"), *b = vg_path_join(folder, "data/b");
    assert_int_equal(chmod(closed, 0), 0);
    assert_int_equal(chmod(b, 0), 0);
    bool root = become_nobody(folder);
    vg_dataset *first = open_with("data", 1);
    assert_int_equal(vg_dataset_count(first), 2);
    assert_int_equal(vg_dataset_classes(first), 2);
    assert_int_equal(vg_dataset_ignored_of(first).unreadable, 2);
    assert_int_equal(vg_dataset_ignored_of(first).empty_classes, 1);
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(first, &kept, &count);
    assert_int_equal(kept, 2);
    assert_string_equal(notes[0], "a/closed/: Permission denied");
    assert_string_equal(notes[1], "b/: Permission denied");
    for (int threads = 2; threads <= 8; threads++) {
        vg_dataset *other = open_with("data", threads);
        assert_same(first, other);
        vg_dataset_close(other);
    }
    assert_counted(first, "data");
    vg_dataset_close(first);
    become_root(root);
    chmod(closed, 0700);
    chmod(b, 0700);
    free(closed);
    free(b);
}

/* A class whose train/ folder cannot be listed has its pictures of test/. */
static void test_unreadable_in_one_split(void **state)
{
    (void)state;
    put_empty(folder, "data/train/a/1.jpg");
    put_empty(folder, "data/train/b/1.jpg");
    put_empty(folder, "data/test/b/2.jpg");
    put_empty(folder, "data/test/c/none");
    put_empty(folder, "data/test/loose.jpg");
    put_empty(folder, "data/other/x.jpg");
    put_empty(folder, "data/readme");
    char *b = vg_path_join(folder, "data/train/b");
    assert_int_equal(chmod(b, 0), 0);
    bool root = become_nobody(folder);
    for (int threads = 1; threads <= 8; threads++) {
        vg_dataset *dataset = open_with("data", threads);
        char name[40];
        assert_int_equal(vg_dataset_count(dataset), 2);
        assert_int_equal(vg_dataset_classes(dataset), 2);
        vg_dataset_name(dataset, 0, name, sizeof name);
        assert_string_equal(name, "train/a/1.jpg");
        vg_dataset_name(dataset, 1, name, sizeof name);
        assert_string_equal(name, "test/b/2.jpg");
        assert_int_equal(vg_dataset_split(dataset, 1), VG_SPLIT_TEST);
        vg_dataset_ignored ignored = vg_dataset_ignored_of(dataset);
        assert_int_equal(ignored.unreadable, 1);
        assert_int_equal(ignored.empty_classes, 1);
        assert_int_equal(ignored.loose, 1);
        assert_int_equal(ignored.other_folders, 1);
        assert_int_equal(ignored.not_images, 2);
        if (threads == 1)
            assert_counted(dataset, "data");
        vg_dataset_close(dataset);
    }
    become_root(root);
    chmod(b, 0700);
    free(b);
}

/* More notes than are kept: the first ones by name, for any number of threads. */
static void test_many_notes(void **state)
{
    (void)state;
    char name[40];
    put_empty(folder, "data/good/1.jpg");
    for (int k = 0; k < 130; k++) {
        snprintf(name, sizeof name, "data/%03d/1.jpg", k);
        put_empty(folder, name);
        snprintf(name, sizeof name, "data/%03d/self", k);
        link_to(".", name);
    }
    vg_dataset *first = open_with("data", 1);
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(first, &kept, &count);
    assert_int_equal(kept, 100);
    assert_int_equal(count, 130);
    assert_int_equal(vg_dataset_ignored_of(first).unreadable, 130);
    assert_contains(notes[0], "000/self/: ");
    assert_contains(notes[99], "099/self/: ");
    for (int threads = 2; threads <= 8; threads++) {
        vg_dataset *other = open_with("data", threads);
        assert_same(first, other);
        vg_dataset_close(other);
    }
    assert_counted(first, "data");
    vg_dataset_close(first);
}

/* Where splits come with the data, where they look like it but hold training pictures alone (the hash
 * leaves train/ out), and where other shares are asked for. */
static void test_counts_and_splits(void **state)
{
    (void)state;
    char name[80];
    for (int i = 0; i < 90; i++) {
        snprintf(name, sizeof name, "with/%s/%c/%d.jpg",
                 i % 3 == 0   ? "train"
                 : i % 3 == 1 ? "valid"
                              : "test",
                 'a' + i % 2, i);
        put_empty(folder, name);
        snprintf(name, sizeof name, "without/train/%c/%s%d.jpg", 'a' + i % 2, i % 7 ? "" : "below/",
                 i);
        put_empty(folder, name);
    }
    put_empty(folder, "without/test/a/nothing.txt");
    vg_dataset *with = open_with("with", 2), *without = open_with("without", 2);
    assert_true(vg_dataset_brings_splits(with));
    assert_false(vg_dataset_brings_splits(without));
    assert_counted(with, "with");
    assert_counted(without, "without");
    vg_dataset_close(with);
    vg_dataset_close(without);
    vg_error err = {0};
    size_t counts[2];
    vg_dataset_options options = vg_dataset_options_default();
    options.counts_only = true;
    options.train_share = 0;
    options.val_share = 1;
    char *path = vg_path_join(folder, "without");
    assert_ok(vg_dataset_open(path, &options, &with, &err));
    vg_dataset_counts(with, VG_SPLIT_VAL, counts);
    assert_int_equal(counts[0] + counts[1], 90);
    vg_dataset_close(with);
    options.train_share = 0.7; /* the sum is above 1 */
    assert_int_equal(vg_dataset_open(path, &options, &with, &err), VG_E_ARG);
    assert_contains(err.message, "shares of train");
    free(path);
}

/* What has no class folders is read as always, and what holds nothing is refused as always. */
static void test_counts_of_other_data(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options options = vg_dataset_options_default();
    options.counts_only = true;
    put_empty(folder, "flat/1.jpg");
    put_empty(folder, "flat/2.jpg");
    char *path = vg_path_join(folder, "flat");
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    assert_false(vg_dataset_is_counted(dataset));
    assert_int_equal(vg_dataset_count(dataset), 2);
    assert_int_equal(vg_dataset_label(dataset, 1), 0);
    vg_dataset_close(dataset);
    free(path);
    put_text(folder, "list.csv", "1.jpg,a\n2.jpg,b\n");
    path = vg_path_join(folder, "list.csv");
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    assert_false(vg_dataset_is_counted(dataset));
    vg_dataset_close(dataset);
    free(path);
    put_empty(folder, "series/a/1_1.jpg");
    put_empty(folder, "series/b/1_1.jpg");
    options.split_by = VG_SPLIT_BY_GROUP;
    path = vg_path_join(folder, "series");
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    assert_false(vg_dataset_is_counted(dataset));
    assert_int_equal(vg_dataset_count(dataset), 2);
    vg_dataset_close(dataset);
    free(path);
    options.split_by = VG_SPLIT_BY_NAME;
    put_empty(folder, "none/class/readme");
    path = vg_path_join(folder, "none");
    assert_int_equal(vg_dataset_open(path, &options, &dataset, &err), VG_E_FORMAT);
    assert_contains(err.message, "no images found");
    free(path);
}

/* Nobody may ask a dataset of counts for samples. */
static void test_counts_have_no_samples(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options options = vg_dataset_options_default();
    options.counts_only = true;
    put_empty(folder, "data/a/1.jpg");
    put_empty(folder, "data/b/1.jpg");
    char *path = vg_path_join(folder, "data");
    assert_ok(vg_dataset_open(path, &options, &dataset, &err));
    const vg_selection selection = {.train_total = 1};
    assert_int_equal(vg_dataset_select(dataset, &selection, &err), VG_E_STATE);
    assert_contains(err.message, "counts alone");
    vg_sampler *sampler;
    assert_int_equal(
        vg_sampler_new(dataset, VG_SPLIT_TRAIN, VG_SAMPLING_SHUFFLE, 1, &sampler, &err),
        VG_E_STATE);
    assert_null(sampler);
    vg_audit audit;
    assert_int_equal(vg_audit_run(dataset, NULL, &audit, &err), VG_E_STATE);
    assert_contains(err.message, "counts alone");
    vg_dataset_close(dataset);
    free(path);
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup_teardown(test, setup, teardown)
    const struct CMUnitTest tests[] = {
        FRESH(test_odd_tree),
        FRESH(test_unreadable_folders),
        FRESH(test_unreadable_in_one_split),
        FRESH(test_many_notes),
        FRESH(test_counts_and_splits),
        FRESH(test_counts_of_other_data),
        FRESH(test_counts_have_no_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
