/*
 * The steps of publishing: gather (with the database's lock), pick, try, compare, sign, deflate
 * (without it), keep (with it), give out.
 *
 * Two locks of its own: `turn`, held by whoever publishes, outside the database's; and `giving`,
 * of what is given out, held for moments and nothing in it but the patches' own.
 */
#include "monitor/analyzer/publish_io.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <sodium.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/secret_io.h"
#include "core/evidence/rules.h"
#include "monitor/analyzer/pick.h"
#include "monitor/analyzer/publish_differ.h"
#include "monitor/analyzer/publish_impl.h"
#include "monitor/database/database_hits_io.h"
#include "monitor/database/database_sets_io.h"

#define ARENA_FIRST (1u << 20)
#define KEY_FILE_MOST 256
#define ENTRY_OCTETS 22 /* of a word list, at most, with its part of the index */

/* Opening. ----------------------------------------------------------------------------- */

static int read_key(struct weir_publisher *publisher)
{
    const char *path = publisher->options.key_path;
    char fresh[WEIR_PARCEL_KEY_TEXT], text[KEY_FILE_MOST];
    size_t len = 0;
    int rc;

    weir_parcel_seed_new(fresh);
    rc = weir_secret_file(path, fresh, text, sizeof text, &len);
    if (rc < 0)
        weir_log(publisher->log, WEIR_LOG_ERROR, "%s: %s", path, weir_error_reason(rc));
    else if (!weir_parcel_keys_read((struct weir_slice){text, len}, &publisher->keys)) {
        weir_log(publisher->log, WEIR_LOG_ERROR, "%s: it is no key for rule sets; servers believe "
                 "only the one they know: put it back from a copy", path);
        rc = WEIR_EINVAL;
    }
    sodium_memzero(fresh, sizeof fresh);
    sodium_memzero(text, sizeof text);
    if (rc == 0)
        weir_parcel_public_text(publisher->keys.open, publisher->key);
    return rc;
}

/* Takes a set as the one that is given out from now on. */
static int give_out(struct weir_publisher *publisher, const struct weir_kept_set *set)
{
    char *copy = malloc(set->file.len + 1);
    struct weir_shared_text *file, *old;
    uint32_t before;

    if (!copy)
        return WEIR_ENOMEM;
    memcpy(copy, set->file.at, set->file.len);
    file = weir_shared_text_octets(copy, set->file.len);
    if (!file)
        return WEIR_ENOMEM;
    pthread_mutex_lock(&publisher->giving);
    old = publisher->file;
    before = publisher->serial;
    publisher->file = file;
    publisher->serial = set->serial;
    if (publisher->last < set->serial)
        publisher->last = set->serial;
    publisher->held = strncmp(set->what, WEIR_SET_ROLLBACK,
                              strlen(WEIR_SET_ROLLBACK)) == 0;
    if (publisher->options.patches)
        weir_patches_newest(publisher->options.patches, set->serial, weir_shared_text_hold(file),
                            set->octets, before);
    pthread_mutex_unlock(&publisher->giving);
    weir_shared_text_free(&old);
    return 0;
}

static int take_newest(void *context, const struct weir_kept_set *set)
{
    return give_out(context, set);
}

int weir_publisher_open(const struct weir_publisher_options *options, const struct weir_log *log,
                        struct weir_publisher **publisher_r)
{
    struct weir_publisher *publisher = calloc(1, sizeof *publisher);
    int rc;

    if (!publisher)
        return WEIR_ENOMEM;
    publisher->options = *options;
    publisher->log = log;
    pthread_mutex_init(&publisher->turn, NULL);
    pthread_mutex_init(&publisher->giving, NULL);
    rc = read_key(publisher);
    if (rc == 0) {
        pthread_mutex_lock(options->lock);
        rc = weir_database_set(options->database, 0, take_newest, publisher);
        rc = rc < 0 ? rc : weir_publish_serials_open(publisher);
        if (rc < 0)
            weir_log(log, WEIR_LOG_ERROR, "%s", weir_database_why(options->database));
        pthread_mutex_unlock(options->lock);
    }
    if (rc < 0)
        weir_publisher_free(&publisher);
    else
        *publisher_r = publisher;
    return rc < 0 ? rc : 0;
}

void weir_publisher_free(struct weir_publisher **publisher)
{
    if (!publisher || !*publisher)
        return;
    weir_shared_text_free(&(*publisher)->file);
    pthread_mutex_destroy(&(*publisher)->giving);
    pthread_mutex_destroy(&(*publisher)->turn);
    sodium_memzero(&(*publisher)->keys, sizeof (*publisher)->keys);
    free(*publisher);
    *publisher = NULL;
}

/* What is given out. ------------------------------------------------------------------- */

uint32_t weir_publisher_serial(struct weir_publisher *publisher)
{
    uint32_t serial;

    pthread_mutex_lock(&publisher->giving);
    serial = publisher->serial;
    pthread_mutex_unlock(&publisher->giving);
    return serial;
}

bool weir_publisher_held(struct weir_publisher *publisher)
{
    bool held;

    pthread_mutex_lock(&publisher->giving);
    held = publisher->held || publisher->last > publisher->serial;
    pthread_mutex_unlock(&publisher->giving);
    return held;
}

struct weir_shared_text *weir_publisher_file(struct weir_publisher *publisher)
{
    struct weir_shared_text *file;

    pthread_mutex_lock(&publisher->giving);
    file = publisher->file ? weir_shared_text_hold(publisher->file) : NULL;
    pthread_mutex_unlock(&publisher->giving);
    return file;
}

const char *weir_publisher_key(const struct weir_publisher *publisher)
{
    return publisher->key;
}

const uint8_t *weir_publisher_public(const struct weir_publisher *publisher)
{
    return publisher->keys.open;
}

/* A set on its way. -------------------------------------------------------------------- */

struct going {
    struct weir_publisher *publisher;
    const struct weir_publishing *by;
    struct weir_arena *arena;
    struct weir_pick *pick;
    struct weir_slice section[WEIR_PARCEL_SECTIONS]; /* of the new set */
    struct weir_words words;     /* for the word list */
    void *list;                  /* malloc'ed, the section */
    size_t rules;
    const char *what;
    uint32_t wanted, next;       /* the set that is to come back; the serial of the new one */
    void *newest, *earlier;      /* files, malloc'ed: the one before, the one to come back */
    struct weir_rule_parcel before, again; /* what is in them */
    void *octets, *deflated;     /* the new file */
    size_t len;
    size_t deflated_len;
    char *why;
};

static int fail(struct going *going, int rc, const char *why)
{
    snprintf(going->why, WEIR_PUBLISH_WHY, "%s", why);
    return rc;
}

static int trouble(struct going *going, int rc)
{
    struct weir_database *database = going->publisher->options.database;

    return fail(going, rc, rc == WEIR_ENOMEM ? "memory is short" : weir_database_why(database));
}

/* Gathering, with the database's lock. --------------------------------------------------- */

struct last_hit {
    uint32_t rule;
    weir_time time;
};

struct last_hits {
    struct weir_arena *arena;
    struct last_hit *hit;        /* by rule */
    size_t hits, room;
};

static int add_hit(void *context, const struct weir_hits_rule *rule, weir_time at)
{
    struct last_hits *last = context;

    (void)at;
    if (last->hits == last->room) {
        size_t room = last->room ? 2 * last->room : 1024;
        struct last_hit *more = weir_arena_take(last->arena, room * sizeof *more);

        if (!more)
            return WEIR_ENOMEM;
        if (last->hits > 0)
            memcpy(more, last->hit, last->hits * sizeof *more);
        last->hit = more;
        last->room = room;
    }
    last->hit[last->hits++] = (struct last_hit){rule->id, rule->last_hit};
    return 0;
}

static int by_rule(const void *a, const void *b)
{
    uint32_t one = ((const struct last_hit *)a)->rule, other = ((const struct last_hit *)b)->rule;

    return (one > other) - (one < other);
}

struct gathering {
    struct going *going;
    struct last_hits last;
};

static int add_rule(void *context, const struct weir_kept_rule *rule)
{
    struct gathering *gathering = context;
    const struct last_hit wanted = {.rule = rule->id};
    const struct last_hit *found =
        gathering->last.hits > 0 ? bsearch(&wanted, gathering->last.hit, gathering->last.hits,
                                           sizeof wanted, by_rule)
                                 : NULL;

    return weir_pick_add(gathering->going->pick, rule, found ? found->time : 0);
}

static int gather(struct going *going)
{
    struct gathering gathering = {.going = going, .last = {.arena = going->arena}};
    const struct weir_publisher_options *options = &going->publisher->options;
    struct weir_database *database = options->database;
    int rc = weir_pick_new(going->arena, going->by->idle, going->by->now, &going->pick);

    rc = rc < 0 ? rc : weir_database_hits(database, add_hit, &gathering.last);
    rc = rc < 0 ? rc : weir_database_rules(database, 0, add_rule, &gathering);
    if (rc >= 0 && options->bayes)
        rc = options->bayes(options->context, &going->words);
    return rc;
}

/* Inflates and reads a set of ours. */
static int open_set(const struct weir_kept_set *set, void **octets_r,
                    struct weir_rule_parcel *parcel_r)
{
    const char *why;

    *octets_r = weir_publish_inflate(set->file, set->octets);
    return *octets_r ? weir_rule_parcel_read(*octets_r, set->octets, NULL, parcel_r, &why)
                     : WEIR_ECORRUPT;
}

static int take_before(void *context, const struct weir_kept_set *set)
{
    struct going *going = context;

    return open_set(set, &going->newest, &going->before);
}

static int take_earlier(void *context, const struct weir_kept_set *set)
{
    struct going *going = context;

    return open_set(set, &going->earlier, &going->again);
}

/* Whether the newest set and the rulebook are what this is based on.  Only now, in its turn: who
 * came before may have taken long. */
static int look_again(struct going *going)
{
    const struct weir_rules_newest *was = going->by->based;
    struct weir_rules_newest is;
    int rc = was ? weir_database_rules_newest(going->publisher->options.database, &is) : 0;

    if (rc < 0 || !was || ((was->serial < 0 || was->serial == is.serial) &&
                           (was->change < 0 || was->change == is.change)))
        return rc < 0 ? trouble(going, rc) : 0;
    return fail(going, WEIR_EBUSY, "it was changed meanwhile");
}

/* All that is read from the database, at one time.  The newest set, when it is damaged, is as good
 * as none: what is new differs from it. */
static int read_all(struct going *going)
{
    const struct weir_publisher_options *options = &going->publisher->options;
    int rc;

    pthread_mutex_lock(options->lock);
    rc = look_again(going);
    if (rc == 0)
        rc = weir_database_set_next(options->database, &going->next);
    if (rc == 0)
        rc = weir_database_set(options->database, 0, take_before, going);
    if (rc == WEIR_ECORRUPT)
        rc = 0;
    if (rc >= 0 && going->wanted == 0)
        rc = gather(going);
    else if (rc >= 0)
        rc = weir_database_set(options->database, going->wanted, take_earlier, going);
    if (rc < 0 && rc != WEIR_EBUSY)
        rc = rc == WEIR_ECORRUPT && going->wanted > 0 ? fail(going, rc, "that set is damaged")
                                                      : trouble(going, rc);
    pthread_mutex_unlock(options->lock);
    if (rc == 0 && going->wanted > 0)
        rc = fail(going, WEIR_EINVAL, "there is no set of this serial, or not any more");
    return rc;
}

/* Trying, without it. -------------------------------------------------------------------- */

struct trying {
    struct going *going;
    bool told;
};

/* Keeps the first thing that is wrong, by the name of its rule: the second word of its line. */
static void note_wrong(void *context, const char *file, unsigned line, const char *why)
{
    struct trying *trying = context;
    struct weir_slice text = trying->going->section[WEIR_PARCEL_RULES], word = {"", 0};

    (void)file;
    if (trying->told)
        return;
    trying->told = true;
    for (unsigned i = 1; i < line && text.len > 0; i++) {
        const char *end = memchr(text.at, '\n', text.len);

        text = end ? weir_slice_between(end + 1, text.at + text.len) : (struct weir_slice){"", 0};
    }
    if (line > 0) {
        (void)weir_slice_word(&text);
        word = weir_slice_word(&text);
    }
    snprintf(trying->going->why, WEIR_PUBLISH_WHY, "%s%.*s%s%s", word.len ? "rule " : "",
             (int)(word.len < WEIR_RULE_NAME_MAX ? word.len : WEIR_RULE_NAME_MAX), word.at,
             word.len ? ": " : "", why);
}

/* Whether mail servers will be able to make a set of the text. */
static int try_set(struct going *going)
{
    struct trying trying = {.going = going};
    struct weir_arena *arena = weir_arena_new(ARENA_FIRST);
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources = {.errors = 0};
    int rc = arena ? weir_rule_reader_new(arena, note_wrong, &trying, &reader) : WEIR_ENOMEM;

    if (rc == 0)
        rc = weir_rule_reader_add(reader, "rulebook", going->section[WEIR_PARCEL_RULES]);
    if (rc == 0)
        rc = weir_rule_reader_end(reader, &sources);
    if (rc == 0)
        rc = weir_rules_check(&sources, note_wrong, &trying);
    weir_arena_free(&arena);
    return rc < 0 && !trying.told ? fail(going, rc, weir_error_text(rc)) : rc;
}

/* Whether every section has the same octets as before; one that servers take for older than theirs
 * is no set to stay with. */
static bool is_same(const struct going *going)
{
    if (!going->newest || going->next > going->before.serial + 1)
        return false;
    for (size_t i = 0; i < WEIR_PARCEL_SECTIONS; i++)
        if (!weir_slice_same(going->section[i], going->before.section[i]))
            return false;
    return true;
}

static int make_file(struct going *going)
{
    struct weir_rule_parcel parcel = {.serial = going->next, .made = going->by->now,
                                      .rules = going->rules};
    int rc;

    memcpy(parcel.section, going->section, sizeof parcel.section);
    rc = weir_rule_parcel_make(&parcel, &going->publisher->keys, &going->octets, &going->len);
    if (rc < 0)
        return fail(going, rc, rc == WEIR_ELIMIT ? "it is more than a published set may have"
                                                 : weir_error_text(rc));
    rc = weir_publish_deflate((struct weir_slice){going->octets, going->len},
                              going->len - going->section[WEIR_PARCEL_BAYES].len,
                              &going->deflated, &going->deflated_len);
    return rc < 0 ? fail(going, rc, "memory is short") : 0;
}

/* Keeping. ------------------------------------------------------------------------------- */

static int keep(struct going *going)
{
    struct weir_publisher *publisher = going->publisher;
    const struct weir_publisher_options *options = &publisher->options;
    const struct weir_kept_set set = {.serial = going->next,
                                      .made = going->by->now,
                                      .who = going->by->who,
                                      .what = going->what,
                                      .why = going->by->why,
                                      .rules = going->rules,
                                      .octets = going->len,
                                      .file = {going->deflated, going->deflated_len}};
    int rc;

    pthread_mutex_lock(options->lock);
    rc = weir_database_set_add(options->database, &set);
    if (rc < 0)
        rc = trouble(going, rc);
    pthread_mutex_unlock(options->lock);
    if (rc == 0)
        weir_publish_serials_note(publisher, set.serial);
    if (rc == 0 && (rc = give_out(publisher, &set)) < 0)
        return fail(going, rc, "it is kept, but memory is short: agents are told after a restart");
    if (rc == 0 && options->published)
        options->published(options->context, set.serial);
    return rc;
}

/* The word list, as far as there is room beside the rules: what says least is left out. */
static int fill_list(struct going *going)
{
    size_t rules = going->section[WEIR_PARCEL_RULES].len, most = WEIR_BAYES_PUBLISHED_OCTETS_MAX;
    size_t room = rules < most ? (most - rules) / ENTRY_OCTETS : 0, len;
    int rc;

    if (room == 0 || going->words.most == 0)
        return 0;
    rc = weir_word_list_build(&going->words, room, &going->list, &len);
    if (rc == 0)
        going->section[WEIR_PARCEL_BAYES] = (struct weir_slice){going->list, len};
    return rc;
}

/* The contents of the new set. */
static int fill(struct going *going)
{
    size_t rules = 0;
    int rc;

    if (going->wanted > 0) {
        memcpy(going->section, going->again.section, sizeof going->section);
        going->rules = going->again.rules;
        return 0;
    }
    rc = weir_pick_end(going->pick, &going->section[WEIR_PARCEL_RULES], &rules);
    going->rules = rules;
    if (rc == 0 && going->publisher->options.bayes)
        rc = fill_list(going);
    return rc < 0 ? fail(going, rc, weir_error_text(rc)) : 0;
}

/* What nobody looks at does not empty the servers' rules, whatever the reason is. */
static int look(struct going *going, unsigned gone)
{
    unsigned before = going->newest ? (unsigned)going->before.rules : 0;

    if (2 * gone <= before || (gone < WEIR_PUBLISH_GONE && going->rules > 0))
        return 0;
    snprintf(going->why, WEIR_PUBLISH_WHY, "%u of %u rules would be gone: look at weirctl publish "
             "--dry-run, and publish it yourself if that is right", gone, before);
    return WEIR_EINVAL;
}

static int go(struct going *going, struct weir_published *published_r)
{
    struct weir_published published;
    size_t were;
    int rc = read_all(going);

    rc = rc < 0 ? rc : fill(going);
    if (rc < 0)
        return rc;
    published = (struct weir_published){.serial = going->next, .rules = going->rules};
    if (is_same(going)) {
        published.serial = going->before.serial;
        *published_r = published;
        return 0;
    }
    rc = try_set(going);
    if (rc == 0)
        weir_publish_differ(&going->before, going->section[WEIR_PARCEL_RULES], going->rules,
                            published.differences);
    published.other_words = weir_publish_other_words(going->before.section[WEIR_PARCEL_BAYES],
                                                     going->section[WEIR_PARCEL_BAYES], &were,
                                                     &published.words);
    if (rc == 0 && going->by->alone)
        rc = look(going, published.differences[WEIR_RULE_GONE]);
    if (rc == 0 && going->by->try)
        rc = going->by->try(going->by->context, going->before.section[WEIR_PARCEL_RULES],
                            going->section[WEIR_PARCEL_RULES], going->why);
    rc = rc < 0 ? rc : make_file(going);
    published.octets = going->len;
    published.fresh = !going->by->dry;
    if (rc == 0 && !going->by->dry)
        rc = keep(going);
    if (rc < 0)
        return rc;
    *published_r = published;
    return 1;
}

/* A rollback that was on its way had its turn before. */
static int go_unless_held(struct going *going, struct weir_published *published_r)
{
    if (!going->by->alone || !weir_publisher_held(going->publisher))
        return go(going, published_r);
    *published_r = (struct weir_published){.serial = weir_publisher_serial(going->publisher)};
    return 0;
}

static int publish(struct going *going, struct weir_published *published_r)
{
    struct weir_publisher *publisher = going->publisher;
    int rc = WEIR_ENOMEM;

    pthread_mutex_lock(&publisher->turn);
    going->why[0] = '\0';
    going->arena = weir_arena_new(ARENA_FIRST);
    rc = going->arena ? go_unless_held(going, published_r) : fail(going, rc, "memory is short");
    if (rc == 1 && published_r->fresh)
        weir_log(publisher->log, WEIR_LOG_INFO, "rule set %u is published by %s: %zu rules (%s)",
                 (unsigned)published_r->serial, going->by->who, published_r->rules, going->what);
    else if (rc < 0 && rc != WEIR_EBUSY)
        weir_log(publisher->log, WEIR_LOG_ERROR, "no rule set is published: %s", going->why);
    weir_words_free(&going->words);
    free(going->list);
    free(going->newest);
    free(going->earlier);
    free(going->octets);
    free(going->deflated);
    weir_arena_free(&going->arena);
    pthread_mutex_unlock(&publisher->turn);
    return rc;
}

int weir_publish(struct weir_publisher *publisher, const struct weir_publishing *publishing,
                 struct weir_published *published_r, char why_r[static WEIR_PUBLISH_WHY])
{
    struct going going = {.publisher = publisher, .by = publishing, .what = "published",
                          .why = why_r};

    return publish(&going, published_r);
}

int weir_publish_again(struct weir_publisher *publisher, uint32_t serial,
                       const struct weir_publishing *publishing,
                       struct weir_published *published_r, char why_r[static WEIR_PUBLISH_WHY])
{
    char what[48];
    struct going going = {.publisher = publisher, .by = publishing, .what = what,
                          .wanted = serial, .why = why_r};

    snprintf(what, sizeof what, WEIR_SET_ROLLBACK "%u", (unsigned)serial);
    if (serial == 0)
        return fail(&going, WEIR_EINVAL, "there is no set of this serial, or not any more");
    return publish(&going, published_r);
}
