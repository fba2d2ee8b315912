/*
 * The fields of an info string as octets and back (layout: info.h).  Of many rules
 * those with most points are kept, as many as there is room for; the others are summed
 * up in whole hundredths, so that the sum of what is written is that of all.
 */
#include "core/engine/info_impl.h"

#include <math.h>
#include <string.h>

#include <sodium.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/engine/verdict.h"

#define HASHED_DOMAIN (128 + 8) /* in place of a domain's length */
#define CENTS_MAX 2000000000    /* of one rule: whatever fits an int32_t */

struct cents { uint32_t id; int64_t cents; };

struct kept { /* rules with most points, most first */
    struct cents rule[WEIR_INFO_RULES_MAX];
    size_t rules;
    int64_t sum; /* of all rules */
    bool rest;   /* there are others */
};

/* Numbers. ------------------------------------------------------------------- */

static int64_t to_cents(float points, int64_t most)
{
    double cents = round((double)points * 100);
    if (!isfinite(cents))
        return 0;
    return cents > (double)most ? most : cents < (double)-most ? -most : (int64_t)cents;
}

static void write_varint(struct weir_writer *w, uint64_t number)
{
    while (number >= 128) {
        weir_write_u8(w, (uint8_t)(number | 128));
        number >>= 7;
    }
    weir_write_u8(w, (uint8_t)number);
}

static uint64_t read_varint(struct weir_reader *r)
{
    uint64_t number = 0;
    for (unsigned shift = 0; shift < 64; shift += 7) {
        uint8_t octet = weir_read_u8(r);
        number |= (uint64_t)(octet & 127) << shift;
        if (octet < 128)
            return number;
    }
    r->bad = true;
    return 0;
}

static uint64_t zigzag(int64_t number)
{
    return ((uint64_t)number << 1) ^ (uint64_t)(number >> 63);
}

static int64_t unzigzag(uint64_t number)
{
    return (int64_t)(number >> 1) ^ -(int64_t)(number & 1);
}

/* Rules. --------------------------------------------------------------------- */

/* More points come first; of equals the lower id, so that the choice depends on nothing else. */
static bool comes_before(const struct cents *a, const struct cents *b)
{
    int64_t left = a->cents < 0 ? -a->cents : a->cents, right = b->cents < 0 ? -b->cents : b->cents;
    return left != right ? left > right : a->id < b->id;
}

static void keep(struct kept *kept, struct cents rule)
{
    size_t at = kept->rules;
    if (at == WEIR_INFO_RULES_MAX) {
        kept->rest = true;
        if (!comes_before(&rule, &kept->rule[--at]))
            return;
    } else {
        kept->rules++;
    }
    for (; at > 0 && comes_before(&rule, &kept->rule[at - 1]); at--)
        kept->rule[at] = kept->rule[at - 1];
    kept->rule[at] = rule;
}

static struct kept choose(const struct weir_info_rule *rule, size_t rules)
{
    struct kept kept = {.rules = 0};
    for (size_t i = 0; i < rules; i++) {
        struct cents next = {rule[i].id, to_cents(rule[i].points, CENTS_MAX)};
        kept.sum += next.cents;
        if (next.id == 0)
            kept.rest = true;
        else
            keep(&kept, next);
    }
    return kept;
}

static void sort_by_id(struct cents *rule, size_t rules)
{
    for (size_t i = 1; i < rules; i++) {
        struct cents next = rule[i];
        size_t at = i;
        for (; at > 0 && rule[at - 1].id > next.id; at--)
            rule[at] = rule[at - 1];
        rule[at] = next;
    }
}

/* Writes the first count of the kept rules, and the rest as id 0. */
static void write_rules(struct weir_writer *w, const struct kept *kept, size_t count)
{
    struct cents rule[WEIR_INFO_RULES_MAX];
    int64_t rest = kept->sum;
    bool any_rest = kept->rest || count < kept->rules;
    uint32_t before = 0;

    memcpy(rule, kept->rule, sizeof(rule));
    sort_by_id(rule, count);
    for (size_t i = 0; i < count; i++)
        rest -= rule[i].cents;
    weir_write_u8(w, (uint8_t)(count + any_rest));
    if (any_rest) {
        write_varint(w, 0);
        write_varint(w, zigzag(rest));
    }
    for (size_t i = 0; i < count; i++) {
        write_varint(w, rule[i].id - before);
        write_varint(w, zigzag(rule[i].cents));
        before = rule[i].id;
    }
}

static void read_rules(struct weir_reader *r, struct weir_info *info)
{
    uint64_t id = 0;
    info->rules = weir_read_u8(r);
    if (info->rules > WEIR_INFO_RULES_MAX + 1) {
        r->bad = true;
        return;
    }
    for (size_t i = 0; i < info->rules && !r->bad; i++) {
        uint64_t difference = read_varint(r);
        int64_t cents = unzigzag(read_varint(r));
        id += difference;
        r->bad |= difference > UINT32_MAX || id > UINT32_MAX;
        info->rule[i].id = (uint32_t)id;
        info->rule[i].points = (float)((double)cents / 100);
    }
}

/* Fields. -------------------------------------------------------------------- */

static void write_address(struct weir_writer *w, const struct weir_info *info)
{
    bool ipv4 = info->has_boundary && weir_address_is_ipv4(&info->boundary);
    size_t len = !info->has_boundary ? 0 : ipv4 ? 4 : 16;
    weir_write_u8(w, (uint8_t)len);
    weir_write_bytes(w, info->boundary.octet + 16 - len, len);
}

static void read_address(struct weir_reader *r, struct weir_info *info)
{
    uint8_t len = weir_read_u8(r);
    const uint8_t *octet = weir_read_bytes(r, len);
    info->has_boundary = len > 0;
    info->boundary = (struct weir_address){.octet = {[10] = len == 4 ? 0xff : 0,
                                                     [11] = len == 4 ? 0xff : 0}};
    if (len != 0 && len != 4 && len != 16)
        r->bad = true;
    else if (octet && len > 0)
        memcpy(info->boundary.octet + 16 - len, octet, len);
}

static void write_domain(struct weir_writer *w, const struct weir_info *info)
{
    uint8_t hash[crypto_hash_sha256_BYTES];
    size_t len = strnlen(info->domain, sizeof(info->domain)), hex = 0;
    if (len <= WEIR_INFO_DOMAIN_MAX && !info->domain_hashed) {
        weir_write_text8(w, info->domain, len);
        return;
    }
    if (!info->domain_hashed || sodium_hex2bin(hash, 8, info->domain, len, NULL, &hex, NULL) != 0 ||
        hex != 8)
        crypto_hash_sha256(hash, (const unsigned char *)info->domain, len);
    weir_write_u8(w, HASHED_DOMAIN);
    weir_write_bytes(w, hash, 8);
}

/* Whoever signs: what is not written as each server writes it would be another domain, or none, to
 * who hears of it later. */
static bool is_normal(const char *domain)
{
    char normal[WEIR_DOMAIN_TEXT];

    return domain[0] == '\0' || (weir_domain_normal(domain, strlen(domain), normal) == 1 &&
                                 strcmp(domain, normal) == 0);
}

static void read_domain(struct weir_reader *r, struct weir_info *info)
{
    uint8_t len = weir_read_u8(r);
    info->domain_hashed = len == HASHED_DOMAIN;
    if (info->domain_hashed)
        len = 8;
    const uint8_t *octet = weir_read_bytes(r, len);
    if (len > WEIR_INFO_DOMAIN_MAX || (octet && memchr(octet, '\0', len) && !info->domain_hashed))
        r->bad = true;
    if (r->bad)
        return;
    if (info->domain_hashed)
        sodium_bin2hex(info->domain, sizeof(info->domain), octet, len);
    else if (len > 0)
        memcpy(info->domain, octet, len);
    r->bad |= !info->domain_hashed && !is_normal(info->domain);
}

static uint32_t to_seconds(weir_time at)
{
    weir_time seconds = at / WEIR_SECOND;
    return seconds < 0 ? 0 : seconds > UINT32_MAX ? UINT32_MAX : (uint32_t)seconds;
}

static uint8_t to_255(float probability)
{
    return probability >= 1 ? 255 : probability > 0 ? (uint8_t)(probability * 255 + 0.5f) : 0;
}

/* Strings of older programs have nothing but the verdict in it. */
static uint8_t verdict_octet(const struct weir_info *info)
{
    const struct weir_counted *counted = &info->counted;

    return (uint8_t)(info->verdict | (counted->computer & 3) << 2 | counted->stranger << 4 |
                     counted->new_group << 5);
}

static void read_verdict(struct weir_reader *r, struct weir_info *info)
{
    uint8_t octet = weir_read_u8(r);

    info->verdict = octet & 0xc3; /* the upper two have no meaning: no verdict has them */
    info->counted = (struct weir_counted){.computer = (enum weir_said)(octet >> 2 & 3),
                                          .stranger = octet & 16, .new_group = octet & 32};
}

size_t weir_info_payload_write(const struct weir_info *info, const struct weir_info_rule *rule,
                               size_t rules, size_t room, uint8_t *payload)
{
    struct kept kept = choose(rule, rules);
    struct weir_writer w = weir_writer(payload, room);
    write_varint(&w, info->server);
    weir_write_u32(&w, to_seconds(info->at));
    weir_write_u64(&w, info->uid);
    weir_write_u64(&w, info->binding);
    write_address(&w, info);
    write_domain(&w, info);
    weir_write_u8(&w, verdict_octet(info));
    weir_write_u16(&w, (uint16_t)to_cents(info->score, 32767));
    weir_write_u8(&w, to_255(info->probability));
    weir_write_u8(&w, info->lacking);
    write_varint(&w, info->serial);
    for (size_t count = kept.rules;; count--) {
        struct weir_writer whole = w;
        write_rules(&whole, &kept, count);
        if (!whole.bad || count == 0)
            return weir_writer_len(&whole);
    }
}

int weir_info_payload_read(const uint8_t *payload, size_t len, struct weir_info *info_r)
{
    struct weir_reader r = weir_reader(payload, len);
    struct weir_info info = {.server = read_varint(&r)};
    info.at = (weir_time)weir_read_u32(&r) * WEIR_SECOND;
    info.uid = weir_read_u64(&r);
    info.binding = weir_read_u64(&r);
    read_address(&r, &info);
    read_domain(&r, &info);
    read_verdict(&r, &info);
    info.score = (float)((int16_t)weir_read_u16(&r) / 100.0);
    info.probability = (float)(weir_read_u8(&r) / 255.0);
    info.lacking = weir_read_u8(&r);
    uint64_t serial = read_varint(&r);
    info.serial = (uint32_t)serial;
    read_rules(&r, &info);
    if (!weir_reader_done(&r) || serial > UINT32_MAX || info.verdict > WEIR_BLOCKED)
        return WEIR_EINVAL;
    *info_r = info;
    return 0;
}
