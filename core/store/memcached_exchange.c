/*
 * The binary protocol as far as Weir reads it: GETQ and NOOP.  Answers come in
 * the order of the question and misses are left out, so an answer for slot k
 * settles all before it as "there is none".  Refuses every other frame, other
 * lengths than the protocol gives, and numbers that are not decimal digits.
 */
#include "core/store/memcached_exchange.h"

#include <string.h>

#include "core/base/cursor.h"
#include "core/base/error.h"

enum { MAGIC_REQUEST = 0x80, MAGIC_RESPONSE = 0x81 };
enum { OPCODE_GETQ = 0x09, OPCODE_NOOP = 0x0a };
enum { STATUS_OK = 0, STATUS_NOT_FOUND = 1 };

#define FLAGS 4       /* octets of extras before a value */
#define DIGITS_MAX 20 /* of 2^64 - 1 */

struct answer {
    uint8_t opcode;
    uint8_t extras; /* octets of the body before the value */
    uint16_t status;
    uint32_t body;
    uint32_t opaque;
    struct weir_slice value;
};

void weir_memcached_exchange_begin(struct weir_memcached_exchange *exchange,
                                   struct weir_counter_slot *slot, const uint32_t *order,
                                   size_t n, uint32_t first)
{
    *exchange = (struct weir_memcached_exchange){
        .slot = slot, .order = order, .n = n, .first = first};
}

/* The question. ----------------------------------------------------------- */

static void put16(uint8_t *at, uint32_t number)
{
    at[0] = (uint8_t)(number >> 8);
    at[1] = (uint8_t)number;
}

static void put32(uint8_t *at, uint32_t number)
{
    put16(at, number >> 16);
    put16(at + 2, number);
}

/* Without extras, raw, in any partition, of any version. */
static void write_header(uint8_t *at, uint8_t opcode, size_t key, uint32_t opaque)
{
    memset(at, 0, WEIR_MEMCACHED_HEADER);
    at[0] = MAGIC_REQUEST;
    at[1] = opcode;
    put16(at + 2, (uint32_t)key);
    put32(at + 8, (uint32_t)key);
    put32(at + 12, opaque);
}

static size_t write_get(struct weir_memcached_exchange *exchange, uint8_t *at, uint32_t opaque)
{
    const struct weir_counter_slot *slot = &exchange->slot[exchange->order[exchange->asked]];
    size_t key = weir_counter_keys_write(&exchange->keys, &slot->counter, slot->epoch,
                                         (char *)at + WEIR_MEMCACHED_HEADER);
    write_header(at, OPCODE_GETQ, key, opaque);
    return WEIR_MEMCACHED_HEADER + key;
}

size_t weir_memcached_exchange_write(struct weir_memcached_exchange *exchange, uint8_t *room,
                                     size_t len)
{
    uint8_t *at = room;
    uint8_t *end = room + len;
    for (; exchange->asked <= exchange->n; exchange->asked++) {
        uint32_t opaque = exchange->first + (uint32_t)exchange->asked;
        if ((size_t)(end - at) < WEIR_MEMCACHED_HEADER + WEIR_COUNTER_KEY_MAX)
            break;
        if (exchange->asked < exchange->n) {
            at += write_get(exchange, at, opaque);
        } else {
            write_header(at, OPCODE_NOOP, 0, opaque);
            at += WEIR_MEMCACHED_HEADER;
        }
    }
    return (size_t)(at - room);
}

/* The answer. ------------------------------------------------------------- */

static uint16_t get16(const uint8_t *at)
{
    return (uint16_t)(at[0] << 8 | at[1]);
}

static uint32_t get32(const uint8_t *at)
{
    return (uint32_t)get16(at) << 16 | get16(at + 2);
}

/* 1 and a whole answer, 0 when more must come, WEIR_ECORRUPT.  An answer has no
 * key, as none was asked for. */
static int parse(const uint8_t *bytes, size_t len, struct answer *answer)
{
    if (len < WEIR_MEMCACHED_HEADER)
        return len > 0 && bytes[0] != MAGIC_RESPONSE ? WEIR_ECORRUPT : 0;
    answer->opcode = bytes[1];
    answer->extras = bytes[4];
    answer->status = get16(bytes + 6);
    answer->body = get32(bytes + 8);
    answer->opaque = get32(bytes + 12);
    uint16_t key = get16(bytes + 2);
    if (bytes[0] != MAGIC_RESPONSE || key != 0 || answer->body > WEIR_MEMCACHED_BODY_MAX ||
        answer->extras > answer->body)
        return WEIR_ECORRUPT;
    if (len - WEIR_MEMCACHED_HEADER < answer->body)
        return 0;
    answer->value.at = (const char *)bytes + WEIR_MEMCACHED_HEADER + answer->extras;
    answer->value.len = answer->body - answer->extras;
    return 1;
}

/* memcached leaves spaces behind a number that became shorter. */
static bool read_number(struct weir_slice text, uint64_t *number_r)
{
    size_t digits = 0;
    uint64_t number = 0;
    while (digits < text.len && text.at[digits] >= '0' && text.at[digits] <= '9') {
        if (number > WEIR_COUNTER_MAX / 10)
            number = WEIR_COUNTER_MAX;
        else
            number = number * 10 + (uint64_t)(text.at[digits] - '0');
        digits++;
    }
    for (size_t i = digits; i < text.len; i++)
        if (text.at[i] != ' ')
            return false;
    *number_r = number < WEIR_COUNTER_MAX ? number : WEIR_COUNTER_MAX;
    return digits > 0 && digits <= DIGITS_MAX;
}

/* The slots before the k-th were not answered for, though later ones were:
 * there are none. */
static void settle_misses(struct weir_memcached_exchange *exchange, size_t k)
{
    for (; exchange->answered < k; exchange->answered++) {
        struct weir_counter_slot *slot = &exchange->slot[exchange->order[exchange->answered]];
        slot->value = 0;
        slot->missing = false;
    }
}

static void settle(struct weir_memcached_exchange *exchange, const struct answer *answer)
{
    struct weir_counter_slot *slot = &exchange->slot[exchange->order[exchange->answered++]];
    slot->value = 0;
    slot->missing = answer->status != STATUS_NOT_FOUND;
    if (answer->status == STATUS_OK && read_number(answer->value, &slot->value))
        slot->missing = false;
    if (slot->missing) {
        slot->value = 0;
        exchange->malformed++;
    }
}

/* Whether the answer is one to this question, at a place not settled yet. */
static bool belongs(const struct weir_memcached_exchange *exchange, const struct answer *answer)
{
    size_t k = answer->opaque - exchange->first;
    if (exchange->done || k >= exchange->asked || k < exchange->answered)
        return false;
    if (k == exchange->n)
        return answer->opcode == OPCODE_NOOP && answer->status == STATUS_OK && answer->body == 0;
    return answer->opcode == OPCODE_GETQ &&
           (answer->status != STATUS_OK || answer->extras == FLAGS);
}

int weir_memcached_exchange_read(struct weir_memcached_exchange *exchange, const uint8_t *bytes,
                                 size_t len, size_t *used_r)
{
    struct answer answer;
    int got;
    *used_r = 0;
    while ((got = parse(bytes + *used_r, len - *used_r, &answer)) == 1) {
        if (!belongs(exchange, &answer))
            return WEIR_ECORRUPT;
        *used_r += WEIR_MEMCACHED_HEADER + answer.body;
        settle_misses(exchange, answer.opaque - exchange->first);
        if (answer.opcode == OPCODE_NOOP)
            exchange->done = true;
        else
            settle(exchange, &answer);
    }
    return got < 0 ? got : exchange->done;
}
