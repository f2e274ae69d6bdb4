/* Losses by name: words, ranges, and the mistakes around them that train without an error and end in
 * the same output for everything. */
#include "nn/loss.h"

#include "base/text.h"

#include <math.h>
#include <string.h>

static const char *const names[] = {"softmax",       "sigmoid",        "mse", "focal",
                                    "sigmoid-focal", "logit-adjusted", "ldam"};
enum { NAMES = sizeof names / sizeof *names };
_Static_assert((int)NAMES == (int)VG_LOSSES, "a loss without a name");

vg_loss_options vg_loss_options_default(void)
{
    return (vg_loss_options){.gamma = 2, .tau = 1, .margin = 0.5, .scale = 1};
}

vg_status vg_loss_parse(const char *word, vg_loss_kind *kind, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *kind = (vg_loss_kind)i;
            return VG_OK;
        }
    const char *near = vg_nearest(word, names, NAMES);
    return vg_fail(err, VG_E_ARG,
                   "unknown loss \"%.60s\"%s%s%s; there are: softmax, sigmoid, mse, focal, "
                   "sigmoid-focal, logit-adjusted, ldam",
                   word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *vg_loss_name(vg_loss_kind kind)
{
    return (unsigned)kind < NAMES ? names[kind] : "unknown";
}

const char *vg_from_logits_name(vg_from_logits word)
{
    static const char *const words[] = {"auto", "yes", "no"};
    return (unsigned)word < VG_FROM_LOGITS_WORDS ? words[word] : "unknown";
}

vg_status vg_loss_check(const vg_loss_options *o, vg_error *err)
{
    if ((unsigned)o->kind >= VG_LOSSES || (unsigned)o->from_logits >= VG_FROM_LOGITS_WORDS)
        return vg_fail(err, VG_E_ARG, "unknown kind of loss (%d)", (int)o->kind);
    if (!(o->label_smoothing >= 0 && o->label_smoothing <= 1))
        return vg_fail(err, VG_E_ARG, "label_smoothing %g is not in 0 to 1", o->label_smoothing);
    bool hard =
        o->kind == VG_LOSS_FOCAL || o->kind == VG_LOSS_SIGMOID_FOCAL || o->kind == VG_LOSS_LDAM;
    if (hard && o->label_smoothing > 0)
        return vg_fail(err, VG_E_ARG,
                       "label_smoothing %g: loss %s is defined for one label only; set it to 0, or "
                       "take the loss softmax, logit-adjusted, sigmoid or mse",
                       o->label_smoothing, vg_loss_name(o->kind));
    if (!(o->gamma >= 0) || !isfinite(o->gamma) || !isfinite(o->tau))
        return vg_fail(err, VG_E_ARG, "gamma %g must be 0 or more, tau %g finite", o->gamma,
                       o->tau);
    if (!(o->margin >= 0) || !isfinite(o->margin) || !(o->scale > 0) || !isfinite(o->scale))
        return vg_fail(err, VG_E_ARG, "margin %g must be 0 or more, scale %g above 0", o->margin,
                       o->scale);
    return VG_OK;
}

const char *vg_loss_warning(const vg_loss_options *o, vg_layer_kind last)
{
    bool softmax = last == VG_LAYER_SOFTMAX, sigmoid = last == VG_LAYER_SIGMOID;
    bool by_sigmoid = o->kind == VG_LOSS_SIGMOID || o->kind == VG_LOSS_SIGMOID_FOCAL;
    if (o->from_logits == VG_FROM_LOGITS_NO)
        return softmax || sigmoid || o->kind == VG_LOSS_MSE
                   ? NULL
                   : "loss.from_logits is no, but the network ends in neither softmax nor sigmoid: "
                     "its "
                     "outputs are taken for probabilities, and what lies outside of 0 to 1 learns "
                     "nothing; set it to auto";
    if (o->from_logits == VG_FROM_LOGITS_YES && (softmax || sigmoid))
        return softmax
                   ? "the network ends in softmax and the loss applies its own to that: gradients "
                     "are small and outputs stay alike; set loss.from_logits to auto, or take the "
                     "softmax off the network"
                   : "the network ends in sigmoid and the loss squashes its outputs again: "
                     "gradients are small and outputs stay alike; set loss.from_logits to auto, "
                     "or take the sigmoid off the network";
    if (o->from_logits == VG_FROM_LOGITS_AUTO && o->kind != VG_LOSS_MSE &&
        (by_sigmoid ? softmax : sigmoid))
        return softmax
                   ? "the network ends in softmax, the loss is of sigmoids and applies its own to "
                     "that: take the loss softmax, or the softmax off the network"
                   : "the network ends in sigmoid, the loss is of a softmax and applies its own "
                     "to that: take the loss sigmoid, or the sigmoid off the network";
    return NULL;
}
