-- A write that met fewer rows than were planned for is decided again: BUSY of common/err.def. 0002 named the number of NOMEM,
-- and the push was refused instead of being tried once more.
CREATE OR REPLACE FUNCTION assert_rows(actual bigint, wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF actual <> wanted THEN
		RAISE EXCEPTION USING ERRCODE = 'JG003', MESSAGE = 'written by somebody else meanwhile';
	END IF;
END $$;
