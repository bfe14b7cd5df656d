/* SPDX-License-Identifier: MIT */
/* The module `moonshake.program`: what the program can do to its own process. A stock interpreter
 * lacks it, for there it would be somebody else's process. */
#ifndef MS_PROGRAM_H
#define MS_PROGRAM_H

#include <lua.h>

/* From now on SIGINT raises "interrupted" in what L runs; NULL: it ends the process again. */
void ms_program_listen(lua_State *L);

/* The module's opener. Its functions:
 *   interrupted()         whether SIGINT came. Who asks takes over: nothing more is raised.
 *   limit_memory(bytes)   true: the process gets no more private memory than that (heap and private
 *                         maps, not stacks; programs that it starts inherit the limit). nil and why
 *                         where there is no such limit.
 *   raise_descriptors()   true: the process may have as many descriptors as the system lets it.
 *   die_with_parent(pid)  true: the process is killed when its parent ends. It is killed at once if
 *                         its parent is no longer `pid` (default: the parent at the call, which may
 *                         be the one that inherited it). false where there is no such thing.
 *   adopt_orphans()       true: processes below this one that lose their parent become children of
 *                         it. false where there is no such thing.
 *   end_child(pid)        true: the child is killed, and gone. nil and why.
 *   keep_to_itself(fd)    true: programs that this one starts do not get the descriptor. nil and
 *                         why.
 *   lock(fd)              true: no other process gets the lock of the descriptor's file until that
 *                         is closed, or this process ends. false: another has it. nil and why.
 *   standard_files()      a text that tells which files descriptors 0, 1 and 2 are.
 *   ignores(signal)       whether the signal of this number is ignored.
 */
int ms_program_open(lua_State *L);

#endif
