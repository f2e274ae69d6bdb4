/* Escaping. Names of files may hold any byte, also ones that are not UTF-8: a page or a JSON text
 * with such a byte would be refused as a whole by its reader, so that they are written as \xNN. */
#include "report/escape.h"

#include "base/alloc.h"
#include "base/text.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

/* Writes one character of `text`, returns the bytes it took. Line ends and tabs are blanks to a page. */
static int put(FILE *out, const char *text)
{
    char shown[VG_TEXT_SHOWN];
    if (*text == '\n' || *text == '\t') {
        fputc(*text, out);
        return 1;
    }
    int length = vg_text_show(text, shown);
    const char *entity = *text == '&'    ? "&amp;"
                         : *text == '<'  ? "&lt;"
                         : *text == '>'  ? "&gt;"
                         : *text == '"'  ? "&quot;"
                         : *text == '\'' ? "&#39;"
                                         : shown;
    fputs(entity, out);
    return length;
}

void vg_escape_html(FILE *out, const char *text)
{
    while (*text)
        text += put(out, text);
}

void vg_escape_html_cut(FILE *out, const char *text, int columns)
{
    int total = 0, length;
    for (const char *at = text; *at; at += length, total++) {
        length = vg_text_character(at, NULL);
        length = length ? length : 1;
    }
    int keep = total <= columns ? total : columns - 1;
    for (int i = 0; i < keep; i++)
        text += put(out, text);
    if (keep < total)
        fputs("…", out);
}

/* "\\xNN", four letters. */
static void put_byte(char *at, char byte)
{
    static const char digits[] = "0123456789ABCDEF";
    unsigned char value = (unsigned char)byte;
    at[0] = '\\';
    at[1] = 'x';
    at[2] = digits[value >> 4];
    at[3] = digits[value & 15];
}

json_t *vg_json_text(const char *text)
{
    json_t *plain = json_string(text);
    if (plain)
        return plain;
    char *clean = vg_alloc(strlen(text) + 1, 4), *at = clean;
    if (!clean)
        return NULL;
    while (*text) {
        int length = vg_text_character(text, NULL);
        if (length == 0) {
            put_byte(at, *text++);
            at += 4;
            continue;
        }
        if (*text == '\\')
            *at++ = '\\';
        memcpy(at, text, (size_t)length);
        at += length;
        text += length;
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
    bool plain_text = vg_text_is_plain(path); /* else $'...', where bytes can be written out */
    char *quoted = vg_alloc(length + 2, 4), *at = quoted;
    if (!quoted)
        return NULL;
    if (!plain_text)
        *at++ = '$';
    *at++ = '\'';
    while (*path) {
        char shown[VG_TEXT_SHOWN];
        int bytes = vg_text_show(path, shown);
        if (*path == '\'' && plain_text) {
            memcpy(at, "'\\'", 3); /* ends the quotes, a quote by itself, begins them again */
            at += 3;
        } else if ((*path == '\'' || *path == '\\') && !plain_text) {
            *at++ = '\\';
        }
        size_t size = strlen(shown);
        memcpy(at, shown, size);
        at += size;
        path += bytes;
    }
    *at++ = '\'';
    *at = '\0';
    return quoted;
}

void vg_json_set(json_t *object, const char *key, json_t *value, bool *ok)
{
    if (json_object_set_new(object, key, value) != 0)
        *ok = false;
}

void vg_json_append(json_t *array, json_t *value, bool *ok)
{
    if (json_array_append_new(array, value) != 0)
        *ok = false;
}
