/* Read, decode, transform, and the book-keeping about bad files.
 *
 * Which samples are bad must not depend on the crop that an epoch happens to draw, so the first touch of a sample
 * looks for damage in the whole file, and a picture that is damaged but kept is always decoded as a whole: what
 * a damaged file gives may depend on how much of it is asked for. All later touches decode what they need.
 *
 * Clocks are read for every sample only where that costs nothing beside the sample itself. */
#include "load/fetch.h"

#include "base/clock.h"

#include <string.h>

enum { NAME_BYTES = 256, RARELY = 16 /* one in so many tiny samples is timed */ };
static const double TINY_SECONDS = 200e-6;

vg_status vg_fetch_init(vg_fetch *fetch, vg_fetch_plan *plan, vg_error *err)
{
    const vg_transform *transform = &plan->transform;
    *fetch = (vg_fetch){.plan = plan, .every = 1};
    vg_status status = vg_reader_init(&fetch->reader, err);
    if (!status && transform->scratch_new)
        status = transform->scratch_new(transform->context, &fetch->scratch, err);
    return status;
}

void vg_fetch_reset(vg_fetch *fetch)
{
    if (!fetch->plan)
        return;
    const vg_transform *transform = &fetch->plan->transform;
    vg_reader_reset(&fetch->reader);
    vg_image_reset(&fetch->image);
    if (fetch->scratch && transform->scratch_free)
        transform->scratch_free(fetch->scratch);
}

/* The decoder's question: the size is known, nothing is allocated yet. */
static void choose(void *context, vg_region *region)
{
    vg_fetch *f = context;
    const vg_transform *transform = &f->plan->transform;
    int width = region->full_width, height = region->full_height;
    if (!f->giant && (uint64_t)width * (uint64_t)height > VG_GIANT_PIXELS) {
        pthread_mutex_lock(&f->plan->giant);
        f->giant = true;
    }
    if (transform->shrink)
        *region =
            vg_region_whole(width, height, transform->shrink(transform->context, width, height));
    if (!f->whole && transform->region)
        transform->region(transform->context, f->key, region);
}

static vg_status decode(vg_fetch *f, vg_span bytes, bool whole, bool verify, vg_decode_info *info,
                        vg_error *err)
{
    vg_decode_options options = f->plan->decode;
    options.choose = choose;
    options.choose_context = f;
    options.verify = verify;
    f->whole = whole;
    return vg_dataset_decode(f->plan->dataset, f->key->index, bytes, &options, &f->reader,
                             &f->image, info, err);
}

static bool is_part(const vg_region *r)
{
    vg_region all = vg_region_whole(r->full_width, r->full_height, r->shrink);
    return r->width != all.width || r->height != all.height;
}

/* ---- the ledger */

static bool about_the_file(vg_status status)
{
    return status == VG_E_FORMAT || status == VG_E_LIMIT || status == VG_E_IO;
}

static vg_bad_cause cause_of(vg_status status, const vg_decode_info *info)
{
    if (status == VG_E_IO)
        return VG_CAUSE_UNREADABLE;
    if (status == VG_E_LIMIT)
        return VG_CAUSE_LIMIT;
    bool ours = info->format == VG_FORMAT_JPEG || info->format == VG_FORMAT_PNG;
    return ours || info->width > 0 ? VG_CAUSE_DAMAGED : VG_CAUSE_FOREIGN;
}

static vg_status note_skipped(vg_fetch *f, vg_status status, const vg_decode_info *info,
                              vg_error *err)
{
    vg_bad_sample bad = {.index = f->key->index,
                         .kind = VG_BAD_SKIPPED,
                         .cause = cause_of(status, info),
                         .status = status,
                         .offset = info->damaged ? info->damage_offset : UINT64_MAX,
                         .intact = info->damaged ? info->intact : 0};
    if (err)
        snprintf(bad.reason, sizeof bad.reason, "%s", err->message);
    vg_status noted = vg_ledger_note(f->plan->ledger, &bad, err);
    return noted ? noted : status;
}

/* After a first touch that gave a picture: whether it was repaired, is odd, or simply good. */
static vg_status note_kept(vg_fetch *f, const vg_decode_info *info, vg_error *err)
{
    char name[NAME_BYTES];
    const vg_fetch_plan *plan = f->plan;
    vg_dataset_name(plan->dataset, f->key->index, name, sizeof name);
    vg_image_format promised = vg_format_of_name(name);
    bool lies = promised != VG_FORMAT_UNKNOWN && promised != info->format;
    if (!info->damaged && !lies && info->warnings == 0) {
        vg_ledger_set_good(plan->ledger, f->key->index);
        return VG_OK;
    }
    vg_bad_sample bad = {.index = f->key->index,
                         .kind = info->damaged ? VG_BAD_REPAIRED : VG_BAD_SUSPICIOUS,
                         .status = info->damaged ? VG_E_FORMAT : VG_OK,
                         .offset = info->damaged ? info->damage_offset : UINT64_MAX,
                         .intact = info->damaged ? info->intact : 1};
    if (!info->damaged && info->warnings == 0) {
        bad.cause = VG_CAUSE_EXTENSION;
        snprintf(bad.reason, sizeof bad.reason, "%.120s: content is %s, not %s as the name says",
                 name, vg_format_name(info->format), vg_format_name(promised));
    } else {
        bad.cause = info->damaged ? VG_CAUSE_DAMAGED : VG_CAUSE_WARNING;
        snprintf(bad.reason, sizeof bad.reason, "%.120s: %s", name, info->warning);
    }
    return vg_ledger_note(plan->ledger, &bad, err);
}

/* ---- the cache */

typedef enum lookup { MISSING, UNFIT, FOUND } lookup;

/* A cached picture is taken only if decoding would give the same one under this loader's options. Only JPEG can be
 * shrunk by its decoder, so that another picture at full size is right whatever the transform allows. */
static lookup look_up(vg_fetch *f, vg_cached *picture)
{
    const vg_fetch_plan *plan = f->plan;
    if (!plan->cache || !vg_cache_find(plan->cache, f->key->index, &f->reader, picture))
        return MISSING;
    const vg_transform *transform = &plan->transform;
    const vg_region *region = &picture->region;
    int width = region->full_width, height = region->full_height;
    int shrink = transform->shrink ? transform->shrink(transform->context, width, height) : 1;
    if (region->shrink != shrink && (region->shrink != 1 || picture->format == VG_FORMAT_JPEG))
        return UNFIT;
    if ((uint64_t)width * (uint64_t)height > plan->decode.max_pixels)
        return UNFIT;
    if (plan->decode.channels && plan->decode.channels != picture->view.channels)
        return UNFIT;
    if (picture->damaged &&
        !(plan->decode.allow_damaged && picture->intact >= plan->decode.min_intact))
        return UNFIT;
    return FOUND;
}

static vg_status note_cached(vg_fetch *f, const vg_cached *picture, vg_error *err)
{
    vg_decode_info info = {.format = picture->format,
                           .damaged = picture->damaged,
                           .intact = picture->intact,
                           .damage_offset = picture->damage_offset,
                           .warnings = picture->warning[0] != '\0'};
    snprintf(info.warning, sizeof info.warning, "%s", picture->warning);
    return note_kept(f, &info, err);
}

/* ---- one sample */

static bool is_first_touch(const vg_fetch *f, int state)
{
    return !(state & (VG_SAMPLE_GOOD | VG_SAMPLE_REPAIRED)) && !f->plan->stored_decoded;
}

/* Reads and decodes what the key wants into f->image, all of it when `keep` says that the cache will take it. */
static vg_status read_picture(vg_fetch *f, int state, bool keep, bool timed, vg_region *region,
                              vg_error *err)
{
    vg_decode_info info = {0};
    vg_span bytes;
    bool first = is_first_touch(f, state), repaired = (state & VG_SAMPLE_REPAIRED) != 0;
    bool whole = repaired || keep;
    double t0 = timed ? vg_clock() : 0;
    vg_status status = vg_dataset_bytes(f->plan->dataset, f->key->index, &f->reader, &bytes, err);
    double t1 = timed ? vg_clock() : 0;
    if (!status)
        status = decode(f, bytes, whole, first || repaired || keep, &info, err);
    if (!status && info.damaged && is_part(&info.region))
        status = decode(f, bytes, true, true, &info, err);
    if (timed) {
        f->times.read += (t1 - t0) * f->every;
        f->times.decode += (vg_clock() - t1) * f->every;
    }
    if (about_the_file(status) && f->plan->on_error != VG_ON_ERROR_FAIL)
        return note_skipped(f, status, &info, err);
    if (!status && first)
        status = note_kept(f, &info, err);
    if (!status && keep && !is_part(&info.region))
        status = vg_cache_put(f->plan->cache, f->key->index, bytes, &f->image, &info, err);
    f->times.decoded += !status && !f->plan->stored_decoded;
    *region = info.region;
    return status;
}

static vg_status make(vg_fetch *f, int state, bool timed, float *out, bool *skip, vg_error *err)
{
    const vg_transform *transform = &f->plan->transform;
    vg_cached cached;
    vg_region region;
    vg_status status = VG_OK;
    lookup found = look_up(f, &cached);
    if (found == FOUND && is_first_touch(f, state))
        status = note_cached(f, &cached, err);
    if (found == FOUND) {
        f->times.cached++;
    } else {
        bool useful = found == MISSING || cached.replaceable;
        bool keep = f->plan->cache && useful && vg_cache_takes(f->plan->cache);
        status = read_picture(f, state, keep, timed, &region, err);
        *skip = about_the_file(status) && f->plan->on_error != VG_ON_ERROR_FAIL;
        cached.view = vg_image_view(&f->image);
        cached.region = region;
    }
    if (status)
        return status;
    double t0 = timed ? vg_clock() : 0;
    status = transform->run(transform->context, f->scratch, &cached.view, &cached.region, f->key,
                            out, err);
    if (timed)
        f->times.transform += (vg_clock() - t0) * f->every;
    f->times.samples++;
    return status;
}

vg_status vg_fetch_sample(vg_fetch *f, const vg_sample_key *key, float *out, bool *skip,
                          vg_error *err)
{
    *skip = false;
    f->key = key;
    int state = vg_ledger_state(f->plan->ledger, key->index);
    if (state & VG_SAMPLE_BAD) {
        *skip = true;
        return VG_E_FORMAT;
    }
    bool timed = f->turn++ % f->every == 0;
    double t0 = timed ? vg_clock() : 0;
    vg_status status = make(f, state, timed, out, skip, err);
    if (f->giant) {
        vg_image_reset(&f->image);
        pthread_mutex_unlock(&f->plan->giant);
        f->giant = false;
    }
    if (timed) {
        f->cost = vg_clock() - t0;
        f->every = f->cost < TINY_SECONDS ? RARELY : 1;
    }
    return status;
}

void vg_loader_cache_key(const vg_dataset *dataset, const vg_decode_options *decode, char *key,
                         size_t capacity)
{
    char background[VG_BACKGROUND_TEXT];
    vg_background_print(
        decode->background < 0 ? vg_dataset_background(dataset) : decode->background, background);
    snprintf(key, capacity, "channels %d, over %s, EXIF %s, at most %d scans, %s", decode->channels,
             background, decode->apply_exif ? "applied" : "ignored", decode->max_scans,
             vg_decode_versions());
}
