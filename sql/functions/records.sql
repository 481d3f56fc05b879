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

-- Whether a record of the school names a file by its hash, or a paper of the bureau does (of_school '').
CREATE OR REPLACE FUNCTION blob_is_named(of_school text, of_sha bytea) RETURNS boolean LANGUAGE sql STABLE AS $$
	SELECT CASE WHEN of_school = '' THEN EXISTS (SELECT FROM document_file f WHERE f.county = app_county() AND f.sha = of_sha)
		ELSE EXISTS (SELECT FROM evidence e WHERE e.county = app_county() AND e.owner_school = of_school AND e.sha = of_sha AND NOT e.deleted)
			OR EXISTS (SELECT FROM document_delivery d WHERE d.county = app_county() AND d.owner_school = of_school AND strpos(d.answer, encode(of_sha, 'hex')) > 0 AND NOT d.deleted)
		END
$$;
