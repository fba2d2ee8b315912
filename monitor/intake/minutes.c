/*
 * Open addressing over a dense array of rows.  The index holds, for each place, 32 bits of the
 * hash and the row's number, so that a look at a wrong row is rare; it is never more than half
 * full.  Sorting moves rows, after which the index is made anew when the next line comes.
 */
#include "monitor/intake/minutes.h"

#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"

#define ROWS_MAX ((size_t)1 << 30)
#define SERVERS 65536 /* numbers modulo this */
#define BLOCK 32 /* lines whose places are brought near together */

struct place {
    uint32_t tag, row; /* row: one more than its number; 0: free */
};

struct weir_minutes {
    struct weir_hash_key key;
    struct weir_minute_row *row;
    size_t rows, most;
    struct place *place;
    size_t mask;    /* places - 1 */
    uint32_t *of_server; /* rows */
    bool sorted;    /* and so the index is wrong */
};

int weir_minutes_new(size_t rows, const struct weir_hash_key *key,
                     struct weir_minutes **minutes_r)
{
    struct weir_minutes *minutes;
    size_t places = 2;

    if (rows == 0 || rows > ROWS_MAX)
        return WEIR_EINVAL;
    minutes = calloc(1, sizeof *minutes);
    if (!minutes)
        return WEIR_ENOMEM;
    while (places < 2 * rows)
        places *= 2;
    minutes->key = *key;
    minutes->most = rows;
    minutes->mask = places - 1;
    minutes->row = calloc(rows, sizeof *minutes->row);
    minutes->place = calloc(places, sizeof *minutes->place);
    minutes->of_server = calloc(SERVERS, sizeof *minutes->of_server);
    if (!minutes->row || !minutes->place || !minutes->of_server)
        weir_minutes_free(&minutes);
    *minutes_r = minutes;
    return minutes ? 0 : WEIR_ENOMEM;
}

void weir_minutes_free(struct weir_minutes **minutes)
{
    if (!*minutes)
        return;
    free((*minutes)->row);
    free((*minutes)->place);
    free((*minutes)->of_server);
    free(*minutes);
    *minutes = NULL;
}

static uint64_t hash_of(const struct weir_minutes *minutes, const struct weir_minute_row *row)
{
    uint8_t octet[28];

    memcpy(octet, row->address.octet, 16);
    memcpy(octet + 16, &row->minute, 8);
    memcpy(octet + 24, &row->server, 4);
    return weir_hash64(&minutes->key, octet, sizeof octet);
}

static bool same(const struct weir_minute_row *a, const struct weir_minute_row *b)
{
    return a->minute == b->minute && a->server == b->server &&
           weir_address_equal(&a->address, &b->address);
}

/* The place of a row with this hash, or the free one where it belongs. */
static struct place *find(const struct weir_minutes *minutes, const struct weir_minute_row *row,
                          uint64_t hash)
{
    uint32_t tag = (uint32_t)(hash >> 32);

    for (size_t at = (size_t)hash & minutes->mask;; at = (at + 1) & minutes->mask) {
        struct place *place = &minutes->place[at];

        if (place->row == 0 || (place->tag == tag && same(&minutes->row[place->row - 1], row)))
            return place;
    }
}

static void clear_index(struct weir_minutes *minutes)
{
    memset(minutes->place, 0, (minutes->mask + 1) * sizeof *minutes->place);
}

static void index_again(struct weir_minutes *minutes)
{
    clear_index(minutes);
    for (size_t i = 0; i < minutes->rows; i++) {
        uint64_t hash = hash_of(minutes, &minutes->row[i]);
        struct place *place = find(minutes, &minutes->row[i], hash);

        *place = (struct place){.tag = (uint32_t)(hash >> 32), .row = (uint32_t)i + 1};
    }
    minutes->sorted = false;
}

static void sum_up(struct weir_minute_row *row, const struct weir_traffic *traffic)
{
    if (traffic->time < row->first)
        row->first = traffic->time;
    if (traffic->time > row->last)
        row->last = traffic->time;
    for (size_t i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++) {
        row->sum[i] += traffic->quantity[i];
        if (row->sum[i] > WEIR_MINUTE_SUM_MAX)
            row->sum[i] = WEIR_MINUTE_SUM_MAX;
    }
}

/* Minutes before 1970 are negative, not 0. */
static int64_t minute_of(weir_time time)
{
    return time / WEIR_MINUTE - (time % WEIR_MINUTE < 0);
}

static struct weir_minute_row row_of(uint32_t server, const struct weir_traffic *traffic)
{
    return (struct weir_minute_row){.minute = minute_of(traffic->time),
                                    .address = traffic->address, .server = server,
                                    .first = traffic->time, .last = traffic->time};
}

static int add(struct weir_minutes *minutes, const struct weir_minute_row *row, uint64_t hash,
               const struct weir_traffic *traffic)
{
    struct place *place = find(minutes, row, hash);

    if (place->row == 0) {
        if (minutes->rows == minutes->most)
            return WEIR_EFULL;
        minutes->row[minutes->rows++] = *row;
        minutes->of_server[row->server % SERVERS]++;
        *place = (struct place){.tag = (uint32_t)(hash >> 32), .row = (uint32_t)minutes->rows};
    }
    sum_up(&minutes->row[place->row - 1], traffic);
    return 0;
}

int weir_minutes_add(struct weir_minutes *minutes, uint32_t server,
                     const struct weir_traffic *traffic)
{
    struct weir_minute_row row = row_of(server, traffic);

    if (minutes->sorted)
        index_again(minutes);
    return add(minutes, &row, hash_of(minutes, &row), traffic);
}

/* Asks for the row that a hash leads to; a wrong one does no harm. */
static void bring_near(const struct weir_minutes *minutes, uint64_t hash)
{
    uint32_t number = minutes->place[(size_t)hash & minutes->mask].row;
    const char *row = (const char *)&minutes->row[number > 0 ? number - 1 : minutes->rows];

    __builtin_prefetch(row, 1);
    __builtin_prefetch(row + sizeof *minutes->row - 1, 1);
}

int weir_minutes_add_all(struct weir_minutes *minutes, uint32_t server,
                         const struct weir_traffic *traffic, size_t count)
{
    struct weir_minute_row row[BLOCK];
    uint64_t hash[BLOCK];

    if (minutes->sorted)
        index_again(minutes);
    for (size_t n; count > 0; traffic += n, count -= n) {
        n = count < BLOCK ? count : BLOCK;
        for (size_t i = 0; i < n; i++) {
            row[i] = row_of(server, &traffic[i]);
            hash[i] = hash_of(minutes, &row[i]);
            __builtin_prefetch(&minutes->place[(size_t)hash[i] & minutes->mask], 1);
        }
        for (size_t i = 0; i < n; i++)
            bring_near(minutes, hash[i]);
        for (size_t i = 0; i < n; i++)
            if (add(minutes, &row[i], hash[i], &traffic[i]) < 0)
                return WEIR_EFULL;
    }
    return 0;
}

size_t weir_minutes_room(const struct weir_minutes *minutes)
{
    return minutes->most - minutes->rows;
}

/* Its rows may be as many as are free then: (rows + n) <= (room - n). */
size_t weir_minutes_share(const struct weir_minutes *minutes, uint32_t server)
{
    size_t room = weir_minutes_room(minutes), rows = minutes->of_server[server % SERVERS];

    return room > rows ? (room - rows) / 2 : 0;
}

static int compare(const void *a, const void *b)
{
    const struct weir_minute_row *left = a, *right = b;
    int order = (left->minute > right->minute) - (left->minute < right->minute);

    if (order == 0)
        order = memcmp(left->address.octet, right->address.octet, sizeof left->address.octet);
    return order != 0 ? order : (left->server > right->server) - (left->server < right->server);
}

const struct weir_minute_row *weir_minutes_rows(struct weir_minutes *minutes, size_t *count_r)
{
    if (!minutes->sorted && minutes->rows > 0) {
        qsort(minutes->row, minutes->rows, sizeof *minutes->row, compare);
        minutes->sorted = true;
    }
    *count_r = minutes->rows;
    return minutes->row;
}

void weir_minutes_clear(struct weir_minutes *minutes)
{
    if (minutes->rows > 0) {
        clear_index(minutes);
        memset(minutes->of_server, 0, SERVERS * sizeof *minutes->of_server);
    }
    minutes->rows = 0;
    minutes->sorted = false;
}
