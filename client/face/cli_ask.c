/* Asking the person at the terminal: passwords, what is missing, a word that confirms; and Ctrl-C. */
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <termios.h>
#include <unistd.h>

#include <sodium.h>

#include "cli.h"
#include "file_name.h"
#include "lang.h"

static volatile sig_atomic_t quiet_tty = -1; /* where echo is off; `before` is how it was */
static struct termios before;

static enum err read_line_of(struct cli *c, const char *path, char *out, size_t size)
{
	FILE *in = fopen(path, "re");

	if (!in || !fgets(out, (int)size, in)) {
		if (in)
			fclose(in);
		return problem_set(&c->problem, ERR_FILE_IO, NULL, NULL, _("读不到 %s"), path);
	}
	fclose(in);
	out[strcspn(out, "\r\n")] = 0;
	return ERR_OK;
}

/* At the terminal itself, also when standard input is a pipe. */
static enum err ask_terminal(struct cli *c, const char *prompt, char *out, size_t size)
{
	struct termios quiet;
	int fd = open("/dev/tty", O_RDWR | O_CLOEXEC | O_NOCTTY);
	ssize_t n = -1;

	if (fd < 0 || tcgetattr(fd, &before)) {
		if (fd >= 0)
			close(fd);
		return problem_set(&c->problem, ERR_USAGE, NULL, _("用 --password-file 或 JG_PASSWORD"),
			_("没有终端可以输入密码"));
	}
	quiet = before;
	quiet.c_lflag &= ~(tcflag_t)ECHO;
	quiet_tty = fd; /* Ctrl-C in between leaves a terminal that shows what is typed */
	tcsetattr(fd, TCSAFLUSH, &quiet);
	dprintf(fd, "%s", prompt);
	n = read(fd, out, size - 1);
	dprintf(fd, "\n");
	tcsetattr(fd, TCSAFLUSH, &before);
	quiet_tty = -1;
	close(fd);
	out[n > 0 ? n : 0] = 0;
	out[strcspn(out, "\r\n")] = 0;
	if (n <= 0) /* Ctrl-D: he has thought better of it */
		return problem_set(&c->problem, ERR_USAGE, NULL, NULL, _("没有输入密码"));
	return ERR_OK;
}

enum err cli_password(struct cli *c, const char *option, bool env, const char *prompt, char *out, size_t size)
{
	const char *file = cli_option(c, option), *given = env ? getenv("JG_PASSWORD") : NULL;

	if (file)
		return read_line_of(c, file, out, size);
	if (given) {
		snprintf(out, size, "%s", given);
		return ERR_OK;
	}
	return ask_terminal(c, prompt, out, size);
}

enum err cli_new_password(struct cli *c, const char *option, char *out, size_t size)
{
	char again[512];
	enum err e = cli_password(c, option, false, _("新密码："), out, size);

	if (e || cli_option(c, option))
		return e;
	e = ask_terminal(c, _("再输一遍新密码："), again, sizeof again);
	if (!e && strcmp(out, again) != 0)
		e = problem_set(&c->problem, ERR_INVALID, NULL, _("再运行一次 passwd，两次输入同一个密码"),
			_("两次输入的新密码不一样，密码没有改动"));
	sodium_memzero(again, sizeof again);
	return e;
}

bool cli_is_asked(const struct cli *c)
{
	return !c->json && isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

bool cli_confirm(const char *word, const char *prompt)
{
	char line[64];

	fputs(prompt, stdout);
	fflush(stdout);
	if (!fgets(line, sizeof line, stdin))
		return false;
	line[strcspn(line, "\r\n")] = 0;
	for (size_t n; *word; word += n + (word[n] == '|')) {
		n = strcspn(word, "|");
		if (strlen(line) == n && memcmp(line, word, n) == 0)
			return true;
	}
	return false;
}

/* A form that was filled and not imported yet is somebody's evening. */
bool cli_may_replace(struct cli *c, const char *path, const char *hint)
{
	char shown[FILE_PATH_TEXT_MAX], prompt[FILE_PATH_TEXT_MAX + 200];

	if (access(path, F_OK) || cli_flag(c, "force"))
		return true;
	file_path_text(shown, sizeof shown, path);
	snprintf(prompt, sizeof prompt,
		_("%s 已经有了，换掉后里面的内容（包括填过、还没有导入的）就没有了。确认请输入“是”："),
		shown);
	if (cli_is_asked(c) && cli_confirm("是|yes", prompt))
		return true;
	cli_fail_with(c, ERR_EXISTS, hint, _("%s 已经有了，没有写"), shown);
	return false;
}

bool cli_ask(const char *prompt, char *out, size_t size)
{
	fputs(prompt, stdout);
	fflush(stdout);
	if (!fgets(out, (int)size, stdin))
		return false;
	out[strcspn(out, "\r\n")] = 0;
	return *out;
}

static struct cli *interrupted;

/* Ctrl-C and a closed terminal: what stands is said, then the signal does what it does. Only calls that a
 * handler may make. */
static void on_signal(int number)
{
	const char *const parts[] = {_("\n已中断。"), cli_what_is_safe(interrupted), "\n"};

	if (quiet_tty >= 0)
		tcsetattr(quiet_tty, TCSAFLUSH, &before);
	for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
		if (write(STDERR_FILENO, parts[i], strlen(parts[i])) < 0)
			break;
	raise(number); /* SA_RESETHAND: the default now */
}

void cli_catch_interrupt(struct cli *c)
{
	struct sigaction action = {.sa_handler = on_signal, .sa_flags = (int)SA_RESETHAND | SA_NODEFER};

	interrupted = c;
	sigaction(SIGINT, &action, NULL);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
}
