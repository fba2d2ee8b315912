/* dialogue_rig - feeds turns and writes down what is told. */
#include "tests/unit/dialogue_rig.h"

#include <stdarg.h>
#include <string.h>

static void say(struct dialogue_rig *rig, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

static void say(struct dialogue_rig *rig, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    int len = vsnprintf(rig->told + rig->len, sizeof(rig->told) - rig->len, format, args);
    va_end(args);
    rig->len += len > 0 ? (size_t)len : 0;
    if (rig->len >= sizeof(rig->told))
        rig->len = sizeof(rig->told) - 1;
}

static void told(void *context, const struct weir_heard *heard,
                 const struct weir_heard_message *m)
{
    struct dialogue_rig *rig = context;

    if (m->index + 1 != heard->messages || m->ended < m->begun ||
        heard->messages != heard->accepted + heard->rejected + heard->unfinished)
        say(rig, "[sums are wrong] ");
    say(rig, "%s %u ", weir_heard_result_name(m->result), m->reply);
    if (m->mail_from_known)
        say(rig, "<%.*s> to ", (int)m->mail_from.len, m->mail_from.at);
    else
        say(rig, "? to ");
    for (size_t i = 0; i < m->rcpt_tos; i++)
        say(rig, "<%.*s> ", (int)m->rcpt_to[i].len, m->rcpt_to[i].at);
    say(rig, "%u+%u %" PRIu64 "%s%s\n", m->recipients_accepted, m->recipients_rejected, m->bytes,
        m->estimate ? " estimate" : "", m->gap ? " gap" : "");
}

struct weir_dialogue_options dialogue_options(void)
{
    return (struct weir_dialogue_options){.name_addresses = true};
}

void dialogue_rig_open(struct dialogue_rig *rig, struct weir_dialogue_options options)
{
    struct weir_dialogue_handler handler = {.context = rig, .message = told};

    *rig = (struct dialogue_rig){.now = WEIR_SECOND};
    rig->dialogue = weir_dialogue_new(&options, &handler);
}

void dialogue_rig_close(struct dialogue_rig *rig)
{
    weir_dialogue_free(&rig->dialogue);
}

static enum weir_side side_of(char side)
{
    return side == 'C' ? WEIR_SIDE_CLIENT : WEIR_SIDE_SERVER;
}

/* Each piece in memory of its own, so that sanitizers see one octet too far. */
void dialogue_rig_octets(struct dialogue_rig *rig, char side, const void *octets, size_t len)
{
    char *own = malloc(len ? len : 1);

    memcpy(own, octets, len);
    weir_dialogue_octets(rig->dialogue, rig->now++, side_of(side), (struct weir_slice){own, len});
    free(own);
}

void dialogue_rig_gap(struct dialogue_rig *rig, char side, uint64_t len)
{
    weir_dialogue_gap(rig->dialogue, rig->now++, side_of(side), len);
}

void dialogue_rig_turn(struct dialogue_rig *rig, const struct turn *turn, int cut,
                       struct seeded *seeded)
{
    size_t len = strlen(turn->text);

    if (turn->side == 'F') {
        weir_dialogue_forged(rig->dialogue, rig->now++, len);
        return;
    }
    for (size_t at = 0; at < len;) {
        size_t piece = cut == DIALOGUE_WHOLE    ? len
                       : cut == DIALOGUE_OCTETS ? 1
                                                : 1 + seeded_below(seeded, 40);
        if (piece > len - at)
            piece = len - at;
        dialogue_rig_octets(rig, turn->side, turn->text + at, piece);
        at += piece;
    }
}

void dialogue_rig_turns(struct dialogue_rig *rig, const struct turn *turns)
{
    for (; turns->side; turns++)
        dialogue_rig_turn(rig, turns, DIALOGUE_WHOLE, NULL);
}

struct weir_heard dialogue_hear(struct dialogue_rig *rig, struct weir_dialogue_options options,
                                const struct turn *turns, int cut, struct seeded *seeded)
{
    dialogue_rig_open(rig, options);
    for (; turns->side; turns++)
        dialogue_rig_turn(rig, turns, cut, seeded);
    weir_dialogue_end(rig->dialogue, rig->now);
    struct weir_heard heard = *weir_dialogue_heard(rig->dialogue);
    dialogue_rig_close(rig);
    return heard;
}
