/* Tests of run_progress.h: the line for people, and the objects for programs. */
#include "test.h"

#include "run_progress.h"

#include <jansson.h>
#include <math.h>

static const vg_run_moment moment = {.epoch = 3,
                                     .step = 30,
                                     .steps = 120,
                                     .loss = 1.25,
                                     .images_per_s = 412,
                                     .load_share = 0.75,
                                     .limit = VG_STAGE_DECODE};

static vg_run_progress progress_to(FILE *file, bool json)
{
    vg_run_progress p = vg_run_progress_start(false, json);
    p.line.out = file;
    p.line.terminal = false;
    p.line.every = 0;
    p.epochs = 8;
    p.classes = 12;
    return p;
}

static const char *read_back(FILE *file)
{
    static char text[4096];
    rewind(file);
    text[fread(text, 1, sizeof text - 1, file)] = '\0';
    fclose(file);
    return text;
}

static void test_line(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    vg_run_progress p = progress_to(file, false);
    vg_run_progress_training(&p, 4, 30, "+ augment", 1);
    p.information = 0.62;
    p.effective = 9.1;
    vg_run_progress_batch(&p, &moment);
    const char *text = read_back(file);
    assert_contains(text, "training 5/30 + augment, seed 2  epoch 3/8");
    assert_contains(text,
                    "loss 1.25  diversity 0.62  classes 9.1/12  412 images/s, limited by: decode");
}

static void test_objects(void **state)
{
    (void)state;
    FILE *file = tmpfile();
    vg_run_progress p = progress_to(file, true);
    vg_epoch_record record = {.epoch = 3, .train_loss = NAN, .limit = VG_STAGE_CALLER};
    vg_run_progress_batch(&p, &moment);
    vg_run_progress_epoch(&p, &record);
    p.line.quiet = true;
    vg_run_progress_batch(&p, &moment);
    vg_run_progress_epoch(&p, &record);
    const char *text = read_back(file), *second = strchr(text, '\n') + 1;
    json_t *batch = json_loads(text, JSON_DISABLE_EOF_CHECK, NULL);
    json_t *epoch = json_loads(second, 0, NULL); /* nothing follows: quiet */
    assert_non_null(batch);
    assert_non_null(epoch);
    assert_string_equal(json_string_value(json_object_get(batch, "event")), "progress");
    assert_string_equal(json_string_value(json_object_get(batch, "limited_by")), "decode");
    assert_near(json_number_value(json_object_get(batch, "share")), 0.25, 1e-9);
    assert_string_equal(json_string_value(json_object_get(epoch, "event")), "epoch");
    assert_true(json_is_null(json_object_get(epoch, "train_loss")));
    json_decref(batch);
    json_decref(epoch);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_line),
        cmocka_unit_test(test_objects),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
