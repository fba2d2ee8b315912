/*
 * storing - pieces end between two addresses, because the database sums up an address's rows.
 */
#include "monitor/intake/storing_io.h"

#include <string.h>

#define REST 4 /* as many times as long as storing took, it is let be after it */

static bool same_address(const struct weir_minute_row *a, const struct weir_minute_row *b)
{
    return a->minute == b->minute && weir_address_equal(&a->address, &b->address);
}

/* Whether a row was stored before the kill. */
static bool is_there(const struct weir_minute_row *row, const struct weir_database_progress *there)
{
    if (row->minute != there->minute)
        return row->minute < there->minute;
    return memcmp(row->address.octet, there->address.octet, sizeof row->address.octet) <= 0;
}

static int begin(struct weir_storing *storing, struct weir_database *database,
                 struct weir_minutes *minutes, uint64_t position)
{
    struct weir_database_progress there;
    int done = weir_database_progress(database, &there);

    if (done < 0)
        return done;
    storing->row = weir_minutes_rows(minutes, &storing->rows);
    storing->at = 0;
    if (!storing->passed && there.position > 0 && position <= there.position)
        while (storing->at < storing->rows && is_there(&storing->row[storing->at], &there))
            storing->at++;
    storing->begun = true;
    storing->took = 0;
    return 0;
}

int weir_storing_piece(struct weir_storing *storing, struct weir_database *database,
                       struct weir_minutes *minutes, const struct weir_database_batch *batch,
                       size_t most)
{
    const struct weir_clock steady = weir_clock_steady();
    weir_time begun = weir_clock_now(&steady);
    struct weir_database_batch piece = *batch;
    size_t end;
    int done = storing->begun ? 0 : begin(storing, database, minutes, batch->position);

    if (done < 0)
        return done;
    end = most == 0 || storing->rows - storing->at <= most ? storing->rows : storing->at + most;
    while (end < storing->rows && same_address(&storing->row[end - 1], &storing->row[end]))
        end++;
    piece.row = storing->row + storing->at;
    piece.rows = end - storing->at;
    piece.partly = end < storing->rows;
    done = weir_database_traffic(database, &piece);
    storing->rested = weir_clock_now(&steady);
    storing->took += storing->rested - begun;
    if (done < 0)
        return done;
    storing->at = end;
    storing->piece = piece.rows;
    storing->begun = piece.partly;
    return piece.partly;
}

bool weir_storing_due(const struct weir_storing *storing, size_t rows, size_t room)
{
    const struct weir_clock steady = weir_clock_steady();

    return storing->begun || rows <= WEIR_STORING_FEW || rows > room / 3 * 2 ||
           weir_clock_now(&steady) - storing->rested >= REST * storing->took;
}
