/*
 * The rules lie in one array, sorted; a message has a few dozen hits.
 */
#include "monitor/analyzer/guard.h"

#include <stdlib.h>

#define LEAST 0.005 /* scores are to 1/100 */

static int by_id(const void *a, const void *b)
{
    const struct weir_guard_rule *one = a, *other = b;

    return (one->id > other->id) - (one->id < other->id);
}

void weir_guard_sort(struct weir_guard_rule *rule, size_t rules)
{
    if (rules > 0)
        qsort(rule, rules, sizeof *rule, by_id);
}

static struct weir_guard_rule *find(struct weir_guard_rule *rule, size_t rules, uint32_t id)
{
    const struct weir_guard_rule wanted = {.id = id};

    return rules > 0 ? bsearch(&wanted, rule, rules, sizeof *rule, by_id) : NULL;
}

/* Points of a message with the rules as they are, and as they would be; and whose change raises it
 * most (NULL: nobody's does). */
struct judged {
    double now, next;
    struct weir_guard_rule *culprit;
};

static struct judged judge(struct weir_guard_rule *rule, size_t rules,
                           const struct weir_guard_message *message)
{
    struct judged judged = {message->score, message->score, NULL};
    double most = 0;

    for (size_t i = 0; i < message->hits; i++) {
        struct weir_guard_rule *hit = find(rule, rules, message->hit[i].rule);

        if (!hit)
            continue;
        judged.now += hit->now - message->hit[i].points;
        judged.next += hit->next - message->hit[i].points;
        if (hit->next - hit->now > most) {
            most = hit->next - hit->now;
            judged.culprit = hit;
        }
    }
    return judged;
}

/* Whether the rule may make it spam: one more of those that nobody knows. */
static bool is_spared(struct weir_guard_rule *rule, const struct weir_guard_message *message)
{
    if (!message->unsure || rule->spam < WEIR_GUARD_SPAM)
        return false;
    rule->spam -= WEIR_GUARD_SPAM;
    return true;
}

unsigned weir_guard_take(struct weir_guard_rule *rule, size_t rules, double spam_score,
                         const struct weir_guard_message *message)
{
    struct judged judged = judge(rule, rules, message);
    unsigned refused = 0;

    while (judged.culprit && judged.now <= spam_score - LEAST &&
           judged.next > spam_score - LEAST && !is_spared(judged.culprit, message)) {
        judged.culprit->wanted = judged.culprit->next;
        judged.culprit->next = judged.culprit->now;
        judged.culprit->refused = true;
        judged.culprit->message = message->uid;
        refused++;
        judged = judge(rule, rules, message);
    }
    return refused;
}

double weir_guard_score(struct weir_guard_rule *rule, size_t rules,
                        const struct weir_guard_message *message)
{
    return judge(rule, rules, message).now;
}
