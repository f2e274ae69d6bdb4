/* Tests of load/cache_record.c. */
#include "test.h"

#include "load/cache_record.h"

/* A record of a 7x5 RGB picture in aligned memory. */
typedef struct fixture {
    _Alignas(64) uint8_t bytes[1024];
    vg_record *record;
    size_t head;
} fixture;

static void make(fixture *f, const char *warning)
{
    vg_error err = {0};
    vg_image image = {0};
    vg_decode_info info = {.format = VG_FORMAT_JPEG,
                           .damaged = warning[0] != '\0',
                           .intact = 0.25,
                           .damage_offset = 99,
                           .region = vg_region_whole(14, 9, 2)};
    snprintf(info.warning, sizeof info.warning, "%s", warning);
    assert_ok(vg_image_shape(&image, 7, 5, 3, &err));
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(3 * i);
    memset(f, 0xA5, sizeof *f);
    f->record = (vg_record *)f->bytes;
    f->head = vg_record_make(&image, &info, 0x1234, f->bytes);
    memcpy(f->bytes + f->head, image.data, vg_image_bytes(&image));
    vg_record_seal(f->bytes, image.data);
    vg_image_reset(&image);
}

static void test_there_and_back(void **state)
{
    (void)state;
    char words[160];
    memset(words, 'w', sizeof words);
    for (size_t length = 0; length < sizeof words; length++) {
        fixture f;
        vg_cached picture;
        words[length] = '\0';
        make(&f, words);
        words[length] = 'w';
        assert_int_equal(f.head % VG_RECORD_ALIGN, 0);
        assert_true(f.head <= VG_RECORD_HEAD_MAX);
        assert_int_equal(f.record->bytes, f.head + 128);
        assert_int_equal(vg_record_pixel_bytes(f.record), 105);
        assert_true(vg_record_valid(f.record, f.record->bytes));
        vg_record_open(f.record, &picture);
        assert_int_equal(strlen(picture.warning), length);
        assert_int_equal(picture.damaged, length > 0);
        assert_int_equal(picture.damage_offset, length ? 99 : 0);
        assert_true(picture.intact == (length ? 0.25 : 1.0));
        assert_int_equal(picture.format, VG_FORMAT_JPEG);
        assert_int_equal(picture.view.data[104], (uint8_t)(3 * 104));
        vg_region whole = vg_region_whole(14, 9, 2);
        assert_memory_equal(&picture.region, &whole, sizeof whole);
    }
}

/* Made up on purpose: the checksum is right, what the head says is not. */
#define REFUSED(change)                                                                            \
    do {                                                                                           \
        fixture f;                                                                                 \
        make(&f, "cut off");                                                                       \
        change;                                                                                    \
        if (f.record->note <= VG_RECORD_NOTE && f.record->width < 10 && f.record->height > 0)      \
            vg_record_seal(f.bytes, f.bytes + f.head);                                             \
        assert_false(vg_record_valid(f.record, sizeof f.bytes));                                   \
    } while (0)

static void test_made_up_heads(void **state)
{
    (void)state;
    REFUSED(f.record->magic++);
    REFUSED(f.record->width = 0);
    REFUSED(f.record->width = INT32_MAX);
    REFUSED(f.record->height = -1);
    REFUSED(f.record->height = 9); /* more pixels than bytes */
    REFUSED(f.record->channels = 2);
    REFUSED(f.record->channels = 0);
    REFUSED(f.record->shrink = 0);
    REFUSED(f.record->shrink = 3);
    REFUSED(f.record->note = 161);
    REFUSED(f.record->note = 255);
    REFUSED(f.bytes[sizeof(vg_record) + f.record->note - 1] = 'x'); /* a warning without its end */
    REFUSED(f.record->bytes = 64);
    REFUSED(f.record->bytes = 2048);
    REFUSED(f.record->bytes = UINT64_MAX);
    fixture f;
    make(&f, "");
    assert_true(vg_record_valid(f.record, sizeof f.bytes));
    assert_false(vg_record_valid(f.record, f.record->bytes - 1));
    assert_false(vg_record_valid(f.record, 63));
}

static void test_flipped_bits(void **state)
{
    (void)state;
    fixture f;
    make(&f, "cut off");
    for (size_t bit = 0; bit < 8 * (f.head + 105); bit++) {
        f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
        assert_false(vg_record_valid(f.record, sizeof f.bytes));
        f.bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
    }
    assert_true(vg_record_valid(f.record, sizeof f.bytes));
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_there_and_back),
                                       cmocka_unit_test(test_made_up_heads),
                                       cmocka_unit_test(test_flipped_bits)};
    return cmocka_run_group_tests_name("cache_record", tests, NULL, NULL);
}
