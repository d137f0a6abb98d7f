#include "apache/process/supervisor_process.h"

#include <sys/socket.h>
#include <unistd.h>

#include <string>
#include <utility>

#include "plugin/plugin_loader.h"

namespace pyhost::apache {

SupervisorProcess::SupervisorProcess(process_rec* process, RetainedSupervision& retained,
                                     SupervisorEra& era, LeavingSupervisors& leaving,
                                     std::function<void()> on_end)
    : process_(process),
      retained_(retained),
      era_(era),
      leaving_(leaving),
      on_end_(std::move(on_end)) {}

bool SupervisorProcess::leaves() const noexcept {
  char byte = 0;
  return runs() && recv(era_.control, &byte, 1, MSG_PEEK | MSG_DONTWAIT) == 0;
}

std::optional<base::Clock::duration> SupervisorProcess::age() const {
  if (!launched_) return std::nullopt;
  return base::Clock::now() - *launched_;
}

base::Result<> SupervisorProcess::launch(int log) {
  const std::string folder = plugin::folder_of_this_object();
  const control::Programs programs{.supervisor = folder + "/pyhost-supervisor",
                                   .worker = folder + "/pyhost-worker"};
  PH_TRY(link, control::launch_supervisor(programs, log));
  era_.pid = link.pid;
  era_.control = link.control.release();
  launched_ = base::Clock::now();
  watch();
  return {};
}

void SupervisorProcess::on_other_child(int reason, void* self, int) {
  auto& supervisor = *static_cast<SupervisorProcess*>(self);
  if (reason == APR_OC_REASON_UNREGISTER) {
    supervisor.watched_ = false;
  } else if (reason == APR_OC_REASON_DEATH || reason == APR_OC_REASON_LOST) {
    supervisor.on_end_();
  }
}

void SupervisorProcess::watch() {
  unwatch();
  apr_pool_t* pconf = process_->pconf;
  auto* process = static_cast<apr_proc_t*>(apr_pcalloc(pconf, sizeof(apr_proc_t)));
  process->pid = era_.pid;
  apr_proc_other_child_register(process, on_other_child, this, nullptr, pconf);
  watched_ = true;
}

void SupervisorProcess::unwatch() noexcept {
  if (watched_) apr_proc_other_child_unregister(this);
}

void SupervisorProcess::forget() {
  close(era_.control);
  unwatch();
  if (is_alive(era_.pid)) leaving_.add(era_.pid, -1);
  era_.pid = 0;
}

base::Result<> SupervisorProcess::send(const control::WantedState& state,
                                       const std::vector<int>& descriptors) {
  return control::send_wanted_state(era_.control, ++retained_.messages, state, descriptors);
}

void SupervisorProcess::tell_refusal(const std::string& why) {
  if (!runs()) return;
  (void)control::tell_refusal(era_.control, ++retained_.messages, why);
}

base::Result<control::Answer> SupervisorProcess::await_answer() const {
  return control::await_answer(era_.control, retained_.messages);
}

base::Result<std::optional<control::Answer>> SupervisorProcess::take_answer() const {
  return control::take_answer(era_.control, retained_.messages);
}

}  // namespace pyhost::apache
