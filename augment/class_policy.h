/* Policies of single classes: changes to the general policy, as people write them, and what they come to
 * on a dataset.
 *
 *   6,9     flip=none rotate=5     these two are mirrored never and turned little
 *   rare    heavy                  the classes of which there are few
 *
 * The words change the policy as vg_policy_change says. Rules apply in the order in which they stand: one
 * that names a class again changes what the ones before made of it. `rare` are the classes with fewer
 * training images than half of the median class's (of classes that have any), unless a class is called
 * so. */
#ifndef VG_AUGMENT_CLASS_POLICY_H
#define VG_AUGMENT_CLASS_POLICY_H

#include "dataset/dataset.h"
#include "policy.h"

typedef struct vg_class_rule {
    char *classes; /* a class, classes with commas between, or rare */
    char *words;
} vg_class_rule;

/* Zero-initialized: none. */
typedef struct vg_class_rules {
    vg_class_rule *rules; /* [count] */
    size_t count;
} vg_class_rules;
/* VG_E_ARG: no class, or words that no policy takes. */
vg_status vg_class_rules_add(vg_class_rules *rules, const char *classes, const char *words,
                             vg_error *err);
/* The same from one "CLASS[,CLASS]=WORDS". */
vg_status vg_class_rules_add_word(vg_class_rules *rules, const char *word, vg_error *err);
vg_status vg_class_rules_copy(const vg_class_rules *from, vg_class_rules *to, vg_error *err);
void vg_class_rules_reset(vg_class_rules *rules);
/* Whether no rule changes a picture where the general policy changes none. */
bool vg_class_rules_are_none(const vg_class_rules *rules, const vg_policy *general);
/* vg_policy_warnings of what the rules make of the general policy, each with its classes; what is said
 * of the general policy is not repeated. Returns how many. */
size_t vg_class_rules_warnings(const vg_class_rules *rules, const vg_policy *general, char *text,
                               size_t capacity);

/* The rules on a dataset: a small table, read-only once made and then for any thread. */
typedef struct vg_class_policies {
    int classes;
    int *of_class;       /* [classes] index of its policy, -1: the general one */
    vg_policy *policies; /* [count] */
    int count;
} vg_class_policies;
/* Without rules the table is empty and stands for the general policy everywhere. VG_E_ARG names a class
 * that the dataset does not have and the nearest one it has; rules that do not fit the general policy. */
vg_status vg_class_policies_make(const vg_class_rules *rules, const vg_policy *general,
                                 const vg_dataset *dataset, vg_class_policies *table,
                                 vg_error *err);
void vg_class_policies_reset(vg_class_policies *table);
/* The policy of a class; `table` may be NULL. */
const vg_policy *vg_class_policy_of(const vg_class_policies *table, const vg_policy *general,
                                    int label);
/* Of all that decides what it does. */
uint64_t vg_class_policies_hash(const vg_class_policies *table);
/* The classes of policy `i` by their names, commas between, "... (12 in all)" where they do not fit. */
void vg_class_policies_names(const vg_class_policies *table, int i, const vg_dataset *dataset,
                             char *text, size_t capacity);

#endif
