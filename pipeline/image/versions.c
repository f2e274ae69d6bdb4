/* Which libraries turn bytes into pixels. A cache of decoded pictures is worth nothing after one of them changed its
 * mind about a rounding, so this text is part of its key. The number in front is our own: it counts changes of
 * what is done with every picture alike. */
#include "image/decode.h"

#include <png.h>
#include <stdio.h>

#include <jpeglib.h>

#define TEXT_OF(x) #x
#define TEXT(x) TEXT_OF(x)
#define OWN "variegate decode 1"
#ifdef LIBJPEG_TURBO_VERSION
#define JPEG "libjpeg-turbo " TEXT(LIBJPEG_TURBO_VERSION)
#else
#define JPEG "libjpeg " TEXT(JPEG_LIB_VERSION)
#endif

const char *vg_decode_versions(void)
{
    return OWN ", " JPEG ", libpng " PNG_LIBPNG_VER_STRING;
}
