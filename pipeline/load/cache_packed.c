/* The packed file: laid out here, and read here with distrust.
 *
 * The index is at the end because the length of a file under construction is not known, and the
 * footer is last so that a file that was cut anywhere has none. Header, index and footer are
 * checked when the file is opened, a picture when it is first touched. Two tables lie in the file
 * ready to use, so that opening costs a pass over the index (80 to 96 bytes a picture) and no
 * memory. A file that does not look like ours at either end is somebody's, and never replaced. */
#include "load/cache_packed.h"

#include "base/alloc.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>
#include <xxhash.h>

static const char MAGIC[16] = "Variegate cache\n";
static const char END_MAGIC[8] = "VGcacheE";

enum { HEADER_ALIGN = 4096, MAP_MIN_SLOTS = 16 };
static const uint32_t BYTE_ORDER_MARK = 0x01020304;

typedef struct header {
    char magic[16];
    uint32_t version, byte_order;
    uint64_t bytes; /* of the header with key and checksum */
    uint64_t key_bytes;
} header;

typedef struct footer {
    char magic[8];
    uint64_t index, count, slots, file_bytes;
    uint64_t index_check, header_check;
    uint64_t check; /* of what is before it */
} footer;
_Static_assert(sizeof(footer) == 64, "the footer is laid out for files");

static uint64_t slots_for(uint64_t count)
{
    uint64_t slots = MAP_MIN_SLOTS;
    while (slots < count * 2)
        slots *= 2;
    return slots;
}

uint8_t *vg_packed_header(const char *key, uint64_t *bytes)
{
    header h = {.version = VG_PACKED_VERSION, .byte_order = BYTE_ORDER_MARK};
    memcpy(h.magic, MAGIC, sizeof h.magic);
    h.key_bytes = strlen(key);
    uint64_t need = sizeof h + h.key_bytes + sizeof(uint64_t);
    h.bytes = (need + HEADER_ALIGN - 1) / HEADER_ALIGN * HEADER_ALIGN;
    uint8_t *made = vg_calloc(h.bytes, 1);
    if (!made)
        return NULL;
    memcpy(made, &h, sizeof h);
    memcpy(made + sizeof h, key, h.key_bytes);
    uint64_t check = XXH3_64bits(made, h.bytes - sizeof check);
    memcpy(made + h.bytes - sizeof check, &check, sizeof check);
    *bytes = h.bytes;
    return made;
}

static void put_in_table(uint32_t *table, uint64_t slots, uint64_t hash, uint64_t number)
{
    uint64_t at = hash & (slots - 1);
    while (table[at])
        at = (at + 1) & (slots - 1);
    table[at] = (uint32_t)(number + 1);
}

uint8_t *vg_packed_index(const vg_packed_entry *entries, uint64_t count, uint64_t end,
                         uint64_t header_check, uint64_t *bytes)
{
    footer f = {.index = end, .count = count, .slots = slots_for(count)};
    uint64_t listed = count * sizeof *entries, table = f.slots * sizeof(uint32_t);
    uint64_t index = listed + 2 * table;
    uint8_t *made = vg_calloc(index + sizeof f, 1);
    if (!made)
        return NULL;
    if (count)
        memcpy(made, entries, listed);
    uint32_t *by_name = (uint32_t *)(made + listed), *by_content = by_name + f.slots;
    for (uint64_t i = 0; i < count; i++) {
        put_in_table(by_name, f.slots, entries[i].name.low, i);
        put_in_table(by_content, f.slots, entries[i].content.low, i);
    }
    memcpy(f.magic, END_MAGIC, sizeof f.magic);
    f.file_bytes = end + index + sizeof f;
    f.index_check = XXH3_64bits(made, index);
    f.header_check = header_check;
    f.check = XXH3_64bits(&f, offsetof(footer, check));
    memcpy(made + index, &f, sizeof f);
    *bytes = index + sizeof f;
    return made;
}

/* `made_by_us` also when only one end of the file can be recognized, or it is empty. */
static bool made_by_us(int fd, uint64_t bytes)
{
    char first[sizeof MAGIC] = "", last[sizeof(footer)] = "";
    ssize_t n = pread(fd, first, sizeof first, 0);
    if (n >= 0 && memcmp(first, MAGIC, (size_t)n) == 0)
        return true;
    if (bytes < sizeof last)
        return false;
    n = pread(fd, last, sizeof last, (off_t)(bytes - sizeof last));
    return n == (ssize_t)sizeof last && memcmp(last, END_MAGIC, sizeof END_MAGIC) == 0;
}

/* NULL if the header is good, or what is wrong with it. */
static const char *check_header(vg_packed *p, const char *key, uint64_t *check)
{
    header h;
    if (p->bytes < HEADER_ALIGN)
        return "it is too short";
    memcpy(&h, p->map, sizeof h);
    if (memcmp(h.magic, MAGIC, sizeof h.magic) != 0)
        return "its first bytes are damaged";
    if (h.byte_order != BYTE_ORDER_MARK)
        return "it comes from a machine with another byte order, or is damaged";
    if (h.version != VG_PACKED_VERSION)
        return "it comes from another version of this program";
    if (h.bytes % HEADER_ALIGN || h.bytes == 0 || h.bytes > p->bytes ||
        h.key_bytes > VG_PACKED_KEY_MAX || sizeof h + h.key_bytes + sizeof *check > h.bytes)
        return "its header is damaged";
    memcpy(check, p->map + h.bytes - sizeof *check, sizeof *check);
    if (*check != XXH3_64bits(p->map, h.bytes - sizeof *check))
        return "its header is damaged";
    if (h.key_bytes != strlen(key) || memcmp(p->map + sizeof h, key, h.key_bytes) != 0)
        return "its pictures were decoded with other options";
    p->begin = h.bytes;
    return NULL;
}

static const char *check_index(vg_packed *p, uint64_t header_check)
{
    footer f;
    if (p->bytes < p->begin + sizeof f)
        return "it was cut off";
    memcpy(&f, p->map + p->bytes - sizeof f, sizeof f);
    if (memcmp(f.magic, END_MAGIC, sizeof f.magic) != 0 ||
        f.check != XXH3_64bits(&f, offsetof(footer, check)) || f.file_bytes != p->bytes)
        return "it was cut off, or its end is damaged";
    uint64_t room = p->bytes - sizeof f;
    bool fits = f.index % VG_RECORD_ALIGN == 0 && f.index >= p->begin && f.index <= room &&
                f.count < UINT32_MAX && f.slots == slots_for(f.count) &&
                room - f.index == f.count * sizeof(vg_packed_entry) + f.slots * 8;
    if (!fits || f.header_check != header_check ||
        f.index_check != XXH3_64bits(p->map + f.index, room - f.index))
        return "its index is damaged";
    p->end = f.index;
    p->count = f.count;
    p->slots = f.slots;
    p->entries = (const vg_packed_entry *)(p->map + f.index);
    p->by_name = (const uint32_t *)(p->entries + f.count);
    p->by_content = p->by_name + f.slots;
    return NULL;
}

static vg_status map_file(vg_packed *p, const char *path, const char **wrong, vg_error *err)
{
    struct stat st;
    if (fstat(p->fd, &st) != 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    if (!S_ISREG(st.st_mode))
        return vg_fail(err, VG_E_IO, "%s: a cache is a regular file, this is none", path);
    p->bytes = (uint64_t)st.st_size;
    p->device = (uint64_t)st.st_dev;
    p->inode = (uint64_t)st.st_ino;
    if (!made_by_us(p->fd, p->bytes))
        return vg_fail(err, VG_E_IO,
                       "%s: this file exists and is not a cache; it will not be overwritten", path);
    if (p->bytes == 0 || p->bytes > SIZE_MAX) {
        *wrong = p->bytes ? "it is larger than the address space" : "it is empty";
        return VG_OK;
    }
    void *map = mmap(NULL, p->bytes, PROT_READ, MAP_SHARED, p->fd, 0);
    if (map == MAP_FAILED)
        return vg_fail(err, VG_E_NOMEM, "%s: %llu bytes cannot be mapped: %s", path,
                       (unsigned long long)p->bytes, strerror(errno));
    p->map = map;
    return VG_OK;
}

vg_status vg_packed_open(const char *path, const char *key, vg_packed **packed, char why[200],
                         vg_error *err)
{
    *packed = NULL;
    why[0] = '\0';
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
    if (fd < 0 && errno == ENOENT)
        return VG_OK;
    if (fd < 0)
        return vg_fail(err, VG_E_IO, "%s: %s", path, strerror(errno));
    vg_packed *p = vg_calloc(1, sizeof *p);
    if (!p) {
        close(fd);
        return vg_fail(err, VG_E_NOMEM, "%s: out of memory", path);
    }
    p->fd = fd;
    const char *wrong = NULL;
    uint64_t check = 0;
    vg_status status = map_file(p, path, &wrong, err);
    if (!status && !wrong)
        wrong = check_header(p, key, &check);
    if (!status && !wrong)
        wrong = check_index(p, check);
    if (status || wrong) {
        if (wrong)
            snprintf(why, 200, "%s", wrong);
        vg_packed_close(p);
        return status;
    }
    *packed = p;
    return VG_OK;
}

void vg_packed_close(vg_packed *p)
{
    if (!p)
        return;
    if (p->map)
        munmap((void *)p->map, p->bytes);
    close(p->fd);
    free(p);
}

bool vg_packed_current(const vg_packed *p, const char *path)
{
    struct stat st;
    if (stat(path, &st) != 0)
        return !p;
    return p && p->device == (uint64_t)st.st_dev && p->inode == (uint64_t)st.st_ino;
}

bool vg_packed_whole(const vg_packed *p)
{
    struct stat st;
    return fstat(p->fd, &st) == 0 && (uint64_t)st.st_size == p->bytes;
}

static bool same_hash(const vg_hash128 *a, const vg_hash128 *b)
{
    return a->low == b->low && a->high == b->high;
}

const vg_packed_entry *vg_packed_by_name(const vg_packed *p, vg_hash128 name)
{
    uint64_t mask = p->slots - 1;
    for (uint64_t i = 0, at = name.low & mask; i < p->slots; i++, at = (at + 1) & mask) {
        uint32_t number = p->by_name[at];
        if (!number || number > p->count)
            return NULL;
        if (same_hash(&p->entries[number - 1].name, &name))
            return &p->entries[number - 1];
    }
    return NULL;
}

const vg_packed_entry *vg_packed_by_content(const vg_packed *p, vg_hash128 content,
                                            uint64_t *cursor)
{
    uint64_t mask = p->slots - 1;
    uint64_t at = *cursor == UINT64_MAX ? content.low & mask : (*cursor + 1) & mask;
    for (uint64_t i = 0; i < p->slots; i++, at = (at + 1) & mask) {
        uint32_t number = p->by_content[at];
        if (!number || number > p->count)
            return NULL;
        if (same_hash(&p->entries[number - 1].content, &content)) {
            *cursor = at;
            return &p->entries[number - 1];
        }
    }
    return NULL;
}

const vg_record *vg_packed_record(const vg_packed *p, const vg_packed_entry *entry)
{
    if (entry->offset % VG_RECORD_ALIGN || entry->offset < p->begin || entry->offset >= p->end ||
        entry->bytes > p->end - entry->offset)
        return NULL;
    const vg_record *record = (const vg_record *)(p->map + entry->offset);
    if (!vg_record_valid(record, entry->bytes) || record->bytes != entry->bytes ||
        record->content != entry->content.low)
        return NULL;
    return record;
}
