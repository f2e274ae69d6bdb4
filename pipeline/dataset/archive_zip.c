/* The members of a zip archive (PKWARE APPNOTE 6.3.9): its central directory with zip64, Unicode
 * path fields and data descriptors, and reading one member.
 *
 * The directory is read here because neither libarchive (no packed size, no checksum) nor libzip (no
 * place of the data, one reader at a time) says what reading a member by itself from any thread
 * needs. Every number of the directory is held against the size of the file; the local headers are
 * only read together with the data, so opening touches nothing but the directory. Members that are
 * encrypted, packed otherwise, too large, or overlap another one, as zip bombs do, stay members that
 * say so when they are read. Archives in several parts are refused. */
#include "dataset/archives.h"

#include "base/alloc.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <zlib.h>

enum {
    END_BYTES = 22,
    END64_BYTES = 56,
    LOCATOR_BYTES = 20,
    CENTRAL_BYTES = 46,
    LOCAL_BYTES = 30,
    SLACK_BYTES =
        256, /* for the name and the extra fields of a local header: one read mostly does */
    FLAGS_ENCRYPTED = 1 | 1 << 6 | 1 << 13,
    HOST_FAT = 0,
    HOST_UNIX = 3
};

static uint32_t le16(const uint8_t *p)
{
    return (uint32_t)(p[0] | p[1] << 8);
}

static uint32_t le32(const uint8_t *p)
{
    return le16(p) | le16(p + 2) << 16;
}

static uint64_t le64(const uint8_t *p)
{
    return le32(p) | (uint64_t)le32(p + 4) << 32;
}

static bool is_signature(const uint8_t *p, const char *rest)
{
    return p[0] == 'P' && p[1] == 'K' && p[2] == (uint8_t)rest[0] && p[3] == (uint8_t)rest[1];
}

/* Where the central directory is. */
struct directory {
    uint64_t offset, size;
    uint64_t shift; /* bytes before the archive, which its offsets do not count */
};

static vg_status no_zip(const vg_listing *listing, vg_error *err)
{
    return vg_fail(err, VG_E_FORMAT,
                   "%s: no end of a zip archive found: the file is cut off or no zip "
                   "(it holds %llu bytes)",
                   listing->path, (unsigned long long)listing->bytes);
}

/* The record at the end of the archive, behind which only its comment may stand. */
static vg_status find_end(const vg_listing *listing, uint64_t *at, uint8_t record[END_BYTES],
                          vg_error *err)
{
    size_t size = listing->bytes < END_BYTES + 65535 ? (size_t)listing->bytes : END_BYTES + 65535;
    if (size < END_BYTES)
        return no_zip(listing, err);
    uint8_t *tail = vg_alloc(size, 1);
    if (!tail)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", listing->path);
    uint64_t first = listing->bytes - size;
    vg_status status = vg_archive_pread(listing->path, listing->fd, tail, size, first, err);
    bool found = false;
    for (size_t i = size - END_BYTES + 1; !status && !found && i-- > 0;)
        if (is_signature(tail + i, "\5\6") && le16(tail + i + 20) <= size - END_BYTES - i) {
            memcpy(record, tail + i, END_BYTES);
            *at = first + i;
            found = true;
        }
    free(tail);
    return status ? status : found ? VG_OK : no_zip(listing, err);
}

/* The zip64 record, if there is one before the end record at `end`: replaces what does not fit there. */
static vg_status find_end64(const vg_listing *listing, uint64_t *end, struct directory *directory,
                            vg_error *err)
{
    uint8_t locator[LOCATOR_BYTES] = {0}, record[END64_BYTES] = {0};
    if (*end < LOCATOR_BYTES + END64_BYTES)
        return VG_OK;
    uint64_t at = *end - LOCATOR_BYTES;
    vg_status status =
        vg_archive_pread(listing->path, listing->fd, locator, sizeof locator, at, err);
    if (status || !is_signature(locator, "\6\7"))
        return status;
    uint64_t places[2] = {le64(locator + 8), at - END64_BYTES};
    for (int i = 0; i < 2; i++) {
        if (places[i] > at - END64_BYTES)
            continue;
        status =
            vg_archive_pread(listing->path, listing->fd, record, sizeof record, places[i], err);
        if (status)
            return status;
        if (!is_signature(record, "\6\6"))
            continue;
        directory->size = le64(record + 40);
        directory->offset = le64(record + 48);
        *end = places[i];
        return VG_OK;
    }
    return vg_fail(err, VG_E_FORMAT, "%s: the zip64 record that byte %llu points to is not there",
                   listing->path, (unsigned long long)at);
}

static vg_status find_directory(const vg_listing *listing, struct directory *directory,
                                vg_error *err)
{
    uint8_t record[END_BYTES] = {0}, first[4] = {0};
    uint64_t end = 0;
    vg_status status = find_end(listing, &end, record, err);
    if (status)
        return status;
    uint32_t disk = le16(record + 4), start_disk = le16(record + 6);
    directory->size = le32(record + 12);
    directory->offset = le32(record + 16);
    directory->shift = 0;
    if ((disk && disk != 0xffff) || (start_disk && start_disk != 0xffff))
        return vg_fail(err, VG_E_FORMAT,
                       "%s: part %u of a zip archive in several parts; join them first (zip -s 0 "
                       "parts.zip --out whole.zip)",
                       listing->path, disk + 1);
    status = find_end64(listing, &end, directory, err);
    if (status)
        return status;
    if (directory->size > end || directory->offset > end - directory->size)
        return vg_fail(err, VG_E_FORMAT,
                       "%s: the central directory (%llu bytes at %llu) does not fit before byte "
                       "%llu, where it ends: the zip is damaged or cut",
                       listing->path, (unsigned long long)directory->size,
                       (unsigned long long)directory->offset, (unsigned long long)end);
    if (directory->size < CENTRAL_BYTES)
        return VG_OK;
    status = vg_archive_pread(listing->path, listing->fd, first, 4, directory->offset, err);
    if (!status && !is_signature(first, "\1\2")) { /* something stands before the archive */
        directory->shift = end - directory->size - directory->offset;
        directory->offset += directory->shift;
    }
    return status;
}

/* Takes what did not fit from the zip64 field, in the order in which the fields stand. */
static void read_zip64(const uint8_t *field, size_t size, uint64_t *unpacked, uint64_t *packed,
                       uint64_t *offset)
{
    uint64_t *wanted[3] = {unpacked, packed, offset};
    for (int i = 0; i < 3; i++)
        if (*wanted[i] == UINT32_MAX && size >= 8) {
            *wanted[i] = le64(field);
            field += 8;
            size -= 8;
        }
}

/* One entry of the directory, taken apart. */
struct entry {
    const uint8_t *name;
    size_t name_length;
    uint64_t unpacked, packed, offset;
    uint32_t flags, method, crc, host, mode;
};

static void read_extra(struct entry *entry, const uint8_t *extra, size_t size)
{
    const uint8_t *name = entry->name;
    size_t length = entry->name_length;
    while (size >= 4) {
        size_t id = le16(extra), field = le16(extra + 2);
        if (field > size - 4)
            return;
        if (id == 0x0001)
            read_zip64(extra + 4, field, &entry->unpacked, &entry->packed, &entry->offset);
        else if (id == 0x7075 && field > 5 && extra[4] == 1 &&
                 le32(extra + 5) == crc32(0, name, (uInt)length)) {
            entry->name = extra + 9;
            entry->name_length = field - 5;
        }
        extra += 4 + field;
        size -= 4 + field;
    }
}

static vg_method method_of(const struct directory *directory, const struct entry *entry,
                           size_t header)
{
    uint64_t before = directory->offset;
    if (entry->flags & FLAGS_ENCRYPTED)
        return VG_MEMBER_ENCRYPTED;
    if (entry->method != 0 && entry->method != 8)
        return VG_MEMBER_OTHER_METHOD;
    if (entry->offset > before || header > before - entry->offset ||
        entry->packed > before - entry->offset - header ||
        (entry->method == 0 && entry->packed != entry->unpacked))
        return VG_MEMBER_OUTSIDE;
    /* deflate cannot do better than 1032 to 1 (zlib's technical details) */
    if (entry->unpacked > VG_MEMBER_LIMIT || entry->packed > VG_MEMBER_LIMIT ||
        entry->unpacked / 1032 > entry->packed)
        return VG_MEMBER_TOO_LARGE;
    return entry->method ? VG_MEMBER_DEFLATED : VG_MEMBER_STORED;
}

static vg_status add_entry(vg_listing *listing, const struct directory *directory,
                           struct entry *entry, size_t header, vg_error *err)
{
    enum { TYPES = 0170000 };
    uint32_t type = entry->host == HOST_UNIX ? entry->mode & TYPES : 0;
    bool folder = entry->name_length && entry->name[entry->name_length - 1] == '/';
    entry->offset += directory->shift;
    vg_method method = method_of(directory, entry, header);
    vg_member member = {.offset = entry->offset,
                        .size =
                            entry->unpacked > UINT32_MAX ? UINT32_MAX : (uint32_t)entry->unpacked,
                        .packed = entry->packed > UINT32_MAX ? UINT32_MAX : (uint32_t)entry->packed,
                        .crc = method == VG_MEMBER_OTHER_METHOD ? entry->method : entry->crc,
                        .header = (uint16_t)(header > UINT16_MAX ? UINT16_MAX : header),
                        .method = (uint8_t)method,
                        .folder = folder};
    if (!folder && type && type != S_IFREG) {
        listing->dataset->ignored.unusable++;
        vg_index_note(listing->dataset, "%s: \"%.*s\" is %s; left out", listing->path,
                      (int)entry->name_length, (const char *)entry->name,
                      type == S_IFLNK ? "a symbolic link, which archives are not searched for"
                                      : "no regular file");
        return VG_OK;
    }
    return vg_listing_add(listing, (const char *)entry->name, entry->name_length, NULL, &member,
                          err);
}

/* Some programs for Windows write '\' between folders. */
static void turn_slashes(uint8_t *name, size_t length)
{
    if (memchr(name, '/', length))
        return;
    for (size_t i = 0; i < length; i++)
        if (name[i] == '\\')
            name[i] = '/';
}

static vg_status list_entries(vg_listing *listing, const struct directory *directory,
                              uint8_t *bytes, vg_error *err)
{
    uint64_t at = 0;
    vg_status status = VG_OK;
    for (size_t number = 1; !status && directory->size - at >= CENTRAL_BYTES; number++) {
        uint8_t *p = bytes + at;
        if (is_signature(p, "\5\5")) /* a signature of the directory ends it */
            break;
        size_t name = le16(p + 28), extra = le16(p + 30), comment = le16(p + 32);
        if (!is_signature(p, "\1\2") ||
            name + extra + comment > directory->size - at - CENTRAL_BYTES)
            return vg_fail(err, VG_E_FORMAT, "%s: the central directory is damaged at entry %zu",
                           listing->path, number);
        struct entry entry = {.name = p + CENTRAL_BYTES,
                              .name_length = name,
                              .host = p[5],
                              .flags = le16(p + 8),
                              .method = le16(p + 10),
                              .crc = le32(p + 16),
                              .packed = le32(p + 20),
                              .unpacked = le32(p + 24),
                              .mode = le16(p + 40),
                              .offset = le32(p + 42)};
        if (entry.host == HOST_FAT)
            turn_slashes(p + CENTRAL_BYTES, name);
        read_extra(&entry, p + CENTRAL_BYTES + name, extra);
        status = add_entry(listing, directory, &entry, LOCAL_BYTES + name, err);
        at += CENTRAL_BYTES + name + extra + comment;
    }
    return status;
}

/* The bytes of a member, for finding those that share some. */
struct extent {
    uint64_t first, end;
    size_t member;
};

static int by_first(const void *a, const void *b)
{
    const struct extent *p = a, *q = b;
    if (p->first != q->first)
        return p->first < q->first ? -1 : 1;
    return p->member < q->member ? -1 : p->member > q->member;
}

/* Members that share bytes are how a small archive unpacks to a huge one; no honest program writes
 * them. */
static vg_status mark_overlaps(vg_listing *listing, vg_error *err)
{
    size_t n = 0;
    struct extent *extents = vg_alloc(listing->count, sizeof *extents);
    if (!extents)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", listing->path);
    for (size_t i = 0; i < listing->count; i++) {
        const vg_member *m = &listing->members[i];
        if (m->method == VG_MEMBER_STORED || m->method == VG_MEMBER_DEFLATED)
            extents[n++] = (struct extent){m->offset, m->offset + m->header + m->packed, i};
    }
    if (n > 1)
        qsort(extents, n, sizeof *extents, by_first);
    uint64_t end = 0;
    for (size_t i = 0; i < n; i++) {
        vg_member *member = &listing->members[extents[i].member];
        if (extents[i].first < end && !member->folder)
            member->method = VG_MEMBER_OVERLAPS;
        end = extents[i].end > end ? extents[i].end : end;
    }
    free(extents);
    return VG_OK;
}

vg_status vg_zip_list(vg_listing *listing, vg_error *err)
{
    struct directory directory;
    vg_status status = find_directory(listing, &directory, err);
    if (status)
        return status;
    uint8_t *bytes = vg_alloc((size_t)directory.size, 1);
    if (!bytes)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for a central directory of %llu bytes",
                       listing->path, (unsigned long long)directory.size);
    status = vg_archive_pread(listing->path, listing->fd, bytes, (size_t)directory.size,
                              directory.offset, err);
    if (!status)
        status = list_entries(listing, &directory, bytes, err);
    free(bytes);
    return status ? status : mark_overlaps(listing, err);
}

/* ---- reading one member */

struct vg_unpacker {
    vg_bytes packed; /* local header and data */
    z_stream stream;
    bool ready;
};

void vg_unpacker_free(struct vg_unpacker *unpacker)
{
    if (!unpacker)
        return;
    vg_bytes_reset(&unpacker->packed);
    if (unpacker->ready)
        inflateEnd(&unpacker->stream);
    free(unpacker);
}

static vg_status bad_member(const vg_archive *archive, const char *name, const char *what,
                            vg_error *err)
{
    return vg_fail(err, VG_E_FORMAT, "%s: %s: %s", archive->path, name, what);
}

/* Reads header and data in one go if the slack was enough; *data points to the packed bytes. */
static vg_status read_packed(const vg_archive *archive, int fd, const vg_member *member,
                             const char *name, vg_bytes *buffer, const uint8_t **data,
                             vg_error *err)
{
    uint64_t room = archive->bytes - member->offset;
    uint64_t guess = (uint64_t)LOCAL_BYTES + SLACK_BYTES + member->packed;
    size_t size = (size_t)(guess < room ? guess : room);
    vg_status status = vg_bytes_reserve(buffer, size, err);
    if (!status)
        status = vg_archive_pread(archive->path, fd, buffer->data, size, member->offset, err);
    if (status)
        return status;
    const uint8_t *p = buffer->data;
    if (size < LOCAL_BYTES || !is_signature(p, "\3\4"))
        return bad_member(archive, name, "no local header where the directory says", err);
    uint32_t method = member->method == VG_MEMBER_STORED ? 0 : 8;
    if (le16(p + 8) != method || (le16(p + 6) & FLAGS_ENCRYPTED))
        return bad_member(archive, name, "its local header and the directory differ", err);
    size_t header = LOCAL_BYTES + le16(p + 26) + le16(p + 28);
    if (header > room || member->packed > room - header)
        return bad_member(archive, name, "it does not lie inside the archive", err);
    if (header + member->packed > size) {
        status = vg_bytes_reserve(buffer, header + member->packed, err);
        if (!status)
            status = vg_archive_pread(archive->path, fd, buffer->data + size,
                                      header + member->packed - size, member->offset + size, err);
    }
    *data = buffer->data + header;
    return status;
}

static vg_status inflate_member(const vg_archive *archive, const vg_member *member,
                                const char *name, struct vg_unpacker *unpacker, const uint8_t *data,
                                vg_bytes *out, vg_error *err)
{
    z_stream *stream = &unpacker->stream;
    if (!unpacker->ready && inflateInit2(stream, -15) != Z_OK)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for inflate", archive->path);
    if (unpacker->ready)
        inflateReset(stream);
    unpacker->ready = true;
    vg_status status = vg_bytes_reserve(out, (size_t)member->size + 1, err);
    if (status)
        return status;
    stream->next_in = (z_const Bytef *)data;
    stream->avail_in = member->packed;
    stream->next_out = out->data;
    stream->avail_out = member->size + 1; /* one more, so that more than promised is noticed */
    int code = inflate(stream, Z_FINISH);
    if (code == Z_MEM_ERROR)
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory for inflate", archive->path);
    if (code != Z_STREAM_END && stream->avail_out)
        return bad_member(archive, name,
                          stream->msg ? stream->msg : "its deflated data end too early", err);
    if (code != Z_STREAM_END || stream->avail_out != 1)
        return bad_member(archive, name, "it does not unpack to the size in the directory", err);
    out->size = member->size;
    return VG_OK;
}

vg_status vg_zip_read(const vg_archive *archive, int fd, const vg_member *member, const char *name,
                      vg_reader *reader, vg_span *bytes, vg_error *err)
{
    if (!reader->unpacker && !(reader->unpacker = vg_calloc(1, sizeof *reader->unpacker)))
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", archive->path);
    struct vg_unpacker *unpacker = reader->unpacker;
    const uint8_t *data = NULL;
    vg_status status = read_packed(archive, fd, member, name, &unpacker->packed, &data, err);
    if (status)
        return status;
    *bytes = (vg_span){data, member->size};
    if (member->method == VG_MEMBER_DEFLATED) {
        status = inflate_member(archive, member, name, unpacker, data, &reader->bytes, err);
        if (status)
            return status;
        bytes->data = reader->bytes.data;
    }
    if (crc32(0, bytes->data, member->size) != member->crc)
        return bad_member(archive, name, "its bytes do not have the checksum of the directory",
                          err);
    return VG_OK;
}
