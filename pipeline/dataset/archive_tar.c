/* The members of a tar archive, listed by libarchive: ustar, pax, GNU long names, base-256 sizes, old
 * tar. Only headers are read; what is kept is where the bytes of each member lie, which for a tar
 * that is not compressed is where libarchive stands when it has read the header. Refuses nothing by
 * itself but a file that is no tar at all: sparse members and what lies beyond the end of a cut file
 * stay as members that say so when they are read. */
#include "dataset/archives.h"

#include <archive.h>
#include <archive_entry.h>
#include <errno.h>
#include <string.h>

enum { BLOCK_BYTES = 16384 };

/* In the C locale libarchive cannot give a pax name that is not ASCII in the locale's charset, but as
 * UTF-8, which it is. */
static const char *path_of(struct archive_entry *entry)
{
    const char *name = archive_entry_pathname(entry);
    return name ? name : archive_entry_pathname_utf8(entry);
}

static const char *link_of(struct archive_entry *entry)
{
    const char *name = archive_entry_hardlink(entry);
    return name ? name : archive_entry_hardlink_utf8(entry);
}

static const char *kind_of(unsigned type)
{
    return type == AE_IFLNK    ? "a symbolic link, which archives are not searched for"
           : type == AE_IFIFO  ? "a named pipe"
           : type == AE_IFSOCK ? "a socket"
                               : "a device";
}

static vg_status add_entry(vg_listing *listing, struct archive *reader, struct archive_entry *entry,
                           vg_error *err)
{
    const char *name = path_of(entry), *link = link_of(entry);
    unsigned type = archive_entry_filetype(entry);
    if (!name) {
        listing->dataset->ignored.unusable++;
        vg_index_note(listing->dataset, "%s: a member whose name cannot be read; left out",
                      listing->path);
        return VG_OK;
    }
    if (!link && type != AE_IFREG && type != AE_IFDIR) {
        listing->dataset->ignored.unusable++;
        vg_index_note(listing->dataset, "%s: \"%s\" is %s; left out", listing->path, name,
                      kind_of(type));
        return VG_OK;
    }
    int64_t offset = archive_filter_bytes(reader, 0), size = archive_entry_size(entry);
    vg_member member = {.offset = (uint64_t)offset,
                        .size = size > UINT32_MAX ? UINT32_MAX : (uint32_t)size,
                        .method = VG_MEMBER_TAR,
                        .folder = !link && type == AE_IFDIR};
    if (link || member.folder)
        member.size = 0;
    else if (archive_entry_sparse_count(entry) > 0)
        member.method = VG_MEMBER_SPARSE;
    else if (offset < 0 || size < 0 || (uint64_t)offset > listing->bytes ||
             (uint64_t)size > listing->bytes - (uint64_t)offset)
        member.method = VG_MEMBER_OUTSIDE;
    else if (size > VG_MEMBER_LIMIT)
        member.method = VG_MEMBER_TOO_LARGE;
    return vg_listing_add(listing, name, strlen(name), link, &member, err);
}

/* `entry` is ours, because libarchive does not check that it has made one. */
static vg_status list_entries(vg_listing *listing, struct archive *reader,
                              struct archive_entry *entry, vg_error *err)
{
    vg_status status = VG_OK;
    while (!status) {
        int code = archive_read_next_header2(reader, entry);
        if (code == ARCHIVE_EOF)
            return VG_OK;
        if (code == ARCHIVE_RETRY)
            continue;
        if (code == ARCHIVE_FATAL && archive_errno(reader) == ENOMEM)
            return vg_fail(err, VG_E_NOMEM, "%s: out of memory", listing->path);
        if (code == ARCHIVE_FATAL) {
            const char *reason = archive_error_string(reader);
            if (!listing->count)
                return vg_fail(err, VG_E_FORMAT, "%s: no tar archive that can be read: %s",
                               listing->path, reason ? reason : "unknown reason");
            listing->dataset->ignored.unusable++;
            vg_index_note(listing->dataset,
                          "%s: ends or is damaged behind member %zu (%s): what comes after is lost",
                          listing->path, listing->count, reason ? reason : "unknown reason");
            return VG_OK;
        }
        status = add_entry(listing, reader, entry, err);
    }
    return status;
}

vg_status vg_tar_list(vg_listing *listing, vg_error *err)
{
    struct archive *reader = archive_read_new();
    struct archive_entry *entry = archive_entry_new();
    if (!reader || !entry) {
        archive_read_free(reader);
        archive_entry_free(entry);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", listing->path);
    }
    vg_status status = VG_OK;
    if (archive_read_support_format_tar(reader) < ARCHIVE_WARN ||
        archive_read_open_fd(reader, listing->fd, BLOCK_BYTES) != ARCHIVE_OK) {
        const char *reason = archive_error_string(reader);
        status = vg_fail(err, VG_E_FORMAT, "%s: no tar archive that can be read: %s", listing->path,
                         reason ? reason : "unknown reason");
    }
    if (!status)
        status = list_entries(listing, reader, entry, err);
    archive_entry_free(entry);
    archive_read_free(reader);
    return status;
}
