/* What every test includes: cmocka with its prerequisites, and a few helpers. Header only. */
#ifndef VG_TEST_H
#define VG_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/status.h"

/* The call must succeed; prints the message if it does not. */
#define assert_ok(call)                                                                            \
    do {                                                                                           \
        vg_status status_ = (call);                                                                \
        if (status_ != VG_OK)                                                                      \
            print_error("status %d (%s): %s\n", status_, vg_status_text(status_), err.message);    \
        assert_int_equal(status_, VG_OK);                                                          \
    } while (0)

/* |a - b| <= tolerance, for doubles. */
#define assert_near(a, b, tolerance)                                                               \
    do {                                                                                           \
        double a_ = (a), b_ = (b), t_ = (tolerance);                                               \
        if (!(a_ - b_ <= t_ && b_ - a_ <= t_))                                                     \
            fail_msg("%s = %.9g, expected %.9g +- %g", #a, a_, b_, t_);                            \
    } while (0)

#define assert_contains(text, part)                                                                \
    do {                                                                                           \
        if (!strstr((text), (part)))                                                               \
            fail_msg("\"%s\" does not contain \"%s\"", (text), (part));                            \
    } while (0)

/* A fresh folder for this test; removed by test_folder_remove. Aborts the test when it cannot be
 * made. */
static inline char *test_folder_make(void)
{
    const char *base = getenv("TMPDIR");
    char *made = malloc(4096);
    assert_non_null(made);
    snprintf(made, 4096, "%s/vg-test-XXXXXX", base && *base ? base : "/tmp");
    assert_non_null(mkdtemp(made));
    return made;
}

static inline void test_folder_remove(char *path)
{
    char command[4200];
    snprintf(command, sizeof command, "rm -rf '%s'", path);
    assert_int_equal(system(command), 0);
    free(path);
}

#endif
