/*
 * What the monitor said is put into the lists, and nothing that is somebody else's is touched.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include <lmdb.h>

#include "core/base/error.h"
#include "monitor/agent/apply_io.h"
#include "tests/unit/lists_rig.h"

#define SETS 8

/* A command of up to SETS entries: "192.0.2.7" to be set, "-192.0.2.7" to be removed. */
struct said {
    struct weir_command command;
    struct weir_command_entry set[SETS], removed[SETS];
};

static void say(struct said *said, enum weir_list list, const char *what, weir_time ends)
{
    bool gone = what[0] == '-';
    struct weir_command_entry *entry = gone ? &said->removed[said->command.removes++]
                                            : &said->set[said->command.sets++];

    *entry = (struct weir_command_entry){list, rig_entry(what + gone, ends)};
    said->command.set = said->set;
    said->command.removed = said->removed;
}

static struct said saying(bool full)
{
    return (struct said){.command.full = full};
}

static void apply_after(struct lists_rig *rig, struct weir_lists *lists, struct said *said,
                        weir_time now, struct weir_applied *applied)
{
    said->command.set = said->set;
    said->command.removed = said->removed;
    assert_int_equal(weir_apply(lists, &said->command, now, &rig->log, applied), 0);
}

static struct weir_applied apply(struct lists_rig *rig, struct weir_lists *lists,
                                 struct said *said)
{
    struct weir_applied applied = {0};

    apply_after(rig, lists, said, RIG_NOW, &applied);
    return applied;
}

static const char *origin_of(struct weir_lists *lists, enum weir_list list, const char *what)
{
    static struct weir_list_entry found;
    struct weir_list_entry which = rig_entry(what, 0);

    return weir_lists_show(lists, list, &which, &found) == 1 ? found.origin : "-";
}

static void A9_what_the_monitor_sets_decides_until_it_ends_or_is_removed(void **state)
{
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct said said = saying(false);
    struct weir_list_entry entry;
    struct weir_applied applied;

    say(&said, WEIR_LIST_BLACK, "192.0.2.7", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_SCORE, "2001:db8::/48", RIG_NOW + WEIR_HOUR);
    said.set[0].entry.defer = true;
    said.set[1].entry.points = 2.5;
    strcpy(said.set[0].entry.origin, "somebody");
    applied = apply(rig, lists, &said);
    assert_int_equal(applied.set, 2);
    assert_int_equal(applied.withheld, 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.7");
    assert_string_equal(rig_decides(lists, RIG_NOW, "2001:db8::1"), "score 2001:db8::/48");
    assert_string_equal(rig_decides(lists, RIG_NOW + WEIR_HOUR, "192.0.2.7"), "-");
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &said.set[0].entry, &entry) +
                         weir_lists_show(lists, WEIR_LIST_BLACK, &said.set[1].entry, &entry), 1);
    weir_lists_show(lists, WEIR_LIST_BLACK, &(struct weir_list_entry){
        .prefix = rig_prefix("192.0.2.7")}, &entry);
    assert_true(entry.defer && entry.ends == RIG_NOW + WEIR_HOUR && entry.added == RIG_NOW);
    assert_string_equal(entry.origin, WEIR_COMMAND_ORIGIN);
    assert_string_equal(entry.reason, "because of 192.0.2.7");
    said = saying(false);
    say(&said, WEIR_LIST_BLACK, "-192.0.2.7", 0);
    say(&said, WEIR_LIST_BLACK, "-192.0.2.8", 0);
    say(&said, WEIR_LIST_BLACK, "-2001:db8::/48", 0); /* on another list */
    applied = apply(rig, lists, &said);
    assert_int_equal(applied.removed, 1);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "-");
    assert_string_equal(rig_decides(lists, RIG_NOW, "2001:db8::1"), "score 2001:db8::/48");
    weir_lists_free(&lists);
}

static void what_the_never_list_holds_is_left_out_and_told_once(void **state)
{
    static const struct {
        const char *what;
        enum weir_list list;
        bool taken;
    } cases[] = {
        {"192.0.2.0/24", WEIR_LIST_BLACK, false}, {"192.0.2.7", WEIR_LIST_BLACK, false},
        {"192.0.2.128/25", WEIR_LIST_SCORE, false}, {"192.0.2.9", WEIR_LIST_ACCEPT, true},
        {"192.0.2.0/28", WEIR_LIST_BLACK, false}, {"192.0.0.0/16", WEIR_LIST_BLACK, true},
        {"192.0.3.0", WEIR_LIST_BLACK, true},
    };
    const struct weir_prefix never[] = {rig_prefix("192.0.2.0/24"), rig_prefix("192.0.2.0")};
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, never, 2);
    struct said said = saying(true);
    struct weir_applied applied;
    unsigned before = rig->logged;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        say(&said, cases[i].list, cases[i].what, RIG_NOW + WEIR_HOUR);
        said.set[i].entry.points = cases[i].list == WEIR_LIST_SCORE;
    }
    for (int again = 0; again < 2; again++) {
        applied = apply(rig, lists, &said);
        assert_int_equal(applied.set, 3);
        assert_int_equal(applied.withheld, 4);
        assert_int_equal(applied.entries, 3);
        assert_int_equal(applied.removed, 0);
        assert_int_equal(rig->logged - before, 1 + again);
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(origin_of(lists, cases[i].list, cases[i].what),
                            cases[i].taken ? WEIR_COMMAND_ORIGIN : "-");
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "never 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void entries_of_others_are_neither_replaced_nor_removed(void **state)
{
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct said said = saying(true);
    struct weir_applied applied;

    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.1", 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.2", 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.3", RIG_NOW); /* it has ended: its place is free */
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.4", RIG_NOW + 1);
    rig_add(lists, WEIR_LIST_ACCEPT, "good.example", 0);
    say(&said, WEIR_LIST_BLACK, "192.0.2.1", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "192.0.2.3", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "192.0.2.4", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "-192.0.2.2", 0);
    applied = apply(rig, lists, &said);
    assert_int_equal(applied.set, 1);
    assert_int_equal(applied.withheld, 2);
    assert_int_equal(applied.removed, 0);
    assert_int_equal(applied.entries, 1);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.1"), "test");
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.2"), "test");
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.3"), WEIR_COMMAND_ORIGIN);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.4"), "test");
    assert_string_equal(origin_of(lists, WEIR_LIST_ACCEPT, "good.example"), "test");
    weir_lists_free(&lists);
}

/* "never 192.0.2.7, own 192.0.2.8/32": what decides nothing here, in the order it is noted. */
static const char *overruled(const struct weir_applied *applied)
{
    static char text[WEIR_OVERRULED_MAX * 64];
    char prefix[WEIR_PREFIX_TEXT];
    size_t len = 0;

    text[0] = '\0';
    for (size_t i = 0; i < applied->overruleds; i++)
        len += (size_t)snprintf(text + len, sizeof text - len, "%s%s %s %s", i > 0 ? ", " : "",
                                applied->overruled[i].by,
                                weir_list_name(applied->overruled[i].list),
                                weir_prefix_format(&applied->overruled[i].prefix, prefix));
    return text;
}

static void what_decides_nothing_here_is_noted_until_it_is_said_otherwise(void **state)
{
    struct lists_rig *rig = *state;
    const struct weir_prefix never = rig_prefix("192.0.2.0/28");
    struct weir_lists *lists = lists_rig_open(rig, true, &never, 1);
    struct weir_applied applied = {0};
    struct said said = saying(false);

    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.64/28", 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.200", 0);
    say(&said, WEIR_LIST_BLACK, "192.0.2.7", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "192.0.2.66", RIG_NOW + 1);
    say(&said, WEIR_LIST_ACCEPT, "192.0.2.8", 0);
    say(&said, WEIR_LIST_BLACK, "192.0.2.200", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "192.0.2.0/24", RIG_NOW + WEIR_HOUR); /* wider than what they say */
    apply_after(rig, lists, &said, RIG_NOW, &applied);
    assert_string_equal(overruled(&applied), "never blacklist 192.0.2.7, accept blacklist "
                                             "192.0.2.66, own blacklist 192.0.2.200");
    assert_int_equal(applied.withheld, 2);
    assert_int_equal(applied.set, 3);

    said = saying(false); /* of some nothing is said, and one ends meanwhile */
    say(&said, WEIR_LIST_BLACK, "192.0.2.9", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "-192.0.2.200", 0);
    apply_after(rig, lists, &said, RIG_NOW + 1, &applied);
    assert_string_equal(overruled(&applied), "never blacklist 192.0.2.9, never blacklist "
                                             "192.0.2.7");

    said = saying(true);
    say(&said, WEIR_LIST_BLACK, "192.0.2.7", RIG_NOW + WEIR_HOUR);
    apply_after(rig, lists, &said, RIG_NOW + 1, &applied);
    assert_string_equal(overruled(&applied), "never blacklist 192.0.2.7");
    weir_lists_free(&lists);
}

static void more_than_can_be_noted_is_counted(void **state)
{
    struct lists_rig *rig = *state;
    const struct weir_prefix never = rig_prefix("192.0.2.0/24");
    struct weir_lists *lists = lists_rig_open(rig, true, &never, 1);
    struct weir_command_entry set[WEIR_OVERRULED_MAX + 1];
    struct weir_command command = {.set = set, .sets = WEIR_OVERRULED_MAX + 1};
    struct weir_applied applied = {0};
    char text[WEIR_PREFIX_TEXT];

    for (size_t i = 0; i < command.sets; i++) {
        snprintf(text, sizeof text, "192.0.2.%zu", i + 1);
        set[i] = (struct weir_command_entry){WEIR_LIST_BLACK,
                                             rig_entry(text, RIG_NOW + WEIR_HOUR)};
    }
    for (size_t again = 0; again < 2; again++) {
        assert_int_equal(weir_apply(lists, &command, RIG_NOW, &rig->log, &applied), 0);
        assert_int_equal(applied.withheld, WEIR_OVERRULED_MAX + 1);
        assert_int_equal(applied.overruleds, WEIR_OVERRULED_MAX);
    }
    weir_lists_free(&lists);
}

static void a_full_command_removes_what_it_does_not_name_and_any_other_does_not(void **state)
{
    static const char *const names[] = {"192.0.2.1", "192.0.2.0/24", "2001:db8::/48", "192.0.2.2"};
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct said said = saying(false);
    struct weir_applied applied;

    for (size_t i = 0; i < 4; i++)
        say(&said, i == 3 ? WEIR_LIST_ACCEPT : WEIR_LIST_BLACK, names[i], RIG_NOW + WEIR_HOUR);
    assert_int_equal(apply(rig, lists, &said).set, 4);
    said = saying(false);
    applied = apply(rig, lists, &said);
    assert_true(applied.removed == 0 && applied.set == 0);
    said = saying(true);
    say(&said, WEIR_LIST_BLACK, "192.0.2.1", RIG_NOW + WEIR_HOUR);
    say(&said, WEIR_LIST_BLACK, "192.0.2.2", RIG_NOW + WEIR_HOUR); /* of the other list */
    applied = apply(rig, lists, &said);
    assert_int_equal(applied.removed, 3);
    assert_int_equal(applied.entries, 2);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.1"), WEIR_COMMAND_ORIGIN);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.2"), WEIR_COMMAND_ORIGIN);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.0/24"), "-");
    assert_string_equal(origin_of(lists, WEIR_LIST_ACCEPT, "192.0.2.2"), "-");
    said = saying(true);
    assert_int_equal(apply(rig, lists, &said).removed, 2);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.1"), "-");
    weir_lists_free(&lists);
}

/* How many there ever were; nobody may have the lists open. */
static size_t transactions(const struct lists_rig *rig)
{
    MDB_envinfo info;
    MDB_env *env;

    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, rig->path, MDB_NOSUBDIR | MDB_RDONLY, 0), 0);
    assert_int_equal(mdb_env_info(env, &info), 0);
    mdb_env_close(env);
    return info.me_last_txnid;
}

static void each_list_is_written_to_the_disk_once_whatever_goes(void **state)
{
    static const char *const names[] = {"192.0.2.1", "192.0.2.2", "2001:db8::1", "192.0.2.0/24"};
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct said set = saying(false), removed = saying(false);
    char minus[64];

    for (size_t i = 0; i < 2 * sizeof names / sizeof names[0]; i++) {
        enum weir_list list = i % 2 ? WEIR_LIST_BLACK : WEIR_LIST_ACCEPT;

        say(&set, list, names[i / 2], RIG_NOW + WEIR_HOUR);
        snprintf(minus, sizeof minus, "-%s", names[i / 2]);
        say(&removed, list, minus, 0);
    }
    assert_int_equal(apply(rig, lists, &set).set, 8);
    weir_lists_free(&lists);
    size_t before = transactions(rig);
    lists = lists_rig_open(rig, true, NULL, 0);
    assert_int_equal(apply(rig, lists, &removed).removed, 8);
    weir_lists_free(&lists);
    assert_int_equal(transactions(rig) - before, 2);
}

static void what_has_ended_is_not_set(void **state)
{
    struct lists_rig *rig = *state;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct said said = saying(false);

    say(&said, WEIR_LIST_BLACK, "192.0.2.1", RIG_NOW);
    say(&said, WEIR_LIST_BLACK, "192.0.2.2", RIG_NOW + 1);
    say(&said, WEIR_LIST_ACCEPT, "192.0.2.3", 0);
    assert_int_equal(apply(rig, lists, &said).set, 2);
    assert_string_equal(origin_of(lists, WEIR_LIST_BLACK, "192.0.2.1"), "-");
    weir_lists_free(&lists);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lists_rig_setup, lists_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A9_what_the_monitor_sets_decides_until_it_ends_or_is_removed),
        TEST(what_the_never_list_holds_is_left_out_and_told_once),
        TEST(entries_of_others_are_neither_replaced_nor_removed),
        TEST(what_decides_nothing_here_is_noted_until_it_is_said_otherwise),
        TEST(more_than_can_be_noted_is_counted),
        TEST(a_full_command_removes_what_it_does_not_name_and_any_other_does_not),
        TEST(each_list_is_written_to_the_disk_once_whatever_goes),
        TEST(what_has_ended_is_not_set),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
