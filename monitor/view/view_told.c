/*
 * view_told - reported messages, as text and JSON.
 */
#include "monitor/view/view_told.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/engine/verdict.h"
#include "core/mail/header_text.h"
#include "monitor/database/database_rules_io.h"

#define READ 4096 /* octets of a field as it is read; more is cut */
#define SUBJECT 1000 /* octets: who drafts a rule of it needs no more */

/* Unfolded and decoded, of the first such field. */
static int read_subject(struct weir_view_told *told, struct weir_charsets *charsets,
                        struct weir_arena *arena)
{
    static const struct weir_slice selector = {"Subject:first", 13};
    char *room = weir_arena_take(arena, SUBJECT);
    struct weir_line line = {.start = room, .at = room, .end = room + SUBJECT};

    if (!room)
        return WEIR_ENOMEM;
    (void)weir_header_text(&told->message, charsets, selector, &line);
    told->subject = weir_slice_trim(weir_slice_between(room, line.at));
    return 0;
}

int weir_view_told_read(const struct weir_database_text *text, const struct weir_info_keys *keys,
                        struct weir_charsets *charsets, struct weir_arena *arena,
                        struct weir_view_told *told_r)
{
    char *buffer;
    int rc;

    *told_r = (struct weir_view_told){.text = text, .charsets = charsets};
    weir_arena_reset(arena, 1u << 20);
    if (weir_reported_text_read(text->octets, &told_r->told) != 1)
        return WEIR_ECORRUPT;
    buffer = weir_arena_take(arena, told_r->told.len + 1);
    rc = buffer ? weir_reported_text_unpack(&told_r->told, buffer) : WEIR_ENOMEM;
    rc = rc < 0 ? rc : weir_message_parse(buffer, told_r->told.len, arena, &told_r->message);
    rc = rc < 0 ? rc : weir_content_read(&told_r->message, charsets, arena, &told_r->content);
    rc = rc < 0 ? rc : read_subject(told_r, charsets, arena);
    if (rc == 0 && told_r->told.info.len > 0)
        told_r->state = weir_info_read(told_r->told.info, told_r->told.binding, keys,
                                       &told_r->info);
    return rc;
}

bool weir_view_told_is_readable(const struct weir_view_told *told)
{
    return told->told.info.len > 0 && told->state <= WEIR_INFO_UNBOUND;
}

static struct weir_slice area_of(const struct weir_view_told *told, int which)
{
    const struct weir_area *area = &told->content.area[which];

    return (struct weir_slice){area->text, weir_area_len(area)};
}

struct weir_slice weir_view_told_body(const struct weir_view_told *told)
{
    return area_of(told, WEIR_AREA_BODY);
}

struct weir_slice weir_view_told_links(const struct weir_view_told *told)
{
    return area_of(told, WEIR_AREA_URI);
}

/* rules ------------------------------------------------------------------------------------- */

static int note_name(void *context, const struct weir_kept_rule *rule)
{
    snprintf(context, WEIR_VIEW_RULE_NAME, "%s", rule->name);
    return 0;
}

const char *weir_view_rule_name(struct weir_database *database, uint32_t id,
                                char buffer[static WEIR_VIEW_RULE_NAME])
{
    const char *own = id == 0 ? "(the rest, summed up)" : weir_rule_own_name(id);

    snprintf(buffer, WEIR_VIEW_RULE_NAME, "%s", own ? own : "");
    if (!own)
        (void)weir_database_rule(database, NULL, id, note_name, buffer);
    return buffer;
}

/* JSON -------------------------------------------------------------------------------------- */

static json_t *slice_json(struct weir_slice text)
{
    return weir_view_octets(text.len > 0 ? text.at : "", text.len);
}

json_t *weir_view_info(struct weir_database *database, const struct weir_view_told *told)
{
    const struct weir_info *info = &told->info;
    char address[WEIR_ADDRESS_TEXT], name[WEIR_VIEW_RULE_NAME];
    json_t *rules;

    if (!weir_view_told_is_readable(told))
        return json_null();
    rules = json_array();
    for (size_t i = 0; i < info->rules; i++)
        json_array_append_new(rules, json_pack(
            "{s:I, s:s, s:o}", "id", (json_int_t)info->rule[i].id, "name",
            weir_view_rule_name(database, info->rule[i].id, name), "points",
            weir_view_points(info->rule[i].points)));
    return json_pack("{s:o, s:I, s:s, s:o, s:o, s:o, s:I, s:o}", "at",
                     weir_view_time(info->at), "server", (json_int_t)info->server, "verdict",
                     weir_verdict_name((enum weir_verdict)info->verdict), "score",
                     weir_view_points(info->score), "boundary_address",
                     info->has_boundary
                         ? json_string(weir_address_format(&info->boundary, address))
                         : json_null(),
                     "domain", weir_view_text(info->domain), "serial", (json_int_t)info->serial,
                     "rules", rules);
}

json_t *weir_view_told(struct weir_database *database, const struct weir_view_told *told,
                       const char *server, bool whole)
{
    const struct weir_database_text *text = told->text;
    json_t *json = json_pack(
        "{s:o, s:b, s:s, s:o, s:s, s:s, s:b, s:o}", "uid", weir_view_uid(text->uid), "proven",
        text->proven, "state",
        told->told.info.len == 0 ? "none" : weir_info_state_name(told->state), "time",
        weir_view_time(text->time), "server", server, "report", told->told.spam ? "spam" : "ham",
        "cut", told->told.cut, "info", weir_view_info(database, told));

    if (!json || !whole)
        return json;
    json_object_set_new(json, "header", slice_json(told->message.part[0].head));
    json_object_set_new(json, "text", slice_json(weir_view_told_body(told)));
    json_object_set_new(json, "links", slice_json(weir_view_told_links(told)));
    json_object_set_new(json, "message", slice_json(told->message.whole));
    return json;
}

/* parts -------------------------------------------------------------------------------------- */

/* A value with encoded words as it is read; NULL: it has none. */
static json_t *as_read(const struct weir_view_told *told, struct weir_slice value)
{
    char room[READ];
    struct weir_line line = weir_line(room, sizeof room);
    unsigned defects = 0;

    if (!memmem(value.at, value.len, "=?", 2))
        return NULL;
    weir_header_decode(told->charsets, value, &line, &defects);
    return slice_json(weir_slice_trim(weir_slice_between(room, line.at)));
}

static json_t *headers(const struct weir_view_told *told)
{
    const struct weir_part *part = &told->message.part[0];
    json_t *list = json_array();

    for (size_t i = 0; i < part->fields; i++) {
        const struct weir_field *field = &told->message.field[part->field + i];

        json_array_append_new(list, json_pack("[o, o, o*]", slice_json(field->name),
                                              slice_json(weir_slice_trim(field->value)),
                                              as_read(told, field->value)));
    }
    return list;
}

/* What marks in the text say. */
static json_t *attachments(struct weir_slice text)
{
    struct weir_reported_mark mark;
    json_t *list = json_array();

    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t line = end ? (size_t)(end - text.at) : text.len, len = line;

        while (len > 0 && text.at[len - 1] == '\r')
            len--;
        if (weir_reported_mark_read((struct weir_slice){text.at, len}, &mark))
            json_array_append_new(list, json_pack(
                "{s:o, s:o, s:I, s:o}", "name", slice_json(mark.name), "type",
                slice_json(mark.type), "size", (json_int_t)mark.octets, "hash",
                slice_json(mark.hash)));
        text = weir_slice_behind(text, line + (end != NULL));
    }
    return list;
}

json_t *weir_view_told_message(const struct weir_view_told *told)
{
    return json_pack("{s:o, s:o, s:o, s:o, s:o, s:b}", "headers", headers(told), "subject",
                     slice_json(told->subject), "text", slice_json(weir_view_told_body(told)),
                     "links", slice_json(weir_view_told_links(told)), "attachments",
                     attachments(told->message.whole), "cut", told->told.cut);
}
