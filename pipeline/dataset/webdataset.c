/* WebDataset shards to samples: files of one key belong together, and the key is the path up to the
 * first dot of the file name (github.com/webdataset/webdataset: "a/b.jpg", "a/b.cls" and
 * "a/b.seg.png" share the key "a/b"; only "jpg" is its picture). Members are grouped by name, so
 * it does not matter whether those of a group stand beside each other.
 *
 * A sample is a group with one picture and one label, from .cls (an integer) or else .json (an object
 * with label, cls, class, class_id, class_name or label_name, an integer or a string). .txt is a
 * caption there and not read. Groups that have no picture are no samples; others without exactly one
 * picture and one label are counted, noted and left out: a guessed label would be worse than none. */
#include "dataset/archives.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <jansson.h>
#include <stdlib.h>
#include <string.h>

enum { MOST_CLS_BYTES = 64, MOST_JSON_BYTES = 1 << 20, MOST_LABEL_BYTES = 256 };

/* The first member of a group and the one behind the last. */
struct group {
    size_t first, end;
    const char *key;
    size_t key_length;
};

/* Splits a name into key and extension, which is NULL without a dot. */
static const char *extension_of(const char *name)
{
    const char *dot = strchr(vg_path_base(name), '.');
    return dot ? dot + 1 : NULL;
}

/* "__index__" and folders called like that are about the shard. */
static bool is_meta(const char *name)
{
    const char *end = strchr(name, '/');
    size_t length = end ? (size_t)(end - name) : strlen(name);
    return length >= 4 && strncmp(name, "__", 2) == 0 && strncmp(name + length - 2, "__", 2) == 0;
}

static bool is_picture(const char *extension)
{
    char name[24];
    if (!extension || strchr(extension, '.') || strlen(extension) > 16)
        return false;
    snprintf(name, sizeof name, "x.%s", extension);
    return vg_format_readable(vg_format_of_name(name));
}

/* The group that begins at member `first`, and false at the end. */
static bool next_group(const vg_listing *listing, size_t first, struct group *group)
{
    if (first >= listing->count)
        return false;
    const char *name = vg_listing_name(listing, &listing->members[first]);
    const char *extension = extension_of(name);
    *group = (struct group){first, first + 1, name, extension ? (size_t)(extension - name) : 0};
    while (
        extension && group->end < listing->count &&
        strncmp(vg_listing_name(listing, &listing->members[group->end]), name, group->key_length) ==
            0 &&
        !strchr(vg_listing_name(listing, &listing->members[group->end]) + group->key_length, '/'))
        group->end++;
    return true;
}

/* The only member of the group with that extension (NULL: a picture). *count says how many there
 * are. */
static const vg_member *find_part(const vg_listing *listing, const struct group *group,
                                  const char *extension, size_t *count)
{
    const vg_member *found = NULL;
    *count = 0;
    for (size_t i = group->first; i < group->end; i++) {
        const vg_member *member = &listing->members[i];
        const char *own = extension_of(vg_listing_name(listing, member));
        bool fits = own && !member->folder &&
                    (extension ? vg_text_equal_fold(own, extension) : is_picture(own));
        if (!fits)
            continue;
        found = member;
        ++*count;
    }
    return found;
}

bool vg_webdataset_found(const vg_listing *listing)
{
    struct group group;
    for (size_t at = 0; next_group(listing, at, &group); at = group.end) {
        size_t pictures, numbers, objects;
        find_part(listing, &group, NULL, &pictures);
        find_part(listing, &group, "cls", &numbers);
        find_part(listing, &group, "json", &objects);
        /* beside pictures in class folders, JSON mostly is about something else */
        bool in_folder = memchr(group.key, '/', group.key_length) != NULL;
        if (pictures && (numbers || (objects && !in_folder)))
            return true;
    }
    return false;
}

struct shard {
    vg_dataset *dataset;
    size_t archive;
    const vg_listing *listing;
    vg_reader *reader;
    vg_error *err;
    bool named; /* classes come from classes.txt */
};

static void leave_out(struct shard *shard, const char *name, const char *why)
{
    shard->dataset->ignored.unlabelled++;
    vg_index_note(shard->dataset, "%s: %s: %s; left out", shard->listing->path, name, why);
}

/* An integer in `text`, blanks around it allowed, as its shortest decimal number. */
static const char *take_integer(long long number, char label[MOST_LABEL_BYTES])
{
    if (number < 0)
        return "its label is negative, which often means that there is none";
    snprintf(label, MOST_LABEL_BYTES, "%lld", number);
    return NULL;
}

static const char *parse_cls(vg_span bytes, char label[MOST_LABEL_BYTES])
{
    char text[MOST_CLS_BYTES + 1], *end;
    if (!bytes.size)
        return "it is empty";
    if (bytes.size > MOST_CLS_BYTES || memchr(bytes.data, 0, bytes.size))
        return "it is no integer";
    memcpy(text, bytes.data, bytes.size);
    text[bytes.size] = '\0';
    errno = 0;
    long long number = strtoll(text, &end, 10);
    if (end == text || end[strspn(end, " \t\r\n")] || errno)
        return "it is no integer";
    return take_integer(number, label);
}

static const char *parse_json(vg_span bytes, char label[MOST_LABEL_BYTES])
{
    static const char *const keys[] = {"label",    "cls",        "class",
                                       "class_id", "class_name", "label_name"};
    const char *why = "it has no \"label\", \"cls\", \"class\", \"class_id\", \"class_name\" or "
                      "\"label_name\"";
    if (!bytes.size)
        return "it is empty";
    if (bytes.size > MOST_JSON_BYTES)
        return "it is larger than 1 MiB";
    json_t *root = json_loadb((const char *)bytes.data, bytes.size, 0, NULL);
    if (!json_is_object(root)) {
        why = root ? "it is no JSON object" : "it is no JSON";
        json_decref(root);
        return why;
    }
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        const json_t *value = json_object_get(root, keys[i]);
        if (!value)
            continue;
        size_t length = json_string_length(value);
        if (json_is_integer(value))
            why = take_integer(json_integer_value(value), label);
        else if (!json_is_string(value))
            why = "its label is neither an integer nor a string";
        else if (!length || length >= MOST_LABEL_BYTES)
            why = "its label is empty or longer than 255 bytes";
        else {
            memcpy(label, json_string_value(value), length + 1);
            why = NULL;
        }
        break;
    }
    json_decref(root);
    return why;
}

/* The class of a label: by number or by name in classes.txt if there is one, else called like it. */
static vg_status find_class(struct shard *shard, const char *label, int *class_label, bool *known)
{
    vg_dataset *dataset = shard->dataset;
    char *end;
    *known = true;
    if (!shard->named)
        return vg_index_class(dataset, label, strlen(label), class_label, shard->err);
    long long number = strtoll(label, &end, 10);
    if (!*end) {
        *known = number < dataset->class_count;
        *class_label = *known ? (int)number : 0;
        return VG_OK;
    }
    int classes = dataset->class_count;
    vg_status status = vg_index_class(dataset, label, strlen(label), class_label, shard->err);
    *known = dataset->class_count == classes;
    return status;
}

/* The text of the label of a group, from .cls or else .json; *why says why there is none, and *name
 * what that is about (`name` comes in as the picture's). */
static vg_status read_label(struct shard *shard, const struct group *group,
                            char label[MOST_LABEL_BYTES], const char **name, const char **why)
{
    size_t count;
    bool is_json = false;
    const vg_member *source = find_part(shard->listing, group, "cls", &count);
    if (!source) {
        source = find_part(shard->listing, group, "json", &count);
        is_json = true;
    }
    if (count != 1) {
        *why =
            count ? "its group holds several labels" : "there is no .cls and no .json of its name";
        return VG_OK;
    }
    vg_span bytes;
    vg_error reason;
    *name = vg_listing_name(shard->listing, source);
    vg_status status = vg_member_read(&shard->dataset->archives->list[shard->archive], source,
                                      *name, shard->reader, &bytes, &reason);
    if (status == VG_E_NOMEM)
        return vg_fail(shard->err, status, "%s", reason.message);
    *why = status    ? "it cannot be read"
           : is_json ? parse_json(bytes, label)
                     : parse_cls(bytes, label);
    return VG_OK;
}

static vg_status add_group(struct shard *shard, const struct group *group)
{
    vg_dataset *dataset = shard->dataset;
    size_t pictures;
    const vg_member *picture = find_part(shard->listing, group, NULL, &pictures);
    if (!picture) {
        dataset->ignored.not_images += group->end - group->first;
        return VG_OK;
    }
    char label[MOST_LABEL_BYTES];
    const char *name = vg_listing_name(shard->listing, picture), *about = name, *why = NULL;
    vg_status status = VG_OK;
    int class_label = 0;
    bool known = true;
    if (pictures > 1)
        why = "its group holds several pictures";
    else
        status = read_label(shard, group, label, &about, &why);
    if (!status && !why)
        status = find_class(shard, label, &class_label, &known);
    if (!known)
        why = "its label is not in classes.txt";
    if (status || why) {
        if (!status)
            leave_out(shard, about, why);
        return status;
    }
    return vg_archives_add(dataset, shard->archive, picture, name, class_label,
                           dataset->archives->list[shard->archive].split, shard->err);
}

vg_status vg_webdataset_add(vg_dataset *dataset, size_t archive, const vg_listing *listing,
                            bool named, vg_error *err)
{
    vg_reader reader = {0}; /* no decoder: only bytes are read */
    struct shard shard = {.dataset = dataset,
                          .archive = archive,
                          .listing = listing,
                          .reader = &reader,
                          .err = err,
                          .named = named};
    struct group group;
    vg_status status = VG_OK;
    for (size_t at = 0; !status && next_group(listing, at, &group); at = group.end)
        if (is_meta(group.key))
            dataset->ignored.hidden += group.end - group.first;
        else if (!listing->members[group.first].folder)
            status = add_group(&shard, &group);
    vg_reader_reset(&reader);
    return status;
}

/* folder/classes.txt of the folder of the first archive, or of the one above if that is called like
 * a split. NULL: no memory. */
static char *class_names_path(const vg_dataset *dataset)
{
    const char *path = dataset->archives->list[0].path;
    char *folder = vg_alloc(strlen(path) + 2, 1);
    if (!folder)
        return NULL;
    size_t length = (size_t)(vg_path_base(path) - path);
    memcpy(folder, path, length);
    folder[length] = '\0';
    while (length > 1 && folder[length - 1] == '/')
        folder[--length] = '\0';
    vg_split split;
    const char *base = vg_path_base(folder);
    if (vg_split_of_word(base, &split))
        folder[base - folder] = '\0';
    char *joined = vg_path_join(*folder ? folder : ".", "classes.txt");
    free(folder);
    return joined;
}

vg_status vg_webdataset_class_names(vg_dataset *dataset, bool *named, vg_error *err)
{
    vg_bytes text = {0};
    *named = false;
    char *path = class_names_path(dataset);
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    if (!vg_path_exists(path)) {
        free(path);
        return VG_OK;
    }
    vg_status status = vg_file_read(path, 64 << 20, &text, err);
    if (!status)
        status = vg_bytes_reserve(&text, text.size + 1, err);
    const char *line = (const char *)text.data, *end = line + text.size;
    while (!status && end > line && (end[-1] == '\n' || end[-1] == '\r'))
        end--; /* empty lines at the end count for nothing */
    for (int number = 0; !status && line < end; number++) {
        const char *newline = memchr(line, '\n', (size_t)(end - line));
        const char *stop = newline ? newline : end;
        size_t length = (size_t)(stop - line) - (stop > line && stop[-1] == '\r');
        int label = number;
        if (!length || memchr(line, 0, length))
            status = vg_fail(err, VG_E_FORMAT, "%s:%d: expected the name of label %d", path,
                             number + 1, number);
        else
            status = vg_index_class(dataset, line, length, &label, err);
        if (!status && label != number)
            status = vg_fail(err, VG_E_FORMAT, "%s:%d: also the name of label %d", path, number + 1,
                             label);
        line = stop + 1;
    }
    *named = true;
    vg_bytes_reset(&text);
    free(path);
    return status;
}
