/* Tests of ops/warp.h: against scipy (tests/golden/augment.py), against naive twins, and for
 * aliasing. */
#include "test.h"

#include "base/rng.h"
#include "ops/warp.h"
#include "plan.h"

#include <math.h>

static void noise_image(vg_image *image, int width, int height, int channels, uint64_t seed)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < vg_image_bytes(image); i++)
        image->data[i] = (uint8_t)vg_rng_u32(&rng);
}

static vg_status warp_image(const vg_warp *w, const vg_image *in, vg_warp_scratch *scratch,
                            float *out, vg_error *err)
{
    vg_view view = vg_image_view(in);
    return vg_warp_run(w, &view, scratch, out, err);
}

static int place_ref(long i, int n, vg_fill fill)
{
    while (i < 0 || i >= n) {
        if (fill == VG_FILL_WRAP)
            i += i < 0 ? n : -n;
        else if (fill == VG_FILL_REFLECT)
            i = i < 0 ? -1 - i : 2L * n - 1 - i;
        else
            i = i < 0 ? 0 : n - 1;
    }
    return (int)i;
}

static double pixel_ref(const vg_image *in, long x, long y, int c, vg_fill fill)
{
    int px = place_ref(x, in->width, fill), py = place_ref(y, in->height, fill);
    return in->data[((size_t)py * in->width + px) * in->channels + c];
}

/* Bilinear in double. */
static double bilinear_ref(const vg_warp *w, const vg_image *in, double x, double y, int c)
{
    long left = (long)floor(x), top = (long)floor(y);
    double fx = x - (double)left, fy = y - (double)top;
    return (1 - fy) * ((1 - fx) * pixel_ref(in, left, top, c, w->fill) +
                       fx * pixel_ref(in, left + 1, top, c, w->fill)) +
           fy * ((1 - fx) * pixel_ref(in, left, top + 1, c, w->fill) +
                 fx * pixel_ref(in, left + 1, top + 1, c, w->fill));
}

/* The tent of the whole map over every pixel that could count, in double; only for maps that reduce
 * in all directions. */
static double tent_ref(const vg_warp *w, const vg_image *in, double x, double y, int c)
{
    const double *m = w->m;
    double det = m[0] * m[4] - m[1] * m[3], sum = 0, total = 0;
    long rx = (long)(fabs(m[0]) + fabs(m[1])) + 2, ry = (long)(fabs(m[3]) + fabs(m[4])) + 2;
    for (long j = (long)floor(y) - ry; j <= (long)floor(y) + ry; j++)
        for (long i = (long)floor(x) - rx; i <= (long)floor(x) + rx; i++) {
            double dx = (double)i - x, dy = (double)j - y;
            double a = fabs(m[4] * dx - m[1] * dy) / fabs(det);
            double b = fabs(m[0] * dy - m[3] * dx) / fabs(det);
            if (a >= 1 || b >= 1)
                continue;
            sum += (1 - a) * (1 - b) * pixel_ref(in, i, j, c, w->fill);
            total += (1 - a) * (1 - b);
        }
    return sum / total;
}

typedef double (*kernel_ref)(const vg_warp *, const vg_image *, double, double, int);

/* The largest difference of vg_warp_run to a naive kernel. */
static double worst(const vg_warp *w, const vg_image *in, vg_warp_scratch *scratch,
                    kernel_ref kernel)
{
    vg_error err = {0};
    size_t plane = (size_t)w->width * w->height;
    float *out = calloc(plane * in->channels, sizeof *out);
    assert_non_null(out);
    assert_ok(warp_image(w, in, scratch, out, &err));
    double difference = 0;
    for (int v = 0; v < w->height; v++)
        for (int u = 0; u < w->width; u++) {
            double x = w->m[0] * u + w->m[1] * v + w->m[2];
            double y = w->m[3] * u + w->m[4] * v + w->m[5];
            double ix = w->inset[0] - 0.5 - 1e-6, iy = w->inset[1] - 0.5 - 1e-6;
            bool filled = w->fill == VG_FILL_CONSTANT &&
                          (x < ix || y < iy || x > in->width - 1 - ix || y > in->height - 1 - iy);
            for (int c = 0; c < in->channels; c++) {
                double want = filled ? w->fill_value : kernel(w, in, x, y, c);
                double got = (double)out[c * plane + (size_t)v * w->width + u];
                difference = fmax(difference, fabs(got - want));
            }
        }
    free(out);
    return difference;
}

static vg_warp warp_of(const vg_plan *plan, const vg_image *in, int width, int height)
{
    vg_warp w = {.width = width,
                 .height = height,
                 .fill = plan->fill,
                 .fill_value = 77,
                 .inset = {0.5 * in->width / width, 0.5 * in->height / height}};
    vg_plan_matrix(plan, in->width, in->height, width, height, w.m);
    return w;
}

static void test_equals_the_naive_twins(void **state)
{
    (void)state;
    static const int shapes[][5] = {/* in width, in height, channels, out width, out height */
                                    {1, 1, 1, 1, 1},     {1, 1, 3, 5, 4},     {2, 3, 3, 3, 2},
                                    {7, 5, 1, 7, 5},     {13, 11, 3, 13, 11}, {13, 11, 3, 31, 17},
                                    {3, 40, 1, 20, 20},  {31, 33, 3, 11, 12}, {40, 30, 3, 15, 13},
                                    {64, 50, 1, 23, 21}, {90, 61, 3, 31, 29}};
    vg_image in = {0};
    vg_warp_scratch scratch = {0};
    int tents = 0, plain = 0;
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++) {
        noise_image(&in, shapes[s][0], shapes[s][1], shapes[s][2], s);
        vg_rng rng = vg_rng_make(s, 0, 0, VG_RNG_SAMPLE_DATA);
        for (int round = 0; round < 12; round++) {
            vg_plan plan = vg_plan_none();
            plan.rotate_deg = vg_rng_uniform(&rng, -180, 180);
            plan.shift_x = vg_rng_uniform(&rng, -0.6, 0.6);
            plan.shift_y = vg_rng_uniform(&rng, -0.6, 0.6);
            plan.shear_deg = vg_rng_uniform(&rng, -25, 25);
            plan.zoom_x = vg_rng_uniform(&rng, 0.7, 1.2);
            plan.zoom_y = vg_rng_uniform(&rng, 0.7, 1.2);
            plan.fill = (vg_fill)(round % 4);
            vg_warp w = warp_of(&plan, &in, shapes[s][3], shapes[s][4]);
            double sum = 0, det = fabs(w.m[0] * w.m[4] - w.m[1] * w.m[3]);
            for (int i = 0; i < 6; i++)
                sum += i % 3 < 2 ? w.m[i] * w.m[i] : 0;
            double large = sqrt(sum / 2 + sqrt(fmax(0, sum * sum / 4 - det * det)));
            double small = det / large;
            if (large <= 1.25) {
                assert_near(worst(&w, &in, &scratch, bilinear_ref), 0, 0.05);
                plain++;
            } else if (small >= 1 && large < 2.8) { /* no cells are averaged first */
                assert_near(worst(&w, &in, &scratch, tent_ref), 0, 0.02);
                tents++;
            }
        }
    }
    assert_true(plain > 30 && tents > 20);
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

/* A part of a picture is read as if it were one of its own: nothing beside it is seen. */
static void test_part_equals_its_copy(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    for (int channels = 1; channels <= 3; channels += 2)
        for (int round = 0; round < 24; round++) {
            vg_image in = {0}, cut = {0};
            noise_image(&in, 50, 40, channels, (uint64_t)round);
            vg_view all = vg_image_view(&in), part = vg_view_part(&all, 7, 5, 33, 29);
            assert_ok(vg_image_shape(&cut, 33, 29, channels, &err));
            size_t row = 33 * (size_t)channels;
            for (size_t y = 0; y < 29; y++)
                memcpy(cut.data + y * row, part.data + y * part.stride, row);
            vg_plan plan = vg_plan_none();
            plan.rotate_deg = 13 * round;
            plan.shift_x = 0.2;
            plan.fill = (vg_fill)(round % 4);
            int size = 4 + 3 * (round % 12);
            vg_warp w = warp_of(&plan, &cut, size, size);
            float of_part[3 * 37 * 37], of_copy[3 * 37 * 37];
            assert_ok(vg_warp_run(&w, &part, &scratch, of_part, &err));
            assert_ok(warp_image(&w, &cut, &scratch, of_copy, &err));
            assert_memory_equal(of_part, of_copy, sizeof(float) * size * size * channels);
            vg_image_reset(&in);
            vg_image_reset(&cut);
        }
    vg_warp_scratch_reset(&scratch);
}

static void test_equals_scipy(void **state)
{
    (void)state;
    FILE *file = fopen(VG_TEST_FILES "/warp.txt", "r");
    assert_non_null(file);
    vg_image in = {0};
    vg_warp_scratch scratch = {0};
    vg_error err = {0};
    vg_plan plan = vg_plan_none();
    int height, width, mode, cases = 0;
    while (fscanf(file, "%lf %lf %lf %lf %lf %lf %d %d %d", &plan.rotate_deg, &plan.shift_x,
                  &plan.shift_y, &plan.shear_deg, &plan.zoom_x, &plan.zoom_y, &height, &width,
                  &mode) == 9) {
        assert_ok(vg_image_shape(&in, width, height, 1, &err));
        for (int i = 0; i < width * height; i++) {
            int value;
            assert_int_equal(fscanf(file, "%d", &value), 1);
            in.data[i] = (uint8_t)value;
        }
        plan.fill = (vg_fill)mode;
        vg_warp w = warp_of(&plan, &in, width, height);
        w.fill_value = 40;
        float out[256];
        assert_true(width * height <= 256);
        assert_ok(warp_image(&w, &in, &scratch, out, &err));
        for (int i = 0; i < width * height; i++) {
            double want;
            assert_int_equal(fscanf(file, "%lf", &want), 1);
            assert_near((double)out[i], want, 0.02);
        }
        cases++;
    }
    assert_int_equal(cases, 40);
    fclose(file);
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

/* A reduction without geometry is the resize, away from the edge (where Pillow cuts the tent off
 * and this repeats the edge). */
static void test_reduction_equals_the_resize(void **state)
{
    (void)state;
    vg_image in = {0}, resized = {0};
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    vg_resize_scratch resize = {0};
    noise_image(&in, 70, 90, 3, 5);
    vg_plan plan = vg_plan_none();
    vg_warp w = warp_of(&plan, &in, 28, 36);
    float out[3 * 28 * 36];
    assert_ok(warp_image(&w, &in, &scratch, out, &err));
    assert_ok(vg_image_resize(&in, (const double[4]){0, 0, 0, 0}, 28, 36, VG_FILTER_BILINEAR,
                              &resize, &resized, &err));
    for (int c = 0; c < 3; c++)
        for (int y = 1; y < 35; y++)
            for (int x = 1; x < 27; x++)
                assert_near((double)out[(c * 36 + y) * 28 + x], resized.data[(y * 28 + x) * 3 + c],
                            1.01);
    vg_image_reset(&in);
    vg_image_reset(&resized);
    vg_warp_scratch_reset(&scratch);
    vg_resize_scratch_reset(&resize);
}

/* What point sampling would turn into a pattern of 0 and 255 must come out grey. */
static void test_fine_patterns_do_not_alias(void **state)
{
    (void)state;
    vg_image in = {0};
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    assert_ok(vg_image_shape(&in, 400, 300, 1, &err));
    for (int pattern = 0; pattern < 2; pattern++)
        for (int angle = 0; angle < 90; angle += 10)
            for (int size = 12; size <= 150; size += 23) {
                for (int i = 0; i < 400 * 300; i++) /* checks or stripes of one pixel */
                    in.data[i] = (pattern ? i % 400 + i / 400 : i % 400) & 1 ? 255 : 0;
                vg_plan plan = vg_plan_none();
                plan.rotate_deg = angle;
                plan.fill = VG_FILL_REFLECT;
                vg_warp w = warp_of(&plan, &in, size, size * 3 / 4);
                float *out = calloc((size_t)size * size, sizeof *out);
                assert_non_null(out);
                assert_ok(warp_image(&w, &in, &scratch, out, &err));
                for (int y = size / 4; y < size / 2; y++)
                    for (int x = size / 4; x < size * 3 / 4; x++)
                        assert_near((double)out[y * size + x], 127.5, 14);
                free(out);
            }
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

/* Strong reductions average cells first: a straight ramp stays where and what it is. */
static void test_reduced_cells_stay_in_place(void **state)
{
    (void)state;
    vg_image in = {0};
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    assert_ok(vg_image_shape(&in, 997, 613, 1, &err));
    for (int y = 0; y < 613; y++)
        for (int x = 0; x < 997; x++)
            in.data[y * 997 + x] = (uint8_t)(x / 997.0 * 160 + y / 613.0 * 90);
    for (int angle = -60; angle <= 60; angle += 15) {
        vg_plan plan = vg_plan_none();
        plan.rotate_deg = angle;
        plan.zoom_x = 0.9;
        vg_warp w = warp_of(&plan, &in, 32, 24);
        float out[32 * 24];
        assert_ok(warp_image(&w, &in, &scratch, out, &err));
        for (int v = 0; v < 24; v++)
            for (int u = 0; u < 32; u++) {
                double x = w.m[0] * u + w.m[1] * v + w.m[2], y = w.m[3] * u + w.m[4] * v + w.m[5];
                if (x > 60 && y > 60 && x < 937 && y < 553)
                    assert_near((double)out[v * 32 + u], x / 997 * 160 + y / 613 * 90 - 0.5, 0.8);
            }
    }
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

static void test_mixed_scales_keep_flat_pictures_flat(void **state)
{
    (void)state;
    vg_image in = {0};
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    assert_ok(vg_image_shape(&in, 200, 9, 3, &err));
    memset(in.data, 99, vg_image_bytes(&in));
    for (int angle = 0; angle < 180; angle += 7) { /* wide is reduced, high is enlarged */
        vg_plan plan = vg_plan_none();
        plan.rotate_deg = angle;
        vg_warp w = warp_of(&plan, &in, 31, 29);
        float out[3 * 31 * 29];
        assert_ok(warp_image(&w, &in, &scratch, out, &err));
        for (int i = 0; i < 3 * 31 * 29; i++)
            assert_near((double)out[i], 99, 0.01);
    }
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

static void test_refuses_what_cannot_be(void **state)
{
    (void)state;
    vg_image in = {0};
    vg_warp_scratch scratch = {0};
    noise_image(&in, 8, 8, 1, 1);
    float out[64];
    vg_warp w = {.m = {0, 0, 1, 0, 1, 0}, .width = 8, .height = 8};
    vg_error err = {0};
    assert_int_equal(warp_image(&w, &in, &scratch, out, &err), VG_E_ARG);
    assert_contains(err.message, "flattens");
    w = (vg_warp){.m = {1, 0, 1e9, 0, 1, 0}, .width = 8, .height = 8};
    assert_int_equal(warp_image(&w, &in, &scratch, out, &err), VG_E_ARG);
    assert_contains(err.message, "further");
    w = (vg_warp){.m = {1, 0, NAN, 0, 1, 0}, .width = 8, .height = 8};
    assert_int_equal(warp_image(&w, &in, &scratch, out, &err), VG_E_ARG);
    w = (vg_warp){.m = {NAN, 0, 0, 0, 1, 0}, .width = 8, .height = 8};
    assert_int_equal(warp_image(&w, &in, &scratch, out, &err), VG_E_ARG);
    vg_image_reset(&in);
    vg_warp_scratch_reset(&scratch);
}

static void test_share_outside(void **state)
{
    (void)state;
    vg_warp w = {.m = {1, 0, 0, 0, 1, 0}, .width = 10, .height = 10};
    assert_near(vg_warp_outside(&w, 10, 10), 0, 0);
    w.m[2] = 5;
    assert_near(vg_warp_outside(&w, 10, 10), 0.5, 1e-12);
    w.m[5] = -5;
    assert_near(vg_warp_outside(&w, 10, 10), 0.75, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_equals_the_naive_twins),
        cmocka_unit_test(test_part_equals_its_copy),
        cmocka_unit_test(test_equals_scipy),
        cmocka_unit_test(test_reduction_equals_the_resize),
        cmocka_unit_test(test_fine_patterns_do_not_alias),
        cmocka_unit_test(test_reduced_cells_stay_in_place),
        cmocka_unit_test(test_mixed_scales_keep_flat_pictures_flat),
        cmocka_unit_test(test_refuses_what_cannot_be),
        cmocka_unit_test(test_share_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
