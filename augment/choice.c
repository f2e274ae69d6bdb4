/* Words of a policy that have a chance: read, printed and drawn. */
#include "choice.h"

#include "base/text.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { WORD = 64 };

/* ---- reading */

static vg_status unknown(const char *name, vg_error *err)
{
    const char *names[VG_OPERATIONS];
    for (int i = 0; i < VG_OPERATIONS; i++)
        names[i] = vg_operation_of((vg_operation)i)->name;
    const char *near = vg_nearest(name, names, VG_OPERATIONS);
    return vg_fail(err, VG_E_ARG, "policy: unknown operation \"%s\"%s%s%s", name,
                   near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

/* What one number v stands for. */
static void interval(const vg_operation_info *info, double v, double *low, double *high)
{
    *low = *high = v;
    if (info->form == VG_FORM_SYMMETRIC)
        *low = -v;
    if (info->form == VG_FORM_UP_TO)
        *low = 0;
    if (info->form == VG_FORM_FACTOR) {
        *low = fmax(info->low, v < 1 ? 1 - v : 0);
        *high = 1 + v;
    }
}

static vg_status bad_value(const vg_operation_info *info, const char *value, vg_error *err)
{
    static const char *const forms[] = {"", "v for -v to v", "v for 1 - v to 1 + v", "v for 0 to v",
                                        "v"};
    return vg_fail(err, VG_E_ARG, "policy: %s=%s: expected %s or lo:hi, from %g to %g (%s)",
                   info->name, value, forms[info->form], info->low, info->high, info->meaning);
}

/* "name", "name=v" or "name=lo:hi". */
static vg_status read_choice(const char *text, vg_choice *choice, vg_error *err)
{
    char name[WORD], value[WORD];
    size_t length = strcspn(text, "=");
    if (length >= WORD || strlen(text + length) >= WORD)
        return vg_fail(err, VG_E_ARG, "policy: \"%.40s...\" is too long for an operation", text);
    memcpy(name, text, length);
    name[length] = '\0';
    *choice = (vg_choice){.operation = vg_operation_named(name, length)};
    if (choice->operation == VG_OPERATIONS)
        return unknown(name, err);
    const vg_operation_info *info = vg_operation_of(choice->operation);
    if (text[length] == '\0') {
        if (info->form == VG_FORM_NONE)
            return VG_OK;
        return vg_fail(err, VG_E_ARG, "policy: \"%s\" needs a value: %s=... (%s)", name, name,
                       info->meaning);
    }
    if (info->form == VG_FORM_NONE)
        return vg_fail(err, VG_E_ARG, "policy: \"%s\" takes no value; write %s or %s@CHANCE", name,
                       name, name);
    snprintf(value, sizeof value, "%s", text + length + 1);
    char *colon = strchr(value, ':');
    if (colon) {
        *colon = '\0';
        choice->range = true;
        if (!vg_text_number(value, &choice->low) || !vg_text_number(colon + 1, &choice->high) ||
            choice->low > choice->high)
            return bad_value(info, text + length + 1, err);
    } else {
        if (!vg_text_number(value, &choice->value) ||
            (info->form != VG_FORM_EXACT && choice->value < 0))
            return bad_value(info, text + length + 1, err);
        interval(info, choice->value, &choice->low, &choice->high);
    }
    if (choice->low < info->low || choice->high > info->high)
        return bad_value(info, text + length + 1, err);
    return VG_OK;
}

/* Cuts "@chance" off the end. */
static vg_status read_chance(char *word, double *chance, vg_error *err)
{
    *chance = 1;
    char *at = strrchr(word, '@');
    if (!at || strchr(at, ')'))
        return VG_OK;
    if (!vg_text_number(at + 1, chance) || *chance < 0 || *chance > 1)
        return vg_fail(err, VG_E_ARG, "policy: \"%s\": expected a chance from 0 to 1 after @",
                       word);
    *at = '\0';
    return VG_OK;
}

static vg_status read_member(char *member, vg_choices *choices, vg_group *group, vg_error *err)
{
    if (choices->choice_count == VG_CHOICES)
        return vg_fail(err, VG_E_LIMIT, "policy: more than %d operations", VG_CHOICES);
    member += strspn(member, " ");
    size_t length = strlen(member);
    while (length && member[length - 1] == ' ')
        member[--length] = '\0';
    if (strchr(member, '@'))
        return vg_fail(err, VG_E_ARG,
                       "policy: \"%s\": inside a group the chances are the group's; write it "
                       "behind the bracket",
                       member);
    vg_status status = read_choice(member, &choices->choice[choices->choice_count], err);
    if (!status) {
        choices->choice_count++;
        group->count++;
    }
    return status;
}

/* Behind the opening bracket: "a|b|c)" or "2:a|b|c)". */
static vg_status read_group(char *inside, bool some, vg_choices *choices, vg_group *group,
                            vg_error *err)
{
    size_t length = strlen(inside);
    if (!length || inside[length - 1] != ')')
        return vg_fail(err, VG_E_ARG, "policy: a group that begins with \"%.40s\" has no \")\"",
                       inside);
    inside[length - 1] = '\0';
    group->bracket = true;
    group->pick = 1;
    if (some) {
        char *end;
        long pick = strtol(inside, &end, 10);
        if (end == inside || *end != ':' || pick < 1 || pick > VG_CHOICES)
            return vg_fail(err, VG_E_ARG,
                           "policy: some_of(%s): expected a number and the operations, as in "
                           "some_of(2:a|b|c)",
                           inside);
        group->pick = (int)pick;
        inside = end + 1;
    }
    while (inside) {
        char *bar = strchr(inside, '|');
        if (bar)
            *bar++ = '\0';
        vg_status status = read_member(inside, choices, group, err);
        if (status)
            return status;
        inside = bar;
    }
    if (group->pick > group->count)
        return vg_fail(err, VG_E_ARG, "policy: some_of: %d of %d operations", group->pick,
                       group->count);
    return VG_OK;
}

bool vg_choices_wants(const char *word)
{
    size_t length = strcspn(word, "=@(");
    return strchr(word, '@') || word[length] == '(' ||
           vg_operation_named(word, length) != VG_OPERATIONS;
}

vg_status vg_choices_add(vg_choices *choices, const char *word, vg_error *err)
{
    char text[512];
    vg_choices more = *choices;
    if (strlen(word) >= sizeof text)
        return vg_fail(err, VG_E_ARG, "policy: \"%.40s...\" is too long", word);
    if (more.group_count == VG_GROUPS)
        return vg_fail(err, VG_E_LIMIT, "policy: more than %d operations and groups with a chance",
                       VG_GROUPS);
    snprintf(text, sizeof text, "%s", word);
    vg_group *group = &more.group[more.group_count];
    *group = (vg_group){.first = more.choice_count, .pick = 1};
    vg_status status = read_chance(text, &group->chance, err);
    size_t name = strcspn(text, "=(");
    bool some = strncmp(text, "some_of(", 8) == 0;
    if (!status && text[name] == '(' && !some && strncmp(text, "one_of(", 7) != 0)
        status = vg_fail(err, VG_E_ARG,
                         "policy: \"%.40s\": groups are one_of(...) and some_of(n:...)", text);
    else if (!status && text[name] == '(')
        status = read_group(text + name + 1, some, &more, group, err);
    else if (!status)
        status = read_member(text, &more, group, err);
    if (status)
        return status;
    more.group_count++;
    *choices = more;
    return VG_OK;
}

/* ---- printing */

static void put_choice(vg_line *line, const vg_choice *choice)
{
    const vg_operation_info *info = vg_operation_of(choice->operation);
    char a[VG_TEXT_NUMBER], b[VG_TEXT_NUMBER];
    if (info->form == VG_FORM_NONE)
        vg_line_put(line, "%s", info->name);
    else if (!choice->range)
        vg_line_put(line, "%s=%s", info->name, vg_text_shortest(choice->value, a));
    else
        vg_line_put(line, "%s=%s:%s", info->name, vg_text_shortest(choice->low, a),
                    vg_text_shortest(choice->high, b));
}

void vg_choices_print(const vg_choices *choices, char *text, size_t capacity)
{
    vg_line line = vg_line_begin(text, capacity);
    for (int g = 0; g < choices->group_count; g++) {
        const vg_group *group = &choices->group[g];
        if (g)
            vg_line_put(&line, " ");
        if (group->bracket && group->pick == 1)
            vg_line_put(&line, "one_of(");
        else if (group->bracket)
            vg_line_put(&line, "some_of(%d:", group->pick);
        for (int i = 0; i < group->count; i++) {
            if (i)
                vg_line_put(&line, "|");
            put_choice(&line, &choices->choice[group->first + i]);
        }
        if (group->bracket)
            vg_line_put(&line, ")");
        char number[VG_TEXT_NUMBER];
        if (group->chance != 1)
            vg_line_put(&line, "@%s", vg_text_shortest(group->chance, number));
    }
}

/* ---- drawing */

/* The range at this strength: pulled towards the value that changes nothing. */
static void at_strength(const vg_choice *choice, double strength, double *low, double *high)
{
    const vg_operation_info *info = vg_operation_of(choice->operation);
    *low = choice->low;
    *high = choice->high;
    if (strength != 1 && !isnan(info->neutral)) {
        *low = info->neutral + strength * (*low - info->neutral);
        *high = info->neutral + strength * (*high - info->neutral);
    }
}

static void draw_group(const vg_choices *choices, const vg_group *group, double strength,
                       vg_rng *rng, vg_steps *steps)
{
    int left = group->pick;
    for (int i = 0; i < group->count;
         i++) { /* every subset of that size alike (Knuth's method S) */
        const vg_choice *choice = &choices->choice[group->first + i];
        bool taken = vg_rng_double(rng) * (group->count - i) < left;
        double low, high;
        at_strength(choice, strength, &low, &high);
        vg_step step = vg_step_draw(choice->operation, low, high, rng);
        if (!taken)
            continue;
        left--;
        if (steps->count < VG_STEPS)
            steps->step[steps->count++] = step;
    }
}

void vg_choices_draw(const vg_choices *choices, const vg_sample_key *key, double strength,
                     vg_steps *steps)
{
    for (int g = 0; g < choices->group_count; g++) {
        vg_rng rng = vg_rng_make(key->seed, key->epoch, key->position,
                                 VG_RNG_PLAN | (uint32_t)(g + 1) << 16);
        const vg_group *group = &choices->group[g];
        /* What has no neutral value happens less often instead. */
        bool fades = true;
        for (int i = 0; i < group->count; i++)
            fades = fades &&
                    !isnan(vg_operation_of(choices->choice[group->first + i].operation)->neutral);
        double chance = fades ? group->chance : group->chance * strength;
        if (vg_rng_double(&rng) < chance)
            draw_group(choices, group, strength, &rng, steps);
    }
}
