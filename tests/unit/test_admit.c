/*
 * Who is let in: a known server with its secret, and one agent of it at a time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/slice.h"
#include "monitor/intake/admit_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW
#define SILENCE (30 * WEIR_SECOND)
#define A "000102030405060708090a0b0c0d0e0f"
#define B "100102030405060708090a0b0c0d0e0f"
#define C "200102030405060708090a0b0c0d0e0f"

struct rig {
    struct database_rig *database;
    struct weir_admit *admit;
    pthread_mutex_t lock;
    struct weir_log log;
    char secret[WEIR_SECRET_TEXT];
    unsigned refused;
    char name[WEIR_SERVER_NAME_MAX + 1]; /* of the last one */
};

static void refused(void *context, uint32_t server, const char *name, weir_time now)
{
    struct rig *rig = context;

    assert_true(server > 0 && now >= NOW);
    strcpy(rig->name, name);
    rig->refused++;
}

static void open_admit(struct rig *rig)
{
    const struct weir_admit_options options = {.database = rig->database->database,
                                               .lock = &rig->lock, .silence = SILENCE,
                                               .refused = refused, .context = rig};

    weir_admit_free(&rig->admit);
    assert_int_equal(weir_admit_new(&options, &rig->log, &rig->admit), 0);
}

static void add_server(struct rig *rig, const char *name)
{
    unsigned char hash[WEIR_SECRET_HASH];
    uint32_t number;

    weir_secret_new(rig->secret);
    weir_secret_hash(weir_slice_of(rig->secret), hash);
    database_must(rig->database, weir_database_server_add(rig->database->database, name, hash, NOW,
                                                          &number), 0);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    pthread_mutex_init(&rig->lock, NULL);
    assert_int_equal(database_setup((void **)&rig->database), 0);
    add_server(rig, "mx2");
    add_server(rig, "mx1");
    open_admit(rig);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;

    weir_admit_free(&rig->admit);
    weir_admit_free(&rig->admit);
    database_teardown((void **)&rig->database);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
    return 0;
}

static int knock(struct rig *rig, const char *instance, const char *previous, weir_time now)
{
    const struct weir_intake_caller caller = {weir_slice_of("mx1"), weir_slice_of(rig->secret),
                                              instance, previous};
    uint32_t server = 0;
    int status = weir_admit_caller(rig->admit, &caller, now, &server);

    assert_true(status == 401 || server == 2);
    return status;
}

static void A13_only_a_known_server_with_its_secret_is_let_in(void **state)
{
    static const struct {
        const char *name, *instance;
        int change;              /* of the secret's first letter */
        size_t len;              /* of the secret */
        int wanted;
    } cases[] = {
        {"mx1", A, 0, 43, 200},  {"mx1", A, 1, 43, 401}, {"mx1", A, 0, 42, 401},
        {"mx1", A, 0, 0, 401},   {"mx2", A, 0, 43, 401}, {"mx", A, 0, 43, 401},
        {"mx11", A, 0, 43, 401}, {"", A, 0, 43, 401},    {"MX1", A, 0, 43, 401},
        {"mx1", "", 0, 43, 401}, {"mx1", "00", 0, 43, 401},
        {"mx1", "g00102030405060708090a0b0c0d0e0f", 0, 43, 401},
    };
    struct rig *rig = *state;
    uint32_t server;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char secret[WEIR_SECRET_TEXT], instance[33] = "";

        strcpy(secret, rig->secret);
        strcpy(instance, cases[i].instance);
        secret[0] = (char)(secret[0] ^ cases[i].change);
        const struct weir_intake_caller caller = {weir_slice_of(cases[i].name),
                                                  {secret, cases[i].len}, instance, ""};
        if (weir_admit_caller(rig->admit, &caller, NOW, &server) != cases[i].wanted)
            fail_msg("case %zu", i);
    }
}

static void A13_a_second_agent_is_refused_and_told_of_once(void **state)
{
    static const struct {
        const char *instance, *previous;
        weir_time after;
        int wanted;
        unsigned refused;
    } cases[] = {
        {A, "", 0, 200, 0},
        {B, "", 1, 409, 1},                /* another one */
        {B, C, 2, 409, 1},                 /* names a wrong one */
        {A, "", SILENCE, 200, 1},          /* goes on */
        {B, "", 2 * SILENCE, 409, 1},      /* heard of just so long ago, or not */
        {B, A, 2 * SILENCE, 200, 1},       /* its successor */
        {A, "", 2 * SILENCE + 1, 409, 2},
        {A, C "," C, 2 * SILENCE + 1, 409, 2},
        {A, C "," B, 2 * SILENCE + 1, 200, 2}, /* one of those it names is known */
        {B, C "," A "," C, 2 * SILENCE + 1, 200, 2},
        {C, "", 3 * SILENCE + 2 * WEIR_SECOND, 200, 2}, /* silent for long enough */
        {B, "", 3 * SILENCE + 2 * WEIR_SECOND, 409, 3},
    };
    struct rig *rig = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_time now = NOW + cases[i].after - (i == 4);
        int status = knock(rig, cases[i].instance, cases[i].previous, now);

        if (status != cases[i].wanted || rig->refused != cases[i].refused)
            fail_msg("case %zu: %d, %u refused", i, status, rig->refused);
    }
    assert_string_equal(rig->name, "mx1");
    open_admit(rig); /* the database remembers */
    assert_int_equal(knock(rig, C, "", NOW + 3 * SILENCE + 3 * WEIR_SECOND), 200);
    assert_int_equal(knock(rig, B, "", NOW + 3 * SILENCE + 3 * WEIR_SECOND), 409);
}

static void A13_a_revoked_server_stays_out_until_it_is_added_with_a_new_secret(void **state)
{
    struct rig *rig = *state;
    char old[WEIR_SECRET_TEXT];
    size_t seen, blind;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    assert_int_equal(weir_database_server_revoke(rig->database->database, "mx1", NOW), 1);
    assert_int_equal(weir_admit_refresh(rig->admit), 0);
    assert_int_equal(knock(rig, A, "", NOW + 1), 401);
    weir_admit_count(rig->admit, NOW + 1, &seen, &blind);
    assert_true(seen == 0 && blind == 0);
    strcpy(old, rig->secret);
    add_server(rig, "mx1");
    assert_int_equal(weir_admit_refresh(rig->admit), 0);
    assert_int_equal(knock(rig, A, "", NOW + 2), 200);
    strcpy(rig->secret, old);
    assert_int_equal(knock(rig, A, "", NOW + 3), 401);
}

static void what_is_noted_is_stored_and_who_is_silent_is_counted(void **state)
{
    struct rig *rig = *state;
    char health[WEIR_SERVER_HEALTH_MAX + 2], names[64];
    size_t seen, blind;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    assert_int_equal(knock(rig, A, "", NOW + WEIR_SECOND), 200);
    for (size_t more = 0; more < 2; more++) {
        memset(health, more ? 'b' : 'a', sizeof health);
        weir_admit_note(rig->admit, 2, 7 - 7 * (int64_t)more,
                        (struct weir_slice){health, WEIR_SERVER_HEALTH_MAX + more});
        assert_int_equal(weir_admit_refresh(rig->admit), 0); /* forgets nothing */
        assert_int_equal(weir_admit_store(rig->admit), 0);
    }
    assert_int_equal(database_number(rig->database, "SELECT generation FROM servers WHERE "
                                     "name = 'mx1'"), 7);
    assert_true(database_number(rig->database, "SELECT last_seen FROM servers WHERE "
                                "name = 'mx1'") == NOW + WEIR_SECOND);
    assert_int_equal(database_number(rig->database, "SELECT length(health) FROM servers WHERE "
                                     "name = 'mx1' AND health LIKE 'a%'"), WEIR_SERVER_HEALTH_MAX);
    for (int late = 0; late < 2; late++) {
        weir_admit_count(rig->admit, NOW + WEIR_SECOND + SILENCE + late, &seen, &blind);
        assert_int_equal(seen, !late);
        assert_int_equal(blind, late);
    }
    for (int silent = 1; silent >= 0; silent--) { /* its agent is heard of, its sniffer is not */
        weir_admit_sniffer(rig->admit, 2, silent);
        weir_admit_count(rig->admit, NOW + 2 * WEIR_SECOND, &seen, &blind);
        assert_int_equal(seen, !silent);
        assert_int_equal(blind, silent);
        assert_string_equal(weir_admit_blind(rig->admit, NOW + 2 * WEIR_SECOND, names,
                                             sizeof names), silent ? "mx1 (its sniffer)" : "");
        assert_string_equal(weir_admit_blind(rig->admit, NOW + 2 * WEIR_SECOND + SILENCE, names,
                                             sizeof names), "mx1");
    }
}

/* A server is added or revoked now and then. */
static void another_server_changes_nothing_for_those_that_are_there(void **state)
{
    struct rig *rig = *state;
    char secret[WEIR_SECRET_TEXT];
    size_t seen, blind;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    assert_int_equal(knock(rig, B, "", NOW + 1), 409);
    assert_int_equal(rig->refused, 1);
    weir_admit_sniffer(rig->admit, 2, true);
    assert_int_equal(weir_admit_store(rig->admit), 0);
    strcpy(secret, rig->secret);
    add_server(rig, "mx3");
    strcpy(rig->secret, secret);
    assert_int_equal(weir_admit_refresh(rig->admit), 0);
    weir_admit_count(rig->admit, NOW + 2, &seen, &blind);
    assert_int_equal(blind, 1);
    assert_int_equal(knock(rig, B, "", NOW + 2), 409);
    assert_int_equal(rig->refused, 1); /* it was told */
}

static void a_shorter_silence_is_heard_of_before_it_counts(void **state)
{
    static const struct {
        weir_time at;            /* after the change */
        uint64_t blind;
    } of[] = {{1, 0},
              {WEIR_SECOND + WEIR_HEALTH_EVERY, 0},
              {WEIR_SECOND + WEIR_HEALTH_EVERY + 1, 1}};
    struct rig *rig = *state;
    weir_time change = NOW + SILENCE / 2;
    size_t seen, blind;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    weir_admit_silence(rig->admit, WEIR_SECOND, change);
    for (size_t i = 0; i < sizeof of / sizeof *of; i++) {
        weir_admit_count(rig->admit, change + of[i].at, &seen, &blind);
        assert_int_equal(blind, of[i].blind);
    }
    assert_int_equal(knock(rig, A, "", change + 1), 200);
    weir_admit_count(rig->admit, change + 1 + WEIR_SECOND, &seen, &blind);
    assert_int_equal(blind, 0);
    weir_admit_count(rig->admit, change + 2 + WEIR_SECOND, &seen, &blind);
    assert_int_equal(blind, 1);
}

static void who_was_silent_before_a_shorter_silence_stays_blind(void **state)
{
    struct rig *rig = *state;
    size_t seen, blind;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    weir_admit_silence(rig->admit, WEIR_SECOND, NOW + SILENCE + 1);
    weir_admit_count(rig->admit, NOW + SILENCE + 1, &seen, &blind);
    assert_int_equal(blind, 1);
}

static void what_could_not_be_stored_is_stored_the_next_time(void **state)
{
    struct rig *rig = *state;

    assert_int_equal(knock(rig, A, "", NOW), 200);
    assert_int_equal(weir_admit_store(rig->admit), 0);
    assert_int_equal(knock(rig, A, "", NOW + 5), 200);
    weir_admit_note(rig->admit, 2, 7, weir_slice_of("{\"well\": 1}"));
    assert_int_equal(weir_database_run(rig->database->database,
                                       "CREATE TEMP TRIGGER broken BEFORE UPDATE ON servers BEGIN "
                                       "SELECT raise(abort, 'broken'); END"), 0);
    assert_true(weir_admit_store(rig->admit) < 0);
    assert_true(weir_admit_store(rig->admit) < 0);
    assert_int_equal(weir_database_run(rig->database->database, "DROP TRIGGER broken"), 0);
    assert_int_equal(weir_admit_store(rig->admit), 0);
    assert_true(database_number(rig->database, "SELECT last_seen FROM servers WHERE number = 2") ==
                NOW + 5);
    assert_int_equal(database_number(rig->database, "SELECT count(*) FROM servers WHERE "
                                     "generation = 7 AND health = '{\"well\": 1}'"), 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_shorter_silence_is_heard_of_before_it_counts),
        TEST(who_was_silent_before_a_shorter_silence_stays_blind),
        TEST(what_could_not_be_stored_is_stored_the_next_time),
        TEST(another_server_changes_nothing_for_those_that_are_there),
        TEST(A13_only_a_known_server_with_its_secret_is_let_in),
        TEST(A13_a_second_agent_is_refused_and_told_of_once),
        TEST(A13_a_revoked_server_stays_out_until_it_is_added_with_a_new_secret),
        TEST(what_is_noted_is_stored_and_who_is_silent_is_counted),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
