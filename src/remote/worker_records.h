// What a worker logs to the request that it has.
#pragma once

#include <string>
#include <string_view>

#include "base/clock.h"
#include "pyhost/base/log.h"
#include "remote/admission.h"
#include "remote/log_allowance.h"
#include "remote/remote_settings.h"

namespace pyhost::remote {

// Passes the records of LOG frames on, within an allowance and below what concerns all of httpd.
// Warnings and errors of the module say which worker they are from. Not synchronised; what it is
// made with outlives it.
class WorkerRecords {
 public:
  WorkerRecords(base::LogSink& log, const RemoteSettings& settings, const Worker& worker) noexcept
      : log_(log), settings_(settings), worker_(worker) {}

  // The payload of a LOG frame; one that is malformed is passed over.
  void take(std::string_view payload);
  // The same of a RECORD frame.
  void take_application(std::string_view payload);
  // Says how much was left out since the last time, if anything was.
  void tell_left_out();

  // How many lines were left out, of those that it has said so of.
  std::uint64_t lines_left_out() const noexcept { return lines_left_out_; }
  // Whether the worker itself has logged what went wrong.
  bool failure_told() const noexcept { return failure_told_; }

 private:
  std::string with_worker(std::string_view text) const;

  base::LogSink& log_;
  const RemoteSettings& settings_;
  const Worker& worker_;
  LogAllowance allowance_{base::Clock::now()};
  std::uint64_t lines_left_out_ = 0;
  bool failure_told_ = false;
};

}  // namespace pyhost::remote
