-- A disabled account comes back: at the bureau another administrator grants it, as a reset.
ALTER TABLE account_request DROP CONSTRAINT account_request_what_check;
ALTER TABLE account_request ADD CONSTRAINT account_request_what_check CHECK (what IN ('add', 'reset', 'set', 'disable', 'enable'));
