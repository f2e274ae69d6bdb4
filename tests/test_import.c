/* Tests of import.h: torchvision's names and numbers, our own, a Sequential's; heads of other classes; what does not fit. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "export/safetensors.h"
#include "import.h"

#include <math.h>

#include "data/resnet18.inc"

enum { TENSORS = sizeof tensors / sizeof *tensors };

static char *folder, *path;

static int setup(void **state)
{
    (void)state;
    folder = test_folder_make();
    path = vg_path_join(folder, "weights.safetensors");
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    free(path);
    test_folder_remove(folder);
    return 0;
}

/* The numbers of tests/golden/resnet18.py. */
static float *values(const char *name, size_t count, double offset, double scale)
{
    uint32_t h = 2166136261u;
    for (const char *c = name; *c; c++)
        h = (h ^ (unsigned char)*c) * 16777619u;
    float *v = malloc(count * sizeof *v);
    assert_non_null(v);
    for (size_t i = 0; i < count; i++) {
        uint32_t x = (uint32_t)i * 2654435761u + h;
        x ^= x >> 16;
        x *= 0x7FEB352Du;
        x ^= x >> 15;
        v[i] = (float)(offset + scale * ((double)(x >> 8) / 8388608 - 1));
    }
    return v;
}

/* A file with the tensors of a ResNet-18, their names behind `prefix`. */
static void write_resnet(const char *prefix)
{
    vg_error err = {0};
    vg_tensor t[TENSORS + 1];
    char names[TENSORS][100];
    for (int i = 0; i < TENSORS; i++) {
        const char *last = strrchr(tensors[i].name, '.') + 1;
        t[i] = (vg_tensor){.dtype = VG_DTYPE_F32, .dims = tensors[i].dims, .count = 1};
        for (int d = 0; d < t[i].dims; d++) {
            t[i].shape[d] = tensors[i].shape[d];
            t[i].count *= (size_t)t[i].shape[d];
        }
        bool ones = strcmp(last, "running_var") == 0 || strcmp(last, "weight") == 0;
        double fan = (double)t[i].count / (double)t[i].shape[0];
        t[i].data = t[i].dims > 1 ? values(tensors[i].name, t[i].count, 0, sqrt(6 / fan))
                    : ones        ? values(tensors[i].name, t[i].count, 1, 0.5)
                                  : values(tensors[i].name, t[i].count, 0, 0.2);
        snprintf(names[i], sizeof names[i], "%s%s", prefix, tensors[i].name);
        t[i].name = names[i];
    }
    const int64_t tracked = 7;
    t[TENSORS] = (vg_tensor){
        .name = "bn1.num_batches_tracked", .dtype = VG_DTYPE_I64, .count = 1, .data = &tracked};
    assert_ok(vg_safetensors_write(path, json_object(), t, TENSORS + 1, &err));
    for (int i = 0; i < TENSORS; i++)
        free((void *)(uintptr_t)t[i].data);
}

static vg_model *resnet18(int classes)
{
    vg_error err = {0};
    vg_net_spec spec = {0};
    assert_ok(vg_net_spec_preset("resnet18", &spec, &err));
    return model_of(spec, 3, 64, 64, classes, 2);
}

static void test_outputs_of_torchvision(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_import_report report;
    vg_model *m = resnet18(11);
    write_resnet("");
    assert_ok(vg_import(path, m, false, &report, &err));
    assert_string_equal(report.names, "torchvision ResNet");
    assert_int_equal(report.taken, TENSORS);
    assert_int_equal(report.wanted, TENSORS);
    assert_true(!report.head[0] && !report.missing[0] && !report.unfit[0] && !report.unexpected[0]);
    float *x = values("input", 2 * 3 * 64 * 64, 0, 1.5);
    const float *z = vg_model_forward(m, x, 2, false, 0);
    double largest = 0;
    for (int i = 0; i < 22; i++)
        largest = fmax(largest, fabs((double)logits[i / 11][i % 11]));
    for (int i = 0; i < 22; i++)
        assert_near((double)z[i], (double)logits[i / 11][i % 11], 2e-5 * largest);
    free(x);
    vg_model_free(m);
}

static void test_head_of_other_classes(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_import_report report;
    vg_model *m = resnet18(5), *fresh = resnet18(5);
    write_resnet("module.");
    assert_ok(vg_import(path, m, false, &report, &err));
    assert_int_equal(report.taken, TENSORS - 2);
    assert_contains(report.head, "module.fc.weight is [11, 512] there and [5, 512] here");
    int count;
    vg_param *p = vg_model_params(m, &count), *q = vg_model_params(fresh, &count);
    for (int i = count - 2; i < count; i++)
        assert_memory_equal(p[i].value, q[i].value, p[i].count * sizeof(float));
    assert_memory_not_equal(p[0].value, q[0].value, p[0].count * sizeof(float));
    vg_model_free(m);
    vg_model_free(fresh);
}

static void test_names_of_layers(void **state)
{
    (void)state;
    vg_error err = {0};
    char name[64];
    static const struct {
        const char *preset;
        int kind, layer; /* -1: the head */
        const char *name;
    } cases[] = {
        {"resnet18", 1, 0, "conv1"},
        {"resnet18", 1, 1, "bn1"},
        {"resnet18", 1, 4, "layer1.0.conv1"},
        {"resnet18", 1, 8, "layer1.0.bn2"},
        {"resnet18", 1, 18, "layer2.0.conv1"},
        {"resnet18", 1, 23, "layer2.0.downsample.0"},
        {"resnet18", 1, 24, "layer2.0.downsample.1"},
        {"resnet18", 1, -1, "fc"},
        {"vgg16", 2, 0, "features.0"},
        {"vgg16", 2, 1, "features.1"},
        {"vgg16", 2, 44, "classifier.0"},
        {"vgg16", 2, -1, "classifier.6"},
        {"vgg16", 1, 0, ""}, /* not residual */
        {"lenet", 3, 3, "3"},
        {"lenet", 3, 6, "7"}, /* behind a Flatten */
        {"lenet", 0, 0, "0.conv"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_net_spec spec = {0};
        assert_ok(vg_net_spec_preset(cases[i].preset, &spec, &err));
        vg_model *m = model_of(spec, 3, 32, 32, 3, 1);
        int layer = cases[i].layer < 0 ? vg_model_layers(m) - 1 : cases[i].layer;
        vg_import_layer_name(m, cases[i].kind, layer, name, sizeof name);
        assert_string_equal(name, cases[i].name);
        vg_model_free(m);
    }
}

static vg_model *small(int width)
{
    char conv[32];
    snprintf(conv, sizeof conv, "conv %d k3", width);
    return model_of(SPEC(conv, "bn", "relu", "maxpool 2", "dense 6", "relu"), 1, 8, 8, 3, 2);
}

/* The parameters of `from` as a file, the i-th called names[i]; NULL leaves it out. */
static void write_as(vg_model *from, const char *const *names, vg_dtype dtype)
{
    vg_error err = {0};
    vg_tensor t[16];
    double doubles[4096];
    uint16_t halves[4096];
    size_t at = 0;
    int count, used = 0;
    const vg_param *p = vg_model_params(from, &count);
    for (int i = 0; i < count; i++) {
        if (!names[i])
            continue;
        t[used] =
            (vg_tensor){.name = names[i], .dtype = dtype, .dims = p[i].dims, .count = p[i].count};
        memcpy(t[used].shape, p[i].shape, sizeof p[i].shape);
        t[used].data = p[i].value;
        assert_true(at + p[i].count <= 4096);
        for (size_t k = 0; k < p[i].count; k++) {
            uint32_t bits;
            memcpy(&bits, &p[i].value[k], sizeof bits);
            doubles[at + k] = (double)p[i].value[k];
            halves[at + k] = (uint16_t)(bits >> 16);
        }
        if (dtype == VG_DTYPE_F64)
            t[used].data = doubles + at;
        else if (dtype != VG_DTYPE_F32)
            t[used].data = halves + at;
        at += p[i].count;
        used++;
    }
    assert_ok(vg_safetensors_write(path, json_object(), t, (size_t)used, &err));
}

static const char *const sequential[] = {"0.weight",       "0.bias",        "1.weight", "1.bias",
                                         "1.running_mean", "1.running_var", "5.weight", "5.bias",
                                         "7.weight",       "7.bias"};

static void test_a_sequential_in_any_type(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_import_report report;
    static const vg_dtype types[] = {VG_DTYPE_F32, VG_DTYPE_F64, VG_DTYPE_BF16};
    for (int i = 0; i < 3; i++) {
        vg_model *from = small(4), *to = small(4);
        int count;
        vg_param *p = vg_model_params(from, &count), *q = vg_model_params(to, &count);
        for (int k = 0; k < count; k++)
            for (size_t v = 0; v < p[k].count; v++)
                p[k].value[v] += 0.25f + 0.01f * (float)v;
        write_as(from, sequential, types[i]);
        assert_ok(vg_import(path, to, false, &report, &err));
        assert_string_equal(report.names, "nn.Sequential");
        for (int k = 0; k < count; k++)
            for (size_t v = 0; v < p[k].count; v++)
                assert_near((double)q[k].value[v], (double)p[k].value[v],
                            types[i] == VG_DTYPE_BF16 ? 0.008 * fabs((double)p[k].value[v]) : 0);
        vg_model_free(from);
        vg_model_free(to);
    }
}

static void test_what_does_not_fit(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_import_report report;
    vg_model *from = small(4), *wider = small(5), *to = small(4);
    const char *names[10];
    memcpy(names, sequential, sizeof names);
    names[1] = NULL;
    names[2] = "strange.weight";
    write_as(from, names, VG_DTYPE_F32);
    assert_int_equal(vg_import(path, to, false, &report, &err), VG_E_SHAPE);
    assert_contains(err.message, "8 of 10 tensors fit; not in it: 0.bias, 1.weight");
    assert_contains(err.message, "init_partial");
    assert_string_equal(report.unexpected, "strange.weight");
    assert_ok(vg_import(path, to, true, &report, &err));
    assert_int_equal(report.taken, 8);
    assert_int_equal(report.missing_count, 2);
    write_as(wider, sequential, VG_DTYPE_F32);
    int count;
    vg_param *p = vg_model_params(to, &count);
    float before = p[8].value[0];
    p[8].value[0] = 42;
    assert_int_equal(vg_import(path, to, false, &report, &err), VG_E_SHAPE);
    assert_contains(err.message, "0.weight is [5, 1, 3, 3] there, [4, 1, 3, 3] here");
    assert_true(p[8].value[0] == 42); /* nothing is taken of what does not fit as a whole */
    p[8].value[0] = before;
    write_as(from, sequential, VG_DTYPE_F16);
    assert_ok(vg_import(path, to, false, &report, &err));
    const char *const foreign[] = {"a", "b", "c", "d", "e", "f", "g", "h", "i", "j"};
    write_as(from, foreign, VG_DTYPE_F32);
    assert_int_equal(vg_import(path, to, true, &report, &err), VG_E_SHAPE);
    assert_contains(err.message,
                    "no tensor of it fits this network; it holds a, b, c, d, e, f ...");
    assert_int_equal(vg_import("/nonexistent", to, true, NULL, &err), VG_E_IO);
    vg_model_free(from);
    vg_model_free(wider);
    vg_model_free(to);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_outputs_of_torchvision),
        cmocka_unit_test(test_head_of_other_classes),
        cmocka_unit_test(test_names_of_layers),
        cmocka_unit_test(test_a_sequential_in_any_type),
        cmocka_unit_test(test_what_does_not_fit),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
