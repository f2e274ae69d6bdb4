/* Thread count, and a plain parallel loop for scans (the loader has its own workers). */
#define _GNU_SOURCE
#include "base/threads.h"

#include <pthread.h>
#include <sched.h>
#include <stdatomic.h>

enum { MAX_THREADS = 256 };

int vg_threads_available(void)
{
    cpu_set_t set;
    CPU_ZERO(&set);
    if (sched_getaffinity(0, sizeof set, &set) != 0)
        return 1;
    int n = CPU_COUNT(&set);
    return n > 0 ? n : 1;
}

struct loop {
    atomic_size_t next;
    size_t items;
    void (*work)(void *context, int thread, size_t item);
    void *context;
};

struct seat {
    struct loop *loop;
    int thread;
};

static void *run(void *argument)
{
    struct seat *seat = argument;
    struct loop *loop = seat->loop;
    for (;;) {
        size_t item = atomic_fetch_add(&loop->next, 1);
        if (item >= loop->items)
            return NULL;
        loop->work(loop->context, seat->thread, item);
    }
}

void vg_parallel_for(int threads, size_t items,
                     void (*work)(void *context, int thread, size_t item), void *context)
{
    struct loop loop = {.items = items, .work = work, .context = context};
    struct seat seats[MAX_THREADS];
    pthread_t ids[MAX_THREADS];
    int started = 0;
    if (threads > MAX_THREADS)
        threads = MAX_THREADS;
    if ((size_t)(threads > 0 ? threads : 1) > items)
        threads = (int)items;
    for (int t = 1; t < threads; t++) {
        seats[t] = (struct seat){&loop, t};
        if (pthread_create(&ids[t], NULL, run, &seats[t]) != 0)
            break;
        started = t;
    }
    seats[0] = (struct seat){&loop, 0};
    run(&seats[0]);
    for (int t = 1; t <= started; t++)
        pthread_join(ids[t], NULL);
}
