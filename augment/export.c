/* Writing an augmented dataset.
 *
 * One item of work is one sample: it is decoded once and all of its variants are written. A journal
 * (manifest.part) gets the finished sample's lines in one write; whoever continues a cut off export
 * reads it and skips those samples. At the end its lines are sorted, which makes the manifest the
 * same for any order of work. */
#include "export.h"

#include "base/alloc.h"
#include "base/file.h"
#include "base/rng.h"
#include "base/threads.h"
#include "image/encode.h"

#include <dirent.h>
#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { NAME = 1200, LINE = 4096, STEM = 60 };

typedef struct seat {
    vg_reader reader;
    void *scratch;
    vg_image decoded, view;
    vg_bytes file, lines;
    bool ready;
} seat;

typedef struct job {
    const vg_dataset *dataset;
    const vg_augment *augment;
    const vg_export_options *options;
    vg_export_summary *summary;
    vg_transform transform;
    char **folders;    /* [classes] what a class is called on disk */
    uint64_t *totals;  /* [classes] training pictures to write */
    uint64_t *samples; /* [classes] training samples */
    uint64_t *rank;    /* [count] place of a training sample within its class */
    bool *done;        /* [count] finished by an earlier call */
    seat *seats;
    int threads;
    pthread_mutex_t lock; /* of what follows */
    FILE *journal;
    uint64_t finished;
    size_t first_problem;
    vg_status status; /* of the first failure that ends the export */
    vg_error error;
} job;

vg_export_options vg_export_options_default(void)
{
    return (vg_export_options){
        .copies = 1, .originals = true, .format = VG_FORMAT_JPEG, .quality = 95, .seed = 1};
}

/* ---- how many */

static uint64_t each(const vg_export_options *o)
{
    return (uint64_t)o->copies + o->originals;
}

uint64_t vg_export_count(const vg_dataset *dataset, const vg_export_options *options, int label)
{
    int classes = vg_dataset_classes(dataset);
    size_t *counts = vg_alloc((size_t)classes, sizeof *counts), most = 0, own = 0;
    if (!counts)
        return 0;
    vg_dataset_counts(dataset, VG_SPLIT_TRAIN, counts);
    for (int k = 0; k < classes; k++)
        most = counts[k] > most ? counts[k] : most;
    own = counts[label];
    free(counts);
    return own == 0 ? 0 : (options->balance ? most : own) * each(options);
}

/* Pictures to write of a training sample: its share of its class, the rest to some of them. */
static uint64_t variants_of(const job *j, size_t index)
{
    if (vg_dataset_split(j->dataset, index) != VG_SPLIT_TRAIN)
        return 1;
    int label = vg_dataset_label(j->dataset, index);
    uint64_t n = j->samples[label], total = j->totals[label];
    uint64_t place = vg_permute(vg_mix(j->options->seed, (uint64_t)label), n, j->rank[index]);
    return total / n + (place < total % n);
}

static vg_status count_all(job *j, vg_error *err)
{
    size_t count = vg_dataset_count(j->dataset), classes = (size_t)vg_dataset_classes(j->dataset);
    j->totals = vg_calloc(classes, sizeof *j->totals);
    j->samples = vg_calloc(classes, sizeof *j->samples);
    j->rank = vg_calloc(count, sizeof *j->rank);
    j->done = vg_calloc(count, sizeof *j->done);
    if (!j->totals || !j->samples || !j->rank || !j->done)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples", count);
    for (size_t i = 0; i < count; i++)
        if (vg_dataset_split(j->dataset, i) == VG_SPLIT_TRAIN)
            j->rank[i] = j->samples[vg_dataset_label(j->dataset, i)]++;
    for (size_t k = 0; k < classes; k++)
        j->totals[k] = vg_export_count(j->dataset, j->options, (int)k);
    return VG_OK;
}

/* ---- names */

/* A class name as the name of a folder: what a path or a shell would trip over becomes '_'. */
static char *folder_name(const char *class_name)
{
    char *name = vg_strdup(*class_name ? class_name : "_");
    for (char *c = name; c && *c; c++)
        if (*c == '/' || *c == '\\' || (unsigned char)*c < 32 || *c == 127)
            *c = '_';
    if (name && name[0] == '.') /* hidden, or a way out */
        name[0] = '_';
    return name;
}

typedef struct named {
    const char *folder;
    size_t class;
} named;

static int by_folder(const void *a, const void *b)
{
    return strcmp(((const named *)a)->folder, ((const named *)b)->folder);
}

/* Two classes in one folder could not be told apart any more. */
static vg_status check_folders(const job *j, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(j->dataset);
    named *list = vg_alloc(classes, sizeof *list);
    if (!list)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++)
        list[k] = (named){j->folders[k], k};
    qsort(list, classes, sizeof *list, by_folder);
    vg_status status = VG_OK;
    for (size_t k = 1; k < classes && !status; k++)
        if (strcmp(list[k].folder, list[k - 1].folder) == 0)
            status = vg_fail(err, VG_E_ARG,
                             "classes \"%s\" and \"%s\" would share the folder \"%s\"; rename one",
                             vg_dataset_class_name(j->dataset, (int)list[k - 1].class),
                             vg_dataset_class_name(j->dataset, (int)list[k].class), list[k].folder);
    free(list);
    return status;
}

static vg_status name_folders(job *j, vg_error *err)
{
    size_t classes = (size_t)vg_dataset_classes(j->dataset);
    j->folders = vg_calloc(classes, sizeof *j->folders);
    if (!j->folders)
        return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    for (size_t k = 0; k < classes; k++) {
        j->folders[k] = folder_name(vg_dataset_class_name(j->dataset, (int)k));
        if (!j->folders[k])
            return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
    }
    return check_folders(j, err);
}

/* The end of a source's name without its extension, in letters that every system takes. */
static void stem_of(const char *source, char stem[STEM])
{
    const char *base = vg_path_base(source), *dot = strrchr(base, '.');
    size_t length = dot && dot != base ? (size_t)(dot - base) : strlen(base), used = 0;
    for (size_t i = length > STEM - 1 ? length - (STEM - 1) : 0; i < length; i++) {
        unsigned char c = (unsigned char)base[i];
        bool plain = (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') ||
                     c == '-' || c == '_' || c == '.';
        stem[used++] = plain ? (char)c : '_';
    }
    stem[used] = '\0';
}

static const char *extension(const vg_export_options *o)
{
    return o->format == VG_FORMAT_PNG ? "png" : "jpg";
}

/* Below the export's folder. */
static void path_of(const job *j, size_t index, uint64_t variant, char path[NAME])
{
    char source[NAME], stem[STEM];
    vg_dataset_name(j->dataset, index, source, sizeof source);
    stem_of(source, stem);
    snprintf(path, NAME, "%s/%s/%07zu_%02llu_%s.%s",
             vg_split_name(vg_dataset_split(j->dataset, index)),
             j->folders[vg_dataset_label(j->dataset, index)], index, (unsigned long long)variant,
             stem, extension(j->options));
}

/* ---- the manifest */

static vg_status append(vg_bytes *to, const char *text, size_t size, vg_error *err)
{
    vg_status status = vg_bytes_reserve(to, to->size + size, err);
    if (!status) {
        memcpy(to->data + to->size, text, size);
        to->size += size;
    }
    return status;
}

/* As RFC 4180 wants it. */
static vg_status append_field(vg_bytes *to, const char *text, char end, vg_error *err)
{
    bool quoted = strpbrk(text, ",\"\r\n") != NULL;
    vg_status status = quoted ? append(to, "\"", 1, err) : VG_OK;
    for (; *text && !status; text++)
        status = *text == '"' ? append(to, "\"\"", 2, err) : append(to, text, 1, err);
    if (!status && quoted)
        status = append(to, "\"", 1, err);
    return status ? status : append(to, &end, 1, err);
}

static vg_status append_line(const job *j, size_t index, const char *path, const char *plan,
                             vg_bytes *lines, vg_error *err)
{
    char source[NAME];
    vg_dataset_name(j->dataset, index, source, sizeof source);
    int label = vg_dataset_label(j->dataset, index);
    vg_status status = append_field(lines, path, ',', err);
    if (!status)
        status = append_field(lines, vg_dataset_class_name(j->dataset, label), ',', err);
    if (!status)
        status = append_field(lines, vg_split_name(vg_dataset_split(j->dataset, index)), ',', err);
    if (!status)
        status = append_field(lines, source, ',', err);
    return status ? status : append_field(lines, plan, '\n', err);
}

/* ---- one sample */

static void stop(job *j, vg_status status, const vg_error *why)
{
    pthread_mutex_lock(&j->lock);
    if (!j->status) {
        j->status = status;
        j->error = *why;
    }
    pthread_mutex_unlock(&j->lock);
}

static void note_unreadable(job *j, size_t index, const vg_error *why)
{
    pthread_mutex_lock(&j->lock);
    j->summary->unreadable++;
    if (index < j->first_problem) {
        j->first_problem = index;
        snprintf(j->summary->first_problem, sizeof j->summary->first_problem, "%s", why->message);
    }
    pthread_mutex_unlock(&j->lock);
}

static vg_status write_picture(const job *j, seat *s, const char *path, vg_error *err)
{
    const vg_export_options *o = j->options;
    vg_status status = o->format == VG_FORMAT_PNG
                           ? vg_png_encode(&s->view, 6, &s->file, err)
                           : vg_jpeg_encode(&s->view, o->quality, &s->file, err);
    char *full = status ? NULL : vg_path_join(o->folder, path);
    if (!status && !full)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    if (!status)
        status = vg_file_write(full, s->file.data, s->file.size, err);
    free(full);
    return status;
}

static vg_status write_variant(const job *j, seat *s, size_t index, uint64_t variant, vg_error *err)
{
    const vg_augment *a = j->augment;
    char path[NAME], text[VG_PLAN_TEXT] = "original";
    vg_sample_key key = {j->options->seed, (uint32_t)variant, index, index,
                         vg_dataset_label(j->dataset, index)};
    vg_plan plan = vg_plan_none();
    if (variant > 0) {
        plan = vg_plan_draw(&a->policy, &key, a->width, a->height, s->decoded.width,
                            s->decoded.height);
        vg_plan_print(&plan, text, sizeof text);
    }
    path_of(j, index, variant, path);
    vg_status status =
        vg_augment_apply(a, variant ? &plan : NULL, s->scratch, &s->decoded, &s->view, err);
    if (!status)
        status = write_picture(j, s, path, err);
    return status ? status : append_line(j, index, path, text, &s->lines, err);
}

static vg_status make_ready(const job *j, seat *s, vg_error *err)
{
    if (s->ready)
        return VG_OK;
    vg_status status = vg_reader_init(&s->reader, err);
    if (!status)
        status = j->transform.scratch_new(j->transform.context, &s->scratch, err);
    s->ready = !status;
    return status;
}

static vg_status write_sample(job *j, seat *s, size_t index, vg_error *err)
{
    uint64_t first = 0, count = variants_of(j, index);
    if (vg_dataset_split(j->dataset, index) == VG_SPLIT_TRAIN && !j->options->originals)
        first = 1;
    vg_decode_options decode = vg_decode_options_default();
    vg_status status =
        vg_dataset_read(j->dataset, index, &decode, &s->reader, &s->decoded, NULL, err);
    if (status == VG_E_FORMAT || status == VG_E_LIMIT || status == VG_E_IO) {
        note_unreadable(j, index, err);
        return VG_OK;
    }
    s->lines.size = 0;
    for (uint64_t v = first; v < first + count && !status; v++)
        status = write_variant(j, s, index, v, err);
    if (status)
        return status;
    pthread_mutex_lock(&j->lock);
    if (fwrite(s->lines.data, 1, s->lines.size, j->journal) != s->lines.size ||
        fflush(j->journal) != 0)
        status = vg_fail(err, VG_E_IO, "%s/manifest.part: %s", j->options->folder, strerror(errno));
    else
        j->summary->written += count;
    pthread_mutex_unlock(&j->lock);
    return status;
}

static void work(void *context, int thread, size_t index)
{
    job *j = context;
    seat *s = &j->seats[thread];
    vg_error err = {0};
    pthread_mutex_lock(&j->lock);
    bool stopped = j->status != VG_OK;
    uint64_t finished = ++j->finished;
    pthread_mutex_unlock(&j->lock);
    if (stopped)
        return;
    if (!j->done[index]) {
        vg_status status = make_ready(j, s, &err);
        if (!status)
            status = write_sample(j, s, index, &err);
        if (status)
            stop(j, status, &err);
    }
    if (j->options->progress)
        j->options->progress(j->options->context, finished, vg_dataset_count(j->dataset));
}

/* ---- the folder */

/* What decides the files: two exports with the same text are the same. */
static void describe(const job *j, const char *state, char *text, size_t capacity)
{
    char policy[VG_POLICY_TEXT], framing[40];
    const vg_export_options *o = j->options;
    const vg_augment *a = j->augment;
    vg_policy_print(&a->policy, policy, sizeof policy);
    vg_framing_print(&a->framing, framing, sizeof framing);
    uint64_t names = 0;
    for (size_t i = 0; i < vg_dataset_count(j->dataset); i++) {
        char name[NAME];
        size_t length = vg_dataset_name(j->dataset, i, name, sizeof name);
        length = length < sizeof name ? length : sizeof name - 1;
        names = vg_hash(name, length, names ^ (uint64_t)vg_dataset_label(j->dataset, i));
    }
    snprintf(text, capacity,
             "state: %s\ndataset: %s\nsamples: %zu %016llx\npolicy: %s\ninput: %d x %d x %d, %s\n"
             "copies: %d\noriginals: %s\nbalance: %s\nformat: %s %d\nseed: %llu\n",
             state, vg_dataset_path(j->dataset), vg_dataset_count(j->dataset),
             (unsigned long long)names, policy, a->height, a->width, a->channels, framing,
             o->copies, o->originals ? "yes" : "no", o->balance ? "yes" : "no", extension(o),
             o->format == VG_FORMAT_PNG ? 0 : o->quality, (unsigned long long)o->seed);
}

enum { DESCRIPTION = VG_POLICY_TEXT + 2048 };

static vg_status write_state(const job *j, const char *state, vg_error *err)
{
    char text[DESCRIPTION], *path = vg_path_join(j->options->folder, "export.txt");
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    describe(j, state, text, sizeof text);
    vg_status status = vg_file_write(path, text, strlen(text), err);
    free(path);
    return status;
}

static bool is_empty(const char *folder)
{
    DIR *dir = opendir(folder);
    bool empty = true;
    if (!dir)
        return false;
    for (struct dirent *e; empty && (e = readdir(dir));)
        empty = strcmp(e->d_name, ".") == 0 || strcmp(e->d_name, "..") == 0;
    closedir(dir);
    return empty;
}

/* VG_OK: a new folder (*resume false) or a cut off export of the same (true). */
static vg_status claim_folder(const job *j, bool *resume, vg_error *err)
{
    const char *folder = j->options->folder;
    *resume = false;
    if (vg_path_exists(folder) && !vg_path_is_folder(folder))
        return vg_fail(err, VG_E_STATE, "%s: is not a folder; name a new one", folder);
    if (!vg_path_exists(folder) || is_empty(folder))
        return VG_OK;
    char *path = vg_path_join(folder, "export.txt");
    char part[DESCRIPTION], complete[DESCRIPTION];
    vg_bytes old = {0};
    if (!path)
        return vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    describe(j, "unfinished", part, sizeof part);
    describe(j, "complete", complete, sizeof complete);
    vg_status status = vg_file_read(path, 2L * DESCRIPTION, &old, NULL);
    if (status)
        status =
            vg_fail(err, VG_E_STATE,
                    "%s: holds files already and no export to continue; name a new folder", folder);
    else if (old.size == strlen(complete) && memcmp(old.data, complete, old.size) == 0)
        status = vg_fail(err, VG_E_STATE, "%s: holds this export already, complete", folder);
    else if (old.size != strlen(part) || memcmp(old.data, part, old.size) != 0)
        status =
            vg_fail(err, VG_E_STATE,
                    "%s: holds an export of other data or settings (see %s); name a new folder",
                    folder, path);
    else
        *resume = true;
    vg_bytes_reset(&old);
    free(path);
    return status;
}

static vg_status make_folders(const job *j, vg_error *err)
{
    vg_status status = VG_OK;
    for (int split = 0; split < VG_SPLIT_COUNT && !status; split++) {
        size_t classes = (size_t)vg_dataset_classes(j->dataset);
        size_t *counts = vg_alloc(classes, sizeof *counts);
        if (!counts)
            return vg_fail(err, VG_E_NOMEM, "out of memory for %zu classes", classes);
        vg_dataset_counts(j->dataset, (vg_split)split, counts);
        for (size_t k = 0; k < classes && !status; k++) {
            char path[NAME];
            if (!counts[k])
                continue;
            int length = snprintf(path, sizeof path, "%s/%s/%s", j->options->folder,
                                  vg_split_name((vg_split)split), j->folders[k]);
            status = length < NAME ? vg_make_folders(path, err)
                                   : vg_fail(err, VG_E_LIMIT, "%.200s...: too long a path", path);
        }
        free(counts);
    }
    return status;
}

/* Marks the samples whose lines stand in the journal; a last line without an end was cut off. */
static vg_status read_journal(job *j, const char *path, vg_error *err)
{
    vg_bytes old = {0};
    if (!vg_path_exists(path))
        return VG_OK;
    vg_status status = vg_file_read(path, 0, &old, err);
    size_t kept = 0, count = vg_dataset_count(j->dataset);
    uint64_t *lines = vg_calloc(count, sizeof *lines);
    if (!status && !lines)
        status = vg_fail(err, VG_E_NOMEM, "out of memory for %zu samples", count);
    for (size_t at = 0; !status && at < old.size;) {
        const uint8_t *end = memchr(old.data + at, '\n', old.size - at);
        if (!end)
            break;
        const char *line = (const char *)old.data + at, *slash = line;
        /* split/CLASS/0000123_...: the number behind the second slash */
        for (int k = 0; k < 2 && slash; k++) {
            slash = memchr(slash, '/', (size_t)((const char *)end - slash));
            slash = slash ? slash + 1 : NULL;
        }
        size_t index = slash ? strtoul(slash, NULL, 10) : count;
        if (index < count)
            lines[index]++;
        at = (size_t)(end - old.data) + 1;
        kept = at;
    }
    for (size_t i = 0; !status && i < count; i++)
        if (lines[i] && lines[i] == variants_of(j, i)) {
            j->done[i] = true;
            j->summary->found += lines[i];
        }
    if (!status && kept < old.size && truncate(path, (off_t)kept) != 0)
        status = vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    free(lines);
    vg_bytes_reset(&old);
    return status;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The journal's lines, each once and sorted, under their heading. */
static vg_status finish_manifest(const job *j, const char *part, vg_error *err)
{
    vg_bytes all = {0};
    vg_atomic_file file;
    char **lines = NULL;
    size_t count = 0, used = 0;
    char *path = vg_path_join(j->options->folder, "manifest.csv");
    vg_status status = path ? vg_file_read(part, 0, &all, err)
                            : vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    for (size_t i = 0; !status && i < all.size; i++)
        count += all.data[i] == '\n';
    if (!status && !(lines = vg_alloc(count, sizeof *lines)))
        status = vg_fail(err, VG_E_NOMEM, "out of memory for the manifest");
    for (size_t at = 0; !status && used < count;) {
        char *end = memchr(all.data + at, '\n', all.size - at);
        lines[used++] = (char *)all.data + at;
        *end = '\0';
        at = (size_t)(end - (char *)all.data) + 1;
    }
    if (!status)
        status = vg_atomic_open(path, &file, err);
    if (!status) {
        qsort(lines, used, sizeof *lines, by_text);
        fputs("path,label,split,source,plan\n", file.stream);
        for (size_t i = 0; i < used; i++)
            if (i == 0 || strcmp(lines[i], lines[i - 1]) != 0)
                fprintf(file.stream, "%s\n", lines[i]);
        status = vg_atomic_commit(&file, err);
    }
    free(lines);
    free(path);
    vg_bytes_reset(&all);
    return status;
}

/* ---- all of it */

static vg_status run(job *j, vg_error *err)
{
    bool resume;
    char *part = vg_path_join(j->options->folder, "manifest.part");
    vg_status status =
        part ? claim_folder(j, &resume, err) : vg_fail(err, VG_E_NOMEM, "out of memory for a path");
    if (!status)
        status = make_folders(j, err);
    if (!status)
        status = write_state(j, "unfinished", err);
    if (!status && resume)
        status = read_journal(j, part, err);
    if (!status && !(j->journal = fopen(part, "a")))
        status = vg_fail(err, VG_E_IO, "%s: %s", part, strerror(errno));
    if (!status) {
        vg_parallel_for(j->threads, vg_dataset_count(j->dataset), work, j);
        status = j->status;
        if (status && err)
            *err = j->error;
    }
    if (j->journal && fclose(j->journal) != 0 && !status)
        status = vg_fail(err, VG_E_IO, "%s: %s", part, strerror(errno));
    if (!status)
        status = finish_manifest(j, part, err);
    if (!status)
        status = write_state(j, "complete", err);
    if (!status)
        unlink(part);
    free(part);
    return status;
}

static vg_status check(const vg_dataset *dataset, const vg_augment *augment,
                       const vg_export_options *o, vg_error *err)
{
    if (o->copies < 0 || o->copies > VG_EXPORT_COPIES || each(o) == 0)
        return vg_fail(err, VG_E_ARG, "an export of %d copies %s originals: 0 to %d, and something",
                       o->copies, o->originals ? "with" : "without", VG_EXPORT_COPIES);
    if (o->format != VG_FORMAT_JPEG && o->format != VG_FORMAT_PNG)
        return vg_fail(err, VG_E_ARG, "an export is written as JPEG or PNG, not %s",
                       vg_format_name(o->format));
    if (o->quality < 1 || o->quality > 100)
        return vg_fail(err, VG_E_ARG, "JPEG quality %d: expected 1 to 100", o->quality);
    if (o->copies == 0 && o->balance)
        return vg_fail(err, VG_E_ARG, "balancing makes copies: at least one is needed");
    if (augment->width < 1 || augment->height < 1 || vg_dataset_count(dataset) == 0)
        return vg_fail(err, VG_E_ARG, "%s: nothing to export", vg_dataset_path(dataset));
    return VG_OK;
}

vg_status vg_export(const vg_dataset *dataset, const vg_augment *augment,
                    const vg_export_options *options, vg_export_summary *summary, vg_error *err)
{
    vg_export_summary own;
    summary = summary ? summary : &own;
    *summary = (vg_export_summary){0};
    vg_status status = check(dataset, augment, options, err);
    if (status)
        return status;
    job j = {.dataset = dataset,
             .augment = augment,
             .options = options,
             .summary = summary,
             .transform = vg_augment_transform(augment),
             .threads = options->threads > 0 ? options->threads : vg_threads_available(),
             .first_problem = SIZE_MAX};
    pthread_mutex_init(&j.lock, NULL);
    j.seats = vg_calloc((size_t)j.threads, sizeof *j.seats);
    status = j.seats ? count_all(&j, err) : vg_fail(err, VG_E_NOMEM, "out of memory for threads");
    if (!status)
        status = name_folders(&j, err);
    if (!status)
        status = run(&j, err);
    for (int t = 0; j.seats && t < j.threads; t++) {
        seat *s = &j.seats[t];
        vg_reader_reset(&s->reader);
        if (s->scratch)
            j.transform.scratch_free(s->scratch);
        vg_image_reset(&s->decoded);
        vg_image_reset(&s->view);
        vg_bytes_reset(&s->file);
        vg_bytes_reset(&s->lines);
    }
    for (int k = 0; j.folders && k < vg_dataset_classes(dataset); k++)
        free(j.folders[k]);
    free(j.folders);
    free(j.totals);
    free(j.samples);
    free(j.rank);
    free(j.done);
    free(j.seats);
    pthread_mutex_destroy(&j.lock);
    return status;
}
