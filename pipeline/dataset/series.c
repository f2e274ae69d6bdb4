/* Names taken apart from their end: extension, words of variants, numbers. Everything is a hash of the
 * bytes of this one name, so that the answer never depends on which other samples there are. Refuses
 * to judge: whether "b_0001" and "b_0002" belong together no name can tell. */
#include "dataset/series.h"

#include "base/rng.h"
#include "base/text.h"
#include "dataset/index.h"

#include <string.h>

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_letter(char c) /* bytes of other alphabets are letters too */
{
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c & 0x80);
}

static bool separates(char c)
{
    return c == '_' || c == '-' || c == '.' || c == ' ';
}

static bool has_digit(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (is_digit(text[i]))
            return true;
    return false;
}

/* ---- words of variants */

/* Of a word that may be numbered ("aug3"): whether it means the same without a number before it
 * ("cat_aug3"). "cat_crop3" may as well be the third of a class that was cropped throughout. */
static bool is_variant_word(const char *word, size_t length, bool *anywhere)
{
    static const char *const sure[] = {"copy", "kopie", "aug", "augm", "augmented", "augment"};
    static const char *const words[] = {
        "flip",   "flipped", "hflip",   "vflip",    "fliplr",  "flipud",  "mirror",   "mirrored",
        "rot",    "rotate",  "rotated", "crop",     "cropped", "resized", "scaled",   "small",
        "large",  "thumb",   "blur",    "blurred",  "noise",   "noisy",   "bright",   "dark",
        "jitter", "gray",    "grey",    "edit",     "edited",  "orig",    "original", "left",
        "right",  "zoom",    "shift",   "thumbnail"};
    char text[16];
    if (!length || length >= sizeof text)
        return false;
    memcpy(text, word, length);
    text[length] = '\0';
    *anywhere = true;
    for (size_t i = 0; i < sizeof sure / sizeof *sure; i++)
        if (vg_text_equal_fold(text, sure[i]))
            return true;
    *anywhere = false;
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (vg_text_equal_fold(text, words[i]))
            return true;
    return false;
}

static size_t without_separators(const char *stem, size_t length)
{
    while (length && separates(stem[length - 1]))
        length--;
    return length;
}

/* The length without one word of a variant at the end; the same length if there is none. */
static size_t without_variant(const char *stem, size_t length)
{
    size_t end = length, digits;
    if (end && stem[end - 1] == ')') { /* "(12)" */
        size_t at = end - 1;
        while (at && is_digit(stem[at - 1]))
            at--;
        if (at + 1 == end || at < 2 || stem[at - 1] != '(')
            return length;
        size_t rest = without_separators(stem, at - 1);
        return rest ? rest : length;
    }
    while (end && is_digit(stem[end - 1]))
        end--;
    digits = length - end;
    size_t word = end;
    while (word && is_letter(stem[word - 1]))
        word--;
    size_t rest = without_separators(stem, word);
    if (!rest || rest == word || digits > 3)
        return length;
    bool anywhere, known = is_variant_word(stem + word, end - word, &anywhere);
    if (known && (anywhere || !digits || has_digit(stem, rest)))
        return rest;
    bool letter = end - word == 1 && !digits && is_digit(stem[rest - 1]) &&
                  (stem[word - 1] == '_' || stem[word - 1] == '-');
    return letter ? rest : length;
}

/* ---- numbers */

/* Copies the stem with its last `stars` numbers as '*' (or, with `words`, as a skeleton). Returns the
 * length written; *rest says whether a letter or digit is left. */
static size_t put_starred(const char *stem, size_t length, int numbers, int stars, char *out,
                          bool *rest)
{
    size_t used = 0;
    int number = 0;
    *rest = false;
    for (size_t i = 0; i < length;) {
        if (!is_digit(stem[i])) {
            *rest |= is_letter(stem[i]);
            out[used++] = stem[i++];
            continue;
        }
        bool star = number++ >= numbers - stars;
        *rest |= !star;
        if (star)
            out[used++] = '*';
        for (; i < length && is_digit(stem[i]); i++)
            if (!star)
                out[used++] = stem[i];
    }
    return used;
}

static size_t put_skeleton(const char *stem, size_t length, char *out)
{
    size_t used = 0;
    for (size_t i = 0; i < length;) {
        bool digit = is_digit(stem[i]), letter = is_letter(stem[i]);
        out[used++] = digit ? '#' : letter ? 'a' : stem[i];
        i++;
        while ((digit || letter) && i < length && (digit ? is_digit(stem[i]) : is_letter(stem[i])))
            i++;
    }
    return used;
}

static void read_numbers(const char *stem, size_t length, vg_series *series)
{
    bool inside = false;
    for (size_t i = 0; i < length; i++) {
        bool digit = is_digit(stem[i]);
        if (digit && !inside) {
            series->numbers++;
            series->number = 0;
        }
        if (digit) /* of more than 19 digits what is left of it modulo 2^64 */
            series->number = series->number * 10 + (uint64_t)(stem[i] - '0');
        inside = digit;
    }
}

/* ---- folders */

static bool ends_with(const char *text, size_t length, const char *end)
{
    size_t n = strlen(end);
    return length >= n && memcmp(text + length - n, end, n) == 0;
}

static bool is_split(const char *folder, size_t length)
{
    char word[16];
    vg_split split;
    if (length >= sizeof word)
        return false;
    memcpy(word, folder, length);
    word[length] = '\0';
    return vg_split_of_word(word, &split);
}

/* Reads the folders before `base` and returns nothing but hashes; splits stay in `folder`. */
static void read_folders(const char *name, const char *base, vg_series *series)
{
    for (const char *at = name, *slash; at < base; at = slash + 1) {
        slash = memchr(at, '/', (size_t)(base - at));
        size_t length = (size_t)(slash - at);
        if (ends_with(at, length, ".tar") || ends_with(at, length, ".zip")) {
            series->folder = series->place = series->last = 0;
            continue;
        }
        series->folder = vg_hash(at, length, series->folder);
        if (is_split(at, length))
            continue;
        series->place = vg_hash(at, length, series->place);
        series->last = vg_hash(at, length, 0);
    }
}

void vg_series_read(const char *name, vg_series *series)
{
    char text[4096];
    *series = (vg_series){0};
    const char *slash = strrchr(name, '/'), *stem = slash ? slash + 1 : name;
    read_folders(name, stem, series);
    const char *dot = strrchr(stem, '.');
    size_t length = dot && dot > stem ? (size_t)(dot - stem) : strlen(stem);
    length = length < sizeof text ? length : sizeof text - 1;
    for (size_t shorter; (shorter = without_variant(stem, length)) < length; length = shorter)
        series->variant = true;
    series->stem = vg_hash(stem, length, 0);
    read_numbers(stem, length, series);
    for (int k = 0; k < VG_SERIES_LEVELS && k < series->numbers; k++) {
        bool rest;
        size_t used = put_starred(stem, length, series->numbers, k + 1, text, &rest);
        if (rest)
            series->key[k] = vg_hash(text, used, 0);
    }
    series->skeleton = vg_hash(text, put_skeleton(stem, length, text), 0);
}

uint64_t vg_series_group(const vg_series *series)
{
    uint64_t inner = series->numbers >= 2 && series->key[0] ? series->key[0] : series->stem;
    return vg_mix(series->place, inner);
}
