/* instance_memory: what belongs together, how long it is kept, what gives way; and all of
 * it against a model that keeps a plain list of everything it was ever told. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "postfix-policy/instance_memory.h"
#include "tests/unit/seeded.h"

#define KEEP (10 * WEIR_MINUTE)

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static struct weir_envelope message(const char *instance, const char *client, const char *sender)
{
    struct weir_envelope envelope = {
        .stage = WEIR_STAGE_RCPT,
        .has_client = true,
        .sender = slice(sender),
        .recipient = slice("u@test.example"),
        .instance = slice(instance),
    };

    assert_int_equal(weir_address_parse(client, strlen(client), &envelope.client), 0);
    return envelope;
}

static struct weir_instances *memory_of(size_t most)
{
    static const struct weir_hash_key key = {.octet = "sixteen octets.."};
    struct weir_instances *instances;

    assert_int_equal(weir_instances_new(&key, most, KEEP, &instances), 0);
    return instances;
}

static struct weir_instance *known(struct weir_instances *instances, weir_time now,
                                   const char *instance)
{
    struct weir_envelope envelope = message(instance, "192.0.2.7", "a@ex.org");
    struct weir_instance *found = weir_instances_of(instances, now, &envelope);

    assert_non_null(found);
    return found;
}

static void keep(struct weir_instances *instances, weir_time now, const char *instance,
                 enum weir_action action, const char *id, const char *reply)
{
    struct weir_decision decision = {.action = action};

    snprintf(decision.id, sizeof decision.id, "%s", id);
    assert_int_equal(weir_instance_decided(known(instances, now, instance), &decision, reply), 0);
}

static bool decided(struct weir_instances *instances, weir_time now, const char *instance)
{
    return known(instances, now, instance)->decided;
}

static void a_decision_is_recalled_with_its_reference_and_reply(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    const struct weir_instance *found;
    char reply[] = "550 5.7.1 no";

    assert_false(decided(instances, 0, "a.1"));
    keep(instances, 0, "a.1", WEIR_REJECT, "abc", reply);
    memset(reply, 'x', strlen(reply)); /* it was copied */
    found = known(instances, 1, "a.1");
    assert_true(found->decided);
    assert_false(found->role_passed);
    assert_int_equal(found->action, WEIR_REJECT);
    assert_string_equal(found->id, "abc");
    assert_string_equal(found->reply, "550 5.7.1 no");
    keep(instances, 1, "a.2", WEIR_PASS, "def", NULL);
    assert_null(known(instances, 2, "a.2")->reply);
    keep(instances, 2, "a.1", WEIR_PASS, "ghi", NULL); /* another decision takes its place */
    assert_null(known(instances, 2, "a.1")->reply);
    assert_int_equal(weir_instances_count(instances), 2);
    weir_instances_free(&instances);
    assert_null(instances);
    weir_instances_free(&instances);
}

static void a_message_is_its_instance_client_and_sender(void **state)
{
    (void)state;
    static const struct {
        const char *instance, *client, *sender;
    } cases[] = {
        {"1.2", "192.0.2.7", "a@ex.org"},   {"1.3", "192.0.2.7", "a@ex.org"},
        {"1.2", "192.0.2.8", "a@ex.org"},   {"1.2", "2001:db8::7", "a@ex.org"},
        {"1.2", "192.0.2.7", "b@ex.org"},   {"1.2", "192.0.2.7", ""},
        {"1.2a", "192.0.2.7", "@ex.org"}, /* where the one ends and the other begins */
        {"1.", "192.0.2.7", "2a@ex.org"},
    };
    const size_t count = sizeof cases / sizeof cases[0];
    struct weir_instances *instances = memory_of(10);
    struct weir_instance *found[sizeof cases / sizeof cases[0]];

    for (size_t i = 0; i < count; i++) {
        struct weir_envelope envelope =
            message(cases[i].instance, cases[i].client, cases[i].sender);

        found[i] = weir_instances_of(instances, 0, &envelope);
        assert_non_null(found[i]);
        for (size_t j = 0; j < i; j++)
            assert_ptr_not_equal(found[i], found[j]);
        envelope.recipient = slice("somebody@else.example");
        envelope.stage = WEIR_STAGE_END;
        assert_ptr_equal(weir_instances_of(instances, 0, &envelope), found[i]);
    }
    assert_int_equal(weir_instances_count(instances), count);
    weir_instances_free(&instances);
}

static void what_has_no_instance_is_not_remembered(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    struct weir_envelope none = message("", "192.0.2.7", "a@ex.org");
    struct weir_envelope local = message("1.2", "192.0.2.7", "a@ex.org");
    struct weir_envelope early = message("1.2", "192.0.2.7", "a@ex.org");
    struct weir_envelope good = message("1.2", "192.0.2.7", "a@ex.org");

    local.has_client = false;
    early.stage = WEIR_STAGE_MAIL;
    assert_null(weir_instances_of(instances, 0, &none));
    assert_null(weir_instances_of(instances, 0, &local));
    assert_null(weir_instances_of(instances, 0, &early));
    weir_instances_keep(instances, 0);
    assert_null(weir_instances_of(instances, 0, &good));
    assert_int_equal(weir_instances_count(instances), 0);
    weir_instances_free(&instances);
}

static void the_longest_message_a_request_can_name_is_remembered(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    char *text = malloc(WEIR_POLICY_REQUEST_MAX);
    struct weir_envelope envelope = message("1", "192.0.2.7", "");

    assert_non_null(text);
    memset(text, 'x', WEIR_POLICY_REQUEST_MAX);
    envelope.sender = (struct weir_slice){text, WEIR_POLICY_REQUEST_MAX - 1};
    assert_non_null(weir_instances_of(instances, 0, &envelope));
    envelope.sender.len++; /* no request holds that */
    assert_null(weir_instances_of(instances, 0, &envelope));
    free(text);
    weir_instances_free(&instances);
}

static void a_decision_is_kept_for_the_set_time(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);

    keep(instances, 1000, "a", WEIR_REJECT, "one", "no");
    assert_true(decided(instances, 1000 + KEEP - 1, "a"));
    assert_false(decided(instances, 1000 + KEEP, "a"));
    keep(instances, 1000 + KEEP, "a", WEIR_PASS, "two", NULL);
    assert_string_equal(known(instances, 1000 + KEEP, "a")->id, "two");
    weir_instances_keep(instances, WEIR_SECOND);
    assert_false(decided(instances, 1000 + KEEP + WEIR_SECOND, "a"));
    weir_instances_free(&instances);
}

static void a_role_recipients_pass_is_noted_apart_from_the_decision(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);

    known(instances, 0, "a")->role_passed = true;
    assert_true(known(instances, 0, "a")->role_passed);
    assert_false(decided(instances, 0, "a"));
    keep(instances, 1, "a", WEIR_REJECT, "one", "no");
    assert_true(known(instances, 1, "a")->role_passed);
    assert_true(decided(instances, 1, "a"));
    assert_int_equal(weir_instances_count(instances), 1);
    weir_instances_free(&instances);
}

static void a_message_stays_in_its_place_until_as_many_as_fit_have_followed(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    struct weir_instance *first = known(instances, 0, "first");
    char name[32];

    for (unsigned i = 0; i < 9; i++) {
        snprintf(name, sizeof name, "i.%u", i);
        known(instances, 0, name);
        assert_ptr_equal(known(instances, 0, "first"), first);
    }
    weir_instances_free(&instances);
}

static void WEIR_INSTANCES_MAX_are_remembered_and_one_more_takes_the_oldests_place(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(WEIR_INSTANCES_MAX);
    char name[32];

    for (unsigned i = 0; i <= WEIR_INSTANCES_MAX; i++) {
        if (i == WEIR_INSTANCES_MAX)
            assert_true(decided(instances, i, "i.0"));
        snprintf(name, sizeof name, "i.%u", i);
        keep(instances, i, name, WEIR_REJECT, "id", i % 2 ? "no" : NULL);
    }
    assert_int_equal(weir_instances_count(instances), WEIR_INSTANCES_MAX);
    for (unsigned i = 1; i <= WEIR_INSTANCES_MAX; i++) {
        snprintf(name, sizeof name, "i.%u", i);
        assert_true(decided(instances, WEIR_INSTANCES_MAX, name));
    }
    assert_false(decided(instances, WEIR_INSTANCES_MAX, "i.0"));
    assert_int_equal(weir_instances_count(instances), WEIR_INSTANCES_MAX);
    weir_instances_free(&instances);
}

static void no_room_at_all_is_refused(void **state)
{
    (void)state;
    static const struct weir_hash_key key;
    struct weir_instances *instances = NULL;

    assert_int_equal(weir_instances_new(&key, 0, KEEP, &instances), WEIR_EINVAL);
    assert_null(instances);
}

/* The model: all messages that ever came, newest last; known is what is among the last
 * `most` of them and young enough. */
#define NAMES 40
#define MOST 16

struct came {
    int name;
    weir_time since;
    unsigned id;
};

static const struct came *in_model(const struct came *came, size_t count, int name, weir_time now)
{
    for (size_t i = count; i > 0 && count - i < MOST; i--)
        if (came[i - 1].name == name && now - came[i - 1].since < KEEP)
            return &came[i - 1];
    return NULL;
}

static void random_use_agrees_with_a_plain_list(void **state)
{
    (void)state;
    struct seeded random = seeded_new("random_use_agrees_with_a_plain_list");
    struct weir_instances *instances = memory_of(MOST);
    static struct came came[20000];
    size_t count = 0;
    weir_time now = 0;

    for (unsigned step = 0; step < 20000; step++) {
        int name = (int)seeded_below(&random, NAMES);
        const struct came *model;
        struct weir_instance *found;
        char instance[16], id[16];

        now += seeded_below(&random, 60) * WEIR_SECOND;
        model = in_model(came, count, name, now);
        snprintf(instance, sizeof instance, "n.%d", name);
        found = known(instances, now, instance);
        assert_int_equal(found->decided, model != NULL);
        snprintf(id, sizeof id, "%u", model ? model->id : step);
        if (model) {
            assert_string_equal(found->id, id);
        } else {
            keep(instances, now, instance, WEIR_REJECT, id, step % 3 ? "no" : NULL);
            came[count++] = (struct came){name, now, step};
        }
        assert_int_equal(weir_instances_count(instances), count < MOST ? count : MOST);
    }
    weir_instances_free(&instances);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_decision_is_recalled_with_its_reference_and_reply),
        cmocka_unit_test(a_message_is_its_instance_client_and_sender),
        cmocka_unit_test(what_has_no_instance_is_not_remembered),
        cmocka_unit_test(the_longest_message_a_request_can_name_is_remembered),
        cmocka_unit_test(a_decision_is_kept_for_the_set_time),
        cmocka_unit_test(a_role_recipients_pass_is_noted_apart_from_the_decision),
        cmocka_unit_test(a_message_stays_in_its_place_until_as_many_as_fit_have_followed),
        cmocka_unit_test(WEIR_INSTANCES_MAX_are_remembered_and_one_more_takes_the_oldests_place),
        cmocka_unit_test(no_room_at_all_is_refused),
        cmocka_unit_test(random_use_agrees_with_a_plain_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
