/*
 * caught - rows of an array that is sorted twice: by prefix, to bring together what belongs
 * together and to find it, and by how often it was caught, to show it.
 */
#include "monitor/threshold/caught.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/grown.h"

int weir_caught_add(struct weir_caught *caught, const struct weir_prefix *prefix,
                        weir_time time, enum weir_quantity quantity, bool sure, bool spared)
{
    struct weir_caught_row *more;

    if (caught->count == WEIR_CAUGHT_EVENTS_MAX)
        return WEIR_ELIMIT;
    more = weir_grown(caught->row, caught->count, &caught->room, sizeof *more);
    if (!more)
        return WEIR_ENOMEM;
    caught->row = more;
    caught->row[caught->count++] = (struct weir_caught_row){
        .prefix = *prefix, .spared = spared, .sure = sure, .perhaps = !sure,
        .quantities = 1u << quantity, .first = time, .last = time};
    return 0;
}

static int by_prefix(const void *a, const void *b)
{
    const struct weir_prefix *one = a, *other = b; /* a row begins with its prefix */
    int order = memcmp(&one->address, &other->address, sizeof one->address);

    return order != 0 ? order : (int)one->bits - (int)other->bits;
}

static void join(struct weir_caught_row *row, const struct weir_caught_row *more)
{
    row->spared |= more->spared;
    row->sure += more->sure;
    row->perhaps += more->perhaps;
    row->quantities |= more->quantities;
    row->first = more->first < row->first ? more->first : row->first;
    row->last = more->last > row->last ? more->last : row->last;
}

void weir_caught_close(struct weir_caught *caught)
{
    size_t kept = 0;

    if (caught->count == 0)
        return;
    qsort(caught->row, caught->count, sizeof *caught->row, by_prefix);
    for (size_t i = 1; i < caught->count; i++) {
        if (by_prefix(&caught->row[kept], &caught->row[i]) == 0)
            join(&caught->row[kept], &caught->row[i]);
        else
            caught->row[++kept] = caught->row[i];
    }
    caught->count = kept + 1;
}

void weir_caught_traffic(struct weir_caught *caught, const struct weir_minute_row *minute)
{
    static const unsigned ipv4[] = {128, 120}, ipv6[] = {64, 56, 48};
    bool is_ipv4 = weir_address_is_ipv4(&minute->address);
    size_t levels = is_ipv4 ? 2 : 3;

    for (size_t level = 0; level < levels && caught->count > 0; level++) {
        struct weir_prefix prefix =
            weir_address_mask(&minute->address, is_ipv4 ? ipv4[level] : ipv6[level]);
        struct weir_caught_row *row =
            bsearch(&prefix, caught->row, caught->count, sizeof *row, by_prefix);
        for (size_t i = 0; row && i < WEIR_TRAFFIC_QUANTITIES; i++)
            row->sum[i] += minute->sum[i];
    }
}

static int by_times(const void *a, const void *b)
{
    const struct weir_caught_row *one = a, *other = b;

    if ((one->sure > 0) != (other->sure > 0))
        return one->sure > 0 ? -1 : 1;
    if (one->sure != other->sure)
        return one->sure > other->sure ? -1 : 1;
    if (one->perhaps != other->perhaps)
        return one->perhaps > other->perhaps ? -1 : 1;
    return by_prefix(one, other);
}

void weir_caught_sort(struct weir_caught *caught)
{
    if (caught->count > 0)
        qsort(caught->row, caught->count, sizeof *caught->row, by_times);
}

/* messages and accepted, as struct weir_traffic has them */
bool weir_caught_mostly_accepted(const struct weir_caught_row *row)
{
    return 2 * row->sum[3] > row->sum[2];
}

void weir_caught_free(struct weir_caught *caught)
{
    free(caught->row);
    *caught = (struct weir_caught){0};
}
