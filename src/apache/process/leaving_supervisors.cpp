#include "apache/process/leaving_supervisors.h"

#include <apr_thread_proc.h>
#include <poll.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <utility>

#include "apache/pool.h"
#include "base/clock.h"
#include "os/pidfd.h"

namespace pyhost::apache {
namespace {

// httpd would wonder about the end of a child that it does not know.
void note_end(int reason, void* data, int) {
  if (reason == APR_OC_REASON_UNREGISTER) return;
  static_cast<LeavingSupervisor*>(data)->pid = 0;
  apr_proc_other_child_unregister(data);
}

void await_end(pid_t supervisor, std::chrono::steady_clock::time_point deadline) noexcept {
  if (!is_alive(supervisor)) return;
  const base::UniqueFd process = os::open_pidfd(supervisor);
  pollfd ended{.fd = process.get(), .events = POLLIN};
  const bool stays = process.valid() && poll(&ended, 1, base::poll_timeout(deadline)) == 0;
  if (stays) kill(supervisor, SIGKILL);
  waitpid(supervisor, nullptr, 0);
}

}  // namespace

bool is_alive(pid_t supervisor) noexcept {
  return supervisor > 0 && waitpid(supervisor, nullptr, WNOHANG) == 0;
}

LeavingSupervisors::LeavingSupervisors(process_rec* process, RetainedSupervision& retained)
    : process_(process), supervisors_(retained.leaving) {
  int left = 0;
  for_each([&](LeavingSupervisor& supervisor) {
    if (!is_alive(supervisor.pid)) {
      if (supervisor.control >= 0) close(supervisor.control);
      return;
    }
    APR_ARRAY_IDX(supervisors_, left++, LeavingSupervisor*) = &supervisor;
    expect_end(supervisor);
  });
  supervisors_->nelts = left;
}

template <class Visitor>
void LeavingSupervisors::for_each(Visitor visit) const {
  for (int i = 0; i < supervisors_->nelts; ++i) {
    visit(*APR_ARRAY_IDX(supervisors_, i, LeavingSupervisor*));
  }
}

void LeavingSupervisors::expect_end(LeavingSupervisor& supervisor) const {
  apr_pool_t* pconf = process_->pconf;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(pconf, sizeof(apr_proc_t)));
  process->pid = supervisor.pid;
  apr_proc_other_child_register(process, note_end, &supervisor, nullptr, pconf);
}

void LeavingSupervisors::add(pid_t supervisor, int control) {
  auto* leaving = pool_new<LeavingSupervisor>(process_->pool, supervisor, control);
  APR_ARRAY_PUSH(supervisors_, LeavingSupervisor*) = leaving;
  expect_end(*leaving);
}

void LeavingSupervisors::close_channels() const noexcept {
  for_each([](LeavingSupervisor& supervisor) {
    if (supervisor.control >= 0) close(std::exchange(supervisor.control, -1));
  });
}

void LeavingSupervisors::end_all(std::chrono::steady_clock::time_point deadline) noexcept {
  close_channels();
  for_each([&](const LeavingSupervisor& supervisor) { await_end(supervisor.pid, deadline); });
}

}  // namespace pyhost::apache
