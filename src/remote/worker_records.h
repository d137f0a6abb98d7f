// What a worker logs to the request that it has.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "pyhost/base/log.h"
#include "remote/log_allowance.h"

namespace pyhost::remote {

// Passes the records of LOG frames on, within an allowance and below what concerns all of httpd.
// Not synchronised; log and name outlive it.
class WorkerRecords {
 public:
  WorkerRecords(base::LogSink& log, const std::string& group) noexcept : log_(log), group_(group) {}

  // The payload of a LOG frame; one that is malformed is passed over.
  void take(std::string_view payload);
  // Says how much was left out since the last time, if anything was.
  void tell_left_out();

  // Whether the worker itself has logged what went wrong.
  bool failure_told() const noexcept { return failure_told_; }

 private:
  base::LogSink& log_;
  const std::string& group_;
  LogAllowance allowance_{base::Clock::now()};
  bool failure_told_ = false;
};

}  // namespace pyhost::remote
