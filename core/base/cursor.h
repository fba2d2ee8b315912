/*
 * cursor - reading and writing bytes without ever stepping outside.
 *
 * The only way Weir reads a stored record.  After the first step that does not
 * fit, the cursor is in error and every further step does nothing and gives
 * zero; so a decoder reads all its fields and asks once at the end.
 * Numbers are big-endian.
 *
 *     struct weir_reader r = weir_reader(bytes, len);
 *     uint8_t version = weir_read_u8(&r);
 *     uint64_t until = weir_read_u64(&r);
 *     if (!weir_reader_done(&r)) return WEIR_ECORRUPT;
 */
#ifndef WEIR_BASE_CURSOR_H
#define WEIR_BASE_CURSOR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* A piece of somebody else's bytes; not NUL-terminated. */
struct weir_slice {
    const char *at;
    size_t len;
};

struct weir_reader {
    const uint8_t *at, *end;
    bool bad;
};

/* Reads len octets, which the caller keeps. */
struct weir_reader weir_reader(const void *bytes, size_t len);

/* The next number, or 0 and bad. */
uint8_t weir_read_u8(struct weir_reader *r);
uint16_t weir_read_u16(struct weir_reader *r);
uint32_t weir_read_u32(struct weir_reader *r);
uint64_t weir_read_u64(struct weir_reader *r);

/* len octets in place, or NULL and bad. */
const uint8_t *weir_read_bytes(struct weir_reader *r, size_t len);

/* A text of at most max octets behind its length in one octet. */
struct weir_slice weir_read_text8(struct weir_reader *r, size_t max);

bool weir_reader_bad(const struct weir_reader *r);

/* True when all went well and nothing is left over. */
bool weir_reader_done(const struct weir_reader *r);

struct weir_writer {
    uint8_t *start, *at, *end;
    bool bad;
};

/* Writes into room, which has len octets and belongs to the caller. */
struct weir_writer weir_writer(void *room, size_t len);

/* Write what fits whole; what does not makes the writer bad. */
void weir_write_u8(struct weir_writer *w, uint8_t value);
void weir_write_u16(struct weir_writer *w, uint16_t value);
void weir_write_u32(struct weir_writer *w, uint32_t value);
void weir_write_u64(struct weir_writer *w, uint64_t value);
void weir_write_bytes(struct weir_writer *w, const void *bytes, size_t len);

/* bad when len > 255. */
void weir_write_text8(struct weir_writer *w, const char *text, size_t len);

/* Octets written, or 0 when bad. */
size_t weir_writer_len(const struct weir_writer *w);

#endif
