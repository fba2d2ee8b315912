/*
 * weir-exim.so - Weir inside Exim: local_scan() for whole messages, and functions for ACLs.
 *
 * The one file that knows Exim's header.  It gathers what Exim knows, has it decided, and carries
 * the outcome out.  State is kept for the process in one struct; what came from outside never
 * reaches expand_string(), and whatever is handed to Exim is marked as tainted, since senders
 * may have had a hand in it.  A crash or a loop in here is caught by Exim, which closes that
 * one connection with 421; nothing here uses alarm(), its signal handlers or longjmp().
 *
 * Refuses nothing by itself: on a failure of ours the message is accepted or deferred as
 * [message] on_failure says.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>

#include "core/base/error.h"
#include "exim-module/acl_functions_io.h"
#include "exim-module/exim_decide_io.h"
#include "exim-module/exim_mail_io.h"

#define LOCAL_SCAN
#include <local_scan.h>

/* Exim builds an added header in 32 kB and dies when it does not fit. */
#define HEADER_MOST 16000
#define TIME_MOST (60 * WEIR_SECOND) /* for a message, when Exim sets no limit */
#define ARENA_FIRST 16384

int weir_blacklisted(uschar **yield, int argc, uschar *argv[]);
int weir_reputation(uschar **yield, int argc, uschar *argv[]);
int weir_preload(uschar **yield, int argc, uschar *argv[]);
int local_scan_version_major(void);
int local_scan_version_minor(void);

int local_scan_version_major(void)
{
    return LOCAL_SCAN_ABI_VERSION_MAJOR;
}

int local_scan_version_minor(void)
{
    return LOCAL_SCAN_ABI_VERSION_MINOR;
}

/* this process ----------------------------------------------------------- */

static void log_line(void *context, enum weir_log_level level, const char *line)
{
    static const char *const word[] = {"error: ", "warning: ", "", ""};

    (void)context;
    log_write(0, LOG_MAIN, "weir: %s%s", word[level], line);
}

/* What the Makefile has LMDB's archive call stderr, where it says why it is about to abort(). */
extern FILE *weir_lmdb_stderr;
FILE *weir_lmdb_stderr __attribute__((visibility("hidden")));

static struct weir_exim_process process = {
    .log = {.write = log_line, .most = WEIR_LOG_INFO},
};

__attribute__((destructor)) static void end_of_process(void)
{
    weir_exim_process_end(&process);
}

/* Expands a text of ours; "" when that fails. */
static const char *expanded(const char *constant)
{
    const uschar *text = expand_string((uschar *)(uintptr_t)constant);

    return text ? (const char *)text : "";
}

/* Where the administrator's ACL says, else the usual place.  Only ACLs can set it. */
static int use_configuration(void)
{
    weir_lmdb_stderr = stderr;
    return weir_exim_process_use(&process,
                                 expanded("${if def:acl_c_weir_config {$acl_c_weir_config}}"));
}

/* local_scan ---------------------------------------------------------------- */

/* Half of what is left until Exim loses patience. */
static weir_time time_left(void)
{
    struct itimerval timer;
    weir_time left;

    if (getitimer(ITIMER_REAL, &timer) < 0)
        return TIME_MOST;
    left = (weir_time)timer.it_value.tv_sec * WEIR_SECOND + timer.it_value.tv_usec;
    return left <= 0 || left > 2 * TIME_MOST ? TIME_MOST : left / 2;
}

static int gather_fields(struct weir_arena *arena, struct weir_exim_message *message)
{
    struct weir_exim_field *field;
    size_t fields = 0;

    for (const header_line *at = header_list; at; at = at->next)
        fields++;
    field = weir_arena_zero(arena, fields + 1, sizeof *field);
    if (!field)
        return WEIR_ENOMEM;
    message->field = field;
    for (const header_line *at = header_list; at; at = at->next) {
        if (!at->text || at->slen < 0)
            continue;
        field->text = (struct weir_slice){(const char *)at->text, (size_t)at->slen};
        field->deleted = at->type == '*';
        field++;
    }
    message->fields = (size_t)(field - message->field);
    return 0;
}

static int gather_recipients(struct weir_arena *arena, struct weir_exim_message *message)
{
    size_t most = recipients_count < WEIR_RECIPIENTS_MAX ? (size_t)recipients_count
                                                         : WEIR_RECIPIENTS_MAX;
    struct weir_slice *recipient = weir_arena_zero(arena, most + 1, sizeof *recipient);

    if (!recipient)
        return WEIR_ENOMEM;
    for (size_t i = 0; i < most; i++) {
        const char *address = (const char *)recipients_list[i].address;

        recipient[i] = (struct weir_slice){address, strlen(address)};
    }
    message->recipient = recipient;
    message->recipients = most;
    return 0;
}

static int gather(int fd, struct weir_arena *arena, struct weir_mail *mail_r, char **octets_r)
{
    struct weir_exim_message message = {
        .body = fd,
        .body_at = SPOOL_DATA_START_OFFSET,
        .id = (const char *)message_id,
        .client = (const char *)sender_host_address,
        .client_name = (const char *)sender_host_name,
        .helo = expanded("$sender_helo_name"),
        .sender = (const char *)sender_address,
        .listener_address = (const char *)interface_address,
        .listener_port = interface_port,
        .authenticated = sender_host_authenticated != NULL,
    };

    if (gather_fields(arena, &message) < 0 || gather_recipients(arena, &message) < 0)
        return WEIR_ENOMEM;
    return weir_exim_mail(&message, (size_t)process.config.milter_size, arena, mail_r, octets_r);
}

static uschar *tainted(const char *text)
{
    return string_copy_taint((const uschar *)text, GET_TAINTED);
}

/* Exim keeps what is removed as a mark in its list, and parts what is added at line ends that
 * no blank follows: there are none within a value (outcome.h), and one behind it. */
static void change_header(const struct weir_outcome *outcome)
{
    for (size_t i = 0; i < outcome->removes; i++)
        header_remove(0, (const uschar *)outcome->remove[i]);
    header_remove(0, (const uschar *)"X-Weir-Policy"); /* of weir-policyd, so foreign here */
    for (size_t i = outcome->adds; i-- > 0;) {
        const struct weir_header_added *add = &outcome->add[i];

        if (strlen(add->name) + strlen(add->value) > HEADER_MOST)
            continue;
        header_add_at_position(FALSE, NULL, FALSE, ' ', "%s: %s\n", tainted(add->name),
                               tainted(add->value));
    }
}

/* Without its code: Exim puts one in front. */
static uschar *reply_text(const char *reply)
{
    size_t digits = strspn(reply, "0123456789");

    if (digits == 3 && reply[3] == ' ')
        reply += 4;
    return reply[0] ? tainted(reply) : NULL;
}

/* What a program of this machine hands in is tagged and let through: to refuse it is to make a
 * bounce of it, which comes in here next, and that one's refusal would be a lost message. */
static enum weir_action action_of(const struct weir_outcome *outcome)
{
    return sender_host_address ? outcome->action : WEIR_PASS;
}

static int carry_out(const struct weir_outcome *outcome, uschar **return_text)
{
    enum weir_action action = action_of(outcome);

    weir_log(&process.log, WEIR_LOG_INFO, "%s", outcome->log);
    switch (action) {
    case WEIR_REJECT:
        *return_text = reply_text(outcome->reply);
        return LOCAL_SCAN_REJECT;
    case WEIR_DEFER:
        *return_text = reply_text(outcome->reply);
        return LOCAL_SCAN_TEMPREJECT;
    default:
        break;
    }
    change_header(outcome);
    *return_text = (uschar *)(uintptr_t)weir_verdict_name(outcome->verdict); /* $local_scan_data */
    return action == WEIR_QUARANTINE ? LOCAL_SCAN_ACCEPT_FREEZE : LOCAL_SCAN_ACCEPT;
}

static int failed(const char *why, uschar **return_text)
{
    bool wait = process.config.on_failure == WEIR_ON_FAILURE_TEMPFAIL;

    weir_log(&process.log, WEIR_LOG_ERROR, "message not judged (%s): %s", why,
             wait ? "deferred" : "accepted as it is");
    if (wait)
        *return_text = (uschar *)(uintptr_t)"4.3.0 The message cannot be checked now";
    return wait ? LOCAL_SCAN_TEMPREJECT : LOCAL_SCAN_ACCEPT;
}

static int scan(int fd, struct weir_arena *arena, uschar **return_text)
{
    struct weir_exim_decision decision = {.process = &process, .arena = arena,
                                          .left = time_left()};
    struct weir_mail mail;
    char *octets = NULL;
    int done = gather(fd, arena, &mail, &octets), answer;

    if (done == 0)
        done = weir_exim_decide(&decision, &mail);
    answer = done < 0 ? failed(weir_error_reason(done), return_text)
                      : carry_out(decision.outcome, return_text);
    weir_exim_decided(&decision);
    free(octets);
    return answer;
}

int local_scan(int fd, uschar **return_text)
{
    struct weir_arena *arena;
    int answer;

    if (recipients_count <= 0) /* an ACL has thrown it away */
        return LOCAL_SCAN_ACCEPT;
    if (use_configuration() < 0)
        return failed("the configuration cannot be used", return_text);
    arena = weir_arena_new(ARENA_FIRST);
    if (!arena)
        return failed("memory is short", return_text);
    process.busy = true;
    answer = scan(fd, arena, return_text);
    process.busy = false;
    weir_arena_free(&arena);
    return answer;
}

/* functions for ACLs -------------------------------------------------------- */

static const char *argument(int argc, uschar *argv[], int i)
{
    return i < argc ? (const char *)argv[i] : NULL;
}

/* ${dlfunc{/usr/lib/weir/weir-exim.so}{weir_blacklisted}{$sender_host_address}}: yes or no. */
int weir_blacklisted(uschar **yield, int argc, uschar *argv[])
{
    bool listed = argc > 0 && use_configuration() == 0 &&
                  weir_acl_blacklisted(&process, argument(argc, argv, 0));

    *yield = (uschar *)(uintptr_t)(listed ? "yes" : "no");
    return OK;
}

/* ${dlfunc{/usr/lib/weir/weir-exim.so}{weir_reputation}{$sender_host_address}{$sender_address}
 * {$local_part@$domain}}: words for ${extract}. */
int weir_reputation(uschar **yield, int argc, uschar *argv[])
{
    const struct weir_acl_question question = {
        .client = argument(argc, argv, 0),
        .sender = argument(argc, argv, 1),
        .recipient = argument(argc, argv, 2) ? argument(argc, argv, 2) : "",
        .helo = expanded("$sender_helo_name"),
        .client_name = (const char *)sender_host_name,
    };
    char text[WEIR_ACL_TEXT];

    if (use_configuration() == 0)
        *yield = tainted(weir_acl_reputation(&process, &question, text));
    else
        *yield = (uschar *)(uintptr_t)WEIR_ACL_NOTHING;
    return OK;
}

/* smtp_accept_max_per_host = ${dlfunc{/usr/lib/weir/weir-exim.so}{weir_preload}{0}}: Exim's daemon
 * expands that before it forks, and so has the module and its configuration for all its
 * children.  Yields its argument. */
int weir_preload(uschar **yield, int argc, uschar *argv[])
{
    (void)use_configuration();
    *yield = argc > 0 ? argv[0] : (uschar *)(uintptr_t)"0";
    return OK;
}
