#!/usr/bin/perl
# spamassassin.pl ROOT <list of files - what SpamAssassin's own engine hits, without a network: one
# line a file, "file<TAB>NAME,NAME,...".  ROOT is where its package was unpacked.
#
# spamassassin.pl ROOT --learn <list of "judge FILE", "spam FILE", "ham FILE" - with its Bayesian
# classifier, which learns as it is told and from nothing else: one line a judged file,
# "file<TAB>score".
use strict;
use warnings;
my ($root, $learns);
BEGIN { ($root, $learns) = @ARGV; @ARGV = (); unshift @INC, "$root/usr/share/perl5"; }
use Mail::SpamAssassin;

my $home = $ENV{WEIR_SA_HOME} // '/nonexistent';
my $bayes = $learns ? "use_bayes 1\nbayes_auto_learn 0\nbayes_auto_expire 0\n"
    . "bayes_path $home/bayes\nbayes_learn_to_journal 0\nlock_method flock\n"
    . "clear_trusted_networks\nclear_internal_networks\ntrusted_networks 127/8\n" : "use_bayes 0\n";
my $sa = Mail::SpamAssassin->new({
    rules_filename => "$root/usr/share/spamassassin",
    site_rules_filename => "$root/etc/spamassassin", userstate_dir => $home,
    userprefs_filename => "$home/none.cf", local_tests_only => 1, dont_copy_prefs => 1,
    post_config_text => "${bayes}use_auto_welcomelist 0\nuse_txrep 0\n",
});
$sa->init(1);
$sa->init_learner({wait_for_lock => 1, caller_will_untie => 1}) if $learns;
$| = 1;
while (my $file = <STDIN>) {
    chomp $file;
    my $what = $learns && $file =~ s/^(\w+) // ? $1 : 'judge';
    open(my $in, '<:raw', $file) or die "$file: $!";
    my $text = do { local $/; <$in> };
    my $mail = $sa->parse($text);
    my $status = $what eq 'judge' ? $sa->check($mail) : $sa->learn($mail, undef, $what eq 'spam', 0);
    if ($learns) {
        print "$file\t", $status->get_score(), "\n" if $what eq 'judge';
    } else {
        my $names = $status->get_names_of_tests_hit();
        my $hidden = $status->get_names_of_subtests_hit();
        print "$file\t", join(',', grep { length } split(/,/, "$names,$hidden")), "\n";
    }
    $status->finish();
    $mail->finish();
}
