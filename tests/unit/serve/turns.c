/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Turns that end by time, with a clock that goes as a test says: the linker puts __wrap_ in the
 * place of the daemon's clock, so that each look at it takes as long as a slow command would.
 */
#include "fixture.h"
#include "hold.h"

#include <criterion/criterion.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define CLIENTS 20
#define ASKED 50

uint64_t __real_bb_clock_monotonic_ns(void);
uint64_t __wrap_bb_clock_monotonic_ns(void);

static uint64_t step_ns, passed_ns;
static struct fixture fix;

uint64_t __wrap_bb_clock_monotonic_ns(void)
{
	passed_ns += step_ns;
	return __real_bb_clock_monotonic_ns() + passed_ns;
}

static uint64_t commands_now(void)
{
	struct bb_serve_stats stats;

	bb_serve_stats(fix.serve, &stats);
	return stats.commands;
}

static void setup(void)
{
	fixture_open(&fix);
	fix.config.limits.commands_per_turn = 1000;
	fixture_serve(&fix);
}

static void teardown(void)
{
	step_ns = 0;
	fixture_close(&fix);
}

/* A client that has asked many times at once, and had its first turn. */
static int busy_client(void)
{
	static const char one[] = "EXISTS user:7\n";
	char all[ASKED * sizeof(one)] = "";
	uint64_t before = commands_now();
	int fd = fixture_connect(&fix, fix.query_path);

	for (int i = 0; i < ASKED; i++)
		strcat(all, one);
	cr_assert_eq(send(fd, all, strlen(all), 0), (ssize_t)strlen(all));
	while (commands_now() == before)
		uv_run(&fix.loop, UV_RUN_NOWAIT);
	return fd;
}

static size_t most_in_a_turn_of_the_loop(void)
{
	uint64_t before, most = 0;

	do {
		before = commands_now();
		uv_run(&fix.loop, UV_RUN_NOWAIT);
		most = commands_now() - before > most ? commands_now() - before : most;
	} while (commands_now() > before);
	return most;
}

Test(serve, fast_commands_are_run_together, .init = setup, .fini = teardown)
{
	int fd = busy_client();

	cr_expect_gt(commands_now(), 10, "a millisecond is enough for many");
	most_in_a_turn_of_the_loop();
	cr_expect_eq(commands_now(), ASKED);
	close(fd);
}

Test(serve, a_turn_ends_after_the_command_that_took_too_long, .init = setup, .fini = teardown)
{
	int fd;

	step_ns = 2000000;
	fd = busy_client();
	cr_expect_eq(commands_now(), 1, "%d", (int)commands_now());
	cr_expect_eq(most_in_a_turn_of_the_loop(), 1);
	cr_expect_eq(commands_now(), ASKED, "none is forgotten");
	close(fd);
}

Test(serve, the_loop_looks_elsewhere_before_all_slow_clients_had_a_turn, .init = setup,
     .fini = teardown)
{
	int fds[CLIENTS];
	size_t most;

	step_ns = 2000000;
	for (int i = 0; i < CLIENTS; i++)
		fds[i] = busy_client();
	most = most_in_a_turn_of_the_loop();
	cr_expect(most >= 1 && most <= 5, "%zu commands of 2 ms in a pass of 10 ms", most);
	cr_expect_eq(commands_now(), CLIENTS * ASKED);
	for (int i = 0; i < CLIENTS; i++)
		close(fds[i]);
}

Test(serve, only_empty_buffers_are_freed)
{
	struct bb_buf full = BB_BUF_EMPTY, empty = BB_BUF_EMPTY;

	bb_buf_byte(&full, 'x');
	bb_buf_reserve(&empty, 1000);
	bb_hold_free_empty((struct bb_buf *[]){&full, &empty}, 2);
	cr_expect_eq(full.n, 1);
	cr_expect_eq(empty.room, 0);
	bb_buf_fini(&full);
}

Test(serve, memory_is_given_back_once_after_a_burst)
{
	struct bb_holds holds = {0};
	size_t mine = 0, other = 0;

	bb_hold_set(&holds, &mine, BB_HOLD_BURST_BYTES - 1);
	bb_hold_set(&holds, &mine, 0);
	cr_expect_not(bb_holds_calm(&holds), "that was no burst");
	bb_hold_set(&holds, &mine, BB_HOLD_BURST_BYTES);
	bb_hold_set(&holds, &other, BB_HOLD_CALM_BYTES);
	cr_expect_eq(holds.bytes, BB_HOLD_BURST_BYTES + BB_HOLD_CALM_BYTES);
	cr_expect_not(bb_holds_calm(&holds), "it is not over");
	bb_hold_set(&holds, &mine, 0);
	cr_expect(bb_holds_calm(&holds));
	cr_expect_not(bb_holds_calm(&holds), "once");
	bb_hold_set(&holds, &other, 0);
	cr_expect_eq(holds.bytes, 0);
}
