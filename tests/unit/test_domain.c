/*
 * Names to their one form, and to the organizational domain.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "core/base/error.h"
#include "core/mail/domain.h"

struct named {
    const char *name;
    const char *want; /* NULL: no domain */
};

static void check(int rc, const char *got, const struct named *wanted)
{
    if (rc != (wanted->want != NULL) || (rc && strcmp(got, wanted->want) != 0))
        fail_msg("%s: got %s, want %s", wanted->name, rc ? got : "none",
                 wanted->want ? wanted->want : "none");
}

static void a_name_has_one_form(void **state)
{
    static const struct named cases[] = {
        {"example.com", "example.com"},
        {"EXAMPLE.Com", "example.com"},
        {"example.com.", "example.com"},
        {"localhost", "localhost"},
        {"_dmarc.example.com", "_dmarc.example.com"},
        {"r3---sn-x.example.com", "r3---sn-x.example.com"},
        {"3com.com", "3com.com"},
        {"1.2.3.4.in-addr.arpa", "1.2.3.4.in-addr.arpa"},
        {"B\xc3\x9c" "CHER.example", "xn--bcher-kva.example"},
        {"b\xc3\xbc" "cher.example.", "xn--bcher-kva.example"},
        {"bu\xcc\x88" "cher.example", "xn--bcher-kva.example"}, /* u and a combining diaeresis */
        {"XN--BCHER-KVA.example", "xn--bcher-kva.example"},
        {"\xe4\xbe\x8b\xe3\x80\x82jp", "xn--fsq.jp"}, /* an ideographic full stop */
        {"ban\xc2\xadk.com", "bank.com"},             /* a soft hyphen, invisible */
        {"\xef\xbd\x82\xef\xbd\x81nk.com", "bank.com"}, /* full-width b and a */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char domain[WEIR_DOMAIN_TEXT] = "";
        int rc = weir_domain_normal(cases[i].name, strlen(cases[i].name), domain);
        check(rc, domain, &cases[i]);
    }
}

static void what_is_no_domain_is_refused_and_the_output_left_alone(void **state)
{
    static const struct named cases[] = {
        {"", NULL},
        {".", NULL},
        {"..", NULL},
        {".example.com", NULL},
        {"example..com", NULL},
        {"example.com..", NULL},
        {"exam ple.com", NULL},
        {"example.com\n", NULL},
        {"user@example.com", NULL},
        {"[192.0.2.7]", NULL},
        {"[IPv6:2001:db8::7]", NULL},
        {"2001:db8::7", NULL},
        {"192.0.2.7", NULL},
        {"192.0.2.7.", NULL},
        {"3221225991", NULL},
        {"0xc0.0x0.0x2.0x7", NULL},
        {"\xef\xbc\x91.\xef\xbc\x92.3.4", NULL}, /* full-width digits, an address once mapped */
        {"b\xc3\xbc..de", NULL},
        {"\xff\xfe.de", NULL},         /* not UTF-8 */
        {"i\xe2\x9d\xa4.ws", NULL},    /* not allowed by IDNA 2008 */
        {"xn--a.b\xc3\xbc.de", NULL},  /* a broken A-label beside a U-label */
        {"a\xe2\x80\xaex.com", NULL},  /* right-to-left override */
    };
    (void)state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char domain[WEIR_DOMAIN_TEXT] = "as it was";
        check(weir_domain_normal(cases[i].name, strlen(cases[i].name), domain), domain, &cases[i]);
        assert_string_equal(domain, "as it was");
    }
    char domain[WEIR_DOMAIN_TEXT];
    assert_int_equal(weir_domain_normal("bank.com\0.evil.com", 18, domain), 0);
    assert_int_equal(weir_domain_normal("b\xc3\xbc.com\0.evil.com", 18, domain), 0);
    assert_int_equal(weir_domain_normal(NULL, 0, domain), 0);
}

/* labels of the given length, parted by dots, len octets in all */
static size_t make_name(char *name, size_t len, size_t label)
{
    for (size_t i = 0; i < len; i++)
        name[i] = (i + 1) % (label + 1) == 0 ? '.' : 'a';
    name[len] = '\0';
    return len;
}

static void a_name_may_have_WEIR_DOMAIN_MAX_octets_and_not_one_more(void **state)
{
    char name[5 * WEIR_DOMAIN_MAX], domain[WEIR_DOMAIN_TEXT];
    (void)state;
    size_t len = make_name(name, WEIR_DOMAIN_MAX, 50);
    assert_int_equal(weir_domain_normal(name, len, domain), 1);
    assert_string_equal(domain, name);
    name[len] = '.'; /* the root's dot does not count */
    assert_int_equal(weir_domain_normal(name, len + 1, domain), 1);
    len = make_name(name, WEIR_DOMAIN_MAX + 1, 50);
    assert_int_equal(weir_domain_normal(name, len, domain), 0);
    len = make_name(name, 4 * WEIR_DOMAIN_MAX + 3, 50);
    memcpy(name, "\xc3\xbc", 2);
    assert_int_equal(weir_domain_normal(name, len, domain), 0);
}

static void a_label_may_have_WEIR_LABEL_MAX_octets_and_not_one_more(void **state)
{
    char name[200], domain[WEIR_DOMAIN_TEXT];
    (void)state;
    size_t len = make_name(name, WEIR_LABEL_MAX, WEIR_LABEL_MAX);
    strcpy(name + len, ".com");
    assert_int_equal(weir_domain_normal(name, len + 4, domain), 1);
    len = make_name(name, WEIR_LABEL_MAX + 1, WEIR_LABEL_MAX + 1);
    strcpy(name + len, ".com");
    assert_int_equal(weir_domain_normal(name, len + 4, domain), 0);
}

static void C14_the_organizational_domain_is_what_was_registered(void **state)
{
    static const struct named cases[] = {
        {"example.com", "example.com"},
        {"Mail.Shop.Example.CO.UK.", "example.co.uk"},
        {"a.b.c.example.com", "example.com"},
        {"co.uk", "co.uk"},
        {"com", "com"},
        {"shop.blogspot.com", "shop.blogspot.com"}, /* private suffix: customers are apart */
        {"x.shop.blogspot.com", "shop.blogspot.com"},
        {"blogspot.com", "blogspot.com"},
        {"github.io", "github.io"},
        {"s3.dualstack.us-east-1.amazonaws.com", "amazonaws.com"},
        {"www.ck", "www.ck"}, /* an exception in the list */
        {"a.b.c.ck", "b.c.ck"},
        {"mail.example.unlisted", "example.unlisted"},
        {"localhost", "localhost"},
        {"www.b\xc3\xbc" "cher.example.de", "example.de"},
        {"mail.xn--fiqs8s", "mail.xn--fiqs8s"},
        {"a.mail.xn--fiqs8s", "mail.xn--fiqs8s"},
        {"192.0.2.7", NULL},
        {"", NULL},
    };
    struct weir_domains *domains = *state;
    for (size_t i = 0; i < sizeof(cases) / sizeof(*cases); i++) {
        char domain[WEIR_DOMAIN_TEXT] = "";
        int rc = weir_domain_organizational(domains, cases[i].name, strlen(cases[i].name), domain);
        check(rc, domain, &cases[i]);
    }
}

static void the_longest_name_has_an_organizational_domain(void **state)
{
    struct weir_domains *domains = *state;
    char name[WEIR_DOMAIN_TEXT], domain[WEIR_DOMAIN_TEXT];
    size_t len = make_name(name, WEIR_DOMAIN_MAX, 1); /* 127 labels */
    assert_int_equal(weir_domain_organizational(domains, name, len, domain), 1);
    assert_string_equal(domain, "a.a");
}

static void what_is_remembered_of_many_names_is_never_mixed_up(void **state)
{
    struct weir_domains *domains = *state;
    for (unsigned round = 0; round < 3; round++) {
        for (unsigned i = 0; i < 20000; i++) {
            char name[64], want[40], domain[WEIR_DOMAIN_TEXT];
            snprintf(want, sizeof want, "d%u.%s", i, i % 3 ? "com" : "co.uk");
            snprintf(name, sizeof name, "%s%s", i % 2 ? "mail." : "", want);
            assert_int_equal(weir_domain_organizational(domains, name, strlen(name), domain), 1);
            assert_string_equal(domain, want);
        }
    }
}

static void a_list_may_come_from_a_file(void **state)
{
    char path[] = "/tmp/weir-suffixes-XXXXXX", domain[WEIR_DOMAIN_TEXT];
    struct weir_domains *domains = NULL;
    (void)state;
    int file = mkstemp(path);
    assert_true(file >= 0);
    static const char list[] = "// ===BEGIN ICANN DOMAINS===\n"
                               "com\nshop.com\n"
                               "// ===END ICANN DOMAINS===\n";
    assert_int_equal(write(file, list, strlen(list)), strlen(list));
    assert_int_equal(weir_domains_open(path, &domains), 0);
    assert_int_equal(weir_domain_organizational(domains, "a.b.shop.com", 12, domain), 1);
    assert_string_equal(domain, "b.shop.com");
    weir_domains_free(&domains);
    assert_null(domains);
    weir_domains_free(&domains);

    assert_int_equal(ftruncate(file, 20), 0); /* half a comment is left */
    assert_int_equal(weir_domains_open(path, &domains), WEIR_ECORRUPT);
    assert_null(domains);
    assert_int_equal(weir_domains_open("/nonexistent/list", &domains), WEIR_EIO);
    assert_null(domains);
    close(file);
    unlink(path);
}

static void within_means_the_same_or_below(void **state)
{
    (void)state;
    assert_true(weir_domain_within("example.com", "example.com"));
    assert_true(weir_domain_within("mail.example.com", "example.com"));
    assert_false(weir_domain_within("badexample.com", "example.com"));
    assert_false(weir_domain_within("com", "example.com"));
    assert_false(weir_domain_within("example.com.evil.net", "example.com"));
    assert_false(weir_domain_within("example.com", ""));
    assert_false(weir_domain_within("", "example.com"));
}

static int open_list(void **state)
{
    struct weir_domains *domains = NULL;
    int rc = weir_domains_open("", &domains);
    *state = domains;
    return rc;
}

static int close_list(void **state)
{
    struct weir_domains *domains = *state;
    weir_domains_free(&domains);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_name_has_one_form),
        cmocka_unit_test(what_is_no_domain_is_refused_and_the_output_left_alone),
        cmocka_unit_test(a_name_may_have_WEIR_DOMAIN_MAX_octets_and_not_one_more),
        cmocka_unit_test(a_label_may_have_WEIR_LABEL_MAX_octets_and_not_one_more),
        cmocka_unit_test(C14_the_organizational_domain_is_what_was_registered),
        cmocka_unit_test(the_longest_name_has_an_organizational_domain),
        cmocka_unit_test(what_is_remembered_of_many_names_is_never_mixed_up),
        cmocka_unit_test(a_list_may_come_from_a_file),
        cmocka_unit_test(within_means_the_same_or_below),
    };
    return cmocka_run_group_tests(tests, open_list, close_list);
}
