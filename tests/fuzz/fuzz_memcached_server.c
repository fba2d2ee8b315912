/* A memcached server as configured: whatever is taken has a name that is taken
 * as the same server. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "core/store/memcached_server.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char text[400];
    struct weir_memcached_server server;
    struct weir_memcached_server again;
    const char *why = NULL;
    size_t len = size < sizeof text ? size : sizeof text - 1;
    memcpy(text, data, len);
    text[len] = '\0';
    if (weir_memcached_server_parse(text, &server, &why) != 0) {
        assert(why);
        return 0;
    }
    assert(server.weight >= 1 && server.weight <= WEIR_NODE_WEIGHT_MAX);
    if (!strchr(server.name, '*')) { /* a path may have one, and then needs a weight */
        assert(weir_memcached_server_parse(server.name, &again, &why) == 0);
        assert(strcmp(again.name, server.name) == 0 && again.port == server.port);
    }
    return 0;
}
