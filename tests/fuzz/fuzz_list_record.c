/*
 * Keys, records and counts of the lists: what is read is written back the same.
 * The first octet says which of the three the rest is.
 */
#include <stdlib.h>
#include <string.h>

#include "core/store/lists_impl.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len);

static void require(bool holds)
{
    if (!holds)
        abort();
}

static void record(const uint8_t *bytes, size_t len)
{
    uint8_t again[WEIR_LIST_RECORD_MAX];
    struct weir_list_entry entry = {.is_domain = false}, tidy;
    weir_time ends;
    if (weir_list_record_read(bytes, len, &entry) < 0)
        return;
    require(weir_list_record_ends(bytes, len, &ends) == 0 && ends == entry.ends);
    require(weir_list_record_write(&entry, again) == len && memcmp(again, bytes, len) == 0);
    require(weir_list_entry_tidy(&entry, &tidy) == 0);
}

static void key(const uint8_t *bytes, size_t len)
{
    uint8_t again[WEIR_LIST_KEY_MAX];
    struct weir_list_entry entry = {.is_domain = false};
    if (weir_list_key_read(bytes, len, &entry) < 0)
        return;
    size_t written = weir_list_key((enum weir_list)bytes[0], &entry, again);
    require(written == len && memcmp(again, bytes, len) == 0);
    require(!weir_list_key_is_counts(bytes, len));
}

static void counts(const uint8_t *bytes, size_t len)
{
    uint8_t again[WEIR_LIST_COUNTS_MAX];
    struct weir_list_counts counts;
    if (weir_list_counts_read(bytes, len, &counts) < 0)
        return;
    require(weir_list_counts_write(&counts, again) == len && memcmp(again, bytes, len) == 0);
}

/* The rest as an entry that somebody typed. */
static void entry(const uint8_t *bytes, size_t len)
{
    struct weir_list_entry entry = {.is_domain = true}, tidy;
    memcpy(entry.domain, bytes, len < sizeof(entry.domain) ? len : sizeof(entry.domain));
    memcpy(entry.reason, bytes, len < sizeof(entry.reason) ? len : sizeof(entry.reason));
    if (weir_list_entry_tidy(&entry, &tidy) < 0)
        return;
    uint8_t octets[WEIR_LIST_KEY_MAX], room[WEIR_LIST_RECORD_MAX];
    size_t key_len = weir_list_key(WEIR_LIST_ACCEPT, &tidy, octets);
    size_t record_len = weir_list_record_write(&tidy, room);
    require(weir_list_key_read(octets, key_len, &tidy) == 0);
    require(weir_list_record_read(room, record_len, &tidy) == 0);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t len)
{
    static void (*const part[])(const uint8_t *bytes, size_t len) = {record, key, counts, entry};
    if (len > 0)
        part[bytes[0] % 4](bytes + 1, len - 1);
    return 0;
}
