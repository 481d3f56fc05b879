-- What was declared when the bureau decided on its proof (destination_about); null in decisions of before, which hold for any place.
ALTER TABLE proof_word ADD COLUMN about text;
