/*
 * An entity's numbers: decoding, changing and encoding.  Reads with the cursor
 * only and refuses whatever weir_counter_record_write() would not have written;
 * nothing in a record is trusted before its check has matched.
 */
#include "core/store/counter_record.h"

#include <endian.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/base/keyed_hash.h"

#define FORM 1
#define HEAD 5 /* octets before the items */

static uint32_t check_of(const struct weir_entity *entity, const uint8_t *items, size_t len)
{
    struct weir_hash_key key;
    memcpy(key.octet, entity->id, sizeof key.octet);
    return (uint32_t)weir_hash64(&key, items, len);
}

static uint32_t unpack_u32(const uint8_t *at)
{
    uint32_t number;
    memcpy(&number, at, sizeof number);
    return be32toh(number);
}

/* One item from its 17 octets, which the cursor has given in one piece: field by
 * field it would take half the time of a look-up. */
static struct weir_counter_item unpack(const uint8_t *at)
{
    uint64_t number;
    memcpy(&number, at + 9, sizeof number);
    return (struct weir_counter_item){
        .variable = at[0],
        .half_life = unpack_u32(at + 1),
        .epoch = unpack_u32(at + 5),
        .number = be64toh(number),
    };
}

int weir_counter_record_read(const struct weir_entity *entity, const void *bytes, size_t len,
                             struct weir_counter_record *record_r)
{
    record_r->n = 0;
    struct weir_reader r = weir_reader(bytes, len);
    const uint8_t *head = weir_read_bytes(&r, HEAD);
    size_t left = head ? len - HEAD : 0;
    size_t n = left / WEIR_COUNTER_ITEM_SIZE;
    const uint8_t *items = weir_read_bytes(&r, n * WEIR_COUNTER_ITEM_SIZE);
    if (!weir_reader_done(&r) || head[0] != FORM || n > WEIR_COUNTER_ITEMS_MAX ||
        unpack_u32(head + 1) != check_of(entity, items, left))
        return WEIR_ECORRUPT;
    for (size_t i = 0; i < n; i++) {
        record_r->item[i] = unpack(items + i * WEIR_COUNTER_ITEM_SIZE);
        if (record_r->item[i].number > WEIR_COUNTER_MAX)
            return WEIR_ECORRUPT;
    }
    record_r->n = n;
    return 0;
}

size_t weir_counter_record_write(const struct weir_entity *entity,
                                 const struct weir_counter_record *record,
                                 uint8_t bytes[static WEIR_COUNTER_RECORD_MAX])
{
    struct weir_writer items = weir_writer(bytes + 5, WEIR_COUNTER_RECORD_MAX - 5);
    for (size_t i = 0; i < record->n; i++) {
        weir_write_u8(&items, record->item[i].variable);
        weir_write_u32(&items, record->item[i].half_life);
        weir_write_u32(&items, record->item[i].epoch);
        weir_write_u64(&items, record->item[i].number);
    }
    struct weir_writer head = weir_writer(bytes, 5);
    weir_write_u8(&head, FORM);
    weir_write_u32(&head, check_of(entity, bytes + 5, weir_writer_len(&items)));
    return weir_writer_len(&head) + weir_writer_len(&items);
}

/* Where the item of this counter and epoch is; record->n when nowhere. */
static size_t find(const struct weir_counter_record *record, const struct weir_counter *counter,
                   uint32_t epoch)
{
    size_t i = 0;
    while (i < record->n && (record->item[i].variable != (unsigned)counter->variable ||
                             record->item[i].epoch != epoch ||
                             record->item[i].half_life != counter->half_life))
        i++;
    return i;
}

uint64_t weir_counter_record_number(const struct weir_counter_record *record,
                                    const struct weir_counter *counter, uint32_t epoch)
{
    size_t i = find(record, counter, epoch);
    return i < record->n ? record->item[i].number : 0;
}

static void drop(struct weir_counter_record *record, size_t i)
{
    record->item[i] = record->item[--record->n];
}

static uint32_t expires(const struct weir_counter_item *item)
{
    return weir_decay_expires(item->epoch, item->half_life);
}

/* The place for a new item. */
static size_t new_place(struct weir_counter_record *record)
{
    if (record->n < WEIR_COUNTER_ITEMS_MAX)
        return record->n++;
    size_t first = 0;
    for (size_t i = 1; i < record->n; i++) {
        if (expires(&record->item[i]) < expires(&record->item[first]))
            first = i;
    }
    return first;
}

static void add(struct weir_counter_record *record, const struct weir_counter_change *change)
{
    size_t i = find(record, &change->counter, change->epoch);
    if (i == record->n) {
        i = new_place(record);
        record->item[i] = (struct weir_counter_item){
            .variable = (uint8_t)change->counter.variable,
            .half_life = change->counter.half_life,
            .epoch = change->epoch,
        };
    }
    uint64_t *number = &record->item[i].number;
    uint64_t room = WEIR_COUNTER_MAX - *number;
    *number += change->amount < room ? change->amount : room;
}

static void take_back(struct weir_counter_record *record, const struct weir_counter_change *change)
{
    size_t i = find(record, &change->counter, change->epoch);
    if (i == record->n)
        return;
    if (record->item[i].number > change->amount)
        record->item[i].number -= change->amount;
    else
        drop(record, i);
}

void weir_counter_record_change(struct weir_counter_record *record,
                                const struct weir_counter_change *change)
{
    if (change->take_back)
        take_back(record, change);
    else
        add(record, change);
}

void weir_counter_record_drop_expired(struct weir_counter_record *record, weir_time now)
{
    for (size_t i = record->n; i > 0; i--) {
        uint32_t end = expires(&record->item[i - 1]);
        if (end != WEIR_DECAY_NEVER && (weir_time)end <= now / WEIR_SECOND)
            drop(record, i - 1);
    }
}

double weir_counter_record_value(const struct weir_counter_record *record, weir_time now)
{
    double value = 0;
    for (size_t i = 0; i < record->n; i++) {
        const struct weir_counter_item *item = &record->item[i];
        value += (double)item->number * weir_decay_factor(now, item->epoch, item->half_life);
    }
    return value;
}
