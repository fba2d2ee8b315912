/*
 * drafts - a run over what the database has: texts, votes, the rulebook, good mail (drafts_io.c,
 * drafts_store_io.c, rescan.c, database_drafts_io.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/evidence/bayes_tokens.h"
#include "monitor/analyzer/drafts_io.h"
#include "monitor/analyzer/reported_text.h"
#include "monitor/database/database_drafts_io.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_texts_io.h"
#include "tests/unit/drafts_rig.h"

/* What a run drafts, stored. */
static size_t drafted(struct world *world)
{
    struct weir_drafts *drafts = run(world);
    size_t count = 0;

    while (weir_drafts_get(drafts, count))
        count++;
    database_must(world->rig, weir_drafts_store(drafts, world->rig->database), 0);
    weir_drafts_free(&drafts);
    return count;
}

/* A good message as the classifier has learned it. */
static void learn_ham(struct world *world, const char *text)
{
    const char *mail = weir_arena_printf(world->arena, "From: a@b.example\n\n%s\n", text);
    struct weir_message message;
    struct weir_content content;
    struct weir_charsets *charsets;
    struct weir_bayes_tokens tokens;
    struct weir_bayes_source source = {.message = &message, .content = &content};
    char *sent = weir_arena_take(world->arena, 20000);
    size_t len = 0;

    assert_int_equal(weir_charsets_new(&charsets), 0);
    source.charsets = charsets;
    assert_int_equal(weir_message_parse(mail, strlen(mail), world->arena, &message), 0);
    assert_int_equal(weir_content_read(&message, charsets, world->arena, &content), 0);
    assert_int_equal(weir_bayes_tokens_read(&token_key, &source, world->arena, &tokens), 0);
    for (size_t i = 0; i < tokens.tokens; i++)
        len += (size_t)sprintf(sent + len, "%016llx", (unsigned long long)tokens.token[i].hash);
    sql(world, weir_arena_printf(world->arena, "INSERT INTO lessons (uid, time, server, source, "
        "label, said, learned, weight, learned_at, tokens) VALUES (%llu, 1, 1, 'verdict', 'ham', "
        "'', 'ham', 1, 1, x'%s')", (unsigned long long)world->uid++, sent));
    weir_charsets_free(&charsets);
}

static void B32_a_draft_is_a_rule_with_its_history_and_what_it_was_made_of(void **state)
{
    struct world *world = *state;

    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM rules WHERE state = 'draft' AND "
                            "author = 'analyzer' AND score = 2.0 AND approved = 0 AND text GLOB "
                            "'body MISSED_TEXT_* /\\b*\\b/i*nosubject*'"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM rule_changes WHERE what = 'added' AND "
                            "why GLOB '4 reports of missed spam by 4 people in 3 domains*'"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM draft_messages"), 4);
    assert_int_equal(number(world, "SELECT count(*) FROM audit WHERE what = 'rules draft'"), 1);
    /* It hits them all by now. */
    put_campaign(world, 4);
    assert_int_equal(drafted(world), 0);
}

static void B32_what_rules_catch_by_now_or_was_judged_spam_only_counts(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;
    struct weir_drafts_counts counts;

    put_rule(world, "PARCEL", "body PARCEL /parcel number/i\n", 6);
    put_campaign(world, 4);
    for (int i = 0; i < 4; i++)
        vote(world, put_text(world, "another text of spam that was refused anyway, and reported "
                                    "as such by people with nothing to do", "spam"), i,
             i % 2 ? "one.example" : "two.example", "spam");
    drafts = run(world);
    counts = weir_drafts_counts(drafts);
    assert_int_equal(counts.missed, 8);
    assert_int_equal(counts.caught, 8);
    assert_int_equal(counts.enough, 2);
    assert_null(weir_drafts_get(drafts, 0));
    assert_null(weir_drafts_note(drafts, 0));
    weir_drafts_free(&drafts);
}

static void say_it_is_good(struct world *world, uint64_t uid, int user)
{
    vote(world, uid, user, "bad.example", "ham");
    sql(world, weir_arena_printf(world->arena, "UPDATE reports SET kind = 'ham' WHERE uid = %llu "
                                 "AND user = %d", (unsigned long long)uid, user));
}

static void B32_no_draft_is_in_a_message_reported_as_good(void **state)
{
    struct world *world = *state;

    put_campaign(world, 4);
    say_it_is_good(world, put_text(world, "you know, your parcel number 7 waits at the depot, pay "
                                   "the small fee of 9 dollars at once or it goes back to the "
                                   "sender, this is the last notice we send you before that",
                                   "ham"), 77);
    assert_int_equal(drafted(world), 0);
}

/* Who sends the campaign and has a mailbox can say what he likes of his own copies. */
static void B32_one_person_alone_keeps_no_draft_away_and_withdraws_none(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;

    world->options.people = 2;
    put_campaign(world, 4);
    for (int i = 0; i < 3; i++)
        say_it_is_good(world, put_text(world, NULL, "ham"), 77);
    learn_ham(world, "Your parcel number 5 waits at the depot, pay the small fee of 4 dollars at "
                     "once or it goes back to the Sender, this is the last notice we send you "
                     "before that");
    sql(world, "UPDATE lessons SET source = 'report', label = '', said = 'ham'");
    say_it_is_good(world, world->uid - 1, 77);
    assert_int_equal(drafted(world), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM rule_changes WHERE what = 'added' AND "
                            "why GLOB '*; but 1 reported as good what has it'"), 1);
    sql(world, "UPDATE rules SET state = 'active', approved = 1");
    drafts = run(world);
    assert_null(weir_drafts_withdrawn(drafts, 0));
    weir_drafts_free(&drafts);
    say_it_is_good(world, put_text(world, NULL, "ham"), 78); /* of another message */
    drafts = run(world);
    assert_non_null(weir_drafts_withdrawn(drafts, 0));
    weir_drafts_free(&drafts);
}

static void B32_what_two_people_say_of_a_message_is_learned_as_good(void **state)
{
    struct world *world = *state;

    world->options.people = 2;
    put_campaign(world, 4);
    learn_ham(world, "Your parcel number 5 waits at the depot, pay the small fee of 4 dollars at "
                     "once or it goes back to the Sender, this is the last notice we send you "
                     "before that");
    sql(world, "UPDATE lessons SET source = 'report', label = '', said = 'ham'");
    say_it_is_good(world, world->uid - 1, 77);
    say_it_is_good(world, world->uid - 1, 78);
    assert_int_equal(drafted(world), 0);
}

static void B32_no_draft_is_in_a_message_learned_as_good(void **state)
{
    struct world *world = *state;

    put_campaign(world, 4);
    learn_ham(world, "Pay the small fee of 4 dollars at once or it goes back to the Sender, this "
                     "is the last notice we send you before that. Your parcel number 5 waits at "
                     "the depot, pay");
    assert_int_equal(drafted(world), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM rules"), 0);
}

static void good_mail_about_something_else_hinders_nothing(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;

    put_campaign(world, 4);
    learn_ham(world, "shall we have lunch on tuesday at the corner?");
    world->options.settings.ham_least = 2;
    drafts = run(world);
    assert_null(weir_drafts_get(drafts, 0));
    assert_true(weir_drafts_counts(drafts).too_little_ham);
    weir_drafts_free(&drafts);
    put_text(world, "the parcel for the second floor is here", "ham");
    assert_int_equal(drafted(world), 1);
}

static void a_link_is_looked_for_in_good_mail_by_its_host(void **state)
{
    static const char text[] = "http://x.pay-now.example/%d please, because your parcel waits";
    struct world *world = *state;
    struct weir_drafts *drafts;

    for (int i = 0; i < 4; i++)
        vote(world, put_text(world, weir_arena_printf(world->arena, text, i), "spam"), i,
             i % 2 ? "one.example" : "two.example", "ham");
    world->options.settings.reports = 3;
    drafts = run(world);
    assert_non_null(weir_drafts_get(drafts, 0));
    assert_true(weir_drafts_get(drafts, 0)->candidate.link);
    weir_drafts_free(&drafts);
    learn_ham(world, "our new shop is at https://www.pay-now.example/ since monday");
    drafts = run(world);
    assert_false(weir_drafts_get(drafts, 0) && weir_drafts_get(drafts, 0)->candidate.link);
    weir_drafts_free(&drafts);
}

static void the_domains_of_who_reports_are_no_candidates(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;

    for (int i = 0; i < 4; i++)
        vote(world, put_text(world, weir_arena_printf(world->arena, "http://mail.one.example/%d "
                                                      "your mailbox is full, dear user", i),
                             "spam"), i, i % 2 ? "one.example" : "two.example", "ham");
    drafts = run(world);
    assert_false(weir_drafts_get(drafts, 0) && weir_drafts_get(drafts, 0)->candidate.link);
    weir_drafts_free(&drafts);
}

static void what_a_person_rejected_stays_so(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;

    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    sql(world, "UPDATE rules SET state = 'retired'");
    assert_int_equal(weir_database_draft_reject(
        world->rig->database, (uint32_t)number(world, "SELECT rule FROM drafts")), 1);
    assert_int_equal(weir_database_draft_reject(world->rig->database, 7), 0);
    drafts = run(world);
    assert_null(weir_drafts_get(drafts, 0));
    assert_string_equal(weir_drafts_note(drafts, 0)->why, "a person rejected a draft of it");
    weir_drafts_free(&drafts);
}

static void drafts_of_the_last_day_count(void **state)
{
    struct world *world = *state;

    world->options.settings.left = 1;
    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    for (int i = 0; i < 4; i++)
        vote(world, put_text(world, "every garden in our village shall have a fountain when you "
                                    "invest with us this summer", "spam"), i,
             i % 2 ? "one.example" : "two.example", "ham");
    world->options.now = NOW + WEIR_DAY - 1;
    assert_int_equal(drafted(world), 0);
    world->options.now = NOW + WEIR_DAY;
    assert_int_equal(drafted(world), 1);
}

static void what_is_known_to_be_good_later_withdraws_an_approval(void **state)
{
    static const char *const states[] = {"active", "test"};
    struct world *world = *state;
    struct weir_drafts *drafts;

    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    learn_ham(world, "shall we have lunch on tuesday at the corner?");
    for (size_t i = 0; i < 2; i++) {
        sql(world, weir_arena_printf(world->arena, "UPDATE rules SET state = '%s', approved = 1",
                                     states[i]));
        drafts = run(world);
        assert_null(weir_drafts_withdrawn(drafts, 0));
        weir_drafts_free(&drafts);
    }
    learn_ham(world, "Hello, your parcel number 7 waits at the depot, pay the small fee of 9 "
                     "dollars at once or it goes back to the sender, this is the last notice we "
                     "send you before that");
    for (size_t i = 0; i < 2; i++) {
        sql(world, weir_arena_printf(world->arena, "UPDATE rules SET state = '%s', approved = 1",
                                     states[i]));
        drafts = run(world);
        assert_non_null(weir_drafts_withdrawn(drafts, 0));
        assert_null(weir_drafts_withdrawn(drafts, 1));
        assert_int_equal(weir_drafts_store(drafts, world->rig->database), 0);
        weir_drafts_free(&drafts);
        assert_int_equal(number(world, "SELECT count(*) FROM rules WHERE state = 'test' AND "
                                "approved = 0"), 1);
    }
    sql(world, "UPDATE rules SET state = 'locked', approved = 1");
    drafts = run(world);
    assert_null(weir_drafts_withdrawn(drafts, 0));
    weir_drafts_free(&drafts);
}

static void votes_that_do_not_stand_count_for_nothing(void **state)
{
    struct world *world = *state;

    put_campaign(world, 4);
    sql(world, "UPDATE reports SET taken_back = 5 WHERE user = 1");
    sql(world, "UPDATE reports SET weight = 0 WHERE user = 2");
    assert_int_equal(drafted(world), 0);
}

static void a_rulebook_that_makes_no_set_makes_no_drafts_and_is_told(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts;

    put_rule(world, "BROKEN", "body BROKEN /(/\n", 6);
    drafts = run(world);
    assert_string_equal(weir_drafts_trouble(drafts), ""); /* nobody needed it */
    weir_drafts_free(&drafts);
    put_campaign(world, 4);
    drafts = run(world);
    assert_non_null(strstr(weir_drafts_trouble(drafts), "the rulebook makes no rule set: "));
    assert_int_equal(weir_drafts_counts(drafts).missed, 0);
    assert_null(weir_drafts_get(drafts, 0));
    weir_drafts_free(&drafts);
}

static void B32_a_meta_that_names_a_retired_rule_blinds_nobody(void **state)
{
    static const char *const states[] = {"active", "test", "draft", "retired", "locked"};
    struct world *world = *state;

    put_rule(world, "PARCEL", "body PARCEL /parcel number/i\n", 6);
    put_rule(world, "OTHER", "body OTHER /never seen/i\n", 1);
    put_rule(world, "BOTH", "meta BOTH (PARCEL && OTHER)\n", 1);
    put_campaign(world, 4);
    for (size_t i = 0; i < 5; i++) {
        struct weir_drafts *drafts;

        sql(world, weir_arena_printf(world->arena, "UPDATE rules SET state = '%s' "
                                     "WHERE name = 'OTHER'", states[i]));
        drafts = run(world);
        assert_int_equal(weir_drafts_counts(drafts).caught, 4);
        assert_null(weir_drafts_get(drafts, 0));
        assert_string_equal(weir_drafts_trouble(drafts), "");
        weir_drafts_free(&drafts);
    }
}

/* A drafted rule at work that is known by now to be in good mail, and a run that knows it. */
static struct weir_drafts *run_that_withdraws(struct world *world)
{
    struct weir_drafts *drafts;

    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    sql(world, "UPDATE rules SET state = 'active', approved = 1");
    learn_ham(world, "Hello, your parcel number 7 waits at the depot, pay the small fee of 9 "
                     "dollars at once or it goes back to the sender, this is the last notice we "
                     "send you before that");
    for (int i = 0; i < 4; i++)
        vote(world, put_text(world, "every garden in our village shall have a fountain when you "
                                    "invest with us this summer", "spam"), i,
             i % 2 ? "one.example" : "two.example", "ham");
    drafts = run(world);
    assert_non_null(weir_drafts_withdrawn(drafts, 0));
    assert_non_null(weir_drafts_get(drafts, 0));
    return drafts;
}

static void what_a_person_decides_during_a_run_is_not_withdrawn(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts = run_that_withdraws(world);
    static const char *const cases[] = {"state = 'retired', approved = 0",
                                        "state = 'locked', approved = 1"};

    for (size_t i = 0; i < 2; i++) {
        sql(world, weir_arena_printf(world->arena, "UPDATE rules SET %s WHERE state <> 'draft'",
                                     cases[i]));
        database_must(world->rig, weir_drafts_store(drafts, world->rig->database), 0);
        assert_int_equal(number(world, weir_arena_printf(world->arena, "SELECT state = '%.7s' "
            "FROM rules WHERE state <> 'draft'", i == 0 ? "retired" : "locked")), 1);
        weir_drafts_free(&drafts);
        sql(world, "UPDATE rules SET state = 'active', approved = 1 WHERE state <> 'draft'");
        drafts = run(world);
    }
    weir_drafts_free(&drafts);
}

static void drafts_that_have_no_place_do_not_hinder_what_is_withdrawn(void **state)
{
    struct world *world = *state;
    struct weir_drafts *drafts = run_that_withdraws(world);
    const struct weir_draft_note *note;

    sql(world, weir_arena_printf(world->arena, "UPDATE state SET value = %d WHERE name = 'rules'",
                                 WEIR_RULES_MAX));
    database_must(world->rig, weir_drafts_store(drafts, world->rig->database), 0);
    assert_int_equal(number(world, "SELECT state = 'test' AND approved = 0 FROM rules"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM drafts"), 1);
    assert_null(weir_drafts_get(drafts, 0));
    note = weir_drafts_note(drafts, 0);
    assert_string_equal(note->why, "the rulebook is full");
    assert_int_equal(note->messages, 4);
    weir_drafts_free(&drafts);
}

static void what_was_drafted_long_ago_is_forgotten(void **state)
{
    struct world *world = *state;

    put_campaign(world, 4);
    assert_int_equal(drafted(world), 1);
    assert_int_equal(weir_database_drafts_expire(world->rig->database, NOW + 1), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM drafts"), 1); /* its rule may work yet */
    sql(world, "UPDATE rules SET state = 'retired'");
    assert_int_equal(weir_database_drafts_expire(world->rig->database, NOW), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM drafts"), 1);
    assert_int_equal(weir_database_drafts_expire(world->rig->database, NOW + 1), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM drafts"), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM draft_messages"), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B32_a_draft_is_a_rule_with_its_history_and_what_it_was_made_of),
        TEST(B32_what_rules_catch_by_now_or_was_judged_spam_only_counts),
        TEST(B32_no_draft_is_in_a_message_reported_as_good),
        TEST(B32_one_person_alone_keeps_no_draft_away_and_withdraws_none),
        TEST(B32_what_two_people_say_of_a_message_is_learned_as_good),
        TEST(B32_no_draft_is_in_a_message_learned_as_good),
        TEST(good_mail_about_something_else_hinders_nothing),
        TEST(a_link_is_looked_for_in_good_mail_by_its_host),
        TEST(the_domains_of_who_reports_are_no_candidates),
        TEST(what_a_person_rejected_stays_so),
        TEST(drafts_of_the_last_day_count),
        TEST(what_is_known_to_be_good_later_withdraws_an_approval),
        TEST(votes_that_do_not_stand_count_for_nothing),
        TEST(a_rulebook_that_makes_no_set_makes_no_drafts_and_is_told),
        TEST(B32_a_meta_that_names_a_retired_rule_blinds_nobody),
        TEST(what_a_person_decides_during_a_run_is_not_withdrawn),
        TEST(drafts_that_have_no_place_do_not_hinder_what_is_withdrawn),
        TEST(what_was_drafted_long_ago_is_forgotten),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
