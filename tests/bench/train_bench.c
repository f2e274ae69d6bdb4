/* Images per second of a training step and of inference: the networks, the step and the keys of the
 * peers' programs that compare_train.py runs beside it.
 *
 *   train_bench [--net NAME,NAME] [--threads N] [--batch N] [--seconds S] [--infer-seconds S] [--layers]
 *
 * The input stands ready in memory, so that nothing but the network is timed: four batches of standard
 * normal numbers with random labels take turns. A step is forward in training mode, mean softmax cross-entropy, backward to
 * all weights, and SGD of rate 0.01 with momentum 0.9. Inference is vg_model_infer: the logits alone. Prints one JSON line for each network, with
 * the roof: multiply-adds in registers on the same threads. */
#include "cli.h"

#include "base/alloc.h"
#include "base/clock.h"
#include "base/rng.h"
#include "base/threads.h"
#include "base/usage.h"
#include "nn/kernels/blas.h"
#include "nn/kernels/peak.h"
#include "nn/loss.h"
#include "nn/model.h"
#include "optim/optimizer.h"

#include <errno.h>
#include <getopt.h>
#include <omp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

enum { BATCHES = 4 };

typedef struct net {
    const char *name, *preset;
    int channels, side, classes, batch;
} net;

static const net nets[] = {
    {"lenet-mnist", "lenet", 1, 28, 10, 64},
    {"small-cifar", "small-cifar", 3, 32, 10, 64},
    {"book-150", "book", 3, 150, 2, 32},
    {"resnet20-cifar", "resnet20", 3, 32, 10, 128},
    {"vgg-small", "vgg-small", 3, 32, 10, 128},
    {"resnet18-224", "resnet18", 3, 224, 1000, 32},
    {"speedrun-cifar", "speedrun", 3, 32, 10, 1024},
};
enum { NETS = sizeof nets / sizeof *nets, PEERS_NETS = 6 /* the peers have these */ };

typedef struct settings {
    bool wanted[NETS];
    int threads, batch;
    double seconds, infer_seconds;
    bool layers;
} settings;

typedef struct trainer {
    vg_model *model;
    vg_optimizer *optimizer;
    int batch, classes;
    float *inputs[BATCHES];
    int32_t *labels[BATCHES];
    float *dlogits;
    uint64_t steps;
} trainer;

/* ---- one network */

static void trainer_reset(trainer *t)
{
    vg_optimizer_free(t->optimizer);
    vg_model_free(t->model);
    for (int i = 0; i < BATCHES; i++) {
        free(t->inputs[i]);
        free(t->labels[i]);
    }
    free(t->dlogits);
}

static vg_status make_inputs(trainer *t, const net *n, vg_error *err)
{
    size_t values = (size_t)n->channels * (size_t)n->side * (size_t)n->side * (size_t)t->batch;
    for (int i = 0; i < BATCHES; i++) {
        t->inputs[i] = vg_alloc_aligned(values, sizeof **t->inputs);
        t->labels[i] = vg_alloc((size_t)t->batch, sizeof **t->labels);
        if (!t->inputs[i] || !t->labels[i])
            return vg_fail(err, VG_E_NOMEM, "out of memory for a batch of %d", t->batch);
        vg_rng rng = vg_rng_make(1, 0, (uint64_t)i, VG_RNG_SAMPLE_DATA);
        for (size_t k = 0; k < values; k++)
            t->inputs[i][k] = (float)vg_rng_normal(&rng);
        for (int k = 0; k < t->batch; k++)
            t->labels[i][k] = (int32_t)vg_rng_below(&rng, (uint64_t)n->classes);
    }
    t->dlogits = vg_alloc_aligned((size_t)t->batch * (size_t)n->classes, sizeof *t->dlogits);
    return t->dlogits ? VG_OK
                      : vg_fail(err, VG_E_NOMEM, "out of memory for a batch of %d", t->batch);
}

static vg_status trainer_init(trainer *t, const net *n, int batch, vg_error *err)
{
    *t = (trainer){.batch = batch, .classes = n->classes};
    vg_net_spec spec;
    vg_model_options options = {.channels = n->channels,
                                .height = n->side,
                                .width = n->side,
                                .classes = n->classes,
                                .max_batch = batch,
                                .init = VG_INIT_HE_NORMAL,
                                .seed = 1};
    vg_status status = vg_net_spec_preset(n->preset, &spec, err);
    if (status)
        return status;
    status = vg_model_new(&spec, &options, &t->model, err);
    vg_net_spec_reset(&spec);
    vg_optimizer_options sgd = vg_optimizer_options_default();
    sgd.kind = VG_OPTIMIZER_SGD;
    sgd.momentum = 0.9;
    sgd.nesterov = false;
    sgd.weight_decay = sgd.clip_norm = sgd.clip_value = 0;
    if (!status)
        status = vg_optimizer_new(t->model, &sgd, &t->optimizer, err);
    return status ? status : make_inputs(t, n, err);
}

static void train_step(trainer *t, int i)
{
    const float *x = t->inputs[i % BATCHES];
    const float *logits = vg_model_forward(t->model, x, t->batch, true, t->steps++);
    vg_softmax_cross_entropy(logits, t->labels[i % BATCHES], t->batch, t->classes, NULL,
                             t->dlogits);
    vg_model_backward(t->model, t->dlogits, NULL);
    vg_optimizer_step(t->optimizer, 0.01);
}

static void infer(trainer *t, int i)
{
    vg_model_infer(t->model, t->inputs[i % BATCHES], t->batch);
}

typedef struct timing {
    double images_per_s, warm_up, others;
} timing;

/* Over at least three calls and so many seconds, after four that are not counted. */
static timing timed(trainer *t, void (*call)(trainer *, int), double seconds)
{
    timing result = {0};
    double start = vg_clock();
    call(t, 0);
    call(t, 1);
    result.warm_up = vg_clock() - start;
    call(t, 0);
    call(t, 1);
    vg_usage before = vg_usage_now();
    int calls = 0;
    start = vg_clock();
    while (calls < 3 || vg_clock() - start < seconds)
        call(t, calls++);
    result.images_per_s = (double)calls * t->batch / (vg_clock() - start);
    result.others = vg_usage_others_since(&before);
    return result;
}

/* Multiply-adds of convolutions and dense layers alone, as everybody counts them here. */
static double train_flop(const vg_model *model)
{
    double macs = 0;
    for (int i = 0; i < vg_model_layers(model); i++) {
        const vg_layer_info *layer = vg_model_layer(model, i);
        if (layer->kind == VG_LAYER_CONV || layer->kind == VG_LAYER_DENSE)
            macs += (double)layer->macs;
    }
    return 3 * 2 * macs;
}

static void print(const net *n, const trainer *t, const settings *s, timing train, timing inference,
                  const vg_peak *peak)
{
    double gflop = train.images_per_s * train_flop(t->model) * 1e-9;
    printf(
        "{\"peer\": \"variegate\", \"variant\": \"default\", \"net\": \"%s\", \"batch\": %d, "
        "\"threads\": %d, \"train_images_per_s\": %.1f, \"infer_images_per_s\": %.1f, "
        "\"versions\": {\"variegate\": \"%s\", \"compiler\": \"%s\"}, \"train_gflop_per_s\": %.2f, "
        "\"warm_up_s\": %.2f, \"others\": %.3f, \"parameters\": %zu, "
        "\"peak_gflop_per_s\": %.1f, \"share_of_peak\": %.4f, "
        "\"settings\": {\"peak\": \"%s\", \"blas_core\": \"%s\"}, \"preload\": \"\"}\n",
        n->name, t->batch, s->threads, train.images_per_s, inference.images_per_s, VG_VERSION,
        __VERSION__, gflop, train.warm_up, train.others, vg_model_parameter_count(t->model),
        peak->flop_per_s * 1e-9, peak->flop_per_s > 0 ? gflop * 1e9 / peak->flop_per_s : 0,
        vg_peak_name(peak), vg_blas_core());
    fflush(stdout);
}

/* A few more steps with the clocks of the layers going, as a table on stderr. */
static void print_layers(const net *n, trainer *t, const settings *s, const vg_peak *peak)
{
    enum { STEPS = 5 };
    double start, took, team = s->threads < VG_MODEL_SHARDS ? s->threads : VG_MODEL_SHARDS;
    vg_model_clock(t->model, true);
    start = vg_clock();
    for (int i = 0; i < STEPS; i++)
        train_step(t, i);
    took = vg_clock() - start;
    vg_model_clock(t->model, false);
    fprintf(stderr, "%s: %.3f ms a step\n", n->name, 1e3 * took / STEPS);
    for (int i = 0; i < vg_model_layers(t->model); i++) {
        const vg_layer_info *layer = vg_model_layer(t->model, i);
        vg_layer_clock c = vg_model_clock_of(t->model, i);
        bool counts = layer->kind == VG_LAYER_CONV || layer->kind == VG_LAYER_DENSE;
        double forward = c.forward / team / STEPS, backward = c.backward / team / STEPS;
        double flop = counts ? 2.0 * t->batch * (double)layer->macs : 0, back = i ? 2 * flop : flop;
        fprintf(stderr, "  %-18s %4dx%3dx%3d %9.3f %9.3f ms %5.1f %%", layer->name, layer->channels,
                layer->height, layer->width, 1e3 * forward, 1e3 * backward,
                100 * (forward + backward) * STEPS / took);
        if (counts)
            fprintf(stderr, "   %6.1f %6.1f GFLOP/s = %3.0f %% %3.0f %% of the peak",
                    1e-9 * flop / forward, 1e-9 * back / backward,
                    100 * flop / forward / peak->flop_per_s,
                    100 * back / backward / peak->flop_per_s);
        fputc('\n', stderr);
    }
}

static vg_status measure(const net *n, const settings *s, vg_error *err)
{
    trainer t;
    vg_status status = trainer_init(&t, n, s->batch ? s->batch : n->batch, err);
    if (!status) {
        vg_peak peak = vg_peak_measure(VG_SIMD_AVX512, s->threads, 0.3);
        timing train = timed(&t, train_step, s->seconds);
        timing inference = timed(&t, infer, s->infer_seconds);
        print(n, &t, s, train, inference, &peak);
        if (s->layers)
            print_layers(n, &t, s, &peak);
    }
    trainer_reset(&t);
    return status;
}

/* ---- the command line */

static int usage_error(const char *why)
{
    fprintf(stderr,
            "train_bench: %s\nusage: train_bench [--net NAME,NAME] [--threads N] [--batch N] "
            "[--seconds S] [--infer-seconds S] [--layers]\nnetworks: ",
            why);
    for (int i = 0; i < NETS; i++)
        fprintf(stderr, "%s%s", nets[i].name, i + 1 < NETS ? ", " : "; all: the first six\n");
    return 2;
}

static bool number(const char *text, double low, double high, double *value)
{
    char *end;
    errno = 0;
    *value = strtod(text, &end);
    return end != text && !*end && errno == 0 && *value >= low && *value <= high;
}

static bool choose(const char *text, settings *s)
{
    memset(s->wanted, 0, sizeof s->wanted);
    while (*text) {
        size_t length = strcspn(text, ",");
        bool known = false;
        for (int i = 0; i < NETS; i++) {
            bool all = length == 3 && strncmp(text, "all", 3) == 0 && i < PEERS_NETS;
            if (all || (strlen(nets[i].name) == length && !strncmp(text, nets[i].name, length)))
                known = s->wanted[i] = true;
        }
        if (!known)
            return false;
        text += length + (text[length] == ',');
    }
    return true;
}

int main(int argc, char **argv)
{
    static const struct option table[] = {{"net", required_argument, NULL, 'n'},
                                          {"threads", required_argument, NULL, 't'},
                                          {"batch", required_argument, NULL, 'b'},
                                          {"seconds", required_argument, NULL, 's'},
                                          {"infer-seconds", required_argument, NULL, 'i'},
                                          {"layers", no_argument, NULL, 'l'},
                                          {NULL, 0, NULL, 0}};
    vg_cli_fast_blas(argv);
    settings s = {.seconds = 3, .infer_seconds = 1.5};
    double threads = vg_threads_available(), batch = 0;
    choose("all", &s);
    int found;
    while ((found = getopt_long(argc, argv, "", table, NULL)) != -1) {
        bool fine = found == 'n'   ? choose(optarg, &s)
                    : found == 't' ? number(optarg, 1, 1024, &threads)
                    : found == 'b' ? number(optarg, 1, 65536, &batch)
                    : found == 's' ? number(optarg, 0, 1e6, &s.seconds)
                    : found == 'i' ? number(optarg, 0, 1e6, &s.infer_seconds)
                    : found == 'l' ? (s.layers = true)
                                   : false;
        if (!fine)
            return usage_error("an option is unknown or has a wrong value");
    }
    if (optind != argc)
        return usage_error("no operand expected");
    s.threads = (int)threads;
    s.batch = (int)batch;
    omp_set_num_threads(s.threads);
    vg_error err = {0};
    for (int i = 0; i < NETS; i++) {
        if (s.wanted[i] && measure(&nets[i], &s, &err) != VG_OK) {
            fprintf(stderr, "train_bench: %s: %s\n", nets[i].name, err.message);
            return 1;
        }
    }
    return 0;
}
