/*
 * database_rig - a database in a folder of a test's own.
 */
#ifndef WEIR_TESTS_DATABASE_RIG_H
#define WEIR_TESTS_DATABASE_RIG_H

#include "monitor/database/database_impl.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/database/database_traffic_io.h"
#include "tests/unit/scratch.h"

#define DATABASE_NOW (1795000000 * WEIR_SECOND)

struct database_rig {
    struct scratch *scratch;
    char path[256], why[WEIR_DATABASE_WHY];
    struct weir_database *database;
};

int database_setup(void **state);    /* opens it, too */
int database_teardown(void **state);

/* Opens it anew; the result of weir_database_open(). */
int database_open(struct database_rig *rig);

/* A result that has to be this one; else why is told. */
void database_must(const struct database_rig *rig, int result, int wanted);

/* 192.0.<n / 256>.<n % 256>, and a row of it with this many connections. */
struct weir_address database_address(unsigned n);
struct weir_minute_row database_row(unsigned address, int64_t minute, uint32_t server,
                                    uint64_t connections);

/* Stores rows and a position. */
int database_store(struct database_rig *rig, const struct weir_minute_row *row, size_t rows,
                   uint64_t position);

/* Keeps a decision of which its server told nothing but the string: how many are new. */
int database_put_message(struct weir_database *database, const struct weir_info *info);

/* A number that SQL gives. */
int64_t database_number(struct database_rig *rig, const char *sql);

#endif
