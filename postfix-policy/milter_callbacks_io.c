/*
 * milter_callbacks - collects a message through libmilter's callbacks and carries out its
 * outcome.
 *
 * libmilter calls back on changing threads, one at a time for a session; all that belongs to a
 * session hangs on its context.  libmilter gives callbacks nothing else to hold on to, so what
 * all sessions share stands in statics of this file, set before the first callback.
 *
 * The server never waits for an answer before the end of a message, so that it cannot be told
 * to skip the rest of a body: libmilter answers nothing where no answers were agreed on.
 * What it costs: nothing to messages below [milter] size, and to those above it a copy through a
 * socket, some 1.5 ms a megabyte; waiting would cost every message.
 *
 * Whatever goes wrong inside, the mail server gets an answer: accept or try again, as
 * configured.
 */
#include "postfix-policy/milter_callbacks_io.h"

#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <string.h>

#include "core/base/error.h"
#include "core/base/line.h"
#include "postfix-policy/milter_session.h"

#define FIELD_ROOM 2048 /* of a field's value; ours are below 1,100 */
#define REPLY_ROOM 981  /* libmilter takes 980 octets of a reply's words */

static struct weir_milter_service *the_service;
static struct weir_milter_memory memory = {.most = WEIR_MILTER_MEMORY_MAX};
static atomic_uint messages; /* at work; counted for the sake of those when told to stop */

unsigned weir_milter_messages(void)
{
    return atomic_load(&messages);
}

static struct weir_milter_session *session_of(SMFICTX *context)
{
    return smfi_getpriv(context);
}

/* libmilter's prototypes lack const; it only reads these. */
static char *text(const char *constant)
{
    return (char *)(uintptr_t)constant;
}

static const char *macro(SMFICTX *context, const char *name)
{
    const char *value = smfi_getsymval(context, text(name));
    return value ? value : "";
}

static sfsistat on_negotiate(SMFICTX *context, unsigned long f0, unsigned long f1,
                             unsigned long f2, unsigned long f3, unsigned long *pf0,
                             unsigned long *pf1, unsigned long *pf2, unsigned long *pf3)
{
    (void)context;
    (void)f2;
    (void)f3;
    *pf0 = f0 & (SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE);
    /* Nothing to answer before the end of the message: the server need not wait for it. */
    *pf1 = f1 & (SMFIP_HDR_LEADSPC | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
                 SMFIP_NR_RCPT | SMFIP_NR_DATA | SMFIP_NR_HDR | SMFIP_NR_EOH | SMFIP_NR_BODY |
                 SMFIP_NOUNKNOWN);
    *pf2 = *pf3 = 0;
    return SMFIS_CONTINUE;
}

/* The address of a socket in our form; false when it is not of the Internet. */
static bool address_of(const struct sockaddr *at, struct weir_address *address_r)
{
    static const uint8_t mapped[12] = {[10] = 0xff, [11] = 0xff};
    struct sockaddr_in v4;
    struct sockaddr_in6 v6;

    if (at && at->sa_family == AF_INET) {
        memcpy(&v4, at, sizeof v4);
        memcpy(address_r->octet, mapped, sizeof mapped);
        memcpy(address_r->octet + sizeof mapped, &v4.sin_addr, 4);
        return true;
    }
    if (!at || at->sa_family != AF_INET6)
        return false;
    memcpy(&v6, at, sizeof v6);
    memcpy(address_r->octet, &v6.sin6_addr, 16);
    return true;
}

static sfsistat on_connect(SMFICTX *context, char *name, _SOCK_ADDR *at)
{
    struct weir_milter_session *session = session_of(context);
    struct weir_address address;

    if (!session) {
        if (weir_milter_session_new(weir_milter_service_size(the_service), &memory,
                                    &session) < 0)
            return SMFIS_TEMPFAIL;
        smfi_setpriv(context, session);
    }
    weir_milter_session_connect(session, name, address_of(at, &address) ? &address : NULL);
    return SMFIS_NOREPLY;
}

static sfsistat on_helo(SMFICTX *context, char *helo)
{
    if (session_of(context))
        weir_milter_session_helo(session_of(context), helo ? helo : "");
    return SMFIS_NOREPLY;
}

static void forget_message(struct weir_milter_session *session)
{
    if (session && weir_milter_session_busy(session))
        atomic_fetch_sub(&messages, 1);
    if (session)
        weir_milter_session_reset(session);
}

static sfsistat on_mail(SMFICTX *context, char **arguments)
{
    bool authenticated = macro(context, "{auth_authen}")[0] != '\0';

    forget_message(session_of(context));
    atomic_fetch_add(&messages, 1);
    weir_milter_session_mail(session_of(context), arguments[0], authenticated,
                             macro(context, "{daemon_addr}"));
    return SMFIS_NOREPLY;
}

static sfsistat on_recipient(SMFICTX *context, char **arguments)
{
    weir_milter_session_recipient(session_of(context), arguments[0]);
    return SMFIS_NOREPLY;
}

static sfsistat on_field(SMFICTX *context, char *name, char *value)
{
    weir_milter_session_field(session_of(context), name, value);
    return SMFIS_NOREPLY;
}

static sfsistat on_head_ends(SMFICTX *context)
{
    weir_milter_session_head_ends(session_of(context));
    return SMFIS_NOREPLY;
}

static sfsistat on_body(SMFICTX *context, unsigned char *octets, size_t len)
{
    weir_milter_session_body(session_of(context), octets, len);
    return SMFIS_NOREPLY;
}

/* carrying out ------------------------------------------------------------------ */

/* Removes fields of this name, from the last to the one behind those that stay.  The mail server
 * looks for each from the top of the message, so that a flood of them is removed as far as
 * the limit only, from the top: whoever reads the first field of a name reads ours. */
static bool remove_fields(SMFICTX *context, const char *name, unsigned stay)
{
    unsigned n = weir_milter_session_count(session_of(context), name);

    if (n > WEIR_MILTER_REMOVED_MAX) {
        weir_log(weir_milter_service_log(the_service), WEIR_LOG_WARNING,
                 "%s: of %u fields %s from outside %d are removed", macro(context, "i"), n, name,
                 WEIR_MILTER_REMOVED_MAX);
        n = WEIR_MILTER_REMOVED_MAX;
    }
    for (; n > stay; n--)
        if (smfi_chgheader(context, text(name), (int)n, NULL) != MI_SUCCESS)
            return false;
    return true;
}

/* On top.  Half a field would be worse than none: a string cut in two decodes as forged. */
static bool add_field(SMFICTX *context, const struct weir_header_added *add)
{
    char room[FIELD_ROOM];
    struct weir_line value = weir_line(room, sizeof room);

    weir_line_text(&value, " "); /* leading blanks are ours to give, as negotiated */
    weir_line_text(&value, add->value);
    if (value.cut) {
        weir_log(weir_milter_service_log(the_service), WEIR_LOG_ERROR,
                 "%s is too long and left out", add->name);
        return true;
    }
    return smfi_insheader(context, 0, text(add->name), text(weir_line_end(&value))) == MI_SUCCESS;
}

static bool edit_header(SMFICTX *context, const struct weir_outcome *outcome,
                        const struct weir_milter_wishes *wishes)
{
    bool ours = wishes->policy_field && weir_milter_session_policy_first(session_of(context));

    for (size_t i = 0; i < outcome->removes; i++)
        if (!remove_fields(context, outcome->remove[i], 0))
            return false;
    if (!remove_fields(context, WEIR_POLICY_HEADER, ours ? 1 : 0))
        return false;
    for (size_t i = outcome->adds; i-- > 0;)
        if (!add_field(context, &outcome->add[i]))
            return false;
    return true;
}

/* The text up to the next blank, and *at behind it; "" when it does not fit. */
static const char *word(const char **at, char *buffer, size_t size)
{
    size_t len = strcspn(*at, " ");
    struct weir_line line = weir_line(buffer, size);

    weir_line_octets(&line, *at, len);
    *at += len + strspn(*at + len, " ");
    return line.cut ? "" : weir_line_end(&line);
}

/* "550 5.7.1 words", taken apart; '%' is a directive to some mail servers.  Without words that
 * libmilter takes the server says some of its own. */
static sfsistat refuse(SMFICTX *context, const struct weir_outcome *outcome)
{
    char code_room[4], enhanced_room[12], words_room[REPLY_ROOM];
    const char *at = outcome->reply;
    const char *code = word(&at, code_room, sizeof code_room);
    const char *enhanced = word(&at, enhanced_room, sizeof enhanced_room);
    struct weir_line words = weir_line(words_room, sizeof words_room);

    for (; *at; at++)
        weir_line_octets(&words, *at == '%' || *at == '\r' || *at == '\n' ? "?" : at, 1);
    (void)smfi_setreply(context, text(code), text(enhanced), text(weir_line_end(&words)));
    return outcome->action == WEIR_DEFER ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static int carry(void *context, const struct weir_outcome *outcome,
                 const struct weir_milter_wishes *wishes)
{
    int unjudged = wishes->tempfail ? SMFIS_TEMPFAIL : SMFIS_ACCEPT;

    if (!outcome)
        return unjudged;
    if (outcome->action == WEIR_REJECT || outcome->action == WEIR_DEFER)
        return refuse(context, outcome);
    if (edit_header(context, outcome, wishes) &&
        (outcome->action != WEIR_QUARANTINE ||
         smfi_quarantine(context, text("held by Weir: spam")) == MI_SUCCESS))
        return SMFIS_ACCEPT;
    weir_log(weir_milter_service_log(the_service), WEIR_LOG_ERROR,
             "the mail server does not take our changes");
    return unjudged;
}

static sfsistat on_message_ends(SMFICTX *context)
{
    struct weir_milter_session *session = session_of(context);
    struct weir_mail mail;
    int done;

    if (!weir_milter_session_end(session, macro(context, "i"), &mail))
        mail.message.len = 0;
    if (weir_milter_session_cut(session))
        weir_log(weir_milter_service_log(the_service), WEIR_LOG_WARNING,
                 "memory is short: %s is judged by its first %zu octets", macro(context, "i"),
                 mail.message.len);
    done = weir_milter_service_judge(the_service, &mail, carry, context);
    forget_message(session);
    return done;
}

static sfsistat on_abort(SMFICTX *context)
{
    forget_message(session_of(context));
    return SMFIS_CONTINUE;
}

static sfsistat on_close(SMFICTX *context)
{
    struct weir_milter_session *session = session_of(context);

    smfi_setpriv(context, NULL);
    forget_message(session);
    weir_milter_session_free(&session);
    return SMFIS_CONTINUE;
}

int weir_milter_register(struct weir_milter_service *service)
{
    struct smfiDesc filter = {
        .xxfi_name = text("weir"),
        .xxfi_version = SMFI_VERSION,
        .xxfi_flags = SMFIF_ADDHDRS | SMFIF_CHGHDRS | SMFIF_QUARANTINE,
        .xxfi_connect = on_connect,
        .xxfi_helo = on_helo,
        .xxfi_envfrom = on_mail,
        .xxfi_envrcpt = on_recipient,
        .xxfi_header = on_field,
        .xxfi_eoh = on_head_ends,
        .xxfi_body = on_body,
        .xxfi_eom = on_message_ends,
        .xxfi_abort = on_abort,
        .xxfi_close = on_close,
        .xxfi_negotiate = on_negotiate,
    };

    the_service = service;
    return smfi_register(filter) == MI_SUCCESS ? 0 : WEIR_ENOMEM;
}
