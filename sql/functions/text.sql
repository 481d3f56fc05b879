-- The normal forms (domain.md §1.1, §1.3, §1.7, §2.4). common/text.c and common/validate.c hold the same rules for the clients, character by
-- character (tests/service/test_text.py). Most have a fast path, because nearly every stored value is in normal form already.

CREATE OR REPLACE FUNCTION half_width(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT translate(t, '！＂＃＄％＆＇（）＊＋，－．／０１２３４５６７８９：；＜＝＞？＠ＡＢＣＤＥＦＧＨＩＪＫＬＭＮＯＰＱＲＳＴＵＶＷＸＹＺ［＼］＾＿｀ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ｛｜｝～',
		'!"#$%&''()*+,-./0123456789:;<=>?@ABCDEFGHIJKLMNOPQRSTUVWXYZ[\]^_`abcdefghijklmnopqrstuvwxyz{|}~')
$$;

-- White space of every kind, and what is invisible: zero-width characters, directional marks, soft hyphen, fillers, BOM.
CREATE OR REPLACE FUNCTION strip_space(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT regexp_replace(t, '[\u0009-\u000d\u0020\u0085\u00a0\u00ad\u034f\u061c\u115f\u1160\u1680\u17b4\u17b5\u180b-\u180f\u2000-\u200f\u2028-\u202f\u205f-\u206f\u2800\u3000\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff9-\ufffb\U000e0000-\U000e0fff]', '', 'g')
$$;

-- One dot for all of them. A full stop is a dot only between two characters that are not ASCII, so that J.Smith stays.
CREATE OR REPLACE FUNCTION unify_dots(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT translate(regexp_replace(t, '(?<=[^\u0001-\u007f])[.．](?=[^\u0001-\u007f])', '·', 'g'), U&'\0387\1427\2022\2024\2027\2219\22C5\25CF\2E31\2E33\30FB\A78F\FE52\FF65', '··············')
$$;

-- Radicals (⽂) are the characters that they look like (文).
CREATE OR REPLACE FUNCTION fold_radicals(t text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT translate(t, '⺁⺂⺃⺄⺅⺆⺇⺈⺉⺊⺋⺌⺍⺎⺏⺐⺑⺒⺓⺔⺕⺖⺗⺘⺙⺛⺜⺝⺞⺟⺠⺡⺢⺣⺤⺥⺦⺧⺨⺩⺪⺫⺬⺭⺮⺯⺰⺱⺲⺳⺴⺵⺶⺷⺸⺹⺺⺻⺼⺽⺾⺿⻀⻁⻂⻃⻄⻅⻆⻇⻈⻉⻊⻋⻌⻍⻎⻏⻐⻑⻒⻓⻔⻕⻖⻗⻘⻙⻚⻛⻜⻝⻞⻟⻠⻡⻢⻣⻤⻥⻦⻧⻨⻩⻪⻫⻬⻭⻮⻯⻰⻱⻲⻳⼀⼁⼂⼃⼄⼅⼆⼇⼈⼉⼊⼋⼌⼍⼎⼏⼐⼑⼒⼓⼔⼕⼖⼗⼘⼙⼚⼛⼜⼝⼞⼟⼠⼡⼢⼣⼤⼥⼦⼧⼨⼩⼪⼫⼬⼭⼮⼯⼰⼱⼲⼳⼴⼵⼶⼷⼸⼹⼺⼻⼼⼽⼾⼿⽀⽁⽂⽃⽄⽅⽆⽇⽈⽉⽊⽋⽌⽍⽎⽏⽐⽑⽒⽓⽔⽕⽖⽗⽘⽙⽚⽛⽜⽝⽞⽟⽠⽡⽢⽣⽤⽥⽦⽧⽨⽩⽪⽫⽬⽭⽮⽯⽰⽱⽲⽳⽴⽵⽶⽷⽸⽹⽺⽻⽼⽽⽾⽿⾀⾁⾂⾃⾄⾅⾆⾇⾈⾉⾊⾋⾌⾍⾎⾏⾐⾑⾒⾓⾔⾕⾖⾗⾘⾙⾚⾛⾜⾝⾞⾟⾠⾡⾢⾣⾤⾥⾦⾧⾨⾩⾪⾫⾬⾭⾮⾯⾰⾱⾲⾳⾴⾵⾶⾷⾸⾹⾺⾻⾼⾽⾾⾿⿀⿁⿂⿃⿄⿅⿆⿇⿈⿉⿊⿋⿌⿍⿎⿏⿐⿑⿒⿓⿔⿕',
		'厂乛乚乙亻冂𠘨刀刂卜㔾小小兀尣尢𡯂巳幺彑彐忄心扌攵旡日月歺母民氵氺灬爫爫丬牛犭王𤴔目示礻𥫗糹纟罓罒㓁冗𦉫羊𦍌𦍋耂肀聿肉𦥑艹艹艹虎衤覀西见角𧢲讠贝𧾷车辶辶辶邑钅長镸长门𨸏阝雨青韦页风飞食𩙿飠饣𩠐马骨鬼鱼鸟卤麦黄黾斉齐歯齿竜龙龜亀龟一丨丶丿乙亅二亠人儿入八冂冖冫几凵刀力勹匕匚匸十卜卩厂厶又口囗土士夂夊夕大女子宀寸小尢尸屮山巛工己巾干幺广廴廾弋弓彐彡彳心戈戶手支攴文斗斤方无日曰月木欠止歹殳毋比毛氏气水火爪父爻爿片牙牛犬玄玉瓜瓦甘生用田疋疒癶白皮皿目矛矢石示禸禾穴立竹米糸缶网羊羽老而耒耳聿肉臣自至臼舌舛舟艮色艸虍虫血行衣襾見角言谷豆豕豸貝赤走足身車辛辰辵邑酉釆里金長門阜隶隹雨靑非面革韋韭音頁風飛食首香馬骨高髟鬥鬯鬲鬼魚鳥鹵鹿麥麻黃黍黑黹黽鼎鼓鼠鼻齊齒龍龜龠')
$$;

-- §1.7: by which names are compared. Variant glyphs stay apart (M14 soft). Null when nothing is left.
CREATE OR REPLACE FUNCTION name_key(name text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN name ~ '^[\u4e00-\u9fff]+$' THEN name
		ELSE nullif(upper(fold_radicals(unify_dots(strip_space(half_width(normalize(name, NFC))))) COLLATE "C"), '') END
$$;

-- §2.4: half-width, no white space or apostrophes, one X for what looks like it, upper case.
CREATE OR REPLACE FUNCTION cert_key(no text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN no ~ '^[0-9A-Z]+$' THEN no
		ELSE nullif(upper(translate(strip_space(half_width(no)), U&'\00D7\03A7\03C7\0425\0445\2169\2179\2573\2715\2716\2A09\2A2F''`´‘’ʹ′', 'XXXXXXXXXXXX') COLLATE "C"), '') END
$$;

-- §2.4: digits without 86, at least 7. 86 is the country code only before a full number: 8622xxxx is a local number.
CREATE OR REPLACE FUNCTION phone_key(phone text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN phone ~ '^1[0-9]{10}$' THEN phone
		ELSE substring(regexp_replace(regexp_replace(half_width(phone), '[^0-9]', '', 'g'), '^(00)?86(?=[0-9]{10})', '') FROM '^[0-9]{7,}$') END
$$;

-- The check character of 17 digits, GB 11643-1999 (§1.1): the weights sum to 100, so 48 × 100 takes the ASCII off.
CREATE OR REPLACE FUNCTION id_check_digit(no text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT substr('10X98765432', 1 + (
		ascii(no) * 7 + ascii(substr(no, 2)) * 9 + ascii(substr(no, 3)) * 10 + ascii(substr(no, 4)) * 5 + ascii(substr(no, 5)) * 8 +
		ascii(substr(no, 6)) * 4 + ascii(substr(no, 7)) * 2 + ascii(substr(no, 8)) * 1 + ascii(substr(no, 9)) * 6 + ascii(substr(no, 10)) * 3 +
		ascii(substr(no, 11)) * 7 + ascii(substr(no, 12)) * 9 + ascii(substr(no, 13)) * 10 + ascii(substr(no, 14)) * 5 +
		ascii(substr(no, 15)) * 8 + ascii(substr(no, 16)) * 4 + ascii(substr(no, 17)) * 2 - 48 * 100) % 11, 1)
$$;

-- §1.3: null unless ^[GJL]\d{17}[\dX]$, with the check digit for G and J. plpgsql for its variable: inlined, the key would
-- be worked out again for every digit.
CREATE OR REPLACE FUNCTION student_no_key(no text) RETURNS text LANGUAGE plpgsql IMMUTABLE PARALLEL SAFE AS $$
DECLARE
	k text := cert_key(no);
BEGIN
	RETURN CASE WHEN k ~ '^L[0-9]{17}[0-9X]$' OR k ~ '^[GJ][0-9]{17}[0-9X]$' AND id_check_digit(substr(k, 2)) = substr(k, 19) THEN k END;
END $$;

-- The day in a well-formed number (§1.1), also when its check digit fails: a slip of the pen elsewhere keeps the birth.
CREATE OR REPLACE FUNCTION id_birth(no text) RETURNS date LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE
		WHEN no !~ '^[0-9]{10}((0[13578]|1[02])(0[1-9]|[12][0-9]|3[01])|(0[469]|11)(0[1-9]|[12][0-9]|30)|02(0[1-9]|[12][0-9]))[0-9]{3}[0-9X]$' THEN NULL
		WHEN substr(no, 7, 4) = '0000' THEN NULL
		WHEN substr(no, 11, 4) = '0229' AND (substr(no, 7, 4)::int % 4 > 0 OR substr(no, 7, 4)::int % 100 = 0 AND substr(no, 7, 4)::int % 400 > 0) THEN NULL
		ELSE make_date(substr(no, 7, 4)::int, substr(no, 11, 2)::int, substr(no, 13, 2)::int) END
$$;

CREATE OR REPLACE FUNCTION id_gender(no text) RETURNS text LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN id_birth(no) IS NULL THEN NULL WHEN substr(no, 17, 1) IN ('1', '3', '5', '7', '9') THEN '1' ELSE '2' END
$$;

CREATE OR REPLACE FUNCTION id_check_ok(no text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT CASE WHEN id_birth(no) IS NULL THEN false ELSE id_check_digit(no) = substr(no, 18) END
$$;

-- §2.5 K4: at most one substitution or one swap of neighbours apart. The check digit of 18 is left out: with it no two
-- valid numbers are ever that near.
CREATE OR REPLACE FUNCTION id_near(a text, b text) RETURNS boolean LANGUAGE sql IMMUTABLE PARALLEL SAFE AS $$
	SELECT char_length(a) = char_length(b) AND EXISTS (
		SELECT FROM (SELECT CASE char_length(a) WHEN 18 THEN left(a, 17) ELSE a END AS x, CASE char_length(b) WHEN 18 THEN left(b, 17) ELSE b END AS y) s,
			generate_series(1, char_length(s.x)) AS i
		WHERE overlay(s.x PLACING substr(s.y, i, 1) FROM i FOR 1) = s.y
			OR overlay(s.x PLACING substr(s.x, i + 1, 1) || substr(s.x, i, 1) FROM i FOR 2) = s.y)
$$;
