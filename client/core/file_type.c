#include "file_type.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>

#include "err.h"
#include "file_name.h"
#include "text.h"

#define HEAD 64

/* Papers and pictures as schools send them. A handful of beginnings, not libmagic: its 8 MB of rules would be
 * loaded at each attachment, for kinds that nobody sends. Those without an extension are only told. */
static const struct kind_of_file {
	const char *extensions; /* between blanks */
	size_t at, n;
	const char *bytes, *zh, *en;
} kinds[] = {{" pdf ", 0, 4, "%PDF", "PDF 文件", "a PDF"},
	{" jpg jpeg jpe ", 0, 3, "\xFF\xD8\xFF", "JPEG 图片", "a JPEG picture"},
	{" png ", 0, 4, "\x89PNG", "PNG 图片", "a PNG picture"},
	{" gif ", 0, 4, "GIF8", "GIF 图片", "a GIF picture"},
	{" bmp ", 0, 2, "BM", "BMP 图片", "a BMP picture"},
	{" tif tiff ", 0, 4, "II*\0", "TIFF 图片", "a TIFF picture"},
	{" tif tiff ", 0, 4, "MM\0*", "TIFF 图片", "a TIFF picture"},
	{" webp ", 8, 4, "WEBP", "WebP 图片", "a WebP picture"},
	{" heic heif mp4 mov m4a ", 4, 4, "ftyp", "手机照片（HEIC）或视频", "a HEIC picture or a video"},
	{" docx xlsx pptx wps et ofd zip ", 0, 4, "PK\3\4", "Office 新格式文件或压缩包",
		"an Office file or an archive"},
	{" doc xls ppt wps et dps ", 0, 4, "\xD0\xCF\x11\xE0", "Office 旧格式文件", "an old Office file"},
	{" rar ", 0, 4, "Rar!", "RAR 压缩包", "a RAR archive"},
	{" ", 0, 2, "MZ", "Windows 程序", "a Windows program"},
	{" ", 0, 4,
		"\x7F"
		"ELF",
		"程序", "a program"}};

static bool promises(const struct kind_of_file *k, const char *extension)
{
	char word[16];

	snprintf(word, sizeof word, " %s ", extension);
	return strcasestr(k->extensions, word) != NULL;
}

bool file_type_differs(const char *path, const char **is)
{
	const char *dot = strrchr(path, '.'), *slash = strrchr(path, '/');
	const char *extension = dot && (!slash || slash < dot) ? dot + 1 : "";
	bool promised = false, kept = false;
	char head[HEAD + 1] = "";
	size_t size;
	int fd = file_open(path, &size, NULL);
	ssize_t got = fd < 0 ? 0 : read(fd, head, HEAD);
	size_t n = got > 0 ? (size_t)got : 0;

	if (fd >= 0)
		close(fd);
	*is = NULL;
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		const struct kind_of_file *k = &kinds[i];
		bool found = n >= k->at + k->n && memcmp(head + k->at, k->bytes, k->n) == 0;
		promised |= *extension && promises(k, extension);
		kept |= found && promises(k, extension);
		if (found && !*is)
			*is = tr(k->zh, k->en);
	}
	if (!*is)
		*is = strlen(head) == n ? tr("文字", "plain text") : tr("别的内容", "something else");
	return n && promised && !kept;
}
