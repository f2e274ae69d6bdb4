/* Are pictures that belong together by their names more alike than others of their class? Private to
 * audit/. */
#ifndef VG_AUDIT_SIBLINGS_H
#define VG_AUDIT_SIBLINGS_H

#include "audit/fingerprint.h"
#include "dataset/dataset.h"

enum { VG_SKETCH = 64 };

/* Small pictures of a dataset and its samples by class. */
typedef struct vg_sketches {
    uint8_t *pixels; /* [count][VG_SKETCH]: 8 x 8 averages; NULL: nothing was read */
    size_t *of;      /* samples with a sketch, class after class */
    size_t *begin;   /* [classes + 1] in of */
    int classes;
    const vg_fingerprint *prints;
} vg_sketches;

/* prints NULL: empty. VG_E_NOMEM. */
vg_status vg_sketches_make(const vg_dataset *dataset, const vg_fingerprint *prints,
                           vg_sketches *sketches, vg_error *err);
void vg_sketches_reset(vg_sketches *sketches);
/* Whether there is one of the sample. */
bool vg_sketch_ready(const vg_sketches *sketches, size_t index);
/* Sum of absolute differences, 0 .. 64 * 255. */
int vg_sketch_differ(const vg_sketches *sketches, size_t a, size_t b);

typedef struct vg_sibling_pair {
    size_t a, b;
    uint64_t group; /* by which they belong together */
} vg_sibling_pair;

typedef struct vg_siblings {
    size_t compared; /* pairs with two sketches; all or an even choice of them */
    double ratio;    /* mean difference of siblings over that of the draws */
    bool alike;      /* below all of 99 draws and 4 standard deviations below their mean */
} vg_siblings;

/* Randomization test: in each draw b is replaced by a random sample of its class of another group; groups[]
 * holds the group of every sample. */
void vg_siblings_test(const vg_sketches *sketches, const vg_dataset *dataset,
                      const vg_sibling_pair *pairs, size_t count, const uint64_t *groups,
                      vg_siblings *result);

/* Of neighbours in numbered sequences those that are alike beyond what chance brings: sets chosen[count], returns
 * how many. VG_E_NOMEM. */
vg_status vg_siblings_choose(const vg_sketches *sketches, const vg_dataset *dataset,
                             const vg_sibling_pair *pairs, size_t count, bool *chosen, size_t *some,
                             vg_error *err);

#endif
