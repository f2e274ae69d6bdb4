/* Processor time from Linux' /proc/stat (in hundredths of a second: ask over a second or more) and from
 * getrusage. Elsewhere nothing is known of others, and none are reported. */
#include "base/usage.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

/* The first line is "cpu" and the ticks of all CPUs together. */
static double busy_seconds(void)
{
    enum { USER, NICE, SYSTEM, IDLE, IOWAIT, IRQ, SOFTIRQ, STEAL, FIELDS };
    unsigned long long ticks = 0;
    char line[512] = "";
    FILE *f = fopen("/proc/stat", "re");
    char *at = f && fgets(line, sizeof line, f) && strncmp(line, "cpu ", 4) == 0 ? line + 4 : NULL;
    if (f)
        fclose(f);
    for (int i = 0; at && i < FIELDS; i++) {
        char *end;
        unsigned long long value = strtoull(at, &end, 10);
        ticks += i == IDLE || i == IOWAIT ? 0 : value;
        at = end == at ? NULL : end;
    }
    long per_second = sysconf(_SC_CLK_TCK);
    return at && per_second > 0 ? (double)ticks / (double)per_second : 0;
}

vg_usage vg_usage_now(void)
{
    struct timespec t = {0};
    struct rusage r = {0};
    clock_gettime(CLOCK_MONOTONIC, &t);
    getrusage(RUSAGE_SELF, &r);
    return (vg_usage){.wall = (double)t.tv_sec + 1e-9 * (double)t.tv_nsec,
                      .busy = busy_seconds(),
                      .own = (double)(r.ru_utime.tv_sec + r.ru_stime.tv_sec) +
                             1e-6 * (double)(r.ru_utime.tv_usec + r.ru_stime.tv_usec)};
}

double vg_usage_others_since(const vg_usage *before)
{
    vg_usage now = vg_usage_now();
    double theirs = (now.busy - before->busy) - (now.own - before->own);
    double all = (now.wall - before->wall) * (double)sysconf(_SC_NPROCESSORS_ONLN);
    double share = theirs > 0 && all > 0 ? theirs / all : 0;
    return share < 1 ? share : 1;
}
