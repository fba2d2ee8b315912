/*
 * Any bytes as a question or an answer of the decide protocol: what is read lies within bounds,
 * and written again it reads the same.
 */
#include <stdlib.h>
#include <string.h>

#include "core/engine/remote.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static char written[WEIR_REMOTE_HEAD_MAX * 2];

static void must(int true_)
{
    if (!true_)
        abort();
}

static void same(struct weir_slice a, struct weir_slice b)
{
    must(a.len == b.len && (a.len == 0 || memcmp(a.at, b.at, a.len) == 0));
}

static void ask_again(const struct weir_mail *mail, struct weir_arena *arena)
{
    struct weir_line line = weir_line(written, sizeof written);
    struct weir_mail again;
    size_t head, size;

    weir_remote_question(mail, &line);
    if (line.cut || line.at - line.start > WEIR_REMOTE_HEAD_MAX)
        return;
    must(weir_remote_read_question(line.start, (size_t)(line.at - line.start), arena, &again,
                                   &head, &size) == 1);
    must(head == (size_t)(line.at - line.start) && again.recipients == mail->recipients);
    same(again.envelope.sender, mail->envelope.sender);
    same(again.envelope.helo, mail->envelope.helo);
    for (size_t i = 0; i < mail->recipients; i++)
        same(again.recipient[i], mail->recipient[i]);
}

static void answer_again(const struct weir_outcome *outcome, struct weir_arena *arena)
{
    struct weir_line line = weir_line(written, sizeof written);
    struct weir_outcome again;

    weir_remote_answer(outcome, &line);
    if (line.cut || line.at - line.start > WEIR_REMOTE_ANSWER_MAX || outcome->score > 1e11 ||
        outcome->score < -1e11)
        return;
    must(weir_remote_read_answer(line.start, (size_t)(line.at - line.start), arena, &again) == 1);
    must(again.verdict == outcome->verdict && again.adds == outcome->adds);
    for (size_t i = 0; i < outcome->adds; i++) {
        must(strcmp(again.add[i].name, outcome->add[i].name) == 0);
        must(strcmp(again.add[i].value, outcome->add[i].value) == 0);
    }
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct weir_arena *arena = weir_arena_new(1024);
    const char *octets = size > 0 ? (const char *)data : "";
    struct weir_mail mail;
    struct weir_outcome outcome;
    size_t head, message;

    if (weir_remote_read_question(octets, size, arena, &mail, &head, &message) == 1) {
        must(head <= size && message <= WEIR_MESSAGE_MAX);
        ask_again(&mail, arena);
    }
    if (weir_remote_read_answer(octets, size, arena, &outcome) == 1)
        answer_again(&outcome, arena);
    weir_arena_free(&arena);
    return 0;
}
