/* The state of reading one JPEG after the other. Internal to jpeg.c and jpeg_events.c. */
#ifndef VG_IMAGE_JPEG_READER_H
#define VG_IMAGE_JPEG_READER_H

#include "image/codec.h"

#include <setjmp.h>
#include <stdio.h> /* jpeglib.h needs it and does not include it */

#include <jpeglib.h>

struct vg_jpeg_reader {
    struct jpeg_decompress_struct c; /* c.client_data points back here */
    struct jpeg_error_mgr errors;
    struct jpeg_source_mgr source;
    struct jpeg_progress_mgr progress;
    void *(*alloc_small)(j_common_ptr c, int pool, size_t size); /* the library's own */
    jmp_buf jump;
    bool created;
    /* from here on: of one file */
    const vg_decode_job *job;
    vg_window window;
    vg_status status;  /* of the failure that jumped */
    bool ended;        /* the library wanted more bytes than there are */
    bool header_read;  /* size and kind are known, the window is chosen */
    bool rows_started; /* output rows are being produced */
    bool partial;      /* less than the whole picture is being decoded */
    bool again;        /* damaged: to be decoded as a whole */
};

/* Makes the library's object (jumps if there is no memory), with all callbacks. */
void vg_jpeg_create(vg_jpeg_reader *r);
/* Leaves read_guarded() with r->status. */
_Noreturn void vg_jpeg_stop(vg_jpeg_reader *r);
/* Byte of the file up to which the library has read. */
size_t vg_jpeg_offset(const vg_jpeg_reader *r);
/* Share of the picture that was there before what is being read now; see vg_decode_info.intact. */
double vg_jpeg_intact(const vg_jpeg_reader *r);

#endif
