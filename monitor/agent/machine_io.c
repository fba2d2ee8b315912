/*
 * A hash of machine-id and of the sum of the cards' addresses' hashes, so that their order, which
 * may be another at each start, does not matter.
 */
#include "monitor/agent/machine_io.h"

#include <dirent.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include <sodium.h>

#define LINE 128
#define PATH 512

/* The first line of a file. */
static bool read_line(const char *path, char line_r[static LINE])
{
    FILE *file = fopen(path, "re");
    bool good = file && fgets(line_r, LINE, file);

    if (file)
        fclose(file);
    return good;
}

static uint64_t hash_of(const char *text)
{
    uint64_t hash;

    crypto_generichash((unsigned char *)&hash, sizeof hash, (const unsigned char *)text,
                       strlen(text), NULL, 0);
    return hash;
}

static bool has(const char *card, const char *what)
{
    char path[PATH + 32];

    snprintf(path, sizeof path, "%s/%s", card, what);
    return access(path, F_OK) == 0;
}

/* An end of a container, and nothing that it made itself for others in it. */
static bool is_end(const char *card)
{
    char path[PATH + 32], type[LINE];

    snprintf(path, sizeof path, "%s/type", card);
    return read_line(path, type) && strcmp(type, "1\n") == 0 && !has(card, "bridge") &&
           !has(card, "master") && !has(card, "tun_flags");
}

static uint64_t address_of(const char *card)
{
    char path[PATH + 32], address[LINE];

    snprintf(path, sizeof path, "%s/address", card);
    return read_line(path, address) ? hash_of(address) : 0;
}

/* Of the cards with a device behind them, or where there is none of the container's ends. */
static uint64_t sum_of_cards(const char *folder)
{
    DIR *cards = opendir(folder);
    char card[PATH];
    uint64_t sum = 0, ends = 0;

    for (struct dirent *entry; cards && (entry = readdir(cards)) != NULL;) {
        int len = snprintf(card, sizeof card, "%s/%s", folder, entry->d_name);

        if (entry->d_name[0] == '.' || len >= (int)sizeof card)
            continue;
        if (has(card, "device"))
            sum += address_of(card);
        else if (is_end(card))
            ends += address_of(card);
    }
    if (cards)
        closedir(cards);
    return sum != 0 ? sum : ends;
}

const char *weir_machine_name(const char *root, char text_r[static WEIR_MACHINE_TEXT])
{
    char id[LINE] = "", all[LINE + 32], path[PATH];

    snprintf(path, sizeof path, "%s/etc/machine-id", root);
    (void)read_line(path, id);
    snprintf(path, sizeof path, "%s/sys/class/net", root);
    snprintf(all, sizeof all, "%s%016llx", id, (unsigned long long)sum_of_cards(path));
    snprintf(text_r, WEIR_MACHINE_TEXT, "%016llx", (unsigned long long)hash_of(all));
    return text_r;
}
