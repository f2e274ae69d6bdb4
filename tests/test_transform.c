/* Tests of transform.h. */
#include "test.h"

#include "base/rng.h"
#include "transform.h"

#include <math.h>
#include <stdlib.h>

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
    /* cppcheck-suppress[redundantAssignment,unreadVariable] ; the transform's context */
    augment.channels = 1;
    /* cppcheck-suppress[unreadVariable] ; the same */
    augment.width = 0;
    assert_int_equal(vg_transform_picture(&transform, scratch, &in, &key, out, &err), VG_E_ARG);
    assert_contains(err.message, "0 x 8");
    transform.scratch_free(scratch);
    vg_image_reset(&in);
}

/* Box averages of `shrink` x `shrink` pixels, as a decoder that shrinks gives them. */
static void shrink_image(const vg_image *in, int shrink, vg_image *out)
{
    vg_error err = {0};
    vg_region r = vg_region_whole(in->width, in->height, shrink);
    assert_ok(vg_image_shape(out, r.width, r.height, in->channels, &err));
    for (int y = 0; y < r.height; y++)
        for (int x = 0; x < r.width; x++)
            for (int c = 0; c < in->channels; c++) {
                int sum = 0, count = 0;
                for (int v = y * shrink; v < (y + 1) * shrink && v < in->height; v++)
                    for (int u = x * shrink; u < (x + 1) * shrink && u < in->width; u++, count++)
                        sum += in->data[(v * in->width + u) * in->channels + c];
                out->data[(y * r.width + x) * in->channels + c] =
                    (uint8_t)(sum / (count ? count : 1));
            }
}

/* What a decoder is asked for, as the loader asks it. */
typedef struct asked {
    const vg_transform *transform;
    const vg_sample_key *key; /* NULL: the whole picture */
} asked;

static void choose(void *context, vg_region *region)
{
    const asked *a = context;
    int width = region->full_width, height = region->full_height;
    int shrink = a->transform->shrink(a->transform->context, width, height);
    *region = vg_region_whole(width, height, shrink);
    if (a->key)
        a->transform->region(a->transform->context, a->key, region);
}

/* Photographs that are decoded in part become the same bytes as those that are decoded as a whole. */
static void test_photos_decoded_in_part(void **state)
{
    (void)state;
    static const char *const policies[] = {"crop=0.08 flip=h", "crop=0.2 rotate=20 fill=reflect",
                                           "zoom=0.3:0.6 shift=0.1", "crop=0.9:1", "pad_crop=4"};
    enum { SIZE = 3 * 48 * 48, FILES = 60 };
    const char *data = getenv("VG_DATA");
    if (!data || !*data)
        skip();
    char path[4096];
    snprintf(path, sizeof path, "%s/imagenet-sample", data);
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options defaults = vg_dataset_options_default();
    assert_ok(vg_dataset_open(path, &defaults, &dataset, &err));
    vg_reader reader;
    assert_ok(vg_reader_init(&reader, &err));
    vg_image image = {0};
    int smaller = 0, shrunken = 0;
    static float a[SIZE], b[SIZE];
    size_t step = vg_dataset_count(dataset) / FILES;
    for (size_t i = 0; i < FILES; i++) {
        vg_augment augment = make(policies[i % 5], 3, 48, 48, VG_NORMALIZE_ZSCORE);
        augment.max_shrink = i % 2 ? 8 : 1;
        vg_transform transform = vg_augment_transform(&augment);
        void *scratch = scratch_of(&transform);
        vg_sample_key key = {.seed = 1, .position = i, .index = i * step};
        vg_decode_options options = vg_decode_options_default();
        vg_decode_info info;
        options.choose = choose;
        options.choose_context = &(asked){&transform, &key};
        assert_ok(vg_dataset_read(dataset, i * step, &options, &reader, &image, &info, &err));
        vg_view view = vg_image_view(&image);
        assert_ok(transform.run(&augment, scratch, &view, &info.region, &key, a, &err));
        size_t bytes = vg_image_bytes(&image);
        options.choose_context = &(asked){&transform, NULL};
        assert_ok(vg_dataset_read(dataset, i * step, &options, &reader, &image, &info, &err));
        view = vg_image_view(&image);
        assert_ok(transform.run(&augment, scratch, &view, &info.region, &key, b, &err));
        assert_memory_equal(a, b, sizeof a);
        smaller += bytes < vg_image_bytes(&image);
        shrunken += info.region.shrink > 1;
        transform.scratch_free(scratch);
    }
    print_message("%d of %d decoded in part, %d shrunken\n", smaller, FILES, shrunken);
    assert_in_range(smaller, FILES / 4, FILES);
    assert_in_range(shrunken, 1, FILES);
    vg_image_reset(&image);
    vg_reader_reset(&reader);
    vg_dataset_close(dataset);
}

/* Given a part, at the exact rectangle or grown by random amounts, or the whole: the same bytes. */
static void test_a_part_gives_what_the_whole_gives(void **state)
{
    (void)state;
    static const char *const policies[] = {
        "none",
        "crop=0.08 flip=h",
        "pad_crop=4 flip=h fill=constant",
        "pad_crop=3 crop=0.2 fill=wrap",
        "crop=0.08 rotate=20 shear=10 zoom=0.3 flip=hv fill=reflect",
        "crop=0.05:0.2 rotate=40 zoom=0.5 fill=constant fill_value=9 brightness=0.2",
        "zoom=0.05:0.4 rotate=180 fill=nearest noise=3",
        "zoom=2:9 shift=0.5 fill=wrap",
        "heavy",
        "crop=0.3 shift=0.4 hue=0.1 flip=alternating",
        "crop=0.3 blur=1@0.5 one_of(rotate=30|scale=0.5:2|turn) erase=0.3@0.5 jpeg=20:60@0.3",
        "some_of(3:flip_h|flip_v|hue=0.3|equalize|shear_x=20|downscale=0.3:0.9)@0.9 noise=3",
        "randaugment=3:20 crop=0.2",
        "trivialaugment flip=h",
        "crop=0.4 augmix=3:8 fill=reflect",
        "autoaugment=svhn fill=constant",
        "perspective=0.6 crop=0.3 fill=constant",
        "elastic=0.1 crop=0.1:0.3",
        "perspective=0.5 elastic=0.05 rotate=30 zoom=0.5:1.5 flip=hv fill=reflect",
        "some_of(2:elastic=0.05|perspective=0.3|turn) pad_crop=3 interpolation=bicubic crop=0.2",
        "crop=0.2 zoom=0.3 interpolation=nearest fill=wrap",
        "crop=0.2 interpolation=bicubic",
        "crop=0.3 turn@0.8 flip=hv",
        "interpolation=nearest turn flip=h",
    };
    static const char *const framings[] = {"stretch", "crop", "crop:0.5", "pad"};
    enum { W = 20, H = 14 };
    vg_error err = {0};
    vg_image full = {0}, in = {0};
    int parts = 0;
    for (int n = 0; n < 800; n++) {
        vg_rng rng = vg_rng_make(5, 0, (uint64_t)n, VG_RNG_SAMPLE_DATA);
        int channels = vg_rng_below(&rng, 2) ? 3 : 1, shrink = 1 << vg_rng_below(&rng, 3);
        vg_augment augment =
            make(policies[n % (int)(sizeof policies / sizeof *policies)],
                 vg_rng_below(&rng, 2) ? 3 : 1, W, H, (vg_normalization)vg_rng_below(&rng, 6));
        assert_ok(vg_framing_parse(framings[vg_rng_below(&rng, 4)], &augment.framing, &err));
        vg_transform transform = vg_augment_transform(&augment);
        void *scratch = scratch_of(&transform);
        noise_image(&full, 1 + (int)vg_rng_below(&rng, 150), 1 + (int)vg_rng_below(&rng, 150),
                    channels, (uint64_t)n);
        shrink_image(&full, shrink, &in);
        vg_sample_key key = {.seed = 3, .epoch = 1, .position = (uint64_t)n, .index = (size_t)n};
        vg_region whole = vg_region_whole(full.width, full.height, shrink), need = whole;
        vg_view view = vg_image_view(&in);
        float want[3 * W * H], got[3 * W * H];
        size_t bytes = (size_t)augment.channels * W * H * sizeof *want;
        assert_ok(transform.run(&augment, scratch, &view, &whole, &key, want, &err));
        transform.region(&augment, &key, &need);
        parts += need.width * need.height < whole.width * whole.height;
        for (int turn = 0; turn < 3; turn++) {
            vg_region r = need;
            if (turn) {
                int left = (int)vg_rng_below(&rng, (uint64_t)need.x + 1);
                int up = (int)vg_rng_below(&rng, (uint64_t)need.y + 1);
                r.x -= left;
                r.y -= up;
                r.width += left;
                r.height += up;
                r.width += (int)vg_rng_below(&rng, (uint64_t)(whole.width - r.x - r.width) + 1);
                r.height += (int)vg_rng_below(&rng, (uint64_t)(whole.height - r.y - r.height) + 1);
            }
            /* nothing but this rectangle lies in memory */
            uint8_t *data = malloc((size_t)r.width * (size_t)r.height * (size_t)channels);
            assert_non_null(data);
            vg_view from = vg_view_part(&view, r.x, r.y, r.width, r.height), part = from;
            part.data = data;
            part.stride = (size_t)r.width * (size_t)channels;
            for (size_t y = 0; y < (size_t)r.height; y++)
                memcpy(data + y * part.stride, from.data + y * from.stride, part.stride);
            memset(got, 0, sizeof got);
            assert_ok(transform.run(&augment, scratch, &part, &r, &key, got, &err));
            assert_memory_equal(want, got, bytes);
            free(data);
        }
        transform.scratch_free(scratch);
    }
    assert_in_range(parts, 250, 790);
    vg_image_reset(&full);
    vg_image_reset(&in);
}

static void test_refuses_too_small_a_part(void **state)
{
    (void)state;
    vg_augment augment = make("none", 1, 8, 8, VG_NORMALIZE_UNIT);
    vg_transform transform = vg_augment_transform(&augment);
    void *scratch = scratch_of(&transform);
    vg_image in = {0};
    noise_image(&in, 20, 20, 1, 1);
    vg_view view = vg_image_view(&in), part = vg_view_part(&view, 1, 0, 19, 20);
    vg_region region = vg_region_whole(20, 20, 1);
    region.x = 1;
    region.width = 19;
    vg_sample_key key = {.seed = 1};
    float out[64];
    vg_error err = {0};
    assert_int_equal(transform.run(&augment, scratch, &part, &region, &key, out, &err), VG_E_ARG);
    assert_contains(err.message, "needs 20 x 20 pixels at (0, 0) and was given 19 x 20");
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
        cmocka_unit_test(test_a_part_gives_what_the_whole_gives),
        cmocka_unit_test(test_refuses_too_small_a_part),
        cmocka_unit_test(test_photos_decoded_in_part),
        cmocka_unit_test(test_crops_are_pillows),
        cmocka_unit_test(test_padded_crops),
        cmocka_unit_test(test_one_map_for_all_geometry),
        cmocka_unit_test(test_alternating_flip),
        cmocka_unit_test(test_shrink),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
