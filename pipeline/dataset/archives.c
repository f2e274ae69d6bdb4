/* The archives of a dataset: opening them, telling class folders from WebDataset shards, and reading
 * one member from any thread. Members are read in place with pread, so nothing is unpacked, nothing
 * is locked and nothing can be pulled away under a mapped page when a file is cut. An archive is
 * known by its content; compressed tar files are refused, because what lies in the middle of them
 * cannot be reached without unpacking all before it. */
#include "dataset/archives.h"

#include "base/alloc.h"
#include "base/text.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* With more archives than this, none is kept open: processes may often have only 1024 files. */
enum { MOST_OPEN = 200, OFFSET_BITS = 44, ARCHIVE_BITS = 16 };

void vg_archives_free(vg_archives *archives)
{
    if (!archives)
        return;
    for (size_t i = 0; i < archives->count; i++) {
        free(archives->list[i].path);
        if (archives->list[i].fd >= 0)
            close(archives->list[i].fd);
    }
    free(archives->list);
    free(archives->records);
    free(archives);
}

vg_status vg_archives_append(vg_dataset *dataset, char *path, vg_error *err)
{
    vg_archives *archives = dataset->archives;
    if (archives->count == VG_MOST_ARCHIVES) {
        free(path);
        return vg_fail(err, VG_E_LIMIT, "%s: more than %d archives", dataset->path,
                       VG_MOST_ARCHIVES);
    }
    if (!path || !vg_grow(&archives->list, &archives->capacity, archives->count + 1,
                          sizeof *archives->list)) {
        free(path);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    }
    archives->list[archives->count++] =
        (vg_archive){.path = path, .name = vg_path_base(path), .fd = -1};
    return VG_OK;
}

/* ---- samples: a record and a name, back to back; the place of a sample is that of the name */

/* Before the name: offset, archive and method in 8 bytes, before them 4 bytes of size, before them
 * packed size and checksum if the archive is no tar. */
static uint64_t pack_word(const vg_member *member, size_t archive)
{
    return member->offset | (uint64_t)archive << OFFSET_BITS |
           (uint64_t)member->method << (OFFSET_BITS + ARCHIVE_BITS);
}

static const char *name_of(const vg_archives *archives, uint64_t place)
{
    return (const char *)archives->records + place;
}

static vg_member unpack_member(const vg_archives *archives, uint64_t place, size_t *archive)
{
    const uint8_t *name = archives->records + place;
    vg_member member = {0};
    uint64_t word;
    memcpy(&word, name - 8, 8);
    memcpy(&member.size, name - 12, 4);
    member.offset = word & ((UINT64_C(1) << OFFSET_BITS) - 1);
    member.method = (uint8_t)(word >> (OFFSET_BITS + ARCHIVE_BITS));
    *archive = (size_t)(word >> OFFSET_BITS & ((1u << ARCHIVE_BITS) - 1));
    if (member.method != VG_MEMBER_TAR) {
        memcpy(&member.packed, name - 16, 4);
        memcpy(&member.crc, name - 20, 4);
    }
    return member;
}

vg_status vg_archives_add(vg_dataset *dataset, size_t archive, const vg_member *member,
                          const char *name, int label, vg_split split, vg_error *err)
{
    vg_archives *archives = dataset->archives;
    size_t length = strlen(name) + 1, at = archives->records_size;
    size_t record = member->method == VG_MEMBER_TAR ? 12 : 20;
    vg_member stored = *member;
    if (stored.offset >> OFFSET_BITS) { /* beyond every file, so it cannot be read */
        stored.offset = 0;
        stored.method = VG_MEMBER_OUTSIDE;
        record = 20;
    }
    if ((at + record + length) >> VG_PLACE_BITS)
        return vg_fail(err, VG_E_LIMIT, "%s: names of more than 1 TiB", dataset->path);
    if (!vg_grow(&archives->records, &archives->records_capacity, at + record + length, 1))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for the index after %zu samples",
                       dataset->path, dataset->count);
    uint8_t *place = archives->records + at + record;
    uint64_t word = pack_word(&stored, archive);
    memcpy(place - 8, &word, 8);
    memcpy(place - 12, &stored.size, 4);
    if (record == 20) {
        memcpy(place - 16, &stored.packed, 4);
        memcpy(place - 20, &stored.crc, 4);
    }
    memcpy(place, name, length);
    archives->records_size = at + record + length;
    return vg_index_add_place(dataset, at + record, label, split, err);
}

uint64_t vg_archives_position(const vg_dataset *dataset, uint64_t place)
{
    size_t archive;
    vg_member member = unpack_member(dataset->archives, place, &archive);
    return (uint64_t)archive << OFFSET_BITS | member.offset;
}

size_t vg_archives_name(const vg_dataset *dataset, uint64_t place, char *name, size_t capacity)
{
    size_t archive;
    unpack_member(dataset->archives, place, &archive);
    const char *member = name_of(dataset->archives, place);
    bool prefixed = dataset->archives->prefixed;
    const char *prefix = prefixed ? dataset->archives->list[archive].name : "";
    size_t first = strlen(prefix), total = first + prefixed + strlen(member);
    for (size_t i = 0; capacity && i < total && i + 1 < capacity; i++)
        name[i] = i < first                ? prefix[i]
                  : prefixed && i == first ? '/'
                                           : member[i - first - prefixed];
    if (capacity)
        name[total < capacity ? total : capacity - 1] = '\0';
    return total;
}

/* ---- reading */

vg_status vg_archive_pread(const char *path, int fd, void *to, size_t size, uint64_t offset,
                           vg_error *err)
{
    uint8_t *at = to;
    while (size) {
        ssize_t n = pread(fd, at, size, (off_t)offset);
        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
        if (n == 0)
            return vg_fail(err, VG_E_FORMAT, "%s: ends at byte %llu, %zu more are needed", path,
                           (unsigned long long)offset, size);
        at += n;
        size -= (size_t)n;
        offset += (uint64_t)n;
    }
    return VG_OK;
}

static int64_t modified_of(const struct stat *st)
{
    return (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
}

/* The archive's own file, or a fresh one that the caller closes; -1 on an error. */
static int open_again(const vg_archive *archive, vg_error *err)
{
    struct stat st;
    int fd = open(archive->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 || fstat(fd, &st) != 0) {
        vg_fail(err, VG_E_IO, "%s: %s", archive->path, strerror(errno));
    } else if ((uint64_t)st.st_size == archive->bytes && modified_of(&st) == archive->modified) {
        return fd;
    } else {
        vg_fail(err, VG_E_IO, "%s: the archive was changed while it is in use", archive->path);
    }
    if (fd >= 0)
        close(fd);
    return -1;
}

static vg_status refuse(const vg_archive *archive, const vg_member *member, const char *name,
                        vg_error *err)
{
    switch ((vg_method)member->method) {
    case VG_MEMBER_ENCRYPTED:
        return vg_fail(err, VG_E_FORMAT,
                       "%s: %s: is encrypted; repack the archive without a "
                       "password",
                       archive->path, name);
    case VG_MEMBER_OTHER_METHOD:
        return vg_fail(err, VG_E_FORMAT,
                       "%s: %s: is packed by method %u; stored (0) and deflated (8) members can be "
                       "read",
                       archive->path, name, member->crc);
    case VG_MEMBER_SPARSE:
        return vg_fail(err, VG_E_FORMAT,
                       "%s: %s: is stored as a sparse file; repack the archive without --sparse",
                       archive->path, name);
    case VG_MEMBER_TOO_LARGE:
        return vg_fail(err, VG_E_LIMIT,
                       "%s: %s: claims to unpack to %u bytes; the limit is %u, and 1032 times its "
                       "packed size",
                       archive->path, name, member->size, VG_MEMBER_LIMIT);
    case VG_MEMBER_OVERLAPS:
        return vg_fail(err, VG_E_FORMAT,
                       "%s: %s: its bytes overlap those of another member: damage or a zip bomb",
                       archive->path, name);
    case VG_MEMBER_TAR:
    case VG_MEMBER_STORED:
    case VG_MEMBER_DEFLATED:
    case VG_MEMBER_OUTSIDE:
        break;
    }
    return vg_fail(err, VG_E_FORMAT,
                   "%s: %s: its bytes do not lie inside the archive of %llu bytes, which is cut "
                   "off or damaged",
                   archive->path, name, (unsigned long long)archive->bytes);
}

vg_status vg_member_read(const vg_archive *archive, const vg_member *member, const char *name,
                         vg_reader *reader, vg_span *bytes, vg_error *err)
{
    *bytes = (vg_span){0};
    if (member->method > VG_MEMBER_DEFLATED)
        return refuse(archive, member, name, err);
    int fd = archive->fd >= 0 ? archive->fd : open_again(archive, err);
    if (fd < 0)
        return VG_E_IO;
    vg_status status;
    if (member->method == VG_MEMBER_TAR) {
        status = vg_bytes_reserve(&reader->bytes, member->size, err);
        if (!status)
            status = vg_archive_pread(archive->path, fd, reader->bytes.data, member->size,
                                      member->offset, err);
        reader->bytes.size = member->size;
        *bytes = (vg_span){reader->bytes.data, member->size};
    } else {
        status = vg_zip_read(archive, fd, member, name, reader, bytes, err);
    }
    if (archive->fd < 0)
        close(fd);
    return status;
}

vg_status vg_archives_bytes(const vg_dataset *dataset, uint64_t place, vg_reader *reader,
                            vg_span *bytes, vg_error *err)
{
    size_t archive;
    vg_member member = unpack_member(dataset->archives, place, &archive);
    return vg_member_read(&dataset->archives->list[archive], &member,
                          name_of(dataset->archives, place), reader, bytes, err);
}

void vg_archives_stamp(const vg_dataset *dataset, uint64_t place, vg_stamp *stamp)
{
    size_t archive;
    vg_member member = unpack_member(dataset->archives, place, &archive);
    *stamp = (vg_stamp){.size = member.size, .modified = dataset->archives->list[archive].modified};
}

/* ---- opening */

enum container { CONTAINER_NONE, CONTAINER_TAR, CONTAINER_ZIP };

static bool ends_with(const char *path, const char *end)
{
    size_t length = strlen(path), size = strlen(end);
    return length > size && vg_text_equal_fold(path + length - size, end);
}

bool vg_archive_is_named(const char *path)
{
    return ends_with(path, ".tar") || ends_with(path, ".zip");
}

static const char *compression_of(const uint8_t *head, size_t size)
{
    static const struct {
        const char *magic;
        size_t size;
        const char *name;
    } known[] = {
        {"\x1f\x8b", 2, "gzip"},
        {"\x28\xb5\x2f\xfd", 4, "zstd"},
        {"\xfd"
         "7zXZ",
         5, "xz"},
        {"BZh", 3, "bzip2"},
        {"\x04\x22\x4d\x18", 4, "lz4"},
        {"7z\xbc\xaf\x27\x1c", 6, "7-Zip"},
        {"Rar!\x1a\x07", 6, "RAR"},
    };
    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (size >= known[i].size && memcmp(head, known[i].magic, known[i].size) == 0)
            return known[i].name;
    return NULL;
}

/* POSIX ustar and GNU tar say what they are; older ones are known by the checksum of the header. */
static bool is_tar(const uint8_t *head, size_t size)
{
    if (size < 512)
        return false;
    if (memcmp(head + 257, "ustar", 5) == 0)
        return true;
    unsigned long sum = 0, written = 0;
    for (size_t i = 0; i < 512; i++)
        sum += i >= 148 && i < 156 ? ' ' : head[i];
    size_t at = 148;
    while (at < 156 && head[at] == ' ')
        at++;
    for (; at < 156 && head[at] >= '0' && head[at] <= '7'; at++)
        written = written * 8 + (unsigned long)(head[at] - '0');
    return head[0] && written == sum;
}

static vg_status tell_container(const char *path, int fd, enum container *container, vg_error *err)
{
    uint8_t head[512] = {0};
    size_t size = 0;
    *container = CONTAINER_NONE;
    for (ssize_t n = 1; n > 0 && size < sizeof head; size += (size_t)n) {
        n = pread(fd, head + size, sizeof head - size, (off_t)size);
        if (n < 0 && errno == EINTR)
            n = 0;
        if (n < 0)
            return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    }
    const char *compression = compression_of(head, size);
    if (compression)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: is compressed (%s), so its members cannot be read in place; unpack it "
                       "into a folder, or repack it as plain .tar or .zip",
                       path, compression);
    if (size >= 4 && (memcmp(head, "PK\3\4", 4) == 0 || memcmp(head, "PK\5\6", 4) == 0 ||
                      memcmp(head, "PK\7\10", 4) == 0))
        *container = CONTAINER_ZIP;
    else if (is_tar(head, size))
        *container = CONTAINER_TAR;
    else if (vg_archive_is_named(path))
        *container = ends_with(path, ".zip") ? CONTAINER_ZIP : CONTAINER_TAR;
    return VG_OK;
}

vg_status vg_archive_found(const char *path, bool *found, vg_error *err)
{
    enum container container;
    *found = false;
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    vg_status status = tell_container(path, fd, &container, err);
    close(fd);
    *found = container != CONTAINER_NONE;
    return status;
}

static vg_status list_archive(vg_dataset *dataset, vg_archive *archive, vg_listing *listing,
                              vg_error *err)
{
    struct stat st;
    enum container container;
    archive->fd = open(archive->path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (archive->fd < 0 || fstat(archive->fd, &st) != 0)
        return vg_fail(err, VG_E_IO, "%s: %s", archive->path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return vg_fail(err, VG_E_IO, "%s: not a regular file", archive->path);
    archive->bytes = (uint64_t)st.st_size;
    archive->modified = modified_of(&st);
    *listing = (vg_listing){
        .dataset = dataset, .path = archive->path, .bytes = archive->bytes, .fd = archive->fd};
    vg_status status = tell_container(archive->path, archive->fd, &container, err);
    if (!status && container == CONTAINER_NONE)
        status = vg_fail(err, VG_E_FORMAT, "%s: neither a tar nor a zip archive", archive->path);
    if (!status)
        status = container == CONTAINER_ZIP ? vg_zip_list(listing, err) : vg_tar_list(listing, err);
    return status ? status : vg_listing_finish(listing, err);
}

static vg_status finish(vg_dataset *dataset, const vg_finds *finds, bool named, vg_error *err)
{
    vg_archives *archives = dataset->archives;
    if (dataset->count == 0 && dataset->ignored.unlabelled)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: none of %zu samples has one picture and one label; the first: %s",
                       dataset->path, dataset->ignored.unlabelled,
                       dataset->notes_kept ? dataset->notes[0] : "not kept");
    if (dataset->count == 0)
        return vg_nothing_found(dataset, finds, err);
    uint8_t *fit = vg_realloc(archives->records, archives->records_size, 1);
    if (fit) {
        archives->records = fit;
        archives->records_capacity = archives->records_size;
    }
    vg_class_order order = dataset->kind == VG_DATASET_ARCHIVE ? VG_CLASSES_BY_BYTES
                           : named                             ? VG_CLASSES_AS_ADDED
                                                               : VG_CLASSES_BY_NUMBER_IF_ALL;
    size_t empty;
    vg_status status = vg_index_finish(dataset, order, &empty, err);
    if (!named)
        dataset->ignored.empty_classes = empty;
    return status;
}

/* Lists all archives of the dataset. The first one that holds a picture decides what they are. */
static vg_status read_all(vg_dataset *dataset, vg_error *err)
{
    vg_archives *archives = dataset->archives;
    vg_finds finds = {0};
    bool named = false;
    vg_status status = VG_OK;
    dataset->kind = VG_DATASET_ARCHIVE;
    for (size_t i = 0; !status && i < archives->count; i++) {
        vg_archive *archive = &archives->list[i];
        vg_listing listing = {0};
        status = list_archive(dataset, archive, &listing, err);
        if (!status && !dataset->count && !dataset->ignored.unlabelled &&
            vg_webdataset_found(&listing)) {
            dataset->kind = VG_DATASET_WEBDATASET;
            status = vg_webdataset_class_names(dataset, &named, err);
        }
        if (!status)
            status = dataset->kind == VG_DATASET_WEBDATASET
                         ? vg_webdataset_add(dataset, i, &listing, named, err)
                         : vg_tree_add(dataset, i, &listing, &finds, err);
        vg_listing_reset(&listing);
        if (archives->count > MOST_OPEN && archive->fd >= 0) {
            close(archive->fd);
            archive->fd = -1;
        }
    }
    return status ? status : finish(dataset, &finds, named, err);
}

static vg_status make_archives(vg_dataset *dataset, vg_error *err)
{
    dataset->archives = vg_calloc(1, sizeof *dataset->archives);
    if (!dataset->archives || !(dataset->root = vg_strdup(dataset->path)))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", dataset->path);
    return VG_OK;
}

vg_status vg_archive_read(vg_dataset *dataset, vg_error *err)
{
    vg_status status = make_archives(dataset, err);
    if (!status)
        status = vg_archives_append(dataset, vg_strdup(dataset->path), err);
    return status ? status : read_all(dataset, err);
}

vg_status vg_shards_read(vg_dataset *dataset, vg_error *err)
{
    vg_status status = make_archives(dataset, err);
    if (!status)
        status = vg_path_is_folder(dataset->path) ? vg_shards_of_folder(dataset, err)
                                                  : vg_shards_expand(dataset, dataset->path, err);
    if (status)
        return status;
    dataset->archives->prefixed = true;
    return read_all(dataset, err);
}
