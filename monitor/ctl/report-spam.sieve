# A message was put into Junk: whoever did that says it is spam.  Run by Dovecot's IMAPSieve
# (weirctl(1), "Folders of IMAP"); the program weir-report lies beside this script.
require ["environment", "imapsieve", "variables", "copy", "vnd.dovecot.pipe"];

if environment :matches "imap.user" "*" {
    set "user" "${1}";
}
pipe :copy "weir-report" ["spam", "${user}"];
