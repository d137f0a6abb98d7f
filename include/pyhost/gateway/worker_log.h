// What the supervisor tells a worker that runs: which error log it writes to, when httpd has opened
// another one, and that it is to show that it runs.
#pragma once

#include <optional>

#include "pyhost/base/result.h"
#include "pyhost/base/unique_fd.h"

namespace pyhost::gateway {

// The supervisor's side: sends the log over the other end of kWorkerStatusFd. The log stays the
// caller's. Does not wait: fails when the worker has gone or has not taken very many.
base::Result<> hand_log_over(int status_socket, int log);

// The same for a question, which the worker answers with a report.
base::Result<> ask_for_sign_of_life(int status_socket);

// The worker's side: what has been sent.
struct SupervisorWord {
  base::UniqueFd log;  // close-on-exec; invalid when it is the question
};
// Nothing, and errno, when nothing can be read. Does not wait.
std::optional<SupervisorWord> take_word(int status_socket) noexcept;

}  // namespace pyhost::gateway
