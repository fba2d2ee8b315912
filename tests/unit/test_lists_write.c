/*
 * Changing the lists: what is refused, what others see, what damage does.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <lmdb.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lists_io.h"
#include "tests/unit/lists_rig.h"

/* Adding and removing. --------------------------------------------------- */

static void nothing_inside_the_never_list_gets_onto_the_blacklist(void **state)
{
    static const struct {
        const char *what;
        int want;
    } cases[] = {
        {"10.0.0.0/8", WEIR_EINVAL}, {"10.7.0.0/16", WEIR_EINVAL}, {"10.7.7.7", WEIR_EINVAL},
        {"2001:db8::1", WEIR_EINVAL}, {"2001:db8::2", 0}, {"10.0.0.0/7", 0}, {"0.0.0.0/0", 0},
        {"11.0.0.0/8", 0}, {"::/0", 0},
    };
    struct weir_prefix never[] = {rig_prefix("10.0.0.0/8"), rig_prefix("2001:db8::1")};
    struct weir_lists *lists = lists_rig_open(*state, true, never, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_list_entry one = rig_entry(cases[i].what, 0);
        int rc = weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL);
        if (rc != cases[i].want)
            fail_msg("%s: %d", cases[i].what, rc);
        assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), 0);
    }
    weir_lists_free(&lists);
}

static void one_bad_entry_keeps_all_of_them_out(void **state)
{
    struct weir_prefix never[] = {rig_prefix("10.0.0.0/8")};
    struct weir_lists *lists = lists_rig_open(*state, true, never, 1);
    struct weir_list_entry three[] = {rig_entry("192.0.2.1", 0), rig_entry("10.1.1.1", 0),
                                      rig_entry("192.0.2.3", 0)};
    size_t bad = 99, count;
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(bad, 1);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 0);
    three[1] = rig_entry("192.0.2.2", 0);
    three[2].prefix.bits = 120; /* octets beyond the prefix */
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(bad, 2);
    three[2] = rig_entry("example.org", 0);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    three[2] = rig_entry("192.0.2.3", -1);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 2, &bad), 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.2"), "blacklist 192.0.2.2");
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_NEVER, three, 1, &bad), WEIR_EINVAL);
    assert_int_equal(weir_lists_remove(lists, WEIR_LIST_NEVER, three, 1, &bad), WEIR_EINVAL);
    weir_lists_free(&lists);
}

static void texts_at_their_limits_fit_and_one_past_does_not(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry one = rig_entry("192.0.2.1", 0), found;
    memset(one.reason, 'r', WEIR_REASON_MAX);
    memset(one.origin, 'o', WEIR_ORIGIN_MAX);
    one.reason[WEIR_REASON_MAX] = one.origin[WEIR_ORIGIN_MAX] = '\0';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL), 0);
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 1);
    assert_string_equal(found.reason, one.reason);
    assert_string_equal(found.origin, one.origin);
    one.reason[WEIR_REASON_MAX] = 'r';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL), WEIR_ELIMIT);
    one.reason[0] = '\0';
    one.origin[WEIR_ORIGIN_MAX] = 'o';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL), WEIR_ELIMIT);
    weir_lists_free(&lists);
}

static void domains_at_their_limits_fit_and_one_past_does_not(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry one = rig_entry("example.org", 0), found;
    memset(one.domain, 'd', WEIR_DOMAIN_MAX);
    one.domain[WEIR_LABEL_MAX] = one.domain[127] = one.domain[191] = '.';
    one.domain[WEIR_DOMAIN_MAX] = '\0';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), 0);
    assert_int_equal(weir_lists_find_domain(lists, RIG_NOW, one.domain, &found), 1);
    char longer[WEIR_DOMAIN_MAX + 3];
    snprintf(longer, sizeof(longer), "%s.", one.domain);
    assert_int_equal(weir_lists_find_domain(lists, RIG_NOW, longer, &found), 1);
    snprintf(longer, sizeof(longer), "%sd", one.domain);
    assert_int_equal(weir_lists_find_domain(lists, RIG_NOW, longer, &found), 0);
    one.domain[WEIR_DOMAIN_MAX] = 'd';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), WEIR_ELIMIT);
    memset(one.domain, 'd', WEIR_LABEL_MAX + 1);
    one.domain[WEIR_LABEL_MAX + 1] = '\0';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), WEIR_EINVAL);
    weir_lists_free(&lists);
}

static void a_reason_is_one_printable_line(void **state)
{
    static const struct {
        const char *given, *kept;
    } cases[] = {
        {"plain", "plain"},
        {"two\r\nlines", "two  lines"},
        {"550 5.7.1\tforged\n", "550 5.7.1 forged"},
        {"esc \033[2J bell \a", "esc ?[2J bell ?"},
        {"K\303\266ln \342\202\254", "K?ln ?"},
        {"\377\376", "??"},
        {"100 % $sender", "100 % $sender"},
        {"", ""},
    };
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_list_entry one = rig_entry("192.0.2.1", 0), found;
        snprintf(one.reason, sizeof(one.reason), "%s", cases[i].given);
        snprintf(one.origin, sizeof(one.origin), "%s", cases[i].given);
        assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL), 0);
        assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 1);
        assert_string_equal(found.reason, cases[i].kept);
        assert_string_equal(found.origin, cases[i].kept);
    }
    weir_lists_free(&lists);
}

struct text {
    char text[512];
};

static int each_append(void *context, const struct weir_list_entry *e)
{
    struct text *text = context;
    char buffer[WEIR_PREFIX_TEXT];
    size_t len = strlen(text->text);
    snprintf(text->text + len, sizeof(text->text) - len, "%s ",
             e->is_domain ? e->domain : weir_prefix_format(&e->prefix, buffer));
    return strstr(text->text, "stop") ? 7 : 0;
}

static void each_shows_prefixes_by_address_then_domains(void **state)
{
    struct weir_prefix never[] = {rig_prefix("10.9.0.0/16"), rig_prefix("10.1.0.0/16")};
    struct weir_lists *lists = lists_rig_open(*state, true, never, 2);
    struct text text = {""};
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 0);
    assert_string_equal(text.text, "");
    const char *what[] = {"b.org", "198.51.100.0/24", "2001:db8::/32", "192.0.2.1", "a.org",
                          "192.0.2.0/24"};
    for (size_t i = 0; i < 6; i++)
        rig_add(lists, WEIR_LIST_ACCEPT, what[i], i == 3 ? 1 : 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/25", 0);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 0);
    assert_string_equal(text.text, "192.0.2.0/24 192.0.2.1 198.51.100.0/24 2001:db8::/32 "
                                   "a.org b.org ");
    text.text[0] = '\0';
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_NEVER, each_append, &text), 0);
    assert_string_equal(text.text, "10.1.0.0/16 10.9.0.0/16 ");
    snprintf(text.text, sizeof(text.text), "stop ");
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 7);
    assert_string_equal(text.text, "stop 192.0.2.0/24 ");
    weir_lists_free(&lists);
}

static void purge_deletes_what_ended_before_and_show_sees_ended_ones_until_then(void **state)
{
    struct weir_lists *lists = lists_rig_open(*state, true, NULL, 0);
    struct weir_list_entry found, one = rig_entry("192.0.2.1", RIG_NOW);
    size_t removed, count;
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.1", RIG_NOW);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.2", RIG_NOW + 1);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.3", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "example.org", RIG_NOW - WEIR_DAY);
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/24", RIG_NOW - 1);
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 1);
    assert_int_equal(weir_lists_purge(lists, RIG_NOW + 1, &removed), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 0);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_ACCEPT, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(weir_lists_purge(lists, RIG_NOW + 1, &removed), 0);
    assert_int_equal(removed, 0);
    weir_lists_free(&lists);
}

static void a_full_file_takes_no_more_and_keeps_what_it_has(void **state)
{
    struct lists_rig *rig = *state;
    struct weir_lists_options options = {.path = rig->path, .write = true, .mode = 0640,
                                         .bytes_most = 1 << 20};
    struct weir_lists *lists;
    const char *why;
    assert_int_equal(weir_lists_open(&options, &rig->log, &lists, &why), 0);
    unsigned added = 0;
    int rc = 0;
    struct weir_list_entry many[100];
    for (; rc == 0 && added < 100000; added += rc == 0 ? 100 : 0) {
        for (unsigned i = 0; i < 100; i++) {
            many[i] = rig_entry("0.0.0.0", 0);
            many[i].prefix.address.octet[13] = (uint8_t)((added + i) >> 16);
            many[i].prefix.address.octet[14] = (uint8_t)((added + i) >> 8);
            many[i].prefix.address.octet[15] = (uint8_t)(added + i);
        }
        rc = weir_lists_add(lists, WEIR_LIST_BLACK, many, 100, NULL);
    }
    assert_int_equal(rc, WEIR_EFULL);
    size_t count;
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, added);
    assert_string_equal(rig_decides(lists, RIG_NOW, "0.0.0.5"), "blacklist 0.0.0.5");
    assert_int_equal(weir_lists_purge(lists, RIG_NOW, &count), 0);
    assert_int_equal(rig_take_out(lists, WEIR_LIST_BLACK, "0.0.0.5"), 1);
    weir_lists_free(&lists);
}

/* Damage. ---------------------------------------------------------------- */

/* Writes a raw record into lists.db; a NULL value deletes. */
static void raw_put(struct lists_rig *rig, const void *key, size_t key_len, const void *value,
                    size_t value_len)
{
    MDB_env *env;
    MDB_txn *txn;
    MDB_dbi dbi;
    union {
        const void *from;
        void *to;
    } k = {.from = key}, v = {.from = value};
    assert_int_equal(mdb_env_create(&env), 0);
    assert_int_equal(mdb_env_open(env, rig->path, MDB_NOSUBDIR, 0600), 0);
    assert_int_equal(mdb_txn_begin(env, NULL, 0, &txn), 0);
    assert_int_equal(mdb_dbi_open(txn, NULL, 0, &dbi), 0);
    MDB_val mk = {.mv_size = key_len, .mv_data = k.to};
    MDB_val mv = {.mv_size = value_len, .mv_data = v.to};
    assert_int_equal(value ? mdb_put(txn, dbi, &mk, &mv, 0) : mdb_del(txn, dbi, &mk, NULL), 0);
    assert_int_equal(mdb_txn_commit(txn), 0);
    mdb_env_close(env);
}

static const uint8_t black_24[] = {WEIR_LIST_BLACK, 'a', 0, 0, 0, 0, 0, 0, 0, 0,
                                   0, 0, 0xff, 0xff, 192, 0, 2, 0, 120};

static void a_damaged_record_is_as_if_not_there_and_is_logged(void **state)
{
    struct lists_rig *rig = *state;
    struct text text = {""};
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.0.0/16", 0);
    weir_lists_free(&lists);
    raw_put(rig, black_24, sizeof(black_24), "\1garbage", 8);
    lists = lists_rig_open(rig, true, NULL, 0);
    unsigned before = rig->logged;
    for (unsigned i = 0; i < 100; i++)
        assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.0.0/16");
    /* but not a line for each mail */
    assert_in_range(rig->logged, before + 1, before + 20);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_BLACK, each_append, &text), 0);
    assert_string_equal(text.text, "192.0.0.0/16 ");
    assert_int_equal(rig_take_out(lists, WEIR_LIST_BLACK, "192.0.2.0/24"), 1);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void damaged_counts_hide_nothing_and_are_mended_by_the_next_change(void **state)
{
    static const uint8_t counts_key[] = {WEIR_LIST_BLACK, '#'};
    struct lists_rig *rig = *state;
    size_t count;
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    rig_add(lists, WEIR_LIST_BLACK, "2001:db8::/32", 0);
    weir_lists_free(&lists);
    raw_put(rig, counts_key, sizeof(counts_key), "\1\0\0\0\0\377\0", 7);
    lists = lists_rig_open(rig, true, NULL, 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    assert_string_equal(rig_decides(lists, RIG_NOW, "2001:db8::7"), "blacklist 2001:db8::/32");
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 2);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.1", 0);
    weir_lists_free(&lists);
    unsigned before = rig->logged;
    lists = lists_rig_open(rig, false, NULL, 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "192.0.2.1"), "blacklist 192.0.2.1");
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(rig->logged, before);
    weir_lists_free(&lists);
}

static void records_that_do_not_belong_in_a_list_do_no_harm(void **state)
{
    static const struct {
        const char *octets;
        size_t len;
    } keys[] = {
        {"\2a\0\0", 4}, {"\2", 1}, {"\2d", 2}, {"\1dUPPER.org", 11}, {"\1d..", 4}, {"\2zzz", 4},
        {"\1a0123456789abcdef\201", 19}, {"\1a0123456789abcdef\1", 19}, {"\2##", 3}, {"\3a", 2},
    };
    struct lists_rig *rig = *state;
    struct text text = {""};
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "example.org", 0);
    weir_lists_free(&lists);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        raw_put(rig, keys[i].octets, keys[i].len, "x", 1);
    lists = lists_rig_open(rig, true, NULL, 0);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 0);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_BLACK, each_append, &text), 0);
    assert_string_equal(text.text, "example.org ");
    size_t removed;
    assert_int_equal(weir_lists_purge(lists, RIG_NOW, &removed), 0);
    assert_string_equal(rig_decides(lists, RIG_NOW, "48.49.50.51"), "-");
    weir_lists_free(&lists);
}

/* Several processes. ----------------------------------------------------- */

static void a_reader_of_a_missing_file_looks_again_after_a_second(void **state)
{
    struct weir_lists *reader = lists_rig_open(*state, false, NULL, 0);
    struct weir_list_entry one = rig_entry("192.0.2.1", 0);
    assert_string_equal(rig_decides(reader, RIG_NOW, "192.0.2.1"), "-");
    assert_int_equal(weir_lists_add(reader, WEIR_LIST_BLACK, &one, 1, NULL), WEIR_EINVAL);
    struct weir_lists *writer = lists_rig_open(*state, true, NULL, 0);
    rig_add(writer, WEIR_LIST_BLACK, "192.0.2.1", 0);
    weir_lists_free(&writer); /* one handle a process and file at a time */
    assert_string_equal(rig_decides(reader, RIG_NOW + WEIR_SECOND - 1, "192.0.2.1"), "-");
    assert_string_equal(rig_decides(reader, RIG_NOW + WEIR_SECOND, "192.0.2.1"),
                        "blacklist 192.0.2.1");
    weir_lists_free(&reader);
}

static void child_adds(struct lists_rig *rig)
{
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    rig_add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "example.org", 0);
    weir_lists_free(&lists);
}

static void child_accepts(struct lists_rig *rig)
{
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    rig_add(lists, WEIR_LIST_ACCEPT, "192.0.2.7", 0);
    weir_lists_free(&lists);
}

static void child_removes(struct lists_rig *rig)
{
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    assert_int_equal(rig_take_out(lists, WEIR_LIST_BLACK, "192.0.2.0/24"), 1);
    weir_lists_free(&lists);
}

static void A15_A30_a_change_is_seen_by_a_running_reader_without_reopening(void **state)
{
    struct lists_rig *rig = *state;
    struct weir_list_entry found;
    rig_wait(rig_child(child_accepts, rig));
    struct weir_lists *reader = lists_rig_open(rig, false, NULL, 0);
    /* the clock stands still: there is no second look at the file */
    assert_string_equal(rig_decides(reader, RIG_NOW, "192.0.2.8"), "-");
    assert_int_equal(weir_lists_find_domain(reader, RIG_NOW, "example.org", &found), 0);
    rig_wait(rig_child(child_adds, rig));
    assert_string_equal(rig_decides(reader, RIG_NOW, "192.0.2.8"), "blacklist 192.0.2.0/24");
    assert_string_equal(rig_decides(reader, RIG_NOW, "192.0.2.7"), "accept 192.0.2.7");
    assert_int_equal(weir_lists_find_domain(reader, RIG_NOW, "example.org", &found), 1);
    rig_wait(rig_child(child_removes, rig));
    assert_string_equal(rig_decides(reader, RIG_NOW, "192.0.2.8"), "-");
    weir_lists_free(&reader);
}

/* Adds and removes a pair of addresses: in one transaction, both or none. */
static void child_flickers(struct lists_rig *rig)
{
    struct weir_lists *lists = lists_rig_open(rig, true, NULL, 0);
    struct weir_list_entry pair[] = {rig_entry("192.0.2.1", 0), rig_entry("2001:db8::/48", 0)};
    for (unsigned i = 0; i < 300; i++) {
        size_t removed;
        assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, pair, 2, NULL), 0);
        assert_int_equal(weir_lists_remove(lists, WEIR_LIST_BLACK, pair, 2, &removed), 0);
    }
    weir_lists_free(&lists);
}

static int each_counts(void *context, const struct weir_list_entry *e)
{
    unsigned *count = context;
    (void)e;
    ++*count;
    return 0;
}

static void child_reads_while_others_write(struct lists_rig *rig)
{
    struct weir_lists *lists = lists_rig_open(rig, false, NULL, 0);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned count = 0;
        if (weir_lists_each(lists, WEIR_LIST_BLACK, each_counts, &count) != 0 || count % 2 != 0)
            _exit(1);
        const char *text = rig_decides(lists, RIG_NOW + i * WEIR_MINUTE, "192.0.2.1");
        if (strcmp(text, "-") != 0 && strcmp(text, "blacklist 192.0.2.1") != 0)
            _exit(2);
    }
    weir_lists_free(&lists);
}

static void two_writers_and_two_readers_get_on_together(void **state)
{
    struct lists_rig *rig = *state;
    size_t count;
    rig_wait(rig_child(child_adds, rig));
    rig_wait(rig_child(child_removes, rig));
    void (*const work[])(struct lists_rig *) = {child_flickers, child_reads_while_others_write,
                                            child_flickers, child_reads_while_others_write};
    pid_t child[4];
    for (size_t i = 0; i < 4; i++)
        child[i] = rig_child(work[i], rig);
    for (size_t i = 0; i < 4; i++)
        rig_wait(child[i]);
    struct weir_lists *lists = lists_rig_open(rig, false, NULL, 0);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 0);
    weir_lists_free(&lists);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, lists_rig_setup, lists_rig_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_inside_the_never_list_gets_onto_the_blacklist),
        TEST(one_bad_entry_keeps_all_of_them_out),
        TEST(texts_at_their_limits_fit_and_one_past_does_not),
        TEST(domains_at_their_limits_fit_and_one_past_does_not),
        TEST(a_reason_is_one_printable_line),
        TEST(each_shows_prefixes_by_address_then_domains),
        TEST(purge_deletes_what_ended_before_and_show_sees_ended_ones_until_then),
        TEST(a_reader_of_a_missing_file_looks_again_after_a_second),
        TEST(A15_A30_a_change_is_seen_by_a_running_reader_without_reopening),
        TEST(two_writers_and_two_readers_get_on_together),
        TEST(a_damaged_record_is_as_if_not_there_and_is_logged),
        TEST(damaged_counts_hide_nothing_and_are_mended_by_the_next_change),
        TEST(records_that_do_not_belong_in_a_list_do_no_harm),
        TEST(a_full_file_takes_no_more_and_keeps_what_it_has),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
