"""ctl_help - what holds for the help of every verb of weirctl."""


class Help:
    """For a test case with verbs (a list) and good(), which runs weirctl and gives what it says."""

    verbs = ()

    def test_every_verb_explains_itself_with_an_example(self):
        overview = self.good("--help")
        for verb in self.verbs:
            with self.subTest(verb):
                text = self.good(*verb.split(), "--help")
                self.assertRegex(text, rf"(?m)^Usage: weirctl {verb}( |$)")
                self.assertRegex(text, rf"Example:\n  weirctl {verb}")
                self.assertIn(f"  {verb} ", overview)
