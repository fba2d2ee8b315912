/*
 * ledger_event - what a message or a vote means for the counters, packed, until it is entered.
 *
 *     at u32 (seconds), kind u8 (0: a decision; else 16 + 4 * from + to: a vote), counted u8
 *     (as in a spam-info string), address 16, domain length u8 + text
 *
 * Threads:  pure.
 * Errors:   reading: what we do not write ends it.
 * Limits:   WEIR_LEDGER_EVENT_MAX octets.
 */
#ifndef WEIR_ANALYZER_LEDGER_EVENT_H
#define WEIR_ANALYZER_LEDGER_EVENT_H

#include "core/base/cursor.h"
#include "monitor/analyzer/ledger.h"

#define WEIR_LEDGER_EVENT_MAX (4 + 1 + 1 + 16 + 1 + WEIR_INFO_DOMAIN_MAX)

/* People's opinion changed; or, both the same, the message was judged. */
struct weir_ledger_event {
    const struct weir_info *info;  /* only at, boundary, domain and counted */
    enum weir_said from, to;
};

/* As of its own time, or of now when that lies in the future.  Returns its length, or 0 when it
 * changes no counter. */
size_t weir_ledger_event_write(const struct weir_ledger_event *event, weir_time now,
                              uint8_t octet_r[static WEIR_LEDGER_EVENT_MAX]);

/* Many events, cut into pieces. */
#define WEIR_LEDGER_PIECE 4096 /* events of one */
struct weir_ledger_pack {
    uint8_t *octet;
    size_t len, room, events;
    size_t *cut, cuts, cut_room; /* where pieces begin */
};

/* 0, WEIR_ENOMEM, or WEIR_ELIMIT beyond WEIR_LEDGER_MAX events. */
int weir_ledger_pack_add(struct weir_ledger_pack *pack, const struct weir_ledger_event *event,
                        weir_time now);

/* The octets of a piece, 0..cuts-1, and how many events it has. */
struct weir_slice weir_ledger_pack_piece(const struct weir_ledger_pack *pack, size_t number,
                                        size_t *events_r);

void weir_ledger_pack_clear(struct weir_ledger_pack *pack);
void weir_ledger_pack_free(struct weir_ledger_pack *pack);

/* Tallies events that were written one behind the other: how many; WEIR_ECORRUPT, WEIR_ENOMEM or
 * WEIR_ELIMIT, and some may be in it. */
int weir_ledger_events(struct weir_ledger *ledger, const void *octets, size_t len, weir_time now);

#endif
