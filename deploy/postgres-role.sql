-- The application's own role: it may add history, never change or remove it, and it may not change the tables.
--
-- Run as the owner of the tables, in the application's database, after every `flask --app wsgi db upgrade`:
--     psql --set ON_ERROR_STOP=1 --single-transaction --file deploy/postgres-role.sql "$OWNER_DATABASE_URL"
-- Once, give the role a password:  ALTER ROLE sijin_app PASSWORD '...';
-- Web and worker then connect as sijin_app. Migrations and `places import` stay with the owner.

DO $$ BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'sijin_app') THEN
        CREATE ROLE sijin_app LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION;
    END IF;
    EXECUTE format('REVOKE TEMPORARY ON DATABASE %I FROM PUBLIC', current_database());
END $$;

REVOKE CREATE ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO sijin_app;

REVOKE ALL ON ALL TABLES IN SCHEMA public FROM sijin_app;
GRANT SELECT, INSERT, UPDATE, DELETE ON ALL TABLES IN SCHEMA public TO sijin_app;
GRANT USAGE, SELECT ON ALL SEQUENCES IN SCHEMA public TO sijin_app;

-- history only grows
REVOKE UPDATE, DELETE ON
    ledger_transfer, ledger_account, ledger_block, ledger_period, journal_entry, stock_move
FROM sijin_app;
-- the inspection book is never changed; a trigger keeps its rows until their day
REVOKE UPDATE ON inspection_record FROM sijin_app;
-- sealing sets these two, once: the rest is held by triggers
GRANT UPDATE (block_no, period) ON ledger_transfer TO sijin_app;

-- which migrations have run is the owner's matter
REVOKE INSERT, UPDATE, DELETE ON alembic_version FROM sijin_app;
