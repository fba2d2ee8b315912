/*
 * The way to the monitor when libcurl refuses what was asked of it (monitor/agent/link_io.c): the
 * agent must not go on with less.  A libcurl that was built without something says so only here.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dlfcn.h>
#include <stdio.h>
#include <string.h>

#include <curl/curl.h>

#include "core/base/error.h"
#include "monitor/agent/link_io.h"

#define NOTHING ((CURLoption)0)

static CURLoption refused; /* by the libcurl of these tests */

#undef curl_easy_setopt
CURLcode curl_easy_setopt(CURL *easy, CURLoption option, ...)
{
    CURLcode (*real)(CURL *, CURLoption, ...);
    void *symbol = dlsym(RTLD_NEXT, "curl_easy_setopt"), *value;
    va_list list;

    memcpy(&real, &symbol, sizeof real);
    va_start(list, option);
    value = va_arg(list, void *); /* a long fits in */
    va_end(list);
    return option == refused ? CURLE_NOT_BUILT_IN : real(easy, option, value);
}

static const struct weir_identity pinned = {
    .server = "mx1",
    .secret = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    .monitor = "https://127.0.0.1:1",
    .pin = "sha256//AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=",
};

struct rig {
    char logged[512];
    struct weir_log log;
    struct weir_identity identity;
    struct weir_link_options options;
    struct weir_link *link;
};

static void keep_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)level;
    snprintf(rig->logged, sizeof rig->logged, "%s", line);
}

static void ended(void *context, enum weir_errand errand, int status, struct weir_slice answer)
{
    (void)context, (void)errand, (void)status, (void)answer;
}

static void setup(struct rig *rig, const char *authorities)
{
    refused = NOTHING;
    *rig = (struct rig){.log = {.write = keep_line, .most = WEIR_LOG_DEBUG}, .identity = pinned};
    rig->log.context = rig;
    if (authorities)
        rig->identity.pin[0] = '\0';
    rig->options = (struct weir_link_options){
        .identity = &rig->identity, .instance = "00", .previous = "", .authorities = authorities,
        .rest_least = WEIR_SECOND, .rest_most = WEIR_SECOND, .ended = ended, .context = rig};
}

static void a_libcurl_that_refuses_what_keeps_the_secret_safe_is_not_used(void **state)
{
    static const struct { CURLoption option; const char *authorities; } cases[] = {
        {CURLOPT_PINNEDPUBLICKEY, NULL}, {CURLOPT_PROTOCOLS_STR, NULL},
        {CURLOPT_SSLVERSION, NULL},      {CURLOPT_CAINFO, "/etc/ssl/certs/ca-certificates.crt"},
        {CURLOPT_PRIVATE, NULL},         {CURLOPT_WRITEFUNCTION, NULL},
        {CURLOPT_WRITEDATA, NULL},
    };
    struct rig rig;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        setup(&rig, cases[i].authorities);
        refused = cases[i].option;
        if (weir_link_new(&rig.options, &rig.log, &rig.link) != WEIR_EIO)
            fail_msg("case %zu: a link was made", i);
        assert_null(rig.link);
        assert_non_null(strstr(rig.logged, "libcurl"));
        assert_null(strstr(rig.logged, pinned.secret));
    }
}

static void a_libcurl_that_holds_to_the_pin_is_used(void **state)
{
    struct rig rig;

    (void)state;
    setup(&rig, NULL);
    assert_int_equal(weir_link_new(&rig.options, &rig.log, &rig.link), 0);
    assert_string_equal(rig.logged, "");
    weir_link_free(&rig.link);
}

static void an_errand_that_cannot_be_described_does_not_travel(void **state)
{
    static const CURLoption cases[] = {CURLOPT_URL, CURLOPT_HTTPHEADER, CURLOPT_POSTFIELDS,
                                       CURLOPT_POSTFIELDSIZE, CURLOPT_POST, CURLOPT_TIMEOUT_MS};
    const struct weir_slice body = {"at=1\n", 5};
    struct rig rig;

    (void)state;
    setup(&rig, NULL);
    assert_int_equal(weir_link_new(&rig.options, &rig.log, &rig.link), 0);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        refused = cases[i];
        if (weir_link_send(rig.link, WEIR_ERRAND_SHIP, "/x", body, false, WEIR_SECOND) >= 0)
            fail_msg("case %zu: it travels", i);
        assert_true(weir_link_free_for(rig.link, WEIR_ERRAND_SHIP, 1));
    }
    refused = CURLOPT_HTTPGET;
    assert_true(weir_link_send(rig.link, WEIR_ERRAND_COMMANDS, "/x", (struct weir_slice){0}, false,
                               WEIR_SECOND) < 0);
    weir_link_free(&rig.link);
}

static void an_errand_that_is_taken_back_can_be_sent_again(void **state)
{
    const struct weir_slice none = {0};
    struct rig rig;

    (void)state;
    setup(&rig, NULL);
    assert_int_equal(weir_link_new(&rig.options, &rig.log, &rig.link), 0);
    weir_link_drop(rig.link, WEIR_ERRAND_COMMANDS); /* it does not travel */
    for (int i = 0; i < 3; i++) {
        assert_int_equal(weir_link_send(rig.link, WEIR_ERRAND_COMMANDS, "/x", none, false,
                                        WEIR_SECOND), 0);
        assert_false(weir_link_free_for(rig.link, WEIR_ERRAND_COMMANDS, 1));
        weir_link_drop(rig.link, WEIR_ERRAND_COMMANDS);
        assert_true(weir_link_free_for(rig.link, WEIR_ERRAND_COMMANDS, 1));
    }
    weir_link_free(&rig.link);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_libcurl_that_refuses_what_keeps_the_secret_safe_is_not_used),
        cmocka_unit_test(a_libcurl_that_holds_to_the_pin_is_used),
        cmocka_unit_test(an_errand_that_cannot_be_described_does_not_travel),
        cmocka_unit_test(an_errand_that_is_taken_back_can_be_sent_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
