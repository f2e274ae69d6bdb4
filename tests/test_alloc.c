/* Tests of base/alloc.h. */
#include "test.h"

#include "base/alloc.h"

static void test_overflow_gives_null(void **state)
{
    (void)state;
    assert_null(vg_alloc(SIZE_MAX / 2, 3));
    assert_null(vg_calloc(SIZE_MAX, 2));
    assert_null(vg_alloc_aligned(SIZE_MAX, 1));
    assert_null(vg_alloc_lines(SIZE_MAX, 1));
    assert_null(vg_alloc_lines(SIZE_MAX / 2, 3));
    assert_null(vg_realloc(NULL, SIZE_MAX / 4, 8));
    size_t product;
    assert_false(vg_mul_size(SIZE_MAX, 2, &product));
    assert_true(vg_mul_size(6, 7, &product));
    assert_int_equal(product, 42);
}

static void test_zero_bytes_are_a_pointer(void **state)
{
    (void)state;
    void *p = vg_alloc(0, 8), *q = vg_alloc_aligned(0, 4);
    assert_non_null(p);
    assert_non_null(q);
    free(p);
    free(q);
}

static void test_aligned_and_zeroed(void **state)
{
    (void)state;
    for (size_t n = 1; n < 200; n += 13) {
        unsigned char *p = vg_alloc_aligned(n, 1);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % VG_ALIGNMENT, 0);
        for (size_t i = 0; i < n; i++)
            assert_int_equal(p[i], 0);
        free(p);
    }
}

static void test_lines_are_aligned(void **state)
{
    (void)state;
    for (size_t n = 0; n < 200; n += 13) {
        unsigned char *p = vg_alloc_lines(n, 3);
        assert_non_null(p);
        assert_int_equal((uintptr_t)p % VG_ALIGNMENT, 0);
        memset(p, 1, 3 * n);
        free(p);
    }
}

static void test_grow_keeps_content(void **state)
{
    (void)state;
    int *list = NULL;
    size_t capacity = 0;
    for (int i = 0; i < 1000; i++) {
        assert_true(vg_grow(&list, &capacity, (size_t)i + 1, sizeof *list));
        list[i] = i;
    }
    for (int i = 0; i < 1000; i++)
        assert_int_equal(list[i], i);
    int *before = list;
    assert_false(vg_grow(&list, &capacity, SIZE_MAX / 2, sizeof *list));
    assert_ptr_equal(list, before);
    free(list);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_overflow_gives_null), cmocka_unit_test(test_zero_bytes_are_a_pointer),
        cmocka_unit_test(test_aligned_and_zeroed),  cmocka_unit_test(test_lines_are_aligned),
        cmocka_unit_test(test_grow_keeps_content),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
