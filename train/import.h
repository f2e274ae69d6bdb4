/* Weights from elsewhere into a model: fine-tuning begins here.
 *
 * A safetensors file with PyTorch's layouts whose tensors are called
 *   as here             0.conv.weight, 1.bn.running_mean ... (weights of this program, of the same net)
 *   as torchvision's ResNets    conv1, bn1, layer1.0.conv1, layer2.0.downsample.0 ... fc
 *   as torchvision's VGGs       features.0 ... classifier.0 ...
 *   as an nn.Sequential         0.weight, 1.running_mean ... (a place for each layer in words)
 * with or without "module.", "model.", "backbone.", "net." before them. Which of these it is follows from
 * the file: the one that finds most tensors. F32, F16, BF16 and F64 are taken, "num_batches_tracked" is passed
 * over. */
#ifndef VG_TRAIN_IMPORT_H
#define VG_TRAIN_IMPORT_H

#include "nn/model.h"

enum { VG_IMPORT_LISTED = 6 };

typedef struct vg_import_report {
    const char *names;    /* whose names the file has: "variegate", "torchvision ResNet", ... */
    int taken, wanted;    /* tensors of the model */
    char head[200];       /* why the head was left out; empty: it was taken */
    char missing[400];    /* tensors of the model that are not in the file, the first few by name */
    char unfit[400];      /* those of another shape */
    char unexpected[400]; /* tensors of the file that the model has no place for */
    int missing_count, unfit_count, unexpected_count;
} vg_import_report;

/* Fills the model. A head (the last dense layer) of another shape is left as it is: it was for other classes. Everything
 * else must be there and fit, else VG_E_SHAPE with the names, nothing is taken; with `partial` the rest
 * keeps its initial weights. Tensors of the file that are not needed are no error, but no tensor taken at all is one.
 * report may be NULL. VG_E_IO, VG_E_FORMAT: of the file. */
vg_status vg_import(const char *path, vg_model *model, bool partial, vg_import_report *report,
                    vg_error *err);
/* The name that layer `layer` of the model has in files of that kind, "" where it has none: for tests and for
 * messages. kind: 0 as here, 1 ResNet, 2 VGG, 3 Sequential. */
void vg_import_layer_name(const vg_model *model, int kind, int layer, char *name, size_t capacity);

#endif
