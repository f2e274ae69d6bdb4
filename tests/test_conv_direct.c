/* The direct convolution against its naive twin over odd shapes, for every instruction set that this
 * machine has; equal bits where they are promised. */
#include "test.h"

#include "base/rng.h"
#include "nn/kernels/conv.h"

#include <math.h>

typedef struct shape {
    int c, h, w, k, kernel, stride, padding, dilation, images;
    int x_extra, y_extra; /* channels of other groups beside these */
} shape;

static const shape SHAPES[] = {
    {1, 28, 28, 6, 5, 1, 2, 1, 2, 0, 0},    /* a first layer, gray */
    {3, 17, 19, 16, 3, 1, 1, 1, 2, 0, 0},   /* a first layer, colour */
    {3, 21, 23, 64, 7, 2, 3, 1, 2, 0, 0},   /* with a stride */
    {6, 14, 14, 16, 5, 1, 0, 1, 3, 0, 0},   /* few channels */
    {16, 8, 8, 16, 3, 1, 1, 1, 9, 0, 0},    /* several images in the scratch */
    {24, 15, 15, 40, 3, 1, 1, 1, 2, 0, 0},  /* no multiples of 16 */
    {32, 9, 31, 33, 3, 1, 1, 1, 2, 0, 0},   /* one lane in the last vector */
    {64, 7, 7, 64, 3, 1, 1, 1, 3, 0, 0},    /* */
    {70, 5, 6, 150, 3, 1, 1, 1, 2, 0, 0},   /* groups of unequal width */
    {130, 4, 4, 80, 1, 1, 0, 1, 3, 0, 0},   /* 1x1, runs of channel blocks */
    {32, 9, 9, 48, 1, 2, 0, 1, 2, 0, 0},    /* 1x1 with a stride: unread rows and columns */
    {16, 12, 11, 20, 3, 2, 1, 1, 2, 0, 0},  /* stride 2 */
    {5, 13, 14, 7, 3, 3, 1, 1, 2, 0, 0},    /* stride 3 */
    {5, 9, 9, 7, 2, 3, 0, 1, 2, 0, 0},      /* stride above the kernel: pixels nobody reads */
    {17, 9, 10, 18, 3, 1, 5, 1, 2, 0, 0},   /* padding above the kernel */
    {4, 9, 10, 18, 2, 2, 3, 1, 2, 0, 0},    /* the same with a stride */
    {8, 15, 13, 8, 3, 1, 2, 2, 2, 0, 0},    /* dilation */
    {8, 15, 13, 8, 3, 2, 3, 3, 2, 0, 0},    /* dilation and stride */
    {8, 15, 13, 8, 4, 4, 0, 1, 2, 0, 0},    /* patches */
    {16, 1, 1, 30, 1, 1, 0, 1, 20, 0, 0},   /* a map of one pixel */
    {16, 1, 1, 30, 3, 1, 1, 1, 20, 0, 0},   /* */
    {1, 1, 70, 1, 1, 1, 0, 1, 1, 0, 0},     /* one of everything */
    {3, 12, 70, 5, 3, 1, 0, 1, 1, 2, 1},    /* a group in a wider map */
    {20, 6, 7, 16, 3, 1, 1, 1, 2, 20, 32},  /* likewise */
    {2, 9, 11, 20, 7, 1, 6, 1, 3, 0, 0},    /* few channels, wide kernel: narrow data gradient */
    {5, 19, 14, 17, 5, 1, 3, 3, 2, 3, 0},   /* the same, dilated, a group in a wider map */
    {6, 100, 90, 70, 5, 1, 0, 1, 1, 0, 5},  /* the same in bands of rows */
    {16, 40, 150, 32, 3, 1, 1, 1, 1, 0, 0}, /* bands of rows */
    {512, 20, 20, 16, 3, 2, 1, 1, 1, 0, 0}, /* bands with a stride */
    {3, 20, 33, 8, 3, 1, 1, 1, 2, 0, 0},    /* thin: few outputs, vectors of pixels */
    {2, 9, 50, 1, 4, 1, 0, 1, 3, 0, 0},     /* */
    {4, 13, 47, 3, 2, 1, 1, 1, 2, 0, 0},    /* */
    {1, 300, 300, 5, 7, 1, 3, 1, 1, 0, 0},  /* in bands of rows */
    {3, 30, 64, 7, 3, 1, 5, 1, 2, 2, 0},    /* padding above the kernel, a group in a wider map */
    {1, 16, 16, 4, 3, 1, 1, 1, 2, 0, 0},    /* */
    {1, 9, 96, 2, 6, 1, 0, 1, 2, 0, 0},     /* */
};
enum { SHAPE_COUNT = sizeof SHAPES / sizeof *SHAPES, GUARD = 32 };

/* Arrays of one shape; outputs have a guard behind them that nobody may write. */
typedef struct fixture {
    vg_conv c;
    int images;
    size_t x_size, y_size, w_size;
    float *x, *y, *dy, *dx, *w, *bias, *dw, *packed, *packed_back, *packed_dw, *scratch;
} fixture;

static float *floats(size_t n)
{
    float *p = NULL;
    assert_int_equal(posix_memalign((void **)&p, 64, (n + GUARD) * sizeof *p), 0);
    for (size_t i = 0; i < n + GUARD; i++)
        p[i] = -77;
    return p;
}

static float *drawn(size_t n, uint64_t seed)
{
    float *p = floats(n);
    vg_rng rng = vg_rng_make(seed, 0, 0, VG_RNG_INIT);
    for (size_t i = 0; i < n; i++)
        p[i] = (float)vg_rng_normal(&rng);
    return p;
}

static fixture fixture_make(const shape *s)
{
    vg_conv c = {.c = s->c,
                 .h = s->h,
                 .w = s->w,
                 .k = s->k,
                 .kernel = s->kernel,
                 .stride = s->stride,
                 .padding = s->padding,
                 .dilation = s->dilation,
                 .x_pixel = (size_t)(s->c + s->x_extra),
                 .y_pixel = (size_t)(s->k + s->y_extra)};
    int span = (s->kernel - 1) * s->dilation + 1;
    c.p = (s->h + 2 * s->padding - span) / s->stride + 1;
    c.q = (s->w + 2 * s->padding - span) / s->stride + 1;
    fixture r = {.c = c, .images = s->images};
    r.x_size = (size_t)s->images * (size_t)(s->h * s->w) * c.x_pixel;
    r.y_size = (size_t)s->images * (size_t)(c.p * c.q) * c.y_pixel;
    r.w_size = (size_t)s->k * (size_t)(s->c * s->kernel * s->kernel);
    r.x = drawn(r.x_size, 1);
    r.dy = drawn(r.y_size, 2);
    r.w = drawn(r.w_size, 3);
    r.bias = drawn((size_t)s->k, 4);
    r.y = floats(r.y_size);
    r.dx = floats(r.x_size);
    r.dw = floats(r.w_size);
    r.packed = floats(vg_conv_packed_forward(&c));
    r.packed_back = floats(vg_conv_packed_backward(&c));
    r.packed_dw = floats(vg_conv_packed_gradient(&c));
    r.scratch = floats(vg_conv_scratch(&c));
    return r;
}

static void fixture_free(fixture *r)
{
    float *all[] = {r->x,  r->y,      r->dy,          r->dx,        r->w,      r->bias,
                    r->dw, r->packed, r->packed_back, r->packed_dw, r->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static void assert_guard(const float *p, size_t n)
{
    for (size_t i = n; i < n + GUARD; i++)
        assert_true(p[i] == -77);
}

/* Channels [0, used) of each pixel agree to the rounding of a sum of `terms`; others are untouched. */
static void assert_maps(const float *got, const float *want, size_t pixels, size_t pixel, int used,
                        double terms, const char *what, int number)
{
    double allowed = 1e-5 + 2e-7 * terms; /* chains in float */
    for (size_t i = 0; i < pixels; i++)
        for (size_t k = 0; k < pixel; k++) {
            double g = (double)got[i * pixel + k], w = (double)want[i * pixel + k];
            if (k >= (size_t)used ? g != -77 : !(fabs(g - w) <= allowed))
                fail_msg("%s of shape %d at %zu,%zu: %g, expected %g", what, number, i, k, g, w);
        }
}

static vg_rows rows_of(const float *base, size_t pixel)
{
    return (vg_rows){.base = base, .pixel = pixel};
}

static void run_all(fixture *r, const vg_tile_set *set, bool relu, int parts)
{
    const vg_conv *c = &r->c;
    vg_rows x = rows_of(r->x, c->x_pixel), dy = rows_of(r->dy, c->y_pixel);
    for (int part = 0; part < 3; part++) {
        vg_conv_pack_forward(c, r->w, r->bias, part, 3, r->packed);
        vg_conv_pack_backward(c, r->w, part, 3, r->packed_back);
    }
    vg_conv_forward(set, c, &x, r->images, r->packed, &(vg_sink){.base = r->y, .relu = relu},
                    r->scratch);
    vg_conv_backward_data(set, c, &dy, r->images, r->packed_back, false, r->dx, r->scratch);
    for (int part = 0; part < parts; part++)
        vg_conv_backward_weight(set, c, &x, &dy, r->images, part, parts, false, r->packed_dw,
                                r->scratch);
    for (int part = 0; part < 3; part++)
        vg_conv_unpack_gradient(c, r->packed_dw, 1, 0, part, 3, r->dw);
}

static const vg_tile_set *set_at(int simd)
{
    const vg_tile_set *set = vg_tile_set_for((vg_simd)simd);
    return simd > 0 && set == vg_tile_set_for((vg_simd)(simd - 1)) ? NULL : set;
}

static void test_shapes(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++) {
        fixture r = fixture_make(&SHAPES[i]);
        const vg_conv *c = &r.c;
        float *y = floats(r.y_size), *dx = floats(r.x_size), *dw = floats(r.w_size);
        double taps = (double)(c->kernel * c->kernel);
        size_t in = (size_t)r.images * (size_t)(c->h * c->w),
               out = (size_t)r.images * (size_t)(c->p * c->q);
        vg_conv_backward_plain(c, r.x, r.dy, r.images, r.w, dx, dw);
        for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
            const vg_tile_set *set = set_at(simd);
            if (!set)
                continue;
            vg_conv_forward_plain(c, r.x, r.images, r.w, r.bias, i % 2, y);
            run_all(&r, set, i % 2, 1);
            assert_maps(r.y, y, out, c->y_pixel, c->k, taps * c->c, "y", i);
            assert_maps(r.dx, dx, in, c->x_pixel, c->c, taps * c->k, "dx", i);
            assert_maps(r.dw, dw, 1, r.w_size, (int)r.w_size, (double)out, "dw", i);
            assert_guard(r.y, r.y_size);
            assert_guard(r.dx, r.x_size);
            assert_guard(r.dw, r.w_size);
            assert_guard(r.packed, vg_conv_packed_forward(c));
            assert_guard(r.packed_back, vg_conv_packed_backward(c));
            assert_guard(r.packed_dw, vg_conv_packed_gradient(c));
            assert_guard(r.scratch, vg_conv_scratch(c));
        }
        free(y);
        free(dx);
        free(dw);
        fixture_free(&r);
    }
}

/* Where image n begins in x and in y. */
static size_t r_in(const fixture *r, int n)
{
    return (size_t)n * (r->x_size / (size_t)r->images);
}

static size_t r_out(const fixture *r, int n)
{
    return (size_t)n * (r->y_size / (size_t)r->images);
}

/* AVX2 and AVX-512, one part and many, all images at once and one by one: the same bits. */
static void test_same_bits(void **state)
{
    (void)state;
    const vg_tile_set *wide = set_at(VG_SIMD_AVX512), *narrow = set_at(VG_SIMD_AVX2);
    if (!narrow)
        skip();
    for (int i = 0; i < SHAPE_COUNT; i++) {
        fixture a = fixture_make(&SHAPES[i]), b = fixture_make(&SHAPES[i]);
        const vg_conv *c = &b.c;
        run_all(&a, wide ? wide : narrow, true, 1);
        run_all(&b, narrow, true, vg_conv_gradient_parts(c));
        assert_memory_equal(a.y, b.y, a.y_size * sizeof(float));
        assert_memory_equal(a.dx, b.dx, a.x_size * sizeof(float));
        assert_memory_equal(a.dw, b.dw, a.w_size * sizeof(float));
        for (int n = 0; n < b.images; n++) {
            size_t in = r_in(&b, n), out = r_out(&b, n);
            vg_rows x = rows_of(b.x + in, c->x_pixel), dy = rows_of(b.dy + out, c->y_pixel);
            vg_conv_forward(narrow, c, &x, 1, b.packed, &(vg_sink){.base = b.y + out, .relu = true},
                            b.scratch);
            vg_conv_backward_data(narrow, c, &dy, 1, b.packed_back, false, b.dx + in, b.scratch);
            vg_conv_backward_weight(narrow, c, &x, &dy, 1, 0, 1, n > 0, b.packed_dw, b.scratch);
        }
        vg_conv_unpack_gradient(c, b.packed_dw, 1, 0, 0, 1, b.dw);
        assert_memory_equal(a.y, b.y, a.y_size * sizeof(float));
        assert_memory_equal(a.dx, b.dx, a.x_size * sizeof(float));
        assert_memory_equal(a.dw, b.dw, a.w_size * sizeof(float));
        fixture_free(&a);
        fixture_free(&b);
    }
}

/* Rows made on the way: twice the row that lies there. */
typedef struct doubled {
    const float *base;
    size_t image, row;
    int floats;
} doubled;

static const float *double_row(void *context, int image, int row, float *room)
{
    const doubled *d = context;
    const float *from = d->base + (size_t)image * d->image + (size_t)row * d->row;
    for (int i = 0; i < d->floats; i++)
        room[i] = 2 * from[i];
    return room;
}

static vg_rows doubled_rows(doubled *d, const float *base, int h, int w, size_t pixel)
{
    *d = (doubled){base, (size_t)(h * w) * pixel, (size_t)w * pixel, w * (int)pixel};
    return (vg_rows){.row = double_row, .context = d, .pixel = pixel};
}

static void test_made_rows(void **state)
{
    (void)state;
    const vg_tile_set *set = vg_tile_set_for(VG_SIMD_AVX512);
    for (int i = 0; i < SHAPE_COUNT; i++) {
        fixture a = fixture_make(&SHAPES[i]), b = fixture_make(&SHAPES[i]);
        const vg_conv *c = &b.c;
        memset(a.bias, 0, (size_t)c->k * sizeof(float));
        run_all(&a, set, false, 1);
        doubled dx, ddy;
        vg_rows x = doubled_rows(&dx, b.x, c->h, c->w, c->x_pixel);
        vg_rows dy = doubled_rows(&ddy, b.dy, c->p, c->q, c->y_pixel);
        vg_conv_pack_forward(c, b.w, NULL, 0, 1, b.packed);
        vg_conv_pack_backward(c, b.w, 0, 1, b.packed_back);
        vg_conv_forward(set, c, &x, b.images, b.packed, &(vg_sink){.base = b.y, .relu = false},
                        b.scratch);
        vg_conv_backward_data(set, c, &dy, b.images, b.packed_back, false, b.dx, b.scratch);
        vg_conv_backward_weight(set, c, &x, &dy, b.images, 0, 1, false, b.packed_dw, b.scratch);
        vg_conv_unpack_gradient(c, b.packed_dw, 1, 0, 0, 1, b.dw);
        assert_guard(b.scratch, vg_conv_scratch(c));
        for (size_t k = 0; k < a.y_size; k++)
            assert_true(b.y[k] == (a.y[k] == -77 ? -77 : 2 * a.y[k]));
        for (size_t k = 0; k < a.x_size; k++)
            assert_true(b.dx[k] == (a.dx[k] == -77 ? -77 : 2 * a.dx[k]));
        for (size_t k = 0; k < a.w_size; k++)
            assert_true(b.dw[k] == 4 * a.dw[k]);
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

static void test_sinks(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++)
        for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
            const vg_tile_set *set = set_at(simd);
            if (!set)
                continue;
            fixture r = fixture_make(&SHAPES[i]);
            const vg_conv *c = &r.c;
            run_all(&r, set, true, 1);
            size_t pixels = (size_t)r.images * (size_t)(c->p * c->q), k = (size_t)c->k;
            taken t = {.c = c, .multiple = 1 + i % 4, .y = floats(pixels * k)};
            size_t need = vg_conv_scratch_sink(c, t.multiple);
            float *scratch = floats(need);
            vg_rows x = rows_of(r.x, c->x_pixel);
            vg_sink sink = {.take = take_rows, .context = &t, .multiple = t.multiple, .relu = true};
            vg_conv_forward(set, c, &x, r.images, r.packed, &sink, scratch);
            assert_int_equal(t.next, r.images * c->p);
            assert_guard(t.y, pixels * k);
            assert_guard(scratch, need);
            for (size_t at = 0; at < pixels; at++)
                assert_memory_equal(t.y + at * k, r.y + at * c->y_pixel, k * sizeof(float));
            free(t.y);
            free(scratch);
            fixture_free(&r);
        }
}

/* y added to what is there, before the ReLU; weights and bias scaled beforehand. */
static void test_sums_and_scales(void **state)
{
    (void)state;
    for (int i = 0; i < SHAPE_COUNT; i++)
        for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
            const vg_tile_set *set = set_at(simd);
            if (!set)
                continue;
            fixture r = fixture_make(&SHAPES[i]);
            const vg_conv *c = &r.c;
            run_all(&r, set, false, 1);
            float *sum = drawn(r.y_size, 9), *before = drawn(r.y_size, 9);
            float *scale = drawn((size_t)c->k, 10), *shift = drawn((size_t)c->k, 11);
            vg_conv_scale_packed(c, c->kernel * c->kernel, scale, shift, r.packed);
            assert_guard(r.packed, vg_conv_packed_forward(c));
            vg_rows x = rows_of(r.x, c->x_pixel);
            vg_sink sink = {.base = sum, .add = true, .relu = true};
            vg_conv_forward(set, c, &x, r.images, r.packed, &sink, r.scratch);
            double allowed = 1e-4 + 1e-6 * c->kernel * c->kernel * c->c;
            for (size_t at = 0; at < r.y_size; at++) {
                size_t k = at % c->y_pixel;
                double want = (double)before[at];
                if (k < (size_t)c->k) {
                    want += (double)r.y[at] * (double)scale[k] + (double)shift[k];
                    want = want < 0 ? 0 : want;
                }
                assert_near((double)sum[at], want, allowed);
            }
            free(sum), free(before), free(scale), free(shift);
            fixture_free(&r);
        }
}

/* dx added to what is there: with pixels that nobody reads, and with few channels. */
static void test_add(void **state)
{
    (void)state;
    const int which[] = {13, 25};
    for (int simd = 0; simd < 2 * VG_SIMD_COUNT; simd++) {
        const vg_tile_set *set = set_at(simd / 2);
        if (!set)
            continue;
        fixture r = fixture_make(&SHAPES[which[simd % 2]]);
        run_all(&r, set, false, 1);
        float *sum = floats(r.x_size);
        for (size_t i = 0; i < r.x_size; i++)
            sum[i] = 1000;
        vg_rows dy = rows_of(r.dy, r.c.y_pixel);
        vg_conv_backward_data(set, &r.c, &dy, r.images, r.packed_back, true, sum, r.scratch);
        for (size_t i = 0; i < r.x_size; i++)
            assert_near((double)sum[i], r.dx[i] == -77 ? 1000 : 1000 + (double)r.dx[i], 1e-3);
        free(sum);
        fixture_free(&r);
    }
}

/* A NaN comes through the ReLU, infinities do not become numbers. */
static void test_nan(void **state)
{
    (void)state;
    for (int simd = 0; simd < VG_SIMD_COUNT; simd++) {
        const vg_tile_set *set = set_at(simd);
        if (!set)
            continue;
        fixture r = fixture_make(&SHAPES[5]);
        r.x[0] = NAN;
        run_all(&r, set, true, 1);
        assert_true(isnan(r.y[0]) && isnan(r.dw[0]));
        fixture_free(&r);
    }
}

/* Shards are added in a tree; a shard without images has a gradient of zeros. */
static void test_shards(void **state)
{
    (void)state;
    const vg_tile_set *set = vg_tile_set_for(VG_SIMD_AVX512);
    fixture r = fixture_make(&SHAPES[7]);
    const vg_conv *c = &r.c;
    vg_rows x = rows_of(r.x, c->x_pixel), dy = rows_of(r.dy, c->y_pixel);
    size_t size = vg_conv_packed_gradient(c);
    float *packed = floats(4 * size), *want = floats(size);
    for (int s = 0; s < 4; s++)
        vg_conv_backward_weight(set, c, &x, &dy, 3 - s, 0, 1, false, packed + (size_t)s * size,
                                r.scratch);
    for (size_t i = 0; i < size; i++) {
        assert_true(packed[3 * size + i] == 0);
        want[i] = (packed[i] + packed[size + i]) + (packed[2 * size + i] + packed[3 * size + i]);
    }
    vg_conv_unpack_gradient(c, packed, 4, size, 0, 1, r.dw);
    assert_memory_equal(packed, want, size * sizeof *want);
    free(packed);
    free(want);
    fixture_free(&r);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_shapes),    cmocka_unit_test(test_same_bits),
        cmocka_unit_test(test_sinks),     cmocka_unit_test(test_sums_and_scales),
        cmocka_unit_test(test_made_rows), cmocka_unit_test(test_add),
        cmocka_unit_test(test_nan),       cmocka_unit_test(test_shards)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
