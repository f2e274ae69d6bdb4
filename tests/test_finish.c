/* Tests of ops/finish.h: all versions against a naive twin, over odd shapes, moves and fill modes. */
#include "test.h"

#include "base/rng.h"
#include "image/codec.h"
#include "ops/finish.h"

#include <stdlib.h>

static int place_ref(int i, int n, vg_fill fill)
{
    while (i < 0 || i >= n) {
        if (fill == VG_FILL_WRAP)
            i += i < 0 ? n : -n;
        else if (fill == VG_FILL_REFLECT)
            i = i < 0 ? -1 - i : 2 * n - 1 - i;
        else if (fill == VG_FILL_NEAREST)
            i = i < 0 ? 0 : n - 1;
        else
            return -1;
    }
    return i;
}

static float value_ref(const vg_finish *f, const vg_view *in, int c, int u, int v)
{
    int x = place_ref((f->mirror_x ? f->width - 1 - u : u) - f->x, in->width, f->fill);
    int y = place_ref((f->mirror_y ? f->height - 1 - v : v) - f->y, in->height, f->fill);
    float value = (float)f->fill_value;
    if (x >= 0 && y >= 0) {
        const uint8_t *p = in->data + (size_t)y * in->stride + (size_t)x * (size_t)in->channels;
        value = (float)(in->channels == 1  ? p[0]
                        : f->channels == 1 ? vg_luma(p[0], p[1], p[2])
                                           : p[c]);
    }
    float scaled = value * f->scale[c];
    return scaled + f->offset[c];
}

static void check(const vg_finish *f, const vg_view *in)
{
    size_t n = (size_t)f->width * (size_t)f->height;
    float *out = malloc(((size_t)f->channels * n + 1) * sizeof *out);
    assert_non_null(out);
    out[(size_t)f->channels * n] = -7;
    vg_finish_run(f, in, out);
    for (int c = 0; c < f->channels; c++)
        for (int v = 0; v < f->height; v++)
            for (int u = 0; u < f->width; u++)
                assert_true(out[(size_t)c * n + (size_t)(v * f->width + u)] ==
                            value_ref(f, in, c, u, v));
    assert_true(out[(size_t)f->channels * n] == -7);
    free(out);
}

static void test_against_the_naive_twin(void **state)
{
    (void)state;
    static const int widths[] = {1, 2, 15, 16, 17, 31, 32, 47, 300};
    vg_rng rng = vg_rng_make(4, 0, 0, VG_RNG_SAMPLE_DATA);
    for (int turn = 0; turn < 3000; turn++) {
        int in_channels = vg_rng_below(&rng, 2) ? 3 : 1, width = widths[vg_rng_below(&rng, 9)];
        int height = 1 + (int)vg_rng_below(&rng, 5);
        /* exactly as many bytes as it needs: a checker sees what reads beyond */
        size_t stride = (size_t)(width * in_channels) + vg_rng_below(&rng, 3);
        size_t bytes = stride * (size_t)(height - 1) + (size_t)(width * in_channels);
        uint8_t *data = malloc(bytes);
        assert_non_null(data);
        for (size_t i = 0; i < bytes; i++)
            data[i] = (uint8_t)vg_rng_u32(&rng);
        vg_view in = {data, width, height, in_channels, stride};
        bool same = vg_rng_below(&rng, 3) == 0;
        vg_finish f = {.width = same ? width : widths[vg_rng_below(&rng, 9)],
                       .height = same ? height : 1 + (int)vg_rng_below(&rng, 7),
                       .channels = vg_rng_below(&rng, 2) ? 3 : 1,
                       .mirror_x = vg_rng_below(&rng, 2),
                       .mirror_y = vg_rng_below(&rng, 2),
                       .fill = (vg_fill)vg_rng_below(&rng, 4),
                       .fill_value = 77,
                       .scale = {0.017F, 1, 2.5F},
                       .offset = {-1.3F, 0, 9}};
        if (!same) {
            f.x = (int)vg_rng_below(&rng, 61) - 30;
            f.y = (int)vg_rng_below(&rng, 11) - 5;
        }
        check(&f, &in);
        free(data);
    }
}

static void test_versions_agree(void **state)
{
    (void)state;
    enum { MOST = 100 };
    uint8_t in[3 * MOST];
    for (int i = 0; i < 3 * MOST; i++)
        in[i] = (uint8_t)(i * 37 + 11);
    assert_non_null(vg_finish_version(VG_FINISH_PLAIN));
    for (int version = VG_FINISH_PLAIN + 1; version < VG_FINISH_VERSIONS; version++) {
        vg_finish_row row = vg_finish_version(version);
        for (size_t n = 1; row && n <= MOST; n++)
            for (int kind = 0; kind < 6; kind++) {
                vg_finish f = {.channels = kind % 3 == 0 ? 1 : 3,
                               .mirror_x = kind >= 3,
                               .scale = {0.1F, 0.2F, 0.3F},
                               .offset = {1.7F, -3, 0.01F}};
                int in_channels = kind % 3 == 2 ? 3 : 1;
                float a[3][MOST] = {{0}}, b[3][MOST] = {{0}};
                vg_finish_version(VG_FINISH_PLAIN)(in, n, in_channels, &f,
                                                   (float *const[3]){a[0], a[1], a[2]});
                row(in, n, in_channels, &f, (float *const[3]){b[0], b[1], b[2]});
                assert_memory_equal(a, b, sizeof a);
            }
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_against_the_naive_twin),
        cmocka_unit_test(test_versions_agree),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
