/* Fuzz target: any bytes as a dataset: a tar or zip archive, a manifest, an IDX or CIFAR file. What is
 * taken is read through. */
#include "fuzz.h"

#include "dataset/dataset.h"

#include <sys/stat.h>

/* A folder of two files, if that is what the bytes may be; else one file named after its kind. */
static void put(const uint8_t *data, size_t size, char path[200])
{
    char other[200], name[60];
    static const uint8_t labels[12] = {0, 0, 8, 1, 0, 0, 0, 4, 0, 1, 0, 1};
    uint32_t kind = fuzz_number(data, size < 16 ? size : 16, 0) % 3;
    if (size >= 4 && data[0] == 0 && data[1] == 0) {
        snprintf(path, 200, "%s/idx", fuzz_folder());
        mkdir(path, 0700);
        fuzz_write("idx/train-images-idx3-ubyte", data, size, other);
        fuzz_write("idx/train-labels-idx1-ubyte", labels, sizeof labels, other);
    } else if (size >= 3073 && size % 3073 == 0) {
        snprintf(path, 200, "%s/cifar", fuzz_folder());
        mkdir(path, 0700);
        fuzz_write("cifar/data_batch_1.bin", data, size, other);
    } else {
        bool zip = size >= 2 && memcmp(data, "PK", 2) == 0;
        bool tar = size >= 512 && memcmp(data + 257, "ustar", 5) == 0;
        snprintf(name, sizeof name, "it.%s",
                 zip   ? "zip"
                 : tar ? "tar"
                       : (const char *[]){"csv", "tsv", "jsonl"}[kind]);
        fuzz_write(name, data, size, path);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    enum { READ = 20 };
    char path[200], name[300];
    vg_error err = {0};
    vg_dataset *dataset;
    vg_reader reader = {0};
    vg_image image = {0};
    put(data, size, path);
    vg_dataset_options options = vg_dataset_options_default();
    options.threads = 1;
    vg_status status = vg_dataset_open(path, &options, &dataset, &err);
    fuzz_status(status, &err);
    if (status != VG_OK)
        return 0;
    fuzz_check(vg_reader_init(&reader, &err) == VG_OK, "no reader");
    vg_decode_options decode = vg_decode_options_default();
    decode.max_pixels = 1 << 20;
    size_t count = vg_dataset_count(dataset);
    fuzz_check(count > 0 && vg_dataset_classes(dataset) > 0, "an empty dataset was opened");
    for (size_t i = 0; i < count; i++) {
        int label = vg_dataset_label(dataset, i);
        fuzz_check(label >= 0 && label < vg_dataset_classes(dataset), "a label without a class");
        vg_dataset_name(dataset, i, name, sizeof name);
        if (i < READ)
            fuzz_status(vg_dataset_read(dataset, i, &decode, &reader, &image, NULL, &err), &err);
    }
    vg_reader_reset(&reader);
    vg_image_reset(&image);
    vg_dataset_close(dataset);
    return 0;
}
