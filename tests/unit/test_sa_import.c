/* sa_import: what becomes of SpamAssassin's rules, and that nothing is lost in silence
 * (sa_import.c, sa_definition.c, sa_finish.c, sa_condition.c, sa_regex.c, sa_meta.c, sa_names.c,
 * sa_replace_tags.c). */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena_impl.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "monitor/ctl/sa_import.h"
#include "monitor/ctl/sa_replace_tags.h"

#define PLUGIN "Mail::SpamAssassin::Plugin::"

struct fixture {
    struct weir_arena *arena;
    struct weir_sa_import import;
};

static int setup(void **state)
{
    struct fixture *f = calloc(1, sizeof(*f));
    f->arena = weir_arena_new(65536);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    struct fixture *f = *state;
    weir_arena_free(&f->arena);
    free(f);
    return 0;
}

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void import(struct fixture *f, const char *text)
{
    struct weir_sa_file file = {"a.cf", slice(text)};
    assert_int_equal(weir_sa_import(&file, 1, f->arena, &f->import), 0);
}

static const struct weir_rule_source *rule(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->import.rules; i++)
        if (f->import.rule[i].name.len == strlen(name) &&
            memcmp(f->import.rule[i].name.at, name, strlen(name)) == 0)
            return &f->import.rule[i];
    return NULL;
}

static const struct weir_sa_missed *missed(const struct fixture *f, const char *name)
{
    for (size_t i = 0; i < f->import.missing; i++)
        if (strcmp(f->import.missed[i].name, name) == 0)
            return &f->import.missed[i];
    return NULL;
}

static size_t count(const struct fixture *f, const char *word)
{
    for (size_t i = 0; i < f->import.words; i++)
        if (strcmp(f->import.word[i].word, word) == 0)
            return f->import.word[i].count;
    return 0;
}

static void assert_slice(struct weir_slice slice, const char *want)
{
    if (slice.len != strlen(want) || (slice.len > 0 && memcmp(slice.at, want, slice.len) != 0))
        fail_msg("got \"%.*s\", want \"%s\"", (int)slice.len, slice.at ? slice.at : "", want);
}

/* Rules that are taken. ------------------------------------------------------- */

static const struct {
    const char *line;
    enum weir_rule_kind kind;
    unsigned flags;
    const char *selector, *pattern, *unset;
} taken[] = {
    {"body R /a b/i", WEIR_RULE_BODY, WEIR_RULE_CASELESS, "", "a b", ""},
    {"rawbody R m{a/b}xs", WEIR_RULE_RAW, WEIR_RULE_EXTENDED | WEIR_RULE_DOTALL, "", "a/b", ""},
    {"uri R m,^http://x,m", WEIR_RULE_URI, WEIR_RULE_MULTILINE, "", "^http://x", ""},
    {"uri R m!a\\!b!", WEIR_RULE_URI, 0, "", "a\\!b", ""},
    {"uri R qr(a(b)c)i", WEIR_RULE_URI, WEIR_RULE_CASELESS, "", "a(b)c", ""},
    {"full R m<a b>", WEIR_RULE_FULL, 0, "", "a b", ""},
    {"full R m;x;", WEIR_RULE_FULL, 0, "", "x", ""},
    {"body R /a\\#b/ # comment", WEIR_RULE_BODY, 0, "", "a#b", ""},
    {"body R /a\\\\#b/", WEIR_RULE_BODY, 0, "", "a\\#b", ""},
    {"  BODY\tR\t/x/  ", WEIR_RULE_BODY, 0, "", "x", ""},
    {"body R /\\/x/", WEIR_RULE_BODY, 0, "", "\\/x", ""},
    {"header R Subject =~ /x/", WEIR_RULE_HEADER, 0, "Subject", "x", ""},
    {"header R Subject=~/x/", WEIR_RULE_HEADER, 0, "Subject", "x", ""},
    {"header R X-Foo.Bar_1 !~ /x/i", WEIR_RULE_HEADER, WEIR_RULE_NEGATED | WEIR_RULE_CASELESS,
     "X-Foo.Bar_1", "x", ""},
    {"header R From:addr =~ /x/ [if-unset: none at all]", WEIR_RULE_HEADER, 0, "From:addr", "x",
     "none at all"},
    {"header R To: =~ /[if]/", WEIR_RULE_HEADER, 0, "To", "[if]", ""},
    {"header R exists:X-Foo", WEIR_RULE_HEADER, WEIR_RULE_EXISTS, "X-Foo", "", ""},
    {"header R ALL:raw =~ /x/", WEIR_RULE_HEADER, 0, "ALL:raw", "x", ""},
    {"header R EnvelopeFrom =~ /x/", WEIR_RULE_ENVELOPE, 0, "sender", "x", ""},
    {"meta R (1 + 2 > 3) && !0 || 4.5 != -1", WEIR_RULE_META, 0, "",
     "(1 + 2 > 3) && !0 || 4.5 != -1", ""},
};

static void each_kind_of_rule_is_taken(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(taken) / sizeof(*taken); i++) {
        import(f, taken[i].line);
        if (f->import.rules != 1)
            fail_msg("%s: %s", taken[i].line, f->import.missing ? f->import.missed[0].why : "?");
        const struct weir_rule_source *r = &f->import.rule[0];
        assert_slice(r->name, "R");
        assert_int_equal(r->kind, taken[i].kind);
        assert_int_equal(r->flags, taken[i].flags);
        assert_slice(r->selector, taken[i].selector);
        assert_slice(r->pattern, taken[i].pattern);
        assert_slice(r->unset, taken[i].unset);
        assert_true(r->score == 1 && r->id == 0 && r->line == 1);
        assert_string_equal(r->file, "a.cf");
        assert_int_equal(f->import.missing, 0);
    }
}

static void what_is_said_about_a_rule_may_come_before_it_and_again(void **state)
{
    struct fixture *f = *state;
    import(f, "score A 2.5 1 1 1\ndescribe A first words\ntflags A nice\n"
              "body A /old/\nbody A /new/i\ndescribe A  second  words \n"
              "tflags A multiple maxhits=7 noautolearn userconf publish\n"
              "body __B /x/\nscore __B 3\nbody T_C /x/\nbody D /x/\ntflags D nice\n"
              "body E /x/\nscore E 1\nscore E (0.5)\nscore E (-2)\n"
              "body F /x/\ntflags F nosubject maxhits=5\nrawbody G /x/\ntflags G nosubject\n"
              "body H /x/\ntflags H multiple maxhits=100000\n");
    const struct weir_rule_source *a = rule(f, "A");
    assert_slice(a->pattern, "new");
    assert_slice(a->description, "second  words");
    assert_int_equal(a->flags, WEIR_RULE_CASELESS | WEIR_RULE_MULTIPLE | WEIR_RULE_NOAUTOLEARN);
    assert_int_equal(a->hits_most, 7);
    assert_true(a->score == 2.5f && a->line == 5);
    assert_true(rule(f, "__B")->score == 0);
    assert_true(rule(f, "T_C")->score == 0.01f);
    assert_true(rule(f, "D")->score == -1);
    assert_true(rule(f, "E")->score == -0.5f);
    assert_int_equal(rule(f, "F")->flags, WEIR_RULE_NOSUBJECT);
    assert_int_equal(rule(f, "F")->hits_most, 0);
    assert_int_equal(rule(f, "G")->flags, 0);
    assert_int_equal(rule(f, "H")->hits_most, WEIR_RULE_REPEATS_MAX);
    assert_int_equal(f->import.missing, 0);
    assert_int_equal(count(f, "tflags publish"), 1);
}

/* Rules that are not. --------------------------------------------------------- */

static const struct { const char *line; enum weir_sa_reason reason; const char *why; } lost[] = {
    {"header R eval:check_rbl('x', 'y')", WEIR_SA_EVAL,
     "needs SpamAssassin's function check_rbl"},
    {"body R eval:html_test('x')", WEIR_SA_EVAL, "needs SpamAssassin's function html_test"},
    {"header R rbleval:old()", WEIR_SA_EVAL, "needs SpamAssassin's function old"},
    {"header R X-Spam-Relays-External =~ /x/", WEIR_SA_HEADER, NULL},
    {"header R Received:ip =~ /x/", WEIR_SA_HEADER, NULL},
    {"header R From:addr:first =~ /x/", WEIR_SA_HEADER, NULL},
    {"header R exists:EnvelopeFrom", WEIR_SA_HEADER, NULL},
    {"mimeheader R Content-Type =~ /x/", WEIR_SA_KIND, NULL},
    {"uri_detail R text =~ /x/", WEIR_SA_KIND, NULL},
    {"askdns R _X_ TXT /x/", WEIR_SA_NETWORK, NULL},
    {"urirhssub R x. A 2", WEIR_SA_NETWORK, NULL},
    {"body R /x/\ntflags R net", WEIR_SA_NETWORK, NULL},
    {"body R /x/\nscore R 0", WEIR_SA_SCORE, NULL},
    {"body R /x/\nscore R 0 1 0 1", WEIR_SA_SCORE, NULL},
    {"body R /(x/", WEIR_SA_EXPRESSION, "PCRE2: missing closing parenthesis (at its octet 2)"},
    {"body R /(*UTF)x/", WEIR_SA_EXPRESSION, NULL},
    {"body R /(*UCP)x/", WEIR_SA_EXPRESSION, NULL},
    {"body R /a\\Cb/", WEIR_SA_EXPRESSION, NULL},
    {"body R /x{2}(?{1})/", WEIR_SA_EXPRESSION, "Perl code in the expression"},
    {"body R /%{TAG}/", WEIR_SA_EXPRESSION, NULL},
    {"body R /x/u", WEIR_SA_EXPRESSION, NULL},
    {"body R /x/e", WEIR_SA_EXPRESSION, NULL},
    {"body R /a/b/", WEIR_SA_EXPRESSION, "the delimiter stands in the expression"},
    {"body R x", WEIR_SA_EXPRESSION, NULL},
    {"body R /", WEIR_SA_EXPRESSION, NULL},
    {"body R //", WEIR_SA_EXPRESSION, "an empty expression"},
    {"body R m", WEIR_SA_EXPRESSION, NULL},
    {"body R m\\x\\", WEIR_SA_EXPRESSION, NULL},
    {"header R Subject /x/", WEIR_SA_SYNTAX, NULL},
    {"header R =~ /x/", WEIR_SA_SYNTAX, NULL},
    {"header R exists:", WEIR_SA_SYNTAX, NULL},
    {"header R exists:a b", WEIR_SA_SYNTAX, NULL},
    {"body R", WEIR_SA_SYNTAX, NULL},
    {"body", WEIR_SA_SYNTAX, NULL},
    {"body 1R /x/", WEIR_SA_SYNTAX, NULL},
    {"meta R A &&", WEIR_SA_SYNTAX, NULL},
    {"meta R A B", WEIR_SA_SYNTAX, NULL},
    {"meta R (A", WEIR_SA_SYNTAX, NULL},
    {"meta R A)", WEIR_SA_SYNTAX, NULL},
    {"meta R A ^ B", WEIR_SA_SYNTAX, NULL},
    {"meta R A ? 1 : 0", WEIR_SA_SYNTAX, NULL},
    {"meta R rules_matching(__X_*)", WEIR_SA_SYNTAX, NULL},
    {"meta R 1.", WEIR_SA_SYNTAX, NULL},
    {"meta R R", WEIR_SA_DEPENDS, NULL},
};

static void each_rule_that_is_not_taken_is_listed_with_its_reason(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(lost) / sizeof(*lost); i++) {
        import(f, lost[i].line);
        if (f->import.rules != 0 || f->import.missing != 1 ||
            f->import.missed[0].reason != lost[i].reason)
            fail_msg("%s: %zu taken, %zu missed: %s", lost[i].line, f->import.rules,
                     f->import.missing, f->import.missing ? f->import.missed[0].why : "");
        assert_string_equal(f->import.missed[0].file, "a.cf");
        assert_int_equal(f->import.missed[0].line, 1);
        if (lost[i].why)
            assert_string_equal(f->import.missed[0].why, lost[i].why);
    }
    for (int i = 0; i < WEIR_SA_REASONS; i++)
        assert_true(strlen(weir_sa_reason_name((enum weir_sa_reason)i)) > 3);
}

static void wrong_lines_about_rules_are_listed(void **state)
{
    struct fixture *f = *state;
    import(f, "body A /x/\nscore A\nscore A 1 2\nscore A 1 2 3 4 5\nscore A x\nscore A (1) (2)\n"
              "score B (1)\ndescribe A\ntflags 1\nreplace_rules 1 A\nreplace_tag A\n");
    assert_int_equal(f->import.rules, 1);
    assert_true(f->import.rule[0].score == 1);
    assert_int_equal(f->import.missing, 10);
    for (size_t i = 0; i < f->import.missing; i++)
        assert_int_equal(f->import.missed[i].reason, WEIR_SA_SYNTAX);
}

/* Meta rules. ---------------------------------------------------------------- */

static void a_meta_rule_needs_all_its_rules(void **state)
{
    struct fixture *f = *state;
    import(f, "meta LATE MID && A\nmeta MID EARLY || A\nmeta EARLY A && GONE\n"
              "header GONE eval:x()\nbody A /x/\nmeta GOOD A && !UNKNOWN + NOUGHT\n"
              "body NOUGHT /x/\nscore NOUGHT 0\nmeta META_NOUGHT A\nscore META_NOUGHT 0\n"
              "meta WAITS A || META_NOUGHT\n"
              "meta RING1 RING2\nmeta RING2 RING3 && A\nmeta RING3 RING1\nmeta BEHIND RING1\n");
    assert_slice(rule(f, "GOOD")->pattern, "A && !0 + 0");
    assert_int_equal(f->import.rules, 2);
    assert_string_equal(missed(f, "EARLY")->why, "depends on GONE, which was not taken");
    assert_string_equal(missed(f, "MID")->why, "depends on EARLY, which was not taken");
    assert_string_equal(missed(f, "LATE")->why, "depends on MID, which was not taken");
    assert_string_equal(missed(f, "WAITS")->why,
                        "depends on META_NOUGHT, which SpamAssassin never evaluates");
    assert_int_equal(missed(f, "RING2")->reason, WEIR_SA_DEPENDS);
    assert_int_equal(missed(f, "BEHIND")->reason, WEIR_SA_DEPENDS);
}

static void meta_rules_have_limits(void **state)
{
    struct fixture *f = *state;
    char text[8 * WEIR_RULE_META_MAX + 200];
    for (int beyond = 0; beyond < 2; beyond++) {
        size_t len = (size_t)sprintf(text, "body A /x/\nmeta M A");
        for (int i = 1; i < WEIR_RULE_META_MAX + beyond; i++)
            len += (size_t)sprintf(text + len, " || A");
        import(f, text);
        assert_int_equal(f->import.rules, 2 - beyond);
        assert_int_equal(f->import.missing, beyond);
    }
    assert_int_equal(f->import.missed[0].reason, WEIR_SA_LIMIT);
    for (int depth = 64; depth <= 65; depth++) {
        sprintf(text, "meta M %.*s1%.*s", depth, "(((((((((((((((((((((((((((((((((((((((((((("
                "(((((((((((((((((((((((((((((((((((((((", depth, "))))))))))))))))))))))))))))))"
                ")))))))))))))))))))))))))))))))))))))))))))");
        import(f, text);
        assert_int_equal(f->import.rules, depth == 64);
    }
}

/* Conditions. ---------------------------------------------------------------- */

static const struct { const char *condition; bool holds; } conditions[] = {
    {"if (version >= 3.004002)", true}, {"if (version < 4.000000)", false},
    {"if version > 4.1", false}, {"if version == 4.000000 && perl_version >= 5.010000", true},
    {"if (version >= 3.0 && !(version >= 4.000001))", true}, {"if !!version", true},
    {"if can(Mail::SpamAssassin::Conf::feature_bug6558_free)", true},
    {"if has(Mail::SpamAssassin::Conf::feature_no_such)", false},
    {"if !can(Mail::SpamAssassin::Conf::compat_welcomelist_blocklist)", true},
    {"if can(" PLUGIN "BodyEval::has_check_body_length)", true},
    {"if can(" PLUGIN "DKIM::has_arc)", false},
    {"if plugin(" PLUGIN "ReplaceTags)", true}, {"if plugin ( " PLUGIN "DKIM )", false},
    {"if !plugin(" PLUGIN "DKIM) || 0", true}, {"if (local_tests_only)", true},
    {"ifplugin " PLUGIN "MIMEHeader # {", true}, {"ifplugin " PLUGIN "DNSEval", false},
    {"ifplugin Some::Other", false}, {"if 0 != 0 || 1 <= 1", true}, {"if 1 < 2", true},
    {"if 2 == 3", false}, {"if 0", false},
};

static void conditions_decide_what_is_read(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(conditions) / sizeof(*conditions); i++) {
        char text[400];
        sprintf(text, "%s\nbody YES /x/\nelse\nbody NO /x/\nendif\nbody AFTER /x/\n",
                conditions[i].condition);
        import(f, text);
        if (f->import.rules != 2 || !rule(f, conditions[i].holds ? "YES" : "NO"))
            fail_msg("%s", conditions[i].condition);
        assert_int_equal(f->import.missing, 1); /* the other one */
    }
}

static void a_rule_of_a_missing_plugin_is_not_lost_in_silence(void **state)
{
    struct fixture *f = *state;
    import(f, "ifplugin " PLUGIN "DKIM\nheader A eval:x()\nmeta M A\nbody BOTH /x/\n"
              "if (version > 3)\nbody INNER /x/\nelse\nbody OTHER /x/\nendif\nendif\n"
              "body BOTH /y/\nbody B /x/\nmeta N A || B\nif (version > 5)\nbody C /x/\nendif\n"
              "meta P B || C\n");
    assert_string_equal(missed(f, "A")->why, "needs the plugin: " PLUGIN "DKIM");
    assert_int_equal(missed(f, "A")->reason, WEIR_SA_PLUGIN);
    assert_int_equal(missed(f, "INNER")->reason, WEIR_SA_PLUGIN);
    assert_int_equal(missed(f, "OTHER")->reason, WEIR_SA_PLUGIN);
    assert_int_equal(missed(f, "C")->reason, WEIR_SA_CONDITION);
    assert_int_equal(missed(f, "N")->reason, WEIR_SA_DEPENDS);
    assert_null(missed(f, "BOTH"));
    assert_slice(rule(f, "BOTH")->pattern, "y");
    assert_slice(rule(f, "P")->pattern, "B || 0"); /* as SpamAssassin has it */
}

static const char *const bad_conditions[] = {
    "if\nendif\n", "if (version\nendif\n", "if nonsense\nendif\n", "if version >\nendif\n",
    "if plugin()\nendif\n", "if 1 2\nendif\n", "endif\n", "else\n", "if 1\n",
    "if 99999999999999999999999999\nendif\n", "if @\nendif\n",
    "if !!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!!1\nendif\n",
    "if ((((((((((((((((((((((((((((((((((((1))))))))))))))))))))))))))))))))))))\nendif\n",
};

static void conditions_that_are_none_are_told(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(bad_conditions) / sizeof(*bad_conditions); i++) {
        import(f, bad_conditions[i]);
        if (f->import.missing != 1 || f->import.missed[0].reason != WEIR_SA_SYNTAX)
            fail_msg("%s: %zu missed", bad_conditions[i], f->import.missing);
    }
}

static void blocks_deeper_than_the_limit_are_not_read(void **state)
{
    struct fixture *f = *state;
    for (int depth = 64; depth <= 65; depth++) {
        char text[65 * 20 + 100] = "";
        for (int i = 0; i < depth; i++)
            strcat(text, "if (1)\n");
        strcat(text, "body INNER /x/\n");
        for (int i = 0; i < depth; i++)
            strcat(text, "endif\n");
        strcat(text, "body AFTER /x/\n");
        import(f, text);
        assert_int_equal(rule(f, "INNER") != NULL, depth == 64);
        assert_non_null(rule(f, "AFTER"));
        assert_int_equal(f->import.missing, depth == 64 ? 0 : 2);
    }
}

/* Tags. ---------------------------------------------------------------------- */

static const char tags[] =
    "replace_tag A [a4@]\nreplace_tag B (?:b|<A>b)\nreplace_tag C c\nreplace_tag ZERO 0\n"
    "replace_tag LOOP x<LOOP>\nreplace_pre P p\nreplace_post Q {1,2}\nreplace_inter W \\W?\n"
    "replace_tag C (?:c|k)\n";

static const struct { const char *pattern, *want; } replaced[] = {
    /* what SpamAssassin 4.0.1 makes of them */
    {"x<A>y", "x[a4@]y"},
    {"<A><C>", "[a4@](?:c|k)"},
    {"<inter W><A><C>x<A>", "[a4@]\\W?(?:c|k)x[a4@]"},
    {"<inter W><post Q>z<A><C>", "z[a4@]{1,2}\\W?(?:c|k){1,2}"},
    {"<pre P><A>-<C>", "p[a4@]-p(?:c|k)"},
    {"<B>", "(?:b|[a4@]b)"},
    {"<UNKNOWN><A>", "<UNKNOWN>[a4@]"},
    {"<ZERO>", "<ZERO>"},
    {"<LOOP>", "xxxxxx<LOOP>"},
    {"(?<!x)<A>", "(?<!x)[a4@]"},
    {"(?<name>x)<A>", "(?<name>x)[a4@]"},
    {"a < b <> <A", "a < b <> <A"},
    {"<pre NONE><A>", "[a4@]"},
};

static void tags_are_replaced_as_spamassassin_does(void **state)
{
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(replaced) / sizeof(*replaced); i++) {
        char text[1000];
        sprintf(text, "%sreplace_rules R  S\nbody R m,%s,\nbody T m,%s,\n", tags,
                replaced[i].pattern, replaced[i].pattern);
        import(f, text);
        assert_slice(rule(f, "R")->pattern, replaced[i].want);
        assert_slice(rule(f, "T")->pattern, replaced[i].pattern);
    }
}

static void an_expression_that_grows_too_long_is_refused(void **state)
{
    struct fixture *f = *state;
    for (int beyond = 0; beyond < 2; beyond++) {
        struct sa_tags table = sa_tags(f->arena);
        char value[110] = "T ";
        memset(value + 2, 'x', 100);
        assert_int_equal(sa_tags_line(&table, slice("replace_tag"), slice(value)), 1);
        size_t count = WEIR_RULE_PATTERN_MAX / 100, rest = WEIR_RULE_PATTERN_MAX % 100;
        char text[WEIR_RULE_PATTERN_MAX];
        size_t len = 0;
        for (size_t i = 0; i < count; i++)
            len += (size_t)sprintf(text + len, "<T>");
        memset(text + len, 'y', rest + (size_t)beyond);
        struct weir_slice out;
        assert_int_equal(sa_tags_replace(&table, (struct weir_slice){text, len + rest +
                                         (size_t)beyond}, &out), beyond ? WEIR_ELIMIT : 0);
    }
    import(f, "replace_tag A <A><A><A><A><A><A><A><A><A><A>\nreplace_rules R\n"
              "body R /<A><A><A><A><A><A><A><A><A><A>/\n");
    assert_int_equal(f->import.rules, 0);
    assert_int_equal(missed(f, "R")->reason, WEIR_SA_LIMIT);
}

/* Files, words, ids. ---------------------------------------------------------- */

static void other_words_are_counted(void **state)
{
    struct fixture *f = *state;
    import(f, "# comment\n\nlang de describe A Worte\nlang fr describe A mots\nreport x\n"
              "report y\ntest A ok text\npriority A 5\nclear-headers\nreuse A\r\n"
              "body A /x/\r\ndescribe A words\n");
    assert_int_equal(count(f, "lang"), 2);
    assert_int_equal(count(f, "report"), 2);
    assert_int_equal(count(f, "clear_headers"), 1);
    assert_int_equal(count(f, "reuse") + count(f, "test") + count(f, "priority"), 3);
    assert_int_equal(f->import.words, 6);
    assert_slice(rule(f, "A")->description, "words");
}

static void limits_of_lines_names_and_texts_are_kept(void **state)
{
    struct fixture *f = *state;
    static char text[2 * WEIR_RULE_LINE_MAX + 1000];
    char name[WEIR_RULE_NAME_MAX + 2], words[WEIR_RULE_DESCRIPTION_MAX + 2];
    for (size_t beyond = 0; beyond < 2; beyond++) {
        memset(name, 'N', sizeof(name));
        memset(words, 'w', sizeof(words));
        name[WEIR_RULE_NAME_MAX + beyond] = words[WEIR_RULE_DESCRIPTION_MAX + beyond] = '\0';
        size_t len = (size_t)sprintf(text, "body %s /x/\nbody D /x/\ndescribe D %s\n"
                                     "score D %d\nbody L /x/ #", name, words,
                                     WEIR_RULE_SCORE_MAX + (int)beyond);
        size_t line = strlen("body L /x/ #");
        memset(text + len, '#', WEIR_RULE_LINE_MAX - line + beyond);
        text[len + WEIR_RULE_LINE_MAX - line + beyond] = '\0';
        import(f, text);
        assert_int_equal(rule(f, name) != NULL, !beyond);
        assert_int_equal(rule(f, "L") != NULL, !beyond);
        assert_int_equal(rule(f, "D")->description.len, WEIR_RULE_DESCRIPTION_MAX);
        assert_true(rule(f, "D")->score == WEIR_RULE_SCORE_MAX);
        assert_int_equal(f->import.missing, beyond ? 4 : 0);
    }
}

static void B5_imported_rules_have_no_ids_and_so_none_that_another_import_gives(void **state)
{
    struct fixture *f = *state;
    struct weir_sa_file file[] = {{"a.cf", slice("body A /x/\nbody __B /x/\n")},
                                  {"b.cf", slice("body C /y/\nif 1")}};
    assert_int_equal(weir_sa_import(file, 2, f->arena, &f->import), 0);
    for (size_t i = 0; i < f->import.rules; i++) {
        char text[200];
        struct weir_line line = weir_line(text, sizeof(text));
        assert_int_equal(f->import.rule[i].id, 0);
        weir_rule_write(&f->import.rule[i], &line);
        assert_null(strstr(weir_line_end(&line), "id "));
    }
    assert_int_equal(f->import.rules, 3);
    assert_string_equal(rule(f, "C")->file, "b.cf");
    assert_string_equal(f->import.missed[0].file, "b.cf");
}

static void scores_are_rounded_to_hundredths_and_never_to_nothing(void **state)
{
    static const struct {
        const char *said;
        float score;
        const char *why;
    } table[] = {
        {"1.499", 1.5f, "its score 1.499 is rounded to 1.50"}, {"1.49", 1.49f, NULL},
        {"0.001", 0.01f, "its score 0.001 is rounded to 0.01"}, {"0.010", 0.01f, NULL},
        {"-0.004", -0.01f, "its score -0.004 is rounded to -0.01"}, {"-2.6", -2.6f, NULL},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[100];
        snprintf(text, sizeof(text), "body A /x/\nscore A %s\n", table[i].said);
        import(f, text);
        assert_true(rule(f, "A")->score == table[i].score);
        assert_int_equal(f->import.missing, table[i].why ? 1 : 0);
        if (table[i].why)
            assert_string_equal(f->import.missed[0].why, table[i].why);
    }
}

static void lines_about_rules_that_are_not_there_are_listed(void **state)
{
    static const struct {
        const char *text, *name, *why; /* "": nothing is listed */
    } table[] = {
        {"score GONE 1", "GONE", "score: no file defines this rule"},
        {"describe GONE words", "GONE", "describe: no file defines this rule"},
        {"tflags GONE nice", "GONE", "tflags: no file defines this rule"},
        {"replace_rules GONE", "GONE", "replace_rules: no file defines this rule"},
        {"meta M A && GONE", "M", "names GONE, which no file defines: it counts as 0"},
        {"score LATER 1\nbody LATER /x/", "", ""},
        {"meta M LATER\nbody LATER /x/", "", ""},
        {"score SKIPPED 1\nmeta M A || SKIPPED\nifplugin No\nbody SKIPPED /x/\nendif",
         "SKIPPED", "needs the plugin: No"},
        {"body REPUTATION /x/", "REPUTATION", "is the name of points of Weir's own"},
    };
    struct fixture *f = *state;
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char text[300];
        snprintf(text, sizeof(text), "body A /x/\n%s\n", table[i].text);
        import(f, text);
        const struct weir_sa_missed *it = missed(f, table[i].name);
        if (!table[i].name[0])
            assert_int_equal(f->import.missing, 0);
        else if (!it || strcmp(it->why, table[i].why) != 0)
            fail_msg("%s: \"%s\"", table[i].text, it ? it->why : "nothing");
    }
    import(f, "body A /x/\nscore GONE 1\ndescribe GONE x\n");
    assert_int_equal(f->import.missing, 2);
    assert_int_equal(f->import.missed[1].line, 3);
    assert_int_equal(f->import.missed[1].reason, WEIR_SA_NOWHERE);
}

static void memory_that_fails_anywhere_is_an_error_and_nothing_else(void **state)
{
    struct fixture *f = *state;
    struct weir_sa_file file = {"a.cf", slice(
        "replace_tag A [a4]\nreplace_rules R\nbody R /<A>\\#/\nmeta M R && S\nmeta S R\n"
        "header E eval:x()\nifplugin No\nbody P /x/\nendif\nmeta N E\nlang x y\nbody B /(/\n"
        "tflags R publish\n")};
    unsigned n = 1;
    for (;; n++) {
        weir_arena_fail_nth(f->arena, n);
        int rc = weir_sa_import(&file, 1, f->arena, &f->import);
        if (!weir_arena_failed(f->arena))
            break;
        assert_true(rc == WEIR_ENOMEM || rc == 0); /* 0: only a reason is shorter */
        weir_arena_reset(f->arena, SIZE_MAX);
    }
    assert_true(n > 50);
    assert_int_equal(f->import.rules, 3);
    assert_int_equal(f->import.missing, 4);
    weir_arena_fail_nth(f->arena, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_kind_of_rule_is_taken),
        TEST(what_is_said_about_a_rule_may_come_before_it_and_again),
        TEST(each_rule_that_is_not_taken_is_listed_with_its_reason),
        TEST(wrong_lines_about_rules_are_listed),
        TEST(a_meta_rule_needs_all_its_rules),
        TEST(meta_rules_have_limits),
        TEST(conditions_decide_what_is_read),
        TEST(a_rule_of_a_missing_plugin_is_not_lost_in_silence),
        TEST(conditions_that_are_none_are_told),
        TEST(blocks_deeper_than_the_limit_are_not_read),
        TEST(tags_are_replaced_as_spamassassin_does),
        TEST(an_expression_that_grows_too_long_is_refused),
        TEST(other_words_are_counted),
        TEST(limits_of_lines_names_and_texts_are_kept),
        TEST(B5_imported_rules_have_no_ids_and_so_none_that_another_import_gives),
        TEST(scores_are_rounded_to_hundredths_and_never_to_nothing),
        TEST(lines_about_rules_that_are_not_there_are_listed),
        TEST(memory_that_fails_anywhere_is_an_error_and_nothing_else),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
