/*
 * ctl_book_show - weirctl rules show: a rule of the rulebook, what it did, and why it scores what
 * it scores, in words and numbers.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_book.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"
#include "monitor/ctl/ctl_rulebook.h"
#include "monitor/database/database_messages_io.h"
#include "monitor/view/view_rules.h"

#define MESSAGES 5
#define CHANGES 5
#define TEXT 512

struct showing {
    struct weir_ctl *ctl;
    struct weir_book book;
    const struct weir_book_rule *rule;
    struct weir_view_rule_facts facts;
    unsigned most;
};

/* As it is. -------------------------------------------------------------------------- */

static const char *when(weir_time time, char buffer[static WEIR_TIME_TEXT])
{
    return time > 0 ? weir_time_format(time, buffer) : "never";
}

static void print_text(const char *text)
{
    char shown[TEXT];

    while (*text != '\0') {
        size_t len = strcspn(text, "\n");

        printf("  %s\n", weir_ctl_visible((struct weir_slice){text, len}, shown, sizeof shown));
        text += len + (text[len] == '\n');
    }
}

static void print_rule(const struct showing *showing)
{
    const struct weir_kept_rule *is = &showing->rule->is;
    char created[WEIR_TIME_TEXT], updated[WEIR_TIME_TEXT], since[WEIR_TIME_TEXT], author[TEXT];

    printf("%s, number %u: %s, %+.2f points%s\n", is->name, (unsigned)is->id,
           weir_rule_state_name(is->state), is->score,
           is->state == WEIR_RULE_ACTIVE || is->state == WEIR_RULE_LOCKED
               ? "" : ", which do not count in this state");
    print_text(is->text);
    printf("\nmade         %s by %s, with %+.2f points\n", when(is->created, created),
           weir_ctl_visible((struct weir_slice){is->author, strlen(is->author)}, author,
                            sizeof author), is->base);
    printf("changed      %s; %s since %s%s\n", when(is->updated, updated),
           weir_rule_state_name(is->state), when(is->since, since),
           is->approved ? "; approved" : "");
    printf("bounds       %+.2f to %+.2f%s\n", showing->facts.bounds.low, showing->facts.bounds.high,
           is->low == 0 && is->high == 0 ? ", what one rule may have of the points that make spam"
                                         : ", set");
}

/* Whose word counts for less than it told. */
static void print_bounded(const struct showing *showing)
{
    const struct weir_book_rule *rule = showing->rule;
    const struct weir_weighed *is = &rule->weighed;

    if (is->bounded > 0)
        printf("bounded      %s told of %.1f spam and %.1f good messages of these, more than it "
               "may beside\n             the others: they count as %.1f and %.1f%s\n",
               rule->bounded, is->told.spam, is->told.ham, is->weight * is->told.spam,
               is->weight * is->told.ham, is->bounded > 1 ? "; others are bounded, too" : "");
    if (rule->blame < rule->blamed)
        printf("             of the false positives reported within 7 days %u count: one server "
               "told of more than\n             it may beside the others\n", rule->blame);
}

static void print_hits(const struct showing *showing)
{
    const struct weir_hits_rule *hits = &showing->rule->hits;
    char first[WEIR_TIME_TEXT], last[WEIR_TIME_TEXT];

    printf("hits         %llu in all: %llu spam, %llu nonspam; %llu false positives, "
           "%u of them reported within 7 days\n", (unsigned long long)hits->hits,
           (unsigned long long)hits->spam, (unsigned long long)hits->ham,
           (unsigned long long)hits->false_positives, showing->rule->blamed);
    printf("             first %s, last %s, idle for %.0f days\n", when(hits->first_hit, first),
           when(hits->last_hit, last), weir_book_idle(&showing->book, showing->rule));
    printf("lately       %.1f of %.1f spam, %.1f of %.1f good messages; one of 30 days ago counts "
           "half\n", hits->decayed.spam, showing->book.all.spam, hits->decayed.ham,
           showing->book.all.ham);
    print_bounded(showing);
}

/* Why. ---------------------------------------------------------------------------------- */

static const char *verdict_on_base(const struct showing *showing)
{
    double base = showing->rule->is.base;

    return base < showing->facts.allowed.low    ? "fewer than its hits allow"
           : base > showing->facts.allowed.high ? "more than its hits allow"
                                          : "which its hits allow";
}

static void print_why(const struct showing *showing)
{
    const struct weir_score_counts *hits = &showing->rule->weighed.hits;
    const struct weir_score_counts *all = &showing->rule->weighed.all;
    const struct weir_score_evidence *e = &showing->facts.evidence;

    printf("\nwhy this score:\n");
    printf("  ln((%.1f + 1/2) / (%.1f + 1)) - ln((%.1f + 1/2) / (%.1f + 1)) = %.2f, with an error "
           "of %.2f\n", hits->spam, all->spam, hits->ham, all->ham, e->llr, e->error);
    printf("  0.7 * (%.2f -+ 1.645 * %.2f): its hits allow %+.2f to %+.2f points\n", e->llr,
           e->error, showing->facts.allowed.low, showing->facts.allowed.high);
    if (hits->spam + hits->ham < WEIR_ANALYZE_HITS_LEAST || all->spam < WEIR_ANALYZE_ALL_LEAST ||
        all->ham < WEIR_ANALYZE_ALL_LEAST)
        printf("  which is too little to go by, below %d hits of %d spam and %d good messages: it "
               "stays as it is\n", WEIR_ANALYZE_HITS_LEAST, WEIR_ANALYZE_ALL_LEAST,
               WEIR_ANALYZE_ALL_LEAST);
    else
        printf("  its author gave it %+.2f, %s: it deserves %+.2f\n", showing->rule->is.base,
               verdict_on_base(showing), showing->facts.next.deserved);
}

static void print_next(const struct showing *showing)
{
    const struct weir_analyze_change *next = &showing->facts.next;

    printf("next run     ");
    if (!showing->facts.changes)
        printf("nothing changes%s\n",
               showing->rule->is.state == WEIR_RULE_LOCKED ? ": programs leave it as it is" : "");
    else if (next->state != showing->rule->is.state)
        printf("%s -> %s: %s\n", weir_rule_state_name(showing->rule->is.state),
               weir_rule_state_name(next->state), next->why);
    else
        printf("%+.2f -> %+.2f: %s; unless it would make good mail spam\n",
               showing->rule->is.score, next->score, next->why);
}

/* What it hit last. ---------------------------------------------------------------------- */

static int show_message(void *context, const struct weir_kept_message *message)
{
    char time[WEIR_TIME_TEXT], address[WEIR_ADDRESS_TEXT], domain[TEXT];

    (void)context;
    printf("  %s  %016llx  %-16s  %-6s %+6.2f  %s %s%s%s\n", when(message->time, time),
           (unsigned long long)message->uid, message->queue_id[0] ? message->queue_id : "-",
           message->verdict, message->score,
           message->has_address ? weir_address_format(&message->address, address) : "-",
           weir_ctl_visible((struct weir_slice){message->domain, strlen(message->domain)}, domain,
                            sizeof domain),
           message->reported[0] ? "; reported as " : "", message->reported);
    return 0;
}

static int print_all(struct showing *showing)
{
    struct weir_database *database = showing->book.database;
    uint32_t id = showing->rule->is.id;
    int rc;

    print_rule(showing);
    print_hits(showing);
    print_why(showing);
    print_next(showing);
    printf("\nmessages it hit last:\n");
    rc = weir_database_messages_of(database, id, showing->most > 0 ? showing->most : MESSAGES,
                                   show_message, NULL);
    if (rc == 0)
        printf("  none of those that are kept\n");
    printf("\nchanged last:\n");
    rc = rc < 0 ? rc : weir_ctl_rulebook_changes(database, id, showing->most > 0 ? showing->most
                                                                                 : CHANGES, NULL);
    return weir_ctl_monitor_read(showing->ctl, database, rc);
}

/* JSON. ------------------------------------------------------------------------------------ */

static int print_json(struct showing *showing)
{
    json_t *json = NULL;
    int rc = weir_view_rule(&showing->book, showing->rule,
                            showing->most > 0 ? showing->most : MESSAGES, &json);

    return rc < 0 ? weir_ctl_monitor_read(showing->ctl, showing->book.database, rc)
                  : weir_ctl_json(showing->ctl, json);
}

int weir_ctl_book_show(struct weir_ctl *ctl, const char *which)
{
    struct showing showing = {.ctl = ctl};
    int code = weir_ctl_option_count(ctl, WEIR_CTL_MOST, 1000, &showing.most);

    if (code == 0)
        code = weir_ctl_book_open(ctl, false, &showing.book);
    if (code == 0)
        showing.rule = weir_book_find(&showing.book, which);
    if (code == 0 && !showing.rule)
        code = WEIR_CTL_NOT_THERE;
    if (code == 0) {
        showing.facts = weir_view_rule_facts(&showing.book, showing.rule);
        code = ctl->option[WEIR_CTL_JSON] ? print_json(&showing) : print_all(&showing);
    }
    weir_ctl_book_close(&showing.book);
    return code;
}
