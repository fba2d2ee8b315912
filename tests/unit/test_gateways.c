/*
 * Learning which addresses are gateways: the test plan's numbers 10 to 13 and what is kept of it
 * (gateways.c, gateway_profile.c, gateway_review.c, gateways_save.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/mail/boundary.h"
#include "tests/unit/seeded.h"

#define START (20000 * WEIR_DAY + 5 * WEIR_HOUR)
#define G "192.0.2.1"
#define G2 "192.0.2.99"

static const struct weir_hash_key key = {{1, 2, 3}};

/* A stream of mail from one address, as the walk would report it. */
struct stream {
    const char *from;
    unsigned networks, recipients, domains;
    bool private_next;
    const char *name, *dkim; /* NULL: none */
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, text ? strlen(text) : 0};
}

static struct weir_address address(const char *text)
{
    struct weir_address parsed;
    assert_int_equal(weir_address_parse(text, strlen(text), &parsed), 0);
    return parsed;
}

static struct weir_prefix prefix(const char *text)
{
    struct weir_prefix parsed;
    const char *why;
    assert_int_equal(weir_prefix_parse(text, strlen(text), &parsed, &why), 0);
    return parsed;
}

static struct weir_gateways *fresh(void)
{
    struct weir_gateways *gateways = NULL;
    struct weir_gateway_settings settings = weir_gateway_defaults();
    assert_int_equal(weir_gateways_new(&settings, &key, &gateways), 0);
    return gateways;
}

static void corroborate(struct weir_gateways *gateways, const char *text)
{
    struct weir_prefix ours = prefix(text);
    assert_int_equal(weir_gateways_corroborate(gateways, &ours, "an MX of ours.example"), 0);
}

static struct weir_address some_address(unsigned network, unsigned host)
{
    struct weir_address made = address("20.0.0.0");
    made.octet[12] = (uint8_t)(20 + network / 256);
    made.octet[13] = (uint8_t)network;
    made.octet[15] = (uint8_t)host;
    return made;
}

static void see(struct weir_gateways *gateways, const struct stream *stream, unsigned number,
                weir_time at)
{
    char domain[32], recipient[32];
    snprintf(domain, sizeof domain, "d%u.example", number % stream->domains);
    snprintf(recipient, sizeof recipient, "u%u@ours.example", number % stream->recipients);
    struct weir_gateway_sighting sighting = {
        .at = at,
        .listener = slice("25"),
        .address = address(stream->from),
        .has_next = true,
        .next = stream->private_next ? address("10.1.2.3")
                                     : some_address(number % stream->networks, number),
        .domain = slice(domain),
        .recipient = slice(recipient),
        .dkim_domain = slice(stream->dkim),
        .name = slice(stream->name),
    };
    weir_gateways_observe(gateways, &sighting);
}

/* count messages of each stream, spread over days from a time on, a review every hour;
 * the time when all is over. */
static weir_time run(struct weir_gateways *gateways, const struct stream *stream, size_t streams,
                     unsigned count, double days, weir_time from)
{
    weir_time at = from, reviewed = from, step = (weir_time)(days * (double)WEIR_DAY / count);
    for (unsigned i = 0; i < count; i++, at += step) {
        for (size_t s = 0; s < streams; s++)
            see(gateways, &stream[s], i, at);
        if (at - reviewed >= WEIR_HOUR) {
            weir_gateways_review(gateways, at, NULL, NULL);
            reviewed = at;
        }
    }
    weir_gateways_review(gateways, at, NULL, NULL);
    return at;
}

static void check_state(const struct weir_gateways *gateways, const char *text,
                        enum weir_gateway_state want)
{
    struct weir_address asked = address(text);
    enum weir_gateway_state got = weir_gateways_state(gateways, &asked, slice(""));
    if (got != want)
        fail_msg("%s is %s, not %s", text, weir_gateway_state_name(got),
                 weir_gateway_state_name(want));
}

static bool passes(const struct weir_gateways *gateways, const char *text, const char *recipient)
{
    struct weir_address asked = address(text);
    return weir_gateways_pass(gateways, &asked, slice(recipient));
}

static const struct stream gateway_like = {G, 200, 500, 300, false, "gw.filter.example", NULL};
static const struct stream others = {"198.51.100.7", 1, 50, 1, false, NULL, NULL};

static void C10_plan_10_a_gateway_is_proposed_and_an_MX_record_makes_it_active(void **state)
{
    struct weir_gateways *gateways = fresh();
    (void)state;
    weir_time now = run(gateways, (struct stream[]){gateway_like, others}, 2, 5000, 5, START);
    check_state(gateways, G, WEIR_GATEWAY_PROPOSED);
    assert_false(passes(gateways, G, "u1@ours.example"));
    corroborate(gateways, G);
    weir_gateways_review(gateways, now, NULL, NULL);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    assert_true(passes(gateways, G, "u1@ours.example") && passes(gateways, G, ""));
    check_state(gateways, "198.51.100.7", WEIR_GATEWAY_CANDIDATE);
    weir_gateways_free(&gateways);
    assert_null(gateways);
}

static void C10_plan_11_a_spam_host_that_forges_varied_lines_stays_proposed(void **state)
{
    struct weir_gateways *gateways = fresh();
    (void)state;
    corroborate(gateways, G);
    const struct stream attacker = {"203.0.113.66", 4000, 900, 4000, false, "evil.example", NULL};
    run(gateways, (struct stream[]){attacker, gateway_like}, 2, 5000, 5, START);
    check_state(gateways, "203.0.113.66", WEIR_GATEWAY_PROPOSED);
    assert_false(passes(gateways, "203.0.113.66", ""));
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    weir_gateways_free(&gateways);
}

static void each_threshold_must_be_reached(void **state)
{
    static const struct {
        const char *title;
        struct stream stream;
        unsigned count;
        double days;
        unsigned others; /* messages of others for each of its own */
    } cases[] = {
        {"too few messages", {G, 200, 500, 9, false, NULL, NULL}, 900, 1000. / 900 * 3, 1},
        {"too few days", {G, 200, 500, 9, false, NULL, NULL}, 5000, 1.5, 1},
        {"too small a share", {G, 200, 500, 9, false, NULL, NULL}, 2000, 5, 30},
        {"too few networks", {G, 30, 500, 9, false, NULL, NULL}, 5000, 5, 1},
        {"only private addresses behind", {G, 1, 500, 9, true, NULL, NULL}, 5000, 5, 1},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_gateways *gateways = fresh();
        struct stream streams[32];
        corroborate(gateways, G);
        streams[0] = cases[i].stream;
        for (unsigned s = 1; s <= cases[i].others; s++)
            streams[s] = others;
        run(gateways, streams, 1 + cases[i].others, cases[i].count, cases[i].days, START);
        struct weir_address asked = address(G);
        if (weir_gateways_state(gateways, &asked, slice("")) != WEIR_GATEWAY_CANDIDATE)
            fail_msg("%s: is %s", cases[i].title,
                     weir_gateway_state_name(weir_gateways_state(gateways, &asked, slice(""))));
        weir_gateways_free(&gateways);
    }
}

static void C11_plan_12_a_renumbered_gateway_is_demoted_and_learned_again(void **state)
{
    struct weir_gateways *gateways = fresh();
    struct stream moved = gateway_like;
    (void)state;
    corroborate(gateways, G);
    corroborate(gateways, G2); /* the MX record names the new address too */
    moved.from = G2;
    weir_time now = run(gateways, &gateway_like, 1, 20000, 40, START);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    assert_true(weir_gateways_usual(gateways, slice("25")));
    now = run(gateways, &moved, 1, 50, 0.1, now);
    check_state(gateways, G2, WEIR_GATEWAY_CANDIDATE);
    assert_true(weir_gateways_usual(gateways, slice("25"))); /* adaptive mode raises its flag now */
    now = run(gateways, &moved, 1, 3000, 6, now);
    check_state(gateways, G2, WEIR_GATEWAY_ACTIVE);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE); /* not yet low for seven days */
    now = run(gateways, &moved, 1, 3000, 6, now);
    check_state(gateways, G, WEIR_GATEWAY_DEMOTED);
    assert_false(passes(gateways, G, ""));
    run(gateways, &moved, 1, 20000, 40, now);
    check_state(gateways, G2, WEIR_GATEWAY_ACTIVE);
    check_state(gateways, G, WEIR_GATEWAY_DEMOTED);
    assert_true(weir_gateways_usual(gateways, slice("25")));
    weir_gateways_free(&gateways);
}

static void a_quiet_listener_demotes_nobody(void **state)
{
    struct weir_gateways *gateways = fresh();
    (void)state;
    corroborate(gateways, G);
    weir_time now = run(gateways, &gateway_like, 1, 5000, 5, START);
    for (int day = 0; day < 60; day++)
        weir_gateways_review(gateways, now + day * WEIR_DAY, NULL, NULL);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    weir_gateways_free(&gateways);
}

static void C12_plan_13_a_forwarder_is_active_for_its_recipients_alone(void **state)
{
    struct weir_gateways *gateways = fresh();
    const struct stream forwarder = {G, 200, 3, 300, false, NULL, NULL};
    (void)state;
    run(gateways, (struct stream[]){forwarder, others}, 2, 5000, 5, START);
    check_state(gateways, G, WEIR_GATEWAY_PROPOSED);
    corroborate(gateways, G);
    run(gateways, (struct stream[]){forwarder, others}, 2, 100, 0.1, START + 5 * WEIR_DAY);
    check_state(gateways, G, WEIR_GATEWAY_FORWARDER);
    assert_true(passes(gateways, G, "u0@ours.example"));
    assert_true(passes(gateways, G, "U2@OURS.example"));
    assert_false(passes(gateways, G, "u3@ours.example"));
    assert_false(passes(gateways, G, "")); /* for whom?  so not */
    weir_gateways_free(&gateways);
}

static void four_recipients_are_no_forwarder(void **state)
{
    struct weir_gateways *gateways = fresh();
    const struct stream four = {G, 200, 4, 300, false, NULL, NULL};
    (void)state;
    corroborate(gateways, G);
    run(gateways, &four, 1, 5000, 5, START);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    weir_gateways_free(&gateways);
}

static void a_provider_is_a_boundary_however_much_it_sends(void **state)
{
    struct weir_gateways *gateways = fresh();
    const struct stream provider = {G, 1, 500, 300, true, "mail-7.provider.example",
                                    "Provider.example"};
    const struct stream few = {G2, 20, 500, 300, false, "mail-7.provider.example",
                               "provider.example"};
    const struct stream not_its_name = {"192.0.2.3", 20, 500, 300, false, "evilprovider.example",
                                        "provider.example"};
    (void)state;
    run(gateways, (struct stream[]){provider, few, not_its_name}, 3, 5000, 5, START);
    check_state(gateways, G, WEIR_GATEWAY_PROVIDER);
    check_state(gateways, G2, WEIR_GATEWAY_PROVIDER);
    check_state(gateways, "192.0.2.3", WEIR_GATEWAY_CANDIDATE);
    assert_false(passes(gateways, G, "") || passes(gateways, G2, ""));
    weir_gateways_free(&gateways);
}

static void a_private_address_corroborates_itself(void **state)
{
    struct weir_gateways *gateways = fresh();
    struct stream inner = gateway_like;
    (void)state;
    inner.from = "10.0.0.5";
    run(gateways, &inner, 1, 5000, 5, START);
    check_state(gateways, "10.0.0.5", WEIR_GATEWAY_ACTIVE);
    weir_gateways_free(&gateways);
}

static void C8_configured_prefixes_are_taken_as_written(void **state)
{
    struct weir_gateways *gateways = fresh();
    struct weir_prefix four = prefix("192.0.2.0/24"), six = prefix("2001:db8::/32");
    (void)state;
    assert_int_equal(weir_gateways_configure(gateways, &four), 0);
    assert_int_equal(weir_gateways_configure(gateways, &six), 0);
    check_state(gateways, "192.0.2.255", WEIR_GATEWAY_CONFIGURED);
    check_state(gateways, "::ffff:192.0.2.0", WEIR_GATEWAY_CONFIGURED);
    check_state(gateways, "2001:db8:ffff::1", WEIR_GATEWAY_CONFIGURED);
    check_state(gateways, "192.0.3.0", WEIR_GATEWAY_NONE);
    assert_true(passes(gateways, "192.0.2.7", ""));
    struct weir_address asked = address("192.0.2.7");
    assert_int_equal(weir_gateways_decide(gateways, &asked, WEIR_GATEWAY_REJECTED, START), 0);
    check_state(gateways, "192.0.2.7", WEIR_GATEWAY_CONFIGURED); /* the configuration wins */
    weir_gateways_free(&gateways);
}

static void an_analyst_approves_rejects_and_takes_back(void **state)
{
    struct weir_gateways *gateways = fresh();
    struct weir_address asked = address(G);
    (void)state;
    run(gateways, &gateway_like, 1, 5000, 5, START);
    check_state(gateways, G, WEIR_GATEWAY_PROPOSED);
    weir_time now = START + 5 * WEIR_DAY;
    assert_int_equal(weir_gateways_decide(gateways, &asked, WEIR_GATEWAY_ACTIVE, now), 0);
    weir_gateways_review(gateways, now, NULL, NULL);
    check_state(gateways, G, WEIR_GATEWAY_ACTIVE);
    assert_int_equal(weir_gateways_decide(gateways, &asked, WEIR_GATEWAY_REJECTED, now), 0);
    weir_gateways_review(gateways, now, NULL, NULL);
    check_state(gateways, G, WEIR_GATEWAY_REJECTED);
    assert_false(passes(gateways, G, ""));
    assert_int_equal(weir_gateways_decide(gateways, &asked, WEIR_GATEWAY_NONE, now), 0);
    weir_gateways_review(gateways, now, NULL, NULL);
    check_state(gateways, G, WEIR_GATEWAY_PROPOSED);
    assert_int_equal(weir_gateways_decide(gateways, &asked, WEIR_GATEWAY_PROVIDER, now),
                     WEIR_EINVAL);
    weir_gateways_free(&gateways);
}

static void a_reason_that_is_gone_makes_it_a_proposal_again(void **state)
{
    struct weir_gateways *gateways = fresh(), *later = fresh();
    char *text = NULL;
    size_t len = 0;
    (void)state;
    corroborate(gateways, G);
    weir_time now = run(gateways, &gateway_like, 1, 5000, 5, START);
    FILE *out = open_memstream(&text, &len);
    assert_int_equal(weir_gateways_save(gateways, out), 0);
    fclose(out);
    assert_int_equal(weir_gateways_load(later, text, len), 0); /* no MX this time */
    check_state(later, G, WEIR_GATEWAY_ACTIVE);
    weir_gateways_review(later, now, NULL, NULL);
    check_state(later, G, WEIR_GATEWAY_PROPOSED);
    free(text);
    weir_gateways_free(&gateways);
    weir_gateways_free(&later);
}

struct told {
    int times;
    enum weir_gateway_state was, is;
    char why[80];
};

static void tell(void *context, const struct weir_address *changed, enum weir_gateway_state was,
                 enum weir_gateway_state is, const char *why)
{
    struct told *told = context;
    (void)changed;
    told->times++;
    told->was = was;
    told->is = is;
    snprintf(told->why, sizeof told->why, "%s", why);
}

static void a_change_of_state_is_told_once_with_its_reason(void **state)
{
    struct weir_gateways *gateways = fresh();
    struct told told = {.times = 0};
    (void)state;
    weir_time now = run(gateways, &gateway_like, 1, 5000, 5, START);
    corroborate(gateways, G);
    weir_gateways_review(gateways, now, tell, &told);
    weir_gateways_review(gateways, now, tell, &told);
    assert_int_equal(told.times, 1);
    assert_int_equal(told.was, WEIR_GATEWAY_PROPOSED);
    assert_int_equal(told.is, WEIR_GATEWAY_ACTIVE);
    assert_string_equal(told.why, "an MX of ours.example");
    weir_gateways_free(&gateways);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C10_plan_10_a_gateway_is_proposed_and_an_MX_record_makes_it_active),
        cmocka_unit_test(C10_plan_11_a_spam_host_that_forges_varied_lines_stays_proposed),
        cmocka_unit_test(each_threshold_must_be_reached),
        cmocka_unit_test(C11_plan_12_a_renumbered_gateway_is_demoted_and_learned_again),
        cmocka_unit_test(a_quiet_listener_demotes_nobody),
        cmocka_unit_test(C12_plan_13_a_forwarder_is_active_for_its_recipients_alone),
        cmocka_unit_test(four_recipients_are_no_forwarder),
        cmocka_unit_test(a_provider_is_a_boundary_however_much_it_sends),
        cmocka_unit_test(a_private_address_corroborates_itself),
        cmocka_unit_test(C8_configured_prefixes_are_taken_as_written),
        cmocka_unit_test(an_analyst_approves_rejects_and_takes_back),
        cmocka_unit_test(a_reason_that_is_gone_makes_it_a_proposal_again),
        cmocka_unit_test(a_change_of_state_is_told_once_with_its_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
