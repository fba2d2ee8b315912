/*
 * judge - the steps from a message's octets to a judgement.
 *
 * Each step leaves what it found in the judge; the next ones read it there.  All memory is the
 * judge's arena, given back with the next message.  What is missing (a store, rules, keys) is
 * noted and gone without: the only error is memory that is short.
 */
#include "core/engine/judge.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/judge_impl.h"
#include "core/mail/header_text.h"

#define ARENA_FIRST (256u << 10)
#define ARENA_KEPT (8u << 20)
#define PERSON_TEXT 1024 /* of a subject or a sender, for people */

const char *weir_work_name(enum weir_stage_of_work work)
{
    static const char *const name[WEIR_WORKS] = {"parse", "boundary", "look-up", "rules",
                                                "bayes", "write"};
    return name[work];
}

int weir_judge_new(const struct weir_judge_parts *parts, struct weir_judge **judge_r)
{
    struct weir_judge *judge = calloc(1, sizeof *judge);
    const struct weir_config *config = parts->config;

    if (!judge)
        return WEIR_ENOMEM;
    judge->parts = *parts;
    judge->boundary = (struct weir_boundary_settings){
        .mode = config->boundary_mode,
        .hops = config->boundary_hops,
        .gateways = parts->gateways,
        .name = config->gateway_names.item,
        .names = config->gateway_names.count,
        .domains = parts->domains,
    };
    judge->arena = weir_arena_new(ARENA_FIRST);
    if (!judge->arena || weir_charsets_new(&judge->charsets) < 0) {
        weir_judge_free(&judge);
        return WEIR_ENOMEM;
    }
    *judge_r = judge;
    return 0;
}

void weir_judge_free(struct weir_judge **judge)
{
    if (!*judge)
        return;
    weir_charsets_free(&(*judge)->charsets);
    weir_arena_free(&(*judge)->arena);
    free(*judge);
    *judge = NULL;
}

static void enter(struct weir_judge *judge, enum weir_shared what)
{
    if (judge->parts.enter)
        judge->parts.enter(judge->parts.context, what);
}

static void leave(struct weir_judge *judge, enum weir_shared what)
{
    if (judge->parts.leave)
        judge->parts.leave(judge->parts.context, what);
}

/* What a person reads of a header field; empty when it is not there. */
static struct weir_slice person_text(struct weir_judge *judge, const char *selector)
{
    char *room = weir_arena_take(judge->arena, PERSON_TEXT);
    struct weir_line line;

    if (!room)
        return (struct weir_slice){0};
    line = weir_line(room, PERSON_TEXT);
    if (!weir_header_text(&judge->message, judge->charsets, weir_slice_of(selector), &line))
        return (struct weir_slice){0};
    while (line.at > line.start && line.at[-1] == '\n')
        line.at--;
    return (struct weir_slice){line.start, (size_t)(line.at - line.start)};
}

/* parse ------------------------------------------------------------------------ */

/* The string an earlier passage left, or somebody wants us to believe so. */
static void read_old_info(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    size_t from = 0;
    const struct weir_field *field =
        weir_message_field(&judge->message, 0, WEIR_INFO_HEADER, &from);
    struct weir_info old; /* only its state matters here */

    if (!field || !judge->parts.keys || judge->parts.keys->keys == 0)
        return;
    judgement->had_info = true;
    judgement->info_state = weir_info_read(field->value, weir_info_binding(&judge->message),
                                           judge->parts.keys, &old);
}

static int take_apart(struct weir_judge *judge)
{
    struct weir_slice message = judge->mail->message;
    int done = weir_message_parse(message.at, message.len, judge->arena, &judge->message);

    if (done == 0)
        done = weir_content_read(&judge->message, judge->charsets, judge->arena, &judge->content);
    if (done < 0)
        return done;
    judge->judgement.subject = person_text(judge, "Subject");
    judge->judgement.from = person_text(judge, "From");
    judge->judgement.message_id = person_text(judge, "Message-Id");
    read_old_info(judge);
    return 0;
}

/* boundary ---------------------------------------------------------------------- */

static int find_boundary(struct weir_judge *judge)
{
    const struct weir_mail *mail = judge->mail;
    struct weir_peer peer = {
        .has_address = mail->envelope.has_client,
        .address = mail->envelope.client,
        .name = mail->envelope.client_name,
        .helo = mail->envelope.helo,
        .authenticated = mail->envelope.authenticated,
        .listener = mail->listener,
        .recipient = mail->envelope.recipient,
        .skip = mail->received_skip,
    };
    int done;

    enter(judge, WEIR_SHARED_DOMAINS);
    done = weir_boundary_find(&judge->boundary, &peer, &judge->message, judge->arena,
                              &judge->judgement.boundary);
    leave(judge, WEIR_SHARED_DOMAINS);
    return done;
}

/* Whom the decision is about: the first recipient that is not exempt, so that a message is exempt
 * only when all it goes to are.  Otherwise who names postmaster first would reach everybody.  Of
 * recipients we were only told of, nobody knows. */
static struct weir_slice recipient_that_counts(const struct weir_judge *judge)
{
    const struct weir_strings *exempt = &judge->parts.config->exempt_recipients;
    const struct weir_mail *mail = judge->mail;
    struct weir_envelope envelope = mail->envelope;

    for (size_t i = 0; i < mail->recipients; i++) {
        envelope.recipient = mail->recipient[i];
        if (!weir_envelope_role_recipient(&envelope, exempt->item, exempt->count))
            return envelope.recipient;
    }
    return mail->recipients_more > 0 ? (struct weir_slice){0} : mail->envelope.recipient;
}

/* The envelope as it would be, had the message come straight from the boundary address. */
static void move_to_boundary(struct weir_judge *judge)
{
    const struct weir_boundary *boundary = &judge->judgement.boundary;

    judge->envelope = judge->mail->envelope;
    judge->envelope.stage = WEIR_STAGE_END;
    judge->envelope.recipient = recipient_that_counts(judge);
    if (boundary->end == WEIR_BOUNDARY_AUTHENTICATED)
        judge->envelope.authenticated = true;
    if (!boundary->found || boundary->index == 0)
        return;
    judge->envelope.client = boundary->address;
    judge->envelope.client_name = boundary->name;
    judge->envelope.helo = boundary->helo;
}

static bool no_name(struct weir_slice name)
{
    return name.len == 0 || (name.len == 7 && memcmp(name.at, "unknown", 7) == 0);
}

/* The domain of the host that handed the message in (C15): by its verified name, else by what
 * it calls itself. */
static struct weir_slice domain_of_boundary(const struct weir_envelope *envelope)
{
    return no_name(envelope->client_name) ? envelope->helo : envelope->client_name;
}

/* The organizational domain, "" when it is none. */
static void organization(struct weir_judge *judge, struct weir_slice name,
                         char domain_r[static WEIR_DOMAIN_TEXT])
{
    enter(judge, WEIR_SHARED_DOMAINS);
    if (!weir_domain_organizational(judge->parts.domains, name.at, name.len, domain_r))
        domain_r[0] = '\0';
    leave(judge, WEIR_SHARED_DOMAINS);
}

static void find_domain(struct weir_judge *judge)
{
    struct weir_judgement *judgement = &judge->judgement;
    const struct weir_config *config = judge->parts.config;
    char domain[WEIR_DOMAIN_TEXT];

    judge->envelope.stated =
        config->domain_of == WEIR_DOMAIN_BOUNDARY
            ? domain_of_boundary(&judge->envelope)
            : weir_stated_domain(&judge->message, judge->mail->envelope.sender);
    judgement->auths =
        weir_auth_results_read(&judge->message, config->trusted_authserv.item,
                               config->trusted_authserv.count, judgement->auth);
    organization(judge, judge->envelope.stated, domain);
    judge->envelope.vouched = weir_auth_vouches(judgement->auth, judgement->auths, domain);
}

/* rules --------------------------------------------------------------------------- */

static void set_auth_facts(struct weir_judge *judge)
{
    static const enum weir_fact pass[] = {WEIR_FACT_AUTH_SPF_PASS, WEIR_FACT_AUTH_DKIM_PASS,
                                          WEIR_FACT_AUTH_DMARC_PASS};
    static const enum weir_fact fail[] = {WEIR_FACT_AUTH_SPF_FAIL, WEIR_FACT_AUTH_DKIM_FAIL,
                                          WEIR_FACT_AUTH_DMARC_FAIL};
    const struct weir_judgement *judgement = &judge->judgement;

    for (size_t i = 0; i < judgement->auths; i++) {
        const struct weir_auth *auth = &judgement->auth[i];

        if (auth->method > WEIR_AUTH_DMARC)
            continue;
        if (auth->result == WEIR_AUTH_PASS)
            judge->fact[pass[auth->method]] = 1;
        else if (auth->result == WEIR_AUTH_FAIL)
            judge->fact[fail[auth->method]] = 1;
    }
    judge->fact[WEIR_FACT_AUTH_VOUCHED] = judge->envelope.vouched;
}

/* Whether HELO and verified name of the boundary are of different organizations. */
static bool helo_differs(struct weir_judge *judge)
{
    char name[WEIR_DOMAIN_TEXT], helo[WEIR_DOMAIN_TEXT];

    if (no_name(judge->envelope.client_name) || judge->envelope.helo.len == 0)
        return false;
    organization(judge, judge->envelope.client_name, name);
    organization(judge, judge->envelope.helo, helo);
    return strcmp(name, helo) != 0;
}

static void set_facts(struct weir_judge *judge)
{
    const struct weir_judgement *judgement = &judge->judgement;
    const struct weir_reputation *reputation = &judgement->decision.reputation;
    float *fact = judge->fact;

    memset(judge->fact, 0, sizeof judge->fact);
    weir_facts_of_message(&judge->message, &judge->content, fact);
    set_auth_facts(judge);
    fact[WEIR_FACT_FORGED_DOMAIN] = judgement->decision.forged;
    fact[WEIR_FACT_FORGED_INFO] = judgement->had_info && judgement->info_state == WEIR_INFO_BAD;
    fact[WEIR_FACT_OWN_INFO] = judgement->had_info && judgement->info_state == WEIR_INFO_VALID;
    fact[WEIR_FACT_NO_STORE] = judgement->decision.store_missing;
    fact[WEIR_FACT_NULL_SENDER] = weir_envelope_null_sender(&judge->envelope);
    fact[WEIR_FACT_RECIPIENTS] =
        (float)(judge->mail->recipients + judge->mail->recipients_more);
    fact[WEIR_FACT_BOUNDARY_UNUSUAL] = judgement->boundary.unusual;
    fact[WEIR_FACT_NO_NAME] =
        judgement->boundary.found && no_name(judge->envelope.client_name);
    fact[WEIR_FACT_HELO_NOT_NAME] = judgement->boundary.found && helo_differs(judge);
    if (!judgement->decision.judged)
        return;
    fact[WEIR_FACT_UNCOMMON] = reputation->association == WEIR_ASSOCIATION_UNCOMMON;
    fact[WEIR_FACT_KNOWN_GOOD] =
        reputation->basis == WEIR_BASIS_PAIR && reputation->probability < 0.1 &&
        reputation->confidence > 0.9;
}

static int match(struct weir_judge *judge)
{
    struct weir_matcher *matcher = judge->matcher;
    const struct weir_boundary *boundary = &judge->judgement.boundary;
    struct weir_rule_input input = {
        .message = &judge->message,
        .content = &judge->content,
        .charsets = judge->charsets,
        .envelope = &judge->envelope,
        .recipient = judge->mail->recipient,
        .recipients = judge->mail->recipients,
        .boundary = boundary->found ? &boundary->address : NULL,
        .fact = judge->fact,
    };
    const struct weir_rules *rules = weir_matcher_rules(matcher);
    unsigned want = (judge->parts.profile ? WEIR_MATCH_PROFILE : 0u) |
                    (judge->parts.hidden ? WEIR_MATCH_HIDDEN : 0u);
    int done = weir_rules_match(matcher, &input, want, judge->arena, &judge->rules);

    if (done < 0)
        return done;
    judge->judgement.serial = weir_rules_serial(rules);
    judge->judgement.rules_cut =
        judge->rules.cut || judge->rules.cut_rest || judge->rules.faileds > 0;
    return 0;
}

/* The matcher is kept: its rules name the hits. */
static int take_and_match(struct weir_judge *judge)
{
    set_facts(judge);
    judge->rules = (struct weir_rule_result){0};
    if (judge->parts.rules)
        judge->matcher = weir_rule_file_take(judge->parts.rules, judge->now);
    judge->judgement.rules_missing = !judge->matcher;
    return judge->matcher ? match(judge) : 0;
}

/* all ------------------------------------------------------------------------------- */

static int look_up(struct weir_judge *judge)
{
    const struct weir_decision *decision = &judge->judgement.decision;

    enter(judge, WEIR_SHARED_STORES);
    (void)weir_engine_decide(judge->parts.engine, judge->now, &judge->envelope,
                             &judge->judgement.decision, 1);
    leave(judge, WEIR_SHARED_STORES);
    judge->judgement.vouched =
        judge->envelope.vouched ||
        (decision->judged && decision->reputation.association == WEIR_ASSOCIATION_AUTH);
    return 0;
}

static int find_sender(struct weir_judge *judge)
{
    int done = find_boundary(judge);

    if (done < 0)
        return done;
    move_to_boundary(judge);
    find_domain(judge);
    return 0;
}

static int write_down(struct weir_judge *judge)
{
    int done = weir_judge_score(judge);

    done = done < 0 ? done : weir_judge_write(judge);
    if (done < 0 || !judge->parts.spool)
        return done;
    enter(judge, WEIR_SHARED_SPOOL);
    weir_judge_spool(judge);
    done = weir_judge_teach(judge);
    leave(judge, WEIR_SHARED_SPOOL);
    return done;
}

static void begin(struct weir_judge *judge, weir_time now, const struct weir_mail *mail)
{
    weir_arena_reset(judge->arena, ARENA_KEPT);
    memset(&judge->judgement, 0, sizeof judge->judgement);
    judge->now = now;
    judge->mail = mail;
    judge->tokened = false;
}

/* Back to where others take it. */
static void give_back(struct weir_judge *judge)
{
    if (judge->matcher)
        weir_rule_file_give(judge->parts.rules, &judge->matcher);
    if (judge->list)
        weir_bayes_file_give(judge->parts.bayes, &judge->list);
}

static int take_steps(struct weir_judge *judge)
{
    static const struct {
        int (*take)(struct weir_judge *);
    } step[WEIR_WORKS] = {
        [WEIR_WORK_PARSE] = {take_apart},   [WEIR_WORK_BOUNDARY] = {find_sender},
        [WEIR_WORK_LOOK_UP] = {look_up},    [WEIR_WORK_RULES] = {take_and_match},
        [WEIR_WORK_BAYES] = {weir_judge_bayes}, [WEIR_WORK_WRITE] = {write_down},
    };
    const struct weir_clock *steady = judge->parts.steady;
    weir_time since = steady ? weir_clock_now(steady) : 0;

    for (size_t i = 0; i < WEIR_WORKS; i++) {
        int done = step[i].take(judge);

        if (done < 0)
            return done;
        if (steady) {
            weir_time until = weir_clock_now(steady);
            judge->judgement.spent[i] = until - since;
            since = until;
        }
    }
    return 0;
}

int weir_judge_mail(struct weir_judge *judge, weir_time now, const struct weir_mail *mail,
                    const struct weir_judgement **judgement_r)
{
    int done;

    begin(judge, now, mail);
    done = take_steps(judge);
    give_back(judge);
    if (done < 0)
        return done;
    judge->judgement.defects = judge->message.defects;
    judge->judgement.html_facts = judge->content.html_facts;
    *judgement_r = &judge->judgement;
    return 0;
}
