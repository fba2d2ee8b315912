/*
 * remote - writes and reads questions and answers about whole messages.
 *
 * Both are lines "name=value" up to an empty one.  A value is escaped where it would end
 * its line; everything else stands as it is, since a message's sender may hold any octet.
 * Nothing here trusts the other side: an answer whose header fields could break a message apart
 * (a line of theirs that is no continuation, a name that is none) is refused whole.
 */
#include "core/engine/remote.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"

static const char question_line[] = "weir-decide 1\n";
static const char answer_line[] = "weir-outcome 1\n";

/* writing ---------------------------------------------------------------- */

static void write_value(struct weir_line *out, struct weir_slice value)
{
    static const char special[] = "\n\r\t\\", letter[] = "nrt\\";
    size_t from = 0;

    for (size_t i = 0; i < value.len; i++) {
        const char *found = memchr(special, value.at[i], sizeof special); /* NUL, too */

        if (!found)
            continue;
        if (!*found) {
            out->cut = true; /* it cannot be said */
            continue;
        }
        weir_line_octets(out, value.at + from, i - from);
        weir_line_octets(out, (const char[]){'\\', letter[found - special]}, 2);
        from = i + 1;
    }
    if (value.len > from)
        weir_line_octets(out, value.at + from, value.len - from);
}

static void write_named(struct weir_line *out, const char *name, struct weir_slice value)
{
    weir_line_text(out, name);
    weir_line_text(out, "=");
    write_value(out, value);
    weir_line_text(out, "\n");
}

static void write_known(struct weir_line *out, const char *name, struct weir_slice value)
{
    if (value.len > 0)
        write_named(out, name, value);
}

void weir_remote_question(const struct weir_mail *mail, struct weir_line *out)
{
    const struct weir_envelope *envelope = &mail->envelope;
    char client[WEIR_ADDRESS_TEXT];

    weir_line_text(out, question_line);
    if (envelope->has_client)
        write_named(out, "client", weir_slice_of(weir_address_format(&envelope->client, client)));
    write_known(out, "client_name", envelope->client_name);
    write_known(out, "helo", envelope->helo);
    write_named(out, "sender", envelope->sender);
    for (size_t i = 0; i < mail->recipients && i < WEIR_RECIPIENTS_MAX; i++)
        write_named(out, "recipient", mail->recipient[i]);
    write_known(out, "queue_id", envelope->queue_id);
    write_known(out, "listener", mail->listener);
    if (envelope->authenticated)
        weir_line_text(out, "authenticated=1\n");
    weir_line_text(out, "size=");
    weir_line_count(out, mail->message.len);
    weir_line_text(out, "\n\n");
}

void weir_remote_answer(const struct weir_outcome *outcome, struct weir_line *out)
{
    weir_line_text(out, answer_line);
    write_named(out, "verdict", weir_slice_of(weir_verdict_name(outcome->verdict)));
    write_named(out, "action", weir_slice_of(weir_action_name(outcome->action)));
    weir_line_text(out, "score=");
    weir_line_number(out, outcome->score, 6);
    weir_line_text(out, "\n");
    write_known(out, "reply", weir_slice_of(outcome->reply));
    for (size_t i = 0; i < outcome->removes; i++)
        write_named(out, "remove", weir_slice_of(outcome->remove[i]));
    for (size_t i = 0; i < outcome->adds; i++) {
        weir_line_text(out, "add=");
        write_value(out, weir_slice_of(outcome->add[i].name));
        weir_line_text(out, ": ");
        write_value(out, weir_slice_of(outcome->add[i].value));
        weir_line_text(out, "\n");
    }
    write_known(out, "info", weir_slice_of(outcome->info));
    write_known(out, "log", weir_slice_of(outcome->log));
    weir_line_text(out, "\n");
}

/* reading ---------------------------------------------------------------- */

/* Lines that are taken off one by one. */
struct lines {
    const char *at, *end; /* up to the empty line */
    struct weir_arena *arena;
};

/* Finds the empty line and passes over the first one.  1 with *head_r, the octets up to behind
 * the empty line; else as the header says. */
static int begin(struct lines *lines, const char *octets, size_t len, size_t most,
                 const char *first, size_t *head_r)
{
    size_t seen = len < most ? len : most, named = strlen(first);
    const char *empty = memmem(octets, seen, "\n\n", 2);

    if (memcmp(octets, first, named < seen ? named : seen) != 0)
        return WEIR_EINVAL;
    if (!empty)
        return len >= most ? WEIR_ELIMIT : 0;
    if (memchr(octets, '\0', (size_t)(empty - octets)))
        return WEIR_EINVAL;
    lines->end = empty + 1;
    lines->at = octets + named;
    *head_r = (size_t)(empty - octets) + 2;
    return 1;
}

/* The octet that a letter behind a backslash stands for; NUL for none. */
static char unescaped(char letter)
{
    static const char letters[] = "nrt\\", special[] = "\n\r\t\\";
    const char *found = letter ? strchr(letters, letter) : NULL;

    return found ? special[found - letters] : '\0';
}

/* A value as it was, with a NUL behind it.  0, WEIR_EINVAL, WEIR_ENOMEM. */
static int read_value(struct weir_arena *arena, const char *at, size_t len,
                      struct weir_slice *value_r)
{
    char *text = weir_arena_copy(arena, at, len), *to;

    if (!text)
        return WEIR_ENOMEM;
    to = text;
    for (size_t i = 0; i < len; i++) {
        char octet = text[i];

        if (octet == '\\')
            octet = i + 1 < len ? unescaped(text[++i]) : '\0';
        if (!octet)
            return WEIR_EINVAL;
        *to++ = octet;
    }
    *to = '\0';
    *value_r = (struct weir_slice){text, (size_t)(to - text)};
    return 0;
}

/* The next "name=value".  1, 0 at the end, or an error. */
static int next_line(struct lines *lines, struct weir_slice *name_r, struct weir_slice *value_r)
{
    const char *feed, *equals;
    int done;

    if (lines->at >= lines->end)
        return 0;
    feed = memchr(lines->at, '\n', (size_t)(lines->end - lines->at));
    equals = feed ? memchr(lines->at, '=', (size_t)(feed - lines->at)) : NULL;
    if (!equals)
        return WEIR_EINVAL;
    *name_r = (struct weir_slice){lines->at, (size_t)(equals - lines->at)};
    done = read_value(lines->arena, equals + 1, (size_t)(feed - equals - 1), value_r);
    lines->at = feed + 1;
    return done < 0 ? done : 1;
}

static bool is(struct weir_slice slice, const char *text)
{
    return slice.len == strlen(text) && memcmp(slice.at, text, slice.len) == 0;
}

/* Digits and nothing else, at most most. */
static int read_count(struct weir_slice value, size_t most, size_t *count_r)
{
    size_t count = 0;

    if (value.len == 0)
        return WEIR_EINVAL;
    for (size_t i = 0; i < value.len; i++) {
        if (value.at[i] < '0' || value.at[i] > '9')
            return WEIR_EINVAL;
        count = 10 * count + (size_t)(value.at[i] - '0');
        if (count > most)
            return WEIR_ELIMIT;
    }
    *count_r = count;
    return 0;
}

/* A question while it is read. */
struct question {
    struct weir_mail *mail;
    struct weir_slice *recipient;
    size_t size;
    bool sized;
};

static int note_recipient(struct question *question, struct weir_slice value)
{
    struct weir_mail *mail = question->mail;

    if (mail->recipients == WEIR_RECIPIENTS_MAX)
        return WEIR_ELIMIT;
    if (mail->recipients == 0)
        mail->envelope.recipient = value;
    question->recipient[mail->recipients++] = value;
    return 0;
}

static int note_client(struct question *question, struct weir_slice value)
{
    question->mail->envelope.has_client = true;
    return weir_address_parse(value.at, value.len, &question->mail->envelope.client);
}

static int note_asked(struct question *question, struct weir_slice name, struct weir_slice value)
{
    struct weir_envelope *envelope = &question->mail->envelope;

    if (is(name, "client"))
        return note_client(question, value);
    if (is(name, "recipient"))
        return note_recipient(question, value);
    if (is(name, "size")) {
        question->sized = true;
        return read_count(value, WEIR_MESSAGE_MAX, &question->size);
    }
    if (is(name, "client_name"))
        envelope->client_name = value;
    else if (is(name, "helo"))
        envelope->helo = value;
    else if (is(name, "sender"))
        envelope->sender = value;
    else if (is(name, "queue_id"))
        envelope->queue_id = value;
    else if (is(name, "listener"))
        question->mail->listener = value;
    else if (is(name, "authenticated"))
        envelope->authenticated = is(value, "1");
    return 0;
}

int weir_remote_read_question(const char *octets, size_t len, struct weir_arena *arena,
                              struct weir_mail *mail_r, size_t *head_r, size_t *size_r)
{
    struct lines lines = {.arena = arena};
    struct question question = {.mail = mail_r};
    struct weir_slice name, value;
    int done = begin(&lines, octets, len, WEIR_REMOTE_HEAD_MAX, question_line, head_r);

    if (done <= 0)
        return done;
    *mail_r = (struct weir_mail){.envelope = {.stage = WEIR_STAGE_END}};
    question.recipient = weir_arena_zero(arena, WEIR_RECIPIENTS_MAX, sizeof *question.recipient);
    if (!question.recipient)
        return WEIR_ENOMEM;
    mail_r->recipient = question.recipient;
    while ((done = next_line(&lines, &name, &value)) > 0)
        if ((done = note_asked(&question, name, value)) < 0)
            break;
    if (done < 0)
        return done;
    *size_r = question.size;
    return question.sized ? 1 : WEIR_EINVAL;
}

/* An answer while it is read. */
struct answer {
    struct weir_outcome *outcome;
    bool verdict, action, score;
};

/* Which of names it is, or -1. */
static int one_of(struct weir_slice value, const char *(*name)(int), int names)
{
    for (int i = 0; i < names; i++)
        if (is(value, name(i)))
            return i;
    return -1;
}

static const char *verdict_name(int verdict)
{
    return weir_verdict_name((enum weir_verdict)verdict);
}

static const char *action_name(int action)
{
    return weir_action_name((enum weir_action)action);
}

static int note_verdict(struct answer *answer, struct weir_slice value)
{
    int found = one_of(value, verdict_name, WEIR_BLOCKED + 1);

    answer->verdict = found >= 0;
    answer->outcome->verdict = (enum weir_verdict)found;
    return found < 0 ? WEIR_EINVAL : 0;
}

static int note_action(struct answer *answer, struct weir_slice value)
{
    int found = one_of(value, action_name, WEIR_QUARANTINE + 1);

    answer->action = found >= 0;
    answer->outcome->action = (enum weir_action)found;
    return found < 0 ? WEIR_EINVAL : 0;
}

static int note_score(struct answer *answer, struct weir_slice value)
{
    static const char digits[] = "-.0123456789";
    char *end;

    if (value.len == 0 || strspn(value.at, digits) != value.len)
        return WEIR_EINVAL;
    answer->outcome->score = strtod(value.at, &end);
    answer->score = *end == '\0' && isfinite(answer->outcome->score);
    return answer->score ? 0 : WEIR_EINVAL;
}

/* RFC 5322 3.6.8: visible ASCII but the colon. */
static bool is_field_name(const char *name, size_t len)
{
    for (size_t i = 0; i < len; i++)
        if (name[i] <= ' ' || name[i] > '~' || name[i] == ':')
            return false;
    return len > 0 && len <= WEIR_FIELD_NAME_MAX;
}

/* One field and nothing else: each further line begins with a blank and holds more than blanks. */
static bool is_field_value(const char *value)
{
    for (const char *line = strchr(value, '\n'); line; line = strchr(line + 1, '\n'))
        if ((line[1] != ' ' && line[1] != '\t') || strchr("\n", line[1 + strspn(line + 1, " \t")]))
            return false;
    return !strchr(value, '\r');
}

static int note_remove(struct weir_outcome *outcome, struct weir_slice value)
{
    if (outcome->removes == WEIR_OUTCOME_HEADERS_MAX)
        return WEIR_ELIMIT;
    if (!is_field_name(value.at, value.len))
        return WEIR_EINVAL;
    outcome->remove[outcome->removes++] = value.at;
    return 0;
}

static int note_add(struct weir_outcome *outcome, struct weir_slice value, struct weir_arena *arena)
{
    const char *colon = strstr(value.at, ": ");
    char *name;

    if (outcome->adds == WEIR_OUTCOME_HEADERS_MAX)
        return WEIR_ELIMIT;
    if (!colon || !is_field_name(value.at, (size_t)(colon - value.at)) ||
        !is_field_value(colon + 2))
        return WEIR_EINVAL;
    name = weir_arena_copy(arena, value.at, (size_t)(colon - value.at));
    if (!name)
        return WEIR_ENOMEM;
    outcome->add[outcome->adds++] = (struct weir_header_added){name, colon + 2};
    return 0;
}

static int note_said(struct answer *answer, struct weir_arena *arena, struct weir_slice name,
                     struct weir_slice value)
{
    struct weir_outcome *outcome = answer->outcome;

    if (is(name, "verdict"))
        return note_verdict(answer, value);
    if (is(name, "action"))
        return note_action(answer, value);
    if (is(name, "score"))
        return note_score(answer, value);
    if (is(name, "remove"))
        return note_remove(outcome, value);
    if (is(name, "add"))
        return note_add(outcome, value, arena);
    if (is(name, "reply"))
        outcome->reply = value.at;
    else if (is(name, "info"))
        outcome->info = value.at;
    else if (is(name, "log"))
        outcome->log = value.at;
    return 0;
}

int weir_remote_read_answer(const char *octets, size_t len, struct weir_arena *arena,
                            struct weir_outcome *outcome_r)
{
    struct lines lines = {.arena = arena};
    struct answer answer = {.outcome = outcome_r};
    struct weir_slice name, value;
    size_t head;
    int done = begin(&lines, octets, len, WEIR_REMOTE_ANSWER_MAX, answer_line, &head);

    if (done <= 0)
        return done;
    *outcome_r = (struct weir_outcome){.reply = "", .log = "", .info = ""};
    while ((done = next_line(&lines, &name, &value)) > 0)
        if ((done = note_said(&answer, arena, name, value)) < 0)
            break;
    if (done < 0)
        return done;
    return answer.verdict && answer.action && answer.score ? 1 : WEIR_EINVAL;
}
