/*
 * record - lines of JSON made with jansson.  A line is written when all of it could be made, so
 * that none is ever half.
 */
#include "sniffer/record.h"

#include <stdlib.h>

#include <jansson.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "core/base/slice.h"
#include "core/mail/charset.h"

/* Takes line, which is NULL when memory was short. */
static int put(FILE *out, json_t *line)
{
    char *text = line ? json_dumps(line, JSON_COMPACT | JSON_REAL_PRECISION(16)) : NULL;

    json_decref(line);
    if (!text)
        return WEIR_ENOMEM;
    fputs(text, out);
    putc('\n', out);
    free(text);
    return 0;
}

/* Text of others; NULL when memory is short. */
static json_t *foreign(struct weir_slice text)
{
    size_t room = 3 * text.len + 1; /* U+FFFD has three octets */
    json_t *value = NULL;
    unsigned defects;

    if (weir_charset_is_utf8(text))
        return json_stringn(text.at, text.len);
    char *buffer = malloc(room);
    if (buffer) {
        struct weir_line line = weir_line(buffer, room);
        weir_charset_convert(NULL, weir_slice_of("utf-8"), text, &line, &defects);
        value = json_stringn(buffer, (size_t)(line.at - buffer));
    }
    free(buffer);
    return value;
}

static json_t *address(const struct weir_address *address)
{
    char text[WEIR_ADDRESS_TEXT];

    return json_string(weir_address_format(address, text));
}

static json_t *seconds(weir_time time)
{
    return json_real((double)time / WEIR_SECOND);
}

static json_t *number(uint64_t count)
{
    return json_integer((json_int_t)count);
}

/* Takes value; either may be NULL, and then the whole is. */
static json_t *with(json_t *line, const char *name, json_t *value)
{
    if (line && value && json_object_set_new(line, name, value) == 0)
        return line;
    if (!line)
        json_decref(value);
    json_decref(line);
    return NULL;
}

/* A number that is left out when it is zero. */
static json_t *with_count(json_t *line, const char *name, uint64_t count)
{
    return count > 0 ? with(line, name, number(count)) : line;
}

static json_t *begin(const char *type, const char *file)
{
    json_t *line = with(json_object(), "type", json_string(type));

    return file ? with(line, "file", foreign(weir_slice_of(file))) : line;
}

static json_t *with_client(json_t *line, const struct weir_heard *heard)
{
    line = with(line, "client", heard->unknown ? json_null() : address(&heard->client));
    return with(line, "client_port", number(heard->client_port));
}

static json_t *recipients(const struct weir_heard_message *message)
{
    json_t *list = json_array();

    for (size_t i = 0; list && i < message->rcpt_tos; i++)
        if (json_array_append_new(list, foreign(message->rcpt_to[i])) < 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

int weir_record_message(FILE *out, const char *file, const struct weir_flow *flow,
                        const struct weir_heard *heard,
                        const struct weir_heard_message *message)
{
    json_t *line = with_client(begin("message", file), heard);

    line = with(line, "server", address(&flow->server));
    line = with(line, "server_port", number(flow->server_port));
    line = with(line, "index", number(message->index));
    line = with(line, "mail_from", message->mail_from_known ? foreign(message->mail_from)
                                                            : json_null());
    line = with(line, "rcpt_to", recipients(message));
    line = with(line, "recipients_accepted", number(message->recipients_accepted));
    line = with(line, "recipients_rejected", number(message->recipients_rejected));
    line = with(line, "result", json_string(weir_heard_result_name(message->result)));
    line = with(line, "reply", message->reply ? number(message->reply) : json_null());
    line = with(line, "source", json_string(message->estimate ? "estimate" : "clear"));
    line = with(line, "bytes", number(message->bytes));
    line = with(line, "begun", seconds(message->begun));
    line = with(line, "ended", seconds(message->ended));
    return put(out, with(line, "gap", json_boolean(message->gap)));
}

int weir_record_connection(FILE *out, const char *file, const struct weir_flow *flow,
                           const struct weir_heard *heard, enum weir_flow_end end)
{
    json_t *line = with_client(begin("connection", file), heard);

    line = with(line, "server", address(&flow->server));
    line = with(line, "server_port", number(flow->server_port));
    line = with(line, "messages", number(heard->messages));
    line = with(line, "accepted", number(heard->accepted));
    line = with(line, "rejected", number(heard->rejected));
    line = with(line, "unfinished", number(heard->unfinished));
    line = with(line, "recipients", number(heard->recipients));
    line = with(line, "recipients_rejected", number(heard->recipients_rejected));
    line = with(line, "starttls", json_boolean(heard->starttls));
    line = with(line, "tls", json_boolean(heard->tls));
    line = with(line, "authenticated", json_boolean(heard->authenticated));
    line = with(line, "proxied", json_boolean(heard->proxied));
    line = with(line, "health_check", json_boolean(heard->health_check));
    line = with(line, "gaps", number(flow->gaps));
    line = with(line, "midstream", json_boolean(flow->midstream));
    line = with(line, "lost", json_boolean(heard->lost));
    line = with_count(line, "odd", heard->odd);
    line = with_count(line, "forged", flow->forged);
    line = with(line, "begun", seconds(flow->first));
    line = with(line, "ended", seconds(flow->last));
    return put(out, with(line, "end", json_string(weir_flow_end_name(end))));
}

int weir_record_address(FILE *out, const struct weir_traffic *traffic)
{
    json_t *line = with(begin("address", NULL), "address", address(&traffic->address));

    for (unsigned i = 0; i < WEIR_TRAFFIC_QUANTITIES; i++)
        line = with(line, weir_traffic_quantity_name(i), number(traffic->quantity[i]));
    return put(out, line);
}

int weir_record_file(FILE *out, const char *file, const char *problem,
                     const struct weir_sessions_counts *counts,
                     const struct weir_flows_counts *flows)
{
    json_t *line = begin("file", file);
    uint64_t packets = 0;

    for (unsigned i = 0; i < WEIR_FRAMES; i++)
        packets += counts->frames[i];
    line = with(line, "packets", number(packets));
    line = with(line, "segments", number(flows->segments));
    line = with(line, "fragments", number(counts->frames[WEIR_FRAME_FRAGMENT]));
    line = with(line, "cut", number(counts->frames[WEIR_FRAME_CUT]));
    line = with(line, "bad", number(counts->frames[WEIR_FRAME_BAD]));
    line = with(line, "connections", number(flows->opened));
    line = with(line, "syns", number(flows->syns));
    line = with(line, "unanswered", number(flows->unanswered));
    line = with(line, "gaps", number(flows->gaps));
    line = with_count(line, "odd", counts->odd);
    line = with_count(line, "forged", flows->forged);
    return put(out, with(line, "problem", problem ? foreign(weir_slice_of(problem))
                                                  : json_null()));
}
