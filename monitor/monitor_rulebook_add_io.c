/*
 * Rule files into the rulebook.  The book is written out as one more file, with every rule's
 * number, and read together with the new ones: so what is new gets numbers that nobody has, names
 * in formulas are found, and the whole of it is built once before anything is stored.
 *
 * What is imported is a program's work: it changes no rule that a person made or locked, unless he
 * says so.
 *
 * Reading and building is done without the database's lock.  What people and the analyzer changed
 * of a rule meanwhile stays, unless the files say otherwise than the book did when it was read.
 */
#include <sodium.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "core/base/slice.h"
#include "core/evidence/rules.h"
#include "monitor/database/database_audit_io.h"
#include "monitor/monitor_rulebook_impl.h"
#include "monitor/view/view.h"

#define ARENA_FIRST (1u << 20)
#define LINES_MOST (3 * (WEIR_RULE_NAME_MAX + 32)) /* octets of id, score and state */
#define DETAIL 512
#define IMPORT "import" /* as an author */

static const char book[] = "the rulebook";

/* A rule as it is in the book. */
struct held {
    uint32_t id;
    enum weir_rule_state state;
    double score, base, low, high;
    bool approved, imported;
};

struct adding {
    struct weir_monitor *monitor;
    struct weir_rulebook_question *question;
    struct weir_arena *arena;
    struct weir_rule_reader *reader;
    struct weir_rule_sources sources;
    struct held *held;
    size_t helds, held_room;
    char *octets;               /* of the book as a file */
    size_t len, room;
    int state;                  /* of what is in the files; -1: what they say */
    bool import, dry, force;
    char why[WEIR_DATABASE_TEXT_MAX + 1];
    json_t *problems;
    char told[DETAIL];          /* names for the audit */
    struct weir_line names_line;
    size_t more;                /* problems that are not told */
    size_t added, changed, kept, beyond;
    uint32_t *renewed;          /* rules that say something else, or go back to work */
    size_t renews, renew_room;
    json_t *names;              /* of rules that were there: {"changed": [...], "kept": [...]} */
    char text[WEIR_RULE_TEXT_MAX + 1];
};

/* Whether files say nothing of it. */
static bool is_of_book(const struct weir_rule_source *source)
{
    return source->said == 0;
}

static struct held held_of(const struct weir_kept_rule *rule)
{
    return (struct held){.id = rule->id, .state = rule->state, .score = rule->score,
                         .base = rule->base, .low = rule->low, .high = rule->high,
                         .approved = rule->approved,
                         .imported = strcmp(rule->author, IMPORT) == 0};
}

/* The book as a file. -------------------------------------------------------- */

static int put_octets(struct adding *adding, const char *octets, size_t len)
{
    size_t room = 2 * (adding->len + len) + ARENA_FIRST;
    char *more = adding->octets;

    if (adding->len + len > adding->room) {
        more = realloc(adding->octets, room);
        if (!more)
            return WEIR_ENOMEM;
        adding->octets = more;
        adding->room = room;
    }
    memcpy(more + adding->len, octets, len);
    adding->len += len;
    return 0;
}

static int hold(void *context, const struct weir_kept_rule *rule)
{
    struct adding *adding = context;
    struct held *more = weir_grown(adding->held, adding->helds, &adding->held_room, sizeof *more);
    char lines[LINES_MOST];
    int len = snprintf(lines, sizeof lines, "id %s %u\nscore %s %.2f\nstate %s %s\n", rule->name,
                       (unsigned)rule->id, rule->name, rule->base, rule->name,
                       weir_rule_state_name(rule->state));
    size_t text = strlen(rule->text);
    int rc;

    if (!more)
        return WEIR_ENOMEM;
    adding->held = more;
    more += adding->helds++;
    *more = held_of(rule);
    rc = put_octets(adding, rule->text, text);
    return rc < 0 ? rc : put_octets(adding, lines, (size_t)len);
}

static int read_book(struct adding *adding)
{
    struct weir_database *reading = NULL;
    int rc = weir_rulebook_read(adding->monitor, adding->question, &reading);

    if (rc < 0)
        return rc;
    rc = weir_database_rules(reading, 0, hold, adding);
    if (rc < 0)
        (void)weir_rulebook_trouble(adding->question, reading, rc);
    weir_database_free(&reading);
    return rc < 0 ? rc : 0;
}

/* Files. --------------------------------------------------------------------- */

static void tell(void *context, const char *file, unsigned line, const char *why)
{
    struct adding *adding = context;

    if (json_array_size(adding->problems) >= WEIR_RULES_TOLD_MAX)
        adding->more++;
    else
        json_array_append_new(adding->problems, json_pack("{s:s, s:I, s:o}", "file", file, "line",
            (json_int_t)line, "why", weir_view_text(why)));
}

/* The octets of a file, which may be no UTF-8: they come as base64. */
static int read_octets(struct adding *adding, const json_t *file, struct weir_slice *text_r)
{
    const char *base64 = json_string_value(json_object_get(file, "base64"));
    size_t len = base64 ? strlen(base64) : 0, room = len / 4 * 3 + 3, got;
    char *octets = weir_arena_take(adding->arena, room);

    if (!octets)
        return WEIR_ENOMEM;
    if (!base64 || sodium_base642bin((unsigned char *)octets, room, base64, len, NULL, &got, NULL,
                                     sodium_base64_VARIANT_ORIGINAL) != 0) {
        (void)weir_rulebook_refuse(adding->question, "files are not as they should be");
        return WEIR_EINVAL;
    }
    *text_r = (struct weir_slice){octets, got};
    return 0;
}

static int read_files(struct adding *adding)
{
    const json_t *files = json_object_get(adding->question->json, "files");
    int rc = weir_rule_reader_new(adding->arena, tell, adding, &adding->reader);

    if (rc == 0 && adding->len > 0)
        rc = weir_rule_reader_add(adding->reader, book,
                                  (struct weir_slice){adding->octets, adding->len});
    if (rc == 0)
        weir_rule_reader_known(adding->reader);
    for (size_t i = 0; rc == 0 && i < json_array_size(files); i++) {
        const json_t *file = json_array_get(files, i);
        const char *name = json_string_value(json_object_get(file, "name"));
        struct weir_slice text;

        rc = read_octets(adding, file, &text);
        if (rc == 0)
            rc = weir_rule_reader_add(adding->reader, name ? name : "", text);
    }
    return rc < 0 ? rc : weir_rule_reader_end(adding->reader, &adding->sources);
}

/* Everything as one set, as servers will have it. */
static int build(struct adding *adding)
{
    const struct weir_rules_options options = {0};
    void *octets = NULL;
    size_t len;
    int rc;

    if (adding->sources.errors > 0)
        return 0;
    for (size_t i = 0; adding->state >= 0 && i < adding->sources.rules; i++)
        if (adding->sources.rule[i].said & (WEIR_RULE_SAID_TEST | WEIR_RULE_SAID_STATE))
            adding->sources.rule[i].state = (enum weir_rule_state)adding->state;
    rc = weir_rules_build(&adding->sources, &options, tell, adding, &octets, &len);
    free(octets);
    return rc == WEIR_EINVAL ? 0 : rc;
}

/* Storing. ------------------------------------------------------------------- */

static int by_id(const void *a, const void *b)
{
    const struct held *one = a, *other = b;

    return (one->id > other->id) - (one->id < other->id);
}

/* Its lines, but for those that are columns. */
static int write_text(struct adding *adding, const struct weir_rule_source *source)
{
    struct weir_rule_source bare = *source;
    struct weir_line line = weir_line(adding->text, sizeof adding->text);
    char *score;

    bare.id = 0;
    bare.state = WEIR_RULE_ACTIVE;
    bare.said = 0;
    weir_rule_write(&bare, &line);
    (void)weir_line_end(&line);
    if (line.cut) {
        (void)weir_rulebook_refuse(adding->question, "the lines of a rule are too long");
        return WEIR_ELIMIT;
    }
    score = strchr(adding->text, '\n'); /* the test is one line */
    if (score && strncmp(score + 1, "score ", 6) == 0) {
        char *rest = strchr(score + 1, '\n') + 1;

        memmove(score + 1, rest, strlen(rest) + 1);
    }
    return 0;
}

/* A rule as it is by now, and whether its lines are these. */
struct looking {
    struct held held;
    const char *text;
    bool same;
};

static int note_now(void *context, const struct weir_kept_rule *rule)
{
    struct looking *now = context;

    now->held = held_of(rule);
    now->same = strcmp(now->text, rule->text) == 0;
    return 0;
}

/* What files want of a number, unless that is what it was: then it is as it is now. */
static double wanted(double want, double then, double now)
{
    return want == then ? now : want;
}

/* Score and base of a rule that is there: a score alone is what the author gives it, too. */
static void take_points(struct weir_kept_rule *rule, const struct weir_rule_source *source,
                        const struct held *then, const struct held *now)
{
    bool scored = source->said & WEIR_RULE_SAID_SCORE;
    double score = rule->score;

    rule->score = now->score;
    rule->base = now->base;
    if (source->said & WEIR_RULE_SAID_BASE) {
        rule->base = wanted(source->base, then->base, now->base);
        rule->score = wanted(scored ? score : then->score, then->score, now->score);
    } else if (scored && score != then->base) {
        rule->base = rule->score = score;
    }
}

static void take_bounds(struct weir_kept_rule *rule, const struct weir_rule_source *source,
                        const struct held *then, const struct held *now)
{
    bool said = source->said & WEIR_RULE_SAID_BOUNDS;
    bool same = source->low == then->low && source->high == then->high;

    rule->low = said && !same ? source->low : now->low;
    rule->high = said && !same ? source->high : now->high;
}

static void take_state(struct weir_kept_rule *rule, const struct weir_rule_source *source,
                       const struct held *then, const struct held *now)
{
    bool same = rule->state == then->state;

    if (same)
        rule->state = now->state;
    if (source->said & WEIR_RULE_SAID_APPROVED)
        same = rule->approved == then->approved;
    if (same)
        rule->approved = now->approved;
}

/* What the source makes of a rule that was there when the book was read, and is now; or of none
 * (NULL). */
static struct weir_kept_rule kept_of(const struct adding *adding,
                                     const struct weir_rule_source *source, const char *name,
                                     const struct held *then, const struct held *now)
{
    struct weir_kept_rule rule = {
        .id = source->id, .name = name, .kind = source->kind, .text = adding->text,
        .state = source->state, .score = weir_rule_points((double)source->score),
        .author = adding->import ? IMPORT : adding->question->who,
        .approved = source->state == WEIR_RULE_ACTIVE || source->state == WEIR_RULE_LOCKED};

    if (source->said & WEIR_RULE_SAID_APPROVED)
        rule.approved = source->approved;
    if (then) {
        take_points(&rule, source, then, now);
        take_bounds(&rule, source, then, now);
        take_state(&rule, source, then, now);
        return rule;
    }
    rule.base = source->said & WEIR_RULE_SAID_BASE ? source->base : rule.score;
    rule.low = source->low; /* 0 unless said */
    rule.high = source->high;
    return rule;
}

static void note_name(const struct adding *adding, const char *what, const char *name)
{
    json_t *names = json_object_get(adding->names, what);

    if (json_array_size(names) < WEIR_RULES_TOLD_MAX)
        json_array_append_new(names, json_string(name));
}

/* Whether a rule of the book is none that an import may change.  It is noted if it would be. */
static bool is_kept(struct adding *adding, const struct looking *now,
                    const struct weir_kept_rule *rule)
{
    const struct held *held = &now->held;
    bool same = now->same && rule->score == held->score && rule->base == held->base &&
                rule->low == held->low && rule->high == held->high &&
                rule->state == held->state && rule->approved == held->approved;

    if (!adding->import || adding->force || (held->imported && held->state != WEIR_RULE_LOCKED))
        return false;
    adding->kept += !same;
    if (!same)
        note_name(adding, "kept", rule->name);
    return true;
}

/* Of what is imported its history says from where: as the question has it for a rule that was
 * made of another program's, else where it stands. */
static const char *reason_of(struct adding *adding, const struct weir_rule_source *source,
                             const char *name)
{
    const struct weir_rulebook_question *question = adding->question;
    const char *reason = weir_rulebook_text(question, "reason");
    const char *origin = json_string_value(
        json_object_get(json_object_get(question->json, "origins"), name));
    struct weir_line line = weir_line(adding->why, sizeof adding->why);

    if (!adding->import)
        return reason;
    weir_line_text(&line, "imported from ");
    weir_line_text(&line, origin ? origin : source->file);
    if (!origin) {
        weir_line_text(&line, ":");
        weir_line_count(&line, source->line);
    }
    weir_line_text(&line, reason[0] ? ": " : "");
    weir_line_text(&line, reason);
    return weir_line_end(&line);
}

/* Whoever changes a rule's lines, or lets it work again, begins anew with it. */
static int note_renewed(struct adding *adding, const struct looking *now,
                        const struct weir_kept_rule *rule)
{
    uint32_t *more;

    if (now->same && !weir_rulebook_renews(now->held.state, rule->state))
        return 1;
    more = weir_grown(adding->renewed, adding->renews, &adding->renew_room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    adding->renewed = more;
    more[adding->renews++] = rule->id;
    return 1;
}

static int store_one(struct adding *adding, const struct weir_rule_source *source,
                     struct weir_rule_change *change)
{
    struct weir_database *database = adding->monitor->database;
    struct looking now = {.held = {.id = source->id}, .text = adding->text};
    const struct held *held = adding->helds == 0 ? NULL
        : bsearch(&now.held, adding->held, adding->helds, sizeof now.held, by_id);
    char name[WEIR_RULE_NAME_MAX + 1];
    struct weir_kept_rule rule;
    int rc;

    if (held && is_of_book(source) && weir_rule_points((double)source->score) == held->base)
        return 0;
    rc = write_text(adding, source);
    rc = rc < 0 ? rc : weir_database_rule(database, NULL, source->id, note_now, &now);
    if (rc < 0)
        return rc;
    snprintf(name, sizeof name, "%.*s", (int)source->name.len, source->name.at);
    rule = kept_of(adding, source, name, held, &now.held);
    change->why = reason_of(adding, source, name);
    if (held && is_kept(adding, &now, &rule))
        return 0;
    rc = weir_database_rule_put(database, &rule, change);
    if (rc > 0) {
        weir_line_text(&adding->names_line, adding->added + adding->changed == 0 ? ": " : ", ");
        weir_line_text(&adding->names_line, name);
    }
    adding->added += rc > 0 && !held;
    adding->changed += rc > 0 && held;
    if (rc > 0 && weir_rulebook_is_beyond(adding->monitor, &rule)) {
        note_name(adding, "beyond", name);
        adding->beyond++;
    }
    if (rc > 0 && held) {
        note_name(adding, "changed", name);
        rc = note_renewed(adding, &now, &rule);
    }
    return rc;
}

static int store_all(struct adding *adding)
{
    const struct weir_rulebook_question *question = adding->question;
    struct weir_rule_change change = {.who = question->who, .time = question->now};
    char detail[2 * DETAIL];
    const struct weir_audit audit = {.time = question->now, .who = question->who,
                                     .what = adding->import ? "rules import" : "rules add",
                                     .detail = detail};
    int rc = 0;

    adding->names_line = weir_line(adding->told, sizeof adding->told - sizeof "...");
    for (size_t i = 0; rc >= 0 && i < adding->sources.rules; i++)
        rc = store_one(adding, &adding->sources.rule[i], &change);
    if (rc < 0 || adding->added + adding->changed == 0)
        return rc;
    snprintf(detail, sizeof detail, "%zu added, %zu changed%s%s", adding->added, adding->changed,
             adding->import ? "" : weir_line_end(&adding->names_line),
             !adding->import && adding->names_line.cut ? "..." : "");
    return weir_database_audit_add(adding->monitor->database, &audit);
}

static int store(struct adding *adding)
{
    struct weir_database *database = adding->monitor->database;
    int rc;

    pthread_mutex_lock(&adding->monitor->lock);
    rc = weir_database_begin(database);
    if (rc == 0) {
        rc = store_all(adding);
        if (rc < 0 || adding->dry)
            weir_database_abandon(database);
        else if ((rc = weir_database_commit(database)) == 0)
            weir_rulebook_renew(adding->monitor, adding->renewed, adding->renews,
                                adding->question->now);
    }
    if (rc < 0 && !adding->question->why[0])
        (void)weir_rulebook_trouble(adding->question, database, rc);
    pthread_mutex_unlock(&adding->monitor->lock);
    return rc;
}

/* Asking. -------------------------------------------------------------------- */

static int add(struct adding *adding)
{
    int rc = read_book(adding);

    rc = rc < 0 ? rc : read_files(adding);
    rc = rc < 0 ? rc : build(adding);
    if (rc < 0 && !adding->question->why[0])
        (void)weir_rulebook_refuse(adding->question, weir_error_text(rc));
    if (rc < 0 || json_array_size(adding->problems) > 0)
        return rc;
    return store(adding);
}

/* Others' formulas would not be seen, and together they might go round in a circle. */
static void add_alone(struct adding *adding)
{
    pthread_mutex_lock(&adding->monitor->adding);
    (void)add(adding);
    pthread_mutex_unlock(&adding->monitor->adding);
}

static json_t *answer(const struct adding *adding)
{
    if (adding->question->why[0])
        return NULL;
    if (json_array_size(adding->problems) > 0)
        return json_pack("{s:O, s:I}", "problems", adding->problems, "more",
                         (json_int_t)adding->more);
    return json_pack("{s:I, s:I, s:I, s:I, s:I, s:O}", "added", (json_int_t)adding->added,
                     "changed", (json_int_t)adding->changed, "kept", (json_int_t)adding->kept,
                     "beyond", (json_int_t)adding->beyond, "rules",
                     (json_int_t)adding->sources.rules, "names", adding->names);
}

json_t *weir_rulebook_add(struct weir_monitor *monitor, struct weir_rulebook_question *question)
{
    const char *state = weir_rulebook_text(question, "state");
    struct adding *adding = calloc(1, sizeof *adding);
    json_t *json;

    if (!adding)
        return weir_rulebook_refuse(question, "memory is short");
    adding->monitor = monitor;
    adding->question = question;
    adding->state = weir_rulebook_state(state);
    adding->import = json_is_true(json_object_get(question->json, "import"));
    adding->dry = json_is_true(json_object_get(question->json, "dry"));
    adding->force = json_is_true(json_object_get(question->json, "force"));
    adding->arena = weir_arena_new(ARENA_FIRST);
    adding->problems = json_array();
    adding->names = json_pack("{s:[], s:[], s:[]}", "changed", "kept", "beyond");
    if (!adding->arena || !adding->problems || !adding->names)
        (void)weir_rulebook_refuse(question, "memory is short");
    else if (state[0] && adding->state < 0)
        (void)weir_rulebook_refuse(question, "state is not one of active, test, draft, retired, "
                                   "locked");
    else
        add_alone(adding);
    json = answer(adding);
    json_decref(adding->problems);
    json_decref(adding->names);
    weir_arena_free(&adding->arena);
    free(adding->held);
    free(adding->renewed);
    free(adding->octets);
    free(adding);
    return json;
}
