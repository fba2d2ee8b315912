/* info_binding.c: what a relay may do to a message keeps its digest, what changes it does not. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/engine/info.h"
#include "tests/unit/seeded.h"

static uint64_t binding_of(const char *octets, size_t len)
{
    struct weir_arena *arena = weir_arena_new(4096);
    struct weir_message message;
    assert_int_equal(weir_message_parse(octets, len, arena, &message), 0);
    uint64_t binding = weir_info_binding(&message);
    weir_arena_free(&arena);
    return binding;
}

static uint64_t binding(const char *text)
{
    return binding_of(text, strlen(text));
}

static const char plain[] = "Received: from a by b; Mon, 1 Jan 2024 10:00:00 +0000\n"
                            "From: \"A. Person\" <a@example.org>\n"
                            "Subject: hello\n"
                            "Date: Mon, 1 Jan 2024 10:00:00 +0000\n"
                            "Message-ID: <1@example.org>\n"
                            "\nbody\n";

static void B21_what_relays_do_keeps_the_digest(void **state)
{
    (void)state;
    static const char *const same[] = {
        /* CRLF, another order between the three, a field before it, another body */
        "Received: from b by c; Mon, 1 Jan 2024 10:00:01 +0000\r\n"
        "Message-ID: <1@example.org>\r\nDate: Mon, 1 Jan 2024 10:00:00 +0000\r\n"
        "From: \"A. Person\" <a@example.org>\r\nSubject: other\r\n\r\nother body\r\n",
        /* folded anew */
        "From:\n \"A.\n  Person\"\n\t<a@example.org>\n"
        "Date:\n Mon,\n 1\n Jan 2024 10:00:00\n\t+0000\n"
        "Message-ID:\n <1@example.org>\n\nbody\n",
        /* blanks and the case of names */
        "FROM:   \"A.  Person\" \t <a@example.org>  \ndate:Mon, 1 Jan 2024 10:00:00 +0000\t\n"
        "mEsSaGe-Id: <1@example.org>\n\nbody\n",
        "Subject: x\nFrom : \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\n\n",
    };
    for (size_t i = 0; i < sizeof(same) / sizeof(*same); i++)
        assert_true(binding(same[i]) == binding(plain));
}

static void whatever_changes_content_changes_the_digest(void **state)
{
    (void)state;
    static const char *const other[] = {
        "From: \"A. person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\n\n",
        "From: \"A.Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\n\n",
        "From: \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:01 +0000\n"
        "Message-ID: <1@example.org>\n\n",
        "From: \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <2@example.org>\n\n",
        "From: \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n\n",
        "From: \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\nMessage-ID:\n\n",
        "From: \"A. Person\" <a@example.org>\nFrom: b@example.net\n"
        "Date: Mon, 1 Jan 2024 10:00:00 +0000\nMessage-ID: <1@example.org>\n\n",
        "From: b@example.net\nFrom: \"A. Person\" <a@example.org>\n"
        "Date: Mon, 1 Jan 2024 10:00:00 +0000\nMessage-ID: <1@example.org>\n\n",
        "From: \"A. Person\" <a@example.org>date:Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\n\n",
        "From: same\n\n", "Date: same\n\n", "Message-ID: same\n\n",
        "\n", "",
    };
    for (size_t i = 0; i < sizeof(other) / sizeof(*other); i++) {
        assert_true(binding(other[i]) != binding(plain));
        for (size_t j = 0; j < i; j++)
            assert_true(binding(other[i]) != binding(other[j]) || strlen(other[i]) <= 1);
    }
}

static void fields_of_a_message_within_do_not_count(void **state)
{
    (void)state;
    static const char within[] =
        "From: \"A. Person\" <a@example.org>\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
        "Message-ID: <1@example.org>\nContent-Type: message/rfc822\n\n"
        "From: b@example.net\nDate: never\nMessage-ID: <2@example.net>\n\nbody\n";
    assert_true(binding(within) == binding(plain));
}

/* Blanks in any number at any place where there is one, and values of any length. */
static void any_refolding_keeps_the_digest(void **state)
{
    (void)state;
    struct seeded s = seeded_new("any_refolding_keeps_the_digest");
    static const char *const blank[] = {" ", "  ", "\t", "\n ", "\r\n\t", " \n  "};
    for (int round = 0; round < 300; round++) {
        char plain_text[2000] = "From: x", folded[8000] = "From:  x";
        size_t words = seeded_below(&s, 250);
        for (size_t i = 0; i < words; i++) {
            char word[8] = "";
            for (unsigned c = 0, len = 1 + seeded_below(&s, 6); c < len; c++)
                word[c] = (char)('!' + seeded_below(&s, 94));
            strcat(strcat(plain_text, " "), word);
            strcat(strcat(folded, blank[seeded_below(&s, 6)]), word);
        }
        strcat(plain_text, "\n\n");
        strcat(folded, "\n\n");
        assert_true(binding(plain_text) == binding(folded));
    }
}

static void a_string_moved_to_another_message_is_unbound(void **state)
{
    (void)state;
    static const char spam[] = "From: s@example.net\nDate: Mon, 1 Jan 2024 10:00:00 +0000\n"
                               "Message-ID: <9@example.net>\n\nbuy\n";
    struct weir_info_keys keys = {.key = {{.id = 1, .octet = {1}}}, .keys = 1};
    struct weir_info info = {.binding = binding(plain)}, again;
    char text[WEIR_INFO_TEXT_MAX + 1];
    weir_info_make(&info, NULL, 0, &keys, true, text);
    struct weir_slice slice = {text, strlen(text)};
    assert_int_equal(weir_info_read(slice, binding(plain), &keys, &again), WEIR_INFO_VALID);
    assert_int_equal(weir_info_read(slice, binding(spam), &keys, &again), WEIR_INFO_UNBOUND);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(B21_what_relays_do_keeps_the_digest),
        cmocka_unit_test(whatever_changes_content_changes_the_digest),
        cmocka_unit_test(fields_of_a_message_within_do_not_count),
        cmocka_unit_test(any_refolding_keeps_the_digest),
        cmocka_unit_test(a_string_moved_to_another_message_is_unbound),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
