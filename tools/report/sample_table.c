/* Rows are made from the facts and marks that the audit keeps anyway, so that a million samples need no memory of
 * their own. The list is for eyes and `cut`, so names are made safe; the table is for programs, which must find the
 * files again, so names stay as they are, in quotes. */
#include "report/sample_table.h"

#include "base/alloc.h"
#include "base/file.h"
#include "cli.h"

#include <math.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

/* ---- what is known of a sample beside its mark */

static const vg_audit_file *note_of(const vg_audit_file *files, size_t count, size_t index)
{
    size_t low = 0, high = count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (files[middle].index < index)
            low = middle + 1;
        else
            high = middle;
    }
    return low < count && files[low].index == index ? &files[low] : NULL;
}

static const char *reason_of(const vg_audit *audit, size_t index)
{
    const vg_audit_file *note = note_of(audit->broken, audit->broken_count, index);
    if (!note)
        note = note_of(audit->noted, audit->noted_count, index);
    return note ? note->reason : "";
}

/* The group of copies that each sample is in; SIZE_MAX: none. */
static vg_status find_groups(const vg_audit *audit, size_t **group_of, vg_error *err)
{
    const vg_duplicates *copies = &audit->copies;
    *group_of = vg_alloc(audit->found, sizeof **group_of);
    if (!*group_of)
        return vg_fail(err, VG_E_NOMEM, "out of memory for the copies of %zu samples",
                       audit->found);
    for (size_t i = 0; i < audit->found; i++)
        (*group_of)[i] = SIZE_MAX;
    for (size_t g = 0; g < copies->group_count; g++)
        for (size_t m = 0; m < copies->groups[g].count; m++)
            (*group_of)[copies->members[copies->groups[g].begin + m]] = g;
    return VG_OK;
}

/* The picture of its group that stays, or another one where it stays itself; SIZE_MAX: it has no copies. */
static size_t partner_of(const vg_audit *audit, const size_t *group_of, size_t index)
{
    if (group_of[index] == SIZE_MAX)
        return SIZE_MAX;
    const vg_copy_group *group = &audit->copies.groups[group_of[index]];
    const size_t *members = audit->copies.members + group->begin;
    return group->stays != index ? group->stays : members[members[0] == index];
}

/* The number behind a mark, or the other picture; "" where there is none. */
static void describe(const vg_dataset *dataset, const vg_audit *audit, const size_t *group_of,
                     size_t index, vg_mark mark, char *text, size_t capacity)
{
    const vg_facts *f = &audit->facts[index];
    size_t partner = partner_of(audit, group_of, index);
    text[0] = '\0';
    switch (mark) {
    case VG_MARK_BROKEN:
    case VG_MARK_WARNING:
    case VG_MARK_WRONG_EXTENSION:
        snprintf(text, capacity, "%s", reason_of(audit, index));
        break;
    case VG_MARK_HUGE:
    case VG_MARK_ODD_SIZE:
    case VG_MARK_ODD_ASPECT:
    case VG_MARK_TURNED:
        snprintf(text, capacity, "%dx%d pixels", f->width, f->height);
        break;
    case VG_MARK_DARK:
    case VG_MARK_LIGHT:
        snprintf(text, capacity, "brightness %.3f", (double)f->brightness);
        break;
    case VG_MARK_FLAT:
        snprintf(text, capacity, "contrast %.4f", (double)f->contrast);
        break;
    case VG_MARK_LOW_INFORMATION:
        snprintf(text, capacity, "entropy %.2f bits", (double)f->entropy / VG_ENTROPY_STEPS);
        break;
    case VG_MARK_BLURRED:
        snprintf(text, capacity, "edges %.1f pixels wide", (double)f->edge / VG_EDGE_STEPS);
        break;
    case VG_MARK_GREY:
        snprintf(text, capacity, "%.1f %% of the pixels have colour",
                 100.0 * f->coloured / VG_WHOLE);
        break;
    case VG_MARK_BORDER:
        snprintf(text, capacity, "%d, %d, %d, %d pixels at top, right, bottom, left",
                 f->border[VG_SIDE_TOP], f->border[VG_SIDE_RIGHT], f->border[VG_SIDE_BOTTOM],
                 f->border[VG_SIDE_LEFT]);
        break;
    case VG_MARK_ODD_COLOUR:
        snprintf(text, capacity, "%s, %s of %d bits", vg_format_name((vg_image_format)f->format),
                 vg_colour_type_name((vg_colour_type)f->colour), f->bits);
        break;
    case VG_MARK_EXACT_COPY:
    case VG_MARK_NEAR_COPY:
    case VG_MARK_LABEL_CONFLICT:
    case VG_MARK_LEAK:
        if (partner != SIZE_MAX)
            vg_dataset_name(dataset, partner, text, capacity);
        break;
    default:
        break;
    }
}

static void put_safe(FILE *out, const char *text)
{
    vg_cli_pad(out, text, vg_cli_columns(text));
}

vg_status vg_audit_list(FILE *out, const vg_dataset *dataset, const vg_audit *audit, vg_mark mark,
                        size_t *listed, vg_error *err)
{
    size_t *group_of;
    vg_status status = find_groups(audit, &group_of, err);
    *listed = 0;
    if (status)
        return status;
    for (size_t i = 0; i < audit->marks.count; i++) {
        char name[4096], words[4096];
        if (!vg_marks_has(&audit->marks, i, mark))
            continue;
        vg_dataset_name(dataset, i, name, sizeof name);
        describe(dataset, audit, group_of, i, mark, words, sizeof words);
        fprintf(out, "%s\t", vg_mark_name(mark));
        put_safe(out, name);
        fputc('\t', out);
        put_safe(out, words);
        fputc('\t', out);
        put_safe(out, vg_dataset_class_name(dataset, vg_dataset_label(dataset, i)));
        fprintf(out, "\t%s\n", vg_split_name(vg_dataset_split(dataset, i)));
        ++*listed;
    }
    free(group_of);
    return VG_OK;
}

/* ---- the table */

enum kind { WHOLE, BYTES, REAL, DEPTH, LEVEL, STEPS };

/* The facts in the order of their columns. A new member of vg_facts gets its line here. */
static const struct {
    const char *name;
    size_t offset;
    enum kind kind;
    int steps; /* of STEPS: in a unit */
} columns[] = {
    {"width", offsetof(vg_facts, width), WHOLE, 1},
    {"height", offsetof(vg_facts, height), WHOLE, 1},
    {"bytes", offsetof(vg_facts, file_bytes), BYTES, 1},
    {"bits", offsetof(vg_facts, bits), DEPTH, 1},
    {"jpeg_quality", offsetof(vg_facts, quality), DEPTH, 1},
    {"brightness", offsetof(vg_facts, brightness), REAL, 1},
    {"contrast", offsetof(vg_facts, contrast), REAL, 1},
    {"mean_red", offsetof(vg_facts, mean), REAL, 1},
    {"mean_green", offsetof(vg_facts, mean) + sizeof(float), REAL, 1},
    {"mean_blue", offsetof(vg_facts, mean) + 2 * sizeof(float), REAL, 1},
    {"std_red", offsetof(vg_facts, std), REAL, 1},
    {"std_green", offsetof(vg_facts, std) + sizeof(float), REAL, 1},
    {"std_blue", offsetof(vg_facts, std) + 2 * sizeof(float), REAL, 1},
    {"luma_p1", offsetof(vg_facts, p1), LEVEL, 1},
    {"luma_p5", offsetof(vg_facts, p5), LEVEL, 1},
    {"luma_p95", offsetof(vg_facts, p95), LEVEL, 1},
    {"luma_p99", offsetof(vg_facts, p99), LEVEL, 1},
    {"entropy", offsetof(vg_facts, entropy), STEPS, VG_ENTROPY_STEPS},
    {"edge_width", offsetof(vg_facts, edge), STEPS, VG_EDGE_STEPS},
    {"coloured", offsetof(vg_facts, coloured), STEPS, VG_WHOLE},
    {"border_top", offsetof(vg_facts, border[VG_SIDE_TOP]), STEPS, 1},
    {"border_right", offsetof(vg_facts, border[VG_SIDE_RIGHT]), STEPS, 1},
    {"border_bottom", offsetof(vg_facts, border[VG_SIDE_BOTTOM]), STEPS, 1},
    {"border_left", offsetof(vg_facts, border[VG_SIDE_LEFT]), STEPS, 1},
};
enum { COLUMNS = sizeof columns / sizeof *columns };

static const struct {
    const char *name;
    int flag;
} flags[] = {
    {"readable", VG_FACT_DECODED}, {"colourless", VG_FACT_GREY}, {"transparent", VG_FACT_CLEAR}};
enum { FLAGS = sizeof flags / sizeof *flags };

/* A field as RFC 4180 has it. A name that a spreadsheet would take for a formula is put in quotes, too, which does
 * not stop every one of them, but a byte more would be another name. */
static void put_field(FILE *out, const char *text)
{
    if (!text[strcspn(text, ",\"\r\n\t ")] && !strchr("=+-@", text[0])) {
        fputs(text, out);
        return;
    }
    if (!*text)
        return;
    fputc('"', out);
    for (; *text; text++) {
        if (*text == '"')
            fputc('"', out);
        fputc(*text, out);
    }
    fputc('"', out);
}

/* Empty where it is not known. */
static void put_fact(FILE *out, const vg_facts *facts, int column)
{
    const unsigned char *at = (const unsigned char *)facts + columns[column].offset;
    bool decoded = facts->flags & VG_FACT_DECODED;
    float real;
    int32_t whole;
    uint64_t bytes;
    uint16_t steps;
    fputc(',', out);
    switch (columns[column].kind) {
    case WHOLE:
        memcpy(&whole, at, sizeof whole);
        if (decoded)
            fprintf(out, "%d", whole);
        break;
    case BYTES:
        memcpy(&bytes, at, sizeof bytes);
        if (bytes)
            fprintf(out, "%llu", (unsigned long long)bytes);
        break;
    case REAL:
        memcpy(&real, at, sizeof real);
        if (decoded)
            fprintf(out, "%.6g", (double)real);
        break;
    case DEPTH:
        if (*at)
            fprintf(out, "%d", *at);
        break;
    case LEVEL:
        if (decoded)
            fprintf(out, "%d", *at);
        break;
    case STEPS:
        memcpy(&steps, at, sizeof steps);
        if (decoded)
            fprintf(out, "%.6g", (double)steps / columns[column].steps);
        break;
    }
}

static void put_row(FILE *out, const vg_dataset *dataset, const vg_audit *audit,
                    const size_t *group_of, size_t index)
{
    char name[4096];
    size_t group = group_of[index];
    const vg_facts *facts = &audit->facts[index];
    vg_dataset_name(dataset, index, name, sizeof name);
    put_field(out, name);
    fputc(',', out);
    put_field(out, vg_dataset_class_name(dataset, vg_dataset_label(dataset, index)));
    fprintf(out, ",%s,", vg_split_name(vg_dataset_split(dataset, index)));
    if (facts->format != VG_FORMAT_UNKNOWN)
        fputs(vg_format_name((vg_image_format)facts->format), out);
    fputc(',', out);
    if (facts->colour != VG_COLOUR_UNKNOWN)
        put_field(out, vg_colour_type_name((vg_colour_type)facts->colour));
    for (int c = 0; c < COLUMNS; c++)
        put_fact(out, facts, c);
    for (int c = 0; c < FLAGS; c++)
        fprintf(out, ",%d", (facts->flags & flags[c].flag) != 0);
    for (int m = 0; m < VG_MARKS; m++)
        fprintf(out, ",%d", vg_marks_has(&audit->marks, index, (vg_mark)m));
    fputc(',', out);
    if (group != SIZE_MAX && audit->copies.groups[group].stays != index) {
        vg_dataset_name(dataset, audit->copies.groups[group].stays, name, sizeof name);
        put_field(out, name);
    }
    fputc(',', out);
    put_field(out, reason_of(audit, index));
    fputs("\r\n", out);
}

vg_status vg_audit_csv(FILE *out, const vg_dataset *dataset, const vg_audit *audit, vg_error *err)
{
    size_t *group_of;
    vg_status status = find_groups(audit, &group_of, err);
    if (status)
        return status;
    fputs("path,label,split,format,colour_type", out);
    for (int c = 0; c < COLUMNS; c++)
        fprintf(out, ",%s", columns[c].name);
    for (int c = 0; c < FLAGS; c++)
        fprintf(out, ",%s", flags[c].name);
    for (int m = 0; m < VG_MARKS; m++)
        fprintf(out, ",%s", vg_mark_name((vg_mark)m));
    fputs(",copy_of,reason\r\n", out);
    for (size_t i = 0; i < audit->found; i++)
        put_row(out, dataset, audit, group_of, i);
    free(group_of);
    return VG_OK;
}

vg_status vg_audit_csv_file(const char *path, const vg_dataset *dataset, const vg_audit *audit,
                            vg_error *err)
{
    vg_atomic_file file;
    vg_status status = vg_atomic_open(path, &file, err);
    if (status)
        return status;
    status = vg_audit_csv(file.stream, dataset, audit, err);
    if (status) {
        vg_atomic_abort(&file);
        return status;
    }
    return vg_atomic_commit(&file, err);
}
