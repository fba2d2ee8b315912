/*
 * The tables, as steps from one version to the next: a new file takes them all, an older one
 * those it lacks.  A step that was once given out is never changed; what is to be different is
 * another step.
 *
 * Times are microseconds since 1970, 0 for never; addresses 16 octets, IPv4 as ::ffff:a.b.c.d.
 */
#include <stdio.h>

#include "core/base/error.h"
#include "monitor/database/database_impl.h"

#define QUANTITIES \
    "connections INTEGER NOT NULL, syns INTEGER NOT NULL, messages INTEGER NOT NULL, " \
    "accepted INTEGER NOT NULL, recipients INTEGER NOT NULL, estimated INTEGER NOT NULL"

static const char *const steps[WEIR_DATABASE_VERSION] = {
    "CREATE TABLE state (name TEXT PRIMARY KEY, value INTEGER NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE servers (number INTEGER PRIMARY KEY AUTOINCREMENT, name TEXT NOT NULL UNIQUE,"
    "  secret_hash BLOB NOT NULL, added INTEGER NOT NULL, revoked INTEGER NOT NULL DEFAULT 0,"
    "  instance BLOB NOT NULL DEFAULT x'', last_seen INTEGER NOT NULL DEFAULT 0,"
    "  generation INTEGER NOT NULL DEFAULT 0, health TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE TABLE streams (server INTEGER NOT NULL, name TEXT NOT NULL, offset INTEGER NOT NULL,"
    "  last INTEGER NOT NULL, PRIMARY KEY (server, name)) STRICT, WITHOUT ROWID;"
    "CREATE TABLE addresses (address BLOB PRIMARY KEY, first_seen INTEGER NOT NULL,"
    "  last_seen INTEGER NOT NULL, " QUANTITIES ") STRICT, WITHOUT ROWID;"
    "CREATE TABLE minutes (minute INTEGER NOT NULL, address BLOB NOT NULL,"
    "  server INTEGER NOT NULL, " QUANTITIES ","
    "  PRIMARY KEY (minute, address, server)) STRICT, WITHOUT ROWID;",

    "CREATE TABLE thresholds (name TEXT PRIMARY KEY, prefixes TEXT NOT NULL,"
    "  connections_rate REAL NOT NULL, connections_maximum REAL NOT NULL,"
    "  messages_rate REAL NOT NULL, messages_maximum REAL NOT NULL,"
    "  recipients_rate REAL NOT NULL, recipients_maximum REAL NOT NULL,"
    "  observe INTEGER NOT NULL, ladder TEXT NOT NULL) STRICT, WITHOUT ROWID;"
    "CREATE TABLE events (number INTEGER PRIMARY KEY AUTOINCREMENT, raised INTEGER NOT NULL,"
    "  cleared INTEGER NOT NULL DEFAULT 0, kind TEXT NOT NULL, address BLOB NOT NULL,"
    "  bits INTEGER NOT NULL, server INTEGER NOT NULL, quantity TEXT NOT NULL,"
    "  class TEXT NOT NULL, observed INTEGER NOT NULL, limit_rate REAL NOT NULL,"
    "  limit_maximum REAL NOT NULL, rate REAL NOT NULL, tokens REAL NOT NULL,"
    "  children INTEGER NOT NULL, servers INTEGER NOT NULL, text TEXT NOT NULL) STRICT;"
    "CREATE INDEX events_open ON events (number) WHERE cleared = 0;"
    "CREATE TABLE decisions (number INTEGER PRIMARY KEY AUTOINCREMENT, made INTEGER NOT NULL,"
    "  event INTEGER NOT NULL, generation INTEGER NOT NULL, changed INTEGER NOT NULL,"
    "  list TEXT NOT NULL, address BLOB NOT NULL, bits INTEGER NOT NULL, ends INTEGER NOT NULL,"
    "  defer INTEGER NOT NULL, points REAL NOT NULL, reason TEXT NOT NULL,"
    "  origin TEXT NOT NULL, undone INTEGER NOT NULL DEFAULT 0,"
    "  undone_by TEXT NOT NULL DEFAULT '') STRICT;"
    "CREATE INDEX decisions_changed ON decisions (changed);"
    "CREATE INDEX decisions_about ON decisions (address, bits);"
    "CREATE TABLE audit (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
    "  who TEXT NOT NULL, what TEXT NOT NULL, detail TEXT NOT NULL) STRICT;"
    "CREATE INDEX addresses_last_seen ON addresses (last_seen);",

    "CREATE INDEX events_standing ON events (address, bits) WHERE cleared = 0;",

    "CREATE TABLE ladder (address BLOB NOT NULL, bits INTEGER NOT NULL, last INTEGER NOT NULL,"
    "  ends INTEGER NOT NULL, step INTEGER NOT NULL, repeated INTEGER NOT NULL,"
    "  withheld INTEGER NOT NULL, PRIMARY KEY (address, bits)) STRICT, WITHOUT ROWID;",

    "ALTER TABLE ladder ADD COLUMN taken INTEGER NOT NULL DEFAULT 0;",

    "CREATE TABLE hits (rule INTEGER PRIMARY KEY, first_hit INTEGER NOT NULL,"
    "  last_hit INTEGER NOT NULL, hits INTEGER NOT NULL, spam INTEGER NOT NULL,"
    "  ham INTEGER NOT NULL, false_positives INTEGER NOT NULL, spam_decayed REAL NOT NULL,"
    "  ham_decayed REAL NOT NULL, at INTEGER NOT NULL) STRICT;"
    "CREATE TABLE hits_all (one INTEGER PRIMARY KEY CHECK (one = 1), spam_decayed REAL NOT NULL,"
    "  ham_decayed REAL NOT NULL, at INTEGER NOT NULL) STRICT;",

    ("CREATE INDEX decisions_standing ON decisions (ends) WHERE undone = 0;"
     "CREATE INDEX decisions_undone ON decisions (undone) WHERE undone > 0;"),

    ("CREATE TABLE rules (id INTEGER PRIMARY KEY, name TEXT NOT NULL UNIQUE, kind TEXT NOT NULL,"
     "  text TEXT NOT NULL, state TEXT NOT NULL, score REAL NOT NULL, base REAL NOT NULL,"
     "  low REAL NOT NULL, high REAL NOT NULL, author TEXT NOT NULL, created INTEGER NOT NULL,"
     "  updated INTEGER NOT NULL, since INTEGER NOT NULL, approved INTEGER NOT NULL) STRICT;"
     "CREATE INDEX rules_state ON rules (state, score);"
     "CREATE TABLE rule_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
     "  rule INTEGER NOT NULL, name TEXT NOT NULL, who TEXT NOT NULL, what TEXT NOT NULL,"
     "  old TEXT NOT NULL, new TEXT NOT NULL, why TEXT NOT NULL) STRICT;"
     "CREATE INDEX rule_changes_of ON rule_changes (rule, number);"
     "CREATE TRIGGER rule_changes_stay BEFORE UPDATE ON rule_changes BEGIN"
     "  SELECT RAISE(ABORT, 'history is not changed'); END;"
     "CREATE TRIGGER rule_changes_remain BEFORE DELETE ON rule_changes BEGIN"
     "  SELECT RAISE(ABORT, 'history is not changed'); END;"
     "CREATE TABLE messages (number INTEGER PRIMARY KEY AUTOINCREMENT, uid INTEGER NOT NULL UNIQUE,"
     "  time INTEGER NOT NULL, server INTEGER NOT NULL, address BLOB NOT NULL,"
     "  domain TEXT NOT NULL, verdict TEXT NOT NULL, score REAL NOT NULL, serial INTEGER NOT NULL,"
     "  reported TEXT NOT NULL DEFAULT '', reported_at INTEGER NOT NULL DEFAULT 0) STRICT;"
     "CREATE INDEX messages_reported ON messages (reported_at) WHERE reported_at > 0;"
     "CREATE TABLE message_hits (message INTEGER NOT NULL, rule INTEGER NOT NULL,"
     "  points REAL NOT NULL, PRIMARY KEY (message, rule)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX message_hits_of ON message_hits (rule, message);"),

    ("CREATE TABLE reports (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
     "  server INTEGER NOT NULL, user INTEGER NOT NULL, name TEXT NOT NULL, told TEXT NOT NULL,"
     "  way TEXT NOT NULL, kind TEXT NOT NULL, state TEXT NOT NULL, came TEXT NOT NULL,"
     "  vote INTEGER NOT NULL, weight INTEGER NOT NULL, taken_back INTEGER NOT NULL DEFAULT 0,"
     "  uid INTEGER NOT NULL, verdict TEXT NOT NULL, score REAL NOT NULL, address TEXT NOT NULL,"
     "  domain TEXT NOT NULL, info TEXT NOT NULL) STRICT;"
     "CREATE UNIQUE INDEX reports_votes ON reports (uid, user) WHERE vote = 1;"
     "CREATE INDEX reports_of ON reports (user, number) WHERE vote = 1;"
     "CREATE INDEX reports_time ON reports (time);"
     "CREATE TABLE reported (uid INTEGER PRIMARY KEY, effect TEXT NOT NULL,"
     "  changed INTEGER NOT NULL) STRICT;"
     "CREATE INDEX reported_changed ON reported (changed);"
     "CREATE TABLE report_counts (day INTEGER NOT NULL, what TEXT NOT NULL,"
     "  whose INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (day, what, whose)) STRICT,"
     "  WITHOUT ROWID;"),

    "CREATE TABLE rule_sets (serial INTEGER PRIMARY KEY, made INTEGER NOT NULL, who TEXT NOT NULL,"
    "  what TEXT NOT NULL, why TEXT NOT NULL, rules INTEGER NOT NULL, octets INTEGER NOT NULL,"
    "  file BLOB NOT NULL) STRICT;",

    ("ALTER TABLE events ADD COLUMN word INTEGER NOT NULL DEFAULT 0;"
     "UPDATE events SET word = servers;"
     "CREATE INDEX decisions_accepted ON decisions (ends) WHERE undone = 0 AND list = 'accept';"),

    ("CREATE TABLE parts (server INTEGER NOT NULL, kind TEXT NOT NULL, uid INTEGER NOT NULL,"
     "  sum INTEGER NOT NULL, len INTEGER NOT NULL, number INTEGER NOT NULL,"
     "  time INTEGER NOT NULL, octets BLOB NOT NULL,"
     "  PRIMARY KEY (server, kind, uid, sum, len, number)) STRICT;"
     "CREATE INDEX parts_time ON parts (time);"),

    ("CREATE TABLE lessons (number INTEGER PRIMARY KEY AUTOINCREMENT, uid INTEGER NOT NULL UNIQUE,"
     "  time INTEGER NOT NULL, server INTEGER NOT NULL, source TEXT NOT NULL, label TEXT NOT NULL,"
     "  said TEXT NOT NULL, learned TEXT NOT NULL, weight INTEGER NOT NULL,"
     "  learned_at INTEGER NOT NULL, tokens BLOB NOT NULL) STRICT;"
     "CREATE TABLE lesson_changes (number INTEGER PRIMARY KEY AUTOINCREMENT, uid INTEGER NOT NULL,"
     "  back INTEGER NOT NULL, spam INTEGER NOT NULL, weight INTEGER NOT NULL,"
     "  learned_at INTEGER NOT NULL) STRICT;"
     "CREATE TABLE bayes_counts (one INTEGER PRIMARY KEY CHECK (one = 1), at INTEGER NOT NULL,"
     "  counts BLOB NOT NULL) STRICT;"),

    ("CREATE TABLE reported_texts (number INTEGER PRIMARY KEY AUTOINCREMENT, uid INTEGER NOT NULL,"
     "  proven INTEGER NOT NULL, state TEXT NOT NULL, time INTEGER NOT NULL,"
     "  server INTEGER NOT NULL, len INTEGER NOT NULL, octets BLOB NOT NULL,"
     "  UNIQUE (uid, proven)) STRICT;"
     "CREATE INDEX reported_texts_kept ON reported_texts (proven, number, len);"
     "CREATE TABLE drafts (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
     "  rule INTEGER NOT NULL, name TEXT NOT NULL, link INTEGER NOT NULL, text TEXT NOT NULL,"
     "  servers INTEGER NOT NULL, rejected INTEGER NOT NULL DEFAULT 0) STRICT;"
     "CREATE INDEX drafts_time ON drafts (time);"
     "CREATE TABLE draft_messages (uid INTEGER NOT NULL, draft INTEGER NOT NULL,"
     "  PRIMARY KEY (uid, draft)) STRICT, WITHOUT ROWID;"),

    ("CREATE TABLE counters (place INTEGER PRIMARY KEY, entity BLOB NOT NULL,"
     "  record BLOB NOT NULL, updated INTEGER NOT NULL) STRICT;"
     "CREATE INDEX counters_updated ON counters (updated);"
     "CREATE TABLE counter_events (number INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  count INTEGER NOT NULL, events BLOB NOT NULL) STRICT;"
     "CREATE TABLE votes (number INTEGER PRIMARY KEY AUTOINCREMENT, time INTEGER NOT NULL,"
     "  uid INTEGER NOT NULL, judged_by INTEGER NOT NULL, told_by INTEGER NOT NULL,"
     "  at INTEGER NOT NULL, address BLOB NOT NULL, domain TEXT NOT NULL,"
     "  counted INTEGER NOT NULL, was TEXT NOT NULL, now TEXT NOT NULL) STRICT;"),

    ("CREATE TABLE hits_days (day INTEGER NOT NULL, rule INTEGER NOT NULL, hits INTEGER NOT NULL,"
     "  spam INTEGER NOT NULL, ham INTEGER NOT NULL, false_positives INTEGER NOT NULL,"
     "  PRIMARY KEY (day, rule)) STRICT, WITHOUT ROWID;"
     "DROP TRIGGER rule_changes_remain;"
     "CREATE TRIGGER rule_changes_remain BEFORE DELETE ON rule_changes"
     "  WHEN OLD.who NOT GLOB 'analyzer*' OR OLD.what NOT IN ('score', 'state', 'approved') OR"
     "  OLD.time >= coalesce((SELECT value FROM state WHERE name = 'history_before'), 0) BEGIN"
     "  SELECT RAISE(ABORT, 'history is not changed'); END;"),

    "CREATE TABLE seen_decisions (number INTEGER PRIMARY KEY, decisions BLOB NOT NULL) STRICT;",

    ("ALTER TABLE reported ADD COLUMN entered TEXT NOT NULL DEFAULT '';"
     "UPDATE reported SET entered = effect;"
     "ALTER TABLE lessons ADD COLUMN verdict TEXT NOT NULL DEFAULT '';"
     "UPDATE lessons SET verdict = label WHERE source = 'verdict';"),

    ("CREATE TABLE hits_servers (rule INTEGER NOT NULL, server INTEGER NOT NULL,"
     "  spam_decayed REAL NOT NULL, ham_decayed REAL NOT NULL, at INTEGER NOT NULL,"
     "  PRIMARY KEY (rule, server)) STRICT, WITHOUT ROWID;"
     "CREATE INDEX hits_servers_at ON hits_servers (at);"),

    ("CREATE TABLE accounts (number INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  name TEXT NOT NULL UNIQUE COLLATE NOCASE, role TEXT NOT NULL, hash TEXT NOT NULL,"
     "  added INTEGER NOT NULL, changed INTEGER NOT NULL, last_login INTEGER NOT NULL DEFAULT 0,"
     "  disabled INTEGER NOT NULL DEFAULT 0) STRICT;"
     "CREATE TABLE sessions (hash BLOB PRIMARY KEY, account INTEGER NOT NULL,"
     "  started INTEGER NOT NULL, used INTEGER NOT NULL, address TEXT NOT NULL) STRICT,"
     "  WITHOUT ROWID;"
     "CREATE INDEX sessions_of ON sessions (account, used);"
     "CREATE TABLE tokens (number INTEGER PRIMARY KEY AUTOINCREMENT,"
     "  name TEXT NOT NULL UNIQUE COLLATE NOCASE, hash BLOB NOT NULL UNIQUE, role TEXT NOT NULL,"
     "  added INTEGER NOT NULL, ends INTEGER NOT NULL, used INTEGER NOT NULL DEFAULT 0,"
     "  who TEXT NOT NULL) STRICT;"
     "CREATE INDEX messages_time ON messages (time, verdict, score);"
     "CREATE INDEX messages_address ON messages (address, time);"
     "CREATE INDEX messages_domain ON messages (domain, time);"),

    ("ALTER TABLE events ADD COLUMN acknowledged INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE events ADD COLUMN acknowledged_by TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE events ADD COLUMN note TEXT NOT NULL DEFAULT '';"),

    ("ALTER TABLE messages ADD COLUMN queue_id TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE messages ADD COLUMN action TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE messages ADD COLUMN ground TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE messages ADD COLUMN basis TEXT NOT NULL DEFAULT '';"
     "ALTER TABLE messages ADD COLUMN lacking INTEGER;"
     "ALTER TABLE messages ADD COLUMN probability REAL;"
     "ALTER TABLE messages ADD COLUMN confidence REAL;"
     "ALTER TABLE messages ADD COLUMN unsure_at REAL;"
     "ALTER TABLE messages ADD COLUMN spam_at REAL;"
     "ALTER TABLE messages ADD COLUMN reject_at REAL;"
     "CREATE INDEX messages_queue ON messages (queue_id) WHERE queue_id <> '';"),

    ("ALTER TABLE events ADD COLUMN told INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE events ADD COLUMN told_again INTEGER NOT NULL DEFAULT 0;"
     "ALTER TABLE events ADD COLUMN silence INTEGER NOT NULL DEFAULT 0;"
     "CREATE TABLE silences (number INTEGER PRIMARY KEY AUTOINCREMENT, made INTEGER NOT NULL,"
     "  ends INTEGER NOT NULL, address BLOB NOT NULL, bits INTEGER NOT NULL,"
     "  threshold TEXT NOT NULL, kind TEXT NOT NULL, server TEXT NOT NULL, reason TEXT NOT NULL,"
     "  who TEXT NOT NULL, ended INTEGER NOT NULL DEFAULT 0,"
     "  ended_by TEXT NOT NULL DEFAULT '') STRICT;"
     "CREATE INDEX silences_standing ON silences (ends) WHERE ended = 0;"),

    ("DROP INDEX messages_time; CREATE INDEX messages_time ON messages (time);"
     "CREATE INDEX messages_verdict ON messages (verdict, time);"
     "CREATE INDEX messages_said ON messages (reported, time) WHERE reported_at > 0;"
     "CREATE INDEX events_about ON events (address, bits);"
     "CREATE INDEX IF NOT EXISTS events_unheard ON events (told, number, told_again, observed)"
     "  WHERE told > 0 AND cleared = 0 AND acknowledged = 0;"
     "CREATE INDEX IF NOT EXISTS audit_who ON audit (who);"
     "CREATE INDEX IF NOT EXISTS audit_what ON audit (what);"
     "CREATE INDEX IF NOT EXISTS audit_who_what ON audit (who, what);"
     "CREATE TABLE message_sums (span INTEGER NOT NULL, begins INTEGER NOT NULL,"
     "  what INTEGER NOT NULL, count INTEGER NOT NULL, PRIMARY KEY (span, begins, what)) STRICT,"
     "  WITHOUT ROWID;"
     "WITH spans (span) AS (VALUES (300000000), (3600000000)), kept (time, verdict, score) AS"
     "  (SELECT time, CASE verdict WHEN 'ham' THEN 0 WHEN 'spam' THEN 2 WHEN 'blocked' THEN 3"
     "  ELSE 1 END, CAST(score AS INTEGER) - (score < CAST(score AS INTEGER)) FROM messages)"
     "  INSERT INTO message_sums SELECT span, time / span * span, verdict, count(*)"
     "  FROM kept, spans GROUP BY 1, 2, 3 UNION ALL SELECT span, time / span * span,"
     "  24 + max(min(score, 19), -20), count(*) FROM kept, spans GROUP BY 1, 2, 3;"
     "CREATE TABLE minute_sums (minute INTEGER PRIMARY KEY, " QUANTITIES ") STRICT;"
     "INSERT INTO minute_sums SELECT minute, sum(connections), sum(syns), sum(messages),"
     "  sum(accepted), sum(recipients), sum(estimated) FROM minutes GROUP BY minute;"),

    ("ALTER TABLE events ADD COLUMN unheard INTEGER NOT NULL DEFAULT 0;"
     "UPDATE events SET unheard = told WHERE told > 0;"
     "DROP INDEX IF EXISTS events_unheard;"
     "CREATE INDEX events_unheard ON events (unheard, number, told_again, observed)"
     "  WHERE unheard > 0 AND cleared = 0 AND acknowledged = 0;"
     "CREATE TABLE owed (number INTEGER PRIMARY KEY AUTOINCREMENT, way INTEGER NOT NULL,"
     "  event INTEGER NOT NULL, again INTEGER NOT NULL, time INTEGER NOT NULL,"
     "  ends INTEGER NOT NULL, address BLOB NOT NULL, bits INTEGER NOT NULL,"
     "  quantity TEXT NOT NULL, rate REAL NOT NULL, limit_rate REAL NOT NULL,"
     "  limit_maximum REAL NOT NULL, class TEXT NOT NULL, servers INTEGER NOT NULL,"
     "  response TEXT NOT NULL, wanted TEXT NOT NULL, withheld TEXT NOT NULL,"
     "  held INTEGER NOT NULL, look INTEGER NOT NULL, late INTEGER NOT NULL) STRICT;"
     "CREATE INDEX owed_due ON owed (way, number) WHERE held = 0;"
     "CREATE INDEX owed_held ON owed (look) WHERE held > 0;"
     "CREATE INDEX owed_silenced ON owed (number) WHERE held > 0;"
     "CREATE INDEX owed_way ON owed (way, number);"
     "CREATE INDEX owed_about ON owed (event, way);"
     "CREATE INDEX events_silenced ON events (silence) WHERE cleared = 0 AND silence > 0;"
     /* What a token made has been its owner's since; one of a token that is no more, or of another
      * of that name, is left as it is. */
     "WITH RECURSIVE known (name, added, owner) AS (SELECT name, added, who FROM tokens"
     "  WHERE who NOT GLOB 'token *' UNION SELECT tokens.name, tokens.added, known.owner"
     "  FROM tokens, known WHERE tokens.who = 'token ' || known.name"
     "  AND tokens.added >= known.added)"
     "UPDATE tokens SET who = known.owner || ' by ' || tokens.who FROM known"
     "  WHERE known.name = tokens.name AND tokens.who GLOB 'token *';"),
};

static int version_of(struct weir_database *database, int *version_r)
{
    struct weir_query q = weir_query(database, "PRAGMA user_version");

    if (weir_query_row(&q) == 1)
        *version_r = (int)weir_column_number(&q);
    return weir_query_end(&q);
}

/* One step, whole or not at all. */
static int step(struct weir_database *database, int from)
{
    char mark[64];
    int rc = weir_database_begin(database);

    if (rc < 0)
        return rc;
    snprintf(mark, sizeof mark, "PRAGMA user_version = %d", from + 1);
    rc = weir_database_run(database, steps[from]);
    rc = rc < 0 ? rc : weir_database_run(database, mark);
    if (rc < 0) {
        weir_database_abandon(database);
        return rc;
    }
    return weir_database_commit(database);
}

int weir_database_migrate(struct weir_database *database, int version)
{
    int now = 0, rc = version_of(database, &now);

    while (rc == 0 && now < version)
        rc = step(database, now++);
    return rc;
}
