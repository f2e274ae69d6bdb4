/* Bytes as text (RFC 4648 base64), for pictures in pages and terminals. */
#ifndef VG_TOOLS_BASE64_H
#define VG_TOOLS_BASE64_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

/* Writes `size` bytes as base64 with padding, without line breaks. */
void vg_base64_write(FILE *out, const uint8_t *data, size_t size);

#endif
