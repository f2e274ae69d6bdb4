/* Tests of ops/remap.h, which hold ops/nearest.c and ops/bicubic.c too. Golden values: tests/golden/remap.py. */
#include "test.h"

#include "base/file.h"
#include "image/decode.h"
#include "ops/remap.h"

#include <math.h>

/* The picture of the golden script. */
static void make_picture(vg_image *image, int width, int height, int channels)
{
    vg_error err = {0};
    assert_ok(vg_image_shape(image, width, height, channels, &err));
    for (int y = 0; y < height; y++)
        for (int x = 0; x < width; x++)
            for (int c = 0; c < channels; c++)
                image->data[(y * width + x) * channels + c] =
                    (uint8_t)((x * x * 7 + y * 13 + x * y * 3 + 91 * c) & 255);
}

static void run(const vg_remap *r, const vg_image *in, float *out)
{
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    vg_view view = vg_image_view(in);
    assert_ok(vg_remap_run(r, &view, &scratch, out, &err));
    vg_warp_scratch_reset(&scratch);
}

static void test_perspective_is_torchvisions(void **state)
{
    (void)state;
    static const struct {
        int width, height;
        double c[8];
        double want[24 * 24];
    } golden[] = {
#define VG_GOLDEN_PERSPECTIVE
#include "data/remap.inc"
#undef VG_GOLDEN_PERSPECTIVE
    };
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        int width = golden[g].width, height = golden[g].height, seen = 0;
        const double *c = golden[g].c;
        vg_image in = {0};
        make_picture(&in, width, height, 1);
        /* there the corner of the first pixel is the origin, on both sides */
        vg_remap r = {.from = {1, 0.5, 1, 0.5}, .width = width, .height = height};
        for (int i = 0; i < 3; i++) {
            double last = i < 2 ? c[6 + i] : 1;
            r.p[i] = c[i] - 0.5 * last;
            r.p[3 + i] = c[3 + i] - 0.5 * last;
            r.p[6 + i] = last;
        }
        /* points, as there: a map that does not reduce on average */
        double scale[2];
        vg_remap_scale(&r, width, height, scale);
        assert_true(scale[0] < 1.25 && scale[1] < 1.25);
        float out[24 * 24];
        run(&r, &in, out);
        for (int i = 0; i < width * height; i++)
            if (!isnan(golden[g].want[i])) {
                seen++;
                assert_near((double)out[i], golden[g].want[i], 0.02);
            }
        assert_true(seen > width * height / 3);
        vg_image_reset(&in);
    }
}

static vg_remap elastic_map(void)
{
    vg_remap r = {.from = {1, -10.5, 1, -8},
                  .p = {1, 0.2, 9, -0.3, 0.9, 7, 0, 0, 1},
                  .width = 22,
                  .height = 17,
                  .fill_value = 77,
                  .inset = {0.5, 0.5}};
    r.field = (vg_field){.columns = 5, .rows = 4, .cell = 5};
    for (int j = 0; j < 7; j++)
        for (int i = 0; i < 8; i++) {
            r.field.x[j][i] = (float)((i * 37 + j * 11) % 17 - 8) * 0.375f;
            r.field.y[j][i] = (float)((i * 5 + j * 23) % 13 - 6) * 0.25f;
        }
    return r;
}

static void test_elastic_is_scipys(void **state)
{
    (void)state;
    static const struct {
        vg_interpolation interpolation;
        vg_fill fill;
        double want[22 * 17];
    } golden[] = {
#define VG_GOLDEN_FIELD
#include "data/remap.inc"
#undef VG_GOLDEN_FIELD
    };
    vg_image in = {0};
    make_picture(&in, 20, 15, 1);
    for (size_t g = 0; g < sizeof golden / sizeof *golden; g++) {
        vg_remap r = elastic_map();
        double scale[2];
        vg_remap_scale(&r, 20, 15, scale);
        r.interpolation = golden[g].interpolation;
        r.fill = golden[g].fill;
        float out[22 * 17];
        int differ = 0;
        /* scipy takes points whatever the scale */
        assert_true(scale[0] < 1.25 && scale[1] < 1.25);
        run(&r, &in, out);
        for (int i = 0; i < 22 * 17; i++)
            differ += fabs((double)out[i] - golden[g].want[i]) > 0.02;
        assert_int_equal(differ, 0);
    }
    vg_image_reset(&in);
}

static void test_bicubic_enlarges_as_pillow(void **state)
{
    (void)state;
    static const double want[31 * 23] = {
#define VG_GOLDEN_BICUBIC
#include "data/remap.inc"
#undef VG_GOLDEN_BICUBIC
    };
    vg_image in = {0};
    make_picture(&in, 12, 10, 1);
    double x = 12.0 / 31, y = 10.0 / 23;
    vg_remap r = {.from = {x, 0.5 * x - 0.5, y, 0.5 * y - 0.5},
                  .p = {1, 0, 0, 0, 1, 0, 0, 0, 1},
                  .width = 31,
                  .height = 23,
                  .interpolation = VG_INTERPOLATION_BICUBIC};
    float out[31 * 23];
    run(&r, &in, out);
    for (int v = 4; v < 19; v++) /* at the border Pillow leaves taps out */
        for (int u = 4; u < 27; u++)
            assert_near((double)out[v * 31 + u], want[v * 31 + u], 1.01);
    vg_image_reset(&in);
}

/* ---- the twin */

static int tap(int i, int n, vg_fill fill)
{
    while (i < 0 || i >= n) {
        if (fill == VG_FILL_WRAP)
            i += i < 0 ? n : -n;
        else if (fill == VG_FILL_REFLECT)
            i = i < 0 ? -1 - i : 2 * n - 1 - i;
        else
            i = i < 0 ? 0 : n - 1;
    }
    return i;
}

static double keys(double t)
{
    t = fabs(t);
    return t < 1 ? (1.5 * t - 2.5) * t * t + 1 : t < 2 ? ((-0.5 * t + 2.5) * t - 4) * t + 2 : 0;
}

static double point_ref(const vg_remap *r, const vg_image *in, double x, double y, int c)
{
    if (r->fill == VG_FILL_CONSTANT &&
        (x < r->inset[0] - 0.500001 || x > in->width - 0.499999 - r->inset[0] ||
         y < r->inset[1] - 0.500001 || y > in->height - 0.499999 - r->inset[1]))
        return r->fill_value;
    double sum = 0;
    int left = (int)floor(x), top = (int)floor(y);
    for (int j = -1; j <= 2; j++)
        for (int i = -1; i <= 2; i++) {
            double dx = x - (left + i), dy = y - (top + j), w;
            if (r->interpolation == VG_INTERPOLATION_NEAREST)
                w = (left + i == (int)floor(x + 0.5)) && (top + j == (int)floor(y + 0.5));
            else if (r->interpolation == VG_INTERPOLATION_BICUBIC)
                w = keys(dx) * keys(dy);
            else
                w = fmax(0, 1 - fabs(dx)) * fmax(0, 1 - fabs(dy));
            int u = tap(left + i, in->width, r->fill), v = tap(top + j, in->height, r->fill);
            sum += w * in->data[(v * in->width + u) * in->channels + c];
        }
    return fmin(fmax(sum, 0), 255);
}

/* Every interpolation, fill mode, shape and instruction set, with a horizon in sight. */
static void test_twin_and_instruction_sets(void **state)
{
    (void)state;
    static const int shapes[][5] = {{1, 1, 1, 9, 7},     {1, 13, 3, 11, 5},   {17, 1, 1, 1, 1},
                                    {2, 2, 3, 30, 20},   {40, 30, 3, 37, 29}, {31, 50, 1, 140, 3},
                                    {25, 25, 3, 129, 2}, {200, 19, 3, 37, 12}};
    vg_error err = {0};
    for (size_t s = 0; s < sizeof shapes / sizeof *shapes; s++)
        for (int n = 0; n < 24; n++) {
            vg_image in = {0};
            vg_warp_scratch scratch = {0};
            make_picture(&in, shapes[s][0], shapes[s][1], shapes[s][2]);
            vg_remap r = elastic_map();
            r.width = shapes[s][3];
            r.height = shapes[s][4];
            r.from[0] = 0.9 * in.width / r.width;
            r.from[1] = -r.from[0] * (r.width - 1) / 2.0;
            r.from[2] = -0.9 * in.height / r.height;
            r.from[3] = -r.from[2] * (r.height - 1) / 2.0;
            r.p[0] = r.p[4] = 0.8;
            r.p[2] = (in.width - 1) / 2.0;
            r.p[5] = (in.height - 1) / 2.0;
            r.p[6] = n < 12 ? 0 : 0.5 / in.width;
            r.p[7] = n < 12 ? 0 : -0.4 / in.height;
            r.field.columns = n & 1 ? 5 : 0;
            r.field.rows = n & 1 ? 4 : 0;
            r.field.cell = (in.width + in.height) / 10.0;
            r.fill = (vg_fill)(n % 4);
            r.interpolation = (vg_interpolation)(n / 4 % 3);
            double scale[2];
            vg_remap_scale(&r, in.width, in.height, scale);
            bool points = r.interpolation == VG_INTERPOLATION_NEAREST ||
                          (scale[0] <= 1.25 && scale[1] <= 1.25);
            static float out[VG_SIMD_COUNT][3 * 2000];
            size_t plane = (size_t)r.width * (size_t)r.height;
            vg_view view = vg_image_view(&in);
            for (int simd = 0; simd <= (int)vg_simd_best(); simd++) {
                assert_ok(vg_remap_run_with(&r, &view, (vg_simd)simd, &scratch, out[simd], &err));
                assert_memory_equal(out[0], out[simd], plane * (size_t)in.channels * sizeof **out);
            }
            for (int v = 0; points && v < r.height; v++)
                for (int u = 0; u < r.width; u++) {
                    double at[2];
                    vg_remap_at(&r, u, v, at);
                    for (int c = 0; fabs(at[0]) < 1e4 && fabs(at[1]) < 1e4 && c < in.channels; c++)
                        assert_near((double)out[0][(size_t)c * plane + (size_t)(v * r.width + u)],
                                    point_ref(&r, &in, at[0], at[1], c),
                                    r.interpolation == VG_INTERPOLATION_BICUBIC ? 0.15 : 0.05);
                }
            vg_warp_scratch_reset(&scratch);
            vg_image_reset(&in);
        }
}

/* Stripes of one pixel, reduced, are grey for the two that antialias. */
static void test_reduces_without_stripes(void **state)
{
    (void)state;
    vg_image in = {0};
    vg_error err = {0};
    assert_ok(vg_image_shape(&in, 200, 160, 1, &err));
    for (int i = 0; i < 200 * 160; i++)
        in.data[i] = i % 200 % 2 ? 255 : 0;
    vg_remap r = {.from = {1, -19.5, 1, -15.5},
                  .p = {5, 0, 99.5, 0, 5, 79.5, 0.004, 0.002, 1},
                  .width = 40,
                  .height = 32};
    float out[40 * 32];
    for (int k = 0; k < 2; k++) {
        r.interpolation = k ? VG_INTERPOLATION_BICUBIC : VG_INTERPOLATION_BILINEAR;
        run(&r, &in, out);
        for (int v = 4; v < 28; v++)
            for (int u = 4; u < 36; u++)
                assert_near((double)out[v * 40 + u], 127.5, 14);
    }
    vg_image_reset(&in);
}

/* The mean under a tent that reaches to the neighbouring output pixels, wherever the map sends them:
 * what an ideal filter would give. */
static double tent_ref(const vg_remap *r, const vg_image *in, int u, int v, int c)
{
    enum { N = 12 };
    vg_remap points = *r;
    points.interpolation = VG_INTERPOLATION_BILINEAR;
    double sum = 0, weights = 0;
    for (int b = 0; b < 2 * N; b++)
        for (int a = 0; a < 2 * N; a++) {
            double x = (a + 0.5) / N - 1, y = (b + 0.5) / N - 1, at[2];
            double w = (1 - fabs(x)) * (1 - fabs(y));
            vg_remap_at(r, u + x, v + y, at);
            sum += w * point_ref(&points, in, at[0], at[1], c);
            weights += w;
        }
    return sum / weights;
}

/* How far a reduced picture is from an ideal one, which remap.h states; `points`: taken without filter. */
static double error_of(const vg_remap *r, const vg_image *in, bool points)
{
    static float out[3 * 96 * 96];
    double square = 0;
    int n = 0;
    run(r, in, out);
    for (int v = 0; v < r->height; v += 3)
        for (int u = 0; u < r->width; u += 3) {
            double at[2];
            vg_remap_at(r, u, v, at);
            for (int c = 0; c < 3; c++, n++) {
                double got = points ? point_ref(r, in, at[0], at[1], c)
                                    : (double)out[(c * r->height + v) * r->width + u];
                double d = got - tent_ref(r, in, u, v, c);
                square += d * d;
            }
        }
    return sqrt(square / n);
}

static void test_error_of_the_mean_scale(void **state)
{
    (void)state;
    vg_image scene = {0};
    vg_error err = {0};
    vg_bytes file = {0};
    vg_decoder *decoder = NULL;
    vg_decode_options options = vg_decode_options_default();
    assert_ok(vg_decoder_new(&decoder, &err));
    assert_ok(vg_file_read(VG_TEST_FILES "/scene.png", 0, &file, &err));
    assert_ok(vg_decode(decoder, file.data, file.size, &options, &scene, NULL, &err));
    vg_decoder_free(decoder);
    vg_bytes_reset(&file);
    for (int k = 0; k < 4; k++) {
        const int side = k % 2 ? 32 : 48;
        const double scale = (double)scene.width / side, tilt = 0.4 / scene.width;
        vg_remap r = {.from = {scale, 0.5 * scale * (1 - side), scale, 0.5 * scale * (1 - side)},
                      .p = {1, 0, 0, 0, 1, 0, tilt, tilt / 2, 1},
                      .width = side,
                      .height = side,
                      .fill = VG_FILL_REFLECT,
                      .interpolation = VG_INTERPOLATION_BILINEAR};
        double cx = (scene.width - 1) / 2.0, cy = (scene.height - 1) / 2.0;
        if (k >= 2) { /* a field instead */
            r.p[6] = r.p[7] = 0;
            r.field = (vg_field){.columns = 4, .rows = 4, .cell = scene.width / 4.0};
            for (int j = 0; j < 7; j++)
                for (int i = 0; i < 7; i++) {
                    r.field.x[j][i] = (float)((i * 37 + j * 11) % 17 - 8) * 0.5f;
                    r.field.y[j][i] = (float)((i * 5 + j * 23) % 13 - 6) * 0.5f;
                }
        }
        for (int i = 0; i < 3; i++) { /* back to the picture's corner, after the division */
            r.p[i] += cx * r.p[6 + i];
            r.p[3 + i] += cy * r.p[6 + i];
        }
        double filtered = error_of(&r, &scene, false), points = error_of(&r, &scene, true);
        if (!(filtered < 6.5 && filtered < 0.65 * points))
            fail_msg("map %d: %.2f levels from ideal, %.2f without a filter", k, filtered, points);
    }
    vg_image_reset(&scene);
}

static void test_refuses(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_warp_scratch scratch = {0};
    vg_image in = {0};
    float out[22 * 17];
    make_picture(&in, 8, 8, 1);
    vg_view view = vg_image_view(&in);
    vg_remap r = elastic_map();
    r.field.columns = VG_FIELD_CELLS + 1;
    assert_int_equal(vg_remap_run(&r, &view, &scratch, out, &err), VG_E_ARG);
    assert_contains(err.message, "17 x 4 cells");
    r = elastic_map();
    r.field.cell = 0;
    assert_int_equal(vg_remap_run(&r, &view, &scratch, out, &err), VG_E_ARG);
    r = elastic_map();
    r.p[3] = NAN;
    assert_int_equal(vg_remap_run(&r, &view, &scratch, out, &err), VG_E_ARG);
    assert_contains(err.message, "not finite");
    r = elastic_map();
    r.field.x[2][2] = INFINITY;
    assert_int_equal(vg_remap_run(&r, &view, &scratch, out, &err), VG_E_ARG);
    vg_warp_scratch_reset(&scratch);
    vg_image_reset(&in);
}

static void test_outside(void **state)
{
    (void)state;
    vg_warp w = {.m = {1, 0, 5, 0, 1, 0}, .width = 10, .height = 10};
    vg_remap r = vg_remap_of_warp(&w, VG_INTERPOLATION_NEAREST);
    assert_near(vg_remap_outside(&r, 10, 10), 0.5, 1e-12);
    assert_near(vg_warp_outside(&w, 10, 10), 0.5, 1e-12);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_perspective_is_torchvisions),
        cmocka_unit_test(test_elastic_is_scipys),
        cmocka_unit_test(test_bicubic_enlarges_as_pillow),
        cmocka_unit_test(test_twin_and_instruction_sets),
        cmocka_unit_test(test_reduces_without_stripes),
        cmocka_unit_test(test_error_of_the_mean_scale),
        cmocka_unit_test(test_refuses),
        cmocka_unit_test(test_outside),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
