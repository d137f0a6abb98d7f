// Which files may be sent by somebody else than the process that has opened them.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/gateway/exchange.h"

namespace pyhost::gateway {

// How many files a reply may have: each is an open descriptor until its client has it.
inline constexpr unsigned kReplyFilesMax = 8;

// Fails unless the descriptor is that of a regular file that was opened for reading, has the range
// at this moment, and can be read without waiting for another process: pipes, devices and the like
// are none, nor are files whose bytes a program or the kernel makes (FUSE, procfs, sysfs). The
// sentence goes on from "the worker passed". Never blocks.
base::Result<> check_sendable(const FileRange& range);

}  // namespace pyhost::gateway
