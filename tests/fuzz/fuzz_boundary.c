/*
 * Any bytes as a header block behind a peer that is no gateway, or one that is: the first octet
 * says which, and the mode.  A foreign peer is its own boundary, and no hop is chosen that was
 * not believed.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "core/mail/boundary.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static struct weir_gateways *new_gateways(void)
{
    static const char prefix[] = "192.0.2.0/24";
    const struct weir_gateway_settings defaults = weir_gateway_defaults();
    const struct weir_hash_key key = {{1}};
    struct weir_gateways *gateways = NULL;
    struct weir_prefix gateway;
    const char *why;
    if (weir_prefix_parse(prefix, strlen(prefix), &gateway, &why) < 0
        || weir_gateways_new(&defaults, &key, &gateways) < 0
        || weir_gateways_configure(gateways, &gateway) < 0)
        abort();
    return gateways;
}

static void walk(const char *text, size_t len, unsigned choice)
{
    struct weir_gateways *gateways = new_gateways();
    struct weir_arena *arena = weir_arena_new(65536);
    const struct weir_boundary_settings settings = {.mode = (int)(choice % WEIR_BOUNDARY_MODES),
                                                    .hops = choice / 64, .gateways = gateways};
    struct weir_peer peer = {.has_address = true, .helo = {"gw.example", 10}};
    const char *from = choice & 32 ? "192.0.2.1" : "198.51.100.7";
    struct weir_message message;
    struct weir_boundary got;
    if (!arena || weir_address_parse(from, strlen(from), &peer.address) < 0
        || weir_message_parse(text, len, arena, &message) < 0
        || weir_boundary_find(&settings, &peer, &message, arena, &got) < 0)
        abort();
    if (!got.hop[got.index].believed || (!(choice & 32) && (got.index > 0 || !got.found)))
        abort();
    const struct weir_gateway_sighting about = {.at = 1, .listener = {"25", 2}};
    weir_boundary_observe(gateways, &got, &about);
    weir_stated_domain(&message, (struct weir_slice){text, len});
    weir_peer_of_message(&message, &peer);
    weir_arena_free(&arena);
    weir_gateways_free(&gateways);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    if (size > 0)
        walk((const char *)data + 1, size - 1, data[0]);
    return 0;
}
