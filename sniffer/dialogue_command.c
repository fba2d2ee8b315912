/*
 * dialogue_command - verbs, paths, chunk sizes and XCLIENT's attributes.
 *
 * Slices point into the line.  BDAT with anything but a number and LAST has no chunk: a server
 * that refuses its syntax takes what follows for commands, and so do we.
 */
#include "sniffer/dialogue_command.h"

#include "core/base/limits.h"
#include "core/base/slice.h"

static const struct {
    const char *verb;
    enum weir_command_kind kind;
} verbs[] = {
    {"MAIL", WEIR_COMMAND_MAIL},         {"RCPT", WEIR_COMMAND_RCPT},
    {"DATA", WEIR_COMMAND_DATA},         {"BDAT", WEIR_COMMAND_BDAT},
    {"EHLO", WEIR_COMMAND_HELLO},        {"HELO", WEIR_COMMAND_HELLO},
    {"RSET", WEIR_COMMAND_RSET},         {"QUIT", WEIR_COMMAND_QUIT},
    {"STARTTLS", WEIR_COMMAND_STARTTLS}, {"XCLIENT", WEIR_COMMAND_XCLIENT},
};

/* Octets up to a closing bracket, or a blank where none opened, outside of quotes; len + 1 when
 * a bracket or a quote is never closed. */
static size_t path_length(struct weir_slice text, bool bracket)
{
    bool quoted = false;

    for (size_t i = 0; i < text.len; i++) {
        char c = text.at[i];

        if (c == '\\')
            i++;
        else if (c == '"')
            quoted = !quoted;
        else if (!quoted && (bracket ? c == '>' : weir_is_wsp(c)))
            return i;
    }
    return bracket || quoted ? text.len + 1 : text.len;
}

/* "@a.example,@b.example:" in front of an address (RFC 5321 4.1.1.3: to be ignored). */
static struct weir_slice without_route(struct weir_slice path)
{
    const char *colon = path.len && path.at[0] == '@' ? memchr(path.at, ':', path.len) : NULL;

    return colon ? weir_slice_behind(path, (size_t)(colon + 1 - path.at)) : path;
}

/* "FROM:<path> parameters" behind MAIL, "TO:..." behind RCPT. */
static void read_mailbox(struct weir_slice text, const char *word, bool cut,
                         struct weir_dialogue_command *command)
{
    if (!weir_slice_begins(text, word))
        return;
    text = weir_slice_trim(weir_slice_behind(text, strlen(word)));
    if (text.len == 0 || text.at[0] != ':')
        return;
    text = weir_slice_trim(weir_slice_behind(text, 1));
    bool bracket = text.len > 0 && text.at[0] == '<';
    if (bracket)
        text = weir_slice_behind(text, 1);
    size_t len = path_length(text, bracket);
    if (len > text.len || (len == text.len && cut))
        return;
    struct weir_slice path = without_route((struct weir_slice){text.at, len});
    command->has_mailbox = path.len <= WEIR_MAILBOX_MAX && (bracket || path.len > 0);
    if (command->has_mailbox)
        command->mailbox = path;
}

static bool read_size(struct weir_slice word, uint64_t *size_r)
{
    uint64_t size = 0;

    for (size_t i = 0; i < word.len; i++) {
        if (!weir_is_digit(word.at[i]) || size > (UINT64_C(1) << 62) / 10)
            return false;
        size = size * 10 + (uint64_t)(word.at[i] - '0');
    }
    *size_r = size;
    return word.len > 0;
}

static void read_bdat(struct weir_slice text, bool cut, struct weir_dialogue_command *command)
{
    struct weir_slice word = weir_slice_word(&text);
    uint64_t size;

    if (cut || !read_size(word, &size))
        return;
    if (text.len > 0 && !weir_slice_is(text, "LAST"))
        return;
    command->chunk = size;
    command->kind = text.len > 0 ? WEIR_COMMAND_BDAT_LAST : WEIR_COMMAND_BDAT;
}

static void read_xclient(struct weir_slice text, struct weir_dialogue_command *command)
{
    while (text.len > 0) {
        struct weir_slice word = weir_slice_word(&text);
        uint64_t port;

        if (weir_slice_begins(word, "ADDR=")) {
            word = weir_slice_behind(word, 5);
            command->has_client = weir_address_parse(word.at, word.len, &command->client) == 0;
            command->client_unknown = !command->has_client;
        } else if (weir_slice_begins(word, "PORT=") &&
                   read_size(weir_slice_behind(word, 5), &port) && port <= 65535) {
            command->client_port = (uint16_t)port;
        }
    }
}

static enum weir_command_kind kind_of(struct weir_slice verb)
{
    for (size_t i = 0; i < sizeof(verbs) / sizeof(verbs[0]); i++)
        if (weir_slice_is(verb, verbs[i].verb))
            return verbs[i].kind;
    return WEIR_COMMAND_OTHER;
}

struct weir_dialogue_command weir_dialogue_command_read(struct weir_slice line, bool cut)
{
    struct weir_slice text = line;
    struct weir_dialogue_command command = {.kind = kind_of(weir_slice_word(&text))};

    switch (command.kind) {
    case WEIR_COMMAND_MAIL:
        read_mailbox(text, "FROM", cut, &command);
        break;
    case WEIR_COMMAND_RCPT:
        read_mailbox(text, "TO", cut, &command);
        break;
    case WEIR_COMMAND_BDAT:
        read_bdat(text, cut, &command);
        break;
    case WEIR_COMMAND_XCLIENT:
        read_xclient(text, &command);
        break;
    default:
        break;
    }
    return command;
}
