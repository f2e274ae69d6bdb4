/* What the table of job keys is made of: how values are read, stored, printed and refused. Internal to
 * job*.c. */
#ifndef VG_TOOLS_JOB_VALUES_H
#define VG_TOOLS_JOB_VALUES_H

#include "job_keys.h"

/* Where the key's value lies in the job. */
void *vg_key_field(const vg_job_key *key, vg_job *job);
const void *vg_key_field_const(const vg_job_key *key, const vg_job *job);

/* The message for a value that is not allowed: what was found, what is allowed. */
vg_status vg_key_wrong(const vg_job_key *key, const vg_job_value *value, vg_error *err);
vg_status vg_key_no_memory(vg_error *err);

/* A whole number and nothing else. */
bool vg_key_parse_whole(const char *text, uint64_t *value);

/* A YAML scalar: as it is where that is safe everywhere (also inside [ ]), else in quotes. */
void vg_key_print_scalar(const char *text, FILE *out);

/* Turns a scalar "a,b,c" into a list, in place; with `map`, "a:1,b:2" into a map. */
vg_status vg_key_split_scalar(vg_job_value *value, bool map, vg_error *err);

/* `set` and `print` of keys of one type, stored at the key's offset. */
vg_status vg_key_set_int(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_int(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_count(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_count(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_seed(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_seed(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_number(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_number(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_flag(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_flag(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_word(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_word(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_path(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_path(const vg_job_key *key, const vg_job *job, FILE *out);

/* Those that have a language of their own: of the data (job_keys_data.c) ... */
vg_status vg_key_set_cache(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_cache(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_classes(const vg_job_key *key, vg_job *job, vg_job_value *value,
                             vg_error *err);
void vg_key_print_classes(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_limit(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_limit(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_size(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_size(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_shrink(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_shrink(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_background(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                vg_error *err);
void vg_key_print_background(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_channels(const vg_job_key *key, vg_job *job, vg_job_value *value,
                              vg_error *err);
void vg_key_print_channels(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_framing(const vg_job_key *key, vg_job *job, vg_job_value *value,
                             vg_error *err);
void vg_key_print_framing(const vg_job_key *key, const vg_job *job, FILE *out);

/* ... and of the training (job_keys_train.c, of loss and optimizer: job_keys_optim.c). */
const char *vg_key_word_normalize(int i);
const char *vg_key_word_sampling(int i);
const char *vg_key_word_split_by(int i);
const char *vg_key_word_weights(int i);
const char *vg_key_word_test_views(int i);
const char *vg_key_word_init(int i);
const char *vg_key_word_winograd(int i);
const char *vg_key_word_optimizer(int i);
const char *vg_key_word_schedule(int i);
const char *vg_key_word_loss(int i);
const char *vg_key_word_from_logits(int i);
const char *vg_key_word_muon_scale(int i);
const char *vg_key_word_muon_others(int i);
vg_status vg_key_set_rates(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_rates(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_decays(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_decays(const vg_job_key *key, const vg_job *job, FILE *out);
const char *vg_key_word_on_error(int i);
vg_status vg_key_set_policy(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_policy(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_class_rules(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                 vg_error *err);
void vg_key_print_class_rules(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_net(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_net(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_statistics(const vg_job_key *key, vg_job *job, vg_job_value *value,
                                vg_error *err);
void vg_key_print_statistics(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_changes(const vg_job_key *key, vg_job *job, vg_job_value *value,
                             vg_error *err);
void vg_key_print_changes(const vg_job_key *key, const vg_job *job, FILE *out);

/* ... and of its loop (job_keys_loop.c). */
vg_status vg_key_set_init_from(const vg_job_key *key, vg_job *job, vg_job_value *value,
                               vg_error *err);
void vg_key_print_init_from(const vg_job_key *key, const vg_job *job, FILE *out);
const char *vg_key_word_search(int i);
const char *vg_key_word_giving_up(int i);
vg_status vg_key_set_sweep(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_sweep(const vg_job_key *key, const vg_job *job, FILE *out);
vg_status vg_key_set_freeze(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_freeze(const vg_job_key *key, const vg_job *job, FILE *out);
const char *vg_key_word_watch(int i);
vg_status vg_key_set_every(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
void vg_key_print_every(const vg_job_key *key, const vg_job *job, FILE *out);

#endif
