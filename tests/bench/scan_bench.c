/* What opening a folder dataset costs, beside the least that any program can do: naming the files.
 *
 *   scan_bench -m CLASSES,FILES FOLDER     makes FOLDER with so many class folders and empty files
 *   scan_bench [-r REPEATS] [-t THREADS] FOLDER
 *
 * Prints a JSON line for each way: "vg_dataset_open" with 1 to THREADS threads, and on Linux
 * "getdents64", which lists the class folders and counts regular files in them, on one thread. Each
 * measurement is a process of its own, so that processor time and memory are its own too; rounds are
 * interleaved, the median of the rounds is given. The folders should have been listed before (they
 * are, by a first round that is not counted): what is compared is not the disk. */
#define _GNU_SOURCE
#include "base/clock.h"
#include "base/rng.h"
#include "base/threads.h"
#include "dataset/dataset.h"

#include <dirent.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>
#ifdef __linux__
#include <sys/syscall.h>
#endif

enum { MOST_ROUNDS = 99, MOST_THREADS = 64 };

typedef struct result {
    bool good;
    size_t files, classes;
    double seconds, user, system;
    long rss_kib;
} result;

static result open_dataset(const char *folder, int threads)
{
    result r = {0};
    vg_error err = {0};
    vg_dataset *dataset;
    vg_dataset_options options = vg_dataset_options_default();
    options.threads = threads;
    double start = vg_clock();
    if (vg_dataset_open(folder, &options, &dataset, &err) != VG_OK) {
        fprintf(stderr, "scan_bench: %s\n", err.message);
        return r;
    }
    r.seconds = vg_clock() - start;
    r.files = vg_dataset_count(dataset);
    r.classes = (size_t)vg_dataset_classes(dataset);
    r.good = true;
    vg_dataset_close(dataset);
    return r;
}

#ifdef __linux__
/* Regular files in the folder `name` of `base`, and below when it is a class. */
static long count_files(int base, const char *name, size_t *folders)
{
    static char buffers[2][256 * 1024];
    char *buffer = buffers[folders != NULL];
    long files = 0, got = -1;
    int fd = openat(base, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    while (fd >= 0 && (got = syscall(SYS_getdents64, fd, buffer, sizeof buffers[0])) > 0)
        for (long at = 0; at < got;) {
            const struct dirent64 *entry = (const void *)(buffer + at);
            at += entry->d_reclen;
            if (entry->d_type == DT_REG && !folders)
                files++;
            if (entry->d_type == DT_DIR && folders && entry->d_name[0] != '.') {
                files += count_files(fd, entry->d_name, NULL);
                ++*folders;
            }
        }
    if (fd >= 0)
        close(fd);
    return files;
}

static result count_entries(const char *folder, int threads)
{
    result r = {0};
    (void)threads;
    double start = vg_clock();
    r.files = (size_t)count_files(AT_FDCWD, folder, &r.classes);
    r.seconds = vg_clock() - start;
    r.good = r.classes > 0;
    return r;
}
#endif

/* In a child, whose processor time and memory are the measurement's alone. */
static result measure(result (*way)(const char *folder, int threads), const char *folder,
                      int threads)
{
    result r = {0};
    int ends[2];
    if (pipe(ends) != 0)
        return r;
    fflush(NULL);
    pid_t child = fork();
    if (child == 0) {
        r = way(folder, threads);
        _exit(write(ends[1], &r, sizeof r) == (ssize_t)sizeof r ? 0 : 1);
    }
    close(ends[1]);
    if (child > 0) {
        struct rusage used;
        int status;
        r.good = read(ends[0], &r, sizeof r) == (ssize_t)sizeof r && r.good;
        if (wait4(child, &status, 0, &used) == child) {
            r.user = (double)used.ru_utime.tv_sec + 1e-6 * (double)used.ru_utime.tv_usec;
            r.system = (double)used.ru_stime.tv_sec + 1e-6 * (double)used.ru_stime.tv_usec;
            r.rss_kib = used.ru_maxrss;
        }
    }
    close(ends[0]);
    return r;
}

static int ascending(const void *a, const void *b)
{
    double x = ((const result *)a)->seconds, y = ((const result *)b)->seconds;
    return (x > y) - (x < y);
}

static void print(const char *way, int threads, result *rounds, int count)
{
    qsort(rounds, (size_t)count, sizeof *rounds, ascending);
    const result *r = &rounds[count / 2];
    printf("{\"way\": \"%s\", \"jobs\": %d, \"n\": %zu, \"classes\": %zu, \"s\": %.4f, "
           "\"fastest_s\": %.4f, \"user_s\": %.3f, \"system_s\": %.3f, \"files_per_s\": %.0f, "
           "\"rss_mib\": %.1f, \"repeats\": %d}\n",
           way, threads, r->files, r->classes, r->seconds, rounds[0].seconds, r->user, r->system,
           (double)r->files / r->seconds, (double)r->rss_kib / 1024, count);
}

/* Names as in ImageNet, in an order that is not theirs. */
static bool make_tree(const char *folder, unsigned long classes, unsigned long files)
{
    char name[4096];
    if (mkdir(folder, 0755) != 0)
        return false;
    for (unsigned long k = 0; k < classes; k++) {
        int length = snprintf(name, sizeof name, "%s/n%08lu", folder, 1000000 + 14989 * k);
        if (length < 0 || length >= (int)sizeof name || mkdir(name, 0755) != 0)
            return false;
        int fd = open(name, O_RDONLY | O_DIRECTORY);
        unsigned long n = files / classes + (k < files % classes);
        for (unsigned long i = 0; fd >= 0 && i < n; i++) {
            snprintf(name, sizeof name, "n%08lu_%lu.JPEG", 1000000 + 14989 * k,
                     (unsigned long)vg_permute(k, 13 * n + 1, i));
            int file = openat(fd, name, O_CREAT | O_WRONLY, 0644);
            if (file < 0)
                return false;
            close(file);
        }
        if (fd < 0)
            return false;
        close(fd);
    }
    return true;
}

static int usage(void)
{
    fprintf(stderr,
            "usage: scan_bench [-r REPEATS, 1 to %d] [-t THREADS, 1 to %d] FOLDER\n"
            "       scan_bench -m CLASSES,FILES FOLDER\n",
            MOST_ROUNDS, MOST_THREADS);
    return 2;
}

int main(int argc, char **argv)
{
    static result open_rounds[MOST_THREADS + 1][MOST_ROUNDS];
    int rounds = 5, threads = vg_threads_available(), option;
    unsigned long classes = 0, files = 0;
    while ((option = getopt(argc, argv, "r:t:m:")) != -1) {
        if (option == 'r')
            rounds = (int)strtol(optarg, NULL, 10);
        else if (option == 't')
            threads = (int)strtol(optarg, NULL, 10);
        else if (option != 'm' || sscanf(optarg, "%lu,%lu", &classes, &files) != 2 || !classes)
            return usage();
    }
    if (rounds < 1 || rounds > MOST_ROUNDS || threads < 1 || optind != argc - 1)
        return usage();
    const char *folder = argv[optind];
    if (classes) {
        bool made = make_tree(folder, classes, files);
        if (!made)
            perror(folder);
        return !made;
    }
    threads = threads < MOST_THREADS ? threads : MOST_THREADS;
    bool good = true;
    for (int round = -1; round < rounds; round++) { /* the first fills the system's caches */
        int at = round < 0 ? 0 : round;
#ifdef __linux__
        good &= (open_rounds[0][at] = measure(count_entries, folder, 1)).good;
#endif
        for (int t = 1; t <= threads; t++)
            good &= (open_rounds[t][at] = measure(open_dataset, folder, t)).good;
    }
    if (!good)
        return 1;
#ifdef __linux__
    print("getdents64", 1, open_rounds[0], rounds);
#endif
    for (int t = 1; t <= threads; t++)
        print("vg_dataset_open", t, open_rounds[t], rounds);
    return 0;
}
