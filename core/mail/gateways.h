/*
 * gateways - which addresses only pass on what others sent: configured, or learned.
 *
 * Behind a gateway (a forwarder, a filtering service, one's own relay) the peer of
 * the mail server is always the same, and says nothing about who sends.  Gateways
 * are learned from statistics, decayed with a half-life of 7 days: share of a
 * listener's mail, days seen, how many networks (/16, IPv6 /32) stand behind, how many sender
 * domains, how many recipients (claims C11, C12).  But one spam host that forges varied Received
 * lines has exactly a gateway's statistics.  So what is learned is only proposed until something
 * corroborates it: a private or own address, an MX of our domains, the
 * configuration, or an analyst.
 *
 *     candidate -> proposed -> active -> demoted (share fell tenfold for a half-life)
 *     forwarder: the same, for at most 3 recipients: active for these alone
 *     provider:  few or private networks behind, DKIM vouches for its name: a boundary
 *
 * Owner:    the caller owns the handle.  Threads: one handle, one thread.
 * Errors:   WEIR_ENOMEM; WEIR_ECORRUPT for saved text that cannot be read.
 * Limits:   WEIR_GATEWAYS_MAX prefixes of each kind, and as many addresses in a state that is kept;
 *           WEIR_GATEWAY_CANDIDATES_MAX addresses in all: then one of the least seen
 *           candidates makes room.  WEIR_GATEWAY_LISTENERS_MAX listeners; further ones are
 *           counted together with one of them.  Below 4 MB.
 */
#ifndef WEIR_MAIL_GATEWAYS_H
#define WEIR_MAIL_GATEWAYS_H

#include <stdbool.h>
#include <stdio.h>

#include "core/base/address.h"
#include "core/base/clock.h"
#include "core/base/cursor.h"
#include "core/base/keyed_hash.h"

enum weir_gateway_state {
    WEIR_GATEWAY_NONE,       /* not known as one */
    WEIR_GATEWAY_CANDIDATE,  /* watched; too little seen */
    WEIR_GATEWAY_PROPOSED,   /* looks like one; nothing corroborates it: shown, unused */
    WEIR_GATEWAY_ACTIVE,     /* learned and corroborated, or approved */
    WEIR_GATEWAY_CONFIGURED,
    WEIR_GATEWAY_FORWARDER,  /* active for few recipients */
    WEIR_GATEWAY_PROVIDER,   /* a large sender: never a gateway */
    WEIR_GATEWAY_DEMOTED,    /* was active; its share fell */
    WEIR_GATEWAY_REJECTED,   /* by an analyst */
    WEIR_GATEWAY_STATES
};
const char *weir_gateway_state_name(enum weir_gateway_state state);

struct weir_gateways;

struct weir_gateway_settings {
    double messages_least;   /* 1000 */
    double days_least;       /* 3 */
    double share_least;      /* 0.05 of its listener's mail */
    double networks_least;   /* 64 distinct behind it */
    double forwarder_recipients; /* 3 */
    weir_time half_life;     /* 7 d */
};
struct weir_gateway_settings weir_gateway_defaults(void);

/* 0 or WEIR_ENOMEM.  key hides what is counted and keeps an attacker from aiming
 * at collisions. */
int weir_gateways_new(const struct weir_gateway_settings *settings,
                      const struct weir_hash_key *key, struct weir_gateways **gateways_r);
void weir_gateways_free(struct weir_gateways **gateways);

/* A prefix the configuration names.  0, WEIR_ELIMIT. */
int weir_gateways_configure(struct weir_gateways *gateways, const struct weir_prefix *prefix);

/* Something that corroborates: an address or network that is ours, or an MX of our domains. */
int weir_gateways_corroborate(struct weir_gateways *gateways, const struct weir_prefix *prefix,
                              const char *why);

/* What an analyst decided about an address; WEIR_GATEWAY_ACTIVE or WEIR_GATEWAY_REJECTED,
 * or NONE to take it back. */
int weir_gateways_decide(struct weir_gateways *gateways, const struct weir_address *address,
                         enum weir_gateway_state state, weir_time now);

/* An address that handed a message over: the peer, and then each further hop behind gateways
 * (weir_boundary_observe() does it for all hops of a message). */
struct weir_gateway_sighting {
    weir_time at;
    bool deeper;                  /* not the peer itself: the message is counted already */
    struct weir_slice listener;   /* which of our listeners: statistics are kept apart */
    struct weir_address address;  /* that handed the message over */
    bool has_next;
    struct weir_address next;     /* the next hop behind it, by the line it wrote */
    struct weir_slice domain;     /* organizational domain of the stated sender */
    struct weir_slice recipient;
    struct weir_slice dkim_domain; /* of a passing signature, or empty */
    struct weir_slice name;       /* verified name of address, or empty */
};
void weir_gateways_observe(struct weir_gateways *gateways,
                           const struct weir_gateway_sighting *sighting);

/* What is this address, for this recipient (empty: any)? */
enum weir_gateway_state weir_gateways_state(const struct weir_gateways *gateways,
                                            const struct weir_address *address,
                                            struct weir_slice recipient);

/* Whether the boundary walk may pass it: CONFIGURED, ACTIVE, or FORWARDER for this recipient. */
bool weir_gateways_pass(const struct weir_gateways *gateways, const struct weir_address *address,
                        struct weir_slice recipient);

/* Whether any gateway was met in nearly all recent mail of this listener (adaptive mode). */
bool weir_gateways_usual(const struct weir_gateways *gateways, struct weir_slice listener);

/* Looks at all candidates and promotes or demotes.  changed is called for each that
 * changes state, with words why. */
void weir_gateways_review(struct weir_gateways *gateways, weir_time now,
                          void (*changed)(void *context, const struct weir_address *address,
                                          enum weir_gateway_state was,
                                          enum weir_gateway_state is, const char *why),
                          void *context);

struct weir_gateway_view {
    struct weir_address address;
    enum weir_gateway_state state;
    double messages, share, networks, domains, recipients, days;
    weir_time first, last;
    const char *why;
};
/* Calls each for every known gateway and candidate until it returns non-zero. */
int weir_gateways_each(const struct weir_gateways *gateways, weir_time now,
                       int (*each)(void *context, const struct weir_gateway_view *view),
                       void *context);

/* As text, one line an entry, versioned; and back into an empty handle, from len octets.
 * 0 or an error; then the handle is as empty as before.  Configured and corroborating prefixes are
 * not saved: they come from the configuration.  Under another key the addresses and
 * what was decided about them come back, not the counts made under the old one. */
int weir_gateways_save(const struct weir_gateways *gateways, FILE *out);
int weir_gateways_load(struct weir_gateways *gateways, const char *text, size_t len);

#endif
