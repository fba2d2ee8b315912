/*
 * judges - rules, gateways, keys and spool opened as configured, and a pool of judges.
 *
 * A daemon's threads take a judge for a message and give it back; a judge that is given back
 * keeps its memory for the next message.  Locks guard what only one thread may use: the engine
 * (lists, counters), the suffix list, the spool.  What cannot be opened is logged once and
 * missing ever after: mail must flow.
 */
#include "core/engine/judges_io.h"

#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/gateways_io.h"
#include "core/engine/info_keys_io.h"
#include "core/engine/rule_set_io.h"

#define POOL_MOST 256             /* judges kept for later */

struct weir_judges {
    const struct weir_config *config;
    struct weir_judges_options options;
    const struct weir_log *log;
    struct weir_engine *engine;
    struct weir_domains *domains;
    struct weir_counters *counters; /* the engine's */
    struct weir_rule_file *rules;
    struct weir_bayes_file *bayes;
    struct weir_lesson_pace pace;  /* with the spool's lock */
    struct weir_gateways *gateways;
    struct weir_info_keys keys;
    struct weir_spool *spool;
    struct weir_arena *arena;      /* of paths */
    pthread_mutex_t shared[WEIR_SHARED]; /* around what one judge at a time may use */
    pthread_mutex_t pool;
    struct weir_clock steady;
    weir_time ticked;              /* second in which counters were stored last */
    struct weir_judge *idle[POOL_MOST];
    size_t idles;
};

static void enter(void *context, enum weir_shared what)
{
    struct weir_judges *judges = context;
    pthread_mutex_lock(&judges->shared[what]);
}

static void leave(void *context, enum weir_shared what)
{
    struct weir_judges *judges = context;
    pthread_mutex_unlock(&judges->shared[what]);
}

/* opening ---------------------------------------------------------------------- */

static void missing(const struct weir_judges *judges, const char *what, const char *path,
                    const char *why)
{
    weir_log(judges->log, WEIR_LOG_ERROR, "%s: %s; mail is judged without %s", path, why, what);
}

static void open_rules(struct weir_judges *judges, const char *path)
{
    const bool brief = judges->options.brief;
    const struct weir_rule_file_options options = {
        .full = !brief,
        .trust_folder = judges->config->trust_owner,
        .hyperscan = judges->config->rules_engine == WEIR_RULES_HYPERSCAN && !brief,
    };
    const char *why = NULL;
    int done;

    if (judges->options.refresh)
        weir_rule_set_refresh(judges->config, judges->log);
    done = weir_rule_file_open(path, &options, judges->log, &judges->rules, &why);
    if (done < 0)
        missing(judges, "rules", path, why && why[0] ? why : weir_error_reason(done));
    else if (judges->options.refresh) /* a daemon: its first message need not wait for it */
        (void)weir_rule_file_compile(judges->rules, 0);
}

static void open_keys(struct weir_judges *judges, const char *path)
{
    char why[WEIR_INFO_KEYS_WHY];

    if (weir_info_keys_file(path, &judges->keys, why) < 0)
        missing(judges, "spam-info strings", path, why);
}

static void open_gateways(struct weir_judges *judges, const struct weir_stores *stores,
                          const char *path)
{
    int done;

    if (judges->config->boundary_mode == WEIR_BOUNDARY_CONNECT)
        return;
    done = weir_gateways_open(judges->config, &stores->key, path, &judges->gateways);
    if (done < 0)
        missing(judges, "learned gateways", path, weir_error_reason(done));
}

static void open_spool(struct weir_judges *judges, const char *folder)
{
    const struct weir_config *config = judges->config;
    struct weir_spool_options options = {
        .folder = folder,
        .name = judges->options.program,
        .bytes_most = (uint64_t)config->spool_size,
        .turn = config->spool_turn,
    };
    int done;

    if (!judges->options.spool || !config->spool_folder[0])
        return;
    done = weir_spool_open(&options, judges->log, &judges->spool);
    if (done < 0)
        missing(judges, "a spool", folder, weir_error_reason(done));
}

static int open_all(struct weir_judges *judges, const struct weir_stores *stores)
{
    const struct weir_config *config = judges->config;
    struct weir_engine_parts parts = {config,           &stores->key,     stores->domains,
                                      stores->lists,    stores->counters, judges->log};
    const char *rules, *keys, *gateways, *spool;

    judges->arena = weir_arena_new(1024);
    if (weir_domains_open(config->suffix_list, &judges->domains) < 0 &&
        weir_domains_open(NULL, &judges->domains) < 0) /* stores_io told of it */
        return WEIR_ENOMEM;
    if (!judges->arena || weir_engine_new(&parts, &judges->engine) < 0)
        return WEIR_ENOMEM;
    rules = weir_config_path(config, config->rules_file, judges->arena);
    keys = weir_config_path(config, config->info_key_file, judges->arena);
    gateways = weir_config_path(config, config->gateways_file, judges->arena);
    spool = weir_config_path(config, config->spool_folder, judges->arena);
    if (!rules || !keys || !gateways || !spool)
        return WEIR_ENOMEM;
    open_rules(judges, rules);
    if (weir_bayes_file_new(config->state_directory, !judges->options.brief, judges->log,
                            &judges->bayes) < 0)
        return WEIR_ENOMEM;
    open_keys(judges, keys);
    open_gateways(judges, stores, gateways);
    open_spool(judges, spool);
    return 0;
}

int weir_judges_open(const struct weir_config *config, const struct weir_stores *stores,
                     const struct weir_judges_options *options, const struct weir_log *log,
                     struct weir_judges **judges_r)
{
    struct weir_judges *judges = calloc(1, sizeof *judges);
    int done;

    if (!judges)
        return WEIR_ENOMEM;
    judges->config = config;
    judges->options = *options;
    judges->log = log;
    for (size_t i = 0; i < WEIR_SHARED; i++)
        pthread_mutex_init(&judges->shared[i], NULL);
    judges->steady = weir_clock_steady();
    judges->counters = stores->counters;
    weir_numbers_measure(options->numbers, stores->counters);
    pthread_mutex_init(&judges->pool, NULL);
    done = open_all(judges, stores);
    if (done < 0) {
        weir_judges_free(&judges);
        return done;
    }
    *judges_r = judges;
    return 0;
}

/* What came since the last tick; the next spool counts from 0. */
static void count_last(struct weir_judges *judges)
{
    struct weir_numbers *numbers = judges->options.numbers;

    weir_numbers_counters(numbers, judges->counters, false);
    if (judges->spool)
        weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0,
                           weir_spool_dropped(judges->spool));
    weir_numbers_raise(numbers, WEIR_NUMBER_SPOOL_DROPPED, 0, 0);
}

void weir_judges_free(struct weir_judges **judges)
{
    struct weir_judges *it = *judges;

    if (!it)
        return;
    while (it->idles > 0)
        weir_judge_free(&it->idle[--it->idles]);
    count_last(it);
    weir_spool_free(&it->spool);
    weir_gateways_free(&it->gateways);
    weir_rule_file_free(&it->rules);
    weir_bayes_file_free(&it->bayes);
    weir_engine_free(&it->engine);
    weir_arena_free(&it->arena);
    for (size_t i = 0; i < WEIR_SHARED; i++)
        pthread_mutex_destroy(&it->shared[i]);
    weir_domains_free(&it->domains);
    pthread_mutex_destroy(&it->pool);
    free(it);
    *judges = NULL;
}

/* the pool ------------------------------------------------------------------------ */

static struct weir_judge *make_judge(struct weir_judges *judges)
{
    struct weir_judge_parts parts = {
        .config = judges->config,
        .engine = judges->engine,
        .rules = judges->rules,
        .bayes = judges->bayes,
        .pace = judges->options.brief ? NULL : &judges->pace,
        .gateways = judges->gateways,
        .domains = judges->domains,
        .keys = &judges->keys,
        .spool = judges->spool,
        .log = judges->log,
        .steady = judges->options.timed ? &judges->steady : NULL,
        .profile = judges->options.profile,
        .hidden = judges->options.hidden,
        .learn = judges->options.spool && judges->config->learn,
        .program = judges->options.program,
        .enter = enter,
        .leave = leave,
        .context = judges,
    };
    struct weir_judge *judge = NULL;

    return weir_judge_new(&parts, &judge) < 0 ? NULL : judge;
}

struct weir_judge *weir_judges_take(struct weir_judges *judges)
{
    struct weir_judge *judge = NULL;

    pthread_mutex_lock(&judges->pool);
    if (judges->idles > 0)
        judge = judges->idle[--judges->idles];
    pthread_mutex_unlock(&judges->pool);
    return judge ? judge : make_judge(judges);
}

void weir_judges_give(struct weir_judges *judges, struct weir_judge **judge)
{
    if (!*judge)
        return;
    pthread_mutex_lock(&judges->pool);
    if (judges->idles < POOL_MOST) {
        judges->idle[judges->idles++] = *judge;
        *judge = NULL;
    }
    pthread_mutex_unlock(&judges->pool);
    weir_judge_free(judge);
}

int weir_judges_decide(struct weir_judges *judges, struct weir_judge *judge, weir_time now,
                       weir_time since, const struct weir_mail *mail,
                       const struct weir_judgement **judgement_r)
{
    weir_time began = since != 0 ? since : weir_clock_now(&judges->steady);
    int done = weir_judge_mail(judge, now, mail, judgement_r);

    if (done == 0)
        weir_numbers_message(judges->options.numbers, *judgement_r,
                             weir_clock_now(&judges->steady) - began);
    else
        weir_numbers_add(judges->options.numbers, WEIR_NUMBER_UNJUDGED, 0, 1);
    return done;
}

size_t weir_judges_profile(struct weir_judges *judges, struct weir_judges_profile *profile_r,
                           size_t most)
{
    struct weir_rule_profile *found = weir_arena_zero(judges->arena, most, sizeof *found);
    struct weir_matcher *matcher =
        judges->rules && found ? weir_rule_file_take(judges->rules, 0) : NULL;
    size_t n = matcher ? weir_matcher_profile(matcher, found, most) : 0;
    struct weir_rule rule;

    for (size_t i = 0; i < n; i++) {
        profile_r[i] = (struct weir_judges_profile){.nanoseconds = found[i].nanoseconds,
                                                    .tried = found[i].tried};
        if (weir_rules_get(weir_matcher_rules(matcher), found[i].number, &rule))
            snprintf(profile_r[i].name, sizeof profile_r[i].name, "%.*s", (int)rule.name.len,
                     rule.name.at);
    }
    if (matcher)
        weir_rule_file_give(judges->rules, &matcher);
    return n;
}

struct weir_rule_file *weir_judges_rules(struct weir_judges *judges)
{
    return judges->rules;
}

const struct weir_info_keys *weir_judges_keys(const struct weir_judges *judges)
{
    return &judges->keys;
}

void weir_judges_tick(struct weir_judges *judges, weir_time now)
{
    if (judges->options.spool && now / WEIR_SECOND != judges->ticked) {
        enter(judges, WEIR_SHARED_STORES);
        weir_engine_tick(judges->engine, now);
        weir_numbers_counters(judges->options.numbers, judges->counters, true);
        leave(judges, WEIR_SHARED_STORES);
        judges->ticked = now / WEIR_SECOND;
    }
    if (!judges->spool)
        return;
    enter(judges, WEIR_SHARED_SPOOL);
    weir_spool_turn(judges->spool, now);
    weir_numbers_raise(judges->options.numbers, WEIR_NUMBER_SPOOL_DROPPED, 0,
                       weir_spool_dropped(judges->spool));
    leave(judges, WEIR_SHARED_SPOOL);
}
