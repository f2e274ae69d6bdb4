/* How many samples have each mark: for programs. For people each mark is told where it belongs. */
#include "report/audit_page.h"
#include "report/escape.h"

static void put_json(const vg_audit_page *p, json_t *root, bool *ok)
{
    json_t *marks = json_object();
    for (int m = 0; m < VG_MARKS; m++)
        vg_json_set(marks, vg_mark_name((vg_mark)m),
                    p->audit->labels_only ? json_null()
                                          : json_integer((json_int_t)p->audit->marks.total[m]),
                    ok);
    vg_json_set(root, "marks", marks, ok);
}

const vg_audit_section vg_section_marks = {.name = "marks", .json = put_json};
