/* What each way of treating classes alike does, held against a sampler on a dataset and the loss weights. */
#include "test.h"

#include "audit/ways.h"

enum { CLASSES = 3 };

static void weights_change_the_loss_and_not_the_epoch(void **state)
{
    (void)state;
    static const size_t counts[CLASSES] = {800, 150, 50};
    vg_ways r;
    vg_error err;
    assert_ok(vg_ways_make(counts, CLASSES, 0.999, &r, &err));
    for (int i = 0; i < 4; i++) {
        float weights[CLASSES];
        double whole = 0;
        assert_int_equal(r.list[i].sampling, VG_SAMPLING_SHUFFLE);
        assert_int_equal(r.list[i].length, 1000);
        vg_balance_weights(counts, CLASSES, r.list[i].weighting, 0.999, weights);
        for (int k = 0; k < CLASSES; k++) {
            assert_int_equal(r.list[i].per_class[k].seen, counts[k]);
            assert_int_equal(r.list[i].per_class[k].images, counts[k]);
            assert_near(r.list[i].per_class[k].weight, (double)weights[k], 1e-6);
            whole += r.list[i].per_class[k].share;
        }
        assert_near(whole, 1, 1e-9);
    }
    assert_near(r.list[0].per_class[2].share, 0.05, 1e-6);
    assert_near(r.list[1].per_class[2].share, 1.0 / 3, 1e-6); /* inverse: all classes alike */
    assert_true(r.list[2].per_class[2].share > 0.05 && r.list[2].per_class[2].share < 1.0 / 3);
    vg_ways_reset(&r);
}

static void samplings_are_the_samplers_own(void **state)
{
    (void)state;
    static const size_t counts[CLASSES] = {80, 15, 5};
    char path[4200], *folder = test_folder_make();
    snprintf(path, sizeof path, "%s/list.csv", folder);
    FILE *file = fopen(path, "w");
    assert_non_null(file);
    fputs("path,label,split\n", file);
    for (int k = 0; k < CLASSES; k++)
        for (size_t i = 0; i < counts[k]; i++)
            fprintf(file, "%d-%zu.png,%c,train\n", k, i, 'a' + k);
    fputs("t.png,a,test\n", file); /* or a split would be made */
    assert_int_equal(fclose(file), 0);
    vg_dataset *dataset;
    vg_ways r;
    vg_error err;
    assert_ok(vg_dataset_open(path, NULL, &dataset, &err));
    assert_ok(vg_ways_make(counts, CLASSES, 0.999, &r, &err));
    for (int i = 0; i < VG_WAYS; i++) {
        vg_sampler *sampler;
        assert_ok(vg_sampler_new(dataset, VG_SPLIT_TRAIN, r.list[i].sampling, 7, &sampler, &err));
        assert_int_equal(r.list[i].length, vg_sampler_length(sampler));
        size_t seen[CLASSES] = {0}, images[CLASSES] = {0};
        bool met[101] = {false};
        for (uint64_t p = 0; p < vg_sampler_length(sampler); p++) {
            size_t index = vg_sampler_at(sampler, 3, p);
            int k = vg_dataset_label(dataset, index);
            seen[k]++;
            images[k] += !met[index];
            met[index] = true;
        }
        for (int k = 0; k < CLASSES; k++) {
            assert_int_equal(r.list[i].per_class[k].seen, seen[k]);
            assert_int_equal(r.list[i].per_class[k].images, images[k]);
        }
        vg_sampler_free(sampler);
    }
    vg_ways_reset(&r);
    vg_dataset_close(dataset);
    test_folder_remove(folder);
}

static void the_rule_follows_the_ratio(void **state)
{
    (void)state;
    static const struct {
        size_t counts[CLASSES];
        vg_sampling sampling;
    } cases[] = {
        {{100, 100, 90}, VG_SAMPLING_SHUFFLE}, {{100, 60, 60}, VG_SAMPLING_BALANCED},
        {{100, 100, 5}, VG_SAMPLING_BALANCED}, {{105, 100, 5}, VG_SAMPLING_SQRT},
        {{100, 0, 100}, VG_SAMPLING_SHUFFLE},  {{0, 0, 0}, VG_SAMPLING_SHUFFLE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        vg_ways r;
        vg_error err;
        assert_ok(vg_ways_make(cases[i].counts, CLASSES, 0.999, &r, &err));
        assert_int_equal(r.list[r.chosen].sampling, cases[i].sampling);
        assert_int_equal(r.list[r.chosen].weighting, VG_WEIGHTING_NONE);
        for (int k = 0; k < CLASSES; k++)
            if (cases[i].counts[k] == 0)
                assert_int_equal(r.list[r.chosen].per_class[k].seen, 0);
        vg_ways_reset(&r);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(weights_change_the_loss_and_not_the_epoch),
        cmocka_unit_test(samplings_are_the_samplers_own),
        cmocka_unit_test(the_rule_follows_the_ratio),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
