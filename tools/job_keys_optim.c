/* Keys of a job with a language of their own, that say what weights follow: factors for parameters by
 * their names. */
#include "job_values.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

const char *vg_key_word_loss(int i)
{
    return vg_loss_name((vg_loss_kind)i);
}

const char *vg_key_word_from_logits(int i)
{
    return vg_from_logits_name((vg_from_logits)i);
}

const char *vg_key_word_muon_scale(int i)
{
    return vg_muon_scale_name((vg_muon_scale)i);
}

const char *vg_key_word_muon_others(int i)
{
    return vg_muon_others_name((vg_muon_others)i);
}

static void print_number(double value, FILE *out)
{
    char text[40];
    for (int digits = 6; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, value);
        if (strtod(text, NULL) == value)
            break;
    }
    fputs(text, out);
}

/* {"*.bn.bias": 64, "0.*": 0}, or the same as words: *.bn.bias:64,0.*:0. */
static vg_status set_rules(const vg_job_key *key, vg_job_value *value, vg_param_rules *rules,
                           vg_error *err)
{
    vg_param_rules read = {0};
    vg_status status = vg_key_split_scalar(value, true, err);
    if (!status && value->kind == VG_JOB_LIST && value->count > 0)
        return vg_key_wrong(key, value, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        const vg_job_item *item = &value->items[i];
        char *end;
        double factor = strtod(item->text, &end);
        value->blame = item;
        if (end == item->text || *end)
            return vg_fail(err, VG_E_ARG, "%s: found \"%s\", expected a factor from 0", item->key,
                           item->text);
        status = vg_param_rules_add(&read, item->key, factor, err);
    }
    if (status)
        return status;
    value->blame = NULL;
    *rules = read;
    return VG_OK;
}

static void print_rules(const vg_param_rules *rules, FILE *out)
{
    fputc('{', out);
    for (int i = 0; i < rules->count; i++) {
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(rules->rule[i].pattern, out);
        fputs(": ", out);
        print_number(rules->rule[i].factor, out);
    }
    fputc('}', out);
}

vg_status vg_key_set_rates(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    return set_rules(key, value, &job->run.optimizer.rates, err);
}

void vg_key_print_rates(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    print_rules(&job->run.optimizer.rates, out);
}

vg_status vg_key_set_decays(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    vg_param_rules *rules = &job->run.optimizer.decays;
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "weights") == 0) {
        rules->count = 0;
        return VG_OK;
    }
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "all") == 0) {
        rules->count = 0;
        return vg_param_rules_add(rules, "*", 1, err);
    }
    return set_rules(key, value, rules, err);
}

void vg_key_print_decays(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    const vg_param_rules *rules = &job->run.optimizer.decays;
    bool all =
        rules->count == 1 && strcmp(rules->rule[0].pattern, "*") == 0 && rules->rule[0].factor == 1;
    if (rules->count == 0 || all)
        fputs(all ? "all" : "weights", out);
    else
        print_rules(rules, out);
}
