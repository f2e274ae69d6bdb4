/* From figures to sentences: what is worth a warning, how important it is, and what to write instead. */
#include "base/alloc.h"
#include "base/statistics.h"
#include "base/text.h"
#include "check_internal.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A warning of destruction needs more than MOST_DESTROYED of the draws of the policy; a remedy may destroy
 * SAFE. Below a twentieth it is a kind of label noise that training bears. */
static const double MOST_DESTROYED = 0.05, SAFE = 0.02, NO_EFFECT = 0.9;

const char *vg_check_kind_name(vg_check_kind kind)
{
    static const char *const names[] = {"flat",    "destroys", "labels",    "mixing",
                                        "repeats", "same",     "no-effect", "note"};
    return names[kind];
}

/* ---- the list */

typedef struct finder {
    check_run *run;
    vg_check *check;
    size_t capacity;
    double *weights; /* importance within a kind */
    size_t weight_capacity;
    bool failed;
} finder;

static vg_check_finding *add(finder *f, vg_check_kind kind, int part, double share, double weight)
{
    vg_check *c = f->check;
    size_t n = (size_t)c->finding_count;
    if (!vg_grow(&c->findings, &f->capacity, n + 1, sizeof *c->findings) ||
        !vg_grow(&f->weights, &f->weight_capacity, n + 1, sizeof *f->weights)) {
        f->failed = true;
        return NULL;
    }
    f->weights[n] = weight;
    c->findings[n] = (vg_check_finding){.kind = kind, .part = part, .share = share};
    c->finding_count++;
    c->warning_count += kind != VG_CHECK_NOTE;
    return &c->findings[n];
}

#define SAY(finding, ...) vg_text_append((finding)->text, sizeof(finding)->text, __VA_ARGS__)
#define REMEDY(finding, ...) vg_text_append((finding)->remedy, sizeof(finding)->remedy, __VA_ARGS__)

/* ---- flat */

static void find_flat(finder *f)
{
    const vg_flat *flat = &f->check->flat;
    if (!flat->flat)
        return;
    bool bad = vg_flat_is_bad(flat);
    double share = (double)flat->flat / (double)flat->pictures;
    char colour[VG_BACKGROUND_TEXT];
    vg_check_finding *finding = add(f, bad ? VG_CHECK_FLAT : VG_CHECK_NOTE, -1, share, share);
    if (!finding)
        return;
    vg_flat_words(flat, f->run->dataset, finding->text, sizeof finding->text);
    if (flat->better >= 0)
        REMEDY(finding, "--background %s", vg_background_print(flat->better, colour));
}

/* ---- destroyed */

static size_t destroyed(const vg_check_part *part, vg_finding *most)
{
    size_t sum = 0;
    *most = VG_FINDING_NONE;
    for (int i = 0; i < VG_FINDING_COUNT; i++) {
        vg_finding finding = (vg_finding)i;
        if (!vg_finding_destroys(finding))
            continue;
        sum += part->findings[i];
        if (part->findings[i] > (*most ? part->findings[*most] : 0))
            *most = finding;
    }
    return sum;
}

static const char *what_it_does(vg_finding finding)
{
    switch (finding) {
    case VG_FINDING_FILL:
        return "leaves mostly fill";
    case VG_FINDING_CUT:
        return "loses the object";
    case VG_FINDING_CLIPPED:
        return "turns pictures black or white";
    case VG_FINDING_FLAT:
        return "leaves no contrast";
    default:
        return "leaves no detail";
    }
}

/* The largest strength that destroys no more than is safe. */
static void find_safe(finder *f, const check_draw *draw, vg_check_finding *finding)
{
    double low = 0, high = 1, share = 0;
    check_draw weaker, safe;
    char words[160], before[160];
    bool found = false;
    check_draw_words(draw, before, sizeof before);
    for (int i = 0; i < 6; i++) {
        double middle = (low + high) / 2;
        if (!check_draw_weaken(draw, middle, &weaker))
            break;
        double now = check_destroyed(f->run, &weaker);
        if (now >= 0 && now <= SAFE) {
            low = middle;
            share = now;
            safe = weaker;
            found = true;
        } else {
            high = middle;
        }
    }
    if (found) {
        check_draw_words(&safe, words, sizeof words);
        SAY(finding, "; %s in %.0f %%", words, 100 * share);
        REMEDY(finding, "%s", words);
    } else if (draw->part.set >= 0 || draw->code < 0) {
        REMEDY(finding, "a smaller magnitude, as in randaugment=1:5");
    } else {
        REMEDY(finding, "leave it out");
    }
}

static void find_destroyed(finder *f)
{
    const vg_check *c = f->check;
    double worst = 0;
    for (int i = 0; i < c->part_count; i++) {
        const vg_check_part *part = &f->check->parts[i];
        const check_draw *draw = &f->run->draws[i];
        vg_finding most;
        double low, high, share = 0;
        size_t count = destroyed(part, &most);
        if (part->draws)
            share = (double)count / (double)part->draws;
        vg_wilson((double)count, (double)part->draws, &low, &high);
        bool together = part->whole && share < 1.5 * worst;
        if (share * draw->chance <= MOST_DESTROYED || low < SAFE || together)
            continue;
        worst = fmax(worst, share * draw->chance);
        vg_check_finding *finding = add(f, VG_CHECK_DESTROYS, i, share, share * draw->chance);
        if (!finding)
            return;
        if (part->whole) {
            SAY(finding, "all operations together destroy %.0f %% of the draws", 100 * share);
            REMEDY(finding, "fewer or weaker operations");
        } else {
            SAY(finding, "%s %s in %.0f %% of its draws", part->words, what_it_does(most),
                100 * share);
            find_safe(f, draw, finding);
        }
    }
}

/* "the policy", "the policy for 6, 9", "rotate=20". */
static const char *name_of(const vg_check_part *part)
{
    return strcmp(part->words, "policy") == 0 ? "the policy" : part->words;
}

/* ---- labels */

static void find_labels(finder *f)
{
    const vg_check *c = f->check;
    bool named = false;
    for (int i = 0; i < c->part_count; i++) {
        const vg_check_part *part = &f->check->parts[i];
        if (part->pair_count == 0 || (part->whole && (named || f->run->parts == 2)))
            continue;
        named = true;
        const vg_check_pair *pair = &part->pairs[0];
        double chance = f->run->draws[i].chance;
        vg_check_finding *finding = add(f, VG_CHECK_LABELS, i, pair->share, pair->share * chance);
        if (!finding)
            return;
        const vg_dataset *data = f->run->dataset;
        SAY(finding,
            "%s turns \"%.60s\" into \"%.60s\": nearer to it are %.0f %% of the draws, %.0f %% "
            "without",
            name_of(part), vg_dataset_class_name(data, pair->from),
            vg_dataset_class_name(data, pair->to), 100 * pair->share, 100 * pair->before);
        int more = 0, listed = 0;
        for (int k = 1; k < part->pair_count && k < VG_CHECK_PAIRS; k++) {
            const vg_check_pair *p = &part->pairs[k];
            if (p->from == pair->to && p->to == pair->from)
                continue;
            if (listed++ < 2)
                SAY(finding, "; \"%.40s\" into \"%.40s\" (%.0f %%)",
                    vg_dataset_class_name(data, p->from), vg_dataset_class_name(data, p->to),
                    100 * p->share);
            else
                more++;
        }
        more += part->pair_count > VG_CHECK_PAIRS ? part->pair_count - VG_CHECK_PAIRS : 0;
        if (more)
            SAY(finding, "; %d more pair%s", more, more == 1 ? "" : "s");
        if (f->run->draws[i].code == VG_PART_FLIP)
            REMEDY(finding, "flip=none");
        else
            REMEDY(finding, "leave it out, or weaken it until this is gone");
    }
    if (!c->labels_judged && c->part_count > 0) {
        vg_check_finding *note = add(f, VG_CHECK_NOTE, -1, c->crossed_before, 1);
        if (note)
            SAY(note,
                "whether labels stay true was not judged: %.0f %% of the pictures as they are look "
                "more like another class",
                100 * c->crossed_before);
    }
}

/* ---- nothing happens */

static bool is_about_colour(int code)
{
    static const int codes[] = {VG_PART_SATURATION,
                                VG_PART_HUE,
                                VG_PART_STEP + VG_OP_SATURATION,
                                VG_PART_STEP + VG_OP_HUE,
                                VG_PART_STEP + VG_OP_SHUFFLE,
                                VG_PART_STEP + VG_OP_GREY};
    for (size_t i = 0; i < sizeof codes / sizeof *codes; i++)
        if (codes[i] == code)
            return true;
    return false;
}

static void remedy_no_effect(const check_draw *draw, vg_check_finding *finding)
{
    const vg_policy *p = &draw->policy;
    if (draw->code == VG_PART_SHEAR && p->shear_deg < 1)
        REMEDY(finding, "it is in degrees; for radians write shear=%.0f",
               p->shear_deg * 57.29577951308232);
    else if (draw->code == VG_PART_ROTATE && p->rotate_deg < 3.2)
        REMEDY(finding, "it is in degrees; for radians write rotate=%.0f",
               p->rotate_deg * 57.29577951308232);
    else
        REMEDY(finding, "leave it out, or make it stronger");
}

static void find_no_effect(finder *f)
{
    const vg_check *c = f->check;
    bool named = false;
    for (int i = 0; i < c->part_count; i++) {
        const vg_check_part *part = &f->check->parts[i];
        const check_draw *draw = &f->run->draws[i];
        double share =
            part->draws ? (double)part->findings[VG_FINDING_UNCHANGED] / (double)part->draws : 1;
        bool few = part->draws > 0 && part->draws < 16;
        if (share <= NO_EFFECT || few || draw->part.set >= 0 || (part->whole && named))
            continue;
        named = true;
        bool grey = share == 1 && part->change < 0.01 && is_about_colour(draw->code);
        vg_check_finding *finding =
            add(f, grey ? VG_CHECK_NOTE : VG_CHECK_NO_EFFECT, i, share, share);
        if (!finding)
            return;
        if (grey) {
            SAY(finding, "%s does nothing to grey pictures", part->words);
        } else {
            SAY(finding,
                "%s changes nothing that can be seen in %.0f %% of %s draws (%.2g of 255 steps)",
                name_of(part), 100 * share, part->whole ? "the" : "its", part->change);
            remedy_no_effect(draw, finding);
        }
    }
}

/* ---- mixing */

static void find_mixing(finder *f)
{
    const vg_check_mix *mix = &f->check->mix;
    const vg_mixing *asked = &f->run->options.mixing;
    double low, high, draws = (double)mix->draws;
    if (mix->draws == 0)
        return;
    double wrong = (double)mix->wrong / draws, pure = (double)mix->pure / draws;
    vg_wilson((double)mix->wrong, draws, &low, &high);
    if (wrong > MOST_DESTROYED && low > SAFE) {
        vg_check_finding *finding = add(f, VG_CHECK_MIXING, -1, wrong, wrong);
        if (finding) {
            SAY(finding,
                "cutmix=%g: in %.0f %% of the mixed samples less than a quarter of the picture "
                "that the label is mostly about is in view",
                asked->cutmix, 100 * wrong);
            REMEDY(finding, "mixup, which hides nothing, or a smaller mix_chance");
        }
    }
    if (pure > NO_EFFECT) {
        vg_check_finding *finding = add(f, VG_CHECK_MIXING, -1, pure, pure);
        if (finding) {
            SAY(finding, "mixing leaves one picture alone in %.0f %% of the mixed samples",
                100 * pure);
            REMEDY(finding, asked->mixup > 0 ? "mixup=0.2" : "cutmix=1");
        }
    }
}

/* ---- the same again */

enum { VIEWS = 256, MANY_SHOWS = 16 };

/* Different views of one picture among `shows` draws, by their plans; all of them where pixels draw
 * numbers of their own. */
static int count_plans(const check_run *run, size_t reference, int shows)
{
    const vg_augment *a = run->augment;
    const check_draw *whole = &run->draws[check_whole_of(run, run->space.label[reference])];
    uint64_t seen[VIEWS];
    int count = 0;
    for (int i = 0; i < shows; i++) {
        size_t index = run->index[reference];
        vg_sample_key key = {.seed = run->options.seed,
                             .epoch = (uint32_t)i,
                             .position = index,
                             .index = index,
                             .label = run->space.label[reference]};
        bool nothing;
        /* The size of the picture only scales a crop. */
        vg_plan plan = check_draw_plan(whole, &key, (const int[2]){a->width, a->height},
                                       (const int[2]){512, 512}, &nothing);
        char text[VG_PLAN_TEXT];
        vg_plan_print(&plan, text, sizeof text);
        bool random = plan.noise > 0;
        for (int k = 0; k < plan.steps.count; k++) {
            vg_kind kind = vg_operation_of(plan.steps.step[k].operation)->kind;
            random = random || kind == VG_KIND_NOISE || kind == VG_KIND_OCCLUDE;
        }
        uint64_t hash = vg_hash(text, strlen(text), random ? (uint64_t)i + 1 : 0);
        int k = 0;
        while (k < count && seen[k] != hash)
            k++;
        if (k == count)
            seen[count++] = hash;
    }
    return count;
}

static void find_repeats(finder *f)
{
    const check_run *run = f->run;
    const vg_check *c = f->check;
    int place = check_whole_of(run, run->space.label[run->picture[0]]);
    if (place < 0)
        return;
    const vg_check_part *whole = &c->parts[place];
    double unchanged = (double)whole->findings[VG_FINDING_UNCHANGED];
    if (run->options.draws > 1 && c->views * run->options.draws < 1.001 &&
        unchanged <= NO_EFFECT * (double)whole->draws) {
        vg_check_finding *same = add(f, VG_CHECK_SAME, place, 1 - c->views, 1);
        if (same) {
            SAY(same, "nothing is drawn: a sample has the same view in every epoch");
            REMEDY(same, "ranges instead of single values, as in contrast=0.3");
        }
        return;
    }
    int shows = run->options.shows < VIEWS ? (int)run->options.shows : VIEWS;
    if (shows < 8)
        return;
    int views = count_plans(run, run->picture[0], shows);
    if (views * 4 > shows)
        return;
    vg_check_kind kind = shows < MANY_SHOWS ? VG_CHECK_NOTE : VG_CHECK_REPEATS;
    vg_check_finding *few = add(f, kind, place, (double)views / shows, 1);
    if (few) {
        SAY(few, "a picture of the rarest class is shown %.0f times, in %d different view%s",
            run->options.shows, views, views == 1 ? "" : "s");
        REMEDY(few, "more operations, as in light");
    }
}

/* ---- in order */

static int rank_of(vg_check_kind kind)
{
    return kind == VG_CHECK_LABELS ? (int)VG_CHECK_DESTROYS : (int)kind;
}

/* Insertion sort: a handful, and what is alike stays in the order of the policy. */
static void put_in_order(finder *f)
{
    vg_check_finding *list = f->check->findings;
    for (int i = 1; i < f->check->finding_count; i++)
        for (int k = i; k > 0; k--) {
            int a = rank_of(list[k - 1].kind), b = rank_of(list[k].kind);
            if (a < b || (a == b && f->weights[k - 1] >= f->weights[k]))
                break;
            vg_check_finding finding = list[k];
            double weight = f->weights[k];
            list[k] = list[k - 1];
            f->weights[k] = f->weights[k - 1];
            list[k - 1] = finding;
            f->weights[k - 1] = weight;
        }
}

vg_status check_find(check_run *run, vg_check *check, vg_error *err)
{
    finder f = {.run = run, .check = check};
    find_flat(&f);
    if (check->part_count > 0 && check->pictures > 0) {
        find_destroyed(&f);
        find_labels(&f);
        find_repeats(&f);
        find_no_effect(&f);
    }
    find_mixing(&f);
    put_in_order(&f);
    free(f.weights);
    return f.failed ? vg_fail(err, VG_E_NOMEM, "out of memory for findings") : VG_OK;
}
