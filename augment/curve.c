/* Perspective and elastic steps.
 *
 * A step holds its strength and two numbers that name a stream of its own, so that the step alone says
 * what is done, on any picture. Strengths are relative to the frame: a plan does the same to a
 * thumbnail and to the photograph.
 *
 * Perspective is torchvision's RandomPerspective: each corner of the frame moves inwards by
 * U(0, v / 2) of the width and of the height. Elastic is Simard's: `v` is the root of the mean square
 * of the displacement as a share of the frame's shorter side, along each axis; there are CELLS cells
 * along the shorter side, which is as smooth as noise under a Gaussian of 0.115 of that side (Simard's
 * is 4 of 28 pixels). Where others say alpha and sigma, in pixels of a picture of n pixels:
 * v = alpha / (2 sigma sqrt(3 pi)) / n; Simard's alpha 34 with sigma 4 at 28 is 0.05. torchvision's
 * alpha counts double. */
#include "curve.h"

#include "base/rng.h"

#include <math.h>
#include <string.h>

enum { CELLS = 5 };
/* The root of the mean square of a cubic B-spline surface whose coefficients are U(-1, 1):
 * sqrt(1/3) * 151/315. */
static const double SPLINE_RMS = 0.27676;

bool vg_plan_curves(const vg_plan *plan)
{
    for (int i = 0; i < plan->steps.count; i++) {
        const vg_step *step = &plan->steps.step[i];
        if ((step->operation == VG_OP_PERSPECTIVE || step->operation == VG_OP_ELASTIC) &&
            !vg_step_is_neutral(step))
            return true;
    }
    return false;
}

static vg_rng stream_of(const vg_step *step)
{
    uint64_t seed = (uint64_t)(double)step->v[1] | (uint64_t)(double)step->v[2] << 24;
    return vg_rng_make(seed, 0, 0, VG_RNG_CURVE);
}

/* a = a * b */
static void multiply(double a[9], const double b[9])
{
    double c[9];
    for (size_t i = 0; i < 9; i++) {
        const double *row = a + i / 3 * 3, *column = b + i % 3;
        c[i] = row[0] * column[0] + row[1] * column[3] + row[2] * column[6];
    }
    memcpy(a, c, sizeof c);
}

/* From the unit square to the quadrangle of the corners (0, 0), (1, 0), (1, 1), (0, 1): P. Heckbert,
 * "Fundamentals of texture mapping and image warping", 1989, section 2.2.3. */
static void square_to(const double x[4], const double y[4], double m[9])
{
    double sx = x[0] - x[1] + x[2] - x[3], sy = y[0] - y[1] + y[2] - y[3];
    double dx1 = x[1] - x[2], dx2 = x[3] - x[2], dy1 = y[1] - y[2], dy2 = y[3] - y[2];
    double det = dx1 * dy2 - dx2 * dy1;
    double g = (sx * dy2 - dx2 * sy) / det, h = (dx1 * sy - sx * dy1) / det;
    const double r[9] = {x[1] - x[0] + g * x[1],
                         x[3] - x[0] + h * x[3],
                         x[0],
                         y[1] - y[0] + g * y[1],
                         y[3] - y[0] + h * y[3],
                         y[0],
                         g,
                         h,
                         1};
    memcpy(m, r, sizeof r);
}

static void adjugate(const double m[9], double a[9])
{
    const double r[9] = {
        m[4] * m[8] - m[5] * m[7], m[2] * m[7] - m[1] * m[8], m[1] * m[5] - m[2] * m[4],
        m[5] * m[6] - m[3] * m[8], m[0] * m[8] - m[2] * m[6], m[2] * m[3] - m[0] * m[5],
        m[3] * m[7] - m[4] * m[6], m[1] * m[6] - m[0] * m[7], m[0] * m[4] - m[1] * m[3]};
    memcpy(a, r, sizeof r);
}

/* Multiplies p by the homography that takes the moved corners to those of the frame, about its
 * centre. */
static void perspective(const vg_step *step, double width, double height, double p[9])
{
    vg_rng rng = stream_of(step);
    double v = (double)step->v[0], x[4], y[4], m[9], back[9];
    for (int i = 0; i < 4; i++) {
        double in_x = vg_rng_double(&rng) * v / 2, in_y = vg_rng_double(&rng) * v / 2;
        x[i] = i == 1 || i == 2 ? 0.5 - in_x : in_x - 0.5; /* of the width and height */
        y[i] = i >= 2 ? 0.5 - in_y : in_y - 0.5;
    }
    square_to(x, y, m);
    adjugate(m, back);
    const double shares[9] = {1 / width, 0, 0, 0, 1 / height, 0, 0, 0, 1};
    const double frame[9] = {width, 0, -width / 2, 0, height, -height / 2, 0, 0, 1};
    multiply(p, frame);
    multiply(p, back);
    multiply(p, shares);
    for (int i = 0; i < 9; i++) /* the centre of the output is at a distance of 1 */
        m[i] = p[i] / p[8];
    memcpy(p, m, sizeof m);
}

/* Adds one step's coefficients. */
static void elastic(const vg_step *step, double amplitude, vg_field *field)
{
    vg_rng rng = stream_of(step);
    for (int j = 0; j < field->rows + 3; j++)
        for (int i = 0; i < field->columns + 3; i++) {
            field->x[j][i] += (float)(amplitude * (2 * vg_rng_double(&rng) - 1));
            field->y[j][i] += (float)(amplitude * (2 * vg_rng_double(&rng) - 1));
        }
}

static void open_field(double width, double height, vg_field *field)
{
    double shorter = fmin(width, height), longer = fmax(width, height);
    field->cell = fmax(shorter / CELLS, longer / VG_FIELD_CELLS);
    field->columns = (int)fmin(fmax(ceil(width / field->cell - 1e-9), 1), VG_FIELD_CELLS);
    field->rows = (int)fmin(fmax(ceil(height / field->cell - 1e-9), 1), VG_FIELD_CELLS);
}

void vg_plan_remap(const vg_plan *plan, const vg_frame *frame, int width, int height,
                   vg_remap *remap)
{
    double m[6];
    *remap = (vg_remap){.width = width, .height = height, .interpolation = plan->interpolation};
    vg_plan_split(plan, frame, width, height, remap->from, m);
    double *p = remap->p;
    memcpy(p, m, sizeof m);
    p[8] = 1;
    for (int i = 0; i < plan->steps.count; i++) {
        const vg_step *step = &plan->steps.step[i];
        if (vg_step_is_neutral(step))
            continue;
        if (step->operation == VG_OP_PERSPECTIVE)
            perspective(step, frame->width, frame->height, p);
        if (step->operation == VG_OP_ELASTIC) {
            if (!remap->field.columns)
                open_field(frame->width, frame->height, &remap->field);
            double side = fmin(frame->width, frame->height);
            elastic(step, (double)step->v[0] * side / SPLINE_RMS, &remap->field);
        }
    }
}

void vg_field_reach(const vg_field *field, double reach[2])
{
    reach[0] = reach[1] = 0;
    for (int j = 0; field->columns && j < field->rows + 3; j++)
        for (int i = 0; i < field->columns + 3; i++) {
            reach[0] = fmax(reach[0], fabs((double)field->x[j][i]));
            reach[1] = fmax(reach[1], fabs((double)field->y[j][i]));
        }
}

double vg_curve_least(vg_operation operation, double strongest)
{
    if (operation == VG_OP_PERSPECTIVE)
        return 0.86 * (1 - strongest) * (1 - strongest); /* the least of 24,000 drawn quadrangles */
    /* A derivative of the field has a root mean square of 1.22 in units of v shorter sides by cell. */
    return operation == VG_OP_ELASTIC ? fmax(0.25, 1 - 3 * 1.22 * CELLS * strongest) : 1;
}
