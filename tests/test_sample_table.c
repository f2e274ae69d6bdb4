/* The list of a mark and the table of all samples, read back, with names that break what is written carelessly. */
#include "test.h"

#include "base/file.h"
#include "report/sample_table.h"

#include <ctype.h>

typedef struct fixture {
    char *folder;
    vg_dataset *dataset;
    vg_audit audit;
    vg_facts facts[4];
    vg_audit_file broken, noted;
    size_t members[3];
    vg_copy_group group;
} fixture;

static void begin(fixture *f)
{
    char path[4200];
    f->folder = test_folder_make();
    snprintf(path, sizeof path, "%s/list.csv", f->folder);
    FILE *file = fopen(path, "wb");
    assert_non_null(file);
    fputs("path,label,split\n"
          "\"a \"\"b\"\",\nc.png\",\"cat, big\",train\n"
          "=cmd.png,dog,train\n"
          "\033[31m\t.jpg,dog,val\n"
          "z.png,dog,test\n",
          file);
    assert_int_equal(fclose(file), 0);
    vg_error err;
    if (vg_dataset_open(path, NULL, &f->dataset, &err) != VG_OK)
        fail_msg("%s", err.message);
    assert_int_equal(vg_dataset_count(f->dataset), 4);
    f->audit = (vg_audit){.found = 4, .facts = f->facts, .broken = &f->broken, .noted = &f->noted};
    assert_ok(vg_marks_init(&f->audit.marks, 4, &err));
    for (size_t i = 0; i < 4; i++)
        f->facts[i] = (vg_facts){.brightness = 0.25F,
                                 .mean = {10.5F, 20, 30},
                                 .width = 10 + (int)i,
                                 .height = 7,
                                 .file_bytes = 1000 + i,
                                 .format = VG_FORMAT_PNG,
                                 .bits = 8,
                                 .flags = VG_FACT_DECODED};
    f->facts[1].flags = 0;
    f->broken = (vg_audit_file){.index = 1, .status = VG_E_FORMAT, .reason = "cut, \"here\""};
    f->audit.broken_count = 1;
    f->members[0] = 0;
    f->members[1] = 2;
    f->members[2] = 3;
    f->group = (vg_copy_group){.begin = 0, .count = 3, .stays = 2};
    f->audit.copies = (vg_duplicates){.members = f->members, .groups = &f->group, .group_count = 1};
    vg_marks_set(&f->audit.marks, 1, VG_MARK_BROKEN);
    vg_marks_set(&f->audit.marks, 2, VG_MARK_DARK);
    vg_marks_set(&f->audit.marks, 3, VG_MARK_DARK);
    vg_marks_set(&f->audit.marks, 0, VG_MARK_NEAR_COPY);
    vg_marks_set(&f->audit.marks, 3, VG_MARK_EXACT_COPY);
    vg_marks_set(&f->audit.marks, 2, VG_MARK_LEAK);
}

static void end(fixture *f)
{
    vg_marks_reset(&f->audit.marks);
    vg_dataset_close(f->dataset);
    test_folder_remove(f->folder);
}

static char *list(const fixture *f, vg_mark mark, size_t expected)
{
    char *text = NULL;
    size_t size = 0, listed;
    vg_error err;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_ok(vg_audit_list(out, f->dataset, &f->audit, mark, &listed, &err));
    assert_int_equal(fclose(out), 0);
    assert_int_equal(listed, expected);
    return text;
}

static void a_list_is_safe_and_says_why(void **state)
{
    (void)state;
    fixture f = {0};
    begin(&f);
    char *text = list(&f, VG_MARK_DARK, 2);
    assert_string_equal(text, "dark\t\\x1B[31m\\x09.jpg\tbrightness 0.250\tdog\tval\n"
                              "dark\tz.png\tbrightness 0.250\tdog\ttest\n");
    free(text);
    text = list(&f, VG_MARK_BROKEN, 1);
    assert_string_equal(text, "broken\t=cmd.png\tcut, \"here\"\tdog\ttrain\n");
    free(text);
    text = list(&f, VG_MARK_NEAR_COPY, 1); /* the one that stays */
    assert_string_equal(text,
                        "near-copy\ta \"b\",\\x0Ac.png\t\\x1B[31m\\x09.jpg\tcat, big\ttrain\n");
    free(text);
    text = list(&f, VG_MARK_LEAK, 1); /* stays itself: the first of the others */
    assert_string_equal(text, "leak\t\\x1B[31m\\x09.jpg\ta \"b\",\\x0Ac.png\tdog\tval\n");
    free(text);
    text = list(&f, VG_MARK_BLURRED, 0);
    assert_string_equal(text, "");
    free(text);
    end(&f);
}

/* One field of RFC 4180 from *at on, which moves behind the comma or the end of the row. */
static void take_field(const char **at, char *field, size_t capacity)
{
    size_t n = 0;
    bool quoted = **at == '"';
    *at += quoted;
    while (**at && (quoted || (**at != ',' && **at != '\r'))) {
        if (quoted && **at == '"') {
            if ((*at)[1] != '"')
                break;
            ++*at;
        }
        assert_true(n + 1 < capacity);
        field[n++] = *(*at)++;
    }
    *at += quoted;
    field[n] = '\0';
    if (**at == ',')
        ++*at;
    else
        assert_true((*at)[0] == '\r' && (*at)[1] == '\n');
}

enum { MOST = 80 };

/* Rows of the table into cells[5][MOST]; returns the columns. */
static int read_table(const char *text, char cells[5][MOST][80])
{
    int columns = 0;
    for (int row = 0; row < 5; row++) {
        int column = 0;
        while (*text != '\r') {
            assert_true(column < MOST);
            bool last;
            take_field(&text, cells[row][column++], 80);
            last = text[0] == '\r' && text[-1] == ',';
            if (last) /* an empty field at the end */
                cells[row][column++][0] = '\0';
        }
        text += 2;
        if (row)
            assert_int_equal(column, columns);
        columns = column;
    }
    assert_int_equal(*text, '\0');
    return columns;
}

static const char *cell(char cells[5][MOST][80], int columns, const char *name, int row)
{
    for (int c = 0; c < columns; c++)
        if (strcmp(cells[0][c], name) == 0)
            return cells[row + 1][c];
    fail_msg("no column %s", name);
    return "";
}

static void the_table_reads_back(void **state)
{
    (void)state;
    static char cells[5][MOST][80];
    fixture f = {0};
    begin(&f);
    char *text = NULL;
    size_t size = 0;
    vg_error err;
    FILE *out = open_memstream(&text, &size);
    assert_non_null(out);
    assert_ok(vg_audit_csv(out, f.dataset, &f.audit, &err));
    assert_int_equal(fclose(out), 0);
    int columns = read_table(text, cells);
    for (size_t i = 0; i < 4; i++) {
        char name[100];
        vg_dataset_name(f.dataset, i, name, sizeof name);
        assert_string_equal(cell(cells, columns, "path", (int)i), name);
        for (int m = 0; m < VG_MARKS; m++)
            assert_string_equal(cell(cells, columns, vg_mark_name((vg_mark)m), (int)i),
                                vg_marks_has(&f.audit.marks, i, (vg_mark)m) ? "1" : "0");
    }
    assert_string_equal(cell(cells, columns, "label", 0), "cat, big");
    assert_string_equal(cell(cells, columns, "split", 2), "val");
    assert_string_equal(cell(cells, columns, "width", 3), "13");
    assert_string_equal(cell(cells, columns, "bytes", 1), "1001");
    assert_string_equal(cell(cells, columns, "mean_red", 0), "10.5");
    assert_string_equal(cell(cells, columns, "mean_blue", 0), "30");
    assert_string_equal(cell(cells, columns, "width", 1), ""); /* not decoded */
    assert_string_equal(cell(cells, columns, "brightness", 1), "");
    assert_string_equal(cell(cells, columns, "readable", 1), "0");
    assert_string_equal(cell(cells, columns, "readable", 2), "1");
    assert_string_equal(cell(cells, columns, "reason", 1), "cut, \"here\"");
    assert_string_equal(cell(cells, columns, "reason", 0), "");
    assert_string_equal(cell(cells, columns, "copy_of", 0), "\033[31m\t.jpg");
    assert_string_equal(cell(cells, columns, "copy_of", 2), "");
    assert_string_equal(cell(cells, columns, "copy_of", 1), "");
    assert_non_null(strstr(text, "\"=cmd.png\"")); /* quoted: no formula to the simplest readers */
    free(text);
    end(&f);
}

static void a_file_is_whole_or_not_there(void **state)
{
    (void)state;
    fixture f = {0};
    vg_error err;
    char path[4200];
    begin(&f);
    snprintf(path, sizeof path, "%s/table.csv", f.folder);
    assert_ok(vg_audit_csv_file(path, f.dataset, &f.audit, &err));
    assert_true(vg_path_is_file(path));
    snprintf(path, sizeof path, "%s/no/such/table.csv", f.folder);
    assert_int_equal(vg_audit_csv_file(path, f.dataset, &f.audit, &err), VG_E_IO);
    end(&f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_is_safe_and_says_why),
        cmocka_unit_test(the_table_reads_back),
        cmocka_unit_test(a_file_is_whole_or_not_there),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
