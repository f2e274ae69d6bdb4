/* Who uses the processors: whether a measured time is worth anything. */
#ifndef VG_BASE_USAGE_H
#define VG_BASE_USAGE_H

typedef struct vg_usage {
    double wall; /* seconds of a clock that only goes forward */
    double busy; /* of all CPUs together, by everybody; 0 where the system does not tell */
    double own;  /* of this process, all its threads */
} vg_usage;

/* Now. Any thread. */
vg_usage vg_usage_now(void);
/* Share of all CPUs, 0..1, that other processes used since `before`; 0 where the system does not tell. */
double vg_usage_others_since(const vg_usage *before);

#endif
