/* A cleaned list of a dataset: what is left out of it, and which split everything else belongs to. Images are
 * never touched. */
#ifndef VG_AUDIT_FIX_H
#define VG_AUDIT_FIX_H

#include "audit/audit.h"

typedef struct vg_fix_choice {
    uint32_t leave_out; /* samples with one of these marks, 1 << mark */
    bool
        conflicts; /* copies with several labels where they are certainly copies: exact, or saved again */
    bool together; /* copies that stay, and series, lie in one split */
} vg_fix_choice;

/* broken, copies, conflicts, leaks. */
vg_fix_choice vg_fix_choice_default(void);
/* A list of words with commas between: "copies" (exact-copy and near-copy), "conflicts" (of label-conflict what is certain), "leaks" (copies
 * and series that lie in several splits), or marks whose samples are to be left out. VG_E_ARG names the
 * word. */
vg_status vg_fix_choice_parse(const char *list, vg_fix_choice *choice, vg_error *err);
/* The same words. */
void vg_fix_choice_print(const vg_fix_choice *choice, char *text, size_t capacity);

typedef enum vg_fix_move {
    VG_FIX_STAYS,
    VG_FIX_WITH_GROUP, /* to where its copies and its series are */
    VG_FIX_FOR_CLASS,  /* its class would have had none there */
    VG_FIX_MOVES
} vg_fix_move;
const char *vg_fix_move_name(vg_fix_move move); /* "stays", "group", "class" */

typedef struct vg_fix_sample {
    bool kept;
    vg_mark why;      /* it was left out: the first of its marks that were chosen */
    vg_split split;   /* of what is kept */
    vg_fix_move move; /* why that is another one than before */
} vg_fix_sample;

/* Zero-initialized is empty. */
typedef struct vg_fix {
    vg_fix_sample *samples; /* [count], as in the dataset */
    size_t *of; /* [count] of a copy: the one that is kept in its place, else SIZE_MAX */
    size_t count, kept, moved;
    size_t left_out[VG_MARKS]; /* by why */
    size_t before[VG_SPLIT_COUNT], after[VG_SPLIT_COUNT];
} vg_fix;

/* Of a group of copies one stays (audit/copies.h). Of exact or resaved copies with several labels none stays, because
 * any choice would be a guess. What else is alike across classes (cropped, edited, or linked by others) may be two things that look
 * alike: it stays, together, for a person to look at. Copies and series that belong together go, where the dataset brings its splits, to the one that holds most
 * of them (train if it is one of several), else to the one that the smallest hash of their names' groups says (series.h):
 * where names alone tell the series this is the split of vg_split_by_group, and new files move no other group. Then a
 * class of at least three such units that has nothing in a split is given one there; that is the only way in which
 * one group can move another. Everything else keeps its split. audit as vg_audit_run left it. VG_E_ARG: no picture was opened;
 * VG_E_STATE: nothing is left. VG_E_NOMEM. */
vg_status vg_fix_plan(const vg_dataset *dataset, const vg_audit *audit, const vg_fix_choice *choice,
                      vg_fix *fix, vg_error *err);
void vg_fix_reset(vg_fix *fix);

#endif
