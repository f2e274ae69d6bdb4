/* Each name is brought to a key without what may be overlooked, and equal keys are found by sorting.
 * Case sensitive file systems keep "Cat" and "cat" apart, and so does training; people who collect
 * from several places mean one class by them. Refuses to merge anything: it only tells. */
#include "audit/alike.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

struct keyed {
    char *key;
    int label;
};

static bool is_sign(char c)
{
    return c == ' ' || c == '-' || c == '_' || c == '\t';
}

/* Lower case, without signs; a name of signs alone stays as it is. On the heap. */
static char *key_of(const char *name)
{
    char *key = vg_strdup(name), *to = key;
    for (const char *at = name; key && *at; at++)
        if (!is_sign(*at))
            *to++ = (char)(*at >= 'A' && *at <= 'Z' ? *at - 'A' + 'a' : *at);
    if (key && to != key)
        *to = '\0';
    return key;
}

static int by_key(const void *left, const void *right)
{
    const struct keyed *a = left, *b = right;
    int order = strcmp(a->key, b->key);
    return order ? order : a->label - b->label;
}

static int by_label(const void *left, const void *right)
{
    const vg_alike *a = left, *b = right;
    return a->first != b->first ? a->first - b->first : a->second - b->second;
}

/* Whether the names are equal but for blanks around and runs of blanks. */
static bool equal_but_blanks(const char *a, const char *b)
{
    a += strspn(a, " \t");
    b += strspn(b, " \t");
    while (*a && *b) {
        size_t p = strspn(a, " \t"), q = strspn(b, " \t");
        if (!p != !q || (p == 0 && *a != *b))
            break;
        a += p ? p : 1;
        b += q ? q : 1;
    }
    return !a[strspn(a, " \t")] && !b[strspn(b, " \t")];
}

static vg_alike pair_of(const vg_dataset *dataset, int first, int second)
{
    const char *a = vg_dataset_class_name(dataset, first);
    const char *b = vg_dataset_class_name(dataset, second);
    vg_alike_by by = equal_but_blanks(a, b)     ? VG_ALIKE_BLANKS
                     : vg_text_equal_fold(a, b) ? VG_ALIKE_CASE
                                                : VG_ALIKE_SIGNS;
    return (vg_alike){first, second, by};
}

vg_status vg_alike_find(const vg_dataset *dataset, vg_alike **list, size_t *count, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(dataset), made = 0;
    struct keyed *keys = vg_calloc(classes, sizeof *keys);
    vg_alike *found = vg_alloc(classes, sizeof *found);
    bool enough = keys && found;
    *list = NULL;
    *count = 0;
    for (; enough && made < classes; made += enough) {
        keys[made] = (struct keyed){key_of(vg_dataset_class_name(dataset, (int)made)), (int)made};
        enough = keys[made].key != NULL;
    }
    if (enough) {
        if (classes > 1)
            qsort(keys, classes, sizeof *keys, by_key);
        for (size_t i = 1, first = 0; i < classes; i++)
            if (strcmp(keys[i].key, keys[first].key) == 0)
                found[(*count)++] = pair_of(dataset, keys[first].label, keys[i].label);
            else
                first = i;
        if (*count > 1)
            qsort(found, *count, sizeof *found, by_label);
        *list = found;
    } else {
        free(found);
    }
    for (size_t i = 0; keys && i < made; i++)
        free(keys[i].key);
    free(keys);
    return enough ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for %zu class names", classes);
}

const char *vg_alike_name(vg_alike_by by)
{
    switch (by) {
    case VG_ALIKE_CASE:
        return "case";
    case VG_ALIKE_BLANKS:
        return "blanks";
    case VG_ALIKE_SIGNS:
        break;
    }
    return "signs";
}
