/*
 * Is this network known for this domain?  Learned from good mail alone, so
 * that spam cannot make an association; and a group whose mail is mostly spam
 * is not known for the domain however much of it slipped through as good.
 *
 * "Uncommon" is a claim about what is missing, so it is made only where enough
 * was seen: with 149 good mails and none from here, this group's share is
 * below 2 % at 95 % confidence; and only for domains whose good mail seldom
 * comes from anywhere new (Good-Turing).  Everything else is "unknown".
 */
#include <math.h>

#include "core/evidence/reputation_impl.h"

#define NOVELTY_WEIGHT 20.0 /* mails' worth of assumed novelty behind the first count */
#define NOVELTY_MAILS 1.0   /* of these from a new group */
#define GOOD_ELSEWHERE 0.2  /* at most so spammy is a domain that is good elsewhere */
#define SEEN_ELSEWHERE 2.0  /* weighted votes that must stand behind it */
#define SPAMMY_PAIR 0.5
#define SPAMMY_NETWORK 0.7
#define SETTLED 0.8         /* confidence to overrule a list by: a user, several programs */

/* Enough good mail from the group, and not mostly spam. */
static bool is_common(const struct weir_reputation_settings *settings,
                      const struct weir_gathered *gathered,
                      const struct weir_reputation *reputation)
{
    const struct weir_cell *group = &reputation->cell[WEIR_BASIS_NETWORK_DOMAIN];
    /* Counts pass through fixed point: two mails may read as 1.9999. */
    return gathered->groups_known && gathered->group_good >= settings->associate_group - 0.01 &&
           group->spam <= group->good;
}

/* A young domain that already has as many new groups as an old one may have
 * roams; it need not wait to be old. */
static double novelty(const struct weir_reputation_settings *settings,
                      const struct weir_gathered *gathered)
{
    double mails = fmax(gathered->domain_good, settings->associate_good);
    return fmin(1, (gathered->domain_new + NOVELTY_MAILS) / (mails + NOVELTY_WEIGHT));
}

/* A network that sends good mail for very many domains is a provider's: new
 * customers turn up there every day, which says nothing about their domains. */
static bool is_shared_network(const struct weir_reputation_settings *settings,
                              const struct weir_gathered *gathered,
                              const struct weir_reputation *reputation)
{
    return gathered->network_domains >= settings->shared_domains - 0.5 &&
           reputation->cell[WEIR_BASIS_NETWORK].probability < SPAMMY_PAIR;
}

void weir_association_find(const struct weir_reputation_settings *settings,
                           const struct weir_reputation_query *query,
                           const struct weir_gathered *gathered,
                           struct weir_reputation *reputation)
{
    reputation->association = WEIR_ASSOCIATION_UNKNOWN;
    if (query->domain[0] == '\0')
        return;
    reputation->novelty = novelty(settings, gathered);
    if (query->authenticated)
        reputation->association = WEIR_ASSOCIATION_AUTH;
    else if (!gathered->groups_known)
        return;
    else if (is_common(settings, gathered, reputation))
        reputation->association = WEIR_ASSOCIATION_COMMON;
    else if (reputation->novelty > settings->associate_novelty)
        reputation->association = WEIR_ASSOCIATION_ROAM;
    else if (gathered->domain_good >= settings->associate_good &&
             !is_shared_network(settings, gathered, reputation))
        reputation->association = WEIR_ASSOCIATION_UNCOMMON;
}

static bool good_elsewhere(const struct weir_reputation *reputation)
{
    return reputation->elsewhere <= GOOD_ELSEWHERE && reputation->elsewhere_n >= SEEN_ELSEWHERE;
}

static bool mostly_spam(const struct weir_cell *cell)
{
    return cell->spam > cell->good;
}

/* Spammy by votes on where it came from.  What is assumed of strangers does not
 * do: else a bad year alone would make every stranger a forger. */
static bool is_spammy(const struct weir_reputation *reputation)
{
    return reputation->probability >= SPAMMY_PAIR &&
           mostly_spam(&reputation->cell[reputation->basis]) &&
           reputation->basis != WEIR_BASIS_PRIOR && reputation->basis != WEIR_BASIS_DOMAIN;
}

bool weir_association_forged(const struct weir_reputation *reputation)
{
    const struct weir_cell *network = &reputation->cell[WEIR_BASIS_NETWORK];
    bool spammy_network = mostly_spam(network) && network->probability >= SPAMMY_NETWORK;
    return reputation->association == WEIR_ASSOCIATION_UNCOMMON && good_elsewhere(reputation) &&
           (is_spammy(reputation) || spammy_network);
}

bool weir_reputation_honours_whitelist(const struct weir_reputation *reputation)
{
    if (reputation->association == WEIR_ASSOCIATION_AUTH || !good_elsewhere(reputation))
        return true;
    if (is_spammy(reputation) && reputation->confidence >= SETTLED)
        return false;
    bool good_here = reputation->basis >= WEIR_BASIS_NETWORK_DOMAIN &&
                     reputation->probability < SPAMMY_PAIR && reputation->confidence >= SETTLED;
    return good_here || reputation->association != WEIR_ASSOCIATION_UNCOMMON;
}

const char *weir_association_name(enum weir_association association)
{
    static const char *const name[WEIR_ASSOCIATIONS] = {"unknown", "auth", "common", "uncommon",
                                                        "roam"};
    return (unsigned)association < WEIR_ASSOCIATIONS ? name[association] : name[0];
}
