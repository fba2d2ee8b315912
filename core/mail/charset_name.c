/*
 * The charsets that mail is read in, by every name that mail gives them.  Names are
 * compared by their letters and digits only (utf8, UTF-8, utf_8), without a language
 * behind '*', a year behind ':', and without "x-" or "cs" in front.
 *
 * Where programs write a superset under the name of its subset, the superset is read:
 * gb2312 as gb18030, euc-kr as windows-949, shift_jis as windows-31j, iso-8859-9 as
 * windows-1254, as browsers do.  What is not here is refused: hz lets ASCII
 * stand for something else, iso-2022-cn and others nobody mails.
 */
#include "core/mail/charset_impl.h"

#include <stdlib.h>
#include <string.h>

#include "core/base/limits.h"
#include "core/mail/charset.h"

/* Sorted by name, for bsearch(). */
static const struct weir_charset_known known[] = {
    {"1250", WEIR_CHARSET_ICONV, "CP1250", 1, true},
    {"1251", WEIR_CHARSET_ICONV, "CP1251", 1, true},
    {"1252", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"1253", WEIR_CHARSET_ICONV, "CP1253", 1, true},
    {"1254", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"1255", WEIR_CHARSET_ICONV, "CP1255", 1, true},
    {"1256", WEIR_CHARSET_ICONV, "CP1256", 1, true},
    {"1257", WEIR_CHARSET_ICONV, "CP1257", 1, true},
    {"1258", WEIR_CHARSET_ICONV, "CP1258", 1, true},
    {"437", WEIR_CHARSET_ICONV, "IBM437", 1, true},
    {"646", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"850", WEIR_CHARSET_ICONV, "IBM850", 1, true},
    {"852", WEIR_CHARSET_ICONV, "IBM852", 1, true},
    {"855", WEIR_CHARSET_ICONV, "IBM855", 1, true},
    {"862", WEIR_CHARSET_ICONV, "IBM862", 1, true},
    {"866", WEIR_CHARSET_ICONV, "IBM866", 1, true},
    {"88591", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"885910", WEIR_CHARSET_ICONV, "ISO-8859-10", 1, true},
    {"885911", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"885913", WEIR_CHARSET_ICONV, "ISO-8859-13", 1, true},
    {"885914", WEIR_CHARSET_ICONV, "ISO-8859-14", 1, true},
    {"885915", WEIR_CHARSET_ICONV, "ISO-8859-15", 1, true},
    {"885916", WEIR_CHARSET_ICONV, "ISO-8859-16", 1, true},
    {"88592", WEIR_CHARSET_ICONV, "ISO-8859-2", 1, true},
    {"88593", WEIR_CHARSET_ICONV, "ISO-8859-3", 1, true},
    {"88594", WEIR_CHARSET_ICONV, "ISO-8859-4", 1, true},
    {"88595", WEIR_CHARSET_ICONV, "ISO-8859-5", 1, true},
    {"88596", WEIR_CHARSET_ICONV, "ISO-8859-6", 1, true},
    {"88597", WEIR_CHARSET_ICONV, "ISO-8859-7", 1, true},
    {"88598", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"88599", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"932", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"936", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"949", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"950", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"ansi", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"ansix341968", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"ansix341986", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"arabic", WEIR_CHARSET_ICONV, "ISO-8859-6", 1, true},
    {"ascii", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"big5", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"big5eten", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"big5hkscs", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"chinese", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"chinesebig5", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"cnbig5", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"cp1250", WEIR_CHARSET_ICONV, "CP1250", 1, true},
    {"cp1251", WEIR_CHARSET_ICONV, "CP1251", 1, true},
    {"cp1252", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"cp1253", WEIR_CHARSET_ICONV, "CP1253", 1, true},
    {"cp1254", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"cp1255", WEIR_CHARSET_ICONV, "CP1255", 1, true},
    {"cp1256", WEIR_CHARSET_ICONV, "CP1256", 1, true},
    {"cp1257", WEIR_CHARSET_ICONV, "CP1257", 1, true},
    {"cp1258", WEIR_CHARSET_ICONV, "CP1258", 1, true},
    {"cp437", WEIR_CHARSET_ICONV, "IBM437", 1, true},
    {"cp50220", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"cp50221", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"cp50222", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"cp51932", WEIR_CHARSET_ICONV, "EUC-JP-MS", 1, true},
    {"cp819", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"cp850", WEIR_CHARSET_ICONV, "IBM850", 1, true},
    {"cp852", WEIR_CHARSET_ICONV, "IBM852", 1, true},
    {"cp855", WEIR_CHARSET_ICONV, "IBM855", 1, true},
    {"cp862", WEIR_CHARSET_ICONV, "IBM862", 1, true},
    {"cp866", WEIR_CHARSET_ICONV, "IBM866", 1, true},
    {"cp874", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"cp932", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"cp936", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"cp943", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"cp949", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"cp950", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
    {"cyrillic", WEIR_CHARSET_ICONV, "ISO-8859-5", 1, true},
    {"euccn", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"eucjp", WEIR_CHARSET_ICONV, "EUC-JP-MS", 1, true},
    {"eucjpms", WEIR_CHARSET_ICONV, "EUC-JP-MS", 1, true},
    {"euckr", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"gb", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb18030", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb180302000", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb180302005", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb2312", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb23121980", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gb231280", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"gbk", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"greek", WEIR_CHARSET_ICONV, "ISO-8859-7", 1, true},
    {"hebrew", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"ibm437", WEIR_CHARSET_ICONV, "IBM437", 1, true},
    {"ibm819", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"ibm850", WEIR_CHARSET_ICONV, "IBM850", 1, true},
    {"ibm852", WEIR_CHARSET_ICONV, "IBM852", 1, true},
    {"ibm855", WEIR_CHARSET_ICONV, "IBM855", 1, true},
    {"ibm862", WEIR_CHARSET_ICONV, "IBM862", 1, true},
    {"ibm866", WEIR_CHARSET_ICONV, "IBM866", 1, true},
    {"ibm874", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"iso10646ucs2", WEIR_CHARSET_UTF16, NULL, 2, false},
    {"iso10646ucs4", WEIR_CHARSET_ICONV, "UTF-32", 4, false},
    {"iso2022jp", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"iso2022jp1", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"iso2022jp2", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"iso2022jp3", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"iso2022jpms", WEIR_CHARSET_ICONV, "ISO-2022-JP-2", 1, false},
    {"iso2022kr", WEIR_CHARSET_ICONV, "ISO-2022-KR", 1, false},
    {"iso646us", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"iso8859", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"iso88591", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"iso885910", WEIR_CHARSET_ICONV, "ISO-8859-10", 1, true},
    {"iso885911", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"iso885913", WEIR_CHARSET_ICONV, "ISO-8859-13", 1, true},
    {"iso885914", WEIR_CHARSET_ICONV, "ISO-8859-14", 1, true},
    {"iso885915", WEIR_CHARSET_ICONV, "ISO-8859-15", 1, true},
    {"iso885916", WEIR_CHARSET_ICONV, "ISO-8859-16", 1, true},
    {"iso88592", WEIR_CHARSET_ICONV, "ISO-8859-2", 1, true},
    {"iso88593", WEIR_CHARSET_ICONV, "ISO-8859-3", 1, true},
    {"iso88594", WEIR_CHARSET_ICONV, "ISO-8859-4", 1, true},
    {"iso88595", WEIR_CHARSET_ICONV, "ISO-8859-5", 1, true},
    {"iso88596", WEIR_CHARSET_ICONV, "ISO-8859-6", 1, true},
    {"iso88596e", WEIR_CHARSET_ICONV, "ISO-8859-6", 1, true},
    {"iso88596i", WEIR_CHARSET_ICONV, "ISO-8859-6", 1, true},
    {"iso88597", WEIR_CHARSET_ICONV, "ISO-8859-7", 1, true},
    {"iso88598", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"iso88598e", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"iso88598i", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"iso88599", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"isoir100", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"isoir6", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"koi", WEIR_CHARSET_ICONV, "KOI8-R", 1, true},
    {"koi8", WEIR_CHARSET_ICONV, "KOI8-R", 1, true},
    {"koi8r", WEIR_CHARSET_ICONV, "KOI8-R", 1, true},
    {"koi8ru", WEIR_CHARSET_ICONV, "KOI8-U", 1, true},
    {"koi8u", WEIR_CHARSET_ICONV, "KOI8-U", 1, true},
    {"korean", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"ksc", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"ksc5601", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"ksc56011987", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"ksc56011989", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"kseuc", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"l1", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"l2", WEIR_CHARSET_ICONV, "ISO-8859-2", 1, true},
    {"l5", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"latin0", WEIR_CHARSET_ICONV, "ISO-8859-15", 1, true},
    {"latin1", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"latin2", WEIR_CHARSET_ICONV, "ISO-8859-2", 1, true},
    {"latin3", WEIR_CHARSET_ICONV, "ISO-8859-3", 1, true},
    {"latin4", WEIR_CHARSET_ICONV, "ISO-8859-4", 1, true},
    {"latin5", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"latin6", WEIR_CHARSET_ICONV, "ISO-8859-10", 1, true},
    {"latin9", WEIR_CHARSET_ICONV, "ISO-8859-15", 1, true},
    {"logical", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"mac", WEIR_CHARSET_ICONV, "MACINTOSH", 1, true},
    {"maccyrillic", WEIR_CHARSET_ICONV, "MAC-CYRILLIC", 1, true},
    {"macintosh", WEIR_CHARSET_ICONV, "MACINTOSH", 1, true},
    {"macroman", WEIR_CHARSET_ICONV, "MACINTOSH", 1, true},
    {"ms932", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"ms936", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"ms949", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"mskanji", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"shiftjis", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"sjis", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"tis620", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"ucs2", WEIR_CHARSET_UTF16, NULL, 2, false},
    {"ucs2be", WEIR_CHARSET_ICONV, "UTF-16BE", 2, false},
    {"ucs2le", WEIR_CHARSET_ICONV, "UTF-16LE", 2, false},
    {"ucs4", WEIR_CHARSET_ICONV, "UTF-32", 4, false},
    {"ucs4be", WEIR_CHARSET_ICONV, "UTF-32BE", 4, false},
    {"ucs4le", WEIR_CHARSET_ICONV, "UTF-32LE", 4, false},
    {"uhc", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"ujis", WEIR_CHARSET_ICONV, "EUC-JP-MS", 1, true},
    {"unicode11utf7", WEIR_CHARSET_UTF7, "UTF-7", 1, false},
    {"unicode11utf8", WEIR_CHARSET_UTF8, NULL, 1, true},
    {"us", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"usascii", WEIR_CHARSET_ASCII, NULL, 1, true},
    {"utf16", WEIR_CHARSET_UTF16, NULL, 2, false},
    {"utf16be", WEIR_CHARSET_ICONV, "UTF-16BE", 2, false},
    {"utf16le", WEIR_CHARSET_ICONV, "UTF-16LE", 2, false},
    {"utf32", WEIR_CHARSET_ICONV, "UTF-32", 4, false},
    {"utf32be", WEIR_CHARSET_ICONV, "UTF-32BE", 4, false},
    {"utf32le", WEIR_CHARSET_ICONV, "UTF-32LE", 4, false},
    {"utf7", WEIR_CHARSET_UTF7, "UTF-7", 1, false},
    {"utf8", WEIR_CHARSET_UTF8, NULL, 1, true},
    {"utf8mb4", WEIR_CHARSET_UTF8, NULL, 1, true},
    {"visual", WEIR_CHARSET_ICONV, "ISO-8859-8", 1, true},
    {"win1250", WEIR_CHARSET_ICONV, "CP1250", 1, true},
    {"win1251", WEIR_CHARSET_ICONV, "CP1251", 1, true},
    {"win1252", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"win1253", WEIR_CHARSET_ICONV, "CP1253", 1, true},
    {"win1254", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"win1255", WEIR_CHARSET_ICONV, "CP1255", 1, true},
    {"win1256", WEIR_CHARSET_ICONV, "CP1256", 1, true},
    {"win1257", WEIR_CHARSET_ICONV, "CP1257", 1, true},
    {"win1258", WEIR_CHARSET_ICONV, "CP1258", 1, true},
    {"windows1250", WEIR_CHARSET_ICONV, "CP1250", 1, true},
    {"windows1251", WEIR_CHARSET_ICONV, "CP1251", 1, true},
    {"windows1252", WEIR_CHARSET_WINDOWS_1252, NULL, 1, true},
    {"windows1253", WEIR_CHARSET_ICONV, "CP1253", 1, true},
    {"windows1254", WEIR_CHARSET_ICONV, "CP1254", 1, true},
    {"windows1255", WEIR_CHARSET_ICONV, "CP1255", 1, true},
    {"windows1256", WEIR_CHARSET_ICONV, "CP1256", 1, true},
    {"windows1257", WEIR_CHARSET_ICONV, "CP1257", 1, true},
    {"windows1258", WEIR_CHARSET_ICONV, "CP1258", 1, true},
    {"windows31j", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"windows874", WEIR_CHARSET_ICONV, "CP874", 1, true},
    {"windows932", WEIR_CHARSET_ICONV, "CP932", 1, true},
    {"windows936", WEIR_CHARSET_ICONV, "GB18030", 1, true},
    {"windows949", WEIR_CHARSET_ICONV, "CP949", 1, true},
    {"windows950", WEIR_CHARSET_ICONV, "BIG5-HKSCS", 1, true},
};

size_t weir_charset_known_count(void)
{
    return sizeof known / sizeof *known;
}

const struct weir_charset_known *weir_charset_known(int place)
{
    return &known[place];
}

static int by_name(const void *name, const void *row)
{
    return strcmp(name, ((const struct weir_charset_known *)row)->name);
}

static int find_plain(const char *name)
{
    const struct weir_charset_known *row =
        bsearch(name, known, weir_charset_known_count(), sizeof *known, by_name);
    return row ? (int)(row - known) : -1;
}

int weir_charset_find(struct weir_slice name)
{
    char plain[WEIR_CHARSET_NAME_MAX + 1];
    size_t len = 0;

    if (name.len > WEIR_CHARSET_NAME_MAX)
        return -1;
    for (size_t i = 0; i < name.len && name.at[i] != '*' && name.at[i] != ':'; i++) {
        char c = name.at[i];
        if (c >= 'A' && c <= 'Z')
            c = (char)(c | 0x20);
        if ((c >= 'a' && c <= 'z') || (c >= '0' && c <= '9'))
            plain[len++] = c;
    }
    plain[len] = '\0';
    int place = find_plain(plain);
    if (place < 0 && plain[0] == 'x')
        place = find_plain(plain + 1);
    if (place < 0 && strncmp(plain, "cs", 2) == 0)
        place = find_plain(plain + 2);
    return place;
}

bool weir_charset_is_shifting(struct weir_slice charset)
{
    int place = charset.len > 0 ? weir_charset_find(charset) : -1;
    return place >= 0 && !known[place].ascii_inside;
}
