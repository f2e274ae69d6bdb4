/* Fuzz target: any bytes as what the program itself has written: a cache file, the weights of a run. */
#include "fuzz.h"

#include "checkpoint.h"
#include "load/cache_packed.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char path[200], why[200];
    vg_error err = {0};
    vg_packed *packed = NULL;
    fuzz_write("it", data, size, path);
    vg_status status = vg_packed_open(path, "key", &packed, why, &err);
    fuzz_status(status, &err);
    vg_packed_close(packed);
    vg_checkpoint about = {0};
    vg_model *model = NULL;
    status = vg_checkpoint_load(path, 1, &about, &model, &err);
    fuzz_status(status, &err);
    vg_model_free(model);
    vg_checkpoint_reset(&about);
    return 0;
}
