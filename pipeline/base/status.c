/* Error messages: formatting only. */
#include "base/status.h"
#undef vg_fail
#undef vg_fail_in

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

vg_status vg_fail(vg_error *err, vg_status code, const char *format, ...)
{
    if (err) {
        va_list args;
        va_start(args, format);
        err->code = code;
        vsnprintf(err->message, sizeof err->message, format, args);
        va_end(args);
    }
    return code;
}

vg_status vg_fail_in(vg_error *err, const char *context, vg_status code)
{
    if (err) {
        char inner[sizeof err->message];
        memcpy(inner, err->message, sizeof inner);
        inner[sizeof inner - 1] = '\0';
        err->code = code;
        snprintf(err->message, sizeof err->message, "%s: %s", context,
                 inner[0] ? inner : vg_status_text(code));
    }
    return code;
}

const char *vg_status_text(vg_status status)
{
    switch (status) {
    case VG_OK:
        return "ok";
    case VG_END:
        return "end";
    case VG_E_ARG:
        return "invalid argument";
    case VG_E_NOMEM:
        return "out of memory";
    case VG_E_IO:
        return "input/output error";
    case VG_E_FORMAT:
        return "malformed content";
    case VG_E_LIMIT:
        return "limit exceeded";
    case VG_E_SHAPE:
        return "shapes do not fit";
    case VG_E_STATE:
        return "wrong state";
    case VG_E_NUMERIC:
        return "value is not finite";
    case VG_E_STOPPED:
        return "stopped";
    }
    return "unknown status";
}
