/* SPDX-License-Identifier: Apache-2.0 */
/* backbonectl: see ctl.h. A reader that goes away ends the program quietly, as it does others. */
#include "ctl.h"

int main(int argc, char **argv)
{
	return bb_ctl_run(argc, argv, stdout, stderr);
}
