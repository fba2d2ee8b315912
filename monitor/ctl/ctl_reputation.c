/*
 * ctl_reputation - shows a cell of the table and what follows from it.
 *
 *     ADDRESS DOMAIN   the pair, with all levels behind it
 *     ADDRESS          the address and its network
 *     DOMAIN           the domain
 *
 * Reads only.  What was not asked for is left out, not shown as zero.
 */
#include "monitor/ctl/ctl.h"

#include <math.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_judge.h"
#include "monitor/ctl/ctl_output.h"

struct asked {
    bool address, domain;
    weir_time as_of;
    struct weir_ctl_question question;
    struct weir_reputation reputation;
};

/* The levels from narrow to wide. */
static const enum weir_basis levels[] = {WEIR_BASIS_PAIR,    WEIR_BASIS_NETWORK_DOMAIN,
                                         WEIR_BASIS_ADDRESS, WEIR_BASIS_DOMAIN,
                                         WEIR_BASIS_NETWORK, WEIR_BASIS_PRIOR};

static bool is_asked(const struct asked *asked, enum weir_basis level)
{
    bool pair = level == WEIR_BASIS_PAIR || level == WEIR_BASIS_NETWORK_DOMAIN;
    bool needs_address = pair || level == WEIR_BASIS_ADDRESS || level == WEIR_BASIS_NETWORK;
    bool needs_domain = pair || level == WEIR_BASIS_DOMAIN;
    return (asked->address || !needs_address) && (asked->domain || !needs_domain);
}

#define ENTITY_TEXT (WEIR_PREFIX_TEXT + WEIR_DOMAIN_TEXT + 8)

/* What a level is about, for people. */
static const char *entity(const struct weir_ctl *ctl, const struct asked *asked,
                          enum weir_basis level, char buffer[static ENTITY_TEXT])
{
    const struct weir_reputation_query *query = &asked->question.query;
    struct weir_prefix network =
        weir_address_prefix(&query->address, (unsigned)ctl->config.reputation.ipv4_bits,
                            (unsigned)ctl->config.reputation.ipv6_bits);
    char address[WEIR_ADDRESS_TEXT], prefix[WEIR_PREFIX_TEXT];
    weir_address_format(&query->address, address);
    weir_prefix_format(&network, prefix);
    switch (level) {
    case WEIR_BASIS_PAIR:
        snprintf(buffer, ENTITY_TEXT, "%s for %s", address, query->domain);
        break;
    case WEIR_BASIS_NETWORK_DOMAIN:
        snprintf(buffer, ENTITY_TEXT, "%s for %s", prefix, query->domain);
        break;
    case WEIR_BASIS_ADDRESS:
        return strcpy(buffer, address);
    case WEIR_BASIS_NETWORK:
        return strcpy(buffer, prefix);
    case WEIR_BASIS_DOMAIN:
        return strcpy(buffer, query->domain);
    default:
        return strcpy(buffer, "all mail");
    }
    return buffer;
}

/* JSON. -------------------------------------------------------------------------- */

static json_t *level_as_json(const struct weir_ctl *ctl, const struct asked *asked,
                             enum weir_basis level)
{
    const struct weir_cell *cell = &asked->reputation.cell[level];
    char text[ENTITY_TEXT];
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}", "level",
                     weir_basis_name(level), "of", entity(ctl, asked, level, text), "spam_user",
                     weir_ctl_json_number(cell->spam_user), "good_user",
                     weir_ctl_json_number(cell->good_user), "spam_computer",
                     weir_ctl_json_number(cell->spam_computer), "good_computer",
                     weir_ctl_json_number(cell->good_computer), "indeterminate",
                     weir_ctl_json_number(cell->indeterminate), "spam",
                     weir_ctl_json_number(cell->spam), "good", weir_ctl_json_number(cell->good),
                     "n", weir_ctl_json_number(cell->spam + cell->good), "probability",
                     weir_ctl_json_number(cell->probability), "confidence",
                     weir_ctl_json_number(cell->confidence));
}

static json_t *judgement_as_json(const struct weir_ctl *ctl, const struct asked *asked)
{
    const struct weir_reputation *r = &asked->reputation;
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:s, s:s, s:s, s:b, s:b, s:o, s:o, s:o, s:o, s:o,"
                     " s:o, s:o}",
                     "probability", weir_ctl_json_number(r->probability), "confidence",
                     weir_ctl_json_number(r->confidence), "points",
                     weir_ctl_json_number(r->points), "prior", weir_ctl_json_number(r->prior),
                     "prior_stranger", weir_ctl_json_number(r->prior_stranger), "basis",
                     weir_basis_name(r->basis), "association",
                     weir_association_name(r->association), "judged", weir_ctl_called(ctl, r),
                     "forged", r->forged, "partial", r->partial, "elsewhere",
                     weir_ctl_json_number(r->elsewhere), "elsewhere_n",
                     weir_ctl_json_number(r->elsewhere_n), "novelty",
                     weir_ctl_json_number(r->novelty), "group_good",
                     weir_ctl_json_number(r->group_good), "domain_good",
                     weir_ctl_json_number(r->domain_good), "spam_rate",
                     weir_ctl_json_number(r->spam_rate), "spam_rate_now",
                     weir_ctl_json_number(r->spam_rate_now));
}

static int print_json(struct weir_ctl *ctl, const struct asked *asked)
{
    char address[WEIR_ADDRESS_TEXT];
    const struct weir_reputation_query *query = &asked->question.query;
    json_t *cells = json_array();
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (is_asked(asked, levels[i]))
            json_array_append_new(cells, level_as_json(ctl, asked, levels[i]));
    weir_address_format(&query->address, address);
    json_t *all = json_pack("{s:s?, s:s?, s:b, s:o}", "address", asked->address ? address : NULL,
                            "domain", asked->domain ? query->domain : NULL, "authenticated",
                            query->authenticated, "as_of", weir_ctl_json_time(asked->as_of));
    json_t *judgement = judgement_as_json(ctl, asked);
    if (all != NULL && judgement != NULL && json_object_update(all, judgement) == 0)
        json_object_set_new(all, "levels", cells);
    else
        json_decref(cells);
    json_decref(judgement);
    return weir_ctl_json(ctl, all);
}

/* Text. -------------------------------------------------------------------------- */

static void print_association(const struct asked *asked)
{
    static const char *const meaning[WEIR_ASSOCIATIONS] = {
        [WEIR_ASSOCIATION_UNKNOWN] = "too little is known to tell",
        [WEIR_ASSOCIATION_AUTH] = "the domain is vouched for",
        [WEIR_ASSOCIATION_COMMON] = "this network sends good mail for the domain",
        [WEIR_ASSOCIATION_UNCOMMON] = "this network is strange for the domain",
        [WEIR_ASSOCIATION_ROAM] = "the domain's mail comes from everywhere",
    };
    const struct weir_reputation *r = &asked->reputation;
    printf("  association          %s: %s%s\n", weir_association_name(r->association),
           meaning[r->association],
           r->forged ? "; somebody else uses its name (forged)" : "");
    printf("  domain elsewhere     %.1f %% spam in %.1f votes\n", 100 * r->elsewhere,
           r->elsewhere_n);
    printf("  good mail            %.1f of the domain, %.0f of it from this network; %.1f %% from "
           "new networks\n", r->domain_good, r->group_good, 100 * r->novelty);
}

static void print_judgement(const struct weir_ctl *ctl, const struct asked *asked)
{
    const struct weir_reputation *r = &asked->reputation;
    printf("  probability of spam  %.2f %%, would be called %s\n", 100 * r->probability,
           weir_ctl_called(ctl, r));
    printf("  confidence           %.2f, decided by %s\n", r->confidence,
           weir_basis_name(r->basis));
    if (asked->address)
        printf("  points               %+.2f (all mail %.1f %% spam, strangers %.1f %%)\n",
               r->points, 100 * r->prior, 100 * r->prior_stranger);
    if (asked->address && asked->domain)
        print_association(asked);
    if (asked->address)
        printf("  spam a minute        %.3g, right now %.3g\n", r->spam_rate, r->spam_rate_now);
    if (r->partial)
        puts("  not all counters answered: this leans to the prior");
}

static void print_level(const struct weir_ctl *ctl, const struct asked *asked,
                        enum weir_basis level)
{
    const struct weir_cell *cell = &asked->reputation.cell[level];
    char text[ENTITY_TEXT];
    printf("  %-10s %9.2f %9.2f %9.2f %9.2f %9.2f %10.2f %10.2f %8.2f %% %10.2f  %s\n",
           weir_basis_name(level), cell->spam_user, cell->good_user, cell->spam_computer,
           cell->good_computer, cell->indeterminate, cell->spam, cell->good,
           100 * cell->probability, cell->confidence, entity(ctl, asked, level, text));
}

static int print_text(const struct weir_ctl *ctl, const struct asked *asked)
{
    char text[ENTITY_TEXT], as_of[WEIR_TIME_TEXT];
    enum weir_basis top = asked->address && asked->domain ? WEIR_BASIS_PAIR
                          : asked->address                ? WEIR_BASIS_ADDRESS
                                                          : WEIR_BASIS_DOMAIN;
    printf("%s, as of %s\n\n", entity(ctl, asked, top, text),
           weir_time_format(asked->as_of, as_of));
    print_judgement(ctl, asked);
    printf("\n  %-10s %19s %19s %9s %21s\n", "", "user", "computer", "unsure", "weighted");
    printf("  %-10s %9s %9s %9s %9s %9s %10s %10s %10s %10s  %s\n", "level", "spam", "good", "spam",
           "good", "", "spam", "good", "spam share", "confidence", "of");
    for (size_t i = 0; i < sizeof levels / sizeof levels[0]; i++)
        if (is_asked(asked, levels[i]))
            print_level(ctl, asked, levels[i]);
    return 0;
}

/* --------------------------------------------------------------------------------- */

/* A domain alone is judged by its own cell; what would need an address is unknown. */
static void judge_domain(struct asked *asked)
{
    struct weir_reputation *r = &asked->reputation;
    const struct weir_cell *cell = &r->cell[WEIR_BASIS_DOMAIN];
    r->probability = cell->probability;
    r->confidence = cell->confidence;
    r->basis = cell->confidence > 0 ? WEIR_BASIS_DOMAIN : WEIR_BASIS_PRIOR;
    r->association = WEIR_ASSOCIATION_UNKNOWN;
    r->forged = false;
    r->points = r->elsewhere = r->elsewhere_n = r->group_good = NAN;
    r->spam_rate = r->spam_rate_now = NAN;
}

/* An address alone: the same for what would need a domain. */
static void judge_address(struct asked *asked)
{
    struct weir_reputation *r = &asked->reputation;
    r->elsewhere = r->elsewhere_n = r->novelty = r->group_good = r->domain_good = NAN;
}

/* A domain asked for must be one; a lone word that is no address is a domain. */
static int read_asked(struct weir_ctl *ctl, struct weir_address *address_r,
                      struct weir_slice *domain_r, struct asked *asked)
{
    const char *first = ctl->argument[0];
    const char *second = ctl->arguments > 1 ? ctl->argument[1] : NULL;
    char normal[WEIR_DOMAIN_TEXT];
    asked->address = weir_address_parse(first, strlen(first), address_r) == 0;
    if (!asked->address && second != NULL)
        return weir_ctl_error(ctl, EX_USAGE, "%s is not an address", first);
    const char *domain = asked->address ? second : first;
    *domain_r = (struct weir_slice){domain, domain != NULL ? strlen(domain) : 0};
    asked->domain = domain != NULL;
    if (asked->domain && weir_domain_normal(domain, strlen(domain), normal) != 1)
        return weir_ctl_error(ctl, EX_USAGE, "%s is %s", domain,
                              second != NULL ? "not a domain" : "neither an address nor a domain");
    return 0;
}

int weir_ctl_as_of(struct weir_ctl *ctl, weir_time *time_r)
{
    const char *at = ctl->option[WEIR_CTL_AT];
    *time_r = weir_ctl_now();
    *time_r -= *time_r % WEIR_SECOND;
    if (at != NULL && weir_ctl_time_parse(at, time_r) != 0)
        return weir_ctl_error(ctl, EX_USAGE, "--at %s: not a time such as 2026-12-31T18:00:00Z",
                              at);
    return 0;
}

int weir_ctl_reputation_show(struct weir_ctl *ctl)
{
    struct asked asked = {0};
    struct weir_address address = {{0}};
    struct weir_slice domain;
    int code = read_asked(ctl, &address, &domain, &asked);
    if (code == 0)
        code = weir_ctl_as_of(ctl, &asked.as_of);
    if (code == 0)
        code = weir_ctl_open_counters(ctl, WEIR_STORES_READ);
    if (code != 0)
        return code;
    weir_ctl_plan(ctl, &address, domain, ctl->option[WEIR_CTL_AUTHENTICATED] != NULL,
                  &asked.question);
    if (!weir_ctl_judge(ctl, asked.as_of, &asked.question, &asked.reputation))
        weir_ctl_error(ctl, 0, "not all counters answered; weirctl status says more");
    if (!asked.address)
        judge_domain(&asked);
    else if (!asked.domain)
        judge_address(&asked);
    return ctl->option[WEIR_CTL_JSON] != NULL ? print_json(ctl, &asked) : print_text(ctl, &asked);
}
