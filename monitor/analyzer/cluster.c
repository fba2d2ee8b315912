/*
 * One open table of (band, its hash, first), with room for all bands of all messages twice over:
 * equal ones stand behind each other.
 */
#include "monitor/analyzer/cluster.h"

#include <stdlib.h>

#include "core/base/error.h"

#define BANDS 16
#define ROWS (WEIR_SIGNATURE / BANDS)

struct place {
    uint64_t hash;             /* of band and numbers */
    uint32_t first;            /* number + 1; 0: empty */
};

struct weir_clusters {
    const struct weir_features **features;
    struct place *place;
    size_t most, count, mask;
};

int weir_clusters_new(size_t most, struct weir_clusters **clusters_r)
{
    struct weir_clusters *clusters = calloc(1, sizeof *clusters);
    size_t places = 64;

    if (!clusters)
        return WEIR_ENOMEM;
    while (places < 2 * BANDS * most)
        places *= 2;
    clusters->most = most;
    clusters->mask = places - 1;
    clusters->features = calloc(most + 1, sizeof *clusters->features);
    clusters->place = calloc(places, sizeof *clusters->place);
    if (!clusters->features || !clusters->place) {
        weir_clusters_free(&clusters);
        return WEIR_ENOMEM;
    }
    *clusters_r = clusters;
    return 0;
}

void weir_clusters_free(struct weir_clusters **clusters)
{
    if (!*clusters)
        return;
    free((*clusters)->features);
    free((*clusters)->place);
    free(*clusters);
    *clusters = NULL;
}

/* The numbers are keyed hashes already: any mixture of them will do. */
static uint64_t band_of(const struct weir_features *features, unsigned band)
{
    uint64_t hash = band;

    for (unsigned i = 0; i < ROWS; i++) {
        hash = (hash ^ features->signature[band * ROWS + i]) * UINT64_C(0x9e3779b97f4a7c15);
        hash ^= hash >> 29;
    }
    return hash;
}

/* The first of a band's that it is like, or the number itself. */
static size_t look(const struct weir_clusters *clusters, uint64_t hash, size_t number,
                   unsigned *tries)
{
    for (size_t at = hash & clusters->mask; clusters->place[at].first != 0 && *tries > 0;
         at = (at + 1) & clusters->mask) {
        size_t first = clusters->place[at].first - 1;

        if (clusters->place[at].hash != hash)
            continue;
        (*tries)--;
        if (weir_features_alike(clusters->features[first], clusters->features[number]) >=
            WEIR_CLUSTER_ALIKE)
            return first;
    }
    return number;
}

static void put(struct weir_clusters *clusters, uint64_t hash, size_t number)
{
    size_t at = hash & clusters->mask;

    while (clusters->place[at].first != 0)
        at = (at + 1) & clusters->mask;
    clusters->place[at] = (struct place){hash, (uint32_t)number + 1};
}

size_t weir_clusters_add(struct weir_clusters *clusters, const struct weir_features *features)
{
    size_t number = clusters->count, first = number;
    unsigned tries = WEIR_CLUSTER_TRIES;

    if (number >= clusters->most)
        return number;
    clusters->count++;
    clusters->features[number] = features;
    for (unsigned band = 0; band < BANDS && first == number; band++)
        first = look(clusters, band_of(features, band), number, &tries);
    for (unsigned band = 0; band < BANDS && first == number; band++)
        put(clusters, band_of(features, band), number);
    return first;
}
