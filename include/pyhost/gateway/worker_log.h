// Which error log a worker writes to, when httpd opens another one while the worker lives.
#pragma once

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::gateway {

// The supervisor's side: sends the log over the other end of kWorkerStatusFd. The log stays the
// caller's. Does not wait: fails when the worker has gone or has not taken very many.
base::Result<> hand_log_over(int status_socket, int log);

// The worker's side: the log that has been sent, close-on-exec; nothing when there is none. Does
// not wait.
base::UniqueFd take_log(int status_socket) noexcept;

}  // namespace pyhost::gateway
