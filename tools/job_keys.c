/* THE table of job keys: name, how it is read and printed, what it allows, what it means.
 *
 * A key is added here and nowhere else: the YAML reader, --set, the stored effective job and the
 * documentation all walk this table. How a type of value is read stands in job_values.c, values with a
 * language of their own in job_keys_data.c and job_keys_train.c. */
#include "job_values.h"

#include <float.h>
#include <string.h>

/* ---- the table */

#define INT(name, member, low, high, help)                                                         \
    {                                                                                              \
        name, vg_key_set_int, vg_key_print_int, offsetof(vg_job, member), low, high, NULL, 0,      \
            false, NULL, help                                                                      \
    }
#define COUNT(name, member, help)                                                                  \
    {                                                                                              \
        name, vg_key_set_count, vg_key_print_count, offsetof(vg_job, member), 0, 1e15, NULL, 0,    \
            false, "whole number from 0", help                                                     \
    }
#define SEED(name, member, help)                                                                   \
    {                                                                                              \
        name, vg_key_set_seed, vg_key_print_seed, offsetof(vg_job, member), 0, DBL_MAX, NULL, 0,   \
            false, NULL, help                                                                      \
    }
#define NUMBER(name, member, low, high, help)                                                      \
    {                                                                                              \
        name, vg_key_set_number, vg_key_print_number, offsetof(vg_job, member), low, high, NULL,   \
            0, false, NULL, help                                                                   \
    }
#define FLAG(name, member, help)                                                                   \
    {                                                                                              \
        name, vg_key_set_flag, vg_key_print_flag, offsetof(vg_job, member), 0, 0, NULL, 0, false,  \
            "true, false", help                                                                    \
    }
#define WORD(name, member, words, count, help)                                                     \
    {                                                                                              \
        name, vg_key_set_word, vg_key_print_word, offsetof(vg_job, member), 0, 0, words, count,    \
            false, NULL, help                                                                      \
    }
#define OWN(name, kind, low, high, allowed, help)                                                  \
    {                                                                                              \
        name, vg_key_set_##kind, vg_key_print_##kind, 0, low, high, NULL, 0, false, allowed, help  \
    }
/* OWN, and items of its value may be lists. */
#define NESTED(name, kind, allowed, help)                                                          \
    {                                                                                              \
        name, vg_key_set_##kind, vg_key_print_##kind, 0, 0, 0, NULL, 0, true, allowed, help        \
    }
#define PATH(name, member, allowed, help)                                                          \
    {                                                                                              \
        name, vg_key_set_path, vg_key_print_path, offsetof(vg_job, member), 0, 0, NULL, 0, false,  \
            allowed, help                                                                          \
    }

/* clang-format off */
static const vg_job_key keys[] = {
    PATH("dataset", dataset, "path", "folder of class folders, manifest (CSV, TSV, JSON lines), folder of IDX or CIFAR files"),
    OWN("classes", classes, 0, 0, "list of class names", "use only these, in this order; []: all"),
    OWN("limit", limit, 0, 0, "map of class name to number", "at most so many training images of a class"),
    COUNT("train_total", train_total, "at most so many training images, same share of each class; 0: all"),
    COUNT("held_out_total", held_out_total, "the same for validation and for test"),
    NUMBER("split.train", split.train_share, 0, 1, "share of training images when the dataset brings no split"),
    NUMBER("split.val", split.val_share, 0, 1, "share of validation images; the rest is the test split"),
    WORD("split.by", split.split_by, vg_key_word_split_by, 2, "what stays together when the dataset brings no split: group: series of images by their names (TRACK_FRAME, NAME_aug3, NAME (2))"),
    FLAG("coarse_labels", split.coarse_labels, "of CIFAR-100: its 20 superclasses instead of its 100 classes"),
    OWN("input.size", size, 4, 2048, "auto, N or HxW (4 to 2048)", "pixels of the network's input"),
    OWN("input.resize", framing, 0, 0, "stretch, crop, crop:SHARE, pad", "how images come to that size: all stretched; the middle of the input's shape, crop:0.875 as 256 -> 224; all with black bars"),
    OWN("input.max_shrink", shrink, 0, 0, "1, 2, 4, 8", "JPEGs much larger than the input may be decoded at 1/2, 1/4, 1/8: faster, about half a grey level off; 1: exact"),
    OWN("input.background", background, 0, 0, "black, grey, white or #rrggbb", "what lies behind transparent pixels: black drawings on transparent ground are all black over black"),
    OWN("input.channels", channels, 0, 0, "auto, 1, 3", "1: grey, 3: RGB; auto: grey if all images are"),
    NESTED("augment", policy, "a preset and key=value words; as a list or map too", "what may be done to training images; none: nothing"),
    NESTED("augment_classes", class_rules, "map of class names, or rare, to words", "changes to the policy for single classes; rare: those with fewer than half of the median class's training images"),
    NUMBER("mixup", run.mixing.mixup, 0, VG_MIXING_MOST, "MixUp of batches: alpha of the Beta distribution (0.2); 0: off"),
    NUMBER("cutmix", run.mixing.cutmix, 0, VG_MIXING_MOST, "CutMix of batches: the same (1); with both one of them for each batch"),
    NUMBER("mix_chance", run.mixing.chance, 0, 1, "share of the batches that are mixed"),
    WORD("normalize", run.normalization, vg_key_word_normalize, 11, "none: 0..255, unit: 0..1; minmax, zscore, robust (1st to 99th percentile): per channel, fitted on the training images; imagenet: its mean and deviation; image-*: each by itself; pixel-mean, pixel-zscore, zca (whitening): per pixel of the input, fitted"),
    NUMBER("zca_epsilon", run.zca_epsilon, 0, 1e6, "zca: added to the standard deviation (of 0..1 pixels) of each direction before dividing by it; less amplifies what hardly varies"),
    COUNT("normalize_images", run.fit_images, "at most so many training images are looked at to fit it, chosen by the hash of their names; 0: all"),
    OWN("normalize_from", statistics, 0, 0, "none or a file", "takes what was fitted before, from a file of --save-stats or a run's weights.safetensors, in place of normalize and zca_epsilon; refused where size, channels, resize or background differ"),
    WORD("balance.sampling", run.sampling, vg_key_word_sampling, 6, "how often classes are seen; none: as often as they are there"),
    WORD("balance.weights", run.weighting, vg_key_word_weights, 4, "loss weights of the classes, by how often they are seen"),
    NUMBER("balance.beta", run.weights_beta, 0, 1, "of weights effective: 0 weighs all classes alike, 1 inversely"),
    NUMBER("balance.weights_from", run.weights_from, 0, 1, "share of the steps before the weights begin (deferred re-weighting: 0.8)"),
    OWN("net", net, 0, 0, "a preset or a list of layers", "the network; its head is added by itself"),
    INT("whiten_bias_epochs", run.whiten_bias_epochs, 0, 1000000, "of a net that begins with a whitening layer: its bias is trained for so many epochs; 0: for all"),
    WORD("init", run.init, vg_key_word_init, VG_INITS, "initial weights"),
    NUMBER("init_scale", run.init_scale, 0, 1e6, "of init uniform, normal and constant"),
    WORD("winograd", run.winograd, vg_key_word_winograd, VG_WINOGRADS, "fewer multiplications in convolutions of 3x3 kernels, where it pays; auto errs by 1e-6 of the outputs' deviation, 2x2 by 3e-7 and gains half as much, off by 2e-7"),
    OWN("init_from", init_from, 0, 0, "none or a file", "initial weights from a safetensors file: of this program, of torchvision's ResNets and VGGs, of an nn.Sequential; a head of other classes is left out"),
    FLAG("init_partial", run.init_partial, "what does not fit of init_from keeps its initial weights, rather than ending the run"),
    OWN("freeze", freeze, 0, 0, "list of parameter patterns; body: all but the head; or none", "parameters that are not trained; frozen batch norms keep their statistics"),
    INT("freeze_epochs", run.freeze_epochs, 0, 1000000, "for so many epochs; 0: for all"),
    WORD("loss.kind", run.loss.kind, vg_key_word_loss, VG_LOSSES, "what is minimized; `loss: focal` is short for it"),
    WORD("loss.from_logits", run.loss.from_logits, vg_key_word_from_logits, VG_FROM_LOGITS_WORDS, "whether the network's outputs are logits; auto: unless it ends in the loss's softmax or sigmoid"),
    NUMBER("loss.label_smoothing", run.loss.label_smoothing, 0, 1, "share of each label that goes to all classes alike; of softmax, logit-adjusted, sigmoid and mse"),
    NUMBER("loss.gamma", run.loss.gamma, 0, 100, "of focal and sigmoid-focal: how much less what is right already counts; 0: as much"),
    NUMBER("loss.tau", run.loss.tau, -100, 100, "of logit-adjusted: logits + tau x log of the class's share"),
    NUMBER("loss.margin", run.loss.margin, 0, 1000, "of ldam: the rarest class's; the others' fall with the fourth root of their counts"),
    NUMBER("loss.scale", run.loss.scale, 1e-6, 1e6, "of ldam: factor of its margins, as the net has it for its logits: 30 behind `cosine classes, linear 30`"),
    WORD("optimizer", run.optimizer.kind, vg_key_word_optimizer, VG_OPTIMIZERS, "how weights follow gradients"),
    NUMBER("learning_rate", run.schedule.base, 1e-12, 1e6, "before the schedule; when not given 0.05 with sgd, 0.01 with adagrad, 0.02 with muon, 0.001 with the others"),
    OWN("rate", rates, 0, 0, "map of parameter pattern to factor from 0", "factors of learning_rate for parameters by name, as \"*.bn.bias\"; 0: frozen"),
    NUMBER("momentum", run.optimizer.momentum, 0, 1, "of sgd, rmsprop and muon; when not given 0.95 with muon"),
    FLAG("nesterov", run.optimizer.nesterov, "Nesterov's momentum, of sgd and muon; when not given true with muon"),
    NUMBER("beta1", run.optimizer.beta1, 0, 1, "of adam and adamw"),
    NUMBER("beta2", run.optimizer.beta2, 0, 1, "of adam, adamw and rmsprop"),
    NUMBER("epsilon", run.optimizer.epsilon, 0, 1, "of adam, adamw, rmsprop and adagrad"),
    NUMBER("weight_decay", run.optimizer.weight_decay, 0, 1e6, "L2, added to the gradient; decoupled with adamw and muon"),
    FLAG("decoupled", run.optimizer.decoupled, "weights shrink by rate x weight_decay beside the step, whatever the optimizer (SGDW)"),
    NUMBER("l1", run.optimizer.l1, 0, 1e6, "l1 x sign of the weight is added to the gradient"),
    OWN("decay", decays, 0, 0, "weights, all, or map of parameter pattern to factor from 0", "what weight_decay and l1 hold for; weights: of conv and dense layers"),
    WORD("muon_scale", run.optimizer.muon_scale, vg_key_word_muon_scale, VG_MUON_SCALES, "length of muon's step; shape: the original, rms: as adamw's, sphere: on weights of fixed norm"),
    INT("muon_steps", run.optimizer.muon_steps, 1, 100, "of muon's Newton-Schulz iteration"),
    WORD("muon_others", run.optimizer.muon_others, vg_key_word_muon_others, VG_MUON_OTHERS, "what moves biases, norms and the head under muon ..."),
    NUMBER("muon_others_rate", run.optimizer.muon_others_rate, 0, 1e6, "... with this factor of learning_rate"),
    INT("lookahead", run.optimizer.lookahead, 0, 1000000, "every so many steps slow weights go a part of the way to the fast ones, which go on from there; 0: never"),
    NUMBER("lookahead_alpha", run.optimizer.lookahead_alpha, 1e-6, 1, "that part"),
    NUMBER("lookahead_ramp", run.optimizer.lookahead_ramp, 0, 100, "above 0: the part falls from 1 to lookahead_alpha, by this power of the steps done"),
    NUMBER("ema", run.optimizer.ema, 0, 0.9999999, "decay of a running mean of the weights, which is what is measured and stored; 0: none"),
    NUMBER("clip_norm", run.optimizer.clip_norm, 0, DBL_MAX, "limit of the gradient's norm; 0: none; when not given 2 with sgd, 0 with the others"),
    NUMBER("clip_value", run.optimizer.clip_value, 0, DBL_MAX, "limit of each of its values, after clip_norm; 0: none"),
    WORD("schedule", run.schedule.kind, vg_key_word_schedule, VG_SCHEDULES, "of the learning rate"),
    NUMBER("warmup", run.schedule.warmup_share, 0, 1, "share of all steps in which the rate rises from 0"),
    NUMBER("step_share", run.schedule.step_share, 1e-6, 1, "schedule step: every so large a share of all steps ..."),
    NUMBER("step_factor", run.schedule.step_factor, 0, 1, "... the rate is multiplied by this"),
    NUMBER("final_factor", run.schedule.final_factor, 0, 1, "where the schedule ends (cyclical: its lowest rate), as a factor of learning_rate; exponential: 0 counts as 0.01"),
    NUMBER("power", run.schedule.power, 0.01, 100, "schedule polynomial; 1: a straight line"),
    NUMBER("cycles", run.schedule.cycles, 1, 1e6, "schedules cyclical and restarts: so many triangles, or cosines, in the training"),
    NUMBER("rise_share", run.schedule.rise_share, 0.001, 0.999, "schedules one-cycle and triangle: share of the steps that rises ..."),
    NUMBER("start_factor", run.schedule.start_factor, 1e-6, 1, "... from learning_rate times this; set warmup=0 with it"),
    WORD("plateau.measure", run.plateau_by, vg_key_word_watch, VG_WATCHES, "schedule plateau: the rate falls when this gets no better from epoch to epoch ..."),
    NUMBER("plateau.factor", run.plateau.factor, 1e-9, 0.99, "... to itself times this ..."),
    INT("plateau.patience", run.plateau.patience, 0, 1000000, "... after more than so many such epochs (PyTorch's default is 10)"),
    NUMBER("plateau.threshold", run.plateau.threshold, 0, 1e6, "what counts as better: by more than this share of the best value"),
    FLAG("plateau.absolute", run.plateau.absolute, "by more than this, as a difference"),
    INT("plateau.cooldown", run.plateau.cooldown, 0, 1000000, "epochs after a fall in which nothing is counted"),
    NUMBER("plateau.lowest", run.plateau.lowest, 0, 1e6, "rate below which it does not fall"),
    WORD("early_stopping.measure", run.stop_by, vg_key_word_watch, VG_WATCHES, "ends the training when this was no better than its best ..."),
    INT("early_stopping.patience", run.stop_patience, 0, 1000000, "... for so many epochs; 0: never"),
    NUMBER("early_stopping.min_delta", run.stop_min_delta, 0, 1e6, "better means by more than this"),
    WORD("best", run.best_by, vg_key_word_watch, VG_WATCHES + 1, "what makes an epoch the best one, whose weights are kept as best.safetensors; none: not kept"),
    INT("accumulate", run.accumulate, 1, 65536, "batches whose gradients make one step of the optimizer, as one batch so many times as large would"),
    INT("epochs", run.epochs, 1, 1000000, "passes over the training images"),
    INT("batch", run.batch, 1, 65536, "images in a step"),
    SEED("seed", run.seed, "of weights, order, augmentation and selection"),
    SEED("order_seed", run.order_seed, "another order and augmentation with the same initial weights; 0: none"),
    INT("threads", run.threads, 0, 1024, "0: all CPUs; results do not depend on it"),
    COUNT("probe", run.probe, "held-out images that are measured after every epoch, at most"),
    WORD("test_views", run.test_views, vg_key_word_test_views, VG_TEST_VIEWS_COUNT, "views of each held-out image that are averaged in the measurement at the end; mirror: 2; shifted: 6, mirrored and shifted by one pixel"),
    WORD("on_error", run.on_error, vg_key_word_on_error, 3, "a file that cannot be decoded: skip it (another of its class stands in), fail, or repair: use what is whole of it"),
    NUMBER("min_intact", run.min_intact, 0, 1, "on_error repair: share of a damaged image that must be whole, else it is skipped"),
    NUMBER("max_bad", run.max_bad_share, 0, 1, "share of the images, rounded up, that may be skipped; more end the run"),
    { "max_pixels", vg_key_set_count, vg_key_print_count, offsetof(vg_job, run.max_pixels), 1, 1e15, NULL, 0, false, "whole number from 1", "a larger image is not decoded (it counts as bad)" },
    INT("max_scans", run.max_scans, 1, 1000000, "nor a progressive JPEG of more scans (a known way to stall a decoder)"),
    OWN("cache", cache, 0, 0, "none, ram, ram:SIZE, FILE or FILE:SIZE", "keeps decoded images: in memory, or in a file that later runs use too; results do not depend on it"),
    OWN("checkpoint_every", every, 0, 0, "none, N steps or N minutes", "how often what --resume needs is written within an epoch; results do not depend on it"),
    OWN("compare.changes", changes, 0, 0, "list of normalize, rebalance, augment, nothing; or all, none", "data changes to judge by paired trainings"),
    INT("compare.seeds", compare.seeds, 1, 1000, "pairs of trainings per change"),
    SEED("compare.first_seed", compare.first_seed, "the others follow it; as seed when not given"),
    NESTED("sweep.keys", sweep, "map of key to LOW .. HIGH [log] [whole] or a | b | c", "settings to search; trained with --sweep or from a job that has them"),
    WORD("sweep.method", sweep.method, vg_key_word_search, VG_SEARCH_METHODS, "what is tried next: by a model of what was found (tpe), at random, or all combinations"),
    INT("sweep.trials", sweep.trials, 1, 100000, "trials at most"),
    NUMBER("sweep.minutes", sweep.minutes, 0, 1e6, "minutes of training after which no further trial begins; 0: no limit"),
    WORD("sweep.objective", sweep.objective, vg_key_word_watch, VG_WATCH_TRAIN_LOSS, "what decides, on all held-out images"),
    WORD("sweep.give_up", sweep.give_up, vg_key_word_giving_up, VG_GIVING_UPS, "ends bad trials early: below the median of the others, or outside of the best third after a ninth and a third of the epochs"),
    INT("sweep.confirm", sweep.confirm, 0, 20, "the best so many are trained again with other seeds ..."),
    INT("sweep.seeds", sweep.seeds, 0, 20, "... so many, which alone decide who wins"),
    PATH("out", out, "path", "run folder; a new one below runs/ when not given"),
};
/* clang-format on */

const vg_job_key *vg_job_keys(size_t *count)
{
    *count = sizeof keys / sizeof *keys;
    return keys;
}

const vg_job_key *vg_job_key_find(const char *name)
{
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
        if (strcmp(keys[i].name, name) == 0)
            return &keys[i];
    return NULL;
}
