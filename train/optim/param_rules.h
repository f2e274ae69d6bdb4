/* Which parameters something holds for, by patterns of their names: factors of the learning rate
 * (0 freezes), factors of the weight decay.
 *
 * Names are those of vg_param ("0.conv.weight", "5.bn.bias"); patterns those of file names (fnmatch):
 * "*.bn.bias", "[0-3].*". The last rule that fits a name counts. */
#ifndef VG_OPTIM_PARAM_RULES_H
#define VG_OPTIM_PARAM_RULES_H

#include "nn/model.h"

enum { VG_PARAM_RULES = 16, VG_PARAM_PATTERN = 64 };

typedef struct vg_param_rules {
    int count;
    struct {
        char pattern[VG_PARAM_PATTERN];
        double factor; /* 0 and more */
    } rule[VG_PARAM_RULES];
} vg_param_rules;

/* VG_E_ARG: too many rules, a pattern that is empty or too long, a factor that is negative or not
 * finite. */
vg_status vg_param_rules_add(vg_param_rules *rules, const char *pattern, double factor,
                             vg_error *err);
/* The factor for a name, `otherwise` when no rule fits it. */
double vg_param_rules_factor(const vg_param_rules *rules, const char *name, double otherwise);
/* VG_E_ARG when a rule fits no trainable parameter of the model; `what` names the rules ("rate"). */
vg_status vg_param_rules_check(const vg_param_rules *rules, vg_model *model, const char *what,
                               vg_error *err);

#endif
