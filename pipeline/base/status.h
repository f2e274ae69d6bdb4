/* How every function of the library says what went wrong.
 *
 * A function that can fail returns a vg_status. Its last argument is an optional, caller-owned
 * vg_error (NULL is allowed). Whoever detects an error writes the message: what happened, in which
 * file, what was found, what was expected, what to do. Whoever calls just passes the status on.
 * The library never prints, exits, aborts on input or reads the environment.
 * Thread-safe: there is no global error state. */
#ifndef VG_BASE_STATUS_H
#define VG_BASE_STATUS_H

typedef enum vg_status {
    VG_OK = 0,
    VG_END,       /* nothing more to come (end of an epoch); not an error */
    VG_E_ARG,     /* an argument or option makes no sense */
    VG_E_NOMEM,   /* memory ran out */
    VG_E_IO,      /* the system refused to read or write */
    VG_E_FORMAT,  /* the content of a file is not what it should be */
    VG_E_LIMIT,   /* a limit (pixels, bytes, share of bad files) would be exceeded */
    VG_E_SHAPE,   /* shapes that do not fit each other */
    VG_E_STATE,   /* called in the wrong order, or with something that was fitted on other data */
    VG_E_NUMERIC, /* a value that is not finite where it must be */
    VG_E_STOPPED  /* the caller asked to stop (a signal, a callback that said so) */
} vg_status;

typedef struct vg_error {
    vg_status code;
    char message[512]; /* one line, UTF-8, no newline at the end; empty if code is VG_OK */
} vg_error;

/* Fills *err (if err is not NULL) from a printf format and returns `code`, so that a function can
 * end with `return vg_fail(err, VG_E_IO, "%s: ...", path);`. A longer message is cut. */
vg_status vg_fail(vg_error *err, vg_status code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Puts "context: " before the message that *err already holds and returns err's code. For callers
 * that know which file or sample the message is about when the detecting function could not. */
vg_status vg_fail_in(vg_error *err, const char *context, vg_status code);

#ifdef __clang_analyzer__
/* The static analyzer sees one file at a time and would not know that these two return `code`. */
#define vg_fail(err, code, ...) ((void)vg_fail(err, code, __VA_ARGS__), (code))
#define vg_fail_in(err, context, code) ((void)vg_fail_in(err, context, code), (code))
#endif

/* The name of a status in a few words ("out of memory"). Static storage, never NULL. */
const char *vg_status_text(vg_status status);

#endif
