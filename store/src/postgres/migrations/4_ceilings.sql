-- The highest id that an instance may assign. It is not in the row in which the instance records that it is alive: a transaction that
-- waits for a synchronous standby locks the row that it has changed.
CREATE TABLE id_ceilings (instance bigint PRIMARY KEY, id_ceiling bigint NOT NULL DEFAULT 0) WITH (fillfactor = 50);
INSERT INTO id_ceilings (instance, id_ceiling) SELECT id, id_ceiling FROM instances;
ALTER TABLE instances DROP COLUMN id_ceiling;
