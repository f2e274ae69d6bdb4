/* All files of the odd-images set through vg_decode, against the verdicts of its MANIFEST.tsv
 * (libjpeg-turbo 2.1.5 and libpng 1.6): what they read without a warning must be read, with the
 * stored size; what they refuse must be refused; foreign content must be named. Files that they
 * read with a warning must be read when damage is allowed, unless listed below.
 *
 * Needs VG_DATA. */
#include "test.h"

#include "base/file.h"
#include "image/decode.h"

/* Where this decoder is meant to differ, by the end of the path. */
static const struct {
    const char *file;
    const char *why;
} exceptions[] = {
    {"dedce62444f6e1c7b9880dd5058c67572c817a52.jpg",
     "a JPEG with one wrong byte behind its start marker; the manifest's sniffing looks at 3 "
     "bytes"},
    {"id_004869_sync_jpeg_turbo_src_003634.jpg",
     "8 components without a meaning; the manifest's reader took the raw samples"},
    {NULL, NULL},
};

enum { FILE_, CONTENT, VERDICT, WIDTH, HEIGHT, DETAIL, BYTES, WARNINGS, MESSAGE, FIELDS };

typedef struct counts {
    int files, read, refused, foreign, kept, explained, wrong;
} counts;

static int number(const char *text)
{
    return (int)strtol(text, NULL, 10);
}

static const char *explanation(const char *path)
{
    size_t n = strlen(path);
    for (size_t i = 0; exceptions[i].file; i++) {
        size_t m = strlen(exceptions[i].file);
        if (n >= m && strcmp(path + n - m, exceptions[i].file) == 0)
            return exceptions[i].why;
    }
    return NULL;
}

static void disagree(counts *n, char **field, const char *what, const char *message)
{
    const char *why = explanation(field[FILE_]);
    if (why) {
        n->explained++;
        return;
    }
    n->wrong++;
    print_error("%s: %s; manifest: %s %s %s; here: %s\n", field[FILE_], what, field[VERDICT],
                field[DETAIL], field[MESSAGE], message);
}

static void check_file(vg_decoder *decoder, const char *folder, char **field, vg_bytes *bytes,
                       vg_image *image, counts *n)
{
    vg_error err = {0};
    vg_decode_info info;
    vg_decode_options options = vg_decode_options_default();
    options.apply_exif = false;
    char *path = vg_path_join(folder, field[FILE_]);
    assert_non_null(path);
    assert_ok(vg_file_read(path, 0, bytes, &err));
    free(path);
    n->files++;
    vg_status status = vg_decode(decoder, bytes->data, bytes->size, &options, image, &info, &err);
    const char *verdict = field[VERDICT];
    bool size_fits = image->width == number(field[WIDTH]) && image->height == number(field[HEIGHT]);
    if (status != VG_OK)
        assert_true(err.message[0] != '\0');
    if (strcmp(verdict, "OK") == 0) {
        n->read++;
        const char *o = strrchr(field[DETAIL], 'o');
        if (status != VG_OK || !size_fits)
            disagree(n, field, "must be read", err.message);
        else if (strcmp(field[CONTENT], "jpeg") == 0 && o && number(o + 1) != info.orientation)
            disagree(n, field, "other orientation", "");
    } else if (strcmp(verdict, "WARN") == 0) {
        options.allow_damaged = true;
        vg_status again =
            vg_decode(decoder, bytes->data, bytes->size, &options, image, &info, &err);
        size_fits = image->width == number(field[WIDTH]) && image->height == number(field[HEIGHT]);
        n->kept++;
        if (again != VG_OK || !size_fits)
            disagree(n, field, "must be read when damage is allowed", err.message);
        else if (status != VG_OK && !info.damaged)
            disagree(n, field, "refused as damaged, but not marked", err.message);
    } else if (strcmp(verdict, "ERR") == 0) {
        n->refused++;
        if (status == VG_OK)
            disagree(n, field, "must be refused", info.warning);
    } else {
        n->foreign++;
        const char *content = field[CONTENT];
        if (status != VG_E_FORMAT)
            disagree(n, field, "must be refused as foreign", "");
        else if ((strcmp(content, "gif") == 0 && info.format != VG_FORMAT_GIF) ||
                 (strcmp(content, "bmp") == 0 && info.format != VG_FORMAT_BMP) ||
                 (strcmp(content, "empty") == 0 && !strstr(err.message, "empty")))
            disagree(n, field, "must be named", err.message);
    }
}

static void test_odd_images(void **state)
{
    (void)state;
    const char *data = getenv("VG_DATA");
    if (!data)
        skip();
    vg_error err = {0};
    char *folder = vg_path_join(data, "odd-images");
    char *path = vg_path_join(folder, "MANIFEST.tsv");
    vg_bytes manifest = {0}, bytes = {0};
    assert_ok(vg_file_read(path, 0, &manifest, &err));
    assert_ok(vg_bytes_reserve(&manifest, manifest.size + 1, &err));
    manifest.data[manifest.size] = '\0';
    vg_decoder *decoder;
    assert_ok(vg_decoder_new(&decoder, &err));
    vg_image image = {0};
    counts n = {0};
    bool header = true;
    for (char *line = (char *)manifest.data, *next; *line; line = next) {
        char *end = strchr(line, '\n');
        next = end ? end + 1 : line + strlen(line);
        if (end)
            *end = '\0';
        char *field[FIELDS];
        for (int i = 0; i < FIELDS; i++)
            field[i] = line;
        int count = 0;
        for (char *at = line; at && count < FIELDS; count++) {
            field[count] = at;
            at = strchr(at, '\t');
            if (at)
                *at++ = '\0';
        }
        assert_int_equal(count, FIELDS);
        if (!header)
            check_file(decoder, folder, field, &bytes, &image, &n);
        header = false;
    }
    print_message("%d files: %d to read, %d to refuse, %d foreign, %d damaged or odd; "
                  "%d disagreements are explained, %d are not\n",
                  n.files, n.read, n.refused, n.foreign, n.kept, n.explained, n.wrong);
    assert_int_equal(n.files, 1319);
    assert_int_equal(n.wrong, 0);
    vg_decoder_free(decoder);
    vg_image_reset(&image);
    vg_bytes_reset(&bytes);
    vg_bytes_reset(&manifest);
    free(path);
    free(folder);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(test_odd_images)};
    return cmocka_run_group_tests(tests, NULL, NULL);
}
