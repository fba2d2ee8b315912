/*
 * The counters behind a reputation.  One table of slots serves all: plan() writes
 * counters by it, gather() finds the readings by it, learn() takes from it what
 * a vote touches.  So they cannot disagree.
 *
 * An entity is made of keyed hashes of the masked address and the domain:
 * whoever sends mail cannot aim at another's counters, and the stores hold no
 * addresses in the clear.
 */
#include "core/evidence/reputation_impl.h"

#include <string.h>

#include "core/base/limits.h"

/* More votes than mail there is: only a damaged store reads higher. */
#define VOTES_MAX 1e12

enum moment { EACH_VOTE, EACH_STRANGER, EACH_SPAM, EACH_GOOD, EACH_NEW_GROUP, MOMENTS };
enum memory { OWN, NO_DECAY, RATE_LONG, RATE_SHORT, MEMORIES };

struct slot {
    uint8_t level, variable; /* whose counter, and which */
    uint8_t memory;          /* its half-life: the level's own, or another */
    uint8_t moment;          /* when it is counted */
    size_t offset;           /* of its number in struct weir_gathered */
};

#define AT(field) offsetof(struct weir_gathered, field)
#define VOTES_OF(level, moment)                                                           \
    {level, WEIR_SPAM_USER, OWN, moment, AT(cell[level].spam_user)},                      \
        {level, WEIR_GOOD_USER, OWN, moment, AT(cell[level].good_user)},                  \
        {level, WEIR_SPAM_COMPUTER, OWN, moment, AT(cell[level].spam_computer)},          \
        {level, WEIR_GOOD_COMPUTER, OWN, moment, AT(cell[level].good_computer)},          \
        {level, WEIR_INDETERMINATE, OWN, moment, AT(cell[level].indeterminate)}

/* Pair and address, group and network stand together, as they lie in the local store.
 * Two have no decay: that a group was ever good, and how many domains a network
 * serves. */
static const struct slot slots[] = {
    VOTES_OF(WEIR_BASIS_PAIR, EACH_VOTE),
    VOTES_OF(WEIR_BASIS_ADDRESS, EACH_VOTE),
    {WEIR_BASIS_ADDRESS, WEIR_SPAM_EVENTS, RATE_LONG, EACH_SPAM, AT(spam_long)},
    {WEIR_BASIS_ADDRESS, WEIR_SPAM_EVENTS, RATE_SHORT, EACH_SPAM, AT(spam_short)},
    VOTES_OF(WEIR_BASIS_NETWORK_DOMAIN, EACH_VOTE),
    {WEIR_BASIS_NETWORK_DOMAIN, WEIR_GROUP_GOOD, NO_DECAY, EACH_GOOD, AT(group_good)},
    VOTES_OF(WEIR_BASIS_NETWORK, EACH_VOTE),
    {WEIR_BASIS_NETWORK, WEIR_GROUP_NEW, NO_DECAY, EACH_NEW_GROUP, AT(network_domains)},
    VOTES_OF(WEIR_BASIS_DOMAIN, EACH_VOTE),
    {WEIR_BASIS_DOMAIN, WEIR_GROUP_GOOD, OWN, EACH_GOOD, AT(domain_good)},
    {WEIR_BASIS_DOMAIN, WEIR_GROUP_NEW, OWN, EACH_NEW_GROUP, AT(domain_new)},
    VOTES_OF(WEIR_BASIS_PRIOR, EACH_VOTE),
    VOTES_OF(WEIR_LEVEL_STRANGERS, EACH_STRANGER),
};
#define SLOTS (sizeof slots / sizeof slots[0])

_Static_assert(SLOTS <= WEIR_REPUTATION_READINGS, "a plan fits");

static uint32_t seconds(weir_time period, weir_time least)
{
    weir_time most = (weir_time)(UINT32_MAX / 32) * WEIR_SECOND; /* an epoch must fit too */
    period = period < least ? least : period > most ? most : period;
    return (uint32_t)(period / WEIR_SECOND);
}

static uint32_t own_half_life(const struct weir_reputation_settings *settings, int level)
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

static uint32_t half_life_of(const struct weir_reputation_settings *settings,
                             const struct slot *slot)
{
    uint32_t rate = seconds(settings->half_life_rate, 4 * WEIR_SECOND);
    switch (slot->memory) {
    case OWN:
        return own_half_life(settings, slot->level);
    case RATE_LONG:
        return rate;
    case RATE_SHORT:
        return rate / 4;
    default:
        return 0;
    }
}

static bool needs_domain(const struct slot *slot)
{
    return slot->level == WEIR_BASIS_PAIR || slot->level == WEIR_BASIS_NETWORK_DOMAIN ||
           slot->level == WEIR_BASIS_DOMAIN || slot->moment == EACH_NEW_GROUP;
}

/* Whether a plan for this query has the slot's counter. */
static bool is_planned(const struct weir_reputation_query *query, const struct slot *slot)
{
    if (slot->moment == EACH_SPAM)
        return query->with_rates;
    return query->domain[0] != '\0' || !needs_domain(slot);
}

/* The names everything else is made of, hashed. */
struct names {
    uint64_t address, network, domain, all;
};

/* 64 bits of a tag, a prefix and its length: lengths are those of the 16-octet
 * form, so that an IPv4 and an IPv6 network never meet. */
static uint64_t hash_prefix(const struct weir_hash_key *key, char tag,
                            const struct weir_prefix *prefix)
{
    uint8_t name[2 + 16] = {(uint8_t)tag, prefix->bits};
    memcpy(name + 2, prefix->address.octet, 16);
    return weir_hash64(key, name, sizeof name);
}

static struct names names_of(const struct weir_reputation_settings *settings,
                             const struct weir_hash_key *key,
                             const struct weir_reputation_query *query)
{
    struct weir_prefix address = {query->address, 128};
    struct weir_prefix network = weir_address_prefix(
        &query->address, (unsigned)settings->ipv4_bits, (unsigned)settings->ipv6_bits);
    return (struct names){
        .address = hash_prefix(key, 'a', &address),
        .network = hash_prefix(key, 'n', &network),
        .domain = weir_hash64(key, query->domain, strnlen(query->domain, WEIR_DOMAIN_MAX)),
        .all = weir_hash64(key, "", 1),
    };
}

/* An entity is two halves: a name, and a second name or the level.  So what one
 * address or one network does for its domains lies together in a store that
 * keeps entities in order. */
static struct weir_entity entity_of(const struct names *names, int level)
{
    uint64_t half[2] = {names->all, (uint64_t)level};
    struct weir_entity entity;
    if (level == WEIR_BASIS_PAIR || level == WEIR_BASIS_ADDRESS)
        half[0] = names->address;
    else if (level == WEIR_BASIS_NETWORK || level == WEIR_BASIS_NETWORK_DOMAIN)
        half[0] = names->network;
    else if (level == WEIR_BASIS_DOMAIN)
        half[0] = names->domain;
    if (level == WEIR_BASIS_PAIR || level == WEIR_BASIS_NETWORK_DOMAIN)
        half[1] = names->domain;
    memcpy(entity.id, half, sizeof entity.id);
    return entity;
}

size_t weir_reputation_plan(const struct weir_reputation_settings *settings,
                            const struct weir_hash_key *key,
                            const struct weir_reputation_query *query,
                            struct weir_reading reading[static WEIR_REPUTATION_READINGS])
{
    struct names names = names_of(settings, key, query);
    struct weir_counter counter = {.half_life = 0};
    const struct slot *last = NULL;
    size_t n = 0;
    for (const struct slot *slot = slots; slot < slots + SLOTS; slot++) {
        if (!is_planned(query, slot))
            continue;
        if (!last || last->level != slot->level)
            counter.entity = entity_of(&names, slot->level);
        if (!last || last->level != slot->level || last->memory != slot->memory)
            counter.half_life = half_life_of(settings, slot);
        counter.variable = slot->variable;
        reading[n++] = (struct weir_reading){.counter = counter, .missing = true};
        last = slot;
    }
    return n;
}

static void note_missing(const struct slot *slot, struct weir_gathered *gathered)
{
    gathered->partial = true;
    if (slot->moment == EACH_VOTE || slot->moment == EACH_STRANGER)
        gathered->lost[slot->level] = true;
    else if (slot->moment != EACH_SPAM)
        gathered->groups_known = false;
}

void weir_reputation_gather(const struct weir_reputation_query *query,
                            const struct weir_reading *reading, struct weir_gathered *gathered_r)
{
    *gathered_r = (struct weir_gathered){.groups_known = true};
    for (const struct slot *slot = slots; slot < slots + SLOTS; slot++) {
        double value;
        if (!is_planned(query, slot))
            continue;
        if (reading->missing)
            note_missing(slot, gathered_r);
        value = reading->missing ? 0 : weir_reputation_within(reading->value, 0, VOTES_MAX);
        memcpy((char *)gathered_r + slot->offset, &value, sizeof value);
        reading++;
    }
    /* Half a cell would lie: spam without its good, or the reverse. */
    for (size_t level = 0; gathered_r->partial && level < WEIR_LEVELS; level++)
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

/* The additions of what is on, votes those of a set of variables. */
static size_t fill(const struct weir_reputation_settings *settings,
                   const struct weir_hash_key *key, const struct weir_reputation_query *query,
                   const bool *on, unsigned variables,
                   struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS])
{
    struct names names = names_of(settings, key, query);
    size_t added = 0;
    for (const struct slot *slot = slots; slot < slots + SLOTS; slot++) {
        bool counts_votes = slot->moment == EACH_VOTE || slot->moment == EACH_STRANGER;
        if (!on[slot->moment] || (counts_votes && !(variables >> slot->variable & 1)) ||
            (query->domain[0] == '\0' && needs_domain(slot)))
            continue;
        addition[added++] = (struct weir_addition){
            {entity_of(&names, slot->level), slot->variable, half_life_of(settings, slot)}, 1.0};
    }
    return added;
}

size_t weir_reputation_learn(const struct weir_reputation_settings *settings,
                             const struct weir_hash_key *key,
                             const struct weir_reputation_query *query,
                             const struct weir_reading *reading, struct weir_vote vote,
                             struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS])
{
    struct weir_gathered before = {.lost = {[WEIR_BASIS_NETWORK] = true}};
    if (reading)
        weir_reputation_gather(query, reading, &before);
    bool good = vote.verdict == WEIR_VOTE_GOOD;
    /* What a store did not answer is no news: an outage would otherwise make
     * every domain roam and every network a stranger. */
    const bool on[MOMENTS] = {
        [EACH_VOTE] = true,
        [EACH_STRANGER] = weir_reputation_is_stranger(&before),
        [EACH_SPAM] = vote.verdict == WEIR_VOTE_SPAM,
        [EACH_GOOD] = good,
        [EACH_NEW_GROUP] = good && before.groups_known && before.group_good < 0.5,
    };
    return fill(settings, key, query, on, 1u << variable_of(vote), addition);
}

struct weir_counted weir_reputation_counted(const struct weir_reputation_query *query,
                                            const struct weir_reading *reading)
{
    struct weir_gathered before;
    weir_reputation_gather(query, reading, &before);
    return (struct weir_counted){
        .stranger = weir_reputation_is_stranger(&before),
        .new_group = query->domain[0] != '\0' && before.groups_known && before.group_good < 0.5,
    };
}

static unsigned variable_bit(enum weir_said said, enum weir_vote_voter voter)
{
    struct weir_vote vote = {said == WEIR_SAID_SPAM   ? WEIR_VOTE_SPAM
                             : said == WEIR_SAID_GOOD ? WEIR_VOTE_GOOD
                                                      : WEIR_VOTE_UNSURE,
                             voter};
    return said == WEIR_SAID_NOTHING ? 0 : 1u << variable_of(vote);
}

size_t weir_reputation_message(const struct weir_reputation_settings *settings,
                               const struct weir_hash_key *key,
                               const struct weir_reputation_query *query,
                               const struct weir_counted *counted, enum weir_said people,
                               struct weir_addition addition[static WEIR_REPUTATION_ADDITIONS])
{
    enum weir_said said = people != WEIR_SAID_NOTHING ? people : counted->computer;
    unsigned variables = people == WEIR_SAID_NOTHING
                             ? variable_bit(counted->computer, WEIR_VOTE_COMPUTER)
                         : people != WEIR_SAID_UNSURE ? variable_bit(people, WEIR_VOTE_USER) : 0;
    bool good = said == WEIR_SAID_GOOD;
    const bool on[MOMENTS] = {
        [EACH_VOTE] = true,
        [EACH_STRANGER] = counted->stranger,
        [EACH_SPAM] = said == WEIR_SAID_SPAM,
        [EACH_GOOD] = good,
        [EACH_NEW_GROUP] = good && counted->new_group,
    };
    return fill(settings, key, query, on, variables, addition);
}
