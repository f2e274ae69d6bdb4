/* Edit distance over three rows on the stack: the words are option names and class names, so a bound
 * on their length costs nothing and saves an allocation that an error path could not survive. */
#include "base/text.h"

#include <string.h>

enum { LONGEST = 127 };

static unsigned char fold(char c)
{
    return (unsigned char)(c >= 'A' && c <= 'Z' ? c - 'A' + 'a' : c);
}

bool vg_text_equal_fold(const char *a, const char *b)
{
    while (*a && fold(*a) == fold(*b)) {
        a++;
        b++;
    }
    return fold(*a) == fold(*b);
}

static size_t smaller(size_t a, size_t b)
{
    return a < b ? a : b;
}

size_t vg_edit_distance(const char *a, const char *b)
{
    size_t n = smaller(strlen(a), LONGEST), m = smaller(strlen(b), LONGEST);
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *above = rows[1], *row = rows[2];
    for (size_t j = 0; j <= m; j++)
        above[j] = j;
    for (size_t i = 1; i <= n; i++) {
        row[0] = i;
        for (size_t j = 1; j <= m; j++) {
            bool same = fold(a[i - 1]) == fold(b[j - 1]);
            row[j] = smaller(above[j - 1] + !same, smaller(above[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && fold(a[i - 1]) == fold(b[j - 2]) &&
                fold(a[i - 2]) == fold(b[j - 1]))
                row[j] = smaller(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = above;
        above = row;
        row = oldest;
    }
    return above[m];
}

static bool begins_with(const char *text, const char *start)
{
    while (*start && fold(*text) == fold(*start)) {
        text++;
        start++;
    }
    return !*start;
}

const char *vg_nearest(const char *word, const char *const *list, size_t n)
{
    const char *best = NULL, *completion = NULL;
    size_t least = LONGEST + 1, length = strlen(word);
    for (size_t i = 0; i < n; i++) {
        size_t other = strlen(list[i]);
        size_t longer = smaller(other > length ? other : length, LONGEST);
        size_t allowed = longer / 3 > 1 ? longer / 3 : 1;
        size_t distance = vg_edit_distance(word, list[i]);
        if (distance <= allowed && distance < longer && distance < least) {
            least = distance;
            best = list[i];
        }
        if (!completion && length >= 3 && begins_with(list[i], word))
            completion = list[i];
    }
    return best ? best : completion;
}
