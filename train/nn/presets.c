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

/* In words for a list: convolution, batch norm, ReLU; residual blocks that keep the shape (RESIDUAL)
 * or change it by a projection (PROJECT), both from "x" to "x"; depthwise and pointwise pairs. */
#define CONV(outputs, rest) "conv " #outputs " " rest " nobias", "bn"
#define CONV_RELU(outputs, rest) CONV(outputs, rest), "relu"
#define RESIDUAL(outputs) CONV_RELU(outputs, "k3"), CONV(outputs, "k3"), "add x", "relu as x"
#define PROJECT(outputs)                                                                           \
    CONV_RELU(outputs, "k3 s2"), "conv " #outputs " k3 nobias", "bn as y",                         \
        "conv " #outputs " k1 s2 nobias from x", "bn", "add y", "relu as x"
#define SEPARABLE(inputs, outputs, stride)                                                         \
    CONV_RELU(inputs, "k3 s" #stride " g" #inputs), CONV_RELU(outputs, "k1")

#define VGG(outputs) "conv " #outputs " k3", "bn", "relu"

/* clang-format off */
static const char *const small_cifar[] = {
    "conv 32 k3", "relu", "conv 32 k3", "relu", "maxpool 2", "dropout 0.25",
    "conv 64 k3", "relu", "conv 64 k3", "relu", "maxpool 2", "dropout 0.25",
    "dense 512", "relu", "dropout 0.5", NULL};
static const char *const vgg_small[] = {
    CONV_RELU(64, "k3"), CONV_RELU(64, "k3"), "maxpool 2",
    CONV_RELU(128, "k3"), CONV_RELU(128, "k3"), "maxpool 2",
    CONV_RELU(256, "k3"), CONV_RELU(256, "k3"), CONV_RELU(256, "k3"), "maxpool 2",
    "globalpool", NULL};
static const char *const vgg16[] = {
    VGG(64), VGG(64), "maxpool 2", VGG(128), VGG(128), "maxpool 2",
    VGG(256), VGG(256), VGG(256), "maxpool 2", VGG(512), VGG(512), VGG(512), "maxpool 2",
    VGG(512), VGG(512), VGG(512), "maxpool 2",
    "dense 4096", "relu", "dropout 0.5", "dense 4096", "relu", "dropout 0.5", NULL};
static const char *const resnet20[] = {
    "conv 16 k3 nobias", "bn", "relu as x",
    RESIDUAL(16), RESIDUAL(16), RESIDUAL(16),
    PROJECT(32), RESIDUAL(32), RESIDUAL(32),
    PROJECT(64), RESIDUAL(64), RESIDUAL(64), "globalpool", NULL};
static const char *const resnet18[] = {
    CONV_RELU(64, "k7 s2 p3"), "maxpool 3 s2 p1 as x",
    RESIDUAL(64), RESIDUAL(64), PROJECT(128), RESIDUAL(128),
    PROJECT(256), RESIDUAL(256), PROJECT(512), RESIDUAL(512), "globalpool", NULL};
static const char *const mobilenet[] = {
    CONV_RELU(32, "k3 s2"),
    SEPARABLE(32, 64, 1), SEPARABLE(64, 128, 2), SEPARABLE(128, 128, 1),
    SEPARABLE(128, 256, 2), SEPARABLE(256, 256, 1), SEPARABLE(256, 512, 2),
    SEPARABLE(512, 512, 1), SEPARABLE(512, 512, 1), SEPARABLE(512, 512, 1),
    SEPARABLE(512, 512, 1), SEPARABLE(512, 512, 1),
    SEPARABLE(512, 1024, 2), SEPARABLE(1024, 1024, 1), "globalpool", NULL};
/* The net of Jordan, "94% on CIFAR-10 in 3.29 seconds" (arXiv:2404.00498); samples/speedrun.yaml
 * trains it as its author does */
#define FAST_BN "bn m0.4 e1e-12 noscale"
#define FAST(outputs)                                                                              \
    "conv " #outputs " k3 nobias", "maxpool 2", FAST_BN, "gelu",                                   \
        "conv " #outputs " k3 nobias", FAST_BN, "gelu"
static const char *const speedrun[] = {
    "conv 0 k2 p0 whiten", "gelu", FAST(64), FAST(256), FAST(256), "maxpool 3", "flatten",
    "linear 0.1111111111111111", NULL};
/* clang-format on */

static const vg_net_preset presets[] = {
    {"small-cnn", "three convolutions with batch norm, 16, 32, 64 wide: the default", small_cnn},
    {"tiny-cnn", "the same, half as wide, with a global pool: for quick comparisons", tiny_cnn},
    {"lenet", "LeNet-5 with ReLU: two convolutions, three dense layers", lenet},
    {"plain", "two convolutions and a dense layer without batch norm: easy to collapse", plain},
    {"book", "four convolutions, dropout, dense 512: the net of many tutorials, for 150x150", book},
    {"small-cifar", "four convolutions, dropout, dense 512: the small net of the frameworks",
     small_cifar},
    {"vgg-small", "seven convolutions with batch norm, up to 256 wide: accurate and slow",
     vgg_small},
    {"vgg16", "VGG-16 with batch norm, for 224x224", vgg16},
    {"resnet20", "residual net of 20 layers with projections, for pictures around 32x32", resnet20},
    {"resnet18", "residual net of 18 layers, for 224x224", resnet18},
    {"mobilenet", "depthwise and pointwise convolutions, for 224x224", mobilenet},
    {"speedrun", "the quick net for CIFAR-10, 24 whitened, 64, 256, 256 channels, for 32x32",
     speedrun}};
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
    char all[400] = "";
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
