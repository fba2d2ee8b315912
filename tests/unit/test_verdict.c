/* verdict - the words for a decision: replies, headers, log lines, reasons. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/engine/verdict.h"

#define SLICE(text) ((struct weir_slice){text, sizeof(text) - 1})

/* 2026-11-22 10:00:00 UTC */
#define ENDS (1795341600 * WEIR_SECOND)

static struct weir_envelope an_envelope(void)
{
    struct weir_envelope envelope = {
        .stage = WEIR_STAGE_RCPT,
        .has_client = true,
        .sender = SLICE("news@mail.shop.example"),
        .recipient = SLICE("user@test.example"),
    };
    assert_int_equal(weir_address_parse("203.0.113.7", 11, &envelope.client), 0);
    return envelope;
}

static struct weir_decision a_listed_one(void)
{
    struct weir_decision decision = {
        .verdict = WEIR_BLOCKED,
        .action = WEIR_REJECT,
        .intended = WEIR_REJECT,
        .ground = WEIR_GROUND_BLACKLIST,
        .entry = {.ends = ENDS, .reason = "spam run"},
        .id = "abcdefghjkmnp",
    };
    const char *why;
    assert_int_equal(weir_prefix_parse("203.0.113.0/24", 14, &decision.entry.prefix, &why), 0);
    return decision;
}

static struct weir_decision a_judged_one(void)
{
    return (struct weir_decision){
        .verdict = WEIR_SPAM,
        .action = WEIR_PASS,
        .intended = WEIR_REJECT,
        .ground = WEIR_GROUND_REPUTATION,
        .score = 3,
        .judged = true,
        .reputation = {.probability = 0.98765, .confidence = 0.97, .points = 2,
                       .basis = WEIR_BASIS_PAIR, .association = WEIR_ASSOCIATION_UNCOMMON},
        .forged = true,
        .domain = "shop.example",
        .id = "abcdefghjkmnp",
    };
}

static const char *logged(const struct weir_decision *decision,
                          const struct weir_envelope *envelope,
                          char text[static WEIR_DECISION_TEXT])
{
    char facts[WEIR_DECISION_TEXT];

    return weir_decision_log(weir_decision_facts(decision, envelope, NULL, facts), envelope, text);
}

static void a_listed_sender_is_told_since_when_why_and_whom_to_ask(void **state)
{
    struct weir_decision decision = a_listed_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    assert_string_equal(weir_decision_reply(&decision, &envelope, "https://mx.example/help", text),
                        "550 5.7.1 Refused: 203.0.113.7 is listed until 2026-11-22T10:00:00Z "
                        "(ref abcdefghjkmnp): spam run; see https://mx.example/help");
    decision.entry.ends = 0;
    decision.entry.reason[0] = '\0';
    assert_string_equal(weir_decision_reply(&decision, &envelope, "", text),
                        "550 5.7.1 Refused: 203.0.113.7 is listed until it is removed "
                        "(ref abcdefghjkmnp); ask the recipient's postmaster");
}

static void a_deferred_sender_gets_a_temporary_code(void **state)
{
    struct weir_decision decision = a_judged_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    decision.action = WEIR_DEFER;
    assert_string_equal(weir_decision_reply(&decision, &envelope, "", text),
                        "450 4.7.1 Deferred: 203.0.113.7 sends mostly spam for shop.example "
                        "(ref abcdefghjkmnp); ask the recipient's postmaster");
}

static void a_reply_is_never_longer_than_its_limit(void **state)
{
    struct weir_decision decision = a_listed_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT], url[400];

    (void)state;
    memset(decision.entry.reason, 'r', WEIR_REASON_MAX);
    decision.entry.reason[WEIR_REASON_MAX] = '\0';
    memset(url, 'u', sizeof url - 1);
    url[sizeof url - 1] = '\0';
    assert_int_equal(strlen(weir_decision_reply(&decision, &envelope, url, text)), WEIR_REPLY_MAX);
}

static void text_from_outside_forges_nothing(void **state)
{
    struct weir_decision decision = a_listed_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    strcpy(decision.entry.reason, "one\r\n250 two");
    assert_null(strchr(weir_decision_reply(&decision, &envelope, "x\ny", text), '\n'));
    envelope.sender = SLICE("a> id=fake\n<b@c.example");
    assert_non_null(strstr(logged(&decision, &envelope, text),
                           " sender=<a>_id=fake?<b@c.example> "));
}

static void the_log_line_has_every_field_once(void **state)
{
    struct weir_decision decision = a_judged_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    assert_string_equal(
        logged(&decision, &envelope, text),
        "verdict=spam score=3.00 action=pass intended=reject ground=reputation "
        "client=203.0.113.7 boundary=203.0.113.7 domain=shop.example probability=0.9877 "
        "confidence=0.97 basis=pair association=uncommon rules=REPUTATION(2.00),FORGED_DOMAIN "
        "id=abcdefghjkmnp sender=<news@mail.shop.example> recipient=<user@test.example>");
    envelope.queue_id = SLICE("4XYZbC3lqfz1");
    assert_non_null(strstr(logged(&decision, &envelope, text),
                           " id=abcdefghjkmnp queue_id=4XYZbC3lqfz1 sender=<"));
    envelope.queue_id = SLICE("4X action=pass");
    assert_null(strstr(logged(&decision, &envelope, text), "queue_id="));
    decision = a_listed_one();
    decision.store_missing = decision.lists_missing = true;
    assert_string_equal(
        logged(&decision, &envelope, text),
        "verdict=blocked score=0.00 action=reject ground=blacklist client=203.0.113.7 "
        "boundary=203.0.113.7 domain=- rules=- missing=counters missing=lists "
        "id=abcdefghjkmnp sender=<news@mail.shop.example> recipient=<user@test.example>");
}

static void the_facts_fit_a_header_and_hold_no_recipient(void **state)
{
    struct weir_decision decision = a_judged_one();
    struct weir_envelope envelope = an_envelope();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    assert_string_equal(
        weir_decision_facts(&decision, &envelope, NULL, text),
        "verdict=spam score=3.00 action=pass intended=reject ground=reputation "
        "client=203.0.113.7 boundary=203.0.113.7 domain=shop.example probability=0.9877 "
        "confidence=0.97 basis=pair association=uncommon rules=REPUTATION(2.00),FORGED_DOMAIN "
        "id=abcdefghjkmnp");
}

static void reasons_read_as_sentences(void **state)
{
    struct weir_decision decision = a_listed_one();
    char text[WEIR_DECISION_TEXT];

    (void)state;
    assert_string_equal(weir_decision_reason(&decision, text),
                        "203.0.113.0/24 is on the blacklist until 2026-11-22T10:00:00Z: spam run");
    decision = a_judged_one();
    assert_string_equal(weir_decision_reason(&decision, text),
                        "this address for this domain: spam with 99 % probability, confidence "
                        "97 %; the domain's name seems forged");
    decision.ground = WEIR_GROUND_WHITELIST;
    decision.entry.is_domain = true;
    strcpy(decision.entry.domain, "shop.example");
    assert_string_equal(weir_decision_reason(&decision, text),
                        "shop.example is acceptable until it is removed");
    decision.ground = WEIR_GROUND_NULL_SENDER;
    assert_string_equal(weir_decision_reason(&decision, text), "bounces always pass");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_listed_sender_is_told_since_when_why_and_whom_to_ask),
        cmocka_unit_test(a_deferred_sender_gets_a_temporary_code),
        cmocka_unit_test(a_reply_is_never_longer_than_its_limit),
        cmocka_unit_test(text_from_outside_forges_nothing),
        cmocka_unit_test(the_log_line_has_every_field_once),
        cmocka_unit_test(the_facts_fit_a_header_and_hold_no_recipient),
        cmocka_unit_test(reasons_read_as_sentences),
    };
    return cmocka_run_group_tests_name("verdict", tests, NULL, NULL);
}
