/* Tests of views.h: what a network is shown, and how its answers are averaged. */
#include "test.h"

#include "nn_util.h"
#include "views.h"

enum { N = 3, C = 2, H = 4, W = 5, CLASSES = 3, PICTURE = C * H * W };

static vg_model *make(void)
{
    return model_of(SPEC("conv 4 k3", "bn", "relu", "dense 6", "relu"), C, H, W, CLASSES, N);
}

/* Pixel (i, j) of a view, in plain words: mirrored first from the right, then looked up beside where it
 * stands, with edges that reflect. */
static float pixel(const float *plane, int i, int j, int shift, bool mirrored)
{
    i += shift;
    j = (mirrored ? W - 1 - j : j) + shift;
    i = i < 0 ? 1 : i > H - 1 ? H - 2 : i;
    j = j < 0 ? 1 : j > W - 1 ? W - 2 : j;
    return plane[i * W + j];
}

static void add_view(vg_model *m, const float *x, int shift, bool mirrored, double weight,
                     double *sum)
{
    float view[N * PICTURE];
    for (int p = 0; p < N * C; p++)
        for (int i = 0; i < H; i++)
            for (int j = 0; j < W; j++)
                view[(p * H + i) * W + j] = pixel(x + p * H * W, i, j, shift, mirrored);
    const float *z = vg_model_forward(m, view, N, false, 0);
    for (int k = 0; k < N * CLASSES; k++)
        sum[k] += weight * (double)z[k];
}

static void test_averages(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_model *m = make();
    float *x = random_floats((size_t)N * PICTURE, 8);
    vg_normalizer plain = vg_normalizer_make(VG_NORMALIZE_UNIT, 1, NULL);
    for (int views = 0; views < VG_TEST_VIEWS_COUNT; views++) {
        double wanted[N * CLASSES] = {0};
        double whole = views == VG_TEST_VIEWS_ONE ? 1 : views == VG_TEST_VIEWS_MIRROR ? 0.5 : 0.25;
        add_view(m, x, 0, false, whole, wanted);
        if (views != VG_TEST_VIEWS_ONE)
            add_view(m, x, 0, true, whole, wanted);
        for (int shift = -1; views == VG_TEST_VIEWS_SHIFTED && shift < 2; shift += 2) {
            add_view(m, x, shift, false, 0.125, wanted);
            add_view(m, x, shift, true, 0.125, wanted);
        }
        vg_views_room *room;
        assert_ok(vg_views_room_new((vg_test_views)views, m, N, &room, &err));
        assert_true((room == NULL) == (views == VG_TEST_VIEWS_ONE));
        const float *z = vg_views_forward(room, m, &plain, x, N, NULL);
        for (int k = 0; k < N * CLASSES; k++)
            assert_near((double)z[k], wanted[k], 1e-5);
        /* the picture as it is went last */
        const float *own = vg_model_activation(m, vg_model_layers(m) - 1);
        float kept[N * CLASSES];
        memcpy(kept, own, sizeof kept);
        const float *again = vg_model_forward(m, x, N, false, 0);
        assert_memory_equal(kept, again, sizeof kept);
        vg_views_room_free(room);
    }
    free(x);
    vg_model_free(m);
}

/* A picture of one pixel has nothing to reflect. */
static void test_single_pixel(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_model *m = model_of(SPEC("dense 4", "relu"), 1, 1, 1, CLASSES, 2);
    const float x[2] = {0.5F, -2};
    float wanted[2 * CLASSES];
    memcpy(wanted, vg_model_forward(m, x, 2, false, 0), sizeof wanted);
    vg_normalizer plain = vg_normalizer_make(VG_NORMALIZE_UNIT, 1, NULL);
    vg_views_room *room;
    assert_ok(vg_views_room_new(VG_TEST_VIEWS_SHIFTED, m, 2, &room, &err));
    const float *z = vg_views_forward(room, m, &plain, x, 2, NULL);
    for (int k = 0; k < 2 * CLASSES; k++)
        assert_near((double)z[k], (double)wanted[k], 1e-6);
    vg_views_room_free(room);
    vg_model_free(m);
}

static void test_names(void **state)
{
    (void)state;
    assert_string_equal(vg_test_views_name(VG_TEST_VIEWS_ONE), "one");
    assert_string_equal(vg_test_views_name(VG_TEST_VIEWS_SHIFTED), "shifted");
    assert_string_equal(vg_test_views_name(VG_TEST_VIEWS_COUNT), "unknown");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_averages),
        cmocka_unit_test(test_single_pixel),
        cmocka_unit_test(test_names),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
