-- What a write of records and files calls.

-- Ends the transaction when a write met fewer rows than it planned for: somebody else was first, so the decision must be
-- made again ('JG' and the number of common/err.def: BUSY).
CREATE OR REPLACE FUNCTION assert_rows(actual bigint, wanted bigint) RETURNS void LANGUAGE plpgsql AS $$
BEGIN
	IF actual <> wanted THEN
		RAISE EXCEPTION USING ERRCODE = 'JG003', MESSAGE = 'written by somebody else meanwhile';
	END IF;
END $$;

-- A file whose bytes do not have their hash, or whose size was said otherwise, is worth nothing and stands in the way of the right one:
-- it goes, and the sender begins anew. One that is complete stays for good, whoever asks.
CREATE OR REPLACE FUNCTION blob_drop_worthless(of_school text, of_sha bytea, of_size bigint) RETURNS boolean LANGUAGE plpgsql AS $$
BEGIN
	IF NOT EXISTS (
		SELECT FROM blob b WHERE b.county = app_county() AND b.school = of_school AND b.sha = of_sha AND NOT b.complete AND (b.size <> of_size
			OR b.size <= (SELECT sum(octet_length(k.bytes)) FROM blob_chunk k WHERE k.county = b.county AND k.school = b.school AND k.sha = b.sha))
		FOR UPDATE) THEN
		RETURN false;
	END IF;
	DELETE FROM blob_chunk WHERE county = app_county() AND school = of_school AND sha = of_sha;
	DELETE FROM blob WHERE county = app_county() AND school = of_school AND sha = of_sha;
	RETURN true;
END $$;
