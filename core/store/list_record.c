/*
 * Entries of the lists as octets and back; see lists_impl.h for the layout.
 * Pure: no file, no clock.  Numbers are big-endian, so that LMDB's order of keys
 * is the order of addresses.
 * Refuses records with anything in them that weir_list_record_write() does not
 * write: what is read here ends up in SMTP replies.
 */
#include <math.h>
#include <string.h>

#include "core/base/cursor.h"
#include "core/base/error.h"
#include "core/store/lists_impl.h"

enum { RECORD_FORM = 1, RECORD_FORM_MORE = 2, COUNTS_FORM = 1 };
enum { KIND_PREFIX = 'a', KIND_DOMAIN = 'd', KIND_COUNTS = '#' };

_Static_assert(1 + 8 + 8 + 1 + 4 + 1 + WEIR_ORIGIN_MAX + 1 + WEIR_REASON_MAX <=
                   WEIR_LIST_RECORD_MAX,
               "every entry fits into a record");

static bool is_printable(char c)
{
    return c >= ' ' && c <= '~';
}

/* Records. --------------------------------------------------------------- */

/* What goes beyond the first form, which is still written where it will do, so that an older Weir
 * reads it. */
static void write_more(struct weir_writer *w, const struct weir_list_entry *entry)
{
    weir_write_u8(w, entry->defer);
    weir_write_u32(w, (uint32_t)(int32_t)nearbyint(entry->points * 100));
}

static bool read_more(struct weir_reader *r, struct weir_list_entry *entry)
{
    uint8_t defer = weir_read_u8(r);
    int32_t hundredths = (int32_t)weir_read_u32(r);

    entry->defer = defer == 1;
    entry->points = hundredths / 100.0;
    return defer <= 1 && fabs(entry->points) <= WEIR_RULE_SCORE_MAX &&
           (defer == 1 || hundredths != 0);
}

size_t weir_list_record_write(const struct weir_list_entry *entry,
                              uint8_t record[static WEIR_LIST_RECORD_MAX])
{
    struct weir_writer w = weir_writer(record, WEIR_LIST_RECORD_MAX);
    bool more = entry->defer || nearbyint(entry->points * 100) != 0;
    weir_write_u8(&w, more ? RECORD_FORM_MORE : RECORD_FORM);
    weir_write_u64(&w, (uint64_t)entry->added);
    weir_write_u64(&w, (uint64_t)entry->ends);
    if (more)
        write_more(&w, entry);
    weir_write_text8(&w, entry->origin, strnlen(entry->origin, sizeof(entry->origin)));
    weir_write_text8(&w, entry->reason, strnlen(entry->reason, sizeof(entry->reason)));
    return weir_writer_len(&w);
}

static bool text_ok(struct weir_slice text)
{
    for (size_t i = 0; i < text.len; i++)
        if (!is_printable(text.at[i]))
            return false;
    return true;
}

int weir_list_record_read(const void *record, size_t len, struct weir_list_entry *entry_r)
{
    struct weir_reader r = weir_reader(record, len);
    uint8_t form = weir_read_u8(&r);
    weir_time added = (weir_time)weir_read_u64(&r);
    weir_time ends = (weir_time)weir_read_u64(&r);
    struct weir_list_entry more = {0};
    bool good = form == RECORD_FORM || (form == RECORD_FORM_MORE && read_more(&r, &more));
    struct weir_slice origin = weir_read_text8(&r, WEIR_ORIGIN_MAX);
    struct weir_slice reason = weir_read_text8(&r, WEIR_REASON_MAX);
    if (!weir_reader_done(&r) || !good || added < 0 || ends < 0 ||
        !text_ok(origin) || !text_ok(reason))
        return WEIR_ECORRUPT;
    entry_r->added = added;
    entry_r->ends = ends;
    entry_r->defer = more.defer;
    entry_r->points = more.points;
    memcpy(entry_r->origin, origin.at, origin.len);
    entry_r->origin[origin.len] = '\0';
    memcpy(entry_r->reason, reason.at, reason.len);
    entry_r->reason[reason.len] = '\0';
    return 0;
}

int weir_list_record_ends(const void *record, size_t len, weir_time *ends_r)
{
    struct weir_reader r = weir_reader(record, len);
    uint8_t form = weir_read_u8(&r);
    weir_read_u64(&r);
    weir_time ends = (weir_time)weir_read_u64(&r);
    if (weir_reader_bad(&r) || (form != RECORD_FORM && form != RECORD_FORM_MORE))
        return WEIR_ECORRUPT;
    *ends_r = ends;
    return 0;
}

/* Keys. ------------------------------------------------------------------ */

size_t weir_list_key_prefix(enum weir_list list, const struct weir_prefix *prefix,
                            uint8_t key[static WEIR_LIST_KEY_PREFIX])
{
    key[0] = (uint8_t)list;
    key[1] = KIND_PREFIX;
    memcpy(key + 2, prefix->address.octet, 16);
    key[18] = prefix->bits;
    return WEIR_LIST_KEY_PREFIX;
}

size_t weir_list_key_domain(enum weir_list list, const char *domain, size_t len,
                            uint8_t key[static WEIR_LIST_KEY_MAX])
{
    key[0] = (uint8_t)list;
    key[1] = KIND_DOMAIN;
    memcpy(key + 2, domain, len);
    return len + 2;
}

size_t weir_list_key(enum weir_list list, const struct weir_list_entry *entry,
                     uint8_t key[static WEIR_LIST_KEY_MAX])
{
    if (!entry->is_domain)
        return weir_list_key_prefix(list, &entry->prefix, key);
    return weir_list_key_domain(list, entry->domain, strnlen(entry->domain, WEIR_DOMAIN_MAX), key);
}

size_t weir_list_key_counts(enum weir_list list, uint8_t key[static WEIR_LIST_KEY_COUNTS])
{
    key[0] = (uint8_t)list;
    key[1] = KIND_COUNTS;
    return WEIR_LIST_KEY_COUNTS;
}

bool weir_list_key_is_counts(const void *key, size_t len)
{
    const uint8_t *octet = key;
    return len == WEIR_LIST_KEY_COUNTS && octet[1] == KIND_COUNTS;
}

static bool prefix_ok(const struct weir_prefix *prefix)
{
    if (prefix->bits > 128)
        return false;
    struct weir_prefix masked = weir_address_mask(&prefix->address, prefix->bits);
    return weir_address_equal(&masked.address, &prefix->address);
}

static int key_read_prefix(struct weir_reader *r, struct weir_list_entry *entry_r)
{
    struct weir_prefix prefix = {.bits = 0};
    const uint8_t *octets = weir_read_bytes(r, sizeof(prefix.address.octet));
    if (octets)
        memcpy(prefix.address.octet, octets, sizeof(prefix.address.octet));
    prefix.bits = weir_read_u8(r);
    if (!weir_reader_done(r) || !prefix_ok(&prefix))
        return WEIR_ECORRUPT;
    entry_r->is_domain = false;
    entry_r->domain[0] = '\0';
    entry_r->prefix = prefix;
    return 0;
}

static int key_read_domain(const char *text, size_t len, struct weir_list_entry *entry_r)
{
    char raw[WEIR_DOMAIN_MAX + 1], tidy[WEIR_DOMAIN_MAX + 1];
    if (len > WEIR_DOMAIN_MAX)
        return WEIR_ECORRUPT;
    memcpy(raw, text, len);
    raw[len] = '\0';
    if (weir_list_domain_tidy(raw, tidy) != len || memcmp(raw, tidy, len) != 0)
        return WEIR_ECORRUPT;
    entry_r->is_domain = true;
    entry_r->prefix = (struct weir_prefix){.bits = 0};
    memcpy(entry_r->domain, tidy, len + 1);
    return 0;
}

int weir_list_key_read(const void *key, size_t len, struct weir_list_entry *entry_r)
{
    struct weir_reader r = weir_reader(key, len);
    weir_read_u8(&r);
    uint8_t kind = weir_read_u8(&r);
    if (kind == KIND_PREFIX)
        return key_read_prefix(&r, entry_r);
    if (kind == KIND_DOMAIN && !weir_reader_bad(&r) && len > 2)
        return key_read_domain((const char *)key + 2, len - 2, entry_r);
    return WEIR_ECORRUPT;
}

/* Counts. ---------------------------------------------------------------- */

size_t weir_list_counts_write(const struct weir_list_counts *counts,
                              uint8_t record[static WEIR_LIST_COUNTS_MAX])
{
    struct weir_writer w = weir_writer(record, WEIR_LIST_COUNTS_MAX);
    weir_write_u8(&w, COUNTS_FORM);
    weir_write_u32(&w, counts->domains);
    for (unsigned bits = 0; bits <= 128; bits++) {
        if (counts->prefixes[bits] == 0)
            continue;
        weir_write_u8(&w, (uint8_t)bits);
        weir_write_u32(&w, counts->prefixes[bits]);
    }
    return weir_writer_len(&w);
}

int weir_list_counts_read(const void *record, size_t len, struct weir_list_counts *counts_r)
{
    struct weir_reader r = weir_reader(record, len);
    struct weir_list_counts counts = {0};
    int before = -1;
    if (weir_read_u8(&r) != COUNTS_FORM)
        return WEIR_ECORRUPT;
    counts.domains = weir_read_u32(&r);
    while (!weir_reader_bad(&r) && !weir_reader_done(&r)) {
        uint8_t bits = weir_read_u8(&r);
        uint32_t count = weir_read_u32(&r);
        if (bits > 128 || bits <= before || count == 0)
            return WEIR_ECORRUPT;
        counts.prefixes[bits] = count;
        before = bits;
    }
    if (weir_reader_bad(&r))
        return WEIR_ECORRUPT;
    *counts_r = counts;
    return 0;
}

size_t weir_list_counts_sum(const struct weir_list_counts *counts)
{
    size_t sum = counts->domains;
    for (unsigned bits = 0; bits <= 128; bits++)
        sum += counts->prefixes[bits];
    return sum;
}

uint32_t *weir_list_counts_of(struct weir_list_counts *counts, const struct weir_list_entry *entry)
{
    return entry->is_domain ? &counts->domains : &counts->prefixes[entry->prefix.bits];
}

/* What people enter. ----------------------------------------------------- */

static char domain_octet(char c)
{
    if (c >= 'A' && c <= 'Z')
        return (char)(c + ('a' - 'A'));
    bool ok = (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
    return ok ? c : '\0';
}

size_t weir_list_domain_tidy(const char *domain, char tidy_r[static WEIR_DOMAIN_MAX + 1])
{
    size_t len = strnlen(domain, WEIR_DOMAIN_MAX + 2), label = 0;
    if (len > 0 && domain[len - 1] == '.')
        len--;
    if (len == 0 || len > WEIR_DOMAIN_MAX)
        return 0;
    for (size_t i = 0; i < len; i++) {
        char c = domain[i] == '.' ? '.' : domain_octet(domain[i]);
        label = c == '.' ? 0 : label + 1;
        /* a dot must follow a label: not first, not after a dot, not at the end */
        bool empty_label = c == '.' && (i == 0 || tidy_r[i - 1] == '.' || i + 1 == len);
        if (c == '\0' || label > WEIR_LABEL_MAX || empty_label)
            return 0;
        tidy_r[i] = c;
    }
    tidy_r[len] = '\0';
    return len;
}

/* One printable ASCII line: blanks for white space, one '?' for each other
 * character.  0 or WEIR_ELIMIT. */
static int text_tidy(const char *text, size_t size, char *tidy_r)
{
    size_t len = strnlen(text, size), at = 0;
    if (len == size)
        return WEIR_ELIMIT;
    for (size_t i = 0; i < len; i++) {
        bool utf8_goes_on = ((unsigned char)text[i] & 0xc0) == 0x80;
        bool blank = text[i] == '\t' || text[i] == '\r' || text[i] == '\n';
        if (!utf8_goes_on)
            tidy_r[at++] = blank ? ' ' : is_printable(text[i]) ? text[i] : '?';
    }
    while (at > 0 && tidy_r[at - 1] == ' ')
        at--;
    tidy_r[at] = '\0';
    return 0;
}

int weir_list_which_tidy(const struct weir_list_entry *entry, struct weir_list_entry *tidy_r)
{
    *tidy_r = (struct weir_list_entry){.is_domain = entry->is_domain};
    if (!entry->is_domain) {
        tidy_r->prefix = entry->prefix;
        return prefix_ok(&entry->prefix) ? 0 : WEIR_EINVAL;
    }
    if (strnlen(entry->domain, sizeof(entry->domain)) == sizeof(entry->domain))
        return WEIR_ELIMIT;
    return weir_list_domain_tidy(entry->domain, tidy_r->domain) > 0 ? 0 : WEIR_EINVAL;
}

int weir_list_entry_tidy(const struct weir_list_entry *entry, struct weir_list_entry *tidy_r)
{
    int rc = weir_list_which_tidy(entry, tidy_r);
    if (rc < 0)
        return rc;
    if (entry->added < 0 || entry->ends < 0 || !(fabs(entry->points) <= WEIR_RULE_SCORE_MAX))
        return WEIR_EINVAL;
    tidy_r->added = entry->added;
    tidy_r->ends = entry->ends;
    tidy_r->defer = entry->defer;
    tidy_r->points = entry->points;
    rc = text_tidy(entry->origin, sizeof(entry->origin), tidy_r->origin);
    return rc < 0 ? rc : text_tidy(entry->reason, sizeof(entry->reason), tidy_r->reason);
}
