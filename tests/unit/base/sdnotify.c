/* SPDX-License-Identifier: Apache-2.0 */
/* A service manager played by a datagram socket, and descriptors handed to a child. */
#include <backbone/clock.h>
#include <backbone/sdnotify.h>
#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

static int manager;

/* Binds a datagram socket; `abstract`: in the abstract name space. */
static void manager_begin(bool abstract)
{
	struct sockaddr_un address = {.sun_family = AF_UNIX};
	char name[64];
	size_t n;

	n = (size_t)snprintf(name, sizeof name, "%s/backbone-test-notify.%d",
			     abstract ? "@" : "/tmp", (int)getpid());
	memcpy(address.sun_path, name, n);
	if (abstract)
		address.sun_path[0] = '\0';
	manager = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
	cr_assert_eq(bind(manager, (struct sockaddr *)&address,
			  (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n)),
		     0);
	setenv("NOTIFY_SOCKET", name, 1);
}

static void manager_end(void)
{
	const char *name = getenv("NOTIFY_SOCKET");

	close(manager);
	if (name[0] == '/')
		unlink(name);
}

static const char *heard(void)
{
	static char text[4096];
	ssize_t n = recv(manager, text, sizeof text - 1, 0);

	text[n > 0 ? n : 0] = '\0';
	return text;
}

static void say_everything(void)
{
	uint64_t before, heard_us;

	cr_assert_eq(bb_sdnotify_ready("12 partitions\nREADY=0"), BB_OK);
	cr_assert_str_eq(heard(), "READY=1\nSTATUS=12 partitions?READY=0");
	cr_assert_eq(bb_sdnotify_ready(NULL), BB_OK);
	cr_assert_str_eq(heard(), "READY=1\n");
	cr_assert_eq(bb_sdnotify_status("lag %d", 7), BB_OK);
	cr_assert_str_eq(heard(), "STATUS=lag 7");
	cr_assert_eq(bb_sdnotify_stopping("draining"), BB_OK);
	cr_assert_str_eq(heard(), "STOPPING=1\nSTATUS=draining");
	cr_assert_eq(bb_sdnotify_watchdog(), BB_OK);
	cr_assert_str_eq(heard(), "WATCHDOG=1\n");
	cr_assert_eq(bb_sdnotify_extend(1500), BB_OK);
	cr_assert_str_eq(heard(), "EXTEND_TIMEOUT_USEC=1500000\n");
	before = bb_clock_monotonic_ns() / 1000;
	cr_assert_eq(bb_sdnotify_reloading(), BB_OK);
	cr_assert_eq(sscanf(heard(), "RELOADING=1\nMONOTONIC_USEC=%" SCNu64 "\n", &heard_us), 1);
	cr_assert(heard_us >= before && heard_us <= bb_clock_monotonic_ns() / 1000);
}

Test(base, sdnotify_speaks_to_a_path)
{
	manager_begin(false);
	say_everything();
	manager_end();
}

Test(base, sdnotify_speaks_to_an_abstract_name)
{
	manager_begin(true);
	say_everything();
	manager_end();
}

Test(base, sdnotify_cuts_a_long_status)
{
	static char longest[3000];

	memset(longest, 'x', sizeof longest - 1);
	manager_begin(true);
	cr_assert_eq(bb_sdnotify_ready(longest), BB_OK);
	cr_assert_eq(strlen(heard()), 1023);
	cr_assert_eq(bb_sdnotify_status("%s", longest), BB_OK);
	cr_assert_eq(strlen(heard()), 1023);
	manager_end();
}

Test(base, sdnotify_says_why_it_could_not)
{
	static char longest[300] = "/";

	memset(longest + 1, 'x', sizeof longest - 2);
	unsetenv("NOTIFY_SOCKET");
	cr_assert_eq(bb_sdnotify_watchdog(), BB_ENOTFOUND);
	setenv("NOTIFY_SOCKET", "", 1);
	cr_assert_eq(bb_sdnotify_watchdog(), BB_ENOTFOUND);
	setenv("NOTIFY_SOCKET", "relative", 1);
	cr_assert_eq(bb_sdnotify_watchdog(), BB_EINVAL);
	setenv("NOTIFY_SOCKET", "@", 1);
	cr_assert_eq(bb_sdnotify_watchdog(), BB_EINVAL);
	setenv("NOTIFY_SOCKET", longest, 1);
	cr_assert_eq(bb_sdnotify_watchdog(), BB_EINVAL);
	setenv("NOTIFY_SOCKET", "/tmp/backbone-test-nobody-listens-here", 1);
	cr_assert_eq(bb_sdnotify_watchdog(), BB_EIO);
}

Test(base, sdnotify_reads_the_watchdog_interval)
{
	char pid[16], other[16];
	const struct {
		const char *usec, *pid;
		uint64_t ms;
	} rows[] = {
		{NULL, NULL, 0},
		{"30000000", NULL, 30000},
		{"30000000", pid, 30000},
		{"30000000", other, 0},
		{"30000000", "", 0},
		{"", NULL, 0},
		{"30s", NULL, 0},
		{"-1", NULL, 0},
		{"99999999999999999999", NULL, 0},
	};

	snprintf(pid, sizeof pid, "%d", (int)getpid());
	snprintf(other, sizeof other, "%d", (int)getppid());
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		unsetenv("WATCHDOG_USEC");
		unsetenv("WATCHDOG_PID");
		if (rows[i].usec)
			setenv("WATCHDOG_USEC", rows[i].usec, 1);
		if (rows[i].pid)
			setenv("WATCHDOG_PID", rows[i].pid, 1);
		cr_assert_eq(bb_sdnotify_watchdog_ms(), rows[i].ms, "row %zu", i);
	}
}

struct handed {
	const char *count; /* LISTEN_FDS */
	const char *names; /* LISTEN_FDNAMES; NULL: not set */
	int open;	   /* descriptors really handed over */
	int code;	   /* what is to come of it */
	const char *found; /* the names, with a comma behind each; or the message */
};

/* In a child, because the test's own descriptor 3 is in use: 0 if it came out as it should. */
static int play(const struct handed *row, int pid)
{
	struct bb_listen_fd fds[BB_LISTEN_FDS_MAX];
	char text[8192] = "", number[16];
	struct bb_error err = {0, ""};
	size_t n = 4711, text_n = 0;
	int code;

	for (int fd = 3; fd < 64; fd++)
		close(fd);
	for (int i = 0; i < row->open; i++)
		if (dup2(STDOUT_FILENO, 3 + i) < 0)
			return 1;
	snprintf(number, sizeof number, "%d", pid);
	setenv("LISTEN_PID", number, 1);
	setenv("LISTEN_FDS", row->count, 1);
	if (row->names)
		setenv("LISTEN_FDNAMES", row->names, 1);
	code = bb_listen_fds(fds, &n, &err);
	if (getenv("LISTEN_PID") || getenv("LISTEN_FDS") || getenv("LISTEN_FDNAMES"))
		return 2;
	if (code != row->code)
		return 3;
	if (code != BB_OK)
		return strcmp(err.msg, row->found) || n != 4711 ? 4 : 0;
	for (size_t i = 0; i < n; i++) {
		text_n += (size_t)snprintf(text + text_n, sizeof text - text_n, "%s,", fds[i].name);
		if (fds[i].fd != 3 + (int)i || !(fcntl(fds[i].fd, F_GETFD) & FD_CLOEXEC))
			return 5;
	}
	return strcmp(text, row->found) ? 6 : 0;
}

static int play_in_child(const struct handed *row, bool for_parent)
{
	int status;
	pid_t child;

	fflush(NULL);
	child = fork();
	if (child == 0)
		_exit(play(row, for_parent ? (int)getppid() : (int)getpid()));
	cr_assert_eq(waitpid(child, &status, 0), child);
	return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

#define NAME_64 "xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"

Test(base, listen_fds_takes_what_was_handed_over)
{
	static const struct handed rows[] = {
		{"0", NULL, 0, BB_OK, ""},
		{"1", NULL, 1, BB_OK, "unknown,"},
		{"2", NULL, 2, BB_OK, "unknown,unknown,"},
		{"2", "query:admin", 2, BB_OK, "query,admin,"},
		{"2", ":admin", 2, BB_OK, ",admin,"},
		{"2", "query:", 2, BB_OK, "query,,"},
		{"2", "query", 2, BB_EINVAL, "LISTEN_FDNAMES has fewer names than LISTEN_FDS=2"},
		{"1", "query:admin", 1, BB_EINVAL,
		 "LISTEN_FDNAMES has more names than LISTEN_FDS=1"},
		{"1", NAME_64 NAME_64 NAME_64 NAME_64, 1, BB_EINVAL,
		 "LISTEN_FDNAMES: a name is longer than 255 bytes"},
		{"2", NULL, 1, BB_EINVAL, "LISTEN_FDS=2, but descriptor 4 is not open"},
		{"17", NULL, 0, BB_EINVAL, "LISTEN_FDS is not a number from 0 to 16"},
		{"-1", NULL, 0, BB_EINVAL, "LISTEN_FDS is not a number from 0 to 16"},
		{"", NULL, 0, BB_EINVAL, "LISTEN_FDS is not a number from 0 to 16"},
	};

	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
		cr_assert_eq(play_in_child(&rows[i], false), 0, "row %zu: %d", i,
			     play_in_child(&rows[i], false));
}

Test(base, listen_fds_leaves_those_of_another_process)
{
	static const struct handed row = {"2", "query:admin", 0, BB_OK, ""};

	cr_assert_eq(play_in_child(&row, true), 0);
}

Test(base, listen_fds_refuses_a_bad_process_id)
{
	struct bb_listen_fd fds[BB_LISTEN_FDS_MAX];
	struct bb_error err;
	size_t n;

	setenv("LISTEN_PID", "me", 1);
	setenv("LISTEN_FDS", "1", 1);
	cr_assert_eq(bb_listen_fds(fds, &n, &err), BB_EINVAL);
	cr_assert_str_eq(err.msg, "LISTEN_PID is not a process id");
}

Test(base, listen_fds_without_a_service_manager)
{
	struct bb_listen_fd fds[BB_LISTEN_FDS_MAX];
	size_t n = 4711;

	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	cr_assert_eq(bb_listen_fds(fds, &n, NULL), BB_OK);
	cr_assert_eq(n, 0);
}
