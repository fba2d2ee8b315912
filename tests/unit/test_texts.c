/*
 * texts - reported messages as they are packed (reported_text.c), taken by the monitor (texts_io.c)
 * and kept (database_texts_io.c).
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
#include "monitor/analyzer/reported_text.h"
#include "monitor/analyzer/texts_io.h"
#include "monitor/database/database_texts_io.h"
#include "tests/unit/database_rig.h"

#define NOW DATABASE_NOW

static const struct weir_info_keys keys = {.key = {{.id = 7, .octet = {1, 2, 3}}}, .keys = 1};

struct world {
    struct database_rig *rig;
    struct weir_texts *texts;
    struct weir_arena *arena;
};

static int setup(void **state)
{
    struct world *world = calloc(1, sizeof *world);
    void *rig;

    if (!world || database_setup(&rig) != 0)
        return -1;
    world->rig = rig;
    world->arena = weir_arena_new(1u << 20);
    *state = world;
    return weir_texts_new(&keys, world->rig->database, 30 * WEIR_DAY, &world->texts);
}

static int teardown(void **state)
{
    struct world *world = *state;
    void *rig = world->rig;

    weir_texts_free(&world->texts);
    weir_arena_free(&world->arena);
    free(world);
    return database_teardown(&rig);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

static int64_t number(struct world *world, const char *sql)
{
    return database_number(world->rig, sql);
}

/* Cutting and packing. ---------------------------------------------------------- */

static struct weir_slice cut(struct world *world, const char *mail, size_t most, bool *cut_r)
{
    struct weir_message message;
    struct weir_slice text;

    assert_int_equal(weir_message_parse(mail, strlen(mail), world->arena, &message), 0);
    assert_int_equal(weir_reported_text_cut(&message, most, world->arena, &text, cut_r), 0);
    return text;
}

static void attachments_are_replaced_and_nothing_else(void **state)
{
    static const char mail[] =
        "Subject: two\nContent-Type: multipart/mixed; boundary=x\n\nfront\n--x\n\nread me\n--x\n"
        "Content-Type: application/pdf; name=\"a\x1b.pdf\"\nContent-Transfer-Encoding: base64\n\n"
        "aGVsbG8=\n--x\nContent-Type: text/html\n\n<p>seen</p>\n--x\nContent-Type: text/plain\n"
        "Content-Disposition: attachment; filename=b.txt\n\nhello\n--x--\nbehind\n";
    struct world *world = *state;
    bool is_cut;
    struct weir_slice text = cut(world, mail, 4096, &is_cut);
    const char *copy = weir_arena_copy(world->arena, text.at, text.len);

    assert_false(is_cut);
    assert_non_null(strstr(copy, "front\n--x\n\nread me\n--x\n"));
    assert_non_null(strstr(copy, "<p>seen</p>"));
    assert_non_null(strstr(copy, "[attachment left out: application/pdf, \"a?.pdf\", 5 octets, "
                                 "sha256 2cf24dba5fb0a30e26e83b2ac5b9e29e1b161e5c1fa7425e73043362"
                                 "938b9824]\n"));
    assert_non_null(strstr(copy, "[attachment left out: text/plain, \"b.txt\", "));
    assert_null(strstr(copy, "aGVsbG8"));
    assert_non_null(strstr(copy, "--x--\nbehind\n"));
}

static void what_marks_say_is_read_and_nothing_else_is_a_mark(void **state)
{
    static const struct {
        const char *line;
        bool is;
        const char *name;
        uint64_t octets;
    } cases[] = {
        {"[attachment left out: a/b, \"c.pdf\", 5 octets, sha256 2cf2]", true, "c.pdf", 5},
        {"[attachment left out: a/b, \"\", 0 octets, sha256 ]", true, "", 0},
        {"[attachment left out: a/b, \"x\", 1 octets, sha256 y\", 360 octets, sha256 2cf2]", true,
         "x\", 1 octets, sha256 y", 360},
        {"[attachment left out: a/b, \"c\", 999999999999999999 octets, sha256 2]", true, "c",
         999999999999999999},
        {"[attachment left out: a/b, \"c\", 1000000000000000000 octets, sha256 2]", false, "", 0},
        {"[attachment left out: a/b, \"c\", -5 octets, sha256 2]", false, "", 0},
        {"[attachment left out: a/b, \"c\",  octets, sha256 2]", false, "", 0},
        {"[attachment left out: a/b, \"c\" octets, sha256 2]", false, "", 0},
        {"[attachment left out: a/b, \", 5 octets, sha256 2]", false, "", 0},
        {"[attachment left out: a/b, \"c\", 5 octets, sha256 2", false, "", 0},
        {" [attachment left out: a/b, \"c\", 5 octets, sha256 2]", false, "", 0},
        {"[attachment left out: ", false, "", 0},
        {"[attachment left out: ]", false, "", 0},
        {"", false, "", 0}};

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        struct weir_reported_mark mark = {.octets = 0};
        bool is = weir_reported_mark_read(weir_slice_of(cases[i].line), &mark);

        assert_int_equal(is, cases[i].is);
        if (!is)
            continue;
        assert_true(weir_slice_equals(mark.name, cases[i].name));
        assert_true(weir_slice_equals(mark.type, "a/b"));
        assert_int_equal(mark.octets, cases[i].octets);
    }
}

static void a_message_without_attachments_is_as_it_was_up_to_the_limit(void **state)
{
    static const char mail[] = "Subject: x\r\n\r\nsome text\r\n";
    const size_t len = sizeof mail - 1;
    struct world *world = *state;
    bool is_cut;

    for (size_t most = len - 1; most <= len + 1; most++) {
        struct weir_slice text = cut(world, mail, most, &is_cut);

        assert_int_equal(text.len, most < len ? most : len);
        assert_memory_equal(text.at, mail, text.len);
        assert_true(is_cut == (most < len));
    }
}

static struct weir_slice packed(struct world *world, const struct weir_reported_text *told,
                                struct weir_slice text)
{
    struct weir_slice octets;

    assert_int_equal(weir_reported_text_pack(told, text, world->arena, &octets), 0);
    return octets;
}

static void what_is_packed_is_unpacked(void **state)
{
    struct world *world = *state;
    char *large = weir_arena_take(world->arena, WEIR_REPORTED_TEXT_MAX);
    const struct weir_reported_text told = {.spam = true, .cut = true, .reporter = 9,
                                            .binding = 10, .info = weir_slice_of("v1; A\r\n B")};

    for (size_t i = 0; i < WEIR_REPORTED_TEXT_MAX; i++)
        large[i] = (char)(i % 7 == 0 ? i * 31 : 'a');
    for (size_t len = 0; len <= WEIR_REPORTED_TEXT_MAX; len += WEIR_REPORTED_TEXT_MAX / 2) {
        struct weir_slice octets = packed(world, &told, (struct weir_slice){large, len});
        char *again = weir_arena_take(world->arena, len + 1);
        struct weir_reported_text read;

        assert_int_equal(weir_reported_text_read(octets, &read), 1);
        assert_true(read.spam && read.cut && read.reporter == 9 && read.binding == 10);
        assert_true(weir_slice_equals(read.info, "v1;AB"));
        assert_int_equal(read.len, len);
        assert_true(read.packed == (len > 0));
        assert_int_equal(weir_reported_text_unpack(&read, again), 0);
        assert_memory_equal(again, large, len);
    }
    assert_int_equal(weir_reported_text_pack(&told, (struct weir_slice){
        large, WEIR_REPORTED_TEXT_MAX + 1}, world->arena, &(struct weir_slice){0}), WEIR_ELIMIT);
}

#define FRONT "report=spam cut=no reporter=00000000000000ff binding=0123456789abcdef info=- "

static void what_was_not_packed_so_is_none(void **state)
{
    static const char *const bad[] = {
        "", "hello", FRONT "len=5 packed=no\nhell", FRONT "len=5 packed=no\nhello!",
        FRONT "len=196609 packed=zlib\nx", FRONT "len=-1 packed=zlib\nx",
        FRONT "len=5 packed=maybe\nhello", FRONT "len=5 packed=no more\nhello",
        FRONT "len=1 packed=\nx",
    };
    struct weir_reported_text read;
    char buffer[8];
    (void)state;

    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (weir_reported_text_read(weir_slice_of(bad[i]), &read) != 0)
            fail_msg("taken: %s", bad[i]);
    assert_int_equal(weir_reported_text_read(weir_slice_of(FRONT "len=5 packed=zlib\nhello"),
                                             &read), 1);
    assert_int_equal(weir_reported_text_unpack(&read, buffer), WEIR_ECORRUPT);
}

/* A bomb claims to be small. */
static void more_than_it_claims_is_not_unpacked(void **state)
{
    struct world *world = *state;
    char *zeros = weir_arena_zero(world->arena, 1, WEIR_REPORTED_TEXT_MAX);
    const struct weir_reported_text told = {.spam = true};
    struct weir_reported_text read;
    char buffer[10];

    assert_int_equal(weir_reported_text_read(
        packed(world, &told, (struct weir_slice){zeros, WEIR_REPORTED_TEXT_MAX}), &read), 1);
    read.len = sizeof buffer;
    assert_int_equal(weir_reported_text_unpack(&read, buffer), WEIR_ECORRUPT);
}

/* Taking. ----------------------------------------------------------------------- */

/* binding 0: the string's own. */
static void take(struct world *world, uint32_t server, uint64_t uid, bool ours, weir_time at)
{
    const struct weir_info info = {.server = 1, .at = NOW, .uid = uid, .binding = ~uid};
    struct weir_reported_text told = {.spam = true, .binding = ours ? ~uid : uid};
    struct weir_gathered whole = {.kind = WEIR_TEXTS_KIND, .server = server, .at = NOW + at};
    char text[WEIR_INFO_TEXT_MAX + 1];

    assert_int_equal(weir_info_make(&info, NULL, 0, &keys, false, text), 0);
    told.info = weir_slice_of(text);
    whole.octets = packed(world, &told, weir_slice_of("Subject: x\n\nhello\n"));
    assert_int_equal(weir_texts_take(world->texts, &whole), 0);
    weir_arena_reset(world->arena, 1u << 20);
}

static void B16_what_is_proven_and_what_is_not_are_kept_apart(void **state)
{
    struct world *world = *state;
    struct weir_gathered nonsense = {.kind = WEIR_TEXTS_KIND, .octets = weir_slice_of("none")};

    take(world, 1, 100, true, 0);
    take(world, 2, 100, true, 1);  /* the first stays */
    take(world, 1, 101, false, 0);
    assert_int_equal(weir_texts_take(world->texts, &nonsense), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM reported_texts"), 2);
    assert_int_equal(number(world, "SELECT server FROM reported_texts WHERE uid = 100 AND "
                            "proven = 1 AND state = 'valid'"), 1);
    assert_int_equal(number(world, "SELECT count(*) FROM reported_texts WHERE uid = 101 AND "
                            "proven = 0 AND state = 'unbound'"), 1);
    assert_int_equal(weir_database_text_forget(world->rig->database, 100), 1);
    assert_int_equal(weir_database_text_forget(world->rig->database, 100), 0);
}

static void a_server_tells_of_so_many_in_a_day(void **state)
{
    struct world *world = *state;

    assert_int_equal(weir_database_begin(world->rig->database), 0);
    for (uint64_t uid = 1; uid <= WEIR_TEXTS_SERVER_DAY + 1; uid++)
        take(world, 1, uid, true, 0);
    take(world, 2, 9999, true, 0);
    take(world, 1, 10000, true, WEIR_DAY);
    assert_int_equal(weir_database_commit(world->rig->database), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM reported_texts"),
                     WEIR_TEXTS_SERVER_DAY + 2);
}

static void the_oldest_go_by_number_by_size_and_by_age(void **state)
{
    struct world *world = *state;
    struct weir_database *database = world->rig->database;

    for (uint64_t uid = 1; uid <= 10; uid++) {
        take(world, 1, uid, true, (weir_time)uid * WEIR_HOUR);
        take(world, 1, 100 + uid, false, (weir_time)uid * WEIR_HOUR);
    }
    assert_int_equal(weir_database_texts_retain(database, false, 4, INT64_MAX, 0), 0);
    assert_int_equal(number(world, "SELECT min(uid) FROM reported_texts WHERE proven = 0"), 107);
    assert_int_equal(number(world, "SELECT count(*) FROM reported_texts WHERE proven = 1"), 10);
    assert_int_equal(weir_database_texts_retain(
        database, true, 100, 3 * number(world, "SELECT max(len) FROM reported_texts"), 0), 0);
    assert_int_equal(number(world, "SELECT min(uid) FROM reported_texts WHERE proven = 1"), 8);
    assert_int_equal(weir_texts_retain(world->texts, NOW + 9 * WEIR_HOUR + 30 * WEIR_DAY), 0);
    assert_int_equal(number(world, "SELECT min(uid) FROM reported_texts WHERE proven = 1"), 9);
    weir_texts_use(world->texts, WEIR_HOUR);
    assert_int_equal(weir_texts_retain(world->texts, NOW + 30 * WEIR_DAY), 0);
    assert_int_equal(number(world, "SELECT count(*) FROM reported_texts"), 0);
}

static void what_is_over_goes_each_64_texts(void **state)
{
    struct world *world = *state;

    take(world, 1, 1000, true, 0);
    for (uint64_t i = 2; i <= 2 * WEIR_TEXTS_RETAIN; i++) {
        take(world, 1, 1000 + i, true, 31 * WEIR_DAY);
        assert_int_equal(number(world, "SELECT count(*) FROM reported_texts"),
                         i < WEIR_TEXTS_RETAIN ? i : i - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(attachments_are_replaced_and_nothing_else),
        TEST(what_marks_say_is_read_and_nothing_else_is_a_mark),
        TEST(a_message_without_attachments_is_as_it_was_up_to_the_limit),
        TEST(what_is_packed_is_unpacked),
        TEST(what_was_not_packed_so_is_none),
        TEST(more_than_it_claims_is_not_unpacked),
        TEST(B16_what_is_proven_and_what_is_not_are_kept_apart),
        TEST(a_server_tells_of_so_many_in_a_day),
        TEST(the_oldest_go_by_number_by_size_and_by_age),
        TEST(what_is_over_goes_each_64_texts),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
