/*
 * milter_callbacks - collects a message through libmilter's callbacks and carries out its
 * outcome.
 *
 * libmilter calls back on changing threads, one at a time for a session; all that belongs to a
 * session hangs on its context.  libmilter gives callbacks nothing else to hold on to, so the
 * service stands in the one static of this file, set before the first callback.
 *
 * Whatever goes wrong inside, the mail server gets an answer: accept or try again, as
 * configured.
 */
#include "postfix-policy/milter_callbacks_io.h"

#include <libmilter/mfapi.h>
#include <netinet/in.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "core/base/error.h"
#include "postfix-policy/milter_session.h"

static struct weir_milter_service *the_service;
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
    *pf1 = f1 & (SMFIP_HDR_LEADSPC | SMFIP_SKIP | SMFIP_NR_CONN | SMFIP_NR_HELO | SMFIP_NR_MAIL |
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
        if (weir_milter_session_new(weir_milter_service_size(the_service), &session) < 0)
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

static bool edit_headers(SMFICTX *context, const struct weir_outcome *outcome)
{
    for (size_t i = 0; i < outcome->removes; i++)
        for (unsigned n = weir_milter_session_count(session_of(context), outcome->remove[i]);
             n > 0; n--)
            if (smfi_chgheader(context, text(outcome->remove[i]), (int)n, NULL) != MI_SUCCESS)
                return false;
    for (size_t i = outcome->adds; i-- > 0;) {
        const struct weir_header_added *add = &outcome->add[i];
        char value[2 * WEIR_DECISION_TEXT];

        /* leading blanks are ours to give, as negotiated */
        snprintf(value, sizeof value, " %s", add->value);
        if (smfi_insheader(context, 0, text(add->name), value) != MI_SUCCESS)
            return false;
    }
    return true;
}

/* "550 5.7.1 words", taken apart; '%' is a directive to some mail servers. */
static sfsistat refuse(SMFICTX *context, const struct weir_outcome *outcome)
{
    char code[4], enhanced[12], words[WEIR_DECISION_TEXT];
    bool later = outcome->action == WEIR_DEFER;

    if (sscanf(outcome->reply, "%3s %11s %1023[^\n]", code, enhanced, words) == 3) {
        for (char *at = words; (at = strchr(at, '%')) != NULL;)
            *at = '?';
        (void)smfi_setreply(context, code, enhanced, words);
    }
    return later ? SMFIS_TEMPFAIL : SMFIS_REJECT;
}

static int carry(void *context, const struct weir_outcome *outcome, bool tempfail)
{
    if (!outcome)
        return tempfail ? SMFIS_TEMPFAIL : SMFIS_ACCEPT;
    if (outcome->action == WEIR_REJECT || outcome->action == WEIR_DEFER)
        return refuse(context, outcome);
    if (!edit_headers(context, outcome) ||
        (outcome->action == WEIR_QUARANTINE &&
         smfi_quarantine(context, text("held by Weir: spam")) != MI_SUCCESS)) {
        weir_log(weir_milter_service_log(the_service), WEIR_LOG_ERROR,
                 "the mail server does not take our changes");
        return tempfail ? SMFIS_TEMPFAIL : SMFIS_ACCEPT;
    }
    return SMFIS_ACCEPT;
}

static sfsistat on_message_ends(SMFICTX *context)
{
    struct weir_milter_session *session = session_of(context);
    struct weir_mail mail;
    int done;

    if (!weir_milter_session_end(session, macro(context, "i"), &mail))
        mail.message.len = 0;
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
