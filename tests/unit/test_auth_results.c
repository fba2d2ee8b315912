/*
 * Authentication-Results: what RFC 8601 allows, what servers really write, and what
 * forgers would like.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/arena.h"
#include "core/mail/auth_results.h"

static const char *const anybody[] = {"*"};
static const char *const method_name[] = {
    [WEIR_AUTH_SPF] = "spf", [WEIR_AUTH_DKIM] = "dkim",   [WEIR_AUTH_DMARC] = "dmarc",
    [WEIR_AUTH_ARC] = "arc", [WEIR_AUTH_IPREV] = "iprev", [WEIR_AUTH_OTHER] = "other",
};
static const char *const result_name[] = {
    [WEIR_AUTH_NONE] = "none",           [WEIR_AUTH_PASS] = "pass",
    [WEIR_AUTH_FAIL] = "fail",           [WEIR_AUTH_SOFTFAIL] = "softfail",
    [WEIR_AUTH_NEUTRAL] = "neutral",     [WEIR_AUTH_TEMPERROR] = "temperror",
    [WEIR_AUTH_PERMERROR] = "permerror",
};

/* "spf=pass example.org; dkim=..." of what was read. */
static const char *told(const char *value, const char *const *trusted, size_t trusteds,
                        char room[static 512])
{
    struct weir_auth auth[WEIR_AUTH_RESULTS_MAX];
    struct weir_line line = weir_line(room, 512);
    struct weir_slice text = {value, strlen(value)};
    size_t found = weir_auth_value_read(text, trusted, trusteds, auth, WEIR_AUTH_RESULTS_MAX);
    for (size_t i = 0; i < found; i++) {
        weir_line_text(&line, i ? "; " : "");
        weir_line_text(&line, method_name[auth[i].method]);
        weir_line_text(&line, "=");
        weir_line_text(&line, result_name[auth[i].result]);
        weir_line_text(&line, auth[i].domain.len ? " " : "");
        weir_line_octets(&line, auth[i].domain.at, auth[i].domain.len);
    }
    return weir_line_end(&line);
}

struct told {
    const char *value, *want;
};

static void check(const struct told *cases, size_t count)
{
    char room[512];
    for (size_t i = 0; i < count; i++) {
        const char *got = told(cases[i].value, anybody, 1, room);
        if (strcmp(got, cases[i].want) != 0)
            fail_msg("%s\n  got  %s\n  want %s", cases[i].value, got, cases[i].want);
    }
}

static void what_rfc_8601_allows_is_read(void **state)
{
    static const struct told cases[] = {
        {" example.org 1; none", ""},
        {" example.com; spf=pass smtp.mailfrom=example.net", "spf=pass example.net"},
        {" example.com; spf=pass smtp.mailfrom=user@example.net", "spf=pass example.net"},
        {" example.com;\r\n\tdkim=pass (good signature) header.d=example.com;\r\n\tspf=fail "
         "smtp.mailfrom=a@b.example", "dkim=pass example.com; spf=fail b.example"},
        {" foo.example.net (foobar) 1 (baz);\n dkim (Because I like it) / 1 (One yay) = (wait "
         "for it) fail\n policy (A dot can go here) . (like that) expired\n (this surprised me)"
         " = (as I wasn't expecting it) 1362471462", "dkim=fail"},
        {" x; dkim=pass reason=\"good; really\" header.d=example.com", "dkim=pass example.com"},
        {" \"x\"; spf=pass smtp.mailfrom=\"a b; dmarc=pass\"@example.org", "spf=pass example.org"},
        {" x; iprev=pass policy.iprev=192.0.2.200", "iprev=pass 192.0.2.200"},
        {" x; DKIM=PASS HEADER.D=Example.Com", "dkim=pass Example.Com"},
        {" x; dkim=pass header.i=@sub.example.com header.d=example.com header.s=a",
         "dkim=pass example.com"},
        {" x; dkim=pass header.d=example.com header.i=@sub.example.com", "dkim=pass example.com"},
        {" x; spf=hardfail; dkim=policy; auth=pass smtp.auth=me",
         "spf=fail; dkim=neutral; other=pass"},
        {" x; spf=temperror smtp.helo=h.example smtp.mailfrom=m.example",
         "spf=temperror m.example"},
        {" x; dmarc=pass (a (nested \\) ) one) header.from=example.com.", "dmarc=pass example.com"},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void what_servers_really_write_is_read(void **state)
{
    static const struct told cases[] = {
        {" mx.google.com;\r\n       dkim=pass header.i=@gmail.com header.s=20230601 "
         "header.b=mKbcrML3;\r\n       spf=pass (google.com: domain of x@gmail.com designates "
         "209.85.220.41 as permitted sender) smtp.mailfrom=x@gmail.com;\r\n       dmarc=pass "
         "(p=NONE sp=QUARANTINE dis=NONE) header.from=gmail.com;\r\n       dara=pass "
         "header.i=@gmail.com",
         "dkim=pass gmail.com; spf=pass gmail.com; dmarc=pass gmail.com; other=pass"},
        {" spf=pass (sender IP is 216.230.254.49)\r\n smtp.mailfrom=example.com; dkim=pass "
         "(signature was verified)\r\n header.d=example.com;dmarc=bestguesspass action=none\r\n "
         "header.from=example.com;compauth=pass reason=109",
         "spf=pass example.com; dkim=pass example.com; dmarc=none example.com; other=pass"},
        {" mail.example; dkim=pass (2048-bit key; unprotected) header.d=a.example "
         "header.i=@a.example header.b=\"ab+/=c\"; dkim-atps=neutral",
         "dkim=pass a.example; other=neutral"},
        {" mail.protonmail.ch; arc=none smtp.remote-ip=209.85.221.174", "arc=none"},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void what_cannot_be_read_says_nothing(void **state)
{
    static const struct told cases[] = {
        {"", ""},
        {" ", ""},
        {" x", ""},
        {" x;", ""},
        {" x; ;;; ;", ""},
        {" x; spf", ""},
        {" x; spf=", ""},
        {" x; =pass", ""},
        {" x 2; spf=pass smtp.mailfrom=a.example", ""},
        {" x; dkim/2=pass header.d=a.example", ""},
        {" x; (never ends spf=pass smtp.mailfrom=a.example", ""},
        {" x; spf=pass (never ends smtp.mailfrom=a.example", "spf=pass"},
        {" x; \"never ends; spf=pass", ""},
        {" x; spf pass; dkim=pass header.d=a.example", "dkim=pass a.example"},
        /* two of one property: one of them slipped out of a comment */
        {" x; spf=pass (of a) smtp.mailfrom=bank.example (b@evil.example) "
         "smtp.mailfrom=evil.example", "spf=pass"},
    };
    (void)state;
    check(cases, sizeof(cases) / sizeof(*cases));
}

static void only_trusted_ids_are_heard(void **state)
{
    static const char *const ours[] = {"mx.example.com", "b.example.com"};
    static const struct told cases[] = {
        {" mx.example.com; spf=pass", "spf=pass"},
        {" MX.Example.COM 1; spf=pass", "spf=pass"},
        {" \"b.example.com\"; spf=pass", "spf=pass"},
        {" (b) b.example.com (x); spf=pass", "spf=pass"},
        {" mx.example.com.evil.example; spf=pass", ""},
        {" evil.example (mx.example.com); spf=pass", ""},
        {" mx.example; spf=pass", ""},
        {" spf=pass smtp.mailfrom=a.example", ""},
        {" *; spf=pass", ""},
    };
    char room[512];
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_string_equal(told(cases[i].value, ours, 2, room), cases[i].want);
    assert_string_equal(told(cases[0].value, NULL, 0, room), "");
}

static void pass_vouches_for_its_own_organization_only(void **state)
{
    static const struct {
        struct weir_auth auth;
        const char *domain;
        bool want;
    } cases[] = {
        {{WEIR_AUTH_DKIM, WEIR_AUTH_PASS, {"example.com", 11}}, "example.com", true},
        {{WEIR_AUTH_DKIM, WEIR_AUTH_PASS, {"MAIL.example.com", 16}}, "example.com", true},
        {{WEIR_AUTH_DMARC, WEIR_AUTH_PASS, {"example.com", 11}}, "example.com", true},
        {{WEIR_AUTH_SPF, WEIR_AUTH_PASS, {"b.example.com", 13}}, "example.com", true},
        {{WEIR_AUTH_SPF, WEIR_AUTH_SOFTFAIL, {"example.com", 11}}, "example.com", false},
        {{WEIR_AUTH_DKIM, WEIR_AUTH_FAIL, {"example.com", 11}}, "example.com", false},
        {{WEIR_AUTH_DKIM, WEIR_AUTH_PASS, {"badexample.com", 14}}, "example.com", false},
        {{WEIR_AUTH_DKIM, WEIR_AUTH_PASS, {"example.com", 3}}, "example.com", false},
        {{WEIR_AUTH_DKIM, WEIR_AUTH_PASS, {"", 0}}, "example.com", false},
        {{WEIR_AUTH_IPREV, WEIR_AUTH_PASS, {"example.com", 11}}, "example.com", false},
        {{WEIR_AUTH_ARC, WEIR_AUTH_PASS, {"example.com", 11}}, "example.com", false},
        {{WEIR_AUTH_OTHER, WEIR_AUTH_PASS, {"example.com", 11}}, "example.com", false},
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++)
        assert_int_equal(weir_auth_vouches(&cases[i].auth, 1, cases[i].domain), cases[i].want);
    assert_false(weir_auth_vouches(NULL, 0, "example.com"));
}

static void WEIR_AUTH_RESULTS_MAX_results_are_read_and_no_more(void **state)
{
    char text[8192];
    struct weir_auth auth[WEIR_AUTH_RESULTS_MAX];
    struct weir_message message;
    (void)state;
    for (size_t results = WEIR_AUTH_RESULTS_MAX - 1; results <= WEIR_AUTH_RESULTS_MAX + 1;
         results++) {
        struct weir_arena *arena = weir_arena_new(4096);
        struct weir_line line = weir_line(text, sizeof(text));
        for (size_t i = 0; i < results; i++)
            weir_line_text(&line, i % 7 ? "; dkim=pass header.d=a.example"
                                        : i ? "\nAuthentication-Results: x; spf=pass"
                                            : "Authentication-Results: x; spf=pass");
        weir_line_text(&line, "\n\nbody\n");
        assert_int_equal(weir_message_parse(text, (size_t)(line.at - text), arena, &message), 0);
        size_t want = results < WEIR_AUTH_RESULTS_MAX ? results : WEIR_AUTH_RESULTS_MAX;
        assert_int_equal(weir_auth_results_read(&message, anybody, 1, auth), want);
        weir_arena_free(&arena);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_rfc_8601_allows_is_read),
        cmocka_unit_test(what_servers_really_write_is_read),
        cmocka_unit_test(what_cannot_be_read_says_nothing),
        cmocka_unit_test(only_trusted_ids_are_heard),
        cmocka_unit_test(pass_vouches_for_its_own_organization_only),
        cmocka_unit_test(WEIR_AUTH_RESULTS_MAX_results_are_read_and_no_more),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
