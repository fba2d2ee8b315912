/*
 * Connections that are seen twice: a listener at all interfaces sees one that this host translates
 * on its way (to a server in a container) before and behind it, with another server's address,
 * or client's, and all else alike.  It is to be counted once.
 *
 * Known by both ends' first sequence numbers and the client's port: the server's number is none
 * that a client could choose, so that nobody can hide behind another connection.  Only proven ones
 * are listed.  The one that was seen first stays, except that of two clients, the one that is
 * no address of this machine is the true one.  Of the other nothing more is told; it keeps its
 * place in the table, so that its segments open nothing.
 *
 * Lists by a keyed hash; a connection is in its list from when it is proven until its end.
 */
#include "sniffer/flow_impl.h"

enum { LOOKS = 64 }; /* captures may be made by hand; else a list is short, and twins come soon */

static struct weir_connection **list_of(struct weir_flows *flows, const struct weir_connection *c)
{
    const uint32_t word[] = {c->client_first, c->server_first, c->flow.client_port};
    return &flows->twins[weir_short_hash(&flows->key, word, 3) & (WEIR_FLOW_TWINS - 1)];
}

static void enlist(struct weir_flows *flows, struct weir_connection *c)
{
    struct weir_connection **list = list_of(flows, c);
    c->twin_next = *list;
    c->twin_at = list;
    if (*list)
        (*list)->twin_at = &c->twin_next;
    *list = c;
}

void weir_flow_copy_delist(struct weir_connection *c)
{
    if (!c->twin_at)
        return;
    *c->twin_at = c->twin_next;
    if (c->twin_next)
        c->twin_next->twin_at = c->twin_at;
    c->twin_at = NULL;
}

static bool are_twins(const struct weir_flows *flows, const struct weir_connection *a,
                      const struct weir_connection *b)
{
    return a->client_first == b->client_first && a->server_first == b->server_first &&
           a->flow.client_port == b->flow.client_port &&
           (weir_address_equal(&a->flow.client, &b->flow.client) ||
            weir_flow_is_own(flows, &a->flow.client) != weir_flow_is_own(flows, &b->flow.client));
}

static struct weir_connection *twin_of(struct weir_flows *flows, const struct weir_connection *c)
{
    struct weir_connection *twin = *list_of(flows, c);
    for (unsigned i = 0; twin && i < LOOKS; i++, twin = twin->twin_next) {
        if (are_twins(flows, twin, c))
            return twin;
    }
    return NULL;
}

/* From now on nothing is told of it. */
static void make_copy(struct weir_flows *flows, struct weir_connection *c)
{
    c->copy = true;
    flows->counts.copies++;
    weir_flow_queue_again(flows, c, WEIR_FLOW_COPY);
}

bool weir_flow_copy_is(struct weir_flows *flows, struct weir_connection *c)
{
    struct weir_connection *twin = twin_of(flows, c);
    if (twin && (!weir_flow_is_own(flows, &twin->flow.client) ||
                 weir_flow_is_own(flows, &c->flow.client))) {
        make_copy(flows, c);
        return true;
    }
    if (twin) {
        weir_flow_close(flows, twin, WEIR_FLOW_REPLACED);
        make_copy(flows, twin);
    }
    enlist(flows, c);
    return false;
}

void weir_flow_copy_take(struct weir_flows *flows, struct weir_connection *c, unsigned flags)
{
    bool ends = flags & (WEIR_TCP_FIN | WEIR_TCP_RST);
    weir_flow_queue_again(flows, c, ends ? WEIR_FLOW_OVER : WEIR_FLOW_COPY);
}
