/*
 * One buffer: what is left of a piece moves to its front, and the file fills up the rest.  Owns
 * the buffer.  A record is looked at only when all of it is there; its lengths are believed only
 * within the file's limit, which the buffer has room for.
 */
#include "sniffer/capture_plain_io.h"

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { HEAD = 24, RECORD = 16, PIECE = 128 << 10, MOST = 262144, ROOM = RECORD + MOST + PIECE };

struct weir_plain {
    FILE *file;
    uint32_t most;
    bool swapped, nanoseconds;
    uint64_t offset;            /* in the file, of the first octet in the buffer */
    size_t at, len;
    uint8_t octets[ROOM];
};

static uint32_t number(const struct weir_plain *plain, const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return plain->swapped ? __builtin_bswap32(value) : value;
}

/* Whether a file's head is one of ours: version 2.4, whichever end comes first. */
static bool read_head(struct weir_plain *plain, const uint8_t head[static HEAD])
{
    static const uint32_t micros = 0xa1b2c3d4, nanos = 0xa1b23c4d;
    uint16_t version[2];
    uint32_t mark;

    memcpy(&mark, head, sizeof mark);
    plain->swapped = mark != micros && mark != nanos;
    mark = number(plain, head);
    plain->nanoseconds = mark == nanos;
    memcpy(version, head + 4, sizeof version);
    if (plain->swapped)
        for (int i = 0; i < 2; i++)
            version[i] = __builtin_bswap16(version[i]);
    return (mark == micros || mark == nanos) && version[0] == 2 && version[1] == 4;
}

struct weir_plain *weir_plain_new(FILE *file, uint32_t most)
{
    struct weir_plain *plain;
    struct stat status;
    uint8_t head[HEAD];

    if (fstat(fileno(file), &status) < 0 || !S_ISREG(status.st_mode) || most == 0)
        return NULL;
    plain = malloc(sizeof *plain);
    if (!plain)
        return NULL;
    plain->file = file;
    plain->most = most < MOST ? most : MOST;
    plain->offset = HEAD;
    plain->at = plain->len = 0;
    if (pread(fileno(file), head, HEAD, 0) != HEAD || !read_head(plain, head) ||
        ftello(file) != HEAD)
        weir_plain_free(&plain);
    return plain;
}

void weir_plain_free(struct weir_plain **plain)
{
    free(*plain);
    *plain = NULL;
}

/* Whether so many octets are there. */
static bool has(struct weir_plain *plain, size_t len)
{
    if (plain->len - plain->at >= len)
        return true;
    memmove(plain->octets, plain->octets + plain->at, plain->len - plain->at);
    plain->offset += plain->at;
    plain->len -= plain->at;
    plain->at = 0;
    plain->len += fread(plain->octets + plain->len, 1,
                        plain->len + PIECE < ROOM ? PIECE : ROOM - plain->len, plain->file);
    return plain->len >= len;
}

/* Fills in a record, if there is a sound and whole one. */
static bool read_record(struct weir_plain *plain, struct weir_plain_record *record_r)
{
    const uint8_t *head;
    uint32_t seconds, part, captured;

    if (!has(plain, RECORD))
        return false;
    head = plain->octets + plain->at;
    seconds = number(plain, head);
    part = number(plain, head + 4);
    part = plain->nanoseconds ? part / 1000 : part;
    captured = number(plain, head + 8);
    if (seconds > INT32_MAX || part >= WEIR_SECOND || captured > plain->most ||
        !has(plain, RECORD + captured))
        return false;
    head = plain->octets + plain->at; /* it may have moved */
    *record_r = (struct weir_plain_record){.time = seconds * WEIR_SECOND + part,
                                           .octets = head + RECORD,
                                           .captured = captured,
                                           .wire = number(plain, head + 12)};
    plain->at += RECORD + captured;
    return true;
}

bool weir_plain_next(struct weir_plain *plain, struct weir_plain_record *record_r)
{
    if (read_record(plain, record_r))
        return true;
    (void)fseeko(plain->file, (off_t)(plain->offset + plain->at), SEEK_SET);
    return false;
}
