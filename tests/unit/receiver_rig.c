/*
 * receiver_rig - lines of one server's stream, a hundredth of a second apart.
 */
#include "tests/unit/receiver_rig.h"

#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "core/base/slice.h"

static void write_text(struct receiver_rig *rig)
{
    char *at = rig->text = malloc(LINES * WEIR_TRAFFIC_LINE_ROOM);

    for (unsigned i = 0; i < LINES; i++) {
        struct weir_traffic line = {.time = DATABASE_NOW - (LINES - i) * WEIR_SECOND / 100,
                                    .address = database_address(i % ADDRESSES),
                                    .connections = 1, .messages = i % 3};

        rig->at[i] = (size_t)(at - rig->text);
        at += strlen(weir_traffic_line_write(&line, at));
        *at++ = '\n';
    }
    rig->at[LINES] = (size_t)(at - rig->text);
}

void receiver_open(struct receiver_rig *rig)
{
    weir_receiver_free(&rig->receiver);
    database_must(rig->database, database_open(rig->database), 0);
    rig->options.database = rig->database->database;
    rig->options.watch = rig->watched.watch;
    rig->options.journal = rig->journal->directory;
    assert_int_equal(weir_receiver_open(&rig->options, &rig->log, &rig->receiver), 0);
}

int receiver_setup(void **state)
{
    static const struct weir_watch_class everybody = {
        .name = "default", .limits = {{[WEIR_QUANTITY_CONNECTIONS] = {0, 1e6}}}};
    struct receiver_rig *rig = calloc(1, sizeof *rig);

    assert_int_equal(database_setup((void **)&rig->database), 0);
    rig->journal = scratch_new();
    watched_open(&rig->watched, &everybody, 1, NULL);
    rig->options = (struct weir_receiver_options){.rows = 10000, .key = {{3}}};
    write_text(rig);
    receiver_open(rig);
    *state = rig;
    return 0;
}

int receiver_teardown(void **state)
{
    struct receiver_rig *rig = *state;

    weir_receiver_free(&rig->receiver);
    weir_receiver_free(&rig->receiver);
    watched_close(&rig->watched);
    database_teardown((void **)&rig->database);
    scratch_free(rig->journal);
    free(rig->text);
    free(rig);
    return 0;
}

enum weir_taken receiver_take(struct receiver_rig *rig, size_t from, size_t to, uint64_t *offset_r)
{
    return weir_receiver_take(rig->receiver, 1, STREAM, rig->at[from],
                              weir_slice_between(rig->text + rig->at[from],
                                                 rig->text + rig->at[to]),
                              DATABASE_NOW, offset_r);
}

void receiver_must_take(struct receiver_rig *rig, size_t from, size_t to, enum weir_taken wanted,
                      size_t then)
{
    uint64_t offset = 0;

    assert_int_equal(receiver_take(rig, from, to, &offset), wanted);
    assert_int_equal(offset, rig->at[then]);
}

void receiver_must_be_stored(struct receiver_rig *rig, size_t lines)
{
    struct weir_address_row row;
    uint64_t messages = 0;

    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    database_must(rig->database, weir_receiver_store(rig->receiver), 0);
    for (size_t i = 0; i < lines; i++)
        messages += i % 3;
    assert_int_equal(database_number(rig->database, "SELECT sum(connections) FROM minutes"),
                     lines);
    assert_int_equal(database_number(rig->database, "SELECT sum(messages) FROM minutes"),
                     messages);
    for (unsigned i = 0; i < ADDRESSES; i++) {
        struct weir_address address = database_address(i);

        row.sum[0] = 0;
        assert_int_equal(weir_database_address(rig->database->database, &address, &row), lines > i);
        assert_int_equal(row.sum[0], (lines + ADDRESSES - 1 - i) / ADDRESSES);
    }
}
