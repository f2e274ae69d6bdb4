/* How well wrong labels are found that somebody planted, and how long it takes: what label_errors.py runs, beside the
 * Python peer on the same labels.
 *
 *   label_errors_bench DATASET TRUTH [--threads N] [--seed N] [--epochs N] [--folds N] [--net NAME] [--side N]
 *                      [--mirror]
 *
 * TRUTH holds one byte a sample of DATASET, in its order: the right label. Prints one line of JSON; reading the
 * pictures is timed, opening the dataset is not. */
#include "base/file.h"
#include "study/label_errors.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>

typedef struct scores {
    size_t wrong, flagged_wrong;
    double auroc, average_precision, precision_at_k, right_suggestions;
} scores;

/* Labels come most doubtful first; equal doubts share their place. */
static scores judge(const vg_label_errors *e, const uint8_t *truth)
{
    scores s = {0};
    size_t hits = 0, right = 0;
    double below = 0, suggested = 0;
    for (size_t i = 0; i < e->judged; i++)
        s.wrong += truth[e->labels[i].index] != e->labels[i].given;
    for (size_t i = 0; i < e->judged;) {
        size_t same = i, tied_wrong = 0;
        while (same < e->judged && !(e->labels[same].doubt < e->labels[i].doubt))
            tied_wrong += truth[e->labels[same].index] != e->labels[same].given, same++;
        size_t tied_right = same - i - tied_wrong;
        below += (double)tied_right * ((double)hits + 0.5 * (double)tied_wrong);
        for (; i < same; i++) {
            const vg_judged_label *l = &e->labels[i];
            bool wrong = truth[l->index] != l->given;
            hits += wrong;
            right += !wrong;
            s.average_precision += wrong ? (double)hits / (double)(i + 1) : 0;
            if (i + 1 == s.wrong)
                s.precision_at_k = (double)hits / (double)s.wrong;
            if (i + 1 == e->suspicious)
                s.flagged_wrong = hits;
            suggested += wrong && i < e->suspicious && truth[l->index] == l->suggested;
        }
    }
    s.auroc = s.wrong > 0 && right > 0 ? below / ((double)s.wrong * (double)right) : 0;
    s.average_precision /= s.wrong > 0 ? (double)s.wrong : 1;
    s.right_suggestions = suggested / (s.flagged_wrong > 0 ? (double)s.flagged_wrong : 1);
    return s;
}

static void print(const vg_label_errors *e, const scores *s, const vg_dataset *d)
{
    struct rusage usage;
    getrusage(RUSAGE_SELF, &usage);
    printf("{\"n\": %zu, \"wrong\": %zu, \"net\": \"%s\", \"folds\": %d, \"epochs\": %d, "
           "\"height\": %d, \"width\": %d, \"accuracy_given\": %.4f, \"auroc\": %.4f, "
           "\"average_precision\": %.4f, \"precision_at_k\": %.4f, ",
           e->judged, s->wrong, e->net, e->folds, e->epochs, e->height, e->width, e->agreement,
           s->auroc, s->average_precision, s->precision_at_k);
    printf("\"flagged\": %zu, \"precision\": %.4f, \"recall\": %.4f, \"right_suggestions\": %.4f, ",
           e->suspicious,
           (double)s->flagged_wrong / (e->suspicious > 0 ? (double)e->suspicious : 1),
           (double)s->flagged_wrong / (s->wrong > 0 ? (double)s->wrong : 1), s->right_suggestions);
    printf("\"estimated\": %.0f, \"low\": %.0f, \"high\": %.0f, \"network\": %.4f, \"kind\": "
           "\"%s\", \"pairs\": [",
           e->noise.wrong, e->noise.low, e->noise.high, e->noise.network,
           vg_noise_kind_name(e->noise.kind));
    for (size_t i = 0; i < e->noise.pair_count; i++) {
        const vg_noise_pair *p = &e->noise.pairs[i];
        printf("%s\"%s>%s %.0f\"", i ? ", " : "", vg_dataset_class_name(d, p->truth),
               vg_dataset_class_name(d, p->given), p->images);
    }
    printf("], \"s\": %.2f, \"rss_mib\": %.0f}\n", e->seconds, (double)usage.ru_maxrss / 1024);
}

int main(int argc, char **argv)
{
    static const struct option known[] = {{"threads", 1, NULL, 't'}, {"seed", 1, NULL, 's'},
                                          {"epochs", 1, NULL, 'e'},  {"folds", 1, NULL, 'f'},
                                          {"net", 1, NULL, 'n'},     {"side", 1, NULL, 'i'},
                                          {"mirror", 0, NULL, 'm'},  {0}};
    vg_label_error_options options = vg_label_error_options_default();
    for (int c; (c = getopt_long(argc, argv, "", known, NULL)) >= 0;) {
        int value = optarg ? (int)strtol(optarg, NULL, 10) : 0;
        if (c == 't')
            options.threads = value;
        else if (c == 's')
            options.seed = (uint64_t)value;
        else if (c == 'e')
            options.epochs = value;
        else if (c == 'f')
            options.folds = value;
        else if (c == 'n')
            options.net = optarg;
        else if (c == 'i')
            options.side = value;
        else if (c == 'm')
            options.mirror = true;
        else
            return 2;
    }
    if (argc - optind != 2) {
        fputs("usage: label_errors_bench DATASET TRUTH [options]\n", stderr);
        return 2;
    }
    vg_error err = {0};
    vg_dataset *dataset = NULL;
    vg_label_errors found = {0};
    vg_bytes truth = {0};
    vg_status status = vg_dataset_open(argv[optind], NULL, &dataset, &err);
    if (!status)
        status = vg_file_read(argv[optind + 1], 0, &truth, &err);
    if (!status && truth.size != vg_dataset_count(dataset))
        status = vg_fail(&err, VG_E_FORMAT, "%s: found %zu labels for %zu samples",
                         argv[optind + 1], truth.size, vg_dataset_count(dataset));
    if (!status)
        status = vg_label_errors_find(dataset, &options, &found, &err);
    if (!status) {
        scores s = judge(&found, truth.data);
        print(&found, &s, dataset);
    } else
        fprintf(stderr, "label_errors_bench: %s\n", err.message);
    vg_label_errors_reset(&found);
    vg_bytes_reset(&truth);
    vg_dataset_close(dataset);
    return status ? 1 : 0;
}
