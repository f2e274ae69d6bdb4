/* Seconds of a clock that only goes forward, for measuring how long something takes. */
#ifndef VG_BASE_CLOCK_H
#define VG_BASE_CLOCK_H

/* Any thread. The difference of two calls means something, a call by itself does not. */
double vg_clock(void);

#endif
