/* Tests of transform.h: pictures of which only a part was decoded become the same bytes. */
#include "test.h"

#include "transform_fixture.h"

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_photos_decoded_in_part),
        cmocka_unit_test(test_a_part_gives_what_the_whole_gives),
        cmocka_unit_test(test_refuses_too_small_a_part),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
