/*
 * counter_record on hostile bytes: 16 octets of entity, then a record.  Bytes
 * that fail the check are taken as items all the same, so that the rest is met too.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/counter_record.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void must(int true_)
{
    if (!true_)
        abort();
}

/* Whatever there is must survive a change and the way through the file. */
static void use(const struct weir_entity *entity, struct weir_counter_record *record, weir_time now)
{
    struct weir_counter_change change = {.counter = {.half_life = 900}, .amount = 4096};
    struct weir_counter_record again;
    uint8_t bytes[WEIR_COUNTER_RECORD_MAX];
    weir_counter_record_change(record, &change);
    must(weir_counter_record_number(record, &change.counter, 0) >= 4096);
    size_t len = weir_counter_record_write(entity, record, bytes);
    must(weir_counter_record_read(entity, bytes, len, &again) == 0);
    must(again.n == record->n && weir_counter_record_value(&again, now) >= 0);
    change.take_back = true;
    weir_counter_record_change(&again, &change);
    weir_counter_record_drop_expired(&again, now);
    must(again.n <= record->n);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_entity entity;
    struct weir_counter_record record;
    weir_time now;
    if (size < sizeof entity + sizeof now)
        return 0;
    memcpy(&entity, data, sizeof entity);
    memcpy(&now, data, sizeof now);
    data += sizeof entity;
    size -= sizeof entity;
    if (weir_counter_record_read(&entity, data, size, &record) == 0)
        use(&entity, &record, now);
    for (record.n = 0; record.n < WEIR_COUNTER_ITEMS_MAX && size >= WEIR_COUNTER_ITEM_SIZE;) {
        struct weir_counter_item *item = &record.item[record.n++];
        item->variable = data[0];
        memcpy(&item->half_life, data + 1, 4);
        memcpy(&item->epoch, data + 5, 4);
        memcpy(&item->number, data + 9, 8);
        item->number %= WEIR_COUNTER_MAX + 1;
        data += WEIR_COUNTER_ITEM_SIZE;
        size -= WEIR_COUNTER_ITEM_SIZE;
    }
    use(&entity, &record, now);
    return 0;
}
