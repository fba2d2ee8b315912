/*
 * Received fields of many programs, and of people who want them misread; and their dates
 * (received.c, received_clause.c, mail_date.c).
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "core/base/limits.h"
#include "core/mail/mail_date.h"
#include "core/mail/received.h"

struct line {
    const char *value;
    const char *address; /* "": none */
    const char *name, *helo, *by;
    const char *marks;   /* of authenticated, fetched, local, remark their first letters */
};

static struct weir_slice slice(const char *text)
{
    return (struct weir_slice){text, strlen(text)};
}

static void check_text(const char *value, const char *what, struct weir_slice got,
                       const char *want)
{
    if (got.len != strlen(want) || (got.len > 0 && memcmp(got.at, want, got.len) != 0))
        fail_msg("%s\n%s: got %.*s, want %s", value, what, (int)got.len, got.len ? got.at : "",
                 want);
}

static void check_line(const struct line *want)
{
    struct weir_received r;
    char address[WEIR_ADDRESS_TEXT] = "", marks[5] = "", *mark = marks;
    if (!weir_received_read(slice(want->value), &r))
        fail_msg("cannot be read: %s", want->value);
    if (r.has_address)
        weir_address_format(&r.address, address);
    check_text(want->value, "address", slice(address), want->address);
    check_text(want->value, "name", r.name, want->name);
    check_text(want->value, "helo", r.helo, want->helo);
    check_text(want->value, "by", r.by, want->by);
    *mark = 'a';
    mark += r.authenticated;
    *mark = 'f';
    mark += r.fetched;
    *mark = 'l';
    mark += r.local;
    *mark = 'r';
    mark += r.remark;
    *mark = '\0';
    check_text(want->value, "marks", slice(marks), want->marks);
}

static const struct line styles[] = {
    /* Postfix */
    {"from mail.a.example (mx.a.example [192.0.2.7])\n\tby gw.example (Postfix) with ESMTPS id 4F\n"
     "\tfor <u@b.example>; Mon, 10 Jun 2002 08:15:20 +0100 (IST)",
     "192.0.2.7", "mx.a.example", "mail.a.example", "gw.example", ""},
    {"from a (unknown [IPv6:2001:db8::7]) by gw.example (Postfix) with ESMTP id 4F; x",
     "2001:db8::7", "", "a", "gw.example", ""},
    {"from a (unknown[192.0.2.7]) by gw.example (Postfix) with SMTP id 9;", "192.0.2.7", "",
     "a", "gw.example", ""},
    {"from me (x.dsl.example [192.0.2.7]) (Authenticated sender: u@b.example)"
     " by gw.example (Postfix) with ESMTPSA id 4F;",
     "192.0.2.7", "x.dsl.example", "me", "gw.example", "a"},
    {"by gw.example (Postfix, from\n userid 99) id B7E; Fri, 29 Mar 2002 12:48:30 +0100", "",
     "", "", "gw.example", "l"},
    /* Sendmail */
    {"from a.example (IDENT:root@mx.a.example [192.0.2.7]) by gw (8.11.6/8.11.6) with ESMTP id g;",
     "192.0.2.7", "mx.a.example", "a.example", "gw", ""},
    {"from a.example (mx.a.example [192.0.2.7] (may be forged)) by gw (8.9.3/8.9.3) with SMTP;",
     "192.0.2.7", "", "a.example", "gw", ""},
    {"from a ([192.0.2.7]) (authenticated bits=0) by gw (8.12.5/8.12.5) with ESMTP id g;",
     "192.0.2.7", "", "a", "gw", "a"},
    {"from a (cpunks@[192.0.2.7]) by gw (8.11.6/8.11.6) with ESMTP id g;", "192.0.2.7", "",
     "a", "gw", ""},
    {"(from root@localhost) by gw.example (8.12.5/8.12.5/Submit) id g6M;", "", "", "",
     "gw.example", "l"},
    /* Exim */
    {"from mx.a.example ([192.0.2.7] helo=a.example) by gw.example with esmtps (Exim 4.96) id 1;",
     "192.0.2.7", "mx.a.example", "a.example", "gw.example", ""},
    {"from [192.0.2.7] (helo=a.example ident=x) by gw with smtp (Exim 4.96) id 1;",
     "192.0.2.7", "", "a.example", "gw", ""},
    {"from [192.0.2.7] (port=4721 helo=a.example) by gw with esmtpa (Exim 4.96) id 1;",
     "192.0.2.7", "", "a.example", "gw", "a"},
    {"from mx.a.example ([2001:db8::7]:4721 helo=a) by gw with esmtp (Exim 4.96) id 1;",
     "2001:db8::7", "mx.a.example", "a", "gw", ""},
    {"from mx.a.example [192.0.2.7] by gw with esmtp (Exim 3.35 #1 (Debian)) id 1;",
     "192.0.2.7", "mx.a.example", "mx.a.example", "gw", ""},
    {"from root by gw.example with local (Exim 4.96) id 1;", "", "", "root", "gw.example", "l"},
    /* qmail and its kin */
    {"from unknown (HELO a.example) (192.0.2.7) by gw.example with SMTP; x",
     "192.0.2.7", "", "a.example", "gw.example", ""},
    {"from mx.a.example (HELO a) (ident@192.0.2.7) by gw with SMTP;", "192.0.2.7",
     "mx.a.example", "a", "gw", ""},
    {"from a.example (192.0.2.7) by gw with SMTP;", "192.0.2.7", "", "a.example", "gw", ""},
    {"from mx.a.example (EHLO a) [192.0.2.7] by gw (mp010) with SMTP;", "192.0.2.7",
     "mx.a.example", "a", "gw", ""},
    {"(qmail 8478 invoked from network); x", "", "", "", "", "r"},
    {"(qmail 8478 invoked by uid 501); 3 Oct 2002 07:11:01 -0000", "", "", "", "", "lr"},
    /* Exchange, Outlook, IIS */
    {"from A.prod.example (2001:db8::7) by B.prod.example (2001:db8::9) with Microsoft"
     " SMTP Server (version=TLS1_2, cipher=X) id 15.20.1; Mon, 1 Jan 2024 00:00:00 +0000",
     "2001:db8::7", "", "A.prod.example", "B.prod.example", ""},
    {"from A ([fe80::19bd%6]) by B ([fe80::1%6]) with mapi id 15.20;", "fe80::19bd", "", "A",
     "B", ""},
    {"from a ([192.0.2.7] RDNS failed) by gw with Microsoft SMTPSVC(6.0.3790.0);", "192.0.2.7",
     "", "a", "gw", ""},
    {"from mail pickup service by gw with Microsoft SMTPSVC; x", "", "", "mail", "gw", "l"},
    /* Gmail, Courier, MDaemon, IMail, CommuniGate, smap, Apple, webmail */
    {"from a.example (mx.a.example. [192.0.2.7]) by mx.google.com with ESMTPS id x1si.2;",
     "192.0.2.7", "mx.a.example", "a.example", "mx.google.com", ""},
    {"by 2002:a59:b951:0:b0:4bf:d2e8:882f with SMTP id v17csp; Tue, 18 Mar 2025 12:41:30 -0700",
     "", "", "", "2002:a59:b951:0:b0:4bf:d2e8:882f", ""},
    {"from a (softdnserr [::ffff:192.0.2.7]) by gw with esmtp;", "192.0.2.7", "", "a", "gw", ""},
    {"from a [192.0.2.7] by gw [192.0.2.9] with SMTP (MDaemon.PRO.v5.0.6.R);", "192.0.2.7", "",
     "a", "gw", ""},
    {"from [10.0.0.3] [192.0.2.7] by gw [192.0.2.9] with SMTP (MDaemon.PRO.v5.0.5.R);",
     "192.0.2.7", "", "[10.0.0.3]", "gw", ""},
    {"from [192.0.2.7] (account u [192.0.2.7] verified) by gw (CommuniGate Pro SMTP 4) with ESMTP;",
     "192.0.2.7", "", "[192.0.2.7]", "gw", "a"},
    {"from mx.a.example(192.0.2.7, HELO a) by gw via smap (V1.3) id xma;", "192.0.2.7",
     "mx.a.example", "a", "gw", ""},
    {"from [192.0.2.7] by web.mail.example via HTTP; Wed, 12 Feb 2003 14:22:21 PST",
     "192.0.2.7", "", "[192.0.2.7]", "web.mail.example", "a"},
    {"from 192.0.2.7 (SquirrelMail authenticated user u) by gw with HTTP;", "192.0.2.7", "",
     "192.0.2.7", "gw", "a"},
    {"FROM [192.168.1.24] (s.example [192.0.2.7]) BY gw.example ID 434B ; 11 Oct 2005 01:40 GMT",
     "192.0.2.7", "s.example", "[192.168.1.24]", "gw.example", ""},
    {"from a (mx.a.example [192.0.2.7])by gw (Postfix) with ESMTP id 84;", "192.0.2.7",
     "mx.a.example", "a", "gw", ""},
    {"from A.prod.example (::1) by B.prod.example with HTTPS; x", "::1", "", "A.prod.example",
     "B.prod.example", ""}, /* Exchange, among its own */
    /* mail fetched from a mailbox */
    {"from mail.isp.example [192.0.2.7]\n\tby localhost with POP3 (fetchmail-6.4.0)\n"
     "\tfor u@localhost (single-drop); Tue, 23 Jul 2002 23:32:56 +0100 (IST)",
     "192.0.2.7", "", "mail.isp.example", "localhost", "f"},
    {"from pop3.isp.example (192.0.2.7) by here with IMAP4-SSL; 14 Apr 2010 11:14:29 -0000",
     "192.0.2.7", "", "pop3.isp.example", "here", "f"},
};

static void C12_the_address_is_the_one_the_server_wrote_in_each_servers_style(void **state)
{
    (void)state;
    for (size_t i = 0; i < sizeof styles / sizeof *styles; i++)
        check_line(&styles[i]);
}

static void C12_what_the_client_said_is_never_taken_for_what_the_server_saw(void **state)
{
    static const struct line cases[] = {
        {"from [198.51.100.6] (evil.example [192.0.2.7]) by gw (Postfix) with ESMTP id 4;",
         "192.0.2.7", "evil.example", "[198.51.100.6]", "gw", ""},
        {"from 198.51.100.6 by gw (Some Server 1.0) with SMTP id 4;", "", "", "198.51.100.6", "gw",
         ""},
        {"from [192.0.2.7] (helo=[198.51.100.6]) by gw with smtp (Exim 4.96) id 1;", "192.0.2.7",
         "", "[198.51.100.6]", "gw", ""},
        {"from [192.0.2.7] (helo=x ident=a [198.51.100.6]) by gw with smtp (Exim 4.96) id 1;",
         "192.0.2.7", "", "x", "gw", ""},
        {"from unknown (HELO [198.51.100.6]) (192.0.2.7) by gw with SMTP;", "192.0.2.7", "",
         "[198.51.100.6]", "gw", ""},
        {"from a (IDENT:[198.51.100.6]@mx.a.example [192.0.2.7]) by gw (8.12/8.12) with SMTP id g;",
         "192.0.2.7", "mx.a.example", "a", "gw", ""},
        /* a HELO with blanks in it plays the whole line before the server writes its own */
        {"from a [198.51.100.6] by gw with ESMTPSA id 1 (evil.example [192.0.2.7]) by gw (Postfix)"
         " with ESMTP id 4;",
         "192.0.2.7", "evil.example", "a", "gw", ""},
        {"from a.example (authenticated.evil.example [192.0.2.7]) by gw (Postfix) with ESMTP id 4;",
         "192.0.2.7", "authenticated.evil.example", "a.example", "gw", ""},
        {"from a (mx.evil.example [192.0.2.7]) (Client CN \"[198.51.100.6]\", Issuer \"x\") by gw"
         " (Postfix) with ESMTP id 4;", /* two comments, two addresses: nobody can tell */
         "", "", "a", "gw", ""},
        {"from a (HELO authenticated) (192.0.2.7) by gw with SMTP;", "192.0.2.7", "a",
         "authenticated", "gw", ""},
        {"from a (b [192.0.2.7]) by gw (Postfix) with SMTP for <\"x by y with ESMTPA\"@b.example>;",
         "192.0.2.7", "b", "a", "gw", ""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        check_line(&cases[i]);
}

static void what_cannot_be_read_is_refused(void **state)
{
    static const char *const cases[] = {
        "", " ", ";", ")", "from", "unknown", "; Mon, 10 Jun 2002 08:15:20 +0100",
        "from a ( (b [192.0.2.7]) by gw; x", "from a [198.51.100.6] by gw (", "((((",
        "(EGP: mail-8)",
    };
    struct weir_received r;
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
        if (weir_received_read(slice(cases[i]), &r) && (r.has_address || r.by.len > 0))
            fail_msg("was read: %s", cases[i]);
}

static void a_value_may_have_WEIR_RECEIVED_MAX_octets_and_not_one_more(void **state)
{
    static const char begin[] = "from a (b [192.0.2.7]) by gw with SMTP id ";
    char value[WEIR_RECEIVED_MAX + 1];
    struct weir_received r;
    (void)state;
    memset(value, 'x', sizeof value);
    memcpy(value, begin, sizeof begin - 1);
    assert_int_equal(weir_received_read((struct weir_slice){value, WEIR_RECEIVED_MAX}, &r), 1);
    assert_true(r.has_address);
    assert_int_equal(weir_received_read((struct weir_slice){value, WEIR_RECEIVED_MAX + 1}, &r), 0);
}

static void with_id_and_date_are_read(void **state)
{
    struct weir_received r;
    (void)state;
    assert_int_equal(weir_received_read(slice("from a (b [192.0.2.7]) by gw (Postfix)\n"
                                              "\twith ESMTPS id 4F2; 10 Jun 2002 08:15:20 +0100"),
                                        &r), 1);
    check_text("", "with", r.with, "ESMTPS");
    check_text("", "id", r.id, "4F2");
    assert_int_equal(r.at, 1023693320 * WEIR_SECOND);
}

struct dated {
    const char *text;
    const char *want; /* NULL: no date */
};

static void a_date_is_read_in_all_its_spellings(void **state)
{
    static const struct dated cases[] = {
        {" Mon, 10 Jun 2002 08:15:20 +0100 (IST)", "2002-06-10T07:15:20Z"},
        {"10 Jun 2002 08:15 GMT", "2002-06-10T08:15:00Z"},
        {"10 Jun 02 08:15:20 -0000", "2002-06-10T08:15:20Z"},
        {"Fri, 31 Dec 99 23:59:59 EST", "2000-01-01T04:59:59Z"},
        {"1 Jan 100 00:00:00 Z", "2000-01-01T00:00:00Z"},
        {"Sat, 29 Feb 2020 12:00:00 +0530", "2020-02-29T06:30:00Z"},
        {"Mon, 10 Jun 2002 08:15:20 -0700 (PDT)", "2002-06-10T15:15:20Z"},
        {"Mon, 10 Jun 2002 08:15:20 -0700 PDT", "2002-06-10T15:15:20Z"},
        {"Mon, 10 Jun 2002 08:15:20", "2002-06-10T08:15:20Z"},
        {"Thu, 02 Apr 2020 07:53:55.516 +0000 (UTC)", "2020-04-02T07:53:55Z"},
        {"Sun Nov 13 14:50:12 2005", "2005-11-13T14:50:12Z"},
        {"Jul, 21 2002 11:13:42 PM +1200", "2002-07-21T11:13:42Z"},
        {"Mon, 10 Jun 2002 12:15:20 AM +0000", "2002-06-10T00:15:20Z"},
        {"30 Jun 2015 23:59:60 +0000", "2015-07-01T00:00:00Z"},
        {"10 Jun 2002 08:15:20 JST", "2002-06-09T23:15:20Z"},
        {"31 Dec 9999 23:59:59 +0000", "9999-12-31T23:59:59Z"},
        {"1 Jan 1970 00:00:00 +0000", "1970-01-01T00:00:00Z"},
        {"31 Feb 2002 08:15:20 +0000", NULL},
        {"29 Feb 2001 08:15:20 +0000", NULL},
        {"10 Jun 2002 25:15:20 +0000", NULL},
        {"10 Jun 2002 08:60:20 +0000", NULL},
        {"10 Jun 2002 08:15:20 +9", NULL},
        {"10 Jun 2002", NULL},
        {"Jun 2002 08:15:20 +0000", NULL},
        {"18 Sep 0102 20:51:26 +0800", NULL},
        {"1 Jan 1970 00:00:00 +0100", NULL}, /* before 1970 */
        {"10 Jun 20022 08:15:20 +0000", NULL},
        {"10 Jun 2002 08:15:20 +0000 a b c d e", NULL},
        {"", NULL},
        {"yesterday", NULL},
        {"-", NULL},
        {":", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_time time = -7;
        char text[WEIR_TIME_TEXT];
        int rc = weir_mail_date_read(slice(cases[i].text), &time);
        if (rc != (cases[i].want != NULL)
            || (rc && strcmp(weir_time_format(time, text), cases[i].want) != 0))
            fail_msg("%s: got %s, want %s", cases[i].text, rc ? text : "none",
                     cases[i].want ? cases[i].want : "none");
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(C12_the_address_is_the_one_the_server_wrote_in_each_servers_style),
        cmocka_unit_test(C12_what_the_client_said_is_never_taken_for_what_the_server_saw),
        cmocka_unit_test(what_cannot_be_read_is_refused),
        cmocka_unit_test(a_value_may_have_WEIR_RECEIVED_MAX_octets_and_not_one_more),
        cmocka_unit_test(with_id_and_date_are_read),
        cmocka_unit_test(a_date_is_read_in_all_its_spellings),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
