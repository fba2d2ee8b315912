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

/* Whether a file's head is one of ours: version 2.4, whichever end comes first. */
static bool read_head(struct weir_plain *plain, const uint8_t head[static HEAD])
{
    static const uint32_t micros = 0xa1b2c3d4, nanos = 0xa1b23c4d;
    uint16_t version[2];
    uint32_t mark;

    memcpy(&mark, head, sizeof mark);
    plain->swapped = mark != micros && mark != nanos;
    mark = plain->swapped ? __builtin_bswap32(mark) : mark;
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

/* Fills the buffer up; whether there is more than before. */
static bool fill(struct weir_plain *plain)
{
    size_t left = plain->len - plain->at, room = ROOM - left, got;

    memmove(plain->octets, plain->octets + plain->at, left);
    plain->offset += plain->at;
    plain->at = 0;
    got = fread(plain->octets + left, 1, room < PIECE ? room : PIECE, plain->file);
    plain->len = left + got;
    return got > 0;
}

/* The record at hand, if it is whole and sound: 1; 0: it may be, with more of the file; -1. */
static int read_record(struct weir_plain *plain, struct weir_plain_record *record_r)
{
    enum { SECONDS, PART, CAPTURED, WIRE, NUMBERS };
    const uint8_t *at = plain->octets + plain->at;
    size_t there = plain->len - plain->at;
    uint32_t number[NUMBERS];

    if (there < RECORD)
        return 0;
    memcpy(number, at, RECORD);
    if (plain->swapped)
        for (int i = 0; i < NUMBERS; i++)
            number[i] = __builtin_bswap32(number[i]);
    if (plain->nanoseconds)
        number[PART] /= 1000;
    if (number[SECONDS] > INT32_MAX || number[PART] >= WEIR_SECOND ||
        number[CAPTURED] > plain->most)
        return -1;
    if (there - RECORD < number[CAPTURED])
        return 0;
    plain->at += RECORD + number[CAPTURED];
    *record_r = (struct weir_plain_record){.time = number[SECONDS] * WEIR_SECOND + number[PART],
                                           .octets = at + RECORD,
                                           .captured = number[CAPTURED],
                                           .wire = number[WIRE]};
    return 1;
}

bool weir_plain_next(struct weir_plain *plain, struct weir_plain_record *record_r)
{
    int found;

    while ((found = read_record(plain, record_r)) == 0 && fill(plain))
        continue;
    if (found > 0)
        return true;
    (void)fseeko(plain->file, (off_t)(plain->offset + plain->at), SEEK_SET);
    return false;
}
