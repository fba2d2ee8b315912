/*
 * ctl_publish - weirctl publish and rollback: asked of the monitor, which does it.
 */
#include "monitor/ctl/ctl.h"

#include <stdlib.h>
#include <string.h>

#include "core/evidence/rule_parcel.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"

static long long number(const json_t *answer, const char *name)
{
    return (long long)json_integer_value(json_object_get(answer, name));
}

/* "3 added, 1 gone, 2 score" */
static void print_differences(json_t *answer)
{
    const char *name, *between = "";
    json_t *count;

    json_object_foreach(json_object_get(answer, "differences"), name, count) {
        printf("%s%lld %s", between, (long long)json_integer_value(count), name);
        between = ", ";
    }
    puts(between[0] ? "" : "none");
}

static int tell(struct weir_ctl *ctl, json_t *answer)
{
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_incref(answer));
    if (!json_is_true(json_object_get(answer, "different"))) {
        printf("nothing is different from rule set %lld, the newest\n", number(answer, "serial"));
        return 0;
    }
    printf("rule set %lld %s: %lld rules; differences: ", number(answer, "serial"),
           json_is_true(json_object_get(answer, "published")) ? "is published" : "would be made",
           number(answer, "rules"));
    print_differences(answer);
    if (json_is_true(json_object_get(answer, "published")))
        puts("servers fetch it now; weirctl server list shows which have it");
    return 0;
}

static int ask(struct weir_ctl *ctl, json_t *question)
{
    const char *reason = ctl->option[WEIR_CTL_REASON];
    json_t *answer = NULL;
    int code;

    if (ctl->option[WEIR_CTL_FORCE])
        json_object_set_new(question, "force", json_true());
    if (ctl->option[WEIR_CTL_DRY])
        json_object_set_new(question, "dry", json_true());
    if (reason)
        json_object_set_new(question, "reason", weir_ctl_json_text(reason, strlen(reason)));
    code = weir_ctl_monitor_ask(ctl, question, &answer);
    if (code == 0)
        code = tell(ctl, answer);
    json_decref(answer);
    return code;
}

int weir_ctl_publish(struct weir_ctl *ctl)
{
    int code = weir_ctl_configure(ctl);

    return code == 0 ? ask(ctl, json_pack("{s:s}", "do", "publish")) : code;
}

int weir_ctl_rollback(struct weir_ctl *ctl)
{
    char *end;
    unsigned long serial = strtoul(ctl->argument[0], &end, 10);
    int code = weir_ctl_configure(ctl);

    if (code != 0)
        return code;
    if (*end != '\0' || serial == 0 || serial > WEIR_RULE_SERIAL_MAX)
        return weir_ctl_error(ctl, EX_USAGE, "%s is no serial of a rule set", ctl->argument[0]);
    return ask(ctl, json_pack("{s:s, s:I}", "do", "rollback", "serial", (json_int_t)serial));
}
