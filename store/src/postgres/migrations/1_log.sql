-- Hubs that share the database, and what they store about themselves.
CREATE TABLE hub (name text COLLATE "C" PRIMARY KEY, value text NOT NULL);
CREATE TABLE instances (
    id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    url text NOT NULL,
    started_at timestamptz NOT NULL DEFAULT now(),
    beat_at timestamptz NOT NULL DEFAULT clock_timestamp(),
    ended_at timestamptz,
    id_ceiling bigint NOT NULL DEFAULT 0
);
-- The number of the last transaction of each instance's writer. It is a table of its own because its rows are locked until the
-- commit, and an instance must be able to record that it is alive meanwhile.
CREATE TABLE batches (instance bigint PRIMARY KEY, batch bigint NOT NULL) WITH (fillfactor = 50);

-- `instance` owns the channel with `fence`. `seq` and `rid` are those of the last record, `lines` is the number of the last line
-- of the transcript. A channel without a record has `seq` 0. A band has no settings. `body_key` encrypts all that the tables
-- below hold of the channel, and is encrypted with the hub's key. `owner` is the account that created it, while it exists.
CREATE SEQUENCE fences;
CREATE TABLE channels (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    id text COLLATE "C" NOT NULL UNIQUE,
    settings bytea,
    owner text COLLATE "C",
    created_ms bigint NOT NULL,
    used_ms bigint NOT NULL,
    seq bigint NOT NULL DEFAULT 0,
    rid bytea,
    lines bigint NOT NULL DEFAULT 0,
    instance bigint,
    fence bigint NOT NULL DEFAULT 0,
    id_floor bigint NOT NULL DEFAULT 0,
    body_key bytea NOT NULL
) WITH (fillfactor = 80);
CREATE INDEX channels_by_use ON channels (used_ms) WHERE settings IS NOT NULL;
CREATE INDEX channels_by_owner ON channels (owner, no) WHERE owner IS NOT NULL;
CREATE TABLE snapshots (channel bigint PRIMARY KEY, seq bigint NOT NULL, body bytea NOT NULL);
CREATE TABLE records (
    channel bigint NOT NULL,
    seq bigint NOT NULL,
    rid bytea NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (channel, seq)
);
-- `bytes` is the length of a message's JSON.
CREATE TABLE messages (
    channel bigint NOT NULL,
    id bigint NOT NULL,
    from_no bigint NOT NULL,
    to_no bigint,
    bytes bigint NOT NULL,
    body bytea NOT NULL,
    PRIMARY KEY (channel, id)
);
CREATE TABLE transcript (
    channel bigint NOT NULL,
    n bigint NOT NULL,
    from_no bigint,
    to_no bigint,
    json bytea NOT NULL,
    PRIMARY KEY (channel, n)
);
-- What is encrypted cannot be compressed.
ALTER TABLE snapshots ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE records ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE messages ALTER COLUMN body SET STORAGE EXTERNAL;
ALTER TABLE transcript ALTER COLUMN json SET STORAGE EXTERNAL;
-- Deleted channels that have rows left.
CREATE TABLE erasing (channel bigint PRIMARY KEY);
