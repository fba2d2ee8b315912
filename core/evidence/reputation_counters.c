/*
 * The counters behind a reputation.  One order of slots, made by slots_of(),
 * serves all: plan() writes counters by it, gather() finds the readings by it,
 * learn() takes from it what a vote touches.  So they cannot disagree.
 *
 * An entity is a keyed hash of its level, the masked address and the domain:
 * whoever sends mail cannot aim at another's counters, and the stores hold no
 * addresses in the clear.
 */
#include "core/evidence/reputation_impl.h"

#include <math.h>
#include <string.h>

#include "core/base/limits.h"

/* More votes than mail there is: only a damaged store reads higher. */
#define VOTES_MAX 1e12

enum moment { EACH_VOTE, EACH_STRANGER, EACH_SPAM, EACH_GOOD, EACH_NEW_GROUP };

struct slot {
    int level;
    enum weir_variable variable;
    uint32_t half_life;
    enum moment moment;
};

static const enum weir_variable votes[] = {WEIR_SPAM_USER, WEIR_GOOD_USER, WEIR_SPAM_COMPUTER,
                                           WEIR_GOOD_COMPUTER, WEIR_INDETERMINATE};
#define VOTES (sizeof(votes) / sizeof(*votes))

static uint32_t seconds(weir_time period, weir_time least)
{
    weir_time most = (weir_time)(UINT32_MAX / 32) * WEIR_SECOND; /* an epoch must fit too */
    period = period < least ? least : period > most ? most : period;
    return (uint32_t)(period / WEIR_SECOND);
}

static uint32_t half_life_of(const struct weir_reputation_settings *settings, int level)
{
    switch (level) {
    case WEIR_BASIS_PAIR:
    case WEIR_BASIS_NETWORK_DOMAIN:
        return seconds(settings->half_life_pair, WEIR_SECOND);
    case WEIR_BASIS_ADDRESS:
        return seconds(settings->half_life_address, WEIR_SECOND);
    case WEIR_BASIS_NETWORK:
        return seconds(settings->half_life_network, WEIR_SECOND);
    default:
        return seconds(settings->half_life_domain, WEIR_SECOND);
    }
}

static bool needs_domain(int level)
{
    return level == WEIR_BASIS_PAIR || level == WEIR_BASIS_NETWORK_DOMAIN ||
           level == WEIR_BASIS_DOMAIN;
}

/* What a level counts beside votes.  Two of these have no decay: that a group
 * was ever good, and how many domains a network serves. */
static size_t extra_slots(const struct weir_reputation_settings *settings, int level, bool domain,
                          struct slot *slot)
{
    uint32_t rate = seconds(settings->half_life_rate, 4 * WEIR_SECOND);
    uint32_t half_life = half_life_of(settings, level);
    switch (level) {
    case WEIR_BASIS_NETWORK_DOMAIN:
        slot[0] = (struct slot){level, WEIR_GROUP_GOOD, 0, EACH_GOOD};
        return 1;
    case WEIR_BASIS_ADDRESS:
        slot[0] = (struct slot){level, WEIR_SPAM_EVENTS, rate, EACH_SPAM};
        slot[1] = (struct slot){level, WEIR_SPAM_EVENTS, rate / 4, EACH_SPAM};
        return 2;
    case WEIR_BASIS_DOMAIN:
        slot[0] = (struct slot){level, WEIR_GROUP_GOOD, half_life, EACH_GOOD};
        slot[1] = (struct slot){level, WEIR_GROUP_NEW, half_life, EACH_NEW_GROUP};
        return 2;
    case WEIR_BASIS_NETWORK:
        slot[0] = (struct slot){level, WEIR_GROUP_NEW, 0, EACH_NEW_GROUP};
        return domain ? 1 : 0;
    default:
        return 0;
    }
}

static size_t slots_of(const struct weir_reputation_settings *settings,
                       const struct weir_reputation_query *query,
                       struct slot slot[static WEIR_REPUTATION_READINGS])
{
    bool domain = query->domain[0] != '\0';
    size_t n = 0;
    for (int level = WEIR_LEVELS - 1; level >= 0; level--) {
        enum moment moment = level == WEIR_LEVEL_STRANGERS ? EACH_STRANGER : EACH_VOTE;
        if (needs_domain(level) && !domain)
            continue;
        for (size_t v = 0; v < VOTES; v++)
            slot[n++] = (struct slot){level, votes[v], half_life_of(settings, level), moment};
        n += extra_slots(settings, level, domain, slot + n);
    }
    return n;
}

/* The octets that name an entity: level, prefix length, prefix, domain.  An
 * IPv4 and an IPv6 network of one length never meet: lengths are those of the
 * 16-octet form. */
static struct weir_entity entity_of(const struct weir_reputation_settings *settings,
                                    const struct weir_hash_key *key,
                                    const struct weir_reputation_query *query, int level)
{
    uint8_t name[2 + 16 + WEIR_DOMAIN_MAX] = {(uint8_t)level};
    struct weir_entity entity;
    size_t len = 2 + 16;
    if (level == WEIR_BASIS_PAIR || level == WEIR_BASIS_ADDRESS) {
        name[1] = 128;
        memcpy(name + 2, query->address.octet, 16);
    } else if (level == WEIR_BASIS_NETWORK || level == WEIR_BASIS_NETWORK_DOMAIN) {
        struct weir_prefix network = weir_address_prefix(
            &query->address, (unsigned)settings->ipv4_bits, (unsigned)settings->ipv6_bits);
        name[1] = network.bits;
        memcpy(name + 2, network.address.octet, 16);
    }
    if (needs_domain(level)) {
        size_t domain = strnlen(query->domain, WEIR_DOMAIN_MAX);
        memcpy(name + len, query->domain, domain);
        len += domain;
    }
    weir_hash128(key, name, len, entity.id);
    return entity;
}

size_t weir_reputation_plan(const struct weir_reputation_settings *settings,
                            const struct weir_hash_key *key,
                            const struct weir_reputation_query *query,
                            struct weir_reading reading[static WEIR_REPUTATION_READINGS])
{
    struct slot slot[WEIR_REPUTATION_READINGS];
    size_t n = slots_of(settings, query, slot);
    struct weir_entity entity = {{0}};
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || slot[i].level != slot[i - 1].level)
            entity = entity_of(settings, key, query, slot[i].level);
        reading[i] = (struct weir_reading){
            .counter = {entity, slot[i].variable, slot[i].half_life}, .missing = true};
    }
    return n;
}

static double *field_of(struct weir_gathered *gathered, const struct slot *slot, bool first_rate)
{
    struct weir_cell *cell = &gathered->cell[slot->level];
    switch (slot->variable) {
    case WEIR_SPAM_USER:
        return &cell->spam_user;
    case WEIR_GOOD_USER:
        return &cell->good_user;
    case WEIR_SPAM_COMPUTER:
        return &cell->spam_computer;
    case WEIR_GOOD_COMPUTER:
        return &cell->good_computer;
    case WEIR_INDETERMINATE:
        return &cell->indeterminate;
    case WEIR_SPAM_EVENTS:
        return first_rate ? &gathered->spam_long : &gathered->spam_short;
    case WEIR_GROUP_GOOD:
        return slot->level == WEIR_BASIS_DOMAIN ? &gathered->domain_good : &gathered->group_good;
    default:
        return slot->level == WEIR_BASIS_DOMAIN ? &gathered->domain_new
                                                : &gathered->network_domains;
    }
}

void weir_reputation_gather(const struct weir_reputation_settings *settings,
                            const struct weir_reputation_query *query,
                            const struct weir_reading *reading, struct weir_gathered *gathered_r)
{
    struct slot slot[WEIR_REPUTATION_READINGS];
    size_t n = slots_of(settings, query, slot);
    *gathered_r = (struct weir_gathered){.groups_known = true};
    for (size_t i = 0; i < n; i++) {
        bool first_rate = i > 0 && slot[i - 1].variable != WEIR_SPAM_EVENTS;
        *field_of(gathered_r, &slot[i], first_rate) =
            reading[i].missing ? 0 : weir_reputation_within(reading[i].value, 0, VOTES_MAX);
        if (!reading[i].missing)
            continue;
        gathered_r->partial = true;
        if (slot[i].moment == EACH_VOTE || slot[i].moment == EACH_STRANGER)
            gathered_r->lost[slot[i].level] = true;
        else if (slot[i].moment != EACH_SPAM)
            gathered_r->groups_known = false;
    }
    /* Half a cell would lie: spam without its good, or the reverse. */
    for (size_t level = 0; level < WEIR_LEVELS; level++)
        if (gathered_r->lost[level])
            gathered_r->cell[level] = (struct weir_cell){.spam = 0};
}

static enum weir_variable variable_of(struct weir_vote vote)
{
    if (vote.verdict == WEIR_VOTE_UNSURE)
        return WEIR_INDETERMINATE;
    if (vote.voter == WEIR_VOTE_USER)
        return vote.verdict == WEIR_VOTE_SPAM ? WEIR_SPAM_USER : WEIR_GOOD_USER;
    return vote.verdict == WEIR_VOTE_SPAM ? WEIR_SPAM_COMPUTER : WEIR_GOOD_COMPUTER;
}

bool weir_reputation_is_stranger(const struct weir_gathered *gathered)
{
    const struct weir_cell *network = &gathered->cell[WEIR_BASIS_NETWORK];
    double seen = network->spam_user + network->good_user + network->spam_computer +
                  network->good_computer + network->indeterminate;
    return !gathered->lost[WEIR_BASIS_NETWORK] && seen < WEIR_STRANGER_VOTES;
}

size_t weir_reputation_learn(const struct weir_reputation_settings *settings,
                             const struct weir_hash_key *key,
                             const struct weir_reputation_query *query,
                             const struct weir_reading *reading, struct weir_vote vote,
                             struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS])
{
    struct slot slot[WEIR_REPUTATION_READINGS];
    size_t n = slots_of(settings, query, slot), added = 0;
    struct weir_gathered before = {.lost = {[WEIR_BASIS_NETWORK] = true}};
    if (reading)
        weir_reputation_gather(settings, query, reading, &before);
    bool good = vote.verdict == WEIR_VOTE_GOOD;
    /* What a store did not answer is no news: an outage would otherwise make
     * every domain roam and every network a stranger. */
    bool on[] = {
        [EACH_VOTE] = true,
        [EACH_STRANGER] = weir_reputation_is_stranger(&before),
        [EACH_SPAM] = vote.verdict == WEIR_VOTE_SPAM,
        [EACH_GOOD] = good,
        [EACH_NEW_GROUP] = good && before.groups_known && before.group_good < 0.5,
    };
    struct weir_entity entity = {{0}};
    for (size_t i = 0; i < n; i++) {
        if (i == 0 || slot[i].level != slot[i - 1].level)
            entity = entity_of(settings, key, query, slot[i].level);
        bool counts_votes = slot[i].moment == EACH_VOTE || slot[i].moment == EACH_STRANGER;
        if (!on[slot[i].moment] || (counts_votes && slot[i].variable != variable_of(vote)))
            continue;
        addition[added++] = (struct weir_addition){
            {entity, slot[i].variable, slot[i].half_life}, 1.0};
    }
    return added;
}
