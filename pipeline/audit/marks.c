/* The table of the marks' words, and a word of 32 bits for each sample: a pass over a million samples stays a pass
 * over four megabytes. */
#include "audit/marks.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdlib.h>
#include <string.h>

_Static_assert(VG_MARKS <= 32, "a mark is a bit of 32");

static const struct {
    const char *name, *words;
} table[VG_MARKS] = {
    [VG_MARK_BROKEN] = {"broken", "cannot be decoded"},
    [VG_MARK_WARNING] = {"warning", "readable, with a warning"},
    [VG_MARK_WRONG_EXTENSION] = {"wrong-extension", "another format than its name says"},
    [VG_MARK_TURNED] = {"turned", "upright only for who reads EXIF"},
    [VG_MARK_HUGE] = {"huge", "far more pixels than the others"},
    [VG_MARK_ODD_COLOUR] = {"odd-colour", "a colour type that readers take differently"},
    [VG_MARK_FLAT] = {"flat", "one flat colour"},
    [VG_MARK_DARK] = {"dark", "darker than the dataset's range"},
    [VG_MARK_LIGHT] = {"light", "lighter than the dataset's range"},
    [VG_MARK_BLURRED] = {"blurred", "less sharp than the dataset's range"},
    [VG_MARK_LOW_INFORMATION] = {"low-information", "hardly anything to see"},
    [VG_MARK_ODD_SIZE] = {"odd-size", "a size unlike the others"},
    [VG_MARK_ODD_ASPECT] = {"odd-aspect", "a shape unlike the others"},
    [VG_MARK_GREY] = {"grey", "without colour among coloured ones"},
    [VG_MARK_BORDER] = {"border", "a frame of one colour around it"},
    [VG_MARK_EXACT_COPY] = {"exact-copy", "the same pixels as another one"},
    [VG_MARK_NEAR_COPY] = {"near-copy", "another one, changed a little"},
    [VG_MARK_LABEL_CONFLICT] = {"label-conflict", "a copy of it has another label"},
    [VG_MARK_LEAK] = {"leak", "held out, with a copy in training"},
    [VG_MARK_ORIGIN_LEAK] = {"origin-leak", "held out, with others of its series in training"},
    [VG_MARK_LABEL_ERROR] = {"label-error", "its label is probably wrong"},
};

vg_status vg_marks_init(vg_marks *marks, size_t count, vg_error *err)
{
    *marks = (vg_marks){.of = vg_calloc(count, sizeof *marks->of), .count = count};
    return marks->of ? VG_OK : vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples", count);
}

void vg_marks_reset(vg_marks *marks)
{
    free(marks->of);
    *marks = (vg_marks){0};
}

void vg_marks_set(vg_marks *marks, size_t index, vg_mark mark)
{
    uint32_t bit = UINT32_C(1) << mark;
    marks->total[mark] += (marks->of[index] & bit) == 0;
    marks->of[index] |= bit;
}

bool vg_marks_has(const vg_marks *marks, size_t index, vg_mark mark)
{
    return index < marks->count && (marks->of[index] >> mark & 1) != 0;
}

const char *vg_mark_name(vg_mark mark)
{
    return table[mark].name;
}

const char *vg_mark_words(vg_mark mark)
{
    return table[mark].words;
}

vg_status vg_mark_parse(const char *word, vg_mark *mark, vg_error *err)
{
    const char *names[VG_MARKS];
    for (int m = 0; m < VG_MARKS; m++) {
        names[m] = table[m].name;
        if (strcmp(word, names[m]) == 0) {
            *mark = (vg_mark)m;
            return VG_OK;
        }
    }
    const char *near = vg_nearest(word, names, VG_MARKS);
    char text[480] = "";
    for (int m = 0; m < VG_MARKS; m++)
        vg_text_append(text, sizeof text, "%s%s", m ? ", " : "", names[m]);
    return vg_fail(err, VG_E_ARG, "found \"%s\"%s%s%s, expected one of %s", word,
                   near ? " (did you mean \"" : "", near ? near : "", near ? "\"?)" : "", text);
}
