/* Tests of tools/job.h: values through YAML and through key=value, errors with their place, and the
 * promise that a printed job reads back as the same job. */
#include "test.h"

#include "job.h"
#include "job_keys.h"

static vg_error err;

static vg_status read_text(vg_job *job, const char *text)
{
    err = (vg_error){0};
    return vg_job_read(job, text, strlen(text), "job.yaml", "some/folder", &err);
}

static void fresh(vg_job *job)
{
    assert_ok(vg_job_init(job, &err));
}

static void test_defaults(void **state)
{
    (void)state;
    vg_job job;
    fresh(&job);
    assert_int_equal(job.run.normalization, VG_NORMALIZE_ZSCORE);
    assert_int_equal(job.run.sampling, VG_SAMPLING_BALANCED);
    assert_false(vg_policy_is_none(&job.run.policy));
    assert_int_equal(job.compare.change_count, 0);
    assert_true(job.run.net.count > 0);
    vg_job_reset(&job);
}

static void test_yaml(void **state)
{
    (void)state;
    vg_job job;
    fresh(&job);
    assert_ok(read_text(&job, "dataset: pets\n"
                              "classes: [no, \"01\", a b]\n"
                              "limit: {no: 1990, '01': 10}\n"
                              "split:\n  train: 0.8\n  val: 0.1\n  by: group\n"
                              "input.size: 32x48\n"
                              "augment: rotate=20 shift=0.2\n"
                              "normalize: none\n"
                              "balance: {sampling: none, weights: sqrt}\n"
                              "net: [conv 8 k5, relu, maxpool 2, dense 32]\n"
                              "learning_rate: 1e-3\nnesterov: yes\n"
                              "seed: 18446744073709551615\n"
                              "compare:\n  changes: [augment, nothing]\n  seeds: 4\n"));
    assert_string_equal(job.dataset, "some/folder/pets");
    assert_int_equal(job.class_count, 3);
    assert_string_equal(job.classes[0], "no");
    assert_string_equal(job.classes[1], "01");
    assert_string_equal(job.classes[2], "a b");
    assert_int_equal(job.limit_count, 2);
    assert_string_equal(job.limit_classes[1], "01");
    assert_int_equal(job.limits[0], 1990);
    assert_near(job.split.train_share, 0.8, 0);
    assert_int_equal(job.split.split_by, VG_SPLIT_BY_GROUP);
    assert_int_equal(job.run.height, 32);
    assert_int_equal(job.run.width, 48);
    assert_near(job.run.policy.rotate_deg, 20, 0);
    assert_int_equal(job.run.normalization, VG_NORMALIZE_NONE);
    assert_int_equal(job.run.sampling, VG_SAMPLING_SHUFFLE);
    assert_int_equal(job.run.weighting, VG_WEIGHTING_SQRT);
    assert_int_equal(job.run.net.count, 4);
    assert_near(job.run.schedule.base, 1e-3, 0);
    assert_true(job.run.optimizer.nesterov);
    assert_true(job.run.seed == UINT64_MAX);
    assert_int_equal(job.compare.change_count, 2);
    assert_int_equal(job.compare.changes[1], VG_CHANGE_NOTHING);
    vg_selection selection = vg_job_selection(&job);
    assert_int_equal(selection.class_count, 3);
    assert_int_equal(selection.limit_count, 2);
    assert_ok(vg_job_finish(&job, &err));
    assert_true(job.compare.first_seed == UINT64_MAX); /* follows the seed */
    vg_job_reset(&job);
}

static void test_assignments(void **state)
{
    (void)state;
    vg_job job;
    fresh(&job);
    assert_ok(vg_job_set(&job, "classes=0,3", "--set", &err));
    assert_int_equal(job.class_count, 2);
    assert_string_equal(job.classes[1], "3");
    assert_ok(vg_job_set(&job, "limit=0:1990, a:b:10", "--set", &err));
    assert_string_equal(job.limit_classes[0], "0");
    assert_string_equal(job.limit_classes[1], "a:b"); /* the last colon counts */
    assert_int_equal(job.limits[1], 10);
    assert_ok(vg_job_set(&job, "limit={x: 5}", "--set", &err));
    assert_int_equal(job.limit_count, 1);
    assert_ok(vg_job_set(&job, "classes=[]", "--set", &err));
    assert_int_equal(job.class_count, 0);
    assert_ok(vg_job_set(&job, "net=conv 8 k3, relu, globalpool", "--set", &err));
    assert_int_equal(job.run.net.count, 3);
    assert_ok(vg_job_set(&job, "net=plain", "--set", &err));
    assert_string_equal(job.run.net.name, "plain");
    assert_ok(vg_job_set(&job, "input.size=28", "--set", &err));
    assert_int_equal(job.run.width, 28);
    assert_ok(vg_job_set(&job, "input.size=auto", "--set", &err));
    assert_int_equal(job.run.width, 0);
    assert_ok(vg_job_set(&job, "input.channels=3", "--set", &err));
    assert_int_equal(job.run.channels, 3);
    assert_int_equal(job.split.background, VG_BACKGROUND_BLACK);
    assert_ok(vg_job_set(&job, "input.background='#0a0b0c'", "--set", &err));
    assert_int_equal(job.split.background, 0x0a0b0c);
    assert_int_equal(vg_job_set(&job, "input.background=blak", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"black\"");
    assert_ok(vg_job_set(&job, "augment=none", "--set", &err));
    assert_true(vg_policy_is_none(&job.run.policy));
    assert_ok(vg_job_set(&job, "compare.changes=all", "--set", &err));
    assert_int_equal(job.compare.change_count, 3);
    assert_ok(vg_job_set(&job, "compare.first_seed=9", "--set", &err));
    assert_ok(vg_job_finish(&job, &err));
    assert_int_equal(job.compare.first_seed, 9);
    vg_job_reset(&job);
}

typedef struct mistake {
    const char *text, *message;
} mistake;

static void test_yaml_errors(void **state)
{
    (void)state;
    static const mistake mistakes[] = {
        {"epochs: 3\nlearing_rate: 1\n",
         "job.yaml:2:1: unknown key \"learing_rate\"; did you mean \"learning_rate\"?"},
        {"balance:\n  sampling: none\n  wieghts: none\n",
         "job.yaml:3:3: unknown key \"balance.wieghts\"; did you mean \"balance.weights\"?"},
        {"sampling: none\n",
         "job.yaml:1:1: unknown key \"sampling\"; did you mean \"balance.sampling\"?"},
        {"checkpoint_every: 5\n", "found \"5\", allowed: none, N steps or N minutes"},
        {"checkpoint_every: 2.5 steps\n", "allowed: none, N steps or N minutes"},
        {"checkpoint_every: -1 minutes\n", "allowed: none, N steps or N minutes"},
        {"checkpoint_every: [5 steps]\n", "allowed: none, N steps or N minutes"},
        {"best: worst\n", "balanced_accuracy"},
        {"freeze: {a: 0}\n", "allowed: list of parameter patterns"},
        {"freeze: [\"\"]\n", "must have 1 to 63 characters"},
        {"init_from: []\n", "allowed: none or a file"},
        {"early_stopping: {measure: none}\n", "found \"none\""},
        {"plateau: {factor: 1}\n", "from 1e-09 to 0.99"},
        {"accumulate: 0\n", "whole number from 1 to 65536"},
        {"qqqqqqqqqq: 1\n", "unknown key \"qqqqqqqqqq\" (docs/jobs.md lists all)"},
        {"epochs: many\n",
         "job.yaml:1:9: epochs: found \"many\", allowed: whole number from 1 to 1000000"},
        {"epochs: 0\n", "job.yaml:1:9: epochs: found \"0\""},
        {"epochs: [1]\n", "job.yaml:1:9: epochs: found a list"},
        {"learning_rate: nan\n", "learning_rate: found \"nan\""},
        {"split: {train: 1.5}\n", "job.yaml:1:16: split.train: found \"1.5\", allowed: number from "
                                  "0 to 1"},
        {"split: 0.5\n", "job.yaml:1:1: \"split\" needs keys of its own"},
        {"epochs: 1\nepochs: 2\n", "job.yaml:2:1: \"epochs\" is given twice (first in line 1)"},
        {"split: {train: 0.5}\nsplit.train: 0.6\n", "\"split.train\" is given twice"},
        {"schedule: linear\n", "found \"linear\", allowed: constant, step, cosine"},
        {"nesterov: maybe\n", "found \"maybe\", allowed: true, false"},
        {"seed: -1\n", "seed: found \"-1\""},
        {"seed: 18446744073709551616\n", "seed: found \"18446744073709551616\""},
        {"input.size: 32x\n", "found \"32x\", allowed: auto, N or HxW"},
        {"input.channels: 2\n", "found \"2\", allowed: auto, 1, 3"},
        {"classes: [a]\n", "job.yaml:1:11: classes: found only \"a\""},
        {"limit: {a: x}\n", "job.yaml:1:12: limit: found \"x\" for class \"a\""},
        {"limit: [a]\n", "limit: found a list"},
        {"limit: {a: [1]}\n", "job.yaml:1:12: found a list or map inside"},
        {"net: [conv 8 k3, blur 3]\n", "job.yaml:1:18: net: "},
        {"net: []\n", "net: found an empty list"},
        {"net: smal-cnn\n", "small-cnn"},
        {"augment: rotat=3\n", "job.yaml:1:10: augment: "},
        {"augment: [light,\n  rotat=3]\n", "job.yaml:2:3: augment: policy: unknown key \"rotat\""},
        {"augment: [light, [rotate=3]]\n", "job.yaml:1:18: augment: found a list, allowed in"},
        {"augment: {rotate: [3]}\n", "job.yaml:1:19: augment: found a list for rotate"},
        {"augment: {rotate: 20, shear: much}\n", "job.yaml:1:30: augment: policy: shear=much"},
        {"augment: {one_of: [blur=2, gray]}\n", "job.yaml:1:19: augment: policy: unknown op"},
        {"augment: {one_of: [[blur=2]]}\n", "job.yaml:1:20: found a list or map inside"},
        {"augment: {preset: ligth}\n", "did you mean \"light\""},
        {"augment: mixup=0.2\n", "it is a key of the job (mixup: ...)"},
        {"augment_classes: {cat: roate=3}\n", "job.yaml:1:24: augment_classes: policy: "},
        {"augment_classes: [cat]\n", "job.yaml:1:19: augment_classes: found \"cat\", expected"},
        {"augment_classes: {cat: {a: 1}}\n", "job.yaml:1:24: found a list or map inside"},
        {"mixup: -1\n", "mixup: found \"-1\", allowed: number from 0 to 100"},
        {"mix_chance: 2\n", "allowed: number from 0 to 1"},
        {"compare: {changes: [augment, augment]}\n", "\"augment\" stands there twice"},
        {"compare: {changes: [bleach]}\n", "job.yaml:1:21: compare.changes: "},
        {"- a\n", "job.yaml:1:1: expected a map of keys"},
        {"[a]: 1\n", "found a list or map as a key"},
        {"a: [1\n", "not YAML: "},
        {"dataset: [x]\n", "dataset: found a list"},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        vg_job job;
        fresh(&job);
        vg_status status = read_text(&job, mistakes[i].text);
        if (status == VG_OK)
            fail_msg("accepted: %s", mistakes[i].text);
        assert_contains(err.message, mistakes[i].message);
        vg_job_reset(&job);
    }
}

static void test_assignment_errors(void **state)
{
    (void)state;
    static const mistake mistakes[] = {
        {"epochs", "--set: found \"epochs\", expected key=value"},
        {"epoch=3", "--set: unknown key \"epoch\"; did you mean \"epochs\"?"},
        {"epochs=3.5", "--set: epochs: found \"3.5\""},
        {"limit=a", "found \"a\", expected name:number"},
        {"limit={a: 1", "not YAML"},
        {"dataset=", "dataset: found \"\""},
    };
    for (size_t i = 0; i < sizeof mistakes / sizeof *mistakes; i++) {
        vg_job job;
        fresh(&job);
        assert_true(vg_job_set(&job, mistakes[i].text, "--set", &err) != VG_OK);
        assert_contains(err.message, mistakes[i].message);
        vg_job_reset(&job);
    }
    vg_job job;
    fresh(&job);
    assert_ok(read_text(&job, "split: {train: 0.8, val: 0.3}\n"));
    assert_int_equal(vg_job_finish(&job, &err), VG_E_ARG);
    assert_contains(err.message, "together they may be 1 at most");
    assert_ok(read_text(&job, "split: {train: 0}\n"));
    assert_int_equal(vg_job_finish(&job, &err), VG_E_ARG);
    assert_contains(err.message, "nothing would be left to train on");
    vg_job_reset(&job);
}

static char *printed(const vg_job *job)
{
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    vg_job_print(job, out);
    fclose(out);
    return text;
}

/* What is printed gives the same job again, whatever was set. */
/* One line, a list and a map say the same. */
static void test_policies_as_lists_and_maps(void **state)
{
    (void)state;
    static const struct {
        const char *yaml, *line;
    } same[] = {
        {"augment: [light, \"blur=2@0.3\"]\n", "light blur=2@0.3"},
        {"augment: []\n", "none"},
        {"augment:\n  - rotate=5 noise=1\n  - one_of(grey|equalize)@0.5\n",
         "rotate=5 noise=1 one_of(grey|equalize)@0.5"},
        {"augment: {rotate: 20, preset: light, zoom: 0.7:1.2}\n", "light rotate=20 zoom=0.7:1.2"},
        {"augment:\n  one_of@0.5: [grey, blur=2, sharpness=0.5]\n  some_of: [2, hue=0.1, iso=3, "
         "jpeg=30:80]\n  blur: 2@0.3\n  grey: \"@0.1\"\n  trivialaugment:\n",
         "trivialaugment one_of(grey|blur=2|sharpness=0.5)@0.5 some_of(2:hue=0.1|iso=3|jpeg=30:80) "
         "blur=2@0.3 grey@0.1"},
        {"augment: {one_of: grey|blur=2, flip: h}\n", "flip=h one_of(grey|blur=2)"},
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        vg_job job;
        vg_policy policy;
        char a[VG_POLICY_TEXT], b[VG_POLICY_TEXT];
        fresh(&job);
        assert_ok(read_text(&job, same[i].yaml));
        assert_ok(vg_policy_parse(same[i].line, &policy, &err));
        vg_policy_print(&job.run.policy, a, sizeof a);
        vg_policy_print(&policy, b, sizeof b);
        assert_string_equal(a, b);
        vg_job_reset(&job);
    }
}

static void test_policies_of_classes(void **state)
{
    (void)state;
    static const char *const same[] = {
        "augment_classes={\"6,9\": flip=none rotate=5, rare: [heavy, noise=1]}",
        "augment_classes=[\"6,9=flip=none rotate=5\", rare=heavy noise=1]",
        "augment_classes=6,9 = flip=none rotate=5; rare=heavy noise=1",
    };
    for (size_t i = 0; i < sizeof same / sizeof *same; i++) {
        vg_job job;
        fresh(&job);
        assert_ok(vg_job_set(&job, same[i], "--set", &err));
        const vg_class_rules *rules = &job.run.class_rules;
        assert_int_equal(rules->count, 2);
        assert_string_equal(rules->rules[0].classes, "6,9");
        assert_string_equal(rules->rules[0].words, "flip=none rotate=5");
        assert_string_equal(rules->rules[1].classes, "rare");
        assert_string_equal(rules->rules[1].words, "heavy noise=1");
        assert_int_equal(vg_job_set(&job, "augment_classes=6=lihgt", "--set", &err), VG_E_ARG);
        assert_int_equal(rules->count, 2); /* as it was */
        assert_ok(
            vg_job_set(&job, i ? "augment_classes=none" : "augment_classes={}", "--set", &err));
        assert_int_equal(rules->count, 0);
        vg_job_reset(&job);
    }
}

/* What decides the result stands in a job's identity, what does not stays out. */
static void test_identity(void **state)
{
    (void)state;
    static const struct {
        const char *set;
        bool same;
    } cases[] = {
        {"threads=3", true},        {"cache=ram", true}, {"checkpoint_every=none", true},
        {"dataset=other", true},    {"batch=7", false},  {"plateau.patience=1", false},
        {"best=loss", false},       {"seed=9", false},   {"compare.changes=augment", false},
        {"held_out_total=5", false}};
    vg_job job;
    fresh(&job);
    char *before = vg_job_identity(&job, "1"), *version = vg_job_identity(&job, "2");
    assert_string_not_equal(before, version);
    assert_contains(before, "learning_rate: 0.05\n");
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_job other;
        fresh(&other);
        assert_ok(vg_job_set(&other, cases[i].set, "--set", &err));
        char *after = vg_job_identity(&other, "1");
        assert_true((strcmp(before, after) == 0) == cases[i].same);
        free(after);
        vg_job_reset(&other);
    }
    free(before);
    free(version);
    vg_job_reset(&job);
}

static void test_round_trip(void **state)
{
    (void)state;
    static const char *const set[] = {
        "dataset=/no/such folder: \"x\" # y",
        "classes=[\"a, b\", 'c: d', \"e#f\", \"- g\", \"\\\"q\\\"\", \"käse\"]",
        "limit={\"a, b\": 3, \"käse\": 5}",
        "learning_rate=0.1",
        "weight_decay=1e-17",
        "momentum=0.30000000000000004",
        "net=[conv 8 k5 s2 p1 nobias, bn, relu, dropout 0.25, flatten, dense 16]",
        "augment=rotate=15 flip=h fill=reflect noise=3",
        "augment_classes={\"a, b\": [rotate=5, \"blur=1@0.3\"], \"rare,käse\": heavy}",
        "mixup=0.2",
        "schedule=plateau",
        "plateau.measure=train_loss",
        "plateau.factor=0.25",
        "plateau.absolute=true",
        "early_stopping.measure=input_information",
        "early_stopping.patience=4",
        "early_stopping.min_delta=0.001",
        "best=none",
        "accumulate=3",
        "init_from=/weights/resnet18.safetensors",
        "init_partial=true",
        "freeze=[body, \"*.bn.*\"]",
        "freeze_epochs=2",
        "checkpoint_every=200 steps",
        "cutmix=1",
        "mix_chance=0.75",
        "compare.changes=nothing,augment",
        "seed=12345678901234567890",
        "on_error=fail",
        "init=xavier_uniform",
        "winograd=2x2",
    };
    vg_job job, again;
    fresh(&job);
    for (size_t i = 0; i < sizeof set / sizeof *set; i++) {
        assert_ok(vg_job_set(&job, set[i], "--set", &err));
    }
    assert_ok(vg_job_finish(&job, &err));
    char *first = printed(&job);
    fresh(&again);
    assert_ok(read_text(&again, first));
    char *second = printed(&again);
    assert_string_equal(first, second);
    assert_string_equal(again.dataset, "/no/such folder: \"x\" # y");
    assert_string_equal(again.classes[3], "- g");
    assert_int_equal(again.run.winograd, VG_WINOGRAD_SMALL);
    assert_near(again.run.optimizer.momentum, 0.30000000000000004, 0);
    free(first);
    free(second);
    vg_job_reset(&job);
    vg_job_reset(&again);
}

/* A rate that suits the optimizer, unless one is asked for; the printed job names it either way. */
static void test_rate_follows_the_optimizer(void **state)
{
    (void)state;
    static const struct {
        const char *set[2];
        double rate;
    } cases[] = {
        {{NULL}, 0.05},
        {{"optimizer=sgd"}, 0.05},
        {{"optimizer=adam"}, 0.001},
        {{"optimizer=adamw"}, 0.001},
        {{"optimizer=adam", "learning_rate=0.05"}, 0.05},
        {{"learning_rate=0.01", "optimizer=adamw"}, 0.01},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_job job, again;
        fresh(&job);
        assert_ok(vg_job_set(&job, "dataset=pets", "--set", &err));
        for (int k = 0; k < 2 && cases[i].set[k]; k++) {
            assert_ok(vg_job_set(&job, cases[i].set[k], "--set", &err));
        }
        assert_ok(vg_job_finish(&job, &err));
        assert_near(job.run.schedule.base, cases[i].rate, 0);
        char *text = printed(&job);
        fresh(&again);
        assert_ok(read_text(&again, text));
        assert_ok(vg_job_finish(&again, &err));
        assert_near(again.run.schedule.base, cases[i].rate, 0);
        assert_true(again.run.optimizer.kind == job.run.optimizer.kind);
        free(text);
        vg_job_reset(&job);
        vg_job_reset(&again);
    }
}

/* docs/jobs.md holds the table that the program prints. */
static void test_documented(void **state)
{
    (void)state;
    char *table = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&table, &size);
    vg_job_print_keys(out);
    fclose(out);
    vg_bytes text = {0};
    assert_ok(vg_file_read(VG_TEST_FILES "/../../docs/jobs.md", 0, &text, &err));
    assert_ok(vg_bytes_reserve(&text, text.size + 1, &err));
    text.data[text.size] = '\0';
    if (!strstr((const char *)text.data, table))
        fail_msg("docs/jobs.md does not hold the table of `train-pipeline --keys`");
    free(table);
    vg_bytes_reset(&text);
}

static void test_files(void **state)
{
    (void)state;
    char *folder = test_folder_make(), path[4200];
    snprintf(path, sizeof path, "%s/job.yaml", folder);
    vg_job job;
    fresh(&job);
    assert_int_equal(vg_job_load(&job, path, &err), VG_E_IO);
    assert_ok(vg_file_write(path, "dataset: pets\n", 14, &err));
    assert_ok(vg_job_load(&job, path, &err));
    assert_contains(job.dataset, folder);
    assert_contains(job.dataset, "/pets");
    assert_ok(vg_file_write(path, "", 0, &err)); /* empty: nothing is changed */
    assert_ok(vg_job_load(&job, path, &err));
    vg_job_reset(&job);
    test_folder_remove(folder);
}

static void test_patterns_of_archives_are_relative_each(void **state)
{
    (void)state;
    vg_job job;
    fresh(&job);
    assert_ok(read_text(&job, "dataset: train-{0..9}.tar::/abs/val.tar::more/{a,b}.tar\n"));
    assert_string_equal(job.dataset,
                        "some/folder/train-{0..9}.tar::/abs/val.tar::some/folder/more/{a,b}.tar");
    vg_job_reset(&job);
}

/* Factors by name of parameters, as a map or as words, and what follows from muon. */
static void test_rates_and_decays(void **state)
{
    (void)state;
    vg_job job;
    assert_ok(vg_job_init(&job, &err));
    assert_ok(vg_job_set(&job, "dataset=here", "--set", &err));
    assert_ok(vg_job_set(&job, "rate=*.bn.bias:64,0.*:0", "--set", &err));
    assert_int_equal(job.run.optimizer.rates.count, 2);
    assert_string_equal(job.run.optimizer.rates.rule[0].pattern, "*.bn.bias");
    assert_near(job.run.optimizer.rates.rule[0].factor, 64, 0);
    assert_near(job.run.optimizer.rates.rule[1].factor, 0, 0);
    assert_ok(vg_job_set(&job, "decay=all", "--set", &err));
    assert_int_equal(job.run.optimizer.decays.count, 1);
    assert_ok(vg_job_set(&job, "decay={\"*.bias\": 0.25}", "--set", &err));
    assert_near(job.run.optimizer.decays.rule[0].factor, 0.25, 0);
    char *text = printed(&job);
    assert_non_null(strstr(text, "rate: {\"*.bn.bias\": 64, \"0.*\": 0}"));
    vg_job again;
    assert_ok(vg_job_init(&again, &err));
    assert_ok(vg_job_read(&again, text, strlen(text), "printed", NULL, &err));
    assert_string_equal(again.run.optimizer.rates.rule[0].pattern, "*.bn.bias");
    assert_near(again.run.optimizer.rates.rule[0].factor, 64, 0);
    assert_near(again.run.optimizer.decays.rule[0].factor, 0.25, 0);
    free(text);
    vg_job_reset(&again);
    assert_int_equal(vg_job_set(&job, "rate=*.bias:fast", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "fast");
    assert_int_equal(vg_job_set(&job, "rate=*.bias:-1", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "factor -1");
    assert_int_equal(vg_job_set(&job, "rate=[a]", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "found a list");
    assert_ok(vg_job_set(&job, "decay=weights", "--set", &err));
    assert_ok(vg_job_set(&job, "rate={}", "--set", &err));
    assert_int_equal(job.run.optimizer.decays.count + job.run.optimizer.rates.count, 0);
    assert_ok(vg_job_finish(&job, &err));
    assert_near(job.run.optimizer.clip_norm, 2, 0); /* sgd's */
    assert_ok(vg_job_set(&job, "optimizer=muon", "--set", &err));
    assert_ok(vg_job_finish(&job, &err));
    assert_near(job.run.optimizer.clip_norm, 0, 0);
    assert_near(job.run.optimizer.momentum, 0.95, 0);
    assert_near(job.run.schedule.base, 0.02, 0);
    assert_true(job.run.optimizer.nesterov);
    assert_ok(vg_job_set(&job, "clip_norm=3", "--set", &err));
    assert_ok(vg_job_set(&job, "momentum=0.8", "--set", &err));
    assert_ok(vg_job_set(&job, "nesterov=no", "--set", &err));
    assert_ok(vg_job_finish(&job, &err));
    assert_near(job.run.optimizer.clip_norm, 3, 0);
    assert_near(job.run.optimizer.momentum, 0.8, 0);
    assert_false(job.run.optimizer.nesterov);
    vg_job_reset(&job);
}

static void test_loss(void **state)
{
    (void)state;
    vg_job job;
    assert_ok(vg_job_init(&job, &err));
    assert_ok(vg_job_set(&job, "loss=focal", "--set", &err));
    assert_int_equal(job.run.loss.kind, VG_LOSS_FOCAL);
    assert_ok(vg_job_set(&job, "loss.gamma=1.5", "--set", &err));
    assert_near(job.run.loss.gamma, 1.5, 0);
    assert_ok(vg_job_set(&job, "loss={kind: ldam, margin: 0.25, scale: 10}", "--set", &err));
    assert_int_equal(job.run.loss.kind, VG_LOSS_LDAM);
    assert_near(job.run.loss.margin, 0.25, 0);
    assert_near(job.run.loss.scale, 10, 0);
    static const char text[] = "loss: logit-adjusted\nbalance: {weights_from: 0.8, beta: 0.9999}\n";
    assert_ok(vg_job_read(&job, text, strlen(text), "job.yaml", NULL, &err));
    assert_int_equal(job.run.loss.kind, VG_LOSS_LOGIT_ADJUSTED);
    assert_near(job.run.weights_from, 0.8, 0);
    assert_near(job.run.weights_beta, 0.9999, 0);
    static const char map[] = "loss:\n  kind: mse\n  from_logits: no\n  label_smoothing: 0.1\n";
    assert_ok(vg_job_read(&job, map, strlen(map), "job.yaml", NULL, &err));
    assert_int_equal(job.run.loss.kind, VG_LOSS_MSE);
    assert_int_equal(job.run.loss.from_logits, VG_FROM_LOGITS_NO);
    assert_ok(vg_job_finish(&job, &err));

    static const char wrong[] = "epochs: 2\nloss: crossentropy\n";
    assert_int_equal(vg_job_read(&job, wrong, strlen(wrong), "job.yaml", NULL, &err), VG_E_ARG);
    assert_contains(err.message, "job.yaml:2:7: loss.kind: found \"crossentropy\"");
    assert_contains(err.message, "sigmoid-focal");
    static const char twice[] = "loss: mse\nloss.kind: focal\n";
    assert_int_equal(vg_job_read(&job, twice, strlen(twice), "job.yaml", NULL, &err), VG_E_ARG);
    assert_contains(err.message, "given twice");
    assert_int_equal(vg_job_set(&job, "loss.gama=1", "--set", &err), VG_E_ARG);
    assert_contains(err.message, "did you mean \"loss.gamma\"");
    assert_int_equal(vg_job_set(&job, "loss.label_smoothing=2", "--set", &err), VG_E_ARG);
    assert_int_equal(vg_job_set(&job, "input=3", "--set", &err),
                     VG_E_ARG); /* a group without a kind */
    assert_contains(err.message, "unknown key");
    assert_ok(vg_job_set(&job, "loss=focal", "--set", &err));
    assert_int_equal(vg_job_finish(&job, &err), VG_E_ARG); /* with the smoothing from above */
    assert_contains(err.message, "label_smoothing");
    vg_job_reset(&job);
}

/* The recipes that come with the program are jobs. */
static void test_samples(void **state)
{
    (void)state;
    static const char *const names[] = {"fashion", "job", "one-class", "speedrun"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char path[512];
        vg_job job;
        snprintf(path, sizeof path, VG_TEST_FILES "/../../samples/%s.yaml", names[i]);
        assert_ok(vg_job_init(&job, &err));
        assert_ok(vg_job_load(&job, path, &err));
        assert_ok(vg_job_finish(&job, &err));
        assert_true(job.run.net.count > 0);
        vg_job_reset(&job);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_defaults),
        cmocka_unit_test(test_yaml),
        cmocka_unit_test(test_assignments),
        cmocka_unit_test(test_yaml_errors),
        cmocka_unit_test(test_assignment_errors),
        cmocka_unit_test(test_policies_as_lists_and_maps),
        cmocka_unit_test(test_policies_of_classes),
        cmocka_unit_test(test_identity),
        cmocka_unit_test(test_round_trip),
        cmocka_unit_test(test_rate_follows_the_optimizer),
        cmocka_unit_test(test_rates_and_decays),
        cmocka_unit_test(test_loss),
        cmocka_unit_test(test_documented),
        cmocka_unit_test(test_files),
        cmocka_unit_test(test_patterns_of_archives_are_relative_each),
        cmocka_unit_test(test_samples),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
