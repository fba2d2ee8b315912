/*
 * Transfer encodings (transfer.c, uuencode.c): what decodes to what, what is noted, and
 * that encoding anything and decoding it again gives it back.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/transfer.h"
#include "tests/unit/seeded.h"

struct named {
    const char *value;
    enum weir_transfer transfer;
    bool known;
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void an_encoding_is_known_by_its_name_whatever_is_around_it(void **state)
{
    static const struct named cases[] = {
        {"base64", WEIR_TRANSFER_BASE64, true},
        {" BASE64\r\n", WEIR_TRANSFER_BASE64, true},
        {" (a (nested) comment) Quoted-Printable (x)", WEIR_TRANSFER_QUOTED, true},
        {"\"base64\"", WEIR_TRANSFER_BASE64, true},
        {"base64;", WEIR_TRANSFER_BASE64, true},
        {"base64(x)", WEIR_TRANSFER_BASE64, true},
        {"7bit", WEIR_TRANSFER_NONE, true},
        {"8BIT", WEIR_TRANSFER_NONE, true},
        {"binary", WEIR_TRANSFER_NONE, true},
        {"x-uuencode", WEIR_TRANSFER_UUENCODE, true},
        {"x-uue", WEIR_TRANSFER_UUENCODE, true},
        {"", WEIR_TRANSFER_NONE, false},
        {"(open", WEIR_TRANSFER_NONE, false},
        {"base65", WEIR_TRANSFER_NONE, false},
        {"base64x", WEIR_TRANSFER_NONE, false},
        {"base", WEIR_TRANSFER_NONE, false},
        {"quoted printable", WEIR_TRANSFER_NONE, false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        bool known;
        enum weir_transfer transfer = weir_transfer_named(slice(cases[i].value), &known);
        if (transfer != cases[i].transfer || known != cases[i].known)
            fail_msg("%s: %d, known %d", cases[i].value, (int)transfer, known);
    }
}

struct decoded {
    const char *text, *want;
    bool bad;
};

static void check_all(enum weir_transfer transfer, const struct decoded *cases, size_t n,
                      unsigned bit)
{
    for (size_t i = 0; i < n; i++) {
        char room[400];
        struct weir_line out = weir_line(room, sizeof room);
        unsigned defects = 77;
        weir_transfer_decode(transfer, slice(cases[i].text), &out, &defects);
        if (strcmp(weir_line_end(&out), cases[i].want) != 0)
            fail_msg("\"%s\": got \"%s\", want \"%s\"", cases[i].text, room, cases[i].want);
        if (defects != (cases[i].bad ? bit : 0))
            fail_msg("\"%s\": defects %u", cases[i].text, defects);
    }
}

static void base64_goes_on_whatever_comes(void **state)
{
    static const struct decoded cases[] = {
        {"", "", false},
        {"aGVsbG8gd29ybGQh", "hello world!", false},
        {"aGVs\r\nbG8g\nd29y bGQh\t\n", "hello world!", false},
        {"aGVsbG8=", "hello", false},
        {"aGVsbG8=\n", "hello", false},
        {"aGVsbA==", "hell", false},
        {"aGVs\nbA=\n=", "hell", false},
        {"aGVsbG8", "hello", true},          /* its padding is missing */
        {"aGVsbA", "hell", true},
        {"aGVsbA=", "hell", true},
        {"aGVsb", "hel", true},              /* a rest that is no octet */
        {"aGVsbA==aGVsbG8=", "hellhello", true}, /* padding in the middle */
        {"aGVsbG8=\naGVsbG8=\n", "hellohello", true},
        {"a=GVsbG8=", "hello", true},        /* padding where none can be */
        {"=aGVsbG8=", "hello", true},
        {"aG=VsbG8=", "hello", true},        /* half a padding */
        {"a!G*V-s_b.G8=", "hello", true},    /* junk in between */
        {"aGVsbG8=====", "hello", true},
        {"aGVsbG8=\n--\nfooter", "hello~\x8a-z", true},
        {"\xff" "aGVsbG8=", "hello", true},
    };
    (void)state;
    check_all(WEIR_TRANSFER_BASE64, cases, sizeof cases / sizeof *cases,
              WEIR_TRANSFER_BAD_BASE64);
}

static void quoted_printable_keeps_what_it_cannot_read(void **state)
{
    static const struct decoded cases[] = {
        {"", "", false},
        {"plain", "plain", false},
        {"a=3Db=3d", "a=b=", false},
        {"=48=49", "HI", false},
        {"soft=\nbreak", "softbreak", false},
        {"soft=\r\nbreak", "softbreak", false},
        {"soft= \t\r\nbreak", "softbreak", false},
        {"the end=", "the end", false},
        {"blanks  \t\nat the end \r\n", "blanks\nat the end\r\n", false},
        {"kept ", "kept ", false},           /* no line end behind it */
        {"=20\n", " \n", false},             /* meant to be there */
        {"\n\n=\n\n", "\n\n\n", false},
        {"=zz", "=zz", true},
        {"=4", "=4", true},
        {"=4\n1", "=4\n1", true},
        {"==41", "=A", true},
        {"=4=41", "=4A", true},
        {"a=b", "a=b", true},
        {"=\r41", "=\r41", true},            /* a CR alone is no line end */
    };
    (void)state;
    check_all(WEIR_TRANSFER_QUOTED, cases, sizeof cases / sizeof *cases,
              WEIR_TRANSFER_BAD_QUOTED);
}

static void uuencoded_lines_are_read_one_by_one(void **state)
{
    static const struct decoded cases[] = {
        {"", "", false},
        {"#0V%T\n", "Cat", false},
        {"begin 644 cat.txt\n#0V%T\n`\nend\n", "Cat", false},
        {"begin 644 cat.txt\r\n#0V%T\r\n \r\nend \r\nbehind\r\n", "Cat", false},
        {"\n#0V%T\n\n#0V%T\n", "CatCat", false},
        {"#0V%T!!\n", "Cat", false},          /* a checksum behind it */
        {"!0P\n", "C", false},                /* what fills up is missing */
        {"M0V%T\n", "Cat", true},             /* shorter than it says */
        {"end\n#0V%T\nbegin 644 x\n#0V%T\n", "Cat", false},
    };
    (void)state;
    check_all(WEIR_TRANSFER_UUENCODE, cases, sizeof cases / sizeof *cases,
              WEIR_TRANSFER_BAD_UUENCODE);
}

static void no_encoding_leaves_text_as_it_stands(void **state)
{
    static const struct decoded cases[] = {{"a=3Db \r\n", "a=3Db \r\n", false}};
    (void)state;
    check_all(WEIR_TRANSFER_NONE, cases, 1, 1);
}

struct piece {
    const char *text, *name, *lines, *behind; /* name NULL: none is found */
};

static void uuencoded_pieces_are_found_in_plain_text(void **state)
{
    static const struct piece cases[] = {
        {"Hello,\nbegin 644 a cat.txt \n#0V%T\n`\nend\nBye\n", "a cat.txt", "#0V%T\n`\n", "Bye\n"},
        {"begin 0755 x\r\n#0V%T\r\nend\r\n", "x", "#0V%T\r\n", ""},
        {"begin 644 x\n#0V%T\nThis text has no end\n", "x", "#0V%T\n", "This text has no end\n"},
        {"begin 644 x\n#0V%T", "x", "#0V%T", ""},
        {"begin 644 no\nwords\nbegin 600 yes\n#0V%T\nend", "yes", "#0V%T\n", ""},
        {"begin 644 it now,\nsaid she\n", NULL, NULL, NULL},
        {"we begin 644 x\n#0V%T\nend\n", NULL, NULL, NULL},
        {"begin 64 x\n#0V%T\nend\n", NULL, NULL, NULL},
        {"begin 64444 x\n#0V%T\nend\n", NULL, NULL, NULL},
        {"begin 648 x\n#0V%T\nend\n", NULL, NULL, NULL},
        {"begin 644 \n#0V%T\nend\n", NULL, NULL, NULL},
        {"begin 644 x", NULL, NULL, NULL},
        {"begin 644 x\nM0V%T\n", NULL, NULL, NULL}, /* not as long as it says */
        {"", NULL, NULL, NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const struct piece *c = &cases[i];
        struct weir_slice text = slice(c->text), name = slice(""), lines = slice("");
        size_t from = 0;
        int rc = weir_transfer_find_uuencode(text, &from, &name, &lines);
        if (rc != (c->name != NULL))
            fail_msg("%s: %d", c->text, rc);
        if (!rc) {
            assert_int_equal(from, text.len);
            continue;
        }
        assert_int_equal(name.len, strlen(c->name));
        assert_memory_equal(name.at, c->name, name.len);
        assert_int_equal(lines.len, strlen(c->lines));
        assert_memory_equal(lines.at, c->lines, lines.len);
        assert_string_equal(text.at + from, c->behind);
    }
}

static void several_uuencoded_pieces_are_found_one_after_the_other(void **state)
{
    const char *text = "begin 644 a\n#0V%T\nend\nwords\nbegin 644 b\n#0V%T\nend\n";
    struct weir_slice name, lines;
    size_t from = 0;
    (void)state;
    assert_int_equal(weir_transfer_find_uuencode(slice(text), &from, &name, &lines), 1);
    assert_int_equal(*name.at, 'a');
    assert_int_equal(weir_transfer_find_uuencode(slice(text), &from, &name, &lines), 1);
    assert_int_equal(*name.at, 'b');
    assert_int_equal(weir_transfer_find_uuencode(slice(text), &from, &name, &lines), 0);
}

/* Encoders as simple as can be, with a line end now and then. */
static size_t encode_base64(const uint8_t *octet, size_t len, char *to, struct seeded *s)
{
    static const char letter[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    char *start = to;
    for (size_t bit = 0; bit < len * 8; bit += 6) {
        unsigned value = 0;
        for (size_t b = bit; b < bit + 6; b++)
            value = value << 1 | (b < len * 8 ? octet[b / 8] >> (7 - b % 8) & 1u : 0);
        *to++ = letter[value];
        if (seeded_below(s, 20) == 0)
            *to++ = '\n';
    }
    for (size_t i = len % 3; i != 0 && i < 3; i++)
        *to++ = '=';
    return (size_t)(to - start);
}

static size_t encode_quoted(const uint8_t *octet, size_t len, char *to, struct seeded *s)
{
    char *start = to;
    for (size_t i = 0; i < len; i++) {
        bool plain = octet[i] > 32 && octet[i] < 127 && octet[i] != '=';
        to += plain && seeded_below(s, 8) ? sprintf(to, "%c", octet[i])
                                         : sprintf(to, "=%02X", octet[i]);
        if (seeded_below(s, 20) == 0)
            to += sprintf(to, "=%s\n", seeded_below(s, 2) ? "\r" : "");
    }
    return (size_t)(to - start);
}

static void decode_again(enum weir_transfer transfer, struct weir_slice text,
                         const uint8_t *octet, size_t len)
{
    char room[1024];
    struct weir_line out = weir_line(room, sizeof room);
    unsigned defects;
    weir_transfer_decode(transfer, text, &out, &defects);
    assert_int_equal(defects, 0);
    assert_int_equal(out.at - out.start, len);
    assert_memory_equal(out.start, octet, len);
}

static void what_was_encoded_comes_back(void **state)
{
    struct seeded s = seeded_new("transfer");
    (void)state;
    for (unsigned run = 0; run < 2000; run++) {
        uint8_t octet[300];
        char text[3000];
        size_t len = seeded_below(&s, sizeof octet);
        seeded_fill(&s, octet, len);
        size_t n = encode_base64(octet, len, text, &s);
        decode_again(WEIR_TRANSFER_BASE64, (struct weir_slice){text, n}, octet, len);
        n = encode_quoted(octet, len, text, &s);
        decode_again(WEIR_TRANSFER_QUOTED, (struct weir_slice){text, n}, octet, len);
    }
}

/* Room for every number of octets from none to all: what fits is right, and the rest is said
 * to be cut; whatever the octets are. */
static void output_ends_with_its_room_and_is_never_longer_than_the_input(void **state)
{
    struct seeded s = seeded_new("transfer room");
    static const char set[] = "aGVs=3D \n#0V%T!M\r+/";
    (void)state;
    for (unsigned run = 0; run < 3000; run++) {
        char text[64], all[80], some[80];
        size_t len = seeded_below(&s, sizeof text), room = 1 + seeded_below(&s, 64);
        enum weir_transfer transfer = seeded_below(&s, 4);
        unsigned defects;
        for (size_t i = 0; i < len; i++)
            text[i] = set[seeded_below(&s, sizeof set - 1)];
        struct weir_line whole = weir_line(all, sizeof all), part = weir_line(some, room);
        weir_transfer_decode(transfer, (struct weir_slice){text, len}, &whole, &defects);
        weir_transfer_decode(transfer, (struct weir_slice){text, len}, &part, &defects);
        size_t got = (size_t)(whole.at - whole.start);
        assert_true(got <= len && !whole.cut);
        assert_int_equal(part.at - part.start, got < room ? got : room - 1);
        assert_memory_equal(all, some, (size_t)(part.at - part.start));
        assert_int_equal(part.cut, got > room - 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_encoding_is_known_by_its_name_whatever_is_around_it),
        cmocka_unit_test(base64_goes_on_whatever_comes),
        cmocka_unit_test(quoted_printable_keeps_what_it_cannot_read),
        cmocka_unit_test(uuencoded_lines_are_read_one_by_one),
        cmocka_unit_test(no_encoding_leaves_text_as_it_stands),
        cmocka_unit_test(uuencoded_pieces_are_found_in_plain_text),
        cmocka_unit_test(several_uuencoded_pieces_are_found_one_after_the_other),
        cmocka_unit_test(what_was_encoded_comes_back),
        cmocka_unit_test(output_ends_with_its_room_and_is_never_longer_than_the_input),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
