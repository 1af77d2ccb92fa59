-- Which instance drives the webhooks of which lane. An instance holds its lanes until it has ended.
CREATE TABLE lanes (lane smallint PRIMARY KEY, instance bigint);
INSERT INTO lanes (lane) SELECT generate_series(0, 15);
-- Changes that other instances apply to what they keep in memory, as JSON. They are inserted under a lock that is held until the
-- commit, so that they become visible in the order of their numbers.
CREATE TABLE facts (no bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY, json text NOT NULL);
