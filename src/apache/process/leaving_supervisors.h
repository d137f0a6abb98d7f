// The supervisors that are not in force any more, and not gone.
#pragma once

#include <httpd.h>
#include <sys/types.h>

#include <chrono>

#include "apache/process/retained_supervision.h"

namespace pyhost::apache {

// A supervisor leaves when it has a successor of another build, which takes as long as a child
// knows its workers, or when its control channel is closed. One for each generation of the
// configuration, used by the parent's thread; httpd is told whose end to expect.
class LeavingSupervisors {
 public:
  // Those of before this restart; the ones that have ended meanwhile are forgotten.
  LeavingSupervisors(process_rec* process, RetainedSupervision& retained);

  // The channel is owned from here on; -1 when it is closed.
  void add(pid_t supervisor, int control);
  // In a process that httpd's parent has forked off.
  void close_channels() const noexcept;
  // Tells all to end by closing their channels, and kills those that have not by then.
  void end_all(std::chrono::steady_clock::time_point deadline) noexcept;

 private:
  void expect_end(LeavingSupervisor& supervisor) const;
  template <class Visitor>
  void for_each(Visitor visit) const;

  process_rec* const process_;
  apr_array_header_t* const supervisors_;
};

// Whether it is still our child: its number may be somebody else's by now.
bool is_alive(pid_t supervisor) noexcept;

}  // namespace pyhost::apache
