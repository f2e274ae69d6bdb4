/* What stands out about the pictures of one class against those of the others. Private to tools/report. */
#ifndef VG_REPORT_CLASS_NOTES_H
#define VG_REPORT_CLASS_NOTES_H

#include "report/audit.h"

/* Adds to class->note, after "; " if there is something already; accuse: more than a remark. */
void vg_class_note(vg_class_finding *class, bool accuse, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* Light, contrast, sharpness, size, colour, frames, compression, and marks that gather in this class. Classes of fewer
 * than 5 decoded pictures are let be. */
void vg_class_note_looks(const vg_audit *audit, vg_class_finding *class);
/* The class that has at least half of all samples with this mark, 5 at least and twice its share of the pictures; -1: there
 * is none. */
int vg_class_gathers(const vg_audit *audit, vg_mark mark);

#endif
