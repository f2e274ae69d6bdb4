/* Is the data stored class by class? The number of runs of one label tells it, whatever the labels are;
 * what follows from it is said in terms that a training feels: classes in a batch of consecutive
 * images, and what a split by position would leave out. Nothing is sampled: one pass. */
#include "audit/labels.h"

#include "base/alloc.h"

#include <math.h>
#include <stdlib.h>

/* One place per class. */
struct tally {
    size_t count, tail;
    size_t window; /* number + 1 of the last window it was met in */
};

static void count_runs(const int32_t *labels, size_t n, vg_label_order *order)
{
    for (size_t i = 0, end; i < n; i = end) {
        for (end = i + 1; end < n && labels[end] == labels[i]; end++)
            ;
        order->runs++;
        if (end - i > order->longest_run) {
            order->longest_run = end - i;
            order->longest_label = labels[i];
        }
    }
}

/* Mean and spread of the number of runs over all orders of the same labels. */
static void expect_runs(const struct tally *tally, int classes, vg_label_order *order)
{
    double n = (double)order->count, squares = 0, cubes = 0;
    for (int k = 0; k < classes; k++) {
        double c = (double)tally[k].count;
        squares += c * c;
        cubes += c * c * c;
    }
    order->expected_runs = n + 1 - squares / n;
    /* the terms reach n^4: sums of shares keep the digits */
    double s2 = squares / (n * n), s3 = cubes / (n * n * n);
    double variance = n > 1 ? n * (s2 * (s2 + 1 + 1 / n) - 2 * s3 - 1 / n) * n / (n - 1) : 0;
    order->z = variance > 0 ? ((double)order->runs - order->expected_runs) / sqrt(variance) : 0;
}

/* Classes in windows of `batch` images (whole ones, or all images where there are fewer), and what a random order
 * gives: 1 - C(n - c, batch) / C(n, batch) for each class. */
static void look_through_window(const int32_t *labels, size_t n, struct tally *tally, int classes,
                                vg_label_order *order)
{
    size_t batch = order->batch, windows = n / batch, seen = 0;
    for (size_t w = 0; w < windows; w++)
        for (size_t i = w * batch; i < (w + 1) * batch; i++) {
            seen += tally[labels[i]].window != w + 1;
            tally[labels[i]].window = w + 1;
        }
    order->batch_classes = (double)seen / (double)windows;
    double total = (double)n, b = (double)batch;
    for (int k = 0; k < classes; k++) {
        double rest = total - (double)tally[k].count, none = 0;
        if (rest >= b)
            none = exp(lgamma(rest + 1) - lgamma(rest - b + 1) - lgamma(total + 1) +
                       lgamma(total - b + 1));
        order->shuffled_classes += tally[k].count ? 1 - none : 0;
    }
}

vg_status vg_label_order_measure(const int32_t *labels, size_t n, int classes, size_t batch,
                                 vg_label_order *order, vg_error *err)
{
    *order = (vg_label_order){.count = n};
    if (n == 0)
        return VG_OK;
    struct tally *tally = vg_calloc((size_t)classes, sizeof *tally);
    if (!tally)
        return vg_fail(err, VG_E_NOMEM, "order of labels: out of memory for %d classes", classes);
    order->batch = batch < 1 ? 1 : batch < n ? batch : n;
    order->tail = n - n / 5 * 4 - n % 5 * 4 / 5;
    for (size_t i = 0; i < n; i++) {
        tally[labels[i]].count++;
        tally[labels[i]].tail += i >= n - order->tail;
    }
    size_t largest = 0;
    for (int k = 0; k < classes; k++) {
        order->present += tally[k].count > 0;
        order->tail_lacks += tally[k].count && !tally[k].tail;
        order->head_lacks += tally[k].count && tally[k].tail == tally[k].count;
        largest = tally[k].count > largest ? tally[k].count : largest;
    }
    count_runs(labels, n, order);
    expect_runs(tally, classes, order);
    look_through_window(labels, n, tally, classes, order);
    order->sorted = order->present > 1 && largest > 1 && order->runs == (size_t)order->present;
    order->clustered = (double)order->runs < order->expected_runs / 2 && order->z < -5;
    free(tally);
    return VG_OK;
}
