/*
 * gateways_impl - what gateways.c, gateway_profile.c, gateway_review.c and gateways_save.c share.
 *
 *     gateways -> chain[hash] -> entry -> next -> ...     entries: as many as were ever needed
 *     entry    -> use[listener]: its part of a listener's mail
 */
#ifndef WEIR_MAIL_GATEWAYS_IMPL_H
#define WEIR_MAIL_GATEWAYS_IMPL_H

#include "core/base/limits.h"
#include "core/mail/gateways.h"
#include "core/mail/hyperloglog.h"

#define WEIR_GATEWAY_RECIPIENTS 8 /* counted by name: more than any forwarder has */
#define WEIR_GATEWAY_USES 4       /* listeners an address is counted at */
#define WEIR_GATEWAY_RECENT 7     /* the recent numbers decay so many times as fast */
#define WEIR_GATEWAY_NOBODY UINT16_MAX
#define WEIR_GATEWAY_WHY_MAX 64

/* All decayed numbers of an entry hold at its time at. */
struct weir_gateway_use {
    int16_t listener; /* -1: free */
    double messages, recent;
};

struct weir_gateway_recipient {
    uint64_t hash; /* 0: free */
    double messages;
};

struct weir_gateway {
    struct weir_address address;
    uint16_t next;
    uint8_t state; /* enum weir_gateway_state */
    bool decided;  /* by an analyst */
    weir_time at, first, last;
    weir_time low_since;               /* 0: its share is not low */
    double messages, vouched, hidden;  /* vouched: by DKIM of its name; hidden: private next hop */
    double peak;                       /* highest share while active */
    int64_t day, generation;
    uint32_t days; /* bit n: seen n days before day */
    struct weir_hyperloglog networks, domains, recipients;
    struct weir_gateway_recipient recipient[WEIR_GATEWAY_RECIPIENTS];
    struct weir_gateway_use use[WEIR_GATEWAY_USES];
};

struct weir_gateway_listener {
    uint64_t hash;
    weir_time at;
    double messages, recent;
    double met; /* of messages: came from a gateway */
};

struct weir_gateway_reason {
    struct weir_prefix prefix;
    char why[WEIR_GATEWAY_WHY_MAX];
};

struct weir_gateways {
    struct weir_gateway_settings settings;
    struct weir_hash_key key;
    struct weir_prefix configured[WEIR_GATEWAYS_MAX];
    size_t configureds;
    struct weir_gateway_reason *reason;
    size_t reasons;
    struct weir_gateway_listener listener[WEIR_GATEWAY_LISTENERS_MAX];
    size_t listeners;
    struct weir_gateway *entry[WEIR_GATEWAY_CANDIDATES_MAX];
    uint16_t chain[WEIR_GATEWAY_CANDIDATES_MAX];
    size_t entries, hand;
};

/* gateways.c */
bool weir_gateway_configured(const struct weir_gateways *gateways,
                             const struct weir_address *address);
struct weir_gateway *weir_gateway_find(const struct weir_gateways *gateways,
                                       const struct weir_address *address);

/* The entry of an address, made when there is none; NULL when there is no room for it. */
struct weir_gateway *weir_gateway_make(struct weir_gateways *gateways,
                                       const struct weir_address *address, weir_time now);

/* Whether a state is kept though the address is not seen: such entries make no room. */
bool weir_gateway_kept(const struct weir_gateway *gateway);
size_t weir_gateways_kept(const struct weir_gateways *gateways);

/* Forgets all entries and listeners. */
void weir_gateways_empty(struct weir_gateways *gateways);

/* gateway_profile.c: what is counted of an address. */
struct weir_gateway_figures {
    double messages, days, share, recent_share, networks, domains, recipients;
    bool judged; /* its listener had enough mail lately to say anything of recent_share */
};

/* Brings the decayed numbers to a time. */
void weir_gateway_touch(struct weir_gateway *gateway, weir_time now, weir_time half_life);
void weir_listener_touch(struct weir_gateway_listener *listener, weir_time now,
                         weir_time half_life);
void weir_gateway_count(struct weir_gateways *gateways, struct weir_gateway *gateway,
                        const struct weir_gateway_sighting *sighting, size_t listener);

/* Of a touched entry. */
struct weir_gateway_figures weir_gateway_figures(const struct weir_gateways *gateways,
                                                 const struct weir_gateway *gateway);

/* The part of its mail that its most frequent recipients get, so many of them. */
double weir_gateway_top_recipients(const struct weir_gateway *gateway, size_t recipients);

/* Whether this recipient is one of the so many most frequent. */
bool weir_gateway_has_recipient(const struct weir_gateways *gateways,
                                const struct weir_gateway *gateway, struct weir_slice recipient);

/* A hash of a text, any case, under the key; never 0.  kind keeps uses apart. */
uint64_t weir_gateway_hash(const struct weir_gateways *gateways, char kind,
                           struct weir_slice text);

/* gateway_review.c: why something is a gateway beside its statistics, or NULL. */
const char *weir_gateway_reason(const struct weir_gateways *gateways,
                                const struct weir_address *address);
const char *weir_gateway_why(const struct weir_gateways *gateways,
                             const struct weir_gateway *gateway);

#endif
