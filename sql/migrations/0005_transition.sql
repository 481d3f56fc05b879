-- 小升初 (domain.md §2): what the bureau freezes and says, and what reconciliation found. The functions that read and
-- write these tables follow in 0006 and 0007.

-- P. Membership and source never change; the fields of a pupil are read from his student row, live.
CREATE TABLE baseline (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,                    -- the student row of the freeze; slips and words hang on it
	source_school text NOT NULL,
	student uuid NOT NULL,                  -- the row that is read: follows a row deleted and made again (an import undone)
	student_no text,                        -- at the freeze: a J or L number that is replaced later stays an alias (§1.3)
	added_at timestamptz NOT NULL,
	removed_at timestamptz,
	PRIMARY KEY (county, year, pupil)
);
CREATE INDEX baseline_source ON baseline (county, year, source_school);

-- P amended, never edited: who added or removed whom, and why.
CREATE TABLE baseline_change (
	county int NOT NULL,
	year int NOT NULL,
	n bigint GENERATED ALWAYS AS IDENTITY,
	pupil uuid NOT NULL,
	added boolean NOT NULL,
	reason text NOT NULL CHECK (reason <> ''),
	by_user text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, year, n)
);

-- The bureau's word on the proof of what a pupil declares (§2.4 E); the latest counts, while the category is the one
-- it was given on: accepting a move to another county must not accept a death declared a week later.
CREATE TABLE proof_word (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,
	n bigint GENERATED ALWAYS AS IDENTITY,
	word text NOT NULL CHECK (word IN ('accepted', 'refuted')),
	category text NOT NULL,
	reason text NOT NULL,
	by_user text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, year, pupil, n)
);

-- A person's decision that a pupil and a row (of a roster, or of a destination table) are the same or not (§2.4 D);
-- the latest on a pair counts.
CREATE TABLE pair_word (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,
	n bigint GENERATED ALWAYS AS IDENTITY,
	row_id uuid NOT NULL,
	same boolean NOT NULL,
	reason text NOT NULL,
	by_user text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, year, pupil, n)
);

-- Leads of the enrolment rules (§3.6) that touch a pupil of P, written by whoever checks those rules; while one is
-- open, reconciliation shows M60.
CREATE TABLE rule_lead (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,
	rule text NOT NULL,                     -- V1…, §3.6
	at timestamptz NOT NULL,
	closed_at timestamptz,
	PRIMARY KEY (county, year, pupil, rule)
);

CREATE TABLE reconcile_run (
	county int NOT NULL,
	year int NOT NULL,
	run_no int NOT NULL,
	as_of date NOT NULL,
	at timestamptz NOT NULL,
	baseline int NOT NULL,
	confirmed int NOT NULL,
	provisional int NOT NULL,
	exempt int NOT NULL,
	mismatched int NOT NULL,
	outside int NOT NULL,
	changed int NOT NULL,
	elapsed_ms int NOT NULL,
	PRIMARY KEY (county, year, run_no),
	CHECK (baseline = confirmed + provisional + exempt + mismatched) -- §2.6: the law
);

-- The result of the last run, one row per pupil ever in P. A run writes only the rows that changed.
CREATE TABLE pupil_state (
	county int NOT NULL,
	year int NOT NULL,
	pupil uuid NOT NULL,
	source text NOT NULL,
	home text NOT NULL,                     -- junior school of the catchment, or 'bureau'
	state text NOT NULL CHECK (state IN ('CONFIRMED', 'PROVISIONAL', 'EXEMPT', 'OPEN', 'REMOVED')),
	codes text[] NOT NULL,                  -- most severe first, then by number: the first is the primary one
	primary_code text,
	severity text,
	destination uuid,                       -- t(p)
	category text,
	dest_school text,                       -- S(t)
	found text[] NOT NULL,                  -- schools whose roster or answer has him, or his candidates when tied
	owners text[] NOT NULL,
	row_ids uuid[] NOT NULL,                -- of a pupil with a code: rows attached to him or held by his tie, for `same` and `different`
	flags text[] NOT NULL,                  -- soft: M14 by variant glyphs only; pending: S has time left to verify
	slip_since timestamptz,                 -- the run that first showed the slip-making codes that stand now
	confirmed_school text,                  -- where he last was confirmed in the county (M61) …
	confirmed_until date,                   -- … and the last run's date that said so; null while it is so
	run_no int NOT NULL,                    -- the run that wrote this row
	PRIMARY KEY (county, year, pupil)
);

-- Persons on rosters or in destination tables that are not of P (§2.6): listed, never counted.
CREATE TABLE outside_entry (
	county int NOT NULL,
	year int NOT NULL,
	id uuid NOT NULL,                       -- the lowest rec_id of its rows
	roster uuid[] NOT NULL,
	destinations uuid[] NOT NULL,
	codes text[] NOT NULL,                  -- none for a row held by a tie (M17) or told by another entry's M02
	primary_code text,
	severity text,
	source text,                            -- the school that filed it, if any
	dest_school text,
	found text[] NOT NULL,
	owners text[] NOT NULL,
	gone boolean NOT NULL DEFAULT false,
	run_no int NOT NULL,
	PRIMARY KEY (county, year, id)
);

-- T1, T2 and V as they were filed, with the server's time; snapshots serve the diff only (§2.4).
CREATE TABLE filing_receipt (
	county int NOT NULL,
	filing uuid NOT NULL,
	year int NOT NULL,
	school text NOT NULL,
	stage text NOT NULL,
	at timestamptz NOT NULL,
	PRIMARY KEY (county, filing)
);
CREATE INDEX filing_receipt_school ON filing_receipt (county, year, school, stage);
CREATE TABLE filing_snapshot (
	county int NOT NULL,
	filing uuid NOT NULL,
	n int NOT NULL,
	school text NOT NULL,
	destination uuid,                       -- null: a pupil of P without a row, filed as a gap
	pupil uuid,
	gaps text[] NOT NULL,                   -- see filing_gaps
	name text,
	cert_type text,
	cert_no text,
	student_no text,
	class_no text,
	gender text,
	hukou_address text,
	live_address text,
	guardian_name text,
	guardian_phone text,
	guardian_confirmed boolean,
	category text,
	dest_school text,
	dest_school_name text,
	place text,
	registration_no text,
	evidence_note text,
	note text,
	PRIMARY KEY (county, filing, n)
);

-- Numbers of §2.6 that are our design and not anybody's rule: the last row that is in force on 31 August counts;
-- without one transition_settings gives the defaults.
CREATE TABLE transition_rule (
	county int NOT NULL,
	valid_from date NOT NULL,
	age_min int NOT NULL,
	age_max int NOT NULL,
	left_days int NOT NULL,
	PRIMARY KEY (county, valid_from)
);

-- Glyphs of one character that differ between a certificate and a keyboard (§1.7): they make M14 soft, nothing more.
-- County 0 holds what is true everywhere; the bureau adds its own rows.
CREATE TABLE glyph_variant (
	county int NOT NULL,
	glyph text NOT NULL CHECK (char_length(glyph) = 1),
	base text NOT NULL CHECK (char_length(base) = 1),
	valid_from date NOT NULL,
	valid_to date,
	PRIMARY KEY (county, glyph)
);
INSERT INTO glyph_variant (county, glyph, base, valid_from)
SELECT 0, substr(pair, 1, 1), substr(pair, 2, 1), '2000-01-01'
FROM string_to_table('呂吕 黃黄 吳吴 呉吴 陳陈 張张 劉刘 楊杨 趙赵 孫孙 馬马 鄭郑 謝谢 韓韩 許许 鄧邓 馮冯 蔣蒋 葉叶 閻阎 '
	'盧卢 蘇苏 賈贾 鍾钟 鐘钟 龍龙 萬万 錢钱 湯汤 賴赖 龔龚 顧顾 華华 國国 囯国 麗丽 偉伟 濤涛 傑杰 強强 鋒锋 靜静 靑青 淸清 '
	'穎颖 頴颖 潔洁 雲云 飛飞 寶宝 寳宝 亞亚 曉晓 瑤瑶 瑋玮 峯峰 髙高 溫温 產产 衛卫 為为 爲为 眞真 黒黑 戶户 戸户 兪俞 徳德 '
	'齊齐 夢梦 慶庆 興兴 榮荣 學学 軍军 陽阳 鳳凤 蘭兰 蓮莲 瓊琼 歡欢 嬌娇 嫻娴 軒轩 澤泽 鵬鹏 貝贝 銘铭 錦锦 瀟潇', ' ') AS pair;

-- Read and written by the bureau and the jobs. A school reads its own part of P, because `file` names the pupils in
-- the way, and its push files what it reports; the settings are open to the county.
DO $$
DECLARE
	t text;
	reads text;
	writes text;
BEGIN
	FOREACH t IN ARRAY '{baseline,baseline_change,proof_word,pair_word,rule_lead,reconcile_run,pupil_state,outside_entry,filing_receipt,filing_snapshot,transition_rule,glyph_variant}'::text[] LOOP
		reads := CASE
			WHEN t IN ('transition_rule', 'glyph_variant') THEN 'true'
			WHEN t = 'baseline' THEN 'source_school = ANY ((SELECT app_schools())::text[])'
			ELSE 'false' END;
		writes := CASE
			WHEN t IN ('filing_receipt', 'filing_snapshot') THEN 'school = ANY ((SELECT app_schools())::text[])'
			ELSE 'false' END;
		EXECUTE format('ALTER TABLE %I ENABLE ROW LEVEL SECURITY', t);
		EXECUTE format('ALTER TABLE %I FORCE ROW LEVEL SECURITY', t);
		EXECUTE format('CREATE POLICY reads ON %I FOR SELECT USING (county %s AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR %s))', t,
			CASE t WHEN 'glyph_variant' THEN 'IN (0, (SELECT app_county()))' ELSE '= (SELECT app_county())' END, reads);
		EXECUTE format('CREATE POLICY inserts ON %I FOR INSERT WITH CHECK (county = (SELECT app_county()) AND ((SELECT app_scope()) IN (''bureau'', ''job'') OR %s))', t, writes);
		EXECUTE format('CREATE POLICY updates ON %I FOR UPDATE USING (county = (SELECT app_county()) AND (SELECT app_scope()) IN (''bureau'', ''job''))', t);
	END LOOP;
END $$;

GRANT SELECT, INSERT ON baseline, baseline_change, proof_word, pair_word, reconcile_run, filing_receipt, filing_snapshot TO jingguan_app;
GRANT UPDATE (student, removed_at) ON baseline TO jingguan_app;
GRANT SELECT, INSERT, UPDATE ON rule_lead, pupil_state, outside_entry, transition_rule, glyph_variant TO jingguan_app;

-- A slip has two addressees, but one other_school: both read it by their half.
CREATE POLICY addressed ON slip FOR SELECT USING (county = (SELECT app_county()) AND rec_id IN (
	SELECT a.slip FROM slip_addressee a WHERE a.county = (SELECT app_county()) AND NOT a.deleted
		AND a.other_school = ANY ((SELECT app_schools())::text[])));
