/* The members of one archive, from the names that are written in it to a sorted list that can be
 * trusted: no name leads out of the archive, none occurs twice, links point to members. Nothing is
 * ever unpacked to a disk, so a bad name could do no harm; it is left out because it cannot be the
 * name of a file in a dataset. */
#include "dataset/archives.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>

void vg_listing_reset(vg_listing *listing)
{
    free(listing->members);
    free(listing->names);
    listing->members = NULL;
    listing->names = NULL;
    listing->count = listing->capacity = listing->names_size = listing->names_capacity = 0;
}

/* Copies raw[length] without empty and "." parts to `out` (length + 1 bytes). Returns what is wrong
 * with the name, or NULL. */
static const char *normalize(const char *raw, size_t length, char *out, size_t *out_length)
{
    size_t used = 0, at = 0;
    *out_length = 0;
    if (memchr(raw, 0, length))
        return "its name holds a zero byte";
    if (length && raw[0] == '/')
        return "its name is absolute";
    while (at < length) {
        const char *part = raw + at;
        const char *slash = memchr(part, '/', length - at);
        size_t size = slash ? (size_t)(slash - part) : length - at;
        at += size + 1;
        if (size == 0 || (size == 1 && part[0] == '.'))
            continue;
        if (size == 2 && part[0] == '.' && part[1] == '.')
            return "its name leads out of the archive";
        if (used)
            out[used++] = '/';
        memcpy(out + used, part, size);
        used += size;
    }
    out[used] = '\0';
    *out_length = used;
    return NULL;
}

static vg_status add_name(vg_listing *listing, const char *raw, size_t length, size_t *offset,
                          const char **wrong, vg_error *err)
{
    size_t first = listing->names_size ? listing->names_size : 1, used;
    if (!vg_grow(&listing->names, &listing->names_capacity, first + length + 1, 1))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the names of %zu members",
                       listing->path, listing->count);
    listing->names[0] = '\0';
    *wrong = normalize(raw, length, listing->names + first, &used);
    *offset = used ? first : 0;
    listing->names_size = used ? first + used + 1 : first;
    return VG_OK;
}

vg_status vg_listing_add(vg_listing *listing, const char *raw, size_t length, const char *link,
                         const vg_member *member, vg_error *err)
{
    const char *wrong;
    vg_member fresh = *member;
    fresh.link = 0;
    vg_status status = add_name(listing, raw, length, &fresh.name, &wrong, err);
    if (!status && !wrong && link) {
        status = add_name(listing, link, strlen(link), &fresh.link, &wrong, err);
        if (!status && !wrong && !fresh.link)
            wrong = "it is a link to nothing";
    }
    if (status)
        return status;
    if (wrong) {
        listing->dataset->ignored.unusable++;
        vg_index_note(listing->dataset, "%s: \"%.*s\": %s; left out", listing->path,
                      length > 200 ? 200 : (int)length, raw, wrong);
        return VG_OK;
    }
    if (!fresh.name) /* "./" */
        return VG_OK;
    if (!vg_grow(&listing->members, &listing->capacity, listing->count + 1, sizeof fresh))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for %zu members", listing->path,
                       listing->count);
    listing->members[listing->count++] = fresh;
    return VG_OK;
}

/* Like strcmp, but '/' comes first. */
static int compare_paths(const char *a, const char *b)
{
    while (*a && *a == *b) {
        a++;
        b++;
    }
    int p = *a == '/' ? 1 : *a ? (unsigned char)*a + 1 : 0;
    int q = *b == '/' ? 1 : *b ? (unsigned char)*b + 1 : 0;
    return p - q;
}

/* For sorting, with a copy of the names' address because qsort passes nothing along. */
struct key {
    const char *name;
    size_t index;
};

static int compare_keys(const void *a, const void *b)
{
    const struct key *p = a, *q = b;
    int order = compare_paths(p->name, q->name);
    return order ? order : p->index < q->index ? -1 : p->index > q->index;
}

static vg_status sort_members(vg_listing *listing, vg_error *err)
{
    size_t n = listing->count;
    struct key *keys = vg_alloc(n, sizeof *keys);
    vg_member *sorted = vg_alloc(n, sizeof *sorted);
    if (!keys || !sorted) {
        free(keys);
        free(sorted);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for %zu members", listing->path, n);
    }
    for (size_t i = 0; i < n; i++)
        keys[i] = (struct key){vg_listing_name(listing, &listing->members[i]), i};
    if (n > 1)
        qsort(keys, n, sizeof *keys, compare_keys);
    for (size_t i = 0; i < n; i++)
        sorted[i] = listing->members[keys[i].index];
    free(keys);
    free(listing->members);
    listing->members = sorted;
    listing->capacity = n;
    return VG_OK;
}

static const vg_member *find_member(const vg_listing *listing, const char *name)
{
    size_t low = 0, high = listing->count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        int order = compare_paths(vg_listing_name(listing, &listing->members[middle]), name);
        if (order == 0)
            return &listing->members[middle];
        if (order < 0)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

/* A hard link is another name of a member that stands in the archive. What stays a link leads
 * nowhere. */
static void resolve_links(vg_listing *listing)
{
    for (size_t i = 0; i < listing->count; i++) {
        vg_member *member = &listing->members[i];
        if (!member->link)
            continue;
        const vg_member *target = find_member(listing, listing->names + member->link);
        if (!target || target->link || target->folder)
            continue;
        size_t name = member->name;
        *member = *target;
        member->name = name;
    }
}

/* The length of the part of a name that is hidden, up to and with its first hidden part; 0: none. */
static size_t hidden_part(const char *name)
{
    for (const char *part = name; *part;) {
        const char *slash = strchr(part, '/');
        size_t size = slash ? (size_t)(slash - part) : strlen(part);
        if (vg_name_is_hidden(part, size))
            return (size_t)(part - name) + size;
        part += size + (slash != NULL);
    }
    return 0;
}

vg_status vg_listing_finish(vg_listing *listing, vg_error *err)
{
    vg_dataset_ignored *ignored = &listing->dataset->ignored;
    const char *last_hidden = "";
    size_t last_length = 0, kept = 0;
    vg_status status = sort_members(listing, err);
    if (status)
        return status;
    resolve_links(listing);
    for (size_t i = 0; i < listing->count; i++) {
        const vg_member *member = &listing->members[i];
        const char *name = vg_listing_name(listing, member);
        size_t hidden = hidden_part(name);
        if (hidden) { /* what is in a hidden folder is not counted again */
            ignored->hidden += hidden != last_length || memcmp(name, last_hidden, hidden) != 0;
            last_hidden = name;
            last_length = hidden;
            continue;
        }
        if (i + 1 < listing->count &&
            strcmp(name, vg_listing_name(listing, &listing->members[i + 1])) == 0) {
            if (!member->folder) {
                ignored->duplicates++;
                vg_index_note(listing->dataset,
                              "%s: \"%s\" is in the archive more than once; the last one counts",
                              listing->path, name);
            }
            continue;
        }
        if (member->link) {
            ignored->unusable++;
            vg_index_note(listing->dataset, "%s: \"%s\" is a link to \"%s\", which is not there",
                          listing->path, name, listing->names + member->link);
            continue;
        }
        listing->members[kept++] = *member;
    }
    listing->count = kept;
    return VG_OK;
}
