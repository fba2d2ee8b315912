/*
 * reports - people's votes as they come in a server's log (reports_io.c), are entered with the hits
 * (counting_io.c) and kept (database_reports_io.c): each once, and none beyond its share.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/slice.h"
#include "core/store/report_line.h"
#include "monitor/analyzer/counting_io.h"
#include "monitor/database/database_reports_io.h"
#include "monitor/database/database_retention_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define USER_DAY 500
#define SERVER_DAY 1000
#define FRONT "at=2026-11-20T10:00:00Z program=weir-milter queue_id=4X listener=25 " \
    "hops=203.0.113.9 name=- dkim=- recipients=1 verdict=spam score=9 action=pass " \
    "boundary=203.0.113.9 hop=0:connect domain=d.example rules=A id=1 sender=<a@d.example> " \
    "recipient=<u@test.example>"

static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};
static const struct weir_info_keys others = {.key = {{.id = 8, .octet = {4}}}, .keys = 1};

struct world {
    struct database_rig *rig;
    struct weir_counting *counting;
    uint64_t position;
    weir_time now;
};

/* What is said, and by whom. */
struct said {
    uint64_t uid, user;
    bool spam, back;
    uint32_t server;          /* 0: 1 */
    bool other_message;       /* the string was put on another message */
    const struct weir_info_keys *keys; /* NULL: ours */
    weir_time age;            /* of the decision */
    const char *info;         /* instead of a string; "": none */
};

static void open_counting(struct world *world)
{
    struct weir_counting_options options = {
        .database = world->rig->database, .keys = keys, .hits = weir_hits_defaults(5, 3),
        .reports = {.user_day = USER_DAY, .server_day = SERVER_DAY}};

    assert_int_equal(weir_counting_open(&options, &world->counting), 0);
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    world->now = NOW;
    open_counting(world);
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_counting_free(&world->counting);
    free(world);
    return database_teardown(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

/* Lines. --------------------------------------------------------------------- */

/* Spam by 9 points, 1 of rule 7 and 8 of rule 8. */
static const char *string_of(uint64_t uid, weir_time age, const struct weir_info_keys *signing)
{
    static char text[WEIR_INFO_TEXT_MAX + 1];
    const struct weir_info_rule rule[] = {{7, 1}, {8, 8}};
    const struct weir_info info = {.server = 1, .at = NOW - age, .uid = uid, .binding = ~uid,
                                   .verdict = 2, .score = 9, .serial = 5,
                                   .has_boundary = true, .domain = "d.example"};

    assert_int_equal(weir_info_make(&info, rule, 2, signing, uid % 2, text), 0);
    memmove(text + 3, text + 4, strlen(text + 4) + 1); /* "v1;..." */
    return text;
}

static void feed(struct world *world, uint32_t server, const char *line)
{
    const struct weir_slice slice = weir_slice_of(line);
    struct weir_counting_batch *batch = NULL;

    assert_int_equal(weir_counting_read(world->counting, server, &slice, 1, &batch), 0);
    weir_counting_take(world->counting, batch, ++world->position, world->now);
    weir_counting_batch_free(&batch);
}

static void decide(struct world *world, uint64_t uid)
{
    char line[sizeof FRONT + WEIR_INFO_TEXT_MAX + 20];

    snprintf(line, sizeof line, FRONT " info=%s", string_of(uid, 0, &keys));
    feed(world, 1, line);
}

static void say(struct world *world, struct said said)
{
    char text[WEIR_SPOOL_LINE_MAX], name[32];
    struct weir_line line = weir_line(text, sizeof text);
    struct weir_report_line report = {
        .at = world->now, .spam = said.spam, .back = said.back, .reporter = said.user,
        .binding = said.other_message ? 5 : ~said.uid, .way = weir_slice_of("attached"),
        .state = weir_slice_of("valid")};

    snprintf(name, sizeof name, "user%u", (unsigned)said.user);
    report.user = weir_slice_of(name);
    report.info = weir_slice_of(said.info ? said.info
                                          : string_of(said.uid, said.age,
                                                      said.keys ? said.keys : &keys));
    weir_report_line_write(&report, &line);
    feed(world, said.server ? said.server : 1, weir_line_end(&line));
}

static void store(struct world *world)
{
    assert_int_equal(weir_counting_store(world->counting, world->now), 0);
}

/* What was stored. ------------------------------------------------------------ */

static int64_t number(struct world *world, const char *sql)
{
    return database_number(world->rig, sql);
}

/* Of rule 7: messages that are spam, ham, and wrongly called spam. */
static void assert_hits(struct world *world, int spam, int ham, int blamed)
{
    store(world);
    assert_int_equal(number(world, "SELECT spam FROM hits WHERE rule = 7"), spam);
    assert_int_equal(number(world, "SELECT ham FROM hits WHERE rule = 7"), ham);
    assert_int_equal(number(world, "SELECT false_positives FROM hits WHERE rule = 7"), blamed);
    assert_int_equal(number(world, "SELECT hits FROM hits WHERE rule = 7"), spam + ham);
    assert_int_equal(number(world, "SELECT round(spam_decayed * 1000) FROM hits WHERE rule = 7"),
                     1000 * spam);
    assert_int_equal(number(world, "SELECT round(ham_decayed * 1000) FROM hits_all"), 1000 * ham);
}

static uint64_t came(struct world *world, enum weir_report_came what)
{
    char sql[128];

    store(world);
    snprintf(sql, sizeof sql, "SELECT coalesce(sum(count), 0) FROM report_counts "
             "WHERE what = 'came:%s'", weir_report_came_name(what));
    assert_int_equal(number(world, sql), weir_counting_counts(world->counting).reports.came[what]);
    return (uint64_t)number(world, sql);
}

/* One person. ------------------------------------------------------------------ */

static void B33_a_report_of_good_mail_counts_once_against_its_rules(void **state)
{
    struct world *world = *state;

    for (uint64_t uid = 1; uid <= 3; uid++)
        decide(world, uid);
    assert_hits(world, 3, 0, 0);
    say(world, (struct said){.uid = 2, .user = 1});
    assert_hits(world, 2, 1, 1);
    assert_int_equal(number(world, "SELECT sum(uid) FROM messages WHERE reported = 'ham'"), 2);
    for (int i = 0; i < 20; i++)
        say(world, (struct said){.uid = 2, .user = 1});
    assert_hits(world, 2, 1, 1);
    assert_int_equal(came(world, WEIR_REPORT_REPEATED), 20);
    assert_int_equal(number(world, "SELECT count(*) FROM reports"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM reports WHERE name = 'user1' AND "
                            "kind = 'ham' AND state = 'valid' AND came = 'counted' AND "
                            "verdict = 'spam' AND way = 'attached' AND vote = 1"), 1);
}

static void B33_three_votes_of_one_person_about_a_sender_are_one_voice(void **state)
{
    struct world *world = *state;
    for (uint64_t uid = 1; uid <= 4; uid++) {
        say(world, (struct said){.uid = uid, .user = 1, .spam = true});
        store(world);
        assert_int_equal(number(world, "SELECT sum(now = 'spam') FROM votes"), uid < 4 ? 1 : 2);
    }
    say(world, (struct said){.uid = 2, .user = 2, .spam = true});
    store(world);
    assert_int_equal(number(world, "SELECT uid FROM votes WHERE was = 'unsure'"), 2);
}

static void B33_what_is_taken_back_is_as_if_it_was_never_said(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    say(world, (struct said){.uid = 1, .user = 1});
    assert_hits(world, 0, 1, 1);
    say(world, (struct said){.uid = 1, .user = 1, .back = true, .spam = true}); /* he did not */
    assert_hits(world, 0, 1, 1);
    world->now += 40 * WEIR_DAY;
    say(world, (struct said){.uid = 1, .user = 1, .back = true});
    store(world);
    world->now = NOW; /* decayed counts as of the beginning */
    decide(world, 2);
    assert_hits(world, 2, 0, 0);
    say(world, (struct said){.uid = 1, .user = 1, .back = true});
    say(world, (struct said){.uid = 1, .user = 9, .back = true});
    assert_hits(world, 2, 0, 0);
    assert_int_equal(came(world, WEIR_REPORT_NOT_THERE), 3);
    assert_int_equal(number(world, "SELECT count(*) FROM messages WHERE reported <> ''"), 0);
    assert_int_equal(number(world, "SELECT taken_back > 0 FROM reports"), 1);
    say(world, (struct said){.uid = 1, .user = 1});
    assert_hits(world, 1, 1, 1);
}

static void B33_a_report_before_its_decision_is_as_one_behind_it(void **state)
{
    struct world *world = *state;

    say(world, (struct said){.uid = 1, .user = 1, .server = 2});
    store(world);
    decide(world, 1);
    assert_hits(world, 0, 1, 1);
    assert_int_equal(weir_counting_counts(world->counting).repeated, 1);
}

static void the_opposite_vote_replaces_the_first(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    say(world, (struct said){.uid = 1, .user = 1});
    say(world, (struct said){.uid = 1, .user = 1, .spam = true});
    assert_hits(world, 1, 0, 0);
    assert_int_equal(came(world, WEIR_REPORT_REPLACED), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM reports WHERE kind = 'spam'"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM reports"), 1);
}

/* Many people. ------------------------------------------------------------------ */

static void a_message_is_moved_once_by_the_majority(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    for (uint64_t user = 1; user <= 5; user++)
        say(world, (struct said){.uid = 1, .user = user});
    assert_hits(world, 0, 1, 1);
    for (uint64_t user = 11; user <= 15; user++)
        say(world, (struct said){.uid = 1, .user = user, .spam = true, .server = 2});
    assert_hits(world, 1, 0, 0); /* five against five: as it was judged */
    say(world, (struct said){.uid = 1, .user = 15, .spam = true, .back = true});
    assert_hits(world, 0, 1, 1);
}

/* User 1 against the others about some messages, then about one more, which counts or not. */
static uint64_t after(struct world *world, unsigned decided, unsigned opposed)
{
    for (unsigned uid = 1; uid <= decided; uid++) {
        decide(world, uid);
        say(world, (struct said){.uid = uid, .user = 2, .spam = true});
        say(world, (struct said){.uid = uid, .user = 3, .spam = true});
        say(world, (struct said){.uid = uid, .user = 1, .spam = uid > opposed});
    }
    for (unsigned uid = 50; uid < 55; uid++) { /* nobody else says anything: not decided */
        decide(world, uid);
        say(world, (struct said){.uid = uid, .user = 1, .spam = true});
    }
    decide(world, 100);
    say(world, (struct said){.uid = 100, .user = 1});
    return came(world, WEIR_REPORT_NO_WEIGHT);
}

static void who_opposes_the_majority_in_8_of_10_weighs_nothing(void **state)
{
    struct world *world = *state;

    assert_int_equal(after(world, WEIR_REPORTS_DECIDED, 8), 6);
    assert_hits(world, 16, 0, 0);
    assert_int_equal(number(world, "SELECT count(*) FROM reports WHERE user = 1 AND weight = 0"),
                     6);
}

static void who_opposes_it_in_7_of_10_still_weighs(void **state)
{
    struct world *world = *state;

    assert_int_equal(after(world, WEIR_REPORTS_DECIDED, 7), 0);
    assert_hits(world, 15, 1, 1);
}

static void who_has_fewer_than_10_decided_messages_weighs(void **state)
{
    struct world *world = *state;

    assert_int_equal(after(world, WEIR_REPORTS_DECIDED - 1, WEIR_REPORTS_DECIDED - 1), 0);
    assert_hits(world, 14, 1, 1);
}

static void WEIR_REPORT_VOTERS_MAX_votes_of_a_message_are_kept(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    for (uint64_t user = 1; user <= WEIR_REPORT_VOTERS_MAX; user++)
        say(world, (struct said){.uid = 1, .user = user});
    assert_int_equal(came(world, WEIR_REPORT_CROWDED), 0);
    say(world, (struct said){.uid = 1, .user = WEIR_REPORT_VOTERS_MAX + 1});
    assert_int_equal(came(world, WEIR_REPORT_CROWDED), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM reports"), WEIR_REPORT_VOTERS_MAX);
}

static void only_the_last_votes_of_a_person_are_looked_at(void **state)
{
    struct world *world = *state;
    struct weir_report_record record;

    for (unsigned uid = 1; uid <= 12; uid++) {
        say(world, (struct said){.uid = uid, .user = 2, .spam = true});
        say(world, (struct said){.uid = uid, .user = 3, .spam = true});
        say(world, (struct said){.uid = uid, .user = 1, .spam = uid > 9});
    }
    store(world);
    database_must(world->rig, weir_database_report_record(world->rig->database, 1, 12, &record), 0);
    assert_true(record.decided == 12 && record.opposed == 9);
    database_must(world->rig, weir_database_report_record(world->rig->database, 1, 11, &record), 0);
    assert_true(record.decided == 11 && record.opposed == 8);
}

/* One against one is no majority: two who never agree do not silence each other. */
static void two_who_never_agree_both_weigh(void **state)
{
    struct world *world = *state;
    struct weir_report_record record;

    for (unsigned uid = 1; uid <= 12; uid++) {
        say(world, (struct said){.uid = uid, .user = 2, .spam = true});
        say(world, (struct said){.uid = uid, .user = 1});
    }
    store(world);
    database_must(world->rig, weir_database_report_record(world->rig->database, 1, 99, &record), 0);
    assert_int_equal(record.decided, 0);
    assert_int_equal(came(world, WEIR_REPORT_NO_WEIGHT), 0);
}

/* Poison. ------------------------------------------------------------------------ */

static void one_persons_many_votes_are_capped_a_day(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < USER_DAY; i++) /* what proves nothing uses up nobody's votes */
        say(world, (struct said){.user = 1, .info = ""});
    for (uint64_t uid = 1; uid <= USER_DAY + 50; uid++) {
        decide(world, uid);
        say(world, (struct said){.uid = uid, .user = 1});
    }
    assert_hits(world, 50, USER_DAY, USER_DAY);
    assert_int_equal(came(world, WEIR_REPORT_USER_CAP), 50);
    say(world, (struct said){.uid = 1, .user = 1, .back = true}); /* that may be done */
    assert_hits(world, 51, USER_DAY - 1, USER_DAY - 1);
    world->now += WEIR_DAY;
    say(world, (struct said){.uid = USER_DAY + 1, .user = 1});
    assert_int_equal(came(world, WEIR_REPORT_USER_CAP), 50);
}

static void many_persons_votes_by_one_server_are_capped_a_day(void **state)
{
    struct world *world = *state;

    for (uint64_t i = 0; i < SERVER_DAY; i++)
        say(world, (struct said){.user = i, .info = ""});
    for (uint64_t uid = 1; uid <= SERVER_DAY + 50; uid++) {
        decide(world, uid);
        say(world, (struct said){.uid = uid, .user = uid});
    }
    assert_hits(world, 50, SERVER_DAY, SERVER_DAY);
    assert_int_equal(came(world, WEIR_REPORT_SERVER_CAP), 50);
    say(world, (struct said){.uid = SERVER_DAY + 1, .user = 1, .server = 2});
    assert_hits(world, 49, SERVER_DAY + 1, SERVER_DAY + 1);
    say(world, (struct said){.uid = 1, .user = USER_DAY}); /* as many as he likes of no message */
    assert_int_equal(came(world, WEIR_REPORT_SERVER_CAP), 51);
}

/* What is too much between two writes is lost, of that server alone. */
static void WEIR_REPORTS_WAITING_SERVER_reports_of_a_server_wait(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    for (unsigned i = 0; i < WEIR_REPORTS_WAITING_SERVER; i++)
        say(world, (struct said){.user = 5, .info = ""});
    assert_int_equal(weir_counting_counts(world->counting).reports.lost, 0);
    say(world, (struct said){.user = 5, .info = ""});
    assert_int_equal(weir_counting_counts(world->counting).reports.lost, 1);
    say(world, (struct said){.uid = 1, .user = 6, .server = 2});
    assert_hits(world, 0, 1, 1);
    assert_int_equal(came(world, WEIR_REPORT_USER_CAP), WEIR_REPORTS_WAITING_SERVER - USER_DAY);
    say(world, (struct said){.user = 7, .info = ""});
    assert_int_equal(weir_counting_counts(world->counting).reports.lost, 1);
}

static void B20_what_is_not_proven_is_shown_and_changes_nothing(void **state)
{
    struct world *world = *state;
    char damaged[WEIR_INFO_TEXT_MAX + 1], cut[WEIR_INFO_TEXT_MAX + 1];
    const struct {
        struct said said;
        enum weir_report_came came;
    } cases[] = {
        {{.info = "", .user = 1}, WEIR_REPORT_NONE},
        {{.info = "v1;AAAA", .user = 2}, WEIR_REPORT_MALFORMED},
        {{.info = "nonsense", .user = 3}, WEIR_REPORT_MALFORMED},
        {{.info = cut, .uid = 2, .user = 4}, WEIR_REPORT_MALFORMED},
        {{.info = damaged, .uid = 2, .user = 5}, WEIR_REPORT_BAD},
        {{.uid = 1, .user = 6, .keys = &others}, WEIR_REPORT_UNKNOWN_KEY},
        {{.uid = 1, .user = 7, .other_message = true}, WEIR_REPORT_UNBOUND},
        {{.uid = 1, .user = 8, .age = WEIR_REPORTS_OLDEST + WEIR_SECOND}, WEIR_REPORT_TOO_OLD},
    };

    decide(world, 1);
    snprintf(damaged, sizeof damaged, "%s", string_of(2, 0, &keys)); /* not sealed */
    snprintf(cut, sizeof cut, "%s", damaged);
    damaged[40] = damaged[40] == 'A' ? 'B' : 'A';
    cut[strlen(cut) - 4] = '\0';
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        uint64_t before = came(world, cases[i].came);
        for (int n = 0; n < 4; n++) {
            struct said said = cases[i].said;

            said.spam = n / 2;
            said.back = n % 2;
            say(world, said);
        }
        if (came(world, cases[i].came) != before + (cases[i].said.age > 0 ? 2 : 4))
            fail_msg("case %zu: %u", i, (unsigned)came(world, cases[i].came));
        assert_hits(world, 1, 0, 0);
    }
    assert_int_equal(number(world, "SELECT count(*) FROM reports"), 16);
    assert_int_equal(number(world, "SELECT sum(vote) FROM reports") +
                     number(world, "SELECT count(*) FROM reported"), 0);
    say(world, (struct said){.uid = 1, .user = 8, .age = WEIR_REPORTS_OLDEST});
    world->now += 99 * WEIR_DAY;
    say(world, (struct said){.uid = 1, .user = 8, .age = WEIR_REPORTS_OLDEST, .back = true});
    assert_int_equal(came(world, WEIR_REPORT_TAKEN_BACK), 1);
}

/* Faults. -------------------------------------------------------------------------- */

/* kill -9: what was not stored comes again from the journal, what was does not count again. */
static void a_monitor_that_is_killed_enters_each_once(void **state)
{
    struct world *world = *state;

    decide(world, 1);
    say(world, (struct said){.uid = 1, .user = 1});
    store(world);
    say(world, (struct said){.uid = 1, .user = 2});
    decide(world, 2);
    say(world, (struct said){.uid = 2, .user = 1});
    weir_counting_free(&world->counting);
    database_must(world->rig, database_open(world->rig), 0);
    open_counting(world);
    world->position = 0;
    decide(world, 1);
    say(world, (struct said){.uid = 1, .user = 1});
    say(world, (struct said){.uid = 1, .user = 2});
    decide(world, 2);
    say(world, (struct said){.uid = 2, .user = 1});
    assert_hits(world, 0, 2, 2);
    assert_int_equal(number(world, "SELECT count(*) FROM reports WHERE came = 'counted'"), 3);
    assert_int_equal(number(world, "SELECT sum(count) FROM report_counts WHERE what = 'user'"), 3);
}

/* Whatever cannot be written, hits in memory are as in the database, and it is tried again. */
static void what_cannot_be_stored_is_entered_later_and_once(void **state)
{
    static const char *const tables[] = {"reports", "reported", "report_counts", "hits", "state"};
    struct world *world = *state;

    decide(world, 1);
    assert_hits(world, 1, 0, 0);
    for (size_t i = 0; i < sizeof tables / sizeof tables[0]; i++) {
        uint64_t uid = 10 + i;
        char sql[256];

        decide(world, uid);
        say(world, (struct said){.uid = 1, .user = uid, .spam = i % 2});
        say(world, (struct said){.uid = uid, .user = 1});
        for (int when = 0; when < 2; when++) {
            snprintf(sql, sizeof sql, "CREATE TRIGGER trouble BEFORE %s ON %s BEGIN "
                     "SELECT RAISE(ABORT, 'no'); END", when ? "INSERT" : "UPDATE", tables[i]);
            database_must(world->rig, weir_database_run(world->rig->database, sql), 0);
            (void)weir_counting_store(world->counting, world->now);
            database_must(world->rig, weir_database_run(world->rig->database,
                                                        "DROP TRIGGER trouble"), 0);
        }
        assert_hits(world, i % 2 ? 1 : 0, i % 2 ? 1 + (int)i : 2 + (int)i,
                    i % 2 ? 1 + (int)i : 2 + (int)i);
    }
    assert_int_equal(came(world, WEIR_REPORT_COUNTED), 10);
}

static void old_reports_are_forgotten_and_cannot_be_made_again(void **state)
{
    struct world *world = *state;
    const struct weir_retention retention = {.reports = 366 * WEIR_DAY, .rows = 100};
    struct weir_forgotten forgotten;

    decide(world, 1);
    say(world, (struct said){.uid = 1, .user = 1});
    assert_hits(world, 0, 1, 1);
    for (int day = 366; day <= 368; day += 2) {
        world->now = NOW + day * WEIR_DAY;
        database_must(world->rig, weir_database_retain(world->rig->database, &retention,
                                                       world->now, &forgotten), 0);
        assert_int_equal(forgotten.reports, day > 367 ? 6 : 0);
    }
    say(world, (struct said){.uid = 1, .user = 1});
    assert_int_equal(came(world, WEIR_REPORT_TOO_OLD), 1);
}

static int count_row(void *context, const struct weir_database_report *report)
{
    int *rows = context;

    assert_string_equal(report->name, "user7");
    return ++*rows < 0;
}

static void reports_are_listed_by_person_and_state(void **state)
{
    struct world *world = *state;
    struct weir_report_choice choice = {.name = "USER7", .most = 10};
    int rows = 0;

    for (uint64_t uid = 1; uid <= 4; uid++) {
        say(world, (struct said){.uid = uid, .user = 7});
        say(world, (struct said){.uid = uid, .user = 8});
    }
    say(world, (struct said){.uid = 5, .user = 7, .keys = &others});
    store(world);
    database_must(world->rig, weir_database_reports(world->rig->database, &choice, count_row,
                                                    &rows), 5);
    choice.state = "unknown-key";
    database_must(world->rig, weir_database_reports(world->rig->database, &choice, count_row,
                                                    &rows), 1);
    choice = (struct weir_report_choice){.name = "user7", .state = "counted", .most = 3};
    database_must(world->rig, weir_database_reports(world->rig->database, &choice, count_row,
                                                    &rows), 3);
    choice.since = world->now + 1;
    database_must(world->rig, weir_database_reports(world->rig->database, &choice, count_row,
                                                    &rows), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B33_a_report_of_good_mail_counts_once_against_its_rules),
        TEST(B33_three_votes_of_one_person_about_a_sender_are_one_voice),
        TEST(B33_what_is_taken_back_is_as_if_it_was_never_said),
        TEST(B33_a_report_before_its_decision_is_as_one_behind_it),
        TEST(the_opposite_vote_replaces_the_first),
        TEST(a_message_is_moved_once_by_the_majority),
        TEST(who_opposes_the_majority_in_8_of_10_weighs_nothing),
        TEST(who_opposes_it_in_7_of_10_still_weighs),
        TEST(who_has_fewer_than_10_decided_messages_weighs),
        TEST(WEIR_REPORT_VOTERS_MAX_votes_of_a_message_are_kept),
        TEST(only_the_last_votes_of_a_person_are_looked_at),
        TEST(two_who_never_agree_both_weigh),
        TEST(one_persons_many_votes_are_capped_a_day),
        TEST(many_persons_votes_by_one_server_are_capped_a_day),
        TEST(WEIR_REPORTS_WAITING_SERVER_reports_of_a_server_wait),
        TEST(B20_what_is_not_proven_is_shown_and_changes_nothing),
        TEST(a_monitor_that_is_killed_enters_each_once),
        TEST(what_cannot_be_stored_is_entered_later_and_once),
        TEST(old_reports_are_forgotten_and_cannot_be_made_again),
        TEST(reports_are_listed_by_person_and_state),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
