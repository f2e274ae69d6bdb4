/* The data of AutoAugment's policies. Private to automatic.c. */
#ifndef VG_AUGMENT_AUTOMATIC_TABLES_H
#define VG_AUGMENT_AUTOMATIC_TABLES_H

#include "operation.h"

enum { VG_AUTO_PAIRS = 25 };

typedef struct vg_auto_pair {
    struct {
        vg_operation operation;
        float chance;
        int magnitude; /* 0 to 9 */
    } step[2];
} vg_auto_pair;

/* ImageNet, CIFAR-10, SVHN. */
extern const vg_auto_pair vg_auto_tables[3][VG_AUTO_PAIRS];

#endif
