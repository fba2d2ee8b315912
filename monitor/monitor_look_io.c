/*
 * look - a moment's view for the console, and the console's opening with the first account.
 *
 * The first password is told on the terminal, where there is one; else it stands in a file that
 * only the monitor's user can read, until that account has logged in.
 */
#include "monitor/monitor_look_io.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/replace_io.h"
#include "core/engine/info_keys_io.h"
#include "monitor/console/console_io.h"
#include "monitor/monitor_accounts_io.h"
#include "monitor/monitor_impl.h"
#include "monitor/view/view_policy.h"

void weir_monitor_look(struct weir_monitor *monitor, struct weir_look *look_r)
{
    pthread_mutex_lock(&monitor->lock);
    *look_r = (struct weir_look){.silence = monitor->config.monitor_silence,
                                 .spam_score = monitor->config.spam_score,
                                 .unsure_score = monitor->config.unsure_score,
                                 .idle = monitor->config.analyzer_idle,
                                 .trial = monitor->config.analyzer_trial,
                                 .server_share = monitor->config.analyzer_server_share,
                                 .people = (unsigned)monitor->config.analyzer_people};
    look_r->false_positives = (unsigned)monitor->config.analyzer_false_positives;
    pthread_mutex_unlock(&monitor->lock);
}

void weir_monitor_intake_times(const struct weir_monitor *monitor, unsigned route,
                               struct weir_histogram_reading *reading_r)
{
    *reading_r = (struct weir_histogram_reading){.sum = 0};
    if (monitor->intake) /* it opens before the console is answered, and closes behind it */
        weir_intake_times(monitor->intake, route, reading_r);
}

/* buckets ---------------------------------------------------------------------------------- */

/* The class whose limits hold for an address; the longest prefix wins.  With the database's
 * lock. */
static const char *class_of(const struct weir_monitor *monitor, const struct weir_prefix *own)
{
    const char *name = WEIR_POLICY_DEFAULT;
    int bits = -1;

    for (size_t i = 0; i < monitor->policy.classes; i++) {
        const struct weir_watch_class *class = &monitor->policy.watch[i];

        for (size_t j = 0; j < class->prefix_count; j++)
            if (weir_prefix_contains(&class->prefixes[j], &own->address) &&
                class->prefixes[j].bits <= own->bits && (int)class->prefixes[j].bits > bits) {
                bits = (int)class->prefixes[j].bits;
                name = class->name;
            }
    }
    return name;
}

static json_t *quantity(const struct weir_watch *watch, weir_time now,
                        const struct weir_prefix *own, enum weir_quantity which,
                        weir_time *full_at)
{
    struct weir_limit limit;
    struct weir_level level = weir_watch_look(watch, now, own, which, &limit);

    if (limit.rate > 0 && level.tokens < limit.maximum) {
        double seconds = (limit.maximum - level.tokens) / limit.rate;
        weir_time full = now + (weir_time)((seconds < 1e9 ? seconds : 1e9) * (double)WEIR_SECOND);

        *full_at = full > *full_at ? full : *full_at;
    }
    return json_pack("{s:s, s:o, s:o, s:o, s:b}", "name", weir_quantity_name(which), "rate",
                     weir_view_number(limit.rate), "maximum", weir_view_number(limit.maximum),
                     "tokens", weir_view_number(level.tokens), "over", level.over);
}

json_t *weir_monitor_bucket(struct weir_monitor *monitor, const struct weir_prefix *prefix,
                            weir_time now)
{
    struct weir_prefix own = weir_watch_own(prefix);
    json_t *quantities = json_array(), *json = NULL;
    weir_time full_at = 0;
    const char *why;
    bool spared;

    pthread_mutex_lock(&monitor->lock);
    weir_receiver_lock(monitor->receiver);
    spared = weir_spared_prefix(monitor->spared, now, &own, &why);
    for (enum weir_quantity q = 0; !spared && q < WEIR_QUANTITIES; q++)
        json_array_append_new(quantities, quantity(monitor->watch, now, &own, q, &full_at));
    weir_receiver_unlock(monitor->receiver);
    if (!spared)
        json = json_pack("{s:s, s:O, s:o}", "class", class_of(monitor, &own), "quantities",
                         quantities, "full_at", weir_view_time(full_at));
    pthread_mutex_unlock(&monitor->lock);
    json_decref(quantities);
    return spared ? json_null() : json;
}

int weir_monitor_top(struct weir_monitor *monitor, const struct weir_recent_question *question,
                     struct weir_recent_top *top_r)
{
    return weir_recent_top(monitor->recent, question, top_r);
}

int64_t weir_monitor_top_begins(struct weir_monitor *monitor)
{
    return weir_recent_begins(monitor->recent);
}

json_t *weir_monitor_hearing(struct weir_monitor *monitor, uint32_t server, weir_time now)
{
    uint64_t sum[WEIR_HEARING_KINDS];
    json_t *json = json_object();

    (void)weir_receiver_hearing(monitor->receiver, server, now, sum);
    for (enum weir_hearing_kind kind = 0; json && kind < WEIR_HEARING_KINDS; kind++)
        json_object_set_new(json, weir_hearing_name(kind), json_integer((json_int_t)sum[kind]));
    return json;
}

int weir_monitor_info_keys(struct weir_monitor *monitor, struct weir_info_keys *keys_r)
{
    struct weir_arena *arena = weir_arena_new(1024);
    char why[WEIR_INFO_KEYS_WHY];
    const char *path = NULL;
    int rc;

    pthread_mutex_lock(&monitor->lock);
    if (arena)
        path = weir_config_path(&monitor->config, monitor->config.info_key_file, arena);
    if (path)
        path = weir_arena_copy(arena, path, strlen(path));
    pthread_mutex_unlock(&monitor->lock);
    rc = path ? weir_info_keys_file(path, keys_r, why) : WEIR_ENOMEM;
    if (rc == 0)
        weir_info_keys_ready(keys_r);
    weir_arena_free(&arena);
    return rc;
}

json_t *weir_monitor_default_threshold(struct weir_monitor *monitor)
{
    struct weir_threshold fallback;
    json_t *json;

    pthread_mutex_lock(&monitor->lock);
    fallback = weir_policy_default(&monitor->config);
    json = weir_view_threshold(&fallback, false);
    pthread_mutex_unlock(&monitor->lock);
    return json;
}

/* opening ------------------------------------------------------------------------------------ */

static int write_first(struct weir_monitor *monitor, const char *password)
{
    const char *path = weir_config_path(&monitor->config, WEIR_FIRST_PASSWORD, monitor->arena);
    struct weir_replacement file;
    int done = path ? weir_replace_begin(path, 0600, &file) : WEIR_ENOMEM;

    if (done == 0) {
        fprintf(file.file, "%s\n", password);
        done = weir_replace_end(&file, true);
    }
    if (done < 0)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "%s: %s: make one with weirctl user "
                 "password admin", path ? path : WEIR_FIRST_PASSWORD, strerror(errno));
    else
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "the console has an account: admin; its "
                 "password stands in %s until the first login", path);
    return 0;
}

static int tell_first(struct weir_monitor *monitor)
{
    char password[WEIR_PASSWORD_NEW];
    int made = weir_accounts_first(monitor, weir_clock_now(&monitor->wall), password);

    if (made <= 0)
        return made;
    if (!isatty(STDERR_FILENO))
        return write_first(monitor, password);
    fprintf(stderr, "the console has an account: admin, password %s (told this once)\n", password);
    return 0;
}

int weir_monitor_open_console(struct weir_monitor *monitor)
{
    const struct weir_config *config = &monitor->config;
    struct weir_console_options options = {
        .listen = config->console_listen, .url = config->console_url,
        .database = weir_database_path(monitor->database), .log = &monitor->shared_log};
    int done;

    if (!config->console_listen[0])
        return 0;
    if (config->console_key[0]) {
        options.key = weir_config_path(config, config->console_key, monitor->arena);
        options.certificate =
            weir_config_path(config, config->console_certificate, monitor->arena);
        if (!options.key || !options.certificate)
            return WEIR_ENOMEM;
    }
    done = tell_first(monitor);
    done = done < 0 ? done : weir_console_open(monitor, &options, &monitor->console);
    if (done == 0)
        weir_log(&monitor->shared_log, WEIR_LOG_INFO, "the console is at port %u",
                 weir_console_port(monitor->console));
    else if (done != WEIR_ENOMEM)
        weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "there is no console until that is mended "
                 "and the monitor started again; all else works on");
    return done == WEIR_ENOMEM ? done : 0;
}

void weir_monitor_close_console(struct weir_monitor *monitor)
{
    weir_console_close(&monitor->console);
}
