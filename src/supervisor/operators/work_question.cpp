#include "supervisor/operators/work_question.h"

#include <fcntl.h>

#include <utility>

#include "control/worker_orders.h"
#include "os/pipe.h"

namespace pyhost::supervisor {

WorkQuestion ask_for_work(control::WorkerWork of, int status_socket) {
  WorkQuestion question{.work = std::move(of)};
  auto pipe = os::make_pipe();
  if (!pipe) {
    question.work.problem = pipe.error().sentence;
    return question;
  }
  // The worker does not wait for room.
  ::fcntl(pipe->write_end.get(), F_SETPIPE_SZ, static_cast<int>(control::kWorkTextMax));
  ::fcntl(pipe->read_end.get(), F_SETFL, O_NONBLOCK);
  const auto sent = control::send_order(status_socket, control::WorkerOrder::Kind::show_work, "",
                                        pipe->write_end.get());
  if (sent) {
    question.answer = std::move(pipe->read_end);
  } else {
    question.work.problem = sent.error().sentence;
  }
  return question;
}

}  // namespace pyhost::supervisor
