/*
 * Every object has "words", so that no page has to know what a null means.
 */
#include "monitor/view/view_decision.h"

#include <stdio.h>
#include <string.h>

#include "core/engine/info.h"
#include "core/engine/judge.h"
#include "core/engine/verdict.h"
#include "monitor/view/view.h"

#define WORDS 320
#define NOT_TOLD "not kept: its server did not tell, as older plug-ins do not, or it is known by " \
    "a report alone"

/* points ------------------------------------------------------------------------------------- */

struct own {
    uint32_t id;
    const char *source, *why;
};

/* Of 0, and of weir_rule_own_name(). */
static const struct own owns[] = {
    {0, "rest", "rules of few points, summed up: the string had no room for each"},
    {WEIR_POINT_REPUTATION, "reputation", ""},
    {WEIR_POINT_FORGED_DOMAIN, "reputation", "somebody else seems to use this domain's name"},
    {WEIR_POINT_FORGED_INFO, "string", "it came with a spam-info string that is not genuine"},
    {WEIR_POINT_BAYES, "bayes", "what the classifier made of its words; which words is not kept"},
    {WEIR_POINT_RULES_CUT, "rules", "it made so much work that rules were given up"},
    {WEIR_POINT_ADDRESS, "address", "points of the address itself, which the monitor or an analyst "
     "gave it: see its page"},
};

static const struct own *own_of(uint32_t id)
{
    for (size_t i = 0; i < sizeof owns / sizeof owns[0]; i++)
        if (owns[i].id == id)
            return &owns[i];
    return NULL;
}

bool weir_view_is_own_point(uint32_t id)
{
    return own_of(id) != NULL;
}

const char *weir_view_point_source(uint32_t id)
{
    const struct own *own = own_of(id);

    return own ? own->source : "rule";
}

/* reputation --------------------------------------------------------------------------------- */

static const char *whose(const char *basis)
{
    for (unsigned i = 0; i < WEIR_BASES; i++)
        if (strcmp(basis, weir_basis_name((enum weir_basis)i)) == 0)
            return weir_basis_words((enum weir_basis)i);
    return "whose mail it is about is not kept";
}

static bool was_asked(const struct weir_found_message *message)
{
    return message->lacking >= 0 && (message->lacking & WEIR_LACKING_REPUTATION) == 0;
}

static const char *reputation_words(const struct weir_found_message *message,
                                    char words[static WORDS])
{
    int len;

    if (message->lacking < 0)
        return "not kept: it was decided before this monitor kept what reputation says";
    if (!was_asked(message))
        return "it was not asked: a list decided before, or nobody to ask about was found";
    len = snprintf(words, WORDS, "%s: spam with %.0f %% probability", whose(message->basis),
                   100 * message->probability);
    if (message->confidence >= 0)
        snprintf(words + len, (size_t)(WORDS - len), ", confidence %.0f %%",
                 100 * message->confidence);
    else
        snprintf(words + len, (size_t)(WORDS - len), "; its confidence is not kept");
    return words;
}

static json_t *known(bool is, double number)
{
    return is ? weir_view_points((float)number) : json_null();
}

json_t *weir_view_reputation_then(const struct weir_found_message *message)
{
    char words[WORDS];
    bool asked = was_asked(message);

    return json_pack("{s:o, s:o, s:o, s:s}", "probability", known(asked, message->probability),
                     "confidence", known(asked && message->confidence >= 0, message->confidence),
                     "basis", asked ? weir_view_text_or_null(message->basis) : json_null(), "words",
                     reputation_words(message, words));
}

json_t *weir_view_point_why(uint32_t id, const struct weir_found_message *message)
{
    const struct own *own = own_of(id);
    char words[WORDS];

    if (id == WEIR_POINT_REPUTATION)
        return json_string(reputation_words(message, words));
    return json_string(own ? own->why : "");
}

/* verdict ------------------------------------------------------------------------------------ */

/* Where there is more to say than the name. */
static const char *ground_words(const char *ground)
{
    static const char *const words[WEIR_GROUNDS] = {
        [WEIR_GROUND_NOTHING] = "there was nothing to decide on",
        [WEIR_GROUND_AUTHENTICATED] = "one of our own users sent it",
        [WEIR_GROUND_NULL_SENDER] = "it is a bounce, and bounces always pass",
        [WEIR_GROUND_ROLE] = "postmaster and abuse can always be reached",
        [WEIR_GROUND_NEVER] = "the address is on the never-list of the configuration",
        [WEIR_GROUND_ACCEPT] = "the address is on the acceptable list, which wins over all points",
        [WEIR_GROUND_WHITELIST] = "the domain is acceptable and this is its own mail",
        [WEIR_GROUND_BLACKLIST] = "the address is on the blacklist, whatever the points",
        [WEIR_GROUND_REPUTATION] = "the reputation condemned it",
        [WEIR_GROUND_SCORE] = "the sum of all points decided",
    };

    for (unsigned i = 0; i < WEIR_GROUNDS; i++)
        if (strcmp(ground, weir_ground_name((enum weir_ground)i)) == 0)
            return words[i];
    return "what it rests on is " NOT_TOLD;
}

static const char *action_words(const char *action)
{
    static const char *const words[] = {
        [WEIR_PASS] = "it was delivered", [WEIR_DEFER] = "it was put off with a temporary answer",
        [WEIR_REJECT] = "it was refused", [WEIR_QUARANTINE] = "it was held in quarantine"};

    for (unsigned i = 0; i <= WEIR_QUARANTINE; i++)
        if (strcmp(action, weir_action_name((enum weir_action)i)) == 0)
            return words[i];
    return "what was done with it is not kept";
}

json_t *weir_view_decided(const struct weir_found_message *message)
{
    return json_pack("{s:s, s:o, s:o, s:o}", "verdict", message->verdict, "action",
                     weir_view_text_or_null(message->action), "ground",
                     weir_view_text_or_null(message->ground), "words",
                     json_sprintf("%s; %s", ground_words(message->ground),
                                  action_words(message->action)));
}

static const char *side(const struct weir_found_message *message)
{
    return message->score >= message->reject ? "at or above that for refusing"
           : message->score >= message->spam ? "at or above that for spam"
           : message->score >= message->unsure
               ? "at or above that for unsure, below that for spam"
               : "below that for unsure: good mail by its points";
}

json_t *weir_view_limits(const struct weir_found_message *message)
{
    bool has = message->has_limits;

    return json_pack("{s:o, s:o, s:o, s:o}", "unsure", known(has, message->unsure), "spam",
                     known(has, message->spam), "reject", known(has, message->reject), "words",
                     has ? json_sprintf("unsure from %.2f, spam from %.2f, refused from %.2f where "
                                        "the server enforces; its %.2f points are %s",
                                        message->unsure, message->spam, message->reject,
                                        message->score, side(message))
                         : json_string(NOT_TOLD));
}

json_t *weir_view_lacking(const struct weir_found_message *message)
{
    static const struct {
        int bit;
        const char *words;
    } all[] = {
        {WEIR_LACKING_COUNTERS, "the counters of reputation did not all answer"},
        {WEIR_LACKING_LISTS, "the lists could not be read"},
        {WEIR_LACKING_RULES, "there was no rule set"},
        {WEIR_LACKING_CUT, "some rules were given up"},
    };
    json_t *list = json_array();

    if (message->lacking < 0) {
        json_decref(list);
        return json_null();
    }
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (message->lacking & all[i].bit)
            json_array_append_new(list, json_string(all[i].words));
    return list;
}
