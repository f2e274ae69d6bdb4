/* What the names of entries say, the same for folders and for archives of folders: which are hidden,
 * which are pictures that can be read, and what to answer when there was none. Only names are judged
 * here; what a file really holds is found out when it is decoded. */
#include "dataset/index.h"

#include "base/alloc.h"
#include "base/text.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Pictures that we cannot read, so that an empty result can say what was there instead. */
static const char *const OTHER_FORMATS[VG_OTHER_FORMATS] = {".gif",  ".bmp",  ".tif",  ".tiff",
                                                            ".webp", ".heic", ".heif", ".avif",
                                                            ".jp2",  ".jxl",  ".ppm",  ".pgm"};

bool vg_name_is_hidden(const char *name, size_t length)
{
    static const char *const litter[] = {"__MACOSX", "@eaDir", "$RECYCLE.BIN", "lost+found",
                                         "System Volume Information"};
    if (length && name[0] == '.')
        return true;
    for (size_t i = 0; i < sizeof litter / sizeof litter[0]; i++)
        if (strlen(litter[i]) == length && memcmp(name, litter[i], length) == 0)
            return true;
    return false;
}

bool vg_name_is_sample(const char *name, vg_dataset_ignored *ignored, vg_finds *finds)
{
    if (vg_format_readable(vg_format_of_name(name)))
        return true;
    const char *dot = strrchr(name, '.');
    for (int i = 0; dot && i < VG_OTHER_FORMATS; i++)
        if (vg_text_equal_fold(dot, OTHER_FORMATS[i])) {
            finds->other[i]++;
            ignored->other_formats++;
            return false;
        }
    ignored->not_images++;
    return false;
}

/* WebP among what cannot be read: the build lacks the library. */
static const char *webp_hint(const vg_finds *finds)
{
    for (int i = 0; i < VG_OTHER_FORMATS; i++)
        if (finds->other[i] && strcmp(OTHER_FORMATS[i], ".webp") == 0)
            return "; a build with -DVG_WEBP=ON reads WebP";
    return "";
}

vg_status vg_nothing_found(const vg_dataset *dataset, const vg_finds *finds, vg_error *err)
{
    char found[200] = "", list[VG_FORMAT_LIST], other_list[VG_FORMAT_LIST];
    vg_format_list("and", list);
    size_t used = 0;
    for (int i = 0; i < VG_OTHER_FORMATS && used < sizeof found; i++)
        if (finds->other[i])
            used += (size_t)snprintf(found + used, sizeof found - used, "%s%zu %s",
                                     used ? ", " : "; found ", finds->other[i], OTHER_FORMATS[i]);
    const char *plural = finds->folders == 1 ? "" : "s";
    if (used)
        return vg_fail(
            err, VG_E_FORMAT,
            "%s: no images found (looked for %s in %zu folder%s%s: convert them to %s%s)",
            dataset->path, list, finds->folders, plural, found, vg_format_list("or", other_list),
            webp_hint(finds));
    if (dataset->ignored.loose)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: no images found in class folders, but %zu beside them: a picture's "
                       "class is the name of its folder",
                       dataset->path, dataset->ignored.loose);
    return vg_fail(err, VG_E_FORMAT,
                   "%s: no images found (looked for %s in %zu folder%s, passed over %zu "
                   "other files and %zu hidden ones)",
                   dataset->path, list, finds->folders, plural, dataset->ignored.not_images,
                   dataset->ignored.hidden);
}

void vg_index_note(vg_dataset *dataset, const char *format, ...)
{
    char text[512];
    va_list args;
    dataset->note_count++;
    if (dataset->note_count > VG_NOTES_KEPT)
        return;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    char *copy = vg_strdup(text);
    if (copy)
        dataset->notes[dataset->notes_kept++] = copy;
}

const char *const *vg_dataset_notes(const vg_dataset *dataset, size_t *kept, size_t *count)
{
    *kept = dataset->notes_kept;
    *count = dataset->note_count;
    return (const char *const *)dataset->notes;
}
