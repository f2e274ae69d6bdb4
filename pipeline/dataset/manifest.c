/* A CSV of path,label[,split] to an index. RFC 4180 quoting, LF or CRLF, a UTF-8 byte order mark
 * allowed; blanks around unquoted fields are dropped. The text is parsed in place, one record at a
 * time. Whether the listed files exist is found out when they are read: a manifest of a million rows
 * opens without a million stats. Refuses what it would have to guess: other column counts, an unknown
 * split, a path that is listed twice. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "base/rng.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_COLUMNS = 64 };

enum role { ROLE_PATH, ROLE_LABEL, ROLE_SPLIT, ROLE_COUNT };

struct csv {
    vg_dataset *dataset;
    vg_error *err;
    char *at, *end; /* what is left of the text */
    size_t line;    /* of `at`, from 1 */
    size_t record;  /* line on which the current record began */
    char *fields[MOST_COLUMNS];
    int count;
    int columns[ROLE_COUNT];          /* which field plays the role, -1: none */
    int expected;                     /* fields in a record */
    size_t with_split, without_split; /* first lines that have one and have none; 0: no such line */
    size_t *lines; /* of each sample, for the message about a path listed twice */
    size_t line_capacity;
};

static vg_status bad_line(struct csv *csv, size_t line, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
static vg_status bad_line(struct csv *csv, size_t line, const char *format, ...)
{
    char text[400];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return vg_fail(csv->err, VG_E_FORMAT, "%s:%zu: %s", csv->dataset->path, line, text);
}

/* What ended a field. */
enum stop { STOP_COMMA, STOP_RECORD, STOP_BAD };

/* At a comma, a line end or the end of the text: goes behind it. The field that ends here is closed by
 * the caller, because its last byte may be the one looked at. */
static enum stop pass_separator(struct csv *csv)
{
    if (csv->at == csv->end)
        return STOP_RECORD;
    char c = *csv->at++;
    if (c == ',')
        return STOP_COMMA;
    if (c == '\r' && csv->at < csv->end && *csv->at == '\n')
        csv->at++;
    csv->line++;
    return STOP_RECORD;
}

static bool is_blank(char c)
{
    return c == ' ' || c == '\t';
}

static bool ends_field(const struct csv *csv)
{
    return csv->at == csv->end || *csv->at == ',' || *csv->at == '\n' || *csv->at == '\r';
}

/* The opening quote is behind us. Doubled quotes become one, in place. */
static enum stop read_quoted(struct csv *csv, char **field)
{
    char *out = csv->at;
    size_t began = csv->line;
    *field = out;
    for (;;) {
        if (csv->at == csv->end) {
            bad_line(csv, began, "a quoted field begins here and is never closed");
            return STOP_BAD;
        }
        char c = *csv->at++;
        if (c == '"' && csv->at < csv->end && *csv->at == '"')
            csv->at++;
        else if (c == '"')
            break;
        csv->line += c == '\n';
        *out++ = c;
    }
    while (csv->at < csv->end && is_blank(*csv->at))
        csv->at++;
    if (!ends_field(csv)) {
        bad_line(csv, csv->line,
                 "a quoted field is followed by \"%c\", expected a comma or the end "
                 "of the line (a quote inside a quoted field is doubled)",
                 *csv->at);
        return STOP_BAD;
    }
    enum stop stop = pass_separator(csv);
    *out = '\0'; /* at the latest over the closing quote */
    return stop;
}

static enum stop read_plain(struct csv *csv, char **field)
{
    *field = csv->at;
    while (!ends_field(csv))
        csv->at++;
    char *last = csv->at;
    while (last > *field && is_blank(last[-1]))
        last--;
    enum stop stop = pass_separator(csv);
    *last = '\0'; /* at the latest over the separator, or over the zero behind the text */
    return stop;
}

/* The next record that is not an empty line. VG_END behind the last one. */
static vg_status next_record(struct csv *csv)
{
    for (;;) {
        if (csv->at == csv->end)
            return VG_END;
        csv->count = 0;
        csv->record = csv->line;
        enum stop stop;
        do {
            if (csv->count == MOST_COLUMNS)
                return bad_line(csv, csv->record, "more than %d columns", MOST_COLUMNS);
            while (csv->at < csv->end && is_blank(*csv->at))
                csv->at++;
            char **field = &csv->fields[csv->count++];
            if (csv->at < csv->end && *csv->at == '"') {
                csv->at++;
                stop = read_quoted(csv, field);
            } else {
                stop = read_plain(csv, field);
            }
            if (stop == STOP_BAD)
                return VG_E_FORMAT;
        } while (stop == STOP_COMMA);
        if (csv->count > 1 || csv->fields[0][0])
            return VG_OK;
    }
}

static bool is_role(const char *word, enum role role)
{
    static const char *const words[ROLE_COUNT][12] = {
        {"path", "file", "filename", "file_name", "filepath", "file_path", "image", "image_path",
         "img", "img_path", "image_file"},
        {"label", "class", "class_name", "classname", "category", "target", "labels"},
        {"split", "set", "subset", "partition"},
    };
    for (int i = 0; i < 12 && words[role][i]; i++)
        if (vg_text_equal_fold(word, words[role][i]))
            return true;
    return false;
}

static bool file_exists(const vg_dataset *dataset, const char *name)
{
    char *path = name[0] == '/' ? vg_strdup(name) : vg_path_join(dataset->root, name);
    bool exists = path && vg_path_exists(path) && !vg_path_is_folder(path);
    free(path);
    return exists;
}

/* Looks at the first record: sets the columns, and says whether it is a header. */
static vg_status learn_columns(struct csv *csv, bool *header)
{
    for (int role = 0; role < ROLE_COUNT; role++) {
        csv->columns[role] = -1;
        for (int i = csv->count - 1; i >= 0; i--)
            if (is_role(csv->fields[i], (enum role)role))
                csv->columns[role] = i; /* the first one of that name */
    }
    csv->expected = csv->count;
    *header = csv->columns[ROLE_PATH] >= 0 && csv->columns[ROLE_LABEL] >= 0 &&
              !file_exists(csv->dataset, csv->fields[0]);
    if (*header)
        return VG_OK;
    csv->columns[ROLE_PATH] = 0;
    csv->columns[ROLE_LABEL] = 1;
    csv->columns[ROLE_SPLIT] = csv->count == 3 ? 2 : -1;
    if (csv->count == 2 || csv->count == 3)
        return VG_OK;
    return bad_line(csv, csv->record,
                    "%d column%s and no header that names them; expected path,label or "
                    "path,label,split",
                    csv->count, csv->count == 1 ? "" : "s");
}

static vg_status take_split(struct csv *csv, vg_split *split)
{
    *split = VG_SPLIT_TRAIN;
    if (csv->columns[ROLE_SPLIT] < 0)
        return VG_OK;
    const char *word = csv->fields[csv->columns[ROLE_SPLIT]];
    if (*word && !vg_split_of_word(word, split))
        return bad_line(csv, csv->record, "unknown split \"%s\"; expected train, val or test",
                        word);
    size_t *first = *word ? &csv->with_split : &csv->without_split;
    if (!*first)
        *first = csv->record;
    if (csv->with_split && csv->without_split)
        return bad_line(csv, csv->without_split, "no split given, but line %zu gives one",
                        csv->with_split);
    return VG_OK;
}

static vg_status take_record(struct csv *csv)
{
    vg_dataset *dataset = csv->dataset;
    if (csv->count != csv->expected)
        return bad_line(csv, csv->record, "%d column%s, expected %d as in the first line",
                        csv->count, csv->count == 1 ? "" : "s", csv->expected);
    const char *path = csv->fields[csv->columns[ROLE_PATH]];
    const char *name = csv->fields[csv->columns[ROLE_LABEL]];
    if (!*path)
        return bad_line(csv, csv->record, "the path is empty");
    if (!*name)
        return bad_line(csv, csv->record, "\"%s\" has no label", path);
    vg_split split;
    int label;
    vg_status status = take_split(csv, &split);
    if (!status)
        status = vg_index_class(dataset, name, strlen(name), &label, csv->err);
    if (!status)
        status = vg_index_add(dataset, path, label, split, csv->err);
    if (status)
        return status;
    if (!vg_grow(&csv->lines, &csv->line_capacity, dataset->count, sizeof(size_t)))
        return vg_fail(csv->err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    csv->lines[dataset->count - 1] = csv->record;
    return VG_OK;
}

/* A name must be unique: two rows with the same path would be one picture in two places. */
static vg_status refuse_doubles(struct csv *csv)
{
    vg_dataset *dataset = csv->dataset;
    size_t buckets = 64;
    while (buckets < dataset->count * 2)
        buckets *= 2;
    size_t *table = vg_calloc(buckets, sizeof *table); /* sample + 1, 0: free */
    if (!table)
        return vg_fail(csv->err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    vg_status status = VG_OK;
    for (size_t i = 0; !status && i < dataset->count; i++) {
        const char *name = dataset->names + vg_sample_place(dataset->samples[i]);
        size_t at = (size_t)vg_hash(name, strlen(name), 0) & (buckets - 1);
        for (; table[at] && !status; at = (at + 1) & (buckets - 1)) {
            size_t other = table[at] - 1;
            if (strcmp(dataset->names + vg_sample_place(dataset->samples[other]), name) == 0)
                status = bad_line(csv, csv->lines[i],
                                  "\"%s\" is listed a second time, first in line %zu", name,
                                  csv->lines[other]);
        }
        table[at] = i + 1;
    }
    free(table);
    return status;
}

static vg_status read_records(struct csv *csv)
{
    bool header;
    vg_status status = next_record(csv);
    if (status == VG_END)
        return vg_fail(csv->err, VG_E_FORMAT, "%s: the manifest is empty", csv->dataset->path);
    if (!status)
        status = learn_columns(csv, &header);
    if (!status && header)
        status = next_record(csv);
    while (!status) {
        status = take_record(csv);
        if (!status)
            status = next_record(csv);
    }
    if (status != VG_END)
        return status;
    if (csv->dataset->count == 0)
        return vg_fail(csv->err, VG_E_FORMAT, "%s: a header and no rows", csv->dataset->path);
    return refuse_doubles(csv);
}

static vg_status refuse_binary(const vg_dataset *dataset, const vg_bytes *bytes, vg_error *err)
{
    vg_image_format format = vg_format_sniff(bytes->data, bytes->size);
    if (format != VG_FORMAT_UNKNOWN)
        return vg_fail(
            err, VG_E_FORMAT,
            "%s: is one %s picture; expected a folder of class folders, a CSV manifest or "
            "a folder of IDX files",
            dataset->path, vg_format_name(format));
    if (bytes->size && memchr(bytes->data, 0, bytes->size))
        return vg_fail(
            err, VG_E_FORMAT,
            "%s: holds zero bytes, so it is no CSV manifest in UTF-8 (an archive must be "
            "unpacked, a text in UTF-16 be saved as UTF-8)",
            dataset->path);
    return VG_OK;
}

static vg_status find_root(vg_dataset *dataset, vg_error *err)
{
    const char *base = vg_path_base(dataset->path);
    dataset->root = vg_strdup(base == dataset->path ? "." : dataset->path);
    if (!dataset->root)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    if (base != dataset->path)
        dataset->root[base - dataset->path] = '\0';
    return VG_OK;
}

vg_status vg_manifest_read(vg_dataset *dataset, vg_error *err)
{
    vg_bytes bytes = {0};
    dataset->kind = VG_DATASET_MANIFEST;
    vg_status status = find_root(dataset, err);
    if (!status)
        status = vg_file_read(dataset->path, 0, &bytes, err);
    if (!status)
        status = refuse_binary(dataset, &bytes, err);
    if (!status) /* one zero behind the text, which the last field may need */
        status = vg_bytes_reserve(&bytes, bytes.size + 1, err);
    if (!status) {
        struct csv csv = {.dataset = dataset, .err = err, .line = 1};
        csv.at = (char *)bytes.data;
        csv.end = csv.at + bytes.size;
        *csv.end = '\0';
        if (bytes.size >= 3 && memcmp(csv.at, "\xEF\xBB\xBF", 3) == 0)
            csv.at += 3;
        status = read_records(&csv);
        free(csv.lines);
    }
    vg_bytes_reset(&bytes);
    size_t empty;
    return status ? status : vg_index_finish(dataset, VG_CLASSES_BY_NUMBER_IF_ALL, &empty, err);
}
