/*
 * Plain values pointing into bytes that the caller owns.  A step first asks
 * whether it fits, then touches the bytes; one that does not fit makes the
 * cursor bad for good, and everything after it does nothing.
 */
#include "core/base/cursor.h"

#include <string.h>

struct weir_reader weir_reader(const void *bytes, size_t len)
{
    const uint8_t *at = bytes;
    return (struct weir_reader){.at = at, .end = len > 0 ? at + len : at};
}

const uint8_t *weir_read_bytes(struct weir_reader *r, size_t len)
{
    if (r->bad || len > (size_t)(r->end - r->at)) {
        r->bad = true;
        return NULL;
    }
    const uint8_t *bytes = r->at;
    if (len > 0)
        r->at += len;
    return bytes;
}

static uint64_t read_number(struct weir_reader *r, size_t octets)
{
    const uint8_t *bytes = weir_read_bytes(r, octets);
    uint64_t value = 0;
    for (size_t i = 0; bytes && i < octets; i++)
        value = value << 8 | bytes[i];
    return value;
}

uint8_t weir_read_u8(struct weir_reader *r)
{
    return (uint8_t)read_number(r, 1);
}

uint16_t weir_read_u16(struct weir_reader *r)
{
    return (uint16_t)read_number(r, 2);
}

uint32_t weir_read_u32(struct weir_reader *r)
{
    return (uint32_t)read_number(r, 4);
}

uint64_t weir_read_u64(struct weir_reader *r)
{
    return read_number(r, 8);
}

struct weir_slice weir_read_text8(struct weir_reader *r, size_t max)
{
    size_t len = weir_read_u8(r);
    if (len > max)
        r->bad = true;
    const uint8_t *bytes = weir_read_bytes(r, len);
    /* "" and not NULL, so that a careless "%.*s" prints nothing */
    if (!bytes)
        return (struct weir_slice){.at = "", .len = 0};
    return (struct weir_slice){.at = (const char *)bytes, .len = len};
}

bool weir_reader_bad(const struct weir_reader *r)
{
    return r->bad;
}

bool weir_reader_done(const struct weir_reader *r)
{
    return !r->bad && r->at == r->end;
}

struct weir_writer weir_writer(void *room, size_t len)
{
    uint8_t *start = room;
    return (struct weir_writer){.start = start, .at = start, .end = len > 0 ? start + len : start};
}

void weir_write_bytes(struct weir_writer *w, const void *bytes, size_t len)
{
    if (w->bad || len > (size_t)(w->end - w->at)) {
        w->bad = true;
        return;
    }
    if (len == 0)
        return;
    memcpy(w->at, bytes, len);
    w->at += len;
}

static void write_number(struct weir_writer *w, uint64_t value, size_t octets)
{
    uint8_t bytes[8];
    for (size_t i = octets; i > 0; i--) {
        bytes[i - 1] = (uint8_t)value;
        value >>= 8;
    }
    weir_write_bytes(w, bytes, octets);
}

void weir_write_u8(struct weir_writer *w, uint8_t value)
{
    write_number(w, value, 1);
}

void weir_write_u16(struct weir_writer *w, uint16_t value)
{
    write_number(w, value, 2);
}

void weir_write_u32(struct weir_writer *w, uint32_t value)
{
    write_number(w, value, 4);
}

void weir_write_u64(struct weir_writer *w, uint64_t value)
{
    write_number(w, value, 8);
}

void weir_write_text8(struct weir_writer *w, const char *text, size_t len)
{
    if (len > UINT8_MAX) {
        w->bad = true;
        return;
    }
    weir_write_u8(w, (uint8_t)len);
    weir_write_bytes(w, text, len);
}

size_t weir_writer_len(const struct weir_writer *w)
{
    return w->bad ? 0 : (size_t)(w->at - w->start);
}
