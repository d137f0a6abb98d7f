#include "worker/supervisor_orders.h"

#include <sys/socket.h>
#include <unistd.h>

#include <cerrno>
#include <utility>

#include "control/worker_descriptors.h"
#include "control/worker_report.h"
#include "worker/work.h"

namespace pyhost::worker {

using StatusKind = control::StatusReport::Kind;

bool SupervisorOrders::heed_next() {
  using Kind = control::WorkerOrder::Kind;
  auto order = control::take_order(control::kWorkerStatusFd);
  if (!order) return errno != ENOTSOCK;
  switch (order->kind) {
    case Kind::log:
      change_log(std::move(order->descriptor));
      break;
    case Kind::serve:
      may_serve_ = true;
      break;
    case Kind::leave:
      may_serve_ = false;
      break;
    case Kind::keep:
      keep(*std::move(order));
      break;
    case Kind::show_life:
      control::report(StatusKind::alive);
      break;
    case Kind::show_work:
      tell(order->descriptor.get(), describe_work(watch_or_null_, pool_or_null_));
      break;
    case Kind::watch:
      break;
  }
  return true;
}

// The order comes at most once. What follows for connections is Withdrawal's to do.
void SupervisorOrders::keep(control::WorkerOrder order) {
  auto keep = control::parse_keep_order(order.text);
  if (pool_or_null_ == nullptr || !keep) return;
  if (::listen(order.descriptor.get(), listen_backlog_) != 0) return;
  if (!report_.move_to(keep->slot, keep->report, keep->scripts)) return;
  pool_or_null_->keep_only(std::move(order.descriptor), std::move(keep->scripts));
  pool_or_null_->repeat_load();
  control::report(StatusKind::keeping);
}

// What httpd writes to since its last restart. An application that has put something else in the
// place of its standard output or error keeps that.
void SupervisorOrders::change_log(base::UniqueFd log) {
  if (!log.valid()) return;
  for (const int standard : {STDOUT_FILENO, STDERR_FILENO}) {
    if (base::is_same_file(standard, log_.fd())) ::dup2(log.get(), standard);
  }
  log_.reopen(std::move(log));
}

}  // namespace pyhost::worker
