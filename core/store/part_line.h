/*
 * part_line - a line of the spool (spool_io.h) with a part of something that is too long for one:
 * the text of a reported message, the tokens of one that teaches.
 *
 *     at=<time> part=<kind> uid=<16 hex digits> of=<number>/<parts> len=<octets of the whole>
 *     sum=<16 hex digits> octets=<base64url>
 *
 * Each part but the last has WEIR_PART_OCTETS octets, so that the length of the whole says how many
 * there are and where each belongs; a line that says anything else is none.  The sum is of the
 * whole: parts of two things with the same uid do not mix, and a whole that was put together
 * wrongly is known.  It keeps nobody from forging; who may write to a spool is believed so far.
 *
 *     for (uint32_t i = 0; i < weir_part_lines(whole.octets.len); i++)
 *         weir_part_line_write(&whole, i, &line);
 *
 * Gathered again by monitor/analyzer/gather.h.
 *
 * Owner:    the caller.  Threads: pure functions.
 * Limits:   WEIR_PART_WHOLE_MAX octets of the whole and at least 1, WEIR_PART_KIND_MAX letters of
 *           the kind.
 */
#ifndef WEIR_STORE_PART_LINE_H
#define WEIR_STORE_PART_LINE_H

#include <stdbool.h>

#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/limits.h"
#include "core/base/line.h"

struct weir_part_whole {
    weir_time at;              /* written; the reader goes by its own clock */
    const char *kind;          /* "message", "tokens": small letters */
    uint64_t uid;              /* of the message, as its string has it; or what else tells it */
    uint64_t sum;              /* weir_part_sum() of the octets */
    struct weir_slice octets;
};

/* How many lines so many octets need; 0: none, or more than there may be. */
uint32_t weir_part_lines(size_t len);

/* The sum of octets. */
uint64_t weir_part_sum(struct weir_slice octets);

/* Appends the line of a part, 0 the first, without a line end.  The line must have room for
 * WEIR_SPOOL_LINE_MAX. */
void weir_part_line_write(const struct weir_part_whole *whole, uint32_t number,
                          struct weir_line *line);

/* Of what it is a part. */
struct weir_part_of {
    char kind[WEIR_PART_KIND_MAX + 1];
    uint64_t uid, sum;
    uint32_t len, parts;
};

struct weir_part_line {
    struct weir_part_of of;
    uint32_t number;           /* from 0 */
    uint32_t from, octets;     /* where it lies in the whole, and how many it has */
    const uint8_t *octet;
};

/* Sets from and octets as number and the whole's length have it; false: there is no such part. */
bool weir_part_place(struct weir_part_line *part);

/* 1, with its octets decoded into the buffer; 0 for a line that is no such one. */
int weir_part_line_read(struct weir_slice text, uint8_t buffer[static WEIR_PART_OCTETS],
                        struct weir_part_line *part_r);

/* Whether a line says it is one: only a look at its front. */
bool weir_part_line_is(struct weir_slice text);

#endif
