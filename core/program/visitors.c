/*
 * visitors - a list in the order of coming; it is walked, for it is as long as a daemon's
 * connections at most, and a walk is of microseconds.
 */
#include "core/program/visitors.h"

#include <string.h>

static bool may_go(const struct weir_visitor *visitor)
{
    return !visitor->known && !visitor->cut && visitor->due != 0;
}

static bool is_of(const struct weir_visitor *visitor, const struct weir_prefix *from)
{
    return visitor->from.bits == from->bits &&
           memcmp(&visitor->from.address, &from->address, sizeof from->address) == 0;
}

/* The first stranger, of an address or of any (NULL), when there are more than `most`. */
static struct weir_visitor *too_many(const struct weir_visitors *visitors,
                                     const struct weir_prefix *from, size_t most)
{
    struct weir_visitor *first = NULL;
    size_t count = 0;

    for (struct weir_visitor *visitor = visitors->first; visitor; visitor = visitor->next) {
        if (!may_go(visitor) || (from && !is_of(visitor, from)))
            continue;
        first = first ? first : visitor;
        count++;
    }
    return count > most ? first : NULL;
}

struct weir_visitor *weir_visitors_opened(struct weir_visitors *visitors,
                                          struct weir_visitor *visitor, int fd,
                                          const struct weir_address *from, weir_time now)
{
    struct weir_visitor *goes;

    *visitor = (struct weir_visitor){.fd = fd, .from = weir_address_prefix(from, 32, 64),
                                     .due = now + visitors->limits.head, .before = visitors->last};
    if (visitors->last)
        visitors->last->next = visitor;
    else
        visitors->first = visitor;
    visitors->last = visitor;
    goes = too_many(visitors, &visitor->from, visitors->limits.of_address);
    goes = goes ? goes : too_many(visitors, NULL, visitors->limits.strangers);
    if (goes)
        goes->cut = true;
    return goes;
}

void weir_visitors_closed(struct weir_visitors *visitors, struct weir_visitor *visitor)
{
    if (visitor->before)
        visitor->before->next = visitor->next;
    else
        visitors->first = visitor->next;
    if (visitor->next)
        visitor->next->before = visitor->before;
    else
        visitors->last = visitor->before;
}

struct weir_visitor *weir_visitors_late(struct weir_visitors *visitors, weir_time now)
{
    for (struct weir_visitor *visitor = visitors->first; visitor; visitor = visitor->next) {
        if (visitor->cut || visitor->due == 0 || visitor->due > now)
            continue;
        visitor->cut = true;
        return visitor;
    }
    return NULL;
}
