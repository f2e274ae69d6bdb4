/* Memory runs out at every place in turn while pictures are read, written and resized: each time the
 * status must say so, nothing may leak, and the same objects must work afterwards.
 *
 * The allocator of the whole process is replaced (the libraries' allocations count, too), which the
 * sanitizers do not allow and which needs glibc's names: skipped elsewhere. */
#include "image_files.h"

#include "dataset_fixture.h"

#include "image/resize.h"

#if defined(__GLIBC__) && !defined(__SANITIZE_ADDRESS__)
#define CAN_REPLACE 1

void *__libc_malloc(size_t size);
void *__libc_calloc(size_t count, size_t size);
void *__libc_realloc(void *old, size_t size);
void __libc_free(void *memory);

static long countdown = -1; /* allocations until one fails; -1: never */
static long live;

static int must_fail(void)
{
    return countdown >= 0 && countdown-- == 0;
}

static void *counted(void *memory)
{
    live += memory != NULL;
    return memory;
}

void *malloc(size_t size)
{
    return must_fail() ? NULL : counted(__libc_malloc(size));
}

void *calloc(size_t nmemb, size_t size)
{
    return must_fail() ? NULL : counted(__libc_calloc(nmemb, size));
}

void *realloc(void *ptr, size_t size)
{
    if (must_fail())
        return NULL;
    void *memory = __libc_realloc(ptr, size);
    live += memory && !ptr;
    return memory;
}

void free(void *ptr)
{
    live -= ptr != NULL;
    __libc_free(ptr);
}
#else
static long countdown, live;
#endif

typedef struct work {
    vg_decoder *decoder;
    vg_bytes file, out;
    vg_image image, other;
    vg_resize_scratch scratch;
} work;

static void work_reset(work *w)
{
    vg_decoder_free(w->decoder);
    vg_bytes_reset(&w->out);
    vg_image_reset(&w->image);
    vg_image_reset(&w->other);
    vg_resize_scratch_reset(&w->scratch);
    w->decoder = NULL;
}

/* Everything in a row, from empty storage. */
static vg_status do_all(work *w, vg_error *err)
{
    vg_decode_options options = vg_decode_options_default();
    vg_status status = vg_decoder_new(&w->decoder, err);
    if (status == VG_OK)
        status = vg_decode(w->decoder, w->file.data, w->file.size, &options, &w->image, NULL, err);
    if (status == VG_OK)
        status = vg_image_resize(&w->image, NULL, 90, 80, VG_FILTER_BICUBIC, &w->scratch, &w->other,
                                 err);
    if (status == VG_OK)
        status = vg_jpeg_encode(&w->other, 95, &w->out, err);
    if (status == VG_OK)
        status = vg_png_encode(&w->other, 6, &w->out, err);
    return status;
}

static void test_every_allocation_fails(void **state)
{
    (void)state;
#ifndef CAN_REPLACE
    skip();
#endif
    static const char *const files[] = {"progressive.jpg", "cmyk.jpg", "palette4-adam7.png",
                                        "rgba16.png", "orientation6.png"};
    for (int i = 0; i < 5; i++) {
        work w = {0};
        golden_read(files[i], &w.file);
        int failures = 0;
        bool failed = true;
        for (long n = 0; failed; n++) {
            vg_error err = {0};
            long before = live;
            countdown = n;
            vg_status status = do_all(&w, &err);
            failed = countdown < 0; /* perhaps unnoticed: libjpeg tries again with less */
            countdown = -1;
            if (status != VG_OK) {
                failures++;
                if (status != VG_E_NOMEM)
                    fail_msg("%s, allocation %ld: %s", files[i], n, err.message);
                assert_true(err.message[0] != '\0');
                if (w.decoder) { /* everything is still usable */
                    work_reset(&w);
                    assert_ok(do_all(&w, &err));
                }
            }
            work_reset(&w);
            assert_int_equal(live, before);
        }
        assert_true(failures > 20);
        vg_bytes_reset(&w.file);
    }
}

/* A scan on one thread: an index, or the status that says why not; nothing leaks. Returns how often it
 * failed. */
static int fail_every_allocation_of_a_scan(bool counts_only)
{
    char *folder = test_folder_make(), name[64];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < 40; i++) {
            snprintf(name, sizeof name, "%c/%s%d.jpg", "Aab"[k], i % 4 ? "" : "below/", i);
            put_empty(folder, name);
        }
    vg_dataset_options options = vg_dataset_options_default();
    options.threads = 1;
    options.counts_only = counts_only;
    int failures = 0;
    bool failed = true;
    for (long n = 0; failed; n++) {
        vg_error err = {0};
        vg_dataset *dataset;
        long before = live;
        countdown = n;
        vg_status status = vg_dataset_open(folder, &options, &dataset, &err);
        failed = countdown < 0;
        countdown = -1;
        if (status != VG_OK) {
            failures++;
            if (status != VG_E_NOMEM)
                fail_msg("allocation %ld: %s", n, err.message);
            assert_null(dataset);
        } else {
            assert_int_equal(vg_dataset_count(dataset), 120);
        }
        vg_dataset_close(dataset);
        assert_int_equal(live, before);
    }
    test_folder_remove(folder);
    return failures;
}

static void test_every_allocation_of_a_scan_fails(void **state)
{
    (void)state;
#ifndef CAN_REPLACE
    skip();
#endif
    assert_true(fail_every_allocation_of_a_scan(false) > 20);
    assert_true(fail_every_allocation_of_a_scan(true) > 15);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_every_allocation_fails),
                                       cmocka_unit_test(test_every_allocation_of_a_scan_fails)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
