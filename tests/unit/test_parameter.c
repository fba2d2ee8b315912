/*
 * MIME parameters (parameter.c): what is found in values as they come, RFC 2231 pieces,
 * what is said to be bad, and both limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/mail/message.h"

struct wanted {
    const char *parameters;
    const char *value;   /* NULL: none */
    const char *charset;
    bool bad;
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void check_all(const char *name, const struct wanted *cases, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        char room[WEIR_PARAMETER_MAX + 10];
        struct weir_line out = weir_line(room, sizeof room);
        struct weir_slice charset = slice("not set");
        bool bad = true;
        const struct wanted *c = &cases[i];
        int rc = weir_parameter(slice(c->parameters), name, &out, &charset, &bad);
        weir_line_end(&out);
        if (rc != (c->value != NULL) || strcmp(room, c->value ? c->value : "") != 0)
            fail_msg("%s: %d \"%s\"", c->parameters, rc, room);
        if (charset.len != strlen(c->charset) || memcmp(charset.at, c->charset, charset.len) != 0)
            fail_msg("%s: charset \"%.*s\"", c->parameters, (int)charset.len, charset.at);
        if (bad != c->bad)
            fail_msg("%s: bad %d", c->parameters, bad);
    }
}

static void a_plain_value_is_found_however_it_is_written(void **state)
{
    static const struct wanted cases[] = {
        {"; name=a.txt", "a.txt", "", false},
        {";NAME = a.txt ; x=y", "a.txt", "", false},
        {"; x=y; name=\"a; b.txt\"", "a; b.txt", "", false},
        {"; name=\"a\\\"b\\\\c\"", "a\"b\\c", "", false},
        {"; name=\"C:\\temp\\x.doc\"", "C:\\temp\\x.doc", "", false},
        {"; name=\"\"", "", "", false},
        {"; name=", "", "", false},
        {"; name=my file.doc ; x=y", "my file.doc", "", false},
        {"; name=a.txt (a (nested) comment); x=y", "a.txt", "", false},
        {"; (x; name=no) name=yes", "yes", "", false},
        {"; name=foo(1).pdf", "foo(1).pdf", "", false},
        {";\r\n\tname=\"long\r\n name\"", "long name", "", false},
        {"name=first", "first", "", false},
        {"; x; name=y", "y", "", false},
        {"; \"junk; name=no\"; name=yes", "yes", "", false},
        {"; name==?utf-8?q?x?=", "=?utf-8?q?x?=", "", false},
        {"; filename=x", NULL, "", false},
        {"; nam=x", NULL, "", false},
        {"; namex=x", NULL, "", false},
        {"; x=\"name=no\"", NULL, "", false},
        {"; name", NULL, "", false},
        {"", NULL, "", false},
    };
    (void)state;
    check_all("name", cases, sizeof cases / sizeof *cases);
}

static void a_broken_value_is_read_and_said_to_be_bad(void **state)
{
    static const struct wanted cases[] = {
        {"; name=\"no end; x=y", "no end; x=y", "", true},
        {"; name=\"no end\\", "no end\\", "", true},
        {"; name=first; name=second", "first", "", true},
        {"; name=a.txt x=y", "a.txt", "", true},      /* no semicolon */
        {"; x=y name=a.txt", "a.txt", "", false},
        {"; name=a (no end; x=y", "a (no end", "", true},
    };
    (void)state;
    check_all("name", cases, sizeof cases / sizeof *cases);
}

static void rfc_2231_values_are_joined_and_percent_signs_undone(void **state)
{
    static const struct wanted cases[] = {
        {"; name*=utf-8''%E2%82%AC%20rates", "\xe2\x82\xac rates", "utf-8", false},
        {"; name*=iso-8859-1'en'%A3%20rates", "\xa3 rates", "iso-8859-1", false},
        {"; name*=''x", "x", "", false},
        {"; name*=\"utf-8''a%20b\"", "a b", "utf-8", false},
        {"; name*0=foo; name*1=bar", "foobar", "", false},
        {"; name*1=bar; name*0=\"foo \"", "foo bar", "", false},
        {"; name*0*=us-ascii'en'a%20; name*1*=%2A; name*2=\"%20b\"", "a *%20b", "us-ascii", false},
        {"; name*0*=utf-8''%E2%82; name*1*=%AC", "\xe2\x82\xac", "utf-8", false},
        {"; name=plain; name*=utf-8''better", "better", "utf-8", false},
        {"; name*=utf-8''better; name=plain", "better", "utf-8", false},
        {"; name*0=new; name=plain", "new", "", false},
    };
    (void)state;
    check_all("name", cases, sizeof cases / sizeof *cases);
}

static void pieces_missing_or_doubled_are_bad_and_the_rest_is_joined(void **state)
{
    static const struct wanted cases[] = {
        {"; name*=no%20charset", "no charset", "", true},
        {"; name*=utf-8'x", "utf-8'x", "", true},
        {"; name*=utf-8''100%", "100%", "utf-8", true},
        {"; name*=utf-8''%zz%4", "%zz%4", "utf-8", true},
        {"; name*0=a; name*2=c", "ac", "", true},
        {"; name*1=b; name*2=c", "bc", "", true},
        {"; name*0=a; name*0=b", "a", "", true},
        {"; name*x=a", NULL, "", true},
        {"; name*0x=a", NULL, "", true},
        {"; name**=a", NULL, "", true},
        {"; name*-1=a", NULL, "", true},
        {"; name*99999999999999999999=a; name=b", "b", "", true},
    };
    (void)state;
    check_all("name", cases, sizeof cases / sizeof *cases);
}

static size_t joined(size_t pieces, bool *bad_r)
{
    char parameters[4000], room[4000];
    struct weir_line text = weir_line(parameters, sizeof parameters);
    struct weir_line out = weir_line(room, sizeof room);
    struct weir_slice charset;
    for (size_t i = 0; i < pieces; i++) {
        weir_line_text(&text, "; name*");
        weir_line_count(&text, i);
        weir_line_text(&text, "=x");
    }
    weir_parameter(slice(weir_line_end(&text)), "name", &out, &charset, bad_r);
    return (size_t)(out.at - out.start);
}

static void WEIR_PARAMETER_PARTS_MAX_pieces_are_joined_and_not_one_more(void **state)
{
    bool bad;
    (void)state;
    assert_int_equal(joined(WEIR_PARAMETER_PARTS_MAX, &bad), WEIR_PARAMETER_PARTS_MAX);
    assert_false(bad);
    assert_int_equal(joined(WEIR_PARAMETER_PARTS_MAX + 1, &bad), WEIR_PARAMETER_PARTS_MAX);
    assert_true(bad);
}

static void WEIR_PARAMETER_MAX_octets_are_given_and_not_one_more(void **state)
{
    (void)state;
    for (size_t more = 0; more < 2; more++) {
        char parameters[WEIR_PARAMETER_MAX + 20] = "name=", room[WEIR_PARAMETER_MAX + 20];
        struct weir_line out = weir_line(room, sizeof room);
        struct weir_slice charset;
        bool bad;
        memset(parameters + 5, 'x', WEIR_PARAMETER_MAX + more);
        assert_int_equal(weir_parameter(slice(parameters), "name", &out, &charset, &bad), 1);
        assert_int_equal(out.at - out.start, WEIR_PARAMETER_MAX);
        assert_int_equal(bad, more == 1);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_plain_value_is_found_however_it_is_written),
        cmocka_unit_test(a_broken_value_is_read_and_said_to_be_bad),
        cmocka_unit_test(rfc_2231_values_are_joined_and_percent_signs_undone),
        cmocka_unit_test(pieces_missing_or_doubled_are_bad_and_the_rest_is_joined),
        cmocka_unit_test(WEIR_PARAMETER_PARTS_MAX_pieces_are_joined_and_not_one_more),
        cmocka_unit_test(WEIR_PARAMETER_MAX_octets_are_given_and_not_one_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
