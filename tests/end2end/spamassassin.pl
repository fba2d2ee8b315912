#!/usr/bin/perl
# spamassassin.pl ROOT <list of files - what SpamAssassin's own engine hits, without a network: one
# line a file, "file<TAB>NAME,NAME,...".  ROOT is where its package was unpacked.
use strict;
use warnings;
my $root;
BEGIN { ($root) = @ARGV; @ARGV = (); unshift @INC, "$root/usr/share/perl5"; }
use Mail::SpamAssassin;

my $home = $ENV{WEIR_SA_HOME} // '/nonexistent';
my $sa = Mail::SpamAssassin->new({
    rules_filename => "$root/usr/share/spamassassin",
    site_rules_filename => "$root/etc/spamassassin", userstate_dir => $home,
    userprefs_filename => "$home/none.cf", local_tests_only => 1, dont_copy_prefs => 1,
    post_config_text => "use_bayes 0\nuse_auto_welcomelist 0\nuse_txrep 0\n",
});
$sa->init(1);
$| = 1;
while (my $file = <STDIN>) {
    chomp $file;
    open(my $in, '<:raw', $file) or die "$file: $!";
    my $text = do { local $/; <$in> };
    my $mail = $sa->parse($text);
    my $status = $sa->check($mail);
    my $names = $status->get_names_of_tests_hit();
    my $hidden = $status->get_names_of_subtests_hit();
    print "$file\t", join(',', grep { length } split(/,/, "$names,$hidden")), "\n";
    $status->finish();
    $mail->finish();
}
