/* Escaping. Names of files may hold any byte, also ones that are not UTF-8: a page or a JSON text
 * with such a byte would be refused as a whole by its reader, so that they are replaced here. */
#include "report/escape.h"

#include "base/alloc.h"

#include <math.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

/* Bytes of the valid UTF-8 character at `text` (no overlong forms, no surrogates), 0 if there is
 * none. */
static int character(const unsigned char *text)
{
    if (text[0] < 0x80)
        return 1;
    int length = text[0] >= 0xC2 && text[0] < 0xE0   ? 2
                 : text[0] >= 0xE0 && text[0] < 0xF0 ? 3
                 : text[0] >= 0xF0 && text[0] < 0xF5 ? 4
                                                     : 0;
    for (int i = 1; i < length; i++)
        if ((text[i] & 0xC0) != 0x80)
            return 0;
    if ((text[0] == 0xE0 && text[1] < 0xA0) || (text[0] == 0xED && text[1] > 0x9F) ||
        (text[0] == 0xF0 && text[1] < 0x90) || (text[0] == 0xF4 && text[1] > 0x8F))
        return 0;
    return length;
}

/* Writes one character of `text`, returns the bytes it took. */
static int put(FILE *out, const char *text)
{
    int length = character((const unsigned char *)text);
    unsigned char byte = (unsigned char)text[0];
    if (length == 0 || byte == 0x7F || (byte < 0x20 && byte != '\n' && byte != '\t')) {
        fputs("\xEF\xBF\xBD", out);
        return length ? length : 1;
    }
    const char *entity = byte == '&'    ? "&amp;"
                         : byte == '<'  ? "&lt;"
                         : byte == '>'  ? "&gt;"
                         : byte == '"'  ? "&quot;"
                         : byte == '\'' ? "&#39;"
                                        : NULL;
    if (entity)
        fputs(entity, out);
    else
        fwrite(text, 1, (size_t)length, out);
    return length;
}

void vg_escape_html(FILE *out, const char *text)
{
    while (*text)
        text += put(out, text);
}

void vg_escape_html_cut(FILE *out, const char *text, int columns)
{
    int total = 0;
    for (const char *at = text; *at; total++) {
        int length = character((const unsigned char *)at);
        at += length ? length : 1;
    }
    int keep = total <= columns ? total : columns - 1;
    for (int i = 0; i < keep; i++)
        text += put(out, text);
    if (keep < total)
        fputs("…", out);
}

json_t *vg_json_text(const char *text)
{
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    size_t size = strlen(text);
    char *clean = vg_alloc(size + 1, 3), *at = clean;
    if (!clean)
        return NULL;
    for (size_t i = 0; i < size;) {
        int length = character((const unsigned char *)text + i);
        if (length) {
            memcpy(at, text + i, (size_t)length);
            at += length;
        } else {
            memcpy(at, "\xEF\xBF\xBD", 3);
            at += 3;
        }
        i += length ? (size_t)length : 1;
    }
    *at = '\0';
    json_t *string = json_string(clean);
    free(clean);
    return string;
}

json_t *vg_json_number(double value)
{
    return isfinite(value) ? json_real(value) : json_null();
}

char *vg_shell_word(const char *path)
{
    static const char plain[] =
        "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./-+=:,@%";
    size_t length = strlen(path);
    if (length && strspn(path, plain) == length)
        return vg_strdup(path);
    char *quoted = vg_alloc(length + 1, 4), *at = quoted;
    if (!quoted)
        return NULL;
    *at++ = '\'';
    for (; *path; path++) {
        if (*path == '\'') {
            memcpy(at, "'\\'", 3); /* ends the quotes, a quote by itself, begins them again */
            at += 3;
        }
        *at++ = *path;
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}
