/*
 * The judgement: five levels, each a Beta posterior over the wider one
 * (claims C1-C6).  Works on plain numbers, owns nothing, cannot fail; every
 * probability stays strictly inside 0..1, so that logarithms stay finite.
 *
 * Beyond the plain chain, each measured on real mail in time order: from the
 * wider level's counts the narrower one's are left out; a network's prior is
 * what became of networks when they were new; and a domain whose mail
 * elsewhere is both good and spam is many people's (a free mailer), so that a few
 * votes on one of its pairs say less of the next mail: the strength behind the
 * pair grows (see mixture()).
 */
#include "core/evidence/reputation.h"

#include <math.h>

#include "core/evidence/reputation_impl.h"

#define CERTAIN 1e-12       /* no probability comes nearer to 0 or 1 */
#define EVIDENCE 0.1        /* weighted votes that make a level count as seen */
#define PRIOR_STRENGTH 20.0 /* votes' worth of "half of it is spam" in a fresh store */
#define MIXTURE_RATE 0.2    /* strength for each vote of the rarer class elsewhere */
#define MIXTURE_MOST 20.0   /* votes beyond which a mixture is no clearer */
#define LOGIT_MOST 4.0
#define POINTS_EACH 0.7

struct weir_reputation_settings weir_reputation_defaults(void)
{
    return (struct weir_reputation_settings){
        .ipv4_bits = 24,
        .ipv6_bits = 64,
        .weight_user = 5,
        .weight_computer = 1,
        .weight_indeterminate = 0.25,
        .strength_pair = 0.5,
        .strength_address = 1,
        .strength_network = 2,
        .strength_domain = 2,
        .half_life_pair = 30 * WEIR_DAY,
        .half_life_address = 10 * WEIR_DAY,
        .half_life_network = 10 * WEIR_DAY,
        .half_life_domain = 30 * WEIR_DAY,
        .half_life_rate = WEIR_HOUR,
        .prior_least = 0.2,
        .prior_most = 0.8,
        .associate_good = 149,
        .associate_novelty = 0.05,
        .associate_group = 2,
        .shared_domains = 50,
    };
}

double weir_reputation_within(double number, double least, double most)
{
    if (!(number > least)) /* also when it is no number */
        return least;
    return number < most ? number : most;
}

static double logit(double probability)
{
    double p = weir_reputation_within(probability, CERTAIN, 1 - CERTAIN);
    return log(p / (1 - p));
}

static double logistic(double x)
{
    return 1 / (1 + exp(-x));
}

/* What a wide level counted beside a narrow one.  Half-lives differ, so the
 * narrow one may read more than the wide one; then nothing is left. */
static struct weir_cell without(const struct weir_cell *wide, const struct weir_cell *narrow)
{
    return (struct weir_cell){.spam = fmax(0, wide->spam - narrow->spam),
                              .good = fmax(0, wide->good - narrow->good)};
}

/* The mean of a Beta: what was counted, and strength votes of the mean behind it. */
static double posterior(const struct weir_cell *cell, double strength, double mean)
{
    strength = weir_reputation_within(strength, 1e-6, 1e12);
    double share = (cell->spam + strength * mean) / (cell->spam + cell->good + strength);
    return weir_reputation_within(share, CERTAIN, 1 - CERTAIN);
}

static double votes_of(const struct weir_cell *cell)
{
    return cell->spam + cell->good;
}

static void weigh(const struct weir_reputation_settings *settings, struct weir_cell *cell)
{
    double user = weir_reputation_within(settings->weight_user, 0, 1e6);
    double computer = weir_reputation_within(settings->weight_computer, 0, 1e6);
    double unsure = weir_reputation_within(settings->weight_indeterminate, 0, 1e6);
    cell->spam = user * cell->spam_user + computer * cell->spam_computer;
    cell->good = user * cell->good_user + computer * cell->good_computer +
                 unsure * cell->indeterminate;
}

/* The levels without the narrower ones, and what they say of a pair that was
 * never seen. */
struct chain {
    struct weir_cell network, address, domain, group;
    double of_network, of_address, of_domain, of_stranger, of_group;
    double omega;    /* how far the domain's name counts */
    double strength; /* behind the group and the pair */
};

/* What is added to a pair's strength for a domain of both kinds elsewhere. */
static double mixture(const struct weir_cell *elsewhere)
{
    return MIXTURE_RATE * fmin(fmin(elsewhere->spam, elsewhere->good), MIXTURE_MOST);
}

static struct chain chain_of(const struct weir_reputation_settings *settings,
                             const struct weir_reputation *reputation)
{
    const struct weir_cell *cell = reputation->cell;
    const double prior = reputation->prior;
    struct chain chain = {
        .network = without(&cell[WEIR_BASIS_NETWORK], &cell[WEIR_BASIS_ADDRESS]),
        .address = without(&cell[WEIR_BASIS_ADDRESS], &cell[WEIR_BASIS_PAIR]),
        .domain = without(&cell[WEIR_BASIS_DOMAIN], &cell[WEIR_BASIS_NETWORK_DOMAIN]),
        .group = without(&cell[WEIR_BASIS_NETWORK_DOMAIN], &cell[WEIR_BASIS_PAIR]),
    };
    chain.strength = settings->strength_pair + mixture(&chain.domain);
    chain.of_network =
        posterior(&chain.network, settings->strength_network, reputation->prior_stranger);
    chain.of_address = posterior(&chain.address, settings->strength_address, chain.of_network);
    chain.of_domain = posterior(&chain.domain, settings->strength_domain, prior);
    bool at_home = reputation->association == WEIR_ASSOCIATION_AUTH ||
                   reputation->association == WEIR_ASSOCIATION_COMMON;
    chain.omega = at_home || chain.of_domain > prior ? 1 : 0;
    chain.of_stranger = logistic(logit(chain.of_address) +
                                 chain.omega * (logit(chain.of_domain) - logit(prior)));
    chain.of_group = posterior(&chain.group, chain.strength, chain.of_stranger);
    return chain;
}

static void set_cell(struct weir_cell *cell, double strength, double mean)
{
    double votes = votes_of(cell);
    cell->probability = posterior(cell, strength, mean);
    cell->confidence = votes > 0 ? votes / (votes + fmax(0, strength)) : 0;
}

/* What each level says by all of its own votes. */
static void set_cells(const struct weir_reputation_settings *settings, const struct chain *chain,
                      struct weir_reputation *reputation)
{
    struct weir_cell *cell = reputation->cell;
    set_cell(&cell[WEIR_BASIS_DOMAIN], settings->strength_domain, reputation->prior);
    set_cell(&cell[WEIR_BASIS_ADDRESS], settings->strength_address, chain->of_network);
    set_cell(&cell[WEIR_BASIS_NETWORK_DOMAIN], chain->strength, chain->of_stranger);
    set_cell(&cell[WEIR_BASIS_PAIR], chain->strength, chain->of_group);
}

/* Address or domain: the one that moved the judgement further. */
static enum weir_basis address_or_domain(const struct chain *chain, double prior)
{
    bool address = votes_of(&chain->address) >= EVIDENCE;
    bool domain = votes_of(&chain->domain) >= EVIDENCE && chain->omega > 0;
    if (address && domain) {
        double by_address = fabs(logit(chain->of_address) - logit(prior));
        double by_domain = chain->omega * fabs(logit(chain->of_domain) - logit(prior));
        return by_domain > by_address ? WEIR_BASIS_DOMAIN : WEIR_BASIS_ADDRESS;
    }
    return address ? WEIR_BASIS_ADDRESS : domain ? WEIR_BASIS_DOMAIN : WEIR_BASIS_PRIOR;
}

static enum weir_basis basis_of(const struct chain *chain, const struct weir_reputation *reputation)
{
    if (votes_of(&reputation->cell[WEIR_BASIS_PAIR]) >= EVIDENCE)
        return WEIR_BASIS_PAIR;
    if (votes_of(&chain->group) >= EVIDENCE)
        return WEIR_BASIS_NETWORK_DOMAIN;
    enum weir_basis basis = address_or_domain(chain, reputation->prior);
    if (basis == WEIR_BASIS_PRIOR && votes_of(&chain->network) >= EVIDENCE)
        return WEIR_BASIS_NETWORK;
    return basis;
}

/* Spam a minute: events divided by the time they are remembered, H / ln 2; and
 * what two memories of different length say of now, the lag taken out. */
static void set_rates(const struct weir_reputation_settings *settings,
                      const struct weir_gathered *gathered, struct weir_reputation *reputation)
{
    double period = (double)settings->half_life_rate / (double)WEIR_MINUTE;
    double memory = weir_reputation_within(period, 4.0 / 60, 1e9) / log(2);
    double slow = gathered->spam_long / memory, fast = gathered->spam_short / (memory / 4);
    reputation->spam_rate = slow;
    reputation->spam_rate_now = fmax(0, (4 * fast - slow) / 3);
}

static void set_priors(const struct weir_reputation_settings *settings,
                       const struct weir_gathered *gathered, struct weir_reputation *reputation)
{
    struct weir_cell *all = &reputation->cell[WEIR_BASIS_PRIOR];
    double least = weir_reputation_within(settings->prior_least, 0.001, 0.999);
    double most = weir_reputation_within(settings->prior_most, least, 0.999);
    set_cell(all, PRIOR_STRENGTH, 0.5);
    reputation->prior = weir_reputation_within(all->probability, least, most);

    struct weir_cell strangers = gathered->cell[WEIR_LEVEL_STRANGERS];
    weigh(settings, &strangers);
    double share = posterior(&strangers, PRIOR_STRENGTH, reputation->prior);
    /* A network that did not answer may be anybody: it is no stranger. */
    reputation->prior_stranger = gathered->lost[WEIR_BASIS_NETWORK]
                                     ? reputation->prior
                                     : weir_reputation_within(share, least, most);
}

/* Says nothing of whom nothing is known, however bad strangers are. */
static double points_of(const struct weir_gathered *gathered,
                        const struct weir_reputation *reputation)
{
    double assumed = weir_reputation_is_stranger(gathered) ? reputation->prior_stranger
                                                           : reputation->prior;
    double more = logit(reputation->probability) - logit(assumed);
    return POINTS_EACH * weir_reputation_within(more, -LOGIT_MOST, LOGIT_MOST);
}

/* Raw counts to weighted cells and priors; what is known without the chain. */
static struct weir_reputation begin(const struct weir_reputation_settings *settings,
                                    const struct weir_gathered *gathered)
{
    struct weir_reputation reputation = {
        .basis = WEIR_BASIS_PRIOR,
        .partial = gathered->partial,
        .group_good = gathered->group_good,
        .domain_good = gathered->domain_good,
    };
    for (size_t level = 0; level < WEIR_BASES; level++) {
        reputation.cell[level] = gathered->cell[level];
        weigh(settings, &reputation.cell[level]);
    }
    set_priors(settings, gathered, &reputation);
    set_cell(&reputation.cell[WEIR_BASIS_NETWORK], settings->strength_network,
             reputation.prior_stranger);
    set_rates(settings, gathered, &reputation);
    return reputation;
}

void weir_reputation_judge(const struct weir_reputation_settings *settings,
                           const struct weir_reputation_query *query,
                           const struct weir_reading *reading, struct weir_reputation *reputation_r)
{
    struct weir_gathered gathered;
    weir_reputation_gather(query, reading, &gathered);
    struct weir_reputation reputation = begin(settings, &gathered);
    weir_association_find(settings, query, &gathered, &reputation);

    struct chain chain = chain_of(settings, &reputation);
    set_cells(settings, &chain, &reputation);
    reputation.elsewhere = chain.of_domain;
    reputation.elsewhere_n = votes_of(&chain.domain);
    reputation.probability = reputation.cell[WEIR_BASIS_PAIR].probability;
    reputation.basis = basis_of(&chain, &reputation);
    if (reputation.basis != WEIR_BASIS_PRIOR)
        reputation.confidence = reputation.cell[reputation.basis].confidence;
    reputation.points = points_of(&gathered, &reputation);
    reputation.forged = weir_association_forged(&reputation);
    *reputation_r = reputation;
}

const char *weir_basis_name(enum weir_basis basis)
{
    static const char *const name[WEIR_BASES] = {"prior", "net", "domain", "address", "net-domain",
                                                 "pair"};
    return (unsigned)basis < WEIR_BASES ? name[basis] : name[0];
}
