/*
 * vote_text - what the monitor says of votes is read as it was meant, or not at all.
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
#include "monitor/agent/vote_text.h"

static struct weir_vote_text example(int64_t number)
{
    struct weir_vote_text vote = {
        .number = number, .uid = UINT64_C(0xf00dfacecafebeef) + (uint64_t)number, .judged_by = 3,
        .told_by = 4, .at = 1795341600 * WEIR_SECOND, .domain = "d.example",
        .counted = {WEIR_SAID_SPAM, true, false}, .is = WEIR_SAID_GOOD};

    assert_int_equal(weir_address_parse("192.0.2.7", 9, &vote.address), 0);
    return vote;
}

static char *text_of(size_t votes)
{
    json_t *array = json_array(), *json;
    char *text;

    for (size_t i = 0; i < votes; i++) {
        struct weir_vote_text vote = example((int64_t)i + 1);

        json_array_append_new(array, weir_vote_text_json(&vote));
    }
    json = json_pack("{s:i, s:i, s:o}", "you", 3, "newest", (int)votes, "votes", array);
    text = json_dumps(json, JSON_COMPACT);
    json_decref(json);
    return text;
}

static void what_is_written_is_read(void **state)
{
    struct weir_votes_text *votes = calloc(1, sizeof *votes);
    char *text = text_of(2);
    struct weir_vote_text want = example(2), *got = &votes->vote[1];

    (void)state;
    assert_int_equal(weir_votes_text_read(weir_slice_of(text), votes), 0);
    assert_int_equal(votes->you, 3);
    assert_int_equal(votes->newest, 2);
    assert_int_equal(votes->votes, 2);
    assert_int_equal(got->number, 2);
    assert_true(got->uid == want.uid);
    assert_int_equal(got->judged_by, 3);
    assert_int_equal(got->told_by, 4);
    assert_true(got->at == want.at);
    assert_memory_equal(&got->address, &want.address, sizeof want.address);
    assert_string_equal(got->domain, "d.example");
    assert_int_equal(got->counted.computer, WEIR_SAID_SPAM);
    assert_true(got->counted.stranger && !got->counted.new_group);
    assert_int_equal(got->was, WEIR_SAID_NOTHING);
    assert_int_equal(got->is, WEIR_SAID_GOOD);
    free(text);
    free(votes);
}

static void a_page_is_as_long_as_it_may_be_and_no_longer(void **state)
{
    struct weir_votes_text *votes = calloc(1, sizeof *votes);
    char *full = text_of(WEIR_VOTES_PAGE), *more = text_of(WEIR_VOTES_PAGE + 1);

    (void)state;
    assert_int_equal(weir_votes_text_read(weir_slice_of(full), votes), 0);
    assert_int_equal(votes->votes, WEIR_VOTES_PAGE);
    assert_int_equal(weir_votes_text_read(weir_slice_of(more), votes), WEIR_EINVAL);
    free(full);
    free(more);
    free(votes);
}

/* The text of three votes with something else in it, where it is last or in the second. */
static int changed(struct weir_votes_text *votes, const char *what, const char *by)
{
    char *text = text_of(3), *second = strstr(text, "\"number\":2"), *at, room[2048];

    for (at = second; at > text && *at != '{'; at--)
        ;
    at = strstr(at, what);
    at = at ? at : strstr(text, what);

    assert_non_null(at);
    snprintf(room, sizeof room, "%.*s%s%s", (int)(at - text), text, by, at + strlen(what));
    free(text);
    return weir_votes_text_read(weir_slice_of(room), votes);
}

static void a_vote_that_is_none_is_passed_over_alone(void **state)
{
    static const char *const cases[][2] = {
        {"f00dfacecafebef1", "f00dfacecafebef"},  {"f00dfacecafebef1", "F00DFACECAFEBEF1"},
        {"192.0.2.7", "192.0.2.777"},             {"d.example", "D.example"},
        {"d.example", "d..example"},              {"\"was\":\"\"", "\"was\":\"maybe\""},
        {"\"is\":\"ham\"", "\"is\":\"good\""},    {"\"computer\":\"spam\"", "\"computer\":\"x\""},
        {"\"at\":1795341600", "\"at\":-1"},       {"\"at\":1795341600", "\"at\":4294967296"},
        {"\"stranger\":true", "\"stranger\":1"},  {"\"uid\":", "\"other\":"},
    };
    struct weir_votes_text *votes = calloc(1, sizeof *votes);

    (void)state;
    assert_int_equal(changed(votes, "ham", "spam"), 0);
    assert_true(votes->votes == 3 && votes->vote[1].good);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        assert_int_equal(changed(votes, cases[i][0], cases[i][1]), 0);
        if (votes->votes != 3 || !votes->vote[0].good || votes->vote[1].good ||
            !votes->vote[2].good || votes->vote[1].number != 2)
            fail_msg("%s instead of %s: more than itself was passed over, or it was taken",
                     cases[i][1], cases[i][0]);
    }
    free(votes);
}

static void an_answer_without_its_numbers_is_refused_whole(void **state)
{
    static const char *const cases[][2] = {
        {"\"number\":2", "\"number\":0"},      {"\"number\":2", "\"number\":\"2\""},
        {"\"number\":2", "\"number\":1"},      {"\"number\":2", "\"number\":3"},
        {"\"votes\":[", "\"votes\":7,\"x\":["}, {"\"newest\":3", "\"newest\":-1"},
        {"\"you\":3", "\"you\":-3"},           {"\"votes\":[", "\"votes\":[7,"},
    };
    struct weir_votes_text *votes = calloc(1, sizeof *votes);

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        if (changed(votes, cases[i][0], cases[i][1]) != WEIR_EINVAL)
            fail_msg("%s instead of %s was taken", cases[i][1], cases[i][0]);
    assert_int_equal(weir_votes_text_read(weir_slice_of(""), votes), WEIR_EINVAL);
    assert_int_equal(weir_votes_text_read(weir_slice_of("[]"), votes), WEIR_EINVAL);
    free(votes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_page_is_as_long_as_it_may_be_and_no_longer),
        cmocka_unit_test(a_vote_that_is_none_is_passed_over_alone),
        cmocka_unit_test(an_answer_without_its_numbers_is_refused_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
