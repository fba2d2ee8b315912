/*
 * admin - libmicrohttpd on a Unix socket; each verb is one function from JSON to JSON.
 *
 * Everything that changes something runs with the database's lock, as the loop's own work does, and
 * leaves a line in the audit with the caller's user, in the same transaction.  What takes long runs
 * without it, and each connection has a thread.
 */
#include "monitor/monitor_admin_io.h"

#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <microhttpd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/program/unix_place_io.h"
#include "monitor/agent/command.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_counters_io.h"
#include "monitor/monitor_publish_io.h"
#include "monitor/monitor_rulebook_io.h"
#include "monitor/monitor_status_io.h"

#define WHO 32
#define WHY WEIR_PUBLISH_WHY
#define BACKLOG 16

struct weir_admin {
    struct MHD_Daemon *daemon;
    char path[WEIR_ENDPOINT_MAX];
    struct stat made;           /* the socket's file */
};

struct question {
    struct weir_monitor *monitor;
    json_t *json;
    char who[WHO];              /* "uid 0" */
    weir_time now;              /* sound, see sound.h; of what takes the lock: wall */
    char why[WHY];              /* of an error */
    unsigned code;              /* the same for programs */
};

/* what is asked -------------------------------------------------------------------- */

static json_t *refuse(struct question *question, const char *why)
{
    snprintf(question->why, sizeof question->why, "%s", why);
    question->code = MHD_HTTP_BAD_REQUEST;
    return NULL;
}

static json_t *not_there(struct question *question, const char *why)
{
    (void)refuse(question, why);
    question->code = MHD_HTTP_NOT_FOUND;
    return NULL;
}

static const char *text(struct question *question, const char *name)
{
    const char *value = json_string_value(json_object_get(question->json, name));

    return value ? value : "";
}

/* Ends the transaction of a change: when something was changed, with its line in the audit; when it
 * failed, takes all of it back.  done, or what went wrong. */
static int end(struct question *question, int done, bool changed, const char *what,
               const char *detail)
{
    struct weir_database *database = question->monitor->database;
    const struct weir_audit line = {
        .time = question->now, .who = question->who, .what = what, .detail = detail};
    int written = done < 0 || !changed ? 0 : weir_database_audit_add(database, &line);

    if (done < 0 || written < 0) {
        weir_database_abandon(database);
        return done < 0 ? done : written;
    }
    written = weir_database_commit(database);
    return written < 0 ? written : done;
}

static json_t *trouble(struct question *question)
{
    (void)refuse(question, weir_database_why(question->monitor->database));
    question->code = MHD_HTTP_INTERNAL_SERVER_ERROR;
    return NULL;
}

static void url_of(struct weir_monitor *monitor, char url_r[static WEIR_MONITOR_URL_MAX + 1])
{
    char host[128] = "localhost";

    if (monitor->config.monitor_url[0]) {
        snprintf(url_r, WEIR_MONITOR_URL_MAX + 1, "%s", monitor->config.monitor_url);
        return;
    }
    (void)gethostname(host, sizeof host - 1);
    snprintf(url_r, WEIR_MONITOR_URL_MAX + 1, "https://%s:%u", host,
             weir_intake_port(monitor->intake));
}

static json_t *server_add(struct question *question)
{
    struct weir_monitor *monitor = question->monitor;
    struct weir_identity identity = {0};
    char file[WEIR_IDENTITY_TEXT];
    uint8_t hash[WEIR_SECRET_HASH];
    uint32_t number;
    json_t *json;
    int added, done;

    if (!weir_server_name_fit(weir_slice_of(text(question, "name"))))
        return refuse(question, "that is no name for a server: letters, digits, '-', '_', '.'");
    snprintf(identity.server, sizeof identity.server, "%s", text(question, "name"));
    snprintf(identity.pin, sizeof identity.pin, "%s", monitor->certificate.pin);
    snprintf(identity.rules, sizeof identity.rules, "%s", weir_publisher_key(monitor->publisher));
    url_of(monitor, identity.monitor);
    weir_secret_new(identity.secret);
    weir_secret_hash(weir_slice_of(identity.secret), hash);
    added = weir_database_begin(monitor->database);
    if (added == 0)
        added = weir_database_server_add(monitor->database, identity.server, hash, question->now,
                                         &number);
    done = end(question, added, true, "server add", identity.server);
    if (added == WEIR_EINVAL)
        return refuse(question, "there is a server of this name already; revoke it first");
    if (done < 0)
        return trouble(question);
    (void)weir_admit_refresh(monitor->admit);
    json = json_pack("{s:s, s:I, s:s}", "server", identity.server, "number", (json_int_t)number,
                     "identity", weir_identity_write(&identity, file));
    weir_identity_forget(&identity);
    explicit_bzero(file, sizeof file);
    return json;
}

static json_t *server_revoke(struct question *question)
{
    struct weir_database *database = question->monitor->database;
    const char *name = text(question, "name");
    int done = weir_database_begin(database);

    if (done == 0)
        done = weir_database_server_revoke(database, name, question->now);
    done = end(question, done, done > 0, "server revoke", name);
    if (done == 0)
        return not_there(question, "there is no such server, or it is revoked already");
    if (done < 0)
        return trouble(question);
    (void)weir_admit_refresh(question->monitor->admit);
    return json_pack("{s:s, s:b}", "server", name, "revoked", 1);
}

static bool numbers(struct question *question, const char *name, double number_r[static 3])
{
    json_t *array = json_object_get(question->json, name);

    for (size_t i = 0; i < 3; i++) {
        json_t *number = json_array_get(array, i);
        if (!json_is_number(number))
            return false;
        number_r[i] = json_number_value(number);
    }
    return json_array_size(array) == 3;
}

struct trial {
    const char *name;            /* of the threshold that is to be set */
    struct weir_policy policy;
};

static int add_other(void *context, const struct weir_threshold *threshold)
{
    struct trial *trial = context;
    const char *why;

    if (strcmp(threshold->name, trial->name) != 0)
        (void)weir_policy_add(&trial->policy, threshold, &why);
    return 0;
}

/* Whether it goes with the others: 0, or an error with the reason. */
static int try_threshold(struct weir_monitor *monitor, const struct weir_threshold *threshold,
                         const char **why_r)
{
    struct trial trial = {.name = threshold->name};
    int done = weir_policy_begin(&monitor->config, &trial.policy, why_r);

    if (done >= 0)
        done = weir_database_thresholds(monitor->database, add_other, &trial);
    if (done >= 0)
        done = weir_policy_add(&trial.policy, threshold, why_r);
    weir_policy_free(&trial.policy);
    return done < 0 ? done : 0;
}

static json_t *threshold_set(struct question *question)
{
    struct weir_threshold threshold = {
        .name = text(question, "name"),
        .prefixes = text(question, "prefixes"),
        .observe = !json_is_false(json_object_get(question->json, "observe")),
        .ladder = text(question, "ladder"),
    };
    struct weir_database *database = question->monitor->database;
    const char *why = "";
    int done;

    if (!numbers(question, "rate", threshold.rate) ||
        !numbers(question, "maximum", threshold.maximum))
        return refuse(question, "rate and maximum are not three numbers each");
    if (weir_policy_check(&threshold, &why) < 0)
        return refuse(question, why);
    if (try_threshold(question->monitor, &threshold, &why) < 0)
        return refuse(question, why[0] ? why : "it cannot be tried beside the others");
    done = weir_database_begin(database);
    if (done == 0)
        done = weir_database_threshold_put(database, &threshold);
    if (end(question, done, true, "threshold set", threshold.name) < 0)
        return trouble(question);
    if (weir_monitor_reread(question->monitor) < 0)
        return refuse(question, "it is stored, and will be used at the next start; see the log");
    return json_pack("{s:s}", "threshold", threshold.name);
}

static json_t *threshold_remove(struct question *question)
{
    struct weir_database *database = question->monitor->database;
    const char *name = text(question, "name");
    int done = weir_database_begin(database);

    if (done == 0)
        done = weir_database_threshold_remove(database, name);
    done = end(question, done, done > 0, "threshold remove", name);
    if (done == 0)
        return not_there(question, "there is no such threshold");
    if (done < 0)
        return trouble(question);
    (void)weir_monitor_reread(question->monitor);
    return json_pack("{s:s, s:b}", "threshold", name, "removed", 1);
}

static bool read_prefix(struct question *question, struct weir_prefix *prefix_r)
{
    const char *prefix = text(question, "prefix"), *why = "";

    if (weir_prefix_parse(prefix, strlen(prefix), prefix_r, &why) == 0)
        return true;
    (void)refuse(question, "prefix is no address or prefix");
    return false;
}

/* The same, for what is to be put on lists: agents refuse what is wider. */
static bool read_narrow(struct question *question, struct weir_prefix *prefix_r)
{
    if (!read_prefix(question, prefix_r))
        return false;
    if (!weir_prefix_too_wide(prefix_r))
        return true;
    (void)refuse(question, "prefix is wider than " WEIR_PREFIX_WIDEST);
    return false;
}

/* Reads what an entry of a list says besides its prefix. */
static bool read_entry(struct question *question, struct weir_list_entry *entry)
{
    json_int_t ends = json_integer_value(json_object_get(question->json, "ends"));

    entry->points = json_number_value(json_object_get(question->json, "points"));
    entry->defer = json_is_true(json_object_get(question->json, "defer"));
    snprintf(entry->reason, sizeof entry->reason, "%s", text(question, "reason"));
    if (ends < 0 || ends > INT64_MAX / WEIR_SECOND)
        (void)refuse(question, "ends is no time");
    else if (!(fabs(entry->points) <= WEIR_RULE_SCORE_MAX))
        (void)refuse(question, "points are out of bounds");
    else
        entry->ends = (weir_time)ends * WEIR_SECOND;
    return !question->why[0];
}

/* Buckets are full and events over, and nothing that was raised before waits to be acted on. */
static void reset(struct weir_monitor *monitor, const struct weir_prefix *prefix)
{
    weir_receiver_lock(monitor->receiver);
    weir_watch_reset(monitor->watch, prefix);
    weir_responder_drop(monitor->responder, prefix);
    weir_receiver_unlock(monitor->receiver);
}

/* One action: buckets, lists, ladder, and acceptance where that is asked for. */
static json_t *undo(struct question *question)
{
    struct weir_monitor *monitor = question->monitor;
    struct weir_list_entry entry = {.ends = 0};
    bool accept = json_is_true(json_object_get(question->json, "accept"));
    char text[WEIR_PREFIX_TEXT];
    struct weir_prefix own;
    int undone;

    if (accept ? !read_narrow(question, &entry.prefix) : !read_prefix(question, &entry.prefix))
        return NULL;
    if (!read_entry(question, &entry))
        return NULL;
    own = weir_watch_own(&entry.prefix);
    reset(monitor, &own);
    undone = weir_responder_undo(monitor->responder, &entry.prefix, question->who, question->now);
    if (undone < 0)
        return trouble(question);
    if (accept && weir_responder_decide(monitor->responder, "accept", &entry, question->who,
                                        question->now) < 0)
        return trouble(question);
    return json_pack("{s:i, s:s, s:b}", "undone", undone, "prefix",
                     weir_prefix_format(&own, text), "accepted", accept);
}

static json_t *unaccept(struct question *question)
{
    struct weir_prefix prefix;
    int undone;

    if (!read_prefix(question, &prefix))
        return NULL;
    undone = weir_responder_unaccept(question->monitor->responder, &prefix, question->who,
                                     question->now);
    if (undone == 0)
        return not_there(question, "it is not accepted by itself");
    return undone < 0 ? trouble(question) : json_pack("{s:i}", "undone", undone);
}

static json_t *block(struct question *question)
{
    struct weir_monitor *monitor = question->monitor;
    const char *list = text(question, "list"), *why = "";
    struct weir_list_entry entry = {.ends = 0};
    bool spared;

    if (!read_narrow(question, &entry.prefix) || !read_entry(question, &entry))
        return NULL;
    if (strcmp(list, "blacklist") != 0 && strcmp(list, "score") != 0 && strcmp(list, "accept") != 0)
        return refuse(question, "list is not one of blacklist, score, accept");
    if (entry.ends <= question->now && strcmp(list, "accept") != 0)
        return refuse(question, "a block or a score needs an end in the future");
    weir_receiver_lock(monitor->receiver);
    spared = weir_spared_prefix(monitor->spared, question->now, &entry.prefix, &why);
    weir_receiver_unlock(monitor->receiver);
    if (spared && strcmp(list, "accept") != 0)
        return refuse(question, why);
    if (weir_responder_decide(monitor->responder, list, &entry, question->who, question->now) < 0)
        return trouble(question);
    return json_pack("{s:s}", "list", list);
}

static json_t *status(struct question *question)
{
    return weir_monitor_status(question->monitor, question->now);
}

static json_t *forget(struct question *question)
{
    json_t *json = weir_monitor_counters_forget(question->monitor, question->who, question->now);

    return json ? json : trouble(question);
}

static json_t *rebuilt(struct question *question)
{
    json_t *json = weir_monitor_counters_rebuilt(question->monitor, text(question, "detail"),
                                                 question->who, question->now);

    return json ? json : trouble(question);
}

/* Without the lock; see monitor_publish_io.h. */
static json_t *publish(struct question *question)
{
    if (strcmp(text(question, "do"), "publish") == 0)
        json_object_del(question->json, "serial");
    else if (!json_is_integer(json_object_get(question->json, "serial")))
        return refuse(question, "serial is no number");
    return weir_monitor_publish(question->monitor, question->json, question->who, question->now,
                                question->why, &question->code);
}

static const struct {
    const char *name;
    json_t *(*run)(struct question *question);
} verbs[] = {
    {"server add", server_add},       {"server revoke", server_revoke},
    {"threshold set", threshold_set}, {"threshold remove", threshold_remove},
    {"undo", undo},                   {"block", block},
    {"unaccept", unaccept},           {"status", status},
    {"counters forget", forget},      {"counters rebuilt", rebuilt},
};

/* What is asked of the rulebook or the classifier: they take locks where they need them. */
static json_t *run_rulebook(struct question *question)
{
    struct weir_rulebook_question asked = {
        .json = question->json, .who = question->who, .now = question->now};
    json_t *json = weir_rulebook_answer(question->monitor, &asked);

    if (!json) {
        (void)refuse(question, asked.why);
        question->code = asked.code;
    }
    return json;
}

/* Runs a verb with the database's lock; NULL: question->why says why not. */
static json_t *run(struct question *question)
{
    const char *name = text(question, "do");
    json_t *json = NULL;

    if (strcmp(name, "publish") == 0 || strcmp(name, "rollback") == 0)
        return publish(question);
    if (weir_rulebook_is_asked(name))
        return run_rulebook(question);
    question->now = weir_clock_now(&question->monitor->wall);
    for (size_t i = 0; i < sizeof verbs / sizeof verbs[0]; i++)
        if (strcmp(name, verbs[i].name) == 0) {
            pthread_mutex_lock(&question->monitor->lock);
            json = verbs[i].run(question);
            pthread_mutex_unlock(&question->monitor->lock);
            return json;
        }
    return refuse(question, "that is nothing it does");
}

/* HTTP ------------------------------------------------------------------------------- */

#define SILENT 30u /* s */

struct body {
    char *octets;
    size_t len, room;
    bool too_long;
};

static void add_octets(struct body *body, const char *octets, size_t len)
{
    size_t room = 2 * (body->len + len);
    char *more = body->octets;

    if (body->too_long || len > WEIR_ADMIN_BODY_MAX - body->len) {
        body->too_long = true;
        return;
    }
    if (body->len + len > body->room) {
        more = realloc(body->octets, room);
        body->too_long = !more;
        if (!more)
            return;
        body->octets = more;
        body->room = room;
    }
    memcpy(more + body->len, octets, len);
    body->len += len;
}

static void who_asks(struct MHD_Connection *connection, char who_r[static WHO])
{
    const union MHD_ConnectionInfo *info =
        MHD_get_connection_info(connection, MHD_CONNECTION_INFO_CONNECTION_FD);
    struct ucred peer;
    socklen_t len = sizeof peer;

    if (info && getsockopt(info->connect_fd, SOL_SOCKET, SO_PEERCRED, &peer, &len) == 0)
        snprintf(who_r, WHO, "uid %u", (unsigned)peer.uid);
    else
        snprintf(who_r, WHO, "somebody");
}

static enum MHD_Result say(struct MHD_Connection *connection, unsigned code, json_t *json)
{
    char *octets = json ? json_dumps(json, JSON_COMPACT) : NULL;
    struct MHD_Response *response =
        octets ? MHD_create_response_from_buffer(strlen(octets), octets, MHD_RESPMEM_MUST_FREE)
               : NULL;
    enum MHD_Result done = MHD_NO;

    json_decref(json);
    if (response) {
        MHD_add_response_header(response, MHD_HTTP_HEADER_CONTENT_TYPE, "application/json");
        done = MHD_queue_response(connection, code, response);
        MHD_destroy_response(response);
    } else {
        free(octets);
    }
    return done;
}

static enum MHD_Result answer(struct weir_monitor *monitor, struct MHD_Connection *connection,
                              const struct body *body)
{
    struct question question = {.monitor = monitor, .now = weir_clock_now(&monitor->sound)};
    json_t *json = NULL;

    who_asks(connection, question.who);
    if (!body->too_long && body->len > 0)
        question.json = json_loadb(body->octets, body->len, JSON_REJECT_DUPLICATES, NULL);
    /* However long it takes, the time that a client may be silent begins behind it. */
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, 0u);
    if (json_is_object(question.json))
        json = run(&question);
    else
        (void)refuse(&question, "that is no JSON object, or too long");
    MHD_set_connection_option(connection, MHD_CONNECTION_OPTION_TIMEOUT, SILENT);
    json_decref(question.json);
    return json ? say(connection, MHD_HTTP_OK, json)
                : say(connection, question.code, json_pack("{s:s}", "error", question.why));
}

static enum MHD_Result handle(void *context, struct MHD_Connection *connection, const char *path,
                              const char *method, const char *version, const char *octets,
                              size_t *len, void **state)
{
    struct body *body = *state;

    (void)version;
    if (!body) {
        *state = body = calloc(1, sizeof *body);
        return body ? MHD_YES : MHD_NO;
    }
    if (*len > 0) {
        add_octets(body, octets, *len);
        *len = 0;
        return MHD_YES;
    }
    if (strcmp(path, "/admin/v1/do") != 0 || strcmp(method, "POST") != 0)
        return say(connection, MHD_HTTP_NOT_FOUND, json_pack("{s:s}", "error", "no such place"));
    return answer(context, connection, body);
}

static void completed(void *context, struct MHD_Connection *connection, void **state,
                      enum MHD_RequestTerminationCode code)
{
    struct body *body = *state;

    (void)context, (void)connection, (void)code;
    if (body)
        free(body->octets);
    free(body);
    *state = NULL;
}

/* opening ----------------------------------------------------------------------------- */

int weir_admin_open(struct weir_monitor *monitor)
{
    const char *address = monitor->config.monitor_admin, *why = "memory is short";
    struct weir_endpoint at;
    int fd = -1;

    if (!address[0])
        return 0;
    monitor->admin = calloc(1, sizeof *monitor->admin);
    if (monitor->admin && weir_endpoint_parse(address, &at, &why) == 0)
        fd = weir_unix_place_listen(at.host, WEIR_SOCKET_GROUP, BACKLOG, &monitor->admin->made,
                                    &why);
    if (fd >= 0) {
        memcpy(monitor->admin->path, at.host, strnlen(at.host, sizeof monitor->admin->path - 1));
        monitor->admin->daemon = MHD_start_daemon(
            MHD_USE_POLL_INTERNAL_THREAD | MHD_USE_THREAD_PER_CONNECTION, 0, NULL, NULL, handle,
            monitor, MHD_OPTION_LISTEN_SOCKET, (MHD_socket)fd, MHD_OPTION_NOTIFY_COMPLETED,
            completed, NULL, MHD_OPTION_CONNECTION_TIMEOUT, SILENT, MHD_OPTION_CONNECTION_LIMIT,
            64u, MHD_OPTION_END);
        why = "libmicrohttpd does not start";
    }
    if (monitor->admin && monitor->admin->daemon)
        return 0;
    weir_log(&monitor->shared_log, WEIR_LOG_ERROR, "[monitor] admin = %s: %s", address, why);
    return WEIR_EIO;
}

void weir_admin_close(struct weir_monitor *monitor)
{
    struct stat there;

    if (!monitor->admin)
        return;
    if (monitor->admin->daemon) {
        MHD_stop_daemon(monitor->admin->daemon);
        if (lstat(monitor->admin->path, &there) == 0 &&
            there.st_ino == monitor->admin->made.st_ino &&
            there.st_dev == monitor->admin->made.st_dev) /* not another one's by now */
            (void)unlink(monitor->admin->path);
    }
    free(monitor->admin);
    monitor->admin = NULL;
}
