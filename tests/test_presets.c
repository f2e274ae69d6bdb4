#include "test.h"

#include "nn_util.h"

#include <inttypes.h>

enum { NETS_RECORDED = 6, KIND = 16 };

typedef struct recorded_layer {
    char kind[KIND];
    int c, h, w;
    size_t parameters;
    uint64_t macs;
} recorded_layer;

static bool read_layer(FILE *file, recorded_layer *l)
{
    return fscanf(file, "%15s %d %d %d %zu %" SCNu64, l->kind, &l->c, &l->h, &l->w, &l->parameters,
                  &l->macs) == 6;
}

/* PyTorch's list leaves out what has neither parameters nor a window. */
static bool is_listed(vg_layer_kind kind)
{
    return kind == VG_LAYER_CONV || kind == VG_LAYER_BATCHNORM || kind == VG_LAYER_DENSE ||
           kind == VG_LAYER_MAXPOOL || kind == VG_LAYER_GLOBALPOOL;
}

/* One network of the file, layer by layer. */
static void check_net(FILE *file)
{
    char preset[32];
    int c, h, w, classes, layers, seen = 0;
    size_t parameters;
    assert_int_equal(fscanf(file, " net %31s %d %d %d %d %d %zu ", preset, &c, &h, &w, &classes,
                            &layers, &parameters),
                     7);
    vg_error err = {0};
    vg_net_spec spec;
    assert_ok(vg_net_spec_preset(preset, &spec, &err));
    vg_model *model = model_of(spec, c, h, w, classes, 1);
    for (int i = 0; i < vg_model_layers(model); i++) {
        const vg_layer_info *info = vg_model_layer(model, i);
        if (!is_listed(info->kind))
            continue;
        recorded_layer l;
        assert_true(read_layer(file, &l));
        if (strcmp(l.kind, vg_layer_kind_name(info->kind)) != 0 || l.c != info->channels ||
            l.h != info->height || l.w != info->width || l.parameters != info->parameters)
            fail_msg("%s, %s: %d x %d x %d with %zu parameters; PyTorch: %s %d x %d x %d, %zu",
                     preset, info->name, info->channels, info->height, info->width,
                     info->parameters, l.kind, l.c, l.h, l.w, l.parameters);
        if (l.macs > 0)
            assert_int_equal(info->macs, l.macs);
        seen++;
    }
    assert_int_equal(seen, layers);
    assert_int_equal(vg_model_parameter_count(model), parameters);
    vg_model_free(model);
}

/* The networks that others are compared on: tests/data/nets.txt (tests/golden/nets.py). */
static void test_layer_by_layer(void **state)
{
    (void)state;
    FILE *file = fopen(VG_TEST_FILES "/nets.txt", "r");
    assert_non_null(file);
    for (int i = 0; i < NETS_RECORDED; i++)
        check_net(file);
    char more[8];
    assert_int_equal(fscanf(file, "%7s", more), EOF);
    fclose(file);
}

/* Where dropout stands in them, which has no shape of its own; and what the file cannot tell: the
 * options of batch norm are PyTorch's. */
static void test_details(void **state)
{
    (void)state;
    static const struct {
        const char *preset;
        int layer;
        const char *words;
    } cases[] = {{"small-cifar", 5, "dropout 0.25"},
                 {"small-cifar", 11, "dropout 0.25"},
                 {"small-cifar", 14, "dropout 0.5"},
                 {"book", 12, "dropout 0.5"},
                 {"resnet20", 1, "bn"},
                 {"vgg-small", 1, "bn"},
                 {"resnet18", 3, "maxpool 3 s2 p1 as x"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_error err = {0};
        vg_net_spec spec;
        char words[128];
        assert_ok(vg_net_spec_preset(cases[i].preset, &spec, &err));
        vg_layer_print(&spec.layers[cases[i].layer], words, sizeof words);
        assert_string_equal(words, cases[i].words);
        vg_net_spec_reset(&spec);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_layer_by_layer),
        cmocka_unit_test(test_details),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
