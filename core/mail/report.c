/*
 * One pass over the parts that are the letter's own, those not inside an attached message.  The
 * message is a stranger's: what it says of itself decides only what is looked for, and each
 * limit leaves out, counted, what is beyond it.
 */
#include "core/mail/report.h"

#include "core/base/error.h"
#include "core/base/slice.h"
#include "core/mail/header_text.h"

struct reading {
    const struct weir_message *message;
    struct weir_arena *arena;
    struct weir_report *report;
    bool inside[WEIR_PARTS_MAX];  /* an attached message, so that it is not the letter's own */
    const struct weir_part *machine;
    size_t attached;              /* the letter's own messages */
    size_t decoded;               /* octets */
};

const char *weir_report_way_name(enum weir_report_way way)
{
    static const char *const name[] = {"any", "itself", "attached", "arf"};

    return (unsigned)way < WEIR_REPORT_WAYS ? name[way] : "?";
}

/* Parts. -------------------------------------------------------------------- */

static bool is_header(const struct weir_part *part)
{
    return weir_slice_is(part->type, "text/rfc822-headers") ||
           weir_slice_is(part->type, "message/rfc822-headers") ||
           weir_slice_is(part->type, "message/global-headers");
}

/* Some mail programs attach messages as files. */
static bool is_message(const struct weir_part *part)
{
    return part->media == WEIR_MEDIA_MESSAGE ||
           (part->media == WEIR_MEDIA_OTHER && weir_slice_ends(part->name, ".eml"));
}

static void look_through(struct reading *reading)
{
    const struct weir_message *message = reading->message;

    for (size_t i = 0; i < message->parts; i++) {
        const struct weir_part *part = &message->part[i];

        reading->inside[i] = i > 0 && (reading->inside[part->parent] ||
                                       message->part[part->parent].media == WEIR_MEDIA_MESSAGE);
        if (reading->inside[i])
            continue;
        reading->attached += is_message(part);
        if (!reading->machine && weir_slice_is(part->type, "message/feedback-report"))
            reading->machine = part;
    }
}

static enum weir_report_way way_of(const struct reading *reading, enum weir_report_way wish)
{
    if (wish == WEIR_REPORT_ITSELF)
        return wish;
    if (reading->machine)
        return WEIR_REPORT_ARF;
    if (wish == WEIR_REPORT_ATTACHED ||
        (reading->attached > 0 && !weir_slice_is(reading->message->part[0].type,
                                                 "multipart/report")))
        return WEIR_REPORT_ATTACHED;
    return WEIR_REPORT_ITSELF;
}

/* Octets. ------------------------------------------------------------------- */

/* A message in the clear was taken apart, whatever it says of its encoding. */
static bool is_encoded(const struct weir_message *message, const struct weir_part *part)
{
    size_t next = (size_t)(part - message->part) + 1;

    if (part->transfer == WEIR_TRANSFER_BASE64)
        return next == message->parts || message->part[next].parent != next - 1 ||
               part->media != WEIR_MEDIA_MESSAGE;
    return part->transfer == WEIR_TRANSFER_QUOTED;
}

/* A part's octets, at most so many.  0 or WEIR_ENOMEM. */
static int take_octets(struct reading *reading, const struct weir_part *part, size_t most,
                       struct weir_slice *octets_r, bool *cut_r)
{
    struct weir_slice body = part->body;
    struct weir_line text;
    unsigned defects;
    char *room;

    *octets_r = body;
    *cut_r = false;
    if (!is_encoded(reading->message, part))
        return 0;
    if (most > WEIR_REPORT_DECODED_MAX - reading->decoded)
        most = WEIR_REPORT_DECODED_MAX - reading->decoded;
    if (most > body.len)
        most = body.len; /* decoding never makes it longer */
    room = weir_arena_take(reading->arena, most + 1);
    if (!room)
        return WEIR_ENOMEM;
    text = weir_line(room, most + 1);
    weir_transfer_decode(part->transfer, body, &text, &defects);
    *octets_r = weir_slice_between(text.start, text.at);
    *cut_r = text.cut;
    reading->decoded += octets_r->len;
    return 0;
}

static int take_original(struct reading *reading, const struct weir_part *part)
{
    struct weir_report *report = reading->report;
    struct weir_report_original *original = &report->original[report->originals];
    int done;

    if (part->body.len == 0)
        return 0;
    if (report->originals == WEIR_REPORT_ORIGINALS_MAX) {
        report->more++;
        return 0;
    }
    original->head = !is_message(part);
    done = take_octets(reading, part, SIZE_MAX, &original->octets, &original->cut);
    report->originals += done == 0;
    return done;
}

static int take_attached(struct reading *reading)
{
    const struct weir_message *message = reading->message;
    int done = 0;

    for (size_t i = 0; i < message->parts && done == 0; i++) {
        const struct weir_part *part = &message->part[i];

        if (!reading->inside[i] && (is_message(part) || (reading->machine && is_header(part))))
            done = take_original(reading, part);
    }
    return done;
}

/* The letter's words. ------------------------------------------------------- */

static struct weir_slice field_of(const struct weir_message *message, const char *name)
{
    size_t from = 0;
    const struct weir_field *field = weir_message_field(message, 0, name, &from);

    return field ? weir_slice_trim(field->value) : (struct weir_slice){"", 0};
}

/* Behind the type there may be a comment. */
static enum weir_report_said said_by(struct weir_slice feedback)
{
    static const struct {
        const char *type;
        enum weir_report_said said;
    } known[] = {
        {"abuse", WEIR_REPORT_SPAM},   {"fraud", WEIR_REPORT_SPAM}, {"virus", WEIR_REPORT_SPAM},
        {"not-spam", WEIR_REPORT_HAM}, {"auth-failure", WEIR_REPORT_NO_OPINION},
    };
    struct weir_slice type = weir_slice_word(&feedback);

    for (size_t i = 0; i < sizeof known / sizeof known[0]; i++)
        if (weir_slice_is(type, known[i].type))
            return known[i].said;
    return WEIR_REPORT_NOTHING;
}

/* The part for machines is a header by itself. */
static int read_machine(struct reading *reading)
{
    struct weir_report *report = reading->report;
    struct weir_message machine;
    struct weir_slice octets;
    bool cut;
    int done = take_octets(reading, reading->machine, WEIR_REPORT_MACHINE_MAX, &octets, &cut);

    if (octets.len > WEIR_REPORT_MACHINE_MAX)
        octets.len = WEIR_REPORT_MACHINE_MAX;
    if (done == 0)
        done = weir_message_parse(octets.at, octets.len, reading->arena, &machine);
    if (done < 0)
        return done;
    report->feedback = field_of(&machine, "feedback-type");
    report->source = field_of(&machine, "source-ip");
    report->sender = field_of(&machine, "original-mail-from");
    report->said = said_by(report->feedback);
    return 0;
}

/* Two From fields, or two addresses, are nobody's. */
static struct weir_slice sender_of(const struct weir_message *message)
{
    size_t from = 0;
    const struct weir_field *field = weir_message_field(message, 0, "from", &from);
    struct weir_slice address = {"", 0};
    bool several = false;

    if (field)
        address = weir_header_address(field->value, &several);
    if (several || weir_message_field(message, 0, "from", &from))
        address.len = 0;
    return address;
}

int weir_report_read(const struct weir_message *message, enum weir_report_way wish,
                     struct weir_arena *arena, struct weir_report *report_r)
{
    static const struct weir_slice none = {"", 0};
    struct reading reading = {.message = message, .arena = arena, .report = report_r};
    int done;

    report_r->said = WEIR_REPORT_NOTHING;
    report_r->from = report_r->feedback = report_r->source = report_r->sender = none;
    report_r->originals = report_r->more = 0;
    look_through(&reading);
    report_r->way = way_of(&reading, wish);
    if (report_r->way == WEIR_REPORT_ITSELF) {
        report_r->original[report_r->originals++] =
            (struct weir_report_original){.octets = message->whole};
        return 0;
    }
    report_r->from = sender_of(message);
    done = report_r->way == WEIR_REPORT_ARF ? read_machine(&reading) : 0;
    return done < 0 ? done : take_attached(&reading);
}
