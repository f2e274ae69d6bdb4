/* The table of job keys; for job.c and its tests only. */
#ifndef VG_TOOLS_JOB_KEYS_H
#define VG_TOOLS_JOB_KEYS_H

#include "job.h"

typedef struct vg_job_item {
    char *key, *text; /* key: NULL in a list */
    bool list;        /* text holds the words of a list, a line each (of keys that take such) */
    int line, column;
} vg_job_item;

/* A value, wherever it came from: one word, or the items of a list or map. */
typedef struct vg_job_value {
    enum { VG_JOB_SCALAR, VG_JOB_LIST, VG_JOB_MAP } kind;
    char *text;         /* of a scalar */
    vg_job_item *items; /* [count] */
    size_t count;
    bool nested;              /* whether items may be lists */
    const char *folder;       /* before relative paths, NULL: none */
    const vg_job_item *blame; /* set by a key's `set` when one item is wrong */
} vg_job_value;
void vg_job_value_reset(vg_job_value *value);

typedef struct vg_job_key vg_job_key;
struct vg_job_key {
    const char *name;
    /* Stores the value in the job; the message says what was found and what is allowed. */
    vg_status (*set)(const vg_job_key *key, vg_job *job, vg_job_value *value, vg_error *err);
    /* Writes the value as YAML on one line. */
    void (*print)(const vg_job_key *key, const vg_job *job, FILE *out);
    size_t offset;
    double low, high;         /* of numbers */
    const char *(*word)(int); /* of words: the name of value i ... */
    int words;                /* ... of so many */
    bool nested;              /* items of its value may be lists of words */
    const char *allowed;      /* for the documentation where low, high or words do not say it */
    const char *help;
};

const vg_job_key *vg_job_keys(size_t *count);
/* NULL when there is none of this name. */
const vg_job_key *vg_job_key_find(const char *name);
/* What the key allows, in words. */
void vg_job_key_allowed(const vg_job_key *key, char *text, size_t capacity);

#endif
