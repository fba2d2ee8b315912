/*
 * cluster - messages that are alike: each joins the first it is like enough, or is the first of a
 * cluster of its own (claim B32).
 *
 * What is compared is found by bands of the signature (locality-sensitive hashing, Indyk and
 * Motwani 1998): two that are alike by WEIR_CLUSTER_ALIKE have one of 16 bands of 4 numbers in
 * common in all but 2 of 10,000 cases; two with nothing in common have none.  All are compared with
 * the first one only, so that no chain of small steps leads from one message to another.
 *
 * Owner:    the caller; features must outlive it.  Threads: one.
 * Errors:   WEIR_ENOMEM.
 * Limits:   WEIR_CLUSTER_TRIES firsts that a message is compared with, so that many that share a
 *           band cost no more.
 */
#ifndef WEIR_ANALYZER_CLUSTER_H
#define WEIR_ANALYZER_CLUSTER_H

#include "monitor/analyzer/features.h"

#define WEIR_CLUSTER_ALIKE 0.8
#define WEIR_CLUSTER_TRIES 64

struct weir_clusters;

/* For at most so many messages.  0 or WEIR_ENOMEM. */
int weir_clusters_new(size_t most, struct weir_clusters **clusters_r);
void weir_clusters_free(struct weir_clusters **clusters);

/* Adds a message, the next number from 0 on: the number of the first of its cluster.  Beyond the
 * most there may be: its own. */
size_t weir_clusters_add(struct weir_clusters *clusters, const struct weir_features *features);

#endif
