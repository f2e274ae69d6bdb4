/* Second looks of the check: how much a weaker operation would destroy, and whether classes that seem to be
 * exchanged still are on draws that had no part in choosing them. */
#include "base/alloc.h"
#include "base/threads.h"
#include "check_internal.h"

#include <stdlib.h>
#include <string.h>

/* ---- destroyed */

typedef struct trial {
    check_run *run;
    const check_draw *draw;
    size_t step;
    size_t *destroyed, *drawn; /* [pictures] */
} trial;

static void try_picture(void *context, int thread, size_t item)
{
    trial *t = context;
    check_run *run = t->run;
    check_worker *w = &run->workers[thread];
    size_t i = run->picture[item * t->step];
    vg_error err;
    const vg_image *image = check_picture(run, w, i, NULL, &err);
    if (!image || vg_augment_view(run->augment, NULL, w->scratch, image, w->before, &err) != VG_OK)
        return;
    for (int d = 0; d < run->options.draws; d++) {
        check_record record;
        if (check_draw_one(run, w, t->draw, image, i, d, &record, &err) != VG_OK)
            return;
        t->drawn[item] += record.drawn;
        t->destroyed[item] += record.drawn && vg_finding_destroys(record.finding);
    }
}

double check_destroyed(check_run *run, const check_draw *draw)
{
    trial t = {.run = run, .draw = draw, .step = run->pictures > 90 ? 3 : 1};
    size_t items = (run->pictures + t.step - 1) / t.step, destroyed = 0, drawn = 0;
    t.destroyed = vg_calloc(items, sizeof *t.destroyed);
    t.drawn = vg_calloc(items, sizeof *t.drawn);
    if (t.destroyed && t.drawn) {
        vg_parallel_for(run->threads, items, try_picture, &t);
        for (size_t i = 0; i < items; i++) {
            destroyed += t.destroyed[i];
            drawn += t.drawn[i];
        }
    }
    free(t.destroyed);
    free(t.drawn);
    return drawn ? (double)destroyed / (double)drawn : -1;
}

/* ---- exchanged */

/* Fresh draws have numbers from FRESH on. */
enum { FRESH = 1 << 12, FRESH_DRAWS = 8, FRESH_PICTURES = 64 };

typedef struct second {
    check_run *run;
    const check_draw *draw;
    size_t *picture; /* [pictures] references */
    int *named;      /* [pictures][FRESH_DRAWS] */
    size_t pictures;
    vg_error *errors; /* [pictures] */
} second;

static void draw_again(void *context, int thread, size_t item)
{
    second *s = context;
    check_run *run = s->run;
    check_worker *w = &run->workers[thread];
    size_t i = s->picture[item];
    vg_error *err = &s->errors[item];
    int *named = s->named + item * FRESH_DRAWS;
    for (int d = 0; d < FRESH_DRAWS; d++)
        named[d] = LABEL_NO_DRAW;
    const vg_image *image = check_picture(run, w, i, NULL, err);
    if (!image || vg_augment_view(run->augment, NULL, w->scratch, image, w->before, err) != VG_OK)
        return;
    for (int d = 0; d < FRESH_DRAWS; d++) {
        check_record record;
        if (check_draw_one(run, w, s->draw, image, i, FRESH + d, &record, err) != VG_OK)
            return;
        if (record.drawn)
            named[d] = check_name(run, w, i);
    }
}

/* References of both classes, of each at most FRESH_PICTURES. */
static size_t choose_both(const check_run *run, const label_exchange *x, size_t *picture)
{
    size_t count[2] = {0}, n = 0;
    for (size_t i = 0; i < run->space.count; i++)
        for (int side = 0; side < 2; side++)
            if (run->space.label[i] == x->classes[side] && !(run->looks[i] & CHECK_FLAT) &&
                count[side] < (size_t)run->options.again) {
                picture[n++] = i;
                count[side]++;
            }
    return n;
}

static vg_status look_again(second *s, label_exchange *x, vg_error *err)
{
    check_run *run = s->run;
    s->pictures = choose_both(run, x, s->picture);
    memset(s->errors, 0, s->pictures * sizeof *s->errors);
    vg_parallel_for(run->threads, s->pictures, draw_again, s);
    for (size_t i = 0; i < s->pictures; i++)
        if (s->errors[i].code == VG_E_NOMEM)
            return vg_fail(err, VG_E_NOMEM, "%s", s->errors[i].message);
    label_evidence evidence = {.before = run->before,
                               .picture = s->picture,
                               .named = s->named,
                               .pictures = s->pictures,
                               .draws = FRESH_DRAWS};
    label_measure(&run->space, &evidence, x);
    return VG_OK;
}

/* A policy of one operation, which has been looked at already. */
static bool is_alone(const check_run *run, int part)
{
    return run->draws[part].code < 0 && run->parts == 2;
}

/* How many tests there are. Where the work is bounded, the clearest candidates of each part are tested, on fewer
 * pictures. */
static int plan_tests(check_run *run, int *counts)
{
    enum { LEAST_AGAIN = 8 };
    size_t views = check_views(run), each = (size_t)2 * FRESH_DRAWS;
    for (int most = LABEL_CANDIDATES;; most--) {
        int tests = 0;
        for (int p = 0; p < run->parts; p++) {
            counts[p] = counts[p] < most ? counts[p] : most;
            tests += is_alone(run, p) ? 0 : counts[p];
        }
        if (tests == 0)
            return 0;
        size_t again = views / (each * (size_t)tests);
        if (again < LEAST_AGAIN && most > 1)
            continue;
        again = again < LEAST_AGAIN ? LEAST_AGAIN : again;
        if (again < (size_t)run->options.again)
            run->options.again = (int)again;
        return tests;
    }
}

vg_status check_confirm(check_run *run, vg_check *check, label_exchange *candidates, int *counts,
                        vg_error *err)
{
    int tests = plan_tests(run, counts);
    if (tests == 0)
        return VG_OK;
    const size_t most = (size_t)2 * FRESH_PICTURES;
    second s = {.run = run};
    s.picture = vg_alloc(most, sizeof *s.picture);
    s.named = vg_alloc(most, FRESH_DRAWS * sizeof *s.named);
    s.errors = vg_alloc(most, sizeof *s.errors);
    vg_status status = VG_OK;
    if (!s.picture || !s.named || !s.errors)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu pictures", most);
    for (int p = 0; p < run->parts && !status; p++)
        for (int c = is_alone(run, p) ? counts[p] : 0; c < counts[p] && !status; c++) {
            label_exchange *x = candidates + (size_t)p * LABEL_CANDIDATES + (size_t)c;
            vg_check_pair pairs[2];
            s.draw = &run->draws[p];
            status = look_again(&s, x, err);
            if (!status && label_is_exchange(x, tests, pairs))
                for (int i = 0; i < 2; i++)
                    if (check_applies(run, p, pairs[i].from))
                        label_keep(&check->parts[p], &pairs[i]);
        }
    free(s.picture);
    free(s.named);
    free(s.errors);
    return status;
}
