/*
 * hit_servers - what each server told of each rule's hits, decayed: an account of every pair, from
 * which follows how much of one server's word counts beside the others' (shares.h; claims B1, B4).
 *
 *     hits.h counts a message -> weir_hit_servers_of() += its weight -> the table of servers
 *
 * An account is found by rule and server; those of one rule lie in a ring, so that whoever counts
 * remembers one place for each rule (hint), where the account was found last, and gets at all of
 * them from there.  Room is made before a message is counted, so that counting cannot fail.
 *
 * Owner:    the caller owns the accounts.  Threads: one at a time.
 * Errors:   WEIR_ENOMEM: nothing was changed.
 * Limits:   WEIR_HIT_SERVERS_MAX accounts, and one more of each rule: what comes to new pairs then
 *           is of WEIR_HIT_SERVERS_REST, which is as one server.
 */
#ifndef WEIR_ANALYZER_HIT_SERVERS_H
#define WEIR_ANALYZER_HIT_SERVERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "core/base/keyed_hash.h"
#include "monitor/analyzer/score.h"

#define WEIR_HIT_SERVERS_ALL UINT32_MAX  /* in the place of a rule: all messages */
#define WEIR_HIT_SERVERS_REST UINT32_MAX /* in the place of a server */

struct weir_hit_server {
    uint32_t rule, server;
    struct weir_score_counts decayed;
    uint32_t next;             /* the place of another one of the rule, perhaps itself */
    bool changed;              /* since weir_hit_servers_kept() */
};

struct weir_hit_servers;

/* The key is for rules' numbers, which others choose.  0 or WEIR_ENOMEM. */
int weir_hit_servers_new(const struct weir_hash_key *key, struct weir_hit_servers **servers_r);
void weir_hit_servers_free(struct weir_hit_servers **servers);

/* Makes room for so many more.  0 or WEIR_ENOMEM. */
int weir_hit_servers_room(struct weir_hit_servers *servers, size_t more);

/* The account of a rule and a server; made when it is new, for which there has to be room.  *hint
 * is the rule's: 0 at first.  It stays where it is until room is made. */
struct weir_hit_server *weir_hit_servers_of(struct weir_hit_servers *servers, uint32_t rule,
                                            uint32_t server, uint32_t *hint);

/* The same, or NULL when there is none. */
struct weir_hit_server *weir_hit_servers_find(struct weir_hit_servers *servers, uint32_t rule,
                                              uint32_t server, uint32_t *hint);

/* What all servers told of a rule is forgotten. */
void weir_hit_servers_renew(struct weir_hit_servers *servers, uint32_t hint);

/* All counts times a factor, which changes nothing that is to be kept. */
void weir_hit_servers_scale(struct weir_hit_servers *servers, double by);

/* All accounts are to be kept anew. */
void weir_hit_servers_touch(struct weir_hit_servers *servers);

/* By number 0.. in no order; NULL behind the last. */
const struct weir_hit_server *weir_hit_servers_get(const struct weir_hit_servers *servers,
                                                   size_t number);

/* All changes so far are kept somewhere. */
void weir_hit_servers_kept(struct weir_hit_servers *servers);

#endif
