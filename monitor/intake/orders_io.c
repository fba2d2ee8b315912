/*
 * orders - decisions of the database into the JSON of commands.
 *
 * Of an entry that changed more than once only its last state goes out: a set of what stands and a
 * removal of what was undone and does not stand otherwise.
 */
#include "monitor/intake/orders_io.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/agent/command.h"
#include "monitor/database/database_decisions_io.h"

#define KEPT WEIR_MINUTE /* and no longer: what ends is left out of the next one */
#define ENTRY_OCTETS 114 /* of an entry in JSON, without its prefix and reason */
#define POINTS_OCTETS 24 /* of points that are not 0 */

/* What was answered last. */
struct told {
    int64_t since, newest;
    weir_time made;
    struct weir_shared_text *text; /* NULL: nothing yet */
};

struct weir_orders {
    const struct weir_log *log;
    pthread_mutex_t lock;        /* of the generation; never for long */
    int64_t generation;
    pthread_mutex_t reading;     /* of all that follows */
    struct weir_database *database;
    struct told told[2];         /* what changed; all */
    struct weir_log_gate gate;
};

/* An answer that is being made. */
struct answer {
    json_t *set, *removed;       /* objects by "list prefix", so that the last one counts */
    weir_time now;
    bool all;
    size_t looked, octets;       /* decisions; those of set */
    uint64_t last;               /* generation of the last decision */
    bool cut;                    /* there are more */
    size_t left_out;
};

int weir_orders_open(const char *database_path, const struct weir_log *log,
                     struct weir_orders **orders_r)
{
    const struct weir_database_options options = {.path = database_path, .reading = true};
    struct weir_orders *orders = calloc(1, sizeof *orders);
    char why[WEIR_DATABASE_WHY];
    uint64_t generation = 0;
    int done;

    if (!orders)
        return WEIR_ENOMEM;
    orders->log = log;
    pthread_mutex_init(&orders->lock, NULL);
    pthread_mutex_init(&orders->reading, NULL);
    done = weir_database_open(&options, why, &orders->database);
    if (done < 0)
        weir_log(log, WEIR_LOG_ERROR, "%s", why);
    else if ((done = weir_database_generation(orders->database, &generation)) == 0)
        orders->generation = (int64_t)generation;
    if (done < 0)
        weir_orders_free(&orders);
    else
        *orders_r = orders;
    return done < 0 ? done : 0;
}

void weir_orders_free(struct weir_orders **orders)
{
    if (!orders || !*orders)
        return;
    weir_database_free(&(*orders)->database);
    for (size_t i = 0; i < 2; i++)
        weir_shared_text_free(&(*orders)->told[i].text);
    pthread_mutex_destroy(&(*orders)->reading);
    pthread_mutex_destroy(&(*orders)->lock);
    free(*orders);
    *orders = NULL;
}

void weir_orders_changed(struct weir_orders *orders, int64_t generation)
{
    pthread_mutex_lock(&orders->lock);
    orders->generation = generation;
    pthread_mutex_unlock(&orders->lock);
}

/* At least as many as it will have. */
static size_t octets_of(const json_t *entry)
{
    size_t octets = ENTRY_OCTETS + json_string_length(json_object_get(entry, "prefix")) +
                    (json_real_value(json_object_get(entry, "points")) != 0 ? POINTS_OCTETS : 0);

    for (const char *at = json_string_value(json_object_get(entry, "reason")); at && *at; at++)
        octets += *at == '"' || *at == '\\' ? 2 : 1;
    return octets;
}

/* Whether an agent takes it, in the place of what there was of the key. */
static bool has_room(struct answer *answer, const char *key, const json_t *entry)
{
    const json_t *before = json_object_get(answer->set, key);
    size_t octets = answer->octets - (before ? octets_of(before) : 0) + octets_of(entry);

    if (octets > WEIR_COMMAND_MAX - ENTRY_OCTETS ||
        (!before && json_object_size(answer->set) >= WEIR_COMMAND_ENTRIES_MAX)) {
        answer->left_out++;
        return false;
    }
    answer->octets = octets;
    return true;
}

/* Takes the entry. */
static int set(struct answer *answer, const char *key, json_t *entry)
{
    if (!entry)
        return WEIR_ENOMEM;
    if (!has_room(answer, key, entry)) {
        json_decref(entry);
        return 0;
    }
    json_object_del(answer->removed, key);
    return json_object_set_new(answer->set, key, entry) == 0 ? 0 : WEIR_ENOMEM;
}

static int removed(struct answer *answer, const char *key, json_t *entry)
{
    const json_t *before = json_object_get(answer->set, key);

    answer->octets -= before ? octets_of(before) : 0;
    json_object_del(answer->set, key);
    return json_object_set_new(answer->removed, key, entry) == 0 ? 0 : WEIR_ENOMEM;
}

static int put(struct answer *answer, const struct weir_database_decision *decision,
               enum weir_list list)
{
    struct weir_list_entry entry = {.prefix = decision->prefix, .ends = decision->ends,
                                    .defer = decision->defer, .points = decision->points};
    char key[WEIR_PREFIX_TEXT + 16], prefix[WEIR_PREFIX_TEXT];
    bool gone = decision->undone != 0;

    snprintf(entry.reason, sizeof entry.reason, "%s", decision->reason);
    snprintf(key, sizeof key, "%s %s", decision->list,
             weir_prefix_format(&decision->prefix, prefix));
    return (gone ? removed : set)(answer, key, weir_command_entry_json(list, &entry, gone));
}

/* A page ends between two generations. */
static int add(void *context, const struct weir_database_decision *decision)
{
    struct answer *answer = context;
    enum weir_list list;

    if (!answer->all && answer->looked >= WEIR_ORDERS_PAGE && decision->changed != answer->last) {
        answer->cut = true;
        return 1;
    }
    answer->looked++;
    answer->last = decision->changed;
    if (!weir_command_list(decision->list, &list) || weir_prefix_too_wide(&decision->prefix))
        return 0; /* agents would refuse the whole answer for one that is too wide */
    if (decision->undone == 0 && decision->ends != 0 && decision->ends <= answer->now)
        return 0; /* servers forget it by themselves */
    return put(answer, decision, list);
}

static json_t *values(json_t *object)
{
    json_t *array = json_array(), *value;
    const char *key;

    json_object_foreach(object, key, value)
        json_array_append(array, value);
    return array;
}

static char *text_of(const struct answer *answer, int64_t generation)
{
    json_t *json = json_pack("{s:I, s:b, s:o, s:o}", "generation", (json_int_t)generation, "full",
                             answer->all, "set", values(answer->set), "remove",
                             answer->all ? json_array() : values(answer->removed));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

static int collect(struct weir_orders *orders, int64_t since, struct answer *answer)
{
    return answer->all
               ? weir_database_decisions_active(orders->database, answer->now, add, answer)
               : weir_database_decisions_since(orders->database, (uint64_t)since, add, answer);
}

static void log_left_out(struct weir_orders *orders, const struct answer *answer)
{
    unsigned held;

    if (answer->left_out > 0 && weir_log_gate_open(&orders->gate, answer->now, WEIR_MINUTE, &held))
        weir_log(orders->log, WEIR_LOG_ERROR, "%zu entries are more than a server takes, and "
                 "left out (%u more)", answer->left_out, held);
}

/* The text of an answer; it goes up to a generation that the database has, or less far. */
static char *make(struct weir_orders *orders, int64_t since, int64_t newest, bool all,
                  weir_time now)
{
    struct answer answer = {.now = now, .all = all, .set = json_object(), .removed = json_object()};
    char *text = NULL;
    unsigned held;
    int done = collect(orders, since, &answer);

    if (done >= 0)
        text = text_of(&answer, answer.cut && (int64_t)answer.last < newest ? (int64_t)answer.last
                                                                            : newest);
    else if (weir_log_gate_open(&orders->gate, now, WEIR_MINUTE, &held))
        weir_log(orders->log, WEIR_LOG_ERROR, "commands cannot be read: %s (%u more)",
                 done == WEIR_ENOMEM ? weir_error_text(done) : weir_database_why(orders->database),
                 held);
    log_left_out(orders, &answer);
    json_decref(answer.set);
    json_decref(answer.removed);
    return text;
}

int64_t weir_orders_newest(struct weir_orders *orders)
{
    int64_t generation;

    pthread_mutex_lock(&orders->lock);
    generation = orders->generation;
    pthread_mutex_unlock(&orders->lock);
    return generation;
}

int weir_orders_since(struct weir_orders *orders, int64_t generation, bool all, weir_time now,
                      struct weir_shared_text **text_r)
{
    int64_t newest = weir_orders_newest(orders), since;
    struct told *told;

    *text_r = NULL;
    all |= generation < 0 || generation > newest;
    if (!all && generation == newest)
        return 0;
    since = all ? 0 : generation;
    pthread_mutex_lock(&orders->reading);
    told = &orders->told[all];
    if (!told->text || told->since != since || told->newest != newest || now < told->made ||
        now - told->made >= KEPT) {
        weir_shared_text_free(&told->text);
        *told = (struct told){
            since, newest, now, weir_shared_text_new(make(orders, since, newest, all, now))};
    }
    if (told->text)
        *text_r = weir_shared_text_hold(told->text);
    pthread_mutex_unlock(&orders->reading);
    return *text_r ? 0 : WEIR_EIO;
}
