/* Tests of load/ledger.h: states, the limit, and what is listed of very many suspicious files. */
#include "test.h"

#include "dataset_fixture.h"
#include "load/ledger.h"

static vg_bad_sample sample(size_t index, vg_bad_kind kind, vg_bad_cause cause)
{
    vg_bad_sample bad = {.index = index, .kind = kind, .cause = cause, .offset = UINT64_MAX};
    snprintf(bad.reason, sizeof bad.reason, "file%zu: broken", index);
    return bad;
}

static void note(vg_ledger *ledger, size_t index, vg_bad_kind kind, vg_bad_cause cause)
{
    vg_error err = {0};
    vg_bad_sample bad = sample(index, kind, cause);
    assert_ok(vg_ledger_note(ledger, &bad, &err));
}

static vg_ledger *ledger_of(size_t samples, double share)
{
    vg_error err = {0};
    vg_ledger *ledger = NULL;
    assert_ok(vg_ledger_new(samples, samples, share, &ledger, &err));
    return ledger;
}

static void test_states(void **state)
{
    (void)state;
    vg_ledger *ledger = ledger_of(10, 0.1);
    assert_int_equal(vg_ledger_state(ledger, 3), 0);
    vg_ledger_set_good(ledger, 3);
    note(ledger, 4, VG_BAD_REPAIRED, VG_CAUSE_DAMAGED);
    note(ledger, 5, VG_BAD_SKIPPED, VG_CAUSE_FOREIGN);
    note(ledger, 5, VG_BAD_SKIPPED, VG_CAUSE_FOREIGN); /* another worker met it too */
    note(ledger, 2, VG_BAD_SUSPICIOUS, VG_CAUSE_EXTENSION);
    assert_int_equal(vg_ledger_state(ledger, 2), VG_SAMPLE_GOOD);
    assert_int_equal(vg_ledger_state(ledger, 3), VG_SAMPLE_GOOD);
    assert_int_equal(vg_ledger_state(ledger, 4), VG_SAMPLE_REPAIRED);
    assert_int_equal(vg_ledger_state(ledger, 5), VG_SAMPLE_BAD);
    size_t count;
    const vg_bad_sample *list = vg_ledger_sorted(ledger, &count);
    assert_int_equal(count, 3);
    const size_t expected[] = {2, 4, 5};
    for (size_t i = 0; i < 3; i++)
        assert_int_equal(list[i].index, expected[i]);
    uint64_t counts[3];
    vg_ledger_counts(ledger, counts);
    assert_true(counts[0] == 1 && counts[1] == 1 && counts[2] == 1);
    vg_ledger_free(ledger);
}

/* Rounded up, counted once a sample, and not by repaired ones. */
static void test_limit(void **state)
{
    (void)state;
    const double shares[] = {0, 0.1, 0.1, 0.5, 1};
    const size_t samples[] = {5, 5, 30, 5, 5}, allowed[] = {0, 1, 3, 3, 5};
    for (int i = 0; i < 5; i++) {
        vg_ledger *ledger = ledger_of(samples[i], shares[i]);
        assert_int_equal(vg_ledger_allowed(ledger), allowed[i]);
        vg_ledger_free(ledger);
    }
    vg_ledger *ledger = ledger_of(20, 0.1);
    note(ledger, 9, VG_BAD_REPAIRED, VG_CAUSE_DAMAGED);
    for (size_t i = 0; i < 3; i++)
        note(ledger, i, VG_BAD_SKIPPED, i ? VG_CAUSE_DAMAGED : VG_CAUSE_FOREIGN);
    assert_false(vg_ledger_count(ledger, 2));
    assert_false(vg_ledger_count(ledger, 2));
    assert_false(vg_ledger_count(ledger, 1));
    assert_true(vg_ledger_count(ledger, 0));

    vg_error err = {0};
    char *folder = test_folder_make();
    vg_dataset *dataset = NULL;
    put_flat(folder, "a/0.png", 1, (const uint8_t[]){7});
    assert_ok(vg_dataset_open(folder, NULL, &dataset, &err));
    vg_ledger_explain(ledger, dataset, &err);
    assert_int_equal(err.code, VG_E_LIMIT);
    assert_contains(err.message, "3 of 20 samples");
    assert_contains(err.message, "1 not a picture that can be read, 2 damaged");
    assert_contains(err.message, "10 %");
    assert_contains(err.message, "; file0: broken; file1: broken; file2: broken");
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    vg_ledger_free(ledger);
}

/* The first thousand by index are listed, in whatever order they came. */
static void test_many_suspicious(void **state)
{
    (void)state;
    enum { SAMPLES = 5000 };
    for (int order = 0; order < 3; order++) {
        vg_ledger *ledger = ledger_of(SAMPLES, 0.1);
        for (size_t i = 0; i < SAMPLES; i++) {
            size_t index = order == 0 ? i : order == 1 ? SAMPLES - 1 - i : i * 1777 % SAMPLES;
            note(ledger, index, VG_BAD_SUSPICIOUS, VG_CAUSE_WARNING);
        }
        size_t count;
        const vg_bad_sample *list = vg_ledger_sorted(ledger, &count);
        assert_int_equal(count, 1000);
        for (size_t i = 0; i < count; i++)
            assert_int_equal(list[i].index, i);
        uint64_t counts[3];
        vg_ledger_counts(ledger, counts);
        assert_int_equal(counts[VG_BAD_SUSPICIOUS], SAMPLES);
        vg_ledger_free(ledger);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_states),
        cmocka_unit_test(test_limit),
        cmocka_unit_test(test_many_suspicious),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
