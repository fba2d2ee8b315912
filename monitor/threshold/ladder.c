/*
 * Records of prefixes that raised events, in an array chained by keyed hashes, with the step each
 * has come to.
 * The ladder owns its records and copies of the steps.  Refuses to block whom ladder.h says it
 * must not, and tells why.
 */
#include "monitor/threshold/ladder.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/threshold/ladder_impl.h"

#define NONE UINT32_MAX

const char *weir_response_name(enum weir_response response)
{
    static const char *const name[] = {"observe", "alert", "score", "defer", "reject"};
    return (unsigned)response < WEIR_RESPONSES ? name[response] : "?";
}

/* Records. --------------------------------------------------------------- */

static uint64_t hash(const struct weir_ladder *ladder, const struct weir_prefix *prefix)
{
    uint8_t text[17];
    memcpy(text, prefix->address.octet, 16);
    text[16] = prefix->bits;
    return weir_hash64(&ladder->options.key, text, sizeof(text));
}

static bool same(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return a->bits == b->bits && weir_address_equal(&a->address, &b->address);
}

static struct ladder_record *find(const struct weir_ladder *ladder,
                                  const struct weir_prefix *prefix)
{
    uint32_t i = ladder->chain[hash(ladder, prefix) % WEIR_LADDER_RECORDS_MAX];
    while (i != NONE && !same(&ladder->record[i].event.prefix, prefix))
        i = ladder->record[i].next;
    return i != NONE ? &ladder->record[i] : NULL;
}

static unsigned owner_of(uint32_t servers)
{
    return __builtin_popcount(servers) == 1 ? (unsigned)__builtin_ctz(servers) : LADDER_NOBODY;
}

/* A record by the word of these servers; NULL when there is no room. */
static struct ladder_record *make(struct weir_ladder *ladder, const struct weir_prefix *prefix,
                                  uint32_t servers)
{
    uint32_t i = ladder->spare, *head = &ladder->chain[hash(ladder, prefix) %
                                                       WEIR_LADDER_RECORDS_MAX];
    unsigned owner = owner_of(servers);
    size_t left = WEIR_LADDER_RECORDS_MAX - ladder->counts.records;
    if (i == NONE || (owner != LADDER_NOBODY && ladder->owned[owner] >= left))
        return NULL;
    struct ladder_record *record = &ladder->record[i];
    ladder->spare = record->next;
    *record = (struct ladder_record){.used = true, .next = *head, .owner = (uint8_t)owner};
    ladder->owned[owner]++;
    record->event.prefix = *prefix;
    *head = i;
    ladder->counts.records++;
    return record;
}

static void drop(struct weir_ladder *ladder, struct ladder_record *record)
{
    uint32_t i = (uint32_t)(record - ladder->record);
    uint32_t *link =
        &ladder->chain[hash(ladder, &record->event.prefix) % WEIR_LADDER_RECORDS_MAX];
    while (*link != i)
        link = &ladder->record[*link].next;
    *link = record->next;
    ladder->owned[record->owner]--;
    *record = (struct ladder_record){.next = ladder->spare};
    ladder->spare = i;
    ladder->counts.records--;
}

/* Steps. ----------------------------------------------------------------- */

static const struct weir_ladder_class *class_of(const struct weir_ladder *ladder, const char *name)
{
    const struct weir_ladder_class *others = &ladder->class[0];
    for (size_t i = 0; i < ladder->options.class_count; i++) {
        if (strcmp(ladder->class[i].name, name) == 0)
            return &ladder->class[i];
        if (ladder->class[i].name[0] == '\0')
            others = &ladder->class[i];
    }
    return others;
}

/* How long a step lasts: twice as long for each repetition, and not all to the same moment. */
static weir_time length_of(const struct weir_ladder *ladder, const struct ladder_record *record,
                           const struct weir_ladder_step *step, weir_time time)
{
    double lasts = (double)step->lasts * exp2(record->repeated < 60 ? record->repeated : 60);
    lasts = fmin(lasts, (double)ladder->options.longest);
    uint64_t seed[2] = {hash(ladder, &record->event.prefix), (uint64_t)time};
    double chance = (double)(weir_hash64(&ladder->options.key, seed, sizeof(seed)) >> 11) / 0x1p53;
    lasts += fmin((double)step->lasts, lasts) * ladder->options.jitter * chance;
    return (weir_time)fmin(lasts, (double)ladder->options.longest);
}

/* Whether it puts its prefix on a list. */
static bool lists(enum weir_response response)
{
    return response >= WEIR_RESPONSE_SCORE;
}

static enum weir_response milder(struct weir_ladder *ladder, enum weir_response wanted,
                                 const struct weir_watch_event *event, const char **withheld_r,
                                 bool *by_word_r)
{
    *withheld_r = NULL;
    *by_word_r = false;
    if (event->observed && wanted != WEIR_RESPONSE_OBSERVE) {
        *withheld_r = "its class is only observed";
        return WEIR_RESPONSE_OBSERVE;
    }
    if (lists(wanted))
        *withheld_r = weir_ladder_withheld(ladder, event, wanted, by_word_r);
    return *withheld_r ? WEIR_RESPONSE_ALERT : wanted;
}

static void spend(struct weir_ladder *ladder, const struct weir_ladder_decision *decision)
{
    bool score = decision->response == WEIR_RESPONSE_SCORE;
    weir_ladder_spend(ladder, decision->response, decision->servers, decision->time);
    *(score ? &ladder->counts.scores : &ladder->counts.blocks) += 1;
}

static struct weir_watch_standing standing(const struct weir_ladder *ladder,
                                           const struct ladder_record *record)
{
    const struct weir_ladder_options *options = &ladder->options;
    return options->standing
        ? options->standing(options->context, &record->event.prefix)
        : (struct weir_watch_standing){.raised = record->raised, .beyond = record->beyond + 1};
}

/* From now on, as the caller's clock has it: what an event claims is no time that has passed. */
static void decide(struct weir_ladder *ladder, struct ladder_record *record)
{
    const struct weir_watch_event *event = &record->event;
    weir_time time = ladder->now;
    const struct weir_ladder_class *class = class_of(ladder, event->class_name);
    if (record->step >= class->steps) /* it changed its class, or the class its steps */
        record->step = 0;
    const struct weir_ladder_step *step = &class->step[record->step];
    struct weir_ladder_decision decision = {
        .prefix = event->prefix,
        .wanted = step->response,
        .time = time,
        .taken = ladder->wall,
        .step = record->step,
        .repeated = record->repeated,
        .forgotten = !record->used,
        .servers = event->servers,
        .event = event,
    };
    record->taken = ladder->wall;
    record->beyond = standing(ladder, record).beyond;
    record->ends = decision.until = time + length_of(ladder, record, step, time);
    decision.response = milder(ladder, step->response, event, &decision.withheld,
                               &record->by_word);
    record->withheld = lists(decision.wanted) && decision.response == WEIR_RESPONSE_ALERT;
    record->observed = event->observed;
    if (decision.response == WEIR_RESPONSE_SCORE)
        decision.points = step->points;
    if (lists(decision.response)) {
        decision.ends = record->ends;
        spend(ladder, &decision);
    }
    weir_ladder_reason(event, record->step, record->repeated, decision.reason);
    ladder->counts.decisions++;
    ladder->counts.withheld += decision.withheld != NULL;
    ladder->decided(ladder->context, &decision);
}

/* Its steps were only told, and are taken from now on. */
static bool begins_anew(const struct ladder_record *record)
{
    return record->observed && !record->event.observed;
}

/* What was withheld is tried again. */
static void climb(const struct weir_ladder *ladder, struct ladder_record *record)
{
    if (begins_anew(record))
        record->step = record->repeated = 0;
    if (record->withheld || begins_anew(record))
        return;
    if (record->step + 1 < class_of(ladder, record->event.class_name)->steps)
        record->step++;
    else if (record->repeated < UINT32_MAX)
        record->repeated++;
}

/* Events and time. ------------------------------------------------------- */

static void note_event(struct ladder_record *record, const struct weir_watch_event *event)
{
    record->event = *event;
    snprintf(record->class_name, sizeof(record->class_name), "%s", event->class_name);
    record->event.class_name = record->class_name; /* the watch's may be gone tomorrow */
}

/* Whether the step has had no chance to work yet. */
static bool too_early(const struct weir_ladder *ladder, struct ladder_record *record)
{
    weir_time half = (record->ends - record->taken) / 2;
    if (begins_anew(record))
        return false;
    if (record->taken > ladder->wall) /* the clock was put back */
        record->taken = ladder->wall;
    return ladder->wall - record->taken < (half < WEIR_LADDER_WAIT ? half : WEIR_LADDER_WAIT);
}

static void raised(struct weir_ladder *ladder, const struct weir_watch_event *event)
{
    struct ladder_record *record = find(ladder, &event->prefix), passing = {.used = false};
    bool again = record != NULL, still = record && record->raised != 0;
    ladder->counts.events++;
    if (!record && !event->untracked)
        record = make(ladder, &event->prefix, event->servers);
    if (!record) {
        ladder->counts.forgotten++;
        record = &passing;
    }
    record->raised |= (uint8_t)(1u << event->quantity);
    if (still) /* one more quantity of an event that was answered */
        return;
    note_event(record, event);
    record->last = ladder->now;
    if (again && too_early(ladder, record)) {
        ladder->counts.early++;
        return;
    }
    if (again)
        climb(ladder, record);
    decide(ladder, record);
}

static void set_clock(struct weir_ladder *ladder, weir_time now, weir_time time)
{
    time = time > now ? time : now;
    ladder->wall = now;
    ladder->now = time > ladder->now ? time : ladder->now;
}

void weir_ladder_event(struct weir_ladder *ladder, const struct weir_watch_event *event,
                       weir_time now)
{
    set_clock(ladder, now, event->time);
    if (event->raised) {
        raised(ladder, event);
        return;
    }
    struct ladder_record *record = find(ladder, &event->prefix);
    if (record) {
        record->raised &= (uint8_t)~(1u << event->quantity);
        record->last = event->time > record->last ? event->time : record->last;
    }
}

/* When the next step may be taken. */
static weir_time next_step(const struct ladder_record *record)
{
    bool lasts = !begins_anew(record) && record->ends > record->grace;
    return lasts ? record->ends : record->grace;
}

/* The step has lasted, and nobody said that the event is over. */
static void go_on(struct weir_ladder *ladder, struct ladder_record *record)
{
    struct weir_watch_standing now = standing(ladder, record);
    record->raised = (uint8_t)now.raised;
    if (now.raised == 0 || now.beyond <= record->beyond)
        return;
    if (now.servers != 0)
        record->event.servers = now.servers;
    record->last = record->event.time = ladder->now;
    climb(ladder, record);
    decide(ladder, record);
}

/* Which server comes first is chance: what is withheld for want of servers, or because one may have
 * nothing more listed, is looked at again as soon as others account for it. */
static void look_again(struct weir_ladder *ladder, struct ladder_record *record)
{
    if (!record->withheld || !record->by_word)
        return;
    struct weir_watch_standing now = standing(ladder, record);
    if (now.raised == 0 || (now.servers & ~record->event.servers) == 0 ||
        weir_ladder_lacks_servers(ladder, &record->event.prefix, now.servers))
        return;
    record->raised = (uint8_t)now.raised;
    record->event.servers = now.servers;
    decide(ladder, record);
}

void weir_ladder_advance(struct weir_ladder *ladder, weir_time now)
{
    set_clock(ladder, now, now);
    weir_time time = ladder->now;
    size_t left = ladder->counts.records; /* mostly the first ones, and nothing behind them */
    for (uint32_t i = 0; left > 0; i++) {
        struct ladder_record *record = &ladder->record[i];
        if (!record->used)
            continue;
        left--;
        if (record->raised == 0 && time >= record->last + ladder->options.memory &&
            time >= record->ends) {
            drop(ladder, record);
        } else if (record->raised != 0 && time >= next_step(record)) {
            go_on(ladder, record);
        } else if (record->raised != 0) {
            look_again(ladder, record);
        }
    }
}

static void rebase_caps(struct ladder_caps *caps, weir_time now)
{
    weir_allowance_rebase(&caps->all, now);
    for (unsigned i = 0; i < LADDER_SERVERS; i++)
        weir_allowance_rebase(&caps->server[i], now);
}

void weir_ladder_rebase(struct weir_ladder *ladder, weir_time now)
{
    for (uint32_t i = 0; i < WEIR_LADDER_RECORDS_MAX; i++) {
        struct ladder_record *record = &ladder->record[i];
        if (!record->used)
            continue;
        if (record->taken > now) {
            record->ends -= record->taken - now;
            record->taken = now;
        }
        record->last = record->last < now ? record->last : now;
        record->event.time = record->event.time < now ? record->event.time : now;
    }
    rebase_caps(&ladder->blocks, now);
    rebase_caps(&ladder->scores, now);
    ladder->now = ladder->wall = now;
}

void weir_ladder_undo(struct weir_ladder *ladder, const struct weir_prefix *prefix)
{
    for (uint32_t i = 0; i < WEIR_LADDER_RECORDS_MAX; i++) {
        struct ladder_record *record = &ladder->record[i];
        if (record->used && record->event.prefix.bits >= prefix->bits &&
            weir_prefix_contains(prefix, &record->event.prefix.address))
            drop(ladder, record);
    }
}

/* What another one knew. ------------------------------------------------- */

static struct ladder_record *find_or_make(struct weir_ladder *ladder,
                                          const struct weir_prefix *prefix, uint32_t servers)
{
    struct ladder_record *record = find(ladder, prefix);
    if (!record)
        record = make(ladder, prefix, servers);
    if (!record)
        ladder->counts.forgotten++;
    return record;
}

void weir_ladder_stands(struct weir_ladder *ladder, const struct weir_watch_event *event,
                        weir_time grace)
{
    struct ladder_record *record = find_or_make(ladder, &event->prefix, event->servers);
    if (!record)
        return;
    if (record->raised == 0)
        note_event(record, event);
    record->raised |= (uint8_t)(1u << event->quantity);
    record->last = event->time > record->last ? event->time : record->last;
    record->grace = grace;
}

void weir_ladder_put(struct weir_ladder *ladder, const struct weir_ladder_place *place)
{
    struct ladder_record *record = find_or_make(ladder, &place->prefix, 0);
    if (!record)
        return;
    record->step = place->step < WEIR_LADDER_STEPS_MAX ? place->step : 0;
    record->repeated = place->repeated;
    record->withheld = place->withheld;
    record->observed = place->observed;
    record->by_word = place->withheld && weir_ladder_lacks_servers(ladder, &place->prefix, 0);
    record->last = place->last > record->last ? place->last : record->last;
    record->ends = place->until > record->ends ? place->until : record->ends;
    record->taken = place->taken;
}

void weir_ladder_spent(struct weir_ladder *ladder, enum weir_response response, uint32_t servers,
                       weir_time time)
{
    weir_ladder_spend(ladder, response, servers, time);
}

/* The ladder. ------------------------------------------------------------ */

static bool step_ok(const struct weir_ladder_step *step)
{
    return (unsigned)step->response < WEIR_RESPONSES && step->lasts >= WEIR_SECOND &&
           step->lasts <= WEIR_LADDER_LONGEST && step->points >= 0 &&
           step->points <= WEIR_RULE_SCORE_MAX;
}

static int check(const struct weir_ladder_options *options)
{
    if (options->class_count == 0)
        return WEIR_EINVAL;
    if (options->class_count > WEIR_LADDER_CLASSES_MAX)
        return WEIR_ELIMIT;
    bool numbers = options->memory >= 0 && options->memory <= WEIR_LADDER_LONGEST &&
                   options->longest >= WEIR_SECOND && options->longest <= WEIR_LADDER_LONGEST &&
                   options->jitter >= 0 && options->jitter <= 1;
    if (!numbers)
        return WEIR_EINVAL;
    for (size_t i = 0; i < options->class_count; i++) {
        const struct weir_ladder_class *class = &options->classes[i];
        if (class->steps > WEIR_LADDER_STEPS_MAX)
            return WEIR_ELIMIT;
        if (class->steps == 0)
            return WEIR_EINVAL;
        for (size_t k = 0; k < class->steps; k++)
            if (!step_ok(&class->step[k]))
                return WEIR_EINVAL;
    }
    return 0;
}

static int make_records(struct weir_ladder *ladder)
{
    ladder->record = calloc(WEIR_LADDER_RECORDS_MAX, sizeof(*ladder->record));
    ladder->chain = calloc(WEIR_LADDER_RECORDS_MAX, sizeof(*ladder->chain));
    if (!ladder->record || !ladder->chain)
        return WEIR_ENOMEM;
    for (uint32_t i = 0; i < WEIR_LADDER_RECORDS_MAX; i++) {
        ladder->record[i].next = i + 1 < WEIR_LADDER_RECORDS_MAX ? i + 1 : NONE;
        ladder->chain[i] = NONE;
    }
    return 0;
}

int weir_ladder_new(const struct weir_ladder_options *options,
                    void (*decided)(void *context, const struct weir_ladder_decision *decision),
                    void *context, struct weir_ladder **ladder_r)
{
    int rc = check(options);
    if (rc != 0)
        return rc;
    struct weir_ladder *ladder = calloc(1, sizeof(*ladder));
    if (!ladder)
        return WEIR_ENOMEM;
    ladder->options = *options;
    memcpy(ladder->class, options->classes, options->class_count * sizeof(ladder->class[0]));
    for (size_t i = 0; i < options->class_count; i++)
        ladder->class[i].name[sizeof(ladder->class[i].name) - 1] = '\0';
    ladder->options.classes = ladder->class;
    ladder->blocks.hour = options->blocks_hour;
    ladder->blocks.server_hour = options->blocks_server_hour;
    ladder->scores.hour = options->scores_hour;
    ladder->scores.server_hour = options->scores_server_hour;
    ladder->decided = decided;
    ladder->context = context;
    rc = make_records(ladder);
    if (rc == 0)
        *ladder_r = ladder;
    else
        weir_ladder_free(&ladder);
    return rc;
}

void weir_ladder_free(struct weir_ladder **ladder)
{
    if (!*ladder)
        return;
    free((*ladder)->record);
    free((*ladder)->chain);
    free(*ladder);
    *ladder = NULL;
}

const struct weir_ladder_counts *weir_ladder_counts(const struct weir_ladder *ladder)
{
    return &ladder->counts;
}
