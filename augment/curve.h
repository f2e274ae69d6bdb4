/* Geometry that no matrix of 2 x 3 holds: perspective and elastic steps of a plan, as one map with all
 * the rest of the plan's geometry. */
#ifndef VG_AUGMENT_CURVE_H
#define VG_AUGMENT_CURVE_H

#include "ops/remap.h"
#include "plan.h"

/* Whether a step of the plan is not affine. */
bool vg_plan_curves(const vg_plan *plan);

/* All of a plan's geometry, output -> flips -> elastic -> perspective -> the affine part -> the
 * picture that `frame` lies in, for an output of width x height: whatever their order among the steps,
 * which for these two is the policy's way of naming them. Fields of several elastic steps are added.
 * The map's fill and inset are left 0. */
void vg_plan_remap(const vg_plan *plan, const vg_frame *frame, int width, int height,
                   vg_remap *remap);

/* Upper bounds of how far the remap's field moves a point, in pixels, in x and y. */
void vg_field_reach(const vg_field *field, double reach[2]);

/* A lower bound of the length that a unit of the output keeps under the strongest draw of such a step
 * (the field's: in all but 0.3 % of directions), for vg_geometry_shrink. */
double vg_curve_least(vg_operation operation, double strongest);

#endif
