/* policy_batch: what Postfix is told, with a real engine and real lists, about messages
 * that come in one batch or in several. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "postfix-policy/policy_batch.h"

#define LISTED "203.0.113.7"
#define OTHER "192.0.2.7"

struct world {
    char folder[64];
    struct weir_arena *arena;
    struct weir_config config;
    struct weir_lists *lists;
    struct weir_domains *domains;
    struct weir_hash_key key;
    struct weir_engine *engine;
    struct weir_policy_counts counts;
    struct weir_policy_parts parts;
    struct weir_policy_batch *batch;
    struct weir_log log;
    char logged[16][WEIR_LOG_LINE_MAX + 1];
    unsigned lines;
    weir_time now;
    char text[WEIR_ENGINE_BATCH + 1][400]; /* the requests of a batch */
    size_t asked;
    const struct weir_policy_item *item;
};

static void remember_line(void *context, enum weir_log_level level, const char *line)
{
    struct world *world = context;

    (void)level;
    snprintf(world->logged[world->lines++ % 16], sizeof world->logged[0], "%s", line);
}

static void open_lists(struct world *world)
{
    char path[80];
    struct weir_lists_options options = {.path = path, .write = true, .mode = 0600};
    struct weir_list_entry entry = {.origin = "test", .reason = "it spams", .added = 1};
    const char *why = NULL;
    size_t bad;

    snprintf(path, sizeof path, "%s/lists.db", world->folder);
    assert_int_equal(weir_lists_open(&options, NULL, &world->lists, &why), 0);
    assert_int_equal(weir_prefix_parse(LISTED, strlen(LISTED), &entry.prefix, &why), 0);
    assert_int_equal(weir_lists_add(world->lists, WEIR_LIST_BLACK, &entry, 1, &bad), 0);
}

static int open_world(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    struct weir_engine_parts parts = {.config = &world->config, .key = &world->key};

    assert_non_null(world);
    snprintf(world->folder, sizeof world->folder, "/tmp/weir-test-batch-XXXXXX");
    assert_non_null(mkdtemp(world->folder));
    world->arena = weir_arena_new(8192);
    assert_int_equal(
        weir_settings_default(weir_config_settings(), world->arena, &world->config), 0);
    world->config.mode = WEIR_ENFORCE;
    open_lists(world);
    assert_int_equal(weir_domains_open(NULL, &world->domains), 0);
    parts.lists = world->lists;
    parts.domains = world->domains;
    assert_int_equal(weir_engine_new(&parts, &world->engine), 0);
    world->log = (struct weir_log){remember_line, world, WEIR_LOG_INFO};
    world->parts = (struct weir_policy_parts){.config = &world->config,
                                              .engine = world->engine,
                                              .counts = &world->counts,
                                              .log = &world->log};
    assert_int_equal(weir_instances_new(&world->key, WEIR_INSTANCES_MAX, world->config.remember,
                                        &world->parts.instances), 0);
    assert_int_equal(weir_policy_batch_new(&world->batch), 0);
    world->now = 1000 * WEIR_DAY;
    *state = world;
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    char command[100];

    weir_policy_batch_free(&world->batch);
    weir_instances_free(&world->parts.instances);
    weir_engine_free(&world->engine);
    weir_domains_free(&world->domains);
    weir_lists_free(&world->lists);
    weir_arena_free(&world->arena);
    snprintf(command, sizeof command, "rm -rf '%s'", world->folder);
    assert_int_equal(system(command), 0);
    free(world);
    return 0;
}

/* Adds a request to the next batch. */
static void ask(struct world *world, const char *stage, const char *client, const char *instance,
                const char *sender, const char *recipient)
{
    char *text = world->text[world->asked];
    const char *why = NULL;

    snprintf(text, sizeof world->text[0],
             "request=smtpd_access_policy\nprotocol_state=%s\nclient_address=%s\n"
             "instance=%s\nsender=%s\nrecipient=%s\n\n",
             stage, client, instance, sender, recipient);
    assert_int_equal(weir_policy_batch_add(world->batch, world, text, strlen(text), &why), 1);
    world->asked++;
}

static void rcpt(struct world *world, const char *client, const char *instance,
                 const char *recipient)
{
    ask(world, "RCPT", client, instance, "a@ex.org", recipient);
}

/* Answers what was asked; clears the batch when the next one begins. */
static void answer(struct world *world)
{
    size_t count;

    world->item = weir_policy_batch_answer(world->batch, &world->parts, world->now, world->now,
                                           &count);
    assert_int_equal(count, world->asked);
    weir_policy_batch_clear(world->batch);
    world->asked = 0;
    world->now += WEIR_SECOND;
}

static void assert_answer(struct world *world, size_t i, const char *begins)
{
    const struct weir_policy_item *item = &world->item[i];

    assert_int_equal(item->len, strlen(item->answer));
    assert_string_equal(item->answer + item->len - 2, "\n\n");
    if (strncmp(item->answer, begins, strlen(begins)) != 0)
        fail_msg("answer %zu: got \"%s\", want \"%s...\"", i, item->answer, begins);
}

/* The reference in an answer or a log line. */
static const char *reference(const char *text, const char *mark, char id[WEIR_ID_TEXT])
{
    const char *at = strstr(text, mark);

    if (!at)
        fail_msg("no \"%s\" in %s", mark, text);
    snprintf(id, WEIR_ID_TEXT, "%s", at + strlen(mark));
    return id;
}

static void A2_A30_a_listed_client_is_refused_and_another_is_not(void **state)
{
    struct world *world = *state;

    rcpt(world, LISTED, "1", "u@test.example");
    rcpt(world, OTHER, "2", "u@test.example");
    ask(world, "CONNECT", LISTED, "", "", "");
    ask(world, "CONNECT", OTHER, "", "", "");
    answer(world);
    assert_answer(world, 0, "action=550 5.7.1 Refused: 203.0.113.7 is listed");
    assert_answer(world, 1, "action=DUNNO\n");
    assert_answer(world, 2, "action=550 5.7.1 ");
    assert_answer(world, 3, "action=DUNNO\n");
    assert_non_null(strstr(world->item[0].answer, "it spams"));
}

static void all_recipients_of_a_message_hear_the_same(void **state)
{
    struct world *world = *state;
    char first[WEIR_POLICY_ANSWER_MAX];

    rcpt(world, LISTED, "1", "u@test.example");
    rcpt(world, LISTED, "1", "v@test.example"); /* in the same batch */
    answer(world);
    snprintf(first, sizeof first, "%s", world->item[0].answer);
    assert_string_equal(world->item[1].answer, first);
    rcpt(world, LISTED, "1", "w@test.example"); /* and in a later one */
    answer(world);
    assert_string_equal(world->item[0].answer, first);
    assert_int_equal(world->lines, 1);
    assert_int_equal(world->counts.remembered, 2);
    assert_int_equal(world->counts.verdict[WEIR_BLOCKED], 1);
    rcpt(world, LISTED, "2", "w@test.example"); /* another message */
    answer(world);
    assert_string_not_equal(world->item[0].answer, first);
    assert_int_equal(world->lines, 2);
}

static void the_reference_in_the_answer_is_the_one_in_the_log(void **state)
{
    struct world *world = *state;
    char said[WEIR_ID_TEXT], logged[WEIR_ID_TEXT];

    rcpt(world, LISTED, "1", "u@test.example");
    answer(world);
    assert_string_equal(reference(world->item[0].answer, "(ref ", said),
                        reference(world->logged[0], " id=", logged));
}

static void role_recipients_pass_before_and_after_a_refusal(void **state)
{
    struct world *world = *state;

    rcpt(world, LISTED, "1", "postmaster@test.example");
    rcpt(world, LISTED, "1", "u@test.example");
    rcpt(world, LISTED, "1", "Abuse@test.example");
    answer(world);
    assert_answer(world, 0, "action=DUNNO\n");
    assert_answer(world, 1, "action=550 ");
    assert_answer(world, 2, "action=DUNNO\n");
    rcpt(world, LISTED, "1", "postmaster@test.example");
    rcpt(world, LISTED, "1", "v@test.example");
    answer(world);
    assert_answer(world, 0, "action=DUNNO\n");
    assert_answer(world, 1, "action=550 ");
}

/* Two role recipients were let in, so that DATA names none of them. */
static void mail_to_role_recipients_alone_passes_at_data_too(void **state)
{
    struct world *world = *state;

    rcpt(world, LISTED, "1", "postmaster@test.example");
    rcpt(world, LISTED, "1", "u@test.example");
    rcpt(world, LISTED, "1", "abuse@test.example");
    answer(world);
    ask(world, "DATA", LISTED, "1", "a@ex.org", "");
    ask(world, "END-OF-MESSAGE", LISTED, "1", "a@ex.org", "");
    rcpt(world, LISTED, "2", "postmaster@test.example"); /* and nobody else was asked about */
    ask(world, "DATA", LISTED, "2", "a@ex.org", "");
    ask(world, "DATA", LISTED, "3", "a@ex.org", ""); /* asked at DATA only */
    answer(world);
    assert_answer(world, 0, "action=DUNNO\n");
    assert_answer(world, 1, "action=DUNNO\n");
    assert_answer(world, 2, "action=DUNNO\n");
    assert_answer(world, 3, "action=DUNNO\n");
    assert_answer(world, 4, "action=550 ");
}

static void bounces_our_users_and_clients_without_address_pass(void **state)
{
    struct world *world = *state;
    static const char login[] =
        "request=smtpd_access_policy\nprotocol_state=RCPT\nclient_address=" LISTED "\n"
        "sender=a@ex.org\nsasl_username=bob\ninstance=9\nrecipient=u@test.example\n\n";
    const char *why;

    ask(world, "RCPT", LISTED, "1", "", "u@test.example");
    ask(world, "RCPT", "unknown", "2", "a@ex.org", "u@test.example");
    ask(world, "VRFY", LISTED, "3", "", "u@test.example");
    assert_int_equal(weir_policy_batch_add(world->batch, world, login, strlen(login), &why), 1);
    world->asked++;
    answer(world);
    for (size_t i = 0; i < 4; i++)
        assert_answer(world, i, "action=DUNNO\n");
}

static void observe_says_what_it_would_do_and_never_refuses(void **state)
{
    struct world *world = *state;

    world->config.mode = WEIR_OBSERVE;
    rcpt(world, LISTED, "1", "u@test.example");
    ask(world, "CONNECT", LISTED, "", "", "");
    answer(world);
    assert_answer(world, 0, "action=PREPEND X-Weir-Policy: verdict=blocked ");
    assert_answer(world, 1, "action=DUNNO\n");
    assert_non_null(strstr(world->logged[0], "intended=reject"));
}

static void facts_are_said_once_for_each_message_where_postfix_takes_them(void **state)
{
    struct world *world = *state;
    static const struct {
        const char *stage, *instance, *sender, *recipient;
        bool facts;
    } cases[] = {
        {"RCPT", "1", "a@ex.org", "u@test.example", true},
        {"RCPT", "1", "a@ex.org", "v@test.example", false}, /* the second recipient */
        {"DATA", "1", "a@ex.org", "", false},
        {"DATA", "2", "a@ex.org", "", true},                /* the first time we hear of it */
        {"END-OF-MESSAGE", "3", "a@ex.org", "", false},     /* too late for a header */
        {"MAIL", "", "a@ex.org", "", false},
        {"HELO", "", "", "", false},
        {"RCPT", "", "a@ex.org", "u@test.example", false},  /* who knows which message */
        {"RCPT", "4", "a@ex.org", "postmaster@test.example", false},
        {"RCPT", "4", "a@ex.org", "u@test.example", true},
    };

    world->config.mode = WEIR_OBSERVE;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        ask(world, cases[i].stage, OTHER, cases[i].instance, cases[i].sender,
            cases[i].recipient);
        answer(world);
        assert_answer(world, 0, cases[i].facts ? "action=PREPEND X-Weir-Policy: "
                                               : "action=DUNNO\n");
    }
}

static void the_setting_prepend_is_obeyed(void **state)
{
    struct world *world = *state;
    static const struct {
        int mode, prepend;
        bool facts;
    } cases[] = {
        {WEIR_OBSERVE, WEIR_PREPEND_OBSERVE, true},  {WEIR_ENFORCE, WEIR_PREPEND_OBSERVE, false},
        {WEIR_OBSERVE, WEIR_PREPEND_ALWAYS, true},   {WEIR_ENFORCE, WEIR_PREPEND_ALWAYS, true},
        {WEIR_OBSERVE, WEIR_PREPEND_NEVER, false},   {WEIR_ENFORCE, WEIR_PREPEND_NEVER, false},
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char instance[8];

        snprintf(instance, sizeof instance, "%zu", i);
        world->config.mode = cases[i].mode;
        world->config.prepend = cases[i].prepend;
        rcpt(world, OTHER, instance, "u@test.example");
        answer(world);
        assert_answer(world, 0, cases[i].facts ? "action=PREPEND " : "action=DUNNO\n");
    }
}

static void a_remembered_decision_is_made_anew_after_its_time(void **state)
{
    struct world *world = *state;
    char first[WEIR_POLICY_ANSWER_MAX];

    rcpt(world, LISTED, "1", "u@test.example");
    answer(world);
    snprintf(first, sizeof first, "%s", world->item[0].answer);
    world->now += world->config.remember;
    rcpt(world, LISTED, "1", "v@test.example");
    answer(world);
    assert_string_not_equal(world->item[0].answer, first); /* another reference */
    assert_int_equal(world->counts.remembered, 0);
}

static void answers_stand_in_the_order_of_requests(void **state)
{
    struct world *world = *state;

    for (unsigned i = 0; i < 200; i++) {
        char instance[8];

        snprintf(instance, sizeof instance, "%u", i % 50);
        rcpt(world, i % 50 % 3 == 0 ? LISTED : OTHER, instance, "u@test.example");
    }
    answer(world);
    for (unsigned i = 0; i < 200; i++)
        assert_answer(world, i, i % 50 % 3 == 0 ? "action=550 " : "action=DUNNO\n");
}

static void WEIR_ENGINE_BATCH_requests_fit_and_one_more_does_not(void **state)
{
    struct world *world = *state;
    const char *why;

    assert_true(weir_policy_batch_empty(world->batch));
    for (unsigned i = 0; i < WEIR_ENGINE_BATCH; i++) {
        assert_false(weir_policy_batch_full(world->batch));
        rcpt(world, i % 2 ? LISTED : OTHER, "", "u@test.example");
    }
    assert_true(weir_policy_batch_full(world->batch));
    assert_int_equal(weir_policy_batch_add(world->batch, world, world->text[0],
                                           strlen(world->text[0]), &why), WEIR_EFULL);
    answer(world);
    assert_answer(world, WEIR_ENGINE_BATCH - 2, "action=DUNNO\n");
    assert_answer(world, WEIR_ENGINE_BATCH - 1, "action=550 ");
}

static void a_status_request_is_left_to_the_server(void **state)
{
    struct world *world = *state;
    static const char text[] = "request=weir_status\n\n";
    const char *why;

    rcpt(world, LISTED, "1", "u@test.example");
    assert_int_equal(weir_policy_batch_add(world->batch, NULL, text, strlen(text), &why), 0);
    world->asked++;
    rcpt(world, OTHER, "2", "u@test.example");
    answer(world);
    assert_answer(world, 0, "action=550 ");
    assert_int_equal(world->item[1].kind, WEIR_POLICY_STATUS);
    assert_null(world->item[1].answer);
    assert_answer(world, 2, "action=DUNNO\n");
    assert_int_equal(world->counts.requests, 2);
}

static void a_malformed_request_is_not_added(void **state)
{
    struct world *world = *state;
    const char *why = NULL;

    assert_int_equal(weir_policy_batch_add(world->batch, world, "x=\n\n", 4, &why), WEIR_EINVAL);
    assert_non_null(why);
    assert_true(weir_policy_batch_empty(world->batch));
}

#define IN_A_WORLD(test) cmocka_unit_test_setup_teardown(test, open_world, close_world)

int main(void)
{
    const struct CMUnitTest tests[] = {
        IN_A_WORLD(A2_A30_a_listed_client_is_refused_and_another_is_not),
        IN_A_WORLD(all_recipients_of_a_message_hear_the_same),
        IN_A_WORLD(the_reference_in_the_answer_is_the_one_in_the_log),
        IN_A_WORLD(role_recipients_pass_before_and_after_a_refusal),
        IN_A_WORLD(mail_to_role_recipients_alone_passes_at_data_too),
        IN_A_WORLD(bounces_our_users_and_clients_without_address_pass),
        IN_A_WORLD(observe_says_what_it_would_do_and_never_refuses),
        IN_A_WORLD(facts_are_said_once_for_each_message_where_postfix_takes_them),
        IN_A_WORLD(the_setting_prepend_is_obeyed),
        IN_A_WORLD(a_remembered_decision_is_made_anew_after_its_time),
        IN_A_WORLD(answers_stand_in_the_order_of_requests),
        IN_A_WORLD(WEIR_ENGINE_BATCH_requests_fit_and_one_more_does_not),
        IN_A_WORLD(a_status_request_is_left_to_the_server),
        IN_A_WORLD(a_malformed_request_is_not_added),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
