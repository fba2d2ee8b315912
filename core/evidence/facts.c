/*
 * The table of facts: name and sentence of each.  The names of defects and of what
 * HTML does are those of message.h and html.h with a word before them.
 */
#include "core/evidence/facts.h"

#include <string.h>

#include "core/mail/content.h"

static const struct fact {
    const char *name, *sentence;
} table[WEIR_FACTS] = {
    [WEIR_FACT_FORGED_DOMAIN] = {"FORGED_DOMAIN", "Somebody else uses the domain's name."},
    [WEIR_FACT_FORGED_INFO] = {"FORGED_INFO",
                               "It carries a spam-info string of ours that does not verify."},
    [WEIR_FACT_OWN_INFO] = {"OWN_INFO", "It carries a valid spam-info string: it passed before."},
    [WEIR_FACT_NO_STORE] = {"NO_STORE", "The counters did not all answer."},
    [WEIR_FACT_NULL_SENDER] = {"NULL_SENDER", "The envelope's sender is empty."},
    [WEIR_FACT_AUTH_SPF_PASS] = {"AUTH_SPF_PASS", "SPF passed."},
    [WEIR_FACT_AUTH_SPF_FAIL] = {"AUTH_SPF_FAIL", "SPF failed."},
    [WEIR_FACT_AUTH_DKIM_PASS] = {"AUTH_DKIM_PASS", "A DKIM signature is valid."},
    [WEIR_FACT_AUTH_DKIM_FAIL] = {"AUTH_DKIM_FAIL", "A DKIM signature is not valid."},
    [WEIR_FACT_AUTH_DMARC_PASS] = {"AUTH_DMARC_PASS", "DMARC passed."},
    [WEIR_FACT_AUTH_DMARC_FAIL] = {"AUTH_DMARC_FAIL", "DMARC failed."},
    [WEIR_FACT_AUTH_VOUCHED] = {"AUTH_VOUCHED",
                                "SPF, DKIM or DMARC passed for the stated domain."},
    [WEIR_FACT_UNCOMMON] = {"UNCOMMON", "The network is strange for the stated domain."},
    [WEIR_FACT_KNOWN_GOOD] = {"KNOWN_GOOD", "Network and domain have a good name together."},
    [WEIR_FACT_NO_NAME] = {"NO_NAME", "The boundary address has no verified name."},
    [WEIR_FACT_HELO_NOT_NAME] = {"HELO_NOT_NAME",
                                 "HELO and verified name have no domain in common."},
    [WEIR_FACT_BOUNDARY_UNUSUAL] = {"BOUNDARY_UNUSUAL",
                                    "It did not come through the gateway that was always there."},
    [WEIR_FACT_RECIPIENTS] = {"RECIPIENTS", "The number of recipients."},
    [WEIR_FACT_PARTS] = {"PARTS", "The number of MIME parts."},
    [WEIR_FACT_ATTACHMENTS] = {"ATTACHMENTS", "The number of attachments."},
    [WEIR_FACT_LINKS] = {"LINKS", "The number of links."},
    [WEIR_FACT_INVISIBLE] = {"INVISIBLE",
                             "The number of characters inside words that nobody sees."},
    [WEIR_FACT_HAS_HTML] = {"HAS_HTML", "There is HTML in it."},
    [WEIR_FACT_HAS_TEXT] = {"HAS_TEXT", "There is plain text in it."},

    [WEIR_FACT_DEFECT + WEIR_DEFECT_LIMIT] = {"DEFECT_LIMIT",
        "It was too much of something: parts of it were not looked at."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_HEAD] = {"DEFECT_NO_HEAD", "It has no header fields."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_FIELD] = {"DEFECT_BAD_FIELD",
        "A line in the header is no field."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_SEPARATOR] = {"DEFECT_NO_SEPARATOR",
        "The body begins without an empty line."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NUL] = {"DEFECT_NUL", "There is a NUL octet in it."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BARE_CR] = {"DEFECT_BARE_CR",
        "There is a CR without LF in it."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_MIXED_LINE_ENDS] = {"DEFECT_MIXED_LINE_ENDS",
        "Some lines end in CRLF, some in LF."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_LONG_LINE] = {"DEFECT_LONG_LINE",
        "A line is longer than 998 octets."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_8BIT_HEAD] = {"DEFECT_8BIT_HEAD",
        "The header has octets over 127 that are not UTF-8."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_DUPLICATE_FIELD] = {"DEFECT_DUPLICATE_FIELD",
        "A field that may be there once is there twice."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_DATE] = {"DEFECT_NO_DATE", "There is no Date."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_FROM] = {"DEFECT_NO_FROM", "There is no From."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_MESSAGE_ID] = {"DEFECT_NO_MESSAGE_ID",
        "There is no Message-ID."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_NO_BOUNDARY] = {"DEFECT_NO_BOUNDARY",
        "A multipart has no boundary."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BOUNDARY_UNUSED] = {"DEFECT_BOUNDARY_UNUSED",
        "The boundary of a multipart never comes."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_UNCLOSED] = {"DEFECT_UNCLOSED", "A multipart is not closed."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_TYPE] = {"DEFECT_BAD_TYPE",
        "A Content-Type cannot be read."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_ENCODING] = {"DEFECT_BAD_ENCODING",
        "A Content-Transfer-Encoding is unknown or out of place."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_BASE64] = {"DEFECT_BAD_BASE64",
        "There is broken base64 in it."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_QUOTED] = {"DEFECT_BAD_QUOTED",
        "There is broken quoted-printable in it."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_UUENCODE] = {"DEFECT_BAD_UUENCODE",
        "There is broken uuencode in it."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_CHARSET] = {"DEFECT_BAD_CHARSET",
        "A charset is unknown, or not what the text is in."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_WORD] = {"DEFECT_BAD_WORD",
        "An encoded word in the header cannot be decoded."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_BAD_PARAMETER] = {"DEFECT_BAD_PARAMETER",
        "The pieces of a parameter do not fit together."},
    [WEIR_FACT_DEFECT + WEIR_DEFECT_PARTIAL] = {"DEFECT_PARTIAL",
        "Some of its content is elsewhere."},

    [WEIR_FACT_HTML + WEIR_HTML_HIDDEN_TEXT] = {"HTML_HIDDEN_TEXT",
        "Text is hidden from the reader."},
    [WEIR_FACT_HTML + WEIR_HTML_TINY_FONT] = {"HTML_TINY_FONT", "Text is too small to be read."},
    [WEIR_FACT_HTML + WEIR_HTML_SAME_COLOUR] = {"HTML_SAME_COLOUR",
        "Text is in the colour of its background."},
    [WEIR_FACT_HTML + WEIR_HTML_MISMATCH] = {"HTML_MISMATCH",
        "The text of a link names another host than it leads to."},
    [WEIR_FACT_HTML + WEIR_HTML_FORM] = {"HTML_FORM", "There is a form in it."},
    [WEIR_FACT_HTML + WEIR_HTML_SCRIPT] = {"HTML_SCRIPT", "There is a script in it."},
    [WEIR_FACT_HTML + WEIR_HTML_EMBED] = {"HTML_EMBED", "It embeds a foreign object or frame."},
    [WEIR_FACT_HTML + WEIR_HTML_REFRESH] = {"HTML_REFRESH", "It leads on by itself."},
    [WEIR_FACT_HTML + WEIR_HTML_BASE] = {"HTML_BASE", "It changes what its links are relative to."},
    [WEIR_FACT_HTML + WEIR_HTML_SPLIT_WORD] = {"HTML_SPLIT_WORD",
        "Words are split by comments or empty tags."},
    [WEIR_FACT_HTML + WEIR_HTML_BAD] = {"HTML_BAD", "Its markup never ends."},
    [WEIR_FACT_HTML + WEIR_HTML_ONLY_IMAGE] = {"HTML_ONLY_IMAGE",
        "It is images with hardly any text."},
};

const char *weir_fact_name(unsigned fact)
{
    return fact < WEIR_FACTS ? table[fact].name : NULL;
}

const char *weir_fact_sentence(unsigned fact)
{
    return fact < WEIR_FACTS ? table[fact].sentence : NULL;
}

int weir_fact_named(const char *name, size_t len)
{
    for (int fact = 0; fact < WEIR_FACTS; fact++)
        if (strlen(table[fact].name) == len && memcmp(table[fact].name, name, len) == 0)
            return fact;
    return -1;
}

void weir_facts_of_message(const struct weir_message *message, const struct weir_content *content,
                           float fact_r[static WEIR_FACTS])
{
    fact_r[WEIR_FACT_PARTS] = (float)message->parts;
    fact_r[WEIR_FACT_ATTACHMENTS] = (float)content->attachments;
    fact_r[WEIR_FACT_LINKS] = (float)content->links;
    fact_r[WEIR_FACT_INVISIBLE] = (float)content->invisible;
    fact_r[WEIR_FACT_HAS_HTML] = content->has_html;
    fact_r[WEIR_FACT_HAS_TEXT] = content->has_text;
    for (unsigned defect = 0; defect < WEIR_DEFECTS; defect++)
        fact_r[WEIR_FACT_DEFECT + defect] = (message->defects >> defect) & 1;
    for (unsigned fact = 0; fact < WEIR_HTML_FACTS; fact++)
        fact_r[WEIR_FACT_HTML + fact] = (content->html_facts >> fact) & 1;
}
