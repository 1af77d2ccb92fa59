-- Rows that interfaces store for their own use, by kind.
CREATE TABLE rows (
    kind text COLLATE "C" NOT NULL,
    name text COLLATE "C" NOT NULL,
    text text NOT NULL,
    PRIMARY KEY (kind, name)
);

-- Accounts, their sessions and identities. Tokens and keys are SHA-256 digests. Whoever changes what an account has, and how much
-- of it, locks its row first.
CREATE TABLE accounts (
    id text COLLATE "C" PRIMARY KEY,
    recovery bytea NOT NULL UNIQUE,
    created_ms bigint NOT NULL
);
CREATE TABLE account_sessions (
    token bytea PRIMARY KEY,
    account text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    used_ms bigint NOT NULL,
    created_ms bigint NOT NULL,
    label text
);
CREATE INDEX account_sessions_by_account ON account_sessions (account, used_ms);
CREATE INDEX account_sessions_by_use ON account_sessions (used_ms);
CREATE TABLE identities (
    callsign text COLLATE "C" PRIMARY KEY,
    account text COLLATE "C" NOT NULL REFERENCES accounts,
    key bytea NOT NULL UNIQUE,
    key_no bigint NOT NULL,
    created_ms bigint NOT NULL
);
CREATE INDEX identities_by_account ON identities (account, callsign);

-- E-mail addresses, encrypted, found by a keyed hash; codes and links as hashes.
CREATE TABLE account_emails (
    account text COLLATE "C" PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    lookup bytea NOT NULL,
    sealed bytea NOT NULL,
    language text NOT NULL
);
CREATE INDEX account_emails_by_lookup ON account_emails (lookup);
CREATE TABLE pending_emails (
    account text COLLATE "C" PRIMARY KEY REFERENCES accounts ON DELETE CASCADE,
    lookup bytea NOT NULL,
    sealed bytea NOT NULL,
    language text NOT NULL,
    code bytea NOT NULL,
    link bytea NOT NULL UNIQUE,
    wrong bigint NOT NULL,
    expires_ms bigint NOT NULL
);
CREATE TABLE recovery_links (
    link bytea PRIMARY KEY,
    account text COLLATE "C" NOT NULL REFERENCES accounts ON DELETE CASCADE,
    expires_ms bigint NOT NULL
);
CREATE INDEX recovery_links_by_account ON recovery_links (account);

-- Webhooks, and their deliveries. `body` is the encrypted message of a delivery that is due. Deliveries of a hook are inserted only
-- while its row is locked, so that their numbers rise in the order of the commits.
CREATE TABLE webhooks (
    no bigint GENERATED ALWAYS AS IDENTITY UNIQUE,
    id text COLLATE "C" PRIMARY KEY,
    owner text COLLATE "C" NOT NULL,
    json bytea NOT NULL
);
CREATE INDEX webhooks_by_owner ON webhooks (owner);
CREATE TABLE deliveries (
    no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
    hook text COLLATE "C" NOT NULL REFERENCES webhooks ON DELETE CASCADE,
    id text COLLATE "C" NOT NULL,
    channel text COLLATE "C",
    body bytea,
    json bytea NOT NULL
) WITH (fillfactor = 80);
-- An encrypted message cannot be compressed.
ALTER TABLE deliveries ALTER COLUMN body SET STORAGE EXTERNAL;
CREATE INDEX deliveries_by_hook ON deliveries (hook, no);
CREATE INDEX deliveries_due ON deliveries (hook, no) WHERE body IS NOT NULL;
CREATE INDEX deliveries_by_channel ON deliveries (channel) WHERE channel IS NOT NULL;
