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

#define CARDS "/sys/class/net"
#define LINE 128

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

/* What a card adds; nothing when there is no device behind it. */
static uint64_t card(const char *name)
{
    char path[sizeof CARDS + 256 + 16], address[LINE];

    snprintf(path, sizeof path, CARDS "/%s/device", name);
    if (name[0] == '.' || access(path, F_OK) < 0)
        return 0;
    snprintf(path, sizeof path, CARDS "/%s/address", name);
    return read_line(path, address) ? hash_of(address) : 0;
}

const char *weir_machine_name(char text_r[static WEIR_MACHINE_TEXT])
{
    DIR *cards = opendir(CARDS);
    char id[LINE] = "", all[LINE + 32];
    uint64_t sum = 0;

    for (struct dirent *entry; cards && (entry = readdir(cards)) != NULL;)
        sum += card(entry->d_name);
    if (cards)
        closedir(cards);
    (void)read_line("/etc/machine-id", id);
    snprintf(all, sizeof all, "%s%016llx", id, (unsigned long long)sum);
    snprintf(text_r, WEIR_MACHINE_TEXT, "%016llx", (unsigned long long)hash_of(all));
    return text_r;
}
