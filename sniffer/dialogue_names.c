/*
 * dialogue_names - records of a use, a length and a text, one behind the other.
 *
 *     first          border             end            room
 *       | of the message | of waiting ones |              |
 *
 * Room in front is used again when the end is reached.  Recipients beyond the limit are left
 * out when the message is told; NAMES_MAX bounds what is kept until then.
 */
#include "sniffer/dialogue_names.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"

enum { HEAD = 4, FIRST_ROOM = 512 };

_Static_assert(WEIR_MAILBOX_MAX <= UINT16_MAX, "lengths have two octets");

void weir_names_free(struct weir_names *names)
{
    free(names->text);
    *names = (struct weir_names){0};
}

/* Room for len more octets. */
static bool make_room(struct weir_names *names, uint32_t len)
{
    uint32_t used = names->end - names->first, room = names->room ? names->room : FIRST_ROOM;

    if (names->end + len <= names->room)
        return true;
    if (used + len > WEIR_DIALOGUE_NAMES_MAX)
        return false;
    while (room < used + len)
        room *= 2;
    if (names->first > 0) {
        memmove(names->text, names->text + names->first, used);
        names->border -= names->first;
        names->end -= names->first;
        names->first = 0;
    }
    if (room > names->room) {
        char *more = realloc(names->text, room);
        if (!more)
            return false;
        names->text = more;
        names->room = room;
    }
    return true;
}

void weir_names_say(struct weir_names *names, bool has_name, struct weir_slice name)
{
    if (!has_name)
        name.len = 0;
    if (names->unnamed > 0 || name.len > WEIR_MAILBOX_MAX ||
        !make_room(names, HEAD + (uint32_t)name.len)) {
        names->unnamed += names->unnamed < UINT32_MAX;
        return;
    }
    char *at = names->text + names->end;
    at[0] = (char)WEIR_NAME_NOBODY;
    at[1] = (char)has_name;
    at[2] = (char)(name.len >> 8);
    at[3] = (char)name.len;
    if (name.len > 0)
        memcpy(at + HEAD, name.at, name.len);
    names->end += HEAD + (uint32_t)name.len;
}

static struct weir_slice name_at(const struct weir_names *names, uint32_t place)
{
    const uint8_t *head = (const uint8_t *)names->text + place;

    return (struct weir_slice){names->text + place + HEAD, (size_t)(head[2] << 8 | head[3])};
}

void weir_names_use(struct weir_names *names, enum weir_name_use use)
{
    if (names->border == names->end) {
        names->unnamed -= names->unnamed > 0;
        return;
    }
    names->text[names->border] = (char)use;
    names->border += HEAD + (uint32_t)name_at(names, names->border).len;
}

void weir_names_forget(struct weir_names *names)
{
    names->first = names->border;
    if (names->first == names->end)
        names->first = names->border = names->end = 0;
}

void weir_names_forget_waiting(struct weir_names *names)
{
    names->end = names->border;
    names->unnamed = 0;
}

bool weir_names_sender(const struct weir_names *names, struct weir_slice *sender_r)
{
    *sender_r = (struct weir_slice){"", 0};
    for (uint32_t at = names->first; at < names->border;) {
        struct weir_slice name = name_at(names, at);

        if (names->text[at] == (char)WEIR_NAME_SENDER && names->text[at + 1]) {
            *sender_r = name;
            return true;
        }
        at += HEAD + (uint32_t)name.len;
    }
    return false;
}

size_t weir_names_recipients(const struct weir_names *names, struct weir_slice *room, size_t most)
{
    size_t count = 0;

    for (uint32_t at = names->first; at < names->border && count < most;) {
        struct weir_slice name = name_at(names, at);

        if (names->text[at] == (char)WEIR_NAME_RECIPIENT && names->text[at + 1])
            room[count++] = name;
        at += HEAD + (uint32_t)name.len;
    }
    return count;
}
