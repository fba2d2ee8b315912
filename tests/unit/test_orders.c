/*
 * orders - what changed comes in pages that together say what one answer would; many who ask the
 * same share one text (shared_text.c); what is beyond an agent's limits is left out.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/agent/command.h"
#include "monitor/database/database_decisions_io.h"
#include "monitor/intake/orders_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

#define NOW DATABASE_NOW

struct rig {
    struct database_rig *database;
    struct weir_orders *orders;
    struct weir_log log;
    char told[2000];             /* by the log */
    uint64_t generation;
};

static void note(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)level;
    snprintf(rig->told, sizeof rig->told, "%s", line);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->log = (struct weir_log){.write = note, .context = rig, .most = WEIR_LOG_DEBUG};
    assert_int_equal(weir_orders_open(rig->database->path, &rig->log, &rig->orders), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_orders_free(&rig->orders);
    database_teardown((void **)&rig->database);
    free(rig);
    return 0;
}

/* 10.<n / 65536>.<n / 256>.<n>. */
static struct weir_prefix numbered(unsigned n)
{
    struct weir_prefix prefix = {.address = database_address(n), .bits = 128};

    prefix.address.octet[12] = 10;
    prefix.address.octet[13] = (uint8_t)(n >> 16);
    prefix.address.octet[14] = (uint8_t)(n >> 8);
    return prefix;
}

static void decide(struct rig *rig, unsigned n, const char *reason)
{
    const struct weir_database_decision decision = {
        .made = NOW, .list = "blacklist", .prefix = numbered(n), .ends = NOW + WEIR_HOUR,
        .reason = reason, .origin = "monitor"};
    int64_t number;

    database_must(rig->database, weir_database_decision_add(rig->database->database, &decision,
                                                            &number, &rig->generation), 0);
}

static void decide_because(struct rig *rig, unsigned from, unsigned to, const char *reason)
{
    database_must(rig->database, weir_database_begin(rig->database->database), 0);
    for (unsigned n = from; n < to; n++)
        decide(rig, n, reason);
    database_must(rig->database, weir_database_commit(rig->database->database), 0);
    weir_orders_changed(rig->orders, (int64_t)rig->generation);
}

static void decide_many(struct rig *rig, unsigned from, unsigned to)
{
    decide_because(rig, from, to, "");
}

static void undo_below(struct rig *rig, unsigned n, unsigned bits)
{
    struct weir_prefix prefix = numbered(n);

    prefix = weir_address_mask(&prefix.address, bits);
    assert_true(weir_database_decisions_undo_below(rig->database->database, &prefix, "ann", NOW,
                                                   &rig->generation) > 0);
    weir_orders_changed(rig->orders, (int64_t)rig->generation);
}

/* An agent's list: one of these is set while it stands. */
struct agent {
    int64_t generation;
    unsigned answers;
    size_t most;                 /* entries of an answer */
    bool listed[1 << 18];
};

static size_t number_of(const struct weir_command_entry *entry)
{
    const uint8_t *octet = entry->entry.prefix.address.octet;

    return (size_t)octet[13] << 16 | (size_t)octet[14] << 8 | octet[15];
}

static struct weir_shared_text *since(struct rig *rig, int64_t generation, bool all, weir_time now)
{
    struct weir_shared_text *text;

    assert_int_equal(weir_orders_since(rig->orders, generation, all, now, &text), 0);
    return text;
}

/* Asks and applies once; false when there is nothing new. */
static bool ask(struct rig *rig, struct agent *agent, bool all)
{
    struct weir_shared_text *text = since(rig, agent->generation, all, NOW);
    struct weir_command command;
    const char *why;

    if (!text)
        return false;
    assert_int_equal(weir_command_read((struct weir_slice){text->text, text->len}, &command, &why),
                     0);
    weir_shared_text_free(&text);
    if (command.full)
        memset(agent->listed, 0, sizeof agent->listed);
    for (size_t i = 0; i < command.removes; i++)
        agent->listed[number_of(&command.removed[i])] = false;
    for (size_t i = 0; i < command.sets; i++)
        agent->listed[number_of(&command.set[i])] = true;
    assert_true(command.full || command.generation > agent->generation);
    agent->generation = command.generation;
    agent->answers++;
    if (command.sets + command.removes > agent->most)
        agent->most = command.sets + command.removes;
    weir_command_free(&command);
    return true;
}

static void pages_say_together_what_one_answer_would(void **state)
{
    struct agent *all = calloc(1, sizeof *all), *paged = calloc(1, sizeof *paged);
    struct rig *rig = *state;

    decide_many(rig, 0, WEIR_ORDERS_PAGE);
    decide_many(rig, 20000, 20000 + WEIR_ORDERS_PAGE - 500);
    undo_below(rig, 256, 96 + 16); /* one change is in the middle of a page, and many rows */
    decide_many(rig, 40000, 40001);
    decide_many(rig, 100, 300);
    while (ask(rig, paged, false))
        continue;
    assert_true(ask(rig, all, true));
    assert_int_equal(all->generation, rig->generation);
    assert_int_equal(paged->generation, rig->generation);
    assert_memory_equal(paged->listed, all->listed, sizeof all->listed);
    assert_int_equal(all->answers, 1);
    assert_true(paged->answers > 1);
    assert_true(paged->most <= WEIR_ORDERS_PAGE + WEIR_UNDONE_AT_ONCE);
    free(all);
    free(paged);
}

/* At the limit and one beyond. */
static void a_page_ends_where_it_is_full(void **state)
{
    struct agent *agent = calloc(1, sizeof *agent);
    struct rig *rig = *state;

    decide_many(rig, 0, WEIR_ORDERS_PAGE);
    assert_true(ask(rig, agent, false));
    assert_false(ask(rig, agent, false));
    assert_int_equal(agent->most, WEIR_ORDERS_PAGE);
    decide_many(rig, WEIR_ORDERS_PAGE, 2 * WEIR_ORDERS_PAGE + 1);
    assert_true(ask(rig, agent, false));
    assert_int_equal(agent->generation, rig->generation - 1);
    assert_int_equal(agent->most, WEIR_ORDERS_PAGE);
    assert_true(ask(rig, agent, false));
    assert_int_equal(agent->generation, rig->generation);
    assert_false(ask(rig, agent, false));
    free(agent);
}

static void who_asks_the_same_gets_the_same_text(void **state)
{
    struct rig *rig = *state;
    struct weir_shared_text *one, *other;

    decide_many(rig, 0, 10);
    for (int all = 0; all < 2; all++) {
        one = since(rig, 3, all, NOW);
        other = since(rig, 3, all, NOW + WEIR_SECOND);
        assert_ptr_equal(one, other);
        weir_shared_text_free(&other);
        decide_many(rig, 10, 11);
        other = since(rig, 3, all, NOW);
        assert_ptr_not_equal(one, other);
        assert_int_equal(one->len, strlen(one->text)); /* whoever holds it has it */
        weir_shared_text_free(&one);
        one = since(rig, 4, all, NOW);
        assert_int_equal(one == other, all);
        weir_shared_text_free(&one);
        one = since(rig, 4, all, NOW + WEIR_HOUR); /* all have ended */
        assert_ptr_not_equal(one, other);
        assert_true(one->len < other->len);
        weir_shared_text_free(&one);
        weir_shared_text_free(&other);
    }
    assert_null(since(rig, (int64_t)rig->generation, false, NOW));
}

static void more_than_an_agent_takes_is_left_out_and_told(void **state)
{
    struct agent *agent = calloc(1, sizeof *agent);
    struct rig *rig = *state;

    decide_many(rig, 0, WEIR_COMMAND_ENTRIES_MAX);
    decide_many(rig, 5, 6); /* once more the same, which needs no room */
    decide_many(rig, WEIR_COMMAND_ENTRIES_MAX, WEIR_COMMAND_ENTRIES_MAX + 1);
    assert_true(ask(rig, agent, true));
    assert_int_equal(agent->most, WEIR_COMMAND_ENTRIES_MAX);
    assert_non_null(strstr(rig->told, "1 entries are more than a server takes"));
    free(agent);
}

static void longer_reasons_need_the_room_they_need(void **state)
{
    const unsigned count = WEIR_COMMAND_MAX / 320; /* fit with short ones alone */
    struct rig *rig = *state;
    struct weir_shared_text *text;
    char reason[WEIR_REASON_MAX + 1];

    memset(reason, 'x', sizeof reason);
    reason[WEIR_REASON_MAX] = '\0';
    decide_because(rig, 0, count, "");
    assert_true((text = since(rig, 0, true, NOW))->len < WEIR_COMMAND_MAX);
    assert_string_equal(rig->told, "");
    weir_shared_text_free(&text);
    decide_because(rig, 0, count, reason);
    assert_true((text = since(rig, 0, true, NOW))->len <= WEIR_COMMAND_MAX);
    assert_non_null(strstr(rig->told, "entries are more than a server takes"));
    weir_shared_text_free(&text);
}

static void what_cannot_be_read_is_not_nothing_new(void **state)
{
    struct rig *rig = *state;
    struct weir_shared_text *text;
    sqlite3 *other;

    decide_many(rig, 0, 1);
    assert_int_equal(sqlite3_open(rig->database->path, &other), SQLITE_OK);
    assert_int_equal(sqlite3_exec(other, "ALTER TABLE decisions RENAME TO gone", NULL, NULL, NULL),
                     SQLITE_OK);
    for (int all = 0; all < 2; all++) {
        assert_int_equal(weir_orders_since(rig->orders, 0, all, NOW, &text), WEIR_EIO);
        assert_null(text);
    }
    assert_non_null(strstr(rig->told, "commands cannot be read: "));
    assert_int_equal(sqlite3_exec(other, "ALTER TABLE gone RENAME TO decisions", NULL, NULL, NULL),
                     SQLITE_OK);
    sqlite3_close(other);
    assert_non_null(text = since(rig, 0, true, NOW));
    weir_shared_text_free(&text);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(pages_say_together_what_one_answer_would),
        TEST(a_page_ends_where_it_is_full),
        TEST(who_asks_the_same_gets_the_same_text),
        TEST(more_than_an_agent_takes_is_left_out_and_told),
        TEST(longer_reasons_need_the_room_they_need),
        TEST(what_cannot_be_read_is_not_nothing_new),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
