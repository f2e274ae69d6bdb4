/* Tests of load/cache_packed.c and load/cache_build.c: the file below the cache. */
#include "test.h"

#include "load/cache_build.h"

#include "base/file.h"

#include <sys/stat.h>
#include <unistd.h>

typedef struct fixture {
    char *folder, *path, *temporary;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);
    f->folder = test_folder_make();
    f->path = vg_path_join(f->folder, "packed");
    f->temporary = vg_path_join(f->folder, "packed.building");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;
    test_folder_remove(f->folder);
    free(f->path);
    free(f->temporary);
    free(f);
    return 0;
}

static vg_build *begin(const fixture *f, uint64_t budget)
{
    vg_error err = {0};
    vg_build *build = NULL;
    assert_ok(vg_build_open(f->path, "key", budget, &build, &err));
    return build;
}

/* Appends a grey picture of size x 8 whose pixels say `value`; its names are made from it, too. */
static const vg_record *append(vg_build *build, int size, int value, vg_packed_entry *entry)
{
    vg_error err = {0};
    vg_image image = {0};
    _Alignas(vg_record) uint8_t head[VG_RECORD_HEAD_MAX];
    vg_decode_info info = {.region = vg_region_whole(size, 8, 1)};
    assert_ok(vg_image_shape(&image, size, 8, 1, &err));
    memset(image.data, value, vg_image_bytes(&image));
    size_t length = vg_record_make(&image, &info, (uint64_t)value, head);
    vg_record_seal(head, image.data);
    vg_status status;
    *entry = (vg_packed_entry){.name = {7, (uint64_t)value}, .content = {(uint64_t)value, 0}};
    const vg_record *record =
        vg_build_append(build, head, length, image.data, &entry->offset, &status, &err);
    assert_int_equal(status, VG_OK);
    entry->bytes = record ? record->bytes : 0;
    vg_image_reset(&image);
    return record;
}

static vg_packed *open_packed(const fixture *f, const char *expected_why)
{
    vg_error err = {0};
    vg_packed *packed;
    char why[200];
    assert_ok(vg_packed_open(f->path, "key", &packed, why, &err));
    if (expected_why) {
        assert_null(packed);
        assert_contains(why, expected_why);
    } else {
        assert_string_equal(why, "");
    }
    return packed;
}

static int value_of(const vg_record *record)
{
    vg_cached picture;
    assert_non_null(record);
    vg_record_open(record, &picture);
    return picture.view.data[0];
}

static void test_names_that_collide(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    enum { MANY = 200 };
    vg_packed_entry entries[MANY];
    assert_null(open_packed(f, NULL)); /* no file: nothing wrong */
    vg_build *build = begin(f, 1 << 20);
    for (int i = 0; i < MANY; i++)
        assert_int_equal(value_of(append(build, 1 + i % 50, i, &entries[i])), i);
    assert_ok(vg_build_commit(build, entries, MANY, &err));
    assert_false(vg_path_exists(f->temporary));
    vg_packed *packed = open_packed(f, NULL);
    assert_int_equal(packed->count, MANY);
    for (int i = 0; i < MANY; i++) {
        const vg_packed_entry *entry = vg_packed_by_name(packed, (vg_hash128){7, (uint64_t)i});
        assert_non_null(entry);
        assert_int_equal(value_of(vg_packed_record(packed, entry)), i);
        uint64_t cursor = UINT64_MAX;
        assert_ptr_equal(vg_packed_by_content(packed, (vg_hash128){(uint64_t)i, 0}, &cursor),
                         entry);
        assert_null(vg_packed_by_content(packed, (vg_hash128){(uint64_t)i, 0}, &cursor));
    }
    assert_null(vg_packed_by_name(packed, (vg_hash128){7, MANY}));
    assert_null(vg_packed_by_name(packed, (vg_hash128){8, 0}));
    assert_true(vg_packed_current(packed, f->path));
    assert_true(vg_packed_whole(packed));
    vg_packed_close(packed);
    vg_build_close(build);
}

static void test_made_up_entries(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_packed_entry good[2], e[8];
    vg_build *build = begin(f, 1 << 20);
    append(build, 30, 1, &good[0]);
    append(build, 30, 2, &good[1]);
    for (int i = 0; i < 8; i++) {
        e[i] = good[0];
        e[i].name.high = (uint64_t)i;
    }
    e[0].offset += 8;
    e[1].offset = 0;
    e[2].offset = UINT64_MAX - 63;
    e[3].bytes = UINT64_MAX;
    e[4].bytes += 64;
    e[5].content.low = 2; /* another picture's bytes */
    e[6].offset += 64;    /* the pixels are no head */
    assert_ok(vg_build_commit(build, e, 8, &err));
    vg_packed *packed = open_packed(f, NULL);
    for (int i = 0; i < 7; i++) {
        const vg_packed_entry *entry = vg_packed_by_name(packed, e[i].name);
        assert_non_null(entry);
        assert_null(vg_packed_record(packed, entry));
    }
    assert_int_equal(value_of(vg_packed_record(packed, vg_packed_by_name(packed, e[7].name))), 1);
    vg_packed_close(packed);
    vg_build_close(build);
}

static void test_what_is_not_ours(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_packed *packed;
    char why[200];
    static const char *const FOREIGN[] = {
        "V", "x", "Variegate cachE\n and more",
        "somebody's text that is to stay, and longer than any footer"};
    for (size_t i = 1; i < 4; i++) {
        assert_ok(vg_file_write(f->path, FOREIGN[i], strlen(FOREIGN[i]), &err));
        assert_int_equal(vg_packed_open(f->path, "key", &packed, why, &err), VG_E_IO);
        assert_contains(err.message, "not be overwritten");
    }
    assert_ok(vg_file_write(f->path, "", 0, &err));
    open_packed(f, "it is empty");
    assert_ok(vg_file_write(f->path, FOREIGN[0], 1, &err));
    open_packed(f, "too short");
}

static void test_other_makers(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_bytes bytes = {0};
    vg_build *build = begin(f, 1 << 20);
    assert_ok(vg_build_commit(build, NULL, 0, &err)); /* no pictures: a file all the same */
    vg_build_close(build);
    vg_packed_close(open_packed(f, NULL));
    assert_ok(vg_file_read(f->path, 0, &bytes, &err));
    struct {
        size_t at;
        const char *why;
    } changes[] = {{0, "first bytes"},     {16, "another version"}, {20, "byte order"},
                   {24, "header"},         {32, "header"},          {42, "header"},
                   {4090, "header"},       {4096, "index"},         {bytes.size - 64, "end"},
                   {bytes.size - 1, "end"}};
    for (size_t i = 0; i < sizeof changes / sizeof *changes; i++) {
        bytes.data[changes[i].at] ^= 0x40;
        assert_ok(vg_file_write(f->path, bytes.data, bytes.size, &err));
        open_packed(f, changes[i].why);
        bytes.data[changes[i].at] ^= 0x40;
    }
    bytes.data[bytes.size] = 0; /* one byte more: capacity is at least size + 1 */
    assert_ok(vg_file_write(f->path, bytes.data, bytes.size + 1, &err));
    open_packed(f, "end");
    vg_bytes_reset(&bytes);
}

static void test_one_builder(void **state)
{
    fixture *f = *state;
    vg_build *first = begin(f, 1 << 20);
    assert_non_null(first);
    assert_null(begin(f, 1 << 20));
    vg_build_clean(f->path); /* somebody is at work */
    assert_true(vg_path_exists(f->temporary));
    vg_build_close(first);
    assert_false(vg_path_exists(f->temporary));
    vg_error err = {0};
    assert_ok(vg_file_write(f->temporary, "left over", 9, &err));
    vg_build *second = begin(f, 1 << 20);
    assert_non_null(second);
    vg_build_close(second);
    assert_ok(vg_file_write(f->temporary, "left over", 9, &err));
    vg_build_clean(f->path);
    assert_false(vg_path_exists(f->temporary));
}

static void test_link_in_the_way(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_build *build;
    char *precious = vg_path_join(f->folder, "precious");
    assert_ok(vg_file_write(precious, "diary", 5, &err));
    assert_int_equal(symlink(precious, f->temporary), 0);
    assert_int_equal(vg_build_open(f->path, "key", 1 << 20, &build, &err), VG_E_IO);
    assert_contains(err.message, f->temporary);
    struct stat st;
    assert_int_equal(stat(precious, &st), 0);
    assert_int_equal(st.st_size, 5);
    free(precious);
}

static void test_full(void **state)
{
    fixture *f = *state;
    vg_packed_entry entry;
    vg_build *build = begin(f, 1000);
    assert_non_null(append(build, 50, 1, &entry)); /* 64 + 448 */
    assert_null(append(build, 60, 2, &entry));
    assert_non_null(append(build, 30, 3, &entry)); /* a smaller one still fits */
    assert_null(append(build, 30, 4, &entry));
    vg_build_close(build);
}

static void test_copying(void **state)
{
    fixture *f = *state;
    vg_error err = {0};
    vg_packed_entry old[6], fresh[7];
    vg_build *build = begin(f, 1 << 20);
    for (int i = 0; i < 6; i++)
        append(build, 10 + 9 * i, i, &old[i]);
    assert_ok(vg_build_commit(build, old, 6, &err));
    vg_build_close(build);
    vg_packed *packed = open_packed(f, NULL);
    build = begin(f, 1 << 20);
    append(build, 44, 100, &fresh[0]);
    /* two neighbours, a gap, one picture under two names, a gap, the last */
    fresh[1] = old[0];
    fresh[2] = old[1];
    fresh[3] = old[3];
    fresh[4] = old[3];
    fresh[4].name.high = 33;
    fresh[5] = old[5];
    assert_ok(vg_build_copy(build, packed, fresh + 1, 5, &err));
    assert_ok(vg_build_commit(build, fresh, 6, &err));
    vg_packed_close(packed);
    packed = open_packed(f, NULL);
    static const int VALUES[] = {100, 0, 1, 3, 3, 5};
    uint64_t sum = 0;
    for (int i = 0; i < 6; i++) {
        const vg_packed_entry *entry = vg_packed_by_name(packed, fresh[i].name);
        assert_non_null(entry);
        assert_int_equal(value_of(vg_packed_record(packed, entry)), VALUES[i]);
        sum += i == 4 ? 0 : entry->bytes;
    }
    assert_int_equal(packed->end - packed->begin, sum); /* no gaps, nothing twice */
    vg_packed_close(packed);
    vg_build_close(build);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_names_that_collide, setup, teardown),
        cmocka_unit_test_setup_teardown(test_made_up_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_is_not_ours, setup, teardown),
        cmocka_unit_test_setup_teardown(test_other_makers, setup, teardown),
        cmocka_unit_test_setup_teardown(test_one_builder, setup, teardown),
        cmocka_unit_test_setup_teardown(test_link_in_the_way, setup, teardown),
        cmocka_unit_test_setup_teardown(test_full, setup, teardown),
        cmocka_unit_test_setup_teardown(test_copying, setup, teardown)};
    return cmocka_run_group_tests_name("cache_packed", tests, NULL, NULL);
}
