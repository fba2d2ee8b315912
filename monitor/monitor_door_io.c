/*
 * What agents ask, answered by the parts; called by threads of the intake.
 */
#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/secret_io.h"
#include "monitor/database/database_events_io.h"
#include "monitor/monitor_publish_io.h"

static int admit(void *context, const struct weir_intake_caller *caller, uint32_t *server_r)
{
    struct weir_monitor *monitor = context;

    return weir_admit_caller(monitor->admit, caller, weir_clock_now(&monitor->wall), server_r);
}

static int spool(void *context, uint32_t server, const char *stream, uint64_t offset,
                 struct weir_slice octets, uint64_t *offset_r)
{
    struct weir_monitor *monitor = context;

    return weir_receiver_take(monitor->receiver, server, stream, offset, octets,
                              weir_clock_now(&monitor->wall), offset_r);
}

static int commands(void *context, uint32_t server, int64_t generation, bool all,
                    struct weir_shared_text **text_r)
{
    struct weir_monitor *monitor = context;

    *text_r = NULL;
    if (!weir_admit_knows(monitor->admit, server))
        return 0; /* revoked while it waited */
    if (generation <= weir_orders_newest(monitor->orders))
        weir_admit_note(monitor->admit, server, generation, (struct weir_slice){0});
    return weir_orders_since(monitor->orders, generation, all, weir_clock_now(&monitor->wall),
                             text_r);
}

/* What a server's sniffer told, where it is in trouble, as "sniffer" of the report; whatever an
 * agent calls so is not believed.  Whether the report has changed. */
static bool put_hearing(struct weir_monitor *monitor, uint32_t server, weir_time now, json_t *json)
{
    uint64_t sum[WEIR_HEARING_KINDS];
    bool changed = json_object_del(json, "sniffer") == 0;
    json_t *hearing;

    if (!json_is_object(json) || !weir_receiver_hearing(monitor->receiver, server, now, sum))
        return changed;
    hearing = json_object();
    for (unsigned kind = 0; kind < WEIR_HEARING_KINDS; kind++)
        json_object_set_new(hearing, weir_hearing_name(kind), json_integer((json_int_t)sum[kind]));
    return json_object_set_new(json, "sniffer", hearing) == 0 || changed;
}

/* Decisions of a server that are not believed, as "decisions" of the report, in the same way; and
 * in the log when that begins. */
static bool put_disbelief(struct weir_monitor *monitor, uint32_t server, json_t *json)
{
    uint64_t sum[WEIR_RECORD_STATES];
    bool changed = json_object_del(json, "decisions") == 0, news;
    char name[WEIR_SERVER_NAME_MAX + 16];
    json_t *of;

    if (!json_is_object(json) ||
        !weir_counting_disbelief(monitor->counting, server, weir_clock_now(&monitor->sound), sum,
                                 &news))
        return changed;
    of = json_object();
    for (enum weir_record_state state = 0; state < WEIR_RECORD_STATES; state++)
        json_object_set_new(of, weir_record_state_name(state),
                            json_integer((json_int_t)sum[state]));
    if (news)
        weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "decisions of %s about messages are not "
                 "counted, since they are not believed: weirctl status says why",
                 weir_admit_names(monitor->admit, UINT32_C(1) << server % 32, name, sizeof name));
    return json_object_set_new(json, "decisions", of) == 0 || changed;
}

/* What a server says of its rule set, which may be one that the database has lost. */
static void hear_serial(struct weir_monitor *monitor, uint32_t server, weir_time now,
                        const json_t *rules)
{
    json_int_t serial = json_integer_value(json_object_get(rules, "serial"));
    json_int_t newest = json_integer_value(json_object_get(rules, "newest"));
    char name[WEIR_SERVER_NAME_MAX + 16];

    serial = newest > serial ? newest : serial;
    if (serial <= 0)
        return;
    weir_admit_names(monitor->admit, UINT32_C(1) << server % 32, name, sizeof name);
    (void)weir_publisher_heard(monitor->publisher, name,
                               serial < UINT32_MAX ? (uint32_t)serial : UINT32_MAX, now);
}

/* A report with what was put into it, as long as it may be; NULL: memory is short. */
static char *text_of(json_t *json)
{
    static const char *const put[] = {"sniffer", "decisions"};
    char *text = json_dumps(json, 0);

    for (size_t i = 0; text && strlen(text) > WEIR_SERVER_HEALTH_MAX && i < 2; i++)
        if (json_object_del(json, put[i]) == 0) {
            free(text);
            text = json_dumps(json, 0);
        }
    return text;
}

/* {..., "gone": ["stream", ...]}: these are for the receiver, the rest is kept.  What is no object
 * is kept as it is. */
static void health(void *context, uint32_t server, struct weir_slice text)
{
    struct weir_monitor *monitor = context;
    json_t *json = json_loadb(text.at, text.len, 0, NULL), *stream;
    weir_time now = weir_clock_now(&monitor->wall);
    char *rest = NULL;
    bool changed;
    size_t i;

    json_array_foreach(json_object_get(json, "gone"), i, stream)
        if (json_is_string(stream))
            weir_receiver_gone(monitor->receiver, server, json_string_value(stream), now);
    weir_admit_sniffer(monitor->admit, server,
                       json_integer_value(json_object_get(json, "sniffer_silent")) > 0);
    hear_serial(monitor, server, now, json_object_get(json, "rules"));
    changed = json_object_del(json, "gone") == 0;
    changed = put_disbelief(monitor, server, json) || changed;
    if (put_hearing(monitor, server, now, json) || changed)
        rest = text_of(json);
    weir_admit_note(monitor->admit, server, 0, rest ? weir_slice_of(rest) : text);
    free(rest);
    json_decref(json);
}

static void news(void *context, struct weir_news *news_r)
{
    weir_monitor_news(context, news_r);
}

static struct weir_shared_text *rules(void *context)
{
    struct weir_monitor *monitor = context;

    return weir_publisher_file(monitor->publisher);
}

static int patch(void *context, uint32_t serial, uint64_t id, struct weir_shared_text **patch_r)
{
    struct weir_monitor *monitor = context;

    return weir_patches_get(monitor->patches, serial, id, patch_r);
}

static int64_t newest_vote(void *context)
{
    struct weir_monitor *monitor = context;

    return weir_ballots_newest(monitor->ballots);
}

static struct weir_shared_text *votes(void *context, uint32_t server, int64_t behind)
{
    struct weir_monitor *monitor = context;

    return weir_ballots_behind(monitor->ballots, server, behind);
}

/* A second agent with one identity: an event, and a line in the log (claim A13). */
static void refused(void *context, uint32_t server, const char *name, weir_time now)
{
    struct weir_monitor *monitor = context;
    char text[160];
    const struct weir_event event = {
        .raised = now, .cleared = now, .kind = "instance", .server = server, .text = text};
    int64_t number;

    snprintf(text, sizeof text, "a second agent spoke for server %s and was refused", name);
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s", text);
    pthread_mutex_lock(&monitor->lock);
    (void)weir_database_event_add(monitor->database, &event, &number);
    pthread_mutex_unlock(&monitor->lock);
}

static int open_intake(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *address = monitor->options.listen ? monitor->options.listen
                                                  : config->monitor_listen;
    const struct weir_intake_handler handler = {.context = monitor, .admit = admit,
                                                .spool = spool, .commands = commands,
                                                .health = health, .news = news,
                                                .rules = rules, .patch = patch,
                                                .newest_vote = newest_vote, .votes = votes};
    struct weir_endpoint listen;
    struct weir_intake_options options = {.listen = &listen,
                                          .certificate = &monitor->certificate,
                                          .health_every = config->monitor_silence / 3};
    const char *why;
    int done = weir_endpoint_parse(address, &listen, &why); /* it was checked */

    if (done < 0)
        return done;
    done = weir_intake_open(&options, &handler, &monitor->shared_log, &monitor->intake);
    if (done < 0)
        return done;
    atomic_store(&monitor->hears, true);
    weir_intake_wake_rules(monitor->intake); /* a patch was made meanwhile, for who has come */
    weir_log(&monitor->shared_log, WEIR_LOG_INFO, "hearing agents at %s, port %u", address,
             weir_intake_port(monitor->intake));
    return 0;
}

/* The monitor works on; who has read them can pass for it. */
static void look_at_keys(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const char *const keys[] = {config->monitor_key, config->monitor_rules_key,
                                config->info_key_file};
    unsigned mode;

    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *path = weir_config_path(config, keys[i], monitor->arena);

        if (path && weir_secret_is_open(path, &mode))
            weir_log(&monitor->shared_log, WEIR_LOG_WARNING, "%s: its mode is %04o: everybody may "
                     "use it, and make what is believed to come from here; chmod 0640 or 0600",
                     path, mode);
    }
}

int weir_monitor_open_door(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    const struct weir_admit_options options = {.database = monitor->database,
                                               .lock = &monitor->lock,
                                               .silence = config->monitor_silence,
                                               .refused = refused,
                                               .context = monitor};
    const char *key = weir_config_path(config, config->monitor_key, monitor->arena);
    const char *chain = weir_config_path(config, config->monitor_certificate, monitor->arena);
    char name[256] = "weir-monitor";
    int done;

    if (!key || !chain)
        return WEIR_ENOMEM;
    (void)gethostname(name, sizeof name - 1);
    done = weir_admit_new(&options, &monitor->shared_log, &monitor->admit);
    if (done == 0)
        done = weir_certificate_open(key, chain, name, &monitor->shared_log,
                                     &monitor->certificate);
    if (done == 0)
        done = weir_monitor_open_publisher(monitor);
    look_at_keys(monitor);
    return done < 0 ? done : open_intake(monitor);
}
