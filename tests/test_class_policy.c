/* Tests of class_policy.h, and that a transform uses them. */
#include "make_idx.h"

#include "base/rng.h"
#include "class_policy.h"
#include "transform.h"

#include <math.h>

enum { CLASSES = 10 };

/* Median of 40: classes 3 and 8 are rare, class 5 (20) is not. */
static const size_t train_counts[CLASSES] = {40, 60, 44, 9, 40, 20, 50, 30, 1, 70},
                    test_counts[CLASSES] = {2, 2, 2, 2, 2, 2, 2, 2, 2, 2};
static vg_dataset *dataset;
static char *folder;

static int setup(void **state)
{
    (void)state;
    dataset = make_idx_dataset(&folder, train_counts, test_counts, CLASSES, 8);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    vg_dataset_close(dataset);
    test_folder_remove(folder);
    return 0;
}

static vg_policy parse(const char *text)
{
    vg_error err = {0};
    vg_policy policy;
    assert_ok(vg_policy_parse(text, &policy, &err));
    return policy;
}

static vg_class_policies make(const vg_policy *general, const char *const *words)
{
    vg_error err = {0};
    vg_class_rules rules = {0}, copy;
    vg_class_policies table;
    for (; *words; words++)
        assert_ok(vg_class_rules_add_word(&rules, *words, &err));
    assert_ok(vg_class_rules_copy(&rules, &copy, &err));
    vg_class_rules_reset(&rules);
    assert_ok(vg_class_policies_make(&copy, general, dataset, &table, &err));
    vg_class_rules_reset(&copy);
    return table;
}

/* What the policy of a class is, as a line. */
static void is(const vg_class_policies *table, const vg_policy *general, int label,
               const char *line)
{
    char text[VG_POLICY_TEXT], wanted[VG_POLICY_TEXT];
    vg_policy_print(vg_class_policy_of(table, general, label), text, sizeof text);
    const vg_policy policy = parse(line);
    vg_policy_print(&policy, wanted, sizeof wanted);
    assert_string_equal(text, wanted);
}

static void test_words_change_the_general_policy(void **state)
{
    (void)state;
    const char *const words[] = {"6,9 = flip=none rotate=5",        "2=heavy noise=1",
                                 "4=randaugment=none chances=none", "0=augmix chances=none",
                                 "1=blur=1@0.5 trivialaugment",     NULL};
    const char *line = "rotate=90 flip=hv fill=reflect randaugment=2:9 equalize@0.1 grey@0.2";
    vg_policy general = parse(line);
    vg_class_policies table = make(&general, words);
    assert_int_equal(table.count, 5); /* 6 and 9 share one */
    is(&table, &general, 3, line);
    is(&table, &general, 6, "rotate=5 fill=reflect randaugment=2:9 equalize@0.1 grey@0.2");
    is(&table, &general, 9, "rotate=5 fill=reflect randaugment=2:9 equalize@0.1 grey@0.2");
    is(&table, &general, 2, "heavy noise=1");
    is(&table, &general, 4, "rotate=90 flip=hv fill=reflect");
    is(&table, &general, 0, "rotate=90 flip=hv fill=reflect augmix");
    is(&table, &general, 1, "rotate=90 flip=hv fill=reflect trivialaugment blur=1@0.5");
    is(NULL, &general, 6, line);
    is(&table, &general, -1, line);
    is(&table, &general, CLASSES, line);
    vg_class_policies_reset(&table);
}

static void test_rare_classes(void **state)
{
    (void)state;
    const char *const words[] = {"rare=heavy", "8,5=flip=none", NULL};
    vg_policy general = parse("light");
    vg_class_policies table = make(&general, words);
    char names[64];
    for (int k = 0; k < CLASSES; k++)
        is(&table, &general, k,
           k == 3   ? "heavy"
           : k == 8 ? "heavy flip=none" /* what the rules before made of it is changed */
           : k == 5 ? "light flip=none"
                    : "light");
    vg_class_policies_names(&table, 0, dataset, names, sizeof names);
    assert_string_equal(names, "3");
    vg_class_policies_reset(&table);
    const char *const many[] = {"0,1,2,3,4,5,6,7,8,9=none", NULL};
    table = make(&general, many);
    vg_class_policies_names(&table, 0, dataset, names, sizeof names);
    assert_string_equal(names, "0, 1, 2, 3, 4, 5, 6, 7, 8, 9");
    vg_class_policies_names(&table, 0, dataset, names, 36);
    assert_string_equal(names, "0, 1, 2, 3, 4, ... (10 in all)");
    vg_class_policies_reset(&table);
}

static void test_no_rules(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_class_rules rules = {0};
    vg_class_policies table;
    vg_policy general = parse("light"), none = parse("none");
    assert_ok(vg_class_policies_make(&rules, &general, dataset, &table, &err));
    assert_int_equal(table.count, 0);
    is(&table, &general, 3, "light");
    assert_true(vg_class_rules_are_none(&rules, &none));
    assert_ok(vg_class_rules_add(&rules, "3", "fill=wrap", &err));
    assert_true(vg_class_rules_are_none(&rules, &none));
    assert_false(vg_class_rules_are_none(&rules, &general));
    assert_ok(vg_class_rules_add(&rules, "4", "noise=1", &err));
    assert_false(vg_class_rules_are_none(&rules, &none));
    vg_class_rules_reset(&rules);
}

static void test_errors(void **state)
{
    (void)state;
    static const struct {
        const char *word, *message;
    } wrong[] = {
        {"cat", "expected CLASS[,CLASS]=WORDS"},  {"=rotate=5", "found no class"},
        {" , =rotate=5", "found no class"},       {"6=", "found no words for class \"6\""},
        {"6=rotat=5", "did you mean \"rotate\""}, {"6=mixup=0.2", "key of the job"},
    };
    vg_class_rules rules = {0};
    for (size_t i = 0; i < sizeof wrong / sizeof *wrong; i++) {
        vg_error err = {0};
        assert_int_equal(vg_class_rules_add_word(&rules, wrong[i].word, &err), VG_E_ARG);
        assert_contains(err.message, wrong[i].message);
        assert_int_equal(rules.count, 0);
    }
    vg_error err = {0};
    vg_class_policies table;
    vg_policy general = parse("blur=1@0.5");
    assert_ok(vg_class_rules_add(&rules, "6,12", "rotate=5", &err));
    assert_int_equal(vg_class_policies_make(&rules, &general, dataset, &table, &err), VG_E_ARG);
    assert_contains(err.message, "\"12\"");
    assert_contains(err.message, "did you mean \"1\"");
    assert_true(!table.of_class && !table.policies);
    vg_class_rules_reset(&rules);
    assert_ok(vg_class_rules_add(&rules, "9", "augmix", &err));
    assert_int_equal(vg_class_policies_make(&rules, &general, dataset, &table, &err), VG_E_ARG);
    assert_contains(err.message, "for class \"9\": policy: augmix");
    vg_class_rules_reset(&rules);
}

static void test_warnings(void **state)
{
    (void)state;
    vg_error err = {0};
    vg_class_rules rules = {0};
    vg_policy general = parse("shear=0.2");
    char text[400];
    assert_int_equal(vg_class_rules_warnings(&rules, &general, text, sizeof text), 0);
    assert_string_equal(text, "");
    assert_ok(vg_class_rules_add(&rules, "6,9", "rotate=0.5 brightness=2", &err));
    assert_ok(vg_class_rules_add(&rules, "rare", "noise=3", &err));
    assert_int_equal(vg_class_rules_warnings(&rules, &general, text, sizeof text), 2);
    assert_string_equal(text, "class 6,9: rotate=0.5 is in degrees and changes nothing one could "
                              "see | class 6,9: brightness=2 makes some pictures black");
    vg_class_rules_reset(&rules);
}

/* A six that is turned is a nine. */
static void test_six_and_nine_are_never_turned(void **state)
{
    (void)state;
    enum { N = 28 };
    vg_error err = {0};
    const char *const words[] = {"6,9=rotate=0 flip=none chances=none", NULL};
    vg_augment augment = {.channels = 1, .width = N, .height = N};
    augment.policy = parse("rotate=180 flip=hv shift=0.1 rotate=30@0.5 turn@0.5");
    augment.normalizer = vg_normalizer_make(VG_NORMALIZE_NONE, 1, NULL);
    vg_class_policies table = make(&augment.policy, words);
    augment.class_policies = &table;
    int turned[CLASSES] = {0};
    for (uint64_t n = 0; n < 4000; n++) {
        int label = (int)(n % CLASSES);
        vg_sample_key key = {.seed = 7, .epoch = (uint32_t)n, .position = n, .label = label};
        vg_plan plan = vg_plan_draw(vg_augment_policy(&augment, label), &key, N, N, N, N);
        turned[label] += plan.rotate_deg != 0 || plan.flip_horizontal || plan.flip_vertical ||
                         plan.steps.count > 0;
    }
    for (int k = 0; k < CLASSES; k++)
        assert_true(k == 6 || k == 9 ? turned[k] == 0 : turned[k] > 390);
    /* and what the loader calls does the same: a bright mark in the upper half stays there */
    vg_transform transform = vg_augment_transform(&augment);
    vg_image in = {0};
    assert_ok(vg_image_shape(&in, N, N, 1, &err));
    memset(in.data, 0, vg_image_bytes(&in));
    memset(in.data + 6 * N, 200, 4 * N);
    void *scratch = NULL;
    assert_ok(transform.scratch_new(transform.context, &scratch, &err));
    int moved[CLASSES] = {0};
    for (uint64_t n = 0; n < 400; n++) {
        float out[N * N];
        vg_sample_key key = {.seed = 7, .position = n, .label = (int)(n % CLASSES)};
        assert_ok(vg_transform_picture(&transform, scratch, &in, &key, out, &err));
        double above = 0, below = 0;
        for (int i = 0; i < N * N; i++)
            *(i < N * N / 2 ? &above : &below) += (double)out[i];
        moved[key.label] += below > 0.25 * above;
    }
    for (int k = 0; k < CLASSES; k++)
        assert_true(k == 6 || k == 9 ? moved[k] == 0 : moved[k] > 5);
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_class_policies_reset(&table);
}

/* The part that a transform asks for is enough, whatever the class, and the pictures are the same. */
static void test_a_part_gives_what_the_whole_gives(void **state)
{
    (void)state;
    enum { W = 90, H = 70, N = 16 };
    vg_error err = {0};
    const char *const words[] = {"1=crop=0.1:0.4",       "2=none",        "3=heavy",
                                 "4=crop=0.5 rotate=20", "5=randaugment", NULL};
    vg_augment augment = {.channels = 3, .width = N, .height = N, .policy = parse("light")};
    augment.normalizer = vg_normalizer_make(VG_NORMALIZE_UNIT, 3, NULL);
    vg_class_policies table = make(&augment.policy, words);
    augment.class_policies = &table;
    vg_transform transform = vg_augment_transform(&augment);
    vg_image in = {0};
    assert_ok(vg_image_shape(&in, W, H, 3, &err));
    vg_rng rng = vg_rng_make(3, 0, 0, VG_RNG_SAMPLE_DATA);
    for (size_t i = 0; i < vg_image_bytes(&in); i++)
        in.data[i] = (uint8_t)vg_rng_u32(&rng);
    void *scratch = NULL;
    assert_ok(transform.scratch_new(transform.context, &scratch, &err));
    vg_view view = vg_image_view(&in);
    size_t least[6];
    for (int k = 0; k < 6; k++)
        least[k] = W * H;
    for (uint64_t n = 0; n < 300; n++) {
        vg_sample_key key = {.seed = 11, .position = n, .label = (int)(n % 6)};
        vg_region whole = vg_region_whole(W, H, 1), part = whole;
        float a[3 * N * N], b[3 * N * N];
        transform.region(&augment, &key, &part);
        vg_view cut = vg_view_part(&view, part.x, part.y, part.width, part.height);
        assert_ok(transform.run(&augment, scratch, &view, &whole, &key, a, &err));
        assert_ok(transform.run(&augment, scratch, &cut, &part, &key, b, &err));
        assert_memory_equal(a, b, sizeof a);
        size_t area = (size_t)part.width * (size_t)part.height;
        least[key.label] = area < least[key.label] ? area : least[key.label];
    }
    assert_true(least[1] < W * H / 4 && least[2] == W * H); /* crops read little, none all */
    transform.scratch_free(scratch);
    vg_image_reset(&in);
    vg_class_policies_reset(&table);
}

/* A cached picture serves all samples of its size: the class that looks closest decides. */
static void test_shrink_is_for_the_strongest(void **state)
{
    (void)state;
    const char *const words[] = {"2=crop=0.04:1", "3=zoom=0.45:1", NULL};
    vg_augment augment = {.channels = 3, .width = 64, .height = 64, .max_shrink = 8};
    augment.policy = parse("none");
    vg_transform transform = vg_augment_transform(&augment);
    assert_int_equal(transform.shrink(&augment, 1100, 1100), 8);
    vg_class_policies table = make(&augment.policy, words);
    augment.class_policies = &table;
    int all = transform.shrink(&augment, 1100, 1100);
    augment.policy = table.policies[0];
    augment.class_policies = NULL;
    assert_int_equal(all, transform.shrink(&augment, 1100, 1100));
    assert_true(all < 4);
    vg_class_policies_reset(&table);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_words_change_the_general_policy),
        cmocka_unit_test(test_rare_classes),
        cmocka_unit_test(test_no_rules),
        cmocka_unit_test(test_errors),
        cmocka_unit_test(test_warnings),
        cmocka_unit_test(test_six_and_nine_are_never_turned),
        cmocka_unit_test(test_a_part_gives_what_the_whole_gives),
        cmocka_unit_test(test_shrink_is_for_the_strongest),
    };
    return cmocka_run_group_tests(tests, setup, teardown);
}
