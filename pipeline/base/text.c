/* Small tools for words and lines. Edit distance over three rows on the stack: the words are option names and class names, so a bound
 * on their length costs nothing and saves an allocation that an error path could not survive. */
#include "base/text.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
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

vg_line vg_line_begin(char *text, size_t capacity)
{
    if (capacity)
        text[0] = '\0';
    return (vg_line){.text = text, .capacity = capacity};
}

vg_line vg_line_more(char *text, size_t capacity)
{
    return (vg_line){.text = text, .capacity = capacity, .used = capacity ? strlen(text) : 0};
}

static void put(vg_line *line, const char *format, va_list arguments)
{
    size_t room = line->capacity - line->used;
    int n = vsnprintf(room ? line->text + line->used : NULL, room, format, arguments);
    if (n <= 0)
        return;
    line->cut = line->cut || (size_t)n >= room;
    line->used += (size_t)n < room ? (size_t)n : room ? room - 1 : 0;
}

void vg_line_put(vg_line *line, const char *format, ...)
{
    va_list arguments;
    va_start(arguments, format);
    put(line, format, arguments);
    va_end(arguments);
}

bool vg_text_append(char *text, size_t capacity, const char *format, ...)
{
    vg_line line = vg_line_more(text, capacity);
    va_list arguments;
    va_start(arguments, format);
    put(&line, format, arguments);
    va_end(arguments);
    return !line.cut;
}

bool vg_text_number(const char *text, double *value)
{
    char *end;
    *value = strtod(text, &end);
    return end != text && *end == '\0' && isfinite(*value);
}

const char *vg_text_shortest(double value, char text[VG_TEXT_NUMBER])
{
    for (int digits = 1; digits <= 17; digits++) {
        snprintf(text, VG_TEXT_NUMBER, "%.*g", digits, value);
        bool tens = strchr(text, 'e') && fabs(value) >= 1; /* 4e+01 */
        if (strtod(text, NULL) == value && !tens)
            break;
    }
    return text;
}

int vg_text_character(const char *text, uint32_t *code)
{
    const unsigned char *t = (const unsigned char *)text;
    int length = t[0] < 0x80                   ? 1
                 : t[0] >= 0xC2 && t[0] < 0xE0 ? 2
                 : t[0] >= 0xE0 && t[0] < 0xF0 ? 3
                 : t[0] >= 0xF0 && t[0] < 0xF5 ? 4
                                               : 0;
    uint32_t value = length < 2 ? t[0] : t[0] & (0x7FU >> length);
    for (int i = 1; i < length; i++) {
        if ((t[i] & 0xC0) != 0x80)
            return 0;
        value = value << 6 | (t[i] & 0x3F);
    }
    static const uint32_t least[] = {0, 0, 0x80, 0x800, 0x10000};
    if (value < least[length] || value > 0x10FFFF || (value >= 0xD800 && value < 0xE000))
        return 0;
    if (code)
        *code = value;
    return length;
}

static bool can_be_shown(uint32_t c)
{
    bool control = c < 0x20 || (c >= 0x7F && c < 0xA0);
    bool line = c == 0x2028 || c == 0x2029;
    bool turns = c == 0x061C || c == 0x200E || c == 0x200F || (c >= 0x202A && c <= 0x202E) ||
                 (c >= 0x2066 && c <= 0x2069);
    return !control && !line && !turns && c != 0xFEFF;
}

int vg_text_show(const char *text, char shown[VG_TEXT_SHOWN])
{
    uint32_t code = 0;
    shown[0] = '\0';
    if (!*text)
        return 0;
    int length = vg_text_character(text, &code);
    if (length && can_be_shown(code)) {
        memcpy(shown, text, (size_t)length);
        shown[length] = '\0';
        return length;
    }
    int bytes = length ? length : 1;
    for (int i = 0; i < bytes; i++)
        snprintf(shown + (size_t)4 * (size_t)i, 5, "\\x%02X", (unsigned char)text[i]);
    return bytes;
}

bool vg_text_is_plain(const char *text)
{
    uint32_t code;
    for (int n; *text; text += n) {
        n = vg_text_character(text, &code);
        if (!n || !can_be_shown(code))
            return false;
    }
    return true;
}
