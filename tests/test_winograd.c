/* Winograd's convolution against the naive one in double, over odd shapes and both tile sizes, for
 * every instruction set that this machine has: the error is measured and bounded. */
#include "test.h"

#include "base/rng.h"
#include "nn/kernels/winograd.h"

#include <math.h>

typedef struct shape {
    int c, h, w, k, padding, images;
    int x_extra, y_extra; /* channels of other groups beside these */
} shape;

static const shape SHAPES[] = {
    {16, 8, 8, 16, 1, 2, 0, 0},    /* whole tiles */
    {32, 7, 7, 48, 1, 5, 0, 0},    /* cut tiles, several images at a time */
    {40, 15, 13, 24, 0, 2, 0, 0},  /* no multiples of 16, no padding */
    {17, 5, 9, 33, 2, 3, 0, 0},    /* padding 2, one lane and one channel more */
    {64, 34, 30, 80, 1, 2, 0, 0},  /* bands of rows, groups of unequal width */
    {16, 1, 1, 16, 1, 3, 0, 0},    /* a map of one pixel */
    {20, 6, 7, 24, 1, 2, 20, 8},   /* a group in a wider map */
    {256, 14, 14, 64, 1, 2, 0, 0}, /* long sums */
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES, GUARD = 32 };

typedef struct fixture {
    vg_conv c, back;
    int images;
    size_t x_size, y_size, w_size, gradient_size;
    float *x, *dy, *w, *bias;       /* given */
    float *y, *dx, *dw;             /* naive */
    float *got_y, *got_dx, *got_dw; /* Winograd's */
    float *packed_dw;
} fixture;

static float *floats(size_t n)
{
    float *p = malloc((n + GUARD) * sizeof *p);
    assert_non_null(p);
    for (size_t i = 0; i < n + GUARD; i++)
        p[i] = -77;
    return p;
}

static float *drawn(size_t n, uint64_t seed, double deviation)
{
    float *p = floats(n);
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_INIT);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)(vg_rng_normal(&rng) * deviation);
    return p;
}

static fixture fixture_make(const shape *s)
{
    vg_conv c = {.c = s->c,
                 .h = s->h,
                 .w = s->w,
                 .k = s->k,
                 .p = s->h + 2 * s->padding - 2,
                 .q = s->w + 2 * s->padding - 2,
                 .kernel = 3,
                 .stride = 1,
                 .padding = s->padding,
                 .dilation = 1,
                 .x_pixel = (size_t)(s->c + s->x_extra),
                 .y_pixel = (size_t)(s->k + s->y_extra)};
    fixture f = {.c = c, .back = vg_winograd_reverse(&c), .images = s->images};
    f.x_size = (size_t)s->images * (size_t)(s->h * s->w) * c.x_pixel;
    f.y_size = (size_t)s->images * (size_t)(c.p * c.q) * c.y_pixel;
    f.w_size = (size_t)s->k * (size_t)s->c * 9;
    f.gradient_size = vg_conv_packed_gradient(&c);
    f.x = drawn(f.x_size, 1, 1);
    f.dy = drawn(f.y_size, 2, 1);
    f.w = drawn(f.w_size, 3, sqrt(2.0 / (9.0 * s->c)));
    f.bias = drawn((size_t)s->k, 4, 1);
    f.y = floats(f.y_size);
    f.dx = floats(f.x_size);
    f.dw = floats(f.w_size);
    f.got_y = floats(f.y_size);
    f.got_dx = floats(f.x_size);
    f.got_dw = floats(f.w_size);
    f.packed_dw = floats(f.gradient_size);
    return f;
}

static void fixture_free(fixture *f)
{
    float *all[] = {f->x,  f->dy,    f->w,      f->bias,   f->y,        f->dx,
                    f->dw, f->got_y, f->got_dx, f->got_dw, f->packed_dw};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void assert_guard(const float *p, size_t n)
{
    for (size_t i = n; i < n + GUARD; i++)
        assert_true(p[i] == -77);
}

static void run_all(fixture *f, const vg_tile_set *set, int m, bool relu)
{
    const vg_conv *c = &f->c;
    vg_winograd all = {m, m, m};
    size_t scratch_size = vg_winograd_scratch(c, &all);
    size_t forward = vg_winograd_packed(c, m), data = vg_winograd_packed(&f->back, m);
    float *scratch = floats(scratch_size), *packed = floats(forward), *back = floats(data);
    for (int part = 0; part < 3; part++) {
        vg_winograd_pack(set, c, m, false, f->w, f->bias, part, 3, packed);
        vg_winograd_pack(set, &f->back, m, true, f->w, NULL, part, 3, back);
    }
    vg_rows x = {.base = f->x, .pixel = c->x_pixel}, dy = {.base = f->dy, .pixel = c->y_pixel};
    vg_winograd_forward(set, c, m, &x, f->images, packed,
                        &(vg_sink){.base = f->got_y, .relu = relu}, scratch);
    vg_winograd_forward(set, &f->back, m, &dy, f->images, back,
                        &(vg_sink){.base = f->got_dx, .relu = false}, scratch);
    vg_winograd_backward_weight(set, c, m, &x, &dy, f->images, false, f->packed_dw, scratch);
    vg_conv_unpack_gradient(c, f->packed_dw, 1, 0, 0, 1, f->got_dw);
    assert_guard(scratch, scratch_size);
    assert_guard(packed, forward);
    assert_guard(back, data);
    assert_guard(f->got_y, f->y_size);
    assert_guard(f->got_dx, f->x_size);
    assert_guard(f->got_dw, f->w_size);
    assert_guard(f->packed_dw, f->gradient_size);
    free(scratch);
    free(packed);
    free(back);
}

/* Root of the mean squared error, in deviations of what is wanted; channels beyond are untouched. */
static double error_of(const float *got, const float *want, size_t pixels, size_t pixel, int used)
{
    double squares = 0, size = 0;
    for (size_t i = 0; i < pixels * pixel; i++) {
        if (i % pixel >= (size_t)used) {
            assert_true(got[i] == -77);
            continue;
        }
        double d = (double)got[i] - (double)want[i];
        squares += d * d;
        size += (double)want[i] * (double)want[i];
    }
    return sqrt(squares / size);
}

static const vg_tile_set *set_at(int simd)
{
    const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
    return simd > 0 && set == vg_tile_set_for((vg_simd)(simd - 1)) ? NULL : set;
}

static void test_error(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++) {
        fixture f = fixture_make(&SHAPES[i]);
        const vg_conv *c = &f.c;
        size_t in = (size_t)f.images * (size_t)(c->h * c->w),
               out = (size_t)f.images * (size_t)(c->p * c->q);
        vg_conv_forward_plain(c, f.x, f.images, f.w, f.bias, i % 2, f.y);
        vg_conv_backward_plain(c, f.x, f.dy, f.images, f.w, f.dx, f.dw);
        for (int m = 2; m <= 4; m += 2)
            for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
                if (!set_at(simd))
                    continue;
                run_all(&f, set_at(simd), m, i % 2);
                /* measured: 4e-7 and 1.5e-6 at most */
                double allowed = m == 2 ? 1e-6 : 4e-6;
                double y = error_of(f.got_y, f.y, out, c->y_pixel, c->k);
                double dx = error_of(f.got_dx, f.dx, in, c->x_pixel, c->c);
                double dw = error_of(f.got_dw, f.dw, 1, f.w_size, (int)f.w_size);
                if (getenv("SHOW"))
                    printf("%d %d %d: %g %g %g\n", i, m, simd, y, dx, dw);
                if (!(y <= allowed && dx <= allowed && dw <= allowed))
                    fail_msg("shape %d, tiles of %d, set %d: errors %g %g %g", i, m, simd, y, dx,
                             dw);
            }
        fixture_free(&f);
    }
}

static void test_same_bits(void **state)
{
    (void)state;
    const vg_tile_set *wide = set_at(VG_SIMD_AVX512), *narrow = set_at(VG_SIMD_AVX2);
    if (!narrow || !wide)
        skip();
    for (int i = 0; i < SHAPE_COUNT; i++)
        for (int m = 2; m <= 4; m += 2) {
            fixture a = fixture_make(&SHAPES[i]), b = fixture_make(&SHAPES[i]);
            run_all(&a, wide, m, true);
            run_all(&b, narrow, m, true);
            assert_memory_equal(a.got_y, b.got_y, a.y_size * sizeof(float));
            assert_memory_equal(a.got_dx, b.got_dx, a.x_size * sizeof(float));
            assert_memory_equal(a.got_dw, b.got_dw, a.w_size * sizeof(float));
            fixture_free(&a);
            fixture_free(&b);
        }
}

/* Takes rows and puts them where they belong; whole multiples but at the end. */
typedef struct taken {
    const vg_conv *c;
    int multiple, next;
    float *y;
} taken;

static void take_rows(void *context, int image, int row, int rows, const float *y)
{
    taken *t = context;
    size_t line = (size_t)t->c->q * (size_t)t->c->k;
    assert_int_equal(image * t->c->p + row, t->next);
    assert_true(row % t->multiple == 0 && (rows % t->multiple == 0 || row + rows == t->c->p));
    t->next += rows;
    memcpy(t->y + (size_t)(image * t->c->p + row) * line, y, (size_t)rows * line * sizeof *y);
}

/* Outputs that are taken as they come, and outputs added to what is there. */
static void test_sinks(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++)
        for (int m = 2; m <= 4; m += 2)
            for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
                const vg_tile_set *set = set_at(simd);
                if (!set)
                    continue;
                fixture f = fixture_make(&SHAPES[i]);
                const vg_conv *c = &f.c;
                run_all(&f, set, m, false);
                size_t pixels = (size_t)f.images * (size_t)(c->p * c->q), k = (size_t)c->k;
                size_t need = vg_winograd_scratch_sink(c, m), forward = vg_winograd_packed(c, m);
                float *scratch = floats(need), *packed = floats(forward);
                taken t = {.c = c, .multiple = m, .y = floats(pixels * k)};
                vg_winograd_pack(set, c, m, false, f.w, f.bias, 0, 1, packed);
                vg_rows x = {.base = f.x, .pixel = c->x_pixel};
                vg_sink sink = {.take = take_rows, .context = &t, .multiple = m};
                vg_winograd_forward(set, c, m, &x, f.images, packed, &sink, scratch);
                assert_int_equal(t.next, f.images * c->p);
                assert_guard(t.y, pixels * k);
                assert_guard(scratch, need);
                for (size_t at = 0; at < pixels; at++)
                    assert_memory_equal(t.y + at * k, f.got_y + at * c->y_pixel, k * sizeof(float));
                float *sum = drawn(f.y_size, 9, 1), *before = drawn(f.y_size, 9, 1);
                sink = (vg_sink){.base = sum, .add = true};
                vg_winograd_forward(set, c, m, &x, f.images, packed, &sink, scratch);
                for (size_t at = 0; at < f.y_size; at++) {
                    float conv = at % c->y_pixel < k ? f.got_y[at] : 0;
                    assert_true(sum[at] == before[at] + conv);
                }
                free(sum), free(before), free(t.y), free(scratch), free(packed);
                fixture_free(&f);
            }
}

/* The choice follows the shape and the largest tile allowed. */
static void test_choice(void **state)
{
    (void)state;
    vg_conv c = {.c = 64, .h = 16, .w = 16, .k = 64, .p = 16, .q = 16, .kernel = 3, .stride = 1};
    c.padding = c.dilation = 1;
    vg_winograd w = vg_winograd_choose(&c, 4);
    assert_true(w.forward == 4 && w.data == 4 && w.weight == 4);
    w = vg_winograd_choose(&c, 2);
    assert_true(w.forward == 2 && w.data == 2 && w.weight == 2);
    w = vg_winograd_choose(&c, 0);
    assert_true(w.forward == 0 && w.data == 0 && w.weight == 0);
    vg_conv other = c;
    other.stride = 2;
    assert_int_equal(vg_winograd_choose(&other, 4).forward, 0);
    other = c, other.kernel = 5;
    assert_int_equal(vg_winograd_choose(&other, 4).forward, 0);
    other = c, other.c = 15; /* transforms would cost more than they spare */
    assert_int_equal(vg_winograd_choose(&other, 4).forward, 0);
    other = c, other.h = other.w = other.p = other.q = 1; /* one pixel, whole tiles */
    assert_int_equal(vg_winograd_choose(&other, 4).forward, 0);
    other = c, other.p = other.q = 1, other.h = other.w = 3, other.padding = 0;
    assert_int_equal(vg_winograd_choose(&other, 4).forward, 0);
    assert_int_equal(vg_winograd_choose(&other, 4).data, 4);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_error),
                                       cmocka_unit_test(test_same_bits),
                                       cmocka_unit_test(test_sinks), cmocka_unit_test(test_choice)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
