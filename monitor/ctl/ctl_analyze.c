/*
 * ctl_analyze - weirctl analyze: a run of the monitor's analyzer, now or as of another time, and
 * what it changed and why; and the drafts of rules it made of missed spam.
 */
#include <string.h>

#include "core/base/slice.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"

#define SHOWN 2048

struct shown { char text[SHOWN]; };

static const char *text_of(const json_t *object, const char *name)
{
    const char *text = json_string_value(json_object_get(object, name));

    return text ? text : "";
}

/* Drafts are made of strangers' words. */
static const char *show(const json_t *object, const char *name, struct shown *buffer)
{
    return weir_ctl_visible(weir_slice_of(text_of(object, name)), buffer->text, SHOWN);
}

static long long count_of(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static void print_change(const json_t *change)
{
    const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");
    const char *was = text_of(from, "state"), *is = text_of(to, "state");
    double old = json_number_value(json_object_get(from, "score"));
    double new = json_number_value(json_object_get(to, "score"));
    struct shown shown;

    printf("%s: ", show(change, "name", &shown));
    if (strcmp(was, is) != 0)
        printf("%s -> %s%s", was, is, old != new ? ", " : "");
    if (old != new)
        printf("%+.2f -> %+.2f", old, new);
    printf(": %s", show(change, "why", &shown));
    if (strcmp(text_of(change, "what"), "refused") == 0)
        printf("; refused, because message %s would become spam, and nobody said it is",
               show(change, "message", &shown));
    else if (strcmp(text_of(change, "what"), "changed") != 0)
        printf("; passed over, because somebody changed it meanwhile");
    putchar('\n');
}

static void print_drafts(const json_t *drafts, bool stored)
{
    struct shown name, why, rule;
    const json_t *one;
    size_t i;

    json_array_foreach(json_object_get(drafts, "made"), i, one)
        printf("%s: %s: %s\n  %s\n", show(one, "name", &name),
               stored ? "drafted; to be looked at, and approved or rejected" : "would be drafted",
               show(one, "why", &why), show(one, "rule", &rule));
    json_array_foreach(json_object_get(drafts, "left_out"), i, one)
        printf("no draft of %lld reports of %lld messages like %s: %s\n", count_of(one, "reports"),
               count_of(one, "messages"), show(one, "message", &name), show(one, "why", &why));
    json_array_foreach(json_object_get(drafts, "withdrawn"), i, one)
        printf("%s: a message that is known to be good has what it looks for: to the test, and to "
               "be approved again\n",
               weir_ctl_visible(weir_slice_of(json_string_value(one)), name.text, SHOWN));
    json_array_foreach(json_object_get(drafts, "revived"), i, one)
        printf("%s: %sretired -> test: %s\n", show(one, "name", &name), stored ? "" : "would be ",
               show(one, "why", &why));
    if (text_of(drafts, "trouble")[0])
        printf("no drafts: %s\n", show(drafts, "trouble", &why));
    if (count_of(drafts, "missed") > 0)
        printf("%lld messages reported as spam: %lld caught by now, %lld hit by a draft; %lld good "
               "ones are known to try drafts on\n", count_of(drafts, "missed"),
               count_of(drafts, "caught"), count_of(drafts, "covered"), count_of(drafts, "ham"));
}

static void print_changes(const json_t *answer)
{
    const json_t *changes = json_object_get(answer, "changes"), *one;
    long long changed = count_of(answer, "changed"), refused = count_of(answer, "refused");
    bool stored = json_is_true(json_object_get(answer, "stored"));
    size_t i;

    json_array_foreach(changes, i, one)
        print_change(one);
    if (json_array_size(changes) == 0) {
        printf("nothing changes: %lld rules, by what they hit of %.0f spam and %.0f good messages "
               "lately\n", count_of(answer, "rules"),
               json_number_value(json_object_get(answer, "spam")),
               json_number_value(json_object_get(answer, "ham")));
        return;
    }
    printf("%lld of %lld rules %s%s", changed, count_of(answer, "rules"),
           stored ? "changed" : "would change", refused > 0 ? ", " : "");
    if (refused > 0)
        printf("%lld refused", refused);
    printf("; tried on %lld messages that are not known to be spam%s\n",
           count_of(answer, "messages"), stored ? "" : "; nothing was stored");
}

static void print_answer(const json_t *answer)
{
    bool stored = json_is_true(json_object_get(answer, "stored"));

    print_changes(answer);
    print_drafts(json_object_get(answer, "drafts"), stored);
}

int weir_ctl_analyze(struct weir_ctl *ctl)
{
    const char *now = ctl->option[WEIR_CTL_NOW];
    json_t *question, *answer = NULL;
    weir_time time = 0;
    int code = weir_ctl_configure(ctl);

    if (code != 0)
        return code;
    if (now && (weir_ctl_time_parse(now, &time) != 0 || time < WEIR_SECOND))
        return weir_ctl_error(ctl, EX_USAGE, "--now %s: not a time such as 2026-11-21T18:13:00Z",
                              now);
    question = json_pack("{s:s, s:b}", "do", "analyze", "dry", ctl->option[WEIR_CTL_DRY] != NULL);
    if (now && question)
        json_object_set_new(question, "now", json_integer((json_int_t)(time / WEIR_SECOND)));
    code = weir_ctl_monitor_ask(ctl, question, &answer);
    if (code == 0 && ctl->option[WEIR_CTL_JSON]) {
        time = (weir_time)count_of(answer, "now") * WEIR_SECOND;
        json_object_set_new(answer, "now", weir_ctl_json_time(time));
        return weir_ctl_json(ctl, answer);
    }
    if (code == 0)
        print_answer(answer);
    json_decref(answer);
    return code;
}
