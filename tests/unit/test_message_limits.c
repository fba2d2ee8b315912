/*
 * Messages at and past their limits, cut anywhere, with memory short; and beside stupid
 * models (message.c, message_field.c, multipart.c, message_lines.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "core/base/arena_impl.h"
#include "core/base/limits.h"
#include "tests/unit/message_outline.h"
#include "tests/unit/seeded.h"

enum { ROOM = 4 << 20 };

struct text {
    struct weir_arena *arena;
    struct weir_line line;
    struct weir_message message;
};

static int set_up(void **state)
{
    static char room[ROOM + 1];
    static struct text text;
    text.arena = weir_arena_new(1 << 16);
    text.line = weir_line(room, sizeof(room));
    *state = &text;
    return text.arena ? 0 : -1;
}

static int tear_down(void **state)
{
    struct text *text = *state;
    weir_arena_free(&text->arena);
    return 0;
}

static void repeat(struct text *text, const char *piece, size_t times)
{
    for (size_t i = 0; i < times; i++)
        weir_line_text(&text->line, piece);
    assert_false(text->line.cut);
}

/* Parses what was put together and begins anew. */
static const struct weir_message *parsed(struct text *text)
{
    size_t len = (size_t)(text->line.at - text->line.start);
    weir_arena_reset(text->arena, SIZE_MAX);
    assert_int_equal(weir_message_parse(text->line.start, len, text->arena, &text->message), 0);
    text->line.at = text->line.start;
    return &text->message;
}

static bool has(const struct weir_message *message, enum weir_defect defect)
{
    return message->defects >> defect & 1;
}

static bool limited(const struct weir_message *message)
{
    return has(message, WEIR_DEFECT_LIMIT);
}

static void WEIR_FIELDS_MAX_fields_are_kept_and_one_more_is_not(void **state)
{
    struct text *text = *state;
    repeat(text, "A: b\n", WEIR_FIELDS_MAX);
    const struct weir_message *message = parsed(text);
    assert_int_equal(message->fields, WEIR_FIELDS_MAX);
    assert_false(limited(message));
    repeat(text, "A: b\n", WEIR_FIELDS_MAX);
    repeat(text, "Content-Type: text/html\n\nx", 1);
    message = parsed(text);
    assert_int_equal(message->fields, WEIR_FIELDS_MAX);
    assert_true(limited(message));
    assert_int_equal(message->part[0].media, WEIR_MEDIA_HTML); /* yet not hidden by others */
    assert_int_equal(message->part[0].body.len, 1);
}

static void a_name_longer_than_WEIR_FIELD_NAME_MAX_is_a_field_too(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "A: b\n", 1);
        repeat(text, "x", WEIR_FIELD_NAME_MAX + more);
        repeat(text, ": y\nC: d\n\n", 1);
        const struct weir_message *message = parsed(text);
        assert_int_equal(message->fields, 3);
        assert_int_equal(message->field[1].name.len, WEIR_FIELD_NAME_MAX + more);
        assert_false(has(message, WEIR_DEFECT_BAD_FIELD));
    }
}

static void a_name_that_reaches_behind_WEIR_HEAD_MAX_is_no_field(void **state)
{
    struct text *text = *state;
    for (size_t blanks = 0; blanks < 2; blanks++) { /* with blanks its name is a strange one */
        repeat(text, "A: b\n", 1);
        repeat(text, blanks ? "x x" : "xxx", WEIR_HEAD_MAX / 3 + 10);
        repeat(text, ": y\n\nbody", 1);
        const struct weir_message *message = parsed(text);
        assert_int_equal(message->fields, 1);
        assert_true(limited(message));
        assert_int_equal(message->part[0].body.len, 4);
    }
}

static void a_head_is_looked_at_up_to_WEIR_HEAD_MAX(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "A:", 1);
        repeat(text, "x", WEIR_HEAD_MAX - 3 + more);
        repeat(text, "\n", 1);
        repeat(text, "B: c\n\nbody", more);
        const struct weir_message *message = parsed(text);
        assert_int_equal(limited(message), more);
        assert_int_equal(message->fields, 1);
        assert_int_equal(message->part[0].head.len, WEIR_HEAD_MAX);
        assert_int_equal(message->part[0].body.len, 4 * more);
    }
}

static void WEIR_PARTS_MAX_parts_are_found_and_one_more_is_not(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "Content-Type: multipart/mixed; boundary=b\n\n", 1);
        repeat(text, "--b\n\nx\n", WEIR_PARTS_MAX - 1 + more);
        repeat(text, "--b--\n", 1);
        const struct weir_message *message = parsed(text);
        assert_int_equal(message->parts, WEIR_PARTS_MAX);
        assert_int_equal(limited(message), more);
        assert_int_equal(message->part[WEIR_PARTS_MAX - 1].body.len, 1);
    }
}

static void messages_are_entered_down_to_WEIR_PART_DEPTH_MAX(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "Content-Type: message/rfc822\n\n", WEIR_PART_DEPTH_MAX + more);
        repeat(text, "A: b\n\nx", 1);
        const struct weir_message *message = parsed(text);
        assert_int_equal(message->parts, WEIR_PART_DEPTH_MAX + 1);
        assert_int_equal(message->part[message->parts - 1].depth, WEIR_PART_DEPTH_MAX);
        assert_int_equal(limited(message), more);
    }
}

static void multiparts_are_opened_down_to_WEIR_PART_DEPTH_MAX(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "Content-Type: multipart/mixed; boundary=b\n\n--b\n",
               WEIR_PART_DEPTH_MAX + more);
        repeat(text, "\nx\n", 1);
        repeat(text, "--b--\n", WEIR_PART_DEPTH_MAX + more);
        const struct weir_message *message = parsed(text);
        /* The line of the one too many is a boundary of the one that holds it. */
        assert_int_equal(message->parts, WEIR_PART_DEPTH_MAX + 1 + more);
        assert_int_equal(message->part[message->parts - 1].depth, WEIR_PART_DEPTH_MAX);
        assert_int_equal(limited(message), more);
    }
}

static void a_boundary_of_WEIR_BOUNDARY_MAX_is_one_and_a_longer_one_is_not(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        repeat(text, "Content-Type: multipart/mixed; boundary=", 1);
        repeat(text, "b", WEIR_BOUNDARY_MAX + more);
        repeat(text, "\n\n--", 1);
        repeat(text, "b", WEIR_BOUNDARY_MAX + more);
        repeat(text, "\n\nx", 1);
        const struct weir_message *message = parsed(text);
        assert_int_equal(message->parts, 2 - more);
        assert_int_equal(has(message, WEIR_DEFECT_NO_BOUNDARY), more);
        assert_int_equal(limited(message), more);
    }
}

static void a_line_of_998_octets_is_no_long_line(void **state)
{
    static const char *const ends[] = {"\n", "\r\n", ""};
    struct text *text = *state;
    for (size_t i = 0; i < 2 * sizeof(ends) / sizeof(ends[0]); i++) {
        repeat(text, "A: b\n\n", 1);
        repeat(text, "x", 998 + i % 2);
        repeat(text, ends[i / 2], 1);
        assert_int_equal(has(parsed(text), WEIR_DEFECT_LONG_LINE), i % 2);
    }
}

static void a_message_past_WEIR_MESSAGE_MAX_is_read_up_to_it(void **state)
{
    struct text *text = *state;
    for (size_t more = 0; more < 2; more++) {
        size_t len = WEIR_MESSAGE_MAX + more;
        char *octets = calloc(len, 1);
        assert_non_null(octets);
        memcpy(octets, "A: b\n\n", 6);
        weir_arena_reset(text->arena, SIZE_MAX);
        assert_int_equal(weir_message_parse(octets, len, text->arena, &text->message), 0);
        assert_int_equal(text->message.whole.len, WEIR_MESSAGE_MAX);
        assert_int_equal(limited(&text->message), more);
        free(octets);
    }
}

/* Random text out of what matters to the parser. */
static size_t random_message(struct seeded *s, char *octets, size_t most)
{
    static const char *const piece[] = {
        "Content-Type: multipart/mixed; boundary=b\n",
        "Content-Type: multipart/digest; boundary=bb\r\n",
        "Content-Type: message/rfc822\n", "--b\n", "--bb\r\n", "--b--\n", "--bb--", "--", "\n",
        "\r\n", "\r", "A: b\n", " folded\n", "text\n", "x", "\xc3", "From ", ":", "Content-Type",
        "\"",
    };
    size_t len = 0, pieces = seeded_below(s, 40);
    for (size_t i = 0; i < pieces; i++) {
        const char *next = piece[seeded_below(s, sizeof(piece) / sizeof(piece[0]))];
        size_t next_len = strlen(next);
        if (len + next_len > most)
            break;
        memcpy(octets + len, next, next_len);
        len += next_len;
    }
    return len;
}

static bool inside(struct weir_slice inner, struct weir_slice outer)
{
    return inner.len == 0 || (inner.at >= outer.at && inner.at + inner.len <= outer.at + outer.len);
}

/* What holds of any message. */
static void check_any(const struct weir_message *message)
{
    size_t fields = 0;
    assert_true(message->parts >= 1);
    for (size_t i = 0; i < message->parts; i++) {
        const struct weir_part *part = &message->part[i];
        const struct weir_part *parent = &message->part[part->parent];
        assert_int_equal(part->field, fields);
        fields += part->fields;
        assert_true(inside(part->head, message->whole) && inside(part->body, message->whole));
        assert_true(i == 0 ? part->depth == 0 : part->parent < i);
        assert_true(i == 0 || part->depth == parent->depth + 1);
        assert_true(i == 0 || part->head.at >= parent->body.at);
        assert_true(i == 0 || inside(part->body, parent->body));
        for (size_t f = part->field; f < fields; f++)
            assert_true(inside(message->field[f].value, part->head));
    }
    assert_int_equal(fields, message->fields);
}

/* The same from one pass, octet by octet. */
static void check_lines(const struct weir_message *message)
{
    const char *at = message->whole.at;
    size_t len = message->whole.len;
    bool bare_cr = false, bare_lf = false, crlf = false;
    for (size_t i = 0; i < len; i++) {
        bool lf_next = i + 1 < len && at[i + 1] == '\n';
        bare_cr |= at[i] == '\r' && !lf_next;
        crlf |= at[i] == '\r' && lf_next;
        bare_lf |= at[i] == '\n' && (i == 0 || at[i - 1] != '\r');
    }
    assert_int_equal(has(message, WEIR_DEFECT_BARE_CR), bare_cr);
    assert_int_equal(has(message, WEIR_DEFECT_MIXED_LINE_ENDS), crlf && bare_lf);
}

/* Each text lies in a piece of memory of just its length, so that a sanitizer sees each
 * octet too many. */
static void random_messages_are_read_within_their_bounds(void **state)
{
    struct text *text = *state;
    struct seeded s = seeded_new(__func__);
    char octets[2000];
    for (int round = 0; round < 20000; round++) {
        size_t len = random_message(&s, octets, sizeof(octets));
        char *copy = malloc(len + 1);
        memcpy(copy + 1, octets, len);
        weir_arena_reset(text->arena, SIZE_MAX);
        assert_int_equal(weir_message_parse(copy + 1, len, text->arena, &text->message), 0);
        check_any(&text->message);
        check_lines(&text->message);
        free(copy);
    }
}

static void when_memory_is_short_nothing_is_written_and_the_next_try_works(void **state)
{
    struct text *text = *state;
    repeat(text, "Content-Type: multipart/mixed; boundary=b\n", 1);
    repeat(text, "A: b\n", 100);
    repeat(text, "\n", 1);
    repeat(text, "--b\n\nx\n", 50);
    size_t len = (size_t)(text->line.at - text->line.start);
    unsigned n = 1;
    for (;; n++) {
        struct weir_message message = {.parts = 77};
        weir_arena_fail_nth(text->arena, n);
        int rc = weir_message_parse(text->line.start, len, text->arena, &message);
        if (!weir_arena_failed(text->arena)) {
            assert_int_equal(rc, 0);
            assert_int_equal(message.parts, 51);
            break;
        }
        assert_int_equal(rc, WEIR_ENOMEM);
        assert_int_equal(message.parts, 77);
        weir_arena_reset(text->arena, SIZE_MAX);
    }
    assert_true(n > 2);
    weir_arena_fail_nth(text->arena, 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(WEIR_FIELDS_MAX_fields_are_kept_and_one_more_is_not),
        TEST(a_name_longer_than_WEIR_FIELD_NAME_MAX_is_a_field_too),
        TEST(a_name_that_reaches_behind_WEIR_HEAD_MAX_is_no_field),
        TEST(a_head_is_looked_at_up_to_WEIR_HEAD_MAX),
        TEST(WEIR_PARTS_MAX_parts_are_found_and_one_more_is_not),
        TEST(messages_are_entered_down_to_WEIR_PART_DEPTH_MAX),
        TEST(multiparts_are_opened_down_to_WEIR_PART_DEPTH_MAX),
        TEST(a_boundary_of_WEIR_BOUNDARY_MAX_is_one_and_a_longer_one_is_not),
        TEST(a_line_of_998_octets_is_no_long_line),
        TEST(a_message_past_WEIR_MESSAGE_MAX_is_read_up_to_it),
        TEST(random_messages_are_read_within_their_bounds),
        TEST(when_memory_is_short_nothing_is_written_and_the_next_try_works),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
