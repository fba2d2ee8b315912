/*
 * ctl_judgement - a judgement in words and in JSON.
 *
 * What a message says of itself (subject, evidence) is hostile: for people all but visible
 * ASCII becomes '?' (names of files keep proper UTF-8), in JSON it is escaped by jansson.
 */
#include "monitor/ctl/ctl_judgement.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/line.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_output.h"

#define EVIDENCE_SHOWN 70
#define LINE_TEXT 512
#define TOKENS_SHOWN 20 /* the most telling ones */

static json_t *text_of(struct weir_slice text)
{
    return weir_ctl_json_text(text.len ? text.at : "", text.len);
}

static const char *shown(struct weir_slice text, size_t most, char buffer[static LINE_TEXT])
{
    struct weir_line line = weir_line(buffer, LINE_TEXT);
    bool cut = text.len > most;

    weir_line_foreign(&line, (struct weir_slice){text.at, cut ? most : text.len}, true);
    if (cut)
        weir_line_text(&line, "...");
    return weir_line_end(&line);
}

static const char *use_name(enum weir_bayes_use use)
{
    static const char *const name[] = {"off", "observe", "on"};

    return name[use];
}

static const char *silence_text(const struct weir_bayes_opinion *opinion)
{
    return opinion->use == WEIR_BAYES_OFF ? "[bayes] use = off"
           : !opinion->listed            ? "no word list was published"
                                         : weir_bayes_silence_text(opinion->said.silence);
}

/* JSON -------------------------------------------------------------------------- */

static json_t *json_points(const struct weir_judgement *judgement)
{
    json_t *all = json_array();

    for (size_t i = 0; i < judgement->points; i++) {
        const struct weir_point *point = &judgement->point[i];
        json_t *one = json_pack("{s:I, s:o, s:o, s:s, s:I}", "id", (json_int_t)point->id, "name",
                                text_of(point->name), "points",
                                weir_ctl_json_number(point->points), "kind", point->kind, "times",
                                (json_int_t)point->times);
        if (one && point->description.len > 0)
            json_object_set_new(one, "description", text_of(point->description));
        if (one && point->evidence.len > 0)
            json_object_set_new(one, "evidence", text_of(point->evidence));
        json_array_append_new(all, one);
    }
    return all;
}

static json_t *json_reputation(const struct weir_decision *decision)
{
    const struct weir_reputation *reputation = &decision->reputation;

    if (!decision->judged)
        return json_null();
    return json_pack("{s:o, s:o, s:o, s:s, s:s, s:b}", "probability",
                     weir_ctl_json_number(reputation->probability), "confidence",
                     weir_ctl_json_number(reputation->confidence), "points",
                     weir_ctl_json_number(reputation->points), "basis",
                     weir_basis_name(reputation->basis), "association",
                     weir_association_name(reputation->association), "forged",
                     decision->forged);
}

static json_t *json_boundary(const struct weir_boundary *boundary)
{
    json_t *hops = json_array();
    char text[WEIR_ADDRESS_TEXT];

    for (size_t i = 0; i < boundary->hops; i++)
        json_array_append_new(hops, boundary->hop[i].has_address
                                        ? json_string(weir_address_format(
                                              &boundary->hop[i].address, text))
                                        : json_null());
    return json_pack("{s:I, s:s, s:s, s:o}", "hop", (json_int_t)boundary->index, "end",
                     weir_boundary_end_name(boundary->end), "why",
                     weir_boundary_end_text(boundary->end), "hops", hops);
}

static json_t *json_names(uint64_t bits, unsigned most, const char *(*name)(unsigned))
{
    json_t *all = json_array();

    for (unsigned i = 0; i < most; i++)
        if (bits >> i & 1)
            json_array_append_new(all, json_string(name(i)));
    return all;
}

static const char *defect_name(unsigned i)
{
    return weir_defect_name((enum weir_defect)i);
}

static const char *html_fact_name(unsigned i)
{
    return weir_html_fact_name((enum weir_html_fact)i);
}

static void add_address(json_t *object, const struct weir_boundary *boundary)
{
    char text[WEIR_ADDRESS_TEXT];

    json_object_set_new(object, "boundary_address",
                        boundary->found
                            ? json_string(weir_address_format(&boundary->address, text))
                            : json_null());
}

static json_t *json_telling(const struct weir_bayes_result *said)
{
    json_t *all = json_array();

    for (size_t i = 0; i < said->tellings && i < TOKENS_SHOWN; i++) {
        const struct weir_bayes_telling *telling = &said->telling[i];

        json_array_append_new(all, json_pack("{s:o, s:o, s:I, s:I}", "token",
                                             text_of(telling->token->text), "spam_share",
                                             weir_ctl_json_number(telling->spam), "spam",
                                             (json_int_t)telling->count.spam, "ham",
                                             (json_int_t)telling->count.ham));
    }
    return all;
}

static json_t *json_bayes(const struct weir_bayes_opinion *opinion)
{
    const struct weir_bayes_result *said = &opinion->said;
    json_t *json = json_pack("{s:s, s:s}", "use", use_name(opinion->use), "silent",
                             silence_text(opinion));

    if (!json || !opinion->listed)
        return json;
    json_object_set_new(json, "spam", json_integer((json_int_t)opinion->spam));
    json_object_set_new(json, "ham", json_integer((json_int_t)opinion->ham));
    if (said->silence != WEIR_BAYES_SPEAKS)
        return json;
    json_object_set_new(json, "probability", weir_ctl_json_number(said->probability));
    json_object_set_new(json, "weight", weir_ctl_json_number(said->weight));
    json_object_set_new(json, "fitted", weir_ctl_json_number(said->linear));
    json_object_set_new(json, "points", weir_ctl_json_number(opinion->points));
    json_object_set_new(json, "known", json_integer((json_int_t)said->known));
    json_object_set_new(json, "telling", json_telling(said));
    return json;
}

static int print_json(struct weir_ctl *ctl, const char *name,
                      const struct weir_judgement *judgement)
{
    const struct weir_decision *decision = &judgement->decision;
    json_t *object = json_pack(
        "{s:o, s:s, s:o, s:s, s:s, s:s, s:s}", "file", weir_ctl_json_text(name, strlen(name)),
        "verdict", weir_verdict_name(decision->verdict), "score",
        weir_ctl_json_number(decision->score), "action", weir_action_name(decision->action),
        "intended", weir_action_name(decision->intended), "ground",
        weir_ground_name(decision->ground), "id", decision->id);

    if (!object)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    add_address(object, &judgement->boundary);
    json_object_set_new(object, "domain", json_string(decision->domain));
    json_object_set_new(object, "rules", json_points(judgement));
    json_object_set_new(object, "reputation", json_reputation(decision));
    json_object_set_new(object, "bayes", json_bayes(&judgement->bayes));
    json_object_set_new(object, "info", json_string(judgement->outcome.info));
    json_object_set_new(object, "boundary", json_boundary(&judgement->boundary));
    json_object_set_new(object, "defects",
                        json_names(judgement->defects, WEIR_DEFECTS, defect_name));
    json_object_set_new(object, "html",
                        json_names(judgement->html_facts, WEIR_HTML_FACTS, html_fact_name));
    json_object_set_new(object, "subject", text_of(judgement->subject));
    json_object_set_new(object, "from", text_of(judgement->from));
    json_object_set_new(object, "message_id", text_of(judgement->message_id));
    json_object_set_new(object, "hits_left_out",
                        json_integer((json_int_t)judgement->hits_left_out));
    json_object_set_new(object, "serial", json_integer(judgement->serial));
    if (judgement->had_info)
        json_object_set_new(object, "came_with_info",
                            json_string(weir_info_state_name(judgement->info_state)));
    json_dumpf(object, stdout, JSON_COMPACT | JSON_ENSURE_ASCII | JSON_REAL_PRECISION(15));
    json_decref(object);
    putchar('\n');
    return 0;
}

/* words --------------------------------------------------------------------------- */

static void print_boundary(const struct weir_judgement *judgement)
{
    const struct weir_boundary *boundary = &judgement->boundary;
    char text[WEIR_ADDRESS_TEXT];

    printf("  from      %s, hop %zu of %zu: %s\n",
           boundary->found ? weir_address_format(&boundary->address, text) : "nowhere outside",
           boundary->index, boundary->hops, weir_boundary_end_text(boundary->end));
    printf("  domain    %s%s\n", judgement->decision.domain[0] ? judgement->decision.domain : "-",
           judgement->vouched ? ", vouched for" : "");
}

static void print_points(const struct weir_judgement *judgement)
{
    char text[LINE_TEXT];

    for (size_t i = 0; i < judgement->points; i++) {
        const struct weir_point *point = &judgement->point[i];

        printf("  %+7.2f  %.*s (%u, %s)", point->points, (int)point->name.len, point->name.at,
               point->id, point->kind);
        if (point->description.len > 0)
            printf(": %s", shown(point->description, 200, text));
        putchar('\n');
        if (point->evidence.len > 0)
            printf("           saw \"%s\"\n", shown(point->evidence, EVIDENCE_SHOWN, text));
    }
}

static void print_bayes(const struct weir_bayes_opinion *opinion)
{
    const struct weir_bayes_result *said = &opinion->said;
    char text[LINE_TEXT];

    if (!opinion->listed) {
        printf("  bayes     silent: %s\n", silence_text(opinion));
        return;
    }
    printf("  bayes     ");
    if (said->silence != WEIR_BAYES_SPEAKS)
        printf("silent: %s", weir_bayes_silence_text(said->silence));
    else
        printf("%.4f spam, weight %.1f (text %.1f, header %.1f, fitted %.1f, reputation %.1f), "
               "%s%+.2f", said->probability, said->weight, said->view[WEIR_BAYES_TEXT],
               said->view[WEIR_BAYES_HEAD], said->linear, said->reputation,
               opinion->use == WEIR_BAYES_ON ? "" : "observed: would be ", opinion->points);
    printf("; learned of %llu spam and %llu ham\n", (unsigned long long)opinion->spam,
           (unsigned long long)opinion->ham);
    for (size_t i = 0; i < said->tellings && i < TOKENS_SHOWN / 2; i++)
        printf("            %.3f  %s (%u spam, %u ham)\n", said->telling[i].spam,
               shown(said->telling[i].token->text, EVIDENCE_SHOWN, text),
               (unsigned)said->telling[i].count.spam, (unsigned)said->telling[i].count.ham);
}

static void print_explained(const char *name, const struct weir_judgement *judgement)
{
    const struct weir_decision *decision = &judgement->decision;
    char text[LINE_TEXT], reason[WEIR_DECISION_TEXT];

    printf("%s: %s, score %.2f, %s%s%s\n", name, weir_verdict_name(decision->verdict),
           decision->score, weir_action_name(decision->action),
           decision->intended != decision->action ? "; enforced it would be " : "",
           decision->intended != decision->action ? weir_action_name(decision->intended) : "");
    printf("  subject   %s\n", shown(judgement->subject, 200, text));
    print_boundary(judgement);
    printf("  ground    %s\n", weir_decision_reason(decision, reason));
    print_points(judgement);
    print_bayes(&judgement->bayes);
    for (unsigned i = 0; i < WEIR_DEFECTS; i++)
        if (judgement->defects >> i & 1)
            printf("  defect    %s\n", weir_defect_name((enum weir_defect)i));
    if (judgement->rules_missing)
        puts("  there is no rule set: weirctl rules load makes one");
    if (judgement->rules_cut)
        puts("  some rules took too long and were given up");
    if (judgement->had_info)
        printf("  came with a spam-info string: %s\n",
               weir_info_state_name(judgement->info_state));
}

int weir_ctl_judgement_print(struct weir_ctl *ctl, const char *name,
                             const struct weir_judgement *judgement)
{
    const struct weir_decision *decision = &judgement->decision;
    char visible[WEIR_CTL_NAME];

    if (ctl->option[WEIR_CTL_JSON])
        return print_json(ctl, name, judgement);
    name = weir_ctl_visible((struct weir_slice){name, strlen(name)}, visible, sizeof visible);
    if (ctl->option[WEIR_CTL_EXPLAIN]) {
        print_explained(name, judgement);
        return 0;
    }
    printf("%s: %s %.2f %s", name, weir_verdict_name(decision->verdict), decision->score,
           weir_action_name(decision->intended));
    for (size_t i = 0; i < judgement->points; i++)
        printf("%s%.*s", i > 0 ? "," : " ", (int)judgement->point[i].name.len,
               judgement->point[i].name.at);
    putchar('\n');
    return 0;
}
