/* A manifest and its reasons, written next to nothing else. Rows are quoted by RFC 4180, so that any name survives;
 * relative paths are counted from the real places of both folders, so that links on the way mean nothing.
 * Refuses a folder that holds anything it did not write. */
#include "fix_files.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/text.h"
#include "cli.h"
#include "report/escape.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static const char manifest_name[] = "manifest.csv", reasons_name[] = "fixed.json";
static const char made_by[] = "{\"tool\": \"balance-report --fix\"";

/* ---- the folder */

/* Whether fixed.json is one of ours. */
static bool is_ours(const char *folder)
{
    char text[sizeof made_by] = "";
    char *path = vg_path_join(folder, reasons_name);
    FILE *file = path ? fopen(path, "rbe") : NULL;
    size_t size = file ? fread(text, 1, sizeof made_by - 1, file) : 0;
    if (file)
        fclose(file);
    free(path);
    return size == sizeof made_by - 1 && memcmp(text, made_by, size) == 0;
}

static bool is_same_file(const char *a, const char *b)
{
    char *real_a = realpath(a, NULL), *real_b = realpath(b, NULL);
    bool same = real_a && real_b && strcmp(real_a, real_b) == 0;
    free(real_a);
    free(real_b);
    return same;
}

vg_status vg_fix_check_folder(const char *folder, const char *dataset, vg_error *err)
{
    if (!vg_path_exists(folder))
        return VG_OK;
    if (!vg_path_is_folder(folder))
        return vg_fail(err, VG_E_ARG, "--fix %s: is a file, expected a folder", folder);
    char *manifest = vg_path_join(folder, manifest_name);
    bool itself = manifest && (is_same_file(manifest, dataset) || is_same_file(folder, dataset));
    free(manifest);
    if (itself)
        return vg_fail(err, VG_E_ARG, "--fix %s: holds the dataset itself; expected another folder",
                       folder);
    DIR *listing = opendir(folder);
    if (!listing)
        return vg_fail(err, VG_E_IO, "--fix %s: %s", folder, strerror(errno));
    bool ours = is_ours(folder);
    vg_status status = VG_OK;
    for (struct dirent *entry; !status && (entry = readdir(listing));) {
        const char *name = entry->d_name;
        bool known = strcmp(name, manifest_name) == 0 || strcmp(name, reasons_name) == 0;
        if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0 || (ours && known))
            continue;
        char shown[400] = "", one[VG_TEXT_SHOWN];
        for (int n; (n = vg_text_show(name, one)) > 0; name += n)
            vg_text_append(shown, sizeof shown, "%s", one);
        status =
            vg_fail(err, VG_E_ARG,
                    "--fix %s: holds \"%s\", which was not written by --fix; expected a new or "
                    "an empty folder",
                    folder, shown);
    }
    closedir(listing);
    return status;
}

/* ---- places */

/* How `to` is reached from the folder `from`, both real paths; on the heap. */
static char *relative(const char *from, const char *to)
{
    size_t same = 0, ups = 0;
    for (size_t i = 0;; i++) { /* whole components */
        bool end_from = !from[i] || from[i] == '/', end_to = !to[i] || to[i] == '/';
        if (end_from && end_to)
            same = i;
        if (from[i] != to[i] || !from[i])
            break;
    }
    for (const char *at = from + same; *at; at++)
        ups += *at == '/' && at[1];
    const char *rest = to + same + (to[same] == '/');
    size_t capacity = 3 * ups + strlen(rest) + 2;
    char *path = vg_alloc(capacity, 1);
    if (!path)
        return NULL;
    path[0] = '\0';
    for (size_t i = 0; i < ups; i++)
        vg_text_append(path, capacity, "%s", i ? "/.." : "..");
    if (*rest)
        vg_text_append(path, capacity, "%s%s", ups ? "/" : "", rest);
    return path;
}

/* One place as it stands in the manifest: a path that exists, as it was given or seen from the manifest. */
static char *place_of(const char *folder, const char *path)
{
    if (path[0] == '/')
        return vg_strdup(path);
    char *from = realpath(folder, NULL), *to = realpath(path, NULL);
    char *found = from && to ? relative(from, to) : NULL;
    free(from);
    free(to);
    return found;
}

/* Patterns of shards and lists of them are made absolute, each for itself. */
static char *place_of_shards(const char *pattern)
{
    char *here = getcwd(NULL, 0);
    size_t capacity = 16;
    for (const char *at = pattern; here && *at; at++)
        capacity += 1 + (at == pattern || strncmp(at, "::", 2) == 0 ? strlen(here) + 4 : 0);
    char *found = here ? vg_alloc(capacity, 1) : NULL;
    vg_line line = vg_line_begin(found, found ? capacity : 0);
    for (const char *at = pattern; found && *at;) {
        const char *end = strstr(at, "::");
        size_t length = end ? (size_t)(end - at) : strlen(at);
        vg_line_put(&line, "%s%s%s%.*s", at == pattern ? "" : "::", *at == '/' ? "" : here,
                    *at == '/' ? "" : "/", (int)length, at);
        at += length + (end ? 2 : 0);
    }
    free(here);
    return found;
}

/* ---- the manifest */

static void put_field(FILE *out, const char *text)
{
    size_t length = strlen(text);
    bool blank = length && (strchr(" \t", text[0]) || strchr(" \t", text[length - 1]));
    if (!blank && length && !text[strcspn(text, ",;\t\"\r\n")]) {
        fputs(text, out);
        return;
    }
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* A path that would be taken for another one, or for none, without its folder in front. */
static void put_path(FILE *out, const char *before, const char *name, char *room, size_t capacity)
{
    if (name[0] == '/' || !before || !before[0])
        snprintf(room, capacity, "%s", name);
    else
        snprintf(room, capacity, "%s%s%s", before, before[strlen(before) - 1] == '/' ? "" : "/",
                 name);
    put_field(out, room);
}

static vg_status put_manifest(FILE *out, const char *folder, const vg_dataset *dataset,
                              const vg_fix *fix, vg_error *err)
{
    enum { ROOM = 3 * 4096 };
    const char *container = vg_dataset_container(dataset);
    char *place = !container                  ? place_of(folder, vg_dataset_root(dataset))
                  : vg_path_exists(container) ? place_of(folder, container)
                                              : place_of_shards(container);
    char *room = vg_alloc(ROOM, 1);
    vg_status status = VG_OK;
    if (!place || !room)
        status = vg_fail(err, VG_E_IO, "%s: cannot be reached from %s",
                         container ? container : vg_dataset_root(dataset), folder);
    if (!status)
        fprintf(out, "path,label,split%s\n", container ? ",container" : "");
    for (size_t i = 0; !status && i < fix->count; i++) {
        char name[4096];
        if (!fix->samples[i].kept)
            continue;
        vg_dataset_name(dataset, i, name, sizeof name);
        put_path(out, container ? NULL : place, name, room, ROOM);
        fputc(',', out);
        put_field(out, vg_dataset_class_name(dataset, vg_dataset_label(dataset, i)));
        fprintf(out, ",%s", vg_split_name(fix->samples[i].split));
        if (container) {
            fputc(',', out);
            put_field(out, place);
        }
        fputc('\n', out);
    }
    free(place);
    free(room);
    return status;
}

/* ---- the reasons */

static json_t *name_of(const vg_dataset *dataset, size_t index)
{
    char name[4096];
    vg_dataset_name(dataset, index, name, sizeof name);
    return vg_json_text(name);
}

/* One line of the list: a sample that was left out or moved. */
static bool put_sample(FILE *out, const vg_dataset *dataset, const vg_fix *fix, size_t i)
{
    const vg_fix_sample *s = &fix->samples[i];
    json_t *object = json_object();
    bool ok = true;
    vg_json_set(object, "path", name_of(dataset, i), &ok);
    vg_json_set(object, "label",
                vg_json_text(vg_dataset_class_name(dataset, vg_dataset_label(dataset, i))), &ok);
    vg_json_set(object, "action", json_string(s->kept ? "moved" : "left-out"), &ok);
    vg_json_set(object, "why",
                json_string(s->kept ? vg_fix_move_name(s->move) : vg_mark_name(s->why)), &ok);
    if (fix->of[i] != SIZE_MAX)
        vg_json_set(object, "copy_of", name_of(dataset, fix->of[i]), &ok);
    vg_json_set(object, "split", json_string(vg_split_name(vg_dataset_split(dataset, i))), &ok);
    if (s->kept)
        vg_json_set(object, "to", json_string(vg_split_name(s->split)), &ok);
    ok = ok && json_dumpf(object, out, JSON_COMPACT | JSON_ENSURE_ASCII) == 0;
    json_decref(object);
    return ok || ferror(out);
}

static json_t *counts_of(const vg_fix *fix, bool *ok)
{
    json_t *counts = json_object();
    for (int m = 0; m < VG_MARKS; m++)
        if (fix->left_out[m])
            vg_json_set(counts, vg_mark_name((vg_mark)m),
                        json_integer((json_int_t)fix->left_out[m]), ok);
    return counts;
}

static json_t *splits_of(const size_t n[VG_SPLIT_COUNT], bool *ok)
{
    json_t *splits = json_object();
    for (int s = 0; s < VG_SPLIT_COUNT; s++)
        vg_json_set(splits, vg_split_name((vg_split)s), json_integer((json_int_t)n[s]), ok);
    return splits;
}

static bool put_pair(FILE *out, const char *key, json_t *value)
{
    fprintf(out, ",\n \"%s\": ", key);
    bool ok = value && json_dumpf(value, out, JSON_ENCODE_ANY | JSON_ENSURE_ASCII) == 0;
    json_decref(value);
    return ok || ferror(out);
}

static vg_status put_reasons(FILE *out, const vg_dataset *dataset, const vg_fix_choice *choice,
                             const vg_fix *fix, vg_error *err)
{
    char words[480];
    bool ok = true, first = true;
    vg_fix_choice_print(choice, words, sizeof words);
    fputs(made_by, out);
    ok &= put_pair(out, "version", json_string(VG_VERSION));
    ok &= put_pair(out, "dataset", vg_json_text(vg_dataset_path(dataset)));
    ok &= put_pair(out, "fix", json_string(words));
    ok &= put_pair(out, "images", json_integer((json_int_t)fix->count));
    ok &= put_pair(out, "kept", json_integer((json_int_t)fix->kept));
    ok &= put_pair(out, "moved", json_integer((json_int_t)fix->moved));
    bool built = true;
    ok &= put_pair(out, "left_out", counts_of(fix, &built));
    ok &= put_pair(out, "splits_before", splits_of(fix->before, &built));
    ok &= put_pair(out, "splits", splits_of(fix->after, &built));
    fputs(",\n \"samples\": [", out);
    for (size_t i = 0; ok && built && i < fix->count; i++) {
        if (fix->samples[i].kept && fix->samples[i].move == VG_FIX_STAYS)
            continue;
        fputs(first ? "\n  " : ",\n  ", out);
        first = false;
        ok = put_sample(out, dataset, fix, i);
    }
    fputs("\n ]\n}\n", out);
    return ok && built ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for %s", reasons_name);
}

/* ---- the whole */

vg_status vg_fix_write(const char *folder, const vg_dataset *dataset, const vg_fix_choice *choice,
                       const vg_fix *fix, vg_error *err)
{
    const char *const names[] = {reasons_name, manifest_name};
    vg_status status = vg_make_folders(folder, err);
    for (int i = 0; !status && i < 2; i++) {
        vg_atomic_file file;
        char *path = vg_path_join(folder, names[i]);
        if (!path)
            return vg_fail(err, VG_E_NOMEM, "%s: out of memory", folder);
        status = vg_atomic_open(path, &file, err);
        free(path);
        if (status)
            break;
        status = i ? put_manifest(file.stream, folder, dataset, fix, err)
                   : put_reasons(file.stream, dataset, choice, fix, err);
        if (status)
            vg_atomic_abort(&file);
        else
            status = vg_atomic_commit(&file, err);
    }
    return status;
}

void vg_fix_words(const vg_fix *fix, char *text, size_t capacity)
{
    char a[32], b[32];
    vg_line line = vg_line_begin(text, capacity);
    vg_line_put(&line, "%s of %s images kept", vg_cli_count(a, fix->kept),
                vg_cli_count(b, fix->count));
    for (int m = 0, some = 0; m < VG_MARKS; m++)
        if (fix->left_out[m])
            vg_line_put(&line, "%s%s %s",
                        some++ ? ", " : "; left out: ", vg_cli_count(a, fix->left_out[m]),
                        vg_mark_name((vg_mark)m));
    if (fix->moved)
        vg_line_put(&line, "; moved to another split: %s", vg_cli_count(a, fix->moved));
    vg_line_put(&line, "; train %s", vg_cli_count(a, fix->after[VG_SPLIT_TRAIN]));
    vg_line_put(&line, ", val %s", vg_cli_count(a, fix->after[VG_SPLIT_VAL]));
    vg_line_put(&line, ", test %s", vg_cli_count(a, fix->after[VG_SPLIT_TEST]));
}
