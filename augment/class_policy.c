/* Policies of single classes.
 *
 * Classes to which the same rules apply share one policy, so that `rare` on a thousand classes is a
 * thousand numbers and not as many policies. Nothing is resolved while samples are made: the table
 * is made once, and a sample looks its label up. */
#include "class_policy.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char rare[] = "rare", blanks[] = " \t\r\n";

static vg_status no_memory(vg_error *err)
{
    return vg_fail(err, VG_E_NOMEM, "out of memory for policies of classes");
}

/* ---- rules as they are written */

vg_status vg_class_rules_add(vg_class_rules *rules, const char *classes, const char *words,
                             vg_error *err)
{
    vg_policy tried = vg_policy_none();
    if (!classes[strspn(classes, ", \t\r\n")])
        return vg_fail(err, VG_E_ARG,
                       "found no class before \"%.60s\", expected a class, several "
                       "with commas between, or rare",
                       words);
    if (!words[strspn(words, blanks)])
        return vg_fail(err, VG_E_ARG,
                       "found no words for class \"%.60s\", expected a policy or "
                       "changes to one, as in rotate=5 flip=none",
                       classes);
    vg_status status = vg_policy_change(&tried, words, err);
    if (status != VG_OK)
        return status;
    vg_class_rule *more = vg_realloc(rules->rules, rules->count + 1, sizeof *more);
    if (!more)
        return no_memory(err);
    rules->rules = more;
    vg_class_rule rule = {vg_strdup(classes), vg_strdup(words)};
    if (!rule.classes || !rule.words) {
        free(rule.classes);
        free(rule.words);
        return no_memory(err);
    }
    rules->rules[rules->count++] = rule;
    return VG_OK;
}

vg_status vg_class_rules_add_word(vg_class_rules *rules, const char *word, vg_error *err)
{
    word += strspn(word, blanks);
    const char *equals = strchr(word, '=');
    if (!equals)
        return vg_fail(err, VG_E_ARG,
                       "found \"%.60s\", expected CLASS[,CLASS]=WORDS, as in "
                       "\"6,9=flip=none rotate=5\"",
                       word);
    size_t length = (size_t)(equals - word);
    while (length && strchr(blanks, word[length - 1]))
        length--;
    char *classes = strndup(word, length);
    if (!classes)
        return no_memory(err);
    vg_status status =
        vg_class_rules_add(rules, classes, equals + 1 + strspn(equals + 1, blanks), err);
    free(classes);
    return status;
}

void vg_class_rules_reset(vg_class_rules *rules)
{
    for (size_t i = 0; i < rules->count; i++) {
        free(rules->rules[i].classes);
        free(rules->rules[i].words);
    }
    free(rules->rules);
    *rules = (vg_class_rules){0};
}

vg_status vg_class_rules_copy(const vg_class_rules *from, vg_class_rules *to, vg_error *err)
{
    *to = (vg_class_rules){0};
    for (size_t i = 0; i < from->count; i++) {
        vg_status status =
            vg_class_rules_add(to, from->rules[i].classes, from->rules[i].words, err);
        if (status != VG_OK) {
            vg_class_rules_reset(to);
            return status;
        }
    }
    return VG_OK;
}

bool vg_class_rules_are_none(const vg_class_rules *rules, const vg_policy *general)
{
    for (size_t i = 0; i < rules->count; i++) {
        vg_policy changed = *general;
        if (vg_policy_change(&changed, rules->rules[i].words, NULL) == VG_OK &&
            !vg_policy_is_none(&changed))
            return false;
    }
    return true;
}

size_t vg_class_rules_warnings(const vg_class_rules *rules, const vg_policy *general, char *text,
                               size_t capacity)
{
    char about_general[1000], about[1000];
    size_t count = 0;
    vg_policy_warnings(general, about_general, sizeof about_general);
    if (capacity)
        text[0] = '\0';
    for (size_t i = 0; i < rules->count; i++) {
        vg_policy changed = *general;
        if (vg_policy_change(&changed, rules->rules[i].words, NULL) != VG_OK ||
            vg_policy_warnings(&changed, about, sizeof about) == 0)
            continue;
        for (char *rest = about; rest;) {
            char *one = rest, *bar = strstr(rest, " | ");
            rest = bar ? bar + 3 : NULL;
            if (bar)
                *bar = '\0';
            if (strstr(about_general, one))
                continue;
            if (capacity)
                vg_text_append(text, capacity, "%sclass %s: %s", count ? " | " : "",
                               rules->rules[i].classes, one);
            count++;
        }
    }
    return count;
}

/* ---- rules on a dataset */

static int label_of(const vg_dataset *dataset, const char *name, size_t length)
{
    int classes = vg_dataset_classes(dataset);
    for (int k = 0; k < classes; k++) {
        const char *known = vg_dataset_class_name(dataset, k);
        if (strlen(known) == length && memcmp(known, name, length) == 0)
            return k;
    }
    return -1;
}

static vg_status unknown_class(const vg_dataset *dataset, const char *name, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset);
    const char **names = vg_alloc(classes, sizeof *names), *near = NULL;
    for (size_t k = 0; names && k < classes; k++)
        names[k] = vg_dataset_class_name(dataset, (int)k);
    if (names)
        near = vg_nearest(name, names, classes);
    free(names);
    return vg_fail(err, VG_E_ARG, "a policy for class \"%.60s\", which %s does not have%s%.60s%s",
                   name, vg_dataset_path(dataset), near ? "; did you mean \"" : "",
                   near ? near : "",
                   near ? "\"?" : " (rare stands for those with few training images)");
}

static int ascending(const void *a, const void *b)
{
    size_t x = *(const size_t *)a, y = *(const size_t *)b;
    return (x > y) - (x < y);
}

/* Half of the median class's training images; a class is rare below it. */
static vg_status rare_below(const vg_dataset *dataset, const size_t *counts, double *bound,
                            vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset), n = 0;
    size_t *sorted = vg_alloc(classes, sizeof *sorted);
    if (!sorted)
        return no_memory(err);
    for (size_t k = 0; k < classes; k++)
        if (counts[k])
            sorted[n++] = counts[k];
    qsort(sorted, n, sizeof *sorted, ascending);
    size_t below = n ? (n - 1) / 2 : 0, above = n / 2;
    double median = n ? ((double)sorted[below] + (double)sorted[above]) / 2 : 0;
    *bound = median / 2;
    free(sorted);
    return VG_OK;
}

static vg_status mark_rare(const vg_dataset *dataset, bool *marked, vg_error *err)
{
    int classes = vg_dataset_classes(dataset);
    size_t *counts = vg_alloc((size_t)classes, sizeof *counts);
    double bound = 0;
    if (!counts)
        return no_memory(err);
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    vg_status status = rare_below(dataset, counts, &bound, err);
    for (int k = 0; k < classes && !status; k++)
        marked[k] = (double)counts[k] < bound;
    free(counts);
    return status;
}

/* Which classes a rule is for. A class may have a comma in its name, so the whole is tried first. */
static vg_status mark(const vg_dataset *dataset, const char *list, bool *marked, vg_error *err)
{
    int label = label_of(dataset, list, strlen(list));
    if (label >= 0) {
        marked[label] = true;
        return VG_OK;
    }
    while (*list) {
        size_t length = strcspn(list, ",");
        const char *from = list + strspn(list, blanks), *end = list + length;
        list = end + (*end == ',');
        while (end > from && strchr(blanks, end[-1]))
            end--;
        if (end <= from)
            continue;
        label = label_of(dataset, from, (size_t)(end - from));
        if (label >= 0) {
            marked[label] = true;
            continue;
        }
        char name[256];
        snprintf(name, sizeof name, "%.*s", (int)(end - from), from);
        vg_status status = strcmp(name, rare) == 0 ? mark_rare(dataset, marked, err)
                                                   : unknown_class(dataset, name, err);
        if (status != VG_OK)
            return status;
    }
    return VG_OK;
}

/* The policy that all rules for class `label` make of the general one. */
static vg_status change_all(const vg_class_rules *rules, const bool *marks, int classes, int label,
                            vg_policy *policy, vg_error *err)
{
    for (size_t i = 0; i < rules->count; i++) {
        vg_error inner = {0};
        vg_status status = VG_OK;
        if (marks[i * (size_t)classes + (size_t)label])
            status = vg_policy_change(policy, rules->rules[i].words, &inner);
        if (status != VG_OK)
            return vg_fail(err, status, "for class \"%.60s\": %s", rules->rules[i].classes,
                           inner.message);
    }
    return VG_OK;
}

/* -1: no rule is for it, -2: the same rules as for no class before, else that class. */
static int alike(const vg_class_rules *rules, const bool *marks, const vg_class_policies *table,
                 const int *first, int label)
{
    size_t classes = (size_t)table->classes;
    bool any = false;
    for (size_t i = 0; i < rules->count; i++)
        any = any || marks[i * classes + (size_t)label];
    if (!any)
        return -1;
    for (int p = 0; p < table->count; p++) {
        bool same = true;
        for (size_t i = 0; i < rules->count && same; i++)
            same = marks[i * classes + (size_t)label] == marks[i * classes + (size_t)first[p]];
        if (same)
            return p;
    }
    return -2;
}

static vg_status fill(const vg_class_rules *rules, const bool *marks, const vg_policy *general,
                      int *first, vg_class_policies *table, vg_error *err)
{
    size_t capacity = 0;
    vg_status status = VG_OK;
    for (int k = 0; k < table->classes && !status; k++) {
        int place = alike(rules, marks, table, first, k);
        if (place == -2) {
            if (!vg_grow(&table->policies, &capacity, (size_t)table->count + 1,
                         sizeof *table->policies))
                return no_memory(err);
            place = table->count++;
            first[place] = k;
            table->policies[place] = *general;
            status = change_all(rules, marks, table->classes, k, &table->policies[place], err);
        }
        table->of_class[k] = place;
    }
    return status;
}

vg_status vg_class_policies_make(const vg_class_rules *rules, const vg_policy *general,
                                 const vg_dataset *dataset, vg_class_policies *table, vg_error *err)
{
    *table = (vg_class_policies){0};
    if (rules->count == 0)
        return VG_OK;
    size_t classes = (size_t)vg_dataset_classes(dataset);
    bool *marks = vg_calloc(rules->count, classes * sizeof *marks);
    int *first = vg_alloc(classes, sizeof *first);
    table->of_class = vg_alloc(classes, sizeof *table->of_class);
    table->classes = (int)classes;
    vg_status status = marks && first && table->of_class ? VG_OK : no_memory(err);
    for (size_t i = 0; i < rules->count && !status; i++)
        status = mark(dataset, rules->rules[i].classes, marks + i * classes, err);
    if (!status)
        status = fill(rules, marks, general, first, table, err);
    free(marks);
    free(first);
    if (status)
        vg_class_policies_reset(table);
    return status;
}

void vg_class_policies_reset(vg_class_policies *table)
{
    free(table->of_class);
    free(table->policies);
    *table = (vg_class_policies){0};
}

const vg_policy *vg_class_policy_of(const vg_class_policies *table, const vg_policy *general,
                                    int label)
{
    if (!table || label < 0 || label >= table->classes || table->of_class[label] < 0)
        return general;
    return &table->policies[table->of_class[label]];
}

uint64_t vg_class_policies_hash(const vg_class_policies *table)
{
    uint64_t hash = vg_hash(table->of_class, (size_t)table->classes * sizeof *table->of_class,
                            (uint64_t)table->count);
    for (int i = 0; i < table->count; i++) {
        char line[VG_POLICY_TEXT];
        vg_policy_print(&table->policies[i], line, sizeof line);
        hash = vg_hash(line, strlen(line), hash);
    }
    return hash;
}

void vg_class_policies_names(const vg_class_policies *table, int i, const vg_dataset *dataset,
                             char *text, size_t capacity)
{
    enum { REST = 24 }; /* room for how many there are */
    size_t used = 0;
    int total = 0, shown = 0;
    for (int k = 0; k < table->classes; k++)
        total += table->of_class[k] == i;
    if (capacity)
        text[0] = '\0';
    for (int k = 0; k < table->classes; k++) {
        const char *name = vg_dataset_class_name(dataset, k);
        if (table->of_class[k] != i)
            continue;
        if (used + strlen(name) + REST >= capacity)
            break;
        used += (size_t)snprintf(text + used, capacity - used, "%s%s", shown ? ", " : "", name);
        shown++;
    }
    if (shown < total)
        snprintf(text + used, capacity - used, "%s... (%d in all)", shown ? ", " : "", total);
}
