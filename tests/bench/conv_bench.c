/* How fast the convolution kernels are: forward, data gradient and weight gradient of every convolution
 * shape of the six networks of training comparisons, against the machine's own roof.
 *
 *   conv_bench [-r REPEATS] [-t THREADS] [-s avx2|plain] [-w 0|2|4] [-o NAME]
 *
 * The roof is the rate of fused multiply-adds from registers, measured in the same run and again
 * between shapes. Each time is the least of the repeats: what is measured is the kernel, not what else
 * the machine is doing. Prints a JSON line for each shape. */
#include "base/alloc.h"
#include "nn/kernels/winograd.h"

#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#if VG_SIMD_X86
#include <immintrin.h>
#endif

enum { SHARDS = 8, ROUNDS = 1000000, CHAINS = 16 };

typedef struct layer {
    const char *name;
    int images, c, size, k, kernel, stride, padding;
} layer;

static const layer LAYERS[] = {
    {"lenet 1", 64, 1, 28, 6, 5, 1, 2},        {"lenet 2", 64, 6, 14, 16, 5, 1, 0},
    {"cifar 1", 64, 3, 32, 32, 3, 1, 1},       {"cifar 2", 64, 32, 32, 32, 3, 1, 1},
    {"cifar 3", 64, 32, 16, 64, 3, 1, 1},      {"cifar 4", 64, 64, 16, 64, 3, 1, 1},
    {"book 1", 32, 3, 150, 32, 3, 1, 0},       {"book 2", 32, 32, 74, 64, 3, 1, 0},
    {"book 3", 32, 64, 36, 128, 3, 1, 0},      {"book 4", 32, 128, 17, 128, 3, 1, 0},
    {"resnet20 1", 128, 3, 32, 16, 3, 1, 1},   {"resnet20 2", 128, 16, 32, 16, 3, 1, 1},
    {"resnet20 3", 128, 16, 32, 32, 3, 2, 1},  {"resnet20 3s", 128, 16, 32, 32, 1, 2, 0},
    {"resnet20 4", 128, 32, 16, 32, 3, 1, 1},  {"resnet20 5", 128, 32, 16, 64, 3, 2, 1},
    {"resnet20 6", 128, 64, 8, 64, 3, 1, 1},   {"vgg 1", 128, 3, 32, 64, 3, 1, 1},
    {"vgg 2", 128, 64, 32, 64, 3, 1, 1},       {"vgg 3", 128, 64, 16, 128, 3, 1, 1},
    {"vgg 4", 128, 128, 16, 128, 3, 1, 1},     {"vgg 5", 128, 128, 8, 256, 3, 1, 1},
    {"vgg 6", 128, 256, 8, 256, 3, 1, 1},      {"resnet18 1", 32, 3, 224, 64, 7, 2, 3},
    {"resnet18 2", 32, 64, 56, 64, 3, 1, 1},   {"resnet18 3", 32, 64, 56, 128, 3, 2, 1},
    {"resnet18 3s", 32, 64, 56, 128, 1, 2, 0}, {"resnet18 4", 32, 128, 28, 128, 3, 1, 1},
    {"resnet18 5", 32, 128, 28, 256, 3, 2, 1}, {"resnet18 6", 32, 256, 14, 256, 3, 1, 1},
    {"resnet18 7", 32, 256, 14, 512, 3, 2, 1}, {"resnet18 8", 32, 512, 7, 512, 3, 1, 1}};
enum { LAYER_COUNT = sizeof LAYERS / sizeof *LAYERS };

/* Of one thread its own time, which others on the machine do not stretch. */
static double now(int threads)
{
    struct timespec t;
    clock_gettime(threads == 1 ? CLOCK_THREAD_CPUTIME_ID : CLOCK_MONOTONIC, &t);
    return (double)t.tv_sec + 1e-9 * (double)t.tv_nsec;
}

/* ---- the roof: chains that never leave the registers */
#define CHAIN(v) __asm__ volatile("" : "+v"(v))

#define UNROLL _Pragma("GCC unroll 16")
#if VG_SIMD_X86
static VG_FOR_AVX512 float roof_avx512(void)
{
    __m512 v[CHAINS], a = _mm512_set1_ps(0.5f);
    UNROLL for (int i = 0; i < CHAINS; i++) v[i] = a;
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL for (int i = 0; i < CHAINS; i++)
        {
            v[i] = _mm512_fmadd_ps(a, a, v[i]);
            CHAIN(v[i]);
        }
    }
    UNROLL for (int i = 1; i < CHAINS; i++) v[0] = _mm512_add_ps(v[0], v[i]);
    return _mm512_reduce_add_ps(v[0]);
}

static __attribute__((target("avx2,fma"))) float roof_avx2(void)
{
    __m256 v[CHAINS / 2 + 4], a = _mm256_set1_ps(0.5f);
    UNROLL for (int i = 0; i < 12; i++) v[i] = a;
    for (int r = 0; r < ROUNDS; r++) {
        UNROLL for (int i = 0; i < 12; i++)
        {
            v[i] = _mm256_fmadd_ps(a, a, v[i]);
            CHAIN(v[i]);
        }
    }
    UNROLL for (int i = 1; i < 12; i++) v[0] = _mm256_add_ps(v[0], v[i]);
    return _mm256_cvtss_f32(v[0]);
}
#endif

/* GFLOP/s of all threads; 0 where the set is plain C, whose roof the compiler decides. */
static double roof(const vg_tile_set *set, int threads)
{
    double best = 0;
#if VG_SIMD_X86
    bool wide = set == &vg_tiles_avx512;
    if (set == &vg_tiles_plain)
        return 0;
    for (int i = 0; i < 5; i++) {
        double begin = now(threads);
        float kept = 0;
#pragma omp parallel num_threads(threads) reduction(+ : kept)
        kept += wide ? roof_avx512() : roof_avx2();
        double rate =
            (wide ? CHAINS * 32.0 : 12 * 16.0) * ROUNDS * threads / (now(threads) - begin) / 1e9;
        best = rate > best && kept > 0 ? rate : best;
    }
#else
    (void)set;
    (void)threads;
#endif
    return best;
}

/* ---- one shape */
typedef struct bench {
    const vg_tile_set *set;
    vg_conv c, reversed;
    vg_winograd winograd; /* tiles to use, 0: direct */
    int images, threads;
    float *x, *y, *dx, *dy, *w, *packed, *back, *dw, *grad, *scratch;
    size_t scratch_size;
    bool failed;
} bench;

static float *room(bench *b, size_t n)
{
    float *p = vg_alloc_lines(n, sizeof *p);
    if (!p) {
        b->failed = true;
        return NULL;
    }
    for (size_t i = 0; i < n; i++)
        p[i] = (float)((i * 2654435761u) % 1000u) * 1e-3f - 0.5f;
    return p;
}

static int share(const bench *b, int shard)
{
    return b->images * shard / SHARDS;
}

static void run_forward(bench *b)
{
    size_t in = (size_t)b->c.h * (size_t)b->c.w * b->c.x_pixel;
    size_t out = (size_t)b->c.p * (size_t)b->c.q * b->c.y_pixel;
    int m = b->winograd.forward;
    if (m)
        vg_winograd_pack(b->set, &b->c, m, false, b->w, NULL, 0, 1, b->packed);
    else
        vg_conv_pack_forward(&b->c, b->w, NULL, 0, 1, b->packed);
#pragma omp parallel for schedule(static) num_threads(b->threads)
    for (int s = 0; s < SHARDS; s++) {
        vg_rows x = {.base = b->x + (size_t)share(b, s) * in, .pixel = b->c.x_pixel};
        int count = share(b, s + 1) - share(b, s);
        float *scratch = b->scratch + (size_t)omp_get_thread_num() * b->scratch_size;
        float *y = b->y + (size_t)share(b, s) * out;
        if (m)
            vg_winograd_forward(b->set, &b->c, m, &x, count, b->packed,
                                &(vg_sink){.base = y, .relu = false}, scratch);
        else
            vg_conv_forward(b->set, &b->c, &x, count, b->packed,
                            &(vg_sink){.base = y, .relu = false}, scratch);
    }
}

static void run_data(bench *b)
{
    size_t in = (size_t)b->c.h * (size_t)b->c.w * b->c.x_pixel;
    size_t out = (size_t)b->c.p * (size_t)b->c.q * b->c.y_pixel;
    int m = b->winograd.data;
    if (m)
        vg_winograd_pack(b->set, &b->reversed, m, true, b->w, NULL, 0, 1, b->back);
    else
        vg_conv_pack_backward(&b->c, b->w, 0, 1, b->back);
#pragma omp parallel for schedule(static) num_threads(b->threads)
    for (int s = 0; s < SHARDS; s++) {
        vg_rows dy = {.base = b->dy + (size_t)share(b, s) * out, .pixel = b->c.y_pixel};
        int count = share(b, s + 1) - share(b, s);
        float *scratch = b->scratch + (size_t)omp_get_thread_num() * b->scratch_size;
        float *dx = b->dx + (size_t)share(b, s) * in;
        if (m)
            vg_winograd_forward(b->set, &b->reversed, m, &dy, count, b->back,
                                &(vg_sink){.base = dx, .relu = false}, scratch);
        else
            vg_conv_backward_data(b->set, &b->c, &dy, count, b->back, false, dx, scratch);
    }
}

/* Shards with a tree sum where maps are larger than weights, else parts of the weights. */
static bool is_sharded(const vg_conv *c)
{
    return vg_conv_gradient_parts(c) < 8 || c->p * c->q > 200;
}

static void run_weight(bench *b)
{
    size_t in = (size_t)b->c.h * (size_t)b->c.w * b->c.x_pixel;
    size_t out = (size_t)b->c.p * (size_t)b->c.q * b->c.y_pixel;
    size_t size = vg_conv_packed_gradient(&b->c);
    int shards = 1;
    if (b->winograd.weight || is_sharded(&b->c)) {
        shards = SHARDS;
#pragma omp parallel for schedule(static) num_threads(b->threads)
        for (int s = 0; s < SHARDS; s++) {
            vg_rows x = {.base = b->x + (size_t)share(b, s) * in, .pixel = b->c.x_pixel};
            vg_rows dy = {.base = b->dy + (size_t)share(b, s) * out, .pixel = b->c.y_pixel};
            int count = share(b, s + 1) - share(b, s);
            float *scratch = b->scratch + (size_t)omp_get_thread_num() * b->scratch_size;
            float *dw = b->dw + (size_t)s * size;
            if (b->winograd.weight)
                vg_winograd_backward_weight(b->set, &b->c, b->winograd.weight, &x, &dy, count,
                                            false, dw, scratch);
            else
                vg_conv_backward_weight(b->set, &b->c, &x, &dy, count, 0, 1, false, dw, scratch);
        }
    } else {
        int parts = vg_conv_gradient_parts(&b->c);
#pragma omp parallel for schedule(static) num_threads(b->threads)
        for (int part = 0; part < parts; part++) {
            vg_rows x = {.base = b->x, .pixel = b->c.x_pixel};
            vg_rows dy = {.base = b->dy, .pixel = b->c.y_pixel};
            vg_conv_backward_weight(b->set, &b->c, &x, &dy, b->images, part, parts, false, b->dw,
                                    b->scratch + (size_t)omp_get_thread_num() * b->scratch_size);
        }
    }
    vg_conv_unpack_gradient(&b->c, b->dw, shards, size, 0, 1, b->grad);
}

static double least(bench *b, void (*run)(bench *b), int repeats)
{
    double best = 1e9;
    run(b);
    for (int i = 0; i < repeats; i++) {
        double begin = now(b->threads);
        run(b);
        double took = now(b->threads) - begin;
        best = took < best ? took : best;
    }
    return best;
}

static void bench_free(bench *b)
{
    float *all[] = {b->x, b->y, b->dx, b->dy, b->w, b->packed, b->back, b->dw, b->grad, b->scratch};
    for (size_t i = 0; i < sizeof all / sizeof *all; i++)
        free(all[i]);
}

static size_t larger(size_t a, size_t b)
{
    return a > b ? a : b;
}

static int bench_layer(const vg_tile_set *set, const layer *l, int threads, int repeats, int tile)
{
    int p = (l->size + 2 * l->padding - l->kernel) / l->stride + 1;
    bench b = {.set = set, .images = l->images, .threads = threads};
    b.c = (vg_conv){.c = l->c,
                    .h = l->size,
                    .w = l->size,
                    .k = l->k,
                    .p = p,
                    .q = p,
                    .kernel = l->kernel,
                    .stride = l->stride,
                    .padding = l->padding,
                    .dilation = 1,
                    .x_pixel = (size_t)l->c,
                    .y_pixel = (size_t)l->k};
    size_t in = (size_t)l->images * (size_t)(l->size * l->size * l->c);
    size_t out = (size_t)l->images * (size_t)(p * p * l->k);
    size_t weights = (size_t)l->k * (size_t)(l->c * l->kernel * l->kernel);
    b.reversed = vg_winograd_reverse(&b.c);
    vg_winograd choice = vg_winograd_choose(&b.c, tile < 0 ? 4 : tile);
    if (tile > 0 && l->kernel == 3 && l->stride == 1 && l->c >= 16)
        choice = (vg_winograd){tile, tile, tile};
    if (tile != 0)
        b.winograd = choice;
    b.scratch_size = larger(vg_conv_scratch(&b.c), vg_winograd_scratch(&b.c, &b.winograd));
    b.x = room(&b, in);
    b.dx = room(&b, in);
    b.y = room(&b, out);
    b.dy = room(&b, out);
    b.w = room(&b, weights);
    b.grad = room(&b, weights);
    b.packed = room(&b, larger(vg_conv_packed_forward(&b.c), vg_winograd_packed(&b.c, 4)));
    b.back = room(&b, larger(vg_conv_packed_backward(&b.c), vg_winograd_packed(&b.reversed, 4)));
    b.dw = room(&b, SHARDS * vg_conv_packed_gradient(&b.c));
    b.scratch = room(&b, (size_t)threads * b.scratch_size);
    if (b.failed) {
        fprintf(stderr, "conv_bench: out of memory\n");
        bench_free(&b);
        return 1;
    }
    double flop = 2.0 * (double)out * (double)(l->c * l->kernel * l->kernel);
    double top = roof(set, threads), forward = least(&b, run_forward, repeats);
    double data = least(&b, run_data, repeats), weight = least(&b, run_weight, repeats);
    double again = roof(set, threads);
    top = again > top ? again : top;
    printf("{\"layer\": \"%s\", \"threads\": %d, \"winograd\": [%d, %d, %d], \"roof_gflops\": %.1f",
           l->name, threads, b.winograd.forward, b.winograd.data, b.winograd.weight, top);
    const double times[] = {forward, data, weight};
    const char *names[] = {"forward", "data_gradient", "weight_gradient"};
    for (int i = 0; i < 3; i++)
        printf(", \"%s\": %.1f, \"%s_share\": %.3f", names[i], flop / times[i] / 1e9, names[i],
               top > 0 ? flop / times[i] / 1e9 / top : 0);
    printf("}\n");
    bench_free(&b);
    return 0;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: conv_bench [-r REPEATS] [-t THREADS] [-s avx2|plain] [-w 0|2|4] [-o NAME]\n");
    return 2;
}

int main(int argc, char **argv)
{
    int repeats = 5, threads = 1, tile = -1, option;
    const char *only = NULL;
    vg_simd simd = VG_SIMD_AVX512;
    while ((option = getopt(argc, argv, "r:t:s:w:o:")) != -1)
        if (option == 'r')
            repeats = (int)strtol(optarg, NULL, 10);
        else if (option == 't')
            threads = (int)strtol(optarg, NULL, 10);
        else if (option == 's')
            simd = strcmp(optarg, "avx2") == 0 ? VG_SIMD_AVX2 : VG_SIMD_PLAIN;
        else if (option == 'w')
            tile = (int)strtol(optarg, NULL, 10);
        else if (option == 'o')
            only = optarg;
        else
            return usage();
    if (repeats < 1 || threads < 1 || threads > SHARDS || optind < argc ||
        (tile != -1 && tile != 0 && tile != 2 && tile != 4))
        return usage();
    setvbuf(stdout, NULL, _IOLBF, 0);
    int status = 0;
    for (int i = 0; i < LAYER_COUNT; i++)
        if (!only || strstr(LAYERS[i].name, only))
            status |= bench_layer(vg_tile_set_for(simd), &LAYERS[i], threads, repeats, tile);
    return status;
}
