/* Tests of transform.h on whole pictures; test_transform_part.c has those that come in part. */
#include "test.h"

#include "transform_fixture.h"

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
    /* cppcheck-suppress[redundantAssignment,unreadVariable] ; the transform's context */
    augment.channels = 1;
    /* cppcheck-suppress[unreadVariable] ; the same */
    augment.width = 0;
    assert_int_equal(vg_transform_picture(&transform, scratch, &in, &key, out, &err), VG_E_ARG);
    assert_contains(err.message, "0 x 8");
    transform.scratch_free(scratch);
    vg_image_reset(&in);
}

/* Pillow's crop().resize(), from tests/golden/crop_resize.py. */
static void test_crops_are_pillows(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        vg_crop crop;
        int out_width, out_height;
        const char *pixels;
    } golden[] = {
#include "data/crop_resize.inc"
    };
    vg_error err = {0};
    for (size_t i = 0; i < sizeof golden / sizeof *golden; i++) {
        vg_image in = {0}, out = {0};
        assert_ok(vg_image_shape(&in, golden[i].width, golden[i].height, 3, &err));
        uint8_t *p = in.data;
        for (int y = 0; y < in.height; y++)
            for (int x = 0; x < in.width; x++)
                for (int c = 0; c < 3; c++)
                    *p++ = (uint8_t)(x * x * 7 + y * 13 * (c + 1) + x * y * 3 + 31 * c);
        int width = golden[i].out_width, height = golden[i].out_height;
        vg_augment augment = make("none", 3, width, height, VG_NORMALIZE_NONE);
        vg_transform transform = vg_augment_transform(&augment);
        void *scratch = scratch_of(&transform);
        vg_plan plan = vg_plan_none();
        plan.crop = golden[i].crop;
        for (int flip = 0; flip < 2; flip++) {
            plan.flip_horizontal = flip;
            assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &out, &err));
            for (int y = 0; y < height; y++)
                for (int x = 0; x < width; x++)
                    for (int c = 0; c < 3; c++) {
                        char byte[3] = {0};
                        memcpy(byte, golden[i].pixels + 2 * ((y * width + x) * 3 + c), 2);
                        int at = flip ? width - 1 - x : x;
                        assert_int_equal(out.data[(y * width + at) * 3 + c],
                                         strtol(byte, NULL, 16));
                    }
        }
        transform.scratch_free(scratch);
        vg_image_reset(&in);
        vg_image_reset(&out);
    }
}

/* torchvision's RandomCrop(32, padding 4): a window of the padded picture. */
static void test_padded_crops(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image in = {0}, out = {0};
    noise_image(&in, 32, 32, 3, 1);
    vg_augment augment =
        make("pad_crop=4 fill=constant fill_value=7", 3, 32, 32, VG_NORMALIZE_NONE);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    int seen[9][9] = {{0}}, kinds = 0;
    for (uint64_t n = 0; n < 2000; n++) {
        vg_sample_key key = {.seed = 4, .position = n};
        vg_plan plan = vg_plan_draw(&augment.policy, &key, 32, 32, 32, 32);
        assert_true(abs(plan.pad_x) <= 4 && abs(plan.pad_y) <= 4);
        kinds += !seen[4 + plan.pad_y][4 + plan.pad_x]++;
        if (n % 50)
            continue;
        assert_false(vg_plan_warps(&plan));
        assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &out, &err));
        for (int y = 0; y < 32; y++)
            for (int x = 0; x < 32; x++) {
                int u = x - plan.pad_x, v = y - plan.pad_y;
                bool inside = u >= 0 && v >= 0 && u < 32 && v < 32;
                for (int c = 0; c < 3; c++)
                    assert_int_equal(out.data[(y * 32 + x) * 3 + c],
                                     inside ? in.data[(v * 32 + u) * 3 + c] : 7);
            }
    }
    assert_int_equal(kinds, 81); /* all places, 25 times each on average */
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_image_reset(&out);
}

/* With a warp the crop and the move are the same as without one, up to the resampling. */
static void test_one_map_for_all_geometry(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_image in = {0}, a = {0}, b = {0};
    assert_ok(vg_image_shape(&in, 64, 48, 3, &err));
    for (int y = 0; y < 48; y++)
        for (int x = 0; x < 64; x++)
            for (int c = 0; c < 3; c++)
                in.data[(y * 64 + x) * 3 + c] = (uint8_t)(20 + 3 * x + (c - 1) * y);
    vg_augment augment = make("none", 3, 24, 24, VG_NORMALIZE_NONE);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    for (int kind = 0; kind < 16; kind++) {
        static const char *const framings[] = {"stretch", "crop", "crop:0.6", "pad"};
        assert_ok(vg_framing_parse(framings[kind % 4], &augment.framing, &err));
        vg_plan plan = vg_plan_none();
        plan.flip_horizontal = kind & 4;
        plan.flip_vertical = kind & 8;
        plan.pad_x = 3;
        plan.pad_y = -2;
        if (kind % 4 == 1)
            plan.crop = (vg_crop){11, 7, 40, 30};
        assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &a, &err));
        plan.zoom_x = 1.0000001;
        assert_true(vg_plan_warps(&plan));
        assert_ok(vg_augment_apply(&augment, &plan, scratch, &in, &b, &err));
        int differ = 0;
        for (int i = 0; i < 24 * 24 * 3; i++)
            differ += abs(a.data[i] - b.data[i]) > 6;
        /* a warp sees what surrounds the crop, a move does not: edges may differ */
        assert_in_range(differ, 0, 24 * 24 * 3 / 4);
        for (int y = 6; y < 18; y++)
            for (int x = 6; x < 18; x++)
                for (int c = 0; c < 3; c++)
                    assert_near(a.data[(y * 24 + x) * 3 + c], b.data[(y * 24 + x) * 3 + c], 3);
    }
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_image_reset(&a);
    vg_image_reset(&b);
}

/* Every other epoch, and about half of the samples in the first. */
static void test_alternating_flip(void **state)
{
    (void)state;
    vg_augment augment = make("flip=alternating", 1, 8, 8, VG_NORMALIZE_NONE);
    int first = 0;
    for (size_t index = 0; index < 1000; index++) {
        bool before = false;
        for (uint32_t epoch = 0; epoch < 6; epoch++) {
            vg_sample_key key = {
                .seed = 4, .epoch = epoch, .position = index * 7 + epoch, .index = index};
            bool now = vg_plan_draw(&augment.policy, &key, 8, 8, 8, 8).flip_horizontal;
            first += epoch == 0 && now;
            assert_true(epoch == 0 || now != before);
            before = now;
        }
    }
    assert_in_range(first, 430, 570);
}

static void test_shrink(void **state)
{
    (void)state;
    vg_augment augment = make("none", 3, 64, 64, VG_NORMALIZE_UNIT);
    vg_transform transform = vg_augment_transform(&augment);
    assert_int_equal(transform.shrink(&augment, 4000, 3000), 1); /* not asked for */
    augment.max_shrink = 8;
    assert_int_equal(transform.shrink(&augment, 4000, 3000), 8);
    augment.max_shrink = 4;
    assert_int_equal(transform.shrink(&augment, 4000, 3000), 4);
    assert_int_equal(transform.shrink(&augment, 4000, 64), 1);
    assert_int_equal(transform.shrink(&augment, 64, 64), 1);
    assert_int_equal(transform.shrink(&augment, 0, 0), 1);
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
        cmocka_unit_test(test_crops_are_pillows),
        cmocka_unit_test(test_padded_crops),
        cmocka_unit_test(test_one_map_for_all_geometry),
        cmocka_unit_test(test_alternating_flip),
        cmocka_unit_test(test_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
