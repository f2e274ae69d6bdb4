/* Random hyperplanes (Charikar, "Similarity estimation techniques from rounding algorithms", STOC
 * 2002): vectors that point the same way fall on the same side of most planes. The sides of a few planes are
 * a key, several such keys are several chances, and only vectors that share a key are compared.
 *
 * Whole pictures and halves have tables of their own. A copy that was cropped is found by a part of
 * the larger picture, one with a text or a logo on it by the half that has none. The number of
 * planes grows with the number of pictures, so that time grows little faster than they do. Buckets
 * are bounded: thousands of equal drawings on white would otherwise be compared with each other. */
#include "audit/neighbours.h"

#include "audit/same_picture.h"
#include "base/alloc.h"
#include "base/rng.h"
#include "base/simd.h"
#include "base/threads.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

enum {
    HALVES = 4,
    TABLES = 16,
    CROP_TABLES = 8, /* of them: a crop fits at several places, and each of them is a chance */
    HALF_TABLES = 6,
    BITS_MOST = 16,
    BUCKET_MOST = 512,
    SKETCH = 64, /* planes */
    CHUNK = 64,
    LANES = 16
};
/* What may be found of one picture: by its whole, a half, a crop. In crowds of look-alikes only the most similar of
 * each are looked at. */
enum { BY_WHOLE, BY_HALF, BY_CROP, WAYS, HOPES_MOST = 8 };

/* Squares of distances of unit vectors times 127, correlations, and how many bits the sketches may differ in. What copies
 * reach is in the tests of duplicates.c and their benchmark: the sketches of planted ones differ in fewer than 10. */
#define LIMIT(distance) ((int)((distance) * (distance)*127 * 127))
static const int limits[WAYS] = {LIMIT(0.33), LIMIT(0.14), LIMIT(0.28)};
static const float least[WAYS] = {0.93F, 0.45F, 0.92F};
static const int most_bits[WAYS] = {16, 9, 12};
/* Below a deviation of 3 levels a part is flat: what is left of it is noise. */
static const float flat = 3.0F * 16;

/* Hash tables over `items` vectors. Item i of the halves is half i % 4 of picture i / 4. */
typedef struct index {
    const int8_t *vectors;
    size_t items;
    int tables, bits;
    int planes_padded; /* tables * bits + SKETCH, up to a multiple of LANES */
    float *planes;     /* [VG_VECTOR][planes_padded] */
    float *offsets;    /* [planes_padded] the planes go through the mean */
    uint32_t *start;   /* [tables][2^bits + 1] */
    uint32_t *list;    /* [tables][items] */
    uint64_t *sketch;  /* [items] the sides of SKETCH more planes */
    uint16_t *keys;    /* [items][tables], while it is built */
} index_t;

typedef struct hope {
    float rank; /* the larger the more similar */
    uint32_t b;
    uint8_t part, turn;
    float similarity;
} hope;

struct seat {
    vg_candidate *list;
    size_t count, capacity;
    uint32_t *stamp; /* [items of the larger table] of the last query that met it */
    uint32_t query;
    hope hopes[WAYS][HOPES_MOST]; /* of the picture that is asked for, best first */
    int hope_count[WAYS];
    size_t pairs; /* kept of it */
    uint64_t dropped;
    bool failed;
};

struct search {
    const vg_fingerprint *prints;
    const uint8_t *skip; /* [count] or NULL */
    size_t count;
    int8_t *wholes, *halves; /* [count][64], [count][4][64] */
    int8_t *signs;           /* [count][64] signed_waves of the wholes */
    uint8_t *usable;         /* [count] bit 0: whole, bit 1 + h: half h */
    index_t whole, half;
    struct seat *seats;
};

/* ---- vectors */

static void describe(void *context, int thread, size_t chunk)
{
    (void)thread;
    struct search *s = context;
    size_t end = (chunk + 1) * CHUNK < s->count ? (chunk + 1) * CHUNK : s->count;
    for (size_t i = chunk * CHUNK; i < end; i++) {
        if (!s->prints[i].ready || (s->skip && s->skip[i]))
            continue;
        vg_waves parts[VG_WINDOWS];
        vg_waves_make(s->prints[i].thumb, VG_WINDOW_CROP, parts);
        memcpy(s->signs + i * VG_VECTOR, parts[VG_WINDOW_WHOLE].signed_waves, VG_VECTOR);
        for (int part = 0; part < VG_WINDOW_CROP; part++) {
            int8_t *to =
                part == VG_WINDOW_WHOLE
                    ? s->wholes + i * VG_VECTOR
                    : s->halves + (i * HALVES + (size_t)(part - VG_WINDOW_HALF)) * VG_VECTOR;
            memcpy(to, parts[part].vector, VG_VECTOR);
            if (parts[part].length >= flat)
                s->usable[i] |= (uint8_t)(1 << part);
        }
    }
}

static bool item_usable(const struct search *s, const index_t *index, size_t item)
{
    if (index == &s->whole)
        return s->usable[item] & 1;
    return s->usable[item / HALVES] >> (1 + item % HALVES) & 1;
}

static VG_INLINE int distance(const int8_t *a, const int8_t *b)
{
    int sum = 0;
    for (int i = 0; i < VG_VECTOR; i++)
        sum += (a[i] - b[i]) * (a[i] - b[i]);
    return sum;
}

/* ---- tables */

typedef float lanes __attribute__((vector_size(LANES * 4)));

/* The keys of the first `tables` tables, and the sketch, whose planes come before theirs. */
static VG_INLINE uint64_t keys_of(const index_t *index, const int8_t *vector, int tables,
                                  uint16_t *keys)
{
    float sums[SKETCH + TABLES * BITS_MOST + LANES] = {0};
    int needed = SKETCH + tables * index->bits;
    size_t padded = (size_t)index->planes_padded;
    for (int p = 0; p < needed; p += LANES) {
        lanes sum, plane;
        memcpy(&sum, index->offsets + p, sizeof sum);
        sum = -sum;
        for (int i = 0; i < VG_VECTOR; i++) {
            memcpy(&plane, index->planes + (size_t)i * padded + p, sizeof plane);
            sum += (float)vector[i] * plane;
        }
        memcpy(sums + p, &sum, sizeof sum);
    }
    uint64_t sketch = 0;
    for (int b = 0; b < SKETCH; b++)
        sketch |= (uint64_t)(sums[b] > 0) << b;
    for (int t = 0; t < tables; t++) {
        unsigned key = 0;
        for (int b = 0; b < index->bits; b++)
            key = key << 1 | (sums[SKETCH + t * index->bits + b] > 0);
        keys[t] = (uint16_t)key;
    }
    return sketch;
}

struct build {
    struct search *search;
    index_t *index;
};

static VG_INLINE void key_items(const struct build *b, size_t chunk)
{
    index_t *x = b->index;
    size_t end = (chunk + 1) * CHUNK < x->items ? (chunk + 1) * CHUNK : x->items;
    for (size_t i = chunk * CHUNK; i < end; i++)
        if (item_usable(b->search, x, i))
            x->sketch[i] =
                keys_of(x, x->vectors + i * VG_VECTOR, x->tables, x->keys + i * (size_t)x->tables);
}

static void key_chunk_plain(void *context, int thread, size_t chunk)
{
    (void)thread;
    key_items(context, chunk);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void key_chunk_avx2(void *context, int thread, size_t chunk)
{
    (void)thread;
    key_items(context, chunk);
}

VG_FOR_AVX512 static void key_chunk_avx512(void *context, int thread, size_t chunk)
{
    (void)thread;
    key_items(context, chunk);
}
#endif

typedef void worker(void *context, int thread, size_t chunk);
static worker *const key_chunk[VG_SIMD_COUNT] = {key_chunk_plain,
#if VG_SIMD_X86
                                                 key_chunk_avx2, key_chunk_avx512
#endif
};

/* Counting sort of all items by the keys of one table. */
static void sort_table(void *context, int thread, size_t table)
{
    (void)thread;
    const struct build *b = context;
    index_t *x = b->index;
    size_t buckets = (size_t)1 << x->bits;
    uint32_t *start = x->start + table * (buckets + 1), *list = x->list + table * x->items;
    for (size_t i = 0; i < x->items; i++)
        if (item_usable(b->search, x, i))
            start[x->keys[i * (size_t)x->tables + table] + 1]++;
    for (size_t k = 0; k < buckets; k++)
        start[k + 1] += start[k];
    for (size_t i = 0; i < x->items; i++)
        if (item_usable(b->search, x, i))
            list[start[x->keys[i * (size_t)x->tables + table]]++] = (uint32_t)i;
    for (size_t k = buckets; k > 0; k--)
        start[k] = start[k - 1];
    start[0] = 0;
}

static void draw_planes(const struct search *s, index_t *x, uint64_t which)
{
    double mean[VG_VECTOR] = {0};
    size_t n = 0;
    for (size_t i = 0; i < x->items; i++)
        if (item_usable(s, x, i)) {
            for (int k = 0; k < VG_VECTOR; k++)
                mean[k] += x->vectors[i * VG_VECTOR + (size_t)k];
            n++;
        }
    int planes = x->planes_padded;
    vg_rng rng = vg_rng_make(0x5eed, 0, which, VG_RNG_SELECT);
    for (int k = 0; k < VG_VECTOR; k++)
        for (int p = 0; p < planes; p++) {
            float value = (float)vg_rng_normal(&rng);
            x->planes[k * planes + p] = value;
            x->offsets[p] += n ? (float)(mean[k] / (double)n) * value : 0;
        }
}

static int bits_for(size_t items)
{
    int bits = 4;
    while (bits < BITS_MOST && (size_t)1 << (bits + 2) < items)
        bits++;
    return bits;
}

static bool build_index(struct search *s, index_t *x, const int8_t *vectors, size_t items,
                        int tables, int threads)
{
    *x = (index_t){.vectors = vectors, .items = items, .tables = tables, .bits = bits_for(items)};
    x->planes_padded = (tables * x->bits + SKETCH + LANES - 1) / LANES * LANES;
    size_t planes = (size_t)x->planes_padded, buckets = ((size_t)1 << x->bits) + 1;
    x->planes = vg_alloc(planes, VG_VECTOR * sizeof *x->planes);
    x->offsets = vg_calloc(planes, sizeof *x->offsets);
    x->start = vg_calloc(buckets, (size_t)tables * sizeof *x->start);
    x->list = vg_alloc(items, (size_t)tables * sizeof *x->list);
    x->keys = vg_alloc(items, (size_t)tables * sizeof *x->keys);
    x->sketch = vg_calloc(items, sizeof *x->sketch);
    bool enough = x->planes && x->offsets && x->start && x->list && x->keys && x->sketch;
    if (enough) {
        draw_planes(s, x, (uint64_t)tables);
        struct build build = {s, x};
        vg_parallel_for(threads, (items + CHUNK - 1) / CHUNK, key_chunk[vg_simd_best()], &build);
        vg_parallel_for(threads, (size_t)tables, sort_table, &build);
    }
    free(x->keys);
    x->keys = NULL;
    return enough;
}

static void free_index(index_t *x)
{
    free(x->planes);
    free(x->offsets);
    free(x->start);
    free(x->list);
    free(x->sketch);
}

/* ---- queries */

static void keep(struct seat *seat, vg_candidate found)
{
    /* a half finds what the whole or another half has found */
    for (size_t i = seat->count - seat->pairs; i < seat->count; i++)
        if (seat->list[i].b == found.b && seat->list[i].part == found.part)
            return;
    if (!vg_grow(&seat->list, &seat->capacity, seat->count + 1, sizeof *seat->list)) {
        seat->failed = true;
        return;
    }
    seat->list[seat->count++] = found;
    seat->pairs++;
}

/* Among the best of its way, in their order, each picture once; of equally good ones the first met. */
static void hope_for(struct seat *seat, int way, hope h)
{
    hope *list = seat->hopes[way];
    int *count = &seat->hope_count[way], at = 0;
    while (at < *count && list[at].b != h.b)
        at++;
    if (at < *count) {
        if (h.rank <= list[at].rank)
            return;
    } else if (*count == HOPES_MOST) {
        seat->dropped++;
        at--;
        if (h.rank <= list[at].rank)
            return;
    } else {
        ++*count;
    }
    for (; at > 0 && list[at - 1].rank < h.rank; at--)
        list[at] = list[at - 1];
    list[at] = h;
}

/* The signs that the vectors leave out decide: the correlation for the best turn. */
static void judge(const struct search *s, struct seat *seat, int way, int part, int squares,
                  const int8_t *signs, size_t b)
{
    int turn = 0;
    float similarity = vg_waves_compare(signs, s->signs + b * VG_VECTOR, &turn);
    float rank = way == BY_HALF ? -(float)squares : similarity;
    if (similarity >= least[way])
        hope_for(seat, way, (hope){rank, (uint32_t)b, (uint8_t)part, (uint8_t)turn, similarity});
}

/* The blocks of the small pictures have to fit, which costs a hundredth of reading the files again. */
static void look_closer(const struct search *s, struct seat *seat, size_t a)
{
    for (int way = 0; way < WAYS; way++) {
        for (int i = 0; i < seat->hope_count[way]; i++) {
            const hope *h = &seat->hopes[way][i];
            if (vg_maybe_same(s->prints[a].thumb, vg_window_of(h->part), s->prints[h->b].thumb,
                              h->turn))
                keep(seat, (vg_candidate){a, h->b, h->part, h->turn, h->similarity});
        }
        seat->hope_count[way] = 0;
    }
}

static VG_INLINE int count_bits(uint64_t bits)
{
#if defined __GNUC__
    return __builtin_popcountll(bits);
#else
    int n = 0;
    for (; bits; bits &= bits - 1)
        n++;
    return n;
#endif
}

/* Those of a bucket whose sketches are like this one. No branch depends on a sketch, so that the reads overlap. */
static VG_INLINE int sift(const index_t *x, const uint32_t *list, uint32_t count, uint64_t sketch,
                          int most, uint32_t *left)
{
    int n = 0;
    for (uint32_t k = 0; k < count; k++) {
        left[n] = list[k];
        n += count_bits(x->sketch[list[k]] ^ sketch) <= most;
    }
    return n;
}

/* All items that share a key with the vector and are near; each is judged once. */
static VG_INLINE void look_up(const struct search *s, struct seat *seat, const index_t *x,
                              const int8_t *vector, size_t a, int part, const int8_t *signs)
{
    uint16_t keys[TABLES];
    uint32_t left[BUCKET_MOST];
    bool halves = x == &s->half;
    int way = halves ? BY_HALF : part == VG_WINDOW_WHOLE ? BY_WHOLE : BY_CROP;
    int tables = way == BY_CROP ? CROP_TABLES : x->tables;
    size_t buckets = ((size_t)1 << x->bits) + 1;
    uint64_t sketch = keys_of(x, vector, tables, keys);
    seat->query++;
    for (int t = 0; t < tables; t++) {
        const uint32_t *start = x->start + (size_t)t * buckets + keys[t];
        uint32_t count = start[1] - start[0];
        if (count > BUCKET_MOST) {
            seat->dropped += count - BUCKET_MOST;
            count = BUCKET_MOST;
        }
        int n =
            sift(x, x->list + (size_t)t * x->items + start[0], count, sketch, most_bits[way], left);
        for (int k = 0; k < n; k++) {
            size_t item = left[k], b = halves ? item / HALVES : item;
            /* whole against whole and half against half are met from both sides: once is enough */
            if (seat->stamp[item] == seat->query || b == a || (part == VG_WINDOW_WHOLE && b < a))
                continue;
            seat->stamp[item] = seat->query;
            int squares = distance(vector, x->vectors + item * (size_t)VG_VECTOR);
            if (squares <= limits[way])
                judge(s, seat, way, part, squares, signs, b);
        }
    }
}

static VG_INLINE void ask_chunk(const struct search *s, struct seat *seat, size_t chunk)
{
    size_t end = (chunk + 1) * CHUNK < s->count ? (chunk + 1) * CHUNK : s->count;
    for (size_t i = chunk * CHUNK; i < end && !seat->failed; i++) {
        seat->pairs = 0;
        vg_waves parts[VG_WINDOWS];
        const int8_t *signs = s->signs + i * VG_VECTOR;
        if (!(s->usable[i] & 1))
            continue;
        vg_waves_make(s->prints[i].thumb, VG_WINDOWS, parts);
        look_up(s, seat, &s->whole, parts[VG_WINDOW_WHOLE].vector, i, VG_WINDOW_WHOLE, signs);
        for (int h = VG_WINDOW_HALF; h < VG_WINDOW_CROP; h++)
            if (parts[h].length >= flat)
                look_up(s, seat, &s->half, parts[h].vector, i, VG_WINDOW_WHOLE, signs);
        for (int part = VG_WINDOW_CROP; part < VG_WINDOWS; part++)
            if (parts[part].length >= flat)
                look_up(s, seat, &s->whole, parts[part].vector, i, part, parts[part].signed_waves);
        look_closer(s, seat, i);
    }
}

static void ask_plain(void *context, int thread, size_t chunk)
{
    struct search *s = context;
    ask_chunk(s, &s->seats[thread], chunk);
}

#if VG_SIMD_X86
VG_FOR_AVX2 static void ask_avx2(void *context, int thread, size_t chunk)
{
    struct search *s = context;
    ask_chunk(s, &s->seats[thread], chunk);
}

VG_FOR_AVX512 static void ask_avx512(void *context, int thread, size_t chunk)
{
    struct search *s = context;
    ask_chunk(s, &s->seats[thread], chunk);
}
#endif

static worker *const ask[VG_SIMD_COUNT] = {ask_plain,
#if VG_SIMD_X86
                                           ask_avx2, ask_avx512
#endif
};

static int by_similarity(const void *left, const void *right)
{
    const vg_candidate *a = left, *b = right;
    if (a->similarity < b->similarity || a->similarity > b->similarity)
        return a->similarity < b->similarity ? 1 : -1;
    if (a->a != b->a)
        return a->a < b->a ? -1 : 1;
    if (a->b != b->b)
        return a->b < b->b ? -1 : 1;
    return (int)a->part - (int)b->part;
}

static bool gather(struct search *s, int threads, vg_candidate **list, size_t *candidates)
{
    size_t total = 0, at = 0;
    for (int t = 0; t < threads; t++) {
        if (s->seats[t].failed)
            return false;
        total += s->seats[t].count;
    }
    *list = vg_alloc(total, sizeof **list);
    if (!*list)
        return false;
    for (int t = 0; t < threads; t++) {
        if (s->seats[t].count)
            memcpy(*list + at, s->seats[t].list, s->seats[t].count * sizeof **list);
        at += s->seats[t].count;
    }
    if (total > 1)
        qsort(*list, total, sizeof **list, by_similarity);
    *candidates = total;
    return true;
}

static bool search(struct search *s, int threads, vg_candidate **list, size_t *candidates)
{
    size_t chunks = (s->count + CHUNK - 1) / CHUNK;
    s->wholes = vg_calloc(s->count, VG_VECTOR);
    s->halves = vg_calloc(s->count, (size_t)HALVES * VG_VECTOR);
    s->signs = vg_alloc(s->count, VG_VECTOR);
    s->usable = vg_calloc(s->count, 1);
    s->seats = vg_calloc((size_t)threads, sizeof *s->seats);
    if (!s->wholes || !s->halves || !s->signs || !s->usable || !s->seats)
        return false;
    for (int t = 0; t < threads; t++) {
        s->seats[t].stamp = vg_calloc(s->count * HALVES, sizeof *s->seats[t].stamp);
        if (!s->seats[t].stamp)
            return false;
    }
    vg_parallel_for(threads, chunks, describe, s);
    if (!build_index(s, &s->whole, s->wholes, s->count, TABLES, threads) ||
        !build_index(s, &s->half, s->halves, s->count * HALVES, HALF_TABLES, threads))
        return false;
    vg_parallel_for(threads, chunks, ask[vg_simd_best()], s);
    return gather(s, threads, list, candidates);
}

vg_status vg_neighbours_find(const vg_fingerprint *prints, const uint8_t *skip, size_t count,
                             int threads, vg_candidate **list, size_t *candidates, size_t *dropped,
                             vg_error *err)
{
    struct search s = {.prints = prints, .skip = skip, .count = count};
    *list = NULL;
    *candidates = 0;
    threads = threads < 1 ? vg_threads_available() : threads;
    if (count > UINT32_MAX / HALVES)
        return vg_fail(err, VG_E_LIMIT, "%zu pictures are more than %u can be compared", count,
                       UINT32_MAX / HALVES);
    bool enough = search(&s, threads, list, candidates);
    *dropped = 0;
    for (int t = 0; s.seats && t < threads; t++) {
        *dropped += s.seats[t].dropped;
        free(s.seats[t].list);
        free(s.seats[t].stamp);
    }
    free(s.seats);
    free(s.wholes);
    free(s.halves);
    free(s.signs);
    free(s.usable);
    free_index(&s.whole);
    free_index(&s.half);
    return enough ? VG_OK
                  : vg_fail(err, VG_E_NOMEM, "out of memory for comparing %zu pictures", count);
}
