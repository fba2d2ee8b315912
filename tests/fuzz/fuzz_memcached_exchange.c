/* What a memcached server says, in pieces.  First octet: how many counters were
 * asked for; second: the length of a piece. */
#include <assert.h>
#include <stddef.h>
#include <stdint.h>

#include "core/store/memcached_exchange.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_memcached_exchange exchange;
    struct weir_counter_slot slot[256] = {{.epoch = 1}};
    uint32_t order[256];
    uint8_t room[128];
    if (size < 2)
        return 0;
    for (uint32_t i = 0; i < 256; i++)
        order[i] = i;
    weir_memcached_exchange_begin(&exchange, slot, order, data[0], 0);
    while (weir_memcached_exchange_write(&exchange, room, sizeof room) > 0)
        continue;
    size_t from = 2;
    size_t to = 2;
    int done = 0;
    while (done == 0 && to < size) {
        size_t used;
        to = size - to > data[1] ? to + data[1] + 1 : size;
        done = weir_memcached_exchange_read(&exchange, data + from, to - from, &used);
        from += used;
        assert(from <= to && exchange.answered <= data[0]);
    }
    for (size_t i = 0; i < 256; i++)
        assert(slot[i].value <= (i < data[0] && !slot[i].missing ? WEIR_COUNTER_MAX : 0));
    return 0;
}
