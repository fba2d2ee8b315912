/*
 * A few dozen octets for each message, so that taking messages in is not held up by the eleven
 * counters that each of them changes.
 */
#include "monitor/analyzer/ledger_event.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"

#define VOTE 16

static uint32_t seconds(weir_time at, weir_time now)
{
    weir_time within = (at < now ? at : now) / WEIR_SECOND;

    return within > 0 && within < UINT32_MAX ? (uint32_t)within : 0;
}

size_t weir_ledger_event_write(const struct weir_ledger_event *event, weir_time now,
                              uint8_t octet_r[static WEIR_LEDGER_EVENT_MAX])
{
    const struct weir_info *info = event->info;
    const struct weir_counted *counted = &info->counted;
    const char *domain = info->domain_hashed ? "" : info->domain;
    struct weir_writer w = weir_writer(octet_r, WEIR_LEDGER_EVENT_MAX);
    bool vote = event->from != event->to;

    if (!info->has_boundary || (!vote && counted->computer == WEIR_SAID_NOTHING))
        return 0;
    weir_write_u32(&w, seconds(info->at, now));
    weir_write_u8(&w, (uint8_t)(vote ? VOTE + 4 * event->from + event->to : 0));
    weir_write_u8(&w, (uint8_t)(counted->computer | counted->stranger << 2 |
                                counted->new_group << 3));
    weir_write_bytes(&w, info->boundary.octet, sizeof info->boundary.octet);
    weir_write_text8(&w, domain, strnlen(domain, WEIR_INFO_DOMAIN_MAX));
    return weir_writer_len(&w);
}

/* Packs. -------------------------------------------------------------------- */

static bool make_room(struct weir_ledger_pack *pack)
{
    size_t room = pack->room > 0 ? 2 * pack->room : 1u << 16;
    uint8_t *more;

    if (pack->room - pack->len >= WEIR_LEDGER_EVENT_MAX)
        return true;
    more = realloc(pack->octet, room);
    if (!more)
        return false;
    pack->octet = more;
    pack->room = room;
    return true;
}

static bool begin_piece(struct weir_ledger_pack *pack)
{
    size_t *more = weir_grown(pack->cut, pack->cuts, &pack->cut_room, sizeof *more);

    if (!more)
        return false;
    pack->cut = more;
    pack->cut[pack->cuts++] = pack->len;
    return true;
}

int weir_ledger_pack_add(struct weir_ledger_pack *pack, const struct weir_ledger_event *event,
                        weir_time now)
{
    size_t len;

    if (pack->events >= WEIR_LEDGER_MAX)
        return WEIR_ELIMIT;
    if (!make_room(pack))
        return WEIR_ENOMEM;
    len = weir_ledger_event_write(event, now, pack->octet + pack->len);
    if (len == 0)
        return 0;
    if (pack->events % WEIR_LEDGER_PIECE == 0 && !begin_piece(pack))
        return WEIR_ENOMEM;
    pack->len += len;
    pack->events++;
    return 0;
}

struct weir_slice weir_ledger_pack_piece(const struct weir_ledger_pack *pack, size_t number,
                                        size_t *events_r)
{
    size_t from = pack->cut[number];
    bool last = number + 1 == pack->cuts;

    *events_r = last ? pack->events - number * WEIR_LEDGER_PIECE : WEIR_LEDGER_PIECE;
    return (struct weir_slice){(const char *)pack->octet + from,
                               (last ? pack->len : pack->cut[number + 1]) - from};
}

void weir_ledger_pack_clear(struct weir_ledger_pack *pack)
{
    pack->len = pack->events = pack->cuts = 0;
}

void weir_ledger_pack_free(struct weir_ledger_pack *pack)
{
    free(pack->octet);
    free(pack->cut);
    *pack = (struct weir_ledger_pack){.len = 0};
}

/* Reading. ------------------------------------------------------------------ */

static void read_event(struct weir_reader *r, struct weir_info *info, uint8_t *kind_r)
{
    const uint8_t *address, *domain;
    uint8_t counted, len;

    info->at = (weir_time)weir_read_u32(r) * WEIR_SECOND;
    *kind_r = weir_read_u8(r);
    counted = weir_read_u8(r);
    address = weir_read_bytes(r, sizeof info->boundary.octet);
    len = weir_read_u8(r);
    domain = weir_read_bytes(r, len);
    if (r->bad || len > WEIR_INFO_DOMAIN_MAX || counted > 15 || *kind_r > VOTE + 15) {
        r->bad = true;
        return;
    }
    info->counted = (struct weir_counted){.computer = (enum weir_said)(counted & 3),
                                          .stranger = counted & 4, .new_group = counted & 8};
    memcpy(info->boundary.octet, address, sizeof info->boundary.octet);
    memcpy(info->domain, domain, len);
    info->domain[len] = '\0';
}

int weir_ledger_events(struct weir_ledger *ledger, const void *octets, size_t len, weir_time now)
{
    struct weir_reader r = weir_reader(octets, len);
    struct weir_info info;
    int events = 0, rc = 0;
    uint8_t kind;

    memset(&info, 0, sizeof info);
    info.has_boundary = true;
    while (rc == 0 && !weir_reader_done(&r)) {
        read_event(&r, &info, &kind);
        if (r.bad)
            return WEIR_ECORRUPT;
        rc = kind == 0 ? weir_ledger_take(ledger, &info, now)
                       : weir_ledger_move(ledger, &info, (enum weir_said)(kind >> 2 & 3),
                                         (enum weir_said)(kind & 3), now);
        events++;
    }
    return rc < 0 ? rc : events;
}
