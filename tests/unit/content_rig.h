/*
 * content_rig - reads the texts of a message and shows an area in a line, for tests:
 * "|" between its lines, "$" for a line end.
 */
#ifndef WEIR_TESTS_CONTENT_RIG_H
#define WEIR_TESTS_CONTENT_RIG_H

#include <string.h>

#include "core/base/error.h"
#include "core/mail/content.h"

enum { CONTENT_RIG_ROOM = 1 << 16 };

struct content_rig {
    struct weir_arena *arena;
    struct weir_charsets *charsets;
    struct weir_message message;
    struct weir_content content;
    char shown[CONTENT_RIG_ROOM];
};

struct content_case {
    const char *text, *want;
};

static inline int content_rig_up(void **state)
{
    static struct content_rig rig;
    rig.arena = weir_arena_new(1 << 16);
    *state = &rig;
    return rig.arena && weir_charsets_new(&rig.charsets) == 0 ? 0 : -1;
}

static inline int content_rig_down(void **state)
{
    struct content_rig *rig = *state;
    weir_charsets_free(&rig->charsets);
    weir_arena_free(&rig->arena);
    return 0;
}

static inline void content_rig_parse(struct content_rig *rig, const char *text, size_t len)
{
    weir_arena_reset(rig->arena, SIZE_MAX);
    assert_int_equal(weir_message_parse(text, len, rig->arena, &rig->message), 0);
}

static inline void content_rig_read(struct content_rig *rig, const char *text, size_t len)
{
    content_rig_parse(rig, text, len);
    assert_int_equal(weir_content_read(&rig->message, rig->charsets, rig->arena, &rig->content), 0);
}

static inline const char *content_rig_lines(struct content_rig *rig, const char *text, size_t len,
                                            enum weir_area_kind kind)
{
    struct weir_line line = weir_line(rig->shown, sizeof(rig->shown));
    content_rig_read(rig, text, len);
    const struct weir_area *area = &rig->content.area[kind];
    for (size_t i = 0; i < area->lines; i++) {
        struct weir_slice shown = weir_area_line(area, i);
        if (i > 0)
            weir_line_text(&line, "|");
        for (size_t at = 0; at < shown.len; at++)
            weir_line_octets(&line, shown.at[at] == '\n' ? "$" : shown.at + at, 1);
    }
    return weir_line_end(&line);
}

#endif
