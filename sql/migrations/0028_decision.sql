-- What the bureau decides about a proof, and about a pair of records, is a decision everywhere. Policies and rights go with their table.
ALTER TABLE proof_word RENAME TO proof_decision;
ALTER TABLE proof_decision RENAME COLUMN word TO decision;
ALTER TABLE proof_decision RENAME CONSTRAINT proof_word_pkey TO proof_decision_pkey;
ALTER TABLE proof_decision RENAME CONSTRAINT proof_word_word_check TO proof_decision_decision_check;
ALTER SEQUENCE proof_word_n_seq RENAME TO proof_decision_n_seq;
ALTER TABLE pair_word RENAME TO pair_decision;
ALTER TABLE pair_decision RENAME CONSTRAINT pair_word_pkey TO pair_decision_pkey;
ALTER SEQUENCE pair_word_n_seq RENAME TO pair_decision_n_seq;
DROP FUNCTION IF EXISTS transition_proof_word(int, uuid, boolean, text, text), transition_pair_word(int, uuid, uuid, boolean, text, text), transition_proofs(int, uuid);
