#include "launch/rehearsals.h"

#include <fmt/format.h>
#include <signal.h>
#include <sys/wait.h>

#include <algorithm>
#include <array>
#include <cerrno>

#include "os/reap_later.h"

namespace pyhost::launch {
namespace {

// The text of an env-file of the largest size, in which every byte may be written as six.
constexpr std::size_t kSaidBytesMax = 8u << 20;

// The folders and files that may have held it up.
std::string paths_of(const RehearsalTask& task) {
  std::string paths;
  const bool start = task.extent == Rehearse::start;
  for (const std::string& path :
       {task.files.env_file, task.files.python.home, start ? task.plan.chroot : "",
        start ? task.plan.working_directory : ""}) {
    if (path.empty()) continue;
    paths += paths.empty() ? "" : ", ";
    paths += path;
  }
  return paths.empty() ? task.plan.program : paths;
}

base::Result<StartInputs> outcome_of(const RehearsalTask& task, std::string_view said,
                                     const siginfo_t& end) {
  if (end.si_code == CLD_EXITED && end.si_status == 0) {
    return parse_inputs(said.substr(0, said.find('\n')));
  }
  // Its last line is the sentence; the one before may be what it has read.
  if (end.si_code == CLD_EXITED && end.si_status == 1 && said.ends_with('\n')) {
    said.remove_suffix(1);
    const auto before = said.rfind('\n');
    if (auto failed = parse_inputs(before == said.npos ? said : said.substr(before + 1)); !failed) {
      return failed;
    }
  }
  // The dynamic linker's own code.
  constexpr int kLibraryMissing = 127;
  if (end.si_code == CLD_EXITED && end.si_status == kLibraryMissing && !task.plan.chroot.empty()) {
    return base::fail(
        fmt::format("WSGIDaemonProcess {0}: {1} cannot be run below chroot={2}: a "
                    "library that it needs is missing there (ldd {1} names them)",
                    task.plan.group_name, task.plan.program, task.plan.chroot));
  }
  return base::fail(fmt::format(
      "WSGIDaemonProcess {}: the rehearsal of a start has ended unexpectedly ({} {})",
      task.plan.group_name, end.si_code == CLD_EXITED ? "code" : "signal", end.si_status));
}

}  // namespace

Rehearsals::~Rehearsals() {
  while (!running_.empty()) give_up(running_.begin()->first);
}

std::size_t Rehearsals::add(RehearsalTask task) {
  tasks_.push_back(std::move(task));
  outcomes_.emplace_back(base::fail(""));
  return tasks_.size() - 1;
}

void Rehearsals::advance(base::TimePoint now) {
  std::vector<std::size_t> overdue;
  for (const auto& [number, running] : running_) {
    if (now >= running.until) overdue.push_back(number);
  }
  for (const std::size_t number : overdue) give_up(number);
  while (begun_ < tasks_.size() && running_.size() < kAtOnce) begin(now);
}

std::optional<base::TimePoint> Rehearsals::next_deadline() const noexcept {
  std::optional<base::TimePoint> next;
  for (const auto& [number, running] : running_) {
    next = base::earliest(next, running.until);
  }
  return next;
}

void Rehearsals::begin(base::TimePoint now) {
  const std::size_t number = begun_++;
  const RehearsalTask& task = tasks_[number];
  auto process = start_rehearsal(task.plan, task.files, task.extent);
  if (!process) {
    outcomes_[number] = tl::unexpected(std::move(process).error());
    return;
  }
  const Running& running = running_
                               .emplace(number, Running{.number = number,
                                                        .process = *std::move(process),
                                                        .until = now + task.patience})
                               .first->second;
  const auto heard = loop_.watch(running.process.status.get(), [this, number] { read(number); });
  const auto watched = loop_.watch(running.process.pidfd.get(), [this, number] { reap(number); });
  if (heard && watched) return;
  give_up(number);
  outcomes_[number] = tl::unexpected(heard ? watched.error() : heard.error());
}

void Rehearsals::read(std::size_t number) {
  Running& running = running_.at(number);
  std::array<char, 16'384> buffer;
  constexpr int kReadsMax = 32;
  for (int i = 0; i < kReadsMax; ++i) {
    const ssize_t got = ::read(running.process.status.get(), buffer.data(), buffer.size());
    if (got < 0 && (errno == EAGAIN || errno == EINTR)) return;
    if (got <= 0) return loop_.forget(running.process.status.get());
    running.said.append(buffer.data(), got);
    if (running.said.size() > kSaidBytesMax) return give_up(number);
  }
}

void Rehearsals::reap(std::size_t number) {
  Running& running = running_.at(number);
  siginfo_t info{};
  if (waitid(P_PIDFD, running.process.pidfd.get(), &info, WEXITED | WNOHANG) != 0 ||
      info.si_pid == 0) {
    return;
  }
  std::array<char, 16'384> buffer;
  for (ssize_t got;
       (got = ::read(running.process.status.get(), buffer.data(), buffer.size())) > 0;) {
    running.said.append(buffer.data(), got);
  }
  outcomes_[number] = outcome_of(tasks_[number], running.said, info);
  forget(number);
}

void Rehearsals::give_up(std::size_t number) {
  Running& running = running_.at(number);
  kill(running.process.pid, SIGKILL);
  const RehearsalTask& task = tasks_[number];
  outcomes_[number] = base::fail(
      fmt::format("WSGIDaemonProcess {}: the rehearsal of a start has not ended within {} s: it "
                  "was held up by {}",
                  task.plan.group_name,
                  std::chrono::ceil<std::chrono::seconds>(task.patience).count(), paths_of(task)));
  loop_.forget(running.process.pidfd.get());
  os::reap_later(loop_, std::move(running.process.pidfd));
  forget(number);
}

void Rehearsals::forget(std::size_t number) noexcept {
  const auto found = running_.find(number);
  loop_.forget(found->second.process.status.get());
  loop_.forget(found->second.process.pidfd.get());
  running_.erase(found);
}

void run_to_end(os::EventLoop& loop, Rehearsals& rehearsals) {
  while (true) {
    rehearsals.advance(base::Clock::now());
    if (rehearsals.done()) return;
    loop.wait(rehearsals.next_deadline());
  }
}

}  // namespace pyhost::launch
