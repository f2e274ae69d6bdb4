/* Tables of path, label and perhaps split to rows: CSV and its kin. RFC 4180 quoting, LF or CRLF;
 * blanks around unquoted fields are dropped. The separator is a comma, a TAB or a semicolon, told
 * from the first line: the first of them with which it is a header, or else the first with which it
 * has two or three fields, tried in the order comma, TAB, semicolon for a .csv and TAB, comma,
 * semicolon for everything else. The text is parsed in place, one record at a time. Refuses what it
 * would have to guess: a first line that fits no separator, records of other lengths. */
#include "dataset/manifest.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 64, PROBE_BYTES = 1 << 16 };

struct table {
    vg_manifest *manifest; /* NULL while separators are tried: nothing is reported then */
    char separator;
    char *at, *end; /* what is left of the text */
    size_t line;    /* of `at`, from 1 */
    size_t record;  /* line on which the current record began */
    char *fields[MOST_COLUMNS];
    int count;
    int columns[VG_ROLE_COUNT]; /* which field plays the role, -1: none */
    int expected;               /* fields in a record */
};

static const char *separator_name(char separator)
{
    return separator == '\t' ? "TAB" : separator == ';' ? "semicolon" : "comma";
}

/* What ended a field. */
enum stop { STOP_SEPARATOR, STOP_RECORD, STOP_BAD };

/* At a separator, a line end or the end of the text: goes behind it. The field that ends here is
 * closed by the caller, because its last byte may be the one looked at. */
static enum stop pass_separator(struct table *table)
{
    if (table->at == table->end)
        return STOP_RECORD;
    char c = *table->at++;
    if (c == table->separator)
        return STOP_SEPARATOR;
    if (c == '\r' && table->at < table->end && *table->at == '\n')
        table->at++;
    table->line++;
    return STOP_RECORD;
}

static bool is_blank(const struct table *table, char c)
{
    return (c == ' ' || c == '\t') && c != table->separator;
}

static bool ends_field(const struct table *table)
{
    return table->at == table->end || *table->at == table->separator || *table->at == '\n' ||
           *table->at == '\r';
}

/* The opening quote is behind us. Doubled quotes become one, in place. */
static enum stop read_quoted(struct table *table, char **field)
{
    char *out = table->at;
    size_t began = table->line;
    *field = out;
    for (;;) {
        if (table->at == table->end) {
            if (table->manifest)
                vg_manifest_fail(table->manifest, began,
                                 "a quoted field begins here and is never closed");
            return STOP_BAD;
        }
        char c = *table->at++;
        if (c == '"' && table->at < table->end && *table->at == '"')
            table->at++;
        else if (c == '"')
            break;
        table->line += c == '\n';
        *out++ = c;
    }
    while (table->at < table->end && is_blank(table, *table->at))
        table->at++;
    if (!ends_field(table)) {
        if (table->manifest)
            vg_manifest_fail(
                table->manifest, table->line,
                "a quoted field is followed by \"%c\", expected a %s or the end of the "
                "line (a quote inside a quoted field is doubled)",
                *table->at, separator_name(table->separator));
        return STOP_BAD;
    }
    enum stop stop = pass_separator(table);
    *out = '\0'; /* at the latest over the closing quote */
    return stop;
}

static enum stop read_plain(struct table *table, char **field)
{
    *field = table->at;
    while (!ends_field(table))
        table->at++;
    char *last = table->at;
    while (last > *field && is_blank(table, last[-1]))
        last--;
    enum stop stop = pass_separator(table);
    *last = '\0'; /* at the latest over the separator, or over the zero behind the text */
    return stop;
}

/* The next record that is not an empty line. VG_END behind the last one. */
static vg_status next_record(struct table *table)
{
    for (;;) {
        if (table->at == table->end)
            return VG_END;
        table->count = 0;
        table->record = table->line;
        enum stop stop;
        do {
            if (table->count == MOST_COLUMNS)
                return table->manifest ? vg_manifest_fail(table->manifest, table->record,
                                                          "more than %d columns", MOST_COLUMNS)
                                       : VG_E_FORMAT;
            while (table->at < table->end && is_blank(table, *table->at))
                table->at++;
            char **field = &table->fields[table->count++];
            if (table->at < table->end && *table->at == '"') {
                table->at++;
                stop = read_quoted(table, field);
            } else {
                stop = read_plain(table, field);
            }
            if (stop == STOP_BAD)
                return VG_E_FORMAT;
        } while (stop == STOP_SEPARATOR);
        if (table->count > 1 || table->fields[0][0])
            return VG_OK;
    }
}

static void find_columns(struct table *table)
{
    for (int role = 0; role < VG_ROLE_COUNT; role++) {
        table->columns[role] = -1;
        for (int i = table->count - 1; i >= 0; i--)
            if (vg_manifest_plays(table->fields[i], (vg_role)role))
                table->columns[role] = i; /* the first one of that name */
    }
}

static bool is_header(const struct table *table)
{
    return table->columns[VG_ROLE_PATH] >= 0 && table->columns[VG_ROLE_LABEL] >= 0;
}

/* ---- the separator */

/* The first record as it is with this separator; parsing changes the text, so a copy of its
 * beginning is parsed. *fields is how many it has; false if it cannot be parsed so. */
static bool try_separator(const char *text, size_t size, char separator, char *copy, int *fields,
                          bool *header)
{
    if (size > PROBE_BYTES)
        size = PROBE_BYTES;
    memcpy(copy, text, size);
    copy[size] = '\0';
    struct table table = {.separator = separator, .at = copy, .end = copy + size, .line = 1};
    bool parsed = next_record(&table) == VG_OK;
    if (parsed)
        find_columns(&table);
    *header = parsed && is_header(&table);
    *fields = table.count;
    return parsed;
}

/* Sets the separator; what was found with each is in counts[3], in the order of separators[3]. */
static vg_status learn_separator(struct table *table, bool comma_first, char separators[3],
                                 int counts[3])
{
    separators[0] = comma_first ? ',' : '\t';
    separators[1] = comma_first ? '\t' : ',';
    separators[2] = ';';
    char *copy = vg_alloc(PROBE_BYTES + 1, 1);
    if (!copy)
        return vg_fail(table->manifest->err, VG_E_NOMEM, "%s: out of memory",
                       table->manifest->path);
    int chosen = -1, most = 0;
    bool headed = false;
    for (int i = 0; i < 3; i++) {
        bool header;
        bool parsed = try_separator(table->at, (size_t)(table->end - table->at), separators[i],
                                    copy, &counts[i], &header);
        bool fits = parsed && (counts[i] == 2 || counts[i] == 3);
        if ((header && !headed) || (fits && chosen < 0))
            chosen = i;
        headed |= header;
        if (counts[i] > counts[most])
            most = i;
    }
    free(copy);
    table->separator = separators[chosen >= 0 ? chosen : most];
    return VG_OK;
}

/* ---- the columns */

static bool file_exists(const vg_manifest *manifest, const char *name)
{
    char *path = name[0] == '/' ? vg_strdup(name) : vg_path_join(manifest->dataset->root, name);
    bool exists = path && vg_path_exists(path) && !vg_path_is_folder(path);
    free(path);
    return exists;
}

/* A first line of two or three fields that names one column and is no picture: a header with a slip,
 * which would pass as a row. */
static vg_status refuse_half_header(struct table *table, int known, const char *missing)
{
    for (int i = 0; i < table->count; i++) {
        vg_role role = VG_ROLE_COUNT;
        const char *meant = i == known ? NULL : vg_manifest_nearest(table->fields[i], &role);
        if (meant && role != (table->columns[VG_ROLE_PATH] >= 0 ? VG_ROLE_PATH : VG_ROLE_LABEL))
            return vg_manifest_fail(table->manifest, table->record,
                                    "the header names \"%.60s\", but no column for the %s; did you "
                                    "mean \"%s\" instead of \"%.60s\"?",
                                    table->fields[known], missing, meant, table->fields[i]);
    }
    return vg_manifest_fail(table->manifest, table->record,
                            "the header names \"%.60s\", but no column for the %s; expected e.g. "
                            "path,label or path,label,split",
                            table->fields[known], missing);
}

/* Looks at the first record: sets the columns, and says whether it is a header. */
static vg_status learn_columns(struct table *table, const char separators[3], const int counts[3],
                               bool *header)
{
    find_columns(table);
    table->expected = table->count;
    bool exists = file_exists(table->manifest, table->fields[0]);
    *header = is_header(table) && !exists;
    if (*header)
        return VG_OK;
    int path = table->columns[VG_ROLE_PATH], label = table->columns[VG_ROLE_LABEL];
    bool picture = vg_format_of_name(table->fields[0]) != VG_FORMAT_UNKNOWN;
    if (!exists && !picture && table->count > 1 && (path >= 0 || label >= 0))
        return refuse_half_header(table, path >= 0 ? path : label, path >= 0 ? "label" : "path");
    table->columns[VG_ROLE_PATH] = 0;
    table->columns[VG_ROLE_LABEL] = 1;
    table->columns[VG_ROLE_SPLIT] = table->count == 3 ? 2 : -1;
    table->columns[VG_ROLE_CONTAINER] = -1;
    if (table->count == 2 || table->count == 3)
        return VG_OK;
    char found[120] = "";
    if (table->count > 1)
        snprintf(found, sizeof found, " (by %s %d, by %s %d, by %s %d)",
                 separator_name(separators[0]), counts[0], separator_name(separators[1]), counts[1],
                 separator_name(separators[2]), counts[2]);
    return vg_manifest_fail(table->manifest, table->record,
                            "%d column%s%s and no header that names them; expected path,label or "
                            "path,label,split, separated by comma, TAB or semicolon",
                            table->count, table->count == 1 ? "" : "s", found);
}

bool vg_manifest_table_names_label(const char *text, size_t size)
{
    char *copy = vg_alloc(PROBE_BYTES + 1, 1);
    bool header = false;
    if (size >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0) {
        text += 3;
        size -= 3;
    }
    for (int i = 0, fields; copy && !header && i < 3; i++)
        try_separator(text, size, ",\t;"[i], copy, &fields, &header);
    free(copy);
    return header;
}

static vg_status take_record(struct table *table)
{
    if (table->count != table->expected)
        return vg_manifest_fail(table->manifest, table->record,
                                "%d column%s, expected %d as in the first line", table->count,
                                table->count == 1 ? "" : "s", table->expected);
    int split = table->columns[VG_ROLE_SPLIT], container = table->columns[VG_ROLE_CONTAINER];
    vg_status status = vg_manifest_container(table->manifest, table->record,
                                             container < 0 ? NULL : table->fields[container]);
    if (status)
        return status;
    return vg_manifest_row(
        table->manifest, table->record, table->fields[table->columns[VG_ROLE_PATH]],
        table->fields[table->columns[VG_ROLE_LABEL]], split < 0 ? NULL : table->fields[split]);
}

vg_status vg_manifest_table(vg_manifest *manifest, char *text, size_t size)
{
    struct table table = {.manifest = manifest, .line = 1};
    const char *dot = strrchr(vg_path_base(manifest->path), '.');
    char separators[3];
    int counts[3];
    bool header = false;
    table.at = text;
    table.end = text + size;
    vg_status status =
        learn_separator(&table, dot && vg_text_equal_fold(dot, ".csv"), separators, counts);
    if (!status)
        status = next_record(&table);
    if (status == VG_END)
        return vg_fail(manifest->err, VG_E_FORMAT, "%s: the manifest is empty", manifest->path);
    if (!status)
        status = learn_columns(&table, separators, counts, &header);
    if (!status && header)
        status = next_record(&table);
    while (!status) {
        status = take_record(&table);
        if (!status)
            status = next_record(&table);
    }
    return status == VG_END ? VG_OK : status;
}
