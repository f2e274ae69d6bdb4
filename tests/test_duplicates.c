/* Tests of audit/neighbours.c and audit/duplicates.c. */
#include "copies_fixture.h"

#include "audit/duplicates.h"
#include "audit/neighbours.h"
#include "dataset_fixture.h"

enum { SCENES = 60 };

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

static void put_picture(const char *name, const vg_image *image, int quality)
{
    vg_bytes bytes = {0};
    vg_error err = {0};
    assert_ok(vg_jpeg_encode(image, quality, &bytes, &err));
    put_bytes(folder, name, bytes.data, bytes.size);
    vg_bytes_reset(&bytes);
}

/* The dataset with the prints of all its pictures. */
static vg_dataset *open_all(vg_fingerprint **prints)
{
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader;
    vg_image image = {0};
    vg_fingerprint_room room = {0};
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_ok(vg_reader_init(&reader, &err));
    *prints = vg_calloc(vg_dataset_count(dataset), sizeof **prints);
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        if (vg_dataset_read(dataset, i, NULL, &reader, &image, NULL, NULL))
            continue;
        assert_ok(vg_fingerprint_make(&image, &room, &(*prints)[i], &err));
    }
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    vg_fingerprint_room_reset(&room);
    return dataset;
}

static size_t index_of(const vg_dataset *dataset, const char *name)
{
    char at[256];
    for (size_t i = 0; i < vg_dataset_count(dataset); i++) {
        vg_dataset_name(dataset, i, at, sizeof at);
        if (strcmp(at, name) == 0)
            return i;
    }
    fail_msg("no sample %s", name);
    return 0;
}

/* The group that holds a sample, or NULL. */
static const vg_copy_group *group_of(const vg_duplicates *found, size_t index)
{
    for (size_t g = 0; g < found->group_count; g++)
        for (size_t m = 0; m < found->groups[g].count; m++)
            if (found->members[found->groups[g].begin + m] == index)
                return &found->groups[g];
    return NULL;
}

static void put_scenes(void)
{
    vg_image a = {0}, b = {0};
    char name[64];
    for (unsigned i = 0; i < SCENES; i++) {
        scene_make(&a, 200 + (int)i, 160, 3, i);
        snprintf(name, sizeof name, "train/%c/%03u.jpg", 'a' + i % 2, i);
        put_picture(name, &a, 92);
        if (i == 0) { /* in the other class, as the same file */
            put_picture("train/b/same.jpg", &a, 92);
        } else if (i == 1) {
            put_picture("test/b/resaved.jpg", &a, 40);
        } else if (i == 2) {
            scene_turn(&a, VG_TURN_SWAP | VG_TURN_X, &b);
            put_picture("train/a/turned.jpg", &b, 92);
        } else if (i == 3) {
            scene_crop(&a, 12, 9, 182, 144, &b);
            put_picture("train/b/cropped.jpg", &b, 92);
        } else if (i == 4) {
            scene_caption(&a);
            put_picture("train/a/caption.jpg", &a, 92);
        } else if (i == 5) {
            scene_brighten(&a, 1.2, 0);
            put_picture("train/b/brighter.jpg", &a, 92);
        }
    }
    vg_error err = {0};
    assert_ok(vg_image_shape(&a, 64, 64, 1, &err));
    memset(a.data, 255, 64 * 64);
    put_picture("train/a/white.jpg", &a, 92);
    memset(a.data, 0, 64 * 64);
    put_picture("train/a/black.jpg", &a, 92);
    put_text(folder, "train/a/broken.jpg", "not a picture");
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_finds_every_kind_of_copy(void **state)
{
    (void)state;
    static const struct {
        const char *original, *copy;
        vg_copy_kind kind;
        bool conflict, leak;
    } expected[] = {
        {"train/a/000.jpg", "train/b/same.jpg", VG_COPY_EXACT, true, false},
        {"train/b/001.jpg", "test/b/resaved.jpg", VG_COPY_RESAVED, false, true},
        {"train/a/002.jpg", "train/a/turned.jpg", VG_COPY_TURNED, false, false},
        {"train/b/003.jpg", "train/b/cropped.jpg", VG_COPY_CROPPED, false, false},
        {"train/a/004.jpg", "train/a/caption.jpg", VG_COPY_EDITED, false, false},
        {"train/b/005.jpg", "train/b/brighter.jpg", VG_COPY_RESAVED, false, false},
    };
    enum { KINDS = sizeof expected / sizeof expected[0] };
    put_scenes();
    vg_fingerprint *prints;
    vg_dataset *dataset = open_all(&prints);
    vg_duplicates found;
    vg_error err = {0};
    assert_ok(vg_duplicates_find(dataset, prints, 2, &found, &err));
    for (int i = 0; i < KINDS; i++) {
        const vg_copy_group *g = group_of(&found, index_of(dataset, expected[i].original));
        assert_non_null(g);
        assert_ptr_equal(g, group_of(&found, index_of(dataset, expected[i].copy)));
        assert_int_equal(g->count, 2);
        if (g->weakest != expected[i].kind)
            fail_msg("%s: %s", expected[i].copy, vg_copy_name(g->weakest));
        assert_int_equal(g->labels_differ, expected[i].conflict);
        assert_int_equal(g->splits_differ, expected[i].leak);
    }
    assert_int_equal(found.group_count, KINDS);
    assert_int_equal(found.link_count, KINDS);
    assert_int_equal(found.extra, KINDS);
    assert_int_equal(found.exact_extra, 1);
    assert_int_equal(found.conflicts, 1);
    vg_duplicates_reset(&found);
    free(prints);
    vg_dataset_close(dataset);
}

static void test_same_for_any_number_of_threads(void **state)
{
    (void)state;
    put_scenes();
    vg_fingerprint *prints;
    vg_dataset *dataset = open_all(&prints);
    vg_duplicates one, three;
    vg_error err = {0};
    assert_ok(vg_duplicates_find(dataset, prints, 1, &one, &err));
    assert_ok(vg_duplicates_find(dataset, prints, 3, &three, &err));
    assert_int_equal(one.link_count, three.link_count);
    assert_int_equal(one.compared, three.compared);
    for (size_t i = 0; i < one.link_count; i++) {
        assert_int_equal(one.links[i].first, three.links[i].first);
        assert_int_equal(one.links[i].second, three.links[i].second);
        assert_int_equal(one.links[i].kind, three.links[i].kind);
    }
    vg_duplicates_reset(&one);
    vg_duplicates_reset(&three);
    free(prints);
    vg_dataset_close(dataset);
}

/* A file that changed since: no verdict is made up for it. */
static void test_a_file_that_is_gone_is_no_copy(void **state)
{
    (void)state;
    put_scenes();
    vg_fingerprint *prints;
    vg_dataset *dataset = open_all(&prints);
    char *path = vg_path_join(folder, "test/b/resaved.jpg");
    assert_int_equal(unlink(path), 0);
    vg_duplicates found;
    vg_error err = {0};
    assert_ok(vg_duplicates_find(dataset, prints, 2, &found, &err));
    assert_null(group_of(&found, index_of(dataset, "test/b/resaved.jpg")));
    assert_int_equal(found.group_count, 5);
    vg_duplicates_reset(&found);
    free(path);
    free(prints);
    vg_dataset_close(dataset);
}

/* Thousands of pictures that all look alike are not compared with each other, yet hang together. */
static void test_crowds_are_bounded(void **state)
{
    (void)state;
    enum { CROWD = 3000, FEW = 9, MOST = 3 * 8 };
    vg_image image = {0};
    vg_fingerprint_room room = {0};
    vg_error err = {0};
    vg_fingerprint *prints = vg_calloc(CROWD, sizeof *prints);
    uint8_t *skip = vg_calloc(CROWD, 1);
    vg_candidate *list;
    size_t count, dropped;
    assert_non_null(prints);
    assert_non_null(skip);
    scene_make(&image, 64, 64, 1, 7);
    assert_ok(vg_fingerprint_make(&image, &room, &prints[0], &err));
    for (int i = 1; i < CROWD; i++) {
        prints[i] = prints[0];
        prints[i].thumb[i % (VG_THUMB * VG_THUMB)] ^= 1;
    }
    assert_ok(vg_neighbours_find(prints, NULL, FEW, 2, &list, &count, &dropped, &err));
    assert_int_equal(dropped, 0);
    size_t wholes = 0;
    for (size_t i = 0; i < count; i++)
        wholes += list[i].part == VG_WINDOW_WHOLE;
    assert_int_equal(wholes, FEW * (FEW - 1) / 2);
    free(list);
    assert_ok(vg_neighbours_find(prints, NULL, CROWD, 2, &list, &count, &dropped, &err));
    assert_true(dropped > 0);
    assert_true(count <= (size_t)CROWD * MOST && count >= CROWD - 1);
    free(list);
    memset(skip, 1, CROWD);
    skip[5] = skip[2999] = 0;
    assert_ok(vg_neighbours_find(prints, skip, CROWD, 2, &list, &count, &dropped, &err));
    assert_true(count >= 1);
    assert_int_equal(list[0].a, 5);
    assert_int_equal(list[0].b, 2999);
    free(list);
    vg_image_reset(&image);
    vg_fingerprint_room_reset(&room);
    free(prints);
    free(skip);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_finds_every_kind_of_copy, setup, teardown),
        cmocka_unit_test_setup_teardown(test_same_for_any_number_of_threads, setup, teardown),
        cmocka_unit_test_setup_teardown(test_a_file_that_is_gone_is_no_copy, setup, teardown),
        cmocka_unit_test(test_crowds_are_bounded),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
