/* Learning rates and endings that follow from how a measure went. */
#include "optim/plateau.h"

#include <math.h>

static const double LEAST_CHANGE = 1e-8;

vg_plateau_options vg_plateau_options_default(void)
{
    return (vg_plateau_options){.factor = 0.1, .threshold = 1e-4, .patience = 3};
}

static bool is_better(const vg_plateau_options *o, const vg_plateau *p, bool higher, double value)
{
    if (!isfinite(value))
        return false;
    if (!p->any)
        return true;
    double margin = o->absolute ? o->threshold : o->threshold * p->best;
    return higher ? value > p->best + margin : value < p->best - margin;
}

bool vg_plateau_step(const vg_plateau_options *o, vg_plateau *p, bool higher, double value)
{
    if (is_better(o, p, higher, value)) {
        p->best = value;
        p->any = true;
        p->bad = 0;
    } else {
        p->bad++;
    }
    if (p->cooling > 0) {
        p->cooling--;
        p->bad = 0;
    }
    if (p->bad <= o->patience)
        return false;
    double next = fmax(p->rate * o->factor, o->lowest);
    bool changes = p->rate - next > LEAST_CHANGE;
    if (changes)
        p->rate = next;
    p->cooling = o->cooldown;
    p->bad = 0;
    return changes;
}

bool vg_patience_step(vg_patience *s, int patience, double min_delta, bool higher, double value)
{
    bool better = isfinite(value) &&
                  (!s->any || (higher ? value > s->best + min_delta : value < s->best - min_delta));
    if (better) {
        s->best = value;
        s->any = true;
        s->since = 0;
    } else {
        s->since++;
    }
    return patience > 0 && s->since >= patience;
}
