/* What becomes of trials: which are given up before their end, by the median of the others or by successive halving, and
 * who has won. */
#include "study/search.h"

#include "base/statistics.h"

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

vg_search_judgement vg_search_judge(const double *values, int count, int seeds, bool higher)
{
    vg_search_judgement j = {.winner = -1, .second = -1, .mean = NAN, .lead = NAN, .margin = NAN};
    double second = NAN, squares = 0;
    int judged = 0;
    for (int i = 0; i < count; i++) {
        double mean = 0;
        for (int k = 0; k < seeds; k++)
            mean += values[i * seeds + k] / seeds;
        if (isnan(mean))
            continue;
        for (int k = 0; k < seeds; k++)
            squares += (values[i * seeds + k] - mean) * (values[i * seeds + k] - mean);
        judged++;
        if (j.winner < 0 || (higher ? mean > j.mean : mean < j.mean)) {
            j.second = j.winner;
            second = j.mean;
            j.winner = i;
            j.mean = mean;
        } else if (j.second < 0 || (higher ? mean > second : mean < second)) {
            j.second = i;
            second = mean;
        }
    }
    int freedom = judged * (seeds - 1);
    if (j.second >= 0)
        j.lead = fabs(j.mean - second);
    if (freedom > 0)
        j.margin = vg_student_t975(freedom) * sqrt(squares / freedom) * sqrt(2.0 / seeds);
    j.within_noise = j.second >= 0 && !(j.lead > j.margin);
    return j;
}
