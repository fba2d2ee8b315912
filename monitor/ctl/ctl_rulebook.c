/*
 * ctl_rulebook - weirctl rules add, set, retire, enable, approve, lock: changes of the monitor's
 * rulebook, asked of the monitor, which checks them.
 *
 * Files go there as they are, so that what is wrong is told by the one who knows all the rules.
 */
#include "monitor/ctl/ctl_rulebook.h"

#include <math.h>
#include <sodium.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/error.h"
#include "core/evidence/rule_source.h"
#include "monitor/ctl/ctl_files_io.h"
#include "monitor/ctl/ctl_monitor_io.h"
#include "monitor/ctl/ctl_output.h"

/* Adding. --------------------------------------------------------------------------- */

int weir_ctl_rulebook_file(struct weir_ctl *ctl, json_t *files, const char *name,
                           struct weir_slice octets)
{
    size_t room = sodium_base64_ENCODED_LEN(octets.len, sodium_base64_VARIANT_ORIGINAL);
    char *base64 = malloc(room), shown[WEIR_CTL_NAME];
    int done = -1;

    if (base64) {
        sodium_bin2base64(base64, room, (const unsigned char *)octets.at, octets.len,
                          sodium_base64_VARIANT_ORIGINAL);
        weir_ctl_visible((struct weir_slice){name, strlen(name)}, shown, sizeof shown);
        done = json_array_append_new(files, json_pack("{s:s, s:s}", "name", shown, "base64",
                                                      base64));
    }
    free(base64);
    return done == 0 ? 0 : weir_ctl_error(ctl, EX_OSERR, "memory is short");
}

static int read_files(struct weir_ctl *ctl, json_t *files)
{
    struct weir_ctl_files *open;
    struct weir_slice octets;
    const char *name;
    int code = weir_ctl_files_open(ctl, ctl->argument, ctl->arguments, ".rules", &open), got = 1;

    if (code != 0)
        return code;
    while (code == 0 && (got = weir_ctl_files_next(open, &name, &octets)) == 1)
        code = weir_ctl_rulebook_file(ctl, files, name, octets);
    if (code == 0 && got < 0)
        code = weir_ctl_files_error(ctl, name, got);
    weir_ctl_files_free(&open);
    return code;
}

/* What is wrong with rules may have their words in it. */
static const char *show(const json_t *text, char shown[static WEIR_CTL_NAME])
{
    return weir_ctl_visible((struct weir_slice){json_string_value(text), json_string_length(text)},
                            shown, WEIR_CTL_NAME);
}

static int tell_problems(struct weir_ctl *ctl, json_t *answer, const json_t *problems)
{
    json_int_t more = json_integer_value(json_object_get(answer, "more"));
    char shown[WEIR_CTL_NAME];
    const json_t *one;
    size_t i;

    json_array_foreach(problems, i, one) {
        json_int_t line = json_integer_value(json_object_get(one, "line"));

        fprintf(stderr, "%s", show(json_object_get(one, "file"), shown));
        if (line > 0)
            fprintf(stderr, ":%lld", (long long)line);
        fprintf(stderr, ": %s\n", show(json_object_get(one, "why"), shown));
    }
    if (more > 0)
        fprintf(stderr, "and %lld more\n", (long long)more);
    if (ctl->option[WEIR_CTL_JSON])
        (void)weir_ctl_json(ctl, json_incref(answer));
    return weir_ctl_error(ctl, EX_DATAERR, "nothing was changed: correct the rules above");
}

#define BEYOND "has more points than one rule may have (weirctl rules show): until the analyzer " \
    "has moved it back, half a point a run, it decides almost alone"
#define NAMES_MOST 20 /* as text; JSON has more */

/* Rules that were there, by name: what became of them. */
static void tell_names(const json_t *answer, const char *which, const char *what)
{
    const json_t *names = json_object_get(json_object_get(answer, "names"), which), *one;
    json_int_t all = json_integer_value(json_object_get(answer, which));
    size_t i;

    json_array_foreach(names, i, one)
        if (i < NAMES_MOST)
            printf("%s: %s\n", json_string_value(one), what);
    if (all > NAMES_MOST)
        printf("and %lld more\n", (long long)all - NAMES_MOST);
}

static int tell_added(struct weir_ctl *ctl, json_t *answer, bool import)
{
    const json_t *problems = json_object_get(answer, "problems");

    if (problems)
        return tell_problems(ctl, answer, problems);
    if (ctl->option[WEIR_CTL_JSON])
        return weir_ctl_json(ctl, json_incref(answer));
    if (import)
        tell_names(answer, "changed",
                   ctl->option[WEIR_CTL_DRY] ? "would be changed" : "changed");
    tell_names(answer, "kept", "stays as it is: a person made or locked it, and an import changes "
               "it with --force only");
    tell_names(answer, "beyond", BEYOND);
    printf("%lld rules %sadded, %lld changed; the rulebook %s%lld\n",
           (long long)json_integer_value(json_object_get(answer, "added")),
           ctl->option[WEIR_CTL_DRY] ? "would be " : "",
           (long long)json_integer_value(json_object_get(answer, "changed")),
           ctl->option[WEIR_CTL_DRY] ? "would have " : "has ",
           (long long)json_integer_value(json_object_get(answer, "rules")));
    return 0;
}

static const char *option_or_empty(const struct weir_ctl *ctl, enum weir_ctl_option letter)
{
    return ctl->option[letter] ? ctl->option[letter] : "";
}

int weir_ctl_rulebook_send(struct weir_ctl *ctl, json_t *files, json_t *origins)
{
    json_t *answer = NULL;
    json_t *question = json_pack("{s:s, s:O, s:s, s:s, s:b, s:b, s:b}", "do", "rules add",
                                 "files", files, "state",
                                 option_or_empty(ctl, WEIR_CTL_STATE), "reason",
                                 option_or_empty(ctl, WEIR_CTL_REASON), "dry",
                                 ctl->option[WEIR_CTL_DRY] != NULL, "import", origins != NULL,
                                 "force", ctl->option[WEIR_CTL_FORCE] != NULL);
    int code;

    if (origins)
        json_object_set(question, "origins", origins);
    code = weir_ctl_monitor_ask(ctl, question, &answer);
    if (code == 0)
        code = tell_added(ctl, answer, origins != NULL);
    json_decref(answer);
    return code;
}

int weir_ctl_rules_add(struct weir_ctl *ctl)
{
    json_t *files = json_array();
    unsigned state;
    int code = weir_ctl_option_word(ctl, WEIR_CTL_STATE, weir_ctl_states, &state);

    if (code == 0)
        code = weir_ctl_configure(ctl);
    if (code == 0)
        code = read_files(ctl, files);
    if (code == 0)
        code = weir_ctl_rulebook_send(ctl, files, NULL);
    json_decref(files);
    return code;
}

/* Changing one. ----------------------------------------------------------------------- */

const char *const weir_ctl_states[] = {"active", "test", "draft", "retired", "locked", NULL};

static bool is_state(const char *text)
{
    for (size_t i = 0; weir_ctl_states[i]; i++)
        if (strcmp(weir_ctl_states[i], text) == 0)
            return true;
    return false;
}

/* One of "score=1.5", "low=0", "high=3", "state=locked". */
static int read_word(struct weir_ctl *ctl, json_t *question, const char *word)
{
    static const char *const numbers[] = {"score", "low", "high"};
    const char *equals = strchr(word, '='), *value = equals ? equals + 1 : "";
    size_t len = equals ? (size_t)(equals - word) : 0;
    char *end;
    double number = strtod(value, &end);

    if (len == 5 && memcmp(word, "state", 5) == 0 && is_state(value)) {
        json_object_set_new(question, "state", json_string(value));
        return 0;
    }
    for (size_t i = 0; i < 3; i++)
        if (strlen(numbers[i]) == len && memcmp(word, numbers[i], len) == 0 && end != value &&
            *end == '\0' && isfinite(number)) {
            json_object_set_new(question, numbers[i], json_real(number));
            return 0;
        }
    return weir_ctl_error(ctl, EX_USAGE, "%s: not score=N, low=N, high=N or "
                          "state=active|test|draft|retired|locked", word);
}

static void tell_set(const json_t *answer, const char *then)
{
    const char *formulas = json_string_value(json_object_get(answer, "formulas"));

    printf("%s %s\n", json_string_value(json_object_get(answer, "name")),
           json_is_true(json_object_get(answer, "changed")) ? then : "was so already");
    if (formulas && formulas[0])
        printf("these formulas say another thing without it: %s\n", formulas);
    if (json_is_true(json_object_get(answer, "beyond")))
        printf("it %s\n", BEYOND);
}

/* Asks, and says what it is now. */
static int ask_to(struct weir_ctl *ctl, const char *verb, json_t *question, const char *then)
{
    json_t *answer = NULL;
    int code = weir_ctl_configure(ctl);

    json_object_set_new(question, "do", json_string(verb));
    json_object_set_new(question, "name", json_string(ctl->argument[0]));
    json_object_set_new(question, "reason", json_string(option_or_empty(ctl, WEIR_CTL_REASON)));
    if (code == 0)
        code = weir_ctl_monitor_ask(ctl, question, &answer);
    else
        json_decref(question);
    if (code == 0 && ctl->option[WEIR_CTL_JSON])
        code = weir_ctl_json(ctl, json_incref(answer));
    else if (code == 0)
        tell_set(answer, then);
    json_decref(answer);
    return code;
}

static int ask(struct weir_ctl *ctl, json_t *question, const char *then)
{
    json_object_set_new(question, "force", json_boolean(ctl->option[WEIR_CTL_FORCE] != NULL));
    return ask_to(ctl, "rules set", question, then);
}

int weir_ctl_rules_set(struct weir_ctl *ctl)
{
    json_t *question = json_object();

    for (int i = 1; i < ctl->arguments; i++) {
        int code = read_word(ctl, question, ctl->argument[i]);

        if (code != 0) {
            json_decref(question);
            return code;
        }
    }
    return ask(ctl, question, "is changed");
}

int weir_ctl_rules_state(struct weir_ctl *ctl)
{
    static const struct {
        const char *verb, *state, *then;
    } rows[] = {
        {"retire", "retired", "is retired: kept, and published no more"},
        {"enable", "active", "is active"},
        {"lock", "locked", "is locked: programs leave it as it is"},
    };
    size_t i = 0;

    while (strcmp(rows[i].verb, ctl->verb->name) != 0)
        i++;
    return ask(ctl, json_pack("{s:s}", "state", rows[i].state), rows[i].then);
}

int weir_ctl_rules_approve(struct weir_ctl *ctl)
{
    return ask(ctl, json_pack("{s:b}", "approved", 1),
               "is approved: it goes to work once it has proven itself in the test");
}

int weir_ctl_rules_reject(struct weir_ctl *ctl)
{
    return ask_to(ctl, "rules reject", json_object(),
                  "is rejected: nothing like it is drafted any more");
}
