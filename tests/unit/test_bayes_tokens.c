/*
 * Tests of core/evidence/bayes_tokens.c, bayes_words.c, bayes_fields.c and bayes_links.c: which
 * tokens a message has and which it must not have, each once, and the limits.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "core/base/arena_impl.h"
#include "core/base/limits.h"
#include "core/base/slice.h"
#include "core/evidence/bayes_tokens.h"
#include "tests/unit/content_rig.h"

static const struct weir_hash_key key = {{9, 8, 7}};

static struct weir_bayes_tokens tokens_of(struct content_rig *rig, const char *text, size_t len,
                                          const struct weir_hash_key *under)
{
    struct weir_bayes_source source = {.message = &rig->message, .content = &rig->content,
                                       .charsets = rig->charsets};
    struct weir_bayes_tokens tokens;
    content_rig_read(rig, text, len);
    assert_int_equal(weir_bayes_tokens_read(under, &source, rig->arena, &tokens), 0);
    return tokens;
}

static const struct weir_bayes_token *find(const struct weir_bayes_tokens *tokens,
                                           const char *text)
{
    for (size_t i = 0; i < tokens->tokens; i++)
        if (tokens->token[i].text.len == strlen(text) &&
            memcmp(tokens->token[i].text.at, text, strlen(text)) == 0)
            return &tokens->token[i];
    return NULL;
}

/* Sizes and defects are facts of the message, and may change by what was added. */
static bool is_fact(struct weir_slice text)
{
    return weir_slice_begins(text, "defect:") || weir_slice_begins(text, "length:");
}

#define IN_BODY "Subject: x\nContent-Type: text/plain; charset=utf-8\n\n"
#define IN_HTML "Subject: x\nContent-Type: text/html\n\n"

static const struct token_case {
    const char *text, *has[6], *lacks[6];
} cases[] = {
    {IN_BODY "Claim your FREE prize, now!!!",
     {"claim", "FREE", "claim your", "your free", "free prize", "now!!!"}, {"Claim", "free", ","}},
    {IN_BODY "don't well-known a.b.c $19.95 50% -dash- end.",
     {"don't", "well-known", "a.b.c", "$19.95", "50%", "dash"}, {"end.", "-dash"}},
    {IN_BODY "one\n\ntwo", {"one", "two"}, {"one two"}},
    {IN_BODY "abcdefghijklmnopqrstuvwx abcdefghijklmnopqrstuvwxy",
     {"abcdefghijklmnopqrstuvwx", "abcdefgh~2"}, {"abcdefghijklmnopqrstuvwxy"}},
    {IN_BODY "GR\xc3\x9c\xc3\x9f" "E \xd0\x9f\xd0\xa0\xd0\x98 \xce\xa9\xce\x91",
     {"gr\xc3\xbc\xc3\x9f" "e", "\xd0\xbf\xd1\x80\xd0\xb8", "\xcf\x89\xce\xb1"}, {NULL}},
    {IN_BODY "\xe7\x99\xbe\xe4\xb8\x87\xe5\x86\x86",
     {"\xe7\x99\xbe", "\xe7\x99\xbe \xe4\xb8\x87", "\xe4\xb8\x87 \xe5\x86\x86"},
     {"\xe7\x99\xbe\xe4\xb8\x87\xe5\x86\x86"}},
    {IN_BODY "fr\xe2\x80\x8b" "ee v\xc2\xadiagra \xef\xbd\x86\xef\xbd\x92\xef\xbd\x85\xef\xbd\x85",
     {"free", "viagra"}, {"fr", "ee"}},
    {IN_BODY "win\xf0\x9f\x92\xb0now", {"win", "now", "\xf0\x9f\x92\xb0"}, {NULL}},
    {"Subject: You WON money\nFrom: \"Big Bank\" <Joe99@mail.Bank.example>\n\n",
     {"subject:WON", "subject:you won", "from:bank", "from:joe99@mail.bank.example",
      "from:@bank.example", "from:#a9"}, {"won", "you"}},
    {"Subject: =?utf-8?Q?fr=65e?=\n\n", {"subject:free"}, {"subject:utf-8"}},
    {"From: a@b.example\nReply-To: c@d.example\nTo: you@e.example\n\n",
     {"replies:elsewhere", "order:from reply-to", "order: from", "order:to ", "to:@e.example"},
     {"replies:same"}},
    {"From: a@b.example\nReply-To: c@B.example\nMime-version: 1.0\nX-Mailer: Foo 2\n\n",
     {"replies:same", "name:Mime-version", "x-mailer:foo", "x-mailer:foo 2"}, {NULL}},
    {"Message-ID: <ABC123.xyz@host.example>\nX-Other: secret\n\n",
     {"mid:<A9.a", "mid:@example", "name:X-Other"}, {"x-other:secret"}},
    {IN_HTML "<p>x</p><a href=\"http://u@www.Shop.example:8080/buy/pills.php\">y</a>"
     "<img src=http://192.0.2.7/i.gif>",
     {"url:www.shop.example", "url:shop.example", "path:pills.php", "link:port", "link:user",
      "link:number"}, {NULL}},
    {IN_BODY "http://192.0.2.7/",
     {"url:192.0.2.7", "url:192.0.2", "url:192.0"},
     {"url:0.2.7", "url:2.7", "url:7", "url:192"}},
    {"Message-ID: <1@[192.0.2.7]>\n\n", {"mid:@192.0.2.7", "mid:@192.0"},
     {"mid:@7]", "mid:@2.7]"}},
    {"Content-Type: multipart/mixed; boundary=aB-12\n\n--aB-12\nContent-Type: "
     "multipart/alternative; boundary=c\n\n--c\n\nx\n--c\nContent-Type: text/html\n\ny\n--c--\n"
     "--aB-12\nContent-Type: application/x-foo; name=\"A.EXE\"\n"
     "Content-Transfer-Encoding: base64\n\nQQ==\n--aB-12--\n",
     {"shape:mixed(alternative(,html),x-foo)", "ext:exe", "boundary:aA-9", "type:text/html",
      "transfer:base64", "attached:application/x-foo"}, {NULL}},
};

static void tokens_are_those_of_the_table(void **state)
{
    for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
        struct weir_bayes_tokens tokens = tokens_of(*state, cases[i].text, strlen(cases[i].text),
                                                    &key);
        for (size_t n = 0; n < 6 && cases[i].has[n]; n++)
            if (!find(&tokens, cases[i].has[n]))
                fail_msg("case %zu has no token %s", i, cases[i].has[n]);
        for (size_t n = 0; n < 6 && cases[i].lacks[n]; n++)
            if (find(&tokens, cases[i].lacks[n]))
                fail_msg("case %zu has the token %s", i, cases[i].lacks[n]);
    }
}

static void what_others_added_makes_no_tokens(void **state)
{
    static const char plain[] = "From: a@b.example\nTo: you@c.example\n\nx\n";
    static const char added[] =
        "Return-Path: <bounce@q.example>\nDelivered-To: me@q.example\n"
        "Received: from q.example by r.example; Mon, 1 Jul 2002 10:00:00 +0000\n"
        "X-Spam-Status: Yes, score=9\nX-Spam-Flag: YES\nX-Weir-Info: v1; abc\nX-Bogosity: Spam\n"
        "Authentication-Results: q.example; spf=pass\nARC-Seal: i=1\nDKIM-Signature: v=1\n"
        "X-Keywords: \nStatus: RO\nX-UID: 7\nX-Foo-MailScanner-SpamCheck: spam\n"
        "List-Archive: <http://q.example/>\nDelivery-Date: now\nEnvelope-To: me@q.example\n"
        "From: a@b.example\nX-RSPAM: 1\nDate: Mon, 1 Jul 2002 10:00:00 +0000\n"
        "To: you@c.example\n\nx\n";
    uint64_t hash[500];
    struct weir_bayes_tokens tokens = tokens_of(*state, plain, sizeof(plain) - 1, &key);
    size_t n = 0;
    for (size_t i = 0; i < tokens.tokens; i++)
        if (!is_fact(tokens.token[i].text))
            hash[n++] = tokens.token[i].hash;
    tokens = tokens_of(*state, added, sizeof(added) - 1, &key);
    for (size_t i = 0; i < tokens.tokens; i++) {
        bool known = is_fact(tokens.token[i].text);
        for (size_t m = 0; m < n; m++)
            known |= hash[m] == tokens.token[i].hash;
        if (!known)
            fail_msg("token %.*s", (int)tokens.token[i].text.len, tokens.token[i].text.at);
    }
}

static void each_token_is_there_once_and_in_its_view(void **state)
{
    static const char text[] = "Subject: a b\nFrom: a@b.c\n\na b a b a b http://a.b/ http://a.b/\n";
    struct weir_bayes_tokens tokens = tokens_of(*state, text, sizeof(text) - 1, &key);
    for (size_t i = 0; i < tokens.tokens; i++)
        for (size_t j = 0; j < i; j++)
            assert_true(tokens.token[i].hash != tokens.token[j].hash);
    assert_int_equal(find(&tokens, "a b")->view, WEIR_BAYES_TEXT);
    assert_int_equal(find(&tokens, "subject:a b")->view, WEIR_BAYES_TEXT);
    assert_int_equal(find(&tokens, "url:a.b")->view, WEIR_BAYES_TEXT);
    assert_int_equal(find(&tokens, "from:a@b.c")->view, WEIR_BAYES_HEAD);
    assert_false(tokens.cut);
}

static void hashes_follow_from_key_and_text_and_tell_the_view(void **state)
{
    static const char text[] = IN_BODY "lottery";
    struct weir_hash_key other = key;
    struct weir_bayes_tokens tokens = tokens_of(*state, text, sizeof(text) - 1, &key);
    uint64_t hash = find(&tokens, "lottery")->hash;
    assert_true(hash == (weir_hash64(&key, "lottery", 7) & ~UINT64_C(1)));
    for (size_t i = 0; i < tokens.tokens; i++)
        assert_int_equal(weir_bayes_view_of(tokens.token[i].hash), tokens.token[i].view);
    other.octet[15] ^= 1;
    tokens = tokens_of(*state, text, sizeof(text) - 1, &other);
    assert_true(find(&tokens, "lottery")->hash != hash);
}

/* WEIR_BAYES_REPUTATIONS_MAX */
static void reputation_comes_ready_made_up_to_the_limit(void **state)
{
    struct content_rig *rig = *state;
    static const struct weir_slice words[] = {{"rep:pair:2:1", 12}, {"rep:assoc:auth", 14},
                                              {"rep:forged", 10}, {"rep:net:-1", 10}, {"x", 1}};
    struct weir_bayes_source source = {.message = &rig->message, .content = &rig->content,
                                       .charsets = rig->charsets, .reputation = words,
                                       .reputations = WEIR_BAYES_REPUTATIONS_MAX};
    struct weir_bayes_tokens tokens;
    content_rig_read(rig, "", 0);
    assert_int_equal(weir_bayes_tokens_read(&key, &source, rig->arena, &tokens), 0);
    for (size_t i = 0; i < WEIR_BAYES_REPUTATIONS_MAX; i++)
        assert_ptr_equal(find(&tokens, words[i].at), &tokens.token[1 + i]);
    assert_ptr_equal(find(&tokens, "rep:any"), &tokens.token[0]);
    assert_int_equal(tokens.reputations, 1 + WEIR_BAYES_REPUTATIONS_MAX);
    assert_int_equal(tokens.token[0].view, WEIR_BAYES_HEAD);
    source.reputations++;
    assert_int_equal(weir_bayes_tokens_read(&key, &source, rig->arena, &tokens), WEIR_EINVAL);
}

/* A message with n different words in its text, or with n of something in its header. */
static size_t fill(char *room, const char *head, const char *piece, unsigned n)
{
    size_t len = strlen(strcpy(room, head));
    for (unsigned i = 0; i < n; i++)
        len += (size_t)sprintf(room + len, piece, i);
    return len;
}

/* WEIR_BAYES_TOKENS_MAX, _HEAD_MAX and _TAIL_MAX, _FIELDS_MAX, _VALUE_MAX, _LINKS_MAX */
static void limits_cut_and_say_so(void **state)
{
    static char room[1 << 20];
    static const struct limit {
        const char *head, *piece;
        unsigned at, past;
        const char *last;
    } limits[] = {
        {"", "X-%u: y\n", WEIR_BAYES_FIELDS_MAX, WEIR_BAYES_FIELDS_MAX + 1, "name:X-199"},
        {IN_BODY, "http://%u.a/\n", WEIR_BAYES_LINKS_MAX, WEIR_BAYES_LINKS_MAX + 1, "url:199.a"},
        {"Subject:", " a", WEIR_BAYES_VALUE_MAX / 2 - 1, WEIR_BAYES_VALUE_MAX / 2 + 1,
         "subject:a a"},
        {IN_BODY, "a ", (WEIR_BAYES_HEAD_MAX + WEIR_BAYES_TAIL_MAX) / 2 - 1,
         (WEIR_BAYES_HEAD_MAX + WEIR_BAYES_TAIL_MAX) / 2 + 1, "a"},
        {IN_BODY, "w%u\n\n", 6000, 9000, "w5999"},
    };
    for (size_t i = 0; i < sizeof(limits) / sizeof(limits[0]); i++) {
        struct weir_bayes_tokens tokens;
        tokens = tokens_of(*state, room, fill(room, limits[i].head, limits[i].piece, limits[i].at),
                           &key);
        assert_false(tokens.cut);
        assert_non_null(find(&tokens, limits[i].last));
        tokens = tokens_of(*state, room,
                           fill(room, limits[i].head, limits[i].piece, limits[i].past), &key);
        assert_true(tokens.cut);
        assert_true(tokens.tokens <= WEIR_BAYES_TOKENS_MAX);
    }
}

static void who_is_behind_many_fields_is_seen_all_the_same(void **state)
{
    static const char *const wanted[] = {"subject:cheap", "subject:pills", "from:@pills.example",
                                         "to:@good.example", "mid:@mid.example"};
    static char room[1 << 16];
    size_t len = fill(room, "", "X-%u: y\n", WEIR_BAYES_FIELDS_MAX + 20);
    struct weir_bayes_tokens tokens;

    strcpy(room + len, "From: v@pills.example\nTo: u@good.example\nMessage-ID: <1@mid.example>\n"
           "Subject: cheap pills\nSubject: another\n\nhello\n");
    tokens = tokens_of(*state, room, strlen(room), &key);
    assert_true(tokens.cut);
    for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++)
        if (!find(&tokens, wanted[i]))
            fail_msg("%s", wanted[i]);
    assert_null(find(&tokens, "subject:another"));
}

static void a_header_full_of_words_does_not_keep_the_text_from_being_read(void **state)
{
    static char room[1 << 20];
    size_t len = 0;
    for (unsigned i = 0; i < 20000; i++)
        len += (size_t)sprintf(room + len, i % 100 ? " w%u" : "\nSubject: w%u", i);
    len += (size_t)sprintf(room + len, "\n\nlottery\n");
    struct weir_bayes_tokens tokens = tokens_of(*state, room + 1, len - 1, &key);
    assert_true(tokens.cut);
    assert_non_null(find(&tokens, "lottery"));
    assert_non_null(find(&tokens, "subject:w1000"));
    assert_true(tokens.tokens <= WEIR_BAYES_TOKENS_MAX);
}

static void of_a_long_text_the_end_is_read_too(void **state)
{
    static char room[1 << 20];
    size_t len = fill(room, IN_BODY "beginning\n\n", "x%u ", 60000);
    memcpy(room + len, "ending\n", 8);
    struct weir_bayes_tokens tokens = tokens_of(*state, room, len + 7, &key);
    assert_non_null(find(&tokens, "beginning"));
    assert_non_null(find(&tokens, "ending"));
    assert_true(tokens.cut);
}

static void short_memory_is_told_at_every_request(void **state)
{
    struct content_rig *rig = *state;
    struct weir_bayes_source source = {.message = &rig->message, .content = &rig->content,
                                       .charsets = rig->charsets};
    struct weir_bayes_tokens tokens;
    unsigned n = 0;
    content_rig_read(rig, IN_BODY "some words of a text", strlen(IN_BODY) + 20);
    do {
        weir_arena_fail_nth(rig->arena, ++n);
        int result = weir_bayes_tokens_read(&key, &source, rig->arena, &tokens);
        assert_int_equal(result, weir_arena_failed(rig->arena) ? WEIR_ENOMEM : 0);
    } while (weir_arena_failed(rig->arena));
    assert_true(n > 3);
    weir_arena_fail_nth(rig->arena, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tokens_are_those_of_the_table),
        cmocka_unit_test(what_others_added_makes_no_tokens),
        cmocka_unit_test(each_token_is_there_once_and_in_its_view),
        cmocka_unit_test(hashes_follow_from_key_and_text_and_tell_the_view),
        cmocka_unit_test(reputation_comes_ready_made_up_to_the_limit),
        cmocka_unit_test(limits_cut_and_say_so),
        cmocka_unit_test(who_is_behind_many_fields_is_seen_all_the_same),
        cmocka_unit_test(a_header_full_of_words_does_not_keep_the_text_from_being_read),
        cmocka_unit_test(of_a_long_text_the_end_is_read_too),
        cmocka_unit_test(short_memory_is_told_at_every_request),
    };
    return cmocka_run_group_tests(tests, content_rig_up, content_rig_down);
}
