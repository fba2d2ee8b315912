/* rules: what hits what, in matcher.c, matcher_areas.c and matcher_confirm.c; building and its
 * errors in rules_build.c, rules_build_meta.c, rules_build_network.c; rule_image.c and
 * rule_regex.c below them; match_clock_io.c keeps the time. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena_impl.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "tests/unit/rules_rig.h"
#include "tests/unit/seeded.h"

#define MAIL "From: A <a@example.com>\nTo: b@example.org\nDate: Mon, 1 Jan 2024 00:00:00 +0000\n" \
             "Message-ID: <1@example.com>\n"

/* Rules, a mail, and the names that hit. */
static void expect(const char *rules, const char *mail, const char *want)
{
    struct rules_rig *rig = rules_rig_new(rules);
    if (rig->built < 0)
        fail_msg("not built: %s", rig->told);
    const char *hits = rules_rig_match(rig, mail);
    if (strcmp(hits, want) != 0)
        fail_msg("%s gives \"%s\", want \"%s\"", rules, hits, want);
    assert_int_equal(rig->result.faileds, 0);
    assert_false(rig->result.cut);
    rules_rig_free(rig);
}

static const char kinds[] = "header SUBJECT Subject =~ /pill sale/i\n"
                            "header FROM From:addr =~ /@pills\\.example$/\n"
                            "body BODY /buy pills now/i\n"
                            "html HTML /<marquee/i\n";

static void B6_subject_from_body_and_html_rules_hit_only_their_own(void **state)
{
    (void)state;
    expect(kinds, MAIL "Subject: =?utf-8?B?UGlsbCBTYWxl?=\n\nhello\n", "SUBJECT");
    expect(kinds, "From: \"pill sale\" <x@pills.example>\nSubject: hi\n\nhello\n", "FROM");
    expect(kinds, MAIL "Content-Transfer-Encoding: quoted-printable\n\nbuy p=69lls=20now\n",
           "BODY");
    expect(kinds, MAIL "Content-Transfer-Encoding: base64\n\nQnV5IFBpbGxzIG5vdw==\n", "BODY");
    expect(kinds, MAIL "Content-Type: text/html\nContent-Transfer-Encoding: base64\n\n"
                       "PG1hcnF1ZWU+aGVsbG88L21hcnF1ZWU+\n", "HTML");
    expect(kinds, MAIL "\nnothing\n", "");
}

static void each_kind_of_rule_sees_its_area(void **state)
{
    (void)state;
    expect("rawbody R /<b>x/\nuri U /evil\\.example/\nfull F /^From: A/\nbody B /<b>/\n",
           MAIL "Content-Type: text/html\n\n<b>x</b> <a href=\"http://evil.example/\">y</a>\n",
           "R U F");
    expect("body S /^Offer/\ntflags S nosubject\nbody T /^Offer/\n", MAIL "Subject: Offer\n\nx\n",
           "T");
}

static void negated_and_missing_fields_follow_the_rule_language(void **state)
{
    (void)state;
    static const struct {
        const char *rule, *subject, *want;
    } table[] = {
        {"header A Subject !~ /x/\n", "Subject: y\n", "A"},
        {"header A Subject !~ /x/\n", "Subject: x\n", ""},
        {"header A Subject !~ /x/\n", "", "A"},
        {"header A Subject =~ /^$/\n", "", "A"},
        {"header A Subject !~ /^$/\n", "", ""},
        {"header A Subject =~ /^none$/ [if-unset: none]\n", "", "A"},
        {"header A Subject =~ /^none$/ [if-unset: none]\n", "Subject: some\n", ""},
        {"header A Subject !~ /none/ [if-unset: none]\n", "", ""},
        {"header A exists:Subject\n", "", ""},
        {"header A exists:Subject\n", "subject: x\n", "A"},
        {"header A !exists:Subject\n", "", "A"},
        {"header A ALL =~ /^Subject: x$/m\n", "Subject: x\n", "A"},
        {"header A ToCc =~ /example/\n", "", "A"},
        {"header A MESSAGEID =~ /<1@/\n", "", "A"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        char mail[600];
        snprintf(mail, sizeof(mail), "%s%s\nx\n", MAIL, table[i].subject);
        expect(table[i].rule, mail, table[i].want);
    }
}

static void envelope_rules_see_every_recipient(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new(
        "envelope R recipient =~ /^c@/\nenvelope NR recipient !~ /^d@/\nenvelope H helo =~ /^x$/\n"
        "envelope C client =~ /^192\\.0\\.2\\.7$/\nenvelope N sender =~ /^$/\n"
        "envelope V client_name =~ /mail/\n");
    const struct weir_slice to[] = {{"b@x", 3}, {"c@x", 3}};
    struct weir_envelope envelope = {.stage = WEIR_STAGE_END, .has_client = true, .helo = {"x", 1},
                                     .client_name = {"mail.example", 12}};
    assert_int_equal(weir_address_parse("192.0.2.7", 9, &envelope.client), 0);
    rig->input.envelope = &envelope;
    rig->input.recipient = to;
    rig->input.recipients = 2;
    assert_string_equal(rules_rig_match(rig, MAIL "\n"), "R NR H C N V");
    rig->input.envelope = NULL; /* nothing is known: not even that the sender is empty */
    assert_string_equal(rules_rig_match(rig, MAIL "\n"), "");
    rules_rig_free(rig);
}

static void metas_count_hits_and_follow_one_another(void **state)
{
    (void)state;
    const char *rules = "meta LAST MIDDLE && !NEVER\nmeta MIDDLE __X > 2\nbody __X /x/\n"
                        "tflags __X multiple\nbody NEVER /never/\nmeta QUIET !LAST && !NEVER\n"
                        "meta OFFED OFF || DRAFT\nbody OFF /x/\nscore OFF 0\nbody DRAFT /x/\n"
                        "state DRAFT draft\nmeta NULS DEFECT_NUL\nmeta MANY PARTS >= 1\n";
    expect(rules, MAIL "\nx x\n", "QUIET MANY");
    expect(rules, MAIL "\nx x\n\nx\n", "LAST MIDDLE MANY");
    expect(rules, MAIL "\nx x x never\n", "MIDDLE NEVER MANY");
}

static void hits_are_counted_up_to_maxhits(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body A /ab?/\ntflags A multiple maxhits=4\n"
                                          "body B /x*/\ntflags B multiple\nbody C /a/\n");
    rules_rig_match(rig, MAIL "\na ab a a a a\n");
    assert_int_equal(rules_rig_hit(rig, "A")->times, 4);
    assert_int_equal(rules_rig_hit(rig, "C")->times, 1);
    assert_true(rules_rig_hit(rig, "B")->times > 4); /* empty matches move on */
    /* a paragraph with invisible characters comes once more without them */
    rules_rig_match(rig, MAIL "\na f\xc2\xadree\n");
    assert_int_equal(rules_rig_hit(rig, "A")->times, 2);
    rules_rig_free(rig);
}

static void networks_hit_from_the_narrowest_outwards(void **state)
{
    (void)state;
    static const struct {
        const char *address, *want;
    } table[] = {
        {"192.0.2.7", "A B C"}, {"192.0.2.8", "A B"}, {"192.0.3.1", "A"}, {"193.0.0.1", ""},
        {"2001:db8::1", "D"}, {"::1", "D"}, {"2002::", "D"}, {"0.0.0.0", ""},
    };
    struct rules_rig *rig = rules_rig_new("ip A 192.0.0.0/16 192.0.2.0/24\nip B 192.0.2.0/24\n"
                                          "ip C 192.0.2.7\nip D ::/0\n");
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct weir_address address;
        assert_int_equal(weir_address_parse(table[i].address, strlen(table[i].address), &address),
                         0);
        rig->input.boundary = &address;
        const char *hits = rules_rig_match(rig, MAIL "\n");
        if (strcmp(hits, table[i].want) != 0)
            fail_msg("%s hits \"%s\"", table[i].address, hits);
    }
    rules_rig_free(rig);
}

static void thousands_of_networks_agree_with_a_plain_search(void **state)
{
    (void)state;
    enum { NETWORKS = 3000, RULES = 40 };
    static struct weir_prefix prefix[NETWORKS];
    struct seeded s = seeded_new("networks");
    char *text = malloc(NETWORKS * 64 + 4096), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i < NETWORKS; i++) {
        char one[WEIR_PREFIX_TEXT];
        struct weir_address address = {.octet = {[10] = 0xff, [11] = 0xff, [12] = 10}};
        address.octet[13] = (uint8_t)seeded_below(&s, 4);
        address.octet[14] = (uint8_t)seeded_below(&s, 256);
        address.octet[15] = (uint8_t)seeded_below(&s, 256);
        prefix[i] = weir_address_mask(&address, 100 + seeded_below(&s, 29));
        if (i % (NETWORKS / RULES) == 0)
            at += sprintf(at, "\nip R%02u", i / (NETWORKS / RULES));
        at += sprintf(at, " %s", weir_prefix_format(&prefix[i], one));
    }
    struct rules_rig *rig = rules_rig_new(text);
    assert_int_equal(rig->built, 0);
    for (unsigned i = 0; i < 300; i++) {
        struct weir_address address = prefix[seeded_below(&s, NETWORKS)].address;
        address.octet[15] ^= (uint8_t)seeded_below(&s, 8);
        rig->input.boundary = &address;
        rules_rig_match(rig, MAIL "\n");
        for (unsigned r = 0; r < RULES; r++) {
            char name[8];
            bool want = false;
            for (unsigned p = 0; p < NETWORKS / RULES; p++)
                want |= weir_prefix_contains(&prefix[r * (NETWORKS / RULES) + p], &address);
            snprintf(name, sizeof(name), "R%02u", r);
            assert_int_equal(rules_rig_hit(rig, name) != NULL, want);
        }
    }
    rules_rig_free(rig);
    free(text);
}

static void A6_the_score_is_the_sum_of_the_points_of_the_hits(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new(
        "body A /x/\nscore A 2.5\nbody B /x/\nscore B -1\ntflags B nice\nbody T /x/\nscore T 9\n"
        "state T test\nbody L /x/\nscore L 0.25\nstate L locked\nbody __H /x/\nbody R /x/\n"
        "state R retired\n");
    double sum = 0;
    assert_string_equal(rules_rig_match(rig, MAIL "\nx\n"), "A B T L");
    for (size_t i = 0; i < rig->result.hits; i++)
        sum += (double)rig->result.hit[i].points;
    assert_true(sum == rig->result.score && sum == 1.75);
    assert_true(rules_rig_hit(rig, "T")->points == 0);
    assert_string_equal(rules_rig_match_octets(rig, MAIL "\nx\n", strlen(MAIL) + 3,
                                               WEIR_MATCH_HIDDEN), "A B T L __H");
    assert_true(rig->result.score == 1.75);
    rules_rig_free(rig);
}

static void A5_a_rule_more_or_less_moves_the_score_of_the_same_mail(void **state)
{
    (void)state;
    static const char *const set[] = {"body A /pill/\nscore A 3\n",
                                      "body A /pill/\nscore A 3\nbody B /cheap/\nscore B 2.5\n",
                                      "body A /pill/\nscore A 3\n"};
    static const double want[] = {3, 5.5, 3};
    for (size_t i = 0; i < 3; i++) {
        struct rules_rig *rig = rules_rig_new(set[i]);
        rules_rig_match(rig, MAIL "\ncheap pills\n");
        assert_true(rig->result.score == want[i]);
        rules_rig_free(rig);
    }
}

static void a_hit_shows_what_matched(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body W /wonder \\w+ pills?/i\nbody P /pills/\n"
                                          "body L /start.*/\nmeta M W\n");
    rules_rig_match(rig, MAIL "\nget Wonder blue pills today\n\n"
                         "start 1234567890 1234567890 1234567890 1234567890 1234567890 1234567890 "
                         "1234567890 1234567890 1234567890 1234567890\n");
    const struct weir_rule_hit *hit = rules_rig_hit(rig, "W");
    assert_int_equal(hit->area, WEIR_AREA_BODY);
    assert_int_equal(hit->evidence.len, 17);
    assert_memory_equal(hit->evidence.at, "Wonder blue pills", 17);
    assert_memory_equal(rules_rig_hit(rig, "P")->evidence.at, "pills", 5);
    assert_int_equal(rules_rig_hit(rig, "L")->evidence.len, WEIR_RULE_EVIDENCE_MAX);
    assert_int_equal(rules_rig_hit(rig, "M")->evidence.len, 0);
    rules_rig_free(rig);
}

/* Building. --------------------------------------------------------------------- */

static void a_set_with_errors_is_not_built_and_all_are_told(void **state)
{
    (void)state;
    static const struct {
        const char *rules, *why;
    } table[] = {
        {"body A /x/\nbody B /(/\n", "test.rules:2: rule B: missing closing parenthesis"},
        {"body A /(*UTF)x/\n", "test.rules:1: rule A: "},
        {"meta A B\n", "test.rules:1: rule A: there is no rule or fact B\n"},
        {"meta A A\n", "in a circle through A\n"},
        {"meta A B\nmeta B C\nmeta C A\n", "in a circle through A\n"},
        {"meta A (1\n", "lacks a ')'"},
        {"body NULL_SENDER /x/\n", "the name of a fact"},
        {"body A /[z-a]/\nmeta B !\nstate B draft\n", "rule B: the formula ends too early"},
    };
    for (size_t i = 0; i < sizeof(table) / sizeof(table[0]); i++) {
        struct rules_rig *rig = rules_rig_new(table[i].rules);
        if (rig->built != WEIR_EINVAL || rig->octets || !strstr(rig->told, table[i].why))
            fail_msg("%s: %d %s", table[i].rules, rig->built, rig->told);
        rules_rig_free(rig);
    }
}

static void words_of_a_rulebook_have_no_effect_at_a_server(void **state)
{
    (void)state;
    struct rules_rig *plain = rules_rig_new("body A /x/\nscore A 2\nbody B /y/\nstate B test\n");
    struct rules_rig *kept = rules_rig_new(
        "body A /x/\nscore A 2\nbase A 9\nbounds A -1 1\napproved A no\n"
        "body B /y/\nstate B test\napproved B yes\nbounds B 0 100\n");
    assert_string_equal(kept->told, "");
    assert_int_equal(kept->len, plain->len);
    assert_memory_equal(kept->octets, plain->octets, plain->len);
    rules_rig_free(kept);
    rules_rig_free(plain);
}

static void WEIR_RULE_SELECTORS_MAX_header_names_are_taken_and_not_one_more(void **state)
{
    (void)state;
    char *text = malloc((WEIR_RULE_SELECTORS_MAX + 1) * 40), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i <= WEIR_RULE_SELECTORS_MAX; i++) {
        if (i == WEIR_RULE_SELECTORS_MAX) {
            struct rules_rig *rig = rules_rig_new(text);
            assert_int_equal(rig->built, 0);
            assert_string_equal(rules_rig_match(rig, "X-7: 1\n\n"), "R7");
            rules_rig_free(rig);
        }
        at += sprintf(at, "header R%u X-%u =~ /1/\n", i, i);
    }
    struct rules_rig *rig = rules_rig_new(text);
    assert_int_equal(rig->built, WEIR_EINVAL);
    rules_rig_free(rig);
    free(text);
}

static void B5_rules_are_found_by_number_id_and_name(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body B /b/\nid B 9\ndescribe B bees\nbody A /a/\n"
                                          "header C Subject =~ /c/\nid C 3\nstate C test\n");
    struct weir_rule rule;
    assert_int_equal(weir_rules_count(rig->rules), 3);
    assert_int_equal(weir_rules_serial(rig->rules), 7);
    assert_int_equal(weir_rules_find(rig->rules, 9, &rule), 1);
    assert_memory_equal(rule.description.at, "bees", 4);
    assert_int_equal(weir_rules_named(rig->rules, (struct weir_slice){"C", 1}, &rule), 1);
    assert_memory_equal(rule.selector.at, "Subject", 7);
    assert_int_equal(rule.id, 3);
    assert_true(rule.score == 0 && rule.state == WEIR_RULE_TEST);
    assert_int_equal(weir_rules_named(rig->rules, (struct weir_slice){"A", 1}, &rule), 1);
    assert_int_equal(rule.id, weir_rule_id((struct weir_slice){"A", 1}));
    assert_int_equal(weir_rules_find(rig->rules, 4, &rule), 0);
    assert_int_equal(weir_rules_named(rig->rules, (struct weir_slice){"AA", 2}, &rule), 0);
    assert_int_equal(weir_rules_get(rig->rules, 3, &rule), 0);
    rules_rig_free(rig);
}

/* Bounds and damage. ---------------------------------------------------------------- */

static void an_expression_that_runs_away_is_failed_and_never_a_hit(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body A /^(a|aa|a?)*$/\nbody B /b/\n"
                                          "header N Subject !~ /^(a+)+$/\nmeta M A\n");
    char mail[1200] = MAIL "Subject: ", run[300];
    memset(run, 'a', sizeof(run) - 1);
    run[sizeof(run) - 1] = '\0';
    snprintf(mail + strlen(mail), sizeof(mail) - strlen(mail), "%s!\n\n%s!\n\nb\n", run, run);
    assert_string_equal(rules_rig_match(rig, mail), "B");
    assert_true(rig->result.faileds >= 1);
    for (unsigned i = 0; i < 70; i++) /* with machine code, too */
        assert_string_equal(rules_rig_match(rig, mail), "B");
    assert_true(rig->result.faileds >= 1);
    assert_string_equal(rules_rig_match(rig, MAIL "\naaa\n"), "A N M");
    rules_rig_free(rig);
}

static void WEIR_RULE_HITS_MAX_hits_are_reported_and_the_score_is_theirs(void **state)
{
    (void)state;
    char *text = malloc((WEIR_RULE_HITS_MAX + 1) * 32), *at = text;
    assert_non_null(text);
    for (unsigned i = 0; i <= WEIR_RULE_HITS_MAX; i++) {
        if (i == WEIR_RULE_HITS_MAX) {
            struct rules_rig *rig = rules_rig_new(text);
            rules_rig_match(rig, MAIL "\nx\n");
            assert_int_equal(rig->result.hits, WEIR_RULE_HITS_MAX);
            assert_false(rig->result.cut);
            rules_rig_free(rig);
        }
        at += sprintf(at, "body R%u /x/\n", i);
    }
    struct rules_rig *rig = rules_rig_new(text);
    rules_rig_match(rig, MAIL "\nx\n");
    assert_int_equal(rig->result.hits, WEIR_RULE_HITS_MAX);
    assert_true(rig->result.score == WEIR_RULE_HITS_MAX);
    assert_true(rig->result.cut);
    rules_rig_free(rig);
    free(text);
}

static void a_header_too_long_to_be_read_whole_hides_nothing_else(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("header S Subject =~ /ab/\nbody B /pills/\n"
                                          "header T To =~ /b@/\nheader N To !~ /c@/\n");
    size_t len = strlen(MAIL), long_one = WEIR_HEADER_TEXT_MAX + 1000;
    char *mail = malloc(len + long_one + 100);
    assert_non_null(mail);
    memcpy(mail, MAIL, len);
    len += (size_t)sprintf(mail + len, "Subject: ab ");
    memset(mail + len, 'x', long_one);
    len += long_one;
    len += (size_t)sprintf(mail + len, "\n\npills\n");
    assert_string_equal(rules_rig_match_octets(rig, mail, len, 0), "S B T N");
    free(mail);
    rules_rig_free(rig);
}

static void header_rules_see_a_text_as_it_is_and_as_it_is_read(void **state)
{
    static const char mail[] = "Subject: fr\xe2\x80\x8b" "ee\n"
                               "From: =?utf-8?q?B=C2=ADank?= <a@b.c>\n"
                               "X-A: fr\xe2\x80\x8b" "ee\nTo: free@b.c\n\nmo\xc2\xadney\n";
    (void)state;
    struct rules_rig *rig = rules_rig_new(
        "header SEEN Subject =~ /^free$/\nheader IS Subject =~ /fr\\xe2\\x80\\x8bee/\n"
        "header NAME From:name =~ /Bank/\nheader RAW X-A:raw =~ /free/\n"
        "header NOT Subject !~ /free/\nheader TWICE To =~ /free/\ntflags TWICE multiple\n"
        "header ALL_OF ALL =~ /^X-A: free$/m\nbody BODY /money/\n"
        "body LINE /^free$/\nmeta COUNT INVISIBLE == 2\n");
    assert_string_equal(rules_rig_match(rig, mail), "SEEN IS NAME TWICE ALL_OF BODY COUNT");
    rules_rig_free(rig);
}

static void memory_that_is_short_is_told_and_harms_nothing(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("header A Subject !~ /x/\nbody B /pills/\n"
                                          "meta C A && B\nenvelope D helo =~ /^$/\n");
    static const char mail[] = MAIL "\npills\n";
    struct weir_envelope envelope = {.stage = WEIR_STAGE_END};
    struct weir_message message;
    struct weir_content content;
    struct weir_rule_result result;
    rig->input.envelope = &envelope;
    assert_string_equal(rules_rig_match(rig, mail), "A B C D");
    assert_int_equal(weir_message_parse(mail, sizeof(mail) - 1, rig->arena, &message), 0);
    assert_int_equal(weir_content_read(&message, NULL, rig->arena, &content), 0);
    rig->input.message = &message;
    rig->input.content = &content;
    for (unsigned n = 1;; n++) {
        weir_arena_fail_nth(rig->arena, n);
        int rc = weir_rules_match(rig->matcher, &rig->input, 0, rig->arena, &result);
        if (!weir_arena_failed(rig->arena))
            break;
        assert_int_equal(rc, WEIR_ENOMEM);
    }
    weir_arena_fail_nth(rig->arena, 0);
    assert_string_equal(rules_rig_match(rig, mail), "A B C D");
    rules_rig_free(rig);
}

static void an_image_with_one_octet_changed_is_refused_or_harmless(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new(
        "body A /wonder/\ntflags A multiple\nheader B Subject !~ /x/\nmeta C A && !D\n"
        "ip D 192.0.2.0/24 192.0.2.7\nheader E exists:To\nmeta F !C\nbody G /a[bc]+d/\n");
    struct seeded s = seeded_new("image damage");
    struct weir_address address;
    assert_int_equal(weir_address_parse("192.0.2.7", 9, &address), 0);
    rig->input.boundary = &address;
    assert_string_equal(rules_rig_match(rig, MAIL "\nwonder abcd\n"), "A B D E F G");
    for (unsigned i = 0; i < 4000; i++) {
        struct rules_rig damaged = *rig;
        void *octets = malloc(rig->len);
        assert_non_null(octets);
        memcpy(octets, rig->octets, rig->len);
        unsigned bit = 1 + seeded_below(&s, 255);
        ((uint8_t *)octets)[seeded_below(&s, (unsigned)rig->len)] ^= (uint8_t)bit;
        assert_int_equal(weir_rules_attach(octets, rig->len, true, &damaged.rules), WEIR_ECORRUPT);
        if (weir_rules_attach(octets, rig->len, false, &damaged.rules) == 0) {
            assert_int_equal(weir_matcher_new(damaged.rules, &damaged.matcher), 0);
            damaged.arena = weir_arena_new(1 << 16); /* thousands of messages overfill one */
            assert_non_null(damaged.arena);
            rules_rig_match(&damaged, MAIL "\nwonder abcd\n");
            weir_arena_free(&damaged.arena);
            weir_matcher_free(&damaged.matcher);
            weir_rules_free(&damaged.rules);
        }
        free(octets);
    }
    assert_int_equal(weir_rules_attach(rig->octets, rig->len - 8, true, &rig->rules),
                     WEIR_ECORRUPT);
    rules_rig_free(rig);
}

static void a_matcher_remembers_nothing_of_the_message_before(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new(
        "body A /one/\nheader B Subject !~ /x/\nmeta C A + B > 1\nmeta D !A\nbody E /two|2/\n");
    static const struct {
        const char *mail, *want;
    } table[] = {{MAIL "\none\n", "A B C"}, {MAIL "Subject: x\n\ntwo\n", "D E"},
                 {MAIL "Subject: x\n\none\n", "A"}, {MAIL "\n", "B D"}};
    for (unsigned i = 0; i < 400; i++) {
        size_t which = (i * 7 + i / 5) % 4;
        assert_string_equal(rules_rig_match(rig, table[which].mail), table[which].want);
    }
    assert_int_equal(weir_rules_compile_all(rig->rules), 0);
    assert_string_equal(rules_rig_match(rig, table[0].mail), table[0].want);
    rules_rig_free(rig);
}

static void a_profile_names_the_rules_that_were_tried(void **state)
{
    (void)state;
    struct rules_rig *rig = rules_rig_new("body A /[a-z]+ing\\b/\nbody B /nowhere\\d/\n");
    struct weir_rule_profile profile[4];
    rules_rig_match(rig, MAIL "\nsomething\n");
    assert_int_equal(weir_matcher_profile(rig->matcher, profile, 4), 0);
    rules_rig_match_octets(rig, MAIL "\nsomething\n", strlen(MAIL) + 11, WEIR_MATCH_PROFILE);
    assert_int_equal(weir_matcher_profile(rig->matcher, profile, 4), 1);
    assert_int_equal(profile[0].number, 0);
    assert_true(profile[0].tried >= 1 && profile[0].nanoseconds > 0);
    rules_rig_free(rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B6_subject_from_body_and_html_rules_hit_only_their_own),
        cmocka_unit_test(each_kind_of_rule_sees_its_area),
        cmocka_unit_test(negated_and_missing_fields_follow_the_rule_language),
        cmocka_unit_test(envelope_rules_see_every_recipient),
        cmocka_unit_test(metas_count_hits_and_follow_one_another),
        cmocka_unit_test(hits_are_counted_up_to_maxhits),
        cmocka_unit_test(networks_hit_from_the_narrowest_outwards),
        cmocka_unit_test(thousands_of_networks_agree_with_a_plain_search),
        cmocka_unit_test(A6_the_score_is_the_sum_of_the_points_of_the_hits),
        cmocka_unit_test(A5_a_rule_more_or_less_moves_the_score_of_the_same_mail),
        cmocka_unit_test(a_hit_shows_what_matched),
        cmocka_unit_test(a_set_with_errors_is_not_built_and_all_are_told),
        cmocka_unit_test(words_of_a_rulebook_have_no_effect_at_a_server),
        cmocka_unit_test(WEIR_RULE_SELECTORS_MAX_header_names_are_taken_and_not_one_more),
        cmocka_unit_test(B5_rules_are_found_by_number_id_and_name),
        cmocka_unit_test(an_expression_that_runs_away_is_failed_and_never_a_hit),
        cmocka_unit_test(WEIR_RULE_HITS_MAX_hits_are_reported_and_the_score_is_theirs),
        cmocka_unit_test(a_header_too_long_to_be_read_whole_hides_nothing_else),
        cmocka_unit_test(header_rules_see_a_text_as_it_is_and_as_it_is_read),
        cmocka_unit_test(memory_that_is_short_is_told_and_harms_nothing),
        cmocka_unit_test(an_image_with_one_octet_changed_is_refused_or_harmless),
        cmocka_unit_test(a_matcher_remembers_nothing_of_the_message_before),
        cmocka_unit_test(a_profile_names_the_rules_that_were_tried),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
