/*
 * book - rules, hits and reports come from the database in the order of ids, and are laid side by
 * side.
 */
#include "monitor/view/book.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"
#include "monitor/analyzer/rescan.h"
#include "monitor/analyzer/told_io.h"
#include "monitor/database/database_hits_io.h"

/* Reading. ---------------------------------------------------------------------------- */

static struct weir_book_rule *more_room(struct weir_book *book)
{
    struct weir_book_rule *more = weir_grown(book->rule, book->rules, &book->room,
                                                 sizeof *more);

    if (!more)
        return NULL;
    book->rule = more;
    more += book->rules++;
    *more = (struct weir_book_rule){.is = {.name = "", .text = "", .author = ""}};
    return more;
}

static const char *keep(struct weir_book *book, const char *text)
{
    return weir_arena_copy(book->arena, text, strlen(text));
}

static int take_rule(void *context, const struct weir_kept_rule *rule)
{
    struct weir_book *book = context;
    struct weir_book_rule *own = more_room(book);

    if (!own)
        return WEIR_ENOMEM;
    own->is = *rule;
    own->is.name = keep(book, rule->name);
    own->is.text = keep(book, rule->text);
    own->is.author = keep(book, rule->author);
    own->in_book = true;
    return own->is.name && own->is.text && own->is.author ? 0 : WEIR_ENOMEM;
}

/* The rule of an id; ids come in their order, and those behind `known` are strangers. */
static struct weir_book_rule *next_of(struct weir_book *book, uint32_t id, size_t known)
{
    while (book->at < known && book->rule[book->at].is.id < id)
        book->at++;
    return book->at < known && book->rule[book->at].is.id == id ? &book->rule[book->at] : NULL;
}

struct taking {
    struct weir_book *book;
    size_t known;               /* rules of the book */
};

static int take_hits(void *context, const struct weir_told *told)
{
    struct taking *taking = context;
    struct weir_book *book = taking->book;
    struct weir_book_rule *rule = next_of(book, told->hits.id, taking->known);

    if (!rule && !book->strangers)
        return 0;
    if (!rule && (rule = more_room(book)) == NULL)
        return WEIR_ENOMEM;
    rule->is.id = told->hits.id;
    rule->hits = told->hits;
    rule->weighed = told->weighed;
    rule->bounded = keep(book, told->server);
    return rule->bounded ? 0 : WEIR_ENOMEM;
}

static int take_blame(void *context, const struct weir_told_blame *blame)
{
    struct taking *taking = context;
    struct weir_book_rule *rule = next_of(taking->book, blame->rule, taking->known);

    if (rule) {
        rule->blamed = blame->messages;
        rule->blame = blame->counted;
        rule->people = blame->people;
    }
    return 0;
}

static int read_all(struct weir_book *book)
{
    struct taking taking = {.book = book};
    struct weir_database *database = book->database;
    const struct weir_book_settings *settings = &book->settings;
    double share = settings->server_share;
    int rc = weir_database_rules(database, 0, take_rule, book);

    taking.known = book->rules;
    rc = rc < 0 ? rc : weir_told_hits(database, book->now, share, take_hits, &taking,
                                      &book->all);
    book->at = 0;
    rc = rc < 0 ? rc : weir_told_blame(database, book->now - WEIR_LIFE_REPORTS,
                                       settings->false_positives, share, take_blame, &taking);
    rc = rc < 0 ? rc : weir_database_hits_idle(database, book->now, settings->idle, &book->idle);
    for (size_t i = 0; i < book->rules; i++)
        if (book->rule[i].hits.hits == 0)
            book->rule[i].weighed.all = book->all; /* it hit none of them */
    return rc;
}

int weir_book_read(struct weir_book *book, const struct weir_book_settings *settings,
                   struct weir_database *database, struct weir_arena *arena, weir_time now)
{
    int rc;

    *book = (struct weir_book){.settings = *settings, .database = database, .arena = arena,
                               .now = now, .strangers = settings->strangers};
    rc = read_all(book);
    if (rc >= 0)
        weir_book_weigh(book);
    return rc;
}

void weir_book_weigh(struct weir_book *book)
{
    for (size_t i = 0; i < book->rules; i++) {
        struct weir_analyze_change change;

        (void)weir_book_analyze(book, &book->rule[i], &change);
        book->rule[i].deserved = change.deserved;
    }
}

void weir_book_close(struct weir_book *book)
{
    free(book->rule);
    *book = (struct weir_book){.rule = NULL};
}

/* Asking. ----------------------------------------------------------------------------- */

const struct weir_book_rule *weir_book_find(const struct weir_book *book,
                                                    const char *which)
{
    uint32_t id;
    bool is_id = weir_rule_number_read(which, &id);

    for (size_t i = 0; i < book->rules; i++)
        if (is_id ? book->rule[i].is.id == id : strcmp(book->rule[i].is.name, which) == 0)
            return &book->rule[i];
    return NULL;
}

int weir_book_analyze(const struct weir_book *book, const struct weir_book_rule *rule,
                          struct weir_analyze_change *change_r)
{
    const struct weir_book_settings *own = &book->settings;
    const struct weir_analyze_settings settings = {
        .life = {.idle = book->idle, .trial = own->trial, .false_positives = own->false_positives,
                 .people = own->people},
        .spam_score = own->spam_score};
    struct weir_analyze_rule is = {
        .name = rule->is.name, .state = rule->is.state, .score = rule->is.score,
        .base = rule->is.base, .low = rule->is.low, .high = rule->is.high,
        .since = rule->is.since, .approved = rule->is.approved, .hits = rule->hits,
        .drafted = strcmp(rule->is.author, WEIR_DRAFTS_AUTHOR) == 0, .bounded = rule->bounded,
        .false_positives = rule->blame, .people = rule->people};

    is.hits.decayed = rule->weighed.hits;
    return weir_analyze(&is, &rule->weighed.all, &settings, book->now, change_r);
}

double weir_book_idle(const struct weir_book *book, const struct weir_book_rule *rule)
{
    weir_time last = rule->hits.last_hit > rule->is.since ? rule->hits.last_hit : rule->is.since;

    return book->now > last ? (double)(book->now - last) / WEIR_DAY : 0;
}

/* The table. -------------------------------------------------------------------------- */

enum column { NAME, ID, STATE, SCORE, DESERVED, HITS, SPAM, HAM, BLAMED, LAST, IDLE, UPDATED, KIND,
              AUTHOR, BASE, LOW, HIGH, RECENT_SPAM, RECENT_HAM, CREATED, SINCE, FIRST, APPROVED,
              TEXT, COLUMNS };

static const struct weir_table_column columns[COLUMNS] = {
    [NAME] = {"name", "rule", "rule", WEIR_TABLE_TEXTS, 0},
    [ID] = {"id", NULL, NULL, WEIR_TABLE_COUNTS, 0},
    [STATE] = {"state", NULL, "state", WEIR_TABLE_TEXTS, 2},
    [SCORE] = {"score", "points", "points", WEIR_TABLE_SCORES, 0},
    [DESERVED] = {"deserved", NULL, "deserves", WEIR_TABLE_SCORES, 5},
    [HITS] = {"hits", "total", "hits", WEIR_TABLE_COUNTS, 1},
    [SPAM] = {"spam", NULL, "spam", WEIR_TABLE_COUNTS, 3},
    [HAM] = {"ham", "nonspam", "ham", WEIR_TABLE_COUNTS, 3},
    [BLAMED] = {"false_positives", "blamed", "blamed", WEIR_TABLE_COUNTS, 4},
    [LAST] = {"last_hit", "last", "last hit", WEIR_TABLE_TIMES, 6},
    [IDLE] = {"idle", NULL, "idle", WEIR_TABLE_AGES, 9},
    [UPDATED] = {"last_updated", "updated", "changed", WEIR_TABLE_TIMES, 10},
    [KIND] = {"kind", "type", "kind", WEIR_TABLE_TEXTS, 8},
    [AUTHOR] = {"author", NULL, "author", WEIR_TABLE_TEXTS, 11},
    [BASE] = {"base", NULL, NULL, WEIR_TABLE_SCORES, 0},
    [LOW] = {"low", NULL, NULL, WEIR_TABLE_SCORES, 0},
    [HIGH] = {"high", NULL, NULL, WEIR_TABLE_SCORES, 0},
    [RECENT_SPAM] = {"recent_spam", NULL, "spam lately", WEIR_TABLE_NUMBERS, 12},
    [RECENT_HAM] = {"recent_ham", NULL, "ham lately", WEIR_TABLE_NUMBERS, 12},
    [CREATED] = {"created", NULL, NULL, WEIR_TABLE_TIMES, 0},
    [SINCE] = {"since", NULL, NULL, WEIR_TABLE_TIMES, 0},
    [FIRST] = {"first_hit", "first", NULL, WEIR_TABLE_TIMES, 0},
    [APPROVED] = {"approved", NULL, NULL, WEIR_TABLE_YES_OR_NO, 0},
    [TEXT] = {"text", NULL, NULL, WEIR_TABLE_TEXTS, 0},
};

static struct weir_table_cell text(const char *text)
{
    return (struct weir_table_cell){.text = {text, strlen(text)}};
}

static struct weir_table_cell number(double number)
{
    return (struct weir_table_cell){.number = number};
}

/* What was counted. */
static struct weir_table_cell hits_cell(const struct weir_hits_rule *hits, enum column column)
{
    switch (column) {
    case HITS:
        return number((double)hits->hits);
    case SPAM:
        return number((double)hits->spam);
    case HAM:
        return number((double)hits->ham);
    case BLAMED:
        return number((double)hits->false_positives);
    case RECENT_SPAM:
        return number(hits->decayed.spam);
    case RECENT_HAM:
        return number(hits->decayed.ham);
    case FIRST:
        return number((double)hits->first_hit);
    default:
        return number((double)hits->last_hit);
    }
}

/* What it is in the book. */
static struct weir_table_cell kept_cell(const struct weir_kept_rule *is, enum column column)
{
    switch (column) {
    case BASE:
        return number(is->base);
    case LOW:
        return number(is->low);
    case HIGH:
        return number(is->high);
    case CREATED:
        return number((double)is->created);
    case SINCE:
        return number((double)is->since);
    case UPDATED:
        return number((double)is->updated);
    case APPROVED:
        return number(is->approved);
    case KIND:
        return text(weir_rule_kind_name(is->kind));
    case AUTHOR:
        return text(is->author);
    case TEXT:
        return text(is->text);
    default:
        return text(weir_rule_state_name(is->state));
    }
}

static struct weir_table_cell cell(const void *context, size_t row, size_t column)
{
    const struct weir_book *book = context;
    const struct weir_book_rule *rule = &book->rule[row];

    switch ((enum column)column) {
    case NAME:
        return text(rule->is.name);
    case ID:
        return number(rule->is.id);
    case SCORE:
        return number(rule->is.score);
    case DESERVED:
        return number(rule->deserved);
    case IDLE:
        return number(weir_book_idle(book, rule));
    case STATE:
    case KIND:
    case AUTHOR:
        return rule->in_book ? kept_cell(&rule->is, (enum column)column) : text("-");
    case BASE:
    case LOW:
    case HIGH:
    case CREATED:
    case SINCE:
    case UPDATED:
    case APPROVED:
    case TEXT:
        return kept_cell(&rule->is, (enum column)column);
    default:
        return hits_cell(&rule->hits, (enum column)column);
    }
}

struct weir_table weir_book_table(const struct weir_book *book)
{
    return (struct weir_table){.column = columns, .columns = COLUMNS, .rows = book->rules,
                                   .cell = cell, .context = book};
}
