# A message was taken out of Junk: whoever did that says it is no spam, unless it went where
# messages are thrown away, or stays within Junk.  Run by Dovecot's IMAPSieve (weirctl(1), "Folders
# of IMAP").
require ["environment", "imapsieve", "variables", "copy", "ihave", "vnd.dovecot.pipe"];

if environment :matches "imap.mailbox" "*" {
    set "box" "${1}";
}
# What the folder is, where mail readers or Dovecot's configuration have said so.
if ihave "special-use" {
    if anyof(specialuse_exists "${box}" "\\Trash", specialuse_exists "${box}" "\\Junk") {
        stop;
    }
}
# Else by the names that Thunderbird, Outlook, Apple Mail and others give it; add your language's.
# Each twice, for folders apart by '/' and by '.'.
if string :comparator "i;ascii-casemap" :matches ["/${box}", ".${box}"] [
    "*/Trash", "*.Trash", "*/Deleted", "*.Deleted", "*/Deleted Items", "*.Deleted Items",
    "*/Deleted Messages", "*.Deleted Messages", "*/Bin", "*.Bin",
    "*/Papierkorb", "*.Papierkorb", "*/Gelöscht", "*.Gelöscht",
    "*/Gelöschte Elemente", "*.Gelöschte Elemente", "*/Gelöschte Objekte", "*.Gelöschte Objekte",
    "*/Corbeille", "*.Corbeille", "*/Éléments supprimés", "*.Éléments supprimés",
    "*/Papelera", "*.Papelera", "*/Elementos eliminados", "*.Elementos eliminados",
    "*/Cestino", "*.Cestino", "*/Posta eliminata", "*.Posta eliminata",
    "*/Prullenbak", "*.Prullenbak", "*/Verwijderde items", "*.Verwijderde items",
    "*/Lixeira", "*.Lixeira", "*/Itens Excluídos", "*.Itens Excluídos",
    "*/Kosz", "*.Kosz", "*/Koš", "*.Koš", "*/Papirkurv", "*.Papirkurv",
    "*/Papperskorgen", "*.Papperskorgen", "*/Roskakori", "*.Roskakori",
    "*/Корзина", "*.Корзина", "*/Удаленные", "*.Удаленные", "*/Удалённые", "*.Удалённые"] {
    stop;
}
if string :comparator "i;ascii-casemap" :matches ["/${box}/", ".${box}."]
    ["*/Junk/*", "*.Junk.*", "*/Spam/*", "*.Spam.*"] {
    stop;
}
if environment :matches "imap.user" "*" {
    set "user" "${1}";
}
pipe :copy "weir-report" ["ham", "${user}"];
