/*
 * What a Received line says, told from its tokens (received_clause.c).
 *
 * Where the address of the peer stands depends on the server:
 *
 *     from HELO (name [192.0.2.7])            Postfix, Sendmail, Gmail, Courier
 *     from name ([192.0.2.7] helo=HELO)       Exim; without a name: from [192.0.2.7] (helo=HELO)
 *     from name (HELO HELO) (192.0.2.7)       qmail, qpsmtpd; also (ident@192.0.2.7)
 *     from HELO (192.0.2.7) by ...            Exchange
 *     from HELO [192.0.2.7] by ...            MDaemon, IMail; from [192.0.2.7] by ...  webmail
 *     from 192.0.2.7 by ... with HTTP         webmail only: elsewhere it could be a HELO
 *
 * So an address in a comment goes before one in brackets outside, whatever the client called
 * itself.  In a comment, what follows "helo=", "ident=" or HELO came from the client.
 */
#include "core/mail/received_impl.h"

#include "core/base/limits.h"
#include "core/mail/mail_date.h"

/* What a comment of the from clause holds. */
struct origin {
    bool found, leads; /* leads: the address comes first, no name before it */
    struct weir_address address;
    struct weir_slice name; /* a single word before the address */
};

static bool is_clients_word(struct weir_slice word)
{
    return weir_slice_begins(word, "helo=") || weir_slice_begins(word, "ident=")
           || weir_slice_is(word, "HELO") || weir_slice_is(word, "EHLO")
           || weir_slice_is(word, "LHLO");
}

/* Without commas at its end, and with bare without "ident@" before an address. */
static struct weir_slice trimmed(struct weir_slice word, bool bare)
{
    const char *at = bare ? memrchr(word.at, '@', word.len) : NULL;
    if (at) {
        word.len -= (size_t)(at + 1 - word.at);
        word.at = at + 1;
    }
    while (word.len > 0 && (word.at[word.len - 1] == ',' || word.at[word.len - 1] == '.'))
        word.len--;
    return word;
}

/* "name" from "ident@name", "name[192.0.2.7]" or "name."; empty for what is no name. */
static struct weir_slice verified_name(struct weir_slice word)
{
    static const char *const none[] = {"unknown", "unverified", "softdnserr", "UNAVAILABLE"};
    word = trimmed(word, true);
    const char *open = memchr(word.at, '[', word.len);
    if (open)
        word = trimmed((struct weir_slice){word.at, (size_t)(open - word.at)}, false);
    for (size_t i = 0; i < sizeof none / sizeof *none; i++)
        if (weir_slice_is(word, none[i]))
            return (struct weir_slice){word.at, 0};
    struct weir_address address;
    bool no_name = word.len > 0 && (*word.at == '<' || memchr(word.at, '=', word.len)
                                    || weir_received_address(word, true, &address));
    return no_name ? (struct weir_slice){word.at, 0} : word;
}

/* The text of a comment up to a comment inside it. */
static struct weir_slice own_text(struct weir_slice comment)
{
    const char *inner = memchr(comment.at, '(', comment.len);
    return inner ? (struct weir_slice){comment.at, (size_t)(inner - comment.at)} : comment;
}

/* The address a comment holds: in brackets the first when nothing is before it, else the last;
 * without brackets only at its very beginning. */
static struct origin read_comment(struct weir_slice comment)
{
    struct origin origin = {.found = false};
    struct weir_slice text = own_text(comment), word, first = {"", 0};
    bool bracketed = false;
    for (size_t at = 0; !(origin.leads && bracketed); at++) {
        word = weir_received_word(&text);
        if (word.len == 0 || is_clients_word(word))
            break;
        bool brackets = memchr(word.at, '[', word.len) != NULL;
        bool bare = at == 0 && !brackets;
        first = at == 0 ? word : first;
        if (!weir_received_address(trimmed(word, bare), bare, &origin.address))
            continue;
        origin.found = true;
        bracketed |= brackets;
        origin.leads = at == 0 && (bare || *word.at == '[');
        origin.name = at <= 1 ? verified_name(first) : (struct weir_slice){first.at, 0};
    }
    if (origin.leads || !bracketed || weir_received_phrase(comment, "(may", "be"))
        origin.name.len = 0; /* none, or "(may be forged)": Sendmail could not verify it */
    return origin;
}

static bool begins_with_word(struct weir_slice text, const char *word)
{
    size_t len = strlen(word);
    return weir_slice_begins(text, word)
           && (text.len == len || (text.at[len] != '@' && text.at[len] != '.'));
}

/* Comments by which servers say that the client logged in. */
static bool says_authenticated(struct weir_slice comment)
{
    if (weir_slice_begins(comment, "SquirrelMail") || weir_slice_begins(comment, "NaSMail"))
        return weir_received_phrase(comment, "authenticated", "user");
    return begins_with_word(comment, "authenticated") || begins_with_word(comment, "AUTH:");
}

static bool with_authenticated(struct weir_slice with)
{
    static const char *const known[] = {"ESMTPA", "ESMTPSA", "LMTPA", "LMTPSA", "SMTPSA", "SMTPA",
                                        "UTF8SMTPA", "UTF8SMTPSA", "UTF8LMTPA", "UTF8LMTPSA",
                                        "ASMTP", "HTTP", "HTTPS", "HTTPU", "HTTPREST"};
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        if (weir_slice_is(with, known[i]))
            return true;
    return false;
}

/* What stands between "from" and "by" outside comments.  Of several addresses the last is the
 * server's: those before it are part of what the client said. */
static void read_peer_words(const struct weir_received_tokens *line, size_t from, size_t to,
                            struct weir_received *r)
{
    for (size_t i = from; i < to; i++)
        if (!line->token[i].comment
            && weir_received_address(line->token[i].text, false, &r->address))
            r->has_address = true;
    struct weir_slice first = from < to ? line->token[from].text : r->helo;
    bool several_words = first.len > 0 && line->token[from].comment
                         && weir_received_word(&first).len < line->token[from].text.len;
    if (from < to && !several_words)
        r->helo = line->token[from].text;
}

/* Who is who: the word behind "from" is the HELO name, unless the server's style says that it is
 * the verified name. */
static void tell_names(struct weir_received *r, const struct origin *origin,
                       struct weir_slice helo_said, bool exim)
{
    bool exim_style = exim && (!origin->found || origin->leads);
    bool qmail_style = helo_said.len > 0 && !exim_style;
    struct weir_slice word = r->helo;
    if (origin->name.len > 0)
        r->name = origin->name;
    else if ((exim_style || qmail_style) && !memchr(word.at, '[', word.len))
        r->name = verified_name(word);
    if (helo_said.len > 0)
        r->helo = helo_said;
}

/* Comments of the from clause.  False when two of them hold different addresses. */
static bool read_peer_comments(const struct weir_received_tokens *line, size_t from, size_t to,
                               struct origin *origin, struct weir_slice *helo,
                               struct weir_received *r)
{
    for (size_t i = from; i < to; i++) {
        if (!line->token[i].comment)
            continue;
        struct weir_slice text = line->token[i].text;
        struct origin here = read_comment(text);
        if (here.found && origin->found && !weir_address_equal(&here.address, &origin->address))
            return false;
        if (here.found && !origin->found)
            *origin = here;
        if (helo->len == 0)
            *helo = weir_received_helo(text);
        r->authenticated |= !here.found && says_authenticated(text);
    }
    return true;
}

static bool mentions(const struct weir_received_tokens *line, size_t from, size_t to,
                     const char *beginning)
{
    for (size_t i = from; i < to; i++)
        if (line->token[i].comment && weir_slice_begins(line->token[i].text, beginning))
            return true;
    return false;
}

static void read_from(const struct weir_received_tokens *line, size_t to, struct weir_received *r)
{
    struct origin origin = {.found = false};
    struct weir_slice helo = {"", 0};
    bool sure = read_peer_comments(line, 1, to, &origin, &helo, r);
    read_peer_words(line, 1, to, r);
    if (origin.found)
        r->address = origin.address;
    r->has_address |= origin.found;
    if (!r->has_address && helo.len > 0) /* "from 192.0.2.7 (HELO x)": the HELO is told apart */
        r->has_address = weir_received_address(r->helo, true, &r->address);
    tell_names(r, &origin, helo, mentions(line, line->by, line->tokens, "Exim"));
    r->authenticated |= mentions(line, 1, to, "account ")
                        && mentions(line, line->by, line->tokens, "CommuniGate");
    r->has_address &= sure;
    if (!r->has_address)
        r->name.len = 0;
}

/* "(from root@localhost) by ..." of Sendmail: no peer.  Some gateways put one there. */
static void read_from_comment(struct weir_slice comment, struct weir_received *r)
{
    struct origin origin = {.found = false};
    weir_received_word(&comment);
    struct weir_slice rest = comment;
    struct weir_slice first = weir_received_word(&rest);
    origin = read_comment(comment);
    r->has_address = origin.found;
    r->address = origin.address;
    r->local = !origin.found;
    if (origin.found && memchr(first.at, '[', first.len) == NULL)
        r->helo = first;
}

static struct weir_slice word_after(const struct weir_received_tokens *line, size_t at)
{
    if (at + 1 < line->tokens && !line->token[at + 1].comment)
        return line->token[at + 1].text;
    return (struct weir_slice){"", 0};
}

static bool is_keyword(struct weir_slice word)
{
    return weir_slice_is(word, "with") || weir_slice_is(word, "via") || weir_slice_is(word, "id")
           || weir_slice_is(word, "for");
}

/* "by" and what follows it. */
static void read_writer(const struct weir_received_tokens *line, struct weir_received *r)
{
    struct weir_slice by = word_after(line, line->by);
    if (!is_keyword(by))
        r->by = trimmed(by, false);
    for (size_t i = line->by; i < line->tokens; i++) {
        struct weir_slice text = line->token[i].text;
        if (line->token[i].comment) {
            r->fetched |= weir_slice_begins(text, "fetchmail")
                          || weir_slice_begins(text, "getmail");
            r->authenticated |= says_authenticated(text) || weir_slice_is(text, "via HTTP");
            r->local |= weir_received_phrase(text, "from", "userid");
        } else if (r->with.len == 0 && (weir_slice_is(text, "with") || weir_slice_is(text, "via")))
            r->with = trimmed(word_after(line, i), false);
        else if (r->id.len == 0 && weir_slice_is(text, "id"))
            r->id = word_after(line, i);
    }
    bool inside = weir_slice_begins(r->with, "HTTP") && r->has_address
                  && weir_address_is_private(&r->address); /* one server to another, as Exchange */
    r->authenticated |= with_authenticated(r->with) && !inside;
    r->fetched |= weir_slice_begins(r->with, "POP3") || weir_slice_begins(r->with, "IMAP");
    r->local |= weir_slice_is(r->by, "uid") || weir_slice_is(r->with, "local")
                || weir_slice_begins(r->with, "local-");
}

/* "from 192.0.2.7 by x with HTTP": nothing but a web client has no HELO. */
static void read_web_client(struct weir_received *r)
{
    if (!r->has_address && !r->local && weir_slice_begins(r->with, "HTTP"))
        r->has_address = weir_received_address(r->helo, true, &r->address);
}

/* How the value begins, up to the writer's "by". */
static bool read_beginning(const struct weir_received_tokens *line, struct weir_received *r)
{
    const struct weir_received_token *first = &line->token[0];
    if (first->comment && line->by == line->tokens
        && (weir_received_phrase(first->text, "invoked", "from")
            || weir_received_phrase(first->text, "invoked", "by"))) {
        r->remark = true;
        r->local = weir_received_phrase(first->text, "by", "uid");
    } else if (first->comment && weir_slice_begins(first->text, "from ")) {
        read_from_comment(first->text, r);
    } else if (!first->comment && weir_slice_is(first->text, "from")) {
        read_from(line, line->by, r);
        r->local |= line->by == 4 && weir_slice_is(r->helo, "mail")
                    && weir_slice_is(line->token[2].text, "pickup");
    } else {
        return line->by < line->tokens;
    }
    return true;
}

int weir_received_read(struct weir_slice value, struct weir_received *received_r)
{
    struct weir_received_tokens line;
    const struct weir_slice empty = {"", 0};
    struct weir_received r = {.helo = empty, .name = empty, .by = empty, .with = empty,
                              .id = empty};
    if (value.len > WEIR_RECEIVED_MAX || !weir_received_split(value, &line)
        || !read_beginning(&line, &r))
        return 0;
    read_writer(&line, &r);
    read_web_client(&r);
    if (!weir_mail_date_read(line.date, &r.at))
        r.at = 0;
    *received_r = r;
    return 1;
}
