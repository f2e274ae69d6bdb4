/* What to do about uneven classes: the recommended way first, then every way with what it makes of the rarest class. */
#include "report/audit_page.h"
#include "report/balance_plan.h"
#include "report/escape.h"
#include "report/html.h"

#include "base/text.h"
#include "cli.h"

#include <stdlib.h>

static const int most_rows = 500; /* of the page's table of classes */

static const char *name_of(const vg_audit_page *p, int label)
{
    return vg_dataset_class_name(p->dataset, label);
}

/* "train-pipeline DATASET --job FILE" where the plan was written, else with --set. */
static char *command_of(const vg_audit_page *p)
{
    const vg_findings *f = p->findings;
    if (!f->plan_file)
        return f->sampling == VG_SAMPLING_SHUFFLE
                   ? NULL
                   : vg_plan_command(f, vg_dataset_path(p->dataset),
                                     vg_dataset_background(p->dataset));
    char *file = vg_shell_word(f->plan_file), after[4200];
    if (!file)
        return NULL;
    snprintf(after, sizeof after, " --job %s", file);
    free(file);
    const vg_advice use = {.before = "train-pipeline ", .after = after};
    return vg_advice_command(&use, vg_dataset_path(p->dataset), vg_dataset_background(p->dataset));
}

/* What the recommended way does for the rarest class. */
static void chosen_words(const vg_audit_page *p, char *text, size_t capacity)
{
    const vg_findings *f = p->findings;
    const vg_balance_plan *plan = f->plan;
    const vg_way *way = &plan->ways.list[plan->ways.chosen];
    double views =
        vg_balance_plan_views(plan, plan->ways.chosen, plan->rare, plan->tier[plan->rare]);
    char seen[32], before[32], different[32];
    snprintf(text, capacity,
             "%s: \"%.100s\" seen %s → %s times an epoch in %s different views of its %zu "
             "image%s (augmented)",
             way->sampling == VG_SAMPLING_SQRT ? "sampling by square root"
                                               : "all classes equally often",
             name_of(p, plan->rare), vg_cli_count(before, plan->counts[plan->rare]),
             vg_cli_count(seen, way->per_class[plan->rare].seen),
             vg_cli_count(different, (uint64_t)(views + 0.5)), plan->counts[plan->rare],
             plan->counts[plan->rare] == 1 ? "" : "s");
}

static void put_ways(const vg_audit_page *p)
{
    const vg_balance_plan *plan = p->findings->plan;
    char head[80];
    snprintf(head, sizeof head, "\"%.30s\" seen", name_of(p, plan->rare));
    int columns = vg_cli_columns(head);
    fprintf(p->out, "%11s%s%-20s%10s  ", "", p->pale, "", "epoch");
    vg_cli_pad(p->out, head, columns);
    fprintf(p->out, "%9s%9s%9s%s\n", "images", "views", "of loss", p->plain);
    for (int i = 0; i < VG_WAYS; i++) {
        char name[40], length[32], seen[32], images[32], views[32];
        const vg_way *way = &plan->ways.list[i];
        const vg_way_class *class = &way->per_class[plan->rare];
        bool chosen = i == plan->ways.chosen;
        int tier = chosen ? plan->tier[plan->rare] : 0;
        double different = vg_balance_plan_views(plan, i, plan->rare, tier);
        vg_way_name(way, name, sizeof name);
        fprintf(p->out, "%11s%s%s %-18s%10s  %*s%9s%9s%7.1f %%%s\n", "",
                chosen ? p->bold : p->plain, chosen ? "*" : " ", name,
                vg_cli_count(length, way->length), columns, vg_cli_count(seen, class->seen),
                vg_cli_count(images, class->images),
                vg_cli_count(views, (uint64_t)(different + 0.5)), 100 * class->share, p->plain);
    }
}

static void put_tiers(const vg_audit_page *p)
{
    const vg_balance_plan *plan = p->findings->plan;
    for (int t = VG_PLAN_TIERS - 1; t > 0; t--) {
        char text[700];
        int count = 0, first = -1;
        for (int k = 0; k < plan->classes; k++) {
            if (plan->tier[k] == t && first < 0)
                first = k;
            count += plan->tier[k] == t;
        }
        if (!count)
            continue;
        snprintf(text, sizeof text, "\"%.100s\"%s", name_of(p, first), count > 1 ? "" : ":");
        if (count > 1)
            vg_text_append(text, sizeof text, " and %d more:", count - 1);
        vg_text_append(text, sizeof text,
                       " stronger augmentation, because their pictures come "
                       "again and again: %s",
                       vg_balance_plan_words(t));
        vg_page_row(p, "", text);
    }
}

static void put_text(const vg_audit_page *p)
{
    const vg_findings *f = p->findings;
    char text[700];
    if (!f->plan || f->plan->rare < 0 || f->count < 2)
        return;
    if (f->sampling == VG_SAMPLING_SHUFFLE) {
        vg_page_row(p, "plan", "no rebalancing needed");
    } else {
        chosen_words(p, text, sizeof text);
        vg_page_row(p, "plan", text);
        vg_way_words(f->plan, f->plan->ways.chosen, p->dataset, text, sizeof text);
        vg_page_row(p, "", text);
        put_ways(p);
        put_tiers(p);
    }
    if (f->plan_file) {
        snprintf(text, sizeof text, "written to %.600s; use it:", f->plan_file);
        vg_page_row(p, "", text);
    } else if (f->plan->tiered) {
        vg_page_row(p, "", "--plan balance.yaml writes all of it as a job; the sampling alone:");
    }
    vg_page_command(p, command_of(p));
}

/* ---- JSON */

static json_t *one_way(const vg_audit_page *p, int index, bool *ok)
{
    const vg_balance_plan *plan = p->findings->plan;
    const vg_way *r = &plan->ways.list[index];
    bool chosen = index == plan->ways.chosen;
    json_t *way = json_object(), *classes = json_array();
    char text[500];
    vg_json_set(
        way, "sampling",
        json_string(r->sampling == VG_SAMPLING_SHUFFLE ? "none" : vg_sampling_name(r->sampling)),
        ok);
    vg_json_set(way, "weights", json_string(vg_weighting_name(r->weighting)), ok);
    vg_json_set(way, "recommended", json_boolean(chosen), ok);
    vg_way_words(plan, index, p->dataset, text, sizeof text);
    vg_json_set(way, "text", vg_json_text(text), ok);
    vg_json_set(way, "epoch", json_integer((json_int_t)r->length), ok);
    for (int k = 0; k < plan->classes; k++) {
        const vg_way_class *class = &r->per_class[k];
        json_t *one = json_object();
        vg_json_set(one, "class", vg_json_text(name_of(p, k)), ok);
        vg_json_set(one, "seen", json_integer((json_int_t) class->seen), ok);
        vg_json_set(one, "images", json_integer((json_int_t) class->images), ok);
        vg_json_set(
            one, "views",
            vg_json_number(vg_balance_plan_views(plan, index, k, chosen ? plan->tier[k] : 0)), ok);
        vg_json_set(one, "weight", vg_json_number(class->weight), ok);
        vg_json_set(one, "loss_share", vg_json_number(class->share), ok);
        vg_json_append(classes, one, ok);
    }
    vg_json_set(way, "classes", classes, ok);
    return way;
}

static json_t *class_words(const vg_audit_page *p, bool *ok)
{
    const vg_balance_plan *plan = p->findings->plan;
    json_t *list = json_array();
    for (int k = 0; plan && k < plan->classes; k++) {
        if (!plan->tier[k])
            continue;
        json_t *one = json_object();
        vg_json_set(one, "class", vg_json_text(name_of(p, k)), ok);
        vg_json_set(one, "words", json_string(vg_balance_plan_words(plan->tier[k])), ok);
        vg_json_append(list, one, ok);
    }
    return list;
}

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    const vg_findings *f = p->findings;
    json_t *object = json_object(), *ways = json_array();
    bool none = f->sampling == VG_SAMPLING_SHUFFLE;
    char *command = command_of(p), why[500] = "";
    vg_json_set(object, "sampling", json_string(none ? "none" : vg_sampling_name(f->sampling)), ok);
    if (f->plan)
        vg_way_words(f->plan, f->plan->ways.chosen, p->dataset, why, sizeof why);
    vg_json_set(object, "why", vg_json_text(why), ok);
    vg_json_set(object, "class", f->rare < 0 ? json_null() : vg_json_text(name_of(p, f->rare)), ok);
    vg_json_set(object, "images", json_integer((json_int_t)f->rare_images), ok);
    vg_json_set(object, "seen", json_integer((json_int_t)f->rare_seen), ok);
    vg_json_set(object, "augment_classes", class_words(p, ok), ok);
    for (int i = 0; f->plan && i < VG_WAYS; i++)
        vg_json_append(ways, one_way(p, i, ok), ok);
    vg_json_set(object, "ways", ways, ok);
    vg_json_set(object, "file", f->plan_file ? vg_json_text(f->plan_file) : json_null(), ok);
    vg_json_set(object, "command", command ? vg_json_text(command) : json_null(), ok);
    free(command);
    vg_json_set(root, "plan", object, ok);
}

/* ---- page */

static void put_way_table(const vg_audit_page *p)
{
    static const char *const heads[] = {"way",    ">epoch",       ">seen", ">images",
                                        ">views", ">of the loss", "",      NULL};
    const vg_balance_plan *plan = p->findings->plan;
    vg_html_paragraph(p->out,
                      "What each way makes of \"%s\" in an epoch: how often it is seen, in "
                      "how many different images and views, and its part of the loss.",
                      name_of(p, plan->rare));
    vg_html_table_begin(p->out, heads);
    for (int i = 0; i < VG_WAYS; i++) {
        const vg_way *way = &plan->ways.list[i];
        const vg_way_class *class = &way->per_class[plan->rare];
        bool chosen = i == plan->ways.chosen;
        char name[40], text[500];
        vg_way_name(way, name, sizeof name);
        vg_way_words(plan, i, p->dataset, text, sizeof text);
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s%s", name, chosen ? " (recommended)" : "");
        vg_html_number(p->out, "%llu", (unsigned long long)way->length);
        vg_html_number(p->out, "%llu", (unsigned long long)class->seen);
        vg_html_number(p->out, "%llu", (unsigned long long)class->images);
        vg_html_number(
            p->out, "%.0f",
            vg_balance_plan_views(plan, i, plan->rare, chosen ? plan->tier[plan->rare] : 0));
        vg_html_number(p->out, "%.1f %%", 100 * class->share);
        vg_html_cell(p->out, "%s", text);
    }
    vg_html_table_end(p->out);
}

static void put_class_table(const vg_audit_page *p)
{
    static const char *const heads[] = {"class",  ">training images", ">seen an epoch",
                                        ">views", "augmentation",     NULL};
    const vg_findings *f = p->findings;
    const vg_balance_plan *plan = f->plan;
    const vg_way *way = &plan->ways.list[plan->ways.chosen];
    vg_html_paragraph(p->out, "All classes under the recommended way:");
    fputs("<div class=\"scroll\">", p->out);
    vg_html_table_begin(p->out, heads);
    for (int i = 0; i < f->count && i < most_rows; i++) {
        int k = f->classes[i].label;
        vg_html_table_row(p->out);
        vg_html_cell(p->out, "%s", name_of(p, k));
        vg_html_number(p->out, "%zu", plan->counts[k]);
        vg_html_number(p->out, "%llu", (unsigned long long)way->per_class[k].seen);
        vg_html_number(p->out, "%.0f",
                       vg_balance_plan_views(plan, plan->ways.chosen, k, plan->tier[k]));
        vg_html_cell(p->out, "%s", vg_balance_plan_words(plan->tier[k]));
    }
    vg_html_table_end(p->out);
    fputs("</div>\n", p->out);
}

static vg_status put_html(const vg_audit_page *p, vg_error *err)
{
    const vg_findings *f = p->findings;
    (void)err;
    vg_html_section(p->out, "Plan");
    if (!f->plan || f->plan->rare < 0 || f->count < 2 || f->sampling == VG_SAMPLING_SHUFFLE) {
        vg_html_paragraph(p->out, "No rebalancing needed.");
        return VG_OK;
    }
    char text[700];
    chosen_words(p, text, sizeof text);
    vg_html_paragraph(p->out, "%s.", text);
    vg_way_words(f->plan, f->plan->ways.chosen, p->dataset, text, sizeof text);
    vg_html_paragraph(p->out, "%s.", text);
    char *command = command_of(p);
    if (command)
        vg_html_code(p->out, command);
    free(command);
    put_way_table(p);
    put_class_table(p);
    return VG_OK;
}

const vg_audit_section vg_section_plan = {
    .name = "plan", .text = put_text, .json = put_json, .html = put_html};
