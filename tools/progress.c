/* Progress. A line that rewrites itself is for eyes, and useless in a log file; there, one line a
 * minute says that the program lives. Lines end where the terminal ends: a line that wraps cannot
 * be taken back. */
#include "progress.h"

#include "base/clock.h"
#include "cli.h"

#include <math.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

vg_progress vg_progress_start(bool quiet, bool json)
{
    const char *name = getenv("TERM"); /* a dumb terminal cannot take a line back */
    bool terminal = !json && isatty(fileno(stderr)) == 1 && name && strcmp(name, "dumb") != 0;
    return (vg_progress){.out = stderr,
                         .quiet = quiet,
                         .json = json,
                         .terminal = terminal,
                         .width = vg_cli_width(stderr, 80),
                         .every = terminal ? 0.1
                                  : json   ? 5
                                           : 60,
                         .last = terminal ? -1e9 : vg_clock()};
}

bool vg_progress_due(const vg_progress *progress)
{
    return !progress->quiet && vg_clock() - progress->last >= progress->every;
}

void vg_progress_show(vg_progress *progress, const char *format, ...)
{
    if (progress->quiet)
        return;
    char text[2048];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    progress->last = vg_clock();
    if (!progress->terminal) {
        fprintf(progress->out, "%s\n", text);
        return;
    }
    fputc('\r', progress->out);
    vg_cli_pad(progress->out, text, progress->width - 1);
    fputc('\r', progress->out); /* so that a message that comes unannounced begins the line */
    fflush(progress->out);
    progress->shown = true;
}

void vg_progress_clear(vg_progress *progress)
{
    if (!progress->shown)
        return;
    fputs("\r\033[K", progress->out);
    fflush(progress->out);
    progress->shown = false;
}

char *vg_progress_time(char text[24], double seconds)
{
    long s = isfinite(seconds) && seconds > 0 && seconds < 1e9 ? lround(seconds) : 0;
    if (s < 3600)
        snprintf(text, 24, "%ld:%02ld", s / 60, s % 60);
    else
        snprintf(text, 24, "%ld:%02ld:%02ld", s / 3600, s / 60 % 60, s % 60);
    return text;
}
