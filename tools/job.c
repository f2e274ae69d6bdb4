/* Jobs: YAML and key=value walk the same table of keys (job_keys.c).
 *
 * The file is read with libyaml's document API rather than with libcyaml, because libyaml gives the
 * line and column of every node: one table then serves YAML, --set, the stored effective job and
 * the documentation, with errors such as
 *   job.yaml:7:3: unknown key "learing_rate"; did you mean "learning_rate"?
 * Scalars are taken as they are written (no YAML 1.1 guessing): a class may be called "no" or "01".
 *
 * Refused: keys given twice, aliases to containers deeper than the keys go, files above 1 MiB. */
#include "job.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "job_keys.h"

#include <stdlib.h>
#include <string.h>
#include <yaml.h>

enum { FILE_LIMIT = 1 << 20, KEYS_MOST = 160 };

vg_status vg_job_init(vg_job *job, vg_error *err)
{
    *job = (vg_job){.split = vg_dataset_options_default(),
                    .run = vg_run_options_default(),
                    .compare = vg_compare_options_default()};
    job->compare.change_count = 0;
    job->run.normalization = VG_NORMALIZE_ZSCORE;
    job->run.state_minutes = 5;
    job->sweep = (vg_sweep_options){.give_up = VG_GIVING_UP_MEDIAN,
                                    .objective = VG_WATCH_BALANCED_ACCURACY,
                                    .trials = 20,
                                    .confirm = 3,
                                    .seeds = 2};
    job->run.sampling = VG_SAMPLING_BALANCED;
    int count;
    vg_status status = vg_policy_parse("light", &job->run.policy, err);
    return status ? status : vg_net_spec_preset(vg_net_presets(&count)[0].name, &job->run.net, err);
}

void vg_job_reset(vg_job *job)
{
    for (size_t i = 0; i < job->class_count; i++)
        free(job->classes[i]);
    for (size_t i = 0; i < job->limit_count; i++)
        free(job->limit_classes[i]);
    free(job->classes);
    free(job->limit_classes);
    free(job->limits);
    free(job->dataset);
    free(job->out);
    free(job->statistics);
    free(job->init_from);
    vg_search_space_reset(&job->sweep.space);
    vg_run_options_reset(&job->run);
    *job = (vg_job){0};
}

/* ---- unknown keys */

static const char *nearest_key(const char *name)
{
    const char *known[KEYS_MOST];
    size_t count, used = 0;
    const vg_job_key *keys = vg_job_keys(&count);
    for (size_t i = 0; i < count && used < KEYS_MOST; i++)
        known[used++] = keys[i].name;
    const char *nearest = vg_nearest(name, known, used);
    if (nearest)
        return nearest;
    /* "sampling" for "balance.sampling": compare with what follows the dot. */
    for (size_t i = 0; i < used; i++) {
        const char *dot = strrchr(keys[i].name, '.');
        known[i] = dot ? dot + 1 : keys[i].name;
    }
    nearest = vg_nearest(strrchr(name, '.') ? strrchr(name, '.') + 1 : name, known, used);
    for (size_t i = 0; i < used && nearest; i++)
        if (known[i] == nearest)
            return keys[i].name;
    return NULL;
}

static vg_status unknown_key(const char *where, const char *name, vg_error *err)
{
    const char *nearest = nearest_key(name);
    if (nearest)
        return vg_fail(err, VG_E_ARG, "%s: unknown key \"%s\"; did you mean \"%s\"?", where, name,
                       nearest);
    return vg_fail(err, VG_E_ARG, "%s: unknown key \"%s\" (docs/jobs.md lists all)", where, name);
}

/* "loss: focal" for loss: {kind: focal}. NULL: the group has no such key. */
static const vg_job_key *kind_of_group(const char *name)
{
    char kind[128];
    snprintf(kind, sizeof kind, "%s.kind", name);
    return vg_job_key_find(kind);
}

static bool is_group(const char *name)
{
    size_t count, length = strlen(name);
    const vg_job_key *keys = vg_job_keys(&count);
    for (size_t i = 0; i < count; i++)
        if (strncmp(keys[i].name, name, length) == 0 && keys[i].name[length] == '.')
            return true;
    return false;
}

/* ---- YAML */

typedef struct reading {
    vg_job *job;
    const char *name, *folder;
    yaml_document_t *document;
    int line_of[KEYS_MOST]; /* of keys already given, 0: not yet */
    vg_error *err;
} reading;

static vg_status fail_at(const reading *r, yaml_mark_t mark, const char *message)
{
    return vg_fail(r->err, VG_E_ARG, "%s:%zu:%zu: %s", r->name, mark.line + 1, mark.column + 1,
                   message);
}

/* The words of a list, a line each; NULL: no memory. */
static char *lines_of(const reading *r, const yaml_node_t *list, vg_status *status)
{
    char *text = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&text, &size);
    for (yaml_node_item_t *at = list->data.sequence.items.start;
         stream && at < list->data.sequence.items.top && !*status; at++) {
        const yaml_node_t *word = yaml_document_get_node(r->document, *at);
        if (word->type != YAML_SCALAR_NODE)
            *status =
                fail_at(r, word->start_mark, "found a list or map inside, expected a plain value");
        else
            fprintf(stream, "%s%s", at > list->data.sequence.items.start ? "\n" : "",
                    (const char *)word->data.scalar.value);
    }
    if (!stream || fclose(stream) != 0 || *status) {
        free(text);
        return NULL;
    }
    return text;
}

static vg_status add_item(const reading *r, vg_job_value *value, size_t *capacity,
                          const yaml_node_t *key, const yaml_node_t *node)
{
    bool list = value->nested && node->type == YAML_SEQUENCE_NODE;
    if ((node->type != YAML_SCALAR_NODE && !list) || (key && key->type != YAML_SCALAR_NODE))
        return fail_at(r, node->start_mark, "found a list or map inside, expected a plain value");
    if (!vg_grow(&value->items, capacity, value->count + 1, sizeof *value->items))
        return vg_fail(r->err, VG_E_NOMEM, "out of memory for %s", r->name);
    vg_status status = VG_OK;
    vg_job_item *item = &value->items[value->count++];
    *item = (vg_job_item){.key = key ? vg_strdup((const char *)key->data.scalar.value) : NULL,
                          .text = list ? lines_of(r, node, &status)
                                       : vg_strdup((const char *)node->data.scalar.value),
                          .list = list,
                          .line = (int)node->start_mark.line + 1,
                          .column = (int)node->start_mark.column + 1};
    if (status)
        return status;
    if (!item->text || (key && !item->key))
        return vg_fail(r->err, VG_E_NOMEM, "out of memory for %s", r->name);
    return VG_OK;
}

static vg_status value_of(const reading *r, yaml_node_t *node, vg_job_value *value)
{
    size_t capacity = 0;
    vg_status status = VG_OK;
    value->folder = r->folder;
    if (node->type == YAML_SCALAR_NODE) {
        value->kind = VG_JOB_SCALAR;
        value->text = vg_strdup((const char *)node->data.scalar.value);
        return value->text ? VG_OK : vg_fail(r->err, VG_E_NOMEM, "out of memory for %s", r->name);
    }
    if (node->type == YAML_SEQUENCE_NODE) {
        value->kind = VG_JOB_LIST;
        for (yaml_node_item_t *at = node->data.sequence.items.start;
             at < node->data.sequence.items.top && !status; at++)
            status = add_item(r, value, &capacity, NULL, yaml_document_get_node(r->document, *at));
        return status;
    }
    value->kind = VG_JOB_MAP;
    for (yaml_node_pair_t *at = node->data.mapping.pairs.start;
         at < node->data.mapping.pairs.top && !status; at++)
        status = add_item(r, value, &capacity, yaml_document_get_node(r->document, at->key),
                          yaml_document_get_node(r->document, at->value));
    return status;
}

static vg_status set_key(const reading *r, const vg_job_key *key, yaml_node_t *node)
{
    vg_job_value value = {.nested = key->nested};
    vg_status status = value_of(r, node, &value);
    if (status) {
        vg_job_value_reset(&value);
        return status;
    }
    vg_error found = {0};
    status = key->set(key, r->job, &value, &found);
    if (status) {
        size_t line = node->start_mark.line + 1, column = node->start_mark.column + 1;
        if (value.blame && value.blame->line) {
            line = (size_t)value.blame->line;
            column = (size_t)value.blame->column;
        }
        vg_fail(r->err, status, "%s:%zu:%zu: %s: %s", r->name, line, column, key->name,
                found.message);
    }
    vg_job_value_reset(&value);
    return status;
}

/* A mapping of keys; `prefix` is "" or the group's name. */
static vg_status walk(reading *r, yaml_node_t *mapping, const char *prefix)
{
    size_t key_count;
    const vg_job_key *keys = vg_job_keys(&key_count);
    vg_status status = VG_OK;
    for (yaml_node_pair_t *at = mapping->data.mapping.pairs.start;
         at < mapping->data.mapping.pairs.top && !status; at++) {
        yaml_node_t *name_node = yaml_document_get_node(r->document, at->key);
        yaml_node_t *node = yaml_document_get_node(r->document, at->value);
        yaml_mark_t mark = name_node->start_mark;
        if (name_node->type != YAML_SCALAR_NODE)
            return fail_at(r, mark, "found a list or map as a key, expected a word");
        char name[128], where[512];
        snprintf(name, sizeof name, "%s%s%s", prefix, *prefix ? "." : "",
                 (const char *)name_node->data.scalar.value);
        snprintf(where, sizeof where, "%s:%zu:%zu", r->name, mark.line + 1, mark.column + 1);
        const vg_job_key *key = vg_job_key_find(name);
        if (!key && node->type == YAML_SCALAR_NODE)
            key = kind_of_group(name);
        if (key) {
            int *line = &r->line_of[key - keys];
            if (*line)
                return vg_fail(r->err, VG_E_ARG, "%s: \"%s\" is given twice (first in line %d)",
                               where, name, *line);
            *line = (int)mark.line + 1;
            status = set_key(r, key, node);
        } else if (!*prefix && is_group(name)) {
            if (node->type != YAML_MAPPING_NODE)
                return vg_fail(r->err, VG_E_ARG, "%s: \"%s\" needs keys of its own below it", where,
                               name);
            status = walk(r, node, name);
        } else {
            status = unknown_key(where, name, r->err);
        }
    }
    return status;
}

vg_status vg_job_read(vg_job *job, const char *text, size_t size, const char *name,
                      const char *folder, vg_error *err)
{
    yaml_parser_t parser;
    yaml_document_t document;
    if (!yaml_parser_initialize(&parser))
        return vg_fail(err, VG_E_NOMEM, "out of memory for %s", name);
    yaml_parser_set_input_string(&parser, (const unsigned char *)text, size);
    if (!yaml_parser_load(&parser, &document)) {
        yaml_mark_t mark = parser.problem_mark;
        vg_fail(err, VG_E_FORMAT, "%s:%zu:%zu: not YAML: %s%s%s", name, mark.line + 1,
                mark.column + 1, parser.problem ? parser.problem : "cannot be read",
                parser.context ? " " : "", parser.context ? parser.context : "");
        yaml_parser_delete(&parser);
        return VG_E_FORMAT;
    }
    reading r = {.job = job, .name = name, .folder = folder, .document = &document, .err = err};
    yaml_node_t *root = yaml_document_get_root_node(&document);
    vg_status status = VG_OK;
    if (root && root->type == YAML_MAPPING_NODE)
        status = walk(&r, root, "");
    else if (root)
        status = fail_at(&r, root->start_mark, "expected a map of keys (key: value)");
    yaml_document_delete(&document);
    yaml_parser_delete(&parser);
    return status;
}

vg_status vg_job_load(vg_job *job, const char *path, vg_error *err)
{
    vg_bytes bytes = {0};
    vg_status status = vg_file_read(path, FILE_LIMIT, &bytes, err);
    if (status)
        return status;
    const char *base = vg_path_base(path);
    char *folder = base > path ? strndup(path, (size_t)(base - path)) : NULL;
    if (base > path && !folder)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %s", path);
    else
        status = vg_job_read(job, (const char *)bytes.data, bytes.size, path, folder, err);
    free(folder);
    vg_bytes_reset(&bytes);
    return status;
}

/* ---- key=value */

/* [a, b], {a: 1} and quoted text are YAML; anything else is taken as it stands. */
static vg_status set_yaml(vg_job *job, const char *key, const char *text, const char *name,
                          vg_error *err)
{
    char *line = NULL;
    size_t size = 0;
    FILE *stream = open_memstream(&line, &size);
    if (!stream)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %s", name);
    fprintf(stream, "%s: %s\n", key, text);
    if (fclose(stream) != 0) {
        free(line);
        return vg_fail(err, VG_E_NOMEM, "out of memory for %s", name);
    }
    vg_status status = vg_job_read(job, line, size, name, NULL, err);
    free(line);
    return status;
}

vg_status vg_job_set(vg_job *job, const char *assignment, const char *name, vg_error *err)
{
    const char *equals = strchr(assignment, '=');
    if (!equals)
        return vg_fail(err, VG_E_ARG, "%s: found \"%s\", expected key=value", name, assignment);
    char word[128];
    snprintf(word, sizeof word, "%.*s", (int)(equals - assignment), assignment);
    const vg_job_key *key = vg_job_key_find(word);
    const char *text = equals + 1;
    if (!key && *text == '{' && is_group(word))
        return set_yaml(job, word, text, name, err);
    if (!key)
        key = kind_of_group(word);
    if (!key)
        return unknown_key(name, word, err);
    if (*text && strchr("[{\"'", *text))
        return set_yaml(job, key->name, text, name, err);
    vg_job_value value = {.kind = VG_JOB_SCALAR, .text = vg_strdup(text)};
    if (!value.text)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %s", name);
    vg_error found = {0};
    vg_status status = key->set(key, job, &value, &found);
    if (status)
        vg_fail(err, status, "%s: %s: %s", name, word, found.message);
    vg_job_value_reset(&value);
    return status;
}

vg_status vg_job_finish(vg_job *job, vg_error *err)
{
    job->run.statistics = job->statistics;
    job->run.init_from = job->init_from;
    if (job->split.train_share + job->split.val_share > 1 + 1e-9)
        return vg_fail(err, VG_E_ARG,
                       "split.train %g and split.val %g: together they may be 1 at most",
                       job->split.train_share, job->split.val_share);
    if (job->split.train_share <= 0)
        return vg_fail(err, VG_E_ARG, "split.train is 0: nothing would be left to train on");
    vg_status status = vg_loss_check(&job->run.loss, err);
    if (status)
        return status;
    if (!job->first_seed_given)
        job->compare.first_seed = job->run.seed;
    if (!job->learning_rate_given)
        job->run.schedule.base = vg_optimizer_default_rate(job->run.optimizer.kind);
    bool muon = job->run.optimizer.kind == VG_OPTIMIZER_MUON;
    if (!job->clip_norm_given)
        job->run.optimizer.clip_norm = vg_optimizer_default_clip(job->run.optimizer.kind);
    if (!job->momentum_given)
        job->run.optimizer.momentum = muon ? 0.95 : 0.9;
    if (!job->nesterov_given)
        job->run.optimizer.nesterov = muon;
    return VG_OK;
}

/* ---- printing */

/* Keys on which the result of a training does not depend. */
static bool is_neutral(const vg_job_key *key)
{
    static const char *const names[] = {"dataset", "out", "threads", "cache", "checkpoint_every"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++)
        if (strcmp(key->name, names[i]) == 0)
            return true;
    return false;
}

char *vg_job_identity(const vg_job *job, const char *version)
{
    char *text = NULL;
    size_t count, size = 0;
    const vg_job_key *keys = vg_job_keys(&count);
    FILE *stream = open_memstream(&text, &size);
    if (!stream)
        return NULL;
    fprintf(stream, "version of the program: %s\n", version);
    for (size_t i = 0; i < count; i++) {
        if (is_neutral(&keys[i]))
            continue;
        fprintf(stream, "%s: ", keys[i].name);
        keys[i].print(&keys[i], job, stream);
        fputc('\n', stream);
    }
    if (fclose(stream) != 0) {
        free(text);
        return NULL;
    }
    return text;
}

static bool is_left_out(const vg_job_key *key)
{
    return strcmp(key->name, "out") == 0;
}

void vg_job_print(const vg_job *job, FILE *out)
{
    size_t count, group = 0;
    const vg_job_key *keys = vg_job_keys(&count);
    for (size_t i = 0; i < count; i++) {
        const vg_job_key *key = &keys[i];
        const char *dot = strchr(key->name, '.'), *shown = dot ? dot + 1 : key->name;
        if (is_left_out(key))
            continue;
        size_t length = dot ? (size_t)(dot - key->name) : 0;
        if (dot && (length != group || strncmp(keys[i - 1].name, key->name, length + 1) != 0))
            fprintf(out, "%.*s:\n", (int)length, key->name);
        group = length;
        fprintf(out, "%s%s: ", dot ? "  " : "", shown);
        key->print(key, job, out);
        fprintf(out, "  # %s\n", key->help);
    }
}

void vg_job_print_words(const vg_job *job, FILE *out, int width, const char *indent)
{
    size_t count;
    const vg_job_key *keys = vg_job_keys(&count);
    int column = 0;
    for (size_t i = 0; i < count; i++) {
        char *text = NULL;
        size_t size = 0;
        FILE *stream = is_left_out(&keys[i]) ? NULL : open_memstream(&text, &size);
        if (!stream)
            continue;
        keys[i].print(&keys[i], job, stream);
        if (fclose(stream) == 0) {
            bool quoted = strpbrk(text, " []{}\"") != NULL;
            int need = (int)(strlen(keys[i].name) + 1 + size) + (quoted ? 2 : 0);
            if (column && column + 2 + need > width) {
                fputc('\n', out);
                column = 0;
            }
            column += fprintf(out, "%s%s=%s%s%s", column ? "  " : indent, keys[i].name,
                              quoted ? "'" : "", text, quoted ? "'" : "");
        }
        free(text);
    }
    fputc('\n', out);
}

void vg_job_print_keys(FILE *out)
{
    size_t count;
    const vg_job_key *keys = vg_job_keys(&count);
    vg_job job;
    if (vg_job_init(&job, NULL) != VG_OK)
        return;
    fputs("| key | allowed | default | meaning |\n| --- | --- | --- | --- |\n", out);
    for (size_t i = 0; i < count; i++) {
        char allowed[256];
        vg_job_key_allowed(&keys[i], allowed, sizeof allowed);
        fprintf(out, "| `%s` | %s | ", keys[i].name, allowed);
        bool path = strcmp(keys[i].name, "dataset") == 0 || is_left_out(&keys[i]);
        fputs(path ? "" : "`", out);
        if (!path)
            keys[i].print(&keys[i], &job, out);
        fprintf(out, "%s | %s |\n", path ? "" : "`", keys[i].help);
    }
    vg_job_reset(&job);
}

vg_selection vg_job_selection(const vg_job *job)
{
    return (vg_selection){.classes = job->class_count ? (const char *const *)job->classes : NULL,
                          .class_count = (int)job->class_count,
                          .limit_classes = (const char *const *)job->limit_classes,
                          .limits = job->limits,
                          .limit_count = (int)job->limit_count,
                          .train_total = job->train_total,
                          .held_out_total = job->held_out_total,
                          .seed = job->run.seed};
}
