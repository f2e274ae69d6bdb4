/* Learning-rate schedules. The cosine is Loshchilov, Hutter: "SGDR", ICLR 2017. */
#include "optim/schedule.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"constant",   "step",     "cosine",    "exponential",
                                    "polynomial", "cyclical", "one-cycle", "triangle",
                                    "plateau",    "restarts"};
enum { NAMES = sizeof names / sizeof *names };
_Static_assert((int)NAMES == (int)VG_SCHEDULES, "a schedule without a name");

static const double PI = 3.14159265358979323846;

static double or_else(double value, double otherwise)
{
    return value > 0 ? value : otherwise;
}

/* From `a` to `b` along half a cosine. */
static double ease(double a, double b, double t)
{
    return b + (a - b) * 0.5 * (1 + cos(PI * t));
}

/* The factor of base at t in [0, 1] of the part after the warm-up. */
static double curve(const vg_schedule *s, double t)
{
    double low = s->final_factor, rise = or_else(s->rise_share, 0.3);
    switch (s->kind) {
    case VG_SCHEDULE_COSINE:
        return ease(1, low, t);
    case VG_SCHEDULE_EXPONENTIAL:
        return pow(or_else(low, 0.01), t);
    case VG_SCHEDULE_POLYNOMIAL:
        return low + (1 - low) * pow(1 - t, or_else(s->power, 1));
    case VG_SCHEDULE_CYCLICAL: {
        double at = t * or_else(s->cycles, 1), inside = at - floor(at);
        return low + (1 - low) * (1 - fabs(2 * inside - 1));
    }
    case VG_SCHEDULE_ONE_CYCLE:
        return t < rise ? ease(or_else(s->start_factor, 0.04), 1, t / rise)
                        : ease(1, low, rise < 1 ? (t - rise) / (1 - rise) : 1);
    case VG_SCHEDULE_TRIANGLE: {
        double start = or_else(s->start_factor, 0.04);
        return t < rise ? start + (1 - start) * t / rise
                        : 1 + (low - 1) * (rise < 1 ? (t - rise) / (1 - rise) : 1);
    }
    case VG_SCHEDULE_RESTARTS: {
        double at = t * or_else(s->cycles, 1), begun = floor(at + 1e-9);
        return t < 1 ? ease(1, low, fmax(at - begun, 0)) : low;
    }
    default:
        return 1;
    }
}

double vg_schedule_at(const vg_schedule *s, uint64_t step, uint64_t steps)
{
    double at = (double)step, all = steps ? (double)steps : 1;
    double warm = s->warmup_share > 0 ? floor(s->warmup_share * all + 0.5) : 0;
    if (at < warm)
        return s->base * (at + 1) / warm; /* the first step moves already */
    if (s->kind == VG_SCHEDULE_STEP) {
        double length = s->step_share * all;
        return length > 0 ? s->base * pow(s->step_factor, floor(at / length + 1e-9)) : s->base;
    }
    double t = all > warm ? (at - warm) / (all - warm) : 1;
    return s->base * curve(s, t > 1 ? 1 : t);
}

vg_status vg_schedule_parse(const char *word, vg_schedule_kind *kind, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *kind = (vg_schedule_kind)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG,
                   "unknown schedule \"%s\"; there are: constant, step, cosine, "
                   "exponential, polynomial, cyclical, one-cycle, triangle, plateau, restarts",
                   word);
}

const char *vg_schedule_name(vg_schedule_kind kind)
{
    return (unsigned)kind < NAMES ? names[kind] : "unknown";
}
