/*
 * ctl_check - weirctl check: judges messages as the mail server would, and says why.
 *
 * A message that was delivered begins with the Received field of one's own server: unless the
 * client's address is given, that field says who the client was.  Names of files are hostile: in a
 * folder of mail others choose them.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "core/engine/judges_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_mails_io.h"
#include "monitor/ctl/ctl_output.h"

#define PROFILED_RULES 20

struct check {
    struct weir_ctl *ctl;
    struct weir_judges *judges;
    struct weir_judge *judge;
    struct weir_arena *arena;       /* of the look at a message before it is judged */
    weir_time now;
    weir_time spent[WEIR_WORKS];
    uint64_t octets;
    size_t messages, unread;
};

static struct weir_slice option(const struct weir_ctl *ctl, enum weir_ctl_option letter)
{
    const char *text = ctl->option[letter];
    return (struct weir_slice){text ? text : "", text ? strlen(text) : 0};
}

/* Who handed the message in, by the command line. */
static int named_client(struct weir_ctl *ctl, struct weir_envelope *envelope)
{
    const char *text = ctl->option[WEIR_CTL_CLIENT_ADDRESS];

    if (weir_address_parse(text, strlen(text), &envelope->client) < 0)
        return weir_ctl_error(ctl, EX_USAGE, "--client-address %s: that is no address", text);
    envelope->has_client = true;
    return 0;
}

/* What the command line says, which knows better. */
static int read_options(struct weir_ctl *ctl, struct weir_mail *mail)
{
    if (ctl->option[WEIR_CTL_AUTHENTICATED])
        mail->envelope.authenticated = true;
    if (ctl->option[WEIR_CTL_SENDER])
        mail->envelope.sender = option(ctl, WEIR_CTL_SENDER);
    if (ctl->option[WEIR_CTL_CLIENT_NAME])
        mail->envelope.client_name = option(ctl, WEIR_CTL_CLIENT_NAME);
    if (ctl->option[WEIR_CTL_HELO])
        mail->envelope.helo = option(ctl, WEIR_CTL_HELO);
    return ctl->option[WEIR_CTL_CLIENT_ADDRESS] ? named_client(ctl, &mail->envelope) : 0;
}

/* As much of it as the mail server's programs look at, or the verdict would be another. */
static struct weir_slice beginning(struct check *check, const char *name, struct weir_slice octets)
{
    size_t most = (size_t)check->ctl->config.milter_size;
    char shown[WEIR_CTL_NAME];

    if (octets.len <= most)
        return octets;
    weir_ctl_error(check->ctl, 0, "%s: judged by its first %zu octets, as [milter] size says",
                   weir_ctl_visible((struct weir_slice){name, strlen(name)}, shown, sizeof shown),
                   most);
    return (struct weir_slice){octets.at, most};
}

static int judge_one(struct check *check, const char *name, struct weir_slice octets)
{
    struct weir_ctl *ctl = check->ctl;
    struct weir_slice recipient = option(ctl, WEIR_CTL_RECIPIENT);
    struct weir_mail mail = {.recipient = &recipient, .recipients = recipient.len > 0};
    const struct weir_judgement *judgement;
    int code;

    weir_arena_reset(check->arena, 1 << 20);
    octets = beginning(check, name, octets);
    mail.envelope.stage = WEIR_STAGE_END;
    mail.envelope.recipient = recipient;
    mail.message = octets;
    weir_ctl_mail_read(octets, check->arena, !ctl->option[WEIR_CTL_CLIENT_ADDRESS], &mail);
    code = read_options(ctl, &mail);
    if (code != 0)
        return code;
    if (weir_judge_mail(check->judge, check->now, &mail, &judgement) < 0)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    for (size_t i = 0; i < WEIR_WORKS; i++)
        check->spent[i] += judgement->spent[i];
    check->messages++;
    check->octets += octets.len;
    return weir_ctl_judgement_print(ctl, name, judgement);
}

static int judge_all(struct check *check, struct weir_ctl_files *files)
{
    struct weir_ctl_progress progress = weir_ctl_progress(check->ctl, "messages");
    struct weir_slice octets;
    const char *name;
    size_t done = 0;
    bool seen = weir_ctl_files_seen();
    int code = 0, got;

    while (code == 0 && (got = weir_ctl_files_next(files, &name, &octets)) != 0) {
        if (got < 0) {
            (void)weir_ctl_files_error(check->ctl, name, got);
            check->unread++;
        } else {
            code = judge_one(check, name, octets);
        }
        done++;
        if (!seen)
            weir_ctl_progress_step(&progress, done, weir_ctl_files_count(files));
    }
    (void)weir_ctl_progress_end(&progress);
    if (code == 0 && check->unread > 0)
        return EX_NOINPUT;
    return code;
}

static int print_profile(struct check *check)
{
    struct weir_judges_profile rule[PROFILED_RULES];
    size_t rules = weir_judges_profile(check->judges, rule, PROFILED_RULES);
    double each = check->messages > 0 ? 1.0 / (double)check->messages : 0;

    fprintf(stderr, "%zu messages, %.1f MB; microseconds a message:\n", check->messages,
            (double)check->octets / 1e6);
    for (size_t i = 0; i < WEIR_WORKS; i++)
        fprintf(stderr, "  %-12s %10.1f\n", weir_work_name((enum weir_stage_of_work)i),
                (double)check->spent[i] * each);
    fprintf(stderr, "of these, the rules that took most:\n");
    for (size_t i = 0; i < rules; i++)
        fprintf(stderr, "  %-32s %8.2f  tried %llu times\n", rule[i].name,
                (double)rule[i].nanoseconds / 1000 * each, (unsigned long long)rule[i].tried);
    return 0;
}

/* A verdict without lists or counters may be another than the mail server's: say so. */
static void tell_missing(struct weir_ctl *ctl)
{
    for (size_t i = 0; i < ctl->notes; i++)
        weir_ctl_error(ctl, 0, "%s", ctl->note[i]);
    if (!ctl->stores.lists)
        weir_ctl_error(ctl, 0, "judged without the lists");
    if (!ctl->stores.counters)
        weir_ctl_error(ctl, 0, "judged without the counters");
}

static int open_judges(struct check *check)
{
    struct weir_ctl *ctl = check->ctl;
    struct weir_judges_options options = {
        .program = "weirctl",
        .timed = ctl->option[WEIR_CTL_PROFILE] != NULL,
        .profile = ctl->option[WEIR_CTL_PROFILE] != NULL,
        .hidden = ctl->option[WEIR_CTL_HIDDEN] != NULL,
    };

    check->arena = weir_arena_new(65536);
    if (!check->arena ||
        weir_judges_open(&ctl->config, &ctl->stores, &options, &ctl->log, &check->judges) < 0 ||
        (check->judge = weir_judges_take(check->judges)) == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    return 0;
}

int weir_ctl_check(struct weir_ctl *ctl)
{
    struct check check = {.ctl = ctl, .now = weir_ctl_now()};
    struct weir_ctl_files *files = NULL;
    int code = weir_ctl_open(ctl, WEIR_STORES_READ);

    if (code == 0)
        code = open_judges(&check);
    if (code == 0)
        code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, "", &files);
    if (code == 0)
        tell_missing(ctl);
    if (code == 0)
        code = judge_all(&check, files);
    if (check.judges)
        weir_judges_give(check.judges, &check.judge);
    if (check.messages > 0 && ctl->option[WEIR_CTL_PROFILE])
        print_profile(&check);
    weir_ctl_files_free(&files);
    weir_judges_free(&check.judges);
    weir_arena_free(&check.arena);
    return code;
}
