# A message was taken out of Junk: whoever did that says it is no spam, unless it went where
# messages are thrown away.  Run by Dovecot's IMAPSieve (weirctl(1), "Folders of IMAP").
require ["environment", "imapsieve", "variables", "copy", "vnd.dovecot.pipe"];

# With the names that Thunderbird, Outlook, Apple Mail and others give it; add your language's.
if environment :matches "imap.mailbox" ["Trash", "*/Trash", "*.Trash", "Deleted*", "*/Deleted*",
                                        "*.Deleted*", "Bin", "Papierkorb", "Corbeille",
                                        "Papelera", "Cestino"] {
    stop;
}
if environment :matches "imap.user" "*" {
    set "user" "${1}";
}
pipe :copy "weir-report" ["ham", "${user}"];
