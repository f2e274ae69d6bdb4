/* Odd pictures and files from the disk to the report: text, JSON and page, per class, and names that are not text. */
#include "test.h"

#include "base/rng.h"
#include "dataset_fixture.h"
#include "report/audit_page.h"

#include <jansson.h>

enum { SIDE = 48, EACH = 30 };
static char *folder;
static vg_image image, spare;

static int set_up(void **state)
{
    (void)state;
    folder = test_folder_make();
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    test_folder_remove(folder);
    return 0;
}

/* Rectangles of random colours. */
static void draw(uint64_t seed)
{
    vg_error err;
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    assert_ok(vg_image_shape(&image, SIDE, SIDE, 3, &err));
    for (int i = 0; i < SIDE * SIDE * 3;
         i++) /* a slope: a ground of one colour would look like a frame */
        image.data[i] = (uint8_t)(60 + 2 * (i / 3 % SIDE));
    for (int k = 0; k < 30; k++) {
        int x = (int)vg_rng_below(&rng, SIDE - 8), y = (int)vg_rng_below(&rng, SIDE - 8);
        int w = 4 + (int)vg_rng_below(&rng, 16), h = 4 + (int)vg_rng_below(&rng, 16);
        uint32_t colour = vg_rng_u32(&rng);
        for (int v = y; v < y + h && v < SIDE; v++)
            for (int u = x; u < x + w && u < SIDE; u++)
                for (int c = 0; c < 3; c++)
                    image.data[(v * SIDE + u) * 3 + c] = (uint8_t)(colour >> (8 * c));
    }
}

/* The mean of 7 x 7 pixels, twice. */
static void blur(void)
{
    vg_error err;
    for (int round = 0; round < 2; round++) {
        assert_ok(vg_image_copy(&image, &spare, &err));
        for (int y = 0; y < SIDE; y++)
            for (int x = 0; x < SIDE; x++)
                for (int c = 0; c < 3; c++) {
                    int sum = 0, n = 0;
                    for (int v = y - 3; v <= y + 3; v++)
                        for (int u = x - 3; u <= x + 3; u++)
                            if (u >= 0 && v >= 0 && u < SIDE && v < SIDE) {
                                sum += spare.data[(v * SIDE + u) * 3 + c];
                                n++;
                            }
                    image.data[(y * SIDE + x) * 3 + c] = (uint8_t)(sum / n);
                }
    }
}

static void save(const char *name)
{
    put_image(folder, name, &image);
}

/* Every value becomes low + (value * (high - low)) / 255. */
static void squeeze(int low, int high)
{
    for (size_t i = 0; i < vg_image_bytes(&image); i++)
        image.data[i] = (uint8_t)(low + image.data[i] * (high - low) / 255);
}

static void put_classes(bool blurred)
{
    char name[64];
    for (int k = 0; k < 3; k++)
        for (int i = 0; i < EACH; i++) {
            snprintf(name, sizeof name, "%c/%02d.png", 'a' + k, i);
            draw(100 * (uint64_t)k + (uint64_t)i);
            if (blurred && k == 1)
                blur();
            save(name);
        }
}

struct report {
    char *text;
    json_t *json;
    char *html;
};

static void make_report(struct report *r, vg_findings *findings)
{
    vg_error err = {0};
    vg_dataset *dataset;
    vg_audit audit;
    size_t size;
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    assert_ok(vg_audit_run(dataset, &(vg_audit_options){.threads = 2}, &audit, &err));
    assert_ok(vg_findings_make(dataset, &audit, findings, &err));
    FILE *out = open_memstream(&r->text, &size);
    const vg_audit_page page = {.out = out,
                                .dataset = dataset,
                                .audit = &audit,
                                .findings = findings,
                                .width = 160,
                                .bold = "",
                                .warn = "",
                                .pale = "",
                                .plain = ""};
    vg_section_files.text(&page);
    vg_section_pictures.text(&page);
    fclose(out);
    bool ok = true;
    r->json = json_object();
    json_object_set_new(r->json, "files", json_object());
    vg_section_files.json(&page, r->json, &ok);
    vg_section_pictures.json(&page, r->json, &ok);
    assert_true(ok);
    vg_thumbs thumbs = {0};
    vg_audit_page html = page;
    html.thumbs = &thumbs;
    html.out = open_memstream(&r->html, &size);
    assert_ok(vg_section_files.html(&html, &err));
    assert_ok(vg_section_pictures.html(&html, &err));
    fclose(html.out);
    vg_thumbs_reset(&thumbs);
    vg_audit_reset(&audit);
    vg_dataset_close(dataset);
}

static void report_reset(struct report *r)
{
    free(r->text);
    free(r->html);
    json_decref(r->json);
}

static json_int_t count_of(const struct report *r, const char *kind)
{
    json_t *one = json_object_get(json_object_get(r->json, "pictures"), kind);
    assert_non_null(one);
    return json_integer_value(json_object_get(one, "count"));
}

static void odd_pictures_are_told_in_every_form(void **state)
{
    (void)state;
    struct report r;
    vg_findings findings;
    put_classes(false);
    draw(900);
    squeeze(0, 40);
    save("a/<b>&\"dark\".png");
    draw(901);
    blur();
    save("b/blurred.png");
    draw(902);
    for (int i = 0; i < SIDE * SIDE; i++)
        image.data[3 * i] = image.data[3 * i + 1] = image.data[3 * i + 2];
    save("c/grey.png");
    put_text(folder, "c/broken.png", "no picture");
    put_text(folder, "c/none.jpg", "");
    make_report(&r, &findings);
    assert_int_equal(count_of(&r, "dark"), 1);
    assert_int_equal(count_of(&r, "blurred"), 1);
    assert_int_equal(count_of(&r, "grey"), 1);
    assert_int_equal(count_of(&r, "border"), 0);
    assert_int_equal(count_of(&r, "odd-size"), 0);
    assert_contains(r.text, "1 dark (99 % of the pixels below 90 of 255, usual 2");
    assert_contains(r.text, "1 blurred (edges wider than ");
    assert_contains(r.text, "1 without colour among coloured ones");
    assert_contains(r.text, "files      2 broken");
    assert_contains(r.text, " --list dark");
    json_t *blurred = json_object_get(json_object_get(r.json, "pictures"), "blurred");
    assert_true(json_number_value(json_object_get(blurred, "high")) >= 1.6);
    assert_true(json_is_null(json_object_get(blurred, "low")));
    assert_int_equal(json_integer_value(json_object_get(json_object_get(blurred, "classes"), "b")),
                     1);
    json_t *broken =
        json_object_get(json_object_get(json_object_get(r.json, "files"), "per_class"), "broken");
    assert_int_equal(json_integer_value(json_object_get(broken, "c")), 2);
    assert_null(json_object_get(broken, "a"));
    assert_contains(r.html, "data:image/jpeg;base64,");
    assert_contains(r.html, "&lt;b&gt;&amp;");
    assert_null(strstr(r.html, "<b>&"));
    assert_contains(r.html, "c/none.jpg");
    assert_contains(r.html, "the file is empty");
    vg_findings_reset(&findings);
    report_reset(&r);
}

/* A class that is blurred as a whole is no row of odd pictures, it is what gives it away. */
static void a_class_as_a_whole_is_named(void **state)
{
    (void)state;
    struct report r;
    vg_findings findings;
    put_classes(true);
    make_report(&r, &findings);
    for (int i = 0; i < findings.count; i++) {
        const vg_class_finding *class = &findings.classes[i];
        bool told = strstr(class->note, "blurred: edges of ") != NULL;
        assert_int_equal(told, class->label == 1);
        assert_int_equal(class->accused && told, told);
    }
    assert_int_equal(count_of(&r, "blurred"), 0);
    vg_findings_reset(&findings);
    report_reset(&r);
}

static void a_clean_dataset_has_a_calm_line(void **state)
{
    (void)state;
    struct report r;
    vg_findings findings;
    put_classes(false);
    make_report(&r, &findings);
    assert_contains(r.text, "files      all readable");
    assert_contains(r.text, "pictures   none is unlike the rest");
    assert_contains(r.html, "None: in light");
    vg_findings_reset(&findings);
    report_reset(&r);
}

static int clean_up(void **state)
{
    (void)state;
    vg_image_reset(&image);
    vg_image_reset(&spare);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(odd_pictures_are_told_in_every_form, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_class_as_a_whole_is_named, set_up, tear_down),
        cmocka_unit_test_setup_teardown(a_clean_dataset_has_a_calm_line, set_up, tear_down),
    };
    return cmocka_run_group_tests(tests, NULL, clean_up);
}
