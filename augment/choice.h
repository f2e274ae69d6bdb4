/* Operations that a policy draws with a chance: single ones and groups.
 *
 *   blur=0.5:1.5@0.3                        U(0.5, 1.5), in 3 of 10 samples
 *   equalize@0.1                            takes no number
 *   one_of(blur=1|sharpness=0.8|identity)   one of them, all alike
 *   some_of(2:rotate=30|hue=0.1|jpeg=30:90)@0.5   two different ones, in their order here
 *
 * A number v means what operation.h says for the operation (rotate=20 is U(-20, 20), contrast=0.2 is
 * U(0.8, 1.2), blur=2 is U(0, 2)); lo:hi is always U(lo, hi). Without @ the chance is 1. Within a
 * group @ is not allowed: its members are drawn by the group. */
#ifndef VG_AUGMENT_CHOICE_H
#define VG_AUGMENT_CHOICE_H

#include "automatic.h"

enum { VG_CHOICES = 40, VG_GROUPS = 16 };

typedef struct vg_choice {
    vg_operation operation;
    double value; /* as written, when one number was */
    bool range;   /* lo:hi was written */
    double low, high;
} vg_choice;

typedef struct vg_group {
    int first, count; /* of the choices */
    int pick;         /* how many of them: 1 for a single operation */
    bool bracket;     /* written as a group */
    double chance;
} vg_group;

/* A small value; zero-initialized it draws nothing. */
typedef struct vg_choices {
    vg_choice choice[VG_CHOICES];
    vg_group group[VG_GROUPS];
    int choice_count, group_count;
} vg_choices;

/* Adds what `word` says. VG_E_ARG quotes what is wrong, says what is expected there and names the
 * nearest operation; VG_E_LIMIT for more than fit. `choices` is unchanged on errors. */
vg_status vg_choices_add(vg_choices *choices, const char *word, vg_error *err);
/* Whether the word is for vg_choices_add: a group, a chance, or an operation of the table. */
bool vg_choices_wants(const char *word);
/* The words in order, blanks between; reads back as the same choices. */
void vg_choices_print(const vg_choices *choices, char *text, size_t capacity);
/* Appends what is drawn for this sample. Each group has a stream of its own, named by its place, so
 * that appending words changes nothing for those before. */
void vg_choices_draw(const vg_choices *choices, const vg_sample_key *key, double strength,
                     vg_steps *steps);

#endif
