/*
 * From an event of the watch to what the database has, and from there to the servers' orders
 * (responder_io.c, orders_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <sys/eventfd.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/agent/command.h"
#include "monitor/intake/orders_io.h"
#include "monitor/threshold/responder_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/watched.h"

#define NOW DATABASE_NOW

struct rig {
    struct database_rig *database;
    struct weir_responder *responder;
    struct weir_orders *orders;
    struct weir_log log;
    struct weir_alert alert;     /* the last one */
    unsigned alerts;
    int owing;                   /* what owing it comes to */
    int64_t silence;             /* under which it is owed to nobody, or 0 */
    unsigned capped;             /* lines of the log about what is withheld or left out */
    unsigned lines;              /* of the log, of other kinds */
    char line[512];              /* the last one of those about what is withheld */
    char event[512];             /* the same about events */
    int wake;
};

static void note_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)level;
    if (strncmp(line, "over its limit: ", 16) == 0)
        snprintf(rig->event, sizeof rig->event, "%s", line);
    if (strstr(line, "s withheld: ") || strstr(line, "s left out: ")) {
        rig->capped++;
        snprintf(rig->line, sizeof rig->line, "%s", line);
    } else {
        rig->lines++;
    }
}

static void changed(void *context, uint64_t generation)
{
    struct rig *rig = context;

    weir_orders_changed(rig->orders, (int64_t)generation);
}

static void alert(void *context, const struct weir_alert *told)
{
    struct rig *rig = context;

    rig->alert = *told;
    rig->alerts++;
}

static int owe(void *context, struct weir_alert *owed)
{
    struct rig *rig = context;

    owed->silence = rig->silence;
    return rig->owing;
}

static int setup(void **state)
{
    static const struct weir_ladder_class steps = {
        .name = "", .step = {{WEIR_RESPONSE_SCORE, 2.5, 10 * WEIR_MINUTE},
                             {WEIR_RESPONSE_DEFER, 0, 10 * WEIR_MINUTE},
                             {WEIR_RESPONSE_REJECT, 0, WEIR_HOUR}}, .steps = 3};
    static const struct weir_ladder_options ladder = {
        .classes = &steps, .class_count = 1, .memory = WEIR_DAY, .longest = 30 * WEIR_DAY,
        .quorum = 2, .blocks_hour = 200, .blocks_server_hour = 50, .scores_hour = 2000,
        .scores_server_hour = 20};
    struct rig *rig = calloc(1, sizeof *rig);
    struct weir_responder_options options = {.ladder = &ladder, .changed = changed,
                                             .owe = owe, .alert = alert, .context = rig};

    rig->log = (struct weir_log){note_line, rig, WEIR_LOG_WARNING};
    assert_int_equal(database_setup((void **)&rig->database), 0);
    options.database = rig->database->database;
    options.wake = rig->wake = eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC);
    assert_int_equal(weir_orders_open(rig->database->path, &rig->log, &rig->orders), 0);
    assert_int_equal(weir_responder_new(&options, &rig->log, &rig->responder), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_responder_free(&rig->responder);
    weir_responder_free(&rig->responder);
    weir_orders_free(&rig->orders);
    weir_orders_free(&rig->orders);
    database_teardown((void **)&rig->database);
    close(rig->wake);
    free(rig);
    return 0;
}

static void tell(struct rig *rig, const char *prefix, bool raised, weir_time time)
{
    const struct weir_watch_event event = {
        .raised = raised, .time = time, .prefix = watched_prefix(prefix),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .tokens = -1, .rate = 5,
        .class_name = "default", .servers = 6};

    weir_responder_event(rig->responder, &event);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, time), 0);
}

/* What the servers are told: "full set/removed", and the prefixes; "-" for nothing. */
static const char *told(struct rig *rig, int64_t generation, bool all, weir_time now)
{
    static char text[1024];
    struct weir_shared_text *json;
    char prefix[WEIR_PREFIX_TEXT];
    struct weir_command command;
    const char *why;
    size_t len;

    assert_int_equal(weir_orders_since(rig->orders, generation, all, now, &json), 0);
    if (!json)
        return "-";
    assert_int_equal(weir_command_read(weir_slice_of(json->text), &command, &why), 0);
    assert_int_equal(command.full, all);
    len = (size_t)sprintf(text, "%d:", (int)command.generation);
    for (size_t i = 0; i < command.sets; i++)
        len += (size_t)sprintf(text + len, " %s %s", weir_list_name(command.set[i].list),
                               weir_prefix_format(&command.set[i].entry.prefix, prefix));
    for (size_t i = 0; i < command.removes; i++)
        len += (size_t)sprintf(text + len, " -%s %s", weir_list_name(command.removed[i].list),
                               weir_prefix_format(&command.removed[i].entry.prefix, prefix));
    weir_command_free(&command);
    weir_shared_text_free(&json);
    return text;
}

static void A9_an_event_is_stored_and_its_decision_goes_to_every_server(void **state)
{
    struct rig *rig = *state;
    char prefix[WEIR_PREFIX_TEXT];
    uint64_t woken;

    assert_string_equal(told(rig, 0, false, NOW), "-");
    tell(rig, "192.0.2.7", true, NOW);
    assert_int_equal(read(rig->wake, &woken, sizeof woken), sizeof woken);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events WHERE cleared = 0 "
                                     "AND kind = 'threshold' AND quantity = 'messages'"), 1);
    assert_int_equal(database_number(rig->database, "SELECT event FROM decisions"),
                     database_number(rig->database, "SELECT number FROM events"));
    assert_int_equal(database_number(rig->database, "SELECT generation FROM decisions"), 1);
    assert_string_equal(told(rig, 0, false, NOW), "1: score 192.0.2.7");
    assert_string_equal(told(rig, 1, false, NOW), "-");
    assert_int_equal(rig->alerts, 1);
    assert_string_equal(weir_prefix_format(&rig->alert.prefix, prefix), "192.0.2.7");
    assert_int_equal(rig->alert.response, WEIR_RESPONSE_SCORE);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + 11 * WEIR_MINUTE), 0);
    assert_string_equal(told(rig, 1, false, NOW + 11 * WEIR_MINUTE), "2: blacklist 192.0.2.7");
    assert_int_equal(database_number(rig->database, "SELECT max(defer) FROM decisions"), 1);
    assert_true(database_number(rig->database, "SELECT count(*) FROM audit") >= 2);
}

static void what_cannot_be_owed_is_neither_written_nor_told(void **state)
{
    struct rig *rig = *state;
    const struct weir_watch_event event = {
        .raised = true, .time = NOW, .prefix = watched_prefix("192.0.2.7"),
        .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10}, .class_name = "default",
        .servers = 6};

    rig->owing = WEIR_EFULL;
    rig->silence = 7;
    weir_responder_event(rig->responder, &event);
    assert_int_equal(weir_responder_turn(rig->responder, 0, NOW), WEIR_EFULL);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events"), 0);
    assert_int_equal(rig->alerts, 0);
    rig->owing = 0;
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events"), 1);
    assert_int_equal(rig->alerts, 1);
    assert_int_equal(rig->alert.silence, 7);
    assert_int_equal(rig->alert.event, database_number(rig->database, "SELECT number FROM events"));
}

static void what_is_cleared_is_noted_at_the_event_it_belongs_to(void **state)
{
    struct rig *rig = *state;

    tell(rig, "192.0.2.7", true, NOW);
    tell(rig, "192.0.2.8", true, NOW + 1);
    tell(rig, "192.0.2.7", false, NOW + WEIR_MINUTE);
    tell(rig, "192.0.2.9", false, NOW + WEIR_MINUTE); /* nothing was raised */
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events"), 2);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events WHERE "
                                     "cleared = 0"), 1);
    assert_true(database_number(rig->database, "SELECT cleared FROM events ORDER BY number") ==
                NOW + WEIR_MINUTE);
    /* It ends nothing. */
    assert_string_equal(told(rig, 0, true, NOW + WEIR_MINUTE),
                        "2: score 192.0.2.7 score 192.0.2.8");
}

/* So many different addresses have an event for a moment. */
static void pass(struct rig *rig, unsigned net, unsigned count, weir_time time)
{
    char text[32];

    for (unsigned i = 0; i < count; i++) {
        sprintf(text, "192.0.%u.%u", net, i);
        tell(rig, text, true, time);
        tell(rig, text, false, time);
    }
}

static void what_caps_withhold_is_counted_and_told_once_an_hour(void **state)
{
    struct rig *rig = *state;
    struct weir_responder_counts counts;

    pass(rig, 1, 20, NOW);
    assert_int_equal(rig->capped, 0);
    pass(rig, 2, 5, NOW);
    pass(rig, 3, 5, NOW + WEIR_MINUTE);
    weir_responder_count(rig->responder, &counts);
    assert_int_equal(counts.scores_capped, 10);
    assert_int_equal(counts.blocks_capped, 0);
    assert_string_equal(rig->alert.withheld,
                        "too many scores by the word of its servers within an hour");
    assert_int_equal(rig->capped, 1);
    assert_string_equal(rig->line, "scores withheld: 1; within an hour there were more than "
                        "[threshold] scores_hour, or scores_server_hour by the word of one server");
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_HOUR - 1), 0);
    assert_int_equal(rig->capped, 1);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_HOUR), 0);
    assert_int_equal(rig->capped, 2);
    assert_true(strncmp(rig->line, "scores withheld: 9;", 19) == 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_DAY), 0);
    assert_int_equal(rig->capped, 2);
}

static void a_flood_of_events_is_no_flood_of_lines(void **state)
{
    struct rig *rig = *state;

    pass(rig, 1, 200, NOW);
    assert_int_equal(rig->lines, 2 * WEIR_LOG_BURST); /* of events, and of decisions */
    assert_int_equal(rig->alerts, 200);
    pass(rig, 2, 1, NOW + WEIR_MINUTE);
    assert_int_equal(rig->lines, 2 * WEIR_LOG_BURST + 2);
    assert_non_null(strstr(rig->event, " (190 more before)"));
}

/* So many events of addresses of their own are raised, and seen by these servers; how many were
 * taken. */
static unsigned raise(struct rig *rig, unsigned count, uint32_t servers)
{
    struct weir_watch_event event = {
        .raised = true, .time = NOW, .quantity = WEIR_QUANTITY_MESSAGES, .limit = {1, 10},
        .class_name = "default", .servers = servers, .prefix = {.bits = 128}};
    static unsigned address;
    unsigned taken = 0;

    for (unsigned i = 0; i < count; i++) {
        event.prefix.address = watched_address("11.0.0.0");
        event.prefix.address.octet[14] = (uint8_t)(++address >> 8);
        event.prefix.address.octet[15] = (uint8_t)address;
        taken += weir_responder_event(rig->responder, &event);
    }
    return taken;
}

static void A13_what_one_server_alone_tells_of_has_a_limit_an_hour(void **state)
{
    const uint32_t thief = 1 << 3, other = 1 << 4;
    const unsigned most = WEIR_EVENTS_SERVER_HOUR;
    struct rig *rig = *state;
    struct weir_responder_counts counts;
    struct weir_prefix prefix = watched_prefix("11.0.0.0/8");

    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW), 0);
    assert_int_equal(raise(rig, most, thief), most);
    assert_int_equal(raise(rig, 1, thief), 0); /* one past the limit */
    weir_responder_count(rig->responder, &counts);
    assert_int_equal(counts.left_out, 1);
    assert_int_equal(counts.left_out_servers, thief);
    assert_int_equal(raise(rig, 1, other), 1);
    assert_int_equal(raise(rig, 1, thief | other), 1);
    database_must(rig->database, weir_responder_finish(rig->responder, 0, NOW), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events"), most + 2);
    assert_string_equal(rig->line, "events left out: 1; one server alone told of more than 5000 "
                        "within an hour: weirctl status names it");
    /* It comes back as the hour goes by, whatever times are claimed. */
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_HOUR / most + 1),
                  0);
    assert_int_equal(raise(rig, 2, thief), 1);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_DAY), 0);
    assert_int_equal(raise(rig, most + 1, thief), most);
    weir_responder_drop(rig->responder, &prefix);
}

static void what_is_queued_about_what_is_undone_is_dropped(void **state)
{
    const struct weir_prefix undone = watched_prefix("11.0.0.0/8");
    struct rig *rig = *state;

    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW), 0);
    assert_int_equal(raise(rig, 3, 6), 3);
    tell(rig, "192.0.2.7", true, NOW); /* writes all of them */
    assert_int_equal(raise(rig, 600, 6), 600);
    assert_true(weir_responder_undo(rig->responder, &undone, "ann", "", NOW) > 0);
    weir_responder_drop(rig->responder, &undone);
    database_must(rig->database, weir_responder_finish(rig->responder, 0, NOW), 0);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_DAY), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events WHERE "
                                     "cleared = 0"), 1);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM ladder"), 1);
    assert_int_equal(raise(rig, 1, 6), 1); /* what comes later is answered */
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_DAY), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM ladder"), 2);
}

static void decide(struct rig *rig, const char *list, const char *prefix, weir_time ends)
{
    struct weir_list_entry entry = {.prefix = watched_prefix(prefix), .ends = ends,
                                    .reason = "because"};

    database_must(rig->database, weir_responder_decide(rig->responder, list, &entry, "ann", NOW),
                  0);
}

static void a_step_does_not_take_the_place_of_what_does_more_and_lasts_longer(void **state)
{
    const weir_time second = NOW + 11 * WEIR_MINUTE;
    struct weir_list_entry much = {.prefix = watched_prefix("192.0.2.7"), .points = 9};
    struct rig *rig = *state;

    decide(rig, "blacklist", "192.0.2.7", NOW + 30 * WEIR_DAY);
    database_must(rig->database, weir_responder_decide(rig->responder, "score", &much, "ann", NOW),
                  0);
    decide(rig, "blacklist", "192.0.2.8", NOW + 12 * WEIR_MINUTE); /* is over before the step is */
    tell(rig, "192.0.2.7", true, NOW); /* a score of 2.5 */
    tell(rig, "192.0.2.8", true, NOW);
    assert_string_equal(told(rig, 3, false, NOW), "4: score 192.0.2.8");
    database_must(rig->database, weir_responder_turn(rig->responder, 0, second), 0);
    assert_string_equal(told(rig, 4, false, second), "5: blacklist 192.0.2.8");
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM audit WHERE "
                                     "detail LIKE 'alert 192.0.2.7: %'"), 2);
    assert_int_equal(rig->alerts, 4);
}

static void an_analysts_decision_takes_the_place_of_what_stood_there(void **state)
{
    struct rig *rig = *state;

    decide(rig, "blacklist", "192.0.2.7", NOW + 30 * WEIR_DAY);
    decide(rig, "blacklist", "192.0.2.0/24", NOW + WEIR_DAY);
    decide(rig, "score", "192.0.2.7", NOW + WEIR_DAY);
    decide(rig, "blacklist", "192.0.2.7", NOW + WEIR_HOUR);
    assert_string_equal(told(rig, 0, true, NOW),
                        "5: blacklist 192.0.2.0/24 score 192.0.2.7 blacklist 192.0.2.7");
    assert_string_equal(told(rig, 3, false, NOW), "5: blacklist 192.0.2.7");
    assert_string_equal(told(rig, 0, true, NOW + WEIR_HOUR),
                        "5: blacklist 192.0.2.0/24 score 192.0.2.7");
    decide(rig, "accept", "192.0.2.9", 0);
    decide(rig, "accept", "192.0.2.9", NOW + WEIR_HOUR);
    assert_string_equal(told(rig, 0, true, NOW + WEIR_HOUR),
                        "8: blacklist 192.0.2.0/24 score 192.0.2.7");
}

static void an_undo_takes_back_what_is_at_and_below_a_prefix(void **state)
{
    static const struct {
        const char *prefix, *then; /* of all */
        int undone;
    } cases[] = {
        {"203.0.113.0/24", "5: blacklist 192.0.2.7 score 192.0.2.7 blacklist 192.0.2.0/25 "
                           "accept 192.0.2.9 blacklist 192.0.0.0/16", 0},
        {"192.0.2.0/24", "6: accept 192.0.2.9 blacklist 192.0.0.0/16", 3},
        {"192.0.2.0/24", "6: accept 192.0.2.9 blacklist 192.0.0.0/16", 0},
        {"192.0.0.0/16", "7: accept 192.0.2.9", 1},
    };
    struct rig *rig = *state;

    decide(rig, "blacklist", "192.0.2.7", NOW + WEIR_HOUR);
    decide(rig, "score", "192.0.2.7", NOW + WEIR_HOUR);
    decide(rig, "blacklist", "192.0.2.0/25", NOW + WEIR_HOUR);
    decide(rig, "accept", "192.0.2.9", 0);
    decide(rig, "blacklist", "192.0.0.0/16", NOW + WEIR_HOUR);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_prefix prefix = watched_prefix(cases[i].prefix);

        assert_int_equal(weir_responder_undo(rig->responder, &prefix, "ann", "", NOW),
                         cases[i].undone);
        assert_string_equal(told(rig, 0, true, NOW), cases[i].then);
    }
    assert_string_equal(told(rig, 6, false, NOW), "7: -blacklist 192.0.0.0/16");
}

static void an_undo_of_an_IPv6_address_is_about_its_64(void **state)
{
    struct rig *rig = *state;
    struct weir_prefix address = watched_prefix("2001:db8:1:2::25");

    tell(rig, "2001:db8:1:2::/64", true, NOW);
    tell(rig, "2001:db8:1:3::/64", true, NOW);
    decide(rig, "blacklist", "2001:db8:1:2::25", NOW + WEIR_HOUR);
    decide(rig, "blacklist", "2001:db8:1:2::26", NOW + WEIR_HOUR); /* by hand, not about it */
    decide(rig, "accept", "2001:db8:1:2::/64", NOW + WEIR_HOUR);
    assert_int_equal(weir_responder_undo(rig->responder, &address, "ann", "", NOW), 2);
    assert_string_equal(told(rig, 0, true, NOW), "7: score 2001:db8:1:3::/64 blacklist "
                        "2001:db8:1:2::26 accept 2001:db8:1:2::/64");
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM events WHERE "
                                     "cleared = 0"), 1);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM ladder"), 1);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + WEIR_HOUR), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM decisions WHERE "
                                     "made > event AND origin = 'monitor'"), 3);
}

static void what_was_decided_while_the_clock_was_ahead_lasts_as_long_from_now_on(void **state)
{
    const weir_time ahead = NOW + WEIR_DAY;
    struct rig *rig = *state;

    decide(rig, "accept", "192.0.2.1", 0);
    decide(rig, "blacklist", "192.0.2.2", NOW + WEIR_HOUR);
    tell(rig, "192.0.2.7", true, ahead);
    assert_int_equal(weir_responder_rebase(rig->responder, NOW + 1, false), 0);
    assert_true(database_number(rig->database, "SELECT max(made) FROM decisions") == ahead);
    assert_int_equal(weir_responder_rebase(rig->responder, NOW + 1, true), 1);
    assert_true(database_number(rig->database, "SELECT max(made) FROM decisions") == NOW + 1);
    assert_true(database_number(rig->database, "SELECT ends FROM decisions WHERE number = 3") ==
                NOW + 1 + 10 * WEIR_MINUTE);
    assert_true(database_number(rig->database, "SELECT raised FROM events") == NOW + 1);
    assert_true(database_number(rig->database, "SELECT taken FROM ladder") == NOW + 1);
    assert_string_equal(told(rig, 3, false, NOW + 1), "4: score 192.0.2.7");
    assert_int_equal(weir_responder_rebase(rig->responder, NOW + 1, true), 0);
    /* The ladder goes on from there. */
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + 9 * WEIR_MINUTE), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM decisions"), 3);
    database_must(rig->database, weir_responder_turn(rig->responder, 0, NOW + 11 * WEIR_MINUTE), 0);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM decisions"), 4);
    assert_true(database_number(rig->database, "SELECT max(made) FROM decisions") ==
                NOW + 11 * WEIR_MINUTE);
}

static void an_undo_of_many_takes_back_all_of_them(void **state)
{
    struct rig *rig = *state;
    struct weir_prefix prefix = watched_prefix("192.0.2.0/24");
    char text[32];

    for (int i = 0; i < 65; i++) {
        sprintf(text, "192.0.2.%d", i);
        decide(rig, "blacklist", text, NOW + WEIR_HOUR);
    }
    assert_int_equal(weir_responder_undo(rig->responder, &prefix, "ann", "", NOW), 65);
    assert_string_equal(told(rig, 0, true, NOW), "66:");
}

static void an_order_tells_the_last_state_of_each_entry(void **state)
{
    struct rig *rig = *state;
    struct weir_prefix prefix = watched_prefix("192.0.2.7");

    decide(rig, "blacklist", "192.0.2.7", NOW + WEIR_HOUR);
    assert_int_equal(weir_responder_undo(rig->responder, &prefix, "ann", "", NOW), 1);
    assert_string_equal(told(rig, 0, false, NOW), "2: -blacklist 192.0.2.7");
    decide(rig, "blacklist", "192.0.2.7", NOW + WEIR_HOUR);
    assert_string_equal(told(rig, 0, false, NOW), "3: blacklist 192.0.2.7");
    assert_string_equal(told(rig, 2, false, NOW), "3: blacklist 192.0.2.7");
    assert_string_equal(told(rig, 2, false, NOW + WEIR_HOUR), "3:"); /* it ended by itself */
    assert_string_equal(told(rig, 3, false, NOW), "-");
    assert_string_equal(told(rig, 3, true, NOW), "3: blacklist 192.0.2.7");
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A9_an_event_is_stored_and_its_decision_goes_to_every_server),
        TEST(what_cannot_be_owed_is_neither_written_nor_told),
        TEST(what_is_cleared_is_noted_at_the_event_it_belongs_to),
        TEST(what_caps_withhold_is_counted_and_told_once_an_hour),
        TEST(a_flood_of_events_is_no_flood_of_lines),
        TEST(A13_what_one_server_alone_tells_of_has_a_limit_an_hour),
        TEST(what_is_queued_about_what_is_undone_is_dropped),
        TEST(a_step_does_not_take_the_place_of_what_does_more_and_lasts_longer),
        TEST(an_analysts_decision_takes_the_place_of_what_stood_there),
        TEST(an_undo_takes_back_what_is_at_and_below_a_prefix),
        TEST(an_undo_of_an_IPv6_address_is_about_its_64),
        TEST(what_was_decided_while_the_clock_was_ahead_lasts_as_long_from_now_on),
        TEST(an_undo_of_many_takes_back_all_of_them),
        TEST(an_order_tells_the_last_state_of_each_entry),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
