/*
 * message_outline - a message's structure in a line, for tests to compare.
 *
 *     "0M2 1P'Hello' 1O-'x'"     depth, media (Plain, Html, Text, Multipart, rfc822 =
 *                                R, Other), "-" for an attachment, how many
 *                                fields if any, body of a leaf
 */
#ifndef WEIR_TESTS_MESSAGE_OUTLINE_H
#define WEIR_TESTS_MESSAGE_OUTLINE_H

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/mail/message.h"

enum { OUTLINE_ROOM = 4096 };

static inline bool outline_is_leaf(const struct weir_message *message, size_t part)
{
    return part + 1 == message->parts || message->part[part + 1].parent != part;
}

static inline const char *outline(const struct weir_message *message, char room[OUTLINE_ROOM])
{
    struct weir_line line = weir_line(room, OUTLINE_ROOM);
    for (size_t i = 0; i < message->parts; i++) {
        const struct weir_part *part = &message->part[i];
        const char media[] = {"PHTMRO"[part->media], '\0'};
        if (i > 0)
            weir_line_text(&line, " ");
        weir_line_count(&line, part->depth);
        weir_line_text(&line, media);
        weir_line_text(&line, part->attachment ? "-" : "");
        if (part->fields > 0)
            weir_line_count(&line, part->fields);
        if (outline_is_leaf(message, i)) {
            weir_line_text(&line, "'");
            weir_line_octets(&line, part->body.at, part->body.len);
            weir_line_text(&line, "'");
        }
    }
    return weir_line_end(&line);
}

/* The names of a message's defects but those of a message without Date, From, Message-ID. */
static inline const char *outline_defects(const struct weir_message *message,
                                          char room[OUTLINE_ROOM])
{
    struct weir_line line = weir_line(room, OUTLINE_ROOM);
    for (int i = 0; i < WEIR_DEFECTS; i++) {
        bool missing = i == WEIR_DEFECT_NO_DATE || i == WEIR_DEFECT_NO_FROM ||
                       i == WEIR_DEFECT_NO_MESSAGE_ID;
        if (missing || !(message->defects >> i & 1))
            continue;
        if (line.at > line.start)
            weir_line_text(&line, " ");
        weir_line_text(&line, weir_defect_name((enum weir_defect)i));
    }
    return weir_line_end(&line);
}

#endif
