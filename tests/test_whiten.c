/* Tests of whiten.h and of statistics files. Golden values: tests/golden/whiten.py. */
#include "test.h"

#include "make_idx.h"

#include "checkpoint.h"
#include "whiten.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum { N = 16 };
static const size_t TWENTY[3] = {20, 20, 20}, ONE[3] = {1, 1, 1};

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_augment augment;
} fixture;

static fixture set_up(int size)
{
    fixture f = {
        .augment = {.policy = vg_policy_none(), .channels = 1, .height = size, .width = size}};
    f.dataset = make_idx_dataset(&f.folder, TWENTY, ONE, 3, size);
    return f;
}

static void tear_down(fixture *f)
{
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
}

static vg_pixel_stats *fit(const fixture *f, double epsilon, int threads)
{
    vg_error err = {0};
    vg_pixel_stats *s;
    assert_ok(vg_whiten_fit(f->dataset, &f->augment, epsilon,
                            &(vg_views_options){.threads = threads}, &s, &err));
    return s;
}

static void test_golden(void **state)
{
    (void)state;
    fixture f = set_up(4);
    const double epsilon[] = {0.1, 0.01};
    const double w[][3] = {{6.294371034914559, 0.0920984380514823, 0.04386085504609094},
                           {16.127381621159344, 0.25176229502976705, 0.04847364178539428}};
    const double out[][2] = {{-0.6284912738997316, 0.4021298619485188},
                             {-1.479670622639038, 0.6201395963603199}};
    for (int k = 0; k < 2; k++) {
        vg_error err = {0};
        vg_pixel_stats *s = fit(&f, epsilon[k], 2);
        assert_near((double)s->matrix[0], w[k][0], 1e-5);
        assert_near((double)s->matrix[1], w[k][1], 1e-5);
        assert_near((double)s->matrix[7 * N + 9], w[k][2], 1e-5);
        assert_int_equal(s->rank, N);
        float x[2 * N], *room;
        for (int i = 0; i < N; i++) {
            x[i] = (float)make_idx_pixel(0, 0, i % 4, i / 4, 4);
            x[N + i] = (float)make_idx_pixel(2, 19, i % 4, i / 4, 4);
        }
        vg_normalizer n = vg_normalizer_of_pixels(VG_NORMALIZE_ZCA, s);
        vg_normalizer_apply(&n, x, N);
        vg_normalizer_apply(&n, x + N, N);
        assert_ok(vg_whiten_room(&n, 2, &room, &err));
        const float *y = vg_whiten_batch(&n, x, 2, room);
        assert_near((double)y[0], out[k][0], 1e-5);
        assert_near((double)y[2 * N - 1], out[k][1], 1e-5);
        float plain[N];
        vg_pixel_stats_whiten(s, x, plain);
        for (int i = 0; i < N; i++)
            assert_near((double)plain[i], (double)y[i], 1e-5);
        free(room);
        vg_pixel_stats_release(s);
    }
    tear_down(&f);
}

/* More than one tile, fewer images (60) than values (400): the bits do not depend on threads, and what
 * the training images never do is not amplified. */
static void test_threads_and_rank(void **state)
{
    (void)state;
    fixture f = set_up(20);
    vg_pixel_stats *one = fit(&f, 1e-3, 1), *three = fit(&f, 1e-3, 3);
    size_t size = one->size;
    assert_memory_equal(one->matrix, three->matrix, size * size * sizeof(float));
    assert_memory_equal(one->mean, three->mean, size * sizeof(float));
    assert_int_equal(one->rank, three->rank);
    assert_in_range(one->rank, 1, 59);
    double trace = 0;
    for (size_t i = 0; i < size; i++) {
        trace += (double)one->matrix[i * size + i];
        for (size_t j = 0; j < i; j++)
            assert_true(one->matrix[i * size + j] == one->matrix[j * size + i]);
    }
    assert_true(trace > 0 && trace <= 59 / 1e-3);
    vg_pixel_stats_release(one);
    vg_pixel_stats_release(three);
    tear_down(&f);
}

static void test_other_kinds_pass(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_normalizer n = vg_normalizer_make(VG_NORMALIZE_UNIT, 1, NULL);
    float x[N] = {0}, *room;
    assert_ok(vg_whiten_room(&n, 7, &room, &err));
    assert_null(room);
    assert_true(vg_whiten_batch(&n, x, 1, room) == x);
}

static void test_refusals(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(4);
    vg_pixel_stats *s;
    vg_views_options options = {0};
    vg_augment large = f.augment;
    large.height = large.width = 96;
    assert_int_equal(vg_whiten_fit(f.dataset, &large, 0.1, &options, &s, &err), VG_E_LIMIT);
    assert_contains(err.message, "GB");
    assert_contains(err.message, "input.size=88");
    assert_null(s);
    assert_int_equal(vg_whiten_fit(f.dataset, &f.augment, -1, &options, &s, &err), VG_E_ARG);
    assert_int_equal(vg_whiten_fit(f.dataset, &f.augment, NAN, &options, &s, &err), VG_E_ARG);
    tear_down(&f);
}

static void test_statistics_file(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(4);
    char *path = vg_path_join(f.folder, "statistics.safetensors");
    vg_pixel_stats *s = fit(&f, 0.1, 1);
    vg_checkpoint out = {.channels = 1,
                         .height = 4,
                         .width = 4,
                         .framing = {VG_FRAMING_CROP, 0.875},
                         .normalizer = vg_normalizer_of_pixels(VG_NORMALIZE_ZCA, s)},
                  in;
    assert_ok(vg_statistics_save(path, &out, "here/\xff", &err));
    assert_ok(vg_statistics_load(path, &in, &err));
    assert_int_equal(in.normalizer.kind, VG_NORMALIZE_ZCA);
    assert_true(in.normalizer.pixels == in.pixels);
    assert_true(vg_framing_equal(&in.framing, &out.framing));
    assert_memory_equal(in.pixels->mean, s->mean, N * sizeof(float));
    assert_memory_equal(in.pixels->scale, s->scale, N * sizeof(float));
    assert_memory_equal(in.pixels->matrix, s->matrix, N * N * sizeof(float));
    assert_near(in.pixels->epsilon, 0.1, 0);
    assert_true(in.pixels->rank == N && in.pixels->images == 60);
    vg_checkpoint_reset(&in);
    vg_model *model;
    assert_int_equal(vg_checkpoint_load(path, 1, &in, &model, &err), VG_E_FORMAT);
    assert_contains(err.message, "no network");
    /* a changed value, a cut file */
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    bytes.data[bytes.size - 1] ^= 1;
    assert_ok(vg_file_write(path, bytes.data, bytes.size, &err));
    assert_int_equal(vg_statistics_load(path, &in, &err), VG_E_FORMAT);
    assert_contains(err.message, "checksum");
    assert_ok(vg_file_write(path, bytes.data, bytes.size - 4, &err));
    assert_int_equal(vg_statistics_load(path, &in, &err), VG_E_FORMAT);
    assert_contains(err.message, "cut off");
    vg_bytes_reset(&bytes);
    /* statistics of pixels that say they are for a larger input */
    out.height = 400;
    assert_ok(vg_statistics_save(path, &out, "here", &err));
    assert_int_equal(vg_statistics_load(path, &in, &err), VG_E_SHAPE);
    free(path);
    vg_pixel_stats_release(s);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_golden),           cmocka_unit_test(test_threads_and_rank),
        cmocka_unit_test(test_other_kinds_pass), cmocka_unit_test(test_refusals),
        cmocka_unit_test(test_statistics_file),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
