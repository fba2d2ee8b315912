/*
 * engine - decides about envelopes, many at once.
 *
 * Three steps for a batch: what needs no counters is decided one by one; the
 * counters that the rest needs are read in one go; the rest is judged.  The
 * engine owns only its scratch memory; it refuses nothing and cannot fail.
 */
#include "core/engine/engine.h"

#include <stdlib.h>
#include "core/base/error.h"

struct weir_engine {
    struct weir_engine_parts parts;
    struct weir_hash_key key;
    uint64_t decisions;           /* makes ids differ within one microsecond */
    struct weir_log_gate gate;    /* of lines about lists that cannot be read */
    struct weir_log_gate lost_gate; /* of lines about counters that cannot be written */
    struct weir_reputation_query query[WEIR_ENGINE_BATCH];
    size_t first[WEIR_ENGINE_BATCH + 1]; /* where the readings of each begin */
    struct weir_reading reading[WEIR_ENGINE_BATCH * WEIR_REPUTATION_READINGS];
};

_Static_assert(WEIR_ENGINE_BATCH * WEIR_REPUTATION_READINGS <= WEIR_READINGS_MAX,
               "one batch fits into one read");

int weir_engine_new(const struct weir_engine_parts *parts, struct weir_engine **engine_r)
{
    struct weir_engine *engine = calloc(1, sizeof *engine);

    if (!engine)
        return WEIR_ENOMEM;
    engine->parts = *parts;
    engine->key = *parts->key;
    *engine_r = engine;
    return 0;
}

void weir_engine_free(struct weir_engine **engine)
{
    free(*engine);
    *engine = NULL;
}

/* A reference people can read aloud: 13 letters and digits without 0, 1, i, l, o, u. */
static void make_id(struct weir_engine *engine, weir_time now, char id[static WEIR_ID_TEXT])
{
    static const char letter[] = "23456789abcdefghjkmnpqrstvwxyz"; /* 30 of them */
    uint64_t seed[2] = {(uint64_t)now, engine->decisions++};
    uint64_t bits = weir_hash64(&engine->key, seed, sizeof seed);

    for (size_t i = 0; i < WEIR_ID_TEXT - 1; i++, bits /= 30)
        id[i] = letter[bits % 30];
    id[WEIR_ID_TEXT - 1] = '\0';
}

static bool decided(struct weir_decision *decision, enum weir_ground ground,
                    enum weir_verdict verdict)
{
    decision->ground = ground;
    decision->verdict = verdict;
    return true;
}

/* What passes whoever sends it. */
static bool decide_exempt(const struct weir_config *config, const struct weir_envelope *envelope,
                          struct weir_decision *decision)
{
    if (envelope->stage == WEIR_STAGE_OTHER || !envelope->has_client)
        return decided(decision, WEIR_GROUND_NOTHING, WEIR_HAM);
    if (envelope->authenticated)
        return decided(decision, WEIR_GROUND_AUTHENTICATED, WEIR_HAM);
    if (weir_envelope_null_sender(envelope))
        return decided(decision, WEIR_GROUND_NULL_SENDER, WEIR_HAM);
    if (weir_envelope_role_recipient(envelope, config->exempt_recipients.item,
                                     config->exempt_recipients.count))
        return decided(decision, WEIR_GROUND_ROLE, WEIR_HAM);
    return false;
}

static void note_lists_trouble(struct weir_engine *engine, weir_time now, int error,
                               struct weir_decision *decision)
{
    unsigned held;

    decision->lists_missing = true;
    if (weir_log_gate_open(&engine->gate, now, WEIR_MINUTE, &held))
        weir_log(engine->parts.log, WEIR_LOG_ERROR,
                 "lists cannot be read (%s); mail goes on without them (%u more)",
                 weir_error_reason(error), held);
}

static bool decide_by_lists(struct weir_engine *engine, weir_time now,
                            const struct weir_envelope *envelope, struct weir_decision *decision)
{
    enum weir_list list;
    int found;

    if (!engine->parts.lists) {
        decision->lists_missing = true;
        return false;
    }
    found = weir_lists_find(engine->parts.lists, now, &envelope->client, &list, &decision->entry);
    if (found < 0)
        note_lists_trouble(engine, now, found, decision);
    if (found <= 0)
        return false;
    if (list == WEIR_LIST_SCORE) {
        decision->address_points = decision->entry.points;
        return false;
    }
    if (list == WEIR_LIST_BLACK)
        return decided(decision, WEIR_GROUND_BLACKLIST, WEIR_BLOCKED);
    return decided(decision, list == WEIR_LIST_NEVER ? WEIR_GROUND_NEVER : WEIR_GROUND_ACCEPT,
                   WEIR_HAM);
}

void weir_engine_query(const struct weir_engine *engine, const struct weir_address *address,
                       struct weir_slice domain, char domain_r[static WEIR_DOMAIN_TEXT],
                       struct weir_reputation_query *query_r)
{
    if (!weir_domain_organizational(engine->parts.domains, domain.at, domain.len, domain_r))
        domain_r[0] = '\0';
    *query_r = (struct weir_reputation_query){.address = *address, .domain = domain_r};
}

/* The domain reputation is asked about. */
static struct weir_slice stated(const struct weir_envelope *envelope)
{
    return envelope->stated.len > 0 ? envelope->stated : weir_mailbox_domain(envelope->sender);
}

/* A host whose verified name lies in the sender's domain speaks for it. */
static bool name_vouches(const struct weir_envelope *envelope, const char *domain)
{
    char host[WEIR_DOMAIN_TEXT];

    return domain[0] != '\0' &&
           weir_domain_normal(envelope->client_name.at, envelope->client_name.len, host) &&
           weir_domain_within(host, domain);
}

/* Reputation is asked once the recipient is known: before that nobody can tell
 * whether the mail is for postmaster. */
static size_t plan(struct weir_engine *engine, const struct weir_envelope *envelope,
                   struct weir_decision *decision, struct weir_reputation_query *query,
                   struct weir_reading *reading)
{
    struct weir_slice domain = stated(envelope);

    if (envelope->stage < WEIR_STAGE_RCPT || !engine->parts.counters) {
        decision->store_missing = envelope->stage >= WEIR_STAGE_RCPT;
        return 0;
    }
    weir_engine_query(engine, &envelope->client, domain, decision->domain, query);
    query->authenticated = envelope->vouched || name_vouches(envelope, decision->domain);
    return weir_reputation_plan(&engine->parts.config->reputation, &engine->key, query, reading);
}

static bool whitelisted(struct weir_engine *engine, weir_time now,
                        const struct weir_envelope *envelope, struct weir_decision *decision)
{
    struct weir_slice domain = stated(envelope);
    char name[WEIR_DOMAIN_TEXT];
    struct weir_list_entry entry;
    int found;

    if (!engine->parts.lists || !weir_domain_normal(domain.at, domain.len, name))
        return false;
    found = weir_lists_find_domain(engine->parts.lists, now, name, &entry);
    if (found < 0)
        note_lists_trouble(engine, now, found, decision);
    if (found <= 0)
        return false;
    if (!weir_reputation_honours_whitelist(&decision->reputation)) {
        decision->forged = true;
        return false;
    }
    decision->entry = entry;
    return decided(decision, WEIR_GROUND_WHITELIST, WEIR_HAM);
}

enum weir_verdict weir_engine_verdict(const struct weir_config *config,
                                      const struct weir_reputation *reputation, bool forged)
{
    /* Neighbours or a name alone do not condemn, and strangers are not suspects. */
    if (reputation->probability >= config->spam_probability &&
        reputation->confidence >= config->spam_confidence &&
        reputation->basis >= WEIR_BASIS_ADDRESS)
        return WEIR_SPAM;
    if (forged || (reputation->probability >= config->unsure_probability &&
                   reputation->basis != WEIR_BASIS_PRIOR))
        return WEIR_UNSURE;
    return WEIR_HAM;
}

static void judge(struct weir_engine *engine, weir_time now, const struct weir_envelope *envelope,
                  size_t i, struct weir_decision *decision)
{
    const struct weir_config *config = engine->parts.config;

    weir_reputation_judge(&config->reputation, &engine->query[i],
                          engine->reading + engine->first[i], &decision->reputation);
    decision->judged = true;
    if (envelope->stage == WEIR_STAGE_END)
        decision->counted = weir_reputation_counted(&engine->query[i],
                                                    engine->reading + engine->first[i]);
    decision->store_missing = decision->reputation.partial;
    decision->forged = decision->reputation.forged;
    if (!whitelisted(engine, now, envelope, decision))
        decided(decision, WEIR_GROUND_REPUTATION,
                weir_engine_verdict(config, &decision->reputation, decision->forged));
    decision->score =
        decision->reputation.points + (decision->forged ? WEIR_FORGED_DOMAIN_POINTS : 0);
}

static enum weir_action of_blocked(const struct weir_decision *decision)
{
    return decision->entry.defer ? WEIR_DEFER : WEIR_REJECT;
}

static void choose_action(const struct weir_config *config, struct weir_decision *decision)
{
    static const enum weir_action of_spam[] = {WEIR_PASS, WEIR_DEFER, WEIR_REJECT};

    if (decision->verdict == WEIR_BLOCKED)
        decision->intended = of_blocked(decision);
    else if (decision->verdict == WEIR_SPAM)
        decision->intended = of_spam[config->spam_action];
    else
        decision->intended = WEIR_PASS;
    decision->action = config->mode == WEIR_ENFORCE ? decision->intended : WEIR_PASS;
}

static void clear(struct weir_decision *decision)
{
    /* Not the whole: the entry and the reputation are large and have marks of their own. */
    decision->verdict = WEIR_HAM;
    decision->ground = WEIR_GROUND_NOTHING;
    decision->score = decision->address_points = 0;
    decision->judged = decision->forged = false;
    decision->store_missing = decision->lists_missing = false;
    decision->domain[0] = '\0';
    decision->counted = (struct weir_counted){.computer = WEIR_SAID_NOTHING};
}

size_t weir_engine_decide(struct weir_engine *engine, weir_time now,
                          const struct weir_envelope *envelope, struct weir_decision *decision_r,
                          size_t n)
{
    const struct weir_config *config = engine->parts.config;
    size_t readings = 0, whole = 0;

    if (n > WEIR_ENGINE_BATCH)
        n = WEIR_ENGINE_BATCH;
    for (size_t i = 0; i < n; i++) {
        struct weir_decision *decision = &decision_r[i];

        clear(decision);
        make_id(engine, now, decision->id);
        engine->first[i] = readings;
        if (!decide_exempt(config, &envelope[i], decision) &&
            !decide_by_lists(engine, now, &envelope[i], decision))
            readings += plan(engine, &envelope[i], decision, &engine->query[i],
                             engine->reading + readings);
    }
    engine->first[n] = readings;
    if (readings > 0)
        (void)weir_counters_read(engine->parts.counters, now, engine->reading, readings);
    for (size_t i = 0; i < n; i++) {
        if (engine->first[i + 1] > engine->first[i])
            judge(engine, now, &envelope[i], i, &decision_r[i]);
        decision_r[i].score += decision_r[i].address_points;
        choose_action(config, &decision_r[i]);
        whole += !decision_r[i].store_missing && !decision_r[i].lists_missing;
    }
    return whole;
}

int weir_engine_count(struct weir_engine *engine, weir_time at, const struct weir_address *address,
                      const char *domain, const struct weir_counted *counted)
{
    const struct weir_reputation_query query = {.address = *address, .domain = domain};
    struct weir_addition addition[WEIR_REPUTATION_ADDITIONS];
    size_t n = weir_reputation_message(&engine->parts.config->reputation, &engine->key, &query,
                                       counted, WEIR_SAID_NOTHING, addition);
    int worst = engine->parts.counters ? 0 : WEIR_EDOWN;

    for (size_t i = 0; i < n && engine->parts.counters; i++) {
        int done = weir_counters_add(engine->parts.counters, at, &addition[i].counter,
                                     addition[i].weight);
        worst = done < 0 ? done : worst;
    }
    return worst;
}

void weir_engine_tick(struct weir_engine *engine, weir_time now)
{
    size_t lost = 0;
    unsigned held;

    if (!engine->parts.counters)
        return;
    (void)weir_counters_flush(engine->parts.counters, &lost);
    if (lost > 0 && weir_log_gate_open(&engine->lost_gate, now, WEIR_MINUTE, &held))
        weir_log(engine->parts.log, WEIR_LOG_WARNING, "%zu numbers of the reputation could not be "
                 "stored; the monitor has them, and can put them back (%u more)", lost, held);
    weir_counters_tick(engine->parts.counters, now);
}
