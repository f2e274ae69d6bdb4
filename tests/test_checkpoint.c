/* Tests of checkpoint.h: what is written comes back, and nothing damaged is believed. */
#include "test.h"

#include "nn_util.h"

#include "base/file.h"
#include "checkpoint_internal.h"
#include "nn/loss.h"

#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

enum { N = 6, CLASSES = 3, INPUTS = 2 * 6 * 5 };

static char *names[CLASSES] = {"cat", "100 % d\xc3\xb6g", "\xff\xfe latin"};

static vg_net_spec net(void)
{
    return SPEC("conv 4 k3 nobias", "bn", "relu", "maxpool 2", "dropout 0.1", "dense 5", "relu");
}

static vg_checkpoint description(void)
{
    return (vg_checkpoint){.net = net(),
                           .channels = 2,
                           .height = 6,
                           .width = 5,
                           .framing = {VG_FRAMING_CROP, 0.875},
                           .max_shrink = 4,
                           .background = 0x102030,
                           .classes = CLASSES,
                           .class_names = names,
                           .normalizer = {.kind = VG_NORMALIZE_ZSCORE,
                                          .channels = 2,
                                          .scale = {0.1f, 1.0f / 3},
                                          .offset = {-1.5f, 2e-9f},
                                          .images = 12345,
                                          .mean = {100.0 / 3, 7},
                                          .std = {10, 3},
                                          .min = {0, 1},
                                          .max = {255, 254}},
                           .seed = UINT64_MAX,
                           .step = 77,
                           .epoch = 3};
}

static void train(vg_model *m, vg_optimizer *o, int from, int to)
{
    float *x = random_floats(N * INPUTS, 3), d[N * CLASSES];
    const int32_t labels[N] = {0, 1, 2, 0, 1, 2};
    for (int step = from; step < to; step++) {
        const float *z = vg_model_forward(m, x, N, true, (uint64_t)step);
        vg_softmax_cross_entropy(z, labels, N, CLASSES, NULL, d);
        vg_model_backward(m, d, NULL);
        vg_optimizer_step(o, 0.01);
    }
    free(x);
}

typedef struct fixture {
    char *folder, *path;
    vg_model *model;
    vg_optimizer *optimizer;
    vg_checkpoint about;
} fixture;

static fixture set_up(vg_optimizer_kind kind)
{
    vg_error err = {0};
    fixture f = {.folder = test_folder_make(), .about = description()};
    f.path = vg_path_join(f.folder, "weights.safetensors");
    f.model = model_of(net(), 2, 6, 5, CLASSES, N);
    vg_optimizer_options options = vg_optimizer_options_default();
    options.kind = kind;
    assert_ok(vg_optimizer_new(f.model, &options, &f.optimizer, &err));
    train(f.model, f.optimizer, 0, 3);
    assert_ok(vg_checkpoint_save(f.path, &f.about, f.model, f.optimizer, &err));
    return f;
}

static void tear_down(fixture *f)
{
    vg_optimizer_free(f->optimizer);
    vg_model_free(f->model);
    vg_net_spec_reset(&f->about.net);
    free(f->path);
    test_folder_remove(f->folder);
}

static void test_comes_back(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    vg_checkpoint about;
    vg_model *m;
    assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
    assert_int_equal(about.classes, CLASSES);
    for (int k = 0; k < CLASSES; k++)
        assert_string_equal(about.class_names[k], names[k]);
    assert_int_equal(about.net.count, f.about.net.count);
    assert_string_equal(about.net.name, f.about.net.name);
    assert_true(about.seed == UINT64_MAX && about.step == 77 && about.epoch == 3);
    assert_true(about.channels == 2 && about.height == 6 && about.width == 5);
    assert_true(vg_framing_equal(&about.framing, &f.about.framing));
    assert_int_equal(about.max_shrink, 4);
    assert_int_equal(about.background, 0x102030);
    const vg_normalizer *a = &about.normalizer, *b = &f.about.normalizer;
    assert_true(a->kind == b->kind && a->channels == b->channels && a->images == b->images);
    assert_memory_equal(a->scale, b->scale, sizeof a->scale);
    assert_memory_equal(a->offset, b->offset, sizeof a->offset);
    assert_memory_equal(a->mean, b->mean, sizeof a->mean);
    assert_memory_equal(a->std, b->std, sizeof a->std);
    assert_memory_equal(a->min, b->min, sizeof a->min);
    assert_memory_equal(a->max, b->max, sizeof a->max);
    int count, same;
    vg_param *p = vg_model_params(f.model, &count), *q = vg_model_params(m, &same);
    assert_int_equal(count, same);
    for (int i = 0; i < count; i++) {
        assert_string_equal(p[i].name, q[i].name);
        assert_memory_equal(p[i].value, q[i].value, p[i].count * sizeof(float));
    }
    vg_checkpoint_reset(&about);
    vg_model_free(m);
    tear_down(&f);
}

/* Stopped and gone on with: the same bits as never stopped. */
static void test_resume(void **state)
{
    (void)state;
    for (int kind = VG_OPTIMIZER_SGD; kind <= VG_OPTIMIZER_ADAMW; kind++) {
        vg_error err = {0};
        fixture f = set_up((vg_optimizer_kind)kind);
        vg_checkpoint about;
        vg_model *m;
        vg_optimizer *o;
        vg_optimizer_options options = vg_optimizer_options_default();
        options.kind = (vg_optimizer_kind)kind;
        f.about.seed = 7; /* as model_of: the seed of the dropout masks */
        assert_ok(vg_checkpoint_save(f.path, &f.about, f.model, f.optimizer, &err));
        assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
        assert_ok(vg_optimizer_new(m, &options, &o, &err));
        assert_ok(vg_checkpoint_load_optimizer(f.path, o, &err));
        assert_int_equal(vg_optimizer_steps(o), 3);
        train(f.model, f.optimizer, 3, 8);
        train(m, o, 3, 8);
        int count;
        vg_param *p = vg_model_params(f.model, &count), *q = vg_model_params(m, &count);
        for (int i = 0; i < count; i++)
            assert_memory_equal(p[i].value, q[i].value, p[i].count * sizeof(float));
        vg_optimizer_free(o);
        vg_model_free(m);
        vg_checkpoint_reset(&about);
        tear_down(&f);
    }
}

static void expect(const char *path, vg_status status, const char *part)
{
    vg_error err = {0};
    vg_checkpoint about;
    vg_model *m;
    assert_int_equal(vg_checkpoint_load(path, N, &about, &m, &err), status);
    assert_null(m);
    assert_null(about.class_names);
    assert_contains(err.message, part);
}

static void test_missing_and_foreign_files(void **state)
{
    (void)state;
    vg_error err = {0};
    char *folder = test_folder_make(), *path = vg_path_join(folder, "x");
    expect(path, VG_E_IO, path);
    assert_ok(vg_file_write(path, "abc", 3, &err));
    expect(path, VG_E_FORMAT, "too few");
    assert_ok(vg_file_write(path, "\x89PNG\r\n\x1a\n and more of it", 24, &err));
    expect(path, VG_E_FORMAT, "not a safetensors file");
    assert_ok(vg_file_write(path, "\x10\0\0\0\0\0\0\0{}", 10, &err));
    expect(path, VG_E_FORMAT, "cut off within the header");
    assert_ok(vg_file_write(path, "\x02\0\0\0\0\0\0\0{}", 10, &err));
    expect(path, VG_E_FORMAT, "not a checkpoint of this program");
    assert_ok(vg_file_write(path, "\x02\0\0\0\0\0\0\0{]", 10, &err));
    expect(path, VG_E_FORMAT, "not a safetensors file");
    assert_ok(vg_file_write(path, "\x02\0\0\0\0\0\0\0[]", 10, &err));
    expect(path, VG_E_FORMAT, "no object");
    free(path);
    test_folder_remove(folder);
}

static void test_cut_and_grown(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(f.path, 0, &bytes, &err));
    for (size_t cut = 0; cut < bytes.size; cut += 1 + bytes.size / 50) {
        assert_ok(vg_file_write(f.path, bytes.data, cut, &err));
        expect(f.path, VG_E_FORMAT, f.path);
    }
    assert_ok(vg_file_write(f.path, bytes.data, bytes.size - 1, &err));
    expect(f.path, VG_E_FORMAT, "cut off");
    assert_ok(vg_bytes_reserve(&bytes, bytes.size + 1, &err));
    bytes.data[bytes.size] = 0;
    assert_ok(vg_file_write(f.path, bytes.data, bytes.size + 1, &err));
    expect(f.path, VG_E_FORMAT, "something was added");
    vg_bytes_reset(&bytes);
    tear_down(&f);
}

/* One flipped bit anywhere must be refused (a bit of the padding may pass unseen). */
static void test_flipped_bits(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_ADAM);
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(f.path, 0, &bytes, &err));
    int refused = 0, tried = 0;
    for (size_t at = 0; at < bytes.size; at += 1 + bytes.size / 400) {
        bytes.data[at] ^= 1;
        assert_ok(vg_file_write(f.path, bytes.data, bytes.size, &err));
        vg_checkpoint about;
        vg_model *m;
        vg_status status = vg_checkpoint_load(f.path, N, &about, &m, &err);
        tried++;
        if (status) {
            assert_null(m);
            refused++;
        } else {
            vg_model_free(m);
            vg_checkpoint_reset(&about);
        }
        bytes.data[at] ^= 1;
    }
    assert_int_equal(refused, tried);
    vg_bytes_reset(&bytes);
    tear_down(&f);
}

static void test_other_optimizer_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    vg_optimizer_options options = vg_optimizer_options_default();
    options.kind = VG_OPTIMIZER_ADAMW;
    vg_optimizer *o;
    assert_ok(vg_optimizer_new(f.model, &options, &o, &err));
    assert_int_equal(vg_checkpoint_load_optimizer(f.path, o, &err), VG_E_SHAPE);
    assert_contains(err.message, "exp_avg");
    assert_ok(vg_checkpoint_save(f.path, &f.about, f.model, NULL, &err));
    assert_int_equal(vg_checkpoint_load_optimizer(f.path, o, &err), VG_E_STATE);
    assert_contains(err.message, "without the optimizer");
    vg_optimizer_free(o);
    tear_down(&f);
}

/* A description that does not fit the weights beside it. */
static void test_other_net_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    vg_checkpoint other = f.about;
    other.net = SPEC("conv 5 k3 nobias", "bn", "relu", "maxpool 2", "dense 5", "relu");
    assert_ok(vg_checkpoint_save(f.path, &other, f.model, NULL, &err));
    expect(f.path, VG_E_SHAPE, "0.conv.weight");
    vg_net_spec_reset(&other.net);
    other.net = SPEC("conv 4 k3 nobias", "maxpool 2");
    assert_ok(vg_checkpoint_save(f.path, &other, f.model, NULL, &err));
    expect(f.path, VG_E_SHAPE, "2.dense.weight");
    vg_net_spec_reset(&other.net);
    assert_int_equal(vg_checkpoint_save("/nonexistent/x", &f.about, f.model, NULL, &err), VG_E_IO);
    tear_down(&f);
}

/* The checksum is no protection against a file that was made wrong on purpose: a normalizer of more
 * channels than the input would write behind a picture. */
static void test_wrong_normalizer_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    for (int channels = 0; channels <= 1000; channels += channels == 3 ? 997 : 1) {
        if (channels == f.about.channels)
            continue;
        vg_checkpoint other = f.about;
        other.normalizer.channels = channels;
        assert_ok(vg_checkpoint_save(f.path, &other, f.model, NULL, &err));
        expect(f.path, VG_E_FORMAT, "normalizer");
    }
    for (int value = -1; value <= 256; value += 257) {
        vg_checkpoint other = f.about;
        other.normalizer.max[1] = value;
        assert_ok(vg_checkpoint_save(f.path, &other, f.model, NULL, &err));
        expect(f.path, VG_E_FORMAT, "normalizer");
    }
    tear_down(&f);
}

/* Writes the file anew with metadata entry `key` set to `value`, or taken out when NULL, and a checksum
 * that fits. */
static void forge(const char *path, const char *key, const char *value)
{
    vg_error err = {0};
    vg_bytes bytes = {0};
    assert_ok(vg_file_read(path, 0, &bytes, &err));
    uint64_t length;
    memcpy(&length, bytes.data, sizeof length);
    json_t *header = json_loadb((const char *)bytes.data + 8, (size_t)length, 0, NULL);
    json_t *metadata = json_object_get(header, "__metadata__");
    assert_non_null(metadata);
    uint64_t sum = strtoull(json_string_value(json_object_get(metadata, "xxh64")), NULL, 16);
    sum ^= vg_safetensors_header_hash(header);
    if (value)
        json_object_set_new(metadata, key, json_string(value));
    else
        json_object_del(metadata, key);
    char text[40];
    snprintf(text, sizeof text, "%016" PRIx64, sum ^ vg_safetensors_header_hash(header));
    json_object_set_new(metadata, "xxh64", json_string(text));
    char *new_header = json_dumps(header, JSON_COMPACT);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    uint64_t new_length = strlen(new_header);
    fwrite(&new_length, sizeof new_length, 1, file);
    fwrite(new_header, 1, (size_t)new_length, file);
    fwrite(bytes.data + 8 + length, 1, bytes.size - 8 - (size_t)length, file);
    assert_int_equal(fclose(file), 0);
    free(new_header);
    json_decref(header);
    vg_bytes_reset(&bytes);
}

static void test_other_resize_is_refused(void **state)
{
    (void)state;
    vg_error err = {0};
    fixture f = set_up(VG_OPTIMIZER_SGD);
    forge(f.path, "resize", "letterbox");
    expect(f.path, VG_E_FORMAT, "unknown resize \"letterbox\"");
    forge(f.path, "resize", "pad");
    vg_checkpoint about;
    vg_model *m;
    assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
    assert_int_equal(about.framing.kind, VG_FRAMING_PAD);
    vg_checkpoint_reset(&about);
    vg_model_free(m);
    forge(f.path, "max_shrink", "16");
    expect(f.path, VG_E_FORMAT, "\"max_shrink\"");
    forge(f.path, "max_shrink", NULL);
    assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
    assert_int_equal(about.max_shrink, 1);
    vg_checkpoint_reset(&about);
    vg_model_free(m);
    forge(f.path, "background", "pink");
    expect(f.path, VG_E_FORMAT, "black, grey, white or #rrggbb");
    forge(f.path, "background", NULL);
    assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
    assert_int_equal(about.background, VG_BACKGROUND_BLACK);
    vg_checkpoint_reset(&about);
    vg_model_free(m);
    forge(f.path, "filter", "lanczos");
    expect(f.path, VG_E_FORMAT, "filter \"lanczos\"");
    /* written before there was a choice */
    forge(f.path, "filter", NULL);
    forge(f.path, "resize", NULL);
    assert_ok(vg_checkpoint_load(f.path, N, &about, &m, &err));
    assert_int_equal(about.framing.kind, VG_FRAMING_STRETCH);
    vg_checkpoint_reset(&about);
    vg_model_free(m);
    tear_down(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_comes_back),
        cmocka_unit_test(test_resume),
        cmocka_unit_test(test_missing_and_foreign_files),
        cmocka_unit_test(test_cut_and_grown),
        cmocka_unit_test(test_flipped_bits),
        cmocka_unit_test(test_other_optimizer_is_refused),
        cmocka_unit_test(test_other_net_is_refused),
        cmocka_unit_test(test_wrong_normalizer_is_refused),
        cmocka_unit_test(test_other_resize_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
