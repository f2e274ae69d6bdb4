/* Names and numbers of the colour behind transparent pixels. Three names and no more: they are the ones
 * that a finding recommends, and any other colour has a number. */
#include "image/background.h"

#include "base/text.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static const char *const names[] = {"black", "grey", "white"};
static const int colours[] = {VG_BACKGROUND_BLACK, VG_BACKGROUND_GREY, VG_BACKGROUND_WHITE};
enum { NAMES = sizeof names / sizeof *names };

vg_status vg_background_parse(const char *word, int *background, vg_error *err)
{
    for (int i = 0; i < NAMES; i++)
        if (strcmp(word, names[i]) == 0) {
            *background = colours[i];
            return VG_OK;
        }
    if (word[0] == '#' && strlen(word) == 7 && strspn(word + 1, "0123456789abcdefABCDEF") == 6) {
        *background = (int)strtol(word + 1, NULL, 16);
        return VG_OK;
    }
    const char *near = vg_nearest(word, names, NAMES);
    return vg_fail(err, VG_E_ARG, "found \"%.60s\", allowed: black, grey, white or #rrggbb%s%s%s",
                   word, near ? "; did you mean \"" : "", near ? near : "", near ? "\"?" : "");
}

const char *vg_background_print(int background, char text[VG_BACKGROUND_TEXT])
{
    if (background < 0)
        background = VG_BACKGROUND_BLACK;
    for (int i = 0; i < NAMES; i++)
        if (colours[i] == background) {
            snprintf(text, VG_BACKGROUND_TEXT, "%s", names[i]);
            return text;
        }
    snprintf(text, VG_BACKGROUND_TEXT, "#%06x", (unsigned)background & 0xFFFFFFu);
    return text;
}

bool vg_background_is_coloured(int background)
{
    if (background < 0)
        return false;
    int r = background >> 16 & 255, g = background >> 8 & 255, b = background & 255;
    return r != g || g != b;
}
