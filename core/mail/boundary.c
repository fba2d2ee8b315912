/*
 * The walk from the peer down the Received fields.  Each step asks two things: may this hop be
 * passed (it is a gateway), and did it write the field below (by its "by").  Only then is the
 * field believed.  Whatever else is in a message cannot move the boundary away from us:
 * the worst a forger below a gateway reaches is that the gateway itself is the boundary.
 *
 * All fields are read once, for people and for learning; hop[i] is the i-th field, so that a number
 * in a log line can be counted in the message.  The arena owns the hops.
 */
#include "core/mail/boundary.h"

#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/mail/envelope.h"
#include "core/mail/header_text.h"

struct walk {
    const struct weir_boundary_settings *settings;
    const struct weir_peer *peer;
    struct weir_hop *hop;
    struct weir_received *line; /* line[i] told of hop[i]; of the peer what the server knows */
    bool *readable;
    size_t hops;
    int64_t behind; /* mode hop: hops that may be passed behind the last gateway */
};

const char *weir_boundary_end_name(enum weir_boundary_end end)
{
    static const char *const name[WEIR_BOUNDARY_ENDS] = {
        [WEIR_BOUNDARY_BY_MODE] = "mode",
        [WEIR_BOUNDARY_NO_GATEWAY] = "no-gateway",
        [WEIR_BOUNDARY_NO_FIELD] = "no-field",
        [WEIR_BOUNDARY_UNREADABLE] = "unreadable",
        [WEIR_BOUNDARY_OTHER_WRITER] = "other-writer",
        [WEIR_BOUNDARY_FETCHED] = "fetched",
        [WEIR_BOUNDARY_AUTHENTICATED] = "authenticated",
        [WEIR_BOUNDARY_LOCAL] = "local",
        [WEIR_BOUNDARY_UNUSUAL] = "unusual",
    };
    return (unsigned)end < WEIR_BOUNDARY_ENDS ? name[end] : "unknown";
}

const char *weir_boundary_end_text(enum weir_boundary_end end)
{
    static const char *const text[WEIR_BOUNDARY_ENDS] = {
        [WEIR_BOUNDARY_BY_MODE] = "the peer, as configured",
        [WEIR_BOUNDARY_NO_GATEWAY] = "not a gateway",
        [WEIR_BOUNDARY_NO_FIELD] = "a gateway, but there is no further Received field",
        [WEIR_BOUNDARY_UNREADABLE] = "a gateway, but its Received field cannot be read",
        [WEIR_BOUNDARY_OTHER_WRITER] = "a gateway, but did not write the next Received field",
        [WEIR_BOUNDARY_FETCHED] = "fetched from a mailbox: where it came in cannot be told",
        [WEIR_BOUNDARY_AUTHENTICATED] = "submitted by a user who logged in",
        [WEIR_BOUNDARY_LOCAL] = "submitted on this machine",
        [WEIR_BOUNDARY_UNUSUAL] = "not a gateway, where there always was one",
    };
    return (unsigned)end < WEIR_BOUNDARY_ENDS ? text[end] : "unknown";
}

static struct weir_slice known_name(struct weir_slice name)
{
    bool unknown = name.len == 7 && strncasecmp(name.at, "unknown", 7) == 0;
    return unknown ? (struct weir_slice){name.at, 0} : name;
}

static struct weir_hop peer_hop(const struct weir_peer *peer)
{
    struct weir_slice name = known_name(peer->name);
    return (struct weir_hop){
        .has_address = peer->has_address,
        .believed = true,
        .address = peer->address,
        .host = name.len > 0 ? name : peer->helo,
        .name = name,
    };
}

static struct weir_hop line_hop(const struct weir_received *line)
{
    return (struct weir_hop){
        .has_address = line->has_address,
        .address = line->address,
        .host = line->name.len > 0 ? line->name : line->helo,
        .name = line->name,
        .by = line->by,
    };
}

static bool may_pass(const struct walk *walk, const struct weir_hop *hop)
{
    const struct weir_gateways *gateways = walk->settings->gateways;
    if (!gateways || !hop->has_address || walk->settings->mode == WEIR_BOUNDARY_CONNECT)
        return false;
    if (walk->settings->mode == WEIR_BOUNDARY_PRECONFIGURED
        || walk->settings->mode == WEIR_BOUNDARY_HOP)
        return weir_gateways_state(gateways, &hop->address, walk->peer->recipient)
               == WEIR_GATEWAY_CONFIGURED;
    return weir_gateways_pass(gateways, &hop->address, walk->peer->recipient);
}

/* The peer and all Received fields, each as a hop. */
static void read_hops(struct walk *walk, const struct weir_message *message)
{
    const struct weir_field *field;
    size_t from = 0, skip = walk->peer->skip;
    walk->hop[0] = peer_hop(walk->peer);
    walk->line[0] = (struct weir_received){.helo = walk->peer->helo};
    walk->readable[0] = true;
    walk->hops = 1;
    while (walk->hops <= WEIR_HOPS_MAX
           && (field = weir_message_field(message, 0, "Received", &from)) != NULL) {
        size_t at = walk->hops;
        if (skip > 0) {
            skip--;
            continue;
        }
        walk->readable[at] = weir_received_read(field->value, &walk->line[at]) > 0;
        if (!walk->readable[at])
            walk->line[at] = (struct weir_received){.has_address = false};
        walk->hop[at] = line_hop(&walk->line[at]);
        walk->hops++;
    }
    for (size_t i = 0; i < walk->hops; i++)
        walk->hop[i].gateway = may_pass(walk, &walk->hop[i]);
}

static bool below(const char *domain, const char *other)
{
    return strchr(other, '.') && weir_domain_within(domain, other);
}

/* Whether two names are of one house. */
static bool same_house(struct weir_domains *domains, struct weir_slice a, struct weir_slice b)
{
    char one[WEIR_DOMAIN_TEXT], other[WEIR_DOMAIN_TEXT];
    if (!weir_domain_normal(a.at, a.len, one) || !weir_domain_normal(b.at, b.len, other))
        return a.len > 0 && a.len == b.len && strncasecmp(a.at, b.at, a.len) == 0;
    if (strcmp(one, other) == 0 || below(one, other) || below(other, one))
        return true;
    return domains && strchr(one, '.') && strchr(other, '.')
           && weir_domain_organizational(domains, a.at, a.len, one) > 0
           && weir_domain_organizational(domains, b.at, b.len, other) > 0
           && strcmp(one, other) == 0;
}

static bool is_named(const struct weir_boundary_settings *settings, struct weir_slice by)
{
    char domain[WEIR_DOMAIN_TEXT];
    if (!weir_domain_normal(by.at, by.len, domain))
        return false;
    for (size_t i = 0; i < settings->names; i++) {
        char name[WEIR_DOMAIN_TEXT];
        if (weir_domain_normal(settings->name[i], strlen(settings->name[i]), name)
            && weir_domain_within(domain, name))
            return true;
    }
    return false;
}

/* Whether the field that has this "by" was written by the gateway at hop at. */
static bool wrote(const struct walk *walk, size_t at, struct weir_slice by)
{
    const struct weir_boundary_settings *settings = walk->settings;
    const struct weir_hop *hop = &walk->hop[at];
    struct weir_address address;
    if (by.len == 0)
        return false;
    if (weir_address_parse(by.at, by.len, &address) == 0)
        return weir_address_equal(&address, &hop->address);
    if (same_house(settings->domains, by, hop->name) || is_named(settings, by))
        return true;
    return settings->names == 0
           && (weir_address_is_loopback(&hop->address)
               || same_house(settings->domains, by, walk->line[at].helo));
}

/* The next hop that is none of qmail's remarks; hops when there is none. */
static size_t next_hop(const struct walk *walk, size_t at)
{
    do
        at++;
    while (at < walk->hops && walk->line[at].remark && !walk->line[at].local);
    return at;
}

/* Whether the walk ends at hop at, and why; if not, *next_r is believed. */
static bool ends(struct walk *walk, size_t at, size_t *next_r, enum weir_boundary_end *end_r)
{
    size_t next = next_hop(walk, at);
    const struct weir_received *line = next < walk->hops ? &walk->line[next] : NULL;
    *next_r = next;
    if (!line)
        *end_r = WEIR_BOUNDARY_NO_FIELD;
    else if (!walk->readable[next])
        *end_r = WEIR_BOUNDARY_UNREADABLE;
    else if (line->fetched)
        *end_r = WEIR_BOUNDARY_FETCHED;
    else if (line->remark)
        *end_r = WEIR_BOUNDARY_LOCAL;
    else if (!wrote(walk, at, line->by))
        *end_r = WEIR_BOUNDARY_OTHER_WRITER;
    else if (line->authenticated)
        *end_r = WEIR_BOUNDARY_AUTHENTICATED;
    else if (line->local)
        *end_r = WEIR_BOUNDARY_LOCAL;
    else if (!line->has_address)
        *end_r = WEIR_BOUNDARY_UNREADABLE;
    else
        return false;
    return true;
}

/* Whether hop at may be passed here: a gateway, or, in mode hop, one of those behind it. */
static bool passable(struct walk *walk, size_t at, bool met)
{
    bool counts_hops = walk->settings->mode == WEIR_BOUNDARY_HOP;
    if (walk->hop[at].gateway) {
        walk->behind = walk->settings->hops - 1;
        return true;
    }
    return counts_hops && met && walk->behind-- > 0;
}

static size_t walk_down(struct walk *walk, enum weir_boundary_end *end_r)
{
    size_t at = 0, next = 0, last_gateway = 0;
    bool met = false;
    while (passable(walk, at, met)) {
        met |= walk->hop[at].gateway;
        if (walk->hop[at].gateway)
            last_gateway = at;
        if (ends(walk, at, &next, end_r))
            return at;
        walk->hop[next].believed = true;
        at = next;
    }
    *end_r = WEIR_BOUNDARY_NO_GATEWAY;
    bool gateway_itself = met && walk->settings->mode == WEIR_BOUNDARY_HOP
                          && walk->settings->hops <= 0;
    return gateway_itself ? last_gateway : at;
}

static bool is_told(enum weir_boundary_end end)
{
    return end != WEIR_BOUNDARY_AUTHENTICATED && end != WEIR_BOUNDARY_LOCAL
           && end != WEIR_BOUNDARY_FETCHED;
}

static void choose(struct walk *walk, struct weir_boundary *boundary)
{
    const struct weir_boundary_settings *settings = walk->settings;
    if (walk->peer->authenticated)
        boundary->end = WEIR_BOUNDARY_AUTHENTICATED;
    else if (!walk->peer->has_address)
        boundary->end = WEIR_BOUNDARY_LOCAL;
    else if (settings->mode == WEIR_BOUNDARY_CONNECT)
        boundary->end = WEIR_BOUNDARY_BY_MODE;
    else
        boundary->index = walk_down(walk, &boundary->end);
    if (settings->mode == WEIR_BOUNDARY_ADAPTIVE && boundary->end == WEIR_BOUNDARY_NO_GATEWAY
        && boundary->index == 0 && settings->gateways
        && weir_gateways_usual(settings->gateways, walk->peer->listener)) {
        boundary->unusual = true;
        boundary->end = WEIR_BOUNDARY_UNUSUAL;
    }
}

int weir_boundary_find(const struct weir_boundary_settings *settings,
                       const struct weir_peer *peer, const struct weir_message *message,
                       struct weir_arena *arena, struct weir_boundary *boundary_r)
{
    struct walk walk = {.settings = settings, .peer = peer};
    struct weir_boundary boundary = {.end = WEIR_BOUNDARY_BY_MODE};
    walk.hop = weir_arena_zero(arena, WEIR_HOPS_MAX + 1, sizeof *walk.hop);
    walk.line = weir_arena_zero(arena, WEIR_HOPS_MAX + 1, sizeof *walk.line);
    walk.readable = weir_arena_zero(arena, WEIR_HOPS_MAX + 1, sizeof *walk.readable);
    if (!walk.hop || !walk.line || !walk.readable)
        return WEIR_ENOMEM;
    read_hops(&walk, message);
    choose(&walk, &boundary);
    const struct weir_hop *chosen = &walk.hop[boundary.index];
    boundary.found = is_told(boundary.end);
    if (boundary.found) {
        boundary.address = chosen->address;
        boundary.name = chosen->name;
        boundary.helo = walk.line[boundary.index].helo;
    }
    boundary.hop = walk.hop;
    boundary.hops = walk.hops;
    *boundary_r = boundary;
    return 0;
}

static struct weir_peer line_peer(const struct weir_received *line, size_t skip)
{
    return (struct weir_peer){
        .has_address = line->has_address && !line->local,
        .address = line->address,
        .name = line->name,
        .helo = line->helo,
        .authenticated = line->authenticated,
        .skip = skip,
    };
}

/* Down to the first public address all is our own doing: there a mark of fetchmail is believed,
 * and the message came in below it. */
int weir_peer_of_message(const struct weir_message *message, struct weir_peer *peer_r)
{
    const struct weir_field *field;
    struct weir_received line;
    size_t from = 0, fields = 0;
    bool found = false, outside = false;
    while (!outside && fields < WEIR_HOPS_MAX
           && (field = weir_message_field(message, 0, "Received", &from)) != NULL
           && weir_received_read(field->value, &line)) {
        fields++;
        bool inside = line.helo.len == 0 && !line.has_address && !line.local; /* no "from" */
        if (inside || (line.remark && !line.local))
            continue;
        if (!found && !line.fetched)
            *peer_r = line_peer(&line, fields);
        found = !line.fetched;
        outside = found && line.has_address && !weir_address_is_private(&line.address);
    }
    return found;
}

void weir_boundary_observe(struct weir_gateways *gateways, const struct weir_boundary *boundary,
                           const struct weir_gateway_sighting *about)
{
    struct weir_gateway_sighting sighting = *about;
    for (size_t i = 0; i <= boundary->index && boundary->found; i++) {
        const struct weir_hop *hop = &boundary->hop[i];
        if (!hop->believed || !hop->has_address)
            continue;
        size_t next = i + 1;
        while (next < boundary->hops && !boundary->hop[next].has_address)
            next++;
        sighting.deeper = i > 0;
        sighting.address = hop->address;
        sighting.name = hop->name;
        sighting.has_next = next < boundary->hops;
        if (sighting.has_next)
            sighting.next = boundary->hop[next].address;
        weir_gateways_observe(gateways, &sighting);
    }
}

struct weir_slice weir_stated_domain(const struct weir_message *message, struct weir_slice sender)
{
    size_t from = 0;
    bool several;
    const struct weir_field *field = weir_message_field(message, 0, "From", &from);
    struct weir_slice domain = {NULL, 0};
    if (field)
        domain = weir_mailbox_domain(weir_header_address(field->value, &several));
    return domain.len > 0 ? domain : weir_mailbox_domain(sender);
}
