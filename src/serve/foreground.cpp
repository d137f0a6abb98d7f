#include "serve/foreground.h"

#include <fmt/format.h>
#include <poll.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <utility>

#include "base/clock.h"
#include "base/printable.h"
#include "serve/orphans.h"
#include "serve/server_plan.h"

namespace pyhost::serve {
namespace {

using std::chrono::milliseconds;

// An editor or a checkout writes many files; they make one restart.
constexpr milliseconds kSettleTime{200};
// How often to look whether httpd is up, until it is.
constexpr milliseconds kStartPoll{20};
// For httpd to end behind that, so that all is over before a container's patience is.
constexpr milliseconds kStopTime{1500};

constexpr char kSupervisor[] = "pyhost-supervisor";

}  // namespace

Foreground::Foreground(HttpdProcess httpd, StopSignals& signals, FileWatch* watch,
                       ServiceNotices notices, ForegroundPlan plan)
    : httpd_(std::move(httpd)),
      signals_(signals),
      watch_(watch),
      notices_(std::move(notices)),
      plan_(std::move(plan)),
      readiness_(plan_.supervisor, kGroupName),
      access_log_(
          httpd_.output_fd(), STDOUT_FILENO,
          [this](std::string_view line) { return shown_request(line, plan_.log_view.style); }),
      error_log_(httpd_.errors_fd(), STDERR_FILENO,
                 [this](std::string_view line) { return shown_record(line, plan_.log_view); }) {}

int Foreground::stay() {
  while (true) {
    wait();
    relay_logs();
    greet_when_up();
    heed_signals();
    end_when_idle();
    heed_changes();
    heed_reloads();
    tell_readiness();
    const auto status = httpd_.poll_status();
    if (!status) continue;
    // It may have ended by itself.
    if (!kill_at_) kill_at_ = base::Clock::now() + kStopTime;
    if (!all_have_ended()) continue;
    relay_logs();
    return farewell(*status);
  }
}

int Foreground::poll_timeout_ms() const {
  const bool looking = !greeted_ || stopping_ || httpd_.has_ended();
  auto timeout = looking ? kStartPoll : milliseconds::max();
  for (const auto& moment : {stop_at_, kill_at_, restart_at_, readiness_.next_look()}) {
    if (!moment) continue;
    const auto left = std::chrono::ceil<milliseconds>(*moment - base::Clock::now());
    timeout = std::clamp(left, milliseconds::zero(), timeout);
  }
  return timeout == milliseconds::max() ? -1 : static_cast<int>(timeout.count());
}

void Foreground::wait() const {
  std::array<pollfd, 5> ready{{
      {.fd = signals_.fd(), .events = POLLIN, .revents = 0},
      {.fd = watch_ != nullptr ? watch_->fd() : -1, .events = POLLIN, .revents = 0},
      {.fd = access_log_open_ ? access_log_.from() : -1, .events = POLLIN, .revents = 0},
      {.fd = error_log_open_ ? error_log_.from() : -1, .events = POLLIN, .revents = 0},
      {.fd = readiness_.fd(), .events = POLLIN, .revents = 0},
  }};
  poll(ready.data(), ready.size(), poll_timeout_ms());
}

void Foreground::relay_logs() {
  for (auto [relay, open] :
       {std::pair(&access_log_, &access_log_open_), std::pair(&error_log_, &error_log_open_)}) {
    if (!*open) continue;
    const LogRelay::Progress progress = relay->pump();
    *open = progress == LogRelay::Progress::more;
    // Nobody reads what we say: as if the terminal had been closed.
    if (progress == LogRelay::Progress::reader_gone) begin_stop();
  }
}

void Foreground::greet_when_up() {
  if (greeted_) return;
  pid_t pid = 0;
  std::ifstream(plan_.pid_file) >> pid;
  if (pid != httpd_.pid()) return;
  greeted_ = true;
  readiness_.begin();
  fmt::print("{}\n", plan_.greeting);
  std::fflush(stdout);
}

// httpd closes its sockets and finishes what runs.
void Foreground::begin_stop() {
  if (std::exchange(stopping_, true)) return;
  // It heeds that only once it is up.
  if (!greeted_) return stop_at_once();
  notices_.stopping(plan_.graceful_time + kStopTime);
  fmt::print(stderr, "Stopping; requests that run have {} s\n", base::seconds(plan_.graceful_time));
  httpd_.stop_gracefully();
  stop_at_ = base::Clock::now() + plan_.graceful_time;
}

void Foreground::stop_at_once() {
  if (kill_at_) return;
  stop_at_.reset();
  httpd_.stop();
  kill_at_ = base::Clock::now() + kStopTime;
}

void Foreground::heed_signals() {
  const unsigned asked = signals_.stops_requested();
  if (asked > 0) begin_stop();
  if (asked > 1 || (stop_at_ && base::Clock::now() >= *stop_at_)) stop_at_once();
  if (kill_at_ && base::Clock::now() >= *kill_at_) {
    httpd_.kill_all();
    kill_children();
    // For what has become a child by that.
    kill_at_ = base::Clock::now() + kStartPoll;
  }
}

// httpd's parent looks only once a second whether its children have ended.
void Foreground::end_when_idle() {
  if (!stop_at_ || told_to_end_ || has_child_called(httpd_.pid(), plan_.httpd_name)) return;
  told_to_end_ = true;
  httpd_.stop();
}

bool Foreground::all_have_ended() const {
  return !has_child_called(getpid(), kSupervisor);
}

void Foreground::heed_changes() {
  if (watch_ == nullptr || stopping_) return;
  if (const std::string changed = watch_->read_change(); !changed.empty()) {
    if (!restart_at_) fmt::print(stderr, "{} has changed; restarting\n", changed);
    restart_at_ = base::Clock::now() + kSettleTime;
  }
  if (restart_at_ && base::Clock::now() >= *restart_at_ && greeted_) {
    httpd_.graceful_restart();
    restart_at_.reset();
  }
}

// Without workers httpd starts itself anew.
void Foreground::heed_reloads() {
  if (!signals_.take_reload() || stopping_ || !greeted_) return;
  if (!plan_.supervisor.empty()) {
    if (!readiness_.reload()) fmt::print(stderr, "Not reloaded: the workers are just starting\n");
    return;
  }
  notices_.reloading();
  httpd_.graceful_restart();
  notices_.serving(plan_.greeting);
}

void Foreground::tell_readiness() {
  using State = Readiness::State;
  if (stopping_) return;
  readiness_.advance();
  const State state = readiness_.state();
  if (state == told_) return;
  if (state == State::reloading) notices_.reloading();
  if (state == State::serving) {
    const bool reloaded = told_ == State::reloading;
    if (reloaded) fmt::print(stderr, "{}\n", base::printable(readiness_.outcome()));
    notices_.serving(reloaded ? readiness_.outcome() : plan_.greeting);
  }
  told_ = state;
}

int Foreground::farewell(int wait_status) const {
  if (stopping_) return 0;
  if (WIFSIGNALED(wait_status)) {
    fmt::print(stderr, "pyhost: httpd ended by itself with signal {} ({})\n", WTERMSIG(wait_status),
               strsignal(WTERMSIG(wait_status)));
  } else {
    fmt::print(stderr, "pyhost: httpd ended by itself with exit code {}\n",
               WEXITSTATUS(wait_status));
  }
  return 1;
}

}  // namespace pyhost::serve
