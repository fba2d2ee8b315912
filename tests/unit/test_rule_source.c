/* rule_source, with rule_line.c, rule_test.c, rule_ids.c and rule_write.c: lines as people write
 * them, what is wrong with them, the ids they get, and rules written again. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/evidence/rule_source.h"

struct told {
    char text[2000];
    size_t errors;
};

static void report(void *context, const char *file, unsigned line, const char *why)
{
    struct told *told = context;
    size_t len = strlen(told->text);
    snprintf(told->text + len, sizeof(told->text) - len, "%s:%u: %s\n", file, line, why);
    told->errors++;
}

struct reading {
    struct weir_arena *arena;
    struct weir_rule_sources sources;
    struct told told;
};

static void read_octets(struct reading *r, const char *text, size_t len)
{
    struct weir_rule_reader *reader = NULL;
    memset(r, 0, sizeof(*r));
    r->arena = weir_arena_new(4096);
    assert_non_null(r->arena);
    assert_int_equal(weir_rule_reader_new(r->arena, report, &r->told, &reader), 0);
    assert_int_equal(weir_rule_reader_add(reader, "a.rules", (struct weir_slice){text, len}), 0);
    assert_int_equal(weir_rule_reader_end(reader, &r->sources), 0);
    assert_int_equal(r->sources.errors, r->told.errors);
}

static void read_text(struct reading *r, const char *text)
{
    read_octets(r, text, strlen(text));
}

static void assert_slice(struct weir_slice slice, const char *want)
{
    if (slice.len != strlen(want) || memcmp(slice.at, want, slice.len) != 0)
        fail_msg("got \"%.*s\", want \"%s\"", (int)slice.len, slice.at, want);
}

static void a_rule_is_all_its_lines_together(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "header SHOUT Subject =~ /^[A-Z !]+$/m\n"
                  "score SHOUT 1.25 2 3 4\r\n"
                  "  describe SHOUT  The subject  shouts.  \n"
                  "tflags SHOUT multiple maxhits=5 noautolearn nosubject net\n"
                  "id SHOUT 77\nstate SHOUT test\n");
    assert_string_equal(r.told.text, "");
    assert_int_equal(r.sources.rules, 1);
    const struct weir_rule_source *rule = r.sources.rule;
    assert_slice(rule->name, "SHOUT");
    assert_slice(rule->selector, "Subject");
    assert_slice(rule->pattern, "^[A-Z !]+$");
    assert_slice(rule->description, "The subject  shouts.");
    assert_int_equal(rule->kind, WEIR_RULE_HEADER);
    assert_int_equal(rule->state, WEIR_RULE_TEST);
    assert_int_equal(rule->flags, WEIR_RULE_MULTIPLE | WEIR_RULE_NOAUTOLEARN |
                                      WEIR_RULE_NOSUBJECT | WEIR_RULE_MULTILINE);
    assert_int_equal(rule->hits_most, 5);
    assert_int_equal(rule->id, 77);
    assert_true(rule->score == 1.25f);
    assert_string_equal(rule->file, "a.rules");
    assert_int_equal(rule->line, 1);
    weir_arena_free(&r.arena);
}

static void every_kind_of_test_is_read(void **state)
{
    (void)state;
    static const struct {
        const char *line;
        enum weir_rule_kind kind;
        const char *selector, *pattern, *unset;
        unsigned flags;
    } table[] = {
        {"body A /x/", WEIR_RULE_BODY, "", "x", "", 0},
        {"body A m!a/b\\!c!i", WEIR_RULE_BODY, "", "a/b!c", "", WEIR_RULE_CASELESS},
        {"body A m{a{2}\\}}x", WEIR_RULE_BODY, "", "a{2}\\}", "", WEIR_RULE_EXTENDED},
        {"rawbody A /a\\/b\\\\/s", WEIR_RULE_RAW, "", "a/b\\\\", "", WEIR_RULE_DOTALL},
        {"html A /<p/", WEIR_RULE_HTML, "", "<p", "", 0},
        {"uri A /\\#x/", WEIR_RULE_URI, "", "#x", "", 0},
        {"full A /x/ # a comment", WEIR_RULE_FULL, "", "x", "", 0},
        {"header A From:addr !~ /@/", WEIR_RULE_HEADER, "From:addr", "@", "", WEIR_RULE_NEGATED},
        {"header A To =~ /^$/ [if-unset: no one]", WEIR_RULE_HEADER, "To", "^$", "no one", 0},
        {"header A exists:X-Y", WEIR_RULE_HEADER, "X-Y", "", "", WEIR_RULE_EXISTS},
        {"header A !exists:X-Y", WEIR_RULE_HEADER, "X-Y", "", "",
         WEIR_RULE_EXISTS | WEIR_RULE_NEGATED},
        {"envelope A helo =~ /^\\[/", WEIR_RULE_ENVELOPE, "helo", "^\\[", "", 0},
        {"meta A  B && !C ", WEIR_RULE_META, "", "B && !C", "", 0},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct reading r;
        read_text(&r, table[i].line);
        assert_string_equal(r.told.text, "");
        assert_int_equal(r.sources.rules, 1);
        assert_int_equal(r.sources.rule->kind, table[i].kind);
        assert_slice(r.sources.rule->selector, table[i].selector);
        assert_slice(r.sources.rule->pattern, table[i].pattern);
        assert_slice(r.sources.rule->unset, table[i].unset);
        assert_int_equal(r.sources.rule->flags, table[i].flags);
        weir_arena_free(&r.arena);
    }
}

static void networks_are_read_in_both_families(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "ip NET 192.0.2.0/24 2001:db8::/32 198.51.100.7\n");
    assert_string_equal(r.told.text, "");
    assert_int_equal(r.sources.rule->prefixes, 3);
    assert_int_equal(weir_prefix_length(&r.sources.rule->prefix[1]), 32);
    assert_int_equal(weir_prefix_length(&r.sources.rule->prefix[2]), 32);
    weir_arena_free(&r.arena);
}

static void each_error_tells_its_line_and_reason_and_reading_goes_on(void **state)
{
    (void)state;
    static const struct {
        const char *line, *why;
    } table[] = {
        {"boddy A /x/", "\"boddy\" is no word of rules"},
        {"body 1A /x/", "letters, digits"},
        {"body A x", "in slashes"},
        {"body A //", "is empty"},
        {"body A /x", "has no end"},
        {"body A /x/q", "i, m, s and x"},
        {"body A /x/ y", "behind the expression"},
        {"body A /x/ [if-unset: y]", "behind the expression"},
        {"header A Subject /x/", "=~ or !~"},
        {"header A Sub\001ject =~ /x/", "no name of a header field"},
        {"envelope A subject =~ /x/", "client, client_name"},
        {"ip A 192.0.2.7/24", "192.0.2.7/24"},
        {"ip A", "an address or a prefix"},
        {"meta A", "a formula"},
        {"score A 1.x", "is a number"},
        {"score A 1e5", "is a number"},
        {"score A 100.5", "at most 100"},
        {"score A 0.001", "points count in hundredths"}, {"score A 1.499", "in hundredths"},
        {"score A 1 2", "one number, or four"},
        {"score A", "one number, or four"},
        {"tflags A wild", "knows no \"wild\""},
        {"tflags A maxhits=101", "up to 100"},
        {"id A 1000", "1000 to 1009 are those of points of Weir's own"},
        {"id A 1004", "1000 to 1009"}, {"id A 1009", "1000 to 1009"},
        {"body REPUTATION /x/", "REPUTATION is the name of points of Weir's own"},
        {"score FORGED_DOMAIN 3", "of Weir's own"}, {"meta FORGED_INFO 1", "of Weir's own"},
        {"body BAYES /x/", "of Weir's own"}, {"body RULES_CUT /x/", "of Weir's own"},
        {"body ip:192.0.2.7 /x/", "letters, digits"},
        {"id A 0", "from 1"}, {"id A 268435456", "from 1"}, {"id A -3", "from 1"},
        {"state A awake", "active, test"},
        {"base A", "a base is one number"}, {"base A 1 2 3 4", "a base is one number"},
        {"base A 100.01", "a base is at most 100"}, {"base A -100.01", "a base is at most 100"},
        {"base A 0.005", "in hundredths: a base"},
        {"bounds A", "bounds are two numbers"}, {"bounds A -1", "bounds are two numbers"},
        {"bounds A -1 1 1", "bounds are two numbers"}, {"bounds A 0.01 1", "the lower, 0 or less"},
        {"bounds A -1 -0.01", "the upper, 0 or more"}, {"bounds A -1 nan", "bounds are two"},
        {"bounds A -100.01 0", "a bound is at most 100"},
        {"bounds A 0 100.01", "a bound is at most 100"}, {"bounds A -0.001 0", "in hundredths"},
        {"approved A", "approved is yes or no"}, {"approved A 1", "approved is yes or no"},
        {"base REPUTATION 1", "of Weir's own"}, {"based A 1", "\"based\" is no word of rules"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct reading r;
        char text[300];
        snprintf(text, sizeof(text), "\nbody A /y/\n%s\nbody Z /z/\n", table[i].line);
        read_text(&r, text);
        if (r.told.errors != 1 || !strstr(r.told.text, table[i].why) ||
            strncmp(r.told.text, "a.rules:3: ", 11) != 0)
            fail_msg("\"%s\" tells %zu: %s", table[i].line, r.told.errors, r.told.text);
        assert_int_equal(r.sources.rules, 2);
        assert_slice(r.sources.rule[0].pattern, "y"); /* as it was */
        weir_arena_free(&r.arena);
    }
}

static void a_rule_without_a_test_is_an_error(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "body A /x/\nscore LOST 2\n");
    assert_string_equal(r.told.text, "a.rules:2: rule LOST has no test\n");
    weir_arena_free(&r.arena);
}

static void a_later_line_replaces_an_earlier_one(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "header A To !~ /x/i [if-unset: u]\nscore A 2\nbody B /b/\ntflags A nice\n"
                  "body A /y/\nscore A -3\n");
    assert_string_equal(r.told.text, "");
    assert_int_equal(r.sources.rules, 2);
    const struct weir_rule_source *rule = &r.sources.rule[0]; /* at its first place */
    assert_slice(rule->name, "A");
    assert_int_equal(rule->kind, WEIR_RULE_BODY);
    assert_int_equal(rule->flags, WEIR_RULE_NICE);
    assert_slice(rule->unset, "");
    assert_true(rule->score == -3.0f);
    assert_int_equal(rule->line, 5);
    weir_arena_free(&r.arena);
}

static void scores_that_are_not_said_follow_from_name_and_flags(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "body A /x/\nbody T_A /x/\nbody N /x/\ntflags N nice\n");
    assert_true(r.sources.rule[0].score == 1.0f);
    assert_true(r.sources.rule[1].score == 0.01f);
    assert_true(r.sources.rule[2].score == -1.0f);
    weir_arena_free(&r.arena);
}

static void what_only_a_rulebook_knows_is_read(void **state)
{
    (void)state;
    struct reading r;
    read_text(&r, "body A /x/\nscore A 1.5\nbase A 2.35\nbounds A  -100 \t 100 # far\n"
                  "approved A yes\nbody B /x/\nbase B -100\nbounds B -0 0\napproved B yes\n"
                  "approved B no\nbody C /x/\nbase C 100\n");
    assert_string_equal(r.told.text, "");
    const struct weir_rule_source *rule = r.sources.rule;
    assert_true(rule[0].score == 1.5f && rule[0].base == 2.35);
    assert_true(rule[0].low == -100 && rule[0].high == 100 && rule[0].approved);
    assert_true(rule[1].base == -100 && rule[1].low == 0 && !rule[1].approved);
    assert_int_equal(rule[1].said, WEIR_RULE_SAID_TEST | WEIR_RULE_SAID_BASE |
                                       WEIR_RULE_SAID_BOUNDS | WEIR_RULE_SAID_APPROVED);
    assert_true(rule[2].base == 100);
    weir_arena_free(&r.arena);
}

static void of_known_rules_is_told_what_is_said_from_then_on(void **state)
{
    (void)state;
    const struct weir_slice known =
        weir_slice_of("body A /x/\nid A 7\nscore A 2\nbody B /y/\nid B 8\nbody D /d/\n");
    const struct weir_slice then =
        weir_slice_of("state A draft\nid A 7\nbody C /z/\nid B 9\nid D 10\n");
    struct reading r = {.arena = weir_arena_new(4096)};
    struct weir_rule_reader *reader;
    assert_int_equal(weir_rule_reader_new(r.arena, report, &r.told, &reader), 0);
    assert_int_equal(weir_rule_reader_add(reader, "book", known), 0);
    weir_rule_reader_known(reader);
    assert_int_equal(weir_rule_reader_add(reader, "more", then), 0);
    assert_int_equal(weir_rule_reader_end(reader, &r.sources), 0);
    assert_string_equal(r.told.text, "more:4: B has the id 8, which stays\n");
    assert_int_equal(r.sources.rules, 4);
    assert_int_equal(r.sources.rule[0].said, WEIR_RULE_SAID_STATE | WEIR_RULE_SAID_ID);
    assert_int_equal(r.sources.rule[0].state, WEIR_RULE_DRAFT);
    assert_true(r.sources.rule[0].score == 2.0f);
    assert_slice(r.sources.rule[0].pattern, "x");
    assert_int_equal(r.sources.rule[3].said, WEIR_RULE_SAID_TEST);
    weir_arena_free(&r.arena);
}

/* Of the rule of this name in a set read from the text. */
static uint32_t id_in(const char *text, const char *name)
{
    struct reading r;
    uint32_t id = 0;
    read_text(&r, text);
    assert_string_equal(r.told.text, "");
    for (size_t i = 0; i < r.sources.rules; i++) {
        struct weir_slice it = r.sources.rule[i].name;
        if (it.len == strlen(name) && memcmp(it.at, name, it.len) == 0)
            id = r.sources.rule[i].id;
    }
    weir_arena_free(&r.arena);
    return id;
}

static void B5_names_that_make_the_same_id_get_two_whatever_their_order(void **state)
{
    (void)state;
    static const char one[] = "PHRASE_7_6585", other[] = "PHRASE_7_9817";
    const uint32_t same = 169632041;
    static const char *const text[] = {
        "body PHRASE_7_6585 /x/\nbody PHRASE_7_9817 /y/\n",
        "body PHRASE_7_9817 /y/\nbody A /a/\nbody PHRASE_7_6585 /x/\n",
    };
    assert_int_equal(weir_rule_id((struct weir_slice){one, strlen(one)}), same);
    assert_int_equal(weir_rule_id((struct weir_slice){other, strlen(other)}), same);
    const uint32_t next = id_in(text[0], other);
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(id_in(text[i], one), same);
        assert_int_equal(id_in(text[i], other), next);
    }
    assert_in_range(next, 1u << 20, WEIR_RULE_ID_MAX);
    assert_int_not_equal(next, same);
    /* what was fixed stays, and what was found is not taken from it */
    char fixed[200];
    snprintf(fixed, sizeof(fixed), "%sbody FIXED /f/\nid FIXED %u\n", text[0], (unsigned)next);
    assert_int_equal(id_in(fixed, "FIXED"), next);
    assert_int_equal(id_in(fixed, one), same);
    assert_int_not_equal(id_in(fixed, other), next);
    snprintf(fixed, sizeof(fixed), "%sid PHRASE_7_9817 %u\n", text[0], (unsigned)same);
    assert_int_equal(id_in(fixed, other), same);
    assert_int_not_equal(id_in(fixed, one), same);
}

static void B5_ids_follow_from_names_and_are_unique(void **state)
{
    (void)state;
    struct reading r;
    struct weir_slice known = {"FORGED_SENDER", 13};
    assert_int_equal(weir_rule_id(known), weir_rule_id(known));
    read_text(&r, "body ONE /1/\nbody TWO /2/\nid TWO 5\nbody THREE /3/\nid THREE 5\n");
    assert_string_equal(r.told.text, "a.rules:4: rules TWO and THREE have the same id 5\n");
    assert_int_equal(r.sources.rule[0].id, weir_rule_id(r.sources.rule[0].name));
    assert_in_range(r.sources.rule[0].id, 1u << 20, WEIR_RULE_ID_MAX);
    weir_arena_free(&r.arena);
}

static bool same_slice(struct weir_slice a, struct weir_slice b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0);
}

static void what_is_written_is_read_as_the_same_rule(void **state)
{
    (void)state;
    static const char *const table[] = {
        "body A /a\\/b\\#c\\\\/i\nscore A -0.12\ndescribe A one \\# two\n",
        "header A X-Y !~ m!/\\!/!sx [if-unset: \\#none]\nid A 12\ntflags A nice nosubject\n",
        "header A exists:X-\\#\nstate A locked\n", "header A !exists:Q\nscore A 0\n",
        "ip A 192.0.2.0/24 2001:db8::7\n", "meta A (B > 1) && !C\nstate A retired\n",
        "envelope A recipient =~ /\\\\\\#/m\ntflags A multiple maxhits=3 noautolearn\n",
        "uri A m{x{2}/[/\\#]}\nscore A 99.99\n",
        "body A /x/\nscore A 1.5\nbase A 2.3\nbounds A -0.25 3\napproved A yes\n",
        "body A /x/\nbounds A 0 0\napproved A no\nbase A 0\n",
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct reading r, again;
        char text[2000];
        struct weir_line line = weir_line(text, sizeof(text));
        read_text(&r, table[i]);
        assert_string_equal(r.told.text, "");
        const struct weir_rule_source *a = r.sources.rule;
        weir_rule_write(a, &line);
        read_text(&again, weir_line_end(&line));
        assert_string_equal(again.told.text, "");
        const struct weir_rule_source *b = again.sources.rule;
        if (!same_slice(a->pattern, b->pattern) || !same_slice(a->unset, b->unset) ||
            !same_slice(a->selector, b->selector) || !same_slice(a->description, b->description) ||
            a->flags != b->flags || a->hits_most != b->hits_most || a->score != b->score ||
            a->id != b->id || a->state != b->state || a->kind != b->kind ||
            a->prefixes != b->prefixes || a->base != b->base || a->low != b->low ||
            a->high != b->high || a->approved != b->approved)
            fail_msg("%s became %s", table[i], text);
        for (size_t p = 0; p < a->prefixes; p++)
            assert_memory_equal(a->prefix[p].address.octet, b->prefix[p].address.octet, 16);
        weir_arena_free(&again.arena);
        weir_arena_free(&r.arena);
    }
}

/* Limits. ------------------------------------------------------------------- */

/* Reads before, len times c, and after; gives the errors. */
static size_t errors_of(const char *before, size_t len, char c, const char *after)
{
    size_t head = strlen(before), tail = strlen(after), errors;
    char *text = malloc(head + len + tail);
    struct reading r;
    assert_non_null(text);
    memcpy(text, before, head);
    memset(text + head, c, len);
    memcpy(text + head + len, after, tail);
    read_octets(&r, text, head + len + tail);
    errors = r.told.errors;
    weir_arena_free(&r.arena);
    free(text);
    return errors;
}

static void limits_hold_at_the_limit_and_not_one_beyond(void **state)
{
    (void)state;
    static const struct {
        const char *before;
        size_t most;
        const char *after;
    } table[] = {
        {"body ", WEIR_RULE_NAME_MAX, " /x/\n"},                               /* NAME_MAX */
        {"body A /", WEIR_RULE_PATTERN_MAX, "/\n"},                            /* PATTERN_MAX */
        {"body A /x/\ndescribe A ", WEIR_RULE_DESCRIPTION_MAX, "\n"},          /* DESCRIPTION_MAX */
        {"header A exists:", WEIR_FIELD_NAME_MAX, "\n"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        assert_int_equal(errors_of(table[i].before, table[i].most, 'x', table[i].after), 0);
        assert_int_equal(errors_of(table[i].before, table[i].most + 1, 'x', table[i].after), 1);
    }
    size_t comment = WEIR_RULE_LINE_MAX - strlen("body A /x/ #");
    assert_int_equal(errors_of("body A /x/ #", comment, 'c', "\n"), 0);
    assert_int_equal(errors_of("body B /y/\nbody B /x/ #", comment + 1, 'c', "\n"), 1);
    assert_int_equal(errors_of("body A /x/\n", WEIR_RULE_FILE_MAX - 11, '\n', ""), 0);
    assert_int_equal(errors_of("body A /x/\n", WEIR_RULE_FILE_MAX - 10, '\n', ""), 1);
}

static void WEIR_RULES_MAX_rules_are_read_and_not_one_more(void **state)
{
    (void)state;
    const size_t most = WEIR_RULES_MAX + 2, room = most * 24;
    char *text = malloc(room);
    struct reading r;
    size_t len = 0;
    assert_non_null(text);
    for (size_t i = 0; i < most; i++) {
        if (i == WEIR_RULES_MAX) {
            read_octets(&r, text, len);
            assert_int_equal(r.sources.rules, WEIR_RULES_MAX);
            assert_string_equal(r.told.text, "");
            weir_arena_free(&r.arena);
        }
        len += (size_t)snprintf(text + len, room - len, "body R%zu /x/\n", i);
    }
    read_octets(&r, text, len);
    assert_int_equal(r.sources.rules, WEIR_RULES_MAX);
    assert_non_null(strstr(r.told.text, ": more than 100000 rules\n"));
    weir_arena_free(&r.arena);
    free(text);
}

static void a_NUL_in_a_line_is_an_error(void **state)
{
    (void)state;
    struct reading r;
    read_octets(&r, "body A /x\0y/\nbody A /x/", 23);
    assert_int_equal(r.told.errors, 1);
    weir_arena_free(&r.arena);
}

static void B18_points_count_in_hundredths(void **state)
{
    static const struct {
        double points, counted;
    } cases[] = {{1.234, 1.23}, {1.235000001, 1.24}, {-1.236, -1.24}, {2.5, 2.5}, {0.004, 0},
                 {-0.004, 0}, {-100, -100}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        double is = weir_rule_points(cases[i].points);

        assert_true(is == cases[i].counted && !signbit(is) == (cases[i].counted >= 0));
        assert_true(weir_rule_points((double)(float)is) == is);
    }
    assert_true(isnan(weir_rule_points((double)NAN)));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_rule_is_all_its_lines_together),
        cmocka_unit_test(every_kind_of_test_is_read),
        cmocka_unit_test(networks_are_read_in_both_families),
        cmocka_unit_test(each_error_tells_its_line_and_reason_and_reading_goes_on),
        cmocka_unit_test(a_rule_without_a_test_is_an_error),
        cmocka_unit_test(a_later_line_replaces_an_earlier_one),
        cmocka_unit_test(scores_that_are_not_said_follow_from_name_and_flags),
        cmocka_unit_test(what_only_a_rulebook_knows_is_read),
        cmocka_unit_test(of_known_rules_is_told_what_is_said_from_then_on),
        cmocka_unit_test(B5_names_that_make_the_same_id_get_two_whatever_their_order),
        cmocka_unit_test(B5_ids_follow_from_names_and_are_unique),
        cmocka_unit_test(what_is_written_is_read_as_the_same_rule),
        cmocka_unit_test(limits_hold_at_the_limit_and_not_one_beyond),
        cmocka_unit_test(WEIR_RULES_MAX_rules_are_read_and_not_one_more),
        cmocka_unit_test(a_NUL_in_a_line_is_an_error),
        cmocka_unit_test(B18_points_count_in_hundredths),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
