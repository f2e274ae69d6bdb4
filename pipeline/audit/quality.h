/* Which pictures are unlike the rest of their dataset: dark, light, blurred, empty, of an odd size or shape, grey among
 * coloured ones, framed, huge, of a colour type that readers take differently.
 *
 * Limits are drawn from the dataset itself, so that what is usual there is never odd: none of a set of night shots is dark,
 * none of a set of small signs blurred. Absolute bounds stand beside them, so that the least sharp picture of a sharp
 * dataset is not called blurred: both must be passed. */
#ifndef VG_AUDIT_QUALITY_H
#define VG_AUDIT_QUALITY_H

#include "audit/facts.h"
#include "audit/marks.h"

/* How the limit of one mark was drawn, in the unit of vg_quality_value. */
typedef struct vg_limit {
    bool drawn; /* false: fewer than 20 pictures have a value, or the mark has no limit */
    double low,
        high; /* odd is below the first and above the second; -INFINITY, INFINITY: no such limit */
    double median; /* of the pictures */
    size_t
        common; /* pictures beyond the limit where they are more than a quarter: that is what the dataset is like,
                         and none of them is marked; else 0 */
} vg_limit;

typedef struct vg_quality {
    vg_limit limits[VG_MARKS];
    size_t measured; /* decoded pictures of more than one colour */
} vg_quality;

/* What a mark's limit is about:
 *   dark              luma that 99 % of the pixels do not pass, 0..255
 *   light             luma that 99 % of the pixels reach, 0..255
 *   blurred           width of an edge, pixels (facts.h)
 *   low-information   entropy of the luma, bits
 *   odd-size          square root of the area, pixels
 *   odd-aspect        longer side / shorter side
 *   grey              share of pixels with colour
 *   border            share of the area
 *   huge              pixels
 * NAN: the picture has no such value, or there is no such number for the mark. */
double vg_quality_value(const vg_facts *facts, vg_mark mark);

/* Sets the marks named above and odd-colour; facts[count] and marks of as many. Odd colour types are CMYK and YCCK always;
 * 16 bits, and transparent pixels, where at most a quarter of the pictures has them. Pure function of the facts.
 * VG_E_NOMEM. */
vg_status vg_quality_judge(const vg_facts *facts, size_t count, vg_marks *marks,
                           vg_quality *quality, vg_error *err);

#endif
