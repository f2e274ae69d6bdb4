/* JSON lines to rows: one object a line with a path, a label (a string or a whole number) and
 * perhaps a split, under the names that a table's header may use; other keys are passed over. Each
 * line is parsed by jansson, whose messages bring the column. A line that is no object, a path or
 * label of another type and a missing one are refused: what a value was meant to be is not guessed.
 */
#include "dataset/manifest.h"

#include <jansson.h>
#include <stdio.h>
#include <string.h>

static const char *type_name(const json_t *value)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return "an object";
    case JSON_ARRAY:
        return "an array";
    case JSON_STRING:
        return "a string";
    case JSON_INTEGER:
        return "a whole number";
    case JSON_REAL:
        return "a number with a fraction";
    case JSON_TRUE:
    case JSON_FALSE:
        return "true or false";
    case JSON_NULL:
        break;
    }
    return "null";
}

/* The first key of the object that plays the role; NULL without one. */
static const char *find_key(json_t *object, vg_role role, json_t **value)
{
    const char *key;
    json_t *held;
    json_object_foreach(object, key, held)
    {
        if (vg_manifest_plays(key, role)) {
            *value = held;
            return key;
        }
    }
    return NULL;
}

static vg_status refuse_missing(vg_manifest *manifest, size_t line, json_t *object, vg_role role)
{
    static const char *const expected[] = {"\"path\" (or file, filename, file_name, image ...)",
                                           "\"label\" (or class, category, target ...)"};
    char found[160] = "";
    const char *key;
    json_t *value;
    json_object_foreach(object, key, value)
    {
        vg_role meant_role = VG_ROLE_COUNT;
        const char *meant = vg_manifest_nearest(key, &meant_role);
        if (meant && meant_role == role)
            return vg_manifest_fail(manifest, line, "no key %s; did you mean \"%s\" by \"%.60s\"?",
                                    expected[role], meant, key);
        size_t used = strlen(found);
        snprintf(found + used, sizeof found - used, "%s%s", used ? ", " : "", key);
    }
    return vg_manifest_fail(manifest, line, "no key %s; found %s", expected[role],
                            found[0] ? found : "an empty object");
}

static vg_status take_object(vg_manifest *manifest, size_t line, json_t *object)
{
    json_t *path = NULL, *label = NULL, *split = NULL, *container = NULL;
    const char *path_key = find_key(object, VG_ROLE_PATH, &path);
    const char *label_key = find_key(object, VG_ROLE_LABEL, &label);
    const char *split_key = find_key(object, VG_ROLE_SPLIT, &split);
    if (!path)
        return refuse_missing(manifest, line, object, VG_ROLE_PATH);
    if (!label)
        return refuse_missing(manifest, line, object, VG_ROLE_LABEL);
    if (!json_is_string(path))
        return vg_manifest_fail(manifest, line, "\"%.60s\" is %s, expected a string", path_key,
                                type_name(path));
    char number[24];
    const char *name = json_string_value(label);
    if (json_is_integer(label)) {
        snprintf(number, sizeof number, "%lld", (long long)json_integer_value(label));
        name = number;
    } else if (!name) {
        return vg_manifest_fail(manifest, line,
                                "\"%.60s\" is %s, expected a string or a whole number", label_key,
                                type_name(label));
    }
    if (split && !json_is_string(split) && !json_is_null(split))
        return vg_manifest_fail(manifest, line,
                                "\"%.60s\" is %s, expected \"train\", \"val\" or "
                                "\"test\"",
                                split_key, type_name(split));
    find_key(object, VG_ROLE_CONTAINER, &container);
    if (container && !json_is_string(container) && !json_is_null(container))
        return vg_manifest_fail(manifest, line, "\"container\" is %s, expected a string",
                                type_name(container));
    vg_status status = vg_manifest_container(manifest, line, json_string_value(container));
    return status ? status
                  : vg_manifest_row(manifest, line, json_string_value(path), name,
                                    json_string_value(split));
}

static vg_status take_line(vg_manifest *manifest, size_t line, const char *text, size_t size)
{
    json_error_t why;
    json_t *object = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
    if (!object && json_error_code(&why) == json_error_out_of_memory)
        return vg_fail(manifest->err, VG_E_NOMEM, "%s: out of memory", manifest->path);
    if (!object)
        return vg_fail(manifest->err, VG_E_FORMAT,
                       "%s:%zu:%d: %.200s; expected one JSON object in a line", manifest->path,
                       line, why.column, why.text);
    vg_status status =
        json_is_object(object)
            ? take_object(manifest, line, object)
            : vg_manifest_fail(manifest, line, "%s; expected one JSON object in a line",
                               type_name(object));
    json_decref(object);
    return status;
}

/* The next line that is not blank: *text and *size are it, *line counts on. False at the end. */
static bool next_line(const char **at, const char *end, const char **text, size_t *size,
                      size_t *line)
{
    while (*at < end) {
        const char *stop = memchr(*at, '\n', (size_t)(end - *at));
        *text = *at;
        *size = (size_t)((stop ? stop : end) - *at);
        *at = stop ? stop + 1 : end;
        ++*line;
        for (size_t i = 0; i < *size; i++)
            if (!strchr(" \t\r", (*text)[i]))
                return true;
    }
    return false;
}

bool vg_manifest_json_names_label(const char *text, size_t size)
{
    const char *at = text, *line_text;
    size_t line = 0, length;
    json_t *value, *object = NULL;
    if (next_line(&at, text + size, &line_text, &length, &line))
        object = json_loadb(line_text, length, 0, NULL);
    bool named = json_is_object(object) && find_key(object, VG_ROLE_PATH, &value) &&
                 find_key(object, VG_ROLE_LABEL, &value);
    json_decref(object);
    return named;
}

vg_status vg_manifest_json_lines(vg_manifest *manifest, const char *text, size_t size)
{
    const char *at = text, *end = text + size, *line_text;
    size_t line = 0, length, rows = 0;
    vg_status status = VG_OK;
    for (; !status && next_line(&at, end, &line_text, &length, &line); rows++)
        status = take_line(manifest, line, line_text, length);
    if (!status && rows == 0)
        status = vg_fail(manifest->err, VG_E_FORMAT, "%s: the manifest is empty", manifest->path);
    return status;
}
