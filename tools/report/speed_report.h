/* What --explain-speed tells: as text and JSON, out of the same facts. docs/speed.md explains it. */
#ifndef VG_REPORT_SPEED_REPORT_H
#define VG_REPORT_SPEED_REPORT_H

#include "job.h"
#include "speed.h"

#include <jansson.h>
#include <stdio.h>

/* One sentence: what limits, in numbers, and what would help. */
void vg_speed_words(const vg_speed *speed, const vg_job *job, char *text, size_t capacity);
/* For people; fits `width` columns from 80 on. */
void vg_speed_text(const vg_speed *speed, const vg_job *job, FILE *out, int width, bool colour);
/* A new object; NULL when memory ran out. */
json_t *vg_speed_json(const vg_speed *speed, const vg_job *job);

#endif
