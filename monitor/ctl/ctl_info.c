/*
 * ctl_info - weirctl info decode: a spam-info string read for people.
 *
 * Given as it stands, or a message that bears one; with the message it is also seen whether
 * the string belongs to it.  Rules are shown with the points they gave then and would give now.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>
#include <strings.h>

#include "core/base/error.h"
#include "core/engine/judges_io.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_judgement.h"
#include "monitor/ctl/ctl_output.h"

struct reading {
    struct weir_slice text;          /* the string */
    uint64_t binding;                /* of the message it came with */
    bool with_message;
    enum weir_info_state state;
    struct weir_info info;
    struct weir_matcher *matcher;    /* for the names of rules; NULL: none */
};

/* The string in octets: all of them, or the header field of a message. */
static int find_string(struct weir_ctl *ctl, struct weir_slice octets, struct reading *reading)
{
    struct weir_message message;
    const struct weir_field *field;
    size_t from = 0;

    while (octets.len > 0 && strchr(" \t\r\n", octets.at[0]) != NULL)
        octets = (struct weir_slice){octets.at + 1, octets.len - 1};
    reading->text = octets;
    if (octets.len >= 3 && memcmp(octets.at, "v1;", 3) == 0)
        return 0;
    if (weir_message_parse(octets.at, octets.len, ctl->arena, &message) < 0)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    field = weir_message_field(&message, 0, WEIR_INFO_HEADER, &from);
    if (!field)
        return weir_ctl_error(ctl, WEIR_CTL_NOT_THERE, "there is no " WEIR_INFO_HEADER " in it");
    reading->text = field->value;
    reading->binding = weir_info_binding(&message);
    reading->with_message = message.fields > 1; /* the field alone, copied out of one, is none */
    return 0;
}

static bool readable(const struct reading *reading)
{
    return reading->state == WEIR_INFO_VALID || reading->state == WEIR_INFO_UNBOUND;
}

/* A string without its message is neither bound nor unbound. */
static const char *state_name(const struct reading *reading)
{
    if (!reading->with_message && readable(reading))
        return "valid";
    return weir_info_state_name(reading->state);
}

static bool rule_of(const struct reading *reading, uint32_t id, struct weir_rule *rule_r)
{
    return reading->matcher &&
           weir_rules_find(weir_matcher_rules(reading->matcher), id, rule_r) == 1;
}

/* Those that are in no rule file. */
static const char *own_name(uint32_t id)
{
    const char *name = weir_rule_own_name(id);

    if (id == 0)
        return "(the rest, summed up)";
    return name ? name : "";
}

static json_t *json_rules(const struct reading *reading)
{
    json_t *all = json_array();

    for (size_t i = 0; i < reading->info.rules; i++) {
        const struct weir_info_rule *hit = &reading->info.rule[i];
        struct weir_rule rule;
        bool known = rule_of(reading, hit->id, &rule);

        json_array_append_new(
            all, json_pack("{s:I, s:o, s:o, s:o, s:o}", "id", (json_int_t)hit->id, "name",
                           known ? weir_ctl_json_text(rule.name.at, rule.name.len)
                                 : json_string(own_name(hit->id)),
                           "points", weir_ctl_json_points(hit->points), "points_now",
                           known ? weir_ctl_json_points(rule.score) : json_null(),
                           "description",
                           known ? weir_ctl_json_text(rule.description.at, rule.description.len)
                                 : json_null()));
    }
    return all;
}

static json_t *json_lacking(uint8_t lacking)
{
    /* by the bits of enum weir_info_lacking */
    static const char *const name[] = {"counters", "lists", "rules", "rules-cut", "reputation"};
    json_t *all = json_array();

    for (size_t i = 0; i < sizeof name / sizeof name[0]; i++)
        if (lacking >> i & 1)
            json_array_append_new(all, json_string(name[i]));
    return all;
}

static int print_json(struct weir_ctl *ctl, const struct reading *reading)
{
    const struct weir_info *info = &reading->info;
    char address[WEIR_ADDRESS_TEXT], uid[24];
    json_t *object = json_pack("{s:s}", "state", state_name(reading));

    if (!readable(reading))
        return weir_ctl_json(ctl, object);
    snprintf(uid, sizeof uid, "%016llx", (unsigned long long)info->uid);
    json_object_set_new(object, "bound",
                        reading->with_message ? json_boolean(reading->state == WEIR_INFO_VALID)
                                              : json_null());
    json_object_set_new(object, "server", json_integer((json_int_t)info->server));
    json_object_set_new(object, "at", weir_ctl_json_time(info->at));
    json_object_set_new(object, "uid", json_string(uid));
    json_object_set_new(object, "verdict",
                        json_string(weir_verdict_name((enum weir_verdict)info->verdict)));
    json_object_set_new(object, "score", weir_ctl_json_points(info->score));
    json_object_set_new(object, "probability", info->lacking & WEIR_LACKING_REPUTATION
                                                   ? json_null()
                                                   : weir_ctl_json_points(info->probability));
    json_object_set_new(object, "boundary_address",
                        info->has_boundary
                            ? json_string(weir_address_format(&info->boundary, address))
                            : json_null());
    json_object_set_new(object, "domain", json_string(info->domain));
    json_object_set_new(object, "domain_hashed", json_boolean(info->domain_hashed));
    json_object_set_new(object, "serial", json_integer(info->serial));
    json_object_set_new(object, "lacking", json_lacking(info->lacking));
    json_object_set_new(object, "rules", json_rules(reading));
    return weir_ctl_json(ctl, object);
}

static void print_words(const struct reading *reading)
{
    const struct weir_info *info = &reading->info;
    char text[WEIR_ADDRESS_TEXT], time[WEIR_TIME_TEXT], shown[WEIR_CTL_NAME];

    printf("state     %s\n", state_name(reading));
    if (!readable(reading))
        return;
    printf("decided   %s by server %llu, rule set %u, message %016llx\n",
           weir_time_format(info->at, time), (unsigned long long)info->server, info->serial,
           (unsigned long long)info->uid);
    printf("verdict   %s, score %.2f", weir_verdict_name((enum weir_verdict)info->verdict),
           (double)info->score);
    if (!(info->lacking & WEIR_LACKING_REPUTATION))
        printf(", spam by reputation with %.0f %%", 100 * (double)info->probability);
    putchar('\n');
    printf("from      %s, domain %s%s\n",
           info->has_boundary ? weir_address_format(&info->boundary, text) : "nowhere outside",
           info->domain[0] ? info->domain : "-", info->domain_hashed ? " (hashed)" : "");
    for (size_t i = 0; i < info->rules; i++) {
        const struct weir_info_rule *hit = &info->rule[i];
        struct weir_rule rule;

        if (rule_of(reading, hit->id, &rule))
            printf("%+9.2f  %.*s (%u), now %+.2f%s%s\n", (double)hit->points,
                   (int)rule.name.len, rule.name.at, hit->id, (double)rule.score,
                   rule.description.len > 0 ? ": " : "",
                   weir_ctl_visible(rule.description, shown, sizeof shown));
        else
            printf("%+9.2f  %s (%u)\n", (double)hit->points, own_name(hit->id), hit->id);
    }
}

static int decode(struct weir_ctl *ctl, struct weir_judges *judges, struct weir_slice octets)
{
    struct reading reading = {0};
    int code = find_string(ctl, octets, &reading);

    if (code != 0)
        return code;
    reading.state = weir_info_read(reading.text, reading.binding, weir_judges_keys(judges),
                                   &reading.info);
    if (weir_judges_rules(judges))
        reading.matcher = weir_rule_file_take(weir_judges_rules(judges), weir_ctl_now());
    if (ctl->option[WEIR_CTL_JSON])
        code = print_json(ctl, &reading);
    else
        print_words(&reading);
    if (reading.matcher)
        weir_rule_file_give(weir_judges_rules(judges), &reading.matcher);
    return code == 0 && !readable(&reading) ? WEIR_CTL_NOT_THERE : code;
}

/* The string itself, a file, or the standard input. */
static int decode_argument(struct weir_ctl *ctl, struct weir_judges *judges)
{
    const char *text = ctl->arguments > 0 ? ctl->argument[0] : "-", *name;
    struct weir_ctl_files *files;
    struct weir_slice octets;
    int code, got;

    if (strncmp(text, "v1;", 3) == 0 || strncasecmp(text, WEIR_INFO_HEADER ":",
                                                    sizeof WEIR_INFO_HEADER) == 0)
        return decode(ctl, judges, (struct weir_slice){text, strlen(text)});
    code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, "", &files);
    if (code != 0)
        return code;
    got = weir_ctl_files_next(files, &name, &octets);
    if (got < 0)
        code = weir_ctl_files_error(ctl, name, got);
    else if (got == 1)
        code = decode(ctl, judges, octets);
    weir_ctl_files_free(&files);
    return code;
}

int weir_ctl_info_decode(struct weir_ctl *ctl)
{
    struct weir_judges_options options = {.program = "weirctl"};
    struct weir_judges *judges = NULL;
    int code = weir_ctl_open(ctl, WEIR_STORES_READ);

    if (code == 0 &&
        weir_judges_open(&ctl->config, &ctl->stores, &options, &ctl->log, &judges) < 0)
        code = weir_ctl_error(ctl, EX_OSERR, "memory is short");
    if (code == 0)
        code = decode_argument(ctl, judges);
    weir_judges_free(&judges);
    return code;
}
