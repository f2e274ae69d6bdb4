/* The networks that come with the program. All take any input size that their pools leave something
 * of (8 x 8 and more for small-cnn). The default keeps the places
 * of what it saw up to its head: on Fashion-MNIST that is worth a point and a half of accuracy over
 * a global pool behind the same layers. */
#include "nn/spec.h"

#include <stdio.h>
#include <string.h>

static const char *const small_cnn[] = {
    "conv 16 k3 nobias", "bn", "relu", "maxpool 2", "conv 32 k3 nobias", "bn", "relu", "maxpool 2",
    "conv 64 k3 nobias", "bn", "relu", "maxpool 2", "dropout 0.25",      NULL};
static const char *const lenet[] = {"conv 6 k5", "relu",      "maxpool 2", "conv 16 k5 p0",
                                    "relu",      "maxpool 2", "dense 120", "relu",
                                    "dense 84",  "relu",      NULL};
static const char *const tiny_cnn[] = {"conv 8 k3 nobias",
                                       "bn",
                                       "relu",
                                       "maxpool 2",
                                       "conv 16 k3 nobias",
                                       "bn",
                                       "relu",
                                       "maxpool 2",
                                       "conv 32 k3 nobias",
                                       "bn",
                                       "relu",
                                       "globalpool",
                                       NULL};
static const char *const plain[] = {"conv 8 k5", "relu",      "maxpool 2", "conv 16 k3", "relu",
                                    "maxpool 2", "dense 128", "relu",      NULL};
static const char *const book[] = {
    "conv 32 k3 p0", "relu",           "maxpool 2",      "conv 64 k3 p0",
    "relu",          "maxpool 2",      "conv 128 k3 p0", "relu",
    "maxpool 2",     "conv 128 k3 p0", "relu",           "maxpool 2",
    "dropout 0.5",   "dense 512",      "relu",           NULL};
static const char *const vgg_small[] = {
    "conv 64 k3",  "bn",   "relu",      "conv 64 k3",  "bn", "relu", "maxpool 2",
    "conv 128 k3", "bn",   "relu",      "conv 128 k3", "bn", "relu", "maxpool 2",
    "conv 256 k3", "bn",   "relu",      "conv 256 k3", "bn", "relu", "conv 256 k3",
    "bn",          "relu", "maxpool 2", "globalpool",  NULL};

static const vg_net_preset presets[] = {
    {"small-cnn", "three convolutions with batch norm, 16, 32, 64 wide: the default", small_cnn},
    {"tiny-cnn", "the same, half as wide, with a global pool: for quick comparisons", tiny_cnn},
    {"lenet", "LeNet-5 with ReLU: two convolutions, three dense layers", lenet},
    {"plain", "two convolutions and a dense layer without batch norm: easy to collapse", plain},
    {"book", "four convolutions, dropout, dense 512: the net of many tutorials, for 150x150", book},
    {"vgg-small", "seven convolutions with batch norm, up to 256 wide: accurate and slow",
     vgg_small}};
enum { PRESETS = sizeof presets / sizeof *presets };

const vg_net_preset *vg_net_presets(int *count)
{
    *count = PRESETS;
    return presets;
}

/* Levenshtein distance, for names of at most 31 characters. */
static int distance(const char *a, const char *b)
{
    int row[33];
    int n = (int)strlen(b);
    if (n > 31 || strlen(a) > 31)
        return 99;
    for (int j = 0; j <= n; j++)
        row[j] = j;
    for (int i = 1; a[i - 1]; i++) {
        int diagonal = row[0];
        row[0] = i;
        for (int j = 1; j <= n; j++) {
            int best = diagonal + (a[i - 1] != b[j - 1]);
            diagonal = row[j];
            best = row[j] + 1 < best ? row[j] + 1 : best;
            best = row[j - 1] + 1 < best ? row[j - 1] + 1 : best;
            row[j] = best;
        }
    }
    return row[n];
}

static vg_status unknown(const char *name, vg_error *err)
{
    char all[256] = "";
    int nearest = 0;
    for (int i = 0; i < PRESETS; i++) {
        size_t used = strlen(all);
        snprintf(all + used, sizeof all - used, "%s%s", i ? ", " : "", presets[i].name);
        if (distance(name, presets[i].name) < distance(name, presets[nearest].name))
            nearest = i;
    }
    return vg_fail(err, VG_E_ARG, "unknown network \"%.60s\"; did you mean \"%s\"? There are: %s",
                   name, presets[nearest].name, all);
}

vg_status vg_net_spec_preset(const char *name, vg_net_spec *spec, vg_error *err)
{
    for (int i = 0; i < PRESETS; i++) {
        if (strcmp(name, presets[i].name) != 0)
            continue;
        vg_net_spec made = {0};
        snprintf(made.name, sizeof made.name, "%s", presets[i].name);
        for (const char *const *words = presets[i].layers; *words; words++) {
            vg_status status = vg_net_spec_add(&made, *words, err);
            if (status) {
                vg_net_spec_reset(&made);
                return status;
            }
        }
        *spec = made;
        return VG_OK;
    }
    return unknown(name, err);
}
