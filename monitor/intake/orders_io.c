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

struct weir_orders {
    const struct weir_log *log;
    pthread_mutex_t lock;
    struct weir_database *database;
    int64_t generation;
    struct weir_log_gate gate;
};

/* An answer that is being made. */
struct answer {
    json_t *set, *removed;       /* objects by "list prefix", so that the last one counts */
    weir_time now;
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

static int add(void *context, const struct weir_database_decision *decision)
{
    struct answer *answer = context;
    struct weir_list_entry entry = {.prefix = decision->prefix, .ends = decision->ends,
                                    .defer = decision->defer, .points = decision->points};
    char key[WEIR_PREFIX_TEXT + 16], prefix[WEIR_PREFIX_TEXT];
    bool gone = decision->undone != 0;
    enum weir_list list;

    if (!weir_command_list(decision->list, &list) || weir_prefix_too_wide(&decision->prefix))
        return 0; /* agents would refuse the whole answer for one that is too wide */
    if (!gone && decision->ends != 0 && decision->ends <= answer->now)
        return 0; /* servers forget it by themselves */
    snprintf(entry.reason, sizeof entry.reason, "%s", decision->reason);
    snprintf(key, sizeof key, "%s %s", decision->list,
             weir_prefix_format(&decision->prefix, prefix));
    json_object_del(gone ? answer->set : answer->removed, key);
    return json_object_set_new(gone ? answer->removed : answer->set, key,
                               weir_command_entry_json(list, &entry, gone)) == 0 ? 0 : WEIR_ENOMEM;
}

static json_t *values(json_t *object)
{
    json_t *array = json_array(), *value;
    const char *key;

    json_object_foreach(object, key, value)
        json_array_append(array, value);
    return array;
}

static char *text_of(const struct answer *answer, int64_t generation, bool full)
{
    json_t *json = json_pack("{s:I, s:b, s:o, s:o}", "generation", (json_int_t)generation, "full",
                             full, "set", values(answer->set), "remove",
                             full ? json_array() : values(answer->removed));
    char *text = json ? json_dumps(json, JSON_COMPACT) : NULL;

    json_decref(json);
    return text;
}

static int collect(struct weir_orders *orders, int64_t generation, bool all,
                   struct answer *answer)
{
    return all
               ? weir_database_decisions_active(orders->database, answer->now, add, answer)
               : weir_database_decisions_since(orders->database, (uint64_t)generation, add, answer);
}

int64_t weir_orders_newest(struct weir_orders *orders)
{
    int64_t generation;

    pthread_mutex_lock(&orders->lock);
    generation = orders->generation;
    pthread_mutex_unlock(&orders->lock);
    return generation;
}

char *weir_orders_since(struct weir_orders *orders, int64_t generation, bool all, weir_time now)
{
    struct answer answer = {.now = now};
    char *text = NULL;
    unsigned held;
    int done = 0;

    pthread_mutex_lock(&orders->lock);
    all |= generation < 0 || generation > orders->generation;
    if (all || generation < orders->generation) {
        answer.set = json_object();
        answer.removed = json_object();
        done = collect(orders, generation, all, &answer);
        if (done >= 0)
            text = text_of(&answer, orders->generation, all);
        else if (weir_log_gate_open(&orders->gate, now, WEIR_MINUTE, &held))
            weir_log(orders->log, WEIR_LOG_ERROR, "%s (%u more)",
                     weir_database_why(orders->database), held);
        json_decref(answer.set);
        json_decref(answer.removed);
    }
    pthread_mutex_unlock(&orders->lock);
    return text;
}
