/* Tests of report/speed_report.h: the sentence of each limit, the width of the text, the keys of the JSON. */
#include "test.h"

#include "report/speed_report.h"

enum { LAYERS = 3 };

static vg_layer_speed layers[LAYERS];
static vg_job job;

static vg_speed example(vg_speed_limit limit)
{
    layers[0] = (vg_layer_speed){.info = {.name = "0.conv",
                                          .kind = VG_LAYER_CONV,
                                          .channels = 512,
                                          .height = 224,
                                          .width = 224,
                                          .parameters = 1000},
                                 .forward_s = 0.2,
                                 .backward_s = 0.3,
                                 .update_s = 0.01,
                                 .forward_flop = 1e10,
                                 .backward_flop = 2e10};
    layers[1] = (vg_layer_speed){.info = {.name = "100.spatialdropout",
                                          .kind = VG_LAYER_SPATIALDROPOUT,
                                          .channels = 512,
                                          .height = 224,
                                          .width = 224},
                                 .forward_s = 0.05,
                                 .backward_s = 0.05};
    layers[2] = (vg_layer_speed){
        .info = {
            .name = "2.dense", .kind = VG_LAYER_DENSE, .channels = 10, .height = 1, .width = 1}};
    return (vg_speed){.peak = {VG_SIMD_AVX512, true, 2, 1e11},
                      .blas_core = "Haswell",
                      .better_core = "SkylakeX",
                      .threads = 2,
                      .batch = 64,
                      .steps = 12,
                      .channels = 3,
                      .height = 224,
                      .width = 224,
                      .seconds = 1,
                      .waited = 0.25,
                      .forward = 0.27,
                      .loss = 0.01,
                      .backward = 0.4,
                      .update = 0.02,
                      .rest = 0.05,
                      .loading = VG_STAGE_DECODE,
                      .decode_s = 0.002,
                      .layers = layers,
                      .layer_count = LAYERS,
                      .flop = 3e10,
                      .arithmetic_s = 0.5,
                      .other_layers_s = 0.1,
                      .others = 0.15,
                      .limit = limit,
                      .slowest = 0};
}

/* Each limit has its sentence, which names what it found in numbers. */
static void test_sentences(void **state)
{
    (void)state;
    static const struct {
        vg_speed_limit limit;
        const char *part, *other;
    } cases[] = {{VG_SPEED_LOADING, "waits for them in 25 % of a step", "decoding (2 ms"},
                 {VG_SPEED_ARITHMETIC, "take 50 % of a step and run at 60 %", "smaller net"},
                 {VG_SPEED_KERNELS, "run at 60 %", "0.conv alone takes 50 %, at 60 % of the peak."},
                 {VG_SPEED_MEMORY, "take 10 % of a step", "moving numbers"},
                 {VG_SPEED_UPDATE, "takes 2 % of a step", "above 64"},
                 {VG_SPEED_OVERHEAD, "2 threads", "above 64, or fewer --threads"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char text[800];
        vg_speed s = example(cases[i].limit);
        vg_speed_words(&s, &job, text, sizeof text);
        assert_contains(text, cases[i].part);
        assert_contains(text, cases[i].other);
    }
}

/* Waiting is the others' fault when they use much of the machine. */
static void test_busy_machine(void **state)
{
    (void)state;
    char text[800];
    vg_speed s = example(VG_SPEED_OVERHEAD);
    s.others = 0.6;
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "other programs: they used 60 %");
    s.others = 0.1;
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "overhead: of a step");
}

/* What is advised follows from what the loader does, and from what is done already. */
static void test_loading_advice(void **state)
{
    (void)state;
    char text[800];
    vg_speed s = example(VG_SPEED_LOADING);
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "--cache ram");
    vg_cache_options before = job.cache;
    job.cache.kind = VG_CACHE_RAM;
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "from the second epoch on");
    s.loading = VG_STAGE_TRANSFORM;
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "lighter augment");
    job.cache = before;
    s.loading = VG_STAGE_READ;
    vg_speed_words(&s, &job, text, sizeof text);
    assert_contains(text, "reading files");
}

static int longest_line(const char *text)
{
    int most = 0, at = 0;
    for (; *text; text++) {
        at = *text == '\n' ? 0 : at + ((*text & 0xc0) != 0x80);
        most = at > most ? at : most;
    }
    return most;
}

static void test_text_fits(void **state)
{
    (void)state;
    for (int limit = 0; limit < VG_SPEED_LIMITS; limit++) {
        char *text = NULL;
        size_t size;
        FILE *out = open_memstream(&text, &size);
        assert_non_null(out);
        vg_speed s = example((vg_speed_limit)limit);
        vg_speed_text(&s, &job, out, 80, false);
        fclose(out);
        assert_true(longest_line(text) <= 80);
        assert_contains(text, "LIMIT");
        assert_contains(text, "100.spatialdropout");
        assert_contains(
            text,
            "0.conv            512x224x224   200.000  300.000  10.000  51.0 %    60.0  60.0 %");
        assert_null(strstr(text, "Winograd"));
        assert_contains(text, "threads waiting for each other");
        assert_contains(text, "AVX-512 FMA");
        assert_contains(text, "OPENBLAS_CORETYPE=SkylakeX");
        assert_contains(text, "BUSY  other programs used 15 %");
        free(text);
    }
}

/* Which layers go by Winograd's algorithm, and what that means for their GFLOP/s. */
static void test_winograd_is_marked(void **state)
{
    (void)state;
    char *text = NULL;
    size_t size;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vg_speed s = example(VG_SPEED_ARITHMETIC);
    layers[0].info.winograd = 4;
    vg_speed_text(&s, &job, out, 80, false);
    fclose(out);
    assert_true(longest_line(text) <= 80);
    assert_contains(text, "0.conv w4x4       512x224x224 ");
    assert_contains(text, "w4x4: by Winograd's algorithm");
    free(text);
    json_t *o = vg_speed_json(&s, &job), *list = json_object_get(o, "layers");
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 0), "winograd")), 4);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "winograd")), 0);
    json_decref(o);
}

static void test_json(void **state)
{
    (void)state;
    vg_speed s = example(VG_SPEED_LOADING);
    json_t *o = vg_speed_json(&s, &job);
    assert_non_null(o);
    static const char *const keys[] = {
        "net",    "channels",     "height",        "width",    "batch", "threads", "steps",
        "step_s", "images_per_s", "limit",         "sentence", "parts", "loader",  "machine",
        "flop",   "gflop_per_s",  "share_of_peak", "others",   "layers"};
    assert_int_equal(json_object_size(o), sizeof keys / sizeof *keys);
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        assert_non_null(json_object_get(o, keys[i]));
    assert_near(json_number_value(json_object_get(o, "images_per_s")), 64, 1e-9);
    assert_near(json_number_value(json_object_get(o, "share_of_peak")), 0.3, 1e-9);
    json_t *list = json_object_get(o, "layers"), *first = json_array_get(list, 0);
    assert_int_equal(json_array_size(list), LAYERS);
    assert_string_equal(json_string_value(json_object_get(first, "name")), "0.conv");
    assert_near(json_number_value(json_object_get(first, "gflop_per_s")), 60, 1e-6);
    assert_near(json_number_value(json_object_get(first, "share")), 0.51, 1e-9);
    json_t *machine = json_object_get(o, "machine");
    assert_string_equal(json_string_value(json_object_get(machine, "instructions")), "AVX-512 FMA");
    assert_string_equal(json_string_value(json_object_get(machine, "better_blas_core")),
                        "SkylakeX");
    json_t *loader = json_object_get(o, "loader");
    assert_string_equal(json_string_value(json_object_get(loader, "most")), "decode");
    json_decref(o);
}

static int setup(void **state)
{
    (void)state;
    vg_error err = {0};
    return vg_job_init(&job, &err);
}

static int teardown(void **state)
{
    (void)state;
    vg_job_reset(&job);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_sentences),          cmocka_unit_test(test_loading_advice),
        cmocka_unit_test(test_text_fits),          cmocka_unit_test(test_json),
        cmocka_unit_test(test_winograd_is_marked), cmocka_unit_test(test_busy_machine),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
