/* Progress on stderr: one line that rewrites itself on a terminal, a line a minute in a log, a JSON
 * object every few seconds for programs. */
#ifndef VG_TOOLS_PROGRESS_H
#define VG_TOOLS_PROGRESS_H

#include <stdbool.h>
#include <stdio.h>

typedef struct vg_progress {
    FILE *out;
    bool quiet;
    bool json;     /* lines are objects, never rewritten or cut */
    bool terminal; /* rewrite one line; else lines of their own */
    int width;     /* columns of the terminal */
    double every;  /* seconds between two lines: 0.1 on a terminal, 60 in a log, 5 in JSON */
    double last;   /* when the last one was shown */
    bool shown;    /* a line stands on the terminal that must be cleared before other output */
} vg_progress;

/* On stderr; nothing is shown when `quiet`. */
vg_progress vg_progress_start(bool quiet, bool json);
/* Whether it is time for another line: call it before preparing one, it costs one clock reading. */
bool vg_progress_due(const vg_progress *progress);
/* Shows a line now. On a terminal it is cut at its width. */
void vg_progress_show(vg_progress *progress, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
/* Takes the line away: call it before anything else is written to the terminal, and at the end. */
void vg_progress_clear(vg_progress *progress);

/* "0:07", "6:40", "1:02:03". Returns `text`. */
char *vg_progress_time(char text[24], double seconds);

#endif
