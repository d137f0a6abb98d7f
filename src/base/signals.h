// Which signals reach the threads and processes that run applications.
#pragma once

#include <string>

namespace pyhost::base {

// "signal 11 (SIGSEGV)".
std::string describe_signal(int number);

// For a thread of a process whose signals any thread may take. Programs inherit the mask of the
// thread that starts them, and are to be terminable.
void unblock_signals() noexcept;

// For a process that has just been forked off: no signal is blocked, and those that this program
// handles do again what they usually do. Safe between fork() and exec().
void restore_signals() noexcept;

}  // namespace pyhost::base
