-- A file whose bytes do not have their hash, or whose size was said otherwise, is worth nothing and stands in the way of the right one:
-- it goes, and the sender begins anew. One that is complete stays for good, whoever asks.
GRANT DELETE ON blob, blob_chunk TO jingguan_app;
CREATE POLICY unfinished ON blob AS RESTRICTIVE FOR DELETE USING (county = (SELECT app_county()) AND NOT complete);
CREATE POLICY unfinished ON blob_chunk AS RESTRICTIVE FOR DELETE USING (county = (SELECT app_county()) AND NOT EXISTS (
	SELECT FROM blob b WHERE b.county = blob_chunk.county AND b.school = blob_chunk.school AND b.sha = blob_chunk.sha AND b.complete));

CREATE FUNCTION blob_drop_worthless(of_school text, of_sha bytea, of_size bigint) RETURNS boolean LANGUAGE plpgsql AS $$
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
