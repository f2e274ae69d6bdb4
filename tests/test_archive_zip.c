/* Tests of dataset/archive_zip.c: zip archives with one thing wrong each, written byte by byte as
 * PKWARE's APPNOTE 6.3.9 lays them out. Honest archives are in test_archive.c. */
#include "test.h"

#include "archive_fixture.h"

#include <zlib.h>

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

typedef struct zip_member {
    const char *name;
    const char *bytes;      /* as they are stored */
    const char *local_name; /* NULL: the same */
    const uint8_t *extra;   /* of the directory */
    size_t extra_size;
    size_t local_extra; /* zero bytes behind the local name */
    int method, flags;
    int host, mode;
    int64_t size, packed, offset; /* what the directory says; 0: the truth */
    uint32_t crc_change;
    size_t length; /* of bytes, if they are no string */
} zip_member;

typedef struct zip_file {
    uint8_t bytes[20000];
    size_t size;
    size_t directory, end; /* where they begin */
} zip_file;

static void put(zip_file *zip, uint64_t value, int bytes)
{
    for (int i = 0; i < bytes; i++)
        zip->bytes[zip->size++] = (uint8_t)(value >> (8 * i));
}

static void put_data(zip_file *zip, const void *bytes, size_t size)
{
    assert_true(zip->size + size < sizeof zip->bytes);
    if (size)
        memcpy(zip->bytes + zip->size, bytes, size);
    zip->size += size;
}

static void zip_make(zip_file *zip, const zip_member *members, size_t n)
{
    uint64_t offsets[16];
    for (size_t i = 0; i < n; i++) {
        const zip_member *m = &members[i];
        const char *name = m->local_name ? m->local_name : m->name;
        size_t size = m->length ? m->length : strlen(m->bytes);
        offsets[i] = zip->size;
        put(zip, 0x04034b50, 4);
        put(zip, 20, 2);
        put(zip, (uint64_t)m->flags, 2);
        put(zip, (uint64_t)m->method, 2);
        put(zip, 0, 4);
        put(zip, crc32(0, (const Bytef *)m->bytes, (uInt)size), 4);
        put(zip, size, 4);
        put(zip, size, 4);
        put(zip, strlen(name), 2);
        put(zip, m->local_extra, 2);
        put_data(zip, name, strlen(name));
        for (size_t k = 0; k < m->local_extra; k++)
            put(zip, 0, 1);
        put_data(zip, m->bytes, size);
    }
    zip->directory = zip->size;
    for (size_t i = 0; i < n; i++) {
        const zip_member *m = &members[i];
        size_t size = m->length ? m->length : strlen(m->bytes);
        put(zip, 0x02014b50, 4);
        put(zip, 20 | (uint64_t)m->host << 8, 2);
        put(zip, 20, 2);
        put(zip, (uint64_t)m->flags, 2);
        put(zip, (uint64_t)m->method, 2);
        put(zip, 0, 4);
        put(zip, crc32(0, (const Bytef *)m->bytes, (uInt)size) ^ m->crc_change, 4);
        put(zip, m->packed ? (uint64_t)m->packed : size, 4);
        put(zip, m->size ? (uint64_t)m->size : size, 4);
        put(zip, strlen(m->name), 2);
        put(zip, m->extra_size, 2);
        put(zip, 0, 6);
        put(zip, 0, 2);
        put(zip, (uint64_t)m->mode, 2);
        put(zip, m->offset ? (uint64_t)m->offset : offsets[i], 4);
        put_data(zip, m->name, strlen(m->name));
        put_data(zip, m->extra, m->extra_size);
    }
    zip->end = zip->size;
    put(zip, 0x06054b50, 4);
    put(zip, 0, 4);
    put(zip, n, 2);
    put(zip, n, 2);
    put(zip, zip->end - zip->directory, 4);
    put(zip, zip->directory, 4);
    put(zip, 0, 2);
}

static vg_status open_zip(const zip_file *zip, vg_dataset **dataset, vg_error *err)
{
    char *path = vg_path_join(folder, "a.zip");
    FILE *file = fopen(path, "wb"); /* put_bytes would sync, thousands of times */
    assert_non_null(file);
    assert_int_equal(fwrite(zip->bytes, 1, zip->size, file), zip->size);
    fclose(file);
    vg_status status = vg_dataset_open(path, NULL, dataset, err);
    free(path);
    return status;
}

static void assert_refused(const zip_file *zip, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    assert_int_equal(open_zip(zip, &dataset, &err), VG_E_FORMAT);
    assert_contains(err.message, "a.zip");
    assert_contains(err.message, part);
}

/* The first member reads with that status and message, naming archive and member; or its bytes are
 * `part`. */
static void assert_read(const zip_file *zip, const char *name, vg_status expected, const char *part)
{
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader;
    vg_span bytes;
    assert_ok(open_zip(zip, &dataset, &err));
    assert_ok(vg_reader_init(&reader, &err));
    size_t index = find_sample(dataset, name);
    assert_int_equal(vg_dataset_bytes(dataset, index, &reader, &bytes, &err), expected);
    if (expected == VG_OK) {
        assert_int_equal(bytes.size, strlen(part));
        assert_memory_equal(bytes.data, part, bytes.size);
    } else {
        assert_contains(err.message, "a.zip: ");
        assert_contains(err.message, name);
        assert_contains(err.message, part);
    }
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

static void assert_member(zip_member member, vg_status expected, const char *part)
{
    static zip_file zip;
    zip.size = 0;
    const zip_member members[] = {{.name = "dog/1.jpg", .bytes = "another"}, member};
    zip_make(&zip, members, 2);
    assert_read(&zip, member.name, expected, part);
    assert_read(&zip, "dog/1.jpg", VG_OK, "another");
}

static void test_members_that_cannot_be_read(void **state)
{
    (void)state;
    const char *name = "cat/1.jpg";
    assert_member((zip_member){.name = name, .bytes = "whole"}, VG_OK, "whole");
    assert_member((zip_member){.name = name, .bytes = "x", .flags = 1}, VG_E_FORMAT, "encrypted");
    assert_member((zip_member){.name = name, .bytes = "x", .method = 14}, VG_E_FORMAT,
                  "packed by method 14");
    assert_member((zip_member){.name = name, .bytes = "x", .crc_change = 1}, VG_E_FORMAT,
                  "checksum of the directory");
    assert_member((zip_member){.name = name, .bytes = "xyz", .size = 2, .packed = 3}, VG_E_FORMAT,
                  "do not lie inside");
    assert_member((zip_member){.name = name, .bytes = "x", .size = 5000, .packed = 5000},
                  VG_E_FORMAT, "do not lie inside");
    assert_member((zip_member){.name = name, .bytes = "x", .offset = 100000}, VG_E_FORMAT,
                  "do not lie inside");
    assert_member((zip_member){.name = name, .bytes = "x", .offset = 50}, VG_E_FORMAT, "");
    assert_member((zip_member){.name = name, .bytes = "not deflated", .method = 8}, VG_E_FORMAT,
                  "invalid");
    assert_member((zip_member){.name = name, .bytes = "\x03\x01", .method = 8, .size = 300000000},
                  VG_E_LIMIT, "claims to unpack to 300000000 bytes");
    assert_member((zip_member){.name = name, .bytes = "\x03\x01", .method = 8, .size = 20000},
                  VG_E_LIMIT, "1032 times");
}

/* "a" repeated, deflated, ends before, at and behind what the directory promises. */
static void test_lying_sizes(void **state)
{
    (void)state;
    static char packed[200];
    char plain[101];
    z_stream stream = {0};
    memset(plain, 'a', 100);
    plain[100] = '\0';
    assert_int_equal(deflateInit2(&stream, 9, Z_DEFLATED, -15, 8, Z_FIXED), Z_OK);
    stream.next_in = (Bytef *)plain;
    stream.avail_in = 100;
    stream.next_out = (Bytef *)packed;
    stream.avail_out = sizeof packed - 1;
    assert_int_equal(deflate(&stream, Z_FINISH), Z_STREAM_END);
    size_t size = stream.total_out;
    deflateEnd(&stream);
    uint32_t change = (uint32_t)(crc32(0, (const Bytef *)plain, 100) ^
                                 crc32(0, (const Bytef *)packed, (uInt)size));
    zip_member member = {.name = "cat/1.jpg",
                         .bytes = packed,
                         .method = 8,
                         .size = 100,
                         .crc_change = change,
                         .length = size};
    assert_member(member, VG_OK, plain);
    member.size = 99;
    assert_member(member, VG_E_FORMAT, "does not unpack to the size");
    member.size = 101;
    assert_member(member, VG_E_FORMAT, "does not unpack to the size");
    member.size = 100;
    member.packed = (int64_t)size - 1;
    assert_member(member, VG_E_FORMAT, "end too early");
}

static void test_local_header_differs(void **state)
{
    (void)state;
    static zip_file zip;
    zip.size = 0;
    const zip_member members[] = {
        {.name = "cat/1.jpg", .bytes = "one", .local_name = "other", .local_extra = 900}};
    zip_make(&zip, members, 1);
    assert_read(&zip, "cat/1.jpg", VG_OK, "one"); /* the local extra field is longer than guessed */
    zip.bytes[0] = 'Q';
    assert_read(&zip, "cat/1.jpg", VG_E_FORMAT, "no local header");
    zip.bytes[0] = 'P';
    zip.bytes[8] = 8;
    assert_read(&zip, "cat/1.jpg", VG_E_FORMAT, "differ");
    zip.bytes[8] = 0;
    zip.bytes[28] = 0xff;
    zip.bytes[29] = 0xff;
    assert_read(&zip, "cat/1.jpg", VG_E_FORMAT, "not lie inside");
}

static void test_overlapping_members(void **state)
{
    (void)state;
    static zip_file zip;
    zip.size = 0;
    const zip_member members[] = {{.name = "cat/1.jpg", .bytes = "PK\3\4one two three four"},
                                  {.name = "cat/2.jpg", .bytes = "x", .offset = 40},
                                  {.name = "dog/3.jpg", .bytes = "y"}};
    zip_make(&zip, members, 3);
    assert_read(&zip, "cat/2.jpg", VG_E_FORMAT, "overlap");
    assert_read(&zip, "dog/3.jpg", VG_OK, "y");
}

static void test_names_that_lead_out(void **state)
{
    (void)state;
    static zip_file zip;
    zip.size = 0;
    vg_error err = {0};
    vg_dataset *dataset;
    const zip_member members[] = {
        {.name = "cat/1.jpg", .bytes = "1"},
        {.name = "../../etc/2.jpg", .bytes = "2"},
        {.name = "/root/3.jpg", .bytes = "3"},
        {.name = "cat/../4.jpg", .bytes = "4"},
        {.name = "dog\\5.jpg", .bytes = "5"},
        {.name = "cat/link", .bytes = "1.jpg", .host = 3, .mode = 0120777}};
    zip_make(&zip, members, 6);
    assert_ok(open_zip(&zip, &dataset, &err));
    assert_int_equal(vg_dataset_count(dataset), 2);
    find_sample(dataset, "cat/1.jpg");
    find_sample(dataset, "dog/5.jpg"); /* of a program for Windows */
    assert_int_equal(vg_dataset_ignored_of(dataset).unusable, 4);
    size_t kept, count;
    const char *const *notes = vg_dataset_notes(dataset, &kept, &count);
    assert_int_equal(count, 4);
    assert_contains(notes[0], "\"../../etc/2.jpg\": its name leads out of the archive");
    assert_contains(notes[1], "\"/root/3.jpg\": its name is absolute");
    assert_contains(notes[3], "\"cat/link\" is a symbolic link");
    vg_dataset_close(dataset);
}

static void test_unicode_path_field(void **state)
{
    (void)state;
    static zip_file zip;
    uint8_t extra[32] = {0x75, 0x70, 14, 0, 1};
    uint32_t crc = (uint32_t)crc32(0, (const Bytef *)"K?t/1.jpg", 9);
    for (int i = 0; i < 4; i++)
        extra[5 + i] = (uint8_t)(crc >> (8 * i));
    memcpy(extra + 9, "K\xc3\xbc/1.jpg", 9);
    zip.size = 0;
    zip_member member = {.name = "K?t/1.jpg", .bytes = "1", .extra = extra, .extra_size = 18};
    zip_make(&zip, &member, 1);
    assert_read(&zip, "K\xc3\xbc/1.jpg", VG_OK, "1");
    /* cppcheck-suppress unreadVariable ; read through member.extra */
    extra[5] ^= 1; /* the field is about another name */
    zip.size = 0;
    zip_make(&zip, &member, 1);
    assert_read(&zip, "K?t/1.jpg", VG_OK, "1");
}

static void make_plain(zip_file *zip, size_t before)
{
    const zip_member members[] = {{.name = "cat/1.jpg", .bytes = "one"},
                                  {.name = "dog/1.jpg", .bytes = "two"}};
    zip->size = 0;
    zip_make(zip, members, 2);
    memmove(zip->bytes + before, zip->bytes, zip->size);
    memset(zip->bytes, '#', before);
    zip->size += before;
    zip->directory += before;
    zip->end += before;
}

static void test_what_stands_around(void **state)
{
    (void)state;
    static zip_file zip;
    make_plain(&zip, 300); /* such as the program of a self-extracting archive */
    assert_read(&zip, "dog/1.jpg", VG_OK, "two");
    make_plain(&zip, 0);
    zip.bytes[zip.end + 20] = 5;
    put_data(&zip, "PK\5\6!", 5); /* the comment */
    assert_read(&zip, "dog/1.jpg", VG_OK, "two");
}

static void test_damaged_directories(void **state)
{
    (void)state;
    static zip_file zip;
    make_plain(&zip, 0);
    zip.bytes[zip.end + 4] = 2;
    assert_refused(&zip, "in several parts");
    make_plain(&zip, 0);
    zip.bytes[zip.end + 15] = 0x7f;
    assert_refused(&zip, "does not fit before byte");
    make_plain(&zip, 0);
    zip.bytes[zip.end + 18] = 1;
    assert_refused(&zip, "does not fit before byte");
    make_plain(&zip, 0);
    zip.bytes[zip.directory + 55] = 'x'; /* the second entry's signature */
    assert_refused(&zip, "damaged at entry 2");
    make_plain(&zip, 0);
    zip.bytes[zip.directory + 28] = 0xff; /* the length of a name */
    assert_refused(&zip, "damaged at entry 1");
    make_plain(&zip, 0);
    zip.bytes[zip.end] = 'x';
    assert_refused(&zip, "cut off or no zip");
}

/* Whatever one byte is changed to, reading gives the bytes or an error. */
static void test_every_byte_changed(void **state)
{
    (void)state;
    static zip_file zip;
    make_plain(&zip, 0);
    for (size_t at = 0; at < zip.size; at++)
        for (unsigned change = 1; change < 256; change = change * 3 + 1) {
            vg_error err = {0};
            vg_dataset *dataset;
            zip.bytes[at] ^= (uint8_t)change;
            if (open_zip(&zip, &dataset, &err)) {
                assert_true(err.message[0]);
            } else {
                vg_reader reader;
                vg_span bytes;
                assert_ok(vg_reader_init(&reader, &err));
                for (size_t i = 0; i < vg_dataset_count(dataset); i++)
                    if (vg_dataset_bytes(dataset, i, &reader, &bytes, &err) == VG_OK) {
                        assert_int_equal(bytes.size, 3);
                        assert_true(memcmp(bytes.data, "one", 3) == 0 ||
                                    memcmp(bytes.data, "two", 3) == 0);
                    }
                vg_reader_reset(&reader);
                vg_dataset_close(dataset);
            }
            zip.bytes[at] ^= (uint8_t)change;
        }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(test_members_that_cannot_be_read, setup, teardown),
        cmocka_unit_test_setup_teardown(test_lying_sizes, setup, teardown),
        cmocka_unit_test_setup_teardown(test_local_header_differs, setup, teardown),
        cmocka_unit_test_setup_teardown(test_overlapping_members, setup, teardown),
        cmocka_unit_test_setup_teardown(test_names_that_lead_out, setup, teardown),
        cmocka_unit_test_setup_teardown(test_unicode_path_field, setup, teardown),
        cmocka_unit_test_setup_teardown(test_what_stands_around, setup, teardown),
        cmocka_unit_test_setup_teardown(test_damaged_directories, setup, teardown),
        cmocka_unit_test_setup_teardown(test_every_byte_changed, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
