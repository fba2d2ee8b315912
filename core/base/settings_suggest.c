/*
 * How far a misspelt name is from a known one, counted in letters to insert,
 * drop, change or swap, capitals and small ones being the same.  Pure; refuses
 * to guess where names are long or the distance is not small against them.
 */
#include <ctype.h>
#include <string.h>

#include "core/base/settings_impl.h"

enum { NAME_MOST = 48 };

static bool same(char a, char b)
{
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

static unsigned least_of(unsigned a, unsigned b)
{
    return a < b ? a : b;
}

/* The usual table, of which three rows are enough: row[0] for the letter at
 * hand, row[1] and row[2] for the two before it (a swap looks back by two). */
static unsigned distance(const char *a, size_t a_len, const char *b, size_t b_len)
{
    unsigned row[3][NAME_MOST + 1] = {{0}};
    for (unsigned j = 0; j <= b_len; j++)
        row[0][j] = j;
    for (size_t i = 1; i <= a_len; i++) {
        memcpy(row[2], row[1], sizeof(row[2]));
        memcpy(row[1], row[0], sizeof(row[1]));
        row[0][0] = (unsigned)i;
        for (size_t j = 1; j <= b_len; j++) {
            unsigned changed = row[1][j - 1] + !same(a[i - 1], b[j - 1]);
            unsigned best = least_of(changed, least_of(row[1][j], row[0][j - 1]) + 1);
            bool swapped = i > 1 && j > 1 && same(a[i - 1], b[j - 2]) && same(a[i - 2], b[j - 1]);
            row[0][j] = swapped ? least_of(best, row[2][j - 2] + 1) : best;
        }
    }
    return row[0][b_len];
}

bool weir_setting_nearer(const char *given, const char *known, unsigned *nearest)
{
    size_t given_len = strlen(given), known_len = strlen(known);
    if (given_len > NAME_MOST || known_len > NAME_MOST)
        return false;
    unsigned far = distance(given, given_len, known, known_len);
    if (far > 1 + known_len / 5 || far >= given_len || far >= *nearest)
        return false;
    *nearest = far;
    return true;
}
