/*
 * ctl_gateways - weirctl gateways: what is known of hosts that only pass mail on.
 *
 * Learns from the lines of the spool, each of which tells the hops of a message and how far they
 * were believed when it was judged; nothing is taken for a gateway without corroboration
 * (core/mail/gateways.h), and a person can approve or reject.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "core/base/error.h"
#include "core/engine/gateways_io.h"
#include "core/store/spool_line.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_output.h"

struct desk {
    struct weir_ctl *ctl;
    struct weir_gateways *gateways;
    const char *path;
    int lock;                /* of the file, while it is changed */
    json_t *rows;            /* of list --json */
    size_t lines, left_out, changes;
};

static void close_desk(struct desk *desk)
{
    weir_gateways_free(&desk->gateways);
    if (desk->lock > 0)
        weir_gateways_unlock(desk->lock);
}

/* With change, nobody else changes the file before it is closed. */
static int open_desk(struct desk *desk, bool change)
{
    struct weir_ctl *ctl = desk->ctl;
    int code = weir_ctl_open(ctl, WEIR_STORES_READ), done;

    if (code != 0)
        return code;
    desk->path = weir_config_path(&ctl->config, ctl->config.gateways_file, ctl->arena);
    if (desk->path && change && (desk->lock = weir_gateways_lock(desk->path)) < 0)
        return weir_ctl_error(ctl, EX_CANTCREAT, "%s-lock: %s", desk->path,
                              weir_error_reason(desk->lock));
    done = desk->path ? weir_gateways_open(&ctl->config, &ctl->stores.key, desk->path,
                                           &desk->gateways)
                      : WEIR_ENOMEM;
    if (done == WEIR_ECORRUPT)
        return weir_ctl_error(ctl, EX_UNAVAILABLE, "%s: damaged; take it away, then gateways are "
                              "learned anew", desk->path);
    return done < 0 ? weir_ctl_error(ctl, EX_UNAVAILABLE, "%s: %s", desk->path ? desk->path : "",
                                     weir_error_reason(done))
                    : 0;
}

static int keep(struct desk *desk)
{
    int done = weir_gateways_keep(desk->gateways, desk->path);

    return done < 0 ? weir_ctl_error(desk->ctl, EX_IOERR, "%s: %s", desk->path,
                                     weir_error_reason(done))
                    : 0;
}

/* learning -------------------------------------------------------------------------- */

static bool read_time(struct weir_slice text, weir_time *time_r)
{
    char time[WEIR_TIME_TEXT];

    snprintf(time, sizeof time, "%.*s", (int)(text.len < sizeof time ? text.len : 0), text.at);
    return weir_ctl_time_parse(time, time_r) == 0;
}

static void learn_line(struct desk *desk, struct weir_slice text)
{
    struct weir_gateway_sighting about;
    struct weir_boundary boundary;
    struct weir_spool_line line;
    weir_time at;

    if (weir_spool_line_read(text, &line) < 1 || !read_time(line.at, &at)) {
        desk->left_out += text.len > 0;
        return;
    }
    about = (struct weir_gateway_sighting){
        .at = at,
        .listener = line.listener,
        .domain = line.domain,
        .recipient = line.recipient,
        .dkim_domain = line.dkim,
    };
    boundary = (struct weir_boundary){
        .found = line.found, .index = line.index, .hop = line.hop, .hops = line.hops};
    weir_boundary_observe(desk->gateways, &boundary, &about);
    desk->lines++;
}

static void learn_text(struct desk *desk, struct weir_slice text)
{
    while (text.len > 0) {
        const char *end = memchr(text.at, '\n', text.len);
        size_t len = end ? (size_t)(end - text.at) : text.len;

        learn_line(desk, (struct weir_slice){text.at, len});
        text.at += end ? len + 1 : len;
        text.len -= end ? len + 1 : len;
    }
}

static void tell_change(void *context, const struct weir_address *address,
                        enum weir_gateway_state was, enum weir_gateway_state is, const char *why)
{
    struct desk *desk = context;
    char text[WEIR_ADDRESS_TEXT];

    desk->changes++;
    if (!desk->ctl->option[WEIR_CTL_JSON])
        printf("%s: %s, was %s: %s\n", weir_address_format(address, text),
               weir_gateway_state_name(is), weir_gateway_state_name(was), why);
}

/* Of a folder the files that are done: what is still being written would be learned twice. */
static int learn_files(struct desk *desk)
{
    struct weir_ctl *ctl = desk->ctl;
    struct weir_ctl_files *files;
    struct weir_slice octets;
    const char *name;
    int code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, ".log", &files), got;

    if (code != 0)
        return code;
    while ((got = weir_ctl_files_next(files, &name, &octets)) == 1)
        learn_text(desk, octets);
    code = got < 0 ? weir_ctl_files_error(ctl, name, got) : 0;
    weir_ctl_files_free(&files);
    return code;
}

int weir_ctl_gateways_learn(struct weir_ctl *ctl)
{
    struct desk desk = {.ctl = ctl};
    weir_time now;
    int code = weir_ctl_as_of(ctl, &now);

    if (code == 0)
        code = open_desk(&desk, true);
    if (code == 0)
        code = learn_files(&desk);
    if (code == 0) {
        weir_gateways_review(desk.gateways, now, tell_change, &desk);
        code = keep(&desk);
    }
    close_desk(&desk);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_pack("{s:I, s:I, s:I}", "messages", (json_int_t)desk.lines,
                                            "left_out", (json_int_t)desk.left_out, "changes",
                                            (json_int_t)desk.changes));
    printf("%zu messages read, %zu lines left out that tell of none, %zu changes\n", desk.lines,
           desk.left_out, desk.changes);
    return 0;
}

/* showing ---------------------------------------------------------------------------- */

static int show_one(void *context, const struct weir_gateway_view *view)
{
    struct desk *desk = context;
    char text[WEIR_ADDRESS_TEXT];

    weir_address_format(&view->address, text);
    if (!desk->rows) {
        printf("%-39s %-10s %9.0f messages, %5.1f %% of its listener's, %.0f networks behind%s%s\n",
               text, weir_gateway_state_name(view->state), view->messages, 100 * view->share,
               view->networks, view->why && view->why[0] ? ": " : "", view->why ? view->why : "");
        return 0;
    }
    json_array_append_new(
        desk->rows,
        json_pack("{s:s, s:s, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:s}", "address", text,
                  "state", weir_gateway_state_name(view->state), "messages",
                  weir_ctl_json_number(view->messages), "share",
                  weir_ctl_json_number(view->share), "networks",
                  weir_ctl_json_number(view->networks), "domains",
                  weir_ctl_json_number(view->domains), "recipients",
                  weir_ctl_json_number(view->recipients), "days",
                  weir_ctl_json_number(view->days), "first", weir_ctl_json_time(view->first),
                  "last", weir_ctl_json_time(view->last), "why", view->why ? view->why : ""));
    return 0;
}

int weir_ctl_gateways_list(struct weir_ctl *ctl)
{
    struct desk desk = {.ctl = ctl};
    int code = open_desk(&desk, false);

    if (code == 0) {
        desk.rows = ctl->option[WEIR_CTL_JSON] ? json_array() : NULL;
        (void)weir_gateways_each(desk.gateways, weir_ctl_now(), show_one, &desk);
    }
    close_desk(&desk);
    return desk.rows ? weir_ctl_json(ctl, desk.rows) : code;
}

/* deciding ---------------------------------------------------------------------------- */

static const struct weir_slice anybody = {"", 0};

/* Writes down what was decided; to forget takes something that is known. */
static int decide_and_keep(struct desk *desk, const struct weir_address *address,
                           enum weir_gateway_state state)
{
    const char *text = desk->ctl->argument[0];

    if (state == WEIR_GATEWAY_NONE &&
        weir_gateways_state(desk->gateways, address, anybody) == WEIR_GATEWAY_NONE)
        return weir_ctl_error(desk->ctl, WEIR_CTL_NOT_THERE, "nothing is known of %s", text);
    if (weir_gateways_decide(desk->gateways, address, state, weir_ctl_now()) < 0)
        return weir_ctl_error(desk->ctl, EX_UNAVAILABLE, "%s: there is no room for it", text);
    return keep(desk);
}

/* What is known of it now: the configuration, for one, may know better. */
static int print_state(const struct desk *desk, const struct weir_address *address)
{
    const char *state = weir_gateway_state_name(
        weir_gateways_state(desk->gateways, address, anybody));
    char text[WEIR_ADDRESS_TEXT];

    weir_address_format(address, text);
    if (desk->ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(desk->ctl,
                             json_pack("{s:s, s:s}", "address", text, "state", state));
    printf("%s: %s\n", text, state);
    return 0;
}

static int decide(struct weir_ctl *ctl, enum weir_gateway_state state)
{
    struct desk desk = {.ctl = ctl};
    const char *text = ctl->argument[0];
    struct weir_address address;
    int code;

    if (weir_address_parse(text, strlen(text), &address) < 0)
        return weir_ctl_error(ctl, EX_USAGE, "%s is no address", text);
    code = open_desk(&desk, true);
    if (code == 0)
        code = decide_and_keep(&desk, &address, state);
    if (code == 0)
        code = print_state(&desk, &address);
    close_desk(&desk);
    return code;
}

int weir_ctl_gateways_approve(struct weir_ctl *ctl)
{
    return decide(ctl, WEIR_GATEWAY_ACTIVE);
}

int weir_ctl_gateways_reject(struct weir_ctl *ctl)
{
    return decide(ctl, WEIR_GATEWAY_REJECTED);
}

int weir_ctl_gateways_forget(struct weir_ctl *ctl)
{
    return decide(ctl, WEIR_GATEWAY_NONE);
}
