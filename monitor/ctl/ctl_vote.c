/*
 * ctl_vote - enters what people and programs say about mail, and takes it back.
 *
 * One vote, or a log of them.  A vote counts from its own time on, so taking it
 * back needs that time to the microsecond; a vote entered now gets a whole
 * second, which can be typed again.  Refuses votes from the future: they would
 * weigh more than all that comes before it.
 */
#include "monitor/ctl/ctl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_judge.h"
#include "monitor/ctl/ctl_output.h"

struct order {
    struct weir_address address;
    struct weir_slice domain;
    struct weir_vote vote;
    weir_time when;
    long count;
    bool undo;
};

/* Reading the command line. -------------------------------------------------------- */

static int read_word(struct weir_ctl *ctl, const char *name, const char *word,
                     const char *const *words, int *which_r)
{
    for (int i = 0; words[i] != NULL; i++)
        if (strcasecmp(word, words[i]) == 0) {
            *which_r = i;
            return 0;
        }
    return weir_ctl_error(ctl, EX_USAGE, "%s %s: not %s, %s%s%s", name, word, words[0], words[1],
                          words[2] != NULL ? " or " : "", words[2] != NULL ? words[2] : "");
}

static int read_vote(struct weir_ctl *ctl, struct weir_vote *vote_r)
{
    static const char *const verdicts[] = {"spam", "good", "unsure", "ham", NULL};
    static const char *const voters[] = {"user", "computer", NULL};
    const char *verdict = ctl->option[WEIR_CTL_VERDICT];
    const char *by = ctl->option[WEIR_CTL_BY] != NULL ? ctl->option[WEIR_CTL_BY] : "user";
    int which = 0, who = 0;
    if (verdict == NULL)
        return weir_ctl_error(ctl, EX_USAGE, "--verdict is missing: spam, good or unsure");
    int code = read_word(ctl, "--verdict", verdict, verdicts, &which);
    if (code == 0)
        code = read_word(ctl, "--by", by, voters, &who);
    vote_r->verdict = which == 3 ? WEIR_VOTE_GOOD : (enum weir_vote_verdict)which;
    vote_r->voter = (enum weir_vote_voter)who;
    return code;
}

static int read_count(struct weir_ctl *ctl, long *count_r)
{
    const char *text = ctl->option[WEIR_CTL_COUNT];
    char *end;
    *count_r = 1;
    if (text == NULL)
        return 0;
    errno = 0;
    *count_r = strtol(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0' || *count_r < 1 ||
        *count_r > WEIR_CTL_COUNT_MAX)
        return weir_ctl_error(ctl, EX_USAGE, "--count %s: not a number from 1 to %d", text,
                              WEIR_CTL_COUNT_MAX);
    return 0;
}

static int read_when(struct weir_ctl *ctl, weir_time now, weir_time *when_r)
{
    int code = weir_ctl_as_of(ctl, when_r);
    if (code != 0)
        return code;
    if (*when_r > now + WEIR_CTL_CLOCKS_DIFFER)
        return weir_ctl_error(ctl, EX_USAGE, "--at %s lies in the future",
                              ctl->option[WEIR_CTL_AT]);
    return 0;
}

static int read_order(struct weir_ctl *ctl, weir_time now, struct order *order)
{
    const char *address = ctl->argument[0];
    const char *domain = ctl->arguments > 1 ? ctl->argument[1] : "";
    char normal[WEIR_DOMAIN_TEXT];
    if (strcmp(domain, "-") == 0)
        domain = "";
    order->domain = (struct weir_slice){domain, strlen(domain)};
    if (weir_address_parse(address, strlen(address), &order->address) != 0)
        return weir_ctl_error(ctl, EX_USAGE, "%s is not an address", address);
    if (domain[0] != '\0' && weir_domain_normal(domain, strlen(domain), normal) != 1)
        return weir_ctl_error(ctl, EX_USAGE, "%s is not a domain", domain);
    if (order->undo && ctl->option[WEIR_CTL_AT] == NULL)
        return weir_ctl_error(ctl, EX_USAGE, "--at is missing: the time that was printed when the "
                              "vote was added");
    int code = read_vote(ctl, &order->vote);
    if (code == 0)
        code = read_count(ctl, &order->count);
    return code != 0 ? code : read_when(ctl, now, &order->when);
}

/* One vote. -------------------------------------------------------------------------- */

static int not_stored(struct weir_ctl *ctl, int rc, size_t lost)
{
    return weir_ctl_error(ctl, EX_TEMPFAIL, "not stored: %s (%zu counters lost); see weirctl "
                          "status, and try again", weir_error_reason(rc), lost);
}

static int enter(struct weir_ctl *ctl, const struct order *order,
                 struct weir_ctl_question *question)
{
    size_t lost;
    int rc = weir_ctl_enter(ctl, order->when, question, order->undo, order->vote, order->count,
                            &lost);
    return rc != 0 ? not_stored(ctl, rc, lost) : 0;
}

/* The time as it must be given to undo: whole seconds as a date. */
static const char *exact(weir_time when, char buffer[static WEIR_CTL_TEXT])
{
    char text[WEIR_TIME_TEXT];
    if (when % WEIR_SECOND == 0)
        snprintf(buffer, WEIR_CTL_TEXT, "%s", weir_time_format(when, text));
    else
        snprintf(buffer, WEIR_CTL_TEXT, "%lld.%06lld", (long long)(when / WEIR_SECOND),
                 (long long)(when % WEIR_SECOND));
    return buffer;
}

static json_t *judged_as_json(const struct weir_ctl *ctl, const struct weir_reputation *r)
{
    return json_pack("{s:o, s:o, s:s, s:s}", "probability", weir_ctl_json_number(r->probability),
                     "confidence", weir_ctl_json_number(r->confidence), "basis",
                     weir_basis_name(r->basis), "judged", weir_ctl_called(ctl, r));
}

static int tell_json(struct weir_ctl *ctl, const struct order *order,
                     const struct weir_ctl_question *question,
                     const struct weir_reputation reputation[2])
{
    char address[WEIR_ADDRESS_TEXT], at[WEIR_CTL_TEXT];
    weir_address_format(&order->address, address);
    return weir_ctl_json(
        ctl, json_pack("{s:b, s:s, s:s, s:s, s:s, s:I, s:s, s:o, s:o, s:o}", "stored", 1,
                       "address", address, "domain", question->domain, "verdict",
                       ctl->option[WEIR_CTL_VERDICT], "by",
                       order->vote.voter == WEIR_VOTE_USER ? "user" : "computer", "count",
                       (json_int_t)order->count, "at", exact(order->when, at), "time",
                       weir_ctl_json_number((double)order->when / (double)WEIR_SECOND), "was",
                       judged_as_json(ctl, &reputation[0]), "is",
                       judged_as_json(ctl, &reputation[1])));
}

static void tell_one(struct weir_ctl *ctl, const char *when, const struct weir_reputation *r)
{
    printf("  %s %.2f %% spam, confidence %.2f, decided by %s: %s\n", when, 100 * r->probability,
           r->confidence, weir_basis_name(r->basis), weir_ctl_called(ctl, r));
}

static int tell(struct weir_ctl *ctl, const struct order *order,
                const struct weir_ctl_question *question,
                const struct weir_reputation reputation[2])
{
    char address[WEIR_ADDRESS_TEXT], at[WEIR_CTL_TEXT];
    const char *by = order->vote.voter == WEIR_VOTE_USER ? "user" : "computer";
    if (ctl->option[WEIR_CTL_JSON] != NULL)
        return tell_json(ctl, order, question, reputation);
    weir_address_format(&order->address, address);
    exact(order->when, at);
    printf("%s %s: %s by %s %s\n", address, question->domain[0] != '\0' ? question->domain : "-",
           ctl->option[WEIR_CTL_VERDICT], by, order->undo ? "taken back" : "noted");
    tell_one(ctl, "was", &reputation[0]);
    tell_one(ctl, "is ", &reputation[1]);
    if (!order->undo)
        printf("take it back with\n  weirctl reputation undo --verdict %s --by %s --at %s%s%s %s "
               "%s\n", ctl->option[WEIR_CTL_VERDICT], by, at,
               ctl->option[WEIR_CTL_COUNT] != NULL ? " --count " : "",
               ctl->option[WEIR_CTL_COUNT] != NULL ? ctl->option[WEIR_CTL_COUNT] : "", address,
               question->domain[0] != '\0' ? question->domain : "-");
    return 0;
}

/* Whether any counter that was read has changed, as of its own time. */
static bool same(const struct weir_ctl_question *a, const struct weir_ctl_question *b)
{
    for (size_t i = 0; i < a->readings; i++)
        if (a->reading[i].value != b->reading[i].value)
            return false;
    return true;
}

static int do_one(struct weir_ctl *ctl, struct order *order, weir_time now)
{
    struct weir_ctl_question question, before;
    struct weir_reputation reputation[2];
    weir_ctl_plan(ctl, &order->address, order->domain,
                  ctl->option[WEIR_CTL_AUTHENTICATED] != NULL, &question);
    if (!weir_ctl_judge(ctl, now, &question, &reputation[0]))
        weir_ctl_error(ctl, 0, "not all counters answered");
    before = question;
    int code = enter(ctl, order, &question);
    if (code != 0)
        return code;
    weir_ctl_judge(ctl, now, &question, &reputation[1]);
    if (order->undo && same(&before, &question))
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there was no such vote at that time, or it "
                              "has faded; nothing was changed");
    return tell(ctl, order, &question, reputation);
}

static int vote(struct weir_ctl *ctl, bool undo)
{
    struct order order = {.undo = undo};
    weir_time now = weir_ctl_now();
    int code = read_order(ctl, now, &order);
    if (code == 0)
        code = weir_ctl_open_votes(ctl);
    return code != 0 ? code : do_one(ctl, &order, now);
}

int weir_ctl_reputation_undo(struct weir_ctl *ctl)
{
    return vote(ctl, true);
}

int weir_ctl_reputation_add(struct weir_ctl *ctl)
{
    const char *file = ctl->option[WEIR_CTL_FILE];
    bool standard = ctl->arguments == 1 && strcmp(ctl->argument[0], "-") == 0;
    if (file == NULL && !standard)
        return vote(ctl, false);
    if (ctl->option[WEIR_CTL_VERDICT] != NULL || (file != NULL && ctl->arguments > 0))
        return weir_ctl_error(ctl, EX_USAGE, "either a file of votes, or one on the command line");
    return weir_ctl_vote_file(ctl, file != NULL ? file : "-");
}
