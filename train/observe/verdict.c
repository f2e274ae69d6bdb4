/* From measurements to a verdict.
 *
 * One measurement is judged by fixed rules, the first that fits; a training by what two looks in a
 * row agree on. The thresholds were measured on planted faults and healthy controls; they are not
 * options, because a verdict that can be tuned proves nothing. The effective rank takes no part: a
 * well-trained network has few directions left. */
#include "observe/verdict.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define CONSTANT 0.02    /* input information, upper bound */
#define ONE_CLASS 0.98   /* share of the most named class */
#define MAJORITY 0.9     /* a probe more skewed than this cannot tell one-class from right */
#define DIVERSE 0.1      /* input information of outputs that differ clearly */
#define UNTRAINED 0.04   /* input information that an untrained network can have */
#define NULL_P 0.01      /* label information against permuted labels */
#define NOT_MOVED 0.01   /* mean total variation distance to the outputs before the first step */
#define SETTLED 0.2      /* of the planned steps */
#define LOSS_STANDS 0.02 /* relative distance to the loss of a network that knows only shares */
#define MOVES 0.1        /* relative growth between two looks */

const char *vg_verdict_name(vg_verdict verdict)
{
    static const char *const names[] = {"undecided", "constant",          "one-class",
                                        "partial",   "diverse-but-wrong", "healthy"};
    if ((unsigned)verdict >= sizeof names / sizeof *names)
        return "undecided";
    return names[verdict];
}

__attribute__((format(printf, 3, 4))) static void say(char *reason, size_t capacity,
                                                      const char *format, ...)
{
    if (!reason || !capacity)
        return;
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(reason, capacity, format, arguments);
    va_end(arguments);
}

/* "3, 5, 8 and 2 more" */
static void list_missing(const vg_diversity *d, char *text, size_t capacity)
{
    size_t used = 0;
    int listed = 0;
    text[0] = 0;
    for (int c = 0; c < d->classes && listed < 5; c++)
        if (d->missing[c]) {
            int wrote = snprintf(text + used, capacity - used, "%s%d", listed ? ", " : "", c);
            if (wrote < 0 || (size_t)wrote >= capacity - used)
                return;
            used += (size_t)wrote;
            listed++;
        }
    if (listed < d->missing_count)
        snprintf(text + used, capacity - used, " and %d more", d->missing_count - listed);
}

static int present_classes(const vg_diversity *d)
{
    int present = 0;
    for (int c = 0; c < d->classes; c++)
        present += d->label_share[c] > 0;
    return present;
}

/* What is left when outputs depend on the input and all classes are named. */
static vg_verdict judge_skill(const vg_diversity *d, char *reason, size_t capacity)
{
    double chance = 1.0 / present_classes(d);
    bool above_null = d->label_information_p <= NULL_P, above_chance = d->balanced_low > chance;
    if (above_null && above_chance && d->nonfinite_share > 0) {
        say(reason, capacity, "%.1f %% of the outputs are not finite numbers",
            100 * d->nonfinite_share);
        return VG_VERDICT_UNDECIDED;
    }
    if (above_null && above_chance && d->input_information < UNTRAINED) {
        say(reason, capacity,
            "right more often than chance (balanced accuracy %.3f), but its outputs differ no more "
            "than those of an untrained network: input information %.3f",
            d->balanced_accuracy, d->input_information);
        return VG_VERDICT_UNDECIDED;
    }
    if (above_null && above_chance) {
        char named[96] = "all classes are named";
        if (d->missing_plain) /* the Wilson bound does not allow more to be said */
            snprintf(named, sizeof named, "%d classes are hardly named, too few samples to be sure",
                     d->missing_plain);
        say(reason, capacity, "%s; balanced accuracy %.3f [%.3f, %.3f] is above chance (%.3f)",
            named, d->balanced_accuracy, d->balanced_low, d->balanced_high, chance);
        return VG_VERDICT_HEALTHY;
    }
    vg_verdict verdict =
        d->input_information > DIVERSE ? VG_VERDICT_DIVERSE_BUT_WRONG : VG_VERDICT_UNDECIDED;
    if (!above_null)
        say(reason, capacity,
            "outputs carry %.1f %% of the label information, no more than with shuffled labels "
            "(p = %.3f)",
            100 * d->label_information, d->label_information_p);
    else
        say(reason, capacity,
            "balanced accuracy %.3f [%.3f, %.3f] is not above chance (%.3f), though outputs sort "
            "the inputs",
            d->balanced_accuracy, d->balanced_low, d->balanced_high, chance);
    return verdict;
}

vg_verdict vg_verdict_of(const vg_diversity *d, char *reason, size_t capacity)
{
    if (reason && capacity)
        reason[0] = 0;
    if (d->samples == 0 || d->classes < 2) {
        say(reason, capacity, "nothing was measured");
        return VG_VERDICT_UNDECIDED;
    }
    if (isnan(d->input_information)) {
        say(reason, capacity, "the probe holds a single class: nothing can be told from it");
        return VG_VERDICT_UNDECIDED;
    }
    if (d->nonfinite_share == 1) {
        say(reason, capacity, "no output is a finite number");
        return VG_VERDICT_CONSTANT;
    }
    if (d->input_information_high < CONSTANT) {
        say(reason, capacity,
            "outputs do not depend on the input: input information %.4f, at most %.4f (95 %%)",
            d->input_information, d->input_information_high);
        return VG_VERDICT_CONSTANT;
    }
    if (d->top_share >= ONE_CLASS && d->top_label_share <= MAJORITY) {
        say(reason, capacity,
            "%.1f %% of inputs are called class %d, which is %.1f %% of the probe",
            100 * d->top_share, d->top_class, 100 * d->label_share[d->top_class]);
        return VG_VERDICT_ONE_CLASS;
    }
    if (d->missing_count) {
        char classes[96];
        list_missing(d, classes, sizeof classes);
        say(reason, capacity, "%d of %d classes are (almost) never named: %s", d->missing_count,
            d->classes, classes);
        return VG_VERDICT_PARTIAL;
    }
    return judge_skill(d, reason, capacity);
}

void vg_monitor_init(vg_monitor *monitor, uint64_t planned_steps)
{
    *monitor = (vg_monitor){.planned_steps = planned_steps,
                            .onset_step = UINT64_MAX,
                            .recovery_step = UINT64_MAX,
                            .bad_since = UINT64_MAX};
}

static bool is_bad(vg_verdict verdict)
{
    return verdict != VG_VERDICT_HEALTHY && verdict != VG_VERDICT_UNDECIDED;
}

/* Both mean that every input gets the same answer; a collapsed network of two classes flickers
 * between them. */
static bool says_one_answer(vg_verdict verdict)
{
    return verdict == VG_VERDICT_CONSTANT || verdict == VG_VERDICT_ONE_CLASS;
}

/* The loss of a network that knows at most how frequent the classes are. */
static bool loss_stands(const vg_diversity *d)
{
    double shares = 0, uniform = log((double)d->classes);
    for (int c = 0; c < d->classes; c++)
        if (d->label_share[c] > 0)
            shares -= d->label_share[c] * log(d->label_share[c]);
    return fabs(d->loss - uniform) <= LOSS_STANDS * uniform ||
           fabs(d->loss - shares) <= LOSS_STANDS * shares;
}

/* Mean spread of the layers between input and logits, where a late starter moves first. */
static double inner_spread(const vg_diversity *d)
{
    double sum = 0;
    int count = 0;
    for (int i = 1; i + 1 < d->layer_count; i++, count++)
        sum += d->layers[i].spread;
    return count ? sum / count : NAN;
}

/* Since the look before: outputs began to depend on the input, a class came back, or the layers
 * took another shape. Below 1e-6 input information is rounding. */
static bool still_moves(const vg_monitor *m, const vg_diversity *d)
{
    double spread = inner_spread(d);
    return (d->input_information > 1e-6 && d->input_information > (1 + MOVES) * m->information) ||
           d->missing_count < m->missing ||
           fabs(spread - m->spread) > MOVES * fmax(spread, m->spread);
}

/* Remembers a bad run only once it was confirmed: early in training nearly every network is bad. */
static void follow(vg_monitor *m, uint64_t step)
{
    if (is_bad(m->last)) {
        if (m->bad_since == UINT64_MAX)
            m->bad_since = step;
        if (is_bad(m->settled) && m->onset_step != m->bad_since) {
            m->onset_step = m->bad_since;
            m->recovery_step = UINT64_MAX;
        }
    } else if (m->last == VG_VERDICT_HEALTHY) {
        if (m->bad_since != UINT64_MAX && m->onset_step == m->bad_since)
            m->recovery_step = step;
        m->bad_since = UINT64_MAX;
    }
}

void vg_monitor_add(vg_monitor *m, uint64_t step, const vg_diversity *d)
{
    vg_verdict before = m->last;
    double progress = m->planned_steps ? (double)step / (double)m->planned_steps : 1;
    m->last = vg_verdict_of(d, m->reason, sizeof m->reason);
    m->not_finite = d->nonfinite_share > 0;
    if (!d->first_look)
        m->never_moved = progress >= 0.5 && d->output_change < NOT_MOVED;
    bool agree = m->measurements > 0 &&
                 (m->last == before || (says_one_answer(m->last) && says_one_answer(before)));
    /* At the end of the plan there is nothing left to wait for. */
    bool may_start_late = m->measurements > 0 && progress < 1 && is_bad(m->last) &&
                          !m->not_finite && loss_stands(d) && still_moves(m, d);
    /* A network without a finite output does not come back: one look is enough. */
    bool beyond_help = d->nonfinite_share == 1 && is_bad(m->last);
    m->settled = beyond_help || (agree && progress >= SETTLED && !may_start_late)
                     ? m->last
                     : VG_VERDICT_UNDECIDED;
    m->late_starter = may_start_late;
    follow(m, step);
    m->information = d->input_information;
    m->missing = d->missing_count;
    m->spread = inner_spread(d);
    m->measurements++;
}

void vg_monitor_break_off(vg_monitor *m, uint64_t step)
{
    m->not_finite = true;
    if (!is_bad(m->last))
        return;
    m->settled = m->last;
    m->late_starter = false;
    follow(m, step);
}
