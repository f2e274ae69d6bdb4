/* Tests of the page: one file, nothing from elsewhere, names from outside are text. */
#include "test.h"

#include "dataset_fixture.h"
#include "report/preview_html.h"

static vg_error err;

static char *write_page(const char *policy, const char *warnings)
{
    char *folder = test_folder_make();
    vg_image image = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_image_shape(&image, 20, 20, 3, &err));
    for (size_t i = 0; i < 1200; i++)
        image.data[i] = (uint8_t)(i * 37 % 251);
    assert_ok(vg_png_encode(&image, 1, &bytes, &err));
    put_bytes(folder, "train/<img src=x onerror=alert(1)>/a.png", bytes.data, bytes.size);
    put_bytes(folder, "train/b\"c&d/a.png", bytes.data, bytes.size);
    put_text(folder, "train/empty/a.png", "");
    put_bytes(folder, "test/b\"c&d/a.png", bytes.data, bytes.size);
    vg_dataset_options open = vg_dataset_options_default();
    vg_dataset *dataset = NULL;
    assert_ok(vg_dataset_open(folder, &open, &dataset, &err));
    vg_augment augment = {.channels = 3, .width = 16, .height = 16};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    augment.normalizer = vg_normalizer_make(VG_NORMALIZE_UNIT, 3, NULL);
    vg_preview_options options = vg_preview_options_default();
    options.variants = 3;
    vg_preview classes, operations;
    assert_ok(vg_preview_gather(dataset, &augment, &options, &classes, &err));
    options.by = VG_PREVIEW_OPERATIONS;
    assert_ok(vg_preview_gather(dataset, &augment, &options, &operations, &err));
    char path[4300];
    snprintf(path, sizeof path, "%s/page.html", folder);
    vg_preview_page page = {.dataset = "a </title><script>alert(2)</script> name",
                            .policy = policy,
                            .class_lines = "",
                            .command = "train-pipeline <x>",
                            .warnings = warnings,
                            .augment = &augment,
                            .variants = 3,
                            .seed = 1,
                            .classes = &classes,
                            .operations = &operations};
    assert_ok(vg_preview_html(path, &page, &err));
    vg_bytes text = {0};
    assert_ok(vg_file_read(path, 0, &text, &err));
    char *result = calloc(text.size + 1, 1);
    memcpy(result, text.data, text.size);
    snprintf(path, sizeof path, "%s/no/such/page.html", folder);
    assert_int_not_equal(vg_preview_html(path, &page, &err), VG_OK);
    vg_preview_reset(&classes);
    vg_preview_reset(&operations);
    vg_dataset_close(dataset);
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
    vg_bytes_reset(&text);
    test_folder_remove(folder);
    return result;
}

static int count(const char *text, const char *word)
{
    int n = 0;
    for (; (text = strstr(text, word)); text++)
        n++;
    return n;
}

static void test_self_contained(void **state)
{
    (void)state;
    char *text = write_page("rotate=20 one_of(invert|blur=2)", "first thing | second thing");
    assert_null(strstr(text, "http://"));
    assert_null(strstr(text, "https://"));
    assert_null(strstr(text, "src=\"/"));
    assert_non_null(strstr(text, "default-src 'none'"));
    /* 2 readable classes of 3 and 4 operations, an original and 3 variants each */
    assert_int_equal(count(text, "src=\"data:image/"), 24);
    assert_int_equal(count(text, "src=\""), 24);
    assert_int_equal(count(text, "<svg "), 6);
    assert_int_equal(count(text, "<script>"), 1);
    /* names are text */
    assert_null(strstr(text, "<img src=x"));
    assert_non_null(strstr(text, "&lt;img src=x onerror=alert(1)&gt;"));
    assert_non_null(strstr(text, "b&quot;c&amp;d"));
    assert_null(strstr(text, "alert(2)</script>"));
    assert_non_null(strstr(text, "<pre>train-pipeline &lt;x&gt;</pre>"));
    /* the unreadable class says so, warnings stand one by one */
    assert_non_null(strstr(text, "empty"));
    assert_non_null(strstr(text, "first thing</div>"));
    assert_non_null(strstr(text, ">second thing</div>"));
    free(text);
}

static void test_without_augmentation(void **state)
{
    (void)state;
    char *text = write_page("none", "");
    assert_non_null(strstr(text, "No augmentation"));
    assert_null(strstr(text, "nan"));
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_self_contained),
        cmocka_unit_test(test_without_augmentation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
