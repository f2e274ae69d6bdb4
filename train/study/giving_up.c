/* Trials that are given up before their end: by the median of the others, or by successive halving. */
#include "study/search.h"

#include <math.h>

static const char *const names[] = {"none", "median", "halving"};

const char *vg_giving_up_name(vg_giving_up rule)
{
    return (unsigned)rule < VG_GIVING_UPS ? names[rule] : "unknown";
}

/* The best value of the first `epochs`; NaN: it did not come so far, or no value is a number. */
static double best_until(const vg_search_curve *curve, int epochs, bool higher)
{
    double best = NAN;
    if (curve->count < epochs)
        return NAN;
    for (int i = 0; i < epochs; i++)
        if (!isnan(curve->values[i]) &&
            (isnan(best) || (higher ? curve->values[i] > best : curve->values[i] < best)))
            best = curve->values[i];
    return best;
}

/* How many of the others were better at this epoch; *came: how many came so far. */
static size_t better_ones(bool higher, int epoch, double own, const vg_search_curve *others,
                          size_t count, size_t *came)
{
    size_t better = 0;
    *came = 0;
    for (size_t i = 0; i < count; i++) {
        double value = best_until(&others[i], epoch, higher);
        if (others[i].count < epoch)
            continue;
        ++*came;
        better += !isnan(value) && (isnan(own) || (higher ? value > own : value < own));
    }
    return better;
}

bool vg_search_gives_up(vg_giving_up rule, bool higher, int epochs, const vg_search_curve *own,
                        const vg_search_curve *others, size_t count, int least)
{
    size_t came;
    int epoch = own->count;
    if (rule == VG_GIVING_UP_NONE || epoch < 1 || epoch >= epochs)
        return false;
    double value = best_until(own, epoch, higher);
    size_t better = better_ones(higher, epoch, value, others, count, &came);
    if (came < (size_t)(least > 1 ? least : 1))
        return false;
    if (rule == VG_GIVING_UP_MEDIAN)
        return 2 * better > came;
    bool rung = epoch == (epochs + 8) / 9 || epoch == (epochs + 2) / 3;
    return rung && 3 * better > came; /* not among the best third of them and itself */
}
