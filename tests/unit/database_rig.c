/*
 * database_rig - see its header.  Numbers are asked with statements of their own, which do
 * not stay in the handle.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "tests/unit/database_rig.h"

int database_open(struct database_rig *rig)
{
    struct weir_database_options options = {.path = rig->path};

    weir_database_free(&rig->database);
    return weir_database_open(&options, rig->why, &rig->database);
}

void database_must(const struct database_rig *rig, int result, int wanted)
{
    if (result != wanted)
        fail_msg("%d instead of %d: %s", result, wanted,
                 rig->database ? weir_database_why(rig->database) : rig->why);
}

int database_setup(void **state)
{
    struct database_rig *rig = calloc(1, sizeof *rig);

    rig->scratch = scratch_new();
    strcpy(rig->path, scratch_path(rig->scratch, "spam.db"));
    *state = rig;
    database_must(rig, database_open(rig), 0);
    return 0;
}

int database_teardown(void **state)
{
    struct database_rig *rig = *state;

    weir_database_free(&rig->database);
    weir_database_free(&rig->database);
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

struct weir_address database_address(unsigned n)
{
    struct weir_address address;

    weir_address_parse("192.0.0.0", 9, &address);
    address.octet[14] = (uint8_t)(n >> 8);
    address.octet[15] = (uint8_t)n;
    return address;
}

struct weir_minute_row database_row(unsigned address, int64_t minute, uint32_t server,
                                    uint64_t connections)
{
    return (struct weir_minute_row){.minute = minute, .address = database_address(address),
                                    .server = server, .first = minute * WEIR_MINUTE + 1,
                                    .last = minute * WEIR_MINUTE + 2, .sum = {connections}};
}

int database_store(struct database_rig *rig, const struct weir_minute_row *row, size_t rows,
                   uint64_t position)
{
    struct weir_database_batch batch = {.row = row, .rows = rows, .position = position};

    return weir_database_traffic(rig->database, &batch);
}

int database_put_message(struct weir_database *database, const struct weir_info *info)
{
    const struct weir_record record = {*info, weir_record_beside_nothing(), false};

    return weir_database_messages_put(database, &record, 1, 1000, DATABASE_NOW);
}

int64_t database_number(struct database_rig *rig, const char *sql)
{
    sqlite3_stmt *statement = NULL;
    int64_t number;

    assert_int_equal(sqlite3_prepare_v2(rig->database->sqlite, sql, -1, &statement, NULL), 0);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    number = sqlite3_column_int64(statement, 0);
    sqlite3_finalize(statement);
    return number;
}
