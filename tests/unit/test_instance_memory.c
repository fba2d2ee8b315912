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

static struct weir_instance_key key_of(struct weir_instances *instances, const char *instance)
{
    struct weir_envelope envelope = message(instance, "192.0.2.7", "a@ex.org");
    struct weir_instance_key key;

    assert_true(weir_instances_key(instances, &envelope, &key));
    return key;
}

static void keep(struct weir_instances *instances, weir_time now, const char *instance,
                 enum weir_action action, const char *id, const char *reply)
{
    struct weir_instance_key key = key_of(instances, instance);
    struct weir_decision decision = {.action = action};

    snprintf(decision.id, sizeof decision.id, "%s", id);
    assert_int_equal(weir_instances_decided(instances, now, &key, &decision, reply), 0);
}

static const struct weir_instance *recalled(struct weir_instances *instances, weir_time now,
                                            const char *instance)
{
    struct weir_instance_key key = key_of(instances, instance);

    return weir_instances_find(instances, now, &key);
}

static void a_decision_is_recalled_with_its_reference_and_reply(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    const struct weir_instance *known;
    char reply[] = "550 5.7.1 no";

    assert_null(recalled(instances, 0, "a.1"));
    keep(instances, 0, "a.1", WEIR_REJECT, "abc", reply);
    memset(reply, 'x', strlen(reply)); /* it was copied */
    known = recalled(instances, 1, "a.1");
    assert_non_null(known);
    assert_true(known->decided);
    assert_false(known->role_passed);
    assert_int_equal(known->action, WEIR_REJECT);
    assert_string_equal(known->id, "abc");
    assert_string_equal(known->reply, "550 5.7.1 no");
    keep(instances, 1, "a.2", WEIR_PASS, "def", NULL);
    assert_null(recalled(instances, 2, "a.2")->reply);
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
    struct weir_instance_key key[sizeof cases / sizeof cases[0]];

    for (size_t i = 0; i < count; i++) {
        struct weir_envelope envelope =
            message(cases[i].instance, cases[i].client, cases[i].sender);

        assert_true(weir_instances_key(instances, &envelope, &key[i]));
        for (size_t j = 0; j < i; j++)
            assert_memory_not_equal(&key[i], &key[j], sizeof key[i]);
        envelope.recipient = slice("somebody@else.example");
        envelope.stage = WEIR_STAGE_END;
        struct weir_instance_key again;
        assert_true(weir_instances_key(instances, &envelope, &again));
        assert_memory_equal(&again, &key[i], sizeof again);
    }
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
    struct weir_instance_key key;

    local.has_client = false;
    early.stage = WEIR_STAGE_MAIL;
    assert_false(weir_instances_key(instances, &none, &key));
    assert_false(weir_instances_key(instances, &local, &key));
    assert_false(weir_instances_key(instances, &early, &key));
    weir_instances_keep(instances, 0);
    assert_false(weir_instances_key(instances, &good, &key));
    weir_instances_free(&instances);
}

static void the_longest_message_a_request_can_name_is_remembered(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    char *text = malloc(WEIR_POLICY_REQUEST_MAX);
    struct weir_envelope envelope = message("1", "192.0.2.7", "");
    struct weir_instance_key key;

    assert_non_null(text);
    memset(text, 'x', WEIR_POLICY_REQUEST_MAX);
    envelope.sender = (struct weir_slice){text, WEIR_POLICY_REQUEST_MAX - 1};
    assert_true(weir_instances_key(instances, &envelope, &key));
    envelope.sender.len++; /* no request holds that */
    assert_false(weir_instances_key(instances, &envelope, &key));
    free(text);
    weir_instances_free(&instances);
}

static void a_decision_is_kept_for_the_set_time(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);

    keep(instances, 1000, "a", WEIR_REJECT, "one", "no");
    assert_non_null(recalled(instances, 1000 + KEEP - 1, "a"));
    assert_null(recalled(instances, 1000 + KEEP, "a"));
    keep(instances, 1000 + KEEP, "a", WEIR_PASS, "two", NULL);
    assert_string_equal(recalled(instances, 1000 + KEEP, "a")->id, "two");
    weir_instances_keep(instances, WEIR_SECOND);
    assert_null(recalled(instances, 1000 + KEEP + WEIR_SECOND, "a"));
    weir_instances_free(&instances);
}

static void a_role_recipients_pass_is_noted_apart_from_the_decision(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(10);
    struct weir_instance_key key = key_of(instances, "a");

    weir_instances_role_passed(instances, 0, &key);
    assert_true(recalled(instances, 0, "a")->role_passed);
    assert_false(recalled(instances, 0, "a")->decided);
    keep(instances, 1, "a", WEIR_REJECT, "one", "no");
    assert_true(recalled(instances, 1, "a")->role_passed);
    assert_true(recalled(instances, 1, "a")->decided);
    assert_int_equal(weir_instances_count(instances), 1);
    weir_instances_free(&instances);
}

static void WEIR_INSTANCES_MAX_are_remembered_and_one_more_takes_the_oldests_place(void **state)
{
    (void)state;
    struct weir_instances *instances = memory_of(WEIR_INSTANCES_MAX);
    char name[32];

    for (unsigned i = 0; i <= WEIR_INSTANCES_MAX; i++) {
        if (i == WEIR_INSTANCES_MAX)
            assert_non_null(recalled(instances, i, "i.0"));
        snprintf(name, sizeof name, "i.%u", i);
        keep(instances, i, name, WEIR_REJECT, "id", i % 2 ? "no" : NULL);
    }
    assert_int_equal(weir_instances_count(instances), WEIR_INSTANCES_MAX);
    assert_null(recalled(instances, WEIR_INSTANCES_MAX, "i.0"));
    for (unsigned i = 1; i <= WEIR_INSTANCES_MAX; i++) {
        snprintf(name, sizeof name, "i.%u", i);
        assert_non_null(recalled(instances, WEIR_INSTANCES_MAX, name));
    }
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

/* The model: all that was said, newest last; known is what is among the last `most`
 * distinct messages and young enough. */
#define NAMES 40
#define MOST 16

struct told {
    int name;
    weir_time since;
    unsigned id;
};

static const struct told *in_model(const struct told *told, size_t count, int name, weir_time now)
{
    for (size_t i = count; i > 0 && count - i < MOST; i--)
        if (told[i - 1].name == name && now - told[i - 1].since < KEEP)
            return &told[i - 1];
    return NULL;
}

static void random_use_agrees_with_a_plain_list(void **state)
{
    (void)state;
    struct seeded random = seeded_new("random_use_agrees_with_a_plain_list");
    struct weir_instances *instances = memory_of(MOST);
    static struct told told[20000];
    size_t count = 0;
    weir_time now = 0;

    for (unsigned step = 0; step < 20000; step++) {
        int name = (int)seeded_below(&random, NAMES);
        const struct told *model = in_model(told, count, name, now);
        const struct weir_instance *known;
        char instance[16], id[16];

        now += seeded_below(&random, 60) * WEIR_SECOND;
        model = in_model(told, count, name, now);
        snprintf(instance, sizeof instance, "n.%d", name);
        known = recalled(instances, now, instance);
        assert_int_equal(known != NULL, model != NULL);
        if (known) {
            snprintf(id, sizeof id, "%u", model->id);
            assert_string_equal(known->id, id);
        } else {
            snprintf(id, sizeof id, "%u", step);
            keep(instances, now, instance, WEIR_REJECT, id, step % 3 ? "no" : NULL);
            told[count++] = (struct told){name, now, step};
        }
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
        cmocka_unit_test(WEIR_INSTANCES_MAX_are_remembered_and_one_more_takes_the_oldests_place),
        cmocka_unit_test(no_room_at_all_is_refused),
        cmocka_unit_test(random_use_agrees_with_a_plain_list),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
