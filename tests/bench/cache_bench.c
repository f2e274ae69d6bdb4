/* What the cache costs: putting a picture in, finding it again, opening and checking a file.
 *
 *   cache_bench [-n SAMPLES] [-t THREADS] [-r REPEATS] FOLDER
 *
 * Makes a dataset of SAMPLES small files in FOLDER (kept for the next call) and caches made-up
 * pictures for it, of 32x32 for each sample and of 300x200 for every 32nd. Prints a JSON line for
 * each measurement: nanoseconds for a picture, median of the repeats, samples in a shuffled order.
 * "read" touches every pixel; "pread" reads the same bytes of the packed file into a buffer
 * instead of looking at the mapping. */
#include "base/clock.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/threads.h"
#include "load/cache.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

enum { MOST_REPEATS = 99, BIG_SHARE = 32 };

typedef struct bench {
    vg_dataset *dataset;
    vg_cache *cache;
    size_t *order;      /* [count], indices shuffled */
    size_t count, step; /* every step-th sample of the dataset */
    int width, height, threads, fd;
    uint64_t *found; /* [threads], with pixel sums so that nothing is left out */
    void (*work)(struct bench *b, vg_reader *reader, size_t index, int thread);
} bench;

static _Noreturn void give_up(const char *why)
{
    fprintf(stderr, "cache_bench: %s\n", why);
    exit(1);
}

static void one_thread(void *context, int thread, size_t item)
{
    bench *b = context;
    vg_reader reader;
    (void)thread;
    if (vg_reader_init(&reader, NULL))
        give_up("out of memory");
    for (size_t i = item; i < b->count; i += (size_t)b->threads)
        b->work(b, &reader, b->order[i], (int)item);
    vg_reader_reset(&reader);
}

/* Seconds for one pass over all samples. */
static double pass(bench *b, void (*work)(bench *b, vg_reader *reader, size_t index, int thread))
{
    b->work = work;
    memset(b->found, 0, (size_t)b->threads * sizeof *b->found);
    double start = vg_clock();
    vg_parallel_for(b->threads, (size_t)b->threads, one_thread, b);
    return vg_clock() - start;
}

static void do_put(bench *b, vg_reader *reader, size_t index, int thread)
{
    static _Thread_local vg_image image; /* made once, given to all: freed with the process */
    vg_decode_info info = {.region = vg_region_whole(b->width, b->height, 1)};
    uint8_t stored[64] = {0};
    vg_cached picture;
    (void)thread;
    if (vg_image_shape(&image, b->width, b->height, 3, NULL))
        give_up("out of memory");
    memset(image.data, (int)index, 64);
    memcpy(stored, &index, sizeof index);
    if (!vg_cache_find(b->cache, index, reader, &picture)) /* takes the stamp, as a loader does */
        vg_cache_put(b->cache, index, (vg_span){stored, sizeof stored}, &image, &info, NULL);
}

static void do_find(bench *b, vg_reader *reader, size_t index, int thread)
{
    vg_cached picture;
    b->found[thread] += vg_cache_find(b->cache, index, reader, &picture);
}

static void do_read(bench *b, vg_reader *reader, size_t index, int thread)
{
    vg_cached picture;
    if (!vg_cache_find(b->cache, index, reader, &picture))
        return;
    size_t words = picture.view.stride * (size_t)picture.view.height / 8;
    uint64_t sum = 0, word;
    for (size_t i = 0; i < words; i++) {
        memcpy(&word, picture.view.data + 8 * i, 8);
        sum += word;
    }
    b->found[thread] += sum;
}

static void do_pread(bench *b, vg_reader *reader, size_t index, int thread)
{
    size_t bytes = (size_t)b->width * (size_t)b->height * 3;
    if (vg_bytes_reserve(&reader->bytes, bytes, NULL))
        give_up("out of memory");
    ssize_t n =
        pread(b->fd, reader->bytes.data, bytes, (off_t)(4096 + index / b->step * (bytes + 64)));
    uint64_t sum = 0, word;
    for (ssize_t i = 0; i + 8 <= n; i += 8) {
        memcpy(&word, reader->bytes.data + i, 8);
        sum += word;
    }
    b->found[thread] += sum;
}

static int compare(const void *a, const void *b)
{
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static void say(const bench *b, const char *kind, const char *what, double *seconds, int n)
{
    qsort(seconds, (size_t)n, sizeof *seconds, compare);
    double ns = 1e9 * seconds[n / 2] / (double)b->count;
    printf("{\"bench\": \"cache\", \"kind\": \"%s\", \"what\": \"%s\", \"picture\": \"%dx%dx3\", "
           "\"samples\": %zu, \"threads\": %d, \"ns\": %.1f, \"per_second\": %.0f}\n",
           kind, what, b->width, b->height, b->count, b->threads, ns, 1e9 / ns);
}

static void repeat(bench *b, const char *kind, const char *what, int repeats,
                   void (*work)(bench *b, vg_reader *reader, size_t index, int thread))
{
    double seconds[MOST_REPEATS] = {0};
    for (int i = 0; i < repeats; i++)
        seconds[i] = pass(b, work);
    say(b, kind, what, seconds, repeats);
}

static double open_cache(bench *b, const vg_cache_options *options)
{
    vg_error err;
    double start = vg_clock();
    if (vg_cache_open(options, b->dataset, "bench", &b->cache, &err))
        give_up(err.message);
    return vg_clock() - start;
}

static void measure_ram(bench *b, int repeats)
{
    vg_cache_options options = {.kind = VG_CACHE_RAM};
    open_cache(b, &options);
    repeat(b, "ram", "put", 1, do_put);
    repeat(b, "ram", "find", repeats, do_find);
    repeat(b, "ram", "find and read", repeats, do_read);
    vg_cache_close(b->cache);
}

static void measure_file(bench *b, const char *folder, int repeats)
{
    vg_cache_options options = {.kind = VG_CACHE_FILE};
    snprintf(options.path, sizeof options.path, "%s/bench-%d.cache", folder, b->width);
    unlink(options.path);
    open_cache(b, &options);
    repeat(b, "file", "put", 1, do_put);
    double seconds = vg_clock();
    vg_cache_commit(b->cache, true, NULL);
    seconds = vg_clock() - seconds;
    say(b, "file", "commit with fsync", &seconds, 1);
    vg_cache_close(b->cache);
    seconds = open_cache(b, &options);
    say(b, "file", "open", &seconds, 1);
    repeat(b, "file", "first find: stamp and checksum", 1, do_find);
    repeat(b, "file", "find", repeats, do_find);
    repeat(b, "file", "find and read", repeats, do_read);
    b->fd = open(options.path, O_RDONLY | O_CLOEXEC);
    repeat(b, "file", "pread", repeats, do_pread);
    close(b->fd);
    vg_cache_close(b->cache);
    unlink(options.path);
}

/* FOLDER/data/classNN/NNNNNN.png, 64 bytes each; old enough that their time is believed. */
static void make_dataset(const char *folder, size_t samples)
{
    char path[4200];
    uint8_t stored[64] = {0};
    struct timespec old[2] = {{.tv_sec = 1000000000}, {.tv_sec = 1000000000}};
    for (size_t i = 0; i < samples; i++) {
        snprintf(path, sizeof path, "%s/data/class%02zu", folder, i % 100);
        if (i < 100 && vg_make_folders(path, NULL))
            give_up(path);
        snprintf(path, sizeof path, "%s/data/class%02zu/%06zu.png", folder, i % 100, i);
        memcpy(stored, &i, sizeof i);
        int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0 || write(fd, stored, sizeof stored) != (ssize_t)sizeof stored ||
            futimens(fd, old) != 0)
            give_up(path);
        close(fd);
    }
}

static void shuffle(bench *b, size_t step)
{
    b->step = step;
    b->count = (vg_dataset_count(b->dataset) + step - 1) / step;
    for (size_t i = 0; i < b->count; i++)
        b->order[i] = vg_permute(1, b->count, i) * step;
}

static int number_of(const char *text, int most)
{
    char *end;
    long n = strtol(text, &end, 10);
    if (*end || n < 1 || n > most)
        give_up("usage: cache_bench [-n SAMPLES] [-t THREADS] [-r REPEATS] FOLDER");
    return (int)n;
}

int main(int argc, char **argv)
{
    int samples = 100000, repeats = 5, option;
    bench b = {.threads = 1};
    while ((option = getopt(argc, argv, "n:t:r:")) != -1) {
        if (option == 'n')
            samples = number_of(optarg, 10000000);
        else if (option == 't')
            b.threads = number_of(optarg, 1024);
        else if (option == 'r')
            repeats = number_of(optarg, MOST_REPEATS);
        else
            return 2;
    }
    if (optind != argc - 1)
        give_up("usage: cache_bench [-n SAMPLES] [-t THREADS] [-r REPEATS] FOLDER");
    vg_error err;
    char data[4200];
    snprintf(data, sizeof data, "%s/data", argv[optind]);
    if (vg_dataset_open(data, NULL, &b.dataset, &err) ||
        vg_dataset_count(b.dataset) != (size_t)samples) {
        vg_dataset_close(b.dataset);
        make_dataset(argv[optind], (size_t)samples);
        if (vg_dataset_open(data, NULL, &b.dataset, &err))
            give_up(err.message);
    }
    b.order = calloc(vg_dataset_count(b.dataset), sizeof *b.order);
    b.found = calloc((size_t)b.threads, sizeof *b.found);
    if (!b.order || !b.found)
        give_up("out of memory");
    for (int big = 0; big < 2; big++) {
        b.width = big ? 300 : 32;
        b.height = big ? 200 : 32;
        shuffle(&b, big ? BIG_SHARE : 1);
        measure_ram(&b, repeats);
        measure_file(&b, argv[optind], repeats);
    }
    free(b.order);
    free(b.found);
    vg_dataset_close(b.dataset);
    return 0;
}
