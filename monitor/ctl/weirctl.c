/*
 * weirctl - the command line of Weir.
 *
 * A table of verbs; what each does is in the file of its noun, ctl_NOUN.c.
 */
#include "monitor/ctl/ctl.h"
#include "monitor/ctl/ctl_output.h"

#define LIST_ADD_OPTIONS "rofuEFx"
#define LIMIT_OPTIONS "NKgzl"
#define TABLE_OPTIONS "53k7"
#define BOOK_OPTIONS "126" TABLE_OPTIONS
#define ENTRY "ADDRESS|PREFIX..."
#define ENTRY_OR_DOMAIN "ADDRESS|PREFIX|DOMAIN..."

static const struct weir_ctl_verb verbs[] = {
    {"blacklist", "add", weir_ctl_list_add, WEIR_LIST_BLACK, LIST_ADD_OPTIONS "T", 1, -1,
     ENTRY " [--reason TEXT] [--for 4h | --until TIME | --forever] [--defer] [--file FILE]",
     "Refuse mail from addresses; for 30 days unless told otherwise.",
     "weirctl blacklist add 203.0.113.7 198.51.100.0/24 --for 4h --reason \"sends viruses\""},
    {"blacklist", "remove", weir_ctl_list_remove, WEIR_LIST_BLACK, "F", 1, -1,
     ENTRY " [--file FILE]", "Take addresses off the blacklist.",
     "weirctl blacklist remove 203.0.113.7"},
    {"blacklist", "list", weir_ctl_list_list, WEIR_LIST_BLACK, "eo", 0, 0,
     "[--expired] [--origin TEXT]", "Show the blacklist.",
     "weirctl blacklist list --json | jq -r '.[].entry'"},
    {"blacklist", "show", weir_ctl_list_show, WEIR_LIST_BLACK, "", 1, 1, "ADDRESS|PREFIX",
     "Show which list decides about an address now, and why.",
     "weirctl blacklist show 203.0.113.7"},
    {"accept", "add", weir_ctl_list_add, WEIR_LIST_ACCEPT, LIST_ADD_OPTIONS, 1, -1,
     ENTRY_OR_DOMAIN " [--reason TEXT] [--for 4h | --until TIME | --forever] [--file FILE]",
     "Always take mail from addresses, or from domains as long as it is their own.",
     "weirctl accept add 192.0.2.0/24 partner.example --reason \"our partner\""},
    {"accept", "remove", weir_ctl_list_remove, WEIR_LIST_ACCEPT, "F", 1, -1,
     ENTRY_OR_DOMAIN " [--file FILE]", "Take addresses or domains off the acceptable list.",
     "weirctl accept remove partner.example"},
    {"accept", "list", weir_ctl_list_list, WEIR_LIST_ACCEPT, "eo", 0, 0,
     "[--expired] [--origin TEXT]", "Show the acceptable list.", "weirctl accept list --expired"},
    {"accept", "show", weir_ctl_list_show, WEIR_LIST_ACCEPT, "", 1, 1, "ADDRESS|PREFIX|DOMAIN",
     "Show which list decides about an address or a domain now, and why.",
     "weirctl accept show mail.partner.example"},
    {"score", "add", weir_ctl_list_add, WEIR_LIST_SCORE, LIST_ADD_OPTIONS "p", 1, -1,
     "--points N " ENTRY " [--reason TEXT] [--for 4h | --until TIME | --forever] [--file FILE]",
     "Give all mail of addresses points of their own; for 30 days unless told otherwise.",
     "weirctl score add --points 2.5 203.0.113.7 --for 4h --reason \"many complaints\""},
    {"score", "remove", weir_ctl_list_remove, WEIR_LIST_SCORE, "F", 1, -1, ENTRY " [--file FILE]",
     "Take the points away.", "weirctl score remove 203.0.113.7"},
    {"score", "list", weir_ctl_list_list, WEIR_LIST_SCORE, "eo", 0, 0,
     "[--expired] [--origin TEXT]", "Show addresses that have points of their own.",
     "weirctl score list --origin monitor"},
    {"score", "show", weir_ctl_list_show, WEIR_LIST_SCORE, "", 1, 1, "ADDRESS|PREFIX",
     "Show the points an address has now, and why.", "weirctl score show 203.0.113.7"},
    {"reputation", NULL, weir_ctl_reputation_show, WEIR_LISTS, "aA", 1, 2,
     "ADDRESS [DOMAIN] | DOMAIN [--at TIME] [--authenticated]",
     "Show what became of earlier mail of an address, a domain, or both together.",
     "weirctl reputation 203.0.113.7 shop.example"},
    {"reputation", "add", weir_ctl_reputation_add, WEIR_LISTS, "vbaAnF", 1, 2,
     "--verdict V [--by WHO] [--at TIME] [--count N] ADDRESS [DOMAIN] | --file FILE",
     "Enter what a person or a program says about mail.",
     "weirctl reputation add --verdict spam --by user 203.0.113.7 shop.example"},
    {"reputation", "undo", weir_ctl_reputation_undo, WEIR_LISTS, "vbaAn", 1, 2,
     "--verdict V [--by WHO] --at TIME [--count N] ADDRESS [DOMAIN]",
     "Take back what was entered at that time.",
     "weirctl reputation undo --verdict spam --at 2026-11-21T18:13:00Z 203.0.113.7 shop.example"},
    {"reputation", "replay", weir_ctl_replay, WEIR_LISTS, "s", 1, -1,
     "FILE... [--summary]", "Judge a log line by line by what came before; the live counters are "
     "not touched.", "weirctl reputation replay --summary mail.tsv >judged.jsonl"},
    {"check", NULL, weir_ctl_check, WEIR_LISTS, "ILHMRAXPq", 0, -1,
     "[--client-address IP] [--sender ADDRESS] [--explain] [--profile] [--hidden] [FILE|FOLDER...]",
     "Judge messages as the mail server would: files, folders, or standard input.",
     "weirctl check --explain --client-address 203.0.113.7 mail.eml"},
    {"info", "decode", weir_ctl_info_decode, WEIR_LISTS, "", 0, 1, "[STRING|FILE]",
     "Read the spam-info string of a message: who decided what about it, and why.",
     "weirctl info decode --json mail.eml"},
    {"report", "spam", weir_ctl_report, WEIR_LISTS, "UGQ", 0, -1,
     "[--user NAME] [--take-back] [--what any|itself|attached] [FILE|FOLDER...]",
     "Tell that messages are spam: files, or standard input; letters with messages attached, too.",
     "weirctl report spam --user ann@example.org mail.eml"},
    {"report", "ham", weir_ctl_report, WEIR_LISTS, "UGQ", 0, -1,
     "[--user NAME] [--take-back] [--what any|itself|attached] [FILE|FOLDER...]",
     "Tell that messages are no spam.",
     "weirctl report ham --user ann@example.org --what itself <mail.eml"},
    {"reports", NULL, weir_ctl_reports, WEIR_LISTS, "Uik2", 0, 0,
     "[--user NAME] [--state WORD] [--since 7d] [--most 50]",
     "Show what people reported, from all servers, and what came of it.",
     "weirctl reports --state unbound"},
    {"reports", "show", weir_ctl_reports_show, WEIR_LISTS, "", 1, 1, "UID",
     "Show a reported message as the monitor has it: as text, its string read.",
     "weirctl reports show 4f1c9a0b2d3e5f60"},
    {"reports", "unproven", weir_ctl_reports_unproven, WEIR_LISTS, "k", 0, 0, "[--most 50]",
     "Show reported messages whose strings prove nothing: they are kept to be looked at only.",
     "weirctl reports unproven"},
    {"reports", "forget", weir_ctl_reports_forget, WEIR_LISTS, "", 1, 1, "UID",
     "Forget the text of a reported message.", "weirctl reports forget 4f1c9a0b2d3e5f60"},
    {"bayes", "status", weir_ctl_bayes_status, WEIR_LISTS, "", 0, 0, "",
     "Show what the Bayesian classifier has learned, of what, and whether it is silent.",
     "weirctl bayes status"},
    {"bayes", "learn", weir_ctl_bayes_learn, WEIR_LISTS, "", 2, -1,
     "spam|ham FILE|FOLDER|MBOX...",
     "Teach the Bayesian classifier with mail that was sorted by people: files, folders, mboxes.",
     "weirctl bayes learn spam ~/Maildir/.Junk/cur"},
    {"bayes", "unlearn", weir_ctl_bayes_unlearn, WEIR_LISTS, "", 1, -1, "FILE|FOLDER|MBOX...",
     "Take back what `weirctl bayes learn` did.", "weirctl bayes unlearn mistake.mbox"},
    {"counters", "rebuild", weir_ctl_counters_rebuild, WEIR_LISTS, "DF", 0, 0,
     "[--dry-run] [--file DATABASE]",
     "Put back what a store of counters lost, from the monitor's database, while mail comes.",
     "weirctl counters rebuild --dry-run"},
    {"counters", "forget", weir_ctl_counters_forget, WEIR_LISTS, "x", 0, 0, "--force",
     "Let the monitor's database begin its counters anew, with the key that is there.",
     "weirctl counters forget --force"},
    {"rules", "load", weir_ctl_rules_load, WEIR_LISTS, "D", 0, 0, "[--dry-run]",
     "Make the rule set of the rule files; programs at work see it within a second.",
     "weirctl rules load"},
    {"rules", "list", weir_ctl_rules_list, WEIR_LISTS, BOOK_OPTIONS, 0, 1,
     "[FILE|SERIAL | --book] [--sort [-]COLUMN] [--where TEXT] [--state STATE] [--idle 20d] "
     "[--most N] [--csv]",
     "Show the rules at work, those of a published set (a file rules-SERIAL.db, or at the monitor "
     "a serial), or the monitor's rulebook with all that is known of them.",
     "weirctl rules list --book --sort -false_positives --where \"spam>100,state=active\""},
    {"rules", "stats", weir_ctl_rules_stats, WEIR_LISTS, "i" TABLE_OPTIONS, 0, 1,
     "[NAME|ID] [--since 30d] [--sort [-]COLUMN] [--where TEXT] [--most 20] [--csv]",
     "Show mail and hits by day as small charts, which rules do most on all servers, which do "
     "nothing, and which are retired next.",
     "weirctl rules stats --sort -false_positives --since 7d"},
    {"rules", "show", weir_ctl_rules_show, WEIR_LISTS, "1k", 1, 1, "NAME|ID [--book] [--most N]",
     "Show a rule: of the rulebook with what it did, why it scores what it scores, and what became "
     "of it; else as it is at work here.", "weirctl rules show GTUBE"},
    {"rules", "test", weir_ctl_rules_test, WEIR_LISTS, "890" TABLE_OPTIONS, 1, -1,
     "RULE|NAME|ID|FILE.rules [--spam PATH] [--ham PATH] [PATH...] | --recent [--most 20] [--csv]",
     "Try a rule, typed or of the rulebook, or a file of them on messages: how many it hits, "
     "which, and how long it takes.",
     "weirctl rules test '/cheap loan/i' --spam Maildir/.Junk --ham Maildir/cur"},
    {"rules", "import", weir_ctl_rules_import, WEIR_LISTS, "Ox12rD", 1, -1,
     "FILE|FOLDER... [--output FILE | --book [--state test] [--reason TEXT] [--dry-run]] "
     "[--force]",
     "Take rules over from SpamAssassin's files, into a file or the rulebook; what cannot be taken "
     "is listed with its reason.",
     "weirctl rules import /usr/share/spamassassin --book --state test --dry-run"},
    {"rules", "sets", weir_ctl_rules_sets, WEIR_LISTS, "", 0, 0, "",
     "Show the rule sets that were published.", "weirctl rules sets --json"},
    {"rules", "diff", weir_ctl_rules_diff, WEIR_LISTS, "", 2, 2, "SERIAL|FILE SERIAL|FILE",
     "Show what differs between two published sets, rule by rule.", "weirctl rules diff 11 12"},
    {"publish", NULL, weir_ctl_publish, WEIR_LISTS, "Drx", 0, 0,
     "[--dry-run] [--reason TEXT] [--force]",
     "Make the rulebook the rule set of all mail servers.", "weirctl publish --dry-run"},
    {"rollback", NULL, weir_ctl_rollback, WEIR_LISTS, "Dr", 1, 1,
     "SERIAL [--dry-run] [--reason TEXT]",
     "Publish once more what an earlier rule set had, under a new serial.",
     "weirctl rollback 11 --reason \"12 refuses newsletters\""},
    {"rules", "add", weir_ctl_rules_add, WEIR_LISTS, "2rD", 1, -1,
     "FILE|FOLDER... [--state draft|test|active] [--reason TEXT] [--dry-run]",
     "Put rule files into the monitor's rulebook: all that is in them, or nothing.",
     "weirctl rules add /etc/weir/rules/20-own.rules --state test"},
    {"rules", "set", weir_ctl_rules_set, WEIR_LISTS, "rx", 2, 5,
     "NAME|ID [score=N] [low=N] [high=N] [state=STATE] [--reason TEXT] [--force]",
     "Change a rule of the rulebook: its score, how far programs may change it, its state.",
     "weirctl rules set CHEAP_LOAN score=2.5 high=3 --reason \"seen in newsletters\""},
    {"rules", "retire", weir_ctl_rules_state, WEIR_LISTS, "rx", 1, 1,
     "NAME|ID [--reason TEXT] [--force]",
     "Keep a rule, and publish it no more.", "weirctl rules retire CHEAP_LOAN"},
    {"rules", "enable", weir_ctl_rules_state, WEIR_LISTS, "r", 1, 1, "NAME|ID [--reason TEXT]",
     "Let a rule work (again).", "weirctl rules enable CHEAP_LOAN"},
    {"rules", "approve", weir_ctl_rules_approve, WEIR_LISTS, "r", 1, 1, "NAME|ID [--reason TEXT]",
     "Let a draft go to the test, and from there to work once it is proven.",
     "weirctl rules approve CHEAP_LOAN"},
    {"rules", "reject", weir_ctl_rules_reject, WEIR_LISTS, "r", 1, 1, "NAME|ID [--reason TEXT]",
     "A draft is not to be a rule, nor another one of the same messages.",
     "weirctl rules reject MISSED_TEXT_0A1B2C3D4E5F --reason \"our newsletter says so, too\""},
    {"rules", "lock", weir_ctl_rules_state, WEIR_LISTS, "r", 1, 1, "NAME|ID [--reason TEXT]",
     "Let a rule work, and no program change it.", "weirctl rules lock GTUBE"},
    {"rules", "history", weir_ctl_rules_history, WEIR_LISTS, "k", 0, 1, "[NAME|ID] [--most N]",
     "Show who or what changed rules, when, and why.", "weirctl rules history CHEAP_LOAN"},
    {"rules", "export", weir_ctl_rules_export, WEIR_LISTS, "O2", 0, 1,
     "[NAME|ID] [--output FILE] [--state STATE]",
     "Write the rulebook, or a rule of it, as a file that can be added again.",
     "weirctl rules export --output rulebook.rules"},
    {"analyze", NULL, weir_ctl_analyze, WEIR_LISTS, "4D", 0, 0, "[--now TIME] [--dry-run]",
     "Move scores by what rules hit, retire, demote and promote; show what changed and why.",
     "weirctl analyze --dry-run"},
    {"gateways", "learn", weir_ctl_gateways_learn, WEIR_LISTS, "a", 1, -1,
     "FILE|FOLDER... [--at TIME]", "Learn from spool files which hosts only pass mail on.",
     "weirctl gateways learn /var/lib/weir/spool"},
    {"gateways", "list", weir_ctl_gateways_list, WEIR_LISTS, "", 0, 0, "",
     "Show gateways and those that look like one.", "weirctl gateways list --json"},
    {"gateways", "approve", weir_ctl_gateways_approve, WEIR_LISTS, "", 1, 1, "ADDRESS",
     "Believe that a host is a gateway.", "weirctl gateways approve 198.51.100.3"},
    {"gateways", "reject", weir_ctl_gateways_reject, WEIR_LISTS, "", 1, 1, "ADDRESS",
     "A host is no gateway, whatever it looks like.", "weirctl gateways reject 203.0.113.7"},
    {"gateways", "forget", weir_ctl_gateways_forget, WEIR_LISTS, "", 1, 1, "ADDRESS",
     "Take an approval or rejection back.", "weirctl gateways forget 198.51.100.3"},
    {"server", "add", weir_ctl_server_add, WEIR_LISTS, "O", 1, 1, "NAME [--output FILE]",
     "Let a mail server's agent in: its identity, told once.",
     "weirctl server add mx1 --output mx1.identity"},
    {"server", "revoke", weir_ctl_server_revoke, WEIR_LISTS, "", 1, 1, "NAME",
     "Do not let its agent in any more.", "weirctl server revoke mx1"},
    {"server", "list", weir_ctl_server_list, WEIR_LISTS, "", 0, 0, "",
     "Show the mail servers: heard of or blind, and what they have applied.",
     "weirctl server list --json"},
    {"user", "add", weir_ctl_user_add, WEIR_LISTS, "", 1, 2, "NAME [viewer|analyst|administrator]",
     "Let a person use the console, as a viewer unless told otherwise: the password, told once.",
     "weirctl user add anna analyst"},
    {"user", "list", weir_ctl_user_list, WEIR_LISTS, "", 0, 0, "",
     "Show who may use the console.", "weirctl user list --json"},
    {"user", "password", weir_ctl_user_password, WEIR_LISTS, "", 1, 1, "NAME",
     "Give a person a new password, told once; all sessions of that person end.",
     "weirctl user password anna"},
    {"user", "role", weir_ctl_user_role, WEIR_LISTS, "", 2, 2,
     "NAME viewer|analyst|administrator", "Change what a person may do.",
     "weirctl user role anna administrator"},
    {"user", "disable", weir_ctl_user_able, WEIR_LISTS, "", 1, 1, "NAME",
     "Let a person not log in any more; the account stays.", "weirctl user disable anna"},
    {"user", "enable", weir_ctl_user_able, WEIR_LISTS, "", 1, 1, "NAME",
     "Let a person log in again.", "weirctl user enable anna"},
    {"user", "remove", weir_ctl_user_remove, WEIR_LISTS, "", 1, 1, "NAME",
     "Remove an account.", "weirctl user remove anna"},
    {"token", "add", weir_ctl_token_add, WEIR_LISTS, "f", 1, 2,
     "NAME [viewer|analyst|administrator] [--for 30d]",
     "Let a program use the console's API: its token, told once.",
     "weirctl token add prometheus viewer --for 52w"},
    {"token", "list", weir_ctl_token_list, WEIR_LISTS, "", 0, 0, "",
     "Show which programs may use the API.", "weirctl token list"},
    {"token", "remove", weir_ctl_token_remove, WEIR_LISTS, "", 1, 1, "NAME",
     "Remove a token: it opens nothing any more.", "weirctl token remove prometheus"},
    {"threshold", "show", weir_ctl_threshold_show, WEIR_LISTS, "", 0, 1, "[NAME]",
     "Show how much addresses may do, and what is done about more.", "weirctl threshold show"},
    {"threshold", "set", weir_ctl_threshold_set, WEIR_LISTS, LIMIT_OPTIONS "BW", 1, 1,
     "NAME [--prefix LIST] [--connections 1/s:300] [--messages 2/s:600] [--recipients 5/s:2000] "
     "[--ladder TEXT] [--observe | --enforce]",
     "Change a threshold, or make one for some addresses.",
     "weirctl threshold set partners --prefix 192.0.2.0/24,2001:db8::/32 --messages 20/s:5000"},
    {"threshold", "remove", weir_ctl_threshold_remove, WEIR_LISTS, "", 1, 1, "NAME",
     "Take a threshold away.", "weirctl threshold remove partners"},
    {"threshold", "test", weir_ctl_threshold_test, WEIR_LISTS, LIMIT_OPTIONS "ik", 0, 1,
     "[NAME] [--since 7d] [--prefix LIST] [--connections 1/s:300] [--messages 2/s:600] "
     "[--recipients 5/s:2000] [--most N]",
     "Whom would this limit have caught, and which of them are good senders?",
     "weirctl threshold test --since 7d --connections 30/min:100"},
    {"top", NULL, weir_ctl_top, WEIR_LISTS, "bikw", 0, 0,
     "[--by connections|messages|accepted|recipients|syns] [--since 10m] [--most 20] [--watch]",
     "Show which addresses do most.", "weirctl top --by messages --since 1h"},
    {"events", NULL, weir_ctl_events, WEIR_LISTS, "iky", 0, 1,
     "[--open] [--since 1d] [--most N] [ADDRESS|PREFIX]",
     "Show limits that were passed, and what else the monitor noticed.",
     "weirctl events --open"},
    {"events", "acknowledge", weir_ctl_events_acknowledge, WEIR_LISTS, "J", 1, 1,
     "NUMBER [--note TEXT]", "Say that you know of what the monitor noticed.",
     "weirctl events acknowledge 17 --note \"their newsletter; they were told\""},
    {"block", NULL, weir_ctl_block, WEIR_LISTS, "frT", 1, 1,
     "ADDRESS|PREFIX --for 4h [--defer] [--reason TEXT]",
     "Refuse mail from an address on all servers.",
     "weirctl block 203.0.113.7 --for 4h --reason \"sends viruses\""},
    {"unblock", NULL, weir_ctl_unblock, WEIR_LISTS, "frY", 1, 1,
     "ADDRESS|PREFIX [--accept [--for 7d]] [--reason TEXT]",
     "Take back what was decided about an address, on all servers.",
     "weirctl unblock 203.0.113.7 --accept --for 7d"},
    {"unaccept", NULL, weir_ctl_unaccept, WEIR_LISTS, "", 1, 1, "ADDRESS|PREFIX",
     "Take back what `unblock --accept` did, on all servers.",
     "weirctl unaccept 203.0.113.7"},
    {"decisions", NULL, weir_ctl_decisions, WEIR_LISTS, "", 0, 1, "[ADDRESS|PREFIX]",
     "Show who is refused, has points or is accepted on all servers, until when, why, by whom.",
     "weirctl decisions 203.0.113.7"},
    {"status", NULL, weir_ctl_status, WEIR_LISTS, "", 0, 0, "",
     "Show how lists, counters and daemons are; exit 1 when something is wrong.",
     "weirctl status --json"},
    {"config", NULL, weir_ctl_show_config, WEIR_LISTS, "dCSm", 0, 0,
     "[--defaults | --changed | --sample | --man]", "Show the configuration in effect.",
     "weirctl config --changed"},
};

static int test(struct weir_ctl *ctl)
{
    const char *path = ctl->option[WEIR_CTL_CONFIG];
    int code = weir_ctl_configure(ctl);
    if (code == 0)
        printf("%s: ok\n", path != NULL ? path : WEIR_CONFIG_PATH " or the defaults");
    return code;
}

static int run(struct weir_ctl *ctl, int argc, char **argv)
{
    size_t n = sizeof verbs / sizeof verbs[0];
    int code = weir_ctl_command(ctl, verbs, n, argc, argv);
    if (code != 0)
        return code;
    if (ctl->option[WEIR_CTL_HELP] != NULL)
        weir_ctl_help(ctl, verbs, n, stdout);
    else if (ctl->option[WEIR_CTL_VERSION] != NULL)
        puts("weirctl " WEIR_VERSION);
    else if (ctl->option[WEIR_CTL_TEST] != NULL)
        code = test(ctl);
    else
        code = ctl->verb->run(ctl);
    return code;
}

int main(int argc, char **argv)
{
    struct weir_ctl ctl = {0};
    int code = weir_ctl_end(&ctl, run(&ctl, argc, argv));
    weir_ctl_close(&ctl);
    return code;
}
