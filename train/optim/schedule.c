/* Learning-rate schedules. The cosine is Loshchilov, Hutter: "SGDR", ICLR 2017, without restarts. */
#include "optim/schedule.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"constant", "step", "cosine"};
enum { NAMES = sizeof names / sizeof *names };

double vg_schedule_at(const vg_schedule *s, uint64_t step, uint64_t steps)
{
    double at = (double)step, all = steps ? (double)steps : 1;
    double warm = s->warmup_share > 0 ? floor(s->warmup_share * all + 0.5) : 0;
    if (at < warm)
        return s->base * (at + 1) / warm; /* the first step moves already */
    switch (s->kind) {
    case VG_SCHEDULE_CONSTANT:
        return s->base;
    case VG_SCHEDULE_STEP: {
        double length = s->step_share * all;
        return length > 0 ? s->base * pow(s->step_factor, floor(at / length + 1e-9)) : s->base;
    }
    case VG_SCHEDULE_COSINE: {
        double t = all > warm ? (at - warm) / (all - warm) : 1;
        t = t > 1 ? 1 : t;
        double share = 0.5 * (1 + cos(3.14159265358979323846 * t));
        return s->base * (s->final_factor + (1 - s->final_factor) * share);
    }
    }
    return s->base;
}

vg_status vg_schedule_parse(const char *word, vg_schedule_kind *kind, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *kind = (vg_schedule_kind)i;
            return VG_OK;
        }
    return vg_fail(err, VG_E_ARG, "unknown schedule \"%s\"; there are: constant, step, cosine",
                   word);
}

const char *vg_schedule_name(vg_schedule_kind kind)
{
    return (unsigned)kind < NAMES ? names[kind] : "unknown";
}
