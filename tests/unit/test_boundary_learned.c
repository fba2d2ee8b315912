/*
 * The walk with learned gateways: what it sees is what it learns from, and what it learned it uses
 * (boundary.c, gateways.c together).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "core/mail/boundary.h"

#define START (20000 * WEIR_DAY)

struct world {
    struct weir_gateways *gateways;
    struct weir_arena *arena;
    enum weir_boundary_mode mode;
    weir_time now;
    unsigned number;
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static struct weir_address address(const char *text)
{
    struct weir_address parsed;
    assert_int_equal(weir_address_parse(text, strlen(text), &parsed), 0);
    return parsed;
}

/* One message through a gateway, from some host out in the world; walked, and learned from. */
static struct weir_boundary deliver(struct world *world, const char *gateway)
{
    char text[600], recipient[32];
    struct weir_message message;
    struct weir_boundary boundary;
    unsigned n = world->number++;
    struct weir_boundary_settings settings = {.mode = (int)world->mode,
                                              .gateways = world->gateways};
    struct weir_peer peer = {.has_address = true, .address = address(gateway),
                             .name = slice("gw.filter.example"), .listener = slice("25"),
                             .recipient = {recipient, 0}};
    peer.recipient.len = (size_t)snprintf(recipient, sizeof recipient, "u%u@ours.example", n % 50);
    int len = snprintf(text, sizeof text,
                       "Received: from h%u (h%u.net%u.example [20.%u.1.%u])\r\n"
                       "\tby gw.filter.example (Postfix) with ESMTP id %u; x\r\n"
                       "From: a@s%u.example\r\n\r\nbody\r\n",
                       n, n, n % 200, n % 200, n % 250, n, n % 300);
    weir_arena_reset(world->arena, 1 << 16);
    assert_int_equal(weir_message_parse(text, (size_t)len, world->arena, &message), 0);
    assert_int_equal(weir_boundary_find(&settings, &peer, &message, world->arena, &boundary), 0);
    struct weir_gateway_sighting about = {.at = world->now, .listener = peer.listener,
                                          .domain = weir_stated_domain(&message, slice("")),
                                          .recipient = peer.recipient};
    weir_boundary_observe(world->gateways, &boundary, &about);
    return boundary;
}

static struct weir_boundary deliver_for(struct world *world, const char *gateway, unsigned days,
                                        unsigned a_day)
{
    struct weir_boundary last = {.found = false};
    for (unsigned i = 0; i < days * a_day; i++) {
        last = deliver(world, gateway);
        world->now += WEIR_DAY / a_day;
        if (i % 20 == 0)
            weir_gateways_review(world->gateways, world->now, NULL, NULL);
    }
    return last;
}

static void corroborate(struct world *world, const char *text)
{
    struct weir_prefix prefix = {address(text), 128};
    assert_int_equal(weir_gateways_corroborate(world->gateways, &prefix, "an MX of ours"), 0);
}

static struct world open_world(enum weir_boundary_mode mode)
{
    struct world world = {.mode = mode, .now = START, .arena = weir_arena_new(1 << 16)};
    struct weir_gateway_settings settings = weir_gateway_defaults();
    struct weir_hash_key key = {{5}};
    assert_non_null(world.arena);
    assert_int_equal(weir_gateways_new(&settings, &key, &world.gateways), 0);
    return world;
}

static void close_world(struct world *world)
{
    weir_gateways_free(&world->gateways);
    weir_arena_free(&world->arena);
}

static void C7_C10_C13_with_a_learned_gateway_the_boundary_is_the_host_outside(void **state)
{
    struct world world = open_world(WEIR_BOUNDARY_LEARNED);
    (void)state;
    struct weir_boundary got = deliver_for(&world, "192.0.2.1", 5, 1000);
    assert_int_equal(got.index, 0); /* proposed only: nothing corroborates it */
    corroborate(&world, "192.0.2.1");
    weir_gateways_review(world.gateways, world.now, NULL, NULL);
    got = deliver(&world, "192.0.2.1");
    assert_true(got.found);
    assert_int_equal(got.index, 1);
    assert_int_equal(got.address.octet[12], 20);
    got = deliver_for(&world, "192.0.2.1", 40, 100); /* it stays one while it is in use */
    assert_int_equal(got.index, 1);
    close_world(&world);
}

static void C10_plan_11_an_attackers_forged_hops_stay_unbelieved(void **state)
{
    struct world world = open_world(WEIR_BOUNDARY_ADAPTIVE);
    struct weir_address attacker = address("203.0.113.66");
    (void)state;
    struct weir_boundary got = deliver_for(&world, "203.0.113.66", 10, 1000);
    assert_int_equal(weir_gateways_state(world.gateways, &attacker, slice("")),
                     WEIR_GATEWAY_PROPOSED);
    assert_int_equal(got.index, 0);
    assert_true(weir_address_equal(&got.address, &attacker));
    close_world(&world);
}

static void C11_plan_12_adaptive_mode_says_when_the_usual_gateway_is_missing(void **state)
{
    struct world world = open_world(WEIR_BOUNDARY_ADAPTIVE);
    (void)state;
    corroborate(&world, "192.0.2.1");
    corroborate(&world, "192.0.2.99");
    struct weir_boundary got = deliver_for(&world, "192.0.2.1", 40, 300);
    assert_int_equal(got.index, 1);
    assert_false(got.unusual);
    got = deliver(&world, "192.0.2.99"); /* renumbered */
    assert_true(got.found && got.unusual);
    assert_int_equal(got.end, WEIR_BOUNDARY_UNUSUAL);
    assert_int_equal(got.index, 0);
    got = deliver_for(&world, "192.0.2.99", 12, 300); /* and learned again by itself */
    assert_int_equal(got.index, 1);
    assert_false(got.unusual);
    struct weir_address old = address("192.0.2.1");
    assert_int_equal(weir_gateways_state(world.gateways, &old, slice("")), WEIR_GATEWAY_DEMOTED);
    close_world(&world);
}

static void C8_preconfigured_mode_uses_nothing_learned(void **state)
{
    struct world world = open_world(WEIR_BOUNDARY_PRECONFIGURED);
    struct weir_address gateway = address("192.0.2.1");
    (void)state;
    corroborate(&world, "192.0.2.1");
    struct weir_boundary got = deliver_for(&world, "192.0.2.1", 5, 1000);
    assert_int_equal(weir_gateways_state(world.gateways, &gateway, slice("")),
                     WEIR_GATEWAY_ACTIVE);
    assert_int_equal(got.index, 0);
    close_world(&world);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C7_C10_C13_with_a_learned_gateway_the_boundary_is_the_host_outside),
        cmocka_unit_test(C10_plan_11_an_attackers_forged_hops_stay_unbelieved),
        cmocka_unit_test(C11_plan_12_adaptive_mode_says_when_the_usual_gateway_is_missing),
        cmocka_unit_test(C8_preconfigured_mode_uses_nothing_learned),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
