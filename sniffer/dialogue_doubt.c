/*
 * dialogue_doubt - replies that cannot be to what the client seems to have said.
 *
 * What the client sends need not be what its server hears: a segment that expires on the way, or
 * whose checksum is wrong, is there for a listener only.  What the server says is the truth.
 * A reply that no server gives to the command in front says that another one stood there; from
 * then on the client is doubted, and words of the server (dialogue_word.h) find the command that
 * they answer, or count without one.  4xx and 5xx can be to anything, and 421 comes at any time.
 *
 * Behind a hole in the octets nothing is odd, since the queue may be out of step by itself; nor
 * is it while the client was never heard.  But "queued" is a message accepted there, too.
 */
#include "sniffer/dialogue_impl.h"

void weir_doubt(struct weir_dialogue *d)
{
    d->doubt = true;
    if (d->step == WEIR_STEP_SURE)
        d->step = WEIR_STEP_TRYING;
}

static void odd(struct weir_dialogue *d)
{
    if (d->step != WEIR_STEP_SURE || !d->spoken || d->heard.gap || d->options.midstream)
        return;
    d->heard.odd++;
    weir_doubt(d);
}

static bool is_final(const struct weir_waiting *waiting)
{
    return waiting->kind == WEIR_COMMAND_DOT || waiting->kind == WEIR_COMMAND_BDAT_LAST;
}

/* Whether its place in the queue is known to be right; a dot's is, for 354 came before it. */
static bool is_sure(const struct weir_waiting *waiting)
{
    return waiting->sure || waiting->kind == WEIR_COMMAND_DOT;
}

/* Whether octets of this command's chunk are still to come. */
static bool is_chunk_at_hand(const struct weir_dialogue *d, const struct weir_waiting *waiting)
{
    return d->client.state == WEIR_CLIENT_CHUNK && d->queue.len == 1 &&
           (waiting->kind == WEIR_COMMAND_BDAT || waiting->kind == WEIR_COMMAND_BDAT_LAST);
}

/* Whether a server may say a code below 400 to this command; 354 comes by another way. */
static bool can_answer(const struct weir_dialogue *d, const struct weir_waiting *waiting,
                       unsigned code)
{
    if (code == 250 && waiting->kind >= WEIR_COMMAND_HELLO && waiting->kind <= WEIR_COMMAND_RCPT)
        return true; /* most of all */
    switch ((enum weir_command_kind)waiting->kind) {
    case WEIR_COMMAND_GREETING:
    case WEIR_COMMAND_XCLIENT:
    case WEIR_COMMAND_OTHER:
        return true;
    case WEIR_COMMAND_STARTTLS:
        return code == 220;
    case WEIR_COMMAND_QUIT:
        return code == 221;
    case WEIR_COMMAND_DATA:
        return false;
    default:
        return code < 300 && code != 220 && code != 235 && !is_chunk_at_hand(d, waiting);
    }
}

/* Whether a reply about an address seems to be to a chunk. */
static bool is_of_another(const struct weir_waiting *waiting, enum weir_word word)
{
    return (word == WEIR_WORD_SENDER || word == WEIR_WORD_RECIPIENT) &&
           (waiting->kind == WEIR_COMMAND_BDAT || waiting->kind == WEIR_COMMAND_BDAT_LAST);
}

/* The server took a message: by the command that ends one, if it waits, else by none we know. */
static void queued(struct weir_dialogue *d, unsigned code)
{
    struct weir_waiting *waiting, last = {.count = 0};
    size_t at = 0;

    while ((waiting = weir_queue_at(&d->queue, at)) && !is_final(waiting))
        at++;
    for (; waiting && at > 0; at--)
        weir_server_pass_over(d);
    weir_message_begin(d);
    if (waiting && weir_queue_pop(&d->queue, &last) && last.kind == WEIR_COMMAND_BDAT_LAST)
        d->message.bytes += last.count;
    weir_message_believe_server(d, 1); /* a server takes none for nobody */
    weir_server_final(d, code);
}

/* Nothing waits for it. */
static bool unasked(struct weir_dialogue *d, unsigned code, enum weir_word word)
{
    if (code < 400)
        odd(d);
    if (d->doubt && code != 421)
        weir_client_leave_chunk(d);
    if (word != WEIR_WORD_QUEUED)
        return false;
    queued(d, code);
    return true;
}

/* The command in front was not said, or is not the one that is answered. */
static void disregard(struct weir_dialogue *d)
{
    struct weir_waiting waiting;

    if (is_chunk_at_hand(d, weir_queue_at(&d->queue, 0)))
        weir_client_leave_chunk(d);
    if (weir_queue_pop(&d->queue, &waiting) && waiting.named)
        weir_names_use(&d->names, waiting.kind == WEIR_COMMAND_RCPT ? WEIR_NAME_RECIPIENT
                                                                    : WEIR_NAME_NOBODY);
}

/* A recipient was accepted: goes on to the RCPT that waits; true: none does. */
static bool reach_recipient(struct weir_dialogue *d)
{
    size_t at = weir_queue_find(&d->queue, WEIR_COMMAND_RCPT);

    if (at == d->queue.len)
        return true;
    for (; at > 0; at--)
        weir_server_pass_over(d);
    return false;
}

/* What a reply says by itself; recipients are counted. */
static enum weir_word word_of(struct weir_server *server, unsigned code, struct weir_slice line)
{
    enum weir_word word;

    if (code != 250)
        return WEIR_WORD_NONE;
    if (line.len > 0 && line.at[line.len - 1] == '\r')
        line.len--;
    word = weir_word_read(line);
    if (word == WEIR_WORD_SENDER)
        server->recipients = 0;
    server->recipients += word == WEIR_WORD_RECIPIENT;
    return word;
}

bool weir_doubt_reply(struct weir_dialogue *d, unsigned code, struct weir_slice line)
{
    const struct weir_waiting *first = weir_queue_at(&d->queue, 0);

    if (first && !d->doubt && (code >= 400 || (code == 250 && first->kind == WEIR_COMMAND_DOT)))
        return false;
    enum weir_word word = word_of(&d->server, code, line);
    if (!first)
        return unasked(d, code, word);
    bool queues = word == WEIR_WORD_QUEUED && (!is_final(first) || !is_sure(first));
    bool possible = code >= 400 || (can_answer(d, first, code) && !queues &&
                                     !is_of_another(first, word));
    if (!possible)
        odd(d);
    if (queues && (d->doubt || d->step != WEIR_STEP_SURE)) {
        queued(d, code);
        return true;
    }
    if (!d->doubt)
        return false;
    if (!possible && first->kind != WEIR_COMMAND_DATA) {
        disregard(d);
        return true;
    }
    return word == WEIR_WORD_RECIPIENT && reach_recipient(d);
}

void weir_doubt_grant(struct weir_dialogue *d, size_t at)
{
    if (at > 0 || d->queue.len == 0 || d->client.state == WEIR_CLIENT_BODY)
        odd(d);
}

void weir_doubt_body(struct weir_dialogue *d, unsigned code)
{
    const struct weir_client *client = &d->client;

    if (code < 400 && !client->lone_dot && !client->gap && !client->deaf)
        odd(d);
}
