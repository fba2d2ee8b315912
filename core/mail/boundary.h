/*
 * boundary - the address at which a message came in from outside (claims C7-C13).
 *
 * hop[0] is the peer as the mail server saw it, never from a header; hop[i] is the
 * i-th Received field from the top.  The walk goes down while the hop is a gateway
 * and the next field can be read and was written by that gateway (its "by" is a name of the
 * gateway); the first other hop is the boundary.  A header below it proves nothing:
 * whoever stands there could have written it.
 *
 *     connect        hop[0]: right for an MX
 *     preconfigured  gateways of the configuration, nothing learned
 *     hop            so many hops behind the last gateway: 1 is what preconfigured finds; with
 *                    more, hops between count as gateways because the operator says so, but
 *                    only behind a gateway: a foreign peer is the boundary itself
 *     learned        configured and learned gateways
 *     adaptive       learned, and the usual place of this listener: where a gateway
 *                    was always met and is not now, hop[0] and a flag
 *
 * Threads:  pure functions, but for settings.domains.  Limits: WEIR_HOPS_MAX.
 */
#ifndef WEIR_MAIL_BOUNDARY_H
#define WEIR_MAIL_BOUNDARY_H

#include "core/base/arena.h"
#include "core/mail/domain.h"
#include "core/mail/gateways.h"
#include "core/mail/message.h"
#include "core/mail/received.h"

enum weir_boundary_mode {
    WEIR_BOUNDARY_CONNECT,
    WEIR_BOUNDARY_PRECONFIGURED,
    WEIR_BOUNDARY_HOP,
    WEIR_BOUNDARY_LEARNED,
    WEIR_BOUNDARY_ADAPTIVE,
    WEIR_BOUNDARY_MODES
};

/* Why the walk ended where it did. */
enum weir_boundary_end {
    WEIR_BOUNDARY_BY_MODE,        /* mode connect */
    WEIR_BOUNDARY_NO_GATEWAY,     /* this hop is no gateway: the normal end */
    WEIR_BOUNDARY_NO_FIELD,       /* no further Received field */
    WEIR_BOUNDARY_UNREADABLE,     /* the next field cannot be read, or has no address */
    WEIR_BOUNDARY_OTHER_WRITER,   /* the next field was not written by this gateway */
    WEIR_BOUNDARY_FETCHED,        /* the next field is from fetchmail or the like */
    WEIR_BOUNDARY_AUTHENTICATED,  /* submitted by a user of the gateway: no boundary at all */
    WEIR_BOUNDARY_LOCAL,          /* no peer: submitted on this machine */
    WEIR_BOUNDARY_UNUSUAL,        /* adaptive: no gateway where there always was one */
    WEIR_BOUNDARY_ENDS
};
/* "the peer, as configured", "not a gateway", ...: words for log and people. */
const char *weir_boundary_end_text(enum weir_boundary_end end);
/* "mode", "no-gateway", ...: one word for the log. */
const char *weir_boundary_end_name(enum weir_boundary_end end);

struct weir_boundary_settings {
    int mode;                     /* enum weir_boundary_mode */
    int64_t hops;                 /* mode hop: so many behind the last gateway */
    const struct weir_gateways *gateways;
    /* Names the gateways call themselves in "by", beside what their own verified name says;
     * a domain covers the names below it.  Empty: a name is believed when the hop above shows
     * the same name or organizational domain as host or HELO.  A gateway's own address is always
     * believed as "by", and of a gateway on this machine (loopback) with no names any. */
    const char *const *name;
    size_t names;
    struct weir_domains *domains; /* NULL: only same names and names below each other count */
};

struct weir_hop {
    bool has_address;
    bool gateway;                 /* may be passed, in this mode and for this recipient */
    bool believed;                /* written by one that was passed, or the peer itself */
    struct weir_address address;
    struct weir_slice host;       /* verified name, else HELO; may be empty */
    struct weir_slice name;       /* verified name alone */
    struct weir_slice by;
};

struct weir_boundary {
    bool found;                   /* false: AUTHENTICATED, LOCAL, FETCHED, or nothing can be told */
    struct weir_address address;
    struct weir_slice name;       /* verified name of the boundary hop; may be empty */
    struct weir_slice helo;       /* what it called itself; may be empty */
    size_t index;                 /* of the hop that was chosen: 0 is the peer, i the i-th Received
                                   * field (behind the peer's skip) */
    enum weir_boundary_end end;
    bool unusual;                 /* adaptive: a gateway was expected and not met */
    const struct weir_hop *hop;   /* all, believed or not, in the arena: for people, for learning */
    size_t hops;
};

/* What the mail server knows of the peer. */
struct weir_peer {
    bool has_address;
    struct weir_address address;
    struct weir_slice name;       /* verified, or "unknown" */
    struct weir_slice helo;
    bool authenticated;
    struct weir_slice listener;   /* which of our ports and addresses took it; may be empty */
    struct weir_slice recipient;  /* the first; may be empty */
    size_t skip;                  /* Received fields on top that tell of this peer itself */
};

/* The peer of a message that lies in a file, from the topmost Received field with a "from", which
 * the reader's own server wrote, or, when the message was fetched from a mailbox, the first below
 * that: 1; 0 when there is none that can be read.  Never for mail just coming in. */
int weir_peer_of_message(const struct weir_message *message, struct weir_peer *peer_r);

/* 0 or WEIR_ENOMEM. */
int weir_boundary_find(const struct weir_boundary_settings *settings,
                       const struct weir_peer *peer, const struct weir_message *message,
                       struct weir_arena *arena, struct weir_boundary *boundary_r);

/* Counts the hops from the peer to the boundary for learning; about has what the walk does not
 * know: at, listener, domain, recipient, dkim_domain. */
void weir_boundary_observe(struct weir_gateways *gateways, const struct weir_boundary *boundary,
                           const struct weir_gateway_sighting *about);

/* The "stated domain" the sender claims: the domain of From (the first mailbox), else of
 * the envelope sender; as written, empty when there is none. */
struct weir_slice weir_stated_domain(const struct weir_message *message, struct weir_slice sender);

#endif
