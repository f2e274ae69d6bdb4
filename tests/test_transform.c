/* Tests of transform.h. */
#include "test.h"

#include "base/rng.h"
#include "transform.h"

#include <math.h>

static void noise_image(vg_image *image, int width, int height, int channels, uint64_t seed)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)(40 + vg_rng_u32(&rng) % 160);
}

static vg_augment make(const char *policy, int channels, int width, int height,
                       vg_normalization kind)
{
    vg_error err = {0};
    vg_augment augment = {.channels = channels, .width = width, .height = height};
    assert_ok(vg_policy_parse(policy, &augment.policy, &err));
    vg_channel_stats stats = {.count = 4,
                              .sum = {400, 440, 480},
                              .sum_squares = {50000, 60000, 70000},
                              .min = {10, 20, 30},
                              .max = {200, 210, 220},
                              .images = 1,
                              .channels = channels};
    augment.normalizer = vg_normalizer_make(kind, channels, &stats);
    return augment;
}

static void *scratch_of(const vg_transform *transform)
{
    vg_error err = {0};
    void *scratch = NULL;
    assert_ok(transform->scratch_new(transform->context, &scratch, &err));
    assert_non_null(scratch);
    return scratch;
}

/* Neither what was done before nor a fresh scratch changes a byte. */
static void test_bytes_depend_on_the_key_alone(void **state)
{
    (void)state;
    enum { KEYS = 24, SIZE = 3 * 20 * 24 };
    vg_error err = {0};
    vg_augment augment = make("heavy hue=0.1", 3, 24, 20, VG_NORMALIZE_ZSCORE);
    vg_transform transform = vg_augment_transform(&augment);
    assert_int_equal(transform.channels * transform.height * transform.width, SIZE);
    vg_image images[3] = {{0}};
    noise_image(&images[0], 50, 70, 3, 1);
    noise_image(&images[1], 11, 9, 1, 2);
    noise_image(&images[2], 300, 200, 3, 3);
    static float first[KEYS][SIZE], again[SIZE];
    void *shared = scratch_of(&transform);
    for (int k = 0; k < KEYS; k++) {
        vg_sample_key key = {.seed = 5, .position = (uint64_t)k};
        assert_ok(vg_transform_picture(&transform, shared, &images[k % 3], &key, first[k], &err));
    }
    for (int k = KEYS - 1; k >= 0; k--) {
        vg_sample_key key = {.seed = 5, .position = (uint64_t)k};
        assert_ok(vg_transform_picture(&transform, shared, &images[k % 3], &key, again, &err));
        assert_memory_equal(first[k], again, sizeof again);
        void *fresh = scratch_of(&transform);
        assert_ok(vg_transform_picture(&transform, fresh, &images[k % 3], &key, again, &err));
        assert_memory_equal(first[k], again, sizeof again);
        transform.scratch_free(fresh);
        int differ = 0;
        for (int i = 0; k >= 3 && i < SIZE; i++)
            differ += first[k][i] != first[k - 3][i];
        assert_true(k < 3 || differ > SIZE / 2);
    }
    transform.scratch_free(shared);
    transform.scratch_free(NULL);
    for (int i = 0; i < 3; i++)
        vg_image_reset(&images[i]);
}

static void test_evaluation_is_the_resize(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_augment augment = make("none", 3, 16, 12, VG_NORMALIZE_NONE);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    vg_image in = {0}, want = {0}, got = {0};
    vg_resize_scratch resize = {0};
    noise_image(&in, 45, 31, 3, 1);
    assert_ok(vg_image_resize(&in, (const double[4]){0, 0, 0, 0}, 16, 12, VG_FILTER_BILINEAR,
                              &resize, &want, &err));
    assert_ok(vg_augment_apply(&augment, NULL, scratch, &in, &got, &err));
    assert_memory_equal(got.data, want.data, 16 * 12 * 3);
    vg_sample_key key = {.seed = 1};
    float x[3 * 12 * 16];
    assert_ok(vg_transform_picture(&transform, scratch, &in, &key, x, &err));
    for (int i = 0; i < 12 * 16; i++)
        for (int c = 0; c < 3; c++)
            assert_true(x[c * 12 * 16 + i] == want.data[i * 3 + c]);
    vg_plan flip = vg_plan_none();
    flip.flip_horizontal = true;
    flip.flip_vertical = true;
    assert_ok(vg_augment_apply(&augment, &flip, scratch, &in, &got, &err));
    for (int i = 0; i < 12 * 16; i++)
        assert_memory_equal(got.data + 3 * i, want.data + 3 * (12 * 16 - 1 - i), 3);
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_image_reset(&want);
    vg_image_reset(&got);
    vg_resize_scratch_reset(&resize);
}

/* run() is normalize(view), and apply() is round(view), for the plan that the key draws. */
static void test_run_and_apply_agree(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image in = {0}, eight = {0};
    noise_image(&in, 33, 29, 3, 4);
    for (int kind = VG_NORMALIZE_NONE; kind <= VG_NORMALIZE_IMAGE_ZSCORE; kind++)
        for (int channels = 1; channels <= 3; channels += 2) {
            vg_augment augment = make("standard", channels, 15, 14, (vg_normalization)kind);
            vg_transform transform = vg_augment_transform(&augment);
            void *scratch = scratch_of(&transform);
            vg_sample_key key = {.seed = 9, .epoch = 1, .position = 77};
            vg_plan plan = vg_plan_draw(&augment.policy, &key, 15, 14, in.width, in.height);
            float run[3 * 15 * 14], view[3 * 15 * 14];
            assert_ok(vg_transform_picture(&transform, scratch, &in, &key, run, &err));
            assert_ok(vg_augment_view(&augment, &plan, scratch, &in, view, &err));
            assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &eight, &err));
            assert_int_equal(eight.channels, channels);
            for (int c = 0; c < channels; c++)
                for (int i = 0; i < 15 * 14; i++)
                    assert_near(eight.data[i * channels + c], (double)view[c * 15 * 14 + i], 0.501);
            vg_normalizer_apply(&augment.normalizer, view, 15 * 14);
            assert_memory_equal(run, view, sizeof *run * 15 * 14 * (size_t)channels);
            transform.scratch_free(scratch);
        }
    vg_image_reset(&in);
    vg_image_reset(&eight);
}

static void test_channels(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image grey = {0}, rgb = {0}, luma = {0}, a = {0}, b = {0};
    noise_image(&grey, 20, 20, 1, 1);
    noise_image(&rgb, 20, 20, 3, 2);
    vg_plan plan = vg_plan_none();
    plan.rotate_deg = 20;
    plan.hue = 0.3;
    plan.saturation = 0.2;
    plan.contrast = 1.3;
    vg_augment one = make("none", 1, 12, 12, VG_NORMALIZE_UNIT);
    vg_augment three = make("none", 3, 12, 12, VG_NORMALIZE_UNIT);
    vg_transform transform = vg_augment_transform(&one);
    void *scratch = scratch_of(&transform);
    /* grey into three: three equal planes */
    assert_ok(vg_augment_apply(&three, &plan, scratch, &grey, &a, &err));
    assert_ok(vg_augment_apply(&one, &plan, scratch, &grey, &b, &err));
    for (int i = 0; i < 144; i++)
        for (int c = 0; c < 3; c++)
            assert_int_equal(a.data[3 * i + c], b.data[i]);
    /* three into grey: luma first */
    assert_ok(vg_image_convert(&rgb, 1, &luma, &err));
    assert_ok(vg_augment_apply(&one, &plan, scratch, &rgb, &a, &err));
    assert_ok(vg_augment_apply(&one, &plan, scratch, &luma, &b, &err));
    assert_memory_equal(a.data, b.data, 144);
    /* noise of a grey picture in three channels is each channel's own */
    plan.noise = 10;
    assert_ok(vg_augment_apply(&three, &plan, scratch, &grey, &a, &err));
    int differ = 0;
    for (int i = 0; i < 144; i++)
        differ += a.data[3 * i] != a.data[3 * i + 1];
    assert_true(differ > 100);
    transform.scratch_free(scratch);
    vg_image_reset(&grey);
    vg_image_reset(&rgb);
    vg_image_reset(&luma);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_colour_follows_the_drawn_order(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image in = {0}, a = {0}, b = {0};
    noise_image(&in, 10, 10, 3, 2);
    vg_augment augment = make("none", 3, 10, 10, VG_NORMALIZE_UNIT);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    vg_plan plan = vg_plan_none();
    plan.brightness = 1.8; /* clips; what comes before or after it matters */
    plan.contrast = 0.4;
    assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &a, &err));
    plan.colour_order[0] = 1;
    plan.colour_order[1] = 0;
    assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &b, &err));
    assert_true(memcmp(a.data, b.data, 300) != 0);
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

static void test_refuses_impossible_shapes(void **state)
{
    (void)state;
    vg_image in = {0};
    noise_image(&in, 8, 8, 1, 1);
    vg_augment augment = make("rotate=20", 1, 8, 8, VG_NORMALIZE_UNIT);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    augment.channels = 2;
    float out[64];
    vg_sample_key key = {.seed = 1};
    vg_error err = {0};
    assert_int_equal(vg_transform_picture(&transform, scratch, &in, &key, out, &err), VG_E_ARG);
    assert_contains(err.message, "2 channels");
    augment.channels = 1;
    augment.width = 0;
    assert_int_equal(vg_transform_picture(&transform, scratch, &in, &key, out, &err), VG_E_ARG);
    assert_contains(err.message, "0 x 8");
    transform.scratch_free(scratch);
    vg_image_reset(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_bytes_depend_on_the_key_alone),
        cmocka_unit_test(test_evaluation_is_the_resize),
        cmocka_unit_test(test_run_and_apply_agree),
        cmocka_unit_test(test_channels),
        cmocka_unit_test(test_colour_follows_the_drawn_order),
        cmocka_unit_test(test_refuses_impossible_shapes),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
