/*
 * ctl_command - takes the command line apart and explains it.
 *
 * Options stand anywhere; "--" ends them.  One table serves all verbs, and a
 * verb says which of them it takes: an option that would have no effect is
 * refused, not ignored.  Owns nothing.
 */
#include "monitor/ctl/ctl.h"

#include <getopt.h>
#include <stdarg.h>
#include <string.h>
#include <strings.h>

static const struct option long_options[] = {
    {"config", required_argument, NULL, WEIR_CTL_CONFIG},
    {"help", no_argument, NULL, WEIR_CTL_HELP},
    {"test", no_argument, NULL, WEIR_CTL_TEST},
    {"version", no_argument, NULL, WEIR_CTL_VERSION},
    {"json", no_argument, NULL, WEIR_CTL_JSON},
    {"reason", required_argument, NULL, WEIR_CTL_REASON},
    {"origin", required_argument, NULL, WEIR_CTL_ORIGIN},
    {"for", required_argument, NULL, WEIR_CTL_FOR},
    {"until", required_argument, NULL, WEIR_CTL_UNTIL},
    {"forever", no_argument, NULL, WEIR_CTL_FOREVER},
    {"file", required_argument, NULL, WEIR_CTL_FILE},
    {"force", no_argument, NULL, WEIR_CTL_FORCE},
    {"expired", no_argument, NULL, WEIR_CTL_EXPIRED},
    {"verdict", required_argument, NULL, WEIR_CTL_VERDICT},
    {"by", required_argument, NULL, WEIR_CTL_BY},
    {"at", required_argument, NULL, WEIR_CTL_AT},
    {"authenticated", no_argument, NULL, WEIR_CTL_AUTHENTICATED},
    {"count", required_argument, NULL, WEIR_CTL_COUNT},
    {"summary", no_argument, NULL, WEIR_CTL_SUMMARY},
    {"defaults", no_argument, NULL, WEIR_CTL_DEFAULTS},
    {"changed", no_argument, NULL, WEIR_CTL_CHANGED},
    {"sample", no_argument, NULL, WEIR_CTL_SAMPLE},
    {"man", no_argument, NULL, WEIR_CTL_MAN},
    {"client-address", required_argument, NULL, WEIR_CTL_CLIENT_ADDRESS},
    {"client-name", required_argument, NULL, WEIR_CTL_CLIENT_NAME},
    {"helo", required_argument, NULL, WEIR_CTL_HELO},
    {"sender", required_argument, NULL, WEIR_CTL_SENDER},
    {"recipient", required_argument, NULL, WEIR_CTL_RECIPIENT},
    {"explain", no_argument, NULL, WEIR_CTL_EXPLAIN},
    {"profile", no_argument, NULL, WEIR_CTL_PROFILE},
    {"output", required_argument, NULL, WEIR_CTL_OUTPUT},
    {"hidden", no_argument, NULL, WEIR_CTL_HIDDEN},
    {"dry-run", no_argument, NULL, WEIR_CTL_DRY},
    {"points", required_argument, NULL, WEIR_CTL_POINTS},
    {"defer", no_argument, NULL, WEIR_CTL_DEFER},
    {"prefix", required_argument, NULL, WEIR_CTL_PREFIX},
    {"connections", required_argument, NULL, WEIR_CTL_CONNECTIONS},
    {"messages", required_argument, NULL, WEIR_CTL_MESSAGES},
    {"recipients", required_argument, NULL, WEIR_CTL_RECIPIENTS},
    {"observe", no_argument, NULL, WEIR_CTL_OBSERVE},
    {"enforce", no_argument, NULL, WEIR_CTL_ENFORCE},
    {"ladder", required_argument, NULL, WEIR_CTL_LADDER},
    {"since", required_argument, NULL, WEIR_CTL_SINCE},
    {"most", required_argument, NULL, WEIR_CTL_MOST},
    {"watch", no_argument, NULL, WEIR_CTL_WATCH},
    {"open", no_argument, NULL, WEIR_CTL_OPEN},
    {"accept", no_argument, NULL, WEIR_CTL_ACCEPT},
    {"past", no_argument, NULL, WEIR_CTL_PAST},
    {"user", required_argument, NULL, WEIR_CTL_USER},
    {"take-back", no_argument, NULL, WEIR_CTL_TAKE_BACK},
    {"what", required_argument, NULL, WEIR_CTL_WHAT},
    {"book", no_argument, NULL, WEIR_CTL_BOOK},
    {"state", required_argument, NULL, WEIR_CTL_STATE},
    {"where", required_argument, NULL, WEIR_CTL_WHERE},
    {"now", required_argument, NULL, WEIR_CTL_NOW},
    {"sort", required_argument, NULL, WEIR_CTL_SORT},
    {"idle", required_argument, NULL, WEIR_CTL_IDLE},
    {"csv", no_argument, NULL, WEIR_CTL_CSV},
    {"ham", required_argument, NULL, WEIR_CTL_HAM},
    {"spam", required_argument, NULL, WEIR_CTL_SPAM},
    {"recent", no_argument, NULL, WEIR_CTL_RECENT},
    {"note", required_argument, NULL, WEIR_CTL_SAYS},
    {"threshold", required_argument, NULL, WEIR_CTL_THRESHOLD},
    {"server", required_argument, NULL, WEIR_CTL_SERVER},
    {"kind", required_argument, NULL, WEIR_CTL_KIND},
    {"serve", no_argument, NULL, WEIR_CTL_SERVE},
    {NULL, 0, NULL, 0},
};

struct explanation {
    enum weir_ctl_option letter;
    const char *usage, *sentence;
};

static const struct explanation explanations[] = {
    {WEIR_CTL_REASON, "--reason TEXT", "why, kept with it; the blacklist's is shown to senders"},
    {WEIR_CTL_ORIGIN, "--origin TEXT", "who or what made the entry (weirctl)"},
    {WEIR_CTL_POINTS, "--points N", "what mail of the address bears, -100..100"},
    {WEIR_CTL_DEFER, "--defer", "refuse for now (450): a good sender tries again"},
    {WEIR_CTL_FOR, "--for 4h", "it ends after so many m, h, d or w"},
    {WEIR_CTL_UNTIL, "--until TIME", "it ends then"},
    {WEIR_CTL_FOREVER, "--forever", "it does not end"},
    {WEIR_CTL_FILE, "--file FILE", "of counters a copy of the monitor's database; of lists one "
     "entry a line, - is standard input"},
    {WEIR_CTL_FORCE, "--force", "do it although it looks like a mistake"},
    {WEIR_CTL_EXPIRED, "--expired", "show those that have ended, too"},
    {WEIR_CTL_VERDICT, "--verdict V", "spam, good or unsure"},
    {WEIR_CTL_BY, "--by WHO|WHAT", "user (a person, the default) or computer; of top: what "
     "it is sorted by"},
    {WEIR_CTL_AT, "--at TIME", "as of this time instead of now"},
    {WEIR_CTL_AUTHENTICATED, "--authenticated", "SPF, DKIM or DMARC vouched for the domain"},
    {WEIR_CTL_COUNT, "--count N", "so many votes at once"},
    {WEIR_CTL_SUMMARY, "--summary", "at the end, how much spam was found at what price"},
    {WEIR_CTL_DEFAULTS, "--defaults", "the defaults instead of the configuration"},
    {WEIR_CTL_CHANGED, "--changed", "only what is not the default"},
    {WEIR_CTL_SAMPLE, "--sample", "a commented weir.conf with all defaults"},
    {WEIR_CTL_MAN, "--man", "the source of weir.conf(5)"},
    {WEIR_CTL_CLIENT_ADDRESS, "--client-address IP", "who handed the message in; without it the "
     "topmost Received field is taken for our own server's"},
    {WEIR_CTL_CLIENT_NAME, "--client-name NAME", "its verified name"},
    {WEIR_CTL_HELO, "--helo NAME", "what it called itself"},
    {WEIR_CTL_SENDER, "--sender ADDRESS", "the envelope sender; without it Return-Path is read"},
    {WEIR_CTL_RECIPIENT, "--recipient ADDRESS", "the envelope recipient"},
    {WEIR_CTL_EXPLAIN, "--explain", "who gave how many points, and what they saw"},
    {WEIR_CTL_PROFILE, "--profile", "at the end, where the time went"},
    {WEIR_CTL_HIDDEN, "--hidden", "also rules without a score, those that begin with __"},
    {WEIR_CTL_OUTPUT, "--output FILE", "write it there"},
    {WEIR_CTL_DRY, "--dry-run", "only look whether it would work"},
    {WEIR_CTL_PREFIX, "--prefix LIST", "whom it is for: addresses and prefixes, with commas"},
    {WEIR_CTL_CONNECTIONS, "--connections LIMIT", "as 1/s:300: the rate, and how many at once"},
    {WEIR_CTL_MESSAGES, "--messages LIMIT", "/s, /min, /h, /d; none: not limited"},
    {WEIR_CTL_RECIPIENTS, "--recipients LIMIT", "of accepted ones"},
    {WEIR_CTL_OBSERVE, "--observe", "only tell what would be done"},
    {WEIR_CTL_ENFORCE, "--enforce", "do it"},
    {WEIR_CTL_LADDER, "--ladder TEXT", "what is done, as \"alert 10m, defer 15m, reject 4h\""},
    {WEIR_CTL_SINCE, "--since 1d", "so far back, in m, h, d or w"},
    {WEIR_CTL_MOST, "--most N", "show so many"},
    {WEIR_CTL_WATCH, "--watch", "draw it anew every 2 s, until Ctrl-C"},
    {WEIR_CTL_OPEN, "--open", "only those that stand"},
    {WEIR_CTL_USER, "--user NAME", "who says so; else, of a letter with mail attached, its From; "
     "of reports only his"},
    {WEIR_CTL_TAKE_BACK, "--take-back", "what was said so before does not hold any more"},
    {WEIR_CTL_WHAT, "--what WORD", "the message itself, what is attached, or any: as it looks"},
    {WEIR_CTL_ACCEPT, "--accept", "and accept it from now on, on all servers"},
    {WEIR_CTL_PAST, "--past", "also what has ended, was replaced or taken back, and by whom"},
    {WEIR_CTL_BOOK, "--book", "the monitor's rulebook, all states, instead of the rules at work"},
    {WEIR_CTL_STATE, "--state STATE", "of rules active, test, draft, retired or locked; of "
     "reports what came of them, as counted or unbound"},
    {WEIR_CTL_WHERE, "--where TEXT", "only those, as \"hits>100,state=active\""},
    {WEIR_CTL_SORT, "--sort COLUMN", "upwards by it; -COLUMN downwards"},
    {WEIR_CTL_IDLE, "--idle 20d", "only rules that hit nothing for so long"},
    {WEIR_CTL_CSV, "--csv", "print CSV, all columns"},
    {WEIR_CTL_HAM, "--ham PATH", "good mail: a file, a folder, a Maildir or an mbox"},
    {WEIR_CTL_SPAM, "--spam PATH", "the same of spam"},
    {WEIR_CTL_RECENT, "--recent", "recent messages that the monitor knows of"},
    {WEIR_CTL_SERVE, "--serve", "stay, and show it at [metrics] listen over HTTP"},
    {WEIR_CTL_SAYS, "--note TEXT", "what others are to know about it"},
    {WEIR_CTL_THRESHOLD, "--threshold NAME", "alerts of this threshold"},
    {WEIR_CTL_SERVER, "--server NAME", "alerts of what this server alone saw"},
    {WEIR_CTL_KIND, "--kind KIND", "alerts of this kind, as threshold"},
    {WEIR_CTL_NOW, "--now TIME", "as if it were then: what is idle, how old hits are"},
};

int weir_ctl_error(struct weir_ctl *ctl, int code, const char *format, ...)
{
    va_list arguments;
    if (ctl->aside) {
        va_start(arguments, format);
        vsnprintf(ctl->aside, WEIR_CTL_NOTE, format, arguments);
        va_end(arguments);
        return code;
    }
    if (ctl->bar)
        fputs("\r\033[K", stderr);
    ctl->bar = false;
    fputs("weirctl: ", stderr);
    va_start(arguments, format);
    vfprintf(stderr, format, arguments);
    va_end(arguments);
    fputc('\n', stderr);
    return code;
}

const char *weir_ctl_option_name(enum weir_ctl_option letter)
{
    const struct option *option = long_options;

    while (option->name && option->val != (int)letter)
        option++;
    return option->name ? option->name : "";
}

static const char *words(const struct weir_ctl_verb *verb, char buffer[static 64])
{
    snprintf(buffer, 64, "%s%s%s", verb->noun, verb->name != NULL ? " " : "",
             verb->name != NULL ? verb->name : "");
    return buffer;
}

/* Options. ----------------------------------------------------------------- */

static int read_options(struct weir_ctl *ctl, int argc, char **argv)
{
    int letter;
    opterr = 0;
    while ((letter = getopt_long(argc, argv, ":c:htV", long_options, NULL)) != -1) {
        const char *word = argv[optind - 1];
        if (letter == ':')
            return weir_ctl_error(ctl, EX_USAGE, "%s needs a value; see weirctl --help", word);
        if (letter == '?')
            return weir_ctl_error(ctl, EX_USAGE, "no such option, or one it cannot take so: %s; "
                                  "see weirctl --help", word);
        ctl->option[letter] = optarg != NULL ? optarg : "";
    }
    ctl->argument = argv + optind;
    ctl->arguments = argc - optind;
    return 0;
}

static bool takes(const struct weir_ctl_verb *verb, int letter)
{
    return strchr("chjtV", letter) != NULL || strchr(verb->options, letter) != NULL;
}

/* An option without effect is a misunderstanding: better to say so. */
static int check_options(struct weir_ctl *ctl)
{
    char text[64];
    for (const struct option *o = long_options; o->name != NULL; o++)
        if (ctl->option[o->val] != NULL && !takes(ctl->verb, o->val))
            return weir_ctl_error(ctl, EX_USAGE, "%s does not take --%s; see weirctl %s --help",
                                  words(ctl->verb, text), o->name, text);
    return 0;
}

static int check_arguments(struct weir_ctl *ctl)
{
    const struct weir_ctl_verb *verb = ctl->verb;
    bool file = ctl->option[WEIR_CTL_FILE] != NULL;
    char text[64];
    if (ctl->arguments < (file ? 0 : verb->least))
        return weir_ctl_error(ctl, EX_USAGE, "something is missing: weirctl %s %s",
                              words(verb, text), verb->synopsis);
    if (verb->most >= 0 && ctl->arguments > verb->most)
        return weir_ctl_error(ctl, EX_USAGE, "%s is one too many: weirctl %s %s",
                              ctl->argument[verb->most], words(verb, text), verb->synopsis);
    return 0;
}

/* Verbs. -------------------------------------------------------------------- */

/* The verb of the first words; the noun alone when the second word is none of its verbs. */
static const struct weir_ctl_verb *find_verb(const struct weir_ctl *ctl,
                                             const struct weir_ctl_verb *verb, size_t verbs)
{
    const char *noun = ctl->argument[0];
    const char *name = ctl->arguments > 1 ? ctl->argument[1] : "";
    const struct weir_ctl_verb *alone = NULL;
    for (size_t i = 0; i < verbs; i++) {
        if (strcmp(verb[i].noun, noun) != 0)
            continue;
        if (verb[i].name == NULL)
            alone = &verb[i];
        else if (strcmp(verb[i].name, name) == 0)
            return &verb[i];
    }
    return alone;
}

static int no_such_verb(struct weir_ctl *ctl, const struct weir_ctl_verb *verb, size_t verbs)
{
    const char *noun = ctl->argument[0];
    char known[256] = "";
    for (size_t i = 0; i < verbs; i++)
        if (strcmp(verb[i].noun, noun) == 0 && verb[i].name != NULL) {
            size_t len = strlen(known);
            snprintf(known + len, sizeof known - len, "%s%s", len > 0 ? ", " : "", verb[i].name);
        }
    if (known[0] != '\0')
        return weir_ctl_error(ctl, EX_USAGE, "%s needs one of: %s; see weirctl --help", noun,
                              known);
    return weir_ctl_error(ctl, EX_USAGE, "there is no \"%s\"; see weirctl --help", noun);
}

static bool wants_no_verb(const struct weir_ctl *ctl)
{
    return ctl->option[WEIR_CTL_VERSION] != NULL || ctl->option[WEIR_CTL_TEST] != NULL ||
           (ctl->option[WEIR_CTL_HELP] != NULL && ctl->arguments == 0);
}

int weir_ctl_command(struct weir_ctl *ctl, const struct weir_ctl_verb *verb, size_t verbs,
                     int argc, char **argv)
{
    int code = read_options(ctl, argc, argv);
    if (code != 0 || wants_no_verb(ctl))
        return code;
    if (ctl->arguments == 0) {
        weir_ctl_help(ctl, verb, verbs, stderr);
        return EX_USAGE;
    }
    ctl->verb = find_verb(ctl, verb, verbs);
    if (ctl->verb == NULL && ctl->option[WEIR_CTL_HELP] == NULL)
        return no_such_verb(ctl, verb, verbs);
    if (ctl->option[WEIR_CTL_HELP] != NULL)
        return 0;
    ctl->argument += ctl->verb->name != NULL ? 2 : 1;
    ctl->arguments -= ctl->verb->name != NULL ? 2 : 1;
    code = check_options(ctl);
    return code != 0 ? code : check_arguments(ctl);
}

/* Help. ---------------------------------------------------------------------- */

static void help_with_verb(const struct weir_ctl_verb *verb, FILE *out)
{
    char text[64];
    fprintf(out, "Usage: weirctl %s%s%s\n\n%s\n\n", words(verb, text),
            verb->synopsis[0] ? " " : "", verb->synopsis, verb->sentence);
    for (size_t i = 0; i < sizeof explanations / sizeof explanations[0]; i++)
        if (strchr(verb->options, explanations[i].letter) != NULL)
            fprintf(out, "  %-21s %s\n", explanations[i].usage, explanations[i].sentence);
    fprintf(out, "  %-21s %s\n  %-21s %s\n", "--json", "print JSON", "-c, --config FILE",
            "another configuration than " WEIR_CONFIG_PATH);
    fprintf(out, "\nExample:\n  %s\n", verb->example);
}

static void help_with_all(const struct weir_ctl_verb *verb, size_t verbs, FILE *out)
{
    char text[64];
    fputs("Usage: weirctl [-c FILE] [--json] VERB ...\n"
          "Lists, reputation, state and configuration of Weir.\n\n", out);
    for (size_t i = 0; i < verbs; i++)
        fprintf(out, "  %-18s %s\n", words(&verb[i], text), verb[i].sentence);
    fputs("\n  weirctl VERB --help   one of them, with an example\n"
          "  weirctl -t [-c FILE]  test the configuration\n"
          "  weirctl -V            the version\n"
          "See weirctl(1), weir.conf(5).\n", out);
}

/* A noun that is none by itself gets the help of each of its verbs. */
void weir_ctl_help(const struct weir_ctl *ctl, const struct weir_ctl_verb *verb, size_t verbs,
                   FILE *out)
{
    size_t shown = 0;
    if (ctl->verb != NULL) {
        help_with_verb(ctl->verb, out);
        return;
    }
    for (size_t i = 0; i < verbs && ctl->arguments > 0; i++)
        if (strcmp(verb[i].noun, ctl->argument[0]) == 0) {
            fputs(shown++ > 0 ? "\n" : "", out);
            help_with_verb(&verb[i], out);
        }
    if (shown == 0)
        help_with_all(verb, verbs, out);
}
