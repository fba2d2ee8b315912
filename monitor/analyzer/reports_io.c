/*
 * A report waits as a list's item, with what its string says; entering it is a few questions to the
 * database and at most two moves of hits, which the item remembers so that they can be undone.
 *
 * The server's opinion of the string is not asked for: it is verified here.  What ties a string to
 * its message is the digest the server made of that message's header, for the header itself
 * stays there.
 */
#include "monitor/analyzer/reports_io.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/engine/verdict.h"
#include "core/store/report_line.h"
#include "monitor/database/database_counters_io.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_reports_io.h"

#define WORD 17
#define SERVERS 1024 /* numbers modulo this */

struct weir_report_item {
    struct weir_report_item *next;
    uint32_t server;
    bool spam, back;
    uint64_t reporter;
    weir_time at;                 /* when it came in */
    enum weir_report_came proof;  /* COUNTED: it is proven */
    struct weir_info info;        /* when proven or unbound */
    char name[WEIR_REPORT_USER_MAX + 1], told[WORD], way[WORD], text[WEIR_INFO_TEXT_MAX + 2];
    /* Once entered. */
    enum weir_report_came came;
    enum weir_reported was, is;
};

struct weir_reports {
    struct weir_reports_settings settings;
    struct weir_info_keys keys;
    struct weir_database *database;
    struct weir_report_items waiting;
    uint32_t told[SERVERS];       /* of them, by server */
    struct weir_reports_counts counts;
    struct weir_reports_hearer hearer;
};

const char *weir_report_came_name(enum weir_report_came came)
{
    static const char *const name[WEIR_REPORT_CAMES] = {
        "counted", "replaced", "repeated", "taken-back", "not-there", "no-weight", "crowded",
        "user-cap", "server-cap", "too-old", "unbound", "unknown-key", "bad", "malformed", "none",
    };

    return (unsigned)came < WEIR_REPORT_CAMES ? name[came] : "?";
}

/* Reading. ------------------------------------------------------------------ */

static void copy(char *to, size_t size, struct weir_slice text)
{
    size_t len = text.len < size ? text.len : size - 1;

    memcpy(to, text.at, len);
    to[len] = '\0';
}

static enum weir_report_came prove(const struct weir_reports *reports,
                                   const struct weir_report_line *line, struct weir_info *info_r)
{
    static const enum weir_report_came came[WEIR_INFO_STATES] = {
        [WEIR_INFO_VALID] = WEIR_REPORT_COUNTED,
        [WEIR_INFO_UNBOUND] = WEIR_REPORT_UNBOUND,
        [WEIR_INFO_UNKNOWN_KEY] = WEIR_REPORT_UNKNOWN_KEY,
        [WEIR_INFO_BAD] = WEIR_REPORT_BAD,
        [WEIR_INFO_MALFORMED] = WEIR_REPORT_MALFORMED,
    };
    enum weir_info_state state;

    if (line->info.len == 0)
        return WEIR_REPORT_NONE;
    state = weir_info_read(line->info, line->binding, &reports->keys, info_r);
    return came[state];
}

int weir_reports_read(const struct weir_reports *reports, struct weir_slice line, uint32_t server,
                      struct weir_report_items *items)
{
    struct weir_report_line told;
    struct weir_report_item *item;

    if (weir_report_line_read(line, &told) != 1)
        return 0;
    item = calloc(1, sizeof(*item));
    if (!item)
        return WEIR_ENOMEM;
    item->server = server;
    item->spam = told.spam;
    item->back = told.back;
    item->reporter = told.reporter;
    item->proof = prove(reports, &told, &item->info);
    copy(item->name, sizeof(item->name), told.user);
    copy(item->told, sizeof(item->told), told.told);
    copy(item->way, sizeof(item->way), told.way);
    copy(item->text, sizeof(item->text), told.info);
    *(items->last ? &items->last->next : &items->first) = item;
    items->last = item;
    items->count++;
    return 1;
}

void weir_report_items_free(struct weir_report_items *items)
{
    while (items->first) {
        struct weir_report_item *item = items->first;

        items->first = item->next;
        free(item);
    }
    *items = (struct weir_report_items){.count = 0};
}

void weir_reports_wait(struct weir_reports *reports, struct weir_report_items *items, weir_time now)
{
    struct weir_report_items *waiting = &reports->waiting;
    uint32_t *told;

    if (items->count == 0)
        return;
    told = &reports->told[items->first->server % SERVERS];
    for (struct weir_report_item *item = items->first; item; item = item->next)
        item->at = now;
    if (waiting->count + items->count > WEIR_REPORTS_WAITING_MAX ||
        *told + items->count > WEIR_REPORTS_WAITING_SERVER) {
        reports->counts.lost += items->count;
        weir_report_items_free(items);
        return;
    }
    *(waiting->last ? &waiting->last->next : &waiting->first) = items->first;
    waiting->last = items->last;
    waiting->count += items->count;
    *told += (uint32_t)items->count;
    *items = (struct weir_report_items){.count = 0};
}

void weir_reports_proven(const struct weir_reports *reports,
                         void (*call)(void *context, uint32_t server,
                                      const struct weir_info *info),
                         void *context)
{
    for (const struct weir_report_item *item = reports->waiting.first; item; item = item->next)
        if (item->proof == WEIR_REPORT_COUNTED)
            call(context, item->server, &item->info);
}

/* Rows. --------------------------------------------------------------------- */

static int add_row(struct weir_reports *reports, const struct weir_report_item *item, bool vote,
                   bool weighs)
{
    const struct weir_info *info = &item->info;
    bool known = item->proof == WEIR_REPORT_COUNTED || item->proof == WEIR_REPORT_UNBOUND;
    char address[WEIR_ADDRESS_TEXT] = "";
    int64_t number;
    const struct weir_database_report row = {
        .time = item->at, .server = item->server, .user = item->reporter, .uid = info->uid,
        .spam = item->spam, .vote = vote, .weighs = weighs, .name = item->name,
        .told = item->told, .way = item->way, .came = weir_report_came_name(item->came),
        .state = item->proof == WEIR_REPORT_COUNTED ? weir_info_state_name(WEIR_INFO_VALID)
                                                    : weir_report_came_name(item->proof),
        .verdict = known ? weir_verdict_name((enum weir_verdict)info->verdict) : "",
        .score = (double)info->score,
        .address = info->has_boundary ? weir_address_format(&info->boundary, address) : "",
        .domain = info->domain, .info = item->text,
    };

    return weir_database_report_add(reports->database, &row, &number);
}

static int change_row(struct weir_reports *reports, const struct weir_report_item *item,
                      struct weir_database_report *vote)
{
    vote->time = item->at;
    vote->server = item->server;
    vote->came = weir_report_came_name(item->came);
    return weir_database_report_change(reports->database, vote);
}

/* Caps. --------------------------------------------------------------------- */

/* What a person takes back never is too much; nor do his votes beyond his own cap use up the
 * server's, nor what proves nothing the room for votes: anybody can send that. */
static int check_caps(struct weir_reports *reports, struct weir_report_item *item)
{
    bool proven = item->proof == WEIR_REPORT_COUNTED;
    int64_t day = item->at / WEIR_DAY;
    int rc;

    if (item->back || item->server == WEIR_REPORT_DESK)
        return 0;
    item->came = WEIR_REPORT_USER_CAP;
    rc = weir_database_report_capped(reports->database, day, proven ? "user" : "user:unproven",
                                     item->reporter, reports->settings.user_day);
    if (rc != 0)
        return rc;
    item->came = WEIR_REPORT_SERVER_CAP;
    return weir_database_report_capped(reports->database, day,
                                       proven ? "server" : "server:unproven", item->server,
                                       reports->settings.server_day);
}

/* Votes. -------------------------------------------------------------------- */

/* 1, 0 or an error. */
static int weighs(struct weir_reports *reports, uint64_t user)
{
    struct weir_report_record record;
    int rc = weir_database_report_record(reports->database, user, WEIR_REPORT_RECORD_MAX, &record);

    if (rc < 0)
        return rc;
    return record.decided < WEIR_REPORTS_DECIDED ||
           100 * record.opposed < WEIR_REPORTS_OPPOSED * record.decided;
}

static int take_back(struct weir_reports *reports, struct weir_report_item *item,
                     struct weir_database_report *vote, bool found)
{
    item->came = WEIR_REPORT_NOT_THERE;
    if (!found || vote->taken_back > 0 || vote->spam != item->spam)
        return 0;
    item->came = WEIR_REPORT_TAKEN_BACK;
    vote->taken_back = item->at;
    return change_row(reports, item, vote);
}

static int give(struct weir_reports *reports, struct weir_report_item *item,
                struct weir_database_report *vote, bool found)
{
    struct weir_report_votes votes = {.all = 0};
    bool stands = found && vote->taken_back == 0, desk = item->server == WEIR_REPORT_DESK;
    int weight, rc;

    item->came = WEIR_REPORT_REPEATED;
    if (stands && vote->spam == item->spam)
        return 0;
    item->came = WEIR_REPORT_CROWDED;
    rc = found || desk ? 0 : weir_database_report_votes(reports->database, item->info.uid, &votes);
    if (rc < 0 || votes.all >= WEIR_REPORT_VOTERS_MAX)
        return rc;
    weight = desk ? 1 : weighs(reports, item->reporter);
    if (weight < 0)
        return weight;
    item->came = !weight  ? WEIR_REPORT_NO_WEIGHT
                 : stands ? WEIR_REPORT_REPLACED
                          : WEIR_REPORT_COUNTED;
    if (!found)
        return add_row(reports, item, true, weight);
    vote->spam = item->spam;
    vote->weighs = weight;
    vote->taken_back = 0;
    return change_row(reports, item, vote);
}

/* Hits. --------------------------------------------------------------------- */

static int move(struct weir_hits *hits, const struct weir_report_item *item,
                enum weir_reported from, enum weir_reported to)
{
    int rc = 0;

    if (from == to)
        return 0;
    if (from != WEIR_REPORTED_NOTHING)
        rc = weir_hits_report(hits, item->server, &item->info, from == WEIR_REPORTED_SPAM, true,
                              item->at);
    if (rc == 0 && to != WEIR_REPORTED_NOTHING)
        rc = weir_hits_report(hits, item->server, &item->info, to == WEIR_REPORTED_SPAM, false,
                              item->at);
    return rc;
}

/* The same in the reputation: here, where it is counted, and for the servers to do. */
static int enter_vote(struct weir_reports *reports, const struct weir_report_item *item,
                      enum weir_said was, enum weir_said is, struct weir_ledger_pack *votes)
{
    struct weir_database_vote vote = {.time = item->at, .told_by = item->server,
                                      .info = item->info, .was = was, .is = is};
    const struct weir_ledger_event event = {&item->info, was, is};
    int rc = weir_database_report_entered_put(reports->database, item->info.uid, is);

    if (rc == 0 && votes)
        rc = weir_ledger_pack_add(votes, &event, item->at);
    return rc < 0 ? rc : weir_database_vote_add(reports->database, &vote);
}

struct voices {
    struct weir_prefix near; /* the sender's network */
    enum weir_said is;
    unsigned all, entered;
};

static int count_voice(void *context, const char *text, enum weir_said entered)
{
    struct voices *voices = context;
    struct weir_address address;

    if (weir_address_parse(text, strlen(text), &address) < 0 ||
        !weir_prefix_contains(&voices->near, &address))
        return 0;
    voices->all++;
    voices->entered += entered == voices->is;
    return 0;
}

/* Whether a person has a voice about a sender left: one, and one more with the fourth message he
 * says the same of, the sixteenth and so on.  1, 0 or an error. */
static int has_voice(struct weir_reports *reports, const struct weir_report_item *item,
                     enum weir_said is)
{
    const struct weir_report_voice voice = {item->reporter, item->info.uid, item->spam,
                                            item->info.domain};
    struct voices voices = {.near = weir_address_prefix(&item->info.boundary, 24, 64), .is = is};
    int rc = weir_database_report_voices(reports->database, &voice, count_voice, &voices);
    unsigned have = 0;

    for (unsigned n = voices.all + 1; n > 0; n /= 4)
        have++;
    return rc < 0 ? rc : voices.entered < have;
}

/* The reputation has a message as what people make of it as long as who says so has a voice left;
 * else only what the program said of it is taken back. */
static int move_counters(struct weir_reports *reports, const struct weir_report_item *item,
                         enum weir_reported is, struct weir_ledger_pack *votes)
{
    static const enum weir_said said[] = {[WEIR_REPORTED_SPAM] = WEIR_SAID_SPAM,
                                          [WEIR_REPORTED_HAM] = WEIR_SAID_GOOD};
    bool gives = item->came == WEIR_REPORT_COUNTED || item->came == WEIR_REPORT_REPLACED;
    enum weir_said was, to = said[is];
    int rc = 0;

    if (item->info.has_boundary)
        rc = weir_database_report_entered(reports->database, item->info.uid, &was);
    if (!item->info.has_boundary || rc < 0 || was == to)
        return rc;
    if (is != WEIR_REPORTED_NOTHING)
        rc = gives && item->spam == (is == WEIR_REPORTED_SPAM) ? has_voice(reports, item, to)
                                                               : was != WEIR_SAID_UNSURE;
    if (rc < 0)
        return rc;
    to = is != WEIR_REPORTED_NOTHING && rc == 0 ? WEIR_SAID_UNSURE : to;
    return was == to ? 0 : enter_vote(reports, item, was, to, votes);
}

/* The desk's votes before the majority of all. */
static enum weir_reported made_of(const struct weir_report_votes *votes)
{
    bool desk = votes->desk_spam != votes->desk_ham;
    unsigned spam = desk ? votes->desk_spam : votes->spam;
    unsigned ham = desk ? votes->desk_ham : votes->ham;

    return spam > ham   ? WEIR_REPORTED_SPAM
           : ham > spam ? WEIR_REPORTED_HAM
                        : WEIR_REPORTED_NOTHING;
}

/* What the votes make of a message by now, and hits and counters accordingly. */
static int settle(struct weir_reports *reports, struct weir_report_item *item,
                  const struct weir_reports_into *into)
{
    uint64_t uid = item->info.uid;
    struct weir_report_votes votes;
    enum weir_reported was, is;
    int rc = weir_database_report_votes(reports->database, uid, &votes);

    rc = rc < 0 ? rc : weir_database_reported(reports->database, uid, &was);
    if (rc < 0)
        return rc;
    is = made_of(&votes);
    if (is == was)
        return is != WEIR_REPORTED_NOTHING ? move_counters(reports, item, is, into->votes) : 0;
    rc = weir_database_reported_put(reports->database, uid, is, item->at);
    rc = rc < 0 ? rc : weir_database_message_report(reports->database, &item->info,
                                                    weir_reported_name(is), item->at);
    if (rc == 0 && reports->hearer.said)
        rc = reports->hearer.said(reports->hearer.context, &item->info, is, item->at);
    rc = rc < 0 ? rc : move_counters(reports, item, is, into->votes);
    rc = rc < 0 ? rc : move(into->hits, item, was, is);
    if (rc == 0) {
        item->was = was;
        item->is = is;
    }
    return rc;
}

static int vote_on(struct weir_reports *reports, struct weir_report_item *item,
                   const struct weir_reports_into *into)
{
    struct weir_database_report vote;
    int found = weir_database_report_vote(reports->database, item->info.uid, item->reporter, &vote);
    int rc;

    if (found < 0)
        return found;
    rc = (item->back ? take_back : give)(reports, item, &vote, found == 1);
    return rc < 0 ? rc : settle(reports, item, into);
}

static int enter(struct weir_reports *reports, struct weir_report_item *item,
                 const struct weir_reports_into *into)
{
    char what[32] = "came:";
    int rc;

    item->was = item->is = WEIR_REPORTED_NOTHING;
    rc = check_caps(reports, item);
    if (rc == 0) {
        item->came = item->proof;
        if (item->proof == WEIR_REPORT_COUNTED && !item->back &&
            item->at - item->info.at > WEIR_REPORTS_OLDEST)
            item->came = WEIR_REPORT_TOO_OLD;
        rc = item->came == WEIR_REPORT_COUNTED ? vote_on(reports, item, into)
             : item->back                      ? 0
                                               : add_row(reports, item, false, false);
    }
    if (rc < 0)
        return rc;
    strcat(what, weir_report_came_name(item->came));
    return weir_database_report_count(reports->database, item->at / WEIR_DAY, what, 0);
}

/* Moves back what was entered. */
static void undo(struct weir_reports *reports, struct weir_hits *hits)
{
    for (struct weir_report_item *item = reports->waiting.first; item; item = item->next) {
        (void)move(hits, item, item->is, item->was); /* there is room already */
        item->is = item->was;
    }
}

int weir_reports_enter(struct weir_reports *reports, const struct weir_reports_into *into)
{
    for (struct weir_report_item *item = reports->waiting.first; item; item = item->next) {
        int rc = enter(reports, item, into);

        if (rc < 0) {
            undo(reports, into->hits);
            return rc;
        }
    }
    return 0;
}

void weir_reports_entered(struct weir_reports *reports, struct weir_hits *hits, bool kept)
{
    if (!kept) {
        undo(reports, hits);
        return;
    }
    for (struct weir_report_item *item = reports->waiting.first; item; item = item->next)
        reports->counts.came[item->came]++;
    weir_report_items_free(&reports->waiting);
    memset(reports->told, 0, sizeof(reports->told));
}

struct weir_reports_counts weir_reports_counts(const struct weir_reports *reports)
{
    return reports->counts;
}

/* Making. ------------------------------------------------------------------- */

int weir_reports_new(const struct weir_reports_settings *settings,
                     const struct weir_info_keys *keys, struct weir_database *database,
                     struct weir_reports **reports_r)
{
    struct weir_reports *reports = calloc(1, sizeof(*reports));

    if (!reports)
        return WEIR_ENOMEM;
    reports->settings = *settings;
    reports->keys = *keys;
    reports->database = database;
    *reports_r = reports;
    return 0;
}

void weir_reports_tell(struct weir_reports *reports, struct weir_reports_hearer hearer)
{
    reports->hearer = hearer;
}

void weir_reports_use(struct weir_reports *reports, const struct weir_reports_settings *settings)
{
    reports->settings = *settings;
}

void weir_reports_free(struct weir_reports **reports)
{
    if (!*reports)
        return;
    weir_report_items_free(&(*reports)->waiting);
    explicit_bzero(&(*reports)->keys, sizeof((*reports)->keys));
    free(*reports);
    *reports = NULL;
}
