/*
 * ctl_counters - weirctl counters: fills the store of counters again from the monitor's database.
 *
 * Numbers are made at least what the database has, so that what a store has already is not doubled,
 * and a second run changes nothing; mail may come meanwhile.  The database may know of an event
 * before the store does, and adding the difference then would count it twice: so a page that was
 * read rests for as long as a server takes to store what it has noted.
 *
 * The numbers contain people's votes.  So all votes are marked as added before their numbers are
 * raised, and an agent that is behind passes them over; what a server counted that a vote of these
 * took back stays there, as numbers are never lowered.
 *
 * Refuses to fill a store of another key, which would answer to nobody.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/store/counters_key.h"
#include "monitor/ctl/ctl_counters_votes.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_servers.h"
#include "monitor/database/database_counters_io.h"

#define PAGE 100000             /* records */
#define AWAIT 30                /* seconds */
#define REST (4 * WEIR_SECOND)  /* servers store each second, and may wait for a slow store */

struct rebuild {
    struct weir_ctl *ctl;
    struct weir_database *database;
    struct weir_database_counters_state state;
    bool really;
    struct weir_entity last;
    uint64_t records, numbers;
    struct weir_counter_number *number; /* of a page */
    size_t count, room;
    weir_time read;
    int64_t vote;                       /* the last one that was marked */
    struct weir_counters_raised sum;
};

/* What must fit. ------------------------------------------------------------------ */

static int open_database(struct rebuild *rebuild)
{
    struct weir_ctl *ctl = rebuild->ctl;
    const char *file = ctl->option[WEIR_CTL_FILE];
    const struct weir_database_options options = {.path = file, .reading = true};
    char why[WEIR_DATABASE_WHY];

    if (!file)
        return weir_ctl_monitor_database(ctl, &rebuild->database);
    if (weir_database_open(&options, why, &rebuild->database) < 0)
        return weir_ctl_error(ctl, EX_NOINPUT, "%s", why);
    return 0;
}

/* Agents tell the fingerprint of their key; one that has none yet says 0. */
static int check_servers(struct rebuild *rebuild, uint32_t print)
{
    struct weir_ctl_servers servers = {0};
    int code = weir_ctl_servers_read(rebuild->ctl, rebuild->database, &servers);

    for (size_t i = 0; i < servers.count && code == 0; i++) {
        const struct weir_ctl_server *one = &servers.one[i];
        json_int_t told = json_integer_value(json_object_get(one->health, "counters_key"));

        if (one->state == WEIR_VIEW_SERVER_SEEN && told != 0 && told != (json_int_t)print)
            code = weir_ctl_error(rebuild->ctl, EX_CONFIG, "%s has another counters.key: what is "
                                  "rebuilt would answer to nobody there; the file is to be the "
                                  "same on all servers and at the monitor", one->server.name);
    }
    weir_ctl_servers_free(&servers);
    return code;
}

static int check_keys(struct rebuild *rebuild)
{
    struct weir_ctl *ctl = rebuild->ctl;
    uint32_t print = weir_counters_fingerprint(&ctl->stores.key);
    const char *file = ctl->config.key_file;

    if (weir_database_counters_state(rebuild->database, &rebuild->state) < 0)
        return weir_ctl_monitor_read(ctl, rebuild->database, WEIR_EIO);
    if (rebuild->state.key == 0)
        return weir_ctl_error(ctl, EX_UNAVAILABLE, "the monitor keeps no counters: it needs the "
                              "servers' %s beside its database", file);
    if (rebuild->state.key != print)
        return weir_ctl_error(ctl, EX_CONFIG, "the counters in the database were made with another "
                              "key than %s of this machine: they would answer to nobody", file);
    if (weir_counters_key_look(ctl->stores.counters, &ctl->stores.key, weir_ctl_now()) ==
        WEIR_COUNTERS_KEY_OTHER)
        return weir_ctl_error(ctl, EX_CONFIG, "the store was filled with another key than %s of "
                              "this machine", file);
    return check_servers(rebuild, print);
}

/* Reading. ------------------------------------------------------------------------ */

static int take_record(void *context, const struct weir_entity *entity,
                       const struct weir_counter_record *record)
{
    struct rebuild *rebuild = context;

    rebuild->last = *entity;
    rebuild->records++;
    for (size_t i = 0; i < record->n; i++) {
        const struct weir_counter_item *item = &record->item[i];
        struct weir_counter_number *more = weir_grown(rebuild->number, rebuild->count,
                                                      &rebuild->room, sizeof *more);

        if (!more)
            return WEIR_ENOMEM;
        rebuild->number = more;
        if (item->variable >= WEIR_VARIABLES)
            continue;
        more[rebuild->count++] = (struct weir_counter_number){
            .counter = {*entity, (enum weir_variable)item->variable, item->half_life},
            .epoch = item->epoch,
            .number = item->number,
        };
    }
    return 0;
}

/* How many records, or an error that was told, as less than 0. */
static int read_page(struct rebuild *rebuild, bool first)
{
    int got;

    rebuild->count = 0;
    got = weir_database_counters(rebuild->database, first ? NULL : &rebuild->last, PAGE,
                                 take_record, rebuild);
    rebuild->numbers += rebuild->count;
    rebuild->read = weir_ctl_now();
    if (got < 0)
        (void)weir_ctl_monitor_read(rebuild->ctl, rebuild->database, got);
    return got;
}

/* Filling. ------------------------------------------------------------------------ */

static void add(struct weir_counters_raised *sum, const struct weir_counters_raised *one)
{
    sum->raised += one->raised;
    sum->kept += one->kept;
    sum->faded += one->faded;
    sum->unanswered += one->unanswered;
}

/* What did not answer is counted, and the rest goes on. */
static int fill(struct rebuild *rebuild, struct weir_ctl_progress *progress)
{
    uint64_t before = rebuild->numbers - rebuild->count;
    struct weir_counters_raised one;
    weir_time rest;
    int code = rebuild->really ? weir_ctl_counters_votes(rebuild->ctl, rebuild->database,
                                                         &rebuild->vote, &rebuild->sum.unanswered)
                               : 0;

    if (code != 0)
        return code;
    rest = rebuild->read + REST - weir_ctl_now();
    if (rebuild->really && rest > 0 && rest <= REST)
        weir_ctl_wait(rest);
    for (size_t at = 0, n; at < rebuild->count; at += n) {
        n = rebuild->count - at < WEIR_EVENTS_MAX ? rebuild->count - at : WEIR_EVENTS_MAX;
        int rc = weir_counters_raise(rebuild->ctl->stores.counters, weir_ctl_now(),
                                     rebuild->number + at, n, rebuild->really, &one);

        if (rc < 0 && rc != WEIR_EDOWN && rc != WEIR_EFULL)
            return weir_ctl_error(rebuild->ctl, EX_IOERR, "the store: %s", weir_error_reason(rc));
        add(&rebuild->sum, &one);
        weir_ctl_progress_step(progress, before + at + n, 0);
    }
    return 0;
}

/* What was counted a moment ago is not yet in the records. */
static int await_events(struct rebuild *rebuild)
{
    bool copy = rebuild->ctl->option[WEIR_CTL_FILE] != NULL;

    if (copy && rebuild->state.waiting > 0)
        return weir_ctl_error(rebuild->ctl, EX_TEMPFAIL, "%llu decisions are not in the counters "
                              "of this copy: make another one",
                              (unsigned long long)rebuild->state.waiting);
    for (int i = 0; i < AWAIT && rebuild->state.waiting > 0; i++) {
        weir_ctl_wait(WEIR_SECOND);
        if (weir_database_counters_state(rebuild->database, &rebuild->state) < 0)
            return weir_ctl_monitor_read(rebuild->ctl, rebuild->database, WEIR_EIO);
    }
    if (rebuild->state.waiting == 0)
        return 0;
    return weir_ctl_error(rebuild->ctl, EX_TEMPFAIL, "%llu decisions are not yet in the database's "
                          "counters: the monitor must be running; try again later",
                          (unsigned long long)rebuild->state.waiting);
}

static int run(struct rebuild *rebuild)
{
    struct weir_ctl_progress progress = weir_ctl_progress(rebuild->ctl, "numbers");
    struct weir_ctl *ctl = rebuild->ctl;
    bool first = true;
    int got, code = 0;

    if (rebuild->really)
        (void)weir_counters_key_mark(ctl->stores.counters, &ctl->stores.key, weir_ctl_now());
    while (code == 0 && (got = read_page(rebuild, first)) != 0) {
        code = got < 0 ? EX_IOERR : fill(rebuild, &progress);
        first = false;
    }
    weir_ctl_progress_end(&progress);
    if (code == 0 && rebuild->sum.unanswered > 0)
        code = weir_ctl_error(ctl, EX_TEMPFAIL, "%zu numbers were not read or not stored; see "
                              "weirctl status, and run it again: what is there stays",
                              rebuild->sum.unanswered);
    return code;
}

/* Telling. ------------------------------------------------------------------------ */

/* For the audit, where a monitor runs; a copy of its database may be far away from it. */
static void tell_monitor(struct rebuild *rebuild)
{
    struct weir_ctl *ctl = rebuild->ctl;
    char aside[WEIR_CTL_NOTE], text[160];
    json_t *answer = NULL;

    snprintf(text, sizeof text, "%llu records: %zu numbers raised, %zu kept, %zu unanswered",
             (unsigned long long)rebuild->records, rebuild->sum.raised, rebuild->sum.kept,
             rebuild->sum.unanswered);
    ctl->aside = aside;
    (void)weir_ctl_monitor_ask(ctl, json_pack("{s:s, s:s}", "do", "counters rebuilt", "detail",
                                              text), &answer);
    ctl->aside = NULL;
    json_decref(answer);
}

static int tell(struct rebuild *rebuild, int code)
{
    const struct weir_counters_raised *sum = &rebuild->sum;
    int told = 0;

    if (rebuild->ctl->option[WEIR_CTL_JSON])
        told = weir_ctl_json(
            rebuild->ctl,
            json_pack("{s:b, s:I, s:I, s:I, s:I, s:I, s:I}", "dry_run", !rebuild->really, "records",
                      (json_int_t)rebuild->records, "numbers", (json_int_t)rebuild->numbers,
                      "raised", (json_int_t)sum->raised, "kept", (json_int_t)sum->kept, "faded",
                      (json_int_t)sum->faded, "unanswered", (json_int_t)sum->unanswered));
    else
        printf("%llu records: %zu numbers %s, %zu kept, %zu faded\n",
               (unsigned long long)rebuild->records, sum->raised,
               rebuild->really ? "put back" : "would be put back", sum->kept, sum->faded);
    return code ? code : told;
}

int weir_ctl_counters_rebuild(struct weir_ctl *ctl)
{
    struct rebuild rebuild = {.ctl = ctl, .really = !ctl->option[WEIR_CTL_DRY]};
    int code = weir_ctl_open_votes(ctl);

    if (code == 0)
        code = open_database(&rebuild);
    if (code == 0)
        code = check_keys(&rebuild);
    if (code == 0)
        code = await_events(&rebuild);
    if (code == 0) {
        code = tell(&rebuild, run(&rebuild));
        if (rebuild.really)
            tell_monitor(&rebuild);
    }
    free(rebuild.number);
    weir_database_free(&rebuild.database);
    return code;
}

/* --------------------------------------------------------------------------------- */

int weir_ctl_counters_forget(struct weir_ctl *ctl)
{
    json_t *answer = NULL;
    int code = weir_ctl_configure(ctl);

    if (code == 0 && !ctl->option[WEIR_CTL_FORCE])
        code = weir_ctl_error(ctl, EX_USAGE, "what the monitor knows of the reputation of all "
                              "addresses and domains will be lost; if that is meant, say --force");
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, json_pack("{s:s}", "do", "counters forget"), &answer);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, answer);
    printf("%lld records forgotten; counters begin anew with the key that is there\n",
           (long long)json_integer_value(json_object_get(answer, "records")));
    json_decref(answer);
    return 0;
}
