/* Rows of numbers times a matrix that is packed once and used often: the dense layers of an inference, by
 * the kernels of the convolution. Pure functions, no threads. Inputs stand in blocks of 16,
 * [block][row][16]. A result does not depend on how rows or outputs are cut into calls. */
#ifndef VG_NN_KERNELS_ROWS_H
#define VG_NN_KERNELS_ROWS_H

#include "nn/kernels/conv_tile.h"

/* Floats of `rows` rows in blocks; of the packed weights, with the bias. */
size_t vg_rows_blocked(int inputs, size_t rows);
size_t vg_rows_packed(int inputs, int outputs);
/* weight: [outputs][inputs]; bias: [outputs] or NULL. Where the inputs are a map of `pixels`, they stand C H W in
 * the weights and H W C in the rows. */
void vg_rows_pack(int inputs, int outputs, int pixels, const float *weight, const float *bias,
                  float *packed);
/* Rows [first, first + count) of `rows`, from x on, `inputs` floats apart. */
void vg_rows_spread(const vg_tile_set *set, const float *x, int inputs, int rows, int first,
                    int count, float *blocked);
/* Outputs are worked on in so many groups; y[row][outputs] gets those of one, then ReLU if asked. */
int vg_rows_groups(int outputs);
void vg_rows_multiply(const vg_tile_set *set, const float *blocked, int rows, int inputs,
                      int outputs, int group, const float *packed, bool relu, float *y);

#endif
