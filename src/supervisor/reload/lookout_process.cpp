#include "supervisor/reload/lookout_process.h"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <utility>

#include "control/control_channel.h"
#include "control/worker_orders.h"
#include "control/worker_report.h"
#include "os/reap_later.h"

namespace pyhost::supervisor {
namespace {

constexpr base::Milliseconds kFirstPause{1'000};
constexpr base::Milliseconds kLongestPause{30'000};

}  // namespace

LookoutProcess::LookoutProcess(os::EventLoop& loop, std::string program,
                               launch::Credentials credentials, Handlers handlers)
    : loop_(loop),
      program_(std::move(program)),
      credentials_(std::move(credentials)),
      handlers_(std::move(handlers)),
      pause_(kFirstPause) {}

LookoutProcess::~LookoutProcess() {
  if (running_) end();
}

void LookoutProcess::follow(control::WatchList list) {
  if (list.globs == list_.globs) return;
  list_ = std::move(list);
  if (!running_) {
    if (!start_at_) start_at_ = base::TimePoint();
    return;
  }
  const auto file = control::make_memory_file("pyhost-watch-list", to_json(list_));
  const bool told = file && control::send_order(running_->lines.fd(),
                                                control::WorkerOrder::Kind::watch, "", file->get());
  // One that takes no orders has a successor that needs none.
  if (!told) kill(running_->pid, SIGKILL);
}

void LookoutProcess::advance(base::TimePoint now) {
  if (running_ || !start_at_ || now < *start_at_) return;
  start_at_.reset();
  if (const auto started = start(); !started) retry(started.error().sentence);
}

std::optional<base::TimePoint> LookoutProcess::next_deadline() const noexcept {
  return start_at_;
}

base::Result<> LookoutProcess::start() {
  PH_TRY(settings, control::make_memory_file("pyhost-watch-list", to_json(list_)));
  const base::UniqueFd null(open("/dev/null", O_RDWR | O_CLOEXEC));
  const launch::WorkerPlan plan{.group_name = list_.globs.begin()->first,
                                .program = program_,
                                .display_name = "pyhost-lookout",
                                .environment = {},
                                .credentials = credentials_,
                                .limits = {},
                                .chroot = "",
                                .working_directory = "/",
                                .umask = std::nullopt};
  PH_TRY(process, launch::start_worker(plan, {.log = null.get(),
                                              .listen = null.get(),
                                              .settings = settings.get(),
                                              .board = null.get(),
                                              .reports = null.get()}));
  failure_.clear();
  running_.emplace(Running{.pid = process.pid,
                           .pidfd = std::move(process.pidfd),
                           .lines = os::LineReader(std::move(process.status)),
                           .started = base::Clock::now()});
  auto watched = loop_.watch(running_->pidfd.get(), [this] { note_end(); });
  if (watched) watched = loop_.watch(running_->lines.fd(), [this] { read(); });
  if (!watched) end();
  return watched;
}

void LookoutProcess::end() {
  kill(running_->pid, SIGKILL);
  base::UniqueFd pidfd = std::move(running_->pidfd);
  loop_.forget(pidfd.get());
  loop_.forget(running_->lines.fd());
  running_.reset();
  os::reap_later(loop_, std::move(pidfd));
}

void LookoutProcess::read() {
  for (const std::string& line : running_->lines.read()) heed(line);
  if (running_->lines.at_end()) loop_.forget(running_->lines.fd());
}

void LookoutProcess::heed(const std::string& line) {
  if (auto report = control::parse_watch_report(line)) {
    if (list_.globs.contains(report->group)) handlers_.on_report(*std::move(report));
    return;
  }
  const auto status = control::parse_status(line);
  if (status && status->kind == control::StatusReport::Kind::failed) failure_ = status->text;
}

void LookoutProcess::note_end() {
  read();
  siginfo_t info{};
  if (waitid(P_PIDFD, running_->pidfd.get(), &info, WEXITED | WNOHANG) != 0 || info.si_pid == 0) {
    return;
  }
  constexpr base::Milliseconds kLongLife{60'000};
  if (base::Clock::now() - running_->started >= kLongLife) pause_ = kFirstPause;
  forget();
  retry(failure_.empty()
            ? fmt::format("pyhost-lookout has ended ({} {}) and is started again",
                          info.si_code == CLD_EXITED ? "code" : "signal", info.si_status)
            : failure_);
}

void LookoutProcess::retry(const std::string& problem) {
  start_at_ = base::Clock::now() + pause_;
  pause_ = std::min(2 * pause_, kLongestPause);
  handlers_.on_end(problem);
}

void LookoutProcess::forget() noexcept {
  loop_.forget(running_->pidfd.get());
  loop_.forget(running_->lines.fd());
  running_.reset();
}

}  // namespace pyhost::supervisor
