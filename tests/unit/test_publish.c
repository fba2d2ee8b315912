/*
 * From the rulebook to the file that servers fetch (monitor/analyzer/publish_io.c and
 * publish_deflate.c): all or nothing, serials that only grow, and sets that come back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <pthread.h>
#include <stdlib.h>
#include <sys/stat.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "monitor/analyzer/publish_impl.h"
#include "monitor/database/database_rules_io.h"
#include "monitor/database/database_sets_io.h"
#include "tests/unit/database_rig.h"
#include "tests/unit/seeded.h"

struct rig {
    struct database_rig *base;
    pthread_mutex_t lock;
    struct weir_publisher *publisher;
    struct weir_published published;
    char why[WEIR_PUBLISH_WHY], key_path[300];
    uint32_t told;
    uint64_t learned;          /* spam; so many words had it */
    size_t entries;            /* that the list may have */
};

static void hear(void *context, uint32_t serial)
{
    struct rig *rig = context;

    rig->told = serial;
    assert_int_equal(pthread_mutex_trylock(&rig->lock), 0);
    pthread_mutex_unlock(&rig->lock);
}

static int count_words(void *context, struct weir_words *words_r)
{
    struct rig *rig = context;
    struct weir_bayes_count *count = calloc(rig->learned + 1, sizeof *count);

    assert_non_null(count);
    for (uint64_t i = 0; i < rig->learned; i++)
        count[i] = (struct weir_bayes_count){.hash = i << 40, .spam = 1};
    *words_r = (struct weir_words){.counts = {.spam = rig->learned, .count = count,
                                              .counts = rig->learned},
                                   .most = rig->entries};
    return 0;
}

static int open_publisher(struct rig *rig)
{
    const struct weir_publisher_options options = {.database = rig->base->database,
                                                   .lock = &rig->lock,
                                                   .key_path = rig->key_path,
                                                   .bayes = rig->entries ? count_words : NULL,
                                                   .published = hear,
                                                   .context = rig};

    weir_publisher_free(&rig->publisher);
    return weir_publisher_open(&options, NULL, &rig->publisher);
}

static int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);
    void *base;

    assert_int_equal(database_setup(&base), 0);
    rig->base = base;
    pthread_mutex_init(&rig->lock, NULL);
    snprintf(rig->key_path, sizeof rig->key_path, "%s",
             scratch_path(rig->base->scratch, "rules.key"));
    assert_int_equal(open_publisher(rig), 0);
    *state = rig;
    return 0;
}

static int teardown(void **state)
{
    struct rig *rig = *state;
    void *base = rig->base;

    weir_publisher_free(&rig->publisher);
    pthread_mutex_destroy(&rig->lock);
    free(rig);
    return database_teardown(&base);
}

static void put(struct rig *rig, uint32_t id, const char *name, const char *text, double score)
{
    const struct weir_rule_change change = {.who = "uid 0", .why = "", .time = DATABASE_NOW};
    const struct weir_kept_rule rule = {.id = id, .name = name, .kind = WEIR_RULE_BODY,
                                        .text = text, .state = WEIR_RULE_ACTIVE, .score = score,
                                        .base = score, .author = "uid 0"};

    database_must(rig->base, weir_database_rule_put(rig->base->database, &rule, &change), 1);
}

static int publish_at(struct rig *rig, weir_time now, bool dry)
{
    const struct weir_publishing by = {.who = "uid 0", .why = "", .now = now, .dry = dry,
                                       .idle = 30 * WEIR_DAY};

    return weir_publish(rig->publisher, &by, &rig->published, rig->why);
}

static int publish(struct rig *rig)
{
    return publish_at(rig, DATABASE_NOW, false);
}

static int publish_alone(struct rig *rig, int days)
{
    const struct weir_publishing by = {.who = "analyzer", .why = "",
                                       .now = DATABASE_NOW + days * WEIR_DAY,
                                       .idle = 30 * WEIR_DAY, .alone = true};

    return weir_publish(rig->publisher, &by, &rig->published, rig->why);
}

static int again(struct rig *rig, uint32_t serial)
{
    const struct weir_publishing by = {.who = "uid 0", .why = "", .now = DATABASE_NOW};

    return weir_publish_again(rig->publisher, serial, &by, &rig->published, rig->why);
}

/* What servers get is signed with the key they are told, and has this serial and text. */
static void given_out(struct rig *rig, uint32_t serial, const char *rules)
{
    struct weir_shared_text *file = weir_publisher_file(rig->publisher);
    size_t octets = (size_t)database_number(rig->base, "SELECT octets FROM rule_sets ORDER BY "
                                            "serial DESC LIMIT 1");
    struct weir_rule_parcel parcel;
    uint8_t open[WEIR_PARCEL_PUBLIC];
    const char *why;
    void *full;

    assert_int_equal(weir_publisher_serial(rig->publisher), serial);
    assert_non_null(file);
    full = weir_publish_inflate((struct weir_slice){file->text, file->len}, octets);
    assert_non_null(full);
    assert_true(weir_parcel_public_read(weir_slice_of(weir_publisher_key(rig->publisher)), open));
    assert_int_equal(weir_rule_parcel_read(full, octets, open, &parcel, &why), 0);
    assert_int_equal(parcel.serial, serial);
    if (!weir_slice_equals(parcel.section[WEIR_PARCEL_RULES], rules))
        fail_msg("%.*s", (int)parcel.section[WEIR_PARCEL_RULES].len,
                 parcel.section[WEIR_PARCEL_RULES].at);
    free(full);
    weir_shared_text_free(&file);
}

/* The word list that is given out: its entries and the spam learned. */
static void listed(struct rig *rig, size_t entries, uint64_t spam)
{
    struct weir_shared_text *file = weir_publisher_file(rig->publisher);
    size_t octets = (size_t)database_number(rig->base, "SELECT octets FROM rule_sets ORDER BY "
                                            "serial DESC LIMIT 1");
    struct weir_rule_parcel parcel;
    struct weir_bayes_table table;
    const char *why;
    void *full;

    full = weir_publish_inflate((struct weir_slice){file->text, file->len}, octets);
    assert_non_null(full);
    assert_int_equal(weir_rule_parcel_read(full, octets, weir_publisher_public(rig->publisher),
                                           &parcel, &why), 0);
    assert_int_equal(weir_bayes_table_attach(parcel.section[WEIR_PARCEL_BAYES].at,
                                             parcel.section[WEIR_PARCEL_BAYES].len, true, &table),
                     0);
    assert_int_equal(table.entries, entries);
    assert_int_equal(table.spam, spam);
    free(full);
    weir_shared_text_free(&file);
}

#define A "body A /a/\nscore A 1.00\nid A 1\n"
#define B "body B /b/\nscore B 2.00\nid B 2\n"

static void B12_a_set_is_published_signed_with_a_serial(void **state)
{
    struct rig *rig = *state;

    assert_null(weir_publisher_file(rig->publisher));
    assert_int_equal(weir_publisher_serial(rig->publisher), 0);
    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    given_out(rig, 1, A);
    assert_int_equal(rig->told, 1);
    assert_true(rig->published.fresh);
    assert_int_equal(rig->published.rules, 1);
    assert_int_equal(rig->published.differences[WEIR_RULE_ADDED], 1);
    put(rig, 2, "B", "body B /b/\n", 2);
    assert_int_equal(publish(rig), 1);
    given_out(rig, 2, A B);
    assert_int_equal(rig->published.differences[WEIR_RULE_ADDED], 1);
}

static void nothing_different_publishes_nothing(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    rig->told = 0;
    assert_int_equal(publish(rig), 0);
    assert_false(rig->published.fresh);
    assert_int_equal(rig->published.serial, 1);
    assert_int_equal(rig->told, 0);
    assert_int_equal(database_number(rig->base, "SELECT count(*) FROM rule_sets"), 1);
}

static void C29_the_word_list_goes_along_as_far_as_there_is_room(void **state)
{
    struct rig *rig = *state;

    rig->entries = 100;
    assert_int_equal(open_publisher(rig), 0);
    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1); /* with its key, before anything was learned */
    listed(rig, 0, 0);
    rig->learned = 60;
    assert_int_equal(publish(rig), 1);
    listed(rig, 60, 60);
    assert_int_equal(publish(rig), 0);
    rig->learned = 150;
    assert_int_equal(publish(rig), 1);
    listed(rig, 100, 150);
    assert_int_equal(again(rig, 2), 1);
    listed(rig, 60, 60);
}

static void WEIR_BAYES_PUBLISHED_MAX_words_and_many_rules_fit_in_a_set(void **state)
{
    struct rig *rig = *state;

    rig->learned = rig->entries = WEIR_BAYES_PUBLISHED_MAX;
    assert_int_equal(open_publisher(rig), 0);
    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    listed(rig, WEIR_BAYES_PUBLISHED_MAX, WEIR_BAYES_PUBLISHED_MAX);
    assert_true(rig->published.octets < WEIR_BAYES_PUBLISHED_OCTETS_MAX);
}

static void B11_a_rule_that_is_idle_is_missing_in_the_next_set(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    put(rig, 2, "B", "body B /b/\n", 2);
    database_must(rig->base, weir_database_run(rig->base->database, "INSERT INTO hits (rule, "
                  "first_hit, last_hit, hits, spam, ham, false_positives, spam_decayed, "
                  "ham_decayed, at) SELECT 2, 0, since + 86400000000, 1, 1, 0, 0, 1, 0, 0 "
                  "FROM rules WHERE id = 2"), 0);
    assert_int_equal(publish_at(rig, DATABASE_NOW + 30 * WEIR_DAY, false), 1);
    given_out(rig, 1, A B);
    assert_int_equal(publish_at(rig, DATABASE_NOW + 31 * WEIR_DAY, false), 1);
    given_out(rig, 2, B);
    assert_int_equal(rig->published.differences[WEIR_RULE_GONE], 1);
}

static void what_nobody_looks_at_does_not_lose_most_rules(void **state)
{
    struct rig *rig = *state;
    unsigned n = 2 * WEIR_PUBLISH_GONE - 1;

    assert_int_equal(WEIR_PUBLISH_GONE, 10);

    for (unsigned i = 1; i <= n; i++) {
        char name[16], text[40];

        snprintf(name, sizeof name, "R%u", i);
        snprintf(text, sizeof text, "body R%u /r%u/\n", i, i);
        put(rig, i, name, text, 1);
    }
    assert_int_equal(publish_alone(rig, 0), 1);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rules SET state = 'retired' WHERE id < 10"), 0);
    assert_int_equal(publish_alone(rig, 0), 1); /* one less than the limit */
    assert_int_equal(publish(rig), 0);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rules SET state = 'active'"), 0);
    assert_int_equal(publish(rig), 1);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rules SET state = 'retired' WHERE id <= 10"), 0);
    assert_int_equal(publish_alone(rig, 0), WEIR_EINVAL);
    assert_non_null(strstr(rig->why, "10 of 19 rules would be gone"));
    assert_int_equal(publish(rig), 1); /* a person may */
    assert_int_equal(rig->published.differences[WEIR_RULE_GONE], WEIR_PUBLISH_GONE);
    assert_int_equal(publish_alone(rig, 31), WEIR_EINVAL); /* all that are left */
}

static void few_rules_may_go_but_not_all(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    put(rig, 2, "B", "body B /b/\n", 2);
    put(rig, 3, "C", "body C /c/\n", 2);
    assert_int_equal(publish_alone(rig, 0), 1);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rules SET state = 'retired' WHERE id > 1"), 0);
    assert_int_equal(publish_alone(rig, 0), 1);
    given_out(rig, 2, A);
    assert_int_equal(publish_alone(rig, 31), WEIR_EINVAL);
    given_out(rig, 2, A);
}

static void a_dry_run_changes_nothing(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish_at(rig, DATABASE_NOW, true), 1);
    assert_false(rig->published.fresh);
    assert_int_equal(rig->published.serial, 1);
    assert_int_equal(rig->told, 0);
    assert_null(weir_publisher_file(rig->publisher));
    assert_int_equal(database_number(rig->base, "SELECT count(*) FROM rule_sets"), 0);
}

static void rules_that_make_no_set_publish_nothing_and_are_named(void **state)
{
    static const struct {
        const char *text, *why;
    } cases[] = {
        {"body B /(/\n", "rule B: "},
        {"body B /b/\nnonsense B 1\n", "rule B: \"nonsense\""},
        {"meta B A && MISSING\n", "rule B: "},
        {"describe B has no test\n", "rule B has no test"},
    };
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        put(rig, 2, "B", cases[i].text, 2);
        assert_int_equal(publish(rig), WEIR_EINVAL);
        if (!strstr(rig->why, cases[i].why))
            fail_msg("%s: %s", cases[i].text, rig->why);
        given_out(rig, 1, A);
    }
    put(rig, 2, "B", "body B /b/\n", 2);
    assert_int_equal(publish(rig), 1);
    given_out(rig, 2, A B);
}

static void a_rollback_publishes_what_was_under_a_new_serial(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    put(rig, 2, "B", "body B /b/\n", 2);
    assert_int_equal(publish(rig), 1);
    assert_false(weir_publisher_held(rig->publisher));
    assert_int_equal(again(rig, 1), 1);
    given_out(rig, 3, A);
    assert_int_equal(rig->told, 3);
    assert_int_equal(rig->published.differences[WEIR_RULE_GONE], 1);
    assert_true(weir_publisher_held(rig->publisher));
    assert_int_equal(open_publisher(rig), 0);
    assert_true(weir_publisher_held(rig->publisher));
    assert_int_equal(again(rig, 3), 0);
    assert_int_equal(again(rig, 4), WEIR_EINVAL);
    assert_int_equal(again(rig, 0), WEIR_EINVAL);
    assert_int_equal(publish_alone(rig, 0), 0); /* that is a person's to undo */
    assert_int_equal(rig->published.serial, 3);
    given_out(rig, 3, A);
    assert_int_equal(publish(rig), 1);
    given_out(rig, 4, A B);
    put(rig, 3, "C", "body C /c/\n", 3);
    assert_int_equal(publish_alone(rig, 0), 1);
    assert_false(weir_publisher_held(rig->publisher));
}

/* Two at once: while one has its turn, another one comes who read what there was before. */
struct second {
    struct rig *rig;
    struct weir_rules_newest based;
    uint32_t back;             /* the set that is to come back; 0: the rulebook is published */
    pthread_t thread;
    struct weir_published published;
    char why[WEIR_PUBLISH_WHY];
    int rc;
};

static void *come_second(void *context)
{
    struct second *second = context;
    const struct weir_publishing by = {.who = "user ben", .why = "", .now = DATABASE_NOW,
                                       .idle = 30 * WEIR_DAY, .based = &second->based};

    second->rc = second->back
                     ? weir_publish_again(second->rig->publisher, second->back, &by,
                                          &second->published, second->why)
                     : weir_publish(second->rig->publisher, &by, &second->published, second->why);
    return NULL;
}

static int begin_second(void *context, struct weir_slice before, struct weir_slice next,
                        char why_r[static WEIR_PUBLISH_WHY])
{
    struct second *second = context;

    (void)before, (void)next, (void)why_r;
    assert_int_equal(pthread_create(&second->thread, NULL, come_second, second), 0);
    return 0;
}

/* What comes of the second, when the first one brings a set back. */
static int come_both(struct rig *rig, uint32_t brings, int64_t serial, uint32_t back)
{
    struct second second = {.rig = rig, .back = back, .based = {serial, -1}};
    const struct weir_publishing by = {.who = "user anna", .why = "", .now = DATABASE_NOW,
                                       .try = begin_second, .context = &second};

    assert_int_equal(weir_publish_again(rig->publisher, brings, &by, &rig->published, rig->why), 1);
    assert_int_equal(pthread_join(second.thread, NULL), 0);
    return second.rc;
}

static void who_waits_for_his_turn_publishes_nothing_on_what_was_changed_meanwhile(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    put(rig, 2, "B", "body B /b/\n", 2);
    assert_int_equal(publish(rig), 1);
    assert_int_equal(come_both(rig, 1, 2, 0), WEIR_EBUSY);
    given_out(rig, 3, A);
    assert_int_equal(come_both(rig, 2, 3, 1), WEIR_EBUSY);
    given_out(rig, 4, A B);
    assert_int_equal(come_both(rig, 1, -1, 0), 1); /* who asks for nothing */
    given_out(rig, 6, A B);
}

static void a_set_is_published_on_what_it_is_based_on(void **state)
{
    struct weir_rules_newest based = {0, 0};
    struct weir_publishing by = {.who = "user ben", .why = "", .now = DATABASE_NOW,
                                 .idle = 30 * WEIR_DAY, .based = &based};
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(weir_publish(rig->publisher, &by, &rig->published, rig->why), WEIR_EBUSY);
    based.change = database_number(rig->base, "SELECT max(number) FROM rule_changes");
    assert_int_equal(weir_publish(rig->publisher, &by, &rig->published, rig->why), 1);
    assert_int_equal(weir_publish(rig->publisher, &by, &rig->published, rig->why), WEIR_EBUSY);
    based.serial = 1;
    assert_int_equal(weir_publish(rig->publisher, &by, &rig->published, rig->why), 0);
    given_out(rig, 1, A);
}

static void what_was_published_is_there_after_a_restart(void **state)
{
    struct rig *rig = *state;
    char key[WEIR_PARCEL_KEY_TEXT];

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    snprintf(key, sizeof key, "%s", weir_publisher_key(rig->publisher));
    assert_int_equal(open_publisher(rig), 0);
    assert_string_equal(weir_publisher_key(rig->publisher), key);
    given_out(rig, 1, A);
}

static void the_key_is_nobody_elses(void **state)
{
    struct rig *rig = *state;
    struct stat status;

    assert_int_equal(stat(rig->key_path, &status), 0);
    assert_int_equal(status.st_mode & 07777 & ~0640u, 0);
}

static void a_file_that_is_no_key_is_refused_and_left_as_it_is(void **state)
{
    struct rig *rig = *state;
    FILE *file = fopen(rig->key_path, "w");
    struct stat status;

    assert_true(fputs("something else\n", file) >= 0 && fclose(file) == 0);
    assert_int_equal(open_publisher(rig), WEIR_EINVAL);
    assert_int_equal(stat(rig->key_path, &status), 0);
    assert_int_equal(status.st_size, 15);
}

static void a_damaged_set_is_as_good_as_none(void **state)
{
    struct rig *rig = *state;

    put(rig, 1, "A", "body A /a/\n", 1);
    assert_int_equal(publish(rig), 1);
    database_must(rig->base, weir_database_run(rig->base->database,
                  "UPDATE rule_sets SET file = x'00'"), 0);
    assert_int_equal(again(rig, 1), WEIR_ECORRUPT);
    assert_int_equal(publish(rig), 1);
    given_out(rig, 2, A);
}

static void a_file_is_deflated_and_inflated_to_what_it_was(void **state)
{
    static const size_t lens[][2] = {{0, 0}, {1, 0}, {1, 1}, {5000, 0}, {5000, 5000}, {70000, 3},
                                     {700000, 350000}};
    struct seeded s = seeded_new("a_file_is_deflated_and_inflated_to_what_it_was");

    (void)state;
    for (size_t i = 0; i < sizeof lens / sizeof lens[0]; i++) {
        size_t len = lens[i][0], text = lens[i][1], deflated_len;
        char *octets = malloc(len + 1);
        void *deflated, *full;

        for (size_t n = 0; n < len; n++)
            octets[n] = (char)(n < text ? 'a' + seeded_below(&s, 3) : seeded_below(&s, 256));
        assert_int_equal(weir_publish_deflate((struct weir_slice){octets, len}, text, &deflated,
                                              &deflated_len), 0);
        full = weir_publish_inflate((struct weir_slice){deflated, deflated_len}, len);
        assert_non_null(full);
        assert_memory_equal(full, octets, len);
        assert_true(deflated_len < text / 2 + (len - text) + 200 + len / 1000);
        free(deflated);
        free(full);
        free(octets);
    }
    assert_int_equal(weir_publish_deflate((struct weir_slice){"a", 1}, 2, NULL, NULL), WEIR_ELIMIT);
    assert_int_equal(weir_publish_deflate((struct weir_slice){"a", WEIR_RULE_PARCEL_MAX + 1}, 1,
                                          NULL, NULL), WEIR_ELIMIT);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(B12_a_set_is_published_signed_with_a_serial),
        TEST(nothing_different_publishes_nothing),
        TEST(C29_the_word_list_goes_along_as_far_as_there_is_room),
        TEST(WEIR_BAYES_PUBLISHED_MAX_words_and_many_rules_fit_in_a_set),
        TEST(B11_a_rule_that_is_idle_is_missing_in_the_next_set),
        TEST(what_nobody_looks_at_does_not_lose_most_rules),
        TEST(few_rules_may_go_but_not_all),
        TEST(a_dry_run_changes_nothing),
        TEST(rules_that_make_no_set_publish_nothing_and_are_named),
        TEST(a_rollback_publishes_what_was_under_a_new_serial),
        TEST(who_waits_for_his_turn_publishes_nothing_on_what_was_changed_meanwhile),
        TEST(a_set_is_published_on_what_it_is_based_on),
        TEST(what_was_published_is_there_after_a_restart),
        TEST(the_key_is_nobody_elses),
        TEST(a_file_that_is_no_key_is_refused_and_left_as_it_is),
        TEST(a_damaged_set_is_as_good_as_none),
        cmocka_unit_test(a_file_is_deflated_and_inflated_to_what_it_was),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
