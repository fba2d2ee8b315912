/*
 * The lists from outside, against a model that walks through all entries, and
 * with other processes reading and writing.
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
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/store/lists_io.h"
#include "tests/unit/scratch.h"
#include "tests/unit/seeded.h"

#define NOW (1700000000 * WEIR_SECOND)

/* Helpers. --------------------------------------------------------------- */

struct world {
    struct scratch *scratch;
    char path[256];
    unsigned logged; /* lines that were written to log */
    struct weir_log log;
};

static void count_line(void *context, enum weir_log_level level, const char *line)
{
    struct world *world = context;
    (void)level, (void)line;
    world->logged++;
}

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof(*world));
    if (!world)
        return -1;
    world->scratch = scratch_new();
    snprintf(world->path, sizeof(world->path), "%s", scratch_path(world->scratch, "lists.db"));
    world->log = (struct weir_log){.write = count_line, .context = world, .most = WEIR_LOG_DEBUG};
    *state = world;
    return 0;
}

static int teardown(void **state)
{
    struct world *world = *state;
    scratch_free(world->scratch);
    free(world);
    return 0;
}

static struct weir_lists *lists_open(struct world *world, bool write,
                                     const struct weir_prefix *never, size_t nevers)
{
    struct weir_lists_options options = {.path = world->path, .write = write, .mode = 0640,
                                         .never = never, .nevers = nevers};
    struct weir_lists *lists = NULL;
    const char *why;
    int rc = weir_lists_open(&options, &world->log, &lists, &why);
    if (rc != 0)
        fail_msg("open: %d %s", rc, why);
    return lists;
}

static struct weir_prefix prefix(const char *text)
{
    struct weir_prefix prefix;
    const char *why;
    if (weir_prefix_parse(text, strlen(text), &prefix, &why) != 0)
        fail_msg("%s: %s", text, why);
    return prefix;
}

static struct weir_address address(const char *text)
{
    struct weir_address address;
    assert_int_equal(weir_address_parse(text, strlen(text), &address), 0);
    return address;
}

static struct weir_list_entry entry(const char *what, weir_time ends)
{
    struct weir_list_entry entry = {.added = NOW, .ends = ends};
    if (strpbrk(what, "/:") || weir_address_parse(what, strlen(what), &entry.prefix.address) == 0) {
        entry.prefix = prefix(what);
    } else {
        entry.is_domain = true;
        snprintf(entry.domain, sizeof(entry.domain), "%s", what);
    }
    snprintf(entry.origin, sizeof(entry.origin), "test");
    snprintf(entry.reason, sizeof(entry.reason), "because of %s", what);
    return entry;
}

static void add(struct weir_lists *lists, enum weir_list list, const char *what, weir_time ends)
{
    struct weir_list_entry one = entry(what, ends);
    assert_int_equal(weir_lists_add(lists, list, &one, 1, NULL), 0);
}

static size_t take_out(struct weir_lists *lists, enum weir_list list, const char *what)
{
    struct weir_list_entry one = entry(what, 0);
    size_t removed;
    assert_int_equal(weir_lists_remove(lists, list, &one, 1, &removed), 0);
    return removed;
}

/* "accept 192.0.2.0/24" for the entry that decides, "-" for none. */
static const char *decides(struct weir_lists *lists, weir_time now, const char *client)
{
    static char text[128];
    struct weir_address a = address(client);
    enum weir_list list;
    struct weir_list_entry found;
    char buffer[WEIR_PREFIX_TEXT];
    int rc = weir_lists_find(lists, now, &a, &list, &found);
    if (rc == 0)
        return "-";
    assert_int_equal(rc, 1);
    snprintf(text, sizeof(text), "%s %s", weir_list_name(list),
             weir_prefix_format(&found.prefix, buffer));
    return text;
}

static pid_t in_child(void (*work)(struct world *world), struct world *world)
{
    fflush(NULL);
    pid_t child = fork();
    assert_true(child >= 0);
    if (child == 0) {
        work(world);
        _exit(0);
    }
    return child;
}

static void wait_for(pid_t child)
{
    int status;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
}

/* Deciding. -------------------------------------------------------------- */

static void A26_accept_comes_before_black_whatever_the_lengths(void **state)
{
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.7", 0);
    add(lists, WEIR_LIST_BLACK, "198.51.100.0/24", 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.2.7");
    add(lists, WEIR_LIST_ACCEPT, "192.0.0.0/8", 0);
    add(lists, WEIR_LIST_ACCEPT, "198.51.100.9", NOW + WEIR_HOUR);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "accept 192.0.0.0/8");
    assert_string_equal(decides(lists, NOW, "198.51.100.9"), "accept 198.51.100.9");
    assert_string_equal(decides(lists, NOW, "198.51.100.8"), "blacklist 198.51.100.0/24");
    assert_int_equal(take_out(lists, WEIR_LIST_ACCEPT, "192.0.0.0/8"), 1);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.2.7");
    weir_lists_free(&lists);
    assert_null(lists);
}

static void the_never_list_comes_before_everything(void **state)
{
    struct weir_prefix never[] = {prefix("10.0.0.0/8"), prefix("10.1.0.0/16"), prefix("::1")};
    struct weir_lists *lists = lists_open(*state, true, never, 3);
    add(lists, WEIR_LIST_BLACK, "0.0.0.0/0", 0);
    add(lists, WEIR_LIST_ACCEPT, "10.1.2.3", 0);
    assert_string_equal(decides(lists, NOW, "10.1.2.3"), "never 10.1.0.0/16");
    assert_string_equal(decides(lists, NOW, "10.2.2.3"), "never 10.0.0.0/8");
    assert_string_equal(decides(lists, NOW, "::1"), "never ::1");
    assert_string_equal(decides(lists, NOW, "11.2.2.3"), "blacklist 0.0.0.0/0");
    struct weir_address own = address("10.1.2.3");
    struct weir_list_entry found;
    assert_int_equal(weir_lists_find_in(lists, NOW, WEIR_LIST_NEVER, &own, &found), 1);
    assert_int_equal(found.prefix.bits, 96 + 16);
    assert_true(strlen(found.reason) > 0);
    assert_int_equal(weir_lists_find_in(lists, NOW, WEIR_LIST_ACCEPT, &own, &found), 1);
    assert_int_equal(found.prefix.bits, 128);
    weir_lists_free(&lists);
}

static void an_ended_entry_never_hides_a_live_shorter_one(void **state)
{
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.7", NOW + WEIR_MINUTE);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/28", NOW + WEIR_SECOND);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "accept 192.0.2.0/28");
    assert_string_equal(decides(lists, NOW + WEIR_SECOND - 1, "192.0.2.7"), "accept 192.0.2.0/28");
    assert_string_equal(decides(lists, NOW + WEIR_SECOND, "192.0.2.7"), "blacklist 192.0.2.7");
    assert_string_equal(decides(lists, NOW + WEIR_MINUTE - 1, "192.0.2.7"), "blacklist 192.0.2.7");
    assert_string_equal(decides(lists, NOW + WEIR_MINUTE, "192.0.2.7"), "blacklist 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void an_entry_comes_back_as_it_was_made(void **state)
{
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry made = entry("2001:db8::/32", NOW + WEIR_DAY), found;
    struct weir_address client = address("2001:db8::5");
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, &made, 1, NULL), 0);
    assert_int_equal(weir_lists_find_in(lists, NOW, WEIR_LIST_BLACK, &client, &found), 1);
    assert_false(found.is_domain);
    assert_int_equal(found.prefix.bits, 32);
    assert_memory_equal(&found.prefix.address, &made.prefix.address, 16);
    assert_int_equal(found.added, NOW);
    assert_int_equal(found.ends, NOW + WEIR_DAY);
    assert_string_equal(found.origin, "test");
    assert_string_equal(found.reason, "because of 2001:db8::/32");
    assert_string_equal(found.domain, "");
    weir_lists_free(&lists);
}

static void mapped_and_plain_ipv4_are_one_sender(void **state)
{
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "::ffff:192.0.2.0/120", 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    assert_string_equal(decides(lists, NOW, "::ffff:192.0.2.7"), "blacklist 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void C16_a_domain_and_all_below_it_are_acceptable(void **state)
{
    static const struct {
        const char *domain;
        const char *decided_by; /* NULL: nothing */
    } cases[] = {
        {"example.org", "example.org"},   {"EXAMPLE.Org", "example.org"},
        {"example.org.", "example.org"},  {"mail.example.org", "example.org"},
        {"a.b.c.example.org", "example.org"}, {"old.example.org", "example.org"},
        {"notexample.org", NULL},         {"org", NULL},
        {"example.org.evil.net", NULL},   {"", NULL},
        {".", NULL},                      {"example..org", NULL},
        {".example.org", NULL},           {"exa mple.org", NULL},
        {"shop.example.com", "shop.example.com"}, {"www.shop.example.com", "shop.example.com"},
        {"example.com", NULL},            {"ended.net", NULL},
        {"192.0.2.7", NULL},
    };
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry found;
    assert_int_equal(weir_lists_find_domain(lists, NOW, "example.org", &found), 0);
    add(lists, WEIR_LIST_ACCEPT, "Example.ORG.", 0);
    add(lists, WEIR_LIST_ACCEPT, "old.example.org", NOW);
    add(lists, WEIR_LIST_ACCEPT, "shop.example.com", NOW + WEIR_HOUR);
    add(lists, WEIR_LIST_ACCEPT, "ended.net", NOW - 1);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        int rc = weir_lists_find_domain(lists, NOW, cases[i].domain, &found);
        if (rc != (cases[i].decided_by != NULL))
            fail_msg("%s: %d", cases[i].domain, rc);
        if (rc == 1)
            assert_string_equal(found.domain, cases[i].decided_by);
    }
    assert_int_equal(take_out(lists, WEIR_LIST_ACCEPT, "EXAMPLE.org"), 1);
    assert_int_equal(weir_lists_find_domain(lists, NOW, "mail.example.org", &found), 0);
    weir_lists_free(&lists);
}

/* The model. ------------------------------------------------------------- */

enum { MODEL_MOST = 600 };

struct model {
    struct weir_list_entry entry[WEIR_LISTS][MODEL_MOST];
    size_t n[WEIR_LISTS];
};

static bool same_prefix(const struct weir_prefix *a, const struct weir_prefix *b)
{
    return a->bits == b->bits && memcmp(&a->address, &b->address, sizeof(a->address)) == 0;
}

static void model_remove(struct model *model, enum weir_list list, const struct weir_prefix *which)
{
    for (size_t i = 0; i < model->n[list]; i++)
        if (same_prefix(&model->entry[list][i].prefix, which))
            model->entry[list][i--] = model->entry[list][--model->n[list]];
}

static const struct weir_list_entry *model_find(const struct model *model, weir_time now,
                                                const struct weir_address *client,
                                                enum weir_list *list_r)
{
    for (enum weir_list list = WEIR_LIST_NEVER; list < WEIR_LISTS; list++) {
        const struct weir_list_entry *best = NULL;
        for (size_t i = 0; i < model->n[list]; i++) {
            const struct weir_list_entry *e = &model->entry[list][i];
            unsigned equal = 0;
            while (equal < 128 && ((e->prefix.address.octet[equal / 8] ^ client->octet[equal / 8]) &
                                   (0x80 >> equal % 8)) == 0)
                equal++;
            bool live = e->ends == 0 || e->ends > now;
            if (equal >= e->prefix.bits && live && (!best || e->prefix.bits > best->prefix.bits))
                best = e;
        }
        *list_r = list;
        if (best)
            return best;
    }
    return NULL;
}

/* Addresses that share much, so that prefixes nest. */
static struct weir_address some_address(struct seeded *s)
{
    struct weir_address a = {{0}};
    if (seeded_below(s, 2)) {
        a.octet[10] = a.octet[11] = 0xff;
        for (int i = 12; i < 16; i++)
            a.octet[i] = (uint8_t)(seeded_below(s, 3) == 0 ? seeded_below(s, 256) : 7);
    } else {
        a.octet[0] = 0x20;
        for (int i = 1; i < 16; i++)
            a.octet[i] = (uint8_t)(seeded_below(s, 3) == 0 ? seeded_below(s, 256) : 1);
    }
    return a;
}

static struct weir_prefix some_prefix(struct seeded *s)
{
    static const unsigned ipv4[] = {0, 8, 15, 16, 24, 30, 32}, ipv6[] = {0, 3, 32, 48, 56, 64, 128};
    struct weir_address a = some_address(s);
    unsigned bits = weir_address_is_ipv4(&a) ? 96 + ipv4[seeded_below(s, 7)]
                                             : ipv6[seeded_below(s, 7)];
    if (seeded_below(s, 20) == 0)
        bits = seeded_below(s, 129);
    return weir_address_mask(&a, bits);
}

static void model_change(struct seeded *s, struct weir_lists *lists, struct model *model)
{
    enum weir_list list = seeded_below(s, 2) ? WEIR_LIST_ACCEPT : WEIR_LIST_BLACK;
    struct weir_list_entry one = {.added = NOW, .prefix = some_prefix(s)};
    one.ends = seeded_below(s, 2) ? 0 : NOW + seeded_below(s, 100) * WEIR_SECOND;
    snprintf(one.reason, sizeof(one.reason), "number %u", seeded_below(s, 1000000));
    if (seeded_below(s, 3) == 0) {
        size_t removed, before = model->n[list];
        if (model->n[list] > 0 && seeded_below(s, 4))
            one.prefix = model->entry[list][seeded_below(s, (unsigned)before)].prefix;
        model_remove(model, list, &one.prefix);
        assert_int_equal(weir_lists_remove(lists, list, &one, 1, &removed), 0);
        assert_int_equal(removed, before - model->n[list]);
        return;
    }
    int rc = weir_lists_add(lists, list, &one, 1, NULL);
    for (size_t i = 0; list == WEIR_LIST_BLACK && i < model->n[WEIR_LIST_NEVER]; i++) {
        const struct weir_prefix *never = &model->entry[WEIR_LIST_NEVER][i].prefix;
        struct weir_prefix cut = weir_address_mask(&one.prefix.address, never->bits);
        if (one.prefix.bits >= never->bits && same_prefix(&cut, never)) {
            assert_int_equal(rc, WEIR_EINVAL);
            return;
        }
    }
    assert_int_equal(rc, 0);
    model_remove(model, list, &one.prefix);
    if (model->n[list] < MODEL_MOST)
        model->entry[list][model->n[list]++] = one;
}

static void model_compare(struct seeded *s, struct weir_lists *lists, const struct model *model)
{
    for (unsigned i = 0; i < 40; i++) {
        struct weir_address client = some_address(s);
        weir_time now = NOW + seeded_below(s, 110) * WEIR_SECOND;
        enum weir_list list, want_list;
        struct weir_list_entry found;
        const struct weir_list_entry *want = model_find(model, now, &client, &want_list);
        int rc = weir_lists_find(lists, now, &client, &list, &found);
        assert_int_equal(rc, want ? 1 : 0);
        if (!want)
            continue;
        assert_int_equal(list, want_list);
        assert_true(same_prefix(&found.prefix, &want->prefix));
        if (list != WEIR_LIST_NEVER)
            assert_string_equal(found.reason, want->reason);
    }
    for (enum weir_list list = WEIR_LIST_NEVER; list < WEIR_LISTS; list++) {
        size_t count;
        assert_int_equal(weir_lists_count(lists, list, &count), 0);
        assert_int_equal(count, model->n[list]);
    }
}

static void look_ups_agree_with_a_walk_through_all_entries(void **state)
{
    struct seeded s = seeded_new(__func__);
    struct model *model = calloc(1, sizeof(*model));
    assert_non_null(model);
    struct weir_prefix never[4];
    for (size_t i = 0; i < 4; i++) {
        do
            never[i] = some_prefix(&s);
        while (never[i].bits < 100);
        model_remove(model, WEIR_LIST_NEVER, &never[i]);
        model->entry[WEIR_LIST_NEVER][model->n[WEIR_LIST_NEVER]++].prefix = never[i];
    }
    struct weir_prefix unique[4];
    for (size_t i = 0; i < model->n[WEIR_LIST_NEVER]; i++)
        unique[i] = model->entry[WEIR_LIST_NEVER][i].prefix;
    struct weir_lists *lists = lists_open(*state, true, unique, model->n[WEIR_LIST_NEVER]);
    for (unsigned round = 0; round < 400; round++) {
        model_change(&s, lists, model);
        if (round % 4 == 0)
            model_compare(&s, lists, model);
    }
    weir_lists_free(&lists);
    free(model);
}

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
    struct weir_prefix never[] = {prefix("10.0.0.0/8"), prefix("2001:db8::1")};
    struct weir_lists *lists = lists_open(*state, true, never, 2);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_list_entry one = entry(cases[i].what, 0);
        int rc = weir_lists_add(lists, WEIR_LIST_BLACK, &one, 1, NULL);
        if (rc != cases[i].want)
            fail_msg("%s: %d", cases[i].what, rc);
        assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), 0);
    }
    weir_lists_free(&lists);
}

static void one_bad_entry_keeps_all_of_them_out(void **state)
{
    struct weir_prefix never[] = {prefix("10.0.0.0/8")};
    struct weir_lists *lists = lists_open(*state, true, never, 1);
    struct weir_list_entry three[] = {entry("192.0.2.1", 0), entry("10.1.1.1", 0),
                                      entry("192.0.2.3", 0)};
    size_t bad = 99, count;
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(bad, 1);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 0);
    three[1] = entry("192.0.2.2", 0);
    three[2].prefix.bits = 120; /* octets beyond the prefix */
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(bad, 2);
    three[2] = entry("example.org", 0);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    three[2] = entry("192.0.2.3", -1);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 3, &bad), WEIR_EINVAL);
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, three, 2, &bad), 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.2"), "blacklist 192.0.2.2");
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_NEVER, three, 1, &bad), WEIR_EINVAL);
    assert_int_equal(weir_lists_remove(lists, WEIR_LIST_NEVER, three, 1, &bad), WEIR_EINVAL);
    weir_lists_free(&lists);
}

static void texts_at_their_limits_fit_and_one_past_does_not(void **state)
{
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry one = entry("192.0.2.1", 0), found;
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
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry one = entry("example.org", 0), found;
    memset(one.domain, 'd', WEIR_DOMAIN_MAX);
    one.domain[WEIR_LABEL_MAX] = one.domain[127] = one.domain[191] = '.';
    one.domain[WEIR_DOMAIN_MAX] = '\0';
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_ACCEPT, &one, 1, NULL), 0);
    assert_int_equal(weir_lists_find_domain(lists, NOW, one.domain, &found), 1);
    char longer[WEIR_DOMAIN_MAX + 3];
    snprintf(longer, sizeof(longer), "%s.", one.domain);
    assert_int_equal(weir_lists_find_domain(lists, NOW, longer, &found), 1);
    snprintf(longer, sizeof(longer), "%sd", one.domain);
    assert_int_equal(weir_lists_find_domain(lists, NOW, longer, &found), 0);
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
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_list_entry one = entry("192.0.2.1", 0), found;
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
    struct weir_prefix never[] = {prefix("10.9.0.0/16"), prefix("10.1.0.0/16")};
    struct weir_lists *lists = lists_open(*state, true, never, 2);
    struct text text = {""};
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 0);
    assert_string_equal(text.text, "");
    const char *what[] = {"b.org", "198.51.100.0/24", "2001:db8::/32", "192.0.2.1", "a.org",
                          "192.0.2.0/24"};
    for (size_t i = 0; i < 6; i++)
        add(lists, WEIR_LIST_ACCEPT, what[i], i == 3 ? 1 : 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/25", 0);
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
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry found, one = entry("192.0.2.1", NOW);
    size_t removed, count;
    add(lists, WEIR_LIST_BLACK, "192.0.2.1", NOW);
    add(lists, WEIR_LIST_BLACK, "192.0.2.2", NOW + 1);
    add(lists, WEIR_LIST_BLACK, "192.0.2.3", 0);
    add(lists, WEIR_LIST_ACCEPT, "example.org", NOW - WEIR_DAY);
    add(lists, WEIR_LIST_ACCEPT, "192.0.2.0/24", NOW - 1);
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 1);
    assert_int_equal(weir_lists_purge(lists, NOW + 1, &removed), 0);
    assert_int_equal(removed, 3);
    assert_int_equal(weir_lists_show(lists, WEIR_LIST_BLACK, &one, &found), 0);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 2);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_ACCEPT, &count), 0);
    assert_int_equal(count, 0);
    assert_int_equal(weir_lists_purge(lists, NOW + 1, &removed), 0);
    assert_int_equal(removed, 0);
    weir_lists_free(&lists);
}

/* Files and processes. --------------------------------------------------- */

static void a_reader_of_a_missing_file_looks_again_after_a_second(void **state)
{
    struct weir_lists *reader = lists_open(*state, false, NULL, 0);
    struct weir_list_entry one = entry("192.0.2.1", 0);
    assert_string_equal(decides(reader, NOW, "192.0.2.1"), "-");
    assert_int_equal(weir_lists_add(reader, WEIR_LIST_BLACK, &one, 1, NULL), WEIR_EINVAL);
    struct weir_lists *writer = lists_open(*state, true, NULL, 0);
    add(writer, WEIR_LIST_BLACK, "192.0.2.1", 0);
    weir_lists_free(&writer); /* one handle a process and file at a time */
    assert_string_equal(decides(reader, NOW + WEIR_SECOND - 1, "192.0.2.1"), "-");
    assert_string_equal(decides(reader, NOW + WEIR_SECOND, "192.0.2.1"), "blacklist 192.0.2.1");
    weir_lists_free(&reader);
}

static void child_adds(struct world *world)
{
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    add(lists, WEIR_LIST_ACCEPT, "example.org", 0);
    weir_lists_free(&lists);
}

static void child_accepts(struct world *world)
{
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    add(lists, WEIR_LIST_ACCEPT, "192.0.2.7", 0);
    weir_lists_free(&lists);
}

static void child_removes(struct world *world)
{
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    assert_int_equal(take_out(lists, WEIR_LIST_BLACK, "192.0.2.0/24"), 1);
    weir_lists_free(&lists);
}

static void A15_A30_a_change_is_seen_by_a_running_reader_without_reopening(void **state)
{
    struct world *world = *state;
    struct weir_list_entry found;
    wait_for(in_child(child_accepts, world));
    struct weir_lists *reader = lists_open(world, false, NULL, 0);
    /* the clock stands still: there is no second look at the file */
    assert_string_equal(decides(reader, NOW, "192.0.2.8"), "-");
    assert_int_equal(weir_lists_find_domain(reader, NOW, "example.org", &found), 0);
    wait_for(in_child(child_adds, world));
    assert_string_equal(decides(reader, NOW, "192.0.2.8"), "blacklist 192.0.2.0/24");
    assert_string_equal(decides(reader, NOW, "192.0.2.7"), "accept 192.0.2.7");
    assert_int_equal(weir_lists_find_domain(reader, NOW, "example.org", &found), 1);
    wait_for(in_child(child_removes, world));
    assert_string_equal(decides(reader, NOW, "192.0.2.8"), "-");
    weir_lists_free(&reader);
}

/* Adds and removes a pair of addresses: in one transaction, both or none. */
static void child_flickers(struct world *world)
{
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    struct weir_list_entry pair[] = {entry("192.0.2.1", 0), entry("2001:db8::/48", 0)};
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

static void child_reads_while_others_write(struct world *world)
{
    struct weir_lists *lists = lists_open(world, false, NULL, 0);
    for (unsigned i = 0; i < 20000; i++) {
        unsigned count = 0;
        if (weir_lists_each(lists, WEIR_LIST_BLACK, each_counts, &count) != 0 || count % 2 != 0)
            _exit(1);
        const char *text = decides(lists, NOW + i * WEIR_MINUTE, "192.0.2.1");
        if (strcmp(text, "-") != 0 && strcmp(text, "blacklist 192.0.2.1") != 0)
            _exit(2);
    }
    weir_lists_free(&lists);
}

static void two_writers_and_two_readers_get_on_together(void **state)
{
    struct world *world = *state;
    size_t count;
    wait_for(in_child(child_adds, world));
    wait_for(in_child(child_removes, world));
    void (*const work[])(struct world *) = {child_flickers, child_reads_while_others_write,
                                            child_flickers, child_reads_while_others_write};
    pid_t child[4];
    for (size_t i = 0; i < 4; i++)
        child[i] = in_child(work[i], world);
    for (size_t i = 0; i < 4; i++)
        wait_for(child[i]);
    struct weir_lists *lists = lists_open(world, false, NULL, 0);
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 0);
    weir_lists_free(&lists);
}

/* Writes a raw record into lists.db; a NULL value deletes. */
static void raw_put(struct world *world, const void *key, size_t key_len, const void *value,
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
    assert_int_equal(mdb_env_open(env, world->path, MDB_NOSUBDIR, 0600), 0);
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
    struct world *world = *state;
    struct text text = {""};
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    add(lists, WEIR_LIST_BLACK, "192.0.0.0/16", 0);
    weir_lists_free(&lists);
    raw_put(world, black_24, sizeof(black_24), "\1garbage", 8);
    lists = lists_open(world, true, NULL, 0);
    unsigned before = world->logged;
    for (unsigned i = 0; i < 100; i++)
        assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.0.0/16");
    /* but not a line for each mail */
    assert_in_range(world->logged, before + 1, before + 20);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_BLACK, each_append, &text), 0);
    assert_string_equal(text.text, "192.0.0.0/16 ");
    assert_int_equal(take_out(lists, WEIR_LIST_BLACK, "192.0.2.0/24"), 1);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    weir_lists_free(&lists);
}

static void damaged_counts_hide_nothing_and_are_mended_by_the_next_change(void **state)
{
    static const uint8_t counts_key[] = {WEIR_LIST_BLACK, '#'};
    struct world *world = *state;
    size_t count;
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    add(lists, WEIR_LIST_BLACK, "192.0.2.0/24", 0);
    add(lists, WEIR_LIST_BLACK, "2001:db8::/32", 0);
    weir_lists_free(&lists);
    raw_put(world, counts_key, sizeof(counts_key), "\1\0\0\0\0\377\0", 7);
    lists = lists_open(world, true, NULL, 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.7"), "blacklist 192.0.2.0/24");
    assert_string_equal(decides(lists, NOW, "2001:db8::7"), "blacklist 2001:db8::/32");
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 2);
    add(lists, WEIR_LIST_BLACK, "192.0.2.1", 0);
    weir_lists_free(&lists);
    unsigned before = world->logged;
    lists = lists_open(world, false, NULL, 0);
    assert_string_equal(decides(lists, NOW, "192.0.2.1"), "blacklist 192.0.2.1");
    assert_int_equal(weir_lists_count(lists, WEIR_LIST_BLACK, &count), 0);
    assert_int_equal(count, 3);
    assert_int_equal(world->logged, before);
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
    struct world *world = *state;
    struct text text = {""};
    struct weir_lists *lists = lists_open(world, true, NULL, 0);
    add(lists, WEIR_LIST_ACCEPT, "example.org", 0);
    weir_lists_free(&lists);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        raw_put(world, keys[i].octets, keys[i].len, "x", 1);
    lists = lists_open(world, true, NULL, 0);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_ACCEPT, each_append, &text), 0);
    assert_int_equal(weir_lists_each(lists, WEIR_LIST_BLACK, each_append, &text), 0);
    assert_string_equal(text.text, "example.org ");
    size_t removed;
    assert_int_equal(weir_lists_purge(lists, NOW, &removed), 0);
    assert_string_equal(decides(lists, NOW, "48.49.50.51"), "-");
    weir_lists_free(&lists);
}

static void a_full_file_takes_no_more_and_keeps_what_it_has(void **state)
{
    struct world *world = *state;
    struct weir_lists_options options = {.path = world->path, .write = true, .mode = 0640,
                                         .bytes_most = 1 << 20};
    struct weir_lists *lists;
    const char *why;
    assert_int_equal(weir_lists_open(&options, &world->log, &lists, &why), 0);
    unsigned added = 0;
    int rc = 0;
    struct weir_list_entry many[100];
    for (; rc == 0 && added < 100000; added += rc == 0 ? 100 : 0) {
        for (unsigned i = 0; i < 100; i++) {
            many[i] = entry("0.0.0.0", 0);
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
    assert_string_equal(decides(lists, NOW, "0.0.0.5"), "blacklist 0.0.0.5");
    assert_int_equal(weir_lists_purge(lists, NOW, &count), 0);
    assert_int_equal(take_out(lists, WEIR_LIST_BLACK, "0.0.0.5"), 1);
    weir_lists_free(&lists);
}

static double seconds(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static void a_hundred_thousand_entries_go_in_at_once_and_are_found(void **state)
{
    enum { ENTRIES = 100000, LOOKS = 200000 };
    static const unsigned bits[] = {128, 126, 120, 112};
    struct seeded s = seeded_new(__func__);
    struct weir_lists *lists = lists_open(*state, true, NULL, 0);
    struct weir_list_entry *many = calloc(ENTRIES, sizeof(*many)), found;
    assert_non_null(many);
    for (size_t i = 0; i < ENTRIES; i++) {
        struct weir_address a = {{0}};
        a.octet[10] = a.octet[11] = 0xff;
        seeded_fill(&s, a.octet + 12, 4);
        many[i].prefix = weir_address_mask(&a, i < 100 ? 104 : bits[i % 4]);
        many[i].added = NOW;
        snprintf(many[i].reason, sizeof(many[i].reason), "55 connections in 10 s, limit 50");
    }
    double start = seconds();
    assert_int_equal(weir_lists_add(lists, WEIR_LIST_BLACK, many, ENTRIES, NULL), 0);
    double added = seconds();
    for (size_t i = 0; i < ENTRIES; i += 97)
        assert_int_equal(weir_lists_find_in(lists, NOW, WEIR_LIST_BLACK, &many[i].prefix.address,
                                            &found), 1);
    enum weir_list list;
    unsigned hits = 0;
    double before = seconds();
    for (size_t i = 0; i < LOOKS; i++) {
        struct weir_address a = many[seeded_below(&s, ENTRIES)].prefix.address;
        if (i % 2)
            seeded_fill(&s, a.octet + 12, 4);
        hits += weir_lists_find(lists, NOW + (weir_time)i, &a, &list, &found) == 1;
    }
    double after = seconds();
    printf("    100,000 entries of 5 lengths: added in %.2f s, %.2f us a look-up, %u %% found\n",
           added - start, (after - before) * 1e6 / LOOKS, hits / (LOOKS / 100));
    weir_lists_free(&lists);
    before = seconds();
    lists = lists_open(*state, false, NULL, 0);
    printf("    opened and checked in %.1f ms\n", (seconds() - before) * 1e3);
    weir_lists_free(&lists);
    free(many);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(A26_accept_comes_before_black_whatever_the_lengths),
        TEST(the_never_list_comes_before_everything),
        TEST(an_ended_entry_never_hides_a_live_shorter_one),
        TEST(an_entry_comes_back_as_it_was_made),
        TEST(mapped_and_plain_ipv4_are_one_sender),
        TEST(C16_a_domain_and_all_below_it_are_acceptable),
        TEST(look_ups_agree_with_a_walk_through_all_entries),
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
        TEST(a_hundred_thousand_entries_go_in_at_once_and_are_found),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
