#include "worker/standby.h"

#include <fmt/format.h>

#include "control/worker_report.h"

namespace pyhost::worker {

using base::LogLevel;
using base::Message;

WhenOutdated Standby::stand_by(std::string_view script) {
  const std::lock_guard lock(mutex_);
  if (come_back_locked()) return WhenOutdated::run_again;
  if (worker_.report.stand_by()) {
    stands_by_ = true;
    worker_.log.log(
        LogLevel::info, Message::worker_draining,
        fmt::format("{} takes no more requests: {} has changed", worker_.label, script));
    worker_.imports.report();
    control::report({.kind = control::StatusReport::Kind::outdated,
                     .text = std::string(script),
                     .file = base::identity_of(std::string(script))});
    worker_.events.poke();
  }
  return WhenOutdated::send_back;
}

// Whether the supervisor has said anew that there will be no successor for what has changed. It
// tells all workers of the group, so perhaps one that does not stand by.
bool Standby::come_back_locked() {
  const std::int64_t kept_until_us = worker_.report.kept_until_us();
  // Another moment, not a later one: the clock may have been set back.
  if (kept_until_us == 0 || kept_until_us == accepted_until_us_) return false;
  accepted_until_us_ = kept_until_us;
  if (worker_.watch_or_null != nullptr) {
    worker_.watch_or_null->accept_changes_until(kept_until_us);
  }
  stands_by_ = false;
  worker_.report.come_back();
  return true;
}

bool Standby::attend(ThreadPool& pool) {
  const std::lock_guard lock(mutex_);
  if (stands_by_) come_back_locked();
  if (accepting_ == stands_by_) pool.accept_connections(accepting_ = !stands_by_);
  return stands_by_;
}

}  // namespace pyhost::worker
