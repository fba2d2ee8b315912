/*
 * Accounts are read whole and laid beside the rules as these come, both in the order of ids.
 */
#include "monitor/analyzer/told_io.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_servers_io.h"

/* Hits. --------------------------------------------------------------------- */

struct name {
    uint32_t server;
    char text[WEIR_SERVER_NAME_MAX + 1];
};

struct reading {
    weir_time now;
    int (*row)(void *context, const struct weir_told *told);
    void *context;
    struct weir_shares shares;     /* of all messages */
    size_t share_room;
    struct weir_share *told;       /* of rules, one after the other */
    uint32_t *rule;                /* of each */
    size_t tolds, told_room, rule_room, at;
    struct name *name;
    size_t names, name_room;
};

static int add_share(struct weir_share **share, size_t *shares, size_t *room,
                     const struct weir_hit_server *told)
{
    struct weir_share *more = weir_grown(*share, *shares, room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    *share = more;
    more[(*shares)++] = (struct weir_share){.server = told->server, .told = told->decayed};
    return 0;
}

static int take_account(void *context, const struct weir_hit_server *told, weir_time at)
{
    struct reading *reading = context;
    struct weir_hit_server now = *told;
    uint32_t *rule;

    weir_hits_decay(&now.decayed, at, reading->now);
    if (told->rule == WEIR_HIT_SERVERS_ALL)
        return add_share(&reading->shares.share, &reading->shares.shares, &reading->share_room,
                         &now);
    rule = weir_grown(reading->rule, reading->tolds, &reading->rule_room, sizeof *rule);
    if (!rule)
        return WEIR_ENOMEM;
    reading->rule = rule;
    rule[reading->tolds] = told->rule;
    return add_share(&reading->told, &reading->tolds, &reading->told_room, &now);
}

static int take_name(void *context, const struct weir_server *server)
{
    struct reading *reading = context;
    struct name *more = weir_grown(reading->name, reading->names, &reading->name_room,
                                   sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    reading->name = more;
    more += reading->names++;
    more->server = server->number;
    snprintf(more->text, sizeof more->text, "%s", server->name);
    return 0;
}

static const char *name_of(const struct reading *reading, const struct weir_weighed *weighed)
{
    if (weighed->bounded == 0)
        return "";
    for (size_t i = 0; i < reading->names; i++)
        if (reading->name[i].server == weighed->server)
            return reading->name[i].text;
    return weighed->server == WEIR_HIT_SERVERS_REST ? "the latest servers" : "an unknown server";
}

static int take_hits(void *context, const struct weir_hits_rule *hits, weir_time at)
{
    struct reading *reading = context;
    struct weir_told told = {.hits = *hits};
    size_t first;

    while (reading->at < reading->tolds && reading->rule[reading->at] < hits->id)
        reading->at++;
    first = reading->at;
    while (reading->at < reading->tolds && reading->rule[reading->at] == hits->id)
        reading->at++;
    weir_hits_decay(&told.hits.decayed, at, reading->now);
    told.weighed = weir_shares_rule(&reading->shares, &told.hits.decayed,
                                    first < reading->at ? reading->told + first : NULL,
                                    reading->at - first);
    told.server = name_of(reading, &told.weighed);
    return reading->row(reading->context, &told);
}

/* The rest of servers has the largest number, and comes first from the table. */
static int by_server(const void *a, const void *b)
{
    const struct weir_share *one = a, *other = b;

    return (one->server > other->server) - (one->server < other->server);
}

static void sort(struct reading *reading)
{
    size_t first = 0;

    if (reading->shares.shares > 0)
        qsort(reading->shares.share, reading->shares.shares, sizeof reading->shares.share[0],
              by_server);
    for (size_t i = 1; i <= reading->tolds; i++)
        if (i == reading->tolds || reading->rule[i] != reading->rule[first]) {
            qsort(reading->told + first, i - first, sizeof reading->told[0], by_server);
            first = i;
        }
}

int weir_told_hits(struct weir_database *reading, weir_time now, double most,
                   int (*row)(void *context, const struct weir_told *told), void *context,
                   struct weir_score_counts *all_r)
{
    struct reading is = {.now = now, .row = row, .context = context, .shares = {.most = most}};
    weir_time at;
    int rc = weir_database_hits_all(reading, all_r, &at);

    weir_hits_decay(all_r, at, now);
    is.shares.all = *all_r;
    rc = rc < 0 ? rc : weir_database_hits_told(reading, take_account, &is);
    rc = rc < 0 ? rc : weir_database_servers(reading, take_name, &is);
    if (rc >= 0) {
        sort(&is);
        weir_shares_weigh(&is.shares);
        rc = weir_database_hits(reading, take_hits, &is);
    }
    free(is.shares.share);
    free(is.told);
    free(is.rule);
    free(is.name);
    return rc;
}

/* Blame. -------------------------------------------------------------------- */

struct votes {
    uint32_t server;
    unsigned votes;
};

struct blaming {
    unsigned demote;
    double most;
    int (*row)(void *context, const struct weir_told_blame *blame);
    void *context;
    struct votes *votes;           /* that mail is good, by server */
    size_t servers, vote_room;
    unsigned all;
    struct weir_share_blame *by;   /* of rules, one after the other */
    uint32_t *rule;                /* of each */
    size_t bys, by_room, rule_room, at;
};

static int take_votes(void *context, uint32_t server, unsigned votes)
{
    struct blaming *blaming = context;
    struct votes *more = weir_grown(blaming->votes, blaming->servers, &blaming->vote_room,
                                    sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    blaming->votes = more;
    more[blaming->servers++] = (struct votes){server, votes};
    blaming->all += votes;
    return 0;
}

/* Votes of others than a server; nobody's own are nobody's to bound. */
static unsigned others_of(const struct blaming *blaming, uint32_t server)
{
    unsigned own = server == 0 ? blaming->all : 0;

    for (size_t i = 0; i < blaming->servers; i++)
        if (blaming->votes[i].server == server)
            own = blaming->votes[i].votes;
    return blaming->all - own;
}

static int take_by(void *context, uint32_t rule, uint32_t server, unsigned messages)
{
    struct blaming *blaming = context;
    struct weir_share_blame *more = weir_grown(blaming->by, blaming->bys, &blaming->by_room,
                                               sizeof *more);
    uint32_t *rules;

    if (!more)
        return WEIR_ENOMEM;
    blaming->by = more;
    rules = weir_grown(blaming->rule, blaming->bys, &blaming->rule_room, sizeof *rules);
    if (!rules)
        return WEIR_ENOMEM;
    blaming->rule = rules;
    rules[blaming->bys] = rule;
    more[blaming->bys++] = (struct weir_share_blame){server, messages,
                                                     others_of(blaming, server)};
    return 0;
}

static int take_blamed(void *context, uint32_t rule, unsigned messages, unsigned people)
{
    struct blaming *blaming = context;
    struct weir_told_blame blame = {.rule = rule, .messages = messages, .people = people};
    size_t first;

    while (blaming->at < blaming->bys && blaming->rule[blaming->at] < rule)
        blaming->at++;
    first = blaming->at;
    while (blaming->at < blaming->bys && blaming->rule[blaming->at] == rule)
        blaming->at++;
    blame.counted = weir_shares_blamed(messages,
                                       first < blaming->at ? blaming->by + first : NULL,
                                       blaming->at - first, blaming->demote, blaming->most);
    return blaming->row(blaming->context, &blame);
}

int weir_told_blame(struct weir_database *reading, weir_time since, unsigned demote, double most,
                    int (*row)(void *context, const struct weir_told_blame *blame),
                    void *context)
{
    struct blaming blaming = {.demote = demote, .most = most, .row = row, .context = context};
    int rc = weir_database_reports_good(reading, since, take_votes, &blaming);

    rc = rc < 0 ? rc : weir_database_messages_blamed_by(reading, since, take_by, &blaming);
    rc = rc < 0 ? rc : weir_database_messages_blamed(reading, since, take_blamed, &blaming);
    free(blaming.votes);
    free(blaming.by);
    free(blaming.rule);
    return rc;
}
