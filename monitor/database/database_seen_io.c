/*
 * The table of numbers: each row has a thousand of them, of eight octets, the lowest first; only
 * the newest row is not full, and is written anew as it fills.
 */
#include "monitor/database/database_seen_io.h"

#include <endian.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define ROW WEIR_DATABASE_SEEN_ROW
#define ROWS_MOST (WEIR_HITS_SEEN_MAX / ROW + 1) /* the newest may have but one */

struct numbers {
    int64_t row;
    size_t count;
    uint64_t number[ROW]; /* as they are stored */
};

static int take_row(struct weir_query *q, struct numbers *numbers_r)
{
    struct weir_slice octets;

    numbers_r->row = weir_column_number(q);
    octets = weir_column_slice(q);
    if (octets.len > sizeof numbers_r->number || octets.len % sizeof(uint64_t) != 0)
        return WEIR_ECORRUPT;
    numbers_r->count = octets.len / sizeof(uint64_t);
    if (octets.len > 0)
        memcpy(numbers_r->number, octets.at, octets.len);
    return 0;
}

/* The newest row; an empty one when there is none, or it is full. */
static int read_newest(struct weir_database *database, struct numbers *numbers_r)
{
    struct weir_query q = weir_query(database, "SELECT number, decisions FROM seen_decisions "
                                     "ORDER BY number DESC LIMIT 1");
    int rc = 0, ended;

    numbers_r->row = 0;
    numbers_r->count = ROW;
    if (weir_query_row(&q) == 1)
        rc = take_row(&q, numbers_r);
    if (numbers_r->count == ROW)
        *numbers_r = (struct numbers){.row = numbers_r->row + 1};
    ended = weir_query_end(&q);
    return rc < 0 ? rc : ended;
}

static int write_row(struct weir_database *database, const struct numbers *numbers)
{
    struct weir_query q = weir_query(database, "INSERT OR REPLACE INTO seen_decisions "
                                     "(number, decisions) VALUES (?, ?)");

    weir_bind_number(&q, numbers->row);
    weir_bind_octets(&q, numbers->number, numbers->count * sizeof numbers->number[0]);
    return weir_query_run(&q);
}

static int forget(struct weir_database *database, int64_t newest)
{
    struct weir_query q = weir_query(database, "DELETE FROM seen_decisions WHERE number <= ?");

    weir_bind_number(&q, newest - ROWS_MOST);
    return weir_query_run(&q);
}

static int put(struct weir_database *database, const uint64_t *number, size_t count)
{
    struct numbers numbers;
    int64_t written = 0;
    int rc = read_newest(database, &numbers);

    for (size_t i = 0; rc == 0 && i < count; i++) {
        numbers.number[numbers.count++] = htole64(number[i]);
        if (numbers.count < ROW && i + 1 < count)
            continue;
        rc = write_row(database, &numbers);
        written = numbers.row;
        if (numbers.count == ROW)
            numbers = (struct numbers){.row = numbers.row + 1};
    }
    return rc < 0 ? rc : forget(database, written);
}

int weir_database_seen_put(struct weir_database *database, const uint64_t *number, size_t count)
{
    bool own;
    int rc;

    if (count == 0)
        return 0;
    rc = weir_change_begin(database, &own);
    return rc < 0 ? rc : weir_change_end(database, own, put(database, number, count));
}

int weir_database_seen(struct weir_database *database,
                       int (*row)(void *context, const uint64_t *number, size_t count),
                       void *context)
{
    struct weir_query q = weir_query(database, "SELECT number, decisions FROM seen_decisions "
                                     "ORDER BY number");
    int calls = 0, stop = 0;

    while (stop == 0 && weir_query_row(&q) == 1) {
        struct numbers numbers;

        stop = take_row(&q, &numbers);
        for (size_t i = 0; stop == 0 && i < numbers.count; i++)
            numbers.number[i] = le64toh(numbers.number[i]);
        if (stop == 0)
            stop = row(context, numbers.number, numbers.count);
        calls++;
    }
    return weir_query_told(&q, stop, calls);
}
