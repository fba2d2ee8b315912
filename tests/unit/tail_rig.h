/*
 * A spool's folder and an agent's tail of it, with what the tests of it do to both.
 */
#ifndef WEIR_TESTS_TAIL_RIG_H
#define WEIR_TESTS_TAIL_RIG_H

#include "monitor/agent/tail_io.h"
#include "tests/unit/scratch.h"

struct rig {
    struct scratch *scratch;
    struct weir_tail *tail;
    struct weir_tail_piece piece;
    unsigned logged;
    struct weir_log log;
};

static inline void count_line(void *context, enum weir_log_level level, const char *line)
{
    struct rig *rig = context;

    (void)level, (void)line;
    rig->logged++;
}

static inline void open_tail(struct rig *rig)
{
    weir_tail_free(&rig->tail);
    assert_int_equal(weir_tail_open(rig->scratch->directory, &rig->log, &rig->tail), 0);
}

static inline int setup(void **state)
{
    struct rig *rig = calloc(1, sizeof *rig);

    rig->scratch = scratch_new();
    rig->log = (struct weir_log){.write = count_line, .context = rig, .most = WEIR_LOG_DEBUG};
    open_tail(rig);
    *state = rig;
    return 0;
}

static inline int teardown(void **state)
{
    struct rig *rig = *state;

    weir_tail_free(&rig->tail);
    weir_tail_free(&rig->tail);
    scratch_free(rig->scratch);
    free(rig);
    return 0;
}

static inline void append(struct rig *rig, const char *name, const char *text)
{
    FILE *file = fopen(scratch_path(rig->scratch, name), "a");

    assert_non_null(file);
    assert_true(fputs(text, file) >= 0);
    assert_int_equal(fclose(file), 0);
}

static inline void move(struct rig *rig, const char *from, const char *to)
{
    char old[256];

    strcpy(old, scratch_path(rig->scratch, from));
    assert_int_equal(rename(old, scratch_path(rig->scratch, to)), 0);
}

static inline bool is_there(struct rig *rig, const char *name)
{
    return access(scratch_path(rig->scratch, name), F_OK) == 0;
}

static inline bool next(struct rig *rig)
{
    assert_int_equal(weir_tail_look(rig->tail), 0);
    return weir_tail_next(rig->tail, &rig->piece) == 1;
}

static inline void must_be(struct rig *rig, const char *text, uint64_t offset)
{
    if (!next(rig))
        fail_msg("nothing instead of %s", text);
    assert_int_equal(rig->piece.octets.len, strlen(text));
    assert_memory_equal(rig->piece.octets.at, text, strlen(text));
    assert_int_equal(rig->piece.offset, offset);
}

static inline void done(struct rig *rig)
{
    char stream[WEIR_STREAM_TEXT];

    strcpy(stream, rig->piece.stream);
    weir_tail_done(rig->tail, stream, rig->piece.offset + rig->piece.octets.len);
}

#endif
