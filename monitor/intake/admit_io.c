/*
 * admit - an array of servers, sorted by name, and an index by number, under a lock of its own.
 *
 * The lock is never held while the database is asked, except by weir_admit_refresh(), whose caller
 * holds the database's: so the order is always database, then this.
 */
#include "monitor/intake/admit_io.h"

#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "monitor/agent/identity.h"

struct known {
    struct weir_server server;
    weir_time seen;              /* in memory; the database follows */
    int64_t generation;
    char health[WEIR_SERVER_HEALTH_MAX + 1];
    bool noted;                  /* not yet stored */
    bool told;                   /* of the other agent that was refused */
    bool sniffer_silent;         /* so says its agent */
};

struct weir_admit {
    struct weir_admit_options options;
    const struct weir_log *log;
    pthread_mutex_t lock;
    struct known *known;         /* by name, */
    struct known **numbered;     /* and by number */
    size_t count;
    weir_time silence_before;    /* before it was changed, */
    weir_time silence_changed;   /* then */
};

struct reading {
    struct known *known;
    size_t count, room;
};

static int read_server(void *context, const struct weir_server *server)
{
    struct reading *reading = context;
    struct known *more = weir_grown(reading->known, reading->count, &reading->room, sizeof *more);

    if (!more)
        return WEIR_ENOMEM;
    reading->known = more;
    more[reading->count] = (struct known){.server = *server, .seen = server->last_seen,
                                          .generation = (int64_t)server->generation};
    more[reading->count++].server.health = NULL;
    return 0;
}

static int compare_name(const void *key, const void *member)
{
    const struct weir_slice *name = key;
    const struct known *known = member;
    size_t len = strlen(known->server.name), least = len < name->len ? len : name->len;
    int order = memcmp(name->at, known->server.name, least);

    return order != 0 ? order : (name->len > len) - (name->len < len);
}

static int compare_number(const void *a, const void *b)
{
    const struct known *const *left = a, *const *right = b;

    return ((*left)->server.number > (*right)->server.number) -
           ((*left)->server.number < (*right)->server.number);
}

static struct known *find(struct weir_admit *admit, struct weir_slice name)
{
    if (admit->count == 0)
        return NULL;
    return bsearch(&name, admit->known, admit->count, sizeof *admit->known, compare_name);
}

static struct known *by_number(struct weir_admit *admit, uint32_t number)
{
    struct known wanted = {.server = {.number = number}}, *key = &wanted, **found = NULL;

    if (admit->count > 0)
        found = bsearch(&key, admit->numbered, admit->count, sizeof key, compare_number);
    return found ? *found : NULL;
}

/* The same servers by number; NULL when memory is short. */
static struct known **numbered(const struct reading *reading)
{
    struct known **all = malloc((reading->count + 1) * sizeof(struct known *));

    for (size_t i = 0; all && i < reading->count; i++)
        all[i] = &reading->known[i];
    if (all)
        qsort(all, reading->count, sizeof(struct known *), compare_number);
    return all;
}

/* What the database has not, or not yet, goes over to one that was read anew. */
static void carry_over(struct weir_admit *admit, struct known *known)
{
    const struct known *before = by_number(admit, known->server.number);
    struct weir_server server = known->server;

    if (!before)
        return;
    if (before->noted)
        *known = *before;
    known->server = server;
    known->told = before->told;
    known->sniffer_silent = before->sniffer_silent;
}

int weir_admit_refresh(struct weir_admit *admit)
{
    struct reading reading = {0};
    struct known **all = NULL;
    int done = weir_database_servers(admit->options.database, read_server, &reading);

    if (done < 0 || !(all = numbered(&reading))) {
        free(reading.known);
        return done < 0 ? done : WEIR_ENOMEM;
    }
    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < reading.count; i++)
        carry_over(admit, &reading.known[i]);
    free(admit->known);
    free(admit->numbered);
    admit->known = reading.known;
    admit->numbered = all;
    admit->count = reading.count;
    pthread_mutex_unlock(&admit->lock);
    return 0;
}

int weir_admit_new(const struct weir_admit_options *options, const struct weir_log *log,
                   struct weir_admit **admit_r)
{
    struct weir_admit *admit = calloc(1, sizeof *admit);
    int done;

    if (!admit)
        return WEIR_ENOMEM;
    admit->options = *options;
    admit->log = log;
    pthread_mutex_init(&admit->lock, NULL);
    done = weir_admit_refresh(admit);
    if (done < 0)
        weir_admit_free(&admit);
    else
        *admit_r = admit;
    return done;
}

void weir_admit_free(struct weir_admit **admit)
{
    if (!admit || !*admit)
        return;
    free((*admit)->known);
    free((*admit)->numbered);
    pthread_mutex_destroy(&(*admit)->lock);
    free(*admit);
    *admit = NULL;
}

/* admitting ---------------------------------------------------------------------- */

static bool hex(const char *text, uint8_t octets_r[static WEIR_INSTANCE])
{
    return sodium_hex2bin(octets_r, WEIR_INSTANCE, text, 2 * WEIR_INSTANCE, NULL, NULL,
                                     NULL) == 0;
}

/* With the database's lock. */
static int lease_after_any(struct weir_database *database, const char *before, uint32_t number,
                           const uint8_t instance[static WEIR_INSTANCE], weir_time now,
                           weir_time silence)
{
    struct weir_slice list = weir_slice_of(before);
    char text[WEIR_INSTANCE_TEXT];
    uint8_t previous[WEIR_INSTANCE];
    int done = weir_database_server_lease(database, number, instance, NULL, now, silence);

    while (done == 0 && weir_instances_next(&list, text) && hex(text, previous))
        done = weir_database_server_lease(database, number, instance, previous, now, silence);
    return done;
}

/* Asks the database whether this instance may take the place of one that it was before. */
static int lease(struct weir_admit *admit, const struct weir_intake_caller *caller,
                 uint32_t number, weir_time now, const uint8_t instance[static WEIR_INSTANCE])
{
    weir_time silence;
    int done;

    pthread_mutex_lock(&admit->lock);
    silence = admit->options.silence;
    pthread_mutex_unlock(&admit->lock);

    pthread_mutex_lock(admit->options.lock);
    (void)weir_admit_store(admit); /* when the one before was last heard of */
    done = lease_after_any(admit->options.database, caller->previous, number, instance, now,
                           silence);
    pthread_mutex_unlock(admit->options.lock);
    return done;
}

static void let_in(struct weir_admit *admit, uint32_t number,
                   const uint8_t instance[static WEIR_INSTANCE], weir_time now)
{
    struct known *known;

    pthread_mutex_lock(&admit->lock);
    known = by_number(admit, number);
    if (known) {
        memcpy(known->server.instance, instance, WEIR_INSTANCE);
        known->server.has_instance = true;
        known->seen = now;
        known->told = false;
    }
    pthread_mutex_unlock(&admit->lock);
}

static void turn_away(struct weir_admit *admit, uint32_t number, weir_time now)
{
    char name[WEIR_SERVER_NAME_MAX + 1] = "";
    struct known *known;
    bool tell = false;

    pthread_mutex_lock(&admit->lock);
    known = by_number(admit, number);
    if (known && !known->told) {
        tell = known->told = true;
        strcpy(name, known->server.name);
    }
    pthread_mutex_unlock(&admit->lock);
    if (tell)
        admit->options.refused(admit->options.context, number, name, now);
}

int weir_admit_caller(struct weir_admit *admit, const struct weir_intake_caller *caller,
                      weir_time now, uint32_t *server_r)
{
    uint8_t instance[WEIR_INSTANCE];
    struct known *known;
    uint32_t number = 0;
    bool same = false, good;
    int done;

    if (!hex(caller->instance, instance))
        return 401;
    pthread_mutex_lock(&admit->lock);
    known = find(admit, caller->server);
    good = known && known->server.revoked == 0 &&
           weir_secret_is(caller->secret, known->server.secret_hash);
    if (good) {
        number = known->server.number;
        same = known->server.has_instance &&
               memcmp(known->server.instance, instance, sizeof instance) == 0;
    }
    if (same) {
        known->seen = now;
        known->noted = true;
    }
    pthread_mutex_unlock(&admit->lock);
    if (!good)
        return 401;
    *server_r = number;
    if (same)
        return 200;
    done = lease(admit, caller, number, now, instance);
    if (done == 1)
        let_in(admit, number, instance, now);
    else if (done == 0)
        turn_away(admit, number, now);
    return done == 1 ? 200 : done == 0 ? 409 : 503;
}

/* notes ---------------------------------------------------------------------------- */

bool weir_admit_knows(struct weir_admit *admit, uint32_t server)
{
    const struct known *known;
    bool knows;

    pthread_mutex_lock(&admit->lock);
    known = by_number(admit, server);
    knows = known && known->server.revoked == 0;
    pthread_mutex_unlock(&admit->lock);
    return knows;
}

void weir_admit_note(struct weir_admit *admit, uint32_t server, int64_t generation,
                     struct weir_slice health)
{
    struct known *known;

    pthread_mutex_lock(&admit->lock);
    known = by_number(admit, server);
    if (known) {
        known->noted = true;
        if (generation > 0)
            known->generation = generation;
        if (health.len > 0 && health.len <= WEIR_SERVER_HEALTH_MAX) {
            memcpy(known->health, health.at, health.len);
            known->health[health.len] = '\0';
        }
    }
    pthread_mutex_unlock(&admit->lock);
}

/* The next one that was noted and is not stored: copied, so that the lock is not held meanwhile. */
static bool take_noted(struct weir_admit *admit, size_t *at, struct known *known_r)
{
    bool found = false;

    pthread_mutex_lock(&admit->lock);
    for (; *at < admit->count && !found; ++*at)
        if (admit->known[*at].noted) {
            admit->known[*at].noted = false;
            *known_r = admit->known[*at];
            found = true;
        }
    pthread_mutex_unlock(&admit->lock);
    return found;
}

static int store_noted(struct weir_admit *admit, const struct known *known)
{
    return weir_database_server_seen(admit->options.database, known->server.number, known->seen,
                                     (uint64_t)known->generation,
                                     known->health[0] ? known->health : NULL);
}

/* Nothing was stored: those before `end`, and for simplicity those that needed no note, again. */
static void note_again(struct weir_admit *admit, size_t end)
{
    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < end && i < admit->count; i++)
        admit->known[i].noted = true;
    pthread_mutex_unlock(&admit->lock);
}

/* All in one transaction, which with a thousand servers is what it would cost most. */
int weir_admit_store(struct weir_admit *admit)
{
    struct weir_database *database = admit->options.database;
    struct known known;
    size_t at = 0;
    int done;

    if (!take_noted(admit, &at, &known))
        return 0;
    done = weir_database_begin(database);
    if (done == 0) {
        do {
            done = store_noted(admit, &known);
        } while (done >= 0 && take_noted(admit, &at, &known));
        if (done >= 0)
            done = weir_database_commit(database);
        else
            weir_database_abandon(database);
    }
    if (done < 0)
        note_again(admit, at);
    return done;
}

/* Adds a name behind such words; false when it has no room any more. */
static bool add_name(struct weir_line *line, const char *between, const char *name)
{
    if ((size_t)(line->end - line->at) < strlen(name) + strlen(", ...")) {
        weir_line_text(line, "...");
        return false;
    }
    weir_line_text(line, line->at > line->start ? between : "");
    weir_line_text(line, name);
    return true;
}

/* Those of a bit. */
static bool add_names(struct weir_line *line, const struct weir_admit *admit, unsigned bit)
{
    const char *between = ", ";
    bool room = true;

    for (size_t i = 0; i < admit->count && room; i++) {
        const struct weir_server *server = &admit->known[i].server;

        if (server->revoked != 0 || server->number % 32 != bit)
            continue;
        room = add_name(line, between, server->name);
        between = " or ";
    }
    return room;
}

const char *weir_admit_names(struct weir_admit *admit, uint32_t servers, char *buffer, size_t size)
{
    struct weir_line line = weir_line(buffer, size);
    bool room = true;

    pthread_mutex_lock(&admit->lock);
    for (unsigned bit = 0; bit < 32 && room; bit++)
        if ((servers >> bit & 1) != 0)
            room = add_names(&line, admit, bit);
    pthread_mutex_unlock(&admit->lock);
    return weir_line_end(&line);
}

/* Who was last heard before a shorter silence was set speaks as often as he was told before: he
 * hears of it when he speaks next. */
static bool is_unheard(const struct weir_admit *admit, const struct known *known, weir_time now)
{
    weir_time silence = admit->options.silence, silent = now - known->seen;
    bool has_heard = known->seen > admit->silence_changed;

    return silent > silence &&
           (has_heard || silent > admit->silence_before ||
            now - admit->silence_changed > silence + WEIR_HEALTH_EVERY);
}

static bool is_blind(const struct weir_admit *admit, const struct known *known, weir_time now)
{
    return known->server.revoked == 0 && known->seen != 0 &&
           (known->sniffer_silent || is_unheard(admit, known, now));
}

void weir_admit_sniffer(struct weir_admit *admit, uint32_t server, bool silent)
{
    struct known *known;

    pthread_mutex_lock(&admit->lock);
    known = by_number(admit, server);
    if (known)
        known->sniffer_silent = silent;
    pthread_mutex_unlock(&admit->lock);
}

const char *weir_admit_blind(struct weir_admit *admit, weir_time now, char *buffer, size_t size)
{
    struct weir_line line = weir_line(buffer, size);
    bool room = true;

    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < admit->count && room; i++) {
        const struct known *known = &admit->known[i];

        if (is_blind(admit, known, now))
            room = add_name(&line, ", ", known->server.name) &&
                   (is_unheard(admit, known, now) || add_name(&line, " ", "(its sniffer)"));
    }
    pthread_mutex_unlock(&admit->lock);
    return weir_line_end(&line);
}

void weir_admit_rebase(struct weir_admit *admit, weir_time now)
{
    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < admit->count; i++)
        if (admit->known[i].seen > now) {
            admit->known[i].seen = now;
            admit->known[i].noted = true;
        }
    if (admit->silence_changed > now)
        admit->silence_changed = now;
    pthread_mutex_unlock(&admit->lock);
}

uint32_t weir_admit_blind_bits(struct weir_admit *admit, weir_time now)
{
    uint32_t bits = 0;

    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < admit->count; i++)
        if (is_blind(admit, &admit->known[i], now))
            bits |= UINT32_C(1) << admit->known[i].server.number % 32;
    pthread_mutex_unlock(&admit->lock);
    return bits;
}

void weir_admit_silence(struct weir_admit *admit, weir_time silence, weir_time now)
{
    pthread_mutex_lock(&admit->lock);
    if (silence != admit->options.silence) {
        admit->silence_before = admit->options.silence;
        admit->silence_changed = now;
    }
    admit->options.silence = silence;
    pthread_mutex_unlock(&admit->lock);
}

void weir_admit_count(struct weir_admit *admit, weir_time now, size_t *seen_r, size_t *blind_r)
{
    *seen_r = *blind_r = 0;
    pthread_mutex_lock(&admit->lock);
    for (size_t i = 0; i < admit->count; i++) {
        const struct known *known = &admit->known[i];

        bool blind = is_blind(admit, known, now);

        *blind_r += blind;
        *seen_r += !blind && known->server.revoked == 0 && known->seen != 0;
    }
    pthread_mutex_unlock(&admit->lock);
}
