/* What holds for every operation of operation.c, for each way in which operations are drawn, and for the
 * presets, through the transform that the loader calls: the same bytes on every instruction set and
 * for every number of threads, values of 0..255 at any shape, nothing at zero strength. What an operation
 * does is the matter of its own tests. */
#include "test.h"

#include "base/rng.h"
#include "base/simd.h"
#include "base/threads.h"
#include "gallery.h"
#include "transform.h"

#include <math.h>
#include <stdlib.h>

enum { KEYS = 6, THREADS = 4 };

static const char *const others[] = {
    "light",
    "standard",
    "heavy",
    "keras-default",
    "randaugment=2:9",
    "trivialaugment",
    "augmix=3:3",
    "autoaugment=imagenet",
    "autoaugment=cifar10",
    "autoaugment=svhn",
    "crop=0.08:1 flip=h",
    "pad_crop=4 flip=hv fill=reflect",
    "rotate=40 zoom=0.3 shift=0.3 shear=15 fill=constant fill_value=90",
    "rotate=40 zoom=0.3 shift=0.3 fill=wrap",
    "rotate=40 zoom=0.3 shift=0.3 fill=reflect",
    "rotate=40 zoom=0.3 interpolation=nearest fill=constant",
    "rotate=40 zoom=0.3 interpolation=bicubic fill=reflect",
    "rotate=180 shear=20 interpolation=bicubic fill=wrap",
    "brightness=0.5 contrast=0.5 saturation=0.9 hue=0.5 noise=30",
    "some_of(3:rotate=30|perspective=0.5|elastic=0.05|jpeg=10:90|clahe=1:4)",
};
enum { OTHERS = sizeof others / sizeof *others, POLICIES = VG_OPERATIONS + OTHERS };

/* An operation alone, always drawn, at the strength of the gallery; or one of the others. */
static vg_policy policy_of(int i)
{
    vg_policy policy;
    vg_error err = {0};
    char words[128];
    if (i < VG_OPERATIONS) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        double v = vg_gallery_strength((vg_operation)i);
        if (info->form == VG_FORM_NONE)
            snprintf(words, sizeof words, "%s@1", info->name);
        else
            snprintf(words, sizeof words, "%s=%g:%g@1", info->name, v, v);
    } else {
        snprintf(words, sizeof words, "%s", others[i - VG_OPERATIONS]);
    }
    if (vg_policy_parse(words, &policy, &err) != VG_OK)
        fail_msg("%s: %s", words, err.message);
    return policy;
}

static const int shapes[][5] = {
    /* in width, in height, channels, out width, out height */
    {1, 1, 1, 1, 1},     {1, 1, 3, 5, 4},     {1, 19, 3, 1, 19},   {1, 19, 1, 8, 8},
    {23, 1, 1, 23, 1},   {23, 1, 3, 9, 7},    {3, 2, 3, 3, 2},     {21, 18, 3, 21, 18},
    {21, 18, 1, 21, 18}, {70, 45, 3, 33, 17}, {70, 45, 1, 33, 17}, {20, 30, 3, 67, 40},
};
enum { SHAPES = sizeof shapes / sizeof *shapes };

typedef struct job {
    vg_augment augment;
    vg_transform transform;
    vg_image in;
    void *scratch[THREADS];
    float *out; /* [KEYS][values] */
    size_t values;
    vg_status status[KEYS];
} job;

static void make_picture(vg_image *image, int width, int height, int channels)
{
    vg_error err = {0};
    vg_rng rng = vg_rng_make(7, (uint32_t)width, (uint64_t)height, VG_RNG_SAMPLE_DATA);
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)vg_rng_u32(&rng);
}

static void job_make(job *j, const int shape[5], const vg_policy *policy)
{
    vg_error err = {0};
    *j = (job){.augment = {.policy = *policy,
                           .channels = shape[2],
                           .width = shape[3],
                           .height = shape[4],
                           .normalizer = vg_normalizer_make(VG_NORMALIZE_NONE, shape[2], NULL)}};
    j->transform = vg_augment_transform(&j->augment);
    make_picture(&j->in, shape[0], shape[1], shape[2]);
    for (int t = 0; t < THREADS; t++)
        assert_ok(j->transform.scratch_new(j->transform.context, &j->scratch[t], &err));
    j->values = (size_t)shape[2] * (size_t)shape[3] * (size_t)shape[4];
    j->out = calloc(KEYS * j->values, sizeof *j->out);
    assert_non_null(j->out);
}

static void job_free(job *j)
{
    for (int t = 0; t < THREADS; t++)
        j->transform.scratch_free(j->scratch[t]);
    vg_image_reset(&j->in);
    free(j->out);
}

static void one(void *context, int thread, size_t item)
{
    job *j = context;
    vg_sample_key key = {.seed = 3, .epoch = (uint32_t)item % 2, .position = item};
    j->status[item] = vg_transform_picture(&j->transform, j->scratch[thread], &j->in, &key,
                                           j->out + item * j->values, NULL);
}

static void test_same_bytes_everywhere(void **state)
{
    (void)state;
    for (int i = 0; i < POLICIES; i++) {
        vg_policy policy = policy_of(i);
        const char *name =
            i < VG_OPERATIONS ? vg_operation_of((vg_operation)i)->name : others[i - VG_OPERATIONS];
        for (int s = 0; s < SHAPES; s++) {
            job j;
            job_make(&j, shapes[s], &policy);
            size_t bytes = KEYS * j.values * sizeof *j.out;
            vg_simd_limit(VG_SIMD_PLAIN);
            vg_parallel_for(1, KEYS, one, &j);
            float *plain = malloc(bytes);
            assert_non_null(plain);
            memcpy(plain, j.out, bytes);
            for (size_t k = 0; k < KEYS; k++)
                assert_int_equal(j.status[k], VG_OK);
            for (size_t k = 0; k < KEYS * j.values; k++)
                if (!(plain[k] >= 0 && plain[k] <= 255))
                    fail_msg("%s, shape %d: a value of %g", name, s, (double)plain[k]);
            for (int simd = VG_SIMD_PLAIN; simd < VG_SIMD_COUNT; simd++) {
                vg_simd_limit((vg_simd)simd);
                memset(j.out, 0xff, bytes);
                vg_parallel_for(simd == VG_SIMD_AVX2 ? 1 : THREADS, KEYS, one, &j);
                if (memcmp(j.out, plain, bytes) != 0)
                    fail_msg("%s, shape %d: other bytes on instruction set %d", name, s, simd);
            }
            free(plain);
            job_free(&j);
        }
    }
}

/* A plan with one step at its neutral value is no plan, where the picture already has the input's size;
 * where it is resized, geometry takes the way of the warp, which antialiases by another filter. */
static void test_nothing_at_zero_strength(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_rng rng = vg_rng_make(1, 1, 1, VG_RNG_PLAN);
    int seen = 0;
    for (int i = 0; i < VG_OPERATIONS; i++) {
        const vg_operation_info *info = vg_operation_of((vg_operation)i);
        if (isnan(info->neutral))
            continue;
        seen++;
        for (int s = 0; s < SHAPES; s++) {
            if (shapes[s][0] != shapes[s][3] || shapes[s][1] != shapes[s][4])
                continue;
            job j;
            vg_policy none = vg_policy_none();
            job_make(&j, shapes[s], &none);
            float *without = j.out, *with = j.out + j.values;
            vg_plan plan = vg_plan_none();
            plan.steps.count = 1;
            plan.steps.step[0] = vg_step_with((vg_operation)i, info->neutral, &rng);
            assert_ok(vg_augment_view(&j.augment, NULL, j.scratch[0], &j.in, without, &err));
            assert_ok(vg_augment_view(&j.augment, &plan, j.scratch[0], &j.in, with, &err));
            if (memcmp(with, without, j.values * sizeof *with) != 0)
                fail_msg("%s at %g changes shape %d", info->name, info->neutral, s);
            job_free(&j);
        }
    }
    assert_true(seen > VG_OPERATIONS / 2);
}

/* And at some strength each of them does something. */
static void test_something_at_some_strength(void **state)
{
    (void)state;
    vg_error err = {0};
    for (int i = 0; i < POLICIES; i++) {
        if (i == VG_OP_IDENTITY)
            continue;
        vg_policy policy = policy_of(i);
        job j;
        static const int shape[5] = {40, 40, 3, 40, 40};
        job_make(&j, shape, &policy);
        for (size_t k = 0; k < vg_image_bytes(&j.in);
             k++) /* little contrast, for those that stretch it */
            j.in.data[k] = (uint8_t)(j.in.data[k] / 2 + 40);
        float *plain = malloc(j.values * sizeof *plain);
        assert_non_null(plain);
        assert_ok(vg_augment_view(&j.augment, NULL, j.scratch[0], &j.in, plain, &err));
        vg_parallel_for(1, KEYS, one, &j);
        int changed = 0;
        for (size_t k = 0; k < KEYS; k++)
            changed += memcmp(plain, j.out + k * j.values, j.values * sizeof *plain) != 0;
        if (!changed)
            fail_msg("policy %d changes nothing", i);
        free(plain);
        job_free(&j);
    }
}

static int lift_limit(void **state)
{
    (void)state;
    vg_simd_limit(VG_SIMD_AVX512);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_teardown(test_same_bytes_everywhere, lift_limit),
        cmocka_unit_test(test_nothing_at_zero_strength),
        cmocka_unit_test(test_something_at_some_strength),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
