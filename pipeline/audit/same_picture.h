/* Do two pictures show the same pixels? The judge of every pair that a search proposes. */
#ifndef VG_AUDIT_SAME_PICTURE_H
#define VG_AUDIT_SAME_PICTURE_H

#include "audit/window.h"

#include <stdbool.h>

typedef struct vg_same {
    bool same;
    vg_window_part window; /* of the first, after fitting */
    double agreeing;       /* share of the area where they agree */
    double telling;      /* share of agreeing blocks among those that are no plain ground in both */
    double structure;    /* share of the structure that lies there */
    double gain, offset; /* second = gain * first + offset, levels */
} vg_same;

/* Holds the window of `a` against all of `b` turned (window.h), both VG_MIDDLE x VG_MIDDLE area
 * averages of luma. Fits the window, brightness and contrast; then they are the same if at least 75 % of
 * the area agrees but for 4 levels (in pictures of little contrast an eighth of their deviation) and a quarter of its own structure, at least 50 % of all
 * structure lies there, and two thirds of what is no plain ground agree. Pure function. */
vg_same vg_same_picture(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn);

/* The same at a glance, on VG_THUMB x VG_THUMB averages: false only if vg_same_picture would hardly say
 * otherwise. */
bool vg_maybe_same(const uint8_t *a, vg_window_part window, const uint8_t *b, int turn);

#endif
