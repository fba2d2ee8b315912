/*
 * api_overview - the first page: mail by verdict, servers, and what needs attention.
 */
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/console/api_impl.h"
#include "monitor/console/console_impl.h"
#include "monitor/database/database_desk_io.h"
#include "monitor/database/database_sums_io.h"
#include "monitor/monitor_look_io.h"
#include "monitor/view/view_servers.h"

#define SCORES WEIR_SUMS_SCORES

struct page {
    struct weir_api_question *question;
    struct weir_look look;
    json_t *verdicts, *scores, *servers, *attention;
    json_int_t of_today[4];      /* ham, unsure, spam, refused */
    weir_time today, span, begins; /* begins: of the last row of verdicts */
    json_int_t score[2 * SCORES]; /* by whole points; the first and last have all beyond */
    unsigned blind, unnamed;
    char names[160];             /* of those, but for so many */
};

/* mail ---------------------------------------------------------------------------------------- */

/* The row of a moment: rows come by time. */
static json_t *row_at(struct page *page, weir_time begins)
{
    json_t *row;

    if (begins == page->begins)
        return json_array_get(page->verdicts, json_array_size(page->verdicts) - 1);
    row = json_pack("{s:o, s:i, s:i, s:i}", "time", weir_view_time(begins), "ham", 0, "unsure", 0,
                    "spam", 0);
    json_array_append_new(page->verdicts, row);
    page->begins = begins;
    return row;
}

static int add_sum(void *context, weir_time begins, int what, uint64_t count)
{
    static const char *const names[] = {"ham", "unsure", "spam", "spam"};
    struct page *page = context;
    json_t *sum;

    if (what > WEIR_SUMS_BLOCKED) {
        page->score[what - WEIR_SUMS_SCORE + SCORES] += (json_int_t)count;
        return 0;
    }
    sum = json_object_get(row_at(page, begins), names[what]);
    json_integer_set(sum, json_integer_value(sum) + (json_int_t)count);
    if (begins >= page->today)
        page->of_today[what] += (json_int_t)count;
    return 0;
}

static void add_scores(struct page *page)
{
    for (int i = 0; i < 2 * SCORES; i++)
        if (page->score[i] > 0)
            json_array_append_new(page->scores, json_pack("{s:i, s:i, s:I}", "from", i - SCORES,
                                                          "to", i - SCORES + 1, "count",
                                                          page->score[i]));
}

/* What needs attention, and the page that tells of it. */
static void attend(struct page *page, const char *level, json_t *text, const char *where)
{
    json_array_append_new(page->attention, json_pack("{s:s, s:o, s:s}", "level", level, "text",
                                                     text, "page", where));
}

/* servers ------------------------------------------------------------------------------------- */

/* Whole names, as many as there is room for; the others are counted. */
static void note_blind(struct page *page, const char *name)
{
    size_t len = strlen(page->names);

    page->blind++;
    if (page->unnamed > 0 || len + strlen(name) + sizeof ", " > sizeof page->names) {
        page->unnamed++;
        return;
    }
    snprintf(page->names + len, sizeof page->names - len, "%s%s", len > 0 ? ", " : "", name);
}

static int add_server(void *context, const struct weir_server *server)
{
    struct page *page = context;
    enum weir_view_server_state state =
        weir_view_server_state(server, page->question->now, page->look.silence);
    json_t *health = weir_view_server_health(server), *row;
    json_t *whole = weir_view_server(server, state, health, server->generation);
    const json_t *first = json_array_get(json_object_get(whole, "troubles"), 0);
    char text[WEIR_VIEW_SERVER_TEXT];

    row = json_pack("{s:O, s:O, s:O, s:I, s:O, s:o}", "name", json_object_get(whole, "name"),
                    "state", json_object_get(whole, "state"), "last_seen",
                    json_object_get(whole, "last_seen"), "serial",
                    json_integer_value(json_object_get(json_object_get(health, "rules"), "serial")),
                    "generation", json_object_get(whole, "generation"), "why",
                    first ? json_incref(json_object_get(first, "text")) : json_string(""));
    if (weir_view_server_refuses(state, health, text))
        attend(page, "problem", json_sprintf("%s %s", server->name, text), "servers");
    if (state == WEIR_VIEW_SERVER_BLIND)
        note_blind(page, server->name);
    json_decref(whole);
    json_decref(health);
    return json_array_append_new(page->servers, row) < 0 ? WEIR_ENOMEM : 0;
}

/* attention ----------------------------------------------------------------------------------- */

/* What the monitor itself cannot do now, and of what nobody is told. */
static void add_status(struct page *page)
{
    json_t *status = weir_api_do(page->question, json_pack("{s:s}", "do", "status")), *one;
    const json_t *silences = json_object_get(status, "silences");
    size_t i;

    json_array_foreach(json_object_get(status, "troubles"), i, one)
        attend(page, "problem", json_incref(json_object_get(one, "why")), "servers");
    if (json_integer_value(json_object_get(silences, "standing")) > 0)
        attend(page, json_integer_value(json_object_get(silences, "wide")) > 0 ? "notice" : "note",
               json_incref(json_object_get(silences, "text")), "alerts");
    json_decref(status);
}

/* "1 event stands", "2 events stand"; nothing for none. */
static void count(struct page *page, const char *level, uint64_t number, const char *one,
                  const char *many, const char *where)
{
    if (number > 0)
        attend(page, level, json_sprintf("%llu %s", (unsigned long long)number,
                                         number == 1 ? one : many), where);
}

static void add_counts(struct page *page, const struct weir_desk_counts *counts)
{
    if (page->unnamed > 0)
        attend(page, "problem", json_sprintf("nothing is heard of %s and %u more", page->names,
                                             page->unnamed), "servers");
    else if (page->blind > 0)
        attend(page, "problem", json_sprintf("nothing is heard of %s", page->names), "servers");
    add_status(page);
    count(page, "notice", counts->events, "event stands", "events stand", "alerts");
    count(page, "problem", counts->blamed,
          "good message was taken for spam, as people reported since yesterday",
          "good messages were taken for spam, as people reported since yesterday", "submitted");
    count(page, "notice", counts->drafts, "draft of a rule waits for approval",
          "drafts of rules wait for approval", "rules");
}

static int read_all(struct page *page, int64_t hours, struct weir_desk_counts *counts_r)
{
    struct weir_database *database = page->question->database;
    weir_time now = page->question->now, since = now - hours * WEIR_HOUR;
    int done;

    page->today = now / WEIR_DAY * WEIR_DAY;
    page->span = hours <= 24 ? WEIR_SUMS_FINE : WEIR_SUMS_COARSE;
    weir_monitor_look(page->question->monitor, &page->look);
    done = weir_database_sums(database, page->span, since, add_sum, page);
    add_scores(page);
    done = done < 0 ? done : weir_database_servers(database, add_server, page);
    return done < 0 ? done : weir_database_desk_counts(database, now - WEIR_DAY, counts_r);
}

static json_t *finish(struct page *page, const struct weir_desk_counts *counts)
{
    const json_int_t *of = page->of_today;
    struct weir_console *console = page->question->console;

    add_counts(page, counts);
    return json_pack(
        "{s:o, s:O, s:{s:I, s:I, s:I, s:I, s:I}, s:O, s:[f, f], s:O, s:O, s:I, s:I, s:I, s:I, s:I, "
        "s:I}",
        "now", weir_view_time(page->question->now), "verdicts", page->verdicts, "today",
        "messages", of[0] + of[1] + of[2] + of[3], "ham", of[0], "unsure", of[1], "spam",
        of[2] + of[3], "refused", of[3], "scores", page->scores, "limits",
        page->look.unsure_score, page->look.spam_score, "servers", page->servers, "attention",
        page->attention, "open_events", (json_int_t)counts->events, "drafts",
        (json_int_t)counts->drafts, "reports", (json_int_t)counts->reports, "blamed",
        (json_int_t)counts->blamed, "addresses_seen", (json_int_t)counts->addresses, "live",
        (json_int_t)weir_feed_listeners(console->live));
}

json_t *weir_api_overview(struct weir_api_question *question)
{
    struct page page = {.question = question};
    struct weir_desk_counts counts;
    json_t *json = NULL;
    int64_t hours;
    int done;

    if (!weir_api_number(question->request, "hours", 1, 720, 24, &hours))
        return weir_api_refuse(question, 400, "hours is no number from 1 to 720");
    page.verdicts = json_array();
    page.scores = json_array();
    page.servers = json_array();
    page.attention = json_array();
    done = read_all(&page, hours, &counts);
    if (done >= 0)
        json = finish(&page, &counts);
    json_decref(page.verdicts);
    json_decref(page.scores);
    json_decref(page.servers);
    json_decref(page.attention);
    return done < 0 ? weir_api_trouble(question, done) : json;
}
