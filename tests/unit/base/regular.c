/* SPDX-License-Identifier: Apache-2.0 */
/* Whole files: what is read, and what is refused without waiting for it. */
#include <backbone/regular.h>
#include <criterion/criterion.h>

#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

static char folder[64], path[96];

static void setup(void)
{
	strcpy(folder, "/tmp/bb-regular-XXXXXX");
	cr_assert(mkdtemp(folder));
	snprintf(path, sizeof path, "%s/it", folder);
}

static void teardown(void)
{
	if (rmdir(path) != 0)
		unlink(path);
	rmdir(folder);
}

TestSuite(regular, .init = setup, .fini = teardown, .timeout = 10);

static void make_file(size_t bytes)
{
	FILE *file = fopen(path, "w");

	cr_assert(file);
	for (size_t i = 0; i < bytes; i++)
		fputc('x', file);
	cr_assert_eq(fclose(file), 0);
}

Test(regular, reads_a_file_behind_what_is_there)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_error err = {0};

	make_file(100000);
	bb_buf_byte(&buf, 'a');
	cr_assert_eq(bb_regular_read(path, 100000, &buf, &err), BB_OK, "%s", err.msg);
	cr_expect_eq(buf.n, 100001);
	cr_expect(buf.p[0] == 'a' && buf.p[1] == 'x' && buf.p[100000] == 'x');
	bb_buf_fini(&buf);
}

Test(regular, one_byte_too_many_is_refused)
{
	struct bb_buf buf = BB_BUF_EMPTY;
	struct bb_error err = {0};

	make_file(1001);
	cr_expect_eq(bb_regular_read(path, 1000, &buf, &err), BB_ELIMIT);
	cr_expect(strstr(err.msg, path) && strstr(err.msg, "larger than 1000 bytes"), "%s",
		  err.msg);
	cr_expect_eq(bb_regular_read(path, 1001, &buf, &err), BB_OK);
	bb_buf_fini(&buf);
}

static void make_nothing(void)
{
}

static void make_folder(void)
{
	cr_assert_eq(mkdir(path, 0700), 0);
}

static void make_pipe(void)
{
	cr_assert_eq(mkfifo(path, 0600), 0);
}

static void make_device(void)
{
	cr_assert_eq(symlink("/dev/zero", path), 0);
}

static void make_socket(void)
{
	struct sockaddr_un addr = {.sun_family = AF_UNIX};
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	strcpy(addr.sun_path, path);
	cr_assert_eq(bind(fd, (struct sockaddr *)&addr, sizeof addr), 0);
	close(fd);
}

Test(regular, what_is_no_file_is_refused_at_once)
{
	static const struct {
		const char *what;
		void (*make)(void);
		const char *words;
	} rows[] = {
		{"nothing", make_nothing, "No such file"},
		{"a folder", make_folder, "Is a directory"},
		{"a pipe that nobody writes into", make_pipe, "not a regular file"},
		{"a device without an end", make_device, "not a regular file"},
		{"a socket", make_socket, "No such device"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct bb_buf buf = BB_BUF_EMPTY;
		struct bb_error err = {0};

		rows[i].make();
		cr_expect_eq(bb_regular_read(path, 1000, &buf, &err), BB_EIO, "%s", rows[i].what);
		cr_expect(strstr(err.msg, path) && strstr(err.msg, rows[i].words), "%s: %s",
			  rows[i].what, err.msg);
		bb_buf_fini(&buf);
		if (rmdir(path) != 0)
			unlink(path);
	}
}
