/* The transforms of Winograd's convolution, written once for vectors of WIDTH floats and compiled for each
 * instruction set (define WIDTH and TARGET, then include). Only additions and multiplications lane by
 * lane, none fused: every set gives the same bits.
 *
 * F(m x m, 3 x 3) by the construction of Toom and Cook: values at the points 0, +-a, (+-b,) infinity.
 * Lavin and Gray ("Fast algorithms for convolutional neural networks", 2016) take a = 1, b = 2 for
 * m = 4; a = 3/4, b = 3/2 is twice as exact (compared as in Barabasz et al., "Error analysis and improving the
 * accuracy of Winograd convolution", 2020) and needs no more operations. For m = 2: a = 1. The powers
 * are exact in float, the divisors sit with the weights. No include guard: included once a file. */

typedef float lanes __attribute__((vector_size(WIDTH * 4)));
typedef int int_lanes __attribute__((vector_size(WIDTH * 4)));
typedef lanes loose_lanes __attribute__((aligned(4), may_alias));

#define BODY static VG_INLINE TARGET
#define UNROLLED _Pragma("GCC unroll 6")

BODY lanes load(const float *p)
{
    return *(const loose_lanes *)p;
}

BODY void store(float *p, lanes v)
{
    *(loose_lanes *)p = v;
}

static const float A = 0.75f, B = 1.5f, A2 = 0.5625f, B2 = 2.25f, A3 = 0.421875f, B3 = 3.375f,
                   A2B2 = 1.265625f, SUM2 = 2.8125f;
static const float F0 = 1 / 1.265625f;                         /* 1 / (a a b b) */
static const float FA = 1 / (2 * 0.5625f * (0.5625f - 2.25f)); /* 1 / (2 a a (a a - b b)) */
static const float FB = 1 / (2 * 2.25f * (2.25f - 0.5625f));   /* 1 / (2 b b (b b - a a)) */

/* n inputs -> n values; `step` lanes apart in both. */
BODY void into_values(const int m, const lanes *d, lanes *v, const size_t step)
{
    lanes d0 = d[0], d1 = d[step], d2 = d[2 * step], d3 = d[3 * step];
    if (m == 2) {
        v[0] = d2 - d0;
        v[step] = d2 + d1;
        v[2 * step] = d2 - d1;
        v[3 * step] = d3 - d1;
        return;
    }
    lanes d4 = d[4 * step], d5 = d[5 * step];
    lanes even = d4 - B2 * d2, odd = A * (d3 - B2 * d1);
    v[0] = A2B2 * d0 - SUM2 * d2 + d4;
    v[step] = even + odd;
    v[2 * step] = even - odd;
    even = d4 - A2 * d2;
    odd = B * (d3 - A2 * d1);
    v[3 * step] = even + odd;
    v[4 * step] = even - odd;
    v[5 * step] = A2B2 * d1 - SUM2 * d3 + d5;
}

/* n values -> m outputs. */
BODY void out_of_values(const int m, const lanes *v, lanes *y, const size_t step)
{
    if (m == 2) {
        y[0] = v[0] + (v[step] + v[2 * step]);
        y[step] = (v[step] - v[2 * step]) + v[3 * step];
        return;
    }
    lanes even_a = v[step] + v[2 * step], odd_a = v[step] - v[2 * step];
    lanes even_b = v[3 * step] + v[4 * step], odd_b = v[3 * step] - v[4 * step];
    y[0] = v[0] + even_a + even_b;
    y[step] = A * odd_a + B * odd_b;
    y[2 * step] = A2 * even_a + B2 * even_b;
    y[3 * step] = A3 * odd_a + B3 * odd_b + v[5 * step];
}

/* The adjoint: m gradients -> n values. */
BODY void gradient_values(const int m, const lanes *y, lanes *v, const size_t step)
{
    if (m == 2) {
        v[0] = y[0];
        v[step] = y[0] + y[step];
        v[2 * step] = y[0] - y[step];
        v[3 * step] = y[step];
        return;
    }
    lanes y0 = y[0], y1 = y[step], y2 = y[2 * step], y3 = y[3 * step];
    lanes even = y0 + A2 * y2, odd = A * y1 + A3 * y3;
    v[0] = y0;
    v[step] = even + odd;
    v[2 * step] = even - odd;
    even = y0 + B2 * y2;
    odd = B * y1 + B3 * y3;
    v[3 * step] = even + odd;
    v[4 * step] = even - odd;
    v[5 * step] = y3;
}

/* 3 weights -> n values. */
BODY void weight_values(const int m, const lanes *g, lanes *v, const size_t step)
{
    lanes g0 = g[0], g1 = g[step], g2 = g[2 * step];
    if (m == 2) {
        lanes even = 0.5f * (g0 + g2), odd = 0.5f * g1;
        v[0] = -g0;
        v[step] = even + odd;
        v[2 * step] = even - odd;
        v[3 * step] = g2;
        return;
    }
    lanes even = FA * (g0 + A2 * g2), odd = FA * (A * g1);
    v[0] = F0 * g0;
    v[step] = even + odd;
    v[2 * step] = even - odd;
    even = FB * (g0 + B2 * g2);
    odd = FB * (B * g1);
    v[3 * step] = even + odd;
    v[4 * step] = even - odd;
    v[5 * step] = g2;
}

/* The adjoint: n values -> 3 gradients of weights. */
BODY void weight_gradients(const int m, const lanes *v, lanes *g, const size_t step)
{
    lanes even_a = v[step] + v[2 * step], odd_a = v[step] - v[2 * step];
    if (m == 2) {
        g[0] = 0.5f * even_a - v[0];
        g[step] = 0.5f * odd_a;
        g[2 * step] = 0.5f * even_a + v[3 * step];
        return;
    }
    lanes even_b = v[3 * step] + v[4 * step], odd_b = v[3 * step] - v[4 * step];
    even_a *= FA;
    odd_a *= FA;
    even_b *= FB;
    odd_b *= FB;
    g[0] = F0 * v[0] + even_a + even_b;
    g[step] = A * odd_a + B * odd_b;
    g[2 * step] = A2 * even_a + B2 * even_b + v[5 * step];
}

typedef void line_transform(const int m, const lanes *from, lanes *to, const size_t step);

/* rows x rows at `from` -> out x out at `to`, columns first, then rows. */
BODY void square(line_transform *line, const int m, const int rows, const int out,
                 const float *from, size_t from_row, size_t from_column, lanes *to)
{
    lanes in[36], half[36];
    UNROLLED for (int i = 0; i < rows; i++)
    {
        UNROLLED for (int j = 0; j < rows; j++) in[i * 6 + j] =
            load(from + (size_t)i * from_row + (size_t)j * from_column);
    }
    UNROLLED for (int j = 0; j < rows; j++) line(m, in + j, half + j, 6);
    UNROLLED for (int i = 0; i < out; i++) line(m, half + (size_t)i * 6, to + (size_t)i * 6, 1);
}

/* rows x rows numbers -> n x n values, `to_value` apart: inputs, gradients or weights. */
BODY void value_body(line_transform *line, const int m, const int rows, const vg_transform *t)
{
    const int n = m + 2;
    for (int i = 0; i < t->count; i++)
        for (int part = 0; part < VG_LANES; part += WIDTH) {
            lanes v[36];
            const float *from = t->from + (size_t)i * t->from_next + part;
            float *to = t->to + (size_t)i * t->to_next + part;
            square(line, m, rows, n, from, t->from_row, t->from_column, v);
            UNROLLED for (int r = 0; r < n; r++)
            {
                UNROLLED for (int s = 0; s < n; s++)
                    store(to + (size_t)(r * n + s) * t->to_value, v[r * 6 + s]);
            }
        }
}

/* Values -> 3 x 3 gradients, `to_value` apart, added or not. */
BODY void weight_gradient_body(const int m, const vg_transform *t)
{
    const int n = m + 2;
    for (int i = 0; i < t->count; i++)
        for (int part = 0; part < VG_LANES; part += WIDTH) {
            lanes g[36];
            const float *from = t->from + (size_t)i * t->from_next + part;
            float *to = t->to + (size_t)i * t->to_next + part;
            square(weight_gradients, m, n, 3, from, (size_t)n * t->from_column, t->from_column, g);
            UNROLLED for (int r = 0; r < 3; r++)
            {
                UNROLLED for (int s = 0; s < 3; s++)
                {
                    float *at = to + (size_t)(r * 3 + s) * t->to_value;
                    store(at, t->add ? load(at) + g[r * 6 + s] : g[r * 6 + s]);
                }
            }
        }
}

/* One row of a tile's outputs, as many as exist. */
BODY void store_outputs(const int m, const vg_transform *t, const lanes *y, int part, int columns,
                        float *to)
{
    lanes bias = load(t->bias + part);
    int real = t->lanes - part < WIDTH ? t->lanes - part : WIDTH;
    UNROLLED for (int s = 0; s < m; s++)
    {
        if (s < columns) {
            lanes v = y[s] + bias;
            float *at = to + (size_t)s * t->to_next;
            if (t->add) {
                lanes old = {0};
                if (real == WIDTH)
                    old = load(at);
                else
                    memcpy(&old, at, (size_t)real * sizeof *at);
                v += old;
            }
            if (t->relu)
                v = (lanes)((int_lanes)v & ~(v < 0)); /* NaN stays */
            if (real == WIDTH)
                store(at, v);
            else
                memcpy(at, &v, (size_t)real * sizeof *at);
        }
    }
}

/* Values -> m x m outputs of a row of tiles; what lies beyond the map is left out. */
BODY void output_body(const int m, const vg_transform *t)
{
    const int n = m + 2;
    for (int i = 0; i < t->count; i++) {
        int columns = t->columns - i * m;
        for (int part = 0; part < t->lanes; part += WIDTH) {
            lanes y[36];
            const float *from = t->from + (size_t)i * t->from_next + part;
            float *to = t->to + (size_t)i * (size_t)m * t->to_next + part;
            square(out_of_values, m, n, m, from, (size_t)n * t->from_column, t->from_column, y);
            UNROLLED for (int r = 0; r < m; r++)
            {
                if (r < t->rows)
                    store_outputs(m, t, y + (size_t)r * 6, part, columns,
                                  to + (size_t)r * t->to_row);
            }
        }
    }
}

#define TRANSFORM(name, body)                                                                      \
    static TARGET void name(const vg_transform *t)                                                 \
    {                                                                                              \
        body;                                                                                      \
    }
TRANSFORM(input_2, value_body(into_values, 2, 4, t))
TRANSFORM(input_4, value_body(into_values, 4, 6, t))
TRANSFORM(gradient_2, value_body(gradient_values, 2, 2, t))
TRANSFORM(gradient_4, value_body(gradient_values, 4, 4, t))
TRANSFORM(weight_2, value_body(weight_values, 2, 3, t))
TRANSFORM(weight_4, value_body(weight_values, 4, 3, t))
TRANSFORM(output_2, output_body(2, t))
TRANSFORM(output_4, output_body(4, t))
TRANSFORM(weight_gradient_2, weight_gradient_body(2, t))
TRANSFORM(weight_gradient_4, weight_gradient_body(4, t))

#define WINOGRAD_NAMES                                                                             \
    {                                                                                              \
        {input_2, output_2, gradient_2, weight_2, weight_gradient_2},                              \
        {                                                                                          \
            input_4, output_4, gradient_4, weight_4, weight_gradient_4                             \
        }                                                                                          \
    }
