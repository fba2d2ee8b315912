/*
 * The table of addresses and what is asked of it.  Entries are made one by one as addresses come,
 * so that a process that only asks holds little; from WEIR_GATEWAY_CANDIDATES_MAX on a new address
 * takes the place of one of the least seen, found by a hand that goes round: a flood of addresses
 * pushes out each other, not what is seen every day.  Refused are new addresses when
 * every entry is in a state that is kept.
 */
#include "core/mail/gateways_impl.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define GROUP 16         /* entries of which the least seen makes room */
#define USUAL_SHARE 0.95 /* of a listener's recent mail */
#define USUAL_LEAST 20   /* messages lately, or nothing is usual */

const char *weir_gateway_state_name(enum weir_gateway_state state)
{
    static const char *const name[WEIR_GATEWAY_STATES] = {
        [WEIR_GATEWAY_NONE] = "none",           [WEIR_GATEWAY_CANDIDATE] = "candidate",
        [WEIR_GATEWAY_PROPOSED] = "proposed",   [WEIR_GATEWAY_ACTIVE] = "active",
        [WEIR_GATEWAY_CONFIGURED] = "configured", [WEIR_GATEWAY_FORWARDER] = "forwarder",
        [WEIR_GATEWAY_PROVIDER] = "provider",   [WEIR_GATEWAY_DEMOTED] = "demoted",
        [WEIR_GATEWAY_REJECTED] = "rejected",
    };
    return (unsigned)state < WEIR_GATEWAY_STATES ? name[state] : "unknown";
}

struct weir_gateway_settings weir_gateway_defaults(void)
{
    return (struct weir_gateway_settings){
        .messages_least = 1000,
        .days_least = 3,
        .share_least = 0.05,
        .networks_least = 64,
        .forwarder_recipients = 3,
        .half_life = 7 * WEIR_DAY,
    };
}

int weir_gateways_new(const struct weir_gateway_settings *settings,
                      const struct weir_hash_key *key, struct weir_gateways **gateways_r)
{
    struct weir_gateways *gateways = calloc(1, sizeof *gateways);
    if (!gateways)
        return WEIR_ENOMEM;
    gateways->settings = *settings;
    if (settings->half_life < WEIR_HOUR)
        gateways->settings.half_life = weir_gateway_defaults().half_life;
    gateways->key = *key;
    weir_gateways_empty(gateways);
    *gateways_r = gateways;
    return 0;
}

void weir_gateways_empty(struct weir_gateways *gateways)
{
    for (size_t i = 0; i < gateways->entries; i++)
        free(gateways->entry[i]);
    memset(gateways->chain, 0xff, sizeof gateways->chain); /* WEIR_GATEWAY_NOBODY */
    gateways->entries = gateways->hand = gateways->listeners = 0;
}

void weir_gateways_free(struct weir_gateways **gateways)
{
    if (!*gateways)
        return;
    weir_gateways_empty(*gateways);
    free((*gateways)->reason);
    free(*gateways);
    *gateways = NULL;
}

int weir_gateways_configure(struct weir_gateways *gateways, const struct weir_prefix *prefix)
{
    if (gateways->configureds == WEIR_GATEWAYS_MAX)
        return WEIR_ELIMIT;
    gateways->configured[gateways->configureds++] = *prefix;
    return 0;
}

int weir_gateways_corroborate(struct weir_gateways *gateways, const struct weir_prefix *prefix,
                              const char *why)
{
    if (gateways->reasons == WEIR_GATEWAYS_MAX)
        return WEIR_ELIMIT;
    struct weir_gateway_reason *reason =
        realloc(gateways->reason, (gateways->reasons + 1) * sizeof *reason);
    if (!reason)
        return WEIR_ENOMEM;
    gateways->reason = reason;
    reason += gateways->reasons++;
    reason->prefix = *prefix;
    size_t len = strnlen(why, sizeof reason->why - 1);
    memcpy(reason->why, why, len);
    reason->why[len] = '\0';
    return 0;
}

bool weir_gateway_configured(const struct weir_gateways *gateways,
                             const struct weir_address *address)
{
    for (size_t i = 0; i < gateways->configureds; i++)
        if (weir_prefix_contains(&gateways->configured[i], address))
            return true;
    return false;
}

static size_t bucket(const struct weir_gateways *gateways, const struct weir_address *address)
{
    return weir_hash64(&gateways->key, address->octet, sizeof address->octet)
           % WEIR_GATEWAY_CANDIDATES_MAX;
}

struct weir_gateway *weir_gateway_find(const struct weir_gateways *gateways,
                                       const struct weir_address *address)
{
    uint16_t at = gateways->entries > 0 ? gateways->chain[bucket(gateways, address)]
                                        : WEIR_GATEWAY_NOBODY;
    while (at != WEIR_GATEWAY_NOBODY) {
        if (weir_address_equal(&gateways->entry[at]->address, address))
            return gateways->entry[at];
        at = gateways->entry[at]->next;
    }
    return NULL;
}

bool weir_gateway_kept(const struct weir_gateway *gateway)
{
    return gateway->decided
           || (gateway->state != WEIR_GATEWAY_CANDIDATE && gateway->state != WEIR_GATEWAY_PROVIDER
               && gateway->state != WEIR_GATEWAY_DEMOTED);
}

size_t weir_gateways_kept(const struct weir_gateways *gateways)
{
    size_t kept = 0;
    for (size_t i = 0; i < gateways->entries; i++)
        kept += weir_gateway_kept(gateways->entry[i]);
    return kept;
}

static double weight(const struct weir_gateways *gateways, const struct weir_gateway *gateway,
                     weir_time now)
{
    double age = now > gateway->at ? (double)(now - gateway->at) : 0;
    return gateway->messages * exp2(-age / (double)gateways->settings.half_life);
}

/* The least seen of the next group that has one to give away; NOBODY when none has. */
static uint16_t give_away(struct weir_gateways *gateways, weir_time now)
{
    uint16_t least = WEIR_GATEWAY_NOBODY;
    double seen = 0;
    for (size_t i = 0; i < gateways->entries; i++) {
        if (i % GROUP == 0 && least != WEIR_GATEWAY_NOBODY)
            break;
        size_t at = gateways->hand;
        gateways->hand = (at + 1) % gateways->entries;
        double here = weight(gateways, gateways->entry[at], now);
        if (weir_gateway_kept(gateways->entry[at])
            || (least != WEIR_GATEWAY_NOBODY && here >= seen))
            continue;
        least = (uint16_t)at;
        seen = here;
    }
    return least;
}

static void unchain(struct weir_gateways *gateways, uint16_t index)
{
    uint16_t *link = &gateways->chain[bucket(gateways, &gateways->entry[index]->address)];
    while (*link != index)
        link = &gateways->entry[*link]->next;
    *link = gateways->entry[index]->next;
}

/* Where a new entry goes; NOBODY when memory or room is short. */
static uint16_t room(struct weir_gateways *gateways, weir_time now)
{
    if (gateways->entries == WEIR_GATEWAY_CANDIDATES_MAX) {
        uint16_t index = give_away(gateways, now);
        if (index != WEIR_GATEWAY_NOBODY)
            unchain(gateways, index);
        return index;
    }
    struct weir_gateway *gateway = malloc(sizeof *gateway);
    if (!gateway)
        return WEIR_GATEWAY_NOBODY;
    gateways->entry[gateways->entries] = gateway;
    return (uint16_t)gateways->entries++;
}

struct weir_gateway *weir_gateway_make(struct weir_gateways *gateways,
                                       const struct weir_address *address, weir_time now)
{
    struct weir_gateway *gateway = weir_gateway_find(gateways, address);
    uint16_t index = gateway ? 0 : room(gateways, now);
    if (gateway || index == WEIR_GATEWAY_NOBODY)
        return gateway;
    uint16_t *chain = &gateways->chain[bucket(gateways, address)];
    gateway = gateways->entry[index];
    *gateway = (struct weir_gateway){
        .address = *address,
        .next = *chain,
        .state = WEIR_GATEWAY_CANDIDATE,
        .at = now,
        .first = now,
        .last = now,
        .day = now / WEIR_DAY,
        .generation = now / gateways->settings.half_life,
    };
    for (size_t i = 0; i < WEIR_GATEWAY_USES; i++)
        gateway->use[i].listener = -1;
    *chain = index;
    return gateway;
}

int weir_gateways_decide(struct weir_gateways *gateways, const struct weir_address *address,
                         enum weir_gateway_state state, weir_time now)
{
    if (state != WEIR_GATEWAY_ACTIVE && state != WEIR_GATEWAY_REJECTED
        && state != WEIR_GATEWAY_NONE)
        return WEIR_EINVAL;
    struct weir_gateway *gateway = weir_gateway_find(gateways, address);
    if (!gateway && state == WEIR_GATEWAY_NONE)
        return 0;
    bool kept = gateway && weir_gateway_kept(gateway);
    if (!kept && state != WEIR_GATEWAY_NONE && weir_gateways_kept(gateways) >= WEIR_GATEWAYS_MAX)
        return WEIR_ELIMIT;
    gateway = weir_gateway_make(gateways, address, now > 0 ? now : 0);
    if (!gateway)
        return WEIR_ENOMEM;
    gateway->decided = state != WEIR_GATEWAY_NONE;
    gateway->state = (uint8_t)(gateway->decided ? state : WEIR_GATEWAY_CANDIDATE);
    gateway->low_since = 0;
    gateway->peak = 0;
    return 0;
}

/* The number of a listener, taken in when it is new. */
static size_t listener_of(struct weir_gateways *gateways, struct weir_slice name, weir_time now)
{
    uint64_t hash = weir_gateway_hash(gateways, 'l', name);
    for (size_t i = 0; i < gateways->listeners; i++)
        if (gateways->listener[i].hash == hash)
            return i;
    if (gateways->listeners == WEIR_GATEWAY_LISTENERS_MAX)
        return hash % WEIR_GATEWAY_LISTENERS_MAX;
    gateways->listener[gateways->listeners] =
        (struct weir_gateway_listener){.hash = hash, .at = now};
    return gateways->listeners++;
}

void weir_gateways_observe(struct weir_gateways *gateways,
                           const struct weir_gateway_sighting *sighting)
{
    struct weir_gateway_sighting seen = *sighting;
    seen.at = seen.at > 0 ? seen.at : 0;
    size_t index = listener_of(gateways, seen.listener, seen.at);
    struct weir_gateway_listener *listener = &gateways->listener[index];
    weir_listener_touch(listener, seen.at, gateways->settings.half_life);
    if (!seen.deeper) {
        listener->messages += 1;
        listener->recent += 1;
        listener->met += weir_gateways_pass(gateways, &seen.address, seen.recipient);
    }
    struct weir_gateway *gateway = weir_gateway_make(gateways, &seen.address, seen.at);
    if (gateway)
        weir_gateway_count(gateways, gateway, &seen, index);
}

enum weir_gateway_state weir_gateways_state(const struct weir_gateways *gateways,
                                            const struct weir_address *address,
                                            struct weir_slice recipient)
{
    if (weir_gateway_configured(gateways, address))
        return WEIR_GATEWAY_CONFIGURED;
    const struct weir_gateway *gateway = weir_gateway_find(gateways, address);
    if (!gateway)
        return WEIR_GATEWAY_NONE;
    if (gateway->state == WEIR_GATEWAY_FORWARDER && recipient.len > 0
        && !weir_gateway_has_recipient(gateways, gateway, recipient))
        return WEIR_GATEWAY_CANDIDATE;
    return (enum weir_gateway_state)gateway->state;
}

bool weir_gateways_pass(const struct weir_gateways *gateways, const struct weir_address *address,
                        struct weir_slice recipient)
{
    enum weir_gateway_state state = weir_gateways_state(gateways, address, recipient);
    return state == WEIR_GATEWAY_CONFIGURED || state == WEIR_GATEWAY_ACTIVE
           || (state == WEIR_GATEWAY_FORWARDER && recipient.len > 0);
}

bool weir_gateways_usual(const struct weir_gateways *gateways, struct weir_slice listener)
{
    uint64_t hash = weir_gateway_hash(gateways, 'l', listener);
    for (size_t i = 0; i < gateways->listeners; i++) {
        const struct weir_gateway_listener *known = &gateways->listener[i];
        if (known->hash == hash)
            return known->messages >= USUAL_LEAST && known->met >= USUAL_SHARE * known->messages;
    }
    return false;
}

int weir_gateways_each(const struct weir_gateways *gateways, weir_time now,
                       int (*each)(void *context, const struct weir_gateway_view *view),
                       void *context)
{
    for (size_t i = 0; i < gateways->configureds; i++) {
        struct weir_gateway_view view = {.address = gateways->configured[i].address,
                                         .state = WEIR_GATEWAY_CONFIGURED, .why = "configured"};
        int rc = weir_gateway_find(gateways, &view.address) ? 0 : each(context, &view);
        if (rc != 0)
            return rc;
    }
    for (size_t i = 0; i < gateways->entries; i++) {
        struct weir_gateway gateway = *gateways->entry[i];
        weir_gateway_touch(&gateway, now, gateways->settings.half_life);
        struct weir_gateway_figures f = weir_gateway_figures(gateways, &gateway);
        bool configured = weir_gateway_configured(gateways, &gateway.address);
        struct weir_gateway_view view = {
            gateway.address, configured ? WEIR_GATEWAY_CONFIGURED : gateway.state,
            f.messages, f.share, f.networks, f.domains, f.recipients, f.days,
            gateway.first, gateway.last,
            configured ? "configured" : weir_gateway_why(gateways, &gateway)};
        int rc = each(context, &view);
        if (rc != 0)
            return rc;
    }
    return 0;
}
