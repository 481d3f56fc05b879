-- What a declaration may call has one signature now (sql/functions, server/README.md); what was called by hand goes. Functions that are replaced
-- as a whole live in sql/functions from here on: a migration keeps what has to happen once.
DROP FUNCTION cycle_open_guard(int[], int[]);
DROP FUNCTION filing_guard(int[], text[], int[], text[], boolean[], text[]);
DROP FUNCTION verify_guard(int[], text[], int[], uuid[]);
DROP FUNCTION slip_guard(int[], text[], uuid[]);
DROP FUNCTION hook_targets(int[], text[], uuid[]);
DROP FUNCTION pupil_scopes(int[], text[], int[], uuid[], uuid[], text[], text[]);
DROP FUNCTION push_years();
