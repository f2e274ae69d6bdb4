/* Keys of a job with a language of their own, that say what is done: policy, network, comparison; and
 * the words of enumerations. */
#include "job_values.h"

#include "base/text.h"

#include <stdlib.h>
#include <string.h>

const char *vg_key_word_normalize(int i)
{
    return vg_normalization_name((vg_normalization)i);
}

/* In the words of a job no rebalancing is "none"; the sampler calls it by what it does. */
const char *vg_key_word_sampling(int i)
{
    return i == VG_SAMPLING_SHUFFLE ? "none" : vg_sampling_name((vg_sampling)i);
}

const char *vg_key_word_weights(int i)
{
    return vg_weighting_name((vg_weighting)i);
}

const char *vg_key_word_test_views(int i)
{
    return vg_test_views_name((vg_test_views)i);
}

const char *vg_key_word_winograd(int i)
{
    return vg_winograd_use_name((vg_winograd_use)i);
}

const char *vg_key_word_init(int i)
{
    return vg_init_name((vg_init)i);
}

const char *vg_key_word_optimizer(int i)
{
    return vg_optimizer_name((vg_optimizer_kind)i);
}

const char *vg_key_word_schedule(int i)
{
    return vg_schedule_name((vg_schedule_kind)i);
}

const char *vg_key_word_on_error(int i)
{
    return i == VG_ON_ERROR_FAIL ? "fail" : i == VG_ON_ERROR_REPAIR ? "repair" : "skip";
}

/* One item of a list or map as a word of a policy: "rotate: 20" as rotate=20, "blur: 2@0.3",
 * "randaugment:" alone, "one_of@0.5: [grey, blur=2]" as one_of(grey|blur=2)@0.5, and
 * "some_of: [2, a, b, c]" as some_of(2:a|b|c). */
static vg_status policy_word(vg_job_item *item, char *word, size_t capacity, vg_error *err)
{
    const char *key = item->key ? item->key : "", *at = strchr(key, '@');
    char name[32], chance[32];
    size_t length = at ? (size_t)(at - key) : strlen(key);
    snprintf(name, sizeof name, "%.*s", (int)length, key);
    snprintf(chance, sizeof chance, "%s", at ? at : "");
    bool some = strcmp(name, "some_of") == 0, group = some || strcmp(name, "one_of") == 0;
    if (item->list && !group)
        return vg_fail(err, VG_E_ARG, "found a list%s%.40s, allowed in one_of and some_of only",
                       item->key ? " for " : "", key);
    word[0] = '\0';
    bool fits = true;
    if (!item->key || strcmp(key, "preset") == 0) {
        fits = vg_text_append(word, capacity, "%s", item->text);
    } else if (group) {
        bool first = some;
        for (char *c = item->text; item->list && *c; c++)
            if (*c == '\n') {
                *c = first ? ':' : '|';
                first = false;
            }
        fits = vg_text_append(word, capacity, "%s(%s)%s", name, item->text, chance);
    } else {
        bool alone = !item->text[0] || item->text[0] == '@';
        fits = vg_text_append(word, capacity, "%s%s%s", key, alone ? "" : "=", item->text);
    }
    return fits ? VG_OK : vg_fail(err, VG_E_ARG, "\"%.40s...\" is too long for a policy", word);
}

/* Reads the line anew with each word, so that the word at fault can be named. */
static vg_status policy_of_items(vg_job_value *value, vg_policy *policy, vg_error *err)
{
    char line[VG_POLICY_TEXT] = "", word[VG_POLICY_TEXT];
    vg_status status = vg_policy_parse(line, policy, err);
    for (int pass = 0; pass < 2; pass++) /* a preset is the first word, wherever the map has it */
        for (size_t i = 0; i < value->count && !status; i++) {
            vg_job_item *item = &value->items[i];
            bool preset = item->key && strcmp(item->key, "preset") == 0;
            if (preset != (pass == 0))
                continue;
            value->blame = item;
            status = policy_word(item, word, sizeof word, err);
            if (!status && !vg_text_append(line, sizeof line, " %s", word))
                status = vg_fail(err, VG_E_ARG, "too long for a policy");
            if (!status)
                status = vg_policy_parse(line, policy, err);
        }
    if (!status)
        value->blame = NULL;
    return status;
}

vg_status vg_key_set_policy(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    (void)key;
    vg_policy policy;
    vg_status status = value->kind == VG_JOB_SCALAR ? vg_policy_parse(value->text, &policy, err)
                                                    : policy_of_items(value, &policy, err);
    if (!status)
        job->run.policy = policy;
    return status;
}

void vg_key_print_policy(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    char text[VG_POLICY_TEXT];
    vg_policy_print(&job->run.policy, text, sizeof text);
    vg_key_print_scalar(text, out);
}

/* "6,9=flip=none; rare=heavy", or "none". */
static vg_status class_rules_of_line(char *line, vg_class_rules *rules, vg_error *err)
{
    vg_status status = VG_OK;
    if (strcmp(line, "none") == 0)
        return VG_OK;
    while (line && !status) {
        char *end = strchr(line, ';');
        if (end)
            *end++ = '\0';
        if (line[strspn(line, " \t\r\n")])
            status = vg_class_rules_add_word(rules, line, err);
        line = end;
    }
    return status;
}

vg_status vg_key_set_class_rules(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                 vg_error *err)
{
    (void)key;
    vg_class_rules rules = {0};
    vg_status status = VG_OK;
    if (value->kind == VG_JOB_SCALAR)
        status = class_rules_of_line(value->text, &rules, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        vg_job_item *item = &value->items[i];
        for (char *c = item->text; item->list && *c; c++)
            *c = *c == '\n' ? ' ' : *c;
        value->blame = item;
        status = item->key ? vg_class_rules_add(&rules, item->key, item->text, err)
                           : vg_class_rules_add_word(&rules, item->text, err);
    }
    if (status) {
        vg_class_rules_reset(&rules);
        return status;
    }
    value->blame = NULL;
    vg_class_rules_reset(&job->run.class_rules);
    job->run.class_rules = rules;
    return VG_OK;
}

void vg_key_print_class_rules(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    const vg_class_rules *rules = &job->run.class_rules;
    fputc('{', out);
    for (size_t i = 0; i < rules->count; i++) {
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(rules->rules[i].classes, out);
        fputs(": ", out);
        vg_key_print_scalar(rules->rules[i].words, out);
    }
    fputc('}', out);
}

vg_status vg_key_set_net(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind == VG_JOB_MAP)
        return vg_key_wrong(key, value, err);
    vg_net_spec net = {0};
    vg_status status = VG_OK;
    if (value->kind == VG_JOB_SCALAR && !strpbrk(value->text, ", ")) {
        status = vg_net_spec_preset(value->text, &net, err);
    } else {
        status = vg_key_split_scalar(value, false, err);
        for (size_t i = 0; i < value->count && !status; i++) {
            status = vg_net_spec_add(&net, value->items[i].text, err);
            if (status)
                value->blame = &value->items[i];
        }
        if (!status && net.count == 0)
            status = vg_fail(err, VG_E_ARG, "found an empty list, allowed: %s", key->allowed);
        snprintf(net.name, sizeof net.name, "custom");
    }
    if (status) {
        vg_net_spec_reset(&net);
        return status;
    }
    vg_net_spec_reset(&job->run.net);
    job->run.net = net;
    return VG_OK;
}

void vg_key_print_net(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    const vg_net_spec *net = &job->run.net;
    if (strcmp(net->name, "custom") != 0) {
        vg_key_print_scalar(net->name, out);
        return;
    }
    fputc('[', out);
    for (int i = 0; i < net->count; i++) {
        char words[96];
        vg_layer_print(&net->layers[i], words, sizeof words);
        fputs(i ? ", " : "", out);
        vg_key_print_scalar(words, out);
    }
    fputc(']', out);
}

vg_status vg_key_set_changes(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err)
{
    if (value->kind == VG_JOB_MAP)
        return vg_key_wrong(key, value, err);
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "all") == 0) {
        vg_compare_options all = vg_compare_options_default();
        memcpy(job->compare.changes, all.changes, sizeof all.changes);
        job->compare.change_count = all.change_count;
        return VG_OK;
    }
    if (value->kind == VG_JOB_SCALAR && strcmp(value->text, "none") == 0) {
        job->compare.change_count = 0;
        return VG_OK;
    }
    vg_change changes[VG_CHANGES];
    int count = 0;
    vg_status status = vg_key_split_scalar(value, false, err);
    for (size_t i = 0; i < value->count && !status; i++) {
        vg_change change;
        value->blame = &value->items[i];
        status = vg_change_parse(value->items[i].text, &change, err);
        for (int k = 0; k < count && !status; k++)
            if (changes[k] == change)
                status = vg_fail(err, VG_E_ARG, "\"%s\" stands there twice", value->items[i].text);
        if (!status)
            changes[count++] = change;
    }
    if (status)
        return status;
    memcpy(job->compare.changes, changes, (size_t)count * sizeof *changes);
    job->compare.change_count = count;
    return VG_OK;
}

void vg_key_print_changes(const vg_job_key *key, const vg_job *job, FILE *out)
{
    (void)key;
    fputc('[', out);
    for (int i = 0; i < job->compare.change_count; i++)
        fprintf(out, "%s%s", i ? ", " : "", vg_change_name(job->compare.changes[i]));
    fputc(']', out);
}

vg_status vg_key_set_statistics(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                vg_error *err)
{
    const vg_job_key at = {
        .name = key->name, .allowed = key->allowed, .offset = offsetof(vg_job, statistics)};
    if (value->kind != VG_JOB_SCALAR || strcmp(value->text, "none") != 0)
        return vg_key_set_path(&at, job, value, err);
    free(job->statistics);
    job->statistics = NULL;
    return VG_OK;
}

void vg_key_print_statistics(const vg_job_key *key, const vg_job *job, FILE *out)
{
    const vg_job_key at = {.name = key->name, .offset = offsetof(vg_job, statistics)};
    if (job->statistics)
        vg_key_print_path(&at, job, out);
    else
        fputs("none", out);
}
