/*
 * ctl_config - the configuration in effect, the sample file, weir.conf(5).
 *
 * All of it comes from the table of settings; what differs from its default is
 * taken to come from the file.
 */
#include "monitor/ctl/ctl.h"

#include <string.h>

#include "core/base/error.h"
#include "monitor/ctl/ctl_output.h"

struct shown {
    const char *value, *fallback;
    bool changed;
};

static int show(struct weir_ctl *ctl, const struct weir_setting *row, const void *values,
                const void *defaults, struct shown *shown_r)
{
    shown_r->value = weir_setting_show(row, values, ctl->arena);
    shown_r->fallback = weir_setting_show(row, defaults, ctl->arena);
    if (shown_r->value == NULL || shown_r->fallback == NULL)
        return weir_ctl_error(ctl, EX_OSERR, "memory is short");
    shown_r->changed = strcmp(shown_r->value, shown_r->fallback) != 0;
    return 0;
}

static json_t *as_json(const struct weir_setting *row, const struct shown *shown)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:s, s:s}", "section", row->section, "key", row->name,
                     "value", weir_ctl_json_text(shown->value, strlen(shown->value)), "default",
                     weir_ctl_json_text(shown->fallback, strlen(shown->fallback)), "origin",
                     shown->changed ? "file" : "default", "sentence", row->sentence);
}

static int print_rows(struct weir_ctl *ctl, const struct weir_config *values,
                      const struct weir_config *defaults)
{
    const struct weir_settings *settings = weir_config_settings();
    bool json = ctl->option[WEIR_CTL_JSON] != NULL;
    json_t *all = json ? json_array() : NULL;
    for (size_t i = 0; i < settings->count; i++) {
        const struct weir_setting *row = &settings->row[i];
        struct shown shown = {0};
        int code = show(ctl, row, values, defaults, &shown);
        if (code != 0) {
            json_decref(all);
            return code;
        }
        if (ctl->option[WEIR_CTL_CHANGED] != NULL && !shown.changed)
            continue;
        if (json)
            json_array_append_new(all, as_json(row, &shown));
        else
            printf("%s.%s = %s  # %s\n", row->section, row->name, shown.value,
                   shown.changed ? "file" : "default");
    }
    return json ? weir_ctl_json(ctl, all) : 0;
}

static int print_effective(struct weir_ctl *ctl)
{
    struct weir_config defaults;
    bool only_defaults = ctl->option[WEIR_CTL_DEFAULTS] != NULL;
    int code = only_defaults ? weir_ctl_make_arena(ctl) : weir_ctl_configure(ctl);
    if (code != 0)
        return code;
    if (weir_settings_default(weir_config_settings(), ctl->arena, &defaults) != 0)
        return weir_ctl_error(ctl, EX_SOFTWARE, "a default of ours does not parse");
    return print_rows(ctl, only_defaults ? &defaults : &ctl->config, &defaults);
}

/* weir.conf(5): the settings come from the table, and only what is the same for
 * all of them is written here. */
static void print_manual(void)
{
    fputs(".TH WEIR.CONF 5 \"\" \"Weir\" \"File formats\"\n"
          ".SH NAME\nweir.conf \\- the configuration of Weir\n"
          ".SH SYNOPSIS\n.I " WEIR_CONFIG_PATH "\n"
          ".SH DESCRIPTION\n"
          "One file serves all programs of Weir.\n"
          "It has sections in brackets and in them lines of the form\n"
          ".IR name \" = \" value ;\n"
          "a line that begins with\n.B #\nor\n.B ;\nis a comment, and an indented line goes on "
          "with the value before it.\n"
          "What is not set has its default, and an unknown name is an error.\n"
          ".PP\nDaemons read the file when they start and on SIGHUP.\n"
          ".B weirctl \\-t\ntests it,\n.B weirctl config\nshows what is in effect.\n"
          ".SH SETTINGS\n", stdout);
    weir_settings_manual(weir_config_settings(), stdout);
    fputs(".SH FILES\n.TP\n.I " WEIR_CONFIG_PATH "\nis read unless a program is given another "
          "with\n.BR \\-c .\n"
          ".SH SEE ALSO\n.BR weirctl (1),\n.BR weir\\-policyd (8)\n", stdout);
}

int weir_ctl_show_config(struct weir_ctl *ctl)
{
    static const char kinds[] = {WEIR_CTL_DEFAULTS, WEIR_CTL_CHANGED, WEIR_CTL_SAMPLE,
                                 WEIR_CTL_MAN};
    unsigned given = 0;
    for (size_t i = 0; i < sizeof kinds; i++)
        given += ctl->option[(int)kinds[i]] != NULL;
    if (given > 1)
        return weir_ctl_error(ctl, EX_USAGE, "only one of --defaults, --changed, --sample, --man");
    if (ctl->option[WEIR_CTL_SAMPLE] != NULL)
        weir_settings_sample(weir_config_settings(), stdout);
    else if (ctl->option[WEIR_CTL_MAN] != NULL)
        print_manual();
    else
        return print_effective(ctl);
    return 0;
}
