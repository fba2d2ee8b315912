/*
 * The walk from the peer to the boundary: the test plan's numbers 1 to 9, 13 and 14, the modes, and
 * which writers are believed (boundary.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/base/arena_impl.h"
#include "core/base/error.h"
#include "core/base/limits.h"
#include "core/mail/boundary.h"
#include "tests/unit/seeded.h"

#define GW "192.0.2.1"
#define GW_NAME "gw.filter.example"
#define GW_WROTE "Received: from mx.sender.example (mx.sender.example [198.51.100.7])\r\n" \
                 "\tby gw.filter.example (Postfix) with ESMTPS id 1; 10 Jun 2002 08:15 GMT\r\n"
#define FORGED "Received: from bank.example (bank.example [203.0.113.9])\r\n" \
               "\tby gw.filter.example (Postfix) with ESMTPS id 2; 10 Jun 2002 08:15 GMT\r\n"
#define FORGED_LOWER "Received: from bank.example (bank.example [203.0.113.9])\r\n" \
                     "\tby mx.sender.example with SMTP id 2; x\r\n"
#define INNER_WROTE "Received: from gw.filter.example (gw.filter.example [192.0.2.1])\r\n" \
                    "\tby inner.filter.example (Postfix) with ESMTPS id 1; x\r\n"

struct world {
    struct weir_gateways *gateways;
    struct weir_domains *domains;
    struct weir_arena *arena;
};

struct found {
    const char *title;
    int mode;
    int64_t hops;
    const char *peer, *peer_name, *peer_helo, *head;
    const char *want; /* NULL: not found */
    enum weir_boundary_end end;
    size_t index;
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

static void configure(struct weir_gateways *gateways, const char *text)
{
    struct weir_prefix prefix;
    const char *why;
    assert_int_equal(weir_prefix_parse(text, strlen(text), &prefix, &why), 0);
    assert_int_equal(weir_gateways_configure(gateways, &prefix), 0);
}

static struct weir_boundary find(struct world *world, const struct weir_boundary_settings *settings,
                                 const struct weir_peer *peer, const char *head)
{
    struct weir_message message;
    struct weir_boundary boundary;
    weir_arena_reset(world->arena, SIZE_MAX);
    char *copy = weir_arena_printf(world->arena, "%s\r\nbody\r\n", head);
    assert_non_null(copy);
    assert_int_equal(weir_message_parse(copy, strlen(copy), world->arena, &message), 0);
    assert_int_equal(weir_boundary_find(settings, peer, &message, world->arena, &boundary), 0);
    return boundary;
}

static void check_found(const char *title, const struct weir_boundary *got, const char *want,
                        enum weir_boundary_end end, size_t index)
{
    char text[WEIR_ADDRESS_TEXT] = "none";
    if (got->found)
        weir_address_format(&got->address, text);
    if (strcmp(text, want ? want : "none") != 0 || got->end != end || got->index != index)
        fail_msg("%s: got %s, %s, hop %zu; want %s, %s, hop %zu", title, text,
                 weir_boundary_end_name(got->end), got->index, want ? want : "none",
                 weir_boundary_end_name(end), index);
}

static void check_cases(struct world *world, const struct found *cases, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const struct found *c = &cases[i];
        struct weir_boundary_settings settings = {.mode = c->mode, .hops = c->hops,
                                                  .gateways = world->gateways,
                                                  .domains = world->domains};
        struct weir_peer peer = {.has_address = c->peer != NULL, .name = slice(c->peer_name),
                                 .helo = slice(c->peer_helo)};
        if (c->peer)
            peer.address = address(c->peer);
        struct weir_boundary got = find(world, &settings, &peer, c->head);
        check_found(c->title, &got, c->want, c->end, c->index);
    }
}

#define PRE WEIR_BOUNDARY_PRECONFIGURED, 0

static void C12_plan_1_to_9_the_boundary_is_the_first_hop_that_is_no_gateway(void **state)
{
    static const struct found cases[] = {
        {"1 direct", PRE, "198.51.100.7", "mx.sender.example", "mx.sender.example", "",
         "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 0},
        {"2 one gateway", PRE, GW, GW_NAME, GW_NAME, GW_WROTE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"3 a chain of two, one private", PRE, "10.1.2.3", "unknown", "inner.filter.example",
         INNER_WROTE GW_WROTE, "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 2},
        {"4 forged field naming our gateway under a foreign peer", PRE, "198.51.100.66", "unknown",
         GW_NAME, FORGED, "198.51.100.66", WEIR_BOUNDARY_NO_GATEWAY, 0},
        {"5 forged fields below the gateway's", PRE, GW, GW_NAME, GW_NAME,
         GW_WROTE FORGED FORGED_LOWER, "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"6 mapped", PRE, "::ffff:192.0.2.1", GW_NAME, GW_NAME, GW_WROTE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"6 IPv6", PRE, "2001:db8:1::1", "gw6.filter.example", "x",
         "Received: from a (b [IPv6:2001:db8:ffff::7]) by gw6.filter.example with ESMTP; x\r\n",
         "2001:db8:ffff::7", WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"7 a line that cannot be read", PRE, GW, GW_NAME, GW_NAME,
         "Received: no such thing (\r\n" GW_WROTE, GW, WEIR_BOUNDARY_UNREADABLE, 0},
        {"7 a line without an address", PRE, GW, GW_NAME, GW_NAME,
         "Received: from a by gw.filter.example with SMTP id 1; x\r\n" GW_WROTE, GW,
         WEIR_BOUNDARY_UNREADABLE, 0},
        {"7 a line of somebody else", PRE, GW, GW_NAME, GW_NAME, FORGED_LOWER GW_WROTE, GW,
         WEIR_BOUNDARY_OTHER_WRITER, 0},
        {"7 no line", PRE, GW, GW_NAME, GW_NAME, "Subject: x\r\n", GW, WEIR_BOUNDARY_NO_FIELD, 0},
        {"8 fetched", PRE, "127.0.0.1", "localhost", "localhost",
         "Received: from mail.isp.example [192.0.2.1]\r\n\tby localhost with POP3 (fetchmail-6.4)"
         " for u@localhost; x\r\n" GW_WROTE,
         NULL, WEIR_BOUNDARY_FETCHED, 0},
        {"9 reinjected by a filter", PRE, "127.0.0.1", "localhost", "localhost",
         "Received: from localhost ([127.0.0.1])\r\n\tby localhost (us.example [127.0.0.1])"
         " (amavisd-new, port 10024)\r\n\twith ESMTP id 1; x\r\n"
         "Received: from gw.filter.example (gw.filter.example [192.0.2.1])\r\n"
         "\tby us.example (Postfix) with ESMTP id 2; x\r\n" GW_WROTE,
         "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 3},
        {"logged in at the gateway", PRE, GW, GW_NAME, GW_NAME,
         "Received: from u (x [198.51.100.7]) by gw.filter.example (Postfix) with ESMTPSA; x\r\n",
         NULL, WEIR_BOUNDARY_AUTHENTICATED, 0},
        {"from the gateway's own user", PRE, GW, GW_NAME, GW_NAME,
         "Received: by gw.filter.example (Postfix, from userid 0) id 1; x\r\n", NULL,
         WEIR_BOUNDARY_LOCAL, 0},
        {"qmail's remarks are passed over", PRE, GW, GW_NAME, GW_NAME,
         "Received: (qmail 7 invoked from network); x\r\n"
         "Received: from unknown (HELO a) (198.51.100.7) by gw.filter.example with SMTP; x\r\n",
         "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 2},
        {"no peer", PRE, NULL, "", "", GW_WROTE, NULL, WEIR_BOUNDARY_LOCAL, 0},
    };
    check_cases(*state, cases, sizeof cases / sizeof *cases);
}

static void C8_C9_each_mode_chooses_its_own_hop(void **state)
{
#define THREE GW_WROTE "Received: from first.example (first.example [203.0.113.5])\r\n" \
                       "\tby mx.sender.example with ESMTP id 3; x\r\n"
    static const struct found cases[] = {
        {"connect", WEIR_BOUNDARY_CONNECT, 0, GW, GW_NAME, GW_NAME, THREE, GW,
         WEIR_BOUNDARY_BY_MODE, 0},
        {"C8 preconfigured", PRE, GW, GW_NAME, GW_NAME, THREE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"C9 hop 1", WEIR_BOUNDARY_HOP, 1, GW, GW_NAME, GW_NAME, THREE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"hop 2", WEIR_BOUNDARY_HOP, 2, GW, GW_NAME, GW_NAME, THREE, "203.0.113.5",
         WEIR_BOUNDARY_NO_GATEWAY, 2},
        {"hop 0 is the gateway", WEIR_BOUNDARY_HOP, 0, GW, GW_NAME, GW_NAME, THREE, GW,
         WEIR_BOUNDARY_NO_GATEWAY, 0},
        {"hop 9 ends with the fields", WEIR_BOUNDARY_HOP, 9, GW, GW_NAME, GW_NAME, THREE,
         "203.0.113.5", WEIR_BOUNDARY_NO_FIELD, 2},
        {"hop 2 under a foreign peer", WEIR_BOUNDARY_HOP, 2, "198.51.100.66", "x", GW_NAME, THREE,
         "198.51.100.66", WEIR_BOUNDARY_NO_GATEWAY, 0},
        {"learned", WEIR_BOUNDARY_LEARNED, 0, GW, GW_NAME, GW_NAME, THREE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
        {"adaptive", WEIR_BOUNDARY_ADAPTIVE, 0, GW, GW_NAME, GW_NAME, THREE, "198.51.100.7",
         WEIR_BOUNDARY_NO_GATEWAY, 1},
    };
    check_cases(*state, cases, sizeof cases / sizeof *cases);
}

static void a_line_is_believed_by_who_wrote_it(void **state)
{
    static const struct { const char *by, *peer_name, *helo, *name; bool believed; } cases[] = {
        {"gw.filter.example", "gw.filter.example", "x", NULL, true},
        {"GW.Filter.Example", "gw.filter.example", "x", NULL, true},
        {"mx7.filter.example", "gw.filter.example", "x", NULL, true}, /* the same organization */
        {"gw.filter.example", "unknown", "gw.filter.example", NULL, true},
        {"gw.filter.example", "unknown", "other.example", NULL, false},
        {"[192.0.2.1]", "unknown", "x", NULL, true},
        {"192.0.2.2", "unknown", "x", NULL, false},
        {"gateway", "unknown", "gateway", NULL, true}, /* a bare name */
        {"gateway", "gateway.filter.example", "x", NULL, false},
        {"com", "gw.filter.com", "gw.filter.com", NULL, false},
        {"deep.inside.relay.example", "unknown", "x", "relay.example", true},
        {"relay.example", "unknown", "relay.example", "other.example", false}, /* no HELO now */
        {"evilrelay.example", "unknown", "x", "relay.example", false},
        {"gw.filter.example", "gw.filter.example", "x", "other.example", true},
        {"\"\"", "unknown", "\"\"", NULL, true},
        {"with", "with", "with", NULL, false}, /* no name at all */
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char head[300];
        struct weir_boundary_settings settings = {
            .mode = WEIR_BOUNDARY_PRECONFIGURED, .gateways = world->gateways,
            .name = &cases[i].name, .names = cases[i].name != NULL, .domains = world->domains};
        struct weir_peer peer = {.has_address = true, .address = address(GW),
                                 .name = slice(cases[i].peer_name), .helo = slice(cases[i].helo)};
        snprintf(head, sizeof head, "Received: from a (b [198.51.100.7]) by %s with SMTP; x\r\n",
                 cases[i].by);
        struct weir_boundary got = find(world, &settings, &peer, head);
        if (got.index != cases[i].believed)
            fail_msg("by %s of %s, %s: %s", cases[i].by, cases[i].peer_name, cases[i].helo,
                     weir_boundary_end_name(got.end));
    }
}

static void who_logged_in_has_no_boundary(void **state)
{
    struct world *world = *state;
    for (int mode = 0; mode < WEIR_BOUNDARY_MODES; mode++) {
        struct weir_boundary_settings settings = {.mode = mode, .gateways = world->gateways};
        struct weir_peer peer = {.has_address = true, .address = address("198.51.100.7"),
                                 .authenticated = true};
        struct weir_boundary got = find(world, &settings, &peer, "");
        check_found("any mode", &got, NULL, WEIR_BOUNDARY_AUTHENTICATED, 0);
    }
}

static void the_boundary_hop_tells_its_names_and_all_hops_are_shown(void **state)
{
    struct world *world = *state;
    struct weir_boundary_settings settings = {.mode = WEIR_BOUNDARY_PRECONFIGURED,
                                              .gateways = world->gateways};
    struct weir_peer peer = {.has_address = true, .address = address(GW), .name = slice(GW_NAME)};
    struct weir_boundary got = find(world, &settings, &peer,
        "Received: from helo.example (name.example [198.51.100.7]) by gw.filter.example"
        " (Postfix) with SMTP id 1; x\r\n" FORGED_LOWER);
    assert_true(got.name.len == 12 && memcmp(got.name.at, "name.example", 12) == 0);
    assert_true(got.helo.len == 12 && memcmp(got.helo.at, "helo.example", 12) == 0);
    assert_int_equal(got.hops, 3);
    assert_true(got.hop[0].gateway && got.hop[0].believed && got.hop[1].believed);
    assert_false(got.hop[1].gateway || got.hop[2].believed);
}

static void a_walk_sees_WEIR_HOPS_MAX_fields_and_not_one_more(void **state)
{
    struct world *world = *state;
    static char head[(WEIR_HOPS_MAX + 5) * 100];
    struct weir_boundary_settings settings = {.mode = WEIR_BOUNDARY_PRECONFIGURED,
                                              .gateways = world->gateways};
    struct weir_peer peer = {.has_address = true, .address = address(GW), .helo = slice("gw")};
    for (int fields = WEIR_HOPS_MAX; fields <= WEIR_HOPS_MAX + 1; fields++) {
        size_t len = 0;
        for (int i = 0; i < fields; i++)
            len += (size_t)snprintf(head + len, sizeof head - len,
                                    "Received: from gw (gw [192.0.2.1]) by gw with SMTP; x\r\n");
        struct weir_boundary got = find(world, &settings, &peer, head);
        assert_int_equal(got.hops, WEIR_HOPS_MAX + 1);
        assert_int_equal(got.index, WEIR_HOPS_MAX);
        assert_int_equal(got.end, WEIR_BOUNDARY_NO_FIELD);
    }
}

static void short_memory_is_said(void **state)
{
    struct world *world = *state;
    struct weir_boundary_settings settings = {.mode = WEIR_BOUNDARY_PRECONFIGURED,
                                              .gateways = world->gateways};
    struct weir_peer peer = {.has_address = true, .address = address(GW)};
    struct weir_part part = {.fields = 0};
    struct weir_message message = {.part = &part, .parts = 1};
    struct weir_boundary boundary;
    for (unsigned n = 1;; n++) {
        weir_arena_reset(world->arena, SIZE_MAX);
        weir_arena_fail_nth(world->arena, n);
        int rc = weir_boundary_find(&settings, &peer, &message, world->arena, &boundary);
        if (!weir_arena_failed(world->arena))
            break;
        assert_int_equal(rc, WEIR_ENOMEM);
    }
    weir_arena_fail_nth(world->arena, 0);
}

static void C14_the_stated_domain_is_that_of_From_else_of_the_sender(void **state)
{
    static const struct { const char *head, *sender, *want; } cases[] = {
        {"From: A <a@shop.example>\r\n", "bounce@esp.example", "shop.example"},
        {"From: a@one.example, b@two.example\r\n", "", "one.example"},
        {"Subject: x\r\n", "bounce@esp.example", "esp.example"},
        {"From: nobody\r\n", "bounce@esp.example", "esp.example"},
        {"From: nobody\r\n", "", ""},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_message message;
        char text[200];
        weir_arena_reset(world->arena, SIZE_MAX);
        snprintf(text, sizeof text, "%s\r\nbody\r\n", cases[i].head);
        assert_int_equal(weir_message_parse(text, strlen(text), world->arena, &message), 0);
        struct weir_slice got = weir_stated_domain(&message, slice(cases[i].sender));
        assert_int_equal(got.len, strlen(cases[i].want));
        assert_true(got.len == 0 || memcmp(got.at, cases[i].want, got.len) == 0);
    }
}

static void the_peer_of_a_message_in_a_file_is_what_its_topmost_line_tells(void **state)
{
    struct world *world = *state;
    struct weir_message message;
    struct weir_peer peer;
    char text[] = "Received: (qmail 7 invoked from network); x\r\n"
                  "Received: from h (gw.filter.example [192.0.2.1]) by us.example with SMTP; x\r\n"
                  GW_WROTE "\r\nbody\r\n";
    weir_arena_reset(world->arena, SIZE_MAX);
    assert_int_equal(weir_message_parse(text, strlen(text), world->arena, &message), 0);
    assert_int_equal(weir_peer_of_message(&message, &peer), 1);
    assert_int_equal(peer.skip, 2);
    struct weir_boundary_settings settings = {.mode = WEIR_BOUNDARY_PRECONFIGURED,
                                              .gateways = world->gateways};
    struct weir_boundary got;
    assert_int_equal(weir_boundary_find(&settings, &peer, &message, world->arena, &got), 0);
    check_found("file", &got, "198.51.100.7", WEIR_BOUNDARY_NO_GATEWAY, 1);
    message.fields = message.part[0].fields = 0;
    assert_int_equal(weir_peer_of_message(&message, &peer), 0);
}

static void the_peer_of_a_fetched_message_is_below_the_mark_but_not_below_a_forged_one(void **state)
{
    static const struct { const char *head, *want; } cases[] = {
        {"Received: from localhost (localhost [127.0.0.1]) by us (Postfix) with SMTP; x\r\n"
         "Received: from mail.isp.example [192.0.2.1] by localhost with IMAP (fetchmail-6); x\r\n"
         GW_WROTE, "198.51.100.7"},
        {GW_WROTE "Received: from a [192.0.2.1] by localhost with IMAP (fetchmail-6); x\r\n" FORGED,
         "198.51.100.7"},
        {"Received: from a [192.0.2.1] by localhost with IMAP (fetchmail-6); x\r\n", NULL},
        {"Received: by 2001:db8::5 with SMTP id x; x\r\n" GW_WROTE, "198.51.100.7"},
    };
    struct world *world = *state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct weir_message message;
        struct weir_peer peer;
        weir_arena_reset(world->arena, SIZE_MAX);
        char *text = weir_arena_printf(world->arena, "%s\r\nbody\r\n", cases[i].head);
        assert_int_equal(weir_message_parse(text, strlen(text), world->arena, &message), 0);
        assert_int_equal(weir_peer_of_message(&message, &peer), cases[i].want != NULL);
        if (!cases[i].want)
            continue;
        struct weir_address want = address(cases[i].want);
        assert_true(weir_address_equal(&peer.address, &want));
    }
}

/* Changes a header block at random: octets, cut-outs, doubled pieces. */
static size_t mutate(struct seeded *seeded, char *text, size_t len, size_t room)
{
    static const char spice[] = "()[];:<>\"\\ \t\r\n.@=0123456789byfromwith";
    for (unsigned edits = 1 + seeded_below(seeded, 6); edits > 0 && len > 2; edits--) {
        size_t at = seeded_below(seeded, (unsigned)len);
        size_t run = 1 + seeded_below(seeded, 60);
        run = run < len - at ? run : len - at;
        unsigned kind = seeded_below(seeded, 4);
        if (kind == 0) {
            memmove(text + at, text + at + run, len - at - run);
            len -= run;
        } else if (kind == 1 && len + run < room) {
            memmove(text + at + run, text + at, len - at);
            len += run;
        } else if (kind == 2) {
            text[at] = (char)seeded_next(seeded);
        } else {
            text[at] = spice[seeded_below(seeded, sizeof spice - 1)];
        }
    }
    return len;
}

static void C12_plan_14_a_foreign_peer_is_the_boundary_whatever_the_header_says(void **state)
{
    static const char seed[] = GW_WROTE FORGED INNER_WROTE FORGED_LOWER
        "Received: from u (HELO a) (ident@198.51.100.7) by gw.filter.example with SMTP; x\r\n"
        "From: a@b.example\r\nSubject: x\r\n\r\nbody\r\n";
    struct world *world = *state;
    struct seeded seeded = seeded_new("mutated headers");
    struct weir_boundary_settings settings = {.gateways = world->gateways};
    struct weir_peer peer = {.has_address = true, .name = slice(GW_NAME), .helo = slice(GW_NAME)};
    for (int i = 0; i < 100000; i++) {
        char text[2048];
        size_t len = sizeof seed - 1;
        struct weir_message message;
        struct weir_boundary got;
        memcpy(text, seed, len);
        len = mutate(&seeded, text, len, sizeof text);
        peer.address = address(i % 2 ? GW : "198.51.100.66");
        settings.mode = (int)seeded_below(&seeded, WEIR_BOUNDARY_MODES);
        settings.hops = seeded_below(&seeded, 4);
        weir_arena_reset(world->arena, SIZE_MAX);
        assert_int_equal(weir_message_parse(text, len, world->arena, &message), 0);
        assert_int_equal(weir_boundary_find(&settings, &peer, &message, world->arena, &got), 0);
        assert_true(got.index < got.hops && got.hop[got.index].believed);
        if (i % 2 == 0)
            assert_true(got.found && got.index == 0);
    }
}

static int open_world(void **state)
{
    static struct world world;
    struct weir_gateway_settings settings = weir_gateway_defaults();
    struct weir_hash_key key = {{7}};
    *state = &world;
    if (weir_gateways_new(&settings, &key, &world.gateways) < 0
        || weir_domains_open("", &world.domains) < 0
        || !(world.arena = weir_arena_new(1 << 16)))
        return -1;
    configure(world.gateways, GW);
    configure(world.gateways, "10.0.0.0/8");
    configure(world.gateways, "127.0.0.0/8");
    configure(world.gateways, "2001:db8:1::/48");
    return 0;
}

static int close_world(void **state)
{
    struct world *world = *state;
    weir_gateways_free(&world->gateways);
    weir_domains_free(&world->domains);
    weir_arena_free(&world->arena);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C12_plan_1_to_9_the_boundary_is_the_first_hop_that_is_no_gateway),
        cmocka_unit_test(C8_C9_each_mode_chooses_its_own_hop),
        cmocka_unit_test(a_line_is_believed_by_who_wrote_it),
        cmocka_unit_test(who_logged_in_has_no_boundary),
        cmocka_unit_test(the_boundary_hop_tells_its_names_and_all_hops_are_shown),
        cmocka_unit_test(a_walk_sees_WEIR_HOPS_MAX_fields_and_not_one_more),
        cmocka_unit_test(short_memory_is_said),
        cmocka_unit_test(C14_the_stated_domain_is_that_of_From_else_of_the_sender),
        cmocka_unit_test(the_peer_of_a_message_in_a_file_is_what_its_topmost_line_tells),
        cmocka_unit_test(
            the_peer_of_a_fetched_message_is_below_the_mark_but_not_below_a_forged_one),
        cmocka_unit_test(C12_plan_14_a_foreign_peer_is_the_boundary_whatever_the_header_says),
    };
    return cmocka_run_group_tests(tests, open_world, close_world);
}
