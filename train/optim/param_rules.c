/* Rules by pattern. A rule that fits nothing is refused where it meets a model: a freeze that was
 * misspelled would train on in silence. */
#include "optim/param_rules.h"

#include <fnmatch.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

vg_status vg_param_rules_add(vg_param_rules *rules, const char *pattern, double factor,
                             vg_error *err)
{
    if (rules->count == VG_PARAM_RULES)
        return vg_fail(err, VG_E_ARG, "\"%.60s\" would be rule %d, %d are allowed", pattern,
                       VG_PARAM_RULES + 1, VG_PARAM_RULES);
    if (!*pattern || strlen(pattern) >= VG_PARAM_PATTERN)
        return vg_fail(err, VG_E_ARG, "pattern \"%.70s\" must have 1 to %d characters", pattern,
                       VG_PARAM_PATTERN - 1);
    if (!isfinite(factor) || factor < 0)
        return vg_fail(err, VG_E_ARG, "%s: factor %g must be 0 or more", pattern, factor);
    snprintf(rules->rule[rules->count].pattern, VG_PARAM_PATTERN, "%s", pattern);
    rules->rule[rules->count++].factor = factor;
    return VG_OK;
}

double vg_param_rules_factor(const vg_param_rules *rules, const char *name, double otherwise)
{
    for (int i = rules->count - 1; i >= 0; i--)
        if (fnmatch(rules->rule[i].pattern, name, 0) == 0)
            return rules->rule[i].factor;
    return otherwise;
}

vg_status vg_param_rules_check(const vg_param_rules *rules, vg_model *model, const char *what,
                               vg_error *err)
{
    int count;
    const vg_param *params = vg_model_params(model, &count);
    for (int i = 0; i < rules->count; i++) {
        const char *example = "";
        bool fits = false;
        for (int k = 0; k < count && !fits; k++) {
            fits = params[k].trainable && fnmatch(rules->rule[i].pattern, params[k].name, 0) == 0;
            example = params[k].trainable ? params[k].name : example;
        }
        if (!fits)
            return vg_fail(err, VG_E_ARG,
                           "%s: no parameter of this network is called \"%s\"; names are such as "
                           "\"%s\" (first) and \"%s\" (last), * stands for any part",
                           what, rules->rule[i].pattern, count ? params[0].name : "", example);
    }
    return VG_OK;
}
