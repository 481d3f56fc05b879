#include "err.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "text.h"

static const struct err_info infos[] = {
#define X(name, number, level, exit_code, zh, en, do_zh, do_en)                                              \
	{ERR_##name, #name, ERR_LEVEL_##level, exit_code, zh, en, do_zh, do_en},
#include "err.def"
#undef X
};

static int english;

const struct err_info *err_info(int code)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if ((int)infos[i].code == code)
			return &infos[i];
	return err_info(ERR_INTERNAL);
}

const struct err_info *err_info_by_name(const char *name)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if (strcmp(infos[i].name, name) == 0)
			return &infos[i];
	return NULL;
}

const struct err_info *err_info_by_sentence(const char *zh)
{
	for (size_t i = 0; i < sizeof infos / sizeof *infos; i++)
		if (strcmp(infos[i].zh, zh) == 0)
			return &infos[i];
	return NULL;
}

const char *err_advice(char *out, size_t size, enum err code, const char *program)
{
	const struct err_info *info = err_info((int)code);
	size_t n = 0;

	for (const char *at = tr(info->do_zh, info->do_en); *at && n + 1 < size; at++) {
		if (at[0] == '%' && at[1] == 'P') {
			n += (size_t)snprintf(out + n, size - n, "%s", program);
			n = n < size ? n : size - 1;
			at++;
		} else {
			out[n++] = *at;
		}
	}
	out[n] = 0;
	return out;
}

/* Cuts a string that snprintf truncated back to the last whole UTF-8 character. */
static void utf8_trim(char *s)
{
	size_t n = strlen(s), i = n;

	while (i > 0 && ((unsigned char)s[i - 1] & 0xC0) == 0x80)
		i--;
	if (i == 0)
		return;
	unsigned char lead = (unsigned char)s[i - 1];
	size_t want = lead < 0x80 ? 1 : lead >= 0xF0 ? 4 : lead >= 0xE0 ? 3 : 2;
	if (n - (i - 1) < want)
		s[i - 1] = 0;
}

static void copy_text(char *to, size_t size, const char *from)
{
	snprintf(to, size, "%s", from ? from : "");
	utf8_trim(to);
}

/* What was typed or read may not be text at all; JSON and screens take nothing else. */
static void make_printable(char *s, size_t size)
{
	char raw[sizeof((struct problem *)0)->message];

	if (!text_forbidden(s, strlen(s)))
		return;
	snprintf(raw, sizeof raw, "%s", s);
	text_printable(s, size, raw);
}

enum err(problem_set)(
	struct problem *p, enum err code, const char *field, const char *hint, const char *message, ...)
{
	if (!p)
		return code;
	memset(p, 0, sizeof *p);
	p->code = code;
	copy_text(p->field, sizeof p->field, field);
	copy_text(p->hint, sizeof p->hint, hint);
	if (message) {
		va_list args;
		va_start(args, message);
		vsnprintf(p->message, sizeof p->message, message, args);
		va_end(args);
		utf8_trim(p->message);
	} else {
		copy_text(p->message, sizeof p->message, tr(err_info(code)->zh, err_info(code)->en));
	}
	make_printable(p->message, sizeof p->message);
	make_printable(p->hint, sizeof p->hint);
	make_printable(p->field, sizeof p->field);
	return code;
}

void lang_set(const char *lang)
{
	english = lang && strncmp(lang, "en", 2) == 0;
}

int lang_is_en(void)
{
	return english;
}

const char *tr(const char *zh, const char *en)
{
	return english ? en : zh;
}

const char *file_error_text(int error)
{
	switch (error) {
	case ENOENT:
		return tr("没有这个文件或文件夹", "there is no such file or folder");
	case ENOTDIR:
		return tr("路径里有一段不是文件夹", "a part of the path is no folder");
	case EISDIR:
		return tr("这是文件夹", "it is a folder");
	case EACCES:
	case EPERM:
		return tr("没有权限", "no permission");
	case EROFS:
		return tr("磁盘是只读的", "the disk is read-only");
	case ENAMETOOLONG:
		return tr("名字太长", "the name is too long");
	case ENOSPC:
	case EDQUOT:
		return tr("磁盘已满", "the disk is full");
	case EEXIST:
		return tr("已经有同名的文件或文件夹", "a file or folder of that name is there");
	case EBUSY:
	case ETXTBSY:
		return tr("别的程序正在用它", "another program is using it");
	case EIO:
		return tr("磁盘读写出错", "the disk does not read or write");
	case ELOOP:
		return tr("它是一个链接，不是文件", "it is a link, not a file");
	case ECONNREFUSED:
		return tr("拒绝连接", "connection refused");
	case ETIMEDOUT:
		return tr("没有应答", "no answer");
	case EHOSTUNREACH:
	case ENETUNREACH:
		return tr("网络不通", "the network does not reach it");
	case ECONNRESET:
		return tr("连接被断开", "the connection was cut");
	case EADDRINUSE:
		return tr("已被别的程序占用", "another program has it");
	case EADDRNOTAVAIL:
		return tr("这台机器没有这个地址", "this machine has no such address");
	default:
		return strerror(error);
	}
}
