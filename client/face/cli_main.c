/* Parsing, help and the common frame of a command. */
#include <limits.h>
#include <locale.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cli.h"
#include "cli_help.h"
#include "clock.h"
#include "codes.h"
#include "lang.h"
#include "log.h"
#include "revoked.h"
#include "tables.h"
#include "text.h"

static const struct cli_option *find_option(const struct cli_option *list, const char *name, size_t n)
{
	for (; list && list->name; list++)
		if (strlen(list->name) == n && memcmp(list->name, name, n) == 0)
			return list;
	return NULL;
}

/* Value of an option before the command is known: some say where the command's words are. */
static bool word_takes_value(const struct cli *c, const char *word)
{
	const char *name = word + (word[1] == '-' ? 2 : 1);
	const struct cli_option *o = find_option(cli_common_options, name, strlen(name));

	for (size_t i = 0; !o && i < c->command_count; i++)
		o = find_option(c->commands[i]->options, name, strlen(name));
	return o && o->value;
}

/* How many of the words begin the command line; 0 when it is another command. */
static int words_match(const char *words, const char *const *given, int n)
{
	int matched = 0;

	while (*words) {
		size_t len = strcspn(words, " ");
		if (matched == n || strlen(given[matched]) != len || memcmp(given[matched], words, len) != 0)
			return 0;
		matched++;
		words += len + (words[len] == ' ');
	}
	return matched;
}

static const struct cli_command *find_command(const struct cli *c, const char *const *words, int n, int *used)
{
	const struct cli_command *best = NULL;

	*used = 0;
	for (size_t i = 0; i < c->command_count; i++) {
		int matched = words_match(c->commands[i]->words, words, n);
		if (matched > *used) {
			*used = matched;
			best = c->commands[i];
		}
	}
	return best;
}

const char *cli_option_at(const struct cli *c, const char *name, int i)
{
	for (int k = 0; k < c->options; k++)
		if (strcmp(c->option[k].name, name) == 0 && i-- == 0)
			return c->option[k].value;
	return NULL;
}

const char *cli_option(const struct cli *c, const char *name)
{
	const char *value = NULL;

	for (int k = 0; k < c->options; k++)
		if (strcmp(c->option[k].name, name) == 0)
			value = c->option[k].value;
	return value;
}

bool cli_flag(const struct cli *c, const char *name)
{
	return cli_option(c, name) != NULL;
}

static int usage(struct cli *c, const char *format, const char *word)
{
	char hint[200];

	snprintf(hint, sizeof hint, _("%s %s%s--help 有说明和例子"), c->program->name,
		c->command ? c->command->words : "", c->command ? " " : "");
	problem_set(&c->problem, ERR_USAGE, NULL, hint, format, word);
	return cli_fail(c);
}

/* ---- 是不是 … ---- */

#define TYPO_WORDS_MAX 48 /* bytes: longer than the words of any command */

/* One letter of four may be wrong: more, and it is another word. */
static void nearer(const char *typed, const char *candidate, const char **best, size_t *apart)
{
	size_t n = text_distance(typed, candidate);

	if (n <= (strlen(candidate) + 3) / 4 && n < *apart) {
		*apart = n;
		*best = candidate;
	}
}

/* The first n words of a line, joined. */
static void join_words(char *out, size_t size, const char *const *words, int n)
{
	*out = 0;
	for (int i = 0; i < n; i++)
		snprintf(out + strlen(out), size - strlen(out), "%s%s", i ? " " : "", words[i]);
}

/* Where the words of a command end that stand before word i; its length when it has no more. */
static size_t words_end(const char *words, int i)
{
	const char *p = words;

	for (; i > 0 && *p; i--) {
		p += *p == ' ';
		p += strcspn(p, " ");
	}
	return (size_t)(p - words);
}

/* A command, or the group of some (`slips`), whose first words the line was meant to have. */
static void meant_from_start(
	const char *command, const char *const *words, int n, char meant[TYPO_WORDS_MAX], size_t *apart)
{
	char typed[TYPO_WORDS_MAX * 2], candidate[TYPO_WORDS_MAX];
	const char *best = NULL;

	for (int count = 1; count <= n; count++) {
		size_t end = words_end(command, count);
		if (count < n && command[end])
			continue; /* a group stands alone: more words behind it are a command of it */
		snprintf(candidate, sizeof candidate, "%.*s", (int)end, command);
		join_words(typed, sizeof typed, words, count);
		nearer(typed, candidate, &best, apart);
		if (best)
			snprintf(meant, TYPO_WORDS_MAX, "%s", candidate);
		best = NULL;
		if (!command[end])
			return;
	}
}

static const char *last_word(const char *words)
{
	const char *space = strrchr(words, ' ');

	return space ? space + 1 : words;
}

/* A command of a group whose name was left out: `mismatches` is `transition mismatches`, when no other one
 * ends so. */
static void meant_at_end(const struct cli *c, const char *word, char meant[TYPO_WORDS_MAX])
{
	const char *best = NULL;
	size_t apart = TYPO_WORDS_MAX, several = 0;

	for (size_t i = 0; i < c->command_count; i++)
		nearer(word, last_word(c->commands[i]->words), &best, &apart);
	for (size_t i = 0; best && i < c->command_count; i++)
		if (strcmp(last_word(c->commands[i]->words), best) == 0 && several++ == 0)
			snprintf(meant, TYPO_WORDS_MAX, "%s", c->commands[i]->words);
	if (several > 1)
		*meant = 0;
}

/* What the words were meant to be, "" when nothing is near. */
static const char *command_meant(
	const struct cli *c, const char *const *words, int n, char meant[TYPO_WORDS_MAX])
{
	size_t apart = TYPO_WORDS_MAX;

	*meant = 0;
	for (size_t i = 0; n && i < c->command_count; i++)
		meant_from_start(c->commands[i]->words, words, n, meant, &apart);
	if (n && !*meant)
		meant_at_end(c, words[0], meant);
	return meant;
}

static const char *option_meant(const struct cli_command *command, const char *typed)
{
	const struct cli_option *const lists[] = {command->options, cli_common_options};
	const char *best = NULL;
	size_t apart = TYPO_WORDS_MAX;

	for (size_t i = 0; i < 2; i++)
		for (const struct cli_option *o = lists[i]; o && o->name; o++)
			if (o->name[1])
				nearer(typed, o->name, &best, &apart);
	return best;
}

static int no_option(struct cli *c, const char *word, const char *name)
{
	char typed[TYPO_WORDS_MAX];
	const char *meant;

	snprintf(typed, sizeof typed, "%.*s", (int)strcspn(name, "="), name);
	meant = option_meant(c->command, typed);
	if (!meant)
		return usage(c, _("没有选项 %s"), word);
	char hint[200];
	snprintf(hint, sizeof hint, _("是不是 --%s？%s %s --help 列出选项"), meant, c->program->name,
		c->command->words);
	return cli_fail_with(c, ERR_USAGE, hint, _("没有选项 %s"), word);
}

/* One word that begins with a dash; *i moves on when it takes the next one. */
static int take_option(struct cli *c, int argc, char **argv, int *i)
{
	const char *word = argv[*i], *name = word + (word[1] == '-' ? 2 : 1), *equals = strchr(name, '=');
	size_t n = equals ? (size_t)(equals - name) : strlen(name);
	const struct cli_option *o = find_option(c->command->options, name, n);

	if (!o)
		o = find_option(cli_common_options, name, n);
	if (!o)
		return no_option(c, word, name);
	if (!o->value && equals)
		return usage(c, _("选项 %s 不带值"), word);
	if (o->value && !equals && *i + 1 == argc)
		return usage(c, _("选项 %s 后面缺少值"), word);
	const char *value;
	if (!o->value)
		value = "";
	else if (equals)
		value = equals + 1;
	else
		value = argv[++*i];
	for (;;) {
		if (c->options == CLI_OPTIONS_MAX)
			return usage(c, _("选项太多：%s"), word);
		c->option[c->options].name = o->name;
		c->option[c->options++].value = value;
		/* "FILE…" takes all the words up to the next option. */
		if (!o->value || !strstr(o->value, "…") || *i + 1 == argc || argv[*i + 1][0] == '-')
			break;
		value = argv[++*i];
	}
	return 0;
}

/* The one operand of a command is asked for at a terminal. */
static bool ask_operand(struct cli *c)
{
	static char line[PATH_MAX];
	char what[256], prompt[280];

	if (c->command->min != 1 || c->operands || strchr(c->command->operands, ' ') || !cli_is_asked(c))
		return false;
	snprintf(prompt, sizeof prompt, "%s%s", cli_operand_words(c->command->operands, what, sizeof what),
		_("："));
	if (!cli_ask(prompt, line, sizeof line))
		return false;
	c->operand[c->operands++] = line;
	return true;
}

/* Everything behind the command's words: options and operands in any order; behind -- only operands. */
static int take_words(struct cli *c, int argc, char **argv, int skip)
{
	bool only_operands = false;
	char all[256];

	for (int i = 1; i < argc; i++) {
		bool dashed = argv[i][0] == '-' && argv[i][1] && !only_operands;
		if (dashed && strcmp(argv[i], "--") == 0) {
			only_operands = true;
		} else if (dashed) {
			int code = take_option(c, argc, argv, &i);
			if (code)
				return code;
		} else if (skip > 0) {
			skip--;
		} else if (c->operands == CLI_OPERANDS_MAX) {
			return usage(c, _("参数太多：%s"), argv[i]);
		} else {
			c->operand[c->operands++] = argv[i];
		}
	}
	if (c->operands < c->command->min && !ask_operand(c))
		return usage(c, _("缺少参数：%s"), cli_operand_words(c->command->operands, all, sizeof all));
	if (c->operands > c->command->max)
		return usage(c, _("多余的参数：%s"), c->operand[c->command->max]);
	return 0;
}

const char *cli_operand(struct cli *c, int i)
{
	static char line[256];

	if (i >= c->operands || strcmp(c->operand[i], "-") != 0)
		return i < c->operands ? c->operand[i] : "";
	if (!fgets(line, sizeof line, stdin))
		line[0] = 0;
	line[strcspn(line, "\r\n")] = 0;
	c->operand[i] = line;
	return line;
}

/* The server has said that this computer is none of the county's any more, now or to an earlier command: what
 * is left to do is done. */
static enum err seal_revoked(struct cli *c, struct revoked_kept *kept, struct problem *p)
{
	enum err e = revoked_seal(&c->profile, kept, p);

	if (kept->left_out[0])
		cli_warn(c, _("这些没有发送的内容已经损坏，封存不了，请重新录入：%s"), kept->left_out);
	if (!e && kept->file[0] && kept->parts > 1)
		cli_warn(c,
			_("这台电脑已被县局停用：学生信息已不可读，"
			  "没有发送的 %zu 项封存在 %s/%s 等 %zu 个文件，用县局新发的连接码注册后可以打开"),
			kept->unsent, c->profile.dir, kept->file, kept->parts);
	else if (!e && kept->file[0])
		cli_warn(c,
			_("这台电脑已被县局停用：学生信息已不可读，没有发送的 %zu 项封存在 %s/%s，"
			  "用县局新发的连接码注册后可以打开"),
			kept->unsent, c->profile.dir, kept->file);
	return e;
}

static void seal_now(struct cli *c)
{
	struct revoked_kept kept;
	struct problem why = {0};
	enum err e = seal_revoked(c, &kept, &why);

	if (e)
		cli_warn(c, _("学生信息不再显示；没有发送的内容还没有封存，下次运行时接着做：%s"),
			why.message[0] ? why.message : _(err_info(e)->sentence));
	else if (!kept.file[0])
		cli_warn(c, "%s", _("这台电脑已被县局停用：学生信息已不可读；没有未发送的内容"));
}

/* Shows nothing of a profile that was revoked; `enrolling` may go on once all is sealed. */
static int pass_revoked(struct cli *c, bool enrolling)
{
	struct revoked_kept kept;
	struct problem why = {0};
	enum err e = seal_revoked(c, &kept, &why);

	if (!e && enrolling)
		return 0;
	problem_set(&c->problem, ERR_REVOKED, NULL, NULL, "%s",
		_("这台电脑已被县局停用，本机的学生信息不再显示"));
	if (e)
		problem_set(&c->problem, ERR_REVOKED, NULL, NULL,
			_("这台电脑已被县局停用，没有发送的内容还没有封存：%s"),
			why.message[0] ? why.message : _(err_info(e)->sentence));
	if (e) /* doctor, which a failed store asks for, is not to be had any more */
		snprintf(c->problem.hint, sizeof c->problem.hint,
			_("%s，再运行一次 %s，会接着封存；仍不行，就换用 --profile 另一个目录注册"),
			why.hint[0] && e != ERR_STORE ? why.hint : _("腾出磁盘空间"), c->program->name);
	else
		snprintf(c->problem.hint, sizeof c->problem.hint,
			_("请县局系统管理员发新的连接码，再运行 %s connect --code 连接码"), c->program->name);
	const char *safe = _("本机没有留下未发送的内容");
	if (e)
		safe = _("没有发送的内容还在本机");
	else if (kept.files)
		safe = _("没有发送的内容封存在本机，重新注册后可以打开");
	snprintf(c->problem.safe, sizeof c->problem.safe, "%s", safe);
	return cli_fail(c);
}

#define LOCK_WAIT_S 10 /* how long a command waits for another one on the same profile */
#define LOCK_STEP_US 100000

enum err cli_lock(struct cli *c)
{
	uint64_t end = clock_monotonic_us() + LOCK_WAIT_S * 1000000u;
	bool told = false;

	for (;;) {
		enum err e = c->profile_is_open ? profile_lock(&c->profile, &c->problem)
						: profile_open(&c->profile, c->profile_dir, &c->problem);
		if (e != ERR_BUSY || clock_monotonic_us() > end)
			return e;
		c->problem = (struct problem){0};
		if (!told)
			cli_warn(c, "%s", _("另一个精管程序正在使用本机数据，等待中……"));
		told = true;
		usleep(LOCK_STEP_US);
	}
}

/* Whose it is to do. */
static int tell_roles(struct cli *c)
{
	char names[200] = "", hint[256];
	size_t used = 0;

	for (size_t i = 0; i < codes_role.n; i++)
		if (c->command->roles & 1u << atoi(codes_role.items[i].code))
			used += (size_t)snprintf(names + used, used < sizeof names ? sizeof names - used : 0,
				"%s%s", used ? _("、") : "",
				code_name(&codes_role, codes_role.items[i].code));
	snprintf(hint, sizeof hint, _("由 %s 办理：%s login 用户名"), names, c->program->name);
	return cli_fail_with(c, ERR_PERMISSION, hint, _("%s 没有办理这件事的职责"), c->profile.session.user);
}

static int open_profile(struct cli *c)
{
	unsigned needs = c->command->needs;

	if (!needs)
		return 0;
	if (cli_lock(c))
		return cli_fail(c);
	c->profile_is_open = true;
	if (revoked_is(&c->profile)) {
		int code = pass_revoked(c, !(needs & (CLI_ENROLLED | CLI_LOGGED_IN)));
		if (code)
			return code;
	}
	if (needs & (CLI_ENROLLED | CLI_LOGGED_IN) && !profile_is_enrolled(&c->profile)) {
		char hint[200];
		snprintf(hint, sizeof hint,
			_("运行 %s connect，连接码在县局发的接入单上；目录不对就加 --profile 目录"),
			c->program->name);
		return cli_fail_with(c, ERR_NOT_NOW, hint, _("这台电脑还没有注册（%s）"), c->profile.dir);
	}
	if (!(needs & CLI_LOGGED_IN))
		return 0;
	if (!c->profile.session.user[0])
		return cli_fail_with(c, ERR_UNAUTHENTICATED, NULL, NULL);
	if (c->command->roles && !profile_has_role(&c->profile, c->command->roles))
		return tell_roles(c);
	return 0;
}

/* 0, or the exit code after telling which value is none. */
static int set_common(struct cli *c)
{
	const char *progress = cli_option(c, "progress"), *lang = cli_option(c, "lang");

	c->json = cli_flag(c, "json");
	c->reveal = cli_flag(c, "reveal");
	c->verbose = cli_flag(c, "verbose");
	c->progress_json = progress != NULL;
	c->profile_dir = cli_option(c, "profile");
	log_set_level(c->verbose ? LOG_LEVEL_DEBUG : LOG_LEVEL_WARN);
	if (lang && !lang_is_known(lang))
		return usage(c, _("没有语言 %s，可写 zh 或 en"), lang);
	if (progress && strcmp(progress, "json") != 0)
		return usage(c, _("进度没有格式 %s，可写 json"), progress);
	return 0;
}

static bool has_word(int argc, char **argv, const char *word)
{
	for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
		if (strcmp(argv[i], word) == 0)
			return true;
	return false;
}

static bool in_group(const char *words, const char *group)
{
	size_t n = strlen(group);

	return strncmp(words, group, n) == 0 && words[n] == ' ';
}

static bool is_group(const struct cli *c, const char *word)
{
	for (size_t i = 0; i < c->command_count; i++)
		if (in_group(c->commands[i]->words, word))
			return true;
	return false;
}

static int unknown_command(struct cli *c, const char *const *words, int n)
{
	char meant[TYPO_WORDS_MAX], hint[200], typed[200];

	if (!n)
		return usage(c, _("缺少命令%s"), "");
	join_words(typed, sizeof typed, words, n < 3 ? n : 3);
	/* Of a group it may be one that the group has; else the group is shown. */
	if (*command_meant(c, words, n, meant) && (in_group(meant, words[0]) || !is_group(c, words[0]))) {
		snprintf(hint, sizeof hint, _("是不是 %s %s？%s --help 列出命令"), c->program->name, meant,
			c->program->name);
		return cli_fail_with(c, ERR_USAGE, hint, _("没有命令 %s"), typed);
	}
	if (!c->json && cli_help_group(c, words[0]))
		return err_info(ERR_USAGE)->exit_code;
	return usage(c, _("没有命令 %s"), typed);
}

/* `--help` anywhere, or `help` before the words. */
static int help(struct cli *c, const char *const *words, int n)
{
	int used;

	if (!c->command && n && strcmp(words[0], "help") == 0) {
		words++;
		n--;
		c->command = find_command(c, words, n, &used);
	}
	if (!c->command && n == 1 && strcmp(words[0], "man") == 0)
		cli_help_man(c); /* for the build, which makes the page */
	else if (c->command)
		cli_help_command(c->program, c->command);
	else if (n == 0 || !cli_help_group(c, words[0]))
		cli_help_program(c);
	return 0;
}

static int run_words(struct cli *c, int argc, char **argv)
{
	const char *words[CLI_OPERANDS_MAX] = {NULL};
	int n = 0, used;

	for (int i = 1; i < argc && n < CLI_OPERANDS_MAX; i++) {
		if (argv[i][0] != '-' || !argv[i][1])
			words[n++] = argv[i];
		else if (!strchr(argv[i], '=') && word_takes_value(c, argv[i]))
			i++;
	}
	c->command = find_command(c, words, n, &used);
	if (has_word(argc, argv, "--help") || has_word(argc, argv, "-h") ||
		(n && !c->command && strcmp(words[0], "help") == 0))
		return help(c, words, n);
	c->json = has_word(argc, argv, "--json");
	if (!c->command)
		return unknown_command(c, words, n);
	int code = take_words(c, argc, argv, used);
	if (code)
		return code;
	if ((code = set_common(c)))
		return code;
	code = open_profile(c);
	if (!code && c->program->prepare)
		code = c->program->prepare(c);
	return code ? code : c->command->run(c);
}

static void add_commands(struct cli *c, const struct cli_part *part, enum cli_section section)
{
	for (const struct cli_command *command = part->commands; command->words; command++) {
		if (command->section != section)
			continue;
		if (c->command_count == CLI_COMMANDS_MAX)
			abort(); /* our bug: make the table larger */
		c->commands[c->command_count++] = command;
	}
}

/* The commands of all parts, by sections, and their ways. */
static void join_parts(struct cli *c)
{
	static const struct way *ways[CLI_PARTS_MAX + 1];
	size_t n = 0;

	for (enum cli_section section = CLI_START; section <= CLI_REST; section++)
		for (const struct cli_part *const *of = c->program->parts; *of; of++)
			for (const struct cli_part *part = *of; part; part = part->more)
				add_commands(c, part, section);
	for (const struct cli_part *const *of = c->program->parts; *of; of++)
		for (const struct cli_part *part = *of; part; part = part->more)
			if (part->ways) {
				if (n == CLI_PARTS_MAX)
					abort(); /* our bug: make the table larger */
				ways[n++] = part->ways;
			}
	way_set(ways);
}

int cli_main(const struct cli_program *program, int argc, char **argv)
{
	static struct cli cli; /* too large for a small stack */

	setlocale(LC_CTYPE, "");
	umask(077); /* what is written holds connect codes, children's data, or keys */
	signal(SIGPIPE, SIG_IGN);
	lang_choose(argc, argv);
	cli.program = program;
	join_parts(&cli);
	cli_catch_interrupt(&cli);
	if (has_word(argc, argv, "--version") || has_word(argc, argv, "-V")) {
		printf("%s %s\n", program->name, JG_VERSION);
		return 0;
	}
	int code = run_words(&cli, argc, argv);
	cli_progress_end(&cli);
	if (program->finish)
		program->finish(&cli);
	if (cli.profile_is_open && cli.problem.code == ERR_REVOKED && profile_is_enrolled(&cli.profile) &&
		!revoked_is(&cli.profile))
		seal_now(&cli);
	if (cli.profile_is_open)
		profile_close(&cli.profile);
	if (fflush(stdout) || ferror(stdout)) {
		cli_warn(&cli, "%s", _("结果没有写完：磁盘已满，或读它的程序先结束了"));
		code = code ? code : err_info(ERR_FILE_IO)->exit_code;
	}
	return code;
}
