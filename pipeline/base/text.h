/* Words that people type: comparing them, and finding what was probably meant. Pure functions. */
#ifndef VG_BASE_TEXT_H
#define VG_BASE_TEXT_H

#include <stdbool.h>
#include <stddef.h>

/* Equal but for the case of ASCII letters. */
bool vg_text_equal_fold(const char *a, const char *b);

/* How many letters must be put in, taken out, replaced, or swapped with their neighbour to turn `a`
 * into `b` (optimal string alignment distance: Levenshtein plus neighbour swaps). Bytes, the case of
 * ASCII letters ignored; of longer words only the first 127 bytes count. */
size_t vg_edit_distance(const char *a, const char *b);

/* The word of list[n] that `word` was probably meant to be, for "did you mean ...?": the nearest one
 * (the first of equally near ones), or NULL when none is near: at most a third of the letters of
 * the longer word wrong, and always one. A word that begins with all of `word` (three letters at
 * least) is near too. */
const char *vg_nearest(const char *word, const char *const *list, size_t n);

#endif
